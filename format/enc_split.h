/*
 * Splitting a text into what it has in common with others and what it has not, for TEMPLATE nodes
 * (enc_template.c).
 *
 * Any split is right, since the pieces are put back one after the other; a good one leaves pieces
 * that are alike under the same key. The skeleton of a value is its text with a mark in the place
 * of each piece.
 */
#ifndef EVS_FORMAT_ENC_SPLIT_H
#define EVS_FORMAT_ENC_SPLIT_H

#include "format/enc_impl.h"

#define EVS_SPLIT_MARKS 8    /* bytes below are marks; a value that has one is not split */
#define EVS_SPLIT_WORDS 4096 /* counters of words */

/* A piece of a value. */
struct evs_piece {
	int32_t at; /* in the data of the values */
	uint32_t len;
	/* of the path that leads to it inside JSON; 0: by its place in the skeleton */
	uint32_t key;
};

struct evs_split {
	const uint8_t *data;
	struct evs_piece *piece;
	uint32_t pieces, max_pieces; /* of all values so far */
	uint8_t *skeleton;	     /* of the value at hand */
	uint32_t len, max_len;
	uint16_t words[EVS_SPLIT_WORDS]; /* how often words were counted, by hash */
	uint16_t often;			 /* words counted so often are no pieces */
};

/* Count the words of a value, for evs_split_value(). */
void evs_split_count(struct evs_split *s, const uint8_t *p, size_t len);

/*
 * Split the value at s->data + at: its pieces behind those that there are, its skeleton, with room
 * for 2 * len + 2 bytes, anew. False when it has a mark in it, or more pieces than there is room
 * for; what was there before is there still.
 */
bool evs_split_value(struct evs_split *s, int32_t at, size_t len);

#endif
