/*
 * Sorting rows, with as much memory as is given and the disk for the rest.
 *
 * Feed batches, then read them back sorted: stable, by any columns, descending or not, NULLs first
 * or last. With a limit only that many rows are kept and, while they fit, nothing goes to disk.
 */
#ifndef EVS_QUERY_ORDER_H
#define EVS_QUERY_ORDER_H

#include "evseg.h"
#include "format/array.h"
#include "src/schema/schema.h"

struct evs_order;

struct evs_order_key {
	uint32_t col;
	bool desc, nulls_first;
};

/*
 * Rows have columns of the given types, which must outlive the sort; `key` is copied. `limit`: rows
 * wanted at most, 0 all. `cap`: bytes of memory. Returns 0 or EVS_E_NOMEM.
 */
int evs_order_new(struct evs_order **out, const struct evs_type *const *type, size_t ncols,
		  const struct evs_order_key *key, size_t nkeys, uint64_t limit, size_t cap);
void evs_order_free(struct evs_order *o); /* NULL is fine */
/* Let a second thread help when all rows are in. */
void evs_order_two_threads(struct evs_order *o);

/* Take a batch: `cols` stay the caller's. */
int evs_order_add(struct evs_order *o, const struct evs_array *cols, uint32_t rows,
		  struct evs_diag *diag);

/*
 * Rows that are sorted already, and are read when they are needed. next() gives the following ones,
 * 1 with `*cols` and `*rows` valid until the next call, 0 at the end, or an error; close(), called
 * once in any case, gives back its memory.
 */
struct evs_order_source {
	int (*next)(void *arg, struct evs_array **cols, uint32_t *rows, struct evs_diag *diag);
	void (*close)(void *arg);
	void *arg;
};

/*
 * Take such rows. They count as coming after what was added so far; `bytes` is about how much they
 * are in memory. A source has memory of its own, and up to 16 are open at a time.
 */
int evs_order_run(struct evs_order *o, const struct evs_order_source *source, uint64_t bytes,
		  struct evs_diag *diag);

/* No more rows come: the next ones in order, 1 with `*cols` valid until the next call, or 0. */
int evs_order_next(struct evs_order *o, struct evs_array **cols, uint32_t *rows,
		   struct evs_diag *diag);

/* How many sorted runs went to disk. */
uint64_t evs_order_spills(const struct evs_order *o);

/* Compare two rows of arrays of one type as ORDER BY does, both not null: -1, 0, 1. */
int evs_order_compare(const struct evs_type *t, const struct evs_array *a, uint32_t i,
		      const struct evs_array *b, uint32_t j);

#endif
