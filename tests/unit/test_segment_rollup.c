/*
 * Rollups of a commit as they are read back: what is not the view's, not a rollup, of another
 * append or of a newer format is told, with no rows lost, and the rows are read instead.
 */
#define _XOPEN_SOURCE 700
#include "src/store/segment_read.h"
#include "tests/unit/fail.h"
#include "tests/unit/segment_rows.h"

static const uint8_t view[EVS_VIEW_ID] = "sixteen bytes..", other[EVS_VIEW_ID] = "another one....";

/* ---- writing --------------------------------------------------------------------------------- */

static uint64_t at; /* of the ROLLUP frame */

/* A commit of 100 rows, with a rollup of `groups` groups under the name of `view`, and one more.
 * `nulls`: its numbers are NULL, and its texts so large that each column has a block of its own. */
static void make(uint32_t groups, bool nulls)
{
	struct evs_rollup r = { .ncols = 2, .groups = groups };
	struct evs_seg_writer w;
	struct rows rows, kept;

	away();
	make_rows(&rows, 0, 100, 20);
	make_rows(&kept, 7, 10, nulls ? 1000 : 20);
	T_CHECK(evs_segw_open(&w, &spec, NULL) == 0);
	T_CHECK(evs_segw_group(&w, enc, &rows.r, NULL) == 0);
	if (nulls) {
		evs_array_reset(&kept.cols[1]);
		T_CHECK(evs_array_append_nulls(&kept.cols[1], 10) == 0);
	}
	r.cols = kept.cols + 1;
	memcpy(r.view, other, sizeof(other));
	T_CHECK(evs_segw_rollup(&w, enc, &r, NULL) == 0);
	at = evs_segw_here(&w);
	memcpy(r.view, view, sizeof(view));
	T_CHECK(evs_segw_rollup(&w, enc, &r, NULL) == 0);
	T_CHECK(evs_segw_commit(&w, NULL, 0, 1, NULL) == 0);
	evs_segw_close(&w);
	free_rows(&rows);
	free_rows(&kept);
}

/* What is wrong with the frame, whose checksums are right. */
enum wrong { NOTHING, TYPE, SHORT, SUMMED, BLOCKS, VALUES, APPEND, NEWER };

static void forge(enum wrong what)
{
	static uint8_t raw[8192];
	struct evs_segment *s = NULL;
	struct evs_frame fr;
	const char *why;
	size_t span;
	FILE *f = fopen(path, "r+b");

	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
	if (!f || fseek(f, (long)at, SEEK_SET) != 0 ||
	    fread(raw, 1, EVS_FRAME_HEAD_SIZE, f) != EVS_FRAME_HEAD_SIZE)
		abort();
	T_CHECK(evs_frame_decode(&fr, raw, s->head.salt, at, &why) == 0 &&
		fr.type == EVS_FRAME_ROLLUP);
	span = (size_t)evs_frame_span(fr.payload_len);
	if (span > sizeof(raw) || fread(raw + EVS_FRAME_HEAD_SIZE, 1, span - EVS_FRAME_HEAD_SIZE,
					f) != span - EVS_FRAME_HEAD_SIZE)
		abort();
	if (what == SHORT)
		fr.payload_len = fr.summed_len = 16;
	if (what == SUMMED)
		fr.summed_len -= 8;
	if (what == BLOCKS)
		evs_put16(raw + EVS_FRAME_HEAD_SIZE + offsetof(struct evs_group_raw, blocks),
			  60000);
	if (what == VALUES) /* the number of the second column's node, or what packs them */
		memset(raw + EVS_FRAME_HEAD_SIZE + fr.payload_len - 40, 0xff, 40);
	evs_frame_seal(raw, what == TYPE ? EVS_FRAME_SCHEMA : EVS_FRAME_ROLLUP,
		       what == NEWER ? 0x80 : fr.flags, fr.payload_len, raw + EVS_FRAME_HEAD_SIZE,
		       fr.summed_len, s->head.salt, at, fr.append + (what == APPEND));
	if (fseek(f, (long)at, SEEK_SET) != 0 || fwrite(raw, 1, span, f) != span || fclose(f) != 0)
		abort();
	evs_segment_close(s);
}

/* ---- reading --------------------------------------------------------------------------------- */

struct question {
	struct evs_segment *s;
	const uint8_t *view;
	uint16_t ncols;
	const char *call;
	long n;
	int rc;
	bool hit, right, nulls;
	char told[256];
	uint64_t lost;
	unsigned times;
};

static void on_told(void *arg, const struct evs_damage *d)
{
	struct question *q = arg;

	q->times++;
	q->lost += d->rows;
	snprintf(q->told, sizeof(q->told), "%s", d->what);
}

static bool done(void *arg, const struct evs_commit *c)
{
	struct question *q = arg;
	struct evs_array cols[3];
	uint32_t groups = 0;

	evs_array_init(&cols[0], EVS_INT, 8, true);
	evs_array_init(&cols[1], EVS_BYTES, 0, false);
	evs_array_init(&cols[2], EVS_INT, 8, true);
	evs_file_forget(&q->s->file);
	fail_begin(q->call, q->n, EIO);
	q->rc = evs_segment_rollup(q->s, c, q->view, cols, q->ncols, &groups, NULL);
	q->hit = fail_end();
	q->right = q->rc == 0 && groups == 10 && cols[0].rows == 10 && cols[1].rows == 10 &&
		   (q->nulls ? cols[0].nulls == 10 : evs_array_int(&cols[0], 9) == 16);
	for (unsigned i = 0; i < 3; i++)
		evs_array_release(&cols[i]);
	return q->rc == 0;
}

/* Asks for the rollup; without it the rows come. */
static void ask(struct question *q)
{
	const struct evs_group *g;
	uint64_t off;
	int rc;

	q->times = 0;
	q->lost = 0;
	T_CHECK(evs_segment_open(&q->s, path, on_told, q, NULL) == 0);
	evs_segment_commits(q->s, done, q);
	evs_segment_rewind(q->s, EVS_WALK_PRUNED, INT64_MIN, INT64_MAX);
	rc = evs_segment_next(q->s, &g, &off, NULL);
	T_CHECK(rc == (q->rc == 0 ? 0 : 1));
	T_CHECK(evs_segment_counts(q->s)->rollups_read == (q->rc == 0));
	T_CHECK(evs_segment_counts(q->s)->rows_rollup == (q->rc == 0 ? 100 : 0));
	evs_segment_close(q->s);
}

static void test_sound(void)
{
	struct question q = { .view = view, .ncols = 2, .call = "memory" };
	const uint8_t absent[EVS_VIEW_ID] = "of no such name";

	make(10, true);
	q.nulls = true;
	ask(&q);
	T_CHECK(q.right && !q.times);
	make(10, false);
	q.nulls = false;
	ask(&q);
	T_CHECK(q.right && !q.times);
	q.view = absent;
	ask(&q);
	T_CHECK(q.rc == 1 && !q.times);
	q.view = view;
	for (unsigned how = 0; how < 2; how++) {
		q.call = how ? "pread" : "memory";
		for (q.n = 1;; q.n++) {
			ask(&q);
			if (!q.hit)
				break;
			T_CHECK(q.rc == (how ? EVS_E_SYS : EVS_E_NOMEM) && !q.times);
		}
		T_CHECK(q.right && q.n > 1);
	}
}

static void test_wrong(void)
{
	static const struct {
		const char *told;
		enum wrong what;
		uint32_t groups;
		uint16_t ncols;
		int rc;
	} cases[] = {
		{ "", NOTHING, 10, 2, 0 },
		{ "5.6-1 a rollup of other columns or groups", NOTHING, 11, 2, EVS_E_FORMAT },
		{ "5.6-1 a rollup of other columns or groups", NOTHING, 10, 3, EVS_E_FORMAT },
		{ "5.6-1 not a ROLLUP frame", TYPE, 10, 2, EVS_E_FORMAT },
		{ "5.6-1 a rollup that is none", SHORT, 10, 2, EVS_E_FORMAT },
		{ "5.6-1 not a ROLLUP frame", SUMMED, 10, 2, EVS_E_FORMAT },
		{ "5.6-1 a rollup that is none", BLOCKS, 10, 2, EVS_E_FORMAT },
		{ "5.3-1", VALUES, 10, 2, EVS_E_FORMAT },
		{ "3.1-15", APPEND, 10, 2, EVS_E_FORMAT },
		{ "3.1-4", NEWER, 10, 2, EVS_E_VERSION },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct question q = { .view = view, .ncols = cases[i].ncols, .call = "memory" };

		make(cases[i].groups, false);
		forge(cases[i].what);
		ask(&q);
		t_check(cases[i].told, q.rc == cases[i].rc && q.times == (q.rc < 0) && !q.lost);
		t_check(cases[i].told,
			q.rc == 0 || !strncmp(q.told, cases[i].told, strlen(cases[i].told)));
		if (q.rc != cases[i].rc ||
		    (q.rc < 0 && strncmp(q.told, cases[i].told, strlen(cases[i].told)) != 0))
			printf("        %d: %s\n", q.rc, q.told);
	}
}

int main(void)
{
	segment_begin();
	test_sound();
	test_wrong();
	segment_end();
	return t_done();
}
