/*
 * Lines of bytes into the NDJSON reader, beside the plain parser of plain_json.h: they must agree
 * on what is a row, on every string and raw value, and on which integers, Bools, UUIDs and times
 * fit and what they are. The wide loops and the portable ones must give the same; what was read
 * must print to a line that reads the same again.
 */
#include "src/batch.h"
#include "src/json/json_reader.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/plain_values.h"
#include "tests/unit/mini_table.h"

#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_FIELDS 64

/* One field of the line as the plain parser sees it. */
struct field {
	struct plain_text key;
	size_t value, end;
};

static bool same_text(const struct plain_text *a, const struct plain_text *b)
{
	return a->n == b->n && (!a->n || !memcmp(a->cp, b->cp, a->n * sizeof(*a->cp)));
}

/* -1: no object; -2: too many fields to look at; else how many, in f. `cps` holds the keys. */
static int plain_fields(const uint8_t *line, size_t len, struct field *f, uint32_t *cps)
{
	struct plain p = { line, len, 0, EVS_JSON_MAX_DEPTH };
	int n = 0;

	plain_space(&p);
	if (plain_peek(&p) != '{')
		return -1;
	p.at++;
	plain_space(&p);
	if (plain_peek(&p) == '}') {
		p.at++;
		plain_space(&p);
		return p.at == len ? 0 : -1;
	}
	for (;; p.at++) {
		if (n == MAX_FIELDS)
			return -2;
		f[n].key = (struct plain_text){ .cp = cps };
		plain_space(&p);
		if (!plain_string(&p, &f[n].key))
			return -1;
		cps += f[n].key.n;
		plain_space(&p);
		if (plain_peek(&p) != ':')
			return -1;
		p.at++;
		plain_space(&p);
		f[n].value = p.at;
		if (!plain_value(&p, 0))
			return -1;
		f[n].end = p.at;
		n++;
		plain_space(&p);
		if (plain_peek(&p) == '}')
			break;
		if (plain_peek(&p) != ',')
			return -1;
	}
	p.at++;
	plain_space(&p);
	if (p.at != len)
		return -1;
	for (int i = 0; i < n; i++) {
		for (int j = 0; j < i; j++) {
			if (same_text(&f[i].key, &f[j].key))
				return -1;
		}
	}
	return n;
}

/* The field named by one letter, or NULL. */
static const struct field *find(const struct field *f, int n, char name)
{
	for (int i = 0; i < n; i++) {
		if (f[i].key.n == 1 && f[i].key.cp[0] == (unsigned char)name)
			return &f[i];
	}
	return NULL;
}

static bool is_null(const uint8_t *line, const struct field *f)
{
	return !f || (f->end - f->value == 4 && !memcmp(line + f->value, "null", 4));
}

static void check_string(const uint8_t *line, const struct field *f, const struct evs_array *a,
			 uint32_t row)
{
	struct plain p = { line, f->end, f->value, 0 };
	struct plain_text t = { .cp = malloc((f->end - f->value) * sizeof(uint32_t)) };
	size_t n, at = 0;
	const uint8_t *got = evs_array_bytes(a, row, &n);

	must(t.cp != NULL);
	must(plain_string(&p, &t) && !t.lone);
	for (size_t i = 0; i < t.n; i++) {
		char out[4];
		unsigned k = evs_utf8_put(t.cp[i], out);

		must(n - at >= k && !memcmp(got + at, out, k));
		at += k;
	}
	must(at == n);
	free(t.cp);
}

static void check_values(const uint8_t *line, const struct field *f, int nf,
			 const struct evs_array *cols, uint32_t row)
{
	const struct field *s = find(f, nf, 's'), *j = find(f, nf, 'j'), *d = find(f, nf, 'd');
	size_t n;

	must(is_null(line, s) == evs_array_is_null(&cols[0], row));
	if (!is_null(line, s))
		check_string(line, s, &cols[0], row);
	must(is_null(line, j) == evs_array_is_null(&cols[1], row));
	if (!is_null(line, j)) {
		const uint8_t *got = evs_array_bytes(&cols[1], row, &n);

		must(n == j->end - j->value && !memcmp(got, line + j->value, n));
	}
	must(is_null(line, d) == evs_array_is_null(&cols[2], row));
	if (!is_null(line, d)) {
		char *text = calloc(d->end - d->value + 1, 1);

		must(text != NULL);
		memcpy(text, line + d->value, d->end - d->value);
		must(evs_array_float(&cols[2], row) == strtod(text, NULL));
		free(text);
	}
}

/* The value of a typed column, when the plain parser says something of it: does it fit, and what is
 * it? */
static enum plain_fit plain_typed(char name, const uint8_t *s, size_t n, const struct evs_array *a,
				  uint32_t row, bool stored)
{
	enum plain_fit fit;
	unsigned char uuid[16] = { 0 };
	__int128 v = 0;
	int64_t ms = 0;
	bool yes = false;
	size_t len;

	switch (name) {
	case 'i':
		fit = plain_integer(s, n, INT32_MIN, INT32_MAX, &v);
		must(!stored || fit || (int64_t)evs_array_int(a, row) == (int64_t)v);
		return fit;
	case 'h':
		fit = plain_integer(s, n, 0, UINT64_MAX, &v);
		must(!stored || fit || evs_array_int(a, row) == (uint64_t)v);
		return fit;
	case 'b':
		fit = plain_bool(s, n, &yes);
		must(!stored || fit || evs_array_int(a, row) == yes);
		return fit;
	case 'u':
		fit = plain_uuid_text(s, n, uuid);
		must(!stored || fit || !memcmp(evs_array_bytes(a, row, &len), uuid, 16));
		return fit;
	default:
		fit = plain_time_ms(s, n, &ms);
		must(!stored || fit || (int64_t)evs_array_int(a, row) == ms);
		return fit;
	}
}

/* The columns behind the first three. A row is refused exactly when one of its values does not fit.
 */
static void check_typed(const uint8_t *line, const struct field *f, int nf,
			const struct evs_array *cols, uint32_t row, bool stored)
{
	static const char names[] = "ihbut";
	bool misfit = false, other = false;

	for (unsigned i = 0; names[i]; i++) {
		const struct field *g = find(f, nf, names[i]);
		enum plain_fit fit;

		if (is_null(line, g)) {
			must(!stored || evs_array_is_null(&cols[3 + i], row));
			continue;
		}
		fit = plain_typed(names[i], line + g->value, g->end - g->value, &cols[3 + i], row,
				  stored);
		misfit |= fit == PLAIN_MISFITS;
		other |= fit == PLAIN_OTHER;
	}
	must(!(stored && misfit));
	/* s and d have reasons of their own */
	must(stored || misfit || other || find(f, nf, 's') || find(f, nf, 'd'));
}

static int append(void *arg, const void *data, size_t len)
{
	evs_buf_put(arg, data, len);
	return 0;
}

static void print(const struct evs_table *t, struct evs_array *cols, uint32_t rows,
		  struct evs_buf *out)
{
	struct evs_field fields[32] = { 0 };
	struct evs_batch b = { fields, cols, t->ncols, rows, false };
	struct evs_print_opts opts = { .output = EVS_NDJSON };
	struct evs_printer *p = NULL;

	for (unsigned i = 0; i < t->ncols; i++) {
		fields[i].name = t->cols[i].name;
		fields[i].name_len = t->cols[i].name_len;
		fields[i].type = &t->cols[i].type;
		fields[i].extra = (int)i == t->extra_column;
	}
	must(evs_print_open(&p, &opts, append, out, NULL) == 0);
	must(evs_print_batch(p, &b, UINT64_MAX, NULL) == 0 && evs_print_end(p, NULL) == 0);
	evs_print_close(p);
}

enum lines { COMPARE, ANY, ALL_GOOD }; /* with the plain parser; whatever they are; printed by us */

/* Gives a number for what was said of the lines. */
static uint64_t read_lines(const struct evs_table *t, const uint8_t *data, size_t size,
			   struct evs_array *cols, enum lines what, const struct evs_json_ops *ops)
{
	struct evs_json_reader *r;
	uint64_t said = 0;
	const char *reason;
	uint32_t *cps = malloc((size + 1) * sizeof(*cps));

	must(cps && evs_json_reader_new(&r, t) == 0);
	r->lex.ops = ops;
	for (size_t at = 0; at < size;) {
		const uint8_t *line = data + at, *end = memchr(line, '\n', size - at);
		size_t len = end ? (size_t)(end - line) : size - at;
		uint32_t rows = cols[0].rows;
		int rc = evs_json_read_row(r, (const char *)line, len, cols, &reason);

		must(rc >= 0);
		must(rc == EVS_ROW_OK || rc == EVS_ROW_BLANK || (reason && *reason));
		said = said * 7 + (uint64_t)rc;
		if (rc == EVS_ROW_BAD || rc == EVS_ROW_MISFIT)
			said = XXH3_64bits_withSeed(reason, strlen(reason), said);
		for (unsigned i = 0; i < t->ncols; i++)
			must(cols[i].rows == rows + (rc == EVS_ROW_OK));
		if (what == COMPARE) {
			struct field f[MAX_FIELDS];
			int n = plain_fields(line, len, f, cps);

			must(n == -2 || (n == -1) == (rc == EVS_ROW_BAD || rc == EVS_ROW_BLANK));
			if (n >= 0 && rc == EVS_ROW_OK)
				check_values(line, f, n, cols, rows);
			if (n >= 0)
				check_typed(line, f, n, cols, rows, rc == EVS_ROW_OK);
			must(evs_json_valid((const char *)line, len, &reason) ==
			     plain_valid(line, len, EVS_JSON_MAX_DEPTH));
		} else if (what == ALL_GOOD) {
			must(rc == EVS_ROW_OK);
		}
		at += len + 1;
	}
	evs_json_reader_free(r);
	free(cps);
	return said;
}

/* The portable loops take the same way through the line. */
static void compare_loops(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data, *a, *b;
	struct evs_jlex la = { .ops = &evs_json_portable, .start = s, .end = s + size };
	struct evs_jlex lb = { .ops = evs_json_best_ops(), .start = s, .end = s + size };

	a = evs_jlex_skip(&la, s);
	b = evs_jlex_skip(&lb, s);
	must(a == b && (a || (la.at == lb.at && la.what == lb.what)));
}

static void same_columns(const struct evs_table *t, const struct evs_array *a,
			 const struct evs_array *b)
{
	must(a->rows == b->rows);
	for (unsigned i = 0; i < t->ncols; i++)
		for (uint32_t row = 0; row < a->rows; row++)
			must(evs_array_compare(&a[i], row, &b[i], row) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct evs_table *plain_table, *typed_table;
	const struct evs_json_ops *wide = evs_json_best_ops();
	struct evs_array *cols, *again, *portable;
	struct evs_buf out = { 0 }, twice = { 0 };
	uint64_t said;

	if (!plain_table) {
		plain_table = mini_table(
			"s Nullable(String)\nj Nullable(JSON)\nd Nullable(Float64)\ni Nullable(Int32)\n"
			"h Nullable(UInt64)\nb Nullable(Bool)\nu Nullable(UUID)\nt Nullable(DateTime64(3))");
		typed_table = mini_table(
			"i Nullable(Int32)\nu Nullable(UUID)\nt Nullable(DateTime64(3))\nb Nullable(Bool)\n"
			"f Nullable(Float32)\ne Nullable(Enum(RED,GREEN))\nc Nullable(Decimal(20,4))\nk Nullable(Date)\n"
			"l Nullable(Array(Nullable(Int8)))\nm Nullable(Map(String,String))\nx Nullable(FixedString(4))\n"
			"p Nullable(IPv4)\nq Nullable(IPv6)\nn Nullable(DateTime64(9))\nh Nullable(UInt64)");
	}
	if (size)
		compare_loops(data, size);
	cols = mini_columns(plain_table);
	read_lines(plain_table, data, size, cols, COMPARE, wide);
	mini_free_columns(plain_table, cols);

	cols = mini_columns(typed_table);
	again = mini_columns(typed_table);
	portable = mini_columns(typed_table);
	said = read_lines(typed_table, data, size, cols, ANY, wide);
	must(said == read_lines(typed_table, data, size, portable, ANY, &evs_json_portable));
	same_columns(typed_table, cols, portable);
	/* Printed and read again they are the same rows. */
	print(typed_table, cols, cols[0].rows, &out);
	if (out.len)
		read_lines(typed_table, out.p, out.len, again, ALL_GOOD, wide);
	same_columns(typed_table, cols, again);
	print(typed_table, again, again[0].rows, &twice);
	must(out.len == twice.len && (!out.len || !memcmp(out.p, twice.p, out.len)));
	mini_free_columns(typed_table, cols);
	mini_free_columns(typed_table, again);
	mini_free_columns(typed_table, portable);
	evs_buf_release(&out);
	evs_buf_release(&twice);
	return 0;
}
