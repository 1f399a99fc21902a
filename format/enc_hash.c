/*
 * Numbering the distinct values of a column in order of first appearance.
 *
 * An open-addressing table of codes with a part of the hash beside each, so that most probes
 * that miss never touch the value. Columns that hardly repeat are given up early: building a
 * dictionary must not cost more than it can save.
 */
#include "format/enc_impl.h"

#include <xxhash.h>

#define SLOTS 1024u /* at first */

struct slot {
	uint32_t code1; /* code + 1; 0: free */
	uint32_t tag;	/* of the hash; its low bits say where the slot is, or was to be */
};

struct table {
	struct evs_enc_ctx *ctx;
	struct slot *slots;
	uint32_t mask;
	uint32_t check_at; /* values after which to look whether they repeat */
	uint32_t max_distinct;
};

/* More slots, the table with its values among them: most have few, and clearing room for many costs
 * more than all else. */
static int table_grow(struct table *t, uint32_t size)
{
	struct slot *old = t->slots,
		    *slots = evs_scratch_get(&t->ctx->scratch, size * sizeof(*slots));

	if (!slots)
		return EVS_E_NOMEM;
	memset(slots, 0, size * sizeof(*slots));
	for (uint32_t i = 0; old && i <= t->mask; i++) {
		uint32_t at = old[i].tag & (size - 1);

		if (!old[i].code1)
			continue;
		while (slots[at].code1)
			at = (at + 1) & (size - 1);
		slots[at] = old[i];
	}
	t->slots = slots;
	t->mask = size - 1;
	return 0;
}

static int table_init(struct evs_enc_ctx *ctx, uint32_t n, uint32_t max_distinct, struct table *t,
		      struct evs_dict *d)
{
	*d = (struct evs_dict){ 0 };
	t->ctx = ctx;
	t->mask = 0;
	t->max_distinct = max_distinct;
	t->check_at = n / 8 > 2048 ? n / 8 : 2048;
	d->codes = evs_scratch_get(&ctx->scratch, (size_t)n * 4);
	d->first = evs_scratch_get(&ctx->scratch, (size_t)max_distinct * 4);
	t->slots = NULL;
	return d->codes && d->first ? table_grow(t, SLOTS) : EVS_E_NOMEM;
}

/* Free slot or the next one with this tag. */
static inline struct slot *probe(const struct table *t, uint32_t *at, uint32_t tag)
{
	while (t->slots[*at].code1 && t->slots[*at].tag != tag)
		*at = (*at + 1) & t->mask;
	return &t->slots[*at];
}

/* Values that are new more than six times in seven will not pay for a dictionary. */
static inline bool hopeless(const struct table *t, const struct evs_dict *d, uint32_t i)
{
	return d->distinct == t->max_distinct || (i >= t->check_at && d->distinct > i / 7 * 6);
}

static inline int add(struct table *t, struct evs_dict *d, struct slot *s, uint32_t i, uint32_t tag)
{
	*s = (struct slot){ .code1 = d->distinct + 1, .tag = tag };
	d->first[d->distinct] = i;
	d->codes[i] = d->distinct++;
	/* unreached: no column has 2^27 distinct values */
	return 2 * d->distinct > t->mask && t->mask < 1u << 28 ? table_grow(t, 8 * (t->mask + 1))
							       : 0;
}

static inline __attribute__((always_inline)) int number_fixed(struct table *t, const uint8_t *p,
							      uint32_t n, size_t w, bool integer,
							      struct evs_dict *d)
{
	struct slot *s;
	uint32_t at, tag;
	uint64_t h;

	for (uint32_t i = 0; i < n; i++) {
		if (integer) {
			h = evs_ld(p, i, (unsigned)w) * 0x9e3779b97f4a7c15u;
			h ^= h >> 32;
		} else {
			h = XXH3_64bits(p + i * w, w);
		}
		tag = (uint32_t)h;
		at = tag & t->mask;
		for (;;) {
			s = probe(t, &at, tag);
			if (!s->code1 || !memcmp(p + i * w, p + d->first[s->code1 - 1] * w, w))
				break;
			at = (at + 1) & t->mask;
		}
		if (s->code1) {
			d->codes[i] = s->code1 - 1;
			continue;
		}
		if (hopeless(t, d, i))
			return EVS_ENC_UNFIT;
		if (add(t, d, s, i, tag) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

int evs_dict_fixed(struct evs_enc_ctx *ctx, const uint8_t *p, uint32_t n, size_t w,
		   uint32_t max_distinct, struct evs_dict *d)
{
	struct table t;
	int rc;

	rc = table_init(ctx, n, max_distinct, &t, d);
	if (rc < 0)
		return rc;
	switch (w) {
	case 1:
		return number_fixed(&t, p, n, 1, true, d);
	case 2:
		return number_fixed(&t, p, n, 2, true, d);
	case 4:
		return number_fixed(&t, p, n, 4, true, d);
	case 8:
		return number_fixed(&t, p, n, 8, true, d);
	case 16:
		return number_fixed(&t, p, n, 16, false, d);
	default:
		return number_fixed(&t, p, n, w, false, d);
	}
}

/* Short texts are most of them: the first and the last eight bytes, multiplied. */
static inline uint64_t hash_text(const uint8_t *p, size_t n)
{
	uint64_t a = 0, b = 0;
	unsigned __int128 m;

	if (n > 16)
		return XXH3_64bits(p, n);
	if (n >= 8) {
		a = evs_le64(p);
		b = evs_le64(p + n - 8);
	} else if (n >= 4) {
		a = evs_ld(p, 0, 4);
		b = evs_ld(p + n - 4, 0, 4);
	} else if (n) {
		a = (uint64_t)p[0] | (uint64_t)p[n / 2] << 8 | (uint64_t)p[n - 1] << 16;
	}
	m = (unsigned __int128)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xa0761d6478bd642fu ^ n << 56);
	return (uint64_t)(m >> 64) ^ (uint64_t)m;
}

/* Eight bytes at a time, the last of them overlapping: a call takes longer for most. */
static inline bool same_text(const uint8_t *p, const uint8_t *q, size_t n)
{
	if (n < 4)
		return !n || (p[0] == q[0] && p[n / 2] == q[n / 2] && p[n - 1] == q[n - 1]);
	if (n < 8)
		return evs_ld(p, 0, 4) == evs_ld(q, 0, 4) &&
		       evs_ld(p + n - 4, 0, 4) == evs_ld(q + n - 4, 0, 4);
	if (n > 64)
		return !memcmp(p, q, n);
	for (size_t i = 0; i + 8 < n; i += 8)
		if (evs_le64(p + i) != evs_le64(q + i))
			return false;
	return evs_le64(p + n - 8) == evs_le64(q + n - 8);
}

int evs_dict_strs(struct evs_enc_ctx *ctx, const struct evs_strs *v, uint32_t max_distinct,
		  struct evs_dict *d)
{
	uint32_t at, tag, first, code = 0, *next;
	struct table t;
	struct slot *s;
	const uint8_t *p;
	uint64_t h;
	size_t len;
	int rc;

	next = evs_scratch_get(&ctx->scratch, (size_t)max_distinct * 4);
	if (!next)
		return EVS_E_NOMEM;
	rc = table_init(ctx, v->n, max_distinct, &t, d);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < v->n; i++) {
		p = v->data + v->offs[i];
		len = (size_t)(v->offs[i + 1] - v->offs[i]);
		/* Mostly what came behind the value before comes again: itself in sorted rows, the
		 * next key in maps. */
		first = i ? d->first[next[code]] : 0;
		if (i && (size_t)(v->offs[first + 1] - v->offs[first]) == len &&
		    same_text(p, v->data + v->offs[first], len)) {
			d->codes[i] = code = next[code];
			continue;
		}
		h = hash_text(p, len);
		tag = (uint32_t)h;
		at = tag & t.mask;
		for (;;) {
			s = probe(&t, &at, tag);
			if (!s->code1)
				break;
			first = d->first[s->code1 - 1];
			if ((size_t)(v->offs[first + 1] - v->offs[first]) == len &&
			    same_text(p, v->data + v->offs[first], len))
				break;
			at = (at + 1) & t.mask;
		}
		if (s->code1) {
			next[code] = s->code1 - 1;
			d->codes[i] = code = s->code1 - 1;
			continue;
		}
		if (hopeless(&t, d, i))
			return EVS_ENC_UNFIT;
		if (add(&t, d, s, i, tag) < 0)
			return EVS_E_NOMEM;
		next[code] = d->codes[i];
		code = d->codes[i];
		next[code] = code;
		d->bytes += len;
	}
	return 0;
}
