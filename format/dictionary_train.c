/*
 * What a dictionary is made of: the stretches of the samples that hold most of what comes back. See
 * dictionary.h.
 *
 * Eight bytes in a row are a word, counted by its hash. The samples are looked through in as many
 * parts as it takes to fill the dictionary in a few rounds: of each part that stretch is taken
 * whose different words have come most often, and counts no more, since the dictionary has its
 * words by then. What was found first stands last, nearest to the data.
 *
 * libzstd trains as well (zdict.h), but ends the program where it finds no memory.
 */
#include "format/dictionary.h"

#include <sodium.h>
#include <stdlib.h>
#include <zstd.h>

#define WORD	  8u
#define STRETCH	  400u /* bytes */
#define HASH_BITS 20
#define ROUNDS	  4u  /* about */
#define FRUITLESS 16u /* parts in a row without a word that came twice: that is all there is */

struct trainer {
	const uint8_t *samples;
	size_t words;
	uint32_t *count;  /* [2^HASH_BITS], of a word in all samples */
	uint16_t *within; /* [2^HASH_BITS], in the stretch at hand */
};

static uint32_t hash_at(const struct trainer *t, size_t at)
{
	return (uint32_t)(evs_get64(t->samples + at) * 0x9e3779b97f4a7c15u >> (64 - HASH_BITS));
}

/* Words that came once are worth nothing. */
static uint64_t worth(const struct trainer *t, uint32_t hash)
{
	return t->count[hash] > 1 ? t->count[hash] : 0;
}

/* The words [from, to) become the best stretch among them, which counts no more. Returns what it is
 * worth. */
static uint64_t take_best(struct trainer *t, size_t *from, size_t *to)
{
	const size_t words = STRETCH - WORD + 1;
	size_t begin = *from, end = *to, best = begin;
	uint64_t score = 0, most = 0;

	for (size_t at = begin; at < end; at++) {
		uint32_t h = hash_at(t, at);

		score += t->within[h]++ ? 0 : worth(t, h);
		if (at - begin >= words) {
			h = hash_at(t, at - words);
			score -= --t->within[h] ? 0 : worth(t, h);
		}
		if (score > most) {
			most = score;
			best = at - begin >= words ? at - words + 1 : begin;
		}
	}
	for (size_t at = end - begin > words ? end - words : begin; at < end; at++)
		t->within[hash_at(t, at)] = 0;
	*from = best;
	*to = end - best > words ? best + words : end;
	for (size_t at = *from; at < *to && most; at++)
		t->count[hash_at(t, at)] = 0;
	return most;
}

/* Fill `cap` bytes at p from their end; returns how many were left free. */
static uint32_t fill(struct trainer *t, uint8_t *p, uint32_t cap)
{
	size_t parts = cap / (STRETCH * ROUNDS) + 1, part;
	uint32_t left = cap;
	unsigned fruitless = 0;

	if (parts > t->words / STRETCH + 1)
		parts = t->words / STRETCH + 1;
	part = t->words / parts;
	for (size_t i = 0; left >= WORD && fruitless < FRUITLESS; i = (i + 1) % parts) {
		size_t from = i * part, to = i + 1 == parts ? t->words : from + part, n;

		if (!take_best(t, &from, &to)) {
			fruitless++;
			continue;
		}
		fruitless = 0;
		n = to - from + WORD - 1;
		n = n < left ? n : left;
		left -= (uint32_t)n;
		memcpy(p + left, t->samples + from, n);
	}
	return left;
}

int evs_dictionary_train(struct evs_dictionary *out, const uint8_t *samples, size_t len,
			 uint32_t cap)
{
	struct trainer t = { .samples = samples, .words = len < WORD ? 0 : len - WORD + 1 };
	uint32_t left = cap;
	int rc = EVS_E_NOMEM;

	*out = (struct evs_dictionary){ 0 };
	t.count = calloc((size_t)1 << HASH_BITS, sizeof(*t.count));
	t.within = calloc((size_t)1 << HASH_BITS, sizeof(*t.within));
	out->p = malloc((size_t)cap + 1);
	if (!t.count || !t.within || !out->p)
		goto out;
	for (size_t at = 0; at < t.words; at++)
		t.count[hash_at(&t, at)]++;
	if (t.words)
		left = fill(&t, out->p, cap);
	/* zstd must not take it for a dictionary of its own kind. What there is has a word at
	 * least. */
	if (left < cap && evs_get32(out->p + left) == ZSTD_MAGIC_DICTIONARY)
		left++;
	out->len = cap - left;
	memmove(out->p, out->p + left, out->len);
	crypto_generichash(out->hash, sizeof(out->hash), out->p, out->len, NULL, 0);
	rc = 0;
out:
	free(t.count);
	free(t.within);
	if (rc < 0 || !out->len)
		evs_dictionary_release(out);
	return rc;
}
