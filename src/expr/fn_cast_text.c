/*
 * Conversions to and from text, and to JSON. Values print as evcat prints them, and every printed
 * value reads back to itself.
 */
#include "src/expr/fn_cast.h"

#include "src/json/json.h"

#include <arpa/inet.h>
#include <string.h>

/* ---- to text
 * -------------------------------------------------------------------------------------- */

/* Text of a value that JSON writes as a string or as it is; no quotes. */
static bool print_json(struct evs_eval *v, const struct x_args *in, uint32_t i, bool strip)
{
	const struct x_vec *x = &in->arg[0];

	evs_buf_reset(&v->text);
	evs_json_put_value(&v->text, &in->node->arg[0]->type, x->a, evs_x_at(x, i));
	if (!evs_buf_ok(&v->text))
		return false;
	if (strip && v->text.len >= 2 && v->text.p[0] == '"') {
		memmove(v->text.p, v->text.p + 1, v->text.len - 2);
		v->text.len -= 2;
	}
	return true;
}

static int value_to_text(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *from = &in->node->arg[0]->type;
	bool strip = from->id != EVS_T_ARRAY && from->id != EVS_T_MAP;

	for (uint32_t i = 0; i < in->rows; i++) {
		int rc;

		if (evs_x_any_null(in, i))
			rc = evs_array_append_null(&out->slot->a);
		else if (!print_json(v, in, i, strip))
			rc = EVS_E_NOMEM;
		else
			rc = evs_array_append_bytes(&out->slot->a, v->text.p, v->text.len);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The short ones, without a buffer between. */
static size_t print_short(const struct evs_type *t, const struct x_vec *x, uint32_t i, char *buf)
{
	switch (t->id) {
	case EVS_T_BOOL:
		memcpy(buf, evs_x_i64(x, i) ? "true" : "false", 5);
		return evs_x_i64(x, i) ? 4 : 5;
	case EVS_T_FLOAT32:
		return evs_float_print((float)evs_x_f64(x, i), buf);
	case EVS_T_FLOAT64:
		return evs_double_print(evs_x_f64(x, i), buf);
	case EVS_T_DATE:
		return evs_date_print((int32_t)evs_x_i64(x, i), buf);
	case EVS_T_DATETIME:
		return evs_time_print(evs_x_i64(x, i), 0, buf);
	case EVS_T_DATETIME64:
		return evs_time_print(evs_x_i64(x, i), t->scale, buf);
	default:
		return evs_x_is_unsigned(t) ? evs_uint_print((uint64_t)evs_x_i64(x, i), buf)
					    : evs_int_print(evs_x_i64(x, i), buf);
	}
}

static int short_to_text(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	char buf[64];

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		int rc;

		if (evs_x_any_null(in, i))
			rc = evs_array_append_null(&out->slot->a);
		else
			rc = evs_array_append_bytes(
				&out->slot->a, buf,
				print_short(&in->node->arg[0]->type, &in->arg[0], i, buf));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int enum_to_text(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *t = &in->node->arg[0]->type;

	for (uint32_t i = 0; i < in->rows; i++) {
		const struct evs_enum_item *it = NULL;
		bool null = evs_x_any_null(in, i);
		int rc;

		if (!null)
			it = evs_enum_by_value(t, (int16_t)evs_x_i64(&in->arg[0], i));
		if (null)
			rc = evs_array_append_null(&out->slot->a);
		else if (it)
			rc = evs_array_append_bytes(&out->slot->a, it->name, it->len);
		else
			rc = evs_x_append_bad(v, in, out, i, "a number that is not in the enum");
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int fixed_to_text(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		size_t n;
		const char *s = evs_x_text(&in->arg[0], i, &n);
		int rc;

		while (n && !s[n - 1])
			n--;
		rc = evs_x_any_null(in, i) ? evs_array_append_null(&out->slot->a)
					   : evs_array_append_bytes(&out->slot->a, s, n);
		if (rc < 0)
			return rc;
	}
	return 0;
}

x_eval_fn *evs_x_cast_to_text(const struct evs_type *from)
{
	switch (from->id) {
	case EVS_T_FIXEDSTRING:
		return fixed_to_text;
	case EVS_T_ENUM:
		return enum_to_text;
	case EVS_T_JSON:
		return evs_x_json_to_text;
	case EVS_T_DECIMAL:
	case EVS_T_UUID:
	case EVS_T_IPV4:
	case EVS_T_IPV6:
	case EVS_T_ARRAY:
	case EVS_T_MAP:
		return value_to_text;
	default:
		return short_to_text;
	}
}

/* Text is checked and taken as it stands; other values print. */
int evs_x_cast_to_json(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	bool text = in->node->arg[0]->type.id == EVS_T_STRING;

	for (uint32_t i = 0; i < in->rows; i++) {
		const char *s, *why;
		size_t n;
		int rc;

		if (evs_x_any_null(in, i)) {
			rc = evs_array_append_null(&out->slot->a);
		} else if (text) {
			s = evs_x_text(&in->arg[0], i, &n);
			if (evs_json_valid(s, n, &why))
				rc = evs_array_append_bytes(&out->slot->a, s, n);
			else if (in->node->op == X_TRY)
				rc = evs_array_append_null(&out->slot->a);
			else
				rc = evs_x_append_bad(v, in, out, i, "this text is not valid JSON");
		} else if (print_json(v, in, i, false)) {
			rc = evs_array_append_bytes(&out->slot->a, v->text.p, v->text.len);
		} else {
			rc = EVS_E_NOMEM;
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ---- from text
 * ------------------------------------------------------------------------------------ */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 hex digits, with hyphens at the usual places or without any. */
bool evs_x_uuid_parse(const char *s, size_t n, uint8_t *out)
{
	bool hyphens = n == 36;

	if (n != 36 && n != 32)
		return false;
	for (size_t i = 0, k = 0; k < 32; i++) {
		int h;

		if (hyphens && (i == 8 || i == 13 || i == 18 || i == 23)) {
			if (s[i] != '-')
				return false;
			continue;
		}
		h = hex(s[i]);
		if (h < 0)
			return false;
		out[k / 2] = (uint8_t)(k % 2 ? out[k / 2] | h : h << 4);
		k++;
	}
	return true;
}

static bool read_bool(const char *s, size_t n, bool *out)
{
	static const char *const words[] = { "false", "true", "f",   "t",   "0",
					     "1",     "no",   "yes", "off", "on" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (evs_x_same_word(s, n, words[i])) {
			*out = i & 1;
			return true;
		}
	return false;
}

static bool read_time(const struct evs_type *t, const char *s, size_t n, int64_t *out)
{
	struct evs_type second = { .id = EVS_T_DATETIME };
	x_i128 ticks;
	int64_t sec;
	uint32_t nano;
	unsigned digits;

	if (!evs_time_parse(s, n, &sec, &nano, &digits) || !evs_x_time_fits(&second, sec))
		return false;
	/* floor: nano is never negative */
	ticks = evs_x_floor_div((x_i128)sec * 1000000000 + nano, evs_x_time_unit(t));
	*out = (int64_t)ticks;
	return evs_x_time_fits(t, ticks);
}

static bool read_ip(const struct evs_type *t, const char *s, size_t n, uint8_t *out)
{
	char buf[64];
	uint8_t raw[4];
	uint32_t v;

	if (n >= sizeof(buf) || memchr(s, 0, n))
		return false;
	memcpy(buf, s, n);
	buf[n] = 0;
	if (t->id == EVS_T_IPV6)
		return inet_pton(AF_INET6, buf, out) == 1;
	if (inet_pton(AF_INET, buf, raw) != 1)
		return false;
	v = (uint32_t)raw[0] << 24 | (uint32_t)raw[1] << 16 | (uint32_t)raw[2] << 8 | raw[3];
	memcpy(out, &v, 4);
	return true;
}

static bool read_int(const struct evs_type *t, const char *s, size_t n, int64_t *out)
{
	unsigned scale;
	x_i128 value;

	if (!evs_x_decimal_parse(s, n, &value, &scale) || memchr(s, '.', n) ||
	    !evs_x_int_fits(t, value))
		return false;
	*out = (int64_t)value;
	return true;
}

static bool read_decimal(const struct evs_type *t, const char *s, size_t n, x_i128 *out)
{
	unsigned scale;
	double d;

	if (evs_x_decimal_parse(s, n, out, &scale))
		return evs_x_rescale(*out, scale, t->scale, t->precision, out);
	return evs_x_float_parse(s, n, &d) &&
	       evs_x_double_to_decimal(d, t->scale, t->precision, out);
}

static bool read_fixed(const struct evs_type *t, const char *s, size_t n, uint8_t *out)
{
	if (n > t->width)
		return false;
	memset(out, 0, t->width);
	memcpy(out, s, n);
	return true;
}

/* One text to the place of row i. */
static bool read_value(const struct evs_type *t, const char *s, size_t n, struct x_vec *out,
		       uint32_t i)
{
	uint8_t *p = (uint8_t *)evs_x_data(out) + (size_t)i * out->a->width;
	const struct evs_enum_item *it;
	bool flag = false, ok;
	int64_t v = 0;
	double d = 0;
	x_i128 dec = 0;

	switch (t->id) {
	case EVS_T_BOOL:
		ok = read_bool(s, n, &flag);
		*p = flag;
		return ok;
	case EVS_T_FLOAT32:
	case EVS_T_FLOAT64:
		ok = evs_x_float_parse(s, n, &d);
		if (t->id == EVS_T_FLOAT64)
			memcpy(p, &d, 8);
		else if (d <= 3.4028234663852886e38 && d >= -3.4028234663852886e38)
			memcpy(p, &(float){ (float)d }, 4);
		else
			return false;
		return ok;
	case EVS_T_DECIMAL:
		ok = read_decimal(t, s, n, &dec);
		evs_x_put_decimal(out, i, ok ? dec : 0);
		return ok;
	case EVS_T_UUID:
		return evs_x_uuid_parse(s, n, p);
	case EVS_T_FIXEDSTRING:
		return read_fixed(t, s, n, p);
	case EVS_T_IPV4:
	case EVS_T_IPV6:
		return read_ip(t, s, n, p);
	case EVS_T_ENUM:
		it = evs_enum_by_name(t, s, n);
		evs_x_put_int(out, i, it ? it->value : 0);
		return it != NULL;
	default:
		ok = evs_x_is_time(t) ? read_time(t, s, n, &v) : read_int(t, s, n, &v);
		evs_x_put_int(out, i, ok ? v : 0);
		return ok;
	}
}

static const char *no_value(const struct evs_type *t)
{
	switch (t->id) {
	case EVS_T_BOOL:
		return "this text is not a Bool: true and false are";
	case EVS_T_DATE:
	case EVS_T_DATETIME:
	case EVS_T_DATETIME64:
		return "this text is not a time of the type, such as 2024-01-31 or 2024-01-31T12:00:00Z";
	case EVS_T_UUID:
		return "this text is not a UUID";
	case EVS_T_ENUM:
		return "this text is no value of the enum";
	case EVS_T_IPV4:
	case EVS_T_IPV6:
		return "this text is not an IP address";
	case EVS_T_FIXEDSTRING:
		return "this text is longer than the type";
	default:
		return "this text is not a number of the type";
	}
}

static int from_text(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *t = &in->node->type;

	for (uint32_t i = 0; i < in->rows; i++) {
		size_t n;
		const char *s = evs_x_text(&in->arg[0], i, &n);

		if (evs_x_is_null(&in->arg[0], i) || !read_value(t, s, n, out, i)) {
			memset((uint8_t *)evs_x_data(out) + (size_t)i * out->a->width, 0,
			       out->a->width);
			if (evs_x_cast_failed(v, in, out, i, no_value(t)) < 0)
				return EVS_E_NOMEM;
		}
	}
	return 0;
}

/* '{}' and '[]', as DEFAULT writes an empty array or map. */
static int empty_from_text(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	for (uint32_t i = 0; i < in->rows; i++) {
		size_t n;
		const char *s = evs_x_text(&in->arg[0], i, &n);
		int rc;

		if (evs_x_any_null(in, i))
			rc = evs_array_append_null(&out->slot->a);
		else if (n == 2 && (!memcmp(s, "{}", 2) || !memcmp(s, "[]", 2)))
			rc = evs_array_close_row(&out->slot->a);
		else if (in->node->op == X_TRY)
			rc = evs_array_append_null(&out->slot->a);
		else
			rc = evs_x_append_bad(
				v, in, out, i,
				"text is converted to an array or map only when empty: "
				"'{}' or '[]'");
		if (rc < 0)
			return rc;
	}
	return 0;
}

x_eval_fn *evs_x_cast_from_text(const struct evs_type *to)
{
	if (to->id == EVS_T_ARRAY || to->id == EVS_T_MAP)
		return empty_from_text;
	return to->id == EVS_T_JSON ? evs_x_cast_to_json : from_text;
}
