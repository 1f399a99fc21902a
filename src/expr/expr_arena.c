/*
 * The memory of an expression: chunks that are freed together.
 */
#include "src/expr/expr_ast.h"

#include <stdlib.h>

#define CHUNK 4096

struct x_chunk {
	struct x_chunk *next;
	size_t used, cap;
	max_align_t data[];
};

void *evs_x_alloc(struct x_arena *a, size_t n)
{
	struct x_chunk *c = a->head;
	size_t align = sizeof(max_align_t), cap;
	unsigned char *p;

	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + align - 1) / align * align;
	if (!c || c->cap - c->used < n) {
		cap = n > CHUNK ? n : CHUNK;
		c = calloc(1, sizeof(*c) + cap);
		if (!c)
			return NULL;
		c->cap = cap;
		c->next = a->head;
		a->head = c;
	}
	p = (unsigned char *)c->data + c->used;
	c->used += n;
	return p;
}

void evs_x_arena_free(struct x_arena *a)
{
	while (a->head) {
		struct x_chunk *next = a->head->next;

		free(a->head);
		a->head = next;
	}
}
