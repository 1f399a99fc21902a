/*
 * Rows to groups: each row's group has the row's key, and no two groups have the same one. Keys
 * that come again soon, for the first time, after others that share their places, and after the
 * table was emptied.
 */
#include "src/query/groups.h"
#include "tests/unit/enc_gen.h"

#include <stdlib.h>

#define ROWS 3000u

static void must(int rc)
{
	if (rc < 0)
		abort();
}

static void fill(struct evs_array *a, uint64_t distinct, uint64_t step, unsigned nulls)
{
	evs_array_reset(a);
	for (uint32_t i = 0; i < ROWS; i++)
		if (nulls && gen_below(nulls) == 0)
			must(evs_array_append_null(a));
		else
			must(evs_array_append_int(a, gen_below((uint32_t)distinct) * step));
}

/* The rows of `a` go into the right groups. */
static bool right(struct evs_groups *g, const struct evs_array *a, struct evs_array *keys)
{
	static uint32_t id[ROWS], all[1 << 17];
	uint32_t n;
	bool ok = evs_groups_find(g, &a, ROWS, id) == 0;

	n = evs_groups_count(g);
	evs_array_reset(keys);
	for (uint32_t i = 0; i < n; i++)
		all[i] = i;
	ok &= evs_groups_keys(g, all, n, keys) == 0 && keys->rows == n;
	for (uint32_t i = 0; i < ROWS && ok; i++)
		ok = id[i] < n && evs_array_compare(a, i, keys, id[i]) == 0;
	return ok;
}

/* Are all keys different? */
static bool different(const struct evs_array *keys)
{
	uint64_t *v = calloc(keys->rows + 1, sizeof(*v));
	bool ok = v != NULL;
	uint32_t nulls = 0;

	for (uint32_t i = 0; i < keys->rows && ok; i++) {
		nulls += evs_array_is_null(keys, i);
		v[i] = evs_array_int(keys, i);
	}
	for (uint32_t i = 0; i < keys->rows && ok; i++)
		for (uint32_t k = 0; k < i && ok; k++)
			ok = v[i] != v[k] ||
			     evs_array_is_null(keys, i) != evs_array_is_null(keys, k);
	free(v);
	return ok && nulls <= 1;
}

static void test_keys(const char *name, enum evs_type_id id, uint64_t distinct, uint64_t step,
		      unsigned nulls)
{
	const struct evs_type type = { .id = id };
	const struct evs_groups_key key = { &type, nulls != 0 };
	struct evs_array a, keys;
	struct evs_groups *g = NULL;
	bool ok;

	must(evs_type_array(&type, &a));
	must(evs_type_array(&type, &keys));
	ok = evs_groups_new(&g, &key, 1) == 0;
	for (unsigned round = 0; round < 9 && ok; round++) {
		fill(&a, distinct, step, round % 2 ? nulls : 0);
		ok = right(g, &a, &keys) && different(&keys);
		if (round == 3)
			evs_groups_reset(g);
		if (round == 6)
			evs_groups_clear(g);
	}
	t_check(name, ok);
	evs_groups_free(g);
	evs_array_release(&a);
	evs_array_release(&keys);
}

/* How many of the first `rows` rows have which group, by their numbers. */
static bool tallies(struct evs_groups *g, const struct evs_array *a, uint32_t rows,
		    const uint32_t *id)
{
	uint32_t group[256], n[256], want[256] = { 0 };
	uint32_t k = evs_groups_tally(g, a, rows, group, n), all = 0;
	bool ok = k > 0;

	for (uint32_t i = 0; i < rows; i++)
		want[id[i]]++;
	for (uint32_t i = 0; i < k && ok; i++) {
		ok = n[i] == want[group[i]];
		all += n[i];
		want[group[i]] = 0; /* each comes once */
	}
	return ok && all == rows;
}

static void test_tally(const char *name, enum evs_type_id type_id, uint64_t distinct)
{
	const struct evs_type type = { .id = type_id };
	const struct evs_groups_key key = { &type, true };
	static uint32_t id[ROWS], group[256], n[256];
	struct evs_array a;
	const struct evs_array *keys = &a;
	struct evs_groups *g = NULL;
	bool ok;

	must(evs_type_array(&type, &a));
	must(evs_groups_new(&g, &key, 1));
	fill(&a, distinct, 1, 0);
	ok = evs_groups_tally(g, &a, ROWS, group, n) == 0; /* nothing is known yet */
	must(evs_groups_find(g, &keys, ROWS, id));
	for (uint32_t rows = 1; rows < 40; rows++)
		ok &= tallies(g, &a, rows, id);
	ok &= tallies(g, &a, ROWS, id);
	must(evs_array_append_int(&a, distinct));
	ok &= evs_groups_tally(g, &a, ROWS + 1, group, n) ==
	      0; /* one that is new, in the last row */
	fill(&a, distinct, 1, 5);
	ok &= evs_groups_tally(g, &a, ROWS, group, n) == 0;
	fill(&a, distinct, a.width == 2 ? 256 : 1, 0);
	must(evs_groups_find(g, &keys, ROWS, id));
	ok &= a.width == 2 ? evs_groups_tally(g, &a, ROWS, group, n) == 0
			   : tallies(g, &a, ROWS, id);
	t_check(name, ok);
	evs_groups_free(g);
	evs_array_release(&a);
}

int main(void)
{
	test_tally("counts by one byte", EVS_T_UINT8, 255);
	test_tally("counts by a signed byte", EVS_T_INT8, 200);
	test_tally("counts by two bytes", EVS_T_INT16, 20);
	test_tally("counts by two bytes without a sign", EVS_T_UINT16, 255);
	test_keys("hours", EVS_T_DATETIME, 200, 3600, 0);
	test_keys("hours and NULL", EVS_T_DATETIME, 200, 3600, 7);
	test_keys("zero", EVS_T_INT64, 1, 1, 3);
	test_keys("many", EVS_T_INT64, 1000000, 1, 0);
	test_keys("far apart", EVS_T_UINT64, 3000, (uint64_t)1 << 51, 9);
	test_keys("four bytes", EVS_T_INT32, 3000, 77777, 9);
	test_keys("two bytes", EVS_T_INT16, 300, 200, 9);
	test_keys("one byte", EVS_T_UINT8, 256, 1, 0);
	test_keys("one byte and NULL", EVS_T_INT8, 20, 3, 4);
	return t_done();
}
