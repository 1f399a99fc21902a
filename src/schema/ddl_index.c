/*
 * Indexes: INDEX ... TYPE inside CREATE TABLE, and CREATE INDEX. evseg keeps filters for single
 * columns; what else an index says is kept as text and told.
 */
#include "src/schema/ddl.h"

#include <stdlib.h>
#include <string.h>

/* Append an index to the table, taking `name` over; the other texts are copied. */
static int add_index(struct ddl *d, struct evs_table *t, char *name, const struct ddl_slice *expr,
		     const struct ddl_slice *kind)
{
	struct evs_index_def *v, *ix;

	if (t->nindexes == UINT16_MAX) {
		free(name);
		return ddl_fail(d, "the table %s has too many indexes", t->name);
	}
	v = realloc(t->indexes, (t->nindexes + 1u) * sizeof(*v));
	if (!v) {
		free(name);
		return ddl_nomem(d);
	}
	t->indexes = v;
	ix = &v[t->nindexes++];
	ix->name = name;
	ix->expr_text = ddl_copy_slice(d, expr);
	ix->kind = kind->len ? ddl_copy_slice(d, kind) : evs_text_copy("btree", 5);
	for (char *p = ix->kind; p && *p; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p; /* GIN */
	ix->column = -1;
	return ix->expr_text && ix->kind && name ? 0 : ddl_nomem(d);
}

/* TYPE kind(args) GRANULARITY n, if it is there. */
static int take_kind(struct ddl *d, struct ddl_slice *kind)
{
	int rc = ddl_accept(d, "TYPE");

	if (rc > 0) {
		if (!evs_tok_is_name(&d->lex.tok))
			return ddl_fail(
				d,
				"the index's kind is expected here, such as bloom_filter or minmax");
		*kind = (struct ddl_slice){ .at = d->lex.tok.at, .len = d->lex.tok.len };
		rc = ddl_next(d);
		if (rc == 0)
			rc = ddl_skip_group(d);
	}
	if (rc == 0)
		rc = ddl_accept(d, "GRANULARITY");
	if (rc > 0)
		rc = ddl_next(d);
	return rc;
}

int ddl_table_index(struct ddl *d, struct ddl_draft *f)
{
	struct ddl_slice expr, kind = { 0 };
	struct ddl_list list = { 0 };
	char *name = NULL;
	size_t len;
	int rc = ddl_next(d);

	if (rc == 0)
		rc = ddl_name(d, "the index's name", &name, &len);
	expr = (struct ddl_slice){ .at = d->lex.tok.at };
	if (rc == 0)
		rc = ddl_take_exprs(d, &list, DDL_STOP_INDEX, true);
	expr.len = d->lex.prev_end - expr.at;
	if (rc == 0)
		rc = take_kind(d, &kind);
	if (rc == 0 && list.n == 0)
		rc = ddl_fail(d, "the index %s names no column", name);
	if (rc == 0) {
		rc = add_index(d, f->t, name, &expr, &kind);
		name = NULL;
	}
	if (rc == 0)
		rc = ddl_list_add(d, &f->index_exprs, &list.v[0]);
	free(name);
	free(list.v);
	return rc;
}

/* `s` is the first element of the index. */
static int resolve(struct ddl *d, const struct evs_table *t, struct evs_index_def *ix,
		   const struct ddl_slice *s)
{
	bool plain;
	int column, rc = ddl_expr_column(d, t, s, &plain, &column);

	if (rc < 0)
		return rc;
	if (plain)
		ix->column = column;
	else
		ddl_note(d, s->line, "index %s is on an expression: not used by evseg", ix->name);
	return 0;
}

int ddl_resolve_indexes(struct ddl *d, struct ddl_draft *f)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < f->t->nindexes; i++)
		rc = resolve(d, f->t, &f->t->indexes[i], &f->index_exprs.v[i]);
	return rc;
}

/* Everything of CREATE INDEX between the words and ON. */
static int take_head(struct ddl *d, char **name)
{
	size_t len;
	int rc = ddl_accept(d, "CONCURRENTLY");

	if (rc >= 0)
		rc = ddl_accept(d, "IF");
	if (rc > 0) {
		rc = ddl_expect(d, "NOT");
		if (rc == 0)
			rc = ddl_expect(d, "EXISTS");
	}
	if (rc == 0 && !ddl_is(d, "ON"))
		rc = ddl_name(d, "the index's name", name, &len);
	if (rc == 0)
		rc = ddl_expect(d, "ON");
	if (rc == 0)
		rc = ddl_accept(d, "ONLY");
	return rc < 0 ? rc : 0;
}

/*
 * INCLUDE (...), NULLS DISTINCT, WITH (...), WHERE ...: told and passed over, up to the end of the
 * statement.
 */
static int skip_tail(struct ddl *d)
{
	struct ddl_slice s;
	int rc = 0;

	if (d->lex.tok.kind == EVS_TOK_END || ddl_is(d, ";") || ddl_statement_begins(d))
		return 0;
	ddl_note(d, d->lex.tok.line, "%.*s of an index: not used by evseg", (int)d->lex.tok.len,
		 d->lex.text + d->lex.tok.at);
	while (rc >= 0 && d->lex.tok.kind != EVS_TOK_END && !ddl_is(d, ";") &&
	       !ddl_statement_begins(d)) {
		rc = ddl_take_expr(d, &s, DDL_STOP_CLAUSE);
		if (rc == 0 && ddl_is(d, ")"))
			return ddl_fail(d, "this parenthesis was never opened");
		if (rc == 0)
			rc = ddl_accept(d, ",");
	}
	return rc < 0 ? rc : 0;
}

static bool is_skipped(const struct ddl *d, const char *table)
{
	for (size_t i = 0; i < d->nskipped; i++) {
		if (!strcmp(d->skipped[i], table))
			return true;
	}
	return false;
}

static int no_table(struct ddl *d, const struct evs_tok *tok, const char *name)
{
	const char *known[64];
	char hint[300];
	size_t n = 0;

	for (; n < d->out->ntables && n < sizeof(known) / sizeof(known[0]); n++)
		known[n] = d->out->tables[n]->name;
	ddl_suggest(hint, sizeof(hint), name, strlen(name), known, n);
	return ddl_fail_tok(d, tok, "no table %s is defined before this index%s", name, hint);
}

/* [USING method] (a, b) [TYPE kind]: the elements, the text between the parentheses, the kind. */
static int take_columns(struct ddl *d, struct ddl_list *list, struct ddl_slice *expr,
			struct ddl_slice *kind)
{
	int rc = ddl_accept(d, "USING");

	if (rc > 0) {
		*kind = (struct ddl_slice){ .at = d->lex.tok.at, .len = d->lex.tok.len };
		rc = ddl_next(d);
	}
	if (rc < 0)
		return rc;
	if (!ddl_is(d, "("))
		return ddl_fail(d, "the index's columns in parentheses are expected here");
	expr->at = d->lex.tok.at + 1;
	rc = ddl_take_group(d, list, true);
	if (rc == 0 && list->n == 0)
		rc = ddl_fail(d, "the index names no column");
	if (rc < 0)
		return rc;
	expr->len = d->lex.prev_end - 1 - expr->at;
	return take_kind(d, kind);
}

int ddl_create_index(struct ddl *d, const struct evs_tok *start, bool unique)
{
	struct ddl_slice expr = { 0 }, kind = { 0 }, text;
	struct ddl_list list = { 0 };
	char *name = NULL, *db = NULL, *table = NULL;
	struct evs_tok table_tok;
	struct evs_table *t;
	int at = -1, rc = take_head(d, &name);

	table_tok = d->lex.tok;
	if (rc == 0)
		rc = ddl_qualified(d, "the table's name", &db, &table);
	if (rc == 0) {
		at = ddl_find_table(d, table);
		if (at < 0 && !is_skipped(d, table))
			rc = no_table(d, &table_tok, table);
	}
	if (rc == 0)
		rc = take_columns(d, &list, &expr, &kind);
	if (rc == 0)
		rc = skip_tail(d);
	if (rc < 0)
		goto out;
	if (at < 0) {
		ddl_note(d, start->line, "index on partition %s: not needed", table);
		goto out;
	}
	t = d->out->tables[at];
	if (unique)
		ddl_note(d, start->line, "UNIQUE of index %s: not checked by evseg",
			 name ? name : table);
	rc = add_index(d, t, name ? name : evs_text_copy(table, strlen(table)), &expr, &kind);
	name = NULL;
	if (rc == 0)
		rc = resolve(d, t, &t->indexes[t->nindexes - 1], &list.v[0]);
	text = (struct ddl_slice){ .at = start->at, .len = d->lex.prev_end - start->at };
	if (rc == 0)
		rc = ddl_list_add(d, &d->sources[at].parts, &text);
out:
	free(name);
	free(db);
	free(table);
	free(list.v);
	return rc;
}
