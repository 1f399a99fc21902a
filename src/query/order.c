/*
 * External merge sort. See order.h.
 *
 * Rows are gathered as columns; what is sorted are their numbers, each with the highest 32 bits in
 * which rows differ, of the first eight bytes of the first key in a form that compares as one
 * number. Full memory becomes a sorted run on disk; at the end at most FAN_IN runs, these and those
 * that come sorted, are merged at a time, each with one block in memory.
 */
#include "src/query/order_state.h"

#include "src/diag.h"

#include <stdlib.h>
#include <string.h>

#define FAN_IN	   16u
#define OUT_ROWS   4096u
#define LOOK_EVERY 16u /* rows, at how large a block has become */

/* ---- making ---------------------------------------------------------------------------------- */

static struct evs_array *make_cols(const struct evs_order *o)
{
	struct evs_array *cols = calloc(o->ncols + 1, sizeof(*cols));

	for (size_t c = 0; cols && c < o->ncols; c++) {
		if (evs_type_array(o->type[c], &cols[c]) == 0)
			continue;
		while (c-- > 0)
			evs_array_release(&cols[c]);
		free(cols);
		return NULL;
	}
	return cols;
}

static void free_cols(const struct evs_order *o, struct evs_array *cols)
{
	for (size_t c = 0; cols && c < o->ncols; c++)
		evs_array_release(&cols[c]);
	free(cols);
}

int evs_order_new(struct evs_order **out, const struct evs_type *const *type, size_t ncols,
		  const struct evs_order_key *key, size_t nkeys, uint64_t limit, size_t cap)
{
	struct evs_order *o = calloc(1, sizeof(*o));

	if (!o)
		return EVS_E_NOMEM;
	o->ncols = ncols;
	o->nkeys = nkeys;
	o->limit = limit;
	o->cap = cap;
	o->type = calloc(ncols + 1, sizeof(*o->type));
	o->key = calloc(nkeys + 1, sizeof(*o->key));
	if (!o->type || !o->key)
		goto failed;
	memcpy(o->type, type, ncols * sizeof(*type));
	memcpy(o->key, key, nkeys * sizeof(*key));
	o->cols = make_cols(o);
	o->out = make_cols(o);
	if (!o->cols || !o->out)
		goto failed;
	*out = o;
	return 0;
failed:
	evs_order_free(o);
	return EVS_E_NOMEM;
}

static void close_source(struct run *r)
{
	if (r->source.close)
		r->source.close(r->source.arg);
	r->source = (struct evs_order_source){ 0 };
}

static void free_cursors(struct evs_order *o)
{
	for (size_t i = 0; i < o->ncur; i++) {
		free_cols(o, o->cur[i].own);
		close_source(&o->cur[i].run);
	}
	free(o->cur);
	o->cur = NULL;
	o->ncur = 0;
}

void evs_order_free(struct evs_order *o)
{
	if (!o)
		return;
	free_cursors(o);
	for (size_t i = 0; i < o->nruns; i++)
		close_source(&o->run[i]);
	free_cols(o, o->cols);
	free_cols(o, o->out);
	evs_spill_free(o->spill);
	free(o->type);
	free(o->key);
	free(o->item);
	free(o->pick);
	free(o->run);
	free(o);
}

void evs_order_two_threads(struct evs_order *o)
{
	o->two = true;
}

uint64_t evs_order_spills(const struct evs_order *o)
{
	return o->spills;
}

static int need_pick(struct evs_order *o, uint32_t n)
{
	if (n <= o->pick_cap)
		return 0;
	free(o->pick);
	o->pick = malloc(n * sizeof(*o->pick));
	o->pick_cap = o->pick ? n : 0;
	return o->pick ? 0 : EVS_E_NOMEM;
}

/* Rows [at, at + n) of the order into `to`, which is emptied first. */
static int take_sorted(struct evs_order *o, uint32_t at, uint32_t n, struct evs_array *to)
{
	int rc = need_pick(o, n);

	for (uint32_t i = 0; i < n && rc == 0; i++)
		o->pick[i] = o->item[at + i].row;
	for (size_t c = 0; c < o->ncols && rc == 0; c++) {
		evs_array_reset(&to[c]);
		rc = evs_array_take(&to[c], &o->cols[c], o->pick, n);
	}
	return rc;
}

/* ---- rows in --------------------------------------------------------------------------------- */

static size_t bytes_of(const struct evs_order *o, const struct evs_array *cols)
{
	size_t n = 0;

	for (size_t c = 0; c < o->ncols; c++)
		n += evs_array_bytes_used(&cols[c]);
	return n;
}

static size_t memory_of(const struct evs_order *o)
{
	return o->rows * sizeof(*o->item) + bytes_of(o, o->cols);
}

/* Bytes of a block, so that FAN_IN of them fit beside each other. */
static size_t block_bytes(const struct evs_order *o)
{
	return o->cap / (2 * FAN_IN);
}

/*
 * Rows of the order from `at` on into o->out: as many as make a block, at most `most`; how many, or
 * 0 when memory fails. Tried are first as many as would be one on average; neighbours may be much
 * longer than the rest: NULLs are all at one end.
 */
static uint32_t take_block(struct evs_order *o, uint32_t at, uint32_t most)
{
	size_t average = 2 * block_bytes(o) / (bytes_of(o, o->cols) / o->rows + 1) + 1;
	uint32_t n = most < OUT_ROWS ? most : OUT_ROWS;

	for (n = n < average ? n : (uint32_t)average;; n = (n + 1) / 2) {
		if (take_sorted(o, at, n, o->out) < 0)
			return 0;
		if (n == 1 || bytes_of(o, o->out) <= 2 * block_bytes(o))
			return n;
	}
}

/* Room for a run in front of run `at`, which is empty at first. */
static int insert_run(struct evs_order *o, size_t at, struct evs_diag *diag)
{
	if (o->nruns == o->run_cap) {
		size_t cap = o->run_cap ? 2 * o->run_cap : 16;
		struct run *grown = realloc(o->run, cap * sizeof(*grown));

		if (!grown)
			return evs_fail_nomem(diag);
		o->run = grown;
		o->run_cap = cap;
	}
	memmove(o->run + at + 1, o->run + at, (o->nruns - at) * sizeof(*o->run));
	o->run[at] = (struct run){ 0 };
	o->nruns++;
	return 0;
}

/* A run of blocks yet to be put. */
static int begin_blocks(struct evs_order *o, struct run *r, struct evs_diag *diag)
{
	int rc = o->spill ? 0 : evs_spill_new(&o->spill, diag);

	*r = (struct run){ 0 };
	if (rc == 0)
		r->block = r->end = evs_spill_blocks(o->spill);
	return rc;
}

/* Put o->out behind the others. */
static int put_block(struct evs_order *o, struct run *r, uint32_t rows, struct evs_diag *diag)
{
	int rc = evs_spill_put(o->spill, 0, o->out, o->ncols, rows, diag);
	size_t bytes = bytes_of(o, o->out);

	r->end = evs_spill_blocks(o->spill);
	r->bytes += bytes;
	o->largest = bytes > o->largest ? bytes : o->largest;
	return rc;
}

static int spill_rows(struct evs_order *o, struct evs_diag *diag)
{
	uint32_t want = o->rows, n;
	struct run r;
	int rc = begin_blocks(o, &r, diag);

	if (rc == 0 && evs_order_sort(o, false) < 0)
		rc = evs_fail_nomem(diag);
	if (o->limit && want > o->limit)
		want = (uint32_t)o->limit;
	for (uint32_t at = 0; at < want && rc == 0; at += n) {
		n = take_block(o, at, want - at);
		if (!n)
			return evs_fail_nomem(diag);
		rc = put_block(o, &r, n, diag);
	}
	if (rc == 0)
		rc = insert_run(o, o->nruns, diag);
	if (rc < 0)
		return rc;
	o->run[o->nruns - 1] = r;
	o->spills++;
	for (size_t c = 0; c < o->ncols; c++)
		evs_array_reset(&o->cols[c]);
	o->rows = 0;
	o->cut = false;
	return 0;
}

/* Keep the best `limit` rows only. */
static int cut_rows(struct evs_order *o)
{
	uint32_t n = (uint32_t)o->limit;
	struct evs_array *swap;

	if (evs_order_sort(o, false) < 0 || take_sorted(o, 0, n, o->out) < 0)
		return EVS_E_NOMEM;
	swap = o->cols;
	o->cols = o->out;
	o->out = swap;
	for (size_t c = 0; c < o->ncols; c++)
		evs_array_trim(&o->out[c], 1 << 16);
	o->rows = n;
	o->cut = true;
	return 0;
}

/*
 * Rows of the batch that may be among the best: those before the worst one kept. Numbers into
 * o->pick; how many. The comparison with `limit` rows that came before makes it stable.
 */
static uint32_t pick_better(const struct evs_order *o, const struct evs_array *cols, uint32_t rows)
{
	uint32_t n = 0, last = (uint32_t)o->limit - 1;
	uint64_t worst = evs_order_prefix(o, o->cols, last);

	for (uint32_t i = 0; i < rows; i++) {
		uint64_t p = evs_order_prefix(o, cols, i);

		if (p < worst || (p == worst && evs_order_rows(o, cols, i, o->cols, last) < 0))
			o->pick[n++] = i;
	}
	return n;
}

int evs_order_add(struct evs_order *o, const struct evs_array *cols, uint32_t rows,
		  struct evs_diag *diag)
{
	uint32_t n = rows;
	int rc = 0;

	if (o->cut) {
		if (need_pick(o, rows) < 0)
			return evs_fail_nomem(diag);
		n = pick_better(o, cols, rows);
	}
	for (size_t c = 0; c < o->ncols && n && rc == 0; c++)
		rc = o->cut ? evs_array_take(&o->cols[c], &cols[c], o->pick, n)
			    : evs_array_append_range(&o->cols[c], &cols[c], 0, n);
	o->rows += n;
	if (rc == 0 && o->limit && o->rows / 2 >= o->limit && o->rows >= OUT_ROWS + o->limit)
		rc = cut_rows(o);
	if (rc < 0)
		return evs_fail_nomem(diag);
	return memory_of(o) > o->cap && o->rows > 1 ? spill_rows(o, diag) : 0;
}

/* ---- merging --------------------------------------------------------------------------------- */

/* Load the cursor's next rows; `rows` 0 at its end. */
static int load_rows(struct evs_order *o, struct cursor *c, struct evs_diag *diag)
{
	int rc;

	c->row = c->rows = 0;
	if (c->run.source.next) {
		rc = c->run.source.next(c->run.source.arg, &c->cols, &c->rows, diag);
		if (rc == 0)
			c->rows = 0;
	} else if (c->run.block == c->run.end) {
		return 0;
	} else {
		c->cols = c->own;
		for (size_t i = 0; i < o->ncols; i++)
			evs_array_trim(&c->own[i], 2 * block_bytes(o));
		rc = evs_spill_get(o->spill, c->run.block, c->own, o->ncols, diag);
		if (rc == 0)
			c->rows = evs_spill_rows(o->spill, c->run.block++);
	}
	if (rc >= 0 && c->rows) {
		c->prefix = evs_order_prefix(o, c->cols, 0);
		c->large = bytes_of(o, c->cols) / c->rows > block_bytes(o) / LOOK_EVERY;
	}
	return rc < 0 ? rc : 0;
}

/* Cursors over runs [from, from + n), which leave the list. */
static int open_cursors(struct evs_order *o, size_t from, size_t n, struct evs_diag *diag)
{
	int rc = 0;

	free_cursors(o);
	o->cur = calloc(n + 1, sizeof(*o->cur));
	if (!o->cur)
		return evs_fail_nomem(diag);
	o->ncur = n;
	for (size_t i = 0; i < n; i++)
		o->cur[i].run = o->run[from + i];
	memmove(o->run + from, o->run + from + n, (o->nruns - from - n) * sizeof(*o->run));
	o->nruns -= n;
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct cursor *c = &o->cur[i];

		if (!c->run.source.next && !(c->own = make_cols(o)))
			return evs_fail_nomem(diag);
		rc = load_rows(o, c, diag);
	}
	return rc;
}

/* The cursor with the least row; of equal ones the earliest run. NULL at the end. */
static struct cursor *least(struct evs_order *o)
{
	struct cursor *best = NULL;

	for (size_t i = 0; i < o->ncur; i++) {
		struct cursor *c = &o->cur[i];

		if (c->rows && (!best || c->prefix < best->prefix ||
				(c->prefix == best->prefix &&
				 evs_order_rows(o, c->cols, c->row, best->cols, best->row) < 0)))
			best = c;
	}
	return best;
}

/* Up to `want` merged rows into o->out, about a block of them at most; `*n` how many. */
static int merge_rows(struct evs_order *o, uint32_t want, uint32_t *n, struct evs_diag *diag)
{
	struct cursor *c;
	int rc = 0;

	for (size_t i = 0; i < o->ncols; i++)
		evs_array_reset(&o->out[i]);
	for (*n = 0; *n < want && rc == 0 && (c = least(o)) != NULL; ++*n) {
		if (*n && (c->large || *n % LOOK_EVERY == LOOK_EVERY - 1) &&
		    bytes_of(o, o->out) >= block_bytes(o))
			break;
		for (size_t i = 0; i < o->ncols; i++)
			if (evs_array_append_range(&o->out[i], &c->cols[i], c->row, 1) < 0)
				return evs_fail_nomem(diag);
		if (++c->row == c->rows)
			rc = load_rows(o, c, diag);
		else
			c->prefix = evs_order_prefix(o, c->cols, c->row);
	}
	return rc;
}

/* Merge runs [from, from + n) into one in their place. */
static int merge_runs(struct evs_order *o, size_t from, size_t n, struct evs_diag *diag)
{
	struct run r;
	uint32_t rows;
	int rc = open_cursors(o, from, n, diag);

	if (rc == 0)
		rc = begin_blocks(o, &r, diag);
	while (rc == 0 && (rc = merge_rows(o, OUT_ROWS, &rows, diag)) == 0 && rows)
		rc = put_block(o, &r, rows, diag);
	if (rc == 0)
		rc = insert_run(o, from, diag);
	if (rc == 0)
		o->run[from] = r;
	return rc;
}

/* How many runs are merged at a time: a block of each is in memory, and rows may be larger than a
 * block should be. */
static size_t fan_in(const struct evs_order *o)
{
	size_t n = o->largest > 2 * block_bytes(o) ? 2 * o->cap / o->largest : FAN_IN;

	return n < 2 ? 2 : n > FAN_IN ? FAN_IN : n;
}

/* The `n` neighbours that are the least to merge. */
static size_t cheapest(const struct evs_order *o, size_t n)
{
	uint64_t bytes = 0, least;
	size_t best = 0;

	for (size_t i = 0; i < n; i++)
		bytes += o->run[i].bytes;
	least = bytes;
	for (size_t i = n; i < o->nruns; i++) {
		bytes += o->run[i].bytes - o->run[i - n].bytes;
		if (bytes < least) {
			least = bytes;
			best = i - n + 1;
		}
	}
	return best;
}

/*
 * Everything is in: runs become few enough to be merged at once. Neighbours are merged, as few as
 * will do and those with the fewest bytes, so that runs stay in the order in which their rows came
 * and large ones are passed on once.
 */
static int end_rows(struct evs_order *o, struct evs_diag *diag)
{
	int rc = 0;

	o->ended = true;
	o->merging = o->nruns > 0;
	if (!o->merging)
		return evs_order_sort(o, o->two) < 0 ? evs_fail_nomem(diag) : 0;
	if (o->rows)
		rc = spill_rows(o, diag);
	for (size_t c = 0; c < o->ncols; c++) {
		evs_array_trim(&o->cols[c], 0);
		evs_array_trim(&o->out[c], 0);
	}
	while (o->nruns > fan_in(o) && rc == 0) {
		size_t fan = fan_in(o), n = o->nruns - fan + 1 < fan ? o->nruns - fan + 1 : fan;

		rc = merge_runs(o, cheapest(o, n), n, diag);
	}
	return rc < 0 ? rc : open_cursors(o, 0, o->nruns, diag);
}

int evs_order_run(struct evs_order *o, const struct evs_order_source *source, uint64_t bytes,
		  struct evs_diag *diag)
{
	int rc = o->rows ? spill_rows(o, diag) : 0;

	if (rc == 0)
		rc = insert_run(o, o->nruns, diag);
	if (rc < 0) {
		source->close(source->arg);
		return rc;
	}
	o->run[o->nruns - 1] = (struct run){ .source = *source, .bytes = bytes };
	return 0;
}

int evs_order_next(struct evs_order *o, struct evs_array **cols, uint32_t *rows,
		   struct evs_diag *diag)
{
	uint32_t want = OUT_ROWS;
	int rc = o->ended ? 0 : end_rows(o, diag);

	if (rc < 0)
		return rc;
	if (o->limit && o->limit - o->out_rows < want)
		want = (uint32_t)(o->limit - o->out_rows);
	*cols = o->out;
	if (o->merging) {
		rc = merge_rows(o, want, rows, diag);
	} else {
		*rows = o->rows - o->given < want ? o->rows - o->given : want;
		if (*rows && !(*rows = take_block(o, o->given, *rows)))
			rc = evs_fail_nomem(diag);
		o->given += *rows;
	}
	o->out_rows += *rows;
	return rc < 0 ? rc : *rows > 0;
}
