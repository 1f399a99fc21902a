/*
 * Times as people type them: a date, a time, "now", or an age such as 90d, 24h, 12mo.
 */
#include "src/diag.h"
#include "src/schema/schema.h"

#include <string.h>

#define SECOND ((int64_t)1000000000)

struct age_unit {
	const char *name;
	int64_t seconds; /* 0: counted in months */
	int64_t months;
};

static const struct age_unit units[] = {
	{ "s", 1, 0 },	   { "sec", 1, 0 },    { "m", 60, 0 }, { "min", 60, 0 }, { "h", 3600, 0 },
	{ "d", 86400, 0 }, { "w", 604800, 0 }, { "mo", 0, 1 }, { "y", 0, 12 },
};

/* `now` less a number of calendar months; a day that the month lacks becomes its last. */
static int64_t months_before(int64_t now, int64_t months)
{
	int64_t sec = now / SECOND - (now % SECOND < 0);
	int64_t days = sec / 86400 - (sec % 86400 < 0);
	int64_t y, m0, first, next;
	unsigned m, d;

	evs_civil_from_days(days, &y, &m, &d);
	m0 = y * 12 + (int64_t)m - 1 - months;
	y = m0 / 12 - (m0 % 12 < 0);
	m = (unsigned)(m0 - y * 12) + 1;
	first = evs_days_from_civil(y, m, 1);
	next = m == 12 ? evs_days_from_civil(y + 1, 1, 1) : evs_days_from_civil(y, m + 1, 1);
	if (first + d > next)
		d = (unsigned)(next - first);
	return now - (days - (first + d - 1)) * 86400 * SECOND;
}

static bool parse_age(const char *text, int64_t now, int64_t *ns)
{
	int64_t n = 0;
	size_t i = 0;

	for (; text[i] >= '0' && text[i] <= '9' && i < 9; i++)
		n = n * 10 + (text[i] - '0');
	if (i == 0)
		return false;
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		if (strcmp(text + i, units[u].name) != 0)
			continue;
		if (!units[u].seconds && n * units[u].months > 120000)
			return false;
		if (units[u].seconds && n > INT64_MAX / SECOND / units[u].seconds)
			return false;
		*ns = units[u].seconds ? now - n * units[u].seconds * SECOND
				       : months_before(now, n * units[u].months);
		return true;
	}
	return false;
}

int evs_time_arg(const char *text, int64_t now, int64_t *ns, struct evs_diag *diag)
{
	unsigned digits;
	uint32_t nano;
	int64_t sec;

	if (!strcmp(text, "now")) {
		*ns = now;
		return 0;
	}
	if (parse_age(text, now, ns))
		return 0;
	if (!evs_time_parse(text, strlen(text), &sec, &nano, &digits))
		return evs_fail(
			diag, EVS_E_USAGE,
			"'%.100s' is no time: write 2025-01-31, 2025-01-31T12:00:00Z, now, or an age such as 24h, 90d, 12mo",
			text);
	if (sec >= INT64_MAX / SECOND)
		*ns = INT64_MAX;
	else if (sec <= INT64_MIN / SECOND)
		*ns = INT64_MIN + 1;
	else
		*ns = sec * SECOND + nano;
	return 0;
}
