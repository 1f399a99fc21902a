/*
 * Values that JSON writes as strings but that are not String: UUID, times, enums, addresses,
 * FixedString.
 *
 * The common spelling of each is read in place. Anything else, escapes among it, is first taken
 * out of its quotes into the reader's text buffer and then read by the general functions.
 */
#include "src/json/json_reader.h"

#include <arpa/inet.h>

/*
 * The value at p without quotes and escapes in r->text, ended by a zero byte that does not
 * count.
 */
static const char *take_text(struct evs_json_reader *r, const char *p)
{
	const char *end;
	bool lone;

	evs_buf_reset(&r->text);
	end = evs_jlex_string(&r->lex, p + 1, &r->text, &lone);
	if (!end)
		return evs_buf_ok(&r->text) ? NULL : evs_read_nomem(r);
	if (lone)
		return evs_misfit(r, p, "half a surrogate pair, which is no character");
	if (r->text.len > EVS_TEXT_MAX) {
		evs_buf_release(&r->text); /* one mad line is no reason to keep megabytes */
		return evs_misfit(r, p, "too long");
	}
	evs_buf_put_u8(&r->text, 0);
	r->text.len--;
	return evs_buf_ok(&r->text) ? end : evs_read_nomem(r);
}

static const char *put_fixed(struct evs_json_reader *r, struct evs_array *a, const void *v,
			     const char *end)
{
	if (!evs_room(a))
		return evs_read_nomem(r);
	memcpy(a->data + (size_t)a->rows * a->width, v, a->width);
	evs_mark_row(a);
	return end;
}

static const char *read_uuid(struct evs_json_reader *r, struct evs_array *a, const char *p)
{
	const char *end;
	uint8_t raw[16];

	if (r->lex.end - p >= 38 && p[37] == '"') {
		if (!evs_room(a))
			return evs_read_nomem(r);
		if (r->lex.ops->uuid_read(p + 1, a->data + (size_t)a->rows * 16)) {
			evs_mark_row(a);
			return p + 38;
		}
	}
	end = take_text(r, p);
	if (!end)
		return NULL;
	if (r->text.len != 36 || !r->lex.ops->uuid_read((char *)r->text.p, raw))
		return evs_misfit(r, p, "not a UUID");
	return put_fixed(r, a, raw, end);
}

static inline unsigned two(const char *p)
{
	return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

/* YYYY-MM-DD at p to days since 1970, by way of the date seen last. */
static bool read_date10(struct evs_plan *pl, const char *p)
{
	int64_t sec;
	uint32_t nano;
	unsigned digits;

	if (!memcmp(p, pl->date, 10))
		return true;
	if (!evs_time_parse(p, 10, &sec, &nano, &digits))
		return false;
	/* Midnight, so the division is exact before 1970 too. */
	pl->days = sec / 86400;
	memcpy(pl->date, p, 10);
	return true;
}

/* HH:MM:SS to seconds, or -1. */
static inline int32_t read_clock(const char *p)
{
	uint64_t v = evs_get64((const uint8_t *)p) ^ 0x30303a30303a3030u;
	unsigned h, m, s;

	/* Digits are now 0 .. 9 and colons 0; adding 0x76 to a byte above 9 sets its top bit. */
	if ((v & 0x0000ff0000ff0000u) || (((v + 0x7676767676767676u) | v) & 0x8080808080808080u))
		return -1;
	h = two(p);
	m = two(p + 3);
	s = two(p + 6);
	return h < 24 && m < 60 && s < 60 ? (int32_t)(h * 3600 + m * 60 + s) : -1;
}

/*
 * YYYY-MM-DDTHH:MM:SS[.digits], 'Z' or +00:00, closing quote: behind it, or NULL for any other
 * form. p is behind the opening quote.
 */
static const char *fast_time(struct evs_plan *pl, const char *p, const char *end, int64_t *sec,
			     uint32_t *nano)
{
	uint32_t frac = 0;
	int32_t clock;
	unsigned n = 0;

	if (end - p < 21 || (p[10] != 'T' && p[10] != ' ') || !read_date10(pl, p))
		return NULL;
	clock = read_clock(p + 11);
	if (clock < 0)
		return NULL;
	p += 19;
	if (*p == '.') {
		static const uint32_t scale[10] = { 0,	   100000000, 10000000, 1000000, 100000,
						    10000, 1000,      100,	10,	 1 };

		for (p++; p < end && n < 9 && (unsigned char)(*p - '0') < 10; p++, n++)
			frac = frac * 10 + (uint32_t)(*p - '0');
		frac *= scale[n];
		if (!n)
			return NULL;
	}
	*sec = pl->days * 86400 + clock;
	*nano = frac;
	if (end - p >= 2 && *p == 'Z' && p[1] == '"')
		return p + 2;
	return end - p >= 7 && !memcmp(p, "+00:00\"", 7) ? p + 7 : NULL;
}

static const char *read_time(struct evs_json_reader *r, struct evs_plan *pl, struct evs_array *a,
			     const char *p)
{
	const char *end;
	int64_t sec;
	uint32_t nano;
	unsigned digits;
	evs_i128 v;

	end = fast_time(pl, p + 1, r->lex.end, &sec, &nano);
	if (!end) {
		end = take_text(r, p);
		if (!end)
			return NULL;
		if (!evs_time_parse((char *)r->text.p, r->text.len, &sec, &nano, &digits))
			return evs_misfit(r, p, "not a time");
	}
	if (nano % pl->ticks) {
		if (r->strict)
			return evs_misfit(r, p, "more digits than the column holds");
		r->row_dropped++;
	}
	v = (evs_i128)sec * pl->per_second + nano / pl->ticks;
	/* A zone can carry a time out of the years that can be written. */
	if (v < INT64_MIN || v > INT64_MAX || sec < EVS_SECONDS_MIN || sec > EVS_SECONDS_MAX)
		return evs_misfit(r, p, "a time outside the type's range");
	return evs_put_int(a, (uint64_t)v) ? end : evs_read_nomem(r);
}

static const char *read_date(struct evs_json_reader *r, struct evs_plan *pl, struct evs_array *a,
			     const char *p)
{
	const char *text = p + 1, *end = p + 12;

	if (r->lex.end - p < 12 || p[11] != '"') {
		end = take_text(r, p);
		if (!end)
			return NULL;
		text = (char *)r->text.p;
		if (r->text.len != 10)
			return evs_misfit(r, p, "not a date");
	}
	if (!read_date10(pl, text))
		return evs_misfit(r, p, "not a date");
	return evs_put_int(a, (uint64_t)pl->days) ? end : evs_read_nomem(r);
}

/* Slot for a name: of its length and its first and last bytes. */
static inline unsigned enum_slot(const char *s, size_t n)
{
	uint64_t h = n;

	if (n >= 8)
		h ^= evs_get64((const uint8_t *)s) ^ evs_get64((const uint8_t *)s + n - 8) << 1;
	else if (n >= 4)
		h ^= evs_get32((const uint8_t *)s) ^ (uint64_t)evs_get32((const uint8_t *)s + n - 4)
							     << 31;
	else if (n)
		h ^= (uint64_t)(uint8_t)s[0] << 8 ^ (uint64_t)(uint8_t)s[n - 1] << 16;
	return (unsigned)(h * 0x9e3779b97f4a7c15u >> 58) % EVS_ENUM_CACHE;
}

static const char *read_enum(struct evs_json_reader *r, struct evs_plan *pl, struct evs_array *a,
			     const char *p)
{
	const struct evs_enum_item *item;
	bool high = false;
	const char *name = p + 1, *end = r->lex.ops->find(name, r->lex.end, &high);
	size_t n = (size_t)(end - name);
	unsigned slot;

	if (end == r->lex.end || *end != '"') {
		end = take_text(r, p);
		if (!end)
			return NULL;
		name = (char *)r->text.p;
		n = r->text.len;
	} else {
		end++;
	}
	slot = enum_slot(name, n);
	item = pl->items[slot];
	if (!item || item->len != n || memcmp(item->name, name, n) != 0) {
		item = evs_enum_by_name(pl->type, name, n);
		if (!item)
			return evs_misfit(r, p, "not a name of the Enum");
		pl->items[slot] = item;
	}
	return evs_put_int(a, (uint64_t)(int64_t)item->value) ? end : evs_read_nomem(r);
}

/* Only texts that the system prints back the same way: no leading zeros, the shortest form. */
static const char *read_address(struct evs_json_reader *r, struct evs_array *a, const char *p,
				int family)
{
	char back[INET6_ADDRSTRLEN];
	uint8_t raw[16];
	const char *end = take_text(r, p);

	if (!end)
		return NULL;
	if (strlen((char *)r->text.p) != r->text.len ||
	    inet_pton(family, (char *)r->text.p, raw) != 1)
		return evs_misfit(
			r, p, family == AF_INET ? "not an IPv4 address" : "not an IPv6 address");
	if (!inet_ntop(family, raw, back, sizeof(back)) || strcmp(back, (char *)r->text.p) != 0)
		return evs_misfit(r, p, "not the canonical spelling of the address");
	if (family == AF_INET6)
		return put_fixed(r, a, raw, end);
	return evs_put_int(a, (uint64_t)raw[0] << 24 | (uint64_t)raw[1] << 16 |
				      (uint64_t)raw[2] << 8 | raw[3])
		       ? end
		       : evs_read_nomem(r);
}

static const char *read_fixedstring(struct evs_json_reader *r, struct evs_array *a, const char *p)
{
	const char *end = take_text(r, p);

	if (!end)
		return NULL;
	if (r->text.len > a->width)
		return evs_misfit(r, p, "longer than the FixedString");
	if (r->text.len && !r->text.p[r->text.len - 1])
		return evs_misfit(r, p, "a NUL at the end, which FixedString cannot keep");
	if (!evs_room(a))
		return evs_read_nomem(r);
	memset(a->data + (size_t)a->rows * a->width, 0, a->width);
	if (r->text.len)
		memcpy(a->data + (size_t)a->rows * a->width, r->text.p, r->text.len);
	evs_mark_row(a);
	return end;
}

const char *evs_read_text(struct evs_json_reader *r, struct evs_plan *pl, struct evs_array *a,
			  const char *p)
{
	switch (pl->type->id) {
	case EVS_T_UUID:
		return read_uuid(r, a, p);
	case EVS_T_DATETIME:
	case EVS_T_DATETIME64:
		return read_time(r, pl, a, p);
	case EVS_T_DATE:
		return read_date(r, pl, a, p);
	case EVS_T_ENUM:
		return read_enum(r, pl, a, p);
	case EVS_T_IPV4:
		return read_address(r, a, p, AF_INET);
	case EVS_T_IPV6:
		return read_address(r, a, p, AF_INET6);
	case EVS_T_FIXEDSTRING:
		return read_fixedstring(r, a, p);
	default:
		return evs_misfit(r, p, "a type that JSON has no form for");
	}
}
