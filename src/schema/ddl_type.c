/*
 * Types of DDL, with their arguments. A type that evseg has no column for is an error that says
 * what to use instead, never something near it.
 */
#include "src/schema/ddl_type.h"

#include "src/schema/type.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TYPE_DEPTH 8 /* EVS_ARRAY_MAX_DEPTH, told in our own words */

int ddl_take_number(struct ddl *d, const char *what, uint32_t lo, uint32_t hi, uint32_t *out)
{
	const char *s = d->lex.text + d->lex.tok.at;
	uint64_t v = 0;

	if (d->lex.tok.kind != EVS_TOK_NUMBER)
		return ddl_fail(d, "%s must be a number from %u to %u", what, lo, hi);
	for (size_t i = 0; i < d->lex.tok.len && v <= hi; i++) {
		if (s[i] < '0' || s[i] > '9')
			return ddl_fail(d, "%s must be a whole number", what);
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	if (v < lo || v > hi)
		return ddl_fail(d, "%s must be from %u to %u", what, lo, hi);
	*out = (uint32_t)v;
	return ddl_next(d);
}

/* 'UTC' is what evseg keeps; another zone is told. */
static int take_zone(struct ddl *d)
{
	uint32_t line = d->lex.tok.line;
	char *zone = NULL;
	size_t len;
	int rc;

	if (d->lex.tok.kind != EVS_TOK_STRING)
		return ddl_fail(d, "a time zone in quotes is expected here, such as 'UTC'");
	rc = evs_tok_text(&d->lex, &d->lex.tok, &zone, &len, d->diag);
	if (rc < 0)
		return rc;
	if (strcmp(zone, "UTC") != 0 && strcmp(zone, "Etc/UTC") != 0)
		ddl_note(d, line,
			 "time zone '%s': not used by evseg, values are kept and shown in UTC",
			 zone);
	free(zone);
	return ddl_next(d);
}

static int take_length(struct ddl *d, struct ddl_type_info *info)
{
	int rc = ddl_accept(d, "VARYING");

	if (rc >= 0)
		rc = ddl_accept(d, "(");
	if (rc <= 0)
		return rc;
	rc = ddl_take_number(d, "the length", 1, 0x7fffffff, &info->max_chars);
	return rc < 0 ? rc : ddl_expect(d, ")");
}

static int take_fixed(struct ddl *d, struct evs_type *out)
{
	uint32_t n;
	int rc = ddl_expect(d, "(");

	if (rc == 0)
		rc = ddl_take_number(d, "the width of a FixedString", 1, 65535, &n);
	if (rc < 0)
		return rc;
	out->width = (uint16_t)n;
	return ddl_expect(d, ")");
}

static int take_decimal(struct ddl *d, const struct evs_tok *name, struct evs_type *out)
{
	uint32_t precision, scale = 0;
	int rc;

	if (!ddl_is(d, "("))
		return ddl_fail_tok(
			d, name,
			"say how many digits it needs, as in Decimal(18, 6): evseg keeps exactly these");
	rc = ddl_next(d);
	if (rc == 0)
		rc = ddl_take_number(d, "the precision", 1, EVS_DECIMAL_DIGITS, &precision);
	if (rc == 0)
		rc = ddl_accept(d, ",");
	if (rc > 0)
		rc = ddl_take_number(d, "the scale", 0, precision, &scale);
	if (rc < 0)
		return rc;
	out->precision = (uint8_t)precision;
	out->scale = (uint8_t)scale;
	return ddl_expect(d, ")");
}

static int take_scale(struct ddl *d, uint8_t precision, struct evs_type *out)
{
	uint32_t scale;
	int rc = ddl_expect(d, "(");

	if (rc == 0)
		rc = ddl_take_number(d, "the scale", 0, precision, &scale);
	if (rc < 0)
		return rc;
	out->precision = precision;
	out->scale = (uint8_t)scale;
	return ddl_expect(d, ")");
}

/*
 * DateTime, DateTime('UTC'), DateTime64, DateTime64(3), DateTime64(3, 'UTC'); DateTime(3) is
 * DateTime64(3).
 */
static int take_datetime(struct ddl *d, bool is64, struct evs_type *out)
{
	uint32_t scale = 3;
	int rc = ddl_accept(d, "(");

	if (is64)
		out->scale = 3;
	if (rc <= 0)
		return rc;
	if (is64 || d->lex.tok.kind == EVS_TOK_NUMBER) {
		rc = ddl_take_number(d, "the number of digits", 0, 9, &scale);
		out->id = EVS_T_DATETIME64;
		out->scale = (uint8_t)scale;
		if (rc == 0)
			rc = ddl_accept(d, ",");
		if (rc > 0)
			rc = take_zone(d);
	} else {
		rc = take_zone(d);
	}
	return rc < 0 ? rc : ddl_expect(d, ")");
}

/* TIMESTAMP, TIMESTAMP(3), TIMESTAMP(3) WITH TIME ZONE. */
static int take_timestamp(struct ddl *d, struct evs_type *out)
{
	uint32_t scale = 6;
	int rc = ddl_accept(d, "(");

	if (rc > 0) {
		rc = ddl_take_number(d, "the number of digits", 0, 9, &scale);
		if (rc == 0)
			rc = ddl_expect(d, ")");
	}
	out->scale = (uint8_t)scale;
	if (rc < 0 || !((ddl_is(d, "WITH") || ddl_is(d, "WITHOUT")) && ddl_peek_is(d, "TIME")))
		return rc < 0 ? rc : 0;
	rc = ddl_next(d);
	if (rc == 0)
		rc = ddl_next(d);
	return rc < 0 ? rc : ddl_expect(d, "ZONE");
}

/* An element of Array or Map. */
static int take_element(struct ddl *d, struct evs_type **slot)
{
	struct ddl_type_info info;
	struct evs_type *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return ddl_nomem(d);
	*slot = t;
	rc = ddl_take_type(d, t, &info);
	if (rc == 0 && info.serial)
		rc = ddl_fail(d, "a serial cannot be inside another type");
	if (rc == 0 && info.max_chars)
		ddl_note(d, d->lex.tok.line,
			 "length of a text inside another type: not checked by evseg");
	if (rc == 0)
		t->nullable = info.nullable;
	return rc;
}

static int take_map(struct ddl *d, struct evs_type *out)
{
	struct evs_tok key;
	int rc = ddl_expect(d, "(");

	key = d->lex.tok;
	if (rc == 0)
		rc = take_element(d, &out->elem[0]);
	if (rc == 0 && (out->elem[0]->id != EVS_T_STRING || out->elem[0]->nullable))
		return ddl_fail_tok(
			d, &key,
			"the keys of a Map must be String, as the keys of a JSON object are");
	if (rc == 0)
		rc = ddl_expect(d, ",");
	if (rc == 0)
		rc = take_element(d, &out->elem[1]);
	return rc < 0 ? rc : ddl_expect(d, ")");
}

/* Nullable(T) and LowCardinality(T). */
static int take_wrapped(struct ddl *d, bool nullable, struct evs_type *out,
			struct ddl_type_info *info)
{
	int rc = ddl_expect(d, "(");

	if (rc == 0)
		rc = ddl_take_type(d, out, info);
	if (rc == 0 && nullable)
		info->nullable = true;
	return rc < 0 ? rc : ddl_expect(d, ")");
}

static int take_json_args(struct ddl *d)
{
	if (!ddl_is(d, "("))
		return 0;
	if (!ddl_peek_is(d, ")") && !ddl_peek_is(d, "'json'"))
		ddl_note(d, d->lex.tok.line,
			 "parameters of JSON: not used by evseg, the text is kept as it is");
	return ddl_skip_group(d);
}

static int take_float(struct ddl *d, struct evs_type *out)
{
	uint32_t n;
	int rc = ddl_accept(d, "(");

	if (rc <= 0)
		return rc;
	rc = ddl_take_number(d, "the precision", 1, 53, &n);
	if (rc < 0)
		return rc;
	if (n <= 24)
		out->id = EVS_T_FLOAT32;
	return ddl_expect(d, ")");
}

static int take_args(struct ddl *d, const struct ddl_type_name *n, const struct evs_tok *name,
		     struct evs_type *out, struct ddl_type_info *info)
{
	int rc;

	switch (n->args) {
	case DDL_ARGS_LENGTH:
		return take_length(d, info);
	case DDL_ARGS_FIXED:
		return take_fixed(d, out);
	case DDL_ARGS_DECIMAL:
		return take_decimal(d, name, out);
	case DDL_ARGS_SCALE:
		return take_scale(d, n->n, out);
	case DDL_ARGS_DATETIME:
	case DDL_ARGS_DATETIME64:
		return take_datetime(d, n->args == DDL_ARGS_DATETIME64, out);
	case DDL_ARGS_TIMESTAMP:
		return take_timestamp(d, out);
	case DDL_ARGS_ENUM:
		return ddl_take_enum(d, name, n->n, out);
	case DDL_ARGS_ARRAY:
		rc = ddl_expect(d, "(");
		if (rc == 0)
			rc = take_element(d, &out->elem[0]);
		return rc < 0 ? rc : ddl_expect(d, ")");
	case DDL_ARGS_MAP:
		return take_map(d, out);
	case DDL_ARGS_NULLABLE:
	case DDL_ARGS_WRAP:
		return take_wrapped(d, n->args == DDL_ARGS_NULLABLE, out, info);
	case DDL_ARGS_JSON:
		return take_json_args(d);
	case DDL_ARGS_FLOAT:
		return take_float(d, out);
	case DDL_ARGS_SERIAL:
		info->serial = true;
		return 0;
	case DDL_ARGS_NOTED:
		ddl_note(d, name->line, "%s: kept as String, as it is written", n->name);
		return 0;
	case DDL_ARGS_REFUSED:
		return ddl_fail_tok(d, name, "evseg has no type %s: %s", n->name, n->advice);
	case DDL_ARGS_NONE:
		break;
	}
	return 0;
}

static int take_unsigned(struct ddl *d, struct evs_type *out)
{
	int rc = 0;

	if (out->id >= EVS_T_INT8 && out->id <= EVS_T_INT64) {
		rc = ddl_accept(d, "UNSIGNED");
		if (rc > 0)
			out->id = (enum evs_type_id)(out->id - EVS_T_INT8 + EVS_T_UINT8);
		else if (rc == 0)
			rc = ddl_accept(d, "SIGNED");
	}
	return rc < 0 ? rc : 0;
}

/* The type without the [] behind it. */
static int take_base(struct ddl *d, struct evs_type *out, struct ddl_type_info *info)
{
	struct evs_tok name;
	const struct ddl_type_name *n;
	int rc = 0;

	if (!evs_tok_is_name(&d->lex.tok))
		return ddl_fail(d, "a type is expected here");
	if (ddl_peek_is(d, ".")) { /* public.status_t */
		rc = ddl_next(d);
		if (rc == 0)
			rc = ddl_next(d);
		if (rc == 0 && !evs_tok_is_name(&d->lex.tok))
			rc = ddl_fail(d, "a type is expected here");
	}
	if (rc == 0)
		rc = ddl_take_named_enum(d, out);
	if (rc != 0)
		return rc < 0 ? rc : ddl_next(d);
	name = d->lex.tok;
	n = ddl_find_type(d, &name);
	if (!n)
		return ddl_unknown_type(d, &name);
	out->id = n->id;
	rc = ddl_next(d);
	if (rc == 0 && evs_tok_is_at(&d->lex, &name, "DOUBLE"))
		rc = ddl_accept(d, "PRECISION");
	if (rc >= 0)
		rc = take_args(d, n, &name, out, info);
	return rc < 0 ? rc : take_unsigned(d, out);
}

/* T[] and T[n]: wrap what is in `t` in an array. PostgreSQL's elements may be null (spec 3.3-3). */
static int take_brackets(struct ddl *d, struct evs_type *t, struct ddl_type_info *info)
{
	struct evs_type *elem;
	uint32_t line = d->lex.tok.line, n;
	int rc = ddl_next(d);

	if (rc == 0 && d->lex.tok.kind == EVS_TOK_NUMBER) {
		ddl_note(d, line, "size of an array: not checked by evseg");
		rc = ddl_take_number(d, "the size of an array", 1, 0x7fffffff, &n);
	}
	if (rc == 0)
		rc = ddl_expect(d, "]");
	if (rc < 0)
		return rc;
	elem = malloc(sizeof(*elem));
	if (!elem)
		return ddl_nomem(d);
	*elem = *t;
	elem->nullable = elem->id != EVS_T_ARRAY && elem->id != EVS_T_MAP;
	memset(t, 0, sizeof(*t));
	t->id = EVS_T_ARRAY;
	t->elem[0] = elem;
	info->nullable = false;
	if (info->max_chars)
		ddl_note(d, line, "length of a text inside another type: not checked by evseg");
	info->max_chars = 0;
	return 0;
}

static unsigned type_depth(const struct evs_type *t)
{
	unsigned a = t->elem[0] ? type_depth(t->elem[0]) : 0,
		 b = t->elem[1] ? type_depth(t->elem[1]) : 0;

	return t->elem[0] ? 1 + (a > b ? a : b) : 0;
}

int ddl_take_type(struct ddl *d, struct evs_type *out, struct ddl_type_info *info)
{
	struct evs_tok start = d->lex.tok;
	int rc;

	memset(out, 0, sizeof(*out));
	memset(info, 0, sizeof(*info));
	if (d->depth >=
	    4 * MAX_TYPE_DEPTH) /* wrappers count here, too: this bounds the recursion */
		return ddl_fail(d, "types are nested too deeply");
	d->depth++;
	rc = take_base(d, out, info);
	while (rc == 0 && ddl_is(d, "["))
		rc = type_depth(out) < MAX_TYPE_DEPTH ? take_brackets(d, out, info)
						      : ddl_fail(d, "types are nested too deeply");
	d->depth--;
	if (rc == 0 && type_depth(out) > MAX_TYPE_DEPTH)
		rc = ddl_fail_tok(d, &start, "types are nested too deeply: use JSON");
	return rc;
}
