/*
 * Expressions in SQL as ClickHouse and PostgreSQL write it (spec/query.md): parsed to a tree,
 * bound to a table (names become columns, types are checked), evaluated a batch at a time over
 * arrays.
 *
 * The same expressions serve DEFAULT, CHECK and TTL now, and filters, aggregates and views later.
 * A bound expression is immutable and may be shared by threads; evaluation state lives in struct
 * evs_eval.
 */
#ifndef EVS_EXPR_H
#define EVS_EXPR_H

#include "evseg.h"
#include "format/array.h"
#include "src/schema/schema.h"

struct evs_expr;

/*
 * Parse one expression from text[0 .. len); all of it must be used. `line` and `col` are where
 * the text stands in its file, for messages. Returns 0, EVS_E_QUERY or EVS_E_NOMEM.
 */
int evs_expr_parse(struct evs_expr **out, const char *text, size_t len, uint32_t line, uint32_t col,
		   struct evs_diag *diag);
void evs_expr_free(struct evs_expr *e);

/*
 * Resolve columns, functions and types against `t` (NULL: constants only). An unknown column is
 * an error that names line, column and word, with a suggestion when one is near. `t` must outlive
 * the expression.
 */
int evs_expr_bind(struct evs_expr *e, const struct evs_table *t, struct evs_diag *diag);

/*
 * The same, and the result is converted to `type` as an INSERT would (what DEFAULT needs:
 * 'QUEUED' becomes the enum's number, now() the column's digits, '{}' JSON). What cannot be
 * converted is an error; NULL is one when not `nullable`. `type` must outlive the expression.
 */
int evs_expr_bind_to(struct evs_expr *e, const struct evs_table *t, const struct evs_type *type,
		     bool nullable, struct evs_diag *diag);

/* The same, and the result is a truth value (a CHECK, a filter): Bool; integers and JSON count as
 * one. */
int evs_expr_bind_condition(struct evs_expr *e, const struct evs_table *t, struct evs_diag *diag);

/*
 * Is the bound expression a time column plus a constant INTERVAL (conversions such as
 * toDateTime(ts) are seen through)? Then true, with the column's ordinal and the interval, which
 * may be negative. What TTL needs.
 */
bool evs_expr_shift(const struct evs_expr *e, int *ordinal, int64_t *seconds, int32_t *months);

/* Result type of a bound expression; `*nullable` whether it can be NULL. */
const struct evs_type *evs_expr_type(const struct evs_expr *e, bool *nullable);

/* Does it mention column `ordinal`? */
bool evs_expr_uses(const struct evs_expr *e, uint16_t ordinal);

/* Ordinals of the columns that it mentions, each once, in no order; how many. */
size_t evs_expr_columns(const struct evs_expr *e, const uint16_t **ordinals);

/* The column when the expression is nothing else, or -1. */
int evs_expr_column(const struct evs_expr *e);

/* Is the value of a row the same whenever it is computed? Not with now() or generateUUIDv4(). */
bool evs_expr_repeats(const struct evs_expr *e);

/* Do two bound expressions compute the same in the same way? False where it cannot be told. */
bool evs_expr_same(const struct evs_expr *a, const struct evs_expr *b);

/* The value when it is the same whenever it is computed: one row, owned by the expression; else
 * NULL. */
const struct evs_array *evs_expr_constant(const struct evs_expr *e);

/* Evaluation state: clock, random source, scratch. One thread at a time. */
struct evs_eval;
int evs_eval_new(struct evs_eval **out);
void evs_eval_free(struct evs_eval *v);
void evs_eval_set_now(struct evs_eval *v, int64_t ns); /* what now() answers; set once a batch */

/*
 * Evaluate over rows [0, rows) of `cols` (the table's columns, by ordinal). `out` is initialised
 * by this call with the shape of the result type and gets `rows` values; the caller releases it.
 * Errors at run time (division of integers by zero, a cast that fails) give EVS_E_DATA with the
 * row in diag->off.
 */
int evs_eval_run(struct evs_eval *v, const struct evs_expr *e, const struct evs_array *cols,
		 uint32_t rows, struct evs_array *out, struct evs_diag *diag);

/*
 * The same, with codes for some of the columns, by ordinal (NULL: none); the arrays of those are
 * not looked at. What depends on one such column only is computed for its distinct values.
 */
int evs_eval_run_coded(struct evs_eval *v, const struct evs_expr *e, const struct evs_array *cols,
		       const struct evs_coded *const *coded, uint32_t rows, struct evs_array *out,
		       struct evs_diag *diag);

/* Does `e` say the same of equal values of its one column, and look at no other? */
bool evs_expr_by_value(const struct evs_expr *e);

/*
 * Is `e` made of the values of key[0 .. nkeys), bound to the same table, and of no other column?
 * Then it can be evaluated over these: cols[k] are the values of key[k]. EVS_E_DATA where some row
 * fails, without a reason; EVS_E_NOMEM.
 */
bool evs_expr_made_of(const struct evs_expr *e, const struct evs_expr *const *key, size_t nkeys);
int evs_eval_run_over(struct evs_eval *v, const struct evs_expr *e,
		      const struct evs_expr *const *key, size_t nkeys, const struct evs_array *cols,
		      uint32_t rows, struct evs_array *out);

/*
 * Pruning: what a bound condition can be over rows of which only bounds are known.
 *
 * `bounds` tells what is known of a column; false: nothing. `may_hold` (may be NULL) tells whether
 * some row may hold the value value[row], which has the column's type.
 */
struct evs_bounds {
	/* two rows, none above the values and none below; NULL: all are null */
	const struct evs_array *bounds;
	bool nulls; /* some row may be null */
};

struct evs_known {
	bool (*bounds)(void *arg, uint16_t ordinal, struct evs_bounds *out);
	bool (*may_hold)(void *arg, uint16_t ordinal, const struct evs_array *value, uint32_t row);
	void *arg;
};

#define EVS_MAY_TRUE  1u
#define EVS_MAY_FALSE 2u
#define EVS_MAY_NULL  4u

/* Bits of what the condition can be in some row. Too many at worst, so never an error. */
unsigned evs_eval_zone(struct evs_eval *v, const struct evs_expr *e, const struct evs_known *known);

#include "src/expr/select.h" /* the room's other half; included here because a room shows one header */

#endif
