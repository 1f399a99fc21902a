/*
 * Frames: the checksummed records a segment is made of (spec 3).
 *
 * Every frame starts at a multiple of 8 and is: head (40 bytes), payload, zero bytes up to the next
 * multiple of 8. The head's checksum and the payload's checksum are XXH3-64 with the seed
 * salt ^ offset, where offset is the place of the head in the file; HEAD frames, which carry the
 * salt, use the salt 0.
 */
#ifndef EVS_FORMAT_FRAME_H
#define EVS_FORMAT_FRAME_H

#include "format/bytes.h"
#include "format/error.h"

#define EVS_FRAME_HEAD_SIZE   40u
#define EVS_FRAME_MAX_PAYLOAD ((uint64_t)1 << 32) /* exclusive */
#define EVS_FRAME_MAX_SUMMED  ((uint32_t)1 << 28) /* directory, commit, index, schema: at most */

enum evs_frame_type {
	EVS_FRAME_HEAD = 1,
	EVS_FRAME_GROUP = 2,
	EVS_FRAME_COMMIT = 3,
	EVS_FRAME_INDEX = 4,
	EVS_FRAME_SCHEMA = 5,
	EVS_FRAME_DICT = 6,   /* trained zstd dictionary: place kept, not written by 1.0 */
	EVS_FRAME_ROLLUP = 7, /* groups of a view, with partial states */
	EVS_FRAME_FILTER = 8, /* which values a column of a group does not hold */
};

/* A reader that does not know the type must refuse the segment; without it, skip the frame. */
#define EVS_FRAME_F_REFUSE 0x01u
/* Payload is sealed by the crypto suite; a 16-byte tag ends it. Not in suite 0. */
#define EVS_FRAME_F_SEALED 0x02u

/* As it lies on disk. */
struct evs_frame_raw {
	uint8_t magic[4]; /* 89 45 56 53: "\x89EVS" */
	uint8_t type;
	uint8_t flags;
	uint8_t reserved[2];
	uint8_t payload_len[8]; /* without padding */
	uint8_t summed_len[4];	/* leading payload bytes under payload_sum */
	uint8_t append[4];	/* random number of the append */
	uint8_t payload_sum[8];
	uint8_t head_sum[8]; /* of the 32 bytes before it */
};
_Static_assert(sizeof(struct evs_frame_raw) == EVS_FRAME_HEAD_SIZE, "spec 3.1 says 40 bytes");

/* The same, decoded and checked. */
struct evs_frame {
	uint8_t type;
	uint8_t flags;
	uint64_t payload_len;
	uint32_t summed_len;
	uint32_t append; /* all frames of an append have the same number, and no other append has it
			  */
	uint64_t payload_sum;
};

/* Bytes from this frame's head to the next frame's: head + payload + padding. */
static inline uint64_t evs_frame_span(uint64_t payload_len)
{
	return EVS_FRAME_HEAD_SIZE + ((payload_len + 7) & ~(uint64_t)7);
}

/*
 * Decode the 40 bytes at `raw`, which stand at `off` of a segment with `salt`.
 * Returns 0, or EVS_E_FORMAT / EVS_E_VERSION with `*why` naming the broken rule (a constant).
 */
int evs_frame_decode(struct evs_frame *out, const uint8_t *raw, uint64_t salt, uint64_t off,
		     const char **why);

/* Does `payload` (summed_len bytes) match? Returns 0 or EVS_E_FORMAT with `*why`. */
int evs_frame_verify(const struct evs_frame *f, const uint8_t *payload, uint64_t salt, uint64_t off,
		     const char **why);

/*
 * Write the 40 head bytes for a payload whose first `summed_len` bytes are at `payload`.
 * `salt` is the segment's; HEAD frames are sealed with 0 whatever is passed. `append` is 0 for
 * HEAD.
 */
void evs_frame_seal(uint8_t *raw, enum evs_frame_type type, uint8_t flags, uint64_t payload_len,
		    const uint8_t *payload, uint32_t summed_len, uint64_t salt, uint64_t off,
		    uint32_t append);

#endif
