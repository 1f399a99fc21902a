/* Ages, and when a partition is past its time (src/schema/age.c, src/upkeep/expire_keep.c). */
#include "tests/unit/t.h"

#include "src/upkeep/expire.h"

#define DAY    ((int64_t)86400)
#define SECOND ((int64_t)1000000000)

static const struct {
	const char *text;
	bool ok;
	int64_t months, seconds;
} ages[] = {
	{ "90d", true, 0, 90 * DAY },	{ "24h", true, 0, DAY },
	{ "15m", true, 0, 900 },	{ "15min", true, 0, 900 },
	{ "30s", true, 0, 30 },		{ "30sec", true, 0, 30 },
	{ "2w", true, 0, 14 * DAY },	{ "12mo", true, 12, 0 },
	{ "10000y", true, 120000, 0 },	{ "10001y", false, 0, 0 },
	{ "120001mo", false, 0, 0 },	{ "3652425d", true, 0, 3652425 * DAY },
	{ "3652426d", false, 0, 0 },	{ "999999999s", true, 0, 999999999 },
	{ "1000000000s", false, 0, 0 }, { "", false, 0, 0 },
	{ "d", false, 0, 0 },		{ "-1d", false, 0, 0 },
	{ "1.5d", false, 0, 0 },	{ "1 d", false, 0, 0 },
	{ "1days", false, 0, 0 },
};

static void test_ages(void)
{
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		struct evs_age a = { 0 };
		bool ok = evs_age_parse(ages[i].text, &a);

		t_check(ages[i].text, ok == ages[i].ok && (!ok || (a.months == ages[i].months &&
								   a.seconds == ages[i].seconds)));
	}
}

static void test_months(void)
{
	int64_t leap = evs_days_from_civil(2024, 2, 29);

	T_CHECK(evs_days_add_months(leap, 12) == evs_days_from_civil(2025, 2, 28));
	T_CHECK(evs_days_add_months(leap, -1) == evs_days_from_civil(2024, 1, 29));
	T_CHECK(evs_days_add_months(evs_days_from_civil(2024, 12, 31), 2) ==
		evs_days_from_civil(2025, 2, 28));
	T_CHECK(evs_days_add_months(evs_days_from_civil(2024, 3, 31), -4) ==
		evs_days_from_civil(2023, 11, 30));
	T_CHECK(evs_days_add_months(evs_days_from_civil(1, 1, 15), -13) ==
		evs_days_from_civil(-1, 12, 15));
}

/* When a row of the last second of a day may go, its second of the day kept. */
static int64_t row_goes(int64_t day, const struct evs_age *age)
{
	return evs_days_add_months(day, age->months) * DAY + DAY - 1 + age->seconds;
}

/*
 * Against each row by itself, over five years of partitions of every unit: none goes before the
 * last of its rows may, and all go a second after that.
 */
static void test_never_early(void)
{
	static const enum evs_unit units[] = { EVS_UNIT_DAY, EVS_UNIT_WEEK, EVS_UNIT_MONTH };
	int64_t from = evs_days_from_civil(2023, 1, 1), to = evs_days_from_civil(2028, 1, 1);
	unsigned early = 0, late = 0;

	for (int64_t months = 0; months <= 25; months++)
		for (unsigned u = 0; u < 3; u++)
			for (int64_t day = from; day < to; day++) {
				struct evs_rule r = { .kind = EVS_RULE_AGE,
						      .age = { months, months % 3 * 4711 + 1 } };
				int64_t lo, hi, last = 0;

				evs_partition_bounds(day * DAY, units[u], &lo, &hi);
				for (int64_t d = lo / DAY; d < hi / DAY; d++)
					if (row_goes(d, &r.age) > last)
						last = row_goes(d, &r.age);
				early += evs_rule_past(&r, hi, (last + 1) * SECOND - 1);
				late += !evs_rule_past(&r, hi, (last + 1) * SECOND);
			}
	t_eq_u64("partitions that go too early", early, 0);
	t_eq_u64("partitions that go late", late, 0);
}

static void test_before(void)
{
	struct evs_rule r = { .kind = EVS_RULE_BEFORE, .before = 7 * DAY * SECOND };

	T_CHECK(evs_rule_past(&r, 7 * DAY, 0));
	T_CHECK(!evs_rule_past(&r, 7 * DAY + 1, 0));
	r.before -= 1;
	T_CHECK(!evs_rule_past(&r, 7 * DAY, 0));
	r.before = -1;
	T_CHECK(!evs_rule_past(&r, 0, 0));
	T_CHECK(evs_rule_past(&r, -1, 0));
	r.kind = EVS_RULE_NONE;
	T_CHECK(!evs_rule_past(&r, -1, INT64_MAX));
	r.kind = EVS_RULE_FOREVER;
	T_CHECK(!evs_rule_past(&r, -1, INT64_MAX));
}

int main(void)
{
	test_ages();
	test_months();
	test_never_early();
	test_before();
	return t_done();
}
