/*
 * A batch of rows: the columns of a table, or of a query's answer, and what is known of each row.
 */
#ifndef EVS_SRC_BATCH_H
#define EVS_SRC_BATCH_H

#include "evseg.h"
#include "format/array.h"
#include "src/schema/schema.h"

/* One column of an answer: a name and a type beside the array. Name and type belong to others. */
struct evs_field {
	const char *name;
	size_t name_len;
	const struct evs_type *type;
	bool nullable;
	bool extra; /* the hidden _extra column: printed as fields of the row, in NDJSON */
	char type_text[128];
};

struct evs_batch {
	const struct evs_field *fields;
	struct evs_array *cols;
	size_t ncols;
	uint32_t rows;
	bool grown; /* columns came after the rows, whose fields of that name are in _extra */
};

#endif
