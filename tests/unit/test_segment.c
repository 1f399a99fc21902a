/*
 * Segments: written commit by commit and read back, by the walk and by the tree; time spans; INDEX
 * and sources; and what readers and writers make of ends that are cut, torn or damaged
 * (spec/segment.md 9 and 10).
 */
#include "tests/unit/t.h"
#include "src/store/segment_write.h"
#include "src/store/store.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY    ((int64_t)86400)
#define LO     (1704067200 / DAY * DAY) /* Monday 2024-01-01 */
#define SECOND ((int64_t)1000000000)

static char dir[64], path[128];
static const char schema[] =
	"CREATE TABLE ev (ts DateTime NOT NULL, n Int64) ORDER BY ts PARTITION BY toMonday(ts);\n";

static struct evs_seg_spec spec = {
	.dir = dir,
	.name = "2024-01-01.evs",
	.stream = "ev",
	.tenant = "",
	.lo = LO,
	.hi = LO + 7 * DAY,
	.unit = EVS_UNIT_WEEK,
	.schema = schema,
	.schema_len = sizeof(schema) - 1,
};

static int put_noise(struct evs_array *a, uint32_t i, uint32_t rows)
{
	uint8_t noise[crypto_generichash_BYTES];

	if (rows < 100)
		return evs_array_append_null(a);
	crypto_generichash(noise, sizeof(noise), (uint8_t *)&i, sizeof(i), NULL, 0);
	return evs_array_append_bytes(a, noise, sizeof(noise));
}

/* A commit of `rows` rows, numbered from `first`, all of the time `sec` of the partition; many rows
 * are noisy, too. */
static int append(uint64_t first, uint32_t rows, int64_t sec, const char *source, uint64_t off)
{
	static struct evs_encoder *enc;
	const struct evs_encoder_opts opts = { .zstd_level = 1, .packed_below = 4096 };
	struct evs_seg_writer w;
	struct evs_array cols[3];
	struct evs_seg_rows r = { .cols = cols,
				  .ncols = 3,
				  .time_min = (LO + sec) * SECOND,
				  .time_max = (LO + sec) * SECOND };
	int rc;

	if (!enc && evs_encoder_new(&enc, &opts) < 0)
		abort();
	evs_array_init(&cols[0], EVS_INT, 4, false);
	evs_array_init(&cols[1], EVS_INT, 8, true);
	evs_array_init(&cols[2], EVS_BYTES, 0, false);
	for (uint32_t i = 0; i < rows; i++)
		if (evs_array_append_int(&cols[0], (uint64_t)(LO + sec)) < 0 ||
		    evs_array_append_int(&cols[1], first + i) < 0 ||
		    put_noise(&cols[2], i, rows) < 0)
			abort();
	spec.source = source;
	rc = evs_segw_open(&w, &spec, NULL);
	if (rc == 0)
		rc = evs_segw_group(&w, enc, &r, NULL);
	if (rc == 0)
		rc = evs_segw_commit(&w, source, off, 1, NULL);
	evs_segw_close(&w);
	for (unsigned i = 0; i < 3; i++)
		evs_array_release(&cols[i]);
	if (!rows) {
		evs_encoder_free(enc);
		enc = NULL;
	}
	return rc;
}

struct told {
	unsigned times;
	uint64_t rows;
};

static void on_damage(void *arg, const struct evs_damage *d)
{
	struct told *t = arg;

	t->times++;
	t->rows += d->rows;
}

/* Rows with LO + from <= time < LO + to, read `how`; their numbers must ascend. -1: not in order,
 * or an error. */
static int64_t count(enum evs_walk how, int64_t from, int64_t to, struct told *told)
{
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	struct evs_array n, noise;
	int64_t rows = 0, last = -1;
	struct evs_diag d;
	uint64_t off;
	int rc;

	*told = (struct told){ 0 };
	if (evs_segment_open(&s, path, on_damage, told, NULL) < 0)
		return -1;
	evs_array_init(&n, EVS_INT, 8, true);
	evs_array_init(&noise, EVS_BYTES, 0, false);
	evs_segment_rewind(s, how, (LO + from) * SECOND, (LO + to) * SECOND);
	while ((rc = evs_segment_next(s, &g, &off, NULL)) == 1) {
		if (evs_segment_column(s, 1, &n, &d) < 0 ||
		    evs_segment_column(s, 2, &noise, &d) < 0) {
			evs_segment_lost(s, &d);
			continue;
		}
		for (uint32_t i = 0; i < n.rows; i++) {
			if ((int64_t)evs_array_int(&n, i) <= last)
				rc = -1;
			last = (int64_t)evs_array_int(&n, i);
		}
		if (rc < 0)
			break;
		rows += g->rows;
	}
	evs_array_release(&n);
	evs_array_release(&noise);
	evs_segment_close(s);
	return rc < 0 ? -1 : rows;
}

static uint64_t source_state(const char *source)
{
	struct evs_seg_writer w;
	uint64_t off;

	spec.source = source;
	off = evs_segw_open(&w, &spec, NULL) == 0 ? w.source_off : UINT64_MAX;
	evs_segw_close(&w);
	return off;
}

static uint64_t size_of(const char *p)
{
	struct stat st;

	return stat(p, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void poke(uint64_t at, size_t n, int byte)
{
	uint8_t buf[4096];
	int fd = open(path, O_RDWR);

	while (n) {
		size_t k = n < sizeof(buf) ? n : sizeof(buf);

		if (byte < 0) {
			if (pread(fd, buf, k, (off_t)at) != (ssize_t)k)
				abort();
			for (size_t i = 0; i < k; i++)
				buf[i] ^= 0x40;
		} else {
			memset(buf, byte, k);
		}
		if (pwrite(fd, buf, k, (off_t)at) != (ssize_t)k)
			abort();
		at += k;
		n -= k;
	}
	(void)close(fd);
}

static void cut(uint64_t size)
{
	if (truncate(path, (off_t)size) != 0)
		abort();
}

static unsigned tails(void)
{
	char cmd[256];
	FILE *p;
	unsigned n = 0;

	(void)snprintf(cmd, sizeof(cmd), "ls %s | grep -c tail", dir);
	p = popen(cmd, "r");
	if (!p || fscanf(p, "%u", &n) != 1)
		abort();
	(void)pclose(p);
	return n;
}

static void fresh(void)
{
	char cmd[128];

	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s/*", dir);
	if (system(cmd) != 0)
		abort();
}

/* ---- many commits ---------------------------------------------------------------------------- */

/* Commit i has one row, number i, of second i. More than 64 * 64 of them make a tree of three
 * levels. */
static void test_tree(uint32_t commits)
{
	static const struct {
		int64_t from, to;
	} spans[] = { { 0, 1 },	    { 5, 70 },	  { 63, 65 },	 { 64, 128 },
		      { 100, 101 }, { 130, 400 }, { 0, 1000000 } };
	struct told told;
	bool ok = true;

	for (uint32_t i = 0; i < commits && ok; i++) {
		ok = append(i, 1, i, i % 3 ? "s" : "another", i + 1) == 0;
	}
	t_check("every commit", ok);
	t_eq_u64("walk", (uint64_t)count(EVS_WALK_ALL, 0, 1000000, &told), commits);
	t_eq_u64("walk: no damage", told.times, 0);
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		int64_t to = spans[i].to < commits ? spans[i].to : commits;

		t_eq_u64("rows of the span",
			 (uint64_t)count(EVS_WALK_PRUNED, spans[i].from, spans[i].to, &told),
			 (uint64_t)(to > spans[i].from ? to - spans[i].from : 0));
		t_eq_u64("span: no damage", told.times, 0);
	}
	t_eq_u64("source", source_state("s"), commits - ((commits - 1) % 3 == 0));
	t_eq_u64("another source", source_state("another"), (commits - 1) / 3 * 3 + 1);
	t_eq_u64("no such source", source_state("t"), 0);
}

/* Every frame of the way damaged in turn: what is intact is delivered once, what is lost is
 * counted. */
static void test_damaged_tree(uint32_t commits)
{
	uint64_t size = size_of(path), step = size / 97 / 8 * 8;
	bool balanced = true;

	for (uint64_t at = 4096; at + 256 < size && balanced; at += step) {
		struct told told, whole = { 0 };
		int64_t rows;

		poke(at, 1, -1);
		for (int how = 0; how < 2 && balanced; how++) {
			rows = count(how ? EVS_WALK_PRUNED : EVS_WALK_ALL, 0, 1000000, &told);
			balanced = rows >= 0 && (uint64_t)rows + told.rows == commits;
			if (!balanced)
				printf("        at %llu (%d): %lld rows, %llu lost\n",
				       (unsigned long long)at, how, (long long)rows,
				       (unsigned long long)told.rows);
			balanced &= how || told.times;
			if (!how)
				whole = told;
		}
		/* A late span: what lies before is passed over, by whatever way. */
		rows = count(EVS_WALK_PRUNED, commits - 70, 1000000, &told);
		if (rows < 0 || rows + (int64_t)told.rows < 70 || told.times > whole.times ||
		    told.rows > whole.rows) {
			printf("        at %llu: %lld of the last 70; told %u, %llu lost\n",
			       (unsigned long long)at, (long long)rows, told.times,
			       (unsigned long long)told.rows);
			balanced = false;
		}
		poke(at, 1, -1);
	}
	t_check("damage costs its own rows, and is counted", balanced);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void begin(uint64_t *end1, uint64_t *end2)
{
	fresh();
	t_check("first commit", append(0, 10, 0, NULL, 0) == 0);
	*end1 = size_of(path);
	t_check("second commit", append(10, 3000, 1, NULL, 0) == 0);
	*end2 = size_of(path);
}

static void test_cut(void)
{
	uint64_t a, b;
	struct told told;
	bool read = true, go_on = true;

	begin(&a, &b);
	for (uint64_t size = b - 1; size > a;
	     size -= size > b - 140 || size < a + 50 ? 1 : (size - a) / 3 + 1) {
		bool whole = size >= b - EVS_TRAILER_SIZE;

		cut(size);
		read &= count(EVS_WALK_ALL, 0, 9, &told) == (whole ? 3010 : 10) &&
			told.times == 1 && !told.rows;
		go_on &= append(5000, 1, 2, NULL, 0) == 0 &&
			 count(EVS_WALK_ALL, 0, 9, &told) == (whole ? 3011 : 11) && !told.times;
		go_on &= tails() == !whole;
		begin(&a, &b);
	}
	t_check("a cut file gives what was committed before", read);
	t_check("and can be appended to, the rest set aside", go_on);
}

/* A tail of zeros so long that the trailers lie around the places where the search back takes its
 * steps. */
static void test_long_tails(void)
{
	const uint64_t step = (128u << 10) - 64;
	uint64_t end1, end2;
	bool found = true;

	begin(&end1, &end2);
	for (uint64_t k = 1; k <= 2; k++)
		for (uint64_t tail = k * step - 160; tail <= k * step + 160; tail += 8) {
			struct told told;

			if (truncate(path, (off_t)end2) != 0 ||
			    truncate(path, (off_t)(end2 + tail)) != 0)
				abort();
			found &= count(EVS_WALK_ALL, 0, 1000000, &told) == 3010 &&
				 told.times == 1 && !told.rows;
		}
	t_check("commits before long tails", found);
}

/* A trailer copy damaged: nothing lost, said, and written again by the next writer. */
static void test_trailers(void)
{
	uint64_t a, b;
	struct told told;

	for (unsigned copy = 1; copy <= 2; copy++) {
		begin(&a, &b);
		poke(b - copy * EVS_TRAILER_SIZE + 20, 1, -1);
		t_check("all rows, and told",
			count(EVS_WALK_ALL, 0, 9, &told) == 3010 && told.times && !told.rows);
		t_check("appended", append(5000, 1, 2, NULL, 0) == 0);
		t_check("mended", count(EVS_WALK_ALL, 0, 9, &told) == 3011 && !told.times);
		t_eq_u64("nothing set aside", tails(), 0);
	}
	begin(&a, &b);
	poke(b - EVS_TRAILERS_SIZE, EVS_TRAILERS_SIZE, -1);
	t_check("both gone: a tail", count(EVS_WALK_ALL, 0, 9, &told) == 10 && told.times == 1);
}

/* A power cut keeps some sectors of the append from the disk: zeros in the group, or wrong bytes.
 */
static void test_torn(void)
{
	uint64_t a, b, sector;
	struct told told;

	begin(&a, &b);
	sector = (a + 1024) / 512 * 512;
	poke(sector, 512, 0);
	t_check("a zero sector: unclear, not delivered",
		count(EVS_WALK_ALL, 0, 9, &told) == 10 && told.times == 1 && told.rows == 3000);
	t_check("set aside", append(5000, 1, 2, NULL, 0) == 0 && tails() == 1);
	t_check("and gone on", count(EVS_WALK_ALL, 0, 9, &told) == 11 && !told.times);

	begin(&a, &b);
	poke(a + 1024, 1, -1);
	t_check("a wrong byte: damage, counted",
		count(EVS_WALK_ALL, 0, 9, &told) == 10 && told.rows == 3000);
	t_check("appending goes on behind it", append(5000, 1, 2, NULL, 0) == 0 && tails() == 0);

	begin(&a, &b);
	poke(b - EVS_TRAILERS_SIZE - 8, 1, -1);
	t_check("the newest COMMIT damaged: its rows are read",
		count(EVS_WALK_ALL, 0, 9, &told) == 3010 && told.times);
	t_check("but nothing can follow", append(5000, 1, 2, NULL, 0) == EVS_E_FORMAT);
}

/* The newest commit is read once: it is there when its bytes no longer are, until it is taken,
 * forgotten or another one is kept. */
static void test_kept(void)
{
	struct evs_tail t = { 0 };
	struct evs_buf payload = { 0 };
	struct evs_commit c = { 0 };
	struct evs_head h = { 0 };
	struct evs_file f;
	struct stat st;
	bool bad[2];
	int fd;

	fresh();
	T_CHECK(append(0, 10, 60, NULL, 0) == 0 && append(10, 10, 61, NULL, 0) == 0);
	fd = open(path, O_RDWR);
	T_CHECK(fd >= 0 && fstat(fd, &st) == 0);
	for (unsigned how = 0; how < 3; how++) {
		uint64_t at;

		evs_file_init(&f, fd, path);
		T_CHECK(evs_file_head(&f, (uint64_t)st.st_size, &h, &t.start, bad, NULL, NULL) ==
			0);
		t.size = (uint64_t)st.st_size;
		T_CHECK(evs_tail_find(&f, &t, NULL) == 0 && t.have_commit);
		at = t.trailer.commit_off;
		f.win[0].len = f.win[1].len = 0;
		f.fd = -1;
		if (how == 1)
			evs_file_forget(&f);
		T_CHECK(evs_file_commit(&f, at, how == 2 ? t.end - 8 : t.end, &c, &payload, NULL) ==
			(how ? EVS_E_SYS : 0));
		T_CHECK(how || (c.seq == 2 && c.rows == 10 && c.ngroups == 1));
		evs_commit_release(&c);
		T_CHECK(how || evs_file_commit(&f, at, t.end, &c, &payload, NULL) == EVS_E_SYS);
		evs_commit_release(&c);
		evs_head_release(&h);
		evs_file_release(&f);
	}
	evs_buf_release(&payload);
	(void)close(fd);
}

static void test_refusals(void)
{
	struct evs_seg_spec own = spec;
	uint64_t a, b;
	struct told told;

	begin(&a, &b);
	spec.hi += 24 * DAY;
	t_check("another partition of the same name", append(1, 1, 2, NULL, 0) == EVS_E_FORMAT);
	spec = own;
	spec.tenant = "x";
	spec.tenant_len = 1;
	t_check("another tenant", append(1, 1, 2, NULL, 0) == EVS_E_FORMAT);
	spec = own;
	t_check("untouched", size_of(path) == b && count(EVS_WALK_ALL, 0, 9, &told) == 3010);
	cut(0);
	t_check("empty",
		append(1, 1, 2, NULL, 0) == EVS_E_FORMAT && count(EVS_WALK_ALL, 0, 9, &told) == -1);
}

/* One that does not wait must not take away the file that another is making. */
static void test_no_wait(void)
{
	struct evs_seg_writer w, other;
	static const struct evs_wait never = { .never = true };
	struct evs_seg_spec hasty = spec;
	char made[160];

	fresh();
	hasty.wait = &never;
	(void)snprintf(made, sizeof(made), "%s/.2024-01-01.evs.new", dir);
	t_check("one makes it", evs_segw_open(&w, &spec, NULL) == 0);
	t_check("another is told", evs_segw_open(&other, &hasty, NULL) == EVS_E_LOCKED);
	evs_segw_close(&other);
	t_check("the file is still there", access(made, F_OK) == 0);
	t_check("and becomes the segment",
		evs_segw_commit(&w, NULL, 0, 1, NULL) == 0 && access(path, F_OK) == 0);
	evs_segw_close(&w);
	t_check("nothing is left", access(made, F_OK) != 0);
}

int main(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	uint32_t commits = *(base + 1) == 'd' ? 4300 : 300;
	char cmd[128];

	(void)snprintf(dir, sizeof(dir), "%s/evseg-segment-XXXXXX", base);
	if (!mkdtemp(dir))
		abort();
	(void)snprintf(path, sizeof(path), "%s/2024-01-01.evs", dir);
	test_tree(commits);
	test_damaged_tree(commits);
	test_cut();
	test_long_tails();
	test_trailers();
	test_torn();
	test_kept();
	test_refusals();
	test_no_wait();
	fresh();
	(void)append(0, 0, 0, NULL, 0); /* frees */
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd) != 0 ? 1 : t_done();
}
