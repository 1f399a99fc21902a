/*
 * The room's front door: binding as a whole, and what callers may ask of a bound expression.
 */
#include "src/expr/expr_node.h"

#include "src/diag.h"

#include <stdlib.h>

void evs_expr_free(struct evs_expr *e)
{
	if (!e)
		return;
	for (struct x_node *n = e->nodes; n; n = n->next) {
		evs_array_release(&n->value);
		if (n->aux_free)
			n->aux_free(n->aux);
	}
	for (size_t i = 0; i < e->ntypes; i++)
		evs_table_free(e->types[i]);
	free(e->types);
	free(e->used);
	evs_x_arena_free(&e->arena);
	free(e);
}

/* What leaves the room has a type of the schema. */
static struct x_node *finish(struct x_binder *b, struct x_node *n)
{
	static const struct evs_type text = { .id = EVS_T_STRING };

	if (!n)
		return NULL;
	if ((int)n->type.id == X_T_NULL)
		n = evs_x_const_null(b, b->e->root, &text);
	else if ((int)n->type.id == X_T_INTERVAL)
		return evs_x_fail(b, b->e->root, "an interval alone is no value: add it to a time");
	evs_x_mark(n);
	return n;
}

int evs_expr_bind(struct evs_expr *e, const struct evs_table *t, struct evs_diag *diag)
{
	struct x_binder b = { .e = e, .t = t, .diag = diag };

	e->nused = 0;
	e->bound = finish(&b, evs_x_bind(&b, e->root));
	evs_eval_free(b.v);
	if (!e->bound && !b.err)
		return evs_fail_nomem(diag);
	return b.err;
}

int evs_expr_bind_condition(struct evs_expr *e, const struct evs_table *t, struct evs_diag *diag)
{
	struct x_binder b = { .e = e, .t = t, .diag = diag };

	e->nused = 0;
	e->bound = finish(&b, evs_x_truth(&b, e->root, evs_x_bind(&b, e->root)));
	evs_eval_free(b.v);
	if (!e->bound && !b.err)
		return evs_fail_nomem(diag);
	return b.err;
}

int evs_expr_bind_to(struct evs_expr *e, const struct evs_table *t, const struct evs_type *type,
		     bool nullable, struct evs_diag *diag)
{
	struct x_binder b = { .e = e, .t = t, .diag = diag };
	struct x_node *n;
	char text[128];

	e->nused = 0;
	n = evs_x_bind(&b, e->root);
	n = n ? evs_x_cast(&b, e->root, n, type, X_ASSIGN) : NULL;
	if (n && !nullable && evs_x_is_const_null(n))
		evs_x_fail(&b, e->root, "NULL is no value of a NOT NULL %s",
			   evs_x_type_text(type, text, sizeof(text)));
	e->bound = b.err ? NULL : finish(&b, n);
	evs_eval_free(b.v);
	if (!e->bound && !b.err)
		return evs_fail_nomem(diag);
	return b.err;
}

const struct evs_type *evs_expr_type(const struct evs_expr *e, bool *nullable)
{
	if (!e->bound)
		return NULL;
	if (nullable)
		*nullable = e->bound->nullable;
	return &e->bound->type;
}

bool evs_expr_uses(const struct evs_expr *e, uint16_t ordinal)
{
	for (size_t i = 0; i < e->nused; i++)
		if (e->used[i] == ordinal)
			return true;
	return false;
}

size_t evs_expr_columns(const struct evs_expr *e, const uint16_t **ordinals)
{
	*ordinals = e->used;
	return e->nused;
}

int evs_expr_column(const struct evs_expr *e)
{
	return e->bound && e->bound->shape == X_COLUMN ? e->bound->ordinal : -1;
}

static bool repeats(const struct x_node *n)
{
	if (n->not_constant || n->volatile_rows)
		return false;
	for (size_t i = 0; i < n->n; i++)
		if (!repeats(n->arg[i]))
			return false;
	return true;
}

bool evs_expr_repeats(const struct evs_expr *e)
{
	return e->bound && repeats(e->bound);
}

static bool same_interval(const struct x_interval *a, const struct x_interval *b)
{
	return a->months == b->months && a->seconds == b->seconds && a->nanos == b->nanos;
}

bool evs_x_same(const struct x_node *a, const struct x_node *b)
{
	/* `aux` is made of the text, which is not looked at. */
	if (a->shape != b->shape || a->op != b->op || a->n != b->n || a->eval != b->eval ||
	    a->aux || b->aux || !evs_type_equal(&a->type, &b->type) ||
	    !same_interval(&a->interval, &b->interval))
		return false;
	if (a->shape == X_COLUMN)
		return a->ordinal == b->ordinal;
	if (a->shape == X_CONST)
		return evs_array_compare(&a->value, 0, &b->value, 0) == 0;
	if (a->num != b->num)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!evs_x_same(a->arg[i], b->arg[i]))
			return false;
	return true;
}

bool evs_expr_same(const struct evs_expr *a, const struct evs_expr *b)
{
	return a == b || (a && b && a->bound && b->bound && evs_x_same(a->bound, b->bound));
}

const struct evs_array *evs_expr_constant(const struct evs_expr *e)
{
	return e->bound && e->bound->shape == X_CONST ? &e->bound->value : NULL;
}

/* A time column, seen through conversions between times. */
static const struct x_node *time_column(const struct x_node *n)
{
	while (n->shape == X_FN && n->n == 1 && evs_x_is_time(&n->type) &&
	       evs_x_is_time(&n->arg[0]->type))
		n = n->arg[0];
	return n->shape == X_COLUMN && evs_x_is_time(&n->type) ? n : NULL;
}

bool evs_expr_shift(const struct evs_expr *e, int *ordinal, int64_t *seconds, int32_t *months)
{
	const struct x_node *n = e->bound, *c;

	while (n && n->shape == X_FN && n->eval != evs_x_time_shift && n->n == 1 &&
	       evs_x_is_time(&n->type))
		n = n->arg[0];
	if (!n || n->shape != X_FN || n->eval != evs_x_time_shift)
		return false;
	c = time_column(n->arg[0]);
	if (!c || n->interval.nanos || n->interval.months > INT32_MAX ||
	    n->interval.months < INT32_MIN)
		return false;
	*ordinal = c->ordinal;
	*seconds = n->interval.seconds;
	*months = (int32_t)n->interval.months;
	return true;
}
