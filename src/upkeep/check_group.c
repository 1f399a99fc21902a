/*
 * A group, decoded: its values against its zones and filters, the sort key, the times that are
 * said, and its hash.
 */
#include "src/upkeep/check.h"

#include "format/filter.h"
#include "src/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL (64u << 10) /* bytes of a column that is not needed any more */

/* ---- the schema ------------------------------------------------------------------------------ */

static void drop_table(struct check_segment *s)
{
	for (uint16_t c = 0; s->table && s->cols && c < s->table->ncols; c++)
		evs_array_release(&s->cols[c]);
	for (uint16_t k = 0; s->last && k < s->nlast; k++)
		evs_array_release(&s->last[k]);
	evs_rollups_free(s->rollups);
	evs_table_free(s->table);
	free(s->cols);
	free(s->keep);
	free(s->last);
	s->rollups = NULL;
	s->table = NULL;
	s->cols = s->last = NULL;
	s->keep = NULL;
	s->nlast = 0;
	s->run_known = false;
}

void evs_check_group_release(struct check_segment *s)
{
	drop_table(s);
}

/* The columns of the sort key: rows of a segment have all the same tenant. */
static void key_of(const struct evs_table *t, const uint16_t **key, uint16_t *n)
{
	*key = t->key;
	*n = t->nkey;
	while (*n && t->tenant_column == (int)**key) {
		++*key;
		--*n;
	}
}

static int make_columns(struct check_segment *s)
{
	const struct evs_table *t = s->table;
	const uint16_t *key;
	uint16_t nkey;
	int rc = 0;

	key_of(t, &key, &nkey);
	s->cols = calloc(t->ncols, sizeof(*s->cols));
	s->keep = calloc(t->ncols, sizeof(*s->keep));
	s->last = calloc(nkey + 1u, sizeof(*s->last));
	if (!s->cols || !s->keep || !s->last)
		return EVS_E_NOMEM;
	for (uint16_t c = 0; c < t->ncols && rc == 0; c++)
		rc = evs_type_array(&t->cols[c].type, &s->cols[c]);
	for (uint16_t k = 0; k < nkey && rc == 0; k++) {
		s->keep[key[k]] = true;
		rc = evs_array_init_like(&s->last[s->nlast++], &s->cols[key[k]]);
	}
	s->keep[t->time_column] = true;
	return rc;
}

/* 0; 1 when there is no schema for the group, which was told; or an error. */
static int load_table(struct check_segment *s, const struct evs_group *g, struct evs_diag *diag)
{
	struct evs_diag d = { 0 };
	char *text = NULL, what[1000];
	size_t len = 0;
	int rc = 0;

	if (!s->table || s->schema_off != g->schema_off) {
		drop_table(s);
		rc = evs_segment_schema(s->seg, g->schema_off, &text, &len, &d);
		if (rc == 0)
			rc = evs_table_parse(&s->table, text, len, &d);
		free(text);
		if (rc == 0 && make_columns(s) < 0)
			return evs_fail_nomem(diag);
		if (rc == 0)
			rc = evs_check_rollup_schema(s, &d);
		s->schema_off = g->schema_off;
	}
	if (rc == EVS_E_NOMEM || rc == EVS_E_SYS) {
		if (diag)
			*diag = d;
		return rc;
	}
	if (rc == 0 && g->columns == s->table->ncols)
		return 0;
	if (rc == 0)
		(void)snprintf(what, sizeof(what),
			       "5.1-9 the group has another number of columns than its schema");
	else
		(void)snprintf(what, sizeof(what), "%s%.900s",
			       rc == EVS_E_FORMAT
				       ? ""
				       : "5.1-9 the schema cannot be parsed (4.2, 6.7-2): ",
			       d.what);
	evs_check_found(s, s->off, g->rows, true, what);
	return 1;
}

/* ---- zones and filters ----------------------------------------------------------------------- */

static double as_double(const uint8_t *p)
{
	uint64_t u = evs_get64(p);
	double d;

	memcpy(&d, &u, sizeof(d));
	return d;
}

static bool same_end(const struct evs_array *a, const uint8_t *v, uint8_t len, bool cut,
		     const uint8_t *want, uint8_t want_len, bool want_cut)
{
	if (len != want_len || cut != want_cut)
		return false;
	if (a->phys == EVS_FLOAT) /* there are two zeros */
		return as_double(v) >= as_double(want) && as_double(v) <= as_double(want);
	return !memcmp(v, want, len);
}

static const char *zone_wrong(const struct evs_zone *z, const struct evs_array *a)
{
	struct evs_zone want = { 0 };

	if (!evs_zone_of(&want, a))
		return "7.5-C3 a zone of a column that can have none";
	if (z->nulls != want.nulls)
		return "7.5-C1 nulls of a zone";
	if (z->has_min && !(want.has_min && same_end(a, z->min, z->min_len, z->min_cut, want.min,
						     want.min_len, want.min_cut)))
		return "7.5-C2 minimum of a zone";
	if (z->has_max && !(want.has_max && same_end(a, z->max, z->max_len, z->max_cut, want.max,
						     want.max_len, want.max_cut)))
		return "7.5-C2 maximum of a zone";
	return NULL;
}

/* Of column `c` of group `number` of the commit ahead; `a` is NULL when it could not be decoded. */
static void check_zone(struct check_segment *s, uint32_t number, uint16_t c,
		       const struct evs_array *a, uint32_t rows)
{
	const struct evs_commit *k = &s->commit;
	const struct evs_zone *z;
	const char *wrong;
	char text[400];

	while (s->zone < k->nzones && k->zones[s->zone].group < number)
		s->zone++;
	z = &k->zones[s->zone];
	if (s->zone == k->nzones || z->group != number || z->column != c)
		return;
	s->zone++;
	wrong = a ? zone_wrong(z, a) : NULL;
	if (!wrong)
		return;
	(void)snprintf(text, sizeof(text), "%s: column %.300s", wrong, s->table->cols[c].name);
	evs_check_found(s, s->off, rows, false, text);
}

/* The first row that is not in the filter, or `rows`. */
static uint32_t filter_misses(const struct evs_array *a, const uint8_t *blocks, size_t len)
{
	for (uint32_t i = 0; i < a->rows; i++)
		if (!evs_array_is_null(a, i) &&
		    !evs_filter_may_hold(blocks, len, evs_filter_hash(a, i)))
			return i;
	return a->rows;
}

static int check_filter(struct check_segment *s, uint32_t number, uint16_t c,
			const struct evs_array *a, struct evs_diag *diag)
{
	const struct evs_commit *k = &s->commit;
	const struct evs_filter_ref *f;
	struct evs_diag d = { 0 };
	const uint8_t *blocks;
	char text[400];
	uint64_t next;
	size_t len;
	int rc;

	while (s->filter < k->nfilters && k->filters[s->filter].group < number)
		s->filter++;
	f = &k->filters[s->filter];
	if (s->filter == k->nfilters || f->group != number || f->column != c)
		return 0;
	s->filter++;
	next = number + 1 < k->ngroups ? k->groups[number + 1].off : s->commit_off;
	if (f->off < s->off || f->off >= next)
		evs_check_found(s, f->off, 0, false,
				"7.9-C2 the filter does not stand behind its group");
	if (!a)
		return 0;
	rc = evs_segment_filter(s->seg, k, f->off, &blocks, &len, &d);
	if (rc == EVS_E_SYS || rc == EVS_E_NOMEM) {
		if (diag)
			*diag = d;
		return rc;
	}
	if (rc < 0) {
		evs_check_found(s, f->off, 0, false, d.what);
	} else if (!evs_filter_takes(a)) {
		evs_check_found(s, f->off, 0, false,
				"7.9-C3 a filter of a column that can have none");
	} else if (filter_misses(a, blocks, len) < a->rows) {
		(void)snprintf(text, sizeof(text),
			       "7.8-C1 a value of row %u is not in the filter: column %.300s",
			       filter_misses(a, blocks, len), s->table->cols[c].name);
		evs_check_found(s, f->off, a->rows, false, text);
	}
	return 0;
}

/* Zones and filters of columns that the schema does not have. */
static void check_beyond(struct check_segment *s, uint32_t number)
{
	const struct evs_commit *k = &s->commit;

	if (s->zone < k->nzones && k->zones[s->zone].group == number)
		evs_check_found(s, s->off, 0, false, "7.5-C3 a zone of a column that is not there");
	if (s->filter < k->nfilters && k->filters[s->filter].group == number)
		evs_check_found(s, k->filters[s->filter].off, 0, false,
				"7.9-C3 a filter of a column that is not there");
}

/* ---- order ----------------------------------------------------------------------------------- */

static int compare_rows(const struct check_segment *s, const uint16_t *key, uint16_t n, uint32_t i,
			uint32_t j)
{
	int c = 0;

	for (uint16_t k = 0; k < n && c == 0; k++)
		c = evs_array_compare(&s->cols[key[k]], i, &s->cols[key[k]], j);
	return c;
}

/* Is the last row of the group before in its place in front of this one? */
static bool continues(const struct check_segment *s, const uint16_t *key, uint16_t n)
{
	int c = 0;

	for (uint16_t k = 0; k < n && c == 0; k++)
		c = evs_array_compare(&s->last[k], 0, &s->cols[key[k]], 0);
	return c <= 0;
}

static int check_order(struct check_segment *s, const struct evs_group *g,
		       const struct evs_group_ref *ref, struct evs_diag *diag)
{
	const uint16_t *key;
	char text[128];
	uint16_t n;
	uint32_t i = 1;

	key_of(s->table, &key, &n);
	while (i < g->rows && compare_rows(s, key, n, i - 1, i) <= 0)
		i++;
	if (i < g->rows) {
		(void)snprintf(
			text, sizeof(text),
			"7.2-C1 rows are not in the order of the sort key: row %u of the group", i);
		evs_check_found(s, s->off, g->rows, false, text);
	}
	if (!ref)
		return 0;
	s->follows = s->run_known && s->run_number == ref->run;
	if (s->follows && !continues(s, key, n)) {
		evs_check_found(
			s, s->off, g->rows, false,
			"7.2-C2 the group begins before the end of the one before of its run");
		s->follows = false;
	}
	s->run_known = true;
	s->run_number = ref->run;
	for (uint16_t k = 0; k < n; k++) {
		evs_array_trim(&s->last[k], SMALL);
		if (evs_array_append_range(&s->last[k], &s->cols[key[k]], g->rows - 1, 1) < 0)
			return evs_fail_nomem(diag);
	}
	return 0;
}

/* ---- times ----------------------------------------------------------------------------------- */

static void check_times(struct check_segment *s, const struct evs_group *g,
			const struct evs_group_ref *ref)
{
	const struct evs_array *a = &s->cols[s->table->time_column];
	const struct evs_head *h = evs_segment_head(s->seg);
	int64_t min = EVS_TIME_NONE, max = EVS_TIME_NONE;
	uint32_t outside = 0;

	for (uint32_t i = 0; i < g->rows; i++) {
		int64_t t = evs_row_time(s->table, a, i), sec = evs_row_seconds(s->table, a, i);

		outside += sec != EVS_TIME_NONE && (sec < h->part_lo || sec >= h->part_hi);
		if (t == EVS_TIME_NONE)
			continue;
		if (min == EVS_TIME_NONE || t < min)
			min = t;
		if (max == EVS_TIME_NONE || t > max)
			max = t;
	}
	if (outside)
		evs_check_found(s, s->off, outside, false, "4.1-C2 times are not in the partition");
	if (ref && (ref->time_min != min || ref->time_max != max))
		evs_check_found(s, s->off, g->rows, false,
				"7.2-C3 time_min and time_max are not those of the rows");
}

/* ---- all of it ------------------------------------------------------------------------------- */

static const struct evs_group_ref *find_ref(struct check_segment *s, uint32_t *number)
{
	const struct evs_commit *k = &s->commit;

	while (s->ahead && s->ref < k->ngroups && k->groups[s->ref].off < s->off)
		s->ref++;
	*number = s->ref;
	return s->ahead && s->ref < k->ngroups && k->groups[s->ref].off == s->off
		       ? &k->groups[s->ref]
		       : NULL;
}

static int check_hash(struct check_segment *s, const struct evs_group_ref *ref,
		      struct evs_diag *diag)
{
	crypto_generichash_state st;
	uint8_t hash[EVS_HASH_SIZE];
	int rc;

	crypto_generichash_init(&st, NULL, 0, sizeof(hash));
	rc = evs_check_hash_frame(s, s->off, s->span, &st, diag);
	crypto_generichash_final(&st, hash, sizeof(hash));
	if (rc == 0 && memcmp(hash, ref->hash, sizeof(hash)) != 0)
		evs_check_found(s, s->off, ref->rows, false, "7.2-7 hash of the group");
	return rc;
}

/* Decode column `c`: 0; 1 when it is damaged, which was told; or an error. */
static int load_column(struct check_segment *s, const struct evs_group *g, uint16_t c, bool told,
		       struct evs_diag *diag)
{
	struct evs_diag d = { 0 };
	char text[1400];
	int rc = evs_segment_column(s->seg, c, &s->cols[c], &d);

	if (rc == 0)
		return 0;
	if (rc != EVS_E_FORMAT && rc != EVS_E_VERSION && rc != EVS_E_LIMIT) {
		if (diag)
			*diag = d;
		return rc;
	}
	/* The rows are lost once, however many of their columns are. */
	(void)snprintf(text, sizeof(text), "%.1000s: %s %.300s", d.what,
		       g->packed ? "a packed group, column" : "column", s->table->cols[c].name);
	evs_check_found(s, d.has_off ? d.off : s->off, g->rows, !told, text);
	return 1;
}

static int check_columns(struct check_segment *s, const struct evs_group *g, uint32_t number,
			 bool named, bool *sound, bool *kept_sound, struct evs_diag *diag)
{
	bool all = s->run->salvage.out || (s->ahead && s->commit.nrollups && s->rollups);

	*sound = *kept_sound = true;
	for (uint16_t c = 0; c < g->columns; c++) {
		struct evs_array *a = &s->cols[c];
		int rc = g->packed && !*sound ? 1 : load_column(s, g, c, !*sound, diag);

		if (rc < 0)
			return rc;
		*sound &= rc == 0;
		*kept_sound &= rc == 0 || !s->keep[c];
		if (named)
			check_zone(s, number, c, rc == 0 ? a : NULL, g->rows);
		rc = named ? check_filter(s, number, c, rc == 0 ? a : NULL, diag) : 0;
		if (rc < 0)
			return rc;
		if (!all && !s->keep[c])
			evs_array_trim(a, SMALL);
	}
	if (named)
		check_beyond(s, number);
	return 0;
}

int evs_check_group(struct check_segment *s, const struct evs_group *g, struct evs_diag *diag)
{
	const struct evs_group_ref *ref;
	bool sound, kept;
	uint32_t number;
	int rc = evs_check_ahead(s, s->off, diag);

	if (rc == 0)
		rc = load_table(s, g, diag);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	ref = find_ref(s, &number);
	rc = check_columns(s, g, number, ref != NULL, &sound, &kept, diag);
	if (rc == 0 && sound && ref)
		rc = check_hash(s, ref, diag);
	s->follows = false;
	if (rc == 0 && kept) {
		check_times(s, g, ref);
		rc = check_order(s, g, ref, diag);
	}
	if (rc == 0)
		rc = evs_check_rollup_rows(s, g->rows, sound && ref, number == 0, diag);
	if (rc == 0 && sound)
		rc = evs_salvage_group(s, g, ref, diag);
	for (uint16_t c = 0; c < s->table->ncols; c++)
		evs_array_trim(&s->cols[c], SMALL);
	return rc;
}
