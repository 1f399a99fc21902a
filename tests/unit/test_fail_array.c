/*
 * Arrays and buffers when memory fails (fail_op.h).
 */
#include "format/array.h"
#include "tests/unit/enc_gen.h"
#include "tests/unit/fail_op.h"

static struct evs_array source, empty; /* a map, with nulls, and its shape */

static void make_map(void)
{
	if (evs_array_init_nested(&source, EVS_MAP) || evs_array_init_nested(&empty, EVS_MAP))
		abort();
	evs_array_init(&source.child[0], EVS_BYTES, 0, false);
	evs_array_init(&source.child[1], EVS_INT, 8, true);
	evs_array_init(&empty.child[0], EVS_BYTES, 0, false);
	evs_array_init(&empty.child[1], EVS_INT, 8, true);
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned k = 0; k < i % 4; k++)
			if (evs_array_append_bytes(&source.child[0], "key", k) ||
			    (k & 1 ? evs_array_append_null(&source.child[1])
				   : evs_array_append_int(&source.child[1], i)))
				abort();
		if (i % 7 == 3 ? evs_array_append_null(&source) : evs_array_close_row(&source))
			abort();
	}
}

/* All rows, and picked ones; the array is as it was when that fails. */
static int map_op(struct evs_buf *out)
{
	uint32_t picks[50];
	struct evs_array a = { 0 };
	int rc = evs_array_init_like(&a, &empty);

	(void)out;
	for (uint32_t i = 0; i < 50; i++)
		picks[i] = i * 7 % 100;
	for (unsigned step = 0; rc == 0 && step < 3; step++) {
		uint32_t before = a.rows;

		rc = step == 1 ? evs_array_take(&a, &source, picks, 50)
			       : evs_array_append_range(&a, &source, 3 * step, 60);
		if (rc < 0 && (a.rows != before || (!a.nulls && a.valid) ||
			       a.child[0].rows != a.child[1].rows))
			rc = 1;
		for (uint32_t i = 0; rc <= 0 && i < before; i++)
			if (evs_array_compare(&a, i, &source, i < 60 ? i : picks[i - 60]) != 0)
				rc = 2;
	}
	evs_array_release(&a);
	return rc;
}

/* Rows of which none is null. */
static int present_op(struct evs_buf *out)
{
	struct evs_array a = { 0 };
	int rc = evs_array_init_like(&a, &empty);

	(void)out;
	if (rc == 0)
		rc = evs_array_append_range(&a, &source, 4, 6);
	if (rc < 0 && (a.rows || a.valid))
		rc = 1;
	for (uint32_t i = 0; rc == 0 && i < 6; i++)
		if (evs_array_compare(&a, i, &source, i + 4) != 0)
			rc = 2;
	evs_array_release(&a);
	return rc;
}

/* Numbers, of which some are null, picked out. */
static int picked_op(struct evs_buf *out)
{
	const struct evs_array *from = &source.child[1];
	static const uint32_t picks[] = { 3, 99, 4, 0 };
	struct evs_array a = { 0 };
	int rc = evs_array_init_like(&a, from);

	(void)out;
	if (rc == 0)
		rc = evs_array_take(&a, from, picks, 4);
	if (rc < 0 && (a.rows || a.nulls))
		rc = 1;
	for (uint32_t i = 0; rc == 0 && i < 4; i++)
		if (evs_array_compare(&a, i, from, picks[i]) != 0)
			rc = 2;
	evs_array_release(&a);
	return rc;
}

/* Lists of maps: init_like() has something to undo. */
static int shape_op(struct evs_buf *out)
{
	struct evs_array outer = { 0 }, copy = { 0 };
	int rc = evs_array_init_nested(&outer, EVS_LIST);

	(void)out;
	if (rc == 0)
		rc = evs_array_init_like(&outer.child[0], &empty);
	if (rc == 0)
		rc = evs_array_init_like(&copy, &outer);
	evs_array_release(&outer);
	evs_array_release(&copy);
	return rc;
}

/* One row more, `nulls` of them before: how many allocations of one append may fail. */
static void check_append(enum evs_phys phys, uint16_t width, int (*append)(struct evs_array *a))
{
	bool hit = true;

	for (unsigned nulls = 0; nulls < 2; nulls++, hit = true)
		for (long n = 1; hit; n++) {
			struct evs_array a = { 0 };
			uint32_t rows = 0;
			int rc = 0;

			if (phys == EVS_LIST ? evs_array_init_nested(&a, EVS_LIST) : 0)
				abort();
			if (phys == EVS_LIST)
				evs_array_init(a.child, EVS_INT, 8, true);
			else
				evs_array_init(&a, phys, width, true);
			if (nulls && evs_array_append_null(&a))
				abort();
			/* Until something must grow, each N in turn. */
			for (fail_begin("memory", n, 0); rc == 0 && a.rows < 3000;) {
				rows = a.rows;
				rc = append(&a);
			}
			hit = fail_end();
			T_CHECK(rc == (hit ? EVS_E_NOMEM : 0) && (!hit || a.rows == rows));
			T_CHECK(append(&a) == 0 && a.nulls == nulls);
			evs_array_release(&a);
		}
}

static int append_int(struct evs_array *a)
{
	return evs_array_append_int(a, 7);
}

static int append_float(struct evs_array *a)
{
	return evs_array_append_float(a, 7);
}

static int append_fixed(struct evs_array *a)
{
	return evs_array_append_fixed(a, "0123456789abcdef");
}

static int append_bytes(struct evs_array *a)
{
	return evs_array_append_bytes(a, "0123456789abcdef", 16);
}

static int append_list(struct evs_array *a)
{
	return evs_array_close_row(a);
}

/* Appending nulls, rows without values and reserving, after `n` allocations that work. */
static int nulls_op(struct evs_buf *out)
{
	struct evs_array a, b;
	int rc;

	(void)out;
	evs_array_init(&a, EVS_INT, 8, true);
	evs_array_init(&b, EVS_BYTES, 0, false);
	rc = evs_array_append_int(&a, 1);
	if (rc == 0)
		rc = evs_array_append_nulls(&a, 5);
	if (rc == 0)
		rc = evs_array_append_nulls(&a, 5000);
	if (rc == 0)
		rc = evs_array_reserve(&a, 10000, 0);
	if (rc == 0)
		rc = evs_array_reserve(&b, 10, 100);
	if (rc == 0)
		rc = evs_array_append_nulls(&b, 10);
	if (rc == 0)
		rc = evs_array_append_range(&a, &a, 0, 0);
	evs_array_release(&a);
	evs_array_release(&b);
	return rc;
}

/* From a capacity that cannot grow by half. */
static void test_growth_cap(void)
{
	struct evs_array a;

	evs_array_init(&a, EVS_INT, 8, true);
	T_CHECK(evs_array_append_int(&a, 1) == 0);
	a.data_cap = 0x70000000;
	fail_begin("memory", 1, 0);
	T_CHECK(evs_array_reserve(&a, 0x0e100000, 0) == EVS_E_NOMEM);
	T_CHECK(fail_end());
	evs_array_release(&a);
}

static void test_buffers(void)
{
	for (unsigned i = 0; i < 7; i++) {
		struct evs_buf b = { 0 };

		fail_begin("memory", 1, 0);
		switch (i) {
		case 0:
			evs_buf_put_u8(&b, 1);
			break;
		case 1:
			evs_buf_put_u16(&b, 1);
			break;
		case 2:
			evs_buf_put_u32(&b, 1);
			break;
		case 3:
			evs_buf_put_u64(&b, 1);
			break;
		case 4:
			evs_buf_put_varint(&b, 1);
			break;
		case 5:
			evs_buf_put_zero(&b, 1);
			break;
		default:
			evs_buf_put(&b, "x", 1);
		}
		T_CHECK(fail_end() && !evs_buf_ok(&b) && b.len == 0);
		evs_buf_put_u8(&b, 1);
		T_CHECK(b.len == 0 && !b.p);
	}
}

/* Rows of lists picked out, with and without nulls, into an array that knows of nulls or not. */
static void test_take_lists(void)
{
	enum { ROWS = 60 };
	uint32_t idx[2][ROWS], n[2] = { 0, 0 };
	struct evs_array src, dst;

	gen_lists(&src, ROWS);
	for (uint32_t i = ROWS; i-- > 0;) {
		idx[0][n[0]++] = i;
		if (i % 7)
			idx[1][n[1]++] = i;
	}
	for (unsigned how = 0; how < 4; how++) {
		const uint32_t *of = idx[how % 2], count = n[how % 2], first = how / 2;
		bool hit = true;

		for (long at = 1; hit; at++) {
			bool same = true;
			int rc;

			if (evs_array_init_like(&dst, &src) < 0 ||
			    (first && evs_array_append_null(&dst) < 0))
				abort();
			fail_begin("memory", at, ENOMEM);
			rc = evs_array_take(&dst, &src, of, count);
			hit = fail_end();
			T_CHECK(hit ? rc == EVS_E_NOMEM : rc == 0 && dst.rows == first + count);
			for (uint32_t i = 0; rc == 0 && i < count; i++)
				same &= evs_array_is_null(&dst, first + i) ==
						evs_array_is_null(&src, of[i]) &&
					evs_array_compare(&dst, first + i, &src, of[i]) == 0;
			T_CHECK(same &&
				(rc < 0 || dst.nulls == first + (how % 2 ? 0 : (ROWS + 6) / 7)));
			evs_array_release(&dst);
		}
	}
	evs_array_release(&src);
}

int main(void)
{
	test_buffers();
	test_growth_cap();
	make_map();
	check("map", map_op);
	check("rows that are present", present_op);
	check("picked numbers", picked_op);
	check("shape", shape_op);
	check("nulls", nulls_op);
	evs_array_release(&source);
	evs_array_release(&empty);
	check_append(EVS_INT, 8, append_int);
	check_append(EVS_FLOAT, 8, append_float);
	check_append(EVS_FIXED, 16, append_fixed);
	check_append(EVS_BYTES, 0, append_bytes);
	check_append(EVS_LIST, 0, append_list);
	test_take_lists();
	return t_done();
}
