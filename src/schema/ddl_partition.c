/*
 * PARTITION BY and TTL: which column is the tenant, which is the time, how long a partition is and
 * how long rows live.
 */
#include "src/schema/ddl.h"

#include "src/schema/type.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char advice[] =
	"evseg partitions by a tenant column, by toMonday(), toYYYYMM() or toDate() of a time "
	"column, or by both";

/* Functions that cut a time to a partition. */
static const struct {
	const char *name;
	enum evs_unit unit; /* 0: evseg has no such partition */
	const char *note;
} units[] = {
	{ "toMonday", EVS_UNIT_WEEK, NULL },
	{ "toStartOfWeek", EVS_UNIT_WEEK, "weeks begin on Monday" },
	{ "toStartOfISOWeek", EVS_UNIT_WEEK, NULL },
	{ "toYearWeek", EVS_UNIT_WEEK, "weeks begin on Monday" },
	{ "toYYYYMM", EVS_UNIT_MONTH, NULL },
	{ "toStartOfMonth", EVS_UNIT_MONTH, NULL },
	{ "toDate", EVS_UNIT_DAY, NULL },
	{ "toDate32", EVS_UNIT_DAY, NULL },
	{ "date", EVS_UNIT_DAY, NULL },
	{ "toYYYYMMDD", EVS_UNIT_DAY, NULL },
	{ "toStartOfDay", EVS_UNIT_DAY, NULL },
	{ "toYear", 0, NULL },
	{ "toStartOfYear", 0, NULL },
	{ "toStartOfQuarter", 0, NULL },
	{ "toStartOfHour", 0, NULL },
	{ "toStartOfMinute", 0, NULL },
	{ "toHour", 0, NULL },
};

static bool set_unit(const char *s, size_t len, enum evs_unit *unit)
{
	static const struct {
		const char *name;
		enum evs_unit unit;
	} words[] = { { "day", EVS_UNIT_DAY },
		      { "week", EVS_UNIT_WEEK },
		      { "month", EVS_UNIT_MONTH } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].name) == len && !strncasecmp(s, words[i].name, len)) {
			*unit = words[i].unit;
			return true;
		}
	}
	return false;
}

static int no_unit(struct ddl *d, const struct evs_tok *t)
{
	return ddl_fail_tok(
		d, t,
		"evseg has partitions of a day, a week or a month: use toDate(), toMonday() or "
		"toYYYYMM()");
}

/* 1: `l` is not at a time expression, so say what is possible. */
static int time_arg(struct ddl *d, const struct evs_table *t, struct evs_lex *l,
		    struct ddl_time_expr *te)
{
	struct evs_tok first = l->tok;
	int rc = ddl_time_expr(d, t, l, te);

	return rc > 0 ? ddl_fail_tok(d, &first, "%s", advice) : rc;
}

/* date_trunc('month', x), toStartOfInterval(x, INTERVAL 1 MONTH), unit(x). 1: none of these. */
static int unit_call(struct ddl *d, const struct evs_table *t, struct evs_lex *l,
		     struct ddl_time_expr *te, enum evs_unit *unit)
{
	struct evs_tok name = l->tok;
	bool trunc = evs_tok_is(l, "date_trunc") || evs_tok_is(l, "dateTrunc");
	bool interval = evs_tok_is(l, "toStartOfInterval");
	size_t i, n = sizeof(units) / sizeof(units[0]);
	int rc;

	for (i = 0; i < n && !evs_tok_is(l, units[i].name); i++)
		;
	if (i == n && !trunc && !interval)
		return 1;
	if (i < n && units[i].unit == 0)
		return no_unit(d, &name);
	rc = evs_lex_next(l, d->diag);
	if (rc < 0 || !evs_tok_is(l, "("))
		return rc < 0 ? rc : 1;
	rc = evs_lex_next(l, d->diag);
	if (rc == 0 && trunc) {
		if (l->tok.kind != EVS_TOK_STRING ||
		    !set_unit(l->text + l->tok.at + 1, l->tok.len - 2, unit))
			return no_unit(d, &l->tok);
		rc = evs_lex_next(l, d->diag);
		if (rc == 0)
			rc = evs_lex_next(l, d->diag); /* the comma */
	}
	if (rc == 0)
		rc = time_arg(d, t, l, te);
	if (rc == 0 && interval) {
		for (unsigned k = 0; rc == 0 && k < 3; k++) /* , INTERVAL 1 */
			rc = evs_lex_next(l, d->diag);
		if (rc == 0 && !set_unit(l->text + l->tok.at, l->tok.len, unit))
			return no_unit(d, &l->tok);
	} else if (rc == 0 && !trunc) {
		*unit = units[i].unit;
		if (units[i].note)
			ddl_note(d, name.line, "%s: %s", units[i].name, units[i].note);
	}
	if (rc == 0)
		rc = ddl_skip_to_close(d, l);
	if (rc > 0 || (rc == 0 && l->tok.kind != EVS_TOK_END))
		return ddl_fail_tok(d, &name, "%s", advice);
	return rc;
}

static int set_time(struct ddl *d, struct ddl_draft *f, const struct evs_tok *at,
		    const struct ddl_time_expr *te, enum evs_unit unit)
{
	if (f->has_unit)
		return ddl_fail_tok(d, at, "PARTITION BY names two times: keep one");
	f->has_unit = true;
	f->t->time_column = te->column;
	f->t->time_kind = te->kind;
	f->t->unit = unit;
	return 0;
}

static int set_tenant(struct ddl *d, struct ddl_draft *f, const struct evs_tok *at, int column)
{
	struct evs_table *t = f->t;

	switch (t->cols[column].type.id) {
	case EVS_T_FLOAT32:
	case EVS_T_FLOAT64:
	case EVS_T_DECIMAL:
	case EVS_T_ARRAY:
	case EVS_T_MAP:
	case EVS_T_JSON:
	case EVS_T_DATETIME:
	case EVS_T_DATETIME64:
		return ddl_fail_tok(d, at, "%s cannot be a tenant: %s", t->cols[column].name,
				    advice);
	default:
		break;
	}
	if (t->tenant_column >= 0 && t->tenant_column != column)
		return ddl_fail_tok(
			d, at,
			"PARTITION BY names two tenant columns, %s and %s: evseg keeps one folder a tenant, "
			"so name one",
			t->cols[t->tenant_column].name, t->cols[column].name);
	t->tenant_column = column;
	return 0;
}

/* RANGE (ts), RANGE (date_trunc('week', ts)). */
static int range_item(struct ddl *d, struct ddl_draft *f, const struct evs_tok *first,
		      struct ddl_time_expr *te)
{
	if (te->plain && te->kind != EVS_TIME_NATIVE)
		return ddl_fail_tok(d, first, "RANGE (%s) is no range of time: %s",
				    f->t->cols[te->column].name, advice);
	ddl_note(
		d, first->line,
		"PARTITION BY RANGE: taken as months; for weeks write RANGE (date_trunc('week', %s))",
		f->t->cols[te->column].name);
	return set_time(d, f, first, te, EVS_UNIT_MONTH);
}

static int plain_item(struct ddl *d, struct ddl_draft *f, const struct evs_tok *first,
		      struct ddl_time_expr *te)
{
	if (f->method == DDL_PART_RANGE)
		return range_item(d, f, first, te);
	if (te->date || (te->plain && f->t->cols[te->column].type.id == EVS_T_DATE))
		return set_time(d, f, first, te, EVS_UNIT_DAY);
	if (te->plain && te->kind != EVS_TIME_NATIVE)
		return set_tenant(d, f, first, te->column);
	return ddl_fail_tok(
		d, first,
		"a partition for each moment would be too many: write toMonday(%s), toYYYYMM(%s) or "
		"toDate(%s)",
		f->t->cols[te->column].name, f->t->cols[te->column].name,
		f->t->cols[te->column].name);
}

static int bare_epoch(struct ddl *d, const struct ddl_draft *f, const struct evs_tok *first,
		      int column)
{
	const char *name = f->t->cols[column].name;

	return ddl_fail_tok(
		d, first,
		"%s is a number: say what it counts, with toDateTime(%s) for seconds or "
		"fromUnixTimestamp64Milli(%s), ...Micro, ...Nano",
		name, name, name);
}

/* A column alone that is no time: a tenant of any type, or an error that the type gives. */
static int column_item(struct ddl *d, struct ddl_draft *f, const struct ddl_slice *s)
{
	struct evs_lex l;
	struct evs_tok first;
	bool plain;
	int column, rc = ddl_lex_slice(d, s, &l);

	first = l.tok;
	if (rc == 0)
		rc = ddl_expr_column(d, f->t, s, &plain, &column);
	if (rc < 0)
		return rc;
	if (!plain || f->method == DDL_PART_RANGE)
		return ddl_fail_tok(d, &first, "%s", advice);
	return set_tenant(d, f, &first, column);
}

static int partition_item(struct ddl *d, struct ddl_draft *f, const struct ddl_slice *s)
{
	struct ddl_time_expr te;
	struct evs_lex l;
	struct evs_tok first;
	enum evs_unit unit = EVS_UNIT_WEEK;
	int rc = ddl_lex_slice(d, s, &l);

	if (rc < 0)
		return rc;
	first = l.tok;
	rc = unit_call(d, f->t, &l, &te, &unit);
	if (rc == 0) {
		if (te.plain && te.kind != EVS_TIME_NATIVE && te.kind != EVS_TIME_TEXT &&
		    !evs_tok_is_at(&l, &first, "toDate"))
			return bare_epoch(d, f, &te.tok, te.column);
		return set_time(d, f, &first, &te, unit);
	}
	if (rc < 0)
		return rc;
	rc = ddl_lex_slice(d, s, &l);
	if (rc == 0)
		rc = ddl_time_expr(d, f->t, &l, &te);
	if (rc == 0 && l.tok.kind == EVS_TOK_END)
		return plain_item(d, f, &first, &te);
	return rc < 0 ? rc : column_item(d, f, s);
}

int ddl_resolve_partition(struct ddl *d, struct ddl_draft *f)
{
	int rc = 0;

	f->t->unit = EVS_UNIT_WEEK;
	for (size_t i = 0; rc == 0 && i < f->partition.n; i++)
		rc = partition_item(d, f, &f->partition.v[i]);
	return rc;
}

/*
 * ---- TTL ---------------------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	int64_t seconds;
	int32_t months;
} spans[] = {
	{ "SECOND", 1, 0 },    { "MINUTE", 60, 0 }, { "HOUR", 3600, 0 }, { "DAY", 86400, 0 },
	{ "WEEK", 604800, 0 }, { "MONTH", 0, 1 },   { "QUARTER", 0, 3 }, { "YEAR", 0, 12 },
};

/* s[0 .. n) as a unit, with or without a plural s. */
static bool add_span(struct evs_table *t, int64_t count, const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		size_t len = strlen(spans[i].name);

		if (n < len || n > len + 1 || strncasecmp(s, spans[i].name, len) != 0 ||
		    (n == len + 1 && s[len] != 's' && s[len] != 'S'))
			continue;
		if (spans[i].seconds)
			t->ttl_seconds += count * spans[i].seconds;
		else
			t->ttl_months += (int32_t)count * spans[i].months;
		return true;
	}
	return false;
}

/* Digits at s; at most 9 of them, so that no product overflows. */
static size_t read_count(const char *s, size_t n, int64_t *count)
{
	size_t i = 0;

	*count = 0;
	while (i < n && i < 9 && s[i] >= '0' && s[i] <= '9')
		*count = *count * 10 + (s[i++] - '0');
	return i < n && s[i] >= '0' && s[i] <= '9' ? 0 : i;
}

/* '90 days' or '1 year 6 months' between quotes. */
static bool quoted_interval(struct evs_table *t, const char *s, size_t n)
{
	bool any = false;

	for (;;) {
		int64_t count;
		size_t k, word = 0;

		while (n && *s == ' ') {
			s++;
			n--;
		}
		if (n == 0)
			return any;
		k = read_count(s, n, &count);
		if (k == 0)
			return false;
		s += k;
		n -= k;
		while (n && *s == ' ') {
			s++;
			n--;
		}
		while (word < n && s[word] != ' ')
			word++;
		if (!add_span(t, count, s, word))
			return false;
		any = true;
		s += word;
		n -= word;
	}
}

/*
 * INTERVAL 90 DAY, INTERVAL '90' DAY, INTERVAL '90 days', toIntervalDay(90), 90. `l` is behind the
 * plus.
 */
static bool read_interval(struct evs_table *t, struct evs_lex *l, bool date)
{
	static const char prefix[] = "toInterval";
	const char *s = l->text + l->tok.at;
	size_t n = l->tok.len;
	struct evs_tok unit;
	int64_t count;

	if (l->tok.kind == EVS_TOK_NUMBER && read_count(s, n, &count) == n) {
		t->ttl_seconds = date ? count * 86400 : count;
		return evs_lex_next(l, NULL) == 0;
	}
	if (l->tok.kind == EVS_TOK_WORD && n > strlen(prefix) &&
	    !strncasecmp(s, prefix, strlen(prefix))) {
		unit = l->tok;
		if (evs_lex_next(l, NULL) < 0 || !evs_tok_is(l, "(") || evs_lex_next(l, NULL) < 0 ||
		    read_count(l->text + l->tok.at, l->tok.len, &count) != l->tok.len ||
		    !add_span(t, count, l->text + unit.at + strlen(prefix),
			      unit.len - strlen(prefix)))
			return false;
		return evs_lex_next(l, NULL) == 0 && evs_tok_is(l, ")") &&
		       evs_lex_next(l, NULL) == 0;
	}
	if (!evs_tok_is(l, "INTERVAL") || evs_lex_next(l, NULL) < 0)
		return false;
	s = l->text + l->tok.at;
	n = l->tok.len;
	if (l->tok.kind == EVS_TOK_STRING && n >= 2) {
		s++;
		n -= 2;
		if (quoted_interval(t, s, n))
			return evs_lex_next(l, NULL) == 0;
	}
	if (read_count(s, n, &count) != n || n == 0 || evs_lex_next(l, NULL) < 0)
		return false;
	return add_span(t, count, l->text + l->tok.at, l->tok.len) && evs_lex_next(l, NULL) == 0;
}

int ddl_resolve_ttl(struct ddl *d, struct ddl_draft *f)
{
	struct evs_table *t = f->t;
	struct ddl_time_expr te;
	struct evs_lex l;
	struct evs_tok first;
	int rc;

	if (f->ttl.n == 0)
		return 0;
	rc = ddl_lex_slice(d, &f->ttl.v[0], &l);
	first = l.tok;
	if (rc == 0)
		rc = ddl_time_expr(d, t, &l, &te);
	if (rc < 0)
		return rc;
	if (rc > 0 || !evs_tok_is(&l, "+") || evs_lex_next(&l, d->diag) < 0 ||
	    !read_interval(t, &l, te.date) || l.tok.kind != EVS_TOK_END ||
	    (t->ttl_seconds == 0 && t->ttl_months == 0))
		return ddl_fail_tok(d, &first,
				    "TTL must be a time column and how long: ts + INTERVAL 90 DAY");
	f->ttl_column = te.column;
	f->ttl_kind = te.kind;
	t->ttl_text = ddl_copy_slice(d, &f->ttl.v[0]);
	return t->ttl_text ? 0 : ddl_nomem(d);
}
