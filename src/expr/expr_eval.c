/*
 * Evaluation: chunk by chunk, node by node. What every function has in common is done here:
 * results come from a pool of buffers, rows with null arguments are null, an argument that is the
 * same in all rows is computed once, and marks of failed rows go up the tree.
 */
#include "src/expr/expr_node.h"

#include "src/diag.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FEW_ARGS 8

struct x_slot *evs_x_slot_get(struct evs_eval *v, const struct evs_type *t)
{
	struct x_slot *s = v->free;
	struct evs_array shape;

	if (s)
		v->free = s->next;
	else
		s = calloc(1, sizeof(*s));
	if (!s || evs_type_array(t, &shape) < 0)
		goto failed;
	if (shape.nchild || s->a.nchild) {
		evs_array_release(&s->a);
		s->a = shape;
		return s;
	}
	evs_array_reset(&s->a); /* keeps the memory; leaf shapes differ in three fields only */
	s->a.phys = shape.phys;
	s->a.width = shape.width;
	s->a.is_signed = shape.is_signed;
	return s;
failed:
	evs_x_slot_put(v, s);
	return NULL;
}

void evs_x_slot_put(struct evs_eval *v, struct x_slot *s)
{
	if (!s)
		return;
	s->next = v->free;
	v->free = s;
}

void evs_x_vec_release(struct evs_eval *v, struct x_vec *x)
{
	evs_x_slot_put(v, x->slot);
	evs_x_slot_put(v, x->bad);
	*x = (struct x_vec){ 0 };
}

bool evs_x_is_fixed(const struct evs_array *a)
{
	return a->phys == EVS_INT || a->phys == EVS_FLOAT || a->phys == EVS_FIXED;
}

int evs_x_slot_rows(struct x_slot *s, uint32_t rows)
{
	int rc = evs_array_reserve(&s->a, rows, 0);

	if (rc == 0)
		s->a.rows = rows;
	return rc;
}

int evs_x_slot_valid(struct x_slot *s)
{
	struct evs_array *a = &s->a;
	size_t n = ((size_t)a->rows + 7) / 8;

	if (a->valid)
		return 0;
	a->valid = malloc(n ? n : 1);
	if (!a->valid)
		return EVS_E_NOMEM;
	a->valid_cap = n ? n : 1;
	memset(a->valid, 0xff, n);
	if (a->rows & 7)
		a->valid[n - 1] = (uint8_t)((1u << (a->rows & 7)) - 1);
	return 0;
}

int evs_x_null(struct x_vec *out, uint32_t i)
{
	if (evs_x_slot_valid(out->slot) < 0)
		return EVS_E_NOMEM;
	out->slot->a.valid[i >> 3] &= (uint8_t) ~(1u << (i & 7));
	return 0;
}

static int need_bad(struct evs_eval *v, struct x_vec *out, uint32_t rows)
{
	static const struct evs_type mark = { .id = EVS_T_INT8 };

	if (out->bad)
		return 0;
	out->bad = evs_x_slot_get(v, &mark);
	if (!out->bad || evs_x_slot_rows(out->bad, rows) < 0)
		return EVS_E_NOMEM;
	memset(out->bad->a.data, 0, rows);
	return 0;
}

int evs_x_bad(struct evs_eval *v, const struct x_args *in, struct x_vec *out, uint32_t i,
	      const char *why)
{
	if (need_bad(v, out, in->rows) < 0)
		return EVS_E_NOMEM;
	out->bad->a.data[i] = 1;
	if (!out->why) {
		out->why = why;
		out->who = in->node->ast;
	}
	return evs_x_is_fixed(&out->slot->a) ? evs_x_null(out, i) : 0;
}

int evs_x_append_bad(struct evs_eval *v, const struct x_args *in, struct x_vec *out, uint32_t i,
		     const char *why)
{
	int rc = evs_x_bad(v, in, out, i, why);

	return rc < 0 ? rc : evs_array_append_null(&out->slot->a);
}

int evs_x_spread_bad(struct evs_eval *v, const struct x_vec *from, struct x_vec *out, uint32_t rows)
{
	if (!from->bad)
		return 0;
	if (need_bad(v, out, rows) < 0)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < rows; i++)
		out->bad->a.data[i] |= from->bad->a.data[evs_x_at(from, i)];
	if (!out->why) {
		out->why = from->why;
		out->who = from->who;
	}
	return 0;
}

int evs_x_vec_open(struct evs_eval *v, struct x_vec *out, const struct evs_type *t, uint32_t rows,
		   bool scalar)
{
	*out = (struct x_vec){ .scalar = scalar };
	out->slot = evs_x_slot_get(v, t);
	if (!out->slot)
		return EVS_E_NOMEM;
	out->a = &out->slot->a;
	return evs_x_is_fixed(out->a) ? evs_x_slot_rows(out->slot, rows)
				      : evs_array_reserve(&out->slot->a, rows, 0);
}

/* Nulls of the arguments into a result of fixed width. */
static int take_nulls(const struct x_args *in, struct x_vec *out)
{
	for (size_t k = 0; k < in->n; k++) {
		const uint8_t *from = in->arg[k].a->valid;

		if (!from || in->arg[k].scalar)
			continue;
		if (evs_x_slot_valid(out->slot) < 0)
			return EVS_E_NOMEM;
		for (size_t i = 0; i < ((size_t)in->rows + 7) / 8; i++)
			out->slot->a.valid[i] &= from[i];
	}
	return 0;
}

static bool null_scalar(const struct x_args *in)
{
	for (size_t k = 0; k < in->n; k++)
		if (in->arg[k].scalar && evs_array_is_null(in->arg[k].a, 0))
			return true;
	return false;
}

static int call(struct evs_eval *v, const struct x_args *in, struct x_vec *out, bool scalar)
{
	const struct x_node *n = in->node;
	int rc = evs_x_vec_open(v, out, &n->type, in->rows, scalar);

	if (rc == 0 && evs_x_is_fixed(out->a) && !n->sees_nulls)
		rc = take_nulls(in, out);
	if (rc == 0)
		rc = n->eval(v, in, out);
	for (size_t k = 0; rc == 0 && k < in->n; k++)
		rc = evs_x_spread_bad(v, &in->arg[k], out, in->rows);
	return rc;
}

/* Call the function; its arguments are computed. */
static int apply(struct evs_eval *v, struct x_args *in, struct x_vec *out)
{
	const struct x_node *n = in->node;
	bool scalar = !n->volatile_rows;
	int rc;

	for (size_t k = 0; k < in->n; k++)
		scalar = scalar && in->arg[k].scalar;
	in->rows = scalar ? 1 : v->rows;
	if (!n->sees_nulls && null_scalar(in)) {
		rc = evs_x_vec_open(v, out, &n->type, 0, true);
		if (rc == 0)
			rc = evs_array_append_null(&out->slot->a);
		for (size_t k = 0; rc == 0 && k < in->n; k++)
			if (in->arg[k].scalar)
				rc = evs_x_spread_bad(v, &in->arg[k], out, 1);
		return rc;
	}
	return call(v, in, out, scalar);
}

int evs_x_apply(struct evs_eval *v, const struct x_node *n, const struct x_vec *arg, uint32_t rows,
		struct x_vec *out)
{
	struct x_args in = { .node = n, .arg = arg, .n = n->n, .rows = rows };

	return call(v, &in, out, false);
}

static int eval_fn(struct evs_eval *v, const struct x_node *n, struct x_vec *out)
{
	struct x_vec few[FEW_ARGS] = { 0 }, *arg = few;
	struct x_args in = { .node = n, .n = n->n };
	int rc = 0;

	if (n->n > FEW_ARGS) {
		arg = calloc(n->n, sizeof(*arg));
		if (!arg)
			return EVS_E_NOMEM;
	}
	in.arg = arg;
	for (size_t k = 0; rc == 0 && k < n->n; k++)
		rc = evs_x_eval(v, n->arg[k], &arg[k]);
	if (rc == 0)
		rc = apply(v, &in, out);
	for (size_t k = 0; k < n->n; k++)
		evs_x_vec_release(v, &arg[k]);
	if (arg != few)
		free(arg);
	return rc;
}

int evs_x_eval(struct evs_eval *v, const struct x_node *n, struct x_vec *out)
{
	*out = (struct x_vec){ 0 };
	if (v->over && evs_x_eval_over(v, n, out))
		return 0;
	if (v->coded && n->only >= 0 && v->coded[n->only])
		return evs_x_eval_coded(v, n, out);
	switch (n->shape) {
	case X_CONST:
		out->a = &n->value;
		out->scalar = true;
		return 0;
	case X_COLUMN:
		out->a = &v->view[n->num];
		return 0;
	case X_ALL_OF:
	case X_ANY_OF:
		return evs_x_eval_logic(v, n, out);
	case X_CHOOSE:
	case X_FIRST:
		return evs_x_eval_choice(v, n, out);
	default:
		return eval_fn(v, n, out);
	}
}

int evs_eval_new(struct evs_eval **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : EVS_E_NOMEM;
}

void evs_eval_free(struct evs_eval *v)
{
	if (!v)
		return;
	while (v->free) {
		struct x_slot *next = v->free->next;

		evs_array_release(&v->free->a);
		free(v->free);
		v->free = next;
	}
	evs_buf_release(&v->text);
	free(v->places);
	free(v->done);
	free(v->view);
	free(v);
}

void evs_eval_set_now(struct evs_eval *v, int64_t ns)
{
	v->now = ns;
	v->now_set = true;
}

/* The slots of null rows become zero, as array.h promises. */
static void clear_nulls(struct evs_array *a, uint32_t rows)
{
	for (uint32_t i = 0; i < rows; i++) {
		uint8_t eight = a->valid[i / 8];

		if (i % 8 == 0 && rows - i >= 8 && (!eight || eight == 0xff)) {
			if (!eight)
				memset(a->data + (size_t)i * a->width, 0, 8u * a->width);
			i += 7;
		} else if (evs_array_is_null(a, i)) {
			memset(a->data + (size_t)i * a->width, 0, a->width);
		}
	}
}

int evs_x_take_result(const struct x_vec *x, uint32_t rows, struct evs_array *out)
{
	static const uint32_t first[X_CHUNK]; /* row 0, again and again */

	if (x->slot && x->a->valid && evs_x_is_fixed(x->a))
		clear_nulls(&x->slot->a, x->scalar ? 1 : rows);
	if (x->scalar)
		return evs_array_take(out, x->a, first, rows);
	return evs_array_append_range(out, x->a, 0, rows);
}

/* Say why `row` failed: a chunk keeps one reason only, so the row is computed again by itself. */
static int fail_row(struct evs_eval *v, const struct evs_expr *e, const struct evs_array *cols,
		    uint32_t row, struct evs_diag *diag)
{
	struct evs_array *one = calloc(e->nused ? e->nused : 1, sizeof(*one));
	const struct evs_coded **coded = v->coded;
	struct x_vec x = { 0 };
	int rc = one ? 0 : EVS_E_NOMEM;

	for (size_t i = 0; rc == 0 && i < e->nused; i++) {
		const struct evs_coded *c = coded ? coded[i] : NULL;
		const struct evs_array *a = c ? &c->values : &cols[e->used[i]];

		rc = evs_array_init_like(&one[i], a);
		if (rc == 0)
			rc = evs_array_append_range(&one[i], a, c ? c->code[row] : row, 1);
		v->view[i] = one[i];
	}
	v->rows = 1;
	v->coded = NULL;
	if (rc == 0)
		rc = evs_x_eval(v, e->bound, &x);
	if (rc == 0) {
		const struct x_ast *who = x.who ? x.who : e->root;

		rc = evs_fail_at(diag, EVS_E_DATA, who->line, who->col, "%s",
				 x.why ? x.why : "no value");
		evs_fail_word(diag, who->word, who->word_len);
		if (diag) {
			diag->has_off = true;
			diag->off = row;
		}
	} else {
		rc = evs_fail_nomem(diag);
	}
	v->coded = coded;
	evs_x_vec_release(v, &x);
	for (size_t i = 0; one && i < e->nused; i++)
		evs_array_release(&one[i]);
	free(one);
	return rc;
}

static int run_chunk(struct evs_eval *v, const struct evs_expr *e, const struct evs_array *cols,
		     uint32_t from, uint32_t n, struct evs_array *out, struct evs_diag *diag)
{
	struct x_vec x = { 0 };
	int rc;

	v->rows = n;
	v->from = from;
	for (size_t i = 0; i < e->nused; i++)
		if (!v->coded || !v->coded[i])
			v->view[i] = evs_array_view(&cols[e->used[i]], from, n);
	rc = evs_x_eval(v, e->bound, &x);
	if (rc == 0 && x.bad) {
		for (uint32_t i = 0; i < n; i++) {
			if (x.bad->a.data[evs_x_at(&x, i)]) {
				rc = fail_row(v, e, cols, from + i, diag);
				break;
			}
		}
	} else if (rc < 0) {
		evs_fail_nomem(diag);
	}
	if (rc == 0 && evs_x_take_result(&x, n, out) < 0)
		rc = evs_fail_nomem(diag);
	evs_x_vec_release(v, &x);
	return rc;
}

/* The clock, where nobody has pinned it. */
static int64_t clock_ns(void)
{
	struct timespec t = { 0 };

	timespec_get(&t, TIME_UTC);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int evs_x_eval_start(struct evs_eval *v, const struct evs_expr *e)
{
	if (!v->now_set)
		v->now = clock_ns();
	if (v->view_cap < e->nused) {
		struct evs_array *view = realloc(v->view, e->nused * sizeof(*view));

		if (!view)
			return EVS_E_NOMEM;
		v->view = view;
		v->view_cap = e->nused;
	}
	return 0;
}

int evs_eval_run(struct evs_eval *v, const struct evs_expr *e, const struct evs_array *cols,
		 uint32_t rows, struct evs_array *out, struct evs_diag *diag)
{
	return evs_eval_run_coded(v, e, cols, NULL, rows, out, diag);
}

/* Which of the columns used have codes. */
static int note_coded(struct evs_eval *v, const struct evs_expr *e,
		      const struct evs_coded *const *coded)
{
	const struct evs_coded **grown;

	v->coded = NULL;
	if (!coded || !e->nused)
		return 0;
	if (v->places_cap < e->nused) {
		grown = realloc(v->places, e->nused * sizeof(*grown));
		if (!grown)
			return EVS_E_NOMEM;
		v->places = grown;
		v->places_cap = e->nused;
	}
	for (size_t i = 0; i < e->nused; i++) {
		v->places[i] = coded[e->used[i]];
		if (v->places[i])
			v->coded = v->places;
	}
	return 0;
}

int evs_eval_run_coded(struct evs_eval *v, const struct evs_expr *e, const struct evs_array *cols,
		       const struct evs_coded *const *coded, uint32_t rows, struct evs_array *out,
		       struct evs_diag *diag)
{
	int rc = 0;

	*out = (struct evs_array){ 0 };
	if (!e->bound)
		return evs_fail(diag, EVS_E_USAGE, "the expression is not bound to a table");
	if (evs_x_eval_start(v, e) < 0 || note_coded(v, e, coded) < 0)
		return evs_fail_nomem(diag);
	if (evs_type_array(&e->bound->type, out) < 0)
		return evs_fail_nomem(diag);
	if (e->bound->shape == X_COLUMN && !v->coded) {
		if (evs_array_append_range(out, &cols[e->bound->ordinal], 0, rows) < 0)
			rc = evs_fail_nomem(diag);
	} else if (evs_array_reserve(out, rows, 0) < 0) {
		rc = evs_fail_nomem(diag);
	} else {
		for (uint32_t at = 0; rc == 0 && at < rows; at += X_CHUNK)
			rc = run_chunk(v, e, cols, at, rows - at < X_CHUNK ? rows - at : X_CHUNK,
				       out, diag);
	}
	evs_x_forget_done(v);
	v->coded = NULL;
	if (rc < 0)
		evs_array_release(out);
	return rc;
}
