/*
 * DDL: one statement after the other. What makes tables, indexes, views and enums is parsed by the
 * files beside this one; every other statement is told to the caller by its line and passed over.
 */
#include "src/schema/ddl.h"

#include "format/error.h"
#include "format/head.h"
#include "src/diag.h"

#include <stdlib.h>
#include <string.h>

int ddl_find_table(const struct ddl *d, const char *name)
{
	for (size_t i = 0; i < d->out->ntables; i++) {
		if (!strcmp(d->out->tables[i]->name, name))
			return (int)i;
	}
	return -1;
}

int ddl_add_skipped(struct ddl *d, char *name)
{
	char **v = NULL;

	if (d->nskipped == DDL_MAX_THINGS) {
		free(name);
		return ddl_too_many(d, &d->lex.tok, DDL_MAX_THINGS, "partitions");
	}
	v = ddl_grow(d->skipped, &d->skipped_cap, d->nskipped, sizeof(*v));
	if (!v) {
		free(name);
		return ddl_nomem(d);
	}
	d->skipped = v;
	d->skipped[d->nskipped++] = name;
	return 0;
}

/* First words of a statement, for a note: "GRANT SELECT ON". */
static void first_words(const struct ddl *d, const struct evs_tok *start, char *buf, size_t cap)
{
	const char *s = d->lex.text + start->at;
	size_t n = 0, words = 1, left = d->lex.len - start->at;

	for (;
	     n < left && n + 1 < cap && s[n] != '\n' && s[n] != '\r' && s[n] != ';' && s[n] != '(';
	     n++) {
		if (s[n] == ' ' && ++words > 4)
			break;
		buf[n] = s[n];
	}
	while (n && buf[n - 1] == ' ')
		n--;
	buf[n] = '\0';
}

/* Pass over a statement: up to its semicolon, or to a CREATE that begins a line. */
static int skip_statement(struct ddl *d, const struct evs_tok *start)
{
	unsigned depth = 0;
	char words[64];
	int rc = 0;

	first_words(d, start, words, sizeof(words));
	ddl_note(d, start->line, "%s: not used by evseg", words);
	while (rc == 0 && d->lex.tok.kind != EVS_TOK_END) {
		if (ddl_is(d, ";") && depth == 0)
			break;
		if (ddl_is(d, "CREATE") && depth == 0 && d->lex.tok.first_on_line &&
		    d->lex.tok.at != start->at)
			break;
		if (ddl_is(d, "("))
			depth++;
		else if (ddl_is(d, ")") && depth)
			depth--;
		rc = ddl_next(d);
	}
	return rc;
}

/*
 * ALTER TABLE that changes columns must not pass unseen: the table would not be what the text says.
 */
static int check_alter(struct ddl *d)
{
	static const char *const verbs[] = { "ADD", "DROP", "MODIFY", "RENAME", "CHANGE" };
	struct evs_lex saved = d->lex;
	struct evs_tok verb = { 0 };
	int rc = ddl_next(d);
	bool table = rc == 0 && ddl_is(d, "TABLE");

	while (rc == 0 && table && d->lex.tok.kind != EVS_TOK_END && !ddl_is(d, ";")) {
		for (size_t i = 0; ddl_is(d, "COLUMN") && i < sizeof(verbs) / sizeof(verbs[0]);
		     i++) {
			if (evs_tok_is_at(&d->lex, &verb, verbs[i]))
				return ddl_fail_tok(
					d, &verb,
					"evseg does not apply ALTER TABLE: change the columns in CREATE "
					"TABLE itself and run evschema apply again");
		}
		verb = d->lex.tok;
		rc = ddl_next(d);
	}
	d->lex = saved;
	return rc;
}

static const char *const passed_over[] = {
	"GRANT",    "REVOKE",	  "ALTER",     "COMMENT",  "SET",      "INSERT",   "DROP",
	"DO",	    "SELECT",	  "WITH",      "USE",	   "BEGIN",    "COMMIT",   "ROLLBACK",
	"START",    "ANALYZE",	  "VACUUM",    "OPTIMIZE", "TRUNCATE", "DELETE",   "UPDATE",
	"COPY",	    "EXPLAIN",	  "CALL",      "LOCK",	   "SHOW",     "DESCRIBE", "ATTACH",
	"DETACH",   "RENAME",	  "EXCHANGE",  "SYSTEM",   "KILL",     "CLUSTER",  "REFRESH",
	"REINDEX",  "SECURITY",	  "NOTIFY",    "LISTEN",   "RESET",    "EXECUTE",  "PREPARE",
	"END",	    "ABORT",	  "SAVEPOINT", "RELEASE",  "DISCARD",  "MERGE",	   "VALUES",
	"REASSIGN", "CHECKPOINT", "DESC",      "UNDROP",   "WATCH",
};

/* CREATE [OR REPLACE] [UNIQUE | MATERIALIZED | ...] what. */
static int create_statement(struct ddl *d)
{
	struct evs_tok start = d->lex.tok;
	int rc = ddl_next(d), unique;

	if (rc == 0 && ddl_is(d, "OR") && ddl_peek_is(d, "REPLACE")) {
		rc = ddl_next(d);
		if (rc == 0)
			rc = ddl_next(d);
	}
	if (rc == 0)
		rc = ddl_accept(d, "UNLOGGED");
	if (rc < 0)
		return rc;
	if (ddl_is(d, "TABLE"))
		return ddl_create_table(d, &start);
	if (ddl_is(d, "VIEW"))
		return ddl_create_view(d, &start, EVS_VIEW);
	if (ddl_is(d, "MATERIALIZED") && ddl_peek_is(d, "VIEW")) {
		rc = ddl_next(d);
		return rc < 0 ? rc : ddl_create_view(d, &start, EVS_MATERIALIZED_VIEW);
	}
	if (ddl_is(d, "TYPE")) {
		rc = ddl_next(d);
		return rc < 0 ? rc : ddl_create_type(d, &start);
	}
	if (ddl_is(d, "INDEX") || (ddl_is(d, "UNIQUE") && ddl_peek_is(d, "INDEX"))) {
		unique = ddl_accept(d, "UNIQUE");
		if (unique >= 0)
			rc = ddl_next(d);
		return unique < 0 || rc < 0 ? EVS_E_SCHEMA
					    : ddl_create_index(d, &start, unique > 0);
	}
	return skip_statement(d, &start);
}

static int unknown_statement(struct ddl *d)
{
	static const char *const verbs[] = { "CREATE", "INSERT", "ALTER",  "GRANT",
					     "DROP",   "SELECT", "COMMENT" };
	const struct evs_tok *t = &d->lex.tok;
	char hint[100];

	ddl_suggest(hint, sizeof(hint), d->lex.text + t->at, t->len, verbs,
		    sizeof(verbs) / sizeof(verbs[0]));
	return ddl_fail(d, "no statement begins like this%s", hint);
}

static int statement(struct ddl *d)
{
	struct evs_tok start = d->lex.tok;
	int rc;

	if (ddl_is(d, "CREATE")) {
		rc = create_statement(d);
		if (rc < 0 || d->lex.tok.kind == EVS_TOK_END || ddl_is(d, ";"))
			return rc;
		if (!ddl_statement_begins(d))
			return ddl_fail(
				d, "a semicolon is expected here, after the statement of line %u",
				start.line);
		ddl_note(d, d->lex.prev_line,
			 "no semicolon before the next statement: passed over");
		return 0;
	}
	if (ddl_is(d, "ALTER")) {
		rc = check_alter(d);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < sizeof(passed_over) / sizeof(passed_over[0]); i++) {
		if (ddl_is(d, passed_over[i]))
			return skip_statement(d, &start);
	}
	return unknown_statement(d);
}

static int statements(struct ddl *d)
{
	int rc = 0;

	while (rc == 0 && d->lex.tok.kind != EVS_TOK_END)
		rc = ddl_is(d, ";") ? ddl_next(d) : statement(d);
	return rc;
}

/* Join the parts of each table's text, each ended by ";\n". */
static int join_text(struct ddl *d, struct evs_table *t, const struct ddl_list *parts, size_t *left)
{
	size_t len = 0;
	char *p;

	for (size_t i = 0; i < parts->n; i++)
		len += parts->v[i].len + 2;
	if (len > EVS_MAX_SCHEMA || len > *left)
		return evs_fail(d->diag, EVS_E_LIMIT, "the schema of %s has more than %u bytes",
				t->name, EVS_MAX_SCHEMA);
	*left -= len;
	p = t->text = malloc(len + 1);
	if (!p)
		return ddl_nomem(d);
	for (size_t i = 0; i < parts->n; i++) {
		memcpy(p, d->lex.text + parts->v[i].at, parts->v[i].len);
		p += parts->v[i].len;
		*p++ = ';';
		*p++ = '\n';
	}
	*p = '\0';
	t->text_len = len;
	return 0;
}

static void release(struct ddl *d)
{
	for (size_t i = 0; d->sources && d->out && i < d->out->ntables; i++)
		free(d->sources[i].parts.v);
	for (size_t i = 0; i < d->nenums; i++) {
		free(d->enums[i].name);
		evs_type_release(&d->enums[i].type);
	}
	for (size_t i = 0; i < d->nskipped; i++)
		free(d->skipped[i]);
	free(d->sources);
	free(d->enums);
	free(d->skipped);
	free(d->used_enums);
}

static int parse(struct evs_ddl **out, const char *text, size_t len, evs_note_fn *note, void *arg,
		 bool single, struct evs_diag *diag)
{
	struct ddl d = { .diag = diag, .note = note, .note_arg = arg, .single = single };
	size_t text_left = (size_t)4 * EVS_MAX_SCHEMA; /* of all tables; they may share enums */
	int rc;

	if (len > EVS_MAX_SCHEMA)
		return evs_fail(diag, EVS_E_LIMIT, "a schema has at most %u bytes", EVS_MAX_SCHEMA);
	d.out = calloc(1, sizeof(*d.out));
	if (!d.out)
		return evs_fail_nomem(diag);
	rc = evs_lex_start(&d.lex, text, len, 1, 1, diag);
	if (rc == 0)
		rc = statements(&d);
	for (size_t i = 0; rc == 0 && i < d.out->ntables; i++)
		rc = join_text(&d, d.out->tables[i], &d.sources[i].parts, &text_left);
	release(&d);
	if (rc == 0)
		*out = d.out;
	else
		evs_ddl_free(d.out);
	return rc;
}

int evs_ddl_parse(struct evs_ddl **out, const char *text, size_t len, evs_note_fn *note, void *arg,
		  struct evs_diag *diag)
{
	return parse(out, text, len, note, arg, false, diag);
}

void evs_ddl_free(struct evs_ddl *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->ntables; i++)
		evs_table_free(d->tables[i]);
	for (size_t i = 0; i < d->nviews; i++) {
		free(d->views[i].db);
		free(d->views[i].name);
		free(d->views[i].source);
		free(d->views[i].select_text);
		free(d->views[i].text);
	}
	free(d->tables);
	free(d->views);
	free(d);
}

int evs_table_parse(struct evs_table **out, const char *text, size_t len, struct evs_diag *diag)
{
	struct evs_ddl *ddl;
	int rc = parse(&ddl, text, len, NULL, NULL, true, diag);

	if (rc < 0)
		return rc;
	if (ddl->ntables != 1) {
		rc = evs_fail(diag, EVS_E_SCHEMA, "one CREATE TABLE is expected, the text has %zu",
			      ddl->ntables);
	} else {
		*out = ddl->tables[0];
		ddl->ntables = 0;
	}
	evs_ddl_free(ddl);
	return rc;
}

int evs_type_parse(struct evs_type *out, bool *nullable, const char *text, size_t len,
		   uint32_t line, uint32_t col, struct evs_diag *diag)
{
	struct ddl d = { .diag = diag };
	struct ddl_type_info info = { 0 };
	int rc;

	memset(out, 0, sizeof(*out));
	if (len > EVS_MAX_SCHEMA)
		return evs_fail(diag, EVS_E_LIMIT, "a type has at most %u bytes", EVS_MAX_SCHEMA);
	rc = evs_lex_start(&d.lex, text, len, line, col, diag);
	if (rc == 0)
		rc = ddl_take_type(&d, out, &info);
	if (rc == 0 && d.lex.tok.kind != EVS_TOK_END)
		rc = ddl_fail(&d, "the type should end here");
	if (rc < 0)
		evs_type_release(out);
	else if (nullable)
		*nullable = info.nullable;
	release(&d);
	return rc;
}
