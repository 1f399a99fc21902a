/*
 * A hash of names to their positions, for columns and enum items. Private to schema/.
 *
 * Slots hold position + 1, 0 is free; there are at least twice as many slots as names, a power of
 * two.
 */
#ifndef EVS_SCHEMA_NAMES_H
#define EVS_SCHEMA_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define EVS_NAMES_MAX 65534u

/* Name `i` of what `arg` is. */
typedef const char *evs_names_get_fn(const void *arg, size_t i, size_t *len);

/*
 * Build the slots for `n` names (at most EVS_NAMES_MAX), malloc'd, into `*slots`; the first of two
 * equal names wins and `*twice` (may be NULL) gets the position of the first later one, or n.
 * Returns 0 or EVS_E_NOMEM.
 */
int evs_names_build(uint16_t **slots, uint32_t *mask, size_t n, evs_names_get_fn *get,
		    const void *arg, size_t *twice);

/* Position of a name, or -1. `slots` may be NULL (nothing built: nothing found). */
int evs_names_find(const uint16_t *slots, uint32_t mask, evs_names_get_fn *get, const void *arg,
		   const char *name, size_t len);

#endif
