/*
 * array.[ch]: every way to append, against a model of plain C values; rollback; comparison; limits.
 */
#include "format/array.h"
#include "tests/unit/t.h"

#include <math.h>
#include <stdlib.h>

static uint64_t rng = 88172645463325252u;

static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 33) % n;
}

/* What array.h promises of any array, whatever was done to it. */
static bool sound(const struct evs_array *a)
{
	uint32_t nulls = 0;

	for (uint32_t i = 0; i < a->rows; i++) {
		nulls += evs_array_is_null(a, i);
		if (a->offs && a->offs[i + 1] < a->offs[i])
			return false;
		if (!evs_array_is_null(a, i))
			continue;
		if (a->offs && a->offs[i + 1] != a->offs[i])
			return false;
		for (uint32_t k = 0; !a->offs && k < a->width; k++) {
			if (a->data[(size_t)i * a->width + k])
				return false;
		}
	}
	for (size_t i = a->rows; a->valid && i < a->valid_cap * 8; i++) {
		if (a->valid[i / 8] >> (i & 7) & 1)
			return false;
	}
	for (unsigned i = 0; i < a->nchild; i++) {
		uint32_t want = a->rows ? (uint32_t)a->offs[a->rows] : 0;

		if (a->child[i].rows != want || !sound(&a->child[i]))
			return false;
	}
	return nulls == a->nulls && !a->valid == !nulls && (!a->offs || a->offs[0] == 0);
}

static bool same_rows(const struct evs_array *a, uint32_t i, const struct evs_array *b, uint32_t j)
{
	return evs_array_compare(a, i, b, j) == 0 &&
	       evs_array_is_null(a, i) == evs_array_is_null(b, j);
}

/* Values that differ in their first 64 bits: their prefixes are in their order. */
static bool prefixes_agree(const struct evs_array *a, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t j = 0; j < n; j++) {
			uint64_t p = evs_array_prefix(a, i), q = evs_array_prefix(a, j);

			if ((p > q) - (p < q) != evs_array_compare(a, i, a, j))
				return false;
		}
	}
	return true;
}

static void test_ints(void)
{
	static const uint16_t widths[] = { 1, 2, 4, 8 };

	for (unsigned w = 0; w < 4; w++) {
		for (unsigned sign = 0; sign < 2; sign++) {
			uint64_t top = (uint64_t)1 << (widths[w] * 8 - 1);
			struct evs_array a;

			evs_array_init(&a, EVS_INT, widths[w], sign);
			T_CHECK(evs_array_append_int(&a, top) == 0);
			T_CHECK(evs_array_append_int(&a, (uint64_t)-1) == 0);
			T_CHECK(evs_array_append_int(&a, top - 1) == 0);
			t_eq_u64("top bit", evs_array_int(&a, 0), sign ? -top : top);
			t_eq_u64("all ones", evs_array_int(&a, 1),
				 sign ? UINT64_MAX : top | (top - 1));
			t_eq_u64("below the top bit", evs_array_int(&a, 2), top - 1);
			T_CHECK(evs_array_compare(&a, 0, &a, 1) == -1);
			T_CHECK(evs_array_compare(&a, 1, &a, 2) == (sign ? -1 : 1));
			T_CHECK(prefixes_agree(&a, 3));
			T_CHECK(evs_array_bytes_used(&a) == 3u * widths[w] && sound(&a));
			evs_array_release(&a);
		}
	}
}

static void test_floats(void)
{
	static const double order[] = { -INFINITY, -1.5, -0.0, 2.5, INFINITY, NAN };

	for (uint16_t width = 4; width <= 8; width = (uint16_t)(width + 4)) {
		struct evs_array a;

		evs_array_init(&a, EVS_FLOAT, width, true);
		for (unsigned i = 0; i < 6; i++)
			T_CHECK(evs_array_append_float(&a, order[i]) == 0);
		for (uint32_t i = 0; i < 6; i++) {
			for (uint32_t j = 0; j < 6; j++)
				T_CHECK(evs_array_compare(&a, i, &a, j) == (i > j) - (i < j));
		}
		T_CHECK(evs_array_append_float(&a, 0.0) == 0 && evs_array_append_null(&a) == 0);
		T_CHECK(evs_array_compare(&a, 6, &a, 2) == 0 && prefixes_agree(&a, 7));
		T_CHECK(evs_array_compare(&a, 7, &a, 0) == -1 &&
			evs_array_compare(&a, 5, &a, 7) == 1);
		T_CHECK(evs_array_compare(&a, 7, &a, 7) == 0);
		T_CHECK(signbit(evs_array_float(&a, 2)) && isnan(evs_array_float(&a, 5)));
		evs_array_release(&a);
	}
}

static void test_bytes_order(void)
{
	static const char *const order[] = { "", "a", "a\x01", "ab", "b", "\xff" };
	struct evs_array a;
	size_t n;

	evs_array_init(&a, EVS_BYTES, 0, false);
	t_eq_u64("no rows, one offset", evs_array_bytes_used(&a), 4);
	for (unsigned i = 0; i < 6; i++)
		T_CHECK(evs_array_append_bytes(&a, order[i], strlen(order[i])) == 0);
	for (uint32_t i = 0; i < 6; i++) {
		for (uint32_t j = 0; j < 6; j++)
			T_CHECK(evs_array_compare(&a, i, &a, j) == (i > j) - (i < j));
	}
	T_CHECK(!memcmp(evs_array_bytes(&a, 3, &n), "ab", 2) && n == 2);
	T_CHECK(sound(&a) && !a.valid && prefixes_agree(&a, 6));
	T_CHECK(evs_array_append_bytes(&a, "\xff\xfe 345678", 9) == 0 &&
		evs_array_append_bytes(&a, "\xff\xfe 345679", 9) == 0);
	T_CHECK(evs_array_prefix(&a, 6) == evs_array_prefix(&a, 7) &&
		evs_array_prefix(&a, 5) < evs_array_prefix(&a, 6));
	evs_array_release(&a);

	/* An array of empty strings only has no bytes, and still reads. */
	evs_array_init(&a, EVS_BYTES, 0, false);
	T_CHECK(evs_array_append_bytes(&a, "", 0) == 0);
	T_CHECK(evs_array_bytes(&a, 0, &n) != NULL && n == 0);
	evs_array_release(&a);
}

/* Append one random row to an array of any shape. */
static int append_random(struct evs_array *a, unsigned null_in)
{
	uint8_t v[64];
	uint32_t n;
	int rc = 0;

	if (null_in && !rnd(null_in))
		return evs_array_append_null(a);
	for (unsigned i = 0; i < sizeof(v); i++)
		v[i] = (uint8_t)rnd(256);
	switch (a->phys) {
	case EVS_INT:
		return evs_array_append_int(a, evs_array_bytes_used(a) * 7919 + v[0]);
	case EVS_FLOAT:
		return evs_array_append_float(a, (double)rnd(1000) / 8);
	case EVS_FIXED:
		return evs_array_append_fixed(a, v);
	case EVS_BYTES:
		return evs_array_append_bytes(a, v, rnd(4) ? rnd(17) : rnd(64));
	default:
		n = rnd(4);
		for (uint32_t k = 0; k < n && rc == 0; k++) {
			for (unsigned i = 0; i < a->nchild && rc == 0; i++)
				rc = append_random(&a->child[i], i + 1 < a->nchild ? 0 : null_in);
		}
		return rc < 0 ? rc : evs_array_close_row(a);
	}
}

/* Shape number k, or false when there is no such shape. */
static bool shape(struct evs_array *a, unsigned k)
{
	static const uint16_t fixed[] = { 1, 2, 3, 4, 8, 12, 16, 33 };

	memset(a, 0, sizeof(*a));
	if (k < 4) {
		evs_array_init(a, EVS_INT, (uint16_t)(1 << k), k & 1);
	} else if (k < 6) {
		evs_array_init(a, EVS_FLOAT, k == 4 ? 4 : 8, true);
	} else if (k < 14) {
		evs_array_init(a, EVS_FIXED, fixed[k - 6], false);
	} else if (k == 14) {
		evs_array_init(a, EVS_BYTES, 0, false);
	} else if (k == 15) {
		T_CHECK(evs_array_init_nested(a, EVS_LIST) == 0);
		evs_array_init(a->child, EVS_BYTES, 0, false);
	} else if (k == 16) {
		T_CHECK(evs_array_init_nested(a, EVS_MAP) == 0);
		evs_array_init(&a->child[0], EVS_BYTES, 0, false);
		evs_array_init(&a->child[1], EVS_INT, 8, true);
	} else if (k == 17) {
		T_CHECK(evs_array_init_nested(a, EVS_LIST) == 0);
		T_CHECK(evs_array_init_nested(a->child, EVS_LIST) == 0);
		evs_array_init(a->child->child, EVS_FIXED, 16, false);
	}
	return k < 18;
}

static void check_take(const struct evs_array *src, uint32_t before)
{
	struct evs_array a;
	uint32_t idx[300], n = rnd(300);

	T_CHECK(evs_array_init_like(&a, src) == 0);
	T_CHECK(evs_array_append_range(&a, src, 0, before) == 0);
	for (uint32_t i = 0; i < n; i++)
		idx[i] =
			i && rnd(2) && idx[i - 1] + 1 < src->rows ? idx[i - 1] + 1 : rnd(src->rows);
	T_CHECK(evs_array_take(&a, src, idx, n) == 0);
	T_CHECK(a.rows == before + n && sound(&a));
	for (uint32_t i = 0; i < before; i++)
		T_CHECK(same_rows(&a, i, src, i));
	for (uint32_t i = 0; i < n; i++)
		T_CHECK(same_rows(&a, before + i, src, idx[i]));
	evs_array_release(&a);
}

static void check_ranges(const struct evs_array *src)
{
	struct evs_array a;
	uint32_t start[40], from[40], n[40], parts = 0;

	T_CHECK(evs_array_init_like(&a, src) == 0);
	for (; parts < 40; parts++) {
		start[parts] = a.rows;
		from[parts] = rnd(src->rows);
		n[parts] = rnd(src->rows - from[parts] + 1);
		T_CHECK(evs_array_append_range(&a, src, from[parts], n[parts]) == 0);
		T_CHECK(sound(&a));
	}
	for (uint32_t p = 0; p < parts; p++) {
		for (uint32_t i = 0; i < n[p]; i++)
			T_CHECK(same_rows(&a, start[p] + i, src, from[p] + i));
	}
	/* Backwards to nothing: what is left is always what was there. */
	while (a.rows) {
		evs_array_truncate(&a, rnd(a.rows));
		T_CHECK(sound(&a));
		for (uint32_t p = 0; p < parts; p++) {
			if (start[p] < a.rows && n[p])
				T_CHECK(same_rows(&a, start[p], src, from[p]));
		}
	}
	evs_array_release(&a);
}

static void test_shapes(void)
{
	static const unsigned null_in[] = { 0, 3, 100 };
	struct evs_array src;

	for (unsigned k = 0; shape(&src, k); k++) {
		for (unsigned i = 0; i < 3; i++) {
			evs_array_reset(&src);
			for (uint32_t r = 0; r < 200; r++)
				T_CHECK(append_random(&src, null_in[i]) == 0);
			T_CHECK(sound(&src) && src.rows == 200);
			T_CHECK(i != 1 || src.nulls > 0);
			check_take(&src, 0);
			check_take(&src, 5);
			check_ranges(&src);
		}
		evs_array_release(&src);
	}
	evs_array_release(&src);
}

/* A row that is given up half way leaves nothing behind. */
static void test_rollback(void)
{
	struct evs_array a;
	const int32_t *offs;

	T_CHECK(evs_array_init_nested(&a, EVS_MAP) == 0);
	evs_array_init(&a.child[0], EVS_BYTES, 0, false);
	evs_array_init(&a.child[1], EVS_INT, 4, true);
	T_CHECK(evs_array_append_bytes(&a.child[0], "k", 1) == 0);
	T_CHECK(evs_array_append_int(&a.child[1], 1) == 0);
	T_CHECK(evs_array_close_row(&a) == 0 && sound(&a));
	T_CHECK(evs_array_append_bytes(&a.child[0], "left over", 9) == 0);
	evs_array_truncate(&a, 1);
	T_CHECK(sound(&a) && a.child[0].rows == 1);
	T_CHECK(evs_array_append_bytes(&a.child[0], "left over", 9) == 0);
	T_CHECK(evs_array_append_null(&a) == 0 && sound(&a));
	T_CHECK(a.rows == 2 && a.nulls == 1);
	evs_array_truncate(&a, 1);
	T_CHECK(!a.valid && !a.nulls && sound(&a));
	offs = a.offs;
	evs_array_reset(&a);
	T_CHECK(a.rows == 0 && a.offs == offs && sound(&a));
	evs_array_release(&a);
	evs_array_release(NULL);
}

static void test_limits(void)
{
	struct evs_array a;

	evs_array_init(&a, EVS_INT, 8, true);
	T_CHECK(evs_array_append_int(&a, 42) == 0);
	T_CHECK(evs_array_reserve(&a, EVS_ARRAY_MAX_BYTES / 8, 0) == EVS_E_NOMEM);
	T_CHECK(evs_array_append_nulls(&a, UINT32_MAX) == EVS_E_NOMEM);
	T_CHECK(a.rows == 1 && evs_array_int(&a, 0) == 42 && sound(&a));
	evs_array_release(&a);

	evs_array_init(&a, EVS_BYTES, 0, false);
	T_CHECK(evs_array_append_bytes(&a, "x", 1) == 0);
	T_CHECK(evs_array_reserve(&a, 1, SIZE_MAX) == EVS_E_NOMEM);
	T_CHECK(evs_array_reserve(&a, 1, EVS_ARRAY_MAX_BYTES) == EVS_E_NOMEM);
	T_CHECK(evs_array_append_bytes(&a, "", SIZE_MAX) == EVS_E_NOMEM);
	T_CHECK(a.rows == 1 && sound(&a));
	evs_array_release(&a);

	/* A reservation takes what was asked for, not twice that. */
	evs_array_init(&a, EVS_INT, 8, true);
	T_CHECK(evs_array_reserve(&a, 1000000, 0) == 0);
	T_CHECK(a.data_cap >= 8000000 && a.data_cap < 8100000);
	evs_array_release(&a);
}

static void test_append_nulls(void)
{
	struct evs_array a;

	for (unsigned k = 0; shape(&a, k); k++) {
		T_CHECK(evs_array_append_nulls(&a, 0) == 0 && !a.valid);
		T_CHECK(evs_array_append_nulls(&a, 77) == 0);
		T_CHECK(a.rows == 77 && a.nulls == 77 && sound(&a));
		T_CHECK(append_random(&a, 0) == 0);
		T_CHECK(a.rows == 78 && a.nulls == 77 && sound(&a));
		evs_array_release(&a);
	}
	evs_array_release(&a);
}

/* The rows' bytes are those of the array, but for validity and where offsets begin. */
static void test_row_bytes(void)
{
	struct evs_array a;
	size_t sum, used;

	for (unsigned k = 0; shape(&a, k); k++) {
		sum = 0;
		for (unsigned i = 0; i < 100; i++)
			T_CHECK(append_random(&a, 0) == 0);
		for (uint32_t i = 0; i < a.rows; i++)
			sum += evs_array_row_bytes(&a, i);
		used = evs_array_bytes_used(&a);
		T_CHECK(sum <= used && used - sum <= used / 16 + 64);
		evs_array_release(&a);
	}
	evs_array_release(&a);
}

/* A view of rows, of none, and of an array that has no memory yet. */
static void test_views(void)
{
	struct evs_array a, v;

	evs_array_init(&a, EVS_INT, 4, false);
	v = evs_array_view(&a, 0, 0);
	T_CHECK(v.rows == 0 && !v.data && !v.valid);
	for (uint32_t i = 0; i < 40; i++)
		T_CHECK(evs_array_append_int(&a, i) == 0);
	v = evs_array_view(&a, 16, 3);
	T_CHECK(v.rows == 3 && evs_array_int(&v, 0) == 16 && evs_array_int(&v, 2) == 18);
	evs_array_release(&a);
}

int main(void)
{
	test_ints();
	test_floats();
	test_bytes_order();
	test_shapes();
	test_rollback();
	test_limits();
	test_append_nulls();
	test_row_bytes();
	test_views();
	return t_done();
}
