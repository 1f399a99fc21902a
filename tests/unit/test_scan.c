/*
 * A scan and what others do to the store meanwhile: segments and folders that expire while they are
 * listed or read, and segments that come after the list was made.
 */
#define _XOPEN_SOURCE 700
#include "evseg.h"
#include "tests/unit/t.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64], stream[80];
static unsigned damaged;

static const char *const weeks[] = { "2025-01-06", "2025-01-13", "2025-01-20", "2025-01-27" };

#define WEEKS (sizeof(weeks) / sizeof(weeks[0]))

static const char ddl[] = "CREATE TABLE e (ts DateTime, who String, n Int64) ENGINE = MergeTree "
			  "PARTITION BY (who, toMonday(ts)) ORDER BY n;\n";

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static char *segment(unsigned week)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/t%u/%s.evs", stream, week % 2, weeks[week]);
	return path;
}

/* A row in each of four segments: two tenants with two weeks each. */
static void fill(void)
{
	struct evs_appender *a = NULL;
	char line[128];

	(void)nftw(stream, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	T_CHECK(evs_store_apply(dir, ddl, sizeof(ddl) - 1, NULL, NULL, NULL, NULL, NULL) == 0);
	T_CHECK(evs_append_open(&a, stream, NULL, NULL) == 0);
	for (unsigned i = 0; i < WEEKS; i++) {
		int n = snprintf(line, sizeof(line),
				 "{\"ts\":\"%sT00:00:00Z\",\"who\":\"t%u\",\"n\":%u}\n", weeks[i],
				 i % 2, i);

		T_CHECK(evs_append_feed(a, line, (size_t)n, NULL) == 0);
	}
	T_CHECK(evs_append_flush(a, true, NULL) == 0);
	evs_append_close(a);
}

static void on_damage(void *arg, const struct evs_damage *d)
{
	(void)arg;
	(void)d;
	damaged++;
}

static struct evs_scan *open_scan(const char *const *paths, size_t n)
{
	const struct evs_scan_opts opts = { .on_damage = on_damage };
	struct evs_scan *s = NULL;

	damaged = 0;
	T_CHECK(evs_scan_open(&s, paths, n, &opts, NULL) == 0);
	return s;
}

/* How many rows come until the end; -1 for an error. */
static int count(struct evs_scan *s)
{
	struct evs_batch *b;
	int rows = 0, rc;

	while ((rc = evs_scan_next(s, &b, NULL)) == 1)
		rows += (int)evs_batch_rows(b);
	evs_scan_close(s);
	return rc < 0 ? -1 : rows;
}

static void test_expired_when_its_turn_comes(void)
{
	const char *paths[] = { stream };
	struct evs_scan *s;

	fill();
	s = open_scan(paths, 1);
	T_CHECK(unlink(segment(2)) == 0);
	t_eq_u64("the other three", (uint64_t)count(s), 3);
	t_eq_u64("no damage", damaged, 0);

	fill();
	s = open_scan(paths, 1);
	for (unsigned i = 0; i < WEEKS; i++)
		T_CHECK(unlink(segment(i)) == 0);
	(void)nftw(stream, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	t_eq_u64("all expired: nothing, and no error", (uint64_t)count(s), 0);
	t_eq_u64("no damage", damaged, 0);
}

static void test_expired_while_it_is_read(void)
{
	const char *paths[] = { stream };
	struct evs_scan *s;
	struct evs_batch *b;

	fill();
	s = open_scan(paths, 1);
	T_CHECK(evs_scan_next(s, &b, NULL) == 1);
	for (unsigned i = 0; i < WEEKS; i++)
		T_CHECK(unlink(segment(i)) == 0);
	t_eq_u64("its rows came", evs_batch_rows(b), 1);
	t_eq_u64("the others are gone", (uint64_t)count(s), 0);
	t_eq_u64("no damage", damaged, 0);
}

/* Named one by one there is no folder that tells the schema: the newest that is left does. */
static void test_named_segments(void)
{
	char first[128], last[128];
	const char *paths[] = { first, last };
	struct evs_scan *s;

	fill();
	(void)snprintf(first, sizeof(first), "%s", segment(0));
	(void)snprintf(last, sizeof(last), "%s", segment(3));
	s = open_scan(paths, 2);
	T_CHECK(unlink(last) == 0);
	t_eq_u64("the one that is left", (uint64_t)count(s), 1);
	t_eq_u64("no damage", damaged, 0);
}

/* What is there and cannot be read is no expiry. */
static void test_not_a_segment(void)
{
	const char *paths[] = { stream };
	struct evs_scan *s;
	FILE *f;

	fill();
	s = open_scan(paths, 1);
	f = fopen(segment(1), "w");
	T_CHECK(f && fclose(f) == 0);
	t_eq_u64("the other three", (uint64_t)count(s), 3);
	t_eq_u64("damage", damaged, 1);
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(dir, sizeof(dir), "%.40s/evseg-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return 1;
	(void)snprintf(stream, sizeof(stream), "%s/e", dir);
	test_expired_when_its_turn_comes();
	test_expired_while_it_is_read();
	test_named_segments();
	test_not_a_segment();
	(void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return t_done();
}
