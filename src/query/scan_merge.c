/*
 * Merging rows of one sort key, as ReplacingMergeTree and SummingMergeTree promise (spec/query.md 10).
 *
 * All rows of a segment are sorted by the key, within it by the version and then as they were stored; rows of one key then
 * stand side by side. What memory does not hold goes to disk. Filters come afterwards, for a row that is replaced must not
 * answer in the place of the one that replaced it.
 */
#include "src/diag.h"
#include "src/query/order.h"
#include "src/query/scan.h"

#include <stdlib.h>

#define MERGE_MEMORY ((size_t)12 << 20)

__extension__ typedef __int128 int128;

struct scan_merge {
	struct evs_order *order;
	const struct evs_type **types; /* of the slots */
	struct evs_order_key *keys;
	size_t nkeys, ncompare; /* the first ncompare are the sort key */
	int deleted;		/* slot of is_deleted, or -1 */
	bool *add;		/* slots that SUMMING adds up */
	struct evs_array *last; /* of each slot: the row that the next one may replace or be added to, or none */
	struct evs_array *out;	/* merged rows */
};

bool evs_scan_merges(const struct evs_scan *s)
{
	return s->table->engine != EVS_ENGINE_MERGE && !s->opts.follow;
}

static bool in_key(const struct evs_table *t, uint16_t column)
{
	for (uint16_t k = 0; k < t->nkey; k++)
		if (t->key[k] == column)
			return true;
	return false;
}

bool evs_scan_time_prunes(const struct evs_scan *s)
{
	return !evs_scan_merges(s) || in_key(s->table, (uint16_t)s->table->time_column);
}

bool evs_scan_filter_prunes(const struct evs_scan *s, const struct evs_expr *filter)
{
	if (!evs_scan_merges(s))
		return true;
	for (uint16_t c = 0; c < s->table->ncols; c++)
		if (evs_expr_uses(filter, c) && !in_key(s->table, c))
			return false;
	return true;
}

void evs_merge_release(struct evs_scan *s)
{
	struct scan_merge *m = s->merge;

	if (!m)
		return;
	for (size_t i = 0; i < s->nslots; i++) {
		if (m->last)
			evs_array_release(&m->last[i]);
		if (m->out)
			evs_array_release(&m->out[i]);
	}
	evs_order_free(m->order);
	free(m->types);
	free(m->keys);
	free(m->add);
	free(m->last);
	free(m->out);
	free(m);
	s->merge = NULL;
}

static bool is_sum(const struct evs_type *t)
{
	return (t->id >= EVS_T_INT8 && t->id <= EVS_T_FLOAT64) || t->id == EVS_T_DECIMAL;
}

/* Is a column added up: named, or a number where none is named, and in no key? */
static bool adds_up(const struct evs_table *t, uint16_t column)
{
	bool named = t->nengine_cols == 0;

	for (uint16_t i = 0; i < t->nengine_cols; i++)
		named |= t->engine_cols[i] == column;
	return t->engine == EVS_ENGINE_SUMMING && named && !in_key(t, column) &&
	       column != t->time_column && column != t->tenant_column && is_sum(&t->cols[column].type);
}

static int add_key(struct evs_scan *s, struct scan_merge *m, uint16_t column)
{
	int slot = evs_scan_slot(s, column);

	if (slot < 0)
		return slot;
	m->keys[m->nkeys++] = (struct evs_order_key){ .col = (uint32_t)slot, .nulls_first = true };
	return 0;
}

static int choose_slots(struct evs_scan *s, struct scan_merge *m)
{
	const struct evs_table *t = s->table;
	int rc = 0;

	m->deleted = -1;
	m->keys = calloc((size_t)t->nkey + 1, sizeof(*m->keys));
	if (!m->keys)
		return EVS_E_NOMEM;
	for (uint16_t k = 0; k < t->nkey && rc == 0; k++)
		rc = add_key(s, m, t->key[k]);
	m->ncompare = m->nkeys;
	if (rc == 0 && t->engine == EVS_ENGINE_REPLACING && t->nengine_cols > 0)
		rc = add_key(s, m, t->engine_cols[0]);
	if (rc == 0 && t->engine == EVS_ENGINE_REPLACING && t->nengine_cols > 1)
		rc = m->deleted = evs_scan_slot(s, t->engine_cols[1]);
	if (rc >= 0 && (s->opts.has_since || s->opts.has_until))
		rc = evs_scan_slot(s, (uint16_t)t->time_column);
	return rc < 0 ? rc : 0;
}

static int make_arrays(struct evs_scan *s, struct scan_merge *m)
{
	size_t n = s->nslots + 1;
	int rc = 0;

	m->types = calloc(n, sizeof(*m->types));
	m->add = calloc(n, sizeof(*m->add));
	m->last = calloc(n, sizeof(*m->last));
	m->out = calloc(n, sizeof(*m->out));
	if (!m->types || !m->add || !m->last || !m->out)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < s->nslots && rc == 0; i++) {
		uint16_t column = s->slots[i].column;

		m->types[i] = &s->table->cols[column].type;
		m->add[i] = adds_up(s->table, column);
		rc = evs_array_init_like(&m->last[i], &s->slots[i].a);
		if (rc == 0)
			rc = evs_array_init_like(&m->out[i], &s->slots[i].a);
	}
	return rc;
}

int evs_merge_open(struct evs_scan *s, struct evs_diag *diag)
{
	int rc;

	if (s->merge || !evs_scan_merges(s))
		return 0;
	s->merge = calloc(1, sizeof(*s->merge));
	rc = s->merge ? choose_slots(s, s->merge) : EVS_E_NOMEM;
	if (rc == 0)
		rc = make_arrays(s, s->merge);
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

int evs_merge_add(struct evs_scan *s, uint32_t rows, struct evs_diag *diag)
{
	struct scan_merge *m = s->merge;
	struct evs_array *cols = calloc(s->nslots + 1, sizeof(*cols)); /* views */
	int rc = cols ? 0 : EVS_E_NOMEM;

	if (rc == 0 && !m->order)
		rc = evs_order_new(&m->order, m->types, s->nslots, m->keys, m->nkeys, 0, MERGE_MEMORY);
	for (size_t i = 0; i < s->nslots && rc == 0; i++)
		cols[i] = s->slots[i].a;
	rc = rc < 0 ? evs_fail_nomem(diag) : evs_order_add(m->order, cols, rows, diag);
	free(cols);
	return rc;
}

static bool same_key(const struct scan_merge *m, const struct evs_array *a, uint32_t i,
		     const struct evs_array *b, uint32_t j)
{
	for (size_t k = 0; k < m->ncompare; k++) {
		uint32_t c = m->keys[k].col;

		if (evs_array_compare(&a[c], i, &b[c], j) != 0)
			return false;
	}
	return true;
}

/* The row that waits becomes one of the answer. */
static int give(const struct evs_scan *s, struct scan_merge *m)
{
	int rc = 0;

	if (m->deleted >= 0 && !evs_array_is_null(&m->last[m->deleted], 0) &&
	    evs_array_int(&m->last[m->deleted], 0))
		return 0;
	for (size_t i = 0; i < s->nslots && rc == 0; i++)
		rc = evs_array_append_range(&m->out[i], &m->last[i], 0, 1);
	return rc;
}

static int wait_with(const struct evs_scan *s, struct scan_merge *m, const struct evs_array *cols,
		     uint32_t row)
{
	int rc = 0;

	for (size_t i = 0; i < s->nslots && rc == 0; i++) {
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
static int add_up(const struct evs_scan *s, struct scan_merge *m, const struct evs_array *cols,
		  uint32_t row)
{
	int rc = 0, all = 1;
	size_t i;

	for (i = 0; i < s->nslots && rc == 0 && all; i++) {
		struct evs_array *last = &m->last[i];

		if (!m->add[i] || evs_array_is_null(&cols[i], row))
			rc = evs_array_append_range(last, last, 0, 1);
		else if (evs_array_is_null(last, 0))
			rc = evs_array_append_range(last, &cols[i], row, 1);
		else if (!put_sum(m->types[i], last, &cols[i], row, last, &rc))
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

static int take_row(const struct evs_scan *s, struct scan_merge *m, const struct evs_array *cols,
		    uint32_t row)
{
	int rc;

	if (m->last[0].rows && same_key(m, m->last, 0, cols, row)) {
		if (s->table->engine == EVS_ENGINE_REPLACING)
			return wait_with(s, m, cols, row);
		rc = add_up(s, m, cols, row);
		if (rc != 0)
			return rc < 0 ? rc : 0;
	}
	if (m->last[0].rows) {
		rc = give(s, m);
		if (rc < 0)
			return rc;
	}
	return wait_with(s, m, cols, row);
}

/* The merged rows go to the slots, whose arrays are reused. */
static void hand_over(struct evs_scan *s, struct scan_merge *m)
{
	for (size_t i = 0; i < s->nslots; i++) {
		struct evs_array a = s->slots[i].a;

		s->slots[i].a = m->out[i];
		s->slots[i].loaded = true;
		m->out[i] = a;
	}
}

int evs_merge_next(struct evs_scan *s, uint32_t *rows, struct evs_diag *diag)
{
	struct scan_merge *m = s->merge;
	struct evs_array *cols;
	uint32_t n = 0;
	int more = 1, rc = 0;

	for (size_t i = 0; i < s->nslots; i++)
		evs_array_reset(&m->out[i]);
	while (m->order && !m->out[0].rows && more > 0 && rc == 0) {
		more = evs_order_next(m->order, &cols, &n, diag);
		if (more < 0)
			return more;
		for (uint32_t i = 0; i < n && more && rc == 0; i++) {
			/* Replaced by the next one, so it need not be copied. */
			if (s->table->engine == EVS_ENGINE_REPLACING && i + 1 < n &&
			    same_key(m, cols, i, cols, i + 1))
				continue;
			rc = take_row(s, m, cols, i);
		}
	}
	if (m->order && !more && rc == 0) {
		if (m->last[0].rows)
			rc = give(s, m);
		for (size_t i = 0; i < s->nslots; i++)
			evs_array_reset(&m->last[i]);
		evs_order_free(m->order);
		m->order = NULL;
	}
	if (rc < 0)
		return evs_fail_nomem(diag);
	*rows = m->out[0].rows;
	if (*rows)
		hand_over(s, m);
	return *rows ? 1 : 0;
}
