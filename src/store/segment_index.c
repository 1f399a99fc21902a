/*
 * The INDEX frame in front of an append: the commits since the one before are folded into the tree (spec 8.3), and
 * what each source has had stored here is carried on.
 */
#include "src/diag.h"
#include "src/store/segment_write.h"

#include <stdlib.h>
#include <string.h>

/* One more, with an id of its own. */
static int add_source(struct evs_index *x, const struct evs_source *source)
{
	struct evs_source *grown = realloc(x->sources, (x->nsources + 1) * sizeof(*grown));
	char *id = malloc(source->id_len + 1);

	if (grown)
		x->sources = grown;
	if (!grown || !id) {
		free(id);
		return EVS_E_NOMEM;
	}
	memcpy(id, source->id, source->id_len);
	x->sources[x->nsources++] = (struct evs_source){ id, source->id_len, source->off };
	return 0;
}

static int add_sources(struct evs_index *x, struct evs_commit *c)
{
	for (uint32_t i = 0; i < c->nsources; i++) {
		uint32_t k = 0;

		while (k < x->nsources &&
		       (x->sources[k].id_len != c->sources[i].id_len ||
			memcmp(x->sources[k].id, c->sources[i].id, c->sources[i].id_len) != 0))
			k++;
		if (k < x->nsources) {
			if (x->sources[k].off < c->sources[i].off)
				x->sources[k].off = c->sources[i].off;
			continue;
		}
		if (x->nsources >= EVS_MAX_SOURCES)
			return EVS_E_LIMIT;
		if (add_source(x, &c->sources[i]) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static void free_source_ids(struct evs_index *x)
{
	for (uint32_t i = 0; i < x->nsources; i++)
		free((void *)(uintptr_t)x->sources[i].id);
	x->nsources = 0;
}

/* References to the commits since the newest INDEX, oldest first, and their sources. */
static int collect_commits(struct evs_seg_writer *w, struct evs_index_ref *refs, uint32_t *n,
			   struct evs_index *sources, struct evs_diag *diag)
{
	uint64_t off = w->end - w->last_len, len = w->last_len;
	struct evs_commit c = { 0 };
	struct evs_buf payload = { 0 };
	uint32_t want = w->last.since_index, i = want;
	int rc = 0;

	while (i > 0 && rc == 0) {
		evs_commit_release(&c);
		rc = evs_file_commit(&w->file, off, off + len, &c, &payload, diag);
		if (rc < 0)
			break;
		refs[--i] = (struct evs_index_ref){ .off = off,
						    .len = len,
						    .rows = c.rows,
						    .time_min = c.time_min,
						    .time_max = c.time_max,
						    .commits = 1 };
		rc = add_sources(sources, &c);
		off = c.prev_off;
		len = c.prev_len;
		if (i > 0 && off == 0)
			rc = evs_fail_off(diag, EVS_E_FORMAT, w->path, off,
					  "7.1 the chain of commits is too short");
	}
	evs_commit_release(&c);
	evs_buf_release(&payload);
	*n = want;
	return rc;
}

int evs_segw_put_index(struct evs_seg_writer *w, struct evs_diag *diag)
{
	struct evs_index_ref refs[2 * EVS_INDEX_EVERY];
	struct evs_index prev = { 0 }, next = { 0 }, sources = { 0 };
	struct evs_buf prev_payload = { 0 };
	uint64_t at = evs_segw_here(w);
	struct evs_commit as_commit;
	uint32_t n = 0;
	int rc;

	if (w->last.since_index >= sizeof(refs) / sizeof(refs[0]))
		return EVS_E_FORMAT; /* an earlier INDEX could not be written; evcompact mends that */
	rc = collect_commits(w, refs, &n, &sources, diag);
	if (rc == 0 && w->last.index_off) {
		rc = evs_file_index(&w->file, w->last.index_off, w->end, &prev, &prev_payload,
				    diag);
		as_commit =
			(struct evs_commit){ .sources = prev.sources, .nsources = prev.nsources };
		if (rc == 0)
			rc = add_sources(&sources, &as_commit);
	}
	if (rc == 0)
		rc = evs_index_fold(&next, w->last.index_off ? &prev : NULL, w->last.index_off,
				    w->last.index_len, refs, n);
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
	free_source_ids(&sources);
	free(sources.sources);
	return rc;
}
