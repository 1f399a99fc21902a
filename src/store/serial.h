/*
 * Numbers for serial columns: one counter a column and stream, kept in serials.json (spec/store.md
 * 7). Private to the store room.
 */
#ifndef EVS_STORE_SERIAL_H
#define EVS_STORE_SERIAL_H

#include "src/store/io.h"

/* Reserve `n` > 0 numbers up to `most` for a column; `*first` is the first of them. Durable on
 * return, as a sequence is: a crash may leave a gap, never a number twice. EVS_E_LIMIT: there are
 * not so many left, and none is taken. `how` as for evs_io_lock(). */
int evs_serial_reserve(const char *stream_dir, const char *column, uint64_t n, uint64_t most,
		       const struct evs_wait *how, uint64_t *first, struct evs_diag *diag);

#endif
