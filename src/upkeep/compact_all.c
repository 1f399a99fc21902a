/*
 * Compacting what gains from it under many paths: find, judge, then one segment after the other.
 * See evseg.h.
 */
#include "src/diag.h"
#include "src/upkeep/compact.h"

#include <stdlib.h>

/* The segments of one stream, or some of none. */
struct batch {
	struct evs_path_list list;
	struct evs_compact_goal goal;
	bool have_goal;
};

struct candidate {
	uint32_t batch;
	uint32_t path;
	enum evs_compact_why why;
};

struct run {
	const struct evs_compact_opts *opts;
	struct evs_compact_stats *stats;
	struct batch *batch;
	size_t nbatches;
	struct candidate *candidate;
	size_t n, cap;
	int64_t until; /* monotonic; 0: no end */
	int worst;     /* of the segments that failed */
	struct evs_spare *spare;
};

/* ---- paths ----------------------------------------------------------------------------------- */

/* The newest batch goes to the one before, when they are of one stream. */
static int join(struct run *r, struct evs_diag *diag)
{
	struct evs_path_list *to, *from;
	char **grown;

	if (r->nbatches < 2)
		return 0;
	to = &r->batch[r->nbatches - 2].list;
	from = &r->batch[r->nbatches - 1].list;
	if (!to->stream || !from->stream || strcmp(to->stream, from->stream) != 0)
		return 0;
	grown = realloc(to->paths, (to->n + from->n) * sizeof(*grown) + 1);
	if (!grown)
		return evs_fail_nomem(diag);
	to->paths = grown;
	memcpy(to->paths + to->n, from->paths, from->n * sizeof(*grown));
	to->n += from->n;
	from->n = 0;
	evs_path_list_release(from);
	r->nbatches--;
	return 0;
}

static int add_batch(struct run *r, const char *path, struct evs_diag *diag)
{
	struct batch *grown = realloc(r->batch, (r->nbatches + 1) * sizeof(*grown));
	int rc;

	if (!grown)
		return evs_fail_nomem(diag);
	r->batch = grown;
	grown[r->nbatches] = (struct batch){ 0 };
	rc = evs_path_list(&grown[r->nbatches].list, &path, 1, NULL, 0, INT64_MIN, INT64_MAX, diag);
	if (rc < 0)
		return rc;
	r->stats->segments += grown[r->nbatches].list.n;
	r->nbatches++;
	return join(r, diag);
}

/* A store may have several streams. */
static int add_path(struct run *r, const char *path, struct evs_diag *diag)
{
	enum evs_path_kind kind;
	char **streams = NULL;
	size_t n = 0;
	int rc = evs_path_kind(path, &kind, diag);

	if (rc < 0 || kind != EVS_PATH_STORE)
		return rc < 0 ? rc : add_batch(r, path, diag);
	rc = evs_store_streams(path, &streams, &n, diag);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add_batch(r, streams[i], diag);
	evs_strings_free(streams, n);
	return rc;
}

/* ---- failures -------------------------------------------------------------------------------- */

/* What does not concern one segment or path alone. That the disk has no room may. */
static bool ends_all(int rc)
{
	return rc == EVS_E_NOMEM || rc == EVS_S_STOP;
}

static int failed(struct run *r, const char *path, int rc, const struct evs_diag *d,
		  struct evs_diag *diag)
{
	if (ends_all(rc)) {
		if (diag)
			*diag = *d;
		return rc;
	}
	if (r->worst != EVS_E_FORMAT)
		r->worst = rc;
	r->stats->failed++;
	if (r->opts->on_fail)
		r->opts->on_fail(r->opts->arg, path, d);
	return 0;
}

/* ---- judging --------------------------------------------------------------------------------- */

static int goal_of(struct run *r, struct batch *b, struct evs_segment *s, struct evs_diag *diag)
{
	int rc;

	if (b->have_goal)
		return 0;
	rc = evs_compact_goal(&b->goal, b->list.stream, s, r->opts->zstd_level, r->opts->now, diag);
	if (rc == 1)
		rc = evs_fail(diag, EVS_E_USAGE, "%.900s has no schema", b->list.stream);
	b->have_goal = rc == 0;
	if (rc < 0)
		evs_compact_goal_release(&b->goal);
	return rc;
}

static int judge(struct run *r, uint32_t batch, uint32_t path, struct evs_diag *diag)
{
	struct batch *b = &r->batch[batch];
	struct candidate c = { .batch = batch, .path = path };
	struct evs_compact_state state;
	struct evs_segment *s = NULL;
	int rc = evs_segment_open_with(&s, r->spare, false, b->list.paths[path], NULL, NULL, diag);

	if (rc == EVS_E_SYS && evs_path_gone(b->list.paths[path], diag))
		return 0; /* expired since it was listed */
	if (rc == 0)
		rc = goal_of(r, b, s, diag);
	if (rc == 0)
		rc = evs_compact_gain(s, &b->goal, &c.why, &state, diag);
	evs_segment_close(s);
	if (rc < 0)
		return rc;
	if (c.why == EVS_COMPACT_NOT && r->opts->all && state.rows)
		c.why = EVS_COMPACT_ALL;
	if (c.why == EVS_COMPACT_NOT)
		return 0;
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 64;
		struct candidate *grown = realloc(r->candidate, cap * sizeof(*grown));

		if (!grown)
			return evs_fail_nomem(diag);
		r->candidate = grown;
		r->cap = cap;
	}
	r->candidate[r->n++] = c;
	r->stats->bytes_total += state.bytes;
	return 0;
}

/* What killed ones left goes, whether or not there is anything else to do in a folder. */
static int sweep(const char *path, const char *before, struct evs_diag *diag)
{
	char dir[EVS_PATH_MAX], last[EVS_PATH_MAX];
	int rc;

	if (!evs_path_above(dir, path, 1) ||
	    (before && evs_path_above(last, before, 1) && !strcmp(dir, last)))
		return 0;
	rc = evs_replace_sweep(dir, diag);
	return rc == EVS_E_SYS && evs_path_gone(dir, diag) ? 0 : rc;
}

static int judge_all(struct run *r, struct evs_diag *diag)
{
	int rc = 0;

	for (uint32_t b = 0; b < r->nbatches && rc == 0; b++) {
		const struct evs_path_list *l = &r->batch[b].list;

		for (uint32_t i = 0; i < l->n && rc == 0; i++) {
			struct evs_diag d = { 0 };

			if (r->opts->stop && r->opts->stop(r->opts->arg))
				return evs_fail(diag, EVS_S_STOP, "stopped");
			if (!r->opts->dry_run)
				rc = sweep(l->paths[i], i ? l->paths[i - 1] : NULL, &d);
			if (rc == 0)
				rc = judge(r, b, i, &d);
			if (rc < 0)
				rc = failed(r, l->paths[i], rc, &d, diag);
		}
	}
	return rc;
}

/* ---- compacting ------------------------------------------------------------------------------ */

static void on_rows(void *arg, uint32_t rows)
{
	struct run *r = arg;

	r->stats->rows_read += rows;
	if (r->opts->on_progress)
		r->opts->on_progress(r->opts->arg, r->stats);
}

static void on_damage(void *arg, const struct evs_damage *d)
{
	struct compact_job *j = arg;

	if (d->torn || j->damaged)
		return;
	j->damaged = true;
	(void)evs_fail_off(&j->damage, EVS_E_FORMAT, d->path, d->off, d->what);
}

static int make_key(struct compact_job *j, struct evs_diag *diag)
{
	const struct evs_table *t = j->table;
	size_t n, compare;

	j->merge = t->engine != EVS_ENGINE_MERGE;
	j->key = calloc((size_t)t->nkey + 2, sizeof(*j->key));
	if (!j->key)
		return evs_fail_nomem(diag);
	n = evs_merge_keys(t, j->key, &compare);
	for (size_t k = 0; k < n; k++) {
		if (j->key[k] == (uint16_t)t->tenant_column && t->tenant_column >= 0)
			continue;
		if (k < compare)
			j->ncompare++;
		j->key[j->nkey++] = j->key[k];
	}
	return 0;
}

/* Open for reading; unless nothing is to be changed, a torn end is set aside first, and a damaged
 * trailer written again, as the next writer would. */
static int open_segment(struct run *r, struct compact_job *j, struct evs_segment **out,
			struct evs_diag *diag)
{
	static const struct evs_wait never = { .never = true };
	const struct evs_tail *t;
	char *note = NULL;
	int rc = evs_segment_open(out, j->path, on_damage, j, diag);

	if (rc < 0 || j->damaged)
		return rc;
	t = evs_segment_tail(*out);
	if (r->opts->dry_run || (!t->what && !t->copy_bad[0] && !t->copy_bad[1]))
		return 0;
	evs_segment_close(*out);
	*out = NULL;
	rc = evs_replace_recover(j->path, &never, &note, diag);
	if (rc == EVS_E_LOCKED) /* the tail is an append that goes on */
		rc = 0;
	if (note && r->opts->on_note)
		r->opts->on_note(r->opts->arg, note);
	free(note);
	return rc < 0 ? rc : evs_segment_open(out, j->path, on_damage, j, diag);
}

static int work(struct run *r, struct compact_job *j, struct evs_replace *replace,
		struct evs_compacted *c, struct evs_diag *diag)
{
	struct evs_compact_state state;
	enum evs_compact_why why = EVS_COMPACT_NOT;
	struct evs_segment *s = NULL;
	int rc = open_segment(r, j, &s, diag);

	if (rc == 0 && j->damaged) {
		*diag = j->damage;
		rc = EVS_E_FORMAT;
	}
	if (rc == 0)
		rc = evs_compact_gain(s, j->goal, &why, &state, diag);
	/* Another one may have been here since it was judged. */
	if (rc == 0 && why == EVS_COMPACT_NOT && c->why != EVS_COMPACT_ALL) {
		c->why = EVS_COMPACT_NOT;
	} else if (rc == 0) {
		c->commits = state.commits;
		c->rows = state.rows;
		c->bytes = state.bytes;
		if (!r->opts->dry_run)
			rc = make_key(j, diag);
		if (rc == 0 && !r->opts->dry_run)
			rc = evs_compact_segment(j, replace, s, c, diag);
	}
	evs_segment_close(s);
	return rc;
}

/* Is the segment another one than it was `before`? */
static bool is_another(const char *path, const struct evs_io_stat *before)
{
	struct evs_io_stat now = { 0 };

	return before->ino && evs_io_stat(path, &now, NULL) == 0 && !evs_io_same_file(before, &now);
}

static int compact_one(struct run *r, const struct candidate *c, struct evs_diag *diag)
{
	struct batch *b = &r->batch[c->batch];
	struct evs_compacted done = { .path = b->list.paths[c->path], .why = c->why };
	struct compact_job j = { .path = done.path,
				 .opts = r->opts,
				 .goal = &b->goal,
				 .table = b->goal.table,
				 .on_rows = on_rows,
				 .arg = r };
	struct evs_compact_stats *stats = r->stats;
	struct evs_replace *replace = NULL;
	struct evs_io_stat before = { 0 };
	int rc = r->opts->dry_run ? 0 : evs_replace_open(&replace, j.path, diag);

	(void)evs_io_stat(j.path, &before, NULL);
	if (rc == EVS_E_LOCKED)
		rc = evs_fail_path(diag, rc, j.path, "another evcompact is at work on it");
	else if (rc == 0)
		rc = work(r, &j, replace, &done, diag);
	evs_replace_close(replace);
	evs_compact_plan_release(&j);
	stats->bytes_done += done.bytes;
	if ((rc == EVS_E_SYS || rc == EVS_E_LOCKED || rc == EVS_E_FORMAT) && !done.new_bytes &&
	    (evs_path_gone(j.path, diag) || is_another(j.path, &before)))
		return 0; /* it has expired, and there is nothing to do for what it was */
	if (rc < 0 || done.why == EVS_COMPACT_NOT)
		return rc;
	stats->compacted++;
	stats->rows += done.rows;
	stats->bytes += done.bytes;
	stats->new_rows += done.new_rows;
	stats->new_bytes += done.new_bytes;
	if (r->opts->on_segment)
		r->opts->on_segment(r->opts->arg, &done);
	return 0;
}

static int compact_all(struct run *r, struct evs_diag *diag)
{
	int rc = 0;

	for (size_t i = 0; i < r->n && rc == 0; i++) {
		const struct candidate *c = &r->candidate[i];
		struct evs_diag d = { 0 };

		if (r->until && evs_io_monotonic() > r->until)
			break;
		if (r->opts->stop && r->opts->stop(r->opts->arg))
			return evs_fail(diag, EVS_S_STOP, "stopped");
		rc = compact_one(r, c, &d);
		if (rc < 0)
			rc = failed(r, r->batch[c->batch].list.paths[c->path], rc, &d, diag);
	}
	return rc;
}

int evs_compact(const char *const *paths, size_t npaths, const struct evs_compact_opts *opts,
		struct evs_compact_stats *stats, struct evs_diag *diag)
{
	struct run r = { .opts = opts, .stats = stats };
	int rc = 0;

	*stats = (struct evs_compact_stats){ 0 };
	if (opts->zstd_level < 0 || opts->zstd_level > 19)
		return evs_fail(diag, EVS_E_USAGE, "the zstd level is 1 to 19, not %d",
				opts->zstd_level);
	r.until = opts->max_ms ? evs_io_monotonic() + opts->max_ms * 1000000 : 0;
	for (size_t i = 0; i < npaths && rc == 0; i++) {
		struct evs_diag d = { 0 };

		rc = add_path(&r, paths[i], &d);
		if (rc < 0)
			rc = failed(&r, NULL, rc, &d, diag); /* it says which */
	}
	if (rc == 0 && evs_spare_new(&r.spare) < 0)
		rc = evs_fail_nomem(diag);
	if (rc == 0)
		rc = judge_all(&r, diag);
	evs_spare_free(r.spare);
	if (rc == 0)
		rc = compact_all(&r, diag);
	for (size_t i = 0; i < r.nbatches; i++) {
		evs_path_list_release(&r.batch[i].list);
		evs_compact_goal_release(&r.batch[i].goal);
	}
	free(r.batch);
	free(r.candidate);
	return rc < 0 ? rc : r.worst;
}
