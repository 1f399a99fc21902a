/*
 * Section 9 of the spec over bytes of which it is known what they were. See expect.h.
 */
#include "expect.h"

#include <stdlib.h>
#include <string.h>

/* Do [off, off + n) hold what they hold in `v`? */
static bool same(const struct damaged *d, const struct version *v, uint64_t off, uint64_t n)
{
	if (off > d->size || n > d->size - off || off + n > v->size)
		return false;
	if (v == d->base && (off + n <= d->lo || off >= d->hi))
		return true;
	return memcmp(d->bytes + off, v->data + off, (size_t)n) == 0;
}

static bool head_sound(const struct damaged *d, const struct frame *f)
{
	return same(d, f->of, f->off, FRAME_HEAD);
}

static bool summed_sound(const struct damaged *d, const struct frame *f)
{
	return same(d, f->of, f->off, FRAME_HEAD + (uint64_t)f->summed);
}

static bool whole_sound(const struct damaged *d, const struct frame *f)
{
	return same(d, f->of, f->off, f->span);
}

/* The frame with a sound head at `off` that ends at or before `limit`, or NULL. */
static const struct frame *frame_at(const struct expect *e, const struct damaged *d, uint64_t off,
				    uint64_t limit)
{
	for (size_t i = family_at(e->fam, off); i < e->fam->nframes; i++) {
		const struct frame *f = e->fam->frames[i];

		if (f->off != off)
			break;
		if (head_sound(d, f) && f->span <= limit - off)
			return f;
	}
	return NULL;
}

/* ---- HEAD (9-1, 9-2) ------------------------------------------------------------------------- */

static uint64_t head_bytes(const struct version *v)
{
	uint64_t payload = 0;

	for (unsigned i = 8; i--;)
		payload = payload << 8 | v->data[8 + i];
	return FRAME_HEAD + payload;
}

static void find_head(struct expect *e, const struct damaged *d,
		      const struct family *const *families, size_t n)
{
	uint64_t nearest = UINT64_MAX;

	for (size_t i = 0; i < n && !e->segment; i++) {
		const struct version *v = families[i]->versions[0];

		if (v->head_span > d->size || !same(d, v, 0, head_bytes(v)))
			continue;
		e->segment = true;
		e->fam = families[i];
		e->start = v->start;
	}
	if (e->segment)
		return;
	for (size_t i = 0; i < n; i++) {
		const struct version *v = families[i]->versions[0];

		if (v->head_span >= nearest || v->start > d->size ||
		    !same(d, v, v->head_span, head_bytes(v)))
			continue;
		nearest = v->head_span;
		e->segment = true;
		e->fam = families[i];
		e->start = v->start;
	}
}

/* ---- the newest commit (9-3 to 9-6) ---------------------------------------------------------- */

/* 9-5: a sector that is all zero, as far as it lies in [a, b), or the file ends in it. */
static bool may_be_torn(const struct damaged *d, uint64_t a, uint64_t b)
{
	static const uint8_t zero[512];

	if (b > d->size)
		return true;
	while (a < b) {
		uint64_t next = (a / 512 + 1) * 512;
		uint64_t n = (next < b ? next : b) - a;

		if (memcmp(d->bytes + a, zero, (size_t)n) == 0)
			return true;
		a += n;
	}
	return false;
}

/* The COMMIT whose frame stands at c->off, in any version, with the numbers that the trailer of `c`
 * gives. */
static const struct frame *commit_of_trailer(const struct expect *e, const struct damaged *d,
					     const struct frame *c)
{
	const struct frame *f = frame_at(e, d, c->off, c->off + c->span);

	if (!f || f->type != COMMIT_FRAME || !summed_sound(d, f) || f->seq != c->seq ||
	    f->rows_total != c->rows_total || f->commit_rows != c->commit_rows ||
	    f->first_group != c->first_group)
		return NULL;
	return f;
}

/* Is the append that `c` ends a torn one? */
static bool torn(const struct expect *e, const struct damaged *d, const struct frame *c, bool *bad)
{
	const struct frame *commit = commit_of_trailer(e, d, c);
	uint64_t off = c->prev_end;

	*bad = !commit;
	if (!commit)
		return c->seq > 1 && may_be_torn(d, c->off, c->off + c->span);
	if (c->seq == 1)
		return false;
	off = commit->prev_end;
	while (off < c->off) {
		const struct frame *f = frame_at(e, d, off, c->off);
		uint64_t span = f ? f->span : c->off - off;
		bool sound = f && (f->in & commit->in) &&
			     (f->type == GROUP_FRAME ? whole_sound(d, f) : summed_sound(d, f));

		if (!sound)
			return may_be_torn(d, off, off + span);
		off += span;
	}
	return false;
}

/* The last sound trailer in front of `before`; the commit that it names. */
static const struct frame *last_trailer(const struct expect *e, const struct damaged *d,
					uint64_t before)
{
	const struct frame *best = NULL;
	uint64_t best_off = 0;

	for (size_t i = e->fam->nframes; i-- > 0;) {
		const struct frame *f = e->fam->frames[i];
		uint64_t end = f->off + f->span;

		if (f->type != COMMIT_FRAME)
			continue;
		for (unsigned copy = 2; copy-- > 0;) {
			uint64_t at = end - (2 - copy) * (uint64_t)TRAILER;

			if (at < before && at > best_off && same(d, f->of, at, TRAILER)) {
				best_off = at;
				best = f;
			}
		}
		/* Frames stand by offset, but those of another version may end behind. */
		if (best && i > 0 && e->fam->nversions == 1)
			break;
	}
	return best;
}

static void find_commit(struct expect *e, const struct damaged *d)
{
	const struct frame *c = last_trailer(e, d, d->size), *first = c;
	uint64_t have;

	while (c && torn(e, d, c, &e->commit_bad))
		c = last_trailer(e, d, c->first_group);
	e->commit = c;
	if (c &&
	    !e->commit_bad) /* trailers of one version may stand behind the COMMIT of another */
		e->commit = commit_of_trailer(e, d, c);
	e->end = c ? c->off + c->span : e->start;
	e->tail = c != first || d->size > e->end || !c;
	e->tail_known = c != first;
	if (!e->tail_known)
		return;
	have = c ? c->rows_total : 0;
	e->tail_rows = first->rows_total > have ? first->rows_total - have : first->commit_rows;
}

/* ---- the walk (9-9, 9-10) -------------------------------------------------------------------- */

static void room_for(struct expect *e)
{
	size_t need = e->nmet > e->nlost ? e->nmet : e->nlost;

	if (need + 1 < e->room)
		return;
	e->room = e->room ? 2 * e->room : 256;
	e->met = must(realloc(e->met, e->room * sizeof(*e->met)));
	e->lost = must(realloc(e->lost, e->room * sizeof(*e->lost)));
}

static void open_gap(struct expect *e, uint64_t off)
{
	if (!e->gap)
		e->gap_off = off;
	e->gap = true;
}

static void close_gap(struct expect *e, uint64_t row, uint64_t off)
{
	if (row > e->next_row) {
		room_for(e);
		e->lost[e->nlost++] = (struct loss){ e->gap ? e->gap_off : off, row - e->next_row };
		e->odd = e->odd || !e->gap;
		e->next_row = row;
	}
	e->gap = false;
}

static void meet_group(struct expect *e, const struct frame *f)
{
	if (f->first_row != e->next_row && !e->gap)
		e->odd = true;
	close_gap(e, f->first_row, f->off);
	e->odd = e->odd || f->first_row < e->next_row;
	if (f->first_row + f->rows > e->next_row)
		e->next_row = f->first_row + f->rows;
	room_for(e);
	e->met[e->nmet++] = f;
}

static void meet_commit(struct expect *e, const struct frame *f)
{
	e->odd = e->odd || f->rows_total < e->next_row;
	close_gap(e, f->rows_total, f->off);
}

/* First offset from `from` on with a sound head of a frame that fits in the file; else the end. */
static uint64_t next_head(const struct expect *e, const struct damaged *d, uint64_t from)
{
	uint64_t limit = e->end < d->size ? e->end : d->size;

	for (size_t i = family_at(e->fam, from); i < e->fam->nframes; i++) {
		const struct frame *f = e->fam->frames[i];

		if (f->off >= limit)
			break;
		if (head_sound(d, f) && f->span <= limit - f->off)
			return f->off;
	}
	return e->end;
}

/* Where the walk goes on behind damage. */
static uint64_t resync(const struct expect *e, const struct damaged *d, uint64_t from)
{
	uint64_t off = next_head(e, d, from);

	if (off < e->end)
		return off;
	/* The newest COMMIT whose second trailer is cut off does not fit, and counts. */
	return e->end > d->size && e->commit->off >= from ? e->commit->off : e->end;
}

/* The COMMIT that ends the append of the frame at `off`, when it is sound. */
static const struct frame *commit_behind(struct expect *e, const struct damaged *d, uint64_t off)
{
	if (off >= e->ahead_to) {
		e->ahead = NULL;
		for (e->ahead_to = off; e->ahead_to < e->end;) {
			const struct frame *f = frame_at(e, d, e->ahead_to, e->end);

			if (f && f->type == COMMIT_FRAME) {
				e->ahead = summed_sound(d, f) ? f : NULL;
				break;
			}
			e->ahead_to = f ? e->ahead_to + f->span : next_head(e, d, e->ahead_to + 8);
		}
	}
	return e->ahead && e->ahead->prev_end <= off ? e->ahead : NULL;
}

static bool reaches_over(const struct frame *f, uint64_t place)
{
	return f->off < place && f->off + f->span > place;
}

/* 3.1-15, 3.1-16: a frame of another version, in front of a COMMIT that knows nothing of it, or
 * that reaches over what came since. */
static bool left_over(struct expect *e, const struct damaged *d, const struct frame *f)
{
	const struct frame *c = f->type == COMMIT_FRAME ? NULL : commit_behind(e, d, f->off);

	if (f->type == COMMIT_FRAME)
		return false;
	if ((e->ahead && reaches_over(f, e->ahead->prev_end)) ||
	    (e->commit && reaches_over(f, e->commit->off)))
		return true;
	return c && !(c->in & f->in);
}

static void walk(struct expect *e, const struct damaged *d)
{
	uint32_t versions = e->commit ? e->commit->in : UINT32_MAX;
	uint64_t pos = e->start;

	while (pos < e->end) {
		const struct frame *f = frame_at(e, d, pos, e->end);
		bool stale = f && left_over(e, d, f);

		if (stale)
			versions = 0;
		if (!f || stale || !summed_sound(d, f)) {
			open_gap(e, pos);
			pos = resync(e, d, pos + 8);
			continue;
		}
		versions &= f->in;
		if (f->type == GROUP_FRAME)
			meet_group(e, f);
		else if (f->type == COMMIT_FRAME)
			meet_commit(e, f);
		pos += f->span;
	}
	if (e->commit) {
		e->odd = e->odd || e->commit->rows_total < e->next_row;
		close_gap(e, e->commit->rows_total, e->end);
	}
	e->mixed = !versions;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* A version, or one as it was behind an older commit: nothing can tell that anything is missing. */
static bool is_version(const struct expect *e, const struct damaged *d)
{
	for (size_t i = 0; i < e->fam->nversions; i++) {
		const struct version *v = e->fam->versions[i];

		if (!same(d, v, 0, d->size))
			continue;
		for (size_t k = 0; k < v->nframes; k++)
			if (v->frames[k].type == COMMIT_FRAME &&
			    v->frames[k].off + v->frames[k].span == d->size)
				return true;
	}
	return false;
}

void expect_of(struct expect *e, const struct damaged *d, const struct family *const *families,
	       size_t nfamilies)
{
	*e = (struct expect){ .met = e->met, .lost = e->lost, .room = e->room };
	find_head(e, d, families, nfamilies);
	if (!e->segment)
		return;
	e->whole = is_version(e, d);
	find_commit(e, d);
	walk(e, d);
}

void expect_release(struct expect *e)
{
	free(e->met);
	free(e->lost);
	*e = (struct expect){ 0 };
}

bool expect_schema(const struct expect *e, const struct damaged *d, uint64_t off)
{
	const struct frame *f = off ? frame_at(e, d, off, e->end) : NULL;
	struct expect look = *e;

	look.ahead_to = 0;
	return off == 0 ||
	       (f && f->type == SCHEMA_FRAME && summed_sound(d, f) && !left_over(&look, d, f));
}

uint64_t expect_schema_in_force(const struct expect *e, const struct damaged *d)
{
	uint64_t off = e->commit ? e->commit->commit_schema : 0;

	if (!e->commit || (!e->commit_bad && expect_schema(e, d, off)))
		return off;
	off = 0;
	for (size_t i = 0; i < e->fam->nframes && e->fam->frames[i]->off < e->commit->off; i++)
		if (e->fam->frames[i]->type == SCHEMA_FRAME &&
		    expect_schema(e, d, e->fam->frames[i]->off))
			off = e->fam->frames[i]->off;
	return off;
}

/* The DICT frame that stood at `off` when the block was made. */
static bool dictionary_sound(const struct expect *e, const struct damaged *d,
			     const struct version *of, uint64_t off)
{
	const struct frame *f = frame_at(e, d, off, e->end);

	return f && f->type == DICT_FRAME && summed_sound(d, f) &&
	       same(d, of, off, FRAME_HEAD + (uint64_t)f->summed);
}

bool expect_block(const struct expect *e, const struct damaged *d, const struct frame *group,
		  const struct block *b)
{
	return same(d, group->of, b->off, b->len) &&
	       (!b->dict[0] || dictionary_sound(e, d, group->of, b->dict[0]) ||
		dictionary_sound(e, d, group->of, b->dict[1]));
}

bool expect_rest(const struct damaged *d, const struct frame *f)
{
	return same(d, f->of, f->off + FRAME_HEAD + f->summed, f->payload_len - f->summed);
}
