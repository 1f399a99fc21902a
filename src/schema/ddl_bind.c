/*
 * DEFAULT and CHECK: the texts that the parser cut out become bound expressions. What the
 * expression room refuses is told as an error of the schema, with the constraint's name in front.
 */
#include "src/schema/ddl.h"

#include "format/error.h"
#include "src/expr/expr.h"
#include "src/schema/type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An error of the expression room becomes ours: "CHECK positive: no column ..." */
static int blame(struct ddl *d, int rc, const char *role, const char *name)
{
	char what[900];

	if (rc != EVS_E_QUERY && rc != EVS_E_SCHEMA)
		return rc;
	if (d->diag) {
		snprintf(what, sizeof(what), "%s%s%.255s: %.600s", role, *name ? " " : "", name,
			 d->diag->what);
		memcpy(d->diag->what, what, sizeof(what));
		d->diag->err = EVS_E_SCHEMA;
	}
	return EVS_E_SCHEMA;
}

static bool slice_is(const struct ddl *d, const struct ddl_slice *s, const char *word)
{
	return s->len == strlen(word) && !strncasecmp(d->lex.text + s->at, word, s->len);
}

static int bind_default(struct ddl *d, const struct ddl_draft *f, struct evs_column *c,
			const struct ddl_slice *s)
{
	static const char empty_array[] = "[]";
	const char *text = d->lex.text + s->at;
	size_t len = s->len;
	int rc;

	/* '{}' is PostgreSQL's empty array. */
	if (c->type.id == EVS_T_ARRAY && slice_is(d, s, "'{}'")) {
		text = empty_array;
		len = strlen(empty_array);
	}
	rc = evs_expr_parse(&c->def, text, len, s->line, s->col, d->diag);
	if (rc == 0)
		rc = evs_expr_bind_to(c->def, f->t, &c->type, c->nullable, d->diag);
	if (rc < 0)
		return blame(d, rc, "DEFAULT of column", c->name);
	c->def_kind = EVS_DEFAULT_EXPR;
	c->def_text = ddl_copy_slice(d, s);
	return c->def_text ? 0 : ddl_nomem(d);
}

static int column_default(struct ddl *d, struct ddl_draft *f, unsigned i)
{
	struct evs_column *c = &f->t->cols[i];
	const struct ddl_column *x = &f->cols[i];
	struct evs_tok tok = { .kind = EVS_TOK_WORD,
			       .at = x->name.at,
			       .len = x->name.len,
			       .line = x->name.line,
			       .col = x->name.col };

	if (c->def_kind == EVS_DEFAULT_SERIAL) {
		if (!evs_type_is_int(&c->type))
			return ddl_fail_tok(
				d, &tok, "%s is filled with 1, 2, 3, ..., so it must be an integer",
				c->name);
		return 0;
	}
	if (!x->has_default)
		return 0;
	if (slice_is(d, &x->def, "NULL")) {
		if (!c->nullable)
			return ddl_fail_tok(d, &tok,
					    "%s is never null, so its default cannot be NULL",
					    c->name);
		return 0;
	}
	return bind_default(d, f, c, &x->def);
}

int ddl_bind_defaults(struct ddl *d, struct ddl_draft *f)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < f->t->ndeclared; i++)
		rc = column_default(d, f, i);
	return rc;
}

/* Parse and bind one check; texts and name are taken over in every case. */
static int add_check(struct ddl *d, struct evs_table *t, char *name, char *text, uint32_t line,
		     uint32_t col)
{
	struct evs_check *c = &t->checks[t->nchecks];
	int rc;

	memset(c, 0, sizeof(*c));
	c->name = name;
	c->text = text;
	t->nchecks++; /* released with the table from here on */
	if (!name || !text)
		return ddl_nomem(d);
	rc = evs_expr_parse(&c->expr, text, strlen(text), line, col, d->diag);
	if (rc == 0)
		rc = evs_expr_bind(c->expr, t, d->diag);
	return rc < 0 ? blame(d, rc, "CHECK", name) : 0;
}

/* VARCHAR(n): char_length("name") <= n. */
static char *length_check(const struct evs_column *c, uint32_t max_chars)
{
	char *text = malloc(2 * c->name_len + 64), *p = text;

	if (!text)
		return NULL;
	p += sprintf(p, "char_length(\"");
	for (size_t i = 0; i < c->name_len; i++) {
		if (c->name[i] == '"')
			*p++ = '"';
		*p++ = c->name[i];
	}
	sprintf(p, "\") <= %u", max_chars);
	return text;
}

static int bind_lengths(struct ddl *d, struct ddl_draft *f)
{
	struct evs_table *t = f->t;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < t->ndeclared; i++) {
		const struct evs_column *c = &t->cols[i];

		if (f->cols[i].max_chars == 0)
			continue;
		if (f->has_engine)
			ddl_note(d, c->line, "length of column %s: not checked, as in ClickHouse",
				 c->name);
		else
			rc = add_check(d, t, evs_text_copy("", 0),
				       length_check(c, f->cols[i].max_chars), c->line, c->col);
	}
	return rc;
}

int ddl_bind_checks(struct ddl *d, struct ddl_draft *f)
{
	struct evs_table *t = f->t;
	int rc;

	t->checks = calloc(f->nchecks + t->ndeclared + 1, sizeof(*t->checks));
	if (!t->checks)
		return ddl_nomem(d);
	rc = bind_lengths(d, f);
	for (size_t i = 0; rc == 0 && i < f->nchecks; i++) {
		struct ddl_check *c = &f->checks[i];
		char *name = c->name;

		c->name = NULL;
		rc = add_check(d, t, name, ddl_copy_slice(d, &c->expr), c->expr.line, c->expr.col);
	}
	return rc;
}
