/*
 * Bits to integers with AVX2 and BMI2: four values of 8 bytes or eight of 4 by one gather, eight of
 * 1 or 2 bytes by spreading the bits of a word. Chosen at run time (enc_bitpack.c), where the
 * portable loop stands, which does what is left.
 */
#include "format/cpu.h"
#include "format/enc_impl.h"

#if defined(__x86_64__) && !defined(EVS_PORTABLE)

#include <assert.h>
#include <immintrin.h>

#define FAST __attribute__((target("avx2,bmi2")))

FAST static size_t unpack8(uint8_t *out, const uint8_t *in, size_t n, unsigned bits, uint64_t base)
{
	const __m256i mask = _mm256_set1_epi64x((long long)(UINT64_MAX >> (64 - bits)));
	const __m256i low = _mm256_set1_epi64x((long long)base), seven = _mm256_set1_epi64x(7);
	const __m256i step = _mm256_set1_epi64x(4ll * bits);
	__m256i pos = _mm256_set_epi64x(3ll * bits, 2ll * bits, bits, 0), v;
	size_t i;

	for (i = 0; i + 4 <= n; i += 4) {
		v = _mm256_i64gather_epi64((const long long *)(const void *)in,
					   _mm256_srli_epi64(pos, 3), 1);
		v = _mm256_and_si256(_mm256_srlv_epi64(v, _mm256_and_si256(pos, seven)), mask);
		_mm256_storeu_si256((__m256i *)(void *)(out + 8 * i), _mm256_add_epi64(v, low));
		pos = _mm256_add_epi64(pos, step);
	}
	return i;
}

/* bits <= 25, so that four bytes hold any value; places are counted from a byte that eight values
 * end with. */
FAST static size_t unpack4(uint8_t *out, const uint8_t *in, size_t n, unsigned bits, uint64_t base)
{
	const __m256i mask = _mm256_set1_epi32((int)(UINT32_MAX >> (32 - bits)));
	const __m256i low = _mm256_set1_epi32((int)(uint32_t)base), seven = _mm256_set1_epi32(7);
	const __m256i pos = _mm256_mullo_epi32(_mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0),
					       _mm256_set1_epi32((int)bits));
	const __m256i at = _mm256_srli_epi32(pos, 3), shift = _mm256_and_si256(pos, seven);
	__m256i v;
	size_t i;

	for (i = 0; i + 8 <= n; i += 8, in += bits) {
		v = _mm256_i32gather_epi32((const int *)(const void *)in, at, 1);
		v = _mm256_and_si256(_mm256_srlv_epi32(v, shift), mask);
		_mm256_storeu_si256((__m256i *)(void *)(out + 4 * i), _mm256_add_epi32(v, low));
	}
	return i;
}

/* bits <= 15 */
FAST static size_t unpack2(uint8_t *out, const uint8_t *in, size_t n, unsigned bits, uint64_t base)
{
	const uint64_t where = 0x0001000100010001u * ((1u << bits) - 1);
	const __m128i low = _mm_set1_epi16((short)(uint16_t)base);
	unsigned at = 4 * bits >> 3, shift = 4 * bits & 7;
	__m128i v;
	size_t i;

	for (i = 0; i + 8 <= n; i += 8, in += bits) {
		v = _mm_set_epi64x((long long)_pdep_u64(evs_le64(in + at) >> shift, where),
				   (long long)_pdep_u64(evs_le64(in), where));
		_mm_storeu_si128((__m128i *)(void *)(out + 2 * i), _mm_add_epi16(v, low));
	}
	return i;
}

/* bits <= 7 */
FAST static size_t unpack1(uint8_t *out, const uint8_t *in, size_t n, unsigned bits, uint64_t base)
{
	const uint64_t where = 0x0101010101010101u * ((1u << bits) - 1);
	const __m128i low = _mm_set1_epi8((char)(uint8_t)base);
	__m128i v;
	size_t i;

	for (i = 0; i + 8 <= n; i += 8, in += bits) {
		v = _mm_cvtsi64_si128((long long)_pdep_u64(evs_le64(in), where));
		_mm_storel_epi64((__m128i *)(void *)(out + i), _mm_add_epi8(v, low));
	}
	return i;
}

size_t evs_bits_unpack_avx2(uint8_t *out, const uint8_t *in, size_t n, unsigned w, unsigned bits,
			    uint64_t base)
{
	/* unreached: a machine has them or has not */
	if (!evs_cpu_avx2() || !evs_cpu_bmi2())
		return 0;
	assert(bits < 8 * w); /* whole values are not packed */
	switch (w) {
	case 1:
		return unpack1(out, in, n, bits, base);
	case 2:
		return unpack2(out, in, n, bits, base);
	case 4:
		return bits <= 25 ? unpack4(out, in, n, bits, base) : 0;
	default:
		return bits <= 57 ? unpack8(out, in, n, bits, base) : 0;
	}
}

#else

size_t evs_bits_unpack_avx2(uint8_t *out, const uint8_t *in, size_t n, unsigned w, unsigned bits,
			    uint64_t base)
{
	(void)out;
	(void)in;
	(void)n;
	(void)w;
	(void)bits;
	(void)base;
	return 0;
}

#endif
