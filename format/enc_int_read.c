/*
 * Reading INT nodes (spec 6.3); those with a transformed child are in enc_chain_read.c.
 *
 * Every node decodes straight into the place where its values are wanted: a delta lets its child
 * write there and sums up in place. Whatever a node says about itself is compared with the number
 * of values it must give before anything is taken or written.
 */
#include "format/enc_impl.h"

void evs_ints_fill(uint8_t *out, uint32_t n, unsigned w, uint64_t v)
{
	switch (w) {
	case 1:
		memset(out, (int)(v & 0xff), n);
		break;
	case 2:
		evs_fill(out, n, 2, v);
		break;
	case 4:
		evs_fill(out, n, 4, v);
		break;
	default:
		evs_fill(out, n, 8, v);
	}
}

static int get_plain(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w, uint8_t *out)
{
	const uint8_t *p;

	if (!evs_cur_bytes(c, (size_t)n * w, &p))
		return evs_dec_fail(d, "6.3-1 plain values are cut short");
	evs_copy_le(out, p, n, w);
	return 0;
}

static int get_const(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w, uint8_t *out)
{
	uint64_t v;

	if (!evs_get_number(c, w, &v))
		return evs_dec_fail(d, "6.3-2 constant is no number of the width");
	evs_ints_fill(out, n, w, v);
	return 0;
}

static int get_packed(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w,
		      uint8_t *out)
{
	const uint8_t *p;
	uint64_t base;
	uint8_t bits;

	if (!evs_get_number(c, w, &base) || !evs_cur_u8(c, &bits) || !bits || bits > 8 * w)
		return evs_dec_fail(d, "6.3-3 base or bits of packed values out of range");
	if (!evs_cur_bytes(c, evs_packed_len(n, bits), &p))
		return evs_dec_fail(d, "6.3-4 packed values are cut short");
	if (!evs_bits_clean(p, n, bits))
		return evs_dec_fail(d, "6.3-5 bits after the last packed value are not zero");
	evs_bits_unpack(out, p, (size_t)(c->end - p), n, w, bits, base);
	return 0;
}

static int get_blocks(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w,
		      uint8_t *out, unsigned depth)
{
	uint32_t blocks = (n + EVS_ENC_BLOCK - 1) / EVS_ENC_BLOCK, count;
	const uint8_t *p;
	uint8_t *widths;
	uint64_t base;
	int rc;

	if (!evs_get_number(c, w, &base))
		return evs_dec_fail(d, "6.3-3 base or bits of packed values out of range");
	widths = evs_dec_scratch(d, blocks);
	if (!widths)
		return EVS_E_NOMEM;
	rc = evs_dec_int(d, c, blocks, 1, widths, depth + 1);
	if (rc)
		return rc;
	for (uint32_t k = 0; k < blocks; k++, out += (size_t)EVS_ENC_BLOCK * w) {
		count = k + 1 < blocks ? EVS_ENC_BLOCK : n - k * EVS_ENC_BLOCK;
		if (widths[k] > 8 * w)
			return evs_dec_fail(d, "6.3-3 base or bits of packed values out of range");
		if (!evs_cur_bytes(c, evs_packed_len(count, widths[k]), &p))
			return evs_dec_fail(d, "6.3-4 packed values are cut short");
		if (!evs_bits_clean(p, count, widths[k]))
			return evs_dec_fail(d,
					    "6.3-5 bits after the last packed value are not zero");
		if (widths[k])
			evs_bits_unpack(out, p, (size_t)(c->end - p), count, w, widths[k], base);
		else
			evs_ints_fill(out, count, w, base);
	}
	return 0;
}

static inline __attribute__((always_inline)) bool patch(uint8_t *out, uint32_t n, unsigned w,
							const uint32_t *pos, const uint8_t *high,
							uint32_t nexc, unsigned bits)
{
	uint64_t last = 0, at;

	for (uint32_t k = 0; k < nexc; k++) {
		at = pos[k];
		if (at >= n || (k && at <= last))
			return false;
		last = at;
		evs_st(out, at, w, evs_ld(out, at, w) + (evs_ld(high, k, w) << bits));
	}
	return true;
}

static int get_patched(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w,
		       uint8_t *out, unsigned depth)
{
	uint64_t base, nexc;
	const uint8_t *p;
	uint32_t *pos;
	uint8_t *high, bits;
	bool ok;
	int rc;

	if (!evs_get_number(c, w, &base) || !evs_cur_u8(c, &bits) || !bits || bits >= 8 * w)
		return evs_dec_fail(d, "6.3-3 base or bits of packed values out of range");
	if (!evs_cur_varint(c, &nexc) || !nexc || nexc > n)
		return evs_dec_fail(d, "6.3-6 number of patches out of range");
	if (!evs_cur_bytes(c, evs_packed_len(n, bits), &p))
		return evs_dec_fail(d, "6.3-4 packed values are cut short");
	if (!evs_bits_clean(p, n, bits))
		return evs_dec_fail(d, "6.3-5 bits after the last packed value are not zero");
	pos = evs_dec_scratch(d, nexc * 4);
	high = pos ? evs_dec_scratch(d, nexc * w) : NULL;
	if (!high)
		return EVS_E_NOMEM;
	rc = evs_dec_int(d, c, (uint32_t)nexc, 4, (uint8_t *)pos, depth + 1);
	if (!rc)
		rc = evs_dec_int(d, c, (uint32_t)nexc, w, high, depth + 1);
	if (rc)
		return rc;
	evs_bits_unpack(out, p, (size_t)(c->end - p), n, w, bits, base);
	switch (w) {
	case 1:
		ok = patch(out, n, 1, pos, high, (uint32_t)nexc, bits);
		break;
	case 2:
		ok = patch(out, n, 2, pos, high, (uint32_t)nexc, bits);
		break;
	case 4:
		ok = patch(out, n, 4, pos, high, (uint32_t)nexc, bits);
		break;
	default:
		ok = patch(out, n, 8, pos, high, (uint32_t)nexc, bits);
	}
	return ok ? 0 : evs_dec_fail(d, "6.3-7 places of patches do not rise or are out of range");
}

static int get_planes(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w,
		      uint8_t *out)
{
	const uint8_t *p;
	uint64_t base;
	uint8_t k;

	if (!evs_get_number(c, w, &base) || !evs_cur_u8(c, &k) || !k || k > w)
		return evs_dec_fail(d, "6.3-8 base or number of byte planes out of range");
	if (!evs_cur_bytes(c, (size_t)n * k, &p))
		return evs_dec_fail(d, "6.3-9 byte planes are cut short");
	evs_planes_join(out, p, n, w, k, base);
	return 0;
}

int evs_dec_codes(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, uint32_t distinct,
		  unsigned depth, const uint32_t **codes)
{
	unsigned w = evs_code_width(distinct);
	uint32_t *out = evs_dec_scratch(d, (uint64_t)n * 4), max = 0;
	uint8_t *raw = (uint8_t *)out;
	int rc;

	if (!out)
		return EVS_E_NOMEM;
	if (w < 4) {
		raw = evs_dec_scratch(d, (uint64_t)n * w);
		if (!raw)
			return EVS_E_NOMEM;
	}
	rc = evs_dec_int(d, c, n, w, raw, depth);
	if (rc)
		return rc;
	if (w == 1)
		for (size_t i = 0; i < n; i++)
			out[i] = raw[i];
	else if (w == 2)
		for (size_t i = 0; i < n; i++)
			out[i] = (uint32_t)evs_ld(raw, i, 2);
	for (size_t i = 0; i < n; i++)
		max = out[i] > max ? out[i] : max;
	if (max >= distinct)
		return evs_dec_fail(d, "6.3-16 a code is outside its dictionary");
	*codes = out;
	return 0;
}

int evs_dec_int_kind(struct evs_dec_ctx *d, struct evs_cur *c, uint8_t kind, uint32_t n, unsigned w,
		     uint8_t *out, unsigned depth)
{
	unsigned top = d->scratch.top;
	int rc;

	evs_dec_met(d, kind);
	switch (kind) {
	case EVS_NODE_PLAIN:
		rc = get_plain(d, c, n, w, out);
		break;
	case EVS_NODE_CONST:
		rc = get_const(d, c, n, w, out);
		break;
	case EVS_NODE_PACKED:
		rc = get_packed(d, c, n, w, out);
		break;
	case EVS_NODE_PLANES:
		rc = get_planes(d, c, n, w, out);
		break;
	case EVS_NODE_BLOCKS:
		rc = get_blocks(d, c, n, w, out, depth);
		break;
	case EVS_NODE_PATCHED:
		rc = get_patched(d, c, n, w, out, depth);
		break;
	default:
		rc = evs_dec_chain(d, c, kind, n, w, out, depth);
	}
	d->scratch.top = top;
	return rc;
}

int evs_dec_int(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w, uint8_t *out,
		unsigned depth)
{
	uint8_t kind;

	if (depth >= EVS_MAX_ENCODING_DEPTH)
		return evs_dec_fail(d, "6.1-3 nodes lie too deep inside each other");
	if (!evs_cur_u8(c, &kind))
		return evs_dec_fail(d, "6.1-1 column is cut short");
	return evs_dec_int_kind(d, c, kind, n, w, out, depth);
}
