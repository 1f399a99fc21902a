/*
 * Values as bytes, and their hashes. See row_bytes.h.
 */
#include "src/query/row_bytes.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

void evs_row_put(struct evs_buf *b, const struct evs_array *a, uint32_t row)
{
	bool null = evs_array_is_null(a, row);
	const uint8_t *p;
	uint32_t from, n;
	size_t len;

	evs_buf_put_u8(b, !null);
	if (null)
		return;
	switch (a->phys) {
	case EVS_FLOAT:
		evs_buf_put_u64(b, evs_float_key(evs_array_float(a, row)));
		return;
	case EVS_INT:
	case EVS_FIXED:
		evs_buf_put(b, a->data + (size_t)row * a->width, a->width);
		return;
	case EVS_BYTES:
		p = evs_array_bytes(a, row, &len);
		evs_buf_put_varint(b, len);
		evs_buf_put(b, p, len);
		return;
	default:
		from = (uint32_t)a->offs[row];
		n = (uint32_t)a->offs[row + 1] - from;
		evs_buf_put_varint(b, n);
		for (uint32_t i = 0; i < n; i++)
			for (unsigned k = 0; k < a->nchild; k++)
				evs_row_put(b, &a->child[k], from + i);
	}
}

static uint64_t get_varint(struct evs_cur *c)
{
	uint64_t v = 0;

	return evs_cur_varint(c, &v) ? v : 0;
}

int evs_row_get(struct evs_cur *c, struct evs_array *out)
{
	const uint8_t *p = c->p;
	uint64_t u;
	double d;
	size_t n;

	if (p == c->end || !*p) {
		c->p += p != c->end;
		return evs_array_append_null(out);
	}
	c->p = ++p;
	switch (out->phys) {
	case EVS_FLOAT:
		u = evs_get64(p);
		memcpy(&d, &u, 8);
		c->p += 8;
		return evs_array_append_float(out, d);
	case EVS_INT:
	case EVS_FIXED:
		c->p += out->width;
		if (out->phys == EVS_FIXED)
			return evs_array_append_fixed(out, p);
		u = 0;
		memcpy(&u, p, out->width); /* append_int() keeps the low bytes */
		return evs_array_append_int(out, u);
	case EVS_BYTES:
		n = (size_t)get_varint(c);
		p = c->p;
		c->p += n;
		return evs_array_append_bytes(out, p, n);
	default:
		for (u = get_varint(c); u; u--)
			for (unsigned k = 0; k < out->nchild; k++)
				if (evs_row_get(c, &out->child[k]) < 0)
					return EVS_E_NOMEM;
		return evs_array_close_row(out);
	}
}

uint64_t evs_row_hash(const struct evs_array *a, uint32_t row, uint64_t seed)
{
	struct evs_buf b = { 0 };
	const uint8_t *p;
	uint64_t v;
	size_t n;

	switch (a->phys) {
	case EVS_INT:
		v = evs_array_int(a, row);
		return XXH3_64bits_withSeed(&v, 8, seed);
	case EVS_FLOAT:
		v = evs_float_key(evs_array_float(a, row));
		return XXH3_64bits_withSeed(&v, 8, seed);
	case EVS_FIXED:
	case EVS_BYTES:
		p = evs_array_bytes(a, row, &n);
		return XXH3_64bits_withSeed(p, n, seed);
	default:
		evs_row_put(&b, a, row);
		v = XXH3_64bits_withSeed(b.p, b.len, seed);
		evs_buf_release(&b);
		return v;
	}
}

uint64_t evs_bytes_hash(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}
