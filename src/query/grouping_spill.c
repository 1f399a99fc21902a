/*
 * Groups on disk: written when they outgrow their memory, split by the hash of the key, and merged
 * part by part at the end. See grouping.h.
 */
#include "src/query/grouping_state.h"

#include "src/diag.h"

#include <stdlib.h>
#include <string.h>

#define PART_BITS  5u
#define PARTS	   (1u << PART_BITS)
#define MAX_DEPTH  12u /* of splitting: 60 bits of hash */
#define MIN_GROUPS 2u  /* fewer cannot be split */
#define HARD_CAP   16u /* times `cap`: what those few may take */

/* ---- to disk --------------------------------------------------------------------------------- */

static size_t memory_of(const struct evs_grouping *g)
{
	size_t n = g->groups ? evs_groups_memory(g->groups) : 0;

	for (size_t j = 0; j < g->nagg; j++)
		n += evs_agg_memory(g->agg[j]);
	return n;
}

uint32_t evs_grouping_chunk(const struct evs_grouping *g)
{
	uint32_t groups = g->groups ? evs_groups_count(g->groups) : 1;
	uint64_t n = (uint64_t)groups * (g->cap / 16) / (memory_of(g) + 1) + 1;

	return n > CHUNK ? CHUNK : (uint32_t)n;
}

static uint32_t part_of(const struct evs_grouping *g, uint32_t id)
{
	unsigned shift = 64 - PART_BITS * (g->depth + 1);

	return (uint32_t)(evs_groups_hash(g->groups, id) >> shift) & (PARTS - 1);
}

/* Numbers of all groups, ordered by part; start[p] is where part p begins. */
static uint32_t *by_part(const struct evs_grouping *g, uint32_t *start)
{
	uint32_t n = evs_groups_count(g->groups), at[PARTS + 1] = { 0 };
	uint32_t *id = malloc((n ? n : 1) * sizeof(*id));

	for (uint32_t i = 0; id && i < n; i++)
		at[part_of(g, i) + 1]++;
	for (uint32_t p = 0; p < PARTS; p++)
		at[p + 1] += at[p];
	memcpy(start, at, sizeof(at));
	for (uint32_t i = 0; id && i < n; i++)
		id[at[part_of(g, i)]++] = i;
	return id;
}

/* Keys and states of some groups, into g->state. */
int evs_grouping_save(struct evs_grouping *g, const uint32_t *id, uint32_t n)
{
	struct evs_array *col = g->state + g->nkey;
	int rc;

	for (size_t i = 0; i < g->nstate; i++)
		evs_array_reset(&g->state[i]);
	rc = evs_groups_keys(g->groups, id, n, g->state);
	for (size_t j = 0; j < g->nagg && rc == 0; j++) {
		rc = evs_agg_save(g->agg[j], id, n, col);
		col += evs_agg_columns(g->agg[j]);
	}
	return rc;
}

void evs_grouping_reset(struct evs_grouping *g)
{
	if (g->groups)
		evs_groups_reset(g->groups);
	for (size_t j = 0; j < g->nagg; j++)
		evs_agg_reset(g->agg[j]);
}

void evs_grouping_clear(struct evs_grouping *g)
{
	if (g->groups)
		evs_groups_clear(g->groups);
	for (size_t j = 0; j < g->nagg; j++)
		evs_agg_clear(g->agg[j]);
}

/* Move the table's groups to disk. */
int evs_grouping_spill(struct evs_grouping *g, struct evs_diag *diag)
{
	uint32_t start[PARTS + 1], *id, per;
	uint32_t n = evs_groups_count(g->groups);
	int rc = g->spill ? 0 : evs_spill_new(&g->spill, diag);

	if (rc < 0 || !n)
		return rc;
	id = by_part(g, start);
	if (!id)
		return evs_fail_nomem(diag);
	per = evs_grouping_chunk(g);
	for (uint32_t p = 0; p < PARTS && rc == 0; p++) {
		for (uint32_t at = start[p]; at < start[p + 1] && rc == 0; at += per) {
			uint32_t rows = start[p + 1] - at < per ? start[p + 1] - at : per;

			rc = evs_grouping_save(g, id + at, rows);
			if (rc < 0)
				(void)evs_fail_nomem(diag);
			else
				rc = evs_spill_put(g->spill, p, g->state, g->nstate, rows, diag);
		}
	}
	free(id);
	evs_grouping_reset(g);
	g->spills++;
	return rc;
}

/* Keep to the cap. */
int evs_grouping_relieve(struct evs_grouping *g, struct evs_diag *diag)
{
	size_t memory = memory_of(g);

	if (memory <= g->cap)
		return 0;
	if (g->groups && evs_groups_count(g->groups) >= MIN_GROUPS && g->depth < MAX_DEPTH)
		return evs_grouping_spill(g, diag);
	if (memory > g->cap * HARD_CAP)
		return evs_fail(diag, EVS_E_NOMEM,
				"what one group collects is larger than %zu MiB: give groupArray a "
				"maximum, as in groupArray(1000)(x)",
				g->cap * HARD_CAP >> 20);
	return 0;
}

/* Room for the parts of one more spill among those that wait. */
static int need_wait(struct evs_grouping *g)
{
	struct evs_spill **done = realloc(g->done, (g->ndone + 1) * sizeof(*done));
	struct pending *wait;

	if (!done)
		return EVS_E_NOMEM;
	g->done = done;
	if (g->nwait + PARTS <= g->wait_cap)
		return 0;
	wait = realloc(g->wait, (g->nwait + PARTS) * sizeof(*wait));
	if (!wait)
		return EVS_E_NOMEM;
	g->wait = wait;
	g->wait_cap = g->nwait + PARTS;
	return 0;
}

int evs_grouping_push(struct evs_grouping *g, struct evs_diag *diag)
{
	int rc;

	if (!g->spill)
		return 0;
	rc = evs_grouping_spill(g, diag);
	if (rc < 0)
		return rc;
	if (need_wait(g) < 0)
		return evs_fail_nomem(diag);
	g->done[g->ndone++] = g->spill;
	for (uint32_t p = PARTS; p-- > 0;)
		g->wait[g->nwait++] = (struct pending){ g->spill, p, g->depth };
	g->spill = NULL;
	return 0;
}

/* Merge the part that waits on top. It may turn out to be too large, and wait again in pieces. */
int evs_grouping_pop(struct evs_grouping *g, struct evs_diag *diag)
{
	struct pending w = g->wait[--g->nwait];
	int rc = 0;

	evs_grouping_reset(g);
	g->given = 0;
	g->depth = w.depth + 1;
	for (size_t i = 0; i < evs_spill_blocks(w.spill) && rc == 0; i++) {
		if (evs_spill_part(w.spill, i) != w.part)
			continue;
		rc = evs_spill_get(w.spill, i, g->state, g->nstate, diag);
		if (rc == 0)
			rc = evs_grouping_merge_own(g, g->state, evs_spill_rows(w.spill, i), diag);
	}
	return rc < 0 ? rc : evs_grouping_push(g, diag);
}
