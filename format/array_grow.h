/*
 * What array.c and array_take.c share about the inside of an array. Private to these files.
 */
#ifndef EVS_FORMAT_ARRAY_GROW_H
#define EVS_FORMAT_ARRAY_GROW_H

#include "format/array.h"

#include <string.h>

/* memcpy() of at least one byte, for values of which most are short: two overlapping copies instead
 * of a call. */
static inline void evs_copy_value(uint8_t *to, const uint8_t *from, size_t n)
{
	if (n > 32) {
		memcpy(to, from, n);
	} else if (n >= 16) {
		memcpy(to, from, 16);
		memcpy(to + n - 16, from + n - 16, 16);
	} else if (n >= 8) {
		memcpy(to, from, 8);
		memcpy(to + n - 8, from + n - 8, 8);
	} else if (n >= 4) {
		memcpy(to, from, 4);
		memcpy(to + n - 4, from + n - 4, 4);
	} else {
		to[0] = from[0];
		to[n / 2] = from[n / 2];
		to[n - 1] = from[n - 1];
	}
}

/* End of the last row's bytes or elements; also right before anything was allocated. */
static inline int32_t evs_array_last_off(const struct evs_array *a)
{
	return a->rows ? a->offs[a->rows] : 0;
}

/* Give the array validity bits with room for `rows` rows in all; rows so far are present when it
 * had none. Returns 0 or EVS_E_NOMEM (then nothing changed). */
int evs_array_make_valid(struct evs_array *a, size_t rows);

/* Set the bits of rows [from, to), for which there is room. */
void evs_array_set_valid(struct evs_array *a, uint32_t from, uint32_t to);

/* Free the validity bits: no row is null. */
void evs_array_drop_valid(struct evs_array *a);

#endif
