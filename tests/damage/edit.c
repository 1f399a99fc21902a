/*
 * Edits of a damaged file. See edit.h.
 */
#include "edit.h"

#include "kinds.h"

#include <stdlib.h>
#include <string.h>

/* A file may grow by as much as the largest of all. */
void damaged_init(struct damaged *d, const struct scene *s)
{
	size_t most = 0;

	for (size_t i = 0; i < s->nversions; i++)
		most = s->versions[i]->size > most ? s->versions[i]->size : most;
	for (size_t i = 0; i < s->nforeign; i++)
		most = s->foreign[i]->size > most ? s->foreign[i]->size : most;
	*d = (struct damaged){ .base = s->base, .bytes = must(malloc(8 * most)) };
	memcpy(d->bytes, s->base->data, s->base->size);
	d->size = s->base->size;
}

void damaged_mend(struct damaged *d)
{
	uint64_t hi = d->hi < d->base->size ? d->hi : d->base->size;

	if (d->size < d->base->size)
		hi = d->base->size;
	if (d->lo < hi)
		memcpy(d->bytes + d->lo, d->base->data + d->lo, (size_t)(hi - d->lo));
	d->size = d->base->size;
	d->lo = d->hi = 0;
}

void damaged_release(struct damaged *d)
{
	free(d->bytes);
	*d = (struct damaged){ 0 };
}

static void touch(struct damaged *d, uint64_t lo, uint64_t hi)
{
	if (d->lo == d->hi) {
		d->lo = lo;
		d->hi = hi;
	}
	if (lo < d->lo)
		d->lo = lo;
	if (hi > d->hi)
		d->hi = hi;
}

void edit_put(struct damaged *d, uint64_t off, const uint8_t *src, uint64_t n)
{
	if (off > d->size)
		edit_put(d, d->size, NULL, off - d->size);
	if (src)
		memmove(d->bytes + off, src, (size_t)n);
	else
		memset(d->bytes + off, 0, (size_t)n);
	if (off + n > d->size)
		d->size = off + n;
	touch(d, off, off + n);
}

void edit_insert(struct damaged *d, uint64_t off, const uint8_t *src, uint64_t n)
{
	uint8_t *copy = must(malloc((size_t)n + 1));

	if (off > d->size)
		off = d->size;
	memcpy(copy, src, (size_t)n); /* it may be about to move */
	memmove(d->bytes + off + n, d->bytes + off, (size_t)(d->size - off));
	memcpy(d->bytes + off, copy, (size_t)n);
	d->size += n;
	touch(d, off, d->size);
	free(copy);
}

void edit_remove(struct damaged *d, uint64_t off, uint64_t n)
{
	uint64_t end = d->size;

	if (off >= d->size)
		return;
	if (n > d->size - off)
		n = d->size - off;
	memmove(d->bytes + off, d->bytes + off + n, (size_t)(d->size - off - n));
	d->size -= n;
	touch(d, off, end);
}

void edit_cut(struct damaged *d, uint64_t size)
{
	if (size >= d->size)
		return;
	touch(d, size, d->size);
	d->size = size;
}

void edit_swap(struct damaged *d, uint64_t a, uint64_t na, uint64_t b, uint64_t nb)
{
	uint64_t between = b - (a + na);
	uint8_t *copy = must(malloc((size_t)(na + between + nb) + 1));

	memcpy(copy, d->bytes + b, (size_t)nb);
	memcpy(copy + nb, d->bytes + a + na, (size_t)between);
	memcpy(copy + nb + between, d->bytes + a, (size_t)na);
	edit_put(d, a, copy, na + between + nb);
	free(copy);
}
