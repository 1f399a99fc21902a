/*
 * The DDL lexer. It knows both dialects' comments (--, nested slash-star, #) and quotes: '' doubled
 * and \' escaped, E'..', dollar quotes, "name" and `name`. A byte that means nothing to it becomes
 * a token of its own, so that what is skipped anyway (function bodies, grants) can be anything.
 */
#include "src/schema/lex.h"

#include "format/error.h"
#include "src/diag.h"
#include "src/schema/schema.h"
#include "src/schema/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (unsigned char)c >= 0x80;
}

static bool is_word(char c)
{
	return is_word_start(c) || is_digit(c) || c == '$';
}

/* The byte `ahead` of the position, or 0 behind the end. */
static char peek(const struct evs_lex *l, size_t ahead)
{
	return ahead < l->len - l->pos ? l->text[l->pos + ahead] : '\0';
}

static void advance(struct evs_lex *l, size_t n)
{
	while (n--) {
		unsigned char c = (unsigned char)l->text[l->pos++];

		if (c == '\n') {
			l->line++;
			l->col = 1;
		} else if ((c & 0xc0) != 0x80) {
			l->col++; /* a character, not each byte of it */
		}
	}
}

static int fail_here(struct evs_lex *l, struct evs_diag *diag, const char *what)
{
	return evs_fail_at(diag, EVS_E_SCHEMA, l->line, l->col, "%s", what);
}

static int block_comment(struct evs_lex *l, struct evs_diag *diag)
{
	struct evs_lex start = *l;
	unsigned depth = 0;

	do {
		if (l->pos >= l->len)
			return fail_here(&start, diag, "this comment has no end: close it with */");
		if (peek(l, 0) == '/' && peek(l, 1) == '*') {
			depth++;
			advance(l, 2);
		} else if (peek(l, 0) == '*' && peek(l, 1) == '/') {
			depth--;
			advance(l, 2);
		} else {
			advance(l, 1);
		}
	} while (depth);
	return 0;
}

/* "# ..." is a comment in ClickHouse; #> and #- are operators in PostgreSQL. */
static bool hash_comment(const struct evs_lex *l)
{
	char c = peek(l, 1);

	return peek(l, 0) == '#' && (is_space(c) || c == '!' || c == '#' || l->len - l->pos == 1);
}

/* White space and comments. */
static int skip_space(struct evs_lex *l, struct evs_diag *diag)
{
	int rc = 0;

	while (rc == 0 && l->pos < l->len) {
		if (is_space(l->text[l->pos])) {
			advance(l, 1);
		} else if ((peek(l, 0) == '-' && peek(l, 1) == '-') || hash_comment(l)) {
			while (l->pos < l->len && l->text[l->pos] != '\n')
				advance(l, 1);
		} else if (peek(l, 0) == '/' && peek(l, 1) == '*') {
			rc = block_comment(l, diag);
		} else {
			break;
		}
	}
	return rc;
}

/* Quoted with `q`; a doubled quote stands for itself, and so does what follows a backslash. */
static int quoted(struct evs_lex *l, char q, struct evs_diag *diag)
{
	struct evs_lex start = *l;

	advance(l, 1);
	while (l->pos < l->len) {
		char c = l->text[l->pos];

		if (c == '\\' && q != '"' && l->len - l->pos > 1) {
			advance(l, 2);
		} else if (c == q && peek(l, 1) == q) {
			advance(l, 2);
		} else {
			advance(l, 1);
			if (c == q)
				return 0;
		}
	}
	return fail_here(&start, diag,
			 q == '\'' ? "this text has no end: close it with '"
				   : "this quoted name has no end");
}

/* Length of "$tag$" at the position, 0 when it is none. */
static size_t dollar_tag(const struct evs_lex *l)
{
	size_t n = 1;

	if (peek(l, 0) != '$')
		return 0;
	while (is_word_start(peek(l, n)) || (n > 1 && is_digit(peek(l, n))))
		n++;
	return peek(l, n) == '$' ? n + 1 : 0;
}

static int dollar_quoted(struct evs_lex *l, size_t tag, struct evs_diag *diag)
{
	struct evs_lex start = *l;
	const char *mark = l->text + l->pos;

	advance(l, tag);
	while (l->len - l->pos >= tag) {
		if (l->text[l->pos] == '$' && !memcmp(l->text + l->pos, mark, tag)) {
			advance(l, tag);
			return 0;
		}
		advance(l, 1);
	}
	return fail_here(&start, diag, "this dollar-quoted text has no end");
}

static void number(struct evs_lex *l)
{
	while (is_digit(peek(l, 0)) || peek(l, 0) == '.' || is_word_start(peek(l, 0))) {
		char c = peek(l, 0);

		advance(l, 1);
		if ((c == 'e' || c == 'E') && (peek(l, 0) == '+' || peek(l, 0) == '-') &&
		    is_digit(peek(l, 1)))
			advance(l, 1);
	}
}

static void punct(struct evs_lex *l)
{
	static const char *const longer[] = { "->>", "::", "->", "<=", ">=", "<>", "!=", "||" };

	for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
		size_t n = strlen(longer[i]);

		if (l->len - l->pos >= n && !memcmp(l->text + l->pos, longer[i], n)) {
			advance(l, n);
			return;
		}
	}
	advance(l, 1);
}

static int scan(struct evs_lex *l, struct evs_diag *diag)
{
	char c = peek(l, 0);
	size_t tag;

	if (c == '\'' || ((c == 'E' || c == 'e') && peek(l, 1) == '\'')) {
		l->tok.kind = EVS_TOK_STRING;
		if (c != '\'')
			advance(l, 1);
		return quoted(l, '\'', diag);
	}
	if (c == '"' || c == '`') {
		l->tok.kind = EVS_TOK_QUOTED;
		return quoted(l, c, diag);
	}
	if (is_word_start(c)) {
		l->tok.kind = EVS_TOK_WORD;
		while (is_word(peek(l, 0)))
			advance(l, 1);
		return 0;
	}
	if (is_digit(c) || (c == '.' && is_digit(peek(l, 1)))) {
		l->tok.kind = EVS_TOK_NUMBER;
		number(l);
		return 0;
	}
	tag = dollar_tag(l);
	if (tag) {
		l->tok.kind = EVS_TOK_STRING;
		return dollar_quoted(l, tag, diag);
	}
	l->tok.kind = EVS_TOK_PUNCT;
	punct(l);
	return 0;
}

int evs_lex_next(struct evs_lex *l, struct evs_diag *diag)
{
	uint32_t prev_line = l->tok.line;
	int rc;

	l->prev_end = l->tok.at + l->tok.len;
	l->prev_line = prev_line;
	rc = skip_space(l, diag);
	if (rc < 0)
		return rc;
	l->tok.at = l->pos;
	l->tok.line = l->line;
	l->tok.col = l->col;
	l->tok.first_on_line = l->line != prev_line;
	if (l->pos == l->len)
		l->tok.kind = EVS_TOK_END;
	else
		rc = scan(l, diag);
	l->tok.len = l->pos - l->tok.at;
	return rc;
}

int evs_lex_start(struct evs_lex *l, const char *text, size_t len, uint32_t line, uint32_t col,
		  struct evs_diag *diag)
{
	memset(l, 0, sizeof(*l));
	l->text = text;
	l->len = len;
	l->line = line;
	l->col = col;
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		l->pos = 3;
	return evs_lex_next(l, diag);
}

bool evs_tok_is_at(const struct evs_lex *l, const struct evs_tok *t, const char *word)
{
	return (t->kind == EVS_TOK_WORD || t->kind == EVS_TOK_PUNCT) && strlen(word) == t->len &&
	       !strncasecmp(l->text + t->at, word, t->len);
}

bool evs_tok_is(const struct evs_lex *l, const char *word)
{
	return evs_tok_is_at(l, &l->tok, word);
}

bool evs_tok_is_name(const struct evs_tok *t)
{
	return t->kind == EVS_TOK_WORD || t->kind == EVS_TOK_QUOTED;
}

static char escaped(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'a':
		return '\a';
	case 'v':
		return '\v';
	case '0':
		return '\0';
	default:
		return c;
	}
}

/* Copy s[0 .. n) without the escapes of quote `q`; returns the length. */
static size_t unquote(char *out, const char *s, size_t n, char q)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\\' && q != '"' && i + 1 < n)
			out[len++] = escaped(s[++i]);
		else if (s[i] == q && i + 1 < n && s[i + 1] == q)
			out[len++] = s[++i];
		else
			out[len++] = s[i];
	}
	return len;
}

int evs_tok_text(const struct evs_lex *l, const struct evs_tok *t, char **out, size_t *len,
		 struct evs_diag *diag)
{
	const char *s = l->text + t->at;
	size_t n = t->len, tag;
	char *buf = malloc(n + 1);

	if (!buf)
		return evs_fail_nomem(diag);
	if (t->kind == EVS_TOK_STRING && *s == '$') {
		tag = (size_t)((const char *)memchr(s + 1, '$', n - 1) - s) + 1;
		n -= 2 * tag;
		memcpy(buf, s + tag, n);
	} else if (t->kind == EVS_TOK_STRING || t->kind == EVS_TOK_QUOTED) {
		if (*s == 'E' || *s == 'e') {
			s++;
			n--;
		}
		n = unquote(buf, s + 1, n - 2, *s);
	} else {
		memcpy(buf, s, n);
	}
	buf[n] = '\0';
	if (memchr(buf, '\0', n) || !evs_utf8_valid(buf, n)) {
		free(buf);
		return evs_tok_fail(l, t, diag, EVS_E_SCHEMA,
				    "names and texts must be UTF-8 without zero bytes");
	}
	*out = buf;
	*len = n;
	return 0;
}

int evs_tok_fail(const struct evs_lex *l, const struct evs_tok *t, struct evs_diag *diag, int err,
		 const char *fmt, ...)
{
	char what[900];
	va_list ap;
	size_t n = t->len;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	evs_fail_at(diag, err, t->line, t->col, "%s", what);
	if (!diag)
		return err;
	if (n >= sizeof(diag->word))
		n = evs_utf8_cut(l->text + t->at, sizeof(diag->word) - 1);
	memcpy(diag->word, l->text + t->at, n);
	diag->word[n] = '\0';
	if (t->kind == EVS_TOK_END)
		strcpy(diag->word, "end of text");
	return err;
}
