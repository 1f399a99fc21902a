/*
 * Building and releasing parts of a table. Private to schema/.
 */
#ifndef EVS_SCHEMA_TABLE_H
#define EVS_SCHEMA_TABLE_H

#include "src/schema/schema.h"

/* Columns of a table, hidden ones not counted; format/ takes 10,000. */
#define EVS_MAX_DECLARED 8192u
#define EVS_EXTRA	 "_extra"
#define EVS_ARRIVAL	 "_time"

/* (Re)build the hash of column names; `*twice` as in names.h. Returns 0 or EVS_E_NOMEM. */
int evs_table_index_names(struct evs_table *t, size_t *twice);

/* Free what a column owns, not the struct itself. */
void evs_column_release(struct evs_column *c);

#endif
