/*
 * Frames of a file through windows.
 *
 * A window slides. It takes 4 KiB where it is moved to somewhere else, and twice as much each time
 * it goes on near where it was, up to 128 KiB: so a segment of tiny commits costs one read in a
 * hundred frames, a large group one read a block, and looking at a frame's head does not copy the
 * blocks behind it. Everything here is pread: a mapping would turn a file that is cut under a
 * reader into SIGBUS.
 */
#include "format/filter.h"
#include "src/diag.h"
#include "src/store/segment.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#define WINDOW ((size_t)128 << 10)
#define LEAST  ((size_t)4 << 10)

void evs_file_init(struct evs_file *f, int fd, const char *path)
{
	*f = (struct evs_file){ .fd = fd, .path = path };
}

static void window_release(struct evs_window *w)
{
	free(w->p);
	*w = (struct evs_window){ 0 };
}

void evs_file_release(struct evs_file *f)
{
	window_release(&f->win[0]);
	window_release(&f->win[1]);
	evs_commit_release(&f->kept.commit);
	evs_buf_release(&f->kept.payload);
}

void evs_file_forget(struct evs_file *f)
{
	f->win[0].len = f->win[1].len = 0;
	f->kept.end = 0;
}

/* Room for `n` bytes. A window that once held a large directory is not kept. */
static int window_room(struct evs_window *w, size_t n)
{
	w->len = 0;
	if (w->cap > 8 * WINDOW && n <= WINDOW)
		window_release(w);
	if (n <= w->cap)
		return 0;
	n = n > WINDOW ? n : WINDOW;
	window_release(w);
	w->p = malloc(n);
	if (!w->p)
		return EVS_E_NOMEM;
	w->cap = n;
	return 0;
}

/* How many bytes to take when `n` are needed at `off`. */
static size_t window_len(struct evs_file *f, uint64_t off, size_t n)
{
	const struct evs_window *w = &f->win[f->newest];
	bool near = w->len && off + LEAST >= w->off && off <= w->off + w->len + LEAST;

	f->ahead = near ? 2 * f->ahead : LEAST;
	if (f->ahead > WINDOW)
		f->ahead = WINDOW;
	return n > f->ahead ? n : f->ahead;
}

static bool window_holds(const struct evs_window *w, uint64_t off, size_t n)
{
	return off >= w->off && off - w->off <= w->len && w->len - (size_t)(off - w->off) >= n;
}

/*
 * Where a window of `len` bytes that must hold [off, off + n) begins: at `off`, but around it when
 * this is the second step back in a row, because commits are followed from the newest to the
 * oldest.
 */
static uint64_t window_start(struct evs_file *f, uint64_t off, size_t n, size_t len)
{
	const struct evs_window *newest = &f->win[f->newest];
	bool back = newest->len && off < newest->off, again = back && f->back;

	f->back = back;
	if (!again || n > len / 2)
		return off;
	return off > len / 2 ? off - len / 2 : 0;
}

/* The window that holds [off, off + n), or NULL. */
static const struct evs_window *find_window(struct evs_file *f, uint64_t off, size_t n)
{
	for (unsigned i = 0; i < 2; i++) {
		if (!window_holds(&f->win[i], off, n))
			continue;
		f->newest = i;
		return &f->win[i];
	}
	return NULL;
}

/* Move a window to `want` bytes at `start`, as far as there are as many. */
static int move_window(struct evs_file *f, uint64_t start, size_t want, struct evs_diag *diag)
{
	struct evs_window *w;
	size_t got = 0;
	int rc;

	f->newest = want > WINDOW ? 0 : 1 - f->newest; /* only one of them grows */
	w = &f->win[f->newest];
	if (window_room(w, want) < 0)
		return evs_fail_nomem(diag);
	rc = evs_io_pread_some(f->fd, w->p, want, start, &got, f->path, diag);
	if (rc < 0)
		return rc;
	w->off = start;
	w->len = got;
	return 0;
}

void evs_file_fetch(struct evs_file *f, uint64_t off, uint64_t n)
{
	if (n && n <= WINDOW && !find_window(f, off, (size_t)n))
		(void)move_window(f, off, (size_t)n, NULL);
}

int evs_file_bytes(struct evs_file *f, uint64_t off, size_t n, const uint8_t **p,
		   struct evs_diag *diag)
{
	const struct evs_window *w = find_window(f, off, n);
	uint64_t start;
	size_t want;
	int rc;

	if (w) {
		*p = w->p + (size_t)(off - w->off);
		return 0;
	}
	want = window_len(f, off, n);
	start = window_start(f, off, n, want);
	if (f->size > off && f->size - off >= n && f->size - start < want)
		want = (size_t)(f->size -
				start); /* nothing behind the end: no call to learn that */
	rc = move_window(f, start, want, diag);
	if (rc < 0)
		return rc;
	w = &f->win[f->newest];
	if (w->len < n + (size_t)(off - start))
		return evs_fail_off(diag, EVS_E_FORMAT, f->path, off,
				    "3.1-14 the file ends too early");
	*p = w->p + (size_t)(off - start);
	return 0;
}

int evs_file_frame(struct evs_file *f, uint64_t off, uint64_t limit, struct evs_frame *out,
		   struct evs_diag *diag)
{
	const uint8_t *p = NULL;
	const char *why = NULL;
	int rc;

	if (off > limit || limit - off < EVS_FRAME_HEAD_SIZE)
		return evs_fail_off(diag, EVS_E_FORMAT, f->path, off,
				    "3.1-14 no room for a frame head");
	rc = evs_file_bytes(f, off, EVS_FRAME_HEAD_SIZE, &p, diag);
	if (rc < 0)
		return rc;
	rc = evs_frame_decode(out, p, f->salt, off, &why);
	if (rc < 0)
		return evs_fail_off(diag, rc, f->path, off, why);
	if (evs_frame_span(out->payload_len) > limit - off)
		return evs_fail_off(diag, EVS_E_FORMAT, f->path, off,
				    "3.1-14 frame runs past its limit");
	return 0;
}

int evs_file_summed(struct evs_file *f, uint64_t off, const struct evs_frame *fr, const uint8_t **p,
		    struct evs_diag *diag)
{
	const char *why = NULL;
	int rc = evs_file_bytes(f, off + EVS_FRAME_HEAD_SIZE, fr->summed_len, p, diag);

	if (rc < 0)
		return rc;
	rc = evs_frame_verify(fr, *p, f->salt, off, &why);
	return rc < 0 ? evs_fail_off(diag, rc, f->path, off, why) : 0;
}

int evs_file_padding(struct evs_file *f, uint64_t off, const struct evs_frame *fr,
		     struct evs_diag *diag)
{
	uint64_t at = off + EVS_FRAME_HEAD_SIZE + fr->payload_len;
	size_t n = (size_t)(off + evs_frame_span(fr->payload_len) - at);
	const uint8_t *p;
	int rc;

	if (n == 0)
		return 0;
	rc = evs_file_bytes(f, at, n, &p, diag);
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (p[i])
			rc = evs_fail_off(diag, EVS_E_FORMAT, f->path, at,
					  "3.1-13 padding is not zero");
	return rc;
}

/* XXH3 of [off, off + n) read in window-sized pieces. */
static int sum_range(struct evs_file *f, uint64_t off, uint64_t n, uint64_t *sum,
		     struct evs_diag *diag)
{
	XXH3_state_t *st = XXH3_createState();
	int rc = 0;

	if (!st)
		return evs_fail_nomem(diag);
	(void)XXH3_64bits_reset(st);
	while (n && rc == 0) {
		size_t take = n < WINDOW ? (size_t)n : WINDOW;
		const uint8_t *p;

		rc = evs_file_bytes(f, off, take, &p, diag);
		if (rc == 0)
			(void)XXH3_64bits_update(st, p, take);
		off += take;
		n -= take;
	}
	*sum = XXH3_64bits_digest(st);
	(void)XXH3_freeState(st);
	return rc;
}

int evs_file_verify_group(struct evs_file *f, uint64_t off, const struct evs_frame *fr,
			  struct evs_diag *diag)
{
	struct evs_group g = { 0 };
	const char *why = NULL;
	const uint8_t *p;
	uint64_t sum = 0;
	int rc = evs_file_summed(f, off, fr, &p, diag);

	if (rc < 0)
		return rc;
	rc = evs_group_decode(&g, p, fr->summed_len, fr->payload_len, &why);
	if (rc < 0)
		rc = evs_fail_off(diag, rc, f->path, off, why);
	for (uint16_t i = 0; rc == 0 && i < g.nblocks; i++) {
		uint64_t at = off + EVS_FRAME_HEAD_SIZE + g.blocks[i].at;

		rc = sum_range(f, at, g.blocks[i].stored_len, &sum, diag);
		if (rc == 0 && sum != g.blocks[i].sum)
			rc = evs_fail_off(diag, EVS_E_FORMAT, f->path, at,
					  "5.3-1 block checksum does not match");
	}
	if (rc == 0)
		rc = evs_file_padding(f, off, fr, diag);
	evs_group_release(&g);
	return rc;
}

int evs_file_filter(struct evs_file *f, uint64_t off, uint64_t limit, const struct evs_ahead *a,
		    const uint8_t **blocks, size_t *len, struct evs_diag *diag)
{
	struct evs_frame fr;
	int rc = evs_file_frame(f, off, limit, &fr, diag);

	if (rc < 0)
		return rc;
	if (fr.type != EVS_FRAME_FILTER)
		return evs_fail_off(diag, EVS_E_FORMAT, f->path, off, "7.8-2 not a FILTER frame");
	if (!evs_filter_sound(fr.payload_len))
		return evs_fail_off(diag, EVS_E_FORMAT, f->path, off, "7.8-1 length of a filter");
	*len = fr.summed_len;
	rc = evs_file_check_append(f, off, &fr, a, diag);
	return rc < 0 ? rc : evs_file_summed(f, off, &fr, blocks, diag);
}

int evs_file_resync(struct evs_file *f, uint64_t from, uint64_t limit, uint64_t *off,
		    struct evs_diag *diag)
{
	static const uint8_t magic[4] = { 0x89, 'E', 'V', 'S' };
	uint64_t at = (from + 7) & ~(uint64_t)7;
	struct evs_frame fr;
	const char *why;

	while (at < limit && limit - at >= EVS_FRAME_HEAD_SIZE) {
		size_t n = limit - at < WINDOW ? (size_t)(limit - at) : WINDOW;
		const uint8_t *p;
		size_t i;
		int rc = evs_file_bytes(f, at, n, &p, diag);

		if (rc < 0)
			return rc;
		for (i = 0; i + EVS_FRAME_HEAD_SIZE <= n; i += 8) {
			if (memcmp(p + i, magic, 4) != 0)
				continue;
			rc = evs_frame_decode(&fr, p + i, f->salt, at + i, &why);
			if (rc == 0 && evs_frame_span(fr.payload_len) <= limit - (at + i)) {
				*off = at + i;
				return 0;
			}
		}
		at += i;
	}
	*off = limit;
	return 0;
}

static int keep(struct evs_buf *payload, const uint8_t *p, size_t n, struct evs_diag *diag)
{
	evs_buf_reset(payload);
	evs_buf_put(payload, p, n);
	return evs_buf_ok(payload) ? 0 : evs_fail_nomem(diag);
}

/* The summed payload of a frame of the given type at off. */
static int find_summed(struct evs_file *f, uint64_t off, uint64_t limit, enum evs_frame_type type,
		       struct evs_frame *fr, const uint8_t **p, struct evs_diag *diag)
{
	int rc = evs_file_frame(f, off, limit, fr, diag);

	if (rc < 0)
		return rc;
	if (fr->type != type)
		return evs_fail_off(diag, EVS_E_FORMAT, f->path, off,
				    "8.3-2 another type of frame was expected");
	return evs_file_summed(f, off, fr, p, diag);
}

/* The same, copied to `payload`. */
static int load_summed(struct evs_file *f, uint64_t off, uint64_t limit, enum evs_frame_type type,
		       struct evs_frame *fr, struct evs_buf *payload, struct evs_diag *diag)
{
	const uint8_t *p;
	int rc = find_summed(f, off, limit, type, fr, &p, diag);

	return rc < 0 ? rc : keep(payload, p, fr->summed_len, diag);
}

int evs_file_commit_fixed(struct evs_file *f, uint64_t off, uint64_t limit, struct evs_commit *out,
			  const uint8_t **payload, size_t *len, struct evs_diag *diag)
{
	const char *why = NULL;
	struct evs_frame fr;
	int rc = find_summed(f, off, limit, EVS_FRAME_COMMIT, &fr, payload, diag);

	if (rc < 0)
		return rc;
	*len = fr.summed_len;
	rc = evs_commit_decode_fixed(out, *payload, *len, off, &why);
	out->append = fr.append;
	return rc < 0 ? evs_fail_off(diag, rc, f->path, off, why) : 0;
}

int evs_file_decode(struct evs_file *f, uint64_t off, uint32_t append, struct evs_commit *out,
		    const struct evs_buf *payload, struct evs_diag *diag)
{
	const char *why = NULL;
	int rc = f->put_off ? evs_commit_decode_unhashed(out, payload->p, payload->len, off, &why)
			    : evs_commit_decode(out, payload->p, payload->len, off, &why);

	out->append = append;
	return rc < 0 ? evs_fail_off(diag, rc, f->path, off, why) : 0;
}

int evs_file_commit(struct evs_file *f, uint64_t off, uint64_t limit, struct evs_commit *out,
		    struct evs_buf *payload, struct evs_diag *diag)
{
	struct evs_kept_commit *k = &f->kept;
	struct evs_buf empty = *payload;
	struct evs_frame fr;
	int rc;

	if (k->end && k->off == off && k->end <= limit) {
		*out = k->commit;
		*payload = k->payload;
		k->commit = (struct evs_commit){ 0 };
		k->payload = empty;
		k->end = 0;
		return 0;
	}
	rc = load_summed(f, off, limit, EVS_FRAME_COMMIT, &fr, payload, diag);
	return rc < 0 ? rc : evs_file_decode(f, off, fr.append, out, payload, diag);
}

void evs_file_keep(struct evs_file *f, uint64_t off, uint64_t limit, struct evs_commit *c,
		   struct evs_buf *payload)
{
	struct evs_kept_commit *k = &f->kept;
	struct evs_buf empty = k->payload;

	evs_commit_release(&k->commit);
	*k = (struct evs_kept_commit){ off, limit, *c, *payload };
	*c = (struct evs_commit){ 0 };
	*payload = empty;
}

int evs_file_index(struct evs_file *f, uint64_t off, uint64_t limit, struct evs_index *out,
		   struct evs_buf *payload, struct evs_diag *diag)
{
	const char *why = NULL;
	struct evs_frame fr;
	int rc = load_summed(f, off, limit, EVS_FRAME_INDEX, &fr, payload, diag);

	if (rc < 0)
		return rc;
	rc = evs_index_decode(out, payload->p, payload->len, off, &why);
	out->append = fr.append;
	return rc < 0 ? evs_fail_off(diag, rc, f->path, off, why) : 0;
}

/* The next COMMIT frame at `*off` or behind, or `limit`. `*gap`: damage lies before it. */
static int find_commit(struct evs_file *f, uint64_t *off, uint64_t limit, uint64_t size, bool *gap,
		       struct evs_diag *diag)
{
	struct evs_frame fr;

	while (*off < limit) {
		int rc = evs_file_frame(f, *off, limit, &fr, diag);

		if (rc == 0 && fr.type == EVS_FRAME_COMMIT)
			return 0;
		if (rc == 0)
			*off += evs_frame_span(fr.payload_len);
		else if (rc != EVS_E_FORMAT && !(rc == EVS_E_VERSION && *gap))
			return rc;
		else if ((rc = evs_file_resync(f, *off + 8, size, off, diag)) < 0)
			return rc;
		else
			*gap = true;
		if (*gap && *off == size)
			*off = limit;
	}
	return 0;
}

int evs_file_ahead(struct evs_file *f, uint64_t pos, const struct evs_tail *t,
		   struct evs_ahead *out, struct evs_diag *diag)
{
	struct evs_commit c = { 0 };
	struct evs_buf payload = { 0 };
	struct evs_diag d = { 0 };
	uint64_t off = pos;
	bool gap = false;
	int rc = find_commit(f, &off, t->end, t->size < t->end ? t->size : t->end, &gap, &d);

	*out = (struct evs_ahead){ .from = pos,
				   .to = off,
				   .newest = t->have_commit ? t->trailer.commit_off : 0 };
	if (rc == 0 && off < t->end) {
		rc = evs_file_commit(f, off, t->end, &c, &payload, &d);
		out->known = rc == 0;
		out->commit = off;
		out->append = c.append;
		out->from = c.prev_off + c.prev_len;
		if (rc == 0)
			evs_file_keep(f, off, t->end, &c, &payload);
	}
	out->refused = rc == EVS_E_VERSION && !gap;
	if (out->refused)
		(void)snprintf(out->why, sizeof(out->why), "%.95s", d.what);
	evs_commit_release(&c);
	evs_buf_release(&payload);
	if (rc == EVS_E_FORMAT || rc == EVS_E_VERSION)
		return 0; /* it is met, and told, on the way */
	if (rc < 0 && diag)
		*diag = d;
	return rc;
}

static bool reaches_over(uint64_t off, const struct evs_frame *fr, uint64_t place)
{
	return off < place && off + evs_frame_span(fr->payload_len) > place;
}

int evs_file_check_append(struct evs_file *f, uint64_t off, const struct evs_frame *fr,
			  const struct evs_ahead *a, struct evs_diag *diag)
{
	if ((a->known && reaches_over(off, fr, a->from)) || reaches_over(off, fr, a->newest))
		return evs_fail_off(diag, EVS_E_FORMAT, f->path, off,
				    "3.1-16 the frame reaches over what was written behind it");
	if (!a->known || off < a->from || fr->append == a->append)
		return 0;
	return evs_fail_off(diag, EVS_E_FORMAT, f->path, off,
			    "3.1-15 the frame is of another append than its COMMIT");
}
