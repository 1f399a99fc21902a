/*
 * Times: text to seconds and nanoseconds and back, the proleptic Gregorian calendar, and the bounds
 * of partitions. The calendar arithmetic is Howard Hinnant's (days_from_civil and civil_from_days
 * in "chrono-Compatible Low-Level Date Algorithms"): years begin in March, so that the leap day is
 * last.
 */
#include "src/schema/schema.h"

#include <string.h>

#define DAY_SECONDS 86400
#define BAD2	    100u /* two characters that are no digits */

static const uint32_t pow10_u32[10] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
};

int64_t evs_days_from_civil(int64_t y, unsigned m, unsigned d)
{
	int64_t era;
	uint64_t yoe, doy, doe;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = (uint64_t)(y - era * 400);
	doy = (153u * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - 719468;
}

void evs_civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
	int64_t era;
	uint64_t doe, yoe, doy, mp;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = (uint64_t)(days - era * 146097);
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*m = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*y = (int64_t)yoe + era * 400 + (*m <= 2);
}

int64_t evs_days_add_months(int64_t day, int64_t months)
{
	int64_t y, n, first, next;
	unsigned m, d;

	evs_civil_from_days(day, &y, &m, &d);
	n = y * 12 + (m - 1) + months;
	y = n / 12 - (n % 12 < 0);
	m = (unsigned)(n - y * 12) + 1;
	first = evs_days_from_civil(y, m, 1);
	next = evs_days_from_civil(m == 12 ? y + 1 : y, m == 12 ? 1 : m + 1, 1);
	return first + d > next ? next - 1 : first + d - 1;
}

static bool leap_year(unsigned y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

static unsigned month_days(unsigned y, unsigned m)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return m == 2 && leap_year(y) ? 29 : days[m - 1];
}

/* Two digits, or a number of at least BAD2. */
static unsigned two(const char *p)
{
	unsigned a = (unsigned)(unsigned char)p[0] - '0';
	unsigned b = (unsigned)(unsigned char)p[1] - '0';

	return a > 9 || b > 9 ? BAD2 : a * 10 + b;
}

static bool parse_date(const char *s, int64_t *days)
{
	unsigned hi = two(s), lo = two(s + 2), m = two(s + 5), d = two(s + 8), y;

	if (hi >= BAD2 || lo >= BAD2 || s[4] != '-' || s[7] != '-')
		return false;
	y = hi * 100 + lo;
	if (m < 1 || m > 12 || d < 1 || d > month_days(y, m))
		return false;
	*days = evs_days_from_civil(y, m, d);
	return true;
}

/* ".digits" at p; the number of bytes used, 0 when it is wrong. */
static size_t parse_fraction(const char *p, const char *end, uint32_t *nano, unsigned *digits)
{
	const char *q = p + 1;
	uint32_t v = 0;
	unsigned n = 0;

	for (; q < end; q++, n++) {
		unsigned c = (unsigned)(unsigned char)*q - '0';

		if (c > 9)
			break;
		if (n < 9)
			v = v * 10 + c;
		else if (c != 0)
			return 0;
	}
	if (n == 0)
		return 0;
	*nano = n < 9 ? v * pow10_u32[9 - n] : v;
	*digits = n;
	return (size_t)(q - p);
}

/* All of [p, end) as a zone: "", Z, +HH, +HHMM, +HH:MM. `*east` gets its seconds east of UTC. */
static bool parse_zone(const char *p, const char *end, int32_t *east)
{
	size_t n = (size_t)(end - p);
	unsigned h, m = 0;

	*east = 0;
	if (n == 0)
		return true;
	if (n == 1)
		return *p == 'Z' || *p == 'z';
	if ((*p != '+' && *p != '-') || (n != 3 && n != 5 && n != 6))
		return false;
	h = two(p + 1);
	if (n == 5)
		m = two(p + 3);
	if (n == 6)
		m = p[3] == ':' ? two(p + 4) : BAD2;
	if (h > 23 || m > 59)
		return false;
	*east = (int32_t)(h * 3600 + m * 60);
	if (*p == '-')
		*east = -*east;
	return true;
}

bool evs_time_parse(const char *s, size_t len, int64_t *sec, uint32_t *nano, unsigned *digits)
{
	const char *p = s + 16, *end = s + len;
	unsigned h, min, ss = 0;
	int32_t east;
	int64_t days;
	size_t n;

	*nano = 0;
	*digits = 0;
	if (len < 10 || !parse_date(s, &days))
		return false;
	*sec = days * DAY_SECONDS;
	if (len == 10)
		return true;
	if (len < 16 || (s[10] != 'T' && s[10] != ' ' && s[10] != 't') || s[13] != ':')
		return false;
	h = two(s + 11);
	min = two(s + 14);
	if (h > 23 || min > 59)
		return false;
	if (end - p >= 3 && *p == ':') {
		ss = two(p + 1);
		if (ss > 59)
			return false;
		p += 3;
		if (p < end && *p == '.') {
			n = parse_fraction(p, end, nano, digits);
			if (n == 0)
				return false;
			p += n;
		}
	}
	if (!parse_zone(p, end, &east))
		return false;
	*sec += (int64_t)(h * 3600 + min * 60 + ss) - east;
	return true;
}

static char *put2(char *p, unsigned v)
{
	p[0] = (char)('0' + v / 10 % 10);
	p[1] = (char)('0' + v % 10);
	return p + 2;
}

/* At least four digits; a sign only when negative. */
static char *put_year(char *p, int64_t y)
{
	char tmp[20];
	unsigned n = 0;
	uint64_t u = y < 0 ? 0 - (uint64_t)y : (uint64_t)y;

	if (y < 0)
		*p++ = '-';
	do {
		tmp[n++] = (char)('0' + u % 10);
		u /= 10;
	} while (u || n < 4);
	while (n)
		*p++ = tmp[--n];
	return p;
}

static char *put_date(char *p, int64_t days)
{
	int64_t y;
	unsigned m, d;

	evs_civil_from_days(days, &y, &m, &d);
	if (y >= 0 && y <= 9999) {
		p = put2(p, (unsigned)y / 100);
		p = put2(p, (unsigned)y % 100);
	} else {
		p = put_year(p, y);
	}
	*p++ = '-';
	p = put2(p, m);
	*p++ = '-';
	return put2(p, d);
}

/* Division that rounds down, also for negative times. */
static int64_t floor_div(int64_t a, int64_t b, int64_t *rest)
{
	int64_t q = a / b, r = a % b;

	if (r < 0) {
		q--;
		r += b;
	}
	*rest = r;
	return q;
}

size_t evs_time_print(int64_t ticks, unsigned scale, char *buf)
{
	int64_t sec, frac, days, tod;
	char *p = buf;

	if (scale > 9)
		scale = 9;
	sec = floor_div(ticks, pow10_u32[scale], &frac);
	days = floor_div(sec, DAY_SECONDS, &tod);
	p = put_date(p, days);
	*p++ = 'T';
	p = put2(p, (unsigned)(tod / 3600));
	*p++ = ':';
	p = put2(p, (unsigned)(tod / 60 % 60));
	*p++ = ':';
	p = put2(p, (unsigned)(tod % 60));
	if (scale) {
		*p++ = '.';
		for (unsigned i = scale; i-- > 0; frac /= 10)
			p[i] = (char)('0' + frac % 10);
		p += scale;
	}
	*p++ = 'Z';
	return (size_t)(p - buf);
}

size_t evs_date_print(int32_t days, char *buf)
{
	return (size_t)(put_date(buf, days) - buf);
}

void evs_partition_bounds(int64_t sec, enum evs_unit unit, int64_t *lo, int64_t *hi)
{
	const int64_t far =
		INT64_MAX / 4; /* no time of a row is near it; keeps the sums in range */
	int64_t day, rest, first, next, y;
	unsigned m, d;

	if (sec > far)
		sec = far;
	if (sec < -far)
		sec = -far;
	day = floor_div(sec, DAY_SECONDS, &rest);
	if (unit == EVS_UNIT_MONTH) {
		evs_civil_from_days(day, &y, &m, &d);
		first = day - (int64_t)d + 1;
		next = m == 12 ? evs_days_from_civil(y + 1, 1, 1)
			       : evs_days_from_civil(y, m + 1, 1);
	} else if (unit == EVS_UNIT_DAY) {
		first = day;
		next = day + 1;
	} else {
		floor_div(day + 3, 7, &rest); /* 1970-01-01 was a Thursday */
		first = day - rest;
		next = first + 7;
	}
	*lo = first * DAY_SECONDS;
	*hi = next * DAY_SECONDS;
}
