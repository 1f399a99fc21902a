/*
 * Files that take another one's place, and files made anew, by themselves: paths that are none or
 * too long, groups that are not sorted, schemas that change, more rows than one append takes, and
 * no memory for any of it.
 */
#define _XOPEN_SOURCE 700
#include "src/store/segment_write.h"
#include "tests/unit/fail.h"
#include "tests/unit/t.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[80], path[128], making[160];

/* `len` characters: a folder that is there, or a name that is not. */
static char *long_path(const char *folder, size_t len)
{
	char *p = malloc(len + 1);
	size_t n = strlen(folder);

	if (!p || n + 2 > len)
		abort();
	memset(p, 'x', len);
	p[len] = '\0';
	memcpy(p, folder, n);
	for (size_t at = n; at < len; at += 200)
		p[at] = '/';
	if (p[len - 1] == '/')
		p[len - 1] = 'x';
	return p;
}

/* ---- another file in the place of a segment -------------------------------------------------- */

static void test_replace_paths(void)
{
	static const size_t lens[] = { EVS_PATH_MAX + 20, EVS_PATH_MAX - 2, EVS_PATH_MAX - 6 };
	struct evs_replace *r = NULL;
	struct evs_diag d = { 0 };
	char name[400], *note = NULL;

	snprintf(name, sizeof(name), "%s/%0300d", dir, 7);
	t_check("too long a name", evs_replace_open(&r, name, &d) == EVS_E_USAGE && d.what[0]);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		char *p = long_path(dir, lens[i]);

		d = (struct evs_diag){ 0 };
		t_check("too long a path",
			evs_replace_open(&r, p, &d) == (i < 2 ? EVS_E_USAGE : EVS_E_LIMIT) &&
				d.what[0]);
		free(p);
	}
	t_check("no handle", !r);
	t_check("nothing to recover",
		evs_replace_recover(name, NULL, &note, &d) == EVS_E_USAGE && !note);
}

/* The folders of a long path. */
static char *make_long(size_t len)
{
	char *p = long_path(dir, len);

	for (char *at = p + strlen(dir) + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		T_CHECK(mkdir(p, 0700) == 0 || errno == EEXIST);
		*at = '/';
	}
	T_CHECK(mkdir(p, 0700) == 0 || errno == EEXIST);
	return p;
}

/* A file of a name that is too long together with its folder. */
static void test_sweep_long(void)
{
	char *p = make_long(900), name[200];
	struct evs_diag d = { 0 };
	int fd;

	snprintf(name, sizeof(name), ".%0120d.compact", 7);
	T_CHECK(chdir(p) == 0);
	fd = open(name, O_WRONLY | O_CREAT, 0600);
	T_CHECK(fd >= 0 && close(fd) == 0);
	t_check("sweep", evs_replace_sweep(p, &d) == EVS_E_LIMIT && d.what[0]);
	T_CHECK(unlink(name) == 0 && chdir("/") == 0);
	free(p);
}

/* The name of a segment fits, that of one that is being made, too, but not that of one that is
 * being dropped. */
static void test_dropped_long(void)
{
	char *p = make_long(EVS_PATH_MAX - 22);
	struct evs_seg_spec spec = { .dir = p,
				     .name = "2024-01-01.evs",
				     .stream = "ev",
				     .tenant = "acme",
				     .tenant_len = 4,
				     .lo = 1704067200,
				     .hi = 1704672000,
				     .unit = 1,
				     .schema = "any text",
				     .schema_len = 8 };
	struct evs_seg_writer w;
	struct evs_diag d = { 0 };

	t_check("no room for the name of what is dropped",
		evs_segw_open(&w, &spec, &d) == EVS_E_LIMIT && d.what[0]);
	evs_segw_close(&w);
	T_CHECK(rmdir(p) == 0);
	free(p);
}

/* ---- a file made anew ------------------------------------------------------------------------ */

static const struct evs_head like = { .part_lo = 1704067200,
				      .part_hi = 1704672000,
				      .unit = 1,
				      .stream = "ev",
				      .stream_len = 2,
				      .tenant = "acme",
				      .tenant_len = 4 };

static const char ddl[] =
	"CREATE TABLE ev (ts DateTime, n Int64, s String, l Array(String)) ORDER BY (n);\n";
static const char other[] =
	"CREATE TABLE ev (ts DateTime, m Int64, s String, l Array(String)) ORDER BY (m);\n";

static struct evs_table *table(const char *text)
{
	struct evs_table *t = NULL;
	struct evs_diag d = { 0 };

	if (evs_table_parse(&t, text, strlen(text), &d) < 0)
		abort();
	return t;
}

/* Rows whose numbers go on from `first`, or down from it, with texts of so many bytes. */
static struct evs_array *make_rows(const struct evs_table *t, uint64_t first, int step, uint32_t n,
				   size_t bytes)
{
	struct evs_array *cols = calloc(t->ncols, sizeof(*cols));
	char *text = malloc(bytes + 1);

	if (!cols || !text)
		abort();
	memset(text, 'y', bytes);
	for (uint16_t c = 0; c < t->ncols; c++) {
		if (evs_type_array(&t->cols[c].type, &cols[c]) < 0)
			abort();
		for (uint32_t i = 0; i < n; i++) {
			uint64_t v = c == 0 ? 1704067200 : first + (uint64_t)(step * (int64_t)i);

			if (cols[c].phys == EVS_LIST) {
				if (evs_array_close_row(&cols[c]) < 0)
					abort();
				continue;
			}
			if ((cols[c].phys == EVS_BYTES
				     ? evs_array_append_bytes(&cols[c], text, bytes)
				     : evs_array_append_int(&cols[c], v)) < 0)
				abort();
		}
	}
	free(text);
	return cols;
}

static void free_rows(const struct evs_table *t, struct evs_array *cols)
{
	for (uint16_t c = 0; c < t->ncols; c++)
		evs_array_release(&cols[c]);
	free(cols);
}

static void on_damage(void *arg, const struct evs_damage *d)
{
	(void)d;
	++*(unsigned *)arg;
}

static uint32_t runs; /* the number of the last one in the newest commit, from 1 */

static void count_runs(struct evs_segment *s)
{
	struct evs_commit c = { 0 };
	struct evs_buf payload = { 0 };

	T_CHECK(evs_segment_newest(s, &c, &payload, NULL) == 0);
	runs = c.ngroups ? c.groups[c.ngroups - 1].run - c.groups[0].run + 1 : 0;
	evs_commit_release(&c);
	evs_buf_release(&payload);
}

/* Rows in the file, numbered upwards from `first` within each group; 0: others, or damage. */
static uint64_t rows_of(uint64_t first, uint64_t *commits)
{
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	struct evs_array n;
	uint64_t off, rows = 0;
	unsigned told = 0;
	int rc = evs_segment_open(&s, path, on_damage, &told, NULL);

	*commits = 0;
	if (rc < 0)
		return 0;
	*commits = evs_segment_tail(s)->trailer.seq;
	count_runs(s);
	evs_array_init(&n, EVS_INT, 8, true);
	while (rc == 0 && (rc = evs_segment_next(s, &g, &off, NULL)) == 1) {
		rc = evs_segment_column(s, 1, &n, NULL);
		for (uint32_t i = 0; rc == 0 && i < n.rows; i++)
			if (evs_array_int(&n, i) != first + rows++)
				rc = -1;
	}
	evs_array_release(&n);
	evs_segment_close(s);
	return rc < 0 || told ? 0 : rows;
}

static bool nothing_left(void)
{
	return access(path, F_OK) != 0 && access(making, F_OK) != 0;
}

/* Of rows without a time nothing is said. */
static void test_no_times(void)
{
	struct evs_table *t = table(ddl);
	struct evs_seg_rows r = { 0 };
	struct evs_array a;

	T_CHECK(evs_type_array(&t->cols[t->time_column].type, &a) == 0);
	T_CHECK(evs_array_append_null(&a) == 0);
	evs_seg_times(t, &a, NULL, 1, &r);
	T_CHECK(r.time_min == EVS_TIME_NONE && r.time_max == EVS_TIME_NONE);
	T_CHECK(evs_array_append_int(&a, 7) == 0 && evs_array_append_null(&a) == 0 &&
		evs_array_append_int(&a, 3) == 0);
	evs_seg_times(t, &a, NULL, 4, &r);
	T_CHECK(r.time_min == evs_row_time(t, &a, 3) && r.time_max == evs_row_time(t, &a, 1));
	T_CHECK(r.time_min < r.time_max);
	evs_array_release(&a);
	evs_table_free(t);
}

static void test_fresh_paths(void)
{
	static const struct {
		size_t len;
		int want;
	} cases[] = { { EVS_PATH_MAX + 20, EVS_E_LIMIT },
		      { EVS_PATH_MAX - 2, EVS_E_USAGE },
		      { EVS_PATH_MAX - 6, EVS_E_LIMIT },
		      { EVS_PATH_MAX - 14, EVS_E_LIMIT } };
	struct evs_fresh *f = NULL;
	struct evs_diag d = { 0 };
	char name[400];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *p = long_path(dir, cases[i].len);

		d = (struct evs_diag){ 0 };
		fail_begin("stat", 1, ENOENT); /* whatever the file system says of such paths */
		t_check("too long a path",
			evs_fresh_open(&f, p, &like, 1, &d) == cases[i].want && d.what[0]);
		(void)fail_end();
		free(p);
	}
	snprintf(name, sizeof(name), "%s/%0300d", dir, 7);
	fail_begin("stat", 1, ENOENT);
	t_check("too long a name", evs_fresh_open(&f, name, &like, 1, &d) == EVS_E_USAGE);
	(void)fail_end();
	snprintf(name, sizeof(name), "%s/none/", dir);
	t_check("no name", evs_fresh_open(&f, name, &like, 1, &d) == EVS_E_USAGE);
	t_check("something is there", evs_fresh_open(&f, dir, &like, 1, &d) == EVS_E_USAGE);
	t_check("no handle", !f);
}

/* An empty file, as one that was killed may have left it. */
static void leave(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT, 0600);

	T_CHECK(fd >= 0 && close(fd) == 0);
}

static void test_fresh_empty(void)
{
	struct evs_fresh *f = NULL;
	struct evs_diag d = { 0 };
	char begun[200];

	snprintf(begun, sizeof(begun), "%s/..2024-01-01.evs.salvage.new", dir);
	leave(making);
	leave(begun);
	T_CHECK(evs_fresh_open(&f, path, &like, 1, &d) == 0);
	t_check("what was left is gone", nothing_left() && access(begun, F_OK) != 0);
	t_check("no rows, no file", evs_fresh_finish(f, NULL, 0, &d) == 1);
	evs_fresh_close(f);
	T_CHECK(nothing_left());
}

/* The rows of a group that is not sorted are; whatever fails, there is all of it or nothing. */
static void test_fresh_unsorted(void)
{
	struct evs_table *t = table(ddl);
	struct evs_array *down = make_rows(t, 499, -1, 300, 3), *up = make_rows(t, 500, 1, 20, 3),
			 *late = make_rows(t, 529, -1, 10, 3);
	struct evs_diag d;
	uint64_t commits;
	bool hit = true;
	unsigned fails = 0;

	for (long at = 1; hit; at++) {
		struct evs_fresh *f = NULL;
		int rc;

		d = (struct evs_diag){ 0 };
		fail_begin("memory", at, ENOMEM);
		rc = evs_fresh_open(&f, path, &like, 1, &d);
		if (rc == 0)
			rc = evs_fresh_group(f, t, ddl, strlen(ddl), down, false, 0, &d);
		if (rc == 0)
			rc = evs_fresh_group(f, t, ddl, strlen(ddl), up, true, 0, &d);
		if (rc ==
		    0) /* behind it in the file it may have been read from, but not in its order */
			rc = evs_fresh_group(f, t, ddl, strlen(ddl), late, true, 0, &d);
		if (rc == 0)
			rc = evs_fresh_finish(f, NULL, 0, &d);
		hit = fail_end();
		evs_fresh_close(f);
		fails += rc < 0;
		if (rc < 0)
			T_CHECK(rc == EVS_E_NOMEM && hit && d.what[0] && nothing_left());
		else
			T_CHECK(rows_of(200, &commits) == 330 && runs == 2 && commits == 1 &&
				unlink(path) == 0);
	}
	t_check("some failed", fails > 10);
	free_rows(t, down);
	free_rows(t, up);
	free_rows(t, late);
	evs_table_free(t);
}

/* A schema as long as the one before, a longer one, and 16 MiB of rows: new appends; and what
 * cannot be committed ends it. */
static void test_fresh_appends(void)
{
	struct evs_table *t = table(ddl), *u = table(other);
	struct evs_array *some = make_rows(t, 0, 1, 10, 3),
			 *large = make_rows(t, 10, 1, 4200, 4096),
			 *last = make_rows(t, 4210, 1, 10, 3), *more = make_rows(t, 4220, 1, 10, 3);
	struct evs_fresh *f = NULL;
	struct evs_diag d = { 0 };
	char longer[sizeof(other) + 1], *note = NULL;
	uint64_t commits;

	snprintf(longer, sizeof(longer), "%s\n", other);
	T_CHECK(strlen(ddl) == strlen(other));
	T_CHECK(evs_fresh_open(&f, path, &like, 1, &d) == 0);
	T_CHECK(evs_fresh_group(f, t, ddl, strlen(ddl), some, false, 0, &d) == 0);
	T_CHECK(evs_fresh_group(f, u, other, strlen(other), large, false, 0, &d) == 0);
	T_CHECK(evs_fresh_group(f, u, other, strlen(other), last, true, 0, &d) == 0);
	T_CHECK(evs_fresh_group(f, u, longer, strlen(longer), more, true, 0, &d) == 0);
	T_CHECK(evs_fresh_finish(f, NULL, 0, &d) == 0);
	evs_fresh_close(f);
	T_CHECK(rows_of(0, &commits) == 4230);
	t_eq_u64("appends", commits, 4);
	t_check("nothing to set aside", evs_replace_recover(path, NULL, &note, &d) == 0 && !note);
	T_CHECK(unlink(path) == 0 && nothing_left());

	T_CHECK(evs_fresh_open(&f, path, &like, 1, &d) == 0);
	T_CHECK(evs_fresh_group(f, t, ddl, strlen(ddl), some, false, 0, &d) == 0);
	fail_begin("fdatasync", 1, EIO);
	T_CHECK(evs_fresh_group(f, u, other, strlen(other), last, false, 0, &d) == EVS_E_SYS);
	T_CHECK(fail_end());
	evs_fresh_close(f);
	T_CHECK(nothing_left());
	free_rows(t, some);
	free_rows(u, large);
	free_rows(u, last);
	free_rows(u, more);
	evs_table_free(t);
	evs_table_free(u);
}

/* Two begin with the same file: the first one's rows that are gone by then are not forgotten. */
static void test_fresh_twice(void)
{
	struct evs_table *t = table(ddl), *u = table(other);
	struct evs_array *some = make_rows(t, 0, 1, 10, 3);
	struct evs_fresh *f = NULL, *second = NULL;
	struct evs_diag d = { 0 };

	T_CHECK(evs_fresh_open(&f, path, &like, 1, &d) == 0);
	T_CHECK(evs_fresh_group(f, t, ddl, strlen(ddl), some, false, 0, &d) == 0);
	T_CHECK(evs_fresh_group(f, u, other, strlen(other), some, false, 0, &d) == 0);
	T_CHECK(evs_fresh_open(&second, path, &like, 1, &d) == 0);
	T_CHECK(evs_fresh_group(f, t, ddl, strlen(ddl), some, false, 0, &d) == EVS_E_LOCKED);
	evs_fresh_close(f);
	evs_fresh_close(second);
	T_CHECK(nothing_left());

	/* The file is whole, and another one's takes its place before it gets its name. */
	T_CHECK(evs_fresh_open(&f, path, &like, 1, &d) == 0);
	T_CHECK(evs_fresh_group(f, t, ddl, strlen(ddl), some, false, 0, &d) == 0);
	T_CHECK(evs_fresh_group(f, u, other, strlen(other), some, false, 0, &d) == 0);
	T_CHECK(unlink(making) == 0);
	leave(making);
	T_CHECK(evs_fresh_finish(f, NULL, 0, &d) == EVS_E_LOCKED);
	evs_fresh_close(f);
	t_check("the other one's is left", access(path, F_OK) != 0 && unlink(making) == 0);
	/* It is gone altogether, or there is one of its number on another device. */
	for (unsigned moved = 0; moved < 2; moved++) {
		T_CHECK(evs_fresh_open(&f, path, &like, 1, &d) == 0);
		T_CHECK(evs_fresh_group(f, t, ddl, strlen(ddl), some, false, 0, &d) == 0);
		T_CHECK(evs_fresh_group(f, u, other, strlen(other), some, false, 0, &d) == 0);
		T_CHECK(moved || unlink(making) == 0);
		fail_begin("stat", moved, 0);
		fail.action = FAIL_MOVED;
		T_CHECK(evs_fresh_finish(f, NULL, 0, &d) == EVS_E_LOCKED && fail_end() == moved);
		evs_fresh_close(f);
		t_check("no name is given", access(path, F_OK) != 0 && unlink(making) == -!moved);
	}
	free_rows(t, some);
	evs_table_free(t);
	evs_table_free(u);
}

static int remove_one(const char *name, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(name);
}

int main(void)
{
	snprintf(dir, sizeof(dir), "%s/evseg-replace-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/2024-01-01.evs", dir);
	snprintf(making, sizeof(making), "%s/.2024-01-01.evs.salvage", dir);
	test_replace_paths();
	test_sweep_long();
	test_dropped_long();
	test_no_times();
	test_fresh_paths();
	test_fresh_empty();
	test_fresh_unsorted();
	test_fresh_appends();
	test_fresh_twice();
	(void)nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
	return t_done();
}
