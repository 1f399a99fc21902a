/*
 * INDEX frames: round trip, one row per rule of spec 8, and the tree over many thousand commits.
 */
#include "format/commit.h"
#include "format/frame.h"
#include "tests/unit/t.h"

#include <stddef.h>
#include <stdlib.h>

#define SALT	  77u
#define OFF	  65536u
#define AT(field) offsetof(struct evs_index_raw, field)
#define RAT(i, field)                                                                              \
	(sizeof(struct evs_index_raw) + (i) * sizeof(struct evs_index_ref_raw) +                   \
	 offsetof(struct evs_index_ref_raw, field))

static struct evs_index_ref refs[4] = {
	{ 1000, 400, 640, 5, 50, 1, 64 },
	{ 3000, 400, 650, EVS_TIME_NONE, EVS_TIME_NONE, 1, 64 },
	{ 9000, 504, 10, 70, 80, 0, 1 },
	{ 10000, 504, 11, 60, 60, 0, 1 },
};
static struct evs_source sources[1] = { { "src", 3, 12345 } };

static struct evs_index sample(void)
{
	return (struct evs_index){
		.seq = 130,
		.rows_total = 1311,
		.prev_off = 8000,
		.prev_len = 200,
		.last_commit_off = 10000,
		.last_commit_len = 504,
		.refs = refs,
		.nrefs = 4,
		.sources = sources,
		.nsources = 1,
	};
}

static void test_round_trip(void)
{
	struct evs_index x = sample(), got;
	struct evs_buf b = { 0 };
	struct evs_frame f;
	const char *why = NULL;

	T_CHECK(evs_index_write(&x, SALT, OFF, &b) == 0);
	T_CHECK(evs_frame_decode(&f, b.p, SALT, OFF, &why) == 0 && f.type == EVS_FRAME_INDEX);
	T_CHECK(evs_frame_span(f.payload_len) == b.len && f.summed_len == f.payload_len);
	T_CHECK(evs_frame_verify(&f, b.p + 40, SALT, OFF, &why) == 0);
	T_CHECK(evs_index_decode(&got, b.p + 40, b.len - 40, OFF, &why) == 0);
	T_CHECK(got.seq == 130 && got.rows_total == 1311 && got.prev_off == 8000);
	T_CHECK(got.prev_len == 200 && got.last_commit_off == 10000 && got.last_commit_len == 504);
	T_CHECK(got.nrefs == 4 && !memcmp(got.refs, refs, sizeof(refs)));
	T_CHECK(got.nsources == 1 && got.sources[0].off == 12345);
	T_CHECK(got.sources[0].id_len == 3 && !memcmp(got.sources[0].id, "src", 3));
	evs_index_release(&got);
	evs_index_release(NULL);
	evs_buf_release(&b);
}

static void check_bad(const char *rule, int want, const uint8_t *p, size_t n)
{
	struct evs_index x;
	const char *why = "none";

	t_check(rule, evs_index_decode(&x, p, n, OFF, &why) == want);
	t_check(why, !strncmp(why, rule, strlen(rule)));
	evs_index_release(&x);
}

static const struct {
	const char *rule;
	size_t at;
	uint8_t val;
	int want;
} bad[] = {
	{ "8.1-2 ", AT(flags), 1, EVS_E_VERSION },
	{ "8.1-3 ", AT(prev_off), 0x41, EVS_E_FORMAT },
	{ "8.1-3 ", AT(prev_len) + 7, 0xff, EVS_E_FORMAT },
	{ "8.1-4 ", AT(last_commit_off) + 3, 1, EVS_E_FORMAT },
	{ "8.1-4 ", AT(last_commit_off) + 1, 0x10, EVS_E_FORMAT },
	{ "8.1-4 ", AT(last_commit_len), 0xf9, EVS_E_FORMAT },
	{ "8.1-5 ", AT(nrefs), 0, EVS_E_FORMAT },
	{ "8.1-5 ", AT(nrefs), 5, EVS_E_FORMAT },
	{ "8.1-5 ", AT(nrefs) + 3, 0xff, EVS_E_FORMAT },
	{ "8.1-6 ", AT(seq), 131, EVS_E_FORMAT },
	{ "8.1-6 ", AT(rows_total), 0, EVS_E_FORMAT },
	{ "8.1-6 ", AT(rows_total) + 3, 1, EVS_E_FORMAT },
	{ "8.1-6 ", RAT(1, commits), 63, EVS_E_FORMAT },
	{ "8.1-6 ", RAT(1, rows) + 7, 0xff, EVS_E_FORMAT },
	{ "8.2-1 ", RAT(0, level), 8, EVS_E_FORMAT },
	{ "8.2-1 ", RAT(1, level), 2, EVS_E_FORMAT },
	{ "8.2-2 ", RAT(1, off) + 1, 0x2f, EVS_E_FORMAT },
	{ "8.2-2 ", RAT(2, off) + 1, 0x10, EVS_E_FORMAT },
	{ "8.2-2 ", RAT(3, len) + 4, 1, EVS_E_FORMAT },
	{ "8.2-3 ", RAT(1, off) + 1, 0x04, EVS_E_FORMAT },
	{ "8.2-4 ", RAT(2, commits), 2, EVS_E_FORMAT },
	{ "8.2-4 ", RAT(0, commits), 0, EVS_E_FORMAT },
	{ "8.2-5 ", RAT(0, time_min), 51, EVS_E_FORMAT },
	{ "8.2-5 ", RAT(1, time_max) + 7, 0, EVS_E_FORMAT },
};

static void test_rules(void)
{
	struct evs_index x = sample();
	struct evs_buf b = { 0 };
	uint8_t *p;

	T_CHECK(evs_index_write(&x, SALT, OFF, &b) == 0);
	p = b.p + 40;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t before = p[bad[i].at];

		p[bad[i].at] = bad[i].val;
		check_bad(bad[i].rule, bad[i].want, p, b.len - 40);
		p[bad[i].at] = before;
	}
	check_bad("8.1-1 ", EVS_E_FORMAT, p, sizeof(struct evs_index_raw) - 1);
	p[RAT(4, off)] = EVS_SECTION_ZONES; /* the section behind the last reference */
	check_bad("8.1-7 ", EVS_E_FORMAT, p, b.len - 40);
	p[RAT(4, off)] = 9;
	p[RAT(4, off) + 2] = 1;
	check_bad("7.7-5 ", EVS_E_VERSION, p, b.len - 40);
	x.nrefs = EVS_MAX_INDEX_REFS + 1;
	evs_buf_reset(&b);
	T_CHECK(evs_index_write(&x, SALT, OFF, &b) == EVS_E_LIMIT && !b.len);
	evs_buf_release(&b);
}

/* Every INDEX of a long history, kept as decoded, found again by its offset. */
struct history {
	struct evs_index x[4200];
	uint64_t off[4200];
	uint32_t n;
};

static const struct evs_index *find(const struct history *h, uint64_t off)
{
	for (uint32_t i = 0; i < h->n; i++) {
		if (h->off[i] == off)
			return &h->x[i];
	}
	return NULL;
}

/* Walk what a reference stands for; commits must come once each, in order of their offsets. */
static bool visit(const struct history *h, const struct evs_index_ref *f, uint64_t *last,
		  uint64_t *commits)
{
	const struct evs_index *x;

	if (!f->level) {
		if (f->off <= *last)
			return false;
		*last = f->off;
		++*commits;
		return true;
	}
	x = find(h, f->off);
	for (uint32_t i = 0; x && i < x->nrefs; i++) {
		if (x->refs[i].level == f->level - 1 && !visit(h, &x->refs[i], last, commits))
			return false;
	}
	return x != NULL;
}

/* 64 commits, an INDEX, 64 commits, ...: four levels deep. */
static void test_fold(void)
{
	struct history *h = calloc(1, sizeof(*h));
	struct evs_index_ref commits[EVS_INDEX_EVERY];
	uint64_t at = 1024, last = 0, count = 0;
	uint32_t most = 0, levels = 0;
	struct evs_buf b = { 0 };
	const char *why = NULL;

	while (h && h->n < 4200) {
		struct evs_index *x = &h->x[h->n], folded = { 0 };

		for (uint32_t i = 0; i < EVS_INDEX_EVERY; i++, at += 512)
			commits[i] =
				(struct evs_index_ref){ at, 512, i, (int64_t)at, (int64_t)at + 9,
							0,  1 };
		T_CHECK(evs_index_fold(&folded, h->n ? x - 1 : NULL, h->n ? h->off[h->n - 1] : 0,
				       h->n ? 4096 : 0, commits, EVS_INDEX_EVERY) == 0);
		evs_buf_reset(&b);
		T_CHECK(evs_index_write(&folded, SALT, at, &b) == 0);
		T_CHECK(evs_index_decode(x, b.p + 40, b.len - 40, at, &why) == 0);
		evs_index_release(&folded);
		most = x->nrefs > most ? x->nrefs : most;
		levels = x->refs[0].level > levels ? x->refs[0].level : levels;
		h->off[h->n++] = at;
		at += 4096;
	}
	if (h) {
		const struct evs_index *x = &h->x[h->n - 1];

		t_eq_u64("depth after 268,800 commits", levels, 3);
		T_CHECK(most <= 4 * EVS_INDEX_EVERY);
		for (uint32_t i = 0; i < x->nrefs; i++)
			T_CHECK(visit(h, &x->refs[i], &last, &count));
		t_eq_u64("each commit once", count, (uint64_t)4200 * EVS_INDEX_EVERY);
		t_eq_u64("seq", x->seq, count);
		t_eq_u64("last commit", x->last_commit_off, last);
		T_CHECK(x->refs[0].time_min == 1024 && x->refs[0].rows % 2016 == 0);
		for (uint32_t i = 0; i < h->n; i++)
			evs_index_release(&h->x[i]);
	}
	evs_buf_release(&b);
	free(h);
}

static void test_fold_limits(void)
{
	struct evs_index out = { 0 }, prev = sample();
	struct evs_index_ref big[2] = { { .rows = UINT64_MAX }, { .rows = 1 } };

	T_CHECK(evs_index_fold(&out, NULL, 0, 0, refs, 0) == EVS_E_LIMIT);
	T_CHECK(evs_index_fold(&out, NULL, 0, 0, refs, EVS_MAX_INDEX_REFS + 1) == EVS_E_LIMIT);
	T_CHECK(evs_index_fold(&out, NULL, 0, 0, big, 2) == EVS_E_LIMIT);
	evs_index_release(&out);

	/* No time at all, and some time: the bounds of what has one. */
	T_CHECK(evs_index_fold(&out, &prev, OFF, 800, refs + 2, 1) == 0);
	T_CHECK(out.nrefs == 4 && out.refs[2].level == 1 && out.refs[2].off == OFF);
	T_CHECK(out.refs[2].rows == 21 && out.refs[2].commits == 2);
	T_CHECK(out.refs[2].time_min == 60 && out.refs[2].time_max == 80);
	T_CHECK(out.refs[3].level == 0 && out.seq == 131 && out.rows_total == 1321);
	T_CHECK(out.prev_off == OFF && out.prev_len == 800 && out.last_commit_off == 9000);
	evs_index_release(&out);
}

int main(void)
{
	test_round_trip();
	test_rules();
	test_fold();
	test_fold_limits();
	return t_done();
}
