/*
 * Finding the newest commit, and judging what follows it (spec 9 and 10).
 *
 * The end of an intact file is a commit's trailer. When it is not, trailers are looked for
 * backwards; their checksums are seeded with salt and offset, so nothing else passes for one. A
 * commit that was appended (not written with the whole file) is verified in full: a crash may leave
 * its trailer without its groups.
 */
#include "src/diag.h"
#include "src/store/segment.h"

/* With the trailer at its end, one read of a window. */
#define STEP ((128u << 10) - EVS_TRAILER_SIZE)
/* Where an intact file has one, mostly with its commit. */
#define FIRST_STEP ((4u << 10) - EVS_TRAILER_SIZE)
#define SECTOR	   512u

/* Trailer copy at `off`; fills t when it verifies. */
static int read_trailer(struct evs_file *f, uint64_t off, struct evs_trailer *out,
			struct evs_diag *diag)
{
	const uint8_t *p;
	const char *why;
	int rc = evs_file_bytes(f, off, EVS_TRAILER_SIZE, &p, diag);

	return rc < 0 ? rc : evs_trailer_decode(out, p, f->salt, off, &why);
}

/* Are the places of a trailer, which fit each other (7.3-4, 7.3-5), behind HEAD? */
static bool behind_head(const struct evs_tail *t, const struct evs_trailer *tr)
{
	return tr->first_group >= t->start; /* and the commit behind that */
}

/* Largest 8-aligned offset < before (>= t->start) at which a trailer copy verifies; 1 when there is
 * none. */
static int search_back(struct evs_file *f, const struct evs_tail *t, uint64_t before,
		       struct evs_trailer *tr, uint64_t *end, struct evs_diag *diag)
{
	static const uint8_t magic[4] = { 'E', 'V', 'S', 'T' };
	uint64_t hi = before & ~(uint64_t)7, step = before == t->size ? FIRST_STEP : STEP;
	const char *why;

	for (; hi > t->start; step = STEP) {
		uint64_t lo = hi - t->start > step ? hi - step : t->start;
		size_t n = (size_t)(hi - lo);
		size_t have = t->size - lo < n + EVS_TRAILER_SIZE ? (size_t)(t->size - lo)
								  : n + EVS_TRAILER_SIZE;
		const uint8_t *p;
		int rc = evs_file_bytes(f, lo, have, &p, diag);

		if (rc < 0)
			return rc;
		for (size_t i = n; i >= 8; i -= 8) {
			size_t at = i - 8;

			if (have - at < EVS_TRAILER_SIZE || memcmp(p + at, magic, 4) != 0)
				continue;
			if (evs_trailer_decode(tr, p + at, f->salt, lo + at, &why) < 0 ||
			    !behind_head(t, tr))
				continue;
			*end = tr->commit_off + tr->commit_len;
			return 0;
		}
		hi = lo;
	}
	return 1;
}

/* Is some aligned 512-byte sector of [a, b), as far as it lies inside, all zero? That is what a
 * write torn by a power cut leaves where data never reached the disk. */
static int has_zero_sector(struct evs_file *f, uint64_t a, uint64_t b, bool *yes,
			   struct evs_diag *diag)
{
	*yes = true;
	while (a < b) {
		uint64_t next = (a / SECTOR + 1) * SECTOR;
		size_t n = (size_t)((next < b ? next : b) - a);
		const uint8_t *p;
		bool zero = n >= 8;
		int rc = evs_file_bytes(f, a, n, &p, diag);

		if (rc < 0)
			return rc == EVS_E_FORMAT ? 0 : rc; /* the file ends before */
		for (size_t i = 0; zero && i < n; i++)
			zero = p[i] == 0;
		if (zero)
			return 0;
		a += n;
	}
	*yes = false;
	return 0;
}

enum verdict { SOUND = 0, TORN = 1, DAMAGED = 2, COMMIT_DAMAGED = 3 };

static const char incomplete[] =
	"9-6 the last append is incomplete: a torn write that was never acknowledged, or a damaged commit";

/* All frames from `off` up to the newest COMMIT, at `limit`: they belong to the append of that
 * number. */
static int verify_append(struct evs_file *f, uint64_t off, uint64_t limit, uint32_t append,
			 enum verdict *v, struct evs_diag *diag)
{
	struct evs_ahead a = { .known = true, .append = append };
	struct evs_frame fr;
	const uint8_t *p;
	bool torn = false;
	int rc = 0;

	*v = SOUND;
	while (off < limit && *v == SOUND) {
		uint64_t span;

		rc = evs_file_frame(f, off, limit, &fr, diag);
		span = rc == 0 ? evs_frame_span(fr.payload_len) : limit - off;
		if (rc == 0)
			rc = evs_file_check_append(f, off, &fr, &a, NULL);
		if (rc == 0 && fr.type == EVS_FRAME_GROUP)
			rc = evs_file_verify_group(f, off, &fr, diag);
		else if (rc == 0)
			rc = evs_file_summed(f, off, &fr, &p, diag);
		if (rc == EVS_E_FORMAT) {
			rc = has_zero_sector(f, off, off + span, &torn, diag);
			*v = torn ? TORN : DAMAGED;
			f->kept.end = 0; /* another commit may be written in its place */
		}
		if (rc < 0)
			return rc;
		off += span;
	}
	return 0;
}

int evs_tail_prove(struct evs_file *f, struct evs_tail *t, const struct evs_commit *c,
		   struct evs_diag *diag)
{
	struct evs_trailer *tr = &t->trailer;
	struct evs_diag d = { 0 }; /* damage is no failure here */
	enum verdict v;
	int rc = verify_append(f, c->prev_off + c->prev_len, tr->commit_off, c->append, &v, &d);

	if (rc < 0)
		evs_fail_copy(diag, &d);
	else
		t->unproved = false;
	if (rc < 0 || v != TORN)
		return rc;
	t->end = c->prev_off + c->prev_len;
	tr->commit_off = c->prev_off;
	tr->commit_len = c->prev_len;
	tr->rows_total -= c->rows;
	tr->seq--;
	t->has_rows = true;
	t->rows = c->rows;
	t->what = incomplete;
	return 0;
}

/* All frames in front of the newest COMMIT that belong to it, and that frame itself. */
static int verify_newest(struct evs_file *f, const struct evs_trailer *tr, uint64_t end,
			 enum verdict *v, struct evs_diag *diag)
{
	struct evs_commit c = { 0 };
	struct evs_buf payload = { 0 };
	uint64_t off = tr->first_group;
	uint32_t append;
	int rc = evs_file_commit(f, tr->commit_off, end, &c, &payload, diag);
	bool appended = tr->seq > 1, torn = false; /* the first commit came by a rename */

	*v = SOUND;
	if (rc == 0 && !evs_trailer_matches(tr, &c))
		rc = EVS_E_FORMAT;
	if (rc == 0 && c.prev_off)
		off = c.prev_off + c.prev_len; /* INDEX and SCHEMA belong to the append, too */
	append = c.append;
	if (rc == 0)
		evs_file_keep(f, tr->commit_off, end, &c, &payload);
	evs_commit_release(&c);
	evs_buf_release(&payload);
	if (rc == EVS_E_VERSION) { /* of a newer evseg: whole, and not for us */
		*v = COMMIT_DAMAGED;
		return 0;
	}
	if (rc == EVS_E_FORMAT) {
		rc = appended ? has_zero_sector(f, tr->commit_off, end, &torn, diag) : 0;
		*v = torn ? TORN : COMMIT_DAMAGED;
		return rc;
	}
	if (rc < 0 || !appended || f->put_off)
		return rc;
	return verify_append(f, off, tr->commit_off, append, v, diag);
}

/* What do the bytes behind the newest commit look like? */
static int judge_rest(struct evs_file *f, struct evs_tail *t, struct evs_diag *diag)
{
	uint64_t off = t->end;
	struct evs_frame fr;
	int rc;

	if (off >= t->size || t->what) /* a cut trailer is told by copy_bad */
		return 0;
	while (off < t->size && t->size - off >= EVS_FRAME_HEAD_SIZE) {
		const uint8_t *p;
		const char *why;

		rc = evs_file_bytes(f, off, EVS_FRAME_HEAD_SIZE, &p, diag);
		if (rc < 0)
			return rc;
		if (evs_frame_decode(&fr, p, f->salt, off, &why) < 0)
			break;
		if (fr.type == EVS_FRAME_COMMIT || evs_frame_span(fr.payload_len) > t->size - off) {
			if (fr.type == EVS_FRAME_COMMIT)
				break;
			off = t->size;
			continue;
		}
		off += evs_frame_span(fr.payload_len);
	}
	t->what =
		off >= t->size || t->size - off < EVS_FRAME_HEAD_SIZE
			? "9-6 the file ends inside an append: the write was cut short before it was acknowledged, or the file was cut off later"
			: "9-6 bytes that are no commit follow the last one: a torn write that was never acknowledged, or a damaged commit";
	return 0;
}

static int take_commit(struct evs_file *f, struct evs_tail *t, const struct evs_trailer *tr,
		       uint64_t end, struct evs_diag *diag)
{
	struct evs_trailer other;
	int rc;

	t->have_commit = true;
	t->trailer = *tr;
	t->end = end;
	for (unsigned copy = 0; copy < 2; copy++) {
		uint64_t at = end - (uint64_t)(2 - copy) * EVS_TRAILER_SIZE;

		rc = end <= t->size || copy == 0 ? read_trailer(f, at, &other, diag) : EVS_E_FORMAT;
		if (rc < 0 && rc != EVS_E_FORMAT)
			return rc;
		t->copy_bad[copy] = rc < 0;
	}
	return 0;
}

/* What the newest trailer of the tail counts more than the newest commit; there may be others
 * between them. */
static uint64_t rows_lost(const struct evs_tail *t, const struct evs_trailer *lost)
{
	uint64_t have = t->have_commit ? t->trailer.rows_total : 0;

	return lost->rows_total > have ? lost->rows_total - have : lost->rows;
}

int evs_tail_find(struct evs_file *f, struct evs_tail *t, struct evs_diag *diag)
{
	uint64_t before = t->size, end = 0;
	struct evs_trailer tr = { 0 }, lost = { 0 };
	struct evs_diag d = { 0 }; /* also of damage that is no failure here */
	enum verdict v = SOUND;
	int rc;

	t->have_commit = t->commit_bad = t->has_rows = t->unproved = false;
	t->copy_bad[0] = t->copy_bad[1] = false;
	t->rows = 0;
	t->what = NULL;
	t->end = t->start;
	for (;;) {
		rc = search_back(f, t, before, &tr, &end, &d);
		if (rc == 0)
			rc = verify_newest(f, &tr, end, &v, &d);
		if (rc != 0)
			break;
		if (v != TORN) {
			rc = take_commit(f, t, &tr, end, &d);
			t->commit_bad = v == COMMIT_DAMAGED;
			t->unproved = f->put_off && tr.seq > 1;
			break;
		}
		/* A trailer without its frames: torn, or badly damaged. Look further back. */
		if (!t->has_rows)
			lost = tr;
		t->has_rows = true;
		t->what = incomplete;
		before = tr.first_group;
	}
	if (rc >= 0)
		rc = judge_rest(f, t, &d);
	if (rc < 0) {
		evs_fail_copy(diag, &d);
		return rc;
	}
	if (t->has_rows)
		t->rows = rows_lost(t, &lost);
	/* A segment is put in its place with its first commit in it. */
	if (!t->have_commit && !t->what)
		t->what = "9-4 there is no commit in the segment: the file was cut off";
	return 0;
}
