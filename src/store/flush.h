/*
 * From the spool to the segments: each gets its rows sorted, as groups of one commit. Private to
 * the store room.
 *
 * Two threads share the segments of a flush, the caller's and the owner's helper; a segment is
 * written by one of them. Where there is but one segment, they share its groups. Callbacks come
 * from the caller's thread only.
 */
#ifndef EVS_STORE_FLUSH_H
#define EVS_STORE_FLUSH_H

#include "format/group.h"
#include "format/head.h"
#include "src/rollup.h"
#include "src/store/segment_write.h"
#include "src/store/sort.h"
#include "src/store/spool.h"
#include "src/thread.h"

#define FLUSH_THREADS 2u
#define FLUSH_PARTS   3u /* groups that are ready or being made at the same time, for one segment */
#define FLUSH_OWN     1024u

/* A segment as a flush left it. */
struct flush_own {
	uint64_t dev, ino, end;
};

struct flush_ack {
	char *path;
	char *note; /* a tail that was set aside, or NULL */
	uint64_t seq, rows;
};

/* A group on its way into its segment. */
struct flush_part {
	struct evs_seg_part bytes;
	bool ready; /* or failed */
	int rc;
};

/* What one thread needs for itself. */
struct flush_worker {
	struct evs_flush *flush;
	struct evs_encoder *enc;
	struct evs_sorter sorter;
	struct evs_spool_reader *reader; /* of the spool being flushed */
	struct evs_array *group;	 /* rows of one group, sorted */
	struct flush_part part[FLUSH_PARTS];
	struct evs_rollups *rollups; /* of the stream's views, or NULL */
	struct evs_buf text;	     /* tenant */
	struct evs_text_memo memo;   /* schema texts of the segments, which mostly are the same */
	struct evs_buf room;	     /* for what is put into a segment */
	uint64_t duplicate;
	int rc; /* first failure of a segment */
	struct evs_diag diag;
};

struct evs_flush {
	/* set by the owner */
	const struct evs_table *table;
	const char *stream_dir;
	const char *stream_name;     /* for HEAD */
	const char *source;	     /* or NULL */
	const struct evs_wait *wait; /* for the segments of other writers */
	struct evs_helper *helper;   /* has nothing to do between two calls */
	int zstd_level;
	void (*on_ack)(void *arg, const struct evs_ack *ack);
	void (*on_note)(void *arg, const char *text);
	void *arg;
	struct evs_append_stats *stats;
	/* own */
	struct flush_worker worker[FLUSH_THREADS];
	/* of the flush in progress */
	struct evs_spool *spool;
	uint64_t source_off;
	int64_t now;
	bool idle; /* the helper has no segment */
	bool locks_ready;
	/*
	 * `turn` is held by the thread that reads the spool, from choosing a segment until all its
	 * rows are read. A thread may wait for another process's lock on a segment while it has the
	 * turn, so one that has a segment never waits for the turn: two processes cannot block each
	 * other.
	 */
	pthread_mutex_t turn;
	uint32_t next_segment;
	/* of the rest, of *stats and of groups on their way; never held for long */
	pthread_mutex_t lock;
	pthread_cond_t step; /* one of these is ready, or has gone its way */
	/* By inode: what was committed here is known to be on disk. What another left may not be.
	 */
	struct flush_own own[FLUSH_OWN];
	bool stop;
	bool unsure; /* a folder could not be synced: nothing more is acknowledged. The caller's
			thread only */
	struct flush_ack *acks; /* durable but for the sync of their folders */
	size_t nacks, acks_cap;
	char **dirs; /* to be synced before the acks */
	size_t ndirs, dirs_cap;
};

/* The fields above "own" are set. Release in every case. */
int evs_flush_init(struct evs_flush *f, struct evs_diag *diag);
void evs_flush_release(struct evs_flush *f);

/*
 * Commit all rows of the spool and reset it. `source_off`: how far the source has been read. What
 * could be committed is acknowledged even when this fails; a segment that cannot be appended to
 * does not keep the others from it.
 */
int evs_flush_run(struct evs_flush *f, struct evs_spool *s, uint64_t source_off, int64_t now,
		  struct evs_diag *diag);

/* flush_segment.c: read, sort, encode, write, sync the rows of segment `id`. Called with the turn,
 * returns without it. */
int evs_flush_segment(struct flush_worker *w, uint32_t id, struct evs_diag *diag);

/* flush_groups.c: rows idx[0 .. n) of src, which is put in order, sorted among themselves, as one
 * group or more. */
int evs_flush_groups(struct flush_worker *w, struct evs_seg_writer *out,
		     const struct evs_array *src, uint32_t *idx, uint32_t n, struct evs_diag *diag);

/* EVS_E_NOMEM or 0. With f->lock held. */
int evs_flush_remember_dir(struct evs_flush *f, const char *dir);
int evs_flush_remember_ack(struct evs_flush *f, const char *path, const char *note, uint64_t seq,
			   uint64_t rows);

#endif
