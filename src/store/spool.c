/*
 * The spool: rows in memory, the table of segments, and what is shared with spool_file.c. See
 * spool.h.
 */
#include "src/store/spool_impl.h"

#include "src/diag.h"
#include "src/store/io.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define KEEP_MEMORY (18u << 20) /* a column that has grown beyond this is freed at reset */

int evs_spool_new(struct evs_spool **out, const struct evs_table *t, const char *dir,
		  size_t mem_cap, struct evs_diag *diag)
{
	struct evs_spool *s = calloc(1, sizeof(*s));
	int rc = s ? 0 : EVS_E_NOMEM;

	if (rc == 0) {
		s->out[0].fd = s->out[1].fd = -1;
		s->mem_cap = mem_cap;
		s->table = t;
		s->ncols = (uint16_t)(t->ncols + EVS_SPOOL_OWN);
		s->dir = strdup(dir);
		rc = s->dir ? evs_spool_arrays(s, &s->cols) : EVS_E_NOMEM;
	}
	if (rc < 0) {
		evs_spool_free(s);
		return evs_fail_nomem(diag);
	}
	*out = s;
	return 0;
}

int evs_spool_arrays(const struct evs_spool *s, struct evs_array **out)
{
	struct evs_array *a = calloc(s->ncols, sizeof(*a));

	if (!a)
		return EVS_E_NOMEM;
	*out = a;
	for (uint16_t i = 0; i < s->table->ncols; i++)
		if (evs_type_array(&s->table->cols[i].type, &a[i]) < 0)
			return EVS_E_NOMEM;
	evs_array_init(&a[s->table->ncols], EVS_INT, 4, false);
	evs_array_init(&a[s->table->ncols + 1], EVS_INT, 8, false);
	return 0;
}

void evs_spool_arrays_free(struct evs_array *a, uint16_t n)
{
	for (uint16_t i = 0; a && i < n; i++)
		evs_array_release(&a[i]);
	free(a);
}

void evs_spool_free(struct evs_spool *s)
{
	if (!s)
		return;
	evs_spool_arrays_free(s->cols, s->ncols);
	evs_spool_file_release(s);
	free(s->seg);
	free(s->perm);
	free(s->start);
	free(s->segs);
	free(s->table_of);
	evs_buf_release(&s->arena);
	free(s->dir);
	free(s);
}

/* ---- segments -------------------------------------------------------------------------------- */

static uint64_t seg_hash(const void *tenant, size_t len, int64_t lo)
{
	return XXH3_64bits_withSeed(tenant, len, (uint64_t)lo);
}

static int rehash(struct evs_spool *s)
{
	uint32_t size = s->table_size ? s->table_size * 2 : 256;
	uint32_t *t = calloc(size, sizeof(*t));

	if (!t)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < s->nsegs; i++) {
		uint32_t at = (uint32_t)s->segs[i].hash & (size - 1);

		while (t[at])
			at = (at + 1) & (size - 1);
		t[at] = i + 1;
	}
	free(s->table_of);
	s->table_of = t;
	s->table_size = size;
	return 0;
}

static bool is_segment(const struct evs_spool *s, uint32_t i, const void *tenant, size_t len,
		       int64_t lo)
{
	const struct spool_seg *g = &s->segs[i];

	return g->lo == lo && g->tenant_len == len &&
	       !memcmp(s->arena.p + g->tenant_off, tenant, len);
}

int evs_spool_segment(struct evs_spool *s, const void *tenant, size_t len, int64_t lo, uint32_t *id)
{
	uint64_t hash;
	uint32_t at;

	/* Rows of one segment tend to come together. */
	if (s->nsegs && is_segment(s, s->last_seg, tenant, len, lo)) {
		*id = s->last_seg;
		return 0;
	}
	hash = seg_hash(tenant, len, lo);
	if (s->nsegs * 2 >= s->table_size && rehash(s) < 0)
		return EVS_E_NOMEM;
	at = (uint32_t)hash & (s->table_size - 1);
	while (s->table_of[at]) {
		uint32_t i = s->table_of[at] - 1;

		if (s->segs[i].hash == hash && is_segment(s, i, tenant, len, lo)) {
			*id = s->last_seg = i;
			return 0;
		}
		at = (at + 1) & (s->table_size - 1);
	}
	if (s->nsegs == s->segs_cap) {
		uint32_t cap = s->segs_cap ? s->segs_cap * 2 : 64;
		struct spool_seg *grown = realloc(s->segs, cap * sizeof(*grown));

		if (!grown)
			return EVS_E_NOMEM;
		s->segs = grown;
		s->segs_cap = cap;
	}
	s->segs[s->nsegs] = (struct spool_seg){
		.hash = hash, .lo = lo, .tenant_off = s->arena.len, .tenant_len = (uint32_t)len
	};
	evs_buf_put(&s->arena, tenant, len);
	evs_buf_put_u8(&s->arena, 0);
	if (!evs_buf_ok(&s->arena))
		return EVS_E_NOMEM;
	s->table_of[at] = s->nsegs + 1;
	*id = s->last_seg = s->nsegs++;
	return 0;
}

uint32_t evs_spool_segments(const struct evs_spool *s)
{
	return s->nsegs;
}

void evs_spool_segment_get(const struct evs_spool *s, uint32_t id, struct evs_spool_segment *out)
{
	const struct spool_seg *g = &s->segs[id];

	out->tenant = (const char *)s->arena.p + g->tenant_off;
	out->tenant_len = g->tenant_len;
	out->lo = g->lo;
	out->rows = g->rows;
}

/* ---- rows in memory -------------------------------------------------------------------------- */

static int seg_room(struct evs_spool *s, uint32_t rows)
{
	uint32_t cap = s->seg_cap ? s->seg_cap : 4096;
	uint32_t *grown;

	while (cap < s->rows + rows)
		cap *= 2;
	if (cap == s->seg_cap)
		return 0;
	grown = realloc(s->seg, cap * sizeof(*grown));
	if (!grown)
		return EVS_E_NOMEM;
	s->seg = grown;
	s->seg_cap = cap;
	return 0;
}

/* A large column is moved into an empty spool, so that a line of 8 MiB is not there twice; all else
 * is copied. */
static int take_columns(struct evs_spool *s, struct evs_array *cols, uint32_t rows)
{
	for (uint16_t i = 0; i < s->ncols; i++) {
		if (!s->rows && evs_array_bytes_used(&cols[i]) > KEEP_MEMORY) {
			struct evs_array swap = s->cols[i];

			s->cols[i] = cols[i];
			cols[i] = swap;
			evs_array_reset(&cols[i]);
		} else if (evs_array_append_range(&s->cols[i], &cols[i], 0, rows) < 0) {
			return EVS_E_NOMEM;
		}
	}
	return 0;
}

int evs_spool_add(struct evs_spool *s, struct evs_array *cols, uint32_t rows, const uint32_t *seg,
		  struct evs_diag *diag)
{
	if (seg_room(s, rows) < 0 || take_columns(s, cols, rows) < 0)
		return evs_fail_nomem(diag);
	memcpy(s->seg + s->rows, seg, rows * sizeof(*seg));
	for (uint32_t i = 0; i < rows; i++)
		s->segs[seg[i]].rows++;
	s->rows += rows;
	s->total += rows;
	s->memory = s->rows * sizeof(*seg);
	for (uint16_t i = 0; i < s->ncols; i++)
		s->memory += evs_array_bytes_used(&s->cols[i]);
	return 0;
}

uint64_t evs_spool_rows(const struct evs_spool *s)
{
	return s->total;
}

size_t evs_spool_memory(const struct evs_spool *s)
{
	return s->memory;
}

bool evs_spool_full(const struct evs_spool *s)
{
	return s->memory >= s->mem_cap;
}

/* perm: row numbers by segment, in order of arrival; start[g]: where segment g begins in it. */
int evs_spool_order(struct evs_spool *s)
{
	uint32_t *perm = realloc(s->perm, (s->rows + 1) * sizeof(*perm));
	uint32_t *start;

	if (!perm)
		return EVS_E_NOMEM;
	s->perm = perm;
	start = realloc(s->start, (s->nsegs + 2) * sizeof(*start));
	if (!start)
		return EVS_E_NOMEM;
	s->start = start;
	memset(start, 0, (s->nsegs + 2) * sizeof(*start));
	for (uint32_t i = 0; i < s->rows; i++)
		start[s->seg[i] + 2]++;
	for (uint32_t g = 2; g < s->nsegs + 2; g++)
		start[g] += start[g - 1];
	for (uint32_t i = 0; i < s->rows; i++)
		perm[start[s->seg[i] + 1]++] = i;
	return 0;
}

void evs_spool_forget_rows(struct evs_spool *s, size_t keep)
{
	for (uint16_t i = 0; i < s->ncols; i++)
		evs_array_trim(&s->cols[i], keep);
	s->rows = 0;
	s->memory = 0;
}

int evs_spool_reset(struct evs_spool *s, struct evs_diag *diag)
{
	evs_spool_forget_rows(s, KEEP_MEMORY);
	s->total = 0;
	s->nsegs = 0;
	s->last_seg = 0;
	evs_buf_reset(&s->arena);
	if (s->table_of)
		memset(s->table_of, 0, s->table_size * sizeof(*s->table_of));
	return evs_spool_file_reset(s, diag);
}
