/*
 * Function calls: finding the function by name and fitting the arguments to its signature.
 */
#include "src/expr/expr_node.h"
#include "src/expr/select.h"

#include <stdio.h>
#include <string.h>

static const struct x_fn *const tables[] = {
	evs_x_fns_string, evs_x_fns_pattern, evs_x_fns_calendar, evs_x_fns_time, evs_x_fns_json,
	evs_x_fns_math,	  evs_x_fns_array,   evs_x_fns_misc,	 evs_x_fns_cast,
};

const struct x_fn *evs_x_fn_find(const char *name, size_t len)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct x_fn *f = tables[t]; f->name; f++)
			if (evs_x_same_word(name, len, f->name))
				return f;
	return NULL;
}

static void *unknown(struct x_binder *b, const struct x_ast *a)
{
	struct x_suggest s;
	char hint[96];

	if (evs_agg_known(a->s, a->len))
		return evs_x_fail(b, a,
				  "%.*s() is an aggregate, and aggregates are not allowed here",
				  (int)a->len, a->s);
	evs_x_suggest_init(&s, a->s, a->len);
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct x_fn *f = tables[t]; f->name; f++)
			evs_x_suggest_offer(&s, f->name, strlen(f->name));
	for (size_t i = 0; evs_agg_name(i); i++)
		evs_x_suggest_offer(&s, evs_agg_name(i), strlen(evs_agg_name(i)));
	return evs_x_fail(b, a, "there is no function `%.*s`%s", (int)(a->len < 100 ? a->len : 100),
			  a->s, evs_x_suggest_text(&s, hint, sizeof(hint)));
}

/* What a signature letter wants, for messages. */
static const char *wanted(char letter)
{
	switch (letter) {
	case 's':
		return "text";
	case 'i':
		return "a whole number";
	case 'f':
		return "a number";
	case 't':
		return "a time";
	case 'j':
		return "JSON";
	case 'a':
		return "an array";
	case 'p':
		return "a key or a number";
	default:
		return "something else";
	}
}

static bool is_texty(const struct evs_type *t)
{
	return t->id == EVS_T_STRING || t->id == EVS_T_FIXEDSTRING || t->id == EVS_T_ENUM ||
	       t->id == EVS_T_UUID || t->id == EVS_T_IPV4 || t->id == EVS_T_IPV6 ||
	       t->id == EVS_T_JSON;
}

/* An untyped NULL takes the type that is wanted. */
static struct x_node *typed_null(struct x_binder *b, const struct x_ast *a, char letter)
{
	static struct evs_type text = { .id = EVS_T_STRING };
	struct evs_type array = { .id = EVS_T_ARRAY, .elem = { &text } };
	struct evs_type t = { .id = EVS_T_STRING };

	if (letter == 'a')
		return evs_x_const_null(b, a, &array);
	if (letter == 'i')
		t.id = EVS_T_INT64;
	else if (letter == 'f')
		t.id = EVS_T_FLOAT64;
	else if (letter == 't')
		t.id = EVS_T_DATETIME;
	else if (letter == 'b')
		t.id = EVS_T_BOOL;
	return evs_x_const_null(b, a, &t);
}

static struct x_node *fit_time(struct x_binder *b, const struct x_ast *a, struct x_node *n)
{
	static const struct evs_type text_time = { .id = EVS_T_DATETIME64, .scale = 9 };
	static const struct evs_type second = { .id = EVS_T_DATETIME };
	size_t len;
	const char *s;

	if (evs_x_is_time(&n->type))
		return n;
	if (n->type.id != EVS_T_STRING || !evs_x_is_const(n))
		return NULL;
	s = (const char *)evs_array_bytes(&n->value, 0, &len);
	return evs_x_cast(b, a, n, memchr(s, '.', len) ? &text_time : &second, X_IMPLICIT);
}

/* NULL, without failure, when the argument is of the wrong kind. */
static struct x_node *fit(struct x_binder *b, const struct x_ast *a, struct x_node *n, char letter)
{
	const struct evs_type *t = &n->type;

	if ((int)t->id == X_T_NULL || (evs_x_is_const_null(n) && letter != 'x'))
		return typed_null(b, a, letter);
	switch (letter) {
	case 's':
		return is_texty(t) ? evs_x_cast_id(b, a, n, EVS_T_STRING, X_IMPLICIT) : NULL;
	case 'i':
		return evs_x_is_int(t) || t->id == EVS_T_BOOL
			       ? evs_x_cast_id(b, a, n, EVS_T_INT64, X_IMPLICIT)
			       : NULL;
	case 'f':
		return evs_x_is_number(t) || t->id == EVS_T_JSON
			       ? evs_x_cast_id(b, a, n, EVS_T_FLOAT64, X_IMPLICIT)
			       : NULL;
	case 'b':
		return evs_x_truth(b, a, n);
	case 't':
		return fit_time(b, a, n);
	case 'j':
		if (t->id == EVS_T_JSON)
			return n;
		return is_texty(t) ? evs_x_cast_id(b, a, n, EVS_T_STRING, X_IMPLICIT) : NULL;
	case 'a':
		return t->id == EVS_T_ARRAY ? n : NULL;
	case 'p':
		if (evs_x_is_int(t))
			return evs_x_cast_id(b, a, n, EVS_T_INT64, X_IMPLICIT);
		return is_texty(t) ? evs_x_cast_id(b, a, n, EVS_T_STRING, X_IMPLICIT) : NULL;
	default:
		return (int)t->id == X_T_INTERVAL ? NULL : n;
	}
}

static enum evs_type_id result_type(char letter)
{
	switch (letter) {
	case 's':
		return EVS_T_STRING;
	case 'i':
		return EVS_T_INT64;
	case 'u':
		return EVS_T_UINT64;
	case 'f':
		return EVS_T_FLOAT64;
	case 'D':
		return EVS_T_DATE;
	case 'T':
		return EVS_T_DATETIME;
	case 'j':
		return EVS_T_JSON;
	case 'U':
		return EVS_T_UUID;
	default:
		return EVS_T_BOOL;
	}
}

/* Numbers of arguments that a signature takes; *max is SIZE_MAX after '*'. */
static void count_args(const char *sig, size_t *min, size_t *max)
{
	bool optional = false;

	*min = *max = 0;
	for (; *sig && *sig != '>'; sig++) {
		if (*sig == '?') {
			optional = true;
		} else if (*sig == '*') {
			*max = SIZE_MAX;
			return;
		} else {
			*min += !optional;
			++*max;
		}
	}
}

/* The letter for argument k; the last one stands for all that follow. */
static char letter_for(const char *sig, size_t k)
{
	char last = 'x';

	for (; *sig && *sig != '>' && *sig != '*'; sig++) {
		if (*sig == '?')
			continue;
		last = *sig;
		if (k-- == 0)
			break;
	}
	return last;
}

/* A function's name as the user wrote it. */
static const char *called(const struct x_ast *a, const struct x_fn *f, char *buf, size_t cap)
{
	if (a->kind == X_CALL)
		snprintf(buf, cap, "%.*s", (int)(a->len < cap ? a->len : cap - 1), a->s);
	else
		snprintf(buf, cap, "%s", f->name);
	return buf;
}

static bool check_count(struct x_binder *b, const struct x_ast *a, const struct x_fn *f, size_t n)
{
	size_t min, max;
	char name[64];

	count_args(f->sig, &min, &max);
	called(a, f, name, sizeof(name));
	if (n >= min && n <= max)
		return true;
	if (max == SIZE_MAX)
		evs_x_fail(b, a, "%s() takes %zu argument%s or more, not %zu", name, min,
			   min == 1 ? "" : "s", n);
	else if (min == max)
		evs_x_fail(b, a, "%s() takes %zu argument%s, not %zu", name, min,
			   min == 1 ? "" : "s", n);
	else
		evs_x_fail(b, a, "%s() takes %zu to %zu arguments, not %zu", name, min, max, n);
	return false;
}

struct x_node *evs_x_bind_fn(struct x_binder *b, const struct x_ast *a, const struct x_fn *f,
			     struct x_node **arg, size_t n)
{
	struct x_node *c;
	const char *result = strchr(f->sig, '>');

	if (!check_count(b, a, f, n))
		return NULL;
	if (f->bind)
		return f->bind(b, a, f, arg, n);
	c = evs_x_node(b, X_FN, a, n);
	if (!c)
		return NULL;
	for (size_t k = 0; k < n; k++) {
		char type[128], name[64], letter = letter_for(f->sig, k);
		const struct x_ast *at = arg[k]->ast ? arg[k]->ast : a;

		c->arg[k] = fit(b, at, arg[k], letter);
		if (!c->arg[k])
			return evs_x_fail(b, at, "argument %zu of %s() must be %s, and this is %s",
					  k + 1 + (f->flags & X_SECOND ? 1 : 0),
					  called(a, f, name, sizeof(name)), wanted(letter),
					  evs_x_type_text(&arg[k]->type, type, sizeof(type)));
		c->nullable |= c->arg[k]->nullable;
	}
	c->eval = f->eval;
	c->op = f->op;
	c->num = f->num;
	c->type.id = result_type(result ? result[1] : 'b');
	c->sees_nulls = (f->flags & X_SEES_NULLS) != 0;
	if (f->flags & X_SEES_NULLS)
		c->nullable = false;
	if (f->flags & X_MAY_NULL)
		c->nullable = true;
	return evs_x_fold(b, c);
}

struct x_node *evs_x_bind_call(struct x_binder *b, const struct x_ast *a)
{
	const struct x_fn *f = evs_x_fn_find(a->s, a->len);
	struct x_node **arg;

	if (!f)
		return unknown(b, a);
	if (a->distinct || a->filter || a->nparam)
		return evs_x_fail(b, a, "%s to aggregates, and %s() is none",
				  a->distinct ? "DISTINCT belongs"
				  : a->filter ? "FILTER belongs"
					      : "a second pair of parentheses belongs",
				  f->name);
	arg = evs_x_alloc(&b->e->arena, (a->n ? a->n : 1) * sizeof(struct x_node *));
	if (!arg)
		return evs_x_nomem(b);
	for (size_t i = 0; i < a->n; i++) {
		arg[i] = evs_x_bind(b, a->arg[i]);
		if (!arg[i])
			return NULL;
	}
	return evs_x_bind_fn(b, a, f, arg, a->n);
}
