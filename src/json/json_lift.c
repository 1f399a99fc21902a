/*
 * Fields of _extra as values of a column that came later: see json.h.
 */
#include "src/json/json.h"

#include <stdlib.h>
#include <string.h>

enum { VALUE, REST, COLUMNS }; /* of the table that _extra is read by */

struct evs_lift {
	struct evs_table *table;
	struct evs_json_reader *reader;
	struct evs_array cols[COLUMNS]; /* one row at a time */
};

int evs_lift_new(struct evs_lift **out, const struct evs_column *c)
{
	static const struct evs_type json = { .id = EVS_T_JSON };
	const struct evs_table_column cols[COLUMNS] = {
		[VALUE] = { c->name, c->name_len, &c->type, c->nullable, false },
		[REST] = { "", 0, &json, true, true },
	};
	struct evs_lift *l = calloc(1, sizeof(*l));

	if (!l)
		return EVS_E_NOMEM;
	if (evs_table_make(&l->table, "", "", cols, COLUMNS) < 0 ||
	    evs_json_reader_new(&l->reader, l->table) < 0 ||
	    evs_type_array(&c->type, &l->cols[VALUE]) < 0 ||
	    evs_type_array(&json, &l->cols[REST]) < 0) {
		evs_lift_free(l);
		return EVS_E_NOMEM;
	}
	evs_json_reader_set_strict(l->reader, true);
	*out = l;
	return 0;
}

void evs_lift_free(struct evs_lift *l)
{
	if (!l)
		return;
	evs_json_reader_free(l->reader);
	evs_table_free(l->table);
	for (int i = 0; i < COLUMNS; i++)
		evs_array_release(&l->cols[i]);
	free(l);
}

/* 1: cols[] hold the value and the rest; 0: there is none that fits; EVS_E_NOMEM. */
static int read_one(struct evs_lift *l, const struct evs_array *extra, uint32_t row)
{
	size_t n, left = 0;
	const char *reason;
	const uint8_t *s;
	int rc;

	if (evs_array_is_null(extra, row))
		return 0;
	s = evs_array_bytes(extra, row, &n);
	evs_json_reader_clear(l->reader);
	for (int i = 0; i < COLUMNS; i++)
		evs_array_reset(&l->cols[i]);
	rc = evs_json_read_row(l->reader, (const char *)s, n, l->cols, &reason);
	if (rc != EVS_ROW_OK)
		return rc < 0 ? rc : 0;
	if (!evs_array_is_null(&l->cols[REST], 0))
		(void)evs_array_bytes(&l->cols[REST], 0, &left);
	return left < n; /* else all of it is left: there was no such field */
}

int evs_lift_rows(struct evs_lift *l, const struct evs_array *extra,
		  const struct evs_array *otherwise, struct evs_array *column,
		  struct evs_array *rest)
{
	int rc = 0;

	for (uint32_t i = 0; i < extra->rows && rc == 0; i++) {
		int found = read_one(l, extra, i);

		if (found < 0)
			return found;
		if (column && found)
			rc = evs_array_append_range(column, &l->cols[VALUE], 0, 1);
		else if (column && otherwise)
			rc = evs_array_append_range(column, otherwise, 0, 1);
		else if (column)
			rc = evs_array_append_nulls(column, 1);
		if (rest && rc == 0)
			rc = found ? evs_array_append_range(rest, &l->cols[REST], 0, 1)
				   : evs_array_append_range(rest, extra, i, 1);
	}
	return rc;
}
