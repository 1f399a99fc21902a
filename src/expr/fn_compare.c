/*
 * Comparison loops. Operands of one integer or float type have loops per width that the compiler
 * unrolls; mixed pairs (UInt64 with Int64, integers with floats, times of different scales,
 * Decimals) compare exactly.
 */
#include "src/expr/expr_node.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

static inline bool holds(unsigned op, int c)
{
	switch (op) {
	case X_EQ:
		return c == 0;
	case X_NE:
		return c != 0;
	case X_LT:
		return c < 0;
	case X_LE:
		return c <= 0;
	case X_GT:
		return c > 0;
	default:
		return c >= 0;
	}
}

INLINE int64_t load(const uint8_t *p, unsigned width, bool is_signed, uint32_t i)
{
	int64_t v64;
	int32_t v32;
	int16_t v16;

	switch (width) {
	case 1:
		return is_signed ? (int8_t)p[i] : p[i];
	case 2:
		memcpy(&v16, p + (size_t)i * 2, 2);
		return is_signed ? v16 : (uint16_t)v16;
	case 4:
		memcpy(&v32, p + (size_t)i * 4, 4);
		return is_signed ? v32 : (int64_t)(uint32_t)v32;
	default:
		memcpy(&v64, p + (size_t)i * 8, 8);
		/* the top bit flipped, unsigned numbers order as signed ones do */
		return is_signed ? v64 : (int64_t)((uint64_t)v64 ^ (uint64_t)1 << 63);
	}
}

/* One loop for each operator; width, sign and steps are constants where this is inlined. */
INLINE void loop_int(const struct x_args *in, uint8_t *dst, unsigned width, bool is_signed,
		     uint32_t rs)
{
	const uint8_t *l = in->arg[0].a->data, *r = in->arg[1].a->data;
	uint32_t n = in->rows;

	switch (in->node->op) {
	case X_EQ:
		for (uint32_t i = 0; i < n; i++)
			dst[i] = load(l, width, is_signed, i) == load(r, width, is_signed, i * rs);
		break;
	case X_NE:
		for (uint32_t i = 0; i < n; i++)
			dst[i] = load(l, width, is_signed, i) != load(r, width, is_signed, i * rs);
		break;
	case X_LT:
		for (uint32_t i = 0; i < n; i++)
			dst[i] = load(l, width, is_signed, i) < load(r, width, is_signed, i * rs);
		break;
	case X_LE:
		for (uint32_t i = 0; i < n; i++)
			dst[i] = load(l, width, is_signed, i) <= load(r, width, is_signed, i * rs);
		break;
	case X_GT:
		for (uint32_t i = 0; i < n; i++)
			dst[i] = load(l, width, is_signed, i) > load(r, width, is_signed, i * rs);
		break;
	default:
		for (uint32_t i = 0; i < n; i++)
			dst[i] = load(l, width, is_signed, i) >= load(r, width, is_signed, i * rs);
	}
}

INLINE void loop_sign(const struct x_args *in, uint8_t *dst, unsigned width)
{
	bool is_signed = in->arg[0].a->is_signed;

	if (is_signed && in->arg[1].scalar)
		loop_int(in, dst, width, true, 0);
	else if (is_signed)
		loop_int(in, dst, width, true, 1);
	else if (in->arg[1].scalar)
		loop_int(in, dst, width, false, 0);
	else
		loop_int(in, dst, width, false, 1);
}

/* Two INT arrays of one shape. */
static int compare_int(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	uint8_t *dst = evs_x_data(out);

	(void)v;
	if (in->arg[0].scalar && !in->arg[1].scalar) { /* rare: now() on the left */
		for (uint32_t i = 0; i < in->rows; i++)
			dst[i] = holds(in->node->op,
				       evs_array_compare(in->arg[0].a, 0, in->arg[1].a, i));
		return 0;
	}
	switch (in->arg[0].a->width) {
	case 1:
		loop_sign(in, dst, 1);
		break;
	case 2:
		loop_sign(in, dst, 2);
		break;
	case 4:
		loop_sign(in, dst, 4);
		break;
	default:
		loop_sign(in, dst, 8);
	}
	return 0;
}

static int compare_float(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	uint8_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		double l = evs_x_f64(&in->arg[0], i), r = evs_x_f64(&in->arg[1], i);

		dst[i] = holds(in->node->op, (l > r) - (l < r));
	}
	return 0;
}

/* Anything of one shape. */
static int compare_any(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct x_vec *l = &in->arg[0], *r = &in->arg[1];
	uint8_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++)
		dst[i] = holds(in->node->op,
			       evs_array_compare(l->a, evs_x_at(l, i), r->a, evs_x_at(r, i)));
	return 0;
}

/* Two FIXED arrays of UUIDs: as two numbers each. */
static void equal_ids(const struct x_args *in, uint8_t *dst, bool eq)
{
	const uint8_t *l = in->arg[0].a->data, *r = in->arg[1].a->data;
	size_t ls = in->arg[0].scalar ? 0 : 16, rs = in->arg[1].scalar ? 0 : 16;

	for (uint32_t i = 0; i < in->rows; i++, l += ls, r += rs) {
		uint64_t x[2], y[2];

		memcpy(x, l, sizeof(x));
		memcpy(y, r, sizeof(y));
		dst[i] = (((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0) == eq;
	}
}

static bool is_id(const struct evs_array *a)
{
	return a->phys == EVS_FIXED && a->width == 16;
}

/* BYTES and FIXED: equality looks at lengths first. */
static int compare_text(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	unsigned op = in->node->op;
	uint8_t *dst = evs_x_data(out);

	if (op != X_EQ && op != X_NE)
		return compare_any(v, in, out);
	if (is_id(in->arg[0].a) && is_id(in->arg[1].a)) {
		equal_ids(in, dst, op == X_EQ);
		return 0;
	}
	for (uint32_t i = 0; i < in->rows; i++) {
		size_t ln, rn;
		const char *l = evs_x_text(&in->arg[0], i, &ln),
			   *r = evs_x_text(&in->arg[1], i, &rn);

		dst[i] = (ln == rn && !memcmp(l, r, ln)) == (op == X_EQ);
	}
	return 0;
}

bool evs_x_holds(enum x_op op, int c)
{
	return holds(op, c);
}

/* Int64 with UInt64, either way round. */
static int compare_mixed(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	uint8_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		const struct evs_array *l = in->arg[0].a, *r = in->arg[1].a;
		uint64_t x = (uint64_t)evs_x_i64(&in->arg[0], i),
			 y = (uint64_t)evs_x_i64(&in->arg[1], i);
		bool xn = l->is_signed && (int64_t)x < 0, yn = r->is_signed && (int64_t)y < 0;
		int c = xn != yn ? (xn ? -1 : 1) : (x > y) - (x < y);

		dst[i] = holds(in->node->op, c);
	}
	return 0;
}

/* Exact: an integer, by its sign, with a double. NaN, which a row without a value may hold, is
 * greater than all. */
int evs_x_compare_int_float(uint64_t bits, bool is_signed, double d)
{
	x_i128 v = is_signed ? (x_i128)(int64_t)bits : (x_i128)bits, w;

	if (!(d < 18446744073709551616.0))
		return -1;
	if (d < -9223372036854775808.0)
		return 1;
	w = (x_i128)d; /* towards zero; what was cut off decides a tie */
	if (v != w)
		return v < w ? -1 : 1;
	return ((double)w > d) - ((double)w < d);
}

static int compare_int_float(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	bool int_left = in->arg[0].a->phys == EVS_INT;
	const struct x_vec *n = &in->arg[int_left ? 0 : 1], *f = &in->arg[int_left ? 1 : 0];
	uint8_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		int c = evs_x_compare_int_float((uint64_t)evs_x_i64(n, i), n->a->is_signed,
						evs_x_f64(f, i));

		dst[i] = holds(in->node->op, int_left ? c : -c);
	}
	return 0;
}

/* The digits that decimals allow for were checked when binding; the scaled values fit. */
static int compare_decimal(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	unsigned ls = in->node->arg[0]->type.scale, rs = in->node->arg[1]->type.scale;
	x_i128 lf = evs_x_pow10(rs > ls ? rs - ls : 0), rf = evs_x_pow10(ls > rs ? ls - rs : 0);
	uint8_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		x_i128 l = evs_x_decimal(&in->arg[0], i) * lf,
		       r = evs_x_decimal(&in->arg[1], i) * rf;

		dst[i] = holds(in->node->op, (l > r) - (l < r));
	}
	return 0;
}

/* Times of different units; each unit divides the coarser ones. */
static int compare_time(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	int64_t lu = evs_x_time_unit(&in->node->arg[0]->type),
		ru = evs_x_time_unit(&in->node->arg[1]->type);
	int64_t lf = lu > ru ? lu / ru : 1, rf = ru > lu ? ru / lu : 1;
	uint8_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		x_i128 l = (x_i128)evs_x_i64(&in->arg[0], i) * lf,
		       r = (x_i128)evs_x_i64(&in->arg[1], i) * rf;

		dst[i] = holds(in->node->op, (l > r) - (l < r));
	}
	return 0;
}

int evs_x_distinct_from(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct x_vec *l = &in->arg[0], *r = &in->arg[1];
	uint8_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		bool differ = evs_array_compare(l->a, evs_x_at(l, i), r->a, evs_x_at(r, i)) != 0;

		dst[i] = differ != (in->node->num != 0);
	}
	return 0;
}

x_eval_fn *evs_x_compare_fn(const struct evs_type *l, const struct evs_type *r)
{
	if (l->id == EVS_T_DECIMAL && r->id == EVS_T_DECIMAL)
		return compare_decimal;
	if (evs_x_is_time(l) && evs_x_is_time(r))
		return l->id == r->id && l->scale == r->scale ? compare_int : compare_time;
	if (l->id == EVS_T_JSON && (evs_x_is_int(r) || evs_x_is_float(r) || r->id == EVS_T_DECIMAL))
		return evs_x_compare_json;
	if (l->id == EVS_T_JSON && r->id == EVS_T_JSON)
		return compare_text;
	if (evs_x_is_float(l) && evs_x_is_float(r))
		return compare_float;
	if ((evs_x_is_int(l) && evs_x_is_float(r)) || (evs_x_is_float(l) && evs_x_is_int(r)))
		return compare_int_float;
	if (evs_x_is_int(l) && evs_x_is_int(r) && l->id != r->id)
		return compare_mixed;
	if (!evs_type_equal(l, r))
		return NULL;
	switch (l->id) {
	case EVS_T_STRING:
	case EVS_T_FIXEDSTRING:
	case EVS_T_UUID:
	case EVS_T_IPV6:
		return compare_text;
	case EVS_T_ARRAY:
	case EVS_T_MAP:
		return compare_any;
	default:
		return compare_int; /* Bool, integers, Enum, IPv4 */
	}
}
