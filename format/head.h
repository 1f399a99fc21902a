/*
 * HEAD: what a segment is (spec 4). Written twice at the start of the file, byte for byte the same
 * payload, so that one damaged sector does not cost a segment.
 */
#ifndef EVS_FORMAT_HEAD_H
#define EVS_FORMAT_HEAD_H

#include "format/bytes.h"
#include "format/error.h"

#define EVS_FORMAT_MAJOR 1u
#define EVS_FORMAT_MINOR 0u
#define EVS_MAX_NAME	 255u	     /* stream name, bytes */
#define EVS_MAX_TENANT	 4096u	     /* tenant value, bytes */
#define EVS_MAX_SCHEMA	 (16u << 20) /* schema text, bytes */

/* Feature bits of head.refuse_features that this code understands. None yet. */
#define EVS_KNOWN_FEATURES ((uint64_t)0)

/* Bit of head.ignore_features: rows may keep, in _extra, fields that columns are named after
 * (spec 4.1). */
#define EVS_FEATURE_KEPT ((uint64_t)1)

enum evs_suite { EVS_SUITE_NONE = 0, EVS_SUITE_XCHACHA20POLY1305 = 1 };

struct evs_head_raw {
	uint8_t major[2];
	uint8_t minor[2];
	uint8_t unit;  /* 1 week, 2 month, 3 day */
	uint8_t suite; /* enum evs_suite */
	uint8_t reserved[2];
	uint8_t refuse_features[8];
	uint8_t ignore_features[8];
	uint8_t segment_id[16]; /* random */
	uint8_t salt[8];	/* random */
	uint8_t created[8];	/* ns since 1970, signed */
	uint8_t part_lo[8];	/* first second of the partition, since 1970, signed */
	uint8_t part_hi[8];	/* first second after it */
	uint8_t stream_len[2];
	uint8_t tenant_len[2];
	uint8_t suite_len[4];	      /* bytes of suite data; 0 in suite 0 */
	uint8_t schema_len[4];	      /* of the text */
	uint8_t schema_stored_len[4]; /* as stored: zstd, or plain when equal to schema_len */
				      /* then: stream, tenant, suite data, schema */
};
_Static_assert(sizeof(struct evs_head_raw) == 88, "spec 4.1 says 88 bytes");

/*
 * Decoded. The pointers point into `schema_mem` or into the payload given to evs_head_decode(),
 * which must outlive the struct; texts are not zero-terminated.
 */
struct evs_head {
	uint16_t major, minor;
	uint8_t unit, suite;
	uint64_t refuse_features, ignore_features;
	uint8_t segment_id[16];
	uint64_t salt;
	int64_t created, part_lo, part_hi;
	const char *stream;
	size_t stream_len;
	const char *tenant;
	size_t tenant_len;
	const char *schema;
	size_t schema_len;
	uint8_t *schema_mem; /* owned: the decompressed text, or NULL */
};

/*
 * The schema text that was written or read last, and its stored form: all segments of a stream have
 * the same, mostly. All zero at first. The text of a HEAD decoded with it may point into it, until
 * it is used again.
 */
struct evs_text_memo {
	struct evs_buf stored;
	char *text;
	uint32_t len;
};
void evs_text_memo_release(struct evs_text_memo *memo);

/* Append the HEAD payload (no frame) to `out`. `memo` may be NULL. Returns 0, EVS_E_NOMEM or
 * EVS_E_LIMIT. */
int evs_head_encode(const struct evs_head *h, struct evs_text_memo *memo, struct evs_buf *out);

/* Append both HEAD frames, complete, to `out`, which must be empty: they start the file. */
int evs_head_write(const struct evs_head *h, struct evs_text_memo *memo, struct evs_buf *out);

/* Decode a verified payload. Returns 0, EVS_E_FORMAT, EVS_E_VERSION or EVS_E_NOMEM, with `*why`.
 * Release with evs_head_release() in every case. */
int evs_head_decode(struct evs_head *out, const uint8_t *payload, size_t len, const char **why);
void evs_head_release(struct evs_head *h);

int evs_head_decode_memo(struct evs_head *out, const uint8_t *payload, size_t len,
			 struct evs_text_memo *memo, const char **why); /* NULL is fine */

/* SCHEMA frame payload (spec 4.3): schema_len u32, schema_stored_len u32, the text as above. */
int evs_schema_text_encode(const char *text, size_t len, struct evs_buf *out);
/* `*out` is malloc'd, zero-terminated, the caller's. */
int evs_schema_text_decode(char **out, size_t *len, const uint8_t *payload, size_t plen,
			   const char **why);

#endif
