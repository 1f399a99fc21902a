/*
 * Evaluation over values of other expressions: a condition that is made of the keys of a group is
 * asked of the keys, as a rollup has them, where the columns themselves are no longer there.
 */
#include "src/expr/expr_node.h"

#include "src/diag.h"

#include <stdlib.h>

/* Number of the key that the tree is, or -1. */
static int key_of(const struct x_node *n, const struct evs_expr *const *key, size_t nkeys)
{
	for (size_t k = 0; k < nkeys && n->shape != X_CONST; k++)
		if (evs_x_same(n, key[k]->bound))
			return (int)k;
	return -1;
}

static bool made_of(const struct x_node *n, const struct evs_expr *const *key, size_t nkeys)
{
	if (key_of(n, key, nkeys) >= 0)
		return true;
	if (n->shape == X_COLUMN || n->volatile_rows)
		return false;
	for (size_t i = 0; i < n->n; i++)
		if (!made_of(n->arg[i], key, nkeys))
			return false;
	return true;
}

bool evs_expr_made_of(const struct evs_expr *e, const struct evs_expr *const *key, size_t nkeys)
{
	return e->bound && made_of(e->bound, key, nkeys);
}

bool evs_x_eval_over(struct evs_eval *v, const struct x_node *n, struct x_vec *out)
{
	int k = key_of(n, v->over, v->nover);

	if (k >= 0)
		out->a = &v->over_view[k];
	return k >= 0;
}

static int run_chunk(struct evs_eval *v, const struct evs_expr *e, const struct evs_array *cols,
		     uint32_t from, uint32_t rows, struct evs_array *out)
{
	struct x_vec x = { 0 };
	int rc;

	v->rows = rows;
	for (size_t k = 0; k < v->nover; k++)
		v->over_view[k] = evs_array_view(&cols[k], from, rows);
	rc = evs_x_eval(v, e->bound, &x);
	for (uint32_t i = 0; rc == 0 && x.bad && i < rows; i++)
		if (x.bad->a.data[evs_x_at(&x, i)])
			rc = EVS_E_DATA;
	if (rc == 0)
		rc = evs_x_take_result(&x, rows, out);
	evs_x_vec_release(v, &x);
	return rc;
}

int evs_eval_run_over(struct evs_eval *v, const struct evs_expr *e,
		      const struct evs_expr *const *key, size_t nkeys, const struct evs_array *cols,
		      uint32_t rows, struct evs_array *out)
{
	int rc = evs_x_eval_start(v, e) < 0 ? EVS_E_NOMEM : evs_type_array(&e->bound->type, out);

	v->over = key;
	v->nover = nkeys;
	v->over_view = calloc(nkeys + 1, sizeof(*v->over_view));
	if (rc < 0 || !v->over_view)
		rc = EVS_E_NOMEM;
	for (uint32_t at = 0; rc == 0 && at < rows; at += X_CHUNK)
		rc = run_chunk(v, e, cols, at, rows - at < X_CHUNK ? rows - at : X_CHUNK, out);
	free(v->over_view);
	v->over_view = NULL;
	v->over = NULL;
	v->nover = 0;
	if (rc < 0)
		evs_array_release(out);
	return rc;
}
