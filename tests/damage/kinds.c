/*
 * Flips, cuts, pieces, frames, versions and what comes by chance. See kinds.h.
 */
#include "kinds.h"

#include "edit.h"

#include <stdlib.h>
#include <string.h>

/* ---- one bit; one end ------------------------------------------------------------------------ */

static uint64_t count_bits(const struct scene *s)
{
	return 8 * (uint64_t)s->base->size;
}

static void flip(const struct scene *s, uint64_t i, struct damaged *d)
{
	uint8_t byte = (uint8_t)(d->bytes[i / 8] ^ 1u << i % 8);

	(void)s;
	edit_put(d, i / 8, &byte, 1);
}

static uint64_t count_bytes(const struct scene *s)
{
	return s->base->size;
}

static void cut(const struct scene *s, uint64_t i, struct damaged *d)
{
	(void)s;
	edit_cut(d, i);
}

/* ---- pieces of sectors and pages ------------------------------------------------------------- */

static uint64_t pieces_of(const struct damaged *d, uint64_t size)
{
	return (d->base->size + size - 1) / size;
}

static uint64_t piece_len(const struct damaged *d, uint64_t at, uint64_t size)
{
	return at + size <= d->size ? size : at < d->size ? d->size - at : 0;
}

enum { PIECE_ZERO, PIECE_REMOVE, PIECE_OVER, PIECE_INSERT, PIECE_SWAP, PIECE_OPS };

static void piece(struct damaged *d, unsigned op, uint64_t size, uint64_t from, uint64_t to)
{
	uint64_t n = piece_len(d, from * size, size), a = from * size, b = to * size;

	switch (op) {
	case PIECE_ZERO:
		edit_put(d, a, NULL, n);
		break;
	case PIECE_REMOVE:
		edit_remove(d, a, n);
		break;
	case PIECE_OVER:
		edit_put(d, b, d->bytes + a, n);
		break;
	case PIECE_INSERT:
		edit_insert(d, b, d->bytes + a, n);
		break;
	default:
		if (a < b)
			edit_swap(d, a, n, b, piece_len(d, b, size));
		break;
	}
}

/* Each size has `n` pieces; the first two ops take one, the others two. */
static uint64_t count_size(uint64_t file, uint64_t size)
{
	uint64_t n = (file + size - 1) / size;

	return 2 * n + 3 * n * n;
}

static uint64_t count_pieces(const struct scene *s)
{
	return count_size(s->base->size, 512) + count_size(s->base->size, 4096);
}

static void make_piece(const struct scene *s, uint64_t i, struct damaged *d)
{
	uint64_t size = 512, n;

	if (i >= count_size(s->base->size, 512)) {
		i -= count_size(s->base->size, 512);
		size = 4096;
	}
	n = pieces_of(d, size);
	if (i < 2 * n) {
		piece(d, (unsigned)(i / n), size, i % n, 0);
		return;
	}
	i -= 2 * n;
	piece(d, PIECE_OVER + (unsigned)(i / (n * n)), size, i / n % n, i % n);
}

/* ---- frames ---------------------------------------------------------------------------------- */

struct part {
	uint64_t off, span;
};

/* HEADs count as frames 0 and 1. */
static size_t parts_of(const struct version *v)
{
	return v->nframes + 2;
}

static struct part part_of(const struct version *v, size_t i)
{
	if (i < 2)
		return (struct part){ i * v->head_span, v->head_span };
	return (struct part){ v->frames[i - 2].off, v->frames[i - 2].span };
}

enum { FRAME_OVER, FRAME_INSTEAD, FRAME_INSERT, FRAME_SWAP, FRAME_OPS };

static void move_frame(struct damaged *d, unsigned op, const struct version *from, struct part f,
		       struct part to)
{
	switch (op) {
	case FRAME_OVER:
		edit_put(d, to.off, from->data + f.off, f.span);
		break;
	case FRAME_INSTEAD:
		edit_remove(d, to.off, to.span);
		edit_insert(d, to.off, from->data + f.off, f.span);
		break;
	case FRAME_INSERT:
		edit_insert(d, to.off, from->data + f.off, f.span);
		break;
	default:
		if (from == d->base && f.off < to.off && to.off + to.span <= d->size)
			edit_swap(d, f.off, f.span, to.off, to.span);
		break;
	}
}

static uint64_t count_frames(const struct scene *s)
{
	uint64_t n = parts_of(s->base);

	return n + FRAME_OPS * n * n;
}

static void make_frames(const struct scene *s, uint64_t i, struct damaged *d)
{
	const struct version *v = s->base;
	uint64_t n = parts_of(v);
	struct part f = part_of(v, i % n);

	if (i < n) {
		edit_remove(d, f.off, f.span);
		return;
	}
	i -= n;
	move_frame(d, (unsigned)(i / (n * n)), v, part_of(v, i / n % n), part_of(v, i % n));
}

/* Frames of other segments, put over and in front of each of this one's. */
static uint64_t count_foreign(const struct scene *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->nforeign; i++)
		n += parts_of(s->foreign[i]);
	return n * parts_of(s->base) * 3;
}

static void make_foreign(const struct scene *s, uint64_t i, struct damaged *d)
{
	struct part to = part_of(s->base, i / 3 % parts_of(s->base));
	uint64_t n = i / 3 / parts_of(s->base);
	size_t from = 0;

	while (n >= parts_of(s->foreign[from]))
		n -= parts_of(s->foreign[from++]);
	move_frame(d, (unsigned)(i % 3), s->foreign[from], part_of(s->foreign[from], n), to);
}

/* ---- other versions of the same segment ------------------------------------------------------ */

/* Ends of frames and of sectors, in either of them: places to go from one version over to the
 * other. */
static uint64_t count_seams(const struct version *a, const struct version *b)
{
	size_t least = a->size < b->size ? a->size : b->size;

	return a->nframes + b->nframes + least / 512;
}

static uint64_t seam(const struct version *a, const struct version *b, uint64_t i)
{
	if (i < a->nframes)
		return a->frames[i].off;
	i -= a->nframes;
	return i < b->nframes ? b->frames[i].off : (i - b->nframes + 1) * 512;
}

/* Ways to mix `b` into `a`: from a seam on, frames of it, sectors and pages of it. */
static uint64_t count_mixes(const struct version *a, const struct version *b)
{
	return count_seams(a, b) + b->nframes + b->size / 512 + b->size / 4096;
}

static void mix(const struct version *a, const struct version *b, uint64_t i, struct damaged *d)
{
	uint64_t size = 512, at;

	if (i < count_seams(a, b)) {
		at = seam(a, b, i);
		edit_cut(d, at);
		if (at < b->size)
			edit_put(d, at, b->data + at, b->size - at);
		return;
	}
	i -= count_seams(a, b);
	if (i < b->nframes) {
		edit_put(d, b->frames[i].off, b->data + b->frames[i].off, b->frames[i].span);
		return;
	}
	i -= b->nframes;
	if (i >= b->size / 512) {
		i -= b->size / 512;
		size = 4096;
	}
	edit_put(d, i * size, b->data + i * size, size);
}

static uint64_t count_versions(const struct scene *s)
{
	uint64_t n = 0;

	for (size_t a = 0; a < s->nversions; a++)
		for (size_t b = 0; b < s->nversions; b++)
			n += a == b ? 0 : count_mixes(s->versions[a], s->versions[b]);
	return n;
}

static void make_version(const struct scene *s, uint64_t i, struct damaged *d)
{
	for (size_t a = 0; a < s->nversions; a++)
		for (size_t b = 0; b < s->nversions; b++) {
			const struct version *va = s->versions[a], *vb = s->versions[b];
			uint64_t n = a == b ? 0 : count_mixes(va, vb);

			if (i >= n) {
				i -= n;
				continue;
			}
			if (va != s->base) {
				edit_cut(d, 0);
				edit_put(d, 0, va->data, va->size);
			}
			mix(va, vb, i, d);
			return;
		}
}

/* ---- by chance ------------------------------------------------------------------------------- */

/* xorshift64*: the same numbers everywhere. */
static uint64_t draw(uint64_t *state, uint64_t below)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 2685821657736338717u >> 11) % (below ? below : 1);
}

static void chance_bytes(uint64_t *r, struct damaged *d)
{
	uint64_t off = draw(r, d->size), n = (uint64_t)1 << draw(r, 14);
	uint8_t garbage[64];

	n = n < d->size - off ? n : d->size - off;
	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (uint8_t)draw(r, 256);
	switch (draw(r, 4)) {
	case 0:
		edit_put(d, off, NULL, n);
		break;
	case 1:
		edit_put(d, off, garbage, n < sizeof(garbage) ? n : sizeof(garbage));
		break;
	case 2:
		edit_put(d, draw(r, d->size), d->bytes + off, n);
		break;
	default:
		garbage[0] = (uint8_t)(d->bytes[off] ^ 1u << draw(r, 8));
		edit_put(d, off, garbage, 1);
		break;
	}
}

static void chance_length(uint64_t *r, struct damaged *d)
{
	uint64_t off = draw(r, d->size), n = (uint64_t)1 << draw(r, 13);

	n = n < d->size - off ? n : d->size - off;
	switch (draw(r, 3)) {
	case 0:
		edit_cut(d, off);
		break;
	case 1:
		edit_remove(d, off, n);
		break;
	default:
		edit_insert(d, draw(r, d->size), d->bytes + off, n);
		break;
	}
}

static void chance_piece(uint64_t *r, struct damaged *d)
{
	uint64_t size = draw(r, 2) ? 512 : 4096, n = pieces_of(d, size);
	static const unsigned ops[] = { PIECE_ZERO, PIECE_ZERO, PIECE_OVER, PIECE_OVER,
					PIECE_SWAP };

	piece(d, ops[draw(r, 5)], size, draw(r, n), draw(r, n));
}

static void chance_frame(const struct scene *s, uint64_t *r, struct damaged *d)
{
	const struct version *from = s->base;
	unsigned op = (unsigned)draw(r, FRAME_OPS);

	if (s->nforeign && draw(r, 8) == 0)
		from = s->foreign[draw(r, s->nforeign)];
	move_frame(d, op, from, part_of(from, draw(r, parts_of(from))),
		   part_of(s->base, draw(r, parts_of(s->base))));
}

static void chance_version(const struct scene *s, uint64_t *r, struct damaged *d)
{
	size_t b = 1 + draw(r, s->nversions - 1);

	mix(s->base, s->versions[b], draw(r, count_mixes(s->base, s->versions[b])), d);
}

static uint64_t count_random(const struct scene *s)
{
	(void)s;
	return 0;
}

static void make_random(const struct scene *s, uint64_t i, struct damaged *d)
{
	uint64_t r = (s->seed + 1) * 0x9e3779b97f4a7c15u ^ (i + 1) * 0xd1342543de82ef95u;
	uint64_t times = draw(&r, 4) ? 1 : 2 + draw(&r, 4);

	while (times-- > 0 && d->size && d->size < 2 * (uint64_t)s->base->size) {
		uint64_t what = draw(&r, 16);

		if (what < 8)
			chance_bytes(&r, d);
		else if (what < 9)
			chance_length(&r, d);
		else if (what < 12)
			chance_piece(&r, d);
		else if (what < 14 && s->nversions > 1)
			chance_version(s, &r, d);
		else
			chance_frame(s, &r, d);
	}
}

const struct kind kinds[] = {
	{ "flips", count_bits, flip },
	{ "cuts", count_bytes, cut },
	{ "pieces", count_pieces, make_piece },
	{ "frames", count_frames, make_frames },
	{ "foreign", count_foreign, make_foreign },
	{ "versions", count_versions, make_version },
	{ "random", count_random, make_random },
};
const size_t nkinds = sizeof(kinds) / sizeof(kinds[0]);
