/*
 * Encodings: how one column (an array) becomes bytes and comes back (spec 6).
 *
 * A column is a validity node (only when some but not all rows are null), then, when any row is
 * present, a value node over the present rows. A node is a kind byte, kind-specific fields and
 * child nodes. How many values a node holds, and how wide they are, always follows from what stands
 * before it; nothing is stored twice. zstd, when it pays, runs over the whole block afterwards.
 *
 * Encodings are chosen from a sample of the values; a chain that turns out not to fit while the
 * whole column is written is given up for the next best one, and plain always fits.
 */
#ifndef EVS_FORMAT_ENCODE_H
#define EVS_FORMAT_ENCODE_H

#include "format/array.h"
#include "format/bytes.h"
#include "format/error.h"

/* Spec 6.1. One number space for all physical types; which kinds a type takes is in the spec. */
enum evs_node_kind {
	EVS_NODE_PLAIN = 1,   /* all types */
	EVS_NODE_CONST = 2,   /* all leaf types: every value is the same */
	EVS_NODE_DICT = 3,    /* all leaf types: distinct values, codes */
	EVS_NODE_RUNS = 4,    /* INT, FLOAT bits: values, run lengths */
	EVS_NODE_PACKED = 5,  /* INT: base and bit-packed offsets (frame of reference) */
	EVS_NODE_PATCHED = 6, /* INT: the same, with exceptions */
	EVS_NODE_DELTA = 7,   /* INT: differences */
	EVS_NODE_DELTA2 = 8,  /* INT: differences of differences */
	EVS_NODE_SCALED = 9,  /* INT: base + k * multiplier */
	EVS_NODE_PLANES =
		10, /* INT, FLOAT bits: base and offsets, byte planes one after the other */
	EVS_NODE_DECIMAL = 11,	 /* FLOAT: digits * 10^-e */
	EVS_NODE_UUID = 12,	 /* FIXED(16): one UUID version, its fixed bits left out */
	EVS_NODE_UUID_TEXT = 13, /* BYTES: lower-case UUIDs */
	EVS_NODE_HEX_TEXT = 14,	 /* BYTES: lower-case hex of even length */
	EVS_NODE_INT_TEXT = 15,	 /* BYTES: decimal integers */
	EVS_NODE_TIME_TEXT = 16, /* BYTES: date-times of one pattern */
	EVS_NODE_AFFIX = 17,	 /* BYTES: common prefix and suffix */
	EVS_NODE_RECENT = 18,	 /* INT: codes of a dictionary, counted back from the newest one */
	EVS_NODE_BLOCKS = 19, /* INT: base and bit-packed offsets, a width for every 128 of them */
	EVS_NODE_TEMPLATE = 20, /* BYTES: templates, and columns of what stands in their gaps */
};

/* Validity nodes (spec 6.2). */
enum evs_valid_kind {
	EVS_VALID_BITMAP = 1,
	EVS_VALID_RUNS = 2,
};

/* Most bytes that decoding one column may allocate, unless set otherwise. */
#define EVS_DECODE_MAX_BYTES ((size_t)1 << 30)

struct evs_enc_opts {
	bool no_zstd;  /* zstd will not run over the bytes: the fewest bytes win */
	bool quick;    /* choose by half as many values */
	bool thorough; /* choose by eight times as many values, and look for templates, which takes
			  as long as all else */
	bool plain;    /* tests: nothing but plain nodes */
	uint8_t force; /* tests: kind of the topmost value node where it fits; 0: choose */
};

/* Encoder: settings and scratch memory, reused from column to column. One thread at a time. */
struct evs_enc_ctx;

/* `opts` may be NULL for the defaults (all zero). Returns 0 or EVS_E_NOMEM. */
int evs_enc_ctx_new(struct evs_enc_ctx **out, const struct evs_enc_opts *opts);
void evs_enc_ctx_free(struct evs_enc_ctx *ctx); /* NULL is fine */

/* Change opts.no_zstd, as for a packed group. */
void evs_enc_ctx_set_zstd(struct evs_enc_ctx *ctx, bool follows);

/*
 * Append the encoded column to `out`. `a` has at least one row; the slots of its null rows are zero
 * or empty, as array.h promises. Returns 0, EVS_E_NOMEM (`out` then holds rubbish after its old
 * end) or EVS_E_LIMIT (lists nested deeper than EVS_ARRAY_MAX_DEPTH, or an array past
 * EVS_ARRAY_MAX_BYTES).
 */
int evs_column_encode(struct evs_enc_ctx *ctx, const struct evs_array *a, struct evs_buf *out);

/* Decoder: scratch memory and the memory limit. One thread at a time. */
struct evs_dec_ctx;

int evs_dec_ctx_new(struct evs_dec_ctx **out);
void evs_dec_ctx_free(struct evs_dec_ctx *ctx); /* NULL is fine */

/* Value nodes of a column, as they are met: a node before what is inside of it. */
#define EVS_TRACE_NODES 12
struct evs_trace {
	uint8_t kind[EVS_TRACE_NODES];
	unsigned n; /* may be more than fit */
};
/* Let decoding tell which nodes there are (NULL: no more). `t` is not emptied. */
void evs_dec_ctx_trace(struct evs_dec_ctx *ctx, struct evs_trace *t);
/* Name of a kind in spec 6.1, such as "dict", or "?". */
const char *evs_node_name(uint8_t kind);

/*
 * The next evs_column_codes() may keep the memory of `*raw`, of `*cap` bytes, in which the column
 * lies, as that of its values, and leave other memory there: texts need not be copied. (Offsets of
 * values then do not begin with 0, as those of a view.)
 */
void evs_dec_ctx_lend(struct evs_dec_ctx *ctx, uint8_t **raw, size_t *cap);

/* Most bytes that the decoding of one column may allocate (output and scratch). */
void evs_dec_ctx_set_limit(struct evs_dec_ctx *ctx, size_t max_bytes);

/*
 * Decode one column of `rows` (>= 1) rows, `nulls` of them null, from `c`, which moves past exactly
 * the column's bytes. `out` has the column's shape and is reset first; its memory is reused. On
 * failure its content is unspecified but consistent (it can be released or reset).
 *
 * Returns 0; EVS_E_FORMAT (a rule of spec 6 is broken), EVS_E_VERSION (a node kind of a newer
 * format) with `*why` naming the rule, a constant; EVS_E_LIMIT (the memory limit would be passed)
 * and EVS_E_NOMEM (malloc failed), with `*why`, too.
 */
int evs_column_decode(struct evs_dec_ctx *ctx, struct evs_cur *c, uint32_t rows, uint32_t nulls,
		      struct evs_array *out, const char **why);

/*
 * The same of the `n` rows at[0 .. n) alone, which rise: `out` gets these, side by side. All rules
 * are looked at, those of other rows too; what may be decoded as a whole is picked of, and it may
 * be when the whole would be too much.
 */
int evs_column_pick(struct evs_dec_ctx *ctx, struct evs_cur *c, uint32_t rows, uint32_t nulls,
		    const uint32_t *at, uint32_t n, struct evs_array *out, const char **why);

/*
 * The same as distinct values and codes, where the column is encoded so and has at most
 * EVS_CODED_MAX of them: 0; 1 where it is not, or has few rows or large ones, and `c` has not
 * moved. Otherwise as evs_column_decode().
 */
#define EVS_CODED_MAX 4095u
int evs_column_codes(struct evs_dec_ctx *ctx, struct evs_cur *c, uint32_t rows, uint32_t nulls,
		     struct evs_coded *out, const char **why);

#endif
