/*
 * Zones and the commit hash between the commit's encoder and decoder. Private to format/.
 */
#ifndef EVS_FORMAT_ZONE_H
#define EVS_FORMAT_ZONE_H

#include "format/commit.h"

/* Append the body of a ZONES section (spec 7.5). */
void evs_zones_encode(const struct evs_zone *z, uint32_t n, struct evs_buf *out);

/* Fill c->zones and c->nzones from the body of a ZONES section; c->groups are there already.
 * Returns 0, EVS_E_NOMEM or EVS_E_FORMAT with `*why`. */
int evs_zones_decode(struct evs_commit *c, struct evs_cur *s, const char **why);

/* BLAKE2b-256 of a commit's summed part, its 32 hash bytes taken as zero (spec 7.4). `len` is at
 * least sizeof(struct evs_commit_raw). */
void evs_commit_hash(uint8_t out[EVS_HASH_SIZE], const uint8_t *payload, size_t len);

#endif
