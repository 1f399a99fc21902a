/*
 * The rows of a segment in the order of the sort key. See compact.h.
 *
 * The largest sorted stretches are read side by side, each through a scan of its own; all the rest
 * is sorted in memory, in pieces that go to disk when they are too many. Rows bear their number in
 * the segment as a last column, which decides among equal keys, so that it does not matter which
 * way a row came.
 */
#include "src/upkeep/compact.h"

#include "src/diag.h"

#include <stdlib.h>

#define SORT_MEMORY  ((size_t)12 << 20)
#define SIDE_BY_SIDE 2u /* stretches that are read at a time; each has a group in memory */
#define UNPACKED     8u /* a stored byte is so many in memory, about */

struct compact_rows {
	struct compact_job *job;
	const struct evs_type **type;
	struct evs_type number; /* UInt64 */
	size_t ncols;		/* of the table and the number */
	struct evs_order *order;
	struct evs_merge *merge;
	uint64_t taken;
};

/* Rows of one stretch. */
struct source {
	struct compact_rows *rows;
	struct compact_stretch stretch;
	struct evs_scan *scan;
	struct evs_array *cols; /* of the batch: borrowed, but for the number */
	struct evs_array number;
	uint64_t next_row;
};

/* ---- scans ----------------------------------------------------------------------------------- */

static void on_damage(void *arg, const struct evs_damage *d)
{
	struct compact_job *j = arg;

	if (d->torn || j->damaged) /* a torn end costs no row, and is set aside under the lock */
		return;
	j->damaged = true;
	(void)evs_fail_off(&j->damage, EVS_E_FORMAT, d->path, d->off, d->what);
}

int evs_compact_scan(struct compact_job *j, struct evs_scan **out, const struct evs_place *from,
		     uint64_t to, const uint16_t *columns, size_t ncolumns, struct evs_diag *diag)
{
	const struct evs_scan_opts opts = { .on_damage = on_damage, .arg = j };
	const struct evs_table *t;
	int rc = evs_scan_open(out, &j->path, 1, &opts, diag);

	if (rc < 0)
		return rc;
	t = evs_scan_table(*out);
	if (t->text_len != j->table->text_len || memcmp(t->text, j->table->text, t->text_len) != 0)
		return evs_fail(diag, EVS_E_SCHEMA, "the schema was changed meanwhile: try again");
	evs_scan_stored(*out, from, to ? to - 1 : UINT64_MAX);
	return evs_scan_choose(*out, columns, ncolumns, diag);
}

/* ---- sources --------------------------------------------------------------------------------- */

static void source_close(void *arg)
{
	struct source *s = arg;

	evs_scan_close(s->scan);
	evs_array_release(&s->number);
	free(s->cols);
	free(s);
}

static int source_new(struct source **out, struct compact_rows *r,
		      const struct compact_stretch *stretch)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return EVS_E_NOMEM;
	s->rows = r;
	s->stretch = *stretch;
	s->next_row = stretch->from.row;
	s->cols = calloc(r->ncols, sizeof(*s->cols));
	if (!s->cols || evs_type_array(&r->number, &s->number) < 0) {
		source_close(s);
		return EVS_E_NOMEM;
	}
	*out = s;
	return 0;
}

static int open_scan(struct source *s, struct evs_diag *diag)
{
	struct compact_job *j = s->rows->job;
	uint16_t n = j->table->ncols, *all = calloc((size_t)n + 1, sizeof(*all));
	int rc;

	if (!all)
		return evs_fail_nomem(diag);
	for (uint16_t c = 0; c < n; c++)
		all[c] = c;
	rc = evs_compact_scan(j, &s->scan, &s->stretch.from, s->stretch.to, all, n, diag);
	free(all);
	return rc;
}

static int source_next(void *arg, struct evs_array **cols, uint32_t *rows, struct evs_diag *diag)
{
	struct source *s = arg;
	struct compact_job *j = s->rows->job;
	struct evs_batch *b = NULL;
	int rc = s->scan ? 0 : open_scan(s, diag);

	if (rc == 0 && j->opts->stop && j->opts->stop(j->opts->arg))
		rc = evs_fail(diag, EVS_S_STOP, "stopped");
	if (rc == 0)
		rc = evs_scan_next(s->scan, &b, diag);
	if (rc >= 0 && j->damaged) {
		if (diag)
			*diag = j->damage;
		return EVS_E_FORMAT;
	}
	if (rc <= 0)
		return rc;
	evs_array_reset(&s->number);
	for (uint32_t i = 0; i < b->rows; i++)
		if (evs_array_append_int(&s->number, s->next_row++) < 0)
			return evs_fail_nomem(diag);
	memcpy(s->cols, b->cols, b->ncols * sizeof(*s->cols));
	s->cols[b->ncols] = s->number;
	*cols = s->cols;
	*rows = b->rows;
	s->rows->taken += b->rows;
	if (j->on_rows)
		j->on_rows(j->arg, b->rows);
	return 1;
}

/* ---- sorting and merging --------------------------------------------------------------------- */

static int open_order(struct compact_rows *r, bool merge)
{
	const struct compact_job *j = r->job;
	const struct evs_table *t = j->table;
	struct evs_merge_spec spec = {
		.type = r->type, .ncols = r->ncols, .deleted = -1, .cap = SORT_MEMORY
	};
	struct evs_order_key *key = calloc((size_t)j->nkey + 1, sizeof(*key));
	bool *add = calloc(r->ncols, sizeof(*add));
	int rc = EVS_E_NOMEM;

	if (!key || !add)
		goto out;
	for (uint16_t k = 0; k < j->nkey; k++)
		key[k] = (struct evs_order_key){ .col = j->key[k], .nulls_first = true };
	key[j->nkey] = (struct evs_order_key){ .col = t->ncols };
	spec.key = key;
	spec.nkeys = (size_t)j->nkey + 1;
	spec.ncompare = j->ncompare;
	for (uint16_t c = 0; c < t->ncols; c++)
		add[c] = evs_merge_adds(t, c);
	spec.add = t->engine == EVS_ENGINE_SUMMING ? add : NULL;
	/* A row that says that it is deleted stays: older ones may come yet, and it must outlast
	 * them. */
	rc = merge ? evs_merge_new(&r->merge, &spec)
		   : evs_order_new(&r->order, r->type, r->ncols, key, spec.nkeys, 0, SORT_MEMORY);
out:
	free(key);
	free(add);
	return rc;
}

int evs_compact_rows_open(struct compact_rows **out, struct compact_job *j, bool merge,
			  struct evs_diag *diag)
{
	struct compact_rows *r = calloc(1, sizeof(*r));
	int rc = EVS_E_NOMEM;

	if (!r)
		return evs_fail_nomem(diag);
	r->job = j;
	r->number.id = EVS_T_UINT64;
	r->ncols = (size_t)j->table->ncols + 1;
	r->type = calloc(r->ncols, sizeof(*r->type));
	if (r->type) {
		for (uint16_t c = 0; c < j->table->ncols; c++)
			r->type[c] = &j->table->cols[c].type;
		r->type[j->table->ncols] = &r->number;
		rc = open_order(r, merge);
	}
	if (rc < 0) {
		evs_compact_rows_close(r);
		return evs_fail_nomem(diag);
	}
	*out = r;
	return 0;
}

void evs_compact_rows_close(struct compact_rows *r)
{
	if (!r)
		return;
	evs_order_free(r->order);
	evs_merge_free(r->merge);
	free(r->type);
	free(r);
}

/* Read a stretch now, into memory. `*end` (not NULL) becomes the place behind it. */
static int gather(struct compact_rows *r, const struct compact_stretch *stretch,
		  struct evs_place *end, struct evs_diag *diag)
{
	struct source *s = NULL;
	struct evs_array *cols;
	uint32_t rows;
	int rc = source_new(&s, r, stretch) < 0 ? evs_fail_nomem(diag) : 0;

	while (rc >= 0 && (rc = source_next(s, &cols, &rows, diag)) > 0) {
		if (end)
			evs_segment_place(evs_scan_segment(s->scan), end);
		rc = r->merge ? evs_merge_add(r->merge, cols, rows, diag)
			      : evs_order_add(r->order, cols, rows, diag);
	}
	if (s)
		source_close(s);
	return rc;
}

/* Read a stretch, which is sorted, while it is merged with others. */
static int take_sorted(struct compact_rows *r, const struct compact_stretch *stretch,
		       struct evs_diag *diag)
{
	struct evs_order_source source = { .next = source_next, .close = source_close };
	struct source *s = NULL;

	if (source_new(&s, r, stretch) < 0)
		return evs_fail_nomem(diag);
	source.arg = s;
	return r->merge ? evs_merge_run(r->merge, &source, stretch->bytes * UNPACKED, diag)
			: evs_order_run(r->order, &source, stretch->bytes * UNPACKED, diag);
}

/* The largest sorted stretches: each that is read beside the others costs memory. */
static void choose_beside(struct compact_job *j)
{
	for (unsigned n = 0; n < SIDE_BY_SIDE; n++) {
		struct compact_stretch *best = NULL;

		for (size_t i = 0; i < j->nstretches; i++) {
			struct compact_stretch *s = &j->stretch[i];

			if (s->sorted && !s->beside && (!best || s->bytes > best->bytes))
				best = s;
		}
		if (!best)
			return;
		best->beside = true;
	}
}

int evs_compact_rows_plan(struct compact_rows *r, struct evs_diag *diag)
{
	struct compact_job *j = r->job;
	int rc = 0;

	choose_beside(j);
	for (size_t i = 0; i < j->nstretches && rc == 0; i++)
		if (!j->stretch[i].beside)
			rc = gather(r, &j->stretch[i], NULL, diag);
	for (size_t i = 0; i < j->nstretches && rc == 0; i++)
		if (j->stretch[i].beside)
			rc = take_sorted(r, &j->stretch[i], diag);
	return rc;
}

int evs_compact_rows_since(struct compact_rows *r, uint64_t upto, struct evs_diag *diag)
{
	const struct compact_stretch rest = { .from = r->job->end, .to = upto };
	int rc = gather(r, &rest, &r->job->end, diag);

	r->job->rows += rc == 0 ? r->taken : 0;
	return rc;
}

uint64_t evs_compact_rows_taken(const struct compact_rows *r)
{
	return r->taken;
}

int evs_compact_rows_next(struct compact_rows *r, struct evs_array **cols, uint32_t *rows,
			  struct evs_diag *diag)
{
	return r->merge ? evs_merge_next(r->merge, cols, rows, diag)
			: evs_order_next(r->order, cols, rows, diag);
}
