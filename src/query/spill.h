/*
 * Rows set aside on disk: blocks of columns, each with a number of the caller's (a partition, a
 * run). Nothing of it outlives the query.
 */
#ifndef EVS_QUERY_SPILL_H
#define EVS_QUERY_SPILL_H

#include "evseg.h"
#include "format/array.h"

struct evs_spill;

int evs_spill_new(struct evs_spill **out, struct evs_diag *diag);
void evs_spill_free(struct evs_spill *s); /* NULL is fine */

/* Write rows 0 .. rows - 1 (at least one) of the columns as a block of `part`. */
int evs_spill_put(struct evs_spill *s, uint32_t part, const struct evs_array *cols, size_t ncols,
		  uint32_t rows, struct evs_diag *diag);

/* The blocks of `s` then are those it had and then those of `from`, which is freed. */
int evs_spill_join(struct evs_spill *s, struct evs_spill *from, struct evs_diag *diag);

size_t evs_spill_blocks(const struct evs_spill *s);
uint32_t evs_spill_part(const struct evs_spill *s, size_t block);
uint32_t evs_spill_rows(const struct evs_spill *s, size_t block);

/* Read a block into arrays of the columns' shapes, whose rows are replaced. */
int evs_spill_get(struct evs_spill *s, size_t block, struct evs_array *cols, size_t ncols,
		  struct evs_diag *diag);

#endif
