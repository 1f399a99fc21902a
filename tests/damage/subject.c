/*
 * Putting a file in its place and scanning it, through evseg.h only. See subject.h.
 */
#define _XOPEN_SOURCE 700 /* nftw */

#include "subject.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

uint8_t *load_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *data;

	if (!f || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode)) {
		if (f)
			fclose(f);
		return NULL;
	}
	*size = (size_t)st.st_size;
	data = must(malloc(*size + 1));
	if (fread(data, 1, *size, f) != *size) {
		free(data);
		data = NULL;
	}
	fclose(f);
	return data;
}

void store_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
		perror(path);
		exit(2);
	}
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_tree(const char *dir)
{
	(void)nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- a place for the file -------------------------------------------------------------------- */

/* nftw() has no argument to hand on. */
static const char *wanted;
static char found[768];

static int match_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	if (type != FTW_F || !strstr(path + ftw->base, wanted))
		return 0;
	snprintf(found, sizeof(found), "%s", path);
	return 1;
}

bool subject_find(const struct subject *s, const char *part, char *path, size_t room)
{
	char store[256];

	snprintf(store, sizeof(store), "%s/store", s->dir);
	wanted = part;
	if (nftw(store, match_one, 16, FTW_PHYS) != 1)
		return false;
	snprintf(path, room, "%.767s", found);
	return true;
}

static void die(const char *what, const struct evs_diag *diag)
{
	fprintf(stderr, "damage: %s: %s\n", what, diag->what);
	exit(2);
}

void subject_schema(struct subject *s, const uint8_t *bytes, uint64_t size)
{
	char part[256], schema[800], *ddl = NULL;
	struct evs_diag diag = { 0 };
	size_t len = 0;

	snprintf(part, sizeof(part), "%s/part.evs", s->dir);
	store_file(part, bytes, size);
	if (evs_schema_show(part, &ddl, &len, &diag) < 0)
		die("no schema", &diag);
	if (s->stream[0]) {
		snprintf(schema, sizeof(schema), "%.767s/schema.sql", s->stream);
		store_file(schema, ddl, len);
	} else {
		snprintf(schema, sizeof(schema), "%.120s/store", s->dir);
		if (evs_store_apply(schema, ddl, len, NULL, NULL, NULL, NULL, &diag) < 0)
			die("schema", &diag);
	}
	free(ddl);
	remove(part);
}

/* The file's place when no row can tell: any tenant's folder will do for reading. */
static void any_place(struct subject *s, const struct version *v)
{
	time_t t = (time_t)v->part_lo;
	struct tm tm;

	(void)gmtime_r(&t, &tm);
	snprintf(s->path, sizeof(s->path), "%.767s/_", s->stream);
	(void)mkdir(s->path, 0700);
	snprintf(s->path, sizeof(s->path), "%.767s/_/%04d-%02d-%02d.evs", s->stream,
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

void subject_open(struct subject *s, const char *dir, const struct version *v, const char *line)
{
	struct evs_diag diag = { 0 };

	*s = (struct subject){ .fd = -1 };
	snprintf(s->dir, sizeof(s->dir), "%.120s", dir);
	snprintf(s->loose, sizeof(s->loose), "%.120s/loose.evs", dir);
	remove_tree(dir);
	if (mkdir(dir, 0700) < 0) {
		perror(dir);
		exit(2);
	}
	subject_schema(s, v->data, v->size);
	if (!subject_find(s, "schema.sql", s->stream, sizeof(s->stream)))
		die(dir, &diag);
	*strrchr(s->stream, '/') = '\0';
	if (!line || subject_append(s, line, strlen(line), version_clock(v), NULL, &diag) < 0 ||
	    !subject_find(s, ".evs", s->path, sizeof(s->path)))
		any_place(s, v);
	s->fd = open(s->path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (s->fd < 0 || link(s->path, s->loose) < 0) {
		perror(s->path);
		exit(2);
	}
}

void subject_close(struct subject *s)
{
	if (s->fd >= 0)
		close(s->fd);
	for (size_t i = 0; i < s->ncolumns; i++)
		free(s->columns[i]);
	free(s->columns);
	if (s->dir[0])
		remove_tree(s->dir);
	*s = (struct subject){ .fd = -1 };
}

void subject_put(struct subject *s, const uint8_t *bytes, uint64_t size, uint64_t lo, uint64_t hi)
{
	if (hi > size)
		hi = size;
	if (size != s->size && ftruncate(s->fd, (off_t)size) < 0)
		goto bad;
	for (uint64_t at = lo; at < hi;) {
		ssize_t n = pwrite(s->fd, bytes + at, (size_t)(hi - at), (off_t)at);

		if (n <= 0)
			goto bad;
		at += (uint64_t)n;
	}
	s->size = size;
	return;
bad:
	perror(s->path);
	exit(2);
}

/* ---- scanning -------------------------------------------------------------------------------- */

void answer_init(struct answer *a)
{
	*a = (struct answer){ 0 };
	a->batches = must(calloc(MAX_BATCHES, sizeof(*a->batches)));
	a->reports = must(calloc(MAX_REPORTS, sizeof(*a->reports)));
}

void answer_release(struct answer *a)
{
	free(a->batches);
	free(a->reports);
	free(a->lines);
	*a = (struct answer){ 0 };
}

static void on_damage(void *arg, const struct evs_damage *d)
{
	struct answer *a = arg;
	struct report *r = &a->reports[a->nreports];

	if (a->nreports == MAX_REPORTS - 1)
		return; /* the sums will not add up */
	a->nreports++;
	*r = (struct report){ d->off, d->rows, d->rows_known, d->torn, "" };
	snprintf(r->what, sizeof(r->what), "%.79s", d->what);
}

/* What the printer writes of one batch. */
struct sink {
	XXH3_state_t *state;
	struct answer *a;
	XXH3_state_t *line;
};

static int hash_text(void *arg, const void *data, size_t len)
{
	struct sink *k = arg;
	struct answer *a = k->a;
	const char *p = data, *end = p + len, *newline;

	(void)XXH3_64bits_update(k->state, data, len);
	for (; a->want_lines && p < end; p = newline) {
		newline = memchr(p, '\n', (size_t)(end - p));
		newline = newline ? newline + 1 : end;
		(void)XXH3_64bits_update(k->line, p, (size_t)(newline - p));
		if (newline[-1] != '\n')
			continue;
		if (a->nlines == a->lines_cap) {
			a->lines_cap = a->lines_cap ? 2 * a->lines_cap : 1024;
			a->lines = must(realloc(a->lines, a->lines_cap * sizeof(*a->lines)));
		}
		a->lines[a->nlines++] = XXH3_64bits_digest(k->line);
		(void)XXH3_64bits_reset(k->line);
	}
	return 0;
}

static int read_batches(struct evs_scan *scan, struct evs_printer *printer, struct sink *k,
			struct evs_diag *diag)
{
	struct answer *a = k->a;
	struct evs_batch *batch;
	int rc;

	while ((rc = evs_scan_next(scan, &batch, diag)) == 1 && a->nbatches < MAX_BATCHES) {
		struct seen *b = &a->batches[a->nbatches++];

		(void)XXH3_64bits_reset(k->state);
		rc = evs_print_batch(printer, batch, UINT64_MAX, diag);
		if (rc == 0)
			rc = evs_print_flush(printer, diag);
		if (rc < 0)
			return rc;
		*b = (struct seen){ evs_batch_rows(batch), XXH3_64bits_digest(k->state) };
		a->rows += b->rows;
	}
	return rc;
}

static void scan_open(struct subject *s, unsigned view, struct answer *a, struct sink *k)
{
	struct evs_scan_opts opts = { .on_damage = on_damage, .arg = a };
	struct evs_print_opts print = { .output = EVS_NDJSON };
	bool times = view_has_times(view);
	const char *path = view_is_loose(view) ? s->loose : s->stream;
	const char *columns[LESS_MAX + 1];
	struct evs_printer *printer = NULL;
	struct evs_scan_progress progress;
	struct evs_scan *scan = NULL;
	struct evs_diag diag = { 0 };

	opts.has_since = times;
	opts.since = times ? s->since[view - VIEW_TIMES] : 0;
	opts.has_until = times || view == VIEW_PRUNED;
	opts.until = times ? s->until[view - VIEW_TIMES] : INT64_MAX;
	for (size_t i = 0; view >= VIEW_LESS && i < s->ncolumns; i++)
		if (i != view - VIEW_LESS)
			columns[opts.ncolumns++] = s->columns[i];
	opts.columns = view >= VIEW_LESS ? columns : NULL;
	a->rc = evs_scan_open(&scan, &path, 1, &opts, &diag);
	if (a->rc == 0)
		a->rc = evs_print_open(&printer, &print, hash_text, k, &diag);
	if (a->rc == 0)
		a->rc = read_batches(scan, printer, k, &diag);
	if (scan) {
		evs_scan_progress(scan, &progress);
		a->damaged = progress.damaged;
		a->lost = progress.rows_lost;
	}
	if (a->rc < 0)
		snprintf(a->error, sizeof(a->error), "%.199s", diag.what);
	a->damaged = a->damaged || evs_exit_status(a->rc) == 3;
	evs_print_close(printer);
	evs_scan_close(scan);
}

void subject_scan(struct subject *s, unsigned view, struct answer *a)
{
	struct sink k = { XXH3_createState(), a, XXH3_createState() };

	must(k.state);
	must(k.line);
	(void)XXH3_64bits_reset(k.line);
	a->rc = 0;
	a->error[0] = '\0';
	a->nbatches = a->nreports = a->nlines = 0;
	a->rows = a->lost = 0;
	a->damaged = false;
	watch_begin();
	scan_open(s, view, a, &k);
	watch_end(&a->used);
	(void)XXH3_freeState(k.line);
	(void)XXH3_freeState(k.state);
}

struct found {
	int64_t n;
	char *first;
	size_t room;
};

static void on_finding(void *arg, const struct evs_finding *f)
{
	struct found *k = arg;

	if (f->kind != EVS_FOUND_REMARK && k->n++ == 0)
		snprintf(k->first, k->room, "offset %llu: %s %s", (unsigned long long)f->off,
			 f->rule, f->what);
}

int64_t subject_check(const struct subject *s, char *first, size_t room, struct watch *used)
{
	struct found k = { .first = first, .room = room };
	struct evs_check_opts opts = { .on_finding = on_finding, .arg = &k };
	const char *path = s->path;
	struct evs_check_counts counts;
	struct evs_diag diag = { 0 };
	int rc;

	first[0] = '\0';
	watch_begin();
	rc = evs_check(&path, 1, &opts, &counts, &diag);
	watch_end(used);
	if (rc < 0)
		snprintf(first, room, "%s", diag.what);
	return rc < 0 ? rc : k.n;
}

static void on_fail(void *arg, const char *path, const struct evs_diag *why)
{
	struct evs_diag *diag = arg;

	(void)path;
	*diag = *why;
}

int subject_compact(struct subject *s, int64_t now, struct watch *used, struct evs_diag *diag)
{
	struct evs_compact_opts opts = {
		.all = true, .zstd_level = 1, .now = now, .on_fail = on_fail, .arg = diag
	};
	struct evs_compact_stats stats;
	struct evs_diag other = { 0 };
	const char *path = s->path;
	int rc;

	watch_begin();
	rc = evs_compact(&path, 1, &opts, &stats, &other);
	watch_end(used);
	return rc;
}

void subject_again(struct subject *s)
{
	if (remove(s->path) < 0 || link(s->loose, s->path) < 0) {
		perror(s->path);
		exit(2);
	}
}

int subject_append(struct subject *s, const char *lines, size_t len, int64_t now,
		   const char *source, struct evs_diag *diag)
{
	struct evs_append_opts opts = { .now = now ? now : 1, .strict = true, .source = source };
	struct evs_appender *a = NULL;
	int rc = evs_append_open(&a, s->stream, &opts, diag);

	if (rc == 0)
		rc = evs_append_feed(a, lines, len, diag);
	if (rc == 0)
		rc = evs_append_flush(a, true, diag);
	evs_append_close(a);
	return rc;
}
