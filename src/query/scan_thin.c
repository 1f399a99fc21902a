/*
 * Where only the newest row of each key is wanted: of rows that stand next to each other in a group
 * and share their key, all but the newest are left out before anything else of them is decoded.
 * Segments are mostly in the order of a key, so that is nearly all of the work; what is left goes
 * through the stage.
 */
#include "format/bytes.h"
#include "src/diag.h"
#include "src/query/scan.h"

#include <stdlib.h>
#include <string.h>

/* same[i] stays set where values i and i + 1 are equal. Inlined for each width. */
static inline __attribute__((always_inline)) void compare_fixed(const uint8_t *p, uint32_t rows,
								size_t w, uint8_t *same)
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

/* The values of a time of the ordinary kind; NULL: it is of another one. */
static const int64_t *plain_times(const struct scan_slot *slot)
{
	const struct evs_array *a = &slot->a;
	bool plain =
		!slot->is_coded && a->phys == EVS_INT && a->width == 8 && a->is_signed && !a->valid;

	return plain ? (const int64_t *)(const void *)a->data : NULL;
}

/* ... and where row i is not newer than the next one. */
static void compare_times(const struct scan_slot *slot, uint32_t rows, uint8_t *same)
{
	const struct evs_array *a = slot->is_coded ? &slot->coded.values : &slot->a;
	const uint32_t *code = slot->is_coded ? slot->coded.code : NULL;
	const int64_t *t = plain_times(slot);

	if (t)
		for (uint32_t i = 0; i + 1 < rows; i++)
			same[i] &= t[i] <= t[i + 1];
	else
		for (uint32_t i = 0; i + 1 < rows; i++)
			same[i] = same[i] && evs_array_compare(a, code ? code[i] : i, a,
							       code ? code[i + 1] : i + 1) <= 0;
}

/*
 * Rows that stay, of one key with codes and times of the ordinary kind, in one pass: row i goes
 * where the next one has its key and is not older. Numbers into idx, which has room; how many.
 */
static uint32_t thin_coded(const uint32_t *code, const int64_t *t, uint32_t rows, uint32_t *idx)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i + 1 < rows; i++) {
		idx[kept] = i;
		kept += (code[i] != code[i + 1]) | (t[i] > t[i + 1]);
	}
	idx[kept++] = rows - 1;
	return kept;
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

static struct scan_slot *thin_slot(struct evs_scan *s, size_t k)
{
	return &s->slots[s->slot_of[s->thin[k]] - 1];
}

int evs_scan_thin(struct evs_scan *s, uint32_t rows, uint32_t *n, struct evs_diag *diag)
{
	const struct scan_slot *time = thin_slot(s, s->nthin - 1);
	uint32_t kept = 0;

	for (size_t k = 0; k < s->nthin; k++) {
		int rc = evs_scan_load_coded(s, s->map, thin_slot(s, k), diag);

		if (rc < 0)
			return rc;
	}
	if (s->nthin == 2 && thin_slot(s, 0)->is_coded && plain_times(time)) {
		*n = thin_coded(thin_slot(s, 0)->coded.code, plain_times(time), rows, s->idx);
		return 0;
	}
	if (room_for(s, rows) < 0)
		return evs_fail_nomem(diag);
	memset(s->same, 1, rows);
	s->same[rows - 1] = 0;
	for (size_t k = 0; k + 1 < s->nthin; k++)
		compare_keys(thin_slot(s, k), rows, s->same);
	compare_times(time, rows, s->same);
	for (uint32_t i = 0; i < rows; i++) {
		s->idx[kept] = i;
		kept += !s->same[i];
	}
	*n = kept;
	return 0;
}
