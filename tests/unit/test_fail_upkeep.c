/*
 * Compacting, salvaging and summing up while memory and system calls fail, each in turn, and while
 * somebody else does something right before each call: every row stays there once, nothing is left
 * over, and the next run completes it. See test_fail_store.c.
 */
#define _XOPEN_SOURCE 700
#include "tests/unit/store_trial.h"

#include <dirent.h>

static const char segment[] = "2024-01-01.evs";
static char folder[128], path[160], temporary[180], saved[100];
static const char *const streams[] = { stream };
static struct evs_scan_opts all;

/* Without EVS_CONFIG=coverage a sample of the calls. */
static long step(const char *call, int on)
{
	const char *config = getenv("EVS_CONFIG");

	if (config && !strcmp(config, "coverage"))
		return on ? 5 : 1;
	return !strcmp(call, "memory") || !strcmp(call, "pread") || !strcmp(call, "fstat") ? 23
	       : on									   ? 3
											   : 1;
}

/* Files of compactions that did not come to their end. */
static unsigned left_over(void)
{
	static const char suffix[] = ".compact";
	DIR *d = opendir(folder);
	struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d))) {
		size_t len = strlen(e->d_name);

		n += len > sizeof(suffix) && !strcmp(e->d_name + len - sizeof(suffix) + 1, suffix);
	}
	if (d)
		(void)closedir(d);
	return n;
}

static bool torn; /* bytes of no commit may follow */

/* Every row below `rows` once, and no damage. */
static bool all_there(unsigned rows)
{
	static struct trial t;

	return scan(&t, &all) == 0 && (torn ? !t.lost : !t.damages) && t.rows == rows &&
	       once(&t, 0, rows, true);
}

/* ---- compacting ------------------------------------------------------------------------------ */

struct told {
	unsigned fails, silent;
};

static void on_fail(void *arg, const char *where, const struct evs_diag *d)
{
	struct told *t = arg;

	(void)where;
	t->fails++;
	t->silent += !d->what[0];
}

/* 1: it failed without a word. */
static int compact(bool whatever, uint64_t *compacted)
{
	struct told t = { 0 };
	struct evs_compact_opts opts = {
		.all = whatever, .on_fail = on_fail, .on_note = on_note, .arg = &t
	};
	struct evs_compact_stats stats;
	struct evs_diag diag = { 0 };
	int rc = evs_compact(streams, 1, &opts, &stats, &diag);

	*compacted = stats.compacted;
	if (t.silent || (rc < 0 && !t.fails && !diag.what[0]))
		return 1;
	return rc;
}

/* What a run left is swept by the next; then there is nothing more to be gained. */
static bool completes(unsigned rows)
{
	uint64_t n;

	return compact(false, &n) == 0 && compact(false, &n) == 0 && n == 0 && !left_over() &&
	       all_there(rows);
}

/* `only`: this call, or NULL for all. */
static void sweep_compact_by(const char *name, unsigned rows, const char *only)
{
	struct image *m = take();
	char what[160];
	uint64_t n;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault *f = &faults[i];

		for (int on = 0; on <= (f->fails != MUST_NOT); on++) {
			bool hit = !only || !strcmp(only, f->call);

			for (long at = 1; hit; at += step(f->call, on)) {
				int rc;

				put_back(m);
				fail_begin(f->call, at, f->error);
				fail.action = f->action;
				fail.on = on;
				rc = compact(false, &n);
				hit = fail_end();
				snprintf(what, sizeof(what),
					 "%s: %s %ld%s: errno %d, action %d: %d", name, f->call, at,
					 on ? " and on" : "", f->error, f->action, rc);
				t_check(what, right(f, rc, hit) && (rc < 0 || n == 1) &&
						      all_there(rows) && completes(rows));
			}
		}
	}
	put_back(m);
	forget(m);
}

static void sweep_compact(const char *name, unsigned rows)
{
	sweep_compact_by(name, rows, NULL);
}

/* A file is suddenly on another device: somebody has put another one in its place. */
static void sweep_moved(unsigned rows)
{
	static const char *const calls[] = { "fstat", "stat" };
	struct image *m = take();
	uint64_t n;

	for (unsigned i = 0; i < 2; i++) {
		bool hit = true;

		for (long at = 1; hit; at++) {
			int rc;

			put_back(m);
			fail_begin(calls[i], at, 0);
			fail.action = FAIL_MOVED;
			rc = compact(false, &n);
			hit = fail_end();
			t_check("another device", rc <= 0 && all_there(rows) && completes(rows));
		}
	}
	put_back(m);
	forget(m);
}

static void put_file(const char *name, const char *text)
{
	char where[300];
	FILE *f;

	snprintf(where, sizeof(where), "%s/%s", folder, name);
	f = fopen(where, "a");
	if (!f || fputs(text, f) == EOF || fclose(f) != 0)
		abort();
}

static void test_compact(void)
{
	start(66, 0);
	put_file(".a.compact", "left by one that was killed");
	put_file(".b.compact", "");
	put_file(".b", "something else");
	put_file(".something else of this length", "");
	sweep_compact("66 commits", 66);
	sweep_moved(66);
	start(10, 0);
	put_file(segment, "no commit");
	torn = true;
	sweep_compact("a torn end", 10);
	torn = false;
	start(132, 0);
	sweep_compact_by("132 commits", 132, "pread");
}

/* ---- somebody else --------------------------------------------------------------------------- */

static unsigned there; /* rows, by now */
static bool removed;

static void appends(void)
{
	static struct trial t = { .no_wait = true };
	size_t len;
	char *text = rows_text(there, there + 5, &len);

	if (append(&t, text, len) == 0)
		there += 5;
	free(text);
}

/* So many that they are read in front of the lock, too. */
static void appends_much(void)
{
	static struct trial t = { .no_wait = true };
	size_t len;
	char *text = rows_text(there, there + 1500, &len);

	if (append(&t, text, len) == 0)
		there += 1500;
	free(text);
}

static void compacts(void)
{
	uint64_t n;

	t_check("another one compacts, or says why not", compact(true, &n) <= 0);
}

static void compacts_and_appends(void)
{
	compacts();
	appends();
}

static void appends_and_compacts(void)
{
	appends();
	compacts();
}

/* As evexpire does. */
static void expires(void)
{
	const char *const paths[] = { path };
	struct evs_expire_opts opts = { .drop = true, .no_wait = true };
	struct evs_expire_stats stats;
	struct evs_diag diag;

	if (evs_expire(paths, 1, &opts, &stats, &diag) == 0 && stats.partitions == 1) {
		removed = true;
		there = 0;
	}
}

static void expires_and_appends(void)
{
	expires();
	if (removed)
		appends();
}

/* As who sweeps what a killed one left: it has the lock. */
static bool removes(void)
{
	int fd = open(temporary, O_RDWR);
	bool mine = fd >= 0 && lockf(fd, F_TLOCK, 0) == 0 && unlink(temporary) == 0;

	if (fd >= 0)
		(void)close(fd);
	return mine;
}

static void removes_temporary(void)
{
	(void)removes();
}

static void takes_temporary(void)
{
	int fd = removes() ? open(temporary, O_WRONLY | O_CREAT, 0600) : -1;

	if (fd >= 0)
		(void)close(fd);
}

/* A writer whose sync failed takes back what it wrote: the segment has 60 commits again. */
static off_t cut_to;

static bool cuts(void)
{
	int fd = open(path, O_RDWR);
	bool mine = fd >= 0 && lockf(fd, F_TLOCK, 0) == 0 && ftruncate(fd, cut_to) == 0;

	if (fd >= 0)
		(void)close(fd);
	if (mine)
		there = 60;
	return mine;
}

static void cuts_off(void)
{
	(void)cuts();
}

static void cuts_off_and_appends(void)
{
	if (cuts())
		appends();
}

/* As many commits, as long, but others. */
static void cuts_off_and_appends_alike(void)
{
	static struct trial t = { .no_wait = true, .by_line = true, .source = "anothex" };
	size_t len;
	char *text = rows_text(60, 66, &len);

	if (cuts() && append(&t, text, len) == 0)
		there = 66;
	free(text);
}

/* Whatever somebody else does right before each call of this kind. */
static void sweep_others(const char *name, void (*other)(void), const char *call, unsigned rows)
{
	struct image *m = take();
	char what[160];
	bool hit = true;
	uint64_t n;

	for (long at = 1; hit; at++) {
		int rc;

		put_back(m);
		there = rows;
		removed = false;
		fail_begin(call, at, 0);
		fail.meanwhile = other;
		rc = compact(true, &n);
		hit = fail_end();
		snprintf(what, sizeof(what), "%s, before %s %ld: %d, %u rows", name, call, at, rc,
			 there);
		t_check(what, rc <= 0 && all_there(there) && completes(there));
	}
	put_back(m);
	forget(m);
}

static void test_cut(void)
{
	static const char *const calls[] = { "open", "fcntl", "fstat", "stat", "pread" };
	struct stat st;

	start(60, 0);
	if (stat(path, &st) != 0)
		abort();
	cut_to = st.st_size;
	more(60, 66, 0);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		sweep_others("a writer takes back", cuts_off, calls[i], 66);
		sweep_others("a writer takes back, another appends", cuts_off_and_appends, calls[i],
			     66);
		sweep_others("a writer takes back, another appends alike",
			     cuts_off_and_appends_alike, calls[i], 66);
	}
}

static void test_others(void)
{
	static const char *const calls[] = { "open",	  "fcntl",  "fstat",  "stat",
					     "fdatasync", "rename", "opendir" };

	start(66, 0);
	put_file(".2024-01-01.evs.compact", "left by one that was killed");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		sweep_others("somebody appends", appends, calls[i], 66);
		sweep_others("somebody appends much", appends_much, calls[i], 66);
		sweep_others("somebody compacts", compacts, calls[i], 66);
		sweep_others("somebody compacts and appends", compacts_and_appends, calls[i], 66);
		sweep_others("it expires", expires, calls[i], 66);
		sweep_others("it expires and comes again", expires_and_appends, calls[i], 66);
		sweep_others("what is in the making is another's", takes_temporary, calls[i], 66);
		sweep_others("what is in the making goes", removes_temporary, calls[i], 66);
	}
}

/* ---- following ------------------------------------------------------------------------------- */

/* A scan that follows: what it gives at first, and after a refresh in which `f` fails. */
struct followed {
	struct evs_scan *scan;
	struct evs_printer *printer;
	struct trial t;
};

static int read_on(struct followed *f, struct evs_diag *diag)
{
	struct evs_batch *b;
	int rc;

	while ((rc = evs_scan_next(f->scan, &b, diag)) == 1) {
		rc = evs_print_batch(f->printer, b, UINT64_MAX, diag);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : evs_print_flush(f->printer, diag);
}

static bool follow_begin(struct followed *f)
{
	const struct evs_print_opts print = { .output = EVS_NDJSON };
	struct evs_scan_opts opts = { .follow = true, .on_damage = on_damage, .arg = &f->t };
	struct evs_diag diag = { 0 };

	*f = (struct followed){ 0 };
	return evs_print_open(&f->printer, &print, on_text, &f->t, &diag) == 0 &&
	       evs_scan_open(&f->scan, streams, 1, &opts, &diag) == 0 && read_on(f, &diag) == 0;
}

/* Rows that were there come once; later ones come, or an error, or damage is told. */
static bool follow_on(struct followed *f, const struct fault *fault, long at, bool on,
		      unsigned rows, unsigned more_rows, bool *hit)
{
	struct evs_diag diag = { 0 };
	int rc;

	fail_begin(fault->call, at, fault->error);
	fail.action = fault->action;
	fail.on = on;
	rc = evs_scan_refresh(f->scan, &diag);
	if (rc == 0)
		rc = read_on(f, &diag);
	*hit = fail_end();
	if (rc < 0 && (!*hit || !diag.what[0]))
		return false;
	if (fault->fails == MUST_NOT && (rc < 0 || f->t.damages))
		return false;
	return once(&f->t, 0, rows, true) &&
	       once(&f->t, rows, rows + more_rows, rc == 0 && !f->t.damages);
}

static void follow_end(struct followed *f)
{
	evs_scan_close(f->scan);
	evs_print_close(f->printer);
}

/* `before` is read, and is `after` at the refresh. */
static void sweep_follow(const char *name, const struct image *before, unsigned rows,
			 void (*change)(void), unsigned more_rows)
{
	char what[160];

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault *f = &faults[i];
		bool reads = strcmp(f->call, "memory") == 0 || strcmp(f->call, "open") == 0 ||
			     strcmp(f->call, "pread") == 0 || strstr(f->call, "stat");
		bool hit = reads;

		for (long at = 1; hit; at += step(f->call, 0)) {
			static struct followed k;
			bool ok;

			put_back(before);
			ok = follow_begin(&k);
			there = rows;
			change();
			ok = ok && there == rows + more_rows &&
			     follow_on(&k, f, at, false, rows, more_rows, &hit);
			follow_end(&k);
			snprintf(what, sizeof(what), "%s: %s %ld: errno %d, action %d", name,
				 f->call, at, f->error, f->action);
			t_check(what, ok);
		}
	}
}

static void test_follow(void)
{
	struct image *m;

	start(66, 0);
	m = take();
	sweep_follow("compacted while it is followed", m, 66, compacts, 0);
	sweep_follow("compacted and appended to while it is followed", m, 66, compacts_and_appends,
		     5);
	sweep_follow("appended to and compacted while it is followed", m, 66, appends_and_compacts,
		     5);
	forget(m);
	start(130, 0);
	m = take();
	sweep_follow("appended to behind two INDEXes", m, 130, appends, 5);
	forget(m);
}

/* ---- looking --------------------------------------------------------------------------------- */

static void on_finding(void *arg, const struct evs_finding *f)
{
	unsigned *found = arg;

	found[f->kind]++;
}

/* A check that could not look says so; it never finds what is not there. */
static void sweep_check(const char *name, unsigned rows, bool salvage)
{
	char what[160];

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault *f = &faults[i];

		for (int on = 0; on <= (f->fails != MUST_NOT); on++) {
			bool hit = true;

			for (long at = 1; hit; at += step(f->call, on)) {
				unsigned found[8] = { 0 };
				struct evs_check_opts opts = { .salvage = salvage ? saved : NULL,
							       .on_finding = on_finding,
							       .arg = found };
				struct evs_check_counts counts = { 0 };
				struct evs_diag diag = { 0 };
				bool ok, whole;
				int rc;

				(void)nftw(saved, remove_one, 8, FTW_PHYS | FTW_DEPTH);
				fail_begin(f->call, at, f->error);
				fail.action = f->action;
				fail.on = on;
				rc = evs_check(streams, 1, &opts, &counts, &diag);
				hit = fail_end();
				whole = rc == 0 && !found[EVS_FOUND_ERROR] &&
					!found[EVS_FOUND_DAMAGE];
				ok = rc == 0 || (hit && diag.what[0]);
				/* A file that is shorter than it was looks cut off. */
				ok = ok && (f->action == FAIL_ZERO ||
					    (!found[EVS_FOUND_DAMAGE] && !found[EVS_FOUND_TAIL]));
				ok = ok && (f->fails != MUST_NOT || whole);
				ok = ok && (!whole || (counts.rows == rows &&
						       (!salvage || counts.rows_saved == rows)));
				snprintf(what, sizeof(what),
					 "%s: %s %ld%s: errno %d, action %d: %d", name, f->call, at,
					 on ? " and on" : "", f->error, f->action, rc);
				t_check(what, ok && all_there(rows));
			}
		}
	}
	(void)nftw(saved, remove_one, 8, FTW_PHYS | FTW_DEPTH);
}

static bool ticking; /* the clock goes on a ms each time it is looked at */

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	static long ms;

	if (!ticking)
		return __real_clock_gettime(id, ts);
	ms++;
	*ts = (struct timespec){ .tv_sec = 1709294400 + ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	return 0;
}

/*
 * A check in stretches of `ms` looks of a clock: what it finds all in all; how many stretches there
 * were. In the second one the Nth allocation fails, when `at` is not 0.
 */
static unsigned check_in_stretches(int64_t ms, long at, unsigned found[8], uint64_t *rows,
				   bool *hit)
{
	struct evs_check_opts opts = { .max_ms = ms, .on_finding = on_finding, .arg = found };
	struct evs_check_counts counts;
	struct evs_diag diag = { 0 };
	unsigned n = 0;
	int rc;

	ticking = true;
	do {
		fail_begin("memory", n == 1 ? at : 0, ENOMEM);
		rc = evs_check(streams, 1, &opts, &counts, &diag);
		*hit = fail_end() || *hit;
		*rows += counts.rows;
		n++;
	} while (n < 500 && ((rc == 0 && counts.stopped) || (rc < 0 && n == 2 && *hit)));
	ticking = false;
	return rc == 0 ? n : 0;
}

static void damage_an_index(void)
{
	struct image *m = take();

	for (unsigned i = 0; i < m->n; i++)
		for (size_t at = 0; !strcmp(m->file[i].path, path) && at < m->file[i].len; at += 8)
			if (!memcmp(m->file[i].data + at,
				    "\x89"
				    "EVS\4",
				    5)) {
				m->file[i].data[at + 48] ^= 1;
				break;
			}
	put_back(m);
	forget(m);
}

static void test_stretches(void)
{
	unsigned many = 0;

	start(130, 0);
	for (unsigned damaged = 0; damaged < 2; damaged++) {
		if (damaged)
			damage_an_index();
		for (int64_t ms = 1; ms < 60; ms++) {
			unsigned found[8] = { 0 };
			uint64_t rows = 0;
			bool hit = false;
			unsigned n = check_in_stretches(ms, 0, found, &rows, &hit);

			many += n > 2;
			t_check("a check in stretches", n && rows >= 130 &&
								!found[EVS_FOUND_ERROR] &&
								found[EVS_FOUND_DAMAGE] == damaged);
		}
	}
	t_check("stretches", many > 20);
}

static void on_problem(void *arg, const struct evs_diag *d)
{
	unsigned *problems = arg;

	*problems += d->what[0] != '\0';
}

static void sweep_stat(const char *name, unsigned rows)
{
	char what[160];

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault *f = &faults[i];
		bool hit = true;

		for (long at = 1; hit; at += step(f->call, 0)) {
			unsigned problems = 0;
			struct evs_stat_opts opts = { .by = EVS_STAT_PARTITION,
						      .on_problem = on_problem,
						      .arg = &problems };
			struct evs_stat_result r = { 0 };
			struct evs_diag diag = { 0 };
			int rc;

			fail_begin(f->call, at, f->error);
			fail.action = f->action;
			rc = evs_stat(streams, 1, &opts, &r, &diag);
			hit = fail_end();
			snprintf(what, sizeof(what), "%s: %s %ld: errno %d, action %d: %d", name,
				 f->call, at, f->error, f->action, rc);
			t_check(what, rc < 0	 ? hit && diag.what[0] && f->fails != MUST_NOT
				      : problems ? hit && f->fails != MUST_NOT
						 : f->action == FAIL_ZERO || r.rows == rows);
		}
	}
}

static void test_looking(void)
{
	start(66, 0);
	sweep_stat("sums", 66);
	sweep_check("a check", 66, false);
	sweep_check("a salvage", 66, true);
}

int main(void)
{
	store_begin("upkeep");
	snprintf(folder, sizeof(folder), "%s/t0", stream);
	snprintf(path, sizeof(path), "%s/%s", folder, segment);
	snprintf(temporary, sizeof(temporary), "%s/.%s.compact", folder, segment);
	snprintf(saved, sizeof(saved), "%s.saved", store);
	one_segment = true;
	test_compact();
	test_cut();
	test_others();
	test_follow();
	test_looking();
	test_stretches();
	store_end();
	return t_done();
}
