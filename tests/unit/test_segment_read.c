/*
 * Reading a sound segment, while memory and the disk fail, too: filters, sums, what is kept and
 * what is read again.
 */
#define _XOPEN_SOURCE 700
#include "src/diag.h"
#include "tests/unit/fail.h"
#include "tests/unit/segment_bytes.h"

static void test_not_a_segment(void)
{
	struct evs_segment *s = NULL;
	struct evs_diag d = { 0 };
	char *text;
	size_t n;

	T_CHECK(evs_segment_open(&s, dir, NULL, NULL, &d) == EVS_E_FORMAT && !s);
	T_CHECK(strstr(d.what, "not a file") != NULL);
	commits(1, 5, 0);
	T_CHECK(evs_segment_open(&s, path, NULL, NULL, &d) == 0);
	T_CHECK(evs_segment_schema(s, frame_at(EVS_FRAME_GROUP, 0), &text, &n, &d) == EVS_E_FORMAT);
	T_CHECK(strstr(d.what, "no sound SCHEMA frame") != NULL);
	evs_segment_close(s);
}

/* Without a place of its own an error is told of the group. */
static void test_lost(void)
{
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	struct evs_diag d = { .what = "of no place" };
	struct told told = { 0 };
	uint64_t off;

	commits(1, 5, 0);
	T_CHECK(evs_segment_open(&s, path, on_told, &told, NULL) == 0);
	T_CHECK(evs_segment_next(s, &g, &off, NULL) == 1);
	evs_segment_lost(s, &d);
	T_CHECK(told.times == 1 && told.rows == 5 && !strcmp(told.what, "of no place"));
	evs_segment_close(s);
}

/* ---- filters --------------------------------------------------------------------------------- */

struct question {
	struct evs_segment *s;
	struct evs_array value;
	const char *fail;
	unsigned asked, may;
};

static enum evs_want ask(void *arg, const struct evs_commit *c, uint32_t group)
{
	struct question *q = arg;

	for (unsigned i = 0; i < 2; i++) {
		q->asked++;
		evs_file_forget(&q->s->file);
		fail_begin(q->fail ? q->fail : "", 1, EIO);
		q->may += evs_segment_may_hold(q->s, c, group, 1, &q->value, 0);
		(void)fail_end();
	}
	return EVS_NOT_BY_FILTERS;
}

/* Asks twice for a number that is not there: how often may it be? */
static unsigned ask_filter(bool floats, const char *call, struct told *told, uint64_t *read)
{
	struct question q = { .fail = call };
	const struct evs_group *g;
	uint64_t off;

	*told = (struct told){ 0 };
	evs_array_init(&q.value, floats ? EVS_FLOAT : EVS_INT, 8, true);
	if ((floats ? evs_array_append_float(&q.value, 1e9)
		    : evs_array_append_int(&q.value, 123456789)) < 0)
		abort();
	T_CHECK(evs_segment_open(&q.s, path, on_told, told, NULL) == 0);
	evs_segment_want(q.s, ask, &q);
	evs_segment_rewind(q.s, EVS_WALK_PRUNED, INT64_MIN, INT64_MAX);
	T_CHECK(evs_segment_next(q.s, &g, &off, NULL) == 0 && q.asked == 2);
	*read = evs_segment_counts(q.s)->filters_read;
	evs_segment_close(q.s);
	evs_array_release(&q.value);
	return q.may;
}

static void test_filters(void)
{
	struct told told;
	uint64_t read;
	uint32_t summed;
	uint8_t flags;
	size_t at;

	away();
	T_CHECK(append(0, 6000, 6000, 40) == 0);
	load();
	T_CHECK(ask_filter(false, NULL, &told, &read) == 0 && !told.times && read == 1);
	t_check("no filter knows such a value", ask_filter(true, NULL, &told, &read) == 2);
	T_CHECK(!told.times && read == 0);
	t_check("a filter that cannot be read", ask_filter(false, "pread", &told, &read) == 2);
	T_CHECK(!told.times && read == 0);
	at = frame_at(EVS_FRAME_FILTER, 0);
	flags = bytes[at + 5];
	summed = evs_get32(bytes + at + 16);
	for (unsigned newer = 0; newer < 2; newer++) { /* there and back */
		evs_frame_seal(bytes + at, EVS_FRAME_FILTER, newer ? flags : 0x80, summed,
			       bytes + at + EVS_FRAME_HEAD_SIZE, summed, salt_of(), at,
			       evs_get32(bytes + at + 20));
		store(len);
		T_CHECK(ask_filter(false, NULL, &told, &read) == (newer ? 0 : 2));
		t_check("one of a newer format",
			told.times == !newer && !told.rows && read == newer);
	}
	bytes[at + 60] ^= 1;
	store(len);
	t_check("a damaged one", ask_filter(false, NULL, &told, &read) == 2);
	t_check("is told once, and costs no row", told.times == 1 && !told.rows && read == 0);
}

struct holding {
	struct evs_segment *s;
	struct evs_array values;
	unsigned may, must;
};

static enum evs_want ask_all(void *arg, const struct evs_commit *c, uint32_t group)
{
	struct holding *h = arg;

	for (uint32_t i = 0; i < h->values.rows; i++)
		if (evs_segment_may_hold(h->s, c, group, 1, &h->values, i)) {
			h->may++;
			h->must += evs_array_int(&h->values, i) / 600 == group;
		}
	return EVS_WANTED;
}

/* Filters of several groups in a commit: each is the group's own. */
static void test_filters_of_groups(void)
{
	struct holding h = { .s = NULL };
	const struct evs_group *g;
	uint64_t off;

	away();
	T_CHECK(append(0, 5 * 600, 600, 20) == 0);
	evs_array_init(&h.values, EVS_INT, 8, true);
	for (unsigned i = 0; i < 5; i++)
		T_CHECK(evs_array_append_int(&h.values, i * 600 + 3) == 0);
	T_CHECK(evs_segment_open(&h.s, path, NULL, NULL, NULL) == 0);
	evs_segment_rewind(h.s, EVS_WALK_PRUNED, INT64_MIN, INT64_MAX);
	evs_segment_want(h.s, ask_all, &h);
	while (evs_segment_next(h.s, &g, &off, NULL) == 1)
		;
	T_CHECK(h.must == 5 && h.may < 10);
	evs_array_release(&h.values);
	evs_segment_close(h.s);
}

/* ---- what else is read ----------------------------------------------------------------------- */

/* So many groups that the commits behind the INDEX are not all kept from the way back to the way
 * forward. */
static void test_large_commits(void)
{
	struct told told;

	away();
	for (unsigned c = 0; c < 14; c++)
		T_CHECK(append(c * 300, 300, 1, 0) == 0);
	for (unsigned way = 0; way < WAYS; way++)
		T_CHECK(read_all(way, &told) == 4200 && !told.times);
}

/* A commit that was read once is not read again, unless it is asked for with another end. */
static void test_kept(void)
{
	struct evs_segment *s = NULL;
	struct evs_commit c = { 0 };
	struct evs_buf payload = { 0 };
	size_t first, end;

	commits(2, 5, 0);
	first = frame_at(EVS_FRAME_COMMIT, 0);
	end = end_of(0);
	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
	for (unsigned shorter = 0; shorter < 2; shorter++) {
		T_CHECK(evs_file_commit(&s->file, first, len, &c, &payload, NULL) == 0 &&
			c.seq == 1);
		evs_file_forget(&s->file);
		evs_file_keep(&s->file, first, len, &c, &payload);
		T_CHECK(!c.groups);
		fail_begin("pread", 1, EIO);
		T_CHECK(evs_file_commit(&s->file, first, shorter ? end : len, &c, &payload, NULL) ==
			(shorter ? EVS_E_SYS : 0));
		T_CHECK(fail_end() == (shorter == 1) &&
			(shorter || (c.seq == 1 && c.ngroups == 1)));
		evs_commit_release(&c);
	}
	evs_buf_release(&payload);
	evs_segment_close(s);
}

/* What a segment says of itself, with an INDEX and without, in whatever order times come. */
static void test_sum(void)
{
	static const int64_t seconds[] = { 30, 10, 20, -1 };
	const int64_t own = row_time;
	struct evs_segment_sum sum;
	struct evs_segment *s = NULL;
	struct evs_diag d = { 0 };

	away();
	for (unsigned i = 0; i < EVS_INDEX_EVERY + 4; i++) {
		int64_t sec = seconds[i % 4];

		row_time = sec < 0 ? EVS_TIME_NONE : (LO + sec) * 1000000000;
		T_CHECK(append(4 * i, 4, 2, 0) == 0);
		if (i != 3 && i != EVS_INDEX_EVERY + 3)
			continue;
		for (unsigned how = 0; how < 3; how++)
			for (long n = 1;; n++) {
				int rc;

				T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
				evs_file_forget(&s->file);
				fail_begin(how == 1 ? "pread" : "memory", how ? n : 0, EIO);
				rc = evs_segment_sum(s, &sum, &d);
				evs_segment_close(s);
				if (fail_end()) {
					T_CHECK(rc == (how == 1 ? EVS_E_SYS : EVS_E_NOMEM));
					continue;
				}
				T_CHECK(rc == 0 && sum.rows == 4 * i + 4 && sum.commits == i + 1);
				T_CHECK(sum.oldest == (LO + 10) * 1000000000 &&
					sum.newest == (LO + 30) * 1000000000);
				T_CHECK(sum.seen_rows == 16 && sum.seen_commits == 4 &&
					sum.seen_runs == 4);
				T_CHECK(sum.has_hash && sum.written == 1 &&
					sum.bytes == size_of(path));
				break;
			}
	}
	row_time = own;
	load();
	store(frame_at(EVS_FRAME_GROUP, 0));
	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
	T_CHECK(evs_segment_sum(s, &sum, &d) == EVS_E_FORMAT && strstr(d.what, "every commit"));
	T_CHECK(sum.rows == 0 && sum.commits == 0);
	evs_segment_close(s);
}

/* The frame of a group is read again to be verified. */
static void test_verify(void)
{
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	struct evs_diag d = { 0 };
	uint64_t off;

	commits(1, 60, 4000);
	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0 &&
		evs_segment_next(s, &g, &off, NULL) == 1);
	T_CHECK(evs_segment_verify(s, &d) == 0);
	for (long n = 1; n < 3; n++) {
		evs_file_forget(&s->file);
		fail_begin("pread", n, EIO);
		T_CHECK(evs_segment_verify(s, &d) == EVS_E_SYS && fail_end() && d.sys == EIO);
	}
	flip(off + 60000);
	evs_file_forget(&s->file);
	T_CHECK(evs_segment_verify(s, &d) == EVS_E_FORMAT);
	evs_segment_close(s);
}

/* When was the commit behind the first one written? Also while the disk fails, and where there is
 * no commit. */
static void test_written_behind(void)
{
	struct evs_segment *s = NULL;
	struct evs_diag d = { 0 };
	int64_t written = 0;
	bool hit = true;
	size_t end;

	commits(2, 40, 4000);
	end = end_of(0);
	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
	for (long n = 1; hit; n++) {
		int rc;

		evs_file_forget(&s->file);
		fail_begin("pread", n, EIO);
		rc = evs_segment_written_behind(s, end, &written, &d);
		hit = fail_end();
		T_CHECK(hit ? rc == EVS_E_SYS : rc == 0 && written == 1);
	}
	T_CHECK(evs_segment_written_behind(s, len, &written, &d) == EVS_E_FORMAT);
	evs_segment_close(s);
}

static long watches;

static int watch(void *arg, const struct evs_walked *w, struct evs_diag *diag)
{
	(void)arg;
	(void)w;
	return --watches == 0 ? evs_fail_nomem(diag) : 0;
}

/* Who watches the walk ends it, at any frame and at damage. */
static void test_watch(void)
{
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	struct evs_diag d;
	unsigned ended = 0;
	uint64_t off;
	int rc = -1;

	commits(EVS_INDEX_EVERY + 2, 2, 10);
	flip(frame_at(EVS_FRAME_GROUP, 1) + 8);
	for (long n = 1; rc != 0; n++) {
		d = (struct evs_diag){ 0 };
		watches = n;
		T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
		evs_segment_watch(s, watch, NULL);
		while ((rc = evs_segment_next(s, &g, &off, &d)) == 1)
			;
		evs_segment_close(s);
		T_CHECK(rc == 0 || (rc == EVS_E_NOMEM && d.what[0]));
		ended += rc < 0;
	}
	t_eq_u64("each frame and the damage were watched", ended, 2 * (EVS_INDEX_EVERY + 2) + 1);
}

int main(void)
{
	segment_begin();
	test_not_a_segment();
	test_lost();
	test_filters();
	test_filters_of_groups();
	test_large_commits();
	test_kept();
	test_sum();
	test_verify();
	test_written_behind();
	test_watch();
	free(bytes);
	segment_end();
	return t_done();
}
