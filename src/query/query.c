/*
 * A query as a whole: opening, the answer's columns, LIMIT, closing. See query.h and evseg.h.
 */
#include "src/query/query.h"

#include "src/diag.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CAP_DEFAULT ((uint64_t)32 << 20) /* for each thread */
#define CAP_LEAST   ((uint64_t)1 << 20)

/* ---- opening --------------------------------------------------------------------------------- */

static int64_t clock_ns(void)
{
	struct timespec t = { 0 };

	timespec_get(&t, TIME_UTC);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int parse(struct evs_query *q, struct evs_diag *diag)
{
	const struct evs_query_opts *o = &q->opts;
	struct evs_select_parts parts = { .group = o->group,
					  .aggs = o->aggs,
					  .where = o->where,
					  .having = o->having,
					  .sort = o->sort,
					  .limit = o->limit };

	if (o->sql)
		return evs_select_parse(&q->select, o->sql, strlen(o->sql), diag);
	return evs_select_parse_parts(&q->select, &parts, diag);
}

static int make_fields(struct evs_query *q, struct evs_diag *diag)
{
	const struct evs_select_plan *p = q->plan;

	q->fields = calloc(p->nitems + 1, sizeof(*q->fields));
	q->out = calloc(p->ncol + 1, sizeof(*q->out));
	if (!q->fields || !q->out)
		return evs_fail_nomem(diag);
	for (size_t i = 0; i < p->nitems; i++) {
		struct evs_field *f = &q->fields[i];

		f->name = p->col[i].name;
		f->name_len = p->col[i].name_len;
		f->type = evs_expr_type(p->col[i].expr, &f->nullable);
		f->extra = p->col[i].extra;
		(void)evs_type_print(f->type, f->nullable, f->type_text, sizeof(f->type_text));
	}
	return 0;
}

static int open_limit_by(struct evs_query *q, struct evs_diag *diag)
{
	const struct evs_select_plan *p = q->plan;
	struct evs_limit_by_spec spec = {
		.ncols = p->ncol, .by = p->by, .nby = p->nby, .limit = p->by_limit, .cap = q->cap
	};
	struct evs_groups_key *col;
	int rc;

	if (!p->nby)
		return 0;
	col = calloc(p->ncol, sizeof(*col));
	if (!col)
		return evs_fail_nomem(diag);
	for (size_t i = 0; i < p->ncol; i++)
		col[i].type = evs_expr_type(p->col[i].expr, &col[i].nullable);
	spec.col = col;
	rc = evs_limit_by_new(&q->by, &spec);
	free(col);
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

static int open_all(struct evs_query *q, const char *const *paths, size_t npaths, unsigned depth,
		    struct evs_diag *diag)
{
	int rc = parse(q, diag);

	if (rc == 0)
		rc = evs_query_from(q, paths, npaths, depth, diag);
	for (unsigned i = 0; i < q->nfeeds && rc == 0; i++)
		rc = evs_query_feed_open(&q->feed[i], diag);
	if (rc == 0)
		rc = evs_query_stage_open(q, diag);
	if (rc == 0)
		rc = make_fields(q, diag);
	return rc < 0 ? rc : open_limit_by(q, diag);
}

int evs_query_open_depth(struct evs_query **out, const char *const *paths, size_t npaths,
			 const struct evs_query_opts *opts, unsigned depth, struct evs_diag *diag)
{
	struct evs_query *q = calloc(1, sizeof(*q));
	uint64_t cap;
	int rc;

	if (!q)
		return evs_fail_nomem(diag);
	if (pthread_mutex_init(&q->lock, NULL) != 0) {
		free(q);
		return evs_fail_nomem(diag);
	}
	q->opts = *opts;
	q->threads = opts->threads && opts->threads < QUERY_THREADS ? opts->threads : QUERY_THREADS;
	if (!q->opts.now)
		q->opts.now = clock_ns();
	/* A quarter is for groups, half as much for sorting. The scan, the batches at hand, blocks
	 * of spills and what the allocator loses between pieces take the rest: measured by
	 * tests/limits. */
	cap = opts->mem_limit ? opts->mem_limit / q->threads : CAP_DEFAULT;
	q->cap = (size_t)(cap < CAP_LEAST ? CAP_LEAST : cap) / 4;
	rc = open_all(q, paths, npaths, depth, diag);
	if (rc < 0) {
		evs_query_close(q);
		return rc;
	}
	*out = q;
	return 0;
}

int evs_query_open(struct evs_query **out, const char *const *paths, size_t npaths,
		   const struct evs_query_opts *opts, struct evs_diag *diag)
{
	static const struct evs_query_opts none;

	if (!npaths)
		return evs_fail(diag, EVS_E_USAGE, "no path given");
	return evs_query_open_depth(out, paths, npaths, opts ? opts : &none, 0, diag);
}

void evs_query_close(struct evs_query *q)
{
	if (!q)
		return;
	for (unsigned i = 0; i < QUERY_THREADS; i++)
		evs_query_feed_close(&q->feed[i]);
	if (q->plan) {
		evs_query_stage_close(q);
		for (size_t i = 0; q->out && i < q->plan->ncol; i++)
			evs_array_release(&q->out[i]);
	}
	free(q->out);
	free(q->fields);
	evs_limit_by_free(q->by);
	free(q->used);
	evs_query_rollup_close(q);
	evs_select_free(q->select);
	evs_query_close(q->inner);
	evs_table_free(q->inner_table);
	(void)pthread_mutex_destroy(&q->lock);
	free(q);
}

/* ---- LIMIT ----------------------------------------------------------------------------------- */

static int need_sel(struct evs_query *q, uint32_t rows)
{
	if (rows <= q->sel_cap)
		return 0;
	free(q->sel);
	q->sel = malloc(rows * sizeof(*q->sel));
	q->sel_cap = q->sel ? rows : 0;
	return q->sel ? 0 : EVS_E_NOMEM;
}

/* Of the rows at hand, those that LIMIT BY, OFFSET and LIMIT let through. */
static int cut(struct evs_query *q, uint32_t rows, uint32_t *n, struct evs_diag *diag)
{
	const struct evs_select_plan *p = q->plan;
	uint64_t skip = p->offset - q->skipped, left = p->limit - q->given;
	uint32_t from;
	bool all = !q->by || q->by_fed;
	int rc = 0;

	*n = rows;
	if (!all) {
		rc = need_sel(q, rows) < 0
			     ? evs_fail_nomem(diag)
			     : evs_limit_by_add(q->by, q->cols, rows, q->sel, n, diag);
		if (rc < 0)
			return rc;
	}
	from = skip < *n ? (uint32_t)skip : *n;
	q->skipped += from;
	*n -= from;
	*n = left < *n ? (uint32_t)left : *n;
	q->given += *n;
	if (!*n || (all && !from)) /* the first rows: the batch says how many */
		return 0;
	if (all && need_sel(q, rows) < 0)
		return evs_fail_nomem(diag);
	for (uint32_t i = 0; all && i < *n; i++)
		q->sel[i] = from + i;
	for (size_t i = 0; i < p->nitems; i++) {
		const uint32_t *sel = all ? q->sel : q->sel + from;

		if (evs_query_take(&q->out[i], &q->cols[i], sel, *n) < 0)
			return evs_fail_nomem(diag);
		q->cols[i] = q->out[i];
	}
	return 0;
}

/* Column `i` of the answer: `n` rows of its own or borrowed ones, whose offsets begin with 0 as
 * array.h says. */
static int settle(struct evs_query *q, size_t i, uint32_t n)
{
	struct evs_array *a = &q->cols[i];

	if (a->offs && a->offs[0]) {
		struct evs_array from = *a;

		evs_array_release(&q->out[i]);
		if (evs_array_init_like(&q->out[i], &from) < 0 ||
		    evs_array_append_range(&q->out[i], &from, 0, n) < 0)
			return EVS_E_NOMEM;
		*a = q->out[i];
	}
	a->rows = n;
	a->nulls = 0;
	for (uint32_t r = 0; a->valid && r < n; r++)
		a->nulls += evs_array_is_null(a, r);
	return 0;
}

/* The next rows, and at the end those that LIMIT BY kept back. */
static int next_rows(struct evs_query *q, uint32_t *rows, struct evs_diag *diag)
{
	struct evs_array *cols;
	int rc = q->by_fed ? 0 : evs_query_stage_next(q, rows, diag);

	if (rc != 0 || !q->by)
		return rc;
	q->by_fed = true;
	rc = evs_limit_by_next(q->by, &cols, rows, diag);
	for (size_t i = 0; rc > 0 && i < q->plan->ncol; i++)
		q->cols[i] = cols[i];
	return rc;
}

int evs_query_next(struct evs_query *q, struct evs_batch **out, struct evs_diag *diag)
{
	uint32_t rows, n;
	int rc = 0;

	while (q->given < q->plan->limit && (rc = next_rows(q, &rows, diag)) > 0) {
		rc = cut(q, rows, &n, diag);
		if (rc < 0)
			return rc;
		if (!n)
			continue;
		for (size_t i = 0; i < q->plan->nitems; i++)
			if (settle(q, i, n) < 0)
				return evs_fail_nomem(diag);
		q->answer = (struct evs_batch){ .fields = q->fields,
						.cols = q->cols,
						.ncols = q->plan->nitems,
						.rows = n,
						.grown = q->grown };
		*out = &q->answer;
		return 1;
	}
	return rc < 0 ? rc : 0;
}

/* ---- what happened --------------------------------------------------------------------------- */

static void add_progress(struct evs_scan_progress *to, const struct evs_scan_progress *p)
{
	to->rows += p->rows;
	to->segments += p->segments;
	to->segments_total += p->segments_total;
	to->bytes += p->bytes;
	to->bytes_total += p->bytes_total;
	to->rows_lost += p->rows_lost;
	to->damaged |= p->damaged;
}

void evs_query_progress(struct evs_query *q, struct evs_scan_progress *out)
{
	*out = (struct evs_scan_progress){ 0 };
	if (q->inner) {
		evs_query_progress(q->inner, out);
		return;
	}
	(void)pthread_mutex_lock(&q->lock);
	for (unsigned i = 0; i < q->nfeeds; i++)
		add_progress(out, &q->seen[i]);
	(void)pthread_mutex_unlock(&q->lock);
}

void evs_query_damage(void *arg, const struct evs_damage *d)
{
	struct evs_query *q = arg;

	(void)pthread_mutex_lock(&q->lock);
	q->opts.on_damage(q->opts.arg, d);
	(void)pthread_mutex_unlock(&q->lock);
}

void evs_query_explained(const struct evs_query *q, struct evs_scan_explain *out)
{
	*out = (struct evs_scan_explain){ 0 };
	if (q->inner) {
		evs_query_explained(q->inner, out);
		return;
	}
	for (unsigned i = 0; i < q->nfeeds; i++) {
		struct evs_scan_explain e;
		uint64_t *to = (uint64_t *)out;
		const uint64_t *from = (const uint64_t *)&e;

		if (!q->feed[i].scan)
			continue;
		evs_scan_explained(q->feed[i].scan, &e);
		for (size_t k = 0; k < sizeof(e) / sizeof(*from); k++) /* it has nothing else */
			to[k] += from[k];
	}
}

uint64_t evs_query_spills(const struct evs_query *q)
{
	uint64_t n = q->inner ? evs_query_spills(q->inner) : 0;

	for (unsigned i = 0; i < q->nfeeds; i++)
		n += q->feed[i].grouping ? evs_grouping_spills(q->feed[i].grouping) : 0;
	n += q->distinct ? evs_grouping_spills(q->distinct) : 0;
	n += q->by ? evs_limit_by_spills(q->by) : 0;
	return n + (q->order ? evs_order_spills(q->order) : 0);
}
