/*
 * The reader as a handle: making it from a table, and its account of absent columns, which the
 * caller fills with their defaults.
 */
#include "src/json/json_reader.h"

#include <assert.h>
#include <stdlib.h>

#define ABSENT_STEP 1024u /* rows that absent bitmaps start with */

static void free_fields(struct evs_json_reader *r)
{
	for (size_t i = 0; r->fields && i < r->ncols; i++) {
		evs_plan_free(r->fields[i].plan);
		free(r->fields[i].absent);
	}
	if (r->fields)
		free((void *)(uintptr_t)r->fields[0].key); /* all keys are in one piece */
	free(r->fields);
}

void evs_json_reader_free(struct evs_json_reader *r)
{
	if (!r)
		return;
	free_fields(r);
	evs_buf_release(&r->text);
	evs_buf_release(&r->walk.bytes);
	evs_keyset_release(&r->walk.keys);
	free(r);
}

/* `"name":` of every column, one after the other. */
static int make_keys(struct evs_json_reader *r)
{
	struct evs_buf b = { 0 };
	const char *p;

	for (size_t i = 0; i < r->ncols; i++) {
		size_t from = b.len;

		evs_json_put_string(&b, r->table->cols[i].name, r->table->cols[i].name_len);
		evs_buf_put_u8(&b, ':');
		r->fields[i].key_len = (uint32_t)(b.len - from);
	}
	evs_buf_put_zero(&b, EVS_PLAIN); /* may be read behind the last one */
	if (!evs_buf_ok(&b)) {
		evs_buf_release(&b);
		return EVS_E_NOMEM;
	}
	p = (char *)b.p; /* now r's */
	for (size_t i = 0; i < r->ncols; i++) {
		r->fields[i].key = p;
		p += r->fields[i].key_len;
	}
	return 0;
}

int evs_json_reader_new(struct evs_json_reader **out, const struct evs_table *t)
{
	struct evs_json_reader *r = calloc(1, sizeof(*r));

	assert(t->extra_column >= 0 && t->extra_column < t->ncols);
	if (!r)
		return EVS_E_NOMEM;
	r->table = t;
	r->lex.ops = evs_json_best_ops();
	r->fields = calloc((size_t)t->ncols + 1, sizeof(*r->fields));
	if (!r->fields)
		goto fail;
	r->ncols = t->ncols;
	if (make_keys(r) < 0)
		goto fail;
	for (uint16_t i = 0; i < t->ncols; i++) {
		struct evs_read_field *f = &r->fields[i];

		f->next = (uint16_t)(i + 1);
		f->nullable = t->cols[i].nullable;
		f->hidden = t->cols[i].hidden;
		f->has_default = t->cols[i].def_kind != EVS_DEFAULT_NONE;
		f->plan = evs_plan_new(&t->cols[i].type, false);
		if (!f->plan)
			goto fail;
	}
	*out = r;
	return 0;
fail:
	evs_json_reader_free(r);
	return EVS_E_NOMEM;
}

/* ---- absent columns ---------------------------------------------------------------------- */

bool evs_reader_grow_absent(struct evs_json_reader *r, uint32_t row)
{
	uint32_t rows = r->absent_rows ? r->absent_rows : ABSENT_STEP;

	while (rows <= row && rows < UINT32_MAX / 2)
		rows *= 2;
	for (uint16_t i = 0; i < r->ncols; i++) {
		struct evs_read_field *f = &r->fields[i];
		uint8_t *p;

		if (!f->absent)
			continue;
		p = realloc(f->absent, rows / 8);
		if (!p)
			return false;
		memset(p + r->absent_rows / 8, 0, (rows - r->absent_rows) / 8);
		f->absent = p;
	}
	r->absent_rows = rows;
	return true;
}

static bool note_absent(struct evs_json_reader *r, struct evs_read_field *f, uint32_t row)
{
	if (!f->absent) {
		f->absent = calloc(r->absent_rows / 8, 1);
		if (!f->absent)
			return false;
	}
	f->absent[row >> 3] |= (uint8_t)(1u << (row & 7));
	f->nabsent++;
	return true;
}

bool evs_reader_fill_absent(struct evs_json_reader *r, struct evs_array *cols, uint32_t row,
			    uint16_t nseen, const char *line)
{
	/* Declared columns stand first; mostly all of them come. */
	for (uint16_t i = nseen == r->table->ndeclared ? nseen : 0; i < r->ncols; i++) {
		struct evs_read_field *f = &r->fields[i];

		if (f->seen == r->row_mark || (i == r->table->extra_column && r->extra_len))
			continue;
		if (!f->hidden && !f->nullable && !f->has_default) {
			r->column = i;
			evs_misfit(r, line, "absent, and the column is NOT NULL");
			return false;
		}
		if (!evs_put_null(&cols[i]) || (f->has_default && !note_absent(r, f, row))) {
			evs_read_nomem(r);
			return false;
		}
	}
	return true;
}

/* ---- what the caller asks ---------------------------------------------------------------- */

const uint8_t *evs_json_reader_absent(const struct evs_json_reader *r, uint16_t ordinal,
				      uint32_t *count)
{
	const struct evs_read_field *f = &r->fields[ordinal];

	*count = f->nabsent;
	return f->nabsent ? f->absent : NULL;
}

size_t evs_json_reader_nested(const struct evs_json_reader *r)
{
	return r->nested;
}

void evs_json_reader_piece(struct evs_json_reader *r, const char *p, size_t len)
{
	r->piece = p;
	r->piece_end = p ? p + len : NULL;
}

void evs_json_reader_clear(struct evs_json_reader *r)
{
	r->nested = 0;
	for (uint16_t i = 0; i < r->ncols; i++) {
		if (r->fields[i].nabsent)
			memset(r->fields[i].absent, 0, r->absent_rows / 8);
		r->fields[i].nabsent = 0;
	}
}

uint64_t evs_json_reader_digits_dropped(const struct evs_json_reader *r)
{
	return r->digits_dropped;
}

void evs_json_reader_set_strict(struct evs_json_reader *r, bool strict)
{
	r->strict = strict;
}
