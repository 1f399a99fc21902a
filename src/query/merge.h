/*
 * One row for each key: rows sorted by the key stand side by side, and the last one stays or numbers are added up. What
 * memory does not hold goes to disk. Serves ReplacingMergeTree, SummingMergeTree and `evcat --latest`.
 */
#ifndef EVS_QUERY_MERGE_H
#define EVS_QUERY_MERGE_H

#include "src/query/order.h"

struct evs_merge;

struct evs_merge_spec {
	const struct evs_type *const *type; /* of the columns; must outlive the merge */
	size_t ncols;
	const struct evs_order_key *key; /* the key, then what decides within it, ascending; copied */
	size_t nkeys, ncompare;		 /* the first ncompare are the key */
	const bool *add;		 /* columns that are added up; NULL: the last row of a key stays */
	int deleted;			 /* column: a row that stays is left out when it has it other than 0; -1: none */
	size_t cap;			 /* bytes of memory */
};

/* Returns 0 or EVS_E_NOMEM. `add` is copied. */
int evs_merge_new(struct evs_merge **out, const struct evs_merge_spec *spec);
void evs_merge_free(struct evs_merge *m); /* NULL is fine */

/* Take rows; the columns stay the caller's. Rows that are equal in all keys are in the order in which they come. */
int evs_merge_add(struct evs_merge *m, const struct evs_array *cols, uint32_t rows,
		  struct evs_diag *diag);

/*
 * No more rows come: the next merged ones, 1 with `*cols` valid until the next call, in the order of the key; 0 at the end, after
 * which the merge may be used again.
 */
int evs_merge_next(struct evs_merge *m, struct evs_array **cols, uint32_t *rows,
		   struct evs_diag *diag);

#endif
