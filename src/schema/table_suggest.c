/*
 * For other rooms: what column may have been meant.
 */
#include "src/schema/ddl.h"

void evs_table_suggest(const struct evs_table *t, const char *word, size_t len, char *buf,
		       size_t cap)
{
	ddl_suggest_column(buf, cap, word, len, t);
}
