/*
 * Tokens of SQL DDL, both dialects. Private to schema/.
 *
 * A token points into the text; nothing is copied. Copying a struct evs_lex saves a place to go
 * back to.
 */
#ifndef EVS_SCHEMA_LEX_H
#define EVS_SCHEMA_LEX_H

#include "evseg.h"

enum evs_tok_kind {
	EVS_TOK_END = 0,
	EVS_TOK_WORD,	/* name or keyword, unquoted */
	EVS_TOK_QUOTED, /* "name" or `name` */
	EVS_TOK_STRING, /* 'text', E'text', $$text$$ */
	EVS_TOK_NUMBER,
	EVS_TOK_PUNCT, /* one character, or one of :: -> ->> <= >= <> != || */
};

struct evs_tok {
	enum evs_tok_kind kind;
	size_t at, len; /* in the text, quotes included */
	uint32_t line, col;
	bool first_on_line;
};

struct evs_lex {
	const char *text;
	size_t len;
	size_t pos;
	uint32_t line, col;
	struct evs_tok tok; /* the current token */
	size_t prev_end;    /* where the token before it ended */
	uint32_t prev_line; /* line on which the token before it began */
};

/* Start at the beginning; the first token becomes current. `line` and `col` are the text's place in
 * its file, normally 1, 1. Returns as evs_lex_next(). */
int evs_lex_start(struct evs_lex *l, const char *text, size_t len, uint32_t line, uint32_t col,
		  struct evs_diag *diag);

/* Step to the next token. Returns 0, or EVS_E_SCHEMA for a string, name or comment without end. */
int evs_lex_next(struct evs_lex *l, struct evs_diag *diag);

/* Is the current token this keyword (any case) or punctuation? */
bool evs_tok_is(const struct evs_lex *l, const char *word);

/* The same for any token of the text. */
bool evs_tok_is_at(const struct evs_lex *l, const struct evs_tok *t, const char *word);

/* WORD or QUOTED. */
bool evs_tok_is_name(const struct evs_tok *t);

/*
 * Text of a WORD, QUOTED or STRING token without its quotes and escapes, malloc'd and
 * zero-terminated. Returns 0, EVS_E_NOMEM, or EVS_E_SCHEMA when it holds a zero byte or is no valid
 * UTF-8.
 */
int evs_tok_text(const struct evs_lex *l, const struct evs_tok *t, char **out, size_t *len,
		 struct evs_diag *diag);

/* Fail at a token: line, column and word are filled in. */
int evs_tok_fail(const struct evs_lex *l, const struct evs_tok *t, struct evs_diag *diag, int err,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
