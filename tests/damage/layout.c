/*
 * Frames of a sound file, as spec/segment.md 3 to 8 lay them down.
 */
#include "layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *must(void *p)
{
	if (!p) {
		fputs("damage: out of memory\n", stderr);
		exit(2);
	}
	return p;
}

static uint64_t number(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

static uint64_t span_of(uint64_t payload_len)
{
	return (FRAME_HEAD + payload_len + 7) & ~(uint64_t)7;
}

/* Spec 5.1, 5.2. */
static void parse_group(struct frame *f, const uint8_t *p, size_t group)
{
	uint64_t at;

	f->number = (uint32_t)group;
	f->schema_off = number(p, 8);
	f->first_row = number(p + 8, 8);
	f->rows = (uint32_t)number(p + 16, 4);
	f->nblocks = (uint16_t)number(p + 22, 2);
	f->packed = number(p + 24, 4) & 1;
	f->blocks = must(calloc(f->nblocks + 1u, sizeof(*f->blocks)));
	at = f->off + FRAME_HEAD + f->summed;
	for (uint16_t i = 0; i < f->nblocks; i++) {
		const uint8_t *entry = p + 32 + 24u * i;

		f->blocks[i] = (struct block){
			(uint16_t)number(entry, 2), at, (uint32_t)number(entry + 4, 4), { 0, 0 }
		};
		if (entry[2] == 2) { /* 5.5 */
			f->blocks[i].dict[0] = number(f->of->data + at, 8);
			f->blocks[i].dict[1] = number(f->of->data + at + 8, 8);
		}
		at += f->blocks[i].len;
	}
}

/* Spec 7.1. */
static void parse_commit(struct frame *f, const uint8_t *p)
{
	f->seq = number(p, 8);
	f->commit_rows = number(p + 16, 8);
	f->rows_total = number(p + 24, 8);
	f->first_group = number(p + 32, 8);
	f->prev_end = number(p + 40, 8) + number(p + 48, 8);
	f->commit_schema = number(p + 72, 8);
}

/* Times of the commit's groups, from its GROUPS section (7.2), which is the first one. */
static void take_times(struct version *v, const uint8_t *p)
{
	const uint8_t *ref = p + 168 + 8;
	size_t n = number(p + 168, 2) == 1 ? number(p + 168 + 4, 4) / 88 : 0;

	for (size_t i = 0; i < n; i++, ref += 88)
		for (size_t g = v->ngroups; g-- > 0;) {
			struct frame *f = v->groups[g];

			if (f->off != number(ref, 8))
				continue;
			f->time_min = (int64_t)number(ref + 40, 8);
			f->time_max = (int64_t)number(ref + 48, 8);
			break;
		}
}

static bool parse_frame(struct version *v, uint64_t off)
{
	struct frame *f = &v->frames[v->nframes];
	const uint8_t *p = v->data + off;

	if (v->size - off < FRAME_HEAD || memcmp(p,
						 "\x89"
						 "EVS",
						 4) != 0)
		return false;
	*f = (struct frame){ .of = v,
			     .off = off,
			     .type = p[4],
			     .payload_len = number(p + 8, 8),
			     .summed = (uint32_t)number(p + 16, 4) };
	f->span = span_of(f->payload_len);
	if (f->span > v->size - off)
		return false;
	if (f->type == GROUP_FRAME) {
		parse_group(f, p + FRAME_HEAD, v->ngroups);
		v->groups[v->ngroups++] = f;
	}
	if (f->type == COMMIT_FRAME) {
		parse_commit(f, p + FRAME_HEAD);
		if (f->summed > 168)
			take_times(v, p + FRAME_HEAD);
		v->ncommits++;
		v->rows = f->rows_total;
	}
	v->schemas += f->type == SCHEMA_FRAME;
	v->nframes++;
	return true;
}

bool version_parse(struct version *v, const char *name, uint8_t *data, size_t size)
{
	size_t room = size / FRAME_HEAD + 1;
	uint64_t off;

	*v = (struct version){ .name = must(strdup(name)), .data = data, .size = size };
	v->frames = must(calloc(room, sizeof(*v->frames)));
	v->groups = must(calloc(room, sizeof(struct frame *)));
	if (size < 2 * FRAME_HEAD + 88)
		return false;
	v->head_span = span_of(number(data + 8, 8));
	v->start = 2 * v->head_span;
	v->salt = number(data + FRAME_HEAD + 40, 8);
	v->part_lo = (int64_t)number(data + FRAME_HEAD + 56, 8);
	for (off = v->start; off < size; off += v->frames[v->nframes - 1].span)
		if (!parse_frame(v, off))
			return false;
	return v->nframes && v->frames[v->nframes - 1].type == COMMIT_FRAME;
}

void version_release(struct version *v)
{
	for (size_t i = 0; i < v->nframes; i++)
		free(v->frames[i].blocks);
	for (size_t i = 0; i < VIEWS; i++)
		free(v->seen[i]);
	free(v->groups);
	free(v->frames);
	free(v->data);
	free(v->name);
	*v = (struct version){ 0 };
}

int64_t version_clock(const struct version *v)
{
	const int64_t second = 1000000000;
	bool fits = v->part_lo > INT64_MIN / second && v->part_lo < INT64_MAX / second;

	return fits ? v->part_lo * second + 1 : 1;
}

static int by_place(const void *a, const void *b)
{
	const struct frame *x = *(const struct frame *const *)a;
	const struct frame *y = *(const struct frame *const *)b;

	return x->off < y->off ? -1 : x->off > y->off;
}

/* The same frame in another version, or NULL. */
static struct frame *find_frame(const struct version *v, const struct frame *x)
{
	size_t lo = 0, hi = v->nframes;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v->frames[mid].off < x->off)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == v->nframes || v->frames[lo].off != x->off || v->frames[lo].span != x->span ||
	    memcmp(v->data + x->off, x->of->data + x->off, (size_t)x->span) != 0)
		return NULL;
	return &v->frames[lo];
}

/* Marks it in the oldest version that has it; true when that is its own. */
static bool is_first(const struct family *f, struct frame *x, size_t version)
{
	for (size_t v = 0; v <= version; v++) {
		struct frame *first = find_frame(f->versions[v], x);

		if (first) {
			first->in |= 1u << version;
			return first == x;
		}
	}
	return true;
}

void family_init(struct family *f, const struct version *const *versions, size_t n)
{
	size_t room = 1;

	for (size_t v = 0; v < n; v++)
		room += versions[v]->nframes;
	*f = (struct family){ .versions = versions, .nversions = n };
	f->frames = must(calloc(room, sizeof(struct frame *)));
	for (size_t v = 0; v < n; v++)
		for (size_t i = 0; i < versions[v]->nframes; i++)
			if (is_first(f, &versions[v]->frames[i], v))
				f->frames[f->nframes++] = &versions[v]->frames[i];
	qsort(f->frames, f->nframes, sizeof(struct frame *), by_place);
}

void family_release(struct family *f)
{
	free(f->frames);
	*f = (struct family){ 0 };
}

size_t family_at(const struct family *f, uint64_t off)
{
	static size_t last; /* mostly the next one is asked for */
	size_t lo = 0, hi = f->nframes;

	for (size_t i = last; i < hi && i <= last + 2; i++)
		if (f->frames[i]->off >= off && (i == 0 || f->frames[i - 1]->off < off))
			return last = i;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->frames[mid]->off < off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return last = lo;
}
