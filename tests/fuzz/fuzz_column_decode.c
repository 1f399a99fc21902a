/*
 * Hostile columns: byte 0 the shape, bytes 1 and 2 rows, byte 3 nulls; the rest is the column. The
 * plain decoder of plain_column.h must come to the same end with the same values, and what decodes
 * must encode and decode again.
 */
#include "tests/fuzz/enc_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int shape(struct evs_array *a, uint8_t b)
{
	static const uint16_t widths[4] = { 1, 2, 4, 8 };

	switch (b & 7) {
	case 0:
	case 1:
		evs_array_init(a, EVS_INT, widths[b >> 3 & 3], b >> 5 & 1);
		return 0;
	case 2:
		evs_array_init(a, EVS_FLOAT, b & 8 ? 8 : 4, true);
		return 0;
	case 3:
		evs_array_init(a, EVS_FIXED, b & 8 ? 16 : (uint16_t)(1 + (b >> 4)), false);
		return 0;
	case 4:
	case 5:
		evs_array_init(a, EVS_BYTES, 0, false);
		return 0;
	case 6:
		if (evs_array_init_nested(a, EVS_LIST))
			return -1;
		return b & 0x80 ? shape(&a->child[0], (uint8_t)(b >> 3 & 15))
				: shape(&a->child[0], (uint8_t)((b >> 3 & 7) % 6));
	default:
		if (evs_array_init_nested(a, EVS_MAP))
			return -1;
		evs_array_init(&a->child[0], EVS_BYTES, 0, false);
		return shape(&a->child[1], (uint8_t)((b >> 3 & 7) % 6));
	}
}

/* Distinct values and codes, where the column has them, are the column (`rc`, `a`, and `used` of
 * the bytes). */
static void codes_check(struct evs_dec_ctx *d, const uint8_t *p, size_t len, uint32_t rows,
			uint32_t nulls, int rc, const struct evs_array *a, size_t used)
{
	struct evs_coded coded = { .sparse = len & 1 };
	struct evs_array back = { 0 };
	struct evs_cur c = { .p = p, .end = p + len };
	const char *why = NULL;
	int got;

	if (evs_array_init_like(&coded.values, a) || evs_array_init_like(&back, a))
		abort();
	got = evs_column_codes(d, &c, rows, nulls, &coded, &why);
	must(got >= 0 || (why && rc < 0));
	must(got != 1 || c.p == p);
	must(got != 0 || rc == 0 || rc == EVS_E_LIMIT);
	if (got == 0 && rc == 0) {
		must((size_t)(c.p - p) == used &&
		     evs_array_take(&back, &coded.values, coded.code, rows) == 0);
		must(back.rows == a->rows && back.nulls == a->nulls);
		for (uint32_t i = 0; i < rows; i++)
			must(evs_array_compare(&back, i, a, i) == 0);
	}
	evs_coded_release(&coded);
	evs_array_release(&back);
}

/* Every `step`th row picked, from `from` on: as of the whole. */
static void pick_check(struct evs_dec_ctx *d, const uint8_t *p, size_t len, uint32_t rows,
		       uint32_t nulls, uint32_t from, uint32_t step, int rc,
		       const struct evs_array *a, size_t used)
{
	struct evs_array some = { 0 }, want = { 0 };
	struct evs_cur c = { .p = p, .end = p + len };
	const char *why = NULL;
	uint32_t at[4096], n = 0;
	int got;

	if (evs_array_init_like(&some, a) || evs_array_init_like(&want, a))
		abort();
	for (uint32_t i = from; i < rows; i += step)
		at[n++] = i;
	got = evs_column_pick(d, &c, rows, nulls, at, n, &some, &why);
	must(got == rc || rc == EVS_E_LIMIT); /* less memory may be enough for some */
	must(got == 0 || why);
	if (rc == 0) {
		must((size_t)(c.p - p) == used && evs_array_take(&want, a, at, n) == 0);
		trip_same(&some, &want);
	}
	evs_array_release(&some);
	evs_array_release(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct evs_enc_opts opts = { 0 };
	struct evs_dec_ctx *d = NULL;
	struct evs_array a = { 0 };
	struct evs_cur c;
	const char *why = NULL;
	uint32_t rows;
	int rc;

	if (n < 4)
		return 0;
	rows = 1u + p[1] + (p[2] & 15u) * 256u;
	c = (struct evs_cur){ .p = p + 4, .end = p + n };
	if (shape(&a, p[0]) || evs_dec_ctx_new(&d))
		goto out;
	evs_dec_ctx_set_limit(d, (size_t)1 << 22);
	rc = evs_column_decode(d, &c, rows, p[3], &a, &why);
	must(rc == 0 || why);
	must(rc != 0 || (a.rows == rows && a.nulls == p[3]));
	plain_check(p + 4, n - 4, rows, p[3], rc, &a, (size_t)(c.p - p - 4));
	codes_check(d, p + 4, n - 4, rows, p[3], rc, &a, (size_t)(c.p - p - 4));
	pick_check(d, p + 4, n - 4, rows, p[3], p[1] >> 6, 1 + (p[1] & 63u), rc, &a,
		   (size_t)(c.p - p - 4));
	if (rc == 0)
		trip_check(&a, &opts);
out:
	evs_dec_ctx_free(d);
	evs_array_release(&a);
	return 0;
}
