/*
 * TEMPLATE nodes: lines of logs, JSON and mixtures are chosen to be laid down so and come back; texts that have little in common
 * are not; hostile nodes that stand for very much.
 */
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

static int decode(const struct evs_buf *b, uint32_t rows, const char **why)
{
	struct evs_cur c = { .p = b->p, .end = b->p + b->len };
	struct evs_dec_ctx *d = NULL;
	struct evs_array out;
	int rc;

	evs_array_init(&out, EVS_BYTES, 0, false);
	rc = evs_dec_ctx_new(&d);
	if (!rc)
		rc = evs_column_decode(d, &c, rows, 0, &out, why);
	evs_array_release(&out);
	evs_dec_ctx_free(d);
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

int main(void)
{
	test_chosen();
	test_shorter();
	test_sizes();
	test_very_many();
	return t_done();
}
