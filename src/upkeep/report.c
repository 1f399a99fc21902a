/*
 * See report.h.
 */
#include "src/upkeep/report.h"

#include "format/commit.h"
#include "src/diag.h"

#include <stdlib.h>
#include <string.h>

static const struct evs_type types[] = {
	[EVS_REPORT_TEXT] = { .id = EVS_T_STRING },
	[EVS_REPORT_UINT] = { .id = EVS_T_UINT64 },
	[EVS_REPORT_REAL] = { .id = EVS_T_FLOAT64 },
	[EVS_REPORT_SECOND] = { .id = EVS_T_DATETIME },
	[EVS_REPORT_TIME] = { .id = EVS_T_DATETIME64, .scale = 3 },
	[EVS_REPORT_BOOL] = { .id = EVS_T_BOOL },
};

int evs_report_init(struct evs_report *r, const struct evs_report_column *spec, size_t n)
{
	*r = (struct evs_report){ .n = n };
	r->fields = calloc(n, sizeof(*r->fields));
	r->batch.cols = calloc(n, sizeof(*r->batch.cols));
	if (!r->fields || !r->batch.cols)
		return EVS_E_NOMEM;
	r->batch.fields = r->fields;
	r->batch.ncols = n;
	for (size_t i = 0; i < n; i++) {
		struct evs_field *f = &r->fields[i];

		f->name = spec[i].name;
		f->name_len = strlen(spec[i].name);
		f->type = &types[spec[i].kind];
		f->nullable = true;
		(void)evs_type_print(f->type, true, f->type_text, sizeof(f->type_text));
		if (evs_type_array(f->type, &r->batch.cols[i]) < 0)
			return EVS_E_NOMEM;
	}
	return 0;
}

void evs_report_release(struct evs_report *r)
{
	for (size_t i = 0; r->batch.cols && i < r->n; i++)
		evs_array_release(&r->batch.cols[i]);
	free(r->batch.cols);
	free(r->fields);
	*r = (struct evs_report){ 0 };
}

int evs_report_flush(struct evs_report *r, evs_rows_fn *fn, void *arg, struct evs_diag *diag)
{
	if (r->failed)
		return evs_fail_nomem(diag);
	if (r->batch.rows && fn)
		fn(arg, &r->batch);
	for (size_t i = 0; i < r->n; i++)
		evs_array_reset(&r->batch.cols[i]);
	r->batch.rows = 0;
	return 0;
}

static struct evs_array *here(struct evs_report *r)
{
	return &r->batch.cols[r->at];
}

static void put(struct evs_report *r, int rc)
{
	r->failed |= rc < 0;
	r->at++;
	if (r->at == r->n) {
		r->at = 0;
		r->batch.rows++;
	}
}

void evs_report_text(struct evs_report *r, const char *s, size_t len)
{
	put(r, evs_array_append_bytes(here(r), s, len));
}

void evs_report_uint(struct evs_report *r, uint64_t v)
{
	put(r, evs_array_append_int(here(r), v));
}

void evs_report_int(struct evs_report *r, int64_t v)
{
	if (r->fields[r->at].type == &types[EVS_REPORT_SECOND])
		put(r, evs_array_append_int(here(r), (uint64_t)v));
	else if (v == EVS_TIME_NONE)
		evs_report_null(r);
	else
		put(r, evs_array_append_int(here(r), (uint64_t)(v / 1000000 - (v % 1000000 < 0))));
}

void evs_report_real(struct evs_report *r, double v)
{
	put(r, evs_array_append_float(here(r), v));
}

void evs_report_null(struct evs_report *r)
{
	put(r, evs_array_append_null(here(r)));
}
