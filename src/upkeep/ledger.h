/*
 * The ledger of what was dropped, expired.ndjson beside the schema, and how a segment leaves its
 * folder so that the ledger is right whenever a process is killed or power fails (spec/store.md
 * 10). Private to the upkeep room.
 */
#ifndef EVS_UPKEEP_LEDGER_H
#define EVS_UPKEEP_LEDGER_H

#include "format/bytes.h"
#include "src/store/store.h"

/* Segments that leave together: their lines share a sync. */
#define EVS_LEDGER_BATCH 64u

/* A segment on its way out. */
struct evs_leaving {
	char path[EVS_PATH_MAX];
	char aside[EVS_PATH_MAX]; /* its name from when it has left until it is removed */
	int fd;			  /* holds its lock */
	struct evs_buf line;	  /* of the ledger, from behind "what" */
	char **tails;		  /* files that a writer set aside from it: paths */
	size_t ntails;
	uint64_t rows, bytes; /* tails included */
	bool left;
};

struct evs_ledger {
	const char *stream; /* folder; the caller's */
	char path[EVS_PATH_MAX];
	int lock_fd, fd;
	uint64_t size; /* of the file, whole lines */
	bool named;    /* its name is on disk */
	struct evs_buf out;
	struct evs_leaving *batch; /* EVS_LEDGER_BATCH */
	unsigned n;
	/* Told of each segment that has left, and of what could not: then `left` is false and diag
	 * says why. */
	void (*done)(void *arg, const struct evs_leaving *l, const struct evs_diag *d);
	void *arg;
};

/*
 * Take the stream's upkeep lock, and put in order what a crash left: a segment on its way out has
 * left, or has not, and the ledger says which. Close in every case.
 */
int evs_ledger_open(struct evs_ledger *l, const char *stream, const struct evs_wait *how,
		    struct evs_diag *diag);

/* The place for the next segment, zeroed; fd -1. Valid until the next evs_ledger_*(). */
struct evs_leaving *evs_ledger_next(struct evs_ledger *l);

/* That place is filled: its segment will go, with others when there is room for more. */
int evs_ledger_take(struct evs_ledger *l, struct evs_diag *diag);

/* All segments taken so far go now. */
int evs_ledger_flush(struct evs_ledger *l, struct evs_diag *diag);

void evs_ledger_close(struct evs_ledger *l);

/* Into l->out: a line that says `what` of a segment; `rest` is all of the line behind that. */
void evs_ledger_add(struct evs_ledger *l, const char *what, const void *rest, size_t len);
/* What stands in l->out goes to the end of the ledger, and on disk; when that fails the ledger is
 * as it was. */
int evs_ledger_put(struct evs_ledger *l, struct evs_diag *diag);

/* Of "TENANT/NAME" in a stream: its path, and the hidden name under which it leaves. Each of
 * EVS_PATH_MAX bytes. */
int evs_leaving_names(const char *stream, const char *segment, char *path, char *aside,
		      struct evs_diag *diag);

/* expire_folder.c: remove `.NAME.new` of a segment that is there, unless a writer is at work on it.
 */
void evs_expire_unfinished(const char *segment);

void evs_leaving_release(struct evs_leaving *v);

/* expire_keep.c and others: the lock of whoever writes the ledger or keep.json. Ends with
 * evs_io_close(*fd). */
int evs_upkeep_lock(const char *stream, const struct evs_wait *how, int *fd, struct evs_diag *diag);

#endif
