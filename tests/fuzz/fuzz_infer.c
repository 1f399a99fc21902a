/*
 * Rows of any bytes: no crash, the DDL always parses, it only ever widens, and every row it was
 * made from is taken by the reader, unless it lacks the time, the tenant or the key.
 */
#include "src/json/json.h"
#include "src/schema/schema.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct evs_table *ddl(struct evs_infer *f)
{
	struct evs_diag diag = { 0 };
	struct evs_table *t = NULL;
	char *text = NULL;
	size_t len;

	if (evs_infer_ddl(f, &text, &len, NULL, NULL, &diag) < 0)
		return NULL;
	if (evs_table_parse(&t, text, len, &diag) < 0)
		abort();
	free(text);
	return t;
}

static size_t line_length(const char *p, size_t left)
{
	const char *nl = memchr(p, '\n', left);

	return nl ? (size_t)(nl - p) : left;
}

static void feed(struct evs_infer *f, const char *p, size_t len)
{
	while (len) {
		size_t n = line_length(p, len);

		if (evs_infer_line(f, p, n) < 0)
			abort();
		n += n < len;
		p += n;
		len -= n;
	}
}

/* Without a column of time, tenant or key every object is a row. */
static void read_all(const struct evs_table *t, const char *p, size_t len)
{
	struct evs_array *cols = calloc(t->ncols, sizeof(*cols));
	struct evs_json_reader *r = NULL;
	const char *reason;

	if (!cols || evs_json_reader_new(&r, t) < 0)
		abort();
	for (unsigned i = 0; i < t->ncols; i++) {
		if (evs_type_array(&t->cols[i].type, &cols[i]) < 0)
			abort();
	}
	while (len) {
		size_t n = line_length(p, len);

		if (evs_json_read_row(r, p, n, cols, &reason) == EVS_ROW_MISFIT &&
		    t->time_kind == EVS_TIME_ARRIVAL && t->tenant_column < 0)
			abort();
		n += n < len;
		p += n;
		len -= n;
	}
	for (unsigned i = 0; i < t->ncols; i++)
		evs_array_release(&cols[i]);
	free(cols);
	evs_json_reader_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evs_infer_opts o = { .stream = "s" };
	struct evs_infer *f = NULL;
	struct evs_table *a, *b;
	const char *p = (const char *)data;
	size_t half = size / 2;
	bool same;

	if (size > 65536)
		return 0;
	if (evs_infer_new(&f, &o, NULL) < 0)
		return 0;
	feed(f, p, half);
	a = ddl(f);
	if (a)
		read_all(a, p, half);
	feed(f, p + half, size - half);
	b = ddl(f);
	if (a && (!b || evs_table_compatible(a, b, &same, NULL) < 0))
		abort();
	evs_table_free(a);
	evs_table_free(b);
	evs_infer_free(f);
	return 0;
}
