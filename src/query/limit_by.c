/*
 * The first rows of each group. See limit_by.h.
 *
 * When memory is full, the table of groups takes no more. Rows of its groups are still decided at
 * once, but as some before them may not be, they are kept for later; the others are sorted by
 * group, and the first ones of each kept, too. What is kept is sorted by the number of the row.
 */
#include "src/query/limit_by.h"

#include "src/diag.h"
#include "src/query/order.h"
#include "src/query/query.h"

#include <stdlib.h>
#include <string.h>

static const struct evs_type number_type = { .id = EVS_T_INT64 };

struct evs_limit_by {
	size_t ncols;
	const struct evs_type **type; /* of the columns, then of a row's number */
	uint32_t *by;
	size_t nby;
	uint64_t limit;
	size_t cap;

	struct evs_groups *groups;
	uint64_t *count; /* rows of each group so far */
	uint32_t count_cap;
	const struct evs_array **key;

	bool full;
	int64_t row; /* number of the next one */
	struct evs_order *rest, *late;
	struct evs_array *taken;
	uint32_t *pick;
	uint32_t pick_cap;
	bool ended;
	struct evs_array *last; /* the row of `rest` before the ones at hand, or none */
	uint64_t seen;		/* rows of its group */
};

/* ---- making ---------------------------------------------------------------------------------- */

void evs_limit_by_free(struct evs_limit_by *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->ncols + 1; i++) {
		if (l->taken)
			evs_array_release(&l->taken[i]);
		if (l->last)
			evs_array_release(&l->last[i]);
	}
	evs_groups_free(l->groups);
	evs_order_free(l->rest);
	evs_order_free(l->late);
	free(l->type);
	free(l->by);
	free(l->key);
	free(l->count);
	free(l->taken);
	free(l->last);
	free(l->pick);
	free(l);
}

static int make(struct evs_limit_by *l, const struct evs_limit_by_spec *spec)
{
	struct evs_groups_key *key = calloc(spec->nby + 1, sizeof(*key));
	int rc = key ? 0 : EVS_E_NOMEM;

	for (size_t i = 0; i < spec->nby && rc == 0; i++) {
		l->by[i] = spec->by[i];
		key[i] = spec->col[spec->by[i]];
	}
	for (size_t i = 0; i <= l->ncols && rc == 0; i++) {
		l->type[i] = i < l->ncols ? spec->col[i].type : &number_type;
		rc = evs_type_array(l->type[i], &l->taken[i]);
		if (rc == 0)
			rc = evs_type_array(l->type[i], &l->last[i]);
	}
	if (rc == 0)
		rc = evs_groups_new(&l->groups, key, spec->nby);
	free(key);
	return rc;
}

int evs_limit_by_new(struct evs_limit_by **out, const struct evs_limit_by_spec *spec)
{
	struct evs_limit_by *l = calloc(1, sizeof(*l));
	size_t n = spec->ncols + 1;

	if (!l)
		return EVS_E_NOMEM;
	l->ncols = spec->ncols;
	l->nby = spec->nby;
	l->limit = spec->limit;
	l->cap = spec->cap;
	l->type = calloc(n, sizeof(*l->type));
	l->by = calloc(spec->nby + 1, sizeof(*l->by));
	l->key = calloc(spec->nby + 1, sizeof(*l->key));
	l->taken = calloc(n, sizeof(*l->taken));
	l->last = calloc(n, sizeof(*l->last));
	if (!l->type || !l->by || !l->key || !l->taken || !l->last || make(l, spec) < 0) {
		evs_limit_by_free(l);
		return EVS_E_NOMEM;
	}
	*out = l;
	return 0;
}

uint64_t evs_limit_by_spills(const struct evs_limit_by *l)
{
	return (l->rest ? evs_order_spills(l->rest) : 0) +
	       (l->late ? evs_order_spills(l->late) : 0);
}

/* ---- rows in --------------------------------------------------------------------------------- */

static int need_counts(struct evs_limit_by *l)
{
	uint32_t n = evs_groups_count(l->groups), cap = n + n / 2 + 64;
	uint64_t *grown;

	if (n <= l->count_cap)
		return 0;
	grown = realloc(l->count, cap * sizeof(*grown));
	if (!grown)
		return EVS_E_NOMEM;
	memset(grown + l->count_cap, 0, (cap - l->count_cap) * sizeof(*grown));
	l->count = grown;
	l->count_cap = cap;
	return 0;
}

static int need_pick(struct evs_limit_by *l, uint32_t n)
{
	if (n <= l->pick_cap)
		return 0;
	free(l->pick);
	l->pick = malloc(n * sizeof(*l->pick));
	l->pick_cap = l->pick ? n : 0;
	return l->pick ? 0 : EVS_E_NOMEM;
}

/* The groups have as much memory as they get. */
static int fill_up(struct evs_limit_by *l)
{
	struct evs_order_key *key = calloc(l->nby + 1, sizeof(*key));
	struct evs_order_key number = { .col = (uint32_t)l->ncols };
	int rc = key ? 0 : EVS_E_NOMEM;

	for (size_t i = 0; i < l->nby && key; i++)
		key[i].col = l->by[i];
	if (key)
		key[l->nby] = number;
	if (rc == 0)
		rc = evs_order_new(&l->rest, l->type, l->ncols + 1, key, l->nby + 1, 0, l->cap / 4);
	if (rc == 0)
		rc = evs_order_new(&l->late, l->type, l->ncols + 1, &number, 1, 0, l->cap / 4);
	free(key);
	evs_groups_freeze(l->groups);
	l->full = rc == 0;
	return rc;
}

/* Rows l->pick[0 .. n), with their numbers, of which the first is `first`, or is in column `ncols`.
 */
static int keep(struct evs_limit_by *l, struct evs_order *o, const struct evs_array *cols,
		uint32_t n, const int64_t *first, struct evs_diag *diag)
{
	int rc = 0;

	for (size_t i = 0; i < l->ncols + !first && rc == 0; i++) {
		evs_array_reset(&l->taken[i]);
		rc = evs_array_take(&l->taken[i], &cols[i], l->pick, n);
	}
	if (first)
		evs_array_reset(&l->taken[l->ncols]);
	for (uint32_t i = 0; first && i < n && rc == 0; i++)
		rc = evs_array_append_int(&l->taken[l->ncols], (uint64_t)(*first + l->pick[i]));
	if (rc < 0)
		return evs_fail_nomem(diag);
	return n ? evs_order_add(o, l->taken, n, diag) : 0;
}

/* `group`: of each row, UINT32_MAX where it is none of the table's. */
static int keep_back(struct evs_limit_by *l, const struct evs_array *cols, uint32_t rows,
		     const uint32_t *group, struct evs_diag *diag)
{
	uint32_t n = 0;
	int rc = need_pick(l, rows) < 0 ? evs_fail_nomem(diag) : 0;

	for (uint32_t i = 0; i < rows && rc == 0; i++)
		if (group[i] != UINT32_MAX && l->count[group[i]]++ < l->limit)
			l->pick[n++] = i;
	if (rc == 0)
		rc = keep(l, l->late, cols, n, &l->row, diag);
	n = 0;
	for (uint32_t i = 0; i < rows && rc == 0; i++)
		if (group[i] == UINT32_MAX)
			l->pick[n++] = i;
	return rc < 0 ? rc : keep(l, l->rest, cols, n, &l->row, diag);
}

int evs_limit_by_add(struct evs_limit_by *l, const struct evs_array *cols, uint32_t rows,
		     uint32_t *sel, uint32_t *n, struct evs_diag *diag)
{
	int rc;

	for (size_t i = 0; i < l->nby; i++)
		l->key[i] = &cols[l->by[i]];
	rc = evs_groups_find(l->groups, l->key, rows, sel);
	if (rc == 0)
		rc = need_counts(l);
	*n = 0;
	if (rc < 0)
		return evs_fail_nomem(diag);
	if (l->full) {
		rc = keep_back(l, cols, rows, sel, diag);
	} else {
		for (uint32_t i = 0; i < rows; i++) {
			bool take = l->count[sel[i]]++ < l->limit;

			sel[*n] = i;
			*n += take;
		}
		if (evs_groups_memory(l->groups) + l->count_cap * sizeof(*l->count) > l->cap / 2 &&
		    fill_up(l) < 0)
			rc = evs_fail_nomem(diag);
	}
	l->row += rows;
	return rc;
}

/* ---- rows out -------------------------------------------------------------------------------- */

static bool same_group(const struct evs_limit_by *l, const struct evs_array *a, uint32_t i,
		       const struct evs_array *b, uint32_t j)
{
	for (size_t k = 0; k < l->nby; k++)
		if (evs_array_compare(&a[l->by[k]], i, &b[l->by[k]], j) != 0)
			return false;
	return true;
}

/* Rows of the rest, sorted by group: the first ones of each are kept. */
static int choose(struct evs_limit_by *l, const struct evs_array *cols, uint32_t rows,
		  struct evs_diag *diag)
{
	uint32_t n = 0;
	int rc = need_pick(l, rows);

	for (uint32_t i = 0; i < rows && rc == 0; i++) {
		bool again = i ? same_group(l, cols, i - 1, cols, i)
			       : l->last[0].rows && same_group(l, l->last, 0, cols, 0);

		l->seen = again ? l->seen + 1 : 1;
		l->pick[n] = i;
		n += l->seen <= l->limit;
	}
	for (size_t i = 0; i < l->ncols && rc == 0; i++) {
		evs_array_reset(&l->last[i]);
		rc = evs_array_append_range(&l->last[i], &cols[i], rows - 1, 1);
	}
	return rc < 0 ? evs_fail_nomem(diag) : keep(l, l->late, cols, n, NULL, diag);
}

int evs_limit_by_next(struct evs_limit_by *l, struct evs_array **cols, uint32_t *rows,
		      struct evs_diag *diag)
{
	int rc = 0;

	if (!l->full)
		return 0;
	while (!l->ended && (rc = evs_order_next(l->rest, cols, rows, diag)) > 0) {
		rc = choose(l, *cols, *rows, diag);
		if (rc < 0)
			return rc;
	}
	l->ended = true;
	return rc < 0 ? rc : evs_order_next(l->late, cols, rows, diag);
}
