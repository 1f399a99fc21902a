/*
 * Small tools of the DDL parser: stepping, taking words and names, failing, telling, growing lists.
 */
#include "src/schema/ddl.h"

#include "format/error.h"
#include "format/head.h"
#include "src/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ddl_next(struct ddl *d)
{
	return evs_lex_next(&d->lex, d->diag);
}

bool ddl_peek_is(const struct ddl *d, const char *word)
{
	struct evs_lex l = d->lex;

	if (evs_lex_next(&l, NULL) < 0)
		return false;
	if (l.tok.kind == EVS_TOK_STRING)
		return l.tok.len == strlen(word) && !memcmp(l.text + l.tok.at, word, l.tok.len);
	return evs_tok_is(&l, word);
}

int ddl_accept(struct ddl *d, const char *word)
{
	int rc;

	if (!ddl_is(d, word))
		return 0;
	rc = ddl_next(d);
	return rc < 0 ? rc : 1;
}

int ddl_expect(struct ddl *d, const char *word)
{
	if (!ddl_is(d, word))
		return ddl_fail(d, "%s is expected here", word);
	return ddl_next(d);
}

static int fail_with(struct ddl *d, const struct evs_tok *t, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static int fail_with(struct ddl *d, const struct evs_tok *t, const char *fmt, va_list ap)
{
	char what[800];

	vsnprintf(what, sizeof(what), fmt, ap);
	return evs_tok_fail(&d->lex, t, d->diag, EVS_E_SCHEMA, "%s", what);
}

int ddl_fail_tok(struct ddl *d, const struct evs_tok *t, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = fail_with(d, t, fmt, ap);
	va_end(ap);
	return rc;
}

int ddl_fail(struct ddl *d, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = fail_with(d, &d->lex.tok, fmt, ap);
	va_end(ap);
	return rc;
}

int ddl_too_many(struct ddl *d, const struct evs_tok *t, size_t n, const char *what)
{
	return evs_tok_fail(&d->lex, t, d->diag, EVS_E_LIMIT, "a schema text has at most %zu %s", n,
			    what);
}

int ddl_nomem(struct ddl *d)
{
	return evs_fail_nomem(d->diag);
}

void ddl_note(struct ddl *d, uint32_t line, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	if (!d->note)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->note(d->note_arg, line, text);
}

void *ddl_grow(void *array, size_t *cap, size_t n, size_t size)
{
	size_t want;
	void *p;

	if (n < *cap)
		return array;
	want = *cap ? *cap * 2 : 8;
	if (want <= n || want > SIZE_MAX / 2 / size)
		return NULL;
	p = realloc(array, want * size);
	if (p)
		*cap = want;
	return p;
}

char *ddl_copy_slice(const struct ddl *d, const struct ddl_slice *s)
{
	return evs_text_copy(d->lex.text + s->at, s->len);
}

int ddl_list_add(struct ddl *d, struct ddl_list *l, const struct ddl_slice *s)
{
	struct ddl_slice *v = ddl_grow(l->v, &l->cap, l->n, sizeof(*v));

	if (!v)
		return ddl_nomem(d);
	l->v = v;
	l->v[l->n++] = *s;
	return 0;
}

int ddl_name(struct ddl *d, const char *what, char **out, size_t *len)
{
	int rc;

	if (!evs_tok_is_name(&d->lex.tok))
		return ddl_fail(d, "%s is expected here", what);
	rc = evs_tok_text(&d->lex, &d->lex.tok, out, len, d->diag);
	if (rc < 0)
		return rc;
	rc = !*len		   ? ddl_fail(d, "%s is empty", what)
	     : *len > EVS_MAX_NAME ? ddl_fail(d, "a name has at most %u bytes", EVS_MAX_NAME)
				   : ddl_next(d);
	if (rc < 0) {
		free(*out);
		*out = NULL;
	}
	return rc;
}

int ddl_qualified(struct ddl *d, const char *what, char **db, char **name)
{
	size_t len;
	int rc;

	*db = NULL;
	*name = NULL;
	rc = ddl_name(d, what, name, &len);
	if (rc == 0)
		rc = ddl_accept(d, ".");
	if (rc > 0) {
		*db = *name;
		*name = NULL;
		rc = ddl_name(d, what, name, &len);
	} else if (rc == 0) {
		*db = evs_text_copy("", 0);
		rc = *db ? 0 : ddl_nomem(d);
	}
	if (rc < 0) {
		free(*db);
		free(*name);
		*db = *name = NULL;
	}
	return rc;
}

int ddl_skip_group(struct ddl *d)
{
	struct evs_tok open = d->lex.tok;
	unsigned depth = 0;
	int rc = 0;

	if (!ddl_is(d, "("))
		return 0;
	do {
		if (d->lex.tok.kind == EVS_TOK_END)
			return ddl_fail_tok(d, &open, "this parenthesis is never closed");
		if (ddl_is(d, "("))
			depth++;
		else if (ddl_is(d, ")"))
			depth--;
		rc = ddl_next(d);
	} while (rc == 0 && depth);
	return rc;
}
