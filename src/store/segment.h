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

/*
 * A file being read frame by frame through two windows of its bytes: whoever goes through it and looks ahead, or back, every
 * now and then comes back to where the first one stands.
 */
struct evs_file {
	int fd;
	const char *path; /* not owned */
	uint64_t salt;
	struct evs_window win[2];
	unsigned newest; /* window that was used last */
	bool back;	 /* it was moved towards the beginning */
};

void evs_file_init(struct evs_file *f, int fd, const char *path);
void evs_file_release(struct evs_file *f); /* the windows; not the descriptor */
void evs_file_forget(struct evs_file *f);  /* what is in the windows: the file has changed */

/* `n` bytes at `off`, in a window (grown when it must). EVS_E_FORMAT when the file ends before. */
int evs_file_bytes(struct evs_file *f, uint64_t off, size_t n, const uint8_t **p,
		   struct evs_diag *diag);

/* Frame head at `off`, whose span must end at or before `limit`. */
int evs_file_frame(struct evs_file *f, uint64_t off, uint64_t limit, struct evs_frame *out,
		   struct evs_diag *diag);

/* The summed part of the frame's payload, verified. Valid until the next evs_file_* call. */
int evs_file_summed(struct evs_file *f, uint64_t off, const struct evs_frame *fr, const uint8_t **p,
		    struct evs_diag *diag);

/* The filter in the FILTER frame at off. Valid until the next evs_file_* call. */
int evs_file_filter(struct evs_file *f, uint64_t off, uint64_t limit, const uint8_t **blocks,
		    size_t *len, struct evs_diag *diag);

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
 * HEAD: read, verify, decode into `head` (released by the caller), set f->salt and *start, the offset after both copies.
 * `copy_bad` tells of each copy. EVS_E_FORMAT when neither can be read.
 */
int evs_file_head(struct evs_file *f, uint64_t size, struct evs_head *head, uint64_t *start,
		  bool copy_bad[2], struct evs_diag *diag);

/* Find the newest commit and judge the tail (spec 9). `t->start` and `t->size` are set by the caller. */
int evs_tail_find(struct evs_file *f, struct evs_tail *t, struct evs_diag *diag);

/* Read and decode the COMMIT (INDEX) frame at off; `*out` released by the caller; `payload` (may be reused, owned by
 * the caller) keeps the bytes its pointers point into. */
int evs_file_commit(struct evs_file *f, uint64_t off, uint64_t limit, struct evs_commit *out,
		    struct evs_buf *payload, struct evs_diag *diag);
int evs_file_index(struct evs_file *f, uint64_t off, uint64_t limit, struct evs_index *out,
		   struct evs_buf *payload, struct evs_diag *diag);

#endif
