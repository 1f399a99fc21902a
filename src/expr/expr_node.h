/*
 * The checked form of an expression and how it is evaluated. Private to expr/.
 *
 * A node has a type and knows the function that computes it from its arguments. Values travel as
 * vectors: an array with one row for each row of the chunk, or with a single row when the value
 * is the same in all of them (a constant, now()). Beside it, a vector may carry marks of rows
 * whose computation failed; they go up the tree with the nulls, and only a mark that reaches the
 * root is an error, so that `CASE WHEN n <> 0 THEN x / n END` and `n <> 0 AND x / n > 2` are
 * safe.
 */
#ifndef EVS_EXPR_NODE_H
#define EVS_EXPR_NODE_H

#include "src/expr/expr_ast.h"

#include "format/bytes.h"

/* Rows evaluated at a time; a multiple of 8, so that bitmaps can be cut there. */
#define X_CHUNK 4096u

__extension__ typedef __int128 x_i128;
__extension__ typedef unsigned __int128 x_u128;

/* Type ids of this room beside enum evs_type_id; never in a result. */
#define X_T_NULL     100 /* NULL without a type yet */
#define X_T_INTERVAL 101 /* node->interval */

enum x_shape { X_CONST = 1, X_COLUMN, X_FN, X_ALL_OF, X_ANY_OF, X_CHOOSE, X_FIRST };

struct evs_eval;
struct x_node;

/* A buffer of the pool: an array, and bits kept for when it has nulls (array.h drops them on
 * reset). */
struct x_slot {
	struct evs_array a;
	struct x_slot *next; /* in the free list */
};

struct x_vec {
	const struct evs_array *a;
	struct x_slot *slot;	 /* owner of `a`, or NULL when it is borrowed */
	struct x_slot *bad;	 /* INT8 per row of `a`: 1 where it failed; or NULL */
	const char *why;	 /* of some failed row; a constant */
	const struct x_ast *who; /* what failed there */
	bool scalar;		 /* one row for all */
};

/* One call of a function over one chunk. */
struct x_args {
	const struct x_node *node;
	const struct x_vec *arg;
	size_t n;
	uint32_t rows; /* of the result */
};

/*
 * Compute `out`. Shapes of fixed width come with room for `rows` values and the arguments' nulls
 * set; others come empty, and the function appends row by row. Returns 0 or EVS_E_NOMEM; values
 * that cannot be computed are marked with evs_x_bad().
 */
typedef int x_eval_fn(struct evs_eval *v, const struct x_args *in, struct x_vec *out);

struct x_node {
	enum x_shape shape;
	uint8_t op;		 /* as the function likes */
	bool nullable;		 /* the value may be NULL */
	bool sees_nulls;	 /* called for rows with null arguments too */
	bool volatile_rows;	 /* another value for every row (generateUUIDv4) */
	bool not_constant;	 /* must not be computed at bind time (now) */
	struct evs_type type;	 /* items and elem belong to others */
	const struct x_ast *ast; /* for messages; NULL at times */
	struct x_node **arg;
	size_t n;
	x_eval_fn *eval;
	struct evs_array value; /* X_CONST: one row, owned */
	uint16_t ordinal;	/* X_COLUMN */
	int32_t only; /* place in evs_expr.used of the one column in the tree; < 0: there is no such
			 one */
	int64_t num;  /* X_COLUMN: place in evs_expr.used; else as the function likes */
	struct x_interval interval;
	void *aux; /* precomputed, e.g. a pattern; freed by aux_free */
	void (*aux_free)(void *);
	struct x_node *next; /* of evs_expr.nodes */
};

struct evs_eval {
	int64_t now;
	bool now_set;
	struct x_slot *free;
	struct evs_buf text;	/* scratch of one function call */
	struct evs_array *view; /* the chunk's rows of each column used; borrowed memory */
	size_t view_cap;
	uint32_t rows; /* of the chunk */

	/* by place, NULL where a column has no codes; NULL: none has */
	const struct evs_coded **coded;
	const struct evs_coded **places; /* memory for that */
	size_t places_cap;
	uint32_t from;	     /* the chunk's first row */
	struct x_done *done; /* trees computed for distinct values, in this run */
	size_t ndone;

	const struct evs_expr *const
		*over; /* what stands for them are the values at hand; NULL: columns do */
	size_t nover;
	struct evs_array *over_view; /* the chunk's rows of each; borrowed */
};

/* ---- expr_eval.c
 * ----------------------------------------------------------------------------------- */

/* The clock, and room for the columns that `e` uses. Returns 0 or EVS_E_NOMEM. */
int evs_x_eval_start(struct evs_eval *v, const struct evs_expr *e);

/* Evaluate over the current chunk. Release `out` in every case. Returns 0 or EVS_E_NOMEM. */
int evs_x_eval(struct evs_eval *v, const struct x_node *n, struct x_vec *out);
void evs_x_vec_release(struct evs_eval *v, struct x_vec *x);

/* Call n->eval on computed arguments for `rows` rows; none of them is scalar. Release `out` in
 * every case. */
int evs_x_apply(struct evs_eval *v, const struct x_node *n, const struct x_vec *arg, uint32_t rows,
		struct x_vec *out);

/* A slot from the pool in the shape of `t`, empty. NULL: out of memory. */
struct x_slot *evs_x_slot_get(struct evs_eval *v, const struct evs_type *t);
void evs_x_slot_put(struct evs_eval *v, struct x_slot *s);

/* Give a slot of fixed width `rows` values, all zero bits undefined. Returns 0 or EVS_E_NOMEM. */
int evs_x_slot_rows(struct x_slot *s, uint32_t rows);
/* Validity bits for slot->a.rows rows, all ones when new. Returns 0 or EVS_E_NOMEM. */
int evs_x_slot_valid(struct x_slot *s);

/*
 * Mark row `i` of the result as failed. `why` is a constant. In a shape of fixed width the row
 * becomes null too; else the function appends a null. Returns 0 or EVS_E_NOMEM.
 */
int evs_x_bad(struct evs_eval *v, const struct x_args *in, struct x_vec *out, uint32_t i,
	      const char *why);
/* Make row `i` null. Fixed width only. */
int evs_x_null(struct x_vec *out, uint32_t i);
/* evs_x_bad() and append a null: for functions that append row by row. */
int evs_x_append_bad(struct evs_eval *v, const struct x_args *in, struct x_vec *out, uint32_t i,
		     const char *why);
/* out |= marks of `from`, for results of `rows` rows. */
int evs_x_spread_bad(struct evs_eval *v, const struct x_vec *from, struct x_vec *out,
		     uint32_t rows);
/* A result of `rows` rows of type `t`: empty, or with room for all of them when its width is
 * fixed. */
int evs_x_vec_open(struct evs_eval *v, struct x_vec *out, const struct evs_type *t, uint32_t rows,
		   bool scalar);
bool evs_x_is_fixed(const struct evs_array *a); /* INT, FLOAT, FIXED */

static inline uint32_t evs_x_at(const struct x_vec *x, uint32_t i)
{
	return x->scalar ? 0 : i;
}

static inline bool evs_x_is_null(const struct x_vec *x, uint32_t i)
{
	return evs_array_is_null(x->a, evs_x_at(x, i));
}

/* Is any argument null or failed in row i? What a function that appends row by row asks first. */
static inline bool evs_x_any_null(const struct x_args *in, uint32_t i)
{
	for (size_t k = 0; k < in->n; k++)
		if (evs_x_is_null(&in->arg[k], i))
			return true;
	return false;
}

/* Text of row i. */
static inline const char *evs_x_text(const struct x_vec *x, uint32_t i, size_t *n)
{
	return (const char *)evs_array_bytes(x->a, evs_x_at(x, i), n);
}

static inline int64_t evs_x_i64(const struct x_vec *x, uint32_t i)
{
	return (int64_t)evs_array_int(x->a, evs_x_at(x, i));
}

static inline double evs_x_f64(const struct x_vec *x, uint32_t i)
{
	return evs_array_float(x->a, evs_x_at(x, i));
}

/* The writable data of a result of fixed width. */
static inline void *evs_x_data(struct x_vec *out)
{
	return out->slot->a.data;
}

/* ---- expr_coded.c */

/* After binding: n->only of every node of the tree. */
void evs_x_mark(struct x_node *root);
/* evs_x_eval() of a tree whose only column has codes. */
int evs_x_eval_coded(struct evs_eval *v, const struct x_node *n, struct x_vec *out);
void evs_x_forget_done(struct evs_eval *v);

/* ---- expr_over.c */

/* Is the tree one of v->over? Then its values into `out`. */
bool evs_x_eval_over(struct evs_eval *v, const struct x_node *n, struct x_vec *out);
/* expr.c: do the trees compute the same in the same way? */
bool evs_x_same(const struct x_node *a, const struct x_node *b);
/* expr_eval.c: append a chunk's result to the answer. Returns 0 or EVS_E_NOMEM. */
int evs_x_take_result(const struct x_vec *x, uint32_t rows, struct evs_array *out);

/* ---- expr_logic.c: AND, OR, CASE, coalesce
 * --------------------------------------------------------- */

int evs_x_eval_logic(struct evs_eval *v, const struct x_node *n, struct x_vec *out);
int evs_x_eval_choice(struct evs_eval *v, const struct x_node *n, struct x_vec *out);

/* ---- binding
 * ---------------------------------------------------------------------------------------- */

struct x_binder {
	struct evs_expr *e;
	const struct evs_table *t;
	struct evs_diag *diag;
	struct evs_eval *v; /* for constants */
	int err;
};

/* expr_bind.c: check one parsed node. NULL: failed. */
struct x_node *evs_x_bind(struct x_binder *b, const struct x_ast *a);
x_eval_fn evs_x_not; /* of a Bool */
x_eval_fn evs_x_is;  /* op: enum x_is; num: negated */

/* expr_name.c */
struct x_node *evs_x_bind_name(struct x_binder *b, const struct x_ast *a);
struct x_node *evs_x_bind_column(struct x_binder *b, const struct x_ast *a, int ordinal);
/* Ordinal of the column that a name begins with, or -1; `*used` gets how many of its parts stand
 * for it. `as` is another name of the table, or NULL. */
int evs_x_find_column(const struct evs_table *t, const char *as, const struct x_ast *a,
		      size_t *used);
/* A function that SQL writes without parentheses? */
bool evs_x_is_bare_function(const struct x_ast *a);

/* Fail at a node of the text. Returns NULL. */
void *evs_x_fail(struct x_binder *b, const struct x_ast *a, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void *evs_x_nomem(struct x_binder *b);

struct x_node *evs_x_node(struct x_binder *b, enum x_shape shape, const struct x_ast *a,
			  size_t nargs);

/* A function node over `arg` (copied); nullable follows from the arguments. */
struct x_node *evs_x_call(struct x_binder *b, const struct x_ast *a, x_eval_fn *eval,
			  enum evs_type_id result, struct x_node *const *arg, size_t n);

/* Compute a node whose arguments are all constant; otherwise give it back as it is. */
struct x_node *evs_x_fold(struct x_binder *b, struct x_node *n);

/* Constants. */
struct x_node *evs_x_const(struct x_binder *b, const struct x_ast *a, const struct evs_type *t);
struct x_node *evs_x_const_int(struct x_binder *b, const struct x_ast *a, enum evs_type_id id,
			       int64_t v);
struct x_node *evs_x_const_null(struct x_binder *b, const struct x_ast *a,
				const struct evs_type *t);
bool evs_x_is_const(const struct x_node *n); /* X_CONST, NULL included */
bool evs_x_is_const_null(const struct x_node *n);

/* expr_literal.c: number text to a node; `as` (may be NULL) is the type it stands beside. */
struct x_node *evs_x_literal_number(struct x_binder *b, const struct x_ast *a,
				    const struct evs_type *as);
struct x_node *evs_x_literal_text(struct x_binder *b, const struct x_ast *a, const char *s,
				  size_t len, const struct evs_type *as);
/* Number text, more freely written than JSON's: +1, .5, 007. False: not a number, or beyond a
 * double. */
bool evs_x_float_parse(const char *s, size_t len, double *out);
/* Digits with an optional sign and point, at most 38: the digits as a number, and how many stand
 * after the point. */
bool evs_x_decimal_parse(const char *s, size_t len, x_i128 *v, unsigned *scale);
/* Text of a UUID, to its 16 bytes. */
bool evs_x_uuid_parse(const char *s, size_t len, uint8_t *out);
/* Type named in a cast. */
const struct evs_type *evs_x_type_named(struct x_binder *b, const struct x_ast *a, const char *s,
					size_t len);

/* expr_compare.c */
struct x_node *evs_x_bind_compare(struct x_binder *b, const struct x_ast *a, enum x_op op,
				  struct x_node *l, struct x_node *r);
struct x_node *evs_x_bind_in(struct x_binder *b, const struct x_ast *a);
/* The constants of a node that evs_x_bind_in() made, no order; NULL: it is another node. */
const struct evs_array *evs_x_in_items(const struct x_node *n, bool *has_null);
/* A string constant as a time: of type `to` when that holds all its digits, else with as many as
 * it has. */
struct x_node *evs_x_adapt_time(struct x_binder *b, const struct x_ast *a, struct x_node *n,
				const struct evs_type *to);
/* Are all of them the bare NULL? Then so is what chooses among them; otherwise NULL, not failed. */
struct x_node *evs_x_only_nulls(struct x_binder *b, const struct x_ast *a,
				struct x_node *const *arg, size_t n);
/* Make two nodes of one type that both fit, as CASE, coalesce and arrays need; false: failed. */
bool evs_x_unify(struct x_binder *b, const struct x_ast *a, struct x_node **arg, size_t n,
		 struct evs_type *t);

/* expr_arith.c */
struct x_node *evs_x_bind_arith(struct x_binder *b, const struct x_ast *a, enum x_op op,
				struct x_node *l, struct x_node *r);
struct x_node *evs_x_bind_intdiv(struct x_binder *b, const struct x_ast *a, struct x_node *l,
				 struct x_node *r);
struct x_node *evs_x_bind_negative(struct x_binder *b, const struct x_ast *a);

/* expr_coerce.c */
enum x_cast { X_IMPLICIT, X_ASSIGN, X_EXPLICIT, X_TRY };
struct x_node *evs_x_cast(struct x_binder *b, const struct x_ast *a, struct x_node *n,
			  const struct evs_type *to, enum x_cast how);
struct x_node *evs_x_cast_id(struct x_binder *b, const struct x_ast *a, struct x_node *n,
			     enum evs_type_id id, enum x_cast how);
/* As a truth value, for AND, WHERE, CASE WHEN. */
struct x_node *evs_x_truth(struct x_binder *b, const struct x_ast *a, struct x_node *n);

/* fn_cast.c: the function that converts, or NULL when there is none. */
x_eval_fn *evs_x_cast_fn(const struct evs_type *from, const struct evs_type *to);
x_eval_fn
	evs_x_cast_array; /* node->aux: the conversion of the elements, a node; NULL: none needed */
x_eval_fn *evs_x_cast_to_text(const struct evs_type *from);
x_eval_fn *evs_x_cast_from_text(const struct evs_type *to);
x_eval_fn *evs_x_cast_from_json(const struct evs_type *to);
x_eval_fn evs_x_json_to_text;

/* Printed for messages, into buf of cap bytes. Returns buf. */
const char *evs_x_type_text(const struct evs_type *t, char *buf, size_t cap);

/* ---- functions
 * -------------------------------------------------------------------------------------- */

struct x_fn;
typedef struct x_node *x_bind_fn(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				 struct x_node **arg, size_t n);

#define X_MAY_NULL   1u
#define X_SEES_NULLS 2u
#define X_SECOND     4u /* the first argument was a unit and is gone: number them from 2 */

/*
 * `sig` describes arguments and result, e.g. "si?i>s": s text, i Int64, f Float64, b Bool, t
 * time, x anything, j JSON or text, a Array, p text or Int64 (a step of a JSON path); `?` before
 * an optional one, `*` after the last one when it may stand any number of times more. Result: s i
 * f b, u UInt64, D Date, T DateTime, j JSON. With `bind`, `sig` only counts arguments (x).
 */
struct x_fn {
	const char *name; /* lower case */
	const char *sig;
	x_eval_fn *eval;
	x_bind_fn *bind;
	unsigned flags;
	uint8_t op;  /* to node->op */
	uint8_t num; /* to node->num */
};

/* One table a family, each ending with a NULL name. */
extern const struct x_fn evs_x_fns_string[];
extern const struct x_fn evs_x_fns_pattern[];
extern const struct x_fn evs_x_fns_calendar[];
extern const struct x_fn evs_x_fns_time[];
extern const struct x_fn evs_x_fns_json[];
extern const struct x_fn evs_x_fns_math[];
extern const struct x_fn evs_x_fns_array[];
extern const struct x_fn evs_x_fns_misc[];
extern const struct x_fn evs_x_fns_cast[];

/* expr_fn.c */
struct x_node *evs_x_bind_call(struct x_binder *b, const struct x_ast *a);
const struct x_fn *evs_x_fn_find(const char *name, size_t len);
struct x_node *evs_x_bind_fn(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
			     struct x_node **arg, size_t n);

/* text_find.c: first place of a text in another, or NULL. */
const char *evs_x_find(const char *s, size_t n, const char *needle, size_t m);
/* The same, quickest when needle[a] and needle[b] are two bytes that texts seldom have. */
const char *evs_x_find_by(const char *s, size_t n, const char *needle, size_t m, size_t a,
			  size_t b);

/* fn_pattern.c, fn_regex.c: text LIKE pattern; text ~ pattern. */
/* What every text begins with that a LIKE lets through, with its pattern constant; NULL: another
 * node, or nothing. */
const char *evs_x_like_prefix(const struct x_node *n, size_t *len);
struct x_node *evs_x_as_text(struct x_binder *b, const struct x_ast *a, struct x_node *n);
struct x_node *evs_x_bind_like(struct x_binder *b, const struct x_ast *a);
struct x_node *evs_x_bind_match(struct x_binder *b, const struct x_ast *a, enum x_op op,
				struct x_node *l, struct x_node *r);

/* fn_array.c, fn_json.c */
struct x_node *evs_x_bind_count(struct x_binder *b, const struct x_ast *a,
				struct x_node *list); /* of elements */
struct x_node *evs_x_bind_array(struct x_binder *b, const struct x_ast *a);
struct x_node *evs_x_bind_index(struct x_binder *b, const struct x_ast *a, struct x_node *base,
				struct x_node *key);
struct x_node *evs_x_bind_path(struct x_binder *b, const struct x_ast *a, struct x_node *base,
			       struct x_node *key, bool as_text);

/* fn_compare.c: for two nodes of one type (or of the pairs that expr_compare.c lets through). */
x_eval_fn *evs_x_compare_fn(const struct evs_type *l, const struct evs_type *r);
bool evs_x_holds(enum x_op op, int c); /* does an ordering of -1, 0, 1 satisfy the operator? */
x_eval_fn evs_x_distinct_from;	       /* node->num: negated */
int evs_x_compare_int_float(uint64_t bits, bool is_signed, double d); /* -1, 0, 1 */

/* fn_json.c: JSON numbers with numbers; what is no number compares as NULL. */
x_eval_fn evs_x_compare_json;

/* fn_arith.c */
enum x_arith { X_A_INT, X_A_UINT, X_A_FLOAT, X_A_DECIMAL };
x_eval_fn *evs_x_arith_fn(enum x_arith kind); /* node->op: the operator */

/* fn_time.c */
x_eval_fn evs_x_time_shift, evs_x_time_add, evs_x_time_diff, evs_x_ticks;

/* fn_calendar.c: does the function never fall while its first argument, a time, rises? */
bool evs_x_time_rises(const struct x_node *n);

/* fn_cast_call.c: a zone argument must be UTC. False: failed. */
bool evs_x_utc_arg(struct x_binder *b, const struct x_node *n);

/* ---- types
 * ------------------------------------------------------------------------------------------ */

static inline bool evs_x_is_int(const struct evs_type *t)
{
	return t->id >= EVS_T_INT8 && t->id <= EVS_T_UINT64;
}

static inline bool evs_x_is_unsigned(const struct evs_type *t)
{
	return t->id >= EVS_T_UINT8 && t->id <= EVS_T_UINT64;
}

static inline bool evs_x_is_float(const struct evs_type *t)
{
	return t->id == EVS_T_FLOAT32 || t->id == EVS_T_FLOAT64;
}

static inline bool evs_x_is_number(const struct evs_type *t)
{
	return evs_x_is_int(t) || evs_x_is_float(t) || t->id == EVS_T_DECIMAL;
}

static inline bool evs_x_is_time(const struct evs_type *t)
{
	return t->id == EVS_T_DATE || t->id == EVS_T_DATETIME || t->id == EVS_T_DATETIME64;
}

/* Decimals as 128-bit integers, whatever their width. */
x_i128 evs_x_decimal(const struct x_vec *x, uint32_t i);
void evs_x_put_decimal(struct x_vec *out, uint32_t i, x_i128 v);
x_i128 evs_x_pow10(unsigned n); /* n <= 38 */

/* Units of a time type in nanoseconds: 86,400e9 for Date, 1e9 for DateTime, 10^(9 - scale). */
int64_t evs_x_time_unit(const struct evs_type *t);
/* Is a number of units a time in years 0 to 9999? */
bool evs_x_time_fits(const struct evs_type *t, x_i128 units);

static inline x_i128 evs_x_floor_div(x_i128 a, x_i128 b)
{
	return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

#endif
