/*
 * The table of spec/schema.md 6: every value that the old type holds must have a place in the new
 * one.
 */
#include "src/schema/widen.h"

#include "src/schema/type.h"

#include <string.h>

/* Bits of magnitude and sign of an integer type. */
static unsigned int_bits(enum evs_type_id id)
{
	static const uint8_t bits[] = {
		[EVS_T_INT8] = 7,  [EVS_T_INT16] = 15,	[EVS_T_INT32] = 31,  [EVS_T_INT64] = 63,
		[EVS_T_UINT8] = 8, [EVS_T_UINT16] = 16, [EVS_T_UINT32] = 32, [EVS_T_UINT64] = 64
	};

	return bits[id];
}

static bool is_signed(enum evs_type_id id)
{
	return id <= EVS_T_INT64;
}

static bool int_fits(const struct evs_type *from, const struct evs_type *to)
{
	if (is_signed(from->id) && !is_signed(to->id))
		return false;
	return int_bits(from->id) <= int_bits(to->id);
}

/* Decimal digits that any value of the type fits in. */
static unsigned int_digits(enum evs_type_id id)
{
	unsigned bits = int_bits(id);

	return bits <= 8 ? 3 : bits <= 16 ? 5 : bits <= 32 ? 10 : bits == 63 ? 19 : 20;
}

static enum evs_widening from_int(const struct evs_type *from, const struct evs_type *to)
{
	if (evs_type_is_int(to))
		return int_fits(from, to) ? EVS_WIDEN_INT : EVS_WIDEN_NONE;
	if (to->id == EVS_T_FLOAT64 &&
	    int_bits(from->id) <= 32) /* 64 bits pass the 53 of a double */
		return EVS_WIDEN_INT_FLOAT;
	if (to->id == EVS_T_FLOAT32 && int_bits(from->id) <= 16)
		return EVS_WIDEN_INT_FLOAT;
	if (to->id == EVS_T_DECIMAL &&
	    (unsigned)(to->precision - to->scale) >= int_digits(from->id))
		return EVS_WIDEN_INT_DECIMAL;
	return EVS_WIDEN_NONE;
}

/* Same names for the same numbers; the new one may have more. */
static bool enum_grew(const struct evs_type *from, const struct evs_type *to)
{
	for (unsigned i = 0; i < from->nitems; i++) {
		const struct evs_enum_item *a = &from->items[i];
		const struct evs_enum_item *b = evs_enum_by_value(to, a->value);

		if (!b || b->len != a->len || memcmp(a->name, b->name, a->len) != 0)
			return false;
	}
	return true;
}

static bool inner(const struct evs_type *from, const struct evs_type *to)
{
	return (!from->nullable || to->nullable) && evs_widen(from, to) != EVS_WIDEN_NONE;
}

static bool decimal_fits(const struct evs_type *from, const struct evs_type *to)
{
	return to->scale >= from->scale &&
	       to->precision - to->scale >= from->precision - from->scale;
}

/*
 * Times go from year 0000 to 9999. With up to 7 digits all of them fit in 64 bits, with 8 and 9
 * they do not, so no column that is there already may become one.
 */
static bool digits_fit(unsigned have, unsigned want)
{
	return have == want || (have < want && want <= 7);
}

static enum evs_widening same_kind(const struct evs_type *from, const struct evs_type *to)
{
	switch (from->id) {
	case EVS_T_ENUM:
		return enum_grew(from, to) ? EVS_WIDEN_SAME : EVS_WIDEN_NONE;
	case EVS_T_DECIMAL:
		return decimal_fits(from, to) ? EVS_WIDEN_DECIMAL : EVS_WIDEN_NONE;
	case EVS_T_DATETIME64:
		return digits_fit(from->scale, to->scale) ? EVS_WIDEN_TIME : EVS_WIDEN_NONE;
	case EVS_T_FIXEDSTRING:
		return from->width <= to->width ? EVS_WIDEN_FIXED : EVS_WIDEN_NONE;
	case EVS_T_ARRAY:
		return inner(from->elem[0], to->elem[0]) ? EVS_WIDEN_ARRAY : EVS_WIDEN_NONE;
	case EVS_T_MAP:
		return inner(from->elem[1], to->elem[1]) ? EVS_WIDEN_MAP : EVS_WIDEN_NONE;
	default:
		return EVS_WIDEN_SAME;
	}
}

static bool equal_bare(const struct evs_type *a, const struct evs_type *b)
{
	struct evs_type x = *a, y = *b;

	x.nullable = y.nullable = false;
	return evs_type_equal(&x, &y);
}

enum evs_widening evs_widen(const struct evs_type *from, const struct evs_type *to)
{
	if (equal_bare(from, to))
		return EVS_WIDEN_SAME;
	if (to->id == EVS_T_JSON)
		return EVS_WIDEN_JSON;
	if (from->id == to->id)
		return same_kind(from, to);
	if (to->id == EVS_T_STRING && from->id != EVS_T_ARRAY && from->id != EVS_T_MAP &&
	    from->id != EVS_T_JSON)
		return EVS_WIDEN_STRING;
	if (evs_type_is_int(from))
		return from_int(from, to);
	if (from->id == EVS_T_FLOAT32 && to->id == EVS_T_FLOAT64)
		return EVS_WIDEN_FLOAT;
	if (from->id == EVS_T_DATETIME && to->id == EVS_T_DATETIME64 && digits_fit(0, to->scale))
		return EVS_WIDEN_TIME;
	return EVS_WIDEN_NONE;
}
