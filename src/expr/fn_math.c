/*
 * Functions of numbers: abs, round, floor, ceil, trunc, mod, intDiv; greatest and least of
 * anything that has an order.
 */
#include "src/expr/fn_cast.h"

#include <string.h>

enum { ROUND, FLOOR, CEIL, TRUNC };

/* From here on a double has no fraction. */
#define WHOLE 4503599627370496.0

static double round_whole(unsigned how, double d)
{
	double whole, frac;

	if (d >= WHOLE || d <= -WHOLE)
		return d;
	whole = (double)(int64_t)d;
	frac = d - whole;
	switch (how) {
	case FLOOR:
		return frac < 0 ? whole - 1 : whole;
	case CEIL:
		return frac > 0 ? whole + 1 : whole;
	case TRUNC:
		return whole;
	default: /* half to even, as both dialects do for floats */
		if (frac > 0.5 || (frac == 0.5 && (int64_t)whole % 2))
			return whole + 1;
		if (frac < -0.5 || (frac == -0.5 && (int64_t)whole % 2))
			return whole - 1;
		return whole;
	}
}

/* op: how; node->num: digits after the point */
static int round_float(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	double f = 1, *dst = evs_x_data(out);
	int64_t digits = in->node->num;

	(void)v;
	for (int64_t k = digits < 0 ? -digits : digits; k; k--)
		f *= 10;
	for (uint32_t i = 0; i < in->rows; i++) {
		double d = evs_x_f64(&in->arg[0], i), scaled = digits < 0 ? d / f : d * f;

		if (scaled >= WHOLE || scaled <= -WHOLE)
			dst[i] = d;
		else
			dst[i] = digits < 0 ? round_whole(in->node->op, scaled) * f
					    : round_whole(in->node->op, scaled) / f;
	}
	return 0;
}

static int round_decimal(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	int64_t drop = in->node->type.scale - in->node->num;
	x_i128 f = drop > 0 && drop <= 38 ? evs_x_pow10((unsigned)drop) : 1;

	for (uint32_t i = 0; i < in->rows; i++) {
		x_i128 x = evs_x_decimal(&in->arg[0], i), rest = x % f, r = x - rest;

		if (drop > 38)
			r = 0;
		else if (in->node->op == FLOOR && rest < 0)
			r -= f;
		else if (in->node->op == CEIL && rest > 0)
			r += f;
		else if (in->node->op == ROUND &&
			 (rest < 0 ? -rest : rest) >= f - (rest < 0 ? -rest : rest) && rest)
			r += rest < 0 ? -f : f;
		if (r >= evs_x_pow10(in->node->type.precision) ||
		    -r >= evs_x_pow10(in->node->type.precision)) {
			r = 0;
			if (evs_x_cast_failed(v, in, out, i, "the rounded number is out of range") <
			    0)
				return EVS_E_NOMEM;
		}
		evs_x_put_decimal(out, i, r);
	}
	return 0;
}

/* An integer rounded to tens, hundreds ...; half away from zero. */
static int round_int(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	x_i128 f = evs_x_pow10((unsigned)-in->node->num);

	for (uint32_t i = 0; i < in->rows; i++) {
		uint64_t bits = (uint64_t)evs_x_i64(&in->arg[0], i);
		x_i128 x = in->arg[0].a->is_signed ? (x_i128)(int64_t)bits : (x_i128)bits,
		       rest = x % f, r = x - rest;
		bool ok;

		if (in->node->op == FLOOR && rest < 0)
			r -= f;
		else if (in->node->op == CEIL && rest > 0)
			r += f;
		else if (in->node->op == ROUND && rest &&
			 (rest < 0 ? -rest : rest) >= f - (rest < 0 ? -rest : rest))
			r += rest < 0 ? -f : f;
		ok = evs_x_int_fits(&in->node->type, r);
		evs_x_put_int(out, i, ok ? (int64_t)r : 0);
		if (!ok &&
		    evs_x_cast_failed(v, in, out, i, "the rounded number is out of range") < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* JSON counts as Float64; anything else that is no number is an error. NULL: failed. */
static struct x_node *number_arg(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				 struct x_node *n)
{
	char type[128];

	if (n->type.id == EVS_T_JSON || (int)n->type.id == X_T_NULL)
		return evs_x_cast_id(b, a, n, EVS_T_FLOAT64, X_IMPLICIT);
	if (!evs_x_is_number(&n->type))
		return evs_x_fail(b, n->ast ? n->ast : a, "%s() wants a number, and this is %s",
				  f->name, evs_x_type_text(&n->type, type, sizeof(type)));
	return n;
}

static struct x_node *bind_round(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				 struct x_node **arg, size_t n)
{
	struct x_node *x = number_arg(b, a, f, arg[0]), *c;
	int64_t digits = 0;

	if (!x)
		return NULL;
	if (n == 2) {
		if (!evs_x_is_const(arg[1]) || arg[1]->type.id != EVS_T_INT64 ||
		    evs_x_is_const_null(arg[1]))
			return evs_x_fail(b, a, "the number of digits is a constant");
		digits = (int64_t)evs_array_int(&arg[1]->value, 0);
		if (digits < -38 || digits > 38)
			return evs_x_fail(b, a, "the number of digits is out of range: -38 to 38");
	}
	if (evs_x_is_int(&x->type) && digits >= 0)
		return x;
	if (x->type.id == EVS_T_DECIMAL && digits >= x->type.scale)
		return x;
	if (evs_x_is_float(&x->type))
		x = evs_x_cast_id(b, a, x, EVS_T_FLOAT64, X_IMPLICIT);
	if (!x)
		return NULL;
	c = evs_x_call(b, a,
		       evs_x_is_float(&x->type) ? round_float
		       : evs_x_is_int(&x->type) ? round_int
						: round_decimal,
		       x->type.id, &x, 1);
	if (!c)
		return NULL;
	c->type = x->type;
	c->type.nullable = false;
	if (c->type.id == EVS_T_DECIMAL) /* 99.99 becomes 100 */
		c->type.precision = 38;
	c->op = f->op;
	c->num = digits;
	return evs_x_fold(b, c);
}

/* abs(x) */
static int eval_abs(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *t = &in->node->type;

	for (uint32_t i = 0; i < in->rows; i++) {
		const struct x_vec *x = &in->arg[0];

		if (t->id == EVS_T_FLOAT64) {
			double d = evs_x_f64(x, i);

			((double *)evs_x_data(out))[i] = d < 0 ? -d : d + 0.0;
		} else if (t->id == EVS_T_DECIMAL) {
			x_i128 d = evs_x_decimal(x, i);

			evs_x_put_decimal(out, i, d < 0 ? -d : d);
		} else {
			int64_t k = evs_x_i64(x, i);

			evs_x_put_int(out, i, k == INT64_MIN ? 0 : k < 0 ? -k : k);
			if (k == INT64_MIN &&
			    evs_x_cast_failed(v, in, out, i, "the result is out of range") < 0)
				return EVS_E_NOMEM;
		}
	}
	return 0;
}

static struct x_node *bind_abs(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
			       struct x_node **arg, size_t n)
{
	struct x_node *x = number_arg(b, a, f, arg[0]), *c;

	(void)n;
	if (!x || evs_x_is_unsigned(&x->type))
		return x;
	if (x->type.id != EVS_T_DECIMAL)
		x = evs_x_cast_id(b, a, x, evs_x_is_float(&x->type) ? EVS_T_FLOAT64 : EVS_T_INT64,
				  X_IMPLICIT);
	c = x ? evs_x_call(b, a, eval_abs, x->type.id, &x, 1) : NULL;
	if (!c)
		return NULL;
	c->type = x->type;
	c->type.nullable = false;
	return evs_x_fold(b, c);
}

static struct x_node *bind_mod(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
			       struct x_node **arg, size_t n)
{
	(void)n;
	if (f->op == X_DIV && !f->num)
		return evs_x_bind_intdiv(b, a, arg[0], arg[1]);
	return evs_x_bind_arith(b, a, (enum x_op)f->op, arg[0], arg[1]);
}

/* op: 1 greatest, 0 least; NULLs are passed over, as PostgreSQL does. */
static int eval_extreme(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	struct evs_array *a = &out->slot->a;

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		const struct x_vec *best = NULL;
		int rc = 0;

		for (size_t k = 0; k < in->n; k++) {
			const struct x_vec *x = &in->arg[k];
			int c;

			if (evs_x_is_null(x, i))
				continue;
			c = best ? evs_array_compare(x->a, evs_x_at(x, i), best->a,
						     evs_x_at(best, i))
				 : 0;
			if (!best || (in->node->op ? c > 0 : c < 0))
				best = x;
		}
		if (!evs_x_is_fixed(a))
			rc = best ? evs_array_append_range(a, best->a, evs_x_at(best, i), 1)
				  : evs_array_append_null(a);
		else if (best)
			memcpy(a->data + (size_t)i * a->width,
			       best->a->data + (size_t)evs_x_at(best, i) * a->width, a->width);
		else
			rc = evs_x_null(out, i);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Decimals over 18 digits are bytes, whose order is not that of the numbers. */
static int extreme_decimal(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		x_i128 best = 0;
		bool any = false;

		for (size_t k = 0; k < in->n; k++) {
			x_i128 x = evs_x_decimal(&in->arg[k], i);

			if (evs_x_is_null(&in->arg[k], i) ||
			    (any && (in->node->op ? x <= best : x >= best)))
				continue;
			best = x;
			any = true;
		}
		evs_x_put_decimal(out, i, best);
		if (!any && evs_x_null(out, i) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static struct x_node *bind_extreme(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				   struct x_node **arg, size_t n)
{
	struct evs_type t;
	struct x_node *c;
	bool nullable = true;

	c = evs_x_only_nulls(b, a, arg, n);
	if (c || !evs_x_unify(b, a, arg, n, &t))
		return c;
	for (size_t i = 0; i < n; i++)
		nullable = nullable && arg[i]->nullable;
	c = evs_x_call(b, a, t.id == EVS_T_DECIMAL ? extreme_decimal : eval_extreme, t.id, arg, n);
	if (!c)
		return NULL;
	c->type = t;
	c->op = f->op;
	c->sees_nulls = true;
	c->nullable = nullable;
	return evs_x_fold(b, c);
}

const struct x_fn evs_x_fns_math[] = {
	{ "abs", "x>f", NULL, bind_abs, 0, 0, 0 },
	{ "round", "x?x>f", NULL, bind_round, 0, ROUND, 0 },
	{ "floor", "x?x>f", NULL, bind_round, 0, FLOOR, 0 },
	{ "ceil", "x?x>f", NULL, bind_round, 0, CEIL, 0 },
	{ "ceiling", "x?x>f", NULL, bind_round, 0, CEIL, 0 },
	{ "trunc", "x?x>f", NULL, bind_round, 0, TRUNC, 0 },
	{ "plus", "xx>f", NULL, bind_mod, 0, X_ADD, 0 },
	{ "minus", "xx>f", NULL, bind_mod, 0, X_SUB, 0 },
	{ "multiply", "xx>f", NULL, bind_mod, 0, X_MUL, 0 },
	{ "divide", "xx>f", NULL, bind_mod, 0, X_DIV, 1 },
	{ "mod", "xx>f", NULL, bind_mod, 0, X_MOD, 0 },
	{ "modulo", "xx>f", NULL, bind_mod, 0, X_MOD, 0 },
	{ "intdiv", "xx>f", NULL, bind_mod, 0, X_DIV, 0 },
	{ "div", "xx>f", NULL, bind_mod, 0, X_DIV, 0 },
	{ "greatest", "x*>x", NULL, bind_extreme, 0, 1, 0 },
	{ "least", "x*>x", NULL, bind_extreme, 0, 0, 0 },
	{ NULL, NULL, NULL, NULL, 0, 0, 0 },
};
