/*
 * Rows about the store rather than in it, as batches that the printer takes. Private to the upkeep
 * room.
 */
#ifndef EVS_UPKEEP_REPORT_H
#define EVS_UPKEEP_REPORT_H

#include "src/batch.h"

#define EVS_REPORT_ROWS 512u

enum evs_report_kind {
	EVS_REPORT_TEXT = 1,
	EVS_REPORT_UINT,
	EVS_REPORT_REAL,
	EVS_REPORT_SECOND, /* a time in seconds */
	EVS_REPORT_TIME,   /* a time in ns, cut to milliseconds; EVS_TIME_NONE is null */
	EVS_REPORT_BOOL,
};

struct evs_report_column {
	const char *name;
	enum evs_report_kind kind;
};

struct evs_report {
	size_t n, at; /* columns, and the one to be put next */
	struct evs_field *fields;
	struct evs_batch batch;
	bool failed; /* no memory */
};

/* `spec` need not outlive the call, but for its names. */
int evs_report_init(struct evs_report *r, const struct evs_report_column *spec, size_t n);
void evs_report_release(struct evs_report *r);

/* Each row is put column by column; the last one ends it. */
void evs_report_text(struct evs_report *r, const char *s, size_t len);
void evs_report_uint(struct evs_report *r, uint64_t v); /* UINT, BOOL */
void evs_report_int(struct evs_report *r, int64_t v);	/* SECOND, TIME */
void evs_report_real(struct evs_report *r, double v);
void evs_report_null(struct evs_report *r);

static inline bool evs_report_full(const struct evs_report *r)
{
	return r->batch.rows >= EVS_REPORT_ROWS;
}
/* Hand the rows to `fn` (may be NULL), if there are any, and begin anew. EVS_E_NOMEM when one could
 * not be put. */
typedef void evs_rows_fn(void *arg, const struct evs_batch *b);
int evs_report_flush(struct evs_report *r, evs_rows_fn *fn, void *arg, struct evs_diag *diag);

#endif
