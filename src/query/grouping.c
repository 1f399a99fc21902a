/*
 * Groups with their aggregates. See grouping.h.
 *
 * count(DISTINCT x) is a grouping of its own, by the keys and x, without aggregates; its groups are
 * counted at the end. So it is exact, and as large as it likes.
 */
#include "src/query/grouping_state.h"

#include "src/diag.h"

#include <stdlib.h>
#include <string.h>

/* ---- making ---------------------------------------------------------------------------------- */

static int make_shapes(struct evs_grouping *g)
{
	size_t n = g->nkey;
	int rc = 0;

	for (size_t j = 0; j < g->nagg; j++)
		n += evs_agg_columns(g->agg[j]);
	g->state = calloc(n + 1, sizeof(*g->state));
	g->cols = calloc(g->nkey + g->nagg + 1, sizeof(*g->cols));
	if (!g->state || !g->cols)
		return EVS_E_NOMEM;
	for (size_t k = 0; k < g->nkey && rc == 0; k++) {
		rc = evs_type_array(g->key[k].type, &g->state[g->nstate++]);
		if (rc == 0)
			rc = evs_type_array(g->key[k].type, &g->cols[k]);
	}
	for (size_t j = 0; j < g->nagg && rc == 0; j++) {
		rc = evs_type_array(&g->call[j].type, &g->cols[g->nkey + j]);
		for (unsigned c = 0; c < evs_agg_columns(g->agg[j]) && rc == 0; c++)
			rc = evs_agg_column(g->agg[j], c, &g->state[g->nstate++]);
	}
	return rc;
}

/* The grouping that tells the values of count(DISTINCT x, ...) apart. */
static int make_distinct(struct evs_grouping *g, size_t j, size_t cap)
{
	const struct evs_agg_call *call = &g->call[j];
	size_t n = g->nkey + call->narg;
	struct evs_groups_key *key = calloc(n, sizeof(*key));
	struct evs_grouping_spec spec = { .key = key, .nkey = n, .cap = cap };
	int rc;

	if (!key)
		return EVS_E_NOMEM;
	memcpy(key, g->key, g->nkey * sizeof(*key));
	for (size_t i = 0; i < call->narg; i++)
		key[g->nkey + i].type = evs_expr_type(call->arg[i], NULL); /* nulls do not come */
	rc = evs_grouping_new(&g->distinct[j], &spec);
	free(key);
	if (n > g->ntaken)
		g->ntaken = n;
	return rc;
}

static int make_aggs(struct evs_grouping *g)
{
	size_t distinct = 0;
	int rc = 0;

	for (size_t j = 0; j < g->nagg; j++)
		distinct += g->call[j].fn == EVS_AGG_UNIQ_EXACT;
	g->cap /= 1 + distinct;
	g->only_counts = g->nkey == 1;
	for (size_t j = 0; j < g->nagg && rc == 0; j++) {
		rc = evs_agg_new(&g->agg[j], &g->call[j]);
		if (rc == 0 && g->call[j].fn == EVS_AGG_UNIQ_EXACT)
			rc = make_distinct(g, j, g->cap);
		if (rc == 0 && !g->nkey)
			rc = evs_agg_groups(g->agg[j], 1);
		g->only_counts &= rc == 0 && evs_agg_counts_rows(g->agg[j]);
	}
	return rc;
}

int evs_grouping_new(struct evs_grouping **out, const struct evs_grouping_spec *spec)
{
	struct evs_grouping *g = calloc(1, sizeof(*g));
	int rc = EVS_E_NOMEM;

	if (!g)
		return EVS_E_NOMEM;
	g->nkey = spec->nkey;
	g->nagg = spec->nagg;
	g->call = spec->agg;
	g->cap = spec->cap;
	g->key = calloc(spec->nkey + 1, sizeof(*g->key));
	g->agg = calloc(spec->nagg + 1, sizeof(*g->agg));
	g->distinct = calloc(spec->nagg + 1, sizeof(*g->distinct));
	if (!g->key || !g->agg || !g->distinct)
		goto out;
	if (spec->nkey)
		memcpy(g->key, spec->key, spec->nkey * sizeof(*g->key));
	rc = make_aggs(g);
	if (rc == 0 && g->ntaken && !(g->taken = calloc(g->ntaken, sizeof(*g->taken))))
		rc = EVS_E_NOMEM;
	if (rc == 0 && g->nkey)
		rc = evs_groups_new(&g->groups, g->key, g->nkey);
	if (rc == 0)
		rc = make_shapes(g);
	if (rc < 0)
		goto out;
	*out = g;
	g = NULL;
out:
	evs_grouping_free(g);
	return rc;
}

void evs_grouping_free(struct evs_grouping *g)
{
	if (!g)
		return;
	for (size_t j = 0; j < g->nagg; j++) {
		if (g->agg)
			evs_agg_free(g->agg[j]);
		if (g->distinct)
			evs_grouping_free(g->distinct[j]);
	}
	for (size_t i = 0; g->state && i < g->nstate; i++)
		evs_array_release(&g->state[i]);
	for (size_t i = 0; g->cols && i < g->nkey + g->nagg; i++)
		evs_array_release(&g->cols[i]);
	for (size_t i = 0; g->taken && i < g->ntaken; i++)
		evs_array_release(&g->taken[i]);
	for (size_t i = 0; i < g->ndone; i++)
		evs_spill_free(g->done[i]);
	evs_spill_free(g->spill);
	evs_groups_free(g->groups);
	free(g->key);
	free(g->agg);
	free(g->distinct);
	free(g->taken);
	free(g->id);
	free(g->of_code);
	free(g->first);
	evs_array_release(&g->coded_key);
	free(g->state);
	free(g->cols);
	free(g->wait);
	free(g->done);
	free(g);
}

uint64_t evs_grouping_spills(const struct evs_grouping *g)
{
	uint64_t n = g->spills;

	for (size_t j = 0; j < g->nagg; j++)
		n += g->distinct[j] ? evs_grouping_spills(g->distinct[j]) : 0;
	return n;
}

/* ---- rows in --------------------------------------------------------------------------------- */

static int take_rows(struct evs_array *to, const struct evs_array *from, const uint32_t *sel,
		     uint32_t n)
{
	evs_array_release(to);
	if (evs_array_init_like(to, from) < 0)
		return EVS_E_NOMEM;
	return evs_array_take(to, from, sel, n);
}

bool evs_grouping_takes_codes(const struct evs_grouping *g)
{
	for (size_t j = 0; j < g->nagg; j++)
		if (g->distinct[j])
			return false; /* it wants keys beside its arguments */
	return g->nkey == 1;
}

static int need_codes(struct evs_grouping *g, uint32_t n)
{
	if (n <= g->code_cap)
		return 0;
	free(g->of_code);
	free(g->first);
	g->of_code = malloc(n * sizeof(*g->of_code));
	g->first = malloc(n * sizeof(*g->first));
	g->code_cap = g->of_code && g->first ? n : 0;
	return g->code_cap ? 0 : EVS_E_NOMEM;
}

/* Groups of the rows into g->id: only the values that appear are looked up, in the order in which
 * they do. */
static int find_by_code(struct evs_grouping *g, const struct evs_array *key, const uint32_t *code,
			uint32_t rows)
{
	const struct evs_array *some = &g->coded_key;
	uint32_t n = 0;
	int rc = need_codes(g, key->rows + 1);

	if (rc < 0)
		return rc;
	memset(g->of_code, 0xff, key->rows * sizeof(*g->of_code));
	for (uint32_t i = 0; i < rows; i++) {
		g->first[n] = code[i];
		n += g->of_code[code[i]] == UINT32_MAX;
		g->of_code[code[i]] = 0;
	}
	rc = take_rows(&g->coded_key, key, g->first, n);
	if (rc == 0)
		rc = evs_groups_find(g->groups, &some, n, g->id);
	for (uint32_t i = 0; i < n && rc == 0; i++)
		g->of_code[g->first[i]] = g->id[i];
	for (uint32_t i = 0; i < rows && rc == 0; i++)
		g->id[i] = g->of_code[code[i]];
	return rc;
}

/* Groups of the rows at hand into g->id; every aggregate has their states. */
static int find_groups(struct evs_grouping *g, const struct evs_array *const *key,
		       const uint32_t *code, uint32_t rows)
{
	uint32_t n = 1;
	int rc = 0;

	if (rows > g->id_cap) {
		free(g->id);
		g->id = malloc(rows * sizeof(*g->id));
		g->id_cap = g->id ? rows : 0;
		if (!g->id)
			return EVS_E_NOMEM;
		memset(g->id, 0, rows * sizeof(*g->id)); /* what it stays without keys */
	}
	if (g->groups) {
		rc = code ? find_by_code(g, key[0], code, rows)
			  : evs_groups_find(g->groups, key, rows, g->id);
		n = evs_groups_count(g->groups);
	}
	for (size_t j = 0; j < g->nagg && rc == 0; j++)
		rc = evs_agg_groups(g->agg[j], n);
	return rc;
}

/* Rows where the filter is true and no argument is null: numbers into sel[], how many. */
static uint32_t select_rows(const struct evs_agg_call *call, const struct evs_grouping_input *in,
			    uint32_t rows, uint32_t *sel)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < rows; i++) {
		bool take = !in->keep || in->keep->data[i];

		for (size_t k = 0; k < call->narg && take; k++)
			take = !evs_array_is_null(in->arg[k], i);
		sel[n] = i;
		n += take;
	}
	return n;
}

static int add_distinct(struct evs_grouping *g, size_t j, const struct evs_array *const *key,
			const struct evs_grouping_input *in, uint32_t rows, struct evs_diag *diag)
{
	size_t n = g->nkey + g->call[j].narg;
	const struct evs_array **from = calloc(n, sizeof(*from));
	uint32_t *sel = malloc(((size_t)rows + 1) * sizeof(*sel)), m;
	int rc = from && sel ? 0 : EVS_E_NOMEM;

	if (rc < 0)
		goto out;
	for (size_t k = 0; k < n; k++)
		from[k] = k < g->nkey ? key[k] : in->arg[k - g->nkey];
	m = select_rows(&g->call[j], in, rows, sel);
	for (size_t k = 0; k < n && m < rows && rc == 0; k++) {
		rc = take_rows(&g->taken[k], from[k], sel, m);
		from[k] = &g->taken[k];
	}
	if (rc == 0 && m) {
		rc = evs_grouping_add(g->distinct[j], from, NULL, NULL, m, diag);
		diag = NULL;
	}
out:
	free(sel);
	free(from);
	return rc == EVS_E_NOMEM && diag ? evs_fail_nomem(diag) : rc;
}

/* Rows that are only counted, and whose groups are all there. False: nothing is done. */
static bool tally(struct evs_grouping *g, const struct evs_array *key, uint32_t rows)
{
	uint32_t id[256], n[256], groups = evs_groups_tally(g->groups, key, rows, id, n);

	for (size_t j = 0; j < g->nagg; j++)
		for (uint32_t i = 0; i < groups; i++)
			evs_agg_add_rows(g->agg[j], id[i], n[i]);
	return groups > 0;
}

int evs_grouping_add(struct evs_grouping *g, const struct evs_array *const *key,
		     const uint32_t *code, const struct evs_grouping_input *in, uint32_t rows,
		     struct evs_diag *diag)
{
	int rc;

	if (g->only_counts && !code && tally(g, key[0], rows))
		return 0;
	rc = find_groups(g, key, code, rows);
	for (size_t j = 0; j < g->nagg && rc == 0; j++) {
		if (g->distinct[j]) {
			rc = add_distinct(g, j, key, &in[j], rows, diag);
			if (rc < 0)
				return rc;
		} else {
			rc = evs_agg_update(g->agg[j], in[j].arg, in[j].keep,
					    g->groups ? g->id : NULL, rows);
		}
	}
	return rc < 0 ? evs_fail_nomem(diag) : evs_grouping_relieve(g, diag);
}

/* ---- groups in ------------------------------------------------------------------------------- */

int evs_grouping_merge(struct evs_grouping *g, const struct evs_array *state, uint32_t rows,
		       struct evs_diag *diag)
{
	const struct evs_array **key = calloc(g->nkey + 1, sizeof(*key));
	const struct evs_array *col = state + g->nkey;
	int rc = key ? 0 : EVS_E_NOMEM;

	for (size_t k = 0; k < g->nkey && rc == 0; k++)
		key[k] = &state[k];
	if (rc == 0)
		rc = find_groups(g, key, NULL, rows);
	for (size_t j = 0; j < g->nagg && rc == 0; j++) {
		rc = evs_agg_merge(g->agg[j], col, g->id, rows);
		col += evs_agg_columns(g->agg[j]);
	}
	free(key);
	if (rc == EVS_E_FORMAT)
		return evs_fail(diag, rc, "columns that hold no states of the aggregates");
	return rc < 0 ? evs_fail_nomem(diag) : evs_grouping_relieve(g, diag);
}

int evs_grouping_merge_own(struct evs_grouping *g, const struct evs_array *state, uint32_t rows,
			   struct evs_diag *diag)
{
	int rc = evs_grouping_merge(g, state, rows, diag);

	if (rc == EVS_E_FORMAT)
		rc = evs_fail(diag, EVS_E_SYS,
			      "a temporary file does not give back what was written to it");
	return rc;
}

/* The other's table, piece by piece. */
static int merge_table(struct evs_grouping *g, struct evs_grouping *from, struct evs_diag *diag)
{
	uint32_t n = from->groups ? evs_groups_count(from->groups) : 1, id[CHUNK];
	int rc = 0;

	for (uint32_t at = 0; at < n && rc == 0; at += CHUNK) {
		uint32_t rows = n - at < CHUNK ? n - at : CHUNK;

		for (uint32_t i = 0; i < rows; i++)
			id[i] = at + i;
		if (from->groups) {
			rc = evs_grouping_save(from, id, rows);
		} else {
			struct evs_array *col = from->state;

			for (size_t j = 0; j < from->nagg && rc == 0; j++) {
				rc = evs_agg_save(from->agg[j], id, rows, col);
				col += evs_agg_columns(from->agg[j]);
			}
		}
		rc = rc < 0 ? evs_fail_nomem(diag)
			    : evs_grouping_merge_own(g, from->state, rows, diag);
	}
	evs_grouping_clear(from);
	return rc;
}

int evs_grouping_absorb(struct evs_grouping *g, struct evs_grouping *from, struct evs_diag *diag)
{
	int rc = 0;

	for (size_t j = 0; j < g->nagg && rc == 0; j++)
		if (g->distinct[j])
			rc = evs_grouping_absorb(g->distinct[j], from->distinct[j], diag);
	if (rc < 0 || !from->spill)
		return rc < 0 ? rc : merge_table(g, from, diag);
	/* Blocks are merged in their order: ours first. */
	rc = evs_grouping_spill(g, diag);
	if (rc == 0)
		rc = evs_grouping_spill(from, diag);
	if (rc == 0) {
		rc = evs_spill_join(g->spill, from->spill, diag);
		from->spill = rc == 0 ? NULL : from->spill;
	}
	return rc;
}

/* ---- groups out ------------------------------------------------------------------------------ */

/* Count what the grouping of a count(DISTINCT ...) holds. */
static int count_distinct(struct evs_grouping *g, size_t j, struct evs_diag *diag)
{
	size_t n = g->nkey + g->call[j].narg;
	const struct evs_array **col = calloc(n, sizeof(*col));
	struct evs_array *cols;
	uint32_t rows;
	int rc = col ? 0 : evs_fail_nomem(diag);

	while (rc == 0 && (rc = evs_grouping_next(g->distinct[j], &cols, &rows, diag)) == 1) {
		for (size_t k = 0; k < n; k++)
			col[k] = &cols[k];
		rc = find_groups(g, col, NULL, rows);
		if (rc == 0)
			rc = evs_agg_update(g->agg[j], col + g->nkey, NULL,
					    g->groups ? g->id : NULL, rows);
		rc = rc < 0 ? evs_fail_nomem(diag) : evs_grouping_relieve(g, diag);
	}
	free(col);
	evs_grouping_free(g->distinct[j]);
	g->distinct[j] = NULL;
	return rc;
}

/* Rows have ended: what is on disk is to be merged. */
static int end_rows(struct evs_grouping *g, struct evs_diag *diag)
{
	int rc = 0;

	g->ended = true;
	for (size_t j = 0; j < g->nagg && rc == 0; j++)
		if (g->distinct[j])
			rc = count_distinct(g, j, diag);
	return rc < 0 ? rc : evs_grouping_push(g, diag);
}

static int give(struct evs_grouping *g, uint32_t n, struct evs_diag *diag)
{
	uint32_t id[CHUNK];
	int rc = 0;

	for (size_t i = 0; i < g->nkey + g->nagg; i++)
		evs_array_reset(&g->cols[i]);
	for (uint32_t i = 0; i < n; i++)
		id[i] = g->given + i;
	if (g->groups && evs_groups_keys(g->groups, id, n, g->cols) < 0)
		return evs_fail_nomem(diag);
	for (size_t j = 0; j < g->nagg && rc == 0; j++)
		rc = evs_agg_finish(g->agg[j], g->given, n, &g->cols[g->nkey + j], diag);
	g->given += n;
	return rc;
}

int evs_grouping_next(struct evs_grouping *g, struct evs_array **cols, uint32_t *rows,
		      struct evs_diag *diag)
{
	uint32_t n;
	int rc = g->ended ? 0 : end_rows(g, diag);

	while (rc == 0) {
		n = g->groups ? evs_groups_count(g->groups) : 1;
		if (g->given < n) {
			*rows = evs_grouping_chunk(g);
			*rows = n - g->given < *rows ? n - g->given : *rows;
			*cols = g->cols;
			rc = give(g, *rows, diag);
			return rc < 0 ? rc : 1;
		}
		if (!g->nwait) {
			evs_grouping_clear(g); /* whoever comes next needs the memory */
			return 0;
		}
		rc = evs_grouping_pop(g, diag);
	}
	return rc;
}
