/*
 * Fuzz: the bytes of a file from its start, as a reader meets them: HEAD frames, then frames one
 * after the other, each decoded by its type.
 *
 * A fuzzer cannot guess checksums, so the input's checksums and hashes are mended first; what is then
 * refused breaks another rule, and what is accepted must be consistent.
 */
#include "format/commit.h"
#include "format/frame.h"
#include "format/group.h"
#include "format/head.h"

#include <stdlib.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Seal the frame head at p again, with whatever fields it has. */
static void mend(uint8_t *p, size_t left, uint64_t salt, uint64_t off)
{
	uint64_t seed = (p[4] == EVS_FRAME_HEAD ? 0 : salt) ^ off;
	uint32_t summed = evs_get32(p + 16);

	if (summed <= left - EVS_FRAME_HEAD_SIZE)
		evs_put64(p + 24, XXH3_64bits_withSeed(p + 40, summed, seed));
	evs_put64(p + 32, XXH3_64bits_withSeed(p, 32, seed));
}

static void decode_payload(const struct evs_frame *f, const uint8_t *p, uint64_t off,
			   uint64_t *salt)
{
	const char *why = NULL;
	struct evs_head h;
	struct evs_group g;
	struct evs_index x;
	char *text = NULL;
	size_t n;

	switch (f->type) {
	case EVS_FRAME_HEAD:
		if (evs_head_decode(&h, p, f->summed_len, &why) == 0)
			*salt = h.salt;
		evs_head_release(&h);
		break;
	case EVS_FRAME_GROUP:
		(void)evs_group_decode(&g, p, f->summed_len, f->payload_len, &why);
		evs_group_release(&g);
		break;
	case EVS_FRAME_INDEX:
		(void)evs_index_decode(&x, p, f->summed_len, off, &why);
		evs_index_release(&x);
		break;
	case EVS_FRAME_SCHEMA:
		if (evs_schema_text_decode(&text, &n, p, f->summed_len, &why) == 0)
			free(text);
		break;
	default: /* fuzz_commit.c */
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t magic[4] = { 0x89, 'E', 'V', 'S' };
	uint8_t *p = malloc(len ? len : 1);
	uint64_t salt = 0;
	size_t off = 0;

	if (!p)
		return 0;
	if (len)
		memcpy(p, data, len);
	while (len - off >= EVS_FRAME_HEAD_SIZE) {
		struct evs_frame f;
		const char *why = NULL;

		if (!memcmp(p + off, magic, sizeof(magic)))
			mend(p + off, len - off, salt, off);
		if (evs_frame_decode(&f, p + off, salt, off, &why) < 0 ||
		    evs_frame_span(f.payload_len) > len - off) {
			off += 8;
			continue;
		}
		if (evs_frame_verify(&f, p + off + EVS_FRAME_HEAD_SIZE, salt, off, &why) < 0)
			abort(); /* it was just mended */
		decode_payload(&f, p + off + EVS_FRAME_HEAD_SIZE, off, &salt);
		off += (size_t)evs_frame_span(f.payload_len);
	}
	free(p);
	return 0;
}
