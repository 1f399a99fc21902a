/*
 * The reading handle's inside, shared by segment_open.c, segment_walk.c and segment_tree.c.
 */
#ifndef EVS_STORE_SEGMENT_READ_H
#define EVS_STORE_SEGMENT_READ_H

#include "src/store/segment.h"

/* One INDEX frame on the way down the tree. */
struct evs_tree_node {
	struct evs_index index;
	struct evs_buf payload;
	uint32_t next;	/* reference to look at next */
	uint32_t level; /* only references of this level; UINT32_MAX: all */
};

struct evs_tree {
	struct evs_tree_node node[EVS_INDEX_LEVELS + 1];
	unsigned depth;			      /* nodes in use */
	uint64_t pushes;		      /* INDEX frames read so far */
	uint64_t recent[2 * EVS_INDEX_EVERY]; /* commits after the newest INDEX, newest first */
	unsigned nrecent;
	bool in_commit;
	struct evs_commit commit;
	struct evs_buf payload;
	uint32_t next_group;
};

struct evs_segment {
	char *path;
	int fd;
	evs_damage_fn *fn;
	void *arg;
	struct evs_file file;
	struct evs_head head;
	struct evs_tail tail;
	uint64_t dev, ino;
	uint64_t rows_lost;
	uint64_t schema_off;

	enum evs_walk how;
	int64_t since, until;
	uint64_t pos;	   /* next frame to look at (walk), or end of what the tree has passed */
	uint64_t next_row; /* rows of the segment before pos */
	bool gap;	   /* something damaged lies before pos and has not been told yet */
	uint64_t gap_off;
	char gap_what[256];
	bool tail_told;
	struct evs_tree tree;

	struct evs_group group; /* the current one */
	uint64_t group_off;
	struct evs_decoder *dec;
};

/* Tell fn of `rows` rows lost at `off`. */
void evs_segment_tell(struct evs_segment *s, uint64_t off, uint64_t rows, const char *what);

/* Read the GROUP frame at off into s->group. *span gets its length when the head could be read, else 0. */
int evs_segment_load_group(struct evs_segment *s, uint64_t off, uint64_t limit, uint64_t *span,
			   struct evs_diag *diag);

int evs_walk_next(struct evs_segment *s, struct evs_diag *diag);

void evs_tree_release(struct evs_tree *t);
/* 0, or EVS_E_FORMAT when the way from the end to the first commits is damaged. */
int evs_tree_start(struct evs_segment *s, struct evs_diag *diag);
int evs_tree_next(struct evs_segment *s, struct evs_diag *diag);

#endif
