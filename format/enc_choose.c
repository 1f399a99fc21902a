/*
 * Choosing how integers are written.
 *
 * A few stretches of neighbouring values are laid down in each form that might pay, and the form
 * with the fewest bytes wins: bytes after zstd when zstd follows, since packing that destroys the
 * alignment of bytes can lose against plain bytes which zstd sees through. Forms that read faster
 * win close races.
 */
#include "format/enc_impl.h"

#include <assert.h>

#define THOROUGH_STRETCH 4096u /* instead of EVS_ENC_STRETCH where time does not matter */

struct sample {
	uint64_t *v, *t; /* values, zero-extended; room for a transformation of them */
	uint32_t n;
	uint32_t stretch; /* values side by side */
	uint8_t *bytes;	  /* room for the values laid down */
	unsigned w;
};

/* How many values need exactly so many bits after `min` is subtracted. */
static inline __attribute__((always_inline)) void bit_histogram(const struct evs_ints *v,
								unsigned w, uint64_t min,
								uint32_t hist[65])
{
	uint64_t mask = evs_width_mask(w);

	for (size_t i = 0; i < v->n; i++)
		hist[evs_bit_len((evs_ld(v->p, i, w) - min) & mask)]++;
}

/* Bits of one of `nexc` exceptions among `n` values, `high` bits of which do not fit: the way from
 * the one before, and what is left of its high bits once they are packed in their turn. */
static unsigned patch_bits(uint32_t n, uint32_t nexc, unsigned high)
{
	return evs_bit_len(n / nexc) + 2 + high - high / 4;
}

unsigned evs_int_width(const struct evs_ints *v, uint64_t min, unsigned bits, uint32_t *nexc)
{
	uint32_t hist[65] = { 0 }, above = 0;
	uint64_t cost, best = (uint64_t)v->n * bits;
	unsigned width = bits;

	*nexc = 0;
	switch (v->w) {
	case 1:
		return bits;
	case 2:
		bit_histogram(v, 2, min, hist);
		break;
	case 4:
		bit_histogram(v, 4, min, hist);
		break;
	default:
		bit_histogram(v, 8, min, hist);
	}
	best -= best / 16;
	for (unsigned b = bits; b > 1; b--) {
		above += hist[b];
		assert(above);
		if (above > v->n / 2)
			break; /* no exceptions any more */
		cost = (uint64_t)v->n * (b - 1) + 128 +
		       (uint64_t)above * patch_bits(v->n, above, bits - b + 1);
		if (cost < best) {
			best = cost;
			width = b - 1;
			*nexc = above;
		}
	}
	return width;
}

/* One value in 16 of them, or 32, or 4; four stretches at most. */
static uint32_t sample_size(const struct evs_ints *v, const struct evs_enc_opts *opts,
			    uint32_t *stretch)
{
	uint32_t n = v->n / (opts->thorough ? 4 : opts->quick ? 32 : 16);

	*stretch = opts->thorough ? THOROUGH_STRETCH
		   : opts->quick  ? EVS_ENC_STRETCH / 2
				  : EVS_ENC_STRETCH;
	if (v->n <= *stretch)
		return *stretch = v->n;
	if (n < *stretch)
		return *stretch;
	return n > 4 * *stretch ? 4 * *stretch : n / *stretch * *stretch;
}

static uint32_t stretch_start(const struct evs_ints *v, const struct sample *s, uint32_t k)
{
	uint32_t count = s->n / s->stretch;

	return count < 2 ? 0 : (uint32_t)((uint64_t)(v->n - s->stretch) * k / (count - 1));
}

static int sample_take(struct evs_enc_ctx *ctx, const struct evs_ints *v, struct sample *s)
{
	uint32_t at = 0, from;

	s->w = v->w;
	s->n = sample_size(v, &ctx->opts, &s->stretch);
	s->v = evs_scratch_get(&ctx->scratch, (size_t)s->n * 8);
	s->t = evs_scratch_get(&ctx->scratch, (size_t)s->n * 8);
	s->bytes = evs_scratch_get(&ctx->scratch, (size_t)s->n * 8);
	if (!s->v || !s->t || !s->bytes)
		return EVS_E_NOMEM;
	for (uint32_t k = 0; k < s->n / s->stretch; k++) {
		from = stretch_start(v, s, k);
		for (uint32_t i = 0; i < s->stretch; i++)
			s->v[at++] = evs_ld(v->p, from + i, v->w);
	}
	return 0;
}

/* Bytes with a width for every block of values, and half a byte for the width. */
static uint64_t blocks_cost(const uint64_t *x, uint32_t n, uint64_t min)
{
	uint64_t cost = 4, all = 0;

	for (uint32_t i = 0; i < n; i++) {
		all |= x[i] - min;
		if ((i + 1) % EVS_ENC_BLOCK == 0 || i + 1 == n) {
			cost += evs_packed_len(i % EVS_ENC_BLOCK + 1, evs_bit_len(all));
			all = 0;
		}
	}
	return cost + n / (2 * EVS_ENC_BLOCK);
}

/* Bytes of `n` numbers of the sample: packed, in blocks, or as planes, whichever is least. */
static uint64_t leaf_cost(struct evs_enc_ctx *ctx, const struct sample *s, const uint64_t *x,
			  uint32_t n, bool is_signed, uint8_t *kind)
{
	struct evs_ints v = { .p = (const uint8_t *)x, .n = n, .w = 8, .is_signed = is_signed };
	uint64_t min, max, packed, planes, blocks, patches;
	uint32_t nexc = 0;
	unsigned bits, width;

	*kind = EVS_NODE_PACKED;
	assert(n);
	evs_int_bounds(&v, &min, &max);
	bits = evs_bit_len(max - min);
	if (!bits)
		return 3;
	width = n >= 32 ? evs_int_width(&v, min, bits, &nexc) : bits;
	packed = evs_packed_len(n, width);
	blocks = n >= 2 * EVS_ENC_BLOCK ? blocks_cost(x, n, min) : UINT64_MAX;
	patches = nexc ? 8 + (uint64_t)nexc * patch_bits(n, nexc, bits - width) / 8 : 0;
	if (ctx->opts.no_zstd || packed < 64) {
		packed += 4 + patches;
		if (blocks >= packed - packed / 16)
			return packed;
		*kind = EVS_NODE_BLOCKS;
		return blocks;
	}
	evs_bits_pack(s->bytes, v.p, n, 8, width, min);
	packed = 4 + evs_enc_cost(ctx, s->bytes, (size_t)packed) + patches;
	if (blocks < packed - packed / 16) {
		*kind = EVS_NODE_BLOCKS;
		packed = blocks;
	}
	if (bits <= 8 && !(bits & (bits - 1)))
		return packed; /* as smooth as planes, and smaller before zstd */
	evs_planes_split(s->bytes, v.p, n, 8, (bits + 7) / 8, min);
	planes = 4 + evs_enc_cost(ctx, s->bytes, (size_t)n * ((bits + 7) / 8));
	if (planes + planes / 32 >= packed)
		return packed;
	*kind = EVS_NODE_PLANES;
	return planes;
}

static uint64_t plain_cost(struct evs_enc_ctx *ctx, const struct sample *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		evs_st(s->bytes, i, s->w, s->v[i]);
	return 1 + evs_enc_cost(ctx, s->bytes, (size_t)s->n * s->w);
}

/* Signed values in the sample as signed 64-bit ones, so that their range is what it is in `w`. */
static void widen(const struct sample *s, uint64_t *x)
{
	for (uint32_t i = 0; i < s->n; i++)
		x[i] = (uint64_t)evs_sext(s->v[i], s->w);
}

/* Differences of order `order` inside the stretches, as put_delta() and put_delta2() make them. */
static uint32_t sample_differences(const struct sample *s, unsigned order)
{
	uint64_t mask = evs_width_mask(s->w), x;
	bool falls = false;
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		if (i % s->stretch < order)
			continue;
		x = s->v[i] - s->v[i - 1];
		if (order == 2)
			x -= s->v[i - 1] - s->v[i - 2];
		falls |= evs_sext(x, s->w) < 0;
		s->t[n++] = x;
	}
	for (uint32_t i = 0; i < n; i++)
		s->t[i] = falls ? evs_zigzag(evs_sext(s->t[i], s->w)) & mask : s->t[i] & mask;
	return n;
}

static uint32_t count_runs(const struct sample *s)
{
	uint32_t runs = 0;

	for (uint32_t i = 0; i < s->n; i++)
		runs += i % s->stretch == 0 || s->v[i] != s->v[i - 1];
	return runs;
}

static uint64_t runs_cost(struct evs_enc_ctx *ctx, const struct sample *s, uint32_t runs)
{
	uint64_t cost;
	uint32_t k = 0, start = 0;
	uint8_t kind;

	for (uint32_t i = 0; i < s->n; i++)
		if (i + 1 == s->n || (i + 1) % s->stretch == 0 || s->v[i] != s->v[i + 1])
			s->t[k++] = s->v[i];
	cost = 2 + leaf_cost(ctx, s, s->t, runs, false, &kind);
	k = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		if (i + 1 == s->n || (i + 1) % s->stretch == 0 || s->v[i] != s->v[i + 1]) {
			s->t[k++] = i + 1 - start;
			start = i + 1;
		}
	}
	return cost + leaf_cost(ctx, s, s->t, runs, false, &kind);
}

/* Codes of the sample's values into s->t. Returns how many are distinct. */
static uint32_t sample_codes(struct evs_enc_ctx *ctx, const struct sample *s)
{
	uint32_t slots = 64, *slot, h, distinct = 0;

	while (slots < 2 * s->n)
		slots *= 2;
	slot = evs_scratch_get(&ctx->scratch, slots * sizeof(*slot));
	if (!slot)
		return s->n;
	memset(slot, 0, slots * sizeof(*slot));
	for (uint32_t i = 0; i < s->n; i++) {
		h = (uint32_t)(s->v[i] * 0x9e3779b97f4a7c15u >> 40) % slots;
		while (slot[h] && s->v[slot[h] - 1] != s->v[i])
			h = (h + 1) % slots;
		if (!slot[h]) {
			slot[h] = i + 1;
			s->t[i] = distinct++;
		} else {
			s->t[i] = s->t[slot[h] - 1];
		}
	}
	return distinct;
}

static uint64_t dict_cost(struct evs_enc_ctx *ctx, const struct sample *s, unsigned bits)
{
	unsigned top = ctx->scratch.top;
	uint32_t distinct = sample_codes(ctx, s);
	uint64_t cost = UINT64_MAX;
	uint8_t kind;

	if (distinct <= s->n / 4)
		cost = 6 + leaf_cost(ctx, s, s->t, s->n, false, &kind) + distinct * (bits + 7) / 8;
	ctx->scratch.top = top;
	return cost;
}

/* Codes counted back from the newest one. The newest code at any place needs a pass over all. */
static uint64_t recent_cost(struct evs_enc_ctx *ctx, const struct evs_ints *v,
			    const struct sample *s, uint8_t *kind)
{
	uint32_t k = 0, from = stretch_start(v, s, 0);
	uint64_t next = 0, x;

	for (uint32_t i = 0; i < v->n && k < s->n; i++) {
		x = evs_ld(v->p, i, v->w);
		if (i >= from) {
			s->t[k++] = next - x;
			if (k % s->stretch == 0)
				from = stretch_start(v, s, k / s->stretch);
		}
		next += x == next;
	}
	return 1 + leaf_cost(ctx, s, s->t, k, false, kind);
}

/* Greatest common divisor of all (value - min): 1 unless a sample and then every value agrees. */
static uint64_t common_scale(const struct evs_ints *v, const struct sample *s, uint64_t min)
{
	uint64_t mask = evs_width_mask(v->w), g = 0, a, b;

	for (uint32_t i = 0; i < s->n && g != 1; i++) {
		a = (s->v[i] - min) & mask;
		for (b = g; b; b = a % b, a = g)
			g = b;
		g = a;
	}
	for (uint32_t i = 0; i < v->n && g > 1; i++)
		if (((evs_ld(v->p, i, v->w) - min) & mask) % g)
			g = 1;
	return g;
}

struct race {
	struct evs_int_plan best;
	uint64_t cost;
};

static void enter(struct race *r, uint64_t cost, uint8_t kind, uint8_t child)
{
	if (cost >= r->cost)
		return;
	r->cost = cost;
	r->best = (struct evs_int_plan){ .kind = kind, .child = child };
}

/* Kinds with children. */
static void race_chains(struct evs_enc_ctx *ctx, const struct evs_ints *v, const struct sample *s,
			unsigned bits, struct race *r)
{
	uint32_t n, runs = count_runs(s);
	uint64_t direct = r->cost, cost;
	uint8_t kind;

	if (runs <= s->n / 4) {
		cost = runs_cost(ctx, s, runs);
		enter(r, cost - cost / 8, EVS_NODE_RUNS, 0);
	}
	if (v->codes && v->w > 1) {
		cost = recent_cost(ctx, v, s, &kind);
		enter(r, cost + cost / 32, EVS_NODE_RECENT, kind);
	}
	if (v->w > 1 && s->stretch >= 3 && !v->codes) {
		n = sample_differences(s, 1);
		cost = leaf_cost(ctx, s, s->t, n, false, &kind) + 2;
		enter(r, cost + cost / 32 + v->w, EVS_NODE_DELTA, kind);
		if (cost < direct && s->stretch >= 8) {
			n = sample_differences(s, 2);
			cost = leaf_cost(ctx, s, s->t, n, false, &kind) + 3;
			enter(r, cost + cost / 16 + v->w, EVS_NODE_DELTA2, kind);
		}
	}
	if (v->w >= 4 && bits > 8) {
		cost = dict_cost(ctx, s, bits);
		if (cost != UINT64_MAX)
			enter(r, cost + cost / 32, EVS_NODE_DICT, 0);
	}
}

int evs_int_choose(struct evs_enc_ctx *ctx, const struct evs_ints *v, uint64_t min, uint64_t max,
		   unsigned depth, struct evs_int_plan *plan, uint64_t *cost)
{
	unsigned top = ctx->scratch.top, bits = evs_bit_len((max - min) & evs_width_mask(v->w));
	struct race r = { .best = { .kind = EVS_NODE_PLAIN } };
	struct sample s;
	uint64_t packed;
	uint8_t kind;
	int rc;

	rc = sample_take(ctx, v, &s);
	if (rc < 0)
		goto out;
	if (depth < EVS_ENC_LEAF_DEPTH && v->w >= 4 && bits > 8 && !v->codes) {
		r.best.scale = common_scale(v, &s, min);
		if (r.best.scale > 1) {
			r.best.kind = EVS_NODE_SCALED;
			bits = evs_bit_len(((max - min) & evs_width_mask(v->w)) / r.best.scale);
			r.cost = evs_packed_len(s.n, bits);
			goto out;
		}
	}
	r.cost = plain_cost(ctx, &s);
	if (v->is_signed)
		widen(&s, s.t);
	packed = leaf_cost(ctx, &s, v->is_signed ? s.t : s.v, s.n, v->is_signed, &kind);
	enter(&r, packed, kind, 0);
	if (depth < EVS_ENC_LEAF_DEPTH)
		race_chains(ctx, v, &s, bits, &r);
out:
	ctx->scratch.top = top;
	*plan = r.best;
	*cost = rc < 0 ? 0 : r.cost * v->n / s.n;
	return rc;
}
