/*
 * Lines for the model of fuzz_roundtrip.c, made of the input's bytes: rows of all types as `evcat`
 * prints them, sent with their fields in another order and with nulls, and lines that are refused.
 */
#ifndef EVS_TESTS_FUZZ_ROUNDTRIP_LINES_H
#define EVS_TESTS_FUZZ_ROUNDTRIP_LINES_H

#include "tests/fuzz/roundtrip_model.h"

#include <math.h>

struct model_field {
	const char *name;
	size_t at, len; /* of its value, in m->keys */
};

static const char *const model_tenants[] = { "t", "", "..", "a/b", "_", "\xc3\xa9", "x.evs", "T" };

static inline unsigned model_segment_of(struct model *m, const char *tenant, unsigned day)
{
	char folder[EVS_NAME_BYTES + 1] = "_", path[256];
	unsigned first = m->unit == 2 ? day : m->unit == 1 ? (day < 31 ? 0 : 31) : day / 7 * 7, i;

	if (m->tenant)
		evs_name_escape(tenant, strlen(tenant), folder);
	must(snprintf(path, sizeof(path), "%s/%s/2024-%02u-%02u.evs", m->stream, folder,
		      first < 31 ? 1u : 2u,
		      first < 31 ? first + 1 : first - 30) < (int)sizeof(path));
	for (i = 0; i < m->nsegments; i++)
		if (!strcmp(m->segment[i].path, path))
			return i;
	must(m->nsegments < MODEL_SEGMENTS);
	memcpy(m->segment[m->nsegments++].path, path, sizeof(path));
	return i;
}

static inline void model_put_string(struct evs_buf *b, const uint8_t *p, size_t len)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	char escape[8];

	evs_buf_put_u8(b, '"');
	for (size_t i = 0; i < len; i++) {
		const char *f = p[i] ? strchr(from, p[i]) : NULL;

		if (f)
			snprintf(escape, sizeof(escape), "\\%c", to[f - from]);
		else if (p[i] < 0x20)
			snprintf(escape, sizeof(escape), "\\u%04x", p[i]);
		else
			snprintf(escape, sizeof(escape), "%c", p[i]);
		model_put(b, escape);
	}
	evs_buf_put_u8(b, '"');
}

/* Some text, in UTF-8; a zero byte has its place in it, too. */
static inline size_t model_text(struct model *m, uint8_t *out)
{
	static const char *const wide[] = {
		"\xc2\x80",	    "\xdf\xbf",	    "\xe2\x82\xac", "\xef\xbf\xbf",
		"\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\x7f",	    ""
	};
	size_t n = 0;

	for (unsigned k = model_byte(m) % 12; k; k--) {
		uint8_t c = model_byte(m);

		if (c < 0x80) {
			out[n++] = c;
		} else {
			size_t len = strlen(wide[c % 8]);

			memcpy(out + n, wide[c % 8], len);
			n += len;
		}
	}
	return n;
}

static inline void model_put_time(struct model *m, int64_t ts)
{
	unsigned day = (unsigned)(ts / 86400000), ms = (unsigned)(ts % 86400000);
	char text[48];

	snprintf(text, sizeof(text), "\"2024-%02u-%02uT%02u:%02u:%02u.%03uZ\"", day < 31 ? 1u : 2u,
		 day < 31 ? day + 1 : day - 30, ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
		 ms % 1000);
	model_put(&m->keys, text);
}

static inline void model_put_double(struct model *m, uint64_t bits)
{
	char text[64];
	double v;

	memcpy(&v, &bits, sizeof(v));
	if (!isfinite(v))
		v = 0.5;
	evs_buf_put(&m->keys, text, evs_double_print(v, text));
}

static inline void model_put_list(struct model *m)
{
	char text[16];

	evs_buf_put_u8(&m->keys, '[');
	for (unsigned n = model_byte(m) % 4, i = 0; i < n; i++) {
		int16_t v = (int16_t)model_number(m, 2);

		snprintf(text, sizeof(text), "%s%d", i ? "," : "", v);
		model_put(&m->keys, v == 7 ? i ? ",null" : "null" : text);
	}
	evs_buf_put_u8(&m->keys, ']');
}

static const char *const model_json[] = {
	"{}",	"[1, 2.50,\"q\"]", "{\"a\" : {\"b\":1e2}}",	    "\"\\u00e9\"", "-0",
	"true", "[[[]]]",	   "123456789012345678901234567890"
};

/* The value of a column that may be null, as text at the end of m->keys. */
static inline void model_value(struct model *m, char column)
{
	char text[64];
	uint64_t v;

	switch (column) {
	case 'i':
		v = model_number(m, 4);
		snprintf(text, sizeof(text), "\"%08x-0000-%04x-8000-00000000%04x\"", (unsigned)v,
			 (unsigned)(v >> 8 & 0xffff), (unsigned)(v & 0xffff));
		model_put(&m->keys, text);
		break;
	case 'u':
		snprintf(text, sizeof(text), "%llu",
			 (unsigned long long)model_number(m, 1 + model_byte(m) % 8));
		model_put(&m->keys, text);
		break;
	case 'f':
		model_put_double(m, model_number(m, 8));
		break;
	case 'd':
		evs_buf_put(&m->keys, text,
			    evs_decimal_print((int32_t)model_number(m, 4), 4, text));
		break;
	case 'b':
		model_put(&m->keys, model_byte(m) & 1 ? "true" : "false");
		break;
	case 'k':
		model_put(&m->keys, m->version & MODEL_MORE_K && model_byte(m) & 4 ? "\"ccc\""
				    : model_byte(m) & 1				   ? "\"bb\""
										   : "\"a\"");
		break;
	case 'a':
		model_put_list(m);
		break;
	case 'x':
		snprintf(text, sizeof(text), "%d", (int16_t)model_number(m, 2));
		model_put(&m->keys, text);
		break;
	default: /* j, and what no column is for */
		model_put(&m->keys, model_json[model_byte(m) % 8]);
		break;
	}
}

/* The line as it is sent: from another field on, with nulls and white space; and as it comes back.
 */
static inline void model_write(struct model *m, struct model_line *l, const struct model_field *f,
			       unsigned n)
{
	unsigned from = model_byte(m) % n;

	l->want = m->wanted.len;
	for (unsigned i = 0; i < n; i++) {
		if (!f[i].len)
			continue;
		model_put(&m->wanted, l->want == m->wanted.len ? "{\"" : ",\"");
		model_put(&m->wanted, f[i].name);
		model_put(&m->wanted, "\":");
		evs_buf_put(&m->wanted, m->keys.p + f[i].at, f[i].len);
	}
	model_put(&m->wanted, "}\n");
	l->want_len = m->wanted.len - l->want;

	l->begin = m->sent.len;
	for (unsigned i = 0; i < n; i++) {
		const struct model_field *g = &f[(from + i) % n];

		model_put(&m->sent, i ? ", \"" : " {\"");
		model_put(&m->sent, g->name);
		model_put(&m->sent, "\":");
		if (g->len)
			evs_buf_put(&m->sent, m->keys.p + g->at, g->len);
		else
			model_put(&m->sent, "null");
	}
	model_put(&m->sent, "}\n");
	l->len = m->sent.len - l->begin;
	must(evs_buf_ok(&m->sent) && evs_buf_ok(&m->wanted) && evs_buf_ok(&m->keys));
}

static inline void model_row(struct model *m)
{
	static const char *const names[] = { "ts", "who", "n", "id", "u", "f", "d",
					     "b",  "s",	  "k", "a",  "j", "x", "zz" };
	struct model_field f[MODEL_FIELDS];
	struct model_line *l = &m->line[m->nlines];
	const char *tenant = model_tenants[model_byte(m) % 8];
	unsigned present = (unsigned)model_number(m, 2), n = 0;
	uint8_t text[64];
	char number[32];

	*l = (struct model_line){ 0 };
	l->ts = (int64_t)(model_number(m, 2) % (60 * 24)) * 3600000 + model_byte(m) * 4;
	l->n = m->version & MODEL_WIDEN_N && present & 0x8000 ? (int64_t)model_number(m, 8)
							      : (int8_t)model_byte(m);
	l->s_len = model_text(m, text);
	l->s = m->keys.len;
	evs_buf_put(&m->keys, text, l->s_len);
	l->segment = model_segment_of(m, tenant, (unsigned)(l->ts / 86400000));
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct model_field *g = &f[n++];

		*g = (struct model_field){ names[i], m->keys.len, 0 };
		if (i == 0)
			model_put_time(m, l->ts);
		else if (i == 1)
			model_put_string(&m->keys, (const uint8_t *)tenant, strlen(tenant));
		else if (i == 2)
			evs_buf_put(&m->keys, number, evs_int_print(l->n, number));
		else if (i == 8)
			model_put_string(&m->keys, text, l->s_len);
		else if (names[i][0] == 'x' && !(m->version & MODEL_ADD_X))
			n--;
		else if (present >> i & 1)
			model_value(m, names[i][0]);
		else if (names[i][0] == 'z')
			n--; /* a field without a column is kept with its null, too */
		g->len = m->keys.len - g->at;
	}
	model_write(m, l, f, n);
	m->nlines++;
	model_feed(m, m->nlines - 1);
}

/* Many rows at once, from one byte of the input: groups get zones and filters only when they are
 * large. */
static inline void model_burst(struct model *m)
{
	uint64_t random = model_byte(m) * 0x9e3779b97f4a7c15u + 1;
	uint8_t bytes[96];
	unsigned rows = 1 + model_byte(m);
	const uint8_t *in = m->in;
	size_t left = m->left;

	for (; rows && m->nlines < MODEL_LINES; rows--) {
		for (unsigned i = 0; i < sizeof(bytes); i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bytes[i] = (uint8_t)(random >> 24);
		}
		bytes[0] &= 1; /* two tenants, one day: they are to meet in a segment */
		bytes[3] = 0;
		m->in = bytes;
		m->left = sizeof(bytes);
		model_row(m);
	}
	m->in = in;
	m->left = left;
}

/* Bad under every schema there is. */
static inline void model_bad_line(struct model *m)
{
	static const char *const lines[] = {
		"{\"ts\":\n",
		"{\"who\":\"t\",\"n\":1,\"s\":\"\"}\n",
		"{\"ts\":\"2024-01-01T00:00:00Z\",\"n\":1,\"s\":\"\"}\n",
		"{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"t\",\"n\":\"one\",\"s\":\"\"}\n",
		"{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"t\",\"n\":1,\"s\":\"\",\"k\":\"no\"}\n",
		"{\"ts\":\"the day before\",\"who\":\"t\",\"n\":1,\"s\":\"\"}\n",
		"[]\n",
		"\xff\n",
	};
	const char *text = lines[model_byte(m) % 8];
	struct model_line *l = &m->line[m->nlines++];

	*l = (struct model_line){ .begin = m->sent.len, .len = strlen(text), .bad = true };
	model_put(&m->sent, text);
	must(evs_buf_ok(&m->sent));
	m->nbad++;
	model_feed(m, m->nlines - 1);
}

#endif
