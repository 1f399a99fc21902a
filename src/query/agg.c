/*
 * The table of aggregates, and what all of them have in common: memory for states, the rows that
 * count, states as columns. See agg.h.
 */
#include "src/query/agg_state.h"

#include "src/diag.h"

#include <stdlib.h>

static const struct evs_type int64_type = { .id = EVS_T_INT64 };

/* By enum evs_agg_fn; some depend on the argument's type. */
static const struct agg_ops *ops_of(const struct evs_agg_call *c, const struct evs_type *arg)
{
	bool real = arg && arg->id == EVS_T_FLOAT64;

	switch (c->fn) {
	case EVS_AGG_SUM:
		return real ? &evs_agg_sum_float : &evs_agg_sum_int;
	case EVS_AGG_AVG:
		return real ? &evs_agg_avg_float : &evs_agg_avg_int;
	case EVS_AGG_MIN:
	case EVS_AGG_MAX:
		return &evs_agg_extreme;
	case EVS_AGG_ARG_MIN:
	case EVS_AGG_ARG_MAX:
		return &evs_agg_arg_extreme;
	case EVS_AGG_ANY:
	case EVS_AGG_ANY_LAST:
		return &evs_agg_one;
	case EVS_AGG_UNIQ:
		return &evs_agg_uniq;
	case EVS_AGG_QUANTILE:
	case EVS_AGG_QUANTILES:
		return &evs_agg_quantile;
	case EVS_AGG_VAR_POP:
	case EVS_AGG_VAR_SAMP:
	case EVS_AGG_STDDEV_POP:
	case EVS_AGG_STDDEV_SAMP:
		return &evs_agg_variance;
	case EVS_AGG_GROUP_ARRAY:
		return &evs_agg_array;
	case EVS_AGG_STRING_AGG:
		return &evs_agg_text;
	default: /* EVS_AGG_COUNT; EVS_AGG_UNIQ_EXACT: of what grouping.c found to be different */
		return &evs_agg_count;
	}
}

int evs_agg_new(struct evs_agg **out, const struct evs_agg_call *call)
{
	struct evs_agg *a = calloc(1, sizeof(*a));

	if (!a)
		return EVS_E_NOMEM;
	a->call = call;
	for (size_t i = 0; i < call->narg && i < 2; i++) {
		struct evs_array shape;

		a->arg_type[i] = evs_expr_type(call->arg[i], NULL);
		if (evs_type_array(a->arg_type[i], &shape) < 0) {
			free(a);
			return EVS_E_NOMEM;
		}
		a->kind[i] = evs_agg_kind(a->arg_type[i], &shape);
		evs_array_release(&shape);
	}
	a->ops = ops_of(call, a->arg_type[0]);
	a->ncols = a->ops->columns(a, a->col);
	*out = a;
	return 0;
}

void evs_agg_reset(struct evs_agg *a)
{
	for (uint32_t g = 0; a->ops->drop && g < a->groups; g++)
		a->ops->drop(a, agg_at(a, g));
	evs_buf_reset(&a->pool);
	a->groups = 0;
	a->heap = 0;
}

void evs_agg_clear(struct evs_agg *a)
{
	evs_agg_reset(a);
	free(a->state);
	evs_buf_release(&a->pool);
	a->state = NULL;
	a->cap = 0;
}

void evs_agg_free(struct evs_agg *a)
{
	if (!a)
		return;
	evs_agg_clear(a);
	free(a->sel);
	free(a);
}

int evs_agg_groups(struct evs_agg *a, uint32_t n)
{
	uint8_t *state;
	size_t cap;

	if (n > a->cap) {
		cap = a->cap + (a->cap >> 1) + 16;
		cap = n > cap ? n : cap;
		state = realloc(a->state, cap * a->ops->size);
		if (!state)
			return EVS_E_NOMEM;
		a->state = state;
		a->cap = (uint32_t)cap;
	}
	if (n > a->groups) {
		memset(agg_at(a, a->groups), 0, (size_t)(n - a->groups) * a->ops->size);
		a->groups = n;
	}
	return 0;
}

size_t evs_agg_memory(const struct evs_agg *a)
{
	return (size_t)a->groups * a->ops->size + a->heap + a->pool.len;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Number the rows that count: where the filter is true and no argument is null. NULL when all do.
 */
static int select_rows(struct evs_agg *a, struct agg_rows *r, const struct evs_array *keep)
{
	uint32_t rows = r->n, n = 0;
	bool some = keep != NULL;

	for (size_t k = 0; k < a->call->narg && !a->ops->sees_nulls; k++)
		some |= r->arg[k]->valid != NULL;
	if (!some)
		return 0;
	if (keep && !a->call->narg && a->ops->takes_keep) {
		r->keep = keep->data;
		return 0;
	}
	if (a->sel_cap < rows) {
		uint32_t *sel = realloc(a->sel, rows * sizeof(*sel));

		if (!sel)
			return EVS_E_NOMEM;
		a->sel = sel;
		a->sel_cap = rows;
	}
	if (keep) { /* the slot of a null row is zero */
		for (uint32_t i = 0; i < rows; i++) {
			a->sel[n] = i;
			n += keep->data[i];
		}
	} else {
		for (; n < rows; n++)
			a->sel[n] = n;
	}
	for (size_t k = 0; k < a->call->narg && !a->ops->sees_nulls; k++) {
		const uint8_t *valid = r->arg[k]->valid;
		uint32_t m = 0;

		for (uint32_t i = 0; valid && i < n; i++) {
			uint32_t row = a->sel[i];

			a->sel[m] = row;
			m += valid[row >> 3] >> (row & 7) & 1;
		}
		n = valid ? m : n;
	}
	r->sel = a->sel;
	r->n = n;
	return 0;
}

int evs_agg_update(struct evs_agg *a, const struct evs_array *const *arg,
		   const struct evs_array *keep, const uint32_t *gid, uint32_t rows)
{
	struct agg_rows r = { .arg = arg, .gid = gid, .n = rows };

	if (select_rows(a, &r, keep) < 0)
		return EVS_E_NOMEM;
	return r.n ? a->ops->update(a, &r) : 0;
}

bool evs_agg_counts_rows(const struct evs_agg *a)
{
	return a->call->fn == EVS_AGG_COUNT && !a->call->narg && !a->call->filter;
}

void evs_agg_add_rows(struct evs_agg *a, uint32_t id, uint32_t n)
{
	*(int64_t *)agg_at(a, id) += n;
}

/* ---- states as columns ----------------------------------------------------------------------- */

unsigned evs_agg_columns(const struct evs_agg *a)
{
	return a->ncols;
}

const struct evs_type *evs_agg_column_type(const struct evs_agg *a, unsigned i)
{
	return &a->col[i];
}

int evs_agg_column(const struct evs_agg *a, unsigned i, struct evs_array *out)
{
	return evs_type_array(&a->col[i], out);
}

int evs_agg_save(const struct evs_agg *a, const uint32_t *id, uint32_t n, struct evs_array *cols)
{
	for (uint32_t i = 0; i < n; i++)
		if (a->ops->save(a, agg_at(a, id[i]), cols) < 0)
			return EVS_E_NOMEM;
	return 0;
}

int evs_agg_merge(struct evs_agg *a, const struct evs_array *cols, const uint32_t *gid,
		  uint32_t rows)
{
	int rc = 0;

	for (uint32_t i = 0; i < rows && rc == 0; i++)
		rc = a->ops->merge(a, agg_at(a, gid[i]), cols, i);
	return rc;
}

int evs_agg_finish(const struct evs_agg *a, uint32_t from, uint32_t n, struct evs_array *out,
		   struct evs_diag *diag)
{
	for (uint32_t i = 0; i < n; i++) {
		const char *why = "no value";
		int rc = a->ops->finish(a, agg_at(a, from + i), out, &why);

		if (rc == EVS_E_DATA) {
			rc = evs_fail_at(diag, rc, a->call->line, a->call->col, "%s", why);
			evs_fail_word(diag, a->call->word, a->call->word_len);
			return rc;
		}
		if (rc < 0)
			return evs_fail_nomem(diag);
	}
	return 0;
}

/* ---- count ----------------------------------------------------------------------------------- */

static unsigned count_columns(struct evs_agg *a, struct evs_type *type)
{
	(void)a;
	type[0] = int64_type;
	return 1;
}

static int count_update(struct evs_agg *a, const struct agg_rows *r)
{
	int64_t *n = agg_at(a, 0);

	if (r->keep)
		for (uint32_t i = 0; i < r->n; i++)
			n[agg_gid(r, i)] += r->keep[i];
	else if (!r->gid)
		n[0] += r->n;
	else if (!r->sel)
		for (uint32_t i = 0; i < r->n; i++)
			n[r->gid[i]]++;
	else
		for (uint32_t i = 0; i < r->n; i++)
			n[r->gid[r->sel[i]]]++;
	return 0;
}

static int count_save(const struct evs_agg *a, const void *state, struct evs_array *cols)
{
	(void)a;
	return evs_array_append_int(&cols[0], *(const uint64_t *)state);
}

static int count_merge(struct evs_agg *a, void *state, const struct evs_array *cols, uint32_t row)
{
	(void)a;
	*(uint64_t *)state += evs_array_int(&cols[0], row);
	return 0;
}

static int count_finish(const struct evs_agg *a, const void *state, struct evs_array *out,
			const char **why)
{
	(void)a;
	(void)why;
	return evs_array_append_int(out, *(const uint64_t *)state);
}

const struct agg_ops evs_agg_count = {
	.size = sizeof(int64_t),
	.takes_keep = true,
	.columns = count_columns,
	.update = count_update,
	.save = count_save,
	.merge = count_merge,
	.finish = count_finish,
};
