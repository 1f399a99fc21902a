/*
 * The inside of struct evs_order, shared by order.c (rows in and out, runs on disk) and
 * order_sort.c (what comes before what, sorting in memory).
 */
#ifndef EVS_QUERY_ORDER_STATE_H
#define EVS_QUERY_ORDER_STATE_H

#include "src/query/order.h"
#include "src/query/spill.h"

/* A row in memory, with the highest bits in which the prefixes of rows differ. */
struct item {
	uint32_t high, row;
};

/* Sorted rows: blocks of the spill, or what a source gives. */
struct run {
	size_t block, end;
	struct evs_order_source source; /* next is NULL: none */
	uint64_t bytes;			/* of its rows, about */
};

/* One run while it is merged. */
struct cursor {
	struct run run;
	struct evs_array *own;	/* of the blocks */
	struct evs_array *cols; /* the rows at hand: own, or the source's */
	uint32_t row, rows;
	bool large; /* rows are so large that few of them make a block */
	uint64_t prefix;
};

struct evs_order {
	const struct evs_type **type;
	size_t ncols;
	struct evs_order_key *key;
	size_t nkeys;
	uint64_t limit;
	size_t cap;
	bool two; /* threads may sort what is in memory at the end */

	struct evs_array *cols; /* rows that were taken */
	uint32_t rows;
	struct item *item;
	size_t item_cap;
	bool cut; /* the first `limit` rows are the best of all before them, sorted */
	uint32_t *pick;
	uint32_t pick_cap;

	struct evs_spill *spill;
	struct run *run; /* in the order in which their rows came */
	size_t nruns, run_cap;
	uint64_t spills;
	size_t largest; /* block in memory */
	struct cursor *cur;
	size_t ncur;

	bool ended, merging;
	uint32_t given;
	uint64_t out_rows;
	struct evs_array *out;
};

/* Does row `i` of `a` come before row `j` of `b` (-1), after it (1) or with it (0)? Both have all
 * columns. */
int evs_order_rows(const struct evs_order *o, const struct evs_array *a, uint32_t i,
		   const struct evs_array *b, uint32_t j);

/* A number that never falls while the first key rises; rows of one number are compared in full. */
uint64_t evs_order_prefix(const struct evs_order *o, const struct evs_array *cols, uint32_t row);

/* Order all rows in memory: their numbers in o->item. `two`: with a second thread, where that is
 * worth it. Returns 0 or EVS_E_NOMEM. */
int evs_order_sort(struct evs_order *o, bool two);

#endif
