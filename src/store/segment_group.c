/*
 * Groups of an append: rows become bytes, with zones and filters, wherever they will stand; then
 * the frames are put in order.
 */
#include "src/store/segment_write.h"

#include "format/filter.h"
#include "src/diag.h"

#include <assert.h>
#include <stdlib.h>

#define ZONES_MIN_ROWS	64u  /* smaller groups say nothing worth its bytes */
#define FILTER_MIN_ROWS 512u /* smaller groups are read as fast as their filters */
/* Of a commit: more are too much for the memory that is promised to readers. */
#define ZONES_MOST (EVS_MAX_ZONES / 2)
#define KEEP	   ((size_t)4 << 20) /* bytes of a part kept for the next */

static int grow(void **p, uint32_t *cap, uint32_t n, size_t size)
{
	uint32_t want = *cap ? *cap * 2 : 16;
	void *grown;

	if (n <= *cap)
		return 0;
	while (want < n)
		want *= 2;
	grown = realloc(*p, want * size);
	if (!grown)
		return EVS_E_NOMEM;
	*p = grown;
	*cap = want;
	return 0;
}

/* ---- rows to bytes --------------------------------------------------------------------------- */

void evs_seg_part_release(struct evs_seg_part *p)
{
	evs_buf_release(&p->group);
	evs_buf_release(&p->filters);
	free(p->zones);
	*p = (struct evs_seg_part){ 0 };
}

static int make_zones(struct evs_seg_part *p, const struct evs_seg_rows *r)
{
	void *zones = p->zones;

	p->nzones = 0;
	if (r->cols[0].rows < ZONES_MIN_ROWS)
		return 0;
	if (grow(&zones, &p->zones_cap, r->ncols, sizeof(*p->zones)) < 0)
		return EVS_E_NOMEM;
	p->zones = zones;
	for (uint16_t i = 0; i < r->ncols; i++) {
		struct evs_zone *z = &p->zones[p->nzones];

		*z = (struct evs_zone){ 0 };
		if (evs_zone_of(z, &r->cols[i])) {
			z->column = i;
			p->nzones++;
		}
	}
	return 0;
}

/* Is the value the same in all rows? Then the zone says all that a filter can. */
static bool one_value(const struct evs_seg_part *p, uint16_t column)
{
	/* unreached: the end; what a filter takes has a zone */
	for (uint32_t i = 0; i < p->nzones; i++)
		if (p->zones[i].column == column)
			return evs_zone_one_value(&p->zones[i]);
	return false;
}

static int make_filters(struct evs_seg_part *p, const struct evs_seg_rows *r)
{
	evs_buf_reset(&p->filters);
	p->nfilters = 0;
	for (uint16_t i = 0; i < r->nfiltered; i++) {
		uint16_t column = r->filtered[i];
		const struct evs_array *a = &r->cols[column];

		if (a->rows < FILTER_MIN_ROWS || a->nulls == a->rows || !evs_filter_takes(a) ||
		    one_value(p, column))
			continue;
		if (evs_filter_build(a, &p->filters) < 0)
			return EVS_E_NOMEM;
		p->filter[p->nfilters].column = column;
		p->filter[p->nfilters++].end = p->filters.len;
	}
	return 0;
}

int evs_seg_part_make(struct evs_seg_part *p, struct evs_encoder *enc, const struct evs_seg_rows *r,
		      uint64_t schema_off, uint64_t first_row)
{
	int rc;

	if (p->group.cap > KEEP)
		evs_buf_release(&p->group);
	evs_buf_reset(&p->group);
	p->rows = r->cols[0].rows;
	p->src_bytes = r->src_bytes;
	p->time_min = r->time_min;
	p->time_max = r->time_max;
	p->mem_bytes = 0;
	for (uint16_t i = 0; i < r->ncols; i++)
		p->mem_bytes += evs_array_bytes_used(&r->cols[i]);
	rc = make_zones(p, r);
	if (rc == 0)
		rc = make_filters(p, r);
	return rc < 0 ? rc
		      : evs_group_encode(enc, r->cols, r->ncols, schema_off, first_row, &p->group,
					 &p->summed);
}

int evs_seg_part_fail(uint32_t rows, int rc, struct evs_diag *diag)
{
	return rc == EVS_E_NOMEM
		       ? evs_fail_nomem(diag)
		       : evs_fail(diag, rc, "a group of %u rows is larger than a segment can hold",
				  rows);
}

/* ---- bytes to frames ------------------------------------------------------------------------- */

static int put_zones(struct evs_seg_writer *w, const struct evs_seg_part *p)
{
	void *zones = w->next.zones;

	/* They are a help, not a must: a commit of very many groups of very many columns goes
	 * without. */
	if (!p->nzones || w->next.nzones + p->nzones > ZONES_MOST)
		return 0;
	if (grow(&zones, &w->zones_cap, w->next.nzones + p->nzones, sizeof(*w->next.zones)) < 0)
		return EVS_E_NOMEM;
	w->next.zones = zones;
	for (uint32_t i = 0; i < p->nzones; i++) {
		struct evs_zone *z = &w->next.zones[w->next.nzones++];

		*z = p->zones[i];
		z->group = w->next.ngroups;
	}
	return 0;
}

/* FILTER frames of the group that was put last and is not counted yet. */
static int put_filters(struct evs_seg_writer *w, const struct evs_seg_part *p)
{
	void *filters = w->next.filters;
	size_t from = 0;

	if (grow(&filters, &w->filters_cap, w->next.nfilters + p->nfilters,
		 sizeof(*w->next.filters)) < 0)
		return EVS_E_NOMEM;
	w->next.filters = filters;
	for (uint16_t i = 0; i < p->nfilters; i++) {
		size_t at = w->out.len, len = p->filter[i].end - from;
		uint64_t off = evs_segw_here(w);

		evs_buf_put_zero(&w->out, EVS_FRAME_HEAD_SIZE);
		evs_buf_put(&w->out, p->filters.p + from, len);
		if (evs_segw_seal(w, at, EVS_FRAME_FILTER, 0, (uint32_t)len) < 0)
			return EVS_E_NOMEM;
		if (!w->next.nfilters)
			crypto_generichash_init(evs_hashing_state(&w->filters_hash), NULL, 0,
						EVS_HASH_SIZE);
		crypto_generichash_update(evs_hashing_state(&w->filters_hash), w->out.p + at,
					  w->out.len - at);
		w->next.filters[w->next.nfilters++] =
			(struct evs_filter_ref){ off, w->next.ngroups, p->filter[i].column };
		from = p->filter[i].end;
	}
	return 0;
}

static void widen_time(struct evs_commit *c, const struct evs_seg_part *p)
{
	if (p->time_min == EVS_TIME_NONE)
		return;
	if (c->time_min == EVS_TIME_NONE || p->time_min < c->time_min)
		c->time_min = p->time_min;
	if (c->time_max == EVS_TIME_NONE || p->time_max > c->time_max)
		c->time_max = p->time_max;
}

int evs_segw_put_part(struct evs_seg_writer *w, const struct evs_seg_part *p, bool begins_run,
		      uint32_t run, struct evs_diag *diag)
{
	void *groups = w->next.groups;
	struct evs_group_ref *g;
	uint64_t off = evs_segw_here(w);
	size_t at = w->out.len;

	if (w->next.ngroups >= EVS_MAX_GROUPS)
		return evs_fail(diag, EVS_E_LIMIT, "7.2 too many groups for one commit of %.500s",
				w->path);
	if (grow(&groups, &w->groups_cap, w->next.ngroups + 1, sizeof(*g)) < 0)
		return evs_fail_nomem(diag);
	w->next.groups = groups;
	if (put_zones(w, p) < 0)
		return evs_fail_nomem(diag);
	evs_buf_put_zero(&w->out, EVS_FRAME_HEAD_SIZE);
	evs_buf_put(&w->out, p->group.p, p->group.len);
	if (evs_segw_seal(w, at, EVS_FRAME_GROUP, EVS_FRAME_F_REFUSE, p->summed) < 0)
		return evs_fail_nomem(diag);
	w->run += !w->next.ngroups || begins_run;
	g = &w->next.groups[w->next.ngroups];
	*g = (struct evs_group_ref){ .off = off,
				     .len = evs_segw_here(w) - off,
				     .rows = p->rows,
				     .run = run ? run : w->run,
				     .mem_bytes = p->mem_bytes,
				     .src_bytes = p->src_bytes,
				     .time_min = p->time_min,
				     .time_max = p->time_max };
	crypto_generichash(g->hash, sizeof(g->hash), w->out.p + at, w->out.len - at, NULL, 0);
	if (put_filters(w, p) < 0)
		return evs_fail_nomem(diag);
	w->next.ngroups++;
	w->next.rows += p->rows;
	widen_time(&w->next, p);
	return evs_segw_relieve(w, diag);
}

int evs_segw_group(struct evs_seg_writer *w, struct evs_encoder *enc, const struct evs_seg_rows *r,
		   struct evs_diag *diag)
{
	int rc = evs_seg_part_make(&w->part, enc, r, w->schema_off,
				   w->last.rows_total + w->next.rows);

	if (rc < 0)
		return evs_seg_part_fail(r->cols[0].rows, rc, diag);
	return evs_segw_put_part(w, &w->part, r->begins_run, r->run, diag);
}

int evs_segw_rollup(struct evs_seg_writer *w, struct evs_encoder *enc, const struct evs_rollup *r,
		    struct evs_diag *diag)
{
	struct evs_rollup_ref *ref;
	void *rollups = w->next.rollups;
	uint64_t off = evs_segw_here(w);
	size_t at = w->out.len;
	uint32_t summed = 0;
	int rc;

	if (grow(&rollups, &w->rollups_cap, w->next.nrollups + 1, sizeof(*ref)) < 0)
		return evs_fail_nomem(diag);
	w->next.rollups = rollups;
	evs_buf_put_zero(&w->out, EVS_FRAME_HEAD_SIZE);
	rc = evs_group_encode(enc, r->cols, r->ncols, 0, 0, &w->out, &summed);
	if (rc == EVS_E_LIMIT) {
		w->out.len = at; /* too large to be of use */
		return 0;
	}
	assert(rc < 0 || w->out.len - at <= EVS_FRAME_MAX_SUMMED); /* views are kept to 2 MiB */
	if (rc == 0)
		rc = evs_segw_seal(w, at, EVS_FRAME_ROLLUP, 0,
				   (uint32_t)(w->out.len - at - EVS_FRAME_HEAD_SIZE));
	if (rc < 0)
		return evs_fail_nomem(diag);
	if (!w->next.nrollups)
		crypto_generichash_init(evs_hashing_state(&w->rollups_hash), NULL, 0,
					EVS_HASH_SIZE);
	crypto_generichash_update(evs_hashing_state(&w->rollups_hash), w->out.p + at,
				  w->out.len - at);
	ref = &w->next.rollups[w->next.nrollups++];
	*ref = (struct evs_rollup_ref){ .off = off, .groups = r->groups };
	memcpy(ref->view, r->view, sizeof(ref->view));
	return evs_segw_relieve(w, diag);
}
