/*
 * Reading BYTES nodes (spec 6.6).
 *
 * Lengths are decoded into the offsets of the array they are for and summed there; the memory for
 * the bytes is taken once, when their number is known and has passed the limits. Where there is
 * room past the end, short values are copied sixteen bytes at a time whatever their length.
 */
#include "format/enc_impl.h"

#define CHUNK ((size_t)16)

int evs_dec_lengths(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
		    unsigned depth, uint64_t *total)
{
	uint64_t sum = 0;
	uint32_t len;
	int rc;

	rc = evs_dec_reserve(d, out, n, 0);
	if (!rc)
		rc = evs_dec_int(d, c, n, 4, (uint8_t *)(out->offs + 1), depth);
	if (rc)
		return rc;
	out->offs[0] = 0;
	for (size_t i = 1; i <= n; i++) {
		memcpy(&len, &out->offs[i], 4);
		sum += len;
		if (sum > EVS_ARRAY_MAX_BYTES)
			return evs_dec_fail(d, "6.1-7 values of an array pass 0x7fff0000 bytes");
		out->offs[i] = (int32_t)sum;
	}
	*total = sum;
	return 0;
}

int evs_dec_bytes_room(struct evs_dec_ctx *d, struct evs_array *out, uint64_t total)
{
	if (total <= EVS_ARRAY_MAX_BYTES - CHUNK)
		total += CHUNK;
	return evs_dec_reserve(d, out, 0, total);
}

int evs_dec_picked_offsets(struct evs_dec_ctx *d, const int32_t *offs, struct evs_array *out,
			   const struct evs_pick *pick)
{
	uint64_t total = 0; /* not more than that of all */
	int rc = evs_dec_reserve(d, out, pick->n, 0);

	if (rc)
		return rc;
	out->offs[0] = 0;
	for (size_t i = 0; i < pick->n; i++) {
		total += (uint64_t)(offs[pick->at[i] + 1] - offs[pick->at[i]]);
		out->offs[i + 1] = (int32_t)total;
	}
	return evs_dec_bytes_room(d, out, total);
}

static int get_plain(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
		     unsigned depth, const struct evs_pick *pick)
{
	struct evs_array *all = pick ? evs_dec_spare(d, depth) : out;
	const uint8_t *p;
	uint64_t total;
	int rc = evs_dec_lengths(d, c, n, all, depth + 1, &total);

	if (rc)
		return rc;
	if (!evs_cur_bytes(c, total, &p))
		return evs_dec_fail(d, "6.6-1 bytes of plain values are cut short");
	d->most = total;
	rc = pick ? evs_dec_picked_offsets(d, all->offs, out, pick)
		  : evs_dec_bytes_room(d, out, total);
	if (rc)
		return rc;
	for (size_t i = 0; pick && i < pick->n; i++)
		memcpy(out->data + out->offs[i], p + all->offs[pick->at[i]],
		       (size_t)(out->offs[i + 1] - out->offs[i]));
	if (!pick)
		memcpy(out->data, p, (size_t)total);
	return 0;
}

static int get_const(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
		     const struct evs_pick *pick)
{
	uint32_t want = evs_picked(pick, n);
	const uint8_t *p;
	uint64_t len;
	int rc;

	if (!evs_cur_varint(c, &len) || !evs_cur_bytes(c, len, &p))
		return evs_dec_fail(d, "6.6-2 bytes of a constant are cut short");
	if (len > EVS_ARRAY_MAX_BYTES / n)
		return evs_dec_fail(d, "6.1-7 values of an array pass 0x7fff0000 bytes");
	d->most = len * n;
	rc = evs_dec_reserve(d, out, want, 0);
	if (!rc)
		rc = evs_dec_bytes_room(d, out, len * want);
	if (rc)
		return rc;
	out->offs[0] = 0;
	for (size_t i = 0; i < want; i++) {
		memcpy(out->data + i * len, p, (size_t)len);
		out->offs[i + 1] = (int32_t)((i + 1) * len);
	}
	return 0;
}

/* Copy `len` bytes; up to CHUNK - 1 bytes after them may be written too. */
static inline void copy_chunks(uint8_t *to, const uint8_t *from, size_t len)
{
	size_t i = 0;

	do {
		memcpy(to + i, from + i, CHUNK);
		i += CHUNK;
	} while (i < len);
}

static void copy_coded(struct evs_array *out, const struct evs_array *vals, const uint32_t *codes,
		       uint32_t n, uint64_t total)
{
	size_t have = (size_t)vals->offs[vals->rows];
	/* unreached: arrays of 2 GiB alone have no room past their end */
	bool room = out->data_cap - CHUNK >= total && vals->data_cap - CHUNK >= have;
	const uint8_t *from;
	size_t at, len;

	for (size_t i = 0; i < n; i++) {
		from = vals->data + vals->offs[codes[i]];
		len = (size_t)(vals->offs[codes[i] + 1] - vals->offs[codes[i]]);
		at = (size_t)out->offs[i];
		if (room && len <= 4 * CHUNK) /* unreached: no room, as above */
			copy_chunks(out->data + at, from, len);
		else
			memcpy(out->data + at, from, len);
	}
}

static uint64_t longest(const struct evs_array *a)
{
	int32_t most = 0;

	for (size_t i = 0; i < a->rows; i++)
		most = a->offs[i + 1] - a->offs[i] > most ? a->offs[i + 1] - a->offs[i] : most;
	return (uint64_t)most;
}

static int get_dict(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
		    unsigned depth, const struct evs_pick *pick)
{
	struct evs_array *vals = &d->strs[depth];
	uint32_t want = evs_picked(pick, n);
	const uint32_t *codes;
	uint64_t distinct, total = 0;
	int rc;

	if (!evs_cur_varint(c, &distinct) || !distinct || distinct > n)
		return evs_dec_fail(d, "6.3-15 size of a dictionary out of range");
	rc = evs_dec_strs(d, c, (uint32_t)distinct, vals, depth + 1, NULL);
	if (!rc)
		rc = evs_dec_codes(d, c, n, (uint32_t)distinct, depth + 1, &codes, pick);
	if (!rc)
		rc = evs_dec_reserve(d, out, want, 0);
	if (rc)
		return rc;
	if (pick)
		d->most = longest(vals) * n;
	out->offs[0] = 0;
	for (size_t i = 0; i < want; i++) {
		total += (uint64_t)(vals->offs[codes[i] + 1] - vals->offs[codes[i]]);
		if (total > EVS_ARRAY_MAX_BYTES)
			return evs_dec_fail(d, "6.1-7 values of an array pass 0x7fff0000 bytes");
		out->offs[i + 1] = (int32_t)total;
	}
	rc = evs_dec_bytes_room(d, out, total);
	if (rc)
		return rc;
	copy_coded(out, vals, codes, want, total);
	return 0;
}

static int get_affix(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
		     unsigned depth, const struct evs_pick *pick)
{
	struct evs_array *in = &d->strs[depth];
	uint32_t want = evs_picked(pick, n);
	const uint8_t *prefix, *suffix;
	uint8_t pre, suf, *to;
	uint64_t total;
	size_t len;
	int rc;

	if (!evs_cur_u8(c, &pre) || !evs_cur_u8(c, &suf) || !evs_cur_bytes(c, pre, &prefix) ||
	    !evs_cur_bytes(c, suf, &suffix))
		return evs_dec_fail(d, "6.6-3 prefix or suffix is cut short");
	rc = evs_dec_strs(d, c, n, in, depth + 1, pick);
	if (rc)
		return rc;
	if (pick)
		d->most += (uint64_t)n * ((uint64_t)pre + suf);
	total = (uint64_t)in->offs[want] + (uint64_t)want * ((uint64_t)pre + suf);
	rc = evs_dec_reserve(d, out, want, 0);
	if (!rc)
		rc = evs_dec_bytes_room(d, out, total);
	if (rc)
		return rc;
	to = out->data;
	out->offs[0] = 0;
	for (size_t i = 0; i < want; i++) {
		len = (size_t)(in->offs[i + 1] - in->offs[i]);
		memcpy(to, prefix, pre);
		memcpy(to + pre, in->data + in->offs[i], len);
		memcpy(to + pre + len, suffix, suf);
		to += pre + len + suf;
		out->offs[i + 1] = (int32_t)(to - out->data);
	}
	return 0;
}

int evs_dec_strs(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
		 unsigned depth, const struct evs_pick *pick)
{
	unsigned top = d->scratch.top;
	uint8_t kind;
	int rc;

	if (depth >= EVS_MAX_ENCODING_DEPTH)
		return evs_dec_fail(d, "6.1-3 nodes lie too deep inside each other");
	if (!evs_cur_u8(c, &kind))
		return evs_dec_fail(d, "6.1-1 column is cut short");
	out->rows = 0;
	evs_dec_met(d, kind);
	switch (kind) {
	case EVS_NODE_PLAIN:
		rc = get_plain(d, c, n, out, depth, pick);
		break;
	case EVS_NODE_CONST:
		rc = get_const(d, c, n, out, pick);
		break;
	case EVS_NODE_DICT:
		rc = get_dict(d, c, n, out, depth, pick);
		break;
	case EVS_NODE_AFFIX:
		rc = get_affix(d, c, n, out, depth, pick);
		break;
	case EVS_NODE_TEMPLATE:
		rc = evs_dec_template(d, c, n, out, depth, pick);
		break;
	default:
		rc = evs_dec_text(d, c, kind, n, out, depth, pick);
	}
	d->scratch.top = top;
	/* Whether all of them are too many is to be seen. */
	if (!rc && pick && d->most > EVS_ARRAY_MAX_BYTES)
		rc = EVS_DEC_WHOLE;
	if (!rc)
		out->rows = evs_picked(pick, n);
	return rc;
}
