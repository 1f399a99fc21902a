/*
 * Schemas of a store: make streams from DDL, compare, show (evs_store_*, evs_schema_show).
 */
#include "src/diag.h"
#include "src/store/io.h"
#include "src/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is to be written for one stream. */
struct plan {
	char dir[EVS_PATH_MAX];
	const struct evs_table *table;
	struct evs_buf text; /* schema.sql to be */
	enum evs_apply_result result;
	int lock; /* held from the comparison to the end, when it is to be applied; else -1 */
};

static int stream_dir(char *out, const char *store, const char *name, struct evs_diag *diag)
{
	char escaped[EVS_NAME_BYTES + 1];

	evs_name_escape(name, strlen(name), escaped);
	return evs_path_join(out, store, escaped, diag);
}

/* A table's statements, then the views over it. */
static int compose(struct plan *p, const struct evs_ddl *ddl)
{
	evs_buf_put(&p->text, p->table->text, p->table->text_len);
	for (size_t i = 0; i < ddl->nviews; i++) {
		const struct evs_view *v = &ddl->views[i];

		if (!v->source || strcmp(v->source, p->table->name) != 0)
			continue;
		evs_buf_put(&p->text, "\n", 1);
		evs_buf_put(&p->text, v->text, strlen(v->text));
		if (v->text[0] && v->text[strlen(v->text) - 1] != '\n')
			evs_buf_put(&p->text, ";\n", v->text[strlen(v->text) - 1] == ';' ? 1 : 2);
	}
	return evs_buf_ok(&p->text) ? 0 : EVS_E_NOMEM;
}

/* Do the views that stand behind the table in `text` equal those behind it in the plan? */
static int same_views(const char *text, size_t len, const struct plan *p, bool *same,
		      struct evs_diag *diag)
{
	struct evs_ddl *old = NULL, *now = NULL;
	int rc = evs_ddl_parse(&old, text, len, NULL, NULL, NULL);

	if (rc == 0)
		rc = evs_ddl_parse(&now, (char *)p->text.p, p->text.len, NULL, NULL, NULL);
	*same = rc == 0 && old->nviews == now->nviews;
	for (size_t i = 0; *same && i < old->nviews; i++)
		*same = !strcmp(old->views[i].text, now->views[i].text);
	evs_ddl_free(old);
	evs_ddl_free(now);
	return rc == EVS_E_NOMEM ? evs_fail_nomem(diag) : 0;
}

/* Compare with what is there. `detail` says in what they differ. */
static int judge(struct plan *p, struct evs_diag *detail, struct evs_diag *diag)
{
	struct evs_table *old = NULL;
	char *text = NULL;
	size_t len = 0;
	bool same = false, views = true;
	int rc = evs_stream_schema(p->dir, &text, &len, diag);

	if (rc != 0) {
		p->result = EVS_APPLY_CREATED;
		return rc < 0 ? rc : 0;
	}
	rc = evs_table_parse(&old, text, len, diag);
	if (rc < 0)
		goto out;
	rc = evs_table_compatible(old, p->table, &same, detail);
	if (rc < 0 && rc != EVS_E_SCHEMA)
		goto out;
	p->result = rc == EVS_E_SCHEMA ? EVS_APPLY_DIFFERS
		    : same	       ? EVS_APPLY_SAME
				       : EVS_APPLY_CHANGED;
	rc = same_views(text, len, p, &views, diag);
	if (p->result == EVS_APPLY_SAME && !views) {
		p->result = EVS_APPLY_CHANGED;
		(void)evs_fail(detail, EVS_E_SCHEMA, "its views differ");
	}
out:
	free(text);
	evs_table_free(old);
	return rc;
}

static int write_plan(const struct plan *p, struct evs_diag *diag)
{
	char path[EVS_PATH_MAX];
	int rc = evs_path_join(path, p->dir, "schema.sql", diag);

	if (rc < 0)
		return rc;
	/* As it is already: but whoever put it there may have been killed before it was durable. */
	if (p->result == EVS_APPLY_SAME)
		return evs_io_sync_dir(p->dir, diag);
	return evs_io_write_file(path, p->text.p, p->text.len, diag);
}

/* The stream's folder, made and locked against other writers of its schema. */
static int lock_plan(struct plan *p, struct evs_diag *diag)
{
	bool new_store;
	int rc = evs_stream_make(p->dir, &new_store, diag);

	return rc < 0 ? rc : evs_stream_lock(p->dir, NULL, &p->lock, diag);
}

static int same_stream_twice(const struct plan *p, size_t n, struct evs_diag *diag)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(p[i].dir, p[n].dir))
			return evs_fail_at(diag, EVS_E_SCHEMA, 1, 1,
					   "table %.200s is defined twice", p[n].table->name);
	return 0;
}

static int make_plans(const char *store, const struct evs_ddl *ddl, bool apply, struct plan *plans,
		      evs_apply_fn *report, void *arg, struct evs_diag *diag)
{
	for (size_t i = 0; i < ddl->ntables; i++) {
		struct plan *p = &plans[i];
		struct evs_diag detail = { 0 };
		int rc;

		p->table = ddl->tables[i];
		rc = stream_dir(p->dir, store, p->table->name, diag);
		if (rc == 0)
			rc = same_stream_twice(plans, i, diag);
		if (rc == 0 && compose(p, ddl) < 0)
			rc = evs_fail_nomem(diag);
		if (rc == 0 && apply)
			rc = lock_plan(p, diag);
		if (rc == 0)
			rc = judge(p, &detail, diag);
		if (rc < 0)
			return rc;
		if (apply && p->result == EVS_APPLY_DIFFERS)
			return evs_fail(diag, EVS_E_SCHEMA,
					"stream %.100s cannot change so: %.800s", p->table->name,
					detail.what);
		if (!apply && report) {
			if (p->result == EVS_APPLY_CREATED)
				p->result = EVS_APPLY_MISSING;
			else if (p->result == EVS_APPLY_CHANGED)
				p->result = EVS_APPLY_DIFFERS;
			report(arg, p->table->name, p->result,
			       p->result != EVS_APPLY_DIFFERS ? ""
			       : detail.what[0]
				       ? detail.what
				       : "the file has columns or types that the store has not");
		}
	}
	return 0;
}

static struct plan *new_plans(size_t n)
{
	struct plan *p = calloc(n + 1, sizeof(*p));

	for (size_t i = 0; p && i < n; i++)
		p[i].lock = -1;
	return p;
}

static void free_plans(struct plan *p, size_t n)
{
	for (size_t i = 0; p && i < n; i++) {
		evs_buf_release(&p[i].text);
		evs_io_close(p[i].lock);
	}
	free(p);
}

/* A note about a view whose stream is not in the same text, so that it is not lost in silence. */
static void note_views(const struct evs_ddl *ddl, evs_text_fn *note, void *arg)
{
	char text[512];

	for (size_t i = 0; note && i < ddl->nviews; i++) {
		const struct evs_view *v = &ddl->views[i];
		bool found = false;

		for (size_t k = 0; k < ddl->ntables && v->source; k++)
			found |= !strcmp(ddl->tables[k]->name, v->source);
		if (found)
			continue;
		(void)snprintf(text, sizeof(text),
			       "view %.100s skipped: its stream %.100s is not in this file",
			       v->name, v->source ? v->source : "");
		note(arg, 0, text);
	}
}

int evs_store_apply(const char *store, const char *text, size_t len, evs_text_fn *note,
		    void *note_arg, evs_apply_fn *report, void *report_arg, struct evs_diag *diag)
{
	struct evs_ddl *ddl = NULL;
	struct plan *plans = NULL;
	int rc = evs_ddl_parse(&ddl, text, len, note, note_arg, diag);

	if (rc < 0)
		return rc;
	if (!ddl->ntables) {
		rc = evs_fail(diag, EVS_E_SCHEMA, "no CREATE TABLE in this text");
		goto out;
	}
	plans = new_plans(ddl->ntables);
	rc = plans ? make_plans(store, ddl, true, plans, report, report_arg, diag)
		   : evs_fail_nomem(diag);
	if (rc == 0)
		note_views(ddl, note, note_arg);
	for (size_t i = 0; rc == 0 && i < ddl->ntables; i++) {
		rc = write_plan(&plans[i], diag);
		if (rc == 0 && report)
			report(report_arg, plans[i].table->name, plans[i].result, "");
	}
out:
	free_plans(plans, ddl->ntables);
	evs_ddl_free(ddl);
	return rc;
}

/* Streams of the store that the text does not speak of. */
static int report_extra(const char *store, const struct plan *plans, size_t n, evs_apply_fn *report,
			void *arg, struct evs_diag *diag)
{
	struct evs_io_stat st;
	char **streams = NULL;
	size_t ns = 0;
	int rc = evs_io_stat(store, &st, diag);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = evs_store_streams(store, &streams, &ns, diag);
	for (size_t i = 0; rc == 0 && i < ns; i++) {
		bool found = false;
		for (size_t k = 0; k < n; k++)
			found |= !strcmp(plans[k].dir, streams[i]);
		if (!found && report)
			report(arg, evs_path_name(streams[i]), EVS_APPLY_EXTRA, "");
	}
	evs_strings_free(streams, ns);
	return rc;
}

int evs_store_check(const char *store, const char *text, size_t len, evs_text_fn *note,
		    void *note_arg, evs_apply_fn *report, void *report_arg, struct evs_diag *diag)
{
	struct evs_ddl *ddl = NULL;
	struct plan *plans = NULL;
	int rc = evs_ddl_parse(&ddl, text, len, note, note_arg, diag);
	bool same = true;

	if (rc < 0)
		return rc;
	plans = new_plans(ddl->ntables);
	rc = plans ? make_plans(store, ddl, false, plans, report, report_arg, diag)
		   : evs_fail_nomem(diag);
	for (size_t i = 0; rc == 0 && i < ddl->ntables; i++)
		same &= plans[i].result == EVS_APPLY_SAME;
	if (rc == 0)
		rc = report_extra(store, plans, ddl->ntables, report, report_arg, diag);
	free_plans(plans, ddl->ntables);
	evs_ddl_free(ddl);
	return rc < 0 ? rc : !same;
}

/* ---- show ------------------------------------------------------------------------------------ */

static int show_segment(const char *path, struct evs_buf *out, struct evs_diag *diag)
{
	struct evs_segment *s = NULL;
	char *text = NULL;
	size_t len = 0;
	int rc = evs_segment_open(&s, path, NULL, NULL, diag);

	if (rc == 0)
		rc = evs_segment_schema(s, evs_segment_schema_off(s), &text, &len, diag);
	if (rc == 0)
		evs_buf_put(out, text, len);
	free(text);
	evs_segment_close(s);
	return rc;
}

static int show_stream(const char *dir, struct evs_buf *out, struct evs_diag *diag)
{
	char path[EVS_PATH_MAX], *text = NULL;
	size_t len = 0;
	int rc = evs_path_join(path, dir, "schema.sql", diag);

	if (rc == 0)
		rc = evs_io_read_file(path, EVS_MAX_SCHEMA, &text, &len, diag);
	if (rc == 1)
		rc = evs_fail_sys(diag, ENOENT, path, "cannot open");
	if (rc == 0) {
		if (out->len)
			evs_buf_put(out, "\n", 1);
		evs_buf_put(out, text, len);
	}
	free(text);
	return rc;
}

static int show_store(const char *store, struct evs_buf *out, struct evs_diag *diag)
{
	char **streams = NULL;
	size_t n = 0;
	int rc = evs_store_streams(store, &streams, &n, diag);

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = show_stream(streams[i], out, diag);
	evs_strings_free(streams, n);
	return rc;
}

/* A tenant's schema is its stream's; one copied out of a store has none but its segments'. */
static int show_tenant(const char *dir, struct evs_buf *out, struct evs_diag *diag)
{
	struct evs_path_list l = { 0 };
	const char *paths[] = { dir };
	int rc = evs_path_list(&l, paths, 1, NULL, 0, INT64_MIN, INT64_MAX, diag);

	if (rc == 0 && l.stream)
		rc = show_stream(l.stream, out, diag);
	else if (rc == 0 && l.n)
		rc = show_segment(l.paths[l.n - 1], out, diag);
	evs_path_list_release(&l);
	return rc;
}

int evs_schema_show(const char *path, char **text, size_t *len, struct evs_diag *diag)
{
	struct evs_buf out = { 0 };
	enum evs_path_kind kind;
	int rc = evs_path_kind(path, &kind, diag);

	if (rc < 0)
		return rc;
	switch (kind) {
	case EVS_PATH_STORE:
		rc = show_store(path, &out, diag);
		break;
	case EVS_PATH_STREAM:
		rc = show_stream(path, &out, diag);
		break;
	case EVS_PATH_TENANT:
		rc = show_tenant(path, &out, diag);
		break;
	default:
		rc = show_segment(path, &out, diag);
	}
	evs_buf_put_u8(&out, 0);
	if (rc == 0 && !evs_buf_ok(&out))
		rc = evs_fail_nomem(diag);
	if (rc < 0) {
		evs_buf_release(&out);
		return rc;
	}
	*len = out.len - 1;
	*text = (char *)out.p;
	return 0;
}
