/*
 * Aggregates: a state for each group, fed by rows, merged with others, written as columns and read
 * back (spec/query.md 9).
 *
 * Every aggregate of the language is a row of the table in agg.c. Its states are plain memory of
 * one size, and all zero is the state of no rows. What a state is as columns is a partial result
 * that can be kept: merging it, in any order and any number of pieces, gives the same answer as the
 * rows would (but for the aggregates that follow the order of rows, which are merged in that
 * order). Spilling, threads and rollups all use this one form.
 */
#ifndef EVS_QUERY_AGG_H
#define EVS_QUERY_AGG_H

#include "format/array.h"
#include "src/expr/expr.h"

#define EVS_AGG_MAX_COLUMNS 8u /* of a state */

struct evs_agg;

/* `call` must outlive it. EVS_AGG_UNIQ_EXACT is counted by grouping.c and is a count here. */
int evs_agg_new(struct evs_agg **out, const struct evs_agg_call *call);
void evs_agg_free(struct evs_agg *a);

/* Have states for groups 0 .. n - 1; new ones are empty. Returns 0 or EVS_E_NOMEM. */
int evs_agg_groups(struct evs_agg *a, uint32_t n);
void evs_agg_reset(struct evs_agg *a);		/* no groups; memory is kept for others */
void evs_agg_clear(struct evs_agg *a);		/* no groups; memory is given back */
size_t evs_agg_memory(const struct evs_agg *a); /* in use */

/*
 * Feed rows 0 .. rows - 1 of the arguments. `gid[i]` is row i's group; NULL: all belong to group 0.
 * `keep` is the computed filter, Bool, or NULL. Returns 0 or EVS_E_NOMEM.
 */
int evs_agg_update(struct evs_agg *a, const struct evs_array *const *arg,
		   const struct evs_array *keep, const uint32_t *gid, uint32_t rows);

/* Is it a count of all rows? Then n more of them in group `id`, which it has. */
bool evs_agg_counts_rows(const struct evs_agg *a);
void evs_agg_add_rows(struct evs_agg *a, uint32_t id, uint32_t n);

/* The columns of a state: how many, and an empty array of each one's shape (evs_array_release()
 * it). */
unsigned evs_agg_columns(const struct evs_agg *a);
int evs_agg_column(const struct evs_agg *a, unsigned i, struct evs_array *out);
/* Type of a state's column, as a stored schema would have it. */
const struct evs_type *evs_agg_column_type(const struct evs_agg *a, unsigned i);

/* Append the states of groups id[0 .. n) to `cols`. Returns 0 or EVS_E_NOMEM. */
int evs_agg_save(const struct evs_agg *a, const uint32_t *id, uint32_t n, struct evs_array *cols);

/* Merge the states in rows 0 .. rows - 1 of `cols`, row i into group gid[i]. Returns 0 or
 * EVS_E_NOMEM; EVS_E_FORMAT: the columns hold no such states. */
int evs_agg_merge(struct evs_agg *a, const struct evs_array *cols, const uint32_t *gid,
		  uint32_t rows);

/* Append the results of groups [from, from + n) to `out`, which has the shape of the call's type.
 * Returns 0, EVS_E_NOMEM or EVS_E_DATA with the place in the query. */
int evs_agg_finish(const struct evs_agg *a, uint32_t from, uint32_t n, struct evs_array *out,
		   struct evs_diag *diag);

#endif
