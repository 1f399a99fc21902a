/*
 * Fuzz target: the text of a query. It is parsed, bound to a table with a column of every type, and
 * what it asks for is computed from three rows, groups and all; whatever the text, that ends in an
 * answer or in an error that says where.
 *
 * A first byte of 0 to 4 takes the text for one part of a query (-g, -a, -w, --having, --sort).
 */
#include "tests/unit/expr_rows.h"

#include "src/query/grouping.h"
#include "src/query/order.h"
#include "src/query/query.h"

#define MOST 64 /* arguments, keys, aggregates: more are parsed and bound only */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int parse(struct evs_select **s, const uint8_t *data, size_t size, struct evs_diag *d)
{
	struct evs_select_parts parts = { 0 };
	const char **part[] = { &parts.group, &parts.aggs, &parts.where, &parts.having,
				&parts.sort };
	char *text;
	int rc;

	if (!size || data[0] > 4)
		return evs_select_parse(s, (const char *)data, size, d);
	text = calloc(size, 1); /* ends with a zero byte */
	if (!text)
		abort();
	memcpy(text, data + 1, size - 1);
	*part[data[0]] = text;
	rc = evs_select_parse_parts(s, &parts, d);
	free(text);
	return rc;
}

/* Values of one expression, in `v`. */
static int compute(const struct evs_expr *e, const struct evs_array *cols, uint32_t rows,
		   struct query_value *v, struct evs_diag *d)
{
	return evs_query_eval(expr_eval, e, cols, NULL, rows, v, d);
}

static int feed(const struct evs_select_plan *p, struct evs_grouping *g, struct query_value *v,
		struct evs_diag *d)
{
	const struct evs_array *list[MOST];
	struct evs_grouping_input in[MOST] = { 0 };
	size_t n = 0;
	int rc = 0;

	for (size_t k = 0; k < p->nkey && rc == 0; k++, n++) {
		rc = compute(p->key[k], expr_cols, EXPR_ROWS, &v[n], d);
		list[n] = v[n].a;
	}
	for (size_t j = 0; j < p->nagg && rc == 0; j++) {
		in[j].arg = &list[n];
		for (size_t i = 0; i < p->agg[j].narg && rc == 0; i++, n++) {
			rc = compute(p->agg[j].arg[i], expr_cols, EXPR_ROWS, &v[n], d);
			list[n] = v[n].a;
		}
		if (p->agg[j].filter && rc == 0) {
			rc = compute(p->agg[j].filter, expr_cols, EXPR_ROWS, &v[n], d);
			in[j].keep = list[n] = v[n].a;
			n++;
		}
	}
	return rc < 0 ? rc : evs_grouping_add(g, list, NULL, in, EXPR_ROWS, d);
}

/* The items and what follows, from arrays of plan->table. */
static int late(const struct evs_select_plan *p, const struct evs_array *cols, uint32_t rows,
		struct evs_diag *d)
{
	struct query_value v = { 0 };
	int rc = 0;

	for (size_t i = 0; i < p->ncol && rc == 0; i++) {
		struct evs_buf text = { 0 };
		bool nullable;
		const struct evs_type *t = evs_expr_type(p->col[i].expr, &nullable);

		rc = compute(p->col[i].expr, cols, rows, &v, d);
		if (rc == 0 && v.a->rows != rows)
			abort();
		for (uint32_t r = 0; rc == 0 && r < rows; r++) {
			evs_json_put_value(&text, t, v.a, r);
			if (evs_array_is_null(v.a, r) && !nullable)
				abort();
		}
		evs_buf_release(&text);
	}
	if (rc == 0 && p->having)
		rc = compute(p->having, cols, rows, &v, d);
	evs_array_release(&v.own);
	return rc;
}

static int group(const struct evs_select_plan *p, struct evs_diag *d)
{
	struct evs_groups_key key[MOST] = { 0 };
	struct evs_grouping_spec spec = { key, p->nkey, p->agg, p->nagg, (size_t)64 << 20 };
	struct query_value v[MOST] = { 0 };
	struct evs_grouping *g = NULL;
	struct evs_array *cols;
	uint32_t rows;
	int rc;

	for (size_t k = 0; k < p->nkey; k++)
		key[k].type = evs_expr_type(p->key[k], &key[k].nullable);
	rc = evs_grouping_new(&g, &spec);
	if (rc == 0)
		rc = feed(p, g, v, d);
	while (rc == 0 && (rc = evs_grouping_next(g, &cols, &rows, d)) == 1)
		rc = late(p, cols, rows, d);
	for (size_t i = 0; i < MOST; i++)
		evs_array_release(&v[i].own);
	evs_grouping_free(g);
	return rc;
}

static int answer(const struct evs_select_plan *p, struct evs_diag *d)
{
	struct query_value v = { 0 };
	size_t n = p->nkey;
	int rc = 0;

	if (p->where)
		rc = compute(p->where, expr_cols, EXPR_ROWS, &v, d);
	evs_array_release(&v.own);
	for (size_t j = 0; j < p->nagg; j++)
		n += p->agg[j].narg + 1;
	if (rc < 0 || n > MOST || p->ncol > MOST)
		return rc;
	return p->grouped ? group(p, d) : late(p, expr_cols, EXPR_ROWS, d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct evs_select *s = NULL;
	struct evs_diag d = { 0 };
	int rc;

	if (!ready && !expr_setup())
		abort();
	ready = true;
	rc = parse(&s, data, size, &d);
	if (rc == 0)
		rc = evs_select_bind(s, expr_table, &d);
	if (rc == 0)
		rc = answer(evs_select_plan(s), &d);
	if (rc < 0 && (!d.what[0] || (rc == EVS_E_QUERY && (!d.line || !d.col))))
		abort();
	evs_select_free(s);
	return 0;
}
