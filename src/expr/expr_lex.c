/*
 * Text to tokens: names, quoted names, numbers, strings, operators; comments are passed over.
 * Columns count characters, not bytes, from where the text stands in its file.
 */
#include "src/expr/expr_ast.h"

#include "src/diag.h"

#include <string.h>

static const struct {
	char text[4];
	enum x_op op;
} ops[] = {
	/* longest first */
	{ "->>", X_ARROW_TEXT }, { "!~*", X_NOT_IMATCH }, { "->", X_ARROW },	 { "::", X_COLON2 },
	{ "||", X_CONCAT },	 { "==", X_EQ },	  { "!=", X_NE },	 { "<>", X_NE },
	{ "<=", X_LE },		 { ">=", X_GE },	  { "!~", X_NOT_MATCH }, { "~*", X_IMATCH },
	{ "+", X_ADD },		 { "-", X_SUB },	  { "*", X_MUL },	 { "/", X_DIV },
	{ "%", X_MOD },		 { "=", X_EQ },		  { "<", X_LT },	 { ">", X_GT },
	{ "~", X_MATCH },	 { ".", X_DOT },	  { ",", X_COMMA },	 { "(", X_LPAREN },
	{ ")", X_RPAREN },	 { "[", X_LBRACKET },	  { "]", X_RBRACKET },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (unsigned char)c >= 0x80;
}

static bool is_name(char c)
{
	return is_name_start(c) || is_digit(c) || c == '$';
}

/* Move on by n bytes, counting lines and characters. */
static void skip(struct x_lexer *lx, size_t n)
{
	for (; n; n--, lx->p++) {
		if (*lx->p == '\n') {
			lx->line++;
			lx->col = 1;
		} else if (((unsigned char)*lx->p & 0xc0) != 0x80) {
			lx->col++;
		}
	}
}

static size_t left(const struct x_lexer *lx)
{
	return (size_t)(lx->end - lx->p);
}

static bool looking_at(const struct x_lexer *lx, const char *s)
{
	size_t n = strlen(s);

	return left(lx) >= n && !memcmp(lx->p, s, n);
}

static int fail(const struct x_lexer *lx, const struct x_tok *t, const char *what)
{
	size_t n = (size_t)(lx->end - t->at);

	evs_fail_at(lx->diag, EVS_E_QUERY, t->line, t->col, "%s", what);
	evs_fail_word(lx->diag, t->at, n < 20 ? n : 20);
	return EVS_E_QUERY;
}

/* White space and comments. */
static int skip_blank(struct x_lexer *lx)
{
	while (lx->p < lx->end) {
		if (strchr(" \t\r\n\f\v", *lx->p) && *lx->p) {
			skip(lx, 1);
		} else if (looking_at(lx, "--")) {
			const char *nl = memchr(lx->p, '\n', left(lx));

			skip(lx, nl ? (size_t)(nl - lx->p) : left(lx));
		} else if (looking_at(lx, "/*")) {
			struct x_tok t = { .at = lx->p, .line = lx->line, .col = lx->col };

			skip(lx, 2);
			while (lx->p < lx->end && !looking_at(lx, "*/"))
				skip(lx, 1);
			if (lx->p == lx->end)
				return fail(lx, &t, "comment without end: `*/` is missing");
			skip(lx, 2);
		} else {
			break;
		}
	}
	return 0;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value of `n` hex digits at lx->p + at, or -1. */
static int hex_digits(const struct x_lexer *lx, size_t at, size_t n)
{
	int v = 0;

	if (left(lx) < at + n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int d = hex_value(lx->p[at + i]);

		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

static size_t put_utf8(char *out, int c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 0x3f));
	out[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/*
 * One escape sequence at the backslash lx->p; its meaning to `out` (room for 3), its length
 * passed. An escape that means nothing keeps its backslash, as patterns want it; \\u means
 * something in E'...' only, so that JSON texts keep theirs.
 */
static size_t take_escape(struct x_lexer *lx, bool e_string, char *out)
{
	static const char from[] = "ntrbfv0ae\\'\"`", to[] = "\n\t\r\b\f\v\0\a\033\\'\"`";
	char c = lx->p[1];
	const char *known = c ? memchr(from, c, sizeof(from) - 1) : NULL;
	int v;

	if (known) {
		skip(lx, 2);
		out[0] = to[known - from];
		return 1;
	}
	v = c == 'x' ? hex_digits(lx, 2, 2) : c == 'u' && e_string ? hex_digits(lx, 2, 4) : -1;
	if (v >= 0) {
		skip(lx, c == 'x' ? 4 : 6);
		if (c == 'u')
			return put_utf8(out, v);
		out[0] = (char)v;
		return 1;
	}
	skip(lx, 1);
	out[0] = '\\';
	return 1;
}

static bool utf8_valid(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + len;

	while (p < end) {
		unsigned need = *p < 0x80 ? 0 : *p >= 0xf0 ? 3 : *p >= 0xe0 ? 2 : 1;
		uint32_t c = need ? *p & (0x3fu >> need) : *p;

		if ((*p >= 0x80 && *p < 0xc2) || *p > 0xf4 || (size_t)(end - p) <= need)
			return false;
		for (unsigned i = 1; i <= need; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (p[i] & 0x3f);
		}
		if ((need == 2 && c < 0x800) || (need == 3 && (c < 0x10000 || c > 0x10ffff)) ||
		    (c >= 0xd800 && c <= 0xdfff))
			return false;
		p += need + 1;
	}
	return true;
}

/* Bytes between the quote at lx->p and the one that ends it, or -1. */
static ptrdiff_t quoted_extent(const struct x_lexer *lx)
{
	const char *p = lx->p + 1;

	for (; p < lx->end; p++) {
		if (*p == '\\' && *lx->p != '"' && lx->end - p > 1)
			p++;
		else if (*p == *lx->p && lx->end - p > 1 && p[1] == *lx->p)
			p++;
		else if (*p == *lx->p)
			return p - lx->p - 1;
	}
	return -1;
}

/* A string or quoted name; lx->p is at the opening quote. Between double quotes a backslash is
 * one. */
static int take_quoted(struct x_lexer *lx, struct x_tok *t, bool e_string)
{
	char q = *lx->p, *out;
	ptrdiff_t extent = quoted_extent(lx);
	size_t n = 0;

	t->kind = q == '\'' ? X_TOK_STRING : X_TOK_QUOTED;
	if (extent < 0)
		return fail(lx, t,
			    q == '\'' ? "string without end: a quote ' is missing"
				      : "quoted name without end");
	/* What it means is at most as long as what stands there; put_utf8() may look 3 ahead. */
	out = evs_x_alloc(lx->arena, (size_t)extent + 4);
	if (!out)
		return evs_fail_nomem(lx->diag);
	skip(lx, 1);
	for (const char *end = lx->p + extent; lx->p < end;) {
		if (*lx->p == '\\' && q != '"' && end - lx->p > 1) {
			n += take_escape(lx, e_string, out + n);
		} else {
			out[n++] = *lx->p;
			skip(lx, *lx->p == q ? 2 : 1);
		}
	}
	skip(lx, 1);
	t->s = out;
	t->len = n;
	if (!utf8_valid(out, n))
		return fail(lx, t, "text is not valid UTF-8");
	if (t->kind == X_TOK_QUOTED && n == 0)
		return fail(lx, t, "a quoted name is empty");
	return 0;
}

/* Length of the `$tag$` at lx->p, 0 when there is none. */
static size_t dollar_tag(const struct x_lexer *lx)
{
	const char *p = lx->p + 1;

	if (*lx->p != '$' || p == lx->end || is_digit(*p))
		return 0;
	while (p < lx->end && *p != '$' && is_name(*p))
		p++;
	return p < lx->end && *p == '$' ? (size_t)(p - lx->p) + 1 : 0;
}

/* PostgreSQL's `$tag$ any text $tag$`: nothing in it is an escape. */
static int take_dollar_quoted(struct x_lexer *lx, struct x_tok *t, size_t tag)
{
	const char *begin = lx->p + tag, *p = begin;

	t->kind = X_TOK_STRING;
	while ((size_t)(lx->end - p) >= tag && memcmp(p, lx->p, tag) != 0)
		p++;
	if ((size_t)(lx->end - p) < tag)
		return fail(lx, t, "this dollar-quoted text has no end");
	t->s = begin;
	t->len = (size_t)(p - begin);
	if (!utf8_valid(t->s, t->len))
		return fail(lx, t, "text is not valid UTF-8");
	skip(lx, t->len + 2 * tag);
	return 0;
}

static int take_number(struct x_lexer *lx, struct x_tok *t)
{
	const char *p = lx->p;

	t->kind = X_TOK_NUMBER;
	if (*p == '0' && lx->end - p > 2 && (p[1] | 0x20) == 'x' && hex_value(p[2]) >= 0) {
		for (p += 2; p < lx->end && hex_value(*p) >= 0; p++)
			;
	} else {
		while (p < lx->end && is_digit(*p))
			p++;
		if (p < lx->end && *p == '.')
			for (p++; p < lx->end && is_digit(*p); p++)
				;
		if (p < lx->end && (*p | 0x20) == 'e') {
			const char *q = p + 1;

			if (q < lx->end && (*q == '+' || *q == '-'))
				q++;
			if (q < lx->end && is_digit(*q))
				for (p = q; p < lx->end && is_digit(*p); p++)
					;
		}
	}
	t->s = lx->p;
	t->len = (size_t)(p - lx->p);
	if (p < lx->end && (is_name(*p) || *p == '.'))
		return fail(
			lx, t,
			"this is neither a number nor a name; names that begin with a digit need "
			"\"quotes\"");
	skip(lx, t->len);
	return 0;
}

static int take_op(struct x_lexer *lx, struct x_tok *t)
{
	t->kind = X_TOK_OP;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (looking_at(lx, ops[i].text)) {
			t->op = ops[i].op;
			skip(lx, strlen(ops[i].text));
			return 0;
		}
	}
	if (*lx->p == '$' || *lx->p == '?' || *lx->p == ':')
		return fail(lx, t, "parameters are not supported: write the value");
	if (*lx->p == ';' && lx->semicolons) {
		t->op = X_SEMICOLON;
		skip(lx, 1);
		return 0;
	}
	if (*lx->p == ';')
		return fail(lx, t, "an expression ends before a semicolon");
	return fail(lx, t, "this character has no meaning here");
}

int evs_x_lex(struct x_lexer *lx, struct x_tok *t)
{
	int rc = skip_blank(lx);
	bool e_string;

	*t = (struct x_tok){ .at = lx->p, .line = lx->line, .col = lx->col };
	if (rc < 0 || lx->p == lx->end)
		return rc;
	e_string = left(lx) > 1 && (*lx->p | 0x20) == 'e' && lx->p[1] == '\'';
	if (e_string)
		skip(lx, 1);
	if (*lx->p == '\'' || *lx->p == '"' || *lx->p == '`') {
		rc = take_quoted(lx, t, e_string);
	} else if (dollar_tag(lx)) {
		rc = take_dollar_quoted(lx, t, dollar_tag(lx));
	} else if (is_digit(*lx->p) || (*lx->p == '.' && left(lx) > 1 && is_digit(lx->p[1]))) {
		rc = take_number(lx, t);
	} else if (is_name_start(*lx->p)) {
		t->kind = X_TOK_NAME;
		t->s = lx->p;
		while (t->len < left(lx) && is_name(lx->p[t->len]))
			t->len++;
		if (!utf8_valid(t->s, t->len))
			return fail(lx, t, "text is not valid UTF-8");
		skip(lx, t->len);
	} else {
		rc = take_op(lx, t);
	}
	t->at_len = (size_t)(lx->p - t->at);
	return rc;
}
