/*
 * The inner loops in portable C, eight bytes at a time, and the choice between them and
 * json_ops_avx2.c.
 *
 * In a word of eight bytes, (x - 0x01..) & ~x & 0x80.. marks the zero bytes of x. A borrow can
 * mark further bytes, but only above the first one marked, and only the first one is used.
 */
#include "src/json/json_ops.h"

#include "format/cpu.h"

#define ONES 0x0101010101010101u
#define TOPS 0x8080808080808080u

const char evs_json_escapes[256] = {
	['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
	['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

static inline uint64_t marks(uint64_t v)
{
	uint64_t quote = v ^ ONES * '"', slash = v ^ ONES * '\\';

	return (((quote - ONES) & ~quote) | ((slash - ONES) & ~slash) | ((v - ONES * 0x20) & ~v)) &
	       TOPS;
}

static inline bool is_mark(char c)
{
	return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

const char *evs_find_portable(const char *p, const char *end, bool *high)
{
	for (; end - p >= 8; p += 8) {
		uint64_t v = evs_get64((const uint8_t *)p), m = marks(v);

		if (m) {
			unsigned n = (unsigned)__builtin_ctzll(m) / 8;

			if (v & TOPS & ((m & -m) - 1))
				*high = true;
			return p + n;
		}
		if (v & TOPS)
			*high = true;
	}
	for (; p < end && !is_mark(*p); p++) {
		if (*p & 0x80)
			*high = true;
	}
	return p;
}

void evs_copy_portable(struct evs_strcopy *c)
{
	const char *p = c->p, *end = c->end;
	char *d = c->d, *dend = c->dend;
	uint64_t high = 0;

	while (p < end && d < dend) {
		if (end - p >= 8 && dend - d >= 8) {
			uint64_t v = evs_get64((const uint8_t *)p), m = marks(v);
			unsigned n = m ? (unsigned)__builtin_ctzll(m) / 8 : 8;

			memcpy(d, p, 8);
			high |= m ? v & ((m & -m) - 1) : v;
			p += n;
			d += n;
			if (!m)
				continue;
		} else if (!is_mark(*p)) {
			high |= (uint64_t)(uint8_t)*p;
			*d++ = *p++;
			continue;
		}
		if (*p != '\\' || end - p < 2 || d == dend || !evs_json_escapes[(uint8_t)p[1]])
			break;
		*d++ = evs_json_escapes[(uint8_t)p[1]];
		p += 2;
	}
	if (high & TOPS)
		c->high = true;
	c->p = p;
	c->d = d;
}

bool evs_same_portable(const char *p, const char *q, size_t n)
{
	const uint8_t *a = (const uint8_t *)p, *b = (const uint8_t *)q;
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		if (evs_get64(a + i) != evs_get64(b + i))
			return false;
	return i == n || !((evs_get64(a + i) ^ evs_get64(b + i)) << (8 - (n - i)) * 8);
}

int evs_plain_portable(const char *p, char *d)
{
	for (int n = 0; n < EVS_PLAIN; n += 8) {
		uint64_t v = evs_get64((const uint8_t *)p + n), m = marks(v);
		int k = m ? __builtin_ctzll(m) / 8 : 8;

		memcpy(d + n, p + n, 8);
		if (v & TOPS & ((m & -m) - 1))
			return -1;
		if (m)
			return p[n + k] == '"' ? n + k : -1;
	}
	return -1;
}

char *evs_escape_byte(char c, char *d)
{
	static const char letters[32] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
	};
	static const char hex[] = "0123456789abcdef";
	unsigned char u = (unsigned char)c;

	*d++ = '\\';
	if (u >= 0x20 || letters[u]) {
		*d++ = u >= 0x20 ? c : letters[u];
		return d;
	}
	memcpy(d, "u00", 3);
	d[3] = hex[u >> 4];
	d[4] = hex[u & 15];
	return d + 5;
}

char *evs_escape_portable(const char *s, size_t n, char *d, bool *high)
{
	const char *end = s + n;
	uint64_t all = 0;

	while (s < end) {
		if (end - s >= 8) {
			uint64_t v = evs_get64((const uint8_t *)s), m = marks(v);
			unsigned k = m ? (unsigned)__builtin_ctzll(m) / 8 : 8;

			memcpy(d, s, 8);
			all |= v;
			s += k;
			d += k;
			if (!m)
				continue;
		} else if (!is_mark(*s)) {
			all |= (uint64_t)(uint8_t)*s;
			*d++ = *s++;
			continue;
		}
		d = evs_escape_byte(*s++, d);
	}
	if (all & TOPS)
		*high = true;
	return d;
}

/* A hex digit's value with bit 4 set; 0 for anything else. */
static const uint8_t hex_value[256] = {
	['0'] = 16, 17, 18, 19, 20, 21,		22, 23, 24, 25, ['A'] = 26,
	27,	    28, 29, 30, 31, ['a'] = 26, 27, 28, 29, 30, 31,
};

bool evs_uuid_read_portable(const char *text, uint8_t *uuid)
{
	const uint8_t *p = (const uint8_t *)text;
	uint8_t all = 16;

	if (p[8] != '-' || p[13] != '-' || p[18] != '-' || p[23] != '-')
		return false;
	for (unsigned i = 0; i < 16; i++) {
		uint8_t hi = hex_value[p[0]], lo = hex_value[p[1]];

		all &= hi & lo;
		uuid[i] = (uint8_t)(hi << 4 | (lo & 15));
		p += i == 3 || i == 5 || i == 7 || i == 9 ? 3 : 2;
	}
	return all & 16;
}

void evs_uuid_print_portable(const uint8_t *uuid, char *text)
{
	static const char hex[] = "0123456789abcdef";

	for (unsigned i = 0; i < 16; i++) {
		*text++ = hex[uuid[i] >> 4];
		*text++ = hex[uuid[i] & 15];
		if (i == 3 || i == 5 || i == 7 || i == 9)
			*text++ = '-';
	}
}

const struct evs_json_ops evs_json_portable = {
	.find = evs_find_portable,
	.copy = evs_copy_portable,
	.same = evs_same_portable,
	.plain = evs_plain_portable,
	.escape = evs_escape_portable,
	.uuid_read = evs_uuid_read_portable,
	.uuid_print = evs_uuid_print_portable,
};

const struct evs_json_ops *evs_json_best_ops(void)
{
#if defined(__x86_64__) && !defined(EVS_PORTABLE)
	if (evs_cpu_avx2())
		return &evs_json_avx2;
#endif
	return &evs_json_portable;
}
