/*
 * What a segment's rows look like before they are merged: which stretches of groups are sorted
 * already.
 *
 * Only the columns of the sort key are read for it. What commits say of runs is not enough: types
 * of the key may have become wider since, which may change the order, and commits that follow each
 * other are often one run.
 */
#include "src/diag.h"
#include "src/upkeep/compact.h"

#include <stdlib.h>

/* Stored bytes: what is smaller is sorted in memory, with its neighbours. */
#define RUN_LEAST (256u << 10)

struct planner {
	struct compact_job *job;
	struct evs_array *last; /* the key of the row before */
	bool have_last;
	struct compact_stretch run; /* sorted so far */
};

/* ---- what commits say ------------------------------------------------------------------------ */

static bool note_commit(void *arg, const struct evs_commit *c)
{
	struct compact_job *j = arg;

	for (uint32_t i = 0; i < c->ngroups; i++)
		j->src_bytes += c->groups[i].src_bytes;
	j->kept |= c->schema_off != 0;
	return true; /* its groups are not wanted now */
}

static int read_commits(struct compact_job *j, struct evs_segment *s, struct evs_diag *diag)
{
	const struct evs_head *h = evs_segment_head(s);
	const struct evs_group *g;
	uint64_t off;
	int rc;

	j->kept = h->schema_len != j->table->text_len ||
		  memcmp(h->schema, j->table->text, h->schema_len) != 0 ||
		  (h->ignore_features & EVS_FEATURE_KEPT);
	evs_segment_commits(s, note_commit, j);
	evs_segment_rewind(s, EVS_WALK_PRUNED, INT64_MIN, INT64_MAX);
	do
		rc = evs_segment_next(s, &g, &off, diag);
	while (rc > 0);
	evs_segment_commits(s, NULL, NULL);
	return rc;
}

/* ---- what is sorted -------------------------------------------------------------------------- */

static int compare(const struct planner *p, const struct evs_array *a, uint32_t i,
		   const struct evs_array *b, uint32_t k)
{
	const struct compact_job *j = p->job;

	for (uint16_t c = 0; c < j->nkey; c++) {
		bool x = evs_array_is_null(&a[c], i), y = evs_array_is_null(&b[c], k);
		int order;

		if (x || y) {
			if (x != y)
				return x ? -1 : 1;
			continue;
		}
		order = evs_order_compare(&j->table->cols[j->key[c]].type, &a[c], i, &b[c], k);
		if (order)
			return order;
	}
	return 0;
}

static int push(struct compact_job *j, const struct compact_stretch *s)
{
	struct compact_stretch *last = j->nstretches ? &j->stretch[j->nstretches - 1] : NULL;

	if (last && !last->sorted && !s->sorted) {
		last->to = s->to;
		last->rows += s->rows;
		last->bytes += s->bytes;
		return 0;
	}
	if (j->nstretches == j->cap) {
		size_t cap = j->cap ? 2 * j->cap : 16;
		struct compact_stretch *grown = realloc(j->stretch, cap * sizeof(*grown));

		if (!grown)
			return EVS_E_NOMEM;
		j->stretch = grown;
		j->cap = cap;
	}
	j->stretch[j->nstretches++] = *s;
	return 0;
}

/* The run so far is over. */
static int end_run(struct planner *p)
{
	struct compact_stretch s = p->run;

	p->run = (struct compact_stretch){ 0 };
	s.sorted = s.sorted && s.bytes >= RUN_LEAST;
	return s.rows ? push(p->job, &s) : 0;
}

static void take_sample(struct compact_sample *s, const struct evs_place *from, uint64_t to)
{
	s->stride += !s->stride;
	if (s->seen++ % s->stride)
		return;
	if (s->n == COMPACT_SAMPLES) { /* each second one goes */
		for (unsigned i = 1; 2 * i < s->n; i++)
			s->group[i] = s->group[2 * i];
		s->n /= 2;
		s->stride *= 2;
	}
	s->group[s->n].from = *from;
	s->group[s->n++].to = to;
}

/* One more group, whose key columns are `key`, lies in [from, to). */
static int take_group(struct planner *p, const struct evs_array *key, uint32_t rows,
		      const struct evs_place *from, const struct evs_place *to)
{
	bool sorted = true;
	int rc = 0;

	for (uint32_t i = 1; i < rows && sorted; i++)
		sorted = compare(p, key, i - 1, key, i) <= 0;
	if (!p->run.rows || !sorted || !p->run.sorted || compare(p, p->last, 0, key, 0) > 0) {
		rc = end_run(p);
		p->run = (struct compact_stretch){ .from = *from, .sorted = sorted };
	}
	p->run.to = to->off;
	p->run.rows += rows;
	p->run.bytes += to->off - from->off;
	for (uint16_t c = 0; c < p->job->nkey && rc == 0; c++) {
		evs_array_reset(&p->last[c]);
		rc = evs_array_append_range(&p->last[c], &key[c], rows - 1, 1);
	}
	return rc;
}

/* The scan opens the file anew, which may have grown: groups from `upto` on are none of ours yet.
 */
static int find_runs(struct planner *p, uint64_t upto, struct evs_diag *diag)
{
	struct compact_job *j = p->job;
	uint16_t any = (uint16_t)j->table->time_column;
	struct evs_place before = { 0 }, after;
	struct evs_scan *scan = NULL;
	struct evs_batch *b;
	int rc = evs_compact_scan(j, &scan, NULL, upto, j->nkey ? j->key : &any,
				  j->nkey ? j->nkey : 1, diag);

	while (rc >= 0 && (rc = evs_scan_next(scan, &b, diag)) > 0) {
		evs_segment_place(evs_scan_segment(scan), &after);
		if (take_group(p, b->cols, b->rows, &before, &after) < 0)
			rc = evs_fail_nomem(diag);
		take_sample(&j->sample, &before, after.off);
		j->rows += b->rows;
		before = after;
		if (j->opts->stop && j->opts->stop(j->opts->arg))
			rc = evs_fail(diag, EVS_S_STOP, "stopped");
	}
	j->end = before;
	if (rc == 0 && end_run(p) < 0)
		rc = evs_fail_nomem(diag);
	evs_scan_close(scan);
	return rc;
}

int evs_compact_plan(struct compact_job *j, struct evs_segment *s, struct evs_diag *diag)
{
	struct planner p = { .job = j,
			     .last = calloc((size_t)j->nkey + 1, sizeof(struct evs_array)) };
	int rc = p.last ? 0 : evs_fail_nomem(diag);

	for (uint16_t c = 0; c < j->nkey && rc == 0; c++)
		if (evs_type_array(&j->table->cols[j->key[c]].type, &p.last[c]) < 0)
			rc = evs_fail_nomem(diag);
	if (rc == 0)
		rc = read_commits(j, s, diag);
	if (rc == 0)
		rc = find_runs(&p, evs_segment_tail(s)->end, diag);
	for (uint16_t c = 0; c < j->nkey && p.last; c++)
		evs_array_release(&p.last[c]);
	free(p.last);
	return rc;
}

void evs_compact_plan_release(struct compact_job *j)
{
	free(j->stretch);
	free(j->key);
	j->stretch = NULL;
	j->key = NULL;
	j->nstretches = j->cap = 0;
}
