/*
 * The byte layer: every multi-byte number of a segment is read and written here, always bounded.
 *
 * The cursor functions compare with the bytes that are left before they touch them. The buffer
 * remembers a failed allocation, so that an encoder is written as a straight line of puts with one
 * check at its end.
 */
#include "format/bytes.h"

#include <stdlib.h>

bool evs_cur_u32(struct evs_cur *c, uint32_t *v)
{
	if (evs_cur_left(c) < 4)
		return false;
	*v = evs_get32(c->p);
	c->p += 4;
	return true;
}

bool evs_cur_long_varint(struct evs_cur *c, uint64_t *v)
{
	const uint8_t *p = c->p;
	uint64_t x = 0;

	for (unsigned shift = 0; p < c->end; shift += 7) {
		uint8_t byte = *p++;

		if (shift == 63 && byte > 1)
			return false; /* past 64 bits, or an eleventh byte */
		x |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (!byte)
			return false; /* a shorter form says the same; a byte alone does not come
					 here */
		*v = x;
		c->p = p;
		return true;
	}
	return false;
}

void evs_buf_release(struct evs_buf *b)
{
	if (!b)
		return;
	free(b->p);
	*b = (struct evs_buf){ 0 };
}

void evs_buf_reset(struct evs_buf *b)
{
	b->len = 0;
	b->failed = false;
}

bool evs_buf_reserve(struct evs_buf *b, size_t n)
{
	size_t cap;
	uint8_t *p;

	if (b->failed)
		return false;
	if (n <= b->cap - b->len)
		return true;
	if (n > SIZE_MAX / 4 || b->len > SIZE_MAX / 4) {
		b->failed = true;
		return false;
	}
	cap = b->cap + b->cap / 2;
	if (cap < b->len + n)
		cap = b->len + n;
	if (cap < 64)
		cap = 64;
	p = realloc(b->p, cap);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void evs_buf_put(struct evs_buf *b, const void *p, size_t n)
{
	if (!n || !evs_buf_reserve(b, n))
		return;
	memcpy(b->p + b->len, p, n);
	b->len += n;
}

void evs_buf_put_u8(struct evs_buf *b, uint8_t v)
{
	if (!evs_buf_reserve(b, 1))
		return;
	b->p[b->len++] = v;
}

void evs_buf_put_u16(struct evs_buf *b, uint16_t v)
{
	if (!evs_buf_reserve(b, 2))
		return;
	evs_put16(b->p + b->len, v);
	b->len += 2;
}

void evs_buf_put_u32(struct evs_buf *b, uint32_t v)
{
	if (!evs_buf_reserve(b, 4))
		return;
	evs_put32(b->p + b->len, v);
	b->len += 4;
}

void evs_buf_put_u64(struct evs_buf *b, uint64_t v)
{
	if (!evs_buf_reserve(b, 8))
		return;
	evs_put64(b->p + b->len, v);
	b->len += 8;
}

void evs_buf_put_varint(struct evs_buf *b, uint64_t v)
{
	if (!evs_buf_reserve(b, 10))
		return;
	while (v >= 0x80) {
		b->p[b->len++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	b->p[b->len++] = (uint8_t)v;
}

void evs_buf_put_zero(struct evs_buf *b, size_t n)
{
	if (!n || !evs_buf_reserve(b, n))
		return;
	memset(b->p + b->len, 0, n);
	b->len += n;
}

char *evs_text_copy(const char *p, size_t n)
{
	char *copy = malloc(n + 1);

	if (!copy)
		return NULL;
	if (n)
		memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}
