/*
 * The inside of struct evs_query, shared by query*.c: a source of rows, grouping, and what comes
 * after it, each step taking batches from the one before.
 *
 * A source is a scan, or another query (a view), and gives arrays by the ordinals of its table.
 */
#ifndef EVS_QUERY_QUERY_H
#define EVS_QUERY_QUERY_H

#include "src/batch.h"
#include "src/expr/expr.h"
#include "src/query/grouping.h"
#include "src/query/limit_by.h"
#include "src/query/merge.h"
#include "src/query/order.h"
#include "src/query/scan.h"

#include <pthread.h>

#define QUERY_THREADS 2u
#define QUERY_SLICE   16384u /* rows worked on at a time; a multiple of 8 */

/* An expression's values: computed here, or a column of the source. */
struct query_value {
	struct evs_array own;
	const struct evs_array *a;
};

/* One thread's way from the source to its groups. */
struct query_feed {
	struct evs_query *q;
	struct evs_scan *scan; /* its share of the segments; NULL: the rows come from q->inner */
	struct evs_eval *eval;
	size_t ncols;			/* of the source */
	struct evs_array *batch;	/* by ordinal; borrowed */
	struct evs_array *slice;	/* the rows at hand; borrowed */
	struct evs_coded *codes;	/* ... of columns that have them, by ordinal; borrowed */
	const struct evs_coded **coded; /* those, else NULL */
	size_t by_codes; /* of q->used, from 1: the key, of which nothing but its codes is asked
			    where it has some; 0: none */
	struct query_value where;
	uint32_t *sel;
	uint32_t sel_cap;
	struct evs_array *kept; /* by ordinal: rows of which `where` is true, of an inner query */
	uint32_t rows, at;	/* of batch */
	struct query_value *key;
	const struct evs_array **key_list;
	struct query_value *arg; /* of all aggregates, one after the other */
	const struct evs_array **arg_list;
	struct query_value *keep;
	struct evs_grouping_input *in;
	struct evs_grouping *grouping;
	/* columns of the rollup at hand, and of the plan made of them (borrowed) */
	struct evs_array *rollup;
	struct evs_array *state;
	int rollup_rc;
	struct evs_diag rollup_diag;
	pthread_t thread;
	bool started;
	int rc;
	struct evs_diag diag;
};

struct evs_query {
	struct evs_query_opts opts;
	unsigned threads; /* that there may be; opts.threads is 0 where they need not be */
	struct evs_select *select;
	const struct evs_select_plan *plan;
	const struct evs_table *source; /* what the plan is bound to */
	struct evs_table *inner_table;	/* the same, when it is a query's */
	struct evs_query *inner;	/* a view */
	size_t cap;			/* of memory, for each thing that has one */
	struct query_feed feed[QUERY_THREADS];
	unsigned nfeeds;
	struct query_rollup *rollup; /* of a view that answers for whole commits, or NULL */
	uint16_t *used;		     /* ordinals of the source that are needed */
	size_t nused;

	pthread_mutex_t lock; /* of callbacks and `seen` */
	bool lock_made;
	struct evs_scan_progress seen[QUERY_THREADS];

	struct query_value *col; /* of plan->col */
	struct evs_array *cols;	 /* their values side by side; borrowed */
	struct query_value having;
	uint32_t *sel;
	uint32_t sel_cap;
	struct evs_array *kept; /* keys and results of which `having` is true */
	bool fed;		/* all rows are grouped */
	struct evs_grouping *distinct;
	struct evs_order *order;
	bool distinct_fed, order_fed;
	struct evs_limit_by *by;
	bool by_fed; /* all rows went through it */
	uint64_t skipped, given;
	struct evs_array *out; /* rows of a batch that LIMIT lets through */
	struct evs_field *fields;
	struct evs_batch answer;
	bool grown; /* some batch of rows was: see struct evs_batch */
};

/* ---- query_feed.c ---------------------------------------------------------------------------- */

/* Memory for the feed, and its grouping when the plan has groups. */
int evs_query_feed_open(struct query_feed *f, struct evs_diag *diag);
void evs_query_feed_close(struct query_feed *f);

/* The next rows of the source, in f->slice by ordinal: how many, 0 at the end, or an error. */
int evs_query_feed_next(struct query_feed *f, uint32_t *rows, struct evs_diag *diag);

/* Put all rows into groups, on as many threads as there are feeds; the groups are feed[0]'s then.
 */
int evs_query_feed_all(struct evs_query *q, struct evs_diag *diag);

/* Values of an expression over arrays by ordinal, of which some may have codes (or NULL). */
int evs_query_eval(struct evs_eval *v, const struct evs_expr *e, const struct evs_array *cols,
		   const struct evs_coded *const *coded, uint32_t rows, struct query_value *out,
		   struct evs_diag *diag);

/* Numbers of the rows of which a Bool is true, into *sel; how many, or EVS_E_NOMEM as UINT32_MAX.
 */
uint32_t evs_query_true_rows(const struct evs_array *a, uint32_t rows, uint32_t **sel,
			     uint32_t *cap);

/* `to` becomes rows sel[0 .. n) of `from`. Returns 0 or EVS_E_NOMEM. */
int evs_query_take(struct evs_array *to, const struct evs_array *from, const uint32_t *sel,
		   uint32_t n);

/* An evs_scan_opts.on_damage, for scans of any thread; `arg` is the query. */
void evs_query_damage(void *arg, const struct evs_damage *d);

/* ---- query_rollup.c -------------------------------------------------------------------------- */

/* After the plan is bound: look for a materialized view of the stream at `path` whose rollups hold
 * what the plan needs. */
int evs_query_rollup_open(struct evs_query *q, const char *path, struct evs_diag *diag);
/* Let the feed's scan take rollups where commits have them. */
int evs_query_rollup_feed(struct query_feed *f, struct evs_diag *diag);
void evs_query_rollup_close(struct evs_query *q);
void evs_query_rollup_feed_close(struct query_feed *f);

/* ---- query_stage.c --------------------------------------------------------------------------- */

/* The next rows of plan->col in q->cols: 1 with `*rows`, 0 at the end. Everything but LIMIT is
 * done. */
int evs_query_stage_next(struct evs_query *q, uint32_t *rows, struct evs_diag *diag);
int evs_query_stage_open(struct evs_query *q, struct evs_diag *diag);
void evs_query_stage_close(struct evs_query *q);

/* ---- query_from.c ---------------------------------------------------------------------------- */

/* Find what FROM names under the paths, and open it as the source of `q`. `depth`: of views inside
 * of views. */
int evs_query_from(struct evs_query *q, const char *const *paths, size_t npaths, unsigned depth,
		   struct evs_diag *diag);
int evs_query_open_depth(struct evs_query **out, const char *const *paths, size_t npaths,
			 const struct evs_query_opts *opts, unsigned depth, struct evs_diag *diag);

#endif
