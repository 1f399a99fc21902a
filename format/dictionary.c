/*
 * DICT payloads (spec 5.5). See dictionary.h.
 */
#include "format/dictionary.h"
#include "format/rule.h"

#include <sodium.h>
#include <stdlib.h>
#include <zstd.h>

#define LEVEL 19 /* they are written once and stand in front of many blocks */

void evs_dictionary_release(struct evs_dictionary *d)
{
	if (!d)
		return;
	free(d->p);
	*d = (struct evs_dictionary){ 0 };
}

int evs_dictionary_encode(const struct evs_dictionary *d, struct evs_buf *out)
{
	size_t n = ZSTD_compressBound(d->len);

	if (!evs_buf_reserve(out, n))
		return EVS_E_NOMEM;
	n = ZSTD_compress(out->p + out->len, n, d->p, d->len, LEVEL);
	if (ZSTD_isError(n))
		return EVS_E_NOMEM;
	out->len += n;
	return 0;
}

int evs_dictionary_decode(struct evs_dictionary *out, const uint8_t *payload, size_t len,
			  const char **why)
{
	static const char rule[] = "5.5-1 no dictionary in a DICT frame";
	unsigned long long size = ZSTD_getFrameContentSize(payload, len);
	ZSTD_DCtx *z;
	size_t n;

	*out = (struct evs_dictionary){ 0 };
	/* What is no size is larger than any. */
	if (size < 1 || size > EVS_MAX_DICTIONARY || ZSTD_getDictID_fromFrame(payload, len) ||
	    ZSTD_findFrameCompressedSize(payload, len) != len)
		return evs_rule(why, EVS_E_FORMAT, rule);
	out->p = malloc((size_t)size);
	z = ZSTD_createDCtx();
	n = out->p && z ? ZSTD_decompressDCtx(z, out->p, (size_t)size, payload, len) : 0;
	(void)ZSTD_freeDCtx(z);
	if (!out->p || !z)
		return EVS_E_NOMEM;
	if (n != size)
		return evs_rule(why, EVS_E_FORMAT, rule);
	out->len = (uint32_t)size;
	crypto_generichash(out->hash, sizeof(out->hash), out->p, out->len, NULL, 0);
	return 0;
}
