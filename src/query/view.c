/*
 * Materialized views as states. See view.h.
 */
#include "src/query/view.h"

#include "format/bytes.h"
#include "src/query/agg.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

bool evs_view_keeps(const struct evs_select_plan *p)
{
	return evs_view_answers(p) && !p->distinct && !p->nby && p->limit == EVS_NO_LIMIT &&
	       !p->offset;
}

bool evs_view_answers(const struct evs_select_plan *p)
{
	bool keeps = p->grouped && (!p->where || evs_expr_repeats(p->where));

	for (size_t k = 0; k < p->nkey && keeps; k++)
		keeps = evs_expr_repeats(p->key[k]);
	for (size_t j = 0; j < p->nagg && keeps; j++) {
		const struct evs_agg_call *c = &p->agg[j];

		keeps = c->fn != EVS_AGG_UNIQ_EXACT && (!c->filter || evs_expr_repeats(c->filter));
		for (size_t i = 0; i < c->narg && keeps; i++)
			keeps = evs_expr_repeats(c->arg[i]);
	}
	return keeps;
}

static void put_type(struct evs_buf *b, const struct evs_type *t, bool nullable)
{
	char text[4096];
	size_t n = evs_type_print(t, nullable, text, sizeof(text));

	evs_buf_put(b, text, n < sizeof(text) ? n + 1 : sizeof(text));
}

int evs_view_id(uint8_t id[EVS_VIEW_ID], const char *select_text, const struct evs_select_plan *p)
{
	struct evs_buf b = { 0 };
	int rc = 0;

	evs_buf_put(&b, "evseg view 1", 13);
	evs_buf_put(&b, select_text, strlen(select_text) + 1);
	for (size_t k = 0; k < p->nkey; k++) {
		bool nullable = false;
		const struct evs_type *t = evs_expr_type(p->key[k], &nullable);

		put_type(&b, t, nullable);
	}
	for (size_t j = 0; j < p->nagg && rc == 0; j++) {
		struct evs_agg *a = NULL;

		rc = evs_agg_new(&a, &p->agg[j]);
		for (unsigned c = 0; rc == 0 && c < evs_agg_columns(a); c++)
			put_type(&b, evs_agg_column_type(a, c), false);
		evs_agg_free(a);
	}
	if (rc == 0 && !evs_buf_ok(&b))
		rc = EVS_E_NOMEM;
	if (rc == 0)
		crypto_generichash(id, EVS_VIEW_ID, b.p, b.len, NULL, 0);
	evs_buf_release(&b);
	return rc;
}

int evs_view_columns(const struct evs_select_plan *p, struct evs_array **out, size_t *n)
{
	struct evs_array *cols = calloc(p->nkey + p->nagg * EVS_AGG_MAX_COLUMNS + 1, sizeof(*cols));
	int rc = cols ? 0 : EVS_E_NOMEM;

	*n = 0;
	for (size_t k = 0; k < p->nkey && rc == 0; k++)
		rc = evs_type_array(evs_expr_type(p->key[k], NULL), &cols[(*n)++]);
	for (size_t j = 0; j < p->nagg && rc == 0; j++) {
		struct evs_agg *a = NULL;

		rc = evs_agg_new(&a, &p->agg[j]);
		for (unsigned c = 0; rc == 0 && c < evs_agg_columns(a); c++)
			rc = evs_agg_column(a, c, &cols[(*n)++]);
		evs_agg_free(a);
	}
	if (rc == 0) {
		*out = cols;
		return 0;
	}
	for (size_t i = 0; cols && i < *n; i++)
		evs_array_release(&cols[i]);
	free(cols);
	return rc;
}
