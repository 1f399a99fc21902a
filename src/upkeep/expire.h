/*
 * Expiry: which partitions are past their time, and how they go. Private to the upkeep room.
 */
#ifndef EVS_UPKEEP_EXPIRE_H
#define EVS_UPKEEP_EXPIRE_H

#include "src/schema/schema.h"
#include "src/upkeep/ledger.h"
#include "src/upkeep/report.h"
#include "src/upkeep/visit.h"

#define EVS_RULE_TEXT 128u

/* How long something is kept. */
struct evs_rule {
	enum {
		EVS_RULE_NONE = 0,
		EVS_RULE_FOREVER,
		EVS_RULE_AGE,
		EVS_RULE_BEFORE,
		EVS_RULE_NAMED
	} kind;
	struct evs_age age; /* AGE: a row may go when its time and this are not in the future */
	int64_t before;	    /* BEFORE: rows of earlier times may go; ns */
	char text[EVS_RULE_TEXT]; /* for the ledger */
};

#define EVS_RULE_NEVER INT64_MAX

/*
 * The second from which on all that the partition [lo, hi) can hold may go, or EVS_RULE_NEVER.
 * Never a row too early, whatever calendar months make of its time. AGE, FOREVER and NONE only.
 */
int64_t evs_rule_second(const struct evs_rule *r, int64_t hi);

/* May it go now (ns)? */
bool evs_rule_past(const struct evs_rule *r, int64_t hi, int64_t now);

/* ---- expire_keep.c: keep.json, what tenants have of their own -------------------------------- */

struct evs_keep {
	char *folder; /* of the tenant */
	char *tenant; /* its value */
	size_t tenant_len;
	struct evs_rule rule;
};
struct evs_keeps {
	struct evs_keep *v; /* by folder, ascending */
	size_t n;
};
int evs_keeps_load(struct evs_keeps *out, const char *stream, struct evs_diag *diag);
void evs_keeps_release(struct evs_keeps *k);
const struct evs_keep *evs_keeps_find(const struct evs_keeps *k, const char *folder);

/* The stream's own rule, its TTL, which may be none. */
void evs_rule_of_table(struct evs_rule *out, const struct evs_table *t);

/* ---- expire_line.c --------------------------------------------------------------------------- */

/* What is known of a segment that is to go. */
struct evs_found {
	const struct evs_visit *at;
	const struct evs_rule *rule;
	int64_t lo, hi; /* partition, of HEAD, or of the name when HEAD cannot be read */
	bool has_tenant;
	struct evs_buf tenant;
	bool known; /* there is a newest commit, whose numbers `sum` has */
	struct evs_segment_sum sum;
};

/* Fill in v->line. `pinned`: the time that was given for the present, 0: none. */
void evs_expire_line(struct evs_leaving *v, const struct evs_found *f, const char *archive,
		     int64_t pinned);

/* ---- expire_archive.c ------------------------------------------------------------------------ */

/* The stream's folder in another store. */
struct evs_archive {
	bool ready;
	char dir[EVS_PATH_MAX];
	char copy[EVS_PATH_MAX]; /* of the segment that was put last */
};

/* Make the stream in the store `archive`, or see that its schema goes together with the table's. */
int evs_archive_open(struct evs_archive *a, const char *archive, const char *stream,
		     const struct evs_table *t, struct evs_diag *diag);

/*
 * Copy a locked segment and its tails, or see that the copies that are there are the same; all of
 * them verified and on disk. EVS_E_FORMAT: the segment is damaged. EVS_E_SYS: also when another
 * file is in its place.
 */
int evs_archive_put(struct evs_archive *a, const struct evs_visit *at, const struct evs_leaving *v,
		    struct evs_diag *diag);

/* ---- expire_folder.c ------------------------------------------------------------------------- */

/* Remove the folder in which a segment lay when nothing is left in it but what no writer works on.
 * True when it is gone. */
bool evs_expire_folder(const char *segment);

#endif
