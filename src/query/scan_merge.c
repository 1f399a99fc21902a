/*
 * Streams of ReplacingMergeTree and SummingMergeTree: which columns merge, and how (spec/query.md
 * 10).
 *
 * All rows of a segment are gathered, then come merged. Filters come afterwards, for a row that is
 * replaced must not answer in the place of the one that replaced it.
 */
#include "src/diag.h"
#include "src/query/merge.h"
#include "src/query/scan.h"

#include <stdlib.h>

#define MERGE_MEMORY ((size_t)12 << 20)

bool evs_scan_merges(const struct evs_scan *s)
{
	return s->table->engine != EVS_ENGINE_MERGE && !s->opts.follow && !s->stored;
}

bool evs_scan_time_prunes(const struct evs_scan *s)
{
	return !evs_scan_merges(s) || evs_merge_by(s->table, (uint16_t)s->table->time_column);
}

bool evs_scan_filter_prunes(const struct evs_scan *s, const struct evs_expr *filter)
{
	if (!evs_scan_merges(s))
		return true;
	for (uint16_t c = 0; c < s->table->ncols; c++)
		if (evs_expr_uses(filter, c) && !evs_merge_by(s->table, c))
			return false;
	return true;
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

static int choose_keys(struct evs_scan *s, struct evs_merge_spec *spec, struct evs_order_key *key,
		       uint16_t *columns)
{
	const struct evs_table *t = s->table;
	size_t n = evs_merge_keys(t, columns, &spec->ncompare);
	int rc = 0;

	spec->key = key;
	spec->deleted = -1;
	for (size_t k = 0; k < n && rc == 0; k++)
		rc = add_key(s, spec, key, columns[k]);
	if (rc == 0 && evs_merge_deleted(t) >= 0)
		rc = spec->deleted = evs_scan_slot(s, (uint16_t)evs_merge_deleted(t));
	if (rc >= 0 && (s->opts.has_since || s->opts.has_until))
		rc = evs_scan_slot(s, (uint16_t)t->time_column);
	return rc < 0 ? rc : 0;
}

int evs_scan_merge_open(struct evs_scan *s, struct evs_diag *diag)
{
	struct evs_merge_spec spec = { .cap = MERGE_MEMORY };
	struct evs_order_key *key;
	const struct evs_type **type;
	uint16_t *columns;
	bool *add;
	int rc = EVS_E_NOMEM;

	if (s->merge || !evs_scan_merges(s))
		return 0;
	key = calloc((size_t)s->table->nkey + 1, sizeof(*key));
	type = calloc((size_t)s->table->ncols + 1, sizeof(*type));
	add = calloc((size_t)s->table->ncols + 1, sizeof(*add));
	columns = calloc((size_t)s->table->nkey + 1, sizeof(*columns));
	if (key && type && add && columns)
		rc = choose_keys(s, &spec, key, columns);
	for (size_t i = 0; i < s->nslots && rc == 0; i++) {
		type[i] = &s->table->cols[s->slots[i].column].type;
		add[i] = evs_merge_adds(s->table, s->slots[i].column);
	}
	spec.type = type;
	spec.ncols = s->nslots;
	spec.add = s->table->engine == EVS_ENGINE_SUMMING ? add : NULL;
	if (rc == 0)
		rc = evs_merge_new(&s->merge, &spec);
	free(key);
	free(type);
	free(add);
	free(columns);
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
