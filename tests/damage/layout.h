/*
 * What a sound segment holds, and where: its frames as spec/segment.md lays them down.
 *
 * Written from the spec's tables, without a line of the library: the tests hold the two against
 * each other. Only sound files are parsed, so nothing is bounded here. In a damaged file a frame is
 * sound when its bytes are those that a sound file had at the same offset, because all sums are
 * seeded with salt and offset. So no sum is ever computed.
 */
#ifndef EVS_TESTS_DAMAGE_LAYOUT_H
#define EVS_TESTS_DAMAGE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HEAD_FRAME = 1,
	GROUP_FRAME = 2,
	COMMIT_FRAME = 3,
	INDEX_FRAME = 4,
	SCHEMA_FRAME = 5,
	DICT_FRAME = 6
};
enum { FRAME_HEAD = 40, TRAILER = 64, TRAILERS = 128 };

struct block {
	uint16_t column;
	uint64_t off; /* in the file */
	uint32_t len;
	uint64_t dict[2]; /* DICT frames of which it needs one; 0: none */
};

struct version;

struct frame {
	const struct version *of;
	uint64_t off, span, payload_len;
	uint32_t summed;
	uint32_t in; /* a bit for each version that has it */
	uint8_t type;
	/* GROUP */
	uint64_t first_row, schema_off;
	uint32_t rows;
	uint32_t number; /* of the group in its file, from 0 */
	uint16_t nblocks;
	bool packed;
	int64_t time_min, time_max; /* as the COMMIT says */
	struct block *blocks;
	/* COMMIT */
	uint64_t seq, commit_rows, rows_total, first_group, prev_end, commit_schema;
};

/* What a scan of the sound file gives of a group. */
struct seen {
	uint32_t rows;
	uint64_t hash;
};

enum { VIEWS = 144 };

/* A sound file. Two of one salt are versions of one segment. Not to be moved: frames point here. */
struct version {
	char *name;
	uint8_t *data;
	size_t size;
	uint64_t salt, head_span, start; /* start: behind both HEADs */
	int64_t part_lo;
	uint64_t rows;
	struct frame *frames;			    /* behind the HEADs, in the file's order */
	size_t nframes, ngroups, ncommits, schemas; /* schemas: SCHEMA frames */
	struct frame **groups;			    /* those of the frames that are GROUPs */
	struct seen *seen[VIEWS];		    /* by view, then by group; see view.h */
};

/* Takes `data` over. False when it is no sound segment that ends with a commit. */
bool version_parse(struct version *v, const char *name, uint8_t *data, size_t size);
void version_release(struct version *v);

/* A time in its partition, in ns, for what is stamped on arrival. */
int64_t version_clock(const struct version *v);

/* All frames of all versions of one salt, by offset; a frame that several of them have stands once.
 */
struct family {
	const struct version *const *versions;
	size_t nversions;
	const struct frame **frames;
	size_t nframes;
};

void family_init(struct family *f, const struct version *const *versions, size_t n);
void family_release(struct family *f);

/* First frame at `off` or behind. */
size_t family_at(const struct family *f, uint64_t off);

/* malloc and realloc that do not come back without memory. */
void *must(void *p);

#endif
