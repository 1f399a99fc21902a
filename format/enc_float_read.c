/*
 * Reading FLOAT nodes (spec 6.4): digits divided by a power of ten, corrected by units in the last
 * place, with the exceptions put in their places; or an INT node of bit patterns.
 */
#include "format/enc_decimal.h"

/* Values [from, to), which share an exponent. */
static inline __attribute__((always_inline)) void put_together(uint8_t *out, uint32_t from,
							       uint32_t to, unsigned w, unsigned e,
							       const int64_t *digits,
							       const uint8_t *ulps)
{
	uint64_t bits;

	for (size_t i = from; i < to; i++) {
		bits = evs_decimal_bits(digits[i], e, w);
		if (ulps)
			bits += (uint64_t)(int64_t)(int8_t)ulps[i];
		evs_st(out, i, w, bits);
	}
}

static void put_together_any(uint8_t *out, uint32_t from, uint32_t to, unsigned w, unsigned e,
			     const int64_t *digits, const uint8_t *ulps)
{
	if (w == 8 && !ulps)
		put_together(out, from, to, 8, e, digits, NULL);
	else if (w == 8)
		put_together(out, from, to, 8, e, digits, ulps);
	else
		put_together(out, from, to, 4, e, digits, ulps);
}

static int get_exceptions(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w,
			  uint8_t *out)
{
	uint64_t nexc;
	uint32_t *pos;
	uint8_t *raw;
	int rc;

	if (!evs_cur_varint(c, &nexc) || !nexc || nexc > n)
		return evs_dec_fail(d, "6.4-3 number of exceptions out of range");
	pos = evs_dec_scratch(d, nexc * 4);
	raw = pos ? evs_dec_scratch(d, nexc * w) : NULL;
	if (!raw)
		return EVS_E_NOMEM;
	rc = evs_dec_int(d, c, (uint32_t)nexc, 4, (uint8_t *)pos, 1);
	if (!rc)
		rc = evs_dec_int(d, c, (uint32_t)nexc, w, raw, 1);
	if (rc)
		return rc;
	for (uint32_t k = 0; k < nexc; k++) {
		if (pos[k] >= n || (k && pos[k] <= pos[k - 1]))
			return evs_dec_fail(
				d, "6.4-4 places of exceptions do not rise or are out of range");
		evs_st(out, pos[k], w, evs_ld(raw, k, w));
	}
	return 0;
}

/* Exponents: one for all (`*es` NULL, in `*e`), or one a block. */
static int get_exponents(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned head,
			 unsigned *e, uint8_t **es)
{
	uint32_t blocks = (n + EVS_ENC_E_BLOCK - 1) / EVS_ENC_E_BLOCK;
	int rc;

	*e = head & EVS_DECIMAL_E;
	*es = NULL;
	if (*e <= EVS_ENC_MAX_E)
		return 0;
	if (*e != EVS_DECIMAL_E_BLOCKS)
		return evs_dec_fail(d, "6.4-1 exponent or flags of a decimal node out of range");
	*es = evs_dec_scratch(d, blocks);
	if (!*es)
		return EVS_E_NOMEM;
	rc = evs_dec_int(d, c, blocks, 1, *es, 1);
	if (rc)
		return rc;
	for (uint32_t k = 0; k < blocks; k++)
		if ((*es)[k] > EVS_ENC_MAX_E)
			return evs_dec_fail(d, "6.4-2 exponent of a block out of range");
	return 0;
}

static int get_decimal(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w,
		       uint8_t *out)
{
	uint8_t head, *es, *ulps = NULL;
	uint32_t from, to;
	int64_t *digits;
	unsigned e;
	int rc;

	if (!evs_cur_u8(c, &head) || head & 0x80u)
		return evs_dec_fail(d, "6.4-1 exponent or flags of a decimal node out of range");
	rc = get_exponents(d, c, n, head, &e, &es);
	if (rc)
		return rc;
	digits = evs_dec_scratch(d, (uint64_t)n * 8);
	if (!digits)
		return EVS_E_NOMEM;
	rc = evs_dec_int(d, c, n, 8, (uint8_t *)digits, 1);
	if (rc)
		return rc;
	if (head & EVS_DECIMAL_ULPS) {
		ulps = evs_dec_scratch(d, n);
		if (!ulps)
			return EVS_E_NOMEM;
		rc = evs_dec_int(d, c, n, 1, ulps, 1);
		if (rc)
			return rc;
	}
	for (from = 0; from < n; from = to) {
		to = !es || n - from < EVS_ENC_E_BLOCK ? n : from + EVS_ENC_E_BLOCK;
		put_together_any(out, from, to, w, es ? es[from / EVS_ENC_E_BLOCK] : e, digits,
				 ulps);
	}
	return head & EVS_DECIMAL_EXCEPTIONS ? get_exceptions(d, c, n, w, out) : 0;
}

int evs_dec_float(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w, uint8_t *out,
		  const struct evs_pick *pick)
{
	unsigned top = d->scratch.top;
	uint8_t kind, *all = out;
	int rc;

	if (!evs_cur_u8(c, &kind))
		return evs_dec_fail(d, "6.1-1 column is cut short");
	if (kind != EVS_NODE_DECIMAL)
		return evs_dec_int_kind(d, c, kind, n, w, out, 0, pick);
	evs_dec_met(d, kind);
	if (pick)
		all = evs_dec_scratch(d, (uint64_t)n * w);
	rc = all ? get_decimal(d, c, n, w, all) : EVS_E_NOMEM;
	if (!rc && pick)
		evs_pick_values(out, all, w, pick);
	d->scratch.top = top;
	return rc;
}
