/*
 * Arrays and maps: literals, elements, search, counting, and the conversion of arrays element by
 * element.
 */
#include "src/expr/expr_node.h"

#include <string.h>

/* A type of one element, or two for a map, in the expression's memory. */
static bool list_type(struct x_binder *b, struct evs_type *out, enum evs_type_id id,
		      const struct evs_type *elem, bool nullable)
{
	struct evs_type *e = evs_x_alloc(&b->e->arena, sizeof(*e));

	if (!e)
		return evs_x_nomem(b) != NULL;
	*e = *elem;
	e->nullable = nullable;
	*out = (struct evs_type){ .id = id };
	out->elem[id == EVS_T_MAP] = e;
	return true;
}

static int eval_make(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	struct evs_array *a = &out->slot->a;

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		for (size_t k = 0; k < in->n; k++)
			if (evs_array_append_range(&a->child[0], in->arg[k].a,
						   evs_x_at(&in->arg[k], i), 1) < 0)
				return EVS_E_NOMEM;
		if (evs_array_close_row(a) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static struct x_node *make_array(struct x_binder *b, const struct x_ast *a, struct x_node **arg,
				 size_t n)
{
	struct evs_type elem;
	struct x_node *c;
	bool nullable = false;

	if (!evs_x_unify(b, a, arg, n, &elem))
		return NULL;
	for (size_t i = 0; i < n; i++)
		nullable |= arg[i]->nullable;
	c = evs_x_call(b, a, eval_make, EVS_T_ARRAY, arg, n);
	if (!c || !list_type(b, &c->type, EVS_T_ARRAY, &elem, nullable))
		return NULL;
	c->nullable = false;
	c->sees_nulls = true;
	return evs_x_fold(b, c);
}

struct x_node *evs_x_bind_array(struct x_binder *b, const struct x_ast *a)
{
	struct x_node **arg =
		evs_x_alloc(&b->e->arena, (a->n ? a->n : 1) * sizeof(struct x_node *));

	if (!arg)
		return evs_x_nomem(b);
	for (size_t i = 0; i < a->n; i++)
		if (!(arg[i] = evs_x_bind(b, a->arg[i])))
			return NULL;
	return make_array(b, a, arg, a->n);
}

static struct x_node *bind_array_fn(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				    struct x_node **arg, size_t n)
{
	(void)f;
	return make_array(b, a, arg, n);
}

/* map(k, v, k, v ...): the arguments are keys, then values. */
static int eval_map(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	struct evs_array *a = &out->slot->a;
	size_t pairs = in->n / 2;

	for (uint32_t i = 0; i < in->rows; i++) {
		bool null_key = false;
		int rc = 0;

		for (size_t k = 0; k < pairs; k++)
			null_key |= evs_x_is_null(&in->arg[k], i);
		for (size_t k = 0; rc == 0 && !null_key && k < in->n; k++)
			rc = evs_array_append_range(&a->child[k >= pairs], in->arg[k].a,
						    evs_x_at(&in->arg[k], i), 1);
		if (rc == 0)
			rc = null_key ? evs_x_append_bad(v, in, out, i, "a key of a map is NULL")
				      : evs_array_close_row(a);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static struct x_node *bind_map(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
			       struct x_node **arg, size_t n)
{
	static struct evs_type text = { .id = EVS_T_STRING };
	struct x_node **sorted = evs_x_alloc(&b->e->arena, (n ? n : 1) * sizeof(struct x_node *)),
		      *c;
	struct evs_type value;
	bool nullable = false;

	(void)f;
	if (!sorted)
		return evs_x_nomem(b);
	if (n % 2)
		return evs_x_fail(b, a, "map() takes keys and values in pairs");
	for (size_t i = 0; i < n / 2; i++) {
		sorted[i] = evs_x_cast(b, a, arg[2 * i], &text, X_EXPLICIT);
		sorted[n / 2 + i] = arg[2 * i + 1];
		if (!sorted[i])
			return NULL;
		nullable |= arg[2 * i + 1]->nullable;
	}
	if (!evs_x_unify(b, a, sorted + n / 2, n / 2, &value))
		return NULL;
	c = evs_x_call(b, a, eval_map, EVS_T_MAP, sorted, n);
	if (!c || !list_type(b, &c->type, EVS_T_MAP, &value, nullable))
		return NULL;
	c->type.elem[0] = &text;
	c->nullable = false;
	c->sees_nulls = true;
	return evs_x_fold(b, c);
}

/* ---- elements
 * ------------------------------------------------------------------------------------- */

/* Copy row `at` of `from` to the next or the i-th row of the result; at < 0: null. */
static int put_row(struct x_vec *out, uint32_t i, const struct evs_array *from, int64_t at)
{
	struct evs_array *a = &out->slot->a;
	bool null = at < 0 || evs_array_is_null(from, (uint32_t)at);

	if (!evs_x_is_fixed(a))
		return null ? evs_array_append_null(a)
			    : evs_array_append_range(a, from, (uint32_t)at, 1);
	if (null) {
		memset(a->data + (size_t)i * a->width, 0, a->width);
		return evs_x_null(out, i);
	}
	memcpy(a->data + (size_t)i * a->width, from->data + (size_t)at * from->width, a->width);
	return 0;
}

/* array[k]: from 1, negative from the end; NULL beyond. */
static int eval_element(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_array *a = in->arg[0].a;

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		int64_t at = -1, k = evs_x_i64(&in->arg[1], i);
		uint32_t row = evs_x_at(&in->arg[0], i);

		if (!evs_x_any_null(in, i)) {
			int64_t lo = a->offs[row], n = a->offs[row + 1] - lo;

			if (k > 0 && k <= n)
				at = lo + k - 1;
			else if (k < 0 && k >= -n)
				at = lo + n + k;
		}
		if (put_row(out, i, &a->child[0], at) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* Place of a key among the keys of a map's row, or -1. */
static int64_t find_key(const struct evs_array *map, uint32_t row, const char *key, size_t klen)
{
	for (int32_t k = map->offs[row]; k < map->offs[row + 1]; k++) {
		size_t n;
		const uint8_t *s = evs_array_bytes(&map->child[0], (uint32_t)k, &n);

		if (n == klen && !memcmp(s, key, n))
			return k;
	}
	return -1;
}

/* map[key]; op 1: mapContains(map, key) */
static int eval_map_get(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		int64_t at = -1;
		size_t n;
		const char *key = evs_x_text(&in->arg[1], i, &n);

		if (!evs_x_any_null(in, i))
			at = find_key(in->arg[0].a, evs_x_at(&in->arg[0], i), key, n);
		if (in->node->op)
			((uint8_t *)evs_x_data(out))[i] = at >= 0;
		else if (put_row(out, i, &in->arg[0].a->child[1], at) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static struct x_node *map_get(struct x_binder *b, const struct x_ast *a, struct x_node *map,
			      struct x_node *key, bool contains)
{
	struct x_node *arg[2] = { map, evs_x_cast_id(b, a, key, EVS_T_STRING, X_IMPLICIT) }, *n;

	n = arg[1] ? evs_x_call(b, a, eval_map_get, EVS_T_BOOL, arg, 2) : NULL;
	if (!n)
		return NULL;
	n->op = contains;
	if (!contains) {
		n->type = *map->type.elem[1];
		n->type.nullable = false;
		n->nullable = true;
	}
	return evs_x_fold(b, n);
}

struct x_node *evs_x_bind_index(struct x_binder *b, const struct x_ast *a, struct x_node *base,
				struct x_node *key)
{
	struct x_node *arg[2] = { base, NULL }, *n;
	char type[128];

	if (base->type.id == EVS_T_JSON || base->type.id == EVS_T_STRING)
		return evs_x_bind_path(b, a, base, key, false);
	if (base->type.id == EVS_T_MAP)
		return map_get(b, a, base, key, false);
	if (base->type.id != EVS_T_ARRAY)
		return evs_x_fail(b, a, "[ ] takes an array, a map or JSON, and this is %s",
				  evs_x_type_text(&base->type, type, sizeof(type)));
	if (!evs_x_is_int(&key->type) && !evs_x_is_const_null(key))
		return evs_x_fail(b, a, "an array's elements are numbered from 1");
	arg[1] = evs_x_cast_id(b, a, key, EVS_T_INT64, X_IMPLICIT);
	n = arg[1] ? evs_x_call(b, a, eval_element, base->type.elem[0]->id, arg, 2) : NULL;
	if (!n)
		return NULL;
	n->type = *base->type.elem[0];
	n->type.nullable = false;
	n->nullable = true;
	return evs_x_fold(b, n);
}

static struct x_node *bind_element_fn(struct x_binder *b, const struct x_ast *a,
				      const struct x_fn *f, struct x_node **arg, size_t n)
{
	(void)f;
	(void)n;
	return evs_x_bind_index(b, a, arg[0], arg[1]);
}

/* ---- has, counting, keys
 * -------------------------------------------------------------------------- */

static int eval_has(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_array *a = in->arg[0].a;
	uint8_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		uint32_t row = evs_x_at(&in->arg[0], i), at = evs_x_at(&in->arg[1], i);

		dst[i] = 0;
		for (int32_t k = a->offs[row]; !dst[i] && k < a->offs[row + 1]; k++)
			dst[i] =
				evs_array_compare(&a->child[0], (uint32_t)k, in->arg[1].a, at) == 0;
	}
	return 0;
}

static struct x_node *bind_has(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
			       struct x_node **arg, size_t n)
{
	struct x_node *pair[2];
	struct evs_type elem, list;

	(void)n;
	if (arg[0]->type.id == EVS_T_MAP)
		return map_get(b, a, arg[0], arg[1], true);
	if (arg[0]->type.id != EVS_T_ARRAY)
		return evs_x_fail(b, a, "%s() wants an array", f->name);
	if (arg[1]->type.id == EVS_T_STRING && evs_x_is_const(arg[1])) {
		struct evs_type plain = *arg[0]->type.elem[0];

		plain.nullable = false;
		arg[1] = evs_x_cast(b, a, arg[1], &plain,
				    X_IMPLICIT); /* 'FAILED' in an Array(Enum) */
		if (!arg[1])
			return NULL;
	}
	pair[0] = evs_x_node(b, X_COLUMN, a, 0); /* stands for the elements */
	pair[1] = arg[1];
	if (!pair[0])
		return NULL;
	pair[0]->type = *arg[0]->type.elem[0];
	pair[0]->type.nullable = false;
	if (!evs_x_unify(b, a, pair, 2, &elem) ||
	    !list_type(b, &list, EVS_T_ARRAY, &elem, arg[0]->type.elem[0]->nullable))
		return NULL;
	pair[0] = evs_x_cast(b, a, arg[0], &list, X_IMPLICIT);
	return pair[0] ? evs_x_fold(b, evs_x_call(b, a, eval_has, EVS_T_BOOL, pair, 2)) : NULL;
}

static int eval_count(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	int64_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		uint32_t at = evs_x_at(&in->arg[0], i);

		dst[i] = in->arg[0].a->offs[at + 1] - in->arg[0].a->offs[at];
	}
	return 0;
}

struct x_node *evs_x_bind_count(struct x_binder *b, const struct x_ast *a, struct x_node *list)
{
	return evs_x_fold(b, evs_x_call(b, a, eval_count, EVS_T_INT64, &list, 1));
}

/* array_length(a [, 1]), cardinality(a) */
static struct x_node *bind_array_length(struct x_binder *b, const struct x_ast *a,
					const struct x_fn *f, struct x_node **arg, size_t n)
{
	if (n == 2 && !(evs_x_is_const(arg[1]) && arg[1]->type.id == EVS_T_INT64 &&
			evs_array_int(&arg[1]->value, 0) == 1))
		return evs_x_fail(b, a, "%s() knows one dimension", f->name);
	if (arg[0]->type.id != EVS_T_ARRAY && arg[0]->type.id != EVS_T_MAP)
		return evs_x_fail(b, a, "%s() wants an array", f->name);
	return evs_x_bind_count(b, a, arg[0]);
}

/* mapKeys(m), mapValues(m): op is the child. */
static int eval_map_side(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_array *m = in->arg[0].a;
	struct evs_array *a = &out->slot->a;

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		uint32_t at = evs_x_at(&in->arg[0], i);
		int rc;

		if (evs_x_any_null(in, i)) {
			rc = evs_array_append_null(a);
		} else {
			rc = evs_array_append_range(&a->child[0], &m->child[in->node->op],
						    (uint32_t)m->offs[at],
						    (uint32_t)(m->offs[at + 1] - m->offs[at]));
			if (rc == 0)
				rc = evs_array_close_row(a);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

static struct x_node *bind_map_side(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				    struct x_node **arg, size_t n)
{
	struct x_node *c;

	(void)n;
	if (arg[0]->type.id != EVS_T_MAP)
		return evs_x_fail(b, a, "%s() wants a map", f->name);
	c = evs_x_call(b, a, eval_map_side, EVS_T_ARRAY, arg, 1);
	if (!c || !list_type(b, &c->type, EVS_T_ARRAY, arg[0]->type.elem[f->op],
			     arg[0]->type.elem[f->op]->nullable))
		return NULL;
	c->op = f->op;
	return evs_x_fold(b, c);
}

/* ---- conversion of arrays
 * ------------------------------------------------------------------------- */

/* Elements of the chunk's rows, converted; the result's children are those of the present rows
 * one after the other. */
int evs_x_cast_array(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct x_node *elem = in->node->aux;
	const struct evs_array *a = in->arg[0].a;
	uint32_t first = evs_x_at(&in->arg[0], 0), last = evs_x_at(&in->arg[0], in->rows - 1);
	int32_t lo = a->offs[first], hi = a->offs[last + 1];
	struct x_slot *src = evs_x_slot_get(v, elem ? &elem->arg[0]->type : in->node->type.elem[0]);
	struct x_vec from = { 0 }, to = { 0 };
	int rc = src ? evs_array_append_range(&src->a, &a->child[0], (uint32_t)lo,
					      (uint32_t)(hi - lo))
		     : EVS_E_NOMEM;

	if (rc == 0) {
		from.a = &src->a;
		rc = elem ? evs_x_apply(v, elem, &from, (uint32_t)(hi - lo), &to) : 0;
	}
	for (uint32_t i = 0; rc == 0 && i < in->rows; i++) {
		uint32_t at = evs_x_at(&in->arg[0], i);
		uint32_t k = (uint32_t)(a->offs[at] - lo),
			 n = (uint32_t)(a->offs[at + 1] - a->offs[at]);
		bool failed = false;

		for (uint32_t e = k; to.bad && e < k + n; e++)
			failed |= to.bad->a.data[e] != 0;
		if (failed) {
			rc = evs_x_append_bad(v, in, out, i, to.why);
		} else if (evs_x_any_null(in, i)) {
			rc = evs_array_append_null(&out->slot->a);
		} else {
			rc = evs_array_append_range(&out->slot->a.child[0], elem ? to.a : from.a, k,
						    n);
			if (rc == 0)
				rc = evs_array_close_row(&out->slot->a);
		}
	}
	evs_x_vec_release(v, &to);
	evs_x_slot_put(v, src);
	return rc;
}

const struct x_fn evs_x_fns_array[] = {
	{ "array", "?x*>x", NULL, bind_array_fn, 0, 0, 0 },
	{ "map", "?x*>x", NULL, bind_map, 0, 0, 0 },
	{ "has", "xx>b", NULL, bind_has, 0, 0, 0 },
	{ "mapcontains", "xx>b", NULL, bind_has, 0, 0, 0 },
	{ "arrayelement", "xx>x", NULL, bind_element_fn, 0, 0, 0 },
	{ "arraylength", "x>i", NULL, bind_array_length, 0, 0, 0 },
	{ "array_length", "x?x>i", NULL, bind_array_length, 0, 0, 0 },
	{ "cardinality", "x>i", NULL, bind_array_length, 0, 0, 0 },
	{ "mapkeys", "x>x", NULL, bind_map_side, 0, 0, 0 },
	{ "mapvalues", "x>x", NULL, bind_map_side, 0, 1, 0 },
	{ NULL, NULL, NULL, NULL, 0, 0, 0 },
};
