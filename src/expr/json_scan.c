/*
 * JSON texts, walked by byte: values are stepped over by counting brackets, with a loop and not
 * by recursion.
 */
#include "src/expr/json_scan.h"

#include <string.h>

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* After the string that begins at p, or NULL. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '"')
			return p + 1;
	}
	return NULL;
}

static bool ends_word(char c)
{
	return strchr(" \t\r\n,:]}[{\"", c) != NULL; /* the zero byte too */
}

/* After the value that begins at p, or NULL. */
static const char *skip_value(const char *p, const char *end)
{
	size_t depth = 0;

	if (p == end)
		return NULL;
	if (*p == '"')
		return skip_string(p, end);
	if (*p != '{' && *p != '[') {
		const char *from = p;

		while (p < end && !ends_word(*p))
			p++;
		return p > from ? p : NULL;
	}
	while (p < end) {
		if (*p == '"') {
			p = skip_string(p, end);
			if (!p)
				return NULL;
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		if ((*p == '}' || *p == ']') && --depth == 0)
			return p + 1;
		p++;
	}
	return NULL;
}

struct x_json evs_x_json_value(const char *s, size_t n)
{
	const char *end = s + n, *p = skip_space(s, end), *after = skip_value(p, end);

	if (!after || skip_space(after, end) != end)
		return (struct x_json){ NULL, 0 };
	return (struct x_json){ p, (size_t)(after - p) };
}

static bool is_word(const struct x_json *j, const char *w)
{
	return j->n == strlen(w) && !memcmp(j->s, w, j->n);
}

enum x_json_kind evs_x_json_kind(const struct x_json *j)
{
	if (!j->s || !j->n)
		return X_J_NONE;
	switch (*j->s) {
	case '{':
		return X_J_OBJECT;
	case '[':
		return X_J_ARRAY;
	case '"':
		return X_J_STRING;
	case 't':
		return is_word(j, "true") ? X_J_BOOL : X_J_NONE;
	case 'f':
		return is_word(j, "false") ? X_J_BOOL : X_J_NONE;
	case 'n':
		return is_word(j, "null") ? X_J_NULL : X_J_NONE;
	default:
		return *j->s == '-' || (*j->s >= '0' && *j->s <= '9') ? X_J_NUMBER : X_J_NONE;
	}
}

static int hex4(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int c = p[i] | 0x20;

		if (p[i] >= '0' && p[i] <= '9')
			v = v * 16 + (p[i] - '0');
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + (c - 'a' + 10);
		else
			return -1;
	}
	return v;
}

static void put_utf8(struct evs_buf *b, uint32_t c)
{
	if (c < 0x80) {
		evs_buf_put_u8(b, (uint8_t)c);
		return;
	}
	if (c < 0x800) {
		evs_buf_put_u8(b, (uint8_t)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		evs_buf_put_u8(b, (uint8_t)(0xe0 | c >> 12));
		evs_buf_put_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
	} else {
		evs_buf_put_u8(b, (uint8_t)(0xf0 | c >> 18));
		evs_buf_put_u8(b, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		evs_buf_put_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
	}
	evs_buf_put_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
}

/* \uXXXX at p (after the u), with its second half when it has one. Gives the place after it, or
 * NULL. */
static const char *take_unicode(const char *p, const char *end, struct evs_buf *out)
{
	int hi = hex4(p, end), lo;

	if (hi < 0)
		return NULL;
	p += 4;
	if (hi >= 0xd800 && hi < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
		lo = hex4(p + 2, end);
		if (lo >= 0xdc00 && lo < 0xe000) {
			put_utf8(out, 0x10000u + ((uint32_t)(hi - 0xd800) << 10) +
					      (uint32_t)(lo - 0xdc00));
			return p + 6;
		}
	}
	put_utf8(out, hi >= 0xd800 && hi < 0xe000 ? 0xfffd : (uint32_t)hi);
	return p;
}

bool evs_x_json_unescape(const struct x_json *j, struct evs_buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *p, *end;

	if (evs_x_json_kind(j) != X_J_STRING || j->n < 2)
		return false;
	p = j->s + 1;
	end = j->s + j->n - 1;
	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p)), *known;

		evs_buf_put(out, p, (size_t)((slash ? slash : end) - p));
		if (!slash)
			break;
		p = slash + 1;
		if (p == end)
			return false;
		known = memchr(from, *p, sizeof(from) - 1);
		if (known) {
			evs_buf_put_u8(out, (uint8_t)to[known - from]);
			p++;
		} else if (*p != 'u' || !(p = take_unicode(p + 1, end, out))) {
			return false;
		}
	}
	return evs_buf_ok(out);
}

static bool key_is(const struct x_json *k, const char *key, size_t klen, struct evs_buf *scratch)
{
	if (!memchr(k->s, '\\', k->n))
		return k->n == klen + 2 && !memcmp(k->s + 1, key, klen);
	evs_buf_reset(scratch);
	return evs_x_json_unescape(k, scratch) && scratch->len == klen &&
	       !memcmp(scratch->p, key, klen);
}

/*
 * Step through an object or array: *p is after the bracket at first. Gives the next value (and
 * key); false at the end and where the text stops being JSON.
 */
static bool next(const char **p, const char *end, struct x_json *key, struct x_json *value)
{
	const char *q = skip_space(*p, end), *after;

	if (q < end && *q == ',')
		q = skip_space(q + 1, end);
	if (key) {
		if (q == end || *q != '"' || !(after = skip_string(q, end)))
			return false;
		*key = (struct x_json){ q, (size_t)(after - q) };
		q = skip_space(after, end);
		if (q == end || *q != ':')
			return false;
		q = skip_space(q + 1, end);
	}
	after = skip_value(q, end);
	if (!after)
		return false;
	*value = (struct x_json){ q, (size_t)(after - q) };
	*p = after;
	return true;
}

bool evs_x_json_member(const struct x_json *j, const char *key, size_t klen,
		       struct evs_buf *scratch, struct x_json *out)
{
	struct x_json k, v;
	const char *p;

	if (evs_x_json_kind(j) != X_J_OBJECT)
		return false;
	for (p = j->s + 1; next(&p, j->s + j->n - 1, &k, &v);) {
		if (key_is(&k, key, klen, scratch)) {
			*out = v;
			return true;
		}
	}
	return false;
}

int64_t evs_x_json_count(const struct x_json *j)
{
	enum x_json_kind kind = evs_x_json_kind(j);
	struct x_json k, v;
	int64_t n = 0;

	if (kind != X_J_OBJECT && kind != X_J_ARRAY)
		return -1;
	for (const char *p = j->s + 1;
	     next(&p, j->s + j->n - 1, kind == X_J_OBJECT ? &k : NULL, &v);)
		n++;
	return n;
}

bool evs_x_json_element(const struct x_json *j, int64_t k, struct x_json *out)
{
	struct x_json v;

	if (evs_x_json_kind(j) != X_J_ARRAY)
		return false;
	if (k < 0) {
		int64_t n = evs_x_json_count(j);

		if (k < -n)
			return false;
		k += n;
	}
	for (const char *p = j->s + 1; next(&p, j->s + j->n - 1, NULL, &v); k--) {
		if (k == 0) {
			*out = v;
			return true;
		}
	}
	return false;
}

bool evs_x_json_number(const struct x_json *j, struct x_json_number *out)
{
	unsigned scale;

	*out = (struct x_json_number){ 0 };
	if (evs_x_json_kind(j) != X_J_NUMBER)
		return false;
	if (j->n <= 20 && !memchr(j->s, '.', j->n) &&
	    evs_x_decimal_parse(j->s, j->n, &out->i, &scale) && out->i >= INT64_MIN &&
	    out->i <= (x_i128)UINT64_MAX) {
		out->whole = true;
		out->d = (double)out->i;
		return true;
	}
	return evs_x_float_parse(j->s, j->n, &out->d);
}
