/*
 * Aggregates as the language sees them (spec/query.md 9): names, arguments, types of results. What
 * they compute is src/query/'s.
 */
#include "src/expr/select_ast.h"

#include "src/diag.h"

#include <string.h>

/*
 * `args`: a letter for each argument. x anything, o what has an order, n a number (integers become
 * Int64 or stay UInt64, floats Float64), f a number as Float64, b a condition, s text, t a constant
 * text. `*` behind the last: any number more. `params`: how many stand in a first pair of
 * parentheses, at least and at most.
 */
struct sig {
	const char *name; /* lower case */
	enum evs_agg_fn fn;
	const char *args;
	uint8_t min_args, min_params, max_params;
	bool keep_nulls;
};

static const struct sig sigs[] = {
	{ "count", EVS_AGG_COUNT, "x*", 0, 0, 0, false },
	{ "sum", EVS_AGG_SUM, "n", 1, 0, 0, false },
	{ "avg", EVS_AGG_AVG, "n", 1, 0, 0, false },
	{ "min", EVS_AGG_MIN, "o", 1, 0, 0, false },
	{ "max", EVS_AGG_MAX, "o", 1, 0, 0, false },
	{ "argmin", EVS_AGG_ARG_MIN, "xo", 2, 0, 0, false },
	{ "arg_min", EVS_AGG_ARG_MIN, "xo", 2, 0, 0, false },
	{ "argmax", EVS_AGG_ARG_MAX, "xo", 2, 0, 0, false },
	{ "arg_max", EVS_AGG_ARG_MAX, "xo", 2, 0, 0, false },
	{ "any", EVS_AGG_ANY, "x", 1, 0, 0, false },
	{ "any_value", EVS_AGG_ANY, "x", 1, 0, 0, false },
	{ "anylast", EVS_AGG_ANY_LAST, "x", 1, 0, 0, false },
	{ "uniq", EVS_AGG_UNIQ, "x*", 1, 0, 0, false },
	{ "approx_count_distinct", EVS_AGG_UNIQ, "x*", 1, 0, 0, false },
	{ "uniqexact", EVS_AGG_UNIQ_EXACT, "x*", 1, 0, 0, false },
	{ "countdistinct", EVS_AGG_UNIQ_EXACT, "x*", 1, 0, 0, false },
	{ "quantile", EVS_AGG_QUANTILE, "f", 1, 0, 1, false },
	{ "median", EVS_AGG_QUANTILE, "f", 1, 0, 0, false },
	{ "quantiles", EVS_AGG_QUANTILES, "f", 1, 1, 255, false },
	{ "varpop", EVS_AGG_VAR_POP, "f", 1, 0, 0, false },
	{ "var_pop", EVS_AGG_VAR_POP, "f", 1, 0, 0, false },
	{ "varsamp", EVS_AGG_VAR_SAMP, "f", 1, 0, 0, false },
	{ "var_samp", EVS_AGG_VAR_SAMP, "f", 1, 0, 0, false },
	{ "variance", EVS_AGG_VAR_SAMP, "f", 1, 0, 0, false },
	{ "stddevpop", EVS_AGG_STDDEV_POP, "f", 1, 0, 0, false },
	{ "stddev_pop", EVS_AGG_STDDEV_POP, "f", 1, 0, 0, false },
	{ "stddevsamp", EVS_AGG_STDDEV_SAMP, "f", 1, 0, 0, false },
	{ "stddev_samp", EVS_AGG_STDDEV_SAMP, "f", 1, 0, 0, false },
	{ "stddev", EVS_AGG_STDDEV_SAMP, "f", 1, 0, 0, false },
	{ "grouparray", EVS_AGG_GROUP_ARRAY, "x", 1, 0, 1, false },
	{ "array_agg", EVS_AGG_GROUP_ARRAY, "x", 1, 0, 0, true },
	{ "string_agg", EVS_AGG_STRING_AGG, "st", 2, 0, 0, false },
	{ "bool_and", EVS_AGG_MIN, "b", 1, 0, 0, false },
	{ "every", EVS_AGG_MIN, "b", 1, 0, 0, false },
	{ "bool_or", EVS_AGG_MAX, "b", 1, 0, 0, false },
};

static const struct sig *find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		if (evs_x_same_word(name, len, sigs[i].name))
			return &sigs[i];
	return NULL;
}

/* By name, or by name with "If" behind it; `*conditional` tells. */
static const struct sig *find_sig(const char *name, size_t len, bool *conditional)
{
	const struct sig *sig = find(name, len);

	*conditional = !sig && len > 2 && evs_x_same_word(name + len - 2, 2, "if");
	return *conditional ? find(name, len - 2) : sig;
}

bool evs_agg_known(const char *name, size_t len)
{
	bool conditional;

	return find_sig(name, len, &conditional) != NULL;
}

const char *evs_agg_name(size_t i)
{
	return i < sizeof(sigs) / sizeof(sigs[0]) ? sigs[i].name : NULL;
}

bool evs_s_is_agg(const struct x_ast *a)
{
	return a->kind == X_CALL && evs_agg_known(a->s, a->len);
}

bool evs_s_has_agg(const struct x_ast *a)
{
	if (evs_s_is_agg(a))
		return true;
	for (size_t i = 0; i < a->n; i++)
		if (evs_s_has_agg(a->arg[i]))
			return true;
	return false;
}

/* ---- arguments ------------------------------------------------------------------------------- */

static bool has_order(const struct evs_type *t)
{
	return t->id != EVS_T_JSON && t->id != EVS_T_MAP && t->id != EVS_T_ARRAY;
}

static struct x_node *number(struct x_binder *b, const struct x_ast *a, struct x_node *n)
{
	if (n->type.id == EVS_T_DECIMAL || n->type.id == EVS_T_UINT64)
		return n;
	if (evs_x_is_int(&n->type) || n->type.id == EVS_T_BOOL)
		return evs_x_cast_id(b, a, n, EVS_T_INT64, X_IMPLICIT);
	return evs_x_is_float(&n->type) || n->type.id == EVS_T_JSON
		       ? evs_x_cast_id(b, a, n, EVS_T_FLOAT64, X_IMPLICIT)
		       : NULL;
}

/* The argument as its letter wants it; NULL without failure when it cannot be. */
static struct x_node *fit(struct x_binder *b, const struct x_ast *a, struct x_node *n, char letter)
{
	const struct evs_type *t = &n->type;

	if ((int)t->id == X_T_NULL)
		return evs_x_cast_id(b, a, n,
				     letter == 'n'   ? EVS_T_INT64
				     : letter == 'f' ? EVS_T_FLOAT64
				     : letter == 'b' ? EVS_T_BOOL
						     : EVS_T_STRING,
				     X_IMPLICIT);
	if ((int)t->id == X_T_INTERVAL)
		return NULL;
	switch (letter) {
	case 'n':
		return number(b, a, n);
	case 'f':
		return evs_x_is_number(t) || t->id == EVS_T_JSON || t->id == EVS_T_BOOL
			       ? evs_x_cast_id(b, a, n, EVS_T_FLOAT64, X_IMPLICIT)
			       : NULL;
	case 'o':
		return has_order(t) ? n : NULL;
	case 'b':
		return evs_x_truth(b, a, n);
	case 's':
		return t->id == EVS_T_ARRAY || t->id == EVS_T_MAP || evs_x_is_number(t) ||
				       evs_x_is_time(t) || t->id == EVS_T_BOOL
			       ? NULL
			       : evs_x_cast_id(b, a, n, EVS_T_STRING, X_IMPLICIT);
	default:
		return n;
	}
}

static const char *wanted(char letter)
{
	switch (letter) {
	case 'n':
	case 'f':
		return "a number";
	case 'o':
		return "a value that has an order (of JSON, convert a part: payload.x::Float64)";
	case 'b':
		return "a condition";
	case 's':
		return "text";
	default:
		return "a value";
	}
}

static void no_fit(struct x_binder *b, const struct x_ast *call, const struct x_ast *arg, size_t k,
		   const struct x_node *n, char letter)
{
	char type[128];
	const char *hint = "";

	if ((letter == 'n' || letter == 'f') && evs_x_is_time(&n->type))
		hint = ": subtract another time, or take toUnixTimestamp()";
	evs_x_fail(b, arg, "argument %zu of %.*s() must be %s, and this is %s%s", k + 1,
		   (int)call->len, call->s, wanted(letter),
		   evs_x_type_text(&n->type, type, sizeof(type)), hint);
}

static struct evs_expr *bind_arg(struct evs_select *s, const struct x_ast *call, size_t k,
				 char letter)
{
	struct evs_expr *e = evs_s_new_expr(s, call->arg[k]);
	struct x_binder b = { .e = e, .t = s->t, .diag = s->diag };
	struct x_node *n, *fitted;

	if (!e)
		return NULL;
	n = evs_x_bind(&b, call->arg[k]);
	fitted = n ? fit(&b, call->arg[k], n, letter) : NULL;
	if (n && !fitted)
		no_fit(&b, call, call->arg[k], k, n, letter);
	evs_eval_free(b.v);
	e->bound = b.err ? NULL : fitted;
	evs_x_mark(e->bound);
	if (b.err)
		evs_s_told(s, b.err, call->arg[k]);
	else if (!fitted)
		evs_s_nomem(s);
	return e->bound ? e : NULL;
}

/* What stands between the values of string_agg. */
static bool bind_text(struct evs_select *s, const struct x_ast *call, struct evs_agg_call *out)
{
	struct evs_expr *e = bind_arg(s, call, 1, 's');
	const struct evs_array *v = e ? evs_expr_constant(e) : NULL;

	if (!e)
		return false;
	if (!v || evs_array_is_null(v, 0))
		return evs_s_fail(s, call->arg[1], "what stands between must be a constant text") !=
		       NULL;
	out->text = (const char *)evs_array_bytes(v, 0, &out->text_len);
	return true;
}

static bool bind_args(struct evs_select *s, const struct x_ast *a, const struct sig *sig, size_t n,
		      struct evs_agg_call *out)
{
	const char *letter = sig->args;

	out->arg = evs_s_alloc(s, (n ? n : 1) * sizeof(struct evs_expr *));
	if (!out->arg)
		return false;
	for (size_t k = 0; k < n; k++) {
		if (*letter == 't')
			return bind_text(s, a, out);
		out->arg[k] = bind_arg(s, a, k, *letter);
		if (!out->arg[k])
			return false;
		out->narg++;
		if (letter[1] != '*')
			letter++;
	}
	return true;
}

/* The condition of ...If(), and FILTER. */
static bool bind_filter(struct evs_select *s, const struct x_ast *a, bool conditional,
			struct evs_agg_call *out)
{
	struct x_ast *cond = conditional ? a->arg[a->n - 1] : NULL, *both, **arg;

	if (!cond || !a->filter) {
		cond = cond ? cond : a->filter;
	} else {
		both = evs_s_alloc(s, sizeof(*both));
		arg = evs_s_alloc(s, 2 * sizeof(struct x_ast *));
		if (!both || !arg)
			return false;
		*both = *cond;
		both->kind = X_AND;
		both->n = 2;
		arg[0] = cond;
		arg[1] = a->filter;
		cond = evs_s_with(s, both, arg);
	}
	if (!cond)
		return s->err == 0;
	out->filter = evs_s_expr(s, cond, s->t, true);
	return out->filter != NULL;
}

/* ---- parameters ------------------------------------------------------------------------------ */

static bool bind_params(struct evs_select *s, const struct x_ast *a, struct evs_agg_call *out)
{
	double *v = evs_s_alloc(s, (a->nparam + 1) * sizeof(*v));
	bool level = out->fn != EVS_AGG_GROUP_ARRAY;

	if (!v)
		return false;
	out->param = v;
	out->nparam = a->nparam;
	for (size_t i = 0; i < a->nparam; i++) {
		struct evs_expr *e = evs_s_expr(s, a->param[i], s->t, false);
		const struct evs_array *c = e ? evs_expr_constant(e) : NULL;
		const struct evs_type *t = c ? evs_expr_type(e, NULL) : NULL;

		if (!e)
			return false;
		if (!c || evs_array_is_null(c, 0) || !(evs_x_is_int(t) || evs_x_is_float(t)))
			return evs_s_fail(s, a->param[i], "a number is wanted here") != NULL;
		v[i] = evs_x_is_float(t) ? evs_array_float(c, 0)
					 : (double)(int64_t)evs_array_int(c, 0);
		if (level && !(v[i] >= 0 && v[i] <= 1))
			return evs_s_fail(s, a->param[i], "a quantile lies between 0 and 1") !=
			       NULL;
		if (!level && !(v[i] >= 1))
			return evs_s_fail(s, a->param[i], "a number above 0 is wanted here") !=
			       NULL;
	}
	if (out->fn == EVS_AGG_QUANTILE && !a->nparam) {
		v[0] = 0.5;
		out->nparam = 1;
	}
	return true;
}

/* ---- results --------------------------------------------------------------------------------- */

static bool array_type(struct evs_select *s, struct evs_type *t, const struct evs_type *elem,
		       bool nullable)
{
	struct evs_type *copy = evs_s_alloc(s, sizeof(*copy));

	if (!copy)
		return false;
	*copy = *elem;
	copy->nullable = nullable;
	*t = (struct evs_type){ .id = EVS_T_ARRAY, .elem = { copy } };
	return true;
}

static bool result_type(struct evs_select *s, struct evs_agg_call *c)
{
	static const struct evs_type f64 = { .id = EVS_T_FLOAT64 }, i64 = { .id = EVS_T_INT64 };
	bool nullable = false;
	const struct evs_type *arg = c->narg ? evs_expr_type(c->arg[0], &nullable) : NULL;

	for (size_t k = 1; k < c->narg; k++) {
		bool also;

		evs_expr_type(c->arg[k], &also);
		nullable |= also;
	}
	c->nullable = nullable || c->filter || s->plan.nkey == 0;
	switch (c->fn) {
	case EVS_AGG_COUNT:
	case EVS_AGG_UNIQ:
	case EVS_AGG_UNIQ_EXACT:
		c->type = i64;
		c->nullable = false;
		return true;
	case EVS_AGG_SUM:
		c->type = *arg;
		if (arg->id == EVS_T_DECIMAL)
			c->type.precision = 38;
		return true;
	case EVS_AGG_MIN:
	case EVS_AGG_MAX:
	case EVS_AGG_ARG_MIN:
	case EVS_AGG_ARG_MAX:
	case EVS_AGG_ANY:
	case EVS_AGG_ANY_LAST:
		c->type = *arg;
		c->type.nullable = false;
		return true;
	case EVS_AGG_STRING_AGG:
		c->type = (struct evs_type){ .id = EVS_T_STRING };
		return true;
	case EVS_AGG_GROUP_ARRAY:
		c->nullable = c->keep_nulls && (c->filter || s->plan.nkey == 0);
		return array_type(s, &c->type, arg, c->keep_nulls && nullable);
	case EVS_AGG_QUANTILES:
		return array_type(s, &c->type, &f64, false);
	default:
		c->nullable |= c->fn == EVS_AGG_VAR_SAMP || c->fn == EVS_AGG_STDDEV_SAMP;
		c->type = f64;
		return true;
	}
}

/* ---- calls ----------------------------------------------------------------------------------- */

static bool check_shape(struct evs_select *s, const struct x_ast *a, const struct sig *sig,
			bool conditional, size_t n)
{
	size_t max = strchr(sig->args, '*') ? SIZE_MAX : strlen(sig->args);
	int len = (int)a->len;

	if (n == 1 && a->n == 1 && a->arg[0]->kind == X_STAR && sig->fn == EVS_AGG_COUNT)
		n = 0;
	else if (a->n && a->arg[0]->kind == X_STAR)
		return evs_s_fail(s, a, "`*` stands for columns only in count(*)") != NULL;
	if (sig->fn == EVS_AGG_COUNT && !a->distinct)
		max = 1;
	if (conditional && !a->n)
		return evs_s_fail(s, a, "%.*s() takes a condition", len, a->s) != NULL;
	if (n < sig->min_args || n > max)
		return evs_s_fail(s, a, "%.*s() takes %u argument%s%s, not %zu", len, a->s,
				  sig->min_args + conditional,
				  sig->min_args + conditional == 1 ? "" : "s",
				  max == SIZE_MAX ? " or more" : "", n + conditional) != NULL;
	if (a->nparam < sig->min_params || a->nparam > sig->max_params)
		return evs_s_fail(s, a,
				  sig->max_params ? "write %.*s(0.9)(x)"
						  : "%.*s() has one pair of parentheses",
				  len, a->s) != NULL;
	if (a->distinct && sig->fn != EVS_AGG_COUNT && sig->fn != EVS_AGG_UNIQ_EXACT &&
	    sig->fn != EVS_AGG_MIN && sig->fn != EVS_AGG_MAX)
		return evs_s_fail(s, a, "DISTINCT is supported in count() alone") != NULL;
	for (size_t i = 0; i < a->n; i++)
		if (evs_s_has_agg(a->arg[i]))
			return evs_s_fail(s, a->arg[i],
					  "an aggregate cannot stand inside of another") != NULL;
	if (a->filter && evs_s_has_agg(a->filter))
		return evs_s_fail(s, a->filter, "an aggregate cannot stand inside of another") !=
		       NULL;
	return true;
}

int evs_s_bind_agg(struct evs_select *s, const struct x_ast *a, struct evs_agg_call *out)
{
	bool conditional, star = a->n && a->arg[0]->kind == X_STAR;
	const struct sig *sig = find_sig(a->s, a->len, &conditional);
	size_t n = a->n - (conditional && a->n);

	*out = (struct evs_agg_call){ .fn = sig->fn,
				      .keep_nulls = sig->keep_nulls,
				      .line = a->line,
				      .col = a->col,
				      .word = a->word,
				      .word_len = a->word_len };
	if (!check_shape(s, a, sig, conditional, n))
		return s->err;
	if (a->distinct && sig->fn == EVS_AGG_COUNT && n)
		out->fn = EVS_AGG_UNIQ_EXACT;
	if (!bind_args(s, a, sig, star ? 0 : n, out) || !bind_filter(s, a, conditional, out) ||
	    !bind_params(s, a, out) || !result_type(s, out))
		return s->err ? s->err : evs_fail_nomem(s->diag);
	return 0;
}
