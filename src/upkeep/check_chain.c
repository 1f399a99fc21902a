/*
 * What the frames so far say, held against those that speak of them: how far sources have come, and
 * which commits an INDEX must fold.
 */
#include "src/upkeep/check.h"

#include "src/diag.h"

#include <stdlib.h>
#include <string.h>

void evs_check_chain_release(struct check_chain *c)
{
	evs_index_release(&c->index);
	free(c->refs);
	free(c->source);
	*c = (struct check_chain){ 0 };
}

/* ---- sources --------------------------------------------------------------------------------- */

static void source_id(uint8_t id[16], const struct evs_source *src)
{
	crypto_generichash(id, 16, (const uint8_t *)src->id, src->id_len, NULL, 0);
}

/* Where the source stands, or would. */
static uint32_t find_source(const struct check_chain *c, const uint8_t id[16], bool *there)
{
	uint32_t lo = 0, hi = c->nsource;

	*there = false;
	while (lo < hi && !*there) {
		uint32_t mid = lo + (hi - lo) / 2;
		int order = memcmp(c->source[mid].id, id, 16);

		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
		*there = order == 0;
	}
	return hi;
}

static int insert_source(struct check_chain *c, uint32_t at, const uint8_t id[16], uint64_t off)
{
	if (c->nsource == c->source_cap) {
		uint32_t cap = c->source_cap ? 2 * c->source_cap : 16;
		struct check_source *grown = realloc(c->source, cap * sizeof(*grown));

		if (!grown)
			return EVS_E_NOMEM;
		c->source = grown;
		c->source_cap = cap;
	}
	memmove(&c->source[at + 1], &c->source[at], (c->nsource++ - at) * sizeof(*c->source));
	memcpy(c->source[at].id, id, 16);
	c->source[at].off = off;
	return 0;
}

int evs_check_sources(struct check_segment *s, uint64_t off, const struct evs_source *src,
		      uint32_t n, bool all, struct evs_diag *diag)
{
	struct check_chain *c = &s->chain;
	bool sure = all && c->sources_sure, same = true, back = false, there;
	uint32_t moved = 0; /* sources above 0, which is where those are that nobody names */

	for (uint32_t i = 0; all && i < c->nsource; i++)
		moved += c->source[i].off > 0;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t id[16];
		uint32_t at;

		source_id(id, &src[i]);
		at = find_source(c, id, &there);
		back |= there && src[i].off < c->source[at].off;
		same &= src[i].off == (there ? c->source[at].off : 0);
		moved -= there && c->source[at].off > 0;
		if (there)
			c->source[at].off = src[i].off;
		else if (insert_source(c, at, id, src[i].off) < 0)
			return evs_fail_nomem(diag);
	}
	if (sure && (!same || moved))
		evs_check_found(s, off, 0, false,
				"7.6-C2 the INDEX has other sources than the commits before it");
	else if (back)
		evs_check_found(s, off, 0, false, "7.6-C1 a source goes backwards");
	if (all)
		c->sources_sure = true;
	return evs_salvage_sources(s, src, n, diag);
}

/* The state of a source that no newer frame names. EVS_E_NOMEM or 0. */
static int add_sources(struct check_chain *c, const struct evs_source *src, uint32_t n)
{
	bool there;

	for (uint32_t i = 0; i < n; i++) {
		uint8_t id[16];
		uint32_t at;

		source_id(id, &src[i]);
		at = find_source(c, id, &there);
		if (!there && insert_source(c, at, id, src[i].off) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* ---- INDEX ----------------------------------------------------------------------------------- */

static bool same_refs(const struct evs_index *a, const struct evs_index *b)
{
	bool same = a->nrefs == b->nrefs;

	for (uint32_t i = 0; same && i < a->nrefs; i++) {
		const struct evs_index_ref *x = &a->refs[i], *y = &b->refs[i];

		same = x->off == y->off && x->len == y->len && x->rows == y->rows &&
		       x->time_min == y->time_min && x->time_max == y->time_max &&
		       x->level == y->level && x->commits == y->commits;
	}
	return same;
}

/* Does the INDEX fold what stands before it, by 8.3? */
static int check_fold(struct check_segment *s, uint64_t off, const struct evs_index *x,
		      struct evs_diag *diag)
{
	struct check_chain *c = &s->chain;
	struct evs_index want = { 0 };
	int rc;

	if (!c->sure)
		return 0;
	rc = evs_index_fold(&want, c->index_off ? &c->index : NULL, c->index_off, c->index_len,
			    c->refs, c->nrefs);
	if (rc == 0 && (!same_refs(&want, x) || x->prev_off != c->index_off ||
			x->prev_len != c->index_len || x->last_commit_off != want.last_commit_off ||
			x->last_commit_len != want.last_commit_len))
		evs_check_found(s, off, 0, false,
				"8.3-C1 the INDEX is not what the commits before it make");
	evs_index_release(&want);
	return rc == EVS_E_NOMEM ? evs_fail_nomem(diag) : 0;
}

/* From here on this is the newest INDEX. EVS_E_NOMEM or 0. */
static int take_index(struct check_chain *c, uint64_t off, uint64_t span, const struct evs_index *x)
{
	struct evs_index_ref *refs = malloc(x->nrefs * sizeof(*refs));

	if (!refs)
		return EVS_E_NOMEM;
	memcpy(refs, x->refs, x->nrefs * sizeof(*refs));
	evs_index_release(&c->index);
	c->index = *x;
	c->index.refs = refs;
	c->index.sources = NULL;
	c->index.nsources = 0;
	c->index_off = off;
	c->index_len = span;
	return 0;
}

int evs_check_index(struct check_segment *s, const struct evs_walked *w, struct evs_diag *diag)
{
	const struct evs_index *x = w->index;
	int rc = check_fold(s, w->off, x, diag);

	if (rc == 0)
		rc = evs_check_sources(s, w->off, x->sources, x->nsources, true, diag);
	if (rc == 0 && take_index(&s->chain, w->off, w->span, x) < 0)
		rc = evs_fail_nomem(diag);
	s->chain.nrefs = 0;
	s->chain.sure = true;
	return rc;
}

/* ---- COMMIT ---------------------------------------------------------------------------------- */

/* Room for one more. EVS_E_NOMEM or 0. */
static int grow_refs(struct check_chain *k)
{
	uint32_t cap = k->refs_cap ? 2 * k->refs_cap : 2 * EVS_INDEX_EVERY;
	struct evs_index_ref *grown;

	if (k->nrefs < k->refs_cap)
		return 0;
	grown = realloc(k->refs, cap * sizeof(*grown));
	if (!grown)
		return EVS_E_NOMEM;
	k->refs = grown;
	k->refs_cap = cap;
	return 0;
}

static void put_ref(struct check_chain *k, uint64_t off, uint64_t span, const struct evs_commit *c)
{
	k->refs[k->nrefs++] = (struct evs_index_ref){ .off = off,
						      .len = span,
						      .rows = c->rows,
						      .time_min = c->time_min,
						      .time_max = c->time_max,
						      .commits = 1 };
}

int evs_check_remember(struct check_segment *s, const struct evs_walked *w, struct evs_diag *diag)
{
	struct check_chain *k = &s->chain;

	k->last_known = true;
	k->last_off = w->off;
	k->last_len = w->span;
	if (w->commit->seq == 1) /* nothing was before it, whether that was seen or not */
		k->sure = true;
	if (k->nrefs == EVS_MAX_INDEX_REFS) /* no INDEX could name them all */
		k->sure = false;
	if (!k->sure)
		return 0;
	if (grow_refs(k) < 0)
		return evs_fail_nomem(diag);
	put_ref(k, w->off, w->span, w->commit);
	return 0;
}

/* ---- going on -------------------------------------------------------------------------------- */

/* The commits since the newest INDEX, from the one at `off` back; what they say of sources. */
static int load_commits(struct check_segment *s, uint64_t off, uint64_t span,
			struct evs_commit *last, struct evs_diag *diag)
{
	struct check_chain *k = &s->chain;
	struct evs_commit c = { 0 };
	struct evs_buf payload = { 0 };
	uint32_t left = 0;
	int rc = 0;

	do {
		evs_commit_release(&c);
		rc = evs_segment_commit_at(s->seg, off, &c, &payload, diag);
		if (rc < 0)
			break;
		if (!left)
			left = c.since_index;
		if (k->nrefs == 0) {
			last->index_off = c.index_off;
			last->index_len = c.index_len;
		}
		if (grow_refs(k) < 0 || add_sources(k, c.sources, c.nsources) < 0)
			rc = evs_fail_nomem(diag);
		else
			put_ref(k, off, span, &c);
		off = c.prev_off;
		span = c.prev_len;
	} while (rc == 0 && --left && off);
	evs_commit_release(&c);
	evs_buf_release(&payload);
	for (uint32_t i = 0; i < k->nrefs / 2; i++) { /* oldest first */
		struct evs_index_ref r = k->refs[i];

		k->refs[i] = k->refs[k->nrefs - 1 - i];
		k->refs[k->nrefs - 1 - i] = r;
	}
	return rc;
}

int evs_check_chain_load(struct check_segment *s, uint64_t off, uint64_t span,
			 struct evs_diag *diag)
{
	struct check_chain *k = &s->chain;
	struct evs_commit last = { 0 };
	struct evs_index x = { 0 };
	struct evs_buf payload = { 0 };
	int rc = load_commits(s, off, span, &last, diag);

	if (rc == 0 && last.index_off)
		rc = evs_segment_index_at(s->seg, last.index_off, &x, &payload, diag);
	if (rc == 0 && last.index_off &&
	    (take_index(k, last.index_off, last.index_len, &x) < 0 ||
	     add_sources(k, x.sources, x.nsources) < 0))
		rc = evs_fail_nomem(diag);
	evs_index_release(&x);
	evs_buf_release(&payload);
	k->sure = k->sources_sure = rc == 0;
	k->last_known = true;
	k->last_off = off;
	k->last_len = span;
	/* What is damaged was told when the check came by. */
	return rc == EVS_E_FORMAT || rc == EVS_E_VERSION ? 0 : rc;
}
