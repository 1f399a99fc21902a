/*
 * Bit packing and byte planes: the two ways in which numbers of a known range are laid down.
 *
 * Each loop is written once over the element width and specialised by the switch that calls it. The
 * unpacker reads eight bytes at a time as long as eight bytes are left and assembles the last
 * values byte by byte, so that it never reads past the end.
 */
#include "format/enc_impl.h"

void evs_copy_le(uint8_t *dst, const uint8_t *src, uint32_t n, unsigned w)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	for (size_t i = 0; i < n; i++)
		for (unsigned b = 0; b < w; b++)
			dst[i * w + b] = src[i * w + (w - 1 - b)];
#else
	memcpy(dst, src, (size_t)n * w);
#endif
}

static inline __attribute__((always_inline)) void pack(uint8_t *out, const uint8_t *p, uint32_t n,
						       unsigned w, unsigned bits, uint64_t base)
{
	uint64_t mask = UINT64_MAX >> (64 - bits);
	uint64_t acc = 0, v;
	unsigned fill = 0;

	for (size_t i = 0; i < n; i++) {
		v = (evs_ld(p, i, w) - base) & mask;
		acc |= v << fill;
		fill += bits;
		if (fill >= 64) {
			evs_put64(out, acc);
			out += 8;
			fill -= 64;
			acc = fill ? v >> (bits - fill) : 0;
		}
	}
	evs_put64(out, acc); /* the room for 8 bytes more */
}

void evs_bits_pack(uint8_t *out, const uint8_t *p, uint32_t n, unsigned w, unsigned bits,
		   uint64_t base)
{
	switch (w) {
	case 1:
		pack(out, p, n, 1, bits, base);
		break;
	case 2:
		pack(out, p, n, 2, bits, base);
		break;
	case 4:
		pack(out, p, n, 4, bits, base);
		break;
	default:
		pack(out, p, n, 8, bits, base);
	}
}

/* Value whose bits start at bit `pos`, without reading at or past `len` bytes. */
static uint64_t bits_at(const uint8_t *in, size_t len, uint64_t pos, unsigned bits)
{
	size_t at = (size_t)(pos >> 3);
	unsigned have = 0, skip = (unsigned)(pos & 7);
	uint64_t v = 0;

	while (have < bits && at < len) {
		v |= (uint64_t)(in[at++] >> skip) << have;
		have += 8 - skip;
		skip = 0;
	}
	return v & UINT64_MAX >> (64 - bits);
}

static inline __attribute__((always_inline)) void unpack(uint8_t *out, const uint8_t *in,
							 size_t avail, uint32_t n, unsigned w,
							 unsigned bits, uint64_t base,
							 bool portable)
{
	size_t fast = 0, i;
	uint64_t mask = UINT64_MAX >> (64 - bits);
	uint64_t pos;

	/* bits + 7 <= 64: one load holds any value, whatever bit of a byte it starts at. */
	if (bits <= 57 && avail >= 8)
		fast = (size_t)(((uint64_t)(avail - 8) * 8 + 7) / bits + 1);
	if (fast > n)
		fast = n;
	i = portable ? 0 : evs_bits_unpack_avx2(out, in, fast, w, bits, base);
	pos = (uint64_t)i * bits;
	for (; i < fast; i++) {
		evs_st(out, i, w, base + (evs_le64(in + (pos >> 3)) >> (pos & 7) & mask));
		pos += bits;
	}
	for (; i < n; i++) {
		evs_st(out, i, w, base + bits_at(in, avail, pos, bits));
		pos += bits;
	}
}

/* Whole bytes are by far the most frequent and vectorise. */
static inline __attribute__((always_inline)) void widen(uint8_t *out, const uint8_t *in, uint32_t n,
							unsigned w, unsigned from, uint64_t base)
{
	for (size_t i = 0; i < n; i++)
		evs_st(out, i, w, base + evs_ld(in, i, from));
}

static inline __attribute__((always_inline)) void unpack_any(uint8_t *out, const uint8_t *in,
							     size_t avail, uint32_t n, unsigned w,
							     unsigned bits, uint64_t base,
							     bool portable)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	switch (bits) {
	case 8:
		widen(out, in, n, w, 1, base);
		return;
	case 16:
		widen(out, in, n, w, 2, base);
		return;
	case 32:
		widen(out, in, n, w, 4, base);
		return;
	case 64:
		widen(out, in, n, w, 8, base);
		return;
	default:
		break;
	}
#endif
	unpack(out, in, avail, n, w, bits, base, portable);
}

static inline __attribute__((always_inline)) void unpack_width(uint8_t *out, const uint8_t *in,
							       size_t avail, uint32_t n, unsigned w,
							       unsigned bits, uint64_t base,
							       bool portable)
{
	switch (w) {
	case 1:
		unpack_any(out, in, avail, n, 1, bits, base, portable);
		break;
	case 2:
		unpack_any(out, in, avail, n, 2, bits, base, portable);
		break;
	case 4:
		unpack_any(out, in, avail, n, 4, bits, base, portable);
		break;
	default:
		unpack_any(out, in, avail, n, 8, bits, base, portable);
	}
}

void evs_bits_unpack(uint8_t *out, const uint8_t *in, size_t avail, uint32_t n, unsigned w,
		     unsigned bits, uint64_t base)
{
	unpack_width(out, in, avail, n, w, bits, base, false);
}

void evs_bits_unpack_portable(uint8_t *out, const uint8_t *in, size_t avail, uint32_t n, unsigned w,
			      unsigned bits, uint64_t base)
{
	unpack_width(out, in, avail, n, w, bits, base, true);
}

bool evs_bits_clean(const uint8_t *in, uint32_t n, unsigned bits)
{
	unsigned used = (unsigned)((uint64_t)n * bits & 7);

	return !used || !(in[evs_packed_len(n, bits) - 1] >> used);
}

static inline __attribute__((always_inline)) void split(uint8_t *out, const uint8_t *p, uint32_t n,
							unsigned w, unsigned k, uint64_t base)
{
	for (unsigned j = 0; j < k; j++)
		for (size_t i = 0; i < n; i++)
			out[(size_t)j * n + i] = (uint8_t)((evs_ld(p, i, w) - base) >> 8 * j);
}

void evs_planes_split(uint8_t *out, const uint8_t *p, uint32_t n, unsigned w, unsigned k,
		      uint64_t base)
{
	switch (w) {
	case 1:
		split(out, p, n, 1, k, base);
		break;
	case 2:
		split(out, p, n, 2, k, base);
		break;
	case 4:
		split(out, p, n, 4, k, base);
		break;
	default:
		split(out, p, n, 8, k, base);
	}
}

static inline __attribute__((always_inline)) void join(uint8_t *out, const uint8_t *in, uint32_t n,
						       unsigned w, unsigned k, uint64_t base)
{
	uint64_t v;

	for (size_t i = 0; i < n; i++) {
		v = base;
		for (unsigned j = 0; j < k; j++)
			v += (uint64_t)in[(size_t)j * n + i] << 8 * j;
		evs_st(out, i, w, v);
	}
}

static inline __attribute__((always_inline)) void join_any(uint8_t *out, const uint8_t *in,
							   uint32_t n, unsigned w, unsigned k,
							   uint64_t base)
{
	switch (k) {
	case 1:
		join(out, in, n, w, 1, base);
		break;
	case 2:
		join(out, in, n, w, 2, base);
		break;
	case 3:
		join(out, in, n, w, 3, base);
		break;
	case 4:
		join(out, in, n, w, 4, base);
		break;
	default:
		join(out, in, n, w, k, base);
	}
}

void evs_planes_join(uint8_t *out, const uint8_t *in, uint32_t n, unsigned w, unsigned k,
		     uint64_t base)
{
	switch (w) {
	case 1:
		join_any(out, in, n, 1, k, base);
		break;
	case 2:
		join_any(out, in, n, 2, k, base);
		break;
	case 4:
		join_any(out, in, n, 4, k, base);
		break;
	default:
		join_any(out, in, n, 8, k, base);
	}
}
