/*
 * The printer: batches of rows to text. This file has the handle and NDJSON, one JSON object a
 * line: columns in schema order, nulls left out, the fields of _extra in their place among
 * them.
 */
#include "src/json/json_print.h"

#include "src/diag.h"

#include <math.h>
#include <stdlib.h>

int evs_print_open(struct evs_printer **out, const struct evs_print_opts *opts, evs_write_fn *write,
		   void *arg, struct evs_diag *diag)
{
	struct evs_printer *p;

	if (opts->output < EVS_NDJSON || opts->output > EVS_PLOT)
		return evs_fail(diag, EVS_E_USAGE, "no such output format: %d", (int)opts->output);
	p = calloc(1, sizeof(*p));
	if (!p)
		return evs_fail_nomem(diag);
	p->opts = *opts;
	p->out.ops = p->text.ops = evs_json_best_ops();
	p->out.write = write;
	p->out.arg = arg;
	if (!evs_buf_reserve(&p->out.buf, EVS_OUT_SIZE) ||
	    (opts->output == EVS_TABLE && evs_grid_new(&p->grid) < 0) ||
	    (opts->output == EVS_PLOT && evs_plot_new(&p->plot) < 0)) {
		evs_print_close(p);
		return evs_fail_nomem(diag);
	}
	*out = p;
	return 0;
}

void evs_print_close(struct evs_printer *p)
{
	if (!p)
		return;
	evs_buf_release(&p->out.buf);
	evs_buf_release(&p->text.buf);
	evs_buf_release(&p->keys);
	evs_grid_free(p->grid);
	evs_buf_release(&p->walk.bytes);
	evs_keyset_release(&p->walk.keys);
	evs_plot_free(p->plot);
	for (size_t i = 0; i < p->cols_cap; i++)
		free(p->cols[i].enums);
	free(p->cols);
	free(p);
}

/* 0, or why the output failed. */
static int outcome(struct evs_printer *p, struct evs_diag *diag)
{
	if (p->out.buf.failed || p->text.buf.failed || p->keys.failed)
		return evs_fail_nomem(diag);
	if (p->out.stopped)
		return evs_fail(diag, EVS_E_STOP, "the output was closed");
	return 0;
}

/* Look at the columns of a batch. Fields and arrays stay the batch's. */
static int set_columns(struct evs_printer *p, const struct evs_batch *b)
{
	struct evs_print_col *c;
	size_t from;

	if (b->ncols >= p->cols_cap) {
		c = realloc(p->cols, (b->ncols + 1) * sizeof(*c));
		if (!c)
			return EVS_E_NOMEM;
		p->cols = c;
		memset(c + p->cols_cap, 0, (b->ncols + 1 - p->cols_cap) * sizeof(*c));
		p->cols_cap = b->ncols + 1;
	}
	p->ncols = b->ncols;
	p->batch++;
	evs_buf_reset(&p->keys);
	for (size_t i = 0; i < b->ncols; i++) {
		c = &p->cols[i];
		*c = (struct evs_print_col){ .field = &b->fields[i],
					     .array = &b->cols[i],
					     .enums = c->enums };
		from = p->keys.len;
		evs_json_put_string(&p->keys, c->field->name, c->field->name_len);
		evs_buf_put_u8(&p->keys, ':');
		c->key_len = p->keys.len - from;
	}
	evs_buf_put_zero(&p->keys, 32);
	if (!evs_buf_ok(&p->keys))
		return EVS_E_NOMEM;
	from = 0;
	for (size_t i = 0; i < b->ncols; i++) {
		p->cols[i].key = (char *)p->keys.p + from;
		from += p->cols[i].key_len;
	}
	return 0;
}

/* ---- NDJSON ------------------------------------------------------------------------------ */

/* `,"name":`; there is room for 32 bytes more than that. */
static inline void put_key(struct evs_out *o, const struct evs_print_col *c, char before)
{
	char *d = evs_out_at(o);

	*d++ = before;
	if (c->key_len <= 32)
		memcpy(d, c->key, 32);
	else
		memcpy(d, c->key, c->key_len);
	o->buf.len += 1 + c->key_len;
}

/* The fields of an _extra object, without its braces. False: there are none. */
static bool put_extra(struct evs_out *o, const struct evs_print_col *c, uint32_t row, char before)
{
	size_t n;
	const uint8_t *s = evs_array_bytes(c->array, row, &n);

	if (n <= 2)
		return false;
	evs_out_char(o, before);
	evs_out_json(o, (const char *)s + 1, n - 2);
	return true;
}

/* A field of _extra: a column of its name that came later says nothing about this row. */
static bool note_kept(void *arg, const char *key, size_t klen, const char *val, size_t vlen)
{
	struct evs_printer *p = arg;

	(void)val;
	(void)vlen;
	for (size_t i = 0; i < p->ncols; i++)
		if (p->cols[i].field->name_len == klen &&
		    !memcmp(p->cols[i].field->name, key, klen))
			p->cols[i].kept = (uint64_t)p->row + 1;
	return true;
}

static void mark_kept(struct evs_printer *p, uint32_t row)
{
	size_t n;

	p->row = row;
	for (size_t i = 0; i < p->ncols; i++) {
		const struct evs_array *a = p->cols[i].array;
		const uint8_t *s;

		if (!p->cols[i].field->extra || evs_array_is_null(a, row))
			continue;
		s = evs_array_bytes(a, row, &n);
		if (n > 2 && evs_walk_object(&p->walk, (const char *)s, n, note_kept, p) < 0)
			p->text.buf.failed = true;
	}
}

/* There is room. */
static void put_id(struct evs_out *o, const struct evs_array *a, uint32_t row)
{
	char *d = evs_out_at(o);

	d[0] = '"';
	o->ops->uuid_print(a->data + (size_t)row * 16, d + 1);
	d[37] = '"';
	o->buf.len += 38;
}

/* What an enum's value is in JSON, when it is short: found once a batch. NULL: print it. */
static const struct evs_enum_text *enum_text(struct evs_printer *p, struct evs_print_col *c,
					     uint32_t row)
{
	int16_t v = (int16_t)evs_array_int(c->array, row);
	struct evs_enum_text *e;
	struct evs_buf *text = &p->text.buf;

	if (!c->enums && !(c->enums = calloc(EVS_ENUM_TEXTS, sizeof(*c->enums))))
		return NULL;
	e = &c->enums[(uint8_t)v];
	if (e->batch == p->batch && e->value == v)
		return e->len ? e : NULL;
	text->len = 0;
	evs_out_value(&p->text, c->field->type, c->array, row, &c->day);
	*e = (struct evs_enum_text){ .batch = p->batch, .value = v };
	if (evs_buf_ok(text) && text->len <= EVS_ENUM_ROOM) {
		memcpy(e->text, text->p, text->len);
		e->len = (uint8_t)text->len;
	}
	return e->len ? e : NULL;
}

/* A value that is not null, behind its key; there is room for EVS_SCALAR_ROOM bytes. */
static void put_value(struct evs_printer *p, struct evs_print_col *c, uint32_t row)
{
	const struct evs_type *t = c->field->type;
	const struct evs_enum_text *e;
	struct evs_out *o = &p->out;
	const uint8_t *s;
	int64_t ticks;
	size_t n;

	switch (t->id) {
	case EVS_T_STRING:
		s = evs_array_bytes(c->array, row, &n);
		evs_out_string(o, (const char *)s, n);
		return;
	case EVS_T_UUID:
		put_id(o, c->array, row);
		return;
	case EVS_T_DATETIME64:
		memcpy(&ticks, c->array->data + (size_t)row * 8, 8);
		evs_out_time(o, ticks, t->scale, &c->day);
		return;
	case EVS_T_ENUM:
		e = enum_text(p, c, row);
		if (e) {
			memcpy(evs_out_at(o), e->text, EVS_ENUM_ROOM);
			o->buf.len += e->len;
			return;
		}
		break;
	default:
		break;
	}
	evs_out_value(o, t, c->array, row, &c->day);
}

static void print_json_row(struct evs_printer *p, uint32_t row)
{
	struct evs_out *o = &p->out;
	char before = '{';

	for (size_t i = 0; i < p->ncols; i++) {
		struct evs_print_col *c = &p->cols[i];
		const struct evs_array *a = c->array;
		bool null = evs_array_is_null(a, row);

		if ((null && (!p->opts.nulls || c->field->extra)) || c->kept == (uint64_t)row + 1)
			continue;
		if (c->field->extra) {
			if (put_extra(o, c, row, before))
				before = ',';
			continue;
		}
		if (!evs_out_room(o, c->key_len + 1 + 32 + EVS_SCALAR_ROOM))
			return;
		put_key(o, c, before);
		before = ',';
		if (null)
			evs_out_put(o, "null", 4);
		else
			put_value(p, c, row);
	}
	if (!evs_out_room(o, 3))
		return;
	if (before == '{')
		evs_out_char(o, '{');
	memcpy(evs_out_at(o), "}\n", 2);
	o->buf.len += 2;
}

/* ---- all formats ------------------------------------------------------------------------- */

const char *evs_cell_bytes(struct evs_printer *p, struct evs_print_col *c, uint32_t row, size_t *n,
			   char *small)
{
	const struct evs_type *t = c->field->type;

	if (evs_type_is_plain(t)) {
		*n = evs_plain_print(t, c->array, row, &c->day, p->out.ops, small);
		if (*n)
			return small;
		*n = 3; /* a query's answer may be no number */
		return isnan(evs_array_float(c->array, row)) ? "nan"
		       : evs_array_float(c->array, row) > 0  ? "inf"
							     : (*n = 4, "-inf");
	}
	if (t->id != EVS_T_ARRAY && t->id != EVS_T_MAP)
		return evs_text_bytes(t, c->array, row, n, small);
	p->text.buf.len = 0;
	evs_out_value(&p->text, t, c->array, row, &c->day);
	*n = p->text.buf.len;
	return evs_buf_ok(&p->text.buf) ? (char *)p->text.buf.p : NULL;
}

int evs_print_batch(struct evs_printer *p, const struct evs_batch *b, uint64_t max_rows,
		    struct evs_diag *diag)
{
	uint32_t rows = b->rows < max_rows ? b->rows : (uint32_t)max_rows;

	if (set_columns(p, b) < 0)
		return evs_fail_nomem(diag);
	if (!p->header_done && (p->opts.output == EVS_CSV || p->opts.output == EVS_TSV))
		evs_print_separated_header(p);
	p->header_done = true;
	for (uint32_t i = 0; i < rows; i++) {
		switch (p->opts.output) {
		case EVS_NDJSON:
			if (b->grown)
				mark_kept(p, i);
			print_json_row(p, i);
			break;
		case EVS_TABLE:
			if (evs_grid_row(p, i) < 0)
				return evs_fail_nomem(diag);
			break;
		case EVS_PLOT:
			if (evs_plot_row(p, i) < 0)
				return evs_fail_nomem(diag);
			break;
		default:
			evs_print_separated_row(p, i);
		}
		if (p->out.buf.len >= EVS_OUT_SIZE / 2 && !evs_out_flush(&p->out))
			break;
	}
	return outcome(p, diag);
}

int evs_print_flush(struct evs_printer *p, struct evs_diag *diag)
{
	if (p->grid && evs_grid_settle(p) < 0)
		return evs_fail_nomem(diag);
	evs_out_flush(&p->out);
	return outcome(p, diag);
}

int evs_print_end(struct evs_printer *p, struct evs_diag *diag)
{
	if (p->grid) {
		if (evs_grid_settle(p) < 0)
			return evs_fail_nomem(diag);
		evs_grid_end(p);
	}
	if (p->plot && evs_plot_end(p) < 0)
		return evs_fail_nomem(diag);
	evs_out_flush(&p->out);
	return outcome(p, diag);
}
