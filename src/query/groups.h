/*
 * Rows to groups: a hash table from the values of some columns to numbers 0, 1, 2, ... in the order
 * of first appearance. Values are equal as spec/query.md 8-10 says.
 */
#ifndef EVS_QUERY_GROUPS_H
#define EVS_QUERY_GROUPS_H

#include "format/array.h"
#include "src/schema/schema.h"

struct evs_groups;

struct evs_groups_key {
	const struct evs_type *type; /* must outlive the table */
	bool nullable;
};

/* At least one key. Returns 0 or EVS_E_NOMEM. */
int evs_groups_new(struct evs_groups **out, const struct evs_groups_key *key, size_t nkey);
void evs_groups_free(struct evs_groups *g);

/* Numbers of rows 0 .. rows - 1 of the key columns, into id[]; new groups are made. Returns 0 or
 * EVS_E_NOMEM. */
int evs_groups_find(struct evs_groups *g, const struct evs_array *const *key, uint32_t rows,
		    uint32_t *id);

/*
 * How many of the rows have which group, without a number for each row: id[] and n[], with room for
 * 256, and how many of them. 0: that cannot be told so, for the key is no single one of values
 * below 256 without NULLs, or a group is new: evs_groups_find() does it.
 */
uint32_t evs_groups_tally(struct evs_groups *g, const struct evs_array *key, uint32_t rows,
			  uint32_t *id, uint32_t *n);

/* From now on no groups are made: rows of others have the number UINT32_MAX. */
void evs_groups_freeze(struct evs_groups *g);

uint32_t evs_groups_count(const struct evs_groups *g);
/* Bytes in use, not those that are only kept. */
size_t evs_groups_memory(const struct evs_groups *g);

/* A hash of the group's key, good in all of its bits and the same in every table of such keys. */
uint64_t evs_groups_hash(const struct evs_groups *g, uint32_t id);

/* Append the keys of groups id[0 .. n) to the arrays, which have the keys' shapes. Returns 0 or
 * EVS_E_NOMEM. */
int evs_groups_keys(const struct evs_groups *g, const uint32_t *id, uint32_t n,
		    struct evs_array *key);

/* Forget all groups and keep their memory for others. */
void evs_groups_reset(struct evs_groups *g);
/* Forget all groups and give their memory back. */
void evs_groups_clear(struct evs_groups *g);

#endif
