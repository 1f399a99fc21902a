/*
 * What evappend and evcat make of known rows, pinned: every byte of the store, every
 * acknowledgement and account, and what is read, pruned and counted on the way out. All memory and
 * every open file is given back.
 *
 * How rows are cut into groups, when an INDEX is due, which zones and filters are written and used:
 * a store reads back the same whatever comes of that, so that no other test notices when it goes
 * wrong. The clock stands still here and salts are all the same, so that the bytes can be. Who
 * changes them on purpose copies the new lines, which a failure prints.
 */
#define _XOPEN_SOURCE 700
#include "evseg.h"
#include "tests/unit/still.h"
#include "tests/unit/t.h"

#include <ftw.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#define PINNED_ZSTD 10504 /* other versions compress otherwise */

static char store[64], stream[80];
static bool on_tmpfs;

/* ---- taking everything down ------------------------------------------------------------------ */

static struct {
	XXH3_state_t *files;
	uint64_t bytes;
	uint64_t told; /* sum of hashes: two threads acknowledge in any order */
} seen;

static void take_file(const char *path)
{
	static char data[1 << 16];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		abort();
	(void)XXH3_64bits_update(seen.files, path + strlen(store), strlen(path) - strlen(store));
	while ((n = fread(data, 1, sizeof(data), f))) {
		(void)XXH3_64bits_update(seen.files, data, n);
		seen.bytes += n;
	}
	(void)fclose(f);
}

static char *names[2048];
static size_t nnames;

static int note_name(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)at;
	if (kind == FTW_F && nnames < sizeof(names) / sizeof(names[0]))
		names[nnames++] = strdup(path);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void take_files(void)
{
	nnames = 0;
	(void)nftw(store, note_name, 8, FTW_PHYS);
	qsort(names, nnames, sizeof(names[0]), by_name);
	for (size_t i = 0; i < nnames; i++) {
		take_file(names[i]);
		free(names[i]);
	}
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void told(const void *p, size_t n)
{
	seen.told += XXH3_64bits(p, n);
}

/* ---- writing --------------------------------------------------------------------------------- */

static pthread_t feeder;
static unsigned strangers;
static unsigned long first_ack; /* how many calls there had been */

static void on_ack(void *arg, const struct evs_ack *ack)
{
	uint64_t numbers[3] = { ack->seq, ack->rows, ack->source_off };

	(void)arg;
	first_ack = first_ack ? first_ack : calls;
	strangers += !pthread_equal(pthread_self(), feeder);
	told(numbers, sizeof(numbers));
	told(ack->segment + strlen(store), strlen(ack->segment) - strlen(store));
}

static void on_reject(void *arg, uint64_t line, uint64_t off, const char *reason)
{
	uint64_t numbers[2] = { line, off };

	(void)arg;
	told(numbers, sizeof(numbers));
	told(reason, strlen(reason));
}

static void append(const char *text, size_t len, size_t piece, const struct evs_append_opts *how)
{
	struct evs_append_opts opts = *how;
	struct evs_append_stats stats;
	struct evs_appender *a = NULL;
	struct evs_diag diag = { 0 };
	int rc;

	opts.now = NOW;
	opts.on_ack = on_ack;
	opts.on_reject = on_reject;
	rc = evs_append_open(&a, stream, &opts, &diag);
	for (size_t at = 0; rc == 0 && at < len; at += piece)
		rc = evs_append_feed(a, text + at, len - at < piece ? len - at : piece, &diag);
	if (rc == 0)
		rc = evs_append_flush(a, true, &diag);
	if (rc < 0)
		printf("        %s\n", diag.what);
	told(&rc, sizeof(rc));
	if (a) {
		evs_append_stats(a, &stats);
		stats.peak_buffered = 0; /* a matter of timing */
		stats.syncs = 0;	 /* see below */
		told(&stats, sizeof(stats));
	}
	evs_append_close(a);
}

static void apply(const char *ddl)
{
	struct evs_diag diag = { 0 };

	if (evs_store_apply(store, ddl, strlen(ddl), NULL, NULL, NULL, NULL, &diag) < 0) {
		printf("%s\n", diag.what);
		abort();
	}
}

/* ---- rows ------------------------------------------------------------------------------------ */

static char text[8 << 20];
static size_t text_len;

static uint32_t some(uint32_t i, uint32_t salt, uint32_t below)
{
	uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u + salt * 0xbf58476d1ce4e5b9u;

	z = (z ^ z >> 30) * 0x94d049bb133111ebu;
	return (uint32_t)(z >> 33) % below;
}

static const char *const words[] = {
	"start", "stop", "slow", "retry", "ok", "gone", "lost", "\\n"
};

/* Rows first .. last - 1 of `tenants` tenants and a span of `days` days; odd ones are refused. */
static void rows(uint32_t first, uint32_t last, uint32_t tenants, uint32_t days)
{
	char *p = text, *end = text + sizeof(text);

	for (uint32_t i = first; i < last && end - p > 400; i++) {
		uint32_t s = some(i, 1, days * 86400), ms = some(i, 2, 1000);

		p += sprintf(p, "{\"ts\":\"2024-0%u-%02uT%02u:%02u:%02u.%03uZ\"",
			     1 + s / 86400 / 28, 1 + s / 86400 % 28, s / 3600 % 24, s / 60 % 60,
			     s % 60, ms);
		p += sprintf(p, ",\"who\":\"t%u\",\"n\":%u,\"level\":\"%s\"", some(i, 3, tenants),
			     some(i, 4, 50) ? i : i % 7, some(i, 5, 5) ? "info" : "warn");
		if (some(i, 6, 3))
			p += sprintf(p, ",\"text\":\"%s %u %s\"", words[some(i, 7, 8)],
				     some(i, 8, 40), words[some(i, 9, 3)]);
		if (some(i, 10, 4))
			p += sprintf(p, ",\"took\":%u.%02u", some(i, 11, 30), some(i, 12, 100));
		p += sprintf(p, ",\"id\":\"%08x-%04x-4%03x-8%03x-%012x\"", some(i, 13, 1u << 31),
			     some(i, 14, 65536), some(i, 15, 4096), some(i, 16, 4096),
			     some(i, 17, 1u << 31));
		if (!some(i, 18, 9))
			p += sprintf(p, ",\"tags\":[\"%s\",\"b\"],\"more\":{\"a\":%u}",
				     words[some(i, 19, 8)], i);
		if (some(i, 20, 150) == 0)
			p += sprintf(p, ",\"n\":\"no number\"");
		p += sprintf(p, some(i, 21, 200) ? "}\n" : "\n");
	}
	text_len = (size_t)(p - text);
}

#define COLUMNS                                                                                    \
	"ts DateTime64(3) NOT NULL, who LowCardinality(String) NOT NULL, n Int64 NOT NULL, "       \
	"level Enum('info' = 1, 'warn' = 2), text Nullable(String), took Nullable(Float64), "      \
	"id UUID, tags Array(String), CHECK (n >= 0)"

/* ---- reading --------------------------------------------------------------------------------- */

static int on_text(void *arg, const void *data, size_t len)
{
	(void)XXH3_64bits_update(arg, data, len);
	return 0;
}

static void on_damage(void *arg, const struct evs_damage *d)
{
	(void)arg;
	printf("        damage: %s at %llu: %s\n", d->path, (unsigned long long)d->off, d->what);
	told(&d->off, sizeof(d->off));
}

/* Member by member: what later tools add does not change what is pinned. */
static void told_why(const struct evs_scan_explain *w)
{
	uint64_t numbers[] = {
		w->segments,	   w->segments_time, w->segments_tenant,  w->segments_where,
		w->segments_read,  w->bytes,	     w->groups_read,	  w->groups_time,
		w->groups_zones,   w->rows_read,     w->rows_time,	  w->rows_zones,
		w->groups_filters, w->rows_filters,  w->filters_read,	  w->rows_kept,
		w->blocks,	   w->blocks_read,   w->block_bytes_read,
	};

	told(numbers, sizeof(numbers));
}

static void read_back(struct evs_scan_opts opts)
{
	const struct evs_print_opts print = { .output = EVS_NDJSON };
	const char *const paths[] = { stream };
	XXH3_state_t *lines = XXH3_createState();
	struct evs_scan_explain why = { 0 };
	struct evs_printer *p = NULL;
	struct evs_scan *s = NULL;
	struct evs_diag diag = { 0 };
	struct evs_batch *b;
	uint64_t hash;
	int rc;

	opts.on_damage = on_damage;
	opts.now = NOW;
	if (!lines || evs_print_open(&p, &print, on_text, lines, &diag) < 0)
		abort();
	(void)XXH3_64bits_reset(lines);
	rc = evs_scan_open(&s, paths, 1, &opts, &diag);
	while (rc == 0 && (rc = evs_scan_next(s, &b, &diag)) == 1)
		rc = evs_print_batch(p, b, UINT64_MAX, &diag);
	if (rc == 0)
		rc = evs_print_end(p, &diag);
	if (rc < 0)
		printf("        reading: %s\n", diag.what);
	if (s) {
		evs_scan_explained(s, &why);
		told_why(&why);
	}
	hash = XXH3_64bits_digest(lines);
	told(&hash, sizeof(hash));
	evs_scan_close(s);
	evs_print_close(p);
	(void)XXH3_freeState(lines);
}

static void read_all_ways(void)
{
	static const char *const columns[] = { "n", "text" };
	static const char *const tenant[] = { "t1" }, *const key[] = { "level=warn" };
	const int64_t day = 86400000000000, start = 1704067200000000000;

	read_back((struct evs_scan_opts){ 0 });
	read_back((struct evs_scan_opts){ .columns = columns, .ncolumns = 2 });
	read_back((struct evs_scan_opts){ .tenants = tenant, .ntenants = 1 });
	read_back((struct evs_scan_opts){ .keys = key, .nkeys = 1 });
	read_back((struct evs_scan_opts){ .where = "n = 77 OR n = 1500" });
	read_back((struct evs_scan_opts){ .where = "took > 29.9 AND text IS NOT NULL" });
	read_back((struct evs_scan_opts){ .where = "id = '00000000-0000-4000-8000-000000000000'" });
	for (unsigned i = 0; i < 6; i++)
		read_back((struct evs_scan_opts){ .has_since = i != 1,
						  .has_until = i != 2,
						  .since = start + i * 3 * day + i,
						  .until = start + (i + 1) * 4 * day });
}

/* ---- what is pinned -------------------------------------------------------------------------- */

static void many_columns(void)
{
	apply("CREATE TABLE ev (" COLUMNS
	      ", kind String DEFAULT 'all the same', INDEX t text TYPE bloom_filter) "
	      "ENGINE = MergeTree ORDER BY (kind, level, n) PARTITION BY (who, toMonday(ts));\n");
	rows(0, 6000, 3, 13);
	append(text, text_len, 4099, &(struct evs_append_opts){ .flush_rows = 3600 });
	rows(6000, 6400, 5, 20);
	append(text, text_len, text_len, &(struct evs_append_opts){ .source = "s" });
}

/* Enough commits for an INDEX over INDEXes. */
static void many_commits(void)
{
	apply("CREATE TABLE ev (" COLUMNS ") ORDER BY n PARTITION BY (who, toMonday(ts));\n");
	for (uint32_t i = 0; i < 300; i++) {
		char source[8];

		(void)snprintf(source, sizeof(source), "s%u", i % 150);
		rows(i * 3, i * 3 + 3 + i / 150 * 2, 1, 7);
		append(text, text_len, text_len,
		       &(struct evs_append_opts){ .source = i % 3 ? NULL : source });
	}
}

/* The same input again, grown, under a schema that has grown, too. */
static void once_more(void)
{
	apply("CREATE TABLE ev (" COLUMNS ") ORDER BY n PARTITION BY (who, toMonday(ts));\n");
	rows(0, 500, 2, 10);
	append(text, text_len / 2, 1000, &(struct evs_append_opts){ .source = "s" });
	append(text, text_len, 1000, &(struct evs_append_opts){ .source = "s", .flush_rows = 100 });
	apply("CREATE TABLE ev (" COLUMNS ", late Nullable(String)) ORDER BY n "
	      "PARTITION BY (who, toMonday(ts));\n");
	rows(0, 700, 2, 10);
	append(text, text_len, 100, &(struct evs_append_opts){ .source = "s", .zstd_level = 5 });
	append(text, text_len, 100, &(struct evs_append_opts){ .source = "s", .strict = true });
}

/* Groups as large as they get, in one partition of a month and no tenant. */
static void large_groups(void)
{
	apply("CREATE TABLE ev (ts DateTime64(3) NOT NULL, who String, n Int64, level String, "
	      "text Nullable(String), took Nullable(Float64), id String) ORDER BY (n, ts) "
	      "PARTITION BY toYYYYMM(ts);\n");
	for (uint32_t i = 0; i < 3; i++) {
		rows(i * 25000, i * 25000 + 25000, 9, 28);
		append(text, text_len, 65536, &(struct evs_append_opts){ 0 });
	}
}

/* Without a schema; later rows have what the first had not. */
static void inferred(void)
{
	static const char odd[] =
		"{\"ts\":\"2024-01-03T00:00:00Z\",\"n\":\"a word\",\"took\":7,\"new\":true}\n"
		"{\"ts\":\"2024-01-04T00:00:00Z\",\"n\":1e300,\"deep\":{\"a\":[1,2]}}\n"
		"{\"n\":5}\nnull\n\n{\"ts\":\"2024-01-05T00:00:00Z\"}";

	rows(0, 300, 3, 9);
	append(text, text_len, 777, &(struct evs_append_opts){ .tenant = "who" });
	append(odd, sizeof(odd) - 1, 10, &(struct evs_append_opts){ .source = "o" });
	rows(300, 350, 3, 9);
	append(text, text_len, text_len, &(struct evs_append_opts){ .source = "o" });
}

/* Bytes that are no commit at the end of each segment, which are set aside. */
static void tails(void)
{
	apply("CREATE TABLE ev (" COLUMNS ") ORDER BY n PARTITION BY (who, toMonday(ts));\n");
	rows(0, 60, 2, 6);
	append(text, text_len, text_len, &(struct evs_append_opts){ 0 });
	nnames = 0;
	(void)nftw(store, note_name, 8, FTW_PHYS);
	for (size_t i = 0; i < nnames; i++) {
		FILE *f = strstr(names[i], ".evs") ? fopen(names[i], "ab") : NULL;

		if (f && (fputs("left over by a crash", f) < 0 || fclose(f) != 0))
			abort();
		free(names[i]);
	}
	rows(60, 120, 2, 6);
	append(text, text_len, text_len, &(struct evs_append_opts){ 0 });
}

/* More acknowledgements than are held back at a time, by one thread and by two. */
static void many_segments(void)
{
	unsigned long counted;

	apply("CREATE TABLE ev (" COLUMNS ") ORDER BY n PARTITION BY (who, toMonday(ts));\n");
	rows(0, 1200, 700, 6);
	alone = true;
	append(text, text_len, text_len, &(struct evs_append_opts){ 0 });
	alone = false;
	t_check("acknowledged on the way", first_ack && first_ack < calls / 2);
	counted = calls;
	rows(1200, 2400, 700, 6);
	append(text, text_len, text_len, &(struct evs_append_opts){ 0 });
	calls = counted; /* which of them came first is a matter of timing */
}

static const struct {
	const char *name;
	void (*make)(void);
	uint64_t bytes, files, told;
	uint64_t calls;
} pinned[] = {
	{ "many columns", many_columns, 216754, 0x634a4f2d4bd71a5a, 0x9ffba90da2e2b108, 84 },
	{ "many commits", many_commits, 228247, 0x8ccefd566b2937d3, 0xc14f65d0a4f2dfef, 647 },
	{ "once more", once_more, 39491, 0x3fdd7b7473d4c86b, 0x9c878ea3173d1de5, 106 },
	{ "large groups", large_groups, 2035287, 0xc5b1e8c7d3df6902, 0x0c4da54ae6ae0690, 23 },
	{ "inferred", inferred, 24817, 0x7cfec00a47d970bf, 0xf956d585ec83e58b, 58 },
	{ "tails", tails, 7685, 0x289b68ef7f5e1487, 0x7bd8b28bb72b49c5, 31 },
	{ "many segments", many_segments, 1229859, 0x5c50b68378e238f8, 0x7ffbdf50030a98e3, 2335 },
};

static void test_one(size_t i)
{
	long held = pieces;
	unsigned open = open_files();
	uint64_t files;

	(void)mkdir(store, 0777);
	(void)mkdir(stream, 0777);
	(void)XXH3_64bits_reset(seen.files);
	seen.bytes = seen.told = 0;
	calls = first_ack = 0;
	pinned[i].make();
	take_files();
	read_all_ways();
	files = XXH3_64bits_digest(seen.files);
	t_eq_u64("bytes", seen.bytes, pinned[i].bytes);
	t_check("files", files == pinned[i].files);
	if (on_tmpfs)
		t_eq_u64("calls", calls, pinned[i].calls);
	t_check("what is told and read", seen.told == pinned[i].told);
	if (files != pinned[i].files || seen.told != pinned[i].told ||
	    (on_tmpfs && calls != pinned[i].calls))
		printf("        %s: %" PRIu64 ", 0x%016" PRIx64 ", 0x%016" PRIx64 ", %lu\n",
		       pinned[i].name, seen.bytes, files, seen.told, calls);
	(void)nftw(store, remove_one, 8, FTW_PHYS | FTW_DEPTH);
	t_check("all memory is given back", pieces == held);
	t_check("all files are closed", open_files() == open);
	t_check("acknowledged by the thread that feeds", !strangers);
	t_check("each lock was taken and let go", locks == 0);
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	struct statfs fs;

	if (ZSTD_versionNumber() != PINNED_ZSTD) {
		printf("this zstd compresses otherwise than the one that the bytes were taken from\n");
		T_CHECK(true);
		return t_done();
	}
	if (!tmp)
		tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	(void)snprintf(store, sizeof(store), "%.40s/evseg-pinned-XXXXXX", tmp);
	feeder = pthread_self();
	seen.files = XXH3_createState();
	if (!seen.files || !mkdtemp(store))
		return 1;
	on_tmpfs = statfs(store, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
	(void)snprintf(stream, sizeof(stream), "%s/ev", store);
	for (size_t i = 0; i < sizeof(pinned) / sizeof(pinned[0]); i++)
		test_one(i);
	(void)XXH3_freeState(seen.files);
	return t_done();
}
