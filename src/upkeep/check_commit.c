/*
 * COMMIT and INDEX frames against the frames before them, and what the whole append says of itself.
 */
#include "src/upkeep/check.h"

#include "src/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE (64u << 10) /* of a frame that is hashed */

/* ---- COMMIT ---------------------------------------------------------------------------------- */

static int check_places(struct check_segment *s, uint64_t off, const struct evs_commit *c,
			struct evs_diag *diag)
{
	const struct check_chain *k = &s->chain;
	struct evs_diag d = { 0 };
	char *text = NULL, what[512];
	size_t len;
	int rc;

	if ((k->last_known && c->prev_off == k->last_off && c->prev_len != k->last_len) ||
	    (k->index_off && c->index_off == k->index_off && c->index_len != k->index_len))
		evs_check_found(s, off, 0, false,
				"7.1-C2 prev_len or index_len is not the span of the frame");
	if (!c->schema_off || c->schema_off == s->schema_named)
		return 0;
	s->schema_named = c->schema_off;
	rc = evs_segment_schema(s->seg, c->schema_off, &text, &len, &d);
	free(text);
	if (rc == EVS_E_FORMAT || rc == EVS_E_VERSION) {
		(void)snprintf(what, sizeof(what), "7.1-C3 schema_off of the commit: %.400s",
			       d.what);
		evs_check_found(s, off, 0, false, what);
		return 0;
	}
	if (rc < 0 && diag)
		*diag = d;
	return rc;
}

static void check_times(struct check_segment *s, uint64_t off, const struct evs_commit *c)
{
	int64_t min = EVS_TIME_NONE, max = EVS_TIME_NONE;

	for (uint32_t i = 0; i < c->ngroups; i++) {
		const struct evs_group_ref *g = &c->groups[i];

		if (g->time_min == EVS_TIME_NONE)
			continue;
		if (min == EVS_TIME_NONE || g->time_min < min)
			min = g->time_min;
		if (max == EVS_TIME_NONE || g->time_max > max)
			max = g->time_max;
	}
	if (min != c->time_min || max != c->time_max)
		evs_check_found(s, off, c->rows, false,
				"7.1-C1 time_min and time_max are not those of the groups");
}

/* The hash over all FILTER, or ROLLUP, frames of the append. */
static void check_hash(struct check_segment *s, uint64_t off, bool have,
		       crypto_generichash_state *st, const uint8_t want[EVS_HASH_SIZE],
		       const char *text)
{
	uint8_t hash[EVS_HASH_SIZE];

	if (!have)
		crypto_generichash_init(st, NULL, 0, EVS_HASH_SIZE);
	crypto_generichash_final(st, hash, sizeof(hash));
	if (memcmp(hash, want, sizeof(hash)) != 0)
		evs_check_found(s, off, 0, false, text);
}

static int check_commit(struct check_segment *s, const struct evs_walked *w, struct evs_diag *diag)
{
	const struct evs_commit *c = w->commit;
	int rc;

	s->run->count.commits++;
	rc = check_places(s, w->off, c, diag);
	if (rc < 0)
		return rc;
	check_times(s, w->off, c);
	if (s->whole && c->nfilters)
		check_hash(s, w->off, s->have_filters, &s->filters_hash, c->filters_hash,
			   "7.9-C1 hash of the FILTER frames");
	if (s->whole && c->nrollups)
		check_hash(s, w->off, s->have_rollups, &s->rollups_hash, c->rollups_hash,
			   "7.10-C1 hash of the ROLLUP frames");
	rc = evs_check_sources(s, w->off, c->sources, c->nsources, false, diag);
	if (rc == 0 && c->nrollups && !s->run->opts->quick)
		rc = evs_check_rollups(s, c, diag);
	return rc < 0 ? rc : evs_check_remember(s, w, diag);
}

/* ---- frames ---------------------------------------------------------------------------------- */

int evs_check_hash_frame(struct check_segment *s, uint64_t off, uint64_t span,
			 crypto_generichash_state *st, struct evs_diag *diag)
{
	while (span) {
		size_t n = span < PIECE ? (size_t)span : PIECE;
		const uint8_t *p;
		int rc = evs_segment_bytes(s->seg, off, n, &p, diag);

		if (rc < 0)
			return rc;
		crypto_generichash_update(st, p, n);
		off += n;
		span -= n;
	}
	return 0;
}

static int hash_into(struct check_segment *s, const struct evs_walked *w, bool *begun,
		     crypto_generichash_state *st, struct evs_diag *diag)
{
	if (!*begun)
		crypto_generichash_init(st, NULL, 0, EVS_HASH_SIZE);
	*begun = true;
	return evs_check_hash_frame(s, w->off, w->span, st, diag);
}

/* Nothing that speaks of what was stepped over can be told. */
static void broken(struct check_segment *s)
{
	s->whole = false;
	s->chain.sure = s->chain.sources_sure = s->chain.last_known = false;
}

static void forget_ahead(struct check_segment *s)
{
	evs_commit_release(&s->commit);
	s->ahead = false;
}

/* Whether a block needs it or not. */
static int check_dictionary(struct check_segment *s, const struct evs_walked *w,
			    struct evs_diag *diag)
{
	struct evs_dictionary d;
	const char *why = NULL;
	const uint8_t *p;
	int rc = evs_segment_bytes(s->seg, w->off + EVS_FRAME_HEAD_SIZE, w->frame->summed_len, &p,
				   diag);

	if (rc < 0)
		return rc;
	rc = evs_dictionary_decode(&d, p, w->frame->summed_len, &why);
	evs_dictionary_release(&d);
	if (rc == EVS_E_NOMEM)
		return evs_fail_nomem(diag);
	if (rc < 0)
		evs_check_found(s, w->off, 0, false,
				"5.5-C1 no dictionary in a DICT frame (5.5-1)");
	return 0;
}

/* A COMMIT ends an append. */
static void end_append(struct check_segment *s)
{
	forget_ahead(s);
	s->whole = true;
	s->have_filters = s->have_rollups = false;
}

int evs_check_walked(void *arg, const struct evs_walked *w, struct evs_diag *diag)
{
	struct check_segment *s = arg;
	int rc;

	s->run->count.bytes += w->span;
	evs_check_progress(s->run);
	if (!w->frame) {
		broken(s);
		return 0;
	}
	if (w->frame->type <= EVS_FRAME_FILTER &&
	    (w->frame->flags & EVS_FRAME_F_REFUSE) !=
		    (w->frame->type == EVS_FRAME_GROUP || w->frame->type == EVS_FRAME_SCHEMA ||
		     w->frame->type == EVS_FRAME_DICT))
		evs_check_found(s, w->off, 0, false, "3.1-C1 flag bit 0 is not that of the type");
	switch (w->frame->type) {
	case EVS_FRAME_GROUP:
		s->off = w->off;
		s->span = w->span;
		return 0;
	case EVS_FRAME_DICT:
		return check_dictionary(s, w, diag);
	case EVS_FRAME_FILTER:
		return hash_into(s, w, &s->have_filters, &s->filters_hash, diag);
	case EVS_FRAME_ROLLUP:
		return hash_into(s, w, &s->have_rollups, &s->rollups_hash, diag);
	case EVS_FRAME_INDEX:
		return evs_check_index(s, w, diag);
	case EVS_FRAME_COMMIT:
		rc = check_commit(s, w, diag);
		end_append(s);
		return rc == 0 ? evs_check_stop_commit(s, w) : rc;
	default:
		return 0;
	}
}

int evs_check_ahead(struct check_segment *s, uint64_t off, struct evs_diag *diag)
{
	int rc;

	if (s->ahead && off < s->commit_off)
		return 0;
	forget_ahead(s);
	s->ref = s->zone = s->filter = 0;
	rc = evs_segment_commit(s->seg, &s->commit, &s->payload, &s->commit_off, diag);
	s->ahead = rc == 0;
	return rc == EVS_E_SYS || rc == EVS_E_NOMEM ? rc : 0;
}
