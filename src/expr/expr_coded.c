/*
 * Evaluation on codes: a tree that looks at one column only is computed for its distinct values,
 * once for all chunks of a run, and the rows take what their value gave. NULLs and failures are
 * those of the value.
 */
#include "src/expr/expr_node.h"

#include "src/diag.h"

#include <assert.h>
#include <stdlib.h>

/* What a tree gave for each distinct value of its column. */
struct x_done {
	const struct x_node *node;
	struct x_vec x;
};

/* ---- which trees ----------------------------------------------------------------------------- */

#define NO_COLUMN (-2)
#define SEVERAL	  (-1)

/* Also several: another value each time. */
static int32_t mark(struct x_node *n)
{
	int32_t only = n->shape == X_COLUMN ? (int32_t)n->num : NO_COLUMN;

	for (size_t i = 0; i < n->n; i++) {
		int32_t one = mark(n->arg[i]);

		if (only == NO_COLUMN)
			only = one;
		else if (one != NO_COLUMN && one != only)
			only = SEVERAL;
	}
	n->only = n->volatile_rows ? SEVERAL : only;
	return n->only;
}

void evs_x_mark(struct x_node *root)
{
	if (root)
		(void)mark(root);
}

bool evs_expr_by_value(const struct evs_expr *e)
{
	return e->bound && e->bound->only >= 0;
}

/* ---- values ---------------------------------------------------------------------------------- */

static int on_values(struct evs_eval *v, const struct x_node *n, struct x_vec *x)
{
	const struct evs_coded **coded = v->coded;
	struct evs_array view = v->view[n->only];
	uint32_t rows = v->rows;
	int rc;

	v->view[n->only] = coded[n->only]->values;
	v->rows = coded[n->only]->values.rows;
	v->coded = NULL;
	rc = evs_x_eval(v, n, x);
	assert(rc < 0 || x->slot || x->scalar); /* no column by itself, so nothing of the view */
	v->view[n->only] = view;
	v->rows = rows;
	v->coded = coded;
	return rc;
}

static int find_done(struct evs_eval *v, const struct x_node *n, const struct x_vec **out)
{
	struct x_done *grown;
	int rc;

	for (size_t i = 0; i < v->ndone; i++)
		if (v->done[i].node == n) {
			*out = &v->done[i].x;
			return 0;
		}
	grown = realloc(v->done, (v->ndone + 1) * sizeof(*grown));
	if (!grown)
		return EVS_E_NOMEM;
	v->done = grown;
	v->done[v->ndone] = (struct x_done){ .node = n };
	rc = on_values(v, n, &v->done[v->ndone].x);
	*out = &v->done[v->ndone++].x;
	return rc;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static struct x_slot *take(struct evs_eval *v, const struct evs_type *t,
			   const struct evs_array *from, const uint32_t *code, uint32_t rows)
{
	struct x_slot *s = evs_x_slot_get(v, t);

	if (s && evs_array_take(&s->a, from, code, rows) < 0) {
		evs_x_slot_put(v, s);
		return NULL;
	}
	return s;
}

int evs_x_eval_coded(struct evs_eval *v, const struct x_node *n, struct x_vec *out)
{
	static const struct evs_type mark_type = { .id = EVS_T_INT8 };
	static const uint32_t first = 0;
	const struct evs_coded *c = v->coded[n->only];
	const uint32_t *code = c->code + v->from;
	const struct x_vec *x = NULL;
	uint32_t rows = v->rows;

	*out = (struct x_vec){ 0 };
	if (n->shape != X_COLUMN && find_done(v, n, &x) < 0)
		return EVS_E_NOMEM;
	if (x && x->scalar) {
		code = &first;
		rows = 1;
		out->scalar = true;
	}
	out->slot = take(v, &n->type, x ? x->a : &c->values, code, rows);
	if (out->slot && x && x->bad)
		out->bad = take(v, &mark_type, &x->bad->a, code, rows);
	if (!out->slot || (x && x->bad && !out->bad))
		return EVS_E_NOMEM;
	out->a = &out->slot->a;
	out->why = x ? x->why : NULL;
	out->who = x ? x->who : NULL;
	return 0;
}

void evs_x_forget_done(struct evs_eval *v)
{
	for (size_t i = 0; i < v->ndone; i++)
		evs_x_vec_release(v, &v->done[i].x);
	v->ndone = 0;
}
