/*
 * Streams of ReplacingMergeTree and SummingMergeTree: which columns merge, and how (spec/query.md 10).
 *
 * All rows of a segment are gathered, then come merged. Filters come afterwards, for a row that is replaced must not answer
 * in the place of the one that replaced it.
 */
#include "src/diag.h"
#include "src/query/merge.h"
#include "src/query/scan.h"

#include <stdlib.h>

#define MERGE_MEMORY ((size_t)12 << 20)

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

/* The slot of a column becomes the next key. */
static int add_key(struct evs_scan *s, struct evs_merge_spec *spec, struct evs_order_key *key,
		   uint16_t column)
{
	int slot = evs_scan_slot(s, column);

	if (slot < 0)
		return slot;
	key[spec->nkeys++] = (struct evs_order_key){ .col = (uint32_t)slot, .nulls_first = true };
	return 0;
}

static int choose_keys(struct evs_scan *s, struct evs_merge_spec *spec, struct evs_order_key *key)
{
	const struct evs_table *t = s->table;
	bool replacing = t->engine == EVS_ENGINE_REPLACING;
	int rc = 0;

	spec->key = key;
	spec->deleted = -1;
	for (uint16_t k = 0; k < t->nkey && rc == 0; k++)
		rc = add_key(s, spec, key, t->key[k]);
	spec->ncompare = spec->nkeys;
	if (rc == 0 && replacing && t->nengine_cols > 0)
		rc = add_key(s, spec, key, t->engine_cols[0]);
	if (rc == 0 && replacing && t->nengine_cols > 1)
		rc = spec->deleted = evs_scan_slot(s, t->engine_cols[1]);
	if (rc >= 0 && (s->opts.has_since || s->opts.has_until))
		rc = evs_scan_slot(s, (uint16_t)t->time_column);
	return rc < 0 ? rc : 0;
}

int evs_scan_merge_open(struct evs_scan *s, struct evs_diag *diag)
{
	struct evs_merge_spec spec = { .cap = MERGE_MEMORY };
	struct evs_order_key *key;
	const struct evs_type **type;
	bool *add;
	int rc = EVS_E_NOMEM;

	if (s->merge || !evs_scan_merges(s))
		return 0;
	key = calloc((size_t)s->table->nkey + 1, sizeof(*key));
	type = calloc((size_t)s->table->ncols + 1, sizeof(*type));
	add = calloc((size_t)s->table->ncols + 1, sizeof(*add));
	if (key && type && add)
		rc = choose_keys(s, &spec, key);
	for (size_t i = 0; i < s->nslots && rc == 0; i++) {
		type[i] = &s->table->cols[s->slots[i].column].type;
		add[i] = adds_up(s->table, s->slots[i].column);
	}
	spec.type = type;
	spec.ncols = s->nslots;
	spec.add = s->table->engine == EVS_ENGINE_SUMMING ? add : NULL;
	if (rc == 0)
		rc = evs_merge_new(&s->merge, &spec);
	free(key);
	free(type);
	free(add);
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

int evs_scan_merge_add(struct evs_scan *s, uint32_t rows, struct evs_diag *diag)
{
	struct evs_array *cols = calloc(s->nslots + 1, sizeof(*cols)); /* views */
	int rc;

	if (!cols)
		return evs_fail_nomem(diag);
	for (size_t i = 0; i < s->nslots; i++)
		cols[i] = s->slots[i].a;
	rc = evs_merge_add(s->merge, cols, rows, diag);
	free(cols);
	return rc;
}

/* The merged rows and the slots exchange their arrays. */
int evs_scan_merge_next(struct evs_scan *s, uint32_t *rows, struct evs_diag *diag)
{
	struct evs_array *cols;
	int rc = evs_merge_next(s->merge, &cols, rows, diag);

	for (size_t i = 0; i < s->nslots && rc > 0; i++) {
		struct evs_array a = s->slots[i].a;

		s->slots[i].a = cols[i];
		s->slots[i].loaded = true;
		cols[i] = a;
	}
	return rc;
}
