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

/* A commit behind the newest INDEX. */
struct evs_recent {
	uint64_t off;
	size_t at, len; /* of its payload in evs_tree.held; 0: it was not kept */
	uint32_t append;
};

struct evs_tree {
	struct evs_tree_node node[EVS_INDEX_LEVELS + 1];
	unsigned depth;	 /* nodes in use */
	uint64_t pushes; /* INDEX frames read so far */
	uint64_t passed; /* rows passed over that stand behind s->pos, nobody knows where */
	struct evs_recent recent[2 * EVS_INDEX_EVERY]; /* newest first */
	unsigned nrecent;
	struct evs_buf held; /* of them; the memory stays */
	bool in_commit;
	struct evs_commit commit;
	uint64_t commit_off;
	struct evs_buf payload;
	uint32_t next_group;
	bool unproved; /* the commit's hash has not been checked, nor, if it is the newest, its
			  append */
};

/* A frame that a later one speaks of. */
struct evs_seen {
	uint64_t off, span, rows;
	int64_t time_min, time_max;
};

/*
 * What a walk remembers, to hold frames against those before them
 * (rules 7.1-12, 7.1-13, 7.2-7, 8.3-1, 8.3-2). `sure` is lost with every damaged stretch and comes
 * back with the next sound frame of its kind.
 */
struct evs_chain {
	bool commit_sure, groups_sure;
	struct evs_commit last; /* newest commit: seq, rows_total, hash */
	uint64_t last_off;
	uint64_t index_off; /* newest INDEX; 0: none */
	uint64_t index_seq;
	struct evs_seen commits[2 * EVS_INDEX_EVERY]; /* since the newest INDEX, the last ones */
	unsigned ncommits;
	struct evs_ahead ahead;	 /* of the append that the walk is in */
	struct evs_seen *groups; /* since the last commit */
	uint32_t ngroups, groups_cap;
};

/* A dictionary that was read, or could not be: then without bytes. */
struct evs_segment_dict {
	bool used;
	struct evs_dictionary dict;
};

struct evs_segment {
	char *path;
	int fd;
	struct evs_spare *spare; /* or NULL */
	evs_damage_fn *fn;
	void *arg;
	struct evs_file file;
	struct evs_head head;
	struct evs_tail tail;
	uint64_t dev, ino;
	uint64_t schema_off;

	enum evs_walk how;
	int64_t since, until;
	uint64_t pos;	   /* next frame to look at (walk), or end of what the tree has passed */
	uint64_t next_row; /* rows of the segment before pos */
	bool gap;	   /* something damaged lies before pos and has not been told yet */
	uint64_t gap_off;
	char gap_what[256];
	bool tail_told;

	evs_group_want_fn *want;
	void *want_arg;
	evs_commit_done_fn *done;
	void *done_arg;
	evs_walked_fn *watch;
	void *watch_arg;
	struct evs_segment_count count;
	/* The SCHEMA frame that was damaged last, or 0: it is not read again for each group of it.
	 */
	uint64_t schema_bad;
	uint64_t filter_read, filter_told; /* filter that was counted, or named as damaged, last */
	uint64_t packed_read;		   /* group whose only block was counted */

	struct evs_group group; /* the current one */
	uint64_t group_off;
	uint32_t group_append; /* of its frame's head */
	struct evs_decoder *dec;
	struct evs_segment_dict dict[EVS_DICTIONARIES];
	unsigned next_dict; /* to be replaced, modulo their number */

	/* Too large to be zeroed for each segment: what is in use of them says so itself. */
	struct evs_diag schema_why;
	struct evs_tree tree;
	struct evs_chain chain;
};

/* Tell fn of `rows` rows lost at `off`. */
void evs_segment_tell(struct evs_segment *s, uint64_t off, uint64_t rows, const char *what);

/*
 * What was put off when the segment was opened: is the newest append whole, which ends with the
 * commit `c`? (NULL: it is read again.) A tail is told. Returns 0 or an error of the system.
 */
int evs_segment_settle(struct evs_segment *s, const struct evs_commit *c, struct evs_diag *diag);

/* Read the GROUP frame at off into s->group. *span gets its length when the head could be read,
 * else 0. */
int evs_segment_load_group(struct evs_segment *s, uint64_t off, uint64_t limit, uint64_t *span,
			   struct evs_diag *diag);

/* segment_schema.c: the schema in force, into s->schema_off. Damage is passed over, as 9-8 says. */
int evs_segment_find_schema(struct evs_segment *s, struct evs_diag *diag);

/*
 * segment_dict.c: have the dictionary of a block with codec 2 of the current group at hand;
 * `*stored`, its bytes, stands at `at` of the file and may move. 0 also where the block or the
 * dictionary is damaged: who decodes it finds that out.
 */
int evs_segment_dictionary(struct evs_segment *s, const struct evs_block *b, uint64_t at,
			   const uint8_t **stored, struct evs_diag *diag);
void evs_segment_dict_release(struct evs_segment *s);

int evs_walk_next(struct evs_segment *s, struct evs_diag *diag);

/* segment_chain.c. Broken rules are told with no rows lost: every frame is sound by itself. */
void evs_chain_init(struct evs_chain *c);
void evs_chain_start(struct evs_segment *s);
void evs_chain_broken(struct evs_segment *s); /* a stretch was stepped over */
/* The walk begins behind the commit at `off`; `whole`: right behind it. */
void evs_chain_resume(struct evs_segment *s, uint64_t off, const struct evs_commit *c, bool whole);
int evs_chain_group(struct evs_segment *s, uint64_t off, uint64_t span, struct evs_diag *diag);
void evs_chain_commit(struct evs_segment *s, uint64_t off, uint64_t span,
		      const struct evs_commit *c);
int evs_chain_index(struct evs_segment *s, uint64_t off, const struct evs_index *x,
		    struct evs_diag *diag);

void evs_tree_init(struct evs_tree *t);
void evs_tree_release(struct evs_tree *t);
/* 0, or EVS_E_FORMAT when the way from the end to the first commits is damaged. */
int evs_tree_start(struct evs_segment *s, struct evs_diag *diag);
int evs_tree_next(struct evs_segment *s, struct evs_diag *diag);

#endif
