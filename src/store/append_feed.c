/*
 * From bytes to rows: lines are cut, parsed into the chunk's columns, and refused with a reason
 * when they are bad.
 *
 * Lines are parsed where they lie. Only one that is cut by the end of a piece is copied; such a
 * line is a chunk of its own, because the copy does not stay. While no schema is known the bytes
 * are held back instead.
 */
#include "src/store/append_impl.h"

#include "src/diag.h"
#include "src/store/io.h"

#include <stdio.h>
#include <string.h>

static const char too_long[] = "the line is longer than 8 MiB";

int evs_append_reject(struct evs_appender *a, const struct chunk_row *row, const char *reason,
		      struct evs_diag *diag)
{
	a->stats.rejected++;
	if (a->opts.on_reject)
		a->opts.on_reject(a->opts.arg, row->line, row->off, reason);
	return evs_rejects_add(&a->rejects, row->line, row->off, row->end, reason, row->raw,
			       row->len, diag);
}

static int end_chunk(struct evs_appender *a, struct evs_diag *diag)
{
	bool due = evs_append_due(a);
	int rc = evs_append_chunk(a, diag);

	if (rc < 0 || a->split)
		return rc;
	return due ? evs_append_commit(a, diag) : evs_append_relieve(a, diag);
}

/* One line, without its newline. */
static int take_line(struct evs_appender *a, const struct chunk_row *row, struct evs_diag *diag)
{
	const char *reason = NULL;
	int rc = evs_json_read_row(a->at->reader, row->raw, row->len, a->at->cols, &reason);

	if (rc == EVS_ROW_MISFIT && a->infer) {
		int r = evs_append_widen(a, row, diag);

		if (r < 0)
			return r;
		if (r == 1)
			rc = evs_json_read_row(a->at->reader, row->raw, row->len, a->at->cols,
					       &reason);
	}
	if (rc < 0)
		return evs_fail_nomem(diag);
	if (rc == EVS_ROW_BLANK)
		return 0;
	a->stats.in++;
	if (!a->first_pending)
		a->first_pending = evs_io_monotonic();
	if (rc == EVS_ROW_OK) {
		evs_chunk_add(a->at, row);
		return evs_chunk_full(a->at, a) || evs_append_due(a) ? end_chunk(a, diag) : 0;
	}
	if (a->opts.strict) {
		rc = evs_append_chunk(a, diag); /* what came before is kept, and may be worse */
		if (rc == EVS_E_STOP)
			a->stats.in--; /* this line has not been, as it were */
		if (rc < 0)
			return rc;
		a->total = row->begin; /* the source is absorbed up to here */
	}
	rc = evs_append_reject(a, row, reason, diag);
	if (rc == 0 && a->opts.strict)
		rc = evs_fail(diag, EVS_E_STOP, "line %llu, offset %llu: %.700s",
			      (unsigned long long)row->line, (unsigned long long)row->off, reason);
	return rc == 0 && evs_rejects_full(&a->rejects) ? evs_append_chunk(a, diag) : rc;
}

/* A byte order mark may stand at the beginning of a file, and is no part of its first line. */
static void skip_bom(const struct evs_appender *a, struct chunk_row *row)
{
	if (a->off == 0 && row->len >= 3 && !memcmp(row->raw, "\xef\xbb\xbf", 3)) {
		row->raw += 3;
		row->len -= 3;
	}
}

int evs_append_line(struct evs_appender *a, const char *raw, size_t len, size_t newline,
		    struct evs_diag *diag)
{
	struct chunk_row row = { .raw = raw, .len = len };

	row.line = ++a->line;
	row.off = a->off;
	row.begin = a->total;
	skip_bom(a, &row);
	a->off += len + newline;
	a->total += len + newline;
	row.end = a->total;
	return take_line(a, &row, diag);
}

/* ---- lines longer than can be held ----------------------------------------------------------- */

static int begin_overlong(struct evs_appender *a, struct evs_diag *diag)
{
	int rc;

	a->overlong = true;
	a->stats.in++;
	a->stats.rejected++;
	if (a->opts.on_reject)
		a->opts.on_reject(a->opts.arg, a->line + 1, a->off, too_long);
	a->long_begin = a->total;
	rc = evs_rejects_begin(&a->rejects, a->line + 1, a->off, a->total, too_long, diag);
	if (rc == 0)
		rc = evs_rejects_raw(&a->rejects, a->carry.p, a->carry.len, diag);
	a->off += a->carry.len;
	a->total += a->carry.len;
	evs_buf_release(&a->carry);
	return rc;
}

static int more_overlong(struct evs_appender *a, const char *p, size_t len, bool ends,
			 struct evs_diag *diag)
{
	int rc = evs_rejects_raw(&a->rejects, p, len, diag);

	a->off += len + ends;
	a->total += len + ends;
	if (!ends)
		return rc;
	a->overlong = false;
	a->line++;
	if (rc == 0)
		rc = evs_rejects_end(&a->rejects, a->total, diag);
	if (rc < 0 || !a->opts.strict)
		return rc;
	a->total = a->long_begin;
	return evs_fail(diag, EVS_E_STOP, "line %llu: %s", (unsigned long long)a->line, too_long);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

static int keep_rest(struct evs_appender *a, const char *p, size_t len, struct evs_diag *diag)
{
	if (a->overlong)
		return more_overlong(a, p, len, false, diag);
	evs_buf_put(&a->carry, p, len);
	if (!evs_buf_ok(&a->carry))
		return evs_fail_nomem(diag);
	return a->carry.len > EVS_MAX_LINE ? begin_overlong(a, diag) : 0;
}

/* The end of a line whose beginning came before. */
static int finish_carry(struct evs_appender *a, const char *p, size_t len, struct evs_diag *diag)
{
	int rc;

	if (a->overlong)
		return more_overlong(a, p, len, true, diag);
	rc = keep_rest(a, p, len, diag);
	if (rc < 0)
		return rc;
	if (a->overlong)
		return more_overlong(a, p, 0, true, diag);
	rc = evs_append_line(a, (char *)a->carry.p, a->carry.len, 1, diag);
	if (rc == 0)
		rc = evs_append_chunk(a, diag);
	if (a->carry.cap > 4 * CHUNK_BYTES)
		evs_buf_release(&a->carry);
	evs_buf_reset(&a->carry);
	return rc;
}

static int hold_back(struct evs_appender *a, const char *data, size_t len, struct evs_diag *diag)
{
	evs_buf_put(&a->sample, data, len);
	if (!evs_buf_ok(&a->sample))
		return evs_fail_nomem(diag);
	if (!a->first_pending)
		a->first_pending = evs_io_monotonic();
	/* A first line longer than the sample is waited for, within reason. */
	if (a->sample.len < INFER_BYTES ||
	    (a->sample.len <= EVS_MAX_LINE && !memchr(a->sample.p, '\n', a->sample.len)))
		return 0;
	return evs_append_infer(a, diag);
}

/* What the readers may read, until it is gone. */
static void show_piece(struct evs_appender *a, const char *p, size_t len)
{
	for (unsigned i = 0; i < 2 && a->table; i++)
		evs_json_reader_piece(a->chunk[i].reader, p, len);
}

int evs_append_lines(struct evs_appender *a, const char *data, size_t len, struct evs_diag *diag)
{
	const char *p = data, *end = data + len, *nl;
	int rc = 0;

	if (!a->table)
		return hold_back(a, data, len, diag);
	if (a->carry.len || a->overlong) {
		nl = memchr(p, '\n', len);
		if (!nl)
			return keep_rest(a, p, len, diag);
		rc = finish_carry(a, p, (size_t)(nl - p), diag);
		p = nl + 1;
	}
	show_piece(a, data, len);
	while (rc == 0 && p < end) {
		if (evs_append_can_split(a, (size_t)(end - p)))
			rc = evs_append_split(a, &p, end, diag);
		nl = rc == 0 ? memchr(p, '\n', (size_t)(end - p)) : NULL;
		if (!nl)
			break;
		rc = evs_append_line(a, p, (size_t)(nl - p), 1, diag);
		p = nl + 1;
	}
	if (rc == 0)
		rc = evs_append_chunk(a, diag); /* its rows point into `data` */
	show_piece(a, NULL, 0);
	if (rc == 0 && p < end)
		rc = keep_rest(a, p, (size_t)(end - p), diag);
	return rc;
}
