/*
 * Writing FLOAT nodes (spec 6.4): decimal digits where the values came from decimal text, bit
 * patterns as an INT node where they did not.
 *
 * A number read from JSON is the double nearest to digits / 10^e. With digits below 2^53 and 10^e
 * exact, IEEE division gives precisely that double, so the digits reproduce it bit for bit; every
 * value is checked while it is encoded. A column that holds one series after the other changes its
 * number of decimals on the way, so there may be an exponent for every few values. A product such
 * as tokens * price often misses the short decimal by a few units in the last place; a small
 * integer beside the digits says by how many. What is neither, NaN and -0 and infinity among them,
 * is kept as it is in a list of exceptions. After Afroozeh, Kuffo, Boncz: ALP: Adaptive Lossless
 * floating-Point Compression (2023), with division instead of multiplication by an inverse.
 */
#include "format/enc_decimal.h"

#include <math.h>

#define LOOK	   256		      /* values looked at to find the exponent */
#define LOOK_BLOCK 8		      /* values looked at when an exponent does not suit a block */
#define EXACT_MAX  9007199254740992.0 /* 2^53 */
#define ULPS_MAX   4398046511104.0    /* 2^42: with more digits everything is near a decimal */
#define ULPS	   3		      /* that far off is looked for; more may be written */

struct decimal {
	uint8_t *digits; /* n int64 */
	uint8_t *ulps;	 /* n int8 */
	uint8_t *e;	 /* per block */
	uint32_t *pos;	 /* of exceptions */
	uint8_t *raw;	 /* their bits, `w` bytes each */
	uint32_t nexc;
	bool any_ulps, by_block;
	uint32_t changes; /* of the exponent, from block to block */
};

static inline double value_of(uint64_t bits, unsigned w)
{
	uint32_t b4 = (uint32_t)bits;
	double v;
	float f;

	if (w == 8) {
		memcpy(&v, &bits, 8);
		return v;
	}
	memcpy(&f, &b4, 4);
	return f;
}

/* Digits of `v` with exponent e, or 0 when there are too many. NaN and infinity give 0. */
static inline int64_t digits_of(double v, unsigned e, double max)
{
	double x = v * evs_decimal_power[e];

	return fabs(x) < max ? (int64_t)(x < 0 ? x - 0.5 : x + 0.5) : 0;
}

/* Smallest exponent with which the value is a decimal, up to `ulps` off; -1: none. */
static int smallest_e(uint64_t bits, unsigned w, double max, int64_t ulps)
{
	double v = value_of(bits, w);
	int64_t off;

	for (unsigned e = 0; e <= EVS_ENC_MAX_E; e++) {
		if (!(fabs(v) * evs_decimal_power[e] < max))
			return -1;
		off = evs_sext(bits - evs_decimal_bits(digits_of(v, e, max), e, w), w);
		if (off >= -ulps && off <= ulps)
			return (int)e;
	}
	return -1;
}

/*
 * How many values of a sample are decimals. `*e` gets the exponent that suits most of them: each
 * further digit must bring in at least a 64th, since it makes every value longer.
 */
static uint32_t find_exponent(const uint8_t *p, uint32_t n, unsigned w, double max, int64_t ulps,
			      unsigned *e, uint32_t *looked)
{
	uint32_t hist[EVS_ENC_MAX_E + 1] = { 0 }, step = n > LOOK ? n / LOOK : 1, total = 0;
	int k;

	*e = 0;
	*looked = 0;
	for (uint32_t i = 0; i < n && *looked < LOOK; i += step) {
		k = smallest_e(evs_ld(p, i, w), w, max, ulps);
		if (k >= 0)
			hist[k]++;
		(*looked)++;
	}
	for (unsigned i = 0; i <= EVS_ENC_MAX_E; i++) {
		if (hist[i] >= *looked / 64)
			*e = hist[i] ? i : *e;
		total += hist[i];
	}
	return total;
}

/*
 * Digits of one block with exponent e, and its exceptions. With `stop`, a value that has more
 * decimals than e ends the attempt: its exponent is returned. Otherwise returns e.
 */
static inline __attribute__((always_inline)) unsigned take_block(struct decimal *x,
								 const uint8_t *p, uint32_t from,
								 uint32_t to, unsigned w,
								 unsigned e, bool ulps, bool stop)
{
	unsigned misses = 0;
	uint64_t bits;
	int64_t digits, off, last = 0;
	int k;

	for (uint32_t i = from; i < to; i++) {
		bits = evs_ld(p, i, w);
		digits = digits_of(value_of(bits, w), e, EXACT_MAX);
		off = evs_sext(bits - evs_decimal_bits(digits, e, w), w);
		if (off && (!ulps || off < INT8_MIN || off > INT8_MAX)) {
			k = stop && misses++ < LOOK_BLOCK ? smallest_e(bits, w, EXACT_MAX / 4, 0)
							  : -1;
			if (k > (int)e)
				return (unsigned)k;
			x->pos[x->nexc] = i;
			evs_st(x->raw, x->nexc++, w, bits);
			digits = last; /* costs least beside its neighbour */
			off = 0;
		}
		last = digits;
		evs_st(x->digits, i, 8, (uint64_t)digits);
		x->ulps[i] = (uint8_t)off;
		x->any_ulps |= off != 0;
	}
	return e;
}

/* Each block with the exponent that its values need; one without decimals keeps the last one. */
static inline __attribute__((always_inline)) void take_blocks(struct decimal *x, const uint8_t *p,
							      uint32_t n, unsigned w)
{
	uint32_t from, to, nexc, hopeless;
	unsigned e = 0, more;
	int k, best;

	for (from = 0; from < n; from = to) {
		to = n - from < EVS_ENC_E_BLOCK ? n : from + EVS_ENC_E_BLOCK;
		best = -1;
		hopeless = 0;
		for (uint32_t i = from; i < to && hopeless < 3; i += EVS_ENC_E_BLOCK / LOOK_BLOCK) {
			k = smallest_e(evs_ld(p, i, w), w, EXACT_MAX / 4, 0);
			best = k > best ? k : best;
			hopeless += best < 0;
		}
		e = best < 0 ? e : (unsigned)best;
		nexc = x->nexc;
		while ((more = take_block(x, p, from, to, w, e, false, best >= 0)) != e) {
			e = more;
			x->nexc = nexc;
		}
		x->e[from / EVS_ENC_E_BLOCK] = (uint8_t)e;
	}
}

/* One exponent for all values, or (`e` < 0) one for every block. */
static void take_apart(struct decimal *x, const uint8_t *p, uint32_t n, unsigned w, int e,
		       bool ulps)
{
	x->nexc = 0;
	x->by_block = false;
	if (e >= 0) {
		x->e[0] = (uint8_t)e;
		if (w == 8)
			take_block(x, p, 0, n, 8, (unsigned)e, ulps, false);
		else
			take_block(x, p, 0, n, 4, (unsigned)e, ulps, false);
		return;
	}
	if (w == 8)
		take_blocks(x, p, n, 8);
	else
		take_blocks(x, p, n, 4);
	x->changes = 0;
	for (uint32_t k = 1; k < (n + EVS_ENC_E_BLOCK - 1) / EVS_ENC_E_BLOCK; k++)
		x->changes += x->e[k] != x->e[k - 1];
	x->by_block = x->changes > 0;
}

static int put_exceptions(struct evs_enc_ctx *ctx, const struct decimal *x, unsigned w,
			  struct evs_buf *out)
{
	struct evs_ints exact = { .p = x->raw, .n = x->nexc, .w = (uint8_t)w };
	int rc;

	evs_buf_put_varint(out, x->nexc);
	rc = evs_enc_u32(ctx, x->pos, x->nexc, 1, out);
	return rc ? rc : evs_enc_int(ctx, &exact, 1, out);
}

static int put_parts(struct evs_enc_ctx *ctx, const struct decimal *x, uint32_t n, unsigned w,
		     const struct evs_int_plan *plan, struct evs_buf *out)
{
	struct evs_ints digits = { .p = x->digits, .n = n, .w = 8, .is_signed = true };
	struct evs_ints small = { .p = x->ulps, .n = n, .w = 1, .is_signed = true };
	struct evs_ints es = { .p = x->e,
			       .n = (n + EVS_ENC_E_BLOCK - 1) / EVS_ENC_E_BLOCK,
			       .w = 1 };
	unsigned head = x->by_block ? EVS_DECIMAL_E_BLOCKS : x->e[0];
	int rc = 0;

	head |= (x->any_ulps ? EVS_DECIMAL_ULPS : 0) | (x->nexc ? EVS_DECIMAL_EXCEPTIONS : 0);
	evs_buf_put_u8(out, EVS_NODE_DECIMAL);
	evs_buf_put_u8(out, (uint8_t)head);
	if (x->by_block)
		rc = evs_enc_int(ctx, &es, 1, out);
	if (!rc)
		rc = evs_enc_int_by(ctx, &digits, plan, 1, out);
	if (!rc && x->any_ulps)
		rc = evs_enc_int(ctx, &small, 1, out);
	if (!rc && x->nexc)
		rc = put_exceptions(ctx, x, w, out);
	return rc;
}

/* How values are taken apart: found in a sample. */
struct approach {
	unsigned e;
	bool ulps;
	uint64_t limit; /* bytes that it must stay below */
};

static int plan_decimal(struct evs_enc_ctx *ctx, const struct decimal *x, uint32_t n, unsigned w,
			struct evs_int_plan *plan, uint64_t *cost)
{
	struct evs_ints digits = { .p = x->digits, .n = n, .w = 8, .is_signed = true };
	int rc = evs_enc_int_plan(ctx, &digits, 1, plan, cost);

	*cost += (uint64_t)x->nexc * w + (x->any_ulps ? n / 4 : 0);
	return rc;
}

static int put_decimal(struct evs_enc_ctx *ctx, const uint8_t *p, uint32_t n, unsigned w,
		       const struct approach *how, struct evs_buf *out)
{
	struct evs_int_plan plan, single;
	struct decimal x = { 0 };
	uint64_t cost, cost_single;
	int rc;

	x.digits = evs_scratch_get(&ctx->scratch, (size_t)n * 8);
	x.ulps = evs_scratch_get(&ctx->scratch, n);
	x.e = evs_scratch_get(&ctx->scratch, n / EVS_ENC_E_BLOCK + 1);
	x.pos = evs_scratch_get(&ctx->scratch, (size_t)n * 4);
	x.raw = evs_scratch_get(&ctx->scratch, (size_t)n * w);
	if (!x.digits || !x.ulps || !x.e || !x.pos || !x.raw)
		return EVS_E_NOMEM;
	take_apart(&x, p, n, w, how->ulps ? (int)how->e : -1, how->ulps);
	rc = plan_decimal(ctx, &x, n, w, &plan, &cost);
	if (!rc && x.changes > n / EVS_ENC_E_BLOCK / 4) {
		/* Short series one after the other, or just noise? */
		take_apart(&x, p, n, w, (int)how->e, false);
		rc = plan_decimal(ctx, &x, n, w, &single, &cost_single);
		if (cost_single <= cost) {
			plan = single;
			cost = cost_single;
		} else {
			take_apart(&x, p, n, w, -1, false);
		}
	}
	if (rc)
		return rc;
	if (x.nexc == n || cost >= how->limit)
		return EVS_ENC_UNFIT;
	return put_parts(ctx, &x, n, w, &plan, out);
}

static int try_decimal(struct evs_enc_ctx *ctx, const uint8_t *p, uint32_t n, unsigned w,
		       bool forced, struct evs_buf *out)
{
	struct evs_ints bits = { .p = p, .n = n, .w = (uint8_t)w };
	struct approach how = { .limit = UINT64_MAX };
	unsigned e_near = 0, top = ctx->scratch.top;
	uint32_t looked, exact, near = 0;
	struct evs_int_plan plan;
	size_t len = out->len;
	int rc;

	exact = find_exponent(p, n, w, EXACT_MAX / 4, 0, &how.e, &looked);
	if (w == 8 && exact < looked - looked / 16)
		near = find_exponent(p, n, w, ULPS_MAX, ULPS, &e_near, &looked);
	if (exact <= looked / 4 && near <= looked / 2 && !forced)
		return EVS_ENC_UNFIT;
	if (exact < looked && !forced) {
		rc = evs_enc_int_plan(ctx, &bits, 0, &plan, &how.limit);
		if (rc < 0)
			return rc;
	}
	if (near > exact && near >= looked - looked / 8) {
		how.ulps = true;
		how.e = e_near;
	}
	rc = put_decimal(ctx, p, n, w, &how, out);
	ctx->scratch.top = top;
	if (rc)
		out->len = len;
	return rc;
}

int evs_enc_float(struct evs_enc_ctx *ctx, const uint8_t *p, uint32_t n, unsigned w,
		  struct evs_buf *out)
{
	struct evs_ints bits = { .p = p, .n = n, .w = (uint8_t)w };
	bool forced = ctx->opts.force;
	int rc = EVS_ENC_UNFIT;

	if (!ctx->opts.plain && (!forced || ctx->opts.force == EVS_NODE_DECIMAL))
		rc = try_decimal(ctx, p, n, w, forced, out);
	return rc == EVS_ENC_UNFIT ? evs_enc_int(ctx, &bits, 0, out) : rc;
}
