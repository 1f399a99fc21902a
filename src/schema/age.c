/*
 * Ages as people type them: 90d, 24h, 12mo.
 */
#include "src/schema/schema.h"

#include <string.h>

#define YEAR	((int64_t)31556952) /* seconds, on average */
#define LONGEST 10000		    /* years */

static const struct {
	const char *name;
	struct evs_age age;
} units[] = {
	{ "s", { 0, 1 } },	{ "sec", { 0, 1 } },  { "m", { 0, 60 } },
	{ "min", { 0, 60 } },	{ "h", { 0, 3600 } }, { "d", { 0, 86400 } },
	{ "w", { 0, 604800 } }, { "mo", { 1, 0 } },   { "y", { 12, 0 } },
};

bool evs_age_parse(const char *text, struct evs_age *out)
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
		out->months = n * units[u].age.months;
		out->seconds = n * units[u].age.seconds;
		return out->months <= LONGEST * 12 && out->seconds <= LONGEST * YEAR;
	}
	return false;
}
