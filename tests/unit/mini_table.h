/*
 * Tables for tests without the DDL parser: mini_table("id UUID\nn Nullable(Int32)\nd ?Date").
 * A line is a column: name, blank, type as evs_type_print() spells it, but with Enum(A,B,C),
 * numbered from 1. `?` in front of the type gives the column a DEFAULT. The hidden _extra is
 * added.
 */
#ifndef EVS_TESTS_MINI_TABLE_H
#define EVS_TESTS_MINI_TABLE_H

#include "src/schema/schema.h"
#include "src/schema/table.h"
#include "src/schema/type.h"

#include <stdlib.h>
#include <string.h>

static inline char *mini_copy(const char *s, size_t n)
{
	char *p = calloc(n + 1, 1);

	if (!p)
		abort();
	memcpy(p, s, n);
	return p;
}

static inline bool mini_take(const char **p, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*p, word, n) != 0)
		return false;
	*p += n;
	return true;
}

static inline void mini_enum(struct evs_type *t, const char **p)
{
	struct evs_enum_item *items = calloc(256, sizeof(*items));
	size_t twice;

	if (!items)
		abort();
	t->id = EVS_T_ENUM;
	t->items = items;
	do {
		size_t n = strcspn(*p, ",)");

		items[t->nitems] =
			(struct evs_enum_item){ mini_copy(*p, n), n, (int16_t)(t->nitems + 1) };
		t->nitems++;
		*p += n;
	} while (*(*p)++ == ',');
	if (evs_type_index_items(t, &twice) < 0)
		abort();
}

static inline void mini_type(struct evs_type *t, bool *nullable, const char **p)
{
	static const struct {
		const char *name;
		enum evs_type_id id;
	} simple[] = {
		{ "Bool", EVS_T_BOOL },	      { "Int8", EVS_T_INT8 },
		{ "Int16", EVS_T_INT16 },     { "Int32", EVS_T_INT32 },
		{ "Int64", EVS_T_INT64 },     { "UInt8", EVS_T_UINT8 },
		{ "UInt16", EVS_T_UINT16 },   { "UInt32", EVS_T_UINT32 },
		{ "UInt64", EVS_T_UINT64 },   { "Float32", EVS_T_FLOAT32 },
		{ "Float64", EVS_T_FLOAT64 }, { "String", EVS_T_STRING },
		{ "UUID", EVS_T_UUID },	      { "JSON", EVS_T_JSON },
		{ "IPv4", EVS_T_IPV4 },	      { "IPv6", EVS_T_IPV6 },
	};

	bool inner;

	*t = (struct evs_type){ 0 };
	*nullable = mini_take(p, "Nullable(");
	if (mini_take(p, "Enum(")) {
		mini_enum(t, p);
	} else if (mini_take(p, "Decimal(")) {
		t->id = EVS_T_DECIMAL;
		t->precision = (uint8_t)strtoul(*p, (char **)(void *)p, 10);
		t->scale = (uint8_t)strtoul(*p + 1, (char **)(void *)p, 10);
		++*p;
	} else if (mini_take(p, "FixedString(")) {
		t->id = EVS_T_FIXEDSTRING;
		t->width = (uint16_t)strtoul(*p, (char **)(void *)p, 10);
		++*p;
	} else if (mini_take(p, "DateTime64(")) {
		t->id = EVS_T_DATETIME64;
		t->scale = (uint8_t)strtoul(*p, (char **)(void *)p, 10);
		++*p;
	} else if (mini_take(p, "DateTime")) {
		t->id = EVS_T_DATETIME;
	} else if (mini_take(p, "Date")) {
		t->id = EVS_T_DATE;
	} else if (mini_take(p, "Array(") || mini_take(p, "Map(String,")) {
		bool map = (*p)[-1] == ',';

		t->id = map ? EVS_T_MAP : EVS_T_ARRAY;
		for (int i = 0; i <= map; i++) {
			t->elem[i] = calloc(1, sizeof(struct evs_type));
			if (!t->elem[i])
				abort();
		}
		t->elem[0]->id = EVS_T_STRING;
		mini_type(t->elem[map], &inner, p);
		t->elem[map]->nullable = inner;
		++*p;
	} else {
		for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
			size_t n = strlen(simple[i].name);

			if (!strncmp(*p, simple[i].name, n) &&
			    !strchr("0123456789", (*p)[n] ? (*p)[n] : '.')) {
				t->id = simple[i].id;
				*p += n;
				break;
			}
		}
		if (!t->id)
			abort();
	}
	if (*nullable)
		++*p;
}

static inline struct evs_table *mini_table(const char *spec)
{
	struct evs_table *t = calloc(1, sizeof(*t));
	struct evs_column *c;
	size_t twice;

	if (!t)
		abort();
	t->cols = calloc(512, sizeof(*t->cols));
	if (!t->cols)
		abort();
	while (*spec) {
		size_t n = strcspn(spec, " ");

		c = &t->cols[t->ncols++];
		c->name = mini_copy(spec, n);
		c->name_len = n;
		spec += n + 1;
		if (mini_take(&spec, "?"))
			c->def_kind = EVS_DEFAULT_EXPR;
		mini_type(&c->type, &c->nullable, &spec);
		mini_take(&spec, "\n");
	}
	t->ndeclared = t->ncols;
	t->extra_column = t->ncols;
	c = &t->cols[t->ncols++];
	c->name = mini_copy("_extra", 6);
	c->name_len = 6;
	c->type.id = EVS_T_JSON;
	c->nullable = c->hidden = true;
	t->tenant_column = t->time_column = -1;
	if (evs_table_index_names(t, &twice) < 0)
		abort();
	return t;
}

/* Empty columns of the table; free with mini_free_columns(). */
static inline struct evs_array *mini_columns(const struct evs_table *t)
{
	struct evs_array *cols = calloc(t->ncols, sizeof(*cols));

	if (!cols)
		abort();
	for (unsigned i = 0; i < t->ncols; i++) {
		if (evs_type_array(&t->cols[i].type, &cols[i]) < 0)
			abort();
	}
	return cols;
}

static inline void mini_free_columns(const struct evs_table *t, struct evs_array *cols)
{
	for (unsigned i = 0; i < t->ncols; i++)
		evs_array_release(&cols[i]);
	free(cols);
}

#endif
