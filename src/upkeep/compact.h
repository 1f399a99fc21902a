/*
 * Inside of compaction, shared by compact*.c: one segment from its runs to its rows in order.
 * Private to the upkeep room.
 */
#ifndef EVS_UPKEEP_COMPACT_H
#define EVS_UPKEEP_COMPACT_H

#include "src/query/query.h"
#include "src/upkeep/upkeep.h"

/* Groups that lie together in the file; `sorted` among themselves, as the schema has it now. */
struct compact_stretch {
	struct evs_place from; /* off 0: the first group */
	uint64_t to;	       /* no group from here on */
	uint64_t rows, bytes;  /* stored */
	bool sorted;
	bool beside; /* read beside the others while they are merged */
};

#define COMPACT_SAMPLES 32u

/* Groups spread evenly over a segment: each `stride`th one. */
struct compact_sample {
	struct {
		struct evs_place from;
		uint64_t to;
	} group[COMPACT_SAMPLES];
	unsigned n;
	uint64_t seen, stride;
};

/* One segment at work. */
struct compact_job {
	const char *path;
	const struct evs_compact_opts *opts;
	const struct evs_compact_goal *goal;
	const struct evs_table *table; /* goal's */
	/*
	 * The sort key of the table, but for the tenant, which is the same in all rows of a
	 * segment; where rows of one key are merged, the first ncompare of them, and then what
	 * decides within the key.
	 */
	uint16_t *key;
	uint16_t nkey, ncompare;
	bool merge;
	/* set by scans: what they met makes the segment one that is left as it is */
	bool damaged;
	struct evs_diag damage;
	/* compact_plan.c */
	struct compact_stretch *stretch;
	size_t nstretches, cap;
	struct compact_sample sample;
	struct evs_place end; /* behind the last group */
	uint64_t rows;	      /* read so far */
	uint64_t planned;     /* of them by evs_compact_plan() */
	uint64_t src_bytes;   /* of all groups */
	bool kept;	      /* rows may keep fields that are columns by now */
	void (*on_rows)(void *arg, uint32_t rows);
	void *arg;
};

/* ---- compact_plan.c -------------------------------------------------------------------------- */

/* Look through `s` for what is sorted already, and for what commits say. EVS_E_FORMAT: damaged. */
int evs_compact_plan(struct compact_job *j, struct evs_segment *s, struct evs_diag *diag);
void evs_compact_plan_release(struct compact_job *j);

/* ---- compact_rows.c -------------------------------------------------------------------------- */

/* A scan of part of the segment, by whose batches rows are read as the table has them. */
int evs_compact_scan(struct compact_job *j, struct evs_scan **out, const struct evs_place *from,
		     uint64_t to, const uint16_t *columns, size_t ncolumns, struct evs_diag *diag);

/* Rows in order and, with `merge`, those of one key merged as the engine of the table has it. */
struct compact_rows;
int evs_compact_rows_open(struct compact_rows **out, struct compact_job *j, bool merge,
			  struct evs_diag *diag);
/* All that evs_compact_plan() found; or what has come behind j->end since, in front of `upto` (0:
 * all), which moves it and j->rows. EVS_E_FORMAT: damaged. */
int evs_compact_rows_plan(struct compact_rows *r, struct evs_diag *diag);
int evs_compact_rows_since(struct compact_rows *r, uint64_t upto, struct evs_diag *diag);
/* 1 with `*cols`, by ordinal, valid until the next call; 0 at the end. */
int evs_compact_rows_next(struct compact_rows *r, struct evs_array **cols, uint32_t *rows,
			  struct evs_diag *diag);
uint64_t evs_compact_rows_taken(const struct compact_rows *r); /* from the segment, so far */
void evs_compact_rows_close(struct compact_rows *r);	       /* NULL is fine */

/* ---- compact_dict.c -------------------------------------------------------------------------- */

/*
 * Dictionaries of the columns of text for which they pay, put into the new file and given to the
 * encoder, in front of the first group. They stay the caller's, to be released when the encoder is.
 * Errors as of evs_compact_rows_plan().
 */
int evs_compact_dictionaries(struct compact_job *j, struct evs_replace *r, struct evs_encoder *enc,
			     struct evs_dictionary out[EVS_DICTIONARIES], struct evs_diag *diag);

/* ---- compact.c ------------------------------------------------------------------------------- */

/*
 * `r` was opened on j->path, and `s` opened after it. EVS_E_LOCKED: it is in use, or was changed
 * under our hands; EVS_E_FORMAT: damaged; EVS_E_SCHEMA; EVS_S_STOP; EVS_E_SYS; EVS_E_NOMEM;
 * EVS_E_LIMIT. Only with 0 the segment is another one.
 */
int evs_compact_segment(struct compact_job *j, struct evs_replace *r, struct evs_segment *s,
			struct evs_compacted *out, struct evs_diag *diag);

#endif
