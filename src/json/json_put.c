/*
 * Values as text: plain ones (numbers, times, ids) into a small buffer, all of them as JSON.
 */
#include "src/json/json_out.h"

#include <arpa/inet.h>
#include <math.h>

bool evs_type_is_plain(const struct evs_type *t)
{
	switch (t->id) {
	case EVS_T_STRING:
	case EVS_T_FIXEDSTRING:
	case EVS_T_ENUM:
	case EVS_T_ARRAY:
	case EVS_T_MAP:
	case EVS_T_JSON:
		return false;
	default:
		return true;
	}
}

bool evs_type_is_number(const struct evs_type *t)
{
	return t->id >= EVS_T_BOOL && t->id <= EVS_T_DECIMAL;
}

static size_t print_double(double v, char *buf)
{
	return isfinite(v) ? evs_double_print(v, buf) : 0;
}

static size_t print_float(float v, char *buf)
{
	return isfinite(v) ? evs_float_print(v, buf) : 0;
}

static size_t print_decimal(const struct evs_type *t, const struct evs_array *a, uint32_t row,
			    char *buf)
{
	const uint8_t *p;
	size_t n;

	if (a->phys == EVS_INT)
		return evs_decimal_print((int64_t)evs_array_int(a, row), t->scale, buf);
	p = evs_array_bytes(a, row, &n);
	return evs_decimal_print((evs_i128)((evs_u128)evs_get64(p + 8) << 64 | evs_get64(p)),
				 t->scale, buf);
}

static inline char *put_two(char *p, unsigned v)
{
	memcpy(p, evs_two_digits + 2 * (size_t)v, 2);
	return p + 2;
}

/* The day's text up to 'T'; NULL for years that do not have four digits. */
static const char *look_up_day(struct evs_day *day, int64_t days)
{
	size_t k = (uint64_t)days % 8;
	char text[40];

	if (day->of[k].known && day->of[k].days == days)
		return day->of[k].text;
	if (days < -719528 || days > 2932896) /* 0000-01-01 .. 9999-12-31 */
		return NULL;
	evs_date_print((int32_t)days, text);
	memcpy(day->of[k].text, text, 10);
	day->of[k].text[10] = 'T';
	day->of[k].days = days;
	day->of[k].known = true;
	return day->of[k].text;
}

/* `.` and the digits of a fraction; milliseconds are what most have. */
static char *put_fraction(char *p, uint32_t frac, unsigned scale)
{
	*p = '.';
	if (scale == 3) {
		(void)put_two(p + 1, frac / 10);
		p[3] = (char)('0' + frac % 10);
	} else {
		for (unsigned i = scale; i > 0; i--, frac /= 10)
			p[i] = (char)('0' + frac % 10);
	}
	return p + scale + 1;
}

static size_t print_time(int64_t ticks, unsigned scale, struct evs_day *day, char *buf)
{
	static const uint32_t tens[10] = { 1,	   10,	    100,      1000,	 10000,
					   100000, 1000000, 10000000, 100000000, 1000000000 };
	int64_t sec, days;
	uint32_t frac, clock;
	const char *date;
	char *p = buf;

	switch (scale) { /* division by a constant is much faster */
	case 0:
		sec = ticks;
		break;
	case 3:
		sec = ticks / 1000;
		break;
	case 6:
		sec = ticks / 1000000;
		break;
	default:
		sec = ticks / tens[scale];
	}
	if (ticks < sec * tens[scale])
		sec--;
	frac = (uint32_t)((uint64_t)ticks - (uint64_t)sec * tens[scale]);
	days = sec / 86400;
	if (sec < days * 86400)
		days--;
	date = look_up_day(day, days);
	if (!date)
		return evs_time_print(ticks, scale, buf);
	clock = (uint32_t)(sec - days * 86400);
	memcpy(p, date, 11);
	p = put_two(p + 11, clock / 3600);
	*p++ = ':';
	p = put_two(p, clock / 60 % 60);
	*p++ = ':';
	p = put_two(p, clock % 60);
	if (scale)
		p = put_fraction(p, frac, scale);
	*p++ = 'Z';
	return (size_t)(p - buf);
}

static size_t print_date(int64_t days, struct evs_day *day, char *buf)
{
	const char *date = look_up_day(day, days);

	if (!date)
		return evs_date_print((int32_t)days, buf);
	memcpy(buf, date, 10);
	return 10;
}

static size_t print_ipv4(uint32_t v, char *buf)
{
	size_t n = 0;

	for (unsigned shift = 24;; shift -= 8) {
		n += evs_uint_print(v >> shift & 0xff, buf + n);
		if (!shift)
			return n;
		buf[n++] = '.';
	}
}

size_t evs_plain_print(const struct evs_type *t, const struct evs_array *a, uint32_t row,
		       struct evs_day *day, const struct evs_json_ops *ops, char *buf)
{
	size_t n;

	switch (t->id) {
	case EVS_T_BOOL:
		n = evs_array_int(a, row) ? 4 : 5;
		memcpy(buf, n == 4 ? "true" : "false", n);
		return n;
	case EVS_T_INT8:
	case EVS_T_INT16:
	case EVS_T_INT32:
	case EVS_T_INT64:
		return evs_int_print((int64_t)evs_array_int(a, row), buf);
	case EVS_T_UINT8:
	case EVS_T_UINT16:
	case EVS_T_UINT32:
	case EVS_T_UINT64:
		return evs_uint_print(evs_array_int(a, row), buf);
	case EVS_T_FLOAT32:
		return print_float((float)evs_array_float(a, row), buf);
	case EVS_T_FLOAT64:
		return print_double(evs_array_float(a, row), buf);
	case EVS_T_DECIMAL:
		return print_decimal(t, a, row, buf);
	case EVS_T_UUID:
		ops->uuid_print(a->data + (size_t)row * 16, buf);
		return 36;
	case EVS_T_DATE:
		return print_date((int64_t)evs_array_int(a, row), day, buf);
	case EVS_T_DATETIME:
		return print_time((int64_t)evs_array_int(a, row), 0, day, buf);
	case EVS_T_DATETIME64:
		return print_time((int64_t)evs_array_int(a, row), t->scale, day, buf);
	case EVS_T_IPV4:
		return print_ipv4((uint32_t)evs_array_int(a, row), buf);
	case EVS_T_IPV6:
		inet_ntop(AF_INET6, a->data + (size_t)row * 16, buf, INET6_ADDRSTRLEN);
		return strlen(buf);
	default:
		return 0;
	}
}

const char *evs_text_bytes(const struct evs_type *t, const struct evs_array *a, uint32_t row,
			   size_t *n, char *small)
{
	const struct evs_enum_item *item;
	const char *s;

	if (t->id != EVS_T_ENUM) {
		s = (const char *)evs_array_bytes(a, row, n);
		while (t->id == EVS_T_FIXEDSTRING && *n && !s[*n - 1])
			--*n;
		return s;
	}
	item = evs_enum_by_value(t, (int16_t)evs_array_int(a, row));
	if (item) {
		*n = item->len;
		return item->name;
	}
	*n = evs_int_print((int64_t)evs_array_int(a, row),
			   small); /* no such item: only in a forged segment */
	return small;
}

void evs_out_time(struct evs_out *o, int64_t ticks, unsigned scale, struct evs_day *day)
{
	char *p = evs_out_at(o);
	size_t n = print_time(ticks, scale, day, p + 1);

	p[0] = '"';
	p[n + 1] = '"';
	o->buf.len += n + 2;
}

static void put_plain(struct evs_out *o, const struct evs_type *t, const struct evs_array *a,
		      uint32_t row, struct evs_day *day)
{
	bool quotes = !evs_type_is_number(t);
	char *p;
	size_t n;

	if (!evs_out_room(o, EVS_SCALAR_ROOM + 2))
		return;
	p = evs_out_at(o);
	n = evs_plain_print(t, a, row, day, o->ops, p + quotes);
	if (!n) {
		memcpy(p, "null", 4);
		o->buf.len += 4;
		return;
	}
	if (quotes) {
		p[0] = '"';
		p[n + 1] = '"';
		n += 2;
	}
	o->buf.len += n;
}

/* Elements are mostly texts. */
static inline void put_element(struct evs_out *o, const struct evs_type *t,
			       const struct evs_array *a, uint32_t i, struct evs_day *day)
{
	if (t->id == EVS_T_STRING && !a->valid && a->data)
		evs_out_string(o, (const char *)a->data + a->offs[i],
			       (size_t)(a->offs[i + 1] - a->offs[i]));
	else
		evs_out_value(o, t, a, i, day);
}

static void put_list(struct evs_out *o, const struct evs_type *t, const struct evs_array *a,
		     uint32_t row, struct evs_day *day)
{
	bool map = t->id == EVS_T_MAP;
	uint32_t from = (uint32_t)a->offs[row], to = (uint32_t)a->offs[row + 1];

	evs_out_char(o, map ? '{' : '[');
	for (uint32_t i = from; i < to; i++) {
		if (i > from)
			evs_out_char(o, ',');
		if (map) {
			put_element(o, t->elem[0], &a->child[0], i, day);
			evs_out_char(o, ':');
		}
		put_element(o, t->elem[map], &a->child[map], i, day);
	}
	evs_out_char(o, map ? '}' : ']');
}

void evs_out_value(struct evs_out *o, const struct evs_type *t, const struct evs_array *a,
		   uint32_t row, struct evs_day *day)
{
	char small[24];
	const char *s;
	size_t n;

	if (evs_array_is_null(a, row)) {
		evs_out_put(o, "null", 4);
		return;
	}
	switch (t->id) {
	case EVS_T_STRING:
	case EVS_T_FIXEDSTRING:
	case EVS_T_ENUM:
		s = evs_text_bytes(t, a, row, &n, small);
		evs_out_string(o, s, n);
		return;
	case EVS_T_JSON:
		s = evs_text_bytes(t, a, row, &n, small);
		evs_out_json(o, s, n);
		return;
	case EVS_T_ARRAY:
	case EVS_T_MAP:
		put_list(o, t, a, row, day);
		return;
	default:
		put_plain(o, t, a, row, day);
	}
}

void evs_json_put_value(struct evs_buf *b, const struct evs_type *t, const struct evs_array *a,
			uint32_t row)
{
	struct evs_out o = { .buf = *b, .ops = evs_json_best_ops() };
	struct evs_day day = { 0 };

	evs_out_value(&o, t, a, row, &day);
	*b = o.buf;
}
