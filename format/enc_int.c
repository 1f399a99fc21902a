/*
 * Writing INT nodes (spec 6.3): the values of integer columns, the bit patterns of floats, and
 * every length, code and position inside other nodes. Nodes that transform the values and leave the
 * rest to a child are in enc_chain.c.
 *
 * evs_enc_int() settles the trivial cases, asks enc_choose.c for a plan and carries it out. Plans
 * come from a sample; here the whole of the values decides the exact parameters, and a plan which
 * they do not allow (EVS_ENC_UNFIT) falls back to packing.
 */
#include "format/enc_impl.h"

static inline __attribute__((always_inline)) void bounds(const struct evs_ints *v, unsigned w,
							 uint64_t flip, uint64_t *lo, uint64_t *hi)
{
	uint64_t min = UINT64_MAX, max = 0, x;

	for (size_t i = 0; i < v->n; i++) {
		x = evs_ld(v->p, i, w) ^ flip;
		min = x < min ? x : min;
		max = x > max ? x : max;
	}
	*lo = min ^ flip;
	*hi = max ^ flip;
}

/* Flipping the sign bit orders signed numbers like unsigned ones. */
void evs_int_bounds(const struct evs_ints *v, uint64_t *min, uint64_t *max)
{
	uint64_t flip = v->is_signed ? (uint64_t)1 << (8 * v->w - 1) : 0;

	switch (v->w) {
	case 1:
		bounds(v, 1, flip, min, max);
		break;
	case 2:
		bounds(v, 2, flip, min, max);
		break;
	case 4:
		bounds(v, 4, flip, min, max);
		break;
	default:
		bounds(v, 8, flip, min, max);
	}
}

static int put_plain(const struct evs_ints *v, struct evs_buf *out)
{
	size_t len = (size_t)v->n * v->w;

	evs_buf_put_u8(out, EVS_NODE_PLAIN);
	if (!evs_buf_reserve(out, len))
		return EVS_E_NOMEM;
	evs_copy_le(out->p + out->len, v->p, v->n, v->w);
	out->len += len;
	return 0;
}

static int put_bits(const struct evs_ints *v, uint64_t min, unsigned bits, struct evs_buf *out)
{
	size_t len = evs_packed_len(v->n, bits);

	if (!evs_buf_reserve(out, len + 8))
		return EVS_E_NOMEM;
	evs_bits_pack(out->p + out->len, v->p, v->n, v->w, bits, min);
	out->len += len;
	return 0;
}

static int put_patched(struct evs_enc_ctx *ctx, const struct evs_ints *v, uint64_t min,
		       unsigned bits, uint32_t nexc, unsigned depth, struct evs_buf *out)
{
	uint32_t *pos = evs_scratch_get(&ctx->scratch, (size_t)nexc * 4);
	uint8_t *high = evs_scratch_get(&ctx->scratch, (size_t)nexc * 8);
	struct evs_ints highs = { .p = high, .n = nexc, .w = v->w };
	uint64_t mask = evs_width_mask(v->w), x;
	uint32_t k = 0;
	int rc;

	if (!pos || !high)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < v->n && k < nexc; i++) {
		x = ((evs_ld(v->p, i, v->w) - min) & mask) >> bits;
		if (x) {
			pos[k] = i;
			evs_st(high, k++, v->w, x);
		}
	}
	evs_buf_put_u8(out, EVS_NODE_PATCHED);
	evs_put_number(out, min, v->w);
	evs_buf_put_u8(out, (uint8_t)bits);
	evs_buf_put_varint(out, nexc);
	rc = put_bits(v, min, bits, out);
	if (!rc)
		rc = evs_enc_u32(ctx, pos, nexc, depth + 1, out);
	if (!rc)
		rc = evs_enc_int(ctx, &highs, depth + 1, out);
	return rc;
}

/* Frame of reference, with patches where they pay. `min` < greatest value. */
static int put_packed(struct evs_enc_ctx *ctx, const struct evs_ints *v, uint64_t min, uint64_t max,
		      unsigned depth, struct evs_buf *out)
{
	unsigned bits = evs_bit_len((max - min) & evs_width_mask(v->w)), width = bits;
	uint32_t nexc = 0;

	if (v->n >= 32 && depth < EVS_ENC_LEAF_DEPTH)
		width = evs_int_width(v, min, bits, &nexc);
	if (nexc)
		return put_patched(ctx, v, min, width, nexc, depth, out);
	if (bits == 8u * v->w)
		return put_plain(v, out);
	evs_buf_put_u8(out, EVS_NODE_PACKED);
	evs_put_number(out, min, v->w);
	evs_buf_put_u8(out, (uint8_t)bits);
	return put_bits(v, min, bits, out);
}

static int put_planes(const struct evs_ints *v, uint64_t min, uint64_t max, struct evs_buf *out)
{
	unsigned k = (evs_bit_len((max - min) & evs_width_mask(v->w)) + 7) / 8;
	size_t len = (size_t)v->n * k;

	if (k == v->w)
		min = 0; /* whole values: zstd finds the same bytes again */
	evs_buf_put_u8(out, EVS_NODE_PLANES);
	evs_put_number(out, min, v->w);
	evs_buf_put_u8(out, (uint8_t)k);
	if (!evs_buf_reserve(out, len))
		return EVS_E_NOMEM;
	evs_planes_split(out->p + out->len, v->p, v->n, v->w, k, min);
	out->len += len;
	return 0;
}

/* A width for every EVS_ENC_BLOCK values: pieces of different behaviour one after the other. */
static int put_blocks(struct evs_enc_ctx *ctx, const struct evs_ints *v, uint64_t min,
		      unsigned depth, struct evs_buf *out)
{
	uint32_t blocks = (v->n + EVS_ENC_BLOCK - 1) / EVS_ENC_BLOCK;
	uint8_t *widths = evs_scratch_get(&ctx->scratch, blocks);
	struct evs_ints ints = { .p = widths, .n = blocks, .w = 1 }, part = *v;
	uint64_t mask = evs_width_mask(v->w), all;
	int rc;

	if (!widths)
		return EVS_E_NOMEM;
	for (uint32_t k = 0; k < blocks; k++) {
		uint32_t from = k * EVS_ENC_BLOCK,
			 to = k + 1 < blocks ? from + EVS_ENC_BLOCK : v->n;

		all = 0;
		for (uint32_t i = from; i < to; i++)
			all |= (evs_ld(v->p, i, v->w) - min) & mask;
		widths[k] = (uint8_t)evs_bit_len(all);
	}
	evs_buf_put_u8(out, EVS_NODE_BLOCKS);
	evs_put_number(out, min, v->w);
	rc = evs_enc_int(ctx, &ints, depth + 1, out);
	for (uint32_t k = 0; !rc && k < blocks; k++) {
		part.p = v->p + (size_t)k * EVS_ENC_BLOCK * v->w;
		part.n = k + 1 < blocks ? EVS_ENC_BLOCK : v->n - k * EVS_ENC_BLOCK;
		if (widths[k])
			rc = put_bits(&part, min, widths[k], out);
	}
	return rc;
}

static int put_const(const struct evs_ints *v, struct evs_buf *out)
{
	evs_buf_put_u8(out, EVS_NODE_CONST);
	evs_put_number(out, evs_ld(v->p, 0, v->w), v->w);
	return 0;
}

static int carry_out(struct evs_enc_ctx *ctx, const struct evs_ints *v,
		     const struct evs_int_plan *plan, uint64_t min, uint64_t max, unsigned depth,
		     struct evs_buf *out)
{
	bool constant = min == max;

	switch (plan->kind) {
	case EVS_NODE_PLAIN:
		return put_plain(v, out);
	case EVS_NODE_CONST:
		return constant ? put_const(v, out) : EVS_ENC_UNFIT;
	case EVS_NODE_PACKED:
	case EVS_NODE_PATCHED:
		return constant ? put_const(v, out) : put_packed(ctx, v, min, max, depth, out);
	case EVS_NODE_PLANES:
		return constant ? put_const(v, out) : put_planes(v, min, max, out);
	case EVS_NODE_BLOCKS:
		return constant ? put_const(v, out) : put_blocks(ctx, v, min, depth, out);
	default:
		return evs_enc_chain(ctx, v, plan, min, depth, out);
	}
}

static int carry_out_bounded(struct evs_enc_ctx *ctx, const struct evs_ints *v,
			     const struct evs_int_plan *plan, uint64_t min, uint64_t max,
			     unsigned depth, struct evs_buf *out)
{
	unsigned top = ctx->scratch.top;
	size_t len = out->len;
	int rc = carry_out(ctx, v, plan, min, max, depth, out);

	ctx->scratch.top = top;
	if (rc)
		out->len = len;
	return rc;
}

static int plan_bounded(struct evs_enc_ctx *ctx, const struct evs_ints *v, uint64_t min,
			uint64_t max, unsigned depth, struct evs_int_plan *plan, uint64_t *cost)
{
	size_t plain = (size_t)v->n * v->w, constant;

	*plan = (struct evs_int_plan){ .kind = EVS_NODE_PLAIN };
	*cost = 1 + plain;
	if (ctx->opts.plain)
		return 0;
	if (min != max)
		return evs_int_choose(ctx, v, min, max, depth, plan, cost);
	constant = evs_varint_len(evs_zigzag(evs_sext(min, v->w)));
	if (constant <= plain) {
		plan->kind = EVS_NODE_CONST;
		*cost = 1 + constant;
	}
	return 0;
}

int evs_enc_int_plan(struct evs_enc_ctx *ctx, const struct evs_ints *v, unsigned depth,
		     struct evs_int_plan *plan, uint64_t *cost)
{
	uint64_t min, max;

	evs_int_bounds(v, &min, &max);
	return plan_bounded(ctx, v, min, max, depth, plan, cost);
}

/* A plan that the values turn out not to fit gives way to packing. */
static int by_plan(struct evs_enc_ctx *ctx, const struct evs_ints *v,
		   const struct evs_int_plan *plan, uint64_t min, uint64_t max, unsigned depth,
		   struct evs_buf *out)
{
	struct evs_int_plan packed = { .kind = EVS_NODE_PACKED };
	int rc = carry_out_bounded(ctx, v, plan, min, max, depth, out);

	return rc == EVS_ENC_UNFIT ? carry_out_bounded(ctx, v, &packed, min, max, depth, out) : rc;
}

int evs_enc_int_by(struct evs_enc_ctx *ctx, const struct evs_ints *v,
		   const struct evs_int_plan *plan, unsigned depth, struct evs_buf *out)
{
	uint64_t min, max;

	evs_int_bounds(v, &min, &max);
	return by_plan(ctx, v, plan, min, max, depth, out);
}

int evs_enc_int(struct evs_enc_ctx *ctx, const struct evs_ints *v, unsigned depth,
		struct evs_buf *out)
{
	/* What tests ask for; children as the writer likes. */
	struct evs_int_plan plan = { .kind = ctx->opts.force,
				     .child = EVS_NODE_PACKED,
				     .scale = 3 };
	uint64_t min, max, cost;
	int rc;

	evs_int_bounds(v, &min, &max);
	if (!depth && plan.kind) {
		rc = carry_out_bounded(ctx, v, &plan, min, max, depth, out);
		if (rc != EVS_ENC_UNFIT)
			return rc;
	}
	rc = plan_bounded(ctx, v, min, max, depth, &plan, &cost);
	return rc < 0 ? rc : by_plan(ctx, v, &plan, min, max, depth, out);
}

int evs_enc_u32(struct evs_enc_ctx *ctx, const uint32_t *v, uint32_t n, unsigned depth,
		struct evs_buf *out)
{
	struct evs_ints ints = { .p = (const uint8_t *)v, .n = n, .w = 4 };

	return evs_enc_int(ctx, &ints, depth, out);
}

int evs_enc_codes(struct evs_enc_ctx *ctx, const struct evs_dict *d, uint32_t n, unsigned depth,
		  struct evs_buf *out)
{
	unsigned w = evs_code_width(d->distinct);
	uint8_t *mem = evs_scratch_get(&ctx->scratch, (size_t)n * w);
	struct evs_ints codes = { .p = mem, .n = n, .w = (uint8_t)w, .codes = true };

	if (!mem)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < n; i++)
		evs_st(mem, i, w, d->codes[i]);
	return evs_enc_int(ctx, &codes, depth, out);
}
