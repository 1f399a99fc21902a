/*
 * Conversions between times, and between times and numbers of seconds. A finer time becomes a
 * coarser one by rounding down, also before 1970.
 */
#include "src/expr/fn_cast.h"

#include <string.h>

#define FIRST_SECOND (-62167219200LL) /* 0000-01-01 */
#define LAST_SECOND  253402300799LL   /* 9999-12-31T23:59:59 */

static const char out_of_range[] =
	"the time is out of range: years 0000 to 9999, and what the type's digits leave room for";

int64_t evs_x_time_unit(const struct evs_type *t)
{
	int64_t unit = X_NANO;

	if (t->id == EVS_T_DATE)
		return 86400 * X_NANO;
	for (unsigned s = 0; t->id == EVS_T_DATETIME64 && s < t->scale; s++)
		unit /= 10;
	return unit;
}

bool evs_x_time_fits(const struct evs_type *t, x_i128 units)
{
	x_i128 unit = evs_x_time_unit(t), lo = (x_i128)FIRST_SECOND * X_NANO,
	       hi = (x_i128)LAST_SECOND * X_NANO + X_NANO - 1;

	if (units > INT64_MAX || units < INT64_MIN)
		return false;
	/* a date stands for its first moment, which is what must be in range */
	return units * unit >= lo && units * unit <= hi;
}

static int time_to_time(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *t = &in->node->type;
	int64_t from = evs_x_time_unit(&in->node->arg[0]->type), to = evs_x_time_unit(t);

	for (uint32_t i = 0; i < in->rows; i++) {
		x_i128 x = evs_x_i64(&in->arg[0], i);
		bool ok = true;

		if (from >= to) {
			x *= from / to;
			ok = evs_x_time_fits(t, x);
		} else {
			x = evs_x_floor_div(x, to / from);
		}
		evs_x_put_int(out, i, ok ? (int64_t)x : 0);
		if (!ok && evs_x_cast_failed(v, in, out, i, out_of_range) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* Whole seconds since 1970; of a Date, days. */
static int time_to_int(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *from = &in->node->arg[0]->type;
	int64_t per = from->id == EVS_T_DATE ? 1 : X_NANO / evs_x_time_unit(from);

	for (uint32_t i = 0; i < in->rows; i++) {
		x_i128 x = evs_x_floor_div(evs_x_i64(&in->arg[0], i), per);
		bool ok = evs_x_int_fits(&in->node->type, x);

		evs_x_put_int(out, i, ok ? (int64_t)x : 0);
		if (!ok && evs_x_cast_failed(v, in, out, i, "the value does not fit the type") < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* Seconds since 1970, with a fraction; of a Date, days. */
static int time_to_float(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *from = &in->node->arg[0]->type;
	double per = from->id == EVS_T_DATE ? 1 : (double)(X_NANO / evs_x_time_unit(from));

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++)
		((double *)evs_x_data(out))[i] = (double)evs_x_i64(&in->arg[0], i) / per;
	return 0;
}

/* Seconds to a DateTime or DateTime64. */
static int number_to_time(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *from = &in->node->arg[0]->type, *t = &in->node->type;
	int64_t per = X_NANO / evs_x_time_unit(t);

	for (uint32_t i = 0; i < in->rows; i++) {
		const struct x_vec *x = &in->arg[0];
		x_i128 ticks;
		bool ok = true;

		if (evs_x_is_float(from)) {
			/* microseconds: a double has no more at today's dates; then down to the
			 * type's digits */
			double us = evs_x_f64(x, i) * 1e6;

			ok = us < 9e18 && us > -9e18;
			ticks = ok ? (x_i128)(int64_t)(us + (us < 0 ? -0.5 : 0.5)) : 0;
			ticks = evs_x_floor_div(ticks * per, 1000000);
		} else if (from->id == EVS_T_DECIMAL) {
			unsigned scale =
				from->scale > 18 ? 18 : from->scale; /* no clock has more */
			x_i128 d = evs_x_floor_div(evs_x_decimal(x, i),
						   evs_x_pow10(from->scale - scale));
			x_i128 f = evs_x_pow10(scale), whole = evs_x_floor_div(d, f);

			ok = whole < INT64_MAX && whole > INT64_MIN;
			ticks = ok ? whole * per + (d - whole * f) * per / f : 0;
		} else {
			uint64_t u = (uint64_t)evs_x_i64(x, i);

			ticks = (x->a->is_signed ? (x_i128)(int64_t)u : (x_i128)u) * per;
		}
		ok = ok && evs_x_time_fits(t, ticks);
		evs_x_put_int(out, i, ok ? (int64_t)ticks : 0);
		if (!ok && evs_x_cast_failed(v, in, out, i, out_of_range) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

x_eval_fn *evs_x_cast_time_fn(const struct evs_type *from, const struct evs_type *to)
{
	if (evs_x_is_time(from) && evs_x_is_time(to))
		return time_to_time;
	if (evs_x_is_time(from) && evs_x_is_int(to))
		return time_to_int;
	if (evs_x_is_time(from) && to->id == EVS_T_FLOAT64)
		return time_to_float;
	if (evs_x_is_number(from) && (to->id == EVS_T_DATETIME || to->id == EVS_T_DATETIME64))
		return number_to_time;
	return NULL;
}
