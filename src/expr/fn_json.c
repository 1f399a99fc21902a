/*
 * JSON: paths, the JSONExtract family, conversions and comparisons. A path that leads nowhere,
 * JSON null, and a text that is no JSON give NULL.
 */
#include "src/expr/fn_cast.h"
#include "src/expr/json_scan.h"

#include "src/json/json.h"

#include <string.h>

enum want { W_RAW, W_TEXT, W_INT, W_FLOAT, W_BOOL, W_HAS, W_TYPE, W_COUNT, W_UINT };

/* Follow arguments 1 .. of row i into argument 0. node->num: what the first element of an array
 * is numbered. */
static bool follow(struct evs_eval *v, const struct x_args *in, uint32_t i, struct x_json *j)
{
	size_t n;
	const char *s = evs_x_text(&in->arg[0], i, &n);

	*j = evs_x_json_value(s, n);
	for (size_t k = 1; j->s && k < in->n; k++) {
		const struct x_vec *step = &in->arg[k];
		bool found;

		if (step->a->phys == EVS_BYTES) {
			s = evs_x_text(step, i, &n);
			found = evs_x_json_member(j, s, n, &v->text, j);
		} else {
			int64_t at = evs_x_i64(step, i);

			found = (at != 0 || in->node->num == 0) &&
				evs_x_json_element(j, at > 0 ? at - in->node->num : at, j);
		}
		if (!found)
			return false;
	}
	return j->s && evs_x_json_kind(j) != X_J_NONE;
}

static const char *const kind_names[] = { NULL,	    "object",  "array", "string",
					  "number", "boolean", "null" };

/* Append the value found as JSON or as text. */
static int put_text(struct evs_eval *v, struct x_vec *out, enum want want, const struct x_json *j)
{
	struct evs_array *a = &out->slot->a;
	enum x_json_kind kind = evs_x_json_kind(j);

	if (want == W_TYPE)
		return evs_array_append_bytes(a, kind_names[kind], strlen(kind_names[kind]));
	if (kind == X_J_NULL)
		return evs_array_append_null(a);
	if (want == W_RAW || kind != X_J_STRING)
		return evs_array_append_bytes(a, j->s, j->n);
	evs_buf_reset(&v->text);
	if (evs_x_json_unescape(j, &v->text))
		return evs_array_append_bytes(a, v->text.p, v->text.len);
	return evs_buf_ok(&v->text) ? evs_array_append_null(a) : EVS_E_NOMEM;
}

/* Results that are text: W_RAW, W_TEXT, W_TYPE. */
static int eval_text(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	for (uint32_t i = 0; i < in->rows; i++) {
		struct x_json j;
		int rc;

		if (evs_x_any_null(in, i) || !follow(v, in, i, &j))
			rc = evs_array_append_null(&out->slot->a);
		else
			rc = put_text(v, out, (enum want)in->node->op, &j);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A number that fits 64 bits, cut off at its point. */
static bool whole_of(const struct x_json *j, bool is_unsigned, int64_t *out)
{
	struct x_json_number num;
	x_i128 value;

	if (!evs_x_json_number(j, &num) || (!num.whole && (num.d >= 1e20 || num.d <= -1e20)))
		return false;
	value = num.whole ? num.i : (x_i128)num.d;
	*out = (int64_t)value;
	return is_unsigned ? value >= 0 && value <= (x_i128)UINT64_MAX
			   : value >= INT64_MIN && value <= INT64_MAX;
}

/* Results of fixed width: the others. */
static bool scalar_of(enum want want, const struct x_json *j, int64_t *i, double *d)
{
	struct x_json_number num;

	switch (want) {
	case W_INT:
	case W_UINT:
		return whole_of(j, want == W_UINT, i);
	case W_FLOAT:
		if (!evs_x_json_number(j, &num))
			return false;
		*d = num.d;
		return true;
	case W_BOOL:
		*i = *j->s == 't';
		return evs_x_json_kind(j) == X_J_BOOL;
	default: /* W_COUNT */
		*i = evs_x_json_count(j);
		return *i >= 0;
	}
}

static int eval_scalar(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	enum want want = (enum want)in->node->op;

	for (uint32_t i = 0; i < in->rows; i++) {
		struct x_json j = { NULL, 0 };
		int64_t value = 0;
		double d = 0;
		bool found = !evs_x_any_null(in, i) && follow(v, in, i, &j);

		if (want == W_HAS)
			value = found;
		else if ((!found || !scalar_of(want, &j, &value, &d)) && evs_x_null(out, i) < 0)
			return EVS_E_NOMEM;
		if (want == W_FLOAT)
			((double *)evs_x_data(out))[i] = d;
		else
			evs_x_put_int(out, i, value);
	}
	return 0;
}

static int eval_valid(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	uint8_t *dst = evs_x_data(out);

	(void)v;
	for (uint32_t i = 0; i < in->rows; i++) {
		const char *why;
		size_t n;
		const char *s = evs_x_text(&in->arg[0], i, &n);

		dst[i] = evs_json_valid(s, n, &why);
	}
	return 0;
}

/* ---- paths
 * ---------------------------------------------------------------------------------------- */

/* A step joins the path it stands on, so that payload.a.b.c walks once. */
struct x_node *evs_x_bind_path(struct x_binder *b, const struct x_ast *a, struct x_node *base,
			       struct x_node *key, bool as_text)
{
	bool joins = base->shape == X_FN && base->eval == eval_text && base->op == W_RAW &&
		     base->num == 0;
	size_t steps = joins ? base->n : 1;
	struct x_node *n;
	char type[128];

	if (base->type.id != EVS_T_JSON && base->type.id != EVS_T_STRING)
		return evs_x_fail(b, a, "a step into JSON is wanted, and this is %s",
				  evs_x_type_text(&base->type, type, sizeof(type)));
	if (steps >= X_MAX_DEPTH)
		return evs_x_fail(b, a, "the path is nested too deeply: more than %d steps",
				  X_MAX_DEPTH);
	if (evs_x_is_int(&key->type))
		key = evs_x_cast_id(b, a, key, EVS_T_INT64, X_IMPLICIT);
	else if (key->type.id != EVS_T_STRING)
		return evs_x_fail(b, a, "a step into JSON is a key or a number");
	n = key ? evs_x_node(b, X_FN, a, steps + 1) : NULL;
	if (!n)
		return NULL;
	for (size_t i = 0; i < steps; i++)
		n->arg[i] = joins ? base->arg[i] : base;
	n->arg[steps] = key;
	n->type.id = as_text ? EVS_T_STRING : EVS_T_JSON;
	n->eval = eval_text;
	n->op = as_text ? W_TEXT : W_RAW;
	n->nullable = true;
	return evs_x_fold(b, n);
}

/* JSONExtract*(json, step, ...): elements count from 1, as ClickHouse does. */
static struct x_node *bind_extract(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
				   struct x_node **arg, size_t n)
{
	static const struct {
		const char *sig;
		x_eval_fn *eval;
	} how[] = {
		[W_RAW] = { "jp*>j", eval_text },    [W_TEXT] = { "jp*>s", eval_text },
		[W_INT] = { "jp*>i", eval_scalar },  [W_FLOAT] = { "jp*>f", eval_scalar },
		[W_BOOL] = { "jp*>b", eval_scalar }, [W_HAS] = { "jp*>b", eval_scalar },
		[W_TYPE] = { "jp*>s", eval_text },   [W_COUNT] = { "jp*>i", eval_scalar },
		[W_UINT] = { "jp*>u", eval_scalar },
	};
	char one[] = "j>?"; /* no steps: the value itself */
	struct x_fn g = { .name = f->name,
			  .sig = how[f->op].sig,
			  .eval = how[f->op].eval,
			  .op = f->op,
			  .flags = X_MAY_NULL,
			  .num = f->num };

	if (n == 1) {
		one[2] = how[f->op].sig[4];
		g.sig = one;
	}
	return evs_x_bind_fn(b, a, &g, arg, n);
}

/* ---- conversions and comparisons
 * ------------------------------------------------------------------ */

/* ->> of the whole value */
int evs_x_json_to_text(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	for (uint32_t i = 0; i < in->rows; i++) {
		struct x_json j;
		int rc;

		if (evs_x_any_null(in, i) || !follow(v, in, i, &j))
			rc = evs_array_append_null(&out->slot->a);
		else
			rc = put_text(v, out, W_TEXT, &j);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A JSON number or Bool as a value of the type; anything else is NULL. */
static int json_to_scalar(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct evs_type *t = &in->node->type;
	enum want want = t->id == EVS_T_BOOL	? W_BOOL
			 : evs_x_is_unsigned(t) ? W_UINT
			 : evs_x_is_int(t)	? W_INT
						: W_FLOAT;

	for (uint32_t i = 0; i < in->rows; i++) {
		struct x_json j = { NULL, 0 };
		int64_t value = 0;
		x_i128 dec = 0;
		double d = 0;
		bool ok = !evs_x_any_null(in, i) && follow(v, in, i, &j) &&
			  scalar_of(want, &j, &value, &d);

		if (ok && (want == W_INT || want == W_UINT))
			ok = evs_x_int_fits(t, want == W_UINT ? (x_i128)(uint64_t)value
							      : (x_i128)value);
		if (ok && t->id == EVS_T_DECIMAL)
			ok = evs_x_double_to_decimal(d, t->scale, t->precision, &dec);
		if (ok && t->id == EVS_T_FLOAT32)
			ok = d <= 3.4028234663852886e38 && d >= -3.4028234663852886e38;
		if (t->id == EVS_T_DECIMAL)
			evs_x_put_decimal(out, i, ok ? dec : 0);
		else if (t->id == EVS_T_FLOAT32)
			((float *)evs_x_data(out))[i] = ok ? (float)d : 0;
		else if (t->id == EVS_T_FLOAT64)
			((double *)evs_x_data(out))[i] = ok ? d : 0;
		else
			evs_x_put_int(out, i, ok ? value : 0);
		if (!ok && evs_x_null(out, i) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

x_eval_fn *evs_x_cast_from_json(const struct evs_type *to)
{
	return to->id == EVS_T_BOOL || evs_x_is_number(to) ? json_to_scalar : NULL;
}

static int compare_numbers(const struct x_json_number *l, const struct x_json_number *r)
{
	if (l->whole && r->whole)
		return (l->i > r->i) - (l->i < r->i);
	if (l->whole)
		return evs_x_compare_int_float((uint64_t)l->i, l->i < 0, r->d);
	if (r->whole)
		return -evs_x_compare_int_float((uint64_t)r->i, r->i < 0, l->d);
	return (l->d > r->d) - (l->d < r->d);
}

/* The number beside a JSON value. */
static struct x_json_number number_of(const struct evs_type *t, const struct x_vec *x, uint32_t i)
{
	struct x_json_number n = { .whole = evs_x_is_int(t) };

	if (n.whole) {
		uint64_t bits = (uint64_t)evs_x_i64(x, i);

		n.i = evs_x_is_unsigned(t) ? (x_i128)bits : (x_i128)(int64_t)bits;
	} else if (t->id == EVS_T_DECIMAL) {
		n.d = evs_x_decimal_to_double(evs_x_decimal(x, i), t->scale);
	} else {
		n.d = evs_x_f64(x, i);
	}
	return n;
}

int evs_x_compare_json(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	struct x_args left = { .node = in->node, .arg = in->arg, .n = 1, .rows = in->rows };
	uint8_t *dst = evs_x_data(out);

	for (uint32_t i = 0; i < in->rows; i++) {
		struct x_json_number l, r;
		struct x_json j;
		int c;

		dst[i] = 0;
		if (evs_x_any_null(in, i))
			continue;
		if (!follow(v, &left, i, &j) || !evs_x_json_number(&j, &l)) {
			if (evs_x_null(out, i) < 0)
				return EVS_E_NOMEM;
			continue;
		}
		r = number_of(&in->node->arg[1]->type, &in->arg[1], i);
		c = compare_numbers(&l, &r);
		dst[i] = evs_x_holds((enum x_op)in->node->op, c);
	}
	return 0;
}

/* The last number is that of an array's first element: 1 in ClickHouse's functions, 0 in
 * PostgreSQL's. */
const struct x_fn evs_x_fns_json[] = {
	{ "isvalidjson", "j>b", eval_valid, NULL, 0, 0, 0 },
	{ "json_valid", "j>b", eval_valid, NULL, 0, 0, 0 },
	{ "jsonextractraw", "x?x*>j", NULL, bind_extract, 0, W_RAW, 1 },
	{ "jsonextractstring", "x?x*>s", NULL, bind_extract, 0, W_TEXT, 1 },
	{ "jsonextractint", "x?x*>i", NULL, bind_extract, 0, W_INT, 1 },
	{ "jsonextractuint", "x?x*>u", NULL, bind_extract, 0, W_UINT, 1 },
	{ "jsonextractfloat", "x?x*>f", NULL, bind_extract, 0, W_FLOAT, 1 },
	{ "jsonextractbool", "x?x*>b", NULL, bind_extract, 0, W_BOOL, 1 },
	{ "jsonhas", "x?x*>b", NULL, bind_extract, 0, W_HAS, 1 },
	{ "jsonlength", "x?x*>i", NULL, bind_extract, 0, W_COUNT, 1 },
	{ "json_extract_path", "x?x*>j", NULL, bind_extract, 0, W_RAW, 0 },
	{ "jsonb_extract_path", "x?x*>j", NULL, bind_extract, 0, W_RAW, 0 },
	{ "json_extract_path_text", "x?x*>s", NULL, bind_extract, 0, W_TEXT, 0 },
	{ "jsonb_extract_path_text", "x?x*>s", NULL, bind_extract, 0, W_TEXT, 0 },
	{ "jsonb_typeof", "x>s", NULL, bind_extract, 0, W_TYPE, 0 },
	{ "json_typeof", "x>s", NULL, bind_extract, 0, W_TYPE, 0 },
	{ "jsonb_array_length", "x>i", NULL, bind_extract, 0, W_COUNT, 0 },
	{ "json_array_length", "x>i", NULL, bind_extract, 0, W_COUNT, 0 },
	{ NULL, NULL, NULL, NULL, 0, 0, 0 },
};
