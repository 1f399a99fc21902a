/*
 * Groups by a key of one or two bytes: a number for each value it may have.
 */
#include "src/query/groups_state.h"

#include <stdlib.h>
#include <string.h>

/* Rows side by side may have one value: each counts for itself, and none waits for the others. */
#define LANES 4u

static inline __attribute__((always_inline)) uint32_t direct_value(const struct evs_array *a,
								   uint32_t i, unsigned width)
{
	uint16_t v;

	if (width == 1)
		return a->data[i];
	memcpy(&v, a->data + (size_t)i * 2, 2);
	return v;
}

/* All rows, if none of them is NULL or makes a group. */
static bool find_known(const struct evs_groups *g, const struct evs_array *a, uint32_t rows,
		       uint32_t *id)
{
	uint32_t known = 1, k;

	if (a->valid)
		return false;
	if (a->width == 1)
		for (uint32_t i = 0; i < rows; i++) {
			k = g->direct[direct_value(a, i, 1)];
			known &= k != 0;
			id[i] = k - 1;
		}
	else
		for (uint32_t i = 0; i < rows; i++) {
			k = g->direct[direct_value(a, i, 2)];
			known &= k != 0;
			id[i] = k - 1;
		}
	return known;
}

int evs_groups_find_direct(struct evs_groups *g, const struct evs_array *a, uint32_t rows,
			   uint32_t *id)
{
	if (!g->direct && !(g->direct = calloc(EVS_GROUPS_DIRECT + 1, sizeof(*g->direct))))
		return EVS_E_NOMEM;
	if (find_known(g, a, rows, id))
		return 0;
	for (uint32_t i = 0; i < rows; i++) {
		uint32_t v = direct_value(a, i, a->width);

		if (a->valid && evs_array_is_null(a, i))
			v = EVS_GROUPS_DIRECT;
		if (!g->direct[v] && !g->frozen) {
			if (evs_groups_need(g, g->n + 1) < 0)
				return EVS_E_NOMEM;
			g->pack[g->n] = (struct packed){ v, 0 };
			g->direct[v] = ++g->n;
		}
		id[i] = g->direct[v] - 1;
	}
	return 0;
}

/* Four values, which stand `step` bits apart. */
static inline __attribute__((always_inline)) void count_four(uint64_t four, unsigned step,
							     uint32_t count[LANES][256])
{
	count[0][four & 255]++;
	count[1][four >> step & 255]++;
	count[2][four >> 2 * step & 255]++;
	count[3][four >> 3 * step & 255]++;
}

/* How many rows have which value below 256, eight bytes of them at a time; false: some have others.
 */
static bool count_values(const struct evs_array *a, uint32_t rows, uint32_t count[LANES][256])
{
	uint32_t i = 0;
	uint64_t eight, high = 0;

	if (a->width == 1)
		for (; rows - i >= 2 * LANES; i += 2 * LANES) {
			memcpy(&eight, a->data + i, 8);
			count_four(eight, 8, count);
			count_four(eight >> 32, 8, count);
		}
	else
		for (; rows - i >= LANES; i += LANES) {
			memcpy(&eight, a->data + (size_t)i * 2, 8);
			high |= eight & 0xff00ff00ff00ff00u;
			count_four(eight, 16, count);
		}
	for (; i < rows; i++) {
		uint32_t v = direct_value(a, i, a->width);

		high |= v & 0xff00u;
		count[0][v & 255]++;
	}
	return !high;
}

uint32_t evs_groups_tally(struct evs_groups *g, const struct evs_array *a, uint32_t rows,
			  uint32_t *id, uint32_t *n)
{
	uint32_t count[LANES][256] = { { 0 } }, groups = 0;

	if (g->mode != DIRECT_MODE || !g->direct || g->wide || a->valid)
		return 0;
	g->wide = !count_values(a, rows, count);
	for (uint32_t v = 0; v < 256 && !g->wide; v++) {
		uint32_t all = count[0][v] + count[1][v] + count[2][v] + count[3][v];

		if (!all)
			continue;
		if (!g->direct[v])
			return 0; /* a new group; its number depends on who comes first */
		id[groups] = g->direct[v] - 1;
		n[groups++] = all;
	}
	return groups;
}
