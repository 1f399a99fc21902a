/*
 * Shared by test_enc_*.c: a small generator, round trips, and comparing arrays byte by byte.
 */
#ifndef EVS_TESTS_ENC_GEN_H
#define EVS_TESTS_ENC_GEN_H

#include "format/encode.h"
#include "format/group.h"
#include "tests/unit/t.h"

#include <stdlib.h>

/* splitmix64 */
static uint64_t gen_state = 1;

static inline uint64_t gen_u64(void)
{
	uint64_t z = gen_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline uint32_t gen_below(uint32_t n)
{
	return (uint32_t)(gen_u64() >> 32) % n;
}

/* Same rows: validity, bytes of every value, offsets, children. */
static inline bool gen_same(const struct evs_array *a, const struct evs_array *b)
{
	if (a->rows != b->rows || a->nulls != b->nulls || !a->valid != !b->valid)
		return false;
	for (uint32_t i = 0; a->valid && i < a->rows; i++)
		if (evs_array_is_null(a, i) != evs_array_is_null(b, i))
			return false;
	if (a->phys == EVS_BYTES || a->nchild) {
		if (a->rows && memcmp(a->offs, b->offs, ((size_t)a->rows + 1) * 4))
			return false;
		for (unsigned i = 0; i < a->nchild; i++)
			if (!gen_same(&a->child[i], &b->child[i]))
				return false;
		return a->nchild || !a->rows || !a->offs[a->rows] ||
		       !memcmp(a->data, b->data, (size_t)a->offs[a->rows]);
	}
	return !a->rows || !memcmp(a->data, b->data, (size_t)a->rows * a->width);
}

/* Do distinct values and codes, where there are such, agree with the decoded column (`rc`, and
 * `used` of `len` bytes)? */
static inline bool gen_codes_agree(struct evs_dec_ctx *d, const uint8_t *p, size_t len,
				   uint32_t rows, uint32_t nulls, bool sparse,
				   const struct evs_array *all, int rc, size_t used)
{
	struct evs_coded coded = { .sparse = sparse };
	struct evs_array back = { 0 };
	struct evs_cur c = { .p = p, .end = p + len };
	const char *why = NULL;
	bool ok;
	int got;

	if (evs_array_init_like(&coded.values, all) || evs_array_init_like(&back, all))
		abort();
	got = evs_column_codes(d, &c, rows, nulls, &coded, &why);
	if (got == 1)
		ok = c.p == p;
	else if (got < 0)
		ok = rc < 0 && why;
	else if (rc == 0)
		ok = (size_t)(c.p - p) == used && coded.values.rows <= EVS_CODED_MAX + 1 &&
		     evs_array_take(&back, &coded.values, coded.code, rows) == 0 &&
		     gen_same(&back, all);
	else
		ok = rc == EVS_E_LIMIT;
	evs_coded_release(&coded);
	evs_array_release(&back);
	return ok;
}

/* Rows of the column picked by their numbers, which rise, as of the same bytes decoded as a whole;
 * `rc`, `used` and `all` are that one's. */
static inline bool gen_pick_agrees(struct evs_dec_ctx *d, const uint8_t *p, size_t len,
				   uint32_t rows, uint32_t nulls, const uint32_t *at, uint32_t n,
				   const struct evs_array *all, int rc, size_t used)
{
	struct evs_array some = { 0 }, want = { 0 };
	struct evs_cur c = { .p = p, .end = p + len };
	const char *why = NULL;
	bool ok;
	int got;

	if (evs_array_init_like(&some, all) || evs_array_init_like(&want, all))
		abort();
	got = evs_column_pick(d, &c, rows, nulls, at, n, &some, &why);
	if (rc == 0)
		ok = got == 0 && (size_t)(c.p - p) == used &&
		     evs_array_take(&want, all, at, n) == 0 && gen_same(&some, &want);
	else
		ok = got == rc && why;
	if (!ok)
		printf("        picking %u of %u: %d, not %d (%s)\n", n, rows, got, rc,
		       why ? why : "");
	evs_array_release(&some);
	evs_array_release(&want);
	return ok;
}

/* The same of no row, the first, the last, some and all. */
static inline bool gen_picks_agree(struct evs_dec_ctx *d, const uint8_t *p, size_t len,
				   uint32_t rows, uint32_t nulls, const struct evs_array *all,
				   int rc, size_t used)
{
	uint32_t *at = malloc(((size_t)rows + 1) * sizeof(*at)), step = 1;
	bool ok = at != NULL;

	for (unsigned way = 0; ok && way < 6; way++) {
		uint32_t n = 0;

		if (way == 1)
			at[n++] = 0;
		else if (way == 2)
			at[n++] = rows - 1;
		for (uint32_t i = way == 3 ? 0 : gen_below(9); way > 2 && i < rows;
		     i += way == 3 ? 1 : step) {
			at[n++] = i;
			step = 1 + gen_below(way == 4 ? 3 : 150);
		}
		ok = gen_pick_agrees(d, p, len, rows, nulls, at, n, all, rc, used);
	}
	free(at);
	return ok;
}

/* Encode with the options, decode, compare; all bytes must be used. `*kind` gets the first byte of
 * the value node when no row is null. */
static inline bool gen_trip(const struct evs_array *a, const struct evs_enc_opts *opts,
			    uint8_t *kind)
{
	struct evs_enc_ctx *e = NULL;
	struct evs_dec_ctx *d = NULL;
	struct evs_buf buf = { 0 };
	struct evs_array back = { 0 };
	struct evs_cur c;
	const char *why = NULL;
	uint8_t *copy = NULL;
	bool ok = false;

	if (evs_enc_ctx_new(&e, opts) || evs_dec_ctx_new(&d) || evs_array_init_like(&back, a))
		goto out;
	if (evs_column_encode(e, a, &buf))
		goto out;
	if (kind)
		*kind = buf.len ? buf.p[0] : 0;
	/* A copy of the exact size, so that the address sanitizer sees a read past the end. */
	copy = malloc(buf.len ? buf.len : 1);
	if (!copy)
		goto out;
	if (buf.len)
		memcpy(copy, buf.p, buf.len);
	c = (struct evs_cur){ .p = copy, .end = copy + buf.len };
	if (evs_column_decode(d, &c, a->rows, a->nulls, &back, &why)) {
		printf("        decode: %s\n", why);
		goto out;
	}
	ok = c.p == c.end && gen_same(a, &back) &&
	     gen_codes_agree(d, copy, buf.len, a->rows, a->nulls, false, &back, 0, buf.len) &&
	     gen_codes_agree(d, copy, buf.len, a->rows, a->nulls, true, &back, 0, buf.len) &&
	     gen_picks_agree(d, copy, buf.len, a->rows, a->nulls, &back, 0, buf.len);
out:
	free(copy);
	evs_buf_release(&buf);
	evs_array_release(&back);
	evs_enc_ctx_free(e);
	evs_dec_ctx_free(d);
	return ok;
}

/* Round trip as chosen with and without zstd, and plain. */
static inline bool gen_trips(const struct evs_array *a)
{
	struct evs_enc_opts zstd = { 0 }, raw = { .no_zstd = true }, plain = { .plain = true };

	return gen_trip(a, &zstd, NULL) && gen_trip(a, &raw, NULL) && gen_trip(a, &plain, NULL);
}

/* Round trip with this kind forced; the node must really be of that kind. */
static inline bool gen_forced(const struct evs_array *a, uint8_t kind)
{
	struct evs_enc_opts opts = { .force = kind };
	uint8_t got = 0;

	return gen_trip(a, &opts, &got) && (a->nulls || got == kind);
}

/* The same values with about every `every`th row null. */
static inline void gen_with_nulls(struct evs_array *to, const struct evs_array *a, uint32_t every)
{
	if (evs_array_init_like(to, a))
		abort();
	for (uint32_t i = 0; i < a->rows; i++) {
		int rc = gen_below(every) ? evs_array_append_range(to, a, i, 1)
					  : evs_array_append_null(to);
		if (rc)
			abort();
	}
}

/* Lists of up to three numbers, and nulls. */
static inline void gen_lists(struct evs_array *a, uint32_t rows)
{
	if (evs_array_init_nested(a, EVS_LIST) < 0)
		abort();
	evs_array_init(a->child, EVS_INT, 8, true);
	for (uint32_t i = 0; i < rows; i++) {
		for (uint32_t k = 0; i % 7 && k < i % 4; k++)
			if (evs_array_append_int(a->child, i * 10 + k) < 0)
				abort();
		if ((i % 7 ? evs_array_close_row(a) : evs_array_append_null(a)) < 0)
			abort();
	}
}

#endif
