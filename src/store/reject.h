/*
 * The reject file: one NDJSON record a rejected line, from which the line can be had back (spec/store.md 6). Private
 * to the store room.
 */
#ifndef EVS_STORE_REJECT_H
#define EVS_STORE_REJECT_H

#include "evseg.h"
#include "format/bytes.h"

struct evs_rejects {
	char *path;
	const char *file;   /* name of the input, or NULL; the caller's */
	const char *source; /* or NULL; the caller's */
	uint64_t seen;	    /* with a source: rejects that end at or before this offset are in the file already */
	int fd;		    /* -1 until the first reject */
	struct evs_buf out;
	bool unsynced;
};

/* Nothing is opened before the first reject, except that with a source an existing file is read. */
int evs_rejects_init(struct evs_rejects *r, const char *path, const char *source, struct evs_diag *diag);
void evs_rejects_release(struct evs_rejects *r);

/* `off` is the offset of the line in its file, `end` that of its end in the source. */
int evs_rejects_add(struct evs_rejects *r, uint64_t line, uint64_t off, uint64_t end, const char *reason,
		    const void *raw, size_t len, struct evs_diag *diag);

/* The same in pieces, for a line that is too long to be held: begin, raw bytes, end. */
int evs_rejects_begin(struct evs_rejects *r, uint64_t line, uint64_t off, const char *reason,
		      struct evs_diag *diag);
int evs_rejects_raw(struct evs_rejects *r, const void *raw, size_t len, struct evs_diag *diag);
int evs_rejects_end(struct evs_rejects *r, struct evs_diag *diag);

/* Write and sync what there is. */
int evs_rejects_flush(struct evs_rejects *r, struct evs_diag *diag);

#endif
