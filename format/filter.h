/*
 * Filters: which values a column of a group does not hold (spec 7.8).
 *
 * A split block Bloom filter (F. Putze, P. Sanders, J. Singler: Cache-, Hash- and Space-Efficient
 * Bloom Filters, 2007; the layout and the salts are Apache Parquet's): a value sets one bit in each
 * of the eight words of one block.
 */
#ifndef EVS_FORMAT_FILTER_H
#define EVS_FORMAT_FILTER_H

#include "format/array.h"
#include "format/bytes.h"

#define EVS_FILTER_BLOCK      32u /* bytes */
#define EVS_FILTER_MAX_BLOCKS 65536u

/* Can columns of this shape have a filter? INT, FIXED and BYTES can. */
bool evs_filter_takes(const struct evs_array *a);

/* Hash of a value of such a column; the row is not null. */
uint64_t evs_filter_hash(const struct evs_array *a, uint32_t row);

/* Append the payload of a FILTER frame for all values of `a`, which has one at least. Returns 0 or
 * EVS_E_NOMEM. */
int evs_filter_build(const struct evs_array *a, struct evs_buf *out);

/* Is this the length of a filter? (7.8-1) */
bool evs_filter_sound(uint64_t len);

/* May a value with this hash be in? `blocks` is a sound filter of `len` bytes. */
bool evs_filter_may_hold(const uint8_t *blocks, size_t len, uint64_t hash);

#endif
