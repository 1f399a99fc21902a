/*
 * What conditions can be over rows of which bounds are known: never less than what they are in some
 * row, and enough to rule out what pruning is for.
 */
#include "tests/unit/t.h"

#include "src/expr/expr.h"
#include "src/schema/schema.h"

#include <stdlib.h>

#define COLUMNS 7
#define ROWS	4

static const char ddl[] =
	"CREATE TABLE z (i Nullable(Int32), u Nullable(UInt64), f Nullable(Float64), s Nullable(String),\n"
	"  ts Nullable(DateTime64(3)), e Nullable(Enum8('a' = 1, 'b' = 2, 'c' = 3)), b Nullable(Bool), n Int8)\n"
	"ENGINE = MergeTree ORDER BY n";

static struct evs_table *table;
static struct evs_array cols[16], bounds[COLUMNS];
static bool unknown[COLUMNS];
static uint64_t state = 88172645463325252u;

static uint64_t rnd(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

static bool bounds_of(void *arg, uint16_t c, struct evs_bounds *out)
{
	(void)arg;
	if (c >= COLUMNS || unknown[c])
		return false;
	*out = (struct evs_bounds){ .bounds = bounds[c].rows ? &bounds[c] : NULL,
				    .nulls = cols[c].nulls > 0 };
	return true;
}

static void put_random(uint16_t c)
{
	static const char *const words[] = { "", "a", "ab", "b", "ba", "zz" };
	const char *w = words[rnd(6)];

	if (rnd(5) == 0)
		(void)evs_array_append_null(&cols[c]);
	else if (c == 2)
		(void)evs_array_append_float(&cols[c], (double)rnd(40) / 4 - 5);
	else if (c == 3)
		(void)evs_array_append_bytes(&cols[c], w, strlen(w));
	else
		(void)evs_array_append_int(&cols[c], c == 4   ? 1704067200000u + rnd(200000000)
						     : c == 5 ? 1 + rnd(3)
						     : c == 6 ? rnd(2)
						     : c == 1 ? rnd(10)
							      : rnd(20) - 10);
}

/* The smallest and the largest value; no rows when all are null. */
static void measure(uint16_t c)
{
	uint32_t lo = UINT32_MAX, hi = 0;

	evs_array_reset(&bounds[c]);
	for (uint32_t i = 0; i < ROWS; i++) {
		if (evs_array_is_null(&cols[c], i))
			continue;
		if (lo == UINT32_MAX || evs_array_compare(&cols[c], i, &cols[c], lo) < 0)
			lo = i;
		if (lo == i || evs_array_compare(&cols[c], i, &cols[c], hi) > 0)
			hi = evs_array_is_null(&cols[c], hi) ||
					     evs_array_compare(&cols[c], i, &cols[c], hi) > 0
				     ? i
				     : hi;
	}
	if (lo == UINT32_MAX)
		return;
	(void)evs_array_append_range(&bounds[c], &cols[c], lo, 1);
	(void)evs_array_append_range(&bounds[c], &cols[c], hi, 1);
}

static void new_rows(void)
{
	for (uint16_t c = 0; c < COLUMNS; c++) {
		evs_array_reset(&cols[c]);
		for (uint32_t i = 0; i < ROWS; i++)
			put_random(c);
		measure(c);
		unknown[c] = rnd(6) == 0;
	}
}

static const char *const conditions[] = {
	"i < 3",
	"i <= -2",
	"i > 5",
	"i >= 0",
	"i = 4",
	"i <> 4",
	"4 < i",
	"-3 >= i",
	"i = 2.5",
	"i < 2.5",
	"u = 3",
	"u > 18446744073709551615",
	"u < i",
	"u >= -1",
	"f = 0.25",
	"f < -1.5",
	"f >= 4",
	"s = 'ab'",
	"s < 'b'",
	"s >= 'b'",
	"s <> 'zz'",
	"s IN ('a', 'zz')",
	"s NOT IN ('a', 'zz')",
	"i IN (1, 2, NULL)",
	"i NOT IN (1, 2)",
	"i BETWEEN -3 AND 3",
	"i NOT BETWEEN -3 AND 3",
	"e = 'b'",
	"e <> 'a'",
	"e > 1",
	"e IN ('b', 'c')",
	"b",
	"NOT b",
	"b = true",
	"b AND i > 0",
	"b OR i > 0",
	"NOT (b OR i > 0)",
	"i IS NULL",
	"i IS NOT NULL",
	"s IS NULL OR s = 'a'",
	"NOT (i IS NULL AND s IS NULL)",
	"ts >= '2024-01-02'",
	"ts < '2024-01-01 12:00:00'",
	"toDate(ts) = '2024-01-02'",
	"toStartOfHour(ts) <> '2024-01-01 05:00:00'",
	"toYYYYMM(ts) = 202401",
	"ts + INTERVAL 1 DAY > '2024-01-02 05:00:00'",
	"toMonday(ts) < '2024-01-01'",
	"i::Int64 > 3",
	"i::Bool",
	"NULL",
	"true",
	"false",
	"i > NULL",
	"i + 1 > 3",
	"length(s) > 1",
	"i > 100 AND i / 0 > 1",
	"s LIKE 'a%'",
	"s LIKE 'b%'",
	"s NOT LIKE 'a%'",
	"s LIKE 'ab'",
	"s LIKE 'z_%'",
	"s LIKE '%a'",
	"s LIKE 'a%b'",
	"s LIKE ''",
	"s ILIKE 'A%'",
	"s LIKE 'a\\%%'",
	"s LIKE 'zzz%'",
	"NOT (s LIKE 'b%' AND i > 0)",
	"CASE WHEN b THEN i > 0 ELSE s = 'b' END",
	"i > u",
	"i = i",
	"(i > 3) = b",
	"i IS DISTINCT FROM 3",
};

/* Bits of what the condition is in the rows at hand. */
static unsigned actual(struct evs_eval *v, const struct evs_expr *e)
{
	struct evs_array a = { 0 };
	struct evs_diag d;
	unsigned bits = 0;

	if (evs_eval_run(v, e, cols, ROWS, &a, &d) < 0)
		return 0;
	for (uint32_t i = 0; i < ROWS; i++)
		bits |= evs_array_is_null(&a, i) ? EVS_MAY_NULL
			: a.data[i]		 ? EVS_MAY_TRUE
						 : EVS_MAY_FALSE;
	evs_array_release(&a);
	return bits;
}

static void never_too_little(struct evs_eval *v)
{
	struct evs_known known = { .bounds = bounds_of };
	unsigned wrong = 0, ruled_out = 0;

	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		struct evs_expr *e = NULL;
		struct evs_diag d = { 0 };
		int rc = evs_expr_parse(&e, conditions[i], strlen(conditions[i]), 1, 1, &d);

		if (rc == 0)
			rc = evs_expr_bind_condition(e, table, &d);
		t_check(conditions[i], rc == 0);
		for (unsigned k = 0; rc == 0 && k < 2000; k++) {
			unsigned may, is;

			new_rows();
			is = actual(v, e);
			may = evs_eval_zone(v, e, &known);
			ruled_out += !(may & EVS_MAY_TRUE);
			if (is & ~may) {
				printf("%s: is %u, may be %u\n", conditions[i], is, may);
				wrong++;
				break;
			}
		}
		evs_expr_free(e);
	}
	T_CHECK(wrong == 0);
	T_CHECK(ruled_out > 10000);
}

/* i in -5 .. 5, u 7, f -1 .. 1, s 'ab' .. 'b', ts one hour of 2024-01-01, e 'b', b true; none is
 * null. */
static void known_rows(void)
{
	static const char *const text[] = { "ab", "b" };
	static const double f[] = { -1, 1 };
	static const int64_t ints[COLUMNS][2] = {
		{ -5, 5 }, { 7, 7 }, { 0, 0 }, { 0, 0 }, { 1704085200000, 1704088799999 },
		{ 2, 2 },  { 1, 1 }
	};

	for (uint16_t c = 0; c < COLUMNS; c++) {
		evs_array_reset(&cols[c]);
		for (unsigned i = 0; i < 2; i++) {
			if (c == 2)
				(void)evs_array_append_float(&cols[c], f[i]);
			else if (c == 3)
				(void)evs_array_append_bytes(&cols[c], text[i], strlen(text[i]));
			else
				(void)evs_array_append_int(&cols[c], (uint64_t)ints[c][i]);
		}
		unknown[c] = false;
		evs_array_reset(&bounds[c]);
		(void)evs_array_append_range(&bounds[c], &cols[c], 0, 2);
	}
}

static void rules_out(struct evs_eval *v)
{
	static const char *const out[] = {
		"i > 5",
		"i >= 6",
		"i < -5",
		"i = 6",
		"6 = i",
		"5 < i",
		"u = 8",
		"u <> 7",
		"f > 1.5",
		"s = 'a'",
		"s = 'c'",
		"s > 'b'",
		"s IN ('a', 'aa', 'c')",
		"i IN (-7, 9)",
		"i BETWEEN 6 AND 9",
		"NOT (i <= 5)",
		"NOT (i BETWEEN -5 AND 5)",
		"e = 'a'",
		"e IN ('a', 'c')",
		"NOT b",
		"i IS NULL",
		"i > 5 OR s > 'b'",
		"i > 0 AND u = 8",
		"ts >= '2024-01-01 06:00:00'",
		"ts < '2024-01-01 05:00:00'",
		"toDate(ts) = '2024-01-02'",
		"toStartOfHour(ts) = '2024-01-01 04:00:00'",
		"toYYYYMM(ts) = 202402",
		"toMonday(ts) > '2024-01-01'",
		"ts > now() - INTERVAL 1 HOUR",
		"i::Int64 = 6",
		"i = 9999999999",
		"false",
		"NULL",
		"s LIKE 'aa%'",
		"s LIKE 'c%'",
		"s LIKE 'aaz_'",
		"s LIKE 'ba%x'",
		"s LIKE 'aab'",
	};
	struct evs_known known = { .bounds = bounds_of };

	known_rows();
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
		struct evs_expr *e = NULL;
		struct evs_diag d = { 0 };

		t_check(out[i], evs_expr_parse(&e, out[i], strlen(out[i]), 1, 1, &d) == 0 &&
					evs_expr_bind_condition(e, table, &d) == 0 &&
					!(evs_eval_zone(v, e, &known) & EVS_MAY_TRUE));
		evs_expr_free(e);
	}
}

/* A filter that knows values beside the bounds. */
static bool holds_no_three(void *arg, uint16_t c, const struct evs_array *value, uint32_t row)
{
	(void)arg;
	return c != 0 || evs_array_int(value, row) != 3;
}

static void filters(struct evs_eval *v)
{
	static const struct {
		const char *text;
		bool may;
	} cases[] = { { "i = 3", false },	   { "i = 2", true },
		      { "i IN (3)", false },	   { "i IN (3, 4)", true },
		      { "3 = i", false },	   { "i <> 3", true },
		      { "i::Int64 = 3", true },	   { "i = 3 OR i = 4", true },
		      { "i = 3 AND i = 4", false } };
	struct evs_known known = { .bounds = bounds_of, .may_hold = holds_no_three };

	known_rows();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct evs_expr *e = NULL;
		struct evs_diag d = { 0 };

		t_check(cases[i].text,
			evs_expr_parse(&e, cases[i].text, strlen(cases[i].text), 1, 1, &d) == 0 &&
				evs_expr_bind_condition(e, table, &d) == 0 &&
				((evs_eval_zone(v, e, &known) & EVS_MAY_TRUE) != 0) ==
					cases[i].may);
		evs_expr_free(e);
	}
}

int main(void)
{
	struct evs_diag d;
	struct evs_eval *v = NULL;

	if (evs_table_parse(&table, ddl, strlen(ddl), &d) < 0) {
		printf("the test table: %s\n", d.what);
		return 1;
	}
	if (evs_eval_new(&v) < 0)
		return 1;
	evs_eval_set_now(v, (int64_t)1709294400 * 1000000000);
	for (uint16_t c = 0; c < table->ncols; c++) {
		(void)evs_type_array(&table->cols[c].type, &cols[c]);
		if (c < COLUMNS)
			(void)evs_type_array(&table->cols[c].type, &bounds[c]);
	}
	never_too_little(v);
	rules_out(v);
	filters(v);
	for (uint16_t c = 0; c < table->ncols; c++) {
		evs_array_release(&cols[c]);
		if (c < COLUMNS)
			evs_array_release(&bounds[c]);
	}
	evs_eval_free(v);
	evs_table_free(table);
	return t_done();
}
