/*
 * External merge sort. See order.h.
 *
 * Rows are gathered as columns; what is sorted are their numbers, each with the first eight bytes
 * of the first key in a form that compares as one number. Full memory becomes a sorted run on disk;
 * at the end at most FAN_IN runs are merged at a time, each with one block in memory.
 */
#include "src/query/order.h"

#include "format/bytes.h"
#include "src/diag.h"
#include "src/query/spill.h"

#include <stdlib.h>

#define FAN_IN	 16u
#define OUT_ROWS 4096u

/* A row in memory. */
struct item {
	uint64_t prefix;
	uint32_t row;
};

/* One run while it is merged. */
struct cursor {
	size_t block, end; /* blocks of the spill */
	struct evs_array *cols;
	uint32_t row, rows;
	uint64_t prefix;
};

struct evs_order {
	const struct evs_type **type;
	size_t ncols;
	struct evs_order_key *key;
	size_t nkeys;
	uint64_t limit;
	size_t cap;

	struct evs_array *cols; /* rows that were taken */
	uint32_t rows;
	struct item *item, *other; /* twice the room: merging needs it */
	size_t item_cap;
	bool cut; /* the first `limit` rows are the best of all before them, sorted */
	uint32_t *pick;
	uint32_t pick_cap;

	struct evs_spill *spill;
	size_t *run; /* first block of every run; nruns + 1 */
	size_t nruns;
	struct cursor *cur;
	size_t ncur;

	bool ended;
	uint32_t given;
	uint64_t out_rows;
	struct evs_array *out;
};

/* ---- comparing ------------------------------------------------------------------------------- */

static uint64_t wide_high(const struct evs_array *a, uint32_t i)
{
	return evs_get64(a->data + (size_t)i * 16 + 8) ^ (uint64_t)1 << 63;
}

static int compare_wide(const struct evs_array *a, uint32_t i, const struct evs_array *b, uint32_t j)
{
	uint64_t x = wide_high(a, i), y = wide_high(b, j);

	if (x == y) {
		x = evs_get64(a->data + (size_t)i * 16);
		y = evs_get64(b->data + (size_t)j * 16);
	}
	return (x > y) - (x < y);
}

int evs_order_compare(const struct evs_type *t, const struct evs_array *a, uint32_t i,
		      const struct evs_array *b, uint32_t j)
{
	if (t->id == EVS_T_DECIMAL && a->phys == EVS_FIXED)
		return compare_wide(a, i, b, j);
	return evs_array_compare(a, i, b, j);
}

static int compare_rows(const struct evs_order *o, const struct evs_array *a, uint32_t i,
			const struct evs_array *b, uint32_t j)
{
	for (size_t k = 0; k < o->nkeys; k++) {
		const struct evs_order_key *key = &o->key[k];
		const struct evs_array *x = &a[key->col], *y = &b[key->col];
		bool xn = evs_array_is_null(x, i), yn = evs_array_is_null(y, j);
		int c;

		if (xn && yn)
			continue;
		if (xn || yn)
			return xn == key->nulls_first ? -1 : 1;
		c = evs_order_compare(o->type[key->col], x, i, y, j);
		if (c)
			return key->desc ? -c : c;
	}
	return 0;
}

static uint64_t prefix_bytes(const struct evs_array *a, uint32_t row)
{
	uint64_t v = 0;
	size_t n;
	const uint8_t *p = evs_array_bytes(a, row, &n);

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | (i < n ? p[i] : 0);
	return v;
}

static uint64_t prefix_float(double d)
{
	uint64_t u;

	if (d != d)
		return UINT64_MAX;
	d += 0.0; /* -0 is 0 */
	memcpy(&u, &d, 8);
	return u >> 63 ? ~u : u | (uint64_t)1 << 63;
}

/* A number that never falls while the first key rises; rows of one number are compared in full. */
static uint64_t prefix_of(const struct evs_order *o, const struct evs_array *cols, uint32_t row)
{
	const struct evs_order_key *key = &o->key[0];
	const struct evs_array *a = &cols[key->col];
	uint64_t v;

	if (evs_array_is_null(a, row))
		return key->nulls_first ? 0 : UINT64_MAX;
	switch (a->phys) {
	case EVS_INT:
		v = evs_array_int(a, row) ^ (a->is_signed ? (uint64_t)1 << 63 : 0);
		break;
	case EVS_FLOAT:
		v = prefix_float(evs_array_float(a, row));
		break;
	case EVS_FIXED:
	case EVS_BYTES:
		v = o->type[key->col]->id == EVS_T_DECIMAL ? wide_high(a, row)
							   : prefix_bytes(a, row);
		break;
	default:
		v = 0;
	}
	return key->desc ? ~v : v;
}

static int compare_items(const struct evs_order *o, const struct item *x, const struct item *y)
{
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return compare_rows(o, o->cols, x->row, o->cols, y->row);
}

/* ---- sorting in memory ----------------------------------------------------------------------- */

/* Merge sort: stable, from runs of 8 made by insertion. The result is in o->item. */
static void sort_items(struct evs_order *o, size_t n)
{
	for (size_t from = 0; from < n; from += 8) {
		size_t end = n - from < 8 ? n : from + 8;

		for (size_t i = from + 1; i < end; i++) {
			struct item x = o->item[i];
			size_t j = i;

			for (; j > from && compare_items(o, &x, &o->item[j - 1]) < 0; j--)
				o->item[j] = o->item[j - 1];
			o->item[j] = x;
		}
	}
	for (size_t width = 8; width < n; width *= 2) {
		struct item *swap;

		for (size_t from = 0; from < n; from += 2 * width) {
			size_t a = from, mid = n - from < width ? n : from + width, b = mid;
			size_t end = n - from < 2 * width ? n : from + 2 * width, to = from;

			while (a < mid && b < end)
				o->other[to++] = compare_items(o, &o->item[b], &o->item[a]) < 0
							 ? o->item[b++]
							 : o->item[a++];
			while (a < mid)
				o->other[to++] = o->item[a++];
			while (b < end)
				o->other[to++] = o->item[b++];
		}
		swap = o->item;
		o->item = o->other;
		o->other = swap;
	}
}

/* Order all rows in memory: their numbers in o->item. */
static int sort_rows(struct evs_order *o)
{
	if (o->rows > o->item_cap) {
		free(o->item);
		free(o->other);
		o->item = malloc(o->rows * sizeof(*o->item));
		o->other = malloc(o->rows * sizeof(*o->other));
		o->item_cap = o->item && o->other ? o->rows : 0;
		if (!o->item_cap)
			return EVS_E_NOMEM;
	}
	for (uint32_t i = 0; i < o->rows; i++)
		o->item[i] = (struct item){ prefix_of(o, o->cols, i), i };
	sort_items(o, o->rows);
	return 0;
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

static void free_cursors(struct evs_order *o)
{
	for (size_t i = 0; i < o->ncur; i++)
		free_cols(o, o->cur[i].cols);
	free(o->cur);
	o->cur = NULL;
	o->ncur = 0;
}

void evs_order_free(struct evs_order *o)
{
	if (!o)
		return;
	free_cursors(o);
	free_cols(o, o->cols);
	free_cols(o, o->out);
	evs_spill_free(o->spill);
	free(o->type);
	free(o->key);
	free(o->item);
	free(o->other);
	free(o->pick);
	free(o->run);
	free(o);
}

uint64_t evs_order_spills(const struct evs_order *o)
{
	return o->nruns;
}

/* ---- rows in --------------------------------------------------------------------------------- */

static size_t memory_of(const struct evs_order *o)
{
	size_t n = o->rows * 2 * sizeof(*o->item);

	for (size_t c = 0; c < o->ncols; c++)
		n += evs_array_bytes_used(&o->cols[c]);
	return n;
}

/* Rows in a block of a run, so that FAN_IN of them fit beside each other. */
static uint32_t block_rows(const struct evs_order *o, uint64_t rows, size_t bytes)
{
	uint64_t n = rows * (o->cap / (2 * FAN_IN)) / (bytes + 1) + 1;

	return n > OUT_ROWS ? OUT_ROWS : (uint32_t)n;
}

/* A new run begins at the next block. */
static int begin_run(struct evs_order *o, struct evs_diag *diag)
{
	size_t *run = realloc(o->run, (o->nruns + 2) * sizeof(*run));
	int rc;

	if (!run)
		return evs_fail_nomem(diag);
	o->run = run;
	rc = o->spill ? 0 : evs_spill_new(&o->spill, diag);
	if (rc == 0)
		o->run[o->nruns] = evs_spill_blocks(o->spill);
	return rc;
}

static void end_run(struct evs_order *o)
{
	o->run[++o->nruns] = evs_spill_blocks(o->spill);
}

static int spill_rows(struct evs_order *o, struct evs_diag *diag)
{
	uint32_t per = block_rows(o, o->rows, memory_of(o)), want = o->rows;
	int rc = begin_run(o, diag);

	if (rc == 0 && sort_rows(o) < 0)
		rc = evs_fail_nomem(diag);
	if (o->limit && want > o->limit)
		want = (uint32_t)o->limit;
	for (uint32_t at = 0; at < want && rc == 0; at += per) {
		uint32_t n = want - at < per ? want - at : per;

		if (take_sorted(o, at, n, o->out) < 0)
			return evs_fail_nomem(diag);
		rc = evs_spill_put(o->spill, (uint32_t)o->nruns, o->out, o->ncols, n, diag);
	}
	if (rc < 0)
		return rc;
	end_run(o);
	for (size_t c = 0; c < o->ncols; c++)
		evs_array_trim(&o->cols[c], 0);
	o->rows = 0;
	o->cut = false;
	return 0;
}

/* Keep the best `limit` rows only. */
static int cut_rows(struct evs_order *o)
{
	uint32_t n = (uint32_t)o->limit;
	struct evs_array *swap;

	if (sort_rows(o) < 0 || take_sorted(o, 0, n, o->out) < 0)
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
	uint64_t worst = prefix_of(o, o->cols, last);

	for (uint32_t i = 0; i < rows; i++) {
		uint64_t p = prefix_of(o, cols, i);

		if (p < worst || (p == worst && compare_rows(o, cols, i, o->cols, last) < 0))
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

/* Load the cursor's next block; `rows` 0 at its end. */
static int load_block(struct evs_order *o, struct cursor *c, struct evs_diag *diag)
{
	int rc;

	c->row = c->rows = 0;
	if (c->block == c->end)
		return 0;
	rc = evs_spill_get(o->spill, c->block, c->cols, o->ncols, diag);
	if (rc == 0) {
		c->rows = evs_spill_rows(o->spill, c->block++);
		c->prefix = prefix_of(o, c->cols, 0);
	}
	return rc;
}

/* Cursors over runs [from, from + n). */
static int open_cursors(struct evs_order *o, size_t from, size_t n, struct evs_diag *diag)
{
	int rc = 0;

	free_cursors(o);
	o->cur = calloc(n, sizeof(*o->cur));
	if (!o->cur)
		return evs_fail_nomem(diag);
	o->ncur = n;
	for (size_t i = 0; i < n && rc == 0; i++) {
		o->cur[i].block = o->run[from + i];
		o->cur[i].end = o->run[from + i + 1];
		o->cur[i].cols = make_cols(o);
		rc = o->cur[i].cols ? load_block(o, &o->cur[i], diag) : evs_fail_nomem(diag);
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
				 compare_rows(o, c->cols, c->row, best->cols, best->row) < 0)))
			best = c;
	}
	return best;
}

/* Up to `want` merged rows into o->out; `*n` how many. */
static int merge_rows(struct evs_order *o, uint32_t want, uint32_t *n, struct evs_diag *diag)
{
	struct cursor *c;
	int rc = 0;

	for (size_t i = 0; i < o->ncols; i++)
		evs_array_reset(&o->out[i]);
	for (*n = 0; *n < want && rc == 0 && (c = least(o)) != NULL; ++*n) {
		for (size_t i = 0; i < o->ncols; i++)
			if (evs_array_append_range(&o->out[i], &c->cols[i], c->row, 1) < 0)
				return evs_fail_nomem(diag);
		if (++c->row == c->rows)
			rc = load_block(o, c, diag);
		else
			c->prefix = prefix_of(o, c->cols, c->row);
	}
	return rc;
}

/* Merge runs [from, from + n) into a new one behind all others. */
static int merge_runs(struct evs_order *o, size_t from, size_t n, struct evs_diag *diag)
{
	uint32_t rows, per = 1;
	int rc = open_cursors(o, from, n, diag);

	for (size_t i = 0; i < o->ncur; i++)
		per = o->cur[i].rows > per ? o->cur[i].rows : per;
	if (rc == 0)
		rc = begin_run(o, diag);
	while (rc == 0 && (rc = merge_rows(o, per, &rows, diag)) == 0 && rows)
		rc = evs_spill_put(o->spill, (uint32_t)o->nruns, o->out, o->ncols, rows, diag);
	if (rc == 0)
		end_run(o);
	return rc;
}

/*
 * Everything is in: what is on disk becomes few enough runs. Neighbours are merged, pass by pass, so
 * that runs stay in the order in which their rows came.
 */
static int end_rows(struct evs_order *o, struct evs_diag *diag)
{
	size_t from = 0;
	int rc = 0;

	o->ended = true;
	if (!o->spill)
		return sort_rows(o) < 0 ? evs_fail_nomem(diag) : 0;
	if (o->rows)
		rc = spill_rows(o, diag);
	while (o->nruns - from > FAN_IN && rc == 0) {
		for (size_t end = o->nruns, n; from < end && rc == 0; from += n) {
			n = end - from < FAN_IN ? end - from : FAN_IN;
			rc = merge_runs(o, from, n, diag);
		}
	}
	return rc < 0 ? rc : open_cursors(o, from, o->nruns - from, diag);
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
	if (o->spill) {
		rc = merge_rows(o, want, rows, diag);
	} else {
		*rows = o->rows - o->given < want ? o->rows - o->given : want;
		if (take_sorted(o, o->given, *rows, o->out) < 0)
			rc = evs_fail_nomem(diag);
		o->given += *rows;
	}
	o->out_rows += *rows;
	return rc < 0 ? rc : *rows > 0;
}
