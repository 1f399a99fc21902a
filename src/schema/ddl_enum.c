/*
 * Enums: Enum('a' = 1, 'b') as a column's type, and PostgreSQL's CREATE TYPE name AS ENUM.
 */
#include "src/schema/ddl_type.h"

#include "src/schema/type.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_ENUM_ITEMS 32767u

/* "= 5", "= -5", or the number after the one before. */
static int take_enum_value(struct ddl *d, int bits, int *value, const struct evs_tok *name)
{
	const int lo = bits == 8 ? -128 : -32768, hi = bits == 8 ? 127 : 32767;
	bool minus = false;
	uint32_t v;
	int rc = ddl_accept(d, "=");

	if (rc > 0) {
		rc = ddl_accept(d, "-");
		minus = rc > 0;
		if (rc >= 0)
			rc = ddl_take_number(d, "the number of an enum's item", 0,
					     (uint32_t)(minus ? -lo : hi), &v);
		if (rc < 0)
			return rc;
		*value = minus ? -(int)v : (int)v;
	} else if (rc == 0) {
		++*value;
	}
	if (rc >= 0 && *value > hi)
		return ddl_fail_tok(d, name, "too many items for an Enum of %d bits", bits);
	return rc < 0 ? rc : 0;
}

static int by_value(const void *a, const void *b)
{
	const struct evs_enum_item *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* All items are there: order them and refuse two of one number or one name. */
static int finish_enum(struct ddl *d, const struct evs_tok *name, struct evs_type *out)
{
	size_t twice;
	int rc;

	if (out->nitems == 0)
		return ddl_fail_tok(d, name, "an Enum needs its items: Enum('a' = 1, 'b' = 2)");
	qsort(out->items, out->nitems, sizeof(*out->items), by_value);
	for (unsigned i = 1; i < out->nitems; i++) {
		if (out->items[i].value == out->items[i - 1].value)
			return ddl_fail_tok(
				d, name, "the Enum's items '%s' and '%s' have the same number %d",
				out->items[i - 1].name, out->items[i].name, out->items[i].value);
	}
	rc = evs_type_index_items(out, &twice);
	if (rc < 0)
		return ddl_nomem(d);
	if (twice < out->nitems)
		return ddl_fail_tok(d, name, "the Enum has the item '%s' twice",
				    out->items[twice].name);
	return 0;
}

int ddl_take_enum(struct ddl *d, const struct evs_tok *name, int bits, struct evs_type *out)
{
	struct evs_enum_item *item;
	size_t cap = 0;
	int value = 0, rc = ddl_expect(d, "(");

	while (rc == 0 && !ddl_is(d, ")")) {
		if (d->lex.tok.kind != EVS_TOK_STRING)
			return ddl_fail(
				d, "an Enum's item in quotes is expected here, such as 'FAILED'");
		if (out->nitems >= MAX_ENUM_ITEMS)
			return ddl_fail(d, "an Enum has at most %u items", MAX_ENUM_ITEMS);
		item = ddl_grow(out->items, &cap, out->nitems, sizeof(*item));
		if (!item)
			return ddl_nomem(d);
		out->items = item;
		item += out->nitems;
		memset(item, 0, sizeof(*item));
		rc = evs_tok_text(&d->lex, &d->lex.tok, &item->name, &item->len, d->diag);
		if (rc < 0)
			return rc;
		out->nitems++;
		rc = ddl_next(d);
		if (rc == 0)
			rc = take_enum_value(d, bits, &value, name);
		item->value = (int16_t)value;
		if (rc < 0 || ddl_is(d, ")"))
			break;
		rc = ddl_expect(d, ",");
		if (rc == 0 && ddl_is(d, ")"))
			ddl_note(d, d->lex.tok.line,
				 "comma after the last item of an Enum: passed over");
	}
	if (rc == 0)
		rc = ddl_expect(d, ")");
	return rc < 0 ? rc : finish_enum(d, name, out);
}

/* Place of an enum by name, or nenums. */
static size_t find_enum(const struct ddl *d, const char *name)
{
	size_t i;

	for (i = 0; i < d->nenums && strcasecmp(d->enums[i].name, name) != 0; i++)
		;
	return i;
}

int ddl_take_named_enum(struct ddl *d, struct evs_type *out)
{
	struct ddl_slice *used;
	char *name;
	size_t len, i;
	int rc = evs_tok_text(&d->lex, &d->lex.tok, &name, &len, d->diag);

	if (rc < 0)
		return rc;
	i = find_enum(d, name);
	free(name);
	if (i == d->nenums)
		return 0;
	d->enum_items += d->enums[i].type.nitems;
	if (d->enum_items > DDL_MAX_ENUM_ITEMS)
		return ddl_too_many(d, &d->lex.tok, DDL_MAX_ENUM_ITEMS, "items of enums");
	if (evs_type_copy(out, &d->enums[i].type) < 0)
		return ddl_nomem(d);
	for (size_t k = 0; k < d->nused; k++) {
		if (d->used_enums[k].at == d->enums[i].text.at)
			return 1;
	}
	used = ddl_grow(d->used_enums, &d->used_cap, d->nused, sizeof(*used));
	if (!used)
		return ddl_nomem(d);
	d->used_enums = used;
	d->used_enums[d->nused++] = d->enums[i].text;
	return 1;
}

int ddl_create_type(struct ddl *d, const struct evs_tok *start)
{
	struct ddl_enum *e;
	struct evs_tok name;
	char *db = NULL;
	int rc;

	if (d->nenums == DDL_MAX_THINGS)
		return ddl_too_many(d, start, DDL_MAX_THINGS, "types");
	e = ddl_grow(d->enums, &d->enums_cap, d->nenums, sizeof(*e));
	if (!e)
		return ddl_nomem(d);
	d->enums = e;
	e += d->nenums;
	memset(e, 0, sizeof(*e));
	name = d->lex.tok;
	rc = ddl_qualified(d, "the type's name", &db, &e->name);
	free(db);
	if (rc < 0)
		return rc;
	if (find_enum(d, e->name) < d->nenums)
		rc = ddl_fail_tok(d, &name, "the type %s is defined twice", e->name);
	d->nenums++; /* from here on released with the rest */
	if (rc < 0)
		return rc;
	if (!ddl_is(d, "AS") || !ddl_peek_is(d, "ENUM"))
		return ddl_fail(d, "evseg knows CREATE TYPE name AS ENUM (...) only");
	rc = ddl_next(d);
	if (rc == 0)
		rc = ddl_next(d);
	e->type.id = EVS_T_ENUM;
	if (rc == 0)
		rc = ddl_take_enum(d, &name, 16, &e->type);
	e->text = (struct ddl_slice){ .at = start->at,
				      .len = d->lex.prev_end - start->at,
				      .line = start->line,
				      .col = start->col };
	return rc;
}
