/*
 * A libFuzzer mutator that knows what a segment is made of: it changes fields, blocks and the order
 * of frames, and then makes lengths, links and checksums right again, most of the time.
 */
#ifndef EVS_TESTS_FUZZ_MUTATE_SEGMENT_H
#define EVS_TESTS_FUZZ_MUTATE_SEGMENT_H

#include "tests/fuzz/mend.h"

#include <stdlib.h>
#include <zstd.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* A segment being changed: `p` has room for `max` bytes. */
struct mutant {
	uint8_t *p;
	size_t len, max;
	uint64_t random;
};

static inline size_t mutant_pick(struct mutant *m, size_t n)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return n ? (size_t)((m->random >> 16) % n) : 0;
}

/* Put `n` bytes in the place of the `old` bytes at `at`; false when there is no room. */
static inline bool mutant_splice(struct mutant *m, size_t at, size_t old, const void *bytes,
				 size_t n)
{
	if (m->len - old + n > m->max)
		return false;
	memmove(m->p + at + n, m->p + at + old, m->len - at - old);
	if (n)
		memcpy(m->p + at, bytes, n);
	m->len += n - old;
	return true;
}

/* A number of 1, 2, 4 or 8 bytes somewhere in the checked part of a frame. */
static inline void mutate_field(struct mutant *m, const struct mend_frame *f)
{
	static const uint64_t odd[] = { 0,	    1,		2,	    7,	       8,
					40,	    63,		64,	    127,       128,
					255,	    256,	0xffff,	    0x10000,   0x7fffffff,
					0x80000000, 0xffffffff, 1ull << 20, INT64_MAX, 1ull << 63,
					UINT64_MAX };
	uint32_t summed = evs_get32(m->p + f->off + 16);
	size_t reach = (uint64_t)EVS_FRAME_HEAD_SIZE + summed <= f->span
			       ? EVS_FRAME_HEAD_SIZE + summed
			       : f->span;
	size_t size = (size_t)1 << mutant_pick(m, 4);
	size_t at = f->off + mutant_pick(m, reach / size) * size;
	uint8_t bytes[8];
	uint64_t v;

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, m->p + at, size);
	v = evs_get64(bytes);
	switch (mutant_pick(m, 4)) {
	case 0:
		v += mutant_pick(m, 17) - 8;
		break;
	case 1:
		v ^= 1ull << mutant_pick(m, 8 * size);
		break;
	case 2:
		v = f->off + 8 * mutant_pick(m, 64) - 256;
		break;
	default:
		v = odd[mutant_pick(m, sizeof(odd) / sizeof(odd[0]))];
	}
	evs_put64(bytes, v);
	memcpy(m->p + at, bytes, size);
}

/* A block of a GROUP: where its entry is, where it is. */
struct mutant_block {
	size_t entry, at, len;
};

static inline bool mutant_find_block(struct mutant *m, const struct mend_frame *f,
				     struct mutant_block *b)
{
	const size_t fixed = sizeof(struct evs_group_raw), one = sizeof(struct evs_block_raw);
	size_t payload = f->off + EVS_FRAME_HEAD_SIZE, end = f->off + f->span, n, want;

	if (m->p[f->off + 4] != EVS_FRAME_GROUP || f->span < EVS_FRAME_HEAD_SIZE + fixed)
		return false;
	n = evs_get16(m->p + payload + offsetof(struct evs_group_raw, blocks));
	if (!n || n * one > end - payload - fixed)
		return false;
	want = mutant_pick(m, n);
	b->at = payload + fixed + n * one;
	for (size_t i = 0; i <= want; i++) {
		b->entry = payload + fixed + i * one;
		b->at += i ? b->len : 0;
		b->len = evs_get32(m->p + b->entry + offsetof(struct evs_block_raw, stored_len));
		if (b->len > end - b->at)
			return false;
	}
	return true;
}

/* Give the block other bytes, and lengths, the codec and the frame's padding to match. */
static inline void mutant_set_block(struct mutant *m, const struct mend_frame *f,
				    const struct mutant_block *b, const uint8_t *bytes, size_t n)
{
	uint64_t payload_len = evs_get64(m->p + f->off + 8) + n - b->len;
	size_t tail = b->at + b->len, old = f->off + f->span - tail, now;
	uint8_t *rest;

	/* A length that was changed before may end the frame inside of the block. */
	if (payload_len >= m->max || f->off + evs_frame_span(payload_len) < b->at + n)
		return;
	now = (size_t)(f->off + evs_frame_span(payload_len) - (b->at + n));
	rest = calloc(1, (old > now ? old : now) + 1);
	if (rest) {
		memcpy(rest, m->p + tail, old < now ? old : now);
		if (mutant_splice(m, tail, old, rest, now) &&
		    mutant_splice(m, b->at, b->len, bytes, n)) {
			evs_put64(m->p + f->off + 8, payload_len);
			evs_put32(m->p + b->entry + 4, (uint32_t)n);
			if (!m->p[b->entry + offsetof(struct evs_block_raw, codec)])
				evs_put32(m->p + b->entry + 8, (uint32_t)n);
		}
	}
	free(rest);
}

/* Bytes of a block, out of their zstd when they are in one: the encodings behind it are what is of
 * interest. */
static inline void mutate_block(struct mutant *m, const struct mend_frame *f)
{
	enum { ROOM = 1 << 16 };
	static uint8_t bytes[ROOM];
	struct mutant_block b;
	size_t n, room;

	if (!mutant_find_block(m, f, &b) || b.len > ROOM || !b.len)
		return;
	memcpy(bytes, m->p + b.at, b.len);
	n = b.len;
	if (m->p[b.entry + 2] == EVS_CODEC_ZSTD) {
		n = ZSTD_decompress(bytes, ROOM, m->p + b.at, b.len);
		if (ZSTD_isError(n) || !n)
			return;
		m->p[b.entry + 2] = EVS_CODEC_NONE;
	}
	room = mutant_pick(m, 2) ? n : n + mutant_pick(m, 32);
	if (mutant_pick(m, 2))
		n = LLVMFuzzerMutate(bytes, n, room < ROOM ? room : ROOM);
	else
		bytes[mutant_pick(m, n < 16 ? n : n / 2)] = (uint8_t)mutant_pick(m, 24);
	mutant_set_block(m, f, &b, bytes, n);
}

/* Twice, gone, or in the place of another one. */
static inline void mutate_order(struct mutant *m, const struct mend *frames)
{
	const struct mend_frame *f = &frames->frame[mutant_pick(m, frames->n)];
	const struct mend_frame *g = &frames->frame[mutant_pick(m, frames->n)];
	uint8_t *copy = malloc(f->span);

	if (!copy)
		return;
	memcpy(copy, m->p + f->off, f->span);
	switch (mutant_pick(m, 3)) {
	case 0:
		(void)mutant_splice(m, f->off, f->span, NULL, 0);
		break;
	case 1:
		(void)mutant_splice(m, g->off, 0, copy, f->span);
		break;
	default:
		(void)mutant_splice(m, g->off, g->span, copy, f->span);
		break;
	}
	free(copy);
}

static inline void mutate_end(struct mutant *m)
{
	size_t n = mutant_pick(m, 600);

	if (mutant_pick(m, 2))
		m->len -= n < m->len ? n : m->len;
	else if (n < m->max - m->len) {
		memset(m->p + m->len, mutant_pick(m, 2) ? 0 : 0x5a, n);
		m->len += n;
	}
}

static inline size_t mutate_segment(uint8_t *p, size_t len, size_t max, unsigned seed)
{
	struct mutant m = { p, len, max, (uint64_t)seed * 0x9e3779b97f4a7c15u | 1 };
	struct mend frames;
	const struct mend_frame *f;

	mend_find(&frames, p, len);
	for (size_t times = 1 + mutant_pick(&m, 3); frames.n && times; times--) {
		f = &frames.frame[mutant_pick(&m, frames.n)];
		switch (mutant_pick(&m, 16)) {
		case 0:
		case 1:
			mutate_order(&m, &frames);
			break;
		case 2:
			mutate_end(&m);
			break;
		case 3:
			m.len = LLVMFuzzerMutate(p, m.len, max);
			break;
		case 4:
		case 5:
		case 6:
		case 7:
			mutate_field(&m, f);
			break;
		default:
			mutate_block(&m, f);
			break;
		}
		mend_find(&frames, p, m.len);
	}
	if (!frames.n)
		return LLVMFuzzerMutate(p, m.len, max);
	if (mutant_pick(&m, 3))
		mend_links(p, m.len);
	else if (mutant_pick(&m, 16))
		mend_sums(p, m.len);
	return m.len;
}

#endif
