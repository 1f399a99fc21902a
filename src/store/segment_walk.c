/*
 * Going through a segment frame by frame, every frame verified; damage is stepped over (spec 9-6).
 *
 * How many rows a damaged stretch cost is told by the next frame that knows where it stands: a
 * GROUP by its first_row, a COMMIT by its rows_total, at the end the newest trailer.
 */
#include "src/diag.h"
#include "src/store/segment_read.h"

#include <stdio.h>

static void open_gap(struct evs_segment *s, uint64_t off, const struct evs_diag *d)
{
	if (s->gap)
		return;
	s->gap = true;
	s->gap_off = off;
	snprintf(s->gap_what, sizeof(s->gap_what), "%.255s", d->what);
}

/* Rows up to `row` are accounted for by the frame at `off`. */
static void close_gap(struct evs_segment *s, uint64_t row, uint64_t off)
{
	uint64_t lost = row > s->next_row ? row - s->next_row : 0;

	if (s->gap)
		evs_segment_tell(s, s->gap_off, lost, s->gap_what);
	else if (lost)
		evs_segment_tell(s, off, lost, "9-10 rows are missing before this place");
	s->gap = false;
	if (row > s->next_row)
		s->next_row = row;
}

static int watched(struct evs_segment *s, const struct evs_frame *fr, uint64_t span,
		   const struct evs_commit *c, const struct evs_index *x, struct evs_diag *diag)
{
	struct evs_walked w = { .off = s->pos, .span = span, .frame = fr, .commit = c, .index = x };

	return s->watch ? s->watch(s->watch_arg, &w, diag) : 0;
}

static int walk_commit(struct evs_segment *s, const struct evs_frame *fr, struct evs_diag *diag)
{
	uint64_t off = s->pos, span = evs_frame_span(fr->payload_len);
	struct evs_commit c = { 0 };
	struct evs_buf payload = { 0 };
	struct evs_trailer tr;
	int rc = evs_file_commit(&s->file, off, s->tail.end, &c, &payload, diag);

	if (rc == 0) {
		evs_chain_commit(s, off, span, &c);
		close_gap(s, c.rows_total, off);
		if (off == s->tail.trailer.commit_off) /* spec 7.3-8 */
			s->tail.trailer.rows_total = c.rows_total;
	}
	for (unsigned copy = 0; rc == 0 && copy < 2; copy++) {
		uint64_t at = off + span - (uint64_t)(2 - copy) * EVS_TRAILER_SIZE;
		const char *why = "7.3-6 the trailer does not belong to its commit";
		const uint8_t *p;

		rc = evs_file_bytes(&s->file, at, EVS_TRAILER_SIZE, &p, diag);
		if (rc == EVS_E_FORMAT)
			why = "7.3-7 the file ends inside the second trailer of its newest commit";
		if (rc == 0)
			rc = evs_trailer_decode(&tr, p, s->file.salt, at, &why);
		if (rc == 0 && (tr.commit_off != off || !evs_trailer_matches(&tr, &c)))
			rc = EVS_E_FORMAT;
		if (rc == EVS_E_FORMAT) {
			evs_segment_tell(s, at, 0, why);
			rc = 0;
		}
	}
	if (rc == 0)
		rc = watched(s, fr, span, &c, NULL, diag);
	evs_commit_release(&c);
	evs_buf_release(&payload);
	return rc;
}

static int walk_index(struct evs_segment *s, const struct evs_frame *fr, struct evs_diag *diag)
{
	uint64_t off = s->pos;
	struct evs_index x = { 0 };
	struct evs_buf payload = { 0 };
	int rc = evs_file_index(&s->file, off, s->tail.end, &x, &payload, diag);

	if (rc == 0)
		rc = evs_chain_index(s, off, &x, diag);
	if (rc == 0)
		rc = watched(s, fr, evs_frame_span(fr->payload_len), NULL, &x, diag);
	evs_index_release(&x);
	evs_buf_release(&payload);
	return rc;
}

/* Wrong padding is damage, and noticed, but costs no row. */
static int walk_padding(struct evs_segment *s, const struct evs_frame *fr, struct evs_diag *diag)
{
	int rc = evs_file_padding(&s->file, s->pos, fr, diag);

	if (rc != EVS_E_FORMAT)
		return rc;
	evs_segment_tell(s, diag->off, 0, diag->what);
	return 0;
}

/*
 * What the COMMIT behind a frame says of it: one that must be refused (7.1-2, 7.7) takes its groups
 * with it, and frames left over from another version of the file do not bear its number. Looked up
 * once for all frames of an append.
 */
static int walk_ahead(struct evs_segment *s, const struct evs_frame *fr, struct evs_diag *diag)
{
	struct evs_ahead *a = &s->chain.ahead;
	char what[192];
	int rc = 0;

	if (fr->type == EVS_FRAME_COMMIT)
		return 0;
	if (s->pos >= a->to)
		rc = evs_file_ahead(&s->file, s->pos, &s->tail, a, diag);
	if (rc == 0 && a->refused && fr->type == EVS_FRAME_GROUP) {
		(void)snprintf(what, sizeof(what),
			       "9-9 the group belongs to a commit of a newer format (%s)", a->why);
		return evs_fail_off(diag, EVS_E_VERSION, s->path, s->pos, what);
	}
	return rc < 0 ? rc : evs_file_check_append(&s->file, s->pos, fr, a, diag);
}

/* The frame at pos: 1 for a group that is now the current one, 0 for any other sound frame. */
static int walk_frame(struct evs_segment *s, const struct evs_frame *fr, struct evs_diag *diag)
{
	uint64_t span = evs_frame_span(fr->payload_len);
	const uint8_t *p;
	size_t length;
	int rc = walk_ahead(s, fr, diag);

	if (rc < 0)
		return rc;
	switch (fr->type) {
	case EVS_FRAME_GROUP:
		rc = evs_segment_load_group(s, s->pos, s->tail.end, &span, diag);
		if (rc == 0)
			rc = walk_padding(s, fr, diag);
		if (rc == 0)
			rc = evs_chain_group(s, s->pos, span, diag);
		if (rc < 0)
			return rc;
		if (s->group.first_row != s->next_row && !s->gap)
			evs_segment_tell(
				s, s->pos, 0,
				"5.1-10 first_row is not the number of rows before the group");
		close_gap(s, s->group.first_row, s->pos);
		/* Groups that the tree has passed over already count once. */
		if (s->group.first_row + s->group.rows > s->next_row)
			s->next_row = s->group.first_row + s->group.rows;
		rc = watched(s, fr, span, NULL, NULL, diag);
		return rc < 0 ? rc : 1;
	case EVS_FRAME_COMMIT:
		return walk_commit(s, fr, diag);
	case EVS_FRAME_INDEX:
		rc = walk_index(s, fr, diag);
		return rc < 0 ? rc : walk_padding(s, fr, diag);
	case EVS_FRAME_FILTER:
		rc = evs_file_filter(&s->file, s->pos, s->tail.end, &s->chain.ahead, &p, &length,
				     diag);
		break;
	default:
		rc = evs_file_summed(&s->file, s->pos, fr, &p, diag);
		break;
	}
	if (rc == 0)
		rc = walk_padding(s, fr, diag);
	return rc < 0 ? rc : watched(s, fr, span, NULL, NULL, diag);
}

/* To the next sound frame, or the end. The newest commit may end behind the file: its second
 * trailer is cut. */
static int resync(struct evs_segment *s, uint64_t from, struct evs_diag *diag)
{
	uint64_t limit = s->tail.end < s->tail.size ? s->tail.end : s->tail.size;
	uint64_t newest = s->tail.trailer.commit_off;
	int rc = evs_file_resync(&s->file, from, limit, &s->pos, diag);

	if (rc < 0 || s->pos < limit)
		return rc;
	/* A commit whose end is cut off does not fit in the file, so it was not found. */
	s->pos = s->tail.end > s->tail.size && newest >= from ? newest : s->tail.end;
	return 0;
}

int evs_walk_next(struct evs_segment *s, struct evs_diag *diag)
{
	struct evs_diag d = { 0 };
	struct evs_frame fr;
	uint64_t span, at;
	int rc, told;

	while (s->pos < s->tail.end) {
		at = s->pos;
		rc = evs_file_frame(&s->file, at, s->tail.end, &fr, &d);
		span = rc == 0 ? evs_frame_span(fr.payload_len) : 0;
		if (rc == 0)
			rc = walk_frame(s, &fr, &d);
		if (rc >= 0) {
			s->pos = at + span;
			if (rc == 1)
				return 1;
			continue;
		}
		if (rc != EVS_E_FORMAT && rc != EVS_E_VERSION) {
			evs_fail_copy(diag, &d);
			return rc;
		}
		open_gap(s, at, &d);
		evs_chain_broken(s);
		told = watched(s, NULL, 0, NULL, NULL, diag);
		if (told < 0)
			return told;
		/* A head whose payload fails may be stale, and its length with it. */
		if (rc == EVS_E_VERSION && span)
			s->pos = at + span;
		else if ((rc = resync(s, at + 8, diag)) < 0)
			return rc;
	}
	if (s->tail.have_commit)
		close_gap(s, s->tail.trailer.rows_total, s->tail.end);
	return 0;
}
