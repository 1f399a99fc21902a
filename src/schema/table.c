/*
 * Tables in memory: looking columns up, and letting go of all that a table owns.
 */
#include "src/schema/table.h"

#include "format/bytes.h"
#include "src/expr/expr.h"
#include "src/schema/names.h"

#include <stdlib.h>
#include <string.h>

static const char *column_name(const void *arg, size_t i, size_t *len)
{
	const struct evs_column *cols = arg;

	*len = cols[i].name_len;
	return cols[i].name;
}

int evs_table_index_names(struct evs_table *t, size_t *twice)
{
	free(t->name_slots);
	t->name_slots = NULL;
	return evs_names_build(&t->name_slots, &t->name_mask, t->ncols, column_name, t->cols,
			       twice);
}

int evs_table_find(const struct evs_table *t, const char *name, size_t len)
{
	return evs_names_find(t->name_slots, t->name_mask, column_name, t->cols, name, len);
}

static int make_column(struct evs_column *to, const struct evs_table_column *from)
{
	to->name = evs_text_copy(from->name, from->name_len);
	if (!to->name)
		return EVS_E_NOMEM;
	to->name_len = from->name_len;
	to->nullable = from->nullable;
	to->hidden = from->extra;
	return evs_type_copy(&to->type, from->type);
}

int evs_table_make(struct evs_table **out, const char *db, const char *name,
		   const struct evs_table_column *cols, size_t n)
{
	struct evs_table *t = calloc(1, sizeof(*t));

	if (!t)
		return EVS_E_NOMEM;
	t->extra_column = t->tenant_column = t->time_column = -1;
	t->db = strdup(db);
	t->name = strdup(name);
	t->cols = calloc(n + 1, sizeof(*t->cols));
	if (!t->db || !t->name || !t->cols || n > EVS_NAMES_MAX)
		goto failed;
	for (size_t i = 0; i < n; i++) {
		t->ncols++;
		if (make_column(&t->cols[i], &cols[i]) < 0)
			goto failed;
		if (cols[i].extra)
			t->extra_column = (int)i;
	}
	t->ndeclared = t->ncols;
	if (evs_table_index_names(t, NULL) < 0)
		goto failed;
	*out = t;
	return 0;
failed:
	evs_table_free(t);
	return EVS_E_NOMEM;
}

void evs_column_release(struct evs_column *c)
{
	free(c->name);
	evs_type_release(&c->type);
	free(c->def_text);
	evs_expr_free(c->def);
}

struct evs_table *evs_table_share(struct evs_table *t)
{
	atomic_fetch_add(&t->sharers, 1);
	return t;
}

void evs_table_free(struct evs_table *t)
{
	if (!t || atomic_fetch_sub(&t->sharers, 1) != 0)
		return;
	for (unsigned i = 0; i < t->ncols; i++)
		evs_column_release(&t->cols[i]);
	for (unsigned i = 0; i < t->nchecks; i++) {
		free(t->checks[i].name);
		free(t->checks[i].text);
		evs_expr_free(t->checks[i].expr);
	}
	for (unsigned i = 0; i < t->nindexes; i++) {
		free(t->indexes[i].name);
		free(t->indexes[i].expr_text);
		free(t->indexes[i].kind);
	}
	free(t->db);
	free(t->name);
	free(t->cols);
	free(t->key);
	free(t->key_desc);
	free(t->checks);
	free(t->indexes);
	free(t->engine_args);
	free(t->engine_cols);
	free(t->ttl_text);
	free(t->text);
	free(t->name_slots);
	free(t);
}
