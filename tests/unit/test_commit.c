/*
 * commit.h: COMMIT frames, trailers, zones, sources: round trip, and one row per rule of spec 7.
 */
#include "tests/unit/t.h"
#include "format/commit.h"
#include "format/frame.h"
#include "format/section.h"

#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <xxhash.h>

#define SALT	  0x0123456789abcdefu
#define OFF	  65536u
#define AT(field) offsetof(struct evs_commit_raw, field)
#define GROUP_AT  (sizeof(struct evs_commit_raw) + 8) /* first group: after the section's head */
#define GAT(i, field)                                                                              \
	(GROUP_AT + (i) * sizeof(struct evs_group_ref_raw) +                                       \
	 offsetof(struct evs_group_ref_raw, field))

static struct evs_group_ref groups[2] = {
	{ 4096, 800, 100, 1, 5000, 6000, 10, 20, { 1 } },
	{ 4904, 1600, 50, 2, 7000, 8000, EVS_TIME_NONE, EVS_TIME_NONE, { 2 } },
};
static struct evs_filter_ref filters[2] = { { 4096, 0, 3 }, { 4104, 1, 0 } };

static struct evs_rollup_ref rollups[2] = { { "first", 4096, 3 }, { "second", 4112, 70000 } };

static struct evs_zone zones[3] = {
	{ .group = 0,
	  .column = 0,
	  .has_min = true,
	  .has_max = true,
	  .min_len = 8,
	  .max_len = 8,
	  .min = { 5 },
	  .max = { 9 } },
	{ .group = 0, .column = 7, .nulls = 100 },
	{ .group = 1,
	  .column = 3,
	  .has_min = true,
	  .has_max = true,
	  .min_cut = true,
	  .nulls = 2,
	  .min_len = 32,
	  .max_len = 1,
	  .min = "0123456789abcdef0123456789abcdef",
	  .max = "b" },
};
static struct evs_source sources[3] = {
	{ "kafka/2", 7, 99 },
	{ "a", 1, UINT64_MAX },
	{ "kafka", 5, 0 },
};

static struct evs_commit sample(void)
{
	struct evs_commit c = {
		.seq = 7,
		.written = -1,
		.rows = 150,
		.rows_total = 1150,
		.first_group = 4096,
		.prev_off = 2048,
		.prev_len = 1024,
		.index_off = 3072,
		.index_len = 512,
		.schema_off = 1024,
		.time_min = 10,
		.time_max = 20,
		.since_index = 3,
		.prev_hash = { 9, 8, 7 },
		.groups = groups,
		.ngroups = 2,
		.zones = zones,
		.nzones = 3,
		.filters = filters,
		.nfilters = 2,
		.filters_hash = { 5, 4, 3 },
		.rollups = rollups,
		.nrollups = 2,
		.rollups_hash = { 6, 7 },
		.sources = sources,
		.nsources = 3,
	};

	return c;
}

static bool same_filters(const struct evs_commit *a, const struct evs_commit *b)
{
	if (a->nfilters != b->nfilters || memcmp(a->filters_hash, b->filters_hash, EVS_HASH_SIZE))
		return false;
	for (uint32_t i = 0; i < a->nfilters; i++)
		if (a->filters[i].off != b->filters[i].off ||
		    a->filters[i].group != b->filters[i].group ||
		    a->filters[i].column != b->filters[i].column)
			return false;
	return true;
}

static bool same_rollups(const struct evs_commit *a, const struct evs_commit *b)
{
	if (a->nrollups != b->nrollups || memcmp(a->rollups_hash, b->rollups_hash, EVS_HASH_SIZE))
		return false;
	for (uint32_t i = 0; i < a->nrollups; i++)
		if (memcmp(a->rollups[i].view, b->rollups[i].view, EVS_VIEW_ID) ||
		    a->rollups[i].off != b->rollups[i].off ||
		    a->rollups[i].groups != b->rollups[i].groups)
			return false;
	return true;
}

static bool same_zone(const struct evs_zone *a, const struct evs_zone *b)
{
	return a->group == b->group && a->column == b->column && a->nulls == b->nulls &&
	       a->has_min == b->has_min && a->has_max == b->has_max && a->min_cut == b->min_cut &&
	       a->max_cut == b->max_cut && a->min_len == b->min_len && a->max_len == b->max_len &&
	       !memcmp(a->min, b->min, a->min_len) && !memcmp(a->max, b->max, a->max_len);
}

static bool same_group(const struct evs_group_ref *a, const struct evs_group_ref *b)
{
	return a->off == b->off && a->len == b->len && a->rows == b->rows && a->run == b->run &&
	       a->mem_bytes == b->mem_bytes && a->src_bytes == b->src_bytes &&
	       a->time_min == b->time_min && a->time_max == b->time_max &&
	       !memcmp(a->hash, b->hash, EVS_HASH_SIZE);
}

static void check_same(const struct evs_commit *a, const struct evs_commit *b)
{
	T_CHECK(a->seq == b->seq && a->written == b->written && a->rows == b->rows);
	T_CHECK(a->rows_total == b->rows_total && a->first_group == b->first_group);
	T_CHECK(a->prev_off == b->prev_off && a->prev_len == b->prev_len);
	T_CHECK(a->index_off == b->index_off && a->index_len == b->index_len);
	T_CHECK(a->schema_off == b->schema_off && a->since_index == b->since_index);
	T_CHECK(a->time_min == b->time_min && a->time_max == b->time_max);
	T_CHECK(!memcmp(a->prev_hash, b->prev_hash, EVS_HASH_SIZE));
	T_CHECK(!memcmp(a->hash, b->hash, EVS_HASH_SIZE));
	T_CHECK(a->ngroups == b->ngroups && a->nzones == b->nzones);
	for (uint32_t i = 0; i < a->ngroups; i++)
		T_CHECK(same_group(&a->groups[i], &b->groups[i]));
	T_CHECK(same_filters(a, b) && same_rollups(a, b));
	for (uint32_t i = 0; i < a->nzones; i++)
		T_CHECK(same_zone(&a->zones[i], &b->zones[i]));
}

static void check_trailers(const struct evs_commit *c, const uint8_t *frame, size_t len)
{
	struct evs_trailer t;
	const char *why = NULL;

	for (unsigned copy = 0; copy < 2; copy++) {
		size_t at = len - (2 - copy) * EVS_TRAILER_SIZE;

		T_CHECK(evs_trailer_decode(&t, frame + at, SALT, OFF + at, &why) == 0);
		T_CHECK(t.commit_off == OFF && t.commit_len == len);
		T_CHECK(evs_trailer_matches(&t, c));
		T_CHECK(evs_trailer_decode(&t, frame + at, SALT, OFF + at + 8, &why) < 0);
		T_CHECK(evs_trailer_decode(&t, frame + at, SALT + 1, OFF + at, &why) < 0);
	}
	t.rows++;
	T_CHECK(!evs_trailer_matches(&t, c));
}

static void test_round_trip(void)
{
	struct evs_commit c = sample(), got;
	struct evs_buf b = { 0 };
	struct evs_frame f;
	const char *why = NULL;

	T_CHECK(evs_commit_write(&c, SALT, OFF, &b) == 0);
	T_CHECK(evs_frame_decode(&f, b.p, SALT, OFF, &why) == 0 && f.type == EVS_FRAME_COMMIT);
	t_eq_u64("no padding behind the trailers", evs_frame_span(f.payload_len), b.len);
	t_eq_u64("payload is 8-aligned", f.payload_len % 8, 0);
	T_CHECK(evs_frame_verify(&f, b.p + 40, SALT, OFF, &why) == 0);
	T_CHECK(evs_commit_decode(&got, b.p + 40, f.summed_len, OFF, &why) == 0);
	check_same(&c, &got);
	t_eq_u64("sources", got.nsources, 3);
	/* Sorted on disk, however they were handed in. */
	T_CHECK(got.sources[0].id_len == 1 && got.sources[0].off == UINT64_MAX);
	T_CHECK(got.sources[1].id_len == 5 && got.sources[1].off == 0);
	T_CHECK(!memcmp(got.sources[2].id, "kafka/2", 7) && got.sources[2].off == 99);
	T_CHECK(!memcmp(sources[0].id, "kafka/2", 7) && !got.no_append);
	check_trailers(&got, b.p, b.len);
	evs_commit_release(&got);
	evs_commit_release(NULL);
	evs_buf_release(&b);
}

static void test_first_and_empty(void)
{
	struct evs_commit c = { .seq = 1,
				.first_group = OFF,
				.since_index = 1,
				.time_min = EVS_TIME_NONE,
				.time_max = EVS_TIME_NONE };
	struct evs_commit got;
	struct evs_buf b = { 0 };
	const char *why = NULL;

	T_CHECK(evs_commit_write(&c, SALT, OFF, &b) == 0);
	t_eq_u64("smallest commit", b.len, 40 + 168 + 128);
	T_CHECK(evs_commit_decode(&got, b.p + 40, b.len - 168, OFF, &why) == 0);
	check_same(&c, &got);
	evs_commit_release(&got);
	evs_buf_release(&b);
}

/* BLAKE2b-256 as spec 7.4 words it. */
static void rehash(uint8_t *payload, size_t len)
{
	memset(payload + AT(hash), 0, 32);
	crypto_generichash(payload + AT(hash), 32, payload, len, NULL, 0);
}

static void check_bad(const char *rule, int want, const uint8_t *p, size_t n)
{
	struct evs_commit c;
	const char *why = "none";

	t_check(rule, evs_commit_decode(&c, p, n, OFF, &why) == want);
	t_check(why, !strncmp(why, rule, strlen(rule)));
	evs_commit_release(&c);
}

static const struct {
	const char *rule;
	size_t at;
	uint8_t val;
	int want;
} bad[] = {
	{ "7.1-2 ", AT(flags), 1, EVS_E_VERSION },
	{ "7.1-2 ", AT(flags) + 3, 0x80, EVS_E_VERSION },
	{ "7.1-3 ", AT(seq), 0, EVS_E_FORMAT },
	{ "7.1-3 ", AT(seq), 1, EVS_E_FORMAT },
	{ "7.1-4 ", AT(first_group), 4, EVS_E_FORMAT },
	{ "7.1-4 ", AT(first_group) + 3, 1, EVS_E_FORMAT },
	{ "7.1-5 ", AT(prev_off), 1, EVS_E_FORMAT },
	{ "7.1-5 ", AT(prev_off) + 7, 0xff, EVS_E_FORMAT },
	{ "7.1-5 ", AT(prev_len) + 1, 9, EVS_E_FORMAT },
	{ "7.1-5 ", AT(prev_len), 1, EVS_E_FORMAT },
	{ "7.1-6 ", AT(index_off) + 1, 0, EVS_E_FORMAT },
	{ "7.1-6 ", AT(index_len) + 1, 5, EVS_E_FORMAT },
	{ "7.1-7 ", AT(schema_off), 4, EVS_E_FORMAT },
	{ "7.1-7 ", AT(schema_off) + 1, 16, EVS_E_FORMAT },
	{ "7.1-8 ", AT(since_index), 0, EVS_E_FORMAT },
	{ "7.1-8 ", AT(since_index), 8, EVS_E_FORMAT },
	{ "7.1-9 ", AT(time_min), 21, EVS_E_FORMAT },
	{ "7.1-9 ", AT(time_max) + 7, 0x80, EVS_E_FORMAT },
	{ "7.1-10 ", AT(rows) + 2, 1, EVS_E_FORMAT },
	{ "7.2-2 ", GAT(0, off) + 1, 0x0f, EVS_E_FORMAT },
	{ "7.2-2 ", GAT(0, off), 8, EVS_E_FORMAT },
	{ "7.2-2 ", GAT(0, off) + 7, 0xff, EVS_E_FORMAT },
	{ "7.2-2 ", GAT(0, len), 1, EVS_E_FORMAT },
	{ "7.2-2 ", GAT(0, len) + 1, 0xff, EVS_E_FORMAT },
	{ "7.2-2 ", GAT(1, off), 0, EVS_E_FORMAT },
	{ "7.2-2 ", GAT(1, len) + 2, 1, EVS_E_FORMAT },
	{ "7.2-3 ", GAT(0, rows), 0, EVS_E_FORMAT },
	{ "7.2-3 ", GAT(0, rows) + 3, 1, EVS_E_FORMAT },
	{ "7.2-4 ", GAT(0, time_min), 21, EVS_E_FORMAT },
	{ "7.2-4 ", GAT(1, time_max) + 7, 0, EVS_E_FORMAT },
	{ "7.2-5 ", GAT(0, rows), 101, EVS_E_FORMAT },
	{ "7.2-5 ", AT(rows), 151, EVS_E_FORMAT },
};

static void test_fixed_rules(void)
{
	struct evs_commit c = sample();
	struct evs_buf b = { 0 };
	uint8_t *p;
	size_t n;

	T_CHECK(evs_commit_write(&c, SALT, OFF, &b) == 0);
	p = b.p + 40;
	n = b.len - 168;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t before = p[bad[i].at];

		p[bad[i].at] = bad[i].val;
		rehash(p, n);
		check_bad(bad[i].rule, bad[i].want, p, n);
		p[bad[i].at] = before;
	}
	rehash(p, n);
	T_CHECK(!memcmp(p + AT(hash), c.hash, 32));
	for (size_t i = 0; i < n; i++) {
		p[i] ^= 0x40;
		T_CHECK(evs_commit_decode(&c, p, n, OFF, &(const char *){ NULL }) < 0);
		evs_commit_release(&c);
		p[i] ^= 0x40;
	}
	p[AT(written)] ^= 1;
	check_bad("7.4-1 ", EVS_E_FORMAT, p, n);
	check_bad("7.1-1 ", EVS_E_FORMAT, p, sizeof(struct evs_commit_raw) - 1);
	evs_buf_release(&b);
}

/* The first commit has nothing before it; one without groups points at itself. */
static void test_lonely_rules(void)
{
	static const struct {
		const char *rule;
		size_t at;
		uint8_t val;
	} t[] = {
		{ "7.1-10 ", AT(rows_total), 1 },	 { "7.1-11 ", AT(prev_hash) + 31, 1 },
		{ "7.1-8 ", AT(since_index), 2 },	 { "7.1-3 ", AT(prev_off), 8 },
		{ "7.1-5 ", AT(prev_len), 8 },		 { "7.1-6 ", AT(index_len), 8 },
		{ "7.2-6 ", AT(first_group) + 1, 0xff },
	};
	struct evs_commit c = { .seq = 1, .first_group = OFF, .since_index = 1 };
	struct evs_buf b = { 0 };

	c.first_group = OFF;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		evs_buf_reset(&b);
		T_CHECK(evs_commit_write(&c, SALT, OFF, &b) == 0);
		b.p[40 + t[i].at] = t[i].val;
		if (t[i].at == AT(first_group) + 1)
			b.p[40 + AT(first_group) + 2] = 0;
		rehash(b.p + 40, b.len - 168);
		check_bad(t[i].rule, EVS_E_FORMAT, b.p + 40, b.len - 168);
	}
	evs_buf_release(&b);
}

/* A commit whose only section is `type` with `flags` and the given bytes. */
static void check_section(const char *rule, int want, uint16_t type, uint8_t flags,
			  const void *body, size_t n)
{
	struct evs_commit c = sample();
	struct evs_buf b = { 0 };

	c.nzones = c.nsources = c.nfilters = c.nrollups = 0;
	T_CHECK(evs_commit_write(&c, SALT, OFF, &b) == 0);
	b.len -= 128;
	evs_buf_put_u16(&b, type);
	evs_buf_put_u8(&b, flags);
	evs_buf_put_u8(&b, 0);
	evs_buf_put_u32(&b, (uint32_t)n);
	evs_buf_put(&b, body, n);
	evs_buf_put_zero(&b, (8 - n % 8) % 8);
	rehash(b.p + 40, b.len - 40);
	if (want < 0) {
		check_bad(rule, want, b.p + 40, b.len - 40);
	} else {
		const char *why = rule;

		t_check(rule, evs_commit_decode(&c, b.p + 40, b.len - 40, OFF, &why) == 0);
		T_CHECK(c.no_append == (flags == EVS_SECTION_F_NO_APPEND && type > 6));
		evs_commit_release(&c);
	}
	evs_buf_release(&b);
}

#define BODY(s) s, sizeof(s) - 1
#define ZEROS32 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static const struct {
	const char *rule;
	int want;
	uint16_t type;
	uint8_t flags;
	const char *body;
	size_t n;
} sections[] = {
	{ "7.7-2 ", EVS_E_FORMAT, 0, 0, BODY("") },
	{ "7.7-2 ", EVS_E_FORMAT, 1, 1, BODY("") },
	{ "7.7-3 ", EVS_E_VERSION, 2, 4, BODY("\0") },
	{ "7.7-5 ", EVS_E_VERSION, 9, 1, BODY("new") },
	{ "unknown, ignore", 0, 9, 0, BODY("new") },
	{ "unknown, no append", 0, 999, 2, BODY("new") },
	{ "kept for later: keys", 0, 3, 0, BODY("keys") },
	{ "no rollups", 0, 6, 0, BODY("") },

	{ "no zones", 0, 2, 0, BODY("\0") },
	{ "7.5-1 ", EVS_E_FORMAT, 2, 0, BODY("") },
	{ "7.5-1 ", EVS_E_FORMAT, 2, 0, BODY("\2\0\0\0\0") },
	{ "7.5-2 ", EVS_E_FORMAT, 2, 0, BODY("\1\2\0\0\0") },	    /* group 2 of 2 */
	{ "7.5-2 ", EVS_E_FORMAT, 2, 0, BODY("\1\0\x90\x4e\0\0") }, /* column 10000 */
	{ "7.5-3 ", EVS_E_FORMAT, 2, 0, BODY("\1\0\0\x20\0") },
	{ "7.5-3 ", EVS_E_FORMAT, 2, 0, BODY("\1\0\0\x04\0") },
	{ "7.5-3 ", EVS_E_FORMAT, 2, 0, BODY("\1\0\0\x09\0\0") },
	{ "7.5-3 ", EVS_E_FORMAT, 2, 0, BODY("\1\0\0\x11\0\0") },
	{ "7.5-3 ", EVS_E_FORMAT, 2, 0, BODY("\1\0\0\x17\0\0") },
	{ "7.5-4 ", EVS_E_FORMAT, 2, 0, BODY("\1\0\0\0\x65") }, /* 101 of 100 */
	{ "7.5-4 ", EVS_E_FORMAT, 2, 0, BODY("\1\0\0\0\x80") },
	{ "7.5-5 ", EVS_E_FORMAT, 2, 0, BODY("\1\0\0\1\0\1") },
	{ "7.5-5 ", EVS_E_FORMAT, 2, 0, BODY("\1\0\0\1\0\x21" ZEROS32 "\0") },
	{ "7.5-5 ", EVS_E_FORMAT, 2, 0, BODY("\1\0\0\2\0\x21" ZEROS32 "\0") },
	{ "7.5-6 ", EVS_E_FORMAT, 2, 0, BODY("\2\0\1\0\0\0\1\0\0") },
	{ "7.5-6 ", EVS_E_FORMAT, 2, 0, BODY("\2\1\1\0\0\0\2\0\0") },
	{ "7.5-7 ", EVS_E_FORMAT, 2, 0, BODY("\1\0\0\0\0\0") },
	{ "one zone", 0, 2, 0, BODY("\1\0\0\x13\0\1x") },

	{ "no sources", 0, 5, 2, BODY("\0") },
	{ "7.6-1 ", EVS_E_FORMAT, 5, 2, BODY("") },
	{ "7.6-1 ", EVS_E_FORMAT, 5, 2, BODY("\2\1a\0\0\0") },
	{ "7.6-2 ", EVS_E_FORMAT, 5, 2, BODY("\1\0\0\0") },
	{ "7.6-2 ", EVS_E_FORMAT, 5, 2, BODY("\1\3aa") },
	{ "7.6-2 ", EVS_E_FORMAT, 5, 2, BODY("\1\2aa") },
	{ "7.6-2 ", EVS_E_FORMAT, 5, 2, BODY("\1\x81\x08\0\0") },
	{ "7.6-3 ", EVS_E_FORMAT, 5, 2, BODY("\2\1a\0\1a\0") },
	{ "7.6-3 ", EVS_E_FORMAT, 5, 2, BODY("\2\2aa\0\1a\0") },
	{ "7.6-4 ", EVS_E_FORMAT, 5, 2, BODY("\1\1a\0\0") },
	{ "two sources", 0, 5, 2, BODY("\2\1a\5\2aa\6") },

	/* off (4096 is first_group), group, column, kind */
	{ "7.9-1 ", EVS_E_FORMAT, 7, 0, BODY(ZEROS32) },
	{ "7.9-1 ", EVS_E_FORMAT, 7, 0, BODY(ZEROS32 "\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\1") },
	{ "7.9-2 ", EVS_E_FORMAT, 7, 0, BODY(ZEROS32 "\0\x10\0\0\0\0\0\0\2\0\0\0\0\0\1\0") },
	{ "7.9-2 ", EVS_E_FORMAT, 7, 0, BODY(ZEROS32 "\0\x10\0\0\0\0\0\0\0\0\0\0\x10\x27\1\0") },
	{ "7.9-3 ", EVS_E_FORMAT, 7, 0,
	  BODY(ZEROS32 "\0\x10\0\0\0\0\0\0\0\0\0\0\1\0\1\0"
		       "\0\x10\0\0\0\0\0\0\0\0\0\0\1\0\1\0") },
	{ "7.9-4 ", EVS_E_FORMAT, 7, 0, BODY(ZEROS32 "\4\x10\0\0\0\0\0\0\0\0\0\0\0\0\1\0") },
	{ "7.9-4 ", EVS_E_FORMAT, 7, 0, BODY(ZEROS32 "\xf8\x0f\0\0\0\0\0\0\0\0\0\0\0\0\1\0") },
	{ "7.9-4 ", EVS_E_FORMAT, 7, 0, BODY(ZEROS32 "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\1\0") },
	/* view, off, groups, reserved */
	{ "7.10-1 ", EVS_E_FORMAT, 6, 0, BODY(ZEROS32) },
	{ "7.10-1 ", EVS_E_FORMAT, 6, 0,
	  BODY(ZEROS32 "sixteen bytes...\0\x10\0\0\0\0\0\0\1\0\0\0\0\0\0") },
	{ "7.10-2 ", EVS_E_FORMAT, 6, 0,
	  BODY(ZEROS32 "sixteen bytes...\0\x10\0\0\0\0\0\0\1\0\0\0\0\0\0\0"
		       "sixteen bytes...\0\x10\0\0\0\0\0\0\1\0\0\0\0\0\0\0") },
	{ "7.10-3 ", EVS_E_FORMAT, 6, 0,
	  BODY(ZEROS32 "sixteen bytes...\4\x10\0\0\0\0\0\0\1\0\0\0\0\0\0\0") },
	{ "7.10-3 ", EVS_E_FORMAT, 6, 0,
	  BODY(ZEROS32 "sixteen bytes...\xf8\x0f\0\0\0\0\0\0\1\0\0\0\0\0\0\0") },
	{ "7.10-3 ", EVS_E_FORMAT, 6, 0,
	  BODY(ZEROS32 "sixteen bytes...\0\0\0\0\0\0\0\1\1\0\0\0\0\0\0\0") },
	{ "7.10-4 ", EVS_E_FORMAT, 6, 0,
	  BODY(ZEROS32 "sixteen bytes...\0\x10\0\0\0\0\0\0\1\0\0\0\1\0\0\0") },
	{ "one rollup", 0, 6, 0,
	  BODY(ZEROS32 "sixteen bytes...\0\x10\0\0\0\0\0\0\1\0\0\0\0\0\0\0") },

	{ "7.11-1 ", EVS_E_FORMAT, 8, 0, BODY(ZEROS32 ZEROS32 ZEROS32 "\0") },
	{ "7.11-2 ", EVS_E_FORMAT, 8, 0, BODY(ZEROS32 ZEROS32 ZEROS32) },

	{ "two filters, one of a later kind", 0, 7, 0,
	  BODY(ZEROS32 "\0\x10\0\0\0\0\0\0\0\0\0\0\1\0\1\0"
		       "\0\x10\0\0\0\0\0\0\1\0\0\0\0\0\2\0") },
};

/* The first commit of a file that took another's place. */
static void test_folded(void)
{
	struct evs_commit c = sample(), d;
	struct evs_buf b = { 0 };
	const char *why = NULL;
	size_t n;

	c.seq = c.since_index = 1;
	c.rows_total = c.rows;
	c.prev_off = c.prev_len = c.index_off = c.index_len = 0;
	memset(c.prev_hash, 0, sizeof(c.prev_hash));
	c.folded = (struct evs_folded){ .lineage = "the first of all",
					.commits = 1000,
					.rows = 77,
					.hash = "of the one before, 32 bytes long",
					.made_for = "schema and views",
					.level = 12 };
	T_CHECK(evs_commit_write(&c, SALT, OFF, &b) == 0);
	n = b.len - 168;
	T_CHECK(evs_commit_decode(&d, b.p + 40, n, OFF, &why) == 0);
	T_CHECK(!memcmp(d.folded.lineage, c.folded.lineage, 16) && d.folded.commits == 1000 &&
		d.folded.rows == 77 && !memcmp(d.folded.hash, c.folded.hash, 32) &&
		!memcmp(d.folded.made_for, c.folded.made_for, 16) && d.folded.level == 12);
	evs_commit_release(&d);
	b.p[40 + n - 1] = 1;
	rehash(b.p + 40, n);
	check_bad("7.11-4 ", EVS_E_FORMAT, b.p + 40, n);
	b.p[40 + n - 1] = 0;
	memset(b.p + 40 + n - 80, 0, 8); /* commits */
	rehash(b.p + 40, n);
	check_bad("7.11-3 ", EVS_E_FORMAT, b.p + 40, n);
	evs_buf_release(&b);
}

static void test_section_rules(void)
{
	struct evs_commit c = sample();
	struct evs_buf b = { 0 };
	size_t n, sec = sizeof(struct evs_commit_raw);

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		check_section(sections[i].rule, sections[i].want, sections[i].type,
			      sections[i].flags, sections[i].body, sections[i].n);

	c.nfilters = c.nrollups = 0;
	T_CHECK(evs_commit_write(&c, SALT, OFF, &b) == 0);
	n = b.len - 168;
	b.p[40 + n - 1] = 1; /* padding: the sources take no multiple of 8 bytes */
	rehash(b.p + 40, n);
	check_bad("7.7-4 ", EVS_E_FORMAT, b.p + 40, n);
	b.p[40 + n - 1] = 0;
	b.p[40 + sec + 3] = 1;
	rehash(b.p + 40, n);
	check_bad("7.7-4 ", EVS_E_FORMAT, b.p + 40, n);
	b.p[40 + sec + 3] = 0;
	b.p[40 + sec + 4]--; /* length of GROUPS: the last byte of a hash is padding now */
	b.p[40 + sec + 8 + 175] = 1;
	rehash(b.p + 40, n);
	check_bad("7.7-4 ", EVS_E_FORMAT, b.p + 40, n);
	memset(b.p + 40 + sec + 8 + 88, 0, 88);
	rehash(b.p + 40, n);
	check_bad("7.2-1 ", EVS_E_FORMAT, b.p + 40, n);
	b.p[40 + sec + 4] = 0;
	rehash(b.p + 40, sec + 8);
	check_bad("7.2-1 ", EVS_E_FORMAT, b.p + 40, sec + 8); /* the section, but no group */
	b.p[40 + sec + 4] = 8;
	rehash(b.p + 40, sec + 8);
	check_bad("7.7-1 ", EVS_E_FORMAT, b.p + 40, sec + 8);
	rehash(b.p + 40, sec + 4);
	check_bad("7.7-1 ", EVS_E_FORMAT, b.p + 40, sec + 4);
	evs_buf_release(&b);
}

#define TAT(field) offsetof(struct evs_trailer_raw, field)

static const struct {
	const char *rule;
	size_t at;
	uint8_t val;
} bad_trailers[] = {
	{ "7.3-1 ", TAT(magic), 'X' },
	{ "7.3-3 ", TAT(copy), 2 },
	{ "7.3-3 ", TAT(copy) + 3, 1 },
	{ "7.3-4 ", TAT(copy), 1 },
	{ "7.3-4 ", TAT(commit_off), 4 },
	{ "7.3-4 ", TAT(commit_off) + 7, 1 },
	{ "7.3-4 ", TAT(commit_len) + 7, 1 },
	{ "7.3-4 ", TAT(commit_len), 0 },
	{ "7.3-5 ", TAT(seq), 0 },
	{ "7.3-5 ", TAT(groups_rows) + 7, 1 },
	{ "7.3-5 ", TAT(first_group), 1 },
	{ "7.3-5 ", TAT(first_group) + 3, 1 },
};

static void test_trailer_rules(void)
{
	struct evs_commit c = sample();
	struct evs_buf b = { 0 };
	struct evs_trailer t;
	uint8_t raw[EVS_TRAILER_SIZE];
	const char *why = NULL;
	uint64_t off;

	T_CHECK(evs_commit_write(&c, SALT, OFF, &b) == 0);
	off = OFF + b.len - 128;
	for (size_t i = 0; i < sizeof(bad_trailers) / sizeof(bad_trailers[0]); i++) {
		memcpy(raw, b.p + b.len - 128, sizeof(raw));
		raw[bad_trailers[i].at] = bad_trailers[i].val;
		evs_put64(raw + 56, XXH3_64bits_withSeed(raw, 56, SALT ^ off));
		why = "none";
		t_check(bad_trailers[i].rule,
			evs_trailer_decode(&t, raw, SALT, off, &why) == EVS_E_FORMAT);
		t_check(why, !strncmp(why, bad_trailers[i].rule, 6));
	}
	for (unsigned bit = 0; bit < 64 * 8; bit++) {
		memcpy(raw, b.p + b.len - 128, sizeof(raw));
		raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
		T_CHECK(evs_trailer_decode(&t, raw, SALT, off, &why) == EVS_E_FORMAT);
	}
	T_CHECK(!strncmp(why, "7.3-2 ", 6));
	evs_buf_release(&b);
}

static void test_limits(void)
{
	struct evs_commit c = sample();
	struct evs_source twice[2] = { { "a", 1, 1 }, { "a", 1, 2 } };
	struct evs_source none[1] = { { "", 0, 1 } };
	struct evs_buf b = { 0 };

	c.ngroups = EVS_MAX_GROUPS + 1;
	T_CHECK(evs_commit_write(&c, SALT, OFF, &b) == EVS_E_LIMIT && !b.len);
	c = sample();
	c.nsources = EVS_MAX_SOURCES + 1;
	T_CHECK(evs_commit_write(&c, SALT, OFF, &b) == EVS_E_LIMIT && !b.len);
	c.nsources = 2;
	c.sources = twice;
	T_CHECK(evs_commit_write(&c, SALT, OFF, &b) == EVS_E_LIMIT && !b.len);
	c.nsources = 1;
	c.sources = none;
	T_CHECK(evs_commit_write(&c, SALT, OFF, &b) == EVS_E_LIMIT && !b.len);
	c = sample();
	c.nzones = EVS_MAX_ZONES + 1;
	T_CHECK(evs_commit_write(&c, SALT, OFF, &b) == EVS_E_LIMIT && !b.len);
	evs_buf_release(&b);
}

int main(void)
{
	if (sodium_init() < 0)
		return 1;
	test_round_trip();
	test_first_and_empty();
	test_fixed_rules();
	test_lonely_rules();
	test_folded();
	test_section_rules();
	test_trailer_rules();
	test_limits();
	return t_done();
}
