/*
 * Conversions, asked for with CAST or put in because a value stands where another type is wanted.
 */
#include "src/expr/expr_node.h"

#include <string.h>

static const struct evs_type text_type = { .id = EVS_T_STRING };

/* 'QUEUD' is no value of the enum: say so, with the nearest one. */
static struct x_node *enum_const(struct x_binder *b, const struct x_ast *a, const struct x_node *n,
				 const struct evs_type *to)
{
	size_t len;
	const char *s = (const char *)evs_array_bytes(&n->value, 0, &len);
	const struct evs_enum_item *item = evs_enum_by_name(to, s, len);
	struct x_node *c;
	struct x_suggest near;
	char hint[96];

	if (item) {
		c = evs_x_const(b, a, to);
		return c && evs_array_append_int(&c->value, (uint64_t)item->value) < 0
			       ? evs_x_nomem(b)
			       : c;
	}
	evs_x_suggest_init(&near, s, len);
	for (uint16_t i = 0; i < to->nitems; i++)
		evs_x_suggest_offer(&near, to->items[i].name, to->items[i].len);
	return evs_x_fail(b, n->ast ? n->ast : a, "'%.*s' is no value of this enum%s",
			  (int)(len < 100 ? len : 100), s,
			  evs_x_suggest_text(&near, hint, sizeof(hint)));
}

/* Seconds of an interval. */
static struct x_node *interval_seconds(struct x_binder *b, const struct x_ast *a,
				       const struct x_node *n)
{
	static const struct evs_type f64 = { .id = EVS_T_FLOAT64 };
	struct x_node *c;

	if (n->interval.months)
		return evs_x_fail(
			b, a, "an interval of months has no fixed length here: write it in days");
	c = evs_x_const(b, a, &f64);
	if (c && evs_array_append_float(&c->value,
					(double)n->interval.seconds + n->interval.nanos / 1e9) < 0)
		return evs_x_nomem(b);
	return c;
}

/* The conversion of an array's elements, a call on a column that is not of the table. False:
 * there is none. */
static bool element_cast(struct x_binder *b, struct x_node *c, const struct evs_type *from,
			 const struct evs_type *to)
{
	struct evs_type plain = *from->elem[0];
	struct x_node *x, *e;

	plain.nullable = to->elem[0]->nullable;
	if (evs_type_equal(&plain, to->elem[0]))
		return true;
	x = evs_x_node(b, X_COLUMN, c->ast, 0);
	if (!x)
		return false;
	x->type = plain;
	e = evs_x_call(b, c->ast, evs_x_cast_fn(&plain, to->elem[0]), to->elem[0]->id, &x, 1);
	if (!e || !e->eval)
		return false;
	e->type = *to->elem[0];
	e->op = c->op;
	c->aux = e;
	return e->eval != evs_x_cast_array || element_cast(b, e, &plain, to->elem[0]);
}

static struct x_node *apply(struct x_binder *b, const struct x_ast *a, struct x_node *n,
			    const struct evs_type *to, enum x_cast how)
{
	struct x_node *c =
		evs_x_call(b, evs_x_is_const(n) && n->ast ? n->ast : a, NULL, to->id, &n, 1);
	char ft[128], tt[128];

	if (!c)
		return NULL;
	c->type = *to;
	c->type.nullable = false;
	c->op = (uint8_t)how;
	if (how == X_TRY || n->type.id == EVS_T_JSON)
		c->nullable = true;
	c->eval = evs_x_cast_fn(&n->type, to);
	if (!c->eval || (c->eval == evs_x_cast_array && !element_cast(b, c, &n->type, to)))
		return evs_x_fail(b, a, "%s cannot be converted to %s",
				  evs_x_type_text(&n->type, ft, sizeof(ft)),
				  evs_x_type_text(to, tt, sizeof(tt)));
	return evs_x_fold(b, c);
}

struct x_node *evs_x_cast(struct x_binder *b, const struct x_ast *a, struct x_node *n,
			  const struct evs_type *to, enum x_cast how)
{
	bool json = n->type.id == EVS_T_JSON;

	if ((int)n->type.id == X_T_NULL || evs_x_is_const_null(n))
		return evs_x_const_null(b, a, to);
	if ((int)n->type.id == X_T_INTERVAL) {
		n = interval_seconds(b, a, n);
		if (!n)
			return NULL;
	}
	if (evs_type_equal(&n->type, to))
		return n;
	if (to->id == EVS_T_ENUM && n->type.id == EVS_T_STRING && evs_x_is_const(n) && how != X_TRY)
		return enum_const(b, a, n, to);
	/* JSON goes to times, UUIDs and the like by way of its text. */
	if (json && to->id != EVS_T_STRING && to->id != EVS_T_BOOL && !evs_x_is_number(to)) {
		n = apply(b, a, n, &text_type, how);
		if (!n)
			return NULL;
	}
	return apply(b, a, n, to, how);
}

struct x_node *evs_x_cast_id(struct x_binder *b, const struct x_ast *a, struct x_node *n,
			     enum evs_type_id id, enum x_cast how)
{
	struct evs_type t = { .id = id };

	return evs_x_cast(b, a, n, &t, how);
}

struct x_node *evs_x_truth(struct x_binder *b, const struct x_ast *a, struct x_node *n)
{
	char text[128];

	if (!n)
		return NULL;
	if (n->type.id == EVS_T_BOOL)
		return n;
	if ((int)n->type.id == X_T_NULL || evs_x_is_int(&n->type) || n->type.id == EVS_T_JSON)
		return evs_x_cast_id(b, a, n, EVS_T_BOOL, X_IMPLICIT);
	return evs_x_fail(b, a,
			  "a condition is wanted here, and this is %s: compare it with something",
			  evs_x_type_text(&n->type, text, sizeof(text)));
}
