/*
 * Sorting rows by the key: every type, nulls, stability; compared with a sort that is too simple to
 * be wrong.
 */
#include "tests/unit/t.h"
#include "src/store/sort.h"

#include <math.h>
#include <stdlib.h>

#define ROWS 2500u

/* How many rows, whether some are null, and whether texts are of thousands that have their first
 * eight bytes in common. */
static const struct shape {
	uint32_t rows;
	bool nulls, many;
} shapes[] = { { 300, true, false },
	       { 700, true, false },
	       { 700, false, true },
	       { ROWS, false, false },
	       { ROWS, false, true } };
static const struct shape *shape;

static uint64_t state = 7;

static uint32_t any(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

static struct evs_table *table(const char *text)
{
	struct evs_table *t = NULL;
	struct evs_diag d = { 0 };

	if (evs_table_parse(&t, text, strlen(text), &d) < 0) {
		(void)fprintf(stderr, "%s\n", d.what);
		abort();
	}
	return t;
}

static void put_any(struct evs_array *a)
{
	static const double floats[] = { 0.0,	 -0.0,	   1.5,	      -1.5, 1e300,
					 -1e300, INFINITY, -INFINITY, NAN,  -NAN };
	static const char *const texts[] = { "",	  "a",	       "a\0b",	   "aaaaaaaa",
					     "aaaaaaaab", "aaaaaaaaa", "\xff\xff", "b" };
	static const size_t lens[] = { 0, 1, 3, 8, 9, 9, 2, 1 };
	uint8_t fixed[64] = { 0 };
	char text[32];
	uint32_t k;
	int rc;

	if (shape->nulls && any(6) == 0) {
		rc = evs_array_append_null(a);
	} else if (a->phys == EVS_INT) {
		k = any(5);
		rc = evs_array_append_int(a, k == 0   ? 0
					     : k == 1 ? UINT64_MAX
					     : k == 2 ? (uint64_t)1 << (8 * a->width - 1)
						      : any(9));
	} else if (a->phys == EVS_FLOAT) {
		rc = evs_array_append_float(a, floats[any(10)]);
	} else if (a->phys == EVS_FIXED) {
		fixed[any(2) ? 0 : a->width - 1] = (uint8_t)any(256);
		rc = evs_array_append_fixed(a, fixed);
	} else {
		k = any(8);
		rc = evs_array_append_bytes(a, texts[k], lens[k]);
		if (shape->many) {
			evs_array_truncate(a, a->rows - 1);
			rc = evs_array_append_bytes(
				a, text,
				(size_t)snprintf(text, sizeof(text), "a prefix %u", any(4000)));
		}
	}
	if (rc < 0)
		abort();
}

/* -1, 0, 1 by the key. */
static int by_key(const struct evs_table *t, const struct evs_array *cols, uint32_t x, uint32_t y)
{
	for (uint16_t k = 0; k < t->nkey; k++) {
		int c = evs_array_compare(&cols[t->key[k]], x, &cols[t->key[k]], y);

		if (c)
			return c;
	}
	return 0;
}

static void check(const char *name, const struct evs_table *t, const struct evs_array *cols)
{
	static uint32_t idx[ROWS], want[ROWS];
	struct evs_sorter s = { 0 };
	bool sorted = true, same = true;

	for (uint32_t i = 0; i < shape->rows; i++) {
		uint32_t j = i;

		idx[i] = i;
		while (j > 0 && by_key(t, cols, want[j - 1], i) > 0) {
			want[j] = want[j - 1];
			j--;
		}
		want[j] = i;
	}
	t_check(name, evs_sort_rows(&s, t, cols, idx, shape->rows, &sorted) == 0);
	t_check("it was not in order", !sorted);
	for (uint32_t i = 0; i < shape->rows; i++)
		same &= idx[i] == want[i];
	t_check(name, same);
	t_check(name, evs_sort_rows(&s, t, cols, idx, shape->rows, &sorted) == 0 && sorted);
	evs_sorter_release(&s);
}

static void test_type(const char *type)
{
	char text[256];
	struct evs_table *t;
	struct evs_array *cols;

	(void)snprintf(text, sizeof(text),
		       "CREATE TABLE x (ts DateTime, k %s, m Int8) ORDER BY (k, m);", type);
	t = table(text);
	cols = calloc(t->ncols, sizeof(*cols));
	if (!cols)
		abort();
	for (uint16_t c = 0; c < t->ncols; c++) {
		if (evs_type_array(&t->cols[c].type, &cols[c]) < 0)
			abort();
		for (uint32_t i = 0; i < shape->rows; i++)
			put_any(&cols[c]);
	}
	check(type, t, cols);
	for (uint16_t c = 0; c < t->ncols; c++)
		evs_array_release(&cols[c]);
	free(cols);
	evs_table_free(t);
}

int main(void)
{
	static const char *const types[] = {
		"Bool",	   "Int8",     "Int16",		 "Int32",	    "Int64",
		"UInt8",   "UInt16",   "UInt32",	 "UInt64",	    "Float32",
		"Float64", "String",   "FixedString(3)", "FixedString(20)", "UUID",
		"Date",	   "DateTime", "DateTime64(6)",	 "Decimal(9, 2)",   "IPv4"
	};

	for (size_t k = 0; k < sizeof(shapes) / sizeof(shapes[0]); k++) {
		shape = &shapes[k];
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			test_type(types[i]);
	}
	return t_done();
}
