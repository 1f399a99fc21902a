/*
 * Columns read as distinct values and codes: the same rows as whole, or not at all; also of bytes
 * that are cut or changed, and without memory.
 */
#include "format/enc_impl.h"
#include "format/group.h"
#include "tests/unit/enc_gen.h"
#include "tests/unit/fail.h"

#include <xxhash.h>

#define ROWS 90u

/* One value of few, or many, of any kind of column. */
static void put(struct evs_array *a, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%05u is a value", (unsigned)v), rc;

	switch (a->phys) {
	case EVS_INT:
		rc = evs_array_append_int(a, v * 1000003);
		break;
	case EVS_FLOAT:
		rc = evs_array_append_float(a, (double)v / 3);
		break;
	case EVS_FIXED:
		rc = evs_array_append_fixed(a, text);
		break;
	default:
		rc = evs_array_append_bytes(a, text, (size_t)n);
	}
	if (rc < 0)
		abort();
}

static void encode(const struct evs_array *a, uint8_t kind, struct evs_buf *out)
{
	struct evs_enc_opts opts = { .force = kind };
	struct evs_enc_ctx *ctx = NULL;

	if (evs_enc_ctx_new(&ctx, &opts) || evs_column_encode(ctx, a, out))
		abort();
	evs_enc_ctx_free(ctx);
}

/* Read both ways; `call` fails on the way by codes. Are they the same, or do they agree that the
 * bytes are bad? */
static bool sparse; /* few rows that are not null count as distinct values */

static int read_both(const uint8_t *p, size_t len, const struct evs_array *shape, uint32_t rows,
		     uint32_t nulls, size_t limit, long n, bool *same)
{
	struct evs_dec_ctx *d = NULL;
	struct evs_array whole;
	struct evs_coded coded = { 0 };
	struct evs_cur c = { p, p + len };
	const char *why = NULL;
	uint8_t *raw = NULL; /* texts may take its place */
	size_t raw_cap = len;
	int rc, by_codes;

	if (evs_dec_ctx_new(&d) || evs_array_init_like(&whole, shape) ||
	    evs_array_init_like(&coded.values, shape))
		abort();
	rc = evs_column_decode(d, &c, rows, nulls, &whole, &why);
	if (sparse) {
		raw = malloc(len + 1);
		if (!raw)
			abort();
		memcpy(raw, p, len);
		p = raw;
		d->raw = &raw;
		d->raw_cap = &raw_cap;
	}
	c = (struct evs_cur){ p, p + len };
	coded.sparse = sparse;
	if (limit)
		d->limit = limit;
	fail_begin("memory", n, 0);
	by_codes = evs_column_codes(d, &c, rows, nulls, &coded, &why);
	*same = by_codes == EVS_E_NOMEM || by_codes == EVS_E_LIMIT || (by_codes == 1 && c.p == p) ||
		(by_codes < 0 && rc == by_codes && why);
	if (by_codes == 0) {
		*same = rc == 0;
		for (uint32_t i = 0; *same && i < rows; i++)
			*same = evs_array_compare(&whole, i, &coded.values, coded.code[i]) == 0 &&
				evs_array_is_null(&whole, i) ==
					evs_array_is_null(&coded.values, coded.code[i]);
	}
	evs_array_release(&whole);
	evs_coded_release(&coded);
	free(raw);
	evs_dec_ctx_free(d);
	return by_codes;
}

static void check(const char *name, const struct evs_array *a, uint8_t kind, int want)
{
	struct evs_buf out = { 0 };
	bool same, ok = true, hit = true;
	int rc;

	encode(a, kind, &out);
	rc = read_both(out.p, out.len, a, a->rows, a->nulls, 0, 0, &same);
	t_check(name, rc == want && same);
	if (rc != want)
		printf("        %d, not %d\n", rc, want);
	(void)fail_end();
	for (long n = 1; hit; n++) {
		rc = read_both(out.p, out.len, a, a->rows, a->nulls, 0, n, &same);
		hit = fail_end();
		ok &= same && rc == (hit ? EVS_E_NOMEM : want);
	}
	t_check("without memory", ok);
	for (size_t limit = 1; limit < 40000; limit += 1 + limit / 50)
		ok &= read_both(out.p, out.len, a, a->rows, a->nulls, limit, 0, &same) !=
			      EVS_E_FORMAT &&
		      same;
	t_check("with little memory", ok);
	for (size_t len = 0; len < out.len; len++) {
		(void)read_both(out.p, len, a, a->rows, a->nulls, 0, 0, &same);
		ok &= same;
	}
	t_check("cut", ok);
	for (size_t i = 0; i < out.len && i < 400; i++)
		for (unsigned to = 0; to < 7; to++) {
			static const uint8_t values[] = {
				0, 1, 2, EVS_NODE_RUNS, 0x7f, 0x80, 0xff
			};
			uint8_t own = out.p[i];

			out.p[i] = values[to];
			(void)read_both(out.p, out.len, a, a->rows, a->nulls, 0, 0, &same);
			ok &= same;
			out.p[i] = own;
		}
	t_check("changed", ok);
	evs_buf_release(&out);
}

static void test_columns(void)
{
	static const struct {
		enum evs_phys phys;
		uint16_t width;
	} shapes[] = {
		{ EVS_INT, 4 }, { EVS_INT, 8 }, { EVS_FLOAT, 8 }, { EVS_FIXED, 5 }, { EVS_BYTES, 0 }
	};
	static const struct {
		const char *name;
		uint8_t kind;
		uint32_t distinct, run; /* rows with the same value in a row */
	} kinds[] = {
		{ "a constant", EVS_NODE_CONST, 1, 1 },
		{ "a dictionary", EVS_NODE_DICT, 5, 1 },
		{ "runs", EVS_NODE_RUNS, 7, 9 },
		{ "plain", EVS_NODE_PLAIN, 50, 1 },
	};

	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			for (unsigned nulls = 0; nulls < 2; nulls++) {
				bool bits =
					shapes[s].phys == EVS_INT || shapes[s].phys == EVS_FLOAT;
				bool coded = kinds[k].kind != EVS_NODE_PLAIN &&
					     (kinds[k].kind != EVS_NODE_RUNS || bits);
				struct evs_array a;

				evs_array_init(&a, shapes[s].phys, shapes[s].width, true);
				for (uint32_t i = 0; i < ROWS; i++)
					if (nulls && i % 7 == 3) {
						if (evs_array_append_null(&a) < 0)
							abort();
					} else {
						put(&a,
						    i / kinds[k].run * 7919 % kinds[k].distinct);
					}
				if (coded || kinds[k].kind == EVS_NODE_PLAIN)
					check(kinds[k].name, &a, kinds[k].kind, coded ? 0 : 1);
				evs_array_release(&a);
			}
}

/* Too many values, or too few rows, to be worth it. */
static void test_not_coded(void)
{
	struct evs_array a;

	for (unsigned runs = 0; runs < 2; runs++) {
		evs_array_init(&a, EVS_INT, 8, true);
		for (uint32_t i = 0; i < 4 * EVS_CODED_MAX; i++)
			put(&a, runs ? i / 2 : i % (EVS_CODED_MAX + 1));
		{
			struct evs_buf out = { 0 };
			bool same;

			encode(&a, runs ? EVS_NODE_RUNS : EVS_NODE_DICT, &out);
			T_CHECK(read_both(out.p, out.len, &a, a.rows, 0, 0, 0, &same) == 1 && same);
			evs_buf_release(&out);
		}
		evs_array_release(&a);
	}
	evs_array_init(&a, EVS_INT, 8, true);
	for (uint32_t i = 0; i < 20; i++)
		put(&a, i % 3);
	check("few rows", &a, EVS_NODE_DICT, 1);
	evs_array_release(&a);
}

/* Few rows that are not null: only where it is asked for, of any kind but FLOAT, and not of half of
 * the rows. */
static void test_sparse(void)
{
	static const enum evs_phys phys[] = { EVS_INT, EVS_FIXED, EVS_BYTES, EVS_FLOAT };

	for (unsigned few = 0; few < 2; few++)
		for (unsigned k = 0; k < 4; k++) {
			struct evs_array a;

			evs_array_init(&a, phys[k],
				       phys[k] == EVS_FIXED   ? 5
				       : phys[k] == EVS_BYTES ? 0
							      : 8,
				       true);
			for (uint32_t i = 0; i < 3 * ROWS; i++)
				if (few ? i % 30 != 7 && i != 268 : i % 4 < 2) {
					if (evs_array_append_null(&a) < 0)
						abort();
				} else {
					put(&a, i * 7919);
				}
			sparse = false;
			check("not asked for", &a, EVS_NODE_PLAIN, 1);
			sparse = true;
			check(few ? "sparse" : "not sparse", &a, EVS_NODE_PLAIN,
			      few && phys[k] != EVS_FLOAT ? 0 : 1);
			sparse = false;
			evs_array_release(&a);
		}
}

/* Sparse, but more values than codes are made for. */
static void test_many_sparse(void)
{
	const struct evs_enc_opts opts = { .plain = true };
	struct evs_enc_ctx *ctx = NULL;
	struct evs_buf out = { 0 };
	struct evs_array a;
	bool same;

	evs_array_init(&a, EVS_INT, 8, true);
	for (uint32_t i = 0; i < 10 * (EVS_CODED_MAX + 1); i++)
		if (i % 10)
			T_CHECK(evs_array_append_null(&a) == 0);
		else
			put(&a, i);
	T_CHECK(evs_enc_ctx_new(&ctx, &opts) == 0 && evs_column_encode(ctx, &a, &out) == 0);
	sparse = true;
	T_CHECK(read_both(out.p, out.len, &a, a.rows, a.nulls, 0, 0, &same) == 1 && same);
	sparse = false;
	evs_enc_ctx_free(ctx);
	evs_buf_release(&out);
	evs_array_release(&a);
}

/* Few texts, plain or all the same, cut off after each byte. */
static void test_cut_sparse(bool plain)
{
	const struct evs_enc_opts opts = { .plain = plain };
	struct evs_enc_ctx *ctx = NULL;
	struct evs_buf out = { 0 };
	struct evs_array a;
	bool same = true;

	evs_array_init(&a, EVS_BYTES, 0, false);
	for (uint32_t i = 0; i < 3 * ROWS; i++)
		T_CHECK((i % 30 ? evs_array_append_null(&a)
				: evs_array_append_bytes(&a, "text", 4)) == 0);
	T_CHECK(evs_enc_ctx_new(&ctx, &opts) == 0 && evs_column_encode(ctx, &a, &out) == 0);
	sparse = true;
	for (size_t len = 0; len < out.len && same; len++)
		T_CHECK(read_both(out.p, len, &a, a.rows, a.nulls, 0, 0, &same) != 0 && same);
	T_CHECK(read_both(out.p, out.len, &a, a.rows, a.nulls, 0, 0, &same) == 0 && same);
	sparse = false;
	evs_enc_ctx_free(ctx);
	evs_buf_release(&out);
	evs_array_release(&a);
}

/* Sparse texts of a block that zstd makes small, whose memory they take; one after the other, and
 * whole in between. */
static void test_kept_texts(void)
{
	const struct evs_encoder_opts opts = { .zstd_level = 1, .plain = false };
	struct evs_encoder *e = NULL;
	struct evs_decoder *d = NULL;
	struct evs_coded coded = { .sparse = true };
	struct evs_group g;
	struct evs_buf out = { 0 };
	const char *why = NULL;
	uint32_t summed;

	evs_array_init(&coded.values, EVS_BYTES, 0, false);
	T_CHECK(evs_encoder_new(&e, &opts) == 0 && evs_decoder_new(&d) == 0);
	for (unsigned round = 0; round < 4; round++) {
		struct evs_array a, back, whole;
		bool same = true;

		evs_array_init(&a, EVS_BYTES, 0, false);
		evs_array_init(&whole, EVS_BYTES, 0, false);
		evs_array_init(&back, EVS_BYTES, 0, false);
		for (uint32_t i = 0; i < 2000; i++) {
			char text[400];
			int n = snprintf(text, sizeof(text), "%llx %0*u said again and again %llx",
					 (unsigned long long)gen_u64(),
					 100 + (int)(round * 60 % 200), i,
					 (unsigned long long)gen_u64());

			if (i % 50 == round ? evs_array_append_bytes(&a, text, (size_t)n)
					    : evs_array_append_null(&a))
				abort();
		}
		evs_buf_reset(&out);
		T_CHECK(evs_group_encode(e, &a, 1, 0, 0, &out, &summed) == 0);
		T_CHECK(evs_group_decode(&g, out.p, summed, out.len, &why) == 0 &&
			g.blocks[0].codec == EVS_CODEC_ZSTD);
		T_CHECK(evs_group_coded(d, &g, &g.blocks[0], out.p + g.blocks[0].at, 0, &coded,
					&back, &why) == 1);
		T_CHECK(coded.values.offs[0] > 0); /* they lie where the block was */
		T_CHECK(evs_group_column(d, &g, &g.blocks[0], out.p + g.blocks[0].at, 0, &whole,
					 &why) == 0);
		T_CHECK(evs_array_take(&back, &coded.values, coded.code, 2000) == 0);
		for (uint32_t i = 0; same && i < 2000; i++)
			same = evs_array_compare(&back, i, &a, i) == 0 &&
			       evs_array_compare(&whole, i, &a, i) == 0;
		T_CHECK(same);
		evs_group_release(&g);
		evs_array_release(&a);
		evs_array_release(&back);
		evs_array_release(&whole);
	}
	evs_coded_release(&coded);
	evs_buf_release(&out);
	evs_encoder_free(e);
	evs_decoder_free(d);
}

/* A block of a group, with a byte behind its codes. */
static void test_bytes_behind(void)
{
	const struct evs_encoder_opts opts = { .zstd_level = 1 };
	struct evs_encoder *e = NULL;
	struct evs_decoder *d = NULL;
	struct evs_array a, back;
	struct evs_coded coded = { 0 };
	struct evs_group g;
	struct evs_block b;
	struct evs_buf out = { 0 }, stored = { 0 };
	const char *why = NULL;
	uint32_t summed;

	evs_array_init(&a, EVS_INT, 8, true);
	for (uint32_t i = 0; i < ROWS; i++)
		put(&a, 77);
	evs_array_init(&back, EVS_INT, 8, true);
	evs_array_init(&coded.values, EVS_INT, 8, true);
	T_CHECK(evs_encoder_new(&e, &opts) == 0 && evs_decoder_new(&d) == 0);
	T_CHECK(evs_group_encode(e, &a, 1, 0, 0, &out, &summed) == 0);
	T_CHECK(evs_group_decode(&g, out.p, summed, out.len, &why) == 0 &&
		g.blocks[0].codec == EVS_CODEC_NONE);
	b = g.blocks[0];
	T_CHECK(evs_group_coded(d, &g, &b, out.p + b.at, 0, &coded, &back, &why) == 1);
	T_CHECK(coded.values.rows == 1 && coded.code[ROWS - 1] == 0);
	evs_buf_put(&stored, out.p + b.at, b.stored_len);
	evs_buf_put_u8(&stored, 0);
	b.stored_len = b.raw_len = (uint32_t)stored.len;
	b.sum = XXH3_64bits(stored.p, stored.len);
	T_CHECK(evs_group_coded(d, &g, &b, stored.p, 0, &coded, &back, &why) == EVS_E_FORMAT);
	T_CHECK(why && !strncmp(why, "5.3-5", 5));
	evs_group_release(&g);
	evs_coded_release(&coded);
	evs_array_release(&a);
	evs_array_release(&back);
	evs_buf_release(&out);
	evs_buf_release(&stored);
	evs_encoder_free(e);
	evs_decoder_free(d);
}

int main(void)
{
	test_columns();
	test_not_coded();
	test_sparse();
	test_many_sparse();
	test_cut_sparse(true);
	test_cut_sparse(false);
	test_kept_texts();
	test_bytes_behind();
	return t_done();
}
