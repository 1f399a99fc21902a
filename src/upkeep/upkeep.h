/*
 * The upkeep room: what keeps a store small, sound and known without a server, run from cron. One
 * evs_<job>_* of evseg.h each: compact*.c merges the runs of a segment.
 *
 * It stands on the query room, which merges and orders rows and makes rollups, and on the store
 * room, which opens, locks and replaces segments.
 */
#ifndef EVS_UPKEEP_UPKEEP_H
#define EVS_UPKEEP_UPKEEP_H

#include "evseg.h"
#include "format/commit.h"
#include "src/schema/schema.h"
#include "src/store/store.h"

/* What compacting would make of a stream's segments today. Zeroed is none yet. */
struct evs_compact_goal {
	struct evs_table *table;
	struct evs_rollups *rollups; /* of the materialized views, or NULL */
	uint8_t made_for[EVS_MADE_FOR];
	int level;
	int64_t now; /* ns; 0: whenever it is asked */
};

#define EVS_COMPACT_LEVEL_DEFAULT 12

/*
 * `stream` is the folder of the stream; NULL: `s` lies in none, and its own schema counts. `level`
 * is of zstd, 0 the default; `now` pins the clock (0: the real one). Release in every case. Returns
 * 0; 1 when the stream has no schema; or an error.
 */
int evs_compact_goal(struct evs_compact_goal *out, const char *stream, struct evs_segment *s,
		     int level, int64_t now, struct evs_diag *diag);
void evs_compact_goal_release(struct evs_compact_goal *g);

/* What is known of a segment from its HEAD, newest and first COMMIT. */
struct evs_compact_state {
	uint64_t commits, rows, bytes;
	bool compacted;		 /* once at least */
	uint64_t behind_commits; /* appended since */
	uint64_t behind_bytes;
	int64_t behind_since; /* when the first of them was written, ns */
};

/* Does a segment gain, and why (spec/store.md 5.1)? EVS_E_FORMAT: it is damaged. */
int evs_compact_gain(struct evs_segment *s, const struct evs_compact_goal *goal,
		     enum evs_compact_why *why, struct evs_compact_state *state,
		     struct evs_diag *diag);

#endif
