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

	*f = (struct evs_field){ .name = c->name,
				 .name_len = c->name_len,
				 .type = &c->type,
				 .nullable = c->nullable,
				 .extra = extra };
	(void)evs_type_print(&c->type, c->nullable, f->type_text, sizeof(f->type_text));
	s->field_column[s->nfields] = column;
	return evs_type_array(&c->type, &s->cols[s->nfields++]);
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
	int rc = 0;

	s->fields = calloc(room + 1, sizeof(*s->fields));
	s->field_column = calloc(room + 1, sizeof(*s->field_column));
	s->cols = calloc(room + 1, sizeof(*s->cols));
	if (!s->fields || !s->field_column || !s->cols)
		return evs_fail_nomem(diag);
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
	for (size_t i = 0; i < s->nfields; i++)
		evs_array_release(&s->cols[i]);
	free(s->cols);
	free(s->fields);
	free(s->field_column);
}

/* ---- stored schemas --------------------------------------------------------------------------------------- */

static void release_map(struct scan_map *m)
{
	evs_table_free(m->src);
	free(m->text);
	free(m->from);
	free(m->same);
	*m = (struct scan_map){ 0 };
}

void evs_scan_maps_release(struct evs_scan *s)
{
	for (unsigned i = 0; i < SCAN_MAPS; i++)
		release_map(&s->maps[i]);
}

static int fill_map(const struct evs_scan *s, struct scan_map *m)
{
	m->from = calloc(s->nfields + 1, sizeof(*m->from));
	m->same = calloc(s->nfields + 1, sizeof(*m->same));
	if (!m->from || !m->same)
		return EVS_E_NOMEM;
	for (size_t f = 0; f < s->nfields; f++) {
		m->from[f] = evs_table_find(m->src, s->fields[f].name, s->fields[f].name_len);
		if (m->from[f] >= 0)
			m->same[f] =
				evs_type_equal(&m->src->cols[m->from[f]].type, s->fields[f].type);
	}
	return 0;
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
	rc = evs_table_parse(&oldest->src, text, len, diag);
	if (rc == 0 && fill_map(s, oldest) < 0)
		rc = evs_fail_nomem(diag);
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
