/*
 * Rows on their way from the reader to their segments.
 *
 * One pipe may mix 10,000 tenants and 60 weeks. The spool collects rows column by column, with the
 * segment each belongs to, and when its memory is full moves them, ordered by segment, to unnamed
 * temporary files, so that at the flush every segment gets its rows together. Nothing in it is
 * durable or acknowledged; a crash leaves no trace of it.
 *
 * Beside the table's columns the spool keeps two of its own: bytes of the input line (INT 4) and
 * the offset of its end in the source (INT 8).
 */
#ifndef EVS_STORE_SPOOL_H
#define EVS_STORE_SPOOL_H

#include "evseg.h"
#include "format/array.h"
#include "src/schema/schema.h"
#include "src/thread.h"

#define EVS_SPOOL_OWN	       2u /* columns behind the table's */
#define EVS_SPOOL_MAX_SEGMENTS 131072u
#define EVS_SPOOL_MAX_NAMES    (6u << 20) /* bytes of their tenants */

struct evs_spool;

/* `dir` gets the temporary files; `mem_cap` is for the rows held in memory. `t` must outlive the
 * spool. */
int evs_spool_new(struct evs_spool **out, const struct evs_table *t, const char *dir,
		  size_t mem_cap, struct evs_diag *diag);
void evs_spool_free(struct evs_spool *s);

/* Number of the segment of a tenant's partition, made when new. */
int evs_spool_segment(struct evs_spool *s, const void *tenant, size_t len, int64_t lo,
		      uint32_t *id);

struct evs_spool_segment {
	const char *tenant; /* raw value bytes of the tenant column */
	size_t tenant_len;
	int64_t lo;
	uint64_t rows;
};
uint32_t evs_spool_segments(const struct evs_spool *s);
void evs_spool_segment_get(const struct evs_spool *s, uint32_t id, struct evs_spool_segment *out);

/* Take over the rows of `cols` (table's columns and the two own ones, `rows` rows each), row i
 * going to segment seg[i]. What `cols` hold afterwards is of no use. */
int evs_spool_add(struct evs_spool *s, struct evs_array *cols, uint32_t rows, const uint32_t *seg,
		  struct evs_diag *diag);

uint64_t evs_spool_rows(const struct evs_spool *s);
size_t evs_spool_memory(const struct evs_spool *s);
bool evs_spool_full(const struct evs_spool *s);

/* Move what is in memory to the temporary files, with the help of `helper`, which has nothing to
 * do, or NULL. */
int evs_spool_spill(struct evs_spool *s, struct evs_helper *helper, struct evs_diag *diag);

/* Is anything in the temporary files? */
bool evs_spool_spilled(const struct evs_spool *s);

/* Too many segments or spills: rows must go to their segments now. */
bool evs_spool_must_flush(const struct evs_spool *s);

/* Before reading: order what is in memory, with `helper` as above. Then segments are read in
 * ascending order, each until it is empty. */
int evs_spool_begin_read(struct evs_spool *s, struct evs_helper *helper, struct evs_diag *diag);

/* Memory into which rows are read back; one for each thread that reads. The calls themselves
 * exclude each other by a lock of the caller's. */
struct evs_spool_reader;
int evs_spool_reader_new(struct evs_spool_reader **out, const struct evs_spool *s);
void evs_spool_reader_free(struct evs_spool_reader *r);
/* Forget the rows that were read last; memory for ordinary ones is kept. */
void evs_spool_reader_forget(struct evs_spool_reader *r);

/*
 * The next rows of segment `id`: 1 with `*src` (columns), `*idx` and `*n` (rows of src, in order of
 * arrival), valid until the reader's next call, at most about EVS_SPOOL_TURN bytes or what fits the
 * memory of the spool; 0 when there are no more. `*more`: the segment has further rows; no other
 * one may be read before them.
 */
#define EVS_SPOOL_TURN ((size_t)3 << 20)
int evs_spool_read(struct evs_spool *s, struct evs_spool_reader *r, uint32_t id,
		   const struct evs_array **src, uint32_t **idx, uint32_t *n, bool *more,
		   struct evs_diag *diag);

/* Forget all rows and segments; memory for ordinary batches is kept. */
int evs_spool_reset(struct evs_spool *s, struct evs_diag *diag);

#endif
