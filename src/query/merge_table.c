/*
 * Which columns of a ReplacingMergeTree or SummingMergeTree merge, and how (spec/query.md 10).
 */
#include "src/query/merge.h"

bool evs_merge_by(const struct evs_table *t, uint16_t column)
{
	for (uint16_t k = 0; k < t->nkey; k++)
		if (t->key[k] == column)
			return true;
	return false;
}

size_t evs_merge_keys(const struct evs_table *t, uint16_t *out, size_t *ncompare)
{
	size_t n = 0;

	while (n < t->nkey) {
		out[n] = t->key[n];
		n++;
	}
	*ncompare = n;
	if (t->engine == EVS_ENGINE_REPLACING && t->nengine_cols > 0)
		out[n++] = t->engine_cols[0];
	return n;
}

int evs_merge_deleted(const struct evs_table *t)
{
	return t->engine == EVS_ENGINE_REPLACING && t->nengine_cols > 1 ? t->engine_cols[1] : -1;
}

static bool is_sum(const struct evs_type *t)
{
	return (t->id >= EVS_T_INT8 && t->id <= EVS_T_FLOAT64) || t->id == EVS_T_DECIMAL;
}

bool evs_merge_adds(const struct evs_table *t, uint16_t column)
{
	bool named = t->nengine_cols == 0;

	for (uint16_t i = 0; i < t->nengine_cols; i++)
		named |= t->engine_cols[i] == column;
	return t->engine == EVS_ENGINE_SUMMING && named && !evs_merge_by(t, column) &&
	       column != t->time_column && column != t->tenant_column &&
	       is_sum(&t->cols[column].type);
}
