/*
 * What a term of an expression begins with: literals, names, calls, parentheses, CASE, CAST,
 * INTERVAL, ARRAY, and the prefix operators.
 */
#include "src/expr/expr_ast.h"

#include <string.h>

/* Words that cannot be a bare name. "quotes" make names of them. */
static const char *const reserved[] = {
	"and",	  "or",	     "not",   "in",	"between", "like",  "ilike", "is",
	"isnull", "notnull", "when",  "then",	"else",	   "end",   "case",  "select",
	"from",	  "where",   "group", "having", "order",   "limit", "union", "as",
};

static struct x_ast *literal(struct x_parser *p, enum x_kind kind)
{
	struct x_ast *a = evs_x_mk(p, kind, &p->tok);

	if (!a)
		return NULL;
	a->s = p->tok.s;
	a->len = p->tok.len;
	return evs_x_step(p) ? a : NULL;
}

/* a, b, c up to `close`, which is taken. */
static bool arguments(struct x_parser *p, struct x_ast *a, enum x_op close)
{
	if (evs_x_is_op(&p->tok, close))
		return evs_x_step(p);
	for (;;) {
		if (!evs_x_add(p, a, evs_x_parse(p, 0)))
			return false;
		if (!evs_x_is_op(&p->tok, X_COMMA))
			break;
		if (!evs_x_step(p))
			return false;
	}
	return evs_x_expect(p, close, close == X_RPAREN ? "`,` or `)`" : "`,` or `]`");
}

static struct x_ast *array(struct x_parser *p)
{
	struct x_ast *a = evs_x_mk(p, X_ARRAY, &p->tok);

	if (!a || !evs_x_step(p))
		return NULL;
	return arguments(p, a, X_RBRACKET) ? a : NULL;
}

static struct x_ast *parenthesis(struct x_parser *p)
{
	struct x_ast *a;

	if (!evs_x_step(p))
		return NULL;
	if (evs_x_is_word(&p->tok, "select"))
		return evs_x_parse_fail(p, &p->tok,
					"a SELECT inside an expression is not supported");
	a = evs_x_parse(p, 0);
	if (!a)
		return NULL;
	if (evs_x_is_op(&p->tok, X_COMMA))
		return evs_x_parse_fail(p, &p->tok, "tuples are not supported");
	a->paren = true;
	return evs_x_expect(p, X_RPAREN, "`)`") ? a : NULL;
}

/* - x, with the sign of a number taken into it: -9223372036854775808 is one number. */
static struct x_ast *negative(struct x_parser *p)
{
	struct x_tok sign = p->tok;
	struct x_ast *a, *x;
	char *s;

	if (!evs_x_step(p))
		return NULL;
	if (p->tok.kind == X_TOK_NUMBER && p->tok.at == sign.at + 1 &&
	    !evs_x_is_op(&p->next, X_COLON2)) {
		a = literal(p, X_NUMBER);
		s = a ? evs_x_alloc(&p->e->arena, a->len + 1) : NULL;
		if (!s)
			return NULL;
		s[0] = '-';
		memcpy(s + 1, a->s, a->len);
		a->s = s;
		a->len++;
		a->word = sign.at;
		a->word_len++;
		a->col = sign.col;
		return a;
	}
	x = evs_x_parse(p, X_BP_UNARY);
	a = x ? evs_x_mk(p, X_NEG, &sign) : NULL;
	return evs_x_add(p, a, x) ? a : NULL;
}

static struct x_ast * not(struct x_parser * p)
{
	struct x_ast *a = evs_x_mk(p, X_NOT, &p->tok);

	if (!a || !evs_x_step(p))
		return NULL;
	return evs_x_add(p, a, evs_x_parse(p, X_BP_NOT)) ? a : NULL;
}

static struct x_ast *parse_case(struct x_parser *p)
{
	struct x_ast *a = evs_x_mk(p, X_CASE, &p->tok);

	if (!a || !evs_x_step(p))
		return NULL;
	if (!evs_x_is_word(&p->tok, "when")) {
		a->has_operand = true;
		if (!evs_x_add(p, a, evs_x_parse(p, 0)))
			return NULL;
	}
	do {
		if (!evs_x_expect_word(p, "when") || !evs_x_add(p, a, evs_x_parse(p, 0)) ||
		    !evs_x_expect_word(p, "then") || !evs_x_add(p, a, evs_x_parse(p, 0)))
			return NULL;
	} while (evs_x_is_word(&p->tok, "when"));
	if (evs_x_is_word(&p->tok, "else")) {
		a->has_else = true;
		if (!evs_x_step(p) || !evs_x_add(p, a, evs_x_parse(p, 0)))
			return NULL;
	}
	return evs_x_expect_word(p, "end") ? a : NULL;
}

/* CAST(x AS T), CAST(x, 'T') */
static struct x_ast *parse_cast(struct x_parser *p)
{
	struct x_ast *a = evs_x_mk(p, X_CAST, &p->tok);

	if (!a || !evs_x_step(p) || !evs_x_step(p) || !evs_x_add(p, a, evs_x_parse(p, 0)))
		return NULL;
	if (evs_x_is_op(&p->tok, X_COMMA)) {
		if (!evs_x_step(p))
			return NULL;
		if (p->tok.kind != X_TOK_STRING)
			return evs_x_parse_fail(p, &p->tok, "a type in 'quotes' is wanted here");
		a->s = p->tok.s;
		a->len = p->tok.len;
		if (!evs_x_step(p))
			return NULL;
	} else if (!evs_x_expect_word(p, "as") || !evs_x_parse_type(p, &a->s, &a->len)) {
		return NULL;
	}
	return evs_x_expect(p, X_RPAREN, "`)`") ? a : NULL;
}

/* INTERVAL 24 HOUR, INTERVAL -1 DAY, INTERVAL '24' HOUR, INTERVAL '24 hours' */
static struct x_ast *interval(struct x_parser *p)
{
	struct x_ast *a = evs_x_mk(p, X_INTERVAL, &p->tok);
	struct x_tok value;
	bool minus = false, ok;

	if (!a || !evs_x_step(p))
		return NULL;
	if (evs_x_is_op(&p->tok, X_SUB)) {
		minus = true;
		if (!evs_x_step(p))
			return NULL;
	}
	value = p->tok;
	if (!evs_x_step(p))
		return NULL;
	if (value.kind == X_TOK_STRING && evs_x_interval_text(value.s, value.len, &a->interval)) {
		ok = true;
	} else {
		ok = p->tok.kind == X_TOK_NAME &&
		     evs_x_interval_unit(value.s, value.len, p->tok.s, p->tok.len, &a->interval);
		if (ok && !evs_x_step(p))
			return NULL;
	}
	if (!ok)
		return evs_x_parse_fail(
			p, &value,
			"not an interval: write INTERVAL 24 HOUR or INTERVAL '24 hours'");
	if (minus) {
		a->interval.months = -a->interval.months;
		a->interval.seconds = -a->interval.seconds - (a->interval.nanos != 0);
		a->interval.nanos = a->interval.nanos ? 1000000000 - a->interval.nanos : 0;
	}
	return a;
}

/* DATE '..', TIMESTAMP '..', UUID '..': a cast of the string. */
static struct x_ast *typed_string(struct x_parser *p)
{
	struct x_ast *a = evs_x_mk(p, X_CAST, &p->tok);

	if (!a)
		return NULL;
	a->s = p->tok.s;
	a->len = p->tok.len;
	return evs_x_step(p) && evs_x_add(p, a, literal(p, X_STRING)) ? a : NULL;
}

/* EXTRACT(field FROM x) becomes extract('field', x). */
static bool extract_arguments(struct x_parser *p, struct x_ast *a)
{
	struct x_ast *field;

	if (p->tok.kind != X_TOK_NAME && p->tok.kind != X_TOK_STRING) {
		evs_x_parse_fail(p, &p->tok, "write EXTRACT(field FROM time)");
		return false;
	}
	field = literal(p, X_STRING);
	return evs_x_add(p, a, field) && evs_x_expect_word(p, "from") &&
	       evs_x_add(p, a, evs_x_parse(p, 0)) && evs_x_expect(p, X_RPAREN, "`)`");
}

/* position(needle IN text) becomes position(text, needle). */
static bool position_arguments(struct x_parser *p, struct x_ast *a)
{
	struct x_ast *first = evs_x_parse(p, X_BP_IN + 1), *second;
	bool swap = evs_x_is_word(&p->tok, "in");

	if (!first)
		return false;
	if (!swap && !evs_x_is_op(&p->tok, X_COMMA)) {
		evs_x_parse_fail(p, &p->tok,
				 "write position(text, needle) or position(needle IN text)");
		return false;
	}
	if (!evs_x_step(p))
		return false;
	second = evs_x_parse(p, 0);
	return evs_x_add(p, a, swap ? second : first) && evs_x_add(p, a, swap ? first : second) &&
	       evs_x_expect(p, X_RPAREN, "`)`");
}

/* What stands in the parentheses of a call, which are open. */
static bool call_arguments(struct x_parser *p, struct x_ast *a)
{
	if (evs_x_is_op(&p->tok, X_MUL) && evs_x_is_op(&p->next, X_RPAREN)) {
		struct x_ast *star = evs_x_mk(p, X_STAR, &p->tok);

		return evs_x_add(p, a, star) && evs_x_step(p) && evs_x_step(p);
	}
	if (evs_x_is_word(&p->tok, "distinct") && !evs_x_is_op(&p->next, X_RPAREN) &&
	    !evs_x_is_op(&p->next, X_COMMA)) {
		a->distinct = true;
		if (!evs_x_step(p))
			return false;
	}
	return arguments(p, a, X_RPAREN);
}

/* FILTER (WHERE condition) */
static bool call_filter(struct x_parser *p, struct x_ast *a)
{
	if (!evs_x_step(p) || !evs_x_step(p) || !evs_x_expect_word(p, "where"))
		return false;
	a->filter = evs_x_parse(p, 0);
	return a->filter && evs_x_expect(p, X_RPAREN, "`)`");
}

/* What only aggregates have behind their parentheses: f(0.9)(x), FILTER. */
static bool call_suffix(struct x_parser *p, struct x_ast *a)
{
	if (evs_x_is_op(&p->tok, X_LPAREN)) {
		a->param = a->arg;
		a->nparam = a->n;
		a->arg = NULL;
		a->n = a->cap = 0;
		if (!evs_x_step(p) || !call_arguments(p, a))
			return false;
	}
	if (evs_x_is_word(&p->tok, "filter") && evs_x_is_op(&p->next, X_LPAREN) &&
	    !call_filter(p, a))
		return false;
	if (evs_x_is_word(&p->tok, "over") && evs_x_is_op(&p->next, X_LPAREN))
		return evs_x_parse_fail(
			       p, &p->tok,
			       "window functions are not supported: for the newest row of "
			       "each key there is evcat --latest COLUMNS, or LIMIT 1 BY") != NULL;
	if (evs_x_is_word(&p->tok, "within") && evs_x_is_word(&p->next, "group"))
		return evs_x_parse_fail(p, &p->tok,
					"WITHIN GROUP is not supported: write quantile(0.9)(x)") !=
		       NULL;
	return true;
}

static struct x_ast *call(struct x_parser *p)
{
	struct x_ast *a = evs_x_mk(p, X_CALL, &p->tok);

	if (!a)
		return NULL;
	a->s = p->tok.s;
	a->len = p->tok.len;
	if (!evs_x_step(p) || !evs_x_step(p))
		return NULL;
	if (evs_x_same_word(a->s, a->len, "extract"))
		return extract_arguments(p, a) ? a : NULL;
	if (evs_x_same_word(a->s, a->len, "position"))
		return position_arguments(p, a) ? a : NULL;
	return call_arguments(p, a) && call_suffix(p, a) ? a : NULL;
}

static bool is_reserved(const struct x_tok *t)
{
	for (size_t i = 0; t->kind == X_TOK_NAME && i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (evs_x_is_word(t, reserved[i]))
			return true;
	return false;
}

/* a, a.b, a."b c".d */
static struct x_ast *name(struct x_parser *p)
{
	struct x_ast *a = evs_x_mk(p, X_NAME, &p->tok);
	size_t cap = 0;

	if (!a)
		return NULL;
	a->quoted = p->tok.kind == X_TOK_QUOTED;
	for (;;) {
		if (a->npart == cap) {
			struct x_part *part =
				evs_x_alloc(&p->e->arena, (cap * 2 + 2) * sizeof(*part));

			if (!part)
				return NULL;
			if (cap)
				memcpy(part, a->part, cap * sizeof(*part));
			a->part = part;
			cap = cap * 2 + 2;
		}
		a->part[a->npart++] = (struct x_part){ p->tok.s, p->tok.len };
		a->word_len = (size_t)(p->tok.at + p->tok.at_len - a->word);
		if (!evs_x_step(p))
			return NULL;
		if (!evs_x_is_op(&p->tok, X_DOT))
			return a;
		if (!evs_x_step(p))
			return NULL;
		if (evs_x_is_op(&p->tok, X_MUL)) {
			a->kind = X_STAR;
			return evs_x_step(p) ? a : NULL;
		}
		if (p->tok.kind != X_TOK_NAME && p->tok.kind != X_TOK_QUOTED)
			return evs_x_parse_fail(p, &p->tok, "a name is wanted after `.`");
	}
}

static struct x_ast *boolean(struct x_parser *p, bool value)
{
	struct x_ast *a = literal(p, X_BOOL);

	if (a)
		a->op = value;
	return a;
}

static struct x_ast *word(struct x_parser *p)
{
	const struct x_tok *t = &p->tok, *next = &p->next;

	if (evs_x_is_word(t, "case"))
		return parse_case(p);
	if (evs_x_is_word(t, "not"))
		return not(p);
	if (evs_x_is_word(t, "null") && !evs_x_is_op(next, X_DOT))
		return literal(p, X_NULL);
	if (evs_x_is_word(t, "true"))
		return boolean(p, true);
	if (evs_x_is_word(t, "false"))
		return boolean(p, false);
	if (is_reserved(t))
		return evs_x_parse_fail(
			p, t,
			"this word has a meaning of its own: a column of that name needs "
			"\"quotes\"");
	if (evs_x_is_word(t, "cast") && evs_x_is_op(next, X_LPAREN))
		return parse_cast(p);
	if (evs_x_is_word(t, "interval") &&
	    (next->kind == X_TOK_NUMBER || next->kind == X_TOK_STRING || evs_x_is_op(next, X_SUB)))
		return interval(p);
	if (next->kind == X_TOK_STRING)
		return typed_string(p);
	if (evs_x_is_word(t, "array") && evs_x_is_op(next, X_LBRACKET))
		return evs_x_step(p) ? array(p) : NULL;
	return evs_x_is_op(next, X_LPAREN) ? call(p) : name(p);
}

struct x_ast *evs_x_parse_atom(struct x_parser *p)
{
	const struct x_tok *t = &p->tok;

	switch (t->kind) {
	case X_TOK_NUMBER:
		return literal(p, X_NUMBER);
	case X_TOK_STRING:
		return literal(p, X_STRING);
	case X_TOK_NAME:
		return word(p);
	case X_TOK_QUOTED:
		return name(p);
	case X_TOK_OP:
		if (t->op == X_LPAREN)
			return parenthesis(p);
		if (t->op == X_LBRACKET)
			return array(p);
		if (t->op == X_SUB)
			return negative(p);
		if (t->op == X_ADD) /* a sign that changes nothing */
			return evs_x_step(p) ? evs_x_parse(p, X_BP_UNARY) : NULL;
		return evs_x_parse_fail(p, t, "a value is wanted here");
	default:
		return evs_x_parse_fail(p, t, "the expression ends where a value is wanted");
	}
}
