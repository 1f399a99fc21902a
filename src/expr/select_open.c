/*
 * From the text of a SELECT, or the texts of its parts, to the parsed query, and its memory.
 */
#include "src/expr/select_ast.h"

#include "src/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *evs_s_nomem(struct evs_select *s)
{
	if (!s->err)
		s->err = evs_fail_nomem(s->diag);
	return NULL;
}

void *evs_s_alloc(struct evs_select *s, size_t n)
{
	void *p = evs_x_alloc(&s->mem->arena, n);

	return p ? p : evs_s_nomem(s);
}

void *evs_s_grow(struct evs_select *s, void *array, size_t n, size_t *cap, size_t size)
{
	void *grown;

	if (n < *cap)
		return array;
	grown = evs_s_alloc(s, (*cap * 2 + 8) * size);
	if (!grown)
		return NULL;
	if (n)
		memcpy(grown, array, n * size);
	*cap = *cap * 2 + 8;
	return grown;
}

const char *evs_s_copy(struct evs_select *s, const char *text, size_t len)
{
	char *copy = evs_s_alloc(s, len + 1);

	if (copy && len)
		memcpy(copy, text, len);
	return copy;
}

static struct evs_select *new_select(struct evs_diag *diag)
{
	struct evs_select *s = calloc(1, sizeof(*s));

	if (s && !(s->mem = calloc(1, sizeof(*s->mem)))) {
		free(s);
		s = NULL;
	}
	if (!s) {
		(void)evs_fail_nomem(diag);
		return NULL;
	}
	s->diag = diag;
	s->db = s->from = s->as = "";
	s->limit = s->by_limit = EVS_NO_LIMIT;
	return s;
}

/* Parse `text` by `fn`, which must use all of it. */
static int parse_text(struct evs_select *s, const char *name, const char *text, size_t len,
		      bool (*fn)(struct x_parser *, struct evs_select *), struct evs_diag *diag)
{
	struct x_parser p = { .e = s->mem, .diag = diag };
	const char *copy;
	bool ok;

	if (len > X_MAX_TEXT)
		return evs_fail_at(diag, EVS_E_QUERY, 1, 1, "the query is longer than 1 MiB");
	copy = evs_s_copy(s, text, len);
	if (!copy)
		return s->err;
	p.lx = (struct x_lexer){ .arena = &s->mem->arena,
				 .p = copy,
				 .end = copy + len,
				 .line = 1,
				 .col = 1,
				 .diag = diag,
				 .semicolons = true };
	s->text[s->ntext++] = (struct x_text){ name, copy, len };
	ok = evs_x_step(&p) && evs_x_step(&p) && fn(&p, s);
	if (ok && p.tok.kind != X_TOK_END)
		evs_x_parse_fail(&p, &p.tok, "an operator, `,` or the end is wanted here");
	if (p.err || s->err)
		return p.err ? p.err : s->err;
	return ok ? 0 : evs_fail_nomem(diag);
}

int evs_select_parse(struct evs_select **out, const char *text, size_t len, struct evs_diag *diag)
{
	struct evs_select *s = new_select(diag);
	int rc;

	if (!s)
		return EVS_E_NOMEM;
	rc = parse_text(s, "", text, len, evs_s_parse_statement, diag);
	if (rc < 0) {
		evs_select_free(s);
		return rc;
	}
	*out = s;
	return 0;
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* The items of -g, which are the keys too. */
static bool part_group(struct x_parser *p, struct evs_select *s)
{
	if (!evs_s_parse_items(p, s))
		return false;
	for (size_t i = 0; i < s->nitem; i++) {
		struct x_ast **ast =
			evs_s_grow(s, s->group.ast, i, &s->group.cap, sizeof(struct x_ast *));

		if (!ast)
			return false;
		s->group.ast = ast;
		s->group.ast[s->group.n++] = s->item[i].ast;
	}
	return true;
}

static bool part_having(struct x_parser *p, struct evs_select *s)
{
	return (s->having = evs_x_parse(p, 0)) != NULL;
}

int evs_select_parse_parts(struct evs_select **out, const struct evs_select_parts *parts,
			   struct evs_diag *diag)
{
	const struct {
		const char *name, *text;
		bool (*fn)(struct x_parser *, struct evs_select *);
	} list[] = {
		{ "group", parts->group, part_group },
		{ "aggs", parts->aggs ? parts->aggs : "count() AS count", evs_s_parse_items },
		{ "where", parts->where, evs_s_parse_where },
		{ "having", parts->having, part_having },
		{ "sort", parts->sort, evs_s_parse_sorts },
	};
	struct evs_select *s = new_select(diag);
	int rc = s ? 0 : EVS_E_NOMEM;

	for (size_t i = 0; rc == 0 && i < sizeof(list) / sizeof(list[0]); i++) {
		if (list[i].text)
			rc = parse_text(s, list[i].name, list[i].text, strlen(list[i].text),
					list[i].fn, diag);
		if (rc == EVS_E_QUERY && diag)
			snprintf(diag->path, sizeof(diag->path), "%s", list[i].name);
	}
	if (rc < 0) {
		evs_select_free(s);
		return rc;
	}
	s->grouped = true;
	if (parts->limit)
		s->limit = parts->limit;
	*out = s;
	return 0;
}

const char *evs_select_from_db(const struct evs_select *s)
{
	return s->db;
}

const char *evs_select_from(const struct evs_select *s)
{
	return s->from;
}
