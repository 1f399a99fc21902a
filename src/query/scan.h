/*
 * The inside of struct evs_scan, shared by the files of the query room.
 */
#ifndef EVS_QUERY_SCAN_H
#define EVS_QUERY_SCAN_H

#include "src/batch.h"
#include "src/expr/expr.h"
#include "src/json/json.h"
#include "src/store/store.h"

/* How the columns of one stored schema become those of the answer. */
struct scan_map {
	char *text; /* of the stored schema */
	size_t text_len;
	struct evs_table *src;
	int *from;	  /* for each slot: ordinal in src, or -1 */
	bool *same;	  /* the types agree */
	uint16_t *tested; /* by ordinal in src: number of the slot that conditions ask zones for,
			     from 1; 0: none */
	uint16_t *later;  /* columns of the answer's table, by ordinal, that src does not have */
	uint16_t nlater;
	uint64_t used; /* clock, for throwing out the oldest */
};

#define SCAN_MAPS 8u

/* A column that the scan decodes, once a group, whatever needs it. */
struct scan_slot {
	uint16_t column;    /* ordinal in the table of the answer */
	bool tested;	    /* a filter needs it */
	bool loaded;	    /* `a` holds the current group's */
	bool is_coded;	    /* `coded` does */
	bool picked;	    /* its codes are those of the matching rows alone */
	struct evs_array a; /* in the type of the answer */
	struct evs_coded coded;
};

/* A condition bound to another table, whose columns are ours: column[i] is the ordinal here of its
 * column i, -1 where it is none. */
struct scan_hint {
	const struct evs_expr *e;
	int *column; /* owned */
	size_t n;
};

/* Bounds of one column, as evs_eval_zone() wants them: two rows. */
struct scan_bounds {
	struct evs_array a;
	bool made; /* `a` has its shape */
	bool known, nulls, values;
};

typedef bool evs_scan_rollup_fn(void *arg, struct evs_segment *seg, const struct evs_commit *c);

/* What is known of a segment that has been read, for following it. */
struct scan_seen {
	char *path;
	uint64_t size;
	struct evs_place place;
	struct evs_origin origin; /* of the file that was read */
	uint64_t commit;	  /* of the lineage, up to which it was */
	int held;		  /* the file, in case that another takes its place; -1: none */
	uint64_t used;		  /* clock, for letting go of the oldest */
};

struct evs_scan {
	struct evs_scan_opts opts;
	const char **paths; /* as given, for evs_scan_refresh() */
	size_t npaths;
	char **strings; /* owns the copies of columns, tenants, paths */
	size_t nstrings;
	int64_t since, until;
	struct evs_path_list list;
	size_t next_path, last_path; /* of the list, to be read: [next_path, last_path) */
	struct evs_table *table;     /* schema of the answer */
	char *stream;		     /* name in HEAD, once known */

	struct evs_field *fields;
	uint16_t *field_slot;
	struct evs_array *cols; /* of the batch: views of the slots' arrays */
	size_t nfields;
	bool chosen;	 /* by evs_scan_choose(), so that codes may be asked for */
	size_t by_codes; /* field of which codes are enough, from 1; 0: none */
	struct evs_batch batch;
	struct scan_slot *slots;
	size_t nslots;
	uint16_t *slot_of; /* by ordinal: number of its slot, from 1; 0: none */

	const struct evs_expr **filters; /* all must be true; bound to table, kept by others */
	size_t nfilters;
	struct scan_hint *hints; /* conditions on what is made of the rows: they only rule out */
	size_t nhints;
	struct evs_expr **own; /* filters made of opts.where and opts.keys */
	size_t nown;
	struct evs_eval *eval;
	struct evs_array *by_ordinal; /* views of slots, for filters */
	const struct evs_coded **coded_by_ordinal;
	struct scan_bounds *bounds;	/* by ordinal */
	bool in_group;			/* a group is being judged, not a segment */
	const struct evs_commit *asked; /* group that filters are asked about, and its map */
	uint32_t asked_group;
	const struct scan_map *asked_map;
	uint32_t asked_zone; /* zone behind those of the group asked about last */
	evs_scan_rollup_fn *take;
	void *take_arg;
	bool asked_first;	/* for rows: it is settled who reads */
	struct scan_pair *pair; /* two threads do, or NULL */
	bool is_twin;		/* the second one of them; the list is the first one's */
	/* slots with the batch at hand: ours, or what another thread has read */
	struct scan_slot *at;
	struct scan_stage *stage; /* latest and sort, or NULL */
	uint16_t *thin; /* columns of --latest, then the time; NULL: all rows. A twin's are the
			   first one's */
	size_t nthin;
	uint8_t *same; /* scratch: rows that the next one replaces */
	uint32_t same_cap;
	size_t nshown;		 /* fields of the answer; those behind are for the stage */
	struct evs_merge *merge; /* NULL until it is needed */
	bool gathered;		 /* all groups of the segment are in it */
	bool grown;		 /* of the rows so far: see struct evs_batch */
	bool stored;		 /* rows as they are stored, of the groups from `from` up to `to` */
	struct evs_place from;
	uint64_t to;
	char *tenant_dir; /* folder whose tenant was judged last */
	bool tenant_may;
	struct evs_scan_explain explain;

	struct evs_segment *seg;
	struct evs_spare *spare; /* of the segment before */
	uint64_t map_off;	 /* schema_off that `map` stands for in this segment */
	struct scan_map *map;
	struct scan_map maps[SCAN_MAPS];
	uint64_t clock;
	struct evs_lift **lift; /* by ordinal: of columns that came later, made when needed */
	struct evs_array kept;	/* the group's _extra as it is stored */
	bool kept_loaded;
	struct evs_array time, part; /* scratch */
	uint32_t *idx;
	uint32_t idx_cap;

	struct scan_seen *seen;
	size_t nseen, seen_cap, nheld;
	bool finishing; /* the segment that is open has been replaced; its path comes once more */
	bool following;
	struct evs_scan_progress progress;
};

/*
 * After evs_scan_open() and before the first evs_scan_next(): what the answer is made of, for
 * queries over a scan.
 *
 * The table is the schema of the answer. choose() makes the batches hold exactly these columns of
 * it (by ordinal, hidden ones too); where() adds a condition that is bound to the table and kept by
 * the caller until the scan is closed: rows of which it is not true are left out, and so is what
 * the zones of groups, the tenants and the partitions rule out.
 */
const struct evs_table *evs_scan_table(const struct evs_scan *s);
int evs_scan_choose(struct evs_scan *s, const uint16_t *ordinals, size_t n, struct evs_diag *diag);
int evs_scan_where(struct evs_scan *s, const struct evs_expr *where, struct evs_diag *diag);

/*
 * Rows of which `e` is not true do not matter, whoever finds out: segments and groups that zones,
 * tenant and partition say have no others are left out. `e` is bound to another table of `n`
 * columns; column[i] is our ordinal for its column i, or -1. Kept by the caller.
 */
int evs_scan_hint(struct evs_scan *s, const struct evs_expr *e, const int *column, size_t n,
		  struct evs_diag *diag);

/*
 * Before the first evs_scan_next(), for two threads: another scan with the same options and schema,
 * which gets the later half of the segments, by what reading them costs. 1 when there are not
 * several, or one thread is enough.
 */
int evs_scan_fork(struct evs_scan *s, struct evs_scan **half, struct evs_diag *diag);

/* Of the batch at hand: codes of field `i`'s rows beside its array, or NULL when there are none. */
const struct evs_coded *evs_scan_coded(const struct evs_scan *s, size_t i);

/*
 * Before the first evs_scan_next(): of field `i`, one at most, codes are enough. A batch that has
 * them has no rows in its array until evs_scan_values() is asked for them: 0 with `*out`, or
 * EVS_E_NOMEM.
 */
void evs_scan_by_codes(struct evs_scan *s, size_t i);
int evs_scan_values(struct evs_scan *s, size_t i, uint32_t rows, struct evs_array *out);

/*
 * Before the first evs_scan_next(): let `take` have a rollup of the commits that lie wholly in the
 * time asked for; where it gives true the rows of the commit are not read. It may call
 * evs_segment_rollup() on the segment.
 */
void evs_scan_rollups(struct evs_scan *s, evs_scan_rollup_fn *take, void *arg);

/*
 * Before the first evs_scan_next(), for a scan of one segment: its rows as they are stored, not
 * merged, each batch a group, from `from` (NULL: the first) up to the group at `to`, which comes
 * too (UINT64_MAX: all). Every schema that rows are stored by must be one that the stream's may
 * take the place of: EVS_E_SCHEMA.
 */
void evs_scan_stored(struct evs_scan *s, const struct evs_place *from, uint64_t to);
/* The segment that is being read, until evs_scan_next() gives 0. NULL: none. */
struct evs_segment *evs_scan_segment(struct evs_scan *s);

/* ---- private to the room --------------------------------------------------------------------- */

/*
 * scan_lift.c: a column that came later than the group, and _extra without the fields that such
 * columns take from it. Append to the slot's array.
 */
int evs_scan_load_later(struct evs_scan *s, const struct scan_map *m, struct scan_slot *slot,
			struct evs_diag *diag);
int evs_scan_load_extra(struct evs_scan *s, const struct scan_map *m, struct scan_slot *slot,
			struct evs_diag *diag);
void evs_scan_lift_release(struct evs_scan *s);

/* Set up fields from opts.columns. EVS_E_USAGE for an unknown one. */
int evs_scan_fields(struct evs_scan *s, struct evs_diag *diag);
void evs_scan_fields_release(struct evs_scan *s);
/* The slot of a column, made when it has none. Returns its number or EVS_E_NOMEM. */
int evs_scan_slot(struct evs_scan *s, uint16_t column);

/* The map for the schema at `off` of the open segment. */
int evs_scan_find_map(struct evs_scan *s, uint64_t off, struct scan_map **out,
		      struct evs_diag *diag);
/* The same, when it is not the one that was asked for last. */
int evs_scan_map(struct evs_scan *s, uint64_t off, struct scan_map **out, struct evs_diag *diag);
void evs_scan_maps_release(struct evs_scan *s);

/* scan_follow.c: the segment at `path` has been read (NULL: it cannot be read at all). Returns 0 or
 * EVS_E_NOMEM. */
int evs_scan_remember(struct evs_scan *s, const char *path, const struct evs_segment *seg);
/*
 * The open segment may have taken the place of one that was not read to its end: then that one is
 * opened instead, to be read on, and the path comes once more.
 */
int evs_scan_finish_old(struct evs_scan *s, evs_damage_fn *fn, struct evs_diag *diag);
/* Let the open segment be read from where it, or the one whose place it took, was read to. 1: from
 * its beginning. */
int evs_scan_go_on(struct evs_scan *s, struct evs_diag *diag);
void evs_scan_follow_release(struct evs_scan *s);

/* scan_filter.c: filters from opts.where and opts.keys. */
int evs_scan_filters(struct evs_scan *s, struct evs_diag *diag);
void evs_scan_filters_release(struct evs_scan *s);
/* Of the rows s->idx[0 .. *n) (all of `rows` when it is still 0 to *n) keep those of which every
 * filter is true. */
int evs_scan_filter(struct evs_scan *s, uint32_t rows, uint32_t *n, struct evs_diag *diag);

/* scan_prune.c: may the segment at `path`, the open segment, a group of it hold rows that the
 * filters let through? */
bool evs_scan_path_may(struct evs_scan *s, const char *path);
bool evs_scan_segment_may(struct evs_scan *s);
enum evs_want evs_scan_group_may(void *scan, const struct evs_commit *c, uint32_t group);

/*
 * scan_merge.c: streams of a ReplacingMergeTree or SummingMergeTree answer as if each segment were
 * merged, whether it is or not (spec/query.md 10).
 */
bool evs_scan_merges(const struct evs_scan *s);
/* Filters that a group's zones may decide: in a merged stream those over the sort key only. */
bool evs_scan_filter_prunes(const struct evs_scan *s, const struct evs_expr *filter);
/* May the times of groups decide? In a merged stream when the time is in the key. */
bool evs_scan_time_prunes(const struct evs_scan *s);
/* Before the first group: the columns that merging needs get slots. */
int evs_scan_merge_open(struct evs_scan *s, struct evs_diag *diag);
/* Add the rows of the current group, which is decoded. */
int evs_scan_merge_add(struct evs_scan *s, uint32_t rows, struct evs_diag *diag);
/* After the last group of a segment: the next merged rows into the slots: 1, or 0 when there are no
 * more. */
int evs_scan_merge_next(struct evs_scan *s, uint32_t *rows, struct evs_diag *diag);

/* scan_thin.c: of all `rows` of the group, those that a next one does not replace into s->idx,
 * which has room: how many in *n. */
int evs_scan_thin(struct evs_scan *s, uint32_t rows, uint32_t *n, struct evs_diag *diag);

/* scan_stage.c: opts.latest and opts.sort, behind the scan. */
int evs_stage_open(struct evs_scan *s, struct evs_diag *diag);
int evs_stage_next(struct evs_scan *s, struct evs_batch **out, struct evs_diag *diag);
void evs_stage_close(struct evs_scan *s);
/* scan.c: the next rows as they are stored, whoever reads them; those that this scan reads itself.
 */
int evs_scan_rows(struct evs_scan *s, struct evs_batch **out, struct evs_diag *diag);
int evs_scan_read(struct evs_scan *s, struct evs_batch **out, struct evs_diag *diag);
/* scan.c: may two threads read, and is it worth it? Two that are asked for are. */
bool evs_scan_worth_two(const struct evs_scan *s);
/* scan.c: another scan of the same segments, but without a stage; which it reads is said by
 * next_path and last_path. */
int evs_scan_twin(struct evs_scan *s, struct evs_scan **out, struct evs_diag *diag);
/* scan_fields.c: one more field behind those of the answer; its number, or EVS_E_NOMEM. */
int evs_scan_field(struct evs_scan *s, uint16_t column);

/* scan_group.c: decode a slot's column of the current group. */
int evs_scan_load(struct evs_scan *s, const struct scan_map *m, struct scan_slot *slot,
		  struct evs_diag *diag);

/* The same as codes, where the block has them: slot->is_coded, or slot->loaded. */
int evs_scan_load_coded(struct evs_scan *s, const struct scan_map *m, struct scan_slot *slot,
			struct evs_diag *diag);

/* Read the current group of s->seg into s->cols: number of rows that match, or an error
 * (EVS_E_FORMAT: group lost). */
int evs_scan_group(struct evs_scan *s, const struct evs_group *g, uint32_t *rows,
		   struct evs_diag *diag);
/* The same with rows that are in the slots already. */
int evs_scan_slots(struct evs_scan *s, uint32_t have, uint32_t *rows, struct evs_diag *diag);

#endif
