/*
 * Bounds of the times of rows, from numbers, fractions and texts, with values that are no time
 * among them.
 */
#include "src/store/segment_write.h"
#include "tests/unit/t.h"

#include <math.h>
#include <stdlib.h>

#define SECOND INT64_C(1000000000)

static struct evs_table table;
static struct evs_column column;

static void kind(enum evs_time_kind time, enum evs_type_id id)
{
	column = (struct evs_column){ .type = { .id = id } };
	table = (struct evs_table){ .cols = &column, .ncols = 1, .time_kind = time };
}

static void must(int rc)
{
	if (rc < 0)
		abort();
}

/* All rows, and those picked, have these bounds. */
static void check(const char *name, const struct evs_array *a, const uint32_t *idx, uint32_t n,
		  int64_t min, int64_t max)
{
	struct evs_seg_rows r = { 0 };

	evs_seg_times(&table, a, idx, n, &r);
	t_check(name, r.time_min == min && r.time_max == max);
}

static void test_numbers(bool is_signed)
{
	static const uint64_t values[] = { 7, 3, 9, 5 };
	static const uint32_t picks[] = { 4, 1, 0 };
	struct evs_array a;

	kind(EVS_TIME_EPOCH_S, is_signed ? EVS_T_INT64 : EVS_T_UINT64);
	evs_array_init(&a, EVS_INT, 8, is_signed);
	must(evs_array_append_null(&a));
	check("nothing but NULL", &a, NULL, 1, EVS_TIME_NONE, EVS_TIME_NONE);
	for (unsigned i = 0; i < 4; i++)
		must(evs_array_append_int(&a, values[i]));
	check("numbers", &a, NULL, 5, 3 * SECOND, 9 * SECOND);
	check("picked", &a, picks, 3, 5 * SECOND, 7 * SECOND);
	check("one picked", &a, picks, 1, 5 * SECOND, 5 * SECOND);
	check("NULL picked", &a, picks + 2, 1, EVS_TIME_NONE, EVS_TIME_NONE);
	must(evs_array_append_int(&a, (uint64_t)-2));
	if (is_signed)
		check("before 1970", &a, NULL, 6, -2 * SECOND, 9 * SECOND);
	else
		check("as late as can be", &a, NULL, 6, 3 * SECOND, INT64_MAX);
	evs_array_release(&a);
}

static void test_fractions(void)
{
	static const double values[] = { 7.5, -3.25, NAN, 9, 5 };
	static const uint32_t picks[] = { 2, 4, 3 };
	struct evs_array a;

	kind(EVS_TIME_EPOCH_S, EVS_T_FLOAT64);
	evs_array_init(&a, EVS_FLOAT, 8, true);
	for (unsigned i = 0; i < 5; i++)
		must(evs_array_append_float(&a, values[i]));
	check("fractions", &a, NULL, 5, -3 * SECOND - SECOND / 4, 9 * SECOND);
	check("picked fractions", &a, picks, 3, 5 * SECOND, 9 * SECOND);
	check("no number", &a, picks, 1, EVS_TIME_NONE, EVS_TIME_NONE);
	check("no rows", &a, picks, 0, EVS_TIME_NONE, EVS_TIME_NONE);
	evs_array_release(&a);
}

static void test_texts(void)
{
	struct evs_array a;

	kind(EVS_TIME_TEXT, EVS_T_STRING);
	evs_array_init(&a, EVS_BYTES, 0, false);
	must(evs_array_append_bytes(&a, "1970-01-01T00:00:05Z", 20));
	must(evs_array_append_bytes(&a, "soon", 4));
	must(evs_array_append_bytes(&a, "1970-01-01T00:00:02Z", 20));
	check("texts", &a, NULL, 3, 2 * SECOND, 5 * SECOND);
	evs_array_release(&a);
}

int main(void)
{
	test_numbers(true);
	test_numbers(false);
	test_fractions();
	test_texts();
	return t_done();
}
