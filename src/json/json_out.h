/*
 * Where printed bytes go, and values as text. Private to the printing files of the room: json_out.c
 * (buffer, strings), json_put.c (values), print*.c (formats).
 */
#ifndef EVS_JSON_OUT_H
#define EVS_JSON_OUT_H

#include "src/batch.h"
#include "src/json/json_lex.h"
#include "src/json/number.h"

#define EVS_OUT_SIZE  ((size_t)256 << 10) /* of a printer's buffer */
#define EVS_OUT_PIECE ((size_t)4 << 10)	  /* long values are printed in pieces of this many bytes */

/*
 * Bytes on their way out. With `write`, the buffer is handed on when it is full; without, it grows.
 * After a failure `buf.failed` (memory) or `stopped` is set and nothing more is put.
 */
struct evs_out {
	struct evs_buf buf;
	evs_write_fn *write;
	void *arg;
	bool stopped;
	const struct evs_json_ops *ops;
};

bool evs_out_flush(struct evs_out *o);
bool evs_out_make_room(struct evs_out *o, size_t n);

/* Room for n bytes (at most half of EVS_OUT_SIZE); false after a failure. */
static inline bool evs_out_room(struct evs_out *o, size_t n)
{
	return (o->buf.cap - o->buf.len >= n && !o->stopped) || evs_out_make_room(o, n);
}

/* Where the next byte goes; there must be room. */
static inline char *evs_out_at(struct evs_out *o)
{
	return (char *)o->buf.p + o->buf.len;
}

void evs_out_put(struct evs_out *o, const char *s, size_t n); /* any length */

static inline void evs_out_char(struct evs_out *o, char c)
{
	if (evs_out_room(o, 1))
		o->buf.p[o->buf.len++] = (uint8_t)c;
}

/*
 * JSON string with quotes. Ill-formed UTF-8, which only a forged segment can hold, becomes
 * U+FFFD.
 */
void evs_out_string(struct evs_out *o, const char *s, size_t n);

/*
 * JSON text as it is. Newlines and other control characters, which only a forged segment can hold,
 * become spaces, so that a line stays a line.
 */
void evs_out_json(struct evs_out *o, const char *s, size_t n);

/* Dates printed before, of days modulo eight: rows of a batch mostly are of one week. Zeroed is
 * empty. */
struct evs_day {
	struct {
		int64_t days;
		bool known;
		char text[11]; /* YYYY-MM-DDT */
	} of[8];
};

#define EVS_SCALAR_ROOM 64 /* bytes that evs_scalar_print() may write */

/*
 * Does the type print as a few characters that need no quoting in any format (numbers, times,
 * ...)?
 */
bool evs_type_is_plain(const struct evs_type *t);

/* Is it a number (or bool) in JSON, so that it stands without quotes there? */
bool evs_type_is_number(const struct evs_type *t);

/* Text of a plain value, without quotes; 0 for NaN and infinities, which have none. */
size_t evs_plain_print(const struct evs_type *t, const struct evs_array *a, uint32_t row,
		       struct evs_day *day, const struct evs_json_ops *ops, char *buf);

/* A DateTime64 in quotes; there is room for EVS_SCALAR_ROOM bytes. */
void evs_out_time(struct evs_out *o, int64_t ticks, unsigned scale, struct evs_day *day);

/* Bytes of a String, JSON, FixedString or Enum value as they are to be shown. */
const char *evs_text_bytes(const struct evs_type *t, const struct evs_array *a, uint32_t row,
			   size_t *n, char *small);

/* Any value as JSON; null prints "null". */
void evs_out_value(struct evs_out *o, const struct evs_type *t, const struct evs_array *a,
		   uint32_t row, struct evs_day *day);

#endif
