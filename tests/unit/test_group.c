/*
 * group.h: groups round trip, packed and not; one row per rule of spec 5; memory limit; damage.
 */
#include "format/group.h"
#include "tests/unit/t.h"

#include <stddef.h>
#include <stdlib.h>
#include <xxhash.h>
#include <zstd.h>

#define NCOLS	  6
#define AT(field) offsetof(struct evs_group_raw, field)
#define BAT(i, field)                                                                              \
	(sizeof(struct evs_group_raw) + (i) * sizeof(struct evs_block_raw) +                       \
	 offsetof(struct evs_block_raw, field))

static const struct evs_encoder_opts plain = { .zstd_level = 3, .plain = true };
static const struct evs_encoder_opts normal = { .zstd_level = 3 };
static const struct evs_encoder_opts packed = { .zstd_level = 3, .packed_below = 1u << 30 };

static uint64_t rng = 1234567;

static uint64_t rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* int64, bytes with nulls, all null, random fixed(16), list of int32, float. */
static void make_columns(struct evs_array *c, uint32_t rows)
{
	uint8_t id[16];
	char text[64];

	memset(c, 0, NCOLS * sizeof(*c));
	evs_array_init(&c[0], EVS_INT, 8, true);
	evs_array_init(&c[1], EVS_BYTES, 0, false);
	evs_array_init(&c[2], EVS_INT, 4, true);
	evs_array_init(&c[3], EVS_FIXED, 16, false);
	T_CHECK(evs_array_init_nested(&c[4], EVS_LIST) == 0);
	evs_array_init(c[4].child, EVS_INT, 4, true);
	evs_array_init(&c[5], EVS_FLOAT, 8, true);
	T_CHECK(evs_array_append_nulls(&c[2], rows) == 0);
	for (uint32_t i = 0; i < rows; i++) {
		int n = snprintf(text, sizeof(text), "message number %u of many", i / 3);
		bool ok = evs_array_append_int(&c[0], 1704067200000u + i * 1000) == 0;

		ok &= (i % 5 == 1 ? evs_array_append_null(&c[1])
				  : evs_array_append_bytes(&c[1], text, (size_t)n)) == 0;
		for (unsigned k = 0; k < 16; k++)
			id[k] = (uint8_t)(rnd() >> 20);
		ok &= evs_array_append_fixed(&c[3], id) == 0;
		for (uint32_t k = 0; k < i % 3; k++)
			ok &= evs_array_append_int(c[4].child, rnd()) == 0;
		ok &= evs_array_close_row(&c[4]) == 0;
		ok &= evs_array_append_float(&c[5], (double)(rnd() % 1000) / 10) == 0;
		T_CHECK(ok);
	}
}

static void release(struct evs_array *c)
{
	for (unsigned i = 0; i < NCOLS; i++)
		evs_array_release(&c[i]);
}

static void encode(const struct evs_encoder_opts *opts, const struct evs_array *c,
		   struct evs_buf *b, uint32_t *summed)
{
	struct evs_encoder *e = NULL;

	evs_buf_reset(b);
	T_CHECK(evs_encoder_new(&e, opts) == 0);
	T_CHECK(evs_group_encode(e, c, NCOLS, 1024, 5000, b, summed) == 0);
	evs_encoder_free(e);
}

static bool same_array(const struct evs_array *a, const struct evs_array *b)
{
	if (a->rows != b->rows || a->nulls != b->nulls)
		return false;
	for (uint32_t i = 0; i < a->rows; i++) {
		if (evs_array_compare(a, i, b, i) != 0)
			return false;
	}
	return true;
}

static int column(struct evs_decoder *d, const struct evs_group *g, const uint8_t *payload,
		  const struct evs_array *like, uint16_t i, const struct evs_array *want,
		  const char **why)
{
	const struct evs_block *b = evs_group_find(g, i);
	struct evs_array got;
	int rc;

	if (evs_array_init_like(&got, like) < 0)
		return EVS_E_NOMEM;
	rc = evs_group_column(d, g, b, b ? payload + b->at : NULL, i, &got, why);
	if (rc == 0 && want)
		T_CHECK(same_array(&got, want));
	evs_array_release(&got);
	return rc;
}

static void round_trip(const struct evs_encoder_opts *opts, uint32_t rows, bool want_packed)
{
	static const uint16_t order[] = { 0, 1, 2, 3, 4, 5, 3, 0, 5, 1 };
	struct evs_array c[NCOLS];
	struct evs_buf b = { 0 };
	struct evs_group g;
	struct evs_decoder *d = NULL;
	const char *why = NULL;
	uint32_t summed = 0;

	make_columns(c, rows);
	encode(opts, c, &b, &summed);
	T_CHECK(evs_group_decode(&g, b.p, summed, b.len, &why) == 0);
	T_CHECK(g.rows == rows && g.columns == NCOLS && g.packed == want_packed);
	T_CHECK(g.schema_off == 1024 && g.first_row == 5000);
	t_eq_u64("blocks", g.nblocks, want_packed ? 1 : NCOLS - 1);
	T_CHECK(want_packed ||
		(!evs_group_find(&g, 2) && evs_group_find(&g, 1)->nulls == c[1].nulls));
	T_CHECK(evs_decoder_new(&d) == 0);
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		T_CHECK(column(d, &g, b.p, &c[order[i]], order[i], &c[order[i]], &why) == 0);
	evs_decoder_free(d);
	evs_group_release(&g);
	evs_buf_release(&b);
	release(c);
}

static void test_round_trip(void)
{
	static const uint32_t rows[] = { 1, 2, 3, 100, 5000 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		round_trip(&plain, rows[i], false);
		round_trip(&normal, rows[i], false);
		round_trip(&packed, rows[i], true);
	}
}

/* zstd where it pays, and only there. */
static void test_codecs(void)
{
	struct evs_array c[NCOLS];
	struct evs_buf b = { 0 };
	struct evs_group g;
	const char *why = NULL;
	uint32_t summed = 0;

	make_columns(c, 40000);
	encode(&normal, c, &b, &summed);
	T_CHECK(evs_group_decode(&g, b.p, summed, b.len, &why) == 0);
	T_CHECK(evs_group_find(&g, 1)->codec == EVS_CODEC_ZSTD);
	T_CHECK(evs_group_find(&g, 3)->codec == EVS_CODEC_NONE);
	for (unsigned i = 0; i < g.nblocks; i++) {
		const struct evs_block *k = &g.blocks[i];

		T_CHECK(k->codec == EVS_CODEC_NONE ? k->stored_len == k->raw_len
						   : k->stored_len <= k->raw_len - k->raw_len / 16);
		T_CHECK(XXH3_64bits(b.p + k->at, k->stored_len) == k->sum);
		if (k->codec == EVS_CODEC_ZSTD)
			T_CHECK(ZSTD_getFrameContentSize(b.p + k->at, k->stored_len) == k->raw_len);
	}
	evs_group_release(&g);

	encode(&plain, c, &b, &summed);
	T_CHECK(evs_group_decode(&g, b.p, summed, b.len, &why) == 0);
	for (unsigned i = 0; i < g.nblocks; i++)
		T_CHECK(g.blocks[i].codec == EVS_CODEC_NONE);
	evs_group_release(&g);
	evs_buf_release(&b);
	release(c);
}

static void check_bad(const char *rule, int want, const uint8_t *p, uint32_t summed, uint64_t len)
{
	struct evs_group g;
	const char *why = "none";

	t_check(rule, evs_group_decode(&g, p, summed, len, &why) == want);
	t_check(why, !strncmp(why, rule, strlen(rule)));
	evs_group_release(&g);
}

struct bad {
	const char *rule;
	size_t at;
	uint8_t val;
	int want;
};

static const struct bad bad[] = {
	{ "5.1-2 ", AT(flags), 2, EVS_E_VERSION },
	{ "5.1-2 ", AT(flags) + 3, 0x80, EVS_E_VERSION },
	{ "5.1-3 ", AT(reserved) + 1, 1, EVS_E_FORMAT },
	{ "5.1-4 ", AT(rows) + 3, 1, EVS_E_FORMAT },
	{ "5.1-4 ", AT(rows), 0, EVS_E_FORMAT },
	{ "5.1-5 ", AT(columns), 0, EVS_E_FORMAT },
	{ "5.1-5 ", AT(columns) + 1, 0x80, EVS_E_FORMAT },
	{ "5.1-6 ", AT(blocks), 7, EVS_E_FORMAT },
	{ "5.1-7 ", AT(blocks), 4, EVS_E_FORMAT },
	{ "5.1-8 ", AT(schema_off), 4, EVS_E_FORMAT },
	{ "5.2-1 ", BAT(0, column), 6, EVS_E_FORMAT },
	{ "5.2-1 ", BAT(1, column), 0, EVS_E_FORMAT },
	{ "5.2-1 ", BAT(4, column) + 1, 0xff, EVS_E_FORMAT },
	{ "5.2-2 ", BAT(2, flags), 1, EVS_E_VERSION },
	{ "5.2-3 ", BAT(0, raw_len) + 3, 0x41, EVS_E_FORMAT },
	{ "5.2-3 ", BAT(0, raw_len), 0xff, EVS_E_FORMAT },
	{ "5.2-3 ", BAT(0, stored_len) + 3, 0x80, EVS_E_FORMAT },
	{ "5.2-4 ", BAT(0, nulls), 10, EVS_E_FORMAT },
	{ "5.2-4 ", BAT(0, nulls) + 3, 0xff, EVS_E_FORMAT },
};
static const struct bad bad_packed[] = {
	{ "5.1-6 ", AT(blocks), 0, EVS_E_FORMAT },
	{ "5.2-1 ", BAT(0, column), 0, EVS_E_FORMAT },
	{ "5.2-4 ", BAT(0, nulls), 1, EVS_E_FORMAT },
};

static void try_bad(const struct bad *t, size_t n, struct evs_buf *b, uint32_t summed)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t before = b->p[t[i].at];

		b->p[t[i].at] = t[i].val;
		check_bad(t[i].rule, t[i].want, b->p, summed, b->len);
		b->p[t[i].at] = before;
	}
}

static void test_directory_rules(void)
{
	struct evs_array c[NCOLS];
	struct evs_buf b = { 0 };
	uint32_t summed = 0;

	make_columns(c, 10);
	encode(&packed, c, &b, &summed);
	try_bad(bad_packed, sizeof(bad_packed) / sizeof(bad_packed[0]), &b, summed);
	encode(&plain, c, &b, &summed);
	try_bad(bad, sizeof(bad) / sizeof(bad[0]), &b, summed);
	b.p[BAT(1, stored_len)]++;
	b.p[BAT(1, raw_len)]++;
	check_bad("5.2-5 ", EVS_E_FORMAT, b.p, summed, b.len);
	b.p[BAT(1, stored_len)]--;
	b.p[BAT(1, raw_len)]--;
	check_bad("5.2-5 ", EVS_E_FORMAT, b.p, summed, b.len + 1);
	check_bad("5.2-5 ", EVS_E_FORMAT, b.p, summed, b.len - 1);
	check_bad("5.1-1 ", EVS_E_FORMAT, b.p, sizeof(struct evs_group_raw) - 1, b.len);
	check_bad("5.1-1 ", EVS_E_FORMAT, b.p, summed, summed - 1);
	check_bad("5.1-7 ", EVS_E_FORMAT, b.p, summed + 24, b.len);
	evs_buf_release(&b);
	release(c);
}

/* A group with one INT column of 8 bytes and the given block. */
static struct evs_buf one_block(uint32_t rows, bool is_packed, uint8_t codec, const void *stored,
				size_t n, size_t raw_len)
{
	struct evs_group_raw r = { 0 };
	struct evs_block_raw k = { 0 };
	struct evs_buf b = { 0 };

	evs_put32(r.rows, rows);
	evs_put16(r.columns, 1);
	evs_put16(r.blocks, 1);
	evs_put32(r.flags, is_packed);
	evs_put16(k.column, is_packed ? EVS_PACKED_COLUMN : 0);
	k.codec = codec;
	evs_put32(k.stored_len, (uint32_t)n);
	evs_put32(k.raw_len, (uint32_t)raw_len);
	evs_put64(k.sum, XXH3_64bits(stored, n));
	evs_buf_put(&b, &r, sizeof(r));
	evs_buf_put(&b, &k, sizeof(k));
	evs_buf_put(&b, stored, n);
	return b;
}

/* Two rows of such a group come as the whole column does, or fail by the same rule. */
static void check_pick(const char *rule, int want, struct evs_decoder *d, const struct evs_group *g,
		       const uint8_t *payload)
{
	static const uint32_t at[] = { 0, 2 };
	struct evs_array got;
	const char *why = "none";
	int rc;

	evs_array_init(&got, EVS_INT, 8, true);
	rc = evs_group_pick(d, g, &g->blocks[0], payload + g->blocks[0].at, 0, at, 2, &got, &why);
	t_check(rule, rc == want && (rc < 0 || got.rows == 2));
	t_check(why, want == 0 || !strncmp(why, rule, strlen(rule)));
	evs_array_release(&got);
}

/* Decode the column of such a group under a memory limit. */
static void check_block(const char *rule, int want, struct evs_buf b, size_t limit)
{
	struct evs_decoder *d = NULL;
	struct evs_array like;
	struct evs_group g;
	const char *why = "none";

	evs_array_init(&like, EVS_INT, 8, true);
	T_CHECK(evs_decoder_new(&d) == 0);
	evs_decoder_set_limit(d, limit);
	T_CHECK(evs_group_decode(&g, b.p, 56, b.len, &why) == 0);
	t_check(rule, column(d, &g, b.p, &like, 0, NULL, &why) == want);
	t_check(why, want == 0 || !strncmp(why, rule, strlen(rule)));
	check_pick(rule, want, d, &g, b.p);
	evs_group_release(&g);
	evs_decoder_free(d);
	evs_buf_release(&b);
}

static void test_block_rules(void)
{
	uint8_t raw[1024], z[2048];
	size_t n, all = SIZE_MAX;
	struct evs_buf b;

	memset(raw, 'a', sizeof(raw));
	n = ZSTD_compress(z, sizeof(z), raw, sizeof(raw), 3);
	b = one_block(3, false, 0, raw, 20, 20);
	b.p[b.len - 1] ^= 1;
	check_block("5.3-1 ", EVS_E_FORMAT, b, all);
	check_block("5.3-2 ", EVS_E_VERSION, one_block(3, false, 4, z, n, 1024), all);
	check_block("5.3-2 ", EVS_E_VERSION, one_block(3, false, 3, z, n, 1024), all);
	check_block("5.3-3 ", EVS_E_FORMAT, one_block(3, false, 1, z, n, 1023), all);
	check_block("5.3-3 ", EVS_E_FORMAT, one_block(3, false, 1, z, n, EVS_MAX_BLOCK), all);
	check_block("5.3-3 ", EVS_E_FORMAT, one_block(3, false, 1, raw, n, 1024), all);
	check_block("5.3-3 ", EVS_E_FORMAT, one_block(3, false, 1, z, n - 1, 1024), all);
	memcpy(z + n, z, n);
	check_block("5.3-3 ", EVS_E_FORMAT, one_block(3, false, 1, z, 2 * n, 1024), all);
	check_block("6.1-6 block is larger", EVS_E_LIMIT, one_block(3, false, 1, z, n, 1024), 1023);
	z[n - 1] ^= 0xff;
	z[n - 2] ^= 0xff;
	check_block("5.3-4 ", EVS_E_FORMAT, one_block(3, false, 1, z, n, 1024), all);
}

/* Bytes that evs_column_encode() makes of three integers, for packed and single blocks. */
static size_t three_ints(uint8_t *out)
{
	struct evs_encoder *e = NULL;
	struct evs_array a;
	struct evs_buf b = { 0 };
	uint32_t summed = 0;
	size_t n;

	evs_array_init(&a, EVS_INT, 8, true);
	for (unsigned i = 0; i < 3; i++)
		T_CHECK(evs_array_append_int(&a, i * i) == 0);
	T_CHECK(evs_encoder_new(&e, &plain) == 0);
	T_CHECK(evs_group_encode(e, &a, 1, 0, 0, &b, &summed) == 0);
	n = b.len - summed;
	memcpy(out, b.p + summed, n);
	evs_encoder_free(e);
	evs_buf_release(&b);
	evs_array_release(&a);
	return n;
}

static void test_column_rules(void)
{
	uint8_t col[64] = { 0 }, blk[80] = { 0 };
	size_t n = three_ints(col), all = SIZE_MAX;

	T_CHECK(n > 3 && n < 50);
	check_block("good", 0, one_block(3, false, 0, col, n, n), all);
	check_block("5.3-5 ", EVS_E_FORMAT, one_block(3, false, 0, col, n + 1, n + 1), all);

	blk[0] = (uint8_t)(n << 1);
	memcpy(blk + 1, col, n);
	check_block("good, packed", 0, one_block(3, true, 0, blk, n + 1, n + 1), all);
	check_block("5.4-1 ", EVS_E_FORMAT, one_block(3, true, 0, blk, n, n), all);
	check_block("5.4-3 ", EVS_E_FORMAT, one_block(3, true, 0, blk, n + 2, n + 2), all);
	blk[0] = (uint8_t)((n + 1) << 1);
	check_block("5.3-5 ", EVS_E_FORMAT, one_block(3, true, 0, blk, n + 2, n + 2), all);
	check_block("6.1-6 column is larger", EVS_E_LIMIT, one_block(3, true, 0, "\0", 1, 1), 23);
	check_block("null throughout", 0, one_block(3, true, 0, "\0", 1, 1), all);
	check_block("5.4-1 ", EVS_E_FORMAT, one_block(3, true, 0, "\x80", 1, 1), all);
	check_block("5.4-1 ", EVS_E_FORMAT,
		    one_block(3, true, 0, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, 10), all);
	check_block("5.4-2 ", EVS_E_FORMAT, one_block(3, true, 0, "\1\1", 2, 2), all);
	check_block("5.4-2 ", EVS_E_FORMAT, one_block(3, true, 0, "\5\0xx", 4, 4), all);
	check_block("5.4-2 ", EVS_E_FORMAT, one_block(3, true, 0, "\5\3xx", 4, 4), all);
	check_block("5.4-2 ", EVS_E_FORMAT, one_block(3, true, 0, "\5\x80", 2, 2), all);
}

/* A wrong bit in a block costs that block's columns; the others still come. */
static void test_damage(void)
{
	struct evs_array c[NCOLS];
	struct evs_buf b = { 0 };
	struct evs_group g;
	struct evs_decoder *d = NULL;
	const char *why = NULL;
	uint32_t summed = 0;
	const struct evs_block *hit;

	make_columns(c, 500);
	encode(&normal, c, &b, &summed);
	T_CHECK(evs_group_decode(&g, b.p, summed, b.len, &why) == 0);
	T_CHECK(evs_decoder_new(&d) == 0);
	hit = evs_group_find(&g, 1);
	b.p[hit->at + hit->stored_len / 2] ^= 4;
	T_CHECK(column(d, &g, b.p, &c[1], 1, NULL, &why) == EVS_E_FORMAT);
	T_CHECK(!strncmp(why, "5.3-1 ", 6));
	for (uint16_t i = 0; i < NCOLS; i++) {
		if (i != 1)
			T_CHECK(column(d, &g, b.p, &c[i], i, &c[i], &why) == 0);
	}
	evs_group_release(&g);

	/* Packed: a block that failed is not taken for open afterwards. */
	encode(&packed, c, &b, &summed);
	T_CHECK(evs_group_decode(&g, b.p, summed, b.len, &why) == 0);
	b.p[b.len - 1] ^= 4;
	for (uint16_t i = 0; i < NCOLS; i++)
		T_CHECK(column(d, &g, b.p, &c[i], i, NULL, &why) == EVS_E_FORMAT);
	b.p[b.len - 1] ^= 4;
	for (uint16_t i = 0; i < NCOLS; i++)
		T_CHECK(column(d, &g, b.p, &c[i], i, &c[i], &why) == 0);
	evs_decoder_free(d);
	evs_group_release(&g);
	evs_buf_release(&b);
	release(c);
}

static void test_limits(void)
{
	struct evs_encoder *e = NULL;
	struct evs_array a;
	struct evs_buf b = { 0 };
	uint32_t summed = 0;

	evs_array_init(&a, EVS_INT, 1, false);
	T_CHECK(evs_encoder_new(&e, &normal) == 0);
	T_CHECK(evs_group_encode(e, &a, 1, 0, 0, &b, &summed) == EVS_E_LIMIT);
	T_CHECK(evs_array_append_int(&a, 1) == 0);
	T_CHECK(evs_group_encode(e, &a, 0, 0, 0, &b, &summed) == EVS_E_LIMIT);
	T_CHECK(evs_group_encode(e, &a, EVS_MAX_COLUMNS + 1, 0, 0, &b, &summed) == EVS_E_LIMIT);
	T_CHECK(evs_array_append_nulls(&a, EVS_MAX_GROUP_ROWS) == 0);
	T_CHECK(evs_group_encode(e, &a, 1, 0, 0, &b, &summed) == EVS_E_LIMIT);
	T_CHECK(b.len == 0);
	evs_encoder_free(e);
	evs_encoder_free(NULL);
	evs_decoder_free(NULL);
	evs_group_release(NULL);
	evs_array_release(&a);
	evs_buf_release(&b);
}

/*
 * What groups of known columns become, pinned: whether zstd is thought to follow, is tried, and
 * kept. Who changes that on purpose copies the new lines, which a failure prints.
 */
static void put_row(struct evs_array *c, uint32_t i, uint32_t shape)
{
	uint64_t r = rnd() >> 11;
	char text[40];
	int n = snprintf(text, sizeof(text), shape & 1 ? "row %u of %u" : "%u/%u",
			 i / (1 + shape % 7), (unsigned)(r % (1 + shape % 19)));

	if (evs_array_append_int(&c[0], shape & 2 ? r % (1 + shape * shape)
						  : i * 1000 + r % (1 + shape)) < 0 ||
	    evs_array_append_int(&c[1], r % 5 ? shape : r) < 0 ||
	    evs_array_append_bytes(&c[2], text, (size_t)n) < 0)
		abort();
}

static void test_pinned(void)
{
	static const struct {
		const char *name;
		struct evs_encoder_opts opts;
		uint32_t most; /* rows */
		size_t bytes;
		uint64_t hash;
	} cases[] = {
		{ "small packed groups",
		  { .zstd_level = 3, .packed_below = 1u << 30 },
		  120,
		  49809,
		  0x2dd33b1dfa4988ca },
		{ "packed groups",
		  { .zstd_level = 3, .packed_below = 1u << 30 },
		  2000,
		  509186,
		  0xc503855fad711710 },
		{ "groups", { .zstd_level = 1 }, 4000, 926197, 0x3c43cdf6f1a59567 },
		{ "large groups", { .zstd_level = 1 }, 90000, 947887, 0x96daf73b717cfe51 },
		{ "large groups, slowly", { .zstd_level = 7 }, 90000, 1027899, 0x08f16d1eca15cfd7 },
		{ "groups as they are",
		  { .zstd_level = 1, .plain = true },
		  400,
		  564880,
		  0x7a308327a6ca0665 },
	};

	for (size_t k = 0; ZSTD_versionNumber() == 10504 && k < sizeof(cases) / sizeof(cases[0]);
	     k++) {
		struct evs_encoder *e = NULL;
		struct evs_buf out = { 0 };
		uint64_t hash;

		rng = 4711;
		T_CHECK(evs_encoder_new(&e, &cases[k].opts) == 0);
		for (uint32_t shape = 1; shape < (cases[k].most > 10000 ? 7 : 120); shape++) {
			uint32_t rows = cases[k].most - (uint32_t)(rnd() % cases[k].most), summed;
			struct evs_array c[3];

			evs_array_init(&c[0], EVS_INT, 8, true);
			evs_array_init(&c[1], EVS_INT, 4, false);
			evs_array_init(&c[2], EVS_BYTES, 0, false);
			for (uint32_t i = 0; i < rows; i++)
				put_row(c, i, shape);
			T_CHECK(evs_group_encode(e, c, 3, 0, 0, &out, &summed) == 0);
			for (unsigned i = 0; i < 3; i++)
				evs_array_release(&c[i]);
		}
		hash = XXH3_64bits(out.p, out.len);
		t_check(cases[k].name, out.len == cases[k].bytes && hash == cases[k].hash);
		if (hash != cases[k].hash)
			printf("        %s: %zu, 0x%016" PRIx64 "\n", cases[k].name, out.len, hash);
		evs_encoder_free(e);
		evs_buf_release(&out);
	}
}

/* A block of more than 4 MiB at a level whose tables are held to that. */
static void test_large_tables(void)
{
	const struct evs_encoder_opts opts = { .zstd_level = 12 };
	struct evs_encoder *e = NULL;
	struct evs_decoder *d = NULL;
	struct evs_buf out = { 0 };
	struct evs_array a, back;
	struct evs_group g = { 0 };
	const char *why = NULL;
	char text[64];
	uint32_t summed;

	evs_array_init(&a, EVS_BYTES, 0, false);
	evs_array_init(&back, EVS_BYTES, 0, false);
	while (!a.rows || a.offs[a.rows] <= 4 << 20) {
		int n = snprintf(text, sizeof(text), "message number %u of very many %u times",
				 a.rows, a.rows % 7);

		if (evs_array_append_bytes(&a, text, (size_t)n) < 0)
			abort();
	}
	T_CHECK(evs_encoder_new(&e, &opts) == 0 && evs_decoder_new(&d) == 0);
	T_CHECK(evs_group_encode(e, &a, 1, 0, 0, &out, &summed) == 0 && out.len < (2u << 20));
	T_CHECK(evs_group_decode(&g, out.p, summed, out.len, &why) == 0 &&
		g.blocks[0].codec == EVS_CODEC_ZSTD);
	T_CHECK(evs_group_column(d, &g, g.blocks, out.p + g.blocks[0].at, 0, &back, &why) == 0);
	T_CHECK(back.rows == a.rows &&
		!memcmp(back.offs, a.offs, ((size_t)a.rows + 1) * sizeof(*a.offs)) &&
		!memcmp(back.data, a.data, (size_t)a.offs[a.rows]));
	evs_group_release(&g);
	evs_array_release(&a);
	evs_array_release(&back);
	evs_buf_release(&out);
	evs_encoder_free(e);
	evs_decoder_free(d);
}

int main(void)
{
	test_round_trip();
	test_large_tables();
	test_codecs();
	test_directory_rules();
	test_block_rules();
	test_column_rules();
	test_damage();
	test_limits();
	test_pinned();
	return t_done();
}
