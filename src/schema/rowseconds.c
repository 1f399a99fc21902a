/*
 * The second of a row, which decides its partition: as evs_row_time(), but for all years 0000 to
 * 9999.
 */
#include "format/commit.h"
#include "src/schema/schema.h"

#include <math.h>

static int64_t floor_div(int64_t v, int64_t by)
{
	return v / by - (v % by < 0);
}

static int64_t from_number(const struct evs_array *a, uint32_t row, int64_t per_second)
{
	double d;

	if (a->phys == EVS_FLOAT) {
		d = floor(evs_array_float(a, row) / (double)per_second);
		if (isnan(d))
			return EVS_TIME_NONE;
		return d > 1e15 || d < -1e15 ? INT64_MAX : (int64_t)d;
	}
	if (a->phys != EVS_INT)
		return EVS_TIME_NONE;
	if (!a->is_signed && evs_array_int(a, row) > INT64_MAX)
		return INT64_MAX;
	return floor_div((int64_t)evs_array_int(a, row), per_second);
}

static int64_t from_text(const struct evs_array *a, uint32_t row)
{
	size_t len;
	const uint8_t *s = evs_array_bytes(a, row, &len);
	unsigned digits;
	uint32_t nano;
	int64_t sec;

	return evs_time_parse((const char *)s, len, &sec, &nano, &digits) ? sec : EVS_TIME_NONE;
}

static int64_t from_native(const struct evs_type *t, int64_t v)
{
	int64_t per_second = 1;

	if (t->id == EVS_T_DATE)
		return v * 86400;
	for (unsigned i = 0; t->id == EVS_T_DATETIME64 && i < t->scale; i++)
		per_second *= 10;
	return floor_div(v, per_second);
}

int64_t evs_row_seconds(const struct evs_table *t, const struct evs_array *a, uint32_t row)
{
	if (evs_array_is_null(a, row))
		return EVS_TIME_NONE;
	switch (t->time_kind) {
	case EVS_TIME_EPOCH_S:
		return from_number(a, row, 1);
	case EVS_TIME_EPOCH_MS:
		return from_number(a, row, 1000);
	case EVS_TIME_EPOCH_US:
		return from_number(a, row, 1000000);
	case EVS_TIME_EPOCH_NS:
		return from_number(a, row, 1000000000);
	case EVS_TIME_TEXT:
		return from_text(a, row);
	default:
		return from_native(&t->cols[t->time_column].type, (int64_t)evs_array_int(a, row));
	}
}
