/*
 * Writing BYTES nodes (spec 6.6): plain, constant, dictionary and affix; text that is a number, an
 * id or a time in disguise is in enc_text.c.
 *
 * Ids and times are recognised first, since 16 bytes are quicker to look up in a dictionary than 36
 * letters. Then repetition, then what the values have in common at their ends.
 */
#include "format/enc_impl.h"

static int put_plain(struct evs_enc_ctx *ctx, const struct evs_strs *v, unsigned depth,
		     struct evs_buf *out)
{
	uint32_t *lens = evs_scratch_get(&ctx->scratch, (size_t)v->n * 4);
	int rc;

	if (!lens)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < v->n; i++)
		lens[i] = (uint32_t)(v->offs[i + 1] - v->offs[i]);
	evs_buf_put_u8(out, EVS_NODE_PLAIN);
	rc = evs_enc_u32(ctx, lens, v->n, depth + 1, out);
	evs_buf_put(out, v->data + v->offs[0], (size_t)(v->offs[v->n] - v->offs[0]));
	return rc;
}

static int put_const(const struct evs_strs *v, struct evs_buf *out)
{
	size_t len = (size_t)(v->offs[1] - v->offs[0]);
	const uint8_t *first = v->data + v->offs[0];

	for (size_t i = 1; i < v->n; i++)
		if ((size_t)(v->offs[i + 1] - v->offs[i]) != len ||
		    memcmp(v->data + v->offs[i], first, len) != 0)
			return EVS_ENC_UNFIT;
	evs_buf_put_u8(out, EVS_NODE_CONST);
	evs_buf_put_varint(out, len);
	evs_buf_put(out, first, len);
	return 0;
}

/* Value `first[k]` becomes value k. */
static int gather(struct evs_enc_ctx *ctx, const struct evs_strs *v, const struct evs_dict *d,
		  struct evs_strs *vals)
{
	int32_t *offs = evs_scratch_get(&ctx->scratch, ((size_t)d->distinct + 1) * 4);
	uint8_t *data = evs_scratch_get(&ctx->scratch, d->bytes);
	size_t len;

	if (!offs || !data)
		return EVS_E_NOMEM;
	offs[0] = 0;
	for (size_t k = 0; k < d->distinct; k++) {
		len = (size_t)(v->offs[d->first[k] + 1] - v->offs[d->first[k]]);
		memcpy(data + offs[k], v->data + v->offs[d->first[k]], len);
		offs[k + 1] = offs[k] + (int32_t)len;
	}
	*vals = (struct evs_strs){ .data = data, .offs = offs, .n = d->distinct };
	return 0;
}

static int put_dict(struct evs_enc_ctx *ctx, const struct evs_strs *v, bool forced, unsigned depth,
		    struct evs_buf *out)
{
	uint64_t total = (uint64_t)(v->offs[v->n] - v->offs[0]) + v->n, with;
	struct evs_strs vals;
	struct evs_dict d;
	int rc;

	rc = evs_dict_strs(ctx, v, forced ? v->n : v->n / 2, &d);
	if (rc)
		return rc;
	with = d.bytes + d.distinct + (uint64_t)v->n * evs_bit_len(d.distinct - 1) / 8;
	if (with > total / 5 * 4 && !forced)
		return EVS_ENC_UNFIT;
	rc = gather(ctx, v, &d, &vals);
	if (rc)
		return rc;
	evs_buf_put_u8(out, EVS_NODE_DICT);
	evs_buf_put_varint(out, d.distinct);
	rc = evs_enc_strs(ctx, &vals, depth + 1, out);
	return rc ? rc : evs_enc_codes(ctx, &d, v->n, depth + 1, out);
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/*
 * Bytes that all values start and end with, not overlapping in the shortest one. Digits at the
 * inner edges are left to the values: they are usually part of a number that varies.
 */
static void common_ends(const struct evs_strs *v, size_t *prefix, size_t *suffix)
{
	const uint8_t *first = v->data + v->offs[0], *p;
	size_t len0 = (size_t)(v->offs[1] - v->offs[0]), len, pre, suf, shortest = len0;

	pre = suf = len0 < EVS_ENC_MAX_AFFIX ? len0 : EVS_ENC_MAX_AFFIX;
	for (size_t i = 1; i < v->n && pre + suf; i++) {
		p = v->data + v->offs[i];
		len = (size_t)(v->offs[i + 1] - v->offs[i]);
		shortest = len < shortest ? len : shortest;
		pre = pre < len ? pre : len;
		suf = suf < len ? suf : len;
		while (pre && memcmp(p, first, pre) != 0)
			pre--;
		while (suf && memcmp(p + len - suf, first + len0 - suf, suf) != 0)
			suf--;
	}
	while (pre && is_digit(first[pre - 1]))
		pre--;
	if (suf > shortest - pre)
		suf = shortest - pre;
	while (suf && is_digit(first[len0 - suf]))
		suf--;
	*prefix = pre;
	*suffix = suf;
}

static int put_affix(struct evs_enc_ctx *ctx, const struct evs_strs *v, bool forced, unsigned depth,
		     struct evs_buf *out)
{
	size_t pre, suf, len, total = (size_t)(v->offs[v->n] - v->offs[0]);
	struct evs_strs inner = { .n = v->n };
	int32_t *offs;
	uint8_t *data;

	common_ends(v, &pre, &suf);
	/* Not worth a copy of the values: too few rows, or a small part of long ones. */
	if (!forced && (v->n < 8 || pre + suf < 3 || (pre + suf) * 32 < total / v->n))
		return EVS_ENC_UNFIT;
	offs = evs_scratch_get(&ctx->scratch, ((size_t)v->n + 1) * 4);
	data = evs_scratch_get(&ctx->scratch, total);
	if (!offs || !data)
		return EVS_E_NOMEM;
	offs[0] = 0;
	for (size_t i = 0; i < v->n; i++) {
		len = (size_t)(v->offs[i + 1] - v->offs[i]) - pre - suf;
		memcpy(data + offs[i], v->data + v->offs[i] + pre, len);
		offs[i + 1] = offs[i] + (int32_t)len;
	}
	inner.data = data;
	inner.offs = offs;
	evs_buf_put_u8(out, EVS_NODE_AFFIX);
	evs_buf_put_u8(out, (uint8_t)pre);
	evs_buf_put_u8(out, (uint8_t)suf);
	evs_buf_put(out, v->data + v->offs[0], pre);
	evs_buf_put(out, v->data + v->offs[1] - suf, suf);
	return evs_enc_strs(ctx, &inner, depth + 1, out);
}

static int put_as(struct evs_enc_ctx *ctx, uint8_t kind, const struct evs_strs *v, bool forced,
		  unsigned depth, struct evs_buf *out)
{
	unsigned top = ctx->scratch.top;
	size_t len = out->len;
	int rc = EVS_ENC_UNFIT;

	if (kind == EVS_NODE_CONST)
		rc = put_const(v, out);
	else if (kind == EVS_NODE_PLAIN)
		rc = put_plain(ctx, v, depth, out);
	else if (kind == EVS_NODE_DICT && depth < EVS_ENC_LEAF_DEPTH)
		rc = put_dict(ctx, v, forced, depth, out);
	else if (kind == EVS_NODE_AFFIX && depth < EVS_ENC_LEAF_DEPTH)
		rc = put_affix(ctx, v, forced, depth, out);
	else if (kind == EVS_NODE_TEMPLATE) /* does not pay any deeper */
		rc = evs_enc_template(ctx, v, forced, depth, out);
	else if (depth < EVS_ENC_LEAF_DEPTH)
		rc = evs_enc_text(ctx, v, kind, depth, out);
	ctx->scratch.top = top;
	if (rc)
		out->len = len;
	return rc;
}

/* Below a dictionary its values do not repeat, and below an affix nothing is shared any more. */
int evs_enc_strs(struct evs_enc_ctx *ctx, const struct evs_strs *v, unsigned depth,
		 struct evs_buf *out)
{
	uint8_t text;
	int rc;

	if (ctx->opts.plain)
		return put_as(ctx, EVS_NODE_PLAIN, v, true, depth, out);
	if (!depth && ctx->opts.force) {
		rc = put_as(ctx, ctx->opts.force, v, true, depth, out);
		if (rc != EVS_ENC_UNFIT)
			return rc;
	}
	text = evs_text_guess(v);
	/* A single value: an id or a time is shorter in its text kind than as a constant. */
	rc = v->n > 1 || !text ? put_as(ctx, EVS_NODE_CONST, v, false, depth, out) : EVS_ENC_UNFIT;
	if (rc != EVS_ENC_UNFIT)
		return rc;
	if (text && text != EVS_NODE_HEX_TEXT)
		rc = put_as(ctx, text, v, false, depth, out);
	if (rc == EVS_ENC_UNFIT && !text) {
		rc = evs_template_pays(ctx, v, depth);
		if (!rc)
			rc = put_as(ctx, EVS_NODE_TEMPLATE, v, false, depth, out);
	}
	if (rc == EVS_ENC_UNFIT && v->n > 3)
		rc = put_as(ctx, EVS_NODE_DICT, v, false, depth, out);
	if (rc == EVS_ENC_UNFIT && text == EVS_NODE_HEX_TEXT)
		rc = put_as(ctx, text, v, false, depth, out);
	if (rc == EVS_ENC_UNFIT)
		rc = put_as(ctx, EVS_NODE_AFFIX, v, false, depth, out);
	return rc == EVS_ENC_UNFIT ? put_as(ctx, EVS_NODE_PLAIN, v, false, depth, out) : rc;
}
