/*
 * LIKE and ILIKE. A constant pattern is read once, and the usual ones (equal, prefix, suffix,
 * contains) run without a matcher; the others go through one that never backs up past the last %.
 */
#include "src/expr/expr_node.h"

#include <stdlib.h>
#include <string.h>

#define ANY    256 /* % */
#define ONE    257 /* _ */

#define STRIDE 32u /* rows, of which mostly none has a match */

enum like_kind { EQUAL, PREFIX, SUFFIX, CONTAINS, GENERAL };

/* node->aux of LIKE with a constant pattern. */
struct like {
	enum like_kind kind;
	uint16_t *code; /* bytes, ANY, ONE */
	size_t n;
	char *text; /* the literal part of a simple kind; of others, what stands before the first %
		       or _ */
	size_t len;
	size_t head;	    /* bytes of it that every match begins with */
	size_t rare, other; /* which of its bytes to look for */
};

static void like_free(void *p)
{
	struct like *l = p;

	if (!l)
		return;
	free(l->code);
	free(l->text);
	free(l);
}

static uint8_t fold_byte(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Pattern text to codes, of which there are at most n. */
static size_t read_pattern(const char *s, size_t n, uint8_t escape, bool fold, uint16_t *code)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)s[i];

		if (escape && c == escape && i + 1 < n) {
			c = (uint8_t)s[++i];
			code[k++] = fold ? fold_byte(c) : c;
		} else if (c == '%') {
			if (!k || code[k - 1] != ANY)
				code[k++] = ANY;
		} else {
			code[k++] = c == '_' ? ONE : fold ? fold_byte(c) : c;
		}
	}
	return k;
}

static size_t char_len(const uint8_t *s, size_t n)
{
	size_t k = 1;

	while (k < n && (s[k] & 0xc0) == 0x80)
		k++;
	return k;
}

static bool match(const uint8_t *s, size_t n, const uint16_t *code, size_t m, bool fold)
{
	size_t i = 0, k = 0, star = m, back = 0;

	while (i < n) {
		if (k < m && code[k] == ANY) {
			star = k++;
			back = i;
		} else if (k < m && code[k] == ONE) {
			i += char_len(s + i, n - i);
			k++;
		} else if (k < m && code[k] == (fold ? fold_byte(s[i]) : s[i])) {
			i++;
			k++;
		} else if (star < m) { /* let the last % take one byte more */
			k = star + 1;
			i = ++back;
		} else {
			return false;
		}
	}
	while (k < m && code[k] == ANY)
		k++;
	return k == m;
}

/*
 * The byte of a text, but for the one at `not`, that is met least in others, by the letters'
 * frequency in English; all but letters and spaces are rare.
 */
static size_t rare_byte(const char *s, size_t n, size_t not )
{
	static const char common[] = "qzxjkvbpygfwmucldrhsnioate ";
	size_t best = 0, at = SIZE_MAX;

	for (size_t i = 0; i < n && at; i++) {
		const char *c = strchr(common, s[i] | 0x20);
		size_t rank = c && s[i] ? (size_t)(c - common) + 1 : 0;

		if (rank < at && i != not ) {
			at = rank;
			best = i;
		}
	}
	return best;
}

static struct like *like_new(const char *s, size_t n, uint8_t escape, bool fold)
{
	struct like *l = calloc(1, sizeof(*l));
	size_t from = 0, to;

	if (!l)
		return NULL;
	l->code = malloc((n ? n : 1) * sizeof(*l->code));
	l->text = malloc(n ? n : 1);
	if (!l->code || !l->text) {
		like_free(l);
		return NULL;
	}
	l->n = to = read_pattern(s, n, escape, fold, l->code);
	if (to > 0 && l->code[0] == ANY)
		from = 1;
	if (to > from && l->code[to - 1] == ANY)
		to--;
	for (size_t i = from; i < to; i++) {
		if (l->code[i] > 255) {
			l->kind = GENERAL;
			l->head = from ? 0 : l->len;
			return l;
		}
		l->text[l->len++] = (char)l->code[i];
	}
	l->head = from ? 0 : l->len;
	l->rare = rare_byte(l->text, l->len, SIZE_MAX);
	l->other = rare_byte(l->text, l->len, l->rare);
	if (fold)
		l->kind = GENERAL;
	else if (from)
		l->kind = to < l->n || l->n == 1 ? CONTAINS : SUFFIX;
	else
		l->kind = to < l->n ? PREFIX : EQUAL;
	return l;
}

static bool like_matches(const struct like *l, const char *s, size_t n, bool fold)
{
	switch (l->kind) {
	case EQUAL:
		return n == l->len && !memcmp(s, l->text, n);
	case PREFIX:
		return n >= l->len && !memcmp(s, l->text, l->len);
	case SUFFIX:
		return n >= l->len && !memcmp(s + n - l->len, l->text, l->len);
	case CONTAINS:
		return evs_x_find_by(s, n, l->text, l->len, l->rare, l->other) != NULL;
	default:
		return match((const uint8_t *)s, n, l->code, l->n, fold);
	}
}

/* Texts that lie side by side are searched as one; a null row has none. */
static void find_all(const struct like *l, const struct evs_array *a, uint8_t *dst)
{
	const char *text = (const char *)a->data, *p = text + a->offs[0];
	const char *end = text + a->offs[a->rows];
	uint32_t row = 0;

	memset(dst, 0, a->rows);
	while ((p = evs_x_find_by(p, (size_t)(end - p), l->text, l->len, l->rare, l->other))) {
		while (a->rows - row > STRIDE && text + a->offs[row + STRIDE] <= p)
			row += STRIDE;
		while (text + a->offs[row + 1] <= p)
			row++;
		dst[row] = p + l->len <= text + a->offs[row + 1];
		p = text +
		    a->offs[row + 1]; /* one that begins later would not end in the row, either */
	}
}

/* op: fold case */
static int eval_like(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct like *l = in->node->aux;
	uint8_t *dst = evs_x_data(out);

	(void)v;
	if (l->kind == CONTAINS && l->len && !in->arg[0].scalar && in->arg[0].a->offs &&
	    in->arg[0].a->data) {
		find_all(l, in->arg[0].a, dst);
		return 0;
	}
	for (uint32_t i = 0; i < in->rows; i++) {
		size_t n;
		const char *s = evs_x_text(&in->arg[0], i, &n);

		dst[i] = like_matches(l, s, n, in->node->op != 0);
	}
	return 0;
}

const char *evs_x_like_prefix(const struct x_node *n, size_t *len)
{
	const struct like *l = n->aux;

	if (n->eval != eval_like || n->op || !l->n)
		return NULL;
	*len = l->head;
	return l->text;
}

/* The pattern comes with the row. node->num is the escape character. */
static int eval_like_row(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	bool fold = in->node->op != 0;
	uint8_t *dst = evs_x_data(out);

	for (uint32_t i = 0; i < in->rows; i++) {
		size_t n, m;
		const char *s = evs_x_text(&in->arg[0], i, &n), *p = evs_x_text(&in->arg[1], i, &m);
		uint16_t *code;

		evs_buf_reset(&v->text);
		if (!evs_buf_reserve(&v->text, m * sizeof(*code) + 1))
			return EVS_E_NOMEM;
		code = (uint16_t *)(void *)v->text.p;
		m = read_pattern(p, m, (uint8_t)in->node->num, fold, code);
		dst[i] = match((const uint8_t *)s, n, code, m, fold);
	}
	return 0;
}

static bool is_texty(const struct x_node *n)
{
	switch (n->type.id) {
	case EVS_T_STRING:
	case EVS_T_FIXEDSTRING:
	case EVS_T_ENUM:
	case EVS_T_UUID:
	case EVS_T_JSON:
	case EVS_T_IPV4:
	case EVS_T_IPV6:
		return true;
	default:
		return (int)n->type.id == X_T_NULL;
	}
}

/* The subject or pattern of a match, as text. */
struct x_node *evs_x_as_text(struct x_binder *b, const struct x_ast *a, struct x_node *n)
{
	char type[128];

	if (!is_texty(n))
		return evs_x_fail(
			b, a, "patterns match text, and this is %s: toString(x) makes text of it",
			evs_x_type_text(&n->type, type, sizeof(type)));
	return evs_x_cast_id(b, a, n, EVS_T_STRING, X_IMPLICIT);
}

static struct x_node *like(struct x_binder *b, const struct x_ast *a, struct x_node *l,
			   struct x_node *r, bool fold, uint8_t escape)
{
	struct x_node *arg[2], *n;
	bool fixed;

	arg[0] = l ? evs_x_as_text(b, a, l) : NULL;
	arg[1] = arg[0] && r ? evs_x_as_text(b, a, r) : NULL;
	if (!arg[1])
		return NULL;
	fixed = evs_x_is_const(arg[1]) && !evs_x_is_const_null(arg[1]);
	n = evs_x_call(b, a, fixed ? eval_like : eval_like_row, EVS_T_BOOL, arg, fixed ? 1 : 2);
	if (!n)
		return NULL;
	n->op = fold;
	n->num = escape;
	if (fixed) {
		size_t len;
		const char *s = (const char *)evs_array_bytes(&arg[1]->value, 0, &len);

		n->aux = like_new(s, len, escape, fold);
		n->aux_free = like_free;
		if (!n->aux)
			return evs_x_nomem(b);
	}
	return evs_x_fold(b, n);
}

struct x_node *evs_x_bind_like(struct x_binder *b, const struct x_ast *a)
{
	struct x_node *l = evs_x_bind(b, a->arg[0]), *r = l ? evs_x_bind(b, a->arg[1]) : NULL;

	return r ? like(b, a, l, r, a->fold_case, a->escape) : NULL;
}

static struct x_node *bind_like_fn(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				   struct x_node **arg, size_t n)
{
	(void)n;
	return like(b, a, arg[0], arg[1], f->op != 0, '\\');
}

static struct x_node *bind_match_fn(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				    struct x_node **arg, size_t n)
{
	(void)n;
	(void)f;
	return evs_x_bind_match(b, a, X_MATCH, arg[0], arg[1]);
}

const struct x_fn evs_x_fns_pattern[] = {
	{ "like", "xx>b", NULL, bind_like_fn, 0, 0, 0 },
	{ "ilike", "xx>b", NULL, bind_like_fn, 0, 1, 0 },
	{ "match", "xx>b", NULL, bind_match_fn, 0, 0, 0 },
	{ "regexp_like", "xx>b", NULL, bind_match_fn, 0, 0, 0 },
	{ NULL, NULL, NULL, NULL, 0, 0, 0 },
};
