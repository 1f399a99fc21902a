/*
 * What two threads read comes as if one had: rows, damage, errors and what --explain says, in the
 * same order and at the same time, wherever the caller stops.
 */
#define _XOPEN_SOURCE 700
#include "evseg.h"
#include "src/thread.h"
#include "tests/unit/t.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#define TENANTS 6u
#define WEEKS	12u
#define EVERY	UINT64_MAX

static char dir[64];
static bool no_threads;
static unsigned started;

bool __real_evs_thread_start(pthread_t *thread, void *(*run)(void *), void *arg);
bool __wrap_evs_thread_start(pthread_t *thread, void *(*run)(void *), void *arg);
bool __wrap_evs_thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	started++;
	return !no_threads && __real_evs_thread_start(thread, run, arg);
}

/* ---- stores ---------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static const char *stream_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static const char *segment(const char *name, unsigned tenant, unsigned week)
{
	static char path[256];
	unsigned day = 6 + 7 * week;

	(void)snprintf(path, sizeof(path), "%s/t%u/2025-%02u-%02u.evs", stream_of(name), tenant,
		       1 + (day - 1) / 28, 1 + (day - 1) % 28);
	return path;
}

static void apply(const char *name, const char *engine, const char *more)
{
	char ddl[400];
	int n = snprintf(
		ddl, sizeof(ddl),
		"CREATE TABLE %s (k String, n Int64, who String, ts DateTime, text Nullable(String)%s) "
		"ENGINE = %s PARTITION BY (who, toDate(ts)) ORDER BY k;\n",
		name, more, engine);

	T_CHECK(evs_store_apply(dir, ddl, (size_t)n, NULL, NULL, NULL, NULL, NULL) == 0);
}

/* For each tenant and week `rows` rows in `commits` commits; every fifth with a text of `text`
 * bytes, and all with a field `later`. */
static void fill(const char *name, unsigned rows, unsigned commits, unsigned text)
{
	struct evs_appender *a = NULL;
	char *line = malloc(text + 400);

	T_CHECK(line && evs_append_open(&a, stream_of(name), NULL, NULL) == 0);
	for (unsigned c = 0, n = 0; c < commits; c++) {
		for (unsigned i = 0; i < TENANTS * WEEKS * rows / commits; i++, n++) {
			unsigned day = 6 + 7 * (i / TENANTS % WEEKS);
			int len = sprintf(
				line,
				"{\"later\":\"l%u\",\"k\":\"key%u\",\"n\":%u,\"who\":\"t%u\",\"ts\":\"2025-%02u-%02uT00:%02u:00Z\",\"text\":",
				n % 3, n % 97, n, i % TENANTS, 1 + (day - 1) / 28,
				1 + (day - 1) % 28, n * 7 % 60);

			len += n % 5 ? sprintf(line + len, "null}\n")
				     : sprintf(line + len, "\"%0*u\"}\n", (int)text, n);
			T_CHECK(evs_append_feed(a, line, (size_t)len, NULL) == 0);
		}
		T_CHECK(evs_append_flush(a, true, NULL) == 0);
	}
	evs_append_close(a);
	free(line);
}

/* Turn over a bit `back` bytes from the end (from the middle: 0), or make it no segment at all. */
static void spoil(const char *path, long back, bool all)
{
	FILE *f = fopen(path, "r+b");
	long size, at;
	int c;

	T_CHECK(f && fseek(f, 0, SEEK_END) == 0);
	size = ftell(f);
	at = back ? size - back : size / 2;
	T_CHECK(fseek(f, at, SEEK_SET) == 0);
	c = fgetc(f);
	T_CHECK(fseek(f, at, SEEK_SET) == 0 && fputc(c ^ 4, f) != EOF && fclose(f) == 0);
	if (all)
		T_CHECK(truncate(path, 100) == 0);
}

/* ---- what a scan says ------------------------------------------------------------------------ */

static char *said;
static size_t said_len, said_cap;

static void say(const void *p, size_t n)
{
	if (said_len + n + 1 > said_cap) {
		said_cap = 2 * (said_len + n + 1);
		said = realloc(said, said_cap);
		if (!said)
			abort();
	}
	memcpy(said + said_len, p, n);
	said_len += n;
	said[said_len] = '\0';
}

static int on_write(void *arg, const void *p, size_t n)
{
	(void)arg;
	say(p, n);
	return 0;
}

static void on_damage(void *arg, const struct evs_damage *d)
{
	char line[600];

	(void)arg;
	say(line, (size_t)snprintf(line, sizeof(line), "damage %s %" PRIu64 " %" PRIu64 " %d %s\n",
				   d->path, d->off, d->rows, d->rows_known, d->what));
}

static void say_counts(struct evs_scan *s)
{
	struct evs_scan_explain e;
	struct evs_scan_progress p;
	const uint64_t *v = (const uint64_t *)&e;
	char line[80];

	evs_scan_explained(s, &e);
	evs_scan_progress(s, &p);
	for (size_t i = 0; i < sizeof(e) / sizeof(*v); i++)
		say(line, (size_t)snprintf(line, sizeof(line), "%" PRIu64 " ", v[i]));
	say(line,
	    (size_t)snprintf(line, sizeof(line), "| %" PRIu64 " %" PRIu64, p.rows, p.segments));
	say(line, (size_t)snprintf(line, sizeof(line), " %" PRIu64 " %" PRIu64, p.segments_total,
				   p.bytes));
	say(line,
	    (size_t)snprintf(line, sizeof(line), " %" PRIu64 " %d\n", p.rows_lost, p.damaged));
}

/* All that comes of a scan, up to `most` batches. */
static char *transcript(const char *path, struct evs_scan_opts opts, unsigned threads,
			uint64_t most)
{
	const struct evs_print_opts print = { .output = EVS_NDJSON };
	struct evs_printer *p = NULL;
	struct evs_diag d = { 0 };
	struct evs_scan *s = NULL;
	struct evs_batch *b;
	char line[400], *out;
	int rc;

	said_len = 0;
	opts.threads = threads;
	opts.on_damage = on_damage;
	T_CHECK(evs_scan_open(&s, &path, 1, &opts, NULL) == 0);
	T_CHECK(evs_print_open(&p, &print, on_write, NULL, NULL) == 0);
	while (most-- && (rc = evs_scan_next(s, &b, &d)) != 0) {
		if (rc < 0) {
			say(line,
			    (size_t)snprintf(line, sizeof(line), "failed %d %.300s\n", rc, d.what));
			break;
		}
		T_CHECK(evs_print_batch(p, b, UINT64_MAX, NULL) == 0 &&
			evs_print_flush(p, NULL) == 0);
		say_counts(s);
	}
	if (opts.nsort == 0 && opts.nlatest == 0)
		say_counts(s);
	evs_print_close(p);
	evs_scan_close(s);
	out = strdup(said ? said : "");
	return out ? out : (abort(), NULL);
}

static void same(const char *name, const char *stream, struct evs_scan_opts opts, uint64_t most)
{
	char path[128], *one, *two;

	(void)snprintf(path, sizeof(path), "%s", stream_of(stream));
	one = transcript(path, opts, 1, most);
	started = 0;
	two = transcript(path, opts, 2, most);
	t_check(name, *one && !strcmp(one, two));
	if (most)
		t_eq_u64(name, started, 1);
	free(one);
	free(two);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void all_ways(const char *stream)
{
	static const char *const columns[] = { "n", "text", "n" }, *const k[] = { "k" },
				 *const sort[] = { "n DESC" };
	static const char *const keys[] = { "k=key5" };

	same("all rows", stream, (struct evs_scan_opts){ 0 }, EVERY);
	same("columns", stream, (struct evs_scan_opts){ .columns = columns, .ncolumns = 3 }, EVERY);
	same("a condition", stream, (struct evs_scan_opts){ .where = "n % 5 = 2 AND text IS NULL" },
	     EVERY);
	same("a condition that few rows have", stream,
	     (struct evs_scan_opts){ .where = "n % 500 = 2" }, EVERY);
	same("a key", stream, (struct evs_scan_opts){ .keys = keys, .nkeys = 1 }, EVERY);
	same("a span of time", stream,
	     (struct evs_scan_opts){ .has_since = true,
				     .since = 1738000000000000000,
				     .has_until = true,
				     .until = 1740000000000000000 },
	     EVERY);
	same("a condition that fails", stream,
	     (struct evs_scan_opts){ .where = "intDiv(1, n - 301) = 0" }, EVERY);
	same("newest rows", stream,
	     (struct evs_scan_opts){ .latest = k, .nlatest = 1, .columns = columns, .ncolumns = 1 },
	     EVERY);
	same("newest rows with a condition", stream,
	     (struct evs_scan_opts){ .latest = k, .nlatest = 1, .where = "n % 3 = 1" }, EVERY);
	same("sorted", stream, (struct evs_scan_opts){ .sort = sort, .nsort = 1, .limit = 9 },
	     EVERY);
	/* Closed before all is given. */
	same("newest rows, the first batch", stream,
	     (struct evs_scan_opts){ .latest = k, .nlatest = 1 }, 1);
	same("sorted, the first batch", stream, (struct evs_scan_opts){ .sort = sort, .nsort = 1 },
	     1);
	for (unsigned i = 0; i < 60; i += i < 8 ? 1 : 13)
		same("up to a batch", stream, (struct evs_scan_opts){ 0 }, i);
}

/* No thread: one does it all. Of a few small segments none is asked for. */
static void without_a_thread(void)
{
	char path[128], *two;

	no_threads = true;
	same("no second thread", "plain", (struct evs_scan_opts){ 0 }, EVERY);
	no_threads = false;
	(void)snprintf(path, sizeof(path), "%s", stream_of("plain/t0"));
	started = 0;
	two = transcript(path, (struct evs_scan_opts){ 0 }, 0, EVERY);
	t_eq_u64("many segments are worth a thread", started, 1);
	free(two);
	(void)snprintf(path, sizeof(path), "%s", segment("plain", 0, 0));
	started = 0;
	two = transcript(path, (struct evs_scan_opts){ 0 }, 0, EVERY);
	t_eq_u64("a small one is not", started, 0);
	free(two);
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(dir, sizeof(dir), "%.40s/evseg-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return 1;
	apply("plain", "MergeTree", "");
	fill("plain", 8, 2, 60);
	all_ways("plain");
	without_a_thread();
	spoil(segment("plain", 0, 0), 0, true);
	spoil(segment("plain", 1, 3), 0, false);
	spoil(segment("plain", 1, 4), 30, false);
	spoil(segment("plain", 4, 9), 200, false);
	spoil(segment("plain", 5, 11), 0, false);
	all_ways("plain");
	apply("merged", "ReplacingMergeTree", "");
	fill("merged", 6, 3, 20);
	all_ways("merged");
	/* Fields of the first rows become a column; segments of both kinds stand beside each other.
	 */
	apply("grown", "MergeTree", "");
	fill("grown", 2, 1, 20);
	for (unsigned w = 0; w < WEEKS; w += 1 + w % 3)
		T_CHECK(unlink(segment("grown", w % TENANTS, w)) == 0);
	apply("grown", "MergeTree", ", later Nullable(String)");
	fill("grown", 1, 1, 20);
	all_ways("grown");
	same("no such column yet", "grown", (struct evs_scan_opts){ .where = "later = 'l1'" },
	     EVERY);
	/* One segment of many groups: one thread reads, the other one takes. */
	apply("single", "MergeTree", "");
	fill("single", 40, 20, 600);
	for (unsigned i = 1; i < TENANTS * WEEKS; i++)
		T_CHECK(unlink(segment("single", i % TENANTS, i / TENANTS)) == 0);
	all_ways("single");
	spoil(segment("single", 0, 0), 0, false);
	all_ways("single");
	apply("long", "MergeTree", "");
	fill("long", 15, 1, 200000); /* more than waits at a time */
	same("much", "long", (struct evs_scan_opts){ .where = "length(text) > 5" }, EVERY);
	same("much, up to a batch", "long", (struct evs_scan_opts){ 0 }, 5);
	(void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(said);
	return t_done();
}
