/*
 * Sorting: in memory and by way of the disk, with and without a limit, the order is the one that a
 * plain comparison of all rows gives, and it is stable.
 */
#include "tests/unit/t.h"

#include "format/bytes.h"
#include "src/query/order.h"
#include "src/schema/schema.h"

#include <stdlib.h>

#define ROWS  4000u
#define NCOLS 9u

static const char *const type_text[NCOLS] = {
	"Int32", /* the row's number: shows that equal rows stay in their order */
	"Nullable(Int64)", "UInt64",	     "Nullable(Float64)", "Nullable(String)",
	"Decimal(38, 2)",  "Nullable(UUID)", "Array(Int8)",	  "Decimal(9, 2)",
};

static struct evs_type type[NCOLS];
static const struct evs_type *types[NCOLS];
static struct evs_array cols[NCOLS];
static const struct evs_order_key *keys;
static size_t nkeys;
static uint64_t seed = 7;

static uint64_t below(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static void put(unsigned c, struct evs_array *a)
{
	static const double floats[] = { 0.0, -0.0, 1.5, -1e300, 1e300, -2, 0.0 / 1 };
	char text[40];
	uint8_t raw[16] = { 0 };

	switch (c) {
	case 3:
		(void)evs_array_append_float(a, floats[below(7)]);
		return;
	case 4:
		(void)evs_array_append_bytes(a, text,
					     (size_t)snprintf(text, sizeof(text), "%.*s%u",
							      (int)below(12), "common text ",
							      (unsigned)below(30)));
		return;
	case 5:
		evs_put64(raw, below(3) ? below(40) : UINT64_MAX - below(5));
		evs_put64(raw + 8, below(2) ? 0 : UINT64_MAX);
		(void)evs_array_append_fixed(a, raw);
		return;
	case 6:
		raw[below(16)] = (uint8_t)below(3);
		(void)evs_array_append_fixed(a, raw);
		return;
	case 7:
		for (uint64_t n = below(4); n; n--)
			(void)evs_array_append_int(&a->child[0], below(3) - 1);
		(void)evs_array_close_row(a);
		return;
	default:
		(void)evs_array_append_int(a, below(8) ? below(30) - 15 : seed);
	}
}

static bool setup(void)
{
	struct evs_diag d = { 0 };

	for (unsigned c = 0; c < NCOLS; c++) {
		bool nullable;

		if (evs_type_parse(&type[c], &nullable, type_text[c], strlen(type_text[c]), 1, 1,
				   &d) < 0 ||
		    evs_type_array(&type[c], &cols[c]) < 0)
			return false;
		types[c] = &type[c];
		for (uint32_t i = 0; i < ROWS; i++) {
			if (c == 0)
				(void)evs_array_append_int(&cols[c], i);
			else if (nullable && below(5) == 0)
				(void)evs_array_append_null(&cols[c]);
			else
				put(c, &cols[c]);
		}
	}
	return true;
}

/* The order as it is defined, without any of the sorter's shortcuts. */
static int plain_order(const void *a, const void *b)
{
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;

	for (size_t k = 0; k < nkeys; k++) {
		const struct evs_array *x = &cols[keys[k].col];
		bool in = evs_array_is_null(x, i), jn = evs_array_is_null(x, j);
		int c;

		if (in != jn)
			return in == keys[k].nulls_first ? -1 : 1;
		c = in ? 0 : evs_order_compare(&type[keys[k].col], x, i, x, j);
		if (c)
			return keys[k].desc ? -c : c;
	}
	return (i > j) - (i < j);
}

static void sorts(const char *name, const struct evs_order_key *key, size_t n, uint64_t limit,
		  size_t cap, uint32_t step, bool spills)
{
	struct evs_order *o = NULL;
	struct evs_diag d = { 0 };
	struct evs_array *out;
	uint32_t want[ROWS], rows, at = 0, bad = 0;
	uint64_t most = limit && limit < ROWS ? limit : ROWS;
	int rc = evs_order_new(&o, types, NCOLS, key, n, limit, cap);

	keys = key;
	nkeys = n;
	for (uint32_t i = 0; i < ROWS; i++)
		want[i] = i;
	qsort(want, ROWS, sizeof(want[0]), plain_order);
	for (uint32_t from = 0; from < ROWS && rc == 0; from += step) {
		uint32_t m = ROWS - from < step ? ROWS - from : step;
		struct evs_array part[NCOLS];

		for (unsigned c = 0; c < NCOLS; c++) {
			(void)evs_array_init_like(&part[c], &cols[c]);
			(void)evs_array_append_range(&part[c], &cols[c], from, m);
		}
		rc = evs_order_add(o, part, m, &d);
		for (unsigned c = 0; c < NCOLS; c++)
			evs_array_release(&part[c]);
	}
	while (rc == 0 && (rc = evs_order_next(o, &out, &rows, &d)) == 1) {
		for (uint32_t i = 0; i < rows && at < most; i++, at++) {
			for (unsigned c = 0; c < NCOLS; c++)
				bad += evs_array_compare(&out[c], i, &cols[c], want[at]) != 0;
		}
		rc = 0;
	}
	t_check(name, rc == 0 && !bad);
	t_eq_u64("rows", at, most);
	t_check("spills", (evs_order_spills(o) > 0) == spills);
	evs_order_free(o);
}

static bool equal_keys(uint32_t i, uint32_t j)
{
	for (size_t k = 0; k < nkeys; k++)
		if (evs_array_compare(&cols[keys[k].col], i, &cols[keys[k].col], j) != 0)
			return false;
	return true;
}

#define TIMES 20u

/* All rows again and again, so many that two threads sort: of equal ones those that came first come
 * first. */
static void sorts_many(const char *name, const struct evs_order_key *key, size_t n, bool two)
{
	struct evs_order *o = NULL;
	struct evs_diag d = { 0 };
	struct evs_array *out;
	uint32_t want[ROWS], rows, first = 0, last = 0, at = 0, time = 0, bad = 0, got = 0;
	int rc = evs_order_new(&o, types, NCOLS, key, n, 0, (size_t)1 << 28);

	keys = key;
	nkeys = n;
	for (uint32_t i = 0; i < ROWS; i++)
		want[i] = i;
	qsort(want, ROWS, sizeof(want[0]), plain_order);
	for (unsigned i = 0; i < TIMES && rc == 0; i++)
		rc = evs_order_add(o, cols, ROWS, &d);
	if (two)
		evs_order_two_threads(o);
	while (rc == 0 && (rc = evs_order_next(o, &out, &rows, &d)) == 1) {
		for (uint32_t i = 0; i < rows; i++, got++) {
			if (at == last && time == 0) { /* the next ones that are equal */
				first = at;
				while (last < ROWS && equal_keys(want[first], want[last]))
					last++;
			}
			bad += at == ROWS || evs_array_int(&out[0], i) != want[at];
			if (++at == last) {
				time = (time + 1) % TIMES;
				at = time ? first : last;
			}
		}
		rc = 0;
	}
	t_check(name, rc == 0 && !bad);
	t_eq_u64("rows", got, (uint64_t)ROWS * TIMES);
	evs_order_free(o);
}

/* Some rows, sorted, as a source that gives them in pieces. */
struct part {
	uint32_t idx[ROWS], n, at, fail_at;
	struct evs_array piece[NCOLS];
};
static unsigned open_parts;

static int part_next(void *arg, struct evs_array **out, uint32_t *rows, struct evs_diag *d)
{
	struct part *p = arg;

	(void)d;
	*rows = p->n - p->at < 50 ? p->n - p->at : 50;
	if (p->at >= p->fail_at)
		return EVS_E_FORMAT;
	for (unsigned c = 0; c < NCOLS; c++) {
		evs_array_reset(&p->piece[c]);
		(void)evs_array_take(&p->piece[c], &cols[c], p->idx + p->at, *rows);
	}
	p->at += *rows;
	*out = p->piece;
	return *rows > 0;
}

static void part_close(void *arg)
{
	struct part *p = arg;

	for (unsigned c = 0; c < NCOLS; c++)
		evs_array_release(&p->piece[c]);
	free(p);
	open_parts--;
}

static void give_source(struct evs_order *o, uint32_t from, uint32_t n, uint32_t fail_at)
{
	struct evs_order_source source = { .next = part_next, .close = part_close };
	struct part *p = calloc(1, sizeof(*p));
	struct evs_diag d = { 0 };

	if (!p)
		return;
	p->n = n;
	p->fail_at = fail_at;
	for (uint32_t i = 0; i < n; i++)
		p->idx[i] = from + i;
	qsort(p->idx, n, sizeof(p->idx[0]), plain_order);
	for (unsigned c = 0; c < NCOLS; c++)
		(void)evs_array_init_like(&p->piece[c], &cols[c]);
	source.arg = p;
	open_parts++;
	T_CHECK(evs_order_run(o, &source, n * 100u, &d) == 0);
}

/* Every `each`th part of `step` rows comes sorted, the others are added. */
static void sorts_sources(const char *name, const struct evs_order_key *key, size_t n, size_t cap,
			  uint32_t step, uint32_t each)
{
	struct evs_order *o = NULL;
	struct evs_diag d = { 0 };
	struct evs_array *out;
	uint32_t want[ROWS], rows, at = 0, bad = 0;
	int rc = evs_order_new(&o, types, NCOLS, key, n, 0, cap);

	keys = key;
	nkeys = n;
	for (uint32_t i = 0; i < ROWS; i++)
		want[i] = i;
	qsort(want, ROWS, sizeof(want[0]), plain_order);
	for (uint32_t from = 0; from < ROWS && rc == 0; from += step) {
		uint32_t m = ROWS - from < step ? ROWS - from : step;
		struct evs_array part[NCOLS];

		if (from / step % each == 0) {
			give_source(o, from, m, UINT32_MAX);
			continue;
		}
		for (unsigned c = 0; c < NCOLS; c++) {
			(void)evs_array_init_like(&part[c], &cols[c]);
			(void)evs_array_append_range(&part[c], &cols[c], from, m);
		}
		rc = evs_order_add(o, part, m, &d);
		for (unsigned c = 0; c < NCOLS; c++)
			evs_array_release(&part[c]);
	}
	while (rc == 0 && (rc = evs_order_next(o, &out, &rows, &d)) == 1) {
		for (uint32_t i = 0; i < rows; i++, at++)
			bad += at >= ROWS || evs_array_int(&out[0], i) != want[at];
		rc = 0;
	}
	t_check(name, rc == 0 && at == ROWS && bad == 0);
	evs_order_free(o);
	t_check(name, open_parts == 0);
}

/* A source that fails ends the sort, and every source is closed. */
static void source_fails(const struct evs_order_key *key)
{
	struct evs_order *o = NULL;
	struct evs_diag d = { 0 };
	struct evs_array *out;
	uint32_t rows;
	int rc = evs_order_new(&o, types, NCOLS, key, 1, 0, 30000);

	keys = key;
	nkeys = 1;
	for (uint32_t i = 0; i < 20; i++)
		give_source(o, i * 200, 200, i == 13 ? 100 : UINT32_MAX);
	while (rc == 0 && (rc = evs_order_next(o, &out, &rows, &d)) == 1)
		rc = 0;
	T_CHECK(rc == EVS_E_FORMAT);
	evs_order_free(o);
	T_CHECK(open_parts == 0);
}

int main(void)
{
	static const struct evs_order_key k[] = { { 1, false, false }, { 4, true, true },
						  { 3, false, true },  { 5, true, false },
						  { 2, false, false }, { 6, true, false },
						  { 7, false, false }, { 8, true, false } };
	const size_t large = (size_t)1 << 28;
	char name[64];

	if (!setup())
		return 1;
	for (unsigned c = 0; c < sizeof(k) / sizeof(k[0]); c++) {
		snprintf(name, sizeof(name), "by column %u", k[c].col);
		sorts(name, &k[c], 1, 0, large, 512, false);
		sorts(name, &k[c], 1, 0, 30000, 512, true);
		sorts(name, &k[c], 1, 10, large, 100, false);
		sorts_many(name, &k[c], 1, c % 2);
	}
	sorts_many("many by three, one thread", k + 1, 3, false);
	sorts_many("many by three, two threads", k + 1, 3, true);
	sorts_many("many by an id, two threads", k + 5, 2, true);
	sorts("by all", k, 8, 0, large, ROWS, false);
	sorts("by all, spilled", k, 8, 0, 30000, 512, true);
	sorts("by three, many runs", k + 1, 3, 0, 5000, 37, true);
	sorts("the first 1,000", k + 3, 2, 1000, large, 512, false);
	sorts("the first 1,000, spilled", k + 3, 2, 1000, 30000, 512, true);
	sorts_sources("sources alone", k + 1, 3, large, 1000, 1);
	sorts_sources("one source", k + 1, 3, large, ROWS, 1);
	sorts_sources("sources and rows", k + 1, 3, 100000, 300, 3);
	sorts_sources("many sources, and rows that spill", k + 3, 2, 5000, 37, 2);
	sorts_sources("more sources than are merged at once", k, 8, large, 40, 1);
	source_fails(k);
	sorts("more than there are", k + 3, 2, ROWS + 5, large, 512, false);
	for (unsigned c = 0; c < NCOLS; c++) {
		evs_array_release(&cols[c]);
		evs_type_release(&type[c]);
	}
	return t_done();
}
