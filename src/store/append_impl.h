/*
 * The appender's inside, shared by the append_*.c files.
 */
#ifndef EVS_STORE_APPEND_IMPL_H
#define EVS_STORE_APPEND_IMPL_H

#include "format/bytes.h"
#include "format/commit.h"
#include "src/expr/expr.h"
#include "src/json/json.h"
#include "src/store/flush.h"
#include "src/store/io.h"
#include "src/store/path.h"
#include "src/store/reject.h"
#include "src/store/spool.h"

/* A chunk is what is parsed before it is checked and spooled together: rows, bytes of input, rows
 * times columns, and bytes of rows whose columns have fixed widths, or elements. */
#define CHUNK_ROWS   4096u
#define CHUNK_BYTES  ((size_t)1 << 20)
#define CHUNK_CELLS  ((size_t)1 << 17)
#define CHUNK_MEMORY ((size_t)2 << 20)

/* Bytes of rows in memory before they are spilled or flushed, and with how many the next chunk
 * would be too much. */
#define SPOOL_MEMORY	 (12u << 20)
#define SPOOL_RELIEF	 (SPOOL_MEMORY - ((size_t)5 << 18))
#define LARGE_ROW	 ((size_t)3 << 20)   /* in memory: nothing else is collected with it */
#define INFER_BYTES	 (4u << 20)	     /* input looked at before a schema is inferred */
#define FLUSH_BYTES	 ((uint64_t)1 << 30) /* of input: flushed at the latest then */
#define IDLE_INTERVAL_MS 1000  /* age at which rows are committed while the input rests */
#define BUSY_INTERVAL_MS 10000 /* ... while it keeps coming */

/* A row of the chunk, for rejects that are found after parsing. */
struct chunk_row {
	uint64_t line, off;
	const char *raw; /* in the caller's or our buffer, until the chunk is finished */
	size_t len;
	uint64_t begin, end; /* offsets in the source */
};

/* Rows that were parsed by one thread, before they are checked and spooled. */
struct chunk {
	struct evs_json_reader *reader;
	struct evs_array *cols; /* table's and the spool's own */
	struct chunk_row rows[CHUNK_ROWS];
	uint32_t nrows;
	size_t bytes; /* of their lines */
};

struct evs_appender {
	struct evs_append_opts opts;
	struct evs_append_stats stats;
	struct evs_wait wait;
	char *dir;  /* of the stream */
	char *name; /* of the stream */
	char *source, *file;
	struct evs_table *table; /* NULL until there is a schema */
	struct evs_eval *eval;
	struct evs_rejects rejects;
	struct evs_spool *spool;
	struct evs_helper helper; /* the second thread */
	struct evs_flush flush;
	bool flush_ready;
	int failed; /* first error, for good */

	/* input */
	struct evs_buf carry; /* beginning of a line whose end has not come */
	uint64_t line;	      /* lines of this file so far */
	uint64_t off;	      /* bytes of this file so far, up to the next line */
	uint64_t total;	      /* bytes of the source so far, up to the next line */
	bool overlong;	      /* inside a line longer than EVS_MAX_LINE */
	uint64_t long_begin;  /* where it begins in the source */
	uint64_t flushed_total;
	int64_t first_pending; /* monotonic ns of the oldest row not committed; 0: none */

	/* chunks */
	struct chunk chunk[2];	/* the second is the helper's */
	struct chunk *at;	/* the one that is being filled, or checked */
	bool split;		/* the helper reads lines behind those at hand */
	bool ahead;		/* opts.ahead was called since the last piece */
	unsigned share;		/* of the bytes, what it has been good for: of SPLIT_WHOLE */
	uint32_t max_rows;	/* of a chunk */
	struct evs_array *kept; /* its columns, without rows that failed */
	uint32_t *seg, *idx;
	bool *bad;
	bool large;	    /* a row of more than LARGE_ROW was spooled */
	uint32_t first_bad; /* `strict`: row of the chunk that ends the run */
	char first_reason[512];

	/* inference */
	struct evs_infer *infer; /* NULL unless this run makes the schema */
	struct evs_buf sample;	 /* input held back until there is a schema */
};

/* Make everything that depends on the table. Takes over `t`, also on failure. */
int evs_append_set_table(struct evs_appender *a, struct evs_table *t, struct evs_diag *diag);
void evs_append_drop_table(struct evs_appender *a);

/* Take complete lines: data ends with a newline, or the last line is to be taken as it is. */
int evs_append_lines(struct evs_appender *a, const char *data, size_t len, struct evs_diag *diag);

/* One line, without its newline, which may be missing. */
int evs_append_line(struct evs_appender *a, const char *raw, size_t len, size_t newline,
		    struct evs_diag *diag);

/*
 * append_split.c: take whole lines from *from up to `end`, a part of them read by the helper. 0
 * with *from moved on: what is not taken begins with a line that evs_append_line() is to take.
 */
bool evs_append_can_split(const struct evs_appender *a, size_t len);
int evs_append_split(struct evs_appender *a, const char **from, const char *end,
		     struct evs_diag *diag);

/* A line was read as row c->nrows. */
void evs_chunk_add(struct chunk *c, const struct chunk_row *row);
bool evs_chunk_full(const struct chunk *c, const struct evs_appender *a);
/* No rows. */
void evs_chunk_clear(struct chunk *c, const struct evs_appender *a);

/* Check, partition and spool the rows of the chunk. EVS_E_STOP when `strict` met a bad one. */
int evs_append_chunk(struct evs_appender *a, struct evs_diag *diag);

int evs_append_reject(struct evs_appender *a, const struct chunk_row *row, const char *reason,
		      struct evs_diag *diag);

/* Has the caller asked for commits as small as what has come? */
bool evs_append_due(const struct evs_appender *a);

/* Commit, spill, or go on, as rows, bytes, memory and age say. */
int evs_append_relieve(struct evs_appender *a, struct evs_diag *diag);

/* Commit all that is spooled. */
int evs_append_commit(struct evs_appender *a, struct evs_diag *diag);

/* Does the sample hold a whole line that is a JSON object? */
bool evs_append_can_infer(const struct evs_appender *a);

/* Infer a schema from the sample, write schema.sql, and take the sample's rows. */
int evs_append_infer(struct evs_appender *a, struct evs_diag *diag);
/* A schema.sql that inference wrote and nobody edited goes on being widened: set a->infer then. */
int evs_append_resume_infer(struct evs_appender *a, const struct evs_table *t,
			    struct evs_diag *diag);
/* A row did not fit the inferred schema: widen it. 1 when the row may be tried again. */
int evs_append_widen(struct evs_appender *a, const struct chunk_row *row, struct evs_diag *diag);

int64_t evs_append_now(const struct evs_appender *a);

#endif
