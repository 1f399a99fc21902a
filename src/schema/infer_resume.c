/*
 * Inference: going on where the run that wrote a schema.sql left off. What it knew of each field is
 * more than the text says, but what a column may still become follows from its type alone: the
 * types that are narrower are out, for they only ever widen.
 */
#include "src/schema/infer.h"

#include <stdlib.h>
#include <string.h>

/* Kind of a column's type, or 0 when no inference gives such a type. */
static unsigned kind_of_type(const struct evs_type *t, unsigned *scale)
{
	struct evs_type same, elem;

	*scale = t->id == EVS_T_DATETIME64 ? t->scale : 0;
	for (unsigned kind = INFER_BOOL; kind <= INFER_JSON; kind <<= 1) {
		infer_kind_type(kind, *scale, &same, &elem);
		if (evs_type_equal(t, &same))
			return kind;
	}
	return 0;
}

/* Kinds that hold every value of a column of this kind, which values yet to come may narrow to. */
static unsigned still_possible(unsigned kind)
{
	switch (kind) {
	case INFER_JSON:
		return 0;
	case INFER_UUID:
	case INFER_TIME:
	case INFER_DATE:
		return kind | INFER_STRING;
	default:
		return kind;
	}
}

/* As if one value of the column's type had been seen. */
static void know(struct infer_field *x, unsigned kind, unsigned scale)
{
	x->kind = kind;
	x->kind_scale = scale;
	x->declared = true;
	x->present = 1;
	x->kinds = x->time_kinds = x->number_kinds = still_possible(kind);
	x->any_list = kind & INFER_LISTS;
	x->scale = x->time_scale = x->max_scale = scale;
	x->has_scale = x->has_time_scale = kind == INFER_TIME;
}

/* Add the columns, or know them anew. Returns 0, 1 when a column is none that inference makes, or
 * EVS_E_NOMEM. */
static int know_columns(struct evs_infer *f, const struct evs_table *t)
{
	int rc = 0;

	if (t->ndeclared > INFER_MAX_FIELDS)
		return 1;
	for (unsigned i = 0; rc == 0 && i < t->ndeclared; i++) {
		const struct evs_column *c = &t->cols[i];
		unsigned scale, kind = kind_of_type(&c->type, &scale);

		if (!kind)
			return 1;
		if (i == f->nfields)
			rc = infer_add_field(f, c->name, c->name_len);
		if (rc == 0)
			know(&f->fields[i], kind, scale);
	}
	return rc;
}

static int set_keys(struct evs_infer *f, const struct evs_table *t)
{
	for (size_t i = 0; i < f->nkeys; i++)
		free(f->keys[i]);
	free(f->keys);
	f->nkeys = 0;
	f->keys = calloc((size_t)t->nkey + 1, sizeof(*f->keys));
	if (!f->keys)
		return EVS_E_NOMEM;
	if (t->nkey == 1 && t->key[0] == f->time_field)
		return 0; /* which is what it is without a key, too */
	for (unsigned i = 0; i < t->nkey; i++) {
		const struct evs_column *c = &t->cols[t->key[i]];
		char *name;

		if (t->key[i] >= t->ndeclared)
			continue; /* the hidden time, which no inferred text names */
		name = calloc(c->name_len + 1, 1);
		if (!name)
			return EVS_E_NOMEM;
		memcpy(name, c->name, c->name_len);
		f->keys[f->nkeys++] = name;
	}
	return 0;
}

/* For what is said of rows without a time: the one row that is told of has one. */
static void count_time(struct evs_infer *f)
{
	struct infer_field *x = &f->fields[f->time_field];

	if (f->time_kind >= EVS_TIME_EPOCH_S && f->time_kind <= EVS_TIME_EPOCH_NS)
		x->epochs[f->time_kind - EVS_TIME_EPOCH_S] = 1;
	else
		x->time_texts = 1;
}

/* Time, tenant and key as the table has them, or with the time of arrival. */
static int stand(struct evs_infer *f, const struct evs_table *t, bool arrival)
{
	int n = (int)t->ndeclared, rc;

	if (t->tenant_column >= n || (!arrival && t->time_column >= n))
		return 1;
	f->tenant_field = t->tenant_column;
	f->time_field = arrival ? -1 : t->time_column;
	f->time_kind = arrival ? EVS_TIME_ARRIVAL : t->time_kind;
	rc = set_keys(f, t);
	if (rc)
		return rc;
	f->chosen = true;
	f->lines = 1;
	for (size_t i = 0; i < f->nfields; i++)
		f->fields[i].pinned = false;
	if (!arrival)
		count_time(f);
	return 0;
}

/* 0, 1 when that does not give the text, or EVS_E_NOMEM. */
static int try(struct evs_infer *f, const struct evs_table *t, bool arrival, const char *text,
	       size_t len)
{
	char *mine = NULL;
	size_t n = 0;
	int rc = know_columns(f, t);

	if (rc == 0)
		rc = stand(f, t, arrival);
	if (rc)
		return rc;
	rc = evs_infer_ddl(f, &mine, &n, NULL, NULL, NULL);
	if (rc == 0)
		rc = n == len && !memcmp(mine, text, n) ? 0 : 1;
	free(mine);
	return rc;
}

int evs_infer_resume(struct evs_infer *f, const struct evs_table *t, const char *text, size_t len)
{
	bool arrival = t->time_kind == EVS_TIME_ARRIVAL;
	int rc = try(f, t, arrival, text, len);

	/*
	 * Where inference left rows to the time of their arrival, a table finds its time in a key
	 * that is one.
	 */
	if (rc == 1 && !arrival)
		rc = try(f, t, true, text, len);
	return rc;
}
