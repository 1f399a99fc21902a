/*
 * CSV (RFC 4180, with \n as line end) and TSV (ClickHouse's TabSeparatedWithNames).
 *
 * CSV: a value with a comma, a quote or a line end is quoted; null is empty, the empty string
 * is "". TSV: \t, \n, \r, \0, \b, \f and the backslash are escaped; null is \N. Nested values
 * are JSON text. The hidden _extra is left out unless it was asked for by name.
 */
#include "src/json/json_print.h"

/* End of the bytes at s that can be written as they are. */
static const char *clean_csv(const char *s, const char *end)
{
	while (s < end && *s != '"')
		s++;
	return s;
}

static const char *clean_tsv(const char *s, const char *end)
{
	while (s < end && *s != '\\' && ((unsigned char)*s >= 0x20 || !strchr("\t\n\r\b\f", *s)))
		s++; /* strchr finds the zero byte too */
	return s;
}

static void put_csv(struct evs_out *o, const char *s, size_t n)
{
	const char *end = s + n, *stop;
	bool quote = !n;

	for (const char *p = s; p < end && !quote; p++)
		quote = *p == '"' || *p == ',' || *p == '\n' || *p == '\r';
	if (!quote) {
		evs_out_put(o, s, n);
		return;
	}
	evs_out_char(o, '"');
	while (s < end) {
		stop = clean_csv(s, end);
		evs_out_put(o, s, (size_t)(stop - s));
		if (stop == end)
			break;
		evs_out_put(o, "\"\"", 2);
		s = stop + 1;
	}
	evs_out_char(o, '"');
}

static void put_tsv(struct evs_out *o, const char *s, size_t n)
{
	const char *end = s + n;

	for (;;) {
		const char *stop = clean_tsv(s, end);
		char pair[2] = { '\\', 0 };

		evs_out_put(o, s, (size_t)(stop - s));
		if (stop == end)
			return;
		switch (*stop) {
		case '\t':
			pair[1] = 't';
			break;
		case '\n':
			pair[1] = 'n';
			break;
		case '\r':
			pair[1] = 'r';
			break;
		case '\b':
			pair[1] = 'b';
			break;
		case '\f':
			pair[1] = 'f';
			break;
		case 0:
			pair[1] = '0';
			break;
		default:
			pair[1] = *stop;
		}
		evs_out_put(o, pair, 2);
		s = stop + 1;
	}
}

static void put_bytes(struct evs_printer *p, const char *s, size_t n)
{
	if (p->opts.output == EVS_CSV)
		put_csv(&p->out, s, n);
	else
		put_tsv(&p->out, s, n);
}

void evs_print_separated_header(struct evs_printer *p)
{
	bool first = true;

	for (size_t i = 0; i < p->ncols; i++) {
		const struct evs_field *f = p->cols[i].field;

		if (f->extra)
			continue;
		if (!first)
			evs_out_char(&p->out, p->opts.output == EVS_CSV ? ',' : '\t');
		put_bytes(p, f->name, f->name_len);
		first = false;
	}
	evs_out_char(&p->out, '\n');
}

void evs_print_separated_row(struct evs_printer *p, uint32_t row)
{
	struct evs_out *o = &p->out;
	bool first = true;

	for (size_t i = 0; i < p->ncols; i++) {
		struct evs_print_col *c = &p->cols[i];
		char small[EVS_SCALAR_ROOM];
		const char *s;
		size_t n;

		if (c->field->extra)
			continue;
		if (!first)
			evs_out_char(o, p->opts.output == EVS_CSV ? ',' : '\t');
		first = false;
		if (evs_array_is_null(c->array, row)) {
			if (p->opts.output == EVS_TSV)
				evs_out_put(o, "\\N", 2);
			continue;
		}
		s = evs_cell_bytes(p, c, row, &n, small);
		if (!s)
			return; /* p->text has failed, which the caller sees */
		if (s == small)
			evs_out_put(o, s, n);
		else
			put_bytes(p, s, n);
	}
	evs_out_char(o, '\n');
}
