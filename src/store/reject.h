/*
 * The reject file: one NDJSON record a rejected line, from which the line can be had back
 * (spec/store.md 6). Private to the store room.
 */
#ifndef EVS_STORE_REJECT_H
#define EVS_STORE_REJECT_H

#include "evseg.h"
#include "src/store/store.h"

struct evs_rejects {
	char *path;
	const char *file;   /* name of the input, or NULL; the caller's */
	const char *source; /* or NULL; the caller's */
	uint64_t seen; /* with a source: rejects that end at or before this offset are in the file
			  already */
	int fd;	       /* -1 until the first reject */
	struct evs_buf out;
	uint64_t size, synced; /* of the file: with all that was written, and with what is on disk
				  for sure */
	bool unsynced;
	bool synced_dir;	   /* the file's name is durable, too */
	bool device;		   /* not a file: there is nothing to sync */
	struct reject_mark *marks; /* records since the end of the last chunk */
	size_t nmarks, marks_cap;
	bool skip;	 /* evs_rejects_raw: the record is in the file already */
	uint8_t held[4]; /* beginning of a character that the next piece completes */
	size_t nheld;
	const struct evs_wait *wait; /* for who repairs the file, the caller's; or NULL */
	void (*on_note)(void *arg, const char *text); /* or NULL: bytes were set aside */
	void *arg;
	bool lossy;	 /* some bytes were no UTF-8 */
	const char *dir; /* of the temporary file; the caller's */
	int copy;	 /* bytes of the line as they are */
	uint64_t copied;
};

/* Nothing is opened before the first reject, except that with a source an existing file is read.
 * `dir` is for temporary files and belongs to the caller. */
int evs_rejects_init(struct evs_rejects *r, const char *path, const char *dir, const char *source,
		     struct evs_diag *diag);
void evs_rejects_release(struct evs_rejects *r);

/* `off` is the offset of the line in its file, `end` that of its end in the source. */
int evs_rejects_add(struct evs_rejects *r, uint64_t line, uint64_t off, uint64_t end,
		    const char *reason, const void *raw, size_t len, struct evs_diag *diag);

/*
 * All lines of a chunk have been judged: what was added since the last call is put in the order of
 * `end`, and written when there is much of it. So the file never holds a reject without those
 * before it, whenever the process is killed.
 */
int evs_rejects_chunk(struct evs_rejects *r, struct evs_diag *diag);

/* The same in pieces, for a line that is too long to be held: begin (an offset in the source, too),
 * raw bytes, end. Between chunks. */
int evs_rejects_begin(struct evs_rejects *r, uint64_t line, uint64_t off, uint64_t begin,
		      const char *reason, struct evs_diag *diag);
int evs_rejects_raw(struct evs_rejects *r, const void *raw, size_t len, struct evs_diag *diag);
int evs_rejects_end(struct evs_rejects *r, uint64_t end, struct evs_diag *diag);

/* Much has been added since the last chunk ended. */
bool evs_rejects_full(const struct evs_rejects *r);

/* Write and sync what there is. */
int evs_rejects_flush(struct evs_rejects *r, struct evs_diag *diag);

#endif
