/*
 * Rules between two frames that lead to each other: commits in a row, INDEX and commit, reference
 * and what it stands for (spec 7.1-12, 7.1-13, 8.3).
 */
#include "format/commit.h"
#include "format/rule.h"

int evs_commit_check_prev(const struct evs_commit *c, const struct evs_commit *prev,
			  const char **why)
{
	if (c->seq - 1 != prev->seq || c->rows_total - c->rows != prev->rows_total ||
	    memcmp(c->prev_hash, prev->hash, sizeof(c->prev_hash)) != 0)
		return evs_rule(why, EVS_E_FORMAT,
				"7.1-12 commit does not continue the one before");
	return 0;
}

int evs_commit_check_index(const struct evs_commit *c, const struct evs_index *x, const char **why)
{
	if (c->seq - c->since_index != x->seq)
		return evs_rule(why, EVS_E_FORMAT, "7.1-13 commit does not count from its INDEX");
	return 0;
}

int evs_index_check_ref(const struct evs_index *x, const struct evs_index_ref *from,
			const char **why)
{
	uint64_t rows = 0, commits = 0;

	/* No sum overflows: all references of an INDEX add up to its own numbers (8.1-6). */
	for (uint32_t i = 0; i < x->nrefs; i++) {
		if (x->refs[i].level + 1 != from->level)
			continue;
		rows += x->refs[i].rows;
		commits += x->refs[i].commits;
	}
	if (!commits || rows != from->rows || commits != from->commits)
		return evs_rule(why, EVS_E_FORMAT, "8.3-1 INDEX is not what its reference says");
	return 0;
}

int evs_commit_check_ref(const struct evs_commit *c, const struct evs_index_ref *from,
			 const char **why)
{
	if (c->rows != from->rows || c->time_min != from->time_min || c->time_max != from->time_max)
		return evs_rule(why, EVS_E_FORMAT, "8.3-2 COMMIT is not what its reference says");
	return 0;
}
