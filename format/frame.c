/*
 * Frame heads (spec 3): seal them, decode them with every rule that one head alone can break, and
 * verify the summed part of a payload.
 *
 * The seed of both checksums holds the place of the head, so a frame that was copied, moved or left
 * over from another file does not verify.
 */
#include "format/frame.h"
#include "format/commit.h"
#include "format/rule.h"

#include <string.h>
#include <xxhash.h>

static const uint8_t magic[4] = { 0x89, 0x45, 0x56, 0x53 };

#define HEAD_SUMMED 32u /* bytes of the head in front of head_sum */
#define KNOWN_FLAGS (EVS_FRAME_F_REFUSE | EVS_FRAME_F_SEALED)

static uint64_t seed(uint8_t type, uint64_t salt, uint64_t off)
{
	return (type == EVS_FRAME_HEAD ? 0 : salt) ^ off;
}

/* How much of the payload is summed follows from the type (spec 3.2). */
static bool summed_fits_type(const struct evs_frame *f)
{
	switch (f->type) {
	case EVS_FRAME_HEAD:
	case EVS_FRAME_INDEX:
	case EVS_FRAME_SCHEMA:
	case EVS_FRAME_DICT:
	case EVS_FRAME_FILTER:
		return f->payload_len == f->summed_len;
	case EVS_FRAME_COMMIT:
		return f->payload_len - f->summed_len == EVS_TRAILERS_SIZE &&
		       f->summed_len % 8 == 0;
	default:
		return true; /* a group's own count tells: spec 5.1-6 */
	}
}

int evs_frame_decode(struct evs_frame *out, const uint8_t *raw, uint64_t salt, uint64_t off,
		     const char **why)
{
	struct evs_frame_raw r;

	memcpy(&r, raw, sizeof(r));
	if (off % 8)
		return evs_rule(why, EVS_E_FORMAT,
				"3.1-1 frame at an offset that is no multiple of 8");
	if (memcmp(r.magic, magic, sizeof(magic)) != 0)
		return evs_rule(why, EVS_E_FORMAT, "3.1-2 frame magic");
	if (XXH3_64bits_withSeed(raw, HEAD_SUMMED, seed(r.type, salt, off)) !=
	    evs_get64(r.head_sum))
		return evs_rule(why, EVS_E_FORMAT, "3.1-3 checksum of the frame head");
	if (r.flags & ~KNOWN_FLAGS)
		return evs_rule(why, EVS_E_VERSION, "3.1-4 frame flag of a newer format");
	if (evs_get16(r.reserved))
		return evs_rule(why, EVS_E_FORMAT, "3.1-5 reserved bytes of the frame head");
	if (r.type == 0)
		return evs_rule(why, EVS_E_FORMAT, "3.1-6 frame type 0");
	if (r.flags & EVS_FRAME_F_REFUSE && r.type > EVS_FRAME_DICT)
		return evs_rule(why, EVS_E_VERSION, "3.1-7 frame type of a newer format");
	if (r.flags & EVS_FRAME_F_SEALED)
		return evs_rule(why, EVS_E_FORMAT, "3.1-8 sealed frame in a segment of suite 0");

	*out = (struct evs_frame){
		.type = r.type,
		.flags = r.flags,
		.payload_len = evs_get64(r.payload_len),
		.summed_len = evs_get32(r.summed_len),
		.append = evs_get32(r.append),
		.payload_sum = evs_get64(r.payload_sum),
	};
	if (out->payload_len >= EVS_FRAME_MAX_PAYLOAD)
		return evs_rule(why, EVS_E_FORMAT, "3.1-9 payload_len above the cap");
	if (out->summed_len > EVS_FRAME_MAX_SUMMED || out->summed_len > out->payload_len)
		return evs_rule(why, EVS_E_FORMAT,
				"3.1-10 summed_len above the payload or the cap");
	if (!summed_fits_type(out))
		return evs_rule(why, EVS_E_FORMAT, "3.1-11 summed_len does not fit the frame type");
	return 0;
}

int evs_frame_verify(const struct evs_frame *f, const uint8_t *payload, uint64_t salt, uint64_t off,
		     const char **why)
{
	uint64_t sum = XXH3_64bits_withSeed(payload, f->summed_len, seed(f->type, salt, off));

	if (sum != f->payload_sum)
		return evs_rule(why, EVS_E_FORMAT, "3.1-12 checksum of the frame payload");
	return 0;
}

void evs_frame_seal(uint8_t *raw, enum evs_frame_type type, uint8_t flags, uint64_t payload_len,
		    const uint8_t *payload, uint32_t summed_len, uint64_t salt, uint64_t off,
		    uint32_t append)
{
	struct evs_frame_raw r = { .type = (uint8_t)type, .flags = flags };
	uint64_t s = seed(r.type, salt, off);

	memcpy(r.magic, magic, sizeof(magic));
	evs_put64(r.payload_len, payload_len);
	evs_put32(r.summed_len, summed_len);
	evs_put32(r.append, append);
	evs_put64(r.payload_sum, XXH3_64bits_withSeed(payload, summed_len, s));
	memcpy(raw, &r, sizeof(r));
	evs_put64(raw + HEAD_SUMMED, XXH3_64bits_withSeed(raw, HEAD_SUMMED, s));
}
