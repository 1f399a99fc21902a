/*
 * Times as people type them: a date, a time, "now", or an age such as 90d, 24h, 12mo.
 */
#include "src/diag.h"
#include "src/schema/schema.h"

#include <string.h>

#define SECOND ((int64_t)1000000000)

/* `now` less an age; false when that is before what ns can say. */
static bool before(int64_t now, const struct evs_age *age, int64_t *ns)
{
	int64_t sec = now / SECOND - (now % SECOND < 0);
	int64_t day = sec / 86400 - (sec % 86400 < 0), back;

	if (age->seconds > INT64_MAX / SECOND)
		return false;
	back = (day - evs_days_add_months(day, -age->months)) * 86400 + age->seconds;
	if (back > INT64_MAX / SECOND || now < INT64_MIN + back * SECOND)
		return false;
	*ns = now - back * SECOND;
	return true;
}

int evs_time_arg(const char *text, int64_t now, int64_t *ns, struct evs_diag *diag)
{
	struct evs_age age;
	unsigned digits;
	uint32_t nano;
	int64_t sec;

	if (!strcmp(text, "now")) {
		*ns = now;
		return 0;
	}
	if (evs_age_parse(text, &age) && before(now, &age, ns))
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
