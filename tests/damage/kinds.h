/*
 * The damages: each kind numbers all that it can do to a file, and does any one of them by its
 * number.
 */
#ifndef EVS_TESTS_DAMAGE_KINDS_H
#define EVS_TESTS_DAMAGE_KINDS_H

#include "expect.h"

/* A file to be damaged, and where else bytes may come from. */
struct scene {
	const struct version *base;	       /* versions[0] */
	const struct version *const *versions; /* of the same segment */
	size_t nversions;
	const struct version *const *foreign; /* other segments */
	size_t nforeign;
	uint64_t seed; /* of random damages */
};

struct kind {
	const char *name;
	/* How many; 0: as many as one likes. */
	uint64_t (*count)(const struct scene *s);
	/* Do number i to `d`, which is as the base. */
	void (*make)(const struct scene *s, uint64_t i, struct damaged *d);
};

extern const struct kind kinds[];
extern const size_t nkinds;

void damaged_init(struct damaged *d, const struct scene *s);
void damaged_mend(struct damaged *d); /* as the base again */
void damaged_release(struct damaged *d);

#endif
