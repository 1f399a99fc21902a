/*
 * A chunk of parsed rows: fill in what is absent, check, find each row's segment, and hand the rows
 * to the spool.
 */
#include "src/store/append_impl.h"

#include "format/head.h"
#include "src/diag.h"
#include "src/store/io.h"
#include "src/store/serial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint16_t all_columns(const struct evs_appender *a)
{
	return (uint16_t)(a->table->ncols + EVS_SPOOL_OWN);
}

static bool bit(const uint8_t *map, uint32_t row)
{
	return map[row >> 3] >> (row & 7) & 1;
}

/* Replace the column: rows whose bit is set get the row of `with` (its next row when `packed`). */
static int replace_absent(struct evs_array *col, const uint8_t *absent,
			  const struct evs_array *with, bool packed)
{
	struct evs_array out = { 0 };
	uint32_t next = 0;
	int rc = evs_array_init_like(&out, col);

	for (uint32_t i = 0; rc == 0 && i < col->rows; i++) {
		if (bit(absent, i))
			rc = evs_array_append_range(&out, with, packed ? next++ : i, 1);
		else
			rc = evs_array_append_range(&out, col, i, 1);
	}
	if (rc < 0) {
		evs_array_release(&out);
		return rc;
	}
	evs_array_release(col);
	*col = out;
	return 0;
}

static int fill_default(struct evs_appender *a, uint16_t c, const uint8_t *absent,
			struct evs_diag *diag)
{
	struct evs_array value = { 0 };
	int rc = evs_eval_run(a->eval, a->table->cols[c].def, a->at->cols, a->at->nrows, &value,
			      diag);

	if (rc == 0 && (value.phys != a->at->cols[c].phys || value.width != a->at->cols[c].width))
		rc = evs_fail(diag, EVS_E_SCHEMA,
			      "the DEFAULT of column %.200s has another type than the column",
			      a->table->cols[c].name);
	if (rc == 0 && replace_absent(&a->at->cols[c], absent, &value, false) < 0)
		rc = evs_fail_nomem(diag);
	evs_array_release(&value);
	return rc;
}

static int fill_serial(struct evs_appender *a, uint16_t c, const uint8_t *absent, uint32_t count,
		       struct evs_diag *diag)
{
	struct evs_array value = { 0 };
	uint64_t first = 0, most = UINT64_MAX >> (64 - 8 * a->at->cols[c].width);
	int rc;

	most >>= a->at->cols[c].is_signed;
	rc = evs_serial_reserve(a->dir, a->table->cols[c].name, count, most, &a->wait, &first,
				diag);
	if (rc < 0)
		return rc;
	rc = evs_array_init_like(&value, &a->at->cols[c]);
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = evs_array_append_int(&value, first + i);
	if (rc == 0)
		rc = replace_absent(&a->at->cols[c], absent, &value, true);
	evs_array_release(&value);
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

static int fill_defaults(struct evs_appender *a, struct evs_diag *diag)
{
	for (uint16_t c = 0; c < a->table->ndeclared; c++) {
		uint32_t count = 0;
		const uint8_t *absent = evs_json_reader_absent(a->at->reader, c, &count);
		int rc = 0;

		if (!absent || !count)
			continue;
		if (a->table->cols[c].def_kind == EVS_DEFAULT_SERIAL)
			rc = fill_serial(a, c, absent, count, diag);
		else if (a->table->cols[c].def)
			rc = fill_default(a, c, absent, diag);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int fill_arrival(struct evs_appender *a, struct evs_diag *diag)
{
	struct evs_array *time = &a->at->cols[a->table->time_column];
	uint32_t rows = a->at->nrows;

	if (a->table->time_kind != EVS_TIME_ARRIVAL)
		return 0;
	evs_array_truncate(time, 0);
	for (uint32_t i = 0; i < rows; i++)
		if (evs_array_append_int(time, (uint64_t)evs_append_now(a)) < 0)
			return evs_fail_nomem(diag);
	return 0;
}

/* With `strict` only the first bad row counts: those behind it have not been, as it were. */
static int fail_row(struct evs_appender *a, uint32_t row, const char *reason, struct evs_diag *diag)
{
	if (a->bad[row])
		return 0;
	a->bad[row] = true;
	if (!a->opts.strict)
		return evs_append_reject(a, &a->at->rows[row], reason, diag);
	if (row < a->first_bad) {
		a->first_bad = row;
		(void)snprintf(a->first_reason, sizeof(a->first_reason), "%s", reason);
	}
	return 0;
}

static int run_check(struct evs_appender *a, const struct evs_check *c, struct evs_diag *diag)
{
	struct evs_array ok = { 0 };
	char reason[512];
	int rc = evs_eval_run(a->eval, c->expr, a->at->cols, a->at->nrows, &ok, diag);

	if (rc < 0)
		goto out;
	(void)snprintf(reason, sizeof(reason),
		       c->text[0] == '(' ? "fails CHECK %s%s%.350s" : "fails CHECK %s%s(%.350s)",
		       c->name, c->name[0] ? " " : "", c->text);
	for (uint32_t i = 0; i < a->at->nrows && rc == 0; i++)
		if (!evs_array_is_null(&ok, i) && !evs_array_int(&ok, i))
			rc = fail_row(a, i, reason, diag);
out:
	evs_array_release(&ok);
	return rc;
}

static int run_checks(struct evs_appender *a, struct evs_diag *diag)
{
	int rc = 0;

	evs_eval_set_now(a->eval, evs_append_now(a));
	for (uint16_t i = 0; i < a->table->nchecks && rc == 0; i++)
		rc = run_check(a, &a->table->checks[i], diag);
	return rc;
}

static const void *tenant_of(const struct evs_appender *a, uint32_t row, size_t *len)
{
	const struct evs_array *col;

	*len = 0;
	if (a->table->tenant_column < 0)
		return "";
	col = &a->at->cols[a->table->tenant_column];
	if (col->phys == EVS_BYTES || col->phys == EVS_FIXED)
		return evs_array_bytes(col, row, len);
	*len = col->width;
	return col->data + (size_t)row * col->width;
}

static int assign(struct evs_appender *a, struct evs_diag *diag)
{
	const struct evs_array *time = &a->at->cols[a->table->time_column];
	int64_t lo = 0, hi = 0; /* the partition of the row before; empty at first */

	for (uint32_t i = 0; i < a->at->nrows; i++) {
		int64_t sec = evs_row_seconds(a->table, time, i);
		const void *tenant;
		size_t len;
		int rc = 0;

		if (a->bad[i])
			continue;
		tenant = tenant_of(a, i, &len);
		if (sec < EVS_SECONDS_MIN || sec > EVS_SECONDS_MAX)
			rc = fail_row(a, i,
				      sec == EVS_TIME_NONE
					      ? "the time column holds no time"
					      : "the time is outside of the years 0000 to 9999",
				      diag);
		else if (len > EVS_MAX_TENANT)
			rc = fail_row(a, i, "the tenant has more than 4096 bytes", diag);
		if (rc < 0)
			return rc;
		if (a->bad[i])
			continue;
		if (sec < lo || sec >= hi)
			evs_partition_bounds(sec, a->table->unit, &lo, &hi);
		if (lo < EVS_SECONDS_MIN) {
			lo = hi = 0;
			rc = fail_row(a, i,
				      "the partition of this time begins before the year 0000",
				      diag);
			if (rc < 0)
				return rc;
			continue;
		}
		if (evs_spool_segment(a->spool, tenant, len, lo, &a->seg[i]) < 0)
			return evs_fail_nomem(diag);
	}
	return 0;
}

/* What the chunk takes in memory, and room for it. A row that is large is a chunk of its own. */
static int weigh(struct evs_appender *a, struct evs_diag *diag)
{
	size_t bytes = 0, have = evs_spool_memory(a->spool);

	for (uint16_t i = 0; i < a->table->ncols; i++)
		bytes += evs_array_bytes_used(&a->at->cols[i]);
	a->large |= a->at->nrows == 1 && bytes > LARGE_ROW;
	if (a->at->nrows == 1 && bytes > EVS_MAX_ROW)
		return fail_row(a, 0, "the row takes more than 8 MiB in memory", diag);
	return have && have + bytes > SPOOL_MEMORY
		       ? evs_spool_spill(a->spool, a->split ? NULL : &a->helper, diag)
		       : 0;
}

/* Leave out the bad rows; with `strict` also all that follow the first of them. Returns how many
 * stay. */
static uint32_t pick(struct evs_appender *a)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < a->at->nrows && i < a->first_bad; i++) {
		if (a->bad[i])
			continue;
		a->seg[n] = a->seg[i];
		a->idx[n++] = i;
	}
	return n;
}

/* `strict`: the first bad row ends the run. */
static int stop_at(struct evs_appender *a, const struct chunk_row *row, struct evs_diag *diag)
{
	int rc;

	a->stats.in -= a->at->nrows - 1 - a->first_bad;
	a->total = row->begin; /* the source is absorbed up to here */
	rc = evs_append_reject(a, row, a->first_reason, diag);
	if (rc < 0)
		return rc;
	return evs_fail(diag, EVS_E_STOP, "line %llu, offset %llu: %.500s",
			(unsigned long long)row->line, (unsigned long long)row->off,
			a->first_reason);
}

static int spool_rows(struct evs_appender *a, uint32_t n, struct evs_diag *diag)
{
	if (n == a->at->nrows)
		return evs_spool_add(a->spool, a->at->cols, n, a->seg, diag);
	for (uint16_t i = 0; i < all_columns(a); i++) {
		evs_array_reset(&a->kept[i]);
		if (evs_array_take(&a->kept[i], &a->at->cols[i], a->idx, n) < 0)
			return evs_fail_nomem(diag);
	}
	return n ? evs_spool_add(a->spool, a->kept, n, a->seg, diag) : 0;
}

void evs_chunk_clear(struct chunk *c, const struct evs_appender *a)
{
	for (uint16_t i = 0; i < all_columns(a); i++)
		evs_array_trim(&c->cols[i], 4 * CHUNK_BYTES);
	evs_json_reader_clear(c->reader);
	c->nrows = 0;
	c->bytes = 0;
}

bool evs_chunk_full(const struct chunk *c, const struct evs_appender *a)
{
	return c->nrows >= a->max_rows || evs_json_reader_nested(c->reader) >= CHUNK_MEMORY ||
	       c->bytes >= CHUNK_BYTES;
}

void evs_chunk_add(struct chunk *c, const struct chunk_row *row)
{
	c->rows[c->nrows++] = *row;
	c->bytes += row->len;
}

/* The spool's own columns: bytes of the lines, and where they end. */
static int fill_own(struct chunk *c, uint16_t own)
{
	struct evs_array *len = &c->cols[own], *end = &c->cols[own + 1];

	if (evs_array_reserve(len, c->nrows, 0) < 0 || evs_array_reserve(end, c->nrows, 0) < 0)
		return EVS_E_NOMEM;
	for (size_t i = 0; i < c->nrows; i++) {
		memcpy(len->data + 4 * i, &(uint32_t){ (uint32_t)c->rows[i].len + 1 }, 4);
		memcpy(end->data + 8 * i, &c->rows[i].end, 8);
	}
	len->rows = end->rows = c->nrows;
	return 0;
}

int evs_append_chunk(struct evs_appender *a, struct evs_diag *diag)
{
	int rc;

	if (!a->at->nrows)
		return evs_rejects_chunk(&a->rejects, diag);
	memset(a->bad, 0, a->at->nrows * sizeof(*a->bad));
	a->first_bad = UINT32_MAX;
	evs_eval_set_now(a->eval, evs_append_now(a));
	rc = fill_own(a->at, a->table->ncols) < 0 ? evs_fail_nomem(diag) : fill_defaults(a, diag);
	if (rc == 0)
		rc = fill_arrival(a, diag);
	if (rc == 0)
		rc = run_checks(a, diag);
	if (rc == 0)
		rc = weigh(a, diag);
	if (rc == 0)
		rc = assign(a, diag);
	if (rc == 0)
		rc = spool_rows(a, pick(a), diag);
	if (rc == 0 && a->first_bad != UINT32_MAX)
		rc = stop_at(a, &a->at->rows[a->first_bad], diag);
	evs_chunk_clear(a->at, a);
	for (uint16_t i = 0; i < all_columns(a); i++)
		evs_array_trim(&a->kept[i], 4 * CHUNK_BYTES);
	return rc == 0 ? evs_rejects_chunk(&a->rejects, diag) : rc;
}
