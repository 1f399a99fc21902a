/*
 * The spool's way out: rows in memory become a spill in the temporary files, the earlier segments
 * by the caller's thread and the later ones by its helper, each into a file of its own.
 *
 * A spill is one or two series of slices, ordered by segment: segment u32, rows u32, bytes u64,
 * then the columns, each as its number of nulls (varint) and the plain encoding of format/encode.h.
 */
#include "src/store/spool_impl.h"

#include "src/diag.h"
#include "src/store/io.h"

#include <stdlib.h>

#define SLICE_BYTES (512u << 10) /* of rows, about: a slice is cut there */
#define WRITE_BYTES (512u << 10)
#define HALF_ROWS   1024u /* fewer are not worth another thread */

/* Segments from .. until - 1 on their way into a file. */
struct part {
	struct evs_spool *s;
	struct spool_out *to;
	uint32_t from, until;
	int rc;
	struct evs_diag diag;
};

static int write_out(const struct evs_spool *s, struct spool_out *o, struct evs_diag *diag)
{
	int rc;

	if (!evs_buf_ok(&o->bytes))
		return evs_fail_nomem(diag);
	rc = evs_io_pwrite(o->fd, o->bytes.p, o->bytes.len, o->end, s->dir, diag);
	o->end += o->bytes.len;
	if (o->bytes.cap > 4 * WRITE_BYTES)
		evs_buf_release(&o->bytes);
	evs_buf_reset(&o->bytes);
	return rc;
}

static int put_slice(const struct evs_spool *s, struct spool_out *o, uint32_t seg,
		     const uint32_t *idx, uint32_t n, struct evs_diag *diag)
{
	size_t at = o->bytes.len;
	int rc = 0;

	evs_buf_put_zero(&o->bytes, SPOOL_SLICE_HEAD);
	for (uint16_t i = 0; i < s->ncols && rc == 0; i++) {
		evs_array_trim(&o->slice[i], EVS_SPOOL_TURN);
		rc = evs_array_take(&o->slice[i], &s->cols[i], idx, n);
		evs_buf_put_varint(&o->bytes, o->slice[i].nulls);
		if (rc == 0)
			rc = evs_column_encode(o->enc, &o->slice[i], &o->bytes);
	}
	if (rc < 0 || !evs_buf_ok(&o->bytes))
		return evs_fail_nomem(diag);
	evs_put32(o->bytes.p + at, seg);
	evs_put32(o->bytes.p + at + 4, n);
	evs_put64(o->bytes.p + at + 8, o->bytes.len - at - SPOOL_SLICE_HEAD);
	return o->bytes.len >= WRITE_BYTES ? write_out(s, o, diag) : 0;
}

void evs_spool_out_release(struct evs_spool *s, struct spool_out *o)
{
	evs_buf_release(&o->bytes);
	evs_enc_ctx_free(o->enc);
	evs_spool_arrays_free(o->slice, s->ncols);
	o->enc = NULL;
	o->slice = NULL;
}

static int ready(const struct evs_spool *s, struct spool_out *o, struct evs_diag *diag)
{
	static const struct evs_enc_opts plain = { .plain = true };

	if ((!o->enc && evs_enc_ctx_new(&o->enc, &plain) < 0) ||
	    (!o->slice && evs_spool_arrays(s, &o->slice) < 0))
		return evs_fail_nomem(diag);
	return o->fd < 0 ? evs_io_open_unnamed(&o->fd, s->dir, diag) : 0;
}

/* How many of perm[at .. end) make a slice. One that is large is a slice of its own. */
static uint32_t slice_rows(const struct evs_spool *s, uint32_t at, uint32_t end)
{
	size_t bytes = 0;

	for (uint16_t c = 0; c < s->ncols; c++)
		bytes += evs_array_rows_bytes(&s->cols[c], s->perm + at, end - at, NULL);
	if (bytes <= SLICE_BYTES)
		return end - at;
	bytes = 0;
	for (uint32_t i = at; i < end; i++) {
		for (uint16_t c = 0; c < s->ncols; c++)
			bytes += evs_array_row_bytes(&s->cols[c], s->perm[i]);
		if (bytes > SLICE_BYTES)
			return i > at ? i - at : 1;
	}
	return end - at;
}

static int put_segments(struct part *p, struct evs_diag *diag)
{
	const struct evs_spool *s = p->s;

	for (uint32_t g = p->from; g < p->until; g++) {
		uint32_t at = s->start[g], end = s->start[g + 1];

		while (at < end) {
			uint32_t n = slice_rows(s, at, end);
			int rc = put_slice(s, p->to, g, s->perm + at, n, diag);

			if (rc < 0)
				return rc;
			at += n;
		}
	}
	return write_out(s, p->to, diag);
}

static void put_part(void *arg)
{
	struct part *p = arg;

	p->rc = put_segments(p, &p->diag);
}

/* The segment before which half of the rows are; 0 where they are not worth two threads. */
static uint32_t half(const struct evs_spool *s)
{
	uint32_t g = 0;

	if (s->rows < HALF_ROWS)
		return 0;
	while (s->start[g] < s->rows / 2)
		g++;
	return g < s->nsegs ? g : 0;
}

/* Segments `from` and later are in the file of `o` from `begin` on. */
static void add_chunk(struct evs_spool *s, unsigned out, uint32_t from, uint64_t begin)
{
	s->chunks[s->nchunks++] = (struct spool_chunk){
		.fd = s->out[out].fd, .first = from, .pos = begin, .end = s->out[out].end
	};
}

int evs_spool_spill(struct evs_spool *s, struct evs_helper *helper, struct evs_diag *diag)
{
	uint64_t begin[2] = { s->out[0].end, s->out[1].end };
	struct part p[2] = { { .s = s, .to = &s->out[0] }, { .s = s, .to = &s->out[1] } };
	bool helped = false;
	uint32_t mid;
	int rc = 0;

	if (!s->chunks && !(s->chunks = calloc(SPOOL_MAX_CHUNKS, sizeof(*s->chunks))))
		return evs_fail_nomem(diag);
	if (!s->rows)
		return 0;
	if (evs_spool_order(s) < 0)
		return evs_fail_nomem(diag);
	mid = helper ? half(s) : 0;
	p[1].from = p[0].until = mid ? mid : s->nsegs;
	p[1].until = s->nsegs;
	rc = ready(s, p[0].to, diag);
	if (rc == 0 && mid)
		rc = ready(s, p[1].to, diag);
	if (rc < 0)
		return rc;
	if (mid)
		helped = evs_helper_start(helper, put_part, &p[1]);
	rc = put_segments(&p[0], diag);
	if (helped)
		evs_helper_wait(helper);
	else if (mid && rc == 0) /* there is no other thread */
		put_part(&p[1]);
	if (rc == 0 && p[1].rc < 0) {
		evs_fail_copy(diag, &p[1].diag);
		rc = p[1].rc;
	}
	if (rc < 0)
		return rc;
	add_chunk(s, 0, 0, begin[0]);
	if (mid)
		add_chunk(s, 1, mid, begin[1]);
	evs_spool_forget_rows(s, SIZE_MAX);
	return 0;
}
