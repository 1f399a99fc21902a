/*
 * Columns: validity, lists and maps, limits, and hostile bytes: cut anywhere, any bit flipped.
 */
#include "tests/unit/enc_gen.h"

static void add_text(struct evs_array *a, const char *s)
{
	if (evs_array_append_bytes(a, s, strlen(s)))
		abort();
}

/* Validity of many kinds over one simple column. */
static void test_validity(void)
{
	struct evs_array a;
	char name[64];

	for (unsigned shape = 0; shape < 6; shape++)
		for (uint32_t rows = 1; rows < 3000; rows += 1 + rows / 3) {
			evs_array_init(&a, EVS_INT, 4, true);
			for (uint32_t i = 0; i < rows; i++) {
				bool null = shape == 0	 ? true
					    : shape == 1 ? i != rows / 2
					    : shape == 2 ? i == rows / 2
					    : shape == 3 ? i / 100 % 2
					    : shape == 4 ? i & 1
							 : gen_below(2);
				T_CHECK((null ? evs_array_append_null(&a)
					      : evs_array_append_int(&a, i)) == 0);
			}
			snprintf(name, sizeof(name), "validity shape %u, %u rows", shape,
				 (unsigned)rows);
			t_check(name, gen_trips(&a));
			evs_array_release(&a);
		}
}

/* `depth` lists around random strings (or a map of them), with nulls on every level. */
static void make_nested(struct evs_array *a, enum evs_phys phys, unsigned depth)
{
	if (!depth) {
		evs_array_init(a, EVS_BYTES, 0, false);
		return;
	}
	if (evs_array_init_nested(a, phys))
		abort();
	evs_array_init(&a->child[0], EVS_BYTES, 0, false);
	make_nested(&a->child[phys == EVS_MAP], phys, depth - 1);
}

static void fill_nested(struct evs_array *a, bool may_null)
{
	static const char *const words[] = { "", "prod", "chat", "a longer word than the others" };

	if (may_null && !gen_below(6)) {
		if (evs_array_append_null(a))
			abort();
	} else if (!a->nchild) {
		add_text(a, words[gen_below(4)]);
	} else {
		for (uint32_t n = gen_below(4); n > 0; n--) {
			if (a->nchild == 2)
				add_text(&a->child[0], words[gen_below(4)]);
			fill_nested(&a->child[a->nchild - 1], may_null);
		}
		if (evs_array_close_row(a))
			abort();
	}
}

static void test_nested(void)
{
	struct evs_array a;
	char name[64];

	for (unsigned depth = 1; depth <= EVS_ARRAY_MAX_DEPTH; depth++)
		for (unsigned k = 0; k < 4; k++)
			for (uint32_t rows = 1; rows < 40; rows += 6) {
				make_nested(&a, k & 1 ? EVS_MAP : EVS_LIST, depth);
				for (uint32_t i = 0; i < rows; i++)
					fill_nested(&a, k & 2);
				snprintf(name, sizeof(name), "%s of depth %u, %u rows",
					 k & 1 ? "maps" : "lists", depth, (unsigned)rows);
				t_check(name, gen_trips(&a));
				evs_array_release(&a);
			}
}

static void test_too_deep(void)
{
	struct evs_enc_ctx *e = NULL;
	struct evs_buf buf = { 0 };
	struct evs_array a, *in;

	make_nested(&a, EVS_LIST, EVS_ARRAY_MAX_DEPTH + 1);
	for (in = &a; in->nchild; in = &in->child[0])
		;
	add_text(in, "deep");
	for (unsigned level = EVS_ARRAY_MAX_DEPTH + 1; level-- > 0;) {
		in = &a;
		for (unsigned i = 0; i < level; i++)
			in = &in->child[0];
		T_CHECK(evs_array_close_row(in) == 0);
	}
	T_CHECK(evs_enc_ctx_new(&e, NULL) == 0);
	T_CHECK(evs_column_encode(e, &a, &buf) == EVS_E_LIMIT);
	evs_buf_release(&buf);
	evs_enc_ctx_free(e);
	evs_array_release(&a);
}

/* One small column for each kind of node, for the hostile tests below. */
static const uint8_t int_kinds[] = { EVS_NODE_PLAIN,  EVS_NODE_CONST,  EVS_NODE_DICT,
				     EVS_NODE_RUNS,   EVS_NODE_PACKED, EVS_NODE_PATCHED,
				     EVS_NODE_DELTA,  EVS_NODE_DELTA2, EVS_NODE_SCALED,
				     EVS_NODE_PLANES, EVS_NODE_BLOCKS };
static const uint8_t byte_kinds[] = { EVS_NODE_PLAIN,	  EVS_NODE_CONST,    EVS_NODE_DICT,
				      EVS_NODE_UUID_TEXT, EVS_NODE_HEX_TEXT, EVS_NODE_INT_TEXT,
				      EVS_NODE_TIME_TEXT, EVS_NODE_AFFIX,    EVS_NODE_TEMPLATE };
#define INT_KINDS  sizeof(int_kinds)
#define BYTE_KINDS sizeof(byte_kinds)
#define SAMPLES	   (INT_KINDS + BYTE_KINDS + 6)

static void int_sample(struct evs_array *a, uint8_t kind)
{
	evs_array_init(a, EVS_INT, 4, true);
	for (uint32_t i = 0; i < 40; i++) {
		uint64_t v = kind == EVS_NODE_CONST		   ? 9
			     : kind == EVS_NODE_RUNS		   ? i / 9
			     : kind == EVS_NODE_DICT		   ? i % 3 * 100000
			     : kind == EVS_NODE_SCALED		   ? i % 7 * 3000
			     : kind == EVS_NODE_PATCHED && i == 20 ? 1u << 30
								   : i % 5 + i;
		T_CHECK(evs_array_append_int(a, v) == 0);
	}
}

static void byte_sample(struct evs_array *a, uint8_t kind)
{
	char s[64];

	evs_array_init(a, EVS_BYTES, 0, false);
	for (unsigned i = 0; i < 20; i++) {
		unsigned k = kind == EVS_NODE_CONST ? 1 : kind == EVS_NODE_DICT ? i % 3 : i * 7;

		if (kind == EVS_NODE_UUID_TEXT)
			snprintf(s, sizeof(s), "0193ccc3-d40c-715e-bd3b-e919b9b09%03x", k);
		else if (kind == EVS_NODE_HEX_TEXT)
			snprintf(s, sizeof(s), "%08x", k * 0x1234567);
		else if (kind == EVS_NODE_INT_TEXT)
			snprintf(s, sizeof(s), "%u", k * 999);
		else if (kind == EVS_NODE_TIME_TEXT)
			snprintf(s, sizeof(s), "2024-12-16T00:00:%02u.5Z", k % 60);
		else
			snprintf(s, sizeof(s), "pre%upost", k);
		add_text(a, s);
	}
}

static void sample(struct evs_array *a, size_t which, struct evs_enc_opts *opts)
{
	*opts = (struct evs_enc_opts){ 0 };
	if (which < INT_KINDS) {
		opts->force = int_kinds[which];
		int_sample(a, int_kinds[which]);
		return;
	}
	which -= INT_KINDS;
	if (which < BYTE_KINDS) {
		opts->force = byte_kinds[which];
		byte_sample(a, byte_kinds[which]);
		return;
	}
	which -= BYTE_KINDS;
	if (which == 0 || which == 1) {
		struct evs_array full;

		byte_sample(&full, EVS_NODE_DICT);
		gen_with_nulls(a, &full, which ? 3 : 100);
		evs_array_release(&full);
		return;
	}
	if (which == 2 || which == 3) {
		make_nested(a, which & 1 ? EVS_MAP : EVS_LIST, 2);
		for (unsigned i = 0; i < 12; i++)
			fill_nested(a, true);
		return;
	}
	if (which == 4) {
		evs_array_init(a, EVS_FLOAT, 8, true);
		for (unsigned i = 0; i < 40; i++)
			T_CHECK(evs_array_append_float(a, i == 7 ? 1.0 / 3 : i / 8.0) == 0);
		opts->force = EVS_NODE_DECIMAL;
		return;
	}
	evs_array_init(a, EVS_FIXED, 16, false);
	for (unsigned i = 0; i < 9; i++)
		T_CHECK(evs_array_append_fixed(a,
					       (const uint8_t[16]){ 1, 2, 3, 4, 5, (uint8_t)i, 0x70,
								    8, 0x90, 10, 11, 12, 13, 14, 15,
								    (uint8_t)(i * i) }) == 0);
	opts->force = EVS_NODE_UUID;
}

/* Decode from memory of the exact size. Returns the code; the array must be sound in every case. */
static int decode(struct evs_dec_ctx *d, const uint8_t *p, size_t len, uint32_t rows,
		  uint32_t nulls, struct evs_array *out, bool *all_used)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct evs_cur c;
	const char *why = NULL;
	int rc;

	if (!copy)
		abort();
	if (len)
		memcpy(copy, p, len);
	c = (struct evs_cur){ .p = copy, .end = copy + len };
	rc = evs_column_decode(d, &c, rows, nulls, out, &why);
	*all_used = c.p == c.end;
	T_CHECK(gen_codes_agree(d, copy, len, rows, nulls, len & 1, out, rc, (size_t)(c.p - copy)));
	T_CHECK(rc == 0 ? out->rows == rows && out->nulls == nulls
			: (rc == EVS_E_FORMAT || rc == EVS_E_VERSION || rc == EVS_E_LIMIT) && why);
	/* Touch every value. */
	T_CHECK(rc != 0 || evs_array_bytes_used(out) < SIZE_MAX);
	for (uint32_t i = 0; rc == 0 && i < rows; i++)
		T_CHECK(evs_array_compare(out, i, out, i) == 0);
	free(copy);
	return rc;
}

static void hostile(size_t which)
{
	struct evs_array a, back = { 0 };
	struct evs_enc_ctx *e = NULL;
	struct evs_dec_ctx *d = NULL;
	struct evs_enc_opts opts;
	struct evs_buf buf = { 0 };
	char name[64];
	bool all;

	sample(&a, which, &opts);
	T_CHECK(evs_enc_ctx_new(&e, &opts) == 0 && evs_dec_ctx_new(&d) == 0 &&
		evs_array_init_like(&back, &a) == 0 && evs_column_encode(e, &a, &buf) == 0);
	evs_dec_ctx_set_limit(d, 1 << 20);
	snprintf(name, sizeof(name), "sample %zu intact", which);
	t_check(name, !decode(d, buf.p, buf.len, a.rows, a.nulls, &back, &all) && all &&
			      gen_same(&a, &back));
	snprintf(name, sizeof(name), "sample %zu cut", which);
	for (size_t len = 0; len < buf.len; len++)
		t_check(name, decode(d, buf.p, len, a.rows, a.nulls, &back, &all) != 0);
	for (size_t bit = 0; bit < buf.len * 8; bit++) {
		buf.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)decode(d, buf.p, buf.len, a.rows, a.nulls, &back, &all);
		buf.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned round = 0; round < 400; round++) {
		size_t at = gen_below((uint32_t)buf.len);
		uint8_t old = buf.p[at];

		buf.p[at] = (uint8_t)gen_u64();
		(void)decode(d, buf.p, buf.len, 1 + gen_below(a.rows + 3), gen_below(3), &back,
			     &all);
		buf.p[at] = old;
	}
	evs_buf_release(&buf);
	evs_array_release(&a);
	evs_array_release(&back);
	evs_enc_ctx_free(e);
	evs_dec_ctx_free(d);
}

/* Bytes that break one rule each; the column is INT(4) unless told otherwise. */
static const struct {
	const char *rule;
	enum evs_phys phys;
	uint32_t rows, nulls;
	const char *bytes;
	size_t len;
	int want;
} bad[] = {
#define B(s) s, sizeof(s) - 1
	{ "6.1-1", EVS_INT, 3, 0, B(""), EVS_E_FORMAT },
	{ "6.1-2", EVS_INT, 3, 0, B("\x63"), EVS_E_VERSION },
	{ "6.1-2", EVS_BYTES, 3, 0, B("\x05"), EVS_E_VERSION },
	{ "6.1-2", EVS_FIXED, 3, 0, B("\x09"), EVS_E_VERSION },
	{ "6.1-3", EVS_INT, 9, 0,
	  B("\x07\0\0\x07\0\0\x07\0\0\x07\0\0\x07\0\0\x07\0\0\x07\0\0\x07\0\0\x02\0"),
	  EVS_E_FORMAT },
	{ "6.1-6", EVS_BYTES, 30000, 0, B("\x02\x28zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"),
	  EVS_E_LIMIT },
	{ "6.1-7", EVS_BYTES, 3, 0, B("\x01\x01\xff\xff\xff\x7f\x01\0\0\0\0\0\0\0"), EVS_E_FORMAT },
	{ "6.2-1", EVS_INT, 3, 1, B("\x07"), EVS_E_VERSION },
	{ "6.2-2", EVS_INT, 3, 1, B("\x02\x02\x01\x02\x06"), EVS_E_FORMAT },
	{ "6.2-3", EVS_INT, 3, 1, B("\x02\x01\x02\x02\x04"), EVS_E_FORMAT },
	{ "6.2-4", EVS_INT, 9, 1, B("\x01\xff"), EVS_E_FORMAT },
	{ "6.2-5", EVS_INT, 3, 1, B("\x01\x07\x02\x01"), EVS_E_FORMAT },
	{ "6.2-6", EVS_INT, 3, 4, B("\x02\x01"), EVS_E_FORMAT },
	{ "6.3-1", EVS_INT, 3, 0, B("\x01\0\0\0\0\0\0\0\0\0\0\0"), EVS_E_FORMAT },
	{ "6.3-2", EVS_INT, 3, 0, B("\x02\x80\x80\x80\x80\x10"), EVS_E_FORMAT },
	{ "6.3-3", EVS_INT, 3, 0, B("\x05\0\0"), EVS_E_FORMAT },
	{ "6.3-3", EVS_INT, 3, 0, B("\x05\0\x21zzzzzzzzzzzzzzz"), EVS_E_FORMAT },
	{ "6.3-3", EVS_INT, 3, 0, B("\x13\0\x02\x42zzzzzzzzzzzzzzzzz"), EVS_E_FORMAT },
	{ "6.3-4", EVS_INT, 9, 0, B("\x05\0\x01\x01"), EVS_E_FORMAT },
	{ "6.3-4", EVS_INT, 9, 0, B("\x13\0\x02\x02\x01"), EVS_E_FORMAT },
	{ "6.3-5", EVS_INT, 3, 0, B("\x13\0\x02\x02\x08"), EVS_E_FORMAT },
	{ "6.3-5", EVS_INT, 3, 0, B("\x05\0\x01\x08"), EVS_E_FORMAT },
	{ "6.3-6", EVS_INT, 3, 0, B("\x06\0\x01\0\x01"), EVS_E_FORMAT },
	{ "6.3-7", EVS_INT, 3, 0, B("\x06\0\x01\x02\x01\x01\x01\0\0\0\x01\0\0\0\x02\0"),
	  EVS_E_FORMAT },
	{ "6.3-7", EVS_INT, 3, 0, B("\x06\0\x01\x01\x01\x02\x06\x02\0"), EVS_E_FORMAT },
	{ "6.3-8", EVS_INT, 3, 0, B("\x0a\0\x05zzzzzzzzzzzzzzz"), EVS_E_FORMAT },
	{ "6.3-9", EVS_INT, 3, 0, B("\x0a\0\x02zzzzz"), EVS_E_FORMAT },
	{ "6.3-10", EVS_INT, 3, 0, B("\x07\x02\0\x02\0"), EVS_E_FORMAT },
	{ "6.3-10", EVS_INT, 1, 0, B("\x07\0\0\x02\0"), EVS_E_FORMAT },
	{ "6.3-11", EVS_INT, 2, 0, B("\x08\0\0\x02\0"), EVS_E_FORMAT },
	{ "6.3-12", EVS_INT, 3, 0, B("\x09\0\x01\x02\0"), EVS_E_FORMAT },
	{ "6.3-13", EVS_INT, 3, 0, B("\x04\0"), EVS_E_FORMAT },
	{ "6.3-13", EVS_INT, 3, 0, B("\x04\x04\x02\0\x02\x02"), EVS_E_FORMAT },
	{ "6.3-14", EVS_INT, 3, 0, B("\x04\x01\x02\0\x02\x04"), EVS_E_FORMAT },
	{ "6.3-14", EVS_INT, 3, 0, B("\x04\x01\x02\0\x02\x08"), EVS_E_FORMAT },
	{ "6.3-15", EVS_INT, 3, 0, B("\x03\x04\x02\0\x02\0"), EVS_E_FORMAT },
	{ "6.3-15", EVS_BYTES, 3, 0, B("\x03\0"), EVS_E_FORMAT },
	{ "6.3-16", EVS_INT, 3, 0, B("\x03\x02\x02\0\x02\x04"), EVS_E_FORMAT },
	{ "6.3-17", EVS_INT, 3, 0, B("\x12\x02\x02"), EVS_E_FORMAT },
	{ "6.4-1", EVS_FLOAT, 3, 0, B("\x0b\x13\x02\0"), EVS_E_FORMAT },
	{ "6.4-1", EVS_FLOAT, 3, 0, B("\x0b\x80\x02\0"), EVS_E_FORMAT },
	{ "6.4-2", EVS_FLOAT, 3, 0, B("\x0b\x1f\x02\x26\x02\0"), EVS_E_FORMAT },
	{ "6.4-3", EVS_FLOAT, 3, 0, B("\x0b\x40\x02\0\x04"), EVS_E_FORMAT },
	{ "6.4-4", EVS_FLOAT, 3, 0, B("\x0b\x40\x02\0\x01\x02\x06\x02\0"), EVS_E_FORMAT },
	{ "6.5-1", EVS_FIXED, 1, 0, B("\x0c\x80zzzzzzzzzzzzzzz\0"), EVS_E_FORMAT },
	{ "6.5-2", EVS_FIXED, 1, 0, B("\x0c\x87\x01zzzzzzzzzzzzzzzzz\0"), EVS_E_FORMAT },
	{ "6.5-3", EVS_FIXED, 1, 0, B("\x0c\x04zzzzzzzzzzzzzzz"), EVS_E_FORMAT },
	{ "6.6-1", EVS_BYTES, 3, 0, B("\x01\x02\x04zzzzz"), EVS_E_FORMAT },
	{ "6.6-2", EVS_BYTES, 3, 0, B("\x02\x02z"), EVS_E_FORMAT },
	{ "6.6-3", EVS_BYTES, 3, 0, B("\x11\x02\x02zzz"), EVS_E_FORMAT },
	{ "6.6-4", EVS_BYTES, 3, 0, B("\x10\0\x01\0\x02\0"), EVS_E_FORMAT },
	{ "6.6-4", EVS_BYTES, 3, 0, B("\x10T\0\x09zzzzzzzzz\x02\0"), EVS_E_FORMAT },
	{ "6.6-5", EVS_BYTES, 1, 0, B("\x10\0\0\0\x02\xc2\x82\xe6\x02"), EVS_E_FORMAT },
	{ "6.6-6", EVS_BYTES, 3, 0, B("\x14\0\0"), EVS_E_FORMAT },
	{ "6.6-6", EVS_BYTES, 3, 0, B("\x14\x04\0\0\0\0\0\0\0\0\0\x02\0"), EVS_E_FORMAT },
	{ "6.6-6", EVS_BYTES, 3, 0, B("\x14\x01\x80\x80\x04\0\x01x\x02\0"), EVS_E_FORMAT },
	{ "6.6-7", EVS_BYTES, 3, 0, B("\x14\x01\0\0\x05xx"), EVS_E_FORMAT },
	{ "6.6-7", EVS_BYTES, 3, 0, B("\x14\x01\x01\x80\x80\x04\0\0\0"), EVS_E_FORMAT },
	{ "6.6-7", EVS_BYTES, 3, 0, B("\x14\x01\x01\x01\0"), EVS_E_FORMAT },
	{ "6.6-8", EVS_BYTES, 3, 0, B("\x14\x01\x01\x01\0\x01\0\x02\0\x02\x01y"), EVS_E_FORMAT },
	{ "6.6-9", EVS_BYTES, 3, 0, B("\x14\x01\x01\0\x01x\x02\0\x02\x01y"), EVS_E_FORMAT },
	{ "6.7-1", EVS_LIST, 1, 0, B("\x02\x02\x02\x02\0"), EVS_E_FORMAT },
#undef B
};

static void test_rules(void)
{
	struct evs_dec_ctx *d = NULL;
	struct evs_array a;
	struct evs_cur c;
	const char *why;
	char name[96];
	size_t n;

	T_CHECK(evs_dec_ctx_new(&d) == 0);
	evs_dec_ctx_set_limit(d, 1 << 20);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = "";
		if (bad[i].phys == EVS_LIST) {
			T_CHECK(evs_array_init_nested(&a, EVS_LIST) == 0);
			evs_array_init(&a.child[0], EVS_INT, 4, true);
		} else {
			evs_array_init(&a, bad[i].phys,
				       bad[i].phys == EVS_FIXED	  ? 16
				       : bad[i].phys == EVS_FLOAT ? 8
								  : 4,
				       true);
		}
		c.p = (const uint8_t *)bad[i].bytes;
		c.end = c.p + bad[i].len;
		n = strlen(bad[i].rule);
		snprintf(name, sizeof(name), "rule %s (bad[%zu])", bad[i].rule, i);
		t_check(name, evs_column_decode(d, &c, bad[i].rows, bad[i].nulls, &a, &why) ==
					      bad[i].want &&
				      !strncmp(why, bad[i].rule, n) && why[n] == ' ');
		if (strncmp(why, bad[i].rule, n))
			printf("        %s\n", why);
		evs_array_release(&a);
	}
	evs_dec_ctx_free(d);
}

/* A few bytes that ask for gigabytes are refused before anything is allocated. */
static void test_limit(void)
{
	struct evs_dec_ctx *d = NULL;
	struct evs_array a;
	uint8_t bomb[8 + 1000] = { EVS_NODE_CONST, 0xe8, 0x07 };
	struct evs_cur c = { .p = bomb, .end = bomb + 1003 };
	const char *why = NULL;

	evs_array_init(&a, EVS_BYTES, 0, false);
	T_CHECK(evs_dec_ctx_new(&d) == 0);
	evs_dec_ctx_set_limit(d, 100 << 20);
	T_CHECK(evs_column_decode(d, &c, 1u << 20, 0, &a, &why) == EVS_E_LIMIT && why);
	T_CHECK(a.data_cap == 0);
	c.p = bomb;
	T_CHECK(evs_column_decode(d, &c, 1u << 16, 0, &a, &why) == 0 && c.p == c.end);
	evs_array_release(&a);
	evs_dec_ctx_free(d);
}

/* One context serves columns of every shape, one after the other. */
static void test_reuse(void)
{
	struct evs_enc_ctx *e = NULL;
	struct evs_dec_ctx *d = NULL;
	struct evs_array a, back = { 0 };
	struct evs_enc_opts opts;
	struct evs_buf buf = { 0 };
	bool all;

	T_CHECK(evs_enc_ctx_new(&e, NULL) == 0 && evs_dec_ctx_new(&d) == 0);
	for (unsigned round = 0; round < 3; round++)
		for (size_t which = 0; which < SAMPLES; which++) {
			sample(&a, which, &opts);
			evs_buf_reset(&buf);
			evs_enc_ctx_set_zstd(e, round & 1);
			T_CHECK(evs_array_init_like(&back, &a) == 0);
			T_CHECK(evs_column_encode(e, &a, &buf) == 0);
			T_CHECK(!decode(d, buf.p, buf.len, a.rows, a.nulls, &back, &all));
			T_CHECK(all && gen_same(&a, &back));
			/* Decoding into rows that are there replaces them. */
			T_CHECK(!decode(d, buf.p, buf.len, a.rows, a.nulls, &back, &all));
			T_CHECK(gen_same(&a, &back));
			evs_array_release(&a);
			evs_array_release(&back);
		}
	evs_buf_release(&buf);
	evs_enc_ctx_free(e);
	evs_dec_ctx_free(d);
}

int main(void)
{
	test_validity();
	test_nested();
	test_too_deep();
	for (size_t which = 0; which < SAMPLES; which++)
		hostile(which);
	test_rules();
	test_limit();
	test_reuse();
	return t_done();
}
