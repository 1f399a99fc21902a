/*
 * Appending and reading when memory and system calls fail, each in turn, in this process.
 *
 * A store is put back to a known state, rows are appended (or read) while the Nth call fails, and
 * then: what was there is there, what was acknowledged is there, nothing is there twice, and the same
 * input once more makes it complete. tests/fault does the same to whole programs; in here every N is
 * cheap enough, and what ran is counted by make coverage. Without EVS_CONFIG=coverage a sample of
 * the Ns is taken.
 */
#define _XOPEN_SOURCE 700
#include "evseg.h"
#include "tests/unit/fail.h"
#include "tests/unit/t.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#define TRAILER	  64
#define MAX_ROWS  4000
#define MAX_FILES 64

static char store[64], stream[80];

static const char ddl[] = "CREATE TABLE ev (ts DateTime NOT NULL, who String, n Int64, text String)"
			  " ORDER BY (who, n) PARTITION BY (who, toMonday(ts));\n";
static const char wider[] =
	"CREATE TABLE ev (ts DateTime NOT NULL, who String, n Int64, text String, more String)"
	" ORDER BY (who, n) PARTITION BY (who, toMonday(ts));\n";

static const char widest[] =
	"CREATE TABLE ev (ts DateTime NOT NULL, who String, n Int64, text String, more String,"
	" most Int8) ORDER BY (who, n) PARTITION BY (who, toMonday(ts));\n";

/* ---- files: remembered, and put back ------------------------------------------------------------ */

struct image {
	struct {
		char path[256];
		char *data; /* NULL: a folder */
		size_t len;
	} file[MAX_FILES];
	unsigned n;
};

static struct image *taken;

static int take_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	FILE *f;

	(void)at;
	if (taken->n == MAX_FILES || strlen(path) >= sizeof(taken->file[0].path))
		abort();
	strcpy(taken->file[taken->n].path, path);
	if (kind == FTW_F) {
		taken->file[taken->n].len = (size_t)st->st_size;
		taken->file[taken->n].data = malloc((size_t)st->st_size + 1);
		f = fopen(path, "rb");
		if (!f || !taken->file[taken->n].data ||
		    fread(taken->file[taken->n].data, 1, (size_t)st->st_size, f) != (size_t)st->st_size)
			abort();
		(void)fclose(f);
	}
	taken->n++;
	return 0;
}

static struct image *take(void)
{
	taken = calloc(1, sizeof(*taken));
	if (!taken || nftw(store, take_one, 8, FTW_PHYS) != 0)
		abort();
	return taken;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void put_back(const struct image *m)
{
	FILE *f;

	(void)nftw(store, remove_one, 8, FTW_PHYS | FTW_DEPTH);
	for (unsigned i = 0; i < m->n; i++) {
		if (!m->file[i].data) {
			if (mkdir(m->file[i].path, 0777) != 0)
				abort();
			continue;
		}
		f = fopen(m->file[i].path, "wb");
		if (!f || fwrite(m->file[i].data, 1, m->file[i].len, f) != m->file[i].len ||
		    fclose(f) != 0)
			abort();
	}
}

static void forget(struct image *m)
{
	for (unsigned i = 0; i < m->n; i++)
		free(m->file[i].data);
	free(m);
}

/* ---- rows ---------------------------------------------------------------------------------------- */

static uint64_t unclear; /* rows that were torn off, or lost: nobody can tell */
static bool one_segment; /* rows are all of one tenant and week */

/* Rows first .. last - 1, of three tenants and two weeks, as NDJSON; free() it. */
static char *rows_text(unsigned first, unsigned last, size_t *len)
{
	size_t cap = (size_t)(last - first + 1) * 160;
	char *p = malloc(cap), *end = p;

	if (!p)
		abort();
	for (unsigned i = first; i < last; i++)
		end += snprintf(end, 160,
				"{\"ts\":\"2024-01-%02uT00:00:%02uZ\",\"who\":\"t%u\",\"n\":%u,"
				"\"text\":\"some text %u\",\"odd\":%u}\n",
				one_segment ? 1 : 1 + i % 9, i % 60, one_segment ? 0 : i % 3, i,
				i * 7919 % 1000, i);
	*len = (size_t)(end - p);
	return p;
}

struct trial {
	const char *source;
	unsigned flush_rows;
	bool no_wait;
	bool by_line; /* a commit for each */
	uint64_t acked;
	int seen[MAX_ROWS]; /* how often each row was read */
	unsigned rows, damages;
	uint64_t lost;
};

static void on_ack(void *arg, const struct evs_ack *ack)
{
	((struct trial *)arg)->acked += ack->rows;
}

static void on_note(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

static int feed_lines(struct evs_appender *a, const char *text, size_t len, struct evs_diag *diag)
{
	int rc = 0;

	for (size_t n; rc == 0 && len; text += n, len -= n) {
		n = (size_t)((const char *)memchr(text, '\n', len) - text) + 1;
		rc = evs_append_feed(a, text, n, diag);
		if (rc == 0)
			rc = evs_append_flush(a, false, diag);
	}
	return rc;
}

static int append(struct trial *t, const char *text, size_t len)
{
	struct evs_append_opts opts = { .source = t->source,
					.flush_rows = t->flush_rows,
					.no_wait = t->no_wait,
					.on_ack = on_ack,
					.on_note = on_note,
					.now = 1709294400000000000,
					.arg = t };
	struct evs_appender *a = NULL;
	struct evs_diag diag = { 0 };
	int rc, wait_ms;

	t->acked = 0;
	rc = evs_append_open(&a, stream, &opts, &diag);
	if (rc == 0)
		rc = t->by_line ? feed_lines(a, text, len, &diag)
				: evs_append_feed(a, text, len, &diag);
	if (rc == 0)
		rc = evs_append_idle(a, &wait_ms, &diag);
	if (rc == 0)
		rc = evs_append_flush(a, true, &diag);
	if (rc < 0 && !diag.what[0])
		rc = 1; /* failed without a word */
	evs_append_close(a);
	return rc;
}

static int on_text(void *arg, const void *data, size_t len)
{
	struct trial *t = arg;
	const char *p = data, *end = p + len;
	unsigned long n;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		const char *line = p;

		while (line > (const char *)data && line[-1] != '\n')
			line--;
		for (; line < p && strncmp(line, "\"n\":", 4) != 0; line++)
			;
		n = strtoul(line + 4, NULL, 10);
		if (n >= MAX_ROWS)
			abort();
		t->seen[n]++;
		t->rows++;
		p++;
	}
	return 0;
}

static void on_damage(void *arg, const struct evs_damage *d)
{
	struct trial *t = arg;

	t->damages++;
	t->lost += d->torn ? 0 : d->rows;
}

static int scan(struct trial *t, const struct evs_scan_opts *how)
{
	const char *const paths[] = { stream };
	struct evs_scan_opts opts = *how;
	const struct evs_print_opts print = { .output = EVS_NDJSON };
	struct evs_scan *s = NULL;
	struct evs_printer *p = NULL;
	struct evs_batch *b;
	struct evs_diag diag = { 0 };
	int rc;

	memset(t->seen, 0, sizeof(t->seen));
	t->rows = t->damages = 0;
	t->lost = 0;
	opts.on_damage = on_damage;
	opts.arg = t;
	rc = evs_print_open(&p, &print, on_text, t, &diag);
	if (rc == 0)
		rc = evs_scan_open(&s, paths, 1, &opts, &diag);
	for (int again = how->follow; rc == 0 && again >= 0; again--) {
		while ((rc = evs_scan_next(s, &b, &diag)) == 1) {
			rc = evs_print_batch(p, b, UINT64_MAX, &diag);
			if (rc < 0)
				break;
		}
		if (rc == 0 && again)
			rc = evs_scan_refresh(s, &diag);
	}
	if (rc == 0)
		rc = evs_print_end(p, &diag);
	if (rc < 0 && !diag.what[0])
		rc = 2;
	evs_scan_close(s);
	evs_print_close(p);
	return rc;
}

static bool once(const struct trial *t, unsigned first, unsigned last, bool all)
{
	for (unsigned i = first; i < last; i++)
		if (t->seen[i] > 1 || (all && !t->seen[i]))
			return false;
	return true;
}

/* ---- the loop ------------------------------------------------------------------------------------ */

enum { MAY, MUST, MUST_NOT }; /* lead to an error */

static const struct fault {
	const char *call;
	int error, action, fails;
} faults[] = {
	{ "memory", ENOMEM, FAIL_ERROR, MAY },
	{ "open", EMFILE, FAIL_ERROR, MAY },
	{ "open", EINTR, FAIL_ERROR, MUST_NOT },
	{ "fcntl", ENOLCK, FAIL_ERROR, MAY },
	{ "fcntl", EINTR, FAIL_ERROR, MUST_NOT },
	{ "fstat", EIO, FAIL_ERROR, MAY },
	{ "fstat", EINTR, FAIL_ERROR, MUST_NOT },
	{ "stat", EACCES, FAIL_ERROR, MAY },
	{ "stat", EINTR, FAIL_ERROR, MUST_NOT },
	{ "pread", EIO, FAIL_ERROR, MAY },
	{ "pread", 0, FAIL_ZERO, MAY },
	{ "pread", EINTR, FAIL_ERROR, MUST_NOT },
	{ "pread", EAGAIN, FAIL_ERROR, MAY }, /* waiting for a file would be waiting for ever */
	{ "pread", 0, FAIL_SHORT, MUST_NOT },
	{ "pwrite", ENOSPC, FAIL_ERROR, MUST },
	{ "pwrite", 0, FAIL_ZERO, MUST },
	{ "pwrite", EINTR, FAIL_ERROR, MUST_NOT },
	{ "pwrite", EAGAIN, FAIL_ERROR, MUST },
	{ "pwrite", 0, FAIL_SHORT, MUST_NOT },
	{ "write", EDQUOT, FAIL_ERROR, MUST },
	{ "write", 0, FAIL_ZERO, MUST },
	{ "write", EINTR, FAIL_ERROR, MUST_NOT },
	{ "write", EAGAIN, FAIL_ERROR, MUST },
	{ "write", 0, FAIL_SHORT, MUST_NOT },
	{ "fdatasync", EIO, FAIL_ERROR, MUST },
	{ "fdatasync", EINTR, FAIL_ERROR, MUST_NOT },
	{ "fsync", EIO, FAIL_ERROR, MUST },
	{ "fsync", EINTR, FAIL_ERROR, MUST_NOT },
	{ "fsync", EINVAL, FAIL_ERROR, MUST_NOT }, /* a file system that syncs no folders */
	{ "ftruncate", EIO, FAIL_ERROR, MAY },
	{ "ftruncate", EINTR, FAIL_ERROR, MUST_NOT },
	{ "rename", EIO, FAIL_ERROR, MUST },
	{ "rename", EINTR, FAIL_ERROR, MUST_NOT },
	{ "unlink", EIO, FAIL_ERROR, MAY },
	{ "unlink", EINTR, FAIL_ERROR, MUST_NOT },
	{ "mkdir", EDQUOT, FAIL_ERROR, MUST },
	{ "mkdir", EINTR, FAIL_ERROR, MUST_NOT },
	{ "opendir", EMFILE, FAIL_ERROR, MAY },
	{ "opendir", EINTR, FAIL_ERROR, MUST_NOT },
	{ "readdir", EIO, FAIL_ERROR, MAY },
	{ "readdir", EINTR, FAIL_ERROR, MUST_NOT },
	{ "pthread_create", EAGAIN, FAIL_ERROR, MUST_NOT },
	{ "pthread_attr_init", ENOMEM, FAIL_ERROR, MUST_NOT },
	{ "pthread_attr_setstacksize", EINVAL, FAIL_ERROR, MUST_NOT },
	{ "pthread_mutex_init", EAGAIN, FAIL_ERROR, MUST },
};

static bool right(const struct fault *f, int rc, bool hit)
{
	if (rc > 0 || (rc < 0 && !hit))
		return false;
	return !hit || f->fails == MAY || (rc < 0) == (f->fails == MUST);
}

/* make coverage tries all calls that fail alone; what fails for ever fails much alike, wherever it begins. */
static long stride(long n, int on)
{
	const char *config = getenv("EVS_CONFIG");
	bool all = !on && (!config || !strcmp(config, "coverage"));

	return all || n < 4 ? 1 : n / 2;
}

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
	ok = ok && once(&t, 0, old, true) && once(&t, old, last, rc == 0) && t.rows >= old + t.acked;
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
					 name, f->call, n, on ? " and on" : "", f->error, f->action);
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
					 name, f->call, n, on ? " and on" : "", f->error, f->action);
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

/* ---- states of the store ------------------------------------------------------------------------- */

static void apply(const char *text)
{
	struct evs_diag diag;

	if (evs_store_apply(store, text, strlen(text), NULL, NULL, NULL, NULL, &diag) < 0)
		abort();
}

/* Rows of the numbers given, in so many commits (0: one for each, with a source). */
static void more(unsigned first, unsigned last, unsigned commits)
{
	static struct trial t;
	unsigned pieces = commits ? commits : 1, rows = last - first;
	size_t len;
	char *text;

	for (unsigned i = 0; i < pieces; i++) {
		text = rows_text(first + rows * i / pieces, first + rows * (i + 1) / pieces, &len);
		t.by_line = !commits;
		t.source = commits ? NULL : first ? "another" : "one";
		if (append(&t, text, len) != 0)
			abort();
		free(text);
	}
}

static void start(unsigned rows, unsigned commits)
{
	(void)nftw(store, remove_one, 8, FTW_PHYS | FTW_DEPTH);
	apply(ddl);
	more(0, rows, commits);
}

/* Every segment: `n` bytes from `at` (from the end when negative) become `byte`; or it ends there. */
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

/* Every segment: what was added since `before`, up to the trailers, becomes zero; or one byte of it does not. */
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
	const char *tmp = getenv("TMPDIR");

	if (!tmp)
		tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(store, sizeof(store), "%.40s/evseg-fail-XXXXXX", tmp);
	if (!mkdtemp(store))
		abort();
	snprintf(stream, sizeof(stream), "%s/ev", store);
	test_new_store();
	test_more_commits();
	test_new_columns();
	test_recovery();
	test_index();
	test_filters();
	(void)nftw(store, remove_one, 8, FTW_PHYS | FTW_DEPTH);
	return t_done();
}
