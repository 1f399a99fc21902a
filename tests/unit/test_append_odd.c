/*
 * The appender's edges: options and folders it refuses, names it finds out, and calls in every
 * order.
 */
#define _XOPEN_SOURCE 700
#include "evseg.h"
#include "tests/unit/fail.h"
#include "tests/unit/t.h"

#include <ftw.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char dir[64], stream[96];
static const char ddl[] = "CREATE TABLE ev (ts DateTime NOT NULL, n Int64)"
			  " ORDER BY n PARTITION BY toMonday(ts);\n";
static const char row[] = "{\"ts\":\"2024-01-01T00:00:00Z\",\"n\":1}\n";

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void fresh(void)
{
	struct evs_diag diag;

	(void)nftw(dir, remove_one, 8, FTW_PHYS | FTW_DEPTH);
	if (evs_store_apply(dir, ddl, sizeof(ddl) - 1, NULL, NULL, NULL, NULL, &diag) < 0)
		abort();
}

/* Without EVS_CONFIG=coverage a sample. */
static long stride(long n)
{
	const char *config = getenv("EVS_CONFIG");

	return !config || !strcmp(config, "coverage") || n < 8 ? 1 : n / 8;
}

/* Longer than a millisecond. */
static void rest(void)
{
	(void)nanosleep(&(struct timespec){ .tv_nsec = 3000000 }, NULL);
}

static int open_close(const char *path, const struct evs_append_opts *opts)
{
	struct evs_appender *a = NULL;
	struct evs_diag diag = { 0 };
	int rc = evs_append_open(&a, path, opts, &diag);

	if (rc < 0)
		T_CHECK(!a && diag.what[0]);
	evs_append_close(a);
	return rc;
}

static void test_options(void)
{
	static char name[1026];
	struct evs_append_opts opts = { .source = "" };

	fresh();
	T_CHECK(open_close(stream, NULL) == 0);
	T_CHECK(open_close(stream, &opts) == EVS_S_USAGE);
	memset(name, 's', sizeof(name) - 1);
	opts.source = name;
	T_CHECK(open_close(stream, &opts) == EVS_S_USAGE);
	name[1024] = '\0';
	T_CHECK(open_close(stream, &opts) == 0);
	opts = (struct evs_append_opts){ .zstd_level = -1 };
	T_CHECK(open_close(stream, &opts) == EVS_S_USAGE);
	opts.zstd_level = 20;
	T_CHECK(open_close(stream, &opts) == EVS_S_USAGE);
	opts.zstd_level = 19;
	T_CHECK(open_close(stream, &opts) == 0);
}

static void test_folders(void)
{
	char path[1200];

	fresh();
	T_CHECK(open_close(dir, NULL) == EVS_S_USAGE); /* a store with streams */
	snprintf(path, sizeof(path), "%s/schema.sql", stream);
	T_CHECK(open_close(path, NULL) < 0); /* a file */
	snprintf(path, sizeof(path), "%s//", stream);
	T_CHECK(open_close(path, NULL) == 0);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	T_CHECK(open_close(path, NULL) < 0);

	/* The name behind "." and ".." is the folder's. */
	T_CHECK(chdir(stream) == 0 && open_close(".", NULL) == 0);
	T_CHECK(mkdir("_", 0777) == 0 && chdir("_") == 0 && open_close("..", NULL) == 0);
	for (long n = 1;; n++) {
		int rc;

		fail_begin("memory", n, ENOMEM);
		rc = open_close("..", NULL);
		if (!fail_end())
			break;
		T_CHECK(rc < 0);
	}
	/* The root's name is "/", by whatever way, and it is no place for a stream of that name. */
	T_CHECK(chdir("/") == 0 && open_close("/", NULL) == open_close(".", NULL));
	/* A stream's folder in a folder that is no stream: neither store nor stream. */
	snprintf(path, sizeof(path), "%s/plain", dir);
	T_CHECK(mkdir(path, 0777) == 0 && open_close(path, NULL) == 0);
}

/* What an error ended stays ended. */
static void test_after_failure(void)
{
	struct evs_append_opts opts = { .strict = true };
	struct evs_append_stats stats;
	struct evs_appender *a = NULL;
	struct evs_diag d = { 0 };
	int wait_ms = 0;

	fresh();
	T_CHECK(evs_append_open(&a, stream, &opts, &d) == 0);
	T_CHECK(evs_append_feed(a, row, sizeof(row) - 1, &d) == 0);
	T_CHECK(evs_append_feed(a, "no json\n", 8, &d) == EVS_S_STOP ||
		evs_append_flush(a, false, &d) == EVS_S_STOP);
	T_CHECK(evs_append_feed(a, row, sizeof(row) - 1, &d) == EVS_S_STOP);
	T_CHECK(evs_append_idle(a, &wait_ms, &d) == EVS_S_STOP && wait_ms == -1);
	T_CHECK(evs_append_flush(a, true, &d) == EVS_S_STOP);
	T_CHECK(evs_append_file(a, "next", &d) == EVS_S_STOP);
	evs_append_stats(a, &stats);
	t_eq_u64("what came before is stored", stats.stored, 1);
	evs_append_close(a);
}

/* Strict, and the commit of what came before the bad line fails. */
static void test_strict_and_disk(void)
{
	struct evs_append_opts opts = { .strict = true };
	struct evs_appender *a = NULL;
	struct evs_diag d = { 0 };
	int rc;

	fresh();
	T_CHECK(evs_append_open(&a, stream, &opts, &d) == 0);
	T_CHECK(evs_append_feed(a, row, sizeof(row) - 1, &d) == 0);
	fail_begin("fdatasync", 1, EIO);
	rc = evs_append_feed(a, "no json\n", 8, &d);
	if (rc == 0)
		rc = evs_append_flush(a, false, &d);
	T_CHECK(rc == EVS_S_SYS && fail_end());
	evs_append_close(a);
}

/* Rows are committed when the input rests, at once when the interval is short. */
static void test_idle(void)
{
	struct evs_append_opts opts = { .flush_interval_ms = INT64_MAX / 2000000 };
	struct evs_append_stats stats;
	struct evs_appender *a = NULL;
	struct evs_diag d = { 0 };
	int wait_ms = 0;

	fresh();
	T_CHECK(evs_append_open(&a, stream, &opts, &d) == 0);
	T_CHECK(evs_append_idle(a, &wait_ms, &d) == 0 && wait_ms == -1);
	T_CHECK(evs_append_feed(a, row, sizeof(row) - 1, &d) == 0);
	T_CHECK(evs_append_idle(a, &wait_ms, &d) == 0 && wait_ms == INT32_MAX);
	evs_append_close(a);

	opts.flush_interval_ms = 1;
	T_CHECK(evs_append_open(&a, stream, &opts, &d) == 0);
	T_CHECK(evs_append_feed(a, row, sizeof(row) - 1, &d) == 0);
	rest();
	T_CHECK(evs_append_idle(a, &wait_ms, &d) == 0);
	evs_append_stats(a, &stats);
	t_eq_u64("committed by resting", stats.stored, 1);
	/* ... and by the next row. */
	T_CHECK(evs_append_feed(a, row, sizeof(row) - 1, &d) == 0);
	rest();
	T_CHECK(evs_append_feed(a, row, sizeof(row) - 1, &d) == 0);
	evs_append_stats(a, &stats);
	t_check("committed under way", stats.stored >= 2);
	evs_append_close(a);

	opts = (struct evs_append_opts){ .flush_bytes = 10 };
	T_CHECK(evs_append_open(&a, stream, &opts, &d) == 0);
	T_CHECK(evs_append_feed(a, row, sizeof(row) - 1, &d) == 0);
	evs_append_stats(a, &stats);
	t_eq_u64("committed by bytes", stats.stored, 1);
	evs_append_close(a);
}

/* Without a schema: what is to be inferred waits, for files, for rest and for the end. */
static void test_inferring(void)
{
	struct evs_append_opts opts = { .flush_interval_ms = 1, .now = 1709294400000000000 };
	struct evs_append_stats stats;
	char path[160];
	int wait_ms;

	fresh();
	for (unsigned way = 0; way < 6; way++) {
		struct evs_appender *a = NULL;
		struct evs_diag d = { 0 };
		bool hit = true;

		snprintf(path, sizeof(path), "%s/way%u", dir, way);
		T_CHECK(evs_append_open(&a, path, &opts, &d) == 0);
		T_CHECK(evs_append_feed(a, row, sizeof(row) - (way == 3 || way == 5 ? 2 : 1), &d) ==
			0);
		if (way == 1 || way == 5) { /* a line that has no end yet is no reason to commit */
			rest();
			T_CHECK(evs_append_idle(a, &wait_ms, &d) == 0);
		}
		if (way == 2 || way == 3)
			T_CHECK(evs_append_file(a, "second", &d) == 0);
		if (way == 4) {
			fail_begin("memory", 1, ENOMEM);
			fail.on = true;
			T_CHECK(evs_append_file(a, "second", &d) < 0);
			hit = fail_end();
		}
		T_CHECK(hit && (way == 4 || evs_append_flush(a, true, &d) == 0));
		evs_append_stats(a, &stats);
		t_eq_u64("inferred and stored", stats.stored, way != 4);
		evs_append_close(a);
	}
}

/* The whole way, with lists in the schema, none, and a last line that never ends, as memory fails.
 */
static int whole_way(const char *path, const char *source)
{
	const struct evs_append_opts opts = {
		.file = "f", .source = source, .flush_interval_ms = 1, .now = 1709294400000000000
	};
	struct evs_appender *a = NULL;
	struct evs_diag d = { 0 };
	int wait_ms, rc = evs_append_open(&a, path, &opts, &d);

	if (rc == 0)
		rc = evs_append_feed(a, row, sizeof(row) - 1, &d);
	if (rc == 0)
		rc = evs_append_idle(a, &wait_ms, &d);
	if (rc == 0)
		rc = evs_append_feed(a, row, sizeof(row) - 2, &d);
	if (rc == 0)
		rc = evs_append_flush(a, true, &d);
	evs_append_close(a);
	return rc;
}

static void test_memory(void)
{
	static const char lists[] =
		"CREATE TABLE li (ts DateTime NOT NULL, n Int64, l Array(String),"
		" m Map(String, Array(Int8))) ORDER BY n PARTITION BY toMonday(ts);\n";
	static const char *const names[] = { "li", "new", "new", "" };
	struct evs_diag diag;
	char path[128];

	fresh();
	if (evs_store_apply(dir, lists, sizeof(lists) - 1, NULL, NULL, NULL, NULL, &diag) < 0)
		abort();
	for (unsigned i = 0; i < 4; i++)
		for (long n = 1;; n += stride(n)) {
			int rc;

			snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
			if (i == 1)
				(void)nftw(path, remove_one, 8, FTW_PHYS | FTW_DEPTH);
			fail_begin("memory", n, ENOMEM);
			rc = whole_way(path, i == 2 ? "s" : NULL);
			if (!fail_end()) {
				t_check(path, rc == (i == 3 ? EVS_S_USAGE : 0));
				break;
			}
			T_CHECK(rc <= 0);
		}
}

/* Of a last line without end, and without a row before it, comes no schema; it is refused, and its
 * bytes are kept. */
static void test_no_row(void)
{
	/* Of a length that fills its buffer. */
	static const char line[] =
		"no json, but sixty-four letters of which no buffer takes another";
	struct evs_append_stats stats = { 0 };
	char path[160];
	int rc = -1;

	T_CHECK(sizeof(line) == 65);
	for (long n = 1; rc < 0; n++) {
		struct evs_append_opts opts = { .now = 1709294400000000000 };
		struct evs_appender *a = NULL;
		struct evs_diag d = { 0 };

		fresh();
		snprintf(path, sizeof(path), "%s/none", dir);
		fail_begin("memory", n, ENOMEM);
		rc = evs_append_open(&a, path, &opts, &d);
		if (rc == 0)
			rc = evs_append_file(a, "first", &d);
		if (rc == 0)
			rc = evs_append_feed(a, line, 64, &d);
		if (rc == 0)
			rc = evs_append_flush(a, true, &d);
		T_CHECK(fail_end() ? rc == EVS_S_NOMEM : rc == 0);
		if (a)
			evs_append_stats(a, &stats);
		evs_append_close(a);
	}
	t_check("one line, refused", stats.in == 1 && stats.rejected == 1 && stats.stored == 0);
	snprintf(path, sizeof(path), "%s/none/schema.sql", dir);
	T_CHECK(access(path, F_OK) != 0);
	snprintf(path, sizeof(path), "%s/none/rejects.ndjson", dir);
	T_CHECK(access(path, F_OK) == 0);
}

/* Rows rest so long that they are due, and from them a schema; memory fails. */
static void test_inferring_at_rest(void)
{
	const struct evs_append_opts opts = { .now = 1709294400000000000, .flush_interval_ms = 1 };
	struct evs_append_stats stats = { 0 };
	char path[160];
	int rc = -1, wait_ms;

	for (long n = 1; rc < 0; n += stride(n)) {
		struct evs_appender *a = NULL;
		struct evs_diag d = { 0 };

		fresh();
		snprintf(path, sizeof(path), "%s/rest", dir);
		T_CHECK(evs_append_open(&a, path, &opts, &d) == 0);
		T_CHECK(evs_append_feed(a, row, sizeof(row) - 1, &d) == 0);
		rest();
		fail_begin("memory", n, ENOMEM);
		rc = evs_append_idle(a, &wait_ms, &d);
		T_CHECK(rc == 0 || rc == EVS_S_NOMEM);
		if (fail_end())
			rc = -1;
		evs_append_stats(a, &stats);
		evs_append_close(a);
	}
	t_eq_u64("stored at rest", stats.stored, 1);
}

/* A CHECK holds for the first row of what comes together, too, and for the last. */
static void test_checks(void)
{
	static const char ddl_check[] =
		"CREATE TABLE ck (ts DateTime NOT NULL, n Int64, CHECK (n <> 7)) PARTITION BY toMonday(ts);\n";
	static const int numbers[][3] = { { 7, 1, 2 }, { 1, 7, 2 }, { 1, 2, 7 } };
	struct evs_append_stats stats;
	char path[160], text[3 * 64];

	fresh();
	for (unsigned i = 0; i < 3; i++) {
		struct evs_appender *a = NULL;
		struct evs_diag d = { 0 };
		int n = 0;

		T_CHECK(evs_store_apply(dir, ddl_check, sizeof(ddl_check) - 1, NULL, NULL, NULL,
					NULL, &d) == 0);
		snprintf(path, sizeof(path), "%s/ck", dir);
		for (unsigned k = 0; k < 3; k++)
			n += snprintf(text + n, sizeof(text) - (size_t)n,
				      "{\"ts\":\"2024-01-01T00:00:00Z\",\"n\":%d}\n",
				      numbers[i][k]);
		T_CHECK(evs_append_open(&a, path, NULL, &d) == 0);
		T_CHECK(evs_append_feed(a, text, (size_t)n, &d) == 0 &&
			evs_append_flush(a, true, &d) == 0);
		evs_append_stats(a, &stats);
		T_CHECK(stats.in == 3 && stats.stored == 2 && stats.rejected == 1);
		evs_append_close(a);
	}
}

/* The next file begins anew, also in the middle of a line. */
static void test_files(void)
{
	struct evs_append_opts opts = { .file = "first" };
	struct evs_append_stats stats;
	struct evs_appender *a = NULL;
	struct evs_diag d = { 0 };
	int rc = 0;

	fresh();
	T_CHECK(evs_append_open(&a, stream, &opts, &d) == 0);
	T_CHECK(evs_append_feed(a, row, sizeof(row) - 2, &d) == 0);
	T_CHECK(evs_append_file(a, "second", &d) == 0);
	T_CHECK(evs_append_feed(a, row, sizeof(row) - 2, &d) == 0 &&
		evs_append_flush(a, true, &d) == 0);
	evs_append_stats(a, &stats);
	t_eq_u64("two files, two rows", stats.stored, 2);
	for (long n = 1; rc == 0; n++) {
		fail_begin("memory", n, ENOMEM);
		rc = evs_append_file(a, "third", &d);
		if (!fail_end())
			break;
	}
	T_CHECK(rc == EVS_S_NOMEM);
	evs_append_close(a);
}

int main(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(dir, sizeof(dir), "%s/evseg-append-XXXXXX", base);
	if (!mkdtemp(dir))
		abort();
	snprintf(stream, sizeof(stream), "%s/ev", dir);
	test_options();
	test_folders();
	test_after_failure();
	test_strict_and_disk();
	test_idle();
	test_inferring();
	test_no_row();
	test_checks();
	test_inferring_at_rest();
	test_files();
	test_memory();
	(void)nftw(dir, remove_one, 8, FTW_PHYS | FTW_DEPTH);
	return t_done();
}
