/*
 * Reading a segment that changes meanwhile, whose end is torn, cut or damaged in more than one
 * place, and while memory and the disk fail: the same rows and the same damage as else, or the
 * error.
 */
#define _XOPEN_SOURCE 700
#include "src/diag.h"
#include "src/store/segment_read.h"
#include "tests/unit/fail.h"
#include "tests/unit/segment_rows.h"

#include <fcntl.h>

struct told {
	unsigned times, torn;
	uint64_t rows;
	char what[256]; /* the last one */
};

static void on_told(void *arg, const struct evs_damage *d)
{
	struct told *t = arg;

	t->times++;
	t->torn += d->torn;
	t->rows += d->rows;
	snprintf(t->what, sizeof(t->what), "%s", d->what);
}

/* Beside the two of enum evs_walk: pruned, and nothing checked before it is needed. */
#define PUT_OFF 2u
#define WAYS	3u

/* Rows that come, or an error. Damaged columns are told, too. */
static int64_t read_all(unsigned how, struct told *told)
{
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	struct evs_array n, text;
	struct evs_diag d = { 0 };
	int64_t rows = 0;
	uint64_t off;
	int rc;

	*told = (struct told){ 0 };
	rc = how == PUT_OFF ? evs_segment_open_with(&s, NULL, true, path, on_told, told, NULL)
			    : evs_segment_open(&s, path, on_told, told, NULL);
	if (rc < 0)
		return rc;
	evs_segment_rewind(s, how ? EVS_WALK_PRUNED : EVS_WALK_ALL, INT64_MIN, INT64_MAX);
	evs_array_init(&n, EVS_INT, 8, true);
	evs_array_init(&text, EVS_BYTES, 0, false);
	while ((rc = evs_segment_next(s, &g, &off, &d)) == 1) {
		rc = evs_segment_column(s, 1, &n, &d);
		if (rc == 0)
			rc = evs_segment_column(s, 2, &text, &d);
		if (rc == EVS_E_FORMAT)
			evs_segment_lost(s, &d);
		else if (rc < 0)
			break;
		else
			rows += g->rows;
	}
	evs_array_release(&n);
	evs_array_release(&text);
	evs_segment_close(s);
	return rc < 0 ? rc : rows;
}

/* ---- the bytes ------------------------------------------------------------------------------- */

static uint8_t *bytes;
static size_t len;

static void load(void)
{
	FILE *f = fopen(path, "rb");

	len = size_of(path);
	free(bytes);
	bytes = malloc(len);
	if (!f || !bytes || fread(bytes, 1, len, f) != len || fclose(f) != 0)
		abort();
}

static void store(size_t n)
{
	FILE *f = fopen(path, "wb");

	if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static uint64_t salt_of(void)
{
	struct evs_segment *s = NULL;
	uint64_t salt;

	if (evs_segment_open(&s, path, NULL, NULL, NULL) < 0)
		abort();
	salt = evs_segment_head(s)->salt;
	evs_segment_close(s);
	return salt;
}

/* Offset of the nth frame of a type, from 0, in `bytes`. */
static size_t frame_at(enum evs_frame_type type, unsigned nth)
{
	uint64_t salt = salt_of();
	struct evs_frame fr;
	const char *why;

	for (size_t at = 0; at + EVS_FRAME_HEAD_SIZE <= len; at += 8)
		if (evs_frame_decode(&fr, bytes + at, salt, at, &why) == 0 && fr.type == type &&
		    !nth--)
			return at;
	abort();
}

/* Where the nth commit ends. */
static size_t end_of(unsigned nth)
{
	size_t at = frame_at(EVS_FRAME_COMMIT, nth);

	return at + (size_t)evs_frame_span(evs_get64(bytes + at + 8));
}

/* Commits of `rows` rows each, with long texts when there are few. */
static void commits(unsigned n, uint32_t rows, size_t text)
{
	away();
	for (unsigned i = 0; i < n; i++)
		T_CHECK(append(i * rows, rows, rows, text) == 0);
	load();
}

/* ---- it changes meanwhile -------------------------------------------------------------------- */

static unsigned changes;

static void it_grows(void)
{
	FILE *f = fopen(path, "ab");

	if (!f || fputs("eight by", f) < 0 || fclose(f) != 0)
		abort();
	changes++;
	fail_begin("fstat", 1, 0);
	fail.meanwhile = it_grows;
}

static void trailers_arrive(void)
{
	size_t end = end_of(1);
	int fd = open(path, O_RDWR);

	if (pwrite(fd, bytes + end - EVS_TRAILERS_SIZE, EVS_TRAILERS_SIZE,
		   (off_t)(end - EVS_TRAILERS_SIZE)) != EVS_TRAILERS_SIZE)
		abort();
	(void)close(fd);
}

static void test_growing(void)
{
	struct told told;
	int fd = -1;

	commits(1, 5, 0);
	it_grows();
	(void)fail_end();
	T_CHECK(read_all(EVS_WALK_ALL, &told) == 5 && told.times == 1);
	T_CHECK(evs_io_open_write(&fd, path, false, NULL) == 0 &&
		evs_io_lock(fd, NULL, path, NULL) == 0);
	T_CHECK(read_all(EVS_WALK_ALL, &told) == 5);
	t_check("a writer is at work, so nothing is told", told.times == 0);
	evs_io_close(fd);

	changes = 0;
	fail_begin("fstat", 2, 0);
	fail.meanwhile = it_grows;
	T_CHECK(read_all(EVS_WALK_ALL, &told) == 5);
	(void)fail_end();
	t_eq_u64("looked at again, but not for ever", changes, 2);
	t_check("and told", told.times == 1);

	/* Of equal length, but a commit has come to be. */
	commits(3, 5, 0);
	bytes[end_of(1) - EVS_TRAILERS_SIZE] ^= 1;
	bytes[end_of(1) - EVS_TRAILER_SIZE] ^= 1;
	bytes[len - EVS_TRAILERS_SIZE] ^= 1;
	bytes[len - EVS_TRAILER_SIZE] ^= 1;
	store(len);
	T_CHECK(read_all(EVS_WALK_ALL, &told) == 5 && told.times == 1);
	bytes[end_of(1) - EVS_TRAILERS_SIZE] ^= 1;
	bytes[end_of(1) - EVS_TRAILER_SIZE] ^= 1;
	fail_begin("fstat", 2, 0);
	fail.meanwhile = trailers_arrive;
	T_CHECK(read_all(EVS_WALK_ALL, &told) == 10);
	T_CHECK(fail_end() && told.times == 1);
}

/* Going on where another handle stood: in the same file, and no shorter. */
static void test_resume(void)
{
	struct evs_segment *s = NULL;
	struct evs_place place, other;
	const struct evs_group *g;
	struct evs_diag d = { 0 };
	uint64_t off;

	commits(3, 5, 0);
	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
	T_CHECK(evs_segment_next(s, &g, &off, NULL) == 1);
	evs_segment_place(s, &place);
	T_CHECK(evs_segment_resume(s, &place, &d) == 0);
	T_CHECK(evs_segment_next(s, &g, &off, NULL) == 1 && g->first_row == 5);
	other = place;
	other.ino++;
	T_CHECK(evs_segment_resume(s, &other, &d) == EVS_E_FORMAT &&
		strstr(d.what, "was replaced"));
	T_CHECK(evs_segment_next(s, &g, &off, NULL) == 0);
	other = place;
	other.off = len + 8;
	T_CHECK(evs_segment_resume(s, &other, &d) == EVS_E_FORMAT);
	T_CHECK(evs_segment_next(s, &g, &off, NULL) == 0);
	evs_segment_close(s);
}

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

/* ---- which schema ---------------------------------------------------------------------------- */

/* Offset of the schema in force; 1: no such segment. */
static uint64_t schema_off(void)
{
	struct evs_segment *s = NULL;
	uint64_t off = 1;

	if (evs_segment_open(&s, path, NULL, NULL, NULL) == 0)
		off = evs_segment_schema_off(s);
	evs_segment_close(s);
	return off;
}

/* The commit that names it is damaged: the last sound SCHEMA, else HEAD. Also while the disk and
 * memory fail. */
static void test_schema_search(void)
{
	const struct evs_seg_spec own = spec;
	uint64_t want;

	away();
	T_CHECK(append(0, 50, 50, 3000) == 0);
	spec.schema_len -= 1;
	T_CHECK(append(50, 50, 50, 3000) == 0);
	spec.schema_len -= 1;
	T_CHECK(append(100, 50, 50, 3000) == 0);
	load();
	want = frame_at(EVS_FRAME_SCHEMA, 1);
	T_CHECK(schema_off() == want);
	for (unsigned i = 0; i < 4; i++) {
		switch (i) {
		case 0: /* the newest COMMIT */
			bytes[frame_at(EVS_FRAME_COMMIT, 2) + 50] ^= 1;
			break;
		case 1: /* a group in front of it, which is stepped over */
			bytes[frame_at(EVS_FRAME_GROUP, 1) + 10] ^= 1;
			break;
		case 2: /* the SCHEMA that it names */
			bytes[frame_at(EVS_FRAME_SCHEMA, 1) + 45] ^= 1;
			want = frame_at(EVS_FRAME_SCHEMA, 0);
			break;
		default: /* and the one before */
			bytes[frame_at(EVS_FRAME_SCHEMA, 0) + 45] ^= 1;
			want = 0;
		}
		store(len);
		T_CHECK(schema_off() == want);
		for (unsigned how = 0; how < 2; how++)
			for (long n = 1;; n++) {
				uint64_t off;

				fail_begin(how ? "pread" : "memory", n, EIO);
				off = schema_off();
				if (!fail_end())
					break;
				T_CHECK(off == 1 || off == want);
			}
	}
	spec = own;
}

/* ---- ends and damage ------------------------------------------------------------------------- */

/* The tree does not look at what costs no row. */
static void check(const char *name, int64_t rows, unsigned times, uint64_t lost)
{
	struct told told;
	int64_t got;
	bool ok;

	for (unsigned how = 0; how < WAYS; how++) {
		got = read_all(how, &told);
		ok = got == rows && told.rows == lost &&
		     (how == PUT_OFF || (how ? told.times <= times : told.times == times));
		t_check(name, ok);
		if (!ok)
			printf("        %u: %lld rows, told %u times, %llu lost; last: %s\n", how,
			       (long long)got, told.times, (unsigned long long)told.rows,
			       told.what);
	}
}

/* The same, or the error, whenever the call fails. */
static void check_failing_call(const char *name, const char *call)
{
	int error = !strcmp(call, "memory") ? EVS_E_NOMEM : EVS_E_SYS;
	struct told want, told;
	int64_t rows, got;

	for (unsigned how = 0; how < WAYS; how++) {
		rows = read_all(how, &want);
		for (long n = 1;; n++) {
			fail_begin(call, n, EIO);
			got = read_all(how, &told);
			if (!fail_end())
				break;
			t_check(name,
				got == error || (got == rows && told.rows == want.rows &&
						 (told.times >= want.times || how == PUT_OFF)));
		}
	}
}

static void check_failing(const char *name)
{
	check_failing_call(name, "pread");
	check_failing_call(name, "memory");
	check_failing_call(name, "fstat");
	check_failing_call(name, "fcntl");
}

static void zero(size_t from, size_t to)
{
	memset(bytes + from, 0, to - from);
}

static void test_ends(void)
{
	size_t end, commit;
	uint64_t salt;

	commits(3, 40, 3000);
	check("three commits", 120, 0, 0);
	check_failing("three commits");

	/* Two appends of which only the COMMIT reached the disk. */
	end = end_of(1);
	commit = frame_at(EVS_FRAME_COMMIT, 2);
	zero(end_of(0), frame_at(EVS_FRAME_COMMIT, 1));
	zero(end, commit);
	store(len);
	check("two torn appends", 40, 1, 80);
	check_failing("two torn appends");

	/* The writer was killed behind its groups. */
	commits(3, 40, 3000);
	store(frame_at(EVS_FRAME_COMMIT, 2));
	check("no commit", 80, 1, 0);
	check_failing("no commit");

	/* Cut behind the first trailer; then the group before, or the COMMIT itself, is damaged
	 * besides. */
	commits(3, 40, 3000);
	store(len - 40);
	check("second trailer cut off", 120, 1, 0);
	check_failing("second trailer cut off");
	load();
	bytes[frame_at(EVS_FRAME_GROUP, 2) + 10] ^= 1;
	store(len);
	check("and the group damaged", 80, 2, 40);
	check_failing("and the group damaged");
	commits(3, 40, 3000);
	bytes[frame_at(EVS_FRAME_COMMIT, 2) + 60] ^= 1;
	store(len - 40);
	check("and the commit damaged", 80, 1,
	      40); /* the sector that is missing may have been zero */

	commits(1, 40, 3000); /* never torn: a segment comes with its first commit */
	bytes[frame_at(EVS_FRAME_COMMIT, 0) + 60] ^= 1;
	store(len - 40);
	check("and the first commit damaged", 40, 1, 0);

	/* Larger than what is held of a file at a time. */
	away();
	T_CHECK(append(0, 5, 5, 0) == 0 && append(5, 300, 100, 4000) == 0);
	check("a large append", 305, 0, 0);
	check_failing("a large append");
	load();
	commit = frame_at(EVS_FRAME_COMMIT, 1);
	bytes[commit - 5000] ^= 1;
	store(len);
	check("a block of it damaged", 205, 1, 100);
	check_failing("a block of it damaged");
	store(commit);
	check("a large append without its commit", 5, 1, 0);
	check_failing("a large append without its commit");

	/* A trailer of another version of the file, with fewer rows than there are now. */
	commits(2, 40, 3000);
	end = end_of(1);
	commit = frame_at(EVS_FRAME_COMMIT, 1);
	salt = salt_of();
	zero(end_of(0), end - EVS_TRAILERS_SIZE);
	for (unsigned copy = 0; copy < 2; copy++) {
		const struct evs_trailer t = { commit, end - commit, 2, 30, end_of(0), 20 };
		size_t at = end - (2 - copy) * EVS_TRAILER_SIZE;

		evs_trailer_encode(bytes + at, &t, copy, salt, at);
	}
	store(len);
	check("a torn append that counts fewer rows", 40, 1, 20);
}

/* Damage in the middle, small and large, with an INDEX and without. */
static void test_damage(void)
{
	commits(3, 40, 3000);
	bytes[frame_at(EVS_FRAME_GROUP, 1) + 10] ^= 1;
	store(len);
	check("head of a group", 80, 1, 40);
	check_failing("head of a group");
	commits(3, 40, 3000);
	bytes[frame_at(EVS_FRAME_GROUP, 1) + 60000] ^= 1;
	store(len);
	check("a block", 80, 1, 40);
	check_failing("a block");
	commits(3, 40, 3000);
	bytes[frame_at(EVS_FRAME_COMMIT, 1) + 60] ^= 1;
	store(len);
	check_failing("a commit");

	commits(2 * EVS_INDEX_EVERY + 2, 1, 0);
	check("by the tree", 2 * EVS_INDEX_EVERY + 2, 0, 0);
	check_failing("by the tree");

	/* One of those that the tree leads to: from there on frame by frame, and only its damage is
	 * told. */
	bytes[frame_at(EVS_FRAME_COMMIT, 40) + 60] ^= 1;
	store(len);
	for (unsigned how = 0; how < WAYS; how++) {
		struct told told;

		T_CHECK(read_all(how, &told) == 2 * EVS_INDEX_EVERY + 2);
		t_check("a commit in the tree", told.times == 1 && told.rows == 0);
	}
}

static enum evs_want not_by_zones(void *arg, const struct evs_commit *c, uint32_t group)
{
	(void)arg;
	(void)c;
	(void)group;
	return EVS_NOT_BY_ZONES;
}

/* Of three groups none is wanted, and nothing is checked before. */
static void none_wanted(const char *name, unsigned times)
{
	struct told told = { 0 };
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	uint64_t off;

	T_CHECK(evs_segment_open_with(&s, NULL, true, path, on_told, &told, NULL) == 0);
	evs_segment_want(s, not_by_zones, NULL);
	evs_segment_rewind(s, EVS_WALK_PRUNED, INT64_MIN, INT64_MAX);
	T_CHECK(evs_segment_next(s, &g, &off, NULL) == 0);
	t_check(name, told.times == times &&
			      evs_segment_counts(s)->groups_unwanted[EVS_NOT_BY_ZONES] == 3);
	evs_segment_close(s);
}

/* Another hash of the nth commit, whose sums match. */
static void forge_hash(unsigned nth)
{
	size_t at = frame_at(EVS_FRAME_COMMIT, nth);
	uint64_t salt = salt_of();
	uint8_t *payload = bytes + at + EVS_FRAME_HEAD_SIZE;
	struct evs_frame fr;
	const char *why;

	T_CHECK(evs_frame_decode(&fr, bytes + at, salt, at, &why) == 0);
	payload[offsetof(struct evs_commit_raw, hash)] ^= 1;
	evs_frame_seal(bytes + at, EVS_FRAME_COMMIT, fr.flags, fr.payload_len, payload,
		       fr.summed_len, salt, at, fr.append);
	store(len);
}

/* When a group is wanted all the same is told. */
static void same_told(const char *name)
{
	struct told at_once, put_off;

	t_check(name, read_all(EVS_WALK_PRUNED, &at_once) == read_all(PUT_OFF, &put_off) &&
			      at_once.times == put_off.times &&
			      !strcmp(at_once.what, put_off.what));
}

/* What is put off when a segment is opened is checked before a row comes, and not at all when none
 * is wanted (spec 9-5). */
static void test_put_off(void)
{
	size_t group;

	commits(3, 40, 3000);
	none_wanted("sound", 0);
	group = frame_at(EVS_FRAME_GROUP, 2);
	zero(group + 2048, group + 4096);
	store(len);
	check("a torn group", 80, 1, 40);
	same_told("a torn group");
	check_failing("a torn group");
	none_wanted("a torn group that is not wanted", 0);

	for (unsigned nth = 1; nth < 3; nth++) {
		commits(3, 40, 3000);
		forge_hash(nth);
		check("a forged hash", 120, 1, 0);
		same_told("a forged hash");
		/* The next commit tells of it by its prev_hash. */
		none_wanted("a forged hash over what is not wanted", nth == 1);
	}
}

/* The newest append is torn, or somebody is still writing it: then nothing is told. */
static void test_put_off_at_work(void)
{
	size_t group;

	commits(3, 40, 3000);
	group = frame_at(EVS_FRAME_GROUP, 2);
	zero(group + 2048, group + 4096);
	store(len);
	for (unsigned locked = 0; locked < 2; locked++) {
		struct evs_segment *s = NULL;
		struct told told = { 0 };
		int fd = -1;

		T_CHECK(evs_segment_open_with(&s, NULL, true, path, on_told, &told, NULL) == 0);
		T_CHECK(evs_segment_tail(s)->unproved && !told.times);
		T_CHECK(evs_io_open_write(&fd, path, false, NULL) == 0);
		T_CHECK(!locked || evs_io_lock(fd, NULL, path, NULL) == 0);
		T_CHECK(evs_segment_settle(s, NULL, NULL) == 0 && told.times == !locked);
		evs_io_close(fd);
		evs_segment_close(s);
	}
}

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

/* More groups in a commit than a walk has room for at first. */
static void test_many_groups(void)
{
	away();
	T_CHECK(append(0, 200, 1, 0) == 0);
	check("many groups", 200, 0, 0);
	check_failing("many groups");
	/* A COMMIT that is larger than what is held of a file. */
	T_CHECK(append(200, 3000, 1, 0) == 0);
	check("very many groups", 3200, 0, 0);
	check_failing_call("very many groups", "pread");
	load();
	store(len - 40);
	check("and no second trailer", 3200, 1, 0);
	check_failing_call("and no second trailer", "pread");
}

/* A SCHEMA frame with a flag of a newer format; it is not in force any more, so that the segment
 * can be read. */
static void test_newer_schema(void)
{
	struct evs_segment *s = NULL;
	struct evs_diag d = { 0 };
	struct evs_frame fr;
	const char *why;
	char *text = NULL;
	uint64_t salt;
	size_t at, n;

	away();
	T_CHECK(append(0, 1, 1, 0) == 0);
	spec.schema = "any text is a schema, too";
	T_CHECK(append(1, 1, 1, 0) == 0);
	spec.schema = "any text is a schema here";
	T_CHECK(append(2, 1, 1, 0) == 0);
	load();
	salt = salt_of();
	at = frame_at(EVS_FRAME_SCHEMA, 0);
	T_CHECK(evs_frame_decode(&fr, bytes + at, salt, at, &why) == 0);
	evs_frame_seal(bytes + at, EVS_FRAME_SCHEMA, 0x80, fr.payload_len,
		       bytes + at + EVS_FRAME_HEAD_SIZE, fr.summed_len, salt, at, fr.append);
	store(len);
	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
	T_CHECK(evs_segment_schema(s, at, &text, &n, &d) == EVS_E_VERSION && !text);
	T_CHECK(!strncmp(d.what, "5.1-9", 5) && d.off == at);
	/* Asked for again, as for each group of it, it is not read again. */
	evs_file_forget(&s->file);
	d = (struct evs_diag){ 0 };
	fail_begin("pread", 1, EIO);
	T_CHECK(evs_segment_schema(s, at, &text, &n, &d) == EVS_E_VERSION && !fail_end());
	T_CHECK(!strncmp(d.what, "5.1-9", 5) && d.off == at && d.err == EVS_E_VERSION);
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

/* Going on behind a commit that an INDEX follows, in front of a group: as if all had been walked.
 */
static void test_resume_behind(void)
{
	struct evs_segment *s = NULL;
	struct evs_buf payload = { 0 };
	struct evs_commit c = { 0 };
	const struct evs_group *g;
	struct evs_diag d = { 0 };
	struct evs_place place;
	struct evs_frame fr;
	struct told told;
	const char *why;
	size_t at, span, index, group;
	uint64_t off;

	commits(EVS_INDEX_EVERY + 3, 2, 10);
	index = frame_at(EVS_FRAME_INDEX, 0);
	group = frame_at(EVS_FRAME_GROUP, EVS_INDEX_EVERY);
	at = frame_at(EVS_FRAME_COMMIT, EVS_INDEX_EVERY - 1);
	span = end_of(EVS_INDEX_EVERY - 1) - at;
	for (unsigned i = 0; i < 6; i++) {
		bool hit = true;

		if (i == 2)
			flip(index + EVS_FRAME_HEAD_SIZE + 9);
		if (i == 4) { /* sound, with a flag of a newer format */
			T_CHECK(evs_frame_decode(&fr, bytes + index, salt_of(), index, &why) == 0);
			evs_frame_seal(bytes + index, EVS_FRAME_INDEX, 0x80, fr.payload_len,
				       bytes + index + EVS_FRAME_HEAD_SIZE, fr.summed_len,
				       salt_of(), index, fr.append);
			store(len);
		}
		for (long n = 1; hit; n++) {
			unsigned groups = 0;
			int rc;

			told = (struct told){ 0 };
			T_CHECK(evs_segment_open(&s, path, on_told, &told, NULL) == 0);
			evs_segment_place(s, &place);
			place.off = group;
			place.row = 2 * EVS_INDEX_EVERY;
			T_CHECK(evs_segment_commit_at(s, at, &c, &payload, &d) == 0);
			evs_file_forget(&s->file);
			fail_begin(i % 2 ? "pread" : "memory", n, EIO);
			rc = evs_segment_resume_behind(s, &place, at, span, &c, &d);
			hit = fail_end();
			while (rc == 0 && evs_segment_next(s, &g, &off, NULL) == 1)
				groups++;
			T_CHECK(rc == 0 ? groups == 3 && !told.times
					: hit && rc == (i % 2 ? EVS_E_SYS : EVS_E_NOMEM));
			place.off = len + 8;
			T_CHECK(evs_segment_resume_behind(s, &place, at, span, &c, &d) ==
				EVS_E_FORMAT);
			evs_commit_release(&c);
			evs_segment_close(s);
		}
	}
	evs_buf_release(&payload);
}

/* The commit behind which it goes on is known: the next one must continue it. */
static void test_resume_chain(void)
{
	struct evs_buf payload = { 0 };
	struct evs_segment *s = NULL;
	struct evs_commit c = { 0 };
	struct evs_place place;
	const struct evs_group *g;
	struct evs_diag d;
	struct told told;
	size_t at, span;
	uint64_t off;

	commits(3, 2, 10);
	at = frame_at(EVS_FRAME_COMMIT, 0);
	span = end_of(0) - at;
	for (unsigned wrong = 0; wrong < 2; wrong++) {
		told = (struct told){ 0 };
		T_CHECK(evs_segment_open(&s, path, on_told, &told, NULL) == 0);
		evs_segment_place(s, &place);
		place.off = at + span;
		place.row = 2;
		T_CHECK(evs_segment_commit_at(s, at, &c, &payload, &d) == 0);
		c.hash[0] ^= (uint8_t)wrong;
		T_CHECK(evs_segment_resume_behind(s, &place, at, span, &c, &d) == 0);
		while (evs_segment_next(s, &g, &off, NULL) == 1)
			;
		T_CHECK(wrong ? told.times > 0 : !told.times);
		evs_commit_release(&c);
		evs_segment_close(s);
	}
	evs_buf_release(&payload);
}

/* The newest COMMIT does not continue the one before, and its hash is wrong: whatever is looked at
 * first, it is told, and no row of it comes unnoticed. */
static void test_wrong_chain_and_hash(void)
{
	struct evs_commit_raw *raw;
	struct evs_frame fr;
	struct told told;
	const char *why;
	size_t at;

	commits(3, 2, 10);
	at = frame_at(EVS_FRAME_COMMIT, 2);
	T_CHECK(evs_frame_decode(&fr, bytes + at, salt_of(), at, &why) == 0);
	raw = (struct evs_commit_raw *)(bytes + at + EVS_FRAME_HEAD_SIZE);
	raw->prev_hash[0] ^= 1;
	evs_frame_seal(bytes + at, EVS_FRAME_COMMIT, 0, fr.payload_len,
		       bytes + at + EVS_FRAME_HEAD_SIZE, fr.summed_len, salt_of(), at, fr.append);
	store(len);
	for (unsigned how = 0; how < WAYS; how++) {
		T_CHECK(read_all(how, &told) == 6);
		T_CHECK(told.times > 0 && !strncmp(told.what, "7.4-1 ", 6));
	}
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
	test_growing();
	test_resume();
	test_not_a_segment();
	test_lost();
	test_filters();
	test_schema_search();
	test_ends();
	test_damage();
	test_put_off();
	test_many_groups();
	test_kept();
	test_sum();
	test_newer_schema();
	test_verify();
	test_watch();
	test_written_behind();
	test_resume_behind();
	test_resume_chain();
	test_wrong_chain_and_hash();
	test_put_off_at_work();
	test_large_commits();
	test_filters_of_groups();
	free(bytes);
	segment_end();
	return t_done();
}
