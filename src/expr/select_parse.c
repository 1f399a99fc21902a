/*
 * SELECT text to its parts (spec/query.md 8). What stands in them is parsed by expr_parse.c; this
 * file knows the clauses, and what to say about those that evseg does not have.
 */
#include "src/expr/select_ast.h"

#include <string.h>

/* Words that end an item or a name and so are no aliases, unless quoted or behind AS. */
static const char *const clause_words[] = {
	"from",	    "prewhere", "where", "group",     "having", "order",       "limit",	 "offset",
	"settings", "format",	"union", "intersect", "except", "qualify",     "window", "fetch",
	"join",	    "inner",	"left",	 "right",     "full",	"cross",       "any",	 "asof",
	"global",   "natural",	"array", "as",	      "final",	"sample",      "with",	 "by",
	"asc",	    "desc",	"nulls", "into",      "on",	"tablesample",
};

/* Where a clause could begin: what evseg has instead. */
static const struct {
	const char *word, *what;
} refused[] = {
	{ "with", "WITH is not supported after FROM" },
	{ "join", NULL },
	{ "inner", NULL },
	{ "left", NULL },
	{ "right", NULL },
	{ "full", NULL },
	{ "cross", NULL },
	{ "any", NULL },
	{ "asof", NULL },
	{ "global", NULL },
	{ "natural", NULL },
	{ "array", "ARRAY JOIN is not supported" },
	{ "union", "UNION is not supported: ask once for each part" },
	{ "intersect", "INTERSECT is not supported" },
	{ "except", "EXCEPT is not supported" },
	{ "settings", "SETTINGS mean nothing to evseg: leave them out" },
	{ "format",
	  "the format is chosen outside of the query: evagg -o ndjson, csv, tsv or table" },
	{ "sample", "SAMPLE is not supported: evseg reads every row that can match" },
	{ "tablesample", "TABLESAMPLE is not supported: evseg reads every row that can match" },
	{ "qualify", "QUALIFY is not supported: for the newest row of each key there is evcat "
		     "--latest COLUMNS, or LIMIT 1 BY" },
	{ "window", "window functions are not supported" },
	{ "fetch", "write LIMIT n" },
	{ "into", "the answer goes to standard output: leave INTO out" },
	{ "for", "FOR means nothing to evseg, whose readers take no lock: leave it out" },
};

static const char no_join[] =
	"a query reads one stream or view: JOIN is not supported (evsql is to have it)";

static bool is_clause_word(const struct x_tok *t)
{
	for (size_t i = 0; i < sizeof(clause_words) / sizeof(clause_words[0]); i++)
		if (evs_x_is_word(t, clause_words[i]))
			return true;
	return false;
}

/* A name for what has none: its text, on one line. */
static const char *name_of_text(struct evs_select *s, const char *text, size_t len)
{
	char *copy = evs_s_alloc(s, len + 1);

	for (size_t i = 0; copy && i < len; i++)
		copy[i] = strchr("\n\r\t\f\v", text[i]) ? ' ' : text[i];
	return copy;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static bool too_many(struct x_parser *p, size_t n)
{
	if (n < X_MAX_ITEMS)
		return false;
	evs_x_parse_fail(p, &p->tok, "too many: at most %u may stand here", X_MAX_ITEMS);
	return true;
}

static bool more(struct x_parser *p)
{
	return evs_x_is_op(&p->tok, X_COMMA) && evs_x_step(p);
}

static bool parse_list(struct x_parser *p, struct evs_select *s, struct x_list *l)
{
	do {
		struct x_ast **ast, *a;

		if (too_many(p, l->n))
			return false;
		a = evs_x_parse(p, 0);
		ast = a ? evs_s_grow(s, l->ast, l->n, &l->cap, sizeof(struct x_ast *)) : NULL;
		if (!ast)
			return false;
		l->ast = ast;
		l->ast[l->n++] = a;
	} while (more(p));
	return p->err == 0;
}

static struct x_item *new_item(struct evs_select *s)
{
	struct x_item *item = evs_s_grow(s, s->item, s->nitem, &s->item_cap, sizeof(*item));

	if (!item)
		return NULL;
	s->item = item;
	item = &s->item[s->nitem++];
	*item = (struct x_item){ 0 };
	return item;
}

/* [AS] name */
static bool parse_alias(struct x_parser *p, const char **name, size_t *len)
{
	bool as = evs_x_is_word(&p->tok, "as");

	if (as && !evs_x_step(p))
		return false;
	if (p->tok.kind == X_TOK_QUOTED ||
	    (p->tok.kind == X_TOK_NAME && (as || !is_clause_word(&p->tok)))) {
		*name = p->tok.s;
		*len = p->tok.len;
		return evs_x_step(p);
	}
	if (as)
		evs_x_parse_fail(p, &p->tok, "a name is wanted after AS");
	return p->err == 0;
}

static bool parse_item(struct x_parser *p, struct evs_select *s)
{
	const char *at = p->tok.at, *name = NULL;
	struct x_item *item;
	struct x_ast *a;
	size_t len = 0;

	if (too_many(p, s->nitem))
		return false;
	if (evs_x_is_op(&p->tok, X_MUL)) {
		a = evs_x_mk(p, X_STAR, &p->tok);
		if (!a || !evs_x_step(p))
			return false;
	} else {
		a = evs_x_parse(p, 0);
	}
	item = a ? new_item(s) : NULL;
	if (!item)
		return false;
	item->ast = a;
	if (a->kind == X_STAR)
		return true;
	item->name_len = (size_t)(p->end - at);
	item->name = name_of_text(s, at, item->name_len);
	if (!item->name || !parse_alias(p, &name, &len))
		return false;
	if (!name)
		return true;
	item->alias = true;
	item->name = evs_s_copy(s, name, len);
	item->name_len = len;
	return item->name != NULL;
}

bool evs_s_parse_items(struct x_parser *p, struct evs_select *s)
{
	do {
		if (!parse_item(p, s))
			return false;
	} while (more(p));
	return p->err == 0;
}

/* expr [ASC | DESC] [NULLS FIRST | LAST]; NULLs are last unless told otherwise (spec 8-11). */
static bool parse_sort(struct x_parser *p, struct evs_select *s)
{
	struct x_sort *sort, one = { 0 };

	if (too_many(p, s->nsort))
		return false;
	one.ast = evs_x_parse(p, 0);
	if (!one.ast)
		return false;
	one.desc = evs_x_is_word(&p->tok, "desc");
	if ((one.desc || evs_x_is_word(&p->tok, "asc")) && !evs_x_step(p))
		return false;
	if (evs_x_is_word(&p->tok, "nulls")) {
		if (!evs_x_step(p))
			return false;
		one.nulls_first = evs_x_is_word(&p->tok, "first");
		if (!one.nulls_first && !evs_x_is_word(&p->tok, "last")) {
			evs_x_parse_fail(p, &p->tok, "NULLS FIRST or NULLS LAST");
			return false;
		}
		if (!evs_x_step(p))
			return false;
	}
	if (evs_x_is_word(&p->tok, "with") && evs_x_is_word(&p->next, "fill")) {
		evs_x_parse_fail(p, &p->tok, "WITH FILL is not supported");
		return false;
	}
	sort = evs_s_grow(s, s->sort, s->nsort, &s->sort_cap, sizeof(*sort));
	if (!sort)
		return false;
	s->sort = sort;
	s->sort[s->nsort++] = one;
	return true;
}

bool evs_s_parse_sorts(struct x_parser *p, struct evs_select *s)
{
	do {
		if (!parse_sort(p, s))
			return false;
	} while (more(p));
	return p->err == 0;
}

/* ---- clauses --------------------------------------------------------------------------------- */

/* FROM [db.]name [FINAL] [[AS] alias] */
static bool parse_from(struct x_parser *p, struct evs_select *s)
{
	const char *alias = NULL;
	size_t len = 0;

	if (evs_x_is_op(&p->tok, X_LPAREN))
		return evs_x_parse_fail(p, &p->tok,
					"sub-queries are not supported: make the inner SELECT a "
					"view (CREATE VIEW) and name that") != NULL;
	for (unsigned i = 0; i < 2; i++) {
		if ((p->tok.kind != X_TOK_NAME || is_clause_word(&p->tok)) &&
		    p->tok.kind != X_TOK_QUOTED)
			return evs_x_parse_fail(p, &p->tok,
						"the name of a stream or view is wanted here") !=
			       NULL;
		s->db = i ? s->from : "";
		s->from = evs_s_copy(s, p->tok.s, p->tok.len);
		if (!s->from || !evs_x_step(p))
			return false;
		if (!evs_x_is_op(&p->tok, X_DOT))
			break;
		if (i || !evs_x_step(p))
			return evs_x_parse_fail(p, &p->tok, "a stream is called name or db.name") !=
			       NULL;
	}
	if (evs_x_is_op(&p->tok, X_LPAREN))
		return evs_x_parse_fail(p, &p->tok,
					"functions that give tables are not supported") != NULL;
	/* Streams of a ReplacingMergeTree always answer as if merged. */
	if (evs_x_is_word(&p->tok, "final") && !evs_x_step(p))
		return false;
	if (!parse_alias(p, &alias, &len))
		return false;
	s->as = alias ? evs_s_copy(s, alias, len) : "";
	if (evs_x_is_op(&p->tok, X_COMMA))
		evs_x_parse_fail(p, &p->tok, "%s", no_join);
	return s->as && p->err == 0;
}

static bool parse_number(struct x_parser *p, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; p->tok.kind == X_TOK_NUMBER && i < p->tok.len; i++) {
		char c = p->tok.s[i];

		if (c < '0' || c > '9' || v > (UINT64_MAX - 9) / 10)
			return evs_x_parse_fail(p, &p->tok, "a whole number is wanted here") !=
			       NULL;
		v = v * 10 + (uint64_t)(c - '0');
	}
	if (p->tok.kind != X_TOK_NUMBER)
		return evs_x_parse_fail(p, &p->tok, "a whole number is wanted here") != NULL;
	*out = v;
	return evs_x_step(p);
}

/* LIMIT n, LIMIT n OFFSET m, LIMIT m, n, LIMIT n BY expr, ... */
static bool parse_limit(struct x_parser *p, struct evs_select *s)
{
	struct x_tok at = p->tok;
	uint64_t n, offset = 0;
	bool has_offset = false;

	if (evs_x_is_word(&p->tok, "all")) /* LIMIT ALL */
		return evs_x_step(p);
	if (!parse_number(p, &n))
		return false;
	if (evs_x_is_op(&p->tok, X_COMMA)) {
		offset = n;
		has_offset = true;
		if (!evs_x_step(p) || !parse_number(p, &n))
			return false;
	}
	if (evs_x_is_word(&p->tok, "by")) {
		if (has_offset)
			return evs_x_parse_fail(p, &at, "LIMIT BY takes one number") != NULL;
		if (s->by.n)
			return evs_x_parse_fail(p, &p->tok, "a second LIMIT BY") != NULL;
		s->by_limit = n;
		return evs_x_step(p) && parse_list(p, s, &s->by);
	}
	if (s->limit != EVS_NO_LIMIT)
		return evs_x_parse_fail(p, &at, "a second LIMIT") != NULL;
	s->limit = n;
	if (has_offset)
		s->offset = offset;
	return true;
}

static bool parse_group(struct x_parser *p, struct evs_select *s)
{
	s->grouped = true;
	if (evs_x_is_word(&p->tok, "all") && !evs_x_is_op(&p->next, X_COMMA)) {
		s->group_all = true;
		return evs_x_step(p);
	}
	for (unsigned i = 0; i < 3; i++) {
		static const char *const words[] = { "rollup", "cube", "grouping" };

		if (evs_x_is_word(&p->tok, words[i]) &&
		    (evs_x_is_op(&p->next, X_LPAREN) || evs_x_is_word(&p->next, "sets")))
			return evs_x_parse_fail(
				       p, &p->tok,
				       "ROLLUP, CUBE and GROUPING SETS are not supported") != NULL;
	}
	return parse_list(p, s, &s->group);
}

bool evs_s_parse_where(struct x_parser *p, struct evs_select *s)
{
	struct x_tok at = p->tok;
	struct x_ast *a = evs_x_parse(p, 0), *both;

	if (!a || !s->where) {
		s->where = a;
		return a != NULL;
	}
	both = evs_x_mk(p, X_AND, &at); /* PREWHERE a WHERE b */
	if (!evs_x_add(p, both, s->where) || !evs_x_add(p, both, a))
		return false;
	s->where = both;
	return true;
}

enum clause {
	C_FROM,
	C_PREWHERE,
	C_WHERE,
	C_GROUP,
	C_HAVING,
	C_ORDER,
	C_LIMIT,
	C_OFFSET,
	C_NONE,
};

static bool parse_clause(struct x_parser *p, struct evs_select *s, enum clause c)
{
	if (!evs_x_step(p))
		return false;
	switch (c) {
	case C_FROM:
		return parse_from(p, s);
	case C_PREWHERE:
	case C_WHERE:
		return evs_s_parse_where(p, s);
	case C_GROUP:
		return evs_x_expect_word(p, "by") && parse_group(p, s);
	case C_HAVING:
		return (s->having = evs_x_parse(p, 0)) != NULL;
	case C_ORDER:
		return evs_x_expect_word(p, "by") && evs_s_parse_sorts(p, s);
	case C_LIMIT:
		return parse_limit(p, s);
	default:
		if (!parse_number(p, &s->offset))
			return false;
		if (evs_x_is_word(&p->tok, "row") || evs_x_is_word(&p->tok, "rows"))
			return evs_x_step(p);
		return true;
	}
}

static bool refuse(struct x_parser *p)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (evs_x_is_word(&p->tok, refused[i].word))
			return evs_x_parse_fail(p, &p->tok, "%s",
						refused[i].what ? refused[i].what : no_join) !=
			       NULL;
	return true;
}

/* All clauses after the items, in the order that SQL wants. */
static bool parse_clauses(struct x_parser *p, struct evs_select *s)
{
	static const char *const words[] = { "from",   "prewhere", "where", "group",
					     "having", "order",	   "limit", "offset" };
	enum clause at = C_FROM, c;

	while (p->tok.kind != X_TOK_END && !evs_x_is_op(&p->tok, X_SEMICOLON)) {
		for (c = C_FROM; c < C_NONE && !evs_x_is_word(&p->tok, words[c]); c++)
			;
		if (c == C_NONE)
			return refuse(p) &&
			       evs_x_parse_fail(p, &p->tok,
						"`,`, a clause or the end is wanted here") != NULL;
		if (c < at)
			return evs_x_parse_fail(
				       p, &p->tok,
				       "the clauses come in the order FROM, WHERE, GROUP BY, "
				       "HAVING, ORDER BY, LIMIT") != NULL;
		if (!parse_clause(p, s, c))
			return false;
		at = c == C_LIMIT || c == C_OFFSET ? C_LIMIT : (enum clause)(c + 1);
	}
	return true;
}

/* Is the word at hand a keyword of its own, rather than an expression's first? */
static bool leads(const struct x_parser *p, const char *word)
{
	return evs_x_is_word(&p->tok, word) && !evs_x_is_op(&p->next, X_COMMA) &&
	       p->next.kind != X_TOK_END && !evs_x_is_word(&p->next, "from");
}

/* ALL, DISTINCT, and PostgreSQL's DISTINCT ON (a, b), which is LIMIT 1 BY a, b. */
static bool parse_distinct(struct x_parser *p, struct evs_select *s)
{
	if (leads(p, "all"))
		return evs_x_step(p);
	if (!leads(p, "distinct"))
		return true;
	if (!evs_x_step(p))
		return false;
	if (!evs_x_is_word(&p->tok, "on") || !evs_x_is_op(&p->next, X_LPAREN)) {
		s->distinct = true;
		return true;
	}
	s->by_limit = 1;
	return evs_x_step(p) && evs_x_step(p) && parse_list(p, s, &s->by) &&
	       evs_x_expect(p, X_RPAREN, "`,` or `)`");
}

bool evs_s_parse_statement(struct x_parser *p, struct evs_select *s)
{
	if (evs_x_is_word(&p->tok, "with"))
		return evs_x_parse_fail(
			       p, &p->tok,
			       "WITH is not supported: make the inner SELECT a view "
			       "(CREATE VIEW); for the newest row of each key there is evcat "
			       "--latest COLUMNS, or LIMIT 1 BY") != NULL;
	if (p->tok.kind == X_TOK_END)
		return evs_x_parse_fail(p, &p->tok, "there is no query") != NULL;
	if (!evs_x_is_word(&p->tok, "select"))
		return evs_x_parse_fail(p, &p->tok, "a query begins with SELECT") != NULL;
	if (!evs_x_step(p) || !parse_distinct(p, s) || !evs_s_parse_items(p, s) ||
	    !parse_clauses(p, s))
		return false;
	if (evs_x_is_op(&p->tok, X_SEMICOLON) && !evs_x_step(p))
		return false;
	if (p->tok.kind != X_TOK_END)
		return evs_x_parse_fail(p, &p->tok, "one statement at a time") != NULL;
	return true;
}
