/*
 * FLOAT nodes: decimals, products that miss one by an ulp, and everything that is no decimal at
 * all, each back bit for bit.
 */
#include "tests/unit/enc_gen.h"

#include <math.h>

static const double edges[] = {
	0.0,
	-0.0,
	1.0,
	-1.0,
	0.1,
	-0.1,
	0.2,
	0.3,
	1e-5,
	123456.789,
	1e22,
	1e23,
	1e300,
	1e-300,
	5e-324,
	2.2250738585072014e-308,
	1.7976931348623157e308,
	9007199254740991.0,
	9007199254740992.0,
	9007199254740994.0,
	-9007199254740993.0,
	0.30000000000000004,
	0.0012345000000000001,
	3.4028234663852886e38,
	1.17549435e-38,
	0.5,
	1.0 / 3.0,
	1e15,
	1e16,
	99999999999999.99,
	4503599627370496.5,
};

static void add_bits(struct evs_array *a, uint64_t bits)
{
	/*
	 * An INT array of the width takes the bits as they are; the shapes differ in `phys` alone.
	 */
	a->phys = EVS_INT;
	if (evs_array_append_int(a, bits))
		abort();
	a->phys = EVS_FLOAT;
}

static void add(struct evs_array *a, double v)
{
	uint64_t b8;
	uint32_t b4;
	float f = (float)v;

	memcpy(&b8, &v, 8);
	memcpy(&b4, &f, 4);
	add_bits(a, a->width == 8 ? b8 : b4);
}

static double shape_value(unsigned shape, uint32_t i)
{
	switch (shape) {
	case 0:
		return edges[i % (sizeof(edges) / sizeof(edges[0]))];
	case 1:
		return (double)gen_below(100000) / 100.0;
	case 2:
		return (double)(int64_t)gen_below(20000) / 10.0 - 1000.0;
	case 3:
		return (double)gen_below(5000) * (0.15 / 1e6) +
		       (double)gen_below(900) * (0.6 / 1e6);
	case 4:
		return sqrt((double)gen_u64());
	case 5:
		return gen_below(10) ? (double)gen_below(1000) / 1000.0 : sqrt((double)i);
	case 6:
		return 36.6;
	default:
		return (double)(i / 50) / 4.0;
	}
}

static void test_shapes(void)
{
	static const uint32_t rows[] = { 1, 2, 3, 31, 32, 257, 2500 };
	struct evs_array a, holes;
	char name[64];

	for (unsigned w = 4; w <= 8; w += 4)
		for (unsigned shape = 0; shape < 8; shape++)
			for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
				evs_array_init(&a, EVS_FLOAT, (uint16_t)w, true);
				for (uint32_t i = 0; i < rows[r]; i++)
					add(&a, shape_value(shape, i));
				gen_with_nulls(&holes, &a, 4);
				snprintf(name, sizeof(name), "width %u shape %u rows %u", w, shape,
					 (unsigned)rows[r]);
				t_check(name, gen_trips(&a));
				t_check(name, gen_trips(&holes));
				evs_array_release(&holes);
				evs_array_release(&a);
			}
}

/* NaN payloads, both zeros, both infinities among decimals. */
static void test_special_bits(void)
{
	static const uint64_t b8[] = { 0x7ff8000000000000u, 0x7ff8000000000001u,
				       0xfff800000000beefu, 0x7ff0000000000001u,
				       0x7ff0000000000000u, 0xfff0000000000000u,
				       0x8000000000000000u, 1 };
	static const uint64_t b4[] = { 0x7fc00000u, 0x7fc00001u, 0xffc0beefu, 0x7f800001u,
				       0x7f800000u, 0xff800000u, 0x80000000u, 1 };
	struct evs_array a;

	for (unsigned w = 4; w <= 8; w += 4) {
		evs_array_init(&a, EVS_FLOAT, (uint16_t)w, true);
		for (unsigned i = 0; i < 400; i++) {
			add(&a, (i % 40) / 10.0);
			if (i % 5 == 0)
				add_bits(&a, w == 8 ? b8[i / 5 % 8] : b4[i / 5 % 8]);
		}
		t_check("special bits, as chosen", gen_trips(&a));
		t_check("special bits, decimal", gen_forced(&a, EVS_NODE_DECIMAL));
		t_check("special bits, planes", gen_forced(&a, EVS_NODE_PLANES));
		t_check("special bits, dictionary", gen_forced(&a, EVS_NODE_DICT));
		evs_array_release(&a);
	}
}

static size_t encoded(const struct evs_array *a)
{
	struct evs_enc_opts opts = { .no_zstd = true };
	struct evs_enc_ctx *e = NULL;
	struct evs_buf buf = { 0 };
	size_t len;

	if (evs_enc_ctx_new(&e, &opts) || evs_column_encode(e, a, &buf))
		abort();
	len = buf.len;
	evs_buf_release(&buf);
	evs_enc_ctx_free(e);
	return len;
}

static void test_sizes(void)
{
	struct evs_array cents, cost, noise;

	evs_array_init(&cents, EVS_FLOAT, 8, true);
	evs_array_init(&cost, EVS_FLOAT, 8, true);
	evs_array_init(&noise, EVS_FLOAT, 8, true);
	for (uint32_t i = 0; i < 2000; i++) {
		add(&cents, shape_value(1, i));
		add(&cost, shape_value(3, i));
		add(&noise, shape_value(4, i));
	}
	t_check("two decimals take 17 bits", encoded(&cents) < 2000 * 18 / 8);
	t_check("products of decimals take less than half", encoded(&cost) < 2000 * 4);
	t_check("noise takes what it takes", encoded(&noise) <= 2000 * 8 + 1);
	evs_array_release(&cents);
	evs_array_release(&cost);
	evs_array_release(&noise);
}

int main(void)
{
	test_shapes();
	test_special_bits();
	test_sizes();
	return t_done();
}
