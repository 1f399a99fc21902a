/*
 * Rollups for the writer: rows of an append to groups and states of every view. See src/rollup.h.
 */
#include "src/rollup.h"

#include "src/expr/expr.h"
#include "src/query/agg.h"
#include "src/query/groups.h"
#include "src/query/query.h"
#include "src/query/view.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY	  ((size_t)2 << 20) /* groups and states of a view; a larger one is not kept */
#define LEAST	  64u		    /* rows: fewer are as quickly computed again */
#define GROUPS_OF 4u		    /* not kept with more groups than one in so many rows */

struct rollup {
	struct evs_select *select;
	const struct evs_select_plan *plan;
	uint8_t id[EVS_VIEW_ID];
	struct evs_groups *groups; /* NULL without keys */
	struct evs_agg **agg;
	struct evs_array *cols; /* keys and states */
	size_t ncols;
	bool *used; /* by ordinal: what it is computed from, but for its WHERE */
	bool off;   /* given up for this append */
};

struct evs_rollups {
	struct rollup *view;
	size_t n, next;
	size_t memory; /* of a view */
	uint64_t rows;
	struct evs_eval *eval;
	struct query_value where, *key, *arg, keep;
	const struct evs_array **list;
	struct evs_array *kept; /* by ordinal: rows of which `where` is true */
	size_t nvalues;		/* of key, arg and list */
	uint16_t ncols;
	uint32_t *sel, *id;
	uint32_t sel_cap, id_cap;
};

static void free_view(struct rollup *v)
{
	for (size_t j = 0; v->agg && j < v->plan->nagg; j++)
		evs_agg_free(v->agg[j]);
	for (size_t i = 0; i < v->ncols && v->cols; i++)
		evs_array_release(&v->cols[i]);
	free(v->agg);
	free(v->cols);
	free(v->used);
	evs_groups_free(v->groups);
	evs_select_free(v->select);
	*v = (struct rollup){ 0 };
}

void evs_rollups_free(struct evs_rollups *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		free_view(&r->view[i]);
	for (size_t i = 0; i < r->nvalues; i++) {
		if (r->key)
			evs_array_release(&r->key[i].own);
		if (r->arg)
			evs_array_release(&r->arg[i].own);
	}
	for (uint16_t c = 0; r->kept && c < r->ncols; c++)
		evs_array_release(&r->kept[c]);
	evs_array_release(&r->where.own);
	evs_array_release(&r->keep.own);
	evs_eval_free(r->eval);
	free(r->view);
	free(r->key);
	free(r->arg);
	free(r->list);
	free(r->kept);
	free(r->sel);
	free(r->id);
	free(r);
}

static int make_table(struct rollup *v)
{
	const struct evs_select_plan *p = v->plan;
	struct evs_groups_key *key = calloc(p->nkey + 1, sizeof(*key));
	int rc = key ? 0 : EVS_E_NOMEM;

	for (size_t k = 0; k < p->nkey && rc == 0; k++)
		key[k].type = evs_expr_type(p->key[k], &key[k].nullable);
	if (rc == 0 && p->nkey)
		rc = evs_groups_new(&v->groups, key, p->nkey);
	free(key);
	v->agg = calloc(p->nagg + 1, sizeof(struct evs_agg *));
	if (!v->agg)
		rc = EVS_E_NOMEM;
	for (size_t j = 0; j < p->nagg && rc == 0; j++)
		rc = evs_agg_new(&v->agg[j], &p->agg[j]);
	return rc == 0 ? evs_view_columns(p, &v->cols, &v->ncols) : rc;
}

/* 0, 1 when the view cannot be kept, or EVS_E_NOMEM. */
static int make_view(struct rollup *v, const struct evs_view *view, const struct evs_table *t)
{
	int rc = evs_select_parse(&v->select, view->select_text, strlen(view->select_text), NULL);

	if (rc == 0)
		rc = evs_select_bind(v->select, t, NULL);
	if (rc < 0)
		return rc == EVS_E_NOMEM ? rc : 1;
	v->plan = evs_select_plan(v->select);
	if (!evs_view_keeps(v->plan))
		return 1;
	v->used = calloc((size_t)t->ncols + 1, sizeof(*v->used));
	if (!v->used)
		return EVS_E_NOMEM;
	evs_select_columns(v->plan, v->used);
	rc = evs_view_id(v->id, view->select_text, v->plan);
	return rc == 0 ? make_table(v) : rc;
}

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct rollup *)a)->id, ((const struct rollup *)b)->id, EVS_VIEW_ID);
}

/* Values of keys, and of the arguments of one aggregate, at most. */
static size_t most_values(const struct evs_rollups *r)
{
	size_t most = 1;

	for (size_t i = 0; i < r->n; i++) {
		const struct evs_select_plan *p = r->view[i].plan;

		most = p->nkey > most ? p->nkey : most;
		for (size_t j = 0; j < p->nagg; j++)
			most = p->agg[j].narg > most ? p->agg[j].narg : most;
	}
	return most;
}

static int make_scratch(struct evs_rollups *r)
{
	r->nvalues = most_values(r);
	r->key = calloc(r->nvalues, sizeof(*r->key));
	r->arg = calloc(r->nvalues, sizeof(*r->arg));
	r->list = calloc(r->nvalues, sizeof(*r->list));
	r->kept = calloc((size_t)r->ncols + 1, sizeof(*r->kept));
	if (!r->key || !r->arg || !r->list || !r->kept)
		return EVS_E_NOMEM;
	return evs_eval_new(&r->eval);
}

/* Views of one id (the same text twice) are kept once. */
static void drop_twins(struct evs_rollups *r)
{
	size_t n = 0;

	qsort(r->view, r->n, sizeof(*r->view), by_id);
	for (size_t i = 0; i < r->n; i++) {
		if (n && by_id(&r->view[n - 1], &r->view[i]) == 0)
			free_view(&r->view[i]);
		else
			r->view[n++] = r->view[i];
	}
	r->n = n;
}

int evs_rollups_new(struct evs_rollups **out, const struct evs_table *t, const char *schema,
		    size_t len)
{
	struct evs_rollups *r = NULL;
	struct evs_ddl *ddl = NULL;
	int rc = evs_ddl_parse(&ddl, schema, len, NULL, NULL, NULL);

	*out = NULL;
	if (rc < 0 || !ddl->nviews || t->engine != EVS_ENGINE_MERGE)
		goto out; /* a schema that is wrong is told elsewhere */
	r = calloc(1, sizeof(*r));
	rc = r && (r->view = calloc(ddl->nviews, sizeof(*r->view))) ? 0 : EVS_E_NOMEM;
	for (size_t i = 0; i < ddl->nviews && rc >= 0; i++) {
		struct rollup *v = &r->view[r->n];

		if (ddl->views[i].kind != EVS_MATERIALIZED_VIEW ||
		    strcmp(ddl->views[i].source, t->name) != 0)
			continue;
		rc = make_view(v, &ddl->views[i], t);
		if (rc == 0)
			r->n++;
		else
			free_view(v);
	}
	if (rc >= 0 && r->n) {
		r->ncols = t->ncols;
		r->memory = MEMORY;
		drop_twins(r);
		rc = make_scratch(r);
	}
	if (rc >= 0 && r->n) {
		*out = r;
		r = NULL;
	}
out:
	evs_rollups_free(r);
	evs_ddl_free(ddl);
	return rc == EVS_E_NOMEM ? rc : 0;
}

const uint8_t *evs_rollups_view(const struct evs_rollups *r, size_t i)
{
	return r && i < r->n ? r->view[i].id : NULL;
}

void evs_rollups_memory(struct evs_rollups *r, size_t bytes)
{
	if (r)
		r->memory = bytes;
}

void evs_rollups_start(struct evs_rollups *r)
{
	if (!r)
		return;
	r->rows = 0;
	r->next = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct rollup *v = &r->view[i];

		v->off = false;
		if (v->groups)
			evs_groups_clear(v->groups);
		for (size_t j = 0; j < v->plan->nagg; j++)
			evs_agg_clear(v->agg[j]);
	}
}

/* Rows of which the view's WHERE is true: `cols` as they are, or r->kept, of the columns that it is
 * computed from. */
static int filter(struct evs_rollups *r, const struct rollup *v, const struct evs_array **cols,
		  uint32_t *rows)
{
	uint32_t n;
	int rc;

	if (!v->plan->where)
		return 0;
	rc = evs_query_eval(r->eval, v->plan->where, *cols, NULL, *rows, &r->where, NULL);
	if (rc < 0)
		return rc;
	n = evs_query_true_rows(r->where.a, *rows, &r->sel, &r->sel_cap);
	if (n == UINT32_MAX)
		return EVS_E_NOMEM;
	if (n == *rows)
		return 0;
	for (uint16_t c = 0; c < r->ncols && n; c++)
		if (v->used[c] && evs_query_take(&r->kept[c], &(*cols)[c], r->sel, n) < 0)
			return EVS_E_NOMEM;
	*cols = r->kept;
	*rows = n;
	return 0;
}

static int find_groups(struct evs_rollups *r, struct rollup *v, const struct evs_array *cols,
		       uint32_t rows)
{
	uint32_t n = 1;
	int rc = 0;

	if (r->id_cap < rows) {
		free(r->id);
		r->id = malloc(rows * sizeof(*r->id));
		r->id_cap = r->id ? rows : 0;
		if (!r->id)
			return EVS_E_NOMEM;
	}
	for (size_t k = 0; k < v->plan->nkey && rc == 0; k++) {
		rc = evs_query_eval(r->eval, v->plan->key[k], cols, NULL, rows, &r->key[k], NULL);
		r->list[k] = r->key[k].a;
	}
	if (rc == 0 && v->groups) {
		rc = evs_groups_find(v->groups, r->list, rows, r->id);
		n = evs_groups_count(v->groups);
	}
	for (size_t j = 0; j < v->plan->nagg && rc == 0; j++)
		rc = evs_agg_groups(v->agg[j], n);
	return rc;
}

static int update(struct evs_rollups *r, struct rollup *v, size_t j, const struct evs_array *cols,
		  uint32_t rows)
{
	const struct evs_agg_call *call = &v->plan->agg[j];
	int rc = 0;

	for (size_t i = 0; i < call->narg && rc == 0; i++) {
		rc = evs_query_eval(r->eval, call->arg[i], cols, NULL, rows, &r->arg[i], NULL);
		r->list[i] = r->arg[i].a;
	}
	if (call->filter && rc == 0)
		rc = evs_query_eval(r->eval, call->filter, cols, NULL, rows, &r->keep, NULL);
	if (rc < 0)
		return rc;
	return evs_agg_update(v->agg[j], r->list, call->filter ? r->keep.a : NULL,
			      v->groups ? r->id : NULL, rows);
}

static size_t memory_of(const struct rollup *v)
{
	size_t n = v->groups ? evs_groups_memory(v->groups) : 0;

	for (size_t j = 0; j < v->plan->nagg; j++)
		n += evs_agg_memory(v->agg[j]);
	return n;
}

static int add_to(struct evs_rollups *r, struct rollup *v, const struct evs_array *cols,
		  uint32_t rows)
{
	int rc = filter(r, v, &cols, &rows);

	if (rc < 0 || !rows)
		return rc;
	rc = find_groups(r, v, cols, rows);
	for (size_t j = 0; j < v->plan->nagg && rc == 0; j++)
		rc = update(r, v, j, cols, rows);
	if (rc == 0 && memory_of(v) > r->memory)
		v->off = true;
	return rc;
}

int evs_rollups_add(struct evs_rollups *r, const struct evs_array *cols, uint32_t rows)
{
	if (!r)
		return 0;
	r->rows += rows;
	for (size_t i = 0; i < r->n; i++) {
		struct rollup *v = &r->view[i];
		int rc = v->off ? 0 : add_to(r, v, cols, rows);

		if (rc == EVS_E_NOMEM)
			return rc;
		if (rc <
		    0) /* a value that cannot be computed fails the question, not the writing */
			v->off = true;
	}
	return 0;
}

/* Keys and states of all groups, into v->cols. */
static int save(struct evs_rollups *r, struct rollup *v, uint32_t groups)
{
	struct evs_array *col = v->cols + v->plan->nkey;
	int rc = 0;

	if (r->id_cap < groups) {
		free(r->id);
		r->id = malloc(groups * sizeof(*r->id));
		r->id_cap = r->id ? groups : 0;
		if (!r->id)
			return EVS_E_NOMEM;
	}
	for (uint32_t i = 0; i < groups; i++)
		r->id[i] = i;
	for (size_t i = 0; i < v->ncols; i++)
		evs_array_reset(&v->cols[i]);
	if (v->groups)
		rc = evs_groups_keys(v->groups, r->id, groups, v->cols);
	for (size_t j = 0; j < v->plan->nagg && rc == 0; j++) {
		rc = evs_agg_save(v->agg[j], r->id, groups, col);
		col += evs_agg_columns(v->agg[j]);
	}
	return rc;
}

static uint32_t groups_of(const struct rollup *v)
{
	return v->groups ? evs_groups_count(v->groups) : 1;
}

/* 1 with the view's rollup, or EVS_E_NOMEM. */
static int give(struct evs_rollups *r, struct rollup *v, struct evs_rollup *out)
{
	uint32_t groups = groups_of(v);
	int rc;

	for (size_t j = 0; j < v->plan->nagg; j++)
		if (evs_agg_groups(v->agg[j], groups) < 0)
			return EVS_E_NOMEM;
	rc = save(r, v, groups);
	if (rc < 0)
		return rc;
	*out = (struct evs_rollup){ .cols = v->cols,
				    .ncols = (uint16_t)v->ncols,
				    .groups = groups };
	memcpy(out->view, v->id, sizeof(out->view));
	return 1;
}

int evs_rollups_next(struct evs_rollups *r, struct evs_rollup *out)
{
	while (r && r->rows >= LEAST && r->next < r->n) {
		struct rollup *v = &r->view[r->next++];
		uint32_t groups = groups_of(v);

		/* A view without groups has seen no row; that is told by a commit without a rollup,
		 * too. */
		if (v->off || !groups || (uint64_t)groups * GROUPS_OF > r->rows ||
		    v->ncols > EVS_VIEW_COLUMNS || !v->ncols)
			continue;
		return give(r, v, out);
	}
	return 0;
}

int evs_rollups_find(struct evs_rollups *r, const uint8_t view[EVS_VIEW_ID], struct evs_rollup *out)
{
	for (size_t i = 0; r && i < r->n; i++)
		if (!r->view[i].off && !memcmp(r->view[i].id, view, EVS_VIEW_ID))
			return give(r, &r->view[i], out);
	return 0;
}
