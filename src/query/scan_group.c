/*
 * One group as a batch of the answer: columns decoded, converted to the schema of the answer, and only the rows whose
 * time was asked for.
 */
#include "src/diag.h"
#include "src/expr/expr.h"
#include "src/query/scan.h"

#include <stdlib.h>
#include <string.h>

/* A column that the stored schema did not have yet: its DEFAULT when that is a constant, else NULL. */
static int absent_column(struct evs_scan *s, size_t f, uint32_t rows)
{
	const struct evs_column *c = &s->table->cols[s->field_column[f]];
	const struct evs_array *value = c->def ? evs_expr_constant(c->def) : NULL;
	int rc = 0;

	for (uint32_t i = 0; i < rows && rc == 0; i++)
		rc = value ? evs_array_append_range(&s->cols[f], value, 0, 1)
			   : evs_array_append_null(&s->cols[f]);
	return rc;
}

static int read_field(struct evs_scan *s, const struct scan_map *m, size_t f, uint32_t rows,
		      struct evs_diag *diag)
{
	const struct evs_type *to = s->fields[f].type, *from;
	struct evs_array stored = { 0 };
	int rc;

	evs_array_reset(&s->cols[f]);
	if (m->from[f] < 0)
		return absent_column(s, f, rows) < 0 ? evs_fail_nomem(diag) : 0;
	if (m->same[f])
		return evs_segment_column(s->seg, (uint16_t)m->from[f], &s->cols[f], diag);
	from = &m->src->cols[m->from[f]].type;
	rc = evs_type_array(from, &stored);
	if (rc == 0)
		rc = evs_segment_column(s->seg, (uint16_t)m->from[f], &stored, diag);
	else
		(void)evs_fail_nomem(diag);
	if (rc == 0)
		rc = evs_convert(from, &stored, to, &s->cols[f], diag);
	evs_array_release(&stored);
	return rc;
}

/* Row numbers of those with since <= time < until. */
static int match_time(struct evs_scan *s, const struct scan_map *m, uint32_t rows, uint32_t *n,
		      struct evs_diag *diag)
{
	int rc;

	if (s->idx_cap < rows) {
		uint32_t *grown = realloc(s->idx, rows * sizeof(*grown));

		if (!grown)
			return evs_fail_nomem(diag);
		s->idx = grown;
		s->idx_cap = rows;
	}
	evs_array_release(&s->time);
	rc = evs_type_array(&m->src->cols[m->src->time_column].type, &s->time);
	if (rc < 0)
		return evs_fail_nomem(diag);
	rc = evs_segment_column(s->seg, (uint16_t)m->src->time_column, &s->time, diag);
	if (rc < 0)
		return rc;
	*n = 0;
	for (uint32_t i = 0; i < rows; i++) {
		int64_t t = evs_row_time(m->src, &s->time, i);

		if (t != EVS_TIME_NONE && t >= s->since && (s->until == INT64_MAX || t < s->until))
			s->idx[(*n)++] = i;
	}
	return 0;
}

static int keep_rows(struct evs_scan *s, uint32_t n, struct evs_diag *diag)
{
	for (size_t f = 0; f < s->nfields; f++) {
		struct evs_array out = { 0 };
		int rc = evs_array_init_like(&out, &s->cols[f]);

		if (rc == 0)
			rc = evs_array_take(&out, &s->cols[f], s->idx, n);
		if (rc < 0) {
			evs_array_release(&out);
			return evs_fail_nomem(diag);
		}
		evs_array_release(&s->cols[f]);
		s->cols[f] = out;
	}
	return 0;
}

int evs_scan_group(struct evs_scan *s, const struct evs_group *g, uint32_t *rows,
		   struct evs_diag *diag)
{
	bool timed = s->opts.has_since || s->opts.has_until;
	uint32_t n = g->rows;
	int rc = 0;

	if (!s->map || s->map_off != g->schema_off) {
		s->map = NULL;
		rc = evs_scan_map(s, g->schema_off, &s->map, diag);
		if (rc < 0)
			return rc;
		s->map_off = g->schema_off;
	}
	if (g->columns != s->map->src->ncols)
		return evs_fail_off(diag, EVS_E_FORMAT, evs_segment_path(s->seg), g->schema_off,
				    "5.1 the group has another number of columns than its schema");
	if (timed)
		rc = match_time(s, s->map, g->rows, &n, diag);
	*rows = n;
	if (rc < 0 || n == 0)
		return rc;
	for (size_t f = 0; f < s->nfields && rc == 0; f++)
		rc = read_field(s, s->map, f, g->rows, diag);
	if (rc == 0 && n < g->rows)
		rc = keep_rows(s, n, diag);
	return rc;
}
