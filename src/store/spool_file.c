/*
 * The spool's way back: one segment after the other is read from the temporary files, where
 * spool_spill.c has put them. All spills are read forward side by side.
 */
#include "src/store/spool_impl.h"

#include "src/diag.h"
#include "src/store/io.h"

#include <stdlib.h>
#include <string.h>

bool evs_spool_spilled(const struct evs_spool *s)
{
	return s->nchunks;
}

/* There must be room for another spill, and for the one of evs_spool_begin_read(): two chunks each. */
bool evs_spool_must_flush(const struct evs_spool *s)
{
	return s->nchunks + 4 > SPOOL_MAX_CHUNKS || s->nsegs >= EVS_SPOOL_MAX_SEGMENTS ||
	       s->arena.len >= EVS_SPOOL_MAX_NAMES;
}

void evs_spool_file_release(struct evs_spool *s)
{
	for (uint32_t i = 0; i < s->nchunks; i++)
		free(s->chunks[i].win);
	free(s->chunks);
	for (unsigned i = 0; i < 2; i++) {
		struct spool_out *o = &s->out[i];

		evs_io_close(o->fd);
		evs_spool_out_release(s, o);
	}
}

int evs_spool_file_reset(struct evs_spool *s, struct evs_diag *diag)
{
	int rc = 0;

	for (uint32_t i = 0; i < s->nchunks; i++)
		free(s->chunks[i].win);
	s->nchunks = 0;
	s->given = 0;
	for (unsigned i = 0; i < 2 && rc == 0; i++) {
		if (!s->out[i].end)
			continue;
		s->out[i].end = 0;
		rc = evs_io_truncate(s->out[i].fd, 0, s->dir, diag);
	}
	return rc;
}

/* ---- reading back ---------------------------------------------------------------------------- */

/* Once something was spilled the rest is too: one way to read it back, and its memory is free for
 * the groups. */
int evs_spool_begin_read(struct evs_spool *s, struct evs_helper *helper, struct evs_diag *diag)
{
	int rc;

	s->given = 0;
	if (!s->nchunks)
		return evs_spool_order(s) < 0 ? evs_fail_nomem(diag) : 0;
	rc = evs_spool_spill(s, helper, diag);
	if (rc == 0)
		evs_spool_forget_rows(s, 0);
	for (unsigned i = 0; i < 2; i++)
		evs_spool_out_release(s, &s->out[i]);
	return rc;
}

static int chunk_bytes(struct evs_spool *s, struct spool_chunk *c, size_t n, const uint8_t **p,
		       struct evs_diag *diag)
{
	size_t want = n > SPOOL_CHUNK_WINDOW ? n : SPOOL_CHUNK_WINDOW;
	int rc;

	if (c->pos < c->win_off || c->pos + n > c->win_off + c->win_len) {
		if (want > c->end - c->pos)
			want = (size_t)(c->end - c->pos);
		if (want < n)
			return evs_fail_off(diag, EVS_E_FORMAT, s->dir, c->pos,
					    "the temporary file is damaged");
		if (want > c->win_cap || c->win_cap > 8 * SPOOL_CHUNK_WINDOW) {
			size_t cap = want > SPOOL_CHUNK_WINDOW ? want : SPOOL_CHUNK_WINDOW;
			uint8_t *win = realloc(c->win, cap);

			if (!win)
				return evs_fail_nomem(diag);
			c->win = win;
			c->win_cap = cap;
		}
		rc = evs_io_pread(c->fd, c->win, want, c->pos, s->dir, diag);
		if (rc < 0)
			return rc;
		c->win_off = c->pos;
		c->win_len = want;
	}
	*p = c->win + (size_t)(c->pos - c->win_off);
	return 0;
}

int evs_spool_reader_new(struct evs_spool_reader **out, const struct evs_spool *s)
{
	struct evs_spool_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return EVS_E_NOMEM;
	r->ncols = s->ncols;
	*out = r;
	return 0;
}

/* What only rows that were spilled need; most flushes have none. */
static int reader_ready(const struct evs_spool *s, struct evs_spool_reader *r,
			struct evs_diag *diag)
{
	if ((!r->dec && evs_dec_ctx_new(&r->dec) < 0) ||
	    (!r->gather && evs_spool_arrays(s, &r->gather) < 0) ||
	    (!r->slice && evs_spool_arrays(s, &r->slice) < 0))
		return evs_fail_nomem(diag);
	return 0;
}

void evs_spool_reader_free(struct evs_spool_reader *r)
{
	if (!r)
		return;
	evs_spool_arrays_free(r->gather, r->ncols);
	evs_spool_arrays_free(r->slice, r->ncols);
	evs_dec_ctx_free(r->dec);
	free(r->idx);
	free(r);
}

static int broken(const struct evs_spool *s, const struct spool_chunk *c, struct evs_diag *diag)
{
	return evs_fail_off(diag, EVS_E_FORMAT, s->dir, c->pos, "the temporary file is damaged");
}

/* Append `slice` to what was gathered, which is not copied when it is the first. */
static int gather(struct evs_array *to, struct evs_array *slice, uint32_t rows)
{
	struct evs_array swap = *to;

	if (to->rows)
		return evs_array_append_range(to, slice, 0, rows);
	*to = *slice;
	*slice = swap;
	evs_array_trim(slice, EVS_SPOOL_TURN);
	return 0;
}

/* Append the slice at c->pos, whose head is `head`, to r->gather. */
static int get_slice(struct evs_spool *s, struct evs_spool_reader *r, struct spool_chunk *c,
		     const uint8_t *head, struct evs_diag *diag)
{
	uint32_t rows = evs_get32(head + 4);
	uint64_t len = evs_get64(head + 8), nulls;
	const char *why = NULL;
	struct evs_cur cur;
	const uint8_t *p;
	int rc;

	if (len > c->end - c->pos - SPOOL_SLICE_HEAD)
		return broken(s, c, diag);
	rc = chunk_bytes(s, c, SPOOL_SLICE_HEAD + (size_t)len, &p, diag);
	if (rc < 0)
		return rc;
	cur = (struct evs_cur){ p + SPOOL_SLICE_HEAD, p + SPOOL_SLICE_HEAD + len };
	for (uint16_t i = 0; i < s->ncols; i++) {
		evs_array_trim(&r->slice[i], EVS_SPOOL_TURN);
		if (!evs_cur_varint(&cur, &nulls) || nulls > rows)
			return broken(s, c, diag);
		rc = evs_column_decode(r->dec, &cur, rows, (uint32_t)nulls, &r->slice[i], &why);
		if (rc == EVS_E_FORMAT)
			return broken(s, c, diag);
		if (rc < 0 || gather(&r->gather[i], &r->slice[i], rows) < 0)
			return evs_fail_nomem(diag);
	}
	c->pos += SPOOL_SLICE_HEAD + len;
	return 0;
}

void evs_spool_reader_forget(struct evs_spool_reader *r)
{
	for (uint16_t i = 0; r->gather && i < r->ncols; i++)
		evs_array_trim(&r->gather[i], 2 * EVS_SPOOL_TURN);
}

static size_t gathered(const struct evs_spool_reader *r)
{
	size_t n = 0;

	for (uint16_t i = 0; i < r->ncols; i++)
		n += evs_array_bytes_used(&r->gather[i]);
	return n;
}

/* One large window is enough, however many spills there are: this one is done with its slices. At
 * its end it needs none at all. */
static void shrink_window(struct spool_chunk *c)
{
	if (c->win_cap <= SPOOL_CHUNK_WINDOW && c->pos < c->end)
		return;
	free(c->win);
	c->win = NULL;
	c->win_len = c->win_cap = 0;
}

/* Slices of segment `id`, in the order they were spilled, until there is enough for one turn. */
static int gather_slices(struct evs_spool *s, struct evs_spool_reader *r, uint32_t id, bool *more,
			 struct evs_diag *diag)
{
	size_t have = 0;
	int rc;

	*more = false;
	for (uint32_t k = 0; k < s->nchunks; k++) {
		struct spool_chunk *c = &s->chunks[k];

		while (c->first <= id && c->pos < c->end) {
			const uint8_t *head;

			rc = chunk_bytes(s, c, SPOOL_SLICE_HEAD, &head, diag);
			if (rc < 0)
				return rc;
			if (evs_get32(head) < id) { /* left behind by a segment that failed */
				c->pos += SPOOL_SLICE_HEAD + evs_get64(head + 8);
				continue;
			}
			if (evs_get32(head) != id)
				break;
			*more = have >= EVS_SPOOL_TURN ||
				(have > 0 && evs_get64(head + 8) > EVS_SPOOL_TURN);
			if (*more)
				return 0;
			rc = get_slice(s, r, c, head, diag);
			if (rc < 0)
				return rc;
			if (c->win_cap > 8 * SPOOL_CHUNK_WINDOW)
				shrink_window(c);
			have = gathered(r);
		}
		shrink_window(c);
	}
	return 0;
}

static int idx_room(struct evs_spool_reader *r, uint32_t n)
{
	uint32_t *grown;

	if (n <= r->idx_cap)
		return 0;
	grown = realloc(r->idx, n * sizeof(*grown));
	if (!grown)
		return EVS_E_NOMEM;
	r->idx = grown;
	r->idx_cap = n;
	return 0;
}

/* Nothing was spilled: rows are given where they are, without a copy. */
static int give_memory(struct evs_spool *s, uint32_t id, const struct evs_array **src,
		       uint32_t **idx, uint32_t *n)
{
	if (s->given == id + 1 || s->start[id] == s->start[id + 1])
		return 0;
	s->given = id + 1;
	*src = s->cols;
	*idx = s->perm + s->start[id];
	*n = s->start[id + 1] - s->start[id];
	return 1;
}

int evs_spool_read(struct evs_spool *s, struct evs_spool_reader *r, uint32_t id,
		   const struct evs_array **src, uint32_t **idx, uint32_t *n, bool *more,
		   struct evs_diag *diag)
{
	uint32_t rows;
	int rc;

	*more = false;
	if (!s->nchunks)
		return give_memory(s, id, src, idx, n);
	evs_spool_reader_forget(r);
	rc = reader_ready(s, r, diag);
	if (rc == 0)
		rc = gather_slices(s, r, id, more, diag);
	if (rc < 0)
		return rc;
	rows = r->gather[r->ncols - 1].rows;
	if (rows == 0)
		return 0;
	if (idx_room(r, rows) < 0)
		return evs_fail_nomem(diag);
	for (uint32_t i = 0; i < rows; i++)
		r->idx[i] = i;
	*src = r->gather;
	*idx = r->idx;
	*n = rows;
	return 1;
}
