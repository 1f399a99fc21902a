/*
 * LIMIT n BY: of rows in their order, the first ones of each group. Rows come and go as long as the
 * groups fit into memory; from then on rows of other groups go to disk, and come back at the end,
 * in their order.
 */
#ifndef EVS_QUERY_LIMIT_BY_H
#define EVS_QUERY_LIMIT_BY_H

#include "src/query/groups.h"

struct evs_limit_by;

struct evs_limit_by_spec {
	const struct evs_groups_key *col; /* types of all columns; they must outlive it */
	size_t ncols;
	const uint32_t *by; /* the columns that make a group */
	size_t nby;
	uint64_t limit;
	size_t cap; /* bytes of memory */
};

/* What the spec points to is copied. Returns 0 or EVS_E_NOMEM. */
int evs_limit_by_new(struct evs_limit_by **out, const struct evs_limit_by_spec *spec);
void evs_limit_by_free(struct evs_limit_by *l); /* NULL is fine */

/* Take rows: those that are known to be among the first ones, and come before all that are kept
 * back, in sel[0 .. *n). */
int evs_limit_by_add(struct evs_limit_by *l, const struct evs_array *cols, uint32_t rows,
		     uint32_t *sel, uint32_t *n, struct evs_diag *diag);

/* No more rows come: the next ones that were kept back, 1 with `*cols` valid until the next call,
 * or 0. */
int evs_limit_by_next(struct evs_limit_by *l, struct evs_array **cols, uint32_t *rows,
		      struct evs_diag *diag);

/* How many sorted runs went to disk. */
uint64_t evs_limit_by_spills(const struct evs_limit_by *l);

#endif
