/*
 * Names of types, and enums: the seams between ddl_type.c, ddl_typename.c and ddl_enum.c. Private
 * to these.
 */
#ifndef EVS_SCHEMA_DDL_TYPE_H
#define EVS_SCHEMA_DDL_TYPE_H

#include "src/schema/ddl.h"

/* What follows a type's name. */
enum ddl_args {
	DDL_ARGS_NONE,
	DDL_ARGS_LENGTH,   /* VARCHAR(n), VARCHAR */
	DDL_ARGS_FIXED,	   /* FixedString(n) */
	DDL_ARGS_DECIMAL,  /* (p), (p, s) */
	DDL_ARGS_SCALE,	   /* Decimal32(s): `n` is the precision */
	DDL_ARGS_DATETIME, /* DateTime, DateTime('UTC'), DateTime(3) */
	DDL_ARGS_DATETIME64,
	DDL_ARGS_TIMESTAMP, /* timestamp(p) with time zone */
	DDL_ARGS_ENUM,
	DDL_ARGS_ARRAY,
	DDL_ARGS_MAP,
	DDL_ARGS_NULLABLE,
	DDL_ARGS_WRAP,	/* LowCardinality(T): T */
	DDL_ARGS_JSON,	/* parameters are told and passed over */
	DDL_ARGS_FLOAT, /* FLOAT, FLOAT(n) */
	DDL_ARGS_SERIAL,
	DDL_ARGS_NOTED, /* String with a note */
	DDL_ARGS_REFUSED,
};

struct ddl_type_name {
	const char *name;
	enum evs_type_id id;
	enum ddl_args args;
	uint8_t n;
	const char *advice; /* REFUSED, NOTED */
};

/* What a word says as a type, or NULL. */
const struct ddl_type_name *ddl_find_type(const struct ddl *d, const struct evs_tok *t);

/* Fail: the word is no type; with a suggestion. */
int ddl_unknown_type(struct ddl *d, const struct evs_tok *name);

/* Take a whole number in [lo, hi]; `what` is for the message. */
int ddl_take_number(struct ddl *d, const char *what, uint32_t lo, uint32_t hi, uint32_t *out);

/* Take ('a' = 1, 'b') behind the word at `name`, of an enum of 8 or 16 bits. */
int ddl_take_enum(struct ddl *d, const struct evs_tok *name, int bits, struct evs_type *out);

/*
 * Take the name of an enum that CREATE TYPE made: 1 and `out` filled (the name stays current), 0
 * when it is none.
 */
int ddl_take_named_enum(struct ddl *d, struct evs_type *out);

#endif
