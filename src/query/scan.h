/*
 * The inside of struct evs_scan, shared by the files of the query room.
 */
#ifndef EVS_QUERY_SCAN_H
#define EVS_QUERY_SCAN_H

#include "src/batch.h"
#include "src/store/store.h"

/* How the columns of one stored schema become those of the answer. */
struct scan_map {
	char *text; /* of the stored schema */
	size_t text_len;
	struct evs_table *src;
	int *from;     /* for each field: ordinal in src, or -1 */
	bool *same;    /* the types agree */
	uint64_t used; /* clock, for throwing out the oldest */
};

#define SCAN_MAPS 8u

/* What is known of a segment that has been read, for following it. */
struct scan_seen {
	char *path;
	uint64_t size;
	struct evs_place place;
};

struct evs_scan {
	struct evs_scan_opts opts;
	const char **paths; /* as given, for evs_scan_refresh() */
	size_t npaths;
	char **strings; /* owns the copies of columns, tenants, paths */
	size_t nstrings;
	int64_t since, until;
	struct evs_path_list list;
	size_t next_path;
	struct evs_table *table; /* schema of the answer */
	char *stream;		 /* name in HEAD, once known */

	struct evs_field *fields;
	int *field_column; /* ordinal in table */
	struct evs_array *cols;
	size_t nfields;
	struct evs_batch batch;

	struct evs_segment *seg;
	uint64_t map_off; /* schema_off that `map` stands for in this segment */
	struct scan_map *map;
	struct scan_map maps[SCAN_MAPS];
	uint64_t clock;
	struct evs_array time, part; /* scratch */
	uint32_t *idx;
	uint32_t idx_cap;

	struct scan_seen *seen;
	size_t nseen, seen_cap;
	bool following;
	struct evs_scan_progress progress;
};

/* Set up fields from opts.columns. EVS_E_USAGE for an unknown one. */
int evs_scan_fields(struct evs_scan *s, struct evs_diag *diag);
void evs_scan_fields_release(struct evs_scan *s);

/* The map for the schema at `off` of the open segment. */
int evs_scan_map(struct evs_scan *s, uint64_t off, struct scan_map **out, struct evs_diag *diag);
void evs_scan_maps_release(struct evs_scan *s);

/* Read the current group of s->seg into s->cols: number of rows that match, or an error (EVS_E_FORMAT: group lost). */
int evs_scan_group(struct evs_scan *s, const struct evs_group *g, uint32_t *rows,
		   struct evs_diag *diag);

#endif
