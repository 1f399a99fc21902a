/* Times, calendar and partitions (src/schema/time.c, rowtime.c). */
#include "tests/unit/t.h"

#include "format/commit.h"
#include "src/schema/schema.h"

#include <stdlib.h>

static const struct {
	const char *text;
	bool ok;
	int64_t sec;
	uint32_t nano;
	unsigned digits;
} times[] = {
	{ "1970-01-01", true, 0, 0, 0 },
	{ "1970-01-01T00:00:00Z", true, 0, 0, 0 },
	{ "1970-01-01 00:00", true, 0, 0, 0 },
	{ "1970-01-01t00:00:01z", true, 1, 0, 0 },
	{ "2024-12-16T00:00:33.253Z", true, 1734307233, 253000000, 3 },
	{ "2024-12-16T00:00:22.871376+00:00", true, 1734307222, 871376000, 6 },
	{ "2023-11-16 18:15:46.6805900", true, 1700158546, 680590000, 7 },
	{ "2024-02-29T23:59:59.999999999Z", true, 1709251199, 999999999, 9 },
	{ "2024-02-29T23:59:59.9999999990Z", true, 1709251199, 999999999, 10 },
	{ "2024-02-29T23:59:59.9999999991Z", false, 0, 0, 0 },
	{ "2000-01-01T00:00:00+01", true, 946681200, 0, 0 },
	{ "2000-01-01T00:00:00+0130", true, 946679400, 0, 0 },
	{ "2000-01-01T00:00:00-01:30", true, 946690200, 0, 0 },
	{ "2000-01-01T00:00+01:00", true, 946681200, 0, 0 },
	{ "0000-01-01T00:00:00Z", true, -62167219200, 0, 0 },
	{ "9999-12-31T23:59:59Z", true, 253402300799, 0, 0 },
	{ "1900-02-29", false, 0, 0, 0 },
	{ "2023-02-29", false, 0, 0, 0 },
	{ "2023-13-01", false, 0, 0, 0 },
	{ "2023-00-01", false, 0, 0, 0 },
	{ "2023-01-00", false, 0, 0, 0 },
	{ "2023-04-31", false, 0, 0, 0 },
	{ "2023-01-01T24:00:00Z", false, 0, 0, 0 },
	{ "2023-01-01T23:60:00Z", false, 0, 0, 0 },
	{ "2023-01-01T23:59:60Z", false, 0, 0, 0 },
	{ "2023-01-01T23:59:59.Z", false, 0, 0, 0 },
	{ "2023-01-01T23:59:59,5Z", false, 0, 0, 0 },
	{ "2023-01-01T23:59:59+", false, 0, 0, 0 },
	{ "2023-01-01T23:59:59+1", false, 0, 0, 0 },
	{ "2023-01-01T23:59:59+24:00", false, 0, 0, 0 },
	{ "2023-01-01T23:59:59+01:60", false, 0, 0, 0 },
	{ "2023-01-01T23:59:59 Z", false, 0, 0, 0 },
	{ "2023-01-01T23:59:59ZZ", false, 0, 0, 0 },
	{ "2023-01-01X23:59:59", false, 0, 0, 0 },
	{ "2023-01-01T", false, 0, 0, 0 },
	{ "2023-01-01T23", false, 0, 0, 0 },
	{ "2023-01-01Z", false, 0, 0, 0 },
	{ "2023-1-1", false, 0, 0, 0 },
	{ "20230101", false, 0, 0, 0 },
	{ "12345-01-01", false, 0, 0, 0 },
	{ "-001-01-01", false, 0, 0, 0 },
	{ "", false, 0, 0, 0 },
};

static void test_parse(void)
{
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		unsigned digits;
		uint32_t nano;
		int64_t sec;
		size_t len = strlen(times[i].text);
		char *exact = malloc(len + 1); /* so that a sanitizer sees a read too far */
		bool ok;

		memcpy(exact, times[i].text, len);
		exact = realloc(exact, len ? len : 1);
		ok = evs_time_parse(exact, len, &sec, &nano, &digits);
		t_check(times[i].text, ok == times[i].ok && (!ok || (sec == times[i].sec &&
								     nano == times[i].nano &&
								     digits == times[i].digits)));
		free(exact);
	}
}

static void check_print(int64_t ticks, unsigned scale, const char *want)
{
	char buf[41];

	buf[evs_time_print(ticks, scale, buf)] = '\0';
	t_eq_str(want, buf, want);
}

static void test_print(void)
{
	char buf[41];

	check_print(0, 0, "1970-01-01T00:00:00Z");
	check_print(-1, 0, "1969-12-31T23:59:59Z");
	check_print(-1, 3, "1969-12-31T23:59:59.999Z");
	check_print(1734307233253, 3, "2024-12-16T00:00:33.253Z");
	check_print(1, 9, "1970-01-01T00:00:00.000000001Z");
	check_print(INT64_MIN, 9, "1677-09-21T00:12:43.145224192Z");
	check_print(INT64_MAX, 9, "2262-04-11T23:47:16.854775807Z");
	check_print(253402300799, 0, "9999-12-31T23:59:59Z");
	check_print(-62167219200, 0, "0000-01-01T00:00:00Z");
	T_CHECK(evs_time_print(INT64_MIN, 0, buf) < 40);
	T_CHECK(evs_time_print(INT64_MAX, 0, buf) < 40);
	buf[evs_date_print(-1, buf)] = '\0';
	t_eq_str("day before 1970", buf, "1969-12-31");
	T_CHECK(evs_date_print(INT32_MIN, buf) < 40);
}

static void test_calendar(void)
{
	unsigned bad = 0;
	int64_t y = 0, expect = -719528; /* 0000-01-01 */
	unsigned m, d;

	/* Every day of 0000 .. 9999, counted by hand. */
	for (int64_t year = 0; year <= 9999; year++) {
		static const unsigned len[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
		bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

		for (unsigned mon = 1; mon <= 12; mon++) {
			unsigned days = len[mon - 1] + (mon == 2 && leap);

			for (unsigned day = 1; day <= days; day++, expect++) {
				evs_civil_from_days(expect, &y, &m, &d);
				bad += y != year || m != mon || d != day;
				bad += evs_days_from_civil(year, mon, day) != expect;
			}
		}
	}
	t_eq_u64("every day of ten thousand years", bad, 0);
}

static void check_bounds(const char *name, const char *time, enum evs_unit unit, const char *lo,
			 const char *hi)
{
	unsigned digits;
	uint32_t nano;
	int64_t sec, want_lo, want_hi, got_lo, got_hi;

	if (!evs_time_parse(time, strlen(time), &sec, &nano, &digits) ||
	    !evs_time_parse(lo, 10, &want_lo, &nano, &digits) ||
	    !evs_time_parse(hi, 10, &want_hi, &nano, &digits)) {
		t_check(name, false);
		return;
	}
	evs_partition_bounds(sec, unit, &got_lo, &got_hi);
	t_check(name, got_lo == want_lo && got_hi == want_hi);
}

static void test_partitions(void)
{
	int64_t lo, hi;

	check_bounds("a Monday", "2024-01-01T00:00:00Z", EVS_UNIT_WEEK, "2024-01-01", "2024-01-08");
	check_bounds("a Sunday", "2024-01-07T23:59:59Z", EVS_UNIT_WEEK, "2024-01-01", "2024-01-08");
	check_bounds("week over new year", "2025-01-01T12:00:00Z", EVS_UNIT_WEEK, "2024-12-30",
		     "2025-01-06");
	check_bounds("before 1970", "1969-12-31T23:59:59Z", EVS_UNIT_WEEK, "1969-12-29",
		     "1970-01-05");
	check_bounds("February", "2024-02-29T12:00:00Z", EVS_UNIT_MONTH, "2024-02-01",
		     "2024-03-01");
	check_bounds("December", "2024-12-31T23:59:59Z", EVS_UNIT_MONTH, "2024-12-01",
		     "2025-01-01");
	check_bounds("a day", "2024-12-31T23:59:59Z", EVS_UNIT_DAY, "2024-12-31", "2025-01-01");
	evs_partition_bounds(INT64_MIN, EVS_UNIT_WEEK, &lo, &hi);
	T_CHECK(lo < hi && hi - lo == 7 * 86400);
	evs_partition_bounds(INT64_MAX, EVS_UNIT_MONTH, &lo, &hi);
	T_CHECK(lo < hi && hi - lo <= 31 * 86400);
}

static struct evs_table *table(const char *ddl)
{
	struct evs_diag diag = { 0 };
	struct evs_table *t = NULL;

	if (evs_table_parse(&t, ddl, strlen(ddl), &diag) < 0)
		printf("        %u:%u %s\n", diag.line, diag.col, diag.what);
	return t;
}

static int64_t time_of_int(const char *ddl, uint64_t v)
{
	struct evs_table *t = table(ddl);
	struct evs_array a;
	int64_t got = EVS_TIME_NONE;

	if (!t)
		return -42;
	evs_type_array(&t->cols[t->time_column].type, &a);
	if (evs_array_append_int(&a, v) == 0)
		got = evs_row_time(t, &a, 0);
	evs_array_release(&a);
	evs_table_free(t);
	return got;
}

static int64_t time_of_text(const char *v)
{
	struct evs_table *t = table("CREATE TABLE x (ts String) ENGINE = MergeTree "
				    "PARTITION BY toMonday(parseDateTimeBestEffort(ts))");
	struct evs_array a;
	int64_t got = -42;

	if (!t)
		return got;
	evs_type_array(&t->cols[t->time_column].type, &a);
	if ((v ? evs_array_append_bytes(&a, v, strlen(v)) : evs_array_append_null(&a)) == 0)
		got = evs_row_time(t, &a, 0);
	evs_array_release(&a);
	evs_table_free(t);
	return got;
}

static void test_row_time(void)
{
	const int64_t second = 1000000000;

	T_CHECK(time_of_int("CREATE TABLE x (ts DateTime NOT NULL)", 5) == 5 * second);
	T_CHECK(time_of_int("CREATE TABLE x (ts DateTime64(3) NOT NULL)", 5) == 5000000);
	T_CHECK(time_of_int("CREATE TABLE x (ts DateTime64(9) NOT NULL)", 5) == 5);
	T_CHECK(time_of_int("CREATE TABLE x (ts Date NOT NULL)", 1) == 86400 * second);
	T_CHECK(time_of_int("CREATE TABLE x (ts DateTime NOT NULL)", 253402300799u) == INT64_MAX);
	T_CHECK(time_of_int("CREATE TABLE x (ts DateTime NOT NULL)", (uint64_t)-62167219200) ==
		EVS_TIME_NONE + 1);
	T_CHECK(time_of_int(
			"CREATE TABLE x (ts UInt64) ENGINE = MergeTree PARTITION BY toMonday(toDateTime(ts))",
			7) == 7 * second);
	T_CHECK(time_of_int(
			"CREATE TABLE x (ts UInt64) ENGINE = MergeTree PARTITION BY toMonday(toDateTime(ts))",
			UINT64_MAX) == INT64_MAX);
	T_CHECK(time_of_int("CREATE TABLE x (ts Int64) ENGINE = MergeTree "
			    "PARTITION BY toYYYYMM(fromUnixTimestamp64Milli(ts))",
			    7) == 7000000);
	T_CHECK(time_of_int(
			"CREATE TABLE x (ts Int64) ENGINE = MergeTree PARTITION BY toDate(toDateTime(ts / 1000000))",
			7) == 7000);
	T_CHECK(time_of_int("CREATE TABLE x (ts Int64) ENGINE = MergeTree "
			    "PARTITION BY toMonday(fromUnixTimestamp64Nano(ts))",
			    7) == 7);
	T_CHECK(time_of_text("1970-01-01T00:00:01.5Z") == 1500000000);
	T_CHECK(time_of_text("1969-12-31T23:59:59.5Z") == -500000000);
	T_CHECK(time_of_text("9999-12-31") == INT64_MAX);
	T_CHECK(time_of_text("never") == EVS_TIME_NONE);
	T_CHECK(time_of_text(NULL) == EVS_TIME_NONE);
}

int main(void)
{
	test_parse();
	test_print();
	test_calendar();
	test_partitions();
	test_row_time();
	return t_done();
}
