/*
 * Rows as a picture for people: the first number of each row over its first column. Bars, a row
 * each; or a line when the first column is a time, in dots of a quarter of a character's height.
 *
 * All rows are waited for, at most PLOT_ROWS of them; what comes beyond is counted and said.
 */
#include "src/json/json_print.h"

#include "src/expr/expr.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define PLOT_ROWS   10000u
#define PLOT_WIDTH  80	/* columns when there is no terminal */
#define PLOT_HEIGHT 15	/* lines of a line plot */
#define LABEL_MOST  30u /* columns */
#define AXIS	    12	/* columns of the numbers beside a line plot */

struct point {
	char *label;
	unsigned label_width;
	char value[48];
	double x, y;
	bool null;
};

struct evs_plot {
	struct point *p;
	uint32_t n, cap;
	uint64_t more; /* rows beyond PLOT_ROWS */
	bool time, chosen;
	size_t column; /* of the number */
	char *title;
};

/* ---- rows in --------------------------------------------------------------------------------- */

static bool is_time(const struct evs_type *t)
{
	return t->id == EVS_T_DATE || t->id == EVS_T_DATETIME || t->id == EVS_T_DATETIME64;
}

static bool is_number(const struct evs_type *t)
{
	return evs_type_is_number(t) && t->id != EVS_T_BOOL;
}

/* The first number behind the first column; that one itself when there is no other. */
static void choose(struct evs_printer *p, struct evs_plot *plot)
{
	char title[256];

	plot->chosen = true;
	plot->column = p->ncols;
	for (size_t i = p->ncols; i-- > 0;)
		if (is_number(p->cols[i].field->type) && (i > 0 || plot->column == p->ncols))
			plot->column = i;
	plot->time = p->ncols && is_time(p->cols[0].field->type);
	if (plot->column == p->ncols)
		return;
	snprintf(title, sizeof(title), "%.100s by %.100s", p->cols[plot->column].field->name,
		 p->cols[0].field->name);
	plot->title = strdup(title);
}

static int set_label(struct evs_printer *p, struct point *to, uint32_t row)
{
	struct evs_buf shown = { 0 };
	char small[EVS_SCALAR_ROOM];
	const char *s = "NULL";
	size_t n = 4;

	if (!evs_array_is_null(p->cols[0].array, row))
		s = evs_cell_bytes(p, &p->cols[0], row, &n, small);
	if (!s)
		return EVS_E_NOMEM;
	to->label_width = evs_show_text(&shown, s, n, LABEL_MOST);
	evs_buf_put_u8(&shown, 0);
	if (!evs_buf_ok(&shown)) {
		evs_buf_release(&shown);
		return EVS_E_NOMEM;
	}
	to->label = (char *)shown.p;
	return 0;
}

int evs_plot_row(struct evs_printer *p, uint32_t row)
{
	struct evs_plot *plot = p->plot;
	struct evs_print_col *c;
	struct point *to;

	if (!plot->chosen)
		choose(p, plot);
	if (plot->n == PLOT_ROWS || plot->column == p->ncols) {
		plot->more++;
		return 0;
	}
	if (plot->n == plot->cap) {
		uint32_t cap = plot->cap ? plot->cap * 2 : 64;

		to = realloc(plot->p, cap * sizeof(*to));
		if (!to)
			return EVS_E_NOMEM;
		plot->p = to;
		plot->cap = cap;
	}
	to = &plot->p[plot->n];
	*to = (struct point){ 0 };
	c = &p->cols[plot->column];
	to->null = evs_array_is_null(c->array, row) ||
		   (plot->time && evs_array_is_null(p->cols[0].array, row));
	if (!to->null) {
		char text[EVS_SCALAR_ROOM + 1];
		size_t n =
			evs_plain_print(c->field->type, c->array, row, &c->day, p->out.ops, text);

		snprintf(to->value, sizeof(to->value), "%.*s", (int)n, text);
		to->y = n ? strtod(to->value, NULL) : NAN;
		to->null = !isfinite(to->y);
		if (plot->time)
			to->x = (double)(int64_t)evs_array_int(p->cols[0].array, row);
	}
	if (set_label(p, to, row) < 0)
		return EVS_E_NOMEM;
	plot->n++;
	return 0;
}

/* ---- bars ------------------------------------------------------------------------------------ */

static void put_text(struct evs_printer *p, const char *s)
{
	evs_out_put(&p->out, s, strlen(s));
}

static void put_blanks(struct evs_printer *p, int n)
{
	for (; n > 0; n--)
		evs_out_char(&p->out, ' ');
}

static void color(struct evs_printer *p, bool on)
{
	if (p->opts.color)
		put_text(p, on ? "\033[36m" : "\033[0m");
}

/* A bar of so many eighths of a column, growing to the right. */
static void put_bar(struct evs_printer *p, int eighths)
{
	static const char *const part[] = { "",
					    "\xe2\x96\x8f",
					    "\xe2\x96\x8e",
					    "\xe2\x96\x8d",
					    "\xe2\x96\x8c",
					    "\xe2\x96\x8b",
					    "\xe2\x96\x8a",
					    "\xe2\x96\x89" };

	color(p, true);
	for (; eighths >= 8; eighths -= 8)
		put_text(p, "\xe2\x96\x88");
	put_text(p, part[eighths > 0 ? eighths : 0]);
	color(p, false);
}

/* Widest of labels and of values, and the range of numbers, zero included. */
static void measure(const struct evs_plot *plot, unsigned *label, unsigned *value, double *low,
		    double *high)
{
	*label = *value = 0;
	*low = *high = 0;
	for (uint32_t i = 0; i < plot->n; i++) {
		const struct point *pt = &plot->p[i];
		unsigned n = (unsigned)strlen(pt->value);

		*label = pt->label_width > *label ? pt->label_width : *label;
		*value = n > *value ? n : *value;
		if (!pt->null && pt->y < *low)
			*low = pt->y;
		if (!pt->null && pt->y > *high)
			*high = pt->y;
	}
}

/* Negative bars lie to the left of zero, which is where all others begin. */
static void draw_bars(struct evs_printer *p)
{
	struct evs_plot *plot = p->plot;
	int width = p->opts.width > 0 ? p->opts.width : PLOT_WIDTH, room, left;
	unsigned label, value;
	double low, high;

	measure(plot, &label, &value, &low, &high);
	room = width - (int)label - (int)value - 3;
	room = room < 8 ? 8 : room;
	left = low < 0 ? (int)(room * (low / (low - high))) : 0;
	for (uint32_t i = 0; i < plot->n; i++) {
		const struct point *pt = &plot->p[i];
		double cells = high > low ? pt->y / (high - low) * room : 0;
		int back = pt->y < 0 ? (int)(-cells + 0.5) : 0;

		put_text(p, pt->label);
		put_blanks(p, (int)(label - pt->label_width) + 1);
		if (pt->null) {
			put_text(p, "-\n");
			continue;
		}
		put_blanks(p, left - back);
		put_bar(p, pt->y < 0 ? back * 8 : (int)(cells * 8 + 0.5));
		evs_out_char(&p->out, ' ');
		put_text(p, pt->value);
		evs_out_char(&p->out, '\n');
	}
}

/* ---- a line ---------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	double x = ((const struct point *)a)->x, y = ((const struct point *)b)->x;

	return (x > y) - (x < y);
}

/* Braille: a character has 2 by 4 dots. */
struct canvas {
	uint8_t *cell;
	int width, height; /* in dots */
};

static void dot(struct canvas *c, int x, int y)
{
	static const uint8_t bit[4][2] = { { 1, 8 }, { 2, 16 }, { 4, 32 }, { 64, 128 } };

	if (x >= 0 && y >= 0 && x < c->width && y < c->height)
		c->cell[y / 4 * (c->width / 2) + x / 2] |= bit[y % 4][x % 2];
}

/* Bresenham's line. */
static void line(struct canvas *c, int x0, int y0, int x1, int y1)
{
	int dx = abs(x1 - x0), dy = -abs(y1 - y0), sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1;
	int err = dx + dy;

	for (;;) {
		int twice = 2 * err;

		dot(c, x0, y0);
		if (x0 == x1 && y0 == y1)
			return;
		if (twice >= dy) {
			err += dy;
			x0 += sx;
		}
		if (twice <= dx) {
			err += dx;
			y0 += sy;
		}
	}
}

static void put_axis(struct evs_printer *p, double v)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%.5g", v);

	put_blanks(p, AXIS - 2 - n);
	put_text(p, text);
}

static void put_canvas(struct evs_printer *p, const struct canvas *c, double low, double high)
{
	int cells = c->width / 2, lines = c->height / 4;

	for (int y = 0; y < lines; y++) {
		if (y == 0 || y == lines - 1 || y == lines / 2)
			put_axis(p, high - (high - low) * y / (lines - 1));
		else
			put_blanks(p, AXIS - 2);
		put_text(p, " \xe2\x94\x82");
		color(p, true);
		for (int x = 0; x < cells; x++) {
			uint8_t v = c->cell[y * cells + x];
			char utf8[4] = { (char)0xe2, (char)(0xa0 | v >> 6), (char)(0x80 | (v & 63)),
					 0 };

			put_text(p, v ? utf8 : " ");
		}
		color(p, false);
		evs_out_char(&p->out, '\n');
	}
}

/* First and last time below. */
static void put_times(struct evs_printer *p, int cells, const struct point *first,
		      const struct point *last)
{
	int gap = cells - (int)first->label_width - (int)last->label_width;

	put_blanks(p, AXIS);
	put_text(p, first->label);
	put_blanks(p, gap > 1 ? gap : 1);
	if (last != first)
		put_text(p, last->label);
	evs_out_char(&p->out, '\n');
}

static int draw_line(struct evs_printer *p)
{
	struct evs_plot *plot = p->plot;
	int width = p->opts.width > 0 ? p->opts.width : PLOT_WIDTH, cells = width - AXIS, px = 0,
	    py = 0;
	struct canvas c = { .height = PLOT_HEIGHT * 4 };
	unsigned label, value;
	uint32_t n = 0;
	double low, high, from, span;

	for (uint32_t i = 0; i < plot->n; i++) { /* those without a number go to the end */
		struct point swap = plot->p[n];

		if (plot->p[i].null)
			continue;
		plot->p[n] = plot->p[i];
		plot->p[i] = swap;
		n++;
	}
	if (!n)
		return 0;
	cells = cells < 10 ? 10 : cells;
	c.width = cells * 2;
	c.cell = calloc((size_t)cells * PLOT_HEIGHT, 1);
	if (!c.cell)
		return EVS_E_NOMEM;
	qsort(plot->p, n, sizeof(*plot->p), by_time);
	measure(plot, &label, &value, &low, &high);
	high = high > low ? high : low + 1;
	from = plot->p[0].x;
	span = plot->p[n - 1].x - from;
	for (uint32_t i = 0; i < n; i++) {
		int x = span > 0 ? (int)((plot->p[i].x - from) / span * (c.width - 1) + 0.5) : 0;
		int y = (int)((high - plot->p[i].y) / (high - low) * (c.height - 1) + 0.5);

		line(&c, i ? px : x, i ? py : y, x, y);
		px = x;
		py = y;
	}
	put_canvas(p, &c, low, high);
	put_times(p, cells, &plot->p[0], &plot->p[n - 1]);
	free(c.cell);
	return 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

int evs_plot_new(struct evs_plot **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : EVS_E_NOMEM;
}

void evs_plot_free(struct evs_plot *plot)
{
	if (!plot)
		return;
	for (uint32_t i = 0; i < plot->n; i++)
		free(plot->p[i].label);
	free(plot->p);
	free(plot->title);
	free(plot);
}

int evs_plot_end(struct evs_printer *p)
{
	struct evs_plot *plot = p->plot;
	char more[80];
	int rc = 0;

	if (plot->chosen && !plot->title) {
		put_text(p, "there is no number to draw\n");
		return 0;
	}
	if (plot->title) {
		put_text(p, plot->title);
		evs_out_char(&p->out, '\n');
	}
	if (plot->time)
		rc = draw_line(p);
	else
		draw_bars(p);
	if (plot->more) {
		snprintf(more, sizeof(more), "... and %llu rows more\n",
			 (unsigned long long)plot->more);
		put_text(p, more);
	}
	return rc;
}
