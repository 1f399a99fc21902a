/*
 * Writing COMMIT frames (spec 7): fixed part, sections, hash, seal, and the two trailers.
 */
#include "format/commit.h"
#include "format/frame.h"
#include "format/section.h"
#include "format/zone.h"

#include <stddef.h>
#include <string.h>

static void put_groups(const struct evs_commit *c, struct evs_buf *out)
{
	for (uint32_t i = 0; i < c->ngroups; i++) {
		const struct evs_group_ref *g = &c->groups[i];
		struct evs_group_ref_raw r;

		evs_put64(r.off, g->off);
		evs_put64(r.len, g->len);
		evs_put32(r.rows, g->rows);
		evs_put32(r.run, g->run);
		evs_put64(r.mem_bytes, g->mem_bytes);
		evs_put64(r.src_bytes, g->src_bytes);
		evs_put64(r.time_min, (uint64_t)g->time_min);
		evs_put64(r.time_max, (uint64_t)g->time_max);
		memcpy(r.hash, g->hash, sizeof(r.hash));
		evs_buf_put(out, &r, sizeof(r));
	}
}

static void put_fixed(const struct evs_commit *c, struct evs_buf *out)
{
	struct evs_commit_raw r = { 0 };

	evs_put64(r.seq, c->seq);
	evs_put64(r.written, (uint64_t)c->written);
	evs_put64(r.rows, c->rows);
	evs_put64(r.rows_total, c->rows_total);
	evs_put64(r.first_group, c->first_group);
	evs_put64(r.prev_off, c->prev_off);
	evs_put64(r.prev_len, c->prev_len);
	evs_put64(r.index_off, c->index_off);
	evs_put64(r.index_len, c->index_len);
	evs_put64(r.schema_off, c->schema_off);
	evs_put64(r.time_min, (uint64_t)c->time_min);
	evs_put64(r.time_max, (uint64_t)c->time_max);
	evs_put32(r.since_index, c->since_index);
	memcpy(r.prev_hash, c->prev_hash, sizeof(r.prev_hash));
	evs_buf_put(out, &r, sizeof(r));
}

static void put_filters(const struct evs_commit *c, struct evs_buf *out)
{
	evs_buf_put(out, c->filters_hash, sizeof(c->filters_hash));
	for (uint32_t i = 0; i < c->nfilters; i++) {
		const struct evs_filter_ref *f = &c->filters[i];
		struct evs_filter_ref_raw r;

		evs_put64(r.off, f->off);
		evs_put32(r.group, f->group);
		evs_put16(r.column, f->column);
		evs_put16(r.kind, EVS_FILTER_SPLIT);
		evs_buf_put(out, &r, sizeof(r));
	}
}

static void put_rollups(const struct evs_commit *c, struct evs_buf *out)
{
	evs_buf_put(out, c->rollups_hash, sizeof(c->rollups_hash));
	for (uint32_t i = 0; i < c->nrollups; i++) {
		const struct evs_rollup_ref *f = &c->rollups[i];
		struct evs_rollup_ref_raw r = { { 0 }, { 0 }, { 0 }, { 0 } };

		memcpy(r.view, f->view, sizeof(r.view));
		evs_put64(r.off, f->off);
		evs_put32(r.groups, f->groups);
		evs_buf_put(out, &r, sizeof(r));
	}
}

static void put_folded(const struct evs_folded *f, struct evs_buf *out)
{
	struct evs_folded_raw r = { .level = f->level };

	memcpy(r.lineage, f->lineage, sizeof(r.lineage));
	evs_put64(r.commits, f->commits);
	evs_put64(r.rows, f->rows);
	memcpy(r.hash, f->hash, sizeof(r.hash));
	memcpy(r.made_for, f->made_for, sizeof(r.made_for));
	evs_buf_put(out, &r, sizeof(r));
}

static int put_payload(const struct evs_commit *c, struct evs_buf *out)
{
	size_t at;
	int rc;

	put_fixed(c, out);
	if (c->ngroups) {
		at = evs_section_begin(out, EVS_SECTION_GROUPS);
		put_groups(c, out);
		evs_section_end(out, at);
	}
	if (c->nzones) {
		at = evs_section_begin(out, EVS_SECTION_ZONES);
		evs_zones_encode(c->zones, c->nzones, out);
		evs_section_end(out, at);
	}
	rc = evs_sources_encode(c->sources, c->nsources, out);
	if (rc == 0 && c->nrollups) {
		at = evs_section_begin(out, EVS_SECTION_ROLLUPS);
		put_rollups(c, out);
		evs_section_end(out, at);
	}
	if (rc == 0 && c->nfilters) {
		at = evs_section_begin(out, EVS_SECTION_FILTERS);
		put_filters(c, out);
		evs_section_end(out, at);
	}
	if (rc == 0 && c->folded.commits) {
		at = evs_section_begin(out, EVS_SECTION_FOLDED);
		put_folded(&c->folded, out);
		evs_section_end(out, at);
	}
	return rc;
}

static void put_trailers(const struct evs_commit *c, uint64_t off, uint64_t len, uint64_t salt,
			 struct evs_buf *out)
{
	const struct evs_trailer t = { off, len, c->seq, c->rows_total, c->first_group, c->rows };
	uint8_t raw[EVS_TRAILER_SIZE];

	for (uint32_t copy = 0; copy < 2; copy++) {
		evs_trailer_encode(raw, &t, copy, salt, off + len - (2 - copy) * sizeof(raw));
		evs_buf_put(out, raw, sizeof(raw));
	}
}

int evs_commit_write(struct evs_commit *c, uint64_t salt, uint64_t off, struct evs_buf *out)
{
	size_t base = out->len, summed;
	uint8_t *payload;
	int rc;

	if (c->ngroups > EVS_MAX_GROUPS || c->nzones > EVS_MAX_ZONES)
		return EVS_E_LIMIT;
	evs_buf_put_zero(out, EVS_FRAME_HEAD_SIZE);
	rc = put_payload(c, out);
	evs_buf_reserve(out, EVS_TRAILERS_SIZE);
	if (rc == 0 && !evs_buf_ok(out))
		rc = EVS_E_NOMEM;
	summed = out->len - base - EVS_FRAME_HEAD_SIZE;
	/* unreached: only millions of filters could take 2^28 bytes */
	if (rc == 0 && summed > EVS_FRAME_MAX_SUMMED)
		rc = EVS_E_LIMIT;
	if (rc < 0) {
		out->len = base;
		return rc;
	}

	payload = out->p + base + EVS_FRAME_HEAD_SIZE;
	evs_commit_hash(c->hash, payload, summed);
	memcpy(payload + offsetof(struct evs_commit_raw, hash), c->hash, sizeof(c->hash));
	evs_frame_seal(out->p + base, EVS_FRAME_COMMIT, 0, summed + EVS_TRAILERS_SIZE, payload,
		       (uint32_t)summed, salt, off, c->append);
	put_trailers(c, off, EVS_FRAME_HEAD_SIZE + summed + EVS_TRAILERS_SIZE, salt, out);
	return 0;
}
