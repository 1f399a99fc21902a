/*
 * The writer of a segment by itself: every allocation and every piece of its output that finds no
 * room, what other processes do between its calls, frames that no writer makes, and sizes at which
 * it does otherwise.
 *
 * After each failure the segment holds what it held before, and nothing else lies in its folder.
 */
#define _XOPEN_SOURCE 700
#include "tests/unit/fail.h"
#include "tests/unit/segment_rows.h"

/* Commits of another writer, with many sources. */
static struct evs_source *many;
static uint32_t nmany;

int __real_evs_commit_write(struct evs_commit *c, uint64_t salt, uint64_t off, struct evs_buf *out);
int __wrap_evs_commit_write(struct evs_commit *c, uint64_t salt, uint64_t off, struct evs_buf *out);
int __wrap_evs_commit_write(struct evs_commit *c, uint64_t salt, uint64_t off, struct evs_buf *out)
{
	if (nmany) {
		c->sources = many;
		c->nsources = nmany;
	}
	return __real_evs_commit_write(c, salt, off, out);
}

/* Text of the schema in force; free() it. */
static char *schema_in_force(void)
{
	struct evs_segment *s = NULL;
	char *text = NULL;
	size_t len;

	if (evs_segment_open(&s, path, NULL, NULL, NULL) == 0)
		(void)evs_segment_schema(s, evs_segment_schema_off(s), &text, &len, NULL);
	evs_segment_close(s);
	return text;
}

static void copy_file(const char *from, const char *to)
{
	static char data[1 << 20];
	FILE *f = fopen(from, "rb"), *g = fopen(to, "wb");
	size_t n = f ? fread(data, 1, sizeof(data), f) : 0;

	if (!f || !g || n == sizeof(data) || fwrite(data, 1, n, g) != n || fclose(g) != 0)
		abort();
	(void)fclose(f);
}

/* ---- no memory ------------------------------------------------------------------------------- */

static void no_more_than(struct evs_seg_writer *w, size_t cap)
{
	if (w->out.cap > cap || !evs_buf_reserve(&w->out, cap - w->out.len))
		abort();
	fail_begin("memory", 1, ENOMEM);
	fail.fixed = (void *const *)(void *)&w->out.p;
}

/* A whole append: schema, group, filters, rollup, commit. `cap`, `more`: room for the output, at
 * first and behind the group. */
static int whole(const struct rows *rows, size_t cap, size_t more)
{
	struct evs_rollup r = {
		.view = "sixteen bytes..", .cols = rows->cols, .ncols = 3, .groups = 600
	};
	struct evs_seg_writer w;
	int rc = evs_segw_open(&w, &spec, NULL);

	if (rc == 0 && cap)
		no_more_than(&w, cap);
	if (rc == 0)
		rc = evs_segw_group(&w, enc, &rows->r, NULL);
	if (rc == 0 && more) {
		w.out.p = realloc(w.out.p, w.out.len);
		w.out.cap = w.out.len;
		no_more_than(&w, w.out.cap + more);
	}
	if (rc == 0)
		rc = evs_segw_rollup(&w, enc, &r, NULL);
	if (rc == 0)
		rc = evs_segw_commit(&w, NULL, 0, 1, NULL);
	if (cap || more)
		(void)fail_end();
	evs_segw_close(&w);
	return rc;
}

static void test_memory(void)
{
	static const char other[] =
		"another text, which is not shorter when it is compressed: 0123456789qwertzuiopasdfg";
	const struct evs_seg_spec own = spec;
	struct rows rows, more;
	size_t cap;
	bool ok = true;
	uint64_t size;
	int rc = -1;

	away();
	make_rows(&rows, 0, 600, 0);
	make_rows(&more, 600, 600, 0);
	for (long n = 1;; n++) { /* without memory for zstd, bytes are stored as they are */
		away();
		fail_begin("memory", n, ENOMEM);
		rc = whole(&rows, 0, 0);
		if (!fail_end())
			break;
		ok &= size_of(fresh_path) == 0;
		ok &= rc == EVS_E_NOMEM ? !size_of(path) : rc == 0 && count() == 600;
	}
	t_check("a new segment without memory", ok && rc == 0 && count() == 600);

	/* Every length: the padding behind a SCHEMA frame needs room of its own for some. */
	size = size_of(path);
	ok = true;
	for (size_t len = 60; len < sizeof(other); len++) {
		spec.schema = other;
		spec.schema_len = len;
		for (long n = 1;; n++) {
			fail_begin("memory", n, ENOMEM);
			rc = whole(&more, 0, 0);
			if (!fail_end())
				break;
			ok &= rc == EVS_E_NOMEM ? size_of(path) == size
						: rc == 0 && count() == 1200;
			ok &= truncate(path, (off_t)size) == 0;
		}
		ok &= rc == 0 && truncate(path, (off_t)size) == 0;
	}
	spec = own;
	t_check("a new schema without memory", ok && count() == 600);

	for (cap = 64, rc = -1; rc != 0; cap++) {
		rc = whole(&more, cap, 0);
		ok &= rc == EVS_E_NOMEM ? size_of(path) == size : rc == 0;
	}
	t_check("output that cannot grow", ok && cap > 2000 && count() == 1200);
	free_rows(&more);

	make_rows(&more, 1200, 600, 20);
	size = size_of(path);
	for (cap = 1, rc = -1; rc != 0; cap++) {
		rc = whole(&more, 0, cap);
		ok &= rc == EVS_E_NOMEM ? size_of(path) == size : rc == 0;
	}
	t_check("output that cannot grow behind the group", ok && cap > 2000 && count() == 1800);
	free_rows(&rows);
	free_rows(&more);
}

/* ---- other processes ------------------------------------------------------------------------- */

static void another_makes_it(void)
{
	T_CHECK(append(0, 5, 5, 0) == 0);
}

static void another_makes_it_and_unlink_fails(void)
{
	another_makes_it();
	fail_begin("unlink", 1, EACCES);
}

static void another_has_made_it(void)
{
	T_CHECK(unlink(fresh_path) == 0);
	another_makes_it();
}

static void another_begins(void)
{
	T_CHECK(unlink(fresh_path) == 0);
	copy_file("/dev/null", fresh_path);
}

static void folder_expires(void)
{
	T_CHECK(rmdir(dir) == 0);
}

static void it_expires(void)
{
	T_CHECK(unlink(path) == 0);
}

static void it_is_replaced(void)
{
	copy_file(path, fresh_path);
	T_CHECK(rename(fresh_path, path) == 0);
}

static const struct {
	const char *name;
	bool there; /* five rows are, to begin with */
	const char *call;
	long at;
	void (*meanwhile)(void); /* or the file is on another device once */
	int rows, want;
} races[] = {
	{ "made before ours was begun", false, "open", 1, another_makes_it, 5, 0 },
	{ "and ours cannot be removed", false, "open", 1, another_makes_it_and_unlink_fails, 5,
	  EVS_E_SYS },
	{ "made while waiting", false, "fcntl", 1, another_has_made_it, 5, 0 },
	{ "begun anew while waiting", false, "fcntl", 1, another_begins, 0, 0 },
	{ "the folder has expired", false, "open", 1, folder_expires, 0, 0 },
	{ "ours on another device", false, "stat", 2, NULL, 0, 0 },
	{ "gone before it was opened", true, "open", 1, it_expires, 0, 0 },
	{ "gone while waiting", true, "fcntl", 1, it_expires, 0, 0 },
	{ "replaced while waiting", true, "fcntl", 1, it_is_replaced, 5, 0 },
	{ "on another device", true, "stat", 2, NULL, 5, 0 },
};

static void test_races(void)
{
	for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++) {
		struct evs_seg_writer w;
		struct rows rows;
		int rc;

		away();
		if (races[i].there)
			another_makes_it();
		fail_begin(races[i].call, races[i].at, 0);
		fail.meanwhile = races[i].meanwhile;
		fail.action = FAIL_MOVED;
		rc = evs_segw_open(&w, &spec, NULL);
		t_check(races[i].name, fail_end() && rc == races[i].want);
		if (rc == 0) {
			make_rows(&rows, (uint64_t)races[i].rows, 3, 0);
			T_CHECK(evs_segw_group(&w, enc, &rows.r, NULL) == 0);
			T_CHECK(evs_segw_commit(&w, NULL, 0, 1, NULL) == 0);
			free_rows(&rows);
		}
		evs_segw_close(&w);
		t_check(races[i].name, count() == races[i].rows + (rc == 0 ? 3 : 0));
		t_check(races[i].name, access(fresh_path, F_OK) != 0);
	}
}

/* 64 commits that one read does not hold: the next append folds them into an INDEX, or is none. */
static void test_index_and_disk(void)
{
	struct evs_seg_writer w;
	uint64_t size;
	long n;
	int rc;

	away();
	for (unsigned i = 0; i < EVS_INDEX_EVERY; i++)
		T_CHECK(append(i, 1, 1, 4000) == 0);
	size = size_of(path);
	for (n = 1;; n++) {
		fail_begin("pread", n, EIO);
		rc = evs_segw_open(&w, &spec, NULL);
		T_CHECK(fail_end() ? rc == EVS_E_SYS : rc == 0 && w.next.index_off);
		evs_segw_close(&w);
		T_CHECK(size_of(path) == size);
		if (rc == 0)
			break;
	}
	T_CHECK(n > 4 && append(64, 1, 1, 0) == 0 && count() == 65);
}

/* Where the INDEX of the next append would be; 0: none. And how much of `source` there is. */
static uint64_t next_index(const char *source, uint64_t *absorbed)
{
	struct evs_seg_spec s = spec;
	struct evs_seg_writer w;
	uint64_t off = 0;

	s.source = source;
	T_CHECK(evs_segw_open(&w, &s, NULL) == 0);
	off = w.next.since_index ? 0 : w.next.index_off;
	*absorbed = w.source_off;
	evs_segw_close(&w);
	return off;
}

/* What an INDEX would say of the sources, asked for by itself. */
static void check_all_sources(bool fit)
{
	struct evs_source *sources = NULL;
	struct evs_seg_writer w;
	struct evs_diag d = { 0 };
	uint32_t n = 0;

	T_CHECK(evs_segw_open(&w, &spec, NULL) == 0);
	T_CHECK(evs_segw_sources(&w, &sources, &n, &d) == (fit ? 0 : EVS_E_LIMIT));
	T_CHECK(fit ? n == EVS_MAX_SOURCES : !strncmp(d.what, "7.6-1", 5));
	evs_sources_free(sources, n);
	evs_file_forget(&w.file);
	sources = NULL;
	fail_begin("pread", 1, EIO);
	T_CHECK(evs_segw_sources(&w, &sources, &n, &d) == EVS_E_SYS && fail_end() && d.sys == EIO &&
		!sources);
	evs_segw_close(&w);
}

/* More sources than an INDEX holds: there is none, and appending goes on. */
static void test_many_sources(void)
{
	static char ids[3 * EVS_MAX_SOURCES][4];
	static const struct {
		const char *name;
		unsigned commits, distinct;
		bool index;
	} cases[] = {
		{ "as many as there may be, twice", 2, 1, true },
		{ "twice as many", 2, 2, false },
		{ "three times as many", 3, 1, false },
	};
	uint64_t absorbed;

	many = calloc(EVS_MAX_SOURCES, sizeof(*many));
	if (!many)
		abort();
	for (uint32_t i = 0; i < 3 * EVS_MAX_SOURCES; i++)
		for (unsigned k = 0; k < 4; k++)
			ids[i][k] = (char)('a' + (i >> (5 * k) & 31));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		away();
		for (unsigned c = 0; c < EVS_INDEX_EVERY; c++) {
			for (uint32_t k = 0; c < cases[i].commits && k < EVS_MAX_SOURCES; k++)
				many[k] = (struct evs_source){
					ids[k + c % cases[i].distinct * EVS_MAX_SOURCES], 4, c + 7
				};
			nmany = c < cases[i].commits ? EVS_MAX_SOURCES : 0;
			T_CHECK(append(c, 1, 1, 0) == 0);
		}
		t_check(cases[i].name, (next_index("aaaa", &absorbed) != 0) == cases[i].index);
		check_all_sources(cases[i].index);
		t_check(cases[i].name, append(64, 1, 1, 0) == 0 && count() == 65);
		(void)next_index("aaaa", &absorbed);
		t_eq_u64("what the newest commit says counts", absorbed,
			 6 + cases[i].commits - (cases[i].distinct == 2));
		(void)next_index("nobody", &absorbed);
		t_eq_u64("no such source", absorbed, 0);
	}
	free(many);
}

/* A damaged commit keeps the next INDEX from being made, and all that would follow: then it is not
 * even tried. */
static void test_no_index(void)
{
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	uint64_t absorbed, off, third = 0;
	unsigned told = 0, rows = 0;

	away();
	for (unsigned i = 0; i < 2 * EVS_INDEX_EVERY + 6; i++) {
		T_CHECK(append(i, 1, 1, 0) == 0);
		third = i == 2 ? size_of(path) : third;
		if (i == EVS_INDEX_EVERY - 1)
			flip(third - EVS_TRAILERS_SIZE - 8);
		T_CHECK(i < EVS_INDEX_EVERY - 1 || next_index(NULL, &absorbed) == 0);
	}
	T_CHECK(evs_segment_open(&s, path, on_damage, &told, NULL) == 0);
	evs_segment_rewind(s, EVS_WALK_PRUNED, LO * 1000000000, INT64_MAX);
	while (evs_segment_next(s, &g, &off, NULL) == 1)
		rows += g->rows;
	evs_segment_close(s);
	t_eq_u64("every row is there, by the long way", rows, 2 * EVS_INDEX_EVERY + 6);
	t_eq_u64("and the damage told", told, 1);
}

/* Each call of opening fails: nothing is left, or what was there is. */
static void test_calls(void)
{
	static const char *const calls[] = { "open",  "fcntl",	   "fstat",	 "stat",
					     "mkdir", "ftruncate", "getentropy", "pread" };

	for (unsigned there = 0; there < 2; there++)
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
			struct evs_diag d = { 0 };
			struct evs_seg_writer w;
			int rc = -1;

			away();
			if (there)
				another_makes_it();
			for (long n = 1; rc < 0; n++) {
				d.sys = 0;
				fail_begin(calls[i], n, EDQUOT);
				rc = evs_segw_open(&w, &spec, &d);
				t_check(calls[i],
					fail_end() ? rc == EVS_E_SYS && d.sys == EDQUOT : rc == 0);
				evs_segw_close(&w);
				t_check(calls[i], there ? count() == 5 : size_of(path) == 0);
			}
			t_check(calls[i], access(fresh_path, F_OK) != 0);
		}
}

/* ---- what it refuses ------------------------------------------------------------------------- */

static int try_spec(const struct evs_seg_spec *s, struct evs_diag *d)
{
	struct evs_seg_writer w;
	int rc = evs_segw_open(&w, s, d);

	evs_segw_close(&w);
	return rc;
}

static void test_refusals(void)
{
	static char longer[EVS_PATH_MAX + 1];
	struct evs_seg_spec s = spec;
	struct evs_diag d = { 0 };
	struct evs_seg_writer w;
	struct rows rows;
	uint64_t size;

	away();
	memset(longer, 'x', sizeof(longer) - 1);
	s.dir = longer;
	T_CHECK(try_spec(&s, &d) == EVS_E_LIMIT);
	/* A folder in which the segment's name finds room, and that of one in the making does not.
	 */
	snprintf(longer, sizeof(longer), "%s", dir);
	while (strlen(longer) + 1 + strlen(spec.name) + 3 < EVS_PATH_MAX)
		strcat(longer, "/.");
	T_CHECK(try_spec(&s, &d) == EVS_E_LIMIT);
	memset(longer, 'x', sizeof(longer) - 1);
	s = spec;
	longer[EVS_MAX_NAME + 1] = '\0';
	s.stream = longer;
	T_CHECK(try_spec(&s, &d) == EVS_E_LIMIT && strstr(d.what, "cannot write the head"));
	T_CHECK(access(path, F_OK) != 0 && access(fresh_path, F_OK) != 0);

	another_makes_it();
	size = size_of(path);
	s = spec;
	s.lo--;
	T_CHECK(try_spec(&s, &d) == EVS_E_FORMAT && strstr(d.what, "another partition"));
	s = spec;
	s.hi++;
	T_CHECK(try_spec(&s, &d) == EVS_E_FORMAT && strstr(d.what, "another partition"));
	s = spec;
	s.tenant = "acne";
	T_CHECK(try_spec(&s, &d) == EVS_E_FORMAT && strstr(d.what, "another tenant"));
	s.tenant_len = 0;
	T_CHECK(try_spec(&s, &d) == EVS_E_FORMAT && strstr(d.what, "another tenant"));
	s = spec;
	s.schema_len = EVS_MAX_SCHEMA + 1;
	T_CHECK(try_spec(&s, &d) == EVS_E_LIMIT && strstr(d.what, "cannot store the schema"));

	/* More groups than a commit holds; a group without rows; a rollup that is too large is left
	 * out. */
	T_CHECK(evs_segw_open(&w, &spec, &d) == 0);
	make_rows(&rows, 5, 0, 0);
	T_CHECK(evs_segw_group(&w, enc, &rows.r, &d) == EVS_E_LIMIT);
	free_rows(&rows);
	evs_segw_close(&w);
	T_CHECK(evs_segw_open(&w, &spec, &d) == 0);
	make_rows(&rows, 5, 3, 0);
	w.next.ngroups = EVS_MAX_GROUPS;
	T_CHECK(evs_segw_group(&w, enc, &rows.r, &d) == EVS_E_LIMIT);
	w.next.ngroups = 0;
	evs_segw_close(&w);
	free_rows(&rows);
	T_CHECK(size_of(path) == size && count() == 5);
}

/* ---- sizes ----------------------------------------------------------------------------------- */

/* Without memory for it there is none; what is there is sealed. */
static void test_rollup_memory(void)
{
	struct evs_rollup r = { .view = "sixteen bytes..", .groups = 1, .ncols = 3 };
	struct evs_seg_writer w;
	struct evs_frame fr;
	struct rows rows;
	const char *why;
	unsigned fails = 0;
	bool hit = true;

	make_rows(&rows, 900, 10, 20);
	r.cols = rows.cols;
	for (long n = 1; hit; n++) {
		uint64_t at;
		int rc;

		T_CHECK(evs_segw_open(&w, &spec, NULL) == 0 &&
			evs_segw_group(&w, enc, &rows.r, NULL) == 0);
		at = evs_segw_here(&w);
		fail_begin("memory", n, ENOMEM);
		rc = evs_segw_rollup(&w, enc, &r, NULL);
		hit = fail_end();
		T_CHECK(rc == 0 || (hit && rc == EVS_E_NOMEM));
		T_CHECK(w.next.nrollups == (rc == 0));
		if (rc == 0)
			T_CHECK(evs_frame_decode(&fr, w.out.p + (at - w.out_off), w.salt, at,
						 &why) == 0 &&
				fr.type == EVS_FRAME_ROLLUP);
		fails += rc < 0;
		evs_segw_close(&w);
	}
	t_check("some failed", fails > 0);
	free_rows(&rows);
}

static void test_rollups(void)
{
	struct evs_rollup r = { .view = "sixteen bytes..", .groups = 1 };
	struct evs_seg_writer w;
	struct rows rows, none;

	away();
	T_CHECK(evs_segw_open(&w, &spec, NULL) == 0);
	make_rows(&rows, 0, 900, 2000);
	make_rows(&none, 0, 0, 0);
	T_CHECK(evs_segw_group(&w, enc, &rows.r, NULL) == 0 && w.out_off == 0);
	r.cols = none.cols;
	r.ncols = 3;
	T_CHECK(evs_segw_rollup(&w, enc, &r, NULL) == 0 && w.next.nrollups == 0);
	r.cols = rows.cols;
	T_CHECK(evs_segw_rollup(&w, enc, &r, NULL) == 0 && w.next.nrollups == 1);
	t_check("written out on the way", w.out_off > 2 << 20 && w.out.len == 0);
	T_CHECK(evs_segw_commit(&w, NULL, 0, 1, NULL) == 0);
	evs_segw_close(&w);
	T_CHECK(count() == 900);
	free_rows(&rows);
	free_rows(&none);
	test_rollup_memory();
}

/* A group larger than what is kept; its bytes are on the way to the disk when the disk is full. */
static void test_large_group(void)
{
	struct evs_diag d = { 0 };
	struct evs_seg_writer w;
	struct rows rows, few;

	away();
	T_CHECK(append(0, 5, 5, 0) == 0);
	make_rows(&rows, 5, 2800, 4000);
	for (unsigned full = 0; full < 2; full++) {
		T_CHECK(evs_segw_open(&w, &spec, NULL) == 0);
		fail_begin("pwrite", full, ENOSPC);
		T_CHECK(evs_segw_group(&w, enc, &rows.r, &d) == (full ? EVS_E_SYS : 0));
		T_CHECK(fail_end() == full);
		t_check("its memory is given back", full || (!w.out.cap && w.out_off > 10500000));
		if (!full) {
			make_rows(&few, 2805, 5, 5);
			T_CHECK(evs_segw_group(&w, enc, &few.r, &d) == 0);
			t_check("that of its parts, too", w.part.group.cap < 100000);
			free_rows(&few);
			T_CHECK(evs_segw_commit(&w, NULL, 0, 1, NULL) == 0);
		}
		evs_segw_close(&w);
		T_CHECK(count() == 2810);
	}
	free_rows(&rows);
}

/* What the disk refuses at the end of an append. */
static void test_commit_calls(void)
{
	static const char *const calls[] = { "pwrite", "fdatasync", "rename" };
	struct rows rows;

	make_rows(&rows, 0, 5, 0);
	for (size_t i = 0; i < 3; i++) {
		away();
		fail_begin(calls[i], 1, EIO);
		T_CHECK(whole(&rows, 0, 0) == EVS_E_SYS && fail_end());
		t_check(calls[i], access(path, F_OK) != 0 && access(fresh_path, F_OK) != 0);
	}
	free_rows(&rows);
}

/* Which groups get zones, and which columns filters: a value that is everywhere the same needs
 * none. */
static void test_zones_and_filters(void)
{
	static const struct {
		const char *name;
		uint32_t rows;
		unsigned same; /* 2: numbers; 4: texts; 8: long texts; 16: no texts; 32: floats for
				  texts */
		unsigned zones, filters;
	} cases[] = {
		{ "too few for either", 63, 0, 0, 0 },
		{ "too few for filters", 511, 0, 3, 0 },
		{ "both", 512, 0, 3, 2 },
		{ "one number", 512, 2, 3, 1 },
		{ "one text", 512, 4, 3, 1 },
		{ "one long text", 512, 12, 3, 2 },
		{ "no text", 512, 16, 3, 1 },
		{ "no text, and of a kind without filters", 512, 48, 3, 1 },
		{ "a kind without filters", 512, 32, 3, 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct evs_seg_writer w;
		struct rows rows;
		unsigned same = cases[i].same;
		char text[40];

		away();
		make_rows(&rows, 0, 0, 0);
		if (same & 32)
			evs_array_init(&rows.cols[2], EVS_FLOAT, 8, false);
		for (uint32_t k = 0; k < cases[i].rows; k++) {
			size_t len = same & 8 ? 40 : 5;

			memset(text, 'a', sizeof(text));
			memcpy(text, same & 4 ? "same" : (const char *)&k, 4);
			T_CHECK(evs_array_append_int(&rows.cols[0], (uint64_t)LO) == 0);
			T_CHECK(evs_array_append_int(&rows.cols[1], same & 2 ? 0 : k) == 0);
			T_CHECK((same & 16 ? evs_array_append_null(&rows.cols[2])
				 : same & 32
					 ? evs_array_append_float(&rows.cols[2], k)
					 : evs_array_append_bytes(&rows.cols[2], text, len)) == 0);
		}
		rows.r.time_min = rows.r.time_max = EVS_TIME_NONE;
		T_CHECK(evs_segw_open(&w, &spec, NULL) == 0);
		T_CHECK(evs_segw_group(&w, enc, &rows.r, NULL) == 0);
		t_eq_u64(cases[i].name, w.next.nzones, cases[i].zones);
		t_eq_u64(cases[i].name, w.next.nfilters, cases[i].filters);
		T_CHECK(w.next.time_min == EVS_TIME_NONE && w.next.time_max == EVS_TIME_NONE);
		evs_segw_close(&w);
		free_rows(&rows);
	}
}

/* More zones than a commit holds: the group goes without. */
static void test_no_more_zones(void)
{
	struct evs_seg_writer w;
	struct rows rows;

	away();
	make_rows(&rows, 0, 600, 0);
	T_CHECK(evs_segw_open(&w, &spec, NULL) == 0);
	w.next.nzones = EVS_MAX_ZONES / 2 - 2;
	T_CHECK(evs_segw_group(&w, enc, &rows.r, NULL) == 0 &&
		w.next.nzones == EVS_MAX_ZONES / 2 - 2);
	T_CHECK(w.next.nfilters == 1);
	w.next.nzones = 0;
	T_CHECK(evs_segw_commit(&w, NULL, 0, 1, NULL) == 0);
	evs_segw_close(&w);
	free_rows(&rows);
	T_CHECK(count() == 600);
}

/* Runs are numbered upwards from one commit to the next, also where a commit has had several. */
static void test_runs(void)
{
	struct evs_seg_writer w;
	struct rows rows;

	away();
	make_rows(&rows, 0, 1, 1);
	for (unsigned c = 0; c < 3; c++) {
		T_CHECK(evs_segw_open(&w, &spec, NULL) == 0);
		for (unsigned g = 0; g < 4; g++) {
			rows.r.begins_run = c == 0;
			T_CHECK(evs_segw_group(&w, enc, &rows.r, NULL) == 0);
			t_eq_u64("run", w.next.groups[g].run, c == 0 ? g + 1 : 4 + c);
		}
		T_CHECK(evs_segw_commit(&w, NULL, 0, 1, NULL) == 0);
		evs_segw_close(&w);
	}
	free_rows(&rows);
}

static void test_times(void)
{
	static const int64_t none = EVS_TIME_NONE;
	const int64_t times[][2] = {
		{ none, none }, { 20, 30 }, { 10, 25 }, { none, none }, { 22, 40 }
	};
	const int64_t want[][2] = {
		{ none, none }, { 20, 30 }, { 10, 30 }, { 10, 30 }, { 10, 40 }
	};
	struct evs_seg_writer w;
	struct rows rows;

	away();
	make_rows(&rows, 0, 1, 0);
	T_CHECK(evs_segw_open(&w, &spec, NULL) == 0);
	for (size_t i = 0; i < 5; i++) {
		rows.r.time_min = times[i][0];
		rows.r.time_max = times[i][1];
		T_CHECK(evs_segw_group(&w, enc, &rows.r, NULL) == 0);
		T_CHECK(w.next.time_min == want[i][0] && w.next.time_max == want[i][1]);
	}
	evs_segw_close(&w);
	free_rows(&rows);
}

/* ---- SCHEMA frames --------------------------------------------------------------------------- */

static void use_schema(const char *text)
{
	spec.schema = text;
	spec.schema_len = strlen(text);
}

static void check_schema(const char *name, const char *want)
{
	char *text = schema_in_force();

	t_eq_str(name, text, want);
	free(text);
}

/* The SCHEMA frame at `off` gets this payload, rightly sealed. */
static void forge_schema(uint64_t off, const void *payload, uint32_t len)
{
	uint8_t raw[EVS_FRAME_HEAD_SIZE + 64] = { 0 };
	struct evs_frame fr;
	const char *why;
	struct evs_segment *s = NULL;
	FILE *f;

	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
	f = fopen(path, "r+b");
	if (!f || !s || fseek(f, (long)off, SEEK_SET) != 0 ||
	    fread(raw, 1, sizeof(raw), f) != sizeof(raw))
		abort();
	T_CHECK(evs_frame_decode(&fr, raw, evs_segment_head(s)->salt, off, &why) == 0);
	T_CHECK(fr.type == EVS_FRAME_SCHEMA && fr.payload_len == len);
	memcpy(raw + EVS_FRAME_HEAD_SIZE, payload, len);
	evs_frame_seal(raw, EVS_FRAME_SCHEMA, fr.flags, len, raw + EVS_FRAME_HEAD_SIZE, len,
		       evs_segment_head(s)->salt, off, fr.append);
	if (fseek(f, (long)off, SEEK_SET) != 0 || fwrite(raw, 1, sizeof(raw), f) != sizeof(raw) ||
	    fclose(f) != 0)
		abort();
	evs_segment_close(s);
}

static void test_schemas(void)
{
	const struct evs_seg_spec own = spec;
	struct evs_segment *s = NULL;
	uint8_t payload[32] = { 0 };
	uint64_t off, size;

	away();
	use_schema("a text of one length, A");
	T_CHECK(append(0, 5, 5, 0) == 0);
	use_schema("a text of one length, B");
	T_CHECK(append(5, 5, 5, 0) == 0);
	check_schema("after HEAD", "a text of one length, B");
	size = size_of(path);
	T_CHECK(append(10, 5, 5, 0) == 0);
	use_schema("a text of one length, C");
	T_CHECK(append(15, 5, 5, 0) == 0);
	check_schema("after a SCHEMA frame", "a text of one length, C");
	t_check("the text again costs nothing", 2 * size_of(path) > 3 * size && count() == 20);

	/* A payload whose lengths are wrong, in the frame in force: the text is written again. */
	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
	off = evs_segment_schema_off(s);
	evs_segment_close(s);
	forge_schema(off, payload, 31);
	T_CHECK(append(20, 5, 5, 0) == 0);
	check_schema("after a forged one", "a text of one length, C");

	/* Its head does not verify: likewise. */
	T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
	off = evs_segment_schema_off(s);
	evs_segment_close(s);
	flip(off + 20);
	T_CHECK(append(25, 5, 5, 0) == 0);
	check_schema("after a damaged one", "a text of one length, C");
	spec = own;
}

/* While a segment is replaced, its newest append is taken back: a longer one has its place, the
 * same once more, or nothing has. */
static void test_taken_back(void)
{
	static const char ddl[] = "CREATE TABLE ev (ts DateTime, n Int64, t String) ORDER BY n";
	static const uint32_t then[] = { 0, 100, 10 };
	struct evs_replace_opts opts = { 0 };
	struct evs_table *table = NULL;

	T_CHECK(evs_table_parse(&table, ddl, sizeof(ddl) - 1, NULL) == 0);
	opts.table = table;
	for (unsigned i = 0; i < 3; i++) {
		struct evs_replace *r = NULL;
		struct evs_segment *s = NULL;
		uint64_t rows = 0, size;
		char *note = NULL;
		bool gone;

		away();
		T_CHECK(append(0, 10, 10, 20) == 0);
		size = size_of(path);
		T_CHECK(append(10, 10, 10, 20) == 0);
		for (gone = false;; gone = true) {
			T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
			T_CHECK(evs_replace_open(&r, path, NULL) == 0 &&
				evs_replace_begin(r, s, &opts, NULL) == 0);
			evs_segment_close(s);
			if (gone) {
				T_CHECK(truncate(path, (off_t)size) == 0);
				T_CHECK(!then[i] ||
					append(10, then[i], then[i], i == 1 ? 200 : 21) == 0);
			}
			T_CHECK(evs_replace_lock(r, NULL, &rows, &note, NULL) == (gone ? 1 : 0));
			T_CHECK((gone || rows == 20) && !note);
			evs_replace_close(r);
			if (gone)
				break;
		}
	}
	evs_table_free(table);
}

/* While it is compacted the segment grows; or another file, also one of that number on another
 * device, stands in its place; or what was read is cut off; or there is no memory. */
static void test_followed(void)
{
	static const char ddl[] = "CREATE TABLE ev (ts DateTime, n Int64, t String) ORDER BY n";
	enum { GROWN, OTHER, MOVED, CUT, NO_MEMORY, CASES };
	static const int want[CASES] = { 0, 1, 1, 1, EVS_E_NOMEM };
	struct evs_replace_opts opts = { 0 };
	struct evs_table *table = NULL;
	struct evs_diag d = { 0 };

	T_CHECK(evs_table_parse(&table, ddl, sizeof(ddl) - 1, NULL) == 0);
	opts.table = table;
	for (int i = 0; i < CASES; i++) {
		struct evs_replace *r = NULL;
		struct evs_segment *s = NULL;
		uint64_t size, rows = 0;
		char *note = NULL;

		away();
		T_CHECK(append(0, 10, 10, 20) == 0);
		size = size_of(path);
		T_CHECK(append(10, 10, 10, 20) == 0);
		T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
		T_CHECK(evs_replace_open(&r, path, NULL) == 0 &&
			evs_replace_begin(r, s, &opts, NULL) == 0);
		evs_segment_close(s);
		if (i == OTHER) {
			copy_file(path, fresh_path);
			T_CHECK(rename(fresh_path, path) == 0);
		}
		if (i == CUT)
			T_CHECK(truncate(path, (off_t)size) == 0);
		T_CHECK(append(i == CUT ? 10 : 20, 10, 10, 21) == 0);
		if (i == MOVED) {
			fail_begin("fstat", 1, 0);
			fail.on = true;
			fail.action = FAIL_MOVED;
		}
		T_CHECK(evs_segment_open(&s, path, NULL, NULL, NULL) == 0);
		T_CHECK(i != MOVED || fail_end());
		if (i == NO_MEMORY)
			fail_begin("memory", 1, ENOMEM);
		T_CHECK(evs_replace_follow(r, s, &d) == want[i]);
		T_CHECK(i != NO_MEMORY || fail_end());
		evs_segment_close(s);
		T_CHECK(i != GROWN ||
			(evs_replace_lock(r, NULL, &rows, &note, NULL) == 0 && rows == 30));
		evs_replace_close(r);
	}
	evs_table_free(table);
}

int main(void)
{
	segment_begin();
	test_memory();
	test_races();
	test_index_and_disk();
	test_many_sources();
	test_no_index();
	test_calls();
	test_refusals();
	test_rollups();
	test_large_group();
	test_commit_calls();
	test_zones_and_filters();
	test_no_more_zones();
	test_times();
	test_runs();
	test_schemas();
	test_taken_back();
	test_followed();
	segment_end();
	return t_done();
}
