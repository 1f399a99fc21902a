/*
 * CREATE VIEW and CREATE MATERIALIZED VIEW: the name, the stream that its SELECT reads, and the
 * SELECT's text. The query itself is the expression room's to understand.
 */
#include "src/schema/ddl.h"

#include <stdlib.h>
#include <string.h>

static void release_view(struct evs_view *v)
{
	free(v->db);
	free(v->name);
	free(v->source);
	free(v->select_text);
	free(v->text);
}

/* Up to AS SELECT; what stands between is told. */
static int skip_to_select(struct ddl *d, const char *name)
{
	int rc = 0;

	if (ddl_is(d, "("))
		rc = ddl_skip_group(d);
	while (rc == 0 && !(ddl_is(d, "AS") && (ddl_peek_is(d, "SELECT") ||
						ddl_peek_is(d, "WITH") || ddl_peek_is(d, "(")))) {
		if (d->lex.tok.kind == EVS_TOK_END || ddl_is(d, ";"))
			return ddl_fail(d, "AS SELECT is expected here");
		if (ddl_is(d, "ENGINE") || ddl_is(d, "TO") || ddl_is(d, "POPULATE") ||
		    ddl_is(d, "TTL") || ddl_is(d, "REFRESH") || ddl_is(d, "SETTINGS") ||
		    ddl_is(d, "COMMENT"))
			ddl_note(d, d->lex.tok.line,
				 "%.*s of view %s: not used by evseg, which keeps rollups itself",
				 (int)d->lex.tok.len, d->lex.text + d->lex.tok.at, name);
		rc = ddl_is(d, "(") ? ddl_skip_group(d) : ddl_next(d);
	}
	return rc < 0 ? rc : ddl_next(d);
}

struct from {
	bool joins; /* more than one source, or none that is a name */
	char *source;
};

/* FROM [db.]name at the outer level. */
static int take_from(struct ddl *d, struct from *f)
{
	char *db = NULL;
	int rc = ddl_next(d);

	if (rc < 0)
		return rc;
	if (f->source || !evs_tok_is_name(&d->lex.tok)) {
		f->joins = true;
		return 0;
	}
	rc = ddl_qualified(d, "the name of a stream", &db, &f->source);
	free(db);
	if (rc == 0 && ddl_is(d, "AS"))
		rc = ddl_next(d);
	if (rc == 0 && d->lex.tok.kind == EVS_TOK_WORD && ddl_peek_is(d, ","))
		rc = ddl_next(d);
	if (rc == 0 && ddl_is(d, ","))
		f->joins = true;
	return rc;
}

/* The SELECT, to the end of the statement. */
static int take_select(struct ddl *d, struct ddl_slice *s, struct from *f)
{
	unsigned depth = 0;
	int rc = 0;

	*s = (struct ddl_slice){ .at = d->lex.tok.at };
	if (!ddl_is(d, "SELECT"))
		f->joins = true; /* WITH ... */
	while (rc == 0 && d->lex.tok.kind != EVS_TOK_END) {
		if (depth == 0 &&
		    (ddl_is(d, ";") || (ddl_is(d, "CREATE") && d->lex.tok.first_on_line)))
			break;
		if (ddl_is(d, "WITH") && depth == 0 &&
		    (ddl_peek_is(d, "DATA") || ddl_peek_is(d, "NO")))
			break;
		if (ddl_is(d, "(")) {
			depth++;
		} else if (ddl_is(d, ")")) {
			if (depth-- == 0)
				return ddl_fail(d, "this parenthesis was never opened");
		} else if (depth == 0 && (ddl_is(d, "JOIN") || ddl_is(d, "UNION"))) {
			f->joins = true;
		} else if (depth == 0 && ddl_is(d, "FROM")) {
			rc = take_from(d, f);
			s->len = d->lex.prev_end - s->at;
			continue;
		}
		s->len = d->lex.tok.at + d->lex.tok.len - s->at;
		rc = ddl_next(d);
	}
	while (rc == 0 && (ddl_is(d, "WITH") || ddl_is(d, "NO") || ddl_is(d, "DATA")))
		rc = ddl_next(d);
	return rc;
}

static int add_view(struct ddl *d, const struct evs_view *v)
{
	struct evs_view *views =
		ddl_grow(d->out->views, &d->views_cap, d->out->nviews, sizeof(*views));

	if (!views)
		return ddl_nomem(d);
	d->out->views = views;
	views[d->out->nviews++] = *v;
	return 0;
}

bool ddl_is_defined(const struct ddl *d, const char *name)
{
	if (ddl_find_table(d, name) >= 0)
		return true;
	for (size_t i = 0; i < d->out->nviews; i++) {
		if (!strcmp(d->out->views[i].name, name))
			return true;
	}
	return false;
}

/* VIEW [IF NOT EXISTS] [db.]name [ON CLUSTER x]. */
static int take_head(struct ddl *d, struct evs_view *v)
{
	struct evs_tok name;
	int rc = ddl_next(d);

	if (rc == 0)
		rc = ddl_accept(d, "IF");
	if (rc > 0) {
		rc = ddl_expect(d, "NOT");
		if (rc == 0)
			rc = ddl_expect(d, "EXISTS");
	}
	name = d->lex.tok;
	if (rc == 0)
		rc = ddl_qualified(d, "the view's name", &v->db, &v->name);
	if (rc == 0 && ddl_is_defined(d, v->name))
		rc = ddl_fail_tok(d, &name, "%s is defined twice", v->name);
	if (rc == 0 && ddl_is(d, "ON") && ddl_peek_is(d, "CLUSTER")) {
		ddl_note(d, d->lex.tok.line, "ON CLUSTER: not used by evseg");
		for (unsigned i = 0; rc == 0 && i < 3; i++)
			rc = ddl_next(d);
	}
	return rc;
}

int ddl_create_view(struct ddl *d, const struct evs_tok *start, enum evs_view_kind kind)
{
	struct evs_view v = { .kind = kind };
	struct from from = { 0 };
	struct ddl_slice select = { 0 };
	int rc = 0;

	if (d->out->nviews == DDL_MAX_THINGS)
		return ddl_too_many(d, start, DDL_MAX_THINGS, "views");
	rc = take_head(d, &v);

	if (rc == 0)
		rc = skip_to_select(d, v.name);
	if (rc == 0)
		rc = take_select(d, &select, &from);
	v.source = from.source;
	if (rc < 0)
		goto out;
	if (from.joins || !v.source) {
		ddl_note(d, start->line, "view %s: not used by evseg, whose views read one stream",
			 v.name);
		goto out;
	}
	v.select_text = ddl_copy_slice(d, &select);
	v.text = evs_text_copy(d->lex.text + start->at, d->lex.prev_end - start->at);
	rc = v.select_text && v.text ? add_view(d, &v) : ddl_nomem(d);
	if (rc == 0)
		return 0;
out:
	release_view(&v);
	return rc;
}
