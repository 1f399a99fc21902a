/*
 * From the source to groups: batches are cut into slices that stay in the processor's caches, keys
 * and arguments computed, groups fed. Two threads take half of the segments each; the second one's
 * groups are merged into the first one's.
 */
#include "src/query/query.h"

#include "src/diag.h"
#include "src/thread.h"

#include <stdlib.h>
#include <string.h>

int evs_query_eval(struct evs_eval *v, const struct evs_expr *e, const struct evs_array *cols,
		   const struct evs_coded *const *coded, uint32_t rows, struct query_value *out,
		   struct evs_diag *diag)
{
	int column = evs_expr_column(e);

	if (column >= 0) {
		out->a = &cols[column];
		return 0;
	}
	evs_array_release(&out->own);
	out->a = &out->own;
	return evs_eval_run_coded(v, e, cols, coded, rows, &out->own, diag);
}

uint32_t evs_query_true_rows(const struct evs_array *a, uint32_t rows, uint32_t **sel,
			     uint32_t *cap)
{
	uint32_t n = 0;

	if (*cap < rows) {
		free(*sel);
		*sel = malloc(rows * sizeof(**sel));
		*cap = *sel ? rows : 0;
		if (!*sel)
			return UINT32_MAX;
	}
	for (uint32_t i = 0; i < rows; i++) { /* the slot of a null row is zero */
		(*sel)[n] = i;
		n += a->data[i];
	}
	return n;
}

int evs_query_take(struct evs_array *to, const struct evs_array *from, const uint32_t *sel,
		   uint32_t n)
{
	evs_array_release(to);
	if (evs_array_init_like(to, from) < 0)
		return EVS_E_NOMEM;
	return evs_array_take(to, from, sel, n);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static size_t count_args(const struct evs_select_plan *p)
{
	size_t n = 0;

	for (size_t j = 0; j < p->nagg; j++)
		n += p->agg[j].narg;
	return n;
}

static int open_grouping(struct query_feed *f)
{
	const struct evs_select_plan *p = f->q->plan;
	struct evs_grouping_spec spec = {
		.nkey = p->nkey, .agg = p->agg, .nagg = p->nagg, .cap = f->q->cap
	};
	struct evs_groups_key *key = calloc(p->nkey + 1, sizeof(*key));
	int rc;

	if (!key)
		return EVS_E_NOMEM;
	for (size_t k = 0; k < p->nkey; k++)
		key[k].type = evs_expr_type(p->key[k], &key[k].nullable);
	spec.key = key;
	rc = evs_grouping_new(&f->grouping, &spec);
	free(key);
	return rc;
}

/* A column that is the key and nothing else need not be read as values where it has codes. */
static void note_key(struct query_feed *f)
{
	const struct evs_query *q = f->q;
	const struct evs_select_plan *p = q->plan;
	int key = p->grouped && p->nkey == 1 ? evs_expr_column(p->key[0]) : -1;

	if (!f->scan || key < 0 || !evs_grouping_takes_codes(f->grouping))
		return;
	for (size_t j = 0; j < p->nagg; j++) {
		if (p->agg[j].filter && evs_expr_uses(p->agg[j].filter, (uint16_t)key))
			return;
		for (size_t i = 0; i < p->agg[j].narg; i++)
			if (evs_expr_uses(p->agg[j].arg[i], (uint16_t)key))
				return;
	}
	for (size_t i = 0; i < q->nused; i++)
		if (q->used[i] == key) {
			evs_scan_by_codes(f->scan, i);
			f->by_codes = i + 1;
		}
}

int evs_query_feed_open(struct query_feed *f, struct evs_diag *diag)
{
	const struct evs_select_plan *p = f->q->plan;
	size_t ncols = f->q->source->ncols, nargs = count_args(p);

	f->ncols = ncols;
	f->batch = calloc(ncols + 1, sizeof(*f->batch));
	f->slice = calloc(ncols + 1, sizeof(*f->slice));
	f->codes = calloc(ncols + 1, sizeof(*f->codes));
	f->coded = calloc(ncols + 1, sizeof(*f->coded));
	f->kept = calloc(ncols + 1, sizeof(*f->kept));
	f->key = calloc(p->nkey + 1, sizeof(*f->key));
	f->key_list = calloc(p->nkey + 1, sizeof(*f->key_list));
	f->arg = calloc(nargs + 1, sizeof(*f->arg));
	f->arg_list = calloc(nargs + 1, sizeof(*f->arg_list));
	f->keep = calloc(p->nagg + 1, sizeof(*f->keep));
	f->in = calloc(p->nagg + 1, sizeof(*f->in));
	if (!f->batch || !f->slice || !f->codes || !f->coded || !f->kept || !f->key ||
	    !f->key_list || !f->arg || !f->arg_list || !f->keep || !f->in ||
	    evs_eval_new(&f->eval) < 0)
		return evs_fail_nomem(diag);
	evs_eval_set_now(f->eval, f->q->opts.now);
	if (p->grouped && open_grouping(f) < 0)
		return evs_fail_nomem(diag);
	note_key(f);
	return evs_query_rollup_feed(f, diag);
}

void evs_query_feed_close(struct query_feed *f)
{
	const struct evs_select_plan *p = f->q ? f->q->plan : NULL;
	size_t nargs = p ? count_args(p) : 0;

	for (size_t k = 0; f->key && k < p->nkey; k++)
		evs_array_release(&f->key[k].own);
	for (size_t k = 0; f->arg && k < nargs; k++)
		evs_array_release(&f->arg[k].own);
	for (size_t k = 0; f->keep && k < p->nagg; k++)
		evs_array_release(&f->keep[k].own);
	for (size_t c = 0; f->kept && c < f->ncols; c++)
		evs_array_release(&f->kept[c]);
	evs_array_release(&f->where.own);
	evs_grouping_free(f->grouping);
	evs_query_rollup_feed_close(f);
	evs_eval_free(f->eval);
	evs_scan_close(f->scan);
	free(f->batch);
	free(f->slice);
	free(f->codes);
	free((void *)(uintptr_t)f->coded);
	free(f->kept);
	free(f->key);
	free(f->key_list);
	free(f->arg);
	free(f->arg_list);
	free(f->keep);
	free(f->in);
	free(f->sel);
	*f = (struct query_feed){ 0 };
}

/* ---- rows of the source ---------------------------------------------------------------------- */

static void note_progress(struct query_feed *f)
{
	struct evs_query *q = f->q;
	unsigned i = (unsigned)(f - q->feed);
	struct evs_scan_progress all;

	(void)pthread_mutex_lock(&q->lock);
	evs_scan_progress(f->scan, &q->seen[i]);
	(void)pthread_mutex_unlock(&q->lock);
	if (i || !q->opts.on_progress)
		return;
	evs_query_progress(q, &all);
	q->opts.on_progress(q->opts.arg, &all);
}

/* The next batch into f->batch. */
static int scan_batch(struct query_feed *f, struct evs_diag *diag)
{
	struct evs_batch *b;
	int rc = evs_scan_next(f->scan, &b, diag);

	note_progress(f);
	f->rows = rc > 0 ? b->rows : 0;
	if (!f->q->plan->grouped && rc > 0 && b->grown)
		f->q->grown = true;
	for (size_t i = 0; rc > 0 && i < f->q->nused; i++)
		f->batch[f->q->used[i]] = b->cols[i];
	return rc;
}

/* The same from a view, less the rows that WHERE leaves out. */
static int inner_batch(struct query_feed *f, struct evs_diag *diag)
{
	struct evs_query *q = f->q;
	struct evs_batch *b;
	uint32_t n;
	int rc;

	f->rows = 0;
	while ((rc = evs_query_next(q->inner, &b, diag)) > 0) {
		for (size_t c = 0; c < b->ncols; c++)
			f->batch[c] = b->cols[c];
		f->rows = b->rows;
		if (!q->plan->where)
			return 1;
		rc = evs_query_eval(f->eval, q->plan->where, f->batch, NULL, b->rows, &f->where,
				    diag);
		if (rc < 0)
			return rc;
		n = evs_query_true_rows(f->where.a, b->rows, &f->sel, &f->sel_cap);
		if (n == UINT32_MAX)
			return evs_fail_nomem(diag);
		for (size_t i = 0; i < q->nused && n && n < b->rows; i++) {
			uint16_t c = q->used[i];

			if (evs_query_take(&f->kept[c], &b->cols[c], f->sel, n) < 0)
				return evs_fail_nomem(diag);
			f->batch[c] = f->kept[c];
		}
		f->rows = n;
		if (n)
			return 1;
	}
	return rc;
}

/* The slice's codes of a column, where it has them and they say less than its rows. */
static void note_codes(struct query_feed *f, size_t i, uint32_t rows)
{
	const struct evs_coded *c = f->scan ? evs_scan_coded(f->scan, i) : NULL;
	uint16_t column = f->q->used[i];

	f->coded[column] = NULL;
	if (!c || c->values.rows > rows / 2)
		return;
	f->codes[column] = *c;
	f->codes[column].code += f->at;
	f->coded[column] = &f->codes[column];
}

int evs_query_feed_next(struct query_feed *f, uint32_t *rows, struct evs_diag *diag)
{
	struct evs_query *q = f->q;
	int rc = 1;

	if (f->at == f->rows) {
		f->at = 0;
		rc = q->inner ? inner_batch(f, diag) : scan_batch(f, diag);
		if (rc <= 0)
			return rc;
	}
	*rows = f->rows - f->at < QUERY_SLICE ? f->rows - f->at : QUERY_SLICE;
	for (size_t i = 0; i < q->nused; i++) {
		if (f->batch[q->used[i]]
			    .rows) /* else there are codes, or values in need_values() */
			f->slice[q->used[i]] = evs_array_view(&f->batch[q->used[i]], f->at, *rows);
		note_codes(f, i, *rows);
	}
	f->at += *rows;
	return 1;
}

/* ---- groups ---------------------------------------------------------------------------------- */

/*
 * The key of the distinct values, when it is one of a column with codes: the codes, or NULL. A
 * value that cannot be computed may be of rows that were left out, so then the rows are asked.
 */
static const uint32_t *key_by_codes(struct query_feed *f)
{
	const struct evs_select_plan *p = f->q->plan;
	const struct evs_coded *c;
	const uint16_t *column;
	struct evs_array rows;

	if (p->nkey != 1 || evs_expr_columns(p->key[0], &column) != 1 || !f->coded[*column] ||
	    !evs_expr_repeats(p->key[0]) || !evs_grouping_takes_codes(f->grouping))
		return NULL;
	c = f->coded[*column];
	rows = f->slice[*column];
	f->slice[*column] = c->values;
	if (evs_query_eval(f->eval, p->key[0], f->slice, NULL, c->values.rows, &f->key[0], NULL) <
	    0)
		c = NULL;
	else if (f->key[0].a == &f->slice[*column])
		f->key[0].a = &c->values;
	f->slice[*column] = rows;
	return c ? c->code : NULL;
}

/* The values of a key that was thought to do with its codes. */
static int need_values(struct query_feed *f, uint32_t rows, struct evs_diag *diag)
{
	uint16_t column;

	if (!f->by_codes)
		return 0;
	column = f->q->used[f->by_codes - 1];
	if (evs_scan_values(f->scan, f->by_codes - 1, f->rows, &f->batch[column]) < 0)
		return evs_fail_nomem(diag);
	f->slice[column] = evs_array_view(&f->batch[column], f->at - rows, rows);
	return 0;
}

static int group_slice(struct query_feed *f, uint32_t rows, struct evs_diag *diag)
{
	const struct evs_select_plan *p = f->q->plan;
	const uint32_t *code = key_by_codes(f);
	size_t at = 0;
	int rc = code ? 0 : need_values(f, rows, diag);

	for (size_t k = 0; k < p->nkey && rc == 0; k++) {
		if (!code)
			rc = evs_query_eval(f->eval, p->key[k], f->slice, f->coded, rows,
					    &f->key[k], diag);
		f->key_list[k] = f->key[k].a;
	}
	for (size_t j = 0; j < p->nagg && rc == 0; j++) {
		const struct evs_agg_call *call = &p->agg[j];

		f->in[j] = (struct evs_grouping_input){ .arg = &f->arg_list[at] };
		for (size_t i = 0; i < call->narg && rc == 0; i++, at++) {
			rc = evs_query_eval(f->eval, call->arg[i], f->slice, f->coded, rows,
					    &f->arg[at], diag);
			f->arg_list[at] = f->arg[at].a;
		}
		if (call->filter && rc == 0) {
			rc = evs_query_eval(f->eval, call->filter, f->slice, f->coded, rows,
					    &f->keep[j], diag);
			f->in[j].keep = f->keep[j].a;
		}
	}
	return rc < 0 ? rc : evs_grouping_add(f->grouping, f->key_list, code, f->in, rows, diag);
}

static int group_all(struct query_feed *f)
{
	uint32_t rows;
	int rc;

	while ((rc = evs_query_feed_next(f, &rows, &f->diag)) > 0) {
		rc = group_slice(f, rows, &f->diag);
		if (rc < 0)
			break;
	}
	if (rc == 0 && f->rollup_rc < 0) {
		rc = f->rollup_rc;
		f->diag = f->rollup_diag;
	}
	return rc;
}

static void *thread_main(void *arg)
{
	struct query_feed *f = arg;

	f->rc = group_all(f);
	return NULL;
}

int evs_query_feed_all(struct evs_query *q, struct evs_diag *diag)
{
	struct query_feed *first = &q->feed[0];

	for (unsigned i = 1; i < q->nfeeds; i++)
		q->feed[i].started = evs_thread_start(&q->feed[i].thread, thread_main, &q->feed[i]);
	first->rc = group_all(first);
	for (unsigned i = 1; i < q->nfeeds; i++) {
		struct query_feed *f = &q->feed[i];

		if (f->started)
			(void)pthread_join(f->thread, NULL);
		else
			f->rc = group_all(f);
		if (first->rc == 0 && f->rc == 0) {
			first->rc = evs_grouping_absorb(first->grouping, f->grouping, &first->diag);
		} else if (first->rc == 0) {
			first->rc = f->rc;
			first->diag = f->diag;
		}
		evs_grouping_free(f->grouping);
		f->grouping = NULL;
	}
	if (first->rc < 0 && diag)
		*diag = first->diag;
	return first->rc;
}
