/*
 * Reading INT nodes whose values come from a child node (spec 6.3): sums of differences, runs,
 * look-ups. The child decodes into the place of the values wherever it has as many.
 */
#include "format/enc_impl.h"

/* out[0] holds the first value, out[i] the difference to the one before. */
static inline __attribute__((always_inline)) void sum_up(uint8_t *out, uint32_t n, unsigned w,
							 bool zigzag)
{
	uint64_t v = evs_ld(out, 0, w), x;

	for (size_t i = 1; i < n; i++) {
		x = evs_ld(out, i, w);
		v += zigzag ? (uint64_t)evs_unzigzag(x) : x;
		evs_st(out, i, w, v);
	}
}

static void sum_up_any(uint8_t *out, uint32_t n, unsigned w, bool zigzag)
{
	switch (w) {
	case 1:
		sum_up(out, n, 1, zigzag);
		break;
	case 2:
		sum_up(out, n, 2, zigzag);
		break;
	case 4:
		sum_up(out, n, 4, zigzag);
		break;
	default:
		if (zigzag)
			sum_up(out, n, 8, true);
		else
			sum_up(out, n, 8, false);
	}
}

static int get_delta(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w, uint8_t *out,
		     unsigned depth)
{
	uint64_t first;
	uint8_t zigzag;
	int rc;

	if (n < 2 || !evs_cur_u8(c, &zigzag) || zigzag > 1 || !evs_get_number(c, w, &first))
		return evs_dec_fail(d, "6.3-10 start of a delta node out of range");
	rc = evs_dec_int(d, c, n - 1, w, out + w, depth + 1);
	if (rc)
		return rc;
	evs_ints_fill(out, 1, w, first);
	sum_up_any(out, n, w, zigzag);
	return 0;
}

static int get_delta2(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w,
		      uint8_t *out, unsigned depth)
{
	uint64_t first, second;
	int rc;

	if (n < 3 || !evs_get_number(c, w, &first) || !evs_get_number(c, w, &second))
		return evs_dec_fail(d, "6.3-11 start of a delta-of-delta node out of range");
	rc = evs_dec_int(d, c, n - 2, w, out + (size_t)2 * w, depth + 1);
	if (rc)
		return rc;
	evs_ints_fill(out + w, 1, w, second);
	sum_up_any(out + w, n - 1, w, true);
	evs_ints_fill(out, 1, w, first);
	sum_up_any(out, n, w, false);
	return 0;
}

static inline __attribute__((always_inline)) void scale(uint8_t *out, uint32_t n, unsigned w,
							uint64_t base, uint64_t g)
{
	for (size_t i = 0; i < n; i++)
		evs_st(out, i, w, base + evs_ld(out, i, w) * g);
}

static int get_scaled(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w,
		      uint8_t *out, unsigned depth, const struct evs_pick *pick)
{
	uint32_t want = evs_picked(pick, n);
	uint64_t base, g;
	int rc;

	if (!evs_get_number(c, w, &base) || !evs_cur_varint(c, &g) || g < 2 ||
	    g > evs_width_mask(w))
		return evs_dec_fail(d, "6.3-12 base or factor of scaled values out of range");
	rc = evs_dec_int_some(d, c, n, w, out, depth + 1, pick);
	if (rc)
		return rc;
	switch (w) {
	case 1:
		scale(out, want, 1, base, g);
		break;
	case 2:
		scale(out, want, 2, base, g);
		break;
	case 4:
		scale(out, want, 4, base, g);
		break;
	default:
		scale(out, want, 8, base, g);
	}
	return 0;
}

static inline __attribute__((always_inline)) bool expand_runs(uint8_t *out, uint32_t n, unsigned w,
							      const uint8_t *vals,
							      const uint32_t *lens, uint32_t runs)
{
	uint32_t at = 0;

	for (uint32_t k = 0; k < runs; k++) {
		if (!lens[k] || lens[k] > n - at)
			return false;
		evs_fill(out + (size_t)at * w, lens[k], w, evs_ld(vals, k, w));
		at += lens[k];
	}
	return at == n;
}

static int get_runs(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w, uint8_t *out,
		    unsigned depth)
{
	uint64_t runs;
	uint32_t *lens;
	uint8_t *vals;
	bool ok;
	int rc;

	if (!evs_cur_varint(c, &runs) || !runs || runs > n)
		return evs_dec_fail(d, "6.3-13 number of runs out of range");
	vals = evs_dec_scratch(d, runs * w);
	lens = vals ? evs_dec_scratch(d, runs * 4) : NULL;
	if (!lens)
		return EVS_E_NOMEM;
	rc = evs_dec_int(d, c, (uint32_t)runs, w, vals, depth + 1);
	if (!rc)
		rc = evs_dec_int(d, c, (uint32_t)runs, 4, (uint8_t *)lens, depth + 1);
	if (rc)
		return rc;
	switch (w) {
	case 1:
		ok = expand_runs(out, n, 1, vals, lens, (uint32_t)runs);
		break;
	case 2:
		ok = expand_runs(out, n, 2, vals, lens, (uint32_t)runs);
		break;
	case 4:
		ok = expand_runs(out, n, 4, vals, lens, (uint32_t)runs);
		break;
	default:
		ok = expand_runs(out, n, 8, vals, lens, (uint32_t)runs);
	}
	return ok ? 0 : evs_dec_fail(d, "6.3-14 run lengths do not add up to the values");
}

static inline __attribute__((always_inline)) void look_up(uint8_t *out, uint32_t n, unsigned w,
							  const uint8_t *vals,
							  const uint32_t *codes)
{
	for (size_t i = 0; i < n; i++)
		evs_st(out, i, w, evs_ld(vals, codes[i], w));
}

static int get_dict(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w, uint8_t *out,
		    unsigned depth, const struct evs_pick *pick)
{
	uint32_t want = evs_picked(pick, n);
	const uint32_t *codes;
	uint64_t distinct;
	uint8_t *vals;
	int rc;

	if (!evs_cur_varint(c, &distinct) || !distinct || distinct > n)
		return evs_dec_fail(d, "6.3-15 size of a dictionary out of range");
	vals = evs_dec_scratch(d, distinct * w);
	if (!vals)
		return EVS_E_NOMEM;
	rc = evs_dec_int(d, c, (uint32_t)distinct, w, vals, depth + 1);
	if (!rc)
		rc = evs_dec_codes(d, c, n, (uint32_t)distinct, depth + 1, &codes, pick);
	if (rc)
		return rc;
	switch (w) {
	case 1:
		look_up(out, want, 1, vals, codes);
		break;
	case 2:
		look_up(out, want, 2, vals, codes);
		break;
	case 4:
		look_up(out, want, 4, vals, codes);
		break;
	default:
		look_up(out, want, 8, vals, codes);
	}
	return 0;
}

static inline __attribute__((always_inline)) bool count_back(uint8_t *out, uint32_t n, unsigned w)
{
	uint64_t next = 0, x;
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		x = evs_ld(out, i, w);
		ok &= x <= next;
		evs_st(out, i, w, next - x);
		next += !x;
	}
	return ok;
}

static int get_recent(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w,
		      uint8_t *out, unsigned depth)
{
	int rc = evs_dec_int(d, c, n, w, out, depth + 1);
	bool ok;

	if (rc)
		return rc;
	switch (w) {
	case 1:
		ok = count_back(out, n, 1);
		break;
	case 2:
		ok = count_back(out, n, 2);
		break;
	case 4:
		ok = count_back(out, n, 4);
		break;
	default:
		ok = count_back(out, n, 8);
	}
	return ok ? 0 : evs_dec_fail(d, "6.3-17 a code counts back past the first one");
}

int evs_dec_chain(struct evs_dec_ctx *d, struct evs_cur *c, uint8_t kind, uint32_t n, unsigned w,
		  uint8_t *out, unsigned depth, const struct evs_pick *pick)
{
	switch (kind) {
	case EVS_NODE_DELTA:
		return get_delta(d, c, n, w, out, depth);
	case EVS_NODE_DELTA2:
		return get_delta2(d, c, n, w, out, depth);
	case EVS_NODE_SCALED:
		return get_scaled(d, c, n, w, out, depth, pick);
	case EVS_NODE_RUNS:
		return get_runs(d, c, n, w, out, depth);
	case EVS_NODE_DICT:
		return get_dict(d, c, n, w, out, depth, pick);
	case EVS_NODE_RECENT:
		return get_recent(d, c, n, w, out, depth);
	default:
		d->why = "6.1-2 node kind is unknown, or not one for integers";
		return EVS_E_VERSION;
	}
}
