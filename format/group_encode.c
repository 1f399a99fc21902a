/*
 * Writing GROUP payloads (spec 5): each column through the encodings, each block through zstd when
 * that pays, and the directory in front.
 */
#include "format/encode.h"
#include "format/group.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>
#include <zstd.h>

#define MIN_ZSTD	 64u	      /* shorter blocks are not worth a zstd header */
#define SAVING		 16u	      /* zstd must save one part in so many: 6 % */
#define SAMPLE		 (8u << 10)   /* bytes tried from the start, the middle and the end ... */
#define SAMPLE_FROM	 (256u << 10) /* ... of blocks longer than this */
#define SAMPLE_SAVING	 64u	      /* one sample that saves one part in so many is hope enough */
#define SAMPLE_LEVEL_MAX 9 /* from here on size matters more than time: always try all of it */
/* The least for text: level 1 misses most of its matches and is hardly quicker. */
#define TEXT_LEVEL     3
#define MIN_WINDOW_LOG 10
#define MAX_WINDOW_LOG 27
#define LARGE_TABLES   12 /* the level from which on zstd takes larger tables than 2^TABLE_LOG */
#define TABLE_LOG      22
#define DICT_LEAST     4u /* a block of less than this part of a dictionary is made without */

/* From so many bytes on texts become 1 to 2 % smaller in about the same time by matches of 6 bytes
 * instead of 5, and twice the room to find them. */
#define TEXT_FROM      (256u << 10)
#define TEXT_MIN_MATCH 6
#define TEXT_CHAIN_LOG 17

/* Packed groups below the first are hardly made smaller by zstd, and shorter blocks than the second
 * not at all: 1 % for a third of all the work. */
#define PACKED_PLAIN 1024u
#define PACKED_ZSTD  512u

#define KEEP_RAW     ((size_t)5 << 20) /* bytes of a block kept from group to group */

struct evs_encoder {
	struct evs_encoder_opts opts;
	struct evs_enc_ctx *enc;
	ZSTD_CCtx *zstd;
	int level;	       /* for the block at hand ... */
	bool texts;	       /* ... which is a column of texts, not of lists or maps of them */
	struct evs_buf raw;    /* the dictionary, where there is one, and a block before zstd right
				  behind it */
	struct evs_buf column; /* one column of a packed block */
	struct {
		uint16_t column;
		const struct evs_dictionary *dict;
	} dict[EVS_DICTIONARIES];
	unsigned ndicts;
};

static bool set(ZSTD_CCtx *z, ZSTD_cParameter p, int v)
{
	return !ZSTD_isError(ZSTD_CCtx_setParameter(z, p, v));
}

/*
 * ZSTD_compress2() into `cap` bytes; 0 when it does not fit. A compression that ran out of room
 * leaves its session open, and parameters cannot be set inside one: it is closed here.
 */
static size_t compress(ZSTD_CCtx *z, uint8_t *to, size_t cap, const uint8_t *from, size_t len)
{
	size_t n = ZSTD_compress2(z, to, cap, from, len);

	if (!ZSTD_isError(n))
		return n;
	(void)ZSTD_CCtx_reset(z, ZSTD_reset_session_only);
	return 0;
}

int evs_encoder_new(struct evs_encoder **out, const struct evs_encoder_opts *opts)
{
	const struct evs_enc_opts enc = { .plain = opts->plain,
					  .quick = opts->quick,
					  .thorough = opts->zstd_level >= SAMPLE_LEVEL_MAX };
	struct evs_encoder *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return EVS_E_NOMEM;
	e->opts = *opts;
	rc = evs_enc_ctx_new(&e->enc, &enc);
	if (rc < 0)
		goto out;
	e->zstd = ZSTD_createCCtx();
	if (!e->zstd || !set(e->zstd, ZSTD_c_contentSizeFlag, 1) ||
	    !set(e->zstd, ZSTD_c_checksumFlag, 0) || !set(e->zstd, ZSTD_c_dictIDFlag, 0)) {
		rc = EVS_E_NOMEM;
		goto out;
	}
	*out = e;
	e = NULL;
out:
	evs_encoder_free(e);
	return rc;
}

void evs_encoder_free(struct evs_encoder *e)
{
	if (!e)
		return;
	evs_enc_ctx_free(e->enc);
	ZSTD_freeCCtx(e->zstd);
	evs_buf_release(&e->raw);
	evs_buf_release(&e->column);
	free(e);
}

/* Smallest window that holds the whole block, so that matches may reach back to its start. */
static int window_log(size_t len)
{
	int log = MIN_WINDOW_LOG;

	/* unreached: blocks of more than 128 MiB take too long for a test */
	while (log < MAX_WINDOW_LOG && (size_t)1 << log < len)
		log++;
	return log;
}

/*
 * For a block of so many bytes, and its dictionary or NULL. Tables of high levels, which would take
 * 48 to 80 MiB, are held to 32: a block has not many more places than they have entries.
 */
static bool set_level(struct evs_encoder *e, int level, size_t len, const struct evs_dictionary *d)
{
	int log = window_log(len),
	    table = level >= LARGE_TABLES && (d || log >= TABLE_LOG) ? TABLE_LOG : 0;
	bool text = level == TEXT_LEVEL && e->texts && len >= TEXT_FROM;

	return set(e->zstd, ZSTD_c_compressionLevel, level) &&
	       set(e->zstd, ZSTD_c_windowLog, log) && set(e->zstd, ZSTD_c_hashLog, table) &&
	       set(e->zstd, ZSTD_c_chainLog, text ? TEXT_CHAIN_LOG : table) &&
	       set(e->zstd, ZSTD_c_minMatch, text ? TEXT_MIN_MATCH : 0);
}

/* Does any of three short samples get smaller? */
static bool worth_trying(struct evs_encoder *e, const uint8_t *p, size_t len)
{
	uint8_t scratch[SAMPLE - SAMPLE / SAMPLE_SAVING];
	const size_t at[3] = { 0, (len - SAMPLE) / 2, len - SAMPLE };

	if (len < SAMPLE_FROM || e->opts.zstd_level >= SAMPLE_LEVEL_MAX)
		return true;
	if (!set_level(e, 1, SAMPLE, NULL))
		return true;
	for (unsigned i = 0; i < 3; i++) {
		if (compress(e->zstd, scratch, sizeof(scratch), p + at[i], SAMPLE))
			return true;
	}
	return false;
}

bool evs_encoder_dictionary(struct evs_encoder *e, uint16_t column, const struct evs_dictionary *d)
{
	unsigned i = 0;

	while (i < e->ndicts && e->dict[i].column != column)
		i++;
	if (i < e->ndicts) /* the last one takes its place */
		e->dict[i] = e->dict[--e->ndicts];
	if (!d)
		return true;
	if (e->ndicts == EVS_DICTIONARIES)
		return false;
	e->dict[e->ndicts].column = column;
	e->dict[e->ndicts++].dict = d;
	return true;
}

static const struct evs_dictionary *dictionary_of(const struct evs_encoder *e, uint16_t column)
{
	for (unsigned i = 0; i < e->ndicts; i++)
		if (e->dict[i].column == column)
			return e->dict[i].dict;
	return NULL;
}

static void put_dict_head(const struct evs_dictionary *d, struct evs_buf *out)
{
	evs_buf_put_u64(out, d->off);
	evs_buf_put_u64(out, d->copy);
	evs_buf_put(out, d->hash, sizeof(d->hash));
}

/*
 * Append the block's stored form; returns its codec. Shorter ones than `least` stay as they are.
 * `d`, or NULL, stands right in front of it in memory. A failure of zstd only means "not smaller".
 */
static enum evs_codec put_stored(struct evs_encoder *e, const uint8_t *p, size_t len, size_t least,
				 const struct evs_dictionary *d, struct evs_buf *out)
{
	size_t at = out->len, n, room = len - len / SAVING;

	if (e->opts.plain || len < least || !worth_trying(e, p, len) ||
	    !set_level(e, e->level, len, d))
		goto none;
	if (d && (len < d->len / DICT_LEAST ||
		  ZSTD_isError(ZSTD_CCtx_refPrefix(e->zstd, p - d->len, d->len))))
		d = NULL;
	if (d)
		put_dict_head(d, out);
	if (!evs_buf_reserve(out, room))
		goto none;
	n = compress(e->zstd, out->p + out->len, room, p, len);
	if (!n)
		goto none;
	out->len += n;
	return d ? EVS_CODEC_ZSTD_DICT : EVS_CODEC_ZSTD;
none:
	out->len = at;
	evs_buf_put(out, p, len);
	return EVS_CODEC_NONE;
}

/* Append one block (e->raw, behind its dictionary) and fill its directory entry, which stands at
 * `entry` of `out`. */
static int put_block(struct evs_encoder *e, uint16_t column, uint32_t nulls,
		     const struct evs_dictionary *d, size_t entry, struct evs_buf *out)
{
	struct evs_block_raw r = { 0 };
	size_t at = out->len, from = d ? d->len : 0, len = e->raw.len - from;

	if (!evs_buf_ok(&e->raw))
		return EVS_E_NOMEM;
	if (len > EVS_MAX_BLOCK) /* unreached: takes a column of a gigabyte */
		return EVS_E_LIMIT;
	r.codec = (uint8_t)put_stored(e, e->raw.p + from, len,
				      column == EVS_PACKED_COLUMN ? PACKED_ZSTD : MIN_ZSTD, d, out);
	if (!evs_buf_ok(out))
		return EVS_E_NOMEM;
	evs_put16(r.column, column);
	evs_put32(r.stored_len, (uint32_t)(out->len - at));
	evs_put32(r.raw_len, (uint32_t)len);
	evs_put32(r.nulls, nulls);
	evs_put64(r.sum, XXH3_64bits(out->p + at, out->len - at));
	memcpy(out->p + entry, &r, sizeof(r));
	return 0;
}

/* Text, or text inside of lists and maps? */
static bool has_text(const struct evs_array *a)
{
	bool has = a->phys == EVS_BYTES;

	for (unsigned i = 0; i < a->nchild; i++)
		has |= has_text(&a->child[i]);
	return has;
}

static int level_for(const struct evs_encoder *e, bool text)
{
	return text && e->opts.zstd_level < TEXT_LEVEL ? TEXT_LEVEL : e->opts.zstd_level;
}

/* All columns in one block: for each, length and "has nulls" in one varint, then the nulls, then
 * the encoded column (spec 5.4). */
static int put_packed(struct evs_encoder *e, const struct evs_array *cols, uint16_t ncols,
		      size_t entry, struct evs_buf *out)
{
	evs_buf_reset(&e->raw);
	for (unsigned i = 0; i < ncols; i++) {
		int rc = 0;

		evs_buf_reset(&e->column);
		if (cols[i].nulls < cols[i].rows)
			rc = evs_column_encode(e->enc, &cols[i], &e->column);
		if (rc < 0)
			return rc;
		if (!e->column.len) {
			evs_buf_put_u8(&e->raw, 0);
			continue;
		}
		evs_buf_put_varint(&e->raw, (uint64_t)e->column.len << 1 | (cols[i].nulls > 0));
		if (cols[i].nulls)
			evs_buf_put_varint(&e->raw, cols[i].nulls);
		evs_buf_put(&e->raw, e->column.p, e->column.len);
		if (e->raw.len > EVS_MAX_BLOCK) /* unreached: takes a gigabyte, as above */
			return EVS_E_LIMIT;
	}
	e->level = level_for(e, false);
	e->texts = false;
	return put_block(e, EVS_PACKED_COLUMN, 0, NULL, entry, out);
}

static int put_columns(struct evs_encoder *e, const struct evs_array *cols, uint16_t ncols,
		       size_t entry, struct evs_buf *out)
{
	for (uint16_t i = 0; i < ncols; i++) {
		const struct evs_dictionary *d = dictionary_of(e, i);
		int rc;

		if (cols[i].nulls == cols[i].rows)
			continue;
		evs_buf_reset(&e->raw);
		if (d)
			evs_buf_put(&e->raw, d->p, d->len);
		rc = evs_column_encode(e->enc, &cols[i], &e->raw);
		if (rc < 0)
			return rc;
		e->level = level_for(e, has_text(&cols[i]));
		e->texts = cols[i].phys == EVS_BYTES;
		rc = put_block(e, i, cols[i].nulls, d, entry, out);
		if (rc < 0)
			return rc;
		entry += sizeof(struct evs_block_raw);
	}
	return 0;
}

int evs_group_encode(struct evs_encoder *e, const struct evs_array *cols, uint16_t ncols,
		     uint64_t schema_off, uint64_t first_row, struct evs_buf *out,
		     uint32_t *summed_len)
{
	struct evs_group_raw r = { 0 };
	size_t base = out->len, bytes = 0, entry = base + sizeof(r);
	uint16_t blocks = 0;
	bool packed;
	int rc;

	if (!ncols || ncols > EVS_MAX_COLUMNS || !cols[0].rows || cols[0].rows > EVS_MAX_GROUP_ROWS)
		return EVS_E_LIMIT;
	for (uint16_t i = 0; i < ncols; i++) {
		bytes += evs_array_bytes_used(&cols[i]);
		blocks = (uint16_t)(blocks + (cols[i].nulls < cols[i].rows));
	}
	packed = bytes < e->opts.packed_below;
	if (packed)
		blocks = 1;
	evs_put64(r.schema_off, schema_off);
	evs_put64(r.first_row, first_row);
	evs_put32(r.rows, cols[0].rows);
	evs_put16(r.columns, ncols);
	evs_put16(r.blocks, blocks);
	evs_put32(r.flags, packed ? EVS_GROUP_PACKED : 0);
	evs_buf_put(out, &r, sizeof(r));
	evs_buf_put_zero(out, blocks * sizeof(struct evs_block_raw));
	if (!evs_buf_ok(out)) {
		out->len = base;
		return EVS_E_NOMEM;
	}
	*summed_len = (uint32_t)(out->len - base);

	evs_enc_ctx_set_zstd(e->enc, !e->opts.plain && !(packed && bytes < PACKED_PLAIN));
	if (packed)
		rc = put_packed(e, cols, ncols, entry, out);
	else
		rc = put_columns(e, cols, ncols, entry, out);
	if (rc < 0)
		out->len = base;
	/* One large value is no reason to keep its room. */
	if (e->raw.cap > KEEP_RAW)
		evs_buf_release(&e->raw);
	return rc;
}
