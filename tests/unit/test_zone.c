/*
 * zone.c: bounds of columns of every shape. The ZONES section itself is in test_commit.c.
 */
#include "format/commit.h"
#include "tests/unit/t.h"

#include <math.h>

static void test_int_zones(void)
{
	struct evs_array a;
	struct evs_zone z = { .group = 3, .column = 4 };

	for (unsigned w = 1; w <= 8; w *= 2) {
		for (unsigned sign = 0; sign < 2; sign++) {
			evs_array_init(&a, EVS_INT, (uint16_t)w, sign);
			T_CHECK(!evs_zone_of(&z, &a));
			T_CHECK(evs_array_append_int(&a, 5) == 0);
			T_CHECK(evs_array_append_int(&a, (uint64_t)-2) == 0);
			T_CHECK(evs_array_append_int(&a, 7) == 0);
			T_CHECK(evs_zone_of(&z, &a) && z.nulls == 0 && z.min_len == 8);
			t_eq_u64("min", evs_get64(z.min), evs_array_int(&a, sign ? 1 : 0));
			t_eq_u64("max", evs_get64(z.max), evs_array_int(&a, sign ? 2 : 1));
			T_CHECK(evs_array_append_null(&a) == 0 && evs_zone_of(&z, &a));
			t_eq_u64("min beside null", evs_get64(z.min),
				 evs_array_int(&a, sign ? 1 : 0));
			T_CHECK(z.nulls == 1 && z.group == 3 && z.column == 4);
			evs_array_release(&a);
		}
	}
	evs_array_init(&a, EVS_INT, 4, true);
	T_CHECK(evs_array_append_nulls(&a, 3) == 0);
	T_CHECK(evs_zone_of(&z, &a) && z.nulls == 3 && !z.has_min && !z.has_max);
	evs_array_release(&a);
}

static void test_float_zones(void)
{
	struct evs_array a;
	struct evs_zone z;
	double d = 0;

	memset(&z, 0, sizeof(z));
	evs_array_init(&a, EVS_FLOAT, 4, true);
	T_CHECK(evs_array_append_float(&a, 1.5) == 0 && evs_array_append_float(&a, -2.5) == 0);
	T_CHECK(evs_array_append_null(&a) == 0);
	T_CHECK(evs_zone_of(&z, &a) && z.nulls == 1 && z.min_len == 8 && z.max_len == 8);
	memcpy(&d, &(uint64_t){ evs_get64(z.min) }, 8);
	T_CHECK(d <= -2.5 && d >= -2.5);
	memcpy(&d, &(uint64_t){ evs_get64(z.max) }, 8);
	T_CHECK(d <= 1.5 && d >= 1.5);
	T_CHECK(evs_array_append_float(&a, NAN) == 0 && !evs_zone_of(&z, &a));
	evs_array_release(&a);
}

static void test_byte_zones(void)
{
	static const char lo[] = "0123456789abcdef0123456789abcdef and more";
	char hi[40];
	struct evs_array a;
	struct evs_zone z;

	memset(&z, 0, sizeof(z));
	evs_array_init(&a, EVS_BYTES, 0, false);
	T_CHECK(evs_array_append_bytes(&a, "m", 1) == 0 && evs_array_append_bytes(&a, "k", 1) == 0);
	T_CHECK(evs_array_append_bytes(&a, "", 0) == 0 && evs_zone_of(&z, &a));
	T_CHECK(z.has_min && !z.min_len && z.max_len == 1 && z.max[0] == 'm');
	evs_array_reset(&a);

	memset(hi, 0xff, sizeof(hi));
	hi[5] = 'x';
	T_CHECK(evs_array_append_bytes(&a, hi, sizeof(hi)) == 0);
	T_CHECK(evs_array_append_bytes(&a, lo, sizeof(lo)) == 0 && evs_zone_of(&z, &a));
	T_CHECK(z.min_cut && z.min_len == 32 && !memcmp(z.min, lo, 32));
	T_CHECK(z.max_cut && z.max_len == 6 && z.max[5] == 'y' && z.max[4] == 0xff);
	hi[5] = (char)0xff;
	T_CHECK(evs_array_append_bytes(&a, hi, sizeof(hi)) == 0 && evs_zone_of(&z, &a));
	T_CHECK(z.has_min && !z.has_max && !z.max_cut);
	evs_array_release(&a);

	evs_array_init(&a, EVS_FIXED, 16, false);
	T_CHECK(evs_array_append_fixed(&a, hi) == 0 && evs_array_append_fixed(&a, lo) == 0);
	T_CHECK(evs_zone_of(&z, &a) && z.min_len == 16 && z.max_len == 16 && !z.max_cut);
	T_CHECK(!memcmp(z.max, hi, 16) && !memcmp(z.min, lo, 16));
	evs_array_release(&a);

	T_CHECK(evs_array_init_nested(&a, EVS_LIST) == 0);
	evs_array_init(a.child, EVS_INT, 4, true);
	T_CHECK(evs_array_close_row(&a) == 0 && !evs_zone_of(&z, &a));
	evs_array_release(&a);
}

/* Random strings, many of them alike in their first bytes: bounds as a plain comparison finds them.
 */
static void test_byte_zones_random(void)
{
	uint32_t r = 12345;

	for (unsigned round = 0; round < 300; round++) {
		struct evs_array a;
		struct evs_zone z;
		uint32_t lo = 0, hi = 0;
		size_t n;

		memset(&z, 0, sizeof(z));
		evs_array_init(&a, round % 3 ? EVS_BYTES : EVS_FIXED, 12, false);
		for (uint32_t i = 0; i < 40; i++) {
			uint8_t v[12];

			for (unsigned k = 0; k < sizeof(v); k++) {
				r = r * 1103515245 + 12345;
				v[k] = (uint8_t)(r >> 16 & (round & 4 ? 0x81 : 0xff));
			}
			T_CHECK((a.phys == EVS_FIXED
					 ? evs_array_append_fixed(&a, v)
					 : evs_array_append_bytes(&a, v,
								  r >> 20 & 7 ? r % 13 : 0)) == 0);
			lo = evs_array_compare(&a, i, &a, lo) < 0 ? i : lo;
			hi = evs_array_compare(&a, i, &a, hi) > 0 ? i : hi;
		}
		T_CHECK(evs_zone_of(&z, &a));
		T_CHECK(!memcmp(evs_array_bytes(&a, lo, &n), z.min, z.min_len) && n == z.min_len);
		T_CHECK(!memcmp(evs_array_bytes(&a, hi, &n), z.max, z.max_len) && n == z.max_len);
		evs_array_release(&a);
	}
}

int main(void)
{
	test_int_zones();
	test_float_zones();
	test_byte_zones();
	test_byte_zones_random();
	return t_done();
}
