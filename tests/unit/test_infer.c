/* Inference of a schema from rows (src/schema/infer*.c). */
#include "tests/unit/t.h"

#include "src/json/json.h"
#include "src/schema/schema.h"

#include <stdlib.h>

static struct evs_diag diag;
static char told[8192];

static void why(void *arg, uint32_t line, const char *text)
{
	size_t n = strlen(told);

	(void)arg;
	(void)line;
	snprintf(told + n, sizeof(told) - n, "%s\n", text);
}

static struct evs_infer *start(const char *time, const char *tenant, const char *key)
{
	const char *keys[1] = { key };
	struct evs_infer_opts o = {
		.stream = "s", .time = time, .tenant = tenant, .keys = keys, .nkeys = key ? 1 : 0
	};
	struct evs_infer *f = NULL;

	T_CHECK(evs_infer_new(&f, &o, &diag) == 0);
	return f;
}

static void feed(struct evs_infer *f, const char *line)
{
	size_t n = strlen(line);
	char *exact = malloc(n ? n : 1);

	memcpy(exact, line, n);
	T_CHECK(evs_infer_line(f, exact, n) == 0);
	free(exact);
}

/* The table that the DDL now says; NULL after an error. */
static struct evs_table *infer(struct evs_infer *f)
{
	struct evs_table *t = NULL;
	char *text = NULL;
	size_t len;

	told[0] = '\0';
	memset(&diag, 0, sizeof(diag));
	if (evs_infer_ddl(f, &text, &len, why, NULL, &diag) < 0)
		return NULL;
	if (evs_table_parse(&t, text, len, &diag) < 0) {
		t_check("inferred DDL parses", false);
		printf("        %u:%u %s\n%s\n", diag.line, diag.col, diag.what, text);
	}
	free(text);
	return t;
}

static void check_type(const char *name, const struct evs_table *t, const char *col,
		       const char *want)
{
	int i = evs_table_find(t, col, strlen(col));
	char buf[100] = "(no column)";

	if (i >= 0)
		evs_type_print(&t->cols[i].type, t->cols[i].nullable, buf, sizeof(buf));
	t_eq_str(name, buf, want);
}

/*
 * Type of field v after values separated by '|'; every value must then be taken and printed back
 * the same.
 */
static const struct {
	const char *values, *type;
} lattice[] = {
	{ "true|false|null", "Nullable(Bool)" },
	{ "1|-5|9007199254740993", "Nullable(Int64)" },
	{ "9223372036854775807|-9223372036854775808", "Nullable(Int64)" },
	{ "18446744073709551615|5", "Nullable(UInt64)" },
	{ "18446744073709551615|-5", "Nullable(JSON)" },
	{ "18446744073709551616", "Nullable(JSON)" },
	{ "1.5|2|-0", "Nullable(Float64)" },
	{ "1.5|9007199254740993", "Nullable(JSON)" },
	{ "1e5|1.0", "Nullable(Float64)" },
	{ "0.1|0.30000000000000004|5e-324|1.7976931348623157e308", "Nullable(Float64)" },
	{ "1e400", "Nullable(JSON)" },
	{ "1e-400", "Nullable(JSON)" },
	{ "0.12345678901234567890", "Nullable(JSON)" },
	{ "-0", "Nullable(Float64)" },
	{ "\"a\"|\"\"", "Nullable(String)" },
	{ "\"\\u0000\"|\"\\ud83d\\ude00\"", "Nullable(String)" },
	{ "\"\\ud83d\"", "Nullable(JSON)" },
	{ "\"\\ude00\\ud83d\"", "Nullable(JSON)" },
	{ "\"x\\\\ud83d\"", "Nullable(String)" },
	{ "\"a\"|1", "Nullable(JSON)" },
	{ "true|\"true\"", "Nullable(JSON)" },
	{ "true|1", "Nullable(JSON)" },
	{ "{\"a\":1}", "Nullable(JSON)" },
	{ "\"44bffbf3-5530-4378-94f3-0c85dc719159\"", "Nullable(UUID)" },
	{ "\"44BFFBF3-5530-4378-94f3-0c85dc719159\"", "Nullable(String)" },
	{ "\"44bffbf3-5530-4378-94f3-0c85dc719159\"|\"x\"", "Nullable(String)" },
	{ "\"2024-12-16T00:00:33.253Z\"|\"2024-12-16T00:00:33.000Z\"", "Nullable(DateTime64(3))" },
	{ "\"2024-12-16T00:00:33Z\"", "Nullable(DateTime)" },
	{ "\"2024-12-16T00:00:33.253Z\"|\"2024-12-16T00:00:33Z\"", "Nullable(String)" },
	{ "\"2024-12-16T00:00:33.253+00:00\"", "Nullable(String)" },
	{ "\"2024-12-16 00:00:33.253\"", "Nullable(String)" },
	{ "\"2300-12-16T00:00:33.123456789Z\"", "Nullable(String)" },
	{ "\"2024-12-16\"", "Nullable(Date)" },
	{ "\"2024-12-16\"|\"2024-12-16T00:00:33Z\"", "Nullable(String)" },
	{ "[\"a\",\"b,]\"]|[ ]", "Nullable(Array(String))" },
	{ "[1, 2]|[3]", "Nullable(Array(Int64))" },
	{ "[1, 2]|[3.5]", "Nullable(Array(Float64))" },
	{ "[true]", "Nullable(Array(Bool))" },
	{ "[]", "Nullable(JSON)" },
	{ "[1,null]", "Nullable(JSON)" },
	{ "[[1]]", "Nullable(JSON)" },
	{ "[1,\"a\"]", "Nullable(JSON)" },
	{ "[1]|1", "Nullable(JSON)" },
	{ "[\"\\ud800\"]", "Nullable(JSON)" },
	{ "null", "Nullable(JSON)" },
};

/* Each value of the list as a row {"v": value}. */
static void each_value(const char *values, void (*fn)(void *arg, const char *line), void *arg)
{
	const char *p = values, *end;
	char line[200];

	for (;; p = end + 1) {
		end = p + strcspn(p, "|");
		snprintf(line, sizeof(line), "{\"v\": %.*s }", (int)(end - p), p);
		fn(arg, line);
		if (!*end)
			return;
	}
}

static void feed_fn(void *arg, const char *line)
{
	feed(arg, line);
}

struct taker {
	struct evs_json_reader *r;
	struct evs_array *cols;
	unsigned taken, refused;
};

static void take_fn(void *arg, const char *line)
{
	struct taker *k = arg;
	const char *reason;

	if (evs_json_read_row(k->r, line, strlen(line), k->cols, &reason) == EVS_ROW_OK)
		k->taken++;
	else
		k->refused++;
}

static void check_taken(const char *values, const struct evs_table *t)
{
	struct taker k = { 0 };

	k.cols = calloc(t->ncols, sizeof(*k.cols));
	for (unsigned i = 0; i < t->ncols; i++)
		T_CHECK(evs_type_array(&t->cols[i].type, &k.cols[i]) == 0);
	T_CHECK(evs_json_reader_new(&k.r, t) == 0);
	each_value(values, take_fn, &k);
	t_check(values, k.taken > 0 && k.refused == 0);
	evs_json_reader_free(k.r);
	for (unsigned i = 0; i < t->ncols; i++)
		evs_array_release(&k.cols[i]);
	free(k.cols);
}

static void test_lattice(void)
{
	for (size_t i = 0; i < sizeof(lattice) / sizeof(lattice[0]); i++) {
		struct evs_infer *f = start(NULL, NULL, NULL);
		struct evs_table *t;

		each_value(lattice[i].values, feed_fn, f);
		feed(f, "{}"); /* so that v is in no case the time */
		t = infer(f);
		if (t) {
			check_type(lattice[i].values, t, "v", lattice[i].type);
			check_taken(lattice[i].values, t);
		}
		evs_table_free(t);
		evs_infer_free(f);
	}
}

/*
 * ---- time and tenant ---------------------------------------------------------------------------
 */

static const struct {
	const char *row, *time, *tenant;
	enum evs_time_kind kind;
	const char *type;
} choices[] = {
	{ "{\"service\":\"conv\",\"TIMESTAMP\":\"2023-11-16 18:15:46.6805900\",\"n\":1}",
	  "TIMESTAMP", NULL, EVS_TIME_TEXT, "String" },
	{ "{\"id\":\"1\",\"created_at\":\"2021-07-21T06:00:00Z\"}", "created_at", NULL,
	  EVS_TIME_NATIVE, "DateTime" },
	{ "{\"TraceID\":\"x\",\"StartTimeUnixNano\":1674981768697000000,\"EndTimeUnixNano\":1674981768697000000}",
	  "StartTimeUnixNano", NULL, EVS_TIME_EPOCH_NS, "Int64" },
	{ "{\"time\":\"2015-09-11T00:46:58.771Z\",\"page\":\"x\"}", "time", NULL, EVS_TIME_NATIVE,
	  "DateTime64(3)" },
	{ "{\"_path\":\"x\",\"_write_ts\":\"1970-01-01T00:00:00.000000Z\"}", "_write_ts", NULL,
	  EVS_TIME_NATIVE, "DateTime64(6)" },
	{ "{\"task_id\":1,\"reward\":0.5}", "_time", NULL, EVS_TIME_ARRIVAL, "DateTime64(9)" },
	{ "{\"ts\":1734307233.253,\"tenant_id\":\"a\"}", "ts", "tenant_id", EVS_TIME_EPOCH_S,
	  "Float64" },
	{ "{\"ts\":1734307233253,\"org_id\":7}", "ts", "org_id", EVS_TIME_EPOCH_MS, "Int64" },
	{ "{\"eventTime\":1734307233253000,\"account_id\":7.5}", "eventTime", NULL,
	  EVS_TIME_EPOCH_US, "Int64" },
	{ "{\"time\":5,\"when\":\"2024-01-01T00:00:00Z\"}", "when", NULL, EVS_TIME_NATIVE,
	  "DateTime" },
	{ "{\"date\":\"2024-01-01\",\"ts\":\"2024-01-01T00:00:00Z\"}", "ts", NULL, EVS_TIME_NATIVE,
	  "DateTime" },
	{ "{\"date\":\"2024-01-01\",\"x\":1}", "date", NULL, EVS_TIME_NATIVE, "Date" },
	{ "{\"ts\":\"yesterday\",\"project_id\":\"a\",\"tenant\":\"b\"}", "_time", "tenant",
	  EVS_TIME_ARRIVAL, "DateTime64(9)" },
	{ "{\"tenant_id\":null,\"ts\":\"2024-01-01T00:00:00Z\"}", "ts", NULL, EVS_TIME_NATIVE,
	  "DateTime" },
};

static void test_choices(void)
{
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		struct evs_infer *f = start(NULL, NULL, NULL);
		struct evs_table *t;

		feed(f, choices[i].row);
		feed(f, choices[i].row);
		t = infer(f);
		if (!t) {
			t_check(choices[i].row, false);
		} else {
			t_eq_str(choices[i].row, t->cols[t->time_column].name, choices[i].time);
			t_eq_str(choices[i].row,
				 t->tenant_column < 0 ? "" : t->cols[t->tenant_column].name,
				 choices[i].tenant ? choices[i].tenant : "");
			t_check(choices[i].row,
				t->time_kind == choices[i].kind && t->unit == EVS_UNIT_WEEK);
			check_type(choices[i].row, t, choices[i].time, choices[i].type);
			t_check("sorted by time", t->nkey == 1 && t->key[0] == t->time_column);
		}
		evs_table_free(t);
		evs_infer_free(f);
	}
}

static void test_not_in_every_row(void)
{
	struct evs_infer *f = start(NULL, NULL, NULL);
	struct evs_table *t;

	feed(f, "{\"ts\":\"2024-01-01T00:00:00Z\",\"tenant_id\":\"a\"}");
	feed(f, "{\"x\":1}");
	t = infer(f);
	T_CHECK(t && t->time_kind == EVS_TIME_ARRIVAL && t->tenant_column == -1);
	T_CHECK(strstr(told, "time of arrival") && strstr(told, "tenant: none"));
	evs_table_free(t);
	evs_infer_free(f);

	/* One bad row of 200 does not cost the time. */
	f = start(NULL, NULL, NULL);
	for (int i = 0; i < 199; i++)
		feed(f, "{\"ts\":\"2024-01-01T00:00:00Z\"}");
	feed(f, "{\"ts\":12}");
	t = infer(f);
	T_CHECK(t && t->time_kind == EVS_TIME_NATIVE);
	T_CHECK(strstr(told, "1 of 200 rows so far have none in ts and will be rejected"));
	evs_table_free(t);
	evs_infer_free(f);
}

static void test_tenant_of_many(void)
{
	struct evs_infer *f = start(NULL, NULL, NULL);
	struct evs_table *t;
	char line[100];

	for (int i = 0; i < 2000; i++) {
		snprintf(line, sizeof(line), "{\"customer_id\":%d,\"account_id\":%d,\"n\":1}", i,
			 i % 300);
		feed(f, line);
	}
	t = infer(f);
	t_check("the one that repeats", t && t->tenant_column == 1);
	evs_table_free(t);
	evs_infer_free(f);
	f = start(NULL, NULL, NULL);
	for (int i = 0; i < 14000; i++) {
		snprintf(line, sizeof(line), "{\"tenant_id\":%d}", i % 6000);
		feed(f, line);
	}
	t = infer(f);
	t_check("more than 5,000 are none", t && t->tenant_column == -1);
	evs_table_free(t);
	evs_infer_free(f);
}

static void test_options(void)
{
	struct evs_infer *f = start("b", "c", "a");
	struct evs_table *t;

	feed(f,
	     "{\"a\":1,\"b\":\"2024-01-01 00:00:00\",\"c\":\"x\",\"ts\":\"2024-01-01T00:00:00Z\"}");
	t = infer(f);
	T_CHECK(t && t->time_column == 1 && t->tenant_column == 2 && t->nkey == 1 &&
		t->key[0] == 0);
	if (t) {
		check_type("key is never null", t, "a", "Int64");
		check_type("tenant is never null", t, "c", "String");
	}
	evs_table_free(t);
	evs_infer_free(f);

	f = start("nope", NULL, NULL);
	feed(f, "{\"a\":1}");
	T_CHECK(!infer(f) && diag.err == EVS_E_SCHEMA && strstr(diag.what, "--time nope"));
	evs_infer_free(f);
	f = start("a", NULL, NULL);
	feed(f, "{\"a\":1}");
	T_CHECK(!infer(f) && strstr(diag.what, "are no times"));
	evs_infer_free(f);
	f = start(NULL, "a", NULL);
	feed(f, "{\"a\":[1]}");
	T_CHECK(!infer(f) && strstr(diag.what, "--tenant a"));
	evs_infer_free(f);
	f = start(NULL, NULL, "a");
	feed(f, "{\"a\":{}}");
	T_CHECK(!infer(f) && strstr(diag.what, "--key a"));
	evs_infer_free(f);
	f = start(NULL, NULL, NULL);
	feed(f, "[1]");
	feed(f, "");
	feed(f, "{\"a\":1");
	feed(f, "{\"a\":1,\"a\":2}");
	T_CHECK(!infer(f) && strstr(diag.what, "no JSON object"));
	evs_infer_free(f);
}

/*
 * ---- names -------------------------------------------------------------------------------------
 */

static void test_names(void)
{
	static const char row[] =
		"{\"id.orig_h\":1,\"a`b\\\\c\":2,\"index\":3,\"we ird\":4,\"\":5,\"_extra\":6,\"_time\":7,"
		"\"\xc3\xa9\":8,\"nul\\u0000\":9,\"line\\nbreak\":10,\"primary\":11,\"9lives\":12,\"constraint\":13}";
	static const char *const want[] = { "id.orig_h", "a`b\\c",   "index",
					    "we ird",	 "\xc3\xa9", "line\nbreak",
					    "primary",	 "9lives",   "constraint" };
	struct evs_infer *f = start(NULL, NULL, "id.orig_h");
	struct evs_table *t;
	char line[400];

	feed(f, row);
	t = infer(f);
	t_check("odd names", t && t->ndeclared == sizeof(want) / sizeof(want[0]));
	for (unsigned i = 0; t && i < sizeof(want) / sizeof(want[0]); i++)
		t_eq_str("name", t->cols[i].name, want[i]);
	evs_table_free(t);
	evs_infer_free(f);

	f = start(NULL, NULL, NULL);
	for (int i = 0; i < 1200; i++) {
		snprintf(line, sizeof(line), "{\"k%d\":1,\"n\":%d}", i, i);
		feed(f, line);
	}
	snprintf(line, sizeof(line), "{\"%0300d\":1}", 7);
	feed(f, line);
	t = infer(f);
	t_check("a thousand columns at most", t && t->ndeclared == 1000);
	T_CHECK(strstr(told, "fields beyond the first 1000"));
	evs_table_free(t);
	evs_infer_free(f);
}

/*
 * ---- widening ----------------------------------------------------------------------------------
 */

static void test_widening(void)
{
	static const struct {
		const char *first, *then, *type;
	} steps[] = {
		{ "1", "\"x\"", "Nullable(JSON)" },
		{ "1", "2.5",
		  "Nullable(JSON)" }, /* rows since then may hold what a double cannot */
		{ "1", "18446744073709551615", "Nullable(JSON)" },
		{ "1.5", "2", "Nullable(Float64)" },
		{ "\"44bffbf3-5530-4378-94f3-0c85dc719159\"", "\"x\"", "Nullable(String)" },
		{ "\"2024-12-16T00:00:33.253Z\"", "\"x\"", "Nullable(String)" },
		{ "\"2024-12-16\"", "\"x\"", "Nullable(String)" },
		{ "true", "\"x\"", "Nullable(JSON)" },
		{ "[1]", "[\"x\"]", "Nullable(JSON)" },
		{ "null", "1", "Nullable(JSON)" },
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct evs_infer *f = start(NULL, NULL, NULL);
		struct evs_table *a, *b;
		bool same;
		char line[200];

		snprintf(line, sizeof(line), "{\"v\":%s}", steps[i].first);
		feed(f, line);
		feed(f, "{}");
		a = infer(f);
		snprintf(line, sizeof(line), "{\"v\":%s,\"new\":1}", steps[i].then);
		feed(f, line);
		b = infer(f);
		if (a && b) {
			check_type(steps[i].then, b, "v", steps[i].type);
			check_type("a new column", b, "new", "Nullable(Int64)");
			t_check("may take its place",
				evs_table_compatible(a, b, &same, &diag) == 0 && !same);
			if (diag.what[0])
				printf("        %s\n", diag.what);
		} else {
			t_check(steps[i].then, false);
		}
		evs_table_free(a);
		evs_table_free(b);
		evs_infer_free(f);
	}
}

static void test_sticky(void)
{
	struct evs_infer *f = start(NULL, NULL, NULL);
	struct evs_table *a, *b;
	bool same = false;

	feed(f, "{\"ts\":\"2024-01-01T00:00:00.000Z\",\"tenant_id\":\"a\",\"v\":1}");
	a = infer(f);
	feed(f, "{\"v\":\"no time: not counted\",\"tenant_id\":\"a\"}");
	feed(f, "{\"ts\":5,\"v\":\"not counted\",\"tenant_id\":\"a\"}");
	feed(f, "{\"ts\":\"2024-01-01T00:00:00.000Z\",\"v\":\"no tenant\"}");
	feed(f, "{\"ts\":\"2024-01-01T00:00:00.000Z\",\"v\":\"bad tenant\",\"tenant_id\":5}");
	b = infer(f);
	t_check("rejected rows teach nothing",
		a && b && evs_table_compatible(a, b, &same, &diag) == 0 && same);
	evs_table_free(b);
	feed(f, "{\"ts\":\"2024-01-01T00:00:00.123456Z\",\"tenant_id\":\"a\",\"v\":1}");
	b = infer(f);
	if (a && b) {
		check_type("more digits", b, "ts", "DateTime64(6)");
		t_check("compatible", evs_table_compatible(a, b, &same, &diag) == 0 && !same);
	}
	evs_table_free(b);
	feed(f, "{\"ts\":\"2024-01-01 00:00:00.123456789\",\"tenant_id\":\"a\",\"v\":1}");
	b = infer(f);
	if (a && b) {
		check_type("not more than any year can have", b, "ts", "DateTime64(6)");
		t_check("still compatible", evs_table_compatible(a, b, &same, &diag) == 0);
	}
	evs_table_free(b);
	evs_table_free(a);
	evs_infer_free(f);
	evs_infer_free(NULL);
}

/*
 * ---- going on in a later run -------------------------------------------------------------------
 */

static char *text_of(struct evs_infer *f)
{
	char *text = NULL;
	size_t len;

	if (evs_infer_ddl(f, &text, &len, NULL, NULL, &diag) < 0)
		return NULL;
	return text;
}

/* A later run's inference, from the text alone; `*rc` is what evs_infer_resume() said. */
static struct evs_infer *resume(const char *text, size_t len, int *rc)
{
	struct evs_infer *f = NULL;
	struct evs_table *t = NULL;
	struct evs_infer_opts o = { 0 };
	char *exact = malloc(len);

	memcpy(exact, text, len);
	*rc = evs_table_parse(&t, exact, len, &diag);
	T_CHECK(*rc == 0);
	if (*rc == 0) {
		o.stream = t->name;
		T_CHECK(evs_infer_new(&f, &o, &diag) == 0);
		*rc = evs_infer_resume(f, t, exact, len);
	}
	evs_table_free(t);
	free(exact);
	return f;
}

/* f goes on undisturbed; from its text another must go on the same, and after one more line, too.
 */
static void check_resume(struct evs_infer *f, const char *line)
{
	char *text = text_of(f), *a, *b;
	struct evs_table *from = NULL, *to = NULL;
	struct evs_infer *g;
	bool same;
	int rc;

	if (!text) {
		t_check(line, false);
		return;
	}
	g = resume(text, strlen(text), &rc);
	t_check(text, rc == 0);
	b = text_of(g);
	t_eq_str("the same text", b, text);
	free(b);
	for (int i = 0; i < 2; i++) { /* the second time without anything new */
		feed(f, line);
		feed(g, line);
		a = text_of(f);
		b = text_of(g);
		t_eq_str(line, b, a);
		free(a);
		if (i == 0)
			free(b);
	}
	T_CHECK(evs_table_parse(&from, text, strlen(text), &diag) == 0);
	T_CHECK(evs_table_parse(&to, b, strlen(b), &diag) == 0);
	t_check("may take its place",
		from && to && evs_table_compatible(from, to, &same, &diag) == 0);
	evs_table_free(from);
	evs_table_free(to);
	evs_infer_free(g);
	free(text);
	free(b);
}

/* Every type of the lattice, then every value of the lattice on top of it. */
static void test_resume_lattice(void)
{
	const size_t n = sizeof(lattice) / sizeof(lattice[0]);
	char line[200];

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			struct evs_infer *f = start(NULL, NULL, NULL);

			each_value(lattice[i].values, feed_fn, f);
			feed(f, "{}");
			snprintf(line, sizeof(line), "{\"v\":%.*s,\"new\":1}",
				 (int)strcspn(lattice[k].values, "|"), lattice[k].values);
			check_resume(f, line);
			evs_infer_free(f);
		}
	}
}

static void test_resume_layout(void)
{
	static const struct {
		const char *time, *tenant, *key, *first, *second, *then;
	} cases[] = {
		{ NULL, NULL, NULL, "{\"ts\":\"2024-01-01\",\"v\":1}", "{\"ts\":\"2024-01-01\"}",
		  "{\"ts\":\"2024-01-01T00:00:00.123Z\",\"v\":\"x\"}" },
		{ NULL, NULL, NULL, "{\"ts\":\"2024-01-01T00:00:00Z\",\"v\":1}", "{\"v\":2}",
		  "{\"ts\":\"x\",\"v\":\"x\"}" },
		{ "ts", NULL, NULL, "{\"ts\":\"2024-01-01T00:00:00Z\",\"v\":1}", "{\"v\":2}",
		  "{\"ts\":\"2024-01-01T00:00:00.1234567Z\",\"v\":\"x\"}" },
		{ NULL, NULL, NULL, "{\"ts\":\"2024-01-01T00:00:00.12345678Z\"}", "{}",
		  "{\"ts\":\"2024-01-01T00:00:00.123456789Z\"}" },
		{ "ts", NULL, "v", "{\"ts\":1734307233.5,\"v\":1}", "{\"v\":2}",
		  "{\"ts\":1734307233,\"v\":2,\"w\":\"x\"}" },
		{ "ts", NULL, NULL, "{\"ts\":1734307233253000000,\"v\":1}",
		  "{\"ts\":1734307233253000000.5}", "{\"ts\":1734307233253000000,\"v\":[]}" },
		/* the time is that of arrival, and so it stays; yet the table takes the key for it
		 */
		{ NULL, NULL, "when", "{\"when\":\"2024-01-01T00:00:00Z\",\"v\":1}", "{\"v\":1}",
		  "{\"when\":\"2024-01-01T00:00:00Z\",\"v\":\"x\"}" },
		{ NULL, "a", "when", "{\"when\":\"2024-01-01T00:00:00Z\",\"a\":1,\"v\":{}}",
		  "{\"a\":1}", "{\"when\":\"2024-01-01T00:00:00Z\",\"a\":\"x\",\"v\":\"x\"}" },
		{ NULL, "d", NULL, "{\"d\":\"2024-01-01\",\"v\":1}",
		  "{\"d\":\"2024-01-01\",\"v\":1}", "{\"d\":\"x\",\"v\":\"x\"}" },
		{ NULL, NULL, "v", "{\"v\":\"44bffbf3-5530-4378-94f3-0c85dc719159\"}",
		  "{\"v\":\"44bffbf3-5530-4378-94f3-0c85dc719159\"}", "{\"v\":\"x\",\"w\":1}" },
		{ NULL, NULL, "we ird",
		  "{\"we ird\":1,\"a`b\\\\c\":2,\"index\":3,\"line\\nbreak\":4}", "{}",
		  "{\"we ird\":1,\"index\":\"x\",\"9lives\":1}" },
	};

	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		struct evs_infer *f = start(NULL, NULL, NULL);

		feed(f, choices[i].row);
		check_resume(f, choices[(i + 1) % (sizeof(choices) / sizeof(choices[0]))].row);
		check_resume(f, choices[i].row);
		evs_infer_free(f);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct evs_infer *f = start(cases[i].time, cases[i].tenant, cases[i].key);

		feed(f, cases[i].first);
		feed(f, cases[i].second);
		check_resume(f, cases[i].then);
		evs_infer_free(f);
	}
}

/* What the columns then take, said outright. */
static void test_resume_widens(void)
{
	struct evs_infer *f = start("ts", "who", "k"), *g;
	struct evs_table *t;
	char *text;
	int rc;

	feed(f, "{\"ts\":\"2024-01-01T00:00:00.5Z\",\"who\":\"a\",\"k\":1,\"v\":1,\"u\":"
		"\"44bffbf3-5530-4378-94f3-0c85dc719159\"}");
	text = text_of(f);
	g = resume(text, strlen(text), &rc);
	T_CHECK(rc == 0);
	feed(g, "{\"ts\":\"2024-01-01T00:00:00Z\",\"who\":\"a\",\"v\":\"no key: not counted\"}");
	free(text);
	text = text_of(g);
	T_CHECK(strstr(text, "v Nullable(Int64)"));
	feed(g, "{\"ts\":\"2024-01-01T00:00:00.123456789Z\",\"who\":\"a\",\"k\":1}");
	feed(g,
	     "{\"ts\":\"2024-01-01T00:00:00.123Z\",\"who\":\"a\",\"k\":1,\"v\":\"x\",\"u\":\"x\","
	     "\"new\":[1]}");
	t = infer(g);
	T_CHECK(t && t->time_column == 0 && t->tenant_column == 1 && t->nkey == 1 &&
		t->key[0] == 2);
	if (t) {
		check_type("more digits", t, "ts", "DateTime64(3)");
		check_type("key", t, "k", "Int64");
		check_type("v", t, "v", "Nullable(JSON)");
		check_type("u", t, "u", "Nullable(String)");
		check_type("new", t, "new", "Nullable(Array(Int64))");
	}
	evs_table_free(t);
	evs_infer_free(f);
	evs_infer_free(g);
	free(text);
}

static void test_resume_many(void)
{
	static const char *const keys[] = { "k1", "k0", "k1" };
	struct evs_infer_opts o = { .stream = "a b", .keys = keys, .nkeys = 3 };
	struct evs_infer *f = NULL;
	char *line = malloc(20000);
	size_t n = 0;

	T_CHECK(evs_infer_new(&f, &o, &diag) == 0);
	for (int i = 0; i < 1200; i++)
		n += (size_t)snprintf(line + n, 20000 - n, "%c\"k%d\":1", i ? ',' : '{', i);
	snprintf(line + n, 20000 - n, "}");
	feed(f, line);
	check_resume(f, "{\"k0\":1,\"k1\":2,\"k999\":\"x\",\"k1100\":\"x\"}");
	evs_infer_free(f);
	free(line);
}

static void test_edited(void)
{
	static const char *const edits[][2] = {
		{ "MergeTree", "ReplacingMergeTree" },
		{ "v Nullable(Int64)", "v Nullable(Int32)" },
		{ "v Nullable(Int64)", "v Int64" },
		{ "v Nullable(Int64)", "v  Nullable(Int64)" },
		{ "v Nullable(Int64)", "v Nullable(Decimal(9, 2))" },
		{ "v Nullable(Int64)", "v Array(Nullable(Int64))" },
		{ "v Nullable(Int64)", "v Nullable(Int64) DEFAULT 1" },
		{ "toMonday", "toYYYYMM" },
		{ "Inferred", "inferred" },
		{ "-- Inferred by evappend from the first rows.", "--" },
		{ "ORDER BY (ts)", "ORDER BY (ts,who)" },
		{ "PARTITION BY (who, toMonday(ts))", "PARTITION BY toMonday(ts)" },
		{ ";\n", ";" },
		{ ";\n", ";\n\n" },
		{ ";\n", ";\nCREATE VIEW w AS SELECT * FROM s;\n" },
	};
	struct evs_infer *f = start("ts", "who", NULL), *g;
	char *text, buf[2000];
	int rc;

	feed(f, "{\"ts\":\"2024-01-01T00:00:00.5Z\",\"who\":\"a\",\"v\":1}");
	text = text_of(f);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		const char *at = strstr(text, edits[i][0]);

		if (!at) {
			t_check(edits[i][0], false);
			continue;
		}
		snprintf(buf, sizeof(buf), "%.*s%s%s", (int)(at - text), text, edits[i][1],
			 at + strlen(edits[i][0]));
		g = resume(buf, strlen(buf), &rc);
		t_check(edits[i][1], rc == 1);
		evs_infer_free(g);
	}
	free(text);
	evs_infer_free(f);
}

int main(void)
{
	test_resume_lattice();
	test_resume_layout();
	test_resume_widens();
	test_resume_many();
	test_edited();
	test_lattice();
	test_choices();
	test_not_in_every_row();
	test_tenant_of_many();
	test_options();
	test_names();
	test_widening();
	test_sticky();
	return t_done();
}
