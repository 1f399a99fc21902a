/*
 * The JSON grammar (RFC 8259) over one line, strictly: strings with their escapes and UTF-8,
 * and whole values of any nesting. Nothing recurses; open brackets are bits of a small stack.
 */
#include "src/json/json_lex.h"

#include "src/json/number.h"

const char *evs_utf8_check(const char *s, const char *e)
{
	const uint8_t *p = (const uint8_t *)s, *end = (const uint8_t *)e;

	while (p < end) {
		uint8_t c = *p, lo = 0x80, hi = 0xbf; /* limits of the second byte */
		unsigned n;

		if (end - p >= 8 && !(evs_get64(p) & 0x8080808080808080u)) {
			p += 8;
			continue;
		}
		if (c < 0x80) {
			p++;
			continue;
		}
		n = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
		if (c < 0xc2 || c > 0xf4 || end - p <= (ptrdiff_t)n)
			break;
		if (c == 0xe0)
			lo = 0xa0; /* shorter forms */
		else if (c == 0xed)
			hi = 0x9f; /* surrogates */
		else if (c == 0xf0)
			lo = 0x90;
		else if (c == 0xf4)
			hi = 0x8f; /* beyond U+10FFFF */
		if (p[1] < lo || p[1] > hi || (n > 1 && (p[2] & 0xc0) != 0x80) ||
		    (n > 2 && (p[3] & 0xc0) != 0x80))
			break;
		p += n + 1;
	}
	return s + (p - (const uint8_t *)s);
}

unsigned evs_utf8_put(uint32_t cp, char *out)
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

/* Four hex digits, or -1. */
static int32_t hex4(const char *p, const char *end)
{
	int32_t v = 0;

	if (end - p < 4)
		return -1;
	for (unsigned i = 0; i < 4; i++) {
		int c = (unsigned char)p[i], low = c | 0x20;

		if (c >= '0' && c <= '9')
			v = v * 16 + (c - '0');
		else if (low >= 'a' && low <= 'f')
			v = v * 16 + (low - 'a' + 10);
		else
			return -1;
	}
	return v;
}

/* Code point of the \uXXXX at p, or of two that make a pair; half a pair is given as it is. */
static const char *unicode_escape(struct evs_jlex *l, const char *p, uint32_t *cp)
{
	int32_t v = hex4(p + 2, l->end), low;

	if (v < 0)
		return evs_jlex_fail(l, p, "expected four hex digits after \\u");
	*cp = (uint32_t)v;
	p += 6;
	if (v < 0xd800 || v > 0xdbff || l->end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return p;
	low = hex4(p + 2, l->end);
	if (low < 0xdc00 || low > 0xdfff)
		return p;
	*cp = 0x10000 + (((uint32_t)v & 0x3ff) << 10) + ((uint32_t)low & 0x3ff);
	return p + 6;
}

/* What is wrong at p, where the string loops stopped for neither a quote nor a good escape. */
static const char *bad_string(struct evs_jlex *l, const char *p)
{
	if (p >= l->end || (*p == '\\' && l->end - p < 2))
		return evs_jlex_fail(l, l->end, "string without an end");
	if (*p == '\\')
		return evs_jlex_fail(l, p, "unknown escape");
	return evs_jlex_fail(l, p, "control character in a string");
}

static bool is_short_escape(char c)
{
	return c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' ||
	       c == 't';
}

const char *evs_jlex_skip_string(struct evs_jlex *l, const char *p, bool *plain)
{
	const char *start = p;
	bool high = false, escapes = false;
	char copy[EVS_PLAIN];
	uint32_t cp;
	int n = l->readable && l->readable - p >= EVS_PLAIN ? l->ops->plain(p, copy) : -1;

	if (n >= 0) {
		if (plain)
			*plain = true;
		return p + n + 1;
	}
	for (;;) {
		p = l->ops->find(p, l->end, &high);
		if (p < l->end && *p == '"')
			break;
		if (l->end - p < 2 || *p != '\\')
			return bad_string(l, p);
		escapes = true;
		if (is_short_escape(p[1])) {
			p += 2;
			continue;
		}
		if (p[1] != 'u')
			return bad_string(l, p);
		p = unicode_escape(l, p, &cp);
		if (!p)
			return NULL;
	}
	if (high) {
		const char *bad = evs_utf8_check(start, p);

		if (bad != p)
			return evs_jlex_fail(l, bad, "invalid UTF-8");
	}
	if (plain)
		*plain = !escapes;
	return p + 1;
}

enum evs_str evs_jlex_copy(struct evs_jlex *l, struct evs_strcopy *c)
{
	for (;;) {
		const char *p;
		uint32_t cp;

		l->ops->copy(c);
		p = c->p;
		if (p < c->end && *p == '"') {
			c->p++;
			return EVS_STR_DONE;
		}
		if (p == c->end || (unsigned char)*p < 0x20 || (*p == '\\' && c->end - p < 2)) {
			bad_string(l, p);
			return EVS_STR_BAD;
		}
		if (c->dend - c->d < 4)
			return EVS_STR_FULL;
		if (*p != '\\')
			continue; /* the loop stopped for want of room */
		if (p[1] != 'u') {
			if (is_short_escape(p[1]))
				continue;
			bad_string(l, p);
			return EVS_STR_BAD;
		}
		p = unicode_escape(l, p, &cp);
		if (!p)
			return EVS_STR_BAD;
		if (cp >= 0xd800 && cp <= 0xdfff)
			c->lone = true;
		c->d += evs_utf8_put(cp, c->d);
		c->p = p;
	}
}

const char *evs_jlex_string(struct evs_jlex *l, const char *p, struct evs_buf *b, bool *lone)
{
	struct evs_strcopy c = { .p = p, .end = l->end };
	enum evs_str st;

	do {
		size_t left = (size_t)(l->end - c.p);

		if (!evs_buf_reserve(b, (left < 256 ? left : 256) + 32))
			return NULL;
		c.d = (char *)b->p + b->len;
		c.dend = (char *)b->p + b->cap;
		st = evs_jlex_copy(l, &c);
		b->len = (size_t)(c.d - (char *)b->p);
	} while (st == EVS_STR_FULL);
	if (st == EVS_STR_BAD)
		return NULL;
	if (c.high) {
		const char *bad = evs_utf8_check(p, c.p - 1);

		if (bad != c.p - 1)
			return evs_jlex_fail(l, bad, "invalid UTF-8");
	}
	*lone = c.lone;
	return c.p;
}

static const char *skip_literal(struct evs_jlex *l, const char *p)
{
	static const char *const words[] = { "true", "false", "null" };

	for (unsigned i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(l->end - p) >= n && !memcmp(p, words[i], n))
			return p + n;
	}
	return evs_jlex_fail(l, p, "expected a value");
}

/* A string, a number, true, false or null. */
static const char *skip_scalar(struct evs_jlex *l, const char *p)
{
	const char *at, *next;
	struct evs_num n;

	if (*p == '"')
		return evs_jlex_skip_string(l, p + 1, NULL);
	if (*p != '-' && (unsigned char)(*p - '0') > 9)
		return skip_literal(l, p);
	next = evs_num_scan(&n, p, l->end, &at);
	return next ? next : evs_jlex_fail(l, at, "expected a digit");
}

/* `"key" :` and the space around it. */
static const char *skip_key(struct evs_jlex *l, const char *p)
{
	p = evs_jlex_space(p, l->end);
	if (p == l->end || *p != '"')
		return evs_jlex_fail(l, p, "expected a key in quotes");
	p = evs_jlex_skip_string(l, p + 1, NULL);
	if (!p)
		return NULL;
	p = evs_jlex_space(p, l->end);
	if (p == l->end || *p != ':')
		return evs_jlex_fail(l, p, "expected ':'");
	return evs_jlex_space(p + 1, l->end);
}

const char *evs_jlex_skip(struct evs_jlex *l, const char *p)
{
	uint64_t objects[EVS_JSON_MAX_DEPTH / 64] = { 0 }; /* a bit per open bracket: a '{' */
	unsigned depth = 0;

	for (;;) {
		if (p == l->end)
			return evs_jlex_fail(l, p, "expected a value");
		if (*p == '{' || *p == '[') {
			bool object = *p == '{';
			uint64_t bit = (uint64_t)1 << depth % 64;

			if (depth == EVS_JSON_MAX_DEPTH)
				return evs_jlex_fail(l, p, "nested too deep");
			p = evs_jlex_space(p + 1, l->end);
			if (p == l->end || *p != (object ? '}' : ']')) {
				if (object) {
					p = skip_key(l, p);
					if (!p)
						return NULL;
					objects[depth / 64] |= bit;
				} else {
					objects[depth / 64] &= ~bit;
				}
				depth++;
				continue;
			}
			p++;
		} else {
			p = skip_scalar(l, p);
			if (!p)
				return NULL;
		}
		/* A value is complete; close what ends here, and go on to the next value. */
		for (;;) {
			bool object;

			if (!depth)
				return p;
			object = objects[(depth - 1) / 64] >> (depth - 1) % 64 & 1;
			p = evs_jlex_space(p, l->end);
			if (p < l->end && *p == ',') {
				p = object ? skip_key(l, p + 1) : evs_jlex_space(p + 1, l->end);
				break;
			}
			if (p == l->end || *p != (object ? '}' : ']'))
				return evs_jlex_fail(l, p,
						     object ? "expected ',' or '}'"
							    : "expected ',' or ']'");
			p++;
			depth--;
		}
		if (!p)
			return NULL;
	}
}
