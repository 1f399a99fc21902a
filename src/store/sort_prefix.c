/*
 * What a sort compares first: as many key columns as fit in 64 bits, the first of them highest. A
 * number counts from the least one there is; texts of which few are distinct are numbered in their
 * order; of other texts the first eight bytes are taken.
 */
#include "src/store/sort.h"

#include <string.h>
#include <xxhash.h>

#define MANY  1024u /* distinct values from which on they are not numbered */
#define TRIED 1024u /* rows after which to look how many are distinct */
#define SLOTS (4 * MANY)

/* Nulls come first. */
static uint64_t prefix_of(const struct evs_array *a, uint32_t row)
{
	return evs_array_is_null(a, row) ? 0 : evs_array_prefix(a, row);
}

static unsigned bit_len(uint64_t v)
{
	return v ? 64u - (unsigned)__builtin_clzll(v) : 0;
}

/* ---- numbering texts ------------------------------------------------------------------------- */

/* Distinct values of a column: number k is that of row first[k]. */
struct numbers {
	const struct evs_array *a;
	uint16_t slot[SLOTS]; /* number + 1; 0: free */
	uint32_t hash[MANY], first[MANY];
	uint16_t rank[MANY];
	uint32_t n;
};

/* The number of the row's value, a new one where it has none; MANY: there are too many. */
static uint32_t number_of(struct numbers *m, uint32_t row)
{
	size_t len, flen;
	const uint8_t *p = evs_array_bytes(m->a, row, &len), *f;
	uint64_t h = XXH3_64bits(p, len);
	uint32_t at = (uint32_t)h % SLOTS, tag = (uint32_t)(h >> 32);

	for (; m->slot[at]; at = (at + 1) % SLOTS) {
		uint32_t k = m->slot[at] - 1u;

		if (m->hash[k] != tag)
			continue;
		f = evs_array_bytes(m->a, m->first[k], &flen);
		if (flen == len && !memcmp(f, p, len))
			return k;
	}
	if (m->n == MANY)
		return MANY;
	m->slot[at] = (uint16_t)(m->n + 1);
	m->hash[m->n] = tag;
	m->first[m->n] = row;
	return m->n++;
}

/* The numbers in the order of their values, of all rows into tmp[].row. False: there are too many.
 */
static bool number_rows(struct numbers *m, const struct sort_item *v, struct sort_item *tmp,
			uint32_t n)
{
	struct sort_item order[2 * MANY], *done;

	for (uint32_t i = 0; i < n; i++) {
		tmp[i].row = number_of(m, v[i].row);
		if (tmp[i].row == MANY || (i == TRIED && m->n > TRIED / 2))
			return false;
	}
	for (uint32_t k = 0; k < m->n; k++)
		order[k] = (struct sort_item){ prefix_of(m->a, m->first[k]), m->first[k] };
	done = evs_sort_by_column(m->a, order, order + m->n, m->n);
	for (uint32_t k = 0; k < m->n; k++)
		m->rank[number_of(m, done[k].row)] = (uint16_t)k;
	for (uint32_t i = 0; i < n; i++)
		tmp[i].row = m->rank[tmp[i].row];
	return true;
}

/* ---- columns --------------------------------------------------------------------------------- */

/* Put `bits` bits of the column behind the prefixes. How many there were room for; *whole: they say
 * all of it. */
static unsigned put_column(const struct evs_array *a, struct sort_item *v, struct sort_item *tmp,
			   uint32_t n, unsigned room, bool *whole)
{
	uint64_t min = UINT64_MAX, max = 0;
	struct numbers m;
	unsigned bits, cut;

	if ((a->phys == EVS_BYTES || a->phys == EVS_FIXED) && !a->nulls && n > MANY) {
		m.a = a;
		m.n = 0;
		memset(m.slot, 0, sizeof(m.slot));
		*whole = number_rows(&m, v, tmp, n);
		bits = bit_len(m.n - 1);
		if (*whole && bits <= room) {
			for (uint32_t i = 0; i < n; i++)
				v[i].prefix = v[i].prefix << bits | tmp[i].row;
			return bits;
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		uint64_t x = prefix_of(a, v[i].row);

		tmp[i].prefix = x;
		min = x < min ? x : min;
		max = x > max ? x : max;
	}
	bits = bit_len(max - min);
	cut = bits > room ? bits - room : 0;
	bits -= cut;
	/* A null looks like the smallest value. */
	*whole = !cut && !a->nulls && (a->phys == EVS_INT || a->phys == EVS_FLOAT);
	for (uint32_t i = 0; i < n; i++)
		v[i].prefix = (bits < 64 ? v[i].prefix << bits : 0) | (tmp[i].prefix - min) >> cut;
	return bits;
}

unsigned evs_sort_prefixes(const struct evs_array *cols, const uint16_t *key, uint16_t nkey,
			   struct sort_item *v, struct sort_item *tmp, uint32_t n, uint16_t *exact)
{
	unsigned bits = 0;
	bool whole = true;

	*exact = 0;
	for (uint32_t i = 0; i < n; i++)
		v[i].prefix = 0;
	for (uint16_t k = 0; k < nkey && whole && bits < 64; k++) {
		bits += put_column(&cols[key[k]], v, tmp, n, 64 - bits, &whole);
		*exact = (uint16_t)(*exact + whole);
	}
	return bits;
}
