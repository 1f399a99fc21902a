/*
 * Merging rows of one key. See merge.h.
 */
#include "src/query/merge.h"

#include "format/bytes.h"
#include "src/diag.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 int128;

struct evs_merge {
	struct evs_merge_spec spec; /* its pointers are our copies, but for the types */
	struct evs_order *order;    /* NULL: no rows yet */
	struct evs_array *last; /* the row that the next one may replace or be added to, or none */
	struct evs_array *out;	/* merged rows */
	uint8_t *same;		/* rows at hand that the next one replaces */
	uint32_t *pick;		/* those that stay */
	uint32_t cap;
	struct evs_array *taken;
};

void evs_merge_free(struct evs_merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->spec.ncols; i++) {
		if (m->last)
			evs_array_release(&m->last[i]);
		if (m->out)
			evs_array_release(&m->out[i]);
		if (m->taken)
			evs_array_release(&m->taken[i]);
	}
	evs_order_free(m->order);
	free(m->same);
	free(m->pick);
	free(m->taken);
	free((void *)(uintptr_t)m->spec.type);
	free((void *)(uintptr_t)m->spec.key);
	free((void *)(uintptr_t)m->spec.add);
	free(m->last);
	free(m->out);
	free(m);
}

static const void *copy(const void *p, size_t n)
{
	void *to = malloc(n ? n : 1);

	return to && n ? memcpy(to, p, n) : to;
}

int evs_merge_new(struct evs_merge **out, const struct evs_merge_spec *spec)
{
	struct evs_merge *m = calloc(1, sizeof(*m));
	size_t n = spec->ncols;
	int rc = 0;

	if (!m)
		return EVS_E_NOMEM;
	m->spec = *spec;
	m->spec.type = copy(spec->type, n * sizeof(struct evs_type *));
	m->spec.key = copy(spec->key, spec->nkeys * sizeof(*spec->key));
	m->spec.add = spec->add ? copy(spec->add, n * sizeof(*spec->add)) : NULL;
	m->last = calloc(n + 1, sizeof(*m->last));
	m->out = calloc(n + 1, sizeof(*m->out));
	m->taken = calloc(n + 1, sizeof(*m->taken));
	if (!m->spec.type || !m->spec.key || (spec->add && !m->spec.add) || !m->last || !m->out ||
	    !m->taken)
		rc = EVS_E_NOMEM;
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = evs_type_array(spec->type[i], &m->last[i]);
		if (rc == 0)
			rc = evs_type_array(spec->type[i], &m->out[i]);
	}
	if (rc < 0) {
		evs_merge_free(m);
		return EVS_E_NOMEM;
	}
	*out = m;
	return 0;
}

/* same[i] stays set where rows i and i + 1 have one value of the column. */
static inline __attribute__((always_inline)) void compare_fixed(const struct evs_array *a,
								uint32_t rows, size_t w,
								uint8_t *same)
{
	uint64_t x, y, z;

	for (uint32_t i = 0; i + 1 < rows; i++) {
		z = 0;
		for (size_t k = 0; k < w; k += 8) {
			memcpy(&x, a->data + i * w + k, 8);
			memcpy(&y, a->data + (i + 1) * w + k, 8);
			z |= x ^ y;
		}
		same[i] &= !z;
	}
}

static void compare_next(const struct evs_array *a, uint32_t rows, uint8_t *same)
{
	bool fixed = (a->phys == EVS_INT || a->phys == EVS_FIXED) && !a->valid;

	if (fixed && a->width == 16)
		compare_fixed(a, rows, 16, same);
	else if (fixed && a->width == 8)
		compare_fixed(a, rows, 8, same);
	else
		for (uint32_t i = 0; i + 1 < rows; i++)
			same[i] = same[i] && !evs_array_compare(a, i, a, i + 1);
}

/* Whether each row has the key of the next one, into m->same. */
static int find_same(struct evs_merge *m, const struct evs_array *cols, uint32_t rows)
{
	if (rows > m->cap) {
		free(m->same);
		free(m->pick);
		m->same = malloc(rows);
		m->pick = malloc(rows * sizeof(*m->pick));
		m->cap = m->same && m->pick ? rows : 0;
		if (!m->cap)
			return EVS_E_NOMEM;
	}
	memset(m->same, 1, rows);
	for (size_t k = 0; k < m->spec.ncompare; k++)
		compare_next(&cols[m->spec.key[k].col], rows, m->same);
	return 0;
}

/* Does row i + 1, of the same key, come behind row i when they are sorted? */
static bool comes_behind(const struct evs_merge *m, const struct evs_array *cols, uint32_t i)
{
	for (size_t k = m->spec.ncompare; k < m->spec.nkeys; k++) {
		const struct evs_order_key *key = &m->spec.key[k];
		const struct evs_array *a = &cols[key->col];
		bool x = evs_array_is_null(a, i), y = evs_array_is_null(a, i + 1);
		int c;

		if (x && y)
			continue;
		if (x || y)
			return x == key->nulls_first;
		c = evs_order_compare(m->spec.type[key->col], a, i, a, i + 1);
		if (c)
			return c < 0;
	}
	return true;
}

/* same[i] stays set where it does. */
static void find_behind(struct evs_merge *m, const struct evs_array *cols, uint32_t rows)
{
	bool one = m->spec.nkeys == m->spec.ncompare + 1;
	const struct evs_array *a = &cols[one ? m->spec.key[m->spec.ncompare].col : 0];
	const int64_t *t = (const int64_t *)(const void *)a->data;

	if (one && a->phys == EVS_INT && a->width == 8 && a->is_signed && !a->valid) { /* a time */
		for (uint32_t i = 0; i + 1 < rows; i++)
			m->same[i] &= t[i] <= t[i + 1];
		return;
	}
	for (uint32_t i = 0; i + 1 < rows; i++)
		m->same[i] = m->same[i] && comes_behind(m, cols, i);
}

/*
 * Rows come in the order of a key, mostly, so the one that replaces a row often stands right behind
 * it: then the row need not be sorted. Numbers of the others into m->pick; how many, or
 * EVS_E_NOMEM.
 */
static int64_t pick_rows(struct evs_merge *m, const struct evs_array *cols, uint32_t rows)
{
	uint32_t n = 0;

	if (find_same(m, cols, rows) < 0)
		return EVS_E_NOMEM;
	find_behind(m, cols, rows);
	for (uint32_t i = 0; i < rows; i++) {
		m->pick[n] = i;
		n += i + 1 == rows || !m->same[i];
	}
	return n;
}

static int need_order(struct evs_merge *m, struct evs_diag *diag)
{
	if (m->order)
		return 0;
	if (evs_order_new(&m->order, m->spec.type, m->spec.ncols, m->spec.key, m->spec.nkeys, 0,
			  m->spec.cap) < 0)
		return evs_fail_nomem(diag);
	if (m->spec.two_threads)
		evs_order_two_threads(m->order);
	return 0;
}

int evs_merge_add(struct evs_merge *m, const struct evs_array *cols, uint32_t rows,
		  struct evs_diag *diag)
{
	int64_t n = rows;
	int rc = need_order(m, diag);

	if (rc < 0)
		return rc;
	if (!m->spec.add)
		n = pick_rows(m, cols, rows);
	if (n == rows)
		return evs_order_add(m->order, cols, rows, diag);
	if (n < 0)
		rc = EVS_E_NOMEM;
	for (size_t i = 0; i < m->spec.ncols && rc == 0; i++) {
		evs_array_reset(&m->taken[i]);
		rc = m->taken[i].phys ? 0 : evs_array_init_like(&m->taken[i], &cols[i]);
		if (rc == 0)
			rc = evs_array_take(&m->taken[i], &cols[i], m->pick, (uint32_t)n);
	}
	return rc < 0 ? evs_fail_nomem(diag) : evs_order_add(m->order, m->taken, (uint32_t)n, diag);
}

int evs_merge_run(struct evs_merge *m, const struct evs_order_source *source, uint64_t bytes,
		  struct evs_diag *diag)
{
	int rc = need_order(m, diag);

	if (rc == 0)
		return evs_order_run(m->order, source, bytes, diag);
	source->close(source->arg);
	return rc;
}

static bool same_key(const struct evs_merge *m, const struct evs_array *a, uint32_t i,
		     const struct evs_array *b, uint32_t j)
{
	for (size_t k = 0; k < m->spec.ncompare; k++) {
		uint32_t c = m->spec.key[k].col;

		if (evs_array_compare(&a[c], i, &b[c], j) != 0)
			return false;
	}
	return true;
}

static bool is_deleted(const struct evs_merge *m, const struct evs_array *cols, uint32_t row)
{
	const struct evs_array *a = m->spec.deleted >= 0 ? &cols[m->spec.deleted] : NULL;

	return a && !evs_array_is_null(a, row) && evs_array_int(a, row);
}

/* The row that waits becomes one of the answer. */
static int give(struct evs_merge *m)
{
	int rc = 0;

	if (is_deleted(m, m->last, 0))
		return 0;
	for (size_t i = 0; i < m->spec.ncols && rc == 0; i++)
		rc = evs_array_append_range(&m->out[i], &m->last[i], 0, 1);
	return rc;
}

static int wait_with(struct evs_merge *m, const struct evs_array *cols, uint32_t row)
{
	int rc = 0;

	for (size_t i = 0; i < m->spec.ncols && rc == 0; i++) {
		evs_array_reset(&m->last[i]);
		rc = evs_array_append_range(&m->last[i], &cols[i], row, 1);
	}
	return rc;
}

static int128 get_wide(const struct evs_array *a, uint32_t row)
{
	const uint8_t *p;
	size_t n;

	if (a->phys == EVS_INT)
		return a->is_signed ? (int128)(int64_t)evs_array_int(a, row)
				    : (int128)evs_array_int(a, row);
	p = evs_array_bytes(a, row, &n);
	return (int128)((unsigned __int128)evs_get64(p + 8) << 64 | evs_get64(p));
}

static bool fits(const struct evs_type *t, const struct evs_array *a, int128 v)
{
	unsigned bits = 8u * a->width;
	int128 limit = 1;

	if (t->id == EVS_T_DECIMAL) {
		for (unsigned i = 0; i < t->precision; i++)
			limit *= 10;
		return v < limit && -v < limit;
	}
	if (!a->is_signed)
		return v >= 0 && v >> bits == 0;
	limit <<= bits - 1;
	return v < limit && v >= -limit;
}

/* Append the sum of two values that are there; false: it has no place in the type. */
static bool put_sum(const struct evs_type *t, const struct evs_array *a, const struct evs_array *b,
		    uint32_t row, struct evs_array *out, int *rc)
{
	uint8_t raw[16];
	int128 v;

	if (a->phys == EVS_FLOAT) {
		*rc = evs_array_append_float(out, evs_array_float(a, 0) + evs_array_float(b, row));
		return true;
	}
	v = get_wide(a, 0) + get_wide(b, row);
	if (!fits(t, a, v))
		return false;
	evs_put64(raw, (uint64_t)v);
	evs_put64(raw + 8, (uint64_t)((unsigned __int128)v >> 64));
	*rc = a->phys == EVS_INT ? evs_array_append_int(out, (uint64_t)v)
				 : evs_array_append_fixed(out, raw);
	return true;
}

/* Add a row to the one that waits: 1, or 0 when a sum would not fit, and nothing is changed. */
static int add_up(struct evs_merge *m, const struct evs_array *cols, uint32_t row)
{
	int rc = 0, all = 1;
	size_t i;

	for (i = 0; i < m->spec.ncols && rc == 0 && all; i++) {
		struct evs_array *last = &m->last[i];

		if (!m->spec.add[i] || evs_array_is_null(&cols[i], row))
			rc = evs_array_append_range(last, last, 0, 1);
		else if (evs_array_is_null(last, 0))
			rc = evs_array_append_range(last, &cols[i], row, 1);
		else if (!put_sum(m->spec.type[i], last, &cols[i], row, last, &rc))
			all = 0;
	}
	/* Each slot has two rows now, the old one and the sum: one of them goes. */
	for (size_t k = 0; k < i && rc == 0; k++) {
		struct evs_array keep = { 0 };

		if (m->last[k].rows < 2)
			continue;
		rc = evs_array_init_like(&keep, &m->last[k]);
		if (rc == 0)
			rc = evs_array_append_range(&keep, &m->last[k], all ? 1 : 0, 1);
		evs_array_release(&m->last[k]);
		m->last[k] = keep;
	}
	return rc < 0 ? rc : all;
}

static int take_row(struct evs_merge *m, const struct evs_array *cols, uint32_t row)
{
	int rc;

	if (m->last[0].rows && same_key(m, m->last, 0, cols, row)) {
		rc = add_up(m, cols, row);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	if (m->last[0].rows) {
		rc = give(m);
		if (rc < 0)
			return rc;
	}
	return wait_with(m, cols, row);
}

static int add_rows(struct evs_merge *m, const struct evs_array *in, uint32_t n)
{
	int rc = 0;

	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = take_row(m, in, i);
	return rc;
}

/* The last rows of their keys, of which the last one waits. */
static int replace_rows(struct evs_merge *m, const struct evs_array *in, uint32_t n)
{
	uint32_t picked = 0;
	int rc = find_same(m, in, n);

	if (rc == 0 && m->last[0].rows && !same_key(m, m->last, 0, in, 0))
		rc = give(m);
	for (uint32_t i = 0; i + 1 < n && rc == 0; i++) {
		m->pick[picked] = i;
		picked += !m->same[i] && !is_deleted(m, in, i);
	}
	for (size_t i = 0; i < m->spec.ncols && rc == 0; i++)
		rc = evs_array_take(&m->out[i], &in[i], m->pick, picked);
	return rc < 0 ? rc : wait_with(m, in, n - 1);
}

int evs_merge_next(struct evs_merge *m, struct evs_array **cols, uint32_t *rows,
		   struct evs_diag *diag)
{
	struct evs_array *in;
	uint32_t n = 0;
	int more = 1, rc = 0;

	for (size_t i = 0; i < m->spec.ncols; i++)
		evs_array_reset(&m->out[i]);
	while (m->order && !m->out[0].rows && more > 0 && rc == 0) {
		more = evs_order_next(m->order, &in, &n, diag);
		if (more < 0)
			return more;
		if (more && n)
			rc = m->spec.add ? add_rows(m, in, n) : replace_rows(m, in, n);
	}
	if (m->order && !more && rc == 0) {
		if (m->last[0].rows)
			rc = give(m);
		for (size_t i = 0; i < m->spec.ncols; i++)
			evs_array_reset(&m->last[i]);
		evs_order_free(m->order);
		m->order = NULL;
	}
	if (rc < 0)
		return evs_fail_nomem(diag);
	*cols = m->out;
	*rows = m->out[0].rows;
	return *rows ? 1 : 0;
}
