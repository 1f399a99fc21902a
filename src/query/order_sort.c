/*
 * What comes before what, and sorting in memory. See order.h.
 */
#include "src/query/order_state.h"

#include "format/bytes.h"

#include <stdlib.h>
#include <string.h>

#define FEW   12u   /* items that are sorted by insertion */
#define MANY  1024u /* items that are first dealt out by a byte of their prefix */
#define PILES 256u

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

	if (n >= 8)
		return __builtin_bswap64(evs_get64(p));
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

/* ---- sorting in memory ----------------------------------------------------------------------- */

/* Rows that are equal stay in their order. */
static inline bool before(const struct evs_order *o, const struct item *x, const struct item *y)
{
	int c;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix;
	c = evs_order_rows(o, o->cols, x->row, o->cols, y->row);
	return c ? c < 0 : x->row < y->row;
}

static void insertion_sort(const struct evs_order *o, struct item *item, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct item x = item[i];
		size_t j = i;

		for (; j > 0 && before(o, &x, &item[j - 1]); j--)
			item[j] = item[j - 1];
		item[j] = x;
	}
}

static void swap(struct item *x, struct item *y)
{
	struct item t = *x;

	*x = *y;
	*y = t;
}

/* Items before one of them, chosen by `random`, to the front, the others to the back; its place. */
static size_t partition(const struct evs_order *o, struct item *item, size_t n, uint64_t random)
{
	size_t i = 0, j = n - 1;
	struct item pivot;

	swap(&item[0], &item[(size_t)(random >> 11) % n]);
	pivot = item[0];
	for (;;) {
		while (i < j && !before(o, &item[j], &pivot))
			j--;
		item[i] = item[j];
		while (i < j && before(o, &item[i], &pivot))
			i++;
		item[j] = item[i];
		if (i == j)
			break;
		j--;
	}
	item[i] = pivot;
	return i;
}

/*
 * Quicksort, in place, for memory is what decides how much goes to disk. No two items are equal, and which one parts them is
 * drawn, so no order of rows makes it slow. The larger half is left for later; so `todo` holds few.
 */
static void sort_few(const struct evs_order *o, struct item *item, size_t n)
{
	struct {
		struct item *item;
		size_t n;
	} todo[64];
	uint64_t random = 1;
	unsigned top = 0;

	for (;;) {
		size_t at;

		if (n <= FEW) {
			insertion_sort(o, item, n);
			if (!top)
				return;
			top--;
			item = todo[top].item;
			n = todo[top].n;
			continue;
		}
		random = random * 0x5851f42d4c957f2du + 0x14057b7ef767814fu;
		at = partition(o, item, n, random);
		if (at < n / 2) {
			todo[top].item = item + at + 1;
			todo[top++].n = n - at - 1;
			n = at;
		} else {
			todo[top].item = item;
			todo[top++].n = at;
			item += at + 1;
			n -= at + 1;
		}
	}
}

/* The lowest of the eight bits from the highest one down in which prefixes differ; -1: they are all the same. */
static int differing_byte(const struct item *item, size_t n)
{
	uint64_t least = UINT64_MAX, most = 0;
	int high;

	for (size_t i = 0; i < n; i++) {
		least = item[i].prefix < least ? item[i].prefix : least;
		most = item[i].prefix > most ? item[i].prefix : most;
	}
	if (least == most)
		return -1;
	high = 63 - __builtin_clzll(least ^ most);
	return high < 7 ? 0 : high - 7;
}

/* Deal items out by eight bits of their prefix, in place: pile k ends at end[k]. */
static void deal(struct item *item, size_t n, int shift, size_t end[PILES])
{
	size_t next[PILES], at = 0;

	memset(end, 0, PILES * sizeof(*end));
	for (size_t i = 0; i < n; i++)
		end[item[i].prefix >> shift & (PILES - 1)]++;
	for (size_t k = 0; k < PILES; k++) {
		next[k] = at;
		at = end[k] += at;
	}
	for (size_t k = 0; k < PILES; k++) {
		while (next[k] < end[k]) {
			struct item x = item[next[k]];
			size_t to;

			while ((to = x.prefix >> shift & (PILES - 1)) != k)
				swap(&x, &item[next[to]++]);
			item[next[k]++] = x;
		}
	}
}

/* As sort_few(). Each pile has eight bits fewer in which its items differ: so it goes eight deep at most. */
static void sort_items(const struct evs_order *o, struct item *item, size_t n)
{
	int shift = n < MANY ? -1 : differing_byte(item, n);
	size_t end[PILES], at = 0;

	if (shift < 0) {
		sort_few(o, item, n);
		return;
	}
	deal(item, n, shift, end);
	for (size_t k = 0; k < PILES; at = end[k], k++)
		sort_items(o, item + at, end[k] - at);
}

int evs_order_sort(struct evs_order *o)
{
	if (o->rows > o->item_cap) {
		free(o->item);
		o->item = malloc(o->rows * sizeof(*o->item));
		o->item_cap = o->item ? o->rows : 0;
		if (!o->item_cap)
			return EVS_E_NOMEM;
	}
	for (uint32_t i = 0; i < o->rows; i++)
		o->item[i] = (struct item){ evs_order_prefix(o, o->cols, i), i };
	sort_items(o, o->item, o->rows);
	return 0;
}
