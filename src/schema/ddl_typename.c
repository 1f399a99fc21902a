/*
 * The names of types, of both dialects. A type that evseg has no column for is in the list, too:
 * its error says what to use instead.
 */
#include "src/schema/ddl_type.h"

#include <string.h>

static const char use_json[] = "use JSON, which keeps any value as it is";
static const char use_text[] = "store it as hex or base64 text in a String";
static const char use_string[] = "use String";
static const char use_decimal[] = "use Decimal(38, 0) or String";

static const struct ddl_type_name names[] = {
	{ "Bool", EVS_T_BOOL, DDL_ARGS_NONE, 0, NULL },
	{ "BOOLEAN", EVS_T_BOOL, DDL_ARGS_NONE, 0, NULL },
	{ "Int8", EVS_T_INT64, DDL_ARGS_NONE, 0,
	  NULL }, /* in exactly this spelling one byte: see ddl_find_type() */
	{ "Int16", EVS_T_INT16, DDL_ARGS_NONE, 0, NULL },
	{ "Int32", EVS_T_INT32, DDL_ARGS_NONE, 0, NULL },
	{ "Int64", EVS_T_INT64, DDL_ARGS_NONE, 0, NULL },
	{ "UInt8", EVS_T_UINT8, DDL_ARGS_NONE, 0, NULL },
	{ "UInt16", EVS_T_UINT16, DDL_ARGS_NONE, 0, NULL },
	{ "UInt32", EVS_T_UINT32, DDL_ARGS_NONE, 0, NULL },
	{ "UInt64", EVS_T_UINT64, DDL_ARGS_NONE, 0, NULL },
	{ "TINYINT", EVS_T_INT8, DDL_ARGS_NONE, 0, NULL },
	{ "INT1", EVS_T_INT8, DDL_ARGS_NONE, 0, NULL },
	{ "SMALLINT", EVS_T_INT16, DDL_ARGS_NONE, 0, NULL },
	{ "INT2", EVS_T_INT16, DDL_ARGS_NONE, 0, NULL },
	{ "INT", EVS_T_INT32, DDL_ARGS_NONE, 0, NULL },
	{ "INTEGER", EVS_T_INT32, DDL_ARGS_NONE, 0, NULL },
	{ "INT4", EVS_T_INT32, DDL_ARGS_NONE, 0, NULL },
	{ "BIGINT", EVS_T_INT64, DDL_ARGS_NONE, 0, NULL },
	{ "SMALLSERIAL", EVS_T_INT16, DDL_ARGS_SERIAL, 0, NULL },
	{ "SERIAL2", EVS_T_INT16, DDL_ARGS_SERIAL, 0, NULL },
	{ "SERIAL", EVS_T_INT32, DDL_ARGS_SERIAL, 0, NULL },
	{ "SERIAL4", EVS_T_INT32, DDL_ARGS_SERIAL, 0, NULL },
	{ "BIGSERIAL", EVS_T_INT64, DDL_ARGS_SERIAL, 0, NULL },
	{ "SERIAL8", EVS_T_INT64, DDL_ARGS_SERIAL, 0, NULL },
	{ "Float32", EVS_T_FLOAT32, DDL_ARGS_NONE, 0, NULL },
	{ "Float64", EVS_T_FLOAT64, DDL_ARGS_NONE, 0, NULL },
	{ "REAL", EVS_T_FLOAT32, DDL_ARGS_NONE, 0, NULL },
	{ "FLOAT4", EVS_T_FLOAT32, DDL_ARGS_NONE, 0, NULL },
	{ "FLOAT8", EVS_T_FLOAT64, DDL_ARGS_NONE, 0, NULL },
	{ "DOUBLE", EVS_T_FLOAT64, DDL_ARGS_NONE, 0, NULL },
	{ "FLOAT", EVS_T_FLOAT64, DDL_ARGS_FLOAT, 0, NULL },
	{ "Decimal", EVS_T_DECIMAL, DDL_ARGS_DECIMAL, 0, NULL },
	{ "DEC", EVS_T_DECIMAL, DDL_ARGS_DECIMAL, 0, NULL },
	{ "NUMERIC", EVS_T_DECIMAL, DDL_ARGS_DECIMAL, 0, NULL },
	{ "Decimal32", EVS_T_DECIMAL, DDL_ARGS_SCALE, 9, NULL },
	{ "Decimal64", EVS_T_DECIMAL, DDL_ARGS_SCALE, 18, NULL },
	{ "Decimal128", EVS_T_DECIMAL, DDL_ARGS_SCALE, 38, NULL },
	{ "String", EVS_T_STRING, DDL_ARGS_NONE, 0, NULL },
	{ "TEXT", EVS_T_STRING, DDL_ARGS_NONE, 0, NULL },
	{ "VARCHAR", EVS_T_STRING, DDL_ARGS_LENGTH, 0, NULL },
	{ "CHAR", EVS_T_STRING, DDL_ARGS_LENGTH, 0, NULL },
	{ "CHARACTER", EVS_T_STRING, DDL_ARGS_LENGTH, 0, NULL },
	{ "BPCHAR", EVS_T_STRING, DDL_ARGS_LENGTH, 0, NULL },
	{ "TINYTEXT", EVS_T_STRING, DDL_ARGS_NONE, 0, NULL },
	{ "MEDIUMTEXT", EVS_T_STRING, DDL_ARGS_NONE, 0, NULL },
	{ "LONGTEXT", EVS_T_STRING, DDL_ARGS_NONE, 0, NULL },
	{ "FixedString", EVS_T_FIXEDSTRING, DDL_ARGS_FIXED, 0, NULL },
	{ "UUID", EVS_T_UUID, DDL_ARGS_NONE, 0, NULL },
	{ "Date", EVS_T_DATE, DDL_ARGS_NONE, 0, NULL },
	{ "Date32", EVS_T_DATE, DDL_ARGS_NONE, 0, NULL },
	{ "DateTime", EVS_T_DATETIME, DDL_ARGS_DATETIME, 0, NULL },
	{ "DateTime32", EVS_T_DATETIME, DDL_ARGS_DATETIME, 0, NULL },
	{ "DateTime64", EVS_T_DATETIME64, DDL_ARGS_DATETIME64, 0, NULL },
	{ "TIMESTAMP", EVS_T_DATETIME64, DDL_ARGS_TIMESTAMP, 0, NULL },
	{ "TIMESTAMPTZ", EVS_T_DATETIME64, DDL_ARGS_TIMESTAMP, 0, NULL },
	{ "Enum", EVS_T_ENUM, DDL_ARGS_ENUM, 16, NULL },
	{ "Enum8", EVS_T_ENUM, DDL_ARGS_ENUM, 8, NULL },
	{ "Enum16", EVS_T_ENUM, DDL_ARGS_ENUM, 16, NULL },
	{ "Array", EVS_T_ARRAY, DDL_ARGS_ARRAY, 0, NULL },
	{ "Map", EVS_T_MAP, DDL_ARGS_MAP, 0, NULL },
	{ "Nullable", EVS_T_STRING, DDL_ARGS_NULLABLE, 0, NULL },
	{ "LowCardinality", EVS_T_STRING, DDL_ARGS_WRAP, 0, NULL },
	{ "JSON", EVS_T_JSON, DDL_ARGS_JSON, 0, NULL },
	{ "JSONB", EVS_T_JSON, DDL_ARGS_JSON, 0, NULL },
	{ "Object", EVS_T_JSON, DDL_ARGS_JSON, 0, NULL },
	{ "IPv4", EVS_T_IPV4, DDL_ARGS_NONE, 0, NULL },
	{ "IPv6", EVS_T_IPV6, DDL_ARGS_NONE, 0, NULL },
	{ "INET", EVS_T_STRING, DDL_ARGS_NOTED, 0, NULL },
	{ "CIDR", EVS_T_STRING, DDL_ARGS_NOTED, 0, NULL },
	{ "MACADDR", EVS_T_STRING, DDL_ARGS_NOTED, 0, NULL },
	{ "MACADDR8", EVS_T_STRING, DDL_ARGS_NOTED, 0, NULL },
	{ "CITEXT", EVS_T_STRING, DDL_ARGS_NOTED, 0, NULL },
	{ "XML", EVS_T_STRING, DDL_ARGS_NOTED, 0, NULL },
	{ "LTREE", EVS_T_STRING, DDL_ARGS_NOTED, 0, NULL },
	{ "BYTEA", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_text },
	{ "BLOB", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_text },
	{ "BINARY", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_text },
	{ "VARBINARY", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_text },
	{ "BIT", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_string },
	{ "VARBIT", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_string },
	{ "TIME", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_string },
	{ "TIMETZ", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_string },
	{ "Time64", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_string },
	{ "MONEY", EVS_T_STRING, DDL_ARGS_REFUSED, 0, "use Decimal(18, 2)" },
	{ "INTERVAL", EVS_T_STRING, DDL_ARGS_REFUSED, 0,
	  "store a number of seconds or milliseconds in an Int64" },
	{ "TSVECTOR", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_string },
	{ "POINT", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_json },
	{ "Tuple", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_json },
	{ "Nested", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_json },
	{ "Variant", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_json },
	{ "Dynamic", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_json },
	{ "HSTORE", EVS_T_STRING, DDL_ARGS_REFUSED, 0,
	  "use Map(String, Nullable(String)) or JSON" },
	{ "AggregateFunction", EVS_T_STRING, DDL_ARGS_REFUSED, 0,
	  "declare a materialized view instead" },
	{ "SimpleAggregateFunction", EVS_T_STRING, DDL_ARGS_REFUSED, 0,
	  "declare a materialized view instead" },
	{ "Int128", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_decimal },
	{ "Int256", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_decimal },
	{ "UInt128", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_decimal },
	{ "UInt256", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_decimal },
	{ "Decimal256", EVS_T_STRING, DDL_ARGS_REFUSED, 0, use_decimal },
	{ "BFloat16", EVS_T_STRING, DDL_ARGS_REFUSED, 0, "use Float32" },
};

static const size_t nnames = sizeof(names) / sizeof(names[0]);

static const struct ddl_type_name int8_one_byte = { "Int8", EVS_T_INT8, DDL_ARGS_NONE, 0, NULL };

/*
 * int8 is one byte to ClickHouse and eight to PostgreSQL. ClickHouse is strict about case,
 * PostgreSQL is not: Int8, so written, is ClickHouse's.
 */
const struct ddl_type_name *ddl_find_type(const struct ddl *d, const struct evs_tok *t)
{
	if (t->kind == EVS_TOK_WORD && t->len == 4 && !memcmp(d->lex.text + t->at, "Int8", 4))
		return &int8_one_byte;
	for (size_t i = 0; i < nnames; i++) {
		if (evs_tok_is_at(&d->lex, t, names[i].name))
			return &names[i];
	}
	return NULL;
}

bool ddl_is_type_name(const struct ddl *d, const struct evs_tok *t)
{
	return ddl_find_type(d, t) != NULL;
}

int ddl_unknown_type(struct ddl *d, const struct evs_tok *name)
{
	const char *known[sizeof(names) / sizeof(names[0])];
	const char *word = d->lex.text + name->at;
	char hint[100];

	for (size_t i = 0; i < nnames; i++)
		known[i] = names[i].name;
	ddl_suggest(hint, sizeof(hint), word, name->len, known, nnames);
	return ddl_fail_tok(d, name, "%.*s is no type%s", name->len > 100 ? 100 : (int)name->len,
			    word, hint);
}
