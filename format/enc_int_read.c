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

void evs_pick_values(uint8_t *out, const uint8_t *p, size_t w, const struct evs_pick *pick)
{
	for (size_t i = 0; i < pick->n; i++)
		memcpy(out + i * w, p + pick->at[i] * w, w);
}

static int get_plain(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w, uint8_t *out,
		     const struct evs_pick *pick)
{
	const uint8_t *p;

	if (!evs_cur_bytes(c, (size_t)n * w, &p))
		return evs_dec_fail(d, "6.3-1 plain values are cut short");
	for (size_t i = 0; pick && i < pick->n; i++)
		evs_copy_le(out + i * w, p + (size_t)pick->at[i] * w, 1, w);
	if (!pick)
		evs_copy_le(out, p, n, w);
	return 0;
}

/* Eight values begin at each `bits`th byte: those with a picked one are unpacked, once. */
static void unpack_picked(uint8_t *out, const uint8_t *p, const uint8_t *end, uint32_t n,
			  unsigned w, unsigned bits, uint64_t base, const struct evs_pick *pick)
{
	uint32_t have = UINT32_MAX;
	uint8_t eight[64];

	for (size_t i = 0; i < pick->n; i++) {
		uint32_t at = pick->at[i], from = at & ~7u;
		const uint8_t *q = p + (size_t)(from / 8) * bits;

		if (from != have)
			evs_bits_unpack(eight, q, (size_t)(end - q), n - from < 8 ? n - from : 8, w,
					bits, base);
		have = from;
		memcpy(out + i * w, eight + (at - from) * w, w);
	}
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
		      uint8_t *out, const struct evs_pick *pick)
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
	if (pick)
		unpack_picked(out, p, c->end, n, w, bits, base, pick);
	else
		evs_bits_unpack(out, p, (size_t)(c->end - p), n, w, bits, base);
	return 0;
}

/* `count` values of one width; of those picked, the ones in this block, whose values are those from
 * `from` on. */
static void unpack_block(uint8_t **out, const uint8_t *p, const uint8_t *end, uint32_t from,
			 uint32_t count, unsigned w, unsigned bits, uint64_t base,
			 struct evs_pick *pick)
{
	uint8_t block[EVS_ENC_BLOCK * 8], *to = pick ? block : *out;

	if (pick && (!pick->n || pick->at[0] - from >= count))
		return;
	if (bits)
		evs_bits_unpack(to, p, (size_t)(end - p), count, w, bits, base);
	else
		evs_ints_fill(to, count, w, base);
	if (!pick) {
		*out += (size_t)count * w;
		return;
	}
	for (; pick->n && pick->at[0] - from < count; pick->at++, pick->n--, *out += w)
		memcpy(*out, block + (size_t)(pick->at[0] - from) * w, w);
}

static int get_blocks(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w,
		      uint8_t *out, unsigned depth, const struct evs_pick *pick)
{
	uint32_t blocks = (n + EVS_ENC_BLOCK - 1) / EVS_ENC_BLOCK, count;
	struct evs_pick rest = pick ? *pick : (struct evs_pick){ 0 };
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
	for (uint32_t k = 0; k < blocks; k++) {
		count = k + 1 < blocks ? EVS_ENC_BLOCK : n - k * EVS_ENC_BLOCK;
		if (widths[k] > 8 * w)
			return evs_dec_fail(d, "6.3-3 base or bits of packed values out of range");
		if (!evs_cur_bytes(c, evs_packed_len(count, widths[k]), &p))
			return evs_dec_fail(d, "6.3-4 packed values are cut short");
		if (!evs_bits_clean(p, count, widths[k]))
			return evs_dec_fail(d,
					    "6.3-5 bits after the last packed value are not zero");
		unpack_block(&out, p, c->end, k * EVS_ENC_BLOCK, count, w, widths[k], base,
			     pick ? &rest : NULL);
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
		      uint8_t *out, const struct evs_pick *pick)
{
	const uint8_t *p;
	uint64_t base;
	uint8_t k;

	if (!evs_get_number(c, w, &base) || !evs_cur_u8(c, &k) || !k || k > w)
		return evs_dec_fail(d, "6.3-8 base or number of byte planes out of range");
	if (!evs_cur_bytes(c, (size_t)n * k, &p))
		return evs_dec_fail(d, "6.3-9 byte planes are cut short");
	for (size_t i = 0; pick && i < pick->n; i++) {
		uint64_t v = base;

		for (unsigned j = 0; j < k; j++)
			v += (uint64_t)p[(size_t)j * n + pick->at[i]] << 8 * j;
		evs_st(out, i, w, v);
	}
	if (!pick)
		evs_planes_join(out, p, n, w, k, base);
	return 0;
}

#define ABREAST 64u /* values compared side by side */

static inline uint8_t largest1(const uint8_t *p, size_t n)
{
	uint8_t max = 0;

	for (size_t i = 0; i < n; i++)
		max = p[i] > max ? p[i] : max;
	return max;
}

static inline uint16_t largest2(const uint8_t *p, size_t n)
{
	uint16_t max = 0, v;

	for (size_t i = 0; i < n; i++) {
		memcpy(&v, p + 2 * i, 2);
		max = v > max ? v : max;
	}
	return max;
}

static uint32_t largest(const uint8_t *p, size_t n, unsigned w)
{
	uint32_t max = 0, v;
	size_t i = 0;

	/* Of a fixed number the compiler makes vectors. */
	for (; w < 4 && i + ABREAST <= n; i += ABREAST) {
		v = w == 1 ? largest1(p + i, ABREAST) : largest2(p + 2 * i, ABREAST);
		max = v > max ? v : max;
	}
	for (; i < n; i++) {
		v = (uint32_t)evs_ld(p, i, w);
		max = v > max ? v : max;
	}
	return max;
}

int evs_dec_codes(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, uint32_t distinct,
		  unsigned depth, const uint32_t **codes, const struct evs_pick *pick)
{
	unsigned w = evs_code_width(distinct);
	uint32_t *out = evs_dec_scratch(d, (uint64_t)evs_picked(pick, n) * 4);
	uint8_t *raw = (uint8_t *)out;
	int rc;

	if (!out)
		return EVS_E_NOMEM;
	if (w < 4 || pick) {
		raw = evs_dec_scratch(d, (uint64_t)n * w);
		if (!raw)
			return EVS_E_NOMEM;
	}
	rc = evs_dec_int(d, c, n, w, raw, depth);
	if (rc)
		return rc;
	if (largest(raw, n, w) >= distinct)
		return evs_dec_fail(d, "6.3-16 a code is outside its dictionary");
	if (pick)
		for (size_t i = 0; i < pick->n; i++)
			out[i] = (uint32_t)evs_ld(raw, pick->at[i], w);
	else if (w == 1)
		for (size_t i = 0; i < n; i++)
			out[i] = raw[i];
	else if (w == 2)
		for (size_t i = 0; i < n; i++)
			out[i] = (uint32_t)evs_ld(raw, i, 2);
	*codes = out;
	return 0;
}

/* Kinds whose values hang together: all of them, then those picked. */
static int pick_from_all(struct evs_dec_ctx *d, struct evs_cur *c, uint8_t kind, uint32_t n,
			 unsigned w, uint8_t *out, unsigned depth, const struct evs_pick *pick)
{
	uint8_t *all = evs_dec_scratch(d, (uint64_t)n * w);
	int rc;

	if (!all)
		return EVS_E_NOMEM;
	rc = evs_dec_int_kind(d, c, kind, n, w, all, depth, NULL);
	if (!rc)
		evs_pick_values(out, all, w, pick);
	return rc;
}

static int get_kind(struct evs_dec_ctx *d, struct evs_cur *c, uint8_t kind, uint32_t n, unsigned w,
		    uint8_t *out, unsigned depth, const struct evs_pick *pick)
{
	switch (kind) {
	case EVS_NODE_PLAIN:
		return get_plain(d, c, n, w, out, pick);
	case EVS_NODE_CONST:
		return get_const(d, c, evs_picked(pick, n), w, out);
	case EVS_NODE_PACKED:
		return get_packed(d, c, n, w, out, pick);
	case EVS_NODE_PLANES:
		return get_planes(d, c, n, w, out, pick);
	case EVS_NODE_BLOCKS:
		return get_blocks(d, c, n, w, out, depth, pick);
	default:
		break;
	}
	if (pick && kind != EVS_NODE_DICT && kind != EVS_NODE_SCALED)
		return pick_from_all(d, c, kind, n, w, out, depth, pick);
	return kind == EVS_NODE_PATCHED ? get_patched(d, c, n, w, out, depth)
					: evs_dec_chain(d, c, kind, n, w, out, depth, pick);
}

int evs_dec_int_kind(struct evs_dec_ctx *d, struct evs_cur *c, uint8_t kind, uint32_t n, unsigned w,
		     uint8_t *out, unsigned depth, const struct evs_pick *pick)
{
	unsigned top = d->scratch.top;
	int rc;

	evs_dec_met(d, kind);
	rc = get_kind(d, c, kind, n, w, out, depth, pick);
	d->scratch.top = top;
	return rc;
}

int evs_dec_int_some(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w, uint8_t *out,
		     unsigned depth, const struct evs_pick *pick)
{
	uint8_t kind;

	if (depth >= EVS_MAX_ENCODING_DEPTH)
		return evs_dec_fail(d, "6.1-3 nodes lie too deep inside each other");
	if (!evs_cur_u8(c, &kind))
		return evs_dec_fail(d, "6.1-1 column is cut short");
	return evs_dec_int_kind(d, c, kind, n, w, out, depth, pick);
}

int evs_dec_int(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w, uint8_t *out,
		unsigned depth)
{
	return evs_dec_int_some(d, c, n, w, out, depth, NULL);
}
