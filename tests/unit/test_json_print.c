/*
 * The printers: NDJSON with nulls and _extra, CSV, TSV, tables; strings; long values in pieces;
 * and what a forged segment could hold must not reach the terminal as it is.
 */
#include "tests/unit/t.h"
#include "src/batch.h"
#include "src/json/json_print.h"
#include "tests/unit/mini_table.h"

#include <math.h>

/* ---- a batch from lines of JSON ---------------------------------------------------------- */

struct rows {
	struct evs_table *t;
	struct evs_array *cols;
	struct evs_field *fields;
	struct evs_batch batch;
};

static struct rows make_rows(const char *spec, const char *const *lines, size_t n)
{
	struct rows r = { .t = mini_table(spec) };
	struct evs_json_reader *reader;
	const char *reason;

	r.cols = mini_columns(r.t);
	r.fields = calloc(r.t->ncols, sizeof(*r.fields));
	if (!r.fields)
		abort();
	T_CHECK(evs_json_reader_new(&reader, r.t) == 0);
	for (size_t i = 0; i < n; i++)
		t_check(lines[i], evs_json_read_row(reader, lines[i], strlen(lines[i]), r.cols,
						    &reason) == 0);
	evs_json_reader_free(reader);
	for (unsigned i = 0; i < r.t->ncols; i++) {
		r.fields[i].name = r.t->cols[i].name;
		r.fields[i].name_len = r.t->cols[i].name_len;
		r.fields[i].type = &r.t->cols[i].type;
		r.fields[i].nullable = r.t->cols[i].nullable;
		r.fields[i].extra = (int)i == r.t->extra_column;
	}
	r.batch = (struct evs_batch){ r.fields, r.cols, r.t->ncols, r.cols[0].rows, false };
	return r;
}

static void free_rows(struct rows *r)
{
	mini_free_columns(r->t, r->cols);
	evs_table_free(r->t);
	free(r->fields);
}

struct sink {
	struct evs_buf all;
	size_t calls, largest;
	size_t stop_after; /* calls; 0: never */
};

static int take(void *arg, const void *data, size_t len)
{
	struct sink *s = arg;

	evs_buf_put(&s->all, data, len);
	s->largest = len > s->largest ? len : s->largest;
	return ++s->calls == s->stop_after;
}

static void expect(const char *name, const struct evs_batch *b, struct evs_print_opts opts,
		   uint64_t max_rows, const char *want)
{
	struct sink s = { 0 };
	struct evs_printer *p = NULL;

	T_CHECK(evs_print_open(&p, &opts, take, &s, NULL) == 0);
	T_CHECK(evs_print_batch(p, b, max_rows, NULL) == 0);
	T_CHECK(evs_print_end(p, NULL) == 0);
	evs_print_close(p);
	evs_buf_put_u8(&s.all, 0);
	t_eq_str(name, (char *)s.all.p, want);
	evs_buf_release(&s.all);
}

static const char spec[] = "id Int32\nname Nullable(String)\nts DateTime64(3)\ntags Array(String)\n"
			   "m Map(String,Int8)\nj Nullable(JSON)\nok ?Nullable(Bool)";

static const char *const lines[] = {
	("{\"id\":1,\"name\":\"a,\\\"b\\\"\\n\",\"ts\":\"2024-12-16T00:00:33.253Z\",\"tags\":[\"x\",\"y\"],"
	 "\"m\":{\"k\":1},\"j\":{\"p\": 1},\"ok\":true,\"more\":[1, 2],\"\\ud800\":null}"),
	"{\"id\":-2,\"name\":\"\",\"ts\":\"1969-12-31T23:59:59.001Z\",\"tags\":[],\"m\":{}}",
	"{\"id\":3,\"name\":null,\"ts\":\"0001-01-01T00:00:00Z\",\"tags\":[\"tab\\t\\\\\"],\"m\":{},\"ok\":false}",
};

static void test_formats(void)
{
	struct rows r = make_rows(spec, lines, 3);

	expect("ndjson", &r.batch, (struct evs_print_opts){ .output = EVS_NDJSON }, UINT64_MAX,
	       "{\"id\":1,\"name\":\"a,\\\"b\\\"\\n\",\"ts\":\"2024-12-16T00:00:33.253Z\",\"tags\":[\"x\",\"y\"],"
	       "\"m\":{\"k\":1},\"j\":{\"p\": 1},\"ok\":true,\"more\":[1, 2],\"\\ud800\":null}\n"
	       "{\"id\":-2,\"name\":\"\",\"ts\":\"1969-12-31T23:59:59.001Z\",\"tags\":[],\"m\":{}}\n"
	       "{\"id\":3,\"ts\":\"0001-01-01T00:00:00.000Z\",\"tags\":[\"tab\\t\\\\\"],\"m\":{},\"ok\":false}\n");
	expect("ndjson --nulls", &r.batch,
	       (struct evs_print_opts){ .output = EVS_NDJSON, .nulls = true }, 2,
	       "{\"id\":1,\"name\":\"a,\\\"b\\\"\\n\",\"ts\":\"2024-12-16T00:00:33.253Z\",\"tags\":[\"x\",\"y\"],"
	       "\"m\":{\"k\":1},\"j\":{\"p\": 1},\"ok\":true,\"more\":[1, 2],\"\\ud800\":null}\n"
	       "{\"id\":-2,\"name\":\"\",\"ts\":\"1969-12-31T23:59:59.001Z\",\"tags\":[],\"m\":{},\"j\":null,"
	       "\"ok\":null}\n");
	expect("csv", &r.batch, (struct evs_print_opts){ .output = EVS_CSV }, UINT64_MAX,
	       "id,name,ts,tags,m,j,ok\n"
	       "1,\"a,\"\"b\"\"\n\",2024-12-16T00:00:33.253Z,\"[\"\"x\"\",\"\"y\"\"]\",\"{\"\"k\"\":1}\","
	       "\"{\"\"p\"\": 1}\",true\n"
	       "-2,\"\",1969-12-31T23:59:59.001Z,[],{},,\n"
	       "3,,0001-01-01T00:00:00.000Z,\"[\"\"tab\\t\\\\\"\"]\",{},,false\n");
	expect("tsv", &r.batch, (struct evs_print_opts){ .output = EVS_TSV }, UINT64_MAX,
	       "id\tname\tts\ttags\tm\tj\tok\n"
	       "1\ta,\"b\"\\n\t2024-12-16T00:00:33.253Z\t[\"x\",\"y\"]\t{\"k\":1}\t{\"p\": 1}\ttrue\n"
	       "-2\t\t1969-12-31T23:59:59.001Z\t[]\t{}\t\\N\t\\N\n"
	       "3\t\\N\t0001-01-01T00:00:00.000Z\t[\"tab\\\\t\\\\\\\\\"]\t{}\t\\N\tfalse\n");
	expect("table", &r.batch, (struct evs_print_opts){ .output = EVS_TABLE }, UINT64_MAX,
	       "id  name     ts                        tags         m        j         ok\n"
	       "──  ───────  ────────────────────────  ───────────  ───────  ────────  ─────\n"
	       " 1  a,\"b\"\\n  2024-12-16T00:00:33.253Z  [\"x\",\"y\"]    {\"k\":1}  {\"p\": 1}  true\n"
	       "-2           1969-12-31T23:59:59.001Z  []           {}       NULL      NULL\n"
	       " 3  NULL     0001-01-01T00:00:00.000Z  [\"tab\\t\\\\\"]  {}       NULL      false\n"
	       "(3 rows)\n");
	expect("narrow table", &r.batch,
	       (struct evs_print_opts){ .output = EVS_TABLE, .width = 40 }, 1,
	       "id  name    ts      tags    m\n"
	       "──  ──────  ──────  ──────  ──────\n"
	       " 1  a,\"b\"…  2024-…  [\"x\",…  {\"k\":…\n"
	       "(1 row; 2 columns not shown)\n");
	/* _extra asked for by name is a column like any other */
	r.fields[r.t->extra_column].extra = false;
	expect("csv with _extra", &r.batch, (struct evs_print_opts){ .output = EVS_CSV }, 1,
	       "id,name,ts,tags,m,j,ok,_extra\n"
	       "1,\"a,\"\"b\"\"\n\",2024-12-16T00:00:33.253Z,\"[\"\"x\"\",\"\"y\"\"]\",\"{\"\"k\"\":1}\","
	       "\"{\"\"p\"\": 1}\",true,\"{\"\"more\"\":[1, 2],\"\"\\ud800\"\":null}\"\n");
	free_rows(&r);
}

static void test_edges(void)
{
	static const char *const empty[] = { "{}", "{\"x\":1}" };
	struct rows r = make_rows("n Nullable(Int32)", empty, 2);
	struct evs_array f;
	struct evs_type type = { .id = EVS_T_FLOAT64 };
	struct evs_field field = { .name = "a\"b", .name_len = 3, .type = &type };
	struct evs_batch b = { &field, &f, 1, 3, false };

	expect("no fields", &r.batch, (struct evs_print_opts){ .output = EVS_NDJSON }, 9,
	       "{}\n{\"x\":1}\n");
	expect("max_rows 0", &r.batch, (struct evs_print_opts){ .output = EVS_NDJSON }, 0, "");
	expect("header without rows", &r.batch, (struct evs_print_opts){ .output = EVS_CSV }, 0,
	       "n\n");
	free_rows(&r);
	evs_array_init(&f, EVS_FLOAT, 8, true);
	T_CHECK(evs_array_append_float(&f, (double)NAN) == 0);
	T_CHECK(evs_array_append_float(&f, (double)-INFINITY) == 0);
	T_CHECK(evs_array_append_float(&f, 0.5) == 0);
	expect("no number", &b, (struct evs_print_opts){ .output = EVS_NDJSON }, 9,
	       "{\"a\\\"b\":null}\n{\"a\\\"b\":null}\n{\"a\\\"b\":0.5}\n");
	expect("no number", &b, (struct evs_print_opts){ .output = EVS_CSV }, 9,
	       "\"a\"\"b\"\nnan\n-inf\n0.5\n");
	evs_array_release(&f);
}

/* What only a forged segment can hold. */
static void test_hostile(void)
{
	struct evs_array s, j;
	struct evs_type string = { .id = EVS_T_STRING }, json = { .id = EVS_T_JSON };
	struct evs_field fields[] = { { .name = "s", .name_len = 1, .type = &string },
				      { .name = "j", .name_len = 1, .type = &json } };
	struct evs_array cols[2];
	struct evs_batch b = { fields, cols, 2, 3, false };

	evs_array_init(&s, EVS_BYTES, 0, false);
	evs_array_init(&j, EVS_BYTES, 0, false);
	T_CHECK(evs_array_append_bytes(&s, "\x1b[2J\xc2\x9b\xff", 7) == 0);
	T_CHECK(evs_array_append_bytes(&s,
				       "a\xe2\x80\xae"
				       "b\x7f",
				       6) == 0);
	T_CHECK(evs_array_append_bytes(&s,
				       "\xe4\xb8\xad\xf0\x9f\x98\x80"
				       "e\xcc\x81",
				       10) == 0);
	T_CHECK(evs_array_append_bytes(&j, "\"\x1b\n\"", 4) == 0);
	T_CHECK(evs_array_append_bytes(&j, "1", 1) == 0);
	T_CHECK(evs_array_append_bytes(&j, "2", 1) == 0);
	cols[0] = s;
	cols[1] = j;
	expect("hostile ndjson", &b, (struct evs_print_opts){ .output = EVS_NDJSON }, 2,
	       "{\"s\":\"\\u001b[2J\xc2\x9b\xef\xbf\xbd\",\"j\":\"  \"}\n{\"s\":\"a\xe2\x80\xae"
	       "b\x7f\",\"j\":1}\n");
	expect("hostile table", &b, (struct evs_print_opts){ .output = EVS_TABLE }, 3,
	       "s             j\n"
	       "────────────  ────────\n"
	       "\\x1b[2J\\x9b\xef\xbf\xbd  \"\\x1b\\n\"\n"
	       "a\\u202eb\\x7f  1\n"
	       "\xe4\xb8\xad\xf0\x9f\x98\x80"
	       "e\xcc\x81         2\n(3 rows)\n");
	evs_array_release(&s);
	evs_array_release(&j);
}

static void test_show(void)
{
	static const struct {
		const char *in;
		unsigned max;
		const char *want;
		unsigned width;
	} t[] = {
		{ "hello", 5, "hello", 5 },
		{ "hello", 4, "hel\xe2\x80\xa6", 4 },
		{ "hello", 1, "\xe2\x80\xa6", 1 },
		{ "hello", 0, "", 0 },
		{ "", 3, "", 0 },
		{ "\xe4\xb8\xad\xe4\xb8\xad", 3, "\xe4\xb8\xad\xe2\x80\xa6", 3 },
		{ "\xe4\xb8\xad\xe4\xb8\xad", 4, "\xe4\xb8\xad\xe4\xb8\xad", 4 },
		{ "\n", 1, "\xe2\x80\xa6", 1 },
		{ "\n", 2, "\\n", 2 },
		{ "\xff", 1, "\xef\xbf\xbd", 1 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct evs_buf b = { 0 };
		unsigned width = evs_show_text(&b, t[i].in, strlen(t[i].in), t[i].max);

		evs_buf_put_u8(&b, 0);
		t_eq_str(t[i].in, (char *)b.p, t[i].want);
		t_eq_u64(t[i].in, width, t[i].width);
		evs_buf_release(&b);
	}
}

/* A 20 MB value goes out in pieces no larger than the buffer, and a stop is heard. */
static void test_long(void)
{
	size_t n = 20u << 20;
	char *big = malloc(n);
	struct evs_array a;
	struct evs_type type = { .id = EVS_T_STRING };
	struct evs_field field = { .name = "s", .name_len = 1, .type = &type };
	struct evs_batch b = { &field, &a, 1, 2, false };
	struct evs_print_opts opts = { .output = EVS_NDJSON };
	struct sink s = { 0 };
	struct evs_printer *p = NULL;

	if (!big)
		abort();
	memset(big, 'x', n);
	big[n / 2] = '"';
	evs_array_init(&a, EVS_BYTES, 0, false);
	T_CHECK(evs_array_append_bytes(&a, big, n) == 0 && evs_array_append_bytes(&a, "y", 1) == 0);
	T_CHECK(evs_print_open(&p, &opts, take, &s, NULL) == 0);
	T_CHECK(evs_print_batch(p, &b, 9, NULL) == 0 && evs_print_flush(p, NULL) == 0);
	t_check("pieces", s.largest <= EVS_OUT_SIZE);
	t_eq_u64("bytes", s.all.len, n + 1 + strlen("{\"s\":\"\"}\n{\"s\":\"y\"}\n"));
	t_check("the first row", s.all.len > n && !memcmp(s.all.p + 6, big, n / 2) &&
					 !memcmp(s.all.p + 6 + n / 2, "\\\"x", 3));
	evs_print_close(p);
	evs_buf_release(&s.all);
	s = (struct sink){ .stop_after = 2 };
	T_CHECK(evs_print_open(&p, &opts, take, &s, NULL) == 0);
	T_CHECK(evs_print_batch(p, &b, 9, NULL) == EVS_E_STOP && s.calls == 2);
	T_CHECK(evs_print_end(p, NULL) == EVS_E_STOP && s.calls == 2);
	evs_print_close(p);
	evs_buf_release(&s.all);
	evs_array_release(&a);
	free(big);
}

/* Widths are settled by the first rows; later ones are cut. */
static void test_window(void)
{
	struct evs_array a;
	struct evs_type type = { .id = EVS_T_STRING };
	struct evs_field field = { .name = "s", .name_len = 1, .type = &type };
	struct evs_batch b = { &field, &a, 1, 1002, false };
	struct sink s = { 0 };
	struct evs_print_opts opts = { .output = EVS_TABLE };
	struct evs_printer *p = NULL;

	evs_array_init(&a, EVS_BYTES, 0, false);
	for (unsigned i = 0; i < 1001; i++)
		T_CHECK(evs_array_append_bytes(&a, "abc", 3) == 0);
	T_CHECK(evs_array_append_bytes(&a, "abcdef", 6) == 0);
	T_CHECK(evs_print_open(&p, &opts, take, &s, NULL) == 0);
	T_CHECK(evs_print_batch(p, &b, UINT64_MAX, NULL) == 0 && evs_print_end(p, NULL) == 0);
	evs_print_close(p);
	evs_buf_put_u8(&s.all, 0);
	t_check("cut",
		s.all.len > 60 && strstr((char *)s.all.p, "abc\nab\xe2\x80\xa6\n(1002 rows)\n"));
	evs_buf_release(&s.all);
	evs_array_release(&a);
	opts.output = (enum evs_output)9;
	T_CHECK(evs_print_open(&p, &opts, take, &s, NULL) == EVS_E_USAGE);
	evs_print_close(NULL);
}

/* Batches of two tables, one after the other, through one printer: what was found for one is not
 * taken for the other's. */
static void test_batches(void)
{
	static const char *const first[] = {
		"{\"id\":\"44bffbf3-5530-4378-94f3-0c85dc719159\",\"e\":\"A\",\"at\":\"2024-12-16T00:00:33.253Z\"}",
		"{\"id\":\"00000000-0000-0000-0000-000000000000\",\"e\":\"q\\\"\\n\",\"at\":\"2024-12-24T23:59:59.009Z\"}",
		"{\"id\":\"ffffffff-ffff-ffff-ffff-ffffffffffff\",\"e\":\"A\",\"at\":\"1969-12-31T23:59:59.990Z\"}",
		"{\"e\":\"thirty and one bytes of letters\",\"at\":\"2024-12-16T00:00:33.100Z\"}",
	};
	static const char *const second[] = {
		"{\"id\":\"44bffbf3-5530-4378-94f3-0c85dc719159\",\"e\":\"another\",\"at\":\"2024-12-24T00:00:33.253Z\"}",
	};
	struct rows a = make_rows(
		"id Nullable(UUID)\ne Enum(A,q\"\n,thirty and one bytes of letters)\nat DateTime64(3)",
		first, 4);
	struct rows b =
		make_rows("id Nullable(UUID)\ne Enum(another)\nat DateTime64(3)", second, 1);
	struct sink s = { 0 };
	struct evs_print_opts opts = { .output = EVS_NDJSON };
	struct evs_printer *p = NULL;

	T_CHECK(evs_print_open(&p, &opts, take, &s, NULL) == 0);
	for (unsigned round = 0; round < 2; round++) {
		T_CHECK(evs_print_batch(p, &a.batch, UINT64_MAX, NULL) == 0);
		T_CHECK(evs_print_batch(p, &b.batch, UINT64_MAX, NULL) == 0);
	}
	T_CHECK(evs_print_end(p, NULL) == 0);
	evs_print_close(p);
	for (unsigned round = 0, at = 0; round < 2; round++) {
		for (unsigned i = 0; i < 5; i++) {
			const char *want = i < 4 ? first[i] : second[0];

			t_check(want, s.all.len - at > strlen(want) &&
					      !memcmp(s.all.p + at, want, strlen(want)) &&
					      s.all.p[at + strlen(want)] == '\n');
			at += (unsigned)strlen(want) + 1;
		}
		T_CHECK(round == 0 || at == s.all.len);
	}
	evs_buf_release(&s.all);
	free_rows(&a);
	free_rows(&b);
}

int main(void)
{
	test_formats();
	test_batches();
	test_edges();
	test_hostile();
	test_show();
	test_long();
	test_window();
	return t_done();
}
