/*
 * Appending and reading when memory and system calls fail, each in turn, in this process.
 *
 * A store is put back to a known state, rows are appended (or read) while the Nth call fails, and
 * then: what was there is there, what was acknowledged is there, nothing is there twice, and the
 * same input once more makes it complete. tests/fault does the same to whole programs; in here
 * every N is cheap enough, and what ran is counted by make coverage. Without EVS_CONFIG=coverage a
 * sample of the Ns is taken.
 */
#define _XOPEN_SOURCE 700
#include "tests/unit/store_trial.h"

#define TRAILER 64

static uint64_t unclear; /* rows that were torn off, or lost: nobody can tell */

static const char wider[] =
	"CREATE TABLE ev (ts DateTime NOT NULL, who String, n Int64, text String, more String)"
	" ORDER BY (who, n) PARTITION BY (who, toMonday(ts));\n";

static const char widest[] =
	"CREATE TABLE ev (ts DateTime NOT NULL, who String, n Int64, text String, more String,"
	" most Int8) ORDER BY (who, n) PARTITION BY (who, toMonday(ts));\n";

/* Rows from `old` on are appended to what `m` holds, while one call fails, or all from it on. */
static bool append_trial(const struct image *m, unsigned old, unsigned last, const struct fault *f,
			 long at, bool on, bool *hit)
{
	static struct trial t;
	struct evs_scan_opts all = { 0 };
	bool ok;
	size_t len;
	char *text = rows_text(old, last, &len);
	int rc;

	put_back(m);
	t.source = "s";
	t.flush_rows = (last - old) / 2;
	fail_begin(f->call, at, f->error);
	fail.action = f->action;
	fail.on = on;
	rc = append(&t, text, len);
	*hit = fail_end();
	ok = right(f, rc, *hit);
	ok = ok && scan(&t, &all) == 0 && t.lost <= unclear;
	ok = ok && once(&t, 0, old, true) && once(&t, old, last, rc == 0) &&
	     t.rows >= old + t.acked;
	ok = ok && append(&t, text, len) == 0 && scan(&t, &all) == 0 && t.damages == 0;
	ok = ok && once(&t, 0, last, true) && t.rows == last;
	free(text);
	return ok;
}

/* `only`: this call, or NULL for all. */
static void sweep_append(const char *name, unsigned old, unsigned last, const char *only)
{
	struct image *m = take();
	char what[160];
	bool hit = true;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault *f = &faults[i];

		for (int on = 0; on <= (f->fails != MUST_NOT); on++) {
			hit = !only || !strcmp(only, f->call);
			for (long n = 1; hit; n += stride(n, on)) {
				snprintf(what, sizeof(what), "%s: %s %ld%s: errno %d, action %d",
					 name, f->call, n, on ? " and on" : "", f->error,
					 f->action);
				t_check(what, append_trial(m, old, last, f, n, on, &hit));
			}
		}
	}
	put_back(m);
	forget(m);
}

/* Reading gives every row, or an error, or says what is lost. */
static void sweep_scan(const char *name, unsigned rows, const struct evs_scan_opts *how)
{
	static struct trial t;
	char what[160];
	bool hit;
	int rc;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault *f = &faults[i];

		for (int on = 0; on <= (f->fails != MUST_NOT); on++) {
			hit = true;
			for (long n = 1; hit; n += stride(n, on)) {
				snprintf(what, sizeof(what), "%s: %s %ld%s: errno %d, action %d",
					 name, f->call, n, on ? " and on" : "", f->error,
					 f->action);
				fail_begin(f->call, n, f->error);
				fail.action = f->action;
				fail.on = on;
				rc = scan(&t, how);
				hit = fail_end();
				t_check(what, right(f, rc, hit) && once(&t, 0, MAX_ROWS, false) &&
						      (rc < 0 || t.damages || t.rows == rows));
			}
		}
	}
}

/* ---- states of the store --------------------------------------------------------------------- */

/* Every segment: `n` bytes from `at` (from the end when negative) become `byte`; or it ends there.
 */
static void spoil(long at, size_t n, int byte)
{
	struct image *m = take();

	for (unsigned i = 0; i < m->n; i++) {
		char *p = m->file[i].data;
		size_t len = m->file[i].len, from = at < 0 ? len - (size_t)-at : (size_t)at;
		const char *dot = strrchr(m->file[i].path, '.');

		if (!p || !dot || strcmp(dot, ".evs") != 0)
			continue;
		if (byte < 0) {
			m->file[i].len = from;
			continue;
		}
		if (from + n > len) {
			p = realloc(p, from + n);
			if (!p)
				abort();
			m->file[i].data = p;
			m->file[i].len = from + n;
		}
		memset(p + from, byte, n);
	}
	put_back(m);
	forget(m);
}

/* Every segment: what was added since `before`, up to the trailers, becomes zero; or one byte of it
 * does not. */
static void spoil_newest(const struct image *before, bool zero)
{
	struct image *m = take();

	for (unsigned i = 0; i < m->n; i++)
		for (unsigned k = 0; k < before->n; k++) {
			size_t from = before->file[k].len, to = m->file[i].len - 2 * TRAILER;
			const char *dot = strrchr(m->file[i].path, '.');

			if (strcmp(m->file[i].path, before->file[k].path) != 0 || !dot ||
			    strcmp(dot, ".evs") != 0 || from >= to)
				continue;
			if (zero)
				memset(m->file[i].data + from, 0, to - from);
			else
				m->file[i].data[from + 300] ^= 0x40;
		}
	put_back(m);
	forget(m);
}

static void test_new_store(void)
{
	start(0, 1);
	sweep_append("new segments", 0, 40, NULL);
}

static void test_more_commits(void)
{
	struct evs_scan_opts all = { 0 }, some = { .has_since = true, .since = 0, .follow = true };

	start(30, 2);
	sweep_append("more commits", 30, 70, NULL);
	sweep_scan("reading", 30, &all);
	sweep_scan("reading on", 30, &some);
}

/* Twice, so that the schema in force is in a SCHEMA frame. */
static void test_new_columns(void)
{
	start(30, 1);
	apply(wider);
	more(30, 40, 1);
	sweep_append("columns as before", 40, 60, NULL);
	apply(widest);
	sweep_append("new columns", 40, 60, NULL);
}

/* What a crash leaves, and damage that costs nothing. */
static void test_recovery(void)
{
	struct image *before;

	start(30, 2);
	spoil(-(long)TRAILER - 8, 4, 0);
	sweep_append("first trailer damaged", 30, 50, NULL);
	start(30, 2);
	spoil(-10, 0, -1);
	sweep_append("second trailer cut off", 30, 50, NULL);
	start(18, 1);
	before = take();
	more(18, 36, 1);
	spoil_newest(before, true);
	forget(before);
	unclear = 18;
	sweep_append("torn by a power cut", 18, 50, NULL);
	unclear = 0;
	start(30, 2);
	spoil(1L << 17, 100000, 0);
	sweep_append("a long tail", 30, 50, NULL);
}

/* 64 commits: an INDEX is written in front of the next, and another after 64 more. */
static void test_index(void)
{
	struct evs_scan_opts late = { .has_since = true,
				      .since = 1704067200000000000,
				      .has_until = true,
				      .until = 1704067300000000000 };

	one_segment = true;
	start(64, 0);
	sweep_append("first INDEX", 64, 68, NULL);
	more(64, 128, 0);
	sweep_append("second INDEX", 128, 132, NULL);
	more(128, 136, 1);
	sweep_scan("reading by the tree", 136, &late);
	one_segment = false;
}

/* Enough rows of a segment for zones and filters. */
static void test_filters(void)
{
	struct evs_scan_opts all = { 0 };
	struct image *before;

	one_segment = true;
	start(10, 1);
	sweep_append("many rows", 10, 1600, "memory");
	before = take();
	more(10, 1600, 1);
	spoil_newest(before, false);
	forget(before);
	sweep_scan("a damaged group and its filters", 1600, &all);
	one_segment = false;
}

int main(void)
{
	store_begin("fail");
	test_new_store();
	test_more_commits();
	test_new_columns();
	test_recovery();
	test_index();
	test_filters();
	store_end();
	return t_done();
}
