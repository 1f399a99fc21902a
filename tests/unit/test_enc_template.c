/*
 * TEMPLATE nodes: lines of logs, JSON and mixtures are chosen to be laid down so and come back;
 * texts that have little in common are not, nor such as pass a bound of the writer; hostile nodes
 * that stand for very much.
 */
#include "format/enc_impl.h"
#include "tests/unit/enc_gen.h"

static void append(struct evs_array *a, const char *text, size_t len)
{
	if (evs_array_append_bytes(a, text, len))
		abort();
}

static size_t log_line(char *s, size_t cap, unsigned i)
{
	static const char *const states[] = { "SHIPPED", "PAID", "OPEN" };

	switch (gen_below(4)) {
	case 0:
		return (size_t)snprintf(s, cap, "request %08x-ab12-4f00-9f00-%012llx done in %ums",
					gen_below(~0u), (unsigned long long)(gen_u64() >> 16),
					gen_below(900));
	case 1:
		return (size_t)snprintf(s, cap, "order ord_%u moved to state %s by \"user %u\"", i,
					states[i % 3], gen_below(1000000));
	case 2:
		return (size_t)snprintf(s, cap, "connected to 10.0.%u.%u:5432 sha=%016llx",
					gen_below(256), gen_below(256),
					(unsigned long long)gen_u64());
	default:
		return (size_t)snprintf(s, cap, "cache hits=%u ratio=0.%04u", gen_below(1u << 30),
					gen_below(10000));
	}
}

static size_t json_text(char *s, size_t cap, unsigned i)
{
	size_t n = (size_t)snprintf(s, cap, "{\"id\":\"%08x%08x\",\"ms\":%u,\"list\":[",
				    gen_below(~0u), gen_below(~0u), gen_below(5000));

	for (unsigned k = gen_below(4); k > 0; k--)
		n += (size_t)snprintf(s + n, cap - n, "%u.%02u%s", gen_below(100), gen_below(100),
				      k > 1 ? "," : "");
	n += (size_t)snprintf(s + n, cap - n, "]");
	if (i % 3)
		n += (size_t)snprintf(s + n, cap - n, ",\"by\":{\"name\":\"name %u\",\"ok\":%s}",
				      gen_below(100000), i % 2 ? "true" : "null");
	return n + (size_t)snprintf(s + n, cap - n, "}");
}

static size_t noise(char *s, size_t cap, unsigned i)
{
	(void)i;
	for (size_t k = 0; k + 1 < cap && k < 60; k++)
		s[k] = (char)(' ' + gen_below(90));
	return 60;
}

static void fill(struct evs_array *a, uint32_t rows, size_t (*make)(char *, size_t, unsigned),
		 size_t (*other)(char *, size_t, unsigned))
{
	char s[400];

	evs_array_init(a, EVS_BYTES, 0, false);
	for (uint32_t i = 0; i < rows; i++)
		append(a, s, other && i % 10 == 9 ? other(s, sizeof(s), i) : make(s, sizeof(s), i));
}

static uint8_t chosen(const struct evs_array *a, bool *ok)
{
	struct evs_enc_opts opts = { .thorough = true };
	uint8_t kind = 0;

	*ok = gen_trip(a, &opts, &kind);
	return kind;
}

static void test_chosen(void)
{
	static const struct {
		const char *name;
		size_t (*make)(char *, size_t, unsigned), (*other)(char *, size_t, unsigned);
		bool templates;
	} cases[] = {
		{ "lines of a log", log_line, NULL, true },
		{ "JSON", json_text, NULL, true },
		{ "both", log_line, json_text, true },
		{ "with noise between", json_text, noise, true },
		{ "noise", noise, NULL, false },
	};
	struct evs_array a, holes;
	bool ok, with;

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		fill(&a, 3000, cases[k].make, cases[k].other);
		with = chosen(&a, &ok) == EVS_NODE_TEMPLATE;
		t_check(cases[k].name, ok && with == cases[k].templates);
		gen_with_nulls(&holes, &a, 3);
		(void)chosen(&holes, &ok);
		t_check(cases[k].name, ok);
		evs_array_release(&holes);
		evs_array_release(&a);
	}
}

/* Bytes of the column, with and without templates. */
static void test_shorter(void)
{
	struct evs_enc_opts with = { .thorough = true, .no_zstd = true },
			    without = { .no_zstd = true };
	struct evs_enc_ctx *e = NULL;
	struct evs_buf a_buf = { 0 }, b_buf = { 0 }, c_buf = { 0 };
	struct evs_array a;

	fill(&a, 3000, log_line, NULL);
	T_CHECK(evs_enc_ctx_new(&e, &with) == 0 && evs_column_encode(e, &a, &a_buf) == 0);
	T_CHECK(evs_column_encode(e, &a, &b_buf) == 0 && a_buf.len == b_buf.len &&
		!memcmp(a_buf.p, b_buf.p, a_buf.len));
	evs_enc_ctx_free(e);
	e = NULL;
	T_CHECK(evs_enc_ctx_new(&e, &without) == 0 && evs_column_encode(e, &a, &c_buf) == 0);
	T_CHECK(a_buf.len * 2 < c_buf.len);
	evs_enc_ctx_free(e);
	evs_buf_release(&a_buf);
	evs_buf_release(&b_buf);
	evs_buf_release(&c_buf);
	evs_array_release(&a);
}

/* Few rows, and values of every length around the chunks in which they are copied. */
static void test_sizes(void)
{
	struct evs_array a;
	char s[80];
	bool ok = true;

	for (uint32_t rows = 1; rows < 80; rows++) {
		evs_array_init(&a, EVS_BYTES, 0, false);
		for (uint32_t i = 0; i < rows; i++) {
			memset(s, 'a' + (int)(i % 3), sizeof(s));
			s[i % 40] = ' ';
			s[i % 40 + 1] = '7';
			append(&a, s, 2 + (i * 7 + rows) % 70);
		}
		ok &= gen_forced(&a, EVS_NODE_TEMPLATE);
		evs_array_release(&a);
	}
	T_CHECK(ok);
}

static int decode_to(const struct evs_buf *b, uint32_t rows, struct evs_array *out,
		     const char **why)
{
	struct evs_cur c = { .p = b->p, .end = b->p + b->len };
	struct evs_dec_ctx *d = NULL;
	int rc = evs_dec_ctx_new(&d);

	if (!rc)
		rc = evs_column_decode(d, &c, rows, 0, out, why);
	evs_dec_ctx_free(d);
	return rc;
}

static int decode(const struct evs_buf *b, uint32_t rows, const char **why)
{
	struct evs_array out;
	int rc;

	evs_array_init(&out, EVS_BYTES, 0, false);
	rc = decode_to(b, rows, &out, why);
	evs_array_release(&out);
	return rc;
}

/* One template of many gaps, in many rows: nothing may be allocated for so many values. */
static void test_very_many(void)
{
	struct evs_buf b = { 0 };
	const char *why = "";

	evs_buf_put(&b, "\x14\1\1", 3);
	evs_buf_put_varint(&b, 60000);
	evs_buf_put_u8(&b, 0);
	for (unsigned i = 0; i < 60000; i++)
		evs_buf_put(&b, "\0\0", 2);
	evs_buf_put(&b, "\2\0\2\1y", 5);
	T_CHECK(evs_buf_ok(&b) && decode(&b, 100000, &why) == EVS_E_FORMAT &&
		!strncmp(why, "6.1-7", 5));
	T_CHECK(decode(&b, 3, &why) == 0);
	evs_buf_release(&b);
	/* One literal of 64 KiB in 2^20 rows. */
	evs_buf_put(&b, "\x14\1\0\0", 4);
	evs_buf_put_varint(&b, 65536);
	evs_buf_put_zero(&b, 65536);
	evs_buf_put(&b, "\2\0", 2);
	T_CHECK(evs_buf_ok(&b) && decode(&b, 1u << 20, &why) == EVS_E_FORMAT &&
		!strncmp(why, "6.1-7", 5));
	evs_buf_release(&b);
}

/* A template that no value has, with a column that another one fills. */
static void test_unused(void)
{
	static const uint8_t node[] = "\x14\2\1"
				      "\1\1a\0\0"
				      "\1\1b\0\0"
				      "\2\0"
				      "\2\1y";
	struct evs_buf b = { 0 };
	struct evs_array out;
	const char *why = "";

	evs_buf_put(&b, node, sizeof(node) - 1);
	evs_array_init(&out, EVS_BYTES, 0, false);
	T_CHECK(decode_to(&b, 3, &out, &why) == 0 && out.rows == 3);
	T_CHECK(out.rows == 3 && out.offs[3] == 6 && !memcmp(out.data, "ayayay", 6));
	evs_array_release(&out);
	evs_buf_release(&b);
}

/* Literals that fill an array to its last byte, and one value more. */
static void test_full(void)
{
	struct evs_buf b = { 0 };
	const char *why = "";

	evs_buf_put(&b, "\x14\1\1\1", 4);
	evs_buf_put_varint(&b, 65536);
	evs_buf_put_zero(&b, 65536);
	evs_buf_put(&b, "\0\0\2\0\2\1y", 7);
	T_CHECK(evs_buf_ok(&b) && decode(&b, 0x7fff, &why) == EVS_E_FORMAT &&
		!strncmp(why, "6.1-7", 5));
	evs_buf_release(&b);
}

/* The least limit with which a node of one row, `len` bytes of a column between two letters, is
 * read. */
static size_t least_limit(size_t len)
{
	struct evs_buf b = { 0 };
	struct evs_dec_ctx *d = NULL;
	size_t lo = 0, hi = 1 << 20;

	evs_buf_put(&b, "\x14\1\1\1\1a\0\1b\2\0\2", 12);
	evs_buf_put_varint(&b, len);
	evs_buf_put_zero(&b, len);
	while (lo < hi) {
		struct evs_cur c = { .p = b.p, .end = b.p + b.len };
		size_t limit = lo + (hi - lo) / 2;
		struct evs_array out;
		const char *why;
		int rc;

		evs_array_init(&out, EVS_BYTES, 0, false);
		if (evs_dec_ctx_new(&d) < 0)
			abort();
		evs_dec_ctx_set_limit(d, limit);
		rc = evs_column_decode(d, &c, 1, 0, &out, &why);
		T_CHECK(rc == 0 || rc == EVS_E_LIMIT);
		if (rc == 0)
			hi = limit;
		else
			lo = limit + 1;
		evs_array_release(&out);
		evs_dec_ctx_free(d);
		d = NULL;
	}
	evs_buf_release(&b);
	return lo;
}

/* Bytes of a column count where they are read, among those of all columns, and in the row. */
static void test_limit(void)
{
	T_CHECK(least_limit(3000) - least_limit(1000) == 3 * 2000);
}

/* ---- what the writer gives up ---------------------------------------------------------------- */

/* Encode the texts by templates; `*templates` gets how many there are (of less than 128). */
static int encode(const struct evs_array *a, bool forced, unsigned *templates)
{
	struct evs_enc_opts opts = { .thorough = true };
	struct evs_strs v = { .data = a->data, .offs = a->offs, .n = a->rows };
	struct evs_enc_ctx *e = NULL;
	struct evs_buf out = { 0 };
	int rc;

	if (evs_enc_ctx_new(&e, &opts))
		abort();
	rc = evs_enc_template(e, &v, forced, 0, &out);
	*templates = rc == 0 ? out.p[1] : 0;
	evs_buf_release(&out);
	evs_enc_ctx_free(e);
	return rc;
}

static int pays(const struct evs_array *a, unsigned depth)
{
	struct evs_enc_opts opts = { .thorough = true };
	struct evs_strs v = { .data = a->data, .offs = a->offs, .n = a->rows };
	struct evs_enc_ctx *e = NULL;
	int rc;

	if (evs_enc_ctx_new(&e, &opts))
		abort();
	rc = evs_template_pays(e, &v, depth);
	evs_enc_ctx_free(e);
	return rc;
}

/* `n` times the text. */
static void append_times(struct evs_array *a, const char *text, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		append(a, text, strlen(text));
}

/* More pieces than the writer has room for: while values are split, and while those of rare
 * templates are taken back. */
static void test_many_pieces(void)
{
	struct evs_array a;
	unsigned n;

	evs_array_init(&a, EVS_BYTES, 0, false);
	append_times(&a, "1 1 1 1 1 1 1 1", 100);
	T_CHECK(encode(&a, true, &n) == EVS_ENC_UNFIT);
	evs_array_release(&a);
	/* With 20 rows there are six pieces for each, two for the last, and room for 122. */
	for (unsigned rows = 19; rows < 22; rows++) {
		evs_array_init(&a, EVS_BYTES, 0, false);
		append_times(&a, "1 1 1 1 1 1", rows);
		append_times(&a, "1;1", 1);
		T_CHECK(encode(&a, false, &n) == (rows == 20 ? EVS_ENC_UNFIT : 0));
		T_CHECK(rows == 20 || n == 2);
		T_CHECK(gen_forced(&a, EVS_NODE_TEMPLATE));
		evs_array_release(&a);
	}
}

/* A value of more than 512 pieces is left whole. */
static void test_long_value(void)
{
	struct evs_array a;
	char s[2000];
	unsigned n;

	for (unsigned pieces = 512; pieces < 514; pieces++) {
		evs_array_init(&a, EVS_BYTES, 0, false);
		memset(s, 1, sizeof(s));
		for (unsigned i = 0; i < 64; i++)
			append(&a, s, 200);
		for (unsigned i = 0; i < pieces; i++)
			memcpy(s + 2 * i, "1 ", 2);
		append(&a, s, 2 * pieces - 1);
		T_CHECK(encode(&a, true, &n) == 0 && n == (pieces == 512 ? 2 : 1));
		T_CHECK(gen_forced(&a, EVS_NODE_TEMPLATE));
		evs_array_release(&a);
	}
}

/* Templates in a quarter of the values and two: further values are left whole, when that is a
 * template already. */
static void test_many_templates(void)
{
	struct evs_array a;
	char s[40];
	unsigned n;

	for (unsigned whole = 0; whole < 2; whole++) {
		evs_array_init(&a, EVS_BYTES, 0, false);
		append_times(&a, whole ? "\1" : "{}", 1);
		for (unsigned i = 1; i < 64; i++)
			append(&a, s,
			       (size_t)snprintf(s, sizeof(s), "{\"k%u\":%u}", i < 41 ? i : 1, i));
		T_CHECK(encode(&a, false, &n) == (whole ? 0 : EVS_ENC_UNFIT));
		T_CHECK(!whole || n == 18);
		T_CHECK(encode(&a, true, &n) == 0 && n == 41);
		evs_array_release(&a);
	}
}

/* Skeletons longer than a quarter of the values and 4 KiB. */
static void test_long_skeletons(void)
{
	struct evs_array a;
	char s[600];
	unsigned n;

	evs_array_init(&a, EVS_BYTES, 0, false);
	append_times(&a, "\1", 1);
	for (unsigned i = 0; i < 64; i++) {
		memset(s, 'k', sizeof(s));
		append(&a, s,
		       500 + (size_t)snprintf(memcpy(s, "{\"", 2) + 500, 40, "%u\":7}", i + 10));
	}
	/* 32,385 bytes: 12,192 for skeletons, of which one takes one byte and the others 505. */
	T_CHECK(encode(&a, true, &n) == 0 && n == 25);
	T_CHECK(gen_forced(&a, EVS_NODE_TEMPLATE));
	evs_array_release(&a);
}

/* Values with bytes that are marks of skeletons. */
static void test_marks(void)
{
	struct evs_array a;
	unsigned n;

	evs_array_init(&a, EVS_BYTES, 0, false);
	append_times(&a, "a\1", 64);
	T_CHECK(encode(&a, false, &n) == EVS_ENC_UNFIT);
	T_CHECK(encode(&a, true, &n) == 0 && n == 1);
	T_CHECK(gen_forced(&a, EVS_NODE_TEMPLATE));
	append_times(&a, "x1y", 1); /* one piece is the whole, too */
	T_CHECK(encode(&a, true, &n) == 0 && n == 1);
	append_times(&a, "1;1", 44); /* 132 of 263 bytes */
	T_CHECK(encode(&a, false, &n) == 0 && n == 2);
	evs_array_release(&a);
}

static void test_too_large(void)
{
	struct evs_array a;
	char *s = malloc(1 << 20);
	unsigned n;

	if (!s)
		abort();
	memset(s, 'x', 1 << 20);
	evs_array_init(&a, EVS_BYTES, 0, false);
	for (unsigned i = 0; i < 16; i++)
		append(&a, s, 1 << 20);
	append(&a, s, 1);
	T_CHECK(encode(&a, true, &n) == EVS_ENC_UNFIT);
	evs_array_release(&a);
	free(s);
}

/* So many log lines, of which each `odd`th is other than that, filled up to `len` bytes. */
static void fill_lines(struct evs_array *a, uint32_t rows, unsigned distinct, size_t size,
		       unsigned odd, const char *other, size_t other_len)
{
	char s[5000];

	evs_array_init(a, EVS_BYTES, 0, false);
	for (uint32_t i = 0; i < rows; i++) {
		size_t len = (size_t)snprintf(s, sizeof(s), "request %u took %ums for user",
					      i % distinct * 7919, i % distinct * 31 % 900);

		if (len < size) {
			memset(s + len, ' ', size - len);
			len = size;
		}
		if (odd && i % odd == 0)
			append(a, other, other_len);
		else
			append(a, s, len);
	}
}

static void test_tried(void)
{
	static char large[16385];
	static const struct {
		const char *name;
		uint32_t rows;
		unsigned distinct;
		size_t size;
		unsigned odd, depth;
		const char *other;
		size_t other_len;
		int want;
	} cases[] = {
		{ "lines", 3000, 3000, 0, 0, 0, NULL, 0, 0 },
		{ "lines inside of an affix", 3000, 3000, 0, 0, 3, NULL, 0, 0 },
		{ "lines too far inside", 3000, 3000, 0, 0, 4, NULL, 0, EVS_ENC_UNFIT },
		{ "few bytes inside", 200, 200, 0, 0, 1, NULL, 0, EVS_ENC_UNFIT },
		{ "the same few bytes at the top", 200, 200, 0, 0, 0, NULL, 0, 0 },
		{ "64 lines", 64, 64, 0, 0, 0, NULL, 0, 0 },
		{ "63 lines", 63, 63, 0, 0, 0, NULL, 0, EVS_ENC_UNFIT },
		{ "long lines", 64, 64, 4097, 0, 0, NULL, 0, EVS_ENC_UNFIT },
		{ "more than 16 MiB", 4200, 4200, 4000, 0, 0, NULL, 0, EVS_ENC_UNFIT },
		{ "40 values fit in the sample", 64, 64, 2400, 0, 0, NULL, 0, EVS_ENC_UNFIT },
		{ "49 values fit in the sample", 64, 64, 2000, 0, 0, NULL, 0, 0 },
		{ "25 values fit in the sample", 64, 64, 3900, 0, 0, NULL, 0, EVS_ENC_UNFIT },
		{ "12 values fit in each stretch", 3000, 3000, 2000, 0, 0, NULL, 0, 0 },
		{ "few distinct lines", 480, 5, 0, 0, 0, NULL, 0, EVS_ENC_UNFIT },
		{ "values that are not looked at", 480, 480, 0, 30, 0, large, sizeof(large), 0 },
		{ "values that cannot be split", 480, 480, 0, 30, 0, "\1 and more", 10, 0 },
	};
	struct evs_array a;
	char s[40];

	memset(large, 'x', sizeof(large));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fill_lines(&a, cases[i].rows, cases[i].distinct, cases[i].size, cases[i].odd,
			   cases[i].other, cases[i].other_len);
		t_check(cases[i].name, pays(&a, cases[i].depth) == cases[i].want);
		evs_array_release(&a);
	}
	/* Each value one piece and nothing else. */
	evs_array_init(&a, EVS_BYTES, 0, false);
	for (unsigned i = 0; i < 480; i++)
		append(&a, s, (size_t)snprintf(s, sizeof(s), "word%uxyz", i * 7919));
	T_CHECK(pays(&a, 0) == EVS_ENC_UNFIT);
	evs_array_release(&a);
}

int main(void)
{
	test_chosen();
	test_shorter();
	test_sizes();
	test_very_many();
	test_unused();
	test_full();
	test_limit();
	test_many_pieces();
	test_long_value();
	test_many_templates();
	test_long_skeletons();
	test_marks();
	test_too_large();
	test_tried();
	return t_done();
}
