/*
 * Little-endian loads and stores, bounded varints, and a growable byte buffer.
 *
 * All of format/ reads and writes multi-byte numbers through these functions, so the host's byte
 * order and alignment never show. A varint is LEB128: seven bits a byte, low bits first, at most
 * ten bytes, and the shortest form only (spec 1.2).
 */
#ifndef EVS_FORMAT_BYTES_H
#define EVS_FORMAT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t evs_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t evs_get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t evs_get64(const uint8_t *p)
{
	return (uint64_t)evs_get32(p) | (uint64_t)evs_get32(p + 4) << 32;
}

static inline void evs_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void evs_put32(uint8_t *p, uint32_t v)
{
	evs_put16(p, (uint16_t)v);
	evs_put16(p + 2, (uint16_t)(v >> 16));
}

static inline void evs_put64(uint8_t *p, uint64_t v)
{
	evs_put32(p, (uint32_t)v);
	evs_put32(p + 4, (uint32_t)(v >> 32));
}

/* Bits set in `n` bytes. */
static inline uint64_t evs_count_bits(const uint8_t *p, size_t n)
{
	uint64_t count = 0, v;
	size_t i;

	for (i = 0; i + 8 <= n; i += 8) {
		memcpy(&v, p + i, 8);
		v -= v >> 1 & 0x5555555555555555u;
		v = (v & 0x3333333333333333u) + (v >> 2 & 0x3333333333333333u);
		v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
		count += v * 0x0101010101010101u >> 56;
	}
	for (; i < n; i++)
		count += (uint64_t)__builtin_popcount(p[i]);
	return count;
}

/*
 * Bytes still to be read. `p` moves forward, `end` stays; every evs_cur_* function checks the
 * distance before it reads and returns false, leaving `p` unchanged, when too little is left.
 */
struct evs_cur {
	const uint8_t *p;
	const uint8_t *end;
};

static inline size_t evs_cur_left(const struct evs_cur *c)
{
	return (size_t)(c->end - c->p);
}

static inline bool evs_cur_u8(struct evs_cur *c, uint8_t *v)
{
	if (c->p == c->end)
		return false;
	*v = *c->p++;
	return true;
}

bool evs_cur_u32(struct evs_cur *c, uint32_t *v);

/* False for a truncated, an over-long or a non-shortest varint. Most are of one byte. */
bool evs_cur_long_varint(struct evs_cur *c, uint64_t *v);
static inline bool evs_cur_varint(struct evs_cur *c, uint64_t *v)
{
	if (c->p == c->end || *c->p & 0x80)
		return evs_cur_long_varint(c, v);
	*v = *c->p++;
	return true;
}

/* `*v` points into the cursor's bytes; nothing is copied. */
static inline bool evs_cur_bytes(struct evs_cur *c, uint64_t n, const uint8_t **v)
{
	if (evs_cur_left(c) < n)
		return false;
	*v = c->p;
	c->p += n;
	return true;
}

/*
 * Growable bytes, owned by the struct. Zeroed is empty. A failed allocation sets `failed`; later
 * puts do nothing, so that a writer checks once at the end with evs_buf_ok().
 */
struct evs_buf {
	uint8_t *p;
	size_t len;
	size_t cap;
	bool failed;
};

void evs_buf_release(struct evs_buf *b); /* frees and zeroes; NULL is fine */
void evs_buf_reset(struct evs_buf *b);	 /* len = 0, failed = false; memory is kept */

/* Make room for `n` more bytes (false: out of memory) without changing `len`. Growth is by half. */
bool evs_buf_reserve(struct evs_buf *b, size_t n);

/* Append; nothing happens once `failed` is set. */
void evs_buf_put(struct evs_buf *b, const void *p, size_t n);
void evs_buf_put_u8(struct evs_buf *b, uint8_t v);
void evs_buf_put_u16(struct evs_buf *b, uint16_t v);
void evs_buf_put_u32(struct evs_buf *b, uint32_t v);
void evs_buf_put_u64(struct evs_buf *b, uint64_t v);
void evs_buf_put_varint(struct evs_buf *b, uint64_t v);
void evs_buf_put_zero(struct evs_buf *b, size_t n);

/* `n` bytes (p may be NULL when there are none) and a zero behind them, malloc'd; NULL: out of
 * memory. */
char *evs_text_copy(const char *p, size_t n);

static inline bool evs_buf_ok(const struct evs_buf *b)
{
	return !b->failed;
}

/* Zigzag: small magnitudes of either sign become small unsigned numbers. */
static inline uint64_t evs_zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static inline int64_t evs_unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

#endif
