/*
 * One row for each key: rows sorted by the key stand side by side, and the last one stays or
 * numbers are added up. What memory does not hold goes to disk. Serves ReplacingMergeTree,
 * SummingMergeTree and `evcat --latest`.
 */
#ifndef EVS_QUERY_MERGE_H
#define EVS_QUERY_MERGE_H

#include "src/query/order.h"

struct evs_merge;

/*
 * Columns of a table that is merged. Ordinals of those that rows of one key share, and then of what
 * decides within it, into `out` (room for nkey + 1): how many, of which the first *ncompare are the
 * key.
 */
size_t evs_merge_keys(const struct evs_table *t, uint16_t *out, size_t *ncompare);
/* Is the column one of the key? */
bool evs_merge_by(const struct evs_table *t, uint16_t column);
/* Is it added up: named, or a number where none is named, and in no key? */
bool evs_merge_adds(const struct evs_table *t, uint16_t column);
/* Ordinal of the column that says of a row that it is deleted, or -1. */
int evs_merge_deleted(const struct evs_table *t);

struct evs_merge_spec {
	const struct evs_type *const *type; /* of the columns; must outlive the merge */
	size_t ncols;
	const struct evs_order_key
		*key;		/* the key, then what decides within it, ascending; copied */
	size_t nkeys, ncompare; /* the first ncompare are the key */
	const bool *add;	/* columns that are added up; NULL: the last row of a key stays */
	int deleted; /* column: a row that stays is left out when it has it other than 0; -1: none
		      */
	size_t cap;  /* bytes of memory */
	bool two_threads; /* may sort */
};

/* Returns 0 or EVS_E_NOMEM. `add` is copied. */
int evs_merge_new(struct evs_merge **out, const struct evs_merge_spec *spec);
void evs_merge_free(struct evs_merge *m); /* NULL is fine */

/* Take rows; the columns stay the caller's. Rows that are equal in all keys are in the order in
 * which they come. */
int evs_merge_add(struct evs_merge *m, const struct evs_array *cols, uint32_t rows,
		  struct evs_diag *diag);

/* Take rows that are sorted by all keys; as evs_order_run(). */
int evs_merge_run(struct evs_merge *m, const struct evs_order_source *source, uint64_t bytes,
		  struct evs_diag *diag);

/*
 * No more rows come: the next merged ones, 1 with `*cols` valid until the next call, in the order
 * of the key; 0 at the end, after which the merge may be used again.
 */
int evs_merge_next(struct evs_merge *m, struct evs_array **cols, uint32_t *rows,
		   struct evs_diag *diag);

#endif
