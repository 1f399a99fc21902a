/* Values of old groups through newer types (src/schema/convert.c, widen.c). */
#include "tests/unit/t.h"

#include "format/bytes.h"
#include "src/json/json.h"
#include "src/schema/schema.h"

#include <stdlib.h>

static struct evs_diag diag;

/*
 * Values, as a row of JSON each, of a column of type `from`, separated by '|'; printed through
 * `to`.
 */
static const struct {
	const char *from, *to, *values, *printed; /* NULL: it must not convert */
} cases[] = {
	{ "Int8", "Int64", "-128|127|null", "-128|127|null" },
	{ "UInt32", "Int64", "4294967295", "4294967295" },
	{ "UInt64", "UInt64", "18446744073709551615", "18446744073709551615" },
	{ "UInt64", "Int64", "5", NULL },
	{ "Int8", "UInt64", "5", NULL },
	{ "Int64", "Int32", "5", NULL },
	{ "Int32", "Float64", "-2147483648|5", "-2147483648|5" },
	{ "Int64", "Float64", "5", NULL },
	{ "Int16", "Float32", "-32768", "-32768" },
	{ "Int32", "Float32", "5", NULL },
	{ "Int64", "Decimal(21, 2)", "-9223372036854775808|9223372036854775807",
	  "-9223372036854775808|9223372036854775807" },
	{ "UInt64", "Decimal(38, 18)", "18446744073709551615", "18446744073709551615" },
	{ "Int64", "Decimal(18, 2)", "5", NULL },
	{ "Int8", "Decimal(5, 2)", "-128", "-128" },
	{ "Int64", "String", "-5", "\"-5\"" },
	{ "Float32", "Float64", "23.8|0.1|null", "23.8|0.1|null" },
	{ "Float64", "Float32", "0.5", NULL },
	{ "Float64", "JSON", "0.1", "0.1" },
	{ "Float64", "String", "0.1", "\"0.1\"" },
	{ "Decimal(4, 2)", "Decimal(30, 10)", "-12.34|0.01", "-12.34|0.01" },
	{ "Decimal(4, 2)", "Decimal(4, 3)", "1.5", NULL },
	{ "Decimal(30, 2)", "Decimal(18, 2)", "1.5", NULL },
	{ "Bool", "String", "true|false", "\"true\"|\"false\"" },
	{ "Bool", "JSON", "true", "true" },
	{ "Bool", "Int8", "true", NULL },
	{ "UUID", "String", "\"44bffbf3-5530-4378-94f3-0c85dc719159\"",
	  "\"44bffbf3-5530-4378-94f3-0c85dc719159\"" },
	{ "String", "UUID", "\"44bffbf3-5530-4378-94f3-0c85dc719159\"", NULL },
	{ "Date", "String", "\"2024-02-29\"", "\"2024-02-29\"" },
	{ "DateTime", "DateTime64(3)", "\"2024-02-29T01:02:03Z\"|\"9999-12-31T00:00:00Z\"",
	  "\"2024-02-29T01:02:03.000Z\"|\"9999-12-31T00:00:00.000Z\"" },
	{ "DateTime", "DateTime64(9)", "\"2024-02-29T01:02:03Z\"", NULL },
	{ "DateTime64(3)", "DateTime64(6)", "\"1969-12-31T23:59:59.999Z\"",
	  "\"1969-12-31T23:59:59.999000Z\"" },
	{ "DateTime64(6)", "DateTime64(3)", "\"1969-12-31T23:59:59.999Z\"", NULL },
	{ "DateTime64(3)", "String", "\"1969-12-31T23:59:59.999Z\"",
	  "\"1969-12-31T23:59:59.999Z\"" },
	{ "DateTime64(3)", "JSON", "\"1969-12-31T23:59:59.999Z\"", "\"1969-12-31T23:59:59.999Z\"" },
	{ "Enum('a' = 1)", "Enum('a' = 1, 'b' = 2)", "\"a\"|null", "\"a\"|null" },
	{ "Enum('a' = 1)", "Enum16('b' = -300, 'a' = 1)", "\"a\"", "\"a\"" },
	{ "Enum('a' = 1, 'b' = 2)", "Enum('a' = 1)", "\"a\"", NULL },
	{ "Enum('a' = 1)", "Enum('a' = 2)", "\"a\"", NULL },
	{ "Enum('a' = 1)", "Enum('A' = 1)", "\"a\"", NULL },
	{ "Enum('a\"b' = 1)", "String", "\"a\\\"b\"", "\"a\\\"b\"" },
	{ "Enum('a\"b' = 1)", "JSON", "\"a\\\"b\"", "\"a\\\"b\"" },
	{ "FixedString(3)", "FixedString(5)", "\"ab\"|\"abc\"", "\"ab\"|\"abc\"" },
	{ "FixedString(3)", "String", "\"ab\"|\"\"", "\"ab\"|\"\"" },
	{ "FixedString(5)", "FixedString(3)", "\"ab\"", NULL },
	{ "String", "JSON", "\"a\\n\\\"\"|\"\"|null", "\"a\\n\\\"\"|\"\"|null" },
	{ "JSON", "String", "\"a\"", NULL },
	{ "IPv4", "String", "\"127.0.0.1\"", "\"127.0.0.1\"" },
	{ "IPv6", "String", "\"::1\"", "\"::1\"" },
	{ "Array(Int8)", "Array(Int64)", "[1,-2]|[]|null|[3]", "[1,-2]|[]|null|[3]" },
	{ "Array(Int8)", "Array(Nullable(String))", "[1]|[2,3]", "[\"1\"]|[\"2\",\"3\"]" },
	{ "Array(Nullable(Int8))", "Array(Int64)", "[1]", NULL },
	{ "Array(Array(Int8))", "Array(Array(Int16))", "[[1],[],[2,3]]", "[[1],[],[2,3]]" },
	{ "Array(String)", "JSON", "[\"a\",\"b\"]", "[\"a\",\"b\"]" },
	{ "Array(String)", "String", "[\"a\"]", NULL },
	{ "Map(String, Int8)", "Map(String, Int32)", "{\"a\":1,\"b\":2}|{}",
	  "{\"a\":1,\"b\":2}|{}" },
	{ "Map(String, String)", "JSON", "{\"a\":\"1\"}", "{\"a\":\"1\"}" },
	{ "Map(String, String)", "Map(String, Int8)", "{\"a\":\"1\"}", NULL },
};

/* A table with the column v of a type; the values read into it. */
static struct evs_table *read_values(const char *type, const char *values, struct evs_array cols[4])
{
	struct evs_json_reader *r = NULL;
	struct evs_table *t = NULL;
	char text[300];
	const char *p, *end, *reason = "";

	snprintf(text, sizeof(text), "CREATE TABLE t (v Nullable(%s), ts DateTime NULL)", type);
	memset(cols, 0, 4 * sizeof(*cols));
	if (evs_table_parse(&t, text, strlen(text), &diag) < 0) {
		printf("        %s\n", diag.what);
		return NULL;
	}
	for (unsigned i = 0; i < t->ncols; i++)
		evs_type_array(&t->cols[i].type, &cols[i]);
	evs_json_reader_new(&r, t);
	for (p = values;; p = end + 1) {
		end = p + strcspn(p, "|");
		snprintf(text, sizeof(text), "{\"v\":%.*s}", (int)(end - p), p);
		if (evs_json_read_row(r, text, strlen(text), cols, &reason) != EVS_ROW_OK)
			printf("        %s: %s\n", text, reason);
		if (!*end)
			break;
	}
	evs_json_reader_free(r);
	return t;
}

static void print_values(const struct evs_type *t, const struct evs_array *a, struct evs_buf *out)
{
	for (uint32_t i = 0; i < a->rows; i++) {
		if (i)
			evs_buf_put_u8(out, '|');
		evs_json_put_value(out, t, a, i);
	}
	evs_buf_put_u8(out, 0);
}

static void check_case(size_t i)
{
	struct evs_array cols[4], out = { 0 };
	struct evs_type to = { 0 };
	struct evs_buf text = { 0 };
	struct evs_table *t = read_values(cases[i].from, cases[i].values, cols);
	char name[100];
	int rc;

	snprintf(name, sizeof(name), "%s to %s", cases[i].from, cases[i].to);
	if (!t || evs_type_parse(&to, NULL, cases[i].to, strlen(cases[i].to), 1, 1, &diag) < 0 ||
	    evs_type_array(&to, &out) < 0) {
		t_check(name, false);
		evs_table_free(t);
		return;
	}
	memset(&diag, 0, sizeof(diag));
	rc = evs_convert(&t->cols[0].type, &cols[0], &to, &out, &diag);
	if (cases[i].printed) {
		t_check(name, rc == 0 && out.rows == cols[0].rows && out.nulls == cols[0].nulls);
		print_values(&to, &out, &text);
		t_eq_str(name, (char *)text.p, cases[i].printed);
	} else {
		t_check(name, rc == EVS_E_SCHEMA && diag.what[0]);
	}
	evs_buf_release(&text);
	evs_array_release(&out);
	evs_type_release(&to);
	for (unsigned k = 0; k < t->ncols; k++)
		evs_array_release(&cols[k]);
	evs_table_free(t);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_case(i);
	return t_done();
}
