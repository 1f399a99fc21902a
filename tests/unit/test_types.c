/*
 * Types: parsing, printing, shape in memory, enums (src/schema/ddl_type*.c, types.c, typeprint.c).
 */
#include "tests/unit/t.h"

#include "src/schema/schema.h"

#include <stdlib.h>

static const struct {
	const char *ddl, *canonical; /* NULL: an error */
} types[] = {
	{ "Bool", "Bool" },
	{ "boolean", "Bool" },
	{ "Int8", "Int8" },
	{ "int8", "Int64" },
	{ "INT8", "Int64" },
	{ "int2", "Int16" },
	{ "int4", "Int32" },
	{ "TINYINT", "Int8" },
	{ "smallint", "Int16" },
	{ "INT", "Int32" },
	{ "INTEGER", "Int32" },
	{ "bigint", "Int64" },
	{ "BIGINT UNSIGNED", "UInt64" },
	{ "UInt8", "UInt8" },
	{ "UInt64", "UInt64" },
	{ "Float32", "Float32" },
	{ "real", "Float32" },
	{ "FLOAT", "Float64" },
	{ "float(24)", "Float32" },
	{ "float(25)", "Float64" },
	{ "double precision", "Float64" },
	{ "DOUBLE", "Float64" },
	{ "Decimal(18, 6)", "Decimal(18, 6)" },
	{ "NUMERIC(10)", "Decimal(10, 0)" },
	{ "Decimal32(4)", "Decimal(9, 4)" },
	{ "Decimal64(4)", "Decimal(18, 4)" },
	{ "Decimal128(4)", "Decimal(38, 4)" },
	{ "numeric", NULL },
	{ "Decimal(39, 1)", NULL },
	{ "Decimal(4, 5)", NULL },
	{ "Decimal(0)", NULL },
	{ "String", "String" },
	{ "text", "String" },
	{ "varchar(20)", "String" },
	{ "character varying(20)", "String" },
	{ "char", "String" },
	{ "FixedString(16)", "FixedString(16)" },
	{ "FixedString(0)", NULL },
	{ "FixedString", NULL },
	{ "FixedString(65536)", NULL },
	{ "UUID", "UUID" },
	{ "Date", "Date" },
	{ "Date32", "Date" },
	{ "DateTime", "DateTime" },
	{ "DateTime('UTC')", "DateTime" },
	{ "DateTime('Europe/Berlin')", "DateTime" },
	{ "DateTime(3)", "DateTime64(3)" },
	{ "DateTime64", "DateTime64(3)" },
	{ "DateTime64(0)", "DateTime64(0)" },
	{ "DateTime64(9, 'UTC')", "DateTime64(9)" },
	{ "DateTime64(10)", NULL },
	{ "timestamp", "DateTime64(6)" },
	{ "timestamptz", "DateTime64(6)" },
	{ "timestamptz(3)", "DateTime64(3)" },
	{ "timestamp with time zone", "DateTime64(6)" },
	{ "timestamp(3) without time zone", "DateTime64(3)" },
	{ "Enum('a' = 1, 'b' = 2)", "Enum8('a' = 1, 'b' = 2)" },
	{ "Enum('a', 'b')", "Enum8('a' = 1, 'b' = 2)" },
	{ "Enum('b' = 5, 'c', 'a' = -1)", "Enum8('a' = -1, 'b' = 5, 'c' = 6)" },
	{ "Enum16('a' = 300)", "Enum16('a' = 300)" },
	{ "Enum8('a' = 300)", NULL },
	{ "Enum('it''s' = 1, 'a\\'b\\\\c' = 2)", "Enum8('it\\'s' = 1, 'a\\'b\\\\c' = 2)" },
	{ "Enum('a' = 1, 'a' = 2)", NULL },
	{ "Enum('a' = 1, 'b' = 1)", NULL },
	{ "Enum()", NULL },
	{ "Enum('a' = 1,)", "Enum8('a' = 1)" },
	{ "Enum(a = 1)", NULL },
	{ "Array(String)", "Array(String)" },
	{ "Array(Nullable(Int32))", "Array(Nullable(Int32))" },
	{ "text[]", "Array(Nullable(String))" },
	{ "integer[][]", "Array(Array(Nullable(Int32)))" },
	{ "Map(String, Float64)", "Map(String, Float64)" },
	{ "Map(LowCardinality(String), Array(UUID))", "Map(String, Array(UUID))" },
	{ "Map(Int32, String)", NULL },
	{ "JSON", "JSON" },
	{ "jsonb", "JSON" },
	{ "Object('json')", "JSON" },
	{ "JSON(max_dynamic_paths=10)", "JSON" },
	{ "Nullable(String)", "Nullable(String)" },
	{ "LowCardinality(Nullable(String))", "Nullable(String)" },
	{ "LowCardinality(String)", "String" },
	{ "IPv4", "IPv4" },
	{ "IPv6", "IPv6" },
	{ "inet", "String" },
	{ "Array(Array(Array(Array(Array(Array(Array(Array(Int8))))))))",
	  "Array(Array(Array(Array(Array(Array(Array(Array(Int8))))))))" },
	{ "Array(Array(Array(Array(Array(Array(Array(Array(Array(Int8)))))))))", NULL },
	{ "Tuple(a String)", NULL },
	{ "Nested(a String)", NULL },
	{ "bytea", NULL },
	{ "interval", NULL },
	{ "Int128", NULL },
	{ "AggregateFunction(sum, Int64)", NULL },
	{ "Strng", NULL },
	{ "String String", NULL },
	{ "Nullable(String", NULL },
	{ "", NULL },
};

static void test_spellings(void)
{
	char buf[256];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct evs_diag diag = { 0 };
		struct evs_type t, again;
		bool nullable, nullable2;
		int rc = evs_type_parse(&t, &nullable, types[i].ddl, strlen(types[i].ddl), 1, 1,
					&diag);

		if (!types[i].canonical) {
			t_check(types[i].ddl, rc < 0 && diag.what[0] && diag.line == 1);
			continue;
		}
		t_check(types[i].ddl, rc == 0);
		if (rc < 0) {
			printf("        %s\n", diag.what);
			continue;
		}
		t_eq_u64("length of the name", evs_type_print(&t, nullable, buf, sizeof(buf)),
			 strlen(types[i].canonical));
		t_eq_str(types[i].ddl, buf, types[i].canonical);
		rc = evs_type_parse(&again, &nullable2, buf, strlen(buf), 1, 1, NULL);
		t_check("canonical name means the same",
			rc == 0 && nullable == nullable2 && evs_type_equal(&t, &again));
		evs_type_release(&again);
		evs_type_release(&t);
	}
}

static void check_advice(const char *ddl, const char *word, const char *piece)
{
	struct evs_diag diag = { 0 };
	struct evs_type t;
	int rc = evs_type_parse(&t, NULL, ddl, strlen(ddl), 3, 7, &diag);

	t_check(ddl, rc < 0 && strstr(diag.what, piece) && diag.line == 3);
	t_eq_str(ddl, diag.word, word);
	if (!strstr(diag.what, piece))
		printf("        %s\n", diag.what);
}

static void test_advice(void)
{
	check_advice("Strng", "Strng", "did you mean String");
	check_advice("Nullable(Datetme)", "Datetme", "did you mean DateTime");
	check_advice("numeric", "numeric", "Decimal(18, 6)");
	check_advice("Tuple(a String)", "Tuple", "JSON");
	check_advice("Enum8('x' = 200)", "200", "127");
}

static void test_print_cap(void)
{
	struct evs_type t = { .id = EVS_T_DATETIME64, .scale = 3 };
	char buf[8];

	memset(buf, 'x', sizeof(buf));
	t_eq_u64("length beyond the buffer", evs_type_print(&t, true, buf, sizeof(buf)),
		 strlen("Nullable(DateTime64(3))"));
	t_eq_str("cut", buf, "Nullabl");
	t_eq_u64("no buffer", evs_type_print(&t, false, NULL, 0), strlen("DateTime64(3)"));
}

static const struct {
	const char *ddl;
	enum evs_phys phys;
	uint16_t width;
	bool is_signed;
} shapes[] = {
	{ "Bool", EVS_INT, 1, false },
	{ "Int8", EVS_INT, 1, true },
	{ "UInt8", EVS_INT, 1, false },
	{ "Int16", EVS_INT, 2, true },
	{ "UInt16", EVS_INT, 2, false },
	{ "Int32", EVS_INT, 4, true },
	{ "UInt32", EVS_INT, 4, false },
	{ "Int64", EVS_INT, 8, true },
	{ "UInt64", EVS_INT, 8, false },
	{ "Float32", EVS_FLOAT, 4, true },
	{ "Float64", EVS_FLOAT, 8, true },
	{ "Decimal(18, 2)", EVS_INT, 8, true },
	{ "Decimal(19, 2)", EVS_FIXED, 16, false },
	{ "String", EVS_BYTES, 0, false },
	{ "JSON", EVS_BYTES, 0, false },
	{ "FixedString(5)", EVS_FIXED, 5, false },
	{ "UUID", EVS_FIXED, 16, false },
	{ "Date", EVS_INT, 4, true },
	{ "DateTime", EVS_INT, 8, true },
	{ "DateTime64(6)", EVS_INT, 8, true },
	{ "Enum('a')", EVS_INT, 2, true },
	{ "IPv4", EVS_INT, 4, false },
	{ "IPv6", EVS_FIXED, 16, false },
	{ "Array(Int8)", EVS_LIST, 0, false },
	{ "Map(String, Int8)", EVS_MAP, 0, false },
};

static void test_shapes(void)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct evs_type t;
		struct evs_array a;

		if (evs_type_parse(&t, NULL, shapes[i].ddl, strlen(shapes[i].ddl), 1, 1, NULL) <
			    0 ||
		    evs_type_array(&t, &a) < 0) {
			t_check(shapes[i].ddl, false);
			continue;
		}
		t_check(shapes[i].ddl,
			a.phys == shapes[i].phys &&
				(a.phys >= EVS_BYTES || a.width == shapes[i].width) &&
				(a.phys != EVS_INT || a.is_signed == shapes[i].is_signed) &&
				a.rows == 0);
		if (a.phys == EVS_MAP)
			t_check("map of bytes to ints",
				a.child[0].phys == EVS_BYTES && a.child[1].phys == EVS_INT);
		evs_array_release(&a);
		evs_type_release(&t);
	}
}

static void test_enum(void)
{
	static const char ddl[] = "Enum16('a' = -7, 'bb' = 1, 'ccc' = 2, 'd' = 300, '' = 4)";
	struct evs_type t, copy;
	const struct evs_enum_item *item;

	if (evs_type_parse(&t, NULL, ddl, strlen(ddl), 1, 1, NULL) < 0 ||
	    evs_type_copy(&copy, &t) < 0) {
		t_check("enum", false);
		return;
	}
	T_CHECK(evs_type_equal(&t, &copy));
	evs_type_release(&t);
	item = evs_enum_by_name(&copy, "ccc", 3);
	T_CHECK(item && item->value == 2);
	item = evs_enum_by_name(&copy, "", 0);
	T_CHECK(item && item->value == 4);
	T_CHECK(!evs_enum_by_name(&copy, "cc", 2));
	T_CHECK(!evs_enum_by_name(&copy, "CCC", 3));
	item = evs_enum_by_value(&copy, -7);
	T_CHECK(item && !strcmp(item->name, "a"));
	item = evs_enum_by_value(&copy, 300);
	T_CHECK(item && !strcmp(item->name, "d"));
	T_CHECK(!evs_enum_by_value(&copy, 0));
	T_CHECK(!evs_enum_by_value(&copy, -32768));
	T_CHECK(!evs_enum_by_value(&copy, 32767));
	evs_type_release(&copy);
	T_CHECK(copy.items == NULL);
}

int main(void)
{
	test_spellings();
	test_advice();
	test_print_cap();
	test_shapes();
	test_enum();
	return t_done();
}
