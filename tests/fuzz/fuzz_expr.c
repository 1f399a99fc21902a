/*
 * Fuzz target: the text of an expression. It is parsed, bound to a table with a column of every
 * type, and evaluated on three rows; whatever the text, that ends in a result of three rows or in
 * an error that says where.
 */
#include "tests/unit/expr_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct evs_expr *e = NULL;
	struct evs_array out = { 0 };
	struct evs_diag d = { 0 };
	struct evs_buf text = { 0 };
	int rc;

	if (!ready && !expr_setup())
		abort();
	ready = true;
	rc = evs_expr_parse(&e, (const char *)data, size, 1, 1, &d);
	if (rc == 0)
		rc = evs_expr_bind(e, expr_table, &d);
	if (rc == 0)
		rc = evs_eval_run(expr_eval, e, expr_cols, EXPR_ROWS, &out, &d);
	if (rc == 0) {
		if (out.rows != EXPR_ROWS)
			abort();
		for (uint32_t i = 0; i < out.rows; i++) {
			bool nullable;

			evs_json_put_value(&text, evs_expr_type(e, &nullable), &out, i);
			if (evs_array_is_null(&out, i) && !nullable)
				abort();
		}
	} else if (!d.what[0] || (rc == EVS_E_QUERY && (!d.line || !d.col))) {
		abort();
	}
	evs_buf_release(&text);
	evs_array_release(&out);
	evs_expr_free(e);
	return 0;
}
