/*
 * Sequences: for every value of a key, numbers that count up by one, in the order of time. What is
 * missing, twice or out of order is told. Rows are sorted by key and number; what memory does not
 * hold goes to $TMPDIR.
 */
#include "src/upkeep/check.h"

#include "src/diag.h"
#include "src/json/json.h"
#include "src/query/query.h"

#include <stdio.h>
#include <string.h>

enum { KEY, SEQ, TIME, COLUMNS };

struct sequence {
	struct check run;
	struct evs_sequence_counts *count;
	const struct evs_table *table;
	const char *path;
	const struct evs_batch *b;
	struct evs_array key; /* of the row before, one row; none at first */
	uint64_t last;	      /* its number, as `ordered` */
	int64_t time;
	bool told; /* the number before is known to be there twice */
	struct evs_buf text;
};

/* Numbers of either sign so that they compare as unsigned ones. */
static uint64_t ordered(const struct evs_array *a, uint32_t row)
{
	uint64_t v = evs_array_int(a, row);

	return a->is_signed ? v ^ (uint64_t)1 << 63 : v;
}

static void print(const struct evs_array *a, uint64_t v, char out[32])
{
	if (a->is_signed)
		(void)snprintf(out, 32, "%lld", (long long)(v ^ (uint64_t)1 << 63));
	else
		(void)snprintf(out, 32, "%llu", (unsigned long long)v);
}

/* "execution_id \"e7\": " and what is said of the number. EVS_E_NOMEM or 0. */
static int tell(struct sequence *s, uint32_t row, const char *rule, const char *what)
{
	const struct evs_field *f = &s->b->fields[KEY];

	evs_buf_reset(&s->text);
	evs_buf_put(&s->text, f->name, f->name_len);
	evs_buf_put_u8(&s->text, ' ');
	evs_json_put_value(&s->text, f->type, &s->b->cols[KEY], row);
	evs_buf_put(&s->text, ": ", 2);
	evs_buf_put(&s->text, what, strlen(what) + 1);
	if (!evs_buf_ok(&s->text))
		return EVS_E_NOMEM;
	evs_check_rule(&s->run, (struct evs_finding){ .kind = EVS_FOUND_SEQUENCE, .path = s->path },
		       rule, (char *)s->text.p);
	return 0;
}

static int gap(struct sequence *s, uint32_t row, uint64_t number)
{
	const struct evs_array *a = &s->b->cols[SEQ];
	char from[32], to[32], text[160];
	uint64_t missing = number - s->last - 1;

	s->count->gaps++;
	s->count->missing += missing;
	print(a, s->last + 1, from);
	print(a, number - 1, to);
	if (missing == 1)
		(void)snprintf(text, sizeof(text), "%s is missing", from);
	else
		(void)snprintf(text, sizeof(text), "%s to %s are missing", from, to);
	return tell(s, row, "gap", text);
}

/* The same number again: told once, however often it comes. */
static int again(struct sequence *s, uint32_t row, uint64_t number)
{
	char n[32], text[64];

	s->count->duplicates++;
	if (s->told)
		return 0;
	s->told = true;
	print(&s->b->cols[SEQ], number, n);
	(void)snprintf(text, sizeof(text), "%s is there more than once", n);
	return tell(s, row, "duplicate", text);
}

static int back(struct sequence *s, uint32_t row, uint64_t number)
{
	char n[32], m[32], text[128];

	s->count->disorder++;
	print(&s->b->cols[SEQ], s->last, m);
	print(&s->b->cols[SEQ], number, n);
	(void)snprintf(text, sizeof(text), "%s is of an earlier time than %s", n, m);
	return tell(s, row, "order", text);
}

static int take_key(struct sequence *s, uint32_t row, uint64_t number)
{
	uint64_t one = s->b->cols[SEQ].is_signed ? ((uint64_t)1 << 63) + 1 : 1;

	s->count->keys++;
	s->count->late += number > one;
	s->told = false;
	evs_array_trim(&s->key, 64u << 10);
	return evs_array_append_range(&s->key, &s->b->cols[KEY], row, 1);
}

static int take_row(struct sequence *s, uint32_t row)
{
	const struct evs_array *cols = s->b->cols;
	int64_t time = evs_row_time(s->table, &cols[TIME], row);
	uint64_t number;
	int rc = 0;

	s->count->rows++;
	if (evs_array_is_null(&cols[KEY], row) || evs_array_is_null(&cols[SEQ], row)) {
		s->count->nulls++;
		return 0;
	}
	number = ordered(&cols[SEQ], row);
	if (!s->key.rows || evs_array_compare(&s->key, 0, &cols[KEY], row) != 0) {
		rc = take_key(s, row, number);
	} else if (number == s->last) {
		rc = again(s, row, number);
	} else {
		s->told = false;
		if (number > s->last + 1)
			rc = gap(s, row, number);
		if (rc == 0 && time < s->time && time != EVS_TIME_NONE)
			rc = back(s, row, number);
	}
	s->last = number;
	s->time = time;
	return rc;
}

/* Integers that count: no enums, dates or times. */
static bool counts(enum evs_type_id id)
{
	return id >= EVS_T_INT8 && id <= EVS_T_UINT64;
}

/* A scan of the three columns, in order. */
static int open_scan(struct evs_scan **scan, const char *const *paths, size_t npaths,
		     const char *key, const char *seq, struct evs_diag *diag)
{
	const char *columns[COLUMNS] = { key, seq, NULL };
	struct evs_scan_opts opts = { .columns = columns, .ncolumns = 2 };
	char time[1024];
	const struct evs_table *t;
	int rc = evs_scan_open(scan, paths, npaths, &opts, diag), column;

	if (rc < 0)
		return rc;
	t = evs_scan_table(*scan);
	column = evs_table_find(t, seq, strlen(seq));
	(void)snprintf(time, sizeof(time), "%s", t->cols[t->time_column].name);
	if (column < 0 || !counts(t->cols[column].type.id))
		rc = evs_fail(diag, EVS_E_USAGE, "%.200s is no column of integers, so no sequence",
			      seq);
	evs_scan_close(*scan);
	*scan = NULL;
	columns[TIME] = time;
	opts.ncolumns = COLUMNS;
	opts.sort = columns;
	opts.nsort = 2;
	return rc < 0 ? rc : evs_scan_open(scan, paths, npaths, &opts, diag);
}

int evs_check_sequence(const char *const *paths, size_t npaths, const char *key, const char *seq,
		       const struct evs_check_opts *opts, struct evs_sequence_counts *out,
		       struct evs_diag *diag)
{
	struct sequence s = { .run = { .opts = opts }, .count = out, .path = paths[0] };
	struct evs_scan *scan = NULL;
	struct evs_scan_progress p;
	struct evs_batch *b = NULL;
	int rc;

	*out = (struct evs_sequence_counts){ 0 };
	rc = open_scan(&scan, paths, npaths, key, seq, diag);
	if (rc == 0)
		s.table = evs_scan_table(scan);
	while (rc == 0 && (rc = evs_scan_next(scan, &b, diag)) > 0) {
		if (s.b == NULL && evs_array_init_like(&s.key, &b->cols[KEY]) < 0)
			rc = EVS_E_NOMEM;
		s.b = b;
		for (uint32_t i = 0; i < b->rows && rc >= 0; i++)
			rc = take_row(&s, i);
		if (rc == EVS_E_NOMEM)
			(void)evs_fail_nomem(diag);
		rc = rc < 0 ? rc : 0;
	}
	if (scan) {
		evs_scan_progress(scan, &p);
		out->rows_lost = p.rows_lost;
	}
	evs_array_release(&s.key);
	evs_buf_release(&s.text);
	evs_scan_close(scan);
	return rc;
}
