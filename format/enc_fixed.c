/*
 * FIXED nodes (spec 6.5): values of one length that are not numbers, UUIDs above all.
 *
 * A random UUID says its version and variant in six bits that are always the same; leaving them out
 * saves 5 % of what no compressor can touch. A UUID of version 7 starts with its time in
 * milliseconds, which goes into an INT node of its own.
 */
#include "format/enc_impl.h"

#define TIMED 0x80u /* form: the first 48 bits are in a child node */

static int put_plain(const uint8_t *p, uint32_t n, size_t w, struct evs_buf *out)
{
	evs_buf_put_u8(out, EVS_NODE_PLAIN);
	evs_buf_put(out, p, n * w);
	return 0;
}

static bool all_same(const uint8_t *p, uint32_t n, size_t w)
{
	/* Every value equals the one before it. */
	return !memcmp(p, p + w, (n - 1) * w);
}

static int put_dict(struct evs_enc_ctx *ctx, const uint8_t *p, uint32_t n, size_t w, unsigned depth,
		    struct evs_buf *out)
{
	struct evs_dict d;
	uint8_t *vals;
	int rc;

	rc = evs_dict_fixed(ctx, p, n, w, n / 2, &d);
	if (rc)
		return rc;
	vals = evs_scratch_get(&ctx->scratch, d.distinct * w);
	if (!vals)
		return EVS_E_NOMEM;
	for (uint32_t k = 0; k < d.distinct; k++)
		memcpy(vals + k * w, p + d.first[k] * w, w);
	evs_buf_put_u8(out, EVS_NODE_DICT);
	evs_buf_put_varint(out, d.distinct);
	rc = evs_enc_fixed(ctx, vals, d.distinct, w, depth + 1, out);
	return rc ? rc : evs_enc_codes(ctx, &d, n, depth + 1, out);
}

/* Version that all values share, 1 .. 15; 0: none. */
static unsigned uuid_version(const uint8_t *p, uint32_t n)
{
	uint8_t bad = 0, first = p[6];

	for (size_t i = 0; i < n; i++) {
		bad |= (uint8_t)((p[i * 16 + 6] ^ first) & 0xf0);
		bad |= (uint8_t)((p[i * 16 + 8] ^ 0x80) & 0xc0);
	}
	return bad ? 0 : first >> 4;
}

/*
 * One value: its first six bytes unless they are in the child, the lower halves of bytes 6 and 8 as
 * one, byte 7, bytes 9 to 15. Bits 4 and 5 of byte 8 lie at the end, four values a byte.
 */
static void uuid_strip(uint8_t *to, uint8_t *twos, const uint8_t *p, uint32_t n, bool timed)
{
	memset(twos, 0, ((size_t)n + 3) / 4);
	for (size_t i = 0; i < n; i++, p += 16) {
		if (!timed) {
			memcpy(to, p, 6);
			to += 6;
		}
		to[0] = (uint8_t)(p[6] << 4 | (p[8] & 0x0f));
		memcpy(to + 1, p + 7, 1);
		memcpy(to + 2, p + 9, 7);
		to += 9;
		twos[i / 4] |= (uint8_t)((p[8] >> 4 & 3) << 2 * (i & 3));
	}
}

static uint64_t uuid_time(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 6; i++)
		v = v << 8 | p[i];
	return v;
}

static int put_uuid(struct evs_enc_ctx *ctx, const uint8_t *p, uint32_t n, unsigned depth,
		    struct evs_buf *out)
{
	unsigned version = uuid_version(p, n);
	bool timed = version == 7;
	size_t len = (size_t)n * (timed ? 9 : 15), tail = ((size_t)n + 3) / 4;
	uint8_t *mem;
	int rc = 0;

	if (!version)
		return EVS_ENC_UNFIT;
	evs_buf_put_u8(out, EVS_NODE_UUID);
	evs_buf_put_u8(out, (uint8_t)(version | (timed ? TIMED : 0)));
	if (timed) {
		struct evs_ints ms = { .n = n, .w = 8 };

		mem = evs_scratch_get(&ctx->scratch, (size_t)n * 8);
		if (!mem)
			return EVS_E_NOMEM;
		for (size_t i = 0; i < n; i++)
			evs_st(mem, i, 8, uuid_time(p + i * 16));
		ms.p = mem;
		rc = evs_enc_int(ctx, &ms, depth + 1, out);
	}
	if (rc || !evs_buf_reserve(out, len + tail))
		return rc ? rc : EVS_E_NOMEM;
	uuid_strip(out->p + out->len, out->p + out->len + len, p, n, timed);
	out->len += len + tail;
	return 0;
}

/* Byte planes, when zstd makes less of them than of the values; decided on the first values. */
static int put_planes(struct evs_enc_ctx *ctx, const uint8_t *p, uint32_t n, size_t w, bool forced,
		      struct evs_buf *out)
{
	uint32_t look = n < 1024 ? n : 1024;
	size_t cost;

	if (w < 2 || w > 64 || (ctx->opts.no_zstd && !forced))
		return EVS_ENC_UNFIT;
	if (!forced) {
		evs_buf_reset(&ctx->trial);
		if (!evs_buf_reserve(&ctx->trial, look * w))
			return EVS_E_NOMEM;
		for (size_t j = 0; j < w; j++)
			for (size_t i = 0; i < look; i++)
				ctx->trial.p[j * look + i] = p[i * w + j];
		cost = evs_enc_cost(ctx, p, look * w);
		if (evs_enc_cost(ctx, ctx->trial.p, look * w) + cost / 8 >= cost)
			return EVS_ENC_UNFIT;
	}
	evs_buf_put_u8(out, EVS_NODE_PLANES);
	if (!evs_buf_reserve(out, n * w))
		return EVS_E_NOMEM;
	for (size_t j = 0; j < w; j++)
		for (size_t i = 0; i < n; i++)
			out->p[out->len + j * n + i] = p[i * w + j];
	out->len += n * w;
	return 0;
}

static int put_const(const uint8_t *p, uint32_t n, size_t w, struct evs_buf *out)
{
	if (!all_same(p, n, w))
		return EVS_ENC_UNFIT;
	evs_buf_put_u8(out, EVS_NODE_CONST);
	evs_buf_put(out, p, w);
	return 0;
}

static int put_as(struct evs_enc_ctx *ctx, uint8_t kind, const uint8_t *p, uint32_t n, size_t w,
		  bool forced, unsigned depth, struct evs_buf *out)
{
	unsigned top = ctx->scratch.top;
	size_t len = out->len;
	int rc = EVS_ENC_UNFIT;

	if (kind == EVS_NODE_CONST)
		rc = put_const(p, n, w, out);
	else if (kind == EVS_NODE_DICT)
		rc = put_dict(ctx, p, n, w, depth, out);
	else if (kind == EVS_NODE_UUID && w == 16)
		rc = put_uuid(ctx, p, n, depth, out);
	else if (kind == EVS_NODE_PLANES)
		rc = put_planes(ctx, p, n, w, forced, out);
	ctx->scratch.top = top;
	if (rc)
		out->len = len;
	return rc;
}

/* Below a dictionary no value repeats, so that nothing here lies deeper than one level. */
int evs_enc_fixed(struct evs_enc_ctx *ctx, const uint8_t *p, uint32_t n, size_t w, unsigned depth,
		  struct evs_buf *out)
{
	static const uint8_t order[] = { EVS_NODE_DICT, EVS_NODE_UUID, EVS_NODE_PLANES };
	int rc;

	if (ctx->opts.plain)
		return put_plain(p, n, w, out);
	if (!depth && ctx->opts.force) {
		rc = put_as(ctx, ctx->opts.force, p, n, w, true, depth, out);
		if (rc != EVS_ENC_UNFIT)
			return rc;
	}
	rc = n > 1 ? put_as(ctx, EVS_NODE_CONST, p, n, w, false, depth, out) : EVS_ENC_UNFIT;
	for (size_t i = 0; n > 3 && rc == EVS_ENC_UNFIT && i < sizeof(order); i++)
		rc = put_as(ctx, order[i], p, n, w, false, depth, out);
	return rc == EVS_ENC_UNFIT ? put_plain(p, n, w, out) : rc;
}

static int get_dict(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, size_t w, uint8_t *out,
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
	rc = evs_dec_fixed(d, c, (uint32_t)distinct, w, vals, depth + 1, NULL);
	if (!rc)
		rc = evs_dec_codes(d, c, n, (uint32_t)distinct, depth + 1, &codes, pick);
	if (rc)
		return rc;
	if (w == 16)
		for (size_t i = 0; i < want; i++)
			memcpy(out + i * 16, vals + (size_t)codes[i] * 16, 16);
	else
		for (size_t i = 0; i < want; i++)
			memcpy(out + i * w, vals + codes[i] * w, w);
	return 0;
}

/* Value `i`, whose record is at `from`. */
static inline void uuid_join(uint8_t *p, const uint8_t *from, const uint8_t *twos, size_t i,
			     unsigned version, const uint64_t *ms)
{
	if (ms) {
		for (unsigned k = 0; k < 6; k++)
			p[k] = (uint8_t)(ms[i] >> (40 - 8 * k));
	} else {
		memcpy(p, from, 6);
		from += 6;
	}
	p[6] = (uint8_t)(version << 4 | from[0] >> 4);
	p[7] = from[1];
	p[8] = (uint8_t)(0x80 | (twos[i / 4] >> 2 * (i & 3) & 3) << 4 | (from[0] & 0x0f));
	memcpy(p + 9, from + 2, 7);
}

static void uuids_join(uint8_t *out, const uint8_t *from, const uint8_t *twos, uint32_t n,
		       unsigned version, const uint64_t *ms, const struct evs_pick *pick)
{
	size_t record = ms ? 9 : 15;

	if (pick)
		for (size_t i = 0; i < pick->n; i++)
			uuid_join(out + i * 16, from + pick->at[i] * record, twos, pick->at[i],
				  version, ms);
	else if (ms)
		for (size_t i = 0; i < n; i++)
			uuid_join(out + i * 16, from + i * 9, twos, i, version, ms);
	else
		for (size_t i = 0; i < n; i++)
			uuid_join(out + i * 16, from + i * 15, twos, i, version, NULL);
}

static int get_uuid(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, uint8_t *out,
		    unsigned depth, const struct evs_pick *pick)
{
	const uint8_t *from, *twos;
	uint64_t *ms = NULL;
	uint8_t form;
	int rc;

	if (!evs_cur_u8(c, &form) || form & 0x70u || !(form & 0x0fu))
		return evs_dec_fail(d, "6.5-1 form of a UUID node out of range");
	if (form & TIMED) {
		ms = evs_dec_scratch(d, (uint64_t)n * 8);
		if (!ms)
			return EVS_E_NOMEM;
		rc = evs_dec_int(d, c, n, 8, (uint8_t *)ms, depth + 1);
		if (rc)
			return rc;
		for (size_t i = 0; i < n; i++)
			if (ms[i] >> 48)
				return evs_dec_fail(d, "6.5-2 time of a UUID passes 48 bits");
	}
	if (!evs_cur_bytes(c, (size_t)n * (ms ? 9 : 15), &from) ||
	    !evs_cur_bytes(c, ((size_t)n + 3) / 4, &twos))
		return evs_dec_fail(d, "6.5-3 UUIDs are cut short");
	if (!evs_bits_clean(twos, n, 2))
		return evs_dec_fail(d, "6.3-5 bits after the last packed value are not zero");
	uuids_join(out, from, twos, n, form & 0x0fu, ms, pick);
	return 0;
}

static int get_fixed(struct evs_dec_ctx *d, struct evs_cur *c, uint8_t kind, uint32_t n, size_t w,
		     uint8_t *out, unsigned depth, const struct evs_pick *pick)
{
	uint32_t want = evs_picked(pick, n);
	const uint8_t *p;

	evs_dec_met(d, kind);
	switch (kind) {
	case EVS_NODE_PLAIN:
		if (!evs_cur_bytes(c, n * w, &p))
			break;
		if (pick)
			evs_pick_values(out, p, w, pick);
		else
			memcpy(out, p, n * w);
		return 0;
	case EVS_NODE_CONST:
		if (!evs_cur_bytes(c, w, &p))
			break;
		for (size_t i = 0; i < want; i++)
			memcpy(out + i * w, p, w);
		return 0;
	case EVS_NODE_PLANES:
		if (!evs_cur_bytes(c, n * w, &p))
			break;
		for (size_t j = 0; j < w; j++)
			for (size_t i = 0; i < want; i++)
				out[i * w + j] = p[j * n + (pick ? pick->at[i] : i)];
		return 0;
	case EVS_NODE_DICT:
		return get_dict(d, c, n, w, out, depth, pick);
	case EVS_NODE_UUID:
		if (w == 16)
			return get_uuid(d, c, n, out, depth, pick);
		/* fall through */
	default:
		d->why = "6.1-2 node kind is unknown, or not one for fixed values";
		return EVS_E_VERSION;
	}
	return evs_dec_fail(d, "6.3-1 plain values are cut short");
}

int evs_dec_fixed(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, size_t w, uint8_t *out,
		  unsigned depth, const struct evs_pick *pick)
{
	unsigned top = d->scratch.top;
	uint8_t kind;
	int rc;

	if (depth >= EVS_MAX_ENCODING_DEPTH)
		return evs_dec_fail(d, "6.1-3 nodes lie too deep inside each other");
	if (!evs_cur_u8(c, &kind))
		return evs_dec_fail(d, "6.1-1 column is cut short");
	rc = get_fixed(d, c, kind, n, w, out, depth, pick);
	d->scratch.top = top;
	return rc;
}
