/*
 * What two threads that scan pass to each other: some rows of a segment, damage, or a failure, with
 * what was read up to there. Private to the room.
 */
#ifndef EVS_QUERY_SCAN_PIECE_H
#define EVS_QUERY_SCAN_PIECE_H

#include "src/query/scan.h"

enum piece_kind { PIECE_ROWS, PIECE_DAMAGE, PIECE_FAILED };

/* What was read for the rows of a segment, up to a point. */
struct piece_sum {
	struct evs_scan_explain explain;
	struct evs_scan_progress progress;
};

struct piece {
	struct piece *next;
	enum piece_kind kind;
	struct scan_slot *slots; /* rows, by the first scan's numbers of slots */
	uint32_t rows;
	bool grown;
	size_t bytes;
	struct evs_damage damage; /* its texts are ours */
	int rc;
	struct evs_diag diag;
	struct piece_sum sum;
};

struct piece_sum evs_piece_sum_of(const struct evs_scan *s);
void evs_piece_sum_add(struct piece_sum *to, const struct piece_sum *s);

/* For rows with slots of the shapes that the scan's have. NULL: no memory. */
struct piece *evs_piece_new(const struct evs_scan *s, enum piece_kind kind);
void evs_piece_free(const struct evs_scan *s, struct piece *x);
/* The rows of a piece are done with, and it is kept for the next ones: but not all its memory. */
void evs_piece_trim(const struct evs_scan *s, struct piece *x);

/* The rows that `by` has in its slots become the piece's, which gives it other memory. `s` is the
 * scan that is asked. */
void evs_piece_take_rows(const struct evs_scan *s, struct evs_scan *by, struct piece *x,
			 uint32_t rows);

#endif
