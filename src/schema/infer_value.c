/*
 * What one JSON value could be stored as, so that it is printed back the same: as a number when it
 * is one, as the same string otherwise.
 */
#include "src/schema/infer.h"

#include "src/json/json.h"

#include <string.h>

#define EXACT_DOUBLE ((uint64_t)1 << 53) /* up to here every integer is a double */
#define MAX_DIGITS   17			 /* significant digits that a double carries */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static unsigned epoch_units(double v)
{
	static const double unit[4] = { 1, 1e3, 1e6, 1e9 };
	unsigned units = 0;

	for (unsigned i = 0; i < 4; i++) {
		if (v >= 631152000.0 * unit[i] && v < 4102444800.0 * unit[i]) /* 1990 to 2100 */
			units |= 1u << i;
	}
	return units;
}

/* Digits only. False: more than 64 bits. */
static bool read_magnitude(const char *s, size_t n, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t digit = (uint64_t)(s[i] - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

static void integer(const char *s, size_t n, struct infer_value *out)
{
	bool minus = *s == '-';
	uint64_t v;

	if (!read_magnitude(s + minus, n - minus, &v))
		return; /* more than 64 bits: JSON keeps its digits */
	if (minus && v == 0) {
		out->kinds = INFER_FLOAT; /* -0 */
		return;
	}
	if (v <= (uint64_t)INT64_MAX + minus)
		out->kinds |= INFER_INT;
	if (!minus)
		out->kinds |= INFER_UINT;
	if (v <= EXACT_DOUBLE)
		out->kinds |= INFER_FLOAT;
	if (!minus)
		out->epoch = epoch_units((double)v);
}

/* Digits from the first that is not 0 to the last that is not 0, exponent aside. */
static unsigned significant(const char *s, size_t n)
{
	unsigned digits = 0, zeros = 0;

	for (size_t i = 0; i < n && s[i] != 'e' && s[i] != 'E'; i++) {
		if (!is_digit(s[i]))
			continue;
		if (s[i] == '0') {
			zeros += digits != 0;
		} else {
			digits += zeros + 1;
			zeros = 0;
		}
	}
	return digits;
}

static void number(const char *s, size_t n, struct infer_value *out)
{
	unsigned digits;
	double v;

	if (!memchr(s, '.', n) && !memchr(s, 'e', n) && !memchr(s, 'E', n)) {
		integer(s, n, out);
		return;
	}
	digits = significant(s, n);
	if (digits > MAX_DIGITS || !evs_double_parse(s, n, &v) || (v == 0 && digits))
		return; /* a double would lose digits: JSON keeps them */
	out->kinds = INFER_FLOAT;
	out->epoch = epoch_units(v);
}

static unsigned hex4(const char *s)
{
	unsigned v = 0;

	for (unsigned i = 0; i < 4; i++) {
		char c = s[i];

		v = v << 4 | (unsigned)(is_digit(c) ? c - '0' : (c | 32) - 'a' + 10);
	}
	return v;
}

/*
 * Does the string's text, between its quotes, name half a surrogate pair? Such a string is no
 * UTF-8.
 */
static bool lone_surrogate(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned u;

		if (s[i] != '\\')
			continue;
		if (s[++i] != 'u')
			continue;
		u = hex4(s + i + 1);
		i += 4;
		if (u < 0xd800 || u > 0xdfff)
			continue;
		if (u > 0xdbff || n - i < 7 || s[i + 1] != '\\' || s[i + 2] != 'u')
			return true;
		u = hex4(s + i + 3);
		if (u < 0xdc00 || u > 0xdfff)
			return true;
		i += 6;
	}
	return false;
}

static bool is_uuid(const char *s, size_t n)
{
	if (n != 36)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !is_digit(s[i]) && !(s[i] >= 'a' && s[i] <= 'f'))
			return false;
	}
	return true;
}

/* A time that a column with its number of digits prints in just this spelling. */
static bool prints_back(const char *s, size_t n, int64_t sec, uint32_t nano, unsigned digits)
{
	char buf[40];
	int64_t ticks = sec;

	if (digits > 9)
		return false;
	for (unsigned i = 0; i < digits; i++) {
		if (ticks > INT64_MAX / 10 - 1 || ticks < INT64_MIN / 10 + 1)
			return false;
		ticks *= 10;
	}
	for (unsigned i = digits; i < 9; i++)
		nano /= 10;
	if (ticks > INT64_MAX - (int64_t)nano)
		return false;
	return evs_time_print(ticks + nano, digits, buf) == n && !memcmp(buf, s, n);
}

static void time_text(const char *s, size_t n, struct infer_value *out)
{
	unsigned digits;
	uint32_t nano;
	int64_t sec;

	if (n < 10 || n > 64 || !evs_time_parse(s, n, &sec, &nano, &digits))
		return;
	out->time_text = true;
	out->scale = digits > 9 ? 9 : digits;
	if (n == 10)
		out->kinds |= INFER_DATE;
	else if (prints_back(s, n, sec, nano, digits))
		out->kinds |= INFER_TIME;
}

/* s[0 .. n) between the quotes. */
static void string(const char *s, size_t n, struct infer_value *out)
{
	if (memchr(s, '\\', n)) {
		out->kinds = lone_surrogate(s, n) ? 0 : INFER_STRING;
		return;
	}
	out->kinds = INFER_STRING;
	if (is_uuid(s, n))
		out->kinds |= INFER_UUID;
	else
		time_text(s, n, out);
}

/*
 * End of the scalar at p: of a string its closing quote, of anything else the comma, bracket or
 * space behind it.
 */
static const char *scalar_end(const char *p, const char *end)
{
	if (*p == '"') {
		for (p++; p < end && *p != '"'; p++)
			p += *p == '\\';
		return p < end ? p + 1 : end;
	}
	while (p < end && *p != ',' && *p != ']' && !is_space(*p))
		p++;
	return p;
}

static unsigned list_kinds(unsigned kinds)
{
	unsigned out = 0;

	if (kinds & INFER_BOOL)
		out |= INFER_BOOLS;
	if (kinds & INFER_INT)
		out |= INFER_INTS;
	if (kinds & INFER_FLOAT)
		out |= INFER_FLOATS;
	if (kinds & INFER_STRING)
		out |= INFER_STRINGS;
	return out;
}

/* [ ... ]: flat, of one kind, without nulls; anything else is JSON. */
static void list(const char *p, const char *end, struct infer_value *out)
{
	struct infer_value elem;

	out->kinds = INFER_LISTS;
	out->empty_list = true;
	for (p++; p < end; p++) {
		const char *stop;

		if (is_space(*p) || *p == ',')
			continue;
		if (*p == ']')
			return;
		out->empty_list = false;
		if (*p == '[' || *p == '{') {
			out->kinds = 0;
			return;
		}
		stop = scalar_end(p, end);
		infer_classify(p, (size_t)(stop - p), &elem);
		out->kinds &= elem.null ? 0 : list_kinds(elem.kinds);
		if (!out->kinds)
			return;
		p = stop - 1;
	}
}

void infer_classify(const char *v, size_t n, struct infer_value *out)
{
	memset(out, 0, sizeof(*out));
	while (n && is_space(v[n - 1]))
		n--;
	while (n && is_space(*v)) {
		v++;
		n--;
	}
	if (n == 0)
		return;
	switch (*v) {
	case 'n':
		out->null = true;
		return;
	case 't':
	case 'f':
		out->kinds = INFER_BOOL;
		return;
	case '"':
		if (n >= 2)
			string(v + 1, n - 2, out);
		return;
	case '[':
		list(v, v + n, out);
		return;
	case '{':
		return;
	default:
		number(v, n, out);
	}
}
