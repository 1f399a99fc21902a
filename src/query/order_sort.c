/*
 * What comes before what, and sorting in memory. See order.h.
 */
#include "src/query/order_state.h"

#include "format/bytes.h"
#include "src/thread.h"

#include <stdlib.h>
#include <string.h>

#define FEW    12u  /* items that are sorted by insertion */
#define MANY   256u /* items that are first dealt out by eight of their bits */
#define PILES  256u
#define LOTS   65536u /* items that are worth a second thread */
#define SAMPLE 255u

/* ---- comparing ------------------------------------------------------------------------------- */

static uint64_t wide_high(const struct evs_array *a, uint32_t i)
{
	return evs_get64(a->data + (size_t)i * 16 + 8) ^ (uint64_t)1 << 63;
}

static int compare_wide(const struct evs_array *a, uint32_t i, const struct evs_array *b,
			uint32_t j)
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

uint64_t evs_order_prefix(const struct evs_order *o, const struct evs_array *cols, uint32_t row)
{
	const struct evs_order_key *key = &o->key[0];
	const struct evs_array *a = &cols[key->col];
	uint64_t v;

	if (evs_array_is_null(a, row))
		return key->nulls_first ? 0 : UINT64_MAX;
	v = o->type[key->col]->id == EVS_T_DECIMAL && a->phys != EVS_INT ? wide_high(a, row)
									 : evs_array_prefix(a, row);
	return key->desc ? ~v : v;
}

/* ---- sorting in memory ----------------------------------------------------------------------- */

/* Rows that are equal stay in their order. */
static inline bool before(const struct evs_order *o, const struct item *x, const struct item *y)
{
	int c;

	if (x->high != y->high)
		return x->high < y->high;
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
 * Quicksort, in place, for memory is what decides how much goes to disk. No two items are equal,
 * and which one parts them is drawn, so no order of rows makes it slow. The larger half is left for
 * later; so `todo` holds few.
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

/* The lowest of `bits` bits from the highest one down in which numbers from `least` to `most`
 * differ. They are not equal. */
static int lowest_of(uint64_t least, uint64_t most, int bits)
{
	int high = 64 - __builtin_clzll(least ^ most);

	return high < bits ? 0 : high - bits;
}

/* In how many bits items differ, up to the highest. */
static int differing_bits(const struct item *item, size_t n)
{
	uint32_t least = UINT32_MAX, most = 0;

	for (size_t i = 0; i < n; i++) {
		least = item[i].high < least ? item[i].high : least;
		most = item[i].high > most ? item[i].high : most;
	}
	return least >= most ? 0 : 32 - __builtin_clz(least ^ most);
}

/* Deal items out by eight of their bits, in place: pile k ends at end[k]. */
static void deal(struct item *item, size_t n, int shift, size_t end[PILES])
{
	size_t next[PILES], at = 0;

	memset(end, 0, PILES * sizeof(*end));
	for (size_t i = 0; i < n; i++)
		end[item[i].high >> shift & (PILES - 1)]++;
	for (size_t k = 0; k < PILES; k++) {
		next[k] = at;
		at = end[k] += at;
	}
	for (size_t k = 0; k < PILES; k++) {
		while (next[k] < end[k]) {
			struct item x = item[next[k]];
			size_t to;

			while ((to = x.high >> shift & (PILES - 1)) != k)
				swap(&x, &item[next[to]++]);
			item[next[k]++] = x;
		}
	}
}

/* As sort_few(), of items that differ in their lowest `bits` bits only, or nowhere. Each pile has
 * eight fewer of them, so it goes four deep. */
static void sort_items(const struct evs_order *o, struct item *item, size_t n, int bits)
{
	int shift = bits > 8 ? bits - 8 : 0;
	size_t end[PILES], at = 0;

	if (n < MANY || !bits) {
		sort_few(o, item, n);
		return;
	}
	deal(item, n, shift, end);
	for (unsigned k = 0; k < PILES; at = end[k], k++)
		if (end[k] - at > 1)
			sort_items(o, item + at, end[k] - at, shift);
}

/* Is the first key one whose bytes have its order? Most that are sorted by are ids. */
static bool is_id(const struct evs_order *o)
{
	const struct evs_array *a = &o->cols[o->key[0].col];

	return a->phys == EVS_FIXED && a->width >= 8 && !a->valid &&
	       o->type[o->key[0].col]->id != EVS_T_DECIMAL;
}

/* evs_order_prefix() of a row in memory. */
static inline uint64_t prefix_of(const struct evs_order *o, const struct evs_array *a, bool id,
				 uint32_t row)
{
	uint64_t v;

	if (!id)
		return evs_order_prefix(o, o->cols, row);
	v = __builtin_bswap64(evs_get64(a->data + (size_t)row * a->width));
	return o->key[0].desc ? ~v : v;
}

/* A share of the rows: those whose items are below `bound`, or the others. */
struct share {
	struct evs_order *o;
	int shift;
	uint32_t bound;
	bool upper;
};

/* Items of a share, sorted: the lower one's from the first place on, the upper one's up to the last
 * one. */
static void *sort_share(void *arg)
{
	const struct share *s = arg;
	struct evs_order *o = s->o;
	const struct evs_array *a = &o->cols[o->key[0].col];
	bool id = is_id(o);
	struct item *first = o->item, *end = o->item + o->rows;
	size_t n = 0;

	for (uint32_t i = 0; i < o->rows; i++) {
		struct item x = { (uint32_t)(prefix_of(o, a, id, i) >> s->shift), i };

		if ((x.high >= s->bound) != s->upper)
			continue;
		n++;
		if (s->upper)
			end[-(ptrdiff_t)n] = x;
		else
			first[n - 1] = x;
	}
	first = s->upper ? end - n : first;
	sort_items(o, first, n, differing_bits(first, n));
	return NULL;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* About as many items are below it as not: the middle one of some, which stand anywhere. */
static uint32_t middle(const struct evs_order *o, int shift)
{
	const struct evs_array *a = &o->cols[o->key[0].col];
	uint32_t high[SAMPLE];

	for (uint32_t i = 0; i < SAMPLE; i++) {
		uint32_t row = (uint32_t)((uint64_t)(i * 0x9e3779b9u) * o->rows >> 32);

		high[i] = (uint32_t)(prefix_of(o, a, is_id(o), row) >> shift);
	}
	qsort(high, SAMPLE, sizeof(high[0]), by_number);
	return high[SAMPLE / 2];
}

/* Of how many bits the prefixes of all rows are too long for an item. */
static int find_shift(const struct evs_order *o)
{
	const struct evs_array *a = &o->cols[o->key[0].col];
	bool id = is_id(o);
	uint64_t least = UINT64_MAX, most = 0;

	for (uint32_t i = 0; i < o->rows; i++) {
		uint64_t v = prefix_of(o, a, id, i);

		least = v < least ? v : least;
		most = v > most ? v : most;
	}
	return least < most ? lowest_of(least, most, 32) : 0;
}

int evs_order_sort(struct evs_order *o, bool two)
{
	struct share lower = { .o = o }, upper;
	pthread_t thread;
	bool started;

	if (o->rows > o->item_cap) {
		free(o->item);
		o->item = malloc(o->rows * sizeof(*o->item));
		o->item_cap = o->item ? o->rows : 0;
		if (!o->item_cap)
			return EVS_E_NOMEM;
	}
	lower.shift = find_shift(o);
	two = two && o->rows >= LOTS;
	lower.bound = two ? middle(o, lower.shift) : 0;
	upper = lower;
	upper.upper = true;
	started = two && evs_thread_start(&thread, sort_share, &upper);
	if (two)
		(void)sort_share(&lower);
	if (started)
		(void)pthread_join(thread, NULL);
	else
		(void)sort_share(&upper);
	return 0;
}
