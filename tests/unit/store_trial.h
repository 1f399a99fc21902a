/*
 * A store of numbered rows, for tests in which calls fail while it is worked on: its files
 * remembered and put back, rows appended and read through the public interface, and the errors that
 * calls may give.
 */
#ifndef EVS_TESTS_STORE_TRIAL_H
#define EVS_TESTS_STORE_TRIAL_H

#include "evseg.h"
#include "tests/unit/fail.h"
#include "tests/unit/t.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_ROWS  4000
#define MAX_FILES 64

static char store[64], stream[80];

static const char ddl[] = "CREATE TABLE ev (ts DateTime NOT NULL, who String, n Int64, text String)"
			  " ORDER BY (who, n) PARTITION BY (who, toMonday(ts));\n";
/* ---- files: remembered, and put back --------------------------------------------------------- */

struct image {
	struct {
		char path[256];
		char *data; /* NULL: a folder */
		size_t len;
	} file[MAX_FILES];
	unsigned n;
};

static struct image *taken;

static inline int take_one(const char *path, const struct stat *st, int kind, struct FTW *at)
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
		    fread(taken->file[taken->n].data, 1, (size_t)st->st_size, f) !=
			    (size_t)st->st_size)
			abort();
		(void)fclose(f);
	}
	taken->n++;
	return 0;
}

static inline struct image *take(void)
{
	taken = calloc(1, sizeof(*taken));
	if (!taken || nftw(store, take_one, 8, FTW_PHYS) != 0)
		abort();
	return taken;
}

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static inline void put_back(const struct image *m)
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

static inline void forget(struct image *m)
{
	for (unsigned i = 0; i < m->n; i++)
		free(m->file[i].data);
	free(m);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static bool one_segment; /* rows are all of one tenant and week */

/* Rows first .. last - 1, of three tenants and two weeks, as NDJSON; free() it. */
static inline char *rows_text(unsigned first, unsigned last, size_t *len)
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

static inline void on_ack(void *arg, const struct evs_ack *ack)
{
	((struct trial *)arg)->acked += ack->rows;
}

static inline void on_note(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

static inline int feed_lines(struct evs_appender *a, const char *text, size_t len,
			     struct evs_diag *diag)
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

static inline int append(struct trial *t, const char *text, size_t len)
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

static inline int on_text(void *arg, const void *data, size_t len)
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

static inline void on_damage(void *arg, const struct evs_damage *d)
{
	struct trial *t = arg;

	t->damages++;
	t->lost += d->torn ? 0 : d->rows;
}

static inline int scan(struct trial *t, const struct evs_scan_opts *how)
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

static inline bool once(const struct trial *t, unsigned first, unsigned last, bool all)
{
	for (unsigned i = first; i < last; i++)
		if (t->seen[i] > 1 || (all && !t->seen[i]))
			return false;
	return true;
}

/* ---- the loop -------------------------------------------------------------------------------- */

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
	{ "pthread_cond_init", EAGAIN, FAIL_ERROR, MUST },
};

static inline bool right(const struct fault *f, int rc, bool hit)
{
	if (rc > 0 || (rc < 0 && !hit))
		return false;
	return !hit || f->fails == MAY || (rc < 0) == (f->fails == MUST);
}

/* make coverage tries all calls that fail alone; what fails for ever fails much alike, wherever it
 * begins. */
static inline long stride(long n, int on)
{
	const char *config = getenv("EVS_CONFIG");
	bool all = !on && (!config || !strcmp(config, "coverage"));

	return all || n < 4 ? 1 : n / 2;
}

/* ---- states of the store --------------------------------------------------------------------- */

static inline void apply(const char *text)
{
	struct evs_diag diag;

	if (evs_store_apply(store, text, strlen(text), NULL, NULL, NULL, NULL, &diag) < 0)
		abort();
}

/* Rows of the numbers given, in so many commits (0: one for each, with a source). */
static inline void more(unsigned first, unsigned last, unsigned commits)
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

static inline void start(unsigned rows, unsigned commits)
{
	(void)nftw(store, remove_one, 8, FTW_PHYS | FTW_DEPTH);
	apply(ddl);
	more(0, rows, commits);
}

static inline void store_begin(const char *name)
{
	const char *tmp = getenv("TMPDIR");

	if (!tmp)
		tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(store, sizeof(store), "%.40s/evseg-%.8s-XXXXXX", tmp, name);
	if (!mkdtemp(store))
		abort();
	snprintf(stream, sizeof(stream), "%s/ev", store);
}

static inline void store_end(void)
{
	(void)nftw(store, remove_one, 8, FTW_PHYS | FTW_DEPTH);
}

#endif
