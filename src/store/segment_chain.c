/*
 * Holding frames against each other on a walk: a commit against the one before and the groups it
 * names, an INDEX against the frames it refers to (spec 7.1-12, 7.1-13, 7.2-7, 8.3-1, 8.3-2).
 *
 * Damage never gets here, because checksums stop it; a segment that another program wrote wrongly,
 * or forged, does.
 */
#include "src/diag.h"
#include "src/store/segment_read.h"

#include <stdlib.h>
#include <string.h>

#define COMMITS (2 * EVS_INDEX_EVERY)

void evs_chain_init(struct evs_chain *c)
{
	c->groups = NULL;
	c->groups_cap = 0;
}

void evs_chain_start(struct evs_segment *s)
{
	s->chain.commit_sure = s->chain.groups_sure = true;
	s->chain.last = (struct evs_commit){ 0 };
	s->chain.last_off = s->chain.index_off = s->chain.index_seq = 0;
	s->chain.ahead = (struct evs_ahead){ 0 };
	s->chain.ncommits = 0;
	s->chain.ngroups = 0;
}

void evs_chain_broken(struct evs_segment *s)
{
	s->chain.commit_sure = s->chain.groups_sure = false;
	s->chain.index_off = 0;
	s->chain.ncommits = 0;
}

void evs_chain_resume(struct evs_segment *s, uint64_t off, const struct evs_commit *commit,
		      bool whole)
{
	struct evs_chain *c = &s->chain;

	evs_chain_broken(s);
	c->last = (struct evs_commit){ .seq = commit->seq, .rows_total = commit->rows_total };
	memcpy(c->last.hash, commit->hash, sizeof(c->last.hash));
	c->last_off = off;
	c->index_off = commit->index_off;
	c->index_seq = commit->seq - commit->since_index;
	c->commit_sure = true;
	c->groups_sure = whole;
}

int evs_chain_group(struct evs_segment *s, uint64_t off, uint64_t span, struct evs_diag *diag)
{
	struct evs_chain *c = &s->chain;

	if (c->ngroups == c->groups_cap) {
		uint32_t cap = c->groups_cap ? 2 * c->groups_cap : 64;
		struct evs_seen *grown = realloc(c->groups, cap * sizeof(*grown));

		if (!grown)
			return evs_fail_nomem(diag);
		c->groups = grown;
		c->groups_cap = cap;
	}
	c->groups[c->ngroups++] =
		(struct evs_seen){ .off = off, .span = span, .rows = s->group.rows };
	return 0;
}

static bool groups_agree(const struct evs_chain *c, const struct evs_commit *commit)
{
	bool same = c->ngroups == commit->ngroups;

	for (uint32_t i = 0; same && i < c->ngroups; i++)
		same = c->groups[i].off == commit->groups[i].off &&
		       c->groups[i].span == commit->groups[i].len &&
		       c->groups[i].rows == commit->groups[i].rows;
	return same;
}

static void remember_commit(struct evs_chain *c, uint64_t off, uint64_t span,
			    const struct evs_commit *commit)
{
	if (c->ncommits == COMMITS) {
		memmove(c->commits, c->commits + 1, (COMMITS - 1) * sizeof(c->commits[0]));
		c->ncommits--;
	}
	c->commits[c->ncommits++] = (struct evs_seen){ .off = off,
						       .span = span,
						       .rows = commit->rows,
						       .time_min = commit->time_min,
						       .time_max = commit->time_max };
	c->last = (struct evs_commit){ .seq = commit->seq, .rows_total = commit->rows_total };
	memcpy(c->last.hash, commit->hash, sizeof(c->last.hash));
	c->last_off = off;
	c->commit_sure = c->groups_sure = true;
	c->ngroups = 0;
}

void evs_chain_commit(struct evs_segment *s, uint64_t off, uint64_t span,
		      const struct evs_commit *commit)
{
	struct evs_chain *c = &s->chain;
	struct evs_index x = { .seq = c->index_seq };
	const char *why = "7.1-12 commit does not continue the one before";

	if (c->commit_sure &&
	    (commit->prev_off != c->last_off || evs_commit_check_prev(commit, &c->last, &why) < 0))
		evs_segment_tell(s, off, 0, why);
	why = "7.1-13 commit does not count from its INDEX";
	if (c->commit_sure &&
	    (commit->index_off != c->index_off || evs_commit_check_index(commit, &x, &why) < 0))
		evs_segment_tell(s, off, 0, why);
	if (c->groups_sure && !groups_agree(c, commit))
		evs_segment_tell(s, off, 0, "7.2-7 the groups are not those that the commit names");
	c->index_off = commit->index_off;
	c->index_seq = commit->seq - commit->since_index;
	remember_commit(c, off, span, commit);
}

/* A reference to a commit that the walk has just passed. */
static bool commit_agrees(const struct evs_chain *c, const struct evs_index_ref *r,
			  const char **why)
{
	struct evs_commit commit;

	for (unsigned i = 0; i < c->ncommits; i++) {
		if (c->commits[i].off != r->off)
			continue;
		commit = (struct evs_commit){ .rows = c->commits[i].rows,
					      .time_min = c->commits[i].time_min,
					      .time_max = c->commits[i].time_max };
		return c->commits[i].span == r->len && evs_commit_check_ref(&commit, r, why) == 0;
	}
	return c->ncommits == 0 || r->off < c->commits[0].off;
}

/* The newest reference of a level stands for an INDEX frame: is that what it says? */
static int index_agrees(struct evs_segment *s, const struct evs_index_ref *r, bool *yes,
			const char **why, struct evs_diag *diag)
{
	struct evs_index x = { 0 };
	struct evs_buf payload = { 0 };
	int rc = evs_file_index(&s->file, r->off, s->tail.end, &x, &payload, diag);

	*yes = rc == EVS_E_FORMAT || (rc == 0 && evs_index_check_ref(&x, r, why) == 0);
	evs_index_release(&x);
	evs_buf_release(&payload);
	return rc == EVS_E_FORMAT ? 0 : rc; /* its damage was told where it stands */
}

int evs_chain_index(struct evs_segment *s, uint64_t off, const struct evs_index *x,
		    struct evs_diag *diag)
{
	struct evs_chain *c = &s->chain;
	const char *why = "8.3-2 COMMIT is not what its reference says";
	bool agrees = true;

	for (uint32_t i = 0; i < x->nrefs && agrees; i++) {
		const struct evs_index_ref *r = &x->refs[i];
		bool newest = i + 1 == x->nrefs || r[1].level != r->level;
		int rc;

		if (!r->level) {
			agrees = commit_agrees(c, r, &why);
		} else if (newest) {
			why = "8.3-1 INDEX is not what its reference says";
			rc = index_agrees(s, r, &agrees, &why, diag);
			if (rc < 0)
				return rc;
		}
		if (!agrees)
			evs_segment_tell(s, off, 0, why);
		else
			why = "8.3-2 COMMIT is not what its reference says";
	}
	c->index_off = off;
	c->index_seq = x->seq;
	c->ncommits = 0;
	return 0;
}
