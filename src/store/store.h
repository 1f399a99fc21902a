/*
 * The store room: segments as files, for reading. Appending is evs_append_* of evseg.h, schemas
 * evs_store_*.
 *
 * Opening follows spec/segment.md 9: the newest commit is found from the end of the file, and what
 * lies behind it is a tail. A reader takes no lock and sees the newest commit at the moment of
 * opening.
 */
#ifndef EVS_STORE_H
#define EVS_STORE_H

#include "evseg.h"
#include "format/bytes.h"
#include "format/commit.h"
#include "format/frame.h"
#include "format/group.h"
#include "format/head.h"
#include "src/rollup.h"
#include "src/store/path.h"

typedef void evs_damage_fn(void *arg, const struct evs_damage *d);

/* Where the committed part of a file ends, and what follows it. */
struct evs_tail {
	bool have_commit;
	struct evs_trailer trailer; /* of the newest commit */
	uint64_t start;		    /* of the log: after the HEAD frames */
	uint64_t end;		    /* of the newest commit, or of the HEAD frames */
	uint64_t size;		    /* of the file */
	bool copy_bad[2];	    /* trailer copies of the newest commit that do not verify */
	bool unproved; /* whether the newest append is torn has not been looked at (struct evs_file,
			  put_off) */
	bool commit_bad; /* newest commit: its COMMIT frame does not verify (damage, not a tear) */
	bool has_rows;	 /* the tail holds a commit that fails: `rows` of it are lost, perhaps
			    acknowledged */
	uint64_t rows;
	const char *what; /* NULL: no tail. Else a constant that says what the tail is */
};

struct evs_segment;

/*
 * Open for reading. Damage to the HEAD copies, the trailers and a tail are told to `fn` (may be
 * NULL) Returns 0; EVS_E_FORMAT when it is no segment, or one without a readable HEAD;
 * EVS_E_VERSION; EVS_E_SYS; EVS_E_NOMEM.
 */
int evs_segment_open(struct evs_segment **out, const char *path, evs_damage_fn *fn, void *arg,
		     struct evs_diag *diag);
void evs_segment_close(struct evs_segment *s); /* NULL is fine */

/*
 * For whoever reads one segment after the other: what the last one used, memory and the schema's
 * text, serves the next one. It belongs to one open segment at a time, and must outlive it.
 */
struct evs_spare;
int evs_spare_new(struct evs_spare **out);
void evs_spare_free(struct evs_spare *spare); /* NULL is fine */
/*
 * As evs_segment_open(); `spare` may be NULL. `put_off`: few groups will be wanted. Then the frames
 * of the newest append and the hash of a commit are checked when a group is wanted that stands
 * under them, and told then (spec 9-5).
 */
int evs_segment_open_with(struct evs_segment **out, struct evs_spare *spare, bool put_off,
			  const char *path, evs_damage_fn *fn, void *arg, struct evs_diag *diag);

const char *evs_segment_path(const struct evs_segment *s);
const struct evs_head *evs_segment_head(const struct evs_segment *s);
const struct evs_tail *evs_segment_tail(const struct evs_segment *s);

/* Offset of the HEAD or SCHEMA frame now in force. */
uint64_t evs_segment_schema_off(const struct evs_segment *s);

/* Text of the HEAD or SCHEMA frame at `off`; malloc'd and zero-terminated. */
int evs_segment_schema(struct evs_segment *s, uint64_t off, char **text, size_t *len,
		       struct evs_diag *diag);

/* How to go through the groups. */
enum evs_walk {
	EVS_WALK_ALL,	 /* every frame in file order, every byte verified that is read */
	EVS_WALK_PRUNED, /* by INDEX and COMMIT frames; falls back to the former at damage */
};

/* Restart at the first group, with commits whose rows lie wholly outside [since, until) passed over
 * when pruned. */
void evs_segment_rewind(struct evs_segment *s, enum evs_walk how, int64_t since, int64_t until);

/*
 * Next group, in file order: 1 with `*g` (owned by the segment, valid until the next call), 0 at
 * the end, or an error of the system. Damaged stretches are told to fn and passed over. `*off` is
 * the offset of its GROUP frame.
 */
int evs_segment_next(struct evs_segment *s, const struct evs_group **g, uint64_t *off,
		     struct evs_diag *diag);

/*
 * Decode a column of the current group into `out` (shape set, empty). EVS_E_FORMAT: the block is
 * damaged, diag says where; the group's other columns may still be read.
 */
int evs_segment_column(struct evs_segment *s, uint16_t column, struct evs_array *out,
		       struct evs_diag *diag);

/* The same as codes, where the block has them: 1 with `coded`, whose values have the column's
 * shape; else 0 with `out`. */
int evs_segment_coded(struct evs_segment *s, uint16_t column, struct evs_coded *coded,
		      struct evs_array *out, struct evs_diag *diag);

/* The same of the `n` rows rows[0 .. n) alone, which rise, side by side. */
int evs_segment_pick(struct evs_segment *s, uint16_t column, const uint32_t *rows, uint32_t n,
		     struct evs_array *out, struct evs_diag *diag);

/* Let evs_segment_column() tell how values are encoded (NULL: no more). */
void evs_segment_trace(struct evs_segment *s, struct evs_trace *t);

/* Verify the current group's blocks without decoding them. EVS_E_FORMAT as above. */
int evs_segment_verify(struct evs_segment *s, struct evs_diag *diag);

/*
 * Let a pruned walk ask, for each group of a commit that the time does not rule out, whether it is
 * wanted (NULL: all are). The commit, with its zones, is valid during the call.
 */
enum evs_want { EVS_WANTED = 0, EVS_NOT_BY_ZONES = 1, EVS_NOT_BY_FILTERS = 2 };
typedef enum evs_want evs_group_want_fn(void *arg, const struct evs_commit *c, uint32_t group);
void evs_segment_want(struct evs_segment *s, evs_group_want_fn *want, void *arg);

/*
 * Asked from a `want` function: by the filters of `c`, may this column of a group hold the value
 * value[row] (not null, of the type that is stored)? Without a filter it may. A damaged one is told
 * to fn, with no rows lost, and not used.
 */
bool evs_segment_may_hold(struct evs_segment *s, const struct evs_commit *c, uint32_t group,
			  uint16_t column, const struct evs_array *value, uint32_t row);

/*
 * Let a pruned walk ask, for each commit that the time does not rule out, whether its rows are
 * accounted for without being read: then its groups are passed over. NULL: none is. The commit is
 * valid during the call.
 */
typedef bool evs_commit_done_fn(void *arg, const struct evs_commit *c);
void evs_segment_commits(struct evs_segment *s, evs_commit_done_fn *done, void *arg);

/*
 * Asked from a `done` function: the rollup of a view in a commit, decoded into cols[0 .. ncols),
 * which have the view's shapes and are emptied first. Returns 0 with `*groups`; 1: the commit has
 * none; EVS_E_FORMAT or EVS_E_VERSION: it is damaged or not the view's, which fn was told with no
 * rows lost; EVS_E_SYS or EVS_E_NOMEM.
 */
int evs_segment_rollup(struct evs_segment *s, const struct evs_commit *c,
		       const uint8_t view[EVS_VIEW_ID], struct evs_array *cols, size_t ncols,
		       uint32_t *groups, struct evs_diag *diag);

/* A frame that a walk over all frames has come to. */
struct evs_walked {
	uint64_t off, span;
	const struct evs_frame *frame;	 /* NULL: a damaged stretch that was stepped over, which fn
					    was told, or will be */
	const struct evs_commit *commit; /* of a COMMIT; valid during the call */
	const struct evs_index *index;	 /* of an INDEX */
};
/*
 * Let a walk over all frames show every sound frame, a group before evs_segment_next() gives it.
 * Returns 0, or an error that ends the walk. NULL: nobody looks.
 */
typedef int evs_walked_fn(void *arg, const struct evs_walked *w, struct evs_diag *diag);
void evs_segment_watch(struct evs_segment *s, evs_walked_fn *fn, void *arg);

/*
 * On a walk over all frames: the COMMIT of the append in which the walk stands. 0 with `*out`, to
 * be released, which points into `payload`; 1: it cannot be read.
 */
int evs_segment_commit(struct evs_segment *s, struct evs_commit *out, struct evs_buf *payload,
		       uint64_t *off, struct evs_diag *diag);

/* The COMMIT, or INDEX, at `off`, which must lie before the end of the newest commit. As above;
 * damage is an error here. */
int evs_segment_commit_at(struct evs_segment *s, uint64_t off, struct evs_commit *out,
			  struct evs_buf *payload, struct evs_diag *diag);
int evs_segment_index_at(struct evs_segment *s, uint64_t off, struct evs_index *out,
			 struct evs_buf *payload, struct evs_diag *diag);

/* `n` bytes of the file. Valid until the next call on the segment. */
int evs_segment_bytes(struct evs_segment *s, uint64_t off, size_t n, const uint8_t **p,
		      struct evs_diag *diag);

/* The filter of `c` in the frame at `off`, verified. Valid until the next call on the segment. */
int evs_segment_filter(struct evs_segment *s, const struct evs_commit *c, uint64_t off,
		       const uint8_t **blocks, size_t *len, struct evs_diag *diag);

/* What was read of a segment, and passed over, since it was opened. */
struct evs_segment_count {
	uint64_t groups_read, groups_time, groups_unwanted[3]; /* by enum evs_want */
	uint64_t rows_read, rows_time,
		rows_unwanted[3]; /* rows_time: also of commits that an INDEX passes over */
	uint64_t filters_read;
	uint64_t rollups_read, rows_rollup; /* rows that rollups stood for */
	uint64_t blocks, blocks_read;	    /* of the groups read */
	uint64_t block_bytes_read;
};
const struct evs_segment_count *evs_segment_counts(const struct evs_segment *s);

/* Tell fn that the current group's rows are lost, because of diag. */
void evs_segment_lost(struct evs_segment *s, const struct evs_diag *diag);

/* Where a walk over all frames stands, and going on there with another handle on the same file. */
struct evs_place {
	uint64_t off, row, ino;
};
void evs_segment_place(const struct evs_segment *s, struct evs_place *out);
/* EVS_E_FORMAT when it is another file or a shorter one; the walk then stands at its end. */
int evs_segment_resume(struct evs_segment *s, const struct evs_place *p, struct evs_diag *diag);

/* The same, behind the COMMIT `c` at `off`: what follows is held against it as if the walk had come
 * by. */
int evs_segment_resume_behind(struct evs_segment *s, const struct evs_place *p, uint64_t off,
			      uint64_t span, const struct evs_commit *c, struct evs_diag *diag);

/*
 * What a segment says of itself in HEAD, its newest COMMITs and the newest INDEX, without a look at
 * its rows. EVS_E_FORMAT when one of these is damaged; what was learnt before stands.
 */
struct evs_segment_sum {
	uint64_t bytes;		/* of the file */
	uint64_t rows, commits; /* of the segment */
	int64_t oldest, newest; /* times of its rows, ns; EVS_TIME_NONE: none has one */
	int64_t written;	/* when the newest commit was, ns */
	bool has_hash;
	uint8_t hash[EVS_HASH_SIZE]; /* of the newest commit */
	/* of the commits after the newest INDEX, which are all when there is none */
	uint64_t seen_commits, seen_rows, seen_raw_bytes, seen_runs;
};
int evs_segment_sum(struct evs_segment *s, struct evs_segment_sum *out, struct evs_diag *diag);

/* ---- files that others must not touch meanwhile ---------------------------------------------- */

/*
 * Lock a segment as its writers do (spec/store.md 4): 0 with `*fd`, open for reading and writing;
 * 1: nothing is there, or it was replaced while this waited, so look again. Ends with
 * evs_io_close(*fd), in every case; -1 before.
 */
int evs_segment_lock(int *fd, const char *path, const struct evs_wait *how, struct evs_diag *diag);

/*
 * Set bytes aside that a crash left at the end of a file (spec/store.md 5, 6): copy [from, size) of
 * it into a new one beside it, `path`.tail-FROM with `suffix` behind it, make that durable, then
 * cut the file at `from`, and make that durable, too. The name of the copy comes into `aside`
 * (EVS_PATH_MAX bytes). Under the file's lock.
 *
 * 0, EVS_E_SYS, EVS_E_NOMEM, EVS_E_LIMIT (path too long); the file is whole as long as the copy is
 * not.
 */
int evs_set_aside(int fd, const char *path, uint64_t from, uint64_t size, const char *suffix,
		  char *aside, struct evs_diag *diag);

/*
 * The newest commit, and the first one, which says what was folded into it (spec 7.11) and ends at
 * *end. `*out` is released by the caller and points into `payload`, which may be used again.
 * EVS_E_FORMAT when it, or the way to it, is damaged or there is none.
 */
int evs_segment_newest(struct evs_segment *s, struct evs_commit *out, struct evs_buf *payload,
		       struct evs_diag *diag);
int evs_segment_first(struct evs_segment *s, struct evs_commit *out, struct evs_buf *payload,
		      uint64_t *end, struct evs_diag *diag);

/* When the first commit behind `end`, where another one ends, was written. EVS_E_FORMAT when there
 * is none. */
int evs_segment_written_behind(struct evs_segment *s, uint64_t end, int64_t *written,
			       struct evs_diag *diag);

/* Where a file stands among those that took each other's place (spec 7.11). */
struct evs_origin {
	bool known;
	uint8_t id[16], lineage[16]; /* of this file, and of the first one */
	uint64_t before;	     /* commit n of the file is commit before + n of the lineage */
	uint64_t end, rows;	     /* of its first commit */
};
/* EVS_E_FORMAT as for evs_segment_first(); out->known is false then. */
int evs_segment_origin(struct evs_segment *s, struct evs_origin *out, struct evs_diag *diag);

/* The file, kept open when the segment is closed, whatever becomes of its name; -1 when it cannot
 * be. */
int evs_segment_hold(const struct evs_segment *s);
void evs_segment_let_go(int held);
/* Open such a file, which is not held any more then; `path` is the name it had. Otherwise as
 * evs_segment_open_with(). */
int evs_segment_open_held(struct evs_segment **out, struct evs_spare *spare, int held,
			  const char *path, evs_damage_fn *fn, void *arg, struct evs_diag *diag);

/* ---- another file in the place of a segment -------------------------------------------------- */

/*
 * Compaction's side of spec/store.md 5.1: `.NAME.compact` beside the segment is made, filled and
 * renamed over it. Nothing but the rename is seen by others; until then the segment is what it was.
 */
struct evs_replace;

struct evs_replace_opts {
	/* of the rows to come; its text is the schema of the new file */
	const struct evs_table *table;
	uint8_t made_for[EVS_MADE_FOR];
	uint8_t level;
	bool kept; /* rows may keep fields of columns' names in _extra (spec 4.1) */
};

/* Make and lock `.NAME.compact`. EVS_E_LOCKED: another is at it. EVS_E_SYS. */
int evs_replace_open(struct evs_replace **out, const char *path, struct evs_diag *diag);
/* What is to be replaced: the segment as `from` sees it, which stays open until the next call.
 * `opts->table` stays the caller's. */
int evs_replace_begin(struct evs_replace *r, struct evs_segment *from,
		      const struct evs_replace_opts *opts, struct evs_diag *diag);
/* In front of all groups: a dictionary for blocks to come, whose places are set. */
int evs_replace_dictionary(struct evs_replace *r, struct evs_dictionary *d, struct evs_diag *diag);
/* Rows of all columns of the table, sorted among the groups with the same `run`, as a group. */
int evs_replace_group(struct evs_replace *r, struct evs_encoder *enc, const struct evs_array *cols,
		      uint32_t run, uint64_t src_bytes, struct evs_diag *diag);
/*
 * The segment has grown to what `s` sees, whose rows will be in the new file, too. 1: it is not a
 * continuation of what was given before. Otherwise as evs_segment_newest().
 */
int evs_replace_follow(struct evs_replace *r, struct evs_segment *s, struct evs_diag *diag);
/*
 * Sync what there is, lock the segment and look what it has become. 0: nobody appends until the
 * end; `*rows` must be in the new file. 1: it is gone, replaced, or not a continuation of what
 * evs_replace_begin() or evs_replace_follow() was given last. EVS_E_LOCKED; EVS_E_FORMAT when
 * nothing can be appended to it. `*note` as evs_replace_recover().
 */
int evs_replace_lock(struct evs_replace *r, const struct evs_wait *wait, uint64_t *rows,
		     char **note, struct evs_diag *diag);
/* Behind all groups, in ascending order of views. */
int evs_replace_rollup(struct evs_replace *r, struct evs_encoder *enc,
		       const struct evs_rollup *rollup, struct evs_diag *diag);
/*
 * Locked, and all rows are in: commit, sync, rename, sync the folder. `*size` is that of the new
 * file once it has the segment's name, even when the last sync fails; 0 before.
 */
int evs_replace_finish(struct evs_replace *r, uint64_t *size, struct evs_diag *diag);
/* Let go of the locks; what was not finished is removed. NULL is fine. */
void evs_replace_close(struct evs_replace *r);
/* Remove what a killed evs_replace left in a tenant's folder. What another is filling stays. */
int evs_replace_sweep(const char *dir, struct evs_diag *diag);
/* Set a tail aside, as the next writer would. `*note` (malloc'd) tells of it, or is NULL.
 * EVS_E_LOCKED, EVS_E_FORMAT, EVS_E_SYS. */
int evs_replace_recover(const char *path, const struct evs_wait *wait, char **note,
			struct evs_diag *diag);

/* ---- rejects --------------------------------------------------------------------------------- */

/*
 * Up to which offset are the records of a reject file whole (`*whole`)? What follows was torn by a
 * crash: it has a zero byte, which no record has, or no newline at its end. With `source` (as JSON
 * text; or NULL): the highest `end` of its records, into `*seen` when it is above.
 */
int evs_rejects_scan(int fd, const char *path, const struct evs_buf *source, uint64_t *seen,
		     uint64_t *whole, struct evs_diag *diag);

/* ---- a segment made of rows that were read --------------------------------------------------- */

/*
 * A new segment at `path`, where nothing may be, of the stream, tenant and partition of `like`,
 * which must outlive it. Until it is finished it is `.NAME.salvage`. EVS_E_USAGE when something is
 * there; EVS_E_SYS, EVS_E_NOMEM, EVS_E_LIMIT.
 */
struct evs_fresh;
/* Is nothing there? 0; EVS_E_USAGE when there is; EVS_E_SYS. */
int evs_fresh_absent(const char *path, struct evs_diag *diag);
int evs_fresh_open(struct evs_fresh **out, const char *path, const struct evs_head *like,
		   int64_t now, struct evs_diag *diag);
/*
 * Rows as a group; `schema` is the text that `t` was parsed from. `follows`: they are sorted behind
 * those of the group before. They are sorted when they are not.
 */
int evs_fresh_group(struct evs_fresh *f, const struct evs_table *t, const char *schema, size_t len,
		    const struct evs_array *cols, bool follows, uint64_t src_bytes,
		    struct evs_diag *diag);
/* All are there. 1 when there was no group, so that there is no file. */
int evs_fresh_finish(struct evs_fresh *f, struct evs_source *sources, uint32_t n,
		     struct evs_diag *diag);
/* What was not finished is removed. NULL is fine. */
void evs_fresh_close(struct evs_fresh *f);

/* ---- memory that does not fit ---------------------------------------------------------------- */

/* Bytes set aside in an unnamed file in $TMPDIR or /tmp, which is gone when closed, however the
 * process ends. */
struct evs_scratch;
int evs_scratch_open(struct evs_scratch **out, struct evs_diag *diag);
int evs_scratch_append(struct evs_scratch *s, const void *p, size_t n, uint64_t *off,
		       struct evs_diag *diag);
int evs_scratch_read(struct evs_scratch *s, void *p, size_t n, uint64_t off, struct evs_diag *diag);
void evs_scratch_close(struct evs_scratch *s); /* NULL is fine */

/* ---- lists of segments ----------------------------------------------------------------------- */

struct evs_path_list {
	char **paths; /* segments, in the order to be read */
	size_t n;
	char *stream; /* folder of the stream they belong to, or NULL when only segments were given
		       */
	bool loose;   /* some lie in no stream's folder */
	uint64_t passed_time; /* segments whose names say that they hold nothing of the time asked
				 for */
	uint64_t passed_tenants; /* folders of tenants not asked for */
};

/*
 * The segments under `paths`. With `ntenants`, only those tenants' folders; with a time range,
 * names tell which segments cannot hold it. All must belong to one stream.
 */
int evs_path_list(struct evs_path_list *out, const char *const *paths, size_t npaths,
		  const char *const *tenants, size_t ntenants, int64_t since, int64_t until,
		  struct evs_diag *diag);
/* Size of a file, 0 when it cannot be told. */
uint64_t evs_path_size(const char *path);

/*
 * Is there nothing at `path`, or was there nothing when what `why` (may be NULL) tells of was
 * tried? It expired then, and whoever has made it again since has made another.
 */
bool evs_path_gone(const char *path, const struct evs_diag *why);

void evs_path_list_release(struct evs_path_list *l);

/*
 * libsodium hashes several times as fast once it has found out how on this machine, which takes
 * longer than the few hashes of most readers: before something is written, or very much read, and
 * before there are threads that hash. Again is nothing.
 */
int evs_hash_ready(struct evs_diag *diag);

#endif
