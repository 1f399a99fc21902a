/*
 * The inside of struct evs_grouping, shared by grouping.c (rows and groups) and grouping_spill.c
 * (what goes to disk and comes back).
 */
#ifndef EVS_QUERY_GROUPING_STATE_H
#define EVS_QUERY_GROUPING_STATE_H

#include "src/query/agg.h"
#include "src/query/grouping.h"
#include "src/query/spill.h"

#define CHUNK 4096u /* groups written or given at a time, at most */

/* A part of a spill that waits to be merged. */
struct pending {
	struct evs_spill *spill;
	uint32_t part;
	unsigned depth; /* of its own spill */
};

struct evs_grouping {
	struct evs_groups_key *key;
	size_t nkey, nagg;
	const struct evs_agg_call *call;
	size_t cap;
	bool only_counts;	   /* of rows, and one key */
	struct evs_groups *groups; /* NULL without keys */
	struct evs_agg **agg;
	struct evs_grouping **distinct; /* by aggregate; NULL: not of that kind */
	struct evs_array *taken;	/* of keys and arguments, for `distinct` */
	size_t ntaken;
	uint32_t *id; /* groups of the rows at hand */
	uint32_t id_cap;
	uint32_t *of_code, *first; /* group of a code, UINT32_MAX: none yet; codes as they appear */
	uint32_t code_cap;
	struct evs_array coded_key;

	struct evs_spill *spill; /* where groups go now; NULL: none did */
	unsigned depth;		 /* ... and how many bits of hash are used up */
	uint64_t spills;
	struct evs_array *state; /* keys and states: blocks of a spill */
	size_t nstate;

	struct pending *wait;
	size_t nwait, wait_cap;
	struct evs_spill **done; /* whose parts wait; freed at the end */
	size_t ndone;
	bool ended;
	uint32_t given;		/* groups of the table that were given */
	struct evs_array *cols; /* keys and results */
};

/* ---- grouping.c ------------------------------------------------------------------------------ */

/* evs_grouping_merge() of what was written by ourselves: where it is wrong, the disk is. */
int evs_grouping_merge_own(struct evs_grouping *g, const struct evs_array *state, uint32_t rows,
			   struct evs_diag *diag);

/* ---- grouping_spill.c ------------------------------------------------------------------------ */

/* Keys and states of groups id[0 .. n), into g->state. Returns 0 or EVS_E_NOMEM. */
int evs_grouping_save(struct evs_grouping *g, const uint32_t *id, uint32_t n);

/* How many groups of the table to write or give at a time: they are small beside the cap. */
uint32_t evs_grouping_chunk(const struct evs_grouping *g);

/* Forget all groups of the table; clear() also gives their memory back. */
void evs_grouping_reset(struct evs_grouping *g);
void evs_grouping_clear(struct evs_grouping *g);

/* Keep to the cap: groups go to disk when they are too large. */
int evs_grouping_relieve(struct evs_grouping *g, struct evs_diag *diag);

/* Move the table's groups to disk. */
int evs_grouping_spill(struct evs_grouping *g, struct evs_diag *diag);

/* When something is on disk: the rest goes there too, and its parts wait to be merged. */
int evs_grouping_push(struct evs_grouping *g, struct evs_diag *diag);

/* Merge the part that waits on top. It may turn out to be too large, and wait again in pieces. */
int evs_grouping_pop(struct evs_grouping *g, struct evs_diag *diag);

#endif
