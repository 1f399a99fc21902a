/*
 * Zones (spec 7.5): smallest and largest value and number of nulls of one column of one group, and
 * the ZONES section that carries them.
 */
#include "format/zone.h"
#include "format/group.h"
#include "format/rule.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define F_MIN	  0x01u
#define F_MAX	  0x02u
#define F_MIN_CUT 0x04u
#define F_MAX_CUT 0x08u
#define F_SAME	  0x10u /* the maximum is the minimum and is not repeated */
#define F_KNOWN	  0x1fu

static void int_bounds(struct evs_zone *z, const struct evs_array *a)
{
	/* Flipping the sign bit lets unsigned comparison order signed numbers. */
	uint64_t flip = a->is_signed ? (uint64_t)1 << 63 : 0;
	uint64_t lo = UINT64_MAX, hi = 0;

	for (uint32_t i = 0; i < a->rows; i++) {
		uint64_t v = evs_array_int(a, i) ^ flip;

		if (evs_array_is_null(a, i))
			continue;
		lo = v < lo ? v : lo;
		hi = v > hi ? v : hi;
	}
	evs_put64(z->min, lo ^ flip);
	evs_put64(z->max, hi ^ flip);
	z->min_len = z->max_len = 8;
}

/* The two common widths without nulls, in loops that the compiler vectorises. */
static bool int_bounds_fast(struct evs_zone *z, const struct evs_array *a)
{
	if (a->nulls || !a->is_signed)
		return false;
	if (a->width == 8) {
		int64_t lo = INT64_MAX, hi = INT64_MIN, v;

		for (size_t i = 0; i < a->rows; i++) {
			memcpy(&v, a->data + i * 8, 8);
			lo = v < lo ? v : lo;
			hi = v > hi ? v : hi;
		}
		evs_put64(z->min, (uint64_t)lo);
		evs_put64(z->max, (uint64_t)hi);
	} else if (a->width == 4) {
		int32_t lo = INT32_MAX, hi = INT32_MIN, v;

		for (size_t i = 0; i < a->rows; i++) {
			memcpy(&v, a->data + i * 4, 4);
			lo = v < lo ? v : lo;
			hi = v > hi ? v : hi;
		}
		evs_put64(z->min, (uint64_t)(int64_t)lo);
		evs_put64(z->max, (uint64_t)(int64_t)hi);
	} else {
		return false;
	}
	z->min_len = z->max_len = 8;
	return true;
}

static bool float_bounds(struct evs_zone *z, const struct evs_array *a)
{
	double lo = INFINITY, hi = -INFINITY;
	uint64_t bits;

	for (uint32_t i = 0; i < a->rows; i++) {
		double v = evs_array_float(a, i);

		if (evs_array_is_null(a, i))
			continue;
		if (isnan(v))
			return false;
		lo = v < lo ? v : lo;
		hi = v > hi ? v : hi;
	}
	memcpy(&bits, &lo, 8);
	evs_put64(z->min, bits);
	memcpy(&bits, &hi, 8);
	evs_put64(z->max, bits);
	z->min_len = z->max_len = 8;
	return true;
}

static int compare(const uint8_t *p, size_t n, const uint8_t *q, size_t m)
{
	int c = memcmp(p, q, n < m ? n : m);

	return c ? c : (n > m) - (n < m);
}

/* Smallest prefix of its length that is not below any value starting with it; false: there is none.
 */
static bool round_up(uint8_t *p, uint8_t *len)
{
	while (*len && p[*len - 1] == 0xff)
		(*len)--;
	if (!*len)
		return false;
	p[*len - 1]++;
	return true;
}

/* Fewer than 8 bytes as a number that orders like them, filled up with zeros. */
static uint64_t prefix(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	assert(n < 8);
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (56 - 8 * i);
	return v;
}

/* The first 8 bytes, in one load when the array's memory reaches that far. */
static inline uint64_t row_prefix(const struct evs_array *a, const uint8_t *p, size_t n)
{
	uint64_t v;

	if (!n)
		return 0;
	if ((size_t)(p - a->data) + 8 > a->data_cap)
		return prefix(p, n);
	v = __builtin_bswap64(evs_get64(p));
	return n >= 8 ? v : v & ~(UINT64_MAX >> 8 * n);
}

struct value {
	const uint8_t *p;
	size_t n;
	uint64_t prefix;
};

/* Smallest and largest value. Most rows are passed over on their first 8 bytes. */
static void find_bounds(const struct evs_array *a, struct value *lo, struct value *hi)
{
	for (uint32_t i = 0; i < a->rows; i++) {
		struct value v;

		if (evs_array_is_null(a, i))
			continue;
		v.p = evs_array_bytes(a, i, &v.n);
		v.prefix = row_prefix(a, v.p, v.n);
		if (!lo->p)
			*lo = *hi = v;
		else if (v.prefix > lo->prefix && v.prefix < hi->prefix)
			continue;
		else if (compare(v.p, v.n, lo->p, lo->n) < 0)
			*lo = v;
		else if (compare(v.p, v.n, hi->p, hi->n) > 0)
			*hi = v;
	}
}

static void byte_bounds(struct evs_zone *z, const struct evs_array *a)
{
	struct value lo = { 0 }, hi = { 0 };

	find_bounds(a, &lo, &hi);
	assert(lo.p); /* some row is present */
	z->min_cut = lo.n > EVS_MAX_ZONE_VALUE;
	z->max_cut = hi.n > EVS_MAX_ZONE_VALUE;
	z->min_len = (uint8_t)(z->min_cut ? EVS_MAX_ZONE_VALUE : lo.n);
	z->max_len = (uint8_t)(z->max_cut ? EVS_MAX_ZONE_VALUE : hi.n);
	memcpy(z->min, lo.p, z->min_len);
	memcpy(z->max, hi.p, z->max_len);
	if (z->max_cut && !round_up(z->max, &z->max_len))
		z->has_max = z->max_cut = false;
}

bool evs_zone_of(struct evs_zone *z, const struct evs_array *a)
{
	if (!a->rows || a->nchild)
		return false;
	z->nulls = a->nulls;
	z->has_min = z->has_max = a->nulls < a->rows;
	z->min_cut = z->max_cut = false;
	z->min_len = z->max_len = 0;
	memset(z->min, 0, sizeof(z->min));
	memset(z->max, 0, sizeof(z->max));
	if (!z->has_min)
		return true;
	switch (a->phys) {
	case EVS_INT:
		if (!int_bounds_fast(z, a))
			int_bounds(z, a);
		return true;
	case EVS_FLOAT:
		return float_bounds(z, a);
	default:
		byte_bounds(z, a);
		return true;
	}
}

bool evs_zone_one_value(const struct evs_zone *z)
{
	return z->has_min && z->has_max && !z->min_cut && !z->max_cut && z->min_len == z->max_len &&
	       !memcmp(z->min, z->max, z->min_len);
}

void evs_zones_encode(const struct evs_zone *z, uint32_t n, struct evs_buf *out)
{
	evs_buf_put_varint(out, n);
	for (uint32_t i = 0; i < n; i++, z++) {
		unsigned flags = (z->has_min ? F_MIN : 0) | (z->has_max ? F_MAX : 0) |
				 (z->min_cut ? F_MIN_CUT : 0) | (z->max_cut ? F_MAX_CUT : 0) |
				 (evs_zone_one_value(z) ? F_SAME : 0);

		evs_buf_put_varint(out, z->group);
		evs_buf_put_varint(out, z->column);
		evs_buf_put_u8(out, (uint8_t)flags);
		evs_buf_put_varint(out, z->nulls);
		if (flags & F_MIN) {
			evs_buf_put_u8(out, z->min_len);
			evs_buf_put(out, z->min, z->min_len);
		}
		if (flags & F_MAX && !(flags & F_SAME)) {
			evs_buf_put_u8(out, z->max_len);
			evs_buf_put(out, z->max, z->max_len);
		}
	}
}

static bool get_value(struct evs_cur *s, uint8_t *v, uint8_t *len)
{
	const uint8_t *p;

	if (!evs_cur_u8(s, len) || *len > EVS_MAX_ZONE_VALUE || !evs_cur_bytes(s, *len, &p))
		return false;
	if (s->end - p >= (ptrdiff_t)EVS_MAX_ZONE_VALUE) /* of one size: no call */
		memcpy(v, p, EVS_MAX_ZONE_VALUE);
	else
		memcpy(v, p, *len);
	return true;
}

static bool flags_ok(unsigned f)
{
	if (f & ~F_KNOWN || (f & F_MIN_CUT && !(f & F_MIN)) || (f & F_MAX_CUT && !(f & F_MAX)))
		return false;
	return !(f & F_SAME) || (f & (F_KNOWN & ~F_SAME)) == (F_MIN | F_MAX);
}

static int decode_zone(struct evs_zone *z, const struct evs_commit *c, struct evs_cur *s,
		       const char **why)
{
	uint64_t group, column, nulls;
	uint8_t flags;

	if (!evs_cur_varint(s, &group) || group >= c->ngroups || !evs_cur_varint(s, &column) ||
	    column >= EVS_MAX_COLUMNS)
		return evs_rule(why, EVS_E_FORMAT, "7.5-2 group or column of a zone");
	if (!evs_cur_u8(s, &flags) || !flags_ok(flags))
		return evs_rule(why, EVS_E_FORMAT, "7.5-3 flags of a zone");
	if (!evs_cur_varint(s, &nulls) || nulls > c->groups[group].rows)
		return evs_rule(why, EVS_E_FORMAT, "7.5-4 nulls of a zone");
	z->group = (uint32_t)group;
	z->column = (uint16_t)column;
	z->nulls = (uint32_t)nulls;
	z->has_min = flags & F_MIN;
	z->has_max = flags & F_MAX;
	z->min_cut = flags & F_MIN_CUT;
	z->max_cut = flags & F_MAX_CUT;
	z->min_len = z->max_len = 0;
	if (z->has_min && !get_value(s, z->min, &z->min_len))
		return evs_rule(why, EVS_E_FORMAT, "7.5-5 value of a zone");
	if (flags & F_SAME) {
		memcpy(z->max, z->min, sizeof(z->max));
		z->max_len = z->min_len;
	} else if (z->has_max && !get_value(s, z->max, &z->max_len)) {
		return evs_rule(why, EVS_E_FORMAT, "7.5-5 value of a zone");
	}
	return 0;
}

int evs_zones_decode(struct evs_commit *c, struct evs_cur *s, const char **why)
{
	uint64_t count, place, before = 0;

	/* Four bytes are the least that a zone takes, which bounds the allocation. */
	if (!evs_cur_varint(s, &count) || count > EVS_MAX_ZONES || count > evs_cur_left(s) / 4)
		return evs_rule(why, EVS_E_FORMAT, "7.5-1 number of zones");
	c->zones = malloc((count ? (size_t)count : 1) * sizeof(*c->zones));
	if (!c->zones)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < count; i++) {
		int rc = decode_zone(&c->zones[i], c, s, why);

		if (rc < 0)
			return rc;
		place = (uint64_t)c->zones[i].group << 16 | c->zones[i].column;
		if (i && place <= before)
			return evs_rule(why, EVS_E_FORMAT, "7.5-6 zones out of order");
		before = place;
	}
	if (evs_cur_left(s))
		return evs_rule(why, EVS_E_FORMAT, "7.5-7 bytes behind the last zone");
	c->nzones = (uint32_t)count;
	return 0;
}
