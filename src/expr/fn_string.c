/*
 * Functions of text. Lengths and positions count characters, not bytes; case is that of ASCII
 * letters.
 */
#include "src/expr/expr_node.h"

#include <string.h>

static uint32_t count_chars(const char *s, size_t n)
{
	uint32_t chars = 0;

	for (size_t i = 0; i < n; i++)
		chars += ((unsigned char)s[i] & 0xc0) != 0x80;
	return chars;
}

/* Byte offset of character `k` (from 0), at most n. */
static size_t char_offset(const char *s, size_t n, uint64_t k)
{
	size_t i = 0;

	if (k >= n) /* each has a byte at least */
		k = n;
	while (i < n && k) {
		i++;
		while (i < n && ((unsigned char)s[i] & 0xc0) == 0x80)
			i++;
		k--;
	}
	return i;
}

enum { CHARS, OCTETS };

static int eval_length(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	int64_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		size_t n;
		const char *s = evs_x_text(&in->arg[0], i, &n);

		dst[i] = in->node->op == CHARS ? count_chars(s, n) : (int64_t)n;
	}
	return 0;
}

/* length() of arrays and maps is their number of elements. */
static struct x_node *bind_length(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				  struct x_node **arg, size_t n)
{
	const struct x_fn text = {
		.name = f->name, .sig = "s>i", .eval = eval_length, .op = f->op
	};

	if (arg[0]->type.id == EVS_T_ARRAY || arg[0]->type.id == EVS_T_MAP)
		return evs_x_bind_count(b, a, arg[0]);
	return evs_x_bind_fn(b, a, &text, arg, n);
}

/* empty(x), notEmpty(x): op is 1 for empty. */
static int eval_empty(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	uint8_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		const struct evs_array *a = in->arg[0].a;
		uint32_t at = evs_x_at(&in->arg[0], i);

		dst[i] = (a->offs[at + 1] == a->offs[at]) == (in->node->op == 1);
	}
	return 0;
}

static struct x_node *bind_empty(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				 struct x_node **arg, size_t n)
{
	bool list = arg[0]->type.id == EVS_T_ARRAY || arg[0]->type.id == EVS_T_MAP;
	const struct x_fn g = {
		.name = f->name, .sig = list ? "x>b" : "s>b", .eval = eval_empty, .op = f->op
	};

	return evs_x_bind_fn(b, a, &g, arg, n);
}

/* Append one row of text, or null. */
static int put(struct x_vec *out, bool null, const void *s, size_t n)
{
	return null ? evs_array_append_null(&out->slot->a)
		    : evs_array_append_bytes(&out->slot->a, s, n);
}

/* lower: op 'a' - 'A' added to 'A' .. 'Z'; upper: the other way. */
static int eval_case(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	char first = in->node->op ? 'a' : 'A';

	for (uint32_t i = 0; i < in->rows; i++) {
		size_t n;
		const char *s = evs_x_text(&in->arg[0], i, &n);
		bool null = evs_x_any_null(in, i);

		evs_buf_reset(&v->text);
		evs_buf_put(&v->text, s, null ? 0 : n);
		if (!evs_buf_ok(&v->text))
			return EVS_E_NOMEM;
		for (size_t k = 0; k < v->text.len; k++)
			if ((char)v->text.p[k] >= first && (char)v->text.p[k] <= first + 25)
				v->text.p[k] ^= 0x20;
		if (put(out, null, v->text.p, v->text.len) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* op: 1 left, 2 right, 3 both. Spaces only, as SQL says. */
static int eval_trim(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		size_t n;
		const char *s = evs_x_text(&in->arg[0], i, &n);

		while (n && (in->node->op & 1) && *s == ' ')
			s++, n--;
		while (n && (in->node->op & 2) && s[n - 1] == ' ')
			n--;
		if (put(out, evs_x_any_null(in, i), s, n) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

static int eval_concat(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	for (uint32_t i = 0; i < in->rows; i++) {
		bool null = evs_x_any_null(in, i);

		evs_buf_reset(&v->text);
		for (size_t k = 0; !null && k < in->n; k++) {
			size_t n;
			const char *s = evs_x_text(&in->arg[k], i, &n);

			evs_buf_put(&v->text, s, n);
		}
		if (!evs_buf_ok(&v->text) || put(out, null, v->text.p, v->text.len) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* concat(x, ...): what is no text prints. */
static struct x_node *bind_concat(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				  struct x_node **arg, size_t n)
{
	const struct x_fn text = { .name = f->name, .sig = "s*>s", .eval = eval_concat };

	for (size_t k = 0; k < n; k++) {
		char type[128];

		if (arg[k]->type.id == EVS_T_ARRAY || arg[k]->type.id == EVS_T_MAP ||
		    (int)arg[k]->type.id == X_T_INTERVAL)
			return evs_x_fail(b, a, "text cannot be joined with a %s",
					  evs_x_type_text(&arg[k]->type, type, sizeof(type)));
		if ((int)arg[k]->type.id != X_T_NULL)
			arg[k] = evs_x_cast_id(b, a, arg[k], EVS_T_STRING, X_EXPLICIT);
		if (!arg[k])
			return NULL;
	}
	return evs_x_bind_fn(b, a, &text, arg, n);
}

/* op: 0 starts with, 1 ends with */
static int eval_starts(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	uint8_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		size_t n, m;
		const char *s = evs_x_text(&in->arg[0], i, &n), *t = evs_x_text(&in->arg[1], i, &m);

		dst[i] = m <= n && !memcmp(in->node->op ? s + n - m : s, t, m);
	}
	return 0;
}

/* Place of a text in another, from 1; 0: not there. */
static int eval_position(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	int64_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		size_t n, m;
		const char *s = evs_x_text(&in->arg[0], i, &n), *t = evs_x_text(&in->arg[1], i, &m);
		const char *p = evs_x_find(s, n, t, m);

		dst[i] = p ? (int64_t)count_chars(s, (size_t)(p - s)) + 1 : 0;
	}
	return 0;
}

/* substring(s, from [, count]): from 1; a negative start counts from the end. */
static int eval_substring(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	for (uint32_t i = 0; i < in->rows; i++) {
		bool null = evs_x_any_null(in, i);
		int64_t from = evs_x_i64(&in->arg[1], i), count = INT64_MAX;
		size_t n, lo, len;
		const char *s = evs_x_text(&in->arg[0], i, &n);

		if (in->n > 2)
			count = evs_x_i64(&in->arg[2], i);
		if (!null && count < 0) {
			if (evs_x_append_bad(v, in, out, i,
					     "the length of a substring is negative") < 0)
				return EVS_E_NOMEM;
			continue;
		}
		if (from < 0) {
			int64_t chars = count_chars(s, n);

			from = from < -chars ? 1 : chars + from + 1;
		} else if (from == 0) { /* SQL: there is a place before the first */
			from = 1;
			count -= count > 0 && count < INT64_MAX;
		}
		lo = char_offset(s, n, (uint64_t)from - 1);
		len = null ? 0 : char_offset(s + lo, n - lo, (uint64_t)count);
		if (put(out, null, s + lo, len) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

/* replace(s, what, with): every one, from left to right. */
static int eval_replace(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	for (uint32_t i = 0; i < in->rows; i++) {
		bool null = evs_x_any_null(in, i);
		size_t n, m, k;
		const char *s = evs_x_text(&in->arg[0], i, &n),
			   *what = evs_x_text(&in->arg[1], i, &m);
		const char *with = evs_x_text(&in->arg[2], i, &k), *p;

		evs_buf_reset(&v->text);
		while (!null && m && (p = evs_x_find(s, n, what, m))) {
			evs_buf_put(&v->text, s, (size_t)(p - s));
			evs_buf_put(&v->text, with, k);
			n -= (size_t)(p - s) + m;
			s = p + m;
			if (v->text.len > EVS_ARRAY_MAX_BYTES)
				return EVS_E_NOMEM;
		}
		evs_buf_put(&v->text, s, n);
		if (!evs_buf_ok(&v->text) || put(out, null, v->text.p, v->text.len) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

const struct x_fn evs_x_fns_string[] = {
	{ "length", "x>i", NULL, bind_length, 0, CHARS, 0 },
	{ "lengthutf8", "s>i", eval_length, NULL, 0, CHARS, 0 },
	{ "char_length", "s>i", eval_length, NULL, 0, CHARS, 0 },
	{ "character_length", "s>i", eval_length, NULL, 0, CHARS, 0 },
	{ "octet_length", "s>i", eval_length, NULL, 0, OCTETS, 0 },
	{ "empty", "x>b", NULL, bind_empty, 0, 1, 0 },
	{ "notempty", "x>b", NULL, bind_empty, 0, 0, 0 },
	{ "lower", "s>s", eval_case, NULL, 0, 0, 0 },
	{ "lcase", "s>s", eval_case, NULL, 0, 0, 0 },
	{ "upper", "s>s", eval_case, NULL, 0, 1, 0 },
	{ "ucase", "s>s", eval_case, NULL, 0, 1, 0 },
	{ "trim", "s>s", eval_trim, NULL, 0, 3, 0 },
	{ "trimboth", "s>s", eval_trim, NULL, 0, 3, 0 },
	{ "btrim", "s>s", eval_trim, NULL, 0, 3, 0 },
	{ "trimleft", "s>s", eval_trim, NULL, 0, 1, 0 },
	{ "ltrim", "s>s", eval_trim, NULL, 0, 1, 0 },
	{ "trimright", "s>s", eval_trim, NULL, 0, 2, 0 },
	{ "rtrim", "s>s", eval_trim, NULL, 0, 2, 0 },
	{ "concat", "x*>s", NULL, bind_concat, 0, 0, 0 },
	{ "startswith", "ss>b", eval_starts, NULL, 0, 0, 0 },
	{ "starts_with", "ss>b", eval_starts, NULL, 0, 0, 0 },
	{ "endswith", "ss>b", eval_starts, NULL, 0, 1, 0 },
	{ "ends_with", "ss>b", eval_starts, NULL, 0, 1, 0 },
	{ "position", "ss>i", eval_position, NULL, 0, 0, 0 },
	{ "strpos", "ss>i", eval_position, NULL, 0, 0, 0 },
	{ "substring", "si?i>s", eval_substring, NULL, 0, 0, 0 },
	{ "substr", "si?i>s", eval_substring, NULL, 0, 0, 0 },
	{ "replace", "sss>s", eval_replace, NULL, 0, 0, 0 },
	{ "replaceall", "sss>s", eval_replace, NULL, 0, 0, 0 },
	{ NULL, NULL, NULL, NULL, 0, 0, 0 },
};
