/*
 * Binding: a parsed tree becomes a checked one. Here are logic, CASE, IS and the way to
 * everything else: names, operators, conversions and functions have files of their own.
 */
#include "src/expr/expr_node.h"

#define MAX_BRANCHES 60000 /* of a CASE */

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

int evs_x_not(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
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
	return x ? evs_x_fold(b, evs_x_call(b, a, evs_x_not, EVS_T_BOOL, &x, 1)) : NULL;
}

/* The result is never null. */
int evs_x_is(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct x_vec *x = &in->arg[0];
	uint8_t *dst = evs_x_data(out);
	bool negated = in->node->num != 0;

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		bool null = evs_x_is_null(x, i), r = null;

		if (in->node->op != X_IS_NULL)
			r = !null &&
			    (x->a->data[evs_x_at(x, i)] != 0) == (in->node->op == X_IS_TRUE);
		dst[i] = r != negated;
	}
	return 0;
}

static struct x_node *bind_is(struct x_binder *b, const struct x_ast *a)
{
	struct x_node *x = evs_x_bind(b, a->arg[0]), *n;

	if (x && a->op != X_IS_NULL)
		x = evs_x_truth(b, a->arg[0], x);
	n = x ? evs_x_call(b, a, evs_x_is, EVS_T_BOOL, &x, 1) : NULL;
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
	struct x_node *operand = NULL, *n, *only, **value;
	size_t at = a->has_operand ? 1 : 0, branches = (a->n - at) / 2,
	       nvalues = branches + a->has_else;

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
	only = evs_x_only_nulls(b, a, value, nvalues);
	if (only || !evs_x_unify(b, a, value, nvalues, &n->type))
		return only;
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
		return evs_x_bind_name(b, a);
	case X_SLOT:
		return evs_x_bind_column(b, a, a->slot);
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
