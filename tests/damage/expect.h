/*
 * What a reader must say of a damaged file: spec/segment.md 9, told from the bytes that sound files
 * had at the same places. There is one right answer to every damage, and this is it.
 */
#ifndef EVS_TESTS_DAMAGE_EXPECT_H
#define EVS_TESTS_DAMAGE_EXPECT_H

#include "layout.h"

/* A damaged file. Outside of [lo, hi) it is as `base`. */
struct damaged {
	const struct version *base;
	uint8_t *bytes;
	uint64_t size, lo, hi;
};

struct loss {
	uint64_t off, rows;
};

struct expect {
	bool segment;		  /* a HEAD can be read */
	const struct family *fam; /* whose HEAD it is */
	bool whole;		  /* nothing is wrong: the file is a version, byte by byte */
	uint64_t start;
	/* the newest commit, 9-3 to 9-5 */
	const struct frame *commit; /* NULL: none */
	bool commit_bad;
	uint64_t end, tail_rows;
	bool tail, tail_known;
	/* the walk, 9-9 and 9-10 */
	const struct frame **met; /* GROUP frames whose summed part is sound */
	size_t nmet;
	struct loss *lost; /* stretches of the walk that cost rows */
	size_t nlost;
	bool mixed; /* frames of versions that do not go together are side by side */
	bool odd;   /* ... and row numbers do not add up */
	/* scratch */
	size_t room;
	uint64_t next_row, gap_off;
	bool gap;
	const struct frame *ahead; /* the next sound COMMIT, seen from up to ... */
	uint64_t ahead_to;
};

/* Families: what the HEADs may belong to. `e` is used again and again; zeroed at first. */
void expect_of(struct expect *e, const struct damaged *d, const struct family *const *families,
	       size_t nfamilies);
void expect_release(struct expect *e);

/* The SCHEMA frame at `off` can be read (0: HEAD, always). */
bool expect_schema(const struct expect *e, const struct damaged *d, uint64_t off);

/* The schema in force: what the newest commit names, or what takes its place (9-8). */
uint64_t expect_schema_in_force(const struct expect *e, const struct damaged *d);

/* Block `b` is as it was. */
bool expect_block(const struct expect *e, const struct damaged *d, const struct frame *group,
		  const struct block *b);

/* So are the bytes of a frame behind its summed part. */
bool expect_rest(const struct damaged *d, const struct frame *f);

#endif
