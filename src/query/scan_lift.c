/*
 * Columns that came later than the rows of a group: what a row kept in _extra under that name, else
 * the DEFAULT when that is a constant, else null.
 */
#include "src/diag.h"
#include "src/query/scan.h"

#include <stdlib.h>

/* The group's _extra as it is stored. */
static int load_kept(struct evs_scan *s, const struct scan_map *m, struct evs_diag *diag)
{
	int rc;

	if (s->kept_loaded)
		return 0;
	evs_array_release(&s->kept);
	if (evs_type_array(&m->src->cols[m->src->extra_column].type, &s->kept) < 0)
		return evs_fail_nomem(diag);
	rc = evs_segment_column(s->seg, (uint16_t)m->src->extra_column, &s->kept, diag);
	s->kept_loaded = rc == 0;
	return rc;
}

static struct evs_lift *lift_of(struct evs_scan *s, uint16_t column)
{
	if (!s->lift)
		s->lift = calloc(s->table->ncols, sizeof(struct evs_lift *));
	if (s->lift && !s->lift[column])
		(void)evs_lift_new(&s->lift[column], &s->table->cols[column]);
	return s->lift ? s->lift[column] : NULL;
}

int evs_scan_load_later(struct evs_scan *s, const struct scan_map *m, struct scan_slot *slot,
			struct evs_diag *diag)
{
	const struct evs_column *c = &s->table->cols[slot->column];
	const struct evs_array *otherwise = c->def ? evs_expr_constant(c->def) : NULL;
	struct evs_lift *lift = lift_of(s, slot->column);
	int rc;

	if (!lift)
		return evs_fail_nomem(diag);
	rc = load_kept(s, m, diag);
	if (rc < 0)
		return rc;
	return evs_lift_rows(lift, &s->kept, otherwise, &slot->a, NULL) < 0 ? evs_fail_nomem(diag)
									    : 0;
}

/* `extra` without what a later column takes from it. */
static int lift_from(struct evs_scan *s, uint16_t column, struct evs_array *extra)
{
	struct evs_lift *lift = lift_of(s, column);
	struct evs_array rest = { 0 };
	int rc = lift ? evs_array_init_like(&rest, extra) : EVS_E_NOMEM;

	if (rc == 0)
		rc = evs_lift_rows(lift, extra, NULL, NULL, &rest);
	if (rc < 0) {
		evs_array_release(&rest);
		return rc;
	}
	evs_array_release(extra);
	*extra = rest;
	return 0;
}

int evs_scan_load_extra(struct evs_scan *s, const struct scan_map *m, struct scan_slot *slot,
			struct evs_diag *diag)
{
	int rc = load_kept(s, m, diag);

	if (rc < 0)
		return rc;
	rc = evs_array_append_range(&slot->a, &s->kept, 0, s->kept.rows);
	for (uint16_t i = 0; i < m->nlater && rc == 0; i++)
		rc = lift_from(s, m->later[i], &slot->a);
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

void evs_scan_lift_release(struct evs_scan *s)
{
	for (uint16_t i = 0; s->lift && i < s->table->ncols; i++)
		evs_lift_free(s->lift[i]);
	free(s->lift);
	evs_array_release(&s->kept);
}
