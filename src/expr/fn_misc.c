/*
 * Functions that choose (if, coalesce, nullIf ...) and random UUIDs.
 */
#include "src/expr/expr_node.h"

#include <sodium.h>

/* if(c, a, b), multiIf(c, a, c, a, ..., b): CASE in another dress. */
static struct x_node *bind_if(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
			      struct x_node **arg, size_t n)
{
	struct x_node *c = evs_x_node(b, X_CHOOSE, a, n), *only, **value;
	size_t nvalues = n / 2 + 1;

	if (n % 2 == 0)
		return evs_x_fail(
			b, a,
			"%s() takes conditions and values in pairs, and a value for all other rows",
			f->name);
	value = evs_x_alloc(&b->e->arena, nvalues * sizeof(struct x_node *));
	if (!c || !value)
		return evs_x_nomem(b);
	for (size_t k = 0; k < nvalues; k++) {
		value[k] = arg[k < n / 2 ? 2 * k + 1 : 2 * k];
		if (k < n / 2 && !(c->arg[2 * k] = evs_x_truth(b, a, arg[2 * k])))
			return NULL;
	}
	only = evs_x_only_nulls(b, a, value, nvalues);
	if (only || !evs_x_unify(b, a, value, nvalues, &c->type))
		return only;
	for (size_t k = 0; k < nvalues; k++) {
		c->arg[k < n / 2 ? 2 * k + 1 : 2 * k] = value[k];
		c->nullable |= value[k]->nullable;
	}
	return evs_x_fold(b, c);
}

/* coalesce(...), ifNull(x, y): the first that is not NULL. */
static struct x_node *bind_coalesce(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				    struct x_node **arg, size_t n)
{
	struct x_node *only = evs_x_only_nulls(b, a, arg, n), *c;
	struct evs_type t;

	(void)f;
	c = only ? NULL : evs_x_node(b, X_FIRST, a, n);
	if (!c || !evs_x_unify(b, a, arg, n, &t))
		return only;
	c->type = t;
	c->nullable = true;
	for (size_t k = 0; k < n; k++) {
		c->arg[k] = arg[k];
		c->nullable = c->nullable && arg[k]->nullable;
	}
	return evs_x_fold(b, c);
}

/* nullIf(x, y): NULL where x = y. */
static struct x_node *bind_nullif(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				  struct x_node **arg, size_t n)
{
	struct x_node *c = evs_x_node(b, X_CHOOSE, a, 3);

	(void)f;
	(void)n;
	if (!c)
		return NULL;
	if ((int)arg[0]->type.id == X_T_NULL)
		return arg[0];
	if ((int)arg[0]->type.id == X_T_INTERVAL)
		return evs_x_fail(b, a, "an interval has no place here");
	c->arg[0] = evs_x_bind_compare(b, a, X_EQ, arg[0], arg[1]);
	c->arg[1] = evs_x_const_null(b, a, &arg[0]->type);
	c->arg[2] = arg[0];
	if (!c->arg[0] || !c->arg[1])
		return NULL;
	c->type = arg[0]->type;
	c->nullable = true;
	return evs_x_fold(b, c);
}

/* Version 4, from the system's randomness by way of libsodium: one draw for the chunk. */
static int eval_uuid(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	uint8_t *p = evs_x_data(out);

	(void)v;
	randombytes_buf(p, (size_t)in->rows * 16);
	for (uint32_t i = 0; i < in->rows; i++, p += 16) {
		p[6] = (uint8_t)((p[6] & 0x0f) | 0x40);
		p[8] = (uint8_t)((p[8] & 0x3f) | 0x80);
	}
	return 0;
}

static struct x_node *bind_uuid(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				struct x_node **arg, size_t n)
{
	struct x_node *c = evs_x_call(b, a, eval_uuid, EVS_T_UUID, arg, n);

	(void)f;
	if (c)
		c->volatile_rows = true;
	return c;
}

const struct x_fn evs_x_fns_misc[] = {
	{ "if", "xxx>x", NULL, bind_if, 0, 0, 0 },
	{ "iif", "xxx>x", NULL, bind_if, 0, 0, 0 },
	{ "multiif", "xxx*>x", NULL, bind_if, 0, 0, 0 },
	{ "coalesce", "x*>x", NULL, bind_coalesce, 0, 0, 0 },
	{ "ifnull", "xx>x", NULL, bind_coalesce, 0, 0, 0 },
	{ "nvl", "xx>x", NULL, bind_coalesce, 0, 0, 0 },
	{ "nullif", "xx>x", NULL, bind_nullif, 0, 0, 0 },
	{ "generateuuidv4", ">U", NULL, bind_uuid, 0, 0, 0 },
	{ "gen_random_uuid", ">U", NULL, bind_uuid, 0, 0, 0 },
	{ "uuid_generate_v4", ">U", NULL, bind_uuid, 0, 0, 0 },
	{ NULL, NULL, NULL, NULL, 0, 0, 0 },
};
