/*
 * Decimals: 128-bit integers with a scale, in 8 bytes up to 18 digits and in 16 beyond.
 */
#include "src/expr/fn_cast.h"

#include <string.h>

x_i128 evs_x_pow10(unsigned n)
{
	x_i128 v = 1;

	while (n--)
		v *= 10;
	return v;
}

x_i128 evs_x_decimal(const struct x_vec *x, uint32_t i)
{
	const uint8_t *p;

	if (x->a->phys == EVS_INT)
		return evs_x_i64(x, i);
	p = x->a->data + (size_t)evs_x_at(x, i) * 16;
	return (x_i128)((x_u128)evs_get64(p + 8) << 64 | evs_get64(p));
}

void evs_x_put_decimal(struct x_vec *out, uint32_t i, x_i128 v)
{
	uint8_t *p = evs_x_data(out);

	if (out->a->phys == EVS_INT) {
		memcpy(p + (size_t)i * 8, &(int64_t){ (int64_t)v }, 8);
		return;
	}
	p += (size_t)i * 16;
	evs_put64(p, (uint64_t)v);
	evs_put64(p + 8, (uint64_t)((x_u128)v >> 64));
}

bool evs_x_decimal_parse(const char *s, size_t len, x_i128 *v, unsigned *scale)
{
	bool minus = len && *s == '-', point = false;
	size_t i = len && (*s == '-' || *s == '+'), digits = 0, any = 0;

	*v = 0;
	*scale = 0;
	for (; i < len; i++) {
		if (s[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (s[i] < '0' || s[i] > '9')
			return false;
		any++;
		if (digits || s[i] != '0')
			digits++;
		*scale += point;
		if (digits > 38 || *scale > 38)
			return false;
		*v = *v * 10 + (s[i] - '0');
	}
	if (minus)
		*v = -*v;
	return any > 0;
}

bool evs_x_rescale(x_i128 v, unsigned from, unsigned to, unsigned precision, x_i128 *out)
{
	x_i128 limit = evs_x_pow10(precision), f;

	if (to >= from) {
		f = evs_x_pow10(to - from);
		if (v >= 0 ? v > (limit - 1) / f : v < -((limit - 1) / f))
			return false;
		*out = v * f;
		return true;
	}
	f = evs_x_pow10(from - to);
	*out = v / f;
	v %= f;
	if ((v < 0 ? -v : v) >= f - (v < 0 ? -v : v)) /* half and more: away from zero */
		*out += v < 0 ? -1 : 1;
	return *out<limit && * out> - limit;
}
