/*
 * Scanning: segments one after the other, groups one after the other, each group as a batch. See
 * evseg.h.
 */
#include "src/query/scan.h"

#include "src/query/merge.h"
#include "src/query/scan_pair.h"

#include "src/diag.h"
#include "src/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPENING_COST   ((uint64_t)64 << 10) /* of a segment, as bytes to read */
#define COSTS_KNOWN    128u
#define WORTH_SEGMENTS 8u		   /* that two threads are worth, of any size */
#define WORTH_BYTES    ((uint64_t)4 << 20) /* ... or so many in fewer */

/* ---- opening --------------------------------------------------------------------------------- */

static const char *keep_string(struct evs_scan *s, const char *text)
{
	char *copy = strdup(text);

	if (copy)
		s->strings[s->nstrings++] = copy;
	return copy;
}

static int copy_list(struct evs_scan *s, const char *const *from, size_t n, const char *const **to)
{
	const char **list;

	if (!from)
		return 0;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return EVS_E_NOMEM;
	*to = list;
	for (size_t i = 0; i < n; i++)
		if (!(list[i] = keep_string(s, from[i])))
			return EVS_E_NOMEM;
	return 0;
}

static int copy_opts(struct evs_scan *s, const char *const *paths, size_t npaths,
		     const struct evs_scan_opts *o)
{
	const char *const *cols = o->columns, *const *tenants = o->tenants, *const *keys = o->keys;
	const char *const *latest = o->latest, *const *sort = o->sort;
	const char *const *kept_paths = NULL;
	int rc;

	s->opts = *o;
	s->opts.columns = s->opts.tenants = s->opts.keys = s->opts.latest = s->opts.sort = NULL;
	s->opts.where = NULL;
	s->strings =
		calloc(npaths + o->ncolumns + o->ntenants + o->nkeys + o->nlatest + o->nsort + 2,
		       sizeof(*s->strings));
	if (!s->strings || copy_list(s, cols, o->ncolumns, &s->opts.columns) < 0 ||
	    copy_list(s, tenants, o->ntenants, &s->opts.tenants) < 0 ||
	    copy_list(s, keys, o->nkeys, &s->opts.keys) < 0 ||
	    copy_list(s, latest, o->nlatest, &s->opts.latest) < 0 ||
	    copy_list(s, sort, o->nsort, &s->opts.sort) < 0)
		return EVS_E_NOMEM;
	if (o->where && !(s->opts.where = keep_string(s, o->where)))
		return EVS_E_NOMEM;
	rc = copy_list(s, paths, npaths, &kept_paths);
	s->paths = (const char **)(uintptr_t)kept_paths;
	if (rc < 0)
		return rc;
	s->npaths = npaths;
	s->since = o->has_since ? o->since : INT64_MIN;
	s->until = o->has_until ? o->until : INT64_MAX;
	return 0;
}

static void on_damage(void *arg, const struct evs_damage *d)
{
	struct evs_scan *s = arg;

	s->progress.damaged = true;
	s->progress.rows_lost += d->rows;
	if (s->opts.on_damage && s->pair)
		evs_pair_damage(s->pair, s, d);
	else if (s->opts.on_damage)
		s->opts.on_damage(s->opts.arg, d);
}

/* Without a stream's schema.sql, the schema of the answer is the newest of the segment that was
 * given last. */
static int table_of_segment(struct evs_scan *s, const char *path, struct evs_diag *diag)
{
	struct evs_segment *seg = NULL;
	char *text = NULL;
	size_t len = 0;
	int rc = evs_segment_open(&seg, path, NULL, NULL, diag);

	if (rc == 0)
		rc = evs_segment_schema(seg, evs_segment_schema_off(seg), &text, &len, diag);
	if (rc == 0)
		rc = evs_table_parse(&s->table, text, len, diag);
	if (rc == EVS_E_SCHEMA)
		rc = evs_fail_off(diag, EVS_E_FORMAT, path, 0,
				  "6.7-2 or 4.3: the stored schema cannot be parsed");
	free(text);
	evs_segment_close(seg);
	return rc;
}

static int find_table(struct evs_scan *s, struct evs_diag *diag)
{
	int rc = 1;

	if (s->list.stream)
		return evs_stream_table(s->list.stream, &s->table, diag);
	for (size_t i = s->list.n; i-- > 0 && rc != 0;)
		rc = table_of_segment(s, s->list.paths[i], diag);
	return rc;
}

/*
 * What reading the segments costs, about, summed up: cost[i] is that of those before i. Not every
 * one of many is looked at, for neighbours are of one tenant and mostly alike. NULL: no memory.
 */
static uint64_t *sum_costs(const struct evs_path_list *l)
{
	uint64_t *cost = malloc((l->n + 1) * sizeof(*cost)), one = 0;
	size_t step = l->n / COSTS_KNOWN + 1;

	if (!cost)
		return NULL;
	cost[0] = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (i % step == 0)
			one = OPENING_COST + evs_path_size(l->paths[i]);
		cost[i + 1] = cost[i] + one;
	}
	return cost;
}

bool evs_scan_worth_two(const struct evs_scan *s)
{
	uint64_t bytes = 0;

	/* Loose segments are held against each other. */
	if (s->opts.threads == 1 || !s->list.n || !s->list.stream || s->list.loose)
		return false;
	if (s->opts.threads == 2 || s->list.n >= WORTH_SEGMENTS)
		return true;
	for (size_t i = 0; i < s->list.n; i++)
		bytes += evs_path_size(s->list.paths[i]);
	return bytes >= WORTH_BYTES;
}

/* The later half of a list of several becomes another one. */
static int take_half(struct evs_path_list *from, struct evs_path_list *to)
{
	uint64_t *sum = sum_costs(from);
	size_t first = 1;

	*to = (struct evs_path_list){ .loose = from->loose };
	to->stream = from->stream ? strdup(from->stream) : NULL;
	to->paths = malloc(from->n * sizeof(*to->paths));
	if (!sum || !to->paths || (from->stream && !to->stream)) {
		free(sum);
		return EVS_E_NOMEM;
	}
	while (first + 1 < from->n && sum[first] < sum[from->n] / 2)
		first++;
	free(sum);
	to->n = from->n - first;
	memcpy(to->paths, from->paths + first, to->n * sizeof(*to->paths));
	from->n = first;
	return 0;
}

/* `of`: the scan whose segments, or half of them, the new one takes, or NULL. */
static int open_scan(struct evs_scan **out, const char *const *paths, size_t npaths,
		     const struct evs_scan_opts *opts, struct evs_scan *of, bool half,
		     struct evs_diag *diag)
{
	struct evs_scan *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return evs_fail_nomem(diag);
	if (copy_opts(s, paths, npaths, opts) < 0 || (half && take_half(&of->list, &s->list) < 0)) {
		rc = evs_fail_nomem(diag);
		goto out;
	}
	if (of)
		s->table = evs_table_share(of->table);
	rc = of ? 0
		: evs_path_list(&s->list, s->paths, npaths, s->opts.tenants, s->opts.ntenants,
				s->since, s->until, diag);
	if (rc == 0 && !of)
		rc = find_table(s, diag);
	if (rc == 1)
		rc = evs_fail(diag, EVS_E_USAGE, "%.900s holds no segments and no schema",
			      paths[0]);
	if (rc == 0)
		rc = evs_scan_fields(s, diag);
	if (rc == 0)
		rc = evs_scan_filters(s, diag);
	if (rc == 0)
		rc = evs_stage_open(s, diag);
	if (rc < 0)
		goto out;
	s->progress.segments_total = s->last_path = s->list.n;
	*out = s;
	s = NULL;
out:
	evs_scan_close(s);
	return rc;
}

int evs_scan_open(struct evs_scan **out, const char *const *paths, size_t npaths,
		  const struct evs_scan_opts *opts, struct evs_diag *diag)
{
	static const struct evs_scan_opts none;

	if (!npaths)
		return evs_fail(diag, EVS_E_USAGE, "no path given");
	return open_scan(out, paths, npaths, opts ? opts : &none, NULL, false, diag);
}

int evs_scan_fork(struct evs_scan *s, struct evs_scan **half, struct evs_diag *diag)
{
	int rc;

	if (s->list.n < 2 || !evs_scan_worth_two(s))
		return 1;
	s->opts.threads = 1;
	rc = open_scan(half, (const char *const *)s->paths, s->npaths, &s->opts, s, true, diag);
	s->progress.segments_total = s->last_path = s->list.n;
	return rc;
}

int evs_scan_twin(struct evs_scan *s, struct evs_scan **out, struct evs_diag *diag)
{
	struct evs_scan_opts o = s->opts;
	int rc;

	o.nlatest = o.nsort = 0;
	rc = open_scan(out, (const char *const *)s->paths, s->npaths, &o, s, false, diag);
	if (rc == 0) {
		(*out)->list = s->list;
		(*out)->is_twin = true;
		(*out)->thin = s->thin;
		(*out)->nthin = s->nthin;
	}
	return rc;
}

void evs_scan_close(struct evs_scan *s)
{
	if (!s)
		return;
	if (s->is_twin) {
		s->list = (struct evs_path_list){ 0 };
	} else {
		evs_pair_close(s->pair);
		free(s->thin);
	}
	evs_segment_close(s->seg);
	evs_spare_free(s->spare);
	evs_scan_maps_release(s);
	evs_stage_close(s);
	evs_merge_free(s->merge);
	evs_scan_filters_release(s);
	evs_scan_lift_release(s);
	evs_scan_fields_release(s);
	evs_array_release(&s->time);
	evs_array_release(&s->part);
	evs_table_free(s->table);
	evs_path_list_release(&s->list);
	evs_scan_follow_release(s);
	for (size_t i = 0; i < s->nstrings; i++)
		free(s->strings[i]);
	free(s->strings);
	free((void *)(uintptr_t)s->opts.columns);
	free((void *)(uintptr_t)s->opts.tenants);
	free((void *)(uintptr_t)s->opts.keys);
	free((void *)(uintptr_t)s->opts.latest);
	free((void *)(uintptr_t)s->opts.sort);
	free(s->paths);
	free(s->same);
	free(s->idx);
	free(s->stream);
	free(s);
}

/* ---- segments -------------------------------------------------------------------------------- */

static bool tenant_wanted(const struct evs_scan *s, const struct evs_head *h)
{
	for (size_t i = 0; i < s->opts.ntenants; i++)
		if (strlen(s->opts.tenants[i]) == h->tenant_len &&
		    !memcmp(s->opts.tenants[i], h->tenant, h->tenant_len))
			return true;
	return s->opts.ntenants == 0;
}

/* Segments given one by one may come from anywhere: they must be of one stream. */
static int same_stream(struct evs_scan *s, const struct evs_head *h, struct evs_diag *diag)
{
	if (!s->stream) {
		s->stream = evs_text_copy(h->stream, h->stream_len);
		if (!s->stream)
			return evs_fail_nomem(diag);
	}
	if (strlen(s->stream) == h->stream_len && !memcmp(s->stream, h->stream, h->stream_len))
		return 0;
	return evs_fail(diag, EVS_E_USAGE, "segments of two streams, %.200s and %.*s: name one",
			s->stream, (int)(h->stream_len < 200 ? h->stream_len : 200), h->stream);
}

static int64_t ns_of(int64_t sec)
{
	return sec > INT64_MAX / 1000000000   ? INT64_MAX
	       : sec < INT64_MIN / 1000000000 ? INT64_MIN
					      : sec * 1000000000;
}

static bool time_wanted(const struct evs_scan *s, const struct evs_head *h)
{
	return (s->until == INT64_MAX || ns_of(h->part_lo) < s->until) &&
	       (s->since == INT64_MIN || ns_of(h->part_hi) > s->since);
}

/* Add up what was read of the segment that is open, and close it. */
static void close_segment(struct evs_scan *s)
{
	struct evs_scan_explain *e = &s->explain;
	const struct evs_segment_count *c;

	if (!s->seg)
		return;
	c = evs_segment_counts(s->seg);
	e->groups_read += c->groups_read;
	e->groups_time += c->groups_time;
	e->groups_zones += c->groups_unwanted[EVS_NOT_BY_ZONES];
	e->groups_filters += c->groups_unwanted[EVS_NOT_BY_FILTERS];
	e->filters_read += c->filters_read;
	e->rollups_read += c->rollups_read;
	e->rows_rollup += c->rows_rollup;
	e->rows_read += c->rows_read;
	e->rows_time += c->rows_time;
	e->rows_zones += c->rows_unwanted[EVS_NOT_BY_ZONES];
	e->rows_filters += c->rows_unwanted[EVS_NOT_BY_FILTERS];
	e->blocks += c->blocks;
	e->blocks_read += c->blocks_read;
	e->block_bytes_read += c->block_bytes_read;
	evs_segment_close(s->seg);
	s->seg = NULL;
}

static int pass_over(struct evs_scan *s, uint64_t *why)
{
	++*why;
	close_segment(s);
	return 0;
}

static bool commit_done(void *arg, const struct evs_commit *c)
{
	struct evs_scan *s = arg;

	if (!c->nrollups ||
	    (s->opts.has_since && (c->time_min == EVS_TIME_NONE || c->time_min < s->since)) ||
	    (s->opts.has_until && (c->time_min == EVS_TIME_NONE || c->time_max >= s->until)))
		return false;
	return s->take(s->take_arg, s->seg, c);
}

void evs_scan_rollups(struct evs_scan *s, evs_scan_rollup_fn *take, void *arg)
{
	if (s->opts.nkeys || s->opts.where || evs_scan_merges(s))
		return; /* a view knows nothing of these */
	s->take = take;
	s->take_arg = arg;
}

void evs_scan_stored(struct evs_scan *s, const struct evs_place *from, uint64_t to)
{
	s->stored = true;
	if (from)
		s->from = *from;
	s->to = to;
}

struct evs_segment *evs_scan_segment(struct evs_scan *s)
{
	return s->seg;
}

/* Will groups be passed over by what the commits say of them? */
static bool prunes(const struct evs_scan *s)
{
	return !s->following &&
	       (s->opts.has_since || s->opts.has_until || s->nfilters || s->nhints || s->take);
}

/* ... and nothing else be asked of a commit, nor the segment be read on from here later? */
static bool puts_off(const struct evs_scan *s)
{
	return prunes(s) && !s->take && !s->from.off && !s->opts.follow;
}

static int prepare_segment(struct evs_scan *s, struct evs_diag *diag)
{
	const struct evs_head *h = evs_segment_head(s->seg);
	bool timed;
	/* Below one stream's folder the names in HEAD do not matter: the stream may have been
	 * renamed. */
	int rc = s->list.stream && !s->list.loose ? 0 : same_stream(s, h, diag);

	s->map = NULL;
	if (rc < 0)
		return rc;
	if (!tenant_wanted(s, h))
		return pass_over(s, &s->explain.segments_tenant);
	if (!time_wanted(s, h))
		return pass_over(s, &s->explain.segments_time);
	if (!evs_scan_segment_may(s))
		return pass_over(s, &s->explain.segments_where);
	s->explain.segments_read++;
	s->explain.bytes += evs_segment_tail(s->seg)->size;
	if (s->nfilters || s->nhints)
		evs_segment_want(s->seg, evs_scan_group_may, s);
	if (s->take)
		evs_segment_commits(s->seg, commit_done, s);
	if (s->from.off)
		return evs_segment_resume(s->seg, &s->from, diag);
	rc = evs_scan_go_on(s, diag);
	if (rc != 1)
		return rc;
	timed = evs_scan_time_prunes(s);
	evs_segment_rewind(s->seg, prunes(s) ? EVS_WALK_PRUNED : EVS_WALK_ALL,
			   timed ? s->since : INT64_MIN, timed ? s->until : INT64_MAX);
	return 0;
}

/* Open the next segment: 1, or 0 at the end. One that cannot be read at all is told like other
 * damage. */
static int open_next(struct evs_scan *s, struct evs_diag *diag)
{
	struct evs_diag d = { 0 };
	struct evs_damage lost = { 0 };
	const char *path;
	int rc;

	while (!s->seg) {
		if (s->next_path == s->last_path)
			return 0;
		path = s->list.paths[s->next_path++];
		s->progress.segments++;
		s->explain.segments++;
		if (!evs_scan_path_may(s, path)) {
			s->explain.segments_where++;
			continue;
		}
		if (!s->spare && evs_spare_new(&s->spare) < 0)
			return evs_fail_nomem(diag);
		rc = evs_segment_open_with(&s->seg, s->spare, puts_off(s), path, on_damage, s, &d);
		if (rc == 0)
			rc = evs_scan_finish_old(s, on_damage, &d);
		if (rc == 0) {
			s->progress.bytes += evs_segment_tail(s->seg)->size;
			rc = prepare_segment(s, &d);
		}
		if (rc == EVS_E_FORMAT || rc == EVS_E_VERSION) {
			lost = (struct evs_damage){ .path = path, .off = d.off, .what = d.what };
			on_damage(s, &lost);
			rc = evs_scan_remember(s, path, s->seg);
			close_segment(s);
			if (rc < 0)
				return evs_fail_nomem(diag);
		} else if (rc == EVS_E_SYS && !s->seg && evs_path_gone(path, &d)) {
			continue; /* expired since it was listed */
		} else if (rc < 0) {
			if (diag)
				*diag = d;
			return rc;
		}
	}
	return 1;
}

/* The next group that can be read: 1 with the rows of it that match, 0 at the end of the segment.
 */
static int next_group(struct evs_scan *s, uint32_t *rows, struct evs_diag *diag)
{
	const struct evs_group *g;
	struct evs_diag d = { 0 };
	uint64_t off;
	int rc;

	while ((rc = evs_segment_next(s->seg, &g, &off, diag)) > 0) {
		if (s->stored && off > s->to)
			return 0;
		rc = evs_scan_group(s, g, rows, &d);
		if (rc == 0)
			return 1;
		/* EVS_E_LIMIT: whoever wrote this took more memory for a column than is given to it
		 * here. */
		if (rc != EVS_E_FORMAT && rc != EVS_E_VERSION && rc != EVS_E_LIMIT) {
			if (diag)
				*diag = d;
			return rc;
		}
		evs_segment_lost(s->seg, &d);
	}
	return rc;
}

/* The next rows of the segment: 1 with how many match, 0 at its end. */
static int next_rows(struct evs_scan *s, uint32_t *rows, struct evs_diag *diag)
{
	uint32_t have = 0;
	int rc = s->gathered ? 0 : next_group(s, rows, diag);

	if (rc != 0 || !evs_scan_merges(s))
		return rc;
	s->gathered = true;
	rc = evs_scan_merge_next(s, &have, diag);
	if (rc > 0)
		rc = evs_scan_slots(s, have, rows, diag);
	else
		s->gathered = false;
	return rc < 0 || !s->gathered ? rc : 1;
}

int evs_scan_next(struct evs_scan *s, struct evs_batch **out, struct evs_diag *diag)
{
	return s->stage ? evs_stage_next(s, out, diag) : evs_scan_rows(s, out, diag);
}

int evs_scan_rows(struct evs_scan *s, struct evs_batch **out, struct evs_diag *diag)
{
	int rc = s->asked_first ? 0 : evs_pair_open(s, diag);

	if (rc < 0)
		return rc;
	return s->pair ? evs_pair_next(s, out, diag) : evs_scan_read(s, out, diag);
}

int evs_scan_read(struct evs_scan *s, struct evs_batch **out, struct evs_diag *diag)
{
	uint32_t rows = 0;
	int rc = evs_scan_merge_open(s, diag);

	while (rc == 0 && (rc = open_next(s, diag)) > 0) {
		rc = next_rows(s, &rows, diag);
		if (rc > 0 && rows) {
			s->progress.rows += rows;
			s->explain.rows_kept += rows;
			s->batch = (struct evs_batch){ s->fields, s->cols, s->nfields, rows,
						       s->grown };
			*out = &s->batch;
			return 1;
		}
		if (rc == 0) {
			rc = evs_scan_remember(s, evs_segment_path(s->seg), s->seg);
			close_segment(s);
			if (rc < 0)
				return evs_fail_nomem(diag);
		}
		rc = rc < 0 ? rc : 0;
	}
	return rc;
}

void evs_scan_explained(const struct evs_scan *s, struct evs_scan_explain *out)
{
	if (s->pair)
		evs_pair_explained(s->pair, out);
	else
		*out = s->explain;
	out->segments += s->list.passed_time;
	out->segments_time += s->list.passed_time;
	out->segments_tenant += s->list.passed_tenants;
}

void evs_scan_progress(const struct evs_scan *s, struct evs_scan_progress *out)
{
	if (s->pair)
		evs_pair_progress(s->pair, out);
	else
		*out = s->progress;
}
