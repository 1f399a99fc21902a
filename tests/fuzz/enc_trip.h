/*
 * Shared by fuzz_encode_*.c: what the input spells is encoded and must come back bit for bit.
 */
#ifndef EVS_TESTS_FUZZ_ENC_TRIP_H
#define EVS_TESTS_FUZZ_ENC_TRIP_H

#include "format/encode.h"

#include <stdlib.h>
#include <string.h>

/* The first byte of the input: which kind is forced (0: chosen), with or without zstd. */
static inline struct evs_enc_opts trip_opts(uint8_t b)
{
	return (struct evs_enc_opts){ .force = b & 31, .no_zstd = b >> 5 & 1 };
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
	if (evs_column_encode(e, a, &buf))
		abort();
	c = (struct evs_cur){ .p = buf.p, .end = buf.p + buf.len };
	if (evs_column_decode(d, &c, a->rows, a->nulls, &back, &why) || c.p != c.end)
		abort();
	for (uint32_t i = 0; i < a->rows; i++)
		if (evs_array_is_null(a, i) != evs_array_is_null(&back, i))
			abort();
	if (a->phys == EVS_BYTES) {
		if (memcmp(a->offs, back.offs, ((size_t)a->rows + 1) * 4) ||
		    (a->offs[a->rows] && memcmp(a->data, back.data, (size_t)a->offs[a->rows])))
			abort();
	} else if (memcmp(a->data, back.data, (size_t)a->rows * a->width)) {
		abort();
	}
out:
	evs_buf_release(&buf);
	evs_array_release(&back);
	evs_enc_ctx_free(e);
	evs_dec_ctx_free(d);
}

#endif
