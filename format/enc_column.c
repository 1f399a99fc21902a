/*
 * Columns (spec 6.1, 6.7): validity, then the values of the rows that are present; lists and maps
 * as lengths and the columns of their elements.
 *
 * Only here are null rows known. The encoder closes the gaps they leave before a value node sees
 * the values, and the decoder opens them again, from the end, in the memory in which the values
 * were decoded.
 */
#include "format/array_grow.h"
#include "format/enc_impl.h"

/* Values of the present rows, side by side. */
static inline __attribute__((always_inline)) void close_gaps(uint8_t *to, const struct evs_array *a,
							     size_t w)
{
	size_t k = 0;

	for (uint32_t i = 0; i < a->rows; i++) {
		memcpy(to + k * w, a->data + i * w, w);
		k += a->valid[i >> 3] >> (i & 7) & 1;
	}
}

static int present_values(struct evs_enc_ctx *ctx, const struct evs_array *a, const uint8_t **p)
{
	uint8_t *mem;

	*p = a->data;
	if (!a->nulls)
		return 0;
	/* One more than there are: the value after the last present one is copied and ignored. */
	mem = evs_scratch_get(&ctx->scratch, ((size_t)a->rows - a->nulls + 1) * a->width);
	if (!mem)
		return EVS_E_NOMEM;
	switch (a->width) {
	case 1:
		close_gaps(mem, a, 1);
		break;
	case 2:
		close_gaps(mem, a, 2);
		break;
	case 4:
		close_gaps(mem, a, 4);
		break;
	case 8:
		close_gaps(mem, a, 8);
		break;
	case 16:
		close_gaps(mem, a, 16);
		break;
	default:
		close_gaps(mem, a, a->width);
	}
	*p = mem;
	return 0;
}

/* Null rows have no bytes, so dropping their offsets leaves the others right. */
static int present_offsets(struct evs_enc_ctx *ctx, const struct evs_array *a, const int32_t **p)
{
	int32_t *mem;
	size_t k = 0;

	*p = a->offs;
	if (!a->nulls)
		return 0;
	mem = evs_scratch_get(&ctx->scratch, ((size_t)a->rows - a->nulls + 2) * sizeof(*mem));
	if (!mem)
		return EVS_E_NOMEM;
	mem[0] = 0;
	for (uint32_t i = 0; i < a->rows; i++) {
		mem[k + 1] = a->offs[i + 1];
		k += a->valid[i >> 3] >> (i & 7) & 1;
	}
	*p = mem;
	return 0;
}

static int put_column(struct evs_enc_ctx *ctx, const struct evs_array *a, unsigned nest,
		      struct evs_buf *out);

static int put_nested(struct evs_enc_ctx *ctx, const struct evs_array *a, uint32_t n, unsigned nest,
		      struct evs_buf *out)
{
	const int32_t *offs;
	uint32_t *lens;
	int rc;

	rc = present_offsets(ctx, a, &offs);
	lens = evs_scratch_get(&ctx->scratch, (size_t)n * 4);
	if (rc || !lens)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < n; i++)
		lens[i] = (uint32_t)(offs[i + 1] - offs[i]);
	rc = evs_enc_u32(ctx, lens, n, 1, out);
	for (unsigned i = 0; !rc && i < a->nchild && a->child[0].rows; i++) {
		evs_buf_put_varint(out, a->child[i].nulls);
		rc = put_column(ctx, &a->child[i], nest + 1, out);
	}
	return rc;
}

static int put_bytes(struct evs_enc_ctx *ctx, const struct evs_array *a, uint32_t n,
		     struct evs_buf *out)
{
	static const uint8_t none[1];
	struct evs_strs v = { .data = a->data ? a->data : none, .n = n };
	int rc = present_offsets(ctx, a, &v.offs);

	return rc ? rc : evs_enc_strs(ctx, &v, 0, out);
}

static int put_values(struct evs_enc_ctx *ctx, const struct evs_array *a, unsigned nest,
		      struct evs_buf *out)
{
	uint32_t n = a->rows - a->nulls;
	struct evs_ints ints = { .n = n, .w = (uint8_t)a->width, .is_signed = a->is_signed };
	const uint8_t *p;
	int rc;

	if (a->phys == EVS_BYTES)
		return put_bytes(ctx, a, n, out);
	if (a->nchild)
		return put_nested(ctx, a, n, nest, out);
	rc = present_values(ctx, a, &p);
	if (rc)
		return rc;
	if (a->phys == EVS_FIXED)
		return evs_enc_fixed(ctx, p, n, a->width, 0, out);
	if (a->phys == EVS_FLOAT)
		return evs_enc_float(ctx, p, n, a->width, out);
	ints.p = p;
	return evs_enc_int(ctx, &ints, 0, out);
}

static int put_column(struct evs_enc_ctx *ctx, const struct evs_array *a, unsigned nest,
		      struct evs_buf *out)
{
	unsigned top = ctx->scratch.top;
	int rc = 0;

	if (nest > EVS_ARRAY_MAX_DEPTH)
		return EVS_E_LIMIT;
	if (a->nulls == a->rows)
		return 0;
	if (a->nulls)
		rc = evs_enc_valid(ctx, a->valid, a->rows, out);
	if (!rc)
		rc = put_values(ctx, a, nest, out);
	ctx->scratch.top = top;
	return rc;
}

int evs_column_encode(struct evs_enc_ctx *ctx, const struct evs_array *a, struct evs_buf *out)
{
	int rc;

	ctx->scratch.top = 0;
	rc = put_column(ctx, a, 0, out);
	if (rc)
		return rc;
	return evs_buf_ok(out) ? 0 : EVS_E_NOMEM;
}

/* Spread the first values over the present rows; null rows become zero. */
static inline __attribute__((always_inline)) void open_gaps(struct evs_array *a, uint32_t rows,
							    uint32_t n, size_t w)
{
	static const uint8_t zero[64];
	size_t k = n;

	for (uint32_t i = rows; i-- > 0;) {
		if (a->valid[i >> 3] >> (i & 7) & 1) {
			k--;
			if (k == i)
				return; /* no null before this row */
			memcpy(a->data + i * w, a->data + k * w, w);
		} else if (w <= sizeof(zero)) {
			memcpy(a->data + i * w, zero, w);
		} else {
			memset(a->data + i * w, 0, w);
		}
	}
}

static void open_value_gaps(struct evs_array *a, uint32_t rows, uint32_t n)
{
	switch (a->width) {
	case 1:
		open_gaps(a, rows, n, 1);
		break;
	case 2:
		open_gaps(a, rows, n, 2);
		break;
	case 4:
		open_gaps(a, rows, n, 4);
		break;
	case 8:
		open_gaps(a, rows, n, 8);
		break;
	case 16:
		open_gaps(a, rows, n, 16);
		break;
	default:
		open_gaps(a, rows, n, a->width);
	}
}

static void open_offset_gaps(struct evs_array *a, uint32_t rows, uint32_t n)
{
	size_t k = n;

	for (uint32_t i = rows; i > k; i--) {
		int32_t end = a->offs[k];

		if (i % 8 == 0 && !a->valid[i / 8 - 1]) { /* eight nulls */
			for (uint32_t j = 0; j < 8; j++)
				a->offs[i - j] = end;
			i -= 7;
			continue;
		}
		a->offs[i] = end;
		k -= a->valid[(i - 1) >> 3] >> ((i - 1) & 7) & 1;
	}
}

static int get_column(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t rows, uint32_t nulls,
		      struct evs_array *out, unsigned nest, const struct evs_pick *pick);

/* Offsets of the lists at the places picked, of all that are in `offs`, and the places of their
 * elements. There is room for them in `out`. */
static int pick_elements(struct evs_dec_ctx *d, const int32_t *offs, struct evs_array *out,
			 const struct evs_pick *pick, struct evs_pick *elements)
{
	uint32_t *at, k = 0;

	out->offs[0] = 0;
	for (size_t i = 0; i < pick->n; i++)
		out->offs[i + 1] = out->offs[i] + (offs[pick->at[i] + 1] - offs[pick->at[i]]);
	at = evs_dec_scratch(d, (uint64_t)(uint32_t)out->offs[pick->n] * sizeof(*at));
	if (!at)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < pick->n; i++)
		for (int32_t e = offs[pick->at[i]]; e < offs[pick->at[i] + 1]; e++)
			at[k++] = (uint32_t)e;
	*elements = (struct evs_pick){ at, k };
	return 0;
}

static int get_nested(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
		      unsigned nest, const struct evs_pick *pick)
{
	struct evs_array *all = pick ? evs_dec_spare(d, 0) : out;
	struct evs_pick elements;
	uint64_t total, nulls;
	int rc = evs_dec_lengths(d, c, n, all, 0, &total);

	if (!rc && pick)
		rc = pick_elements(d, all->offs, out, pick, &elements);
	for (unsigned i = 0; !rc && i < out->nchild && total; i++) {
		if (!evs_cur_varint(c, &nulls) || nulls > total)
			return evs_dec_fail(d, "6.7-1 nulls of elements out of range");
		if (out->phys == EVS_MAP && i == 0 && nulls)
			return evs_dec_fail(d, "6.7-3 null keys");
		rc = get_column(d, c, (uint32_t)total, (uint32_t)nulls, &out->child[i], nest + 1,
				pick ? &elements : NULL);
	}
	return rc;
}

/* `n` values, or those picked, with room for `rows` rows. */
static int get_values(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t rows, uint32_t n,
		      struct evs_array *out, unsigned nest, const struct evs_pick *pick)
{
	int rc = evs_dec_reserve(d, out, rows, 0);

	if (rc)
		return rc;
	switch (out->phys) {
	case EVS_INT:
		return evs_dec_int_some(d, c, n, out->width, out->data, 0, pick);
	case EVS_FLOAT:
		return evs_dec_float(d, c, n, out->width, out->data, pick);
	case EVS_FIXED:
		return evs_dec_fixed(d, c, n, out->width, out->data, 0, pick);
	case EVS_BYTES:
		return evs_dec_strs(d, c, n, out, 0, pick);
	default:
		return get_nested(d, c, n, out, nest, pick);
	}
}

static void open_any_gaps(struct evs_array *a, uint32_t rows, uint32_t n)
{
	if (a->nchild || a->phys == EVS_BYTES)
		open_offset_gaps(a, rows, n);
	else
		open_value_gaps(a, rows, n);
}

/* The rows picked of a column with nulls: out->valid, and in `present` the places of those that
 * are, among the values. */
static int pick_present(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t rows, uint32_t nulls,
			struct evs_array *out, const struct evs_pick *pick,
			struct evs_pick *present)
{
	uint8_t *valid = evs_dec_scratch(d, ((uint64_t)rows + 7) / 8);
	uint32_t *at = evs_dec_scratch(d, (uint64_t)pick->n * sizeof(*at)), k = 0, before = 0,
		 byte = 0;
	int rc = valid && at ? evs_dec_valid(d, c, rows, nulls, valid) : EVS_E_NOMEM;

	if (!rc && pick->n && evs_array_make_valid(out, pick->n) < 0)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; !rc && i < pick->n; i++) {
		uint32_t row = pick->at[i], bits = valid[row >> 3];

		before += (uint32_t)evs_count_bits(valid + byte, (row >> 3) - byte);
		byte = row >> 3;
		if (!(bits >> (row & 7) & 1))
			continue;
		out->valid[i >> 3] |= (uint8_t)(1u << (i & 7));
		at[k++] = before + (uint32_t)__builtin_popcount(bits & ((1u << (row & 7)) - 1));
	}
	*present = (struct evs_pick){ at, k };
	return rc;
}

/* As get_column(), of the rows picked. */
static int pick_column(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t rows, uint32_t nulls,
		       struct evs_array *out, unsigned nest, const struct evs_pick *pick)
{
	struct evs_pick present = *pick;
	int rc = nulls ? pick_present(d, c, rows, nulls, out, pick, &present) : 0;

	if (!rc) /* room for one more: also of no values there is a place */
		rc = get_values(d, c, pick->n + 1, rows - nulls, out, nest, &present);
	if (rc)
		return rc;
	out->rows = pick->n;
	out->nulls = pick->n - present.n;
	if (out->nulls)
		open_any_gaps(out, pick->n, present.n);
	else
		evs_array_drop_valid(out);
	return 0;
}

static int get_column(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t rows, uint32_t nulls,
		      struct evs_array *out, unsigned nest, const struct evs_pick *pick)
{
	uint32_t n = rows - nulls;
	int rc;

	if (nest > EVS_ARRAY_MAX_DEPTH)
		return evs_dec_fail(d, "6.7-2 lists lie too deep inside each other");
	if (n == 0) {
		rows = evs_picked(pick, rows);
		rc = evs_dec_reserve(d, out, rows, 0);
		return rc ? rc : evs_array_append_nulls(out, rows);
	}
	if (pick)
		return pick_column(d, c, rows, nulls, out, nest, pick);
	if (nulls) {
		if (evs_array_make_valid(out, rows) < 0)
			return EVS_E_NOMEM;
		rc = evs_dec_valid(d, c, rows, nulls, out->valid);
		if (rc)
			return rc;
	}
	rc = get_values(d, c, rows, n, out, nest, NULL);
	if (rc)
		return rc;
	if (nulls)
		open_any_gaps(out, rows, n);
	out->rows = rows;
	out->nulls = nulls;
	return 0;
}

static int decode(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t rows, uint32_t nulls,
		  struct evs_array *out, const struct evs_pick *pick, const char **why)
{
	int rc;

	d->scratch.top = 0;
	d->left = d->limit;
	d->why = NULL;
	d->over = false;
	evs_array_reset(out);
	if (!rows || nulls > rows)
		rc = evs_dec_fail(d, "6.2-6 more nulls than rows, or no rows");
	else
		rc = get_column(d, c, rows, nulls, out, 0, pick);
	if (rc) {
		evs_array_reset(out);
		*why = d->why ? d->why : "out of memory";
	}
	return rc == EVS_E_NOMEM && d->over ? EVS_E_LIMIT : rc;
}

int evs_column_decode(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t rows, uint32_t nulls,
		      struct evs_array *out, const char **why)
{
	return decode(d, c, rows, nulls, out, NULL, why);
}

int evs_column_pick(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t rows, uint32_t nulls,
		    const uint32_t *at, uint32_t n, struct evs_array *out, const char **why)
{
	struct evs_pick pick = { at, n };
	struct evs_cur start = *c;
	struct evs_array all = { 0 };
	int rc = decode(d, c, rows, nulls, out, &pick, why);

	/* To pick takes memory of its own: where that is too much, all may still be decoded. */
	if (rc != EVS_DEC_WHOLE && rc != EVS_E_LIMIT)
		return rc;
	*c = start;
	*why = "out of memory";
	rc = evs_array_init_like(&all, out);
	if (rc == 0)
		rc = decode(d, c, rows, nulls, &all, NULL, why);
	if (rc == 0)
		rc = evs_array_take(out, &all, at, n);
	evs_array_release(&all);
	return rc;
}
