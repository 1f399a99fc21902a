/*
 * Tables for people: aligned columns under a header.
 *
 * Widths come from the first rows, which wait until there are enough of them; later values that
 * are wider are cut. With a terminal's width given, the widest columns are narrowed until the
 * lines fit, and when there are too many columns even so, those at the end are left out and the
 * foot says how many.
 */
#include "src/json/json_print.h"

#include <stdlib.h>

#define WINDOW_ROWS  1000u
#define WINDOW_BYTES ((size_t)2 << 20)
#define CELL_MAX     400u /* columns of the widest cell */
#define NARROWEST    6u	  /* no column is narrowed below this */
#define GAP	     2u	  /* between columns */

struct evs_grid {
	/* of the rows that wait: u32 bytes, then the text, column by column */
	struct evs_buf cells;
	uint32_t waiting;
	bool settled;
	bool started;
	unsigned *width;      /* one a column */
	size_t ncols, shown;  /* columns; how many of them are printed */
	struct evs_buf names; /* zero-terminated, as shown */
	bool *right;
	struct evs_buf text; /* one cell */
	uint64_t rows;
};

int evs_grid_new(struct evs_grid **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : EVS_E_NOMEM;
}

void evs_grid_free(struct evs_grid *g)
{
	if (!g)
		return;
	evs_buf_release(&g->cells);
	evs_buf_release(&g->names);
	evs_buf_release(&g->text);
	free(g->width);
	free(g->right);
	free(g);
}

/* Names and shapes of the columns, at the first row. */
static int start(struct evs_printer *p)
{
	struct evs_grid *g = p->grid;

	g->started = true;
	g->width = calloc(p->ncols + 1, sizeof(*g->width));
	g->right = calloc(p->ncols + 1, sizeof(*g->right));
	if (!g->width || !g->right)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < p->ncols; i++) {
		const struct evs_field *f = p->cols[i].field;

		if (f->extra)
			continue;
		g->width[g->ncols] = evs_show_text(&g->names, f->name, f->name_len, CELL_MAX);
		g->right[g->ncols] = evs_type_is_number(f->type) && f->type->id != EVS_T_BOOL;
		evs_buf_put_u8(&g->names, 0);
		g->ncols++;
	}
	return evs_buf_ok(&g->names) ? 0 : EVS_E_NOMEM;
}

/* A cell's text to g->text, at most `max` columns; returns how many, or -1 out of memory. */
static int render(struct evs_printer *p, struct evs_print_col *c, uint32_t row, unsigned max)
{
	struct evs_grid *g = p->grid;
	char small[EVS_SCALAR_ROOM];
	const char *s = "NULL";
	size_t n = 4;
	unsigned width;

	if (!evs_array_is_null(c->array, row))
		s = evs_cell_bytes(p, c, row, &n, small);
	if (!s)
		return -1;
	evs_buf_reset(&g->text);
	width = evs_show_text(&g->text, s, n, max);
	return evs_buf_ok(&g->text) ? (int)width : -1;
}

/* Narrow the widest columns until the lines are no longer than `limit`. */
static void fit(struct evs_grid *g, unsigned limit)
{
	unsigned most = 0;
	size_t total;

	g->shown = g->ncols;
	for (size_t i = 0; i < g->ncols; i++)
		most = g->width[i] > most ? g->width[i] : most;
	if (!limit)
		return;
	for (; most > NARROWEST; most--) {
		total = 0;
		for (size_t i = 0; i < g->ncols; i++)
			total += (g->width[i] < most ? g->width[i] : most) + (i ? GAP : 0);
		if (total <= limit)
			break;
	}
	total = 0;
	for (size_t i = 0; i < g->ncols; i++) {
		if (g->width[i] > most)
			g->width[i] = most;
		total += g->width[i] + (i ? GAP : 0);
		if (total <= limit)
			continue;
		g->shown = i ? i : 1;
		if (!i)
			g->width[0] = limit;
		return;
	}
}

static void put_spaces(struct evs_out *o, unsigned n)
{
	static const char spaces[] = "                                ";

	for (; n > 32; n -= 32)
		evs_out_put(o, spaces, 32);
	evs_out_put(o, spaces, n);
}

/* One cell, padded to its column's width; nothing is padded at the end of a line. */
static void put_cell(struct evs_printer *p, size_t i, const struct evs_buf *text, unsigned width)
{
	struct evs_grid *g = p->grid;
	unsigned pad = g->width[i] > width ? g->width[i] - width : 0;

	if (i)
		put_spaces(&p->out, GAP);
	if (g->right[i])
		put_spaces(&p->out, pad);
	evs_out_put(&p->out, (const char *)text->p, text->len);
	if (!g->right[i] && i + 1 < g->shown)
		put_spaces(&p->out, pad);
}

/* Text that was made fit to show before, cut to column i. */
static bool put_shown(struct evs_printer *p, size_t i, const char *s, size_t n)
{
	struct evs_grid *g = p->grid;
	unsigned width;

	evs_buf_reset(&g->text);
	width = evs_show_text(&g->text, s, n, g->width[i]);
	if (!evs_buf_ok(&g->text))
		return false;
	put_cell(p, i, &g->text, width);
	return true;
}

static bool put_header(struct evs_printer *p)
{
	struct evs_grid *g = p->grid;
	const char *name = (const char *)g->names.p;

	if (p->opts.color)
		evs_out_put(&p->out, "\033[1m", 4);
	for (size_t i = 0; i < g->shown; i++) {
		if (!put_shown(p, i, name, strlen(name)))
			return false;
		name += strlen(name) + 1;
	}
	evs_out_put(&p->out, p->opts.color ? "\033[0m\n\033[2m" : "\n", p->opts.color ? 9 : 1);
	for (size_t i = 0; i < g->shown; i++) {
		if (i)
			put_spaces(&p->out, GAP);
		for (unsigned k = 0; k < g->width[i]; k++)
			evs_out_put(&p->out, "\xe2\x94\x80", 3);
	}
	evs_out_put(&p->out, p->opts.color ? "\033[0m\n" : "\n", p->opts.color ? 5 : 1);
	return true;
}

int evs_grid_settle(struct evs_printer *p)
{
	struct evs_grid *g = p->grid;
	const uint8_t *cell = g->cells.p;

	if (g->settled || !g->started)
		return 0;
	g->settled = true;
	fit(g, p->opts.width > 0 ? (unsigned)p->opts.width : 0);
	if (!put_header(p))
		return EVS_E_NOMEM;
	for (uint32_t row = 0; row < g->waiting; row++) {
		for (size_t i = 0; i < g->ncols; i++) {
			size_t n = evs_get32(cell);

			if (i < g->shown && !put_shown(p, i, (const char *)cell + 4, n))
				return EVS_E_NOMEM;
			cell += 4 + n;
		}
		evs_out_char(&p->out, '\n');
	}
	evs_buf_release(&g->cells);
	return 0;
}

/* A row whose widths are known. */
static int print_row(struct evs_printer *p, uint32_t row)
{
	struct evs_grid *g = p->grid;

	for (size_t i = 0, k = 0; i < p->ncols && k < g->shown; i++) {
		int width;

		if (p->cols[i].field->extra)
			continue;
		width = render(p, &p->cols[i], row, g->width[k]);
		if (width < 0)
			return EVS_E_NOMEM;
		put_cell(p, k, &g->text, (unsigned)width);
		k++;
	}
	evs_out_char(&p->out, '\n');
	return 0;
}

int evs_grid_row(struct evs_printer *p, uint32_t row)
{
	struct evs_grid *g = p->grid;

	if (!g->started && start(p) < 0)
		return EVS_E_NOMEM;
	g->rows++;
	if (g->settled)
		return print_row(p, row);
	for (size_t i = 0, k = 0; i < p->ncols && k < g->ncols; i++) {
		int width;

		if (p->cols[i].field->extra)
			continue;
		width = render(p, &p->cols[i], row, CELL_MAX);
		if (width < 0)
			return EVS_E_NOMEM;
		if ((unsigned)width > g->width[k])
			g->width[k] = (unsigned)width;
		evs_buf_put_u32(&g->cells, (uint32_t)g->text.len);
		evs_buf_put(&g->cells, g->text.p, g->text.len);
		k++;
	}
	if (!evs_buf_ok(&g->cells))
		return EVS_E_NOMEM;
	if (++g->waiting >= WINDOW_ROWS || g->cells.len >= WINDOW_BYTES)
		return evs_grid_settle(p);
	return 0;
}

void evs_grid_end(struct evs_printer *p)
{
	struct evs_grid *g = p->grid;
	char text[32];

	evs_out_char(&p->out, '(');
	evs_out_put(&p->out, text, evs_uint_print(g->rows, text));
	evs_out_put(&p->out, g->rows == 1 ? " row" : " rows", g->rows == 1 ? 4 : 5);
	if (g->settled && g->shown < g->ncols) {
		const char *what =
			g->ncols - g->shown == 1 ? " column not shown" : " columns not shown";

		evs_out_put(&p->out, "; ", 2);
		evs_out_put(&p->out, text, evs_uint_print(g->ncols - g->shown, text));
		evs_out_put(&p->out, what, strlen(what));
	}
	evs_out_put(&p->out, ")\n", 2);
}
