/*
 * Encodings at their edges: columns that defeat a plan, keys that collide in hash tables, and bytes
 * that break a rule where nothing else did. Each reaches a branch that no ordinary column takes.
 */
#include "format/enc_impl.h"
#include "tests/unit/enc_gen.h"
#include "tests/unit/fail.h"

static void add_text(struct evs_array *a, const char *s)
{
	if (evs_array_append_bytes(a, s, strlen(s)))
		abort();
}

static void add_int(struct evs_array *a, uint64_t v)
{
	if (evs_array_append_int(a, v))
		abort();
}

/* Round trip with the kind asked for, which the values need not allow. */
static bool trip_asked(const struct evs_array *a, uint8_t kind)
{
	struct evs_enc_opts opts = { .force = kind };

	return gen_trip(a, &opts, NULL);
}

/* Kinds asked of too few values, or of values that are all equal, give way to another. */
static void test_kinds_refused(void)
{
	static const uint8_t kinds[] = { EVS_NODE_DELTA,  EVS_NODE_DELTA2, EVS_NODE_DICT,
					 EVS_NODE_PLANES, EVS_NODE_BLOCKS, EVS_NODE_CONST };
	struct evs_array a;

	for (uint32_t rows = 1; rows < 4; rows++)
		for (size_t k = 0; k < sizeof(kinds); k++)
			for (unsigned equal = 0; equal < 2; equal++) {
				evs_array_init(&a, EVS_INT, 8, false);
				for (uint32_t i = 0; i < rows; i++)
					add_int(&a, equal ? 123456789 : i * 999);
				T_CHECK(trip_asked(&a, kinds[k]));
				evs_array_release(&a);
			}
	evs_array_init(&a, EVS_FIXED, 4, false);
	T_CHECK(evs_array_append_fixed(&a, "abcd") == 0);
	T_CHECK(trip_asked(&a, EVS_NODE_CONST) && trip_asked(&a, EVS_NODE_DICT));
	evs_array_release(&a);
}

static void test_rising_bytes(void)
{
	struct evs_array a;

	evs_array_init(&a, EVS_INT, 1, false);
	for (uint32_t i = 0; i < 100; i++)
		add_int(&a, i * 2 + i % 2);
	T_CHECK(gen_forced(&a, EVS_NODE_DELTA));
	evs_array_release(&a);
}

/* 256 values counted back from the 256th need nine bits. */
static void test_recent_too_far_back(void)
{
	struct evs_array a;

	evs_array_init(&a, EVS_INT, 1, false);
	for (uint32_t i = 0; i < 256; i++)
		add_int(&a, i);
	T_CHECK(gen_forced(&a, EVS_NODE_RECENT));
	add_int(&a, 0);
	T_CHECK(!gen_forced(&a, EVS_NODE_RECENT) && trip_asked(&a, EVS_NODE_RECENT));
	evs_array_release(&a);
}

/* More than 65,536 distinct values: codes of four bytes. */
static void test_large_dictionary(void)
{
	struct evs_array a;

	evs_array_init(&a, EVS_INT, 8, false);
	for (uint32_t i = 0; i < 70000; i++)
		for (unsigned k = 0; k < 3; k++)
			add_int(&a, i * 0x9e3779b97f4a7c15u);
	T_CHECK(gen_forced(&a, EVS_NODE_DICT));
	evs_array_release(&a);
}

/* Where the sample looks few values repeat, elsewhere none does: the dictionary is given up. */
static void test_misleading_sample(bool quick)
{
	struct evs_enc_opts opts = { .quick = quick };
	const uint32_t n = 65536, stretch = EVS_ENC_STRETCH / (quick ? 2u : 1u), count = 4;
	struct evs_array a;
	uint8_t kind = 0;

	evs_array_init(&a, EVS_INT, 8, false);
	for (uint32_t i = 0; i < n; i++) {
		bool looked = false;

		for (uint32_t k = 0; k < count; k++) {
			uint32_t at = (uint32_t)((uint64_t)(n - stretch) * k / (count - 1));

			looked |= i >= at && i < at + stretch;
		}
		add_int(&a, looked ? gen_below(3) * 0x123456789abcdefu : gen_u64());
	}
	T_CHECK(gen_trip(&a, &opts, &kind));
	T_CHECK(kind != EVS_NODE_DICT);
	evs_array_release(&a);
}

/* Codes near the newest one where they are looked at, and anywhere elsewhere (`spread`), or near
 * it, too: the cost that is estimated. */
static uint64_t recent_cost(bool spread, uint8_t *kind)
{
	enum { N = 65536, STRETCH = EVS_ENC_STRETCH, COUNT = 4, DISTINCT = 1000 };
	static uint8_t codes[2 * N];
	struct evs_enc_opts opts = { .no_zstd = true };
	struct evs_ints v = { .p = codes, .n = N, .w = 2, .codes = true };
	struct evs_enc_ctx *e = NULL;
	struct evs_int_plan plan = { 0 };
	uint64_t cost = 0;
	uint32_t next = 0;

	for (uint32_t i = 0; i < N; i++) {
		uint32_t r = i * 0x9e3779b1u >> 16, x = next - 1 - r % 8;
		bool looked = false;

		for (uint32_t k = 0; k < COUNT; k++) {
			uint32_t at = (uint32_t)((uint64_t)(N - STRETCH) * k / (COUNT - 1));

			looked |= i >= at && i < at + STRETCH;
		}
		if (i < STRETCH ? i < 8 || i % 2 : !looked && i > STRETCH && next < DISTINCT)
			x = next++;
		else if (!looked && spread)
			x = i > STRETCH ? r % next : 0;
		evs_st(codes, i, 2, x);
	}
	if (evs_enc_ctx_new(&e, &opts) ||
	    evs_int_choose(e, &v, 0, DISTINCT - 1, 1, &plan, &cost) < 0)
		abort();
	evs_enc_ctx_free(e);
	*kind = plan.kind;
	return cost;
}

static void test_recent_sample(void)
{
	uint8_t near, spread;
	uint64_t cost = recent_cost(false, &near);

	T_CHECK(near == EVS_NODE_RECENT && recent_cost(true, &spread) == cost && spread == near);
	/* 0 to 8 takes four bits; kind and head take five bytes; others may be a little longer; and
	 * one code in 32 was looked at. */
	T_CHECK(cost == 32 * (1029 + 1029 / 32));
}

/* Keys whose hashes agree in the bits that the tables look at, found by search or by arithmetic. */
static void test_collisions(void)
{
	static const char *const keys[] = { "k4436830_", "k1860922", "k4002399_", "k1802698_" };
	const uint64_t golden = 0x9e3779b97f4a7c15u;
	uint64_t inverse = golden;
	struct evs_array texts, ints;

	for (unsigned i = 0; i < 6; i++)
		inverse *= 2 - golden * inverse;
	evs_array_init(&texts, EVS_BYTES, 0, false);
	evs_array_init(&ints, EVS_INT, 8, false);
	for (uint32_t i = 0; i < 40; i++) {
		add_text(&texts, keys[i % 4]);
		add_int(&ints, ((uint64_t)(i % 4) << 32 | (i % 4 ^ 77)) * inverse);
	}
	T_CHECK(gen_forced(&texts, EVS_NODE_DICT));
	T_CHECK(gen_forced(&ints, EVS_NODE_DICT));
	evs_array_release(&texts);
	evs_array_release(&ints);
}

/* Products that miss by far, up and down, among such that miss by little; and no decimals at all.
 */
static void test_floats(void)
{
	struct evs_array a, noise;

	evs_array_init(&a, EVS_FLOAT, 8, true);
	evs_array_init(&noise, EVS_FLOAT, 8, true);
	for (uint32_t i = 0; i < 2000; i++) {
		double v = (double)gen_below(5000) * (0.15 / 1e6) +
			   (double)gen_below(900) * (0.6 / 1e6);
		uint64_t bits;

		memcpy(&bits, &v, 8);
		if (i % 100 == 99)
			bits += i % 200 == 99 ? 1000 : (uint64_t)-1000;
		memcpy(&v, &bits, 8);
		bits = gen_u64() >> 2;
		if (evs_array_append_float(&a, v))
			abort();
		memcpy(&v, &bits, 8);
		if (evs_array_append_float(&noise, v))
			abort();
	}
	T_CHECK(gen_forced(&a, EVS_NODE_DECIMAL) && gen_trips(&a));
	T_CHECK(trip_asked(&noise, EVS_NODE_DECIMAL));
	evs_array_release(&a);
	evs_array_release(&noise);
}

/* A prefix takes at most 255 bytes a node, so a long one lies in several, down to the last level.
 */
static void test_long_affix(void)
{
	char s[5 * EVS_ENC_MAX_AFFIX + 16];
	struct evs_array a;

	for (unsigned levels = 1; levels <= 6; levels++) {
		size_t n = levels < 6 ? levels * EVS_ENC_MAX_AFFIX : sizeof(s) - 8;

		evs_array_init(&a, EVS_BYTES, 0, false);
		for (unsigned i = 0; i < 40; i++) {
			memset(s, 'x', n);
			snprintf(s + n, 8, "%u", 1000 + gen_below(9000));
			add_text(&a, s);
		}
		T_CHECK(gen_trips(&a));
		evs_array_release(&a);
	}
}

/* One spelling in each list is not of the form that the others have. */
static void test_other_spellings(void)
{
	static const struct {
		uint8_t kind;
		const char *usual, *other;
	} pairs[] = {
		{ EVS_NODE_UUID_TEXT, "0193ccc3-d40c-715e-bd3b-e919b9b0924e",
		  "0193ccc3xd40c-715e-bd3b-e919b9b0924e" },
		{ EVS_NODE_UUID_TEXT, "0193ccc3-d40c-715e-bd3b-e919b9b0924e",
		  "0193ccc3-d40cx715e-bd3b-e919b9b0924e" },
		{ EVS_NODE_UUID_TEXT, "0193ccc3-d40c-715e-bd3b-e919b9b0924e",
		  "0193ccc3-d40c-715exbd3b-e919b9b0924e" },
		{ EVS_NODE_UUID_TEXT, "0193ccc3-d40c-715e-bd3b-e919b9b0924e",
		  "0193ccc3-d40c-715e-bd3bxe919b9b0924e" },
		{ EVS_NODE_TIME_TEXT, "2024-12-16T00:00:22Z", "2024-12-00T00:00:22Z" },
		{ EVS_NODE_TIME_TEXT, "2024-12-16T00:00:22Z", "2024-00-16T00:00:22Z" },
		{ EVS_NODE_TIME_TEXT, "2024-12-16T00:00:22Z", "2024x12-16T00:00:22Z" },
		{ EVS_NODE_TIME_TEXT, "2024-12-16T00:00:22Z", "2024-12x16T00:00:22Z" },
		{ EVS_NODE_TIME_TEXT, "2024-12-16T00:00:22Z", "2024-12-16 00:00:22Z" },
		{ EVS_NODE_TIME_TEXT, "2024-12-16T00:00:22Z", "2024-12-16T00x00:22Z" },
		{ EVS_NODE_TIME_TEXT, "2024-12-16T00:00:22Z", "2024-12-16T00:00x22Z" },
		{ EVS_NODE_TIME_TEXT, "2024-12-16T00:00:22Z", "2024-12-16T00:60:22Z" },
		{ EVS_NODE_TIME_TEXT, "2024-12-16T00:00:22Z", "2024-12-16T00:00:2xZ" },
		{ EVS_NODE_TIME_TEXT, "2024-12-16T00:00:22Z", "2024-12-16T00:00:22z" },
		{ EVS_NODE_TIME_TEXT, "2024-12-16T00:00:22.5Z", "2024-12-16T00:00:22,5Z" },
	};
	struct evs_array a;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		evs_array_init(&a, EVS_BYTES, 0, false);
		for (unsigned k = 0; k < 5; k++)
			add_text(&a, pairs[i].usual);
		t_check(pairs[i].usual, gen_forced(&a, pairs[i].kind));
		add_text(&a, pairs[i].other);
		t_check(pairs[i].other, !gen_forced(&a, pairs[i].kind) && gen_trips(&a));
		evs_array_release(&a);
	}
	evs_array_init(&a, EVS_BYTES, 0, false);
	add_text(&a, "no time");
	T_CHECK(!gen_forced(&a, EVS_NODE_TIME_TEXT) && trip_asked(&a, EVS_NODE_TIME_TEXT));
	evs_array_release(&a);
}

/* Bytes that break one rule each. */
static const struct {
	const char *rule;
	enum evs_phys phys;
	uint16_t width;
	uint32_t rows, nulls;
	const char *bytes;
	size_t len;
	int want;
} bad[] = {
#define B(s) s, sizeof(s) - 1
	{ "6.1-1", EVS_FIXED, 16, 3, 0, B(""), EVS_E_FORMAT },
	{ "6.1-1", EVS_FLOAT, 8, 3, 0, B("\x0b\x1f"), EVS_E_FORMAT },
	{ "6.1-2", EVS_FIXED, 8, 1, 0, B("\x0c\x04zzzzzzzzzzzzzzzz\0"), EVS_E_VERSION },
	{ "6.1-3", EVS_FIXED, 16, 1, 0, B("\3\1\3\1\3\1\3\1\3\1\3\1\3\1\3\1\3\1"), EVS_E_FORMAT },
	{ "6.1-3", EVS_BYTES, 0, 1, 0, B("\3\1\3\1\3\1\3\1\3\1\3\1\3\1\3\1\3\1"), EVS_E_FORMAT },
	{ "6.2-2", EVS_INT, 4, 3, 1, B("\2"), EVS_E_FORMAT },
	{ "6.2-2", EVS_INT, 4, 3, 1, B("\2\1\x80"), EVS_E_FORMAT },
	{ "6.2-2", EVS_INT, 4, 3, 1, B("\2\1\0"), EVS_E_FORMAT },
	{ "6.2-2", EVS_INT, 4, 3, 1, B("\2\1\4"), EVS_E_FORMAT },
	{ "6.1-1", EVS_INT, 4, 3, 1, B("\2\1\2"), EVS_E_FORMAT },
	{ "6.2-3", EVS_INT, 4, 3, 1, B("\2\1\2\2\2"), EVS_E_FORMAT },
	{ "6.2-6", EVS_INT, 4, 0, 0, B("\1"), EVS_E_FORMAT },
	{ "6.3-15", EVS_FIXED, 16, 3, 0, B("\3"), EVS_E_FORMAT },
	{ "6.3-15", EVS_FIXED, 16, 3, 0, B("\3\0"), EVS_E_FORMAT },
	{ "6.3-15", EVS_FIXED, 16, 3, 0, B("\3\4"), EVS_E_FORMAT },
#undef B
};

static void check_end(const char *rule, int rc, int want, const char *why)
{
	size_t n = strlen(rule);

	t_check(rule, rc == want && !strncmp(why, rule, n) && why[n] == ' ');
	if (strncmp(why, rule, n))
		printf("        %s\n", why);
}

/* The whole of such a column, and its first and last row. */
static void check_bad(const char *rule, struct evs_array *a, uint32_t rows, uint32_t nulls,
		      const void *bytes, size_t len, int want)
{
	const uint8_t *end = (const uint8_t *)bytes + len;
	const uint32_t at[] = { 0, rows - 1 };
	struct evs_dec_ctx *d = NULL;
	struct evs_cur c = { bytes, end };
	const char *why = "";
	int rc;

	T_CHECK(evs_dec_ctx_new(&d) == 0);
	evs_dec_ctx_set_limit(d, 32 << 20);
	rc = evs_column_decode(d, &c, rows, nulls, a, &why);
	check_end(rule, rc, want, why);
	c = (struct evs_cur){ bytes, end };
	why = "";
	rc = evs_column_pick(d, &c, rows, nulls, at, 1 + (rows > 1), a, &why);
	check_end(rule, rc, want, why);
	evs_array_release(a);
	evs_dec_ctx_free(d);
}

/* Lists that are too large, picked of: what there is no memory for is not the column's fault. */
static void check_no_memory(const struct evs_buf *lists)
{
	const uint32_t first = 0;
	bool hit = true;

	for (long n = 1; hit; n++) {
		struct evs_cur c = { lists->p, lists->p + lists->len };
		struct evs_dec_ctx *d = NULL;
		struct evs_array a;
		const char *why = "";
		int rc;

		if (evs_dec_ctx_new(&d) || evs_array_init_nested(&a, EVS_LIST))
			abort();
		evs_array_init(a.child, EVS_INT, 1, false);
		evs_dec_ctx_set_limit(d, 32 << 20);
		fail_begin("memory", n, ENOMEM);
		rc = evs_column_pick(d, &c, 2, 0, &first, 1, &a, &why);
		hit = fail_end();
		T_CHECK(rc == (hit ? EVS_E_NOMEM : EVS_E_LIMIT) && why[0]);
		evs_array_release(&a);
		evs_dec_ctx_free(d);
	}
}

static void test_rules(void)
{
	struct evs_array a, *in = &a;
	char deep[3 * (EVS_ARRAY_MAX_DEPTH + 1)];
	uint8_t big[3100] = { EVS_NODE_CONST, 0xb8, 0x17 }; /* 3,000 bytes */
	uint8_t dict[3100] = { EVS_NODE_DICT, 1, EVS_NODE_CONST, 0xb8, 0x17 };
	struct evs_buf b = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		evs_array_init(&a, bad[i].phys, bad[i].width, true);
		check_bad(bad[i].rule, &a, bad[i].rows, bad[i].nulls, bad[i].bytes, bad[i].len,
			  bad[i].want);
	}
	/* A row of a list in a list in a list ... */
	for (unsigned i = 0; i <= EVS_ARRAY_MAX_DEPTH; i++) {
		if (evs_array_init_nested(in, EVS_LIST))
			abort();
		memcpy(deep + 3 * i, "\2\2\0", 3);
		in = in->child;
	}
	evs_array_init(in, EVS_INT, 4, false);
	check_bad("6.7-2", &a, 1, 0, deep, sizeof(deep), EVS_E_FORMAT);
	/* A million values of 3,000 bytes. */
	evs_array_init(&a, EVS_BYTES, 0, false);
	check_bad("6.1-7", &a, 1 << 20, 0, big, 3003, EVS_E_FORMAT);
	dict[3005] = EVS_NODE_CONST;
	evs_array_init(&a, EVS_BYTES, 0, false);
	check_bad("6.1-7", &a, 1 << 20, 0, dict, 3007, EVS_E_FORMAT);
	/* Two lists of 800 million nulls. */
	if (evs_array_init_nested(&a, EVS_LIST))
		abort();
	evs_array_init(a.child, EVS_INT, 1, false);
	evs_buf_put_u8(&b, EVS_NODE_CONST);
	evs_buf_put_varint(&b, evs_zigzag(800000000));
	evs_buf_put_varint(&b, 1600000000);
	check_bad("6.1-6", &a, 2, 0, b.p, b.len, EVS_E_LIMIT);
	check_no_memory(&b);
	evs_buf_release(&b);
}

/* What the decoders share, called as no decoder can be made to call it by a small file. */
static void test_caps(void)
{
	struct evs_scratch s = { 0 };
	struct evs_dec_ctx *d = NULL;
	struct evs_array a;
	uint64_t out[4];
	const uint8_t in[1] = { 0x81 };

	T_CHECK(!evs_scratch_get(&s, SIZE_MAX));
	for (unsigned i = 0; i < EVS_ENC_SLOTS; i++)
		T_CHECK(evs_scratch_get(&s, 1));
	T_CHECK(!evs_scratch_get(&s, 1));
	evs_scratch_release(&s);

	evs_array_init(&a, EVS_BYTES, 0, false);
	T_CHECK(evs_dec_ctx_new(&d) == 0);
	d->left = 1000;
	T_CHECK(evs_dec_reserve(d, &a, 1, (uint64_t)EVS_ARRAY_MAX_BYTES + 1) == EVS_E_FORMAT);
	T_CHECK(evs_dec_bytes_room(d, &a, EVS_ARRAY_MAX_BYTES) == EVS_E_NOMEM && !a.data);
	evs_dec_ctx_free(d);

	/* Bits past the end are read as zero. */
	evs_bits_unpack((uint8_t *)out, in, 1, 4, 8, 6, 0);
	T_CHECK(out[0] == 1 && out[1] == 2 && out[2] == 0 && out[3] == 0);
}

int main(void)
{
	test_kinds_refused();
	test_rising_bytes();
	test_recent_too_far_back();
	test_large_dictionary();
	test_misleading_sample(false);
	test_misleading_sample(true);
	test_recent_sample();
	test_collisions();
	test_floats();
	test_long_affix();
	test_other_spellings();
	test_rules();
	test_caps();
	return t_done();
}
