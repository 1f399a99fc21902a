/*
 * Private to the enc_*.c files: contexts, scratch memory, element access, and the functions that
 * encode or decode one node.
 *
 * Integers inside a node have a width `w` of 1, 2, 4 or 8 bytes, lie in host order in memory, and
 * are computed modulo 2^(8w); only the encoder's choice of a base cares about signs. Encoders
 * return 0, EVS_E_NOMEM, EVS_E_LIMIT, or EVS_ENC_UNFIT when the values cannot be had in that form,
 * and then have put `out` back to its old length. That `out` has failed is seen at the end, in
 * evs_column_encode(); before, it is only looked at where its bytes are touched. Decoders return
 * what evs_column_decode() returns.
 */
#ifndef EVS_FORMAT_ENC_IMPL_H
#define EVS_FORMAT_ENC_IMPL_H

#include "format/encode.h"
#include "format/group.h"

#include <zstd.h>

#define EVS_ENC_UNFIT	   1
#define EVS_ENC_SLOTS	   128 /* pieces of scratch in use at the same time */
#define EVS_ENC_SLACK	   32  /* bytes usable past the end of a scratch piece */
#define EVS_ENC_STRETCH	   512 /* values side by side, of those looked at before choosing */
#define EVS_ENC_LEAF_DEPTH 5   /* from here on only kinds without children are chosen */
#define EVS_ENC_BLOCK	   128 /* values of a EVS_NODE_BLOCKS that share a width */
#define EVS_ENC_E_BLOCK	   64  /* values of a EVS_NODE_DECIMAL that share an exponent */
#define EVS_ENC_MAX_E	   18  /* largest decimal exponent of EVS_NODE_DECIMAL */
#define EVS_ENC_MAX_SUFFIX 8   /* bytes after the digits of a EVS_NODE_TIME_TEXT */
#define EVS_ENC_MAX_AFFIX  255 /* bytes of prefix, and of suffix */

/* Reused pieces of memory, taken and given back like a stack. */
struct evs_scratch {
	uint8_t *mem[EVS_ENC_SLOTS];
	size_t cap[EVS_ENC_SLOTS];
	unsigned top;
};

/* `n` bytes plus EVS_ENC_SLACK, not cleared; NULL: out of memory. Give back by restoring `top`. */
void *evs_scratch_get(struct evs_scratch *s, size_t n);
void evs_scratch_release(struct evs_scratch *s);

struct evs_enc_ctx {
	struct evs_enc_opts opts;
	struct evs_scratch scratch;
	ZSTD_CCtx *zstd; /* estimates; made when first needed */
	struct evs_buf trial, trial_zstd;
	bool no_templates; /* for a trial without */
};

/*
 * Values of a node that are wanted, by their places, which rise. Decoders that take one (NULL: all)
 * give these values alone, side by side, but look at all that the rules of spec 6 speak of;
 * EVS_DEC_WHOLE: that takes decoding the whole column.
 */
struct evs_pick {
	const uint32_t *at;
	uint32_t n;
};
#define EVS_DEC_WHOLE 1

struct evs_dec_ctx {
	struct evs_scratch scratch;
	struct evs_array strs[EVS_MAX_ENCODING_DEPTH]; /* BYTES of inner nodes, by depth */
	/* bytes of the columns of a template, by depth */
	struct evs_buf pool[EVS_MAX_ENCODING_DEPTH];
	size_t limit;  /* bytes a column may take */
	size_t left;   /* of them */
	uint64_t most; /* bytes that all values of the BYTES node picked from last have at most */
	uint8_t **raw; /* memory that a column lies in, which may be taken for other memory; NULL:
			  it must stay */
	size_t *raw_cap;
	const char *why;
	bool over; /* the limit was reached */
	struct evs_trace *trace;
};

static inline void evs_dec_met(struct evs_dec_ctx *d, uint8_t kind)
{
	if (!d->trace)
		return;
	if (d->trace->n < EVS_TRACE_NODES)
		d->trace->kind[d->trace->n] = kind;
	d->trace->n++;
}

/* Values of an INT node, or the bit patterns of a FLOAT one. */
struct evs_ints {
	const uint8_t *p;
	uint32_t n; /* >= 1 */
	uint8_t w;
	bool is_signed;
	bool codes; /* of a dictionary in order of first appearance */
};

/* Values of a BYTES node: value i is data[offs[i] .. offs[i + 1]). */
struct evs_strs {
	const uint8_t *data;
	const int32_t *offs;
	uint32_t n; /* >= 1 */
};

/* --- elements --- */

static inline uint64_t evs_le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/* Element `i`, zero-extended. `w` is a constant wherever speed matters. */
static inline __attribute__((always_inline)) uint64_t evs_ld(const uint8_t *p, size_t i, unsigned w)
{
	uint64_t v8;
	uint32_t v4;
	uint16_t v2;

	switch (w) {
	case 1:
		return p[i];
	case 2:
		memcpy(&v2, p + 2 * i, 2);
		return v2;
	case 4:
		memcpy(&v4, p + 4 * i, 4);
		return v4;
	default:
		memcpy(&v8, p + 8 * i, 8);
		return v8;
	}
}

static inline __attribute__((always_inline)) void evs_st(uint8_t *p, size_t i, unsigned w,
							 uint64_t v)
{
	uint32_t v4 = (uint32_t)v;
	uint16_t v2 = (uint16_t)v;

	switch (w) {
	case 1:
		p[i] = (uint8_t)v;
		break;
	case 2:
		memcpy(p + 2 * i, &v2, 2);
		break;
	case 4:
		memcpy(p + 4 * i, &v4, 4);
		break;
	default:
		memcpy(p + 8 * i, &v, 8);
	}
}

/* The low `w` bytes of `v` as a signed number. */
static inline __attribute__((always_inline)) int64_t evs_sext(uint64_t v, unsigned w)
{
	switch (w) {
	case 1:
		return (int8_t)v;
	case 2:
		return (int16_t)v;
	case 4:
		return (int32_t)v;
	default:
		return (int64_t)v;
	}
}

static inline uint64_t evs_width_mask(unsigned w)
{
	return w == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * w) - 1;
}

/* Bits needed for `v`: 0 for 0, 64 for the top bit. */
static inline unsigned evs_bit_len(uint64_t v)
{
	return v ? 64u - (unsigned)__builtin_clzll(v) : 0;
}

static inline size_t evs_varint_len(uint64_t v)
{
	return v ? (evs_bit_len(v) + 6) / 7 : 1;
}

/* Width of the codes of a dictionary (spec 6.3). */
static inline unsigned evs_code_width(uint32_t distinct)
{
	return distinct <= 256 ? 1 : distinct <= 65536 ? 2 : 4;
}

static inline size_t evs_packed_len(uint32_t n, unsigned bits)
{
	return (size_t)(((uint64_t)n * bits + 7) / 8);
}

/* A number of width `w` (spec 6.3): the shortest form whatever its sign. */
static inline void evs_put_number(struct evs_buf *out, uint64_t v, unsigned w)
{
	evs_buf_put_varint(out, evs_zigzag(evs_sext(v, w)));
}

static inline bool evs_get_number(struct evs_cur *c, unsigned w, uint64_t *v)
{
	uint64_t z;

	if (!evs_cur_varint(c, &z) || z > evs_width_mask(w))
		return false;
	*v = (uint64_t)evs_unzigzag(z);
	return true;
}

static inline __attribute__((always_inline)) void evs_fill(uint8_t *out, uint32_t n, unsigned w,
							   uint64_t v)
{
	for (size_t i = 0; i < n; i++)
		evs_st(out, i, w, v);
}

/* --- enc_bitpack.c --- */

/* Elements between memory and the file's little-endian order; `dst` and `src` do not overlap. */
void evs_copy_le(uint8_t *dst, const uint8_t *src, uint32_t n, unsigned w);

/* Pack (element - base) as `bits` (1 .. 64) each, low bits first. `out` has room for
 * evs_packed_len() + 8 bytes. Higher bits of a difference are dropped. */
void evs_bits_pack(uint8_t *out, const uint8_t *p, uint32_t n, unsigned w, unsigned bits,
		   uint64_t base);

/* The inverse. `avail` bytes may be read at `in`, at least evs_packed_len(); more let the last
 * values be read as fast as the others. */
void evs_bits_unpack(uint8_t *out, const uint8_t *in, size_t avail, uint32_t n, unsigned w,
		     unsigned bits, uint64_t base);

/* The same of whole eights or fours of the first `n` values, eight bytes being there from the byte
 * on in which any of them begins; how many it did. None where the machine or the compiler does not
 * know how. */
size_t evs_bits_unpack_avx2(uint8_t *out, const uint8_t *in, size_t n, unsigned w, unsigned bits,
			    uint64_t base);
/* evs_bits_unpack() without it. */
void evs_bits_unpack_portable(uint8_t *out, const uint8_t *in, size_t avail, uint32_t n, unsigned w,
			      unsigned bits, uint64_t base);

/* Are the bits after the last value zero? */
bool evs_bits_clean(const uint8_t *in, uint32_t n, unsigned bits);

/* `k` byte planes of (element - base), lowest first, n bytes each, and back. */
void evs_planes_split(uint8_t *out, const uint8_t *p, uint32_t n, unsigned w, unsigned k,
		      uint64_t base);
void evs_planes_join(uint8_t *out, const uint8_t *in, uint32_t n, unsigned w, unsigned k,
		     uint64_t base);

/* --- enc_ctx.c --- */

/* Bytes that the `len` bytes cost once stored: what zstd makes of them when zstd follows. */
size_t evs_enc_cost(struct evs_enc_ctx *ctx, const uint8_t *p, size_t len);

/* --- enc_hash.c --- */

struct evs_dict {
	uint32_t *codes; /* n of them; scratch */
	uint32_t *first; /* value of code c is value first[c]; scratch */
	uint32_t distinct;
	uint64_t bytes; /* of the distinct values (BYTES) */
};

/*
 * Number the distinct values by first appearance. EVS_ENC_UNFIT: more than `max_distinct`, or the
 * first eighth already shows that values hardly repeat. The scratch is the caller's to give back.
 */
int evs_dict_fixed(struct evs_enc_ctx *ctx, const uint8_t *p, uint32_t n, size_t w,
		   uint32_t max_distinct, struct evs_dict *d);
int evs_dict_strs(struct evs_enc_ctx *ctx, const struct evs_strs *v, uint32_t max_distinct,
		  struct evs_dict *d);

/* --- enc_choose.c --- */

struct evs_int_plan {
	uint8_t kind;
	uint8_t child;	/* of DELTA, DELTA2, RECENT: PACKED, BLOCKS or PLANES */
	uint64_t scale; /* of SCALED */
};

/* Choose for `v`, whose smallest and greatest values, which differ, are given as evs_ld() sees
 * them. `*cost` gets the estimated bytes. Returns 0 or EVS_E_NOMEM. */
int evs_int_choose(struct evs_enc_ctx *ctx, const struct evs_ints *v, uint64_t min, uint64_t max,
		   unsigned depth, struct evs_int_plan *plan, uint64_t *cost);

void evs_int_bounds(const struct evs_ints *v, uint64_t *min, uint64_t *max);

/* Width at which (value - min), which take up to `bits`, are packed in the fewest bytes; `*nexc` of
 * them do not fit that width and become patches (0: `bits` is returned). */
unsigned evs_int_width(const struct evs_ints *v, uint64_t min, unsigned bits, uint32_t *nexc);

/* --- one node; `depth` is 0 for the topmost --- */

int evs_enc_int(struct evs_enc_ctx *ctx, const struct evs_ints *v, unsigned depth,
		struct evs_buf *out);
/* The two halves of evs_enc_int(): what it would do, at which cost, and doing it. */
int evs_enc_int_plan(struct evs_enc_ctx *ctx, const struct evs_ints *v, unsigned depth,
		     struct evs_int_plan *plan, uint64_t *cost);
int evs_enc_int_by(struct evs_enc_ctx *ctx, const struct evs_ints *v,
		   const struct evs_int_plan *plan, unsigned depth, struct evs_buf *out);
/* Kinds with a child of their own making (enc_chain.c). */
int evs_enc_chain(struct evs_enc_ctx *ctx, const struct evs_ints *v,
		  const struct evs_int_plan *plan, uint64_t min, unsigned depth,
		  struct evs_buf *out);
int evs_enc_u32(struct evs_enc_ctx *ctx, const uint32_t *v, uint32_t n, unsigned depth,
		struct evs_buf *out);
int evs_enc_codes(struct evs_enc_ctx *ctx, const struct evs_dict *d, uint32_t n, unsigned depth,
		  struct evs_buf *out);
int evs_enc_float(struct evs_enc_ctx *ctx, const uint8_t *p, uint32_t n, unsigned w,
		  struct evs_buf *out); /* always topmost */
int evs_enc_fixed(struct evs_enc_ctx *ctx, const uint8_t *p, uint32_t n, size_t w, unsigned depth,
		  struct evs_buf *out);
int evs_enc_strs(struct evs_enc_ctx *ctx, const struct evs_strs *v, unsigned depth,
		 struct evs_buf *out);

/* Text forms (enc_text.c); EVS_ENC_UNFIT when a value is not of the form. */
int evs_enc_text(struct evs_enc_ctx *ctx, const struct evs_strs *v, uint8_t kind, unsigned depth,
		 struct evs_buf *out);

/*
 * Templates and columns (enc_template.c); EVS_ENC_UNFIT when the values have too little in common.
 * evs_template_pays(): 0 when a sample of them becomes shorter so than in any other way,
 * EVS_ENC_UNFIT when not.
 */
int evs_enc_template(struct evs_enc_ctx *ctx, const struct evs_strs *v, bool forced, unsigned depth,
		     struct evs_buf *out);
int evs_template_pays(struct evs_enc_ctx *ctx, const struct evs_strs *v, unsigned depth);
int evs_dec_template(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
		     unsigned depth, const struct evs_pick *pick);

/* Date-times (enc_time.c). */
bool evs_time_is(const uint8_t *p, size_t len);
int evs_enc_time(struct evs_enc_ctx *ctx, const struct evs_strs *v, unsigned depth,
		 struct evs_buf *out);
int evs_dec_time(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
		 unsigned depth, const struct evs_pick *pick);

/* The text form that a sample of the values has, or 0. */
uint8_t evs_text_guess(const struct evs_strs *v);

int evs_dec_int(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w, uint8_t *out,
		unsigned depth);
int evs_dec_int_some(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w, uint8_t *out,
		     unsigned depth, const struct evs_pick *pick);
/* The node's kind byte is already read. */
int evs_dec_int_kind(struct evs_dec_ctx *d, struct evs_cur *c, uint8_t kind, uint32_t n, unsigned w,
		     uint8_t *out, unsigned depth, const struct evs_pick *pick);
/* Picks from DICT and SCALED alone. */
int evs_dec_chain(struct evs_dec_ctx *d, struct evs_cur *c, uint8_t kind, uint32_t n, unsigned w,
		  uint8_t *out, unsigned depth, const struct evs_pick *pick);
void evs_ints_fill(uint8_t *out, uint32_t n, unsigned w, uint64_t v); /* n times v */
int evs_dec_float(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, unsigned w, uint8_t *out,
		  const struct evs_pick *pick);
int evs_dec_fixed(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, size_t w, uint8_t *out,
		  unsigned depth, const struct evs_pick *pick);
/* `out` is a BYTES array that gets n rows, or those picked, none null. */
int evs_dec_strs(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
		 unsigned depth, const struct evs_pick *pick);
int evs_dec_text(struct evs_dec_ctx *d, struct evs_cur *c, uint8_t kind, uint32_t n,
		 struct evs_array *out, unsigned depth, const struct evs_pick *pick);

/* Codes of a dictionary of `distinct` values: n codes, each checked; all, or those picked, as u32
 * in scratch. */
int evs_dec_codes(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, uint32_t distinct,
		  unsigned depth, const uint32_t **codes, const struct evs_pick *pick);

static inline uint32_t evs_picked(const struct evs_pick *pick, uint32_t n)
{
	return pick ? pick->n : n;
}

/* An empty array, for the offsets of all values where only some are wanted; of BYTES, it is the
 * inner node's. */
static inline struct evs_array *evs_dec_spare(struct evs_dec_ctx *d, unsigned depth)
{
	d->strs[depth].rows = 0;
	return &d->strs[depth];
}

/* Values of `w` bytes at the places picked, side by side. */
void evs_pick_values(uint8_t *out, const uint8_t *p, size_t w, const struct evs_pick *pick);

/* `n` lengths, one INT node, into the offsets of `out`, summed up; `*total` gets the sum, which is
 * at most EVS_ARRAY_MAX_BYTES. */
int evs_dec_lengths(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, struct evs_array *out,
		    unsigned depth, uint64_t *total);

/* Of values picked from those that `offs` belongs to: their offsets, and room for their bytes. */
int evs_dec_picked_offsets(struct evs_dec_ctx *d, const int32_t *offs, struct evs_array *out,
			   const struct evs_pick *pick);

/* Room for `total` bytes of BYTES values, and a little more where the cap allows. */
int evs_dec_bytes_room(struct evs_dec_ctx *d, struct evs_array *out, uint64_t total);

/* Count `n` bytes against the limit: 0, or EVS_E_NOMEM with d->why. */
int evs_dec_count(struct evs_dec_ctx *d, uint64_t n);
/* The same, then take scratch. NULL: d->why is set, return EVS_E_NOMEM. */
void *evs_dec_scratch(struct evs_dec_ctx *d, uint64_t n);
/* The same for an output array: room for rows and bytes. */
int evs_dec_reserve(struct evs_dec_ctx *d, struct evs_array *a, uint32_t rows, uint64_t bytes);

static inline int evs_dec_fail(struct evs_dec_ctx *d, const char *why)
{
	d->why = why;
	return EVS_E_FORMAT;
}

/* --- enc_valid.c --- */

/* Validity of `n` rows, some null and some not. */
int evs_enc_valid(struct evs_enc_ctx *ctx, const uint8_t *valid, uint32_t n, struct evs_buf *out);
/* `valid` has room for (n + 7) / 8 bytes; unused bits of the last one are cleared. */
int evs_dec_valid(struct evs_dec_ctx *d, struct evs_cur *c, uint32_t n, uint32_t nulls,
		  uint8_t *valid);

#endif
