/*
 * What FROM names: a stream of the store, a view in a schema.sql, or the stream that the paths lead
 * to anyway. Then the source is opened, the plan bound to it, and the columns chosen.
 */
#include "src/query/query.h"

#include "src/diag.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_VIEWS 8u /* inside of each other */

/* ---- names ----------------------------------------------------------------------------------- */

/* All DDL that stands under a path. */
static int read_ddl(const char *path, struct evs_ddl **ddl, struct evs_diag *diag)
{
	char *text = NULL;
	size_t len = 0;
	int rc = evs_schema_show(path, &text, &len, diag);

	if (rc == 0)
		rc = evs_ddl_parse(ddl, text, len, NULL, NULL, diag);
	free(text);
	return rc;
}

static const struct evs_view *find_view(const struct evs_ddl *ddl, const char *name)
{
	for (size_t i = 0; i < ddl->nviews; i++)
		if (!strcmp(ddl->views[i].name, name))
			return &ddl->views[i];
	return NULL;
}

static int unknown_source(const struct evs_ddl *ddl, const char *name, const char *path,
			  struct evs_diag *diag)
{
	static const struct evs_type any = { .id = EVS_T_STRING };
	struct evs_table_column *col = calloc(ddl->ntables + ddl->nviews + 1, sizeof(*col));
	struct evs_table *names = NULL;
	char hint[160] = "";
	size_t n = 0;

	for (size_t i = 0; col && i < ddl->ntables + ddl->nviews; i++) {
		const char *s =
			i < ddl->ntables ? ddl->tables[i]->name : ddl->views[i - ddl->ntables].name;

		col[n++] = (struct evs_table_column){ s, strlen(s), &any, false, false };
	}
	if (col && evs_table_make(&names, "", "", col, n) == 0)
		evs_table_suggest(names, name, strlen(name), hint, sizeof(hint));
	evs_table_free(names);
	free(col);
	return evs_fail(diag, EVS_E_USAGE, "no stream or view `%.200s` in %.300s%s", name, path,
			hint);
}

/* ---- a scan as the source -------------------------------------------------------------------- */

static int open_scan(struct evs_query *q, struct evs_scan **out, const char *const *paths,
		     size_t npaths, struct evs_diag *diag)
{
	const struct evs_query_opts *o = &q->opts;
	struct evs_scan_opts opts = { .tenants = o->tenants,
				      .ntenants = o->ntenants,
				      .has_since = o->has_since,
				      .has_until = o->has_until,
				      .since = o->since,
				      .until = o->until,
				      .keys = o->keys,
				      .nkeys = o->nkeys,
				      .now = o->now,
				      .threads = o->threads,
				      .on_damage = o->on_damage ? evs_query_damage : NULL,
				      .arg = q };

	return evs_scan_open(out, paths, npaths, &opts, diag);
}

static int choose_columns(struct evs_query *q, struct evs_diag *diag)
{
	size_t ncols = q->source->ncols;
	bool *used = calloc(ncols + 1, sizeof(*used));

	q->used = calloc(ncols + 1, sizeof(*q->used));
	if (!used || !q->used) {
		free(used);
		return evs_fail_nomem(diag);
	}
	evs_select_columns(q->plan, used);
	for (size_t c = 0; c < ncols; c++)
		if (used[c])
			q->used[q->nused++] = (uint16_t)c;
	free(used);
	return 0;
}

static int ready_scan(struct evs_query *q, struct evs_scan *s, struct evs_diag *diag)
{
	int rc = evs_scan_choose(s, q->used, q->nused, diag);

	return rc == 0 && q->plan->where ? evs_scan_where(s, q->plan->where, diag) : rc;
}

/* A second thread for half of the segments, where that is worth it. */
static int second_scan(struct evs_query *q, struct evs_diag *diag)
{
	struct evs_scan *s = NULL;
	int rc;

	if (q->threads < 2 || !q->plan->grouped)
		return 0;
	rc = evs_scan_fork(q->feed[0].scan, &s, diag);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	q->feed[1].q = q;
	q->feed[1].scan = s;
	q->nfeeds = 2;
	return ready_scan(q, s, diag);
}

static int check_name(const struct evs_query *q, const struct evs_table *t, struct evs_diag *diag)
{
	const char *db = evs_select_from_db(q->select), *name = evs_select_from(q->select);

	if (*name && strcmp(name, t->name) != 0)
		return evs_fail(diag, EVS_E_USAGE,
				"the query is FROM %.200s, and the paths hold %.200s", name,
				t->name);
	if (*db && *t->db && strcmp(db, t->db) != 0)
		return evs_fail(diag, EVS_E_USAGE, "%.200s is of the database %.200s, not %.200s",
				t->name, t->db, db);
	return 0;
}

static int bind(struct evs_query *q, const struct evs_table *t, struct evs_diag *diag)
{
	int rc;

	q->source = t;
	rc = evs_select_bind(q->select, t, diag);
	if (rc < 0)
		return rc;
	q->plan = evs_select_plan(q->select);
	return choose_columns(q, diag);
}

static int from_scan(struct evs_query *q, const char *const *paths, size_t npaths,
		     struct evs_diag *diag)
{
	const struct evs_table *t;
	int rc;

	q->feed[0].q = q;
	q->nfeeds = 1;
	rc = open_scan(q, &q->feed[0].scan, paths, npaths, diag);
	if (rc < 0)
		return rc;
	t = evs_scan_table(q->feed[0].scan);
	rc = check_name(q, t, diag);
	if (rc == 0)
		rc = bind(q, t, diag);
	if (rc == 0)
		rc = ready_scan(q, q->feed[0].scan, diag);
	if (rc == 0)
		rc = evs_query_rollup_open(q, paths[0], diag);
	return rc < 0 ? rc : second_scan(q, diag);
}

/* ---- a view as the source -------------------------------------------------------------------- */

static int inner_table(struct evs_query *q, const char *name, struct evs_diag *diag)
{
	size_t n = q->inner->plan->nitems;
	struct evs_table_column *col = calloc(n + 1, sizeof(*col));
	int rc = col ? 0 : EVS_E_NOMEM;

	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct evs_field *f = &q->inner->fields[i];

		col[i] = (struct evs_table_column){ f->name, f->name_len, f->type, f->nullable,
						    f->extra };
	}
	if (rc == 0)
		rc = evs_table_make(&q->inner_table, "", name, col, n);
	free(col);
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

/* The column of its source that an item of a query is, as it stands or as a key; -1: none. */
static int column_of(const struct evs_select_plan *p, int item)
{
	int c = item < 0 ? -1 : evs_expr_column(p->col[item].expr);

	if (c < 0 || !p->grouped)
		return c;
	return (size_t)c < p->nkey ? evs_expr_column(p->key[c]) : -1;
}

/*
 * What the condition asks of a view's columns that are the stream's, its rows or groups have from
 * the rows they come from: the scan need not read others, but where a LIMIT counts them.
 */
static int hint_scan(struct evs_query *q, struct evs_diag *diag)
{
	size_t n = q->source->ncols;
	struct evs_query *in = q->inner;
	int *column, rc = 0;

	if (!q->plan->where)
		return 0;
	column = malloc((n + 1) * sizeof(*column));
	if (!column)
		return evs_fail_nomem(diag);
	for (size_t i = 0; i < n; i++)
		column[i] = (int)i;
	for (;; in = in->inner) {
		const struct evs_select_plan *p = in->plan;

		if (p->limit != EVS_NO_LIMIT || p->offset || p->nby)
			goto out;
		for (size_t i = 0; i < n; i++)
			column[i] = column_of(p, column[i]);
		if (!in->inner)
			break;
	}
	for (unsigned f = 0; f < in->nfeeds && rc == 0; f++)
		rc = evs_scan_hint(in->feed[f].scan, q->plan->where, column, n, diag);
out:
	free(column);
	return rc;
}

static int from_view(struct evs_query *q, const struct evs_view *v, const char *const *paths,
		     size_t npaths, unsigned depth, struct evs_diag *diag)
{
	struct evs_query_opts o = q->opts;
	char what[sizeof(diag->what)];
	int rc;

	if (depth == MAX_VIEWS)
		return evs_fail(diag, EVS_E_USAGE,
				"views are more than %u deep inside of each other", MAX_VIEWS);
	o.sql = v->select_text;
	o.limit = 0;
	q->cap /= 2;
	o.mem_limit =
		(uint64_t)q->cap * 4 * q->threads; /* of which its groups get as much as ours */
	rc = evs_query_open_depth(&q->inner, paths, npaths, &o, depth + 1, diag);
	if (rc < 0) {
		if (rc == EVS_E_QUERY && diag) { /* its place is in the view's text, not in ours */
			snprintf(what, sizeof(what), "%s", diag->what);
			rc = evs_fail(diag, rc, "in view %.200s: %s", v->name, what);
		}
		return rc;
	}
	rc = inner_table(q, v->name, diag);
	if (rc < 0)
		return rc;
	q->feed[0].q = q;
	q->nfeeds = 1;
	rc = bind(q, q->inner_table, diag);
	return rc < 0 ? rc : hint_scan(q, diag);
}

/* ---- finding it ------------------------------------------------------------------------------ */

/* A view of this name in the DDL under the first path: 1 when there is none. */
static int try_view(struct evs_query *q, const char *const *paths, size_t npaths, unsigned depth,
		    bool must, struct evs_diag *diag)
{
	const char *name = evs_select_from(q->select);
	const struct evs_view *v;
	struct evs_ddl *ddl = NULL;
	int rc = read_ddl(paths[0], &ddl, diag);

	if (rc < 0)
		return rc;
	v = find_view(ddl, name);
	if (v)
		rc = from_view(q, v, paths, npaths, depth, diag);
	else
		rc = must ? unknown_source(ddl, name, paths[0], diag) : 1;
	evs_ddl_free(ddl);
	return rc;
}

int evs_query_from(struct evs_query *q, const char *const *paths, size_t npaths, unsigned depth,
		   struct evs_diag *diag)
{
	char folder[EVS_NAME_BYTES + 1], dir[EVS_PATH_MAX];
	const char *name = evs_select_from(q->select), *one = dir;
	enum evs_path_kind kind, inside;
	struct evs_diag d = { 0 };
	int rc = evs_path_kind(paths[0], &kind, diag);

	if (rc < 0 || !*name)
		return rc < 0 ? rc : from_scan(q, paths, npaths, diag);
	if (kind != EVS_PATH_STORE || npaths > 1) {
		rc = kind == EVS_PATH_SEGMENT ? 1 : try_view(q, paths, npaths, depth, false, diag);
		return rc == 1 ? from_scan(q, paths, npaths, diag) : rc;
	}
	evs_name_escape(name, strlen(name), folder);
	rc = evs_path_join(dir, paths[0], folder, diag);
	if (rc < 0)
		return rc;
	rc = evs_path_kind(dir, &inside, &d);
	if (rc == 0 && inside == EVS_PATH_STREAM)
		return from_scan(q, &one, 1, diag);
	/* No such folder, or one of something else, leaves the views. */
	if (rc < 0 && rc != EVS_E_USAGE && d.sys != ENOENT) {
		if (diag)
			*diag = d;
		return rc;
	}
	return try_view(q, paths, npaths, depth, true, diag);
}
