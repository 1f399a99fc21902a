/*
 * Intervals as text and the names of types: the two places where words of the language are read
 * that are neither operators nor functions.
 */
#include "src/expr/expr_ast.h"

#include <string.h>

#define MAX_SECONDS 400000000000LL /* beyond what years 0 to 9999 span */
#define MAX_MONTHS  120000

static const struct {
	const char *name; /* singular */
	int32_t months;
	int64_t seconds;
	int32_t nanos;
} units[] = {
	{ "nanosecond", 0, 0, 1 },
	{ "ns", 0, 0, 1 },
	{ "microsecond", 0, 0, 1000 },
	{ "us", 0, 0, 1000 },
	{ "millisecond", 0, 0, 1000000 },
	{ "ms", 0, 0, 1000000 },
	{ "second", 0, 1, 0 },
	{ "sec", 0, 1, 0 },
	{ "s", 0, 1, 0 },
	{ "minute", 0, 60, 0 },
	{ "min", 0, 60, 0 },
	{ "hour", 0, 3600, 0 },
	{ "h", 0, 3600, 0 },
	{ "day", 0, 86400, 0 },
	{ "d", 0, 86400, 0 },
	{ "week", 0, 604800, 0 },
	{ "w", 0, 604800, 0 },
	{ "month", 1, 0, 0 },
	{ "mon", 1, 0, 0 },
	{ "quarter", 3, 0, 0 },
	{ "year", 12, 0, 0 },
	{ "y", 12, 0, 0 },
};

/* Index in units of a name, with or without a plural s; -1: none. */
static int find_unit(const char *s, size_t len)
{
	for (int i = 0; i < (int)(sizeof(units) / sizeof(units[0])); i++)
		if (evs_x_same_word(s, len, units[i].name) ||
		    (len > 3 && (s[len - 1] | 0x20) == 's' &&
		     evs_x_same_word(s, len - 1, units[i].name)))
			return i;
	return -1;
}

/* Digits with an optional sign and fraction: whole part, and the fraction in nanos. */
static bool read_number(const char *s, size_t len, int64_t *whole, int32_t *nanos, bool *minus)
{
	size_t i = 0, from;

	*whole = 0;
	*nanos = 0;
	*minus = len && s[0] == '-';
	if (len && (s[0] == '-' || s[0] == '+'))
		i++;
	for (from = i; i < len && s[i] >= '0' && s[i] <= '9'; i++) {
		if (*whole > MAX_SECONDS * 1000)
			return false;
		*whole = *whole * 10 + (s[i] - '0');
	}
	if (i == from)
		return false;
	if (i < len && s[i] == '.') {
		int32_t unit = X_NANO;

		for (i++; i < len && s[i] >= '0' && s[i] <= '9'; i++) {
			unit /= 10;
			*nanos += unit * (s[i] - '0');
		}
	}
	return i == len;
}

/* out += a span; false when out of range. */
static bool add_span(struct x_interval *out, int64_t months, int64_t seconds, int64_t nanos)
{
	if (months > MAX_MONTHS || months < -MAX_MONTHS || seconds > MAX_SECONDS ||
	    seconds < -MAX_SECONDS)
		return false;
	nanos += out->nanos;
	out->seconds += seconds + nanos / X_NANO;
	out->nanos = (int32_t)(nanos % X_NANO);
	if (out->nanos < 0) {
		out->nanos += X_NANO;
		out->seconds--;
	}
	out->months += months;
	return out->months <= MAX_MONTHS && out->months >= -MAX_MONTHS &&
	       out->seconds <= MAX_SECONDS && out->seconds >= -MAX_SECONDS;
}

bool evs_x_interval_unit(const char *number, size_t nlen, const char *unit, size_t ulen,
			 struct x_interval *out)
{
	int64_t whole, seconds, nanos;
	int32_t fraction;
	bool minus;
	int u = find_unit(unit, ulen), sign;

	if (u < 0 || !read_number(number, nlen, &whole, &fraction, &minus))
		return false;
	sign = minus ? -1 : 1;
	if (units[u].months)
		return fraction == 0 && whole <= MAX_MONTHS &&
		       add_span(out, sign * whole * units[u].months, 0, 0);
	if (units[u].nanos) {
		int64_t per_second = X_NANO / units[u].nanos;

		nanos = whole % per_second * units[u].nanos +
			(int64_t)fraction * units[u].nanos / X_NANO;
		return add_span(out, 0, sign * (whole / per_second), sign * nanos);
	}
	if (whole > MAX_SECONDS / units[u].seconds)
		return false;
	/* fraction is in 1e-9 of the unit: at most 1e9 * 604800, far from overflow */
	nanos = (int64_t)fraction * units[u].seconds;
	seconds = whole * units[u].seconds + nanos / X_NANO;
	return add_span(out, 0, sign * seconds, sign * (nanos % X_NANO));
}

static size_t skip_space(const char *s, size_t len, size_t i)
{
	while (i < len && (s[i] == ' ' || s[i] == '\t' || s[i] == ','))
		i++;
	return i;
}

/* HH:MM[:SS[.digits]] */
static bool read_clock(const char *s, size_t len, struct x_interval *out)
{
	static const char *const unit[] = { "hour", "minute", "second" };
	size_t n = 0, i = 0;

	while (n < 3) {
		size_t from = i;

		while (i < len && s[i] != ':')
			i++;
		if (!evs_x_interval_unit(s + from, i - from, unit[n], strlen(unit[n]), out))
			return false;
		n++;
		if (i == len)
			return n >= 2;
		i++;
	}
	return false;
}

bool evs_x_interval_text(const char *s, size_t len, struct x_interval *out)
{
	struct x_interval r = { 0 };
	size_t i = skip_space(s, len, 0);
	bool any = false;

	while (i < len) {
		size_t number = i, unit, end;

		while (i < len && (strchr("+-.:", s[i]) || (s[i] >= '0' && s[i] <= '9')) && s[i])
			i++;
		if (memchr(s + number, ':', i - number)) {
			if (!read_clock(s + number, i - number, &r))
				return false;
		} else {
			end = i;
			unit = i = skip_space(s, len, i);
			while (i < len && ((s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'z'))
				i++;
			if (!evs_x_interval_unit(s + number, end - number, s + unit, i - unit, &r))
				return false;
		}
		any = true;
		i = skip_space(s, len, i);
	}
	if (any)
		*out = r;
	return any;
}

/* One parenthesis with what is in it, as in Decimal(10, 2). */
static bool skip_group(struct x_parser *p)
{
	unsigned depth = 0;

	do {
		if (p->tok.kind == X_TOK_END) {
			evs_x_parse_fail(p, &p->tok, "the expression ends where `)` is wanted");
			return false;
		}
		depth += evs_x_is_op(&p->tok, X_LPAREN);
		depth -= evs_x_is_op(&p->tok, X_RPAREN);
		if (!evs_x_step(p))
			return false;
	} while (depth);
	return true;
}

static bool step_if(struct x_parser *p, const char *w)
{
	return evs_x_is_word(&p->tok, w) && evs_x_step(p);
}

bool evs_x_parse_type(struct x_parser *p, const char **s, size_t *len)
{
	struct x_tok first = p->tok;

	if (first.kind != X_TOK_NAME) {
		evs_x_parse_fail(p, &first, "a type is wanted here");
		return false;
	}
	if (!evs_x_step(p))
		return false;
	if (evs_x_is_word(&first, "double"))
		step_if(p, "precision");
	else if (evs_x_is_word(&first, "character"))
		step_if(p, "varying");
	if (evs_x_is_op(&p->tok, X_LPAREN) && !skip_group(p))
		return false;
	if ((evs_x_is_word(&first, "timestamp") || evs_x_is_word(&first, "time")) &&
	    (evs_x_is_word(&p->tok, "with") || evs_x_is_word(&p->tok, "without"))) {
		if (!evs_x_step(p) || !step_if(p, "time") || !evs_x_is_word(&p->tok, "zone")) {
			evs_x_parse_fail(p, &p->tok, "TIME ZONE is wanted here");
			return false;
		}
		evs_x_step(p);
	}
	while (evs_x_is_op(&p->tok, X_LBRACKET) && evs_x_is_op(&p->next, X_RBRACKET))
		if (!evs_x_step(p) || !evs_x_step(p))
			return false;
	*s = first.at;
	*len = (size_t)(p->tok.at - first.at);
	return p->err == 0;
}
