/*
 * Inside of the NDJSON reader: the handle (json_reader.c), rows (json_read.c), values by type
 * (json_value.c), text forms (json_text.c), reasons (json_reason.c). Private to these.
 */
#ifndef EVS_JSON_READER_H
#define EVS_JSON_READER_H

#include "src/json/json_lex.h"
#include "src/json/number.h"

#define EVS_ENUM_CACHE 64 /* slots, a power of two */
/* Longest text form of a value that is no String; longer is a misfit. */
#define EVS_TEXT_MAX (1u << 17)

/* How to read one type: the type and what was learnt of its values so far. */
struct evs_plan {
	const struct evs_type *type;
	bool nullable;	    /* of an element */
	uint32_t ticks;	    /* DATE, DATETIME, DATETIME64: 10^(9 - scale) ns a tick */
	int64_t per_second; /* ... and 10^scale ticks a second */
	char date[10];	    /* the last date seen, "2025-01-31" */
	int64_t days;	    /* ... since 1970 */
	const struct evs_enum_item **items; /* ENUM: by hash of the name, EVS_ENUM_CACHE slots */
	struct evs_plan *elem[2];
};

struct evs_read_field {
	const char *key; /* `"name":` as it will mostly be spelt */
	uint32_t key_len;
	uint32_t seen; /* r->row_mark of the row in which it came last */
	uint16_t next; /* column that followed it */
	bool nullable, has_default, hidden;
	struct evs_plan *plan;
	uint8_t *absent; /* see evs_json_reader_absent() */
	uint32_t nabsent;
};

struct evs_json_reader {
	const struct evs_table *table;
	uint16_t ncols;
	struct evs_read_field *fields; /* ncols, and one that stands for the row's beginning */
	struct evs_jlex lex;	       /* over the line at hand */
	const char *piece, *piece_end; /* see evs_json_reader_piece() */
	uint32_t row_mark;
	uint32_t absent_rows; /* bits in each absent bitmap */
	uint16_t column;      /* being read; ncols: none */
	const char *misfit;   /* what does not fit, a constant, or NULL */
	const char *value;    /* ... and where its text begins */
	bool nomem;
	bool strict;
	uint64_t digits_dropped;
	uint32_t row_dropped;	 /* ... by the row at hand, which may yet be rejected */
	size_t row_nested;	 /* bytes that elements of the row at hand take, texts aside */
	size_t nested;		 /* ... of all rows since evs_json_reader_clear() */
	struct evs_buf text;	 /* a value out of its escapes */
	struct evs_array *extra; /* column of the row's unknown fields ... */
	size_t extra_len;	 /* ... and how many of its next value's bytes are there */
	struct evs_walk walk;	 /* keys of unknown fields; checking of rejected lines */
	char reason[640];
};

/* The value at p does not fit its column. Always NULL. */
static inline const char *evs_misfit(struct evs_json_reader *r, const char *p, const char *what)
{
	r->misfit = what;
	r->value = p;
	return NULL;
}

static inline const char *evs_read_nomem(struct evs_json_reader *r)
{
	r->nomem = true;
	return NULL;
}

/* NULL: out of memory. */
struct evs_plan *evs_plan_new(const struct evs_type *t, bool nullable);
void evs_plan_free(struct evs_plan *pl);

/*
 * Read the value at p (no space before it) and append it to `a`; the end of its text, or NULL:
 * then it is a misfit, bad JSON (r->lex) or out of memory, and `a` may hold half of it.
 */
const char *evs_read_value(struct evs_json_reader *r, struct evs_plan *pl, struct evs_array *a,
			   const char *p);

/* As evs_read_value(), for the types that are strings in JSON but not String. */
const char *evs_read_text(struct evs_json_reader *r, struct evs_plan *pl, struct evs_array *a,
			  const char *p);

/* Append null to an array of any shape; false: out of memory. */
bool evs_put_null(struct evs_array *a);

/* Make room in the absent bitmaps for `row`. False: out of memory. */
bool evs_reader_grow_absent(struct evs_json_reader *r, uint32_t row);

/*
 * Null for the columns that did not come, _extra and _time. `nseen` did come. False: a misfit (at
 * `line`) or out of memory.
 */
bool evs_reader_fill_absent(struct evs_json_reader *r, struct evs_array *cols, uint32_t row,
			    uint16_t nseen, const char *line);

/* Fill r->reason for the row that failed; EVS_ROW_BAD, EVS_ROW_MISFIT or EVS_E_NOMEM. */
int evs_read_explain(struct evs_json_reader *r);

/* Room for one more row of a type without offsets; array.c makes it grow in large steps. */
static inline bool evs_room(struct evs_array *a)
{
	if (((size_t)a->rows + 1) * a->width <= a->data_cap &&
	    (!a->valid || a->rows >> 3 < a->valid_cap))
		return true;
	return evs_array_reserve(a, 1, 0) == 0;
}

/* Room for one more BYTES row of up to n bytes. */
static inline bool evs_bytes_room(struct evs_array *a, size_t n)
{
	size_t used = a->offs_cap ? (size_t)a->offs[a->rows] : 0;

	if (a->data_cap - used >= n && ((size_t)a->rows + 2) * sizeof(*a->offs) <= a->offs_cap &&
	    (!a->valid || a->rows >> 3 < a->valid_cap))
		return true;
	return evs_array_reserve(a, 1, n) == 0;
}

/* The next row is there; its bit is still 0. */
static inline void evs_mark_row(struct evs_array *a)
{
	if (a->valid)
		a->valid[a->rows >> 3] |= (uint8_t)(1u << (a->rows & 7));
	a->rows++;
}

static inline bool evs_put_int(struct evs_array *a, uint64_t v)
{
	uint8_t *p;

	if (!evs_room(a))
		return false;
	p = a->data + (size_t)a->rows * a->width;
	switch (a->width) {
	case 1:
		*p = (uint8_t)v;
		break;
	case 2:
		memcpy(p, &(uint16_t){ (uint16_t)v }, 2);
		break;
	case 4:
		memcpy(p, &(uint32_t){ (uint32_t)v }, 4);
		break;
	default:
		memcpy(p, &v, 8);
	}
	evs_mark_row(a);
	return true;
}

#endif
