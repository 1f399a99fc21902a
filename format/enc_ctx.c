/*
 * Contexts of the encodings: scratch memory, the memory limit of the decoder, and the encoder's
 * estimate of what bytes cost once zstd has run over them.
 */
#include "format/enc_impl.h"

#include <stdlib.h>

#define THOROUGH_LEVEL 3 /* of an estimate where time does not matter */

#define TRIAL	       512u /* shorter bytes are not worth a run of zstd to know better */

void *evs_scratch_get(struct evs_scratch *s, size_t n)
{
	unsigned i = s->top;
	size_t cap;

	if (i == EVS_ENC_SLOTS || n > SIZE_MAX / 2)
		return NULL;
	if (s->cap[i] < n + EVS_ENC_SLACK) {
		cap = n + n / 4 + EVS_ENC_SLACK;
		free(s->mem[i]);
		s->cap[i] = 0;
		s->mem[i] = malloc(cap);
		if (!s->mem[i])
			return NULL;
		s->cap[i] = cap;
	}
	s->top++;
	return s->mem[i];
}

void evs_scratch_release(struct evs_scratch *s)
{
	for (unsigned i = 0; i < EVS_ENC_SLOTS; i++)
		free(s->mem[i]);
	memset(s, 0, sizeof(*s));
}

int evs_enc_ctx_new(struct evs_enc_ctx **out, const struct evs_enc_opts *opts)
{
	struct evs_enc_ctx *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return EVS_E_NOMEM;
	if (opts)
		ctx->opts = *opts;
	*out = ctx;
	return 0;
}

void evs_enc_ctx_free(struct evs_enc_ctx *ctx)
{
	if (!ctx)
		return;
	evs_scratch_release(&ctx->scratch);
	evs_buf_release(&ctx->trial);
	evs_buf_release(&ctx->trial_zstd);
	ZSTD_freeCCtx(ctx->zstd);
	free(ctx);
}

void evs_enc_ctx_set_zstd(struct evs_enc_ctx *ctx, bool follows)
{
	ctx->opts.no_zstd = !follows;
}

/* An estimate only, so a failure of zstd or malloc just means "as many bytes as there are". */
size_t evs_enc_cost(struct evs_enc_ctx *ctx, const uint8_t *p, size_t len)
{
	size_t z;

	if (ctx->opts.no_zstd || len < TRIAL)
		return len;
	if (!ctx->zstd)
		ctx->zstd = ZSTD_createCCtx();
	evs_buf_reset(&ctx->trial_zstd);
	if (!ctx->zstd || !evs_buf_reserve(&ctx->trial_zstd, ZSTD_compressBound(len)))
		return len;
	z = ZSTD_compressCCtx(ctx->zstd, ctx->trial_zstd.p, ctx->trial_zstd.cap, p, len,
			      ctx->opts.thorough ? THOROUGH_LEVEL : 1);
	return ZSTD_isError(z) || z > len ? len : z;
}

int evs_dec_ctx_new(struct evs_dec_ctx **out)
{
	struct evs_dec_ctx *d = calloc(1, sizeof(*d));

	if (!d)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < sizeof(d->strs) / sizeof(d->strs[0]); i++)
		evs_array_init(&d->strs[i], EVS_BYTES, 0, false);
	d->limit = EVS_DECODE_MAX_BYTES;
	*out = d;
	return 0;
}

void evs_dec_ctx_free(struct evs_dec_ctx *d)
{
	if (!d)
		return;
	evs_scratch_release(&d->scratch);
	for (size_t i = 0; i < sizeof(d->strs) / sizeof(d->strs[0]); i++)
		evs_array_release(&d->strs[i]);
	for (size_t i = 0; i < sizeof(d->pool) / sizeof(d->pool[0]); i++)
		evs_buf_release(&d->pool[i]);
	free(d);
}

void evs_dec_ctx_set_limit(struct evs_dec_ctx *d, size_t max_bytes)
{
	d->limit = max_bytes;
}

int evs_dec_count(struct evs_dec_ctx *d, uint64_t n)
{
	if (n > d->left) {
		d->why = "6.1-6 column needs more memory than the limit allows";
		d->over = true;
		return EVS_E_NOMEM;
	}
	d->left -= (size_t)n;
	return 0;
}

void *evs_dec_scratch(struct evs_dec_ctx *d, uint64_t n)
{
	void *p;

	if (evs_dec_count(d, n) < 0)
		return NULL;
	p = evs_scratch_get(&d->scratch, (size_t)n);
	if (!p)
		d->why = "out of memory";
	return p;
}

int evs_dec_reserve(struct evs_dec_ctx *d, struct evs_array *a, uint32_t rows, uint64_t bytes)
{
	int rc;

	if (bytes > EVS_ARRAY_MAX_BYTES)
		return evs_dec_fail(d, "6.1-7 values of an array pass 0x7fff0000 bytes");
	rc = evs_dec_count(d, (uint64_t)rows * (a->width ? a->width : 4u) + bytes);
	if (rc < 0)
		return rc;
	rc = evs_array_reserve(a, rows, (size_t)bytes);
	if (rc < 0)
		d->why = "out of memory";
	return rc;
}

void evs_dec_ctx_lend(struct evs_dec_ctx *ctx, uint8_t **raw, size_t *cap)
{
	ctx->raw = raw;
	ctx->raw_cap = cap;
}

void evs_dec_ctx_trace(struct evs_dec_ctx *ctx, struct evs_trace *t)
{
	ctx->trace = t;
}

const char *evs_node_name(uint8_t kind)
{
	static const char *const names[] = {
		[EVS_NODE_PLAIN] = "plain",	    [EVS_NODE_CONST] = "const",
		[EVS_NODE_DICT] = "dict",	    [EVS_NODE_RUNS] = "runs",
		[EVS_NODE_PACKED] = "packed",	    [EVS_NODE_PATCHED] = "patched",
		[EVS_NODE_DELTA] = "delta",	    [EVS_NODE_DELTA2] = "delta2",
		[EVS_NODE_SCALED] = "scaled",	    [EVS_NODE_PLANES] = "planes",
		[EVS_NODE_DECIMAL] = "decimal",	    [EVS_NODE_UUID] = "uuid",
		[EVS_NODE_UUID_TEXT] = "uuid-text", [EVS_NODE_HEX_TEXT] = "hex-text",
		[EVS_NODE_INT_TEXT] = "int-text",   [EVS_NODE_TIME_TEXT] = "time-text",
		[EVS_NODE_AFFIX] = "affix",	    [EVS_NODE_RECENT] = "recent",
		[EVS_NODE_BLOCKS] = "blocks",	    [EVS_NODE_TEMPLATE] = "template",
	};

	return kind < sizeof(names) / sizeof(names[0]) && names[kind] ? names[kind] : "?";
}
