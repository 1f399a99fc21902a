/*
 * Types: their shape in memory, copies, equality, and the items of enums.
 */
#include "src/schema/schema.h"

#include "format/bytes.h"
#include "src/schema/names.h"
#include "src/schema/type.h"

#include <stdlib.h>
#include <string.h>

static const char *item_name(const void *arg, size_t i, size_t *len)
{
	const struct evs_enum_item *items = arg;

	*len = items[i].len;
	return items[i].name;
}

int evs_type_index_items(struct evs_type *t, size_t *twice)
{
	free(t->name_slots);
	t->name_slots = NULL;
	return evs_names_build(&t->name_slots, &t->name_mask, t->nitems, item_name, t->items,
			       twice);
}

const struct evs_enum_item *evs_enum_by_name(const struct evs_type *t, const char *name, size_t len)
{
	int i;

	if (t->nitems <= 3) {
		for (i = 0; i < t->nitems; i++) {
			if (t->items[i].len == len && !memcmp(t->items[i].name, name, len))
				return &t->items[i];
		}
		return NULL;
	}
	i = evs_names_find(t->name_slots, t->name_mask, item_name, t->items, name, len);
	return i < 0 ? NULL : &t->items[i];
}

const struct evs_enum_item *evs_enum_by_value(const struct evs_type *t, int16_t value)
{
	size_t lo = 0, hi = t->nitems;
	int guess;

	if (hi == 0)
		return NULL;
	guess = value - t->items[0].value; /* numbers mostly have no gaps */
	if (guess >= 0 && guess < t->nitems && t->items[guess].value == value)
		return &t->items[guess];
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->items[mid].value == value)
			return &t->items[mid];
		if (t->items[mid].value < value)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static int nested_array(const struct evs_type *t, struct evs_array *out)
{
	int rc = evs_array_init_nested(out, t->id == EVS_T_MAP ? EVS_MAP : EVS_LIST);

	for (unsigned i = 0; rc == 0 && i < out->nchild; i++)
		rc = evs_type_array(t->elem[i], &out->child[i]);
	if (rc < 0)
		evs_array_release(out);
	return rc;
}

int evs_type_array(const struct evs_type *t, struct evs_array *out)
{
	memset(out, 0, sizeof(*out));
	switch (t->id) {
	case EVS_T_BOOL:
	case EVS_T_UINT8:
		evs_array_init(out, EVS_INT, 1, false);
		return 0;
	case EVS_T_INT8:
		evs_array_init(out, EVS_INT, 1, true);
		return 0;
	case EVS_T_INT16:
	case EVS_T_ENUM:
		evs_array_init(out, EVS_INT, 2, true);
		return 0;
	case EVS_T_UINT16:
		evs_array_init(out, EVS_INT, 2, false);
		return 0;
	case EVS_T_INT32:
	case EVS_T_DATE:
		evs_array_init(out, EVS_INT, 4, true);
		return 0;
	case EVS_T_UINT32:
	case EVS_T_IPV4:
		evs_array_init(out, EVS_INT, 4, false);
		return 0;
	case EVS_T_INT64:
	case EVS_T_DATETIME:
	case EVS_T_DATETIME64:
		evs_array_init(out, EVS_INT, 8, true);
		return 0;
	case EVS_T_UINT64:
		evs_array_init(out, EVS_INT, 8, false);
		return 0;
	case EVS_T_FLOAT32:
		evs_array_init(out, EVS_FLOAT, 4, true);
		return 0;
	case EVS_T_FLOAT64:
		evs_array_init(out, EVS_FLOAT, 8, true);
		return 0;
	case EVS_T_DECIMAL:
		if (t->precision <= EVS_DECIMAL_INT_DIGITS)
			evs_array_init(out, EVS_INT, 8, true);
		else
			evs_array_init(out, EVS_FIXED, 16, false);
		return 0;
	case EVS_T_UUID:
	case EVS_T_IPV6:
		evs_array_init(out, EVS_FIXED, 16, false);
		return 0;
	case EVS_T_FIXEDSTRING:
		evs_array_init(out, EVS_FIXED, t->width, false);
		return 0;
	case EVS_T_ARRAY:
	case EVS_T_MAP:
		return nested_array(t, out);
	case EVS_T_STRING:
	case EVS_T_JSON:
		break;
	}
	evs_array_init(out, EVS_BYTES, 0, false);
	return 0;
}

void evs_type_release(struct evs_type *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < t->nitems; i++)
		free(t->items[i].name);
	free(t->items);
	free(t->name_slots);
	for (unsigned i = 0; i < 2; i++) {
		evs_type_release(t->elem[i]);
		free(t->elem[i]);
	}
	memset(t, 0, sizeof(*t));
}

static int copy_items(struct evs_type *out, const struct evs_type *in)
{
	if (in->nitems == 0)
		return 0;
	out->items = calloc(in->nitems, sizeof(*out->items));
	if (!out->items)
		return EVS_E_NOMEM;
	for (; out->nitems < in->nitems; out->nitems++) {
		const struct evs_enum_item *from = &in->items[out->nitems];
		struct evs_enum_item *to = &out->items[out->nitems];

		to->name = evs_text_copy(from->name, from->len);
		if (!to->name)
			return EVS_E_NOMEM;
		to->len = from->len;
		to->value = from->value;
	}
	return evs_type_index_items(out, NULL);
}

int evs_type_copy(struct evs_type *out, const struct evs_type *in)
{
	int rc;

	memset(out, 0, sizeof(*out));
	out->id = in->id;
	out->nullable = in->nullable;
	out->precision = in->precision;
	out->scale = in->scale;
	out->width = in->width;
	rc = copy_items(out, in);
	for (unsigned i = 0; rc == 0 && i < 2; i++) {
		if (!in->elem[i])
			continue;
		out->elem[i] = malloc(sizeof(*out->elem[i]));
		rc = out->elem[i] ? evs_type_copy(out->elem[i], in->elem[i]) : EVS_E_NOMEM;
	}
	if (rc < 0)
		evs_type_release(out);
	return rc;
}

static bool items_equal(const struct evs_type *a, const struct evs_type *b)
{
	if (a->nitems != b->nitems)
		return false;
	for (unsigned i = 0; i < a->nitems; i++) {
		const struct evs_enum_item *x = &a->items[i], *y = &b->items[i];

		if (x->value != y->value || x->len != y->len ||
		    memcmp(x->name, y->name, x->len) != 0)
			return false;
	}
	return true;
}

bool evs_type_equal(const struct evs_type *a, const struct evs_type *b)
{
	if (a->id != b->id || a->nullable != b->nullable || a->precision != b->precision ||
	    a->scale != b->scale || a->width != b->width || !items_equal(a, b))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		if (!a->elem[i] != !b->elem[i])
			return false;
		if (a->elem[i] && !evs_type_equal(a->elem[i], b->elem[i]))
			return false;
	}
	return true;
}
