/*
 * A stable sort of row numbers. As much of the key as goes into eight bytes is taken into the items
 * (sort_prefix.c), which are sorted by the digits of these, or merged when they are few; only ties
 * go to the columns.
 */
#include "src/store/sort.h"

#include <stdlib.h>
#include <string.h>

#define RUN   16u  /* rows sorted by insertion before merging */
#define FEW   512u /* rows that are merged rather than sorted by digits */
#define DIGIT 11u  /* bits */

struct order {
	const struct evs_array *cols;
	const uint16_t *key;
	uint16_t nkey;
	uint16_t exact; /* columns of which the prefix says all there is to say */
};

static bool after(const struct order *o, const struct sort_item *x, const struct sort_item *y)
{
	if (x->prefix != y->prefix)
		return x->prefix > y->prefix;
	for (uint16_t k = o->exact; k < o->nkey; k++) {
		const struct evs_array *a = &o->cols[o->key[k]];
		int c = evs_array_compare(a, x->row, a, y->row);

		if (c)
			return c > 0;
	}
	return false;
}

static void insertion(const struct order *o, struct sort_item *v, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct sort_item x = v[i];
		uint32_t j = i;

		while (j > 0 && after(o, &v[j - 1], &x)) {
			v[j] = v[j - 1];
			j--;
		}
		v[j] = x;
	}
}

static void merge(const struct order *o, const struct sort_item *a, uint32_t na,
		  const struct sort_item *b, uint32_t nb, struct sort_item *out)
{
	while (na && nb) {
		if (after(o, a, b)) {
			*out++ = *b++;
			nb--;
		} else {
			*out++ = *a++;
			na--;
		}
	}
	memcpy(out, na ? a : b, (na ? na : nb) * sizeof(*out));
}

static struct sort_item *merge_sort(const struct order *o, struct sort_item *v,
				    struct sort_item *tmp, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += RUN)
		insertion(o, v + i, n - i < RUN ? n - i : RUN);
	for (uint32_t w = RUN; w < n; w *= 2) {
		struct sort_item *swap = v;

		for (uint32_t i = 0; i < n; i += 2 * w) {
			uint32_t na = n - i < w ? n - i : w;
			uint32_t nb = n - i - na < w ? n - i - na : w;

			merge(o, v + i, na, v + i + na, nb, tmp + i);
		}
		v = tmp;
		tmp = swap;
	}
	return v;
}

struct sort_item *evs_sort_by_column(const struct evs_array *a, struct sort_item *v,
				     struct sort_item *tmp, uint32_t n)
{
	static const uint16_t first;
	struct order o = { .cols = a, .key = &first, .nkey = 1 };

	return merge_sort(&o, v, tmp, n);
}

/* By `bits` bits of the prefix, DIGIT at a time, lowest first. */
static struct sort_item *digit_sort(struct sort_item *v, struct sort_item *tmp, uint32_t n,
				    unsigned bits)
{
	for (unsigned shift = 0; shift < bits; shift += DIGIT) {
		uint32_t start[1u << DIGIT] = { 0 }, at = 0;
		struct sort_item *swap = v;

		for (uint32_t i = 0; i < n; i++)
			start[v[i].prefix >> shift & ((1u << DIGIT) - 1)]++;
		for (uint32_t k = 0; k < 1u << DIGIT; k++) {
			uint32_t count = start[k];

			start[k] = at;
			at += count;
		}
		for (uint32_t i = 0; i < n; i++)
			tmp[start[v[i].prefix >> shift & ((1u << DIGIT) - 1)]++] = v[i];
		v = tmp;
		tmp = swap;
	}
	return v;
}

/* Neighbours with the same prefix by the columns of which it does not say all. */
static void settle_ties(const struct order *o, struct sort_item *v, struct sort_item *tmp,
			uint32_t n)
{
	for (uint32_t i = 0, end; i < n; i = end) {
		struct sort_item *done;

		end = i + 1;
		while (end < n && v[end].prefix == v[i].prefix)
			end++;
		if (end - i < 2)
			continue;
		done = merge_sort(o, v + i, tmp + i, end - i);
		if (done != v + i)
			memcpy(v + i, done, (end - i) * sizeof(*v));
	}
}

static bool in_order(const struct order *o, const struct sort_item *v, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (after(o, &v[i - 1], &v[i]))
			return false;
	return true;
}

int evs_sort_rows(struct evs_sorter *s, const struct evs_table *t, const struct evs_array *cols,
		  uint32_t *idx, uint32_t n, bool *sorted)
{
	struct order o = { .cols = cols, .key = t->key, .nkey = t->nkey };
	struct sort_item *v;
	unsigned bits;

	*sorted = true;
	/* Within a segment the tenant is the same in every row. */
	while (o.nkey && t->tenant_column == (int)o.key[0]) {
		o.key++;
		o.nkey--;
	}
	if (!o.nkey || n < 2)
		return 0;
	if (s->cap < 2 * (size_t)n) {
		v = realloc(s->items, 2 * (size_t)n * sizeof(*v));
		if (!v)
			return EVS_E_NOMEM;
		s->items = v;
		s->cap = 2 * (size_t)n;
	}
	v = s->items;
	for (uint32_t i = 0; i < n; i++)
		v[i].row = idx[i];
	bits = evs_sort_prefixes(cols, o.key, o.nkey, v, v + n, n, &o.exact);
	*sorted = in_order(&o, v, n);
	if (*sorted)
		return 0;
	if (n < FEW) {
		v = merge_sort(&o, v, v + n, n);
	} else {
		v = digit_sort(v, v + n, n, bits);
		if (o.exact < o.nkey)
			settle_ties(&o, v, v == s->items ? v + n : s->items, n);
	}
	for (uint32_t i = 0; i < n; i++)
		idx[i] = v[i].row;
	return 0;
}

void evs_sorter_release(struct evs_sorter *s)
{
	free(s->items);
	s->items = NULL;
	s->cap = 0;
}
