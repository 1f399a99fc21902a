/*
 * What comes before what, and sorting in memory. See order.h.
 */
#include "src/query/order_state.h"

#include "format/bytes.h"

#include <stdlib.h>

/* ---- comparing ------------------------------------------------------------------------------- */

static uint64_t wide_high(const struct evs_array *a, uint32_t i)
{
	return evs_get64(a->data + (size_t)i * 16 + 8) ^ (uint64_t)1 << 63;
}

static int compare_wide(const struct evs_array *a, uint32_t i, const struct evs_array *b, uint32_t j)
{
	uint64_t x = wide_high(a, i), y = wide_high(b, j);

	if (x == y) {
		x = evs_get64(a->data + (size_t)i * 16);
		y = evs_get64(b->data + (size_t)j * 16);
	}
	return (x > y) - (x < y);
}

int evs_order_compare(const struct evs_type *t, const struct evs_array *a, uint32_t i,
		      const struct evs_array *b, uint32_t j)
{
	if (t->id == EVS_T_DECIMAL && a->phys == EVS_FIXED)
		return compare_wide(a, i, b, j);
	return evs_array_compare(a, i, b, j);
}

int evs_order_rows(const struct evs_order *o, const struct evs_array *a, uint32_t i,
			const struct evs_array *b, uint32_t j)
{
	for (size_t k = 0; k < o->nkeys; k++) {
		const struct evs_order_key *key = &o->key[k];
		const struct evs_array *x = &a[key->col], *y = &b[key->col];
		bool xn = evs_array_is_null(x, i), yn = evs_array_is_null(y, j);
		int c;

		if (xn && yn)
			continue;
		if (xn || yn)
			return xn == key->nulls_first ? -1 : 1;
		c = evs_order_compare(o->type[key->col], x, i, y, j);
		if (c)
			return key->desc ? -c : c;
	}
	return 0;
}

static uint64_t prefix_bytes(const struct evs_array *a, uint32_t row)
{
	uint64_t v = 0;
	size_t n;
	const uint8_t *p = evs_array_bytes(a, row, &n);

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | (i < n ? p[i] : 0);
	return v;
}

static uint64_t prefix_float(double d)
{
	uint64_t u;

	if (d != d)
		return UINT64_MAX;
	d += 0.0; /* -0 is 0 */
	memcpy(&u, &d, 8);
	return u >> 63 ? ~u : u | (uint64_t)1 << 63;
}

uint64_t evs_order_prefix(const struct evs_order *o, const struct evs_array *cols, uint32_t row)
{
	const struct evs_order_key *key = &o->key[0];
	const struct evs_array *a = &cols[key->col];
	uint64_t v;

	if (evs_array_is_null(a, row))
		return key->nulls_first ? 0 : UINT64_MAX;
	switch (a->phys) {
	case EVS_INT:
		v = evs_array_int(a, row) ^ (a->is_signed ? (uint64_t)1 << 63 : 0);
		break;
	case EVS_FLOAT:
		v = prefix_float(evs_array_float(a, row));
		break;
	case EVS_FIXED:
	case EVS_BYTES:
		v = o->type[key->col]->id == EVS_T_DECIMAL ? wide_high(a, row)
							   : prefix_bytes(a, row);
		break;
	default:
		v = 0;
	}
	return key->desc ? ~v : v;
}

static int compare_items(const struct evs_order *o, const struct item *x, const struct item *y)
{
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return evs_order_rows(o, o->cols, x->row, o->cols, y->row);
}

/* ---- sorting in memory ----------------------------------------------------------------------- */

/* Merge sort: stable, from runs of 8 made by insertion. The result is in o->item. */
static void sort_items(struct evs_order *o, size_t n)
{
	for (size_t from = 0; from < n; from += 8) {
		size_t end = n - from < 8 ? n : from + 8;

		for (size_t i = from + 1; i < end; i++) {
			struct item x = o->item[i];
			size_t j = i;

			for (; j > from && compare_items(o, &x, &o->item[j - 1]) < 0; j--)
				o->item[j] = o->item[j - 1];
			o->item[j] = x;
		}
	}
	for (size_t width = 8; width < n; width *= 2) {
		struct item *swap;

		for (size_t from = 0; from < n; from += 2 * width) {
			size_t a = from, mid = n - from < width ? n : from + width, b = mid;
			size_t end = n - from < 2 * width ? n : from + 2 * width, to = from;

			while (a < mid && b < end)
				o->other[to++] = compare_items(o, &o->item[b], &o->item[a]) < 0
							 ? o->item[b++]
							 : o->item[a++];
			while (a < mid)
				o->other[to++] = o->item[a++];
			while (b < end)
				o->other[to++] = o->item[b++];
		}
		swap = o->item;
		o->item = o->other;
		o->other = swap;
	}
}

int evs_order_sort(struct evs_order *o)
{
	if (o->rows > o->item_cap) {
		free(o->item);
		free(o->other);
		o->item = malloc(o->rows * sizeof(*o->item));
		o->other = malloc(o->rows * sizeof(*o->other));
		o->item_cap = o->item && o->other ? o->rows : 0;
		if (!o->item_cap)
			return EVS_E_NOMEM;
	}
	for (uint32_t i = 0; i < o->rows; i++)
		o->item[i] = (struct item){ evs_order_prefix(o, o->cols, i), i };
	sort_items(o, o->rows);
	return 0;
}
