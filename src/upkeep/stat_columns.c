/*
 * evs_stat() by column: what the blocks of each take, by the directories of all groups, and how
 * values are encoded, by a group of each of a few segments, which is decoded.
 */
#include "format/encode.h"
#include "src/diag.h"
#include "src/upkeep/stat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES	  8u /* segments of a stream of which a group is decoded */
#define ENCODINGS 3u /* kept for a column */

struct column_sum {
	uint64_t bytes, raw_bytes, nulls;
	char encoding[ENCODINGS][96];
	unsigned seen[ENCODINGS];
};

struct summing {
	const struct evs_stat_opts *o;
	struct evs_stat_result *result;
	struct evs_report report;
	struct evs_table *table;
	struct column_sum *cols; /* of the table, then small groups, then all else */
	uint64_t rows;
	unsigned sampled;
	/* schema of the groups at hand */
	struct evs_table *old;
	uint64_t old_off;
};

static const struct evs_report_column data_columns[] = {
	{ "stream", EVS_REPORT_TEXT }, { "column", EVS_REPORT_TEXT },
	{ "type", EVS_REPORT_TEXT },   { "bytes", EVS_REPORT_UINT },
	{ "share", EVS_REPORT_REAL },  { "encoded_bytes", EVS_REPORT_UINT },
	{ "nulls", EVS_REPORT_UINT },  { "encodings", EVS_REPORT_TEXT },
};
static const struct evs_report_column people_columns[] = {
	{ "stream", EVS_REPORT_TEXT },	{ "column", EVS_REPORT_TEXT },
	{ "type", EVS_REPORT_TEXT },	{ "size", EVS_REPORT_TEXT },
	{ "percent", EVS_REPORT_REAL }, { "encodings", EVS_REPORT_TEXT },
};

static void tell(void *arg, const struct evs_diag *d)
{
	const struct summing *x = arg;

	if (x->o->on_problem)
		x->o->on_problem(x->o->arg, d);
}

static void on_damage(void *arg, const struct evs_damage *d)
{
	const struct summing *x = arg;

	if (x->o->on_damage)
		x->o->on_damage(x->o->arg, d);
}

/* ---- encodings ------------------------------------------------------------------------------- */

static void print_trace(char *out, size_t cap, const struct evs_trace *t, uint8_t codec)
{
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < t->n && i < EVS_TRACE_NODES && n < cap; i++)
		n += (size_t)snprintf(out + n, cap - n, "%s%s", i ? " " : "",
				      evs_node_name(t->kind[i]));
	if (t->n > EVS_TRACE_NODES && n < cap)
		n += (size_t)snprintf(out + n, cap - n, " ...");
	if (codec != EVS_CODEC_NONE && n < cap)
		(void)snprintf(out + n, cap - n,
			       codec == EVS_CODEC_ZSTD ? " + zstd" : " + zstd with a dictionary");
}

static void count_encoding(struct column_sum *c, const char *text)
{
	for (unsigned i = 0; i < ENCODINGS; i++) {
		if (c->seen[i] && strcmp(c->encoding[i], text) != 0)
			continue;
		if (!c->seen[i]++)
			(void)snprintf(c->encoding[i], sizeof(c->encoding[i]), "%s", text);
		return;
	}
}

static int sample_column(struct summing *x, struct evs_segment *s, const struct evs_group *g,
			 uint16_t ordinal, int to, struct evs_diag *diag)
{
	const struct evs_block *b = evs_group_find(g, ordinal);
	struct evs_trace t = { .n = 0 };
	struct evs_array a = { 0 };
	char text[96];
	int rc;

	if (!b)
		return 0;
	rc = evs_type_array(&x->old->cols[ordinal].type, &a);
	evs_segment_trace(s, &t);
	if (rc == 0)
		rc = evs_segment_column(s, ordinal, &a, diag);
	evs_segment_trace(s, NULL);
	evs_array_release(&a);
	if (rc < 0)
		return rc == EVS_E_NOMEM ? evs_fail_nomem(diag) : rc;
	print_trace(text, sizeof(text), &t, b->codec);
	count_encoding(&x->cols[to], text);
	return 0;
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* The schema that a group was written with. */
static int load_schema(struct summing *x, struct evs_segment *s, uint64_t off,
		       struct evs_diag *diag)
{
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (x->old && x->old_off == off)
		return 0;
	evs_table_free(x->old);
	x->old = NULL;
	rc = evs_segment_schema(s, off, &text, &len, diag);
	if (rc == 0)
		rc = evs_table_parse(&x->old, text, len, diag);
	x->old_off = off;
	free(text);
	return rc;
}

/* Where a column of the group is counted: by its name. */
static int slot(const struct summing *x, uint16_t ordinal)
{
	const struct evs_column *c;
	int at;

	if (ordinal == EVS_PACKED_COLUMN)
		return x->table->ncols;
	if (ordinal >= x->old->ncols)
		return x->table->ncols + 1;
	c = &x->old->cols[ordinal];
	at = evs_table_find(x->table, c->name, c->name_len);
	return at < 0 ? x->table->ncols + 1 : at;
}

static int add_group(struct summing *x, struct evs_segment *s, const struct evs_group *g,
		     bool sample, uint64_t *blocks, struct evs_diag *diag)
{
	int rc = load_schema(x, s, g->schema_off, diag);

	x->rows += g->rows;
	for (uint16_t i = 0; rc == 0 && i < g->nblocks; i++) {
		const struct evs_block *b = &g->blocks[i];
		struct column_sum *c = &x->cols[slot(x, b->column)];

		c->bytes += b->stored_len;
		c->raw_bytes += b->raw_len;
		c->nulls += b->nulls;
		*blocks += b->stored_len;
	}
	for (uint16_t i = 0; rc == 0 && sample && i < g->columns && i < x->old->ncols; i++)
		rc = sample_column(x, s, g, i, slot(x, i), diag);
	return rc;
}

static int add_segment(struct summing *x, struct evs_segment *s, struct evs_diag *diag)
{
	const struct evs_group *g;
	uint64_t off, blocks = 0, size = evs_segment_tail(s)->size;
	bool sample = x->sampled < SAMPLES;
	int rc = 0;

	evs_table_free(x->old);
	x->old = NULL;
	evs_segment_rewind(s, EVS_WALK_PRUNED, INT64_MIN, INT64_MAX);
	while ((rc = evs_segment_next(s, &g, &off, diag)) > 0) {
		rc = add_group(x, s, g, sample, &blocks, diag);
		if (rc < 0)
			break;
		x->sampled += sample;
		sample = false;
	}
	x->cols[x->table->ncols + 1].bytes += size - blocks;
	x->result->partitions++;
	x->result->bytes += size;
	return rc;
}

static int on_segment(void *arg, const struct evs_visit *at, struct evs_diag *diag)
{
	struct summing *x = arg;
	struct evs_segment *s = NULL;
	struct evs_diag d = { 0 };
	int rc;

	if (x->o->stop && x->o->stop(x->o->arg))
		return evs_fail(diag, EVS_E_STOP, "stopped");
	rc = evs_segment_open(&s, at->path, on_damage, x, &d);
	if (rc == 0)
		rc = add_segment(x, s, &d);
	evs_segment_close(s);
	if (rc >= 0 || evs_path_gone(at->path, &d))
		return 0;
	if (d.err == EVS_E_NOMEM)
		return evs_fail_nomem(diag);
	tell(x, &d);
	return 0;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void put_text(struct evs_report *r, const char *s)
{
	evs_report_text(r, s, strlen(s));
}

/* For people the one that was met most often. */
static void put_encodings(struct evs_report *r, const struct column_sum *c, bool people)
{
	char text[ENCODINGS * 100] = "";
	unsigned most = 0;
	size_t n = 0;

	for (unsigned i = 1; i < ENCODINGS; i++)
		if (c->seen[i] > c->seen[most])
			most = i;
	for (unsigned i = 0; i < ENCODINGS && c->seen[i] && !people; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? "; " : "",
				      c->encoding[i]);
	if (people)
		put_text(r, c->encoding[most]);
	else
		evs_report_text(r, text, n);
}

static void put_row(struct summing *x, const char *stream, const char *column, const char *type,
		    const struct column_sum *c, uint64_t all)
{
	struct evs_report *r = &x->report;
	double share = all ? (double)c->bytes / (double)all : 0;
	char size[32], right[48];

	put_text(r, stream);
	put_text(r, column);
	put_text(r, type);
	if (x->o->people) {
		(void)snprintf(right, sizeof(right), "%6s", evs_bytes_text(c->bytes, size));
		put_text(r, right);
		evs_report_real(r, (double)(int64_t)(share * 1000 + 0.5) / 10);
	} else {
		evs_report_uint(r, c->bytes);
		evs_report_real(r, (double)(int64_t)(share * 10000 + 0.5) / 10000);
		evs_report_uint(r, c->raw_bytes);
		evs_report_uint(r, c->nulls);
	}
	put_encodings(r, c, x->o->people);
}

static int flush(struct summing *x, struct evs_diag *diag)
{
	return evs_report_flush(&x->report, x->o->on_rows, x->o->arg, diag);
}

static int on_stream(void *arg, const char *stream, struct evs_diag *diag)
{
	struct summing *x = arg;
	struct evs_diag d = { 0 };
	int rc = evs_stream_table(stream, &x->table, &d);

	if (rc < 0 && d.err != EVS_E_NOMEM) {
		tell(x, &d);
		return 1;
	}
	free(x->cols);
	x->cols = rc < 0 ? NULL : calloc((size_t)x->table->ncols + 2, sizeof(*x->cols));
	x->rows = 0;
	x->sampled = 0;
	return x->cols ? 0 : evs_fail_nomem(diag);
}

static int on_stream_end(void *arg, const char *stream, struct evs_diag *diag)
{
	struct summing *x = arg;
	const struct evs_table *t = x->table;
	const char *name = evs_path_name(stream);
	uint64_t all = 0;
	int rc = 0;

	for (int i = 0; i < t->ncols + 2; i++)
		all += x->cols[i].bytes;
	for (int i = 0; i < t->ncols && rc == 0; i++) {
		char type[128];

		(void)evs_type_print(&t->cols[i].type, t->cols[i].nullable, type, sizeof(type));
		if (!t->cols[i].hidden || x->cols[i].bytes)
			put_row(x, name, t->cols[i].name, type, &x->cols[i], all);
		rc = evs_report_full(&x->report) ? flush(x, diag) : 0;
	}
	put_row(x, name, "(small groups)", "", &x->cols[t->ncols], all);
	put_row(x, name, "(all else)", "", &x->cols[t->ncols + 1], all);
	x->result->rows += x->rows;
	evs_table_free(x->table);
	x->table = NULL;
	return rc == 0 ? flush(x, diag) : rc;
}

int evs_stat_columns(const char *const *paths, size_t npaths, const struct evs_stat_opts *o,
		     struct evs_stat_result *result, struct evs_diag *diag)
{
	struct summing x = { .o = o, .result = result };
	const struct evs_visitor v = { .stream = on_stream,
				       .segment = on_segment,
				       .stream_end = on_stream_end,
				       .problem = tell,
				       .arg = &x,
				       .tenants = o->tenants,
				       .ntenants = o->ntenants };
	const struct evs_report_column *spec = o->people ? people_columns : data_columns;
	size_t n = o->people ? sizeof(people_columns) / sizeof(people_columns[0])
			     : sizeof(data_columns) / sizeof(data_columns[0]);
	int rc = evs_report_init(&x.report, spec, n) < 0 ? evs_fail_nomem(diag) : 0;

	if (rc == 0)
		rc = evs_visit_paths(paths, npaths, &v, diag);
	evs_report_release(&x.report);
	evs_table_free(x.table);
	evs_table_free(x.old);
	free(x.cols);
	return rc;
}
