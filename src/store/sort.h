/*
 * Ordering rows by the sort key of their table. Private to the store room.
 */
#ifndef EVS_STORE_SORT_H
#define EVS_STORE_SORT_H

#include "format/array.h"
#include "src/schema/schema.h"

/* A row on its way. */
struct sort_item {
	uint64_t prefix;
	uint32_t row;
};

/* Scratch, reused. Zeroed is empty. */
struct evs_sorter {
	struct sort_item *items;
	size_t cap;
};

/*
 * Order idx[0 .. n), rows of `cols`, by the table's key; equal rows stay in their order. `*sorted`
 * tells whether they were in order already. Returns 0 or EVS_E_NOMEM.
 */
int evs_sort_rows(struct evs_sorter *s, const struct evs_table *t, const struct evs_array *cols,
		  uint32_t *idx, uint32_t n, bool *sorted);
/*
 * sort_prefix.c: the prefixes of items whose rows are set, by key columns key[0 .. nkey). They
 * order the rows by the first of these columns, and equal ones are equal in the columns of which
 * there are `*exact`. Returns the bits that a prefix may have. `tmp` has room for n items.
 */
unsigned evs_sort_prefixes(const struct evs_array *cols, const uint16_t *key, uint16_t nkey,
			   struct sort_item *v, struct sort_item *tmp, uint32_t n, uint16_t *exact);
/* Stable, by rows of one column, which has few distinct values. `tmp` as above. */
struct sort_item *evs_sort_by_column(const struct evs_array *a, struct sort_item *v,
				     struct sort_item *tmp, uint32_t n);
void evs_sorter_release(struct evs_sorter *s);

#endif
