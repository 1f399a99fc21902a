/*
 * Fuzz: COMMIT payloads (their hash is mended first) and trailers. What decodes is written again
 * and must decode to the same numbers.
 */
#include "format/commit.h"
#include "format/frame.h"
#include "tests/fuzz/must.h"

#include <sodium.h>
#include <stddef.h>
#include <stdlib.h>
#include <xxhash.h>

#define OFF  ((uint64_t)1 << 20)
#define SALT 42u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void write_again(struct evs_commit *c)
{
	struct evs_buf b = { 0 };
	struct evs_commit again;
	struct evs_frame f;
	const char *why = NULL;

	must(evs_commit_write(c, SALT, OFF, &b) == 0);
	must(evs_frame_decode(&f, b.p, SALT, OFF, &why) == 0);
	must(evs_commit_decode(&again, b.p + EVS_FRAME_HEAD_SIZE, f.summed_len, OFF, &why) == 0);
	must(again.rows == c->rows && again.ngroups == c->ngroups && again.nzones == c->nzones &&
	     again.nsources == c->nsources);
	evs_commit_release(&again);
	evs_buf_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const size_t at = offsetof(struct evs_commit_raw, hash);
	const char *why = NULL;
	struct evs_commit c;
	struct evs_trailer t;
	uint8_t *p = calloc(1, len + 1);

	if (!p)
		return 0;
	if (len)
		memcpy(p, data, len);
	if (len >= sizeof(struct evs_commit_raw)) {
		memset(p + at, 0, EVS_HASH_SIZE);
		crypto_generichash(p + at, EVS_HASH_SIZE, p, len, NULL, 0);
	}
	if (evs_commit_decode(&c, p, len, OFF, &why) == 0)
		write_again(&c);
	evs_commit_release(&c);

	if (len >= EVS_TRAILER_SIZE) {
		evs_put64(p + 56, XXH3_64bits_withSeed(p, 56, SALT ^ OFF));
		(void)evs_trailer_decode(&t, p, SALT, OFF, &why);
	}
	free(p);
	return 0;
}
