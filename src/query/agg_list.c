/*
 * Aggregates that collect: groupArray and array_agg, string_agg. Elements of the former are kept as
 * row_bytes.h writes them, one after the other.
 */
#include "src/query/agg_state.h"
#include "src/query/row_bytes.h"

#include <stdlib.h>

struct list {
	struct evs_buf bytes;
	uint32_t n;
};

static int bytes_ok(struct evs_agg *a, struct list *l, size_t cap)
{
	a->heap += l->bytes.cap - cap;
	return evs_buf_ok(&l->bytes) && l->bytes.len <= EVS_ARRAY_MAX_BYTES ? 0 : EVS_E_NOMEM;
}

static int list_save_bytes(const struct list *l, struct evs_array *col)
{
	return evs_array_append_bytes(col, l->bytes.p ? (const void *)l->bytes.p : "",
				      l->bytes.len);
}

static void list_drop(struct evs_agg *a, void *state)
{
	(void)a;
	evs_buf_release(&((struct list *)state)->bytes);
}

/* ---- arrays ---------------------------------------------------------------------------------- */

static unsigned array_columns(struct evs_agg *a, struct evs_type *type)
{
	type[0] = a->call->type;
	return 1;
}

static uint32_t most(const struct evs_agg *a)
{
	return a->call->nparam && a->call->param[0] < UINT32_MAX ? (uint32_t)a->call->param[0]
								 : UINT32_MAX;
}

static int add_element(struct evs_agg *a, struct list *l, const struct evs_array *from,
		       uint32_t row)
{
	size_t cap = l->bytes.cap;

	if (l->n >= most(a) || (!a->call->keep_nulls && evs_array_is_null(from, row)))
		return 0;
	evs_row_put(&l->bytes, from, row);
	l->n++;
	return bytes_ok(a, l, cap);
}

static int array_update(struct evs_agg *a, const struct agg_rows *r)
{
	struct list *l = agg_at(a, 0);

	for (uint32_t k = 0; k < r->n; k++) {
		uint32_t i = agg_row(r, k);

		if (add_element(a, &l[agg_gid(r, i)], r->arg[0], i) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static int array_put(const struct list *l, struct evs_array *out)
{
	struct evs_cur c = { l->bytes.p, l->n ? l->bytes.p + l->bytes.len : NULL };

	for (uint32_t i = 0; i < l->n; i++)
		if (evs_row_get(&c, &out->child[0]) < 0)
			return EVS_E_NOMEM;
	return evs_array_close_row(out);
}

static int array_save(const struct evs_agg *a, const void *state, struct evs_array *cols)
{
	(void)a;
	return array_put(state, &cols[0]);
}

static int array_merge(struct evs_agg *a, void *state, const struct evs_array *cols, uint32_t row)
{
	for (int32_t i = cols[0].offs[row]; i < cols[0].offs[row + 1]; i++)
		if (add_element(a, state, &cols[0].child[0], (uint32_t)i) < 0)
			return EVS_E_NOMEM;
	return 0;
}

static int array_finish(const struct evs_agg *a, const void *state, struct evs_array *out,
			const char **why)
{
	const struct list *l = state;

	(void)why;
	if (!l->n && a->call->keep_nulls) /* array_agg of no rows */
		return evs_array_append_null(out);
	return array_put(l, out);
}

const struct agg_ops evs_agg_array = {
	.size = sizeof(struct list),
	.sees_nulls = true,
	.columns = array_columns,
	.update = array_update,
	.save = array_save,
	.merge = array_merge,
	.finish = array_finish,
	.drop = list_drop,
};

/* ---- text ------------------------------------------------------------------------------------ */

static unsigned text_columns(struct evs_agg *a, struct evs_type *type)
{
	(void)a;
	type[0] = (struct evs_type){ .id = EVS_T_STRING };
	return 1;
}

static int add_text(struct evs_agg *a, struct list *l, const struct evs_array *from, uint32_t row)
{
	size_t n, cap = l->bytes.cap;
	const uint8_t *p = evs_array_bytes(from, row, &n);

	if (l->n++)
		evs_buf_put(&l->bytes, a->call->text, a->call->text_len);
	evs_buf_put(&l->bytes, p, n);
	return bytes_ok(a, l, cap);
}

static int text_update(struct evs_agg *a, const struct agg_rows *r)
{
	struct list *l = agg_at(a, 0);

	for (uint32_t k = 0; k < r->n; k++) {
		uint32_t i = agg_row(r, k);

		if (add_text(a, &l[agg_gid(r, i)], r->arg[0], i) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static int text_put(const struct list *l, struct evs_array *out)
{
	return l->n ? list_save_bytes(l, out) : evs_array_append_null(out);
}

static int text_save(const struct evs_agg *a, const void *state, struct evs_array *cols)
{
	(void)a;
	return text_put(state, &cols[0]);
}

static int text_merge(struct evs_agg *a, void *state, const struct evs_array *cols, uint32_t row)
{
	return evs_array_is_null(&cols[0], row) ? 0 : add_text(a, state, &cols[0], row);
}

static int text_finish(const struct evs_agg *a, const void *state, struct evs_array *out,
		       const char **why)
{
	(void)a;
	(void)why;
	return text_put(state, out);
}

const struct agg_ops evs_agg_text = {
	.size = sizeof(struct list),
	.columns = text_columns,
	.update = text_update,
	.save = text_save,
	.merge = text_merge,
	.finish = text_finish,
	.drop = list_drop,
};
