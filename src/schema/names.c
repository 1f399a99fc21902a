/*
 * Name tables: open addressing with linear probing over a power of two, hashed with XXH3.
 */
#include "src/schema/names.h"

#include "format/error.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static uint32_t hash(const char *s, size_t len)
{
	return (uint32_t)XXH3_64bits(s, len);
}

int evs_names_build(uint16_t **slots, uint32_t *mask, size_t n, evs_names_get_fn *get,
		    const void *arg, size_t *twice)
{
	uint32_t cap = 8;
	uint16_t *s;

	while (cap < n * 2)
		cap *= 2;
	s = calloc(cap, sizeof(*s));
	if (!s)
		return EVS_E_NOMEM;
	if (twice)
		*twice = n;
	for (size_t i = 0; i < n; i++) {
		size_t len;
		const char *name = get(arg, i, &len);
		uint32_t at = hash(name, len) & (cap - 1);

		if (evs_names_find(s, cap - 1, get, arg, name, len) >= 0) {
			if (twice && *twice == n)
				*twice = i;
			continue;
		}
		while (s[at])
			at = (at + 1) & (cap - 1);
		s[at] = (uint16_t)(i + 1);
	}
	*slots = s;
	*mask = cap - 1;
	return 0;
}

int evs_names_find(const uint16_t *slots, uint32_t mask, evs_names_get_fn *get, const void *arg,
		   const char *name, size_t len)
{
	if (!slots)
		return -1;
	for (uint32_t at = hash(name, len) & mask; slots[at]; at = (at + 1) & mask) {
		size_t have_len;
		const char *have = get(arg, slots[at] - 1u, &have_len);

		if (have_len == len && !memcmp(have, name, len))
			return slots[at] - 1;
	}
	return -1;
}
