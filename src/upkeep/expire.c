/*
 * evs_expire(): which segments go. How they go is ledger.c.
 *
 * The name of a segment and the schema tell the partition, so those that stay are not opened. What
 * may go is locked, as by a writer, and its HEAD has the last word.
 */
#include "src/upkeep/expire.h"

#include "src/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct expiry {
	const struct evs_expire_opts *o;
	struct evs_expire_stats *stats;
	struct evs_wait wait;
	int64_t now;
	struct evs_rule given; /* --older-than, or what all and drop say; NONE: the stream's TTL */
	/* of the stream at hand */
	struct evs_table *table;
	struct evs_keeps keeps;
	struct evs_rule standard;
	struct evs_ledger ledger;
	struct evs_archive archive;
	bool dead;		  /* its ledger failed: nothing more of it goes */
	struct evs_report report; /* dry run */
};

enum { COLUMNS = 8 };
static const struct evs_report_column columns[COLUMNS] = {
	{ "stream", EVS_REPORT_TEXT }, { "tenant", EVS_REPORT_TEXT },
	{ "from", EVS_REPORT_SECOND }, { "to", EVS_REPORT_SECOND },
	{ "rows", EVS_REPORT_UINT },   { "bytes", EVS_REPORT_UINT },
	{ "rule", EVS_REPORT_TEXT },   { "segment", EVS_REPORT_TEXT },
};

static void tell(void *arg, const struct evs_diag *d)
{
	const struct expiry *x = arg;

	if (x->o->on_problem)
		x->o->on_problem(x->o->arg, d);
}

/* ---- what is dropped ------------------------------------------------------------------------- */

static void on_done(void *arg, const struct evs_leaving *l, const struct evs_diag *d)
{
	struct expiry *x = arg;

	if (d->err)
		tell(x, d);
	if (!l->left) {
		x->stats->left++;
		return;
	}
	x->stats->partitions++;
	x->stats->rows += l->rows;
	x->stats->bytes += l->bytes;
	x->stats->tenants += evs_expire_folder(l->path);
}

static int flush(struct expiry *x, struct evs_diag *d)
{
	int rc = evs_ledger_flush(&x->ledger, d);

	x->dead |= rc < 0;
	return rc;
}

static void close_stream(struct expiry *x)
{
	evs_ledger_close(&x->ledger);
	evs_keeps_release(&x->keeps);
	evs_table_free(x->table);
	x->table = NULL;
	x->archive.ready = false;
}

static void report(struct expiry *x, const struct evs_found *f, uint64_t bytes)
{
	struct evs_report *r = &x->report;
	const char *stream = evs_path_name(f->at->stream);

	evs_report_text(r, stream, strlen(stream));
	if (f->has_tenant)
		evs_report_text(r, (const char *)f->tenant.p, f->tenant.len);
	else
		evs_report_null(r);
	evs_report_int(r, f->lo);
	evs_report_int(r, f->hi);
	if (f->known)
		evs_report_uint(r, f->sum.rows);
	else
		evs_report_null(r);
	evs_report_uint(r, bytes);
	evs_report_text(r, f->rule->text, strlen(f->rule->text));
	evs_report_text(r, f->at->path, strlen(f->at->path));
	x->stats->partitions++;
	x->stats->rows += f->known ? f->sum.rows : 0;
	x->stats->bytes += bytes;
}

static int flush_report(struct expiry *x, struct evs_diag *diag)
{
	return evs_report_flush(&x->report, x->o->on_rows, x->o->arg, diag);
}

/* Files "NAME.tail-*" beside the segment: bytes of its partition, which go with it. */
static int find_tails(struct evs_leaving *v, const struct evs_visit *at, struct evs_diag *diag)
{
	struct evs_io_entry *list = NULL;
	char path[EVS_PATH_MAX];
	struct evs_io_stat st;
	size_t n = 0, len = strlen(at->name);
	int rc = evs_io_list(at->dir, &list, &n, diag);

	if (rc < 0)
		return rc;
	v->tails = calloc(n + 1, sizeof(*v->tails));
	if (!v->tails)
		rc = evs_fail_nomem(diag);
	for (size_t i = 0; i < n && rc >= 0; i++) {
		if (list[i].is_dir || strncmp(list[i].name, at->name, len) != 0 ||
		    strncmp(list[i].name + len, ".tail-", 6) != 0)
			continue;
		rc = evs_path_join(path, at->dir, list[i].name, diag);
		if (rc < 0)
			break;
		rc = evs_io_stat(path, &st, diag);
		if (rc != 0)
			continue;
		v->bytes += st.size;
		v->tails[v->ntails] = strdup(path);
		if (!v->tails[v->ntails++])
			rc = evs_fail_nomem(diag);
	}
	evs_io_list_free(list, n);
	return rc < 0 ? rc : 0;
}

/* ---- what a segment says --------------------------------------------------------------------- */

/* Does the folder stand for the tenant of HEAD? */
static bool in_its_folder(const struct expiry *x, const struct evs_visit *at,
			  const struct evs_head *h)
{
	char folder[EVS_NAME_BYTES + 1];

	if (x->table->tenant_column < 0)
		return !strcmp(at->folder, "_");
	evs_name_escape(h->tenant, h->tenant_len, folder);
	return !strcmp(at->folder, folder);
}

static int read_head(struct expiry *x, struct evs_found *f, struct evs_segment *s,
		     struct evs_diag *d)
{
	const struct evs_head *h = evs_segment_head(s);

	f->lo = h->part_lo;
	f->hi = h->part_hi;
	f->has_tenant = x->table->tenant_column >= 0;
	evs_buf_put(&f->tenant, h->tenant, h->tenant_len);
	if (!evs_buf_ok(&f->tenant))
		return evs_fail_nomem(d);
	if (!x->o->drop && !in_its_folder(x, f->at, h))
		return evs_fail_off(d, EVS_E_FORMAT, f->at->path, 0,
				    "not dropped: it holds another tenant than its folder says");
	return 0;
}

/* The file that a link leads to would stay, and the ledger say that it has gone. */
static int check_link(const struct evs_visit *at, struct evs_diag *d)
{
	char path[EVS_PATH_MAX], *real = NULL, *dir = NULL;
	int rc = evs_io_realpath(at->path, &real, d);

	if (rc == 0)
		rc = evs_io_realpath(at->dir, &dir, d);
	if (rc == 0)
		rc = evs_path_join(path, dir, at->name, d);
	if (rc == 0 && strcmp(path, real) != 0)
		rc = evs_fail_path(
			d, EVS_E_SYS, at->path,
			"not dropped: it is a symbolic link, and the file that it leads to would stay");
	free(real);
	free(dir);
	return rc;
}

/*
 * 0: it may go. 1: it may not yet. A segment whose HEAD cannot be read tells neither its partition
 * nor its tenant for sure: it goes only when it is named. One whose newest commit is damaged goes,
 * and that is told.
 */
static int examine(struct expiry *x, struct evs_found *f, struct evs_diag *d)
{
	bool by_time = f->rule->kind != EVS_RULE_NAMED;
	struct evs_segment *s = NULL;
	int rc = check_link(f->at, d);

	if (rc < 0)
		return rc;
	rc = evs_segment_open(&s, f->at->path, NULL, NULL, d);
	if ((rc == EVS_E_FORMAT || rc == EVS_E_VERSION) && x->o->drop) {
		f->sum.bytes = evs_path_size(f->at->path);
		return 0;
	}
	if (rc == 0)
		rc = read_head(x, f, s, d);
	if (rc == 0 && !evs_rule_past(f->rule, f->hi, x->now))
		rc = 1;
	if (rc == 0) {
		rc = evs_segment_sum(s, &f->sum, d);
		f->known = rc == 0 || f->sum.has_hash;
		if (rc == EVS_E_FORMAT || rc == EVS_E_VERSION) {
			tell(x, d);
			rc = 0;
		}
	}
	evs_segment_close(s);
	/* It may have been written since this run began. */
	if (rc == 0 && by_time && !x->o->now && f->sum.has_hash && f->sum.written > evs_io_now())
		rc = evs_fail_path(
			d, EVS_E_SYS, f->at->path,
			"not dropped: it was written later than the clock says it is now, so one of the two is wrong; give --now when the clock is right");
	return rc;
}

/* ---- one segment ----------------------------------------------------------------------------- */

static const struct evs_rule *rule_of(const struct expiry *x, const char *folder)
{
	const struct evs_keep *own =
		x->given.kind == EVS_RULE_NAMED ? NULL : evs_keeps_find(&x->keeps, folder);

	return own ? &own->rule : &x->standard;
}

/* 0: locked. 1: it is gone. Those that were taken do not wait with it for its writer. */
static int lock(struct expiry *x, const struct evs_visit *at, int *fd, struct evs_diag *d)
{
	static const struct evs_wait at_once = { .never = true };
	const struct evs_wait *how = &at_once;
	int rc;

	for (;;) {
		rc = evs_segment_lock(fd, at->path, how, d);
		if (rc == 0)
			return 0;
		evs_io_close(*fd);
		*fd = -1;
		if (rc == 1 && evs_path_gone(at->path, NULL))
			return 1;
		if (rc == EVS_E_LOCKED && how == &at_once && !x->o->no_wait) {
			how = &x->wait;
			rc = flush(x, d);
		}
		if (rc < 0)
			return rc;
	}
}

/* The archive's stream is made with its first segment; when it cannot be, nothing of the stream
 * goes. */
static int archive(struct expiry *x, const struct evs_visit *at, const struct evs_leaving *v,
		   struct evs_diag *d)
{
	if (!x->archive.ready) {
		int rc = evs_archive_open(&x->archive, x->o->archive, at->stream, x->table, d);

		x->dead |= rc < 0;
		if (rc < 0)
			return rc;
	}
	return evs_archive_put(&x->archive, at, v, d);
}

static int take(struct expiry *x, const struct evs_found *f, struct evs_leaving *v,
		struct evs_diag *d)
{
	char segment[EVS_PATH_MAX];
	int rc;

	v->rows = f->known ? f->sum.rows : 0;
	(void)snprintf(segment, sizeof(segment), "%s/%s", f->at->folder, f->at->name);
	rc = evs_leaving_names(f->at->stream, segment, v->path, v->aside, d);
	if (rc < 0)
		return rc;
	if (x->o->archive)
		rc = archive(x, f->at, v, d);
	if (rc < 0)
		return rc;
	evs_expire_line(v, f, x->o->archive ? x->archive.copy : NULL, x->o->now);
	rc = evs_ledger_take(&x->ledger, d);
	x->dead |= rc < 0;
	return rc;
}

/* 0: it goes. 1: it does not have to. */
static int try_segment(struct expiry *x, struct evs_found *f, struct evs_diag *d)
{
	struct evs_leaving looked = { .fd = -1 }, *v = &looked;
	int rc = 0;

	if (!x->o->dry_run) {
		rc = lock(x, f->at, &looked.fd, d);
		v = evs_ledger_next(&x->ledger);
		*v = looked;
	}
	if (rc == 0)
		rc = examine(x, f, d);
	if (rc == 0) {
		v->bytes = f->sum.bytes;
		rc = find_tails(v, f->at, d);
	}
	if (rc == 0 && !x->o->dry_run && (rc = take(x, f, v, d)) == 0)
		return x->o->archive ? flush(x, d)
				     : 0; /* copying takes long: no lock is held beside it */
	if (rc == 0)
		report(x, f, v->bytes);
	evs_leaving_release(v);
	return rc;
}

static int on_segment(void *arg, const struct evs_visit *at, struct evs_diag *diag)
{
	struct expiry *x = arg;
	struct evs_found f = { .at = at, .rule = rule_of(x, at->folder) };
	struct evs_diag d = { 0 };
	int rc;

	if (x->o->stop && x->o->stop(x->o->arg))
		return evs_fail(diag, EVS_E_STOP, "stopped");
	evs_partition_bounds(at->lo, x->table->unit, &f.lo, &f.hi);
	if (x->dead || !evs_rule_past(f.rule, f.hi, x->now))
		return 0;
	rc = try_segment(x, &f, &d);
	evs_buf_release(&f.tenant);
	if (rc < 0 && (d.err == EVS_E_NOMEM || d.err == EVS_E_STOP)) {
		if (diag)
			*diag = d;
		return rc;
	}
	if (rc < 0 && (x->dead || !evs_path_gone(at->path, NULL))) {
		x->stats->left++;
		tell(x, &d);
	}
	return evs_report_full(&x->report) ? flush_report(x, diag) : 0;
}

/* ---- streams --------------------------------------------------------------------------------- */

static int on_stream(void *arg, const char *stream, struct evs_diag *diag)
{
	struct expiry *x = arg;
	struct evs_diag d = { 0 };
	int rc = evs_stream_table(stream, &x->table, &d);

	x->dead = false;
	if (rc == 0)
		rc = evs_keeps_load(&x->keeps, stream, &d);
	if (rc == 0 && !x->o->dry_run) {
		rc = evs_ledger_open(&x->ledger, stream, &x->wait, &d);
		x->ledger.done = on_done;
		x->ledger.arg = x;
	}
	if (rc < 0) {
		close_stream(x);
		if (d.err == EVS_E_NOMEM || d.err == EVS_E_STOP) {
			if (diag)
				*diag = d;
			return rc;
		}
		tell(x, &d);
		return 1;
	}
	x->stats->streams++;
	x->standard = x->given;
	if (!x->given.kind)
		evs_rule_of_table(&x->standard, x->table);
	x->stats->unruled += !x->standard.kind && !x->keeps.n;
	return 0;
}

static int on_stream_end(void *arg, const char *stream, struct evs_diag *diag)
{
	struct expiry *x = arg;
	struct evs_diag d = { 0 };
	int rc = x->dead || x->o->dry_run ? 0 : flush(x, &d);

	(void)stream;
	close_stream(x);
	if (rc < 0 && d.err == EVS_E_NOMEM) {
		if (diag)
			*diag = d;
		return rc;
	}
	if (rc < 0)
		tell(x, &d);
	return 0;
}

/* ---- all ------------------------------------------------------------------------------------- */

static int given_rule(struct expiry *x, struct evs_diag *diag)
{
	const struct evs_expire_opts *o = x->o;
	int rc;

	if (o->all || o->drop) {
		x->given.kind = EVS_RULE_NAMED;
		(void)snprintf(x->given.text, sizeof(x->given.text), "%s",
			       o->all ? "all of the tenant" : "named");
		return o->all && !o->ntenants ? evs_fail(diag, EVS_E_USAGE, "all of which tenant?")
					      : 0;
	}
	if (!o->older_than)
		return 0;
	x->given.kind = EVS_RULE_BEFORE;
	(void)snprintf(x->given.text, sizeof(x->given.text), "older than %.60s", o->older_than);
	rc = evs_time_arg(o->older_than, x->now, &x->given.before, diag);
	if (rc == 0 && x->given.before > x->now)
		rc = evs_fail(diag, EVS_E_USAGE,
			      "%.60s is still to come: nothing is older than that", o->older_than);
	return rc;
}

/* What is dropped by name must be a segment: a folder would be all that is in it. */
static int check_paths(const char *const *paths, size_t npaths, struct evs_diag *diag)
{
	for (size_t i = 0; i < npaths; i++) {
		enum evs_path_kind kind;
		int rc = evs_path_kind(paths[i], &kind, diag);

		if (rc == 0 && kind != EVS_PATH_SEGMENT)
			rc = evs_fail_path(diag, EVS_E_USAGE, paths[i],
					   "is no segment, and only segments are dropped by name");
		if (rc < 0)
			return rc;
	}
	return 0;
}

int evs_expire(const char *const *paths, size_t npaths, const struct evs_expire_opts *opts,
	       struct evs_expire_stats *stats, struct evs_diag *diag)
{
	struct expiry x = {
		.o = opts,
		.stats = stats,
		.now = opts->now ? opts->now : evs_io_now(),
		.wait = { .never = opts->no_wait, .stop = opts->stop, .arg = opts->arg },
		.ledger = { .fd = -1, .lock_fd = -1 }
	};
	const struct evs_visitor v = { .stream = on_stream,
				       .segment = on_segment,
				       .stream_end = on_stream_end,
				       .problem = tell,
				       .arg = &x,
				       .tenants = opts->tenants,
				       .ntenants = opts->ntenants };
	int rc = given_rule(&x, diag);

	*stats = (struct evs_expire_stats){ 0 };
	if (rc == 0 && opts->drop)
		rc = check_paths(paths, npaths, diag);
	if (rc == 0 && evs_report_init(&x.report, columns, COLUMNS) < 0)
		rc = evs_fail_nomem(diag);
	if (rc == 0)
		rc = evs_visit_paths(paths, npaths, &v, diag);
	if (rc == 0)
		rc = flush_report(&x, diag);
	close_stream(&x);
	evs_report_release(&x.report);
	return rc;
}
