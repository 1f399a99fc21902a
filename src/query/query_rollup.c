/*
 * Answering from rollups: a commit that has what a materialized view makes of its rows need not be
 * read, when the view has the query's keys and aggregates over the same rows (spec/query.md 11).
 */
#include "src/query/query.h"

#include "src/diag.h"
#include "src/query/agg.h"
#include "src/query/view.h"

#include <stdlib.h>
#include <string.h>

struct query_rollup {
	struct evs_select *select;
	const struct evs_select_plan *view;
	uint8_t id[EVS_VIEW_ID];
	uint16_t *from;	 /* for each column of the plan's keys and states: the rollup's */
	size_t n, ncols; /* of the plan's, of the rollup's */
	const struct evs_expr *where; /* over the view's keys: which groups of a rollup belong to
					 the answer; NULL: all */
};

/* ---- which view ------------------------------------------------------------------------------ */

static bool same_agg(const struct evs_agg_call *a, const struct evs_agg_call *b)
{
	if (a->fn != b->fn || a->narg != b->narg || a->nparam != b->nparam ||
	    a->keep_nulls != b->keep_nulls || a->text_len != b->text_len ||
	    !a->filter != !b->filter || (a->filter && !evs_expr_same(a->filter, b->filter)) ||
	    (a->text_len && memcmp(a->text, b->text, a->text_len) != 0))
		return false;
	for (size_t i = 0; i < a->nparam; i++)
		if (memcmp(&a->param[i], &b->param[i], sizeof(double)) != 0)
			return false;
	for (size_t i = 0; i < a->narg; i++)
		if (!evs_expr_same(a->arg[i], b->arg[i]))
			return false;
	return true;
}

/* Columns of the state of aggregate j of the view: where they begin, and how many. */
static int state_of(const struct evs_select_plan *v, size_t j, size_t *at, unsigned *n)
{
	*at = v->nkey;
	for (size_t i = 0; i <= j; i++) {
		struct evs_agg *a = NULL;
		int rc = evs_agg_new(&a, &v->agg[i]);

		if (rc < 0)
			return rc;
		*n = evs_agg_columns(a);
		*at += i < j ? *n : 0;
		evs_agg_free(a);
	}
	return 0;
}

/* Where the plan's keys and states are among the view's: 0, 1 when they are not all there, or
 * EVS_E_NOMEM. `same`: the view is the query. */
static int match(struct query_rollup *r, const struct evs_select_plan *p, bool same)
{
	const struct evs_select_plan *v = r->view;
	size_t at, k, j;
	unsigned n;

	if (!same && !(p->where ? v->where && evs_expr_same(p->where, v->where) : !v->where)) {
		if (v->where ||
		    !evs_expr_made_of(p->where, (const struct evs_expr *const *)v->key, v->nkey))
			return 1;
		r->where = p->where;
	}
	r->from = calloc(p->nkey + p->nagg * EVS_AGG_MAX_COLUMNS + 1, sizeof(*r->from));
	if (!r->from)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < p->nkey; i++) {
		for (k = same ? i : 0; k < v->nkey && !same; k++)
			if (evs_expr_same(p->key[i], v->key[k]))
				break;
		if (k == v->nkey)
			return 1;
		r->from[r->n++] = (uint16_t)k;
	}
	for (size_t i = 0; i < p->nagg; i++) {
		for (j = same ? i : 0; j < v->nagg && !same; j++)
			if (same_agg(&p->agg[i], &v->agg[j]))
				break;
		if (j == v->nagg)
			return 1;
		if (state_of(v, j, &at, &n) < 0)
			return EVS_E_NOMEM;
		for (unsigned c = 0; c < n; c++)
			r->from[r->n++] = (uint16_t)(at + c);
	}
	return 0;
}

static void free_rollup(struct query_rollup *r)
{
	if (!r)
		return;
	evs_select_free(r->select);
	free(r->from);
	free(r);
}

/* 0 with q->rollup when the view answers, 1 when it does not. */
static int try_view(struct evs_query *q, const struct evs_view *view)
{
	struct query_rollup *r = calloc(1, sizeof(*r));
	bool same = q->opts.sql && !strcmp(q->opts.sql, view->select_text);
	int rc =
		r ? evs_select_parse(&r->select, view->select_text, strlen(view->select_text), NULL)
		  : EVS_E_NOMEM;

	if (rc == 0)
		rc = evs_select_bind(r->select, q->source, NULL);
	if (rc == 0) {
		r->view = evs_select_plan(r->select);
		rc = evs_view_keeps(r->view) ? match(r, q->plan, same) : 1;
	}
	if (rc == 0)
		rc = evs_view_id(r->id, view->select_text, r->view);
	if (rc == 0) {
		struct evs_array *cols = NULL;

		rc = evs_view_columns(r->view, &cols, &r->ncols);
		for (size_t i = 0; rc == 0 && i < r->ncols; i++)
			evs_array_release(&cols[i]);
		free(cols);
	}
	if (rc == 0) {
		q->rollup = r;
		r = NULL;
	}
	free_rollup(r);
	return rc == 0 || rc == EVS_E_NOMEM ? rc
					    : 1; /* a view that is wrong is told when it is asked */
}

int evs_query_rollup_open(struct evs_query *q, const char *path, struct evs_diag *diag)
{
	struct evs_ddl *ddl = NULL;
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (!evs_view_answers(q->plan) || q->opts.raw)
		return 0;
	if (evs_schema_show(path, &text, &len, NULL) < 0 ||
	    evs_ddl_parse(&ddl, text, len, NULL, NULL, NULL) < 0) {
		free(text);
		return 0; /* a segment alone has no views */
	}
	rc = 1;
	for (size_t i = 0; i < ddl->nviews && rc == 1; i++)
		if (ddl->views[i].kind == EVS_MATERIALIZED_VIEW &&
		    !strcmp(ddl->views[i].source, q->source->name))
			rc = try_view(q, &ddl->views[i]);
	evs_ddl_free(ddl);
	free(text);
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

void evs_query_rollup_close(struct evs_query *q)
{
	free_rollup(q->rollup);
	q->rollup = NULL;
}

/* ---- taking them ----------------------------------------------------------------------------- */

/* Keep of the rollup at hand the groups of which the condition is true; how many. EVS_E_DATA: it
 * cannot be told here. */
static int keep_groups(struct query_feed *f, const struct query_rollup *r, uint32_t *groups)
{
	const struct evs_select_plan *v = r->view;
	struct evs_array yes = { 0 };
	uint32_t n;
	int rc = evs_eval_run_over(f->eval, r->where, (const struct evs_expr *const *)v->key,
				   v->nkey, f->rollup, *groups, &yes);

	if (rc < 0)
		return rc;
	n = evs_query_true_rows(&yes, *groups, &f->sel, &f->sel_cap);
	evs_array_release(&yes);
	if (n == UINT32_MAX)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < r->ncols && n < *groups; i++) {
		struct evs_array kept = { 0 };

		if (evs_query_take(&kept, &f->rollup[i], f->sel, n) < 0)
			return EVS_E_NOMEM;
		evs_array_release(&f->rollup[i]);
		f->rollup[i] = kept;
	}
	*groups = n;
	return 0;
}

static bool take(void *arg, struct evs_segment *seg, const struct evs_commit *c)
{
	struct query_feed *f = arg;
	struct query_rollup *r = f->q->rollup;
	uint32_t groups = 0;
	int rc;

	if (f->rollup_rc < 0)
		return false;
	rc = evs_segment_rollup(seg, c, r->id, f->rollup, r->ncols, &groups, &f->rollup_diag);
	if (rc == EVS_E_FORMAT || rc == EVS_E_VERSION || rc > 0)
		return false; /* the rows answer */
	if (rc == 0 && r->where) {
		rc = keep_groups(f, r, &groups);
		if (rc == EVS_E_DATA)
			return false; /* the rows tell why */
		if (rc < 0)
			rc = evs_fail_nomem(&f->rollup_diag);
	}
	for (size_t i = 0; rc == 0 && i < r->n; i++)
		f->state[i] = f->rollup[r->from[i]];
	if (rc == 0)
		rc = evs_grouping_merge(f->grouping, f->state, groups, &f->rollup_diag);
	f->rollup_rc = rc;
	return rc == 0;
}

int evs_query_rollup_feed(struct query_feed *f, struct evs_diag *diag)
{
	struct query_rollup *r = f->q->rollup;
	size_t n;

	if (!r || !f->scan)
		return 0;
	f->state = calloc(r->n + 1, sizeof(*f->state));
	if (!f->state || evs_view_columns(r->view, &f->rollup, &n) < 0)
		return evs_fail_nomem(diag);
	evs_scan_rollups(f->scan, take, f);
	return 0;
}

void evs_query_rollup_feed_close(struct query_feed *f)
{
	for (size_t i = 0; f->rollup && i < f->q->rollup->ncols; i++)
		evs_array_release(&f->rollup[i]);
	free(f->rollup);
	free(f->state);
}
