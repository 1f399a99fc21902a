/*
 * The time of a row, in nanoseconds, from whatever kind of column the schema names for it. Times
 * outside of what 64 bits of nanoseconds hold (1677-09-21 to 2262-04-11) become the nearest one
 * that they do: the value in the column is untouched, only the choice of partition and the time
 * bounds see it.
 */
#include "src/schema/schema.h"

#include "format/commit.h"

#include <math.h>

#define NS 1000000000

static int64_t saturate(bool negative)
{
	return negative ? EVS_TIME_NONE + 1 : INT64_MAX;
}

/* v * mul, saturating. `mul` > 0. */
static int64_t scale_up(int64_t v, int64_t mul)
{
	if (v > INT64_MAX / mul || v < -(INT64_MAX / mul))
		return saturate(v < 0);
	return v * mul;
}

static int64_t from_double(double v, double mul)
{
	double ns = v * mul;

	if (isnan(ns))
		return EVS_TIME_NONE;
	if (ns >= 9223372036854774784.0 || ns <= -9223372036854774784.0)
		return saturate(ns < 0);
	return (int64_t)llround(ns);
}

static int64_t pow10_of(unsigned e)
{
	int64_t v = 1;

	while (e--)
		v *= 10;
	return v;
}

static int64_t native(const struct evs_type *t, int64_t v)
{
	if (t->id == EVS_T_DATE)
		return scale_up(v, (int64_t)86400 * NS);
	return scale_up(v,
			pow10_of(9u - (t->id == EVS_T_DATETIME || t->scale > 9 ? 0u : t->scale)));
}

static int64_t from_text(const struct evs_array *a, uint32_t row)
{
	size_t len;
	const uint8_t *s = evs_array_bytes(a, row, &len);
	unsigned digits;
	uint32_t nano;
	int64_t sec, ns;

	if (!evs_time_parse((const char *)s, len, &sec, &nano, &digits))
		return EVS_TIME_NONE;
	ns = scale_up(sec, NS);
	if (ns > INT64_MAX - (int64_t)nano)
		return INT64_MAX;
	return ns == saturate(true) ? ns : ns + (int64_t)nano;
}

static int64_t from_epoch(const struct evs_array *a, uint32_t row, enum evs_time_kind kind)
{
	int64_t mul = kind == EVS_TIME_EPOCH_S	  ? NS
		      : kind == EVS_TIME_EPOCH_MS ? 1000000
		      : kind == EVS_TIME_EPOCH_US ? 1000
						  : 1;
	uint64_t v;

	if (a->phys == EVS_FLOAT)
		return from_double(evs_array_float(a, row), (double)mul);
	if (a->phys != EVS_INT)
		return EVS_TIME_NONE;
	v = evs_array_int(a, row);
	if (!a->is_signed && v > INT64_MAX)
		return INT64_MAX;
	return scale_up((int64_t)v, mul);
}

int64_t evs_row_time(const struct evs_table *t, const struct evs_array *a, uint32_t row)
{
	if (evs_array_is_null(a, row))
		return EVS_TIME_NONE;
	switch (t->time_kind) {
	case EVS_TIME_NATIVE:
	case EVS_TIME_ARRIVAL:
		return native(&t->cols[t->time_column].type, (int64_t)evs_array_int(a, row));
	case EVS_TIME_TEXT:
		return from_text(a, row);
	default:
		return from_epoch(a, row, t->time_kind);
	}
}
