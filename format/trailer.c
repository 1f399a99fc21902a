/*
 * Trailers (spec 7.3): from the end of a file to its newest commit.
 */
#include "format/commit.h"
#include "format/frame.h"
#include "format/rule.h"

#include <stddef.h>
#include <string.h>
#include <xxhash.h>

#define MIN_COMMIT (EVS_FRAME_HEAD_SIZE + sizeof(struct evs_commit_raw) + EVS_TRAILERS_SIZE)

int evs_trailer_decode(struct evs_trailer *out, const uint8_t *raw, uint64_t salt, uint64_t off,
		       const char **why)
{
	static const uint8_t magic[4] = { 'E', 'V', 'S', 'T' };
	struct evs_trailer_raw r;
	uint64_t end;
	uint32_t copy;

	memcpy(&r, raw, sizeof(r));
	if (memcmp(r.magic, magic, sizeof(magic)) != 0)
		return evs_rule(why, EVS_E_FORMAT, "7.3-1 trailer magic");
	if (XXH3_64bits_withSeed(raw, offsetof(struct evs_trailer_raw, sum), salt ^ off) !=
	    evs_get64(r.sum))
		return evs_rule(why, EVS_E_FORMAT, "7.3-2 checksum of the trailer");
	copy = evs_get32(r.copy);
	if (copy > 1)
		return evs_rule(why, EVS_E_FORMAT, "7.3-3 copy number of the trailer");
	*out = (struct evs_trailer){
		.commit_off = evs_get64(r.commit_off),
		.commit_len = evs_get64(r.commit_len),
		.seq = evs_get64(r.seq),
		.rows_total = evs_get64(r.rows_total),
		.first_group = evs_get64(r.first_group),
		.rows = evs_get64(r.groups_rows),
	};
	if (off % 8 || off > (uint64_t)INT64_MAX - EVS_TRAILERS_SIZE)
		return evs_rule(why, EVS_E_FORMAT, "7.3-4 place of the commit");
	end = off + (2 - copy) * (uint64_t)EVS_TRAILER_SIZE;
	if (out->commit_off > end || end - out->commit_off != out->commit_len ||
	    out->commit_off % 8 || out->commit_len < MIN_COMMIT)
		return evs_rule(why, EVS_E_FORMAT, "7.3-4 place of the commit");
	if (!out->seq || out->rows > out->rows_total || out->first_group > out->commit_off ||
	    out->first_group % 8)
		return evs_rule(why, EVS_E_FORMAT, "7.3-5 numbers of the trailer");
	return 0;
}

bool evs_trailer_matches(const struct evs_trailer *t, const struct evs_commit *c)
{
	return t->seq == c->seq && t->rows_total == c->rows_total && t->rows == c->rows &&
	       t->first_group == c->first_group;
}

void evs_trailer_encode(uint8_t raw[EVS_TRAILER_SIZE], const struct evs_trailer *t, uint32_t copy,
			uint64_t salt, uint64_t off)
{
	struct evs_trailer_raw r = { .magic = { 'E', 'V', 'S', 'T' } };

	evs_put32(r.copy, copy);
	evs_put64(r.commit_off, t->commit_off);
	evs_put64(r.commit_len, t->commit_len);
	evs_put64(r.seq, t->seq);
	evs_put64(r.rows_total, t->rows_total);
	evs_put64(r.first_group, t->first_group);
	evs_put64(r.groups_rows, t->rows);
	evs_put64(r.sum,
		  XXH3_64bits_withSeed(&r, offsetof(struct evs_trailer_raw, sum), salt ^ off));
	memcpy(raw, &r, sizeof(r));
}
