/*
 * Makes the checksums of a changed segment right again, so that what is refused breaks another
 * rule, and what is not must be handled: the sums of frames, blocks and trailers, the hashes of
 * commits.
 *
 * mend_sums() changes nothing else, and so leaves a sound segment as it is. mend_links() first
 * makes frames that were moved, cut or grown name each other again.
 */
#ifndef EVS_TESTS_FUZZ_MEND_H
#define EVS_TESTS_FUZZ_MEND_H

#include "format/commit.h"
#include "format/frame.h"
#include "format/group.h"
#include "format/head.h"

#include <sodium.h>
#include <stddef.h>
#include <xxhash.h>

#define MEND_FRAMES 512u

/* Frames as they lie in the bytes, whether or not they make sense. */
struct mend_frame {
	size_t off, span;
};

struct mend {
	uint8_t *p;
	size_t len;
	uint64_t salt;
	struct mend_frame frame[MEND_FRAMES];
	unsigned n;
};

static inline bool mend_is_frame(const struct mend *m, size_t off)
{
	static const uint8_t magic[4] = { 0x89, 'E', 'V', 'S' };

	return m->len - off >= EVS_FRAME_HEAD_SIZE && !memcmp(m->p + off, magic, sizeof(magic));
}

static inline uint64_t mend_payload_len(const struct mend *m, size_t off)
{
	return evs_get64(m->p + off + offsetof(struct evs_frame_raw, payload_len));
}

static inline uint32_t mend_summed_len(const struct mend *m, size_t off)
{
	return evs_get32(m->p + off + offsetof(struct evs_frame_raw, summed_len));
}

static inline uint8_t *mend_payload(const struct mend *m, size_t off)
{
	return m->p + off + EVS_FRAME_HEAD_SIZE;
}

/* The frames that stand in the bytes as a whole, and the salt of the first HEAD among them. */
static inline void mend_find(struct mend *m, uint8_t *p, size_t len)
{
	const size_t salt = offsetof(struct evs_head_raw, salt);
	bool salted = false;

	*m = (struct mend){ .p = p, .len = len };
	for (size_t off = 0; off < len && m->n < MEND_FRAMES;) {
		uint64_t payload, left = len - off;

		if (!mend_is_frame(m, off)) {
			off += 8;
			continue;
		}
		payload = mend_payload_len(m, off);
		if (payload >= EVS_FRAME_MAX_PAYLOAD || evs_frame_span(payload) > left) {
			off += 8;
			continue;
		}
		if (p[off + 4] == EVS_FRAME_HEAD && !salted && payload >= salt + 8) {
			m->salt = evs_get64(mend_payload(m, off) + salt);
			salted = true;
		}
		m->frame[m->n++] = (struct mend_frame){ off, (size_t)evs_frame_span(payload) };
		off += (size_t)evs_frame_span(payload);
	}
}

/* ---- sums ------------------------------------------------------------------------------------ */

/* Every entry of the directory gets the sum of the bytes it names. */
static inline void mend_blocks(uint8_t *p, uint64_t len)
{
	const size_t entry = sizeof(struct evs_block_raw);
	uint64_t at = sizeof(struct evs_group_raw), block, stored;
	unsigned n;

	if (len < at)
		return;
	n = evs_get16(p + offsetof(struct evs_group_raw, blocks));
	block = at + n * entry;
	for (; n && block <= len; n--, at += entry, block += stored) {
		stored = evs_get32(p + at + offsetof(struct evs_block_raw, stored_len));
		if (stored > len - block)
			return;
		evs_put64(p + at + offsetof(struct evs_block_raw, sum),
			  XXH3_64bits(p + block, (size_t)stored));
	}
}

static inline void mend_trailer(const struct mend *m, size_t at)
{
	const size_t sum = offsetof(struct evs_trailer_raw, sum);

	evs_put64(m->p + at + sum, XXH3_64bits_withSeed(m->p + at, sum, m->salt ^ at));
}

static inline void mend_commit(const struct mend *m, size_t off, uint64_t payload_len,
			       uint32_t summed)
{
	const size_t hash = offsetof(struct evs_commit_raw, hash);
	uint8_t *p = mend_payload(m, off);

	if (summed >= sizeof(struct evs_commit_raw)) {
		memset(p + hash, 0, EVS_HASH_SIZE);
		crypto_generichash(p + hash, EVS_HASH_SIZE, p, summed, NULL, 0);
	}
	for (size_t copy = 1; copy <= 2 && copy * EVS_TRAILER_SIZE <= payload_len; copy++)
		mend_trailer(m,
			     off + (size_t)evs_frame_span(payload_len) - copy * EVS_TRAILER_SIZE);
}

static inline void mend_frame_sums(const struct mend *m, size_t off)
{
	uint64_t payload_len = mend_payload_len(m, off);
	uint32_t summed = mend_summed_len(m, off);
	uint8_t *p = m->p + off;
	uint64_t seed = (p[4] == EVS_FRAME_HEAD ? 0 : m->salt) ^ off;

	if (summed > payload_len)
		summed = 0;
	if (p[4] == EVS_FRAME_GROUP)
		mend_blocks(mend_payload(m, off), payload_len);
	if (p[4] == EVS_FRAME_COMMIT)
		mend_commit(m, off, payload_len, summed);
	if (summed == mend_summed_len(m, off))
		evs_put64(p + offsetof(struct evs_frame_raw, payload_sum),
			  XXH3_64bits_withSeed(mend_payload(m, off), summed, seed));
	evs_put64(p + offsetof(struct evs_frame_raw, head_sum),
		  XXH3_64bits_withSeed(p, offsetof(struct evs_frame_raw, head_sum), seed));
}

static inline void mend_sums(uint8_t *p, size_t len)
{
	struct mend m;

	mend_find(&m, p, len);
	for (unsigned i = 0; i < m.n; i++)
		mend_frame_sums(&m, m.frame[i].off);
}

/* ---- links ----------------------------------------------------------------------------------- */

#define MEND_PUT(p, type, field, v) evs_put64((p) + offsetof(struct type, field), (v))
#define MEND_GET(p, type, field)    evs_get64((p) + offsetof(struct type, field))

/* What has been passed, as the frames to come must name it. */
struct mend_state {
	struct mend_frame commit, index;
	struct mend_frame groups[MEND_FRAMES], filters[MEND_FRAMES]; /* since the last commit */
	struct mend_frame commits[MEND_FRAMES];			     /* since the last INDEX */
	unsigned ngroups, nfilters, ncommits;
	uint64_t seq, rows_total, rows, since_index, index_seq;
	uint8_t hash[EVS_HASH_SIZE];
};

/* The GROUPS section names the groups since the last commit, as many as it has room for. */
static inline void mend_group_refs(const struct mend *m, const struct mend_state *s, uint8_t *p,
				   size_t len)
{
	const size_t one = sizeof(struct evs_group_ref_raw);

	for (unsigned i = 0; i < s->ngroups && len >= one; i++, p += one, len -= one) {
		const struct mend_frame *g = &s->groups[i];

		MEND_PUT(p, evs_group_ref_raw, off, g->off);
		MEND_PUT(p, evs_group_ref_raw, len, g->span);
		memcpy(p + offsetof(struct evs_group_ref_raw, rows),
		       mend_payload(m, g->off) + offsetof(struct evs_group_raw, rows), 4);
		crypto_generichash(p + offsetof(struct evs_group_ref_raw, hash), EVS_HASH_SIZE,
				   m->p + g->off, g->span, NULL, 0);
	}
}

/* The FILTERS section likewise. */
static inline void mend_filter_refs(const struct mend *m, const struct mend_state *s, uint8_t *p,
				    size_t len)
{
	const size_t one = sizeof(struct evs_filter_ref_raw);
	crypto_generichash_state hash;

	if (len < EVS_HASH_SIZE)
		return;
	crypto_generichash_init(&hash, NULL, 0, EVS_HASH_SIZE);
	for (unsigned i = 0; i < s->nfilters; i++) {
		const struct mend_frame *f = &s->filters[i];

		crypto_generichash_update(&hash, m->p + f->off, f->span);
		if (EVS_HASH_SIZE + (i + 1) * one <= len)
			MEND_PUT(p + EVS_HASH_SIZE + i * one, evs_filter_ref_raw, off, f->off);
	}
	crypto_generichash_final(&hash, p, EVS_HASH_SIZE);
}

/* `p`, `len`: the sections of a COMMIT. */
static inline void mend_sections(const struct mend *m, const struct mend_state *s, uint8_t *p,
				 size_t len)
{
	while (len >= 8) {
		size_t body = evs_get32(p + 4), all = 8 + ((body + 7) & ~(size_t)7);

		if (all > len)
			return;
		if (evs_get16(p) == EVS_SECTION_GROUPS)
			mend_group_refs(m, s, p + 8, body);
		else if (evs_get16(p) == EVS_SECTION_FILTERS)
			mend_filter_refs(m, s, p + 8, body);
		p += all;
		len -= all;
	}
}

static inline void mend_trailers(const struct mend *m, const struct mend_frame *f, const uint8_t *c)
{
	for (uint32_t copy = 0; copy < 2; copy++) {
		struct evs_trailer t = {
			.commit_off = f->off,
			.commit_len = f->span,
			.seq = MEND_GET(c, evs_commit_raw, seq),
			.rows_total = MEND_GET(c, evs_commit_raw, rows_total),
			.first_group = MEND_GET(c, evs_commit_raw, first_group),
			.rows = MEND_GET(c, evs_commit_raw, rows),
		};
		size_t at = f->off + f->span - (2 - copy) * EVS_TRAILER_SIZE;

		evs_trailer_encode(m->p + at, &t, copy, m->salt, at);
	}
}

static inline void mend_link_commit(const struct mend *m, struct mend_state *s,
				    const struct mend_frame *f)
{
	uint8_t *p = mend_payload(m, f->off);
	uint32_t summed = mend_summed_len(m, f->off);

	if (summed < sizeof(struct evs_commit_raw) ||
	    f->span < EVS_FRAME_HEAD_SIZE + (uint64_t)summed + EVS_TRAILERS_SIZE)
		return;
	s->rows_total += s->rows;
	MEND_PUT(p, evs_commit_raw, seq, ++s->seq);
	MEND_PUT(p, evs_commit_raw, rows, s->rows);
	MEND_PUT(p, evs_commit_raw, rows_total, s->rows_total);
	MEND_PUT(p, evs_commit_raw, first_group, s->ngroups ? s->groups[0].off : f->off);
	MEND_PUT(p, evs_commit_raw, prev_off, s->commit.off);
	MEND_PUT(p, evs_commit_raw, prev_len, s->commit.span);
	MEND_PUT(p, evs_commit_raw, index_off, s->index.off);
	MEND_PUT(p, evs_commit_raw, index_len, s->index.span);
	evs_put32(p + offsetof(struct evs_commit_raw, since_index),
		  (uint32_t)(s->seq - s->index_seq));
	memcpy(p + offsetof(struct evs_commit_raw, prev_hash), s->hash, EVS_HASH_SIZE);
	mend_sections(m, s, p + sizeof(struct evs_commit_raw),
		      summed - sizeof(struct evs_commit_raw));
	mend_trailers(m, f, p);
	mend_frame_sums(m, f->off);
	memcpy(s->hash, p + offsetof(struct evs_commit_raw, hash), EVS_HASH_SIZE);
	s->commit = *f;
	s->commits[s->ncommits++] = *f;
	s->ngroups = s->nfilters = 0;
	s->rows = 0;
}

/* References of level 0 are the commits since the INDEX before, as many as there is room for. */
static inline void mend_link_index(const struct mend *m, struct mend_state *s,
				   const struct mend_frame *f)
{
	const size_t one = sizeof(struct evs_index_ref_raw);
	uint8_t *p = mend_payload(m, f->off);
	uint32_t len = mend_summed_len(m, f->off), nrefs, k = 0;

	if (len < sizeof(struct evs_index_raw) || len > f->span - EVS_FRAME_HEAD_SIZE)
		return;
	nrefs = evs_get32(p + offsetof(struct evs_index_raw, nrefs));
	MEND_PUT(p, evs_index_raw, seq, s->seq);
	MEND_PUT(p, evs_index_raw, rows_total, s->rows_total);
	MEND_PUT(p, evs_index_raw, prev_off, s->index.off);
	MEND_PUT(p, evs_index_raw, prev_len, s->index.span);
	MEND_PUT(p, evs_index_raw, last_commit_off, s->commit.off);
	MEND_PUT(p, evs_index_raw, last_commit_len, s->commit.span);
	p += sizeof(struct evs_index_raw);
	len -= (uint32_t)sizeof(struct evs_index_raw);
	for (; nrefs && len >= one; nrefs--, p += one, len -= (uint32_t)one) {
		const uint8_t *c;

		if (evs_get32(p + offsetof(struct evs_index_ref_raw, level)) || k == s->ncommits)
			continue;
		c = mend_payload(m, s->commits[k].off);
		MEND_PUT(p, evs_index_ref_raw, off, s->commits[k].off);
		MEND_PUT(p, evs_index_ref_raw, len, s->commits[k].span);
		MEND_PUT(p, evs_index_ref_raw, rows, MEND_GET(c, evs_commit_raw, rows));
		MEND_PUT(p, evs_index_ref_raw, time_min, MEND_GET(c, evs_commit_raw, time_min));
		MEND_PUT(p, evs_index_ref_raw, time_max, MEND_GET(c, evs_commit_raw, time_max));
		k++;
	}
	mend_frame_sums(m, f->off);
	s->index = *f;
	s->index_seq = s->seq;
	s->ncommits = 0;
}

/* Also right sums: a commit's hash is in the one behind it. */
static inline void mend_links(uint8_t *p, size_t len)
{
	static struct mend_state s;
	struct mend m;

	s = (struct mend_state){ 0 };
	mend_find(&m, p, len);
	for (unsigned i = 0; i < m.n; i++) {
		const struct mend_frame *f = &m.frame[i];
		uint8_t *payload = mend_payload(&m, f->off);

		switch (p[f->off + 4]) {
		case EVS_FRAME_GROUP:
			if (f->span < EVS_FRAME_HEAD_SIZE + sizeof(struct evs_group_raw))
				break;
			MEND_PUT(payload, evs_group_raw, first_row, s.rows_total + s.rows);
			s.rows += evs_get32(payload + offsetof(struct evs_group_raw, rows));
			mend_frame_sums(&m, f->off);
			s.groups[s.ngroups++] = *f;
			break;
		case EVS_FRAME_FILTER:
			mend_frame_sums(&m, f->off);
			s.filters[s.nfilters++] = *f;
			break;
		case EVS_FRAME_COMMIT:
			mend_link_commit(&m, &s, f);
			break;
		case EVS_FRAME_INDEX:
			mend_link_index(&m, &s, f);
			break;
		default:
			break;
		}
		mend_frame_sums(&m, f->off);
	}
}

#endif
