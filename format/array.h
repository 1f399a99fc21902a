/*
 * One column of rows in memory, in Arrow's layout.
 *
 * This is the only shape in which values travel: the JSON reader appends to arrays, the encodings
 * turn arrays into blocks and back, the printer and the Arrow C data interface read arrays.
 *
 *   phys    data                         offs                      children
 *   INT     rows * width (1, 2, 4, 8)    -                         -
 *   FLOAT   rows * width (4, 8)          -                         -
 *   FIXED   rows * width (1 .. 65535)    -                         -
 *   BYTES   the bytes of all values      rows + 1, first is 0      -
 *   LIST    -                            rows + 1, first is 0      [0] elements
 *   MAP     -                            rows + 1, first is 0      [0] keys (BYTES), [1] values
 *
 * Numbers are in host byte order, bool is an INT of width 1 holding 0 or 1. The slot of a null row
 * is zero bytes, or empty. `valid` has bit (row & 7) of byte (row >> 3) set where a value is
 * present, and is NULL as long as no row is null.
 *
 * The array owns its memory. One thread at a time. Functions that return int give 0 or EVS_E_NOMEM
 * (also when the bytes of one array would pass EVS_ARRAY_MAX_BYTES) and then leave the array as it
 * was, so that a row which cannot be taken can be rolled back with evs_array_truncate().
 */
#ifndef EVS_FORMAT_ARRAY_H
#define EVS_FORMAT_ARRAY_H

#include "format/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVS_ARRAY_MAX_BYTES 0x7fff0000u /* offsets are signed 32-bit, as in Arrow */
#define EVS_ARRAY_MAX_DEPTH 8		/* of LIST and MAP inside each other */

enum evs_phys {
	EVS_INT = 1,
	EVS_FLOAT = 2,
	EVS_FIXED = 3,
	EVS_BYTES = 4,
	EVS_LIST = 5,
	EVS_MAP = 6,
};

struct evs_array {
	uint8_t phys;	/* enum evs_phys */
	bool is_signed; /* INT only */
	uint16_t width; /* bytes a value: INT, FLOAT, FIXED */
	uint8_t nchild; /* 0, 1 (LIST) or 2 (MAP) */
	uint32_t rows;
	uint32_t nulls;
	uint8_t *valid;
	uint8_t *data;
	int32_t *offs;
	struct evs_array *child;
	size_t valid_cap, data_cap, offs_cap; /* in bytes */
};

/* Empty array of a leaf shape. Never fails; allocates nothing. */
void evs_array_init(struct evs_array *a, enum evs_phys phys, uint16_t width, bool is_signed);

/* Turn a zeroed struct into LIST (1 child) or MAP (2 children: BYTES keys first); the caller then
 * initialises a->child[]. Returns 0 or EVS_E_NOMEM. */
int evs_array_init_nested(struct evs_array *a, enum evs_phys phys);

/* Same shape as `like`, no rows. Returns 0 or EVS_E_NOMEM. */
int evs_array_init_like(struct evs_array *a, const struct evs_array *like);

void evs_array_release(struct evs_array *a); /* frees and zeroes; NULL is fine */
void evs_array_reset(struct evs_array *a);   /* no rows, memory kept */
/* No rows; memory is kept unless it has grown beyond `keep` bytes. */
void evs_array_trim(struct evs_array *a, size_t keep);

/* Room for `rows` more rows and, for BYTES, `bytes` more bytes. */
int evs_array_reserve(struct evs_array *a, uint32_t rows, size_t bytes);

int evs_array_append_null(struct evs_array *a);
int evs_array_append_nulls(struct evs_array *a, uint32_t n);
int evs_array_append_int(struct evs_array *a, uint64_t v);	/* low `width` bytes are kept */
int evs_array_append_float(struct evs_array *a, double v);	/* narrowed to `width` */
int evs_array_append_fixed(struct evs_array *a, const void *v); /* `width` bytes */
int evs_array_append_bytes(struct evs_array *a, const void *v, size_t n);

/*
 * LIST and MAP: append the elements to the children first, then close the row; it takes every
 * element appended since the row before.
 */
int evs_array_close_row(struct evs_array *a);

/* Forget rows from `rows` on (children follow). `rows` <= a->rows. */
void evs_array_truncate(struct evs_array *a, uint32_t rows);

/* Append rows [from, from + n) of `src`, which has the same shape. */
int evs_array_append_range(struct evs_array *a, const struct evs_array *src, uint32_t from,
			   uint32_t n);

/* Append src rows idx[0], ..., idx[n - 1], in that order. Each idx < src->rows. */
int evs_array_take(struct evs_array *a, const struct evs_array *src, const uint32_t *idx,
		   uint32_t n);

/*
 * Rows [from, from + n) of `a`, borrowed and not to be released; `from` is a multiple of 8, so that
 * bits can be cut there. Offsets of a view begin where they stand, not with 0, and `nulls` is that
 * of `a`.
 */
struct evs_array evs_array_view(const struct evs_array *a, uint32_t from, uint32_t n);

/*
 * A column by its distinct values: row i is values[code[i]]. A null row is the last value. All zero
 * but for the shape of `values` at first.
 */
struct evs_coded {
	struct evs_array values;
	uint32_t *code;
	uint32_t cap; /* rows that there is room for */
	bool sparse;  /* wanted also where few rows are not null, each with a value of its own */
};

/* Room for the codes of `rows` rows; what they were is lost. Returns 0 or EVS_E_NOMEM. */
int evs_coded_room(struct evs_coded *c, uint32_t rows);
void evs_coded_release(struct evs_coded *c);

static inline bool evs_array_is_null(const struct evs_array *a, uint32_t row)
{
	return a->valid && !(a->valid[row >> 3] >> (row & 7) & 1);
}

/* INT value widened by its sign to 64 bits. The row must be < a->rows. */
uint64_t evs_array_int(const struct evs_array *a, uint32_t row);
double evs_array_float(const struct evs_array *a, uint32_t row);

/* Value of a FIXED or BYTES row; `*n` gets its length. */
const uint8_t *evs_array_bytes(const struct evs_array *a, uint32_t row, size_t *n);

/* -1, 0, 1. Nulls first; INT by sign, FLOAT with NaN last and -0 = 0, bytes by memcmp then length,
 * lists and maps element by element. Shapes must agree. */
int evs_array_compare(const struct evs_array *a, uint32_t i, const struct evs_array *b, uint32_t j);
/* A number that rises with the value in row i, which is not null, as far as 64 bits go. Of lists
 * and maps 0. */
uint64_t evs_array_prefix(const struct evs_array *a, uint32_t i);

/* Bytes of values, offsets and validity now in use (not capacity), children included. */
size_t evs_array_bytes_used(const struct evs_array *a);
/* Of one row, validity aside. */
size_t evs_array_row_bytes(const struct evs_array *a, uint32_t row);
/* Of rows idx[0 .. n) together; `*most`, to which those of the largest row are added, may be NULL.
 */
size_t evs_array_rows_bytes(const struct evs_array *a, const uint32_t *idx, uint32_t n,
			    size_t *most);

#endif
