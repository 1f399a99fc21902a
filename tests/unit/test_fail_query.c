/*
 * Queries through the public interface: the answer is the same with one thread and two, in little
 * memory and in much, and when memory or a system call fails, each in turn, there is that answer or
 * an error, and nothing else. A sample of the turns is taken.
 */
#define _XOPEN_SOURCE 700
#include "evseg.h"
#include "tests/unit/fail.h"
#include "tests/unit/t.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#define ROWS	 20000 /* of the first tenant: more than one slice in one group */
#define MOST_OUT ((size_t)8 << 20)

static char dir[64], store[80];
static const char *const paths[] = { store };

static const char ddl[] =
	"CREATE TABLE ev (ts DateTime NOT NULL, who String, n Int64, text String, f Nullable(Float64), tags Array(String))"
	" ORDER BY (who, n) PARTITION BY (who, toMonday(ts));\n"
	"CREATE VIEW busy AS SELECT who, n % 100 AS k, count() AS c, max(text) AS t FROM ev GROUP BY who, k;\n";

static const char *const queries[] = {
	"SELECT who, count() AS c, sum(n) AS s, sum(f) AS sf, avg(f) AS a, max(text) AS m FROM ev GROUP BY who ORDER BY who",
	"SELECT text, count() AS c, uniq(n) AS u, quantile(0.5)(f) AS q, groupArray(n) AS g, argMax(who, n) AS w FROM ev "
	"GROUP BY text HAVING c > 0 ORDER BY text",
	"SELECT count(DISTINCT text) AS d, count(DISTINCT n % 10, who) AS e, stddev(f) AS s FROM ev",
	"SELECT DISTINCT text, who FROM ev ORDER BY text DESC, who LIMIT 5000",
	"SELECT n, text, tags FROM ev WHERE n % 3 = 0 ORDER BY text, n, who",
	"SELECT who, n FROM ev ORDER BY n LIMIT 2 BY who LIMIT 3 OFFSET 1",
	"SELECT sum(c) AS c, max(t) AS t FROM busy WHERE k < 50",
	"SELECT text, tags FROM ev LIMIT 40 OFFSET 16000",
	"SELECT n, text, tags, who FROM ev LIMIT 2 BY text",
	"SELECT n % 9001 AS k, f, n FROM ev ORDER BY n DESC LIMIT 2 BY k, f LIMIT 15000 OFFSET 3",
	"SELECT if(n < 16384, n, 100000 + n % 50) AS k, n, text FROM ev LIMIT 30 BY k",
};

/* ---- asking ---------------------------------------------------------------------------------- */

struct text {
	char *p;
	size_t len;
	bool failed;
};

static int add_text(void *arg, const void *data, size_t len)
{
	struct text *t = arg;

	if (t->len + len >= MOST_OUT)
		return 1;
	memcpy(t->p + t->len, data, len);
	t->len += len;
	t->p[t->len] = '\0';
	return 0;
}

static unsigned progressed;

static void on_progress(void *arg, const struct evs_scan_progress *p)
{
	(void)arg;
	progressed += p->segments_total > 0;
}

/* The answer as NDJSON; *spills: how often something went to disk. */
static int ask(const char *sql, unsigned threads, uint64_t memory, struct text *out,
	       uint64_t *spills, struct evs_diag *d)
{
	struct evs_query_opts opts = { .sql = sql,
				       .threads = threads,
				       .mem_limit = memory,
				       .now = 1,
				       .on_progress = on_progress };
	struct evs_print_opts print = { .output = EVS_NDJSON };
	struct evs_printer *p = NULL;
	struct evs_query *q = NULL;
	struct evs_batch *b;
	int rc = evs_query_open(&q, paths, 1, &opts, d);

	out->len = 0;
	out->p[0] = '\0';
	if (rc == 0)
		rc = evs_print_open(&p, &print, add_text, out, d);
	while (rc >= 0 && (rc = evs_query_next(q, &b, d)) > 0)
		rc = evs_print_batch(p, b, evs_batch_rows(b), d);
	if (rc >= 0)
		rc = evs_print_end(p, d);
	*spills = q ? evs_query_spills(q) : 0;
	evs_print_close(p);
	evs_query_close(q);
	return rc;
}

static void test_same(struct text *want, struct text *got)
{
	unsigned spilled = 0;
	char name[64];

	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		struct evs_diag d = { 0 };
		uint64_t spills;

		t_check(queries[i], ask(queries[i], 1, (uint64_t)1 << 30, want, &spills, &d) == 0);
		t_check("an answer, in memory", want->len > 0 && spills == 0);
		for (unsigned threads = 1; threads <= 2; threads++) {
			snprintf(name, sizeof(name), "query %zu, %u thread(s), little memory", i,
				 threads);
			t_check(name, ask(queries[i], threads, (uint64_t)threads << 20, got,
					  &spills, &d) == 0 &&
					      !strcmp(want->p, got->p));
			spilled += spills > 0;
		}
	}
	t_check("some went to disk", spilled >= 12);
	t_check("progress is told", progressed > 0);
}

/* ---- failing --------------------------------------------------------------------------------- */

static void fail_each(const char *call, long step, const char *sql, unsigned threads,
		      struct text *want, struct text *got)
{
	struct evs_diag d = { 0 };
	uint64_t spills, memory = (uint64_t)threads << 20;
	long tried = 0, ok = 0;
	bool hit = true;

	if (ask(sql, threads, memory, want, &spills, &d) < 0) {
		t_check(d.what, false);
		return;
	}
	for (long n = 1; hit; n += step) {
		int rc;

		d = (struct evs_diag){ 0 };
		fail_begin(call, n, ENOSPC);
		rc = ask(sql, threads, memory, got, &spills, &d);
		hit = fail_end();
		tried++;
		if (rc == 0 ? !strcmp(want->p, got->p) : (d.what[0] && d.err == rc))
			ok++;
		else
			printf("%s fails at %ld in %s: %d %s\n", call, n, sql, rc, d.what);
	}
	t_check(sql, tried > 1 && ok == tried);
}

static void test_fail(struct text *want, struct text *got)
{
	size_t n = sizeof(queries) / sizeof(queries[0]);

	for (size_t i = 0; i < n; i++)
		fail_each("memory", 1009, queries[i], 1, want, got);
	fail_each("pwrite", 19, queries[1], 1, want, got);
	fail_each("pread", 19, queries[4], 1, want, got);
	fail_each("open", 1, queries[4], 1, want, got);
	fail_each("pthread_create", 1, queries[0], 2, want, got);
}

/* ---- Arrow ----------------------------------------------------------------------------------- */

static void release(struct ArrowSchema *schema, struct ArrowArray *array)
{
	schema->release(schema);
	array->release(array);
}

/* Offsets of what is handed out begin with 0 wherever the batch comes from. */
static void test_arrow(void)
{
	struct evs_query_opts opts = { .sql = "SELECT text, tags, f FROM ev WHERE who = 'a'" };
	struct evs_query *q = NULL;
	struct evs_diag d = { 0 };
	struct evs_batch *b;
	unsigned batches = 0, bad = 0;

	t_check("open", evs_query_open(&q, paths, 1, &opts, &d) == 0);
	while (q && evs_query_next(q, &b, &d) == 1) {
		struct ArrowSchema schema;
		struct ArrowArray array;

		if (evs_batch_export(b, &schema, &array, &d) < 0) {
			bad++;
			break;
		}
		for (int64_t c = 0; c < 2; c++) {
			const int32_t *offs = array.children[c]->buffers[1];

			bad += offs[0] != 0;
		}
		batches++;
		release(&schema, &array);
	}
	evs_query_close(q);
	t_check("several batches of one group", batches > 1 && !bad);
}

/* ---- the store ------------------------------------------------------------------------------- */

static int unlink_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static bool fill(void)
{
	struct evs_append_opts opts = { .now = 1 };
	struct evs_appender *a = NULL;
	struct evs_diag d = { 0 };
	char stream[96], line[400];
	int rc = evs_store_apply(store, ddl, strlen(ddl), NULL, NULL, NULL, NULL, &d);

	snprintf(stream, sizeof(stream), "%s/ev", store);
	if (rc == 0)
		rc = evs_append_open(&a, stream, &opts, &d);
	for (int i = 0; i < ROWS + 2000 && rc == 0; i++) {
		int len = snprintf(
			line, sizeof(line),
			"{\"ts\":\"2025-01-0%dT00:00:00Z\",\"who\":\"%s\",\"n\":%d,\"text\":\"%.*s %d\",%s"
			"\"tags\":[\"t%d\",\"\"]}\n",
			i < ROWS ? 1 : 6 + i % 3,
			i < ROWS ? "a"
			: i % 2	 ? "b"
				 : "c",
			i, i % 60,
			"a text that is longer than what fits into a few words, now and then",
			i % 4000, i % 5 ? "\"f\":0.1," : "", i % 7);

		rc = evs_append_feed(a, line, (size_t)len, &d);
	}
	if (rc == 0)
		rc = evs_append_flush(a, true, &d);
	evs_append_close(a);
	if (rc < 0)
		printf("filling the store: %s\n", d.what);
	return rc == 0;
}

int main(void)
{
	struct text want = { .p = malloc(MOST_OUT) }, got = { .p = malloc(MOST_OUT) };

	snprintf(dir, sizeof(dir), "%s/evseg-query-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(dir) || !want.p || !got.p)
		return 1;
	snprintf(store, sizeof(store), "%s/store", dir);
	setenv("TMPDIR", dir, 1);
	if (fill()) {
		test_same(&want, &got);
		test_fail(&want, &got);
		test_arrow();
	} else {
		t_check("the store", false);
	}
	nftw(dir, unlink_one, 8, FTW_DEPTH | FTW_PHYS);
	free(want.p);
	free(got.p);
	return t_done();
}
