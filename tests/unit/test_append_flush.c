/*
 * When rows go to their segments, and how: what makes a flush due, tenants of every kind and of any
 * number, rows that are large or have very many columns, and the disk failing on the way. What is
 * not acknowledged, and by how much an error ends the work, is counted exactly.
 */
#define _XOPEN_SOURCE 700
#include "evseg.h"
#include "src/store/io.h"
#include "src/store/store.h"
#include "tests/unit/fail.h"
#include "tests/unit/t.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64], stream[96];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

/* A new store with the stream "ev". */
static void fresh_table(const char *ddl)
{
	struct evs_diag d = { 0 };

	(void)nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	if (evs_store_apply(dir, ddl, strlen(ddl), NULL, NULL, NULL, NULL, &d) < 0) {
		printf("        %s\n", d.what);
		abort();
	}
}

/* ... of a time and these columns. */
static void fresh(const char *columns)
{
	static char ddl[16384];

	snprintf(ddl, sizeof(ddl), "CREATE TABLE ev (ts DateTime NOT NULL, %s;\n", columns);
	fresh_table(ddl);
}

/* ---- text ------------------------------------------------------------------------------------ */

static char *text;
static size_t len, cap;

static void put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void put(const char *fmt, ...)
{
	va_list ap;
	int n;

	if (cap - len < 8192) {
		cap = cap * 2 + (1 << 20);
		text = realloc(text, cap);
		if (!text)
			abort();
	}
	va_start(ap, fmt);
	n = vsnprintf(text + len, cap - len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= cap - len)
		abort();
	len += (size_t)n;
}

/* `n` letters that do not compress. */
static void put_noise(uint64_t seed, unsigned n)
{
	static char noise[8000];

	for (unsigned i = 0; i < n; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		noise[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[seed >> 59];
	}
	put("%.*s", (int)n, noise);
}

/* ---- appending ------------------------------------------------------------------------------- */

static uint64_t acked;

static void on_ack(void *arg, const struct evs_ack *ack)
{
	(void)arg;
	acked += ack->rows;
}

/* Feed `text`, and how much of it was acknowledged before the end of the input. */
static int append(const struct evs_append_opts *how, struct evs_append_stats *stats,
		  uint64_t *early, struct evs_diag *d)
{
	struct evs_append_opts opts = how ? *how : (struct evs_append_opts){ 0 };
	struct evs_appender *a = NULL;
	int rc;

	opts.on_ack = on_ack;
	opts.now = 1709294400000000000;
	acked = 0;
	rc = evs_append_open(&a, stream, &opts, d);
	if (rc == 0)
		rc = evs_append_feed(a, text, len, d);
	*early = acked;
	if (rc == 0)
		rc = evs_append_flush(a, true, d);
	if (a)
		evs_append_stats(a, stats);
	evs_append_close(a);
	return rc;
}

static unsigned groups; /* that came, when rows were counted last */
static int rows_there(unsigned *damages);

/* All of the text is stored, and comes back. */
static void check_whole(const char *name, const struct evs_append_opts *how, uint64_t rows,
			uint64_t *early, struct evs_append_stats *stats)
{
	struct evs_diag d = { 0 };
	unsigned damages;

	t_check(name, append(how, stats, early, &d) == 0);
	t_check(name, stats->stored == rows && acked == rows);
	t_check(name, rows_there(&damages) == (int)rows && !damages);
	len = 0;
}

static void on_damage(void *arg, const struct evs_damage *d)
{
	(void)d;
	++*(unsigned *)arg;
}

static int rows_there(unsigned *damages)
{
	const char *const paths[] = { stream };
	const struct evs_scan_opts opts = { .on_damage = on_damage, .arg = damages };
	struct evs_scan *s = NULL;
	struct evs_batch *b;
	struct evs_diag d;
	int rows = 0, rc;

	*damages = 0;
	groups = 0;
	rc = evs_scan_open(&s, paths, 1, &opts, &d);
	while (rc == 0 && (rc = evs_scan_next(s, &b, &d)) == 1) {
		rows += (int)evs_batch_rows(b);
		groups++;
		rc = 0;
	}
	evs_scan_close(s);
	return rc < 0 ? rc : rows;
}

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

/* ---- large ----------------------------------------------------------------------------------- */

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
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(dir, sizeof(dir), "%s/evseg-flush-XXXXXX", base);
	if (!mkdtemp(dir))
		abort();
	snprintf(stream, sizeof(stream), "%s/ev", dir);
	test_due();
	test_many_names();
	test_set_aside();
	test_small_rows();
	test_large_row();
	test_large_columns();
	test_wide_columns();
	test_several_groups();
	test_large_and_full();
	test_uneven_rows();
	test_large_side_by_side();
	test_large_and_refused();
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
	free(text);
	(void)nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	return t_done();
}
