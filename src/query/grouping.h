/*
 * GROUP BY: rows in, one row for each group out, with as much memory as is given and the disk for
 * the rest. Also DISTINCT, which is grouping without aggregates.
 *
 * When its memory is full, the groups go to disk as keys and states, split by the hash of the key,
 * and the table begins anew; at the end one part after the other is merged, and split again when it
 * is too large by itself.
 */
#ifndef EVS_QUERY_GROUPING_H
#define EVS_QUERY_GROUPING_H

#include "src/expr/expr.h"
#include "src/query/groups.h"

struct evs_grouping;

struct evs_grouping_spec {
	const struct evs_groups_key *key; /* copied; their types must outlive the grouping */
	size_t nkey;			  /* 0: one group, which is there without rows too */
	const struct evs_agg_call *agg;	  /* must outlive it */
	size_t nagg;
	size_t cap; /* bytes of memory */
};

/* Returns 0 or EVS_E_NOMEM. */
int evs_grouping_new(struct evs_grouping **out, const struct evs_grouping_spec *spec);
void evs_grouping_free(struct evs_grouping *g); /* NULL is fine */

/* Computed arguments and filter of one aggregate. */
struct evs_grouping_input {
	const struct evs_array *const *arg;
	const struct evs_array *keep; /* Bool, or NULL */
};

/*
 * Take rows 0 .. rows - 1 of the keys and of every aggregate's input. With `code` (or NULL), row i
 * of the one key is key[0][code[i]], where takes_codes() says that this may be.
 */
bool evs_grouping_takes_codes(const struct evs_grouping *g);
int evs_grouping_add(struct evs_grouping *g, const struct evs_array *const *key,
		     const uint32_t *code, const struct evs_grouping_input *in, uint32_t rows,
		     struct evs_diag *diag);

/* Take groups as their keys and then the columns of their aggregates' states (agg.h). EVS_E_FORMAT:
 * they hold no such states. */
int evs_grouping_merge(struct evs_grouping *g, const struct evs_array *state, uint32_t rows,
		       struct evs_diag *diag);

/* Take over all that `from`, of the same spec, has taken, as if it had come after g's own rows.
 * `from` is then empty. */
int evs_grouping_absorb(struct evs_grouping *g, struct evs_grouping *from, struct evs_diag *diag);

/*
 * No more rows come: the next groups, 1 with `*cols` (keys, then results) valid until the next
 * call, 0 at the end. EVS_E_DATA: an aggregate has no result.
 */
int evs_grouping_next(struct evs_grouping *g, struct evs_array **cols, uint32_t *rows,
		      struct evs_diag *diag);

/* How often groups went to disk. */
uint64_t evs_grouping_spills(const struct evs_grouping *g);

#endif
