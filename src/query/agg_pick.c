/*
 * Aggregates that keep one of the values they see: min and max, argMin and argMax, any and anyLast.
 */
#include "src/query/agg_state.h"

static unsigned value_column(struct evs_agg *a, struct evs_type *type)
{
	type[0] = *a->arg_type[0];
	return 1;
}

static int value_save(const struct evs_agg *a, const void *state, struct evs_array *cols)
{
	return evs_agg_value_put(a, a->kind[0], state, &cols[0]);
}

static int value_finish(const struct evs_agg *a, const void *state, struct evs_array *out,
			const char **why)
{
	(void)why;
	return evs_agg_value_put(a, a->kind[0], state, out);
}

/* ---- min and max ----------------------------------------------------------------------------- */

/* Numbers of one C type; `field` is where agg_value keeps them. */
#define EXTREME(type, field)                                                                       \
	for (uint32_t k = 0; k < r->n; k++) {                                                      \
		uint32_t i = agg_row(r, k);                                                        \
		struct agg_value *g = &v[agg_gid(r, i)];                                           \
		type x;                                                                            \
                                                                                                   \
		memcpy(&x, from->data + (size_t)i * sizeof(x), sizeof(x));                         \
		if (!g->set || (max ? x > g->v.field : x < g->v.field)) {                          \
			g->v.field = x;                                                            \
			g->set = true;                                                             \
		}                                                                                  \
	}                                                                                          \
	return 0

static int extreme_any(struct evs_agg *a, const struct agg_rows *r, bool max)
{
	struct agg_value *v = agg_at(a, 0);

	for (uint32_t k = 0; k < r->n; k++) {
		uint32_t i = agg_row(r, k);
		struct agg_value *g = &v[agg_gid(r, i)];
		int c = max ? 1 : -1;

		if (g->set && evs_agg_value_compare(a, a->kind[0], r->arg[0], i, g, &c) < 0)
			return EVS_E_NOMEM;
		if ((max ? c > 0 : c < 0) && evs_agg_value_set(a, a->kind[0], r->arg[0], i, g) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static int extreme_update(struct evs_agg *a, const struct agg_rows *r)
{
	const struct evs_array *from = r->arg[0];
	struct agg_value *v = agg_at(a, 0);
	bool max = a->call->fn == EVS_AGG_MAX;

	switch ((int)a->kind[0] * 16 + (from->phys == EVS_INT ? from->width : 0)) {
	case AGG_SIGNED * 16 + 8:
		EXTREME(int64_t, i);
	case AGG_SIGNED * 16 + 4:
		EXTREME(int32_t, i);
	case AGG_SIGNED * 16 + 2:
		EXTREME(int16_t, i);
	case AGG_UNSIGNED * 16 + 4:
		EXTREME(uint32_t, u);
	case AGG_UNSIGNED * 16 + 1:
		EXTREME(uint8_t, u);
	default:
		return extreme_any(a, r, max);
	}
}

static int extreme_merge(struct evs_agg *a, void *state, const struct evs_array *cols, uint32_t row)
{
	struct agg_value *v = state;
	bool max = a->call->fn == EVS_AGG_MAX;
	int c = max ? 1 : -1;

	if (evs_array_is_null(&cols[0], row))
		return 0;
	if (v->set && evs_agg_value_compare(a, a->kind[0], &cols[0], row, v, &c) < 0)
		return EVS_E_NOMEM;
	return (max ? c > 0 : c < 0) ? evs_agg_value_set(a, a->kind[0], &cols[0], row, v) : 0;
}

const struct agg_ops evs_agg_extreme = {
	.size = sizeof(struct agg_value),
	.columns = value_column,
	.update = extreme_update,
	.save = value_save,
	.merge = extreme_merge,
	.finish = value_finish,
};

/* ---- argMin and argMax ----------------------------------------------------------------------- */

struct pair {
	struct agg_value x, y;
};

static unsigned pair_columns(struct evs_agg *a, struct evs_type *type)
{
	type[0] = *a->arg_type[0];
	type[1] = *a->arg_type[1];
	return 2;
}

/* Take row `i` when its y is better, or the same and its x greater. */
static int offer(struct evs_agg *a, struct pair *p, const struct evs_array *x,
		 const struct evs_array *y, uint32_t i)
{
	bool max = a->call->fn == EVS_AGG_ARG_MAX;
	int c = 0;

	if (p->y.set) {
		if (evs_agg_value_compare(a, a->kind[1], y, i, &p->y, &c) < 0)
			return EVS_E_NOMEM;
		if (max ? c < 0 : c > 0)
			return 0;
		if (c == 0) {
			if (evs_agg_value_compare(a, a->kind[0], x, i, &p->x, &c) < 0)
				return EVS_E_NOMEM;
			if (c <= 0)
				return 0;
		}
	}
	if (evs_agg_value_set(a, a->kind[1], y, i, &p->y) < 0)
		return EVS_E_NOMEM;
	return evs_agg_value_set(a, a->kind[0], x, i, &p->x);
}

static int pair_update(struct evs_agg *a, const struct agg_rows *r)
{
	struct pair *p = agg_at(a, 0);

	for (uint32_t k = 0; k < r->n; k++) {
		uint32_t i = agg_row(r, k);

		if (offer(a, &p[agg_gid(r, i)], r->arg[0], r->arg[1], i) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static int pair_save(const struct evs_agg *a, const void *state, struct evs_array *cols)
{
	const struct pair *p = state;

	if (evs_agg_value_put(a, a->kind[0], &p->x, &cols[0]) < 0)
		return EVS_E_NOMEM;
	return evs_agg_value_put(a, a->kind[1], &p->y, &cols[1]);
}

static int pair_merge(struct evs_agg *a, void *state, const struct evs_array *cols, uint32_t row)
{
	if (evs_array_is_null(&cols[1], row))
		return 0;
	return offer(a, state, &cols[0], &cols[1], row);
}

static int pair_finish(const struct evs_agg *a, const void *state, struct evs_array *out,
		       const char **why)
{
	(void)why;
	return evs_agg_value_put(a, a->kind[0], &((const struct pair *)state)->x, out);
}

const struct agg_ops evs_agg_arg_extreme = {
	.size = sizeof(struct pair),
	.columns = pair_columns,
	.update = pair_update,
	.save = pair_save,
	.merge = pair_merge,
	.finish = pair_finish,
};

/* ---- any and anyLast ------------------------------------------------------------------------- */

static int one_update(struct evs_agg *a, const struct agg_rows *r)
{
	bool last = a->call->fn == EVS_AGG_ANY_LAST;
	struct agg_value *v = agg_at(a, 0);

	for (uint32_t k = 0; k < r->n; k++) {
		uint32_t i = agg_row(r, k);
		struct agg_value *g = &v[agg_gid(r, i)];

		if ((last || !g->set) && evs_agg_value_set(a, a->kind[0], r->arg[0], i, g) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static int one_merge(struct evs_agg *a, void *state, const struct evs_array *cols, uint32_t row)
{
	struct agg_value *v = state;

	if (evs_array_is_null(&cols[0], row) || (v->set && a->call->fn == EVS_AGG_ANY))
		return 0;
	return evs_agg_value_set(a, a->kind[0], &cols[0], row, v);
}

const struct agg_ops evs_agg_one = {
	.size = sizeof(struct agg_value),
	.columns = value_column,
	.update = one_update,
	.save = value_save,
	.merge = one_merge,
	.finish = value_finish,
};
