/*
 * An error of the system is called that, and never damage: each call in turn fails while a segment
 * is opened, appended to, read and followed, and what comes back is EVS_E_SYS with its errno, or
 * the call was one that may fail.
 */
#include "src/diag.h"
#include "src/store/io.h"
#include "src/store/segment_write.h"
#include "src/store/store.h"
#include "tests/unit/fail.h"
#include "tests/unit/t.h"

#include <stdlib.h>
#include <unistd.h>

#define LO     1704067200 /* Monday 2024-01-01 */
#define SECOND ((int64_t)1000000000)

static char dir[200], path[256];
static const char schema[] = "CREATE TABLE ev (ts DateTime NOT NULL, n Int64)"
			     " ORDER BY ts PARTITION BY toMonday(ts);\n";

static struct evs_seg_spec spec = {
	.dir = dir,
	.name = "2024-01-01.evs",
	.stream = "ev",
	.tenant = "",
	.lo = LO,
	.hi = LO + 7 * 86400,
	.unit = EVS_UNIT_WEEK,
	.schema = schema,
	.schema_len = sizeof(schema) - 1,
	.source = "s",
};

static int append(struct evs_encoder *enc, uint64_t number, struct evs_diag *diag)
{
	struct evs_seg_writer w = { .fd = -1 };
	struct evs_array cols[2];
	struct evs_seg_rows r = { .cols = cols,
				  .ncols = 2,
				  .time_min = (LO + (int64_t)number) * SECOND,
				  .time_max = (LO + (int64_t)number) * SECOND };
	int rc = 0;

	evs_array_init(&cols[0], EVS_INT, 4, false);
	evs_array_init(&cols[1], EVS_INT, 8, true);
	if (evs_array_append_int(&cols[0], LO + number) < 0 ||
	    evs_array_append_int(&cols[1], number) < 0)
		rc = evs_fail_nomem(diag);
	if (rc == 0)
		rc = evs_segw_open(&w, &spec, diag);
	if (rc == 0)
		rc = evs_segw_group(&w, enc, &r, diag);
	if (rc == 0)
		rc = evs_segw_commit(&w, "s", number, 1, diag);
	evs_segw_close(&w);
	evs_array_release(&cols[0]);
	evs_array_release(&cols[1]);
	return rc;
}

static void on_damage(void *arg, const struct evs_damage *d)
{
	(void)d;
	++*(unsigned *)arg;
}

static int read_all(enum evs_walk how, unsigned *damages, struct evs_diag *diag)
{
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	struct evs_array n;
	uint64_t off;
	int rc;

	*damages = 0;
	evs_array_init(&n, EVS_INT, 8, true);
	rc = evs_segment_open(&s, path, on_damage, damages, diag);
	if (rc == 0) {
		evs_segment_rewind(s, how, (LO + 20) * SECOND, INT64_MAX);
		while ((rc = evs_segment_next(s, &g, &off, diag)) == 1)
			if ((rc = evs_segment_column(s, 1, &n, diag)) < 0)
				break;
	}
	evs_segment_close(s);
	evs_array_release(&n);
	return rc;
}

static const struct {
	const char *call;
	int error;
} calls[] = {
	{ "fstat", EIO },     { "stat", EACCES },      { "open", EMFILE },   { "open", EACCES },
	{ "pread", EIO },     { "fcntl", ENOLCK },     { "ftruncate", EIO }, { "pwrite", ENOSPC },
	{ "fdatasync", EIO }, { "fdatasync", EDQUOT }, { "rename", EIO },    { "memory", 0 },
};

static bool is_systems(int rc, const struct evs_diag *d, int error)
{
	if (rc == 0 || (rc == EVS_E_SYS && d->err == EVS_E_SYS && d->sys == error))
		return true;
	if (!error && rc == EVS_E_NOMEM && d->err == rc && !strcmp(d->what, "out of memory"))
		return true;
	printf("        %d, %s\n", rc, d->what);
	return false;
}

/* 0 when there is none. */
static uint64_t size_of(const char *file)
{
	struct evs_io_stat st = { 0 };

	return evs_io_stat(file, &st, NULL) == 0 ? st.size : 0;
}

static void test_appending(struct evs_encoder *enc)
{
	struct evs_diag d = { 0 };
	uint64_t number = 100;
	bool more = true;

	for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++, more = true)
		for (long at = 1; more; at++) {
			int rc;

			uint64_t before = size_of(path);

			fail_begin(calls[c].call, at, calls[c].error);
			d = (struct evs_diag){ 0 };
			rc = append(enc, ++number, &d);
			more = fail_end();
			t_check(calls[c].call, is_systems(rc, &d, calls[c].error));
			if (rc < 0)
				t_eq_u64("cut back to where it ended", size_of(path), before);
		}
}

static void test_reading(enum evs_walk how)
{
	struct evs_diag d = { 0 };
	unsigned damages;
	bool more = true;

	for (size_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++, more = true)
		for (long at = 1; more; at++) {
			int rc;

			fail_begin(calls[c].call, at, calls[c].error);
			d = (struct evs_diag){ 0 };
			rc = read_all(how, &damages, &d);
			more = fail_end();
			t_check(calls[c].call, is_systems(rc, &d, calls[c].error));
			t_check("no damage is made up", damages == 0);
		}
}

/* Somebody makes the segment between a look at its name and the lock on the new one: it is appended
 * to. */
static void test_made_meanwhile(struct evs_encoder *enc)
{
	struct evs_diag d = { 0 };
	struct evs_segment *s = NULL;
	uint64_t before;

	if (evs_segment_open(&s, path, NULL, NULL, &d) < 0)
		abort();
	before = evs_segment_tail(s)->trailer.seq;
	evs_segment_close(s);
	fail_begin("stat", 1, ENOENT);
	T_CHECK(append(enc, 1000000, &d) == 0);
	T_CHECK(fail_end());
	T_CHECK(evs_segment_open(&s, path, NULL, NULL, &d) == 0);
	T_CHECK(evs_segment_tail(s)->trailer.seq == before + 1);
	evs_segment_close(s);
}

int main(void)
{
	const struct evs_encoder_opts opts = { .zstd_level = 1, .packed_below = 4096 };
	struct evs_encoder *enc = NULL;
	const char *tmp = getenv("TMPDIR");
	struct evs_diag d;

	(void)snprintf(dir, sizeof(dir), "%.160s/evseg-status-XXXXXX", tmp ? tmp : "/tmp");
	if (evs_encoder_new(&enc, &opts) < 0 || !mkdtemp(dir))
		return 1;
	(void)snprintf(path, sizeof(path), "%s/%s", dir, spec.name);
	for (uint64_t i = 0; i < 70; i++)
		if (append(enc, i, &d) < 0)
			abort();
	test_reading(EVS_WALK_ALL);
	test_reading(EVS_WALK_PRUNED);
	test_appending(enc);
	test_reading(EVS_WALK_ALL);
	test_made_meanwhile(enc);
	(void)unlink(path);
	test_appending(enc); /* to a segment that it makes */
	(void)unlink(path);
	T_CHECK(rmdir(dir) == 0);
	evs_encoder_free(enc);
	return t_done();
}
