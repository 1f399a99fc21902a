/*
 * A stable merge sort of row numbers. Eight bytes of the first key column are taken into the items, so that nearly all
 * comparisons stay in the items' own memory; ties go to the columns.
 */
#include "src/store/sort.h"

#include <stdlib.h>
#include <string.h>

#define RUN 16u /* rows sorted by insertion before merging */

struct sort_item {
	uint64_t prefix;
	uint32_t row;
};

struct order {
	const struct evs_array *cols;
	const uint16_t *key;
	uint16_t nkey;
	bool exact; /* the prefix says all there is to say of the first key column */
};

static uint64_t bytes_prefix(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | (i < n ? p[i] : 0);
	return v;
}

static uint64_t float_order(double d)
{
	uint64_t u;

	if (d != d)
		return UINT64_MAX; /* NaN, of any sign, comes last */
	d = d == 0 ? 0 : d;	   /* -0 sorts with 0 */
	memcpy(&u, &d, sizeof(u));
	return u >> 63 ? ~u : u | (uint64_t)1 << 63;
}

/* Order of prefixes agrees with evs_array_compare() as far as it goes. */
static uint64_t prefix_of(const struct evs_array *a, uint32_t row)
{
	size_t n;
	const uint8_t *p;

	if (evs_array_is_null(a, row))
		return 0;
	switch (a->phys) {
	case EVS_INT:
		return a->is_signed ? evs_array_int(a, row) ^ (uint64_t)1 << 63
				    : evs_array_int(a, row);
	case EVS_FLOAT:
		return float_order(evs_array_float(a, row));
	case EVS_FIXED:
	case EVS_BYTES:
		p = evs_array_bytes(a, row, &n);
		return bytes_prefix(p, n);
	default:
		return 0;
	}
}

static bool after(const struct order *o, const struct sort_item *x, const struct sort_item *y)
{
	if (x->prefix != y->prefix)
		return x->prefix > y->prefix;
	for (uint16_t k = o->exact ? 1 : 0; k < o->nkey; k++) {
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

int evs_sort_rows(struct evs_sorter *s, const struct evs_table *t, const struct evs_array *cols,
		  uint32_t *idx, uint32_t n, bool *sorted)
{
	struct order o = { .cols = cols, .key = t->key, .nkey = t->nkey };
	struct sort_item *v;

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
	o.exact = cols[o.key[0]].phys == EVS_INT && !cols[o.key[0]].nulls;
	for (uint32_t i = 0; i < n; i++) {
		v[i] = (struct sort_item){ prefix_of(&cols[o.key[0]], idx[i]), idx[i] };
		if (i && *sorted && after(&o, &v[i - 1], &v[i]))
			*sorted = false;
	}
	if (*sorted)
		return 0;
	v = merge_sort(&o, v, v + n, n);
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
