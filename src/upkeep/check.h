/*
 * Checking: every rule of spec/segment.md that bytes can break, and the folders around the
 * segments. Private to the files check*.c.
 *
 * Which rule is looked at where (corpus/bad has a file for each, and tests/spec/run holds that it
 * is named):
 *
 *   1.2, 6, 5.2 to 5.4        format/: a block, when check_group.c has it decoded
 *   3.1-1 to -11              format/frame.c; 3.1-12 to -15: src/store/file.c, on the walk
 *   4.1, 4.2                  format/head.c, src/store/file_head.c; 4.1-C1 check_segment.c, 4.1-C2
 * check_group.c 4.3, 5.1-9, 7.1-C3        src/store/segment_open.c, asked by check_group.c and
 * check_commit.c 5.1, 5.1-10               format/group_decode.c, src/store/segment_walk.c 5.6
 * src/store/segment_rollup.c; 5.6-C1 check_rollup.c 7.1 to 7.10 format/commit_decode.c, zone.c,
 * section.c, trailer.c 7.1-12, -13, 7.2-7, 8.3   format/chain.c, src/store/segment_chain.c
 *   3.1-C1, 7.1-C, 7.9-C1, 7.10-C1    check_commit.c
 *   7.2-7 (hash), 7.2-C, 7.5-C, 7.8-C1, 7.9-C2, -C3   check_group.c
 *   7.6-C, 8.3-C1             check_chain.c
 *   8.1, 8.2                  format/index.c
 *   9-1 to 9-6, 9-9, 9-10     src/store/file_head.c, tail.c, segment_walk.c
 *   store 11-1, 11-2          check_folder.c, check_segment.c
 */
#ifndef EVS_UPKEEP_CHECK_H
#define EVS_UPKEEP_CHECK_H

#include "src/rollup.h"
#include "src/store/store.h"

#include <sodium.h>

/* Where a check stopped. */
struct check_resume {
	bool pending;		    /* ... and has not come to yet */
	char segment[EVS_PATH_MAX]; /* as seen from the path that is checked */
	struct evs_place place;	    /* off 0: all of it is still to do */
	uint64_t commit_off,
		commit_len; /* the last COMMIT in front of the place; 0: none is known */
	char id[33];	    /* of the segment, in hex */
};

/* salvage.c: what goes into a new segment. */
struct salvage {
	const char *out; /* NULL: nothing does */
	bool single;	 /* `out` is the segment; else a store */
	bool failed;	 /* something could not be written */
	struct evs_fresh *fresh;
	struct evs_source *source;
	uint32_t nsources;
};

/* One run. */
struct check {
	const struct evs_check_opts *opts;
	struct evs_check_counts count;
	const char *path;  /* of the file at hand */
	bool segment_told; /* it is counted as damaged */
	uint64_t shown;	   /* bytes when progress was told last */

	/* check_state.c: with a limit of time */
	const char *root;	  /* the path */
	char state[EVS_PATH_MAX]; /* file that says where to go on */
	int64_t soft, hard;	  /* when to stop behind a commit, and behind any group; 0: never */
	bool worked;		  /* something has been done */
	struct check_resume resume, stop;

	struct salvage salvage;
};

/* Before all paths: read where the last check stopped. After them: write where this one did, or
 * remove that; `rc` is what came of them. */
int evs_check_begin(struct check *c, const char *const *paths, size_t npaths,
		    struct evs_diag *diag);
int evs_check_end(struct check *c, int rc, struct evs_diag *diag);
/* Is it this segment's turn? 0; 1: it was looked at the last time; EVS_E_STOP: the time is over. */
int evs_check_pass(struct check *c, const char *path);

/* A rule number and the text behind it, in one string, as format/ has them; text without a number
 * is fine. */
void evs_check_tell(struct check *c, struct evs_finding f, const char *text);
/* The same in two. */
void evs_check_rule(struct check *c, struct evs_finding f, const char *rule, const char *what);
/* A remark on a file. */
void evs_check_remark(struct check *c, const char *path, const char *text);
/* What kept us from looking at a file: told, unless there is no memory. Returns 0 or EVS_E_NOMEM.
 */
int evs_check_error(struct check *c, const char *path, int rc, const struct evs_diag *d,
		    struct evs_diag *diag);
void evs_check_progress(struct check *c);

/* The stream that segments lie in. */
struct check_stream {
	char name[256]; /* of its folder */
	char *schema;	/* text of its schema.sql, or NULL */
	size_t schema_len;
	struct evs_table *table; /* of it, or NULL */
};

/* Where a segment lies; empty names are not known. */
struct check_place {
	const struct check_stream *stream; /* or NULL */
	const char *tenant;		   /* name of the folder */
	const char *file;
};

/* 0, or an error that ends the run. */
int evs_check_segment(struct check *c, const char *path, const struct check_place *place,
		      struct evs_diag *diag);
int evs_check_path(struct check *c, const char *path, struct evs_diag *diag);

/* ---- one segment ----------------------------------------------------------------------------- */

/* How far a source was absorbed, its id as a hash. */
struct check_source {
	uint8_t id[16];
	uint64_t off;
};

/* What the frames so far say, for those that speak of them. */
struct check_chain {
	struct evs_index_ref *refs; /* commits since the newest INDEX, as it will have them */
	uint32_t nrefs, refs_cap;
	struct evs_index index; /* the newest; without sources */
	uint64_t index_off, index_len;
	bool sure;		     /* refs are all commits since `index` */
	uint64_t last_off, last_len; /* the newest commit */
	bool last_known;
	struct check_source *source; /* by id */
	uint32_t nsource, source_cap;
	bool sources_sure; /* all of them are there, and as they are */
};

struct check_segment {
	struct check *run;
	struct evs_segment *seg;
	const struct check_stream *stream;
	const struct check_place *place;
	struct check_chain chain;
	uint64_t schema_named; /* by a commit, and looked at */
	bool muted;	       /* what opening tells was told when the check of the segment began */
	bool resumed;	       /* it began earlier, and goes on here */

	/* the schema of the groups */
	struct evs_table *table;
	uint64_t schema_off;
	struct evs_array *cols; /* of `table` */
	bool *keep;		/* columns that are looked at together */
	struct evs_rollups *rollups;

	/* the append at hand */
	bool whole;		  /* no damage since it began */
	struct evs_commit commit; /* the one to come, when `ahead` */
	struct evs_buf payload;
	bool ahead;
	uint64_t commit_off;
	uint32_t ref, zone, filter; /* next of commit.groups, .zones, .filters */
	bool have_filters, have_rollups;
	crypto_generichash_state filters_hash, rollups_hash;
	bool rollup_rows; /* c.rollups has all rows so far */

	/* the group at hand, as the walk met it, and the end of the run so far */
	uint64_t off, span;
	uint32_t run_number;
	bool run_known;
	bool follows;		/* the group at hand follows the one before, in one run */
	struct evs_array *last; /* one row each of the sort key's columns */
	uint16_t nlast;
};

/* Tell of the segment at hand. `rows` that it is about, of which `lost` says whether they are lost.
 */
void evs_check_found(struct check_segment *s, uint64_t off, uint64_t rows, bool lost,
		     const char *text);

/* check_chain.c. Each returns 0, or an error that ends the run. */
/* Sources of a COMMIT, or of an INDEX, which names `all` of them as they are. */
int evs_check_sources(struct check_segment *s, uint64_t off, const struct evs_source *src,
		      uint32_t n, bool all, struct evs_diag *diag);
int evs_check_index(struct check_segment *s, const struct evs_walked *w, struct evs_diag *diag);
/* A commit that the next INDEX will have. */
int evs_check_remember(struct check_segment *s, const struct evs_walked *w, struct evs_diag *diag);
void evs_check_chain_release(struct check_chain *c);

/* The state behind the commit at `off`. */
int evs_check_chain_load(struct check_segment *s, uint64_t off, uint64_t span,
			 struct evs_diag *diag);

/* check_state.c: go on in this segment, if that is the one. Stop behind a commit, or the group at
 * hand: EVS_E_STOP when the time is over. */
int evs_check_go_on(struct check_segment *s, struct evs_diag *diag);
int evs_check_stop_commit(struct check_segment *s, const struct evs_walked *w);
int evs_check_stop_group(struct check_segment *s);

/* check_commit.c: frames against each other. Each returns 0, or an error that ends the run. */
int evs_check_walked(void *arg, const struct evs_walked *w, struct evs_diag *diag);
int evs_check_ahead(struct check_segment *s, uint64_t off, struct evs_diag *diag);
int evs_check_hash_frame(struct check_segment *s, uint64_t off, uint64_t span,
			 crypto_generichash_state *st, struct evs_diag *diag);

/* check_group.c: the group at hand against what is said of it. */
int evs_check_group(struct check_segment *s, const struct evs_group *g, struct evs_diag *diag);
void evs_check_group_release(struct check_segment *s);

/* salvage.c: before all; a sound group, all columns of which are at hand; what a COMMIT or INDEX
 * says of sources; the end of the segment. */
int evs_salvage_begin(struct check *c, const char *const *paths, size_t npaths,
		      struct evs_diag *diag);
int evs_salvage_group(struct check_segment *s, const struct evs_group *g,
		      const struct evs_group_ref *ref, struct evs_diag *diag);
int evs_salvage_sources(struct check_segment *s, const struct evs_source *src, uint32_t n,
			struct evs_diag *diag);
int evs_salvage_end(struct check_segment *s, int rc, struct evs_diag *diag);

/* check_rollup.c */
int evs_check_rollup_schema(struct check_segment *s, struct evs_diag *diag);
/* Rows of the columns at hand, unless they are not `sound`; `first`: of the commit. */
int evs_check_rollup_rows(struct check_segment *s, uint32_t rows, bool sound, bool first,
			  struct evs_diag *diag);
int evs_check_rollups(struct check_segment *s, const struct evs_commit *c, struct evs_diag *diag);

#endif
