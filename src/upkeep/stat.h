/*
 * evs_stat(): sums over segments. Private to the upkeep room.
 */
#ifndef EVS_UPKEEP_STAT_H
#define EVS_UPKEEP_STAT_H

#include "src/upkeep/expire.h"
#include "src/upkeep/upkeep.h"

/* Of a segment, a tenant, a stream, or all. */
struct evs_stat_sum {
	uint64_t tenants, partitions;
	uint64_t rows, bytes;
	uint64_t raw_bytes; /* of the input; extrapolated when `estimated` */
	bool estimated;
	uint64_t commits, runs;
	int64_t oldest, newest;		/* of events, ns; EVS_TIME_NONE */
	int64_t written;		/* newest write, ns; EVS_TIME_NONE */
	uint64_t past;			/* partitions past their time */
	uint64_t damaged;		/* segments */
	uint64_t compact;		/* segments that gain from evcompact */
	uint64_t never;			/* of these, segments that never were compacted */
	enum evs_compact_why why;	/* of one segment */
	uint64_t largest;		/* bytes of a partition */
	uint64_t rejects, reject_bytes; /* of a stream */
};
void evs_stat_zero(struct evs_stat_sum *s);
void evs_stat_add(struct evs_stat_sum *to, const struct evs_stat_sum *s);

/* A row's names. */
struct evs_stat_name {
	const char *stream, *tenant;
	size_t tenant_len;
	bool has_tenant;
	int64_t lo, hi;	  /* partition */
	int64_t expires;  /* second, or EVS_RULE_NEVER */
	const char *path; /* of the segment */
};

/* ---- stat_rows.c ----------------------------------------------------------------------------- */

int evs_stat_report(struct evs_report *r, const struct evs_stat_opts *o);
/* `largest`: what the longest bar stands for. */
void evs_stat_row(struct evs_report *r, const struct evs_stat_opts *o,
		  const struct evs_stat_name *n, const struct evs_stat_sum *s, uint64_t largest);

/* ---- stat_columns.c -------------------------------------------------------------------------- */

/* evs_stat() with opts.columns. */
int evs_stat_columns(const char *const *paths, size_t npaths, const struct evs_stat_opts *o,
		     struct evs_stat_result *result, struct evs_diag *diag);

/* ---- stat_warn.c ----------------------------------------------------------------------------- */

/* What is odd in a stream: a few cases of each kind are told, the others counted. */
struct evs_stat_warn {
	const struct evs_stat_opts *o;
	uint64_t told;
	uint64_t large, gaps, future, past, never;
	char gap[256], ahead[256];
	/* of the tenant at hand: where its last partition ended */
	bool in_row;
	int64_t end;
};
void evs_stat_warn_start(struct evs_stat_warn *w, const struct evs_stat_opts *o);
void evs_stat_warn_tenant(struct evs_stat_warn *w);
void evs_stat_warn_segment(struct evs_stat_warn *w, const struct evs_stat_name *n,
			   const struct evs_stat_sum *s, enum evs_unit unit, int64_t now);
void evs_stat_warn_stream(struct evs_stat_warn *w, const char *stream);

/* ---- stat_prometheus.c ----------------------------------------------------------------------- */

/* Metrics of streams, one after the other, then the file. */
struct evs_stat_metrics {
	struct evs_stat_sum *sums;
	char **streams; /* paths */
	size_t n, cap;
};
int evs_stat_metrics_add(struct evs_stat_metrics *m, const char *stream,
			 const struct evs_stat_sum *s);
int evs_stat_metrics_write(const struct evs_stat_metrics *m, const char *path, int64_t now,
			   struct evs_diag *diag);
void evs_stat_metrics_release(struct evs_stat_metrics *m);

#endif
