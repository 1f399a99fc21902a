/*
 * The spool's inside, shared by the spool*.c files.
 */
#ifndef EVS_STORE_SPOOL_IMPL_H
#define EVS_STORE_SPOOL_IMPL_H

#include "format/bytes.h"
#include "format/encode.h"
#include "src/store/spool.h"

#define SPOOL_CHUNK_WINDOW ((size_t)64 << 10)
#define SPOOL_MAX_CHUNKS   256u
#define SPOOL_SLICE_HEAD   16u

struct spool_seg {
	uint64_t hash;
	int64_t lo;
	size_t tenant_off;
	uint32_t tenant_len;
	uint64_t rows;
};

/* A spill, or the later segments of one: slices in ascending order of segment, read once, forward.
 */
struct spool_chunk {
	int fd;
	uint32_t first;	   /* there are none of earlier segments */
	uint64_t pos, end; /* what is left, in the file */
	uint8_t *win;	   /* win_len bytes of the file from win_off */
	uint64_t win_off;
	size_t win_len, win_cap;
};

/* A temporary file that a thread writes to, and what it needs for that. */
struct spool_out {
	int fd;	      /* -1: not opened yet */
	uint64_t end; /* of the file */
	struct evs_buf bytes;
	struct evs_enc_ctx *enc;
	struct evs_array *slice; /* one slice on its way out */
};

struct evs_spool {
	const struct evs_table *table;
	char *dir;
	size_t mem_cap;
	uint16_t ncols; /* table's and own */
	struct evs_array *cols;
	uint32_t rows; /* in memory */
	uint32_t *seg; /* of each row in memory */
	uint32_t seg_cap;
	size_t memory;
	uint64_t total; /* rows, spilled ones included */

	struct spool_seg *segs;
	uint32_t nsegs, segs_cap, last_seg;
	uint32_t *table_of; /* hash table: segment number + 1 */
	uint32_t table_size;
	struct evs_buf arena; /* tenants */

	uint32_t *perm, *start;

	struct spool_out out[2]; /* of the caller's thread and of its helper */
	struct spool_chunk *chunks;
	uint32_t nchunks;
	uint32_t given; /* segment whose rows in memory were given last, + 1 */
};

struct evs_spool_reader {
	uint16_t ncols;
	struct evs_dec_ctx *dec;
	struct evs_array *gather; /* rows of one segment read back */
	struct evs_array *slice;  /* one slice on its way in */
	uint32_t *idx;
	uint32_t idx_cap;
};

int evs_spool_arrays(const struct evs_spool *s, struct evs_array **out);
void evs_spool_arrays_free(struct evs_array *a, uint16_t n);
int evs_spool_order(struct evs_spool *s);
/* No rows in memory; columns that have grown beyond `keep` bytes are freed. */
void evs_spool_forget_rows(struct evs_spool *s, size_t keep);
/* What writing to a file took, but for the file. */
void evs_spool_out_release(struct evs_spool *s, struct spool_out *o);
void evs_spool_file_release(struct evs_spool *s);
int evs_spool_file_reset(struct evs_spool *s, struct evs_diag *diag);

#endif
