/*
 * Finding a key that comes twice in one object: compare hashes of a few keys, sort many.
 * Sorting bounds the work whatever the keys are; no choice of keys can make it quadratic.
 */
#include "src/json/json_lex.h"

#include <stdlib.h>
#include <xxhash.h>

#define FEW 16

int evs_keyset_add(struct evs_keyset *s, const char *base, uint32_t off, uint32_t len)
{
	if (s->n == s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 64;
		struct evs_key *keys;

		if (s->n == EVS_MAX_KEYS)
			return EVS_E_LIMIT;
		keys = realloc(s->keys, cap * sizeof(*keys));
		if (!keys)
			return EVS_E_NOMEM;
		s->keys = keys;
		s->cap = cap;
	}
	s->keys[s->n++] = (struct evs_key){ (uint32_t)XXH3_64bits(base + off, len), off, len };
	return 0;
}

void evs_keyset_release(struct evs_keyset *s)
{
	free(s->keys);
	*s = (struct evs_keyset){ 0 };
}

static int compare(const struct evs_key *a, const struct evs_key *b, const char *base)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return a->len ? memcmp(base + a->off, base + b->off, a->len) : 0;
}

/*
 * Heap sort: in place, never worse than n log n, and unlike qsort it can be told where the keys
 * lie.
 */
static void sift(struct evs_key *k, uint32_t root, uint32_t n, const char *base)
{
	for (;;) {
		uint32_t child = 2 * root + 1;
		struct evs_key tmp = k[root];

		if (child >= n)
			return;
		if (child + 1 < n && compare(&k[child], &k[child + 1], base) < 0)
			child++;
		if (compare(&k[root], &k[child], base) >= 0)
			return;
		k[root] = k[child];
		k[child] = tmp;
		root = child;
	}
}

static void sort(struct evs_key *k, uint32_t n, const char *base)
{
	for (uint32_t i = n / 2; i-- > 0;)
		sift(k, i, n, base);
	while (n-- > 1) {
		struct evs_key tmp = k[0];

		k[0] = k[n];
		k[n] = tmp;
		sift(k, 0, n, base);
	}
}

int evs_keyset_find_twice(struct evs_keyset *s, const char *base)
{
	if (s->n <= FEW) {
		for (uint32_t i = 1; i < s->n; i++) {
			for (uint32_t j = 0; j < i; j++) {
				if (!compare(&s->keys[i], &s->keys[j], base))
					return (int)i;
			}
		}
		return -1;
	}
	sort(s->keys, s->n, base);
	for (uint32_t i = 1; i < s->n; i++) {
		if (!compare(&s->keys[i], &s->keys[i - 1], base))
			return (int)i;
	}
	return -1;
}
