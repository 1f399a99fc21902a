/*
 * What a value in NDJSON means in a column, by spec/schema.md 5 and in the plainest way: for
 * integers, Bool, UUID and times. With none of the code of src/.
 */
#ifndef EVS_TESTS_FUZZ_PLAIN_VALUES_H
#define EVS_TESTS_FUZZ_PLAIN_VALUES_H

#include "tests/fuzz/plain_json.h"

/* PLAIN_OTHER: another spelling, about which nothing is said here. */
enum plain_fit { PLAIN_FITS, PLAIN_MISFITS, PLAIN_OTHER };

/* Digits with or without a minus in front, within [lo, hi]. */
static inline enum plain_fit plain_integer(const unsigned char *s, size_t n, __int128 lo,
					   __int128 hi, __int128 *out)
{
	bool neg = n && *s == '-';
	__int128 v = 0;

	if (n <= neg || n > 30)
		return PLAIN_OTHER;
	for (size_t i = neg; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return PLAIN_OTHER;
		v = v * 10 + (s[i] - '0');
	}
	*out = neg ? -v : v;
	if (neg && !v)
		return PLAIN_MISFITS;
	return *out >= lo && *out <= hi ? PLAIN_FITS : PLAIN_MISFITS;
}

static inline enum plain_fit plain_bool(const unsigned char *s, size_t n, bool *out)
{
	*out = n == 4 && !memcmp(s, "true", 4);
	return *out || (n == 5 && !memcmp(s, "false", 5)) ? PLAIN_FITS : PLAIN_MISFITS;
}

/* A string without escapes: what is between the quotes. */
static inline bool plain_inside(const unsigned char **s, size_t *n)
{
	if (*n < 2 || **s != '"' || memchr(*s, '\\', *n))
		return false;
	(*s)++;
	*n -= 2;
	return true;
}

static inline enum plain_fit plain_uuid_text(const unsigned char *s, size_t n,
					     unsigned char out[16])
{
	static const char hex[] = "0123456789abcdef0123456789ABCDEF";
	size_t k = 0;

	if (!plain_inside(&s, &n))
		return n && *s == '"' ? PLAIN_OTHER : PLAIN_MISFITS;
	if (n != 36)
		return PLAIN_MISFITS;
	for (size_t i = 0; i < 36; i++) {
		const char *d = s[i] ? strchr(hex, s[i]) : NULL;

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (s[i] != '-')
				return PLAIN_MISFITS;
			continue;
		}
		if (!d)
			return PLAIN_MISFITS;
		out[k / 2] = (unsigned char)(out[k / 2] << 4 | (d - hex) % 16);
		k++;
	}
	return PLAIN_FITS;
}

/* `n` digits at *s, which moves behind them; -1 when they are none. */
static inline int plain_two(const unsigned char **s, const unsigned char *end, int n)
{
	int v = 0;

	for (; n; n--, (*s)++) {
		if (*s == end || **s < '0' || **s > '9')
			return -1;
		v = v * 10 + (**s - '0');
	}
	return v;
}

static inline bool plain_is(const unsigned char **s, const unsigned char *end, const char *any)
{
	if (*s == end || !**s || !strchr(any, **s))
		return false;
	(*s)++;
	return true;
}

/* Z, +HH, +HHMM, +HH:MM or nothing, up to the end; minutes east. */
static inline bool plain_zone(const unsigned char *s, const unsigned char *end, int *minutes)
{
	bool west = s != end && *s == '-';
	int h, m = 0;

	*minutes = 0;
	if (s == end || (end - s == 1 && (*s == 'Z' || *s == 'z')))
		return true;
	if (!plain_is(&s, end, "+-"))
		return false;
	h = plain_two(&s, end, 2);
	if (s != end) {
		plain_is(&s, end, ":");
		m = plain_two(&s, end, 2);
	}
	*minutes = (west ? -1 : 1) * (h * 60 + m);
	return h >= 0 && h < 24 && m >= 0 && m < 60 && s == end;
}

static inline int64_t plain_days(int year, int month, int day)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int64_t days = (int64_t)year * 365 + before[month - 1] + day - 1, y = year - (month < 3);

	/* leap days of the years 0 .. y */
	return days + (y < 0 ? 0 : y / 4 - y / 100 + y / 400 + 1) - 719528;
}

static inline bool plain_date_ok(int year, int month, int day)
{
	static const int length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return year >= 0 && month >= 1 && month <= 12 && day >= 1 &&
	       day <= length[month - 1] + (month == 2 && leap);
}

/* Milliseconds since 1970; digits beyond the third are dropped towards the past, beyond the ninth
 * they must be 0. */
static inline enum plain_fit plain_time_ms(const unsigned char *s, size_t n, int64_t *ms)
{
	const unsigned char *end;
	int year, month, day, h = 0, min = 0, sec = 0, zone = 0, digit = 0;

	if (!plain_inside(&s, &n))
		return n && *s == '"' ? PLAIN_OTHER : PLAIN_MISFITS;
	end = s + n;
	year = plain_two(&s, end, 4);
	month = plain_is(&s, end, "-") ? plain_two(&s, end, 2) : -1;
	day = plain_is(&s, end, "-") ? plain_two(&s, end, 2) : -1;
	if (!plain_date_ok(year, month, day))
		return PLAIN_MISFITS;
	*ms = plain_days(year, month, day) * 86400000;
	if (s == end)
		return PLAIN_FITS;
	h = plain_is(&s, end, "Tt ") ? plain_two(&s, end, 2) : -1;
	min = plain_is(&s, end, ":") ? plain_two(&s, end, 2) : -1;
	if (plain_is(&s, end, ":")) {
		sec = plain_two(&s, end, 2);
		if (sec >= 0 && plain_is(&s, end, ".")) {
			if (s == end || *s < '0' || *s > '9')
				return PLAIN_MISFITS;
			for (; s != end && *s >= '0' && *s <= '9'; s++, digit++) {
				if (digit >= 9 && *s != '0')
					return PLAIN_MISFITS;
				*ms += digit < 3 ? (*s - '0') * (digit == 0   ? 100
								 : digit == 1 ? 10
									      : 1)
						 : 0;
			}
		}
	}
	if (h < 0 || h > 23 || min < 0 || min > 59 || sec < 0 || sec > 59 ||
	    !plain_zone(s, end, &zone))
		return PLAIN_MISFITS;
	*ms += ((int64_t)h * 3600 + min * 60 + sec) * 1000 - (int64_t)zone * 60000;
	return *ms >= -62167219200000 && *ms < 253402300800000 ? PLAIN_FITS : PLAIN_MISFITS;
}

#endif
