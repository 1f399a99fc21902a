/*
 * Values by type, straight from the line into the column. What fits is written in place here,
 * within room that array.c made; everything unusual goes through its functions or back to the
 * caller as a misfit.
 */
#include "src/json/json_reader.h"

#include <stdlib.h>

#define FEW_KEYS     16	 /* keys of a map that are compared without hashes */
#define SHORT_STRING 256 /* room asked for before a string's length is known */

void evs_plan_free(struct evs_plan *pl)
{
	if (!pl)
		return;
	evs_plan_free(pl->elem[0]);
	evs_plan_free(pl->elem[1]);
	free(pl->items);
	free(pl);
}

struct evs_plan *evs_plan_new(const struct evs_type *t, bool nullable)
{
	struct evs_plan *pl = calloc(1, sizeof(*pl));

	if (!pl)
		return NULL;
	pl->type = t;
	pl->nullable = nullable;
	pl->ticks = 1000000000;
	pl->per_second = 1;
	memcpy(pl->date, "1970-01-01", 10);
	for (unsigned i = 0; t->id == EVS_T_DATETIME64 && i < t->scale && i < 9; i++) {
		pl->ticks /= 10;
		pl->per_second *= 10;
	}
	if (t->id == EVS_T_ENUM) {
		pl->items = calloc(EVS_ENUM_CACHE, sizeof(struct evs_enum_item *));
		if (!pl->items)
			goto fail;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (!t->elem[i] || (t->id != EVS_T_ARRAY && t->id != EVS_T_MAP))
			continue;
		pl->elem[i] = evs_plan_new(t->elem[i], t->elem[i]->nullable);
		if (!pl->elem[i])
			goto fail;
	}
	return pl;
fail:
	evs_plan_free(pl);
	return NULL;
}

bool evs_put_null(struct evs_array *a)
{
	bool offs = a->phys == EVS_BYTES;

	if (!a->valid || a->nchild || a->rows >> 3 >= a->valid_cap ||
	    (offs ? ((size_t)a->rows + 2) * sizeof(*a->offs) > a->offs_cap
		  : ((size_t)a->rows + 1) * a->width > a->data_cap))
		return evs_array_append_null(a) == 0;
	if (offs)
		a->offs[a->rows + 1] = a->offs[a->rows];
	else
		memset(a->data + (size_t)a->rows * a->width, 0, a->width);
	a->rows++;
	a->nulls++;
	return true;
}

/* Bytes that the rest of the string at p can take at most: up to its end. */
static size_t rest_of_string(const struct evs_jlex *l, const char *p)
{
	const char *start = p;
	bool high;

	for (;;) {
		p = l->ops->find(p, l->end, &high);
		if (l->end - p < 2 || *p != '\\')
			return (size_t)(p - start);
		p += 2;
	}
}

/* Any string that is not short and plain. */
static const char *read_any_string(struct evs_json_reader *r, struct evs_array *a, const char *p)
{
	struct evs_jlex *l = &r->lex;
	struct evs_strcopy c = { .p = p + 1, .end = l->end };
	size_t room = (size_t)(l->end - p), from, got = 0;
	enum evs_str st;

	if (room > SHORT_STRING)
		room = SHORT_STRING;
	for (;;) {
		if (!evs_bytes_room(a, got + room + 32))
			return evs_read_nomem(r);
		from = (size_t)a->offs[a->rows];
		c.d = (char *)a->data + from + got;
		c.dend = (char *)a->data + a->data_cap;
		st = evs_jlex_copy(l, &c);
		got = (size_t)(c.d - (char *)a->data) - from;
		if (st != EVS_STR_FULL)
			break;
		room = rest_of_string(l, c.p);
	}
	if (st == EVS_STR_BAD)
		return NULL;
	if (c.high && evs_utf8_check(p + 1, c.p - 1) != c.p - 1)
		return evs_misfit(r, p, "invalid UTF-8");
	if (c.lone)
		return evs_misfit(r, p, "half a surrogate pair, which is no character");
	a->offs[a->rows + 1] = (int32_t)(from + got);
	evs_mark_row(a);
	return c.p;
}

static inline const char *read_string(struct evs_json_reader *r, struct evs_array *a, const char *p)
{
	struct evs_jlex *l = &r->lex;

	if (l->readable - p > EVS_PLAIN && evs_bytes_room(a, EVS_PLAIN)) {
		int32_t from = a->offs[a->rows];
		int n = l->ops->plain(p + 1, (char *)a->data + from);

		if (n >= 0) {
			a->offs[a->rows + 1] = from + n;
			evs_mark_row(a);
			return p + n + 2;
		}
	}
	return read_any_string(r, a, p);
}

static const char *read_json(struct evs_json_reader *r, struct evs_array *a, const char *p)
{
	const char *end = evs_jlex_skip(&r->lex, p);
	size_t n, from;

	if (!end)
		return NULL;
	n = (size_t)(end - p);
	if (!evs_bytes_room(a, n))
		return evs_read_nomem(r);
	from = (size_t)a->offs[a->rows];
	memcpy(a->data + from, p, n);
	a->offs[a->rows + 1] = (int32_t)(from + n);
	evs_mark_row(a);
	return end;
}

static const char *misfit_number(struct evs_json_reader *r, const char *p, enum evs_num_fit fit)
{
	static const char *const what[] = {
		[EVS_NUM_OK] = "out of range",
		[EVS_NUM_FRACTION] = "more decimal places than the type has",
		[EVS_NUM_RANGE] = "out of range",
		[EVS_NUM_MINUS_ZERO] = "-0, which only floats can hold",
		[EVS_NUM_INEXACT] = "more digits than the type has",
	};

	return evs_misfit(r, p, what[fit]);
}

static inline bool starts_number(const struct evs_jlex *l, const char *p)
{
	return p < l->end && (*p == '-' || (unsigned char)(*p - '0') < 10);
}

static const char *read_int(struct evs_json_reader *r, struct evs_array *a, const char *p)
{
	struct evs_jlex *l = &r->lex;
	const char *at, *end;
	struct evs_num n;
	enum evs_num_fit fit;
	unsigned bits = a->width * 8u;
	uint64_t v;

	if (!starts_number(l, p))
		return evs_misfit(r, p, "not a number");
	end = evs_num_scan(&n, p, l->end, &at);
	if (!end)
		return evs_jlex_fail(l, at, "expected a digit");
	fit = evs_num_int(&n, a->is_signed, &v);
	if (fit)
		return misfit_number(r, p, fit);
	if (bits < 64) {
		uint64_t top = a->is_signed ? (uint64_t)((int64_t)v >> (bits - 1)) : v >> bits;

		if (top && !(a->is_signed && top == UINT64_MAX))
			return misfit_number(r, p, EVS_NUM_RANGE);
	}
	return evs_put_int(a, v) ? end : evs_read_nomem(r);
}

static const char *read_float(struct evs_json_reader *r, struct evs_array *a, const char *p)
{
	struct evs_jlex *l = &r->lex;
	const char *at, *end;
	struct evs_num n;
	enum evs_num_fit fit;
	double v = 0;
	float f = 0;

	if (!starts_number(l, p))
		return evs_misfit(r, p, "not a number");
	end = evs_num_scan(&n, p, l->end, &at);
	if (!end)
		return evs_jlex_fail(l, at, "expected a digit");
	fit = a->width == 4 ? evs_num_float(&n, &f) : evs_num_double(&n, &v);
	if (fit)
		return misfit_number(r, p, fit);
	if (!evs_room(a))
		return evs_read_nomem(r);
	if (a->width == 4)
		memcpy(a->data + (size_t)a->rows * 4, &f, 4);
	else
		memcpy(a->data + (size_t)a->rows * 8, &v, 8);
	evs_mark_row(a);
	return end;
}

static const char *read_decimal(struct evs_json_reader *r, const struct evs_type *t,
				struct evs_array *a, const char *p)
{
	struct evs_jlex *l = &r->lex;
	const char *at, *end;
	struct evs_num n;
	enum evs_num_fit fit;
	uint8_t raw[16];
	evs_i128 v;

	if (!starts_number(l, p))
		return evs_misfit(r, p, "not a number");
	end = evs_num_scan(&n, p, l->end, &at);
	if (!end)
		return evs_jlex_fail(l, at, "expected a digit");
	fit = evs_num_decimal(&n, t->precision, t->scale, &v);
	if (fit)
		return misfit_number(r, p, fit);
	if (a->phys == EVS_INT)
		return evs_put_int(a, (uint64_t)v) ? end : evs_read_nomem(r);
	evs_put64(raw, (uint64_t)v);
	evs_put64(raw + 8, (uint64_t)((evs_u128)v >> 64));
	return evs_array_append_fixed(a, raw) == 0 ? end : evs_read_nomem(r);
}

static const char *read_bool(struct evs_json_reader *r, struct evs_array *a, const char *p)
{
	size_t left = (size_t)(r->lex.end - p);
	bool v = left >= 4 && !memcmp(p, "true", 4);

	if (!v && (left < 5 || memcmp(p, "false", 5) != 0))
		return evs_misfit(r, p, "not true or false");
	return evs_put_int(a, v) ? p + (v ? 4 : 5) : evs_read_nomem(r);
}

/* An element, which unlike a column's value may follow space and may be null. */
static const char *read_element(struct evs_json_reader *r, struct evs_plan *pl, struct evs_array *a,
				const char *p)
{
	struct evs_jlex *l = &r->lex;

	p = evs_jlex_space(p, l->end);
	if (p == l->end)
		return evs_jlex_fail(l, p, "expected a value");
	/* A few bytes of the line may be many in memory; texts are not. */
	r->row_nested += a->width + sizeof(*a->offs);
	if (r->row_nested > EVS_MAX_ROW)
		return evs_misfit(r, p, "takes more than 8 MiB in memory");
	if (l->end - p < 4 || memcmp(p, "null", 4) != 0)
		return evs_read_value(r, pl, a, p);
	if (!pl->nullable)
		return evs_misfit(r, p, "null inside, where the type has no Nullable");
	return evs_put_null(a) ? p + 4 : evs_read_nomem(r);
}

static const char *read_array(struct evs_json_reader *r, struct evs_plan *pl, struct evs_array *a,
			      const char *p)
{
	struct evs_jlex *l = &r->lex;

	if (*p != '[')
		return evs_misfit(r, p, "not an array");
	p = evs_jlex_space(p + 1, l->end);
	if (p == l->end || *p != ']') {
		for (;;) {
			p = read_element(r, pl->elem[0], &a->child[0], p);
			if (!p)
				return NULL;
			p = evs_jlex_space(p, l->end);
			if (p < l->end && *p == ']')
				break;
			if (p == l->end || *p != ',')
				return evs_jlex_fail(l, p, "expected ',' or ']'");
			p++;
		}
	}
	return evs_array_close_row(a) == 0 ? p + 1 : evs_read_nomem(r);
}

static bool all_differ(const struct evs_array *keys, uint32_t from)
{
	for (uint32_t i = from + 1; i < keys->rows; i++) {
		const uint8_t *p = keys->data + keys->offs[i];
		int32_t n = keys->offs[i + 1] - keys->offs[i];

		for (uint32_t j = from; j < i; j++) {
			const uint8_t *q = keys->data + keys->offs[j];

			if (keys->offs[j + 1] - keys->offs[j] == n &&
			    (!n || (*p == *q && !memcmp(p, q, (size_t)n))))
				return false;
		}
	}
	return true;
}

/*
 * Do the keys of rows [from, keys->rows) differ from each other? Few are compared, many are
 * sorted.
 */
static const char *check_keys(struct evs_json_reader *r, const struct evs_array *keys,
			      uint32_t from, const char *p)
{
	struct evs_keyset set = { 0 };
	const char *base = (const char *)keys->data;
	bool good = false;
	int rc = 0;

	if (keys->rows - from <= FEW_KEYS && all_differ(keys, from))
		return p;
	for (uint32_t i = from; i < keys->rows && !rc; i++)
		rc = evs_keyset_add(&set, base, (uint32_t)keys->offs[i],
				    (uint32_t)(keys->offs[i + 1] - keys->offs[i]));
	if (rc == EVS_E_NOMEM)
		evs_read_nomem(r);
	else if (rc < 0)
		evs_misfit(r, p, "too many keys");
	else if (evs_keyset_find_twice(&set, base) >= 0)
		evs_misfit(r, p, "a key that comes twice");
	else
		good = true;
	evs_keyset_release(&set);
	return good ? p : NULL;
}

static const char *read_map(struct evs_json_reader *r, struct evs_plan *pl, struct evs_array *a,
			    const char *p)
{
	struct evs_array *keys = &a->child[0];
	struct evs_jlex *l = &r->lex;
	uint32_t from = keys->rows;
	const char *start = p;

	if (*p != '{')
		return evs_misfit(r, p, "not an object");
	p = evs_jlex_space(p + 1, l->end);
	if (p == l->end || *p != '}') {
		for (;;) {
			if (p == l->end || *p != '"')
				return evs_jlex_fail(l, p, "expected a key in quotes");
			p = read_string(r, keys, p);
			if (!p)
				return NULL;
			p = evs_jlex_space(p, l->end);
			if (p == l->end || *p != ':')
				return evs_jlex_fail(l, p, "expected ':'");
			p = read_element(r, pl->elem[1], &a->child[1], p + 1);
			if (!p)
				return NULL;
			p = evs_jlex_space(p, l->end);
			if (p < l->end && *p == '}')
				break;
			if (p == l->end || *p != ',')
				return evs_jlex_fail(l, p, "expected ',' or '}'");
			p = evs_jlex_space(p + 1, l->end);
		}
	}
	if (keys->rows - from > 1 && !check_keys(r, keys, from, start))
		return NULL;
	return evs_array_close_row(a) == 0 ? p + 1 : evs_read_nomem(r);
}

const char *evs_read_value(struct evs_json_reader *r, struct evs_plan *pl, struct evs_array *a,
			   const char *p)
{
	switch (pl->type->id) {
	case EVS_T_STRING:
		return *p == '"' ? read_string(r, a, p) : evs_misfit(r, p, "not a string");
	case EVS_T_JSON:
		return read_json(r, a, p);
	case EVS_T_BOOL:
		return read_bool(r, a, p);
	case EVS_T_INT8:
	case EVS_T_INT16:
	case EVS_T_INT32:
	case EVS_T_INT64:
	case EVS_T_UINT8:
	case EVS_T_UINT16:
	case EVS_T_UINT32:
	case EVS_T_UINT64:
		return read_int(r, a, p);
	case EVS_T_FLOAT32:
	case EVS_T_FLOAT64:
		return read_float(r, a, p);
	case EVS_T_DECIMAL:
		return read_decimal(r, pl->type, a, p);
	case EVS_T_ARRAY:
		return read_array(r, pl, a, p);
	case EVS_T_MAP:
		return read_map(r, pl, a, p);
	default:
		return *p == '"' ? evs_read_text(r, pl, a, p) : evs_misfit(r, p, "not a string");
	}
}
