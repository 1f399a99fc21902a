/*
 * Compacting one segment: its rows in order, in large groups, into a file that takes its place. See
 * compact.h.
 */
#include "src/upkeep/compact.h"

#include "format/group.h"
#include "src/diag.h"

#include <stdlib.h>

#define GROUP_ROWS    65536u
#define GROUP_BYTES   ((size_t)6 << 20) /* of rows in memory, about */
#define ROLLUP_MEMORY ((size_t)8 << 20)
#define ROUNDS	      4u    /* of reading what was appended meanwhile before the lock is taken */
#define FEW	      4096u /* rows that are read under the lock */
#define PATIENCE      10000000000 /* ns that we wait for a writer */

__extension__ typedef unsigned __int128 uint128;

/* Groups being made. */
struct builder {
	struct compact_job *job;
	struct evs_replace *replace;
	struct evs_encoder *enc;
	struct evs_dictionary dict[EVS_DICTIONARIES];
	struct evs_array *cols;
	uint32_t run;
	uint64_t rows, of_rows; /* put so far, and about how many there will be */
	uint64_t src, of_src;
	uint64_t all_rows;
};

static void builder_release(struct builder *b)
{
	for (uint16_t c = 0; b->cols && c < b->job->table->ncols; c++)
		evs_array_release(&b->cols[c]);
	free(b->cols);
	evs_encoder_free(b->enc);
	for (unsigned i = 0; i < EVS_DICTIONARIES; i++)
		evs_dictionary_release(&b->dict[i]);
}

static int builder_init(struct builder *b, struct compact_job *j, struct evs_replace *r)
{
	struct evs_encoder_opts opts = { .zstd_level = j->goal->level,
					 .packed_below = EVS_PACKED_BELOW };
	int rc;

	*b = (struct builder){ .job = j, .replace = r };
	b->cols = calloc((size_t)j->table->ncols + 1, sizeof(*b->cols));
	rc = b->cols ? evs_encoder_new(&b->enc, &opts) : EVS_E_NOMEM;
	for (uint16_t c = 0; c < j->table->ncols && rc == 0; c++)
		rc = evs_type_array(&j->table->cols[c].type, &b->cols[c]);
	return rc;
}

/* The input that rows came from is shared out among them evenly; `last`: what is left of it. */
static uint64_t share_of_input(struct builder *b, uint32_t rows, bool last)
{
	uint64_t before = b->src;

	b->rows += rows;
	b->src = last || b->rows >= b->of_rows
			 ? b->of_src
			 : (uint64_t)((uint128)b->of_src * b->rows / b->of_rows);
	return b->src - before;
}

static int put_group(struct builder *b, bool last, struct evs_diag *diag)
{
	uint32_t rows = b->cols[0].rows;
	int rc;

	if (!rows)
		return 0;
	if (evs_rollups_add(b->job->goal->rollups, b->cols, rows) < 0)
		return evs_fail_nomem(diag);
	rc = evs_replace_group(b->replace, b->enc, b->cols, b->run, share_of_input(b, rows, last),
			       diag);
	b->all_rows += rows;
	for (uint16_t c = 0; c < b->job->table->ncols; c++)
		evs_array_trim(&b->cols[c], 2 * GROUP_BYTES);
	return rc;
}

static size_t used(const struct builder *b, const struct evs_array *cols)
{
	size_t n = 0;

	for (uint16_t c = 0; c < b->job->table->ncols; c++)
		n += evs_array_bytes_used(&cols[c]);
	return n;
}

/* Rows come in pieces that are small beside a group, or one by one when they are large; then they
 * have their own groups. */
static int take_rows(struct builder *b, const struct evs_array *cols, uint32_t rows,
		     struct evs_diag *diag)
{
	int rc = used(b, b->cols) + used(b, cols) > GROUP_BYTES + GROUP_BYTES / 4
			 ? put_group(b, false, diag)
			 : 0;

	for (uint32_t at = 0, n; at < rows && rc == 0; at += n) {
		n = rows - at < GROUP_ROWS - b->cols[0].rows ? rows - at
							     : GROUP_ROWS - b->cols[0].rows;
		for (uint16_t c = 0; c < b->job->table->ncols; c++)
			if (evs_array_append_range(&b->cols[c], &cols[c], at, n) < 0)
				return evs_fail_nomem(diag);
		if (b->cols[0].rows == GROUP_ROWS || used(b, b->cols) >= GROUP_BYTES)
			rc = put_group(b, false, diag);
	}
	return rc;
}

/* A run of groups: everything that was planned, or what has been appended `since`, in front of
 * `upto` (0: all). */
static int put_run(struct builder *b, bool since, uint64_t upto, struct evs_diag *diag)
{
	struct compact_job *j = b->job;
	struct compact_rows *rows = NULL;
	struct evs_array *cols;
	uint32_t n;
	int rc = evs_compact_rows_open(&rows, j, j->merge && !since, diag);

	if (rc == 0)
		rc = since ? evs_compact_rows_since(rows, upto, diag)
			   : evs_compact_rows_plan(rows, diag);
	b->run++;
	b->rows = b->src = 0;
	if (rc == 0 && since) { /* its commits were not looked at */
		b->of_rows = evs_compact_rows_taken(rows);
		b->of_src = (uint64_t)((uint128)j->src_bytes * b->of_rows /
				       (j->planned ? j->planned : 1));
	} else {
		b->of_rows = j->rows;
		b->of_src = j->src_bytes;
	}
	while (rc >= 0 && (rc = evs_compact_rows_next(rows, &cols, &n, diag)) > 0)
		rc = take_rows(b, cols, n, diag);
	if (rc == 0)
		rc = put_group(b, true, diag);
	if (rc == 0 && !since && evs_compact_rows_taken(rows) != j->rows)
		rc = evs_fail_path(diag, EVS_E_FORMAT, j->path,
				   "other rows were read than were counted");
	evs_compact_rows_close(rows);
	return rc;
}

/*
 * What was appended meanwhile, when it is much: 0 with `*more`. The lock comes later, so it is read
 * up to a commit that must still be there then. 1: the segment is another one by now.
 */
static int read_ahead(struct builder *b, bool *more, struct evs_diag *diag)
{
	struct compact_job *j = b->job;
	struct evs_segment *s = NULL;
	uint64_t rows = 0;
	int rc = 0;

	if (evs_segment_open(&s, j->path, NULL, NULL, NULL) == 0)
		rows = evs_segment_tail(s)->trailer.rows_total;
	*more = rows > j->rows + FEW;
	if (*more)
		rc = evs_replace_follow(b->replace, s, diag);
	if (*more && rc == 0)
		rc = put_run(b, true, evs_segment_tail(s)->end, diag);
	if (*more && rc == 0 && rows != j->rows)
		rc = 1;
	evs_segment_close(s);
	return rc;
}

struct patience {
	int64_t until;
	const struct evs_compact_opts *opts;
};

static bool give_up(void *arg)
{
	const struct patience *p = arg;

	return evs_io_monotonic() > p->until || (p->opts->stop && p->opts->stop(p->opts->arg));
}

/* What was appended meanwhile, most of it before the lock is taken. 1: the segment is another one
 * by now, or none. */
static int catch_up(struct builder *b, struct evs_diag *diag)
{
	struct compact_job *j = b->job;
	struct patience p = { .until = evs_io_monotonic() + PATIENCE, .opts = j->opts };
	struct evs_wait wait = { .stop = give_up, .arg = &p };
	uint64_t rows = 0;
	char *note = NULL;
	bool more = true;
	int rc = 0;

	for (unsigned i = 0; i < ROUNDS && rc == 0 && more; i++)
		rc = read_ahead(b, &more, diag);
	if (rc == 0)
		rc = evs_replace_lock(b->replace, &wait, &rows, &note, diag);
	if (note && j->opts->on_note)
		j->opts->on_note(j->opts->arg, note);
	free(note);
	if (rc == 0 && rows > j->rows)
		rc = put_run(b, true, 0, diag);
	if (rc == 0 && rows != j->rows)
		rc = evs_fail_path(diag, EVS_E_FORMAT, j->path,
				   "other rows were read than were counted");
	return rc;
}

static int put_rollups(struct builder *b, struct evs_diag *diag)
{
	struct evs_rollup r;
	int rc;

	/* Dictionaries are for columns of the table. */
	for (uint16_t c = 0; c < b->job->table->ncols; c++)
		(void)evs_encoder_dictionary(b->enc, c, NULL);
	while ((rc = evs_rollups_next(b->job->goal->rollups, &r)) > 0) {
		rc = evs_replace_rollup(b->replace, b->enc, &r, diag);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

int evs_compact_segment(struct compact_job *j, struct evs_replace *r, struct evs_segment *s,
			struct evs_compacted *out, struct evs_diag *diag)
{
	struct evs_replace_opts opts = { .table = j->table, .level = (uint8_t)j->goal->level };
	struct builder b = { .job = j };
	int rc = evs_compact_plan(j, s, diag);

	j->planned = j->rows;
	if (rc == 0 && j->damaged)
		rc = EVS_E_FORMAT; /* said below */
	if (rc == 0 && j->rows != evs_segment_tail(s)->trailer.rows_total)
		rc = evs_fail_path(diag, EVS_E_LOCKED, j->path,
				   "the segment was changed meanwhile");
	opts.kept = j->kept;
	memcpy(opts.made_for, j->goal->made_for, sizeof(opts.made_for));
	if (rc == 0)
		rc = evs_replace_begin(r, s, &opts, diag);
	if (rc == 0 && builder_init(&b, j, r) < 0)
		rc = evs_fail_nomem(diag);
	evs_rollups_memory(j->goal->rollups, ROLLUP_MEMORY);
	evs_rollups_start(j->goal->rollups);
	if (rc == 0)
		rc = evs_compact_dictionaries(j, r, b.enc, b.dict, diag);
	if (rc == 0)
		rc = put_run(&b, false, 0, diag);
	if (rc == 0)
		rc = catch_up(&b, diag);
	if (rc == 0)
		rc = put_rollups(&b, diag);
	if (rc == 0)
		rc = evs_replace_finish(r, &out->new_bytes, diag);
	out->new_rows = b.all_rows;
	builder_release(&b);
	if (j->damaged) {
		if (diag)
			*diag = j->damage;
		return EVS_E_FORMAT;
	}
	return rc == 1 ? evs_fail_path(diag, EVS_E_LOCKED, j->path,
				       "the segment was replaced, removed or cut back meanwhile")
		       : rc;
}
