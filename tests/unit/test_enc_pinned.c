/*
 * What the encoder makes of known columns, pinned: any change of a choice or of a byte shows here.
 *
 * Nothing but the size of files depends on most of these choices, so that no round trip notices
 * when one of them goes wrong. For each family of columns the table holds the bytes in all and a
 * hash over them. Who changes the encoder on purpose compares the totals (fewer bytes are better)
 * and copies the new lines, which a failure prints.
 */
#include "tests/unit/enc_gen.h"

#include <xxhash.h>
#include <zstd.h>

#define COLUMNS	    220u
#define MIXED	    5000u
#define PINNED_ZSTD 10504 /* estimates of other versions may differ, and so may the choices */

static uint32_t some_rows(void)
{
	static const uint16_t around[] = { 1, 32, 64, 128, 256, 512, 1024, 2048, 4096, 9000 };
	uint32_t n = around[gen_below(gen_below(3) ? 6 : sizeof(around) / sizeof(around[0]))];

	return gen_below(3) ? n + gen_below(n) : n + gen_below(3);
}

/* ---- integers -------------------------------------------------------------------------------- */

/* Each value in a statement of its own wherever two are drawn: compilers differ in their order. */
static uint64_t of_any_size(void)
{
	unsigned bits = gen_below(64);

	return gen_u64() >> bits;
}

static uint64_t int_value(unsigned shape, uint32_t i, uint64_t a, uint64_t b, uint64_t *state)
{
	uint64_t r = gen_u64();

	switch (shape) {
	case 0: /* any value below a bound */
		return a + r % b;
	case 1: /* rising by up to so much */
		return *state += r % b;
	case 2: /* a walk around zero */
		return *state += r % b - b / 2;
	case 3: /* few large ones among small ones */
		return a + (r % (3 + b % 90) ? r % 16 : r >> (b & 63));
	case 4: /* few distinct */
		return (r % (1 + b % 300)) * 0x9e3779b97f4a7c15u >> (a & 31);
	case 5: /* runs */
		return *state = r % (1 + b % 40) ? *state : gen_u64() % (a | 1);
	case 6: /* multiples */
		return a + r % 1000 * (b | 1);
	case 7: /* a steady clock that jumps now and then */
		return a + (uint64_t)i * b + (r % 100 ? 0 : r % 1000);
	case 8: /* growth that grows */
		return a + (uint64_t)i * i * (b & 255) + r % (1 + b % 5);
	case 9: /* pieces of different width */
		return r % (i % 128 ? *state | 1 : (*state = of_any_size() | 1));
	case 10: /* all the same but for a few */
		return r % (20 + b % 900) ? a : a + r % 3;
	case 11: /* clocks of a few machines */
		return a + r % (1 + b % 4) * 1000000007 + i / (1 + a % 9) * 40 + r % 7;
	case 12: /* nearly few distinct */
		return r % (1 + a % 5000) * (b | 1);
	case 13: /* new ones nearly, but not quite, too often for a dictionary */
		return r % (1 + b / 100 + (30 + a % 20) * 40) * 0x9e3779b97f4a7c15u;
	case 14: /* around both ends */
		return r & 256 ? r % 5 : UINT64_MAX - r % 5;
	default: /* numbers of first appearance, counted up */
		return r % (1 + b % 9) ? *state - r % (1 + *state % 100) : ++*state;
	}
}

static void make_int(struct evs_array *c)
{
	unsigned w = 1u << gen_below(4), shape = gen_below(16);
	uint32_t n = some_rows();
	uint64_t a = of_any_size(), b = of_any_size() | 1, state = a;

	evs_array_init(c, EVS_INT, (uint16_t)w, gen_below(2));
	for (uint32_t i = 0; i < n; i++)
		if (evs_array_append_int(c, int_value(shape, i, a, b, &state)))
			abort();
}

/* ---- floats ---------------------------------------------------------------------------------- */

static double float_value(unsigned shape, unsigned digits, double *state)
{
	static const double tens[] = { 1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e9, 1e15, 1e18 };
	int64_t r = (int64_t)gen_below(1u << (4 + digits * 2));

	switch (shape) {
	case 0: /* decimals */
		return (double)r / tens[digits];
	case 1: /* of different lengths */
		return (double)r / tens[gen_below(digits + 1)];
	case 2: /* a walk */
		return *state += (double)(r % 200 - 100) / tens[digits];
	case 3: /* any bits of a fraction */
		return (double)gen_u64() / 3;
	case 4: /* decimals, but for a few */
		return gen_below(40) ? (double)(r - 50) / tens[digits] : (double)r / 3;
	case 5: /* few distinct */
		return (double)(r % 7) / 7;
	case 6: /* what is no number, minus zero, the ends */
		return r % 5 == 0 ? -0.0 : r % 5 == 1 ? 1e308 * 10 : (double)r;
	default: /* mostly the same */
		return gen_below(50) ? *state : (*state = (double)r / tens[digits]);
	}
}

static void make_float(struct evs_array *c)
{
	unsigned shape = gen_below(8), digits = gen_below(10);
	uint32_t n = some_rows();
	double state = 20;

	evs_array_init(c, EVS_FLOAT, gen_below(3) ? 8 : 4, false);
	for (uint32_t i = 0; i < n; i++)
		if (evs_array_append_float(c, float_value(shape, digits, &state)))
			abort();
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static size_t hex(char *to, size_t digits)
{
	for (size_t i = 0; i < digits; i++)
		to[i] = "0123456789abcdef"[gen_below(16)];
	return digits;
}

static size_t uuid(char *to, char version)
{
	(void)hex(to, 36);
	to[8] = to[13] = to[18] = to[23] = '-';
	to[14] = version;
	to[19] = "89ab"[gen_below(4)];
	return 36;
}

static size_t word(char *to, uint64_t number)
{
	size_t len = 1 + number % 11;

	for (size_t i = 0; i < len; i++)
		to[i] = (char)('a' + (number >> i * 3) % 26);
	return len;
}

static size_t text_value(char *to, size_t cap, unsigned shape, uint32_t i, uint64_t a)
{
	unsigned ms = gen_below(1000), s = (i + gen_below(1 + (unsigned)a % 5)) % 86400;
	size_t n = 0;

	switch (shape) {
	case 0:
		return uuid(to, a & 1 ? '4' : (char)('1' + gen_below(5)));
	case 1:
		return hex(to, a & 1 ? 2 * (1 + a % 20) : 2 * gen_below(12));
	case 2:
		return (size_t)snprintf(to, cap, "%lld", (long long)(gen_u64() % (a | 1)) - 50);
	case 3:
		return (size_t)snprintf(to, cap, "2024-0%u-1%uT%02u:%02u:%02u.%0*uZ",
					1 + (unsigned)a % 9, i % 10, s / 3600, s / 60 % 60, s % 60,
					a & 16 ? 3 : 6, ms);
	case 4: /* words of a small language */
		return word(to, gen_below(1 + (uint32_t)a % 3000) * 0x9e3779b97f4a7c15u);
	case 5: /* a prefix and a suffix in common */
		return (size_t)snprintf(to, cap, "/api/v1/items/%u/edit", gen_below(1u << a % 20));
	case 6: /* sentences */
		for (unsigned k = gen_below(6); k-- > 0; to[n++] = ' ')
			n += word(to + n, gen_below(60) * 0x9e3779b97f4a7c15u);
		return n;
	case 7: /* any bytes */
		n = gen_below(1 + (uint32_t)a % 40);
		for (size_t k = 0; k < n; k++)
			to[k] = (char)gen_below(256);
		return n;
	case 8: /* mostly nothing */
		return gen_below(10) ? 0 : word(to, gen_u64());
	case 9: /* tasks that come close together, each a few times */
		i = i / (1 + (uint32_t)a % 3) - gen_below(1 + (uint32_t)(a >> 4) % 50);
		return word(to, i * 0x9e3779b97f4a7c15u);
	case 10: /* as often new as makes a dictionary hardly pay */
		return word(to, gen_below(1200 + (uint32_t)a % 1000) * 0x9e3779b97f4a7c15u);
	default: /* a short prefix of long values */
		n = 3 + a % 4;
		memcpy(to, "id=#:/", n);
		for (size_t end = 30 * n + gen_below(4 * (uint32_t)n); n < end; n++)
			to[n] = (char)('!' + gen_below(90));
		return n;
	}
}

static void make_text(struct evs_array *c)
{
	unsigned shape = gen_below(12);
	uint32_t n = some_rows();
	uint64_t a = gen_u64() >> 20;
	char text[256];

	evs_array_init(c, EVS_BYTES, 0, false);
	for (uint32_t i = 0; i < n; i++) {
		size_t len = text_value(text, sizeof(text), shape, i, a);

		if (evs_array_append_bytes(c, text, len))
			abort();
	}
}

static void make_fixed(struct evs_array *c)
{
	static const uint8_t widths[] = { 16, 16, 16, 1, 2, 3, 4, 6, 8, 20, 32 };
	uint8_t v[32], width = widths[gen_below(sizeof(widths))];
	unsigned shape = gen_below(5);
	uint32_t n = some_rows(), distinct = 1 + gen_below(200);

	evs_array_init(c, EVS_FIXED, width, false);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t number = gen_below(distinct);

		for (unsigned k = 0; k < width; k++)
			v[k] = (uint8_t)(shape == 1 ? number * (k + 3) : gen_u64());
		if (shape >= 2 && width == 16) {
			v[6] = (uint8_t)((v[6] & 15) | (shape == 2 ? 0x40 : 0x70));
			v[8] = (uint8_t)((v[8] & 63) | 0x80);
		}
		for (unsigned k = 0; shape == 4 && k < width / 2u; k++)
			v[k] = (uint8_t)(i >> 8 * (width / 2u - 1 - k) % 32);
		if (evs_array_append_fixed(c, v))
			abort();
	}
}

/* ---- mixed ----------------------------------------------------------------------------------- */

/* Short columns in which two shapes share the rows, in any proportion: many are as well encoded in
 * one way as in another. */
static uint32_t few_rows(void)
{
	uint32_t n = 8 + gen_below(300);

	return gen_below(4) ? n : 2 * n;
}

static bool first_shape(unsigned of64)
{
	return gen_below(64) < of64;
}

static void mix_int(struct evs_array *c)
{
	unsigned w = 1u << gen_below(4), one = gen_below(16), other = gen_below(16),
		 of64 = gen_below(65);
	uint32_t n = few_rows();
	uint64_t a = of_any_size(), b = of_any_size() | 1, state[2] = { a, a };

	evs_array_init(c, EVS_INT, (uint16_t)w, gen_below(2));
	for (uint32_t i = 0; i < n; i++) {
		bool first = first_shape(of64);
		uint64_t v = int_value(first ? one : other, i, a, b, &state[first]);

		if (evs_array_append_int(c, v))
			abort();
	}
}

static void mix_float(struct evs_array *c)
{
	unsigned one = gen_below(8), other = gen_below(8), of64 = gen_below(65);
	unsigned digits = gen_below(10), others = gen_below(10);
	uint32_t n = few_rows();
	double state[2] = { 20, 20 };

	evs_array_init(c, EVS_FLOAT, gen_below(3) ? 8 : 4, false);
	for (uint32_t i = 0; i < n; i++) {
		bool first = first_shape(of64);
		double v = float_value(first ? one : other, first ? digits : others, &state[first]);

		if (evs_array_append_float(c, v))
			abort();
	}
}

static void mix_text(struct evs_array *c)
{
	unsigned one = gen_below(12), other = gen_below(12),
		 of64 = gen_below(8) ? 64 : gen_below(65);
	uint32_t n = few_rows();
	uint64_t a = gen_u64() >> 20, b = gen_u64() >> 20;
	char value[256];

	evs_array_init(c, EVS_BYTES, 0, false);
	for (uint32_t i = 0; i < n; i++) {
		bool first = first_shape(of64);
		size_t len =
			text_value(value, sizeof(value), first ? one : other, i, first ? a : b);

		if (evs_array_append_bytes(c, value, len))
			abort();
	}
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*make)(struct evs_array *c);
	bool no_zstd, nulls;
	uint64_t bytes, hash;
	unsigned columns; /* 0: COLUMNS */
} pinned[] = {
	{ "integers", make_int, true, false, 492862, 0xa7a24916e349b6a9, 0 },
	{ "integers under zstd", make_int, false, false, 561880, 0x4ad67fe2a69b9416, 0 },
	{ "integers and nulls", make_int, true, true, 286995, 0x9a074e9494edbbab, 0 },
	{ "floats", make_float, true, false, 522672, 0x7c4723e90a0c4016, 0 },
	{ "floats under zstd", make_float, false, false, 578554, 0xdab9cbc20ded1bc1, 0 },
	{ "floats and nulls", make_float, true, true, 256382, 0x414e18d833b4efc9, 0 },
	{ "texts", make_text, true, false, 3889362, 0x5401196dcab63c95, 0 },
	{ "texts under zstd", make_text, false, false, 3923152, 0x650fe25a9577431e, 0 },
	{ "texts and nulls", make_text, true, true, 4913170, 0xe41cfa66ce6e2a3f, 0 },
	{ "fixed", make_fixed, true, false, 1456019, 0x35d2d41952ed1c44, 0 },
	{ "fixed under zstd", make_fixed, false, false, 1458457, 0x364ddb1b3f924150, 0 },
	{ "fixed and nulls", make_fixed, true, true, 854258, 0x928a3d3ca3964282, 0 },
	{ "mixed integers", mix_int, true, false, 2284478, 0x3b611607fac71c12, MIXED },
	{ "mixed integers under zstd", mix_int, false, false, 2532589, 0x5ea226656f2954d6, MIXED },
	{ "mixed integers and nulls", mix_int, true, true, 2200856, 0x4920ab633f8cca43, MIXED },
	{ "mixed floats", mix_float, true, false, 3195225, 0x4a9277f2f76e2082, MIXED },
	{ "mixed floats under zstd", mix_float, false, false, 4237495, 0x059dfed75e6125cb, MIXED },
	{ "mixed floats and nulls", mix_float, true, true, 3127945, 0x506d12224c7fbfdf, MIXED },
	{ "mixed texts", mix_text, true, false, 18665606, 0x12898d7ae3f39ae7, MIXED },
	{ "mixed texts under zstd", mix_text, false, false, 18695672, 0x138f69e508a43cf1, MIXED },
	{ "mixed texts and nulls", mix_text, true, true, 18156597, 0x3e6d3a101e295a54, MIXED },
};

static void encode(struct evs_enc_ctx *ctx, size_t family, struct evs_buf *out)
{
	struct evs_array c, holes;

	pinned[family].make(&c);
	if (pinned[family].nulls) {
		gen_with_nulls(&holes, &c, 2 + gen_below(60));
		evs_array_release(&c);
		c = holes;
	}
	if (evs_column_encode(ctx, &c, out))
		abort();
	evs_array_release(&c);
}

static void test_family(size_t family)
{
	struct evs_enc_opts opts = { .no_zstd = pinned[family].no_zstd };
	struct evs_enc_ctx *ctx = NULL;
	struct evs_buf out = { 0 };
	uint64_t hash;

	gen_state = 1 + family / 3;
	if (evs_enc_ctx_new(&ctx, &opts))
		abort();
	for (unsigned i = 0; i < (pinned[family].columns ? pinned[family].columns : COLUMNS); i++)
		encode(ctx, family, &out);
	hash = XXH3_64bits(out.p, out.len);
	t_check(pinned[family].name,
		out.len == pinned[family].bytes && hash == pinned[family].hash);
	if (hash != pinned[family].hash)
		printf("        %s: %zu, 0x%016" PRIx64 "\n", pinned[family].name, out.len, hash);
	evs_enc_ctx_free(ctx);
	evs_buf_release(&out);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(pinned) / sizeof(pinned[0]); i++)
		if (pinned[i].no_zstd || ZSTD_versionNumber() == PINNED_ZSTD)
			test_family(i);
	return t_done();
}
