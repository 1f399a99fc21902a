/*
 * Trained dictionaries (spec 5.5): what zstd takes to stand in front of every block of a column,
 * and the DICT frames that hold it.
 *
 * Source of the training: the idea of Liao, Petri, Moffat and Wirth, "Effective Construction of
 * Relative Lempel-Ziv Dictionaries", 2016.
 */
#ifndef EVS_FORMAT_DICTIONARY_H
#define EVS_FORMAT_DICTIONARY_H

#include "format/bytes.h"
#include "format/error.h"

#define EVS_MAX_DICTIONARY  ((uint32_t)1 << 20) /* bytes */
#define EVS_DICTIONARIES    4u			/* of a segment, as evseg writes it */
#define EVS_DICTIONARY_HASH 32u

/* In front of the zstd frame of a block with codec 2. */
struct evs_block_dict_raw {
	uint8_t off[8];	 /* first DICT frame */
	uint8_t copy[8]; /* second one */
	uint8_t hash[32];
};
_Static_assert(sizeof(struct evs_block_dict_raw) == 48, "spec 5.5 says 48 bytes");

struct evs_dictionary {
	uint8_t *p; /* owned; NULL: none */
	uint32_t len;
	uint8_t hash[EVS_DICTIONARY_HASH];
	uint64_t off, copy; /* where it stands, as far as that is known */
};

void evs_dictionary_release(struct evs_dictionary *d);

/*
 * Out of `len` bytes of samples, at most `cap` (<= EVS_MAX_DICTIONARY) of what comes back most.
 * Returns 0, with out->p NULL when nothing does, or EVS_E_NOMEM. The same samples make the same
 * bytes.
 */
int evs_dictionary_train(struct evs_dictionary *out, const uint8_t *samples, size_t len,
			 uint32_t cap);

/* Append the payload of its DICT frames. Returns 0 or EVS_E_NOMEM. */
int evs_dictionary_encode(const struct evs_dictionary *d, struct evs_buf *out);

/* The dictionary of a verified payload, without its places. Returns 0, EVS_E_NOMEM, or EVS_E_FORMAT
 * with `*why`. Release in every case. */
int evs_dictionary_decode(struct evs_dictionary *out, const uint8_t *payload, size_t len,
			  const char **why);

#endif
