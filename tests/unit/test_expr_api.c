/*
 * What the other rooms ask of expressions: places in a file, DEFAULT's conversion, TTL's form,
 * columns used, caps, and many rows at once, checked against plain loops.
 */
#include "tests/unit/expr_rows.h"

#include <locale.h>

static struct evs_expr *bound(const char *text, struct evs_diag *d)
{
	struct evs_expr *e = NULL;

	if (evs_expr_parse(&e, text, strlen(text), 1, 1, d) < 0)
		return NULL;
	if (evs_expr_bind(e, expr_table, d) < 0) {
		evs_expr_free(e);
		return NULL;
	}
	return e;
}

static const struct evs_column *column(const char *name)
{
	return &expr_table->cols[evs_table_find(expr_table, name, strlen(name))];
}

static void test_places(void)
{
	static const struct {
		const char *text;
		uint32_t line, col;
		const char *word;
	} cases[] = {
		{ "nope", 10, 5, "nope" },
		{ "n = 1 AND\n  nope = 2", 11, 3, "nope" },
		{ "n = 1\n\n+", 12, 2, "" },
		{ "'é' = nope", 10, 11, "nope" },
		{ "n /* a\nb */ = -- c\n 'x'", 12, 2, "'x'" },
		{ "'a\nb' || nope", 11, 7, "nope" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct evs_expr *e = NULL;
		struct evs_diag d = { 0 };
		int rc = evs_expr_parse(&e, cases[i].text, strlen(cases[i].text), 10, 5, &d);

		if (rc == 0)
			rc = evs_expr_bind(e, expr_table, &d);
		T_CHECK(rc == EVS_E_QUERY);
		t_eq_u64("line", d.line, cases[i].line);
		t_eq_u64("col", d.col, cases[i].col);
		t_eq_str("word", d.word, cases[i].word);
		evs_expr_free(e);
	}
}

/* DEFAULT: the text, the column, and the value as JSON or what is said. */
static void test_bind_to(void)
{
	static const struct {
		const char *text, *column, *want;
		bool nullable;
	} cases[] = {
		{ "'FAILED'", "status", "\"FAILED\"", false },
		{ "'FALED'", "status", "'FALED' is no value of this enum; did you mean `FAILED`?",
		  false },
		{ "now()", "ts3", "\"2024-03-01T12:00:00.500Z\"", false },
		{ "now()", "ts", "\"2024-03-01T12:00:00Z\"", false },
		{ "now()", "day", "\"2024-03-01\"", false },
		{ "NOW() + INTERVAL '1 day'", "day", "\"2024-03-02\"", false },
		{ "CURRENT_DATE", "ts", "\"2024-03-01T00:00:00Z\"", false },
		{ "'{}'", "payload", "{}", false },
		{ "'{}'::jsonb", "payload", "{}", false },
		{ "'{'", "payload", "this text is not valid JSON", false },
		{ "'{}'", "tags", "[]", false },
		{ "[]", "tags", "[]", false },
		{ "[]", "nums", "[]", false },
		{ "ARRAY[]::text[]", "tags", "[]", false },
		{ "map()", "attrs", "{}", false },
		{ "'{}'", "attrs", "{}", false },
		{ "0", "d", "0", false },
		{ "0.129", "d", "0.13", false },
		{ "1", "b", "true", false },
		{ "false", "b", "false", false },
		{ "1.5", "n", "the value does not fit the type", false },
		{ "2.0", "n", "2", false },
		{ "300", "u8", "the value does not fit the type", false },
		{ "-1", "u64", "the value does not fit the type", false },
		{ "''", "s", "\"\"", false },
		{ "5", "s", "\"5\"", false },
		{ "'abcde'", "fs", "this text is longer than the type", false },
		{ "NULL", "s", "null", true },
		{ "NULL", "n", "NULL is no value of a NOT NULL Int32", false },
		{ "'00000000-0000-0000-0000-000000000001'", "id",
		  "\"00000000-0000-0000-0000-000000000001\"", false },
		{ "'2024-01-01'", "ts9", "\"2024-01-01T00:00:00.000000000Z\"", false },
		{ "n + 1", "i32", "2", false },
		{ "tags", "n", "Array(String) cannot be converted to Int32", false },
		{ "INTERVAL 1 DAY", "day", "Float64 cannot be converted to Date", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct evs_type *t = &column(cases[i].column)->type;
		struct evs_expr *e = NULL;
		struct evs_array a = { 0 };
		struct evs_buf buf = { 0 };
		struct evs_diag d = { 0 };
		int rc = evs_expr_parse(&e, cases[i].text, strlen(cases[i].text), 1, 1, &d);

		if (rc == 0)
			rc = evs_expr_bind_to(e, expr_table, t, cases[i].nullable, &d);
		if (rc == 0)
			rc = evs_eval_run(expr_eval, e, expr_cols, 1, &a, &d);
		if (rc == 0) {
			T_CHECK(evs_type_equal(evs_expr_type(e, NULL), t));
			evs_json_put_value(&buf, t, &a, 0);
			evs_buf_put_u8(&buf, 0);
		}
		t_eq_str(cases[i].text, rc == 0 ? (const char *)buf.p : d.what, cases[i].want);
		evs_buf_release(&buf);
		evs_array_release(&a);
		evs_expr_free(e);
	}
}

static void test_shift(void)
{
	static const struct {
		const char *text;
		bool is;
		int64_t seconds;
		int32_t months;
	} cases[] = {
		{ "ts + INTERVAL 90 DAY", true, 90 * 86400, 0 },
		{ "toDateTime(ts3) + INTERVAL 1 HOUR", true, 3600, 0 },
		{ "toDate(ts) + toDate(ts)", false, 0, 0 },
		{ "INTERVAL 2 MONTH + ts9", true, 0, 2 },
		{ "day + INTERVAL '1 year 1 day'", true, 86400, 12 },
		{ "ts - INTERVAL 1 WEEK", true, -604800, 0 },
		{ "toDate(ts + INTERVAL 1 DAY)", true, 86400, 0 },
		{ "ts", false, 0, 0 },
		{ "ts3 + INTERVAL 1 MILLISECOND", false, 0, 0 },
		{ "now() + INTERVAL 1 DAY", false, 0, 0 },
		{ "n + 1", false, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct evs_diag d = { 0 };
		struct evs_expr *e = bound(cases[i].text, &d);
		int64_t seconds = 0;
		int32_t months = 0;
		int ordinal = -1;
		bool is = e && evs_expr_shift(e, &ordinal, &seconds, &months);

		t_check(cases[i].text, is == cases[i].is && seconds == cases[i].seconds &&
					       months == cases[i].months);
		evs_expr_free(e);
	}
}

static void test_columns(void)
{
	struct evs_diag d = { 0 };
	struct evs_expr *e = bound("n + i32 > n", &d);
	uint16_t n = (uint16_t)evs_table_find(expr_table, "n", 1),
		 s = (uint16_t)evs_table_find(expr_table, "s", 1);

	T_CHECK(e && evs_expr_uses(e, n) && !evs_expr_uses(e, s));
	T_CHECK(e && evs_expr_column(e) == -1);
	T_CHECK(e && evs_expr_constant(e) == NULL);
	evs_expr_free(e);
	e = bound("(n)", &d);
	T_CHECK(e && evs_expr_column(e) == n);
	evs_expr_free(e);
	e = bound("1 + 1", &d);
	T_CHECK(e && evs_expr_constant(e) && evs_array_int(evs_expr_constant(e), 0) == 2);
	evs_expr_free(e);
	e = bound("now()", &d);
	T_CHECK(e && evs_expr_constant(e) == NULL);
	evs_expr_free(e);

	e = NULL;
	T_CHECK(evs_expr_parse(&e, "1", 1, 1, 1, &d) == 0 && evs_expr_bind(e, NULL, &d) == 0);
	evs_expr_free(e);
	e = NULL;
	T_CHECK(evs_expr_parse(&e, "n", 1, 1, 1, &d) == 0 &&
		evs_expr_bind(e, NULL, &d) == EVS_E_QUERY);
	t_eq_str("constants only", d.what, "columns cannot be used here: write a constant");
	T_CHECK(evs_expr_bind(e, expr_table, &d) == 0 &&
		evs_expr_column(e) == n); /* and again, with a table */
	evs_expr_free(e);
	evs_expr_free(NULL);
	evs_eval_free(NULL);
}

/* `unit` n times between `head` and `tail`, parsed and bound. */
static int repeat(const char *head, const char *unit, size_t n, const char *tail,
		  struct evs_diag *d)
{
	struct evs_buf b = { 0 };
	struct evs_expr *e = NULL;
	int rc;

	evs_buf_put(&b, head, strlen(head));
	for (size_t i = 0; i < n; i++)
		evs_buf_put(&b, unit, strlen(unit));
	evs_buf_put(&b, tail, strlen(tail));
	rc = evs_expr_parse(&e, (const char *)b.p, b.len, 1, 1, d);
	if (rc == 0)
		rc = evs_expr_bind(e, expr_table, d);
	evs_expr_free(e);
	evs_buf_release(&b);
	return rc;
}

static void test_caps(void)
{
	struct evs_diag d;

	T_CHECK(repeat("", "(", 150, "1", &d) == EVS_E_QUERY);
	T_CHECK(repeat("", "(", 100000, "1", &d) == EVS_E_QUERY &&
		strstr(d.what, "nested too deeply"));
	T_CHECK(repeat("", "- ", 100000, "n", &d) == EVS_E_QUERY &&
		strstr(d.what, "nested too deeply"));
	T_CHECK(repeat("", "NOT ", 100000, "b", &d) == EVS_E_QUERY);
	T_CHECK(repeat("1", "+n", 150, "", &d) == 0);
	T_CHECK(repeat("1", "+n", 300, "", &d) == EVS_E_QUERY &&
		strstr(d.what, "nested too deeply"));
	T_CHECK(repeat("1", "::Int32", 300, "", &d) == EVS_E_QUERY);
	T_CHECK(repeat("tags", "[1]", 300, "", &d) == EVS_E_QUERY);
	T_CHECK(repeat("payload", ".a", 150, "", &d) == 0);
	T_CHECK(repeat("payload", ".a", 20000, "", &d) == EVS_E_QUERY &&
		strstr(d.what, "nested too deeply"));
	T_CHECK(repeat("payload", "->'a'", 20000, "", &d) == EVS_E_QUERY);
	T_CHECK(repeat("n = 0", " OR n = 1", 20000, "", &d) == 0); /* chains are no depth */
	T_CHECK(repeat("s", "||s", 20000, "", &d) == 0);
	T_CHECK(repeat("n IN (0", ",1", 50000, ")", &d) == 0);
	T_CHECK(repeat("n IN (0", ",1", 200000, ")", &d) == EVS_E_QUERY &&
		strstr(d.what, "too large"));
	T_CHECK(repeat("s IN ('a'", ",'bcdef'", 50000, ")", &d) == 0);
	T_CHECK(repeat("'", "x", 1 << 20, "'", &d) == EVS_E_QUERY && strstr(d.what, "1 MiB"));
	T_CHECK(repeat("'", "x", (1 << 20) - 2, "'", &d) == 0);
	T_CHECK(repeat("CASE", " WHEN b THEN 1", 20000, " END", &d) == 0);
	T_CHECK(repeat("s ~ '", "(", 900, "'", &d) == EVS_E_QUERY);
	T_CHECK(repeat("s ~ '", "x", 1001, "'", &d) == EVS_E_QUERY);
	T_CHECK(repeat("s ~ '", "[\302\200-\357\277\277]", 85, "'", &d) == 0);
	T_CHECK(repeat("s ~ '", "[\302\200-\357\277\277]", 86, "'", &d) == EVS_E_QUERY &&
		strstr(d.what, "ranges of characters"));
	setlocale(LC_ALL, "C.UTF-8"); /* a program's locale is none of a pattern's */
	T_CHECK(repeat("s ~ '^", "[a-\303\251]", 2, "[^b]'", &d) == 0);
	setlocale(LC_ALL, "C");
	T_CHECK(repeat("", "", 0, "", &d) == EVS_E_QUERY);
	T_CHECK(repeat("n = 1\xff", "", 0, "", &d) == EVS_E_QUERY);
}

#define MANY 10007 /* some chunks and an odd rest */

static uint64_t rng_state = 88172645463325252u;

static uint64_t rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

/* Columns n, i32 and s of many random rows; the others stay empty and are not used. */
static bool many_rows(struct evs_array *cols)
{
	int n = evs_table_find(expr_table, "n", 1), i32 = evs_table_find(expr_table, "i32", 3);
	int s = evs_table_find(expr_table, "s", 1);
	bool ok = true;

	for (uint16_t c = 0; c < expr_table->ncols; c++)
		ok = ok && evs_type_array(&expr_table->cols[c].type, &cols[c]) == 0;
	for (uint32_t i = 0; ok && i < MANY; i++) {
		char text[8];
		int len = snprintf(text, sizeof(text), "k%u", (unsigned)(rng() % 50));

		ok = evs_array_append_int(&cols[n], rng() % 7 - 3) == 0;
		ok = ok && (rng() % 5 ? evs_array_append_int(&cols[i32], rng() % 100 - 50)
				      : evs_array_append_null(&cols[i32])) == 0;
		ok = ok && (rng() % 9 ? evs_array_append_bytes(&cols[s], text, (size_t)len)
				      : evs_array_append_null(&cols[s])) == 0;
	}
	return ok;
}

enum tri { F, T, N };

/* i32 + n > 3 AND s < 'k3' OR i32 IS NULL, one row, by hand */
static enum tri expect_row(const struct evs_array *n, const struct evs_array *i32,
			   const struct evs_array *s, uint32_t i)
{
	enum tri left, right;
	size_t len;
	const uint8_t *text = evs_array_bytes(s, i, &len);

	if (evs_array_is_null(i32, i))
		return T;
	left = (int64_t)evs_array_int(i32, i) + (int64_t)evs_array_int(n, i) > 3 ? T : F;
	if (evs_array_is_null(s, i))
		right = N;
	else
		right = memcmp(text, "k3", 2) < 0 ? T : F;
	return left == F || right == F ? F : right;
}

static void check_many(const struct evs_array *cols, const struct evs_array *got)
{
	const struct evs_array *n = &cols[evs_table_find(expr_table, "n", 1)];
	const struct evs_array *i32 = &cols[evs_table_find(expr_table, "i32", 3)];
	const struct evs_array *s = &cols[evs_table_find(expr_table, "s", 1)];
	uint32_t wrong = 0, nulls = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		bool null = evs_array_is_null(got, i);
		enum tri have = null ? N : got->data[i] ? T : F;

		wrong += have != expect_row(n, i32, s, i);
		wrong += null && got->data[i] != 0; /* slots of nulls are zero */
		nulls += null;
	}
	t_eq_u64("rows", got->rows, MANY);
	t_eq_u64("wrong rows", wrong, 0);
	t_eq_u64("nulls", got->nulls, nulls);
	T_CHECK(nulls > 0);
}

static void test_many(void)
{
	struct evs_array *cols = calloc(expr_table->ncols, sizeof(*cols)), out = { 0 };
	struct evs_diag d = { 0 };
	struct evs_expr *e = bound("i32 + n > 3 AND s < 'k3' OR i32 IS NULL", &d);

	T_CHECK(cols && e && many_rows(cols));
	T_CHECK(evs_eval_run(expr_eval, e, cols, MANY, &out, &d) == 0);
	check_many(cols, &out);
	evs_array_release(&out);
	T_CHECK(evs_eval_run(expr_eval, e, cols, 0, &out, &d) == 0 && out.rows == 0);
	evs_array_release(&out);
	evs_expr_free(e);

	/* text results across chunks, and the row of a failure far in */
	e = bound("concat(s, '-', toString(i32))", &d);
	T_CHECK(e && evs_eval_run(expr_eval, e, cols, MANY, &out, &d) == 0 && out.rows == MANY);
	evs_array_release(&out);
	evs_expr_free(e);
	e = bound("if(s = 'k49' AND i32 = 7, 1 / (n - n), 0)", &d);
	T_CHECK(e && evs_eval_run(expr_eval, e, cols, MANY, &out, &d) == EVS_E_DATA);
	T_CHECK(d.has_off && d.off < MANY &&
		!evs_array_is_null(&cols[evs_table_find(expr_table, "i32", 3)], (uint32_t)d.off));
	T_CHECK(evs_array_int(&cols[evs_table_find(expr_table, "i32", 3)], (uint32_t)d.off) == 7);
	t_eq_str("why", d.what, "division by zero: nullIf(x, 0) gives NULL instead");
	t_eq_str("where", d.word, "/");
	evs_expr_free(e);
	for (uint16_t c = 0; cols && c < expr_table->ncols; c++)
		evs_array_release(&cols[c]);
	free(cols);
}

int main(void)
{
	if (!expr_setup()) {
		t_check("setup", false);
		return t_done();
	}
	test_places();
	test_bind_to();
	test_shift();
	test_columns();
	test_caps();
	test_many();
	expr_teardown();
	return t_done();
}
