/*
 * Arrays: shapes, memory, and appending single values. Appending many rows at once is in
 * array_take.c, reading and comparing in array_read.c.
 *
 * Every append first makes room in each buffer it will touch and only then writes, so that a failed
 * allocation leaves the array as it was. Bits of `valid` past the last row are kept zero, and
 * `valid` goes away with the last null, so that NULL means "no nulls" at all times.
 */
#include "format/array_grow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DOUBLE_BELOW ((size_t)1 << 20) /* small buffers double, big ones grow by half */

void evs_array_init(struct evs_array *a, enum evs_phys phys, uint16_t width, bool is_signed)
{
	*a = (struct evs_array){
		.phys = (uint8_t)phys,
		.width = phys == EVS_BYTES ? 0 : width,
		.is_signed = is_signed,
	};
}

int evs_array_init_nested(struct evs_array *a, enum evs_phys phys)
{
	uint8_t n = phys == EVS_MAP ? 2 : 1;
	struct evs_array *child = calloc(n, sizeof(*child));

	if (!child)
		return EVS_E_NOMEM;
	*a = (struct evs_array){ .phys = (uint8_t)phys, .nchild = n, .child = child };
	return 0;
}

int evs_array_init_like(struct evs_array *a, const struct evs_array *like)
{
	if (!like->nchild) {
		evs_array_init(a, (enum evs_phys)like->phys, like->width, like->is_signed);
		return 0;
	}
	if (evs_array_init_nested(a, (enum evs_phys)like->phys) < 0)
		return EVS_E_NOMEM;
	for (unsigned i = 0; i < a->nchild; i++) {
		if (evs_array_init_like(&a->child[i], &like->child[i]) < 0) {
			evs_array_release(a);
			return EVS_E_NOMEM;
		}
	}
	return 0;
}

void evs_array_release(struct evs_array *a)
{
	if (!a)
		return;
	for (unsigned i = 0; i < a->nchild; i++)
		evs_array_release(&a->child[i]);
	free(a->child);
	free(a->valid);
	free(a->data);
	free(a->offs);
	*a = (struct evs_array){ 0 };
}

void evs_array_drop_valid(struct evs_array *a)
{
	free(a->valid);
	a->valid = NULL;
	a->valid_cap = 0;
}

void evs_array_reset(struct evs_array *a)
{
	for (unsigned i = 0; i < a->nchild; i++)
		evs_array_reset(&a->child[i]);
	evs_array_drop_valid(a);
	a->rows = 0;
	a->nulls = 0;
}

/* Move one buffer to a place where `need` bytes fit. NULL: no memory, or past the cap; `old` then
 * stays as it is. */
static void *grow(void *old, size_t *cap, size_t need)
{
	size_t want = *cap < DOUBLE_BELOW ? *cap * 2 : *cap + *cap / 2;
	void *p;

	if (need > EVS_ARRAY_MAX_BYTES)
		return NULL;
	if (want < need)
		want = need;
	if (want < 64)
		want = 64;
	if (want > EVS_ARRAY_MAX_BYTES)
		want = EVS_ARRAY_MAX_BYTES;
	p = realloc(old, want);
	if (p)
		*cap = want;
	return p;
}

static inline int need_data(struct evs_array *a, size_t n)
{
	uint8_t *p;

	if (n <= a->data_cap)
		return 0;
	p = grow(a->data, &a->data_cap, n);
	if (!p)
		return EVS_E_NOMEM;
	a->data = p;
	return 0;
}

/* Offsets for `rows` rows in all; the leading 0 is written with the first allocation. */
static inline int need_offs(struct evs_array *a, size_t rows)
{
	size_t n = (rows + 1) * sizeof(*a->offs);
	int32_t *p;

	if (n <= a->offs_cap)
		return 0;
	p = grow(a->offs, &a->offs_cap, n);
	if (!p)
		return EVS_E_NOMEM;
	p[0] = 0;
	a->offs = p;
	return 0;
}

/* Validity bits for `rows` rows in all. Only for arrays that have validity; new bytes are zero. */
static inline int need_valid(struct evs_array *a, size_t rows)
{
	size_t n = (rows + 7) / 8, old = a->valid_cap;
	uint8_t *p;

	if (n <= old)
		return 0;
	p = grow(a->valid, &a->valid_cap, n);
	if (!p)
		return EVS_E_NOMEM;
	a->valid = p;
	memset(a->valid + old, 0, a->valid_cap - old);
	return 0;
}

int evs_array_make_valid(struct evs_array *a, size_t rows)
{
	bool first = !a->valid;

	if (need_valid(a, rows) < 0)
		return EVS_E_NOMEM;
	if (first)
		evs_array_set_valid(a, 0, a->rows);
	return 0;
}

void evs_array_set_valid(struct evs_array *a, uint32_t from, uint32_t to)
{
	assert(a->valid);
	while (from < to && from & 7) {
		a->valid[from >> 3] |= (uint8_t)(1u << (from & 7));
		from++;
	}
	memset(a->valid + from / 8, 0xff, (to - from) / 8);
	for (from += (to - from) & ~7u; from < to; from++)
		a->valid[from >> 3] |= (uint8_t)(1u << (from & 7));
}

int evs_array_reserve(struct evs_array *a, uint32_t rows, size_t bytes)
{
	size_t total = (size_t)a->rows + rows;

	if (a->valid && need_valid(a, total) < 0)
		return EVS_E_NOMEM;
	switch (a->phys) {
	case EVS_BYTES:
		if (bytes > EVS_ARRAY_MAX_BYTES ||
		    need_data(a, (size_t)evs_array_last_off(a) + bytes) < 0)
			return EVS_E_NOMEM;
		return need_offs(a, total);
	case EVS_LIST:
	case EVS_MAP:
		return need_offs(a, total);
	default:
		return need_data(a, total * a->width);
	}
}

int evs_array_append_nulls(struct evs_array *a, uint32_t n)
{
	size_t total = (size_t)a->rows + n;

	if (!n)
		return 0;
	if (evs_array_reserve(a, n, 0) < 0 || evs_array_make_valid(a, total) < 0)
		return EVS_E_NOMEM;
	if (a->phys == EVS_BYTES || a->nchild) {
		int32_t last = evs_array_last_off(a);

		for (unsigned i = 0; i < a->nchild; i++)
			evs_array_truncate(&a->child[i], (uint32_t)last);
		for (size_t i = a->rows; i < total; i++)
			a->offs[i + 1] = last;
	} else {
		memset(a->data + (size_t)a->rows * a->width, 0, (size_t)n * a->width);
	}
	a->rows += n;
	a->nulls += n;
	return 0;
}

int evs_array_append_null(struct evs_array *a)
{
	return evs_array_append_nulls(a, 1);
}

/* Mark the row about to be added as present. */
static inline int present(struct evs_array *a)
{
	if (!a->valid)
		return 0;
	if (need_valid(a, (size_t)a->rows + 1) < 0)
		return EVS_E_NOMEM;
	a->valid[a->rows >> 3] |= (uint8_t)(1u << (a->rows & 7));
	return 0;
}

int evs_array_append_int(struct evs_array *a, uint64_t v)
{
	size_t at = (size_t)a->rows * a->width;
	uint8_t *p;

	if (need_data(a, at + a->width) < 0 || present(a) < 0)
		return EVS_E_NOMEM;
	p = a->data + at;
	switch (a->width) {
	case 1:
		*p = (uint8_t)v;
		break;
	case 2:
		memcpy(p, &(uint16_t){ (uint16_t)v }, 2);
		break;
	case 4:
		memcpy(p, &(uint32_t){ (uint32_t)v }, 4);
		break;
	default:
		memcpy(p, &v, 8);
	}
	a->rows++;
	return 0;
}

int evs_array_append_float(struct evs_array *a, double v)
{
	size_t at = (size_t)a->rows * a->width;

	if (need_data(a, at + a->width) < 0 || present(a) < 0)
		return EVS_E_NOMEM;
	if (a->width == 4)
		memcpy(a->data + at, &(float){ (float)v }, 4);
	else
		memcpy(a->data + at, &v, 8);
	a->rows++;
	return 0;
}

int evs_array_append_fixed(struct evs_array *a, const void *v)
{
	size_t at = (size_t)a->rows * a->width;

	if (need_data(a, at + a->width) < 0 || present(a) < 0)
		return EVS_E_NOMEM;
	if (a->width == 16)
		memcpy(a->data + at, v, 16);
	else
		memcpy(a->data + at, v, a->width);
	a->rows++;
	return 0;
}

int evs_array_append_bytes(struct evs_array *a, const void *v, size_t n)
{
	int32_t last = evs_array_last_off(a);

	if (n > EVS_ARRAY_MAX_BYTES || need_data(a, (size_t)last + n) < 0 ||
	    need_offs(a, (size_t)a->rows + 1) < 0 || present(a) < 0)
		return EVS_E_NOMEM;
	if (n)
		evs_copy_value(a->data + last, v, n);
	a->rows++;
	a->offs[a->rows] = last + (int32_t)n;
	return 0;
}

int evs_array_close_row(struct evs_array *a)
{
	assert(a->nchild == 1 || a->child[0].rows == a->child[1].rows);
	if (need_offs(a, (size_t)a->rows + 1) < 0 || present(a) < 0)
		return EVS_E_NOMEM;
	a->rows++;
	a->offs[a->rows] = (int32_t)a->child[0].rows;
	return 0;
}

/* Null rows in [from, to), whose bits are read bytewise where that is possible. */
static uint32_t count_nulls(const struct evs_array *a, uint32_t from, uint32_t to)
{
	uint32_t n = 0;

	for (; from < to && from & 7; from++)
		n += evs_array_is_null(a, from);
	for (; to - from >= 8; from += 8)
		n += 8 - (uint32_t)__builtin_popcount(a->valid[from >> 3]);
	for (; from < to; from++)
		n += evs_array_is_null(a, from);
	return n;
}

void evs_array_truncate(struct evs_array *a, uint32_t rows)
{
	assert(rows <= a->rows);
	if (a->valid && rows < a->rows) {
		a->nulls -= count_nulls(a, rows, a->rows);
		if (!a->nulls) {
			evs_array_drop_valid(a);
		} else {
			size_t used = (size_t)rows / 8, end = ((size_t)a->rows + 7) / 8;

			if (rows & 7) {
				a->valid[used] &= (uint8_t)((1u << (rows & 7)) - 1);
				used++;
			}
			memset(a->valid + used, 0, end - used);
		}
	}
	a->rows = rows;
	for (unsigned i = 0; i < a->nchild; i++)
		evs_array_truncate(&a->child[i], (uint32_t)evs_array_last_off(a));
}

void evs_array_trim(struct evs_array *a, size_t keep)
{
	evs_array_reset(a);
	if (a->data_cap + a->offs_cap + a->valid_cap > keep) {
		free(a->data);
		free(a->offs);
		free(a->valid);
		a->data = NULL;
		a->offs = NULL;
		a->valid = NULL;
		a->data_cap = a->offs_cap = a->valid_cap = 0;
	}
	for (unsigned i = 0; i < a->nchild; i++)
		evs_array_trim(&a->child[i], keep);
}
