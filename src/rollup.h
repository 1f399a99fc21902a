/*
 * What a stream's materialized views make of the rows of one append: groups and partial states
 * (spec/query.md 11). The store feeds them while it writes and stores what comes out beside the
 * rows; they are computed in the query room.
 */
#ifndef EVS_SRC_ROLLUP_H
#define EVS_SRC_ROLLUP_H

#include "evseg.h"
#include "format/array.h"
#include "format/commit.h"
#include "src/schema/schema.h"

struct evs_rollups;

/*
 * The materialized views over `t` in the schema text of its stream that can be kept as states;
 * others, and those that are wrong, are left out. `*out` is NULL when there is none. `t` must
 * outlive it. Returns 0 or EVS_E_NOMEM.
 */
int evs_rollups_new(struct evs_rollups **out, const struct evs_table *t, const char *schema,
		    size_t len);
void evs_rollups_free(struct evs_rollups *r); /* NULL is fine */

/* Id of view `i`, in ascending order; NULL behind the last one. */
const uint8_t *evs_rollups_view(const struct evs_rollups *r, size_t i);

/* How much memory the groups and states of a view may take before it is given up; 2 MiB unless set.
 * NULL is fine. */
void evs_rollups_memory(struct evs_rollups *r, size_t bytes);

/* Forget the rows so far. `now` is not seen by views that are kept. NULL is fine. */
void evs_rollups_start(struct evs_rollups *r);

/*
 * Take rows 0 .. rows - 1 of the table's columns into account. A view that cannot compute them, or
 * has more groups than is worth keeping, is given up until the next start. Returns 0 or
 * EVS_E_NOMEM.
 */
int evs_rollups_add(struct evs_rollups *r, const struct evs_array *cols, uint32_t rows);

struct evs_rollup {
	uint8_t view[EVS_VIEW_ID];
	const struct evs_array *cols; /* keys and states; valid until the next call */
	uint16_t ncols;
	uint32_t groups;
};

/* The next rollup worth keeping, in ascending order of views: 1, or 0 when there are no more.
 * EVS_E_NOMEM. */
int evs_rollups_next(struct evs_rollups *r, struct evs_rollup *out);

/* The rollup of one view, whether or not it is worth keeping: 1; 0 when there is no such view or it
 * was given up. EVS_E_NOMEM. */
int evs_rollups_find(struct evs_rollups *r, const uint8_t view[EVS_VIEW_ID],
		     struct evs_rollup *out);

#endif
