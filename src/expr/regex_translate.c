/*
 * A pattern becomes a POSIX extended regular expression over bytes: what users of other dialects
 * write most is translated (\d \w \s \b, (?:...), (?i) in front, lazy quantifiers, which match the
 * same texts), and what stands for a character is written out as the bytes that may be one.
 *
 * A text is UTF-8. So a character is one byte that is no continuation (0x80 to 0xbf) and all
 * continuations behind it, and where a part of a pattern ends within a character, the next part
 * does not match there.
 *
 * Hostile patterns are refused before regcomp() sees them: their length, the product of their
 * repetition counts and the ranges of characters are bounded, and back-references, whose matching
 * takes exponential time, are errors.
 */
#include "src/expr/regex_translate.h"

#include <string.h>

#define MAX_REPEAT     1000 /* product of all counts */
#define MAX_CHARACTERS 256
#define LAST_CHARACTER 0x10ffff
#define CONTINUATION   "\x80-\xbf"
#define CONTINUED      "[\x80-\xbf]*"

static void put(struct x_regex *t, const char *s)
{
	size_t n = strlen(s);

	if (n <= sizeof(t->out) - 1 - t->n) {
		memcpy(t->out + t->n, s, n);
		t->n += n;
	} else {
		t->why = "the pattern is too long";
	}
}

static void put_char(struct x_regex *t, char c)
{
	const char s[2] = { c, 0 };

	put(t, s);
}

/* The character at s[i], and in `len` how many bytes it has. */
static uint32_t character(const char *s, size_t n, size_t i, size_t *len)
{
	const uint8_t *p = (const uint8_t *)s + i;
	uint32_t c = *p;
	size_t k = 1;

	if (c >= 0xc0)
		c &= c < 0xe0 ? 0x1f : c < 0xf0 ? 0x0f : 0x07;
	for (; k < 4 && k < n - i && (p[k] & 0xc0) == 0x80; k++)
		c = c << 6 | (p[k] & 0x3f);
	*len = k;
	return c;
}

/* The bytes of a character beyond ASCII. */
static size_t encode(uint32_t c, uint8_t out[4])
{
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n; --i > 0; c >>= 6)
		out[i] = (uint8_t)(0x80 | (c & 0x3f));
	out[0] = (uint8_t)(c | (n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0));
	return n;
}

/* The characters from lo to hi, all beyond ASCII, when each byte ranges by itself. */
static void put_sequence(struct x_regex *t, uint32_t lo, uint32_t hi)
{
	uint8_t from[4], to[4];
	size_t n = encode(lo, from);

	encode(hi, to);
	if (++t->characters > MAX_CHARACTERS)
		t->why = "the pattern has too many ranges of characters";
	if (t->out[t->n - 1] != '(')
		put_char(t, '|');
	for (size_t i = 0; i < n; i++) {
		if (from[i] == to[i]) {
			put_char(t, (char)from[i]);
		} else {
			put_char(t, '[');
			put_char(t, (char)from[i]);
			put_char(t, '-');
			put_char(t, (char)to[i]);
			put_char(t, ']');
		}
	}
}

/* Where a range has to be cut so that each byte ranges by itself: the last character before. */
static uint32_t cut(uint32_t lo, uint32_t hi)
{
	static const uint32_t longer[] = { 0x7ff, 0xffff };

	for (size_t i = 0; i < 2; i++)
		if (lo <= longer[i] && hi > longer[i])
			return longer[i];
	for (unsigned bits = 6; bits <= 18; bits += 6) {
		uint32_t low = (1u << bits) - 1;

		if ((lo | low) == (hi | low))
			break;
		if (lo & low)
			return lo | low;
		if ((hi & low) != low)
			return (hi & ~low) - 1;
	}
	return hi;
}

static void put_range(struct x_regex *t, uint32_t lo, uint32_t hi)
{
	while (lo <= hi && !t->why) {
		uint32_t end = hi;

		for (uint32_t c = cut(lo, end); c != end; c = cut(lo, end))
			end = c;
		put_sequence(t, lo, end);
		lo = end + 1;
	}
}

/* All characters beyond ASCII that are in none of the ranges. */
static void put_others(struct x_regex *t)
{
	uint32_t lo = 0x80;

	while (lo <= LAST_CHARACTER && !t->why) {
		uint32_t end = LAST_CHARACTER, past = 0;

		for (size_t i = 0; i < t->ranges; i++) {
			const struct x_regex_range *r = &t->range[i];

			if (r->lo <= lo && lo <= r->hi && r->hi >= past)
				past = r->hi + 1;
			else if (r->lo > lo && r->lo - 1 < end)
				end = r->lo - 1;
		}
		if (!past)
			put_range(t, lo, end);
		lo = past ? past : end + 1;
	}
}

/* A letter of ASCII between [ and ]: wherever it comes to stand, it stands for itself. */
static void put_member(struct x_regex *t, uint32_t c)
{
	bool special = strchr("[]^-", (int)c) != NULL;

	put(t, special ? "[." : "");
	put_char(t, (char)c);
	put(t, special ? ".]" : "");
}

/* What follows a backslash. */
static void take_escape(struct x_regex *t, char c, bool bracket)
{
	switch (c) {
	case 'd':
		put(t, bracket ? "0-9" : "[0-9]");
		return;
	case 'w':
		put(t, bracket ? "[:alnum:]_" : "[[:alnum:]_]");
		return;
	case 's':
		put(t, bracket ? "[:space:]" : "[[:space:]]");
		return;
	case 'n':
		put_char(t, '\n');
		return;
	case 't':
		put_char(t, '\t');
		return;
	case 'r':
		put_char(t, '\r');
		return;
	default:
		break;
	}
	if (bracket && strchr("DWSbB", c)) {
		t->why = "this class is not supported between [ and ]";
	} else if (bracket) {
		/* a bracket takes these letter by letter, at its end or front only where they
		 * mean something */
		if (strchr("]^-\\", c))
			t->why =
				"escaped ], ^, - or \\ between [ and ] is not supported: put it first or last, unescaped";
		else
			put_member(t, (uint8_t)c);
	} else if (c == 'D') {
		put(t, "([^0-9" CONTINUATION "]" CONTINUED ")");
	} else if (c == 'W') {
		put(t, "([^[:alnum:]_" CONTINUATION "]" CONTINUED ")");
	} else if (c == 'S') {
		put(t, "([^[:space:]" CONTINUATION "]" CONTINUED ")");
	} else if (c >= '0' && c <= '9') {
		t->why = "back-references are not supported";
	} else if (c == 'b' || c == 'B') {
		put_char(t, '\\');
		put_char(t, c);
	} else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
		t->why = "this escape is not supported";
	} else {
		put_char(t, '\\');
		put_char(t, c);
	}
}

/* {m}, {m,}, {m,n} at s[i]; bounds how often things repeat. Gives the place after it. */
static size_t take_counts(struct x_regex *t, const char *s, size_t n, size_t i)
{
	unsigned value = 0, max = 1;

	for (; i < n; i++) {
		put_char(t, s[i]);
		if (s[i] >= '0' && s[i] <= '9') {
			value = value * 10 + (unsigned)(s[i] - '0');
			if (value > MAX_REPEAT)
				break;
			max = value > max ? value : max;
		} else {
			value = 0;
			if (s[i] == '}')
				break;
		}
	}
	if (value > MAX_REPEAT || max * t->repeat > MAX_REPEAT)
		t->why = "the pattern repeats too often";
	else
		t->repeat *= max;
	return i + 1;
}

/* A character or a range between [ and ], at s[i]. Gives the place after it. */
static size_t take_member(struct x_regex *t, const char *s, size_t n, size_t i)
{
	size_t len;
	uint32_t lo = character(s, n, i, &len), hi = lo;
	bool range;

	i += len;
	range = n - i >= 2 && s[i] == '-' && !strchr("]\\", s[i + 1]);
	if (range && lo < 0x80 && n - i >= 3 && s[i + 1] == '[' && strchr(":.=", s[i + 2])) {
		put_member(t, lo);
		put_char(t, s[i]); /* to a letter that has a name: [+-[.-.]] */
		return i + 1;
	}
	if (range) {
		hi = character(s, n, i + 1, &len);
		i += 1 + len;
	}
	if (hi < lo)
		t->why = "a range between [ and ] ends before it begins";
	if (lo < 0x80) {
		put_member(t, lo);
		if (range) {
			put_char(t, '-');
			put_member(t, hi < 0x80 ? hi : 0x7f);
		}
	}
	if (hi >= 0x80)
		t->range[t->ranges++] =
			(struct x_regex_range){ .lo = lo < 0x80 ? 0x80 : lo, .hi = hi };
	return i;
}

/* What stands between [ and ], from s[i] on. Gives the place of the ]. */
static size_t take_members(struct x_regex *t, const char *s, size_t n, size_t i)
{
	size_t begin = i;

	while (i < n && (s[i] != ']' || i == begin) && !t->why) {
		if (s[i] == 0) {
			t->why = "a zero byte in the pattern";
		} else if (s[i] == '[' && i + 1 < n && strchr(":.=", s[i + 1])) {
			char close = s[i + 1];

			put_char(t, s[i++]);
			put_char(t, s[i++]);
			while (i + 1 < n && !(s[i] == close && s[i + 1] == ']'))
				put_char(t, s[i++]);
			if (i + 1 < n) {
				put_char(t, s[i++]);
				put_char(t, s[i++]);
			} else {
				i = n;
			}
			if (close == '.' && n > i && n - i >= 2 && s[i] == '-' && s[i + 1] != ']')
				put_char(t, s[i++]);
		} else if (s[i] == '\\' && i + 1 < n && !(s[i + 1] & 0x80)) {
			take_escape(t, s[i + 1], true);
			i += 2;
		} else {
			i = take_member(t, s, n, i + (s[i] == '\\' && i + 1 < n));
		}
	}
	if (i >= n && !t->why)
		t->why = "a [ is not closed";
	return i;
}

/* [...] at s[i], as (letters of ASCII|characters). Gives the place after it. */
static size_t take_bracket(struct x_regex *t, const char *s, size_t n, size_t i)
{
	bool negated = i + 1 < n && s[i + 1] == '^';
	size_t begin;

	t->ranges = 0;
	put(t, "(");
	begin = t->n;
	put(t, negated ? "[^" : "[");
	i = take_members(t, s, n, i + (negated ? 2 : 1));
	if (!negated && t->n == begin + 1) {
		t->n = begin; /* none of ASCII */
	} else if (!negated) {
		put(t, "]");
	} else if (t->ranges == 0) {
		put(t, CONTINUATION "]" CONTINUED);
	} else {
		put(t, "\x80-\xff]");
	}
	if (negated && t->ranges)
		put_others(t);
	for (size_t k = 0; !negated && k < t->ranges; k++)
		put_range(t, t->range[k].lo, t->range[k].hi);
	put(t, ")");
	return i + 1;
}

/* A character beyond ASCII at s[i]: a quantifier behind it is about all of its bytes. */
static size_t take_character(struct x_regex *t, const char *s, size_t n, size_t i)
{
	size_t len;

	character(s, n, i, &len);
	put_char(t, '(');
	for (size_t k = 0; k < len; k++)
		put_char(t, s[i + k]);
	put_char(t, ')');
	return i + len;
}

void evs_x_regex_translate(struct x_regex *t, const char *s, size_t n)
{
	size_t i = 0;
	bool quantified = false;

	t->repeat = 1;
	if (n > X_REGEX_PATTERN)
		t->why = "the pattern is too long";
	if (n >= 4 && !memcmp(s, "(?i)", 4)) {
		t->icase = true;
		i = 4;
	}
	while (i < n && !t->why) {
		bool was = quantified;

		quantified = false;
		if (s[i] == 0) {
			t->why = "a zero byte in the pattern";
		} else if (s[i] == '\\' && i + 1 < n && !(s[i + 1] & 0x80)) {
			take_escape(t, s[i + 1], false);
			i += 2;
		} else if (s[i] == '\\' && i + 1 < n) {
			i = take_character(t, s, n, i + 1);
		} else if (s[i] == '.') {
			put(t, "([^" CONTINUATION "]" CONTINUED ")");
			i++;
		} else if (s[i] & 0x80) {
			i = take_character(t, s, n, i);
		} else if (s[i] == '[') {
			i = take_bracket(t, s, n, i);
		} else if (s[i] == '{') {
			i = take_counts(t, s, n, i);
			quantified = true;
		} else if (s[i] == '(' && n - i >= 2 && s[i + 1] == '?') {
			if (n - i >= 3 && s[i + 2] == ':')
				put_char(t, '(');
			else
				t->why =
					"(?...) other than (?:...), and (?i) in front, is not supported";
			i += 3;
		} else if (was && (s[i] == '?' || s[i] == '+')) {
			if (s[i] == '+')
				t->why = "possessive quantifiers are not supported";
			i++; /* lazy: the same texts match */
		} else {
			quantified = s[i] == '*' || s[i] == '+' || s[i] == '?';
			put_char(t, s[i++]);
		}
	}
	t->out[t->n] = 0;
}
