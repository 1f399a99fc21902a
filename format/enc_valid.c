/*
 * Validity nodes (spec 6.2): which rows are present, as the bitmap itself or, where presence comes
 * in long stretches, as the lengths of these stretches.
 */
#include "format/enc_impl.h"

#define RUN_ROWS 16 /* runs are chosen when they are that long on average */

static inline bool bit(const uint8_t *valid, uint32_t i)
{
	return valid[i >> 3] >> (i & 7) & 1;
}

/* First row after `i` whose bit differs from row i's, or n. */
static uint32_t run_end(const uint8_t *valid, uint32_t i, uint32_t n)
{
	bool value = bit(valid, i);
	uint8_t whole = value ? 0xff : 0;

	for (i++; i < n && bit(valid, i) == value;) {
		if (!(i & 7) && n - i >= 8 && valid[i >> 3] == whole)
			i += 8;
		else
			i++;
	}
	return i;
}

int evs_enc_valid(struct evs_enc_ctx *ctx, const uint8_t *valid, uint32_t n, struct evs_buf *out)
{
	uint32_t most = n / RUN_ROWS + 1, runs = 0, at = 0, end, *lens;
	unsigned top = ctx->scratch.top;
	bool plain = ctx->opts.plain;
	int rc = 0;

	lens = evs_scratch_get(&ctx->scratch, (size_t)most * 4);
	if (!lens)
		return EVS_E_NOMEM;
	while (!plain && at < n && runs < most) {
		end = run_end(valid, at, n);
		lens[runs++] = end - at;
		at = end;
	}
	if (at == n) {
		evs_buf_put_u8(out, EVS_VALID_RUNS);
		evs_buf_put_u8(out, bit(valid, 0));
		evs_buf_put_varint(out, runs);
		rc = evs_enc_u32(ctx, lens, runs, 1, out);
	} else {
		size_t len = ((size_t)n + 7) / 8;

		evs_buf_put_u8(out, EVS_VALID_BITMAP);
		evs_buf_put(out, valid, len);
		if (evs_buf_ok(out) && n & 7)
			out->p[out->len - 1] &= (uint8_t)((1u << (n & 7)) - 1);
	}
	ctx->scratch.top = top;
	return rc;
}

/* Set the bits of rows [from, to); they are clear. */
static void set_bits(uint8_t *valid, uint32_t from, uint32_t to)
{
	for (; from < to && from & 7; from++)
		valid[from >> 3] |= (uint8_t)(1u << (from & 7));
	memset(valid + from / 8, 0xff, (to - from) / 8);
	for (from += (to - from) & ~7u; from < to; from++)
		valid[from >> 3] |= (uint8_t)(1u << (from & 7));
}

static int get_runs(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, uint8_t *valid)
{
	uint32_t *lens, at = 0;
	uint64_t runs;
	uint8_t value;
	int rc;

	if (!evs_cur_u8(c, &value) || value > 1 || !evs_cur_varint(c, &runs) || !runs || runs > n)
		return evs_dec_fail(d, "6.2-2 start of validity runs out of range");
	lens = evs_dec_scratch(d, runs * 4);
	if (!lens)
		return EVS_E_NOMEM;
	rc = evs_dec_int(d, c, (uint32_t)runs, 4, (uint8_t *)lens, 1);
	if (rc)
		return rc;
	memset(valid, 0, ((size_t)n + 7) / 8);
	for (uint32_t k = 0; k < runs; k++) {
		if (!lens[k] || lens[k] > n - at)
			return evs_dec_fail(d, "6.2-3 validity runs do not add up to the rows");
		if ((value ^ k) & 1)
			set_bits(valid, at, at + lens[k]);
		at += lens[k];
	}
	return at == n ? 0 : evs_dec_fail(d, "6.2-3 validity runs do not add up to the rows");
}

int evs_dec_valid(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, uint32_t nulls,
		  uint8_t *valid)
{
	size_t len = ((size_t)n + 7) / 8;
	unsigned top = d->scratch.top;
	const uint8_t *p;
	uint8_t kind;
	int rc = 0;

	if (!evs_cur_u8(c, &kind))
		return evs_dec_fail(d, "6.1-1 column is cut short");
	if (kind == EVS_VALID_BITMAP) {
		if (!evs_cur_bytes(c, len, &p))
			return evs_dec_fail(d, "6.2-4 validity bitmap is cut short");
		if (!evs_bits_clean(p, n, 1))
			return evs_dec_fail(d,
					    "6.3-5 bits after the last packed value are not zero");
		memcpy(valid, p, len);
	} else if (kind == EVS_VALID_RUNS) {
		rc = get_runs(d, c, n, valid);
	} else {
		d->why = "6.2-1 validity kind is unknown";
		rc = EVS_E_VERSION;
	}
	d->scratch.top = top;
	if (rc)
		return rc;
	return evs_count_bits(valid, len) == n - nulls
		       ? 0
		       : evs_dec_fail(d, "6.2-5 validity does not give the nulls counted");
}
