/*
 * Reading a segment that grows meanwhile, and going on where somebody else stood.
 */
#define _XOPEN_SOURCE 700
#include "src/diag.h"
#include "tests/unit/fail.h"
#include "tests/unit/segment_bytes.h"

#include <fcntl.h>

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

int main(void)
{
	segment_begin();
	test_growing();
	test_resume();
	test_resume_behind();
	test_resume_chain();
	free(bytes);
	segment_end();
	return t_done();
}
