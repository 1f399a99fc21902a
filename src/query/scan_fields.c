/*
 * Which columns the answer has, and how those of stored schemas become them.
 */
#include "src/diag.h"
#include "src/query/scan.h"

#include <stdlib.h>
#include <string.h>

static int add_field(struct evs_scan *s, int column, bool extra)
{
	const struct evs_column *c = &s->table->cols[column];
	struct evs_field *f = &s->fields[s->nfields];

	int slot = evs_scan_slot(s, (uint16_t)column);

	if (slot < 0)
		return slot;
	*f = (struct evs_field){ .name = c->name,
				 .name_len = c->name_len,
				 .type = &c->type,
				 .nullable = c->nullable,
				 .extra = extra };
	(void)evs_type_print(&c->type, c->nullable, f->type_text, sizeof(f->type_text));
	s->field_slot[s->nfields++] = (uint16_t)slot;
	return 0;
}

int evs_scan_slot(struct evs_scan *s, uint16_t column)
{
	struct scan_slot *grown, *slot;

	if (!s->slot_of)
		s->slot_of = calloc(s->table->ncols, sizeof(*s->slot_of));
	if (!s->slot_of)
		return EVS_E_NOMEM;
	if (s->slot_of[column])
		return s->slot_of[column] - 1;
	grown = realloc(s->slots, (s->nslots + 1) * sizeof(*grown));
	if (!grown)
		return EVS_E_NOMEM;
	s->slots = grown;
	slot = &grown[s->nslots];
	*slot = (struct scan_slot){ .column = column };
	if (evs_type_array(&s->table->cols[column].type, &slot->a) < 0)
		return EVS_E_NOMEM;
	if (evs_type_array(&s->table->cols[column].type, &slot->coded.values) < 0) {
		evs_array_release(&slot->a);
		return EVS_E_NOMEM;
	}
	s->slot_of[column] = (uint16_t)++s->nslots;
	return (int)s->nslots - 1;
}

static void release_fields(struct evs_scan *s)
{
	free(s->cols);
	free(s->fields);
	free(s->field_slot);
	s->cols = NULL;
	s->fields = NULL;
	s->field_slot = NULL;
	s->nfields = 0;
}

static int room_for(struct evs_scan *s, size_t n, struct evs_diag *diag)
{
	release_fields(s);
	n += s->opts.nlatest + s->opts.nsort + 1; /* for evs_scan_field() */
	s->fields = calloc(n + 1, sizeof(*s->fields));
	s->field_slot = calloc(n + 1, sizeof(*s->field_slot));
	s->cols = calloc(n + 1, sizeof(*s->cols));
	return s->fields && s->field_slot && s->cols ? 0 : evs_fail_nomem(diag);
}

int evs_scan_field(struct evs_scan *s, uint16_t column)
{
	for (size_t f = 0; f < s->nfields; f++)
		if (s->slots[s->field_slot[f]].column == column)
			return (int)f;
	return add_field(s, column, false) < 0 ? EVS_E_NOMEM : (int)s->nfields - 1;
}

const struct evs_table *evs_scan_table(const struct evs_scan *s)
{
	return s->table;
}

int evs_scan_choose(struct evs_scan *s, const uint16_t *ordinals, size_t n, struct evs_diag *diag)
{
	int rc = room_for(s, n, diag);

	s->chosen = true;
	for (size_t i = 0; i < n && rc == 0; i++)
		if (add_field(s, ordinals[i], false) < 0)
			rc = evs_fail_nomem(diag);
	return rc;
}

static int unknown_column(const struct evs_scan *s, const char *name, struct evs_diag *diag)
{
	char hint[160];

	evs_table_suggest(s->table, name, strlen(name), hint, sizeof(hint));
	return evs_fail(diag, EVS_E_USAGE, "no column %.200s in %.200s%s", name, s->table->name,
			hint);
}

int evs_scan_fields(struct evs_scan *s, struct evs_diag *diag)
{
	size_t room = s->opts.columns ? s->opts.ncolumns : s->table->ncols;
	int rc = room_for(s, room, diag);

	if (rc < 0)
		return rc;
	for (size_t i = 0; s->opts.columns && i < s->opts.ncolumns && rc == 0; i++) {
		const char *name = s->opts.columns[i];
		int column = evs_table_find(s->table, name, strlen(name));

		if (column < 0)
			return unknown_column(s, name, diag);
		rc = add_field(s, column, false);
	}
	for (uint16_t c = 0; !s->opts.columns && c < s->table->ncols && rc == 0; c++)
		if (!s->table->cols[c].hidden || c == s->table->extra_column)
			rc = add_field(s, c, c == s->table->extra_column);
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

void evs_scan_fields_release(struct evs_scan *s)
{
	release_fields(s);
	for (size_t i = 0; i < s->nslots; i++) {
		evs_array_release(&s->slots[i].a);
		evs_coded_release(&s->slots[i].coded);
	}
	free(s->slots);
	free(s->slot_of);
}

/* ---- stored schemas -------------------------------------------------------------------------- */

static void release_map(struct scan_map *m)
{
	evs_table_free(m->src);
	free(m->text);
	free(m->from);
	free(m->same);
	free(m->tested);
	free(m->later);
	*m = (struct scan_map){ 0 };
}

void evs_scan_maps_release(struct evs_scan *s)
{
	for (unsigned i = 0; i < SCAN_MAPS; i++)
		release_map(&s->maps[i]);
}

static int fill_map(const struct evs_scan *s, struct scan_map *m)
{
	m->from = calloc(s->nslots + 1, sizeof(*m->from));
	m->same = calloc(s->nslots + 1, sizeof(*m->same));
	m->tested = calloc(m->src->ncols, sizeof(*m->tested));
	m->later = calloc(s->table->ncols, sizeof(*m->later));
	if (!m->from || !m->same || !m->tested || !m->later)
		return EVS_E_NOMEM;
	for (uint16_t i = 0; i < s->table->ndeclared; i++)
		if (evs_table_find(m->src, s->table->cols[i].name, s->table->cols[i].name_len) < 0)
			m->later[m->nlater++] = i;
	for (size_t i = 0; i < s->nslots; i++) {
		const struct evs_column *c = &s->table->cols[s->slots[i].column];

		m->from[i] = evs_table_find(m->src, c->name, c->name_len);
		if (m->from[i] >= 0)
			m->same[i] = evs_type_equal(&m->src->cols[m->from[i]].type, &c->type);
		if (m->same[i] && s->slots[i].tested)
			m->tested[m->from[i]] = (uint16_t)(i + 1);
	}
	return 0;
}

int evs_scan_find_map(struct evs_scan *s, uint64_t off, struct scan_map **out,
		      struct evs_diag *diag)
{
	int rc = 0;

	if (!s->map || s->map_off != off) {
		s->map = NULL;
		rc = evs_scan_map(s, off, &s->map, diag);
		s->map_off = off;
	}
	*out = s->map;
	return rc;
}

/* Does nothing of rows that are stored by this schema get lost in the answer's? */
static int all_are_shown(const struct evs_scan *s, const struct evs_table *src,
			 struct evs_diag *diag)
{
	struct evs_diag d = { 0 };
	bool same;
	int rc = evs_table_compatible(src, s->table, &same, &d);

	if (rc == 0)
		return 0;
	(void)evs_fail(
		diag, rc,
		"the schema cannot take the place of the one that rows are stored by: %.900s",
		d.what);
	return rc;
}

/* Nearly all segments of a stream have the same text, so it is parsed once. */
int evs_scan_map(struct evs_scan *s, uint64_t off, struct scan_map **out, struct evs_diag *diag)
{
	struct scan_map *oldest = &s->maps[0];
	char *text = NULL;
	size_t len = 0;
	int rc = evs_segment_schema(s->seg, off, &text, &len, diag);

	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < SCAN_MAPS; i++) {
		struct scan_map *m = &s->maps[i];

		if (m->text && m->text_len == len && !memcmp(m->text, text, len)) {
			m->used = ++s->clock;
			*out = m;
			free(text);
			return 0;
		}
		if (m->used < oldest->used)
			oldest = m;
	}
	release_map(oldest);
	oldest->text = text;
	oldest->text_len = len;
	if (len == s->table->text_len && !memcmp(text, s->table->text, len))
		oldest->src = evs_table_share(s->table);
	else
		rc = evs_table_parse(&oldest->src, text, len, diag);
	if (rc == 0 && fill_map(s, oldest) < 0)
		rc = evs_fail_nomem(diag);
	if (rc == 0 && s->stored)
		rc = all_are_shown(s, oldest->src, diag);
	if (rc == EVS_E_SCHEMA && oldest->src) {
		release_map(oldest);
		return rc;
	}
	if (rc < 0) {
		release_map(oldest);
		/* A schema that does not parse makes its rows unreadable, as damage does. */
		return rc == EVS_E_SCHEMA
			       ? evs_fail_off(diag, EVS_E_FORMAT, evs_segment_path(s->seg), off,
					      "4.3 the stored schema cannot be parsed")
			       : rc;
	}
	oldest->used = ++s->clock;
	*out = oldest;
	return 0;
}
