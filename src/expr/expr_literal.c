/*
 * Numbers of the text and the names of types.
 */
#include "src/expr/expr_node.h"

#include "src/diag.h"
#include "src/json/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DIGITS 38

static struct x_node *decimal_const(struct x_binder *b, const struct x_ast *a, x_i128 v,
				    unsigned scale)
{
	struct evs_type t = { .id = EVS_T_DECIMAL,
			      .precision = MAX_DIGITS,
			      .scale = (uint8_t)scale };
	struct x_node *n = evs_x_const(b, a, &t);
	uint8_t raw[16];

	if (!n)
		return NULL;
	evs_put64(raw, (uint64_t)v);
	evs_put64(raw + 8, (uint64_t)(v >> 64));
	return evs_array_append_fixed(&n->value, raw) < 0 ? evs_x_nomem(b) : n;
}

static struct x_node *integer(struct x_binder *b, const struct x_ast *a, x_i128 v)
{
	if (v >= INT64_MIN && v <= INT64_MAX)
		return evs_x_const_int(b, a, EVS_T_INT64, (int64_t)v);
	if (v >= 0 && v <= (x_i128)UINT64_MAX)
		return evs_x_const_int(b, a, EVS_T_UINT64, (int64_t)(uint64_t)v);
	return decimal_const(b, a, v, 0);
}

static bool read_hex(const char *s, size_t len, x_i128 *v)
{
	bool minus = len && *s == '-';

	s += minus;
	len -= minus;
	if (len < 3 || len > 18 || s[0] != '0' || (s[1] | 0x20) != 'x')
		return false;
	*v = 0;
	for (size_t i = 2; i < len; i++) {
		int c = s[i] | 0x20;

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
		*v = *v * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
	}
	if (minus)
		*v = -*v;
	return true;
}

bool evs_x_float_parse(const char *s, size_t len, double *out)
{
	char buf[512];
	size_t n = 0, i = 0, digits = 0;

	if (i < len && (s[i] == '-' || s[i] == '+'))
		if (s[i++] == '-')
			buf[n++] = '-';
	while (i + 1 < len && s[i] == '0' && s[i + 1] >= '0' && s[i + 1] <= '9')
		i++;
	if (len - i > sizeof(buf) - 8)
		return false;
	if (i < len && s[i] == '.')
		buf[n++] = '0';
	for (; i < len && s[i] >= '0' && s[i] <= '9'; digits++)
		buf[n++] = s[i++];
	if (i < len && s[i] == '.') {
		i++;
		if (i < len && s[i] >= '0' && s[i] <= '9') {
			buf[n++] = '.';
			for (; i < len && s[i] >= '0' && s[i] <= '9'; digits++)
				buf[n++] = s[i++];
		}
	}
	if (!digits)
		return false;
	if (i < len && (s[i] | 0x20) == 'e') {
		size_t from = n;

		buf[n++] = s[i++];
		if (i < len && (s[i] == '-' || s[i] == '+'))
			buf[n++] = s[i++];
		for (digits = 0; i < len && s[i] >= '0' && s[i] <= '9'; digits++)
			buf[n++] = s[i++];
		if (!digits || n - from > 20)
			return false;
	}
	return i == len && evs_double_parse(buf, n, out);
}

/* Number text to a constant; NULL without failure when it is none. */
static struct x_node *from_text(struct x_binder *b, const struct x_ast *a, const char *s,
				size_t len, bool exact)
{
	static const struct evs_type f64 = { .id = EVS_T_FLOAT64 };
	struct x_node *n;
	unsigned scale;
	double d;
	x_i128 v;

	if (read_hex(s, len, &v))
		return integer(b, a, v);
	if (evs_x_decimal_parse(s, len, &v, &scale)) {
		if (scale == 0 && !memchr(s, '.', len))
			return integer(b, a, v);
		if (exact)
			return decimal_const(b, a, v, scale);
	}
	if (!memchr(s, '.', len) && !memchr(s, 'e', len) && !memchr(s, 'E', len))
		return NULL; /* whole, and longer than 38 digits: a float would be another number */
	if (!evs_x_float_parse(s, len, &d))
		return NULL;
	n = evs_x_const(b, a, &f64);
	if (n && evs_array_append_float(&n->value, d) < 0)
		return evs_x_nomem(b);
	return n;
}

struct x_node *evs_x_literal_text(struct x_binder *b, const struct x_ast *a, const char *s,
				  size_t len, const struct evs_type *as)
{
	struct x_node *n = from_text(b, a, s, len, as && as->id == EVS_T_DECIMAL);

	if (n || b->err)
		return n;
	return evs_x_fail(
		b, a, a->kind == X_NUMBER ? "this number is out of range" : "this is not a number");
}

struct x_node *evs_x_literal_number(struct x_binder *b, const struct x_ast *a,
				    const struct evs_type *as)
{
	return evs_x_literal_text(b, a, a->s, a->len, as);
}

/* ---- types
 * ---------------------------------------------------------------------------------------- */

static bool keep_table(struct x_binder *b, struct evs_table *t)
{
	struct evs_expr *e = b->e;

	if (e->ntypes == e->types_cap) {
		size_t cap = e->types_cap * 2 + 4;
		struct evs_table **types = realloc(e->types, cap * sizeof(struct evs_table *));

		if (!types)
			return false;
		e->types = types;
		e->types_cap = cap;
	}
	e->types[e->ntypes++] = t;
	return true;
}

/*
 * The schema room knows the names of types; it is asked with a table of one column. The text is
 * whole tokens with balanced parentheses, or came in quotes, where it must be made of letters,
 * digits and the like.
 */
const struct evs_type *evs_x_type_named(struct x_binder *b, const struct x_ast *a, const char *s,
					size_t len)
{
	static const char before[] = "CREATE TABLE t (c ", after[] = "\n)";
	struct evs_table *t = NULL;
	char *ddl;
	size_t n = 0;
	int depth = 0, rc;

	for (size_t i = 0; i < len && depth >= 0; i++)
		depth += s[i] == '('				  ? 1
			 : s[i] == ')'				  ? -1
			 : s[i] == ';' || (s[i] == ',' && !depth) ? -1000
								  : 0;
	if (depth != 0 || len > X_MAX_TEXT)
		return evs_x_fail(b, a, "this is not a type");
	ddl = malloc(sizeof(before) + len + sizeof(after));
	if (!ddl)
		return evs_x_nomem(b);
	memcpy(ddl, before, sizeof(before) - 1);
	n = sizeof(before) - 1;
	memcpy(ddl + n, s, len);
	n += len;
	memcpy(ddl + n, after, sizeof(after) - 1);
	n += sizeof(after) - 1;
	rc = evs_table_parse(&t, ddl, n, b->diag);
	free(ddl);
	if (rc == EVS_E_NOMEM)
		return evs_x_nomem(b);
	if (rc < 0) {
		char what[sizeof(b->diag->what)] = "";

		if (b->diag)
			snprintf(what, sizeof(what), "%s", b->diag->what);
		return evs_x_fail(b, a, "this is not a type that values can be converted to: %s",
				  what);
	}
	if (!keep_table(b, t)) {
		evs_table_free(t);
		return evs_x_nomem(b);
	}
	if (t->ndeclared != 1 || t->cols[0].def_kind != EVS_DEFAULT_NONE)
		return evs_x_fail(b, a, "this is not a type that values can be converted to");
	return &t->cols[0].type;
}
