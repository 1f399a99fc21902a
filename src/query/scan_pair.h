/*
 * Reading segments with two threads, so that nobody can tell: see scan_pair.c. Private to the room.
 */
#ifndef EVS_QUERY_SCAN_PAIR_H
#define EVS_QUERY_SCAN_PAIR_H

#include "src/query/scan.h"

/*
 * Before the first rows, when two threads may read and it is worth it: s->pair. Otherwise it stays
 * NULL, also when no thread can be started. Returns 0 or EVS_E_NOMEM or an error of opening.
 */
int evs_pair_open(struct evs_scan *s, struct evs_diag *diag);
/* Ends the other thread. Accepts NULL. */
void evs_pair_close(struct scan_pair *p);

/* As evs_scan_read(), of all segments in their order. */
int evs_pair_next(struct evs_scan *s, struct evs_batch **out, struct evs_diag *diag);
/* Damage that `by`, one of the two scans, has met: told when its turn comes. */
void evs_pair_damage(struct scan_pair *p, struct evs_scan *by, const struct evs_damage *d);

/* What was read for the rows given so far. */
void evs_pair_explained(const struct scan_pair *p, struct evs_scan_explain *out);
void evs_pair_progress(const struct scan_pair *p, struct evs_scan_progress *out);

#endif
