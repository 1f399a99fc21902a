/*
 * Rows that are large, by themselves or by their number, or have very many columns: they are
 * written together, in groups that are not too large, or by themselves; and the disk is full.
 */
#define _XOPEN_SOURCE 700
#include "tests/unit/append_store.h"
#include "tests/unit/fail.h"

/* A row so large that nothing is collected with it: written at once when it stands for its segment,
 * else set aside. */
static void test_large_row(void)
{
	struct evs_append_stats stats;
	uint64_t early;

	for (unsigned others = 0; others < 20; others += 10) {
		fresh("who String, t String) PARTITION BY (who, toMonday(ts))");
		for (unsigned i = 0; i < others; i++)
			put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"t%u\"}\n", i);
		put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"large\",\"t\":\"");
		for (unsigned i = 0; i < 1000; i++)
			put_noise(i, 4000);
		put("\"}\n");
		check_whole("a large row", NULL, others + 1, &early, &stats);
		t_eq_u64("written on the way", early, others ? 0 : 1);
	}
}

/* Columns of fixed width, which would take much room for 4,096 rows. */
static void test_wide_columns(void)
{
	struct evs_append_stats stats;
	uint64_t early;

	fresh("a FixedString(60000), b FixedString(60000)) PARTITION BY toMonday(ts)");
	for (unsigned i = 0; i < 60; i++)
		put("{\"ts\":\"2024-01-01T00:00:00Z\",\"a\":\"%u\"}\n", i);
	check_whole("wide columns", NULL, 60, &early, &stats);
}

/* Two columns with a large value each, in different rows: they fit in a group, though their longest
 * would not in a row. */
static void test_large_columns(void)
{
	struct evs_append_stats stats;
	uint64_t early;

	for (unsigned order = 0; order < 2; order++) {
		fresh(order ? "n Int8, a String, b String) ORDER BY n PARTITION BY toMonday(ts)"
			    : "n Int8, a String, b String) PARTITION BY toMonday(ts)");
		for (unsigned i = 0; i < 2; i++) {
			put("{\"ts\":\"2024-01-01T00:00:00Z\",\"n\":%u,\"%c\":\"", 2 - i,
			    'a' + (int)i);
			for (unsigned k = 0; k < 500; k++)
				put_noise(500 * i + k, 4000);
			put("\"}\n");
		}
		check_whole("two large columns", NULL, 2, &early, &stats);
	}
}

/* Rows of very different sizes in a segment: the large ones have groups of their own, or share one
 * with few. */
static void test_uneven_rows(void)
{
	static const unsigned kib[][4] = { { 0, 2500, 2500, 2500 },
					   { 2500, 0, 0, 3072 },
					   { 3060, 3200, 0, 0 },
					   { 3000, 4800, 0, 0 },
					   { 6500, 0, 0, 0 } };
	struct evs_append_stats stats;
	uint64_t early;

	for (size_t k = 0; k < sizeof(kib) / sizeof(kib[0]); k++)
		for (unsigned order = 0; order < 2; order++) {
			unsigned rows = k < 2 ? 400 : k < 4 ? 2 : 1;

			fresh(order ? "n Int64, t String) ORDER BY n PARTITION BY toMonday(ts)"
				    : "n Int64, t String) PARTITION BY toMonday(ts)");
			for (unsigned i = 0; i < rows; i++) {
				unsigned at = k >= 2 ? i : i % 100 ? 4 : i / 100;

				put("{\"ts\":\"2024-01-01T00:00:00Z\",\"n\":%u,\"t\":\"",
				    i * 7919 % 1000);
				for (unsigned j = 0; at < 4 && j < kib[k][at]; j++)
					put_noise(i + j, 1024);
				put("\"}\n");
			}
			check_whole("uneven rows", NULL, rows, &early, &stats);
		}
}

/* Three large rows among the first of many: more together than a group takes, though all that
 * follow them are small. The large column is the last one, or the first. */
static void test_large_side_by_side(void)
{
	static const char *const tables[] = {
		"CREATE TABLE ev (ts DateTime NOT NULL, n Int64, t String) ORDER BY n "
		"PARTITION BY toMonday(ts);\n",
		"CREATE TABLE ev (t String, n Int64, ts DateTime NOT NULL) ORDER BY n "
		"PARTITION BY toMonday(ts);\n",
	};
	struct evs_append_stats stats;
	uint64_t early;

	for (unsigned k = 0; k < 2; k++) {
		fresh_table(tables[k]);
		for (unsigned i = 600; i > 0; i--) {
			put("{\"ts\":\"2024-01-01T00:00:00Z\",\"n\":%u,\"t\":\"", i);
			for (unsigned j = 0; i < 30 && i % 10 == 5 && j < 2600; j++)
				put_noise(i + j, 1024);
			put("\"}\n");
		}
		check_whole("large rows side by side", NULL, 600, &early, &stats);
		t_eq_u64("groups", groups, 3);
	}
}

/* Rows are set aside, and then comes one so large that it would have been alone, and is refused. */
static void test_large_and_refused(void)
{
	struct evs_append_stats stats;
	uint64_t early;

	fresh("who String, t String, CHECK (length(t) < 1000000)) PARTITION BY (who, toMonday(ts))");
	for (unsigned i = 0; i < 2400;
	     i++) { /* with the large one they are too much for memory, without it not */
		put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"t%u\",\"t\":\"", i % 12);
		put_noise(i, 4000);
		put("\"}\n");
	}
	put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"t1\",\"t\":\"");
	for (unsigned i = 0; i < 1000; i++)
		put_noise(i, 4000);
	put("\"}\n");
	check_whole("a large row that is refused", NULL, 2400, &early, &stats);
	T_CHECK(stats.rejected == 1 && early == 0);
}

/* A segment in several groups: the disk is full in the middle of them. */
static void test_several_groups(void)
{
	struct evs_append_stats stats;
	struct evs_diag d = { 0 };
	unsigned damages;
	uint64_t early;

	fresh("n Int64, t String) ORDER BY n PARTITION BY toMonday(ts)");
	for (unsigned i = 0; i < 2500; i++) { /* not in order, so that they are copied */
		put("{\"ts\":\"2024-01-01T00:00:00Z\",\"n\":%u,\"t\":\"", i * 7919 % 2500);
		put_noise(i, 4000);
		put("\"}\n");
	}
	for (long n = 1; n >= 0; n--) {
		fail_begin("pwrite", n, ENOSPC);
		T_CHECK(append(NULL, &stats, &early, &d) == (n ? EVS_S_SYS : 0));
		T_CHECK(fail_end() == (n > 0) && stats.stored == (n ? 0 : 2500));
		T_CHECK(rows_there(&damages) == (n ? 0 : 2500) && !damages);
	}
	len = 0;
}

/* What cannot be written is a group of more than 4 MiB: its memory is not kept for the next
 * segment. */
static void test_large_and_full(void)
{
	struct evs_append_stats stats;
	struct evs_diag d = { 0 };
	unsigned damages;
	uint64_t early;

	fresh("t String) PARTITION BY toMonday(ts)");
	put("{\"ts\":\"2024-01-01T00:00:00Z\",\"t\":\"");
	for (unsigned i = 0; i < 1980; i++)
		put_noise(i, 4000);
	put("\"}\n");
	for (long n = 1; n >= 0; n--) {
		fail_begin("pwrite", n, ENOSPC);
		T_CHECK(append(NULL, &stats, &early, &d) == (n ? EVS_S_SYS : 0));
		T_CHECK(fail_end() == (n > 0) && rows_there(&damages) == (n ? 0 : 1) && !damages);
	}
	len = 0;
}

int main(void)
{
	begin();
	test_large_row();
	test_large_columns();
	test_wide_columns();
	test_several_groups();
	test_large_and_full();
	test_uneven_rows();
	test_large_side_by_side();
	test_large_and_refused();
	return end();
}
