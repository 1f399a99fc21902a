/*
 * INT nodes: every kind forced over every width, with and without signs, and what the chooser
 * takes.
 */
#include "tests/unit/enc_gen.h"

#define MAX_ROWS 3000u

/* Shapes of values, each a function of the row. */
static uint64_t value(unsigned shape, uint32_t i)
{
	static uint64_t walk;

	switch (shape) {
	case 0:
		return 7; /* all equal */
	case 1:
		return i & 1 ? UINT64_MAX : 0; /* alternating ends */
	case 2:
		return (uint64_t)1734307200000u + i * 250u; /* steady clock */
	case 3:
		walk = i ? walk + gen_below(1000) : 1734307200000u;
		return walk; /* rising */
	case 4:
		walk = i ? walk + gen_below(100) - 50 : 0;
		return walk; /* around zero */
	case 5:
		return gen_u64(); /* any bits */
	case 6:
		return gen_below(50) ? gen_below(16) : gen_u64() >> gen_below(64); /* outliers */
	case 7:
		return (uint64_t)gen_below(9) * 1000003u; /* few distinct */
	case 8:
		return i / 37; /* runs */
	case 9:
		return (uint64_t)gen_below(100) * 3 + 5; /* scaled by 3 */
	case 10:
		return (uint64_t)i * i; /* steady growth of growth */
	case 11:
		return (uint64_t)1 << 63 | gen_below(4); /* around the sign bit */
	default:
		return gen_below(3) ? 0x7fffffffffffffffu : 0x8000000000000000u;
	}
}

#define SHAPES 13u

static void fill(struct evs_array *a, unsigned w, bool is_signed, unsigned shape, uint32_t rows)
{
	evs_array_init(a, EVS_INT, (uint16_t)w, is_signed);
	for (uint32_t i = 0; i < rows; i++)
		if (evs_array_append_int(a, value(shape, i)))
			abort();
}

static void test_shapes(void)
{
	static const uint32_t rows[] = { 1, 2, 3, 4, 7, 8, 9, 31, 64, 65, 257, 1000, MAX_ROWS };
	struct evs_array a, holes;
	char name[96];

	for (unsigned w = 1; w <= 8; w *= 2)
		for (unsigned shape = 0; shape < SHAPES; shape++)
			for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
				fill(&a, w, shape & 1, shape, rows[r]);
				gen_with_nulls(&holes, &a, 1 + gen_below(5));
				snprintf(name, sizeof(name), "width %u shape %u rows %u", w, shape,
					 (unsigned)rows[r]);
				t_check(name, gen_trips(&a));
				t_check(name, gen_trips(&holes));
				evs_array_release(&holes);
				evs_array_release(&a);
			}
}

/* Kinds that hold any values (of at least three rows), and those that need the right ones. */
static void test_forced(void)
{
	static const struct {
		uint8_t kind;
		unsigned shape;
		unsigned min_w;
	} cases[] = {
		{ EVS_NODE_CONST, 0, 1 },  { EVS_NODE_PLAIN, 5, 1 },   { EVS_NODE_PACKED, 9, 2 },
		{ EVS_NODE_PACKED, 8, 1 }, { EVS_NODE_PATCHED, 6, 0 }, { EVS_NODE_PLANES, 3, 1 },
		{ EVS_NODE_BLOCKS, 3, 1 }, { EVS_NODE_BLOCKS, 6, 1 },  { EVS_NODE_PLANES, 5, 1 },
		{ EVS_NODE_PLANES, 1, 1 }, { EVS_NODE_DELTA, 2, 1 },   { EVS_NODE_DELTA, 3, 1 },
		{ EVS_NODE_DELTA, 5, 1 },  { EVS_NODE_DELTA, 12, 1 },  { EVS_NODE_DELTA2, 10, 1 },
		{ EVS_NODE_DELTA2, 5, 1 }, { EVS_NODE_RUNS, 8, 1 },    { EVS_NODE_RUNS, 5, 1 },
		{ EVS_NODE_DICT, 7, 1 },   { EVS_NODE_SCALED, 9, 2 },
	};
	struct evs_array a, holes;
	char name[96];

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
		for (unsigned w = 1; w <= 8; w *= 2) {
			if (w < cases[k].min_w)
				continue;
			fill(&a, w, w & 2, cases[k].shape, 1000);
			snprintf(name, sizeof(name), "kind %u forced, width %u, shape %u",
				 cases[k].kind, w, cases[k].shape);
			if (cases[k].min_w)
				t_check(name, gen_forced(&a, cases[k].kind));
			gen_with_nulls(&holes, &a, 3);
			t_check(name, gen_forced(&holes, cases[k].kind));
			evs_array_release(&holes);
			evs_array_release(&a);
		}
}

/* Every bit width from 1 to 64, every number of rows around the eight-byte tail. */
static void test_widths(void)
{
	struct evs_array a;
	char name[64];

	for (unsigned bits = 1; bits <= 64; bits++)
		for (uint32_t rows = 1; rows < 20; rows++) {
			evs_array_init(&a, EVS_INT, 8, false);
			for (uint32_t i = 0; i < rows; i++)
				if (evs_array_append_int(&a, gen_u64() >> (64 - bits)))
					abort();
			snprintf(name, sizeof(name), "%u bits, %u rows", bits, (unsigned)rows);
			t_check(name, gen_forced(&a, EVS_NODE_PACKED) || rows == 1 || bits < 4 ||
					      bits == 64);
			t_check(name, gen_trips(&a));
			evs_array_release(&a);
		}
}

static uint8_t chosen(unsigned w, unsigned shape, bool no_zstd)
{
	struct evs_enc_opts opts = { .no_zstd = no_zstd };
	struct evs_array a;
	uint8_t kind = 0;

	fill(&a, w, false, shape, MAX_ROWS);
	if (!gen_trip(&a, &opts, &kind))
		kind = 0;
	evs_array_release(&a);
	return kind;
}

static void test_choice(void)
{
	t_eq_u64("equal values are a constant", chosen(8, 0, false), EVS_NODE_CONST);
	t_eq_u64("a steady clock is scaled or a delta",
		 chosen(8, 2, true) == EVS_NODE_DELTA || chosen(8, 2, true) == EVS_NODE_SCALED,
		 true);
	t_eq_u64("rising values are a delta", chosen(8, 3, true), EVS_NODE_DELTA);
	t_eq_u64("random bits are plain", chosen(8, 5, false), EVS_NODE_PLAIN);
	t_eq_u64("a few outliers are patched", chosen(8, 6, true), EVS_NODE_PATCHED);
	t_eq_u64("multiples of 3 are scaled", chosen(8, 9, true), EVS_NODE_SCALED);
	t_eq_u64("long runs are runs",
		 chosen(4, 8, true) == EVS_NODE_RUNS || chosen(4, 8, true) == EVS_NODE_DELTA, true);
}

/* What one number costs decides what a one-row commit costs. */
static void test_one_row_is_small(void)
{
	static const struct {
		uint64_t v;
		size_t most;
	} cases[] = { { 0, 2 },
		      { 1, 2 },
		      { UINT64_MAX, 2 },
		      { 1734307200000u, 7 },
		      { 0x8000000000000000u, 9 },
		      { 0x7fffffffffffffffu, 9 } };
	struct evs_enc_ctx *e = NULL;
	struct evs_buf buf = { 0 };
	struct evs_array a;

	if (evs_enc_ctx_new(&e, NULL))
		abort();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		evs_array_init(&a, EVS_INT, 8, true);
		evs_buf_reset(&buf);
		T_CHECK(evs_array_append_int(&a, cases[i].v) == 0);
		T_CHECK(evs_column_encode(e, &a, &buf) == 0);
		t_check("bytes of one number", buf.len <= cases[i].most);
		evs_array_release(&a);
	}
	evs_buf_release(&buf);
	evs_enc_ctx_free(e);
}

int main(void)
{
	test_shapes();
	test_forced();
	test_widths();
	test_choice();
	test_one_row_is_small();
	return t_done();
}
