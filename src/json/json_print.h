/*
 * The printer's inside: json_print.c (handle, NDJSON), json_print_csv.c (CSV and TSV),
 * json_print_table.c and json_print_plot.c (tables and pictures for people), json_width.c (how wide
 * characters are). Private to these.
 */
#ifndef EVS_JSON_PRINT_H
#define EVS_JSON_PRINT_H

#include "src/json/json_lex.h"
#include "src/json/json_out.h"

#define EVS_ENUM_TEXTS 256u /* by the lowest byte of the value */
/* Bytes of one, with its quotes: longer ones are printed anew each time. */
#define EVS_ENUM_ROOM 32u

/* An enum's value as it stands in JSON. */
struct evs_enum_text {
	uint64_t batch; /* of which it is */
	int16_t value;
	uint8_t len;
	char text[EVS_ENUM_ROOM];
};

/* One column of the batch at hand. */
struct evs_print_col {
	const struct evs_field *field;
	const struct evs_array *array;
	const char *key; /* NDJSON: `"name":`, with 32 bytes readable; CSV, TSV: not used */
	size_t key_len;
	uint64_t kept;		     /* 1 + the last row whose _extra has a field of this name */
	struct evs_enum_text *enums; /* kept from batch to batch; NULL: none yet */
	struct evs_day day;
};

struct evs_grid; /* json_print_table.c */
struct evs_plot; /* json_print_plot.c */

struct evs_printer {
	struct evs_print_opts opts;
	struct evs_out out;
	struct evs_print_col *cols;
	size_t ncols, cols_cap;
	uint64_t batch; /* number of the one at hand */
	struct evs_buf keys;
	struct evs_out text; /* one value as JSON, before it is quoted once more */
	bool header_done;
	struct evs_grid *grid;
	struct evs_walk walk; /* of _extra */
	uint32_t row;	      /* being walked */
	struct evs_plot *plot;
};

/*
 * Any value as the bytes to show, without quotes or escapes; JSON for what is nested. May point
 * into `small` (EVS_SCALAR_ROOM bytes) or p->text. NULL out of memory. The value is not null.
 */
const char *evs_cell_bytes(struct evs_printer *p, struct evs_print_col *c, uint32_t row, size_t *n,
			   char *small);

void evs_print_separated_header(struct evs_printer *p);
void evs_print_separated_row(struct evs_printer *p, uint32_t row);

/* 0 or EVS_E_NOMEM. */
int evs_grid_new(struct evs_grid **out);
void evs_grid_free(struct evs_grid *g);
int evs_grid_row(struct evs_printer *p, uint32_t row);
/* Print what waits for the widths to be known. */
int evs_grid_settle(struct evs_printer *p);
void evs_grid_end(struct evs_printer *p);

/* 0 or EVS_E_NOMEM. */
int evs_plot_new(struct evs_plot **out);
void evs_plot_free(struct evs_plot *plot);
int evs_plot_row(struct evs_printer *p, uint32_t row);
int evs_plot_end(struct evs_printer *p);

/*
 * Append s[0, n) to `b` as it may be shown on a terminal, at most `max` columns of it, with a
 * "..." character for what was cut. Control and direction characters and ill-formed UTF-8 are
 * made visible. Returns the columns used. Text that went through this once is not changed by a
 * second time, only cut.
 */
unsigned evs_show_text(struct evs_buf *b, const char *s, size_t n, unsigned max);

#endif
