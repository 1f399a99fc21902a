/*
 * What the rest of schema/ needs to know about types. Private to schema/.
 */
#ifndef EVS_SCHEMA_TYPE_H
#define EVS_SCHEMA_TYPE_H

#include "src/schema/schema.h"

#define EVS_DECIMAL_INT_DIGITS 18 /* up to here a DECIMAL is an INT of 8 bytes */
#define EVS_DECIMAL_DIGITS     38

/*
 * Build the hash of an ENUM's item names, after its items are in place. `*twice` as in names.h.
 * Returns 0 or EVS_E_NOMEM.
 */
int evs_type_index_items(struct evs_type *t, size_t *twice);

/* DATE, DATETIME or DATETIME64. */
static inline bool evs_type_is_time(const struct evs_type *t)
{
	return t->id == EVS_T_DATE || t->id == EVS_T_DATETIME || t->id == EVS_T_DATETIME64;
}

/* INT8 .. UINT64. */
static inline bool evs_type_is_int(const struct evs_type *t)
{
	return t->id >= EVS_T_INT8 && t->id <= EVS_T_UINT64;
}

static inline bool evs_type_is_float(const struct evs_type *t)
{
	return t->id == EVS_T_FLOAT32 || t->id == EVS_T_FLOAT64;
}

#endif
