/*
 * Frames, groups and their columns when memory fails (fail_op.h). (Arrays: test_fail_array.c.)
 */
#include "format/commit.h"
#include "format/filter.h"
#include "format/group.h"
#include "format/head.h"
#include "format/section.h"
#include "tests/unit/enc_gen.h"
#include "tests/unit/fail_op.h"

/* ---- frames ---------------------------------------------------------------------------------- */

static struct evs_group_ref groups[2] = {
	{ 4096, 800, 100, 1, 5000, 6000, 10, 20, { 1 } },
	{ 4904, 1600, 50, 2, 7000, 8000, EVS_TIME_NONE, EVS_TIME_NONE, { 2 } },
};
static struct evs_zone zones[2] = {
	{ .has_min = true, .has_max = true, .min_len = 8, .max_len = 8, .min = { 5 } },
	{ .group = 1, .has_max = true, .max_len = 3, .max = "abc" },
};
static struct evs_source sources[2] = { { "kafka/2", 7, 99 }, { "a", 1, UINT64_MAX } };
static struct evs_filter_ref filters[1] = { { 8192, 1, 7 } };

static int commit_op(struct evs_buf *out)
{
	struct evs_commit c = { .seq = 1,
				.since_index = 1,
				.rows = 150,
				.rows_total = 150,
				.first_group = 4096,
				.time_min = 10,
				.time_max = 20,
				.groups = groups,
				.ngroups = 2,
				.zones = zones,
				.nzones = 2,
				.sources = sources,
				.nsources = 2,
				.filters = filters,
				.nfilters = 1 };
	struct evs_commit got = { 0 };
	const char *why = NULL;
	int rc = evs_commit_write(&c, 77, 65536, out);

	if (rc < 0)
		return rc;
	rc = evs_commit_decode(&got, out->p + 40, out->len - 40 - EVS_TRAILERS_SIZE, 65536, &why);
	if (rc == 0 && (got.ngroups != 2 || got.nsources != 2 || got.nfilters != 1))
		rc = 1;
	evs_commit_release(&got);
	if (rc < 0)
		out->len = 0;
	return rc;
}

static int index_op(struct evs_buf *out)
{
	const struct evs_index_ref commits[2] = { { 9000 / 8 * 8, 504, 10, 70, 80, 0, 1 },
						  { 10000, 504, 11, 60, 60, 0, 1 } };
	struct evs_index first = { 0 }, x = { 0 }, got = { 0 };
	const char *why = NULL;
	int rc = evs_index_fold(&first, NULL, 0, 0, commits, 1);

	if (rc == 0)
		rc = evs_index_fold(&x, &first, 9800, 200, commits + 1, 1);
	x.sources = sources;
	x.nsources = 2;
	if (rc == 0)
		rc = evs_index_write(&x, 77, 65536, out);
	if (rc == 0) {
		rc = evs_index_decode(&got, out->p + 40, out->len - 40, 65536, &why);
		if (rc == 0 && (got.nrefs != 2 || got.nsources != 2))
			rc = 1;
		out->len = rc ? 0 : out->len;
	}
	evs_index_release(&got);
	evs_index_release(&first);
	x.sources = NULL;
	evs_index_release(&x);
	return rc;
}

static const char schema[] = "CREATE TABLE t (id UUID, id2 UUID, id3 UUID, ts DateTime64(3),"
			     " ts2 DateTime64(3), ts3 DateTime64(3)) ORDER BY (id, ts);\n";

static int head_op(struct evs_buf *out)
{
	struct evs_head h = { .major = 1,
			      .unit = 1,
			      .part_hi = 1,
			      .stream = "ev",
			      .stream_len = 2,
			      .tenant = "acme",
			      .tenant_len = 4,
			      .schema = schema,
			      .schema_len = sizeof(schema) - 1 };
	struct evs_head got = { 0 };
	const char *why = NULL;
	int rc = evs_head_write(&h, NULL, out);

	if (rc < 0) {
		out->len = 0;
		return rc;
	}
	rc = evs_head_decode(&got, out->p + 40, (size_t)evs_get64(out->p + 8), &why);
	if (rc == 0 && memcmp(got.schema, schema, sizeof(schema) - 1) != 0)
		rc = 1;
	evs_head_release(&got);
	out->len = rc ? 0 : out->len;
	return rc;
}

static int schema_op(struct evs_buf *out)
{
	const char *why = NULL;
	char *text = NULL;
	size_t len;
	int rc = evs_schema_text_encode(schema, sizeof(schema) - 1, out);

	if (rc == 0)
		rc = evs_schema_text_decode(&text, &len, out->p, out->len, &why);
	if (rc == 0 && strcmp(text, schema) != 0)
		rc = 1;
	free(text);
	out->len = rc ? 0 : out->len;
	return rc;
}

/* ---- groups ---------------------------------------------------------------------------------- */

#define NCOLS 5
#define LISTS 4 /* the column of them */

static struct evs_array cols[NCOLS];

static void make_columns(uint32_t rows)
{
	static const uint16_t widths[LISTS] = { 8, 0, 64, 4 };
	static const enum evs_phys phys[LISTS] = { EVS_INT, EVS_BYTES, EVS_FIXED, EVS_INT };
	uint64_t v[8];

	for (unsigned i = 0; i < LISTS; i++)
		evs_array_init(&cols[i], phys[i], widths[i], true);
	gen_lists(&cols[LISTS], rows);
	for (uint32_t i = 0; i < rows; i++) {
		for (unsigned k = 0; k < 8; k++)
			v[k] = gen_u64();
		if (evs_array_append_int(&cols[0], i * 1000) ||
		    (i % 5 ? evs_array_append_bytes(&cols[1], "some text here", i % 14)
			   : evs_array_append_null(&cols[1])) ||
		    evs_array_append_fixed(&cols[2], v) || evs_array_append_null(&cols[3]))
			abort();
	}
}

static void release_columns(void)
{
	for (unsigned i = 0; i < NCOLS; i++)
		evs_array_release(&cols[i]);
}

/* Some rows of a column, far from each other. */
static int pick_rows(struct evs_decoder *d, const struct evs_group *g, const struct evs_block *b,
		     const uint8_t *stored, uint16_t column)
{
	enum { PICKED = 5 };
	const struct evs_array *all = &cols[column];
	uint32_t at[PICKED];
	struct evs_array got = { 0 };
	const char *why = NULL;
	int rc = evs_array_init_like(&got, all);

	for (uint32_t i = 0; i < PICKED; i++)
		at[i] = i * (all->rows / PICKED);
	if (rc == 0)
		rc = evs_group_pick(d, g, b, stored, column, at, PICKED, &got, &why);
	if (rc == 0 && got.rows != PICKED)
		rc = 1;
	for (uint32_t i = 0; rc == 0 && i < PICKED; i++)
		if (evs_array_is_null(&got, i) != evs_array_is_null(all, at[i]) ||
		    evs_array_compare(&got, i, all, at[i]) != 0)
			rc = 1;
	evs_array_release(&got);
	return rc;
}

static int read_group(struct evs_decoder *d, const uint8_t *p, size_t len, uint32_t summed)
{
	struct evs_group g = { 0 };
	const char *why = NULL;
	int rc = evs_group_decode(&g, p, summed, len, &why);

	for (uint16_t i = 0; rc == 0 && i < NCOLS; i++) {
		const struct evs_block *b = evs_group_find(&g, i);
		struct evs_array back = { 0 };

		rc = evs_array_init_like(&back, &cols[i]);
		if (rc == 0)
			rc = evs_group_column(d, &g, b, b ? p + b->at : NULL, i, &back, &why);
		if (rc == 0 && !gen_same(&back, &cols[i]))
			rc = 1;
		if (rc == 0)
			rc = pick_rows(d, &g, b, b ? p + b->at : NULL, i);
		evs_array_release(&back);
	}
	evs_group_release(&g);
	return rc;
}

static int group_op(struct evs_buf *out, uint32_t packed_below)
{
	const struct evs_encoder_opts opts = { .zstd_level = 1, .packed_below = packed_below };
	struct evs_encoder *e = NULL;
	struct evs_decoder *d = NULL;
	uint32_t summed;
	int rc = evs_encoder_new(&e, &opts);

	if (rc == 0)
		rc = evs_decoder_new(&d);
	if (rc == 0)
		rc = evs_group_encode(e, cols, NCOLS, 0, 0, out, &summed);
	if (rc == 0) {
		rc = read_group(d, out->p, out->len, summed);
		/* Without memory once: with it, the same decoder goes on. */
		if (rc == EVS_E_NOMEM && read_group(d, out->p, out->len, summed) != 0)
			rc = 1;
		out->len = rc ? 0 : out->len;
	}
	evs_encoder_free(e);
	evs_decoder_free(d);
	return rc;
}

static int blocks_op(struct evs_buf *out)
{
	return group_op(out, 0);
}

static int packed_op(struct evs_buf *out)
{
	return group_op(out, 1 << 30);
}

static int encode_texts(struct evs_encoder *e, uint32_t rows, struct evs_array *a,
			struct evs_buf *out, uint32_t *summed)
{
	evs_array_init(a, EVS_BYTES, 0, false);
	for (uint32_t i = 0; i < rows; i++)
		if (evs_array_append_bytes(a, "one text, and the same one again and again",
					   7 + i % 34) < 0)
			abort();
	return evs_group_encode(e, a, 1, 0, 0, out, summed);
}

/* A decoder for which a large block found no room reads smaller ones as before. */
static void test_room_of_decoder(void)
{
	static const uint32_t rows[] = { 400, 9000 };
	const struct evs_encoder_opts opts = { .zstd_level = 1 };
	struct evs_buf out[2] = { { 0 }, { 0 } };
	struct evs_array a[2], back;
	struct evs_group g[2];
	struct evs_encoder *e = NULL;
	struct evs_decoder *d = NULL;
	uint32_t summed[2];
	const char *why;
	bool hit = true;

	T_CHECK(evs_encoder_new(&e, &opts) == 0);
	for (unsigned i = 0; i < 2; i++) {
		T_CHECK(encode_texts(e, rows[i], &a[i], &out[i], &summed[i]) == 0);
		T_CHECK(evs_group_decode(&g[i], out[i].p, summed[i], out[i].len, &why) == 0);
		T_CHECK(g[i].blocks[0].codec == EVS_CODEC_ZSTD);
	}
	for (long n = 1; hit; n++) {
		T_CHECK(evs_decoder_new(&d) == 0);
		for (unsigned step = 0; step < 3; step++) {
			unsigned i = step == 1;
			int rc;

			evs_array_init(&back, EVS_BYTES, 0, false);
			if (step == 1)
				fail_begin("memory", n, 0);
			rc = evs_group_column(d, &g[i], g[i].blocks, out[i].p + g[i].blocks[0].at,
					      0, &back, &why);
			if (step == 1)
				hit = fail_end();
			T_CHECK(rc == 0 ? gen_same(&back, &a[i])
					: rc == EVS_E_NOMEM && step == 1 && hit);
			evs_array_release(&back);
		}
		evs_decoder_free(d);
	}
	for (unsigned i = 0; i < 2; i++) {
		evs_group_release(&g[i]);
		evs_array_release(&a[i]);
		evs_buf_release(&out[i]);
	}
	evs_encoder_free(e);
}

/* A block of more than 256 KiB is tried on samples first; its output is not looked at byte by byte.
 */
static void test_large_block(void)
{
	struct evs_buf out = { 0 };
	bool hit = true;
	int rc;

	make_columns(6000);
	for (long n = 1; hit; n++) {
		fail_begin("memory", n, 0);
		rc = blocks_op(&out);
		hit = fail_end();
		T_CHECK(hit ? rc == EVS_E_NOMEM || rc == 0 : rc == 0);
		evs_buf_release(&out);
	}
	release_columns();
}

static int filter_op(struct evs_buf *out)
{
	int rc = evs_filter_build(&cols[0], out);

	out->len = rc ? 0 : out->len;
	return rc;
}

/* HEADs in a row with one memory of their texts: each has its own text, also when there is no
 * memory for that. */
static int memo_op(struct evs_buf *out)
{
	static const char letters[] = "aabac"; /* `c`: another length */
	struct evs_text_memo memo = { 0 };
	struct evs_buf b = { 0 };
	int rc = 0;

	(void)out;
	for (unsigned i = 0; rc == 0 && i < 5; i++) {
		struct evs_head h = {
			.major = 1, .unit = 1, .part_hi = 1, .stream = "s", .stream_len = 1
		};
		char text[400];

		memset(text, letters[i], sizeof(text));
		h.schema = text;
		h.schema_len = sizeof(text) - (letters[i] == 'c');
		evs_buf_reset(&b);
		rc = evs_head_encode(&h, NULL, &b);
		if (rc == 0)
			rc = evs_head_decode_memo(&h, b.p, b.len, &memo, NULL);
		if (rc == 0 && (h.schema_len != sizeof(text) - (letters[i] == 'c') ||
				memcmp(h.schema, text, h.schema_len) != 0))
			rc = 1;
		evs_head_release(&h);
	}
	evs_text_memo_release(&memo);
	evs_buf_release(&b);
	return rc;
}

int main(void)
{
	check("commit", commit_op);
	check("index", index_op);
	check("head", head_op);
	check("memory of texts", memo_op);
	check("schema text", schema_op);
	make_columns(40);
	check("group", blocks_op);
	check("packed group", packed_op);
	check("filter", filter_op);
	release_columns();
	test_large_block();
	test_room_of_decoder();
	return t_done();
}
