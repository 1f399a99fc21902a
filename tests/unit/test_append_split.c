/*
 * Lines that two threads read: rows stay in their order, what is no row is refused with its line
 * and offset, wherever it stands, and `strict` ends at the first.
 */
#define _XOPEN_SOURCE 700
#include "tests/unit/t.h"
#include "evseg.h"
#include "src/batch.h"
#include "tests/unit/fail.h"

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#define LINES 40000u

static char dir[64], stream[96], *text;
static size_t len, offs[LINES];
static unsigned told, wrong;
static unsigned every; /* so many lines have a bad one */
static unsigned aheads;
static uint64_t absorbed;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static bool is_bad(uint64_t line)
{
	return every && line % every == every - 1;
}

static void make_lines(void)
{
	len = 0;
	for (unsigned i = 0; i < LINES; i++) {
		offs[i] = len;
		len += (size_t)sprintf(
			text + len,
			"{\"ts\":\"2024-01-01T00:00:00Z\",\"n\":%s%u%s,\"s\":\"%.*s\"}\n",
			is_bad(i) ? "\"" : "", i, is_bad(i) ? "\"" : "", (int)(i % 60),
			"the quick brown fox jumps over the lazy dog, again and again");
	}
}

/* Bad lines are told in their order. */
static void on_reject(void *arg, uint64_t line, uint64_t off, const char *reason)
{
	unsigned i = told++ * every + every - 1;

	(void)arg;
	(void)reason;
	wrong += i >= LINES || line != i + 1 || off != offs[i];
}

static void on_ack(void *arg, const struct evs_ack *ack)
{
	(void)arg;
	absorbed = ack->source_off;
}

static void ahead(void *arg)
{
	(void)arg;
	aheads++;
}

static int append(const struct evs_append_opts *how, size_t piece, struct evs_append_stats *stats)
{
	struct evs_append_opts opts = *how;
	struct evs_appender *a = NULL;
	static const char ddl[] =
		"CREATE TABLE ev (ts DateTime, n UInt32, s String) PARTITION BY toMonday(ts);";
	int rc = 0;

	(void)nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	told = wrong = 0;
	aheads = 0;
	absorbed = 0;
	opts.on_reject = on_reject;
	opts.on_ack = on_ack;
	opts.ahead = ahead;
	if (evs_store_apply(dir, ddl, sizeof(ddl) - 1, NULL, NULL, NULL, NULL, NULL) < 0 ||
	    evs_append_open(&a, stream, &opts, NULL) < 0)
		abort();
	for (size_t at = 0; rc == 0 && at < len; at += piece)
		rc = evs_append_feed(a, text + at, len - at < piece ? len - at : piece, NULL);
	if (rc == 0)
		rc = evs_append_flush(a, true, NULL);
	evs_append_stats(a, stats);
	evs_append_close(a);
	return rc;
}

/* The rows there are, which are those that are not bad, in their order. */
static unsigned rows_there(void)
{
	const char *const paths[] = { stream };
	const struct evs_scan_opts opts = { 0 };
	struct evs_scan *s = NULL;
	struct evs_batch *b;
	unsigned rows = 0, i = 0;

	if (evs_scan_open(&s, paths, 1, &opts, NULL) < 0)
		abort();
	while (evs_scan_next(s, &b, NULL) > 0) {
		const struct evs_array *n = &b->cols[1];

		for (uint32_t k = 0; k < n->rows; k++, i++, rows++) {
			while (is_bad(i))
				i++;
			wrong += evs_array_int(n, k) != i;
		}
	}
	evs_scan_close(s);
	return rows;
}

static void test_rejects(void)
{
	static const size_t pieces[] = { 1 << 20, 300007, (size_t)4 << 20 };
	const struct evs_append_opts plain = { 0 };
	struct evs_append_stats stats;

	for (every = 0; every < 20000; every = every * 7 + 2) {
		make_lines();
		for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
			unsigned bad = every ? LINES / every : 0;

			T_CHECK(append(&plain, pieces[i], &stats) == 0 && !wrong && told == bad);
			T_CHECK(stats.in == LINES && stats.rejected == bad &&
				stats.stored == LINES - bad);
			T_CHECK(rows_there() == LINES - bad && !wrong);
		}
	}
}

static void test_strict(void)
{
	const struct evs_append_opts strict = { .strict = true };
	struct evs_append_stats stats;

	for (every = 3; every < LINES; every = every * 3 + 1) {
		make_lines();
		T_CHECK(append(&strict, (size_t)1 << 20, &stats) == EVS_S_STOP && told == 1 &&
			!wrong);
		T_CHECK(stats.in == every && stats.rejected == 1 && stats.stored == every - 1);
		T_CHECK(rows_there() == every - 1 && !wrong);
	}
}

/* What is acknowledged says how much of a source it is, whoever read the last line of it; and once
 * a piece there is time to read ahead. */
static void test_source(void)
{
	const struct evs_append_opts source = { .source = "lines" };
	const size_t piece = (size_t)1 << 20;
	struct evs_append_stats stats;

	every = 0;
	make_lines();
	T_CHECK(append(&source, piece, &stats) == 0 && stats.stored == LINES);
	T_CHECK(absorbed == len);
	T_CHECK(aheads == (len + piece - 1) / piece);
}

static void test_no_thread(void)
{
	const struct evs_append_opts plain = { 0 };
	struct evs_append_stats stats;

	every = 0;
	make_lines();
	fail_begin("pthread_create", 1, EAGAIN);
	T_CHECK(append(&plain, (size_t)1 << 20, &stats) == 0 && stats.stored == LINES &&
		rows_there() == LINES);
	T_CHECK(fail_end() && !wrong);
}

int main(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(dir, sizeof(dir), "%s/evs-split-XXXXXX", base);
	text = malloc((size_t)LINES * 128);
	if (!text || !mkdtemp(dir))
		abort();
	snprintf(stream, sizeof(stream), "%s/ev", dir);
	test_rejects();
	test_strict();
	test_source();
	test_no_thread();
	(void)nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	free(text);
	return t_done();
}
