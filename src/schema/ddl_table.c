/*
 * CREATE TABLE: the name, and between the parentheses columns, constraints, indexes and
 * projections.
 */
#include "src/schema/ddl.h"

#include "src/schema/table.h"

#include <stdlib.h>
#include <string.h>

void ddl_draft_release(struct ddl_draft *f)
{
	for (size_t i = 0; i < f->nchecks; i++)
		free(f->checks[i].name);
	free(f->checks);
	free(f->cols);
	free(f->primary.v);
	free(f->order.v);
	free(f->partition.v);
	free(f->ttl.v);
	free(f->index_exprs.v);
	evs_table_free(f->t);
	memset(f, 0, sizeof(*f));
}

static int take_primary_key(struct ddl *d, struct ddl_draft *f)
{
	struct evs_tok word = d->lex.tok;
	int rc = ddl_next(d);

	if (rc == 0)
		rc = ddl_expect(d, "KEY");
	if (rc < 0)
		return rc;
	if (f->has_primary)
		return ddl_fail_tok(d, &word, "the table has two primary keys");
	f->has_primary = true;
	return ddl_take_group(d, &f->primary, true);
}

static int take_check(struct ddl *d, struct ddl_draft *f, char **name)
{
	struct ddl_slice s;
	int rc = ddl_next(d);

	if (rc == 0)
		rc = ddl_take_expr(d, &s, DDL_STOP_COLUMN);
	if (rc < 0)
		return rc;
	rc = ddl_add_check(d, f, *name ? *name : evs_text_copy("", 0), &s);
	*name = NULL;
	return rc;
}

/* UNIQUE (...), EXCLUDE ..., ASSUME ...: told and passed over, up to the next element. */
static int skip_constraint(struct ddl *d, const char *why)
{
	struct evs_tok word = d->lex.tok;
	struct ddl_slice s;
	int rc = ddl_next(d);

	ddl_note(d, word.line, "%.*s: %s", (int)word.len, d->lex.text + word.at, why);
	return rc < 0 ? rc : ddl_take_expr(d, &s, 0);
}

static int take_foreign_key(struct ddl *d)
{
	int rc = ddl_next(d);

	if (rc == 0)
		rc = ddl_expect(d, "KEY");
	if (rc == 0 && evs_tok_is_name(&d->lex.tok))
		rc = ddl_next(d);
	if (rc == 0)
		rc = ddl_skip_group(d);
	return rc < 0 ? rc : ddl_skip_references(d);
}

/* NOT VALID, NO INHERIT, DEFERRABLE ... behind a constraint. */
static int skip_constraint_end(struct ddl *d)
{
	static const char *const words[] = { "NOT",	 "VALID",      "NO",
					     "INHERIT",	 "DEFERRABLE", "INITIALLY",
					     "DEFERRED", "IMMEDIATE",  "ENFORCED" };
	bool more = true;
	int rc = 0;

	while (rc == 0 && more) {
		more = false;
		for (size_t i = 0; !more && i < sizeof(words) / sizeof(words[0]); i++)
			more = ddl_is(d, words[i]);
		if (more)
			rc = ddl_next(d);
	}
	return rc;
}

static int take_constraint(struct ddl *d, struct ddl_draft *f)
{
	char *name = NULL;
	size_t len;
	int rc = ddl_accept(d, "CONSTRAINT");

	if (rc > 0)
		rc = ddl_name(d, "the constraint's name", &name, &len);
	if (rc < 0)
		return rc;
	if (ddl_is(d, "CHECK"))
		rc = take_check(d, f, &name);
	else if (ddl_is(d, "PRIMARY"))
		rc = take_primary_key(d, f);
	else if (ddl_is(d, "FOREIGN"))
		rc = take_foreign_key(d);
	else if (ddl_is(d, "UNIQUE") || ddl_is(d, "EXCLUDE") || ddl_is(d, "ASSUME"))
		rc = skip_constraint(d, "not checked by evseg");
	else
		rc = ddl_fail(d, "CHECK, PRIMARY KEY, UNIQUE or FOREIGN KEY is expected here");
	free(name);
	return rc < 0 ? rc : skip_constraint_end(d);
}

/* PROJECTION name (SELECT ...). */
static int skip_projection(struct ddl *d)
{
	char *name = NULL;
	size_t len;
	uint32_t line = d->lex.tok.line;
	int rc = ddl_next(d);

	if (rc == 0)
		rc = ddl_name(d, "the projection's name", &name, &len);
	if (rc == 0) {
		ddl_note(d, line,
			 "PROJECTION %s: not used by evseg, declare a materialized view instead",
			 name);
		rc = ddl_skip_group(d);
	}
	free(name);
	return rc;
}

/*
 * Is the current word followed by a name and then by something that is no type? So INDEX and
 * PROJECTION begin.
 */
static bool begins_named_clause(const struct ddl *d)
{
	struct evs_lex l = d->lex;

	if (evs_lex_next(&l, NULL) < 0 || !evs_tok_is_name(&l.tok))
		return false;
	if (!ddl_is_type_name(d, &l.tok))
		return true;
	/* "index String," is a column, "INDEX date date TYPE minmax" is not. */
	return evs_lex_next(&l, NULL) == 0 &&
	       (evs_tok_is_name(&l.tok) && !evs_tok_is(&l, "NOT") && !evs_tok_is(&l, "NULL") &&
		!evs_tok_is(&l, "DEFAULT") && !evs_tok_is(&l, "CODEC") &&
		!evs_tok_is(&l, "COMMENT"));
}

static bool begins_constraint(const struct ddl *d)
{
	if (ddl_is(d, "CONSTRAINT") || ddl_is(d, "CHECK"))
		return true;
	if (ddl_is(d, "PRIMARY") || ddl_is(d, "FOREIGN"))
		return ddl_peek_is(d, "KEY");
	if (ddl_is(d, "UNIQUE"))
		return ddl_peek_is(d, "(") || ddl_peek_is(d, "NULLS");
	return ddl_is(d, "EXCLUDE") && (ddl_peek_is(d, "(") || ddl_peek_is(d, "USING"));
}

static int take_element(struct ddl *d, struct ddl_draft *f)
{
	if (begins_constraint(d))
		return take_constraint(d, f);
	if (ddl_is(d, "INDEX") && begins_named_clause(d))
		return ddl_table_index(d, f);
	if (ddl_is(d, "PROJECTION") && begins_named_clause(d))
		return skip_projection(d);
	if (ddl_is(d, "LIKE"))
		return ddl_fail(d, "evseg does not copy columns with LIKE: write them out");
	return ddl_take_column(d, f);
}

/* Between the parentheses; nothing at all is a table whose rows are kept whole in _extra. */
static int take_body(struct ddl *d, struct ddl_draft *f)
{
	int rc = ddl_expect(d, "(");

	while (rc == 0 && !ddl_is(d, ")")) {
		rc = take_element(d, f);
		if (rc < 0 || ddl_is(d, ")"))
			break;
		if (d->lex.tok.first_on_line && begins_constraint(d)) {
			ddl_note(d, d->lex.prev_line,
				 "no comma before the next constraint: passed over");
			continue;
		}
		if (!ddl_is(d, ","))
			return ddl_fail(d, "a comma or ) is expected here");
		rc = ddl_next(d);
		if (rc == 0 && ddl_is(d, ")"))
			ddl_note(d, d->lex.prev_line, "comma after the last column: passed over");
	}
	return rc < 0 ? rc : ddl_expect(d, ")");
}

/* IF NOT EXISTS. */
static int skip_if_not_exists(struct ddl *d)
{
	int rc = ddl_accept(d, "IF");

	if (rc > 0)
		rc = ddl_expect(d, "NOT");
	else
		return rc;
	return rc < 0 ? rc : ddl_expect(d, "EXISTS");
}

static int take_table_name(struct ddl *d, struct ddl_draft *f)
{
	int rc = ddl_next(d);

	if (rc == 0)
		rc = skip_if_not_exists(d);
	f->name_tok = d->lex.tok;
	if (rc == 0)
		rc = ddl_qualified(d, "the table's name", &f->t->db, &f->t->name);
	if (rc == 0 && ddl_is(d, "ON") && ddl_peek_is(d, "CLUSTER")) {
		ddl_note(d, d->lex.tok.line, "ON CLUSTER: not used by evseg");
		rc = ddl_next(d);
		if (rc == 0)
			rc = ddl_next(d);
		if (rc == 0)
			rc = ddl_next(d);
	}
	return rc;
}

/* CREATE TABLE x PARTITION OF y ...: evseg makes partitions by itself. */
static int skip_partition_child(struct ddl *d, struct ddl_draft *f)
{
	int rc;

	ddl_note(d, f->name_tok.line, "partition %s: not needed, evseg makes partitions by itself",
		 f->t->name);
	rc = ddl_add_skipped(d, f->t->name);
	f->t->name = NULL;
	while (rc == 0 && d->lex.tok.kind != EVS_TOK_END && !ddl_is(d, ";") && !ddl_is(d, "CREATE"))
		rc = ddl_next(d);
	return rc;
}

/* Hand the finished table over to the result. */
static int add_table(struct ddl *d, struct ddl_draft *f, const struct evs_tok *start)
{
	struct evs_ddl *out = d->out;
	struct evs_table **tables =
		ddl_grow(out->tables, &d->tables_cap, out->ntables, sizeof(*tables));
	struct ddl_source *sources;
	struct ddl_slice s = { .at = start->at, .len = d->lex.prev_end - start->at };
	int rc = 0;

	if (!tables)
		return ddl_nomem(d);
	out->tables = tables;
	sources = ddl_grow(d->sources, &d->sources_cap, out->ntables, sizeof(*sources));
	if (!sources)
		return ddl_nomem(d);
	d->sources = sources;
	memset(&sources[out->ntables], 0, sizeof(*sources));
	tables[out->ntables++] = f->t;
	f->t = NULL;
	for (size_t i = 0; rc == 0 && i < d->nused; i++)
		rc = ddl_list_add(d, &sources[out->ntables - 1].parts, &d->used_enums[i]);
	return rc < 0 ? rc : ddl_list_add(d, &sources[out->ntables - 1].parts, &s);
}

static int create_table(struct ddl *d, struct ddl_draft *f, const struct evs_tok *start)
{
	int rc;

	f->ttl_column = -1;
	f->t = calloc(1, sizeof(*f->t));
	if (!f->t)
		return ddl_nomem(d);
	f->t->tenant_column = f->t->time_column = f->t->extra_column = -1;
	rc = take_table_name(d, f);
	if (rc < 0)
		return rc;
	if (ddl_is(d, "PARTITION") && ddl_peek_is(d, "OF"))
		return skip_partition_child(d, f);
	if (d->single && d->out->ntables)
		return ddl_fail_tok(d, &f->name_tok,
				    "one CREATE TABLE is expected, this is another");
	if (d->out->ntables == DDL_MAX_THINGS)
		return ddl_too_many(d, start, DDL_MAX_THINGS, "tables");
	if (ddl_is_defined(d, f->t->name))
		return ddl_fail_tok(d, &f->name_tok, "%s is defined twice", f->t->name);
	if (ddl_is(d, "AS") || ddl_is(d, "LIKE") || ddl_is(d, "OF") || ddl_is(d, "CLONE"))
		return ddl_fail(d, "evseg needs the columns of %s written out", f->t->name);
	rc = take_body(d, f);
	if (rc == 0)
		rc = ddl_take_clauses(d, f);
	if (rc == 0)
		rc = ddl_finish(d, f);
	return rc < 0 ? rc : add_table(d, f, start);
}

int ddl_create_table(struct ddl *d, const struct evs_tok *start)
{
	struct ddl_draft f = { 0 };
	int rc;

	d->nused = 0;
	rc = create_table(d, &f, start);
	ddl_draft_release(&f);
	return rc;
}
