/*
 * evseg: events in append-only columnar segments, one file per tenant and week.
 *
 * This is the only header a program needs; link with -levseg. The bytes on disk are described in
 * spec/segment.md, the folder in spec/store.md, schemas in spec/schema.md.
 *
 * Conventions. Functions return 0, a positive number where their comment says so, or a negative
 * code of enum evs_status. When they fail and `diag` is not NULL it says what, where and what to
 * do. Handles belong to one thread at a time; different handles may be used from different threads
 * at once, on the same files too. The library never prints, never exits, and installs no signal
 * handlers. Strings are UTF-8. Times are nanoseconds since 1970-01-01 00:00 UTC in int64_t unless a
 * name ends in another unit.
 */
#ifndef EVSEG_H
#define EVSEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EVSEG_VERSION "0.1.0"

const char *evs_version(void);

/* ---- results --------------------------------------------------------------------------------- */

enum evs_status {
	EVS_S_OK = 0,
	EVS_S_SYS = -1,	    /* operating system; errno in diag->sys */
	EVS_S_NOMEM = -2,   /* out of memory, or a memory cap reached */
	EVS_S_FORMAT = -3,  /* damaged, or not a segment */
	EVS_S_VERSION = -4, /* written by a newer evseg */
	EVS_S_USAGE = -5,   /* the caller asked for something that makes no sense */
	EVS_S_SCHEMA = -6,  /* DDL is wrong, or schemas do not go together */
	EVS_S_QUERY = -7,   /* an expression is wrong */
	EVS_S_LIMIT = -8,   /* a cap of the spec would be broken */
	EVS_S_LOCKED = -9,  /* another writer is at work, and waiting was not wanted */
	EVS_S_DATA = -10,   /* a value does not fit its column */
	EVS_S_STOP = -11,   /* stopped by a callback or by `strict` */
};

/* What went wrong. Plain data, owned by the caller; zeroed is "nothing". */
struct evs_diag {
	int err;       /* enum evs_status */
	int sys;       /* errno, or 0 */
	uint32_t line; /* 1-based place in a text, 0 when it has none */
	uint32_t col;
	bool has_off;
	uint64_t off;	 /* byte offset in a file, or row of a batch */
	char path[1024]; /* file concerned, or "" */
	char what[1024]; /* one sentence, no newline: what, and what to do */
	char word[256];	 /* the offending word of a DDL or expression, or "" */
};

/* Short name of a status, such as "schema error"; a constant. */
const char *evs_status_name(int err);

/* Exit status that the tools give for `err` (DESIGN 4): 0, 1, 2, 3 or 4. */
int evs_exit_status(int err);

/* ---- schemas --------------------------------------------------------------------------------- */

/* A text for the user, e.g. a clause that was skipped. `line` is 0 when it has none. */
typedef void evs_text_fn(void *arg, uint32_t line, const char *text);

/* What evs_store_apply() and evs_store_check() tell of each stream. */
enum evs_apply_result {
	EVS_APPLY_CREATED = 1,
	EVS_APPLY_SAME = 2,
	EVS_APPLY_CHANGED = 3, /* columns gained, types widened */
	EVS_APPLY_MISSING = 4, /* check: not in the store */
	EVS_APPLY_DIFFERS = 5, /* check: there, but other */
	EVS_APPLY_EXTRA = 6,   /* check: in the store, not in the file */
};
typedef void evs_apply_fn(void *arg, const char *stream, enum evs_apply_result result,
			  const char *detail);

/*
 * Make the streams of a DDL text in the store folder `store` (made when absent). All or nothing as
 * far as errors in the text or incompatible changes go: they are found before anything is written.
 * Applying the same text again is harmless.
 */
int evs_store_apply(const char *store, const char *ddl, size_t len, evs_text_fn *note,
		    void *note_arg, evs_apply_fn *report, void *report_arg, struct evs_diag *diag);

/* Compare only. Returns 0 when all is as the text says, 1 when something is missing or differs. */
int evs_store_check(const char *store, const char *ddl, size_t len, evs_text_fn *note,
		    void *note_arg, evs_apply_fn *report, void *report_arg, struct evs_diag *diag);

/*
 * Schema text of a store (all streams), a stream, a tenant or a segment. `*text` is malloc'd and
 * zero-terminated; free() it.
 */
int evs_schema_show(const char *path, char **text, size_t *len, struct evs_diag *diag);

/* ---- appending ------------------------------------------------------------------------------- */

struct evs_append_stats {
	uint64_t in; /* lines that were not blank; = stored + duplicate + rejected, plus, after an
		      * error, rows that were read and not stored */
	uint64_t stored;
	uint64_t duplicate; /* already in the store, by `source` */
	uint64_t rejected;
	uint64_t bytes_in;  /* of input */
	uint64_t bytes_out; /* written to segments */
	uint64_t commits;
	uint64_t segments;	 /* touched, each counted once a flush */
	uint64_t syncs;		 /* fdatasync calls on segments, but for tails */
	uint64_t digits_dropped; /* time values that lost digits beyond their column's */
	uint64_t peak_buffered;	 /* bytes of rows held in memory at most */
};

/* One durable commit. */
struct evs_ack {
	const char *segment; /* path */
	uint64_t seq;	     /* of the commit in its segment */
	uint64_t rows;
	uint64_t source_off; /* bytes of the input absorbed by this commit's flush */
};

struct evs_append_opts {
	/* Zero and NULL mean the default. */
	const char *source;  /* exactly once: name of the input */
	const char *rejects; /* path of the reject file; default rejects.ndjson in the stream */
	const char *file;    /* name of the input for reject records and messages */
	bool strict;	     /* first bad line stops */
	bool no_wait;	     /* EVS_S_LOCKED instead of waiting for another writer */
	uint64_t flush_rows;
	uint64_t flush_bytes;	   /* of input */
	int64_t flush_interval_ms; /* exact when given; default 1 s idle, 10 s under load */
	int zstd_level;		   /* 1 .. 19, default 1 */
	int64_t now;		   /* pins the clock (ns); 0: the real one */
	/* inference, when the stream has no schema.sql */
	const char *time, *tenant;
	const char *const *keys;
	size_t nkeys;
	/* callbacks, from the thread that calls evs_append_*(); any may be NULL */
	void (*on_ack)(void *arg, const struct evs_ack *ack);
	void (*on_note)(void *arg,
			const char *text); /* what inference took, tails set aside, ... */
	void (*on_reject)(void *arg, uint64_t line, uint64_t off, const char *reason);
	/*
	 * Called once in some calls of evs_append_feed(), from another thread, which has nothing
	 * else to do then: a good time to read what is fed next. It does not call evs_append_*().
	 */
	void (*ahead)(void *arg);
	/* Asked every few milliseconds, from any thread, while waiting for another writer: true
	 * gives up (EVS_S_LOCKED). */
	bool (*stop)(void *arg);
	void *arg;
};

struct evs_appender;

/* `stream` is the folder of the stream; without a schema.sql in it, one is inferred from the first
 * rows. */
int evs_append_open(struct evs_appender **out, const char *stream,
		    const struct evs_append_opts *opts, struct evs_diag *diag);

/* Another input file begins: lines count from 1 again. Ends a last line without newline. */
int evs_append_file(struct evs_appender *a, const char *name, struct evs_diag *diag);

/*
 * Take NDJSON bytes, in pieces cut anywhere. Nothing is acknowledged by this call's return; on_ack
 * is. May commit. Returns 0, or EVS_S_STOP when `strict` met a bad line (all before it is then
 * committed), or an error; after an error only evs_append_stats() and evs_append_close() make
 * sense.
 */
int evs_append_feed(struct evs_appender *a, const void *data, size_t len, struct evs_diag *diag);

/* Nothing to read just now: commit if the interval says so. Returns as evs_append_feed().
 * `*wait_ms` gets how long the caller may sleep before calling again (-1: for ever). */
int evs_append_idle(struct evs_appender *a, int *wait_ms, struct evs_diag *diag);

/* Commit everything that is buffered. `end`: the input is over, take a last line without newline
 * too. */
int evs_append_flush(struct evs_appender *a, bool end, struct evs_diag *diag);

void evs_append_stats(const struct evs_appender *a, struct evs_append_stats *out);

/* Frees; rows that were not flushed are gone (and were never acknowledged). Accepts NULL. */
void evs_append_close(struct evs_appender *a);

/* ---- reading --------------------------------------------------------------------------------- */

/* Something that could not be delivered, or a tail that is no commit. */
struct evs_damage {
	const char *path;
	uint64_t off;  /* place in the file */
	uint64_t rows; /* rows lost */
	bool rows_known;
	bool torn; /* bytes behind the newest commit: most likely a write cut short before it was
		      acknowledged */
	const char *what;
};

struct evs_scan_opts {
	const char *const *columns; /* names, in the order wanted; NULL: all */
	size_t ncolumns;
	const char *const *tenants; /* only these tenants' values; NULL: all */
	size_t ntenants;
	bool has_since, has_until;
	int64_t since, until; /* since <= time < until */
	/* a condition (spec/query.md): only rows of which it is true; NULL: all */
	const char *where;
	const char *const *keys; /* "COLUMN=VALUE", all of which must hold */
	size_t nkeys;
	/*
	 * Of the rows that are left: the newest one by the stream's time for each value of these
	 * columns, of equal times the one stored last. Not with `follow`.
	 */
	const char *const *latest;
	size_t nlatest;
	/* "COLUMN", "COLUMN DESC": the order of what comes; what memory does not hold goes to
	 * $TMPDIR. Not with `follow`. */
	const char *const *sort;
	size_t nsort;
	uint64_t limit; /* with `sort`: rows wanted at most, 0 all */
	bool follow; /* evs_scan_refresh() will be called: remember how far each segment was read */
	unsigned threads; /* that read: 1, 2, or 0: 2 where it is worth it. What comes, and in which
			     order, is the same */
	int64_t now;
	void (*on_damage)(void *arg, const struct evs_damage *d);
	void *arg;
};

struct evs_scan;
struct evs_batch;

/*
 * Open paths (store, stream, tenant or segments) of one stream for reading. A store with several
 * streams, or paths of several streams, is EVS_S_USAGE. Segments are visited in the order of the
 * paths, within a folder by tenant and time.
 */
int evs_scan_open(struct evs_scan **out, const char *const *paths, size_t npaths,
		  const struct evs_scan_opts *opts, struct evs_diag *diag);

/* Next batch: 1 with `*out` (valid until the next call), 0 at the end, or an error. Damage is told
 * to on_damage and passed over. */
int evs_scan_next(struct evs_scan *s, struct evs_batch **out, struct evs_diag *diag);

/* What was read and what was passed over, and why. Filled as the scan goes on. */
struct evs_scan_explain {
	uint64_t segments;	  /* met under the paths */
	uint64_t segments_time;	  /* passed over: partition outside of the time asked for */
	uint64_t segments_tenant; /* ... of another tenant (with evs_scan_opts.tenants, folders are
				     counted) */
	uint64_t segments_where; /* ... the condition cannot hold in the partition or for the tenant
				  */
	uint64_t segments_read;	 /* opened and gone through */
	uint64_t bytes;		 /* of the segments read */
	uint64_t groups_read, groups_time, groups_zones, groups_filters;
	/* in these groups (rows_time: and in commits that were not looked at) */
	uint64_t rows_read, rows_time, rows_zones, rows_filters;
	uint64_t filters_read;
	uint64_t rollups_read, rows_rollup; /* rollups of views, and the rows that they stood for */
	uint64_t rows_kept;		    /* delivered */
	uint64_t blocks, blocks_read;	    /* of the groups read */
	uint64_t block_bytes_read;
};
void evs_scan_explained(const struct evs_scan *s, struct evs_scan_explain *out);

/* After the end: look for commits since (and new segments). evs_scan_next() then gives their rows.
 */
int evs_scan_refresh(struct evs_scan *s, struct evs_diag *diag);

/* Rows, segments and bytes seen so far and in all, for progress. */
struct evs_scan_progress {
	uint64_t rows, segments, segments_total, bytes, bytes_total;
	uint64_t rows_lost;
	bool damaged; /* something was not delivered */
};
void evs_scan_progress(const struct evs_scan *s, struct evs_scan_progress *out);
void evs_scan_close(struct evs_scan *s);

/* ---- asking ---------------------------------------------------------------------------------- */

/* A query (spec/query.md 8 and 9): a SELECT, or the parts of one. Zero and NULL mean the default.
 */
struct evs_query_opts {
	const char *sql;   /* the SELECT; NULL: the parts below */
	const char *group; /* items that are grouped by: "toStartOfHour(ts) AS hour, status" */
	const char *aggs;  /* items computed for each group; default "count() AS count" */
	const char *where, *having;
	const char *sort; /* as behind ORDER BY */
	uint64_t limit;
	/* beside the query: what is looked at at all */
	const char *const *tenants;
	size_t ntenants;
	const char *const *keys; /* "COLUMN=VALUE" */
	size_t nkeys;
	bool has_since, has_until;
	int64_t since, until;
	bool raw;	    /* answer from the rows alone, not from rollups */
	unsigned threads;   /* 1 or 2, the default; the answer is the same */
	uint64_t mem_limit; /* bytes, of all threads together; default 32 MiB for each. What does
			       not fit goes to $TMPDIR */
	int64_t now;	    /* pins the clock (ns); 0: the real one */
	/* one at a time, but on_damage perhaps from a thread of the query's */
	void (*on_damage)(void *arg, const struct evs_damage *d);
	void (*on_progress)(void *arg, const struct evs_scan_progress *p);
	void *arg;
};

struct evs_query;

/*
 * Open a query on paths. With the path of a store, FROM names one of its streams or views; other
 * paths must belong to the stream that FROM names, if it names one. Strings of `opts` need not
 * outlive the call, but for tenants and keys. A mistake in the query is EVS_S_QUERY with line and
 * column; diag->path then names the part it stands in ("group", "aggs", "where", "having", "sort"),
 * "" for `sql`.
 */
int evs_query_open(struct evs_query **out, const char *const *paths, size_t npaths,
		   const struct evs_query_opts *opts, struct evs_diag *diag);

/* Next batch of the answer: 1 with `*out` (valid until the next call), 0 at the end, or an error.
 * EVS_S_DATA: a value cannot be computed. */
int evs_query_next(struct evs_query *q, struct evs_batch **out, struct evs_diag *diag);

/* As of a scan, of all threads together. */
void evs_query_progress(struct evs_query *q, struct evs_scan_progress *out);
void evs_query_explained(const struct evs_query *q, struct evs_scan_explain *out);
/* How often something went to $TMPDIR because it did not fit into memory. */
uint64_t evs_query_spills(const struct evs_query *q);

void evs_query_close(struct evs_query *q); /* NULL is fine */

uint32_t evs_batch_rows(const struct evs_batch *b);
size_t evs_batch_columns(const struct evs_batch *b);
const char *evs_batch_column_name(const struct evs_batch *b, size_t i);
/* Canonical type, e.g. "Nullable(DateTime64(3))"; valid as long as the scan. */
const char *evs_batch_column_type(const struct evs_batch *b, size_t i);

/* ---- compacting ------------------------------------------------------------------------------ */

/* Why a segment gains from being compacted (spec/store.md 5.1). */
enum evs_compact_why {
	EVS_COMPACT_NOT = 0,	/* it would gain too little */
	EVS_COMPACT_NEVER = 1,	/* it never was */
	EVS_COMPACT_BEHIND = 2, /* too much has been appended behind what is sorted */
	EVS_COMPACT_SCHEMA = 3, /* schema or materialized views are others by now */
	EVS_COMPACT_LEVEL = 4,	/* a higher level is asked for */
	EVS_COMPACT_ALL = 5,	/* it would not, but all were asked for */
};
/* A few words; a constant. */
const char *evs_compact_reason(enum evs_compact_why why);

/* One segment that was, or with dry_run would be, compacted. */
struct evs_compacted {
	const char *path;
	enum evs_compact_why why;
	uint64_t commits, rows, bytes; /* before */
	uint64_t new_rows, new_bytes;  /* after; 0 with dry_run */
};

struct evs_compact_stats {
	uint64_t segments;  /* under the paths */
	uint64_t compacted; /* with dry_run: that would be */
	uint64_t failed; /* segments in use, damaged or else not to be compacted, and paths that are
			    none: told to on_fail */
	uint64_t rows, new_rows, bytes, new_bytes; /* of those compacted */
	uint64_t rows_read, bytes_done,
		bytes_total; /* for progress; bytes_total of those that gain */
};

struct evs_compact_opts {
	/* Zero and NULL mean the default. */
	bool all;	/* also what would gain too little */
	bool dry_run;	/* tell, and change nothing */
	int zstd_level; /* 1 .. 19 */
	int64_t max_ms; /* begin with no other segment after so long */
	int64_t now;	/* pins the clock (ns); 0: the real one */
	void (*on_segment)(void *arg, const struct evs_compacted *c);
	void (*on_note)(void *arg, const char *text);
	/* A segment, or with NULL one of the paths, is left as it is, because of `diag`; the others
	 * are worked on all the same. */
	void (*on_fail)(void *arg, const char *path, const struct evs_diag *diag);
	void (*on_progress)(void *arg, const struct evs_compact_stats *now);
	bool (*stop)(void *arg); /* asked often: true ends the work, the segment at hand stays as it
				    is */
	void *arg;
};

/*
 * Merge the commits of segments into one sorted run each, for all under `paths`, of any streams.
 * What is there to be read and appended to is so at any time. Returns 0; when something failed, the
 * status of one that did (EVS_S_FORMAT before others), with nothing in `diag`; EVS_S_STOP,
 * EVS_S_NOMEM or EVS_S_USAGE (the level).
 */
int evs_compact(const char *const *paths, size_t npaths, const struct evs_compact_opts *opts,
		struct evs_compact_stats *stats, struct evs_diag *diag);

/* ---- Arrow C data interface (https://arrow.apache.org/docs/format/CDataInterface.html) ------- */

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE	      2
#define ARROW_FLAG_MAP_KEYS_SORTED    4

struct ArrowSchema {
	const char *format;
	const char *name;
	const char *metadata;
	int64_t flags;
	int64_t n_children;
	struct ArrowSchema **children;
	struct ArrowSchema *dictionary;
	void (*release)(struct ArrowSchema *);
	void *private_data;
};

struct ArrowArray {
	int64_t length;
	int64_t null_count;
	int64_t offset;
	int64_t n_buffers;
	int64_t n_children;
	const void **buffers;
	struct ArrowArray **children;
	struct ArrowArray *dictionary;
	void (*release)(struct ArrowArray *);
	void *private_data;
};
#endif

/*
 * Hand out a batch as a struct array. The data is copied, so both outlive the batch; call their
 * release functions. Types: spec/schema.md 8.
 */
int evs_batch_export(const struct evs_batch *b, struct ArrowSchema *schema,
		     struct ArrowArray *array, struct evs_diag *diag);

/* ---- printing -------------------------------------------------------------------------------- */

enum evs_output { EVS_NDJSON = 1, EVS_CSV = 2, EVS_TSV = 3, EVS_TABLE = 4, EVS_PLOT = 5 };

struct evs_print_opts {
	enum evs_output output;
	bool nulls; /* NDJSON: write nulls too */
	bool color; /* TABLE */
	int width;  /* TABLE: columns of the terminal, 0 = no limit */
};

struct evs_printer;

/* `write` gets whole rows in large pieces and returns 0, or non-zero to stop (evs_print_* then
 * gives EVS_S_STOP). */
typedef int evs_write_fn(void *arg, const void *data, size_t len);

int evs_print_open(struct evs_printer **out, const struct evs_print_opts *opts, evs_write_fn *write,
		   void *arg, struct evs_diag *diag);
/* At most `max_rows` rows of the batch. */
int evs_print_batch(struct evs_printer *p, const struct evs_batch *b, uint64_t max_rows,
		    struct evs_diag *diag);
/* Write out what is buffered (between batches of a followed scan). */
int evs_print_flush(struct evs_printer *p, struct evs_diag *diag);
/* Foot of a table, last flush. */
int evs_print_end(struct evs_printer *p, struct evs_diag *diag);
void evs_print_close(struct evs_printer *p);

/* ---- expiry ---------------------------------------------------------------------------------- */

struct evs_expire_stats {
	uint64_t partitions, rows, bytes; /* that were dropped (dry run: would be) */
	uint64_t tenants;		  /* folders that went because nothing was left in them */
	uint64_t left;	  /* partitions that should have gone, and did not: each was told */
	uint64_t streams; /* looked at */
	uint64_t unruled; /* streams of these without any rule: nothing goes */
};

struct evs_expire_opts {
	/*
	 * Which segments under the paths go: those whose partition is past its time, by what its
	 * tenant keeps, else by `older_than`, else by the TTL of the schema.
	 */
	const char *const *tenants; /* only of these; NULL: of all */
	size_t ntenants;
	const char *older_than; /* as evs_time_arg() takes it, or NULL: partitions that end at or
				   before that time */
	bool all;     /* whatever its time: all that these tenants have. Needs `tenants` */
	bool drop;    /* whatever its time: the paths, which must be segments, sound or not */
	bool dry_run; /* only tell */
	bool no_wait; /* a segment that is being written is left rather than waited for */
	const char *archive; /* folder of another store, or NULL: copied there and verified before
				it goes */
	int64_t now;	     /* pins the clock (ns), and takes it for right; 0: the real one */
	/* callbacks; any may be NULL. A batch is valid during the call: what a dry run found. */
	void (*on_rows)(void *arg, const struct evs_batch *b);
	void (*on_note)(void *arg, const char *text);
	void (*on_problem)(void *arg,
			   const struct evs_diag *d); /* something was left; the rest goes on */
	bool (*stop)(void *arg); /* asked between segments, and while waiting */
	void *arg;
};

/*
 * Drop what is past its time under stores, streams, tenants' folders or segments (spec/store.md
 * 10). Problems with one segment or stream are told and passed over; an error is what ended all.
 * EVS_S_STOP: `stop` said so; what has gone is in the ledger.
 */
int evs_expire(const char *const *paths, size_t npaths, const struct evs_expire_opts *opts,
	       struct evs_expire_stats *stats, struct evs_diag *diag);

/* From now on: how long a tenant's rows are kept, "90d", "12mo", "forever", or "default": as the
 * schema says. */
int evs_expire_keep(const char *stream, const char *tenant, const char *keep,
		    struct evs_diag *diag);

/* The stream's rule (`tenant` NULL), then those of tenants that have their own. */
typedef void evs_keep_fn(void *arg, const char *tenant, const char *keep);
int evs_expire_show(const char *stream, evs_keep_fn *fn, void *arg, struct evs_diag *diag);

/* ---- what a store holds ---------------------------------------------------------------------- */

/* One row of evs_stat() for each ... */
enum evs_stat_by { EVS_STAT_PARTITION = 1, EVS_STAT_TENANT, EVS_STAT_STREAM, EVS_STAT_STORE };

struct evs_stat_opts {
	enum evs_stat_by by;
	bool people;		    /* sizes as "1.2 MB", and a row for all at the end */
	bool bars;		    /* ... and a bar for each partition */
	const char *const *tenants; /* only these; NULL: all */
	size_t ntenants;
	bool columns; /* rows for columns of each stream instead, with the encodings of a few groups
		       */
	const char *prometheus; /* file to be replaced with metrics in the text format, or NULL */
	int64_t now;		/* pins the clock (ns); 0: the real one */
	/* callbacks; any may be NULL. A batch is valid during the call. */
	void (*on_rows)(void *arg, const struct evs_batch *b);
	void (*on_warning)(void *arg, const char *text);
	void (*on_damage)(void *arg, const struct evs_damage *d);
	void (*on_problem)(
		void *arg,
		const struct evs_diag *d); /* something cannot be looked at; the rest goes on */
	bool (*stop)(void *arg);
	void *arg;
};

struct evs_stat_result {
	uint64_t partitions, rows, bytes;
	uint64_t warnings;
};

/*
 * Look at stores, streams, tenants' folders and segments: HEAD, the newest commits and the newest
 * INDEX of each segment, and no rows. Columns: evstat(1).
 */
int evs_stat(const char *const *paths, size_t npaths, const struct evs_stat_opts *opts,
	     struct evs_stat_result *result, struct evs_diag *diag);

/* ---- checking -------------------------------------------------------------------------------- */

enum evs_finding_kind {
	EVS_FOUND_DAMAGE = 1, /* a rule of spec/ is broken */
	EVS_FOUND_TAIL = 2,   /* bytes behind the newest commit, of which the bytes cannot tell what
				 they are */
	EVS_FOUND_REMARK =
		3,	     /* worth knowing, not wrong: a leftover, a file that does not belong */
	EVS_FOUND_ERROR = 4, /* the operating system did not let us look */
	EVS_FOUND_SEQUENCE =
		5, /* evs_check_sequence(); its rules are "gap", "duplicate" and "order" */
};

/* One thing that a check tells. Strings are valid during the call. */
struct evs_finding {
	enum evs_finding_kind kind;
	const char *path;
	bool has_off;
	uint64_t off;  /* place in the file */
	uint64_t rows; /* that it is about, as far as that is known */
	bool rows_known;
	bool lost;	  /* those rows cannot be read */
	const char *rule; /* its number, "7.1-12" in spec/segment.md, "store 11-1" in spec/store.md;
			     or "" */
	const char *what;
};

/* What was looked at. */
struct evs_check_counts {
	uint64_t streams, segments, commits, groups, rows, bytes;
	uint64_t damage, tails, remarks, errors; /* findings, by kind */
	uint64_t segments_damaged;		 /* with a finding that is no remark */
	uint64_t rows_lost;
	uint64_t rollups,
		rollups_unknown; /* compared with their rows; of views that no schema.sql has */
	bool stopped;		 /* the time was over */
	uint64_t segments_saved, rows_saved; /* by a salvage */
};

struct evs_check_opts {
	bool quick;  /* frames and what they say of each other; no blocks, so no values */
	int64_t now; /* pins the clock (ns); 0: the real one */
	/*
	 * In stretches of about so many ms (0: all at once): the next check goes on where this one
	 * stopped. That is kept in `state`; NULL: in the file .evcheck in the one path that is
	 * given, which must be a folder then.
	 */
	int64_t max_ms;
	const char *state;
	/*
	 * Put all rows that can be read into a new segment of this name or, when the path is not
	 * one segment, into a store of this name with the same folders. It must not exist. What is
	 * checked is not touched.
	 */
	const char *salvage;
	void (*on_finding)(void *arg, const struct evs_finding *f);
	/* After every few megabytes. `segments` is how many are done, `path` what is being looked
	 * at. */
	void (*on_progress)(void *arg, const struct evs_check_counts *so_far, const char *path);
	void *arg;
};

/*
 * Check everything under the paths (stores, streams, tenants, segments). What is wrong with the
 * data is told to on_finding and no error; so is a file that cannot be opened. Returns 0,
 * EVS_S_USAGE for a path that is none of these, EVS_S_SYS, EVS_S_NOMEM.
 */
int evs_check(const char *const *paths, size_t npaths, const struct evs_check_opts *opts,
	      struct evs_check_counts *out, struct evs_diag *diag);

struct evs_sequence_counts {
	uint64_t rows, keys;
	uint64_t gaps, missing; /* stretches, and numbers in them */
	uint64_t duplicates;	/* rows whose number was there already */
	uint64_t disorder;  /* rows whose number is above that of the row before, and the time below
			     */
	uint64_t late;	    /* keys that begin above 1; what was before may have expired */
	uint64_t nulls;	    /* rows without a key or a number, which are passed over */
	uint64_t rows_lost; /* to damage */
};

/*
 * In the stream that the paths belong to, does the column `seq`, of integers, count up by one for
 * every value of the column `key`, in the order of the stream's time? What does not is told to
 * on_finding, with the first path. Returns as evs_check(), and EVS_S_USAGE when the columns are not
 * there.
 */
int evs_check_sequence(const char *const *paths, size_t npaths, const char *key, const char *seq,
		       const struct evs_check_opts *opts, struct evs_sequence_counts *out,
		       struct evs_diag *diag);

/* ---- small helpers the tools share ----------------------------------------------------------- */

/* "2025-01-01", "2025-01-01T12:00:00Z", "now", "24h", "90d", "12mo", "2y" (that long before now),
 * to ns. */
int evs_time_arg(const char *text, int64_t now, int64_t *ns, struct evs_diag *diag);

/* Bytes for people: "1.2 MB", "140 KB". Room for 32; returns buf. */
char *evs_bytes_text(uint64_t n, char *buf);

#ifdef __cplusplus
}
#endif

#endif
