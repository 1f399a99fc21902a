/*
 * AND and OR in three-valued logic, and the choices CASE and coalesce.
 *
 * Both need to know failed rows: `false AND failed` is false, and a branch that is not taken does
 * not count. AND and OR code each value as a byte whose order makes them a minimum:
 *
 *   AND  0 false  1 failed  2 null  3 true
 *   OR   0 true   1 failed  2 null  3 false
 */
#include "src/expr/expr_node.h"

#include <stdlib.h>
#include <string.h>

#define FAILED	1
#define UNKNOWN 2

/* Codes of a Bool vector, at most those there already. `t`, `f`: codes of true and false. */
static void lower_codes(uint8_t *code, const struct x_vec *x, uint32_t rows, uint8_t t, uint8_t f)
{
	const uint8_t *data = x->a->data, *valid = x->a->valid,
		      *bad = x->bad ? x->bad->a.data : NULL;
	uint32_t step = x->scalar ? 0 : 1;

	if (!valid && !bad) {
		for (uint32_t i = 0; i < rows; i++) {
			uint8_t c = data[i * step] ? t : f;

			code[i] = c < code[i] ? c : code[i];
		}
		return;
	}
	for (uint32_t i = 0; i < rows; i++) {
		uint32_t k = i * step;
		uint8_t c = data[k] ? t : f;

		if (valid && !(valid[k >> 3] >> (k & 7) & 1))
			c = UNKNOWN;
		if (bad && bad[k])
			c = FAILED;
		code[i] = c < code[i] ? c : code[i];
	}
}

static bool all_zero(const uint8_t *code, uint32_t rows)
{
	uint8_t any = 0;

	for (uint32_t i = 0; i < rows; i++)
		any |= code[i];
	return !any;
}

/* Codes back to a Bool vector. */
static int from_codes(struct evs_eval *v, const struct x_args *in, struct x_vec *out,
		      const uint8_t *code, uint8_t t)
{
	uint8_t *data = evs_x_data(out);
	bool special = false;

	for (uint32_t i = 0; i < in->rows; i++) {
		data[i] = code[i] == t;
		special |= code[i] == FAILED || code[i] == UNKNOWN;
	}
	for (uint32_t i = 0; special && i < in->rows; i++) {
		if (code[i] == UNKNOWN && evs_x_null(out, i) < 0)
			return EVS_E_NOMEM;
		if (code[i] == FAILED && evs_x_bad(v, in, out, i, out->why) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

int evs_x_eval_logic(struct evs_eval *v, const struct x_node *n, struct x_vec *out)
{
	static const struct evs_type byte = { .id = EVS_T_UINT8 };
	bool all = n->shape == X_ALL_OF;
	uint8_t t = all ? 3 : 0, f = all ? 0 : 3;
	struct x_args in = { .node = n, .rows = v->rows };
	struct x_slot *code = evs_x_slot_get(v, &byte);
	struct x_vec x = { 0 };
	const char *why = NULL;
	const struct x_ast *who = NULL;
	int rc = code ? evs_x_slot_rows(code, v->rows) : EVS_E_NOMEM;

	if (rc == 0)
		memset(code->a.data, 3, v->rows);
	for (size_t k = 0; rc == 0 && k < n->n; k++) {
		rc = evs_x_eval(v, n->arg[k], &x);
		if (rc == 0)
			lower_codes(code->a.data, &x, v->rows, t, f);
		if (x.why && !why) {
			why = x.why;
			who = x.who;
		}
		evs_x_vec_release(v, &x);
		if (rc == 0 && all_zero(code->a.data, v->rows))
			break; /* decided in all rows */
	}
	if (rc == 0)
		rc = evs_x_vec_open(v, out, &n->type, v->rows, false);
	if (rc == 0) {
		out->why = why;
		out->who = who;
		rc = from_codes(v, &in, out, code->a.data, t);
	}
	evs_x_slot_put(v, code);
	return rc;
}

/* ---- choices
 * -------------------------------------------------------------------------------------- */

#define UNDECIDED 0xffffu
#define BROKEN	  0xfffeu /* the condition failed */

/* What a choice is made of: values[k] where pick[row] == k; null where it is UNDECIDED. */
struct choice {
	struct x_vec *values;
	size_t n;
	uint16_t *pick;
	const char *why;
	const struct x_ast *who;
};

static int gather_fixed(struct evs_eval *v, const struct x_args *in, struct choice *c,
			struct x_vec *out)
{
	size_t w = out->a->width;
	uint8_t *dst = evs_x_data(out);

	for (uint32_t i = 0; i < in->rows; i++) {
		const struct x_vec *x = c->pick[i] < c->n ? &c->values[c->pick[i]] : NULL;
		uint32_t k = x ? evs_x_at(x, i) : 0;
		int rc = 0;

		if (c->pick[i] == BROKEN)
			rc = evs_x_bad(v, in, out, i, c->why);
		else if (x && x->bad && x->bad->a.data[k])
			rc = evs_x_bad(v, in, out, i, x->why);
		else if (!x || evs_array_is_null(x->a, k))
			rc = evs_x_null(out, i);
		else
			memcpy(dst + i * w, x->a->data + k * w, w);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int gather_rows(struct evs_eval *v, const struct x_args *in, struct choice *c,
		       struct x_vec *out)
{
	struct evs_array *dst = &out->slot->a;

	for (uint32_t i = 0; i < in->rows; i++) {
		const struct x_vec *x = c->pick[i] < c->n ? &c->values[c->pick[i]] : NULL;
		uint32_t k = x ? evs_x_at(x, i) : 0;
		int rc;

		if (c->pick[i] == BROKEN)
			rc = evs_x_append_bad(v, in, out, i, c->why);
		else if (x && x->bad && x->bad->a.data[k])
			rc = evs_x_append_bad(v, in, out, i, x->why);
		else if (!x)
			rc = evs_array_append_null(dst);
		else
			rc = evs_array_append_range(dst, x->a, k, 1);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int compute(struct evs_eval *v, const struct x_node *n, struct choice *c, size_t k)
{
	int rc = evs_x_eval(v, n, &c->values[k]);

	if (c->values[k].why && !c->who) {
		c->why = c->values[k].why;
		c->who = c->values[k].who;
	}
	return rc;
}

/* Rows still undecided choose value k where `cond` holds (NULL: all of them). Tells how many
 * chose, and are left. */
static void decide(struct choice *c, const struct x_vec *cond, uint32_t rows, uint16_t k,
		   uint32_t *chose, uint32_t *left)
{
	*chose = *left = 0;
	for (uint32_t i = 0; i < rows; i++) {
		uint32_t at = cond ? evs_x_at(cond, i) : 0;

		if (c->pick[i] != UNDECIDED)
			continue;
		if (cond && cond->bad && cond->bad->a.data[at]) {
			c->pick[i] = BROKEN;
			c->why = cond->why;
			c->who = cond->who;
		} else if (!cond || (!evs_array_is_null(cond->a, at) && cond->a->data[at])) {
			c->pick[i] = k;
			++*chose;
		} else {
			++*left;
		}
	}
}

/* CASE: arguments are condition, value, ..., [else]. */
static int choose(struct evs_eval *v, const struct x_node *n, struct choice *c)
{
	uint32_t chose, left = v->rows;
	int rc = 0;

	for (size_t k = 0; rc == 0 && left && k < c->n; k++) {
		struct x_vec cond = { 0 };
		bool otherwise = 2 * k + 1 == n->n;

		if (!otherwise)
			rc = evs_x_eval(v, n->arg[2 * k], &cond);
		if (rc == 0) {
			decide(c, otherwise ? NULL : &cond, v->rows, (uint16_t)k, &chose, &left);
			if (chose)
				rc = compute(v, n->arg[otherwise ? 2 * k : 2 * k + 1], c, k);
		}
		evs_x_vec_release(v, &cond);
	}
	return rc;
}

/* coalesce: the first argument that is not null. */
static int first(struct evs_eval *v, const struct x_node *n, struct choice *c)
{
	uint32_t left = v->rows;
	int rc = 0;

	for (size_t k = 0; rc == 0 && left && k < c->n; k++) {
		const struct x_vec *x = &c->values[k];

		rc = compute(v, n->arg[k], c, k);
		left = 0;
		for (uint32_t i = 0; rc == 0 && i < v->rows; i++) {
			uint32_t at = evs_x_at(x, i);

			if (c->pick[i] != UNDECIDED)
				continue;
			if (!evs_array_is_null(x->a, at) || (x->bad && x->bad->a.data[at]))
				c->pick[i] = (uint16_t)k;
			else
				left++;
		}
	}
	return rc;
}

int evs_x_eval_choice(struct evs_eval *v, const struct x_node *n, struct x_vec *out)
{
	struct x_args in = { .node = n, .rows = v->rows };
	struct choice c = { .n = n->shape == X_CHOOSE ? (n->n + 1) / 2 : n->n };
	int rc = EVS_E_NOMEM;

	c.values = calloc(c.n, sizeof(*c.values));
	c.pick = malloc(v->rows * sizeof(*c.pick));
	if (!c.values || !c.pick)
		goto out;
	memset(c.pick, 0xff, v->rows * sizeof(*c.pick));
	rc = n->shape == X_CHOOSE ? choose(v, n, &c) : first(v, n, &c);
	if (rc == 0)
		rc = evs_x_vec_open(v, out, &n->type, v->rows, false);
	if (rc == 0) {
		rc = evs_x_is_fixed(out->a) ? gather_fixed(v, &in, &c, out)
					    : gather_rows(v, &in, &c, out);
		if (out->why && c.who)
			out->who = c.who;
	}
out:
	for (size_t k = 0; c.values && k < c.n; k++)
		evs_x_vec_release(v, &c.values[k]);
	free(c.values);
	free(c.pick);
	return rc;
}
