/*
 * JSON in and out: the schema-directed NDJSON reader, the printers, and exact number text.
 *
 * The reader takes whole lines and appends their values straight to the columns of a table; there
 * is no tree. It is strict (RFC 8259): spec/schema.md 5 says what happens to every kind of value.
 */
#ifndef EVS_JSON_H
#define EVS_JSON_H

#include "format/bytes.h"
#include "src/batch.h"
#include "src/schema/schema.h"

#define EVS_JSON_MAX_DEPTH 1024
#define EVS_MAX_LINE	   (8u << 20) /* bytes; longer lines are rejected */
#define EVS_MAX_ROW	   (8u << 20) /* bytes of its values in memory; larger rows are rejected */

/* ---- reading --------------------------------------------------------------------------------- */

struct evs_json_reader;

enum evs_row_result {
	EVS_ROW_OK = 0,
	EVS_ROW_BLANK = 1,  /* only white space: not a row */
	EVS_ROW_BAD = 2,    /* rejected; nothing was appended; reason set */
	EVS_ROW_MISFIT = 3, /* as BAD, and the cause is that a value does not fit its column's type,
			     * or a field is absent from a NOT NULL column: a wider schema would
			     * take it (used by inference) */
};

/* `t` must outlive the reader. Returns 0 or EVS_E_NOMEM. */
int evs_json_reader_new(struct evs_json_reader **out, const struct evs_table *t);
void evs_json_reader_free(struct evs_json_reader *r);

/*
 * Parse one line (without its newline; a '\r' at its end is white space) and append one row to
 * cols[0 .. t->ncols), one array per column of the table, all with equal row counts. On any other
 * result than EVS_ROW_OK the arrays are as before.
 *
 *   - Fields the table does not have go, as one JSON object text `{"a":1,...}` in their order, to
 * _extra (raw text of keys and values kept byte for byte); without any, _extra is null.
 *   - Absent columns: null is appended and bit `ordinal` of the row's absent set is noted when the
 * column has a DEFAULT; see evs_json_reader_absent(). Absent NOT NULL columns without a default:
 * EVS_ROW_MISFIT.
 *   - _time gets null; the caller fills it.
 *
 * Returns an enum evs_row_result, or EVS_E_NOMEM. `*reason` (for BAD and MISFIT) stays valid until
 * the next call.
 */
int evs_json_read_row(struct evs_json_reader *r, const char *line, size_t len,
		      struct evs_array *cols, const char **reason);

/*
 * Lines that begin in p[0 .. len) end there, with a newline or at its end, so that what follows
 * them may be read, too. Until the next call; NULL and 0: lines lie anywhere.
 */
void evs_json_reader_piece(struct evs_json_reader *r, const char *p, size_t len);

/*
 * Rows since the last evs_json_reader_clear() in which column `ordinal` was absent and has a
 * DEFAULT: bitmap by row (as in evs_array.valid, 1 = absent), or NULL when there was none. `cols`
 * row numbers; the caller clears together with the columns.
 */
const uint8_t *evs_json_reader_absent(const struct evs_json_reader *r, uint16_t ordinal,
				      uint32_t *count);
void evs_json_reader_clear(struct evs_json_reader *r);

/* Bytes that elements of arrays and maps have taken since then, texts aside: a short line may be
 * much in memory. */
size_t evs_json_reader_nested(const struct evs_json_reader *r);

/* Time values that lost digits beyond their column's precision so far. */
uint64_t evs_json_reader_digits_dropped(const struct evs_json_reader *r);
/* With `strict`, such a value rejects its row instead. */
void evs_json_reader_set_strict(struct evs_json_reader *r, bool strict);

/* Is s[0 .. len) one valid JSON text (white space around it allowed)? `*reason` is a constant. */
bool evs_json_valid(const char *s, size_t len, const char **reason);

/* Walk the top-level fields of one JSON object: used by inference. Calls fn with the unescaped key
 * and the raw value text; returns 1, or 0, with reason, when the text is no valid object (duplicate
 * keys included; fn is then not called at all) or fn returned false, or EVS_E_NOMEM. Fields whose
 * key has half a surrogate pair cannot be columns and are passed over. */
int evs_json_walk(const char *s, size_t len,
		  bool (*fn)(void *arg, const char *key, size_t klen, const char *val, size_t vlen),
		  void *arg, const char **reason);

/* ---- fields that came before their column ---------------------------------------------------- */

/*
 * Fields that rows kept in _extra, as values of a column that came later. The reader of lines does
 * it: _extra is an object like any other, and the column a table of its own. A value that does not
 * fit the column, or would lose digits in it, stays where it is.
 */
struct evs_lift;

/* For one column; what it needs of `c` is copied. Returns 0 or EVS_E_NOMEM. */
int evs_lift_new(struct evs_lift **out, const struct evs_column *c);
void evs_lift_free(struct evs_lift *l); /* NULL is fine */

/*
 * For each row of `extra`, an _extra column: append its value to `column`, or row 0 of `otherwise`
 * (NULL: null) where it has none; and to `rest` what is then left of the object, null when nothing
 * is. Either of `column` and `rest` may be NULL. Returns 0 or EVS_E_NOMEM.
 */
int evs_lift_rows(struct evs_lift *l, const struct evs_array *extra,
		  const struct evs_array *otherwise, struct evs_array *column,
		  struct evs_array *rest);

/* ---- values as text -------------------------------------------------------------------------- */

/* Append s as a JSON string with quotes. Shortest escapes; UTF-8 as it is. */
void evs_json_put_string(struct evs_buf *b, const char *s, size_t len);

/* Shortest text that reads back to the same value; -0 is "-0"; never NaN or infinity. Room for 40;
 * returns length. */
size_t evs_double_print(double v, char *buf);
size_t evs_float_print(float v, char *buf);
size_t evs_int_print(int64_t v, char *buf);
size_t evs_uint_print(uint64_t v, char *buf);

/* Number text to the nearest double; false when it is no JSON number, too large, or not 0 but
 * rounded to 0. */
bool evs_double_parse(const char *s, size_t len, double *out);

/* Append one value as JSON (null: "null"). */
void evs_json_put_value(struct evs_buf *b, const struct evs_type *t, const struct evs_array *a,
			uint32_t row);

#endif
