/*
 * Typing of comparisons, IN, and of places where several values must have one type (CASE,
 * coalesce, arrays).
 *
 * Numbers compare exactly whatever their types; times compare at the finer of the two scales. A
 * string constant takes the type of what it is compared with, and must be a value of it.
 */
#include "src/expr/expr_node.h"

#include <stdlib.h>
#include <string.h>

static const struct evs_type text_type = { .id = EVS_T_STRING };

static bool is_text_const(const struct x_node *n)
{
	return evs_x_is_const(n) && n->type.id == EVS_T_STRING && !evs_x_is_const_null(n);
}

/* Types that have a text of their own and compare as it when they meet another. */
static bool is_texty(const struct evs_type *t)
{
	return t->id == EVS_T_STRING || t->id == EVS_T_FIXEDSTRING || t->id == EVS_T_JSON ||
	       t->id == EVS_T_ENUM || t->id == EVS_T_UUID || t->id == EVS_T_IPV4 ||
	       t->id == EVS_T_IPV6;
}

static bool is_numeric(const struct evs_type *t)
{
	return evs_x_is_number(t) || t->id == EVS_T_BOOL;
}

struct x_node *evs_x_adapt_time(struct x_binder *b, const struct x_ast *a, struct x_node *n,
				const struct evs_type *to)
{
	struct evs_type fine = { .id = EVS_T_DATETIME64, .scale = 9 }, t = *to;
	struct x_node *exact, *same, *back;
	size_t len;
	const char *s = (const char *)evs_array_bytes(&n->value, 0, &len);
	int64_t sec;
	uint32_t nano;
	unsigned digits;

	if (!evs_time_parse(s, len, &sec, &nano, &digits))
		return evs_x_fail(b, n->ast ? n->ast : a,
				  "this is not a time: write '2024-01-31', "
				  "'2024-01-31 12:00:00' or '2024-01-31T12:00:00.123Z'");
	if (digits == 0)
		fine.id = EVS_T_DATETIME, fine.scale = 0;
	else if (digits < 9)
		fine.scale = (uint8_t)digits;
	exact = evs_x_cast(b, a, n, &fine, X_IMPLICIT);
	same = exact ? evs_x_cast(b, a, exact, &t, X_IMPLICIT) : NULL;
	back = same ? evs_x_cast(b, a, same, &fine, X_IMPLICIT) : NULL;
	if (!back)
		return NULL;
	return evs_array_compare(&back->value, 0, &exact->value, 0) == 0 ? same : exact;
}

/* A string constant that stands beside a value of type `to`. */
static struct x_node *adapt(struct x_binder *b, const struct x_ast *a, struct x_node *n,
			    const struct evs_type *to)
{
	uint8_t uuid[16];
	const char *s;
	size_t len;

	if (!is_text_const(n) || to->id == EVS_T_STRING || to->id == EVS_T_FIXEDSTRING ||
	    to->id == EVS_T_JSON)
		return n;
	if (evs_x_is_number(to)) {
		s = (const char *)evs_array_bytes(&n->value, 0, &len);
		return evs_x_literal_text(b, n->ast ? n->ast : a, s, len, to);
	}
	if (evs_x_is_time(to))
		return evs_x_adapt_time(b, a, n, to);
	s = (const char *)evs_array_bytes(&n->value, 0, &len);
	if (to->id == EVS_T_UUID && !evs_x_uuid_parse(s, len, uuid))
		return n; /* compares as text, and equals none */
	return evs_x_cast(b, a, n, to, X_IMPLICIT);
}

/* A number of the text beside a Decimal is decimal, beside a Float32 it is one, so that 0.1 means
 * 0.1. */
static struct x_node *adapt_number(struct x_binder *b, const struct x_ast *a, struct x_node *n,
				   const struct evs_type *to)
{
	bool literal = evs_x_is_const(n) && n->ast && n->ast->kind == X_NUMBER &&
		       n->type.id == EVS_T_FLOAT64;

	if (literal && to->id == EVS_T_DECIMAL)
		return evs_x_literal_number(b, n->ast, to);
	if (literal && to->id == EVS_T_FLOAT32)
		return evs_x_cast(b, a, n, to, X_IMPLICIT);
	return n;
}

static bool const_int_fits(const struct x_node *n, const struct evs_type *t)
{
	int64_t v;
	unsigned bits;

	if (!evs_x_is_const(n) || n->type.id != EVS_T_INT64 || evs_x_is_const_null(n) ||
	    !evs_x_is_int(t))
		return false;
	v = (int64_t)evs_array_int(&n->value, 0);
	if (evs_x_is_unsigned(t)) {
		bits = 8u << (t->id - EVS_T_UINT8);
		return v >= 0 && (bits == 64 || v < (int64_t)1 << bits);
	}
	bits = 8u << (t->id - EVS_T_INT8);
	return bits == 64 || (v >= -((int64_t)1 << (bits - 1)) && v < (int64_t)1 << (bits - 1));
}

static bool is_int_32(const struct evs_type *t)
{
	return evs_x_is_int(t) && t->id != EVS_T_INT64 && t->id != EVS_T_UINT64;
}

/* Two integers, to one type where there is one. */
static void ints_to_one(struct x_binder *b, const struct x_ast *a, struct x_node **l,
			struct x_node **r)
{
	enum evs_type_id id = EVS_T_INT64;

	if (evs_type_equal(&(*l)->type, &(*r)->type))
		return;
	if (const_int_fits(*r, &(*l)->type)) {
		*r = evs_x_cast(b, a, *r, &(*l)->type, X_IMPLICIT);
		return;
	}
	if (const_int_fits(*l, &(*r)->type)) {
		*l = evs_x_cast(b, a, *l, &(*r)->type, X_IMPLICIT);
		return;
	}
	if (((*l)->type.id == EVS_T_UINT64) != ((*r)->type.id == EVS_T_UINT64)) {
		const struct x_node *other = (*l)->type.id == EVS_T_UINT64 ? *r : *l;

		if (evs_x_is_unsigned(&other->type)) {
			id = EVS_T_UINT64;
		} else { /* signed with UInt64: there is a loop for this pair */
			if (other == *l)
				*l = evs_x_cast_id(b, a, *l, EVS_T_INT64, X_IMPLICIT);
			else
				*r = evs_x_cast_id(b, a, *r, EVS_T_INT64, X_IMPLICIT);
			return;
		}
	}
	*l = evs_x_cast_id(b, a, *l, id, X_IMPLICIT);
	*r = *l ? evs_x_cast_id(b, a, *r, id, X_IMPLICIT) : NULL;
}

/* Can both be brought to one scale within 38 digits? */
static bool decimals_meet(const struct evs_type *l, const struct evs_type *r)
{
	unsigned scale = l->scale > r->scale ? l->scale : r->scale;

	return l->precision + (scale - l->scale) <= 38u && r->precision + (scale - r->scale) <= 38u;
}

/* Digits of a decimal constant, which has room for more than it needs. */
static struct evs_type tight(const struct x_node *n)
{
	struct evs_type t = n->type;
	struct x_vec x = { .a = &n->value, .scalar = true };
	x_i128 v;

	if (!evs_x_is_const(n) || evs_x_is_const_null(n))
		return t;
	v = evs_x_decimal(&x, 0);
	for (t.precision = 1;
	     t.precision < 38 && (v >= evs_x_pow10(t.precision) || -v >= evs_x_pow10(t.precision));)
		t.precision++;
	if (t.precision < t.scale)
		t.precision = t.scale;
	return t;
}

static void floats(struct x_binder *b, const struct x_ast *a, struct x_node **l, struct x_node **r)
{
	*l = evs_x_cast_id(b, a, *l, EVS_T_FLOAT64, X_IMPLICIT);
	*r = *l ? evs_x_cast_id(b, a, *r, EVS_T_FLOAT64, X_IMPLICIT) : NULL;
}

/* Bring two numbers to a pair of types that can be compared exactly. */
static void numbers(struct x_binder *b, const struct x_ast *a, struct x_node **l, struct x_node **r)
{
	static const struct evs_type wide = { .id = EVS_T_DECIMAL, .precision = 20 };

	*l = adapt_number(b, a, *l, &(*r)->type);
	*r = *l ? adapt_number(b, a, *r, &(*l)->type) : NULL;
	if (!*r || evs_type_equal(&(*l)->type, &(*r)->type))
		return;
	if ((*l)->type.id == EVS_T_BOOL)
		*l = evs_x_cast_id(b, a, *l, EVS_T_INT64, X_IMPLICIT);
	if ((*r)->type.id == EVS_T_BOOL)
		*r = evs_x_cast_id(b, a, *r, EVS_T_INT64, X_IMPLICIT);
	if (!*l || !*r)
		return;
	if (evs_x_is_int(&(*l)->type) && evs_x_is_int(&(*r)->type)) {
		ints_to_one(b, a, l, r);
	} else if ((*l)->type.id == EVS_T_DECIMAL || (*r)->type.id == EVS_T_DECIMAL) {
		struct evs_type lt, rt;

		if (evs_x_is_int(&(*l)->type))
			*l = evs_x_cast(b, a, *l, &wide, X_IMPLICIT);
		if (*l && evs_x_is_int(&(*r)->type))
			*r = evs_x_cast(b, a, *r, &wide, X_IMPLICIT);
		if (!*l || !*r)
			return;
		lt = tight(*l);
		rt = tight(*r);
		if (evs_x_is_float(&lt) || evs_x_is_float(&rt) || !decimals_meet(&lt, &rt))
			floats(b, a, l, r);
	} else if (evs_x_is_float(&(*l)->type) && !is_int_32(&(*r)->type) &&
		   evs_x_is_int(&(*r)->type)) {
		*l = evs_x_cast_id(b, a, *l, EVS_T_FLOAT64, X_IMPLICIT);
	} else if (evs_x_is_float(&(*r)->type) && !is_int_32(&(*l)->type) &&
		   evs_x_is_int(&(*l)->type)) {
		*r = evs_x_cast_id(b, a, *r, EVS_T_FLOAT64, X_IMPLICIT);
	} else {
		floats(b, a, l, r);
	}
}

/* Text of another type: a string, so that both compare as text. */
static void texts(struct x_binder *b, const struct x_ast *a, struct x_node **l, struct x_node **r)
{
	bool same = evs_type_equal(&(*l)->type, &(*r)->type);

	if (same && (*l)->type.id != EVS_T_FIXEDSTRING && (*l)->type.id != EVS_T_JSON)
		return;
	if ((*l)->type.id == EVS_T_JSON && (*r)->type.id == EVS_T_JSON)
		return; /* their texts, as they stand */
	*l = evs_x_cast(b, a, *l, &text_type, X_IMPLICIT);
	*r = *l ? evs_x_cast(b, a, *r, &text_type, X_IMPLICIT) : NULL;
}

static void *cannot(struct x_binder *b, const struct x_ast *a, const struct x_node *l,
		    const struct x_node *r)
{
	char lt[128], rt[128];
	const char *hint = "";

	if (evs_x_is_time(&l->type) && is_numeric(&r->type))
		hint = "; write the time in 'quotes', or toDateTime(n) for seconds since 1970";
	else if (is_texty(&l->type) && evs_x_is_number(&r->type))
		hint = "; write the number in 'quotes', or convert with ::";
	return evs_x_fail(b, a, "%s cannot be compared with %s%s",
			  evs_x_type_text(&l->type, lt, sizeof(lt)),
			  evs_x_type_text(&r->type, rt, sizeof(rt)), hint);
}

/* Bring both sides to types that have a loop. False: failed. */
static bool meet(struct x_binder *b, const struct x_ast *a, struct x_node **l, struct x_node **r)
{
	struct x_node *l0 = *l, *r0 = *r;
	const struct evs_type *lt, *rt;

	if ((int)l0->type.id == X_T_INTERVAL)
		*l = evs_x_cast_id(b, a, l0, EVS_T_FLOAT64, X_IMPLICIT);
	if (*l && (int)r0->type.id == X_T_INTERVAL)
		*r = evs_x_cast_id(b, a, r0, EVS_T_FLOAT64, X_IMPLICIT);
	*l = *l && *r ? adapt(b, a, *l, &(*r)->type) : NULL;
	*r = *l ? adapt(b, a, *r, &(*l)->type) : NULL;
	if (!*r)
		return false;
	lt = &(*l)->type;
	rt = &(*r)->type;
	if (lt->id == EVS_T_ENUM && evs_x_is_number(rt))
		*l = evs_x_cast_id(b, a, *l, EVS_T_INT64, X_IMPLICIT);
	else if (rt->id == EVS_T_ENUM && evs_x_is_number(lt))
		*r = evs_x_cast_id(b, a, *r, EVS_T_INT64, X_IMPLICIT);
	if (!*l || !*r)
		return false;
	lt = &(*l)->type;
	rt = &(*r)->type;
	if (is_numeric(lt) && is_numeric(rt)) {
		numbers(b, a, l, r);
	} else if (is_texty(lt) && is_texty(rt)) {
		texts(b, a, l, r);
	} else if (lt->id == EVS_T_JSON && rt->id == EVS_T_BOOL) {
		*l = evs_x_cast(b, a, *l, rt, X_IMPLICIT);
	} else if (rt->id == EVS_T_JSON && lt->id == EVS_T_BOOL) {
		*r = evs_x_cast(b, a, *r, lt, X_IMPLICIT);
	} else if (lt->id == EVS_T_ARRAY && rt->id == EVS_T_ARRAY) {
		struct x_node *both[2] = { *l, *r };
		struct evs_type t;

		if (!evs_x_unify(b, a, both, 2, &t))
			return false;
		*l = both[0];
		*r = both[1];
	}
	return *l && *r;
}

struct x_node *evs_x_bind_compare(struct x_binder *b, const struct x_ast *a, enum x_op op,
				  struct x_node *l, struct x_node *r)
{
	static const struct evs_type boolean = { .id = EVS_T_BOOL };
	struct x_node *arg[2] = { l, r }, *n;
	x_eval_fn *fn;

	if (!l || !r)
		return NULL;
	if (evs_x_is_const_null(l) || evs_x_is_const_null(r))
		return evs_x_const_null(b, a, &boolean);
	if (!meet(b, a, &arg[0], &arg[1]))
		return NULL;
	/* the loops want the constant on the right and JSON on the left */
	if ((evs_x_is_const(arg[0]) && !evs_x_is_const(arg[1]) &&
	     arg[1]->type.id == arg[0]->type.id) ||
	    (arg[1]->type.id == EVS_T_JSON && arg[0]->type.id != EVS_T_JSON)) {
		struct x_node *swap = arg[0];

		arg[0] = arg[1];
		arg[1] = swap;
		op = op == X_LT	  ? X_GT
		     : op == X_GT ? X_LT
		     : op == X_LE ? X_GE
		     : op == X_GE ? X_LE
				  : op;
	}
	fn = evs_x_compare_fn(&arg[0]->type, &arg[1]->type);
	if (!fn)
		return cannot(b, a, l, r);
	n = evs_x_call(b, a, fn, EVS_T_BOOL, arg, 2);
	if (!n)
		return NULL;
	n->op = (uint8_t)op;
	if (arg[0]->type.id == EVS_T_JSON || arg[1]->type.id == EVS_T_JSON)
		n->nullable = true;
	return evs_x_fold(b, n);
}

/* ---- one type for several values
 * ------------------------------------------------------------------- */

static bool common_int(const struct evs_type *l, const struct evs_type *r, struct evs_type *out)
{
	unsigned lw = (unsigned)(evs_x_is_unsigned(l) ? l->id - EVS_T_UINT8 : l->id - EVS_T_INT8);
	unsigned rw = (unsigned)(evs_x_is_unsigned(r) ? r->id - EVS_T_UINT8 : r->id - EVS_T_INT8);
	unsigned w = lw > rw ? lw : rw;

	*out = (struct evs_type){ 0 };
	if (evs_x_is_unsigned(l) == evs_x_is_unsigned(r)) {
		out->id = (enum evs_type_id)((evs_x_is_unsigned(l) ? EVS_T_UINT8 : EVS_T_INT8) + w);
		return true;
	}
	if ((evs_x_is_unsigned(l) ? lw : rw) < 3) {
		out->id = EVS_T_INT64;
		return true;
	}
	out->id = EVS_T_DECIMAL; /* UInt64 with a signed type */
	out->precision = 20;
	return true;
}

static bool common_number(const struct evs_type *l, const struct evs_type *r, struct evs_type *out)
{
	if (evs_x_is_int(l) && evs_x_is_int(r))
		return common_int(l, r, out);
	*out = (struct evs_type){ .id = EVS_T_FLOAT64 };
	if (evs_x_is_float(l) || evs_x_is_float(r))
		return true;
	out->id = EVS_T_DECIMAL;
	out->precision = 38;
	out->scale = l->id == EVS_T_DECIMAL ? l->scale : 0;
	if (r->id == EVS_T_DECIMAL && r->scale > out->scale)
		out->scale = r->scale;
	return true;
}

static bool common_time(const struct evs_type *l, const struct evs_type *r, struct evs_type *out)
{
	*out = (struct evs_type){ .id = l->id > r->id ? l->id : r->id };
	out->scale = l->scale > r->scale ? l->scale : r->scale;
	return true;
}

/* The type that values of both can be converted to. `elem`: memory for an element type. */
static bool common(struct x_binder *b, const struct evs_type *l, const struct evs_type *r,
		   struct evs_type *out)
{
	if ((int)r->id == X_T_NULL || evs_type_equal(l, r)) {
		*out = *l;
		return true;
	}
	if ((int)l->id == X_T_NULL) {
		*out = *r;
		return true;
	}
	if (evs_x_is_number(l) && evs_x_is_number(r))
		return common_number(l, r, out);
	if (evs_x_is_time(l) && evs_x_is_time(r))
		return common_time(l, r, out);
	if (is_texty(l) && is_texty(r)) {
		*out = text_type;
		return true;
	}
	if (l->id == EVS_T_ARRAY && r->id == EVS_T_ARRAY) {
		struct evs_type *elem = evs_x_alloc(&b->e->arena, sizeof(*elem));
		struct evs_type **slot =
			elem ? evs_x_alloc(&b->e->arena, sizeof(struct evs_type *)) : NULL;

		if (!slot || !common(b, l->elem[0], r->elem[0], elem))
			return false;
		elem->nullable = l->elem[0]->nullable || r->elem[0]->nullable;
		*out = (struct evs_type){ .id = EVS_T_ARRAY };
		out->elem[0] = elem;
		return true;
	}
	return false;
}

/* The first value that is not a bare NULL or, if another will do, a string constant. */
static const struct x_node *leader(struct x_node *const *arg, size_t n)
{
	const struct x_node *text = NULL;

	for (size_t i = 0; i < n; i++) {
		if ((int)arg[i]->type.id == X_T_NULL)
			continue;
		if (!is_text_const(arg[i]))
			return arg[i];
		if (!text)
			text = arg[i];
	}
	return text;
}

struct x_node *evs_x_only_nulls(struct x_binder *b, const struct x_ast *a,
				struct x_node *const *arg, size_t n)
{
	static const struct evs_type null = { .id = (enum evs_type_id)X_T_NULL };

	for (size_t i = 0; i < n; i++)
		if ((int)arg[i]->type.id != X_T_NULL)
			return NULL;
	return n ? evs_x_const_null(b, a, &null) : NULL;
}

bool evs_x_unify(struct x_binder *b, const struct x_ast *a, struct x_node **arg, size_t n,
		 struct evs_type *t)
{
	const struct x_node *lead = leader(arg, n);
	char lt[128], rt[128];

	*t = lead ? lead->type : text_type;
	for (size_t i = 0; i < n; i++) {
		struct evs_type u;

		/* a string constant beside times or an array is one of them */
		if (is_text_const(arg[i]) &&
		    (evs_x_is_time(t) || t->id == EVS_T_ARRAY || t->id == EVS_T_MAP)) {
			arg[i] = adapt(b, a, arg[i], t);
			if (!arg[i])
				return false;
		}
		arg[i] = adapt_number(b, a, arg[i], t); /* 0.1 beside a Decimal */
		if (!arg[i])
			return false;
		if ((int)arg[i]->type.id == X_T_INTERVAL)
			return evs_x_fail(b, a, "an interval has no place here") != NULL;
		if (!common(b, t, &arg[i]->type, &u))
			return evs_x_fail(b, a, "these values have no common type: %s and %s",
					  evs_x_type_text(t, lt, sizeof(lt)),
					  evs_x_type_text(&arg[i]->type, rt, sizeof(rt))) != NULL;
		*t = u;
	}
	t->nullable = false;
	for (size_t i = 0; i < n; i++) {
		arg[i] = evs_x_cast(b, a, arg[i], t, X_IMPLICIT);
		if (!arg[i])
			return false;
	}
	return true;
}
