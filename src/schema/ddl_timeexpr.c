/*
 * Columns in expressions that the DDL parser must understand itself: the sort key's, and a column
 * read as a time, in the ways that ClickHouse and PostgreSQL users write it in PARTITION BY and
 * TTL.
 */
#include "src/schema/ddl.h"

#include "format/error.h"
#include "src/schema/type.h"

#include <stdlib.h>
#include <string.h>

enum wrap {
	WRAP_SAME,   /* the value as it is: toTimeZone(x, 'UTC'), assumeNotNull(x) */
	WRAP_TIME,   /* a time from a time, a text or seconds */
	WRAP_DATE,   /* the same, cut to days */
	WRAP_DIVIDE, /* intDiv(x, 1000) */
	WRAP_MS,
	WRAP_US,
	WRAP_NS,
	WRAP_CAST, /* CAST(x AS T) */
};

static const struct {
	const char *name;
	enum wrap wrap;
} wraps[] = {
	{ "toDateTime", WRAP_TIME },
	{ "toDateTime32", WRAP_TIME },
	{ "toDateTime64", WRAP_TIME },
	{ "toDate", WRAP_DATE },
	{ "toDate32", WRAP_DATE },
	{ "date", WRAP_DATE },
	{ "fromUnixTimestamp", WRAP_TIME },
	{ "to_timestamp", WRAP_TIME },
	{ "fromUnixTimestamp64Second", WRAP_TIME },
	{ "fromUnixTimestamp64Milli", WRAP_MS },
	{ "fromUnixTimestamp64Micro", WRAP_US },
	{ "fromUnixTimestamp64Nano", WRAP_NS },
	{ "parseDateTimeBestEffort", WRAP_TIME },
	{ "parseDateTimeBestEffortOrNull", WRAP_TIME },
	{ "parseDateTimeBestEffortOrZero", WRAP_TIME },
	{ "parseDateTime64BestEffort", WRAP_TIME },
	{ "parseDateTime64BestEffortOrNull", WRAP_TIME },
	{ "parseDateTime32BestEffort", WRAP_TIME },
	{ "toTimeZone", WRAP_SAME },
	{ "assumeNotNull", WRAP_SAME },
	{ "toInt64", WRAP_SAME },
	{ "toUInt64", WRAP_SAME },
	{ "toUInt32", WRAP_SAME },
	{ "toInt32", WRAP_SAME },
	{ "floor", WRAP_SAME },
	{ "intDiv", WRAP_DIVIDE },
	{ "CAST", WRAP_CAST },
};

/* What is known while the expression is read from the inside out. */
struct reading {
	struct ddl_time_expr *out;
	uint64_t divisor;
	uint64_t ticks; /* a second in the column's own unit, when a function says so; else 0 */
	bool wrapped;	/* some function or cast makes a time of it */
	unsigned depth;
};

int ddl_path_column(struct ddl *d, const struct evs_table *t, struct evs_lex *l)
{
	struct evs_lex after_first = { 0 }, probe = *l, best = { 0 };
	char path[1024];
	size_t n = 0, len;
	int ordinal = -1, rc;
	char *part;

	for (;;) {
		rc = evs_tok_text(&probe, &probe.tok, &part, &len, d->diag);
		if (rc < 0)
			return rc;
		if (len < sizeof(path) - n) {
			memcpy(path + n, part, len);
			n += len;
		}
		free(part);
		rc = evs_lex_next(&probe, d->diag);
		if (rc < 0)
			return rc;
		if (!after_first.text)
			after_first = probe;
		rc = evs_table_find(t, path, n);
		if (rc >= 0) {
			ordinal = rc;
			best = probe;
		}
		if (!evs_tok_is(&probe, ".") || n + 1 >= sizeof(path))
			break;
		path[n++] = '.';
		rc = evs_lex_next(&probe, d->diag);
		if (rc < 0)
			return rc;
		if (!evs_tok_is_name(&probe.tok))
			break;
	}
	*l = ordinal >= 0 ? best : after_first;
	return ordinal;
}

static bool peek_is(const struct evs_lex *l, const char *word)
{
	struct evs_lex next = *l;

	return evs_lex_next(&next, NULL) == 0 && evs_tok_is(&next, word);
}

/* 1000, 1000000, 1e3, 1000.0 ... as the divisor. */
static bool divide(struct reading *r, const struct evs_lex *l)
{
	char buf[32];
	double v;

	if (l->tok.kind != EVS_TOK_NUMBER || l->tok.len >= sizeof(buf))
		return false;
	memcpy(buf, l->text + l->tok.at, l->tok.len);
	buf[l->tok.len] = '\0';
	v = strtod(buf, NULL);
	if (v != 1 && v != 1e3 && v != 1e6 && v != 1e9)
		return false;
	r->divisor *= (uint64_t)v;
	return r->divisor <= 1000000000;
}

int ddl_skip_to_close(struct ddl *d, struct evs_lex *l)
{
	unsigned depth = 1;
	int rc = 0;

	while (rc == 0 && depth && l->tok.kind != EVS_TOK_END) {
		if (evs_tok_is(l, "("))
			depth++;
		else if (evs_tok_is(l, ")"))
			depth--;
		rc = evs_lex_next(l, d->diag);
	}
	return rc < 0 ? rc : depth ? 1 : 0;
}

/*
 * A type behind :: or AS: date cuts to days; what else is there is passed over, up to an operator.
 */
static int take_cast_type(struct ddl *d, struct evs_lex *l, struct reading *r)
{
	int rc = 0;

	r->wrapped = true;
	if (evs_tok_is(l, "date") || evs_tok_is(l, "Date32"))
		r->out->date = true;
	while (rc == 0 && l->tok.kind == EVS_TOK_WORD) {
		rc = evs_lex_next(l, d->diag);
		if (rc == 0 && evs_tok_is(l, "(")) {
			rc = evs_lex_next(l, d->diag);
			if (rc == 0)
				rc = ddl_skip_to_close(d, l);
		}
	}
	return rc;
}

static int read_expr(struct ddl *d, const struct evs_table *t, struct evs_lex *l,
		     struct reading *r);

static void apply_wrap(struct reading *r, enum wrap wrap)
{
	static const uint64_t ticks[] = {
		[WRAP_MS] = 1000, [WRAP_US] = 1000000, [WRAP_NS] = 1000000000
	};

	if (wrap == WRAP_MS || wrap == WRAP_US || wrap == WRAP_NS)
		r->ticks = ticks[wrap];
	if (wrap == WRAP_DATE)
		r->out->date = true;
	if (wrap != WRAP_SAME && wrap != WRAP_DIVIDE)
		r->wrapped = true;
}

/* name(x, ...); the name is current. */
static int read_call(struct ddl *d, const struct evs_table *t, struct evs_lex *l, struct reading *r)
{
	const size_t n = sizeof(wraps) / sizeof(wraps[0]);
	size_t i;
	int rc;

	for (i = 0; i < n && !evs_tok_is(l, wraps[i].name); i++)
		;
	if (i == n)
		return 1;
	rc = evs_lex_next(l, d->diag);
	if (rc == 0)
		rc = evs_lex_next(l, d->diag);
	if (rc == 0)
		rc = read_expr(d, t, l, r);
	if (rc == 0 && wraps[i].wrap == WRAP_DIVIDE) {
		if (!evs_tok_is(l, ","))
			return 1;
		rc = evs_lex_next(l, d->diag);
		if (rc == 0 && !divide(r, l))
			return 1;
	}
	if (rc == 0 && wraps[i].wrap == WRAP_CAST) {
		if (!evs_tok_is(l, "AS"))
			return 1;
		rc = evs_lex_next(l, d->diag);
		if (rc == 0)
			rc = take_cast_type(d, l, r);
	}
	apply_wrap(r, wraps[i].wrap);
	return rc != 0 ? rc : ddl_skip_to_close(d, l);
}

static int read_primary(struct ddl *d, const struct evs_table *t, struct evs_lex *l,
			struct reading *r)
{
	int rc;

	if (evs_tok_is(l, "(")) {
		rc = evs_lex_next(l, d->diag);
		if (rc == 0)
			rc = read_expr(d, t, l, r);
		if (rc == 0 && !evs_tok_is(l, ")"))
			rc = 1;
		return rc != 0 ? rc : evs_lex_next(l, d->diag);
	}
	if (!evs_tok_is_name(&l->tok))
		return 1;
	if (peek_is(l, "("))
		return read_call(d, t, l, r);
	r->out->tok = l->tok;
	r->out->column = ddl_path_column(d, t, l);
	return r->out->column >= 0 ? 0 : r->out->column == -1 ? 1 : r->out->column;
}

static int read_expr(struct ddl *d, const struct evs_table *t, struct evs_lex *l, struct reading *r)
{
	int rc;

	if (++r->depth > 16)
		return 1;
	rc = read_primary(d, t, l, r);
	while (rc == 0) {
		if (evs_tok_is(l, "::")) {
			rc = evs_lex_next(l, d->diag);
			if (rc == 0)
				rc = take_cast_type(d, l, r);
		} else if (evs_tok_is(l, "/")) {
			rc = evs_lex_next(l, d->diag);
			if (rc == 0 && !divide(r, l))
				return 1;
			if (rc == 0)
				rc = evs_lex_next(l, d->diag);
		} else if (evs_tok_is(l, "AT") && peek_is(l, "TIME")) {
			for (unsigned i = 0; rc == 0 && i < 4; i++) /* AT TIME ZONE 'UTC' */
				rc = evs_lex_next(l, d->diag);
		} else {
			break;
		}
	}
	return rc;
}

static enum evs_time_kind epoch_kind(uint64_t ticks)
{
	return ticks == 1000	     ? EVS_TIME_EPOCH_MS
	       : ticks == 1000000    ? EVS_TIME_EPOCH_US
	       : ticks == 1000000000 ? EVS_TIME_EPOCH_NS
				     : EVS_TIME_EPOCH_S;
}

int ddl_time_expr(struct ddl *d, const struct evs_table *t, struct evs_lex *l,
		  struct ddl_time_expr *out)
{
	struct evs_tok first = l->tok;
	struct reading r = { .out = out, .divisor = 1 };
	const struct evs_type *type;
	int rc;

	memset(out, 0, sizeof(*out));
	out->column = -1;
	rc = read_expr(d, t, l, &r);
	if (rc != 0)
		return rc;
	type = &t->cols[out->column].type;
	out->plain = out->tok.at == first.at && !r.wrapped && r.divisor == 1;
	if (evs_type_is_time(type)) {
		out->kind = EVS_TIME_NATIVE;
		return r.divisor != 1 || r.ticks ? 1 : 0;
	}
	if (type->id == EVS_T_STRING) {
		out->kind = EVS_TIME_TEXT;
		return r.divisor != 1 || r.ticks ? 1 : 0;
	}
	if (!evs_type_is_int(type) && !evs_type_is_float(type))
		return 1;
	if (r.ticks && r.divisor != 1)
		return 1;
	if (!r.wrapped && !out->plain)
		return 1;
	out->kind = epoch_kind(r.ticks ? r.ticks : r.divisor);
	return 0;
}

/* Words in an expression that are no columns, unless the table has one of this name. */
static bool is_keyword(const struct evs_table *t, const struct evs_lex *l)
{
	static const char *const words[] = { "AND",	"OR",	    "NOT",    "IS",   "NULL",
					     "TRUE",	"FALSE",    "IN",     "LIKE", "ILIKE",
					     "BETWEEN", "CASE",	    "WHEN",   "THEN", "ELSE",
					     "END",	"INTERVAL", "DAY",    "HOUR", "MINUTE",
					     "SECOND",	"WEEK",	    "MONTH",  "YEAR", "DIV",
					     "MOD",	"AS",	    "COLLATE" };

	if (l->tok.kind != EVS_TOK_WORD || evs_table_find(t, l->text + l->tok.at, l->tok.len) >= 0)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (evs_tok_is(l, words[i]))
			return true;
	}
	return false;
}

static bool is_opclass(const struct evs_lex *l)
{
	return l->tok.kind == EVS_TOK_WORD && l->tok.len > 4 &&
	       !memcmp(l->text + l->tok.at + l->tok.len - 4, "_ops", 4);
}

int ddl_no_column(struct ddl *d, const struct evs_table *t, const struct evs_tok *tok)
{
	const char *word = d->lex.text + tok->at;
	char hint[300];

	ddl_suggest_column(hint, sizeof(hint), word, tok->len, t);
	return ddl_fail_tok(d, tok, "%.*s is no column of %s%s",
			    tok->len > 200 ? 200 : (int)tok->len, word, t->name, hint);
}

/* A name at `l` that may be a column: takes it; -1 when it is something else. */
static int name_column(struct ddl *d, const struct evs_table *t, struct evs_lex *l, bool *is_column)
{
	struct evs_tok tok = l->tok;
	int rc;

	*is_column = false;
	rc = ddl_path_column(d, t, l);
	if (rc >= 0) {
		*is_column = true;
		while (evs_tok_is(l, ".")) { /* a path into JSON */
			int step = evs_lex_next(l, d->diag);

			if (step == 0 && evs_tok_is_name(&l->tok))
				step = evs_lex_next(l, d->diag);
			if (step < 0)
				return step;
		}
		return rc;
	}
	return rc == -1 ? ddl_no_column(d, t, &tok) : rc;
}

int ddl_expr_column(struct ddl *d, const struct evs_table *t, const struct ddl_slice *s,
		    bool *plain, int *ordinal)
{
	struct evs_tok prev = { 0 };
	struct evs_lex l;
	unsigned others = 0;
	bool is_column;
	int found = -1, rc = ddl_lex_slice(d, s, &l);

	while (rc == 0 && l.tok.kind != EVS_TOK_END) {
		bool skip = evs_tok_is_at(&l, &prev, "::") || evs_tok_is_at(&l, &prev, "AS") ||
			    evs_tok_is_at(&l, &prev, "COLLATE");

		prev = l.tok;
		if (!evs_tok_is_name(&l.tok) || skip || is_keyword(t, &l) || is_opclass(&l) ||
		    peek_is(&l, "(")) {
			others += !evs_tok_is(&l, "(") && !evs_tok_is(&l, ")") && !is_opclass(&l);
			rc = evs_lex_next(&l, d->diag);
			continue;
		}
		rc = name_column(d, t, &l, &is_column);
		if (rc < 0)
			return rc;
		if (found >= 0 && found != rc)
			return ddl_fail_tok(
				d, &prev,
				"this key mixes the columns %s and %s: name them one by one, as in (a, b)",
				t->cols[found].name, t->cols[rc].name);
		others += found == rc;
		found = rc;
		rc = 0;
	}
	if (rc < 0)
		return rc;
	if (found < 0) {
		rc = ddl_lex_slice(d, s, &l);
		return rc < 0 ? rc : ddl_fail_tok(d, &l.tok, "no column is named here");
	}
	*plain = others == 0;
	*ordinal = found;
	return 0;
}
