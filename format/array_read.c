/*
 * Arrays: reading single values, comparing rows, and measuring.
 */
#include "format/array_grow.h"
#include "format/bytes.h"

#include <math.h>
#include <string.h>

uint64_t evs_array_int(const struct evs_array *a, uint32_t row)
{
	const uint8_t *p = a->data + (size_t)row * a->width;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	switch (a->width) {
	case 1:
		return a->is_signed ? (uint64_t)(int8_t)*p : *p;
	case 2:
		memcpy(&v16, p, 2);
		return a->is_signed ? (uint64_t)(int16_t)v16 : v16;
	case 4:
		memcpy(&v32, p, 4);
		return a->is_signed ? (uint64_t)(int32_t)v32 : v32;
	default:
		memcpy(&v64, p, 8);
		return v64;
	}
}

double evs_array_float(const struct evs_array *a, uint32_t row)
{
	const uint8_t *p = a->data + (size_t)row * a->width;
	double d;
	float f;

	if (a->width == 4) {
		memcpy(&f, p, 4);
		return (double)f;
	}
	memcpy(&d, p, 8);
	return d;
}

const uint8_t *evs_array_bytes(const struct evs_array *a, uint32_t row, size_t *n)
{
	static const uint8_t none[1];

	if (a->phys == EVS_FIXED) {
		*n = a->width;
		return a->data + (size_t)row * a->width;
	}
	*n = (size_t)(a->offs[row + 1] - a->offs[row]);
	return a->data ? a->data + a->offs[row] : none;
}

static int compare_int(const struct evs_array *a, uint32_t i, const struct evs_array *b, uint32_t j)
{
	uint64_t x = evs_array_int(a, i), y = evs_array_int(b, j);

	if (a->is_signed)
		return ((int64_t)x > (int64_t)y) - ((int64_t)x < (int64_t)y);
	return (x > y) - (x < y);
}

static int compare_float(double x, double y)
{
	if (isnan(x) || isnan(y))
		return !!isnan(x) - !!isnan(y);
	return (x > y) - (x < y);
}

static int compare_bytes(const struct evs_array *a, uint32_t i, const struct evs_array *b,
			 uint32_t j)
{
	size_t n, m;
	const uint8_t *p = evs_array_bytes(a, i, &n), *q = evs_array_bytes(b, j, &m);
	int c = memcmp(p, q, n < m ? n : m);

	return c ? (c > 0) - (c < 0) : (n > m) - (n < m);
}

static int compare_nested(const struct evs_array *a, uint32_t i, const struct evs_array *b,
			  uint32_t j)
{
	uint32_t n = (uint32_t)(a->offs[i + 1] - a->offs[i]);
	uint32_t m = (uint32_t)(b->offs[j + 1] - b->offs[j]);

	for (uint32_t k = 0; k < n && k < m; k++) {
		for (unsigned ch = 0; ch < a->nchild; ch++) {
			int c = evs_array_compare(&a->child[ch], (uint32_t)a->offs[i] + k,
						  &b->child[ch], (uint32_t)b->offs[j] + k);

			if (c)
				return c;
		}
	}
	return (n > m) - (n < m);
}

int evs_array_compare(const struct evs_array *a, uint32_t i, const struct evs_array *b, uint32_t j)
{
	bool x = evs_array_is_null(a, i), y = evs_array_is_null(b, j);

	if (x || y)
		return y - x;
	switch (a->phys) {
	case EVS_INT:
		return compare_int(a, i, b, j);
	case EVS_FLOAT:
		return compare_float(evs_array_float(a, i), evs_array_float(b, j));
	case EVS_LIST:
	case EVS_MAP:
		return compare_nested(a, i, b, j);
	default:
		return compare_bytes(a, i, b, j);
	}
}

static uint64_t bytes_prefix(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	if (n >= 8)
		return __builtin_bswap64(evs_get64(p));
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | (i < n ? p[i] : 0);
	return v;
}

static uint64_t float_prefix(double d)
{
	uint64_t u;

	if (d != d)
		return UINT64_MAX; /* NaN, of any sign, comes last */
	d = d == 0 ? 0 : d;	   /* -0 sorts with 0 */
	memcpy(&u, &d, sizeof(u));
	return u >> 63 ? ~u : u | (uint64_t)1 << 63;
}

uint64_t evs_array_prefix(const struct evs_array *a, uint32_t i)
{
	const uint8_t *p;
	size_t n;

	switch (a->phys) {
	case EVS_INT:
		return evs_array_int(a, i) ^ (uint64_t)a->is_signed << 63;
	case EVS_FLOAT:
		return float_prefix(evs_array_float(a, i));
	case EVS_FIXED:
	case EVS_BYTES:
		p = evs_array_bytes(a, i, &n);
		return bytes_prefix(p, n);
	default:
		return 0;
	}
}

struct evs_array evs_array_view(const struct evs_array *a, uint32_t from, uint32_t n)
{
	struct evs_array w = *a;

	w.rows = n;
	if (w.valid)
		w.valid += from / 8;
	if (w.offs)
		w.offs += from;
	else if (w.data)
		w.data += (size_t)from * w.width;
	return w;
}

size_t evs_array_bytes_used(const struct evs_array *a)
{
	size_t n = a->valid ? ((size_t)a->rows + 7) / 8 : 0;

	if (a->phys == EVS_BYTES)
		n += (size_t)evs_array_last_off(a);
	if (a->phys == EVS_BYTES || a->nchild)
		n += ((size_t)a->rows + 1) * sizeof(*a->offs);
	else
		n += (size_t)a->rows * a->width;
	for (unsigned i = 0; i < a->nchild; i++)
		n += evs_array_bytes_used(&a->child[i]);
	return n;
}

/* Of rows [from, to), validity aside. */
static size_t range_bytes(const struct evs_array *a, uint32_t from, uint32_t to)
{
	size_t n = (size_t)(to - from) * sizeof(*a->offs);

	if (a->phys == EVS_BYTES)
		return n + (size_t)(a->offs[to] - a->offs[from]);
	if (!a->nchild)
		return (size_t)(to - from) * a->width;
	for (unsigned c = 0; c < a->nchild && a->offs[to] > a->offs[from]; c++)
		n += range_bytes(&a->child[c], (uint32_t)a->offs[from], (uint32_t)a->offs[to]);
	return n;
}

size_t evs_array_row_bytes(const struct evs_array *a, uint32_t row)
{
	return range_bytes(a, row, row + 1);
}

size_t evs_array_rows_bytes(const struct evs_array *a, const uint32_t *idx, uint32_t n,
			    size_t *most)
{
	size_t sum = 0, max = 0;

	if (a->phys != EVS_BYTES && !a->nchild) {
		sum = (size_t)n * a->width;
		max = a->width;
	} else {
		for (uint32_t i = 0; i < n; i++) {
			size_t row = a->nchild ? range_bytes(a, idx[i], idx[i] + 1)
					       : sizeof(*a->offs) + (size_t)(a->offs[idx[i] + 1] -
									     a->offs[idx[i]]);

			sum += row;
			max = row > max ? row : max;
		}
	}
	if (most)
		*most += max;
	return sum;
}
