/*
 * SELECT over one table (spec/query.md 8 and 9): parsed, checked, and taken apart into the
 * expressions that have to be computed, over which table, and in which order. How that is done
 * belongs to src/query/. Part of the room's front; see expr.h.
 *
 * A grouped query has two tables: the source's columns feed the keys and the arguments of the
 * aggregates; keys and results of aggregates, in this order, are the columns of the second table,
 * which everything else is computed from.
 */
#ifndef EVS_SELECT_H
#define EVS_SELECT_H

#include "src/expr/expr.h"

enum evs_agg_fn {
	EVS_AGG_COUNT = 1,
	EVS_AGG_SUM,
	EVS_AGG_AVG,
	EVS_AGG_MIN,
	EVS_AGG_MAX,
	EVS_AGG_ARG_MIN,
	EVS_AGG_ARG_MAX,
	EVS_AGG_ANY,
	EVS_AGG_ANY_LAST,
	EVS_AGG_UNIQ,
	EVS_AGG_UNIQ_EXACT,
	EVS_AGG_QUANTILE,
	EVS_AGG_QUANTILES,
	EVS_AGG_VAR_POP,
	EVS_AGG_VAR_SAMP,
	EVS_AGG_STDDEV_POP,
	EVS_AGG_STDDEV_SAMP,
	EVS_AGG_GROUP_ARRAY,
	EVS_AGG_STRING_AGG,
};

/* One aggregate call. Arguments and filter are bound to the source. */
struct evs_agg_call {
	enum evs_agg_fn fn;
	struct evs_expr **arg;
	size_t narg;
	struct evs_expr *filter; /* Bool, or NULL: all rows */
	const double *param;	 /* quantiles: 0 .. 1; groupArray: at most so many elements */
	size_t nparam;
	bool keep_nulls;  /* array_agg: NULLs are elements */
	const char *text; /* string_agg: what stands between */
	size_t text_len;
	struct evs_type type; /* of the result */
	bool nullable;
	uint32_t line, col; /* where it stands, for value errors */
	const char *word;
	size_t word_len;
};

/* A column of what the query computes; the first `nitems` are the answer's. */
struct evs_select_col {
	struct evs_expr *expr;
	const char *name;
	size_t name_len;
	bool extra; /* the hidden _extra of SELECT * */
};

struct evs_select_order {
	uint32_t col;
	bool desc, nulls_first;
};

#define EVS_NO_LIMIT UINT64_MAX

/* What to compute, in the order of its members. */
struct evs_select_plan {
	struct evs_expr *where; /* over the source; NULL: none */
	bool grouped;
	struct evs_expr **key; /* over the source */
	size_t nkey;
	struct evs_agg_call *agg;
	size_t nagg;
	const struct evs_table *table; /* the second one of a grouped query, else the source */
	struct evs_expr *having;       /* over `table`; NULL: none */
	struct evs_select_col *col;    /* over `table` */
	size_t ncol, nitems;
	bool distinct; /* rows that are equal in all of `col` count once */
	struct evs_select_order *order;
	size_t norder;
	uint32_t *by; /* LIMIT n BY: columns */
	size_t nby;
	uint64_t by_limit;
	uint64_t limit, offset; /* EVS_NO_LIMIT: none */
};

struct evs_select;

/*
 * Parse one SELECT statement; all of the text must be used, a semicolon at the end is fine. Returns
 * 0, EVS_E_QUERY (diag->path is "") or EVS_E_NOMEM.
 */
int evs_select_parse(struct evs_select **out, const char *text, size_t len, struct evs_diag *diag);

/* A query in parts, each NULL when not given; see evs_query_opts. */
struct evs_select_parts {
	const char *group, *aggs, *where, *having, *sort;
	uint64_t limit; /* 0: none */
};

/* The same from parts. Where it fails, diag->path names the part. */
int evs_select_parse_parts(struct evs_select **out, const struct evs_select_parts *parts,
			   struct evs_diag *diag);

void evs_select_free(struct evs_select *s);

/* What stands after FROM; "" when there is nothing. */
const char *evs_select_from_db(const struct evs_select *s);
const char *evs_select_from(const struct evs_select *s);

/* Resolve names and types against the source. `t` must outlive `s`. Once. */
int evs_select_bind(struct evs_select *s, const struct evs_table *t, struct evs_diag *diag);

/* After evs_select_bind(); owned by `s`. */
const struct evs_select_plan *evs_select_plan(const struct evs_select *s);

/* Set used[ordinal] of each of the source's columns that keys, aggregates and (without groups)
 * columns are computed from: not WHERE's. */
void evs_select_columns(const struct evs_select_plan *p, bool *used);

/* Is it an aggregate, such as "countIf"? */
bool evs_agg_known(const char *name, size_t len);

/* The names of all aggregates, in lower case; NULL behind the last. */
const char *evs_agg_name(size_t i);

#endif
