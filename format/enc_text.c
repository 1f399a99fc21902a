/*
 * BYTES nodes for text that stands for something shorter (spec 6.6): UUIDs, hex, decimal integers.
 * Date-times are in enc_time.c.
 *
 * A form is used only when every value is in its canonical spelling, so that printing gives the
 * same bytes back: lower-case hex, no leading zeros, no plus sign, no minus zero.
 */
#include "format/enc_impl.h"

#define GUESS	    24 /* values looked at */
#define UUID_LEN    36
#define INT_LEN_MAX 20 /* "-9223372036854775808" */
#define HEX_LEN_MIN 8  /* shorter ones are left to the dictionary or to zstd */

static const char hex_digits[] = "0123456789abcdef";

/* Value of a lower-case hex digit, 0x80 for anything else. */
static inline uint8_t hex_value(uint8_t c)
{
	uint8_t digit = (uint8_t)(c - '0'), letter = (uint8_t)(c - 'a');

	return digit < 10 ? digit : letter < 6 ? (uint8_t)(letter + 10) : 0x80;
}

/* `n` bytes from 2n digits. */
static bool hex_parse(uint8_t *to, const uint8_t *from, size_t n)
{
	uint8_t hi, lo, bad = 0;

	for (size_t i = 0; i < n; i++) {
		hi = hex_value(from[2 * i]);
		lo = hex_value(from[2 * i + 1]);
		bad |= (uint8_t)(hi | lo);
		to[i] = (uint8_t)(hi << 4 | lo);
	}
	return !(bad & 0x80);
}

static void hex_print(uint8_t *to, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		to[2 * i] = (uint8_t)hex_digits[from[i] >> 4];
		to[2 * i + 1] = (uint8_t)hex_digits[from[i] & 15];
	}
}

/* The five groups of a UUID: bytes, and where their digits start. */
static const struct {
	uint8_t byte, len, at;
} group[5] = { { 0, 4, 0 }, { 4, 2, 9 }, { 6, 2, 14 }, { 8, 2, 19 }, { 10, 6, 24 } };

static bool uuid_parse(uint8_t *to, const uint8_t *from, size_t len)
{
	bool ok = true;

	if (len != UUID_LEN || from[8] != '-' || from[13] != '-' || from[18] != '-' ||
	    from[23] != '-')
		return false;
	for (size_t k = 0; k < 5; k++)
		ok &= hex_parse(to + group[k].byte, from + group[k].at, group[k].len);
	return ok;
}

static void uuid_print(uint8_t *to, const uint8_t *from)
{
	for (size_t k = 0; k < 5; k++)
		hex_print(to + group[k].at, from + group[k].byte, group[k].len);
	to[8] = to[13] = to[18] = to[23] = '-';
}

static bool int_parse(int64_t *to, const uint8_t *p, size_t len)
{
	bool minus = len && p[0] == '-';
	uint64_t v = 0, limit = (uint64_t)INT64_MAX + minus;
	size_t i = minus;
	uint8_t digit;

	if (len == i || len > INT_LEN_MAX || (p[i] == '0' && len > 1))
		return false;
	for (; i < len; i++) {
		digit = (uint8_t)(p[i] - '0');
		if (digit > 9 || v > (limit - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*to = (int64_t)(minus ? 0 - v : v);
	return true;
}

/* Returns the length; `to` has room for INT_LEN_MAX bytes. */
static size_t int_print(uint8_t *to, int64_t from)
{
	uint64_t v = from < 0 ? 0 - (uint64_t)from : (uint64_t)from;
	uint8_t tmp[INT_LEN_MAX];
	size_t n = 0, at = 0;

	do {
		tmp[n++] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v);
	if (from < 0)
		to[at++] = '-';
	while (n)
		to[at++] = tmp[--n];
	return at;
}

static inline const uint8_t *value_at(const struct evs_strs *v, size_t i, size_t *len)
{
	*len = (size_t)(v->offs[i + 1] - v->offs[i]);
	return v->data + v->offs[i];
}

static bool has_form(uint8_t kind, const uint8_t *p, size_t len)
{
	uint8_t uuid[16], hex;
	int64_t number;

	switch (kind) {
	case EVS_NODE_UUID_TEXT:
		return uuid_parse(uuid, p, len);
	case EVS_NODE_INT_TEXT:
		return int_parse(&number, p, len);
	case EVS_NODE_TIME_TEXT:
		return evs_time_is(p, len);
	default:
		if (len < HEX_LEN_MIN || len % 2)
			return false;
		for (size_t i = 0; i < len && i < 256; i += 2)
			if (!hex_parse(&hex, p + i, 1))
				return false;
		return true;
	}
}

uint8_t evs_text_guess(const struct evs_strs *v)
{
	static const uint8_t kinds[] = { EVS_NODE_UUID_TEXT, EVS_NODE_INT_TEXT, EVS_NODE_TIME_TEXT,
					 EVS_NODE_HEX_TEXT };
	uint32_t step = v->n > GUESS ? v->n / GUESS : 1;
	const uint8_t *p;
	size_t len;

	for (size_t k = 0; k < sizeof(kinds); k++) {
		uint32_t i = 0;

		while (i < v->n && (p = value_at(v, i, &len), has_form(kinds[k], p, len)))
			i += step;
		if (i >= v->n)
			return kinds[k];
	}
	return 0;
}

static int put_uuid_text(struct evs_enc_ctx *ctx, const struct evs_strs *v, unsigned depth,
			 struct evs_buf *out)
{
	uint8_t *mem = evs_scratch_get(&ctx->scratch, (size_t)v->n * 16);
	const uint8_t *p;
	size_t len;

	if (!mem)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < v->n; i++) {
		p = value_at(v, i, &len);
		if (!uuid_parse(mem + i * 16, p, len))
			return EVS_ENC_UNFIT;
	}
	evs_buf_put_u8(out, EVS_NODE_UUID_TEXT);
	return evs_enc_fixed(ctx, mem, v->n, 16, depth + 1, out);
}

static int put_hex_text(struct evs_enc_ctx *ctx, const struct evs_strs *v, unsigned depth,
			struct evs_buf *out)
{
	size_t total = (size_t)(v->offs[v->n] - v->offs[0]), len, at = 0;
	uint32_t *lens = evs_scratch_get(&ctx->scratch, (size_t)v->n * 4);
	uint8_t *mem = evs_scratch_get(&ctx->scratch, total / 2);
	const uint8_t *p;
	int rc;

	if (!lens || !mem)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < v->n; i++) {
		p = value_at(v, i, &len);
		if (len % 2 || !hex_parse(mem + at, p, len / 2))
			return EVS_ENC_UNFIT;
		lens[i] = (uint32_t)(len / 2);
		at += len / 2;
	}
	evs_buf_put_u8(out, EVS_NODE_HEX_TEXT);
	rc = evs_enc_u32(ctx, lens, v->n, depth + 1, out);
	evs_buf_put(out, mem, at);
	return rc;
}

static int put_int_text(struct evs_enc_ctx *ctx, const struct evs_strs *v, unsigned depth,
			struct evs_buf *out)
{
	uint8_t *mem = evs_scratch_get(&ctx->scratch, (size_t)v->n * 8);
	struct evs_ints ints = { .p = mem, .n = v->n, .w = 8, .is_signed = true };
	const uint8_t *p;
	int64_t number;
	size_t len;

	if (!mem)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < v->n; i++) {
		p = value_at(v, i, &len);
		if (!int_parse(&number, p, len))
			return EVS_ENC_UNFIT;
		evs_st(mem, i, 8, (uint64_t)number);
	}
	evs_buf_put_u8(out, EVS_NODE_INT_TEXT);
	return evs_enc_int(ctx, &ints, depth + 1, out);
}

int evs_enc_text(struct evs_enc_ctx *ctx, const struct evs_strs *v, uint8_t kind, unsigned depth,
		 struct evs_buf *out)
{
	switch (kind) {
	case EVS_NODE_UUID_TEXT:
		return put_uuid_text(ctx, v, depth, out);
	case EVS_NODE_HEX_TEXT:
		return put_hex_text(ctx, v, depth, out);
	case EVS_NODE_INT_TEXT:
		return put_int_text(ctx, v, depth, out);
	case EVS_NODE_TIME_TEXT:
		return evs_enc_time(ctx, v, depth, out);
	default:
		return EVS_ENC_UNFIT;
	}
}

static int get_uuid_text(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n,
			 struct evs_array *out, unsigned depth, const struct evs_pick *pick)
{
	uint32_t want = evs_picked(pick, n);
	uint8_t *mem = evs_dec_scratch(d, (uint64_t)want * 16);
	int rc;

	if (!mem)
		return EVS_E_NOMEM;
	rc = evs_dec_fixed(d, c, n, 16, mem, depth + 1, pick);
	if (!rc)
		rc = evs_dec_reserve(d, out, want, 0);
	if (!rc)
		rc = evs_dec_bytes_room(d, out, (uint64_t)want * UUID_LEN);
	if (rc)
		return rc;
	d->most = (uint64_t)n * UUID_LEN;
	out->offs[0] = 0;
	for (size_t i = 0; i < want; i++) {
		uuid_print(out->data + i * UUID_LEN, mem + i * 16);
		out->offs[i + 1] = (int32_t)((i + 1) * UUID_LEN);
	}
	return 0;
}

static int get_hex_text(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
			unsigned depth, const struct evs_pick *pick)
{
	struct evs_array *all = pick ? evs_dec_spare(d, depth) : out;
	const uint8_t *p;
	uint64_t half;
	int rc;

	rc = evs_dec_lengths(d, c, n, all, depth + 1, &half);
	if (rc)
		return rc;
	if (!evs_cur_bytes(c, (size_t)half, &p))
		return evs_dec_fail(d, "6.6-1 bytes of plain values are cut short");
	d->most = half * 2;
	if (pick && d->most > EVS_ARRAY_MAX_BYTES) /* unreached: it takes two gigabytes */
		return EVS_DEC_WHOLE;
	/* unreached: half of two gigabytes */
	for (size_t i = 1; i <= n && half * 2 <= EVS_ARRAY_MAX_BYTES; i++)
		all->offs[i] *= 2;
	rc = pick ? evs_dec_picked_offsets(d, all->offs, out, pick)
		  : evs_dec_bytes_room(d, out, half * 2);
	if (rc)
		return rc;
	for (size_t i = 0; pick && i < pick->n; i++)
		hex_print(out->data + out->offs[i], p + all->offs[pick->at[i]] / 2,
			  (size_t)(out->offs[i + 1] - out->offs[i]) / 2);
	if (!pick)
		hex_print(out->data, p, (size_t)half);
	return 0;
}

static int get_int_text(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
			unsigned depth, const struct evs_pick *pick)
{
	uint32_t want = evs_picked(pick, n);
	int64_t *ints = evs_dec_scratch(d, (uint64_t)want * 8);
	uint8_t tmp[INT_LEN_MAX];
	uint64_t total = 0;
	int rc;

	if (!ints)
		return EVS_E_NOMEM;
	rc = evs_dec_int_some(d, c, n, 8, (uint8_t *)ints, depth + 1, pick);
	if (!rc)
		rc = evs_dec_reserve(d, out, want, 0);
	if (rc)
		return rc;
	d->most = (uint64_t)n * INT_LEN_MAX;
	for (size_t i = 0; i < want; i++)
		total += int_print(tmp, ints[i]);
	rc = evs_dec_bytes_room(d, out, total);
	if (rc)
		return rc;
	out->offs[0] = 0;
	for (size_t i = 0; i < want; i++) {
		size_t len = int_print(tmp, ints[i]);

		memcpy(out->data + out->offs[i], tmp, len);
		out->offs[i + 1] = out->offs[i] + (int32_t)len;
	}
	return 0;
}

int evs_dec_text(struct evs_dec_ctx *d, struct evs_cur *c, uint8_t kind, uint32_t n,
		 struct evs_array *out, unsigned depth, const struct evs_pick *pick)
{
	switch (kind) {
	case EVS_NODE_UUID_TEXT:
		return get_uuid_text(d, c, n, out, depth, pick);
	case EVS_NODE_HEX_TEXT:
		return get_hex_text(d, c, n, out, depth, pick);
	case EVS_NODE_INT_TEXT:
		return get_int_text(d, c, n, out, depth, pick);
	case EVS_NODE_TIME_TEXT:
		return evs_dec_time(d, c, n, out, depth, pick);
	default:
		d->why = "6.1-2 node kind is unknown, or not one for bytes";
		return EVS_E_VERSION;
	}
}
