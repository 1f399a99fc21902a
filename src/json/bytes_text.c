/*
 * Sizes for people.
 */
#include "evseg.h"

#include <stdio.h>

char *evs_bytes_text(uint64_t n, char *buf)
{
	static const char *const names[] = { "B", "KB", "MB", "GB", "TB", "PB" };
	double v = (double)n;
	size_t i = 0;

	while (v >= 999.5 && i + 1 < sizeof(names) / sizeof(names[0])) {
		v /= 1000;
		i++;
	}
	(void)snprintf(buf, 32, i && v < 9.95 ? "%.1f %s" : "%.0f %s", v, names[i]);
	return buf;
}
