/*
 * Writing INT nodes that hand transformed values to a child node (spec 6.3): differences, run
 * lengths, dictionary codes, quotients.
 */
#include "format/enc_impl.h"

#include <assert.h>

static inline __attribute__((always_inline)) bool rising(const struct evs_ints *v, unsigned w)
{
	int64_t bad = 0;

	for (size_t i = 1; i < v->n; i++)
		bad |= evs_sext(evs_ld(v->p, i, w) - evs_ld(v->p, i - 1, w), w);
	return bad >= 0;
}

static inline __attribute__((always_inline)) void differ(const struct evs_ints *v, unsigned w,
							 bool zigzag, uint8_t *d)
{
	uint64_t x;

	for (size_t i = 1; i < v->n; i++) {
		x = evs_ld(v->p, i, w) - evs_ld(v->p, i - 1, w);
		if (zigzag)
			x = evs_zigzag(evs_sext(x, w));
		evs_st(d, i - 1, w, x);
	}
}

/* Differences between neighbours into `d`. Returns whether they are zigzag coded. */
static bool differences(const struct evs_ints *v, bool always_zigzag, bool never_zigzag, uint8_t *d)
{
	bool zz;

	switch (v->w) {
	case 1:
		zz = !never_zigzag && (always_zigzag || !rising(v, 1));
		differ(v, 1, zz, d);
		break;
	case 2:
		zz = !never_zigzag && (always_zigzag || !rising(v, 2));
		differ(v, 2, zz, d);
		break;
	case 4:
		zz = !never_zigzag && (always_zigzag || !rising(v, 4));
		differ(v, 4, zz, d);
		break;
	default:
		zz = !never_zigzag && (always_zigzag || !rising(v, 8));
		differ(v, 8, zz, d);
	}
	return zz;
}

/* A child whose form the plan has settled: EVS_NODE_PACKED, _BLOCKS or _PLANES. */
static int put_leaf(struct evs_enc_ctx *ctx, const struct evs_ints *v, uint8_t kind, unsigned depth,
		    struct evs_buf *out)
{
	struct evs_int_plan plan = { .kind = kind };

	return evs_enc_int_by(ctx, v, &plan, depth, out);
}

static int put_delta(struct evs_enc_ctx *ctx, const struct evs_ints *v,
		     const struct evs_int_plan *plan, unsigned depth, struct evs_buf *out)
{
	struct evs_ints d = { .n = v->n - 1, .w = v->w };
	uint8_t *mem;
	bool zz;

	if (v->n < 2)
		return EVS_ENC_UNFIT;
	mem = evs_scratch_get(&ctx->scratch, (size_t)v->n * v->w);
	if (!mem)
		return EVS_E_NOMEM;
	d.p = mem;
	zz = differences(v, false, false, mem);
	evs_buf_put_u8(out, EVS_NODE_DELTA);
	evs_buf_put_u8(out, zz);
	evs_put_number(out, evs_ld(v->p, 0, v->w), v->w);
	return put_leaf(ctx, &d, plan->child, depth + 1, out);
}

static int put_delta2(struct evs_enc_ctx *ctx, const struct evs_ints *v,
		      const struct evs_int_plan *plan, unsigned depth, struct evs_buf *out)
{
	struct evs_ints d = { .n = v->n - 1, .w = v->w }, dd = { .n = v->n - 2, .w = v->w };
	uint8_t *first, *second;

	if (v->n < 3)
		return EVS_ENC_UNFIT;
	first = evs_scratch_get(&ctx->scratch, (size_t)v->n * v->w);
	second = evs_scratch_get(&ctx->scratch, (size_t)v->n * v->w);
	if (!first || !second)
		return EVS_E_NOMEM;
	d.p = first;
	dd.p = second;
	differences(v, false, true, first);
	differences(&d, true, false, second);
	evs_buf_put_u8(out, EVS_NODE_DELTA2);
	evs_put_number(out, evs_ld(v->p, 0, v->w), v->w);
	evs_put_number(out, evs_ld(first, 0, v->w), v->w);
	return put_leaf(ctx, &dd, plan->child, depth + 1, out);
}

static int put_runs(struct evs_enc_ctx *ctx, const struct evs_ints *v, unsigned depth,
		    struct evs_buf *out)
{
	struct evs_ints vals = { .w = v->w, .is_signed = v->is_signed };
	uint64_t x, last;
	uint32_t runs = 1, *lens;
	uint8_t *mem;
	int rc;

	last = evs_ld(v->p, 0, v->w);
	for (uint32_t i = 1; i < v->n; i++) {
		x = evs_ld(v->p, i, v->w);
		runs += x != last;
		last = x;
	}
	lens = evs_scratch_get(&ctx->scratch, (size_t)runs * 4);
	mem = evs_scratch_get(&ctx->scratch, (size_t)runs * 8);
	if (!lens || !mem)
		return EVS_E_NOMEM;
	for (uint32_t i = 0, k = 0, start = 0; i < v->n; i++) {
		x = evs_ld(v->p, i, v->w);
		if (i + 1 < v->n && x == evs_ld(v->p, i + 1, v->w))
			continue;
		evs_st(mem, k, v->w, x);
		lens[k++] = i + 1 - start;
		start = i + 1;
	}
	vals.p = mem;
	vals.n = runs;
	evs_buf_put_u8(out, EVS_NODE_RUNS);
	evs_buf_put_varint(out, runs);
	rc = evs_enc_int(ctx, &vals, depth + 1, out);
	return rc ? rc : evs_enc_u32(ctx, lens, runs, depth + 1, out);
}

static int put_dict(struct evs_enc_ctx *ctx, const struct evs_ints *v, unsigned depth,
		    struct evs_buf *out)
{
	struct evs_ints vals = { .w = v->w, .is_signed = v->is_signed };
	struct evs_dict d;
	uint8_t *mem;
	int rc;

	rc = evs_dict_fixed(ctx, v->p, v->n, v->w, v->n / 2, &d);
	if (rc)
		return rc;
	mem = evs_scratch_get(&ctx->scratch, (size_t)d.distinct * v->w);
	if (!mem)
		return EVS_E_NOMEM;
	for (uint32_t k = 0; k < d.distinct; k++)
		evs_st(mem, k, v->w, evs_ld(v->p, d.first[k], v->w));
	vals.p = mem;
	vals.n = d.distinct;
	evs_buf_put_u8(out, EVS_NODE_DICT);
	evs_buf_put_varint(out, d.distinct);
	rc = evs_enc_int(ctx, &vals, depth + 1, out);
	return rc ? rc : evs_enc_codes(ctx, &d, v->n, depth + 1, out);
}

/* Dictionary codes, each counted back from the next new one: 0 is new, 1 the newest, and so on. */
static int put_recent(struct evs_enc_ctx *ctx, const struct evs_ints *v,
		      const struct evs_int_plan *plan, unsigned depth, struct evs_buf *out)
{
	struct evs_ints d = { .n = v->n, .w = v->w };
	uint8_t *mem = evs_scratch_get(&ctx->scratch, (size_t)v->n * v->w);
	uint64_t next = 0, x;

	if (!mem)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < v->n; i++) {
		x = evs_ld(v->p, i, v->w);
		if (x > next || next - x > evs_width_mask(v->w))
			return EVS_ENC_UNFIT;
		evs_st(mem, i, v->w, next - x);
		next += x == next;
	}
	d.p = mem;
	evs_buf_put_u8(out, EVS_NODE_RECENT);
	return put_leaf(ctx, &d, plan->child, depth + 1, out);
}

static int put_scaled(struct evs_enc_ctx *ctx, const struct evs_ints *v,
		      const struct evs_int_plan *plan, uint64_t min, unsigned depth,
		      struct evs_buf *out)
{
	struct evs_ints q = { .n = v->n, .w = v->w };
	uint8_t *mem = evs_scratch_get(&ctx->scratch, (size_t)v->n * v->w);
	uint64_t mask = evs_width_mask(v->w), g = plan->scale, x;

	if (!mem)
		return EVS_E_NOMEM;
	assert(g > 1);
	for (uint32_t i = 0; i < v->n; i++) {
		x = (evs_ld(v->p, i, v->w) - min) & mask;
		if (x % g)
			return EVS_ENC_UNFIT;
		evs_st(mem, i, v->w, x / g);
	}
	q.p = mem;
	evs_buf_put_u8(out, EVS_NODE_SCALED);
	evs_put_number(out, min, v->w);
	evs_buf_put_varint(out, g);
	return evs_enc_int(ctx, &q, depth + 1, out);
}

int evs_enc_chain(struct evs_enc_ctx *ctx, const struct evs_ints *v,
		  const struct evs_int_plan *plan, uint64_t min, unsigned depth,
		  struct evs_buf *out)
{
	switch (plan->kind) {
	case EVS_NODE_DELTA:
		return put_delta(ctx, v, plan, depth, out);
	case EVS_NODE_DELTA2:
		return put_delta2(ctx, v, plan, depth, out);
	case EVS_NODE_RUNS:
		return put_runs(ctx, v, depth, out);
	case EVS_NODE_DICT:
		return put_dict(ctx, v, depth, out);
	case EVS_NODE_RECENT:
		return put_recent(ctx, v, plan, depth, out);
	case EVS_NODE_SCALED:
		return put_scaled(ctx, v, plan, min, depth, out);
	default:
		return EVS_ENC_UNFIT;
	}
}
