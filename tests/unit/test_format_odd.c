/*
 * Frames, commits, INDEX, heads and groups at their edges: values that no writer writes, cut at
 * every byte, each of which reaches a branch that nothing else takes.
 */
#include "format/array_grow.h"
#include "format/commit.h"
#include "format/frame.h"
#include "format/group.h"
#include "format/head.h"
#include "format/section.h"
#include "format/zone.h"
#include "tests/unit/t.h"

#include <stdlib.h>
#include <xxhash.h>
#include <zstd.h>

#define SALT 77u
#define OFF  65536u

static bool rule_is(const char *why, const char *rule)
{
	size_t n = strlen(rule);

	return why && !strncmp(why, rule, n) && why[n] == ' ';
}

/* ---- frames, trailers ------------------------------------------------------------------------ */

static void test_frames(void)
{
	uint8_t raw[EVS_FRAME_HEAD_SIZE], payload[136] = { 0 };
	struct evs_frame f;
	const char *why = NULL;

	/* A COMMIT whose summed part is no multiple of 8. */
	evs_frame_seal(raw, EVS_FRAME_COMMIT, 0, 4 + EVS_TRAILERS_SIZE, payload, 4, SALT, OFF, 0);
	T_CHECK(evs_frame_decode(&f, raw, SALT, OFF, &why) == EVS_E_FORMAT);
	T_CHECK(rule_is(why, "3.1-11"));
	/* Nobody wants to know which rule it is. */
	T_CHECK(evs_frame_decode(&f, raw, SALT, OFF, NULL) == EVS_E_FORMAT);
}

static int trailer(const struct evs_trailer *t, uint64_t off, const char **why)
{
	uint8_t raw[EVS_TRAILER_SIZE];
	struct evs_trailer got;

	evs_trailer_encode(raw, t, 0, SALT, off);
	return evs_trailer_decode(&got, raw, SALT, off, why);
}

static void test_trailers(void)
{
	const struct evs_trailer good = { OFF, 400, 7, 1150, 4096, 150 };
	struct evs_commit c = { .seq = 7, .rows_total = 1150, .rows = 150, .first_group = 4096 };
	struct evs_trailer t = good;
	const char *why = NULL;
	const uint64_t last = INT64_MAX / 8 * 8;

	T_CHECK(trailer(&good, OFF + 400 - EVS_TRAILERS_SIZE, &why) == 0);
	t.commit_len = 404; /* all adds up, but for where they stand */
	T_CHECK(trailer(&t, OFF + 404 - EVS_TRAILERS_SIZE, &why) == EVS_E_FORMAT);
	T_CHECK(rule_is(why, "7.3-4"));
	t.commit_off = last - 400;
	t.commit_len = 400 + EVS_TRAILERS_SIZE;
	why = NULL;
	T_CHECK(trailer(&t, last, &why) == EVS_E_FORMAT && rule_is(why, "7.3-4"));
	t.commit_off = OFF + 4;
	t.commit_len = 396;
	why = NULL;
	T_CHECK(trailer(&t, OFF + 400 - EVS_TRAILERS_SIZE, &why) == EVS_E_FORMAT &&
		rule_is(why, "7.3-4"));
	t = good;
	t.commit_len = EVS_TRAILERS_SIZE;
	why = NULL;
	T_CHECK(trailer(&t, OFF, &why) == EVS_E_FORMAT && rule_is(why, "7.3-4"));

	T_CHECK(evs_trailer_matches(&good, &c));
	c.seq++;
	T_CHECK(!evs_trailer_matches(&good, &c));
	c.seq--;
	c.rows_total++;
	T_CHECK(!evs_trailer_matches(&good, &c));
	c.rows_total--;
	c.rows++;
	T_CHECK(!evs_trailer_matches(&good, &c));
	c.rows--;
	c.first_group++;
	T_CHECK(!evs_trailer_matches(&good, &c));
}

/* ---- sections -------------------------------------------------------------------------------- */

static void test_times(void)
{
	T_CHECK(evs_times_ok(EVS_TIME_NONE, EVS_TIME_NONE) && evs_times_ok(5, 5));
	T_CHECK(!evs_times_ok(5, EVS_TIME_NONE) && !evs_times_ok(EVS_TIME_NONE, 5));
	T_CHECK(!evs_times_ok(6, 5));
}

static void test_sections_cut(void)
{
	struct evs_buf b = { 0 };
	size_t at = evs_section_begin(&b, EVS_SECTION_ZONES);
	const char *why = NULL;

	evs_buf_put_u8(&b, 1);
	evs_section_end(&b, at);
	t_eq_u64("a section of one byte", b.len, 16);
	for (size_t n = 1; n < b.len; n++) {
		struct evs_sections s = { .c = { b.p, b.p + n } };

		why = NULL;
		T_CHECK(evs_section_next(&s, &why) == EVS_E_FORMAT && rule_is(why, "7.7-1"));
	}
	evs_buf_release(&b);
}

static void test_sources(void)
{
	static char id[EVS_MAX_SOURCE_ID + 1];
	struct evs_source s[2] = { { id, sizeof(id), 1 }, { "a", 1, 300 } }, *got = NULL;
	struct evs_buf b = { 0 };
	const char *why = NULL;
	uint32_t n;

	memset(id, 'x', sizeof(id));
	T_CHECK(evs_sources_encode(s, 2, &b) == EVS_E_LIMIT);
	s[0].id_len = 3;
	evs_buf_reset(&b);
	T_CHECK(evs_sources_encode(s, 2, &b) == 0);
	/* Body: 2, 1 'a' 300, 3 "xxx" 1. */
	for (size_t len = 0; len <= 10; len++) {
		struct evs_cur c = { b.p + 8, b.p + 8 + len };
		int rc = evs_sources_decode(&c, &got, &n, &why);

		T_CHECK(len == 10 ? rc == 0 && n == 2 : rc == EVS_E_FORMAT);
		if (len == 10)
			break;
	}
	free(got);
	evs_buf_release(&b);
}

static void test_zones_cut(void)
{
	struct evs_group_ref group = { .rows = 100 };
	struct evs_zone z[2] = {
		{ .has_min = true, .min_len = 2, .min = "ab" },
		{ .column = 200, .has_min = true, .has_max = true, .max_len = 1, .max = "b" }
	};
	struct evs_buf b = { 0 };
	const char *why;

	evs_zones_encode(z, 2, &b);
	for (size_t n = 0; n <= b.len; n++) {
		struct evs_commit c = { .groups = &group, .ngroups = 1 };
		struct evs_cur s = { b.p, b.p + n };
		int rc = evs_zones_decode(&c, &s, &why);

		T_CHECK(n == b.len ? rc == 0 && c.nzones == 2 && !c.zones[0].has_max &&
					     c.zones[1].column == 200
				   : rc == EVS_E_FORMAT);
		free(c.zones);
	}
	/* Room for the count's least, but not for what follows. */
	for (size_t n = 1; n < b.len; n++) {
		struct evs_commit c = { .groups = &group, .ngroups = 1 };
		struct evs_cur s = { b.p, b.p + n };

		b.p[0] = 1 + (n > 8);
		(void)evs_zones_decode(&c, &s, &why);
		free(c.zones);
	}
	evs_buf_release(&b);
}

static void test_too_many_groups(void)
{
	const size_t groups = (size_t)EVS_MAX_GROUPS + 1;
	struct evs_group_ref *g = calloc(groups, sizeof(*g));
	struct evs_commit c = { .seq = 1,
				.since_index = 1,
				.first_group = 4096,
				.time_min = EVS_TIME_NONE,
				.time_max = EVS_TIME_NONE,
				.groups = g,
				.ngroups = EVS_MAX_GROUPS };
	struct evs_commit got;
	struct evs_buf b = { 0 };
	const char *why = NULL;
	uint8_t *p;
	size_t len;

	T_CHECK(g && evs_commit_write(&c, SALT, 1u << 30, &b) == 0);
	len = b.len - EVS_FRAME_HEAD_SIZE - EVS_TRAILERS_SIZE + sizeof(struct evs_group_ref_raw);
	evs_buf_put_zero(&b, sizeof(struct evs_group_ref_raw));
	p = b.p + EVS_FRAME_HEAD_SIZE;
	evs_put32(p + sizeof(struct evs_commit_raw) + 4,
		  (uint32_t)(groups * sizeof(struct evs_group_ref_raw)));
	evs_commit_hash(p + offsetof(struct evs_commit_raw, hash), p, len);
	T_CHECK(evs_commit_decode(&got, p, len, 1u << 30, &why) == EVS_E_FORMAT);
	T_CHECK(rule_is(why, "7.2-1"));
	evs_commit_release(&got);
	evs_buf_release(&b);
	free(g);
}

/* ---- INDEX ----------------------------------------------------------------------------------- */

/* References that cannot be folded any more. */
static void test_fold_limits(void)
{
	static struct evs_index_ref many[EVS_INDEX_EVERY];
	struct evs_index prev = { .refs = many }, out = { 0 };
	const struct evs_index_ref commit = { 1000, 400, 1, 1, 1, 0, 1 };

	for (unsigned i = 0; i < EVS_INDEX_EVERY; i++)
		many[i] = (struct evs_index_ref){ .level = EVS_INDEX_LEVELS - 1, .commits = 1 };
	prev.nrefs = EVS_INDEX_EVERY;
	T_CHECK(evs_index_fold(&out, &prev, OFF, 800, &commit, 1) == EVS_E_LIMIT);
	evs_index_release(&out);

	prev.nrefs = 2;
	many[0] = (struct evs_index_ref){ .commits = UINT32_MAX };
	many[1] = (struct evs_index_ref){ .commits = 1 };
	T_CHECK(evs_index_fold(&out, &prev, OFF, 800, &commit, 1) == EVS_E_LIMIT);
	evs_index_release(&out);
	many[0] = (struct evs_index_ref){ .commits = 1, .rows = UINT64_MAX };
	many[1] = (struct evs_index_ref){ .commits = 1, .rows = 1 };
	T_CHECK(evs_index_fold(&out, &prev, OFF, 800, &commit, 1) == EVS_E_LIMIT);
	evs_index_release(&out);

	many[0] = (struct evs_index_ref){ .commits = 1, .time_min = EVS_TIME_NONE };
	many[1] = (struct evs_index_ref){ .commits = 1, .time_min = 4, .time_max = 4 };
	T_CHECK(evs_index_fold(&out, &prev, OFF, 800, &commit, 1) == 0);
	T_CHECK(out.nrefs == 2 && out.refs[0].time_min == 4 && out.refs[0].time_max == 4);
	evs_index_release(&out);
}

/* A section behind SOURCES says nothing to a reader of INDEX frames. */
static void test_index_section(void)
{
	struct evs_index_ref ref = { 1000, 400, 5, 1, 2, 0, 1 };
	struct evs_index x = { .seq = 1,
			       .rows_total = 5,
			       .last_commit_off = 1000,
			       .last_commit_len = 400,
			       .refs = &ref,
			       .nrefs = 1 };
	struct evs_index got;
	struct evs_buf b = { 0 };
	const char *why = NULL;

	T_CHECK(evs_index_write(&x, SALT, OFF, &b) == 0);
	evs_section_end(&b, evs_section_begin(&b, EVS_SECTION_ROLLUPS));
	T_CHECK(evs_index_decode(&got, b.p + 40, b.len - 40, OFF, &why) == 0 && got.nrefs == 1);
	evs_index_release(&got);
	evs_buf_release(&b);
}

/* ---- schema text ----------------------------------------------------------------------------- */

static void check_text(const char *rule, const char *text, size_t len, size_t flip)
{
	struct evs_buf b = { 0 };
	const char *why = NULL;
	char *got = NULL;
	size_t n;

	T_CHECK(evs_schema_text_encode(text, len, &b) == 0);
	if (flip)
		b.p[b.len - flip] ^= 0xff;
	T_CHECK(evs_schema_text_decode(&got, &n, b.p, b.len, &why) == EVS_E_FORMAT && !got);
	t_check(rule, rule_is(why, rule));
	for (size_t k = 0; k < 8; k++)
		T_CHECK(evs_schema_text_decode(&got, &n, b.p, k, &why) == EVS_E_FORMAT && !got);
	evs_buf_release(&b);
}

static void test_schema_texts(void)
{
	char text[400];
	bool refused = false;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "CREATE TABLE t (id"[i % 18];
	text[300] = 0;
	check_text("4.2-3", text, sizeof(text), 0);
	text[300] = 'x';
	for (size_t flip = 1; flip < 12; flip++) {
		struct evs_buf b = { 0 };
		const char *why = NULL;
		char *got = NULL;
		size_t n;

		T_CHECK(evs_schema_text_encode(text, sizeof(text), &b) == 0);
		b.p[b.len - flip] ^= 0xff;
		if (evs_schema_text_decode(&got, &n, b.p, b.len, &why) < 0)
			refused |= rule_is(why, "4.2-2");
		free(got);
		evs_buf_release(&b);
	}
	t_check("a damaged schema text does not decompress", refused);
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* A group with one column that has one block, whose entry `b` describes. */
static int decode_entry(const struct evs_block_raw *entry, const char **why)
{
	struct evs_group_raw r = { 0 };
	uint8_t p[sizeof(r) + sizeof(*entry) + 1] = { 0 };
	struct evs_group g;
	int rc;

	evs_put32(r.rows, 5);
	evs_put16(r.columns, 1);
	evs_put16(r.blocks, 1);
	memcpy(p, &r, sizeof(r));
	memcpy(p + sizeof(r), entry, sizeof(*entry));
	rc = evs_group_decode(&g, p, sizeof(r) + sizeof(*entry), sizeof(p), why);
	evs_group_release(&g);
	return rc;
}

static void test_block_entries(void)
{
	struct evs_block_raw e = { .codec = EVS_CODEC_ZSTD };
	const char *why = NULL;

	evs_put32(e.stored_len, 1);
	evs_put32(e.raw_len, EVS_MAX_BLOCK);
	T_CHECK(decode_entry(&e, &why) == 0);
	evs_put32(e.raw_len, EVS_MAX_BLOCK + 1);
	T_CHECK(decode_entry(&e, &why) == EVS_E_FORMAT && rule_is(why, "5.2-3"));
}

/* Columns that are all null have no blocks; a group may have none at all. */
static void test_no_blocks(void)
{
	const struct evs_encoder_opts opts = { .zstd_level = 1 };
	struct evs_encoder *e = NULL;
	struct evs_decoder *d = NULL;
	struct evs_array a, back;
	struct evs_buf b = { 0 };
	struct evs_group g;
	uint32_t summed;
	const char *why = NULL;

	evs_array_init(&a, EVS_INT, 8, true);
	evs_array_init(&back, EVS_INT, 8, true);
	T_CHECK(evs_array_append_nulls(&a, 9) == 0 && evs_encoder_new(&e, &opts) == 0);
	T_CHECK(evs_group_encode(e, &a, 1, 0, 0, &b, &summed) == 0);
	T_CHECK(evs_group_decode(&g, b.p, summed, b.len, &why) == 0 && g.nblocks == 0);
	T_CHECK(evs_decoder_new(&d) == 0 && !evs_group_find(&g, 0));
	T_CHECK(evs_group_column(d, &g, NULL, NULL, 0, &back, &why) == 0 && back.nulls == 9);
	evs_group_release(&g);
	evs_decoder_free(d);
	evs_encoder_free(e);
	evs_array_release(&a);
	evs_array_release(&back);
	evs_buf_release(&b);
}

/* A block under zstd with a dictionary, which format 1.0 does not have. */
static void test_dictionary_block(void)
{
	uint8_t block[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x21, 5,   5,  5 << 3 | 1,
			    0,	  0,	1,    'a',  'b',  'c', 'd' };
	struct evs_block b = { .codec = EVS_CODEC_ZSTD,
			       .stored_len = sizeof(block),
			       .raw_len = 5,
			       .sum = XXH3_64bits(block, sizeof(block)) };
	struct evs_group g = { .rows = 4, .columns = 1, .nblocks = 1, .blocks = &b };
	struct evs_decoder *d = NULL;
	struct evs_array a;
	const char *why = NULL;

	evs_array_init(&a, EVS_INT, 1, false);
	T_CHECK(evs_decoder_new(&d) == 0);
	T_CHECK(evs_group_column(d, &g, &b, block, 0, &a, &why) == EVS_E_FORMAT);
	T_CHECK(rule_is(why, "5.3-3"));
	evs_decoder_free(d);
	evs_array_release(&a);
}

/* Other entries for the same bytes are other blocks. */
static void test_packed_again(void)
{
	const struct evs_encoder_opts opts = { .zstd_level = 1, .packed_below = 1 << 20 };
	struct evs_encoder *e = NULL;
	struct evs_decoder *d = NULL;
	struct evs_array a, back;
	struct evs_buf b = { 0 };
	struct evs_group g;
	struct evs_block other;
	uint32_t summed;
	const char *why = NULL;

	evs_array_init(&a, EVS_INT, 8, true);
	evs_array_init(&back, EVS_INT, 8, true);
	for (unsigned i = 0; i < 9; i++)
		T_CHECK(evs_array_append_int(&a, i * i) == 0);
	T_CHECK(evs_encoder_new(&e, &opts) == 0 && evs_decoder_new(&d) == 0);
	T_CHECK(evs_group_encode(e, &a, 1, 0, 0, &b, &summed) == 0);
	T_CHECK(evs_group_decode(&g, b.p, summed, b.len, &why) == 0 && g.packed);
	for (unsigned i = 0; i < 4; i++) {
		const uint8_t *stored = b.p + g.blocks[0].at;

		T_CHECK(evs_group_column(d, &g, &g.blocks[0], stored, 0, &back, &why) == 0);
		other = g.blocks[0];
		other.sum ^= i == 0;
		other.codec = i == 1 ? EVS_CODEC_ZSTD_DICT : other.codec;
		other.stored_len -= i == 2;
		other.raw_len -= i == 3;
		T_CHECK(evs_group_column(d, &g, &other, stored, 0, &back, &why) < 0);
		/* One column twice begins anew. */
		T_CHECK(evs_group_column(d, &g, &g.blocks[0], stored, 0, &back, &why) == 0);
		T_CHECK(evs_group_column(d, &g, &g.blocks[0], stored, 0, &back, &why) == 0);
	}
	evs_group_release(&g);
	evs_decoder_free(d);
	evs_encoder_free(e);
	evs_array_release(&a);
	evs_array_release(&back);
	evs_buf_release(&b);
}

/* Where size matters more than time, no sample decides whether to compress a large block. */
static void test_high_level(void)
{
	struct evs_encoder_opts opts = { .zstd_level = 9 };
	struct evs_encoder *e = NULL;
	struct evs_array a;
	struct evs_buf b = { 0 };
	uint8_t v[64] = { 0 };
	uint64_t x = 1;
	uint32_t summed;

	evs_array_init(&a, EVS_FIXED, sizeof(v), false);
	for (unsigned i = 0; i < 5000; i++) {
		for (unsigned k = 0; k < sizeof(v); k += 8) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			memcpy(v + k, &x, 8);
		}
		T_CHECK(evs_array_append_fixed(&a, v) == 0);
	}
	T_CHECK(evs_encoder_new(&e, &opts) == 0);
	T_CHECK(evs_group_encode(e, &a, 1, 0, 0, &b, &summed) == 0);
	evs_encoder_free(e);
	evs_array_release(&a);
	evs_buf_release(&b);
}

/* ---- arrays, buffers ------------------------------------------------------------------------- */

static void test_lists_compared(void)
{
	static const uint8_t rows[][3] = { { 0 }, { 1, 5 }, { 1, 6 }, { 2, 5, 1 } };
	struct evs_array a, more, taken;
	const uint32_t picks[] = { 3, 0 };

	T_CHECK(evs_array_init_nested(&a, EVS_LIST) == 0);
	evs_array_init(a.child, EVS_INT, 8, true);
	for (unsigned i = 0; i < 4; i++) {
		for (unsigned k = 0; k < rows[i][0]; k++)
			T_CHECK(evs_array_append_int(a.child, rows[i][k + 1]) == 0);
		T_CHECK(evs_array_close_row(&a) == 0);
	}
	T_CHECK(evs_array_compare(&a, 0, &a, 1) < 0 && evs_array_compare(&a, 1, &a, 0) > 0);
	T_CHECK(evs_array_compare(&a, 1, &a, 2) < 0 && evs_array_compare(&a, 1, &a, 3) < 0);
	T_CHECK(evs_array_compare(&a, 3, &a, 1) > 0 && evs_array_compare(&a, 3, &a, 2) < 0);

	/* Rows without nulls behind a null; and no rows at all. */
	evs_array_init(&more, EVS_INT, 8, true);
	evs_array_init(&taken, EVS_INT, 8, true);
	T_CHECK(evs_array_append_null(&taken) == 0);
	for (unsigned i = 0; i < 4; i++)
		T_CHECK(evs_array_append_int(&more, i) == 0);
	T_CHECK(evs_array_take(&taken, &more, picks, 0) == 0 && taken.rows == 1);
	T_CHECK(evs_array_take(&taken, &more, picks, 2) == 0 && taken.rows == 3);
	T_CHECK(taken.nulls == 1 && !evs_array_is_null(&taken, 1) && evs_array_int(&taken, 1) == 3);
	evs_array_release(&a);
	evs_array_release(&more);
	evs_array_release(&taken);
}

static void test_caps(void)
{
	struct evs_array a;
	struct evs_buf b = { .len = SIZE_MAX / 2, .cap = SIZE_MAX / 2 };

	evs_array_init(&a, EVS_BYTES, 0, false);
	T_CHECK(evs_array_reserve(&a, 1, (size_t)EVS_ARRAY_MAX_BYTES + 1) == EVS_E_NOMEM);
	T_CHECK(evs_array_append_bytes(&a, "", (size_t)EVS_ARRAY_MAX_BYTES + 1) == EVS_E_NOMEM);
	T_CHECK(evs_array_append_bytes(&a, "x", 1) == 0);
	T_CHECK(evs_array_reserve(&a, 1, EVS_ARRAY_MAX_BYTES) == EVS_E_NOMEM && a.rows == 1);
	evs_array_release(&a);
	T_CHECK(!evs_buf_reserve(&b, 1) && b.failed);
}

int main(void)
{
	test_frames();
	test_trailers();
	test_times();
	test_sections_cut();
	test_sources();
	test_zones_cut();
	test_too_many_groups();
	test_fold_limits();
	test_index_section();
	test_schema_texts();
	test_block_entries();
	test_no_blocks();
	test_dictionary_block();
	test_packed_again();
	test_high_level();
	test_lists_compared();
	test_caps();
	return t_done();
}
