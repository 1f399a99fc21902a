/*
 * A segment of numbered rows in a folder of its own, for tests of what writes and reads it.
 *
 * Rows have a time, which is always the same, a number and a text. After segment_begin() there is a
 * folder and no segment; segment_end() takes the folder away, which must be empty again but for the
 * segment.
 */
#ifndef EVS_TESTS_SEGMENT_ROWS_H
#define EVS_TESTS_SEGMENT_ROWS_H

#include "src/store/io.h"
#include "src/store/segment_write.h"
#include "tests/unit/t.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LO ((int64_t)1704067200) /* Monday 2024-01-01 */

static char dir[64], path[96], fresh_path[96];
static struct evs_encoder *enc;
static int64_t row_time = LO * 1000000000;

static struct evs_seg_spec spec = {
	.dir = dir,
	.name = "2024-01-01.evs",
	.stream = "ev",
	.tenant = "acme",
	.tenant_len = 4,
	.lo = LO,
	.hi = LO + 7 * 86400,
	.unit = 1,
	.schema = "any text is a schema here",
	.schema_len = 25,
};

struct rows {
	struct evs_array cols[3]; /* time, number, text */
	struct evs_seg_rows r;
};

/* Rows numbered from `first`, with texts of `bytes` bytes that do not compress. */
static inline void make_rows(struct rows *w, uint64_t first, uint32_t n, size_t bytes)
{
	static const uint16_t filtered[] = { 1, 2 };
	uint64_t z = first + 1;

	evs_array_init(&w->cols[0], EVS_INT, 4, false);
	evs_array_init(&w->cols[1], EVS_INT, 8, true);
	evs_array_init(&w->cols[2], EVS_BYTES, 0, false);
	for (uint32_t i = 0; i < n; i++) {
		char text[4096];

		for (size_t k = 0; k < bytes; k++) {
			z = z * 6364136223846793005u + 1442695040888963407u;
			text[k] = (char)(z >> 56);
		}
		if (evs_array_append_int(&w->cols[0], (uint64_t)LO) < 0 ||
		    evs_array_append_int(&w->cols[1], first + i) < 0 ||
		    evs_array_append_bytes(&w->cols[2], text, bytes) < 0)
			abort();
	}
	w->r = (struct evs_seg_rows){ .cols = w->cols,
				      .ncols = 3,
				      .time_min = row_time,
				      .time_max = row_time,
				      .filtered = filtered,
				      .nfiltered = 2 };
}

static inline void free_rows(struct rows *w)
{
	for (unsigned i = 0; i < 3; i++)
		evs_array_release(&w->cols[i]);
}

/* A commit of `n` rows in groups of `each`. */
static inline int append(uint64_t first, uint32_t n, uint32_t each, size_t bytes)
{
	struct evs_seg_writer w;
	struct rows rows;
	int rc = evs_segw_open(&w, &spec, NULL);

	for (uint32_t i = 0; rc == 0 && i < n; i += each) {
		make_rows(&rows, first + i, each, bytes);
		rc = evs_segw_group(&w, enc, &rows.r, NULL);
		free_rows(&rows);
	}
	if (rc == 0)
		rc = evs_segw_commit(&w, spec.source, first + n, 1, NULL);
	evs_segw_close(&w);
	return rc;
}

static inline void on_damage(void *arg, const struct evs_damage *d)
{
	(void)d;
	++*(unsigned *)arg;
}

/* How many rows there are, numbered 0, 1 ...; -1: it cannot be read, -2: others; -3: something is
 * told. */
static inline int64_t count(void)
{
	struct evs_segment *s = NULL;
	const struct evs_group *g;
	struct evs_array n;
	unsigned told = 0;
	int64_t rows = 0;
	uint64_t off;
	int rc = evs_segment_open(&s, path, on_damage, &told, NULL);

	if (rc < 0)
		return -1;
	evs_array_init(&n, EVS_INT, 8, true);
	while (rc == 0 && (rc = evs_segment_next(s, &g, &off, NULL)) == 1) {
		rc = evs_segment_column(s, 1, &n, NULL);
		for (uint32_t i = 0; rc == 0 && i < n.rows; i++)
			if ((int64_t)evs_array_int(&n, i) != rows++)
				rc = -2;
	}
	evs_array_release(&n);
	evs_segment_close(s);
	return rc < 0 ? rc : told ? -3 : rows;
}

static inline uint64_t size_of(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static inline void flip(uint64_t at)
{
	FILE *f = fopen(path, "r+b");
	int byte;

	if (!f || fseek(f, (long)at, SEEK_SET) != 0 || (byte = fgetc(f)) == EOF ||
	    fseek(f, (long)at, SEEK_SET) != 0 || fputc(byte ^ 1, f) == EOF || fclose(f) != 0)
		abort();
}

static inline void away(void)
{
	(void)unlink(path);
	(void)unlink(fresh_path);
}

static inline void segment_begin(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	const struct evs_encoder_opts opts = { .zstd_level = 1, .packed_below = 4096 };

	snprintf(dir, sizeof(dir), "%s/evseg-segment-XXXXXX", base);
	if (!mkdtemp(dir) || evs_encoder_new(&enc, &opts) < 0)
		abort();
	snprintf(path, sizeof(path), "%s/2024-01-01.evs", dir);
	snprintf(fresh_path, sizeof(fresh_path), "%s/.2024-01-01.evs.new", dir);
}

static inline void segment_end(void)
{
	away();
	evs_encoder_free(enc);
	T_CHECK(rmdir(dir) == 0);
}

#endif
