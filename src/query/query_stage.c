/*
 * What comes after the source and its groups: HAVING, the items, DISTINCT, ORDER BY.
 */
#include "src/query/query.h"

#include "src/diag.h"

#include <stdlib.h>

/* ---- opening --------------------------------------------------------------------------------- */

static int open_distinct(struct evs_query *q, struct evs_diag *diag)
{
	const struct evs_select_plan *p = q->plan;
	struct evs_groups_key *key = calloc(p->ncol + 1, sizeof(*key));
	size_t cap = p->grouped ? q->cap / 2 : q->cap; /* groups and their distinct rows share it */
	struct evs_grouping_spec spec = { .key = key, .nkey = p->ncol, .cap = cap };
	int rc = key ? 0 : EVS_E_NOMEM;

	for (size_t i = 0; rc == 0 && i < p->ncol; i++)
		key[i].type = evs_expr_type(p->col[i].expr, &key[i].nullable);
	if (rc == 0)
		rc = evs_grouping_new(&q->distinct, &spec);
	free(key);
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

static int open_order(struct evs_query *q, struct evs_diag *diag)
{
	const struct evs_select_plan *p = q->plan;
	const struct evs_type **type = calloc(p->ncol + 1, sizeof(*type));
	struct evs_order_key *key = calloc(p->norder, sizeof(*key));
	uint64_t limit = p->nby || p->limit > UINT32_MAX - p->offset || p->offset > UINT32_MAX
				 ? 0
				 : p->limit + p->offset;
	int rc = type && key ? 0 : EVS_E_NOMEM;

	for (size_t i = 0; rc == 0 && i < p->ncol; i++)
		type[i] = evs_expr_type(p->col[i].expr, NULL);
	for (size_t i = 0; rc == 0 && i < p->norder; i++)
		key[i] = (struct evs_order_key){ p->order[i].col, p->order[i].desc,
						 p->order[i].nulls_first };
	if (rc == 0)
		rc = evs_order_new(&q->order, type, p->ncol, key, p->norder, limit, q->cap / 2);
	if (rc == 0 && q->threads > 1)
		evs_order_two_threads(q->order);
	free(type);
	free(key);
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

int evs_query_stage_open(struct evs_query *q, struct evs_diag *diag)
{
	const struct evs_select_plan *p = q->plan;
	int rc = 0;

	q->col = calloc(p->ncol + 1, sizeof(*q->col));
	q->cols = calloc(p->ncol + 1, sizeof(*q->cols));
	q->kept = calloc(p->nkey + p->nagg + 1, sizeof(*q->kept));
	if (!q->col || !q->cols || !q->kept)
		return evs_fail_nomem(diag);
	if (p->distinct)
		rc = open_distinct(q, diag);
	if (rc == 0 && p->norder)
		rc = open_order(q, diag);
	return rc;
}

void evs_query_stage_close(struct evs_query *q)
{
	for (size_t i = 0; q->col && i < q->plan->ncol; i++)
		evs_array_release(&q->col[i].own);
	for (size_t i = 0; q->kept && i < q->plan->nkey + q->plan->nagg; i++)
		evs_array_release(&q->kept[i]);
	evs_array_release(&q->having.own);
	evs_grouping_free(q->distinct);
	evs_order_free(q->order);
	free(q->col);
	free(q->cols);
	free(q->kept);
	free(q->sel);
}

/* ---- groups and items ------------------------------------------------------------------------ */

/* The next groups of which HAVING is true: 1 with `*cols` and `*rows`, or 0. */
static int next_groups(struct evs_query *q, const struct evs_array **cols, uint32_t *rows,
		       struct evs_diag *diag)
{
	const struct evs_select_plan *p = q->plan;
	struct evs_array *got;
	uint32_t n;
	int rc = q->fed ? 0 : evs_query_feed_all(q, diag);

	q->fed = true;
	while (rc == 0 && (rc = evs_grouping_next(q->feed[0].grouping, &got, rows, diag)) == 1) {
		*cols = got;
		if (!p->having)
			return 1;
		rc = evs_query_eval(q->feed[0].eval, p->having, got, NULL, *rows, &q->having, diag);
		if (rc < 0)
			return rc;
		n = evs_query_true_rows(q->having.a, *rows, &q->sel, &q->sel_cap);
		if (n == UINT32_MAX)
			return evs_fail_nomem(diag);
		if (n == *rows)
			return 1;
		for (size_t i = 0; i < p->nkey + p->nagg && n; i++)
			if (evs_query_take(&q->kept[i], &got[i], q->sel, n) < 0)
				return evs_fail_nomem(diag);
		*cols = q->kept;
		*rows = n;
		if (n)
			return 1;
		rc = 0;
	}
	return rc;
}

/* The next rows of plan->col, computed. */
static int next_items(struct evs_query *q, uint32_t *rows, struct evs_diag *diag)
{
	const struct evs_select_plan *p = q->plan;
	const struct evs_array *cols = NULL;
	int rc;

	if (p->grouped) {
		rc = next_groups(q, &cols, rows, diag);
	} else {
		rc = evs_query_feed_next(&q->feed[0], rows, diag);
		cols = q->feed[0].slice;
	}
	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < p->ncol; i++) {
		rc = evs_query_eval(q->feed[0].eval, p->col[i].expr, cols, NULL, *rows, &q->col[i],
				    diag);
		if (rc < 0)
			return rc;
		q->cols[i] = *q->col[i].a;
	}
	return 1;
}

/* ---- DISTINCT and ORDER BY ------------------------------------------------------------------- */

static void point_at(struct evs_query *q, const struct evs_array *cols)
{
	for (size_t i = 0; i < q->plan->ncol; i++)
		q->cols[i] = cols[i];
}

static int feed_distinct(struct evs_query *q, struct evs_diag *diag)
{
	const struct evs_array **key = calloc(q->plan->ncol + 1, sizeof(*key));
	uint32_t rows;
	int rc = key ? 1 : evs_fail_nomem(diag);

	for (size_t i = 0; key && i < q->plan->ncol; i++)
		key[i] = &q->cols[i];
	while (rc > 0 && (rc = next_items(q, &rows, diag)) > 0) {
		rc = evs_grouping_add(q->distinct, key, NULL, NULL, rows, diag);
		rc = rc < 0 ? rc : 1;
	}
	free(key);
	q->distinct_fed = true;
	return rc;
}

static int next_distinct(struct evs_query *q, uint32_t *rows, struct evs_diag *diag)
{
	struct evs_array *cols;
	int rc;

	if (!q->distinct)
		return next_items(q, rows, diag);
	rc = q->distinct_fed ? 0 : feed_distinct(q, diag);
	if (rc == 0)
		rc = evs_grouping_next(q->distinct, &cols, rows, diag);
	if (rc > 0)
		point_at(q, cols);
	return rc;
}

int evs_query_stage_next(struct evs_query *q, uint32_t *rows, struct evs_diag *diag)
{
	struct evs_array *cols;
	int rc = 0;

	if (!q->order)
		return next_distinct(q, rows, diag);
	while (!q->order_fed && (rc = next_distinct(q, rows, diag)) > 0) {
		rc = evs_order_add(q->order, q->cols, *rows, diag);
		if (rc < 0)
			return rc;
	}
	q->order_fed = true;
	if (rc == 0)
		rc = evs_order_next(q->order, &cols, rows, diag);
	if (rc > 0)
		point_at(q, cols);
	return rc;
}
