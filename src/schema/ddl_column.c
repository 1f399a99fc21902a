/*
 * One column of CREATE TABLE: its name, its type, and what both dialects let follow: NULL, DEFAULT,
 * CHECK, keys, codecs.
 */
#include "src/schema/ddl.h"

#include "src/schema/table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int ddl_add_column(struct ddl *d, struct ddl_draft *f, char *name, size_t len)
{
	struct evs_table *t = f->t;
	size_t cap = f->cols_cap;
	struct evs_column *cols = ddl_grow(t->cols, &cap, t->ncols, sizeof(*cols));
	struct ddl_column *extra;

	if (!cols) {
		free(name);
		return ddl_nomem(d);
	}
	t->cols = cols;
	f->cols_cap = cap;
	extra = ddl_grow(f->cols, &f->extra_cap, t->ncols, sizeof(*extra));
	if (!extra) {
		free(name);
		return ddl_nomem(d);
	}
	f->cols = extra;
	memset(&cols[t->ncols], 0, sizeof(*cols));
	memset(&extra[t->ncols], 0, sizeof(*extra));
	cols[t->ncols].name = name;
	cols[t->ncols].name_len = len;
	t->ncols++;
	return 0;
}

int ddl_add_check(struct ddl *d, struct ddl_draft *f, char *name, const struct ddl_slice *expr)
{
	struct ddl_check *v;

	if (!name)
		return ddl_nomem(d);
	if (f->nchecks == 4096) {
		free(name);
		return ddl_fail(d, "a table has at most 4096 checks");
	}
	v = ddl_grow(f->checks, &f->checks_cap, f->nchecks, sizeof(*v));
	if (!v) {
		free(name);
		return ddl_nomem(d);
	}
	f->checks = v;
	v[f->nchecks++] = (struct ddl_check){ .name = name, .expr = *expr };
	return 0;
}

/*
 * ON DELETE CASCADE, ON UPDATE SET NULL, MATCH FULL, DEFERRABLE INITIALLY DEFERRED: up to something
 * else.
 */
static int skip_reference_actions(struct ddl *d)
{
	static const char *const words[] = { "ON",	 "DELETE",    "UPDATE",	    "CASCADE",
					     "RESTRICT", "NO",	      "ACTION",	    "SET",
					     "MATCH",	 "FULL",      "SIMPLE",	    "PARTIAL",
					     "DEFERRED", "INITIALLY", "DEFERRABLE", "IMMEDIATE",
					     "NULL",	 "DEFAULT" };
	bool more = true;
	int rc = 0;

	while (rc == 0 && more) {
		more = false;
		for (size_t i = 0; !more && i < sizeof(words) / sizeof(words[0]); i++)
			more = ddl_is(d, words[i]);
		if (ddl_is(d, "NULL") || ddl_is(d, "DEFAULT")) { /* of SET NULL only */
			struct evs_tok prev = { .kind = EVS_TOK_WORD,
						.at = d->lex.prev_end - 3,
						.len = 3 };

			more = evs_tok_is_at(&d->lex, &prev, "SET");
		}
		if (ddl_is(d, "NOT") && ddl_peek_is(d, "DEFERRABLE"))
			more = true;
		if (more)
			rc = ddl_next(d);
	}
	return rc;
}

int ddl_skip_references(struct ddl *d)
{
	char *db = NULL, *name = NULL;
	uint32_t line = d->lex.tok.line;
	int rc = ddl_expect(d, "REFERENCES");

	if (rc == 0)
		rc = ddl_qualified(d, "the referenced table's name", &db, &name);
	if (rc == 0) {
		ddl_note(d, line, "REFERENCES %s: not checked by evseg", name);
		rc = ddl_skip_group(d);
	}
	if (rc == 0)
		rc = skip_reference_actions(d);
	free(db);
	free(name);
	return rc;
}

/* DEFAULT expr, cut out; DEFAULT NULL and nextval() are seen here. */
static int take_default(struct ddl *d, struct evs_column *c, struct ddl_column *x)
{
	struct evs_tok word = d->lex.tok;
	const char *s;
	int rc = ddl_next(d);

	if (rc == 0)
		rc = ddl_take_expr(d, &x->def, DDL_STOP_COLUMN);
	if (rc < 0)
		return rc;
	if (x->has_default)
		return ddl_fail_tok(d, &word, "the column %s has two defaults", c->name);
	x->has_default = true;
	s = d->lex.text + x->def.at;
	if (x->def.len >= 8 && !strncasecmp(s, "nextval(", 8))
		c->def_kind = EVS_DEFAULT_SERIAL;
	return 0;
}

/* GENERATED { ALWAYS | BY DEFAULT } AS { IDENTITY [(...)] | (expr) STORED }. */
static int take_generated(struct ddl *d, struct evs_column *c, struct ddl_column *x)
{
	struct evs_tok word = d->lex.tok;
	int rc = ddl_next(d);

	while (rc == 0 &&
	       (ddl_is(d, "ALWAYS") || ddl_is(d, "BY") || ddl_is(d, "DEFAULT") || ddl_is(d, "AS")))
		rc = ddl_next(d);
	if (rc < 0)
		return rc;
	if (!ddl_is(d, "IDENTITY"))
		return ddl_fail_tok(
			d, &word,
			"evseg does not compute columns: leave %s out and compute it when reading",
			c->name);
	c->def_kind = EVS_DEFAULT_SERIAL;
	x->not_null = true;
	rc = ddl_next(d);
	return rc < 0 ? rc : ddl_skip_group(d);
}

/* A clause that means nothing here, with an argument: CODEC(...), COMMENT 'x', COLLATE "x". */
static int skip_clause(struct ddl *d, const char *column)
{
	struct evs_tok word = d->lex.tok;
	int rc = ddl_next(d);

	ddl_note(d, word.line, "%.*s of column %s: not used by evseg", (int)word.len,
		 d->lex.text + word.at, column);
	if (rc < 0)
		return rc;
	if (ddl_is(d, "("))
		return ddl_skip_group(d);
	if (d->lex.tok.kind == EVS_TOK_STRING || evs_tok_is_name(&d->lex.tok))
		return ddl_next(d);
	return 0;
}

static int take_primary(struct ddl *d, struct ddl_draft *f, unsigned i)
{
	struct ddl_slice s;
	int rc = ddl_next(d);

	if (rc == 0)
		rc = ddl_expect(d, "KEY");
	if (rc < 0)
		return rc;
	if (f->has_primary)
		return ddl_fail(
			d,
			"the table has two primary keys: write PRIMARY KEY (a, b) for one of two columns");
	f->has_primary = true;
	f->cols[i].not_null = true;
	s = f->cols[i].name;
	return ddl_list_add(d, &f->primary, &s);
}

static int take_inline_check(struct ddl *d, struct ddl_draft *f, char **name)
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

static int refuse_computed(struct ddl *d, const char *column)
{
	return ddl_fail(
		d,
		"evseg stores what comes in and computes no columns: declare %s with DEFAULT, or leave it out and "
		"compute it when reading",
		column);
}

static int take_null(struct ddl *d, struct ddl_draft *f, unsigned i)
{
	struct ddl_column *x = &f->cols[i];
	int rc = ddl_accept(d, "NOT");

	if (rc < 0)
		return rc;
	if (rc > 0) {
		x->not_null = true;
		f->has_not_null = true;
	} else {
		x->explicit_null = true;
	}
	if (x->not_null && x->explicit_null)
		return ddl_fail(d, "the column %s is said to be both NULL and NOT NULL",
				f->t->cols[i].name);
	return ddl_expect(d, "NULL");
}

/*
 * One clause behind the type: 1 taken, 0 none here. `*name` is a CONSTRAINT's name that waits for
 * its CHECK.
 */
static int take_one(struct ddl *d, struct ddl_draft *f, unsigned i, char **name)
{
	static const char *const skipped[] = { "CODEC",	     "COMMENT",	  "COLLATE", "TTL",
					       "STATISTICS", "SETTINGS",  "STORAGE", "COMPRESSION",
					       "DEFERRABLE", "INITIALLY", NULL };
	struct evs_column *c = &f->t->cols[i];
	struct ddl_slice s;
	size_t len;
	int rc = 0;

	if (ddl_is(d, "NOT") || ddl_is(d, "NULL"))
		rc = take_null(d, f, i);
	else if (ddl_is(d, "DEFAULT"))
		rc = take_default(d, c, &f->cols[i]);
	else if (ddl_is(d, "GENERATED"))
		rc = take_generated(d, c, &f->cols[i]);
	else if (ddl_is(d, "MATERIALIZED") || ddl_is(d, "ALIAS") || ddl_is(d, "EPHEMERAL"))
		rc = refuse_computed(d, c->name);
	else if (ddl_is(d, "PRIMARY"))
		rc = take_primary(d, f, i);
	else if (ddl_is(d, "CHECK"))
		rc = take_inline_check(d, f, name);
	else if (ddl_is(d, "REFERENCES"))
		rc = ddl_skip_references(d);
	else if (ddl_is(d, "CONSTRAINT")) {
		free(*name);
		*name = NULL;
		rc = ddl_next(d);
		if (rc == 0)
			rc = ddl_name(d, "the constraint's name", name, &len);
	} else if (ddl_is(d, "UNIQUE")) {
		ddl_note(d, d->lex.tok.line, "UNIQUE of column %s: not checked by evseg", c->name);
		rc = ddl_next(d);
	} else if (ddl_is(d, "AUTO_INCREMENT")) {
		c->def_kind = EVS_DEFAULT_SERIAL;
		rc = ddl_next(d);
	} else if (ddl_is(d, "TTL")) {
		ddl_note(d, d->lex.tok.line,
			 "TTL of column %s: not used by evseg, rows expire whole", c->name);
		rc = ddl_next(d);
		if (rc == 0)
			rc = ddl_take_expr(d, &s, DDL_STOP_COLUMN);
	} else if (ddl_is(d, "NO") && ddl_peek_is(d, "INHERIT")) {
		rc = ddl_next(d);
		if (rc == 0)
			rc = ddl_next(d);
	} else {
		for (size_t k = 0; skipped[k]; k++) {
			if (ddl_is(d, skipped[k])) {
				rc = skip_clause(d, c->name);
				return rc < 0 ? rc : 1;
			}
		}
		return 0;
	}
	return rc < 0 ? rc : 1;
}

/* name or a.b.c, as ClickHouse names the parts of Nested. */
static int take_column_name(struct ddl *d, struct ddl_draft *f, struct evs_tok *first)
{
	char *name = NULL, *part, *joined;
	size_t len, part_len;
	int rc;

	*first = d->lex.tok;
	rc = ddl_name(d, "a column's name", &name, &len);
	while (rc == 0 && ddl_is(d, ".")) {
		rc = ddl_next(d);
		if (rc == 0)
			rc = ddl_name(d, "a column's name", &part, &part_len);
		if (rc < 0)
			break;
		joined = realloc(name, len + part_len + 2);
		if (joined) {
			name = joined;
			name[len] = '.';
			memcpy(name + len + 1, part, part_len + 1);
			len += part_len + 1;
		} else {
			rc = ddl_nomem(d);
		}
		free(part);
	}
	if (rc < 0) {
		free(name);
		return rc;
	}
	if (f->t->ncols >= EVS_MAX_DECLARED) {
		free(name);
		return ddl_fail_tok(d, first, "a table has at most %u columns", EVS_MAX_DECLARED);
	}
	return ddl_add_column(d, f, name, len);
}

int ddl_take_column(struct ddl *d, struct ddl_draft *f)
{
	struct ddl_type_info info;
	struct evs_tok first;
	struct evs_column *c;
	struct ddl_column *x;
	char *constraint = NULL;
	unsigned i = f->t->ncols;
	int rc = take_column_name(d, f, &first);

	if (rc < 0)
		return rc;
	c = &f->t->cols[i];
	x = &f->cols[i];
	c->line = first.line;
	c->col = first.col;
	x->name = (struct ddl_slice){ .at = first.at,
				      .len = d->lex.prev_end - first.at,
				      .line = first.line,
				      .col = first.col };
	if (!strcmp(c->name, EVS_EXTRA) || !strcmp(c->name, EVS_ARRIVAL))
		return ddl_fail_tok(d, &first,
				    "%s is the name of a hidden column of evseg: choose another",
				    c->name);
	if (!evs_tok_is_name(&d->lex.tok))
		return ddl_fail(d, "the type of column %s is expected here", c->name);
	rc = ddl_take_type(d, &c->type, &info);
	if (rc < 0)
		return rc;
	x->max_chars = info.max_chars;
	x->explicit_null = info.nullable;
	if (info.serial) {
		c->def_kind = EVS_DEFAULT_SERIAL;
		x->not_null = true;
	}
	do
		rc = take_one(d, f, i, &constraint);
	while (rc > 0);
	free(constraint);
	return rc;
}
