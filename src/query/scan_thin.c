/*
 * Where only the newest row of each key is wanted: of rows that stand next to each other in a group and share their key, all but the
 * newest are left out before anything else of them is decoded. Segments are mostly in the order of a key, so that is nearly all
 * of the work; what is left goes through the stage.
 */
#include "format/bytes.h"
#include "src/diag.h"
#include "src/query/scan.h"

#include <stdlib.h>
#include <string.h>

/* same[i] stays set where values i and i + 1 are equal. Inlined for each width. */
static inline __attribute__((always_inline)) void compare_fixed(const uint8_t *p, uint32_t rows, size_t w, uint8_t *same)
{
	for (uint32_t i = 0; i + 1 < rows; i++) {
		uint64_t differ = 0;

		for (size_t k = 0; k < w; k += 8)
			differ |= evs_get64(p + i * w + k) ^ evs_get64(p + (i + 1) * w + k);
		same[i] &= !differ;
	}
}

/* same[i] stays set where rows i and i + 1 of a key column are equal. */
static void compare_keys(const struct scan_slot *slot, uint32_t rows, uint8_t *same)
{
	const struct evs_array *a = &slot->a;
	const uint32_t *code = slot->coded.code;
	bool fixed = (a->phys == EVS_INT || a->phys == EVS_FIXED) && !a->valid;

	if (slot->is_coded)
		for (uint32_t i = 0; i + 1 < rows; i++)
			same[i] &= code[i] == code[i + 1];
	else if (fixed && a->width == 16)
		compare_fixed(a->data, rows, 16, same);
	else if (fixed && a->width == 8)
		compare_fixed(a->data, rows, 8, same);
	else
		for (uint32_t i = 0; i + 1 < rows; i++)
			same[i] = same[i] && !evs_array_compare(a, i, a, i + 1);
}

/* ... and where row i is not newer than the next one. */
static void compare_times(const struct scan_slot *slot, uint32_t rows, uint8_t *same)
{
	const struct evs_array *a = slot->is_coded ? &slot->coded.values : &slot->a;
	const uint32_t *code = slot->is_coded ? slot->coded.code : NULL;
	const int64_t *t = (const int64_t *)(const void *)a->data;

	if (!code && a->phys == EVS_INT && a->width == 8 && a->is_signed && !a->valid)
		for (uint32_t i = 0; i + 1 < rows; i++)
			same[i] &= t[i] <= t[i + 1];
	else
		for (uint32_t i = 0; i + 1 < rows; i++)
			same[i] = same[i] && evs_array_compare(a, code ? code[i] : i, a, code ? code[i + 1] : i + 1) <= 0;
}

static int room_for(struct evs_scan *s, uint32_t rows)
{
	if (rows <= s->same_cap)
		return 0;
	free(s->same);
	s->same = malloc(rows);
	s->same_cap = s->same ? rows : 0;
	return s->same ? 0 : EVS_E_NOMEM;
}

int evs_scan_thin(struct evs_scan *s, uint32_t rows, uint32_t *n, struct evs_diag *diag)
{
	uint32_t kept = 0;

	if (room_for(s, rows) < 0)
		return evs_fail_nomem(diag);
	memset(s->same, 1, rows);
	s->same[rows - 1] = 0;
	for (size_t k = 0; k < s->nthin; k++) {
		struct scan_slot *slot = &s->slots[s->slot_of[s->thin[k]] - 1];
		int rc = evs_scan_load_coded(s, s->map, slot, diag);

		if (rc < 0)
			return rc;
		if (k + 1 < s->nthin)
			compare_keys(slot, rows, s->same);
		else
			compare_times(slot, rows, s->same);
	}
	for (uint32_t i = 0; i < rows; i++) {
		s->idx[kept] = i;
		kept += !s->same[i];
	}
	*n = kept;
	return 0;
}
