/*
 * What reader and writer of a segment share. Private to the store room.
 */
#ifndef EVS_STORE_SEGMENT_H
#define EVS_STORE_SEGMENT_H

#include "src/store/io.h"
#include "src/store/store.h"

/* Bytes of a file from `off` on. */
struct evs_window {
	uint8_t *p;
	uint64_t off;
	size_t len, cap;
};

/* See store.h. */
struct evs_spare {
	struct evs_window win[2];
	struct evs_decoder *dec;
	struct evs_text_memo memo;
	struct evs_buf held; /* of struct evs_tree */
};

/*
 * A file being read frame by frame through two windows of its bytes: whoever goes through it and
 * looks ahead, or back, every now and then comes back to where the first one stands.
 */
struct evs_file {
	int fd;
	const char *path; /* not owned */
	uint64_t salt;
	uint64_t size; /* of the file when it was last looked at; 0: not known */
	struct evs_window win[2];
	unsigned newest; /* window that was used last */
	bool back;	 /* it was moved towards the beginning */
	size_t ahead;	 /* bytes that it took at least */
	bool put_off;	 /* hashes of commits, and the frames of the newest append, are checked when
			    they are needed */
	struct evs_kept_commit {
		uint64_t off, end; /* end 0: none */
		struct evs_commit commit;
		struct evs_buf payload;
	} kept;
};

void evs_file_init(struct evs_file *f, int fd, const char *path);
void evs_file_release(struct evs_file *f); /* the memory; not the descriptor */
void evs_file_forget(struct evs_file *f);  /* what was read: the file has changed */

/* `n` bytes at `off`, in a window (grown when it must). EVS_E_FORMAT when the file ends before. */
int evs_file_bytes(struct evs_file *f, uint64_t off, size_t n, const uint8_t **p,
		   struct evs_diag *diag);

/* So many bytes, and no more, are wanted next, if a window holds them: the same in one read. Errors
 * are left to the next call. */
void evs_file_fetch(struct evs_file *f, uint64_t off, uint64_t n);

/* Frame head at `off`, whose span must end at or before `limit`. */
int evs_file_frame(struct evs_file *f, uint64_t off, uint64_t limit, struct evs_frame *out,
		   struct evs_diag *diag);

/* The summed part of the frame's payload, verified. Valid until the next evs_file_* call. */
int evs_file_summed(struct evs_file *f, uint64_t off, const struct evs_frame *fr, const uint8_t **p,
		    struct evs_diag *diag);

/* What the COMMIT that ends an append says of the frames in front of it. */
struct evs_ahead {
	uint64_t from, to; /* where they stand, as far as they were looked at */
	bool known;	   /* the COMMIT is sound; `append` is its number */
	uint64_t commit;   /* ... and where it stands */
	uint64_t newest;   /* where the newest one of the file stands; 0: none is known */
	bool refused;	   /* ... or of a newer format, and nothing before it is damaged */
	uint32_t append;
	char why[96]; /* it is refused */
};

/* Look ahead from the frame at `pos` to its COMMIT. Damage on the way is passed over, and makes no
 * error. */
int evs_file_ahead(struct evs_file *f, uint64_t pos, const struct evs_tail *t,
		   struct evs_ahead *out, struct evs_diag *diag);

/* Rules 3.1-15 and 3.1-16 for the frame at `off`: EVS_E_FORMAT when it is left over from another
 * version of the file. */
int evs_file_check_append(struct evs_file *f, uint64_t off, const struct evs_frame *fr,
			  const struct evs_ahead *a, struct evs_diag *diag);

/* The filter in the FILTER frame at off, of the append that `a` tells of. Valid until the next
 * evs_file_* call. */
int evs_file_filter(struct evs_file *f, uint64_t off, uint64_t limit, const struct evs_ahead *a,
		    const uint8_t **blocks, size_t *len, struct evs_diag *diag);

/* Are the padding bytes behind the payload zero? EVS_E_FORMAT when not. */
int evs_file_padding(struct evs_file *f, uint64_t off, const struct evs_frame *fr,
		     struct evs_diag *diag);

/* Verify a whole GROUP frame, blocks included, without decoding. */
int evs_file_verify_group(struct evs_file *f, uint64_t off, const struct evs_frame *fr,
			  struct evs_diag *diag);

/* First offset >= from (8-aligned, < limit) with a frame head that verifies, or `limit`. */
int evs_file_resync(struct evs_file *f, uint64_t from, uint64_t limit, uint64_t *off,
		    struct evs_diag *diag);

/*
 * HEAD: read, verify, decode into `head` (released by the caller), set f->salt and *start, the
 * offset after both copies. `copy_bad` tells of each copy; `memo` may be NULL. EVS_E_FORMAT when
 * neither can be read.
 */
int evs_file_head(struct evs_file *f, uint64_t size, struct evs_head *head, uint64_t *start,
		  bool copy_bad[2], struct evs_text_memo *memo, struct evs_diag *diag);

/* Find the newest commit and judge the tail (spec 9). `t->start` and `t->size` are set by the
 * caller. */
int evs_tail_find(struct evs_file *f, struct evs_tail *t, struct evs_diag *diag);
/*
 * Where that was put off (`t->unproved`): is the newest append, which ends with the commit `c`,
 * torn? Then it is the tail, and the commit before it is the newest.
 */
int evs_tail_prove(struct evs_file *f, struct evs_tail *t, const struct evs_commit *c,
		   struct evs_diag *diag);

/* Read and decode the COMMIT (INDEX) frame at off; `*out` released by the caller; `payload` (may be
 * reused, owned by the caller) keeps the bytes its pointers point into. */
int evs_file_commit(struct evs_file *f, uint64_t off, uint64_t limit, struct evs_commit *out,
		    struct evs_buf *payload, struct evs_diag *diag);
/*
 * Give back a commit that evs_file_commit() gave, with its payload: the next one who asks for it
 * gets it without reading, hashing and decoding it again. One is kept, of `off`, that ended at or
 * before `limit`. Takes both away from the caller.
 */
void evs_file_keep(struct evs_file *f, uint64_t off, uint64_t limit, struct evs_commit *c,
		   struct evs_buf *payload);
/*
 * The numbers of a COMMIT alone, its frame verified: nothing to release. Its payload, valid until
 * the next evs_file_* call, may be kept and decoded later by evs_file_decode(), which leaves
 * `payload` as it is.
 */
int evs_file_commit_fixed(struct evs_file *f, uint64_t off, uint64_t limit, struct evs_commit *out,
			  const uint8_t **payload, size_t *len, struct evs_diag *diag);
int evs_file_decode(struct evs_file *f, uint64_t off, uint32_t append, struct evs_commit *out,
		    const struct evs_buf *payload, struct evs_diag *diag);
int evs_file_index(struct evs_file *f, uint64_t off, uint64_t limit, struct evs_index *out,
		   struct evs_buf *payload, struct evs_diag *diag);

#endif
