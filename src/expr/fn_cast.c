/*
 * Conversions between numbers, and the choice of the function for any pair of types. Text is in
 * fn_cast_text.c, times are in fn_cast_time.c, JSON is in fn_json.c.
 *
 * node->op is enum x_cast: a value that does not fit is a failed row, or NULL with X_TRY. A
 * fraction is cut off where the user asked for an integer, and is a failure in X_ASSIGN.
 */
#include "src/expr/fn_cast.h"

#include "src/json/json.h"

#include <string.h>

static const char does_not_fit[] = "the value does not fit the type";

int evs_x_cast_failed(struct evs_eval *v, const struct x_args *in, struct x_vec *out, uint32_t i,
		      const char *why)
{
	if (evs_x_any_null(in, i))
		return 0;
	if (in->node->op == X_TRY)
		return evs_x_null(out, i);
	return evs_x_bad(v, in, out, i, why);
}

void evs_x_put_int(struct x_vec *out, uint32_t i, int64_t value)
{
	uint8_t *p = evs_x_data(out);

	switch (out->a->width) {
	case 1:
		p[i] = (uint8_t)value;
		break;
	case 2:
		memcpy(p + (size_t)i * 2, &(uint16_t){ (uint16_t)value }, 2);
		break;
	case 4:
		memcpy(p + (size_t)i * 4, &(uint32_t){ (uint32_t)value }, 4);
		break;
	default:
		memcpy(p + (size_t)i * 8, &value, 8);
	}
}

bool evs_x_int_fits(const struct evs_type *t, x_i128 value)
{
	unsigned bits;

	switch (t->id) {
	case EVS_T_BOOL:
		return value == 0 || value == 1;
	case EVS_T_ENUM:
		return value >= INT16_MIN && value <= INT16_MAX &&
		       evs_enum_by_value(t, (int16_t)value);
	case EVS_T_DATE:
	case EVS_T_DATETIME:
	case EVS_T_DATETIME64:
		return evs_x_time_fits(t, value);
	case EVS_T_IPV4:
		return value >= 0 && value <= UINT32_MAX;
	default:
		break;
	}
	if (evs_x_is_unsigned(t)) {
		bits = 8u << (t->id - EVS_T_UINT8);
		return value >= 0 && value < (x_i128)1 << bits;
	}
	bits = 8u << (t->id - EVS_T_INT8);
	return value >= -((x_i128)1 << (bits - 1)) && value < (x_i128)1 << (bits - 1);
}

static x_i128 int_value(const struct x_vec *x, uint32_t i)
{
	uint64_t v = evs_array_int(x->a, evs_x_at(x, i));

	return x->a->is_signed ? (x_i128)(int64_t)v : (x_i128)v;
}

/* To a wider integer that holds every value: no checks. */
static int widen(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct x_vec *x = &in->arg[0];
	int64_t *dst = evs_x_data(out);
	const uint8_t *p = x->a->data;

	(void)v;
	if (x->a->width == 4 && x->a->is_signed && !x->scalar) {
		for (uint32_t i = 0; i < in->rows; i++)
			dst[i] = ((const int32_t *)(const void *)p)[i];
	} else if (x->a->width == 4 && !x->scalar) {
		for (uint32_t i = 0; i < in->rows; i++)
			dst[i] = ((const uint32_t *)(const void *)p)[i];
	} else {
		for (uint32_t i = 0; i < in->rows; i++)
			dst[i] = evs_x_i64(x, i);
	}
	return 0;
}

/* Integer, Bool, Enum, IPv4 to another of them. */
static int int_to_int(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *t = &in->node->type;

	for (uint32_t i = 0; i < in->rows; i++) {
		x_i128 value = int_value(&in->arg[0], i);
		bool ok = t->id == EVS_T_BOOL || evs_x_int_fits(t, value);

		evs_x_put_int(out, i, t->id == EVS_T_BOOL ? value != 0 : ok ? (int64_t)value : 0);
		if (!ok && evs_x_cast_failed(v, in, out, i, does_not_fit) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static int to_float(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *from = &in->node->arg[0]->type;
	bool narrow = out->a->width == 4;

	for (uint32_t i = 0; i < in->rows; i++) {
		const struct x_vec *x = &in->arg[0];
		bool ok = true;
		double d;

		if (from->id == EVS_T_DECIMAL)
			d = evs_x_decimal_to_double(evs_x_decimal(x, i), from->scale);
		else if (evs_x_is_float(from))
			d = evs_x_f64(x, i);
		else
			d = (double)int_value(x, i);
		if (narrow) {
			ok = d <= 3.4028234663852886e38 && d >= -3.4028234663852886e38;
			((float *)evs_x_data(out))[i] = ok ? (float)d : 0;
		} else {
			((double *)evs_x_data(out))[i] = d;
		}
		if (!ok && evs_x_cast_failed(v, in, out, i, does_not_fit) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* Float or Decimal to an integer type. */
static int to_int(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *from = &in->node->arg[0]->type, *t = &in->node->type;
	bool exact = in->node->op == X_ASSIGN;

	for (uint32_t i = 0; i < in->rows; i++) {
		x_i128 value = 0, f = 1;
		bool ok = true;

		if (from->id == EVS_T_DECIMAL) {
			value = evs_x_decimal(&in->arg[0], i);
			f = evs_x_pow10(from->scale);
			ok = !exact || value % f == 0;
			value /= f;
		} else {
			double d = evs_x_f64(&in->arg[0], i);

			ok = d < 1e38 && d > -1e38;
			value = ok ? (x_i128)d : 0;
			ok = ok && (!exact || (double)value == d);
		}
		if (t->id == EVS_T_BOOL) {
			evs_x_put_int(out, i, value != 0);
			continue;
		}
		ok = ok && evs_x_int_fits(t, value);
		evs_x_put_int(out, i, ok ? (int64_t)value : 0);
		if (!ok && evs_x_cast_failed(v, in, out, i, does_not_fit) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

double evs_x_decimal_to_double(x_i128 value, unsigned scale)
{
	char buf[64];
	size_t n = sizeof(buf);
	bool minus = value < 0;
	x_u128 u = minus ? -(x_u128)value : (x_u128)value;
	double d = 0;

	/* Through text, which rounds once. */
	buf[--n] = (char)('0' + scale % 10);
	buf[--n] = (char)('0' + scale / 10);
	buf[--n] = '-';
	buf[--n] = 'e';
	do {
		buf[--n] = (char)('0' + (int)(u % 10));
		u /= 10;
	} while (u);
	if (minus)
		buf[--n] = '-';
	evs_double_parse(buf + n, sizeof(buf) - n, &d);
	return d;
}

bool evs_x_double_to_decimal(double d, unsigned scale, unsigned precision, x_i128 *out)
{
	char buf[40];
	size_t n, e, len;
	int exponent = 0;
	unsigned digits;

	/* The shortest text of the number is what is meant: 0.1 is 0.10, not
	 * 0.1000000000000000055. */
	len = evs_double_print(d, buf);
	for (e = 0; e < len && (buf[e] | 0x20) != 'e'; e++)
		;
	for (n = e + 1; n < len; n++)
		if (buf[n] >= '0' && buf[n] <= '9')
			exponent = exponent * 10 + (buf[n] - '0');
	if (e + 1 < len && buf[e + 1] == '-')
		exponent = -exponent;
	if (!evs_x_decimal_parse(buf, e, out, &digits))
		return false;
	if (exponent >= 0 && (unsigned)exponent <= digits)
		return evs_x_rescale(*out, digits - (unsigned)exponent, scale, precision, out);
	if (exponent > 0) {
		unsigned up = (unsigned)exponent - digits;

		return up <= 38 && evs_x_rescale(*out, 0, up, 38, out) &&
		       evs_x_rescale(*out, 0, scale, precision, out);
	}
	digits += (unsigned)-exponent;
	if (digits > 38 + 20) { /* smaller than anything that scale can show */
		*out = 0;
		return true;
	}
	while (digits > 38) {
		*out /= 10;
		digits--;
	}
	return evs_x_rescale(*out, digits, scale, precision, out);
}

static int to_decimal(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *from = &in->node->arg[0]->type, *t = &in->node->type;

	for (uint32_t i = 0; i < in->rows; i++) {
		const struct x_vec *x = &in->arg[0];
		x_i128 value = 0;
		bool ok;

		if (evs_x_is_float(from))
			ok = evs_x_double_to_decimal(evs_x_f64(x, i), t->scale, t->precision,
						     &value);
		else if (from->id == EVS_T_DECIMAL)
			ok = evs_x_rescale(evs_x_decimal(x, i), from->scale, t->scale, t->precision,
					   &value);
		else
			ok = evs_x_rescale(int_value(x, i), 0, t->scale, t->precision, &value);
		evs_x_put_decimal(out, i, ok ? value : 0);
		if (!ok && evs_x_cast_failed(v, in, out, i, does_not_fit) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* Enum to another enum, by name. */
static int enum_to_enum(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *from = &in->node->arg[0]->type, *t = &in->node->type;

	for (uint32_t i = 0; i < in->rows; i++) {
		const struct evs_enum_item *it =
			evs_enum_by_value(from, (int16_t)evs_x_i64(&in->arg[0], i));

		it = it ? evs_enum_by_name(t, it->name, it->len) : NULL;
		evs_x_put_int(out, i, it ? it->value : 0);
		if (!it && evs_x_cast_failed(v, in, out, i, "this value is not in the enum") < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* FixedString to a wider one. */
static int widen_fixed(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	size_t w = out->a->width;

	for (uint32_t i = 0; i < in->rows; i++) {
		uint8_t *dst = (uint8_t *)evs_x_data(out) + i * w;
		size_t n;
		const char *s = evs_x_text(&in->arg[0], i, &n);

		while (n > w && !s[n - 1])
			n--;
		memset(dst, 0, w);
		memcpy(dst, s, n < w ? n : w);
		if (n > w && evs_x_cast_failed(v, in, out, i, does_not_fit) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static bool is_intlike(const struct evs_type *t)
{
	return evs_x_is_int(t) || t->id == EVS_T_BOOL || t->id == EVS_T_ENUM || t->id == EVS_T_IPV4;
}

x_eval_fn *evs_x_cast_fn(const struct evs_type *from, const struct evs_type *to)
{
	if (to->id == EVS_T_STRING)
		return evs_x_cast_to_text(from);
	if (from->id == EVS_T_STRING)
		return evs_x_cast_from_text(to);
	if (from->id == EVS_T_JSON)
		return evs_x_cast_from_json(to);
	if (to->id == EVS_T_JSON)
		return evs_x_cast_to_json;
	if (evs_x_is_time(from) || evs_x_is_time(to))
		return evs_x_cast_time_fn(from, to);
	if (is_intlike(from) &&
	    (to->id == EVS_T_INT64 || (to->id == EVS_T_UINT64 && evs_x_is_unsigned(from))) &&
	    from->id != EVS_T_UINT64)
		return widen;
	if (from->id == EVS_T_ENUM && to->id == EVS_T_ENUM)
		return enum_to_enum;
	if (is_intlike(from) && is_intlike(to))
		return int_to_int;
	if ((evs_x_is_number(from) || from->id == EVS_T_BOOL) && evs_x_is_float(to))
		return to_float;
	if ((evs_x_is_float(from) || from->id == EVS_T_DECIMAL) &&
	    (evs_x_is_int(to) || to->id == EVS_T_BOOL))
		return to_int;
	if ((evs_x_is_number(from) || from->id == EVS_T_BOOL) && to->id == EVS_T_DECIMAL)
		return to_decimal;
	if (from->id == EVS_T_FIXEDSTRING && to->id == EVS_T_FIXEDSTRING)
		return widen_fixed;
	return from->id == EVS_T_ARRAY && to->id == EVS_T_ARRAY ? evs_x_cast_array : NULL;
}
