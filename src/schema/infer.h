/*
 * Inference: what one JSON value could be, and what is known of each field. Private to schema/.
 */
#ifndef EVS_SCHEMA_INFER_H
#define EVS_SCHEMA_INFER_H

#include "src/schema/schema.h"

#include "format/bytes.h"

/* Column types that would print a value back, as bits, narrowest first. JSON always would. */
enum infer_kind {
	INFER_BOOL = 1 << 0,
	INFER_INT = 1 << 1,
	INFER_UINT = 1 << 2,
	INFER_FLOAT = 1 << 3,
	INFER_UUID = 1 << 4,
	INFER_TIME = 1 << 5, /* DateTime64(scale), DateTime when scale is 0 */
	INFER_DATE = 1 << 6,
	INFER_STRING = 1 << 7,
	INFER_BOOLS = 1 << 8,
	INFER_INTS = 1 << 9,
	INFER_FLOATS = 1 << 10,
	INFER_STRINGS = 1 << 11,
	INFER_JSON = 1 << 12,
};

#define INFER_SCALARS 0x0ffu
#define INFER_LISTS   0xf00u

enum infer_epoch { INFER_SECONDS = 1, INFER_MILLIS = 2, INFER_MICROS = 4, INFER_NANOS = 8 };

struct infer_value {
	unsigned kinds;
	unsigned scale; /* with INFER_TIME */
	bool null;
	bool empty_list;
	bool time_text; /* a string that evs_time_parse() reads */
	unsigned epoch; /* units in which the number is a time from 1990 to 2100 */
};

/* Look at one JSON value, which is known to be valid. */
void infer_classify(const char *v, size_t n, struct infer_value *out);

struct infer_field {
	char *name;
	size_t len;
	uint64_t present; /* lines with a value other than null */
	unsigned kinds;	  /* that print back all values so far */
	bool any_list;	  /* a list that was not empty */
	unsigned scale;	  /* of INFER_TIME, once `has_scale` */
	bool has_scale;
	/* as a time column: of the values that are times only */
	uint64_t time_texts, epochs[4];
	unsigned time_kinds; /* of the time texts */
	unsigned time_scale;
	bool has_time_scale;
	unsigned number_kinds; /* of the plausible numbers */
	unsigned max_scale;    /* most digits of a time text, INFER_MAX_SCALE at most */
	/*
	 * as a tenant: hashes of distinct values, NULL when the name does not say so or there are
	 * too many
	 */
	uint64_t *tenants;
	size_t ntenants, tenants_cap;
	/* what the last DDL said */
	bool declared,
		pinned; /* pinned: time, tenant or key: never null, only lines that fit count */
	unsigned kind;	/* one of enum infer_kind */
	unsigned kind_scale;
};

#define INFER_MAX_FIELDS  1000u
#define INFER_MAX_TENANTS 5000u
#define INFER_MAX_SCALE	  7u /* digits that a DateTime64 may widen to */

struct infer_pair {	  /* one field of the line at hand */
	size_t key, klen; /* in `keys` */
	const char *val;
	size_t vlen;
};

struct evs_infer {
	char *stream, *time, *tenant;
	char **keys;
	size_t nkeys;
	struct infer_field *fields;
	size_t nfields, fields_cap;
	uint16_t *slots; /* hash of the names */
	uint32_t mask;
	size_t indexed;		      /* fields in the hash */
	uint64_t lines;		      /* that count */
	uint64_t too_many;	      /* fields passed over */
	bool chosen;		      /* time, tenant and key stand */
	int time_field, tenant_field; /* or -1 */
	enum evs_time_kind time_kind;
	struct evs_buf key_text; /* of the line at hand */
	struct infer_pair *pairs;
	size_t npairs, pairs_cap;
	bool failed; /* out of memory inside of a callback */
};

/* Field by name, or -1. */
int infer_find(const struct evs_infer *f, const char *name, size_t len);

/* Add a field of which nothing is known, the last. It must not be there. Returns 0 or EVS_E_NOMEM.
 */
int infer_add_field(struct evs_infer *f, const char *name, size_t len);

/* Decide time, tenant and key columns. Returns 0 or EVS_E_SCHEMA. */
int infer_choose(struct evs_infer *f, evs_note_fn *why, void *arg, struct evs_diag *diag);

/* The kind that a field's column gets now, and its digits. */
unsigned infer_kind_of(const struct evs_infer *f, const struct infer_field *x, unsigned *scale);

/* Spelling of a kind, e.g. "DateTime64(3)", into buf of at least 32 bytes. */
void infer_kind_name(unsigned kind, unsigned scale, char *buf, size_t cap);

/* The type of a kind, for evs_widen(). Owns nothing: `elem` is the caller's. */
void infer_kind_type(unsigned kind, unsigned scale, struct evs_type *out, struct evs_type *elem);

/* Is a name one that tenant columns have? Rank, from 0, or -1. */
int infer_tenant_rank(const char *name, size_t len);

#endif
