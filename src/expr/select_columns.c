/*
 * Which columns of its source a query computes with. See select.h.
 */
#include "src/expr/select.h"

#include "src/expr/expr.h"

static void mark(const struct evs_expr *e, bool *used)
{
	const uint16_t *list;
	size_t n = e ? evs_expr_columns(e, &list) : 0;

	for (size_t i = 0; i < n; i++)
		used[list[i]] = true;
}

void evs_select_columns(const struct evs_select_plan *p, bool *used)
{
	for (size_t k = 0; k < p->nkey; k++)
		mark(p->key[k], used);
	for (size_t j = 0; j < p->nagg; j++) {
		for (size_t i = 0; i < p->agg[j].narg; i++)
			mark(p->agg[j].arg[i], used);
		mark(p->agg[j].filter, used);
	}
	for (size_t i = 0; i < p->ncol && !p->grouped; i++)
		mark(p->col[i].expr, used);
}
