/*
 * A column as format/ decodes it beside what plain_column.h makes of the same bytes.
 */
#ifndef EVS_TESTS_FUZZ_PLAIN_COMPARE_H
#define EVS_TESTS_FUZZ_PLAIN_COMPARE_H

#include "format/encode.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/plain_column.h"

#define PLAIN_NODES 32u

/* The shape of `a`, children from `room` on. */
static inline void plain_shape_of(struct plain_column *c, const struct evs_array *a,
				  struct plain_column **room)
{
	*c = (struct plain_column){ .shape = (enum plain_shape)a->phys, .w = a->width };
	if (!a->nchild)
		return;
	c->child = *room;
	*room += a->nchild;
	for (unsigned i = 0; i < a->nchild; i++)
		plain_shape_of(&c->child[i], &a->child[i], room);
}

static inline void plain_same_value(const struct plain_value *v, const struct evs_array *a,
				    uint32_t i)
{
	uint64_t bits = 0;
	const uint8_t *p;
	size_t n;

	switch (a->phys) {
	case EVS_INT:
	case EVS_FLOAT:
		memcpy(&bits, a->data + (size_t)i * a->width, a->width);
		must(bits == (v->null ? 0 : v->num));
		break;
	case EVS_FIXED:
	case EVS_BYTES:
		p = evs_array_bytes(a, i, &n);
		must(v->null || (n == v->len && (!n || !memcmp(p, v->p, n))));
		must(!v->null || a->phys == EVS_FIXED || n == 0);
		break;
	default:
		must((uint64_t)(a->offs[i + 1] - a->offs[i]) == (v->null ? 0 : v->num));
		break;
	}
}

static inline void plain_same(const struct plain_column *c, const struct evs_array *a)
{
	must(c->rows == a->rows);
	for (uint32_t i = 0; i < a->rows; i++) {
		must(c->v[i].null == evs_array_is_null(a, i));
		plain_same_value(&c->v[i], a, i);
	}
	for (unsigned i = 0; i < a->nchild; i++)
		plain_same(&c->child[i], &a->child[i]);
}

/* evs_column_decode() gave `rc`, `a` and took `used` bytes: is that what the plain decoder finds?
 */
static inline void plain_check(const uint8_t *p, size_t len, uint32_t rows, uint32_t nulls, int rc,
			       const struct evs_array *a, size_t used)
{
	static struct plain_reader r;
	struct plain_column c, children[PLAIN_NODES], *room = children;
	enum plain_result result;
	size_t plain_used = 0;

	plain_shape_of(&c, a, &room);
	must(room <= children + PLAIN_NODES);
	result = plain_decode(&r, &c, p, len, rows, nulls, &plain_used);
	if (result != PLAIN_LARGE && rc != EVS_E_NOMEM && rc != EVS_E_LIMIT) {
		/* which of two faults is named is not laid down */
		must((result == PLAIN_OK) == (rc == 0));
		if (result == PLAIN_OK) {
			must(used == plain_used);
			plain_same(&c, a);
		}
	}
	plain_release(&r);
}

#endif
