/*
 * Reading a segment whose end is torn or cut, or that is damaged in more than one place, and while
 * memory and the disk fail: the same rows and the same damage as else, or the error.
 */
#define _XOPEN_SOURCE 700
#include "src/diag.h"
#include "tests/unit/fail.h"
#include "tests/unit/segment_bytes.h"

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

int main(void)
{
	segment_begin();
	test_ends();
	test_damage();
	test_put_off();
	test_put_off_at_work();
	test_many_groups();
	test_wrong_chain_and_hash();
	test_schema_search();
	test_newer_schema();
	free(bytes);
	segment_end();
	return t_done();
}
