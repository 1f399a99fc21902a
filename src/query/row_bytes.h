/*
 * A value as bytes that are equal exactly when the values are: what groups are told apart by, what
 * sketches hash, how nested values are kept.
 */
#ifndef EVS_QUERY_ROW_BYTES_H
#define EVS_QUERY_ROW_BYTES_H

#include "format/array.h"
#include "format/bytes.h"

/* Append row `row`: a byte that tells null from value, then the value. Failure shows in
 * evs_buf_ok(). */
void evs_row_put(struct evs_buf *b, const struct evs_array *a, uint32_t row);

/* Append the value at `c` to an array of its shape; `c` moves behind it. The bytes are
 * evs_row_put()'s. Returns 0 or EVS_E_NOMEM. */
int evs_row_get(struct evs_cur *c, struct evs_array *out);

/* A double with one zero and one NaN. */
static inline uint64_t evs_float_key(double d)
{
	uint64_t u;

	if (d != d)
		return 0x7ff8000000000000u;
	d += 0.0; /* -0 becomes 0 */
	memcpy(&u, &d, 8);
	return u;
}

/* XXH3-64 of the value; equal for an integer of any width. The row is not null. */
uint64_t evs_row_hash(const struct evs_array *a, uint32_t row, uint64_t seed);
/* Of any bytes. */
uint64_t evs_bytes_hash(const void *p, size_t n);

#endif
