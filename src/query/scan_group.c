/*
 * One group as a batch of the answer: columns decoded, converted to the schema of the answer, and
 * only the rows that were asked for. What filters need is decoded first, and the rest only when a
 * row is left.
 */
#include "src/diag.h"
#include "src/expr/expr.h"
#include "src/query/scan.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_VALUES ((size_t)64 << 10) /* bytes of values that memory is kept for */
#define PICK_BELOW  2u /* of so many rows one or none is wanted: it is decoded alone */
#define PICK_CODED  8u /* ... where somebody may have use for the codes of the others */

int evs_scan_load(struct evs_scan *s, const struct scan_map *m, struct scan_slot *slot,
		  struct evs_diag *diag)
{
	const struct evs_type *to = &s->table->cols[slot->column].type, *from;
	struct evs_array stored = { 0 };
	int number = (int)(slot - s->slots), column, rc;

	if (slot->loaded)
		return 0;
	column = m->from[number];
	evs_array_reset(&slot->a);
	if (column < 0) {
		rc = evs_scan_load_later(s, m, slot, diag);
	} else if (slot->column == s->table->extra_column && m->nlater) {
		rc = evs_scan_load_extra(s, m, slot, diag);
	} else if (m->same[number]) {
		rc = evs_segment_column(s->seg, (uint16_t)column, &slot->a, diag);
	} else {
		from = &m->src->cols[column].type;
		rc = evs_type_array(from, &stored) < 0
			     ? evs_fail_nomem(diag)
			     : evs_segment_column(s->seg, (uint16_t)column, &stored, diag);
		if (rc == 0)
			rc = evs_convert(from, &stored, to, &slot->a, diag);
		evs_array_release(&stored);
	}
	slot->loaded = rc == 0;
	return rc;
}

/* Is the column of the slot what the group has, neither made nor converted? */
static bool as_stored(const struct evs_scan *s, const struct scan_map *m,
		      const struct scan_slot *slot)
{
	size_t number = (size_t)(slot - s->slots);
	bool lifted = slot->column == s->table->extra_column && m->nlater;

	return m->from[number] >= 0 && !lifted && m->same[number] && !evs_scan_merges(s);
}

int evs_scan_load_coded(struct evs_scan *s, const struct scan_map *m, struct scan_slot *slot,
			struct evs_diag *diag)
{
	int number = (int)(slot - s->slots), rc;

	if (slot->loaded || slot->is_coded)
		return 0;
	if (!as_stored(s, m, slot))
		return evs_scan_load(s, m, slot, diag);
	slot->coded.sparse = slot->tested;
	rc = evs_segment_coded(s->seg, (uint16_t)m->from[number], &slot->coded, &slot->a, diag);
	slot->is_coded = rc == 1;
	slot->loaded = rc == 0;
	if (slot->loaded)
		evs_array_trim(&slot->coded.values, KEPT_VALUES);
	return rc < 0 ? rc : 0;
}

/* The time column of the rows at hand, in the type of `*t`'s. */
static int load_time(struct evs_scan *s, const struct scan_map *m, const struct evs_table **t,
		     const struct evs_array **time, struct evs_diag *diag)
{
	int rc;

	if (evs_scan_merges(s)) { /* merged rows have a slot for it */
		*t = s->table;
		*time = &s->slots[s->slot_of[s->table->time_column] - 1].a;
		return 0;
	}
	*t = m->src;
	*time = &s->time;
	evs_array_release(&s->time);
	rc = evs_type_array(&m->src->cols[m->src->time_column].type, &s->time);
	if (rc < 0)
		return evs_fail_nomem(diag);
	return evs_segment_column(s->seg, (uint16_t)m->src->time_column, &s->time, diag);
}

/* Row numbers of those with since <= time < until. */
static int match_time(struct evs_scan *s, const struct scan_map *m, uint32_t rows, uint32_t *n,
		      struct evs_diag *diag)
{
	const struct evs_table *table;
	const struct evs_array *time;
	int rc = load_time(s, m, &table, &time, diag);

	if (rc < 0)
		return rc;
	*n = 0;
	for (uint32_t i = 0; i < rows; i++) {
		int64_t t = evs_row_time(table, time, i);

		if (t != EVS_TIME_NONE && t >= s->since && (s->until == INT64_MAX || t < s->until))
			s->idx[(*n)++] = i;
	}
	return 0;
}

/* Take rows s->idx[0 .. n) of a slot that holds all of the group's. */
static int keep_rows(struct evs_scan *s, struct scan_slot *slot, uint32_t n, struct evs_diag *diag)
{
	struct evs_array out = { 0 };
	int rc = evs_array_init_like(&out, &slot->a);

	if (rc == 0)
		rc = evs_array_take(&out, &slot->a, s->idx, n);
	if (rc < 0) {
		evs_array_release(&out);
		return evs_fail_nomem(diag);
	}
	evs_array_release(&slot->a);
	slot->a = out;
	return 0;
}

/* The codes of rows s->idx[0 .. n), or of all of them; those of the others are given up. */
static void pick_codes(struct evs_scan *s, struct scan_slot *slot, uint32_t have, uint32_t n)
{
	uint32_t *code = slot->coded.code;

	for (uint32_t i = 0; n < have && i < n; i++) /* they rise */
		code[i] = code[s->idx[i]];
	slot->picked = true;
}

static int take_coded(struct scan_slot *slot, uint32_t n)
{
	evs_array_reset(&slot->a);
	slot->loaded = evs_array_take(&slot->a, &slot->coded.values, slot->coded.code, n) == 0;
	return slot->loaded ? 0 : EVS_E_NOMEM;
}

/* Rows s->idx[0 .. n) of a column that nobody has asked for, and no others. */
static int pick_rows(struct evs_scan *s, struct scan_slot *slot, uint32_t n, struct evs_diag *diag)
{
	int rc = evs_segment_pick(s->seg, (uint16_t)s->map->from[slot - s->slots], s->idx, n,
				  &slot->a, diag);

	slot->loaded = rc == 0;
	return rc;
}

/* The matching rows of a column of the answer, once. */
static int take_field(struct evs_scan *s, size_t field, uint32_t have, uint32_t n,
		      struct evs_diag *diag)
{
	struct scan_slot *slot = &s->slots[s->field_slot[field]];
	int rc;

	if (n <= have / (s->chosen ? PICK_CODED : PICK_BELOW) && !slot->loaded && !slot->is_coded &&
	    as_stored(s, s->map, slot))
		return pick_rows(s, slot, n, diag);
	rc = evs_scan_load_coded(s, s->map, slot, diag);
	if (rc < 0)
		return rc;
	if (!slot->is_coded)
		return n < have && slot->a.rows == have ? keep_rows(s, slot, n, diag) : 0;
	if (!slot->picked)
		pick_codes(s, slot, have, n);
	if (slot->loaded)
		return 0;
	if (s->by_codes == field + 1) {
		evs_array_reset(&slot->a);
		return 0;
	}
	return take_coded(slot, n) < 0 ? evs_fail_nomem(diag) : 0;
}

static int find_map(struct evs_scan *s, const struct evs_group *g, struct evs_diag *diag)
{
	struct scan_map *m;
	int rc = evs_scan_find_map(s, g->schema_off, &m, diag);

	if (rc < 0)
		return rc;
	if (g->columns != s->map->src->ncols)
		return evs_fail_off(
			diag, EVS_E_FORMAT, evs_segment_path(s->seg), g->schema_off,
			"5.1-9 the group has another number of columns than its schema");
	return 0;
}

/* Rows that pass the time and the filters, in s->idx when they are fewer than all. */
static int match(struct evs_scan *s, uint32_t rows, uint32_t *n, struct evs_diag *diag)
{
	bool timed = s->opts.has_since || s->opts.has_until;
	int rc = 0;

	*n = rows;
	if (!timed && !s->nfilters && !s->thin)
		return 0;
	if (s->idx_cap < rows) {
		uint32_t *grown = realloc(s->idx, rows * sizeof(*grown));

		if (!grown)
			return evs_fail_nomem(diag);
		s->idx = grown;
		s->idx_cap = rows;
	}
	if (timed)
		rc = match_time(s, s->map, rows, n, diag);
	if (rc == 0 && *n && s->nfilters)
		rc = evs_scan_filter(s, rows, n, diag);
	return rc == 0 && s->thin && *n == rows ? evs_scan_thin(s, rows, n, diag) : rc;
}

int evs_scan_group(struct evs_scan *s, const struct evs_group *g, uint32_t *rows,
		   struct evs_diag *diag)
{
	int rc = find_map(s, g, diag);

	for (size_t i = 0; i < s->nslots; i++)
		s->slots[i].loaded = s->slots[i].is_coded = s->slots[i].picked = false;
	s->kept_loaded = false;
	if (rc < 0)
		return rc;
	s->grown |= s->map->nlater > 0 ||
		    (evs_segment_head(s->seg)->ignore_features & EVS_FEATURE_KEPT);
	if (!evs_scan_merges(s))
		return evs_scan_slots(s, g->rows, rows, diag);
	for (size_t i = 0; i < s->nslots && rc == 0; i++)
		rc = evs_scan_load(s, s->map, &s->slots[i], diag);
	*rows = 0; /* they come when all of the segment is there */
	return rc < 0 ? rc : evs_scan_merge_add(s, g->rows, diag);
}

int evs_scan_slots(struct evs_scan *s, uint32_t have, uint32_t *rows, struct evs_diag *diag)
{
	uint32_t n = 0;
	int rc = match(s, have, &n, diag);

	if (rc < 0)
		return rc;
	*rows = n;
	if (n == 0)
		return 0;
	for (size_t f = 0; f < s->nfields && rc == 0; f++)
		rc = take_field(s, f, have, n, diag);
	s->at = s->slots;
	for (size_t f = 0; f < s->nfields && rc == 0; f++)
		s->cols[f] = s->slots[s->field_slot[f]].a;
	return rc;
}

const struct evs_coded *evs_scan_coded(const struct evs_scan *s, size_t i)
{
	const struct scan_slot *slot = &s->at[s->field_slot[i]];

	return slot->is_coded ? &slot->coded : NULL;
}

void evs_scan_by_codes(struct evs_scan *s, size_t i)
{
	s->by_codes = i + 1;
}

int evs_scan_values(struct evs_scan *s, size_t i, uint32_t rows, struct evs_array *out)
{
	struct scan_slot *slot = &s->at[s->field_slot[i]];
	int rc = slot->is_coded && !slot->a.rows ? take_coded(slot, rows) : 0;

	*out = slot->a;
	return rc;
}
