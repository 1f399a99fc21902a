/*
 * Edits of a damaged file, which keep its size and the range that differs from the base.
 */
#ifndef EVS_TESTS_DAMAGE_EDIT_H
#define EVS_TESTS_DAMAGE_EDIT_H

#include "expect.h"

/* Bytes [off, off + n) become those at `src` (NULL: zero), which may lie in the file itself. Grows
 * it. */
void edit_put(struct damaged *d, uint64_t off, const uint8_t *src, uint64_t n);
/* The same, what is at `off` and behind moves up. */
void edit_insert(struct damaged *d, uint64_t off, const uint8_t *src, uint64_t n);
void edit_remove(struct damaged *d, uint64_t off, uint64_t n);
void edit_cut(struct damaged *d, uint64_t size);
/* Exchange [a, a + na) and [b, b + nb), a + na <= b; what is between moves when they differ in
 * length. */
void edit_swap(struct damaged *d, uint64_t a, uint64_t na, uint64_t b, uint64_t nb);

#endif
