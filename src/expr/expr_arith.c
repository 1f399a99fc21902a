/*
 * Typing of + - * / % on numbers, times and intervals.
 *
 *   integers     exact: in Int64, in UInt64 where both sides are unsigned, in Decimal where UInt64
 *                meets a sign
 *   / always     Float64
 *   Decimal      exact, in 38 digits
 *   time         time +- INTERVAL, time +- number of seconds (Date: days), time - time in seconds
 *                (Date - Date: days)
 */
#include "src/expr/expr_node.h"

static bool is_interval(const struct x_node *n)
{
	return (int)n->type.id == X_T_INTERVAL;
}

/* What stands for a number becomes one. */
static struct x_node *numeric(struct x_binder *b, const struct x_ast *a, struct x_node *n,
			      const struct evs_type *beside)
{
	char text[128];
	const char *s;
	size_t len;

	if (evs_x_is_number(&n->type)) {
		if (beside->id == EVS_T_DECIMAL && n->type.id == EVS_T_FLOAT64 &&
		    evs_x_is_const(n) && n->ast && n->ast->kind == X_NUMBER)
			return evs_x_literal_number(b, n->ast, beside);
		return n;
	}
	if (n->type.id == EVS_T_BOOL)
		return evs_x_cast_id(b, a, n, EVS_T_INT64, X_IMPLICIT);
	if (n->type.id == EVS_T_JSON)
		return evs_x_cast_id(b, a, n, EVS_T_FLOAT64, X_IMPLICIT);
	if (n->type.id == EVS_T_STRING && evs_x_is_const(n) && !evs_x_is_const_null(n)) {
		s = (const char *)evs_array_bytes(&n->value, 0, &len);
		return evs_x_literal_text(b, n->ast ? n->ast : a, s, len, NULL);
	}
	return evs_x_fail(b, a, "a number is wanted, and this is %s%s",
			  evs_x_type_text(&n->type, text, sizeof(text)),
			  n->type.id == EVS_T_STRING ? ": convert it, as in x::float" : "");
}

static bool not_negative(const struct x_node *n)
{
	if (evs_x_is_unsigned(&n->type))
		return true;
	return evs_x_is_const(n) && n->type.id == EVS_T_INT64 &&
	       (int64_t)evs_array_int(&n->value, 0) >= 0;
}

static struct x_node *as_decimal(struct x_binder *b, const struct x_ast *a, struct x_node *n,
				 unsigned scale)
{
	struct evs_type t = { .id = EVS_T_DECIMAL, .precision = 38, .scale = (uint8_t)scale };

	return evs_x_cast(b, a, n, &t, X_IMPLICIT);
}

static unsigned scale_of(const struct x_node *n)
{
	return n->type.id == EVS_T_DECIMAL ? n->type.scale : 0;
}

/* Which arithmetic serves both numbers. */
static enum x_arith kind_of(enum x_op op, const struct x_node *l, const struct x_node *r)
{
	bool u64 = l->type.id == EVS_T_UINT64 || r->type.id == EVS_T_UINT64;

	if (evs_x_is_float(&l->type) || evs_x_is_float(&r->type))
		return X_A_FLOAT;
	if (l->type.id == EVS_T_DECIMAL || r->type.id == EVS_T_DECIMAL)
		return op == X_MUL && scale_of(l) + scale_of(r) > 38 ? X_A_FLOAT : X_A_DECIMAL;
	if (!u64)
		return X_A_INT;
	return op != X_SUB && not_negative(l) && not_negative(r) ? X_A_UINT : X_A_DECIMAL;
}

static struct x_node *numbers(struct x_binder *b, const struct x_ast *a, enum x_op op,
			      struct x_node *l, struct x_node *r, bool float_division)
{
	static const enum evs_type_id ids[] = { EVS_T_INT64, EVS_T_UINT64, EVS_T_FLOAT64,
						EVS_T_DECIMAL };
	struct x_node *arg[2], *n;
	enum x_arith kind;
	unsigned scale;

	arg[0] = numeric(b, a, l, &r->type);
	arg[1] = arg[0] ? numeric(b, a, r, &arg[0]->type) : NULL;
	if (!arg[1])
		return NULL;
	kind = op == X_DIV && float_division ? X_A_FLOAT : kind_of(op, arg[0], arg[1]);
	scale = scale_of(arg[0]) > scale_of(arg[1]) ? scale_of(arg[0]) : scale_of(arg[1]);
	if (op == X_MOD && kind == X_A_FLOAT)
		return evs_x_fail(b, a, "%% takes whole numbers and Decimals");
	if (op == X_DIV && !float_division && (kind == X_A_FLOAT || scale))
		return evs_x_fail(b, a, "intDiv takes whole numbers");
	for (int i = 0; i < 2; i++) {
		if (kind == X_A_DECIMAL)
			arg[i] = as_decimal(b, a, arg[i], op == X_MUL ? scale_of(arg[i]) : scale);
		else
			arg[i] = evs_x_cast_id(b, a, arg[i], ids[kind], X_IMPLICIT);
		if (!arg[i])
			return NULL;
	}
	if (op == X_MUL)
		scale = scale_of(arg[0]) + scale_of(arg[1]);
	n = evs_x_call(b, a, evs_x_arith_fn(kind), ids[kind], arg, 2);
	if (!n)
		return NULL;
	n->op = (uint8_t)op;
	if (kind == X_A_DECIMAL) {
		n->type.precision = 38;
		n->type.scale = (uint8_t)scale;
	}
	return evs_x_fold(b, n);
}

/* ---- times
 * ---------------------------------------------------------------------------------------- */

static struct x_interval negated(struct x_interval v)
{
	v.months = -v.months;
	v.seconds = -v.seconds - (v.nanos != 0);
	v.nanos = v.nanos ? 1000000000 - v.nanos : 0;
	return v;
}

/* time + INTERVAL. A Date stays one when the interval is of whole days. */
static struct x_node *shift(struct x_binder *b, const struct x_ast *a, struct x_node *time,
			    struct x_interval by)
{
	struct evs_type t = time->type;
	struct x_node *n;

	if (t.id == EVS_T_DATE && (by.seconds % 86400 || by.nanos))
		t.id = EVS_T_DATETIME;
	if (by.nanos) {
		uint8_t digits = 9;

		for (int32_t v = by.nanos; v % 10 == 0; v /= 10)
			digits--;
		if (t.id != EVS_T_DATETIME64 || t.scale < digits)
			t = (struct evs_type){ .id = EVS_T_DATETIME64, .scale = digits };
	}
	time = evs_x_cast(b, a, time, &t, X_IMPLICIT);
	n = time ? evs_x_call(b, a, evs_x_time_shift, t.id, &time, 1) : NULL;
	if (!n)
		return NULL;
	n->type = t;
	n->interval = by;
	return evs_x_fold(b, n);
}

static struct x_node *intervals(struct x_binder *b, const struct x_ast *a, enum x_op op,
				const struct x_node *l, const struct x_node *r)
{
	struct x_interval x = l->interval, y = op == X_SUB ? negated(r->interval) : r->interval;
	struct x_node *n = evs_x_const(b, a, &l->type);

	if (!n)
		return NULL;
	n->interval.months = x.months + y.months;
	n->interval.seconds = x.seconds + y.seconds + (x.nanos + y.nanos) / 1000000000;
	n->interval.nanos = (x.nanos + y.nanos) % 1000000000;
	return evs_array_append_int(&n->value, 0) < 0 ? evs_x_nomem(b) : n;
}

/* INTERVAL * whole number, both constant. */
static struct x_node *multiply_interval(struct x_binder *b, const struct x_ast *a,
					const struct x_node *v, const struct x_node *by)
{
	struct x_node *n;
	int64_t k;

	if (by->type.id != EVS_T_INT64 || !evs_x_is_const(by) || evs_x_is_const_null(by))
		return evs_x_fail(b, a, "an INTERVAL can be multiplied by a whole number only");
	k = (int64_t)evs_array_int(&by->value, 0);
	if (k < -1000000 || k > 1000000 || v->interval.months > INT32_MAX ||
	    v->interval.months < INT32_MIN || v->interval.seconds > INT64_MAX / 2000000 ||
	    v->interval.seconds < INT64_MIN / 2000000 || v->interval.nanos)
		return evs_x_fail(b, a, "this INTERVAL is out of range");
	n = evs_x_const(b, a, &v->type);
	if (!n)
		return NULL;
	n->interval.months = v->interval.months * k;
	n->interval.seconds = v->interval.seconds * k;
	return evs_array_append_int(&n->value, 0) < 0 ? evs_x_nomem(b) : n;
}

/* time - time */
static struct x_node *difference(struct x_binder *b, const struct x_ast *a, struct x_node *l,
				 struct x_node *r)
{
	bool days = l->type.id == EVS_T_DATE && r->type.id == EVS_T_DATE;
	struct x_node *arg[2] = { l, r };

	return evs_x_fold(
		b, evs_x_call(b, a, evs_x_time_diff, days ? EVS_T_INT64 : EVS_T_FLOAT64, arg, 2));
}

/* time + number: seconds, or days for a Date. */
static struct x_node *add_number(struct x_binder *b, const struct x_ast *a, struct x_node *time,
				 struct x_node *k, bool minus)
{
	struct x_node *arg[2] = { time, evs_x_cast_id(b, a, k, EVS_T_INT64, X_IMPLICIT) }, *n;

	if (!arg[1])
		return NULL;
	n = evs_x_call(b, a, evs_x_time_add, time->type.id, arg, 2);
	if (!n)
		return NULL;
	n->type = time->type;
	n->num = minus ? -1 : 1;
	return evs_x_fold(b, n);
}

/* A string constant beside a time is a time. */
static struct x_node *time_const(struct x_binder *b, const struct x_ast *a, struct x_node *n,
				 struct x_node *beside)
{
	static const struct evs_type second = { .id = EVS_T_DATETIME };

	if (n->type.id != EVS_T_STRING || !evs_x_is_const(n) || evs_x_is_const_null(n))
		return n;
	if (is_interval(beside))
		return evs_x_adapt_time(b, a, n, &second);
	return evs_x_is_time(&beside->type) ? evs_x_adapt_time(b, a, n, &beside->type) : n;
}

static struct x_node *times(struct x_binder *b, const struct x_ast *a, enum x_op op,
			    struct x_node *l, struct x_node *r)
{
	char lt[128], rt[128];

	l = time_const(b, a, l, r);
	r = l ? time_const(b, a, r, l) : NULL;
	if (!r)
		return NULL;
	if (is_interval(l) && is_interval(r) && (op == X_ADD || op == X_SUB))
		return intervals(b, a, op, l, r);
	if (op == X_MUL && is_interval(l))
		return multiply_interval(b, a, l, r);
	if (op == X_MUL && is_interval(r))
		return multiply_interval(b, a, r, l);
	if (evs_x_is_time(&l->type) && is_interval(r) && (op == X_ADD || op == X_SUB))
		return shift(b, a, l, op == X_SUB ? negated(r->interval) : r->interval);
	if (is_interval(l) && evs_x_is_time(&r->type) && op == X_ADD)
		return shift(b, a, r, l->interval);
	if (evs_x_is_time(&l->type) && evs_x_is_time(&r->type) && op == X_SUB)
		return difference(b, a, l, r);
	if (evs_x_is_time(&l->type) && evs_x_is_int(&r->type) && (op == X_ADD || op == X_SUB))
		return add_number(b, a, l, r, op == X_SUB);
	if (evs_x_is_int(&l->type) && evs_x_is_time(&r->type) && op == X_ADD)
		return add_number(b, a, r, l, false);
	return evs_x_fail(b, a, "there is no such arithmetic with %s and %s",
			  evs_x_type_text(&l->type, lt, sizeof(lt)),
			  evs_x_type_text(&r->type, rt, sizeof(rt)));
}

static bool is_temporal(const struct x_node *n)
{
	return is_interval(n) || evs_x_is_time(&n->type);
}

struct x_node *evs_x_bind_arith(struct x_binder *b, const struct x_ast *a, enum x_op op,
				struct x_node *l, struct x_node *r)
{
	static const struct evs_type f64 = { .id = EVS_T_FLOAT64 };
	bool ln = evs_x_is_const_null(l), rn = evs_x_is_const_null(r);

	if (ln || rn) {
		const struct evs_type *t = ln ? &r->type : &l->type;

		return evs_x_const_null(b, a,
					is_temporal(ln ? r : l) || evs_x_is_number(t) ? t : &f64);
	}
	if (is_temporal(l) || is_temporal(r))
		return times(b, a, op, l, r);
	return numbers(b, a, op, l, r, true);
}

struct x_node *evs_x_bind_intdiv(struct x_binder *b, const struct x_ast *a, struct x_node *l,
				 struct x_node *r)
{
	static const struct evs_type i64 = { .id = EVS_T_INT64 };

	if (evs_x_is_const_null(l) || evs_x_is_const_null(r))
		return evs_x_const_null(b, a, &i64);
	return numbers(b, a, X_DIV, l, r, false);
}

struct x_node *evs_x_bind_negative(struct x_binder *b, const struct x_ast *a)
{
	struct x_node *x = evs_x_bind(b, a->arg[0]), *n;

	if (!x)
		return NULL;
	if (is_interval(x)) {
		n = evs_x_const(b, a, &x->type);
		if (!n)
			return NULL;
		n->interval = negated(x->interval);
		return evs_array_append_int(&n->value, 0) < 0 ? evs_x_nomem(b) : n;
	}
	n = evs_x_const_int(b, a, EVS_T_INT64, 0);
	return n ? evs_x_bind_arith(b, a, X_SUB, n, x) : NULL;
}
