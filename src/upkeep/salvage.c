/*
 * Salvage: while a segment is checked, every group that is sound goes into a new one. The old one
 * is only read; what the check tells is what was lost.
 */
#include "src/upkeep/check.h"

#include "src/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int evs_salvage_begin(struct check *c, const char *const *paths, size_t npaths,
		      struct evs_diag *diag)
{
	struct salvage *v = &c->salvage;
	enum evs_path_kind kind = EVS_PATH_STORE;
	int rc;

	v->out = c->opts->salvage;
	if (!v->out)
		return 0;
	if (c->opts->quick || c->opts->max_ms)
		return evs_fail(diag, EVS_E_USAGE, "a salvage reads all rows, at once");
	rc = evs_fresh_absent(v->out, diag);
	if (rc < 0)
		return rc;
	rc = npaths == 1 ? evs_path_kind(paths[0], &kind, diag) : 0;
	v->single = kind == EVS_PATH_SEGMENT;
	return rc;
}

/* OUT/STREAM, made with its schema.sql; the names are those of the folders that the segment lies
 * in, as far as there are any. */
static int make_stream(struct check_segment *s, char dir[EVS_PATH_MAX], struct evs_diag *diag)
{
	const struct evs_head *h = evs_segment_head(s->seg);
	char name[EVS_NAME_BYTES + 1], path[EVS_PATH_MAX];
	const char *folder = name;
	struct evs_io_stat st;
	bool new_store;
	int rc;

	evs_name_escape(h->stream, h->stream_len, name);
	if (s->place->stream && s->place->stream->name[0])
		folder = s->place->stream->name;
	rc = evs_path_join(dir, s->run->salvage.out, folder, diag);
	if (rc == 0)
		rc = evs_stream_make(dir, &new_store, diag);
	if (rc == 0)
		rc = evs_path_join(path, dir, "schema.sql", diag);
	if (rc == 0)
		rc = evs_io_stat(path, &st, diag);
	if (rc <= 0)
		return rc;
	return s->stream && s->stream->schema
		       ? evs_io_write_file(path, s->stream->schema, s->stream->schema_len, diag)
		       : evs_io_write_file(path, s->table->text, s->table->text_len, diag);
}

static int target(struct check_segment *s, char out[EVS_PATH_MAX], struct evs_diag *diag)
{
	const struct evs_head *h = evs_segment_head(s->seg);
	char stream[EVS_PATH_MAX], dir[EVS_PATH_MAX], tenant[EVS_NAME_BYTES + 1] = "_", file[24];
	int rc;

	if (s->run->salvage.single)
		return snprintf(out, EVS_PATH_MAX, "%s", s->run->salvage.out) < (int)EVS_PATH_MAX
			       ? 0
			       : evs_fail(diag, EVS_E_LIMIT, "path too long");
	if (s->table->tenant_column >= 0)
		evs_name_escape(h->tenant, h->tenant_len, tenant);
	evs_segment_name(h->part_lo, file);
	rc = make_stream(s, stream, diag);
	if (rc == 0)
		rc = evs_path_join(dir, stream, tenant, diag);
	return rc == 0 ? evs_path_join(out, dir, file, diag) : rc;
}

/* All columns of a sound group are at hand. */
static int put_group(struct check_segment *s, const struct evs_group *g,
		     const struct evs_group_ref *ref, struct evs_diag *diag)
{
	struct salvage *v = &s->run->salvage;
	int64_t now = s->run->opts->now ? s->run->opts->now : evs_io_now();
	char path[EVS_PATH_MAX], *text = NULL;
	size_t len;
	int rc = 0;

	if (!v->fresh) {
		rc = target(s, path, diag);
		if (rc == 0)
			rc = evs_fresh_open(&v->fresh, path, evs_segment_head(s->seg), now, diag);
	}
	if (rc == 0)
		rc = evs_segment_schema(s->seg, g->schema_off, &text, &len, diag);
	if (rc == 0)
		rc = evs_fresh_group(v->fresh, s->table, text, len, s->cols, s->follows,
				     ref ? ref->src_bytes : 0, diag);
	free(text);
	s->run->count.rows_saved += rc == 0 ? g->rows : 0;
	return rc;
}

int evs_salvage_group(struct check_segment *s, const struct evs_group *g,
		      const struct evs_group_ref *ref, struct evs_diag *diag)
{
	int rc = s->run->salvage.out ? put_group(s, g, ref, diag) : 0;

	s->run->salvage.failed = rc < 0;
	return rc;
}

int evs_salvage_sources(struct check_segment *s, const struct evs_source *src, uint32_t n,
			struct evs_diag *diag)
{
	struct salvage *v = &s->run->salvage;

	for (uint32_t i = 0; v->out && i < n; i++) {
		struct evs_source *grown;
		uint32_t k = 0;
		char *id;

		while (k < v->nsources && (v->source[k].id_len != src[i].id_len ||
					   memcmp(v->source[k].id, src[i].id, src[i].id_len) != 0))
			k++;
		if (k < v->nsources) {
			v->source[k].off = src[i].off;
			continue;
		}
		grown = realloc(v->source, (k + 1) * sizeof(*grown));
		id = malloc(src[i].id_len + 1);
		if (grown)
			v->source = grown;
		if (!grown || !id) {
			free(id);
			return evs_fail_nomem(diag);
		}
		memcpy(id, src[i].id, src[i].id_len);
		v->source[v->nsources++] = (struct evs_source){ id, src[i].id_len, src[i].off };
	}
	return 0;
}

int evs_salvage_end(struct check_segment *s, int rc, struct evs_diag *diag)
{
	struct salvage *v = &s->run->salvage;

	if (v->fresh && rc == 0) {
		rc = evs_fresh_finish(v->fresh, v->source, v->nsources, diag);
		s->run->count.segments_saved += rc == 0;
	}
	evs_fresh_close(v->fresh);
	v->fresh = NULL;
	for (uint32_t i = 0; i < v->nsources; i++)
		free((void *)(uintptr_t)v->source[i].id);
	free(v->source);
	v->source = NULL;
	v->nsources = 0;
	return rc < 0 ? rc : 0;
}
