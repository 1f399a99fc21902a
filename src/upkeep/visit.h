/*
 * From paths to their streams, tenants' folders and segments, one after the other. What cannot be
 * looked at is told and passed over, so that the rest of the work is done. Private to the upkeep
 * room.
 */
#ifndef EVS_UPKEEP_VISIT_H
#define EVS_UPKEEP_VISIT_H

#include "src/store/store.h"

/* Paths are valid during the call. */
struct evs_visit {
	const char *stream; /* folder */
	const char *dir;    /* tenant's folder */
	const char *folder; /* its name in the stream's */
	const char *name;   /* of the segment */
	const char *path;   /* of the segment */
	int64_t lo;	    /* the partition's first second, as the name has it */
};

/* A function may be NULL. A negative result ends the visit; a positive one of `stream` passes the
 * stream over. */
struct evs_visitor {
	int (*stream)(void *arg, const char *stream, struct evs_diag *diag);
	int (*segment)(void *arg, const struct evs_visit *v, struct evs_diag *diag);
	int (*tenant_end)(void *arg, const struct evs_visit *v, struct evs_diag *diag);
	int (*stream_end)(void *arg, const char *stream, struct evs_diag *diag);
	void (*problem)(void *arg, const struct evs_diag *d);
	void *arg;
	const char *const *tenants; /* only these; none: all */
	size_t ntenants;
};

/*
 * Visit stores (every stream in them), streams, tenants' folders and segments. Neighbours of one
 * stream are one visit of it. A segment that lies in no stream's folder is told as a problem.
 */
int evs_visit_paths(const char *const *paths, size_t npaths, const struct evs_visitor *v,
		    struct evs_diag *diag);

#endif
