/*
 * Which type may take the place of which (spec/schema.md 6). Private to schema/.
 */
#ifndef EVS_SCHEMA_WIDEN_H
#define EVS_SCHEMA_WIDEN_H

#include "src/schema/schema.h"

/* How a value of one type becomes one of another. */
enum evs_widening {
	EVS_WIDEN_NONE = 0, /* it cannot */
	EVS_WIDEN_SAME,	    /* the same bytes: equal types, and an enum that gained items */
	EVS_WIDEN_INT,
	EVS_WIDEN_INT_FLOAT,
	EVS_WIDEN_INT_DECIMAL,
	EVS_WIDEN_FLOAT,
	EVS_WIDEN_DECIMAL,
	EVS_WIDEN_TIME, /* more digits */
	EVS_WIDEN_FIXED,
	EVS_WIDEN_STRING, /* as it is printed */
	EVS_WIDEN_JSON,	  /* as it is printed */
	EVS_WIDEN_ARRAY,
	EVS_WIDEN_MAP,
};

/* Nullability aside at the outermost level; inside Array and Map it counts. */
enum evs_widening evs_widen(const struct evs_type *from, const struct evs_type *to);

#endif
