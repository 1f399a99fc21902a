/*
 * Building and asking split block Bloom filters. See filter.h.
 */
#include "format/filter.h"

#include <string.h>
#include <xxhash.h>

#define WORDS	     (EVS_FILTER_BLOCK / 4)
#define BITS_PER_ROW 16u

static const uint32_t salts[WORDS] = { 0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
				       0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31 };

bool evs_filter_takes(const struct evs_array *a)
{
	return a->phys == EVS_INT || a->phys == EVS_FIXED || a->phys == EVS_BYTES;
}

uint64_t evs_filter_hash(const struct evs_array *a, uint32_t row)
{
	uint8_t raw[8];
	size_t n;
	const uint8_t *p;

	if (a->phys == EVS_INT) {
		evs_put64(raw, evs_array_int(a, row));
		return XXH3_64bits(raw, sizeof(raw));
	}
	p = evs_array_bytes(a, row, &n);
	return XXH3_64bits(p, n);
}

static size_t block_of(uint64_t hash, size_t blocks)
{
	return (size_t)(((hash >> 32) * blocks) >> 32);
}

static uint32_t mask(uint64_t hash, unsigned word)
{
	return (uint32_t)1 << ((uint32_t)hash * salts[word] >> 27);
}

static void add(uint8_t *blocks, size_t n, uint64_t hash)
{
	uint8_t *p = blocks + block_of(hash, n) * EVS_FILTER_BLOCK;

	for (unsigned w = 0; w < WORDS; w++)
		evs_put32(p + 4 * w, evs_get32(p + 4 * w) | mask(hash, w));
}

static unsigned bits_set(uint64_t v)
{
	return (unsigned)__builtin_popcountll(v);
}

/* Blocks 2i and 2i + 1 become block i, if no more than half of the bits are set then. */
static bool fold(uint8_t *blocks, size_t n)
{
	const size_t half = EVS_FILTER_BLOCK * n / 2;
	uint64_t set = 0;

	for (size_t i = 0; i < half; i += 8) {
		const uint8_t *a =
			blocks + i / EVS_FILTER_BLOCK * 2 * EVS_FILTER_BLOCK + i % EVS_FILTER_BLOCK;

		set += bits_set(evs_get64(a) | evs_get64(a + EVS_FILTER_BLOCK));
	}
	if (set > half * 8 / 2)
		return false;
	for (size_t i = 0; i < half; i += 8) {
		const uint8_t *a =
			blocks + i / EVS_FILTER_BLOCK * 2 * EVS_FILTER_BLOCK + i % EVS_FILTER_BLOCK;

		evs_put64(blocks + i, evs_get64(a) | evs_get64(a + EVS_FILTER_BLOCK));
	}
	return true;
}

int evs_filter_build(const struct evs_array *a, struct evs_buf *out)
{
	size_t n = 1, at = out->len;
	uint64_t last = 0;
	bool any = false;
	uint8_t *blocks;

	while (n < EVS_FILTER_MAX_BLOCKS &&
	       n * EVS_FILTER_BLOCK * 8 < (uint64_t)(a->rows - a->nulls) * BITS_PER_ROW)
		n *= 2;
	evs_buf_put_zero(out, n * EVS_FILTER_BLOCK);
	if (!evs_buf_ok(out))
		return EVS_E_NOMEM;
	blocks = out->p + at;
	for (uint32_t i = 0; i < a->rows; i++) {
		uint64_t hash;

		if (evs_array_is_null(a, i))
			continue;
		hash = evs_filter_hash(a, i);
		if (!any || hash != last) /* rows are sorted, so equal ones are often neighbours */
			add(blocks, n, hash);
		any = true;
		last = hash;
	}
	while (n > 1 && fold(blocks, n))
		n /= 2;
	out->len = at + n * EVS_FILTER_BLOCK;
	return 0;
}

bool evs_filter_sound(uint64_t len)
{
	return len && len % EVS_FILTER_BLOCK == 0 &&
	       len / EVS_FILTER_BLOCK <= EVS_FILTER_MAX_BLOCKS;
}

bool evs_filter_may_hold(const uint8_t *blocks, size_t len, uint64_t hash)
{
	const uint8_t *p = blocks + block_of(hash, len / EVS_FILTER_BLOCK) * EVS_FILTER_BLOCK;

	for (unsigned w = 0; w < WORDS; w++)
		if (!(evs_get32(p + 4 * w) & mask(hash, w)))
			return false;
	return true;
}
