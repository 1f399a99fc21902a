/*
 * x IN (list). A list of constants becomes a sorted set of x's own type where each of them is
 * exactly a value of it or none at all; any other list is x = a OR x = b OR ...
 */
#include "src/expr/expr_node.h"

#include <stdlib.h>
#include <string.h>

struct in_set {
	struct evs_array items;
	uint32_t *order; /* of items, ascending, for all but integers */
	int64_t *ints;	 /* ascending, for integers */
	uint32_t n;
	bool has_null;
};

static void set_free(void *p)
{
	struct in_set *s = p;

	if (!s)
		return;
	evs_array_release(&s->items);
	free(s->order);
	free(s->ints);
	free(s);
}

static bool has_int(const struct in_set *s, int64_t v)
{
	uint32_t lo = 0, hi = s->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->ints[mid] < v)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n && s->ints[lo] == v;
}

static bool has_value(const struct in_set *s, const struct evs_array *a, uint32_t row)
{
	uint32_t lo = 0, hi = s->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = evs_array_compare(&s->items, s->order[mid], a, row);

		if (c == 0)
			return true;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static int eval_in(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct in_set *s = in->node->aux;
	const struct x_vec *x = &in->arg[0];
	uint8_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		uint32_t at = evs_x_at(x, i);

		dst[i] = s->ints ? has_int(s, (int64_t)evs_array_int(x->a, at))
				 : has_value(s, x->a, at);
		if (!dst[i] && s->has_null && evs_x_null(out, i) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static int compare_ints(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Heap sort by value: qsort() has no place for the array. */
static void sort_order(const struct evs_array *a, uint32_t *order, uint32_t n)
{
	for (uint32_t end = n, start = n / 2; end > 1;) {
		uint32_t root, child, hold;

		if (start > 0) {
			hold = order[--start];
		} else {
			hold = order[--end];
			order[end] = order[0];
			if (end == 0)
				break;
		}
		root = start;
		while ((child = 2 * root + 1) < end) {
			if (child + 1 < end &&
			    evs_array_compare(a, order[child], a, order[child + 1]) < 0)
				child++;
			if (evs_array_compare(a, hold, a, order[child]) >= 0)
				break;
			order[root] = order[child];
			root = child;
		}
		order[root] = hold;
	}
}

static bool set_finish(struct in_set *s)
{
	size_t n = s->items.rows ? s->items.rows : 1;

	s->n = s->items.rows;
	if (s->items.phys == EVS_INT) {
		s->ints = malloc(n * sizeof(*s->ints));
		if (!s->ints)
			return false;
		for (uint32_t i = 0; i < s->n; i++)
			s->ints[i] = (int64_t)evs_array_int(&s->items, i);
		qsort(s->ints, s->n, sizeof(*s->ints), compare_ints);
		return true;
	}
	s->order = malloc(n * sizeof(*s->order));
	if (!s->order)
		return false;
	for (uint32_t i = 0; i < s->n; i++)
		s->order[i] = i;
	sort_order(&s->items, s->order, s->n);
	return true;
}

/* Can a constant of type `c` be told to be in a set of type `t` or not, exactly? */
static bool fits_set(const struct evs_type *t, const struct x_node *c)
{
	if (evs_x_is_const_null(c))
		return true;
	switch (t->id) {
	case EVS_T_STRING:
	case EVS_T_UUID:
	case EVS_T_IPV4:
	case EVS_T_IPV6:
	case EVS_T_ENUM:
		return c->type.id == EVS_T_STRING;
	default:
		return evs_x_is_int(t) && evs_x_is_int(&c->type);
	}
}

/* The constant as a value of the set's type; *out is NULL when no value of the type equals it. */
static bool to_set(struct x_binder *b, const struct x_ast *a, const struct evs_type *t,
		   struct x_node *c, struct x_node **out)
{
	uint8_t uuid[16];

	*out = NULL;
	if (t->id == EVS_T_UUID) {
		size_t len;
		const char *s = (const char *)evs_array_bytes(&c->value, 0, &len);

		if (!evs_x_uuid_parse(s, len, uuid))
			return true;
	}
	if (evs_x_is_int(t)) {
		x_i128 v = evs_x_is_unsigned(&c->type)
				   ? (x_i128)evs_array_int(&c->value, 0)
				   : (x_i128)(int64_t)evs_array_int(&c->value, 0);
		bool is_u = evs_x_is_unsigned(t);
		unsigned bits = 8u << (is_u ? t->id - EVS_T_UINT8 : t->id - EVS_T_INT8);
		x_i128 lo = is_u ? 0 : -((x_i128)1 << (bits - 1)),
		       hi = (x_i128)1 << (is_u ? bits : bits - 1);

		if (v < lo || v >= hi)
			return true;
	}
	*out = evs_x_cast(b, a, c, t, X_IMPLICIT);
	return *out != NULL;
}

static struct x_node *as_set(struct x_binder *b, const struct x_ast *a, struct x_node **arg)
{
	struct in_set *s = calloc(1, sizeof(*s));
	struct x_node *n = s ? evs_x_call(b, a, eval_in, EVS_T_BOOL, arg, 1) : NULL;

	if (!n) {
		free(s);
		return evs_x_nomem(b);
	}
	n->aux = s;
	n->aux_free = set_free;
	if (evs_type_array(&arg[0]->type, &s->items) < 0)
		return evs_x_nomem(b);
	for (size_t i = 1; i < a->n; i++) {
		struct x_node *c;

		if (evs_x_is_const_null(arg[i])) {
			s->has_null = true;
			continue;
		}
		if (!to_set(b, a, &arg[0]->type, arg[i], &c))
			return NULL;
		if (c && evs_array_append_range(&s->items, &c->value, 0, 1) < 0)
			return evs_x_nomem(b);
	}
	n->nullable |= s->has_null;
	return set_finish(s) ? evs_x_fold(b, n) : evs_x_nomem(b);
}

const struct evs_array *evs_x_in_items(const struct x_node *n, bool *has_null)
{
	const struct in_set *s = n->eval == eval_in ? n->aux : NULL;

	if (!s)
		return NULL;
	*has_null = s->has_null;
	return &s->items;
}

struct x_node *evs_x_bind_in(struct x_binder *b, const struct x_ast *a)
{
	struct x_node **arg = evs_x_alloc(&b->e->arena, a->n * sizeof(struct x_node *)), *n;
	bool set = true;

	if (!arg)
		return evs_x_nomem(b);
	for (size_t i = 0; i < a->n; i++) {
		arg[i] = evs_x_bind(b, a->arg[i]);
		if (!arg[i])
			return NULL;
		if (i)
			set = set && evs_x_is_const(arg[i]) && fits_set(&arg[0]->type, arg[i]);
	}
	if (set)
		return as_set(b, a, arg);
	n = evs_x_node(b, X_ANY_OF, a, a->n - 1);
	if (!n)
		return NULL;
	n->type.id = EVS_T_BOOL;
	for (size_t i = 1; i < a->n; i++) {
		n->arg[i - 1] = evs_x_bind_compare(b, a->arg[i], X_EQ, arg[0], arg[i]);
		if (!n->arg[i - 1])
			return NULL;
		n->nullable |= n->arg[i - 1]->nullable;
	}
	return evs_x_fold(b, n);
}
