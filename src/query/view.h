/*
 * A materialized view as states: which queries can be kept so, the id of its rollups, and the
 * columns of a rollup. Shared by the writer of rollups (rollup.c) and their reader
 * (query_rollup.c).
 */
#ifndef EVS_QUERY_VIEW_H
#define EVS_QUERY_VIEW_H

#include "format/commit.h"
#include "src/expr/expr.h"

#define EVS_VIEW_COLUMNS 4096u /* of a rollup at most */

/*
 * Can what the plan, bound to a stream, computes be kept as states? Grouped, without DISTINCT,
 * LIMIT or LIMIT BY, the same whenever it is computed, and with aggregates whose states are
 * columns.
 */
bool evs_view_keeps(const struct evs_select_plan *p);
/* Can its groups be made of such states? What is done with them then, such as LIMIT, does not
 * matter. */
bool evs_view_answers(const struct evs_select_plan *p);

/* The id of its rollups (spec/query.md 11-3): BLAKE2b-128 over the text and the types of the
 * columns. Returns 0 or EVS_E_NOMEM. */
int evs_view_id(uint8_t id[EVS_VIEW_ID], const char *select_text, const struct evs_select_plan *p);

/* Empty arrays of a rollup's columns, keys and then states; malloc'd, each released by the caller.
 * 0 or EVS_E_NOMEM. */
int evs_view_columns(const struct evs_select_plan *p, struct evs_array **out, size_t *n);

#endif
