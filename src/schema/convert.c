/*
 * Values of an old group through a newer schema: lossless widenings, value by value.
 */
#include "src/schema/widen.h"

#include "format/bytes.h"
#include "src/diag.h"
#include "src/json/json.h"
#include "src/schema/type.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

struct conv {
	struct evs_diag *diag;
	struct evs_buf text; /* of the value being printed */
};

static int range(struct conv *c, const struct evs_type *from, const struct evs_array *in,
		 uint32_t lo, uint32_t hi, const struct evs_type *to, struct evs_array *out);

/* The value `row` has no place in the new type. */
static int misfit(struct conv *c, const struct evs_type *from, const struct evs_type *to,
		  uint32_t row)
{
	char a[64], b[64];
	int rc;

	evs_type_print(from, false, a, sizeof(a));
	evs_type_print(to, false, b, sizeof(b));
	rc = evs_fail(c->diag, EVS_E_SCHEMA, "a stored value of type %s has no exact place in %s",
		      a, b);
	if (c->diag) {
		c->diag->has_off = true;
		c->diag->off = row;
	}
	return rc;
}

static int128 get_decimal(const struct evs_array *a, uint32_t row)
{
	const uint8_t *p;
	uint128 v;
	size_t n;

	if (a->phys == EVS_INT)
		return (int64_t)evs_array_int(a, row);
	p = evs_array_bytes(a, row, &n);
	v = (uint128)evs_get64(p + 8) << 64 | evs_get64(p);
	return (int128)v;
}

static int put_decimal(struct evs_array *out, int128 v)
{
	uint8_t raw[16];

	if (out->phys == EVS_INT)
		return evs_array_append_int(out, (uint64_t)v);
	evs_put64(raw, (uint64_t)(uint128)v);
	evs_put64(raw + 8, (uint64_t)((uint128)v >> 64));
	return evs_array_append_fixed(out, raw);
}

static int128 scaled(int128 v, unsigned digits)
{
	while (digits--) /* the new precision holds it: no overflow */
		v *= 10;
	return v;
}

static int to_float(struct conv *c, const struct evs_type *from, const struct evs_array *in,
		    uint32_t row, const struct evs_type *to, struct evs_array *out)
{
	uint64_t v = evs_array_int(in, row);
	double d = in->is_signed ? (double)(int64_t)v : (double)v;
	int128 exact = in->is_signed ? (int128)(int64_t)v : (int128)v;

	if ((int128)d != exact)
		return misfit(c, from, to, row);
	return evs_array_append_float(out, d);
}

/* A float as the double that its shortest text reads as: 0.1f becomes 0.1. */
static int wider_float(const struct evs_array *in, uint32_t row, struct evs_array *out)
{
	char text[40];
	double d;
	float f = (float)evs_array_float(in, row);
	size_t n = evs_float_print(f, text);

	if (!evs_double_parse(text, n, &d))
		d = (double)f;
	return evs_array_append_float(out, d);
}

static int more_digits(struct conv *c, const struct evs_type *from, const struct evs_array *in,
		       uint32_t row, const struct evs_type *to, struct evs_array *out)
{
	int64_t v = (int64_t)evs_array_int(in, row);
	unsigned have = from->id == EVS_T_DATETIME ? 0 : from->scale;

	for (unsigned i = have; i < to->scale; i++) {
		if (v > INT64_MAX / 10 || v < INT64_MIN / 10)
			return misfit(c, from, to, row);
		v *= 10;
	}
	return evs_array_append_int(out, (uint64_t)v);
}

static int wider_fixed(const struct evs_array *in, uint32_t row, struct evs_array *out,
		       uint8_t *pad)
{
	size_t n;
	const uint8_t *p = evs_array_bytes(in, row, &n);

	memcpy(pad, p, n);
	return evs_array_append_fixed(out, pad);
}

static int as_string(struct conv *c, const struct evs_type *from, const struct evs_array *in,
		     uint32_t row, struct evs_array *out)
{
	const struct evs_enum_item *item;
	const uint8_t *p;
	size_t n;

	if (from->id == EVS_T_ENUM) {
		item = evs_enum_by_value(from, (int16_t)evs_array_int(in, row));
		return item ? evs_array_append_bytes(out, item->name, item->len)
			    : misfit(c, from, from, row);
	}
	if (from->id == EVS_T_FIXEDSTRING) {
		p = evs_array_bytes(in, row, &n);
		while (n && p[n - 1] == 0)
			n--;
		return evs_array_append_bytes(out, p, n);
	}
	evs_buf_reset(&c->text);
	evs_json_put_value(&c->text, from, in, row);
	if (!evs_buf_ok(&c->text))
		return evs_fail_nomem(c->diag);
	p = c->text.p;
	n = c->text.len;
	if (n >= 2 && p[0] == '"') { /* of these types none prints an escape */
		p++;
		n -= 2;
	}
	return evs_array_append_bytes(out, p, n);
}

static int as_json(struct conv *c, const struct evs_type *from, const struct evs_array *in,
		   uint32_t row, struct evs_array *out)
{
	evs_buf_reset(&c->text);
	evs_json_put_value(&c->text, from, in, row);
	if (!evs_buf_ok(&c->text))
		return evs_fail_nomem(c->diag);
	return evs_array_append_bytes(out, c->text.p, c->text.len);
}

/* Array and Map: the row's elements, then the row. */
static int nested(struct conv *c, const struct evs_type *from, const struct evs_array *in,
		  uint32_t row, const struct evs_type *to, struct evs_array *out)
{
	uint32_t lo = (uint32_t)in->offs[row], hi = (uint32_t)in->offs[row + 1];
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < in->nchild; i++)
		rc = range(c, from->elem[i], &in->child[i], lo, hi, to->elem[i], &out->child[i]);
	return rc < 0 ? rc : evs_array_close_row(out);
}

static int value(struct conv *c, enum evs_widening how, const struct evs_type *from,
		 const struct evs_array *in, uint32_t row, const struct evs_type *to,
		 struct evs_array *out, uint8_t *pad)
{
	switch (how) {
	case EVS_WIDEN_INT:
		return evs_array_append_int(out, evs_array_int(in, row));
	case EVS_WIDEN_INT_FLOAT:
		return to_float(c, from, in, row, to, out);
	case EVS_WIDEN_INT_DECIMAL:
		return put_decimal(out,
				   scaled(in->is_signed ? (int128)(int64_t)evs_array_int(in, row)
							: (int128)evs_array_int(in, row),
					  to->scale));
	case EVS_WIDEN_FLOAT:
		return wider_float(in, row, out);
	case EVS_WIDEN_DECIMAL:
		return put_decimal(
			out, scaled(get_decimal(in, row), (unsigned)(to->scale - from->scale)));
	case EVS_WIDEN_TIME:
		return more_digits(c, from, in, row, to, out);
	case EVS_WIDEN_FIXED:
		return wider_fixed(in, row, out, pad);
	case EVS_WIDEN_STRING:
		return as_string(c, from, in, row, out);
	case EVS_WIDEN_JSON:
		return as_json(c, from, in, row, out);
	case EVS_WIDEN_ARRAY:
	case EVS_WIDEN_MAP:
		return nested(c, from, in, row, to, out);
	default:
		return EVS_E_SCHEMA;
	}
}

static int range(struct conv *c, const struct evs_type *from, const struct evs_array *in,
		 uint32_t lo, uint32_t hi, const struct evs_type *to, struct evs_array *out)
{
	enum evs_widening how = evs_widen(from, to);
	uint8_t *pad = NULL;
	int rc = 0;

	if (how == EVS_WIDEN_SAME)
		return evs_array_append_range(out, in, lo, hi - lo);
	if (how == EVS_WIDEN_NONE)
		return misfit(c, from, to, lo);
	if (how == EVS_WIDEN_FIXED) {
		pad = calloc(1, to->width);
		if (!pad)
			return evs_fail_nomem(c->diag);
	}
	for (uint32_t row = lo; rc == 0 && row < hi; row++) {
		if (evs_array_is_null(in, row))
			rc = evs_array_append_null(out);
		else
			rc = value(c, how, from, in, row, to, out, pad);
	}
	free(pad);
	return rc;
}

int evs_convert(const struct evs_type *from, const struct evs_array *in, const struct evs_type *to,
		struct evs_array *out, struct evs_diag *diag)
{
	struct conv c = { .diag = diag };
	int rc = range(&c, from, in, 0, in->rows, to, out);

	evs_buf_release(&c.text);
	if (rc == EVS_E_NOMEM)
		evs_fail_nomem(diag);
	return rc;
}
