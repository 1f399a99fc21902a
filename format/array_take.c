/*
 * Arrays: appending many rows of another array, as one range or picked by number.
 *
 * This is where rows move when a batch is partitioned, sorted or merged, so the common widths have
 * loops of their own, and validity is looked at only when the source has nulls.
 */
#include "format/array_grow.h"
#include "format/bytes.h"

#include <string.h>

/* Copy bits [from, from + n) of `src` to the bits from `to` on, which are zero. */
static void copy_bits(uint8_t *dst, uint32_t to, const uint8_t *src, uint32_t from, uint32_t n)
{
	if (!((to | from) & 7)) {
		memcpy(dst + to / 8, src + from / 8, n / 8);
		to += n & ~7u;
		from += n & ~7u;
		n &= 7;
	}
	for (uint32_t i = 0; i < n; i++) {
		uint32_t s = from + i, d = to + i;

		dst[d >> 3] |= (uint8_t)((src[s >> 3] >> (s & 7) & 1) << (d & 7));
	}
}

static uint32_t count_set(const uint8_t *bits, uint32_t from, uint32_t n)
{
	uint32_t set = 0;

	for (; n && from & 7; from++, n--)
		set += bits[from >> 3] >> (from & 7) & 1;
	set += (uint32_t)evs_count_bits(bits + (from >> 3), n / 8);
	from += n & ~7u;
	for (n &= 7; n; from++, n--)
		set += bits[from >> 3] >> (from & 7) & 1;
	return set;
}

/* Validity bits for n more rows of which `nulls` are null, when any are needed. */
static int open_valid(struct evs_array *a, uint32_t n, uint32_t nulls)
{
	if (!nulls && !a->valid)
		return 0;
	return evs_array_make_valid(a, (size_t)a->rows + n);
}

/* The elements or bytes of the range and their offsets; a->rows is still the old count. */
static int append_var_range(struct evs_array *a, const struct evs_array *src, uint32_t from,
			    uint32_t n)
{
	int32_t base = evs_array_last_off(a);
	int32_t lo = src->offs[from], hi = src->offs[from + n];
	int32_t *offs;

	if (a->phys == EVS_BYTES) {
		if (hi > lo)
			memcpy(a->data + base, src->data + lo, (size_t)(hi - lo));
	} else {
		for (unsigned i = 0; i < a->nchild; i++) {
			evs_array_truncate(&a->child[i], (uint32_t)base);
			if (evs_array_append_range(&a->child[i], &src->child[i], (uint32_t)lo,
						   (uint32_t)(hi - lo)) < 0) {
				if (i)
					evs_array_truncate(&a->child[0], (uint32_t)base);
				return EVS_E_NOMEM;
			}
		}
	}
	offs = a->offs + a->rows + 1;
	for (uint32_t i = 0; i < n; i++)
		offs[i] = src->offs[from + i + 1] - lo + base;
	return 0;
}

/* Undo open_valid() after a failure: no nulls, no bits. */
static void close_valid(struct evs_array *a)
{
	if (a->valid && !a->nulls)
		evs_array_drop_valid(a);
}

int evs_array_append_range(struct evs_array *a, const struct evs_array *src, uint32_t from,
			   uint32_t n)
{
	uint32_t nulls = src->valid ? n - count_set(src->valid, from, n) : 0;
	size_t bytes = 0;

	if (!n)
		return 0;
	if (a->phys == EVS_BYTES)
		bytes = (size_t)(src->offs[from + n] - src->offs[from]);
	if (evs_array_reserve(a, n, bytes) < 0 || open_valid(a, n, nulls) < 0)
		return EVS_E_NOMEM;
	if (a->phys == EVS_BYTES || a->nchild) {
		if (append_var_range(a, src, from, n) < 0) {
			close_valid(a);
			return EVS_E_NOMEM;
		}
	} else {
		memcpy(a->data + (size_t)a->rows * a->width, src->data + (size_t)from * a->width,
		       (size_t)n * a->width);
	}
	if (a->valid && nulls)
		copy_bits(a->valid, a->rows, src->valid, from, n);
	else if (a->valid)
		evs_array_set_valid(a, a->rows, a->rows + n);
	a->rows += n;
	a->nulls += nulls;
	return 0;
}

/* One loop for each width, so that the compiler turns every copy into a load and a store. */
static void gather(uint8_t *dst, const uint8_t *src, size_t width, const uint32_t *idx, uint32_t n)
{
	switch (width) {
	case 1:
		for (uint32_t i = 0; i < n; i++)
			dst[i] = src[idx[i]];
		break;
	case 2:
		for (uint32_t i = 0; i < n; i++)
			memcpy(dst + (size_t)i * 2, src + (size_t)idx[i] * 2, 2);
		break;
	case 4:
		for (uint32_t i = 0; i < n; i++)
			memcpy(dst + (size_t)i * 4, src + (size_t)idx[i] * 4, 4);
		break;
	case 8:
		for (uint32_t i = 0; i < n; i++)
			memcpy(dst + (size_t)i * 8, src + (size_t)idx[i] * 8, 8);
		break;
	case 16:
		for (uint32_t i = 0; i < n; i++)
			memcpy(dst + (size_t)i * 16, src + (size_t)idx[i] * 16, 16);
		break;
	default:
		for (uint32_t i = 0; i < n; i++)
			memcpy(dst + i * width, src + idx[i] * width, width);
	}
}

#define CHUNK 16 /* short values are copied in whole chunks, where both sides have the room */
#define SHORT 64
#define AHEAD 8 /* values fetched into the cache before they are needed */

static void gather_bytes(struct evs_array *a, const struct evs_array *src, const uint32_t *idx,
			 uint32_t n)
{
	size_t at = (size_t)evs_array_last_off(a);
	int32_t *offs = a->offs + a->rows + 1;

	if (!src->data || !a->data) { /* nothing but empty values so far */
		for (uint32_t i = 0; i < n; i++)
			offs[i] = (int32_t)at;
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		size_t lo = (size_t)src->offs[idx[i]];
		size_t len = (size_t)src->offs[idx[i] + 1] - lo;

		if (n - i > AHEAD)
			__builtin_prefetch(src->data + src->offs[idx[i + AHEAD]]);
		if (len <= SHORT && src->data_cap - lo >= SHORT && a->data_cap - at >= SHORT) {
			for (size_t k = 0; k < len; k += CHUNK)
				memcpy(a->data + at + k, src->data + lo + k, CHUNK);
		} else if (len) {
			memcpy(a->data + at, src->data + lo, len);
		}
		at += len;
		offs[i] = (int32_t)at;
	}
}

static void gather_bits(struct evs_array *a, const struct evs_array *src, const uint32_t *idx,
			uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t d = a->rows + i, bit = src->valid[idx[i] >> 3] >> (idx[i] & 7) & 1;

		a->valid[d >> 3] |= (uint8_t)(bit << (d & 7));
	}
}

static int take_leaf(struct evs_array *a, const struct evs_array *src, const uint32_t *idx,
		     uint32_t n)
{
	size_t bytes = 0;
	uint32_t nulls = 0;

	if (a->phys == EVS_BYTES) {
		for (uint32_t i = 0; i < n; i++)
			bytes += (size_t)(src->offs[idx[i] + 1] - src->offs[idx[i]]);
	}
	if (src->valid) {
		for (uint32_t i = 0; i < n; i++)
			nulls += evs_array_is_null(src, idx[i]);
	}
	if (evs_array_reserve(a, n, bytes) < 0 || open_valid(a, n, nulls) < 0)
		return EVS_E_NOMEM;
	if (a->phys == EVS_BYTES)
		gather_bytes(a, src, idx, n);
	else
		gather(a->data + (size_t)a->rows * a->width, src->data, a->width, idx, n);
	if (a->valid && nulls)
		gather_bits(a, src, idx, n);
	else if (a->valid)
		evs_array_set_valid(a, a->rows, a->rows + n);
	a->rows += n;
	a->nulls += nulls;
	return 0;
}

#define ELEMENTS 2048u /* numbered at a time */

/*
 * As many rows of idx[0 .. n) as have up to ELEMENTS elements: these are numbered, so that the
 * children can be taken in their turn. How many rows; 0: out of memory.
 */
static uint32_t take_some(struct evs_array *a, const struct evs_array *src, const uint32_t *idx,
			  uint32_t n)
{
	int32_t base = evs_array_last_off(a), *offs;
	uint32_t of[ELEMENTS], k = 0, rows = 0, nulls = 0;

	for (; rows < n; rows++) {
		uint32_t from = (uint32_t)src->offs[idx[rows]],
			 to = (uint32_t)src->offs[idx[rows] + 1];

		if (to - from > ELEMENTS - k)
			break;
		nulls += evs_array_is_null(src, idx[rows]);
		while (from < to)
			of[k++] = from++;
	}
	if (!rows) /* very many elements in one */
		return evs_array_append_range(a, src, idx[0], 1) == 0;
	if (evs_array_reserve(a, rows, 0) < 0 || open_valid(a, rows, nulls) < 0)
		return 0;
	for (unsigned c = 0; c < a->nchild; c++) {
		evs_array_truncate(&a->child[c], (uint32_t)base);
		if (evs_array_take(&a->child[c], &src->child[c], of, k) < 0) {
			close_valid(a);
			return 0;
		}
	}
	offs = a->offs + a->rows + 1;
	for (uint32_t i = 0; i < rows; i++) {
		base += src->offs[idx[i] + 1] - src->offs[idx[i]];
		offs[i] = base;
	}
	if (a->valid && nulls)
		gather_bits(a, src, idx, rows);
	else if (a->valid)
		evs_array_set_valid(a, a->rows, a->rows + rows);
	a->rows += rows;
	a->nulls += nulls;
	return rows;
}

int evs_array_take(struct evs_array *a, const struct evs_array *src, const uint32_t *idx,
		   uint32_t n)
{
	uint32_t before = a->rows, rows;

	if (!n)
		return 0;
	if (src->nulls == src->rows) /* a column that never has a value */
		return evs_array_append_nulls(a, n);
	if (!a->nchild)
		return take_leaf(a, src, idx, n);
	for (uint32_t i = 0; i < n; i += rows) {
		rows = take_some(a, src, idx + i, n - i);
		if (!rows) {
			for (unsigned c = 0; c < a->nchild; c++)
				evs_array_truncate(&a->child[c], (uint32_t)evs_array_last_off(a));
			evs_array_truncate(a, before);
			return EVS_E_NOMEM;
		}
	}
	return 0;
}
