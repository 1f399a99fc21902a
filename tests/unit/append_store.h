/*
 * A store of one stream, "ev": text is put together, appended and counted. Who includes this first
 * defines _XOPEN_SOURCE 700.
 */
#ifndef EVS_TESTS_APPEND_STORE_H
#define EVS_TESTS_APPEND_STORE_H

#include "evseg.h"
#include "tests/unit/t.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64], stream[96];

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

/* A new store with the stream "ev". */
static inline void fresh_table(const char *ddl)
{
	struct evs_diag d = { 0 };

	(void)nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	if (evs_store_apply(dir, ddl, strlen(ddl), NULL, NULL, NULL, NULL, &d) < 0) {
		printf("        %s\n", d.what);
		abort();
	}
}

/* ... of a time and these columns. */
static inline void fresh(const char *columns)
{
	static char ddl[16384];

	snprintf(ddl, sizeof(ddl), "CREATE TABLE ev (ts DateTime NOT NULL, %s;\n", columns);
	fresh_table(ddl);
}

/* ---- text ------------------------------------------------------------------------------------ */

static char *text;
static size_t len, text_room;

static inline void put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline void put(const char *fmt, ...)
{
	va_list ap;
	int n;

	if (text_room - len < 8192) {
		text_room = text_room * 2 + (1 << 20);
		text = realloc(text, text_room);
		if (!text)
			abort();
	}
	va_start(ap, fmt);
	n = vsnprintf(text + len, text_room - len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= text_room - len)
		abort();
	len += (size_t)n;
}

/* `n` letters that do not compress. */
static inline void put_noise(uint64_t seed, unsigned n)
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

static inline void on_ack(void *arg, const struct evs_ack *ack)
{
	(void)arg;
	acked += ack->rows;
}

/* Feed `text`, and how much of it was acknowledged before the end of the input. */
static inline int append(const struct evs_append_opts *how, struct evs_append_stats *stats,
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

static inline void on_damage(void *arg, const struct evs_damage *d)
{
	(void)d;
	++*(unsigned *)arg;
}

static inline int rows_there(unsigned *damages)
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

/* All of the text is stored, and comes back. */
static inline void check_whole(const char *name, const struct evs_append_opts *how, uint64_t rows,
			       uint64_t *early, struct evs_append_stats *stats)
{
	struct evs_diag d = { 0 };
	unsigned damages;

	t_check(name, append(how, stats, early, &d) == 0);
	t_check(name, stats->stored == rows && acked == rows);
	t_check(name, rows_there(&damages) == (int)rows && !damages);
	len = 0;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static inline void begin(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(dir, sizeof(dir), "%s/evseg-append-XXXXXX", base);
	if (!mkdtemp(dir))
		abort();
	snprintf(stream, sizeof(stream), "%s/ev", dir);
}

static inline int end(void)
{
	free(text);
	(void)nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	return t_done();
}

#endif
