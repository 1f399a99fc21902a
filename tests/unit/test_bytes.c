/*
 * bytes.[ch]: loads and stores, bounded cursor, varints, buffer.
 */
#include "format/bytes.h"
#include "tests/unit/t.h"

#include <stdlib.h>

static void test_numbers(void)
{
	uint8_t p[8];

	evs_put64(p, 0x0123456789abcdefu);
	T_CHECK(p[0] == 0xef && p[7] == 0x01);
	t_eq_u64("get64", evs_get64(p), 0x0123456789abcdefu);
	t_eq_u64("get32", evs_get32(p), 0x89abcdefu);
	t_eq_u64("get16", evs_get16(p), 0xcdefu);
	evs_put32(p, 0xfedcba98u);
	T_CHECK(p[0] == 0x98 && p[3] == 0xfe && p[4] == 0x67);
	for (unsigned i = 0; i < 64; i++) {
		uint64_t v = (uint64_t)1 << i;

		T_CHECK(evs_unzigzag(evs_zigzag((int64_t)v)) == (int64_t)v);
		T_CHECK(evs_unzigzag(evs_zigzag(-(int64_t)(v - 1))) == -(int64_t)(v - 1));
	}
	t_eq_u64("zigzag -1", evs_zigzag(-1), 1);
	t_eq_u64("zigzag min", evs_zigzag(INT64_MIN), UINT64_MAX);
}

static void test_varint_round_trip(void)
{
	struct evs_buf b = { 0 };

	for (unsigned i = 0; i <= 64; i++) {
		uint64_t top = i == 64 ? UINT64_MAX : (uint64_t)1 << i;
		const uint64_t vs[3] = { top, top - 1, top / 3 };

		for (unsigned k = 0; k < 3; k++) {
			struct evs_cur c;
			uint64_t got = 0;

			evs_buf_reset(&b);
			evs_buf_put_varint(&b, vs[k]);
			c = (struct evs_cur){ b.p, b.p + b.len };
			T_CHECK(evs_cur_varint(&c, &got) && got == vs[k] && c.p == c.end);
			c = (struct evs_cur){ b.p, b.p + b.len - 1 };
			T_CHECK(!evs_cur_varint(&c, &got) && c.p == b.p);
		}
	}
	evs_buf_release(&b);
}

static void test_varint_rejects(void)
{
	static const struct {
		const char *name;
		uint8_t p[12];
		size_t n;
	} bad[] = {
		{ "1.2-1 empty", { 0 }, 0 },
		{ "1.2-1 cut", { 0x80, 0x80 }, 2 },
		{ "1.2-2 longer than needed", { 0x81, 0x00 }, 2 },
		{ "1.2-2 long zero", { 0x80, 0x80, 0x00 }, 3 },
		{ "1.2-3 65 bits",
		  { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02 },
		  10 },
		{ "1.2-3 eleven bytes",
		  { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x01 },
		  11 },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct evs_cur c = { bad[i].p, bad[i].p + bad[i].n };
		uint64_t v;

		t_check(bad[i].name, !evs_cur_varint(&c, &v) && c.p == bad[i].p);
	}
}

static void test_cursor_bounds(void)
{
	const uint8_t p[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	for (size_t n = 0; n <= 8; n++) {
		struct evs_cur c = { p, p + n };
		const uint8_t *at;
		uint32_t v32;
		uint8_t v8;

		T_CHECK(evs_cur_u32(&c, &v32) == (n >= 4));
		T_CHECK(n < 4 || (v32 == 0x04030201 && c.p == p + 4));
		c.p = p;
		T_CHECK(evs_cur_u8(&c, &v8) == (n >= 1));
		c.p = p;
		T_CHECK(evs_cur_bytes(&c, 5, &at) == (n >= 5));
		T_CHECK(n >= 5 || c.p == p);
		T_CHECK(!evs_cur_bytes(&c, SIZE_MAX, &at));
	}
}

static void test_buffer(void)
{
	struct evs_buf b = { 0 };

	for (unsigned i = 0; i < 1000; i++) {
		evs_buf_put_u8(&b, (uint8_t)i);
		evs_buf_put_u16(&b, (uint16_t)i);
		evs_buf_put_u32(&b, i);
		evs_buf_put_u64(&b, i);
		evs_buf_put(&b, "xy", 2);
		evs_buf_put_zero(&b, 3);
	}
	T_CHECK(evs_buf_ok(&b));
	t_eq_u64("buffer length", b.len, 20000);
	T_CHECK(evs_get32(b.p + 999 * 20 + 3) == 999 && b.p[999 * 20 + 15] == 'x');
	T_CHECK(b.cap < 2 * b.len);

	T_CHECK(!evs_buf_reserve(&b, SIZE_MAX));
	T_CHECK(!evs_buf_ok(&b));
	evs_buf_put_u8(&b, 1);
	t_eq_u64("nothing is put after a failure", b.len, 20000);
	evs_buf_reset(&b);
	T_CHECK(evs_buf_ok(&b) && b.len == 0 && b.cap >= 20000);
	evs_buf_release(&b);
	T_CHECK(!b.p && !b.cap);
	evs_buf_release(NULL);
}

int main(void)
{
	test_numbers();
	test_varint_round_trip();
	test_varint_rejects();
	test_cursor_bounds();
	test_buffer();
	return t_done();
}
