/*
 * Rollups against the rows of their commits: the views of the stream's schema.sql make them anew,
 * group by group, as the writer did, and the outcome must be the same.
 */
#include "src/upkeep/check.h"

#include "src/diag.h"

#include <stdlib.h>

int evs_check_rollup_schema(struct check_segment *s, struct evs_diag *diag)
{
	s->rollup_rows = false;
	if (!s->stream || !s->stream->schema)
		return 0;
	return evs_rollups_new(&s->rollups, s->table, s->stream->schema, s->stream->schema_len) < 0
		       ? evs_fail_nomem(diag)
		       : 0;
}

int evs_check_rollup_rows(struct check_segment *s, uint32_t rows, bool sound, bool first,
			  struct evs_diag *diag)
{
	if (!s->rollups || !s->ahead || !s->commit.nrollups)
		return 0;
	if (first) {
		evs_rollups_start(s->rollups);
		s->rollup_rows = true;
	}
	s->rollup_rows &= sound;
	if (s->rollup_rows && evs_rollups_add(s->rollups, s->cols, rows) < 0)
		return evs_fail_nomem(diag);
	return 0;
}

static bool same_columns(const struct evs_array *a, const struct evs_array *b, size_t n)
{
	for (size_t c = 0; c < n; c++) {
		if (a[c].rows != b[c].rows)
			return false;
		for (uint32_t i = 0; i < a[c].rows; i++)
			if (evs_array_compare(&a[c], i, &b[c], i) != 0)
				return false;
	}
	return true;
}

static int check_one(struct check_segment *s, const struct evs_commit *c,
		     const struct evs_rollup_ref *ref, struct evs_diag *diag)
{
	struct evs_array *cols = NULL;
	struct evs_rollup want;
	struct evs_diag d = { 0 };
	uint32_t groups;
	int rc = evs_rollups_find(s->rollups, ref->view, &want);

	if (rc <= 0) {
		s->run->count.rollups_unknown += rc == 0;
		return rc < 0 ? evs_fail_nomem(diag) : 0;
	}
	s->run->count.rollups++;
	cols = calloc(want.ncols + 1u, sizeof(*cols));
	rc = cols ? 0 : evs_fail_nomem(&d);
	for (uint16_t i = 0; rc == 0 && i < want.ncols; i++)
		if (evs_array_init_like(&cols[i], &want.cols[i]) < 0)
			rc = evs_fail_nomem(&d);
	if (rc == 0)
		rc = evs_segment_rollup(s->seg, c, ref->view, cols, want.ncols, &groups, &d);
	if (rc == 0 && (groups != want.groups || !same_columns(cols, want.cols, want.ncols)))
		evs_check_found(s, ref->off, c->rows, false,
				"5.6-C1 the rollup is not what the view makes of the rows");
	for (uint16_t i = 0; cols && i < want.ncols; i++)
		evs_array_release(&cols[i]);
	free(cols);
	if (rc != EVS_E_NOMEM && rc != EVS_E_SYS)
		return 0; /* damage was told by the reader */
	if (diag)
		*diag = d;
	return rc;
}

int evs_check_rollups(struct check_segment *s, const struct evs_commit *c, struct evs_diag *diag)
{
	int rc = 0;

	if (s->rollups && (!s->whole || !s->rollup_rows))
		return 0;
	for (uint32_t i = 0; i < c->nrollups && rc == 0; i++)
		rc = check_one(s, c, &c->rollups[i], diag);
	return rc;
}
