/*
 * From a draft to a table: which columns may be null, the sort key, the time, the hidden columns,
 * and the expressions of DEFAULT and CHECK bound to it all.
 */
#include "src/schema/ddl.h"

#include "src/schema/table.h"
#include "src/schema/type.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Place of a column in the text, for messages. */
static struct evs_tok column_tok(const struct ddl_draft *f, int column)
{
	const struct ddl_slice *s = &f->cols[column].name;

	return (struct evs_tok){
		.kind = EVS_TOK_WORD, .at = s->at, .len = s->len, .line = s->line, .col = s->col
	};
}

static int index_names(struct ddl *d, struct ddl_draft *f)
{
	struct evs_tok tok;
	size_t twice;

	if (evs_table_index_names(f->t, &twice) < 0)
		return ddl_nomem(d);
	if (twice == f->t->ncols)
		return 0;
	tok = column_tok(f, (int)twice);
	return ddl_fail_tok(d, &tok, "the column %s is defined twice", f->t->cols[twice].name);
}

/*
 * ---- sort key ----------------------------------------------------------------------------------
 */

static bool in_key(const struct evs_table *t, int column)
{
	for (unsigned i = 0; i < t->nkey; i++) {
		if (t->key[i] == column)
			return true;
	}
	return false;
}

static bool can_sort(const struct evs_type *t)
{
	return t->id != EVS_T_ARRAY && t->id != EVS_T_MAP && t->id != EVS_T_JSON;
}

static int key_item(struct ddl *d, struct ddl_draft *f, const struct ddl_slice *s)
{
	struct evs_table *t = f->t;
	struct evs_tok tok;
	bool plain;
	int column, rc = ddl_expr_column(d, t, s, &plain, &column);

	if (rc < 0)
		return rc;
	tok = (struct evs_tok){
		.kind = EVS_TOK_WORD, .at = s->at, .len = s->len, .line = s->line, .col = s->col
	};
	if (!can_sort(&t->cols[column].type)) {
		if (plain)
			return ddl_fail_tok(
				d, &tok,
				"rows cannot be sorted by %s: it is an Array, a Map or JSON",
				t->cols[column].name);
		ddl_note(d, s->line, "sort key %.*s: not used by evseg",
			 s->len > 100 ? 100 : (int)s->len, d->lex.text + s->at);
		return 0;
	}
	f->cols[column].key |= plain;
	if (!plain)
		ddl_note(d, s->line, "sort key %.*s: rows are sorted by %s itself",
			 s->len > 100 ? 100 : (int)s->len, d->lex.text + s->at,
			 t->cols[column].name);
	if (!in_key(t, column))
		t->key[t->nkey++] = (uint16_t)column;
	return 0;
}

/* ORDER BY, else PRIMARY KEY. The columns of a PRIMARY KEY are never null. */
static int resolve_key(struct ddl *d, struct ddl_draft *f)
{
	const struct ddl_list *list = f->has_order ? &f->order : &f->primary;
	bool plain;
	int column, rc = 0;

	if (list->n >= UINT16_MAX)
		return ddl_fail_tok(d, &f->name_tok, "the sort key has too many columns");
	f->t->key = calloc(list->n + 1, sizeof(*f->t->key));
	if (!f->t->key)
		return ddl_nomem(d);
	for (size_t i = 0; rc == 0 && i < list->n; i++)
		rc = key_item(d, f, &list->v[i]);
	for (size_t i = 0; rc == 0 && i < f->primary.n; i++) {
		rc = ddl_expr_column(d, f->t, &f->primary.v[i], &plain, &column);
		if (rc == 0)
			f->cols[column].key |= plain;
	}
	return rc;
}

/*
 * ---- null --------------------------------------------------------------------------------------
 */

static int never_null(struct ddl *d, struct ddl_draft *f, int column, const char *role)
{
	struct evs_tok tok = column_tok(f, column);

	if (f->cols[column].explicit_null)
		return ddl_fail_tok(d, &tok,
				    "%s is %s, which is never null: leave out Nullable or NULL",
				    f->t->cols[column].name, role);
	f->t->cols[column].nullable = false;
	return 0;
}

/*
 * A statement that says NOT NULL anywhere, or has no ENGINE, speaks SQL: what does not say NOT NULL
 * may be null. Otherwise it speaks ClickHouse: only what says so may.
 */
static int resolve_nulls(struct ddl *d, struct ddl_draft *f)
{
	bool sql = f->has_not_null || !f->has_engine;
	int rc = 0;

	for (unsigned i = 0; i < f->t->ncols; i++) {
		struct ddl_column *x = &f->cols[i];

		f->t->cols[i].nullable = x->explicit_null || (sql && !x->not_null);
		if (x->not_null)
			f->t->cols[i].nullable = false;
	}
	for (unsigned i = 0; rc == 0 && i < f->t->ncols; i++) {
		if (f->cols[i].key)
			rc = never_null(d, f, (int)i, "in the key");
	}
	if (rc == 0 && f->t->tenant_column >= 0)
		rc = never_null(d, f, f->t->tenant_column, "the tenant");
	if (rc == 0 && f->has_unit)
		rc = never_null(d, f, f->t->time_column, "the time");
	return rc;
}

/*
 * ---- time --------------------------------------------------------------------------------------
 */

static bool usable_time(const struct evs_table *t, int column)
{
	return evs_type_is_time(&t->cols[column].type) && !t->cols[column].nullable;
}

static int time_by_name(const struct evs_table *t)
{
	static const char *const names[] = { "timestamp",   "ts",	  "time",
					     "event_time",  "eventTime",  "@timestamp",
					     "created_at",  "createdAt",  "started_at",
					     "start_time",  "startTime",  "occurred_at",
					     "received_at", "inserted_at" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (unsigned c = 0; c < t->ncols; c++) {
			if (!strcasecmp(t->cols[c].name, names[i]) && usable_time(t, (int)c))
				return (int)c;
		}
	}
	for (unsigned c = 0; c < t->ncols; c++) {
		if (usable_time(t, (int)c))
			return (int)c;
	}
	return -1;
}

/*
 * The time column where PARTITION BY names none: TTL's, the key's, by name, any, or the time of
 * arrival.
 */
static void choose_time(struct ddl_draft *f)
{
	struct evs_table *t = f->t;

	t->time_kind = EVS_TIME_NATIVE;
	t->time_column = -1;
	if (f->ttl_column >= 0 && !t->cols[f->ttl_column].nullable) {
		t->time_column = f->ttl_column;
		t->time_kind = f->ttl_kind;
		return;
	}
	for (unsigned i = 0; i < t->nkey && t->time_column < 0; i++) {
		if (usable_time(t, t->key[i]))
			t->time_column = t->key[i];
	}
	if (t->time_column < 0)
		t->time_column = time_by_name(t);
	if (t->time_column < 0)
		t->time_kind = EVS_TIME_ARRIVAL;
}

/* TTL speaks of another column than the one that partitions follow. */
static void check_ttl(struct ddl *d, struct ddl_draft *f)
{
	struct evs_table *t = f->t;

	if (f->ttl_column < 0 || f->ttl_column == t->time_column)
		return;
	ddl_note(d, f->ttl.v[0].line,
		 "TTL on %s: not used by evseg, rows expire by their time, which is %s",
		 t->cols[f->ttl_column].name,
		 t->time_kind == EVS_TIME_ARRIVAL ? "that of arrival"
						  : t->cols[t->time_column].name);
	t->ttl_seconds = 0;
	t->ttl_months = 0;
}

static int add_hidden(struct ddl *d, struct ddl_draft *f, const char *name,
		      const struct evs_type *type)
{
	char *copy = evs_text_copy(name, strlen(name));
	struct evs_column *c;
	int rc;

	if (!copy)
		return ddl_nomem(d);
	rc = ddl_add_column(d, f, copy, strlen(name));
	if (rc < 0)
		return rc;
	c = &f->t->cols[f->t->ncols - 1];
	c->type = *type;
	c->hidden = true;
	return 0;
}

static int add_hidden_columns(struct ddl *d, struct ddl_draft *f)
{
	const struct evs_type json = { .id = EVS_T_JSON };
	const struct evs_type time = { .id = EVS_T_DATETIME64, .scale = 9 };
	struct evs_table *t = f->t;
	int rc;

	t->ndeclared = t->ncols;
	t->extra_column = t->ncols;
	rc = add_hidden(d, f, EVS_EXTRA, &json);
	if (rc < 0)
		return rc;
	t->cols[t->extra_column].nullable = true;
	if (t->time_kind == EVS_TIME_ARRIVAL) {
		t->time_column = t->ncols;
		rc = add_hidden(d, f, EVS_ARRIVAL, &time);
	}
	return rc < 0 ? rc : index_names(d, f);
}

/* Without ORDER BY and PRIMARY KEY, rows are sorted by time. */
static int default_key(struct ddl *d, struct ddl_draft *f)
{
	struct evs_table *t = f->t;

	if (t->nkey || f->has_order || f->has_primary)
		return 0;
	if (!t->key)
		return ddl_nomem(d);
	t->key[t->nkey++] = (uint16_t)t->time_column;
	return 0;
}

/*
 * ---- engine ------------------------------------------------------------------------------------
 */

/*
 * The columns named between the parentheses of ReplacingMergeTree and SummingMergeTree must exist.
 */
static int check_engine_args(struct ddl *d, struct ddl_draft *f)
{
	struct evs_table *t = f->t;
	struct evs_lex l;
	struct evs_tok tok;
	int rc = ddl_lex_slice(d, &f->engine_args, &l);

	t->engine_cols = calloc(t->ncols, sizeof(*t->engine_cols));
	if (!t->engine_cols)
		return ddl_nomem(d);
	while (rc == 0 && l.tok.kind != EVS_TOK_END) {
		if (!evs_tok_is_name(&l.tok)) {
			rc = evs_lex_next(&l, d->diag);
			continue;
		}
		tok = l.tok;
		rc = ddl_path_column(d, f->t, &l);
		if (rc == -1)
			return ddl_no_column(d, f->t, &tok);
		if (rc < 0)
			return rc;
		if (t->nengine_cols < t->ncols)
			t->engine_cols[t->nengine_cols++] = (uint16_t)rc;
		rc = 0;
	}
	return rc;
}

int ddl_finish(struct ddl *d, struct ddl_draft *f)
{
	struct evs_table *t = f->t;
	int rc = index_names(d, f);

	if (rc == 0)
		rc = resolve_key(d, f);
	if (rc == 0)
		rc = ddl_resolve_partition(d, f);
	if (rc == 0)
		rc = ddl_resolve_ttl(d, f);
	if (rc == 0)
		rc = resolve_nulls(d, f);
	if (rc == 0 && !f->has_unit)
		choose_time(f);
	if (rc == 0) {
		check_ttl(d, f);
		rc = add_hidden_columns(d, f);
	}
	if (rc == 0)
		rc = default_key(d, f);
	if (rc == 0)
		rc = ddl_resolve_indexes(d, f);
	if (rc == 0 && f->engine_args.len)
		rc = check_engine_args(d, f);
	if (rc == 0 && !t->engine_args) {
		t->engine_args = evs_text_copy("", 0);
		rc = t->engine_args ? 0 : ddl_nomem(d);
	}
	if (rc == 0)
		rc = ddl_bind_defaults(d, f);
	return rc < 0 ? rc : ddl_bind_checks(d, f);
}
