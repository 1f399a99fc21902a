/*
 * What need not be read: segments whose tenant or partition, and groups whose zones rule a filter
 * out.
 *
 * Each of the three asks evs_eval_zone() what a filter can be, with what is known by then of the
 * columns: the tenant from the folder's name, the time from the partition, minimum and maximum of
 * each column from the ZONES of a commit.
 */
#include "src/diag.h"
#include "src/query/scan.h"

#include <stdlib.h>
#include <string.h>

#define DAY 86400

/* ---- what is known of columns ---------------------------------------------------------------- */

static void forget(struct evs_scan *s)
{
	for (size_t i = 0; i < s->nslots; i++)
		s->bounds[s->slots[i].column].known = false;
}

/* Who asks: one of the filters, or a hint with its own numbers for our columns. */
struct asker {
	struct evs_scan *s;
	const struct scan_hint *hint;
};

/* Our ordinal of a column, -1: it is none of ours. */
static int ordinal_of(const struct asker *a, uint16_t ordinal)
{
	return a->hint ? a->hint->column[ordinal] : ordinal;
}

static bool bounds_of(void *arg, uint16_t ordinal, struct evs_bounds *out)
{
	const struct asker *a = arg;
	int ours = ordinal_of(a, ordinal);
	const struct scan_bounds *b = ours < 0 ? NULL : &a->s->bounds[ours];

	if (!b || !b->known)
		return false;
	*out = (struct evs_bounds){ .bounds = b->values ? &b->a : NULL, .nulls = b->nulls };
	return true;
}

static bool may_hold(void *arg, uint16_t ordinal, const struct evs_array *value, uint32_t row)
{
	const struct asker *a = arg;
	struct evs_scan *s = a->s;
	int ours = ordinal_of(a, ordinal);
	size_t slot = ours < 0 ? 0 : s->slot_of[ours] - 1u;

	if (ours < 0 || !s->asked_map->same[slot])
		return true;
	return evs_segment_may_hold(s->seg, s->asked, s->asked_group,
				    (uint16_t)s->asked_map->from[slot], value, row);
}

/* Can all filters be true at once, by what is known? `asking`: by the segment's filters too. */
static bool may(struct evs_scan *s, bool asking)
{
	struct asker a = { .s = s };
	struct evs_known known = { .bounds = bounds_of,
				   .may_hold = asking ? may_hold : NULL,
				   .arg = &a };

	for (size_t i = 0; i < s->nfilters; i++)
		if ((!s->in_group || evs_scan_filter_prunes(s, s->filters[i])) &&
		    !(evs_eval_zone(s->eval, s->filters[i], &known) & EVS_MAY_TRUE))
			return false;
	/* Merged rows have values that no zone of theirs knows. */
	for (size_t i = 0; i < s->nhints && !(s->in_group && evs_scan_merges(s)); i++) {
		a.hint = &s->hints[i];
		if (!(evs_eval_zone(s->eval, a.hint->e, &known) & EVS_MAY_TRUE))
			return false;
	}
	return true;
}

/* Is there anything to ask? */
static bool has_conditions(const struct evs_scan *s)
{
	return s->nfilters || s->nhints;
}

/* An empty pair of bounds for a column that a filter uses; NULL: none does, or no memory. */
static struct scan_bounds *start(struct evs_scan *s, int column)
{
	struct scan_bounds *b;

	if (column < 0 || !s->slot_of[column] || !s->slots[s->slot_of[column] - 1].tested)
		return NULL;
	b = &s->bounds[column];
	b->known = b->nulls = b->values = false;
	if (b->made)
		evs_array_reset(&b->a);
	else
		b->made = evs_type_array(&s->table->cols[column].type, &b->a) == 0;
	return b->made ? b : NULL;
}

/* The time column of rows with lo <= time < hi, in seconds. */
static void know_time(struct evs_scan *s, int64_t lo, int64_t hi)
{
	const struct evs_table *t = s->table;
	const struct evs_type *type = &t->cols[t->time_column].type;
	struct scan_bounds *b = start(s, t->time_column);
	int64_t per_second = 1;

	if (!b || (t->time_kind != EVS_TIME_NATIVE && t->time_kind != EVS_TIME_ARRIVAL))
		return;
	if (type->id == EVS_T_DATE) {
		b->known = evs_array_append_int(&b->a, (uint64_t)(lo / DAY)) == 0 &&
			   evs_array_append_int(&b->a, (uint64_t)((hi - 1) / DAY)) == 0;
	} else {
		for (unsigned i = 0; type->id == EVS_T_DATETIME64 && i < type->scale; i++)
			per_second *= 10;
		if (lo < INT64_MIN / per_second || hi > INT64_MAX / per_second)
			return;
		b->known = evs_array_append_int(&b->a, (uint64_t)(lo * per_second)) == 0 &&
			   evs_array_append_int(&b->a, (uint64_t)(hi * per_second - 1)) == 0;
	}
	b->values = true;
}

/* The tenant column of rows of the tenant whose value has this text. */
static void know_tenant(struct evs_scan *s, const char *text, size_t len)
{
	int column = s->table->tenant_column;
	struct scan_bounds *b = start(s, column);
	const struct evs_type *type;
	struct evs_expr *e = NULL;
	struct evs_buf quoted = { 0 };
	const struct evs_array *value;

	if (!b)
		return;
	type = &s->table->cols[column].type;
	evs_buf_put_u8(&quoted, '\'');
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\'' || text[i] == '\\')
			evs_buf_put_u8(&quoted, (uint8_t)text[i]);
		evs_buf_put_u8(&quoted, (uint8_t)text[i]);
	}
	evs_buf_put_u8(&quoted, '\'');
	if (evs_buf_ok(&quoted) &&
	    evs_expr_parse(&e, (char *)quoted.p, quoted.len, 1, 1, NULL) == 0 &&
	    evs_expr_bind_to(e, NULL, type, false, NULL) == 0 &&
	    (value = evs_expr_constant(e)) != NULL)
		b->known = evs_array_append_range(&b->a, value, 0, 1) == 0 &&
			   evs_array_append_range(&b->a, value, 0, 1) == 0;
	b->values = true;
	b->nulls = s->table->cols[column].nullable && !len;
	evs_expr_free(e);
	evs_buf_release(&quoted);
}

/* ---- segments -------------------------------------------------------------------------------- */

/* dir[0 .. len) is a tenant's folder. Its verdict is kept, as many segments have it in common. */
static bool tenant_may(struct evs_scan *s, const char *dir, size_t len)
{
	char name[4 * EVS_NAME_BYTES];
	size_t from = len, n;

	if (s->tenant_dir && strlen(s->tenant_dir) == len && !memcmp(s->tenant_dir, dir, len))
		return s->tenant_may;
	free(s->tenant_dir);
	s->tenant_dir = evs_text_copy(dir, len);
	if (!s->tenant_dir)
		return true;
	while (from && dir[from - 1] != '/')
		from--;
	forget(s);
	if (evs_name_unescape(dir + from, len - from, name, &n))
		know_tenant(s, name, n);
	s->tenant_may = may(s, false);
	return s->tenant_may;
}

bool evs_scan_path_may(struct evs_scan *s, const char *path)
{
	const char *slash = strrchr(path, '/');
	int64_t lo, hi;

	if (!has_conditions(s) || !s->list.stream || s->list.loose || !slash)
		return true;
	if (s->table->tenant_column >= 0 && !tenant_may(s, path, (size_t)(slash - path)))
		return false;
	if (!evs_segment_name_parse(slash + 1, &lo))
		return true;
	evs_partition_bounds(lo, s->table->unit, &lo, &hi);
	forget(s);
	know_time(s, lo, hi);
	return may(s, false);
}

bool evs_scan_segment_may(struct evs_scan *s)
{
	const struct evs_head *h = evs_segment_head(s->seg);

	if (!has_conditions(s))
		return true;
	forget(s);
	know_time(s, h->part_lo, h->part_hi);
	if (s->table->tenant_column >= 0)
		know_tenant(s, h->tenant, h->tenant_len);
	return may(s, false);
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* One end of a zone as a value of the column. A cut value of fixed width is filled up with zeros.
 */
static bool put_end(struct evs_array *a, const uint8_t *v, uint8_t len)
{
	uint8_t wide[EVS_MAX_ZONE_VALUE] = { 0 };
	double d;

	switch (a->phys) {
	case EVS_INT:
		return len == 8 && evs_array_append_int(a, evs_get64(v)) == 0;
	case EVS_FLOAT:
		memcpy(&d, v, sizeof(d));
		return len == 8 && evs_array_append_float(a, d) == 0;
	case EVS_FIXED:
		if (a->width > sizeof(wide))
			return false;
		memcpy(wide, v, len);
		return evs_array_append_fixed(a, wide) == 0;
	case EVS_BYTES:
		return evs_array_append_bytes(a, v, len) == 0;
	default:
		return false;
	}
}

/* Do the bytes of a zone have the order in which values of the type compare? */
static bool zone_ordered(const struct evs_type *t, const struct evs_array *a)
{
	return t->id != EVS_T_JSON && !(t->id == EVS_T_DECIMAL && a->phys == EVS_FIXED) &&
	       a->phys != EVS_LIST && a->phys != EVS_MAP;
}

static void know_zone(struct evs_scan *s, uint16_t column, const struct evs_zone *z, uint32_t rows)
{
	struct scan_bounds *b = start(s, column);

	if (!b)
		return;
	b->nulls = z->nulls > 0;
	b->values = z->nulls < rows;
	if (!b->values)
		b->known = true;
	else if (z->has_min && z->has_max && zone_ordered(&s->table->cols[column].type, &b->a))
		b->known = put_end(&b->a, z->min, z->min_len) && put_end(&b->a, z->max, z->max_len);
}

/* The first zone of a group, mostly right behind those of the group before; zones stand in the
 * order of their groups. */
static uint32_t first_zone(const struct evs_scan *s, const struct evs_commit *c, uint32_t group)
{
	uint32_t lo = 0, hi = c->nzones, at = s->asked_zone;

	if (at && at < hi && c->zones[at - 1].group < group && c->zones[at].group >= group)
		return at;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (c->zones[mid].group < group)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* What the zones of a group say of the columns that conditions use. */
static void know_group(struct evs_scan *s, const struct evs_commit *c, const struct scan_map *m,
		       uint32_t group)
{
	uint32_t at = first_zone(s, c, group);

	for (; at < c->nzones && c->zones[at].group == group; at++) {
		const struct evs_zone *z = &c->zones[at];
		uint16_t slot = z->column < m->src->ncols ? m->tested[z->column] : 0;

		if (slot)
			know_zone(s, s->slots[slot - 1].column, z, c->groups[group].rows);
	}
	s->asked_zone = at;
}

enum evs_want evs_scan_group_may(void *scan, const struct evs_commit *c, uint32_t group)
{
	struct evs_scan *s = scan;
	enum evs_want want;
	struct scan_map *m;

	if (evs_scan_find_map(s, c->schema_off, &m, NULL) < 0)
		return EVS_WANTED;
	forget(s);
	know_group(s, c, m, group);
	s->in_group = true;
	s->asked = c;
	s->asked_group = group;
	s->asked_map = m;
	want = !may(s, false)		      ? EVS_NOT_BY_ZONES
	       : c->nfilters && !may(s, true) ? EVS_NOT_BY_FILTERS
					      : EVS_WANTED;
	s->in_group = false;
	return want;
}
