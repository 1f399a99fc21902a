/*
 * UTF-8 checks for names and texts of DDL.
 */
#include "src/schema/utf8.h"

#include "src/schema/schema.h"

#include <stdint.h>

static bool tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* Length of the character at p, 0 when it is none. */
static size_t char_len(const unsigned char *p, size_t left)
{
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		return left >= 2 && tail(p[1]) ? 2 : 0;
	if (p[0] >= 0xe0 && p[0] <= 0xef) {
		if (left < 3 || !tail(p[1]) || !tail(p[2]))
			return 0;
		if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
			return 0;
		return 3;
	}
	if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		if (left < 4 || !tail(p[1]) || !tail(p[2]) || !tail(p[3]))
			return 0;
		if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
			return 0;
		return 4;
	}
	return 0;
}

bool evs_utf8_valid(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;

	while (len) {
		size_t n = char_len(p, len);

		if (n == 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

size_t evs_utf8_cut(const char *s, size_t max)
{
	while (max && tail((unsigned char)s[max]))
		max--;
	return max;
}
