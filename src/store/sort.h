/*
 * Ordering rows by the sort key of their table. Private to the store room.
 */
#ifndef EVS_STORE_SORT_H
#define EVS_STORE_SORT_H

#include "format/array.h"
#include "src/schema/schema.h"

/* Scratch, reused. Zeroed is empty. */
struct evs_sorter {
	struct sort_item *items;
	size_t cap;
};

/*
 * Order idx[0 .. n), rows of `cols`, by the table's key; equal rows stay in their order. `*sorted` tells whether
 * they were in order already. Returns 0 or EVS_E_NOMEM.
 */
int evs_sort_rows(struct evs_sorter *s, const struct evs_table *t, const struct evs_array *cols,
		  uint32_t *idx, uint32_t n, bool *sorted);
void evs_sorter_release(struct evs_sorter *s);

#endif
