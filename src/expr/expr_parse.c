/*
 * Tokens to tree: precedence climbing over the operators, as PostgreSQL orders them. Literals,
 * calls and everything else that begins a term are in expr_parse_atom.c.
 *
 * Chains of AND, OR and || become one node with many children, so that a long list of conditions
 * is no deep tree.
 */
#include "src/expr/expr_ast.h"

#include "src/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *evs_x_parse_fail(struct x_parser *p, const struct x_tok *t, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (p->err)
		return NULL; /* the first failure is the one to tell */
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p->err = evs_fail_at(p->diag, EVS_E_QUERY, t->line, t->col, "%s", text);
	evs_fail_word(p->diag, t->at, t->at_len);
	return NULL;
}

static void *nomem(struct x_parser *p)
{
	if (!p->err)
		p->err = evs_fail_nomem(p->diag);
	return NULL;
}

bool evs_x_step(struct x_parser *p)
{
	int rc;

	p->end = p->tok.at ? p->tok.at + p->tok.at_len : NULL;
	p->tok = p->next;
	rc = evs_x_lex(&p->lx, &p->next);
	if (rc < 0 && !p->err)
		p->err = rc;
	return p->err == 0;
}

bool evs_x_is_word(const struct x_tok *t, const char *lower)
{
	return t->kind == X_TOK_NAME && evs_x_same_word(t->s, t->len, lower);
}

bool evs_x_is_op(const struct x_tok *t, enum x_op op)
{
	return t->kind == X_TOK_OP && t->op == op;
}

bool evs_x_expect(struct x_parser *p, enum x_op op, const char *what)
{
	if (evs_x_is_op(&p->tok, op))
		return evs_x_step(p);
	if (p->tok.kind == X_TOK_END)
		evs_x_parse_fail(p, &p->tok, "the expression ends where %s is wanted", what);
	else
		evs_x_parse_fail(p, &p->tok, "%s is wanted here", what);
	return false;
}

bool evs_x_expect_word(struct x_parser *p, const char *lower)
{
	char upper[16];
	size_t i;

	if (evs_x_is_word(&p->tok, lower))
		return evs_x_step(p);
	for (i = 0; lower[i] && i < sizeof(upper) - 1; i++)
		upper[i] = (char)(lower[i] - 'a' + 'A');
	upper[i] = 0;
	evs_x_parse_fail(p, &p->tok, "%s is wanted here", upper);
	return false;
}

struct x_ast *evs_x_mk(struct x_parser *p, enum x_kind kind, const struct x_tok *t)
{
	struct x_ast *a;

	if (p->err)
		return NULL;
	if (p->e->nast >= X_MAX_NODES)
		return evs_x_parse_fail(p, t, "the expression is too large: more than %d terms",
					X_MAX_NODES);
	a = evs_x_alloc(&p->e->arena, sizeof(*a));
	if (!a)
		return nomem(p);
	p->e->nast++;
	a->kind = kind;
	a->depth = 1;
	a->line = t->line;
	a->col = t->col;
	a->word = t->at;
	a->word_len = t->at_len;
	return a;
}

bool evs_x_add(struct x_parser *p, struct x_ast *a, struct x_ast *child)
{
	if (p->err || !a || !child)
		return false;
	if (a->n == a->cap) {
		size_t cap = a->cap ? a->cap * 2 : 2;
		struct x_ast **arg = evs_x_alloc(&p->e->arena, cap * sizeof(struct x_ast *));

		if (!arg)
			return nomem(p) != NULL;
		if (a->n)
			memcpy(arg, a->arg, a->n * sizeof(struct x_ast *));
		a->arg = arg;
		a->cap = cap;
	}
	a->arg[a->n++] = child;
	if (child->depth >= a->depth)
		a->depth = (uint16_t)(child->depth + 1);
	if (a->depth > X_MAX_DEPTH) {
		struct x_tok t = {
			.at = a->word, .at_len = a->word_len, .line = a->line, .col = a->col
		};

		evs_x_parse_fail(p, &t, "the expression is nested too deeply: more than %d levels",
				 X_MAX_DEPTH);
		return false;
	}
	return true;
}

static struct x_ast *mk2(struct x_parser *p, enum x_kind kind, const struct x_tok *t,
			 struct x_ast *a, struct x_ast *b)
{
	struct x_ast *n = a && b ? evs_x_mk(p, kind, t) : NULL;

	return evs_x_add(p, n, a) && evs_x_add(p, n, b) ? n : NULL;
}

/* a AND b, a OR b, a || b: joins the chain when `a` is one already. */
static struct x_ast *chain(struct x_parser *p, enum x_kind kind, enum x_op op, struct x_ast *a,
			   unsigned power)
{
	struct x_tok t = p->tok;
	struct x_ast *b;

	if (!evs_x_step(p))
		return NULL;
	b = evs_x_parse(p, power + 1);
	if (!b)
		return NULL;
	if (a->kind == kind && a->op == op && !a->paren)
		return evs_x_add(p, a, b) ? a : NULL;
	a = mk2(p, kind, &t, a, b);
	if (a)
		a->op = (uint8_t)op;
	return a;
}

static struct x_ast *binary(struct x_parser *p, struct x_ast *a, unsigned power)
{
	struct x_tok t = p->tok;
	struct x_ast *b;
	bool any;

	if (!evs_x_step(p))
		return NULL;
	/* x = ANY (array) */
	any = t.op == X_EQ && evs_x_is_word(&p->tok, "any") && evs_x_is_op(&p->next, X_LPAREN);
	if (any && !evs_x_step(p))
		return NULL;
	b = evs_x_parse(p, power + 1);
	if (any) {
		a = mk2(p, X_CALL, &t, b, a);
		if (a) {
			a->s = "has";
			a->len = 3;
		}
		return a;
	}
	a = mk2(p, X_BINARY, &t, a, b);
	if (!a)
		return NULL;
	a->op = (uint8_t)t.op;
	if (power == X_BP_COMPARE && p->tok.kind == X_TOK_OP && p->tok.op >= X_EQ &&
	    p->tok.op <= X_GE)
		return evs_x_parse_fail(p, &p->tok, "comparisons do not chain: join them with AND");
	return a;
}

static struct x_ast *parse_in(struct x_parser *p, struct x_ast *a, bool negated)
{
	struct x_ast *n = evs_x_mk(p, X_IN, &p->tok);

	if (!n || !evs_x_step(p) || !evs_x_add(p, n, a) ||
	    !evs_x_expect(p, X_LPAREN, "a list in parentheses"))
		return NULL;
	n->negated = negated;
	if (evs_x_is_word(&p->tok, "select"))
		return evs_x_parse_fail(p, &p->tok, "a SELECT inside IN is not supported");
	for (;;) {
		if (!evs_x_add(p, n, evs_x_parse(p, 0)))
			return NULL;
		if (!evs_x_is_op(&p->tok, X_COMMA))
			break;
		if (!evs_x_step(p))
			return NULL;
	}
	return evs_x_expect(p, X_RPAREN, "`,` or `)`") ? n : NULL;
}

static struct x_ast *parse_between(struct x_parser *p, struct x_ast *a, bool negated)
{
	struct x_ast *n = evs_x_mk(p, X_BETWEEN, &p->tok);

	if (!n || !evs_x_step(p) || !evs_x_add(p, n, a) ||
	    !evs_x_add(p, n, evs_x_parse(p, X_BP_IN + 1)) || !evs_x_expect_word(p, "and") ||
	    !evs_x_add(p, n, evs_x_parse(p, X_BP_IN + 1)))
		return NULL;
	n->negated = negated;
	return n;
}

static struct x_ast *parse_like(struct x_parser *p, struct x_ast *a, bool negated)
{
	struct x_ast *n = evs_x_mk(p, X_LIKE, &p->tok);

	if (!n)
		return NULL;
	n->negated = negated;
	n->fold_case = evs_x_is_word(&p->tok, "ilike");
	n->escape = '\\';
	if (!evs_x_step(p) || !evs_x_add(p, n, a) || !evs_x_add(p, n, evs_x_parse(p, X_BP_IN + 1)))
		return NULL;
	if (!evs_x_is_word(&p->tok, "escape"))
		return n;
	if (!evs_x_step(p))
		return NULL;
	if (p->tok.kind != X_TOK_STRING || p->tok.len > 1 ||
	    (p->tok.len == 1 && (unsigned char)p->tok.s[0] >= 0x80))
		return evs_x_parse_fail(p, &p->tok, "ESCAPE wants a string of one ASCII character");
	n->escape = p->tok.len ? (uint8_t)p->tok.s[0] : 0;
	return evs_x_step(p) ? n : NULL;
}

/* IS [NOT] NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM x */
static struct x_ast *parse_is(struct x_parser *p, struct x_ast *a)
{
	struct x_ast *n = evs_x_mk(p, X_IS, &p->tok);

	if (!n || !evs_x_step(p) || !evs_x_add(p, n, a))
		return NULL;
	if (evs_x_is_word(&p->tok, "not")) {
		n->negated = true;
		if (!evs_x_step(p))
			return NULL;
	}
	if (evs_x_is_word(&p->tok, "null") || evs_x_is_word(&p->tok, "unknown")) {
		n->op = X_IS_NULL;
	} else if (evs_x_is_word(&p->tok, "true")) {
		n->op = X_IS_TRUE;
	} else if (evs_x_is_word(&p->tok, "false")) {
		n->op = X_IS_FALSE;
	} else if (evs_x_is_word(&p->tok, "distinct")) {
		n->kind = X_DISTINCT_FROM;
		if (!evs_x_step(p) || !evs_x_expect_word(p, "from") ||
		    !evs_x_add(p, n, evs_x_parse(p, X_BP_COMPARE + 1)))
			return NULL;
		return n;
	} else {
		return evs_x_parse_fail(p, &p->tok, "after IS: NULL, TRUE, FALSE or DISTINCT FROM");
	}
	return evs_x_step(p) ? n : NULL;
}

static struct x_ast *parse_isnull(struct x_parser *p, struct x_ast *a)
{
	struct x_ast *n = evs_x_mk(p, X_IS, &p->tok);

	if (!n || !evs_x_add(p, n, a))
		return NULL;
	n->negated = evs_x_is_word(&p->tok, "notnull");
	return evs_x_step(p) ? n : NULL;
}

static struct x_ast *parse_cast(struct x_parser *p, struct x_ast *a)
{
	struct x_ast *n = evs_x_mk(p, X_CAST, &p->tok);

	if (!n || !evs_x_add(p, n, a) || !evs_x_step(p) || !evs_x_parse_type(p, &n->s, &n->len))
		return NULL;
	return n;
}

/* a[b] */
static struct x_ast *parse_index(struct x_parser *p, struct x_ast *a)
{
	struct x_ast *n = evs_x_mk(p, X_INDEX, &p->tok);

	if (!n || !evs_x_add(p, n, a) || !evs_x_step(p) || !evs_x_add(p, n, evs_x_parse(p, 0)))
		return NULL;
	return evs_x_expect(p, X_RBRACKET, "`]`") ? n : NULL;
}

/* a.b after something that is no plain name, such as payload['a'].b */
static struct x_ast *parse_member(struct x_parser *p, struct x_ast *a)
{
	struct x_ast *n = evs_x_mk(p, X_INDEX, &p->tok), *s;

	if (!n || !evs_x_add(p, n, a) || !evs_x_step(p))
		return NULL;
	if (p->tok.kind != X_TOK_NAME && p->tok.kind != X_TOK_QUOTED)
		return evs_x_parse_fail(p, &p->tok, "a name is wanted after `.`");
	s = evs_x_mk(p, X_STRING, &p->tok);
	if (!s)
		return NULL;
	s->s = p->tok.s;
	s->len = p->tok.len;
	return evs_x_add(p, n, s) && evs_x_step(p) ? n : NULL;
}

/* What the operator at the current token binds with, or 0 when the term ends here. `*negated`:
 * NOT stands before it. */
static unsigned operator_power(const struct x_parser *p, bool *negated)
{
	const struct x_tok *t = &p->tok;

	*negated = evs_x_is_word(t, "not");
	if (*negated)
		t = &p->next;
	if (evs_x_is_word(t, "in") || evs_x_is_word(t, "between") || evs_x_is_word(t, "like") ||
	    evs_x_is_word(t, "ilike"))
		return X_BP_IN;
	if (*negated)
		return 0;
	if (t->kind == X_TOK_NAME) {
		if (evs_x_is_word(t, "and"))
			return X_BP_AND;
		if (evs_x_is_word(t, "or"))
			return X_BP_OR;
		if (evs_x_is_word(t, "is") || evs_x_is_word(t, "isnull") ||
		    evs_x_is_word(t, "notnull"))
			return X_BP_IS;
		return 0;
	}
	if (t->kind != X_TOK_OP)
		return 0;
	if (t->op == X_ADD || t->op == X_SUB)
		return X_BP_ADD;
	if (t->op >= X_MUL && t->op <= X_MOD)
		return X_BP_MUL;
	if (t->op >= X_EQ && t->op <= X_GE)
		return X_BP_COMPARE;
	if (t->op >= X_CONCAT && t->op <= X_NOT_IMATCH)
		return X_BP_OTHER;
	return t->op == X_COLON2 || t->op == X_LBRACKET || t->op == X_DOT ? X_BP_POSTFIX : 0;
}

static struct x_ast *parse_infix(struct x_parser *p, struct x_ast *a, unsigned power, bool negated)
{
	if (negated && !evs_x_step(p))
		return NULL;
	switch (power) {
	case X_BP_IN:
		if (evs_x_is_word(&p->tok, "in"))
			return parse_in(p, a, negated);
		if (evs_x_is_word(&p->tok, "between"))
			return parse_between(p, a, negated);
		return parse_like(p, a, negated);
	case X_BP_AND:
		return chain(p, X_AND, X_OP_NONE, a, power);
	case X_BP_OR:
		return chain(p, X_OR, X_OP_NONE, a, power);
	case X_BP_IS:
		return evs_x_is_word(&p->tok, "is") ? parse_is(p, a) : parse_isnull(p, a);
	case X_BP_POSTFIX:
		if (p->tok.op == X_COLON2)
			return parse_cast(p, a);
		return p->tok.op == X_DOT ? parse_member(p, a) : parse_index(p, a);
	default:
		if (p->tok.op == X_CONCAT)
			return chain(p, X_BINARY, X_CONCAT, a, power);
		return binary(p, a, power);
	}
}

struct x_ast *evs_x_parse(struct x_parser *p, unsigned min_power)
{
	struct x_ast *a;

	if (p->err)
		return NULL;
	if (++p->depth > X_MAX_DEPTH)
		return evs_x_parse_fail(p, &p->tok,
					"the expression is nested too deeply: more than %d levels",
					X_MAX_DEPTH);
	a = evs_x_parse_atom(p);
	while (a && !p->err) {
		bool negated;
		unsigned power = operator_power(p, &negated);

		if (!power || power < min_power)
			break;
		a = parse_infix(p, a, power, negated);
	}
	p->depth--;
	return p->err ? NULL : a;
}

int evs_expr_parse(struct evs_expr **out, const char *text, size_t len, uint32_t line, uint32_t col,
		   struct evs_diag *diag)
{
	struct x_parser p = { .diag = diag };
	struct evs_expr *e;
	char *copy;

	if (len > X_MAX_TEXT)
		return evs_fail_at(diag, EVS_E_QUERY, line, col,
				   "the expression is longer than 1 MiB");
	e = calloc(1, sizeof(*e));
	copy = e ? evs_x_alloc(&e->arena, len + 1) : NULL;
	if (!copy) {
		evs_expr_free(e);
		return evs_fail_nomem(diag);
	}
	if (len)
		memcpy(copy, text, len);
	e->line = line;
	e->col = col;
	p.e = e;
	p.lx = (struct x_lexer){ .arena = &e->arena,
				 .p = copy,
				 .end = copy + len,
				 .line = line,
				 .col = col,
				 .diag = diag };
	if (evs_x_step(&p) && evs_x_step(&p)) {
		if (p.tok.kind == X_TOK_END)
			evs_x_parse_fail(&p, &p.tok, "there is no expression");
		e->root = evs_x_parse(&p, 0);
		if (e->root && p.tok.kind != X_TOK_END)
			evs_x_parse_fail(&p, &p.tok, "an operator or the end is wanted here");
	}
	if (p.err) {
		evs_expr_free(e);
		return p.err;
	}
	*out = e;
	return 0;
}
