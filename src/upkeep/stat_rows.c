/*
 * The rows of evs_stat(): which columns each level has, for programs and for people.
 */
#include "src/diag.h"
#include "src/upkeep/stat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAR 24 /* columns of the longest bar */

enum {
	P = 1u << EVS_STAT_PARTITION,
	T = 1u << EVS_STAT_TENANT,
	S = 1u << EVS_STAT_STREAM,
	A = 1u << EVS_STAT_STORE,
};

enum what {
	STREAM = 1,
	TENANT,
	FROM,
	TO,
	TENANTS,
	PARTITIONS,
	ROWS,
	BYTES,
	RAW_BYTES,
	ESTIMATED,
	RATIO,
	COMMITS,
	RUNS,
	OLDEST,
	NEWEST,
	WRITTEN,
	REJECTS,
	REJECT_BYTES,
	EXPIRES,
	PAST,
	PAST_COUNT,
	DAMAGED,
	DAMAGED_COUNT,
	COMPACT,
	COMPACT_COUNT,
	SEGMENT,
	/* for people */
	WEEK,
	SIZE,
	RAW_SIZE,
	NOTES,
	BARS,
};

struct column {
	struct evs_report_column c;
	enum what what;
	unsigned levels;
};

static const struct column data_columns[] = {
	{ { "stream", EVS_REPORT_TEXT }, STREAM, P | T | S },
	{ { "tenant", EVS_REPORT_TEXT }, TENANT, P | T },
	{ { "from", EVS_REPORT_SECOND }, FROM, P },
	{ { "to", EVS_REPORT_SECOND }, TO, P },
	{ { "tenants", EVS_REPORT_UINT }, TENANTS, S | A },
	{ { "partitions", EVS_REPORT_UINT }, PARTITIONS, T | S | A },
	{ { "rows", EVS_REPORT_UINT }, ROWS, P | T | S | A },
	{ { "bytes", EVS_REPORT_UINT }, BYTES, P | T | S | A },
	{ { "raw_bytes", EVS_REPORT_UINT }, RAW_BYTES, P | T | S | A },
	{ { "estimated", EVS_REPORT_BOOL }, ESTIMATED, P | T | S | A },
	{ { "ratio", EVS_REPORT_REAL }, RATIO, P | T | S | A },
	{ { "commits", EVS_REPORT_UINT }, COMMITS, P | T | S | A },
	{ { "runs", EVS_REPORT_UINT }, RUNS, P | T | S | A },
	{ { "oldest", EVS_REPORT_TIME }, OLDEST, P | T | S | A },
	{ { "newest", EVS_REPORT_TIME }, NEWEST, P | T | S | A },
	{ { "written", EVS_REPORT_TIME }, WRITTEN, P | T | S | A },
	{ { "rejects", EVS_REPORT_UINT }, REJECTS, S | A },
	{ { "reject_bytes", EVS_REPORT_UINT }, REJECT_BYTES, S | A },
	{ { "expires", EVS_REPORT_SECOND }, EXPIRES, P },
	{ { "past", EVS_REPORT_BOOL }, PAST, P },
	{ { "past", EVS_REPORT_UINT }, PAST_COUNT, T | S | A },
	{ { "damaged", EVS_REPORT_BOOL }, DAMAGED, P },
	{ { "damaged", EVS_REPORT_UINT }, DAMAGED_COUNT, T | S | A },
	{ { "compact", EVS_REPORT_TEXT }, COMPACT, P },
	{ { "compact", EVS_REPORT_UINT }, COMPACT_COUNT, T | S | A },
	{ { "segment", EVS_REPORT_TEXT }, SEGMENT, P },
};

static const struct column people_columns[] = {
	{ { "stream", EVS_REPORT_TEXT }, STREAM, P | T | S | A },
	{ { "tenant", EVS_REPORT_TEXT }, TENANT, P | T },
	{ { "from", EVS_REPORT_TEXT }, WEEK, P },
	{ { "tenants", EVS_REPORT_UINT }, TENANTS, S | A },
	{ { "partitions", EVS_REPORT_UINT }, PARTITIONS, T | S | A },
	{ { "rows", EVS_REPORT_UINT }, ROWS, P | T | S | A },
	{ { "size", EVS_REPORT_TEXT }, SIZE, P | T | S | A },
	{ { "raw", EVS_REPORT_TEXT }, RAW_SIZE, P | T | S | A },
	{ { "ratio", EVS_REPORT_REAL }, RATIO, P | T | S | A },
	{ { "runs", EVS_REPORT_UINT }, RUNS, P | T | S | A },
	{ { "newest", EVS_REPORT_SECOND }, NEWEST, P | T | S | A },
	{ { "written", EVS_REPORT_SECOND }, WRITTEN, P | T | S | A },
	{ { "rejects", EVS_REPORT_UINT }, REJECTS, S | A },
	{ { "notes", EVS_REPORT_TEXT }, NOTES, P | T | S | A },
	{ { "", EVS_REPORT_TEXT }, BARS, P },
};

#define MOST (sizeof(data_columns) / sizeof(data_columns[0]))

struct chosen {
	const struct column *all;
	size_t n;
};

static struct chosen choose(const struct evs_stat_opts *o)
{
	return o->people ? (struct chosen){ people_columns,
					    sizeof(people_columns) / sizeof(people_columns[0]) }
			 : (struct chosen){ data_columns, MOST };
}

static bool is_wanted(const struct evs_stat_opts *o, const struct column *c)
{
	return (c->levels >> o->by & 1) && (c->what != BARS || o->bars);
}

int evs_stat_report(struct evs_report *r, const struct evs_stat_opts *o)
{
	struct evs_report_column spec[MOST];
	struct chosen c = choose(o);
	size_t n = 0;

	for (size_t i = 0; i < c.n; i++)
		if (is_wanted(o, &c.all[i]))
			spec[n++] = c.all[i].c;
	return evs_report_init(r, spec, n);
}

/* ---- values ---------------------------------------------------------------------------------- */

static void put_text(struct evs_report *r, const char *s)
{
	evs_report_text(r, s, strlen(s));
}

static void put_size(struct evs_report *r, uint64_t bytes)
{
	char text[32], right[48];

	(void)snprintf(right, sizeof(right), "%6s", evs_bytes_text(bytes, text));
	put_text(r, right);
}

/* To the second for people. */
static void put_time(struct evs_report *r, const struct evs_stat_opts *o, int64_t ns)
{
	if (ns == EVS_TIME_NONE)
		evs_report_null(r);
	else
		evs_report_int(r, o->people ? ns / 1000000000 - (ns % 1000000000 < 0) : ns);
}

/* Two digits are enough, and the same ones on every machine. */
static void put_ratio(struct evs_report *r, const struct evs_stat_sum *s)
{
	double v = s->bytes ? (double)s->raw_bytes / (double)s->bytes : 0;

	evs_report_real(r, (double)(int64_t)(v * 100 + 0.5) / 100);
}

static void put_day(struct evs_report *r, const struct evs_stat_name *n)
{
	char text[24];

	evs_segment_name(n->lo, text);
	evs_report_text(r, text, n->path && n->hi ? strlen("2025-01-06") : 0);
}

/* Eighths of a column, as far as the largest partition goes. */
static void put_bar(struct evs_report *r, const struct evs_stat_sum *s, uint64_t largest,
		    const struct evs_stat_name *n)
{
	uint64_t eighths = largest && n->hi
				   ? (uint64_t)((double)s->bytes / (double)largest * BAR * 8 + 0.5)
				   : 0;
	char text[3 * BAR + 4];
	size_t len = 0;

	if (eighths > BAR * 8) /* it has grown since */
		eighths = BAR * 8;
	for (; eighths; eighths -= eighths < 8 ? eighths : 8) {
		text[len++] = (char)0xe2;
		text[len++] = (char)0x96;
		text[len++] = (char)(0x90 - (eighths < 8 ? eighths : 8));
	}
	evs_report_text(r, text, len);
}

static void put_notes(struct evs_report *r, const struct evs_stat_opts *o,
		      const struct evs_stat_sum *s)
{
	bool one = o->by == EVS_STAT_PARTITION && s->partitions == 1;
	char text[160] = "";
	size_t n = 0;

	if (s->past)
		n += (size_t)(one ? snprintf(text, sizeof(text), "past its time")
				  : snprintf(text, sizeof(text), "%llu past their time",
					     (unsigned long long)s->past));
	if (s->damaged)
		n += (size_t)(one ? snprintf(text + n, sizeof(text) - n, "%sdamaged", n ? ", " : "")
				  : snprintf(text + n, sizeof(text) - n, "%s%llu damaged",
					     n ? ", " : "", (unsigned long long)s->damaged));
	if (s->compact && one)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? ", " : "",
				      evs_compact_reason(s->why));
	else if (s->compact)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%llu to be compacted",
				      n ? ", " : "", (unsigned long long)s->compact);
	evs_report_text(r, text, n);
}

static void put_compact(struct evs_report *r, const struct evs_stat_sum *s)
{
	if (s->compact)
		put_text(r, evs_compact_reason(s->why));
	else
		evs_report_null(r);
}

static void put_name(struct evs_report *r, const char *s, size_t n, bool people)
{
	if (s || people)
		evs_report_text(r, s ? s : "", s ? n : 0);
	else
		evs_report_null(r);
}

static void put_second(struct evs_report *r, int64_t v)
{
	if (v == EVS_RULE_NEVER)
		evs_report_null(r);
	else
		evs_report_int(r, v);
}

static void put_names(struct evs_report *r, const struct evs_stat_opts *o,
		      const struct evs_stat_name *n, enum what what)
{
	switch (what) {
	case STREAM:
		put_text(r, n->stream ? n->stream : o->people ? "all" : "");
		break;
	case TENANT:
		put_name(r, n->has_tenant ? n->tenant : NULL, n->tenant_len, o->people);
		break;
	case WEEK:
		put_day(r, n);
		break;
	case FROM:
		evs_report_int(r, n->lo);
		break;
	case TO:
		evs_report_int(r, n->hi);
		break;
	case EXPIRES:
		put_second(r, n->expires);
		break;
	default:
		put_text(r, n->path);
		break;
	}
}

static uint64_t number(const struct evs_stat_sum *s, enum what what)
{
	switch (what) {
	case TENANTS:
		return s->tenants;
	case PARTITIONS:
		return s->partitions;
	case ROWS:
		return s->rows;
	case BYTES:
		return s->bytes;
	case RAW_BYTES:
		return s->raw_bytes;
	case ESTIMATED:
		return s->estimated;
	case COMMITS:
		return s->commits;
	case RUNS:
		return s->runs;
	case REJECTS:
		return s->rejects;
	case REJECT_BYTES:
		return s->reject_bytes;
	case PAST:
	case PAST_COUNT:
		return s->past;
	case COMPACT_COUNT:
		return s->compact;
	default:
		return s->damaged;
	}
}

static void put_value(struct evs_report *r, const struct evs_stat_opts *o,
		      const struct evs_stat_name *n, const struct evs_stat_sum *s, enum what what,
		      uint64_t largest)
{
	switch (what) {
	case STREAM:
	case TENANT:
	case WEEK:
	case FROM:
	case TO:
	case EXPIRES:
	case SEGMENT:
		put_names(r, o, n, what);
		break;
	case RATIO:
		put_ratio(r, s);
		break;
	case OLDEST:
		evs_report_int(r, s->oldest);
		break;
	case NEWEST:
		put_time(r, o, s->newest);
		break;
	case WRITTEN:
		put_time(r, o, s->written);
		break;
	case SIZE:
		put_size(r, s->bytes);
		break;
	case RAW_SIZE:
		put_size(r, s->raw_bytes);
		break;
	case COMPACT:
		put_compact(r, s);
		break;
	case NOTES:
		put_notes(r, o, s);
		break;
	case BARS:
		put_bar(r, s, largest, n);
		break;
	default:
		evs_report_uint(r, number(s, what));
		break;
	}
}

void evs_stat_row(struct evs_report *r, const struct evs_stat_opts *o,
		  const struct evs_stat_name *n, const struct evs_stat_sum *s, uint64_t largest)
{
	struct chosen c = choose(o);

	for (size_t i = 0; i < c.n; i++)
		if (is_wanted(o, &c.all[i]))
			put_value(r, o, n, s, c.all[i].what, largest);
}
