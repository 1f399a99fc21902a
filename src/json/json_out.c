/*
 * The output buffer, and strings into it. Long values go through in pieces, so the buffer keeps
 * its size whatever a row holds.
 */
#include "src/json/json_out.h"

bool evs_out_flush(struct evs_out *o)
{
	if (o->stopped || o->buf.failed)
		return false;
	if (!o->write || !o->buf.len)
		return true;
	if (o->write(o->arg, o->buf.p, o->buf.len)) {
		o->stopped = true;
		return false;
	}
	o->buf.len = 0;
	return true;
}

bool evs_out_make_room(struct evs_out *o, size_t n)
{
	if (o->write && o->buf.len && o->buf.cap - o->buf.len < n && !evs_out_flush(o))
		return false;
	return !o->stopped && evs_buf_reserve(&o->buf, n);
}

void evs_out_put(struct evs_out *o, const char *s, size_t n)
{
	while (n) {
		size_t k = n < EVS_OUT_PIECE ? n : EVS_OUT_PIECE;

		if (!evs_out_room(o, k))
			return;
		memcpy(evs_out_at(o), s, k);
		o->buf.len += k;
		s += k;
		n -= k;
	}
}

/* Escape valid UTF-8, a piece at a time. */
static void put_escaped(struct evs_out *o, const char *s, size_t n)
{
	bool high;

	while (n) {
		size_t k = n < EVS_OUT_PIECE ? n : EVS_OUT_PIECE;

		if (!evs_out_room(o, 6 * k + 32))
			return;
		o->buf.len =
			(size_t)(o->ops->escape(s, k, evs_out_at(o), &high) - (char *)o->buf.p);
		s += k;
		n -= k;
	}
}

static void put_checked(struct evs_out *o, const char *s, size_t n)
{
	const char *end = s + n;

	evs_out_char(o, '"');
	while (s < end) {
		const char *bad = evs_utf8_check(s, end);

		put_escaped(o, s, (size_t)(bad - s));
		if (bad == end)
			break;
		evs_out_put(o, "\xef\xbf\xbd", 3);
		s = bad + 1;
	}
	evs_out_char(o, '"');
}

void evs_out_string(struct evs_out *o, const char *s, size_t n)
{
	bool high = false;
	char *d;

	if (n > EVS_OUT_PIECE || !evs_out_room(o, 6 * n + 34)) {
		put_checked(o, s, n);
		return;
	}
	d = evs_out_at(o);
	*d++ = '"';
	d = o->ops->escape(s, n, d, &high);
	if (high && evs_utf8_check(s, s + n) != s + n) {
		put_checked(o, s, n);
		return;
	}
	*d++ = '"';
	o->buf.len = (size_t)(d - (char *)o->buf.p);
}

void evs_out_json(struct evs_out *o, const char *s, size_t n)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t low = 0;
	size_t i = 0;

	for (; n - i >= 8; i += 8) {
		uint64_t v = evs_get64((const uint8_t *)s + i);

		low |= (v - ones * 0x20) & ~v;
	}
	for (; i < n; i++)
		low |= (uint64_t)((uint8_t)s[i] < 0x20) << 7;
	if (!(low & ones * 0x80)) {
		evs_out_put(o, s, n);
		return;
	}
	for (i = 0; i < n; i++) {
		bool white = s[i] == '\t' || s[i] == '\r';

		evs_out_char(o, (uint8_t)s[i] < 0x20 && !white ? ' ' : s[i]);
	}
}

void evs_json_put_string(struct evs_buf *b, const char *s, size_t len)
{
	struct evs_out o = { .buf = *b, .ops = evs_json_best_ops() };

	evs_out_string(&o, s, len);
	*b = o.buf;
}
