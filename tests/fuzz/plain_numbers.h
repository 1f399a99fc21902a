/*
 * The ground of the plain decoder of plain_column.h: what it knows of a column, its memory, and
 * numbers of spec/segment.md 1.2 and 6.3.
 */
#ifndef EVS_TESTS_FUZZ_PLAIN_NUMBERS_H
#define EVS_TESTS_FUZZ_PLAIN_NUMBERS_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum plain_result { PLAIN_OK = 0, PLAIN_BAD = 1, PLAIN_NEWER = 2, PLAIN_LARGE = 3 };
enum plain_shape {
	PLAIN_INT = 1,
	PLAIN_FLOAT,
	PLAIN_FIXED,
	PLAIN_BYTES,
	PLAIN_LIST,
	PLAIN_MAP
}; /* numbered as enum evs_phys */

struct plain_value {
	bool null;
	uint64_t num; /* INT, FLOAT: the w low bytes; LIST, MAP: how many elements */
	const uint8_t *p;
	size_t len;
};

struct plain_column {
	enum plain_shape shape;
	unsigned w;
	size_t rows;
	struct plain_value *v;
	struct plain_column *child; /* given by the caller: 1 of a LIST, 2 of a MAP */
};

#define PLAIN_BLOCKS 16384u
#define PLAIN_MEMORY ((size_t)32 << 20)

struct plain_reader {
	const uint8_t *p, *end;
	jmp_buf out;
	void *block[PLAIN_BLOCKS]; /* all memory there is */
	size_t nblocks, memory;
};

static inline _Noreturn void plain_fail(struct plain_reader *r, enum plain_result why)
{
	longjmp(r->out, (int)why);
}

static inline void plain_demand(struct plain_reader *r, bool ok)
{
	if (!ok)
		plain_fail(r, PLAIN_BAD);
}

static inline void *plain_room(struct plain_reader *r, size_t n, size_t size)
{
	void *p;

	if (r->nblocks == PLAIN_BLOCKS || n > (PLAIN_MEMORY - r->memory) / size)
		plain_fail(r, PLAIN_LARGE);
	p = calloc(n ? n : 1, size);
	if (!p)
		plain_fail(r, PLAIN_LARGE);
	r->memory += n * size;
	r->block[r->nblocks++] = p;
	return p;
}

/* ---- 1.2 numbers ----------------------------------------------------------------------------- */

static inline const uint8_t *plain_take(struct plain_reader *r, size_t n)
{
	plain_demand(r, n <= (size_t)(r->end - r->p));
	r->p += n;
	return r->p - n;
}

static inline uint8_t plain_u8(struct plain_reader *r)
{
	return *plain_take(r, 1);
}

static inline uint64_t plain_varint(struct plain_reader *r)
{
	unsigned __int128 v = 0;
	uint8_t byte;

	for (unsigned i = 0;; i++) {
		plain_demand(r, i < 10);
		byte = plain_u8(r);
		v |= (unsigned __int128)(byte & 127) << 7 * i;
		if (byte < 128) {
			plain_demand(r, (byte || i == 0) && v <= UINT64_MAX);
			return (uint64_t)v;
		}
	}
}

static inline uint64_t plain_mask(unsigned w)
{
	return w == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * w) - 1;
}

static inline uint64_t plain_unzigzag(uint64_t v, unsigned w)
{
	return (v % 2 ? ~(v / 2) : v / 2) & plain_mask(w);
}

static inline uint64_t plain_number(struct plain_reader *r, unsigned w)
{
	uint64_t v = plain_varint(r);

	plain_demand(r, v <= plain_mask(w));
	return plain_unzigzag(v, w);
}

static inline uint64_t plain_le(const uint8_t *p, unsigned w)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < w; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static inline uint64_t plain_between(struct plain_reader *r, uint64_t v, uint64_t lo, uint64_t hi)
{
	plain_demand(r, v >= lo && v <= hi);
	return v;
}

/* A kind, of a node that lies `depth` deep. */
static inline uint8_t plain_kind(struct plain_reader *r, unsigned depth)
{
	plain_demand(r, depth <= 8);
	return plain_u8(r);
}

/* ---- 6.3 INT --------------------------------------------------------------------------------- */

static inline uint64_t *plain_ints(struct plain_reader *r, size_t n, unsigned w, unsigned depth);

/* n values of b bits; what is left of the last byte is zero. */
static inline uint64_t *plain_bits(struct plain_reader *r, size_t n, unsigned b)
{
	size_t bytes = (n * b + 7) / 8;
	const uint8_t *p = plain_take(r, bytes);
	uint64_t *v = plain_room(r, n, sizeof(*v));

	for (size_t i = 0; i < n * b; i++)
		v[i / b] |= (uint64_t)(p[i / 8] >> i % 8 & 1) << i % b;
	for (size_t i = n * b; i < bytes * 8; i++)
		plain_demand(r, !(p[i / 8] >> i % 8 & 1));
	return v;
}

static inline void plain_rising(struct plain_reader *r, const uint64_t *place, size_t n, size_t end)
{
	for (size_t i = 0; i < n; i++)
		plain_demand(r, place[i] < end && (!i || place[i] > place[i - 1]));
}

/* Lengths of stretches that make up n. */
static inline uint64_t *plain_lengths(struct plain_reader *r, size_t count, size_t n,
				      unsigned depth)
{
	uint64_t *len = plain_ints(r, count, 4, depth), sum = 0;

	for (size_t i = 0; i < count; i++) {
		plain_demand(r, len[i] > 0);
		sum += len[i];
	}
	plain_demand(r, sum == n);
	return len;
}

static inline uint64_t *plain_codes(struct plain_reader *r, size_t n, uint64_t d, unsigned depth)
{
	uint64_t *c = plain_ints(r, n, d <= 256 ? 1 : d <= 65536 ? 2 : 4, depth);

	for (size_t i = 0; i < n; i++)
		plain_demand(r, c[i] < d);
	return c;
}

static inline void plain_packed(struct plain_reader *r, uint64_t *v, size_t n, unsigned w,
				unsigned depth, bool patched)
{
	uint64_t base = plain_number(r, w), *bits, *place, *high;
	unsigned b = (unsigned)plain_between(r, plain_u8(r), 1, 8 * w - patched);
	size_t p = patched ? (size_t)plain_between(r, plain_varint(r), 1, n) : 0;

	bits = plain_bits(r, n, b);
	for (size_t i = 0; i < n; i++)
		v[i] = base + bits[i];
	if (!patched)
		return;
	place = plain_ints(r, p, 4, depth + 1);
	high = plain_ints(r, p, w, depth + 1);
	plain_rising(r, place, p, n);
	for (size_t i = 0; i < p; i++)
		v[place[i]] += high[i] << b;
}

static inline void plain_blocks(struct plain_reader *r, uint64_t *v, size_t n, unsigned w,
				unsigned depth)
{
	uint64_t base = plain_number(r, w);
	uint64_t *width = plain_ints(r, (n + 127) / 128, 1, depth + 1), *bits;

	for (size_t i = 0; i < n; i += 128) {
		size_t m = n - i < 128 ? n - i : 128;

		plain_demand(r, width[i / 128] <= 8 * w);
		bits = width[i / 128] ? plain_bits(r, m, (unsigned)width[i / 128]) : NULL;
		for (size_t k = 0; k < m; k++)
			v[i + k] = base + (bits ? bits[k] : 0);
	}
}

static inline void plain_delta(struct plain_reader *r, uint64_t *v, size_t n, unsigned w,
			       unsigned depth)
{
	uint64_t z, *d;

	plain_demand(r, n >= 2);
	z = plain_between(r, plain_u8(r), 0, 1);
	v[0] = plain_number(r, w);
	d = plain_ints(r, n - 1, w, depth + 1);
	for (size_t i = 1; i < n; i++)
		v[i] = v[i - 1] + (z ? plain_unzigzag(d[i - 1], w) : d[i - 1]);
}

static inline void plain_delta2(struct plain_reader *r, uint64_t *v, size_t n, unsigned w,
				unsigned depth)
{
	uint64_t diff, *d;

	plain_demand(r, n >= 3);
	v[0] = plain_number(r, w);
	diff = plain_number(r, w);
	v[1] = v[0] + diff;
	d = plain_ints(r, n - 2, w, depth + 1);
	for (size_t i = 2; i < n; i++) {
		diff += plain_unzigzag(d[i - 2], w);
		v[i] = v[i - 1] + diff;
	}
}

static inline void plain_runs(struct plain_reader *r, uint64_t *v, size_t n, unsigned w,
			      unsigned depth)
{
	size_t count = (size_t)plain_between(r, plain_varint(r), 1, n), at = 0;
	uint64_t *value = plain_ints(r, count, w, depth + 1);
	uint64_t *len = plain_lengths(r, count, n, depth + 1);

	for (size_t i = 0; i < count; i++)
		for (uint64_t k = 0; k < len[i]; k++)
			v[at++] = value[i];
}

static inline void plain_planes(struct plain_reader *r, uint64_t *v, size_t n, unsigned w)
{
	uint64_t base = plain_number(r, w);
	unsigned k = (unsigned)plain_between(r, plain_u8(r), 1, w);
	const uint8_t *p = plain_take(r, n * k);

	for (size_t i = 0; i < n; i++) {
		v[i] = base;
		for (unsigned j = 0; j < k; j++)
			v[i] += (uint64_t)p[j * n + i] << 8 * j;
	}
}

static inline void plain_int_dict(struct plain_reader *r, uint64_t *v, size_t n, unsigned w,
				  unsigned depth)
{
	uint64_t d = plain_between(r, plain_varint(r), 1, n);
	uint64_t *value = plain_ints(r, (size_t)d, w, depth + 1);
	uint64_t *code = plain_codes(r, n, d, depth + 1);

	for (size_t i = 0; i < n; i++)
		v[i] = value[code[i]];
}

static inline void plain_scaled(struct plain_reader *r, uint64_t *v, size_t n, unsigned w,
				unsigned depth)
{
	uint64_t base = plain_number(r, w);
	uint64_t g = plain_between(r, plain_varint(r), 2, plain_mask(w));
	uint64_t *k = plain_ints(r, n, w, depth + 1);

	for (size_t i = 0; i < n; i++)
		v[i] = base + k[i] * g;
}

static inline void plain_recent(struct plain_reader *r, uint64_t *v, size_t n, unsigned w,
				unsigned depth)
{
	uint64_t *c = plain_ints(r, n, w, depth + 1), next = 0;

	for (size_t i = 0; i < n; i++) {
		plain_demand(r, c[i] <= next);
		v[i] = c[i] ? next - c[i] : next++;
	}
}

/* The n values of an INT(w) node, each in its w low bytes. */
static inline void plain_int_kind(struct plain_reader *r, uint8_t kind, uint64_t *v, size_t n,
				  unsigned w, unsigned depth)
{
	uint64_t number;
	const uint8_t *p;

	switch (kind) {
	case 1:
		p = plain_take(r, n * w);
		for (size_t i = 0; i < n; i++)
			v[i] = plain_le(p + i * w, w);
		break;
	case 2:
		number = plain_number(r, w);
		for (size_t i = 0; i < n; i++)
			v[i] = number;
		break;
	case 3:
		plain_int_dict(r, v, n, w, depth);
		break;
	case 4:
		plain_runs(r, v, n, w, depth);
		break;
	case 5:
	case 6:
		plain_packed(r, v, n, w, depth, kind == 6);
		break;
	case 7:
		plain_delta(r, v, n, w, depth);
		break;
	case 8:
		plain_delta2(r, v, n, w, depth);
		break;
	case 9:
		plain_scaled(r, v, n, w, depth);
		break;
	case 10:
		plain_planes(r, v, n, w);
		break;
	case 18:
		plain_recent(r, v, n, w, depth);
		break;
	case 19:
		plain_blocks(r, v, n, w, depth);
		break;
	default:
		plain_fail(r, PLAIN_NEWER);
	}
	for (size_t i = 0; i < n; i++)
		v[i] &= plain_mask(w);
}

static inline uint64_t *plain_ints(struct plain_reader *r, size_t n, unsigned w, unsigned depth)
{
	uint8_t kind = plain_kind(r, depth);
	uint64_t *v = plain_room(r, n, sizeof(*v));

	plain_int_kind(r, kind, v, n, w, depth);
	return v;
}

#endif
