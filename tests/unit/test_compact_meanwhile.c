/*
 * What happens to a segment while it is compacted: many rows come; commits that were read are cut
 * off again by a writer whose sync failed; one is killed. Progress is told between two reads, which
 * is where things happen here.
 */
#define _XOPEN_SOURCE 700
#include "tests/unit/append_store.h"

#define MANY 5000u /* more rows than are left until the lock is taken */

static char segment[128];

static void append_rows(const char *tag, unsigned n)
{
	struct evs_append_stats stats;
	struct evs_diag d = { 0 };
	uint64_t early;

	len = 0;
	for (unsigned i = 0; i < n; i++)
		put("{\"ts\":\"2024-01-02T00:00:00Z\",\"tag\":\"%s\",\"n\":%u}\n", tag, i);
	t_check("appended", append(NULL, &stats, &early, &d) == 0 && stats.stored == n);
}

static unsigned rows_of(const char *where)
{
	const char *const paths[] = { stream };
	const struct evs_scan_opts opts = { .where = where };
	struct evs_scan *s = NULL;
	struct evs_batch *b;
	unsigned rows = 0;
	int rc = evs_scan_open(&s, paths, 1, &opts, NULL);

	while (rc >= 0 && (rc = evs_scan_next(s, &b, NULL)) > 0)
		rows += (unsigned)evs_batch_rows(b);
	T_CHECK(rc == 0);
	evs_scan_close(s);
	return rows;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : -1;
}

/* ---- rows that come -------------------------------------------------------------------------- */

struct world {
	unsigned step;
	bool cut, torn;
	off_t before;
	unsigned fails, notes;
};

static void on_fail(void *arg, const char *path, const struct evs_diag *d)
{
	struct world *w = arg;

	(void)path;
	w->fails += d->err == EVS_S_LOCKED;
}

static void on_note(void *arg, const char *said)
{
	((struct world *)arg)->notes += strstr(said, "were set aside") != NULL;
}

static void tear(void)
{
	FILE *f = fopen(segment, "ab");

	T_CHECK(f && fputs("torn", f) >= 0 && fclose(f) == 0);
}

/* The first rows are read: others come, or a writer begins and is killed. The others are read: they
 * are cut off, and as many take their place. */
static void on_progress(void *arg, const struct evs_compact_stats *now)
{
	struct world *w = arg;

	if (w->step == 0) {
		w->before = size_of(segment);
		if (w->torn)
			tear();
		else
			append_rows("more", MANY);
		w->step = 1;
	} else if (w->step == 1 && w->cut && now->rows_read > 2) {
		T_CHECK(truncate(segment, w->before) == 0);
		append_rows("kept", MANY);
		w->step = 2;
	}
}

static int compact(struct world *w, struct evs_compact_stats *stats)
{
	const char *const paths[] = { stream };
	const struct evs_compact_opts opts = {
		.on_progress = on_progress, .on_fail = on_fail, .on_note = on_note, .arg = w
	};

	fresh("tag String, n Int64) ORDER BY n PARTITION BY toMonday(ts)");
	append_rows("first", 1);
	append_rows("second", 1);
	return evs_compact(paths, 1, &opts, stats, NULL);
}

static void test_more(void)
{
	struct world w = { 0 };
	struct evs_compact_stats stats;

	T_CHECK(compact(&w, &stats) == 0);
	T_CHECK(w.step == 1 && w.fails == 0 && stats.compacted == 1);
	t_eq_u64("rows in the new file", stats.new_rows, MANY + 2);
	t_eq_u64("rows that came", rows_of("tag = 'more'"), MANY);
	t_eq_u64("all", rows_of("true"), MANY + 2);
}

static void test_cut_off(void)
{
	struct world w = { .cut = true };
	struct evs_compact_stats stats;

	T_CHECK(compact(&w, &stats) == EVS_S_LOCKED);
	T_CHECK(w.step == 2 && w.fails == 1 && stats.compacted == 0);
	t_eq_u64("acknowledged rows", rows_of("tag = 'kept'"), MANY);
	t_eq_u64("rows whose sync failed", rows_of("tag = 'more'"), 0);
	t_eq_u64("all", rows_of("true"), MANY + 2);
}

/* What is set aside under the lock is told. */
static void test_torn(void)
{
	struct world w = { .torn = true };
	struct evs_compact_stats stats;
	char aside[160];

	T_CHECK(compact(&w, &stats) == 0 && w.step == 1 && stats.compacted == 1);
	t_eq_u64("notes", w.notes, 1);
	snprintf(aside, sizeof(aside), "%s.tail-%lld", segment, (long long)w.before);
	t_eq_u64("bytes set aside", (uint64_t)size_of(aside), 4);
	T_CHECK(rows_of("true") == 2);
}

int main(void)
{
	begin();
	snprintf(segment, sizeof(segment), "%s/_/2024-01-01.evs", stream);
	test_more();
	test_cut_off();
	test_torn();
	return end();
}
