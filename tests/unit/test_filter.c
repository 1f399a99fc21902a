/*
 * Filters (spec 7.8): what was put in is found, little else is, and the bits are those of the spec.
 */
#include "tests/unit/t.h"

#include "format/filter.h"

#include <stdlib.h>
#include <xxhash.h>

static void put(struct evs_array *a, uint64_t v)
{
	uint8_t raw[16] = { 0 };

	evs_put64(raw, v * 0x9e3779b97f4a7c15u);
	if (a->phys == EVS_INT)
		(void)evs_array_append_int(a, v);
	else if (a->phys == EVS_FIXED)
		(void)evs_array_append_fixed(a, raw);
	else
		(void)evs_array_append_bytes(a, raw, v % 9);
}

/* `distinct` values, each `times` times, and some nulls. */
static void fill(struct evs_array *a, uint64_t from, uint32_t distinct, uint32_t times)
{
	for (uint32_t i = 0; i < distinct; i++)
		for (uint32_t k = 0; k < times; k++)
			put(a, from + i);
	(void)evs_array_append_nulls(a, 3);
}

static size_t check(struct evs_array *a, uint32_t distinct, uint32_t times)
{
	struct evs_buf b = { 0 };
	struct evs_array other;
	uint32_t missing = 0, passed = 0, asked = 10000;
	size_t len;

	fill(a, 0, distinct, times);
	T_CHECK(evs_filter_takes(a) && evs_filter_build(a, &b) == 0);
	T_CHECK(evs_filter_sound(b.len));
	for (uint32_t i = 0; i < a->rows - 3; i++)
		missing += !evs_filter_may_hold(b.p, b.len, evs_filter_hash(a, i));
	t_eq_u64("every value is in", missing, 0);
	evs_array_init(&other, EVS_INT, 8, false);
	for (uint32_t i = 0; i < asked; i++)
		put(&other, 1000000007u + i);
	for (uint32_t i = 0; i < asked; i++)
		passed += evs_filter_may_hold(b.p, b.len, evs_filter_hash(&other, i));
	T_CHECK(passed < asked / 100);
	len = b.len;
	evs_array_release(&other);
	evs_array_release(a);
	evs_buf_release(&b);
	return len;
}

static void sizes(void)
{
	struct evs_array a;

	evs_array_init(&a, EVS_INT, 8, true);
	t_eq_u64("one value", check(&a, 1, 65536), 32);
	evs_array_init(&a, EVS_INT, 8, true);
	t_eq_u64("no value twice", check(&a, 65536, 1), 65536 * 16 / 8);
	evs_array_init(&a, EVS_INT, 4, true);
	t_eq_u64("each value 16 times", check(&a, 4096, 16), 4096 * 16 / 8);
	evs_array_init(&a, EVS_FIXED, 16, false);
	T_CHECK(check(&a, 20000, 2) <= 65536);
	evs_array_init(&a, EVS_BYTES, 0, false);
	T_CHECK(check(&a, 3000, 1) <= 8192);
	evs_array_init(&a, EVS_INT, 4, false);
	t_eq_u64("at most 2 MiB", check(&a, 1u << 20, 1),
		 (uint64_t)EVS_FILTER_MAX_BLOCKS * EVS_FILTER_BLOCK);
}

/* The bits of one value, worked out as spec 7.8 says. */
static void bits(void)
{
	static const uint32_t salts[8] = { 0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
					   0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31 };
	static const uint8_t minus_two[8] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct evs_buf b = { 0 };
	struct evs_array a;
	uint64_t h = XXH3_64bits(minus_two, 8);

	evs_array_init(&a, EVS_INT, 2, true);
	(void)evs_array_append_int(&a, (uint64_t)-2);
	T_CHECK(evs_filter_hash(&a, 0) == h);
	T_CHECK(evs_filter_build(&a, &b) == 0 && b.len == 32);
	for (unsigned w = 0; w < 8; w++)
		T_CHECK(evs_get32(b.p + 4 * w) == (uint32_t)1 << ((uint32_t)h * salts[w] >> 27));
	b.p[0] = b.p[1] = b.p[2] = b.p[3] = 0;
	T_CHECK(!evs_filter_may_hold(b.p, b.len, h));
	evs_array_release(&a);
	evs_buf_release(&b);
}

static void lengths(void)
{
	struct evs_array a;

	T_CHECK(!evs_filter_sound(0) && !evs_filter_sound(31) && !evs_filter_sound(48));
	T_CHECK(evs_filter_sound(32) && evs_filter_sound(96) && evs_filter_sound(65536 * 32));
	T_CHECK(!evs_filter_sound(65537 * 32));
	evs_array_init(&a, EVS_FLOAT, 8, true);
	T_CHECK(!evs_filter_takes(&a));
}

int main(void)
{
	sizes();
	bits();
	lengths();
	return t_done();
}
