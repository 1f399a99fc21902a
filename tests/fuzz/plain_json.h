/*
 * A plain JSON parser to compare with: one character at a time, by the grammar of RFC 8259,
 * with none of the code of src/json. Written to be obviously right, not fast.
 */
#ifndef EVS_TESTS_PLAIN_JSON_H
#define EVS_TESTS_PLAIN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct plain {
	const unsigned char *s;
	size_t len, at;
	unsigned max_depth;
};

static inline int plain_peek(const struct plain *p)
{
	return p->at < p->len ? p->s[p->at] : -1;
}

static inline void plain_space(struct plain *p)
{
	while (plain_peek(p) == ' ' || plain_peek(p) == '\t' || plain_peek(p) == '\n' ||
	       plain_peek(p) == '\r')
		p->at++;
}

static inline bool plain_digits(struct plain *p)
{
	size_t from = p->at;

	while (plain_peek(p) >= '0' && plain_peek(p) <= '9')
		p->at++;
	return p->at > from;
}

static inline bool plain_number(struct plain *p)
{
	if (plain_peek(p) == '-')
		p->at++;
	if (plain_peek(p) == '0')
		p->at++;
	else if (!plain_digits(p))
		return false;
	if (plain_peek(p) == '.') {
		p->at++;
		if (!plain_digits(p))
			return false;
	}
	if (plain_peek(p) == 'e' || plain_peek(p) == 'E') {
		p->at++;
		if (plain_peek(p) == '+' || plain_peek(p) == '-')
			p->at++;
		return plain_digits(p);
	}
	return true;
}

static inline int plain_hex(struct plain *p)
{
	int v = 0;

	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		int c = plain_peek(p);
		const char *d = c > 0 ? strchr(digits, c) : NULL;

		if (!d)
			return -1;
		v = v * 16 + (int)((d - digits) % 16);
		p->at++;
	}
	return v;
}

/* Decoded strings are lists of code points; half a surrogate pair stays as it is. */
struct plain_text {
	uint32_t *cp;
	size_t n;
	bool lone;
};

static inline void plain_add(struct plain_text *t, uint32_t cp)
{
	/* two halves of an escape make one; raw UTF-8 never gives a half */
	if (t->n && t->cp[t->n - 1] >= 0xd800 && t->cp[t->n - 1] < 0xdc00 && cp >= 0xdc00 &&
	    cp < 0xe000) {
		t->cp[t->n - 1] = 0x10000 + ((t->cp[t->n - 1] - 0xd800) << 10) + (cp - 0xdc00);
		return;
	}
	t->cp[t->n++] = cp;
}

static inline bool plain_utf8(struct plain *p, uint32_t *cp)
{
	uint32_t c = p->s[p->at], min[] = { 0, 0x80, 0x800, 0x10000 };
	int more = c < 0x80		   ? 0
		   : c >= 0xc0 && c < 0xe0 ? 1
		   : c >= 0xe0 && c < 0xf0 ? 2
		   : c >= 0xf0 && c < 0xf8 ? 3
					   : -1;

	if (more < 0)
		return false;
	c = more == 0 ? c : more == 1 ? c & 0x1f : more == 2 ? c & 0x0f : c & 0x07;
	p->at++;
	for (int i = 0; i < more; i++) {
		if (plain_peek(p) < 0x80 || plain_peek(p) >= 0xc0)
			return false;
		c = c << 6 | (p->s[p->at++] & 0x3f);
	}
	*cp = c;
	return c >= min[more] && c <= 0x10ffff && !(c >= 0xd800 && c < 0xe000);
}

/* `t` may be NULL; else t->cp has room for every byte of the text. */
static inline bool plain_string(struct plain *p, struct plain_text *t)
{
	uint32_t cp;

	if (plain_peek(p) != '"')
		return false;
	p->at++;
	while (plain_peek(p) != '"') {
		int c = plain_peek(p);

		if (c < 0x20)
			return false;
		if (c != '\\') {
			if (!plain_utf8(p, &cp))
				return false;
		} else {
			static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
			const char *f;

			p->at++;
			c = plain_peek(p);
			if (c <= 0)
				return false;
			p->at++;
			if (c == 'u') {
				int v = plain_hex(p);

				if (v < 0)
					return false;
				cp = (uint32_t)v;
			} else {
				f = strchr(from, c);
				if (!f)
					return false;
				cp = (unsigned char)to[f - from];
			}
		}
		if (t)
			plain_add(t, cp);
	}
	p->at++;
	for (size_t i = 0; t && i < t->n; i++)
		t->lone |= t->cp[i] >= 0xd800 && t->cp[i] < 0xe000;
	return true;
}

static inline bool plain_value(struct plain *p, unsigned depth);

static inline bool plain_list(struct plain *p, unsigned depth, bool object)
{
	int close = object ? '}' : ']';

	if (depth > p->max_depth)
		return false;
	p->at++;
	plain_space(p);
	if (plain_peek(p) == close) {
		p->at++;
		return true;
	}
	for (;;) {
		plain_space(p);
		if (object) {
			if (!plain_string(p, NULL))
				return false;
			plain_space(p);
			if (plain_peek(p) != ':')
				return false;
			p->at++;
		}
		plain_space(p);
		if (!plain_value(p, depth))
			return false;
		plain_space(p);
		if (plain_peek(p) == close) {
			p->at++;
			return true;
		}
		if (plain_peek(p) != ',')
			return false;
		p->at++;
	}
}

static inline bool plain_word(struct plain *p, const char *word)
{
	size_t n = strlen(word);

	if (p->len - p->at < n || memcmp(p->s + p->at, word, n) != 0)
		return false;
	p->at += n;
	return true;
}

static inline bool plain_value(struct plain *p, unsigned depth)
{
	switch (plain_peek(p)) {
	case '{':
		return plain_list(p, depth + 1, true);
	case '[':
		return plain_list(p, depth + 1, false);
	case '"':
		return plain_string(p, NULL);
	case 't':
		return plain_word(p, "true");
	case 'f':
		return plain_word(p, "false");
	case 'n':
		return plain_word(p, "null");
	default:
		return plain_number(p);
	}
}

static inline bool plain_valid(const void *s, size_t len, unsigned max_depth)
{
	struct plain p = { s, len, 0, max_depth };

	plain_space(&p);
	if (!plain_value(&p, 0))
		return false;
	plain_space(&p);
	return p.at == len;
}

#endif
