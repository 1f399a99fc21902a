/*
 * The INDEX frame in front of an append: the commits since the one before are folded into the tree
 * (spec 8.3), and what each source has had stored here is carried on.
 */
#include "src/diag.h"
#include "src/store/segment_write.h"

#include <stdlib.h>
#include <string.h>

/* Mentions of sources: other writers may name many in a commit. */
#define GATHERED (2 * EVS_MAX_SOURCES)

/* `n` more mentions, with ids of their own. */
static int add_sources(struct evs_index *x, const struct evs_source *from, uint32_t n)
{
	struct evs_source *grown;

	if (!n)
		return 0;
	if (n > GATHERED - x->nsources)
		return EVS_E_LIMIT;
	grown = realloc(x->sources, (x->nsources + n) * sizeof(*grown));
	if (!grown)
		return EVS_E_NOMEM;
	x->sources = grown;
	for (uint32_t i = 0; i < n; i++) {
		char *id = malloc(from[i].id_len);

		if (!id)
			return EVS_E_NOMEM;
		memcpy(id, from[i].id, from[i].id_len);
		x->sources[x->nsources++] = (struct evs_source){ id, from[i].id_len, from[i].off };
	}
	return 0;
}

/* By id; of one source the mention that says most comes first. */
static int by_source(const void *a, const void *b)
{
	const struct evs_source *x = a, *y = b;
	int c = x->id_len == y->id_len ? memcmp(x->id, y->id, x->id_len)
				       : (x->id_len > y->id_len) - (x->id_len < y->id_len);

	return c ? c : (x->off < y->off) - (x->off > y->off);
}

/* Each source once. */
static void unite_sources(struct evs_index *x)
{
	uint32_t n = 0;

	if (x->nsources)
		qsort(x->sources, x->nsources, sizeof(*x->sources), by_source);
	for (uint32_t i = 0; i < x->nsources; i++) {
		const struct evs_source *s = &x->sources[i], *last = n ? &x->sources[n - 1] : NULL;

		if (last && last->id_len == s->id_len && !memcmp(last->id, s->id, s->id_len))
			free((void *)(uintptr_t)s->id);
		else
			x->sources[n++] = *s;
	}
	x->nsources = n;
}

void evs_sources_free(struct evs_source *sources, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free((void *)(uintptr_t)sources[i].id);
	free(sources);
}

/* References to the `want` commits since the newest INDEX, oldest first (NULL: not wanted), and
 * their sources. */
static int collect_commits(struct evs_seg_writer *w, struct evs_index_ref *refs, uint32_t want,
			   struct evs_index *sources, struct evs_diag *diag)
{
	uint64_t off = w->end - w->last_len, len = w->last_len;
	struct evs_commit c = { 0 };
	struct evs_buf payload = { 0 };
	uint32_t i = want;
	int rc = 0;

	while (i > 0 && rc == 0) {
		evs_commit_release(&c);
		rc = evs_file_commit(&w->file, off, off + len, &c, &payload, diag);
		if (rc < 0)
			break;
		i--;
		if (refs)
			refs[i] = (struct evs_index_ref){ .off = off,
							  .len = len,
							  .rows = c.rows,
							  .time_min = c.time_min,
							  .time_max = c.time_max,
							  .commits = 1 };
		rc = add_sources(sources, c.sources, c.nsources);
		off = c.prev_off;
		len = c.prev_len;
	}
	evs_commit_release(&c);
	evs_buf_release(&payload);
	return rc;
}

/* What the INDEX in force says, which is kept in *prev. */
static int collect_index(struct evs_seg_writer *w, struct evs_index *prev, struct evs_buf *payload,
			 struct evs_index *sources, struct evs_diag *diag)
{
	int rc = w->last.index_off
			 ? evs_file_index(&w->file, w->last.index_off, w->end, prev, payload, diag)
			 : 0;

	return rc == 0 ? add_sources(sources, prev->sources, prev->nsources) : rc;
}

int evs_segw_sources(struct evs_seg_writer *w, struct evs_source **out, uint32_t *n,
		     struct evs_diag *diag)
{
	struct evs_index prev = { 0 }, sources = { 0 };
	struct evs_buf payload = { 0 };
	int rc = collect_commits(w, NULL, w->last.since_index, &sources, diag);

	if (rc == 0)
		rc = collect_index(w, &prev, &payload, &sources, diag);
	unite_sources(&sources);
	evs_index_release(&prev);
	evs_buf_release(&payload);
	if (rc == 0 && sources.nsources > EVS_MAX_SOURCES)
		rc = EVS_E_LIMIT;
	if (rc == 0) {
		*out = sources.sources;
		*n = sources.nsources;
		return 0;
	}
	evs_sources_free(sources.sources, sources.nsources);
	if (rc == EVS_E_NOMEM)
		return evs_fail_nomem(diag);
	return rc == EVS_E_LIMIT ? evs_fail_path(diag, rc, w->path, "7.6-1 too many sources") : rc;
}

int evs_segw_put_index(struct evs_seg_writer *w, struct evs_diag *diag)
{
	struct evs_index_ref refs[2 * EVS_INDEX_EVERY];
	struct evs_index prev = { 0 }, next = { 0 }, sources = { 0 };
	struct evs_buf prev_payload = { 0 };
	uint64_t at = evs_segw_here(w);
	uint32_t n = w->last.since_index;
	int rc;

	if (n >= sizeof(refs) / sizeof(refs[0]))
		return EVS_E_FORMAT; /* an earlier INDEX could not be written; evcompact mends that
				      */
	rc = collect_commits(w, refs, n, &sources, diag);
	if (rc == 0)
		rc = collect_index(w, &prev, &prev_payload, &sources, diag);
	if (rc == 0)
		rc = evs_index_fold(&next, w->last.index_off ? &prev : NULL, w->last.index_off,
				    w->last.index_len, refs, n);
	unite_sources(&sources);
	if (rc == 0) {
		next.seq = w->last.seq;
		next.rows_total = w->last.rows_total;
		next.prev_off = w->last.index_off;
		next.prev_len = w->last.index_len;
		next.last_commit_off = w->end - w->last_len;
		next.last_commit_len = w->last_len;
		next.sources = sources.sources;
		next.nsources = sources.nsources;
		next.append = w->next.append;
		rc = evs_index_write(&next, w->salt, at, &w->out);
		next.sources = NULL;
		next.nsources = 0;
	}
	if (rc == 0) {
		w->next.index_off = at;
		w->next.index_len = evs_segw_here(w) - at;
		w->next.since_index = 0;
	}
	evs_index_release(&next);
	evs_index_release(&prev);
	evs_buf_release(&prev_payload);
	evs_sources_free(sources.sources, sources.nsources);
	return rc;
}
