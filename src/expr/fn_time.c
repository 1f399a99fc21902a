/*
 * Times and numbers: time + INTERVAL, time + seconds, differences, the seconds since 1970 and back,
 * and what time it is.
 */
#include "src/expr/fn_cast.h"

#define DAY 86400

int evs_x_time_failed(struct evs_eval *v, const struct x_args *in, struct x_vec *out, uint32_t i)
{
	return evs_x_cast_failed(v, in, out, i, "the time is out of range: years 0000 to 9999");
}

/* time + node->interval */
int evs_x_time_shift(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *t = &in->node->type;
	const struct x_interval *by = &in->node->interval;
	x_i128 unit = evs_x_time_unit(t), per_day = (x_i128)DAY * X_NANO / unit;
	x_i128 delta = ((x_i128)by->seconds * X_NANO + by->nanos) / unit;
	bool far = by->months > 240000 || by->months < -240000;

	for (uint32_t i = 0; i < in->rows; i++) {
		x_i128 x = evs_x_i64(&in->arg[0], i);
		bool ok = !far;

		if (by->months && ok) {
			x_i128 day = evs_x_floor_div(x, per_day), rest = x - day * per_day;

			x = (x_i128)evs_days_add_months((int64_t)day, by->months) * per_day + rest;
		}
		x += delta;
		ok = ok && evs_x_time_fits(t, x);
		evs_x_put_int(out, i, ok ? (int64_t)x : 0);
		if (!ok && evs_x_time_failed(v, in, out, i) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* time + seconds, Date + days; node->num is the sign. */
int evs_x_time_add(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *t = &in->node->type;
	x_i128 per = t->id == EVS_T_DATE ? 1 : X_NANO / evs_x_time_unit(t);

	for (uint32_t i = 0; i < in->rows; i++) {
		x_i128 x = evs_x_i64(&in->arg[0], i) +
			   (x_i128)evs_x_i64(&in->arg[1], i) * in->node->num * per;
		bool ok = evs_x_time_fits(t, x);

		evs_x_put_int(out, i, ok ? (int64_t)x : 0);
		if (!ok && evs_x_time_failed(v, in, out, i) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* time - time: days between Dates, else seconds. */
int evs_x_time_diff(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	int64_t lu = evs_x_time_unit(&in->node->arg[0]->type),
		ru = evs_x_time_unit(&in->node->arg[1]->type);
	int64_t fine = lu < ru ? lu : ru;
	bool days = in->node->type.id == EVS_T_INT64;

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		x_i128 d = (x_i128)evs_x_i64(&in->arg[0], i) * (lu / fine) -
			   (x_i128)evs_x_i64(&in->arg[1], i) * (ru / fine);

		if (days)
			((int64_t *)evs_x_data(out))[i] = (int64_t)d;
		else if (fine >= X_NANO)
			((double *)evs_x_data(out))[i] = (double)(d * (fine / X_NANO));
		else
			((double *)evs_x_data(out))[i] = (double)d / (double)(X_NANO / fine);
	}
	return 0;
}

/* toUnixTimestamp(t), and toUnixTimestamp64Milli() and so on: op is the scale. */
static struct x_node *bind_to_unix(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				   struct x_node **arg, size_t n)
{
	struct evs_type t = { .id = f->op ? EVS_T_DATETIME64 : EVS_T_DATETIME, .scale = f->op };
	struct x_node *x;

	(void)n;
	if (!evs_x_is_time(&arg[0]->type) && arg[0]->type.id != EVS_T_STRING &&
	    (int)arg[0]->type.id != X_T_NULL)
		return evs_x_fail(b, a, "%s() takes a time", f->name);
	x = evs_x_cast(b, a, arg[0], &t, X_EXPLICIT);
	if (!x)
		return NULL;
	x = evs_x_call(b, a, evs_x_ticks, EVS_T_INT64, &x, 1);
	return evs_x_fold(b, x);
}

/* fromUnixTimestamp64Milli(n) and so on: op is the scale. */
static struct x_node *bind_from_unix(struct x_binder *b, const struct x_ast *a,
				     const struct x_fn *f, struct x_node **arg, size_t n)
{
	struct x_node *x;

	(void)n;
	if (!evs_x_is_int(&arg[0]->type) && (int)arg[0]->type.id != X_T_NULL)
		return evs_x_fail(b, a, "%s() takes a whole number", f->name);
	x = evs_x_cast_id(b, a, arg[0], EVS_T_INT64, X_IMPLICIT);
	x = x ? evs_x_call(b, a, evs_x_ticks, f->op ? EVS_T_DATETIME64 : EVS_T_DATETIME, &x, 1)
	      : NULL;
	if (x)
		x->type.scale = f->op;
	return evs_x_fold(b, x);
}

/* The number of units a time is made of, and back. */
int evs_x_ticks(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *t = &in->node->type;

	for (uint32_t i = 0; i < in->rows; i++) {
		int64_t x = evs_x_i64(&in->arg[0], i);
		bool ok = !evs_x_is_time(t) || evs_x_time_fits(t, x);

		evs_x_put_int(out, i, ok ? x : 0);
		if (!ok && evs_x_time_failed(v, in, out, i) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* now(): nanoseconds, the same in every row. */
static int eval_now(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	bool date = in->node->type.id == EVS_T_DATE;

	evs_x_put_int(out, 0, date ? (int64_t)evs_x_floor_div(v->now, DAY * X_NANO) : v->now);
	return 0;
}

static struct x_node *bind_now(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
			       struct x_node **arg, size_t n)
{
	struct x_node *c =
		evs_x_call(b, a, eval_now, f->op ? EVS_T_DATE : EVS_T_DATETIME64, NULL, 0);

	if (!c || (n && !evs_x_utc_arg(b, arg[n - 1])))
		return NULL;
	c->type.scale = f->op ? 0 : 9;
	c->not_constant = true;
	return c;
}

const struct x_fn evs_x_fns_time[] = {
	{ "now", "?x>T", NULL, bind_now, 0, 0, 0 },
	{ "now64", "?xx>T", NULL, bind_now, 0, 0, 0 },
	{ "current_timestamp", ">T", NULL, bind_now, 0, 0, 0 },
	{ "localtimestamp", ">T", NULL, bind_now, 0, 0, 0 },
	{ "clock_timestamp", ">T", NULL, bind_now, 0, 0, 0 },
	{ "statement_timestamp", ">T", NULL, bind_now, 0, 0, 0 },
	{ "transaction_timestamp", ">T", NULL, bind_now, 0, 0, 0 },
	{ "today", ">D", NULL, bind_now, 0, 1, 0 },
	{ "current_date", ">D", NULL, bind_now, 0, 1, 0 },
	{ "tounixtimestamp", "x>i", NULL, bind_to_unix, 0, 0, 0 },
	{ "tounixtimestamp64milli", "x>i", NULL, bind_to_unix, 0, 3, 0 },
	{ "tounixtimestamp64micro", "x>i", NULL, bind_to_unix, 0, 6, 0 },
	{ "tounixtimestamp64nano", "x>i", NULL, bind_to_unix, 0, 9, 0 },
	{ "fromunixtimestamp", "x>T", NULL, bind_from_unix, 0, 0, 0 },
	{ "to_timestamp", "x>T", NULL, bind_from_unix, 0, 0, 0 },
	{ "fromunixtimestamp64milli", "x>T", NULL, bind_from_unix, 0, 3, 0 },
	{ "fromunixtimestamp64micro", "x>T", NULL, bind_from_unix, 0, 6, 0 },
	{ "fromunixtimestamp64nano", "x>T", NULL, bind_from_unix, 0, 9, 0 },
	{ NULL, NULL, NULL, NULL, 0, 0, 0 },
};
