/*
 * Values that a state keeps: of any type, one at a time. See agg_state.h.
 */
#include "src/query/agg_state.h"
#include "src/query/row_bytes.h"

#include "format/bytes.h"

enum agg_kind evs_agg_kind(const struct evs_type *t, const struct evs_array *shape)
{
	switch (shape->phys) {
	case EVS_INT:
		return shape->is_signed ? AGG_SIGNED : AGG_UNSIGNED;
	case EVS_FLOAT:
		return AGG_FLOAT;
	case EVS_FIXED:
		if (t->id == EVS_T_DECIMAL)
			return AGG_DECIMAL;
		return shape->width <= 16 ? AGG_SHORT : AGG_BYTES;
	case EVS_BYTES:
		return AGG_BYTES;
	default:
		return AGG_NESTED;
	}
}

static agg_i128 load_decimal(const uint8_t *p)
{
	return (agg_i128)((agg_u128)evs_get64(p + 8) << 64 | evs_get64(p));
}

static int compare_bytes(const uint8_t *p, size_t n, const uint8_t *q, size_t m)
{
	size_t both = n < m ? n : m;
	int c = both ? memcmp(p, q, both) : 0;

	return c ? (c > 0) - (c < 0) : (n > m) - (n < m);
}

/* NaN is greater than all else (spec 8-11). */
static int compare_floats(double x, double y)
{
	if (x != x || y != y)
		return (x != x) - (y != y);
	return (x > y) - (x < y);
}

/* Bytes of a value in the pool; an empty one has no place there. */
static const uint8_t *kept(const struct evs_agg *a, const struct agg_value *v)
{
	static const uint8_t none[1];

	return v->cap ? a->pool.p + v->v.at : none;
}

int evs_agg_value_compare(const struct evs_agg *a, enum agg_kind k, const struct evs_array *from,
			  uint32_t row, const struct agg_value *v, int *c)
{
	struct evs_buf buf = { 0 };
	const uint8_t *p;
	agg_i128 d;
	size_t n;
	uint64_t u;
	int rc;

	switch (k) {
	case AGG_SIGNED:
		u = evs_array_int(from, row);
		*c = ((int64_t)u > v->v.i) - ((int64_t)u < v->v.i);
		return 0;
	case AGG_UNSIGNED:
		u = evs_array_int(from, row);
		*c = (u > v->v.u) - (u < v->v.u);
		return 0;
	case AGG_FLOAT:
		*c = compare_floats(evs_array_float(from, row), v->v.f);
		return 0;
	case AGG_DECIMAL:
		d = load_decimal(from->data + (size_t)row * 16);
		*c = (d > v->v.d) - (d < v->v.d);
		return 0;
	case AGG_SHORT:
		*c = memcmp(from->data + (size_t)row * from->width, v->v.b, from->width);
		return 0;
	case AGG_BYTES:
		p = evs_array_bytes(from, row, &n);
		*c = compare_bytes(p, n, kept(a, v), v->len);
		return 0;
	default:
		evs_row_put(&buf, from, row);
		rc = evs_buf_ok(&buf) ? 0 : EVS_E_NOMEM;
		*c = rc < 0 ? 0 : compare_bytes(buf.p, buf.len, kept(a, v), v->len);
		evs_buf_release(&buf);
		return rc;
	}
}

static int set_bytes(struct evs_agg *a, struct agg_value *v, const uint8_t *p, size_t n)
{
	if (n > v->cap) {
		size_t cap = v->cap ? n + n / 4 : n; /* the first one may be the last */

		if (n > EVS_ARRAY_MAX_BYTES || !evs_buf_reserve(&a->pool, cap))
			return EVS_E_NOMEM;
		v->v.at = a->pool.len;
		v->cap = (uint32_t)cap;
		a->pool.len += cap;
	}
	if (n)
		memcpy(a->pool.p + v->v.at, p, n);
	v->len = (uint32_t)n;
	v->set = true;
	return 0;
}

int evs_agg_value_set(struct evs_agg *a, enum agg_kind k, const struct evs_array *from,
		      uint32_t row, struct agg_value *v)
{
	struct evs_buf buf = { 0 };
	const uint8_t *p;
	size_t n;
	int rc;

	switch (k) {
	case AGG_SIGNED:
	case AGG_UNSIGNED:
		v->v.u = evs_array_int(from, row);
		break;
	case AGG_FLOAT:
		v->v.f = evs_array_float(from, row);
		break;
	case AGG_DECIMAL:
		v->v.d = load_decimal(from->data + (size_t)row * 16);
		break;
	case AGG_SHORT:
		memcpy(v->v.b, from->data + (size_t)row * from->width, from->width);
		break;
	case AGG_BYTES:
		p = evs_array_bytes(from, row, &n);
		return set_bytes(a, v, p, n);
	default:
		evs_row_put(&buf, from, row);
		rc = evs_buf_ok(&buf) ? set_bytes(a, v, buf.p, buf.len) : EVS_E_NOMEM;
		evs_buf_release(&buf);
		return rc;
	}
	v->set = true;
	return 0;
}

int evs_agg_value_put(const struct evs_agg *a, enum agg_kind k, const struct agg_value *v,
		      struct evs_array *out)
{
	const uint8_t *p;
	struct evs_cur cur;
	uint8_t raw[16];

	if (!v->set)
		return evs_array_append_null(out);
	switch (k) {
	case AGG_SIGNED:
	case AGG_UNSIGNED:
		return evs_array_append_int(out, v->v.u);
	case AGG_FLOAT:
		return evs_array_append_float(out, v->v.f);
	case AGG_DECIMAL:
		evs_put64(raw, (uint64_t)v->v.d);
		evs_put64(raw + 8, (uint64_t)(v->v.d >> 64));
		return evs_array_append_fixed(out, raw);
	case AGG_SHORT:
		return evs_array_append_fixed(out, v->v.b);
	case AGG_BYTES:
		return out->phys == EVS_FIXED ? evs_array_append_fixed(out, kept(a, v))
					      : evs_array_append_bytes(out, kept(a, v), v->len);
	default:
		p = kept(a, v);
		cur = (struct evs_cur){ p, p + v->len };
		return evs_row_get(&cur, out);
	}
}
