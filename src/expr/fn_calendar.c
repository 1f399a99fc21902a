/*
 * Functions of the calendar: starts of periods, parts of times, and how many starts of periods lie
 * between two. Weeks begin on Monday. All in UTC, by the Gregorian calendar in every year.
 */
#include "src/expr/fn_cast.h"

#define DAY 86400

enum unit {
	SECOND = 1,
	MINUTE,
	MINUTES5,
	MINUTES10,
	MINUTES15,
	HOUR,
	U_DAY,
	WEEK,
	WEEK_SUNDAY,
	MONTH,
	QUARTER,
	YEAR,
	/* parts */
	P_YEAR,
	P_QUARTER,
	P_MONTH,
	P_DAY,
	P_WEEKDAY,
	P_DOW,
	P_DOY,
	P_HOUR,
	P_MINUTE,
	P_SECOND,
	P_YYYYMM,
	P_YYYYMMDD,
	P_EPOCH,
};

#define MAX_DAYS 366u
#define MANY	 64u /* rows that are worth looking at twice */
/* Numbers below are exact in a double, and half of one more is. */
#define MAX_SPAN ((int64_t)1 << 50)

static const struct {
	const char *name;
	enum unit unit, part;
} unit_names[] = {
	{ "second", SECOND, P_SECOND },
	{ "minute", MINUTE, P_MINUTE },
	{ "hour", HOUR, P_HOUR },
	{ "day", U_DAY, P_DAY },
	{ "week", WEEK, 0 },
	{ "month", MONTH, P_MONTH },
	{ "quarter", QUARTER, P_QUARTER },
	{ "year", YEAR, P_YEAR },
	{ "dow", 0, P_DOW },
	{ "isodow", 0, P_WEEKDAY },
	{ "doy", 0, P_DOY },
	{ "epoch", 0, P_EPOCH },
};

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Seconds since 1970 of a time, rounded down. */
static int64_t seconds(const struct evs_type *t, const struct x_vec *x, uint32_t i)
{
	int64_t v = evs_x_i64(x, i);

	if (t->id == EVS_T_DATE)
		return v * DAY;
	return t->id == EVS_T_DATETIME ? v : floor_div(v, X_NANO / evs_x_time_unit(t));
}

/* Seconds of the units up to a day. */
static const int32_t fixed[] = {
	[SECOND] = 1,	   [MINUTE] = 60, [MINUTES5] = 300, [MINUTES10] = 600,
	[MINUTES15] = 900, [HOUR] = 3600, [U_DAY] = DAY,
};

/* First second of the period that holds `s`. */
static int64_t start_of(enum unit unit, int64_t s)
{
	int64_t day = floor_div(s, DAY), y;
	unsigned m, d;

	if (unit <= U_DAY)
		return floor_div(s, fixed[unit]) * fixed[unit];
	if (unit == WEEK) /* 1970-01-01 was a Thursday */
		return (floor_div(day + 3, 7) * 7 - 3) * DAY;
	if (unit == WEEK_SUNDAY)
		return (floor_div(day + 4, 7) * 7 - 4) * DAY;
	evs_civil_from_days(day, &y, &m, &d);
	if (unit == QUARTER)
		m = (m - 1) / 3 * 3 + 1;
	return evs_days_from_civil(y, unit == YEAR ? 1 : m, 1) * DAY;
}

/* Times from <= x < to that begin with one `start`: those of its period, or of one day of it. Rows
 * that follow each other mostly share one, and a look at it is faster than a division. */
struct span {
	int64_t from, to; /* in units of the column */
	int64_t start;	  /* of the result */
};

/* The span that holds `x`; false when its start is out of range. */
static bool find_span(const struct x_node *n, int64_t x, struct span *out)
{
	const struct evs_type *t = &n->arg[0]->type;
	bool date = t->id == EVS_T_DATE;
	int64_t per = date ? 1 : X_NANO / evs_x_time_unit(t),
		s = date ? x * DAY : floor_div(x, per);
	int64_t len = n->op < U_DAY ? fixed[n->op] : DAY, at = floor_div(s, len) * len;

	out->start = floor_div(start_of((enum unit)n->op, s), evs_x_time_unit(&n->type) / X_NANO);
	out->from = x;
	out->to = x + date;
	if (!date && (__builtin_mul_overflow(at, per, &out->from) ||
		      __builtin_mul_overflow(at + len, per, &out->to)))
		out->from = out->to = 0; /* at the ends of 64 bits: row by row */
	return evs_x_time_fits(&n->type, out->start);
}

/* Times that follow each other in no order, of periods of `len` units each: that of x is number (x
 * - base) / len, and begins with first + number * step, or, where step is 0, with start[number]. */
struct periods {
	int64_t base, len, first, step;
	int64_t start[MAX_DAYS];
};

/* The periods between the earliest and the latest time; false: too many of them, or out of range.
 */
static bool find_periods(const struct x_args *in, const int64_t *x, struct periods *p)
{
	int64_t min = x[0], max = x[0], all;
	struct span lo, hi, at;

	for (uint32_t i = 1; i < in->rows; i++) {
		min = x[i] < min ? x[i] : min;
		max = x[i] > max ? x[i] : max;
	}
	if (!find_span(in->node, min, &lo) || !find_span(in->node, max, &hi) || lo.to <= lo.from ||
	    __builtin_sub_overflow(hi.to, lo.from, &all) || all > MAX_SPAN)
		return false;
	p->base = lo.from;
	p->len = lo.to - lo.from;
	p->first = lo.start;
	p->step = 0;
	if (in->node->op <= U_DAY) {
		p->step = fixed[in->node->op] / (in->node->type.id == EVS_T_DATE ? DAY : 1);
		return true;
	}
	if (all / p->len > MAX_DAYS)
		return false;
	for (int64_t k = 0; k < all / p->len; k++) {
		if (!find_span(in->node, p->base + k * p->len, &at))
			return false;
		p->start[k] = at.start;
	}
	return true;
}

/*
 * A product is faster than a division. It is exact: t + 1/2 is at least 1/2 away from every
 * multiple of `len`, which is more than what two roundings of a quotient can make of t below
 * MAX_SPAN.
 */
static inline __attribute__((always_inline)) void start_all(const struct periods *p,
							    const int64_t *x, uint32_t rows,
							    void *to, bool date, bool even)
{
	double inverse = 1.0 / (double)p->len;

	for (uint32_t i = 0; i < rows; i++) {
		int64_t k = (int64_t)(((double)(x[i] - p->base) + 0.5) * inverse), start;

		start = even ? p->first + k * p->step : p->start[k];
		if (date)
			((int32_t *)to)[i] = (int32_t)start;
		else
			((int64_t *)to)[i] = start;
	}
}

/* All rows at once, where they are of a few periods; false: not so. */
static bool eval_periods(const struct x_args *in, void *to)
{
	bool date = in->node->type.id == EVS_T_DATE;
	const int64_t *x = (const int64_t *)(const void *)in->arg[0].a->data;
	uint32_t n = in->rows;
	struct periods p;

	if (n < MANY || in->arg[0].scalar || in->node->arg[0]->type.id == EVS_T_DATE ||
	    !find_periods(in, x, &p))
		return false;
	if (p.step && date)
		start_all(&p, x, n, to, true, true);
	else if (p.step)
		start_all(&p, x, n, to, false, true);
	else if (date)
		start_all(&p, x, n, to, true, false);
	else
		start_all(&p, x, n, to, false, false);
	return true;
}

static int eval_start(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	bool date = in->node->type.id == EVS_T_DATE;
	void *to = evs_x_data(out);
	struct span span = { 0 };

	if (eval_periods(in, to))
		return 0;

	for (uint32_t i = 0; i < in->rows; i++) {
		int64_t x = evs_x_i64(&in->arg[0], i);
		bool ok = (x >= span.from && x < span.to) || find_span(in->node, x, &span);

		if (!ok) {
			span = (struct span){ 0 };
			if (evs_x_time_failed(v, in, out, i) < 0)
				return EVS_E_NOMEM;
		}
		if (date)
			((int32_t *)to)[i] = (int32_t)span.start;
		else
			((int64_t *)to)[i] = span.start;
	}
	return 0;
}

static int64_t part_of(enum unit part, int64_t s)
{
	int64_t day = floor_div(s, DAY), y;
	unsigned m, d;

	switch (part) {
	case P_SECOND:
		return s - floor_div(s, 60) * 60;
	case P_MINUTE:
		return (s - floor_div(s, 3600) * 3600) / 60;
	case P_HOUR:
		return (s - day * DAY) / 3600;
	case P_WEEKDAY: /* Monday 1 .. Sunday 7 */
		return day + 3 - floor_div(day + 3, 7) * 7 + 1;
	case P_DOW: /* Sunday 0 .. Saturday 6 */
		return day + 4 - floor_div(day + 4, 7) * 7;
	default:
		break;
	}
	evs_civil_from_days(day, &y, &m, &d);
	switch (part) {
	case P_YEAR:
		return y;
	case P_QUARTER:
		return (m + 2) / 3;
	case P_MONTH:
		return m;
	case P_DAY:
		return d;
	case P_DOY:
		return day - evs_days_from_civil(y, 1, 1) + 1;
	case P_YYYYMM:
		return y * 100 + m;
	default:
		return (y * 100 + m) * 100 + d;
	}
}

static int eval_part(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *from = &in->node->arg[0]->type;
	int64_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++)
		dst[i] = part_of((enum unit)in->node->op, seconds(from, &in->arg[0], i));
	return 0;
}

/* How many starts of a period lie between two times: what dateDiff() counts. */
static int eval_date_diff(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	enum unit unit = (enum unit)in->node->op;
	int64_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		int64_t s[2], y[2];
		unsigned m[2], d;

		for (int k = 0; k < 2; k++) {
			s[k] = start_of(unit, seconds(&in->node->arg[k]->type, &in->arg[k], i));
			evs_civil_from_days(floor_div(s[k], DAY), &y[k], &m[k], &d);
		}
		if (unit >= MONTH)
			dst[i] = ((y[1] - y[0]) * 12 + (int64_t)m[1] - (int64_t)m[0]) /
				 (unit == MONTH	    ? 1
				  : unit == QUARTER ? 3
						    : 12);
		else
			dst[i] = (s[1] - s[0]) / (unit == SECOND   ? 1
						  : unit == MINUTE ? 60
						  : unit == HOUR   ? 3600
						  : unit == U_DAY  ? DAY
								   : 7 * DAY);
	}
	return 0;
}

bool evs_x_time_rises(const struct x_node *n)
{
	return n->eval == eval_start || n->eval == evs_x_time_shift ||
	       (n->eval == eval_part &&
		(n->op == P_YEAR || n->op == P_YYYYMM || n->op == P_YYYYMMDD));
}

/* ---- binding --------------------------------------------------------------------------------- */

/* Index in unit_names of a constant, with or without a plural s; -1: failed. */
static int unit_arg(struct x_binder *b, const struct x_fn *f, const struct x_node *n)
{
	size_t len = 0;
	const char *s = "";

	if (evs_x_is_const(n) && n->type.id == EVS_T_STRING && !evs_x_is_const_null(n))
		s = (const char *)evs_array_bytes(&n->value, 0, &len);
	for (int i = 0; i < (int)(sizeof(unit_names) / sizeof(unit_names[0])); i++)
		if (evs_x_same_word(s, len, unit_names[i].name) ||
		    (len > 1 && (s[len - 1] | 0x20) == 's' &&
		     evs_x_same_word(s, len - 1, unit_names[i].name)))
			return i;
	evs_x_fail(
		b, n->ast,
		"%s() wants a unit in 'quotes': second, minute, hour, day, week, month, quarter, year",
		f->name);
	return -1;
}

/* A call of `eval` with the arguments fitted as times. */
static struct x_node *time_call(struct x_binder *b, const struct x_ast *a, const char *name,
				const char *sig, x_eval_fn *eval, uint8_t op, unsigned flags,
				struct x_node **arg, size_t n)
{
	const struct x_fn f = { .name = name, .sig = sig, .eval = eval, .op = op, .flags = flags };

	return evs_x_bind_fn(b, a, &f, arg, n);
}

/* date_trunc('unit', time): a Date stays one down to days. */
static struct x_node *bind_trunc(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				 struct x_node **arg, size_t n)
{
	int u = unit_arg(b, f, arg[0]);
	bool date = arg[1]->type.id == EVS_T_DATE;

	(void)n;
	if (u < 0)
		return NULL;
	if (!unit_names[u].unit)
		return evs_x_fail(b, arg[0]->ast, "times cannot be cut to this unit");
	date = date && unit_names[u].unit >= U_DAY;
	return time_call(b, a, f->name, date ? "t>D" : "t>T", eval_start,
			 (uint8_t)unit_names[u].unit, X_SECOND, arg + 1, 1);
}

static struct x_node *bind_diff(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				struct x_node **arg, size_t n)
{
	int u = unit_arg(b, f, arg[0]);

	if (u < 0)
		return NULL;
	if (!unit_names[u].unit)
		return evs_x_fail(b, arg[0]->ast, "times are not counted in this unit");
	return time_call(b, a, f->name, "tt>i", eval_date_diff, (uint8_t)unit_names[u].unit,
			 X_SECOND, arg + 1, n - 1);
}

/* extract('field', time). The epoch of a number is itself, so that extract(epoch FROM a - b) is
 * the seconds. */
static struct x_node *bind_extract(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				   struct x_node **arg, size_t n)
{
	int u = unit_arg(b, f, arg[0]);

	(void)n;
	if (u < 0)
		return NULL;
	if (unit_names[u].part == P_EPOCH) {
		struct x_node *x = arg[1];

		if (x->type.id == EVS_T_DATE)
			x = evs_x_cast_id(b, a, x, EVS_T_DATETIME, X_IMPLICIT);
		if (x && !evs_x_is_time(&x->type) && !evs_x_is_number(&x->type) &&
		    (int)x->type.id < X_T_NULL)
			return evs_x_fail(
				b, a, "the epoch of a time or of a difference of times is wanted");
		return x ? evs_x_cast_id(b, a, x, EVS_T_FLOAT64, X_IMPLICIT) : NULL;
	}
	if (!unit_names[u].part)
		return evs_x_fail(b, arg[0]->ast, "times have no such part");
	return time_call(b, a, f->name, "t>i", eval_part, (uint8_t)unit_names[u].part, X_SECOND,
			 arg + 1, 1);
}

/* toStartOfWeek(time [, mode]): Monday; with an even mode Sunday, as ClickHouse counts them. */
static struct x_node *bind_week(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				struct x_node **arg, size_t n)
{
	enum unit unit = WEEK;

	if (n == 2) {
		if (!evs_x_is_const(arg[1]) || arg[1]->type.id != EVS_T_INT64)
			return evs_x_fail(
				b, a,
				"the mode of a week is a constant: 1 begins on Monday, 0 on Sunday");
		unit = (int64_t)evs_array_int(&arg[1]->value, 0) % 2 == 0 ? WEEK_SUNDAY : WEEK;
	}
	return time_call(b, a, f->name, "t>D", eval_start, (uint8_t)unit, 0, arg, 1);
}

const struct x_fn evs_x_fns_calendar[] = {
	{ "tomonday", "t>D", eval_start, NULL, 0, WEEK, 0 },
	{ "tostartofsecond", "t>T", eval_start, NULL, 0, SECOND, 0 },
	{ "tostartofminute", "t>T", eval_start, NULL, 0, MINUTE, 0 },
	{ "tostartoffiveminutes", "t>T", eval_start, NULL, 0, MINUTES5, 0 },
	{ "tostartoftenminutes", "t>T", eval_start, NULL, 0, MINUTES10, 0 },
	{ "tostartoffifteenminutes", "t>T", eval_start, NULL, 0, MINUTES15, 0 },
	{ "tostartofhour", "t>T", eval_start, NULL, 0, HOUR, 0 },
	{ "tostartofday", "t>T", eval_start, NULL, 0, U_DAY, 0 },
	{ "tostartofweek", "t?x>D", NULL, bind_week, 0, 0, 0 },
	{ "tostartofmonth", "t>D", eval_start, NULL, 0, MONTH, 0 },
	{ "tostartofquarter", "t>D", eval_start, NULL, 0, QUARTER, 0 },
	{ "tostartofyear", "t>D", eval_start, NULL, 0, YEAR, 0 },
	{ "toyear", "t>i", eval_part, NULL, 0, P_YEAR, 0 },
	{ "toquarter", "t>i", eval_part, NULL, 0, P_QUARTER, 0 },
	{ "tomonth", "t>i", eval_part, NULL, 0, P_MONTH, 0 },
	{ "todayofmonth", "t>i", eval_part, NULL, 0, P_DAY, 0 },
	{ "todayofweek", "t>i", eval_part, NULL, 0, P_WEEKDAY, 0 },
	{ "todayofyear", "t>i", eval_part, NULL, 0, P_DOY, 0 },
	{ "tohour", "t>i", eval_part, NULL, 0, P_HOUR, 0 },
	{ "tominute", "t>i", eval_part, NULL, 0, P_MINUTE, 0 },
	{ "tosecond", "t>i", eval_part, NULL, 0, P_SECOND, 0 },
	{ "toyyyymm", "t>i", eval_part, NULL, 0, P_YYYYMM, 0 },
	{ "toyyyymmdd", "t>i", eval_part, NULL, 0, P_YYYYMMDD, 0 },
	{ "date_trunc", "xx>T", NULL, bind_trunc, 0, 0, 0 },
	{ "datetrunc", "xx>T", NULL, bind_trunc, 0, 0, 0 },
	{ "datediff", "xxx>i", NULL, bind_diff, 0, 0, 0 },
	{ "date_diff", "xxx>i", NULL, bind_diff, 0, 0, 0 },
	{ "extract", "xx>i", NULL, bind_extract, 0, 0, 0 },
	{ "date_part", "xx>i", NULL, bind_extract, 0, 0, 0 },
	{ NULL, NULL, NULL, NULL, 0, 0, 0 },
};
