/*
 * Arithmetic loops. What does not fit its type is a failed row: nothing wraps around, and no
 * float becomes infinite.
 */
#include "src/expr/expr_node.h"

#include <string.h>

static const char too_large[] =
	"the result is out of range: convert an operand to Float64 or Decimal";
static const char by_zero[] = "division by zero: nullIf(x, 0) gives NULL instead";

/* Rows whose loop met trouble are told from null ones here, off the fast path. */
static int flag(struct evs_eval *v, const struct x_args *in, struct x_vec *out, uint32_t i,
		const char *why)
{
	if (evs_x_any_null(in, i))
		return 0;
	return evs_x_bad(v, in, out, i, why);
}

static int eval_int(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	int64_t a, c, *dst = evs_x_data(out);
	const int64_t *l = (const int64_t *)(const void *)in->arg[0].a->data;
	const int64_t *r = (const int64_t *)(const void *)in->arg[1].a->data;
	uint32_t ls = !in->arg[0].scalar, rs = !in->arg[1].scalar;
	enum x_op op = (enum x_op)in->node->op;

	for (uint32_t i = 0; i < in->rows; i++) {
		const char *why = NULL;

		a = l[i * ls];
		c = r[i * rs];
		dst[i] = 0;
		if (op == X_ADD) {
			why = __builtin_add_overflow(a, c, &dst[i]) ? too_large : NULL;
		} else if (op == X_SUB) {
			why = __builtin_sub_overflow(a, c, &dst[i]) ? too_large : NULL;
		} else if (op == X_MUL) {
			why = __builtin_mul_overflow(a, c, &dst[i]) ? too_large : NULL;
		} else if (c == 0) {
			why = by_zero;
		} else if (c == -1) { /* the one quotient that may not fit */
			if (op == X_DIV)
				why = __builtin_sub_overflow((int64_t)0, a, &dst[i]) ? too_large
										     : NULL;
		} else {
			dst[i] = op == X_DIV ? a / c : a % c;
		}
		if (why && flag(v, in, out, i, why) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static int eval_uint(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	uint64_t a, c, *dst = evs_x_data(out);
	const uint64_t *l = (const uint64_t *)(const void *)in->arg[0].a->data;
	const uint64_t *r = (const uint64_t *)(const void *)in->arg[1].a->data;
	uint32_t ls = !in->arg[0].scalar, rs = !in->arg[1].scalar;
	enum x_op op = (enum x_op)in->node->op;

	for (uint32_t i = 0; i < in->rows; i++) {
		const char *why = NULL;

		a = l[i * ls];
		c = r[i * rs];
		dst[i] = 0;
		if (op == X_ADD)
			why = __builtin_add_overflow(a, c, &dst[i]) ? too_large : NULL;
		else if (op == X_MUL)
			why = __builtin_mul_overflow(a, c, &dst[i]) ? too_large : NULL;
		else if (c == 0)
			why = by_zero;
		else
			dst[i] = op == X_DIV ? a / c : a % c;
		if (why && flag(v, in, out, i, why) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* NaN and infinities have all exponent bits set. */
static bool is_finite(double d)
{
	uint64_t bits;

	memcpy(&bits, &d, 8);
	return (bits >> 52 & 0x7ff) != 0x7ff;
}

static int eval_float(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	double *dst = evs_x_data(out);
	const double *l = (const double *)(const void *)in->arg[0].a->data;
	const double *r = (const double *)(const void *)in->arg[1].a->data;
	uint32_t ls = !in->arg[0].scalar, rs = !in->arg[1].scalar, bad = 0;

	switch (in->node->op) {
	case X_ADD:
		for (uint32_t i = 0; i < in->rows; i++)
			dst[i] = l[i * ls] + r[i * rs];
		break;
	case X_SUB:
		for (uint32_t i = 0; i < in->rows; i++)
			dst[i] = l[i * ls] - r[i * rs];
		break;
	case X_MUL:
		for (uint32_t i = 0; i < in->rows; i++)
			dst[i] = l[i * ls] * r[i * rs];
		break;
	default:
		for (uint32_t i = 0; i < in->rows; i++)
			dst[i] = l[i * ls] / r[i * rs];
	}
	for (uint32_t i = 0; i < in->rows; i++)
		bad += !is_finite(dst[i]);
	for (uint32_t i = 0; bad && i < in->rows; i++) {
		bool zero = in->node->op == X_DIV && r[i * rs] == 0;

		if (!is_finite(dst[i]) && flag(v, in, out, i, zero ? by_zero : too_large) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* |v| < 10^38 */
static bool decimal_fits(x_i128 v)
{
	x_i128 limit = evs_x_pow10(38);

	return v < limit && v > -limit;
}

/* a * c, or false when it has more than 38 digits. Both have at most 38. */
static bool decimal_mul(x_i128 a, x_i128 c, x_i128 *out)
{
	bool minus = (a < 0) != (c < 0);
	x_u128 x = a < 0 ? (x_u128)-a : (x_u128)a, y = c < 0 ? (x_u128)-c : (x_u128)c;

	if (x != 0 && y > (x_u128)evs_x_pow10(38) / x)
		return false;
	*out = minus ? -(x_i128)(x * y) : (x_i128)(x * y);
	return decimal_fits(*out);
}

static int eval_decimal(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	enum x_op op = (enum x_op)in->node->op;

	for (uint32_t i = 0; i < in->rows; i++) {
		x_i128 a = evs_x_decimal(&in->arg[0], i), c = evs_x_decimal(&in->arg[1], i), r = 0;
		const char *why = NULL;

		if (op == X_ADD && !__builtin_add_overflow(a, c, &r))
			why = decimal_fits(r) ? NULL : too_large;
		else if (op == X_SUB && !__builtin_sub_overflow(a, c, &r))
			why = decimal_fits(r) ? NULL : too_large;
		else if (op == X_MUL)
			why = decimal_mul(a, c, &r) ? NULL : too_large;
		else if (op == X_DIV || op == X_MOD)
			why = c == 0 ? by_zero : NULL;
		else
			why = too_large;
		if (!why && (op == X_DIV || op == X_MOD))
			r = op == X_DIV ? a / c : a % c;
		evs_x_put_decimal(out, i, why ? 0 : r);
		if (why && flag(v, in, out, i, why) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

x_eval_fn *evs_x_arith_fn(enum x_arith kind)
{
	static x_eval_fn *const fns[] = { eval_int, eval_uint, eval_float, eval_decimal };

	return fns[kind];
}
