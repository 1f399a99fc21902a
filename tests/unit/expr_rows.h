/*
 * What the tests of expressions share: a table with a column of every type, three rows, and a way
 * to write an expression and what it gives in each row. Row 0 is ordinary, row 1 has the edges,
 * row 2 is NULL or empty.
 */
#ifndef EVS_TESTS_EXPR_ROWS_H
#define EVS_TESTS_EXPR_ROWS_H

#include "tests/unit/t.h"

#include "format/array.h"
#include "src/expr/expr.h"
#include "src/json/json.h"
#include "src/schema/schema.h"

#include <stdlib.h>

static const char expr_ddl[] =
	"CREATE TABLE demo (\n"
	"  b Nullable(Bool), i8 Nullable(Int8), i32 Nullable(Int32), i64 Nullable(Int64),\n"
	"  u8 Nullable(UInt8), u32 Nullable(UInt32), u64 Nullable(UInt64),\n"
	"  f32 Nullable(Float32), f64 Nullable(Float64), d Nullable(Decimal(10, 2)),\n"
	"  dd Nullable(Decimal(30, 4)), s Nullable(String), fs Nullable(FixedString(4)),\n"
	"  id Nullable(UUID), day Nullable(Date), ts Nullable(DateTime), ts3 Nullable(DateTime64(3)),\n"
	"  ts9 Nullable(DateTime64(9)), status Nullable(Enum8('QUEUED' = 1, 'FAILED' = 2, 'DONE' = 30)),\n"
	"  tags Array(String), nums Array(Int32), attrs Map(String, String), payload Nullable(JSON),\n"
	"  ip Nullable(IPv4), ip6 Nullable(IPv6), timestamp Nullable(DateTime), `order` Nullable(Int32),\n"
	"  n Int32\n"
	") ENGINE = MergeTree ORDER BY n";

static const char *const expr_lines[] = {
	"{\"b\":true,\"i8\":5,\"i32\":7,\"i64\":100,\"u8\":200,\"u32\":4000000000,\"u64\":10,\"f32\":0.1,\"f64\":2.5,"
	"\"d\":12.34,\"dd\":1.5,\"s\":\"Hello\",\"fs\":\"ab\",\"id\":\"44bffbf3-5530-4378-94f3-0c85dc719159\","
	"\"day\":\"2024-02-29\",\"ts\":\"2024-02-29T13:45:59Z\",\"ts3\":\"2024-02-29T13:45:59.123Z\","
	"\"ts9\":\"2024-02-29T13:45:59.123456789Z\",\"status\":\"FAILED\",\"tags\":[\"a\",\"b\"],\"nums\":[3,1,2],"
	"\"attrs\":{\"k\":\"v\",\"x.y\":\"z\"},"
	"\"payload\":{\"user\":{\"id\":42,\"name\":\"\\u00e9va\"},\"list\":[10,\"x\",null],\"ok\":true,\"f\":1.5,"
	"\"big\":9007199254740993},\"ip\":\"10.0.0.1\",\"ip6\":\"::1\",\"timestamp\":\"2024-01-01T00:00:00Z\","
	"\"order\":3,\"n\":1}",
	"{\"b\":false,\"i8\":-128,\"i32\":-2147483648,\"i64\":-9223372036854775808,\"u8\":0,\"u32\":0,"
	"\"u64\":18446744073709551615,\"f32\":-1.5,\"f64\":-0.5,\"d\":-99999999.99,"
	"\"dd\":12345678901234567890.5000,\"s\":\"\",\"fs\":\"abcd\",\"id\":\"00000000-0000-0000-0000-000000000000\","
	"\"day\":\"1969-12-31\",\"ts\":\"1969-12-31T23:59:59Z\",\"ts3\":\"1969-12-31T23:59:59.999Z\","
	"\"ts9\":\"1969-12-31T23:59:59.999999999Z\",\"status\":\"DONE\",\"tags\":[],\"nums\":[],\"attrs\":{},"
	"\"payload\":[1,{\"a\":null}],\"ip\":\"255.255.255.255\",\"ip6\":\"2001:db8::ff\","
	"\"timestamp\":\"9999-12-31T23:59:59Z\",\"order\":-3,\"n\":0}",
	"{\"payload\":null,\"tags\":[],\"nums\":[],\"attrs\":{},\"n\":-7}",
};

#define EXPR_ROWS 3

static struct evs_table *expr_table;
static struct evs_array *expr_cols;
static struct evs_eval *expr_eval;

/* 2024-03-01T12:00:00.5Z */
#define EXPR_NOW ((int64_t)1709294400 * 1000000000 + 500000000)

static inline bool expr_setup(void)
{
	struct evs_json_reader *r = NULL;
	struct evs_diag d;
	bool ok = false;

	if (evs_table_parse(&expr_table, expr_ddl, strlen(expr_ddl), &d) < 0) {
		printf("the test table: %s (%u:%u %s)\n", d.what, d.line, d.col, d.word);
		return false;
	}
	expr_cols = calloc(expr_table->ncols, sizeof(*expr_cols));
	if (!expr_cols || evs_json_reader_new(&r, expr_table) < 0 || evs_eval_new(&expr_eval) < 0)
		goto out;
	evs_eval_set_now(expr_eval, EXPR_NOW);
	for (uint16_t i = 0; i < expr_table->ncols; i++)
		if (evs_type_array(&expr_table->cols[i].type, &expr_cols[i]) < 0)
			goto out;
	ok = true;
	for (size_t i = 0; ok && i < EXPR_ROWS; i++) {
		const char *why = "";

		ok = evs_json_read_row(r, expr_lines[i], strlen(expr_lines[i]), expr_cols, &why) ==
		     EVS_ROW_OK;
		if (!ok)
			printf("row %zu of the test table: %s\n", i, why);
	}
out:
	evs_json_reader_free(r);
	return ok;
}

static inline void expr_teardown(void)
{
	for (uint16_t i = 0; expr_cols && i < expr_table->ncols; i++)
		evs_array_release(&expr_cols[i]);
	free(expr_cols);
	evs_eval_free(expr_eval);
	evs_table_free(expr_table);
}

/* The result of every row as JSON, "a | b | c", or "error: ..." into out. */
static inline void expr_run(const char *text, char *out, size_t cap)
{
	struct evs_expr *e = NULL;
	struct evs_array a = { 0 };
	struct evs_buf buf = { 0 };
	struct evs_diag d = { 0 };
	int rc = evs_expr_parse(&e, text, strlen(text), 1, 1, &d);

	if (rc == 0)
		rc = evs_expr_bind(e, expr_table, &d);
	if (rc == 0)
		rc = evs_eval_run(expr_eval, e, expr_cols, EXPR_ROWS, &a, &d);
	if (rc == 0) {
		bool nullable;
		const struct evs_type *t = evs_expr_type(e, &nullable);

		for (uint32_t i = 0; i < a.rows; i++) {
			if (i)
				evs_buf_put(&buf, " | ", 3);
			evs_json_put_value(&buf, t, &a, i);
			if (evs_array_is_null(&a, i) && !nullable)
				evs_buf_put(&buf, " (not nullable!)", 16);
		}
		if (a.rows != EXPR_ROWS)
			evs_buf_put(&buf, " (rows!)", 8);
		snprintf(out, cap, "%.*s", (int)buf.len, (const char *)buf.p);
	} else {
		snprintf(out, cap, "error %d at %u:%u [%s] %s", -rc, d.line, d.col, d.word, d.what);
		if (rc == EVS_E_DATA)
			snprintf(out, cap, "row %d: %s", (int)d.off, d.what);
	}
	evs_buf_release(&buf);
	evs_array_release(&a);
	evs_expr_free(e);
}

struct expr_case {
	const char *text, *want;
};

static inline void expr_cases(const struct expr_case *c, size_t n)
{
	static char got[8192];

	for (size_t i = 0; i < n; i++) {
		expr_run(c[i].text, got, sizeof(got));
		t_eq_str(c[i].text, got, c[i].want);
	}
}

#endif
