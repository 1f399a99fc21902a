/*
 * GROUP frames and their column blocks (spec 5), and the encodings inside a block (spec 6).
 *
 * A group's payload is a fixed part, a directory of blocks, and the blocks. The frame's payload_sum
 * covers fixed part and directory; the directory holds each block's checksum, so that a reader of
 * one column reads and verifies that column alone. A small group is "packed": its columns share one
 * block, which costs one directory entry and one checksum.
 */
#ifndef EVS_FORMAT_GROUP_H
#define EVS_FORMAT_GROUP_H

#include "format/array.h"
#include "format/bytes.h"
#include "format/dictionary.h"
#include "format/error.h"

#define EVS_MAX_COLUMNS	       10000u
#define EVS_MAX_GROUP_ROWS     (1u << 20)
#define EVS_MAX_BLOCK	       ((uint32_t)1 << 30) /* bytes of a block, stored or decompressed */
#define EVS_MAX_ENCODING_DEPTH 8 /* of nodes inside each other, array nesting not counted */
#define EVS_PACKED_COLUMN      0xffffu

struct evs_group_raw {
	uint8_t schema_off[8]; /* HEAD or SCHEMA frame that describes the columns */
	uint8_t first_row[8];  /* rows of the segment before this group */
	uint8_t rows[4];
	uint8_t columns[2]; /* of the schema, hidden ones included */
	uint8_t blocks[2];  /* directory entries; 1 in a packed group */
	uint8_t flags[4];   /* bit 0: packed; others: refuse */
	uint8_t reserved[4];
	/* then the directory, then the blocks, each right after the one before */
};
_Static_assert(sizeof(struct evs_group_raw) == 32, "spec 5.1 says 32 bytes");

#define EVS_GROUP_PACKED 0x1u

enum evs_codec { EVS_CODEC_NONE = 0, EVS_CODEC_ZSTD = 1, EVS_CODEC_ZSTD_DICT = 2 };

struct evs_block_raw {
	uint8_t column[2]; /* ordinal in the schema; 0xffff in a packed group */
	uint8_t codec;	   /* enum evs_codec */
	uint8_t flags;	   /* zero */
	uint8_t stored_len[4];
	uint8_t raw_len[4]; /* after the codec */
	uint8_t nulls[4];   /* of the column; 0 in a packed group's entry */
	uint8_t sum[8];	    /* XXH3-64 of the stored bytes, seed 0 */
};
_Static_assert(sizeof(struct evs_block_raw) == 24, "spec 5.2 says 24 bytes");

struct evs_block {
	uint16_t column;
	uint8_t codec;
	uint32_t stored_len, raw_len, nulls;
	uint64_t sum;
	uint64_t at; /* offset of the block from the start of the payload */
};

/* A group's fixed part and directory, decoded. A column without a block is null in every row. */
struct evs_group {
	uint64_t schema_off, first_row;
	uint32_t rows;
	uint16_t columns, nblocks;
	bool packed;
	struct evs_block *blocks; /* owned */
};

/*
 * Encoder: settings and scratch, reused from group to group. One thread at a time.
 */
struct evs_encoder;

#define EVS_PACKED_BELOW 4096u /* what evseg itself writes by */

struct evs_encoder_opts {
	int zstd_level;	       /* 1 .. 22 */
	uint32_t packed_below; /* groups with fewer bytes in memory than this are packed */
	bool quick;	       /* as in struct evs_enc_opts */
	bool plain;	       /* tests: no encoding but plain, no zstd */
};
int evs_encoder_new(struct evs_encoder **out, const struct evs_encoder_opts *opts);
void evs_encoder_free(struct evs_encoder *e);

/*
 * Blocks of `column` are made with the dictionary from now on; NULL: without. It stays the caller's
 * and must stay. One of EVS_DICTIONARIES columns; false: there are as many already.
 */
bool evs_encoder_dictionary(struct evs_encoder *e, uint16_t column, const struct evs_dictionary *d);

/*
 * Append the payload of a GROUP frame (fixed part, directory, blocks) to `out`. All `cols` have
 * `rows` rows, 1 <= rows <= EVS_MAX_GROUP_ROWS. `*summed_len` gets the length of fixed part and
 * directory, for evs_frame_seal(). Returns 0, EVS_E_NOMEM or EVS_E_LIMIT.
 */
int evs_group_encode(struct evs_encoder *e, const struct evs_array *cols, uint16_t ncols,
		     uint64_t schema_off, uint64_t first_row, struct evs_buf *out,
		     uint32_t *summed_len);

/* Decode fixed part and directory of a verified GROUP payload of payload_len bytes, of which `p`
 * holds the `summed_len` leading ones. Release in every case. */
int evs_group_decode(struct evs_group *out, const uint8_t *p, uint32_t summed_len,
		     uint64_t payload_len, const char **why);
void evs_group_release(struct evs_group *g);

/* Block that holds `column`, or NULL when the column is null throughout (packed: the one block). */
const struct evs_block *evs_group_find(const struct evs_group *g, uint16_t column);

struct evs_decoder; /* zstd context and scratch; one thread at a time */
int evs_decoder_new(struct evs_decoder **out);
void evs_decoder_free(struct evs_decoder *d);
/* Another file comes: the packed block at hand is not taken for one of its. */
void evs_decoder_forget(struct evs_decoder *d);

/* Most bytes that decoding one column may take: its decompressed block, and again as much for array
 * and scratch. EVS_MAX_BLOCK unless set. More is EVS_E_LIMIT. */
void evs_decoder_set_limit(struct evs_decoder *d, size_t max_bytes);

/* What blocks with codec 2 are decoded with: the caller's, until it is another one or NULL. */
void evs_decoder_dictionary(struct evs_decoder *d, const struct evs_dictionary *dict);

struct evs_trace; /* format/encode.h */
/* As evs_dec_ctx_trace(). */
void evs_decoder_trace(struct evs_decoder *d, struct evs_trace *t);

/* Does the checksum of a block's stored bytes match? */
bool evs_block_sound(const struct evs_block *b, const uint8_t *stored);

/* What the dictionary of a block with codec 2 is, by its first bytes; `p` stays NULL. EVS_E_FORMAT:
 * no places before the group at `off`. */
int evs_block_dictionary(struct evs_dictionary *out, const uint8_t *stored, uint64_t off,
			 const char **why);

/*
 * Decode one column. `stored` holds b->stored_len bytes of the block, whose checksum is verified
 * here; `out` has the column's shape and is filled with g->rows rows (b == NULL: all null). For a
 * packed group the decompressed block stays in the decoder, so that decoding its columns one after
 * the other decompresses once as long as `stored` and `b->sum` stay the same.
 * Returns 0, EVS_E_NOMEM, EVS_E_LIMIT, EVS_E_FORMAT or EVS_E_VERSION with `*why`.
 */
int evs_group_column(struct evs_decoder *d, const struct evs_group *g, const struct evs_block *b,
		     const uint8_t *stored, uint16_t column, struct evs_array *out,
		     const char **why);

/* The same of the `n` rows at[0 .. n) alone, which rise, side by side. */
int evs_group_pick(struct evs_decoder *d, const struct evs_group *g, const struct evs_block *b,
		   const uint8_t *stored, uint16_t column, const uint32_t *at, uint32_t n,
		   struct evs_array *out, const char **why);

/*
 * The same as codes where the block is one of a dictionary, of runs or of a constant, and the group
 * is not packed: 1 with `coded`, else 0 with `out`. Both have the column's shape.
 */
int evs_group_coded(struct evs_decoder *d, const struct evs_group *g, const struct evs_block *b,
		    const uint8_t *stored, uint16_t column, struct evs_coded *coded,
		    struct evs_array *out, const char **why);

#endif
