/*
 * HEAD and SCHEMA payloads (spec 4): what a segment is, and the schema text, compressed when that
 * makes it shorter.
 */
#include "format/head.h"
#include "format/frame.h"
#include "format/rule.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define TEXT_LEVEL 9 /* schema texts are small and written once */

/* ---- the text -------------------------------------------------------------------------------- */

void evs_text_memo_release(struct evs_text_memo *memo)
{
	evs_buf_release(&memo->stored);
	free(memo->text);
	*memo = (struct evs_text_memo){ 0 };
}

static bool is_stored(const struct evs_text_memo *m, const uint8_t *p, uint32_t stored, size_t len)
{
	return m && m->text && m->len == len && m->stored.len == stored &&
	       !memcmp(m->stored.p, p, stored);
}

static bool is_text(const struct evs_text_memo *m, const char *text, size_t len)
{
	return m && m->text && m->len == len && !memcmp(m->text, text, len);
}

/* Take a malloc'd text (NULL: none) and its stored form; without memory for that there is just no
 * memo. */
static bool memorize(struct evs_text_memo *m, const uint8_t *p, uint32_t stored, char *text,
		     size_t len)
{
	if (!m || !text)
		return false;
	evs_text_memo_release(m);
	evs_buf_put(&m->stored, p, stored);
	if (!evs_buf_ok(&m->stored))
		return false;
	m->text = text;
	m->len = (uint32_t)len;
	return true;
}

/* Append the stored form; `*stored` gets its length, equal to `len` when it is the plain text.
 * `len` is within its cap. */
static int put_text(const char *text, size_t len, struct evs_text_memo *memo, struct evs_buf *out,
		    uint32_t *stored)
{
	char *copy;
	size_t n;

	*stored = (uint32_t)len;
	if (!evs_buf_reserve(out, len)) /* or what stands in front of it found no room */
		return EVS_E_NOMEM;
	if (!len)
		return 0;
	if (is_text(memo, text, len)) {
		evs_buf_put(out, memo->stored.p, memo->stored.len);
		*stored = (uint32_t)memo->stored.len;
		return 0;
	}
	/* One byte less than the text: whatever does not fit is not worth compressing. */
	n = ZSTD_compress(out->p + out->len, len - 1, text, len, TEXT_LEVEL);
	if (ZSTD_isError(n)) {
		evs_buf_put(out, text, len);
		return 0;
	}
	copy = memo ? evs_text_copy(text, len) : NULL;
	if (!memorize(memo, out->p + out->len, (uint32_t)n, copy, len))
		free(copy);
	out->len += n;
	*stored = (uint32_t)n;
	return 0;
}

/* With a context of our own, so that want of memory is not taken for damage. */
static int inflate(char *text, uint32_t len, const uint8_t *p, uint32_t stored, const char **why)
{
	ZSTD_DCtx *z;
	size_t n;

	if (ZSTD_findFrameCompressedSize(p, stored) != stored)
		return evs_rule(why, EVS_E_FORMAT, "4.2-2 schema text does not decompress");
	z = ZSTD_createDCtx();
	if (!z)
		return EVS_E_NOMEM;
	n = ZSTD_decompressDCtx(z, text, len, p, stored);
	(void)ZSTD_freeDCtx(z);
	return n == len ? 0 : evs_rule(why, EVS_E_FORMAT, "4.2-2 schema text does not decompress");
}

/*
 * The text of `len` bytes that is stored in `stored` bytes at `p`. `*mem` gets the allocated text,
 * zero-terminated, or stays NULL when `copy` is false and the text is stored as it is.
 */
static int get_text(char **mem, const uint8_t *p, uint32_t stored, uint32_t len, bool copy,
		    const char **why)
{
	char *text;
	int rc;

	if (len > EVS_MAX_SCHEMA || stored > len)
		return evs_rule(why, EVS_E_FORMAT, "4.2-1 length of the schema text");
	if (stored < len && ZSTD_getFrameContentSize(p, stored) != len)
		return evs_rule(why, EVS_E_FORMAT, "4.2-2 schema text does not decompress");
	if (stored == len && memchr(p, 0, len))
		return evs_rule(why, EVS_E_FORMAT, "4.2-3 zero byte in the schema text");
	if (stored == len && !copy)
		return 0;

	text = malloc((size_t)len + 1);
	if (!text)
		return EVS_E_NOMEM;
	*mem = text;
	text[len] = 0;
	if (stored == len) {
		memcpy(text, p, len);
		return 0;
	}
	rc = inflate(text, len, p, stored, why);
	if (rc < 0)
		return rc;
	if (memchr(text, 0, len))
		return evs_rule(why, EVS_E_FORMAT, "4.2-3 zero byte in the schema text");
	return 0;
}

/* ---- HEAD ------------------------------------------------------------------------------------ */

int evs_head_encode(const struct evs_head *h, struct evs_text_memo *memo, struct evs_buf *out)
{
	struct evs_head_raw r = { .unit = h->unit, .suite = h->suite };
	size_t at = out->len;
	uint32_t stored = 0;
	int rc;

	if (h->stream_len < 1 || h->stream_len > EVS_MAX_NAME || h->tenant_len > EVS_MAX_TENANT ||
	    h->schema_len > EVS_MAX_SCHEMA || h->part_lo >= h->part_hi)
		return EVS_E_LIMIT;
	evs_put16(r.major, h->major);
	evs_put16(r.minor, h->minor);
	evs_put64(r.refuse_features, h->refuse_features);
	evs_put64(r.ignore_features, h->ignore_features);
	memcpy(r.segment_id, h->segment_id, sizeof(r.segment_id));
	evs_put64(r.salt, h->salt);
	evs_put64(r.created, (uint64_t)h->created);
	evs_put64(r.part_lo, (uint64_t)h->part_lo);
	evs_put64(r.part_hi, (uint64_t)h->part_hi);
	evs_put16(r.stream_len, (uint16_t)h->stream_len);
	evs_put16(r.tenant_len, (uint16_t)h->tenant_len);
	evs_put32(r.schema_len, (uint32_t)h->schema_len);

	evs_buf_put_zero(out, sizeof(r));
	evs_buf_put(out, h->stream, h->stream_len);
	evs_buf_put(out, h->tenant, h->tenant_len);
	rc = put_text(h->schema, h->schema_len, memo, out, &stored);
	if (rc < 0) {
		out->len = at;
		return rc;
	}
	evs_put32(r.schema_stored_len, stored);
	memcpy(out->p + at, &r, sizeof(r));
	return 0;
}

int evs_head_write(const struct evs_head *h, struct evs_text_memo *memo, struct evs_buf *out)
{
	uint64_t plen, span;
	int rc;

	evs_buf_put_zero(out, EVS_FRAME_HEAD_SIZE);
	if (!evs_buf_ok(out))
		return EVS_E_NOMEM;
	rc = evs_head_encode(h, memo, out);
	if (rc < 0) {
		evs_buf_reset(out);
		return rc;
	}
	plen = out->len - EVS_FRAME_HEAD_SIZE;
	span = evs_frame_span(plen);
	evs_buf_put_zero(out, (size_t)span - out->len);
	if (!evs_buf_reserve(out, (size_t)span))
		return EVS_E_NOMEM;
	memcpy(out->p + span, out->p, (size_t)span);
	out->len = (size_t)span * 2;
	for (unsigned i = 0; i < 2; i++)
		evs_frame_seal(out->p + i * span, EVS_FRAME_HEAD, 0, plen,
			       out->p + EVS_FRAME_HEAD_SIZE, (uint32_t)plen, 0, i * span, 0);
	return 0;
}

/* The fixed part's own rules, apart from lengths. */
static int check_fixed(const struct evs_head *h, const struct evs_head_raw *r, const char **why)
{
	if (h->refuse_features & ~EVS_KNOWN_FEATURES)
		return evs_rule(why, EVS_E_VERSION, "4.1-3 feature of a newer format");
	if (h->suite != EVS_SUITE_NONE)
		return evs_rule(why, EVS_E_VERSION, "4.1-4 crypto suite that is not known here");
	if (h->unit < 1 || h->unit > 3)
		return evs_rule(why, EVS_E_FORMAT, "4.1-5 unit of the partition");
	if (evs_get16(r->reserved))
		return evs_rule(why, EVS_E_FORMAT, "4.1-6 reserved bytes of the HEAD");
	if (h->part_lo >= h->part_hi)
		return evs_rule(why, EVS_E_FORMAT, "4.1-7 bounds of the partition");
	return 0;
}

static int decode_texts(struct evs_head *out, const struct evs_head_raw *r, struct evs_cur *c,
			struct evs_text_memo *memo, const char **why)
{
	uint32_t suite_len = evs_get32(r->suite_len);
	uint32_t stored = evs_get32(r->schema_stored_len);
	const uint8_t *p = NULL;
	char *mem = NULL;
	int rc;

	out->stream_len = evs_get16(r->stream_len);
	out->tenant_len = evs_get16(r->tenant_len);
	out->schema_len = evs_get32(r->schema_len);
	if (out->stream_len < 1 || out->stream_len > EVS_MAX_NAME)
		return evs_rule(why, EVS_E_FORMAT, "4.1-8 length of the stream's name");
	if (out->tenant_len > EVS_MAX_TENANT)
		return evs_rule(why, EVS_E_FORMAT, "4.1-9 length of the tenant");
	if (suite_len)
		return evs_rule(why, EVS_E_FORMAT, "4.1-10 suite data in suite 0");
	if (evs_cur_left(c) != out->stream_len + out->tenant_len + (size_t)stored)
		return evs_rule(why, EVS_E_FORMAT, "4.1-11 lengths do not add up to the payload");

	evs_cur_bytes(c, out->stream_len, &p);
	out->stream = (const char *)p;
	evs_cur_bytes(c, out->tenant_len, &p);
	out->tenant = (const char *)p;
	evs_cur_bytes(c, stored, &p);
	if (is_stored(memo, p, stored, out->schema_len)) {
		out->schema = memo->text;
		return 0;
	}
	rc = get_text(&mem, p, stored, (uint32_t)out->schema_len, false, why);
	out->schema_mem = (uint8_t *)mem;
	out->schema = mem ? mem : (const char *)p;
	if (rc == 0 && memorize(memo, p, stored, mem, out->schema_len))
		out->schema_mem = NULL;
	return rc;
}

int evs_head_decode(struct evs_head *out, const uint8_t *payload, size_t len, const char **why)
{
	return evs_head_decode_memo(out, payload, len, NULL, why);
}

int evs_head_decode_memo(struct evs_head *out, const uint8_t *payload, size_t len,
			 struct evs_text_memo *memo, const char **why)
{
	struct evs_cur c = { payload, payload + len };
	struct evs_head_raw r;
	int rc;

	*out = (struct evs_head){ 0 };
	if (len < sizeof(r.major))
		return evs_rule(why, EVS_E_FORMAT, "4.1-1 HEAD too short");
	/* A newer major may have another layout: look at nothing else before it. */
	out->major = evs_get16(payload);
	if (out->major > EVS_FORMAT_MAJOR)
		return evs_rule(why, EVS_E_VERSION, "4.1-2 major version of a newer format");
	if (!out->major)
		return evs_rule(why, EVS_E_FORMAT, "4.1-12 major version 0");
	if (len < sizeof(r))
		return evs_rule(why, EVS_E_FORMAT, "4.1-1 HEAD too short");
	memcpy(&r, payload, sizeof(r));
	c.p += sizeof(r);
	out->minor = evs_get16(r.minor);
	out->unit = r.unit;
	out->suite = r.suite;
	out->refuse_features = evs_get64(r.refuse_features);
	out->ignore_features = evs_get64(r.ignore_features);
	memcpy(out->segment_id, r.segment_id, sizeof(out->segment_id));
	out->salt = evs_get64(r.salt);
	out->created = (int64_t)evs_get64(r.created);
	out->part_lo = (int64_t)evs_get64(r.part_lo);
	out->part_hi = (int64_t)evs_get64(r.part_hi);
	rc = check_fixed(out, &r, why);
	return rc < 0 ? rc : decode_texts(out, &r, &c, memo, why);
}

void evs_head_release(struct evs_head *h)
{
	if (!h)
		return;
	free(h->schema_mem);
	*h = (struct evs_head){ 0 };
}

int evs_schema_text_encode(const char *text, size_t len, struct evs_buf *out)
{
	size_t at = out->len;
	uint32_t stored = 0;
	int rc;

	if (len > EVS_MAX_SCHEMA)
		return EVS_E_LIMIT;
	evs_buf_put_u32(out, (uint32_t)len);
	evs_buf_put_u32(out, 0);
	rc = put_text(text, len, NULL, out, &stored);
	if (rc < 0) {
		out->len = at;
		return rc;
	}
	evs_put32(out->p + at + 4, stored);
	return 0;
}

int evs_schema_text_decode(char **out, size_t *len, const uint8_t *payload, size_t plen,
			   const char **why)
{
	struct evs_cur c = { payload, payload + plen };
	uint32_t text_len, stored;
	char *text = NULL;
	int rc;

	if (!evs_cur_u32(&c, &text_len) || !evs_cur_u32(&c, &stored) || evs_cur_left(&c) != stored)
		return evs_rule(why, EVS_E_FORMAT, "4.3-1 lengths do not add up to the payload");
	rc = get_text(&text, c.p, stored, text_len, true, why);
	if (rc < 0) {
		free(text);
		return rc;
	}
	*out = text;
	*len = text_len;
	return 0;
}
