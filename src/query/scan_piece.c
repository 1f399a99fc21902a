/*
 * Pieces of what a scan gives: their memory, and how rows get into them.
 */
#include "src/query/scan_piece.h"

#include <stdlib.h>

#define KEPT_ROOM ((size_t)8 << 20) /* of an array of a piece that is kept */

void evs_piece_sum_add(struct piece_sum *to, const struct piece_sum *s)
{
	uint64_t *e = (uint64_t *)&to->explain;
	const uint64_t *from = (const uint64_t *)&s->explain;

	for (size_t k = 0; k < sizeof(to->explain) / sizeof(*e); k++) /* it has nothing else */
		e[k] += from[k];
	to->progress.rows += s->progress.rows;
	to->progress.segments += s->progress.segments;
	to->progress.bytes += s->progress.bytes;
	to->progress.rows_lost += s->progress.rows_lost;
	to->progress.damaged |= s->progress.damaged;
}

struct piece_sum evs_piece_sum_of(const struct evs_scan *s)
{
	return (struct piece_sum){ s->explain, s->progress };
}

void evs_piece_free(const struct evs_scan *s, struct piece *x)
{
	for (size_t i = 0; x->slots && i < s->nslots; i++) {
		evs_array_release(&x->slots[i].a);
		evs_coded_release(&x->slots[i].coded);
	}
	free((void *)(uintptr_t)x->damage.path);
	free((void *)(uintptr_t)x->damage.what);
	free(x->slots);
	free(x);
}

/* Slots of the shapes that the scan's have. */
static int make_slots(const struct evs_scan *s, struct piece *x)
{
	int rc = 0;

	x->slots = calloc(s->nslots + 1, sizeof(*x->slots));
	if (!x->slots)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < s->nslots && rc == 0; i++) {
		const struct evs_type *type = &s->table->cols[s->slots[i].column].type;

		x->slots[i].column = s->slots[i].column;
		rc = evs_type_array(type, &x->slots[i].a);
		if (rc == 0)
			rc = evs_type_array(type, &x->slots[i].coded.values);
	}
	return rc;
}

struct piece *evs_piece_new(const struct evs_scan *s, enum piece_kind kind)
{
	struct piece *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->kind = kind;
	if (kind == PIECE_ROWS && make_slots(s, x) < 0) {
		evs_piece_free(s, x);
		return NULL;
	}
	return x;
}

void evs_piece_trim(const struct evs_scan *s, struct piece *x)
{
	for (size_t i = 0; i < s->nslots; i++) {
		evs_array_trim(&x->slots[i].a, KEPT_ROOM);
		evs_array_trim(&x->slots[i].coded.values, KEPT_ROOM);
	}
}

void evs_piece_take_rows(const struct evs_scan *s, struct evs_scan *by, struct piece *x,
			 uint32_t rows)
{
	x->rows = rows;
	x->grown = by->grown;
	x->bytes = 0;
	for (size_t i = 0; i < s->nslots; i++)
		x->slots[i].tested = false; /* here: it is taken */
	for (size_t f = 0; f < s->nfields; f++) {
		struct scan_slot *to = &x->slots[s->field_slot[f]], mine = *to;
		struct scan_slot *from = &by->slots[by->slot_of[to->column] - 1];

		if (to->tested)
			continue;
		to->tested = true;
		to->a = from->a;
		from->a = mine.a;
		to->is_coded = from->is_coded && s->chosen; /* nobody else asks for codes */
		if (to->is_coded) {
			to->coded = from->coded;
			from->coded = mine.coded;
		}
		from->loaded = from->is_coded = from->picked = false;
		x->bytes +=
			evs_array_bytes_used(&to->a) + (to->is_coded ? rows * sizeof(uint32_t) : 0);
	}
}
