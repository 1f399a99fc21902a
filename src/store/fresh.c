/*
 * A segment made of rows that were read from another one: `.NAME.salvage`, written append by append
 * as a writer would, and renamed when it is whole. See store.h.
 */
#include "src/diag.h"
#include "src/store/segment_write.h"
#include "src/store/sort.h"

#include <stdio.h>
#include <stdlib.h>

#define LEVEL 3
/* Bytes of rows in memory; then they are committed, and what is known of them is forgotten. */
#define APPEND_BYTES ((size_t)16 << 20)

struct evs_fresh {
	char path[EVS_PATH_MAX]; /* what it will be called */
	char dir[EVS_PATH_MAX], name[300];
	char stream[EVS_MAX_NAME + 1];
	struct evs_seg_spec spec;
	const struct evs_head *head;
	struct evs_encoder *enc;
	struct evs_sorter sorter;
	struct evs_array *sorted; /* a group that was not */
	uint16_t nsorted;
	uint32_t *idx;
	uint32_t idx_cap;
	struct evs_seg_writer w;
	bool open, made, done; /* an append is going on; there has been one; all is in its place */
	bool lost;	       /* the file in the making is another's by now */
	uint64_t rows;	       /* put so far */
	size_t bytes;	       /* of the append */
	char *schema;	       /* of the append */
	uint16_t filtered[EVS_SEG_FILTERED], nfiltered;
};

static int split_path(struct evs_fresh *f, struct evs_diag *diag)
{
	const char *last = evs_path_name(f->path);

	if (!*last || strlen(last) > 255 || !evs_path_above(f->dir, f->path, 1))
		return evs_fail(diag, EVS_E_USAGE, "%.900s is no path of a file", f->path);
	(void)snprintf(f->name, sizeof(f->name), ".%.255s.salvage", last);
	return 0;
}

int evs_fresh_absent(const char *path, struct evs_diag *diag)
{
	struct evs_io_stat st;
	int rc = evs_io_stat(path, &st, diag);

	if (rc == 0)
		return evs_fail_path(diag, EVS_E_USAGE, path,
				     "is there already; nothing is overwritten");
	return rc < 0 ? rc : 0;
}

/* The file in the making, and the one that its writer began with. */
static int sweep(struct evs_fresh *f, struct evs_diag *diag)
{
	char temp[EVS_PATH_MAX], name[320];
	int rc = evs_path_join(temp, f->dir, f->name, diag);

	if (rc == 0)
		rc = evs_io_unlink(temp, diag);
	(void)snprintf(name, sizeof(name), ".%s.new", f->name);
	if (rc == 0)
		rc = evs_path_join(temp, f->dir, name, diag);
	return rc == 0 ? evs_io_unlink(temp, diag) : rc;
}

int evs_fresh_open(struct evs_fresh **out, const char *path, const struct evs_head *like,
		   int64_t now, struct evs_diag *diag)
{
	struct evs_encoder_opts opts = { .zstd_level = LEVEL, .packed_below = EVS_PACKED_BELOW };
	struct evs_fresh *f;
	int rc = evs_fresh_absent(path, diag);

	if (rc < 0)
		return rc;
	f = calloc(1, sizeof(*f));
	if (!f)
		return evs_fail_nomem(diag);
	f->w.fd = -1;
	f->head = like;
	rc = snprintf(f->path, sizeof(f->path), "%s", path) < (int)sizeof(f->path)
		     ? split_path(f, diag)
		     : evs_fail(diag, EVS_E_LIMIT, "path too long: %.100s...", path);
	if (rc == 0)
		rc = sweep(f, diag); /* of one that was killed */
	if (rc == 0 && evs_encoder_new(&f->enc, &opts) < 0)
		rc = evs_fail_nomem(diag);
	memcpy(f->stream, like->stream, like->stream_len);
	f->spec = (struct evs_seg_spec){ .dir = f->dir,
					 .name = f->name,
					 .stream = f->stream,
					 .tenant = like->tenant,
					 .tenant_len = like->tenant_len,
					 .lo = like->part_lo,
					 .hi = like->part_hi,
					 .unit = like->unit,
					 .now = now };
	if (rc < 0) {
		evs_fresh_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

/* Another one began with the same file, and removed ours as one that was left over. */
static int lost(struct evs_fresh *f, struct evs_diag *diag)
{
	f->lost = true;
	return evs_fail_path(diag, EVS_E_LOCKED, f->path, "is being made by another one, too");
}

static int commit(struct evs_fresh *f, struct evs_source *sources, uint32_t n,
		  struct evs_diag *diag)
{
	int rc = f->open ? evs_segw_commit_sources(&f->w, sources, n, f->spec.now, diag) : 0;

	f->made |= f->open && rc == 0;
	return rc;
}

static int end_append(struct evs_fresh *f, struct evs_diag *diag)
{
	int rc = commit(f, NULL, 0, diag);

	if (f->open)
		evs_segw_close(&f->w);
	f->open = false;
	return rc;
}

/* Rows of another schema, or many of them, are another append. */
static int begin_append(struct evs_fresh *f, const struct evs_table *t, const char *schema,
			size_t len, struct evs_diag *diag)
{
	bool same = f->schema && strlen(f->schema) == len && !memcmp(f->schema, schema, len);
	int rc = 0;

	if (f->open && same && f->bytes < APPEND_BYTES)
		return 0;
	rc = end_append(f, diag);
	if (rc < 0)
		return rc;
	if (!same) {
		free(f->schema);
		f->schema = strdup(schema);
		if (!f->schema)
			return evs_fail_nomem(diag);
	}
	f->spec.schema = f->schema;
	f->spec.schema_len = len;
	f->bytes = 0;
	f->nfiltered = evs_seg_filtered(t, f->filtered);
	rc = evs_segw_open(&f->w, &f->spec, diag);
	f->open = rc == 0;
	if (rc < 0)
		evs_segw_close(&f->w);
	return rc == 0 && f->w.last.rows_total != f->rows ? lost(f, diag) : rc;
}

static void drop_sorted(struct evs_fresh *f)
{
	for (uint16_t c = 0; f->sorted && c < f->nsorted; c++)
		evs_array_release(&f->sorted[c]);
	free(f->sorted);
	f->sorted = NULL;
	f->nsorted = 0;
}

/* The rows in the order of the sort key: `*cols` is replaced when they are not. */
static int sort(struct evs_fresh *f, const struct evs_table *t, const struct evs_array **cols,
		bool *sorted)
{
	uint32_t rows = (*cols)[0].rows;
	int rc = 0;

	if (f->idx_cap < rows) {
		free(f->idx);
		f->idx = malloc(rows * sizeof(*f->idx));
		f->idx_cap = f->idx ? rows : 0;
		if (!f->idx)
			return EVS_E_NOMEM;
	}
	for (uint32_t i = 0; i < rows; i++)
		f->idx[i] = i;
	if (evs_sort_rows(&f->sorter, t, *cols, f->idx, rows, sorted) < 0)
		return EVS_E_NOMEM;
	if (*sorted)
		return 0;
	drop_sorted(f);
	f->sorted = calloc(t->ncols, sizeof(*f->sorted));
	if (!f->sorted)
		return EVS_E_NOMEM;
	f->nsorted = t->ncols;
	for (uint16_t c = 0; c < t->ncols && rc == 0; c++) {
		rc = evs_array_init_like(&f->sorted[c], &(*cols)[c]);
		if (rc == 0)
			rc = evs_array_take(&f->sorted[c], &(*cols)[c], f->idx, rows);
	}
	*cols = f->sorted;
	return rc;
}

int evs_fresh_group(struct evs_fresh *f, const struct evs_table *t, const char *schema, size_t len,
		    const struct evs_array *cols, bool follows, uint64_t src_bytes,
		    struct evs_diag *diag)
{
	struct evs_seg_rows rows = { .ncols = t->ncols, .src_bytes = src_bytes };
	bool sorted = true;
	int rc = begin_append(f, t, schema, len, diag);

	if (rc == 0 && sort(f, t, &cols, &sorted) < 0)
		rc = evs_fail_nomem(diag);
	if (rc < 0)
		return rc;
	rows.cols = cols;
	rows.begins_run = !follows || !sorted;
	rows.filtered = f->filtered;
	rows.nfiltered = f->nfiltered;
	evs_seg_times(t, &cols[t->time_column], NULL, cols[0].rows, &rows);
	for (uint16_t c = 0; c < t->ncols; c++)
		f->bytes += evs_array_bytes_used(&cols[c]);
	rc = evs_segw_group(&f->w, f->enc, &rows, diag);
	f->rows += cols[0].rows;
	drop_sorted(f);
	return rc;
}

int evs_fresh_finish(struct evs_fresh *f, struct evs_source *sources, uint32_t n,
		     struct evs_diag *diag)
{
	char temp[EVS_PATH_MAX];
	struct evs_io_stat st;
	int rc = commit(f, sources, n, diag);

	if (rc == 0 && !f->made)
		return 1;
	if (rc == 0)
		rc = evs_path_join(temp, f->dir, f->name, diag);
	if (rc == 0)
		rc = evs_io_stat(temp, &st, diag);
	if (rc == 1 || (rc == 0 && (st.ino != f->w.ino || st.dev != f->w.dev)))
		rc = lost(f, diag);
	if (rc == 0)
		rc = evs_fresh_absent(f->path, diag); /* it may have come meanwhile */
	if (rc == 0)
		rc = evs_io_rename(temp, f->path, diag);
	f->done = rc == 0;
	return rc == 0 ? evs_io_sync_dir(f->dir, diag) : rc;
}

void evs_fresh_close(struct evs_fresh *f)
{
	if (!f)
		return;
	if (f->open)
		evs_segw_close(&f->w);
	if (!f->done && !f->lost && f->name[0])
		(void)sweep(f, NULL);
	drop_sorted(f);
	evs_sorter_release(&f->sorter);
	evs_encoder_free(f->enc);
	free(f->idx);
	free(f->schema);
	free(f);
}
