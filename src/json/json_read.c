/*
 * Rows: one JSON object a line, its fields to the columns they name.
 *
 * Keys are hardly ever looked up: lines of one source have the same fields in the same order,
 * so the column that followed last time is tried first, byte for byte with quotes and colon,
 * and then those after it, in case fields were left out. A line that fails is walked a second
 * time, slowly, to tell bad JSON from a misfit (json_reason.c).
 */
#include "src/json/json_reader.h"

#define TRIES 4			/* columns compared before the key is looked up */
#define KEEP  ((size_t)1 << 20) /* bytes of scratch kept from row to row */

/* ---- keys -------------------------------------------------------------------------------- */

/* Keys are too short for a call of memcmp(). */
static inline bool key_is(const struct evs_json_reader *r, const struct evs_read_field *f,
			  const char *text)
{
	const struct evs_jlex *l = &r->lex;
	size_t n = f->key_len;

	if (l->readable - text >= EVS_PLAIN && n - 1 < EVS_PLAIN)
		return l->ops->same(text, f->key, n);
	return (size_t)(l->end - text) >= n && n && !memcmp(text, f->key, n);
}

/* More bytes of the row's unknown fields, straight into the column; the row is not closed yet. */
static bool put_extra(struct evs_json_reader *r, const char *s, size_t n)
{
	struct evs_array *a = r->extra;

	if (!evs_bytes_room(a, r->extra_len + n)) {
		evs_read_nomem(r);
		return false;
	}
	memcpy(a->data + a->offs[a->rows] + r->extra_len, s, n);
	r->extra_len += n;
	return true;
}

/*
 * Look up the key at p. `*column` is the table's column, or ncols when it has none; hidden
 * columns cannot be named, their names are fields like any other. Returns behind the colon.
 */
static const char *find_key(struct evs_json_reader *r, const char *p, uint16_t *column)
{
	struct evs_jlex *l = &r->lex;
	struct evs_buf *b = &r->walk.bytes;
	const char *quote = p;
	size_t from = b->len;
	bool lone;
	int i, rc;

	if (p == l->end || *p != '"')
		return evs_jlex_fail(l, p, "expected a key in quotes");
	p = evs_jlex_string(l, p + 1, b, &lone);
	if (!p)
		return evs_buf_ok(b) ? NULL : evs_read_nomem(r);
	i = evs_table_find(r->table, (char *)b->p + from, b->len - from);
	if (i >= 0 && i < r->ncols && !r->fields[i].hidden) {
		b->len = from;
		*column = (uint16_t)i;
	} else {
		rc = evs_keyset_add(&r->walk.keys, (char *)b->p, (uint32_t)from,
				    (uint32_t)(b->len - from));
		if (rc == EVS_E_LIMIT)
			return evs_jlex_fail(l, quote, "too many fields");
		if (rc < 0)
			return evs_read_nomem(r);
		if (!put_extra(r, r->extra_len ? "," : "{", 1) ||
		    !put_extra(r, quote, (size_t)(p - quote)))
			return NULL;
		*column = r->ncols;
	}
	p = evs_jlex_space(p, l->end);
	if (p == l->end || *p != ':')
		return evs_jlex_fail(l, p, "expected ':'");
	return p + 1;
}

/* The key at p, by what followed column `prev` before; else by look-up. */
static inline const char *read_key(struct evs_json_reader *r, uint16_t prev, const char *p,
				   uint16_t *column)
{
	uint16_t c = r->fields[prev].next;

	for (unsigned i = 0; i < TRIES; i++) {
		const struct evs_read_field *f = &r->fields[c];

		if (key_is(r, f, p) && !f->hidden) {
			*column = c;
			return p + f->key_len;
		}
		c = f->next;
	}
	p = find_key(r, p, column);
	if (p && *column < r->ncols)
		r->fields[prev].next = *column;
	return p;
}

/* ---- fields ------------------------------------------------------------------------------ */

static const char *read_extra(struct evs_json_reader *r, const char *p)
{
	const char *end = evs_jlex_skip(&r->lex, p);

	if (!end || !put_extra(r, ":", 1) || !put_extra(r, p, (size_t)(end - p)))
		return NULL;
	return end;
}

static inline const char *read_field(struct evs_json_reader *r, uint16_t c, struct evs_array *a,
				     const char *p)
{
	struct evs_read_field *f = &r->fields[c];
	struct evs_jlex *l = &r->lex;

	r->column = c;
	if (f->seen == r->row_mark)
		return evs_jlex_fail(l, p, "a key comes twice");
	f->seen = r->row_mark;
	if (l->end - p >= 4 && *p == 'n' && !memcmp(p, "null", 4)) {
		if (!f->nullable)
			return evs_misfit(r, p, "null in a NOT NULL column");
		return evs_put_null(a) ? p + 4 : evs_read_nomem(r);
	}
	return evs_read_value(r, f->plan, a, p);
}

/* All fields up to the closing brace; returns behind it. */
static const char *read_fields(struct evs_json_reader *r, struct evs_array *cols, const char *p,
			       uint16_t *nseen)
{
	struct evs_jlex *l = &r->lex;
	uint16_t prev = r->ncols, c;

	p = evs_jlex_space(p, l->end);
	if (p < l->end && *p == '}')
		return p + 1;
	for (;;) {
		p = read_key(r, prev, p, &c);
		if (!p)
			return NULL;
		if (p < l->end && *p <= ' ')
			p = evs_jlex_space(p, l->end);
		if (p == l->end)
			return evs_jlex_fail(l, p, "expected a value");
		if (c < r->ncols) {
			p = read_field(r, c, &cols[c], p);
			prev = c;
			++*nseen;
		} else {
			p = read_extra(r, p);
		}
		if (!p)
			return NULL;
		if (p < l->end && *p != ',')
			p = evs_jlex_space(p, l->end);
		if (p < l->end && *p == '}')
			return p + 1;
		if (p == l->end || *p != ',')
			return evs_jlex_fail(l, p, "expected ',' or '}'");
		if (++p < l->end && *p != '"')
			p = evs_jlex_space(p, l->end);
	}
}

static bool finish_extra(struct evs_json_reader *r, const char *line)
{
	struct evs_array *a = r->extra;

	if (!r->extra_len)
		return true;
	if (evs_keyset_find_twice(&r->walk.keys, (char *)r->walk.bytes.p) >= 0) {
		evs_jlex_fail(&r->lex, line, "a key comes twice");
		return false;
	}
	if (!put_extra(r, "}", 1))
		return false;
	a->offs[a->rows + 1] = a->offs[a->rows] + (int32_t)r->extra_len;
	evs_mark_row(a);
	return true;
}

/* ---- the row ----------------------------------------------------------------------------- */

static void roll_back(struct evs_json_reader *r, struct evs_array *cols, uint32_t rows)
{
	for (uint16_t i = 0; i < r->ncols; i++) {
		struct evs_read_field *f = &r->fields[i];
		uint8_t bit = (uint8_t)(1u << (rows & 7));

		evs_array_truncate(&cols[i], rows);
		if (f->absent && f->absent[rows >> 3] & bit) {
			f->absent[rows >> 3] &= (uint8_t)~bit;
			f->nabsent--;
		}
	}
}

static void start_row(struct evs_json_reader *r, const char *line, size_t len,
		      struct evs_array *cols)
{
	r->lex.start = line;
	r->lex.end = line + len;
	r->lex.readable =
		(uintptr_t)line - (uintptr_t)r->piece < (uintptr_t)(r->piece_end - r->piece)
			? r->piece_end
			: r->lex.end;
	r->lex.what = NULL;
	r->misfit = NULL;
	r->nomem = false;
	r->row_dropped = 0;
	r->row_nested = 0;
	r->column = r->ncols;
	r->extra = &cols[r->table->extra_column];
	r->extra_len = 0;
	/* One mad line is no reason to keep megabytes. */
	if (r->walk.bytes.cap > KEEP)
		evs_buf_release(&r->walk.bytes);
	if (r->walk.keys.cap > KEEP / sizeof(struct evs_key))
		evs_keyset_release(&r->walk.keys);
	r->walk.bytes.len = 0;
	r->walk.keys.n = 0;
	if (!++r->row_mark) {
		r->row_mark = 1;
		for (size_t i = 0; i < r->ncols; i++)
			r->fields[i].seen = 0;
	}
}

static bool read_line(struct evs_json_reader *r, const char *p, struct evs_array *cols,
		      uint32_t row)
{
	struct evs_jlex *l = &r->lex;
	const char *line = p;
	uint16_t nseen = 0;

	if (*p != '{')
		return evs_jlex_fail(l, p, "expected '{'");
	p = read_fields(r, cols, p + 1, &nseen);
	if (!p)
		return false;
	p = evs_jlex_space(p, l->end);
	if (p != l->end)
		return evs_jlex_fail(l, p, "more text after the object");
	return finish_extra(r, line) && evs_reader_fill_absent(r, cols, row, nseen, line);
}

int evs_json_read_row(struct evs_json_reader *r, const char *line, size_t len,
		      struct evs_array *cols, const char **reason)
{
	uint32_t row = cols[0].rows;
	const char *p;
	int rc;

	*reason = NULL;
	start_row(r, line, len, cols);
	if (len > EVS_MAX_LINE) {
		*reason = "longer than a line may be";
		return EVS_ROW_BAD;
	}
	p = evs_jlex_space(line, r->lex.end);
	if (p == r->lex.end)
		return EVS_ROW_BLANK;
	if (row >= r->absent_rows && !evs_reader_grow_absent(r, row))
		return EVS_E_NOMEM;
	if (read_line(r, p, cols, row)) {
		r->digits_dropped += r->row_dropped;
		r->nested += r->row_nested;
		return EVS_ROW_OK;
	}
	roll_back(r, cols, row);
	rc = evs_read_explain(r);
	*reason = r->reason;
	return rc;
}
