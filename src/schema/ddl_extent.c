/*
 * Where expressions end. The DDL parser does not read expressions, it cuts them out: brackets are
 * matched, and at the outer level a comma, a closing parenthesis, the end of the statement or a
 * word that can only go on with the definition ends the expression.
 */
#include "src/schema/ddl.h"

#include <string.h>

static const char *const column_words[] = {
	"CHECK",   "PRIMARY",	     "UNIQUE",	 "REFERENCES", "CONSTRAINT",
	"CODEC",   "COMMENT",	     "TTL",	 "GENERATED",  "COLLATE",
	"DEFAULT", "STATISTICS",     "SETTINGS", "DEFERRABLE", "INITIALLY",
	"ON",	   "AUTO_INCREMENT", "ALIAS",	 "EPHEMERAL",  "MATERIALIZED",
	"STORAGE", "COMPRESSION",    "NO",	 NULL,
};
static const char *const clause_words[] = {
	"ENGINE", "PARTITION", "ORDER",	     "PRIMARY", "TTL", "SETTINGS", "COMMENT", "SAMPLE",
	"WITH",	  "CREATE",    "TABLESPACE", "USING",	"AS",  "POPULATE", NULL,
};
static const char *const ttl_words[] = {
	"DELETE", "TO", "RECOMPRESS", "SET", "GROUP", "WHERE", NULL
};
static const char *const index_words[] = { "TYPE", "GRANULARITY", "ASC", "DESC", "NULLS", NULL };

/* Words after which an operand must follow. */
static const char *const operators[] = { "AND",	     "OR",	 "NOT",	 "IS",	 "IN",	 "LIKE",
					 "ILIKE",    "BETWEEN",	 "CASE", "WHEN", "THEN", "ELSE",
					 "INTERVAL", "DISTINCT", "FROM", NULL };

static bool one_of(const struct evs_lex *l, const struct evs_tok *t, const char *const *words)
{
	for (size_t i = 0; words[i]; i++) {
		if (evs_tok_is_at(l, t, words[i]))
			return true;
	}
	return false;
}

/* Can an expression end with this token? */
static bool ends_operand(const struct evs_lex *l, const struct evs_tok *t)
{
	if (t->kind == EVS_TOK_PUNCT)
		return evs_tok_is_at(l, t, ")") || evs_tok_is_at(l, t, "]");
	return t->kind != EVS_TOK_WORD || !one_of(l, t, operators);
}

/* NOT NULL, NOT VALID and NULL after a complete operand. */
static bool null_clause(const struct ddl *d)
{
	if (ddl_is(d, "NULL"))
		return true;
	return ddl_is(d, "NOT") &&
	       (ddl_peek_is(d, "NULL") || ddl_peek_is(d, "VALID") || ddl_peek_is(d, "DEFERRABLE"));
}

static bool stops_here(const struct ddl *d, const struct evs_tok *prev, unsigned stops)
{
	const struct evs_lex *l = &d->lex;

	if (!ends_operand(l, prev))
		return false;
	if ((stops & DDL_STOP_COLUMN) && (one_of(l, &l->tok, column_words) || null_clause(d)))
		return true;
	if ((stops & DDL_STOP_CLAUSE) && one_of(l, &l->tok, clause_words))
		return true;
	if ((stops & DDL_STOP_TTL) && one_of(l, &l->tok, ttl_words))
		return true;
	if ((stops & DDL_STOP_INDEX) && one_of(l, &l->tok, index_words))
		return true;
	return (stops & DDL_STOP_CLAUSE) && ddl_statement_begins(d);
}

bool ddl_statement_begins(const struct ddl *d)
{
	static const char *const verbs[] = { "INSERT", "ALTER",	 "GRANT",    "DROP",
					     "SELECT", "REVOKE", "OPTIMIZE", NULL };

	if (ddl_is(d, "CREATE"))
		return true;
	return d->lex.tok.first_on_line && one_of(&d->lex, &d->lex.tok, verbs);
}

static bool opens(const struct ddl *d)
{
	return ddl_is(d, "(") || ddl_is(d, "[") || ddl_is(d, "{");
}

static bool closes(const struct ddl *d)
{
	return ddl_is(d, ")") || ddl_is(d, "]") || ddl_is(d, "}");
}

int ddl_take_expr(struct ddl *d, struct ddl_slice *out, unsigned stops)
{
	struct evs_tok first = d->lex.tok, prev = { 0 };
	unsigned depth = 0;
	bool any = false;
	int rc;

	while (d->lex.tok.kind != EVS_TOK_END && !ddl_is(d, ";")) {
		if (depth == 0 && (ddl_is(d, ",") || closes(d)))
			break;
		if (depth == 0 && any && stops_here(d, &prev, stops))
			break;
		if (opens(d))
			depth++;
		else if (closes(d))
			depth--;
		prev = d->lex.tok;
		any = true;
		rc = ddl_next(d);
		if (rc < 0)
			return rc;
	}
	if (depth)
		return ddl_fail_tok(
			d, &first,
			"this expression has an opening bracket without its closing one");
	if (!any)
		return ddl_fail(d, "an expression is missing here");
	*out = (struct ddl_slice){ .at = first.at,
				   .len = prev.at + prev.len - first.at,
				   .line = first.line,
				   .col = first.col };
	return 0;
}

/* ASC, DESC, NULLS FIRST after an element of ORDER BY or of an index. */
static int take_direction(struct ddl *d)
{
	uint32_t line = d->lex.tok.line;
	int rc = ddl_accept(d, "ASC");

	if (rc == 0) {
		rc = ddl_accept(d, "DESC");
		if (rc > 0)
			ddl_note(d, line,
				 "DESC: not used by evseg, keys are kept in ascending order");
	}
	if (rc >= 0)
		rc = ddl_accept(d, "NULLS");
	if (rc > 0)
		rc = ddl_next(d); /* FIRST or LAST */
	return rc < 0 ? rc : 0;
}

static int take_until_close(struct ddl *d, struct ddl_list *out, unsigned stops, bool dir)
{
	struct ddl_slice s;
	int rc;

	for (;;) {
		rc = ddl_take_expr(d, &s, stops);
		if (rc == 0)
			rc = ddl_list_add(d, out, &s);
		if (rc == 0 && dir)
			rc = take_direction(d);
		if (rc < 0)
			return rc;
		rc = ddl_accept(d, ",");
		if (rc <= 0)
			return rc;
	}
}

/* Does the group that opens here end the whole list? "(a, b)" does, "(a + 1) * b, c" does not. */
static int group_is_all(struct ddl *d, unsigned stops, bool *all)
{
	struct evs_lex saved = d->lex;
	struct evs_tok close;
	int rc = ddl_skip_group(d);

	if (rc == 0) {
		close = (struct evs_tok){ .kind = EVS_TOK_PUNCT,
					  .at = d->lex.prev_end - 1,
					  .len = 1 };
		*all = d->lex.tok.kind == EVS_TOK_END || ddl_is(d, ";") || ddl_is(d, ")") ||
		       stops_here(d, &close, stops);
		d->lex = saved;
	}
	return rc;
}

int ddl_take_group(struct ddl *d, struct ddl_list *out, bool dir)
{
	int rc = ddl_expect(d, "(");

	if (rc == 0 && !ddl_is(d, ")"))
		rc = take_until_close(d, out, dir ? DDL_STOP_INDEX : 0, dir);
	return rc < 0 ? rc : ddl_expect(d, ")");
}

int ddl_take_exprs(struct ddl *d, struct ddl_list *out, unsigned stops, bool dir)
{
	bool all = false;
	int rc = 0;

	if (dir)
		stops |= DDL_STOP_INDEX;
	if (ddl_is(d, "tuple") && ddl_peek_is(d, "("))
		rc = ddl_next(d);
	if (rc == 0 && ddl_is(d, "("))
		rc = group_is_all(d, stops, &all);
	if (rc < 0)
		return rc;
	if (!all)
		return take_until_close(d, out, stops, dir);
	rc = ddl_take_group(d, out, dir);
	return rc == 0 && dir ? take_direction(d) : rc;
}

int ddl_lex_slice(const struct ddl *d, const struct ddl_slice *s, struct evs_lex *l)
{
	memset(l, 0, sizeof(*l));
	l->text = d->lex.text;
	l->pos = s->at;
	l->len = s->at + s->len;
	l->line = s->line;
	l->col = s->col;
	return evs_lex_next(l, d->diag);
}
