/*
 * The inside of the table of groups, shared by groups*.c.
 */
#ifndef EVS_QUERY_GROUPS_STATE_H
#define EVS_QUERY_GROUPS_STATE_H

#include "format/bytes.h"
#include "src/query/groups.h"

#define EVS_GROUPS_DIRECT 65536u /* values of two bytes; one more slot for NULL */

enum mode { DIRECT_MODE, PACKED_MODE, BYTES_MODE };

struct packed {
	uint64_t lo, hi;
};

/* A key of 8 bytes that came before, at the place that its product with a constant names. */
struct recent {
	uint64_t key;
	uint32_t next; /* number + 1; 0: none */
};

struct evs_groups {
	struct evs_groups_key *key;
	size_t nkey;
	enum mode mode;
	bool frozen;
	uint32_t n, cap;
	uint64_t *slot;
	uint32_t slots, slot_cap; /* in use; there */
	uint32_t *direct;	  /* DIRECT: number + 1 by value */
	bool wide;		  /* ... some are above 255 */
	struct packed *pack;	  /* DIRECT, PACKED: keys by number */
	struct packed *row;	  /* the rows at hand */
	struct recent *recent;	  /* PACKED, one key of 8 bytes */
	uint64_t *hash;		  /* of the rows at hand */
	uint32_t row_cap;
	struct evs_buf bytes; /* BYTES: keys by number */
	size_t *at;	      /* where they begin; n + 1 */
	uint64_t *full;	      /* their hashes */
	struct evs_buf line;  /* the rows at hand */
	uint32_t *start;      /* where they begin; rows + 1 */
};

/* Room to say where `n` groups' keys are. Returns 0 or EVS_E_NOMEM. */
int evs_groups_need(struct evs_groups *g, uint32_t n);

/* groups_direct.c: evs_groups_find() of a key of one or two bytes. */
int evs_groups_find_direct(struct evs_groups *g, const struct evs_array *a, uint32_t rows,
			   uint32_t *id);

#endif
