/*
 * The DDL parser's state and the seams between its files. Private to schema/.
 *
 *   ddl.c           statements, what is skipped, entry points
 *   ddl_tool.c      stepping, names, failing, notes, lists
 *   ddl_table.c     CREATE TABLE: name, columns and constraints between the parentheses
 *   ddl_column.c    one column
 *   ddl_type.c      types; ddl_typename.c their names, ddl_enum.c enums and CREATE TYPE
 *   ddl_clause.c    what follows the parentheses: ENGINE, PARTITION BY, ORDER BY, TTL, ...
 *   ddl_extent.c    where an expression ends
 *   ddl_timeexpr.c  which column a key or a time expression stands on
 *   ddl_partition.c PARTITION BY and TTL: tenant, time, unit, how long
 *   ddl_finish.c    a draft becomes a table: nulls, key, time, hidden columns
 *   ddl_bind.c      DEFAULT and CHECK
 *   ddl_index.c     INDEX and CREATE INDEX
 *   ddl_view.c      CREATE VIEW
 *
 * Functions return 0 or a negative code with the diag filled in, unless their comment says
 * otherwise. The current token is d->lex.tok; a function that takes something leaves the token
 * after it current.
 */
#ifndef EVS_SCHEMA_DDL_H
#define EVS_SCHEMA_DDL_H

#include "format/bytes.h"
#include "src/schema/lex.h"
#include "src/schema/schema.h"

/* A piece of the text, such as an expression. */
struct ddl_slice {
	size_t at, len;
	uint32_t line, col;
};

/* A growing list; zeroed is empty. */
struct ddl_list {
	struct ddl_slice *v;
	size_t n, cap;
};

/* CREATE TYPE name AS ENUM (...). */
struct ddl_enum {
	char *name;
	struct evs_type type;
	struct ddl_slice text;
};

/* Beside ddl.out->tables[i]: what makes up its text. */
struct ddl_source {
	struct ddl_list parts;
};

struct ddl {
	struct evs_lex lex;
	struct evs_diag *diag;
	evs_note_fn *note;
	void *note_arg;
	struct evs_ddl *out;
	size_t tables_cap, views_cap;
	struct ddl_source *sources; /* one a table */
	size_t sources_cap;
	struct ddl_enum *enums;
	size_t nenums, enums_cap;
	char **skipped; /* names of partition children and temporary tables */
	size_t nskipped, skipped_cap;
	struct ddl_slice *used_enums; /* by the table being parsed */
	size_t nused, used_cap;
	unsigned depth;	   /* of types inside each other */
	size_t enum_items; /* copied so far: a short text must not become gigabytes */
	bool single;	   /* one table is all that is wanted */
};

/* Of tables, views, types and passed-over names each; more are refused. */
#define DDL_MAX_THINGS	   4096u
#define DDL_MAX_ENUM_ITEMS (1u << 20) /* in all columns of a text */

enum ddl_partition_method { DDL_PART_NONE, DDL_PART_EXPR, DDL_PART_RANGE, DDL_PART_VALUE };

struct ddl_check {
	char *name;
	struct ddl_slice expr;
};

/* What is known of a column besides struct evs_column until the table is finished. */
struct ddl_column {
	bool not_null;	    /* NOT NULL, SERIAL, PRIMARY KEY */
	bool explicit_null; /* NULL or Nullable(T) */
	bool key;	    /* plain column of the sort key */
	bool has_default;
	struct ddl_slice name, def;
	uint32_t max_chars; /* of VARCHAR(n), else 0 */
};

/* A table while its statement is parsed. */
struct ddl_draft {
	struct evs_table *t;
	struct evs_tok name_tok;
	struct ddl_column *cols; /* one a column of t */
	size_t cols_cap, extra_cap;
	struct ddl_check *checks;
	size_t nchecks, checks_cap;
	struct ddl_list primary, order, partition, ttl;
	struct ddl_list index_exprs; /* one an index of t */
	struct ddl_slice engine_args;
	enum ddl_partition_method method;
	bool has_engine, has_not_null, has_order, has_primary;
	bool has_unit;	/* PARTITION BY names a time */
	int ttl_column; /* or -1 */
	enum evs_time_kind ttl_kind;
};

/*
 * ---- ddl_tool.c --------------------------------------------------------------------------------
 */

/* Step to the next token. */
int ddl_next(struct ddl *d);

static inline bool ddl_is(const struct ddl *d, const char *word)
{
	return evs_tok_is(&d->lex, word);
}

/* Is the token after the current one `word`? */
bool ddl_peek_is(const struct ddl *d, const char *word);

/* Take `word` if it is there: 1 taken, 0 not, or a negative code. */
int ddl_accept(struct ddl *d, const char *word);

/* Take `word` or fail. */
int ddl_expect(struct ddl *d, const char *word);

/* Fail at the current token. */
int ddl_fail(struct ddl *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int ddl_fail_tok(struct ddl *d, const struct evs_tok *t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int ddl_nomem(struct ddl *d);

/* Fail at a token with EVS_E_LIMIT: `n` of `what` are too many. */
int ddl_too_many(struct ddl *d, const struct evs_tok *t, size_t n, const char *what);

/* Tell the user of something that is passed over. */
void ddl_note(struct ddl *d, uint32_t line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Take a name; malloc'd. `what` is for the message, e.g. "the table's name". */
int ddl_name(struct ddl *d, const char *what, char **out, size_t *len);

/* Take [db.]name. `db` becomes "" when there is none. */
int ddl_qualified(struct ddl *d, const char *what, char **db, char **name);

/* Take a group in parentheses whole, or nothing when none begins here. */
int ddl_skip_group(struct ddl *d);

/*
 * Make room for one more element of `size` bytes in an array of `n`; the array, or NULL when out of
 * memory.
 */
void *ddl_grow(void *array, size_t *cap, size_t n, size_t size);

char *ddl_copy_slice(const struct ddl *d, const struct ddl_slice *s);

int ddl_list_add(struct ddl *d, struct ddl_list *l, const struct ddl_slice *s);

/*
 * ---- ddl.c -------------------------------------------------------------------------------------
 */

/* Ordinal in out->tables of a table by name, or -1. */
int ddl_find_table(const struct ddl *d, const char *name);

/* Remember that a name was passed over, so that what refers to it is too. Takes `name` over. */
int ddl_add_skipped(struct ddl *d, char *name);

/*
 * ---- ddl_extent.c ------------------------------------------------------------------------------
 */

enum ddl_stop {
	DDL_STOP_COLUMN = 1, /* words that go on with a column definition or constraint */
	DDL_STOP_CLAUSE = 2, /* words that go on with the table's clauses, or begin a statement */
	DDL_STOP_TTL = 4,    /* DELETE, TO, RECOMPRESS, SET, GROUP */
	DDL_STOP_INDEX = 8,  /* TYPE, GRANULARITY, ASC, DESC, NULLS */
};

/*
 * Take one expression: up to a comma or closing parenthesis of this level, the statement's end, or
 * a stop word.
 */
int ddl_take_expr(struct ddl *d, struct ddl_slice *out, unsigned stops);

/*
 * Take a list of expressions, with or without parentheses or tuple() around it. `dir`: ASC and DESC
 * may follow each.
 */
int ddl_take_exprs(struct ddl *d, struct ddl_list *out, unsigned stops, bool dir);

/* The same, with parentheses that must be there. */
int ddl_take_group(struct ddl *d, struct ddl_list *out, bool dir);

/*
 * A lexer over a slice. Fails like evs_lex_start(), which it cannot once the whole text has been
 * lexed.
 */
int ddl_lex_slice(const struct ddl *d, const struct ddl_slice *s, struct evs_lex *l);

/* Does a statement begin at the current token without a semicolon before it? */
bool ddl_statement_begins(const struct ddl *d);

/*
 * ---- ddl_type.c --------------------------------------------------------------------------------
 */

struct ddl_type_info {
	bool nullable; /* Nullable(T) */
	bool serial;
	uint32_t max_chars;
};

int ddl_take_type(struct ddl *d, struct evs_type *out, struct ddl_type_info *info);

/* Is this word a type? Tells an INDEX clause from a column named index. */
bool ddl_is_type_name(const struct ddl *d, const struct evs_tok *t);

/* After CREATE TYPE. `start` is where the statement began. */
int ddl_create_type(struct ddl *d, const struct evs_tok *start);

/*
 * ---- ddl_column.c, ddl_table.c, ddl_clause.c ---------------------------------------------------
 */

int ddl_take_column(struct ddl *d, struct ddl_draft *f);
int ddl_add_column(struct ddl *d, struct ddl_draft *f, char *name, size_t len);
int ddl_add_check(struct ddl *d, struct ddl_draft *f, char *name, const struct ddl_slice *expr);

/* REFERENCES ... with all that may follow it: told and passed over. */
int ddl_skip_references(struct ddl *d);

int ddl_create_table(struct ddl *d, const struct evs_tok *start);
void ddl_draft_release(struct ddl_draft *f);
int ddl_take_clauses(struct ddl *d, struct ddl_draft *f);

/*
 * ---- ddl_index.c, ddl_view.c -------------------------------------------------------------------
 */

/* INDEX name expr TYPE kind ... between the parentheses of CREATE TABLE; INDEX is current. */
int ddl_table_index(struct ddl *d, struct ddl_draft *f);

/* All columns are known: which one is each index of the draft on? */
int ddl_resolve_indexes(struct ddl *d, struct ddl_draft *f);

/* After CREATE [UNIQUE] INDEX. */
int ddl_create_index(struct ddl *d, const struct evs_tok *start, bool unique);

/* Is there a table or view of this name? */
bool ddl_is_defined(const struct ddl *d, const char *name);

/* After CREATE [MATERIALIZED] VIEW. */
int ddl_create_view(struct ddl *d, const struct evs_tok *start, enum evs_view_kind kind);

/*
 * ---- ddl_timeexpr.c ----------------------------------------------------------------------------
 */

/* A column read as a time: "ts", "toDate(ts)", "fromUnixTimestamp64Milli(started)", "ts::date". */
struct ddl_time_expr {
	int column;
	enum evs_time_kind kind;
	bool plain;	    /* nothing but the column */
	bool date;	    /* cut to days */
	struct evs_tok tok; /* the column's name */
};

/*
 * Read one from `l`, which moves behind it. 1: it is none; nothing is said then and `l` is
 * anywhere.
 */
int ddl_time_expr(struct ddl *d, const struct evs_table *t, struct evs_lex *l,
		  struct ddl_time_expr *out);

/* Move `l` behind the parenthesis that closes this level. 1: there is none. */
int ddl_skip_to_close(struct ddl *d, struct evs_lex *l);

/*
 * Column whose name, with its dots, begins at `l`: its ordinal, or -1 with `l` behind the first
 * name. `l` moves behind the column's name. Negative codes below -1 are errors.
 */
int ddl_path_column(struct ddl *d, const struct evs_table *t, struct evs_lex *l);

/*
 * The one column that an expression stands on: its ordinal. Fails when there is none or are
 * several, or when a name is no column. `plain` tells that the expression is the column itself.
 */
int ddl_expr_column(struct ddl *d, const struct evs_table *t, const struct ddl_slice *s,
		    bool *plain, int *ordinal);

/* Fail: the token names no column of the table; with a suggestion. */
int ddl_no_column(struct ddl *d, const struct evs_table *t, const struct evs_tok *tok);

/*
 * ---- ddl_partition.c, ddl_finish.c -------------------------------------------------------------
 */

/* Settle tenant, time and unit from PARTITION BY. */
int ddl_resolve_partition(struct ddl *d, struct ddl_draft *f);

/* Column and length of TTL, into the draft and the table. */
int ddl_resolve_ttl(struct ddl *d, struct ddl_draft *f);

/* All columns, clauses and constraints are known: make the table whole. */
int ddl_finish(struct ddl *d, struct ddl_draft *f);

/*
 * ---- ddl_bind.c --------------------------------------------------------------------------------
 */

/* Parse and bind the expressions of DEFAULT and CHECK to the finished columns. */
int ddl_bind_defaults(struct ddl *d, struct ddl_draft *f);
int ddl_bind_checks(struct ddl *d, struct ddl_draft *f);

/*
 * ---- ddl_suggest.c -----------------------------------------------------------------------------
 */

/* "; did you mean `x`?" for the nearest of the names, or "", in a buffer of `cap`. */
void ddl_suggest(char *buf, size_t cap, const char *word, size_t len, const char *const *names,
		 size_t n);
void ddl_suggest_column(char *buf, size_t cap, const char *word, size_t len,
			const struct evs_table *t);

#endif
