/*
 * evs_stat(): goes through the segments and adds up what each says of itself.
 */
#include "src/upkeep/stat.h"

#include "src/diag.h"

#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)256 << 10)

struct stating {
	const struct evs_stat_opts *o;
	struct evs_stat_result *result;
	int64_t now;
	uint64_t largest; /* file, for the bars */
	struct evs_report report;
	struct evs_stat_sum all, stream, tenant;
	struct evs_stat_name name; /* of the tenant at hand */
	struct evs_buf value;	   /* ... its value */
	struct evs_table *table;
	struct evs_keeps keeps;
	struct evs_rule standard;
	struct evs_compact_goal goal;
	struct evs_stat_warn warn;
	struct evs_stat_metrics metrics;
	bool damaged; /* the segment at hand */
};

void evs_stat_zero(struct evs_stat_sum *s)
{
	*s = (struct evs_stat_sum){ .oldest = EVS_TIME_NONE,
				    .newest = EVS_TIME_NONE,
				    .written = EVS_TIME_NONE };
}

static int64_t later(int64_t a, int64_t b) /* EVS_TIME_NONE is before all */
{
	return a > b ? a : b;
}

void evs_stat_add(struct evs_stat_sum *to, const struct evs_stat_sum *s)
{
	to->tenants += s->tenants;
	to->partitions += s->partitions;
	to->rows += s->rows;
	to->bytes += s->bytes;
	to->raw_bytes += s->raw_bytes;
	to->estimated |= s->estimated;
	to->commits += s->commits;
	to->runs += s->runs;
	if (to->oldest == EVS_TIME_NONE || (s->oldest != EVS_TIME_NONE && s->oldest < to->oldest))
		to->oldest = s->oldest;
	to->newest = later(to->newest, s->newest);
	to->written = later(to->written, s->written);
	to->past += s->past;
	to->damaged += s->damaged;
	to->compact += s->compact;
	to->never += s->never;
	if (s->largest > to->largest)
		to->largest = s->largest;
	to->rejects += s->rejects;
	to->reject_bytes += s->reject_bytes;
}

static void tell(void *arg, const struct evs_diag *d)
{
	const struct stating *x = arg;

	if (x->o->on_problem)
		x->o->on_problem(x->o->arg, d);
}

static int flush(struct stating *x, struct evs_diag *diag)
{
	return evs_report_flush(&x->report, x->o->on_rows, x->o->arg, diag);
}

static int put_row(struct stating *x, const struct evs_stat_name *n, const struct evs_stat_sum *s,
		   struct evs_diag *diag)
{
	evs_stat_row(&x->report, x->o, n, s, x->largest);
	return evs_report_full(&x->report) || x->report.failed ? flush(x, diag) : 0;
}

/* ---- segments -------------------------------------------------------------------------------- */

static void on_damage(void *arg, const struct evs_damage *d)
{
	struct stating *x = arg;

	x->damaged |= !d->torn || d->rows;
	if (x->o->on_damage)
		x->o->on_damage(x->o->arg, d);
}

/* What input the rows came from is known of the newest commits; of the others it is reckoned from
 * these. */
static void take_sum(struct evs_stat_sum *s, const struct evs_segment_sum *m)
{
	s->rows = m->rows;
	s->bytes = m->bytes;
	s->commits = m->commits;
	s->oldest = m->oldest;
	s->newest = m->newest;
	s->written = m->has_hash ? m->written : EVS_TIME_NONE;
	s->raw_bytes = m->seen_raw_bytes;
	s->runs = m->seen_runs;
	if (m->seen_rows == m->rows || !m->seen_rows)
		return;
	s->estimated = true;
	s->raw_bytes =
		(uint64_t)((double)m->seen_raw_bytes * (double)m->rows / (double)m->seen_rows);
	s->runs += m->commits - m->seen_commits;
}

static int take_head(struct stating *x, struct evs_stat_name *n, const struct evs_visit *at,
		     const struct evs_segment *seg)
{
	const struct evs_head *h = evs_segment_head(seg);
	const struct evs_keep *own = evs_keeps_find(&x->keeps, at->folder);

	n->lo = h->part_lo;
	n->hi = h->part_hi;
	n->has_tenant = x->table->tenant_column >= 0;
	n->expires = evs_rule_second(own ? &own->rule : &x->standard, n->hi);
	evs_buf_reset(&x->value);
	evs_buf_put(&x->value, h->tenant, h->tenant_len);
	n->tenant = (const char *)x->value.p;
	n->tenant_len = x->value.len;
	return evs_buf_ok(&x->value) ? 0 : EVS_E_NOMEM;
}

/* Would evcompact work on it? */
static int take_gain(struct stating *x, struct evs_stat_sum *s, const struct evs_visit *at,
		     struct evs_segment *seg, struct evs_diag *d)
{
	struct evs_compact_state state;
	int rc = 0;

	if (!x->goal.table)
		rc = evs_compact_goal(&x->goal, at->stream, seg, 0, x->o->now, d);
	if (rc == 0)
		rc = evs_compact_gain(seg, &x->goal, &s->why, &state, d);
	s->compact = rc == 0 && s->why != EVS_COMPACT_NOT;
	s->never = rc == 0 && s->why == EVS_COMPACT_NEVER;
	return rc < 0 ? rc : 0;
}

static int look(struct stating *x, struct evs_stat_name *n, struct evs_stat_sum *s,
		const struct evs_visit *at, struct evs_diag *d)
{
	struct evs_segment_sum sum;
	struct evs_segment *seg = NULL;
	int rc;

	x->damaged = false;
	rc = evs_segment_open(&seg, at->path, on_damage, x, d);
	if (rc == 0 && take_head(x, n, at, seg) < 0)
		rc = evs_fail_nomem(d);
	if (rc == 0) {
		rc = evs_segment_sum(seg, &sum, d);
		take_sum(s, &sum);
		if (rc == 0)
			rc = take_gain(x, s, at, seg, d);
		if (rc == EVS_E_FORMAT || rc == EVS_E_VERSION) {
			x->damaged = true;
			tell(x, d);
			rc = 0;
		}
	}
	evs_segment_close(seg);
	return rc;
}

static int on_segment(void *arg, const struct evs_visit *at, struct evs_diag *diag)
{
	struct stating *x = arg;
	struct evs_stat_name n = { .stream = evs_path_name(at->stream),
				   .path = at->path,
				   .expires = EVS_RULE_NEVER };
	struct evs_stat_sum s;
	struct evs_diag d = { 0 };
	int rc;

	if (x->o->stop && x->o->stop(x->o->arg))
		return evs_fail(diag, EVS_E_STOP, "stopped");
	evs_stat_zero(&s);
	rc = look(x, &n, &s, at, &d);
	if (rc < 0) {
		if (d.err == EVS_E_NOMEM)
			return evs_fail_nomem(diag);
		if (evs_path_gone(at->path, &d)) /* it expired this moment */
			return 0;
		x->stream.damaged += rc == EVS_E_FORMAT;
		tell(x, &d);
		return 0;
	}
	s.partitions = 1;
	s.largest = s.bytes;
	s.damaged = x->damaged;
	s.past = n.expires != EVS_RULE_NEVER && n.expires <= x->now / 1000000000;
	evs_stat_warn_segment(&x->warn, &n, &s, x->table->unit, x->now);
	evs_stat_add(&x->tenant, &s);
	x->name = n;
	return x->o->by == EVS_STAT_PARTITION ? put_row(x, &n, &s, diag) : 0;
}

static int on_tenant_end(void *arg, const struct evs_visit *at, struct evs_diag *diag)
{
	struct stating *x = arg;
	struct evs_stat_sum s = x->tenant;

	(void)at;
	evs_stat_zero(&x->tenant);
	evs_stat_warn_tenant(&x->warn);
	if (!s.partitions)
		return 0;
	s.tenants = 1;
	evs_stat_add(&x->stream, &s);
	return x->o->by == EVS_STAT_TENANT ? put_row(x, &x->name, &s, diag) : 0;
}

/* ---- streams --------------------------------------------------------------------------------- */

/* Lines of rejects.ndjson. */
static int count_rejects(struct evs_stat_sum *s, const char *stream, struct evs_diag *diag)
{
	char path[EVS_PATH_MAX];
	struct evs_io_stat st;
	uint8_t *piece = NULL;
	size_t got = PIECE;
	int fd = -1, rc = evs_path_join(path, stream, "rejects.ndjson", diag);

	if (rc == 0)
		rc = evs_io_stat(path, &st, diag);
	if (rc != 0 || !st.is_file)
		return rc < 0 ? rc : 0;
	piece = malloc(PIECE);
	rc = piece ? evs_io_open_read(&fd, path, diag) : evs_fail_nomem(diag);
	while (rc == 0 && got == PIECE) {
		rc = evs_io_pread_some(fd, piece, PIECE, s->reject_bytes, &got, path, diag);
		for (size_t i = 0; rc == 0 && i < got; i++)
			s->rejects += piece[i] == '\n';
		s->reject_bytes += got;
	}
	evs_io_close(fd);
	free(piece);
	return rc;
}

static int on_stream(void *arg, const char *stream, struct evs_diag *diag)
{
	struct stating *x = arg;
	struct evs_diag d = { 0 };
	int rc = evs_stream_table(stream, &x->table, &d);

	evs_stat_zero(&x->stream);
	evs_stat_zero(&x->tenant);
	evs_stat_warn_start(&x->warn, x->o);
	if (rc == 0)
		rc = evs_keeps_load(&x->keeps, stream, &d);
	if (rc == 0)
		evs_rule_of_table(&x->standard, x->table);
	if (rc == 0 && (x->o->by >= EVS_STAT_STREAM || x->o->prometheus))
		rc = count_rejects(&x->stream, stream, &d);
	if (rc == 0)
		return 0;
	evs_table_free(x->table);
	x->table = NULL;
	evs_keeps_release(&x->keeps);
	if (d.err == EVS_E_NOMEM)
		return evs_fail_nomem(diag);
	tell(x, &d);
	return 1;
}

static int on_stream_end(void *arg, const char *stream, struct evs_diag *diag)
{
	struct stating *x = arg;
	struct evs_stat_name n = { .stream = evs_path_name(stream),
				   .path = stream,
				   .expires = EVS_RULE_NEVER };
	int rc = x->o->by == EVS_STAT_STREAM ? put_row(x, &n, &x->stream, diag) : 0;

	evs_stat_warn_stream(&x->warn, n.stream);
	x->result->warnings += x->warn.told;
	evs_stat_add(&x->all, &x->stream);
	evs_table_free(x->table);
	x->table = NULL;
	evs_keeps_release(&x->keeps);
	evs_compact_goal_release(&x->goal);
	x->goal = (struct evs_compact_goal){ .table = NULL };
	if (rc == 0 && x->o->prometheus &&
	    evs_stat_metrics_add(&x->metrics, stream, &x->stream) < 0)
		rc = evs_fail_nomem(diag);
	return rc;
}

/* ---- all ------------------------------------------------------------------------------------- */

static int on_size(void *arg, const struct evs_visit *at, struct evs_diag *diag)
{
	struct stating *x = arg;
	uint64_t size = evs_path_size(at->path);

	(void)diag;
	if (size > x->largest)
		x->largest = size;
	return 0;
}

static int put_all(struct stating *x, struct evs_diag *diag)
{
	const struct evs_stat_name n = { .expires = EVS_RULE_NEVER };
	bool wanted = x->o->by == EVS_STAT_STORE || (x->o->people && x->all.partitions > 1);
	int rc = wanted ? put_row(x, &n, &x->all, diag) : 0;

	return rc == 0 ? flush(x, diag) : rc;
}

int evs_stat(const char *const *paths, size_t npaths, const struct evs_stat_opts *opts,
	     struct evs_stat_result *result, struct evs_diag *diag)
{
	struct stating x = { .o = opts,
			     .result = result,
			     .now = opts->now ? opts->now : evs_io_now() };
	struct evs_visitor v = {
		.segment = on_size, .arg = &x, .tenants = opts->tenants, .ntenants = opts->ntenants
	};
	int rc = 0;

	*result = (struct evs_stat_result){ 0 };
	if (opts->columns)
		return evs_stat_columns(paths, npaths, opts, result, diag);
	evs_stat_zero(&x.all);
	if (evs_stat_report(&x.report, opts) < 0)
		rc = evs_fail_nomem(diag);
	if (rc == 0 && opts->people && opts->by == EVS_STAT_PARTITION)
		rc = evs_visit_paths(paths, npaths, &v, diag);
	v = (struct evs_visitor){ .stream = on_stream,
				  .segment = on_segment,
				  .tenant_end = on_tenant_end,
				  .stream_end = on_stream_end,
				  .problem = tell,
				  .arg = &x,
				  .tenants = opts->tenants,
				  .ntenants = opts->ntenants };
	if (rc == 0)
		rc = evs_visit_paths(paths, npaths, &v, diag);
	if (rc == 0)
		rc = put_all(&x, diag);
	if (rc == 0 && opts->prometheus)
		rc = evs_stat_metrics_write(&x.metrics, opts->prometheus, x.now, diag);
	result->partitions = x.all.partitions;
	result->rows = x.all.rows;
	result->bytes = x.all.bytes;
	evs_report_release(&x.report);
	evs_buf_release(&x.value);
	evs_stat_metrics_release(&x.metrics);
	evs_keeps_release(&x.keeps);
	evs_compact_goal_release(&x.goal);
	evs_table_free(x.table);
	return rc;
}
