/*
 * Appending to one segment: lock, recover, groups, one commit, one sync (spec 10). Private to the
 * store room.
 */
#ifndef EVS_STORE_SEGMENT_WRITE_H
#define EVS_STORE_SEGMENT_WRITE_H

#include "src/rollup.h"
#include "src/store/segment.h"

#include <sodium.h>

/* Which segment, and what it is when it has to be made. Strings belong to the caller. */
struct evs_seg_spec {
	const char *dir;  /* tenant's folder; made when absent */
	const char *name; /* file name in it */
	const char *stream;
	const char *tenant;
	size_t tenant_len;
	int64_t lo, hi; /* partition, seconds */
	uint8_t unit;
	const char *schema; /* text in force for the rows to come */
	size_t schema_len;
	const char *source; /* or NULL */
	bool there;	    /* it is not made when absent: EVS_E_SYS */
	int64_t now;	    /* when it is made */
	const struct evs_wait *wait;
	struct evs_text_memo *memo; /* schema texts of segments before, or NULL */
	struct evs_buf *room; /* memory for the output, kept from one append to the next; or NULL */
};

#define EVS_SEG_FILTERED 64u /* columns with a filter at most */

/* Rows as the bytes of a group that has no place yet, with what a commit says of it. Zeroed is
 * empty; memory is used again. */
struct evs_seg_part {
	uint32_t rows, summed;
	uint64_t mem_bytes, src_bytes;
	int64_t time_min, time_max;
	struct evs_buf group; /* payload */
	struct evs_zone *zones;
	uint32_t nzones, zones_cap;
	struct evs_buf filters; /* payloads of FILTER frames, one behind the other */
	struct {
		uint16_t column;
		size_t end;
	} filter[EVS_SEG_FILTERED];
	uint16_t nfilters;
};

/* A hash on its way. Not to be moved: libsodium wants 64 bytes aligned, which memory on the heap is
 * not. */
struct evs_hashing {
	uint8_t room[sizeof(crypto_generichash_state) + 63];
};

static inline crypto_generichash_state *evs_hashing_state(struct evs_hashing *h)
{
	return (void *)(((uintptr_t)h->room + 63) & ~(uintptr_t)63);
}

struct evs_seg_writer {
	char path[EVS_PATH_MAX];
	char new_path[EVS_PATH_MAX]; /* name under which it is made, "" when it was there */
	int fd;
	uint64_t dev, ino;
	struct evs_file file;
	struct evs_text_memo *memo; /* or NULL */
	uint64_t salt;
	uint64_t end;	  /* of the committed part, before this append */
	uint64_t out_off; /* file offset of out.p[0] */
	struct evs_buf out;
	struct evs_buf *room;	/* where its memory goes in the end, or NULL */
	struct evs_commit last; /* newest commit before this append; seq 0: none */
	struct evs_buf last_payload;
	uint64_t last_len; /* span of its frame */
	uint32_t run;	   /* number of the run of the group that was put last */
	uint64_t schema_off;
	uint64_t source_off; /* absorbed of spec.source before this append */
	uint64_t first_group;
	bool dirty;		/* bytes were written past `end` */
	struct evs_commit next; /* the commit being built; its arrays are owned here */
	uint32_t groups_cap;
	uint32_t zones_cap;
	uint32_t filters_cap;
	uint32_t rollups_cap;
	struct evs_hashing rollups_hash; /* over the ROLLUP frames so far */
	struct evs_hashing filters_hash; /* over the FILTER frames so far */
	struct evs_seg_part part;	 /* of evs_segw_group() */
	char aside[EVS_PATH_MAX];	 /* file into which a tail was set aside, or "" */
	uint64_t aside_bytes;
};

struct evs_seg_rows {
	const struct evs_array *cols;
	uint16_t ncols;
	uint64_t src_bytes;
	int64_t time_min, time_max;
	bool begins_run; /* not sorted behind the group before; the first of an append never is */
	const uint16_t *filtered; /* columns that get a filter, ascending */
	uint16_t nfiltered;
	uint32_t run; /* 0: that of the commit */
};

/* segment_rows.c. Columns that get filters: of the sort key and with an index, ascending; how many.
 */
uint16_t evs_seg_filtered(const struct evs_table *t, uint16_t out[EVS_SEG_FILTERED]);

/* Bounds of the times of rows idx[0 .. n), or 0 .. n - 1 when idx is NULL. */
void evs_seg_times(const struct evs_table *t, const struct evs_array *time, const uint32_t *idx,
		   uint32_t n, struct evs_seg_rows *r);

/* Lock, recover, load. EVS_E_LOCKED, EVS_E_FORMAT (damaged so that nothing can follow), EVS_E_SYS,
 * EVS_E_NOMEM. Close in every case. */
int evs_segw_open(struct evs_seg_writer *w, const struct evs_seg_spec *spec, struct evs_diag *diag);

/*
 * segment_group.c: encode rows that will be row `first_row` of the segment and on. Any thread may.
 * EVS_E_NOMEM; EVS_E_LIMIT: the group would be larger than a segment can hold.
 */
int evs_seg_part_make(struct evs_seg_part *p, struct evs_encoder *enc,
		      const struct evs_seg_rows *rows, uint64_t schema_off, uint64_t first_row);
void evs_seg_part_release(struct evs_seg_part *p);
/* That it failed with `rc`, in words. */
int evs_seg_part_fail(uint32_t rows, int rc, struct evs_diag *diag);

/* Add it as a group. As in struct evs_seg_rows: does it begin a run, and the number of one, or 0.
 */
int evs_segw_put_part(struct evs_seg_writer *w, const struct evs_seg_part *p, bool begins_run,
		      uint32_t run, struct evs_diag *diag);

/* Add rows as one group: both of it. */
int evs_segw_group(struct evs_seg_writer *w, struct evs_encoder *enc,
		   const struct evs_seg_rows *rows, struct evs_diag *diag);

/* segment_dict.c: in front of the first group: both DICT frames; d->off and d->copy become their
 * places. */
int evs_segw_dictionary(struct evs_seg_writer *w, struct evs_dictionary *d, struct evs_diag *diag);

/* Behind all groups: a ROLLUP frame. In ascending order of views. */
int evs_segw_rollup(struct evs_seg_writer *w, struct evs_encoder *enc, const struct evs_rollup *r,
		    struct evs_diag *diag);

/*
 * Commit the groups and make them durable: 0 means they are on disk (for a new segment: as soon as
 * its folder is synced, which is the caller's part). `source` may be NULL.
 */
int evs_segw_commit(struct evs_seg_writer *w, const char *source, uint64_t source_off, int64_t now,
		    struct evs_diag *diag);

/* The same with several sources. */
int evs_segw_commit_sources(struct evs_seg_writer *w, struct evs_source *sources, uint32_t n,
			    int64_t now, struct evs_diag *diag);

/* A new file, open under w->new_path, begins: emptied, and HEAD is put, in the same buffer as the
 * first groups. */
int evs_segw_begin(struct evs_seg_writer *w, const struct evs_head *h, struct evs_diag *diag);

/* Write out and sync what has been put so far, so that the sync of the commit has little left to
 * do. */
int evs_segw_sync(struct evs_seg_writer *w, struct evs_diag *diag);

/* Turn what was put behind `at` (40 zero bytes, then the payload) into a frame, padded. */
int evs_segw_seal(struct evs_seg_writer *w, size_t at, enum evs_frame_type type, uint8_t flags,
		  uint32_t summed);
/* Write out what was put when it is much. */
int evs_segw_relieve(struct evs_seg_writer *w, struct evs_diag *diag);

/* File offset of what is put next. */
uint64_t evs_segw_here(const struct evs_seg_writer *w);

/*
 * segment_index.c: put an INDEX frame that folds the commits so far, and let the next commit name
 * it. When their chain is damaged nothing is put (EVS_E_FORMAT): an append does without.
 */
int evs_segw_put_index(struct evs_seg_writer *w, struct evs_diag *diag);

/*
 * segment_index.c: what each source has had stored here, by the commits up to the newest, w->last.
 * Ids are malloc'd; free with evs_sources_free().
 */
int evs_segw_sources(struct evs_seg_writer *w, struct evs_source **out, uint32_t *n,
		     struct evs_diag *diag);
void evs_sources_free(struct evs_source *sources, uint32_t n);

/* What was set aside when it was opened, as a line to tell of it. False: nothing was. */
bool evs_segw_aside_text(const struct evs_seg_writer *w, char *text, size_t size);

/* Unlock and free. What was not committed is cut off again. */
void evs_segw_close(struct evs_seg_writer *w);

#endif
