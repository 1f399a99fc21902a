/*
 * Another file in the place of a segment: `.NAME.compact` is filled without the segment's lock,
 * takes in under it what was appended meanwhile, and is renamed over it (spec/store.md 5.1). See
 * store.h.
 *
 * Two locks: that of `.NAME.compact` is held all the time, so that two of us do not meet, and goes
 * with the inode to the new segment; that of the old segment only for the end, in which no writer
 * may append.
 */
#include "src/diag.h"
#include "src/store/segment_read.h"
#include "src/store/segment_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SUFFIX ".compact"

struct evs_replace {
	char dir[EVS_PATH_MAX];
	char name[256];		   /* of the segment in it */
	struct evs_seg_writer new; /* under new_path until it is renamed to path */
	struct evs_seg_writer old; /* open while it is locked */
	struct evs_replace_opts opts;
	uint16_t filtered[EVS_SEG_FILTERED], nfiltered;
	/* what evs_replace_begin() was given */
	struct evs_head head; /* its texts are ours */
	uint64_t dev, ino;
	/* the newest commit whose rows are in, or will be */
	uint64_t commit_off;
	uint8_t hash[EVS_HASH_SIZE];
	struct evs_folded folded;
};

/* Folder and name of a segment's path. */
static int split_path(const char *path, char dir[EVS_PATH_MAX], char *name, size_t cap,
		      struct evs_diag *diag)
{
	const char *last = evs_path_name(path);

	if (strlen(last) >= cap || !evs_path_above(dir, path, 1))
		return evs_fail(diag, EVS_E_USAGE, "%.900s is no path of a segment", path);
	memcpy(name, last, strlen(last) + 1);
	return 0;
}

static int temporary(char out[EVS_PATH_MAX], const char *dir, const char *name,
		     struct evs_diag *diag)
{
	char file[300];

	(void)snprintf(file, sizeof(file), ".%s" SUFFIX, name);
	return evs_path_join(out, dir, file, diag);
}

/*
 * Open and lock a temporary file: 0; 1: it was renamed or removed before the lock was ours, or is
 * not there. `make`: it is made when absent.
 */
static int lock_temporary(const char *path, bool make, int *fd, struct evs_diag *diag)
{
	static const struct evs_wait never = { .never = true };
	struct evs_io_stat mine, there;
	int rc = make ? 0 : evs_io_stat(path, &there, diag);

	if (rc == 0)
		rc = evs_io_open_write(fd, path, make, diag);
	if (rc == 0)
		rc = evs_io_lock(*fd, &never, path, diag);
	if (rc == 0)
		rc = evs_io_fstat(*fd, path, &mine, diag);
	if (rc == 0)
		rc = evs_io_stat(path, &there, diag);
	if (rc == 0 && (mine.ino != there.ino || mine.dev != there.dev))
		rc = 1;
	if (rc != 0) {
		evs_io_close(*fd);
		*fd = -1;
	}
	return rc;
}

int evs_replace_open(struct evs_replace **out, const char *path, struct evs_diag *diag)
{
	struct evs_replace *r = calloc(1, sizeof(*r));
	char temp[EVS_PATH_MAX];
	int rc;

	if (!r)
		return evs_fail_nomem(diag);
	r->new.fd = r->old.fd = -1;
	rc = evs_hash_ready(diag);
	if (rc == 0) /* unreached: otherwise, see there */
		rc = split_path(path, r->dir, r->name, sizeof(r->name), diag);
	if (rc == 0)
		rc = evs_path_join(r->new.path, r->dir, r->name, diag);
	if (rc == 0)
		rc = temporary(temp, r->dir, r->name, diag);
	if (rc == 0) {
		do
			rc = lock_temporary(temp, true, &r->new.fd, diag);
		while (rc == 1);
	}
	if (rc < 0) {
		evs_replace_close(r);
		return rc;
	}
	memcpy(r->new.new_path, temp, sizeof(temp));
	evs_file_init(&r->new.file, r->new.fd, r->new.new_path);
	*out = r;
	return 0;
}

static int keep_head(struct evs_replace *r, const struct evs_head *h, const struct evs_table *t)
{
	r->head = *h;
	r->head.schema_mem = NULL;
	r->head.schema = t->text;
	r->head.schema_len = t->text_len;
	r->head.stream = evs_text_copy(h->stream, h->stream_len);
	r->head.tenant = evs_text_copy(h->tenant, h->tenant_len);
	if (!r->head.stream || !r->head.tenant)
		return EVS_E_NOMEM;
	return 0;
}

/*
 * Id, salt and number of the append follow from what is replaced and what is asked, so that the
 * same comes out each time. They are as good as random ones: who could choose rows by the salt
 * would have to find rows whose hash gives it (spec 4.1-W1).
 */
static void derive(struct evs_replace *r, const struct evs_replace_opts *opts)
{
	static const char about[] = "evseg compacted 1 " EVSEG_VERSION;
	uint8_t out[32];
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, sizeof(out));
	crypto_generichash_update(&st, (const uint8_t *)about, sizeof(about));
	crypto_generichash_update(&st, r->head.segment_id, sizeof(r->head.segment_id));
	crypto_generichash_update(&st, r->hash, sizeof(r->hash));
	crypto_generichash_update(&st, opts->made_for, sizeof(opts->made_for));
	crypto_generichash_update(&st, &opts->level, sizeof(opts->level));
	crypto_generichash_final(&st, out, sizeof(out));
	memcpy(r->head.segment_id, out, sizeof(r->head.segment_id));
	r->head.salt = evs_get64(out + 16);
	r->new.next.append = evs_get32(out + 24);
}

/* Is the commit up to which we have read still part of the file, which ends at `end`? A writer
 * whose sync failed cuts its own off again. */
static int still_there(const struct evs_replace *r, struct evs_file *f, uint64_t end, bool *yes,
		       struct evs_diag *diag)
{
	struct evs_commit c = { 0 };
	struct evs_buf payload = { 0 };
	int rc = 0;

	*yes = r->commit_off < end;
	if (*yes) {
		rc = evs_file_commit(f, r->commit_off, end, &c, &payload, diag);
		*yes = rc == 0 && !memcmp(c.hash, r->hash, sizeof(r->hash));
		rc = rc == EVS_E_FORMAT ? 0 : rc;
	}
	evs_commit_release(&c);
	evs_buf_release(&payload);
	return rc;
}

/* From now on that commit is the newest one of `s`. */
static int remember_newest(struct evs_replace *r, struct evs_segment *s, struct evs_diag *diag)
{
	struct evs_commit newest = { 0 };
	struct evs_buf payload = { 0 };
	int rc = evs_segment_newest(s, &newest, &payload, diag);

	r->commit_off = s->tail.trailer.commit_off;
	memcpy(r->hash, newest.hash, sizeof(r->hash));
	evs_commit_release(&newest);
	evs_buf_release(&payload);
	return rc;
}

int evs_replace_follow(struct evs_replace *r, struct evs_segment *s, struct evs_diag *diag)
{
	bool there = s->ino == r->ino && s->dev == r->dev;
	int rc = there ? still_there(r, &s->file, s->tail.end, &there, diag) : 0;

	if (rc < 0 || !there)
		return rc < 0 ? rc : 1;
	return remember_newest(r, s, diag);
}

int evs_replace_begin(struct evs_replace *r, struct evs_segment *from,
		      const struct evs_replace_opts *opts, struct evs_diag *diag)
{
	struct evs_origin origin;
	int rc = remember_newest(r, from, diag);

	r->opts = *opts;
	r->dev = from->dev;
	r->ino = from->ino;
	if (rc == 0)
		rc = evs_segment_origin(from, &origin, diag);
	if (rc < 0)
		return rc;
	memcpy(r->folded.lineage, origin.lineage, sizeof(r->folded.lineage));
	r->folded.commits = origin.before; /* and those of the file itself, in the end */
	if (keep_head(r, &from->head, opts->table) < 0)
		return evs_fail_nomem(diag);
	r->nfiltered = evs_seg_filtered(opts->table, r->filtered);
	memcpy(r->folded.made_for, opts->made_for, sizeof(r->folded.made_for));
	r->folded.level = opts->level;
	derive(r, opts);
	r->head.major = EVS_FORMAT_MAJOR;
	r->head.minor = EVS_FORMAT_MINOR;
	r->head.refuse_features = 0;
	r->head.ignore_features = opts->kept ? EVS_FEATURE_KEPT : 0;
	rc = evs_io_like(r->new.fd, r->new.path, diag);
	return rc < 0 ? rc : evs_segw_begin(&r->new, &r->head, diag);
}

int evs_replace_dictionary(struct evs_replace *r, struct evs_dictionary *d, struct evs_diag *diag)
{
	return evs_segw_dictionary(&r->new, d, diag);
}

int evs_replace_group(struct evs_replace *r, struct evs_encoder *enc, const struct evs_array *cols,
		      uint32_t run, uint64_t src_bytes, struct evs_diag *diag)
{
	const struct evs_table *t = r->opts.table;
	struct evs_seg_rows rows = { .cols = cols,
				     .ncols = t->ncols,
				     .src_bytes = src_bytes,
				     .filtered = r->filtered,
				     .nfiltered = r->nfiltered,
				     .run = run };

	evs_seg_times(t, &cols[t->time_column], NULL, cols[0].rows, &rows);
	return evs_segw_group(&r->new, enc, &rows, diag);
}

int evs_replace_rollup(struct evs_replace *r, struct evs_encoder *enc,
		       const struct evs_rollup *rollup, struct evs_diag *diag)
{
	return evs_segw_rollup(&r->new, enc, rollup, diag);
}

static void spec_of(struct evs_seg_spec *spec, const struct evs_head *h, const char *dir,
		    const char *name, const struct evs_wait *wait)
{
	*spec = (struct evs_seg_spec){ .dir = dir,
				       .name = name,
				       .stream = h->stream,
				       .tenant = h->tenant,
				       .tenant_len = h->tenant_len,
				       .lo = h->part_lo,
				       .hi = h->part_hi,
				       .unit = h->unit,
				       .schema = h->schema,
				       .schema_len = h->schema_len,
				       .there = true,
				       .wait = wait };
}

/* Tells of the bytes that were set aside when `w` was opened, if any were. */
static int note_aside(const struct evs_seg_writer *w, char **note, struct evs_diag *diag)
{
	char text[2400];

	if (!evs_segw_aside_text(w, text, sizeof(text)))
		return 0;
	*note = strdup(text);
	return *note ? 0 : evs_fail_nomem(diag);
}

int evs_replace_lock(struct evs_replace *r, const struct evs_wait *wait, uint64_t *rows,
		     char **note, struct evs_diag *diag)
{
	struct evs_seg_spec spec;
	bool there = false;
	int rc = evs_segw_sync(&r->new, diag);

	*note = NULL;
	if (rc < 0)
		return rc;
	spec_of(&spec, &r->head, r->dir, r->name, wait);
	rc = evs_segw_open(&r->old, &spec, diag);
	if (rc == EVS_E_SYS && evs_path_gone(r->new.path, diag))
		return 1;
	if (rc == 0)
		rc = note_aside(&r->old, note, diag);
	there = rc == 0 && r->old.ino == r->ino && r->old.dev == r->dev;
	if (there)
		rc = still_there(r, &r->old.file, r->old.end, &there, diag);
	if (rc < 0 || !there)
		return rc < 0 ? rc : 1;
	*rows = r->old.last.rows_total;
	return 0;
}

int evs_replace_finish(struct evs_replace *r, uint64_t *size, struct evs_diag *diag)
{
	struct evs_source *sources = NULL;
	const struct evs_commit *last = &r->old.last;
	uint32_t n = 0;
	int rc = evs_segw_sources(&r->old, &sources, &n, diag);

	if (rc < 0)
		return rc;
	r->folded.commits += last->seq;
	r->folded.rows = last->rows_total;
	memcpy(r->folded.hash, last->hash, sizeof(r->folded.hash));
	r->new.next.folded = r->folded;
	rc = evs_segw_commit_sources(&r->new, sources, n, last->written, diag);
	evs_sources_free(sources, n);
	if (rc == 0)
		rc = evs_io_sync_dir(r->dir, diag);
	*size = r->new.new_path[0] ? 0 : r->new.out_off;
	return rc;
}

void evs_replace_close(struct evs_replace *r)
{
	if (!r)
		return;
	evs_segw_close(&r->old);
	evs_segw_close(&r->new);
	free((void *)(uintptr_t)r->head.stream);
	free((void *)(uintptr_t)r->head.tenant);
	free(r);
}

int evs_replace_sweep(const char *dir, struct evs_diag *diag)
{
	struct evs_io_entry *list = NULL;
	size_t n = 0, suffix = strlen(SUFFIX);
	char path[EVS_PATH_MAX];
	int rc = evs_io_list(dir, &list, &n, diag);

	for (size_t i = 0; i < n && rc == 0; i++) {
		size_t len = strlen(list[i].name);
		int fd = -1;

		if (list[i].is_dir || list[i].name[0] != '.' || len <= suffix ||
		    strcmp(list[i].name + len - suffix, SUFFIX) != 0)
			continue;
		rc = evs_path_join(path, dir, list[i].name, diag);
		if (rc == 0)
			rc = lock_temporary(path, false, &fd, diag);
		if (rc == 0)
			rc = evs_io_unlink(path, diag);
		evs_io_close(fd);
		if (rc == 1 || rc == EVS_E_LOCKED)
			rc = 0; /* it is somebody's */
	}
	evs_io_list_free(list, n);
	return rc;
}

int evs_replace_recover(const char *path, const struct evs_wait *wait, char **note,
			struct evs_diag *diag)
{
	struct evs_seg_writer w = { .fd = -1 };
	char dir[EVS_PATH_MAX], name[256];
	struct evs_segment *s = NULL;
	struct evs_seg_spec spec;
	int rc = split_path(path, dir, name, sizeof(name), diag);

	*note = NULL;
	if (rc == 0)
		rc = evs_segment_open(&s, path, NULL, NULL, diag);
	if (rc == 0) {
		spec_of(&spec, &s->head, dir, name, wait);
		rc = evs_segw_open(&w, &spec, diag);
	}
	if (rc == 0)
		rc = note_aside(&w, note, diag);
	evs_segw_close(&w);
	evs_segment_close(s);
	return rc;
}
