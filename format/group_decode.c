/*
 * Reading GROUP payloads (spec 5): the directory with its rules, then single columns, whose blocks
 * are verified before zstd sees them.
 */
#include "format/encode.h"
#include "format/group.h"
#include "format/rule.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

struct evs_decoder {
	struct evs_dec_ctx *dec;
	ZSTD_DCtx *zstd;
	size_t limit;
	uint8_t *raw; /* one decompressed block */
	size_t raw_cap;

	/* The packed block that lies in `raw`, and where its next column begins. */
	const uint8_t *stored; /* where it came from; NULL: none */
	struct evs_block block;
	struct evs_cur packed;
	uint16_t next;

	const struct evs_dictionary *dict; /* at hand, or NULL */
};

int evs_decoder_new(struct evs_decoder **out)
{
	struct evs_decoder *d = calloc(1, sizeof(*d));
	int rc = EVS_E_NOMEM;

	if (!d)
		return EVS_E_NOMEM;
	d->limit = EVS_MAX_BLOCK;
	d->zstd = ZSTD_createDCtx();
	if (!d->zstd)
		goto out;
	rc = evs_dec_ctx_new(&d->dec);
	if (rc < 0)
		goto out;
	*out = d;
	d = NULL;
out:
	evs_decoder_free(d);
	return rc;
}

void evs_decoder_free(struct evs_decoder *d)
{
	if (!d)
		return;
	evs_dec_ctx_free(d->dec);
	ZSTD_freeDCtx(d->zstd);
	free(d->raw);
	free(d);
}

void evs_decoder_forget(struct evs_decoder *d)
{
	d->stored = NULL;
}

void evs_decoder_set_limit(struct evs_decoder *d, size_t max_bytes)
{
	d->limit = max_bytes;
	evs_dec_ctx_set_limit(d->dec, max_bytes);
}

void evs_decoder_dictionary(struct evs_decoder *d, const struct evs_dictionary *dict)
{
	d->dict = dict;
}

void evs_decoder_trace(struct evs_decoder *d, struct evs_trace *t)
{
	evs_dec_ctx_trace(d->dec, t);
}

static int check_fixed(const struct evs_group *g, const struct evs_group_raw *r,
		       uint32_t summed_len, const char **why)
{
	uint32_t flags = evs_get32(r->flags);

	if (flags & ~EVS_GROUP_PACKED)
		return evs_rule(why, EVS_E_VERSION, "5.1-2 group flag of a newer format");
	if (evs_get32(r->reserved))
		return evs_rule(why, EVS_E_FORMAT, "5.1-3 reserved bytes of a group");
	if (g->rows < 1 || g->rows > EVS_MAX_GROUP_ROWS)
		return evs_rule(why, EVS_E_FORMAT, "5.1-4 rows of a group");
	if (g->columns < 1 || g->columns > EVS_MAX_COLUMNS)
		return evs_rule(why, EVS_E_FORMAT, "5.1-5 columns of a group");
	if (g->packed ? g->nblocks != 1 : g->nblocks > g->columns)
		return evs_rule(why, EVS_E_FORMAT, "5.1-6 number of blocks");
	if (summed_len != sizeof(*r) + g->nblocks * sizeof(struct evs_block_raw))
		return evs_rule(why, EVS_E_FORMAT,
				"5.1-7 summed_len is not fixed part and directory");
	if (g->schema_off % 8)
		return evs_rule(why, EVS_E_FORMAT, "5.1-8 schema_off is no multiple of 8");
	return 0;
}

/* One directory entry; `before` is the one in front of it, or NULL. */
static int check_block(const struct evs_group *g, const struct evs_block *b, uint8_t flags,
		       const struct evs_block *before, const char **why)
{
	if (g->packed ? b->column != EVS_PACKED_COLUMN
		      : b->column >= g->columns || (before && b->column <= before->column))
		return evs_rule(why, EVS_E_FORMAT, "5.2-1 column of a block");
	if (flags)
		return evs_rule(why, EVS_E_VERSION, "5.2-2 block flag of a newer format");
	if (b->stored_len < 1 || b->stored_len > EVS_MAX_BLOCK || b->raw_len < 1 ||
	    b->raw_len > EVS_MAX_BLOCK ||
	    (b->codec == EVS_CODEC_NONE && b->stored_len != b->raw_len))
		return evs_rule(why, EVS_E_FORMAT, "5.2-3 lengths of a block");
	if (g->packed ? b->nulls != 0 : b->nulls >= g->rows)
		return evs_rule(why, EVS_E_FORMAT, "5.2-4 nulls of a block");
	if (b->codec == EVS_CODEC_ZSTD_DICT &&
	    (g->packed || b->stored_len <= sizeof(struct evs_block_dict_raw)))
		return evs_rule(why, EVS_E_FORMAT, "5.5-2 block with a dictionary");
	return 0;
}

static int decode_blocks(struct evs_group *g, const uint8_t *p, uint64_t at, uint64_t payload_len,
			 const char **why)
{
	for (unsigned i = 0; i < g->nblocks; i++) {
		struct evs_block *b = &g->blocks[i];
		struct evs_block_raw r;
		int rc;

		memcpy(&r, p + i * sizeof(r), sizeof(r));
		b->column = evs_get16(r.column);
		b->codec = r.codec;
		b->stored_len = evs_get32(r.stored_len);
		b->raw_len = evs_get32(r.raw_len);
		b->nulls = evs_get32(r.nulls);
		b->sum = evs_get64(r.sum);
		b->at = at;
		rc = check_block(g, b, r.flags, i ? b - 1 : NULL, why);
		if (rc < 0)
			return rc;
		if (b->stored_len > payload_len - at)
			return evs_rule(why, EVS_E_FORMAT, "5.2-5 blocks do not fill the payload");
		at += b->stored_len;
	}
	if (at != payload_len)
		return evs_rule(why, EVS_E_FORMAT, "5.2-5 blocks do not fill the payload");
	return 0;
}

int evs_group_decode(struct evs_group *out, const uint8_t *p, uint32_t summed_len,
		     uint64_t payload_len, const char **why)
{
	struct evs_group_raw r;
	int rc;

	*out = (struct evs_group){ 0 };
	if (summed_len < sizeof(r) || payload_len < summed_len)
		return evs_rule(why, EVS_E_FORMAT, "5.1-1 GROUP too short");
	memcpy(&r, p, sizeof(r));
	out->schema_off = evs_get64(r.schema_off);
	out->first_row = evs_get64(r.first_row);
	out->rows = evs_get32(r.rows);
	out->columns = evs_get16(r.columns);
	out->nblocks = evs_get16(r.blocks);
	out->packed = evs_get32(r.flags) & EVS_GROUP_PACKED;
	rc = check_fixed(out, &r, summed_len, why);
	if (rc < 0)
		return rc;
	out->blocks = calloc(out->nblocks ? out->nblocks : 1, sizeof(*out->blocks));
	if (!out->blocks)
		return EVS_E_NOMEM;
	return decode_blocks(out, p + sizeof(r), summed_len, payload_len, why);
}

void evs_group_release(struct evs_group *g)
{
	if (!g)
		return;
	free(g->blocks);
	*g = (struct evs_group){ 0 };
}

const struct evs_block *evs_group_find(const struct evs_group *g, uint16_t column)
{
	unsigned lo = 0, hi = g->nblocks;

	if (g->packed)
		return &g->blocks[0];
	while (lo < hi) {
		unsigned mid = lo + (hi - lo) / 2;

		if (g->blocks[mid].column < column)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < g->nblocks && g->blocks[lo].column == column ? &g->blocks[lo] : NULL;
}

static int need_raw(struct evs_decoder *d, uint32_t n, const char **why)
{
	if (n > d->limit)
		return evs_rule(why, EVS_E_LIMIT, "6.1-6 block is larger than the memory limit");
	if (n <= d->raw_cap)
		return 0;
	free(d->raw);
	d->raw_cap = 0;
	d->raw = malloc(n);
	if (!d->raw)
		return evs_rule(why, EVS_E_NOMEM, "out of memory");
	d->raw_cap = n;
	return 0;
}

/* `n` bytes of zstd; `dict` is what they were made with, or NULL. */
static int decompress(struct evs_decoder *d, const struct evs_block *b, const uint8_t *p, size_t n,
		      const struct evs_dictionary *dict, const char **why)
{
	int rc;

	if (ZSTD_getFrameContentSize(p, n) != b->raw_len || ZSTD_getDictID_fromFrame(p, n) != 0 ||
	    ZSTD_findFrameCompressedSize(p, n) != n)
		return evs_rule(why, EVS_E_FORMAT,
				"5.3-3 block is not one zstd frame of raw_len bytes");
	rc = need_raw(d, b->raw_len, why);
	if (rc < 0)
		return rc;
	/* It serves for one frame. */
	if (dict && ZSTD_isError(ZSTD_DCtx_refPrefix(d->zstd, dict->p, dict->len)))
		return evs_rule(why, EVS_E_NOMEM, "out of memory");
	if (ZSTD_decompressDCtx(d->zstd, d->raw, b->raw_len, p, n) != b->raw_len)
		return evs_rule(why, EVS_E_FORMAT, "5.3-4 block does not decompress");
	return 0;
}

bool evs_block_sound(const struct evs_block *b, const uint8_t *stored)
{
	return XXH3_64bits(stored, b->stored_len) == b->sum;
}

int evs_block_dictionary(struct evs_dictionary *out, const uint8_t *stored, uint64_t off,
			 const char **why)
{
	struct evs_block_dict_raw r;

	memcpy(&r, stored, sizeof(r));
	*out = (struct evs_dictionary){ .off = evs_get64(r.off), .copy = evs_get64(r.copy) };
	memcpy(out->hash, r.hash, sizeof(out->hash));
	if (out->off % 8 || out->copy % 8 || out->off >= off || out->copy >= off ||
	    out->off == out->copy)
		return evs_rule(why, EVS_E_FORMAT, "5.5-3 place of a dictionary");
	return 0;
}

static int decompress_with(struct evs_decoder *d, const struct evs_block *b, const uint8_t *stored,
			   const char **why)
{
	const size_t head = sizeof(struct evs_block_dict_raw);

	if (!d->dict || memcmp(d->dict->hash, stored + offsetof(struct evs_block_dict_raw, hash),
			       EVS_DICTIONARY_HASH) != 0)
		return evs_rule(why, EVS_E_FORMAT, "5.5-5 no sound dictionary for a block");
	return decompress(d, b, stored + head, b->stored_len - head, d->dict, why);
}

/* Verify the stored bytes and get at the raw ones: where they are, or in d->raw. */
static int open_block(struct evs_decoder *d, const struct evs_block *b, const uint8_t *stored,
		      struct evs_cur *c, const char **why)
{
	int rc;

	d->stored = NULL; /* d->raw may change now */
	if (!evs_block_sound(b, stored))
		return evs_rule(why, EVS_E_FORMAT, "5.3-1 checksum of a block");
	switch (b->codec) {
	case EVS_CODEC_NONE:
		*c = (struct evs_cur){ stored, stored + b->raw_len };
		return 0;
	case EVS_CODEC_ZSTD:
		rc = decompress(d, b, stored, b->stored_len, NULL, why);
		break;
	case EVS_CODEC_ZSTD_DICT:
		rc = decompress_with(d, b, stored, why);
		break;
	default:
		return evs_rule(why, EVS_E_VERSION, "5.3-2 codec of a newer format");
	}
	if (rc == 0)
		*c = (struct evs_cur){ d->raw, d->raw + b->raw_len };
	return rc;
}

static int all_null(const struct evs_decoder *d, struct evs_array *out, uint32_t rows,
		    const char **why)
{
	if (rows > d->limit / (out->width ? out->width : sizeof(*out->offs)))
		return evs_rule(why, EVS_E_LIMIT, "6.1-6 column is larger than the memory limit");
	if (evs_array_append_nulls(out, rows) < 0)
		return evs_rule(why, EVS_E_NOMEM, "out of memory");
	return 0;
}

static int check_end(const struct evs_cur *c, int rc, const char **why)
{
	return rc >= 0 && c->p != c->end
		       ? evs_rule(why, EVS_E_FORMAT, "5.3-5 bytes behind a column's values")
		       : rc;
}

static int decode_column(struct evs_decoder *d, struct evs_cur *c, uint32_t rows, uint32_t nulls,
			 struct evs_array *out, const char **why)
{
	return check_end(c, evs_column_decode(d->dec, c, rows, nulls, out, why), why);
}

/* Step over one column of a packed block: `body` gets its bytes (empty: null in every row). */
static int packed_next(struct evs_decoder *d, uint32_t rows, struct evs_cur *body, uint32_t *nulls,
		       const char **why)
{
	uint64_t v, n = 0;
	const uint8_t *p;

	if (!evs_cur_varint(&d->packed, &v))
		return evs_rule(why, EVS_E_FORMAT, "5.4-1 length of a packed column");
	if (v == 1 || (v & 1 && (!evs_cur_varint(&d->packed, &n) || n < 1 || n >= rows)))
		return evs_rule(why, EVS_E_FORMAT, "5.4-2 nulls of a packed column");
	if (v >> 1 > EVS_MAX_BLOCK || !evs_cur_bytes(&d->packed, (size_t)(v >> 1), &p))
		return evs_rule(why, EVS_E_FORMAT, "5.4-1 length of a packed column");
	*body = (struct evs_cur){ p, p + (v >> 1) };
	*nulls = (uint32_t)n;
	d->next++;
	return 0;
}

static bool is_open(const struct evs_decoder *d, const struct evs_block *b, const uint8_t *stored)
{
	return d->stored == stored && d->block.sum == b->sum && d->block.codec == b->codec &&
	       d->block.stored_len == b->stored_len && d->block.raw_len == b->raw_len;
}

/* Have the packed block in d->raw, and the cursor at its start or before `column`. A block that is
 * not compressed is copied there: `stored` is only the caller's promise to be the same bytes. */
static int open_packed(struct evs_decoder *d, const struct evs_block *b, const uint8_t *stored,
		       uint16_t column, const char **why)
{
	bool plain = b->codec == EVS_CODEC_NONE;
	struct evs_cur c;
	int rc;

	if (is_open(d, b, stored) && d->next <= column)
		return 0;
	if (!is_open(d, b, stored)) {
		rc = open_block(d, b, stored, &c, why);
		if (rc == 0 && plain)
			rc = need_raw(d, b->raw_len, why);
		if (rc < 0)
			return rc;
		if (plain)
			memcpy(d->raw, stored, b->raw_len);
		d->block = *b;
		d->stored = stored;
	}
	d->packed = (struct evs_cur){ d->raw, d->raw + b->raw_len };
	d->next = 0;
	return 0;
}

static int packed_column(struct evs_decoder *d, const struct evs_group *g,
			 const struct evs_block *b, const uint8_t *stored, uint16_t column,
			 struct evs_array *out, const char **why)
{
	struct evs_cur body = { NULL, NULL };
	uint32_t nulls = 0;
	int rc = open_packed(d, b, stored, column, why);

	while (rc == 0 && d->next <= column)
		rc = packed_next(d, g->rows, &body, &nulls, why);
	if (rc == 0 && column == g->columns - 1 && evs_cur_left(&d->packed))
		rc = evs_rule(why, EVS_E_FORMAT, "5.4-3 bytes behind the last packed column");
	if (rc < 0) {
		d->stored = NULL;
		return rc;
	}
	if (body.p == body.end)
		return all_null(d, out, g->rows, why);
	return decode_column(d, &body, g->rows, nulls, out, why);
}

int evs_group_column(struct evs_decoder *d, const struct evs_group *g, const struct evs_block *b,
		     const uint8_t *stored, uint16_t column, struct evs_array *out,
		     const char **why)
{
	struct evs_cur c;
	int rc;

	evs_array_reset(out);
	if (!b)
		return all_null(d, out, g->rows, why);
	if (g->packed)
		return packed_column(d, g, b, stored, column, out, why);
	rc = open_block(d, b, stored, &c, why);
	return rc < 0 ? rc : decode_column(d, &c, g->rows, b->nulls, out, why);
}

int evs_group_coded(struct evs_decoder *d, const struct evs_group *g, const struct evs_block *b,
		    const uint8_t *stored, uint16_t column, struct evs_coded *coded,
		    struct evs_array *out, const char **why)
{
	struct evs_cur c;
	int rc;

	if (!b || g->packed)
		return evs_group_column(d, g, b, stored, column, out, why);
	evs_array_reset(out);
	rc = open_block(d, b, stored, &c, why);
	if (rc == 0) {
		evs_dec_ctx_lend(d->dec, b->codec == EVS_CODEC_NONE ? NULL : &d->raw, &d->raw_cap);
		rc = evs_column_codes(d->dec, &c, g->rows, b->nulls, coded, why);
		evs_dec_ctx_lend(d->dec, NULL, NULL);
	}
	if (rc == 1)
		return decode_column(d, &c, g->rows, b->nulls, out, why);
	rc = check_end(&c, rc, why);
	return rc < 0 ? rc : 1;
}

/* Small: they share a block. */
static int pick_from_packed(struct evs_decoder *d, const struct evs_group *g,
			    const struct evs_block *b, const uint8_t *stored, uint16_t column,
			    const uint32_t *at, uint32_t n, struct evs_array *out, const char **why)
{
	struct evs_array all = { 0 };
	int rc;

	*why = "out of memory";
	rc = evs_array_init_like(&all, out);
	if (rc == 0)
		rc = evs_group_column(d, g, b, stored, column, &all, why);
	if (rc == 0)
		rc = evs_array_take(out, &all, at, n);
	evs_array_release(&all);
	return rc;
}

int evs_group_pick(struct evs_decoder *d, const struct evs_group *g, const struct evs_block *b,
		   const uint8_t *stored, uint16_t column, const uint32_t *at, uint32_t n,
		   struct evs_array *out, const char **why)
{
	struct evs_cur c;
	int rc;

	evs_array_reset(out);
	if (!b)
		return all_null(d, out, n, why);
	if (g->packed)
		return pick_from_packed(d, g, b, stored, column, at, n, out, why);
	rc = open_block(d, b, stored, &c, why);
	return rc < 0 ? rc
		      : check_end(&c,
				  evs_column_pick(d->dec, &c, g->rows, b->nulls, at, n, out, why),
				  why);
}
