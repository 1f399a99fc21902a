/*
 * Splitting texts for TEMPLATE nodes, see enc_split.h: JSON by its strings and numbers, other text,
 * lines of logs above all, by words.
 *
 * In JSON every string that is no key, and every number, is a piece, and its key is the path that
 * leads to it: the same column whatever else the value holds. In other text a word is a piece when
 * it has a digit or is rare.
 */
#include "format/enc_split.h"

#define MAX_NEST   32
#define HEX_LEAST  8
#define HEX_DIGITS 20 /* so many hex digits may be digits alone */
#define MAX_NUMBER 18
#define MAX_UNIT   3 /* letters behind a number: ms, kg, % */

/* Marks: pieces of different forms make different skeletons. */
enum mark { TEXT = 1, NUMBER = 2, DIGITS = 3, HEX = 4, UUID = 5, WORD = 6 };

static inline bool is_digit(uint8_t c)
{
	return (uint8_t)(c - '0') < 10;
}

static inline bool is_alpha(uint8_t c)
{
	return (uint8_t)((c | 32) - 'a') < 26;
}

static inline bool is_hex(uint8_t c)
{
	return is_digit(c) || (uint8_t)(c - 'a') < 6;
}

static inline uint32_t mix(uint32_t h, uint32_t x)
{
	h = (h ^ x) * 0x9e3779b1u;
	return h ^ h >> 15;
}

static uint32_t hash(const uint8_t *p, size_t len, uint32_t h)
{
	for (size_t i = 0; i < len; i++)
		h = mix(h, p[i]);
	return h;
}

static inline void put_text(struct evs_split *s, const uint8_t *p, size_t len)
{
	memcpy(s->skeleton + s->len, p, len);
	s->len += (uint32_t)len;
}

static inline bool put_piece(struct evs_split *s, enum mark mark, const uint8_t *p, size_t len,
			     uint32_t key)
{
	if (s->pieces == s->max_pieces)
		return false;
	s->piece[s->pieces++] = (struct evs_piece){ .at = (int32_t)(p - s->data),
						    .len = (uint32_t)len,
						    .key = key };
	s->skeleton[s->len++] = (uint8_t)mark;
	return true;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static size_t digits(const uint8_t *p, const uint8_t *end)
{
	size_t n = 0;

	while (p + n < end && is_digit(p[n]))
		n++;
	return n;
}

/*
 * Digits, and further ones behind dots: a decimal, an address. What stands before a dot is a
 * number, what stands behind it are digits, which may begin with 0. Returns the bytes that it took,
 * 0: there is no room.
 */
static size_t put_dotted(struct evs_split *s, const uint8_t *p, const uint8_t *end, uint32_t key)
{
	size_t n = digits(p, end), at = n, more;
	bool ok = put_piece(s, n <= MAX_NUMBER && (p[0] != '0' || n == 1) ? NUMBER : DIGITS, p, n,
			    key);

	while (ok && p + at + 1 < end && p[at] == '.' && is_digit(p[at + 1])) {
		put_text(s, p + at, 1);
		more = digits(p + at + 1, end);
		key = key ? mix(key, '.') | 1 : 0;
		ok = put_piece(s, DIGITS, p + at + 1, more, key);
		at += 1 + more;
	}
	return ok ? at : 0;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* Bytes of the string at `p`, quotes included; 0: it has no end. */
static size_t json_string(const uint8_t *p, const uint8_t *end)
{
	for (const uint8_t *q = p + 1; q < end; q++) {
		if (*q == '"')
			return (size_t)(q + 1 - p);
		q += *q == '\\';
	}
	return 0;
}

static bool put_json_string(struct evs_split *s, const uint8_t *p, size_t n, uint32_t path)
{
	put_text(s, p, 1);
	if (!put_piece(s, TEXT, p + 1, n - 2, path))
		return false;
	put_text(s, p + n - 1, 1);
	return true;
}

/* The last byte is a bracket: no string, number or word ends there. */
static bool split_json(struct evs_split *s, const uint8_t *p, const uint8_t *end)
{
	uint32_t path[MAX_NEST] = { 1 };
	unsigned depth = 0;
	size_t n;

	while (p < end) {
		n = 1;
		if (*p == '{' || *p == '[') {
			if (++depth == MAX_NEST)
				return false;
			path[depth] = mix(path[depth - 1], *p) | 1;
		} else if (*p == '}' || *p == ']') {
			depth -= depth > 0;
		}
		if (*p == '"') {
			n = json_string(p, end);
			if (!n)
				return false;
			if (p[n] == ':' && depth) {
				path[depth] = hash(p, n, path[depth - 1]) | 1;
				n++;
			} else if (!put_json_string(s, p, n, path[depth])) {
				return false;
			} else {
				p += n;
				continue;
			}
		} else if (is_digit(*p)) {
			n = put_dotted(s, p, end, path[depth]);
			if (!n)
				return false;
			p += n;
			continue;
		} else if (is_alpha(*p)) { /* true, false, null, the exponent of a number */
			while (is_alpha(p[n]))
				n++;
			if (!put_piece(s, WORD, p, n, mix(path[depth], 'w') | 1))
				return false;
			p += n;
			continue;
		}
		put_text(s, p, n);
		p += n;
	}
	return true;
}

/* ---- words ----------------------------------------------------------------------------------- */

/* What stands between words. */
static const bool spaces[256] = {
	[' '] = true, ['\t'] = true, ['\n'] = true, [','] = true, [';'] = true, ['('] = true,
	[')'] = true, ['['] = true,  [']'] = true,  ['{'] = true, ['}'] = true, ['<'] = true,
	['>'] = true, ['"'] = true,  ['\''] = true, ['='] = true, ['|'] = true,
};

static inline bool is_space(uint8_t c)
{
	return spaces[c];
}

static inline bool joins(uint8_t c)
{
	return c == '-' || c == '_' || c == '.' || c == '/' || c == '+';
}

static inline uint16_t *counter(struct evs_split *s, const uint8_t *p, size_t len)
{
	return &s->words[hash(p, len, 7) % EVS_SPLIT_WORDS];
}

static inline bool is_often(struct evs_split *s, const uint8_t *p, size_t len)
{
	return *counter(s, p, len) >= s->often;
}

static bool has_digit(const uint8_t *p, size_t len)
{
	bool has = false;

	for (size_t i = 0; i < len; i++)
		has |= is_digit(p[i]);
	return has;
}

static bool is_hex_word(const uint8_t *p, size_t len)
{
	bool letters = false;

	if (len < HEX_LEAST || len % 2)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_hex(p[i]))
			return false;
		letters |= !is_digit(p[i]);
	}
	return letters || len >= HEX_DIGITS;
}

static bool is_uuid(const uint8_t *p, size_t len)
{
	if (len != 36)
		return false;
	for (size_t i = 0; i < len; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? p[i] != '-' : !is_hex(p[i]))
			return false;
	return true;
}

/* Letters in front of the first joint. */
static size_t first_word(const uint8_t *p, size_t len)
{
	size_t n = 0;

	while (n < len && is_alpha(p[n]))
		n++;
	return n && n < len && joins(p[n]) ? n : 0;
}

static bool put_number(struct evs_split *s, const uint8_t *p, size_t len)
{
	size_t n = put_dotted(s, p, p + len, 0), unit = len - n;

	if (!n)
		return false;
	for (size_t i = n; i < len; i++)
		if (!is_alpha(p[i]) && p[i] != '%')
			unit = MAX_UNIT + 1;
	if (unit > MAX_UNIT)
		return put_piece(s, TEXT, p + n, len - n, 0);
	put_text(s, p + n, unit);
	return true;
}

/* A word without spaces, '@' and ':'. `alone`: it is all there is. */
static bool put_word(struct evs_split *s, const uint8_t *p, size_t len, bool alone)
{
	size_t n;

	if (!len)
		return true;
	if (is_uuid(p, len))
		return put_piece(s, UUID, p, len, 0);
	if (is_hex_word(p, len))
		return put_piece(s, HEX, p, len, 0);
	if (!has_digit(p, len) && is_often(s, p, len)) {
		put_text(s, p, len);
		return true;
	}
	if (is_digit(*p) && !evs_time_is(p, len))
		return put_number(s, p, len);
	n = alone ? first_word(p, len) : 0;
	if (n && is_often(s, p, n)) {
		put_text(s, p, n + 1);
		return put_word(s, p + n + 1, len - n - 1, alone);
	}
	for (n = len; is_digit(p[n - 1]);) /* they are not all of it */
		n--;
	if (n > 1 && n < len && joins(p[n - 1]) && (p[n] != '0' || n + 1 == len) &&
	    !evs_time_is(p, len)) {
		if (!put_piece(s, TEXT, p, n - 1, 0))
			return false;
		put_text(s, p + n - 1, 1);
		return put_piece(s, NUMBER, p + n, len - n, 0);
	}
	return put_piece(s, TEXT, p, len, 0);
}

/* Bytes up to the next space; all of a place on the web, and of what stands between quotes. */
static size_t word_end(const uint8_t *p, const uint8_t *end, bool *whole)
{
	size_t n = 0;

	*whole = false;
	while (p + n < end && !is_space(p[n])) {
		if (p[n] == ':' && p + n + 2 < end && p[n + 1] == '/' && p[n + 2] == '/')
			*whole = true;
		n++;
	}
	while (*whole && p + n < end && p[n] > ' ' && p[n] != '"' && p[n] != '\'')
		n++;
	return n;
}

static bool put_words(struct evs_split *s, const uint8_t *p, size_t len, bool alone)
{
	size_t tail = 0, n;

	while (tail < len && (p[len - 1 - tail] == '.' || p[len - 1 - tail] == ':' ||
			      p[len - 1 - tail] == '!' || p[len - 1 - tail] == '?'))
		tail++;
	len -= tail;
	for (size_t at = 0; at < len; at += n) {
		for (n = 0; at + n < len && p[at + n] != '@' && p[at + n] != ':';)
			n++;
		if (!put_word(s, p + at, n, alone && n == len))
			return false;
		if (at + n < len)
			put_text(s, p + at + n++, 1);
	}
	put_text(s, p + len, tail);
	return true;
}

static bool split_text(struct evs_split *s, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *start = p;
	bool whole, quoted;
	size_t n;

	while (p < end) {
		n = *p == '"' && p > start ? json_string(p, end) : 0;
		quoted = n > 2;
		if (quoted) {
			if (!put_json_string(s, p, n, 0))
				return false;
		} else if (is_space(*p)) {
			n = 1;
			put_text(s, p, 1);
		} else {
			n = word_end(p, end, &whole);
			if (whole ? !put_piece(s, TEXT, p, n, 0)
				  : !put_words(s, p, n, p == start && p + n == end))
				return false;
		}
		p += n;
	}
	return true;
}

static bool is_json(const uint8_t *p, size_t len)
{
	return len > 1 &&
	       ((p[0] == '{' && p[len - 1] == '}') || (p[0] == '[' && p[len - 1] == ']'));
}

void evs_split_count(struct evs_split *s, const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len;
	size_t n, word;
	bool whole;

	if (is_json(p, len))
		return;
	while (p < end) {
		if (is_space(*p)) {
			p++;
			continue;
		}
		n = word_end(p, end, &whole);
		for (word = n; word && (p[word - 1] == ':' || p[word - 1] == '.');)
			word--;
		if (!whole && *counter(s, p, word) < UINT16_MAX)
			++*counter(s, p, word);
		word = n == len ? first_word(p, n) : 0;
		if (word && *counter(s, p, word) < UINT16_MAX)
			++*counter(s, p, word);
		p += n;
	}
}

bool evs_split_value(struct evs_split *s, int32_t at, size_t len)
{
	const uint8_t *p = s->data + at;
	uint32_t pieces = s->pieces;
	bool ok = true;

	s->len = 0;
	for (size_t i = 0; i < len; i++)
		ok &= p[i] >= EVS_SPLIT_MARKS;
	ok = ok && (is_json(p, len) ? split_json(s, p, p + len) : split_text(s, p, p + len));
	if (!ok)
		s->pieces = pieces;
	return ok;
}
