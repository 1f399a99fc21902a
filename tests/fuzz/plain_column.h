/*
 * A plain decoder of columns to compare with: written from spec/segment.md 6 alone, one value at a
 * time, with none of the code of format/. Meant to be obviously right, not fast.
 *
 * Rules are not named: what is wrong is PLAIN_BAD (E_FORMAT) or PLAIN_NEWER (E_VERSION), and ends
 * everything.
 */
#ifndef EVS_TESTS_FUZZ_PLAIN_COLUMN_H
#define EVS_TESTS_FUZZ_PLAIN_COLUMN_H

#include "tests/fuzz/plain_numbers.h"

/* ---- 6.4 FLOAT ------------------------------------------------------------------------------- */

static inline uint64_t plain_quotient(int64_t digits, uint64_t e, unsigned w)
{
	double d = (double)digits, ten = 1;
	uint64_t bits = 0;
	float f;

	while (e--)
		ten *= 10;
	d /= ten;
	f = (float)d;
	memcpy(&bits, w == 8 ? (void *)&d : (void *)&f, w);
	return bits;
}

static inline void plain_decimal(struct plain_reader *r, uint64_t *v, size_t n, unsigned w,
				 unsigned depth)
{
	uint8_t head = plain_u8(r), e = head & 31;
	uint64_t *exponent = NULL, *digits, *ulps, *place, *bits;
	size_t x;

	plain_demand(r, !(head & 128) && (e <= 18 || e == 31));
	if (e == 31)
		exponent = plain_ints(r, (n + 63) / 64, 1, depth + 1);
	for (size_t i = 0; exponent && i < (n + 63) / 64; i++)
		plain_demand(r, exponent[i] <= 18);
	digits = plain_ints(r, n, 8, depth + 1);
	for (size_t i = 0; i < n; i++)
		v[i] = plain_quotient((int64_t)digits[i], exponent ? exponent[i / 64] : e, w);
	if (head & 32) {
		ulps = plain_ints(r, n, 1, depth + 1);
		for (size_t i = 0; i < n; i++)
			v[i] = (v[i] + (uint64_t)(int8_t)ulps[i]) & plain_mask(w);
	}
	if (head & 64) {
		x = (size_t)plain_between(r, plain_varint(r), 1, n);
		place = plain_ints(r, x, 4, depth + 1);
		bits = plain_ints(r, x, w, depth + 1);
		plain_rising(r, place, x, n);
		for (size_t i = 0; i < x; i++)
			v[place[i]] = bits[i];
	}
}

/* ---- 6.5 FIXED, 6.6 BYTES -------------------------------------------------------------------- */

struct plain_bytes {
	const uint8_t *p;
	size_t len;
};

static inline struct plain_bytes *plain_fixed(struct plain_reader *r, size_t n, unsigned w,
					      unsigned depth);

static inline void plain_uuid(struct plain_reader *r, struct plain_bytes *v, size_t n,
			      unsigned depth)
{
	uint8_t form = plain_u8(r), *all;
	uint64_t *time = NULL, *two;
	const uint8_t *p;

	plain_demand(r, (form & 15) && !(form & 0x70));
	if (form & 128)
		time = plain_ints(r, n, 8, depth + 1);
	for (size_t i = 0; time && i < n; i++)
		plain_demand(r, time[i] < (uint64_t)1 << 48);
	p = plain_take(r, n * (time ? 9 : 15));
	two = plain_bits(r, n, 2);
	all = plain_room(r, n, 16);
	for (size_t i = 0; i < n; i++, all += 16) {
		for (unsigned k = 0; k < 6; k++)
			all[k] = (uint8_t)(time ? time[i] >> (40 - 8 * k) : *p++);
		all[6] = (uint8_t)((form & 15) << 4 | *p >> 4);
		all[8] = (uint8_t)(0x80 | two[i] << 4 | (*p & 15));
		p++;
		all[7] = *p++;
		memcpy(all + 9, p, 7);
		p += 7;
		v[i] = (struct plain_bytes){ all, 16 };
	}
}

static inline void plain_byte_dict(struct plain_reader *r, struct plain_bytes *v, size_t n,
				   struct plain_bytes *value, uint64_t d, unsigned depth)
{
	uint64_t *code = plain_codes(r, n, d, depth + 1);

	for (size_t i = 0; i < n; i++)
		v[i] = value[code[i]];
}

static inline struct plain_bytes *plain_fixed(struct plain_reader *r, size_t n, unsigned w,
					      unsigned depth)
{
	uint8_t kind = plain_kind(r, depth), *all;
	struct plain_bytes *v = plain_room(r, n, sizeof(*v));
	const uint8_t *p;
	uint64_t d;

	switch (kind) {
	case 1:
	case 2:
		p = plain_take(r, kind == 1 ? n * w : w);
		for (size_t i = 0; i < n; i++)
			v[i] = (struct plain_bytes){ kind == 1 ? p + i * w : p, w };
		return v;
	case 3:
		d = plain_between(r, plain_varint(r), 1, n);
		plain_byte_dict(r, v, n, plain_fixed(r, (size_t)d, w, depth + 1), d, depth);
		return v;
	case 10:
		p = plain_take(r, n * w);
		all = plain_room(r, n, w);
		for (size_t i = 0; i < n; i++, all += w) {
			for (unsigned k = 0; k < w; k++)
				all[k] = p[k * n + i];
			v[i] = (struct plain_bytes){ all, w };
		}
		return v;
	case 12:
		if (w != 16)
			plain_fail(r, PLAIN_NEWER);
		plain_uuid(r, v, n, depth);
		return v;
	default:
		plain_fail(r, PLAIN_NEWER);
	}
}

/* As text of exactly `len` letters. */
static inline struct plain_bytes plain_text(struct plain_reader *r, const char *text, size_t len)
{
	uint8_t *p = plain_room(r, len, 1);

	memcpy(p, text, len);
	return (struct plain_bytes){ p, len };
}

static inline struct plain_bytes plain_hex_text(struct plain_reader *r, struct plain_bytes b,
						bool uuid)
{
	uint8_t *out = plain_room(r, b.len + 4, 2);
	size_t n = 0;

	for (size_t i = 0; i < b.len; i++) {
		if (uuid && (i == 4 || i == 6 || i == 8 || i == 10))
			out[n++] = '-';
		out[n++] = (uint8_t) "0123456789abcdef"[b.p[i] >> 4];
		out[n++] = (uint8_t) "0123456789abcdef"[b.p[i] & 15];
	}
	return (struct plain_bytes){ out, n };
}

/* Days since 1970 to a date, a year at a time from 0000-01-01, which is day -719528. */
static inline void plain_date(int64_t days, char out[11])
{
	static const int64_t month[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t d = days + 719528, y = d / 146097 * 400, m = 0;

	for (d %= 146097;; y++) {
		int64_t leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

		if (d < 365 + leap) {
			for (; d >= month[m] + (m == 1 ? leap : 0); m++)
				d -= month[m] + (m == 1 ? leap : 0);
			break;
		}
		d -= 365 + leap;
	}
	snprintf(out, 11, "%04u-%02u-%02u", (unsigned)y % 10000, (unsigned)(m + 1) % 100,
		 (unsigned)(d + 1) % 100);
}

static inline void plain_time_text(struct plain_reader *r, struct plain_bytes *v, size_t n,
				   unsigned depth)
{
	uint8_t sep = plain_u8(r), digits = plain_u8(r), s = plain_u8(r);
	const uint8_t *suffix;
	uint64_t *tick;
	int64_t per = 1;
	char text[64], date[11], part[32];

	plain_demand(r, s <= 8 && digits <= 9 && (sep == 'T' || sep == ' ' || (!sep && !digits)));
	suffix = plain_take(r, s);
	for (unsigned i = 0; i < digits; i++)
		per *= 10;
	tick = plain_ints(r, n, 8, depth + 1);
	for (size_t i = 0; i < n; i++) {
		int64_t t = (int64_t)tick[i], unit = sep ? per : 1;
		int64_t sec = t / unit - (t % unit < 0), frac, day = sec, of;
		int len;

		if (sep)
			day = sec / 86400 - (sec % 86400 < 0);
		plain_demand(r, day >= -719528 && day <= 2932896);
		frac = t % unit + (t % unit < 0 ? unit : 0);
		of = sep ? sec - day * 86400 : 0;
		plain_date(day, date);
		len = snprintf(text, sizeof(text), "%s", date);
		if (sep)
			len = snprintf(text, sizeof(text), "%s%c%02d:%02d:%02d", date, sep,
				       (int)(of / 3600), (int)(of / 60 % 60), (int)(of % 60));
		if (digits) {
			snprintf(part, sizeof(part), "%010lld", (long long)frac);
			len += snprintf(text + len, sizeof(text) - (size_t)len, ".%s",
					part + 10 - digits);
		}
		memcpy(text + len, suffix, s);
		v[i] = plain_text(r, text, (size_t)len + s);
	}
}

static inline struct plain_bytes *plain_strings(struct plain_reader *r, size_t n, unsigned depth);

/* PLAIN and HEX_TEXT: lengths, then the bytes of all. */
static inline void plain_pieces(struct plain_reader *r, struct plain_bytes *v, size_t n,
				unsigned depth)
{
	uint64_t *len = plain_ints(r, n, 4, depth + 1);

	for (size_t i = 0; i < n; i++)
		v[i] = (struct plain_bytes){ plain_take(r, (size_t)len[i]), (size_t)len[i] };
}

static inline void plain_affix(struct plain_reader *r, struct plain_bytes *v, size_t n,
			       unsigned depth)
{
	size_t p = plain_u8(r), s = plain_u8(r);
	const uint8_t *prefix = plain_take(r, p), *suffix = plain_take(r, s);
	struct plain_bytes *mid = plain_strings(r, n, depth + 1);

	for (size_t i = 0; i < n; i++) {
		uint8_t *out = plain_room(r, p + mid[i].len + s, 1);

		memcpy(out, prefix, p);
		if (mid[i].len)
			memcpy(out + p, mid[i].p, mid[i].len);
		memcpy(out + p + mid[i].len, suffix, s);
		v[i] = (struct plain_bytes){ out, p + mid[i].len + s };
	}
}

/* A text with gaps: literal[0], column[0], literal[1], ... literal[gaps]. */
struct plain_template {
	size_t gaps, *column;
	struct plain_bytes *literal;
};

static inline struct plain_bytes plain_literal(struct plain_reader *r)
{
	uint64_t len = plain_varint(r);

	plain_demand(r, len <= (size_t)(r->end - r->p));
	return (struct plain_bytes){ plain_take(r, (size_t)len), (size_t)len };
}

static inline struct plain_template plain_one_template(struct plain_reader *r, size_t columns)
{
	struct plain_template t = { .gaps = (size_t)plain_between(r, plain_varint(r), 0, 65535) };

	t.column = plain_room(r, t.gaps, sizeof(*t.column));
	t.literal = plain_room(r, t.gaps + 1, sizeof(*t.literal));
	t.literal[0] = plain_literal(r);
	for (size_t i = 0; i < t.gaps; i++) {
		t.column[i] = (size_t)plain_varint(r);
		plain_demand(r, t.column[i] < columns);
		t.literal[i + 1] = plain_literal(r);
	}
	return t;
}

/* The bytes that stand at place `i` of literals and gaps by turns. */
static inline struct plain_bytes plain_part(const struct plain_template *t,
					    struct plain_bytes **next, size_t i)
{
	return i % 2 ? *next[t->column[i / 2]]++ : t->literal[i / 2];
}

static inline struct plain_bytes plain_fill(struct plain_reader *r, const struct plain_template *t,
					    struct plain_bytes **next)
{
	struct plain_bytes *part = plain_room(r, 2 * t->gaps + 1, sizeof(*part));
	size_t len = 0, at = 0;
	uint8_t *out;

	for (size_t i = 0; i <= 2 * t->gaps; i++) {
		part[i] = plain_part(t, next, i);
		len += part[i].len;
	}
	out = plain_room(r, len, 1);
	for (size_t i = 0; i <= 2 * t->gaps; i++) {
		if (part[i].len)
			memcpy(out + at, part[i].p, part[i].len);
		at += part[i].len;
	}
	return (struct plain_bytes){ out, len };
}

static inline void plain_templates(struct plain_reader *r, struct plain_bytes *v, size_t n,
				   unsigned depth)
{
	size_t t = (size_t)plain_between(r, plain_varint(r), 1, n);
	size_t c = (size_t)plain_between(r, plain_varint(r), 0, 65535), total = 0;
	struct plain_template *template = plain_room(r, t, sizeof(*template));
	struct plain_bytes **next = plain_room(r, c, sizeof(*next));
	size_t *size = plain_room(r, c, sizeof(*size));
	uint64_t *code;

	for (size_t k = 0; k < t; k++)
		template[k] = plain_one_template(r, c);
	code = plain_codes(r, n, t, depth + 1);
	for (size_t i = 0; i < n; i++) {
		total += template[code[i]].gaps;
		plain_demand(r, total <= 0x7fff0000);
		for (size_t k = 0; k < template[code[i]].gaps; k++)
			size[template[code[i]].column[k]]++;
	}
	for (size_t k = 0; k < c; k++)
		plain_demand(r, size[k] > 0);
	for (size_t k = 0; k < c; k++)
		next[k] = plain_strings(r, size[k], depth + 1);
	for (size_t i = 0; i < n; i++)
		v[i] = plain_fill(r, &template[code[i]], next);
}

static inline struct plain_bytes *plain_strings(struct plain_reader *r, size_t n, unsigned depth)
{
	uint8_t kind = plain_kind(r, depth);
	struct plain_bytes *v = plain_room(r, n, sizeof(*v)), *b;
	char text[32];
	uint64_t d, *num;

	switch (kind) {
	case 1:
		plain_pieces(r, v, n, depth);
		return v;
	case 2:
		d = plain_varint(r);
		plain_demand(r, d <= (size_t)(r->end - r->p));
		v[0] = (struct plain_bytes){ plain_take(r, (size_t)d), (size_t)d };
		for (size_t i = 1; i < n; i++)
			v[i] = v[0];
		return v;
	case 3:
		d = plain_between(r, plain_varint(r), 1, n);
		plain_byte_dict(r, v, n, plain_strings(r, (size_t)d, depth + 1), d, depth);
		return v;
	case 13:
		b = plain_fixed(r, n, 16, depth + 1);
		for (size_t i = 0; i < n; i++)
			v[i] = plain_hex_text(r, b[i], true);
		return v;
	case 14:
		plain_pieces(r, v, n, depth);
		for (size_t i = 0; i < n; i++)
			v[i] = plain_hex_text(r, v[i], false);
		return v;
	case 15:
		num = plain_ints(r, n, 8, depth + 1);
		for (size_t i = 0; i < n; i++) {
			int len = snprintf(text, sizeof(text), "%lld", (long long)num[i]);

			v[i] = plain_text(r, text, (size_t)len);
		}
		return v;
	case 16:
		plain_time_text(r, v, n, depth);
		return v;
	case 17:
		plain_affix(r, v, n, depth);
		return v;
	case 20:
		plain_templates(r, v, n, depth);
		return v;
	default:
		plain_fail(r, PLAIN_NEWER);
	}
}

/* ---- 6.1, 6.2, 6.7 columns ------------------------------------------------------------------- */

static inline void plain_valid(struct plain_reader *r, struct plain_column *c, size_t nulls)
{
	uint8_t kind = plain_kind(r, 1), present;
	uint64_t *bit, *len;
	size_t found = 0, count, at = 0;

	if (kind == 1) {
		bit = plain_bits(r, c->rows, 1);
		for (size_t i = 0; i < c->rows; i++)
			c->v[i].null = !bit[i];
	} else if (kind == 2) {
		present = (uint8_t)plain_between(r, plain_u8(r), 0, 1);
		count = (size_t)plain_between(r, plain_varint(r), 1, c->rows);
		len = plain_lengths(r, count, c->rows, 2);
		for (size_t i = 0; i < count; i++, present ^= 1)
			for (uint64_t k = 0; k < len[i]; k++)
				c->v[at++].null = !present;
	} else {
		plain_fail(r, PLAIN_NEWER);
	}
	for (size_t i = 0; i < c->rows; i++)
		found += c->v[i].null;
	plain_demand(r, found == nulls);
}

static inline uint64_t *plain_numbers(struct plain_reader *r, const struct plain_column *c,
				      size_t n)
{
	uint8_t kind = plain_kind(r, 1);
	uint64_t *v = plain_room(r, n, sizeof(*v));

	if (kind == 11 && c->shape == PLAIN_FLOAT)
		plain_decimal(r, v, n, c->w, 1);
	else
		plain_int_kind(r, kind, v, n, c->w, 1);
	return v;
}

static inline void plain_read(struct plain_reader *r, struct plain_column *c, size_t rows,
			      size_t nulls);

static inline void plain_elements(struct plain_reader *r, struct plain_column *c,
				  const uint64_t *len, size_t n)
{
	uint64_t sum = 0, nulls;

	for (size_t i = 0; i < n; i++)
		sum += len[i];
	plain_demand(r, sum <= 0x7fff0000);
	for (int i = 0; i < (c->shape == PLAIN_MAP ? 2 : 1); i++) {
		nulls = sum ? plain_between(r, plain_varint(r), 0, sum) : 0;
		plain_demand(r, !nulls || i || c->shape == PLAIN_LIST);
		c->child[i].rows = 0;
		if (sum)
			plain_read(r, &c->child[i], (size_t)sum, (size_t)nulls);
	}
}

static inline void plain_read(struct plain_reader *r, struct plain_column *c, size_t rows,
			      size_t nulls)
{
	size_t n = rows - nulls, at = 0;
	struct plain_bytes *bytes = NULL;
	uint64_t *num = NULL;

	plain_demand(r, rows > 0 && nulls <= rows);
	c->rows = rows;
	c->v = plain_room(r, rows, sizeof(*c->v));
	if (nulls == rows) {
		for (size_t i = 0; i < rows; i++)
			c->v[i].null = true;
		n = 0;
	} else if (nulls) {
		plain_valid(r, c, nulls);
	}
	if (n && (c->shape == PLAIN_INT || c->shape == PLAIN_FLOAT))
		num = plain_numbers(r, c, n);
	else if (n && c->shape == PLAIN_FIXED)
		bytes = plain_fixed(r, n, c->w, 1);
	else if (n && c->shape == PLAIN_BYTES)
		bytes = plain_strings(r, n, 1);
	else if (n)
		num = plain_ints(r, n, 4, 1);
	for (size_t i = 0; i < rows; i++) {
		if (c->v[i].null)
			continue;
		c->v[i].num = num ? num[at] : 0;
		c->v[i].p = bytes ? bytes[at].p : NULL;
		c->v[i].len = bytes ? bytes[at].len : 0;
		at++;
	}
	if (c->shape >= PLAIN_LIST)
		plain_elements(r, c, num, n);
}

static inline void plain_release(struct plain_reader *r)
{
	while (r->nblocks)
		free(r->block[--r->nblocks]);
	r->memory = 0;
}

/* Decode; *used gets the bytes of the column. plain_release() in every case: the values are in it.
 */
static inline enum plain_result plain_decode(struct plain_reader *r, struct plain_column *c,
					     const uint8_t *p, size_t len, size_t rows,
					     size_t nulls, size_t *used)
{
	int why;

	r->p = p;
	r->end = p + len;
	r->nblocks = r->memory = 0;
	why = setjmp(r->out);
	if (why)
		return (enum plain_result)why;
	plain_read(r, c, rows, nulls);
	*used = (size_t)(r->p - p);
	return PLAIN_OK;
}

#endif
