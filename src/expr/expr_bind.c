/*
 * Binding: a parsed tree becomes a checked one. Names are looked up in the table, every node gets a
 * type, conversions are put in, and what does not depend on rows is computed now.
 */
#include "src/expr/expr_node.h"

#include "src/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BRANCHES 60000 /* of a CASE */

void *evs_x_fail(struct x_binder *b, const struct x_ast *a, const char *fmt, ...)
{
	char text[768];
	va_list ap;

	if (b->err)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	b->err = evs_fail_at(b->diag, EVS_E_QUERY, a->line, a->col, "%s", text);
	evs_fail_word(b->diag, a->word, a->word_len);
	return NULL;
}

void *evs_x_nomem(struct x_binder *b)
{
	if (!b->err)
		b->err = evs_fail_nomem(b->diag);
	return NULL;
}

const char *evs_x_type_text(const struct evs_type *t, char *buf, size_t cap)
{
	if ((int)t->id == X_T_NULL)
		snprintf(buf, cap, "NULL");
	else if ((int)t->id == X_T_INTERVAL)
		snprintf(buf, cap, "INTERVAL");
	else
		evs_type_print(t, false, buf, cap);
	return buf;
}

struct x_node *evs_x_node(struct x_binder *b, enum x_shape shape, const struct x_ast *a, size_t nargs)
{
	struct x_node *n;

	if (b->err)
		return NULL;
	n = evs_x_alloc(&b->e->arena, sizeof(*n));
	if (!n)
		return evs_x_nomem(b);
	if (nargs) {
		n->arg = evs_x_alloc(&b->e->arena, nargs * sizeof(struct x_node *));
		if (!n->arg)
			return evs_x_nomem(b);
	}
	n->shape = shape;
	n->ast = a;
	n->n = nargs;
	n->next = b->e->nodes;
	b->e->nodes = n;
	return n;
}

struct x_node *evs_x_call(struct x_binder *b, const struct x_ast *a, x_eval_fn *eval, enum evs_type_id result,
			  struct x_node *const *arg, size_t n)
{
	struct x_node *c = evs_x_node(b, X_FN, a, n);

	if (!c)
		return NULL;
	c->eval = eval;
	c->type.id = result;
	for (size_t i = 0; i < n; i++) {
		if (!arg[i])
			return NULL;
		c->arg[i] = arg[i];
		c->nullable |= arg[i]->nullable;
	}
	return c;
}

bool evs_x_is_const(const struct x_node *n)
{
	return n->shape == X_CONST;
}

bool evs_x_is_const_null(const struct x_node *n)
{
	return n->shape == X_CONST && evs_array_is_null(&n->value, 0);
}

struct x_node *evs_x_const(struct x_binder *b, const struct x_ast *a, const struct evs_type *t)
{
	struct x_node *n = evs_x_node(b, X_CONST, a, 0);

	if (!n)
		return NULL;
	n->type = *t;
	if ((int)t->id >= X_T_NULL)
		evs_array_init(&n->value, EVS_INT, 1, false);
	else if (evs_type_array(t, &n->value) < 0)
		return evs_x_nomem(b);
	return n;
}

struct x_node *evs_x_const_null(struct x_binder *b, const struct x_ast *a, const struct evs_type *t)
{
	struct x_node *n = evs_x_const(b, a, t);

	if (!n)
		return NULL;
	n->nullable = true;
	return evs_array_append_null(&n->value) < 0 ? evs_x_nomem(b) : n;
}

struct x_node *evs_x_const_int(struct x_binder *b, const struct x_ast *a, enum evs_type_id id, int64_t v)
{
	struct evs_type t = { .id = id };
	struct x_node *n = evs_x_const(b, a, &t);

	if (!n)
		return NULL;
	return evs_array_append_int(&n->value, (uint64_t)v) < 0 ? evs_x_nomem(b) : n;
}

/* Everything of `n` is constant. Children of logic may fail without consequence, so they are left alone. */
static bool foldable(const struct x_node *n)
{
	if (n->shape == X_CONST || n->shape == X_COLUMN || n->volatile_rows || n->not_constant)
		return false;
	for (size_t i = 0; i < n->n; i++)
		if (!evs_x_is_const(n->arg[i]))
			return false;
	return true;
}

struct x_node *evs_x_fold(struct x_binder *b, struct x_node *n)
{
	struct x_vec x = { 0 };
	struct x_node *c = NULL;
	int rc;

	if (!n || b->err || !foldable(n))
		return b->err ? NULL : n;
	if (!b->v && evs_eval_new(&b->v) < 0)
		return evs_x_nomem(b);
	b->v->rows = 1;
	rc = evs_x_eval(b->v, n, &x);
	if (rc < 0) {
		evs_x_nomem(b);
	} else if (x.bad && x.bad->a.data[0]) {
		evs_x_fail(b, n->ast, "%s", x.why ? x.why : "this has no value");
	} else {
		c = evs_x_const(b, n->ast, &n->type);
		if (c && evs_array_append_range(&c->value, x.a, 0, 1) < 0)
			c = evs_x_nomem(b);
		if (c)
			c->nullable = evs_x_is_const_null(c);
	}
	if (b->v)
		evs_x_vec_release(b->v, &x);
	return c;
}

/* ---- names ---------------------------------------------------------------------------------------- */

static struct x_node *column(struct x_binder *b, const struct x_ast *a, int ordinal)
{
	struct evs_expr *e = b->e;
	const struct evs_column *c = &b->t->cols[ordinal];
	struct x_node *n = evs_x_node(b, X_COLUMN, a, 0);
	size_t i;

	if (!n)
		return NULL;
	for (i = 0; i < e->nused && e->used[i] != ordinal; i++)
		;
	if (i == e->used_cap) {
		size_t cap = e->used_cap * 2 + 8;
		uint16_t *used = realloc(e->used, cap * sizeof(*used));

		if (!used)
			return evs_x_nomem(b);
		e->used = used;
		e->used_cap = cap;
	}
	if (i == e->nused)
		e->used[e->nused++] = (uint16_t)ordinal;
	n->ordinal = (uint16_t)ordinal;
	n->num = (int64_t)i;
	n->type = c->type;
	n->nullable = c->nullable;
	return n;
}

static void *unknown_column(struct x_binder *b, const struct x_ast *a)
{
	struct x_suggest s;
	char hint[96];

	if (!b->t)
		return evs_x_fail(b, a, "columns cannot be used here: write a constant");
	evs_x_suggest_init(&s, a->part[0].s, a->part[0].len);
	for (uint16_t i = 0; i < b->t->ncols; i++)
		if (!b->t->cols[i].hidden)
			evs_x_suggest_offer(&s, b->t->cols[i].name, b->t->cols[i].name_len);
	return evs_x_fail(b, a, "there is no column `%.*s` in %s%s",
			  (int)(a->part[0].len < 200 ? a->part[0].len : 200), a->part[0].s,
			  b->t->name ? b->t->name : "the table", evs_x_suggest_text(&s, hint, sizeof(hint)));
}

/* Ordinal of the column that parts [from, from + n) name, joined by dots; -1: none. */
static int find_joined(struct x_binder *b, const struct x_ast *a, size_t from, size_t n)
{
	char name[1024];
	size_t len = 0;

	if (n == 1)
		return evs_table_find(b->t, a->part[from].s, a->part[from].len);
	for (size_t i = from; i < from + n; i++) {
		if (a->part[i].len > sizeof(name) - 1 - len)
			return -1;
		if (i > from)
			name[len++] = '.';
		memcpy(name + len, a->part[i].s, a->part[i].len);
		len += a->part[i].len;
	}
	return evs_table_find(b->t, name, len);
}

static bool part_is(const struct x_part *p, const char *s)
{
	return s && strlen(s) == p->len && !memcmp(p->s, s, p->len);
}

/* How many leading parts are `table.` or `db.table.`. */
static size_t qualifier(const struct x_binder *b, const struct x_ast *a)
{
	if (a->npart >= 3 && part_is(&a->part[0], b->t->db) && part_is(&a->part[1], b->t->name))
		return 2;
	return a->npart >= 2 && part_is(&a->part[0], b->t->name);
}

/* Words that are functions without parentheses in SQL. */
static struct x_node *bare_function(struct x_binder *b, const struct x_ast *a)
{
	static const char *const bare[] = { "current_timestamp", "current_date", "localtimestamp" };

	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++)
		if (!a->quoted && a->npart == 1 && evs_x_same_word(a->part[0].s, a->part[0].len, bare[i]))
			return evs_x_bind_fn(b, a, evs_x_fn_find(bare[i], strlen(bare[i])), NULL, 0);
	return NULL;
}

/* A column, by the longest run of parts that names one; the parts after it are steps into JSON or a map. */
static struct x_node *bind_name(struct x_binder *b, const struct x_ast *a)
{
	struct x_node *n = NULL;
	size_t from = 0, used = 0;
	int ordinal = -1;

	for (size_t pass = 0; b->t && ordinal < 0 && pass < 2; pass++) {
		from = pass ? qualifier(b, a) : 0;
		if (pass && !from)
			break;
		for (used = a->npart - from; used > 0; used--) {
			ordinal = find_joined(b, a, from, used);
			if (ordinal >= 0)
				break;
		}
	}
	if (ordinal < 0) {
		n = bare_function(b, a);
		return n || b->err ? n : unknown_column(b, a);
	}
	n = column(b, a, ordinal);
	for (size_t i = from + used; n && i < a->npart; i++) {
		static const struct evs_type text = { .id = EVS_T_STRING };
		struct x_node *key = evs_x_const(b, a, &text);

		if (!key)
			return NULL;
		if (evs_array_append_bytes(&key->value, a->part[i].s, a->part[i].len) < 0)
			return evs_x_nomem(b);
		if (n->type.id != EVS_T_JSON && n->type.id != EVS_T_STRING && n->type.id != EVS_T_MAP) {
			char type[128];

			return evs_x_fail(b, a, "`%.*s` is of type %s: it has no parts",
					  (int)(a->part[from].len < 200 ? a->part[from].len : 200),
					  a->part[from].s, evs_x_type_text(&n->type, type, sizeof(type)));
		}
		n = evs_x_bind_index(b, a, n, key);
	}
	return n;
}

/* ---- logic ---------------------------------------------------------------------------------------- */

static struct x_node *logic(struct x_binder *b, const struct x_ast *a)
{
	struct x_node *n = evs_x_node(b, a->kind == X_AND ? X_ALL_OF : X_ANY_OF, a, a->n);

	if (!n)
		return NULL;
	n->type.id = EVS_T_BOOL;
	for (size_t i = 0; i < a->n; i++) {
		n->arg[i] = evs_x_truth(b, a->arg[i], evs_x_bind(b, a->arg[i]));
		if (!n->arg[i])
			return NULL;
		n->nullable |= n->arg[i]->nullable;
	}
	return evs_x_fold(b, n);
}

static int eval_not(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const uint8_t *src = in->arg[0].a->data;
	uint8_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++)
		dst[i] = !src[i];
	return 0;
}

static struct x_node *negate(struct x_binder *b, const struct x_ast *a, struct x_node *x)
{
	return x ? evs_x_fold(b, evs_x_call(b, a, eval_not, EVS_T_BOOL, &x, 1)) : NULL;
}

/* op: enum x_is. The result is never null. */
static int eval_is(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct x_vec *x = &in->arg[0];
	uint8_t *dst = evs_x_data(out);
	bool negated = in->node->num != 0;

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		bool null = evs_x_is_null(x, i), r = null;

		if (in->node->op != X_IS_NULL)
			r = !null && (x->a->data[evs_x_at(x, i)] != 0) == (in->node->op == X_IS_TRUE);
		dst[i] = r != negated;
	}
	return 0;
}

static struct x_node *bind_is(struct x_binder *b, const struct x_ast *a)
{
	struct x_node *x = evs_x_bind(b, a->arg[0]), *n;

	if (x && a->op != X_IS_NULL)
		x = evs_x_truth(b, a->arg[0], x);
	n = x ? evs_x_call(b, a, eval_is, EVS_T_BOOL, &x, 1) : NULL;
	if (!n)
		return NULL;
	n->op = a->op;
	n->num = a->negated;
	n->sees_nulls = true;
	n->nullable = false;
	return evs_x_fold(b, n);
}

static struct x_node *bind_distinct_from(struct x_binder *b, const struct x_ast *a)
{
	struct x_node *arg[2] = { evs_x_bind(b, a->arg[0]), NULL }, *n;
	struct evs_type t;

	arg[1] = arg[0] ? evs_x_bind(b, a->arg[1]) : NULL;
	if (!arg[1] || !evs_x_unify(b, a, arg, 2, &t))
		return NULL;
	n = evs_x_call(b, a, evs_x_distinct_from, EVS_T_BOOL, arg, 2);
	if (!n)
		return NULL;
	n->sees_nulls = true;
	n->nullable = false;
	n->num = a->negated;
	return evs_x_fold(b, n);
}

static struct x_node *bind_between(struct x_binder *b, const struct x_ast *a)
{
	struct x_node *x = evs_x_bind(b, a->arg[0]), *n, *lo, *hi;

	lo = x ? evs_x_bind(b, a->arg[1]) : NULL;
	hi = lo ? evs_x_bind(b, a->arg[2]) : NULL;
	n = hi ? evs_x_node(b, X_ALL_OF, a, 2) : NULL;
	if (!n)
		return NULL;
	n->type.id = EVS_T_BOOL;
	n->arg[0] = evs_x_bind_compare(b, a, X_GE, x, lo);
	n->arg[1] = n->arg[0] ? evs_x_bind_compare(b, a, X_LE, x, hi) : NULL;
	if (!n->arg[1])
		return NULL;
	n->nullable = n->arg[0]->nullable || n->arg[1]->nullable;
	n = evs_x_fold(b, n);
	return a->negated ? negate(b, a, n) : n;
}

/* CASE, in both forms: conditions and values one after the other. */
static struct x_node *bind_case(struct x_binder *b, const struct x_ast *a)
{
	struct x_node *operand = NULL, *n, **value;
	size_t at = a->has_operand ? 1 : 0, branches = (a->n - at) / 2, nvalues = branches + a->has_else;

	if (branches > MAX_BRANCHES)
		return evs_x_fail(b, a, "a CASE has at most %d branches", MAX_BRANCHES);
	if (a->has_operand && !(operand = evs_x_bind(b, a->arg[0])))
		return NULL;
	n = evs_x_node(b, X_CHOOSE, a, 2 * branches + a->has_else);
	value = evs_x_alloc(&b->e->arena, nvalues * sizeof(struct x_node *));
	if (!n || !value)
		return evs_x_nomem(b);
	for (size_t k = 0; k < branches; k++, at += 2) {
		struct x_node *cond = evs_x_bind(b, a->arg[at]);

		if (cond && operand)
			cond = evs_x_bind_compare(b, a->arg[at], X_EQ, operand, cond);
		n->arg[2 * k] = evs_x_truth(b, a->arg[at], cond);
		value[k] = n->arg[2 * k] ? evs_x_bind(b, a->arg[at + 1]) : NULL;
		if (!value[k])
			return NULL;
	}
	if (a->has_else && !(value[branches] = evs_x_bind(b, a->arg[at])))
		return NULL;
	if (!evs_x_unify(b, a, value, nvalues, &n->type))
		return NULL;
	n->nullable = !a->has_else;
	for (size_t k = 0; k < nvalues; k++) {
		n->arg[k < branches ? 2 * k + 1 : 2 * k] = value[k];
		n->nullable |= value[k]->nullable;
	}
	return evs_x_fold(b, n);
}

static struct x_node *bind_binary(struct x_binder *b, const struct x_ast *a)
{
	struct x_node *l, *r;

	if (a->op == X_CONCAT) {
		struct x_node **arg = evs_x_alloc(&b->e->arena, a->n * sizeof(struct x_node *));

		if (!arg)
			return evs_x_nomem(b);
		for (size_t i = 0; i < a->n; i++)
			if (!(arg[i] = evs_x_bind(b, a->arg[i])))
				return NULL;
		return evs_x_bind_fn(b, a, evs_x_fn_find("concat", 6), arg, a->n);
	}
	l = evs_x_bind(b, a->arg[0]);
	r = l ? evs_x_bind(b, a->arg[1]) : NULL;
	if (!r)
		return NULL;
	if (a->op >= X_EQ && a->op <= X_GE)
		return evs_x_bind_compare(b, a, (enum x_op)a->op, l, r);
	if (a->op >= X_MATCH && a->op <= X_NOT_IMATCH)
		return evs_x_bind_match(b, a, (enum x_op)a->op, l, r);
	if (a->op == X_ARROW || a->op == X_ARROW_TEXT)
		return evs_x_bind_path(b, a, l, r, a->op == X_ARROW_TEXT);
	return evs_x_bind_arith(b, a, (enum x_op)a->op, l, r);
}

static struct x_node *bind_string(struct x_binder *b, const struct x_ast *a)
{
	static const struct evs_type text = { .id = EVS_T_STRING };
	struct x_node *n = evs_x_const(b, a, &text);

	if (n && evs_array_append_bytes(&n->value, a->s, a->len) < 0)
		return evs_x_nomem(b);
	return n;
}

static struct x_node *bind_cast(struct x_binder *b, const struct x_ast *a)
{
	const struct evs_type *t = evs_x_type_named(b, a, a->s, a->len);
	struct x_node *x = t ? evs_x_bind(b, a->arg[0]) : NULL;

	return x ? evs_x_cast(b, a, x, t, X_EXPLICIT) : NULL;
}

static struct x_node *bind_interval(struct x_binder *b, const struct x_ast *a)
{
	static const struct evs_type t = { .id = (enum evs_type_id)X_T_INTERVAL };
	struct x_node *n = evs_x_const(b, a, &t);

	if (!n)
		return NULL;
	n->interval = a->interval;
	return evs_array_append_int(&n->value, 0) < 0 ? evs_x_nomem(b) : n;
}

struct x_node *evs_x_bind(struct x_binder *b, const struct x_ast *a)
{
	static const struct evs_type null = { .id = (enum evs_type_id)X_T_NULL };
	struct x_node *n, *key;

	switch (a->kind) {
	case X_NULL:
		return evs_x_const_null(b, a, &null);
	case X_BOOL:
		return evs_x_const_int(b, a, EVS_T_BOOL, a->op);
	case X_NUMBER:
		return evs_x_literal_number(b, a, NULL);
	case X_STRING:
		return bind_string(b, a);
	case X_NAME:
		return bind_name(b, a);
	case X_NEG:
		return evs_x_bind_negative(b, a);
	case X_NOT:
		return negate(b, a, evs_x_truth(b, a->arg[0], evs_x_bind(b, a->arg[0])));
	case X_AND:
	case X_OR:
		return logic(b, a);
	case X_BINARY:
		return bind_binary(b, a);
	case X_CALL:
		return evs_x_bind_call(b, a);
	case X_CASE:
		return bind_case(b, a);
	case X_CAST:
		return bind_cast(b, a);
	case X_IN:
		n = evs_x_bind_in(b, a);
		return a->negated ? negate(b, a, n) : n;
	case X_BETWEEN:
		return bind_between(b, a);
	case X_LIKE:
		n = evs_x_bind_like(b, a);
		return a->negated ? negate(b, a, n) : n;
	case X_IS:
		return bind_is(b, a);
	case X_DISTINCT_FROM:
		return bind_distinct_from(b, a);
	case X_ARRAY:
		return evs_x_bind_array(b, a);
	case X_INTERVAL:
		return bind_interval(b, a);
	case X_INDEX:
		n = evs_x_bind(b, a->arg[0]);
		key = n ? evs_x_bind(b, a->arg[1]) : NULL;
		return key ? evs_x_bind_index(b, a, n, key) : NULL;
	default:
		return evs_x_fail(b, a, "`*` stands for columns only in count(*)");
	}
}
