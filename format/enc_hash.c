/*
 * Numbering the distinct values of a column in order of first appearance.
 *
 * An open-addressing table of row numbers with a part of the hash beside each, so that most probes
 * that miss never touch the value. Columns that hardly repeat are given up early: building a
 * dictionary must not cost more than it can save.
 */
#include "format/enc_impl.h"

#include <xxhash.h>

struct slot {
	uint32_t code1; /* code + 1; 0: free */
	uint32_t tag;
};

struct table {
	struct slot *slots;
	uint32_t mask;
	uint32_t check_at; /* values after which to look whether they repeat */
	uint32_t max_distinct;
};

static int table_init(struct evs_enc_ctx *ctx, uint32_t n, uint32_t max_distinct, struct table *t,
		      struct evs_dict *d)
{
	uint32_t size = 64;

	*d = (struct evs_dict){ 0 };
	while (size < 2 * (uint64_t)max_distinct && size < (uint32_t)1 << 30)
		size *= 2;
	t->mask = size - 1;
	t->max_distinct = max_distinct;
	t->check_at = n / 8 > 2048 ? n / 8 : 2048;
	d->codes = evs_scratch_get(&ctx->scratch, (size_t)n * 4);
	d->first = evs_scratch_get(&ctx->scratch, (size_t)max_distinct * 4);
	t->slots = evs_scratch_get(&ctx->scratch, size * sizeof(*t->slots));
	if (!d->codes || !d->first || !t->slots)
		return EVS_E_NOMEM;
	memset(t->slots, 0, size * sizeof(*t->slots));
	return 0;
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

static inline void add(struct evs_dict *d, struct slot *s, uint32_t i, uint32_t tag)
{
	*s = (struct slot){ .code1 = d->distinct + 1, .tag = tag };
	d->first[d->distinct] = i;
	d->codes[i] = d->distinct++;
}

static inline __attribute__((always_inline)) int number_fixed(const struct table *t,
							      const uint8_t *p, uint32_t n,
							      size_t w, bool integer,
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
		tag = (uint32_t)(h >> 32);
		at = (uint32_t)h & t->mask;
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
		add(d, s, i, tag);
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

int evs_dict_strs(struct evs_enc_ctx *ctx, const struct evs_strs *v, uint32_t max_distinct,
		  struct evs_dict *d)
{
	uint32_t at, tag, first;
	struct table t;
	struct slot *s;
	const uint8_t *p;
	uint64_t h;
	size_t len;
	int rc;

	rc = table_init(ctx, v->n, max_distinct, &t, d);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < v->n; i++) {
		p = v->data + v->offs[i];
		len = (size_t)(v->offs[i + 1] - v->offs[i]);
		h = XXH3_64bits(p, len);
		tag = (uint32_t)(h >> 32);
		at = (uint32_t)h & t.mask;
		for (;;) {
			s = probe(&t, &at, tag);
			if (!s->code1)
				break;
			first = d->first[s->code1 - 1];
			if ((size_t)(v->offs[first + 1] - v->offs[first]) == len &&
			    (!len || !memcmp(p, v->data + v->offs[first], len)))
				break;
			at = (at + 1) & t.mask;
		}
		if (s->code1) {
			d->codes[i] = s->code1 - 1;
			continue;
		}
		if (hopeless(&t, d, i))
			return EVS_ENC_UNFIT;
		add(d, s, i, tag);
		d->bytes += len;
	}
	return 0;
}
