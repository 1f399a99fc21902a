/*
 * What follows the parentheses of CREATE TABLE, in any order: ENGINE, PARTITION BY, ORDER BY,
 * PRIMARY KEY, TTL, and what means nothing here.
 */
#include "src/schema/ddl.h"

#include <stdlib.h>
#include <string.h>

enum engine_use { ENGINE_TAKEN, ENGINE_NOTED, ENGINE_REFUSED };

static const struct {
	const char *name;
	enum evs_engine engine;
	enum engine_use use;
	const char *text;
} engines[] = {
	{ "MergeTree", EVS_ENGINE_MERGE, ENGINE_TAKEN, NULL },
	{ "ReplacingMergeTree", EVS_ENGINE_REPLACING, ENGINE_TAKEN, NULL },
	{ "SummingMergeTree", EVS_ENGINE_SUMMING, ENGINE_TAKEN, NULL },
	{ "AggregatingMergeTree", EVS_ENGINE_MERGE, ENGINE_NOTED,
	  "taken as MergeTree, rows are kept as they are" },
	{ "Log", EVS_ENGINE_MERGE, ENGINE_NOTED, "taken as MergeTree" },
	{ "TinyLog", EVS_ENGINE_MERGE, ENGINE_NOTED, "taken as MergeTree" },
	{ "StripeLog", EVS_ENGINE_MERGE, ENGINE_NOTED, "taken as MergeTree" },
	{ "Memory", EVS_ENGINE_MERGE, ENGINE_NOTED,
	  "taken as MergeTree: evseg keeps rows on disk" },
	{ "CollapsingMergeTree", EVS_ENGINE_MERGE, ENGINE_REFUSED,
	  "evseg does not cancel rows by their sign: use ReplacingMergeTree(version), or MergeTree and sum the sign "
	  "when reading" },
	{ "VersionedCollapsingMergeTree", EVS_ENGINE_MERGE, ENGINE_REFUSED,
	  "evseg does not cancel rows by their sign: use ReplacingMergeTree(version)" },
	{ "GraphiteMergeTree", EVS_ENGINE_MERGE, ENGINE_REFUSED,
	  "use MergeTree and a materialized view" },
	{ "Kafka", EVS_ENGINE_MERGE, ENGINE_REFUSED,
	  "pipe the topic's messages into evappend instead" },
	{ "Distributed", EVS_ENGINE_MERGE, ENGINE_REFUSED,
	  "evseg is one folder on one machine: use MergeTree" },
	{ "InnoDB", EVS_ENGINE_MERGE, ENGINE_REFUSED, "use MergeTree" },
};

static const size_t nengines = sizeof(engines) / sizeof(engines[0]);

/* "ReplicatedMergeTree" and "SharedMergeTree" without their prefix. */
static void strip_prefix(struct ddl *d, struct evs_tok *t, bool *replicated)
{
	static const char *const prefixes[] = { "Replicated", "Shared" };

	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(prefixes[i]);

		if (t->len > n && !memcmp(d->lex.text + t->at, prefixes[i], n)) {
			ddl_note(d, t->line, "%s: not used by evseg", prefixes[i]);
			t->at += n;
			t->len -= n;
			*replicated = true;
			return;
		}
	}
}

/* (args); of Replicated... the path and replica in front are passed over. */
static int take_engine_args(struct ddl *d, struct ddl_draft *f, bool replicated)
{
	struct ddl_slice s;
	struct evs_tok open = d->lex.tok;
	int rc = ddl_next(d);

	while (rc == 0 && replicated && d->lex.tok.kind == EVS_TOK_STRING) {
		rc = ddl_next(d);
		if (rc == 0)
			rc = ddl_accept(d, ",");
		rc = rc < 0 ? rc : 0;
	}
	if (rc < 0)
		return rc;
	s = (struct ddl_slice){ .at = d->lex.tok.at,
				.line = d->lex.tok.line,
				.col = d->lex.tok.col };
	while (rc == 0 && !ddl_is(d, ")")) {
		if (d->lex.tok.kind == EVS_TOK_END)
			return ddl_fail_tok(d, &open, "this parenthesis is never closed");
		rc = ddl_is(d, "(") ? ddl_skip_group(d) : ddl_next(d);
		s.len = d->lex.prev_end - s.at;
	}
	if (rc < 0)
		return rc;
	f->engine_args = s;
	free(f->t->engine_args);
	f->t->engine_args = ddl_copy_slice(d, &s);
	return f->t->engine_args ? ddl_next(d) : ddl_nomem(d);
}

static int unknown_engine(struct ddl *d, const struct evs_tok *t)
{
	const char *known[sizeof(engines) / sizeof(engines[0])];
	char hint[100];

	for (size_t i = 0; i < nengines; i++)
		known[i] = engines[i].name;
	ddl_suggest(hint, sizeof(hint), d->lex.text + t->at, t->len, known, nengines);
	return ddl_fail_tok(
		d, t, "evseg has the engines MergeTree, ReplacingMergeTree and SummingMergeTree%s",
		hint);
}

static int take_engine(struct ddl *d, struct ddl_draft *f)
{
	struct evs_tok name, word;
	bool replicated = false;
	size_t i;
	int rc = ddl_next(d);

	if (rc == 0)
		rc = ddl_accept(d, "=");
	if (rc < 0)
		return rc;
	f->has_engine = true;
	name = word = d->lex.tok;
	if (!evs_tok_is_name(&name))
		return ddl_fail(d, "the engine's name is expected here, such as MergeTree");
	strip_prefix(d, &name, &replicated);
	for (i = 0; i < nengines && !evs_tok_is_at(&d->lex, &name, engines[i].name); i++)
		;
	if (i == nengines)
		return unknown_engine(d, &word);
	if (engines[i].use == ENGINE_REFUSED)
		return ddl_fail_tok(d, &word, "ENGINE %s: %s", engines[i].name, engines[i].text);
	if (engines[i].use == ENGINE_NOTED)
		ddl_note(d, word.line, "ENGINE %s: %s", engines[i].name, engines[i].text);
	f->t->engine = engines[i].engine;
	rc = ddl_next(d);
	return rc == 0 && ddl_is(d, "(") ? take_engine_args(d, f, replicated) : rc;
}

static int take_partition(struct ddl *d, struct ddl_draft *f)
{
	struct evs_tok word = d->lex.tok;
	int rc = ddl_next(d);

	if (rc == 0)
		rc = ddl_expect(d, "BY");
	if (rc < 0)
		return rc;
	if (f->method != DDL_PART_NONE)
		return ddl_fail_tok(d, &word, "the table has two PARTITION BY");
	f->method = DDL_PART_EXPR;
	if (ddl_is(d, "RANGE") && ddl_peek_is(d, "("))
		f->method = DDL_PART_RANGE;
	else if ((ddl_is(d, "LIST") || ddl_is(d, "HASH")) && ddl_peek_is(d, "("))
		f->method = DDL_PART_VALUE;
	if (f->method != DDL_PART_EXPR)
		rc = ddl_next(d);
	return rc < 0 ? rc : ddl_take_exprs(d, &f->partition, DDL_STOP_CLAUSE, false);
}

/* ORDER BY or PRIMARY KEY. */
static int take_key(struct ddl *d, bool *seen, struct ddl_list *list, const char *second)
{
	struct evs_tok word = d->lex.tok;
	int rc = ddl_next(d);

	if (rc == 0)
		rc = ddl_expect(d, second);
	if (rc < 0)
		return rc;
	if (*seen)
		return ddl_fail_tok(d, &word, "the table has two %.*s %s", (int)word.len,
				    d->lex.text + word.at, second);
	*seen = true;
	return ddl_take_exprs(d, list, DDL_STOP_CLAUSE, true);
}

/*
 * What a rule of TTL does to old rows, when it is not to delete them: told and passed over. 1 when
 * it was so.
 */
static int skip_ttl_action(struct ddl *d, uint32_t line)
{
	struct ddl_slice s;
	bool many;
	int rc = ddl_accept(d, "DELETE");

	if (rc < 0)
		return rc;
	if (ddl_is(d, "WHERE"))
		ddl_note(d, line, "TTL ... WHERE: not used by evseg, rows expire by time alone");
	else if (ddl_is(d, "TO") || ddl_is(d, "RECOMPRESS") || ddl_is(d, "GROUP") ||
		 ddl_is(d, "SET"))
		ddl_note(d, line, "TTL ... %.*s: not used by evseg", (int)d->lex.tok.len,
			 d->lex.text + d->lex.tok.at);
	else
		return 0;
	many = ddl_is(d, "GROUP") || ddl_is(d, "SET");
	do {
		rc = ddl_take_expr(d, &s, DDL_STOP_CLAUSE);
		if (rc == 0 && many)
			rc = ddl_accept(d, ",");
	} while (rc > 0);
	return rc < 0 ? rc : 1;
}

static int take_ttl(struct ddl *d, struct ddl_draft *f)
{
	struct evs_tok word = d->lex.tok;
	struct ddl_slice s;
	int rc = ddl_next(d);

	do {
		if (rc >= 0)
			rc = ddl_take_expr(d, &s, DDL_STOP_CLAUSE | DDL_STOP_TTL);
		if (rc == 0)
			rc = skip_ttl_action(d, s.line);
		if (rc == 0)
			rc = ddl_list_add(d, &f->ttl, &s);
		if (rc >= 0)
			rc = ddl_accept(d, ",");
	} while (rc > 0);
	if (rc == 0 && f->ttl.n > 1)
		rc = ddl_fail_tok(d, &word, "the table has two TTL rules that delete: keep one");
	return rc;
}

/* SETTINGS a = 1, b = 2. */
static int skip_settings(struct ddl *d)
{
	uint32_t line = d->lex.tok.line;
	struct ddl_slice s;
	int rc = ddl_next(d);

	ddl_note(d, line, "SETTINGS: not used by evseg");
	while (rc >= 0) {
		rc = ddl_take_expr(d, &s, DDL_STOP_CLAUSE);
		if (rc == 0)
			rc = ddl_accept(d, ",");
		if (rc <= 0)
			break;
	}
	return rc;
}

/* COMMENT 'x', SAMPLE BY x, TABLESPACE x, USING x, WITH (...). */
static int skip_simple(struct ddl *d)
{
	struct evs_tok word = d->lex.tok;
	struct ddl_slice s;
	int rc = ddl_next(d);

	ddl_note(d, word.line, "%.*s: not used by evseg", (int)word.len, d->lex.text + word.at);
	if (rc == 0 && evs_tok_is_at(&d->lex, &word, "SAMPLE"))
		rc = ddl_expect(d, "BY");
	if (rc == 0)
		rc = ddl_accept(d, "=");
	return rc < 0 ? rc : ddl_take_expr(d, &s, DDL_STOP_CLAUSE);
}

static int unknown_clause(struct ddl *d)
{
	static const char *const known[] = { "ENGINE", "PARTITION", "ORDER",  "PRIMARY",
					     "TTL",    "SETTINGS",  "COMMENT" };
	char hint[100];

	if (ddl_is(d, "INHERITS"))
		return ddl_fail(d, "evseg has no inheritance: write all columns out");
	if (ddl_is(d, "AS"))
		return ddl_fail(d,
				"evseg does not fill tables from queries: end the statement here");
	ddl_suggest(hint, sizeof(hint), d->lex.text + d->lex.tok.at, d->lex.tok.len, known,
		    sizeof(known) / sizeof(known[0]));
	return ddl_fail(
		d,
		"a clause such as ENGINE, PARTITION BY, ORDER BY or TTL, or a semicolon is expected here%s",
		hint);
}

int ddl_take_clauses(struct ddl *d, struct ddl_draft *f)
{
	int rc = 0;

	while (rc == 0 && d->lex.tok.kind != EVS_TOK_END && !ddl_is(d, ";") &&
	       !ddl_statement_begins(d)) {
		if (ddl_is(d, "ENGINE"))
			rc = take_engine(d, f);
		else if (ddl_is(d, "PARTITION"))
			rc = take_partition(d, f);
		else if (ddl_is(d, "ORDER"))
			rc = take_key(d, &f->has_order, &f->order, "BY");
		else if (ddl_is(d, "PRIMARY"))
			rc = take_key(d, &f->has_primary, &f->primary, "KEY");
		else if (ddl_is(d, "TTL"))
			rc = take_ttl(d, f);
		else if (ddl_is(d, "SETTINGS"))
			rc = skip_settings(d);
		else if (ddl_is(d, "COMMENT") || ddl_is(d, "SAMPLE") || ddl_is(d, "TABLESPACE") ||
			 ddl_is(d, "USING") || ddl_is(d, "WITH"))
			rc = skip_simple(d);
		else
			rc = unknown_clause(d);
	}
	return rc;
}
