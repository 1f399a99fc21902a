/*
 * What the writer of a group must know of its rows besides their values.
 */
#include "src/store/segment_write.h"

/* The time has zones, which say more than a filter, and the tenant is the same in all rows. */
uint16_t evs_seg_filtered(const struct evs_table *t, uint16_t out[EVS_SEG_FILTERED])
{
	uint16_t n = 0;

	for (uint16_t c = 0; c < t->ncols && n < EVS_SEG_FILTERED; c++) {
		enum evs_type_id id = t->cols[c].type.id;
		bool wanted = false;

		for (uint16_t k = 0; k < t->nkey; k++)
			wanted |= t->key[k] == c;
		for (uint16_t i = 0; i < t->nindexes; i++)
			wanted |= t->indexes[i].column == c;
		if (wanted && c != t->time_column && c != t->tenant_column && id != EVS_T_JSON)
			out[n++] = c;
	}
	return n;
}

static void widen(const struct evs_table *t, const struct evs_array *time, uint32_t row,
		  struct evs_seg_rows *r)
{
	int64_t at = evs_row_time(t, time, row);

	if (at == EVS_TIME_NONE)
		return;
	if (r->time_min == EVS_TIME_NONE || at < r->time_min)
		r->time_min = at;
	if (r->time_max == EVS_TIME_NONE || at > r->time_max)
		r->time_max = at;
}

/* Times rise with the numbers that stand for them, so only the least and the greatest are made
 * times. */
static void widen_by_numbers(const struct evs_table *t, const struct evs_array *time,
			     const uint32_t *idx, uint32_t n, struct evs_seg_rows *r)
{
	uint64_t flip = time->is_signed ? (uint64_t)1 << 63 : 0, min = UINT64_MAX, max = 0;
	uint32_t first = 0, last = 0;
	bool any = false;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t row = idx ? idx[i] : i;
		uint64_t v;

		if (evs_array_is_null(time, row))
			continue;
		v = evs_array_int(time, row) ^ flip;
		if (!any || v < min) {
			min = v;
			first = row;
		}
		if (!any || v > max) {
			max = v;
			last = row;
		}
		any = true;
	}
	if (any) {
		widen(t, time, first, r);
		widen(t, time, last, r);
	}
}

void evs_seg_times(const struct evs_table *t, const struct evs_array *time, const uint32_t *idx,
		   uint32_t n, struct evs_seg_rows *r)
{
	r->time_min = r->time_max = EVS_TIME_NONE;
	if (time->phys == EVS_INT) {
		widen_by_numbers(t, time, idx, n, r);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		widen(t, time, idx ? idx[i] : i, r);
}
