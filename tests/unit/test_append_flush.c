/*
 * When rows go to their segments, and how: what makes a flush due, tenants of every kind and of any
 * number, and the disk failing on the way. What is not acknowledged, and by how much an error ends
 * the work, is counted exactly. (Large rows: test_append_large.c.)
 */
#define _XOPEN_SOURCE 700
#include "src/store/io.h"
#include "src/store/store.h"
#include "tests/unit/append_store.h"
#include "tests/unit/fail.h"

/* ---- when ------------------------------------------------------------------------------------ */

static void test_due(void)
{
	const struct evs_append_opts bytes = { .flush_bytes = 100 }, rows = { .flush_rows = 3 };
	struct evs_append_stats stats;
	uint64_t early;

	/* Lines that are refused are bytes of input, too. */
	fresh("n Int64) ORDER BY n PARTITION BY toMonday(ts)");
	put("{\"ts\":\"2024-01-01T00:00:00Z\",\"n\":1}\n");
	put("no json, but long enough for another fifty bytes of input\n");
	put("no json, but long enough for another fifty bytes of input\n");
	check_whole("by bytes of refused lines", &bytes, 1, &early, &stats);
	T_CHECK(early == 1 && stats.rejected == 2);
	fresh("n Int64) ORDER BY n PARTITION BY toMonday(ts)");
	for (unsigned i = 0; i < 7; i++)
		put("{\"ts\":\"2024-01-08T00:00:00Z\",\"n\":%u}\n", i);
	check_whole("by rows", &rows, 7, &early, &stats);
	T_CHECK(early == 6);
}

/* Names of tenants are held until the flush, so very many of them make it due. */
static void test_many_names(void)
{
	struct evs_append_stats stats;
	uint64_t early;

	fresh("who String) PARTITION BY (who, toMonday(ts))");
	for (unsigned i = 0; i < 2400; i++) {
		put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"");
		put_noise(i, 4000);
		put("\"}\n");
	}
	check_whole("tenants with long names", NULL, 2400, &early, &stats);
	t_check("some of them before the end", early > 1000 && early < 2400);
}

/* Rows that do not fit in memory are set aside, to be written together; it is read again, or there
 * is an error. */
static void test_set_aside(void)
{
	struct evs_append_stats stats;
	struct evs_diag d = { 0 };
	uint64_t early;
	bool hit = true;

	for (unsigned i = 0; i < 4000; i++) {
		put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"t%u\",\"t\":\"", i % 12);
		put_noise(i, 4000);
		put("\"}\n");
	}
	for (long n = 1; hit; n += 3) {
		fresh("who String, t String) PARTITION BY (who, toMonday(ts))");
		stats.stored = 0;
		fail_begin("pread", n, EIO);
		T_CHECK(append(NULL, &stats, &early, &d) == (fail.hit ? EVS_S_SYS : 0) &&
			early == 0);
		hit = fail_end();
		T_CHECK(stats.stored == acked && (hit ? acked < 4000 : acked == 4000));
	}
	len = 0;
}

/* Small rows, which are counted with what they need besides. */
static void test_small_rows(void)
{
	struct evs_append_stats stats;
	uint64_t early;

	fresh("n UInt8) PARTITION BY toMonday(ts)");
	for (unsigned i = 0; i < 700000; i++)
		put("{\"ts\":\"2024-01-01T00:00:00Z\"}\n");
	check_whole("small rows", NULL, 700000, &early, &stats);
	t_check("of one segment: written on the way", early > 0);
}

/* ---- filters --------------------------------------------------------------------------------- */

static unsigned filters[128], nfilters;

static enum evs_want note_filters(void *arg, const struct evs_commit *c, uint32_t group)
{
	(void)arg;
	(void)group;
	for (nfilters = 0; nfilters < c->nfilters && nfilters < 128; nfilters++)
		filters[nfilters] = c->filters[nfilters].column;
	return EVS_WANTED;
}

/* A filter for each column of the key and with an INDEX, but for the time, the tenant and JSON; 64
 * of them at most. */
static void test_filters(void)
{
	static char columns[8192];
	struct evs_append_stats stats;
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	char path[160];
	uint64_t off, early;

	strcpy(columns,
	       "who String, j JSON, INDEX i1 j TYPE bloom_filter, INDEX i2 ts TYPE bloom_filter");
	for (unsigned i = 0; i < 70; i++)
		snprintf(columns + strlen(columns), 64, ", c%u UInt32", i);
	strcat(columns, ") ORDER BY (who, ts");
	for (unsigned i = 0; i < 70; i++)
		snprintf(columns + strlen(columns), 64, ", c%u", i);
	strcat(columns, ") PARTITION BY (who, toMonday(ts))");
	fresh(columns);
	for (unsigned i = 0; i < 600; i++) {
		put("{\"ts\":\"2024-01-01T00:00:%02u\",\"who\":\"t\",\"j\":{\"a\":%u}", i % 60, i);
		for (unsigned c = 0; c < 70; c++)
			put(",\"c%u\":%u", c, i);
		put("}\n");
	}
	check_whole("many columns in the key", NULL, 600, &early, &stats);
	snprintf(path, sizeof(path), "%s/t/2024-01-01.evs", stream);
	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
	evs_segment_want(s, note_filters, NULL);
	evs_segment_rewind(s, EVS_WALK_PRUNED, INT64_MIN, INT64_MAX);
	T_CHECK(evs_segment_next(s, &g, &off, NULL) == 1);
	evs_segment_close(s);
	t_eq_u64("filters", nfilters, 64);
	t_check("of the first of them", filters[0] == 3 && filters[63] == 66);
}

/* ---- tenants and segments -------------------------------------------------------------------- */

/* Of every type that may be one, while memory fails: the folder is named after the value, or there
 * is an error. */
static void test_tenant_types(void)
{
	static const struct {
		const char *type, *value, *folder;
	} cases[] = {
		{ "String", "\"a b\"", "a%20b" },
		{ "Enum8('one' = 1, 'two' = 2)", "\"two\"", "two" },
		{ "Int16", "-7", "-7" },
		{ "UInt64", "18446744073709551615", "18446744073709551615" },
		{ "Bool", "true", "true" },
		{ "UUID", "\"44bffbf3-5530-4378-94f3-0c85dc719159\"",
		  "44bffbf3-5530-4378-94f3-0c85dc719159" },
		{ "FixedString(3)", "\"abc\"", "abc" },
		{ "IPv4", "\"10.0.0.1\"", "10.0.0.1" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct evs_append_stats stats = { 0 };
		struct evs_diag d = { 0 };
		char columns[160], path[256];
		uint64_t early;
		int rc = -1;

		snprintf(columns, sizeof(columns), "who %s) PARTITION BY (who, toMonday(ts))",
			 cases[i].type);
		put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":%s}\n", cases[i].value);
		for (long n = 1; rc < 0; n++) {
			fresh(columns);
			snprintf(path, sizeof(path), "%s/%s/2024-01-01.evs", stream,
				 cases[i].folder);
			fail_begin("memory", n, ENOMEM);
			rc = append(NULL, &stats, &early, &d);
			if (fail_end() && rc == 0) { /* it could do without */
				T_CHECK(access(path, F_OK) == 0);
				rc = -1;
				continue;
			}
			t_check(cases[i].type, rc == 0 || (rc == EVS_S_NOMEM && acked == 0));
		}
		t_check(cases[i].folder, access(path, F_OK) == 0 && stats.stored == 1);
		len = 0;
	}
}

/* The folder of one segment cannot be synced, in a flush with so many that some are acknowledged on
 * the way: none is. */
static void test_folder_not_synced(void)
{
	struct evs_append_stats stats;
	struct evs_diag d = { 0 };
	uint64_t early;

	for (unsigned i = 0; i < 700; i++)
		put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"t%u\"}\n", i);
	for (long n = 1; n >= 0; n--) {
		fresh("who String) PARTITION BY (who, toMonday(ts))");
		fail_begin("fsync", n, EIO);
		T_CHECK(append(NULL, &stats, &early, &d) == (n ? EVS_S_SYS : 0));
		T_CHECK(fail_end() == (n > 0));
		T_CHECK(acked == (n ? 0 : 700) && stats.stored == acked);
	}
	len = 0;
}

/* A segment that another writer holds costs its own rows, and no others. */
static void test_locked(void)
{
	const struct evs_append_opts hasty = { .no_wait = true };
	struct evs_append_stats stats;
	struct evs_diag d = { 0 };
	char path[160];
	uint64_t early;
	int fd = -1;

	fresh("who String) PARTITION BY (who, toMonday(ts))");
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 30; i++)
			put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"t%u\"}\n", i % 3);
		if (round) {
			snprintf(path, sizeof(path), "%s/t1/2024-01-01.evs", stream);
			T_CHECK(evs_io_open_write(&fd, path, false, NULL) == 0 &&
				evs_io_lock(fd, NULL, path, NULL) == 0);
		}
		T_CHECK(append(&hasty, &stats, &early, &d) == (round ? EVS_S_LOCKED : 0));
		T_CHECK(stats.stored == acked && acked == (round ? 20 : 30));
		len = 0;
	}
	evs_io_close(fd);
}

/* All are held by another writer, so that both threads of a flush meet one; how they share them is
 * up to the machine. */
static void test_all_locked(void)
{
	enum { TENANTS = 100 };
	const struct evs_append_opts hasty = { .no_wait = true };
	struct evs_append_stats stats;
	struct evs_diag d = { 0 };
	int fd[TENANTS];
	char path[160];
	uint64_t early;

	fresh("who String) PARTITION BY (who, toMonday(ts))");
	for (unsigned i = 0; i < TENANTS; i++)
		put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"t%u\"}\n", i);
	T_CHECK(append(&hasty, &stats, &early, &d) == 0 && acked == TENANTS);
	for (unsigned i = 0; i < TENANTS; i++) {
		snprintf(path, sizeof(path), "%s/t%u/2024-01-01.evs", stream, i);
		T_CHECK(evs_io_open_write(&fd[i], path, false, NULL) == 0 &&
			evs_io_lock(fd[i], NULL, path, NULL) == 0);
	}
	for (unsigned round = 0; round < 20; round++)
		T_CHECK(append(&hasty, &stats, &early, &d) == EVS_S_LOCKED && acked == 0);
	for (unsigned i = 0; i < TENANTS; i++)
		evs_io_close(fd[i]);
	len = 0;
}

/* One row more, by a writer that stays open; how often it has synced. */
static uint64_t one_more(struct evs_appender *a)
{
	static const char row[] = "{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"t\"}\n";
	struct evs_append_stats stats;
	struct evs_diag d = { 0 };

	T_CHECK(evs_append_feed(a, row, sizeof(row) - 1, &d) == 0 &&
		evs_append_flush(a, false, &d) == 0);
	evs_append_stats(a, &stats);
	return stats.syncs;
}

/* Where another writer has appended meanwhile, what it wrote is synced before anything stands
 * behind it. */
static void test_another_between(void)
{
	const struct evs_append_opts opts = { .now = 1709294400000000000 };
	struct evs_appender *a = NULL, *b = NULL;
	struct evs_diag d = { 0 };
	uint64_t first, own, after;

	fresh("who String) PARTITION BY (who, toMonday(ts))");
	T_CHECK(evs_append_open(&a, stream, &opts, &d) == 0 &&
		evs_append_open(&b, stream, &opts, &d) == 0);
	first = one_more(a);
	own = one_more(a) - first;
	(void)one_more(b);
	after = one_more(a) - own - first;
	t_eq_u64("one sync more", after, own + 1);
	t_eq_u64("and none more behind that", one_more(a) - after - own - first, own);
	evs_append_close(a);
	evs_append_close(b);
}

static bool expired;

/* Another process takes the tenant's only segment, and the folder, as soon as they are there. */
static void tenant_expires(void)
{
	char path[160], folder[128];

	snprintf(folder, sizeof(folder), "%s/t", stream);
	snprintf(path, sizeof(path), "%s/2024-01-01.evs", folder);
	expired = unlink(path) == 0 && rmdir(folder) == 0;
}

/* A folder that expired before it could be synced is no error: so have the rows. */
static void test_expired_meanwhile(void)
{
	struct evs_append_stats stats;
	struct evs_diag d = { 0 };
	uint64_t early;
	unsigned times = 0;
	bool hit = true;

	put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"t\"}\n");
	for (long n = 1; hit; n++) {
		fresh("who String) PARTITION BY (who, toMonday(ts))");
		expired = false;
		fail_begin("open", n, 0);
		fail.meanwhile = tenant_expires;
		T_CHECK(append(NULL, &stats, &early, &d) == 0 && acked == 1);
		hit = fail_end();
		times += expired;
	}
	T_CHECK(times > 0);
	len = 0;
}

/* With `strict` what stands behind the first bad row is not stored, nor is a folder made for it. */
static void test_strict(void)
{
	const struct evs_append_opts strict = { .strict = true };
	struct evs_append_stats stats;
	struct evs_diag d = { 0 };
	char path[160];
	uint64_t early;

	fresh("who String, n Int64, CHECK (n > 0)) PARTITION BY (who, toMonday(ts))");
	put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"first\",\"n\":1}\n");
	put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"first\",\"n\":0}\n");
	put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"later\",\"n\":1}\n");
	T_CHECK(append(&strict, &stats, &early, &d) == EVS_S_STOP && stats.stored == 1);
	snprintf(path, sizeof(path), "%s/first", stream);
	T_CHECK(access(path, F_OK) == 0);
	snprintf(path, sizeof(path), "%s/later", stream);
	T_CHECK(access(path, F_OK) != 0);
	len = 0;
	/* ... nor is the rest of what was given looked at. */
	put("no json\n");
	for (unsigned i = 0; i < 30000; i++)
		put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"later\",\"n\":1}\n");
	T_CHECK(len > 1 << 20 && append(&strict, &stats, &early, &d) == EVS_S_STOP);
	T_CHECK(stats.in == 1 && stats.stored == 0);
	len = 0;
}

/* A path for which there is room, and for that of a tenant with a long name there is none. */
static void test_long_paths(void)
{
	static char path[EVS_PATH_MAX], name[201];
	const char *own = strcpy(name, stream);
	struct evs_append_stats stats;
	struct evs_diag d = { 0 };
	char keep[96];
	uint64_t early;

	fresh("who String) PARTITION BY (who, toMonday(ts))");
	strcpy(keep, own);
	snprintf(path, sizeof(path), "%s", dir);
	while (strlen(path) + 103 < EVS_PATH_MAX)
		strcat(path, "/.");
	strcat(path, "/ev");
	put("{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"");
	for (unsigned i = 0; i < 200; i++)
		put("x");
	put("\"}\n");
	{
		struct evs_appender *a = NULL;
		const struct evs_append_opts opts = { .on_ack = on_ack };

		acked = 0;
		T_CHECK(evs_append_open(&a, path, &opts, &d) == 0);
		T_CHECK(evs_append_feed(a, text, len, &d) == 0);
		T_CHECK(evs_append_flush(a, true, &d) < 0 && strstr(d.what, "longer than"));
		T_CHECK(acked == 0);
		evs_append_close(a);
	}
	check_whole("the same by a short path", NULL, 1, &early, &stats);
}

/* Whether a segment ends as this run left it is told by its device, too. */
static void test_own(void)
{
	const struct evs_append_opts each = { .flush_rows = 1 };
	struct evs_append_stats stats;
	struct evs_diag d = { 0 };
	uint64_t early, least = UINT64_MAX, most = 0;
	bool hit = true;

	for (unsigned i = 0; i < 3; i++)
		put("{\"ts\":\"2024-01-01T00:00:00Z\",\"n\":%u}\n", i);
	for (long n = 1; hit; n++) {
		fresh("n Int64) PARTITION BY toMonday(ts)");
		fail_begin("any stat", n, 0);
		fail.action = FAIL_MOVED;
		fail.on = true;
		T_CHECK(append(&each, &stats, &early, &d) == 0);
		hit = fail_end();
		T_CHECK(stats.stored == 3 && early == 3);
		least = stats.syncs < least ? stats.syncs : least;
		most = stats.syncs > most ? stats.syncs : most;
	}
	t_check("on another device since the commit before: synced once more", most == least + 1);
	len = 0;
}

/* ---- views ----------------------------------------------------------------------------------- */

/* What a view makes of the rows is stored beside them, or there is an error. */
static void test_views(void)
{
	struct evs_append_stats stats = { 0 };
	struct evs_diag d = { 0 };
	uint64_t early;
	int rc = -1;

	for (unsigned i = 0; i < 100; i++)
		put("{\"ts\":\"2024-01-01T00:00:00Z\",\"n\":%u}\n", i % 3);
	for (long n = 1; rc < 0; n++) {
		fresh("n Int64) PARTITION BY toMonday(ts);\n"
		      "CREATE MATERIALIZED VIEW v AS SELECT n, count() AS c, sum(n) AS s FROM ev GROUP BY n");
		fail_begin("memory", n, ENOMEM);
		rc = append(NULL, &stats, &early, &d);
		T_CHECK(rc == 0 || (rc == EVS_S_NOMEM && acked == 0));
		if (fail_end())
			rc = -1;
	}
	T_CHECK(stats.stored == 100);
	len = 0;
}

int main(void)
{
	begin();
	test_due();
	test_many_names();
	test_set_aside();
	test_small_rows();
	test_filters();
	test_tenant_types();
	test_folder_not_synced();
	test_locked();
	test_all_locked();
	test_another_between();
	test_expired_meanwhile();
	test_strict();
	test_long_paths();
	test_own();
	test_views();
	return end();
}
