/*
 * The reader under test: a file in a stream's folder in memory, and what a scan says of it.
 */
#ifndef EVS_TESTS_DAMAGE_SUBJECT_H
#define EVS_TESTS_DAMAGE_SUBJECT_H

#include "evseg.h"
#include "expect.h"
#include "watch.h"

/* Ways to look at a file. From VIEW_LESS on: all columns but the one of that number. */
enum {
	VIEW_ALL,    /* frame by frame */
	VIEW_PRUNED, /* by INDEX and COMMIT, all times */
	VIEW_LOOSE,  /* without a schema.sql; + the number of the SCHEMA frame whose text is used */
	VIEW_TIMES = VIEW_LOOSE + 8, /* as VIEW_PRUNED, some times; + the number of the span */
	VIEW_LESS = VIEW_TIMES + 64,
	LESS_MAX = VIEWS - VIEW_LESS
};

static inline bool view_is_loose(unsigned view)
{
	return view >= VIEW_LOOSE && view < VIEW_TIMES;
}

static inline bool view_has_times(unsigned view)
{
	return view >= VIEW_TIMES && view < VIEW_LESS;
}

struct subject {
	char dir[128];	  /* all of it */
	char stream[768]; /* folder with schema.sql */
	char path[1024];  /* the file, in its tenant's folder */
	char loose[256];  /* another name of it, outside of any stream */
	int fd;
	uint64_t size;
	int64_t since[VIEW_LESS - VIEW_TIMES], until[VIEW_LESS - VIEW_TIMES];
	char **columns; /* of the answer; names for VIEW_LESS */
	size_t ncolumns;
};

struct report {
	uint64_t off, rows;
	bool known, torn;
	char what[80];
};

struct answer {
	int rc;
	char error[200];
	struct seen *batches;
	size_t nbatches;
	struct report *reports;
	size_t nreports;
	uint64_t *lines; /* hashes of the rows, when wanted */
	size_t nlines, lines_cap;
	bool want_lines;
	uint64_t rows, lost;
	bool damaged;
	struct watch used;
};

enum { MAX_BATCHES = 1 << 16, MAX_REPORTS = 1 << 14 };

/*
 * Make folders for the segment `v`, under `dir`, with its newest schema. `line` is a row of it:
 * where evs_append_*() puts that one is the file's place. NULL: none is known, and nothing is going
 * to be appended.
 */
void subject_open(struct subject *s, const char *dir, const struct version *v, const char *line);
void subject_close(struct subject *s);

/* Let the stream have the schema that a segment holds behind its first `size` bytes. */
void subject_schema(struct subject *s, const uint8_t *bytes, uint64_t size);

/* The file is now these bytes; only [lo, hi) differs from what was put before. */
void subject_put(struct subject *s, const uint8_t *bytes, uint64_t size, uint64_t lo, uint64_t hi);

void answer_init(struct answer *a);
void answer_release(struct answer *a);
void subject_scan(struct subject *s, unsigned view, struct answer *a);

/* What evs_check() finds in the file, remarks aside, the text of the first, and what it took. Or a
 * negative evs_status. */
int64_t subject_check(const struct subject *s, char *first, size_t room, struct watch *used);

/* Compact the file. 0, or the negative evs_status of why it was left as it is. */
int subject_compact(struct subject *s, int64_t now, struct watch *used, struct evs_diag *diag);

/* A compacted file has taken the place of ours: put ours there again. */
void subject_again(struct subject *s);

/* Append lines of NDJSON as one commit, with the clock at `now` (ns). 0, or a negative evs_status.
 */
int subject_append(struct subject *s, const char *lines, size_t len, int64_t now,
		   const char *source, struct evs_diag *diag);

/* First file in the subject's store whose name ends in or, with `inside`, has `part` in it. */
bool subject_find(const struct subject *s, const char *part, char *path, size_t room);

/* The whole file at `path`, malloc'd, or NULL. */
uint8_t *load_file(const char *path, size_t *size);
void store_file(const char *path, const void *data, size_t size);

#endif
