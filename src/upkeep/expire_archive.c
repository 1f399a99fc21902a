/*
 * --archive-to: a segment is copied into another store, and every byte of the copy verified, before
 * it is dropped.
 *
 * The archive is a store like any other, schema included, so that evcat reads it where it is.
 */
#include "src/upkeep/expire.h"

#include "src/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)256 << 10)

/* ---- bytes ----------------------------------------------------------------------------------- */

struct piece {
	const char *path;
	int fd;
	uint8_t *bytes;
	size_t n;
};

static int read_piece(struct piece *p, uint64_t off, struct evs_diag *diag)
{
	return evs_io_pread_some(p->fd, p->bytes, PIECE, off, &p->n, p->path, diag);
}

/* 0: the same. 1: not. */
static int compare(struct piece *a, struct piece *b, struct evs_diag *diag)
{
	int rc = 0;

	a->n = PIECE;
	for (uint64_t off = 0; rc == 0 && a->n == PIECE; off += a->n) {
		rc = read_piece(a, off, diag);
		if (rc == 0)
			rc = read_piece(b, off, diag);
		if (rc == 0 && (a->n != b->n || memcmp(a->bytes, b->bytes, a->n) != 0))
			rc = 1;
	}
	return rc;
}

static int copy(struct piece *from, struct piece *to, struct evs_diag *diag)
{
	int rc = evs_io_truncate(to->fd, 0, to->path, diag);

	from->n = PIECE;
	for (uint64_t off = 0; rc == 0 && from->n == PIECE; off += from->n) {
		rc = read_piece(from, off, diag);
		if (rc == 0)
			rc = evs_io_pwrite(to->fd, from->bytes, from->n, off, to->path, diag);
	}
	return rc == 0 ? evs_io_sync(to->fd, to->path, diag) : rc;
}

/* ---- verifying ------------------------------------------------------------------------------- */

struct verdict {
	bool bad;
	struct evs_diag *diag;
};

static void on_damage(void *arg, const struct evs_damage *d)
{
	struct verdict *v = arg;

	if (!d->torn && !v->bad)
		(void)evs_fail_off(v->diag, EVS_E_FORMAT, d->path, d->off, d->what);
	v->bad |= !d->torn;
}

/* Every frame and every block. */
static int verify(const char *path, struct evs_diag *diag)
{
	struct verdict v = { .diag = diag };
	const struct evs_group *g;
	struct evs_segment *s = NULL;
	uint64_t off;
	int rc = evs_segment_open(&s, path, on_damage, &v, diag);

	while (rc >= 0 && !v.bad && (rc = evs_segment_next(s, &g, &off, diag)) > 0)
		rc = evs_segment_verify(s, diag);
	evs_segment_close(s);
	return rc < 0 ? rc : v.bad ? EVS_E_FORMAT : 0;
}

/* ---- one file -------------------------------------------------------------------------------- */

/*
 * As a writer makes a segment (spec/store.md 4): only who holds the lock of `.NAME.new`, which the
 * next try uses again, makes NAME. 0: that is us. 1: another one was there before.
 */
static int begin_copy(struct piece *to, const char *path, struct evs_diag *diag)
{
	static const struct evs_wait at_once = { .never = true };
	struct evs_io_stat st;
	int rc;

	do {
		evs_io_close(to->fd);
		rc = evs_io_open_write(&to->fd, to->path, true, diag);
		evs_io_close(to->fd);
		to->fd = -1;
		if (rc == 0)
			rc = evs_segment_lock(&to->fd, to->path, &at_once, diag);
	} while (rc == 1);
	if (rc == 0)
		rc = evs_io_stat(path, &st, diag);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = evs_io_unlink(to->path, diag);
	return rc < 0 ? rc : 1;
}

static int make_copy(struct piece *from, struct piece *to, const char *path, bool segment,
		     struct evs_diag *diag)
{
	int rc = evs_io_like(to->fd, from->path, diag);

	if (rc == 0)
		rc = copy(from, to, diag);
	if (rc == 0 && (rc = compare(from, to, diag)) > 0)
		rc = evs_fail_path(diag, EVS_E_SYS, to->path,
				   "reads back other than it was written");
	if (rc == 0 && segment)
		rc = verify(to->path, diag);
	if (rc == 0)
		rc = evs_io_rename(to->path, path, diag);
	if (rc < 0)
		(void)evs_io_unlink(to->path, NULL);
	return rc == 0 ? evs_io_sync_parent(path, diag) : rc;
}

static int use_copy(struct piece *from, struct piece *to, const char *path, bool segment,
		    struct evs_diag *diag)
{
	int rc;

	evs_io_close(to->fd);
	to->path = path;
	rc = evs_io_open_read(&to->fd, path, diag);
	if (rc == 0)
		rc = compare(from, to, diag);
	if (rc > 0)
		return evs_fail_path(
			diag, EVS_E_SYS, path,
			"is another file than the one to be archived, so that one is not dropped");
	if (rc == 0 && segment)
		rc = verify(path, diag);
	if (rc == 0)
		rc = evs_io_sync(to->fd, path, diag);
	return rc == 0 ? evs_io_sync_parent(path, diag) : rc;
}

/* `from` at dir/NAME, whole and on disk, whether it was there or not. */
static int archive_file(const char *from, const char *dir, bool segment, struct evs_diag *diag)
{
	const char *name = evs_path_name(from);
	char path[EVS_PATH_MAX], hidden[EVS_PATH_MAX], fresh[300];
	struct piece a = { .path = from, .fd = -1, .bytes = malloc(PIECE) };
	struct piece b = { .path = hidden, .fd = -1, .bytes = malloc(PIECE) };
	struct evs_io_stat st;
	int rc = a.bytes && b.bytes ? 0 : evs_fail_nomem(diag);

	(void)snprintf(fresh, sizeof(fresh), ".%.255s.new", name);
	if (rc == 0)
		rc = evs_path_join(path, dir, name, diag);
	if (rc == 0)
		rc = evs_path_join(hidden, dir, fresh, diag);
	if (rc == 0)
		rc = evs_io_open_read(&a.fd, from, diag);
	if (rc == 0)
		rc = evs_io_stat(path, &st, diag);
	if (rc == 1 && (rc = begin_copy(&b, path, diag)) == 0)
		rc = make_copy(&a, &b, path, segment, diag);
	else if (rc >= 0)
		rc = use_copy(&a, &b, path, segment, diag);
	evs_io_close(a.fd);
	evs_io_close(b.fd);
	free(a.bytes);
	free(b.bytes);
	return rc;
}

/* ---- the archive's stream -------------------------------------------------------------------- */

/* Schemas only ever gain: the newer one of the two is the archive's from now on. */
static int choose_schema(const char *dir, const struct evs_table *t, bool *write,
			 struct evs_diag *diag)
{
	struct evs_table *old = NULL;
	bool same = false;
	int rc = evs_stream_table(dir, &old, diag);

	*write = rc == 1;
	if (rc == 0 && evs_table_compatible(t, old, &same, NULL) < 0) {
		*write = true;
		rc = evs_table_compatible(old, t, &same, diag);
	}
	evs_table_free(old);
	return rc < 0 ? rc : 0;
}

static int put_schema(const char *stream, const char *dir, const struct evs_table *t,
		      struct evs_diag *diag)
{
	char from[EVS_PATH_MAX], to[EVS_PATH_MAX], *text = NULL;
	bool write = false;
	size_t len = 0;
	int fd = -1, rc = evs_stream_lock(dir, NULL, &fd, diag);

	if (rc == 0)
		rc = choose_schema(dir, t, &write, diag);
	if (rc == 0)
		rc = evs_path_join(from, stream, "schema.sql", diag);
	if (rc == 0)
		rc = evs_path_join(to, dir, "schema.sql", diag);
	if (rc == 0 && write)
		rc = evs_io_read_file(from, EVS_MAX_SCHEMA, &text, &len, diag);
	if (rc == 0 && write)
		rc = evs_io_write_file(to, text, len, diag);
	else if (rc == 0)
		rc = evs_io_sync_dir(dir, diag); /* spec/store.md 9-3 */
	free(text);
	evs_io_close(fd);
	return rc < 0 ? rc : 0;
}

static bool is_inside(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (path[n] == '/' || path[n] == '\0');
}

/* The archive must not be the stream's own store, and not in the stream. */
static int check_place(const char *archive, const char *real, struct evs_diag *diag)
{
	char above[EVS_PATH_MAX], *place = NULL;
	bool own = false;
	struct evs_io_stat st;
	int rc = evs_io_stat(archive, &st, diag);

	if (rc == 0) {
		rc = evs_io_realpath(archive, &place, diag);
		own = rc == 0 && evs_path_above(above, real, 1) && !strcmp(place, above);
	} else if (rc == 1) { /* it will be made in a folder that is there */
		rc = evs_path_above(above, archive, 1)
			     ? evs_io_realpath(above, &place, diag)
			     : evs_fail(diag, EVS_E_LIMIT, "path too long");
	}
	if (rc == 0 && (own || is_inside(place, real)))
		rc = evs_fail(
			diag, EVS_E_USAGE,
			"%.400s lies in the store that is being expired: archive to another one",
			archive);
	free(place);
	return rc;
}

int evs_archive_open(struct evs_archive *a, const char *archive, const char *stream,
		     const struct evs_table *t, struct evs_diag *diag)
{
	char *real = NULL, *place = NULL;
	bool fresh;
	int rc = evs_io_realpath(stream, &real, diag);

	if (rc == 0)
		rc = check_place(archive, real, diag);
	if (rc == 0)
		rc = evs_path_join(a->dir, archive, evs_path_name(real), diag);
	if (rc == 0)
		rc = evs_stream_make(a->dir, &fresh, diag);
	if (rc == 0)
		rc = put_schema(stream, a->dir, t, diag);
	if (rc == 0)
		rc = evs_io_realpath(a->dir, &place, diag); /* the ledger is read from elsewhere */
	if (rc == 0)
		rc = evs_path_join(a->dir, place, "", diag);
	a->ready = rc == 0;
	free(place);
	free(real);
	return rc;
}

int evs_archive_put(struct evs_archive *a, const struct evs_visit *at, const struct evs_leaving *v,
		    struct evs_diag *diag)
{
	char dir[EVS_PATH_MAX];
	int rc = evs_path_join(dir, a->dir, at->folder, diag);

	if (rc == 0)
		rc = evs_io_mkdir(dir, diag);
	if (rc >= 0)
		rc = evs_io_sync_parent(dir, diag);
	for (size_t i = 0; i < v->ntails && rc == 0; i++)
		rc = archive_file(v->tails[i], dir, false, diag);
	if (rc == 0)
		rc = archive_file(at->path, dir, true, diag);
	return rc == 0 ? evs_path_join(a->copy, dir, at->name, diag) : rc;
}
