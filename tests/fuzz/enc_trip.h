/*
 * Shared by fuzz_encode_*.c: what the input spells is encoded and must come back bit for bit,
 * through the decoder and through the plain one of plain_column.h.
 */
#ifndef EVS_TESTS_FUZZ_ENC_TRIP_H
#define EVS_TESTS_FUZZ_ENC_TRIP_H

#include "tests/fuzz/plain_compare.h"

/* The first byte of the input: which kind is forced (0: chosen), with or without zstd. */
static inline struct evs_enc_opts trip_opts(uint8_t b)
{
	return (struct evs_enc_opts){ .force = b & 31,
				      .no_zstd = b >> 5 & 1,
				      .thorough = b >> 6 & 1 };
}

static inline void trip_same(const struct evs_array *a, const struct evs_array *b)
{
	must(a->rows == b->rows && a->nulls == b->nulls);
	for (uint32_t i = 0; i < a->rows; i++)
		must(evs_array_is_null(a, i) == evs_array_is_null(b, i));
	if (a->phys >= EVS_BYTES && a->rows)
		must(!memcmp(a->offs, b->offs, ((size_t)a->rows + 1) * 4));
	if (a->phys == EVS_BYTES)
		must(!a->rows || !a->offs[a->rows] ||
		     !memcmp(a->data, b->data, (size_t)a->offs[a->rows]));
	else if (a->phys < EVS_BYTES)
		must(!a->rows || !memcmp(a->data, b->data, (size_t)a->rows * a->width));
	for (unsigned i = 0; i < a->nchild; i++)
		trip_same(&a->child[i], &b->child[i]);
}

static inline void trip_check(const struct evs_array *a, const struct evs_enc_opts *opts)
{
	struct evs_enc_ctx *e = NULL;
	struct evs_dec_ctx *d = NULL;
	struct evs_buf buf = { 0 };
	struct evs_array back = { 0 };
	struct evs_cur c;
	const char *why;

	if (!a->rows || evs_enc_ctx_new(&e, opts) || evs_dec_ctx_new(&d) ||
	    !evs_buf_reserve(&buf, 1) || evs_array_init_like(&back, a))
		goto out;
	must(evs_column_encode(e, a, &buf) == 0);
	c = (struct evs_cur){ .p = buf.p, .end = buf.p + buf.len };
	must(evs_column_decode(d, &c, a->rows, a->nulls, &back, &why) == 0 && c.p == c.end);
	trip_same(a, &back);
	plain_check(buf.p, buf.len, a->rows, a->nulls, 0, a, buf.len);
out:
	evs_buf_release(&buf);
	evs_array_release(&back);
	evs_enc_ctx_free(e);
	evs_dec_ctx_free(d);
}

#endif
