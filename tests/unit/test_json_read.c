/*
 * The NDJSON reader: every type with the values that must come back the same or be refused,
 * rows as a whole, rolling back, absent columns, and the AVX2 loops against the portable ones.
 */
#include "src/json/json_reader.h"
#include "tests/unit/mini_table.h"
#include "tests/unit/t.h"

#define OK     EVS_ROW_OK
#define BAD    EVS_ROW_BAD
#define MISFIT EVS_ROW_MISFIT

/* ---- one value --------------------------------------------------------------------------- */

static const struct {
	const char *type;
	const char *json;
	int want;
	const char *back; /* printed as JSON, or a piece of the reason; NULL: the same as json */
} values[] = {
	/* Bool */
	{ "Bool", "true", OK, NULL },
	{ "Bool", "false", OK, NULL },
	{ "Bool", "1", MISFIT, "not true or false" },
	{ "Bool", "\"true\"", MISFIT, NULL },
	{ "Bool", "null", MISFIT, "NOT NULL" },
	{ "Bool", "True", BAD, "column 6" },
	{ "Bool", "tru", BAD, "expected a value" },
	/* whole numbers */
	{ "Int8", "127", OK, NULL },
	{ "Int8", "-128", OK, NULL },
	{ "Int8", "128", MISFIT, "out of range" },
	{ "Int8", "-129", MISFIT, "out of range" },
	{ "UInt8", "255", OK, NULL },
	{ "UInt8", "256", MISFIT, NULL },
	{ "UInt8", "-1", MISFIT, "out of range" },
	{ "Int16", "-32768", OK, NULL },
	{ "Int16", "32768", MISFIT, NULL },
	{ "UInt16", "65535", OK, NULL },
	{ "UInt16", "65536", MISFIT, NULL },
	{ "Int32", "-2147483648", OK, NULL },
	{ "Int32", "2147483648", MISFIT, NULL },
	{ "UInt32", "4294967295", OK, NULL },
	{ "UInt32", "4294967296", MISFIT, NULL },
	{ "Int64", "9007199254740993", OK, NULL },
	{ "Int64", "-9223372036854775808", OK, NULL },
	{ "Int64", "9223372036854775808", MISFIT, "out of range" },
	{ "UInt64", "18446744073709551615", OK, NULL },
	{ "UInt64", "18446744073709551616", MISFIT, NULL },
	{ "Int32", "5.0", OK, "5" },
	{ "Int32", "5e0", OK, "5" },
	{ "Int32", "50e-1", OK, "5" },
	{ "Int32", "5.5", MISFIT, "decimal places" },
	{ "Int32", "-0", MISFIT, "-0" },
	{ "Int32", "-0.0", MISFIT, "-0" },
	{ "Int32", "\"5\"", MISFIT, "not a number" },
	{ "Int32", "true", MISFIT, NULL },
	{ "Int32", "[5]", MISFIT, NULL },
	{ "Int32", "05", BAD, "expected" },
	{ "Int32", "+5", BAD, "column 6: expected a value, found '+'" },
	{ "Int32", "5.", BAD, "expected a digit" },
	{ "Int32", "5x", BAD, "found 'x'" },
	{ "Int32", "NaN", BAD, NULL },
	{ "Int32", "-", BAD, NULL },
	{ "Int32", "0x10", BAD, NULL },
	{ "Nullable(Int32)", "null", OK, NULL },
	/* floats */
	{ "Float64", "0.1", OK, NULL },
	{ "Float64", "-0", OK, NULL },
	{ "Float64", "-0.0", OK, "-0" },
	{ "Float64", "1e400", MISFIT, "out of range" },
	{ "Float64", "0.30000000000000004", OK, NULL },
	{ "Float64", "9007199254740993", MISFIT, "more digits" },
	{ "Float64", "9007199254740993.0", OK, "9007199254740992" },
	{ "Float64", "1.7976931348623157e308", OK, NULL },
	{ "Float64", "5e-324", OK, NULL },
	{ "Float64", "1E5", OK, "100000" },
	{ "Float64", "Infinity", BAD, NULL },
	{ "Float64", "\"1\"", MISFIT, NULL },
	{ "Float32", "0.1", OK, NULL },
	{ "Float32", "16777217", MISFIT, "more digits" },
	{ "Float32", "3.4e38", OK, "3.4e38" },
	{ "Float32", "3.5e38", MISFIT, "out of range" },
	{ "Float32", "0.123456789", MISFIT, "more digits" },
	{ "Float32", "0.12345679", OK, NULL },
	{ "Decimal(10,2)", "1.10", OK, "1.1" },
	{ "Decimal(10,2)", "1.125", MISFIT, "decimal places" },
	{ "Decimal(10,2)", "99999999.99", OK, NULL },
	{ "Decimal(10,2)", "100000000", MISFIT, "out of range" },
	{ "Decimal(38,10)", "-1234567890123456789012345678.0123456789", OK, NULL },
	{ "Decimal(10,2)", "1e3", OK, "1000" },
	{ "Decimal(10,2)", "-0", MISFIT, "-0" },
	{ "Decimal(10,2)", "-0.05", OK, NULL },
	/* strings */
	{ "String", "\"\"", OK, NULL },
	{ "String", "\"a\\u0000b\"", OK, NULL },
	{ "String", "\"\\u0061\"", OK, "\"a\"" },
	{ "String", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", OK, "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
	{ "String", "\"\\ud83d\\ude00\"", OK, "\"\xf0\x9f\x98\x80\"" },
	{ "String", "\"\xf0\x9f\x98\x80\"", OK, NULL },
	{ "String", "\"\\ud83d\"", MISFIT, "surrogate" },
	{ "String", "\"\\ude00\\ud83d\"", MISFIT, "surrogate" },
	{ "String", "\"\\ud83dx\\ude00\"", MISFIT, "surrogate" },
	{ "String", "\"\\u12g4\"", BAD, "four hex digits" },
	{ "String", "\"\\x41\"", BAD, "unknown escape" },
	{ "String", "\"a\tb\"", BAD, "control character" },
	{ "String", "\"\xff\"", BAD, "invalid UTF-8, found byte 0xff" },
	{ "String", "\"\xc0\xaf\"", BAD, "invalid UTF-8" },
	{ "String", "\"\xed\xa0\x80\"", BAD, "invalid UTF-8" },
	{ "String", "\"\xf4\x90\x80\x80\"", BAD, "invalid UTF-8" },
	{ "String", "\"\xe2\x82\"", BAD, "invalid UTF-8" },
	{ "String", "5", MISFIT, "not a string" },
	{ "String", "\"abc", BAD, "without an end" },
	{ "String", "\"abc\\", BAD, "unknown escape" },
	{ "String", "null", MISFIT, "NOT NULL" },
	{ "String", "{}", MISFIT, "not a string" },
	{ "String", "'a'", BAD, "expected a value" },
	{ "Nullable(String)", "null", OK, NULL },
	{ "String",
	  "\"a string that is longer than thirty-two bytes, so that the wide loops see it \\\"twice\\\"\"",
	  OK, NULL },
	{ "FixedString(4)", "\"abcd\"", OK, NULL },
	{ "FixedString(4)", "\"ab\"", OK, NULL },
	{ "FixedString(4)", "\"\"", OK, NULL },
	{ "FixedString(4)", "\"abcde\"", MISFIT, "longer" },
	{ "FixedString(4)", "\"a\\u0000\"", MISFIT, "NUL at the end" },
	{ "FixedString(4)", "\"\\u0000a\"", OK, NULL },
	/* ids and addresses */
	{ "UUID", "\"12bd6192-5b3e-4886-bf48-6d8f43da58b7\"", OK, NULL },
	{ "UUID", "\"12BD6192-5B3E-4886-BF48-6D8F43DA58B7\"", OK,
	  "\"12bd6192-5b3e-4886-bf48-6d8f43da58b7\"" },
	{ "UUID", "\"\\u0031\\u0032bd6192-5b3e-4886-bf48-6d8f43da58b7\"", OK,
	  "\"12bd6192-5b3e-4886-bf48-6d8f43da58b7\"" },
	{ "UUID", "\"12bd6192-5b3e-4886-bf48-6d8f43da58b\"", MISFIT, "not a UUID" },
	{ "UUID", "\"12bd61925b3e4886bf486d8f43da58b7\"", MISFIT, "not a UUID" },
	{ "UUID", "\"12bd6192-5b3e-4886-bf48-6d8f43da58bg\"", MISFIT, "not a UUID" },
	{ "UUID", "\"12bd6192-5b3e-4886-bf48+6d8f43da58b7\"", MISFIT, "not a UUID" },
	{ "UUID", "7", MISFIT, "not a string" },
	{ "IPv4", "\"192.168.0.1\"", OK, NULL },
	{ "IPv4", "\"255.255.255.255\"", OK, NULL },
	{ "IPv4", "\"1.2.3\"", MISFIT, "not an IPv4" },
	{ "IPv4", "\"01.2.3.4\"", MISFIT, NULL },
	{ "IPv4", "\"1.2.3.4\\u0000\"", MISFIT, NULL },
	{ "IPv6", "\"::1\"", OK, NULL },
	{ "IPv6", "\"2001:db8::1\"", OK, NULL },
	{ "IPv6", "\"2001:DB8::1\"", MISFIT, "canonical" },
	{ "IPv6", "\"0:0:0:0:0:0:0:1\"", MISFIT, "canonical" },
	{ "IPv6", "\"1.2.3.4\"", MISFIT, "not an IPv6" },
	/* times */
	{ "Date", "\"2024-02-29\"", OK, NULL },
	{ "Date", "\"2023-02-29\"", MISFIT, "not a date" },
	{ "Date", "\"2024-02-29T00:00:00Z\"", MISFIT, "not a date" },
	{ "Date", "\"0000-01-01\"", OK, NULL },
	{ "Date", "\"9999-12-31\"", OK, NULL },
	{ "Date", "\"1969-12-31\"", OK, NULL },
	{ "Date", "20240229", MISFIT, NULL },
	{ "DateTime", "\"2024-12-16T00:00:33Z\"", OK, NULL },
	{ "DateTime", "\"2024-12-16 00:00:33\"", OK, "\"2024-12-16T00:00:33Z\"" },
	{ "DateTime", "\"2024-12-16T02:00:33+02:00\"", OK, "\"2024-12-16T00:00:33Z\"" },
	{ "DateTime", "\"2024-12-16T24:00:00Z\"", MISFIT, "not a time" },
	{ "DateTime", "\"2024-12-16T00:60:00Z\"", MISFIT, NULL },
	{ "DateTime", "\"2024-12-16T00:00:60Z\"", MISFIT, NULL },
	{ "DateTime", "1734307233", MISFIT, "not a string" },
	{ "DateTime64(3)", "\"2024-12-16T00:00:33.253Z\"", OK, NULL },
	{ "DateTime64(3)", "\"1969-12-31T23:59:59.999Z\"", OK, NULL },
	{ "DateTime64(3)", "\"2024-12-16T00:00:33Z\"", OK, "\"2024-12-16T00:00:33.000Z\"" },
	{ "DateTime64(3)", "\"2024-12-16T00:00:33.2Z\"", OK, "\"2024-12-16T00:00:33.200Z\"" },
	{ "DateTime64(3)", "\"2024-12-16T00:00:33.2530000Z\"", OK, "\"2024-12-16T00:00:33.253Z\"" },
	{ "DateTime64(3)", "\"2024-12-16T00:00:33.Z\"", MISFIT, NULL },
	{ "DateTime64(3)", "\"\"", MISFIT, "not a time" },
	{ "DateTime64(6)", "\"2024-12-16T00:00:22.871376+00:00\"", OK,
	  "\"2024-12-16T00:00:22.871376Z\"" },
	{ "DateTime64(9)", "\"2262-04-11T23:47:16.854775807Z\"", OK, NULL },
	{ "DateTime64(9)", "\"2262-04-11T23:47:16.854775808Z\"", MISFIT, "range" },
	{ "DateTime64(9)", "\"1677-09-21T00:12:43.145224192Z\"", OK, NULL },
	{ "DateTime64(9)", "\"1600-01-01T00:00:00Z\"", MISFIT, "range" },
	{ "DateTime64(3)", "\"0000-01-01T00:00:00.000Z\"", OK, NULL },
	{ "DateTime64(3)", "\"9999-12-31T23:59:59.999Z\"", OK, NULL },
	{ "DateTime64(1)", "\"2024-12-16T00:00:33.5Z\"", OK, NULL },
	/* enums */
	{ "Enum(RED,GREEN)", "\"GREEN\"", OK, NULL },
	{ "Enum(RED,GREEN)", "\"BLUE\"", MISFIT, "found \"BLUE\"" },
	{ "Enum(RED,GREEN)", "\"G\\u0052EEN\"", OK, "\"GREEN\"" },
	{ "Enum(RED,GREEN)", "1", MISFIT, NULL },
	{ "Enum(RED,GREEN)", "\"\"", MISFIT, NULL },
	{ "Enum(RED,GREEN)", "\"RED\xff\"", BAD, "UTF-8" },
	/* nested */
	{ "Array(String)", "[]", OK, NULL },
	{ "Array(String)", "[ \"a\" , \"b\" ]", OK, "[\"a\",\"b\"]" },
	{ "Array(String)", "[\"a\",null]", MISFIT, "null inside" },
	{ "Array(Nullable(Int32))", "[1,null]", OK, NULL },
	{ "Array(Array(Int8))", "[[1],[],[2,3]]", OK, NULL },
	{ "Array(Int8)", "[1,200]", MISFIT, "out of range" },
	{ "Array(Int8)", "[1,]", BAD, "expected a value" },
	{ "Array(Int8)", "[1", BAD, "expected ',' or ']'" },
	{ "Array(Int8)", "{}", MISFIT, "not an array" },
	{ "Array(Int8)", "[1 2]", BAD, "expected ',' or ']'" },
	{ "Array(Int8)", "null", MISFIT, "NOT NULL" },
	{ "Map(String,String)", "{}", OK, NULL },
	{ "Map(String,String)", "{ \"a\" : \"b\" , \"c\":\"d\"}", OK, "{\"a\":\"b\",\"c\":\"d\"}" },
	{ "Map(String,Int32)", "{\"a\":1,\"a\":2}", MISFIT, "twice" },
	{ "Map(String,Int32)", "{\"a\":1,\"\\u0061\":2}", MISFIT, "twice" },
	{ "Map(String,Int32)", "{\"a\":\"1\"}", MISFIT, "not a number" },
	{ "Map(String,Int32)", "{\"a\"}", BAD, "expected ':'" },
	{ "Map(String,Array(Int32))", "{\"a\":[1,2],\"b\":[]}", OK, NULL },
	{ "Map(String,Int32)", "[]", MISFIT, "not an object" },
	{ "Map(String,Nullable(Int32))", "{\"a\":null}", OK, NULL },
	{ "Map(String,Int32)", "{\"\\ud800\":1}", MISFIT, "surrogate" },
	/* JSON */
	{ "JSON", "{\"a\": [1, 2.50, \"\\ud800\"], \"b\":{ }}", OK, NULL },
	{ "JSON", "1e400", OK, NULL },
	{ "JSON", "\"x\"", OK, NULL },
	{ "JSON", "-0", OK, NULL },
	{ "JSON", "null", MISFIT, "NOT NULL" },
	{ "Nullable(JSON)", "null", OK, NULL },
	{ "JSON", "{\"a\":1,}", BAD, "key" },
	{ "JSON", "[1,2", BAD, NULL },
	{ "JSON", "{\"a\" 1}", BAD, "':'" },
	{ "JSON", "\"\\q\"", BAD, "escape" },
	{ "JSON", "\"\xff\"", BAD, "UTF-8" },
	{ "JSON", "01", BAD, NULL },
	{ "JSON", "{\"a\":1,\"a\":2}", OK, NULL },
	{ "JSON", "[[[[]]]]", OK, NULL },
	{ "JSON", "nul", BAD, NULL },
};

static void test_value(size_t i, const struct evs_json_ops *ops)
{
	char spec[128], line[512], name[600], back[512];
	const char *reason = NULL;
	struct evs_json_reader *r;
	struct evs_table *t;
	struct evs_array *cols;
	struct evs_buf b = { 0 };
	int rc;

	snprintf(spec, sizeof(spec), "v %s", values[i].type);
	snprintf(line, sizeof(line), "{\"v\":%s}", values[i].json);
	snprintf(name, sizeof(name), "%s %s", values[i].type, values[i].json);
	t = mini_table(spec);
	cols = mini_columns(t);
	T_CHECK(evs_json_reader_new(&r, t) == 0);
	r->lex.ops = ops;
	for (unsigned round = 0; round < 2; round++) { /* the second time with what was learnt */
		rc = evs_json_read_row(r, line, strlen(line), cols, &reason);
		t_eq_u64(name, (uint64_t)rc, (uint64_t)values[i].want);
		if (rc != OK) {
			t_check(name,
				reason && cols[0].rows == 0 && cols[t->extra_column].rows == 0);
			if (values[i].back && !(reason && strstr(reason, values[i].back))) {
				t_check(name, false);
				printf("        reason %s\n", reason ? reason : "(none)");
			}
			continue;
		}
		t_check(name, cols[0].rows == round + 1 &&
				      evs_array_is_null(&cols[t->extra_column], round));
		evs_buf_reset(&b);
		evs_json_put_value(&b, &t->cols[0].type, &cols[0], round);
		snprintf(back, sizeof(back), "%.*s", (int)b.len, (char *)b.p);
		t_eq_str(name, back, values[i].back ? values[i].back : values[i].json);
	}
	evs_buf_release(&b);
	evs_json_reader_free(r);
	mini_free_columns(t, cols);
	evs_table_free(t);
}

/* ---- whole rows -------------------------------------------------------------------------- */

static const struct {
	const char *line;
	int want;
	const char *back; /* "a|b|c|_extra", or a piece of the reason */
} rows[] = {
	{ "{\"a\":1,\"b\":\"x\",\"c\":true}", OK, "1|\"x\"|true|null" },
	{ "{\"c\":true,\"b\":\"x\",\"a\":1}", OK, "1|\"x\"|true|null" },
	{ " { \"a\" : 1 , \"b\" : \"x\" } \r", OK, "1|\"x\"|null|null" },
	{ "{\"a\":1}", OK, "1|null|null|null" },
	{ "{\"\\u0061\":1}", OK, "1|null|null|null" },
	{ "{\"a\":1,\"z\": [1, 2] ,\"y\" :\"\\ud800\"}", OK,
	  "1|null|null|{\"z\":[1, 2],\"y\":\"\\ud800\"}" },
	{ "{\"z.\\\"\":null,\"a\":1}", OK, "1|null|null|{\"z.\\\"\":null}" },
	{ "{\"a\":1,\"\":0}", OK, "1|null|null|{\"\":0}" },
	{ "{\"a\":1,\"_extra\":{\"q\":1}}", OK, "1|null|null|{\"_extra\":{\"q\":1}}" },
	{ "{\"a\":1,\"\\ud800\":2}", OK, "1|null|null|{\"\\ud800\":2}" },
	{ "", EVS_ROW_BLANK, NULL },
	{ " \t\r", EVS_ROW_BLANK, NULL },
	{ "{}", MISFIT, "a: absent" },
	{ "{\"b\":\"x\"}", MISFIT, "a: absent" },
	{ "{\"a\":1,\"a\":1}", BAD, "\"a\" comes twice" },
	{ "{\"a\":1,\"\\u0061\":1}", BAD, "\"a\" comes twice" },
	{ "{\"a\":1,\"z\":1,\"z\":1}", BAD, "\"z\" comes twice" },
	{ "{\"a\":1,\"z\":1,\"\\u007a\":1}", BAD, "twice" },
	{ "{\"a\":\"x\",\"b\":", BAD, "expected a value" },
	{ "{\"a\":\"x\",\"b\":\"\",\"b\":\"\"}", BAD, "twice" },
	{ "[1]", BAD, "column 1: expected '{', found '['" },
	{ "1", BAD, "expected '{'" },
	{ "null", BAD, NULL },
	{ "{\"a\":1}x", BAD, "more text" },
	{ "{\"a\":1}{\"a\":1}", BAD, "more text" },
	{ "{\"a\":1", BAD, "end of the line" },
	{ "{\"a\":1,}", BAD, "key" },
	{ "{a:1}", BAD, "key" },
	{ "{\"a\" 1}", BAD, "':'" },
	{ "{\"a\":1 \"b\":\"\"}", BAD, "','" },
	{ "{,}", BAD, "key" },
	{ "{\"a\":}", BAD, "expected a value" },
	{ "{\"z\":}", BAD, NULL },
	{ "{", BAD, NULL },
	{ "{\"", BAD, "without an end" },
	{ "{\"a\\", BAD, "without an end" },
	{ "\xef\xbb\xbf{\"a\":1}", BAD, "byte order mark" },
	{ "{\"a\":1,\"z\":\"\xff\"}", BAD, "UTF-8" },
	{ "{\"a\":1,\"\xff\":1}", BAD, "UTF-8" },
	{ "{\"a\":1,\"z\":nan}", BAD, NULL },
	{ "// x", BAD, NULL },
	{ "{\"a\":1,\"b\":\"\x01\"}", BAD, "control character in a string, found byte 0x01" },
};

static void print_row(struct evs_buf *b, const struct evs_table *t, const struct evs_array *cols,
		      uint32_t row)
{
	evs_buf_reset(b);
	for (unsigned i = 0; i < t->ncols; i++) {
		if (i)
			evs_buf_put_u8(b, '|');
		evs_json_put_value(b, &t->cols[i].type, &cols[i], row);
	}
	evs_buf_put_u8(b, 0);
}

static void test_rows(void)
{
	struct evs_table *t = mini_table("a Int32\nb Nullable(String)\nc ?Bool");
	struct evs_array *cols = mini_columns(t);
	struct evs_json_reader *r;
	struct evs_buf b = { 0 };
	uint32_t n = 0;

	T_CHECK(evs_json_reader_new(&r, t) == 0);
	/*
	 * Twice over, so that each line follows each kind of line once with predictions and
	 * once without.
	 */
	for (size_t k = 0; k < 2 * sizeof(rows) / sizeof(rows[0]); k++) {
		size_t i = k % (sizeof(rows) / sizeof(rows[0]));
		const char *reason;
		int rc = evs_json_read_row(r, rows[i].line, strlen(rows[i].line), cols, &reason);

		t_eq_u64(rows[i].line, (uint64_t)rc, (uint64_t)rows[i].want);
		if (rc == OK) {
			print_row(&b, t, cols, n++);
			t_eq_str(rows[i].line, (char *)b.p, rows[i].back);
		} else if (rc != EVS_ROW_BLANK) {
			t_check(rows[i].line,
				reason && (!rows[i].back || strstr(reason, rows[i].back)));
			if (reason && rows[i].back && !strstr(reason, rows[i].back))
				printf("        %s\n", reason);
		}
		for (unsigned c = 0; c < t->ncols; c++)
			t_check("rows", cols[c].rows == n);
	}
	evs_buf_release(&b);
	evs_json_reader_free(r);
	mini_free_columns(t, cols);
	evs_table_free(t);
}

/* A row that fails late leaves nothing behind, nested elements included. */
static void test_roll_back(void)
{
	struct evs_table *t = mini_table(
		"l Array(Array(String))\nm Map(String,Int32)\ns Nullable(String)\nz Int8");
	struct evs_array *cols = mini_columns(t);
	struct evs_json_reader *r;
	struct evs_buf b = { 0 };
	const char *reason;
	static const char good[] = "{\"l\":[[\"a\"],[]],\"m\":{\"k\":1},\"s\":null,\"z\":1}";
	static const char *const bad[] = {
		"{\"l\":[[\"a\",\"b\"],[\"c\"]],\"m\":{\"k\":1},\"s\":\"x\",\"z\":1000}",
		"{\"l\":[[\"a\",\"b\"],[\"c\", 5]],\"m\":{\"k\":1},\"s\":\"x\",\"z\":1}",
		"{\"l\":[[\"a\"]],\"m\":{\"k\":1, \"kk\":\"no\"},\"s\":\"x\",\"z\":1}",
		"{\"l\":[[\"a\"]],\"m\":{\"k\":1, \"k\":2},\"s\":\"x\",\"z\":1}",
		"{\"s\":\"x\",\"z\":1}",
	};

	T_CHECK(evs_json_reader_new(&r, t) == 0);
	for (uint32_t n = 0; n < 40; n++) {
		const char *line = bad[n % (sizeof(bad) / sizeof(bad[0]))];

		T_CHECK(evs_json_read_row(r, line, strlen(line), cols, &reason) == MISFIT);
		T_CHECK(cols[0].rows == n && cols[0].child[0].rows == 2 * n &&
			cols[0].child[0].child[0].rows == n);
		T_CHECK(cols[1].child[0].rows == n && cols[1].child[1].rows == n);
		T_CHECK(evs_json_read_row(r, good, strlen(good), cols, &reason) == OK);
	}
	for (uint32_t n = 0; n < 40; n++) {
		print_row(&b, t, cols, n);
		t_eq_str("after rolling back", (char *)b.p, "[[\"a\"],[]]|{\"k\":1}|null|1|null");
	}
	evs_buf_release(&b);
	evs_json_reader_free(r);
	mini_free_columns(t, cols);
	evs_table_free(t);
}

static void test_absent(void)
{
	struct evs_table *t = mini_table("a Int32\nd ?Int32\ne ?Nullable(String)");
	struct evs_array *cols = mini_columns(t);
	struct evs_json_reader *r;
	const char *reason;
	uint32_t count;
	const uint8_t *bits;
	unsigned wrong = 0;

	T_CHECK(evs_json_reader_new(&r, t) == 0);
	T_CHECK(!evs_json_reader_absent(r, 1, &count) && count == 0);
	for (uint32_t i = 0; i < 5000; i++) {
		const char *line = i % 3 ? "{\"a\":1,\"d\":2}" : "{\"a\":1,\"e\":null}";

		wrong += evs_json_read_row(r, line, strlen(line), cols, &reason) != OK;
		wrong += evs_json_read_row(r, "{\"a\":\"\"}", 8, cols, &reason) != MISFIT;
	}
	t_eq_u64("absent: rows refused", wrong, 0);
	bits = evs_json_reader_absent(r, 1, &count);
	t_eq_u64("absent in d", count, 1667);
	for (uint32_t i = 0; bits && i < 5000; i++)
		wrong += (bits[i >> 3] >> (i & 7) & 1) != (i % 3 == 0);
	t_eq_u64("absent bits", wrong, 0);
	evs_json_reader_absent(r, 2, &count);
	t_eq_u64("absent in e: an explicit null is not", count, 3333);
	T_CHECK(!evs_json_reader_absent(r, 0, &count));
	evs_json_reader_clear(r);
	for (unsigned i = 0; i < t->ncols; i++)
		evs_array_reset(&cols[i]);
	T_CHECK(!evs_json_reader_absent(r, 1, &count) && count == 0);
	T_CHECK(evs_json_read_row(r, "{\"a\":1,\"d\":5}", 13, cols, &reason) == OK);
	T_CHECK(evs_json_read_row(r, "{\"a\":1}", 7, cols, &reason) == OK);
	bits = evs_json_reader_absent(r, 1, &count);
	T_CHECK(bits && count == 1 && bits[0] == 2);
	evs_json_reader_free(r);
	mini_free_columns(t, cols);
	evs_table_free(t);
}

static void test_digits(void)
{
	struct evs_table *t = mini_table("t DateTime64(3)\nz Int8");
	struct evs_array *cols = mini_columns(t);
	struct evs_json_reader *r;
	const char *reason;
	static const char line[] = "{\"t\":\"2024-12-16T00:00:33.2539Z\",\"z\":1}";
	static const char bad[] = "{\"t\":\"2024-12-16T00:00:33.2539Z\",\"z\":1000}";

	T_CHECK(evs_json_reader_new(&r, t) == 0);
	T_CHECK(evs_json_read_row(r, line, strlen(line), cols, &reason) == OK);
	T_CHECK(evs_json_read_row(r, bad, strlen(bad), cols, &reason) == MISFIT);
	t_eq_u64("digits dropped", evs_json_reader_digits_dropped(r), 1);
	t_eq_u64("cut, not rounded", evs_array_int(&cols[0], 0), 1734307233253);
	evs_json_reader_set_strict(r, true);
	T_CHECK(evs_json_read_row(r, line, strlen(line), cols, &reason) == MISFIT);
	T_CHECK(reason && strstr(reason, "more digits"));
	t_eq_u64("digits dropped", evs_json_reader_digits_dropped(r), 1);
	evs_json_reader_free(r);
	mini_free_columns(t, cols);
	evs_table_free(t);
}

/* Long strings, wide rows, deep nesting, many keys. */
static void test_large(void)
{
	struct evs_table *t = mini_table("s String\nj Nullable(JSON)");
	struct evs_array *cols = mini_columns(t);
	struct evs_json_reader *r;
	const char *reason;
	size_t n = 3000000, len;
	char *line = malloc(2 * n + 100);

	T_CHECK(evs_json_reader_new(&r, t) == 0);
	T_CHECK(line != NULL);
	if (!line)
		return;
	memcpy(line, "{\"s\":\"", 6);
	for (size_t i = 0; i < n; i++)
		memcpy(line + 6 + 2 * i, i % 7 ? "xy" : "\\n", 2);
	memcpy(line + 6 + 2 * n, "\"}", 3);
	T_CHECK(evs_json_read_row(r, line, 2 * n + 8, cols, &reason) == OK);
	evs_array_bytes(&cols[0], 0, &len);
	t_eq_u64("long string", len, 2 * n - (n + 6) / 7);

	for (unsigned depth = 300; depth <= EVS_JSON_MAX_DEPTH + 1;
	     depth += (EVS_JSON_MAX_DEPTH + 1 - 300)) {
		size_t at = (size_t)snprintf(line, 100, "{\"s\":\"\",\"j\":");

		memset(line + at, '[', depth);
		memset(line + at + depth, ']', depth);
		line[at + 2 * depth] = '}';
		t_eq_u64("depth",
			 (uint64_t)evs_json_read_row(r, line, at + 2 * depth + 1, cols, &reason),
			 depth <= EVS_JSON_MAX_DEPTH ? OK : BAD);
	}
	for (unsigned twice = 0; twice < 2; twice++) {
		size_t at = (size_t)snprintf(line, 100, "{\"s\":\"\"");

		for (unsigned i = 0; i < 50000; i++)
			at += (size_t)snprintf(line + at, 30, ",\"k%u\":%u",
					       twice && i == 49999 ? 7 : i, i);
		line[at++] = '}';
		t_eq_u64("many unknown fields",
			 (uint64_t)evs_json_read_row(r, line, at, cols, &reason), twice ? BAD : OK);
	}
	T_CHECK(evs_json_read_row(r, line, EVS_MAX_LINE + 1, cols, &reason) == BAD);
	free(line);
	evs_json_reader_free(r);
	mini_free_columns(t, cols);
	evs_table_free(t);
}

/* ---- the wide loops against the portable ones -------------------------------------------- */

static uint64_t rng = 0x9e3779b97f4a7c15u;

static uint64_t next(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* Mostly letters, now and then what the loops look for. */
static char random_byte(unsigned density)
{
	static const char special[] = "\"\\\x1f\x20\x7f\x80\xff\x00nu/\"\\";

	return next() % density ? (char)('a' + next() % 26)
				: special[next() % (sizeof(special) - 1)];
}

static void compare_ops(const struct evs_json_ops *a, const struct evs_json_ops *b, const char *s,
			size_t n, size_t room)
{
	char da[2048], db[2048];
	bool ha = false, hb = false;
	struct evs_strcopy ca = { .p = s, .end = s + n, .d = da, .dend = da + room };
	struct evs_strcopy cb = { .p = s, .end = s + n, .d = db, .dend = db + room };
	char *ea, *eb;

	if (n >= 2 * EVS_PLAIN) {
		size_t len = 1 + next() % EVS_PLAIN;

		memcpy(da, s, EVS_PLAIN);
		da[next() % EVS_PLAIN] ^= (char)(next() % 2);
		T_CHECK(a->same(s, da, len) == b->same(s, da, len) &&
			a->same(s, da, len) == !memcmp(s, da, len));
		T_CHECK(a->same(s, s, len) && b->same(s, s, len));
	}
	if (n >= EVS_PLAIN) {
		int la = a->plain(s, da), lb = b->plain(s, db);

		T_CHECK(la == lb && (la < 0 || (s[la] == '"' && !memcmp(da, s, (size_t)la) &&
						!memcmp(db, s, (size_t)la))));
	}
	T_CHECK(a->find(s, s + n, &ha) == b->find(s, s + n, &hb) && ha == hb);
	a->copy(&ca);
	b->copy(&cb);
	T_CHECK(ca.p == cb.p && ca.d - da == cb.d - db && ca.high == cb.high);
	T_CHECK(!memcmp(da, db, (size_t)(ca.d - da)));
	ha = hb = false;
	ea = a->escape(s, n, da, &ha);
	eb = b->escape(s, n, db, &hb);
	T_CHECK(ea - da == eb - db && !memcmp(da, db, (size_t)(ea - da)) && ha == hb);
}

static void test_ops(void)
{
	const struct evs_json_ops *a = &evs_json_portable, *b = evs_json_best_ops();
	static const char digits[] = "0123456789abcdefABCDEFgG/:@`\x80\xc1-";

	for (unsigned i = 0; i < 20000; i++) {
		char *s;
		size_t n = next() % 200;
		unsigned density = (unsigned)(next() % 60) + 1;

		s = malloc(n + 1); /* exact, so that the sanitizer sees a read past the end */
		if (!s)
			return;
		for (size_t k = 0; k < n; k++)
			s[k] = random_byte(density);
		compare_ops(a, b, s, n, next() % 4 ? 1024 : next() % 100);
		free(s);
	}
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t raw[16], x[16] = { 0 }, y[16] = { 0 };
		char text[36], again[36];

		for (unsigned k = 0; k < 16; k++)
			raw[k] = (uint8_t)next();
		a->uuid_print(raw, text);
		b->uuid_print(raw, again);
		T_CHECK(!memcmp(text, again, 36));
		for (unsigned k = 0; k < 36; k++) {
			if (i % 2 && text[k] >= 'a')
				text[k] = (char)(text[k] - 32);
		}
		T_CHECK(a->uuid_read(text, x) && b->uuid_read(text, y) && !memcmp(x, raw, 16) &&
			!memcmp(y, raw, 16));
		text[next() % 36] = digits[next() % (sizeof(digits) - 1)];
		T_CHECK(a->uuid_read(text, x) == b->uuid_read(text, y));
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		test_value(i, evs_json_best_ops());
		test_value(i, &evs_json_portable);
	}
	test_rows();
	test_roll_back();
	test_absent();
	test_digits();
	test_large();
	test_ops();
	return t_done();
}
