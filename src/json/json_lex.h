/*
 * The JSON grammar over one line of bytes: strings, numbers, whole values. Private to the room.
 *
 * Functions that take and give a `const char *` read from there and return the first byte they
 * did not take, or NULL after evs_jlex_fail(). Nothing reads at or past `end`.
 */
#ifndef EVS_JSON_LEX_H
#define EVS_JSON_LEX_H

#include "src/json/json.h"

/* A string on its way out of its escapes: p moves towards end, d towards dend. */
struct evs_strcopy {
	const char *p, *end;
	char *d, *dend;
	bool high; /* bytes >= 0x80 were met */
	bool lone; /* half a surrogate pair was met, and written as its three bytes */
};

#define EVS_PLAIN 64

/* The inner loops, once in portable C and once with AVX2. Both give the same results. */
struct evs_json_ops {
	/*
	 * First '"', '\' or byte below 0x20, or end. Sets *high when bytes >= 0x80 come before
	 * it.
	 */
	const char *(*find)(const char *p, const char *end, bool *high);

	/*
	 * Copy, undoing the two-byte escapes. Stops at '"', at a backslash that is no such
	 * escape, at a byte below 0x20, at `end`, or for want of room. May scribble over [d,
	 * dend).
	 */
	void (*copy)(struct evs_strcopy *c);

	/* Are the n (1 .. EVS_PLAIN) bytes at p and q the same? EVS_PLAIN may be read at both. */
	bool (*same)(const char *p, const char *q, size_t n);

	/*
	 * Copy a short string: EVS_PLAIN bytes may be read at p, behind its opening quote, and
	 * written at d. Its length when it ends there and is ASCII without escapes and control
	 * characters; -1: it must be looked at more closely.
	 */
	int (*plain)(const char *p, char *d);

	/*
	 * Write s[0, n) with JSON's escapes; there is room for 6 * n + 32 bytes. Returns the
	 * end. Sets *high when there are bytes >= 0x80.
	 */
	char *(*escape)(const char *s, size_t n, char *d, bool *high);

	/* 8-4-4-4-12 hex digits of either case to bytes; false when it is something else. */
	bool (*uuid_read)(const char *text, uint8_t *uuid);
	void (*uuid_print)(const uint8_t *uuid, char *text);
};

extern const struct evs_json_ops evs_json_portable;
extern const struct evs_json_ops evs_json_avx2; /* all portable where the compiler cannot do it */
const struct evs_json_ops *evs_json_best_ops(void);

struct evs_jlex {
	const struct evs_json_ops *ops;
	const char *start, *end;
	const char *readable; /* up to here bytes may be read, whatever they are; only the reader of
				 rows sets it */
	const char *at;	      /* after a failure: where */
	const char *what;     /* ... and what, a constant such as "expected ':'" */
};

static inline const char *evs_jlex_fail(struct evs_jlex *l, const char *at, const char *what)
{
	l->at = at;
	l->what = what;
	return NULL;
}

static inline const char *evs_jlex_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

/* First byte of ill-formed UTF-8, or end. */
const char *evs_utf8_check(const char *p, const char *end);

/* Bytes of the code point (any up to 0x10ffff, surrogates too) at `out`: 1 .. 4. */
unsigned evs_utf8_put(uint32_t cp, char *out);

/* Skip a string whose opening quote is behind p. `*plain` (may be NULL): it has no escapes. */
const char *evs_jlex_skip_string(struct evs_jlex *l, const char *p, bool *plain);

/* Skip any value; p is at its first byte (or at end). */
const char *evs_jlex_skip(struct evs_jlex *l, const char *p);

enum evs_str {
	EVS_STR_DONE = 0, /* c->p is behind the closing quote */
	EVS_STR_FULL = 1, /* give more room and call again */
	EVS_STR_BAD = 2,  /* evs_jlex_fail() was called */
};

/*
 * Take a string out of its escapes. c->p starts behind the opening quote; UTF-8 is not looked
 * at.
 */
enum evs_str evs_jlex_copy(struct evs_jlex *l, struct evs_strcopy *c);

/*
 * Append the string behind the opening quote at p to `b`; `*lone` as in evs_strcopy. Its UTF-8
 * is checked. Out of memory shows in b->failed, with NULL.
 */
const char *evs_jlex_string(struct evs_jlex *l, const char *p, struct evs_buf *b, bool *lone);

/* Keys of one object, to find one that comes twice. */
#define EVS_MAX_KEYS (1u << 18)

struct evs_key {
	uint32_t hash;
	uint32_t off, len; /* in the bytes that all keys lie in */
};

struct evs_keyset {
	struct evs_key *keys;
	uint32_t n, cap;
};

/* 0, EVS_E_NOMEM or EVS_E_LIMIT. */
int evs_keyset_add(struct evs_keyset *s, const char *base, uint32_t off, uint32_t len);
/* Index of a key that equals an earlier one, or -1. The order of `keys` changes. */
int evs_keyset_find_twice(struct evs_keyset *s, const char *base);
void evs_keyset_release(struct evs_keyset *s);

/* evs_json_walk() with a lexer and buffers of the caller's. `fn` may be NULL. */
struct evs_walk {
	struct evs_jlex lex;
	struct evs_buf bytes;
	struct evs_keyset keys;
	int twice; /* after a failure: index of a key that came twice, or -1 */
};
typedef bool evs_walk_fn(void *arg, const char *key, size_t klen, const char *val, size_t vlen);
/* 1: a valid object; 0: not, see w->lex; EVS_E_NOMEM. */
int evs_walk_object(struct evs_walk *w, const char *s, size_t len, evs_walk_fn *fn, void *arg);

#endif
