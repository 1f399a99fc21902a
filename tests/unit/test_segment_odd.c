/*
 * Files that no writer makes: heads that differ in one field, frames of another kind where one is
 * named, trailers that are sound and stand in the wrong place.
 */
#define _XOPEN_SOURCE 700
#include "src/store/segment_write.h"
#include "tests/unit/fail.h"
#include "tests/unit/t.h"

#include <stdlib.h>
#include <unistd.h>

#define SALT 12345u

static char path[80];
static int fd;

/* The file is these bytes. */
static void put(const struct evs_buf *b)
{
	T_CHECK(evs_buf_ok(b) && ftruncate(fd, 0) == 0);
	T_CHECK(pwrite(fd, b->p, b->len, 0) == (ssize_t)b->len);
}

static struct evs_head head(void)
{
	return (struct evs_head){ .major = 1,
				  .unit = 1,
				  .salt = SALT,
				  .part_lo = 1704067200,
				  .part_hi = 1704672000,
				  .stream = "ev",
				  .stream_len = 2,
				  .tenant = "acme",
				  .tenant_len = 4,
				  .schema = "CREATE TABLE ev (ts DateTime NOT NULL);",
				  .schema_len = 39 };
}

/* ---- HEAD ------------------------------------------------------------------------------------ */

/* Two copies of equal length, each sound; the second is of `other`. */
static void put_heads(const struct evs_head *first, const struct evs_head *other)
{
	struct evs_buf a = { 0 }, b = { 0 };
	uint8_t *second;

	T_CHECK(evs_head_write(first, NULL, &a) == 0 && evs_head_write(other, NULL, &b) == 0);
	second = a.p + a.len / 2;
	if (a.len == b.len) {
		size_t plen = (size_t)evs_get64(b.p + 8);

		memcpy(second + EVS_FRAME_HEAD_SIZE, b.p + EVS_FRAME_HEAD_SIZE, plen);
		evs_frame_seal(second, EVS_FRAME_HEAD, 0, plen, second + EVS_FRAME_HEAD_SIZE,
			       (uint32_t)plen, 0, a.len / 2, 0);
	}
	put(&a);
	evs_buf_release(&a);
	evs_buf_release(&b);
}

/* The second copy is of another length, and sound. */
static void put_long_second(const struct evs_head *first, const struct evs_head *second)
{
	struct evs_buf a = { 0 }, b = { 0 };
	size_t half, plen;

	T_CHECK(evs_head_write(first, NULL, &a) == 0 && evs_head_write(second, NULL, &b) == 0);
	half = a.len / 2;
	plen = (size_t)evs_get64(b.p + 8);
	a.len = half;
	evs_buf_put(&a, b.p, b.len / 2);
	evs_frame_seal(a.p + half, EVS_FRAME_HEAD, 0, plen, a.p + half + EVS_FRAME_HEAD_SIZE,
		       (uint32_t)plen, 0, half, 0);
	put(&a);
	evs_buf_release(&a);
	evs_buf_release(&b);
}

static int read_heads(bool bad[2])
{
	struct evs_file f;
	struct evs_head h = { 0 };
	uint64_t start;
	off_t size = lseek(fd, 0, SEEK_END);
	int rc;

	evs_file_init(&f, fd, path);
	rc = evs_file_head(&f, (uint64_t)size, &h, &start, bad, NULL, NULL);
	evs_head_release(&h);
	evs_file_release(&f);
	return rc;
}

static void test_heads_differ(void)
{
	const struct evs_head first = head();
	struct evs_head h = first;
	bool bad[2];

	put_heads(&first, &first);
	T_CHECK(read_heads(bad) == 0 && !bad[0] && !bad[1]);
	h.stream = "evs"; /* the second copy is longer, and each is sound */
	h.stream_len = 3;
	h.schema_len -= 8;
	put_long_second(&first, &h);
	T_CHECK(read_heads(bad) == 0 && !bad[0] && bad[1]);
	for (unsigned less = 1; less < 9; less++) { /* by less than the padding takes, too */
		h = first;
		h.schema_len -= less;
		put_long_second(&first, &h);
		T_CHECK(read_heads(bad) == 0 && !bad[0] && bad[1]);
	}
	for (unsigned field = 0; field < 12; field++) {
		char name[32];

		h = first;
		h.segment_id[3] = field == 0;
		h.salt += field == 1;
		h.minor = (uint16_t)(h.minor + (field == 2));
		h.unit = (uint8_t)(h.unit + (field == 3));
		h.ignore_features += field == 4;
		h.created += field == 5;
		h.part_lo += field == 6;
		h.part_hi += field == 7;
		h.stream = field == 8 ? "xx" : h.stream;
		h.tenant = field == 9 ? "acne" : h.tenant;
		h.schema = field == 10 ? "CREATE TABLE ev (tt DateTime NOT NULL);" : h.schema;
		if (field == 11) { /* the same bytes in all, shared out otherwise */
			h.stream_len = 3;
			h.stream = "eva";
			h.tenant_len = 3;
			h.tenant = "cme";
		}
		put_heads(&first, &h);
		snprintf(name, sizeof(name), "heads differ in field %u", field);
		t_check(name, read_heads(bad) == 0 && !bad[0] && bad[1]);
	}
	/* The second is another, and its padding is damaged, too. */
	h = first;
	h.salt++;
	put_heads(&first, &h);
	T_CHECK(pwrite(fd, "\xff", 1, lseek(fd, 0, SEEK_END) - 1) == 1);
	T_CHECK(read_heads(bad) == 0 && !bad[0] && bad[1]);
}

/* Memory and the disk fail while the copies are read, sound or not. */
static void test_heads_fail(void)
{
	static char noise[300001];
	struct evs_head first = head();
	uint32_t z = 1;
	bool bad[2];

	for (size_t i = 0; i < sizeof(noise) - 1; i++)
		noise[i] = (char)((z = z * 1664525 + 1013904223) >> 24 | 1);
	for (unsigned i = 0; i < 9; i++) {
		unsigned damaged = i % 3;

		if (i >= 3) { /* a schema text that no window holds at first, or ever; with padding
				 behind it, at least once */
			first.schema = noise;
			first.schema_len = (i < 6 ? sizeof(noise) : 20000) - i;
		}
		put_heads(&first, &first);
		if (damaged)
			T_CHECK(pwrite(fd, "\xff", 1,
				       damaged == 1 ? 60 : lseek(fd, 0, SEEK_END) / 2 + 60) == 1);
		for (unsigned how = 0; how < 2; how++)
			for (long n = 1;; n++) {
				int rc;

				fail_begin(how ? "pread" : "memory", n, EIO);
				rc = read_heads(bad);
				if (!fail_end())
					break;
				T_CHECK(rc == (how ? EVS_E_SYS : EVS_E_NOMEM) || rc == 0);
			}
	}
}

/* A frame of another type at the start. */
static void test_no_head(void)
{
	struct evs_buf b = { 0 };
	bool bad[2];

	evs_buf_put_zero(&b, 48);
	evs_frame_seal(b.p, EVS_FRAME_SCHEMA, 0, 8, b.p + EVS_FRAME_HEAD_SIZE, 8, 0, 0, 0);
	put(&b);
	T_CHECK(read_heads(bad) == EVS_E_FORMAT);
	evs_buf_release(&b);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static void test_frames(void)
{
	struct evs_buf b = { 0 }, payload = { 0 };
	struct evs_commit c = { 0 };
	struct evs_index x = { 0 };
	const struct evs_ahead none = { 0 }, seventh = { .known = true, .append = 7 },
			       eighth = { .known = true, .append = 8 };
	const uint8_t *blocks;
	struct evs_file f;
	uint64_t off;
	size_t len;

	/* A FILTER of a length that is none, at 0; a whole SCHEMA frame at 72. */
	evs_buf_put_zero(&b, 72 + 48);
	evs_frame_seal(b.p, EVS_FRAME_FILTER, 0, 16, b.p + 40, 16, SALT, 0, 0);
	evs_frame_seal(b.p + 72, EVS_FRAME_SCHEMA, 0, 8, b.p + 112, 8, SALT, 72, 0);
	put(&b);
	evs_file_init(&f, fd, path);
	f.salt = SALT;
	T_CHECK(evs_file_filter(&f, 0, b.len, &none, &blocks, &len, NULL) == EVS_E_FORMAT);
	T_CHECK(evs_file_filter(&f, 72, b.len, &none, &blocks, &len, NULL) == EVS_E_FORMAT);
	T_CHECK(evs_file_filter(&f, 112, b.len, &none, &blocks, &len, NULL) == EVS_E_FORMAT);
	/* A sound filter, of another append than the commit that names it. */
	evs_frame_seal(b.p, EVS_FRAME_FILTER, 0, 32, b.p + 40, 32, SALT, 0, 7);
	put(&b);
	evs_file_forget(&f);
	T_CHECK(evs_file_filter(&f, 0, b.len, &seventh, &blocks, &len, NULL) == 0 && len == 32);
	T_CHECK(evs_file_filter(&f, 0, b.len, &eighth, &blocks, &len, NULL) == EVS_E_FORMAT);
	evs_frame_seal(b.p, EVS_FRAME_FILTER, 0, 16, b.p + 40, 16, SALT, 0, 0);
	put(&b);
	evs_file_forget(&f);
	T_CHECK(evs_file_commit(&f, 72, b.len, &c, &payload, NULL) == EVS_E_FORMAT);
	T_CHECK(evs_file_index(&f, 72, b.len, &x, &payload, NULL) == EVS_E_FORMAT);
	/* Looking for a frame: behind the end, one that runs past it, and that there is none. */
	T_CHECK(evs_file_resync(&f, b.len + 8, b.len, &off, NULL) == 0 && off == b.len);
	T_CHECK(evs_file_resync(&f, 8, b.len - 4, &off, NULL) == 0 && off == b.len - 4);
	T_CHECK(evs_file_resync(&f, 8, b.len, &off, NULL) == 0 && off == 72);
	evs_file_release(&f);
	evs_commit_release(&c);
	evs_index_release(&x);
	evs_buf_release(&payload);
	evs_buf_release(&b);
}

/* What stands in front of a COMMIT, in pieces of 64 bytes; the commit itself is none that can be
 * decoded, or absent. */
static void check_ahead(const char *name, const char *pieces, int64_t to, bool refused)
{
	struct evs_tail t = { 0 };
	struct evs_ahead a;
	struct evs_buf b = { 0 };
	struct evs_file f;

	for (const char *p = pieces; *p; p++) {
		const size_t fixed = sizeof(struct evs_commit_raw);
		bool commit = *p == 'c' || *p == 'C';
		size_t at = b.len, n = commit	   ? 40 + fixed + EVS_TRAILERS_SIZE
				       : *p == 'L' ? 300000
						   : 64;
		uint8_t flags = *p == 'n' ? 0x80 : 0; /* a flag of a newer format */

		evs_buf_put_zero(&b, n);
		if (commit)
			b.p[at + 40 + offsetof(struct evs_commit_raw, flags)] = *p == 'C';
		if (commit)
			evs_frame_seal(b.p + at, EVS_FRAME_COMMIT, 0, n - 40, b.p + at + 40,
				       (uint32_t)fixed, SALT, at, 0);
		else if (*p == 's' || *p == 'n')
			evs_frame_seal(b.p + at, EVS_FRAME_SCHEMA, flags, n - 40, b.p + at + 40, 24,
				       SALT, at, 0);
	}
	t.end = t.size = b.len;
	put(&b);
	for (long n = 0;; n++) {
		int rc;

		evs_file_init(&f, fd, path);
		f.salt = SALT;
		fail_begin("pread", n, EIO);
		rc = evs_file_ahead(&f, 0, &t, &a, NULL);
		evs_file_release(&f);
		if (fail_end()) {
			t_check(name, rc == EVS_E_SYS);
			continue;
		}
		t_check(name, rc == 0 && !a.known && a.refused == refused &&
				      a.to == (to < 0 ? b.len : (uint64_t)to));
		if (n)
			break;
	}
	evs_buf_release(&b);
}

static void test_ahead(void)
{
	check_ahead("a commit that is none", "ssc", 128, false);
	check_ahead("no commit", "ss", -1, false);
	check_ahead("damage", "s.sc", 192, false);
	check_ahead("much damage", "sLsc", 300128, false);
	check_ahead("damage to the end", "sL", -1, false);
	check_ahead("of a newer format", "snsc", 64, true);
	check_ahead("of a newer format, behind damage", "s.nsc", 256, false);
	check_ahead("of a newer format, after damage", "s.snsc", 320, false);
	check_ahead("the commit is of a newer format", "sC", 64, true);
	check_ahead("and behind damage, too", "s.sC", 192, false);
}

/* A GROUP verified block by block, damaged in each, and while the disk fails. */
static void test_group(void)
{
	const struct evs_encoder_opts opts = { .zstd_level = 1, .plain = true };
	struct evs_encoder *e = NULL;
	struct evs_array cols[2];
	struct evs_buf b = { 0 };
	struct evs_frame fr;
	struct evs_file f;
	uint32_t summed;
	size_t payload;

	for (unsigned i = 0; i < 2; i++) {
		evs_array_init(&cols[i], EVS_INT, 8, true);
		for (unsigned k = 0; k < 30000; k++)
			T_CHECK(evs_array_append_int(&cols[i], (uint64_t)k * k) == 0);
	}
	evs_buf_put_zero(&b, EVS_FRAME_HEAD_SIZE);
	T_CHECK(evs_encoder_new(&e, &opts) == 0 &&
		evs_group_encode(e, cols, 2, 0, 0, &b, &summed) == 0);
	payload = b.len - EVS_FRAME_HEAD_SIZE;
	evs_buf_put_zero(&b, (8 - b.len % 8) % 8);
	evs_frame_seal(b.p, EVS_FRAME_GROUP, 1, payload, b.p + EVS_FRAME_HEAD_SIZE, summed, SALT, 0,
		       0);
	put(&b);
	for (unsigned how = 0; how < 3; how++)
		for (long n = 1;; n++) {
			int rc;

			evs_file_init(&f, fd, path);
			f.salt = SALT;
			T_CHECK(evs_file_frame(&f, 0, b.len, &fr, NULL) == 0);
			evs_file_forget(&f);
			fail_begin(how == 1 ? "pread" : "memory", how == 2 ? 0 : n, EIO);
			if (how == 2)
				T_CHECK(pwrite(fd, "\xee", 1,
					       (off_t)b.len - 1 - (off_t)(n - 1) * 240000) == 1);
			rc = evs_file_verify_group(&f, 0, &fr, NULL);
			evs_file_release(&f);
			if (how == 2) {
				T_CHECK(rc == EVS_E_FORMAT);
				put(&b);
				if (n == 2)
					break;
			} else if (!fail_end()) {
				T_CHECK(rc == 0);
				break;
			} else {
				T_CHECK(rc == (how ? EVS_E_SYS : EVS_E_NOMEM));
			}
		}
	evs_encoder_free(e);
	for (unsigned i = 0; i < 2; i++)
		evs_array_release(&cols[i]);
	evs_buf_release(&b);
}

/* ---- trailers -------------------------------------------------------------------------------- */

/* What stands at the end of a file of zeros, and what the tail is taken for. */
static void check_trailer(const char *name, struct evs_trailer t, bool found)
{
	struct evs_buf b = { 0 };
	struct evs_tail tail = { .start = 512, .size = 4096 };
	struct evs_file f;

	evs_buf_put_zero(&b, 4096);
	evs_trailer_encode(b.p + 4096 - 64, &t, 1, SALT, 4096 - 64);
	put(&b);
	evs_file_init(&f, fd, path);
	f.salt = SALT;
	T_CHECK(evs_tail_find(&f, &tail, NULL) == 0);
	t_check(name, (tail.have_commit || tail.has_rows) == found && (found || tail.what));
	evs_file_release(&f);
	evs_buf_release(&b);
}

static void test_trailers(void)
{
	const struct evs_trailer good = { 2048, 2048, 2, 100, 1024, 50 };
	struct evs_trailer t = good;

	check_trailer("a trailer in its place", good, true);
	t.commit_off = 256;
	t.commit_len = 4096 - 256;
	t.first_group = 256;
	check_trailer("a commit inside HEAD", t, false);
	t = good;
	t.first_group = 256;
	check_trailer("a group inside HEAD", t, false);
}

int main(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(path, sizeof(path), "%s/evseg-odd-XXXXXX", base);
	fd = mkstemp(path);
	if (fd < 0)
		abort();
	test_heads_differ();
	test_heads_fail();
	test_no_head();
	test_frames();
	test_ahead();
	test_group();
	test_trailers();
	(void)close(fd);
	(void)unlink(path);
	return t_done();
}
