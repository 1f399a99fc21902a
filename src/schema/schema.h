/*
 * Tables, columns and types, from DDL in ClickHouse's or PostgreSQL's dialect, or inferred from
 * rows.
 *
 * spec/schema.md is the reference. A struct evs_table is immutable once made and may be shared by
 * threads. It owns all it points to.
 */
#ifndef EVS_SCHEMA_H
#define EVS_SCHEMA_H

#include "evseg.h"
#include "format/array.h"

#include <stdatomic.h>

struct evs_expr; /* src/expr/expr.h */

enum evs_type_id {
	EVS_T_BOOL = 1,
	EVS_T_INT8,
	EVS_T_INT16,
	EVS_T_INT32,
	EVS_T_INT64,
	EVS_T_UINT8,
	EVS_T_UINT16,
	EVS_T_UINT32,
	EVS_T_UINT64,
	EVS_T_FLOAT32,
	EVS_T_FLOAT64,
	EVS_T_DECIMAL,	   /* precision, scale; INT 8 bytes up to 18 digits, else FIXED 16:
			      little-endian two's complement */
	EVS_T_STRING,	   /* BYTES, valid UTF-8 */
	EVS_T_FIXEDSTRING, /* FIXED width; shorter values padded with NUL, trailing NULs not printed
			    */
	EVS_T_UUID,	   /* FIXED 16, in text order */
	EVS_T_DATE,	   /* INT 4 signed: days since 1970-01-01 */
	EVS_T_DATETIME,	   /* INT 8 signed: seconds since 1970 UTC; scale 0 */
	EVS_T_DATETIME64,  /* INT 8 signed: ticks of 10^-scale seconds; scale 0 .. 9 */
	EVS_T_ENUM,	   /* INT 2 signed: the item's number */
	EVS_T_ARRAY,	   /* LIST of elem[0] */
	EVS_T_MAP,	   /* MAP of elem[0] (String) to elem[1] */
	EVS_T_JSON,	   /* BYTES: the JSON text as it stood in the input */
	EVS_T_IPV4,	   /* INT 4 unsigned */
	EVS_T_IPV6,	   /* FIXED 16 */
};

struct evs_enum_item {
	char *name; /* UTF-8, zero-terminated */
	size_t len;
	int16_t value;
};

struct evs_type {
	enum evs_type_id id;
	bool nullable; /* of an element inside Array or Map; of a column see evs_column.nullable */
	uint8_t precision;	     /* DECIMAL: digits, 1 .. 38 */
	uint8_t scale;		     /* DECIMAL, DATETIME64 */
	uint16_t width;		     /* FIXEDSTRING: bytes */
	struct evs_enum_item *items; /* ENUM, by value ascending */
	uint16_t nitems;
	uint16_t *name_slots; /* ENUM: hash of item names, for evs_enum_by_name() */
	uint32_t name_mask;
	struct evs_type *elem[2];
};

enum evs_unit { EVS_UNIT_WEEK = 1, EVS_UNIT_MONTH = 2, EVS_UNIT_DAY = 3 };

/* How the time of a row is found: the column `time_column`, read as ... */
enum evs_time_kind {
	EVS_TIME_NATIVE = 1, /* DATE, DATETIME or DATETIME64 */
	EVS_TIME_EPOCH_S,
	EVS_TIME_EPOCH_MS,
	EVS_TIME_EPOCH_US,
	EVS_TIME_EPOCH_NS, /* numeric column */
	EVS_TIME_TEXT,	   /* String column, parsed by evs_time_parse() */
	EVS_TIME_ARRIVAL,  /* the hidden column _time, filled by the writer */
};

enum evs_default_kind { EVS_DEFAULT_NONE = 0, EVS_DEFAULT_EXPR, EVS_DEFAULT_SERIAL };

struct evs_column {
	char *name;
	size_t name_len;
	struct evs_type type;
	bool nullable;
	bool hidden; /* _extra and _time: not in the DDL */
	enum evs_default_kind def_kind;
	char *def_text;	      /* source of the DEFAULT expression, or NULL */
	struct evs_expr *def; /* bound to the table; NULL unless EVS_DEFAULT_EXPR */
	uint32_t line, col;   /* in the DDL, 1-based; 0 for hidden ones */
};

struct evs_check {
	char *name;	       /* constraint's name, or "" */
	char *text;	       /* of the expression */
	struct evs_expr *expr; /* bound */
};

struct evs_index_def {
	char *name, *expr_text,
		*kind; /* kind: "bloom_filter", "minmax", "set", "btree", "gin", ... */
	int column;    /* ordinal when the expression is one column, or of the first of several
			  columns; else -1 */
};

enum evs_engine { EVS_ENGINE_MERGE = 0, EVS_ENGINE_REPLACING, EVS_ENGINE_SUMMING };

struct evs_table {
	char *db;		 /* "monitor" in monitor.service_status, or "" */
	char *name;		 /* as written, unquoted */
	struct evs_column *cols; /* declared ones in order, then the hidden _extra, then _time if
				    there is one */
	uint16_t ncols;
	uint16_t ndeclared;
	int extra_column;  /* ordinal of _extra */
	int tenant_column; /* ordinal or -1 */
	int time_column;   /* ordinal, of _time for EVS_TIME_ARRIVAL */
	enum evs_time_kind time_kind;
	enum evs_unit unit;
	uint16_t *key; /* sort key: column ordinals; expressions over one column count as it */
	uint16_t nkey;
	uint16_t *key_desc; /* reserved: NULL */
	struct evs_check *checks;
	uint16_t nchecks;
	struct evs_index_def *indexes;
	uint16_t nindexes;
	enum evs_engine engine;
	char *engine_args; /* text between the parentheses, or "" */
	/* its columns: REPLACING: version, is_deleted; SUMMING: what is added up, none: all numbers
	 * outside of the key */
	uint16_t *engine_cols;
	uint16_t nengine_cols;
	char *ttl_text;	     /* text of the TTL expression, or NULL */
	int64_t ttl_seconds; /* time + INTERVAL n unit, when it has that form; 0 none */
	int32_t ttl_months;  /* ... in months and years */
	char *text; /* the statements that make this table (CREATE TABLE, its CREATE INDEX ...),
		     * which parse back to the same table: what schema.sql and segments hold */
	size_t text_len;
	uint16_t *name_slots; /* hash of column names, for evs_table_find() */
	uint32_t name_mask;
	atomic_uint sharers; /* besides who made it */
};

enum evs_view_kind { EVS_VIEW = 1, EVS_MATERIALIZED_VIEW = 2 };

struct evs_view {
	enum evs_view_kind kind;
	char *db, *name;
	char *source; /* the stream in its FROM, without db */
	char *select_text;
	char *text; /* the whole statement */
};

/* A skipped clause or statement, for the user to know: "file:line: SETTINGS: not used by evseg". */
typedef void evs_note_fn(void *arg, uint32_t line, const char *text);

/* All that one DDL text defines. */
struct evs_ddl {
	struct evs_table **tables;
	size_t ntables;
	struct evs_view *views;
	size_t nviews;
};

/*
 * Parse DDL. `diag` tells line, column, the offending word and what to do. Notes may be NULL.
 * Returns 0, EVS_E_SCHEMA, EVS_E_LIMIT or EVS_E_NOMEM.
 */
int evs_ddl_parse(struct evs_ddl **out, const char *text, size_t len, evs_note_fn *note, void *arg,
		  struct evs_diag *diag);
void evs_ddl_free(struct evs_ddl *d);

/* The one table of a schema.sql or of a segment (views and notes are passed over). The caller
 * frees. */
int evs_table_parse(struct evs_table **out, const char *text, size_t len, struct evs_diag *diag);
void evs_table_free(struct evs_table *t); /* by each who has it */
/* The same table once more, for any thread: it is not changed when it is made. */
struct evs_table *evs_table_share(struct evs_table *t);

/* A table that no DDL declares, such as a query's result: columns that are copied, and nothing
 * else. Returns 0 or EVS_E_NOMEM. */
struct evs_table_column {
	const char *name;
	size_t name_len;
	const struct evs_type *type;
	bool nullable, extra;
};
int evs_table_make(struct evs_table **out, const char *db, const char *name,
		   const struct evs_table_column *cols, size_t n);

/* Ordinal of a column by name (hidden ones included), or -1. Exact match, constant time. */
int evs_table_find(const struct evs_table *t, const char *name, size_t len);

/* "; did you mean x?" for the column nearest to a word that is none, or "", into buf. */
void evs_table_suggest(const struct evs_table *t, const char *word, size_t len, char *buf,
		       size_t cap);

/* Empty array of the right shape for a column. Returns 0 or EVS_E_NOMEM. */
int evs_type_array(const struct evs_type *t, struct evs_array *out);

/* Canonical ClickHouse spelling, e.g. "Nullable(DateTime64(3))"; writes at most cap bytes with the
 * terminator, returns the length it would have had. */
size_t evs_type_print(const struct evs_type *t, bool nullable, char *buf, size_t cap);

/*
 * Parse a type as DDL has it, e.g. "Nullable(DateTime64(3, 'UTC'))", "double precision", "text[]".
 * All of the text must be used. `line` and `col` are where it stands, for messages. `*nullable`
 * (may be NULL) tells Nullable(T). Returns 0, EVS_E_SCHEMA or EVS_E_NOMEM. evs_type_release() frees
 * what `out` owns.
 */
int evs_type_parse(struct evs_type *out, bool *nullable, const char *text, size_t len,
		   uint32_t line, uint32_t col, struct evs_diag *diag);

/* Deep copy. Returns 0 or EVS_E_NOMEM (`out` is then empty). */
int evs_type_copy(struct evs_type *out, const struct evs_type *in);

/* Free what the type owns and zero it. NULL is fine. */
void evs_type_release(struct evs_type *t);

bool evs_type_equal(const struct evs_type *a, const struct evs_type *b);

/* Item of an ENUM by text (NULL: none) or by number. */
const struct evs_enum_item *evs_enum_by_name(const struct evs_type *t, const char *name,
					     size_t len);
const struct evs_enum_item *evs_enum_by_value(const struct evs_type *t, int16_t value);

/*
 * May `to` replace `from` as a stream's schema (DESIGN 3: gain columns, enum values, wider types)?
 * Returns 0, or EVS_E_SCHEMA with diag naming the first thing in the way. `*same` tells whether
 * they are equivalent (text may differ).
 */
int evs_table_compatible(const struct evs_table *from, const struct evs_table *to, bool *same,
			 struct evs_diag *diag);

/*
 * Convert a column of an old group to the type of the current schema: `in` has from's shape, `out`
 * to's (initialised, empty). Lossless widenings only (spec/schema.md 6). A value that cannot be
 * converted is an error, EVS_E_SCHEMA.
 */
int evs_convert(const struct evs_type *from, const struct evs_array *in, const struct evs_type *to,
		struct evs_array *out, struct evs_diag *diag);

/* ---- inference ------------------------------------------------------------------------------- */

struct evs_infer_opts {
	const char *stream; /* name of the table */
	const char *time;   /* column named by the user, or NULL */
	const char *tenant;
	const char *const *keys;
	size_t nkeys;
};

struct evs_infer; /* what has been seen of each field so far */
int evs_infer_new(struct evs_infer **out, const struct evs_infer_opts *opts, struct evs_diag *diag);
void evs_infer_free(struct evs_infer *f);

/* Take one line of JSON into account. Lines that are no JSON object are passed over (the reader
 * will reject them). Returns 0, EVS_E_NOMEM, EVS_E_LIMIT. */
int evs_infer_line(struct evs_infer *f, const char *line, size_t len);

/*
 * DDL for what was seen: the narrowest type that prints back every value seen; `text` malloc'd.
 * `why` (may be NULL) is called with one line a decision, e.g. "time: StartTimeUnixNano (Int64,
 * nanoseconds)". May be called again after more lines: types only ever widen, columns are only
 * added.
 */
int evs_infer_ddl(struct evs_infer *f, char **text, size_t *len, evs_note_fn *why, void *arg,
		  struct evs_diag *diag);

/*
 * Continue the inference whose result is `text`, the whole of a schema.sql; `t` is the table it
 * makes and `f` fresh from evs_infer_new() with the table's name (time, tenant and keys are the
 * table's, whatever the options were). Returns 0: `f` stands where the inference that wrote it
 * stood, so that evs_infer_ddl() gives the same text and further lines widen it. 1: the text is not
 * exactly what inference writes, so edited or declared; `f` is of no use then but to be freed. Or
 * EVS_E_NOMEM.
 */
int evs_infer_resume(struct evs_infer *f, const struct evs_table *t, const char *text, size_t len);

/* Valid UTF-8 by RFC 3629: shortest forms, no surrogates, at most U+10FFFF. */
bool evs_utf8_valid(const char *s, size_t len);

/* ---- times ----------------------------------------------------------------------------------- */

/*
 * Parse ISO 8601 / RFC 3339 / PostgreSQL / ClickHouse time text: YYYY-MM-DD, then optionally 'T',
 * 't' or space, HH:MM[:SS[.digits]], then optionally Z, z, +HH, +HHMM, +HH:MM; no zone means UTC.
 * Years 0000 to 9999, leap second :60 refused. `*sec` gets seconds since 1970, `*nano` 0 ..
 * 999,999,999, `*digits` the number of fractional digits written (more than 9: the rest must be
 * zeros to be accepted). True when all of the text is such a time.
 */
bool evs_time_parse(const char *s, size_t len, int64_t *sec, uint32_t *nano, unsigned *digits);

/* Write YYYY-MM-DDTHH:MM:SS[.digits]Z at buf (room for 40); returns the length. Ticks of 10^-scale
 * s. */
size_t evs_time_print(int64_t ticks, unsigned scale, char *buf);
size_t evs_date_print(int32_t days, char *buf);

/* Proleptic Gregorian calendar, any year. */
int64_t evs_days_from_civil(int64_t y, unsigned m, unsigned d);
void evs_civil_from_days(int64_t days, int64_t *y, unsigned *m, unsigned *d);

/* `day` moved by months; a day that the month does not have becomes its last. */
int64_t evs_days_add_months(int64_t day, int64_t months);

/* A length of time as calendars count: months, then seconds. */
struct evs_age {
	int64_t months, seconds;
};

/* "30s", "15m", "24h", "90d", "2w", "12mo", "1y"; at most nine digits. False when it is none, or
 * above 10,000 years. */
bool evs_age_parse(const char *text, struct evs_age *out);

/* First second of the partition that holds `sec`, and of the next one. Weeks begin on Monday 00:00
 * UTC. */
void evs_partition_bounds(int64_t sec, enum evs_unit unit, int64_t *lo, int64_t *hi);

/* Time of a row in ns since 1970 (saturating), EVS_TIME_NONE when null or unreadable. `a` is the
 * table's time column. */
int64_t evs_row_time(const struct evs_table *t, const struct evs_array *a, uint32_t row);

/* The same in whole seconds since 1970, without saturation: what decides the partition.
 * EVS_TIME_NONE likewise. */
int64_t evs_row_seconds(const struct evs_table *t, const struct evs_array *a, uint32_t row);

/* 0000-01-01 and the last second of 9999: times outside have no partition. */
#define EVS_SECONDS_MIN (-62167219200)
#define EVS_SECONDS_MAX 253402300799

#endif
