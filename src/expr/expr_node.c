/*
 * Nodes of the checked tree: making them, constants, and computing now what does not depend on
 * rows.
 */
#include "src/expr/expr_node.h"

#include "src/diag.h"

#include <stdarg.h>
#include <stdio.h>

void *evs_x_fail(struct x_binder *b, const struct x_ast *a, const char *fmt, ...)
{
	char text[768];
	va_list ap;

	if (b->err)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	b->err = evs_fail_at(b->diag, EVS_E_QUERY, a->line, a->col, "%s", text);
	evs_fail_word(b->diag, a->word, a->word_len);
	return NULL;
}

void *evs_x_nomem(struct x_binder *b)
{
	if (!b->err)
		b->err = evs_fail_nomem(b->diag);
	return NULL;
}

const char *evs_x_type_text(const struct evs_type *t, char *buf, size_t cap)
{
	if ((int)t->id == X_T_NULL)
		snprintf(buf, cap, "NULL");
	else if ((int)t->id == X_T_INTERVAL)
		snprintf(buf, cap, "INTERVAL");
	else
		evs_type_print(t, false, buf, cap);
	return buf;
}

struct x_node *evs_x_node(struct x_binder *b, enum x_shape shape, const struct x_ast *a,
			  size_t nargs)
{
	struct x_node *n;

	if (b->err)
		return NULL;
	n = evs_x_alloc(&b->e->arena, sizeof(*n));
	if (!n)
		return evs_x_nomem(b);
	if (nargs) {
		n->arg = evs_x_alloc(&b->e->arena, nargs * sizeof(struct x_node *));
		if (!n->arg)
			return evs_x_nomem(b);
	}
	n->shape = shape;
	n->ast = a;
	n->n = nargs;
	n->next = b->e->nodes;
	b->e->nodes = n;
	return n;
}

struct x_node *evs_x_call(struct x_binder *b, const struct x_ast *a, x_eval_fn *eval,
			  enum evs_type_id result, struct x_node *const *arg, size_t n)
{
	struct x_node *c = evs_x_node(b, X_FN, a, n);

	if (!c)
		return NULL;
	c->eval = eval;
	c->type.id = result;
	for (size_t i = 0; i < n; i++) {
		if (!arg[i])
			return NULL;
		c->arg[i] = arg[i];
		c->nullable |= arg[i]->nullable;
	}
	return c;
}

bool evs_x_is_const(const struct x_node *n)
{
	return n->shape == X_CONST;
}

bool evs_x_is_const_null(const struct x_node *n)
{
	return n->shape == X_CONST && evs_array_is_null(&n->value, 0);
}

struct x_node *evs_x_const(struct x_binder *b, const struct x_ast *a, const struct evs_type *t)
{
	struct x_node *n = evs_x_node(b, X_CONST, a, 0);

	if (!n)
		return NULL;
	n->type = *t;
	if ((int)t->id >= X_T_NULL)
		evs_array_init(&n->value, EVS_INT, 1, false);
	else if (evs_type_array(t, &n->value) < 0)
		return evs_x_nomem(b);
	return n;
}

struct x_node *evs_x_const_null(struct x_binder *b, const struct x_ast *a, const struct evs_type *t)
{
	struct x_node *n = evs_x_const(b, a, t);

	if (!n)
		return NULL;
	n->nullable = true;
	return evs_array_append_null(&n->value) < 0 ? evs_x_nomem(b) : n;
}

struct x_node *evs_x_const_int(struct x_binder *b, const struct x_ast *a, enum evs_type_id id,
			       int64_t v)
{
	struct evs_type t = { .id = id };
	struct x_node *n = evs_x_const(b, a, &t);

	if (!n)
		return NULL;
	return evs_array_append_int(&n->value, (uint64_t)v) < 0 ? evs_x_nomem(b) : n;
}

/* Everything of `n` is constant, and its value is the same at any time and in any row. */
static bool foldable(const struct x_node *n)
{
	if (n->shape == X_CONST || n->shape == X_COLUMN || n->volatile_rows || n->not_constant)
		return false;
	for (size_t i = 0; i < n->n; i++)
		if (!evs_x_is_const(n->arg[i]))
			return false;
	return true;
}

struct x_node *evs_x_fold(struct x_binder *b, struct x_node *n)
{
	struct x_vec x = { 0 };
	struct x_node *c = NULL;
	int rc;

	if (!n || b->err || !foldable(n))
		return b->err ? NULL : n;
	if (!b->v && evs_eval_new(&b->v) < 0)
		return evs_x_nomem(b);
	b->v->rows = 1;
	rc = evs_x_eval(b->v, n, &x);
	if (rc < 0) {
		evs_x_nomem(b);
	} else if (x.bad && x.bad->a.data[0]) {
		evs_x_fail(b, n->ast, "%s", x.why ? x.why : "this has no value");
	} else {
		c = evs_x_const(b, n->ast, &n->type);
		if (c && evs_array_append_range(&c->value, x.a, 0, 1) < 0)
			c = evs_x_nomem(b);
		if (c)
			c->nullable = evs_x_is_const_null(c);
	}
	if (b->v)
		evs_x_vec_release(b->v, &x);
	return c;
}
