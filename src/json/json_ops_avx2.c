/*
 * The inner loops with AVX2, 32 bytes at a time. Chosen at run time (json_ops.c); the last
 * bytes of a line and of a buffer go through the portable loops, so nothing is read or written
 * outside.
 */
#include "src/json/json_ops.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* A bit for each '"', '\' and byte below 0x20. */
AVX2 static inline uint32_t marks(__m256i v)
{
	__m256i quote = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('"'));
	__m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'));
	__m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);

	return (uint32_t)_mm256_movemask_epi8(
		_mm256_or_si256(_mm256_or_si256(quote, slash), control));
}

AVX2 static inline __m256i load(const char *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

AVX2 static const char *find_avx2(const char *p, const char *end, bool *high)
{
	for (; end - p >= 32; p += 32) {
		__m256i v = load(p);
		uint32_t m = marks(v), top = (uint32_t)_mm256_movemask_epi8(v);

		if (m) {
			if (top & ((m & -m) - 1))
				*high = true;
			return p + __builtin_ctz(m);
		}
		if (top)
			*high = true;
	}
	return evs_find_portable(p, end, high);
}

AVX2 static void copy_avx2(struct evs_strcopy *c)
{
	const char *p = c->p, *end = c->end;
	char *d = c->d, *dend = c->dend;
	uint32_t high = 0;

	while (end - p >= 32 && dend - d >= 32) {
		__m256i v = load(p);
		uint32_t m = marks(v), top = (uint32_t)_mm256_movemask_epi8(v);
		unsigned n;
		char e;

		_mm256_storeu_si256((__m256i *)(void *)d, v);
		if (!m) {
			high |= top;
			p += 32;
			d += 32;
			continue;
		}
		high |= top & ((m & -m) - 1);
		n = (unsigned)__builtin_ctz(m);
		p += n;
		d += n;
		if (*p != '\\' || end - p < 2 || !(e = evs_json_escapes[(uint8_t)p[1]])) {
			c->high |= high != 0;
			c->p = p;
			c->d = d;
			return;
		}
		*d++ = e;
		p += 2;
	}
	c->high |= high != 0;
	c->p = p;
	c->d = d;
	evs_copy_portable(c);
}

AVX2 static bool same_avx2(const char *p, const char *q, size_t n)
{
	uint32_t m = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(p), load(q)));

	if (n <= 32)
		return !(~m << (32 - n));
	return m == UINT32_MAX &&
	       !(~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(p + 32), load(q + 32)))
		 << (64 - n));
}

AVX2 static int plain_avx2(const char *p, char *d)
{
	for (int n = 0; n < EVS_PLAIN; n += 32) {
		__m256i v = load(p + n);
		uint32_t m = marks(v), top = (uint32_t)_mm256_movemask_epi8(v);

		_mm256_storeu_si256((__m256i *)(void *)(d + n), v);
		if (top & ((m & -m) - 1))
			return -1;
		if (m) {
			n += __builtin_ctz(m);
			return p[n] == '"' ? n : -1;
		}
	}
	return -1;
}

/* The same marks in 16 bytes. */
AVX2 static inline uint32_t marks16(__m128i v)
{
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);

	return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control));
}

/*
 * 4 to 15 bytes without anything to escape, by loads and stores that overlap; false: there is
 * something, or they are fewer.
 */
AVX2 static inline bool put_short(const char *s, size_t n, char *d, bool *high)
{
	uint64_t a, b;
	__m128i v;

	if (n >= 8) {
		memcpy(&a, s, 8);
		memcpy(&b, s + n - 8, 8);
		v = _mm_set_epi64x((long long)b, (long long)a);
		if (marks16(v))
			return false;
		memcpy(d, &a, 8);
		memcpy(d + n - 8, &b, 8);
	} else if (n >= 4) {
		uint32_t lo, hi;

		memcpy(&lo, s, 4);
		memcpy(&hi, s + n - 4, 4);
		a = (uint64_t)hi << 32 | lo;
		v = _mm_set_epi64x((long long)a, (long long)a);
		if (marks16(v))
			return false;
		memcpy(d, &lo, 4);
		memcpy(d + n - 4, &hi, 4);
	} else {
		return false;
	}
	if (_mm_movemask_epi8(v))
		*high = true;
	return true;
}

AVX2 static char *escape_avx2(const char *s, size_t n, char *d, bool *high)
{
	const char *end = s + n;
	__m256i all = _mm256_setzero_si256();

	if (n < 16)
		return put_short(s, n, d, high) ? d + n : evs_escape_portable(s, n, d, high);

	if (n <= 32) { /* most strings: two loads that overlap, and nothing to escape */
		__m128i a = _mm_loadu_si128((const __m128i *)(const void *)s);
		__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(end - 16));

		if (!(marks16(a) | marks16(b))) {
			_mm_storeu_si128((__m128i *)(void *)d, a);
			_mm_storeu_si128((__m128i *)(void *)(d + n - 16), b);
			if (_mm_movemask_epi8(_mm_or_si128(a, b)))
				*high = true;
			return d + n;
		}
	}
	while (end - s >= 32) {
		__m256i v = load(s);
		uint32_t m = marks(v);
		unsigned k;

		all = _mm256_or_si256(all, v);
		_mm256_storeu_si256((__m256i *)(void *)d, v);
		if (!m) {
			s += 32;
			d += 32;
			continue;
		}
		k = (unsigned)__builtin_ctz(m);
		d = evs_escape_byte(s[k], d + k);
		s += k + 1;
	}
	if (_mm256_movemask_epi8(all))
		*high = true;
	n = (size_t)(end - s);
	if (n >= 16) { /* the same again for what is left */
		__m128i a = _mm_loadu_si128((const __m128i *)(const void *)s);

		if (!marks16(a)) {
			_mm_storeu_si128((__m128i *)(void *)d, a);
			if (_mm_movemask_epi8(a))
				*high = true;
			s += 16;
			d += 16;
			n -= 16;
		}
	}
	return n < 16 && put_short(s, n, d, high) ? d + n : evs_escape_portable(s, n, d, high);
}

/*
 * Hex digits to nibbles: c | 0x20 folds the cases, digits are c - '0', letters c - 'a' + 10.
 * What is neither is found by comparing with both ranges.
 */
AVX2 static bool uuid_read_avx2(const char *text, uint8_t *uuid)
{
	__m128i head = _mm_loadu_si128((const __m128i *)(const void *)text);
	__m128i mid = _mm_loadu_si128((const __m128i *)(const void *)(text + 8));
	__m128i tail = _mm_loadu_si128((const __m128i *)(const void *)(text + 20));
	/* Digits 0-13 of the 32 are in `head`, 14-16 in `mid`, 17-31 in `tail`. */
	__m128i a =
		_mm_or_si128(_mm_shuffle_epi8(head, _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11,
								  12, 14, 15, -1, -1)),
			     _mm_shuffle_epi8(mid, _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1,
								 -1, -1, -1, -1, -1, 8, 9)));
	__m128i b =
		_mm_or_si128(_mm_shuffle_epi8(mid, _mm_setr_epi8(11, -1, -1, -1, -1, -1, -1, -1, -1,
								 -1, -1, -1, -1, -1, -1, -1)),
			     _mm_shuffle_epi8(tail, _mm_setr_epi8(-1, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10,
								  11, 12, 13, 14, 15)));
	__m256i v, letter, digit, bad, nibble;

	if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-')
		return false;
	v = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
	digit = _mm256_sub_epi8(v, _mm256_set1_epi8('0'));
	letter = _mm256_sub_epi8(_mm256_or_si256(v, _mm256_set1_epi8(0x20)), _mm256_set1_epi8('a'));
	bad = _mm256_and_si256(
		_mm256_cmpeq_epi8(_mm256_max_epu8(digit, _mm256_set1_epi8(10)), digit),
		_mm256_cmpeq_epi8(_mm256_max_epu8(letter, _mm256_set1_epi8(6)), letter));
	if (!_mm256_testz_si256(bad, bad))
		return false;
	nibble = _mm256_blendv_epi8(_mm256_add_epi8(letter, _mm256_set1_epi8(10)), digit,
				    _mm256_cmpgt_epi8(_mm256_set1_epi8('9' + 1), v));
	/* high * 16 + low in 16-bit lanes, then packed */
	v = _mm256_maddubs_epi16(nibble, _mm256_set1_epi16(0x0110));
	v = _mm256_permute4x64_epi64(_mm256_packus_epi16(v, v), 0x08);
	_mm_storeu_si128((__m128i *)(void *)uuid, _mm256_castsi256_si128(v));
	return true;
}

AVX2 static void uuid_print_avx2(const uint8_t *uuid, char *text)
{
	const __m256i hex = _mm256_broadcastsi128_si256(_mm_setr_epi8(
		'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'));
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)uuid);
	__m256i w = _mm256_cvtepu8_epi16(v);
	char digits[32];

	w = _mm256_or_si256(_mm256_srli_epi16(w, 4), _mm256_slli_epi16(w, 8));
	w = _mm256_shuffle_epi8(hex, _mm256_and_si256(w, _mm256_set1_epi8(15)));
	_mm256_storeu_si256((__m256i *)(void *)digits, w);
	memcpy(text, digits, 8);
	text[8] = '-';
	memcpy(text + 9, digits + 8, 4);
	text[13] = '-';
	memcpy(text + 14, digits + 12, 4);
	text[18] = '-';
	memcpy(text + 19, digits + 16, 4);
	text[23] = '-';
	memcpy(text + 24, digits + 20, 12);
}

const struct evs_json_ops evs_json_avx2 = {
	.find = find_avx2,
	.copy = copy_avx2,
	.same = same_avx2,
	.plain = plain_avx2,
	.escape = escape_avx2,
	.uuid_read = uuid_read_avx2,
	.uuid_print = uuid_print_avx2,
};

#else

const struct evs_json_ops evs_json_avx2 = {
	.find = evs_find_portable,
	.copy = evs_copy_portable,
	.same = evs_same_portable,
	.plain = evs_plain_portable,
	.escape = evs_escape_portable,
	.uuid_read = evs_uuid_read_portable,
	.uuid_print = evs_uuid_print_portable,
};

#endif
