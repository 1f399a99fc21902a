/*
 * Columns when memory fails: each allocation of encoding and decoding in turn, an output that
 * cannot grow from any length on, and every memory limit. What fails says so; what does not gives
 * the same rows; and the contexts serve the next column.
 */
#include "format/enc_impl.h"
#include "tests/unit/enc_gen.h"
#include "tests/unit/fail.h"

static struct evs_enc_ctx *enc;
static struct evs_dec_ctx *dec;

/* Contexts anew, without scratch from before. */
static void fresh(const struct evs_enc_opts *opts)
{
	evs_enc_ctx_free(enc);
	evs_dec_ctx_free(dec);
	enc = NULL;
	dec = NULL;
	if (evs_enc_ctx_new(&enc, opts) || evs_dec_ctx_new(&dec))
		abort();
}

static void done(void)
{
	evs_enc_ctx_free(enc);
	evs_dec_ctx_free(dec);
	enc = NULL;
	dec = NULL;
}

/* Decode all of `buf`: 0 and the rows of `a`, or the error. */
static int decode(const struct evs_buf *buf, const struct evs_array *a)
{
	struct evs_cur c = { .p = buf->p, .end = buf->p + buf->len };
	struct evs_array back;
	const char *why = NULL;
	int rc;

	if (evs_array_init_like(&back, a))
		abort();
	rc = evs_column_decode(dec, &c, a->rows, a->nulls, &back, &why);
	if (rc == 0 && (c.p != c.end || !gen_same(a, &back)))
		rc = 1;
	if (rc < 0 && !why)
		rc = 2;
	(void)fail_end();
	evs_array_release(&back);
	return rc;
}

static bool nomem_or_ok(int rc)
{
	return rc == 0 || rc == EVS_E_NOMEM;
}

/* Each allocation of the encoder in turn. */
static bool encoding_fails(const struct evs_array *a, const struct evs_enc_opts *opts)
{
	struct evs_buf buf = { 0 };
	bool ok = true, hit = true;
	int rc;

	for (long n = 1; ok && hit; n++) {
		fresh(opts);
		fail_begin("memory", n, 0);
		rc = evs_column_encode(enc, a, &buf);
		hit = fail_end();
		ok = nomem_or_ok(rc) && (rc < 0 || decode(&buf, a) == 0) && (hit || rc == 0);
		evs_buf_reset(&buf);
		ok = ok && evs_column_encode(enc, a, &buf) == 0 && decode(&buf, a) == 0;
		evs_buf_release(&buf);
	}
	return ok;
}

/* An output of each length that cannot grow. `len` is what it takes. */
static bool output_stays(const struct evs_array *a, const struct evs_enc_opts *opts, size_t len)
{
	struct evs_buf buf;
	bool ok = true;
	int rc;

	fresh(opts);
	for (size_t cap = 1; ok && cap <= len; cap += 1 + cap / 256) {
		buf = (struct evs_buf){ .p = malloc(cap), .cap = cap };
		if (!buf.p)
			abort();
		fail_begin("memory", 1, 0);
		fail.fixed = (void *const *)(void *)&buf.p;
		rc = evs_column_encode(enc, a, &buf);
		(void)fail_end();
		ok = nomem_or_ok(rc) && (rc < 0 || decode(&buf, a) == 0);
		evs_buf_release(&buf);
	}
	return ok;
}

static bool decoding_fails(const struct evs_array *a, const struct evs_enc_opts *opts,
			   const struct evs_buf *buf)
{
	bool ok = true;
	int rc;

	for (long n = 1; ok; n++) {
		struct evs_cur c = { .p = buf->p, .end = buf->p + buf->len };
		struct evs_array back;
		const char *why = NULL;

		fresh(opts);
		if (evs_array_init_like(&back, a))
			abort();
		fail_begin("memory", n, 0);
		rc = evs_column_decode(dec, &c, a->rows, a->nulls, &back, &why);
		if (!fail_end()) {
			ok = rc == 0 && gen_same(a, &back);
			evs_array_release(&back);
			break;
		}
		ok = rc == EVS_E_NOMEM && why && decode(buf, a) == 0;
		evs_array_release(&back);
	}
	return ok;
}

/* Every limit from nothing to enough, in steps that grow. */
static bool limits_hold(const struct evs_array *a, const struct evs_enc_opts *opts,
			const struct evs_buf *buf)
{
	size_t limit = 0;
	int rc = EVS_E_LIMIT;

	fresh(opts);
	for (; rc == EVS_E_LIMIT && limit < 1u << 20; limit += 1 + limit / 512) {
		evs_dec_ctx_set_limit(dec, limit);
		rc = decode(buf, a);
	}
	return rc == 0;
}

static void check(const char *name, const struct evs_array *a, struct evs_enc_opts opts)
{
	struct evs_buf buf = { 0 };
	char text[128];

	fresh(&opts);
	if (evs_column_encode(enc, a, &buf))
		abort();
	snprintf(text, sizeof(text), "%s, forced %u: ", name, opts.force);
	t_check(strcat(text, "encoding"), encoding_fails(a, &opts));
	t_check(strcat(text, ", output"), output_stays(a, &opts, buf.len));
	t_check(strcat(text, ", decoding"), decoding_fails(a, &opts, &buf));
	t_check(strcat(text, ", limits"), limits_hold(a, &opts, &buf));
	evs_buf_release(&buf);
	done();
}

/* As it is and with nulls, forced, and as chosen with and without zstd. */
static void check_all(const char *name, struct evs_array *a, uint8_t kind)
{
	struct evs_array holes;

	gen_with_nulls(&holes, a, 4);
	check(name, a, (struct evs_enc_opts){ .force = kind });
	check(name, a, (struct evs_enc_opts){ .force = kind, .no_zstd = true });
	check(name, &holes, (struct evs_enc_opts){ 0 });
	evs_array_release(&holes);
	evs_array_release(a);
}

static uint64_t int_value(uint8_t kind, uint32_t i)
{
	switch (kind) {
	case EVS_NODE_CONST:
		return 9;
	case EVS_NODE_RUNS:
		return i / 40 * 1000;
	case EVS_NODE_DICT:
		return (uint64_t)gen_below(5) * 1000003;
	case EVS_NODE_SCALED:
		return (uint64_t)gen_below(100) * 3000;
	case EVS_NODE_PATCHED:
		return gen_below(30) ? gen_below(16) : gen_u64() >> 40;
	case EVS_NODE_PLAIN:
		return gen_u64();
	default:
		return 1000 * i + gen_below(i & 256 ? 7 : 900);
	}
}

static void test_ints(void)
{
	static const uint8_t kinds[] = { EVS_NODE_PLAIN,  EVS_NODE_CONST,  EVS_NODE_DICT,
					 EVS_NODE_RUNS,	  EVS_NODE_PACKED, EVS_NODE_PATCHED,
					 EVS_NODE_DELTA,  EVS_NODE_DELTA2, EVS_NODE_SCALED,
					 EVS_NODE_PLANES, EVS_NODE_BLOCKS, 0 };
	struct evs_array a;

	for (size_t k = 0; k < sizeof(kinds); k++)
		for (uint16_t w = 2; w <= 8; w = (uint16_t)(w * 4)) {
			evs_array_init(&a, EVS_INT, w, k & 1);
			for (uint32_t i = 0; i < 300; i++)
				if (evs_array_append_int(&a, int_value(kinds[k], i)))
					abort();
			check_all(w == 2 ? "int16" : "int64", &a, kinds[k]);
		}
}

static void test_floats(void)
{
	static const uint8_t kinds[] = { EVS_NODE_PLAIN,
					 EVS_NODE_CONST,
					 EVS_NODE_DICT,
					 EVS_NODE_RUNS,
					 EVS_NODE_PLANES,
					 EVS_NODE_DECIMAL,
					 0 };
	struct evs_array a;

	for (size_t k = 0; k < sizeof(kinds); k++)
		for (unsigned shape = 0; shape < 3; shape++) {
			evs_array_init(&a, EVS_FLOAT, 8, true);
			for (uint32_t i = 0; i < 400; i++) {
				double v = kinds[k] == EVS_NODE_CONST  ? 36.6
					   : kinds[k] == EVS_NODE_RUNS ? i / 40
					   : kinds[k] == EVS_NODE_DICT ? gen_below(4) / 3.0
					   : shape == 0 ? gen_below(1000) / (i < 200 ? 10.0 : 1e5)
					   : shape == 1 ? gen_below(5000) * (0.15 / 1e6)
					   : i % 50	? gen_below(1000) / 100.0
							: i / 7.0;
				if (evs_array_append_float(&a, v))
					abort();
			}
			check_all("float", &a, kinds[k]);
		}
}

static void test_fixed(void)
{
	static const uint8_t kinds[] = { EVS_NODE_PLAIN, EVS_NODE_CONST,  EVS_NODE_DICT,
					 EVS_NODE_UUID,	 EVS_NODE_PLANES, 0 };
	struct evs_array a;
	uint8_t v[16];

	for (size_t k = 0; k < sizeof(kinds); k++) {
		evs_array_init(&a, EVS_FIXED, 16, false);
		for (uint32_t i = 0; i < 100; i++) {
			for (unsigned j = 0; j < 16; j++)
				v[j] = kinds[k] == EVS_NODE_CONST  ? 5
				       : kinds[k] == EVS_NODE_DICT ? (uint8_t)(i % 5 * j)
								   : (uint8_t)gen_u64();
			v[0] = v[1] = 0;
			v[6] = (uint8_t)(0x70 | (v[6] & 15));
			v[8] = (uint8_t)(0x80 | (v[8] & 0x3f));
			if (evs_array_append_fixed(&a, v))
				abort();
		}
		check_all("fixed", &a, kinds[k]);
	}
}

static void test_texts(void)
{
	static const struct {
		uint8_t kind;
		const char *before, *after;
		int digits, base;
		uint32_t different;
	} forms[] = {
		{ EVS_NODE_PLAIN, "a", "b", 1, 16, 1u << 30 },
		{ EVS_NODE_CONST, "same", "", 1, 10, 1 },
		{ EVS_NODE_DICT, "action-", "", 1, 10, 7 },
		{ EVS_NODE_UUID_TEXT, "0193ccc3-d40c-715e-bd3b-e919", "", 8, 16, 1u << 30 },
		{ EVS_NODE_UUID_TEXT, "0193ccc3-d40c-f15e-cd3b-e919", "", 8, 16, 1u << 30 },
		{ EVS_NODE_HEX_TEXT, "", "", 8, 16, 1u << 30 },
		{ EVS_NODE_HEX_TEXT, "", "", 4, 16, 1u << 15 },
		{ EVS_NODE_INT_TEXT, "", "", 1, 10, 1u << 30 },
		{ EVS_NODE_TIME_TEXT, "2024-12-16T00:00:", ".5Z", 2, 10, 60 },
		{ EVS_NODE_AFFIX, "user_", "_x", 1, 10, 1u << 20 },
		{ EVS_NODE_TEMPLATE, "request ", " took long", 1, 10, 1u << 30 },
		{ EVS_NODE_TEMPLATE, "{\"n\":", ",\"s\":[\"t\",2.5]}", 1, 10, 1u << 30 },
		{ 0, "user_", "\x01y", 1, 10, 1u << 30 },
	};
	struct evs_array a;
	char s[64];

	for (size_t k = 0; k < sizeof(forms) / sizeof(forms[0]); k++) {
		evs_array_init(&a, EVS_BYTES, 0, false);
		for (uint32_t i = 0; i < 90; i++) {
			unsigned v = gen_below(forms[k].different);

			if (forms[k].base == 16)
				snprintf(s, sizeof(s), "%s%0*x%s", forms[k].before, forms[k].digits,
					 v, forms[k].after);
			else
				snprintf(s, sizeof(s), "%s%0*u%s", forms[k].before, forms[k].digits,
					 v, forms[k].after);
			if (evs_array_append_bytes(&a, s, strlen(s)))
				abort();
		}
		check_all("text", &a, forms[k].kind);
	}
}

static void test_nested(void)
{
	struct evs_array a;

	for (unsigned map = 0; map < 2; map++) {
		if (evs_array_init_nested(&a, map ? EVS_MAP : EVS_LIST))
			abort();
		evs_array_init(&a.child[0], EVS_BYTES, 0, false);
		evs_array_init(&a.child[map], map ? EVS_INT : EVS_BYTES, 4, true);
		for (uint32_t i = 0; i < 60; i++) {
			for (uint32_t n = gen_below(4); n > 0; n--)
				if (evs_array_append_bytes(&a.child[0], "key", gen_below(4)) ||
				    (map && evs_array_append_int(&a.child[1], gen_u64())))
					abort();
			if (evs_array_close_row(&a))
				abort();
		}
		check_all(map ? "map" : "list", &a, 0);
	}
}

/* Null in every row; and present and null in long stretches. */
static void test_stretches(void)
{
	struct evs_array a;

	for (unsigned all = 0; all < 2; all++) {
		evs_array_init(&a, EVS_INT, 4, false);
		for (uint32_t i = 0; i < 300; i++)
			if (all || i / 50 % 2 ? evs_array_append_null(&a)
					      : evs_array_append_int(&a, i))
				abort();
		check("stretches", &a, (struct evs_enc_opts){ 0 });
		evs_array_release(&a);
	}
}

/* Codes counted back, as children of a dictionary have them, at the top. */
static void test_recent(void)
{
	struct evs_array a;

	evs_array_init(&a, EVS_INT, 2, false);
	for (uint32_t i = 0; i < 300; i++)
		if (evs_array_append_int(&a,
					 i / 3 > 5 ? i / 3 - gen_below(5) % (i % 3 + 1) : i / 3))
			abort();
	check("recent", &a, (struct evs_enc_opts){ .force = EVS_NODE_RECENT });
	evs_array_release(&a);
}

/* More distinct texts than the first table of a dictionary has room for. */
static void test_many_distinct(void)
{
	struct evs_enc_opts opts = { .force = EVS_NODE_DICT, .no_zstd = true };
	struct evs_array a;
	char s[40];

	evs_array_init(&a, EVS_BYTES, 0, false);
	for (uint32_t i = 0; i < 1500; i++)
		if (evs_array_append_bytes(&a, s,
					   (size_t)snprintf(s, sizeof(s), "action-%u", i % 700)))
			abort();
	T_CHECK(encoding_fails(&a, &opts));
	done();
	evs_array_release(&a);
}

/* Lines of a log, of which a sample is tried with templates and without. */
static void test_tried(void)
{
	struct evs_enc_opts opts = { .thorough = true };
	struct evs_array a;
	char s[80];

	evs_array_init(&a, EVS_BYTES, 0, false);
	for (uint32_t i = 0; i < 80; i++)
		if (evs_array_append_bytes(&a, s,
					   (size_t)snprintf(s, sizeof(s),
							    "request %u took %ums for a user",
							    gen_below(1u << 30), gen_below(900))))
			abort();
	check("lines", &a, opts);
	evs_array_release(&a);
}

static void test_contexts(void)
{
	struct evs_enc_opts opts = { 0 };
	struct evs_dict dict;
	const uint8_t one = 1;

	fail_begin("memory", 1, 0);
	T_CHECK(evs_enc_ctx_new(&enc, &opts) == EVS_E_NOMEM);
	T_CHECK(fail_end());
	fail_begin("memory", 1, 0);
	T_CHECK(evs_dec_ctx_new(&dec) == EVS_E_NOMEM);
	T_CHECK(fail_end());
	/* A table for more values than it may have slots. */
	fresh(&opts);
	fail_begin("memory", 1, 0);
	fail.on = true;
	T_CHECK(evs_dict_fixed(enc, &one, 1, 1, 1u << 31, &dict) == EVS_E_NOMEM);
	T_CHECK(fail_end());
	done();
}

int main(void)
{
	test_contexts();
	test_ints();
	test_floats();
	test_fixed();
	test_texts();
	test_many_distinct();
	test_tried();
	test_nested();
	test_stretches();
	test_recent();
	return t_done();
}
