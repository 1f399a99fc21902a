/*
 * What `evcat --latest` and `--sort` do with the rows of a scan: the newest row for each key, then
 * an order.
 *
 * Columns that only these need are fields behind those of the answer. The newest row is the last
 * one of its key when rows are sorted by key and time and stay in the order of storage otherwise.
 */
#include "src/diag.h"
#include "src/query/merge.h"
#include "src/query/scan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STAGE_MEMORY ((size_t)10 << 20) /* of each of the two */
#define ONE_MEMORY   ((size_t)16 << 20) /* where there is only one */

static const struct evs_type ns_type = { .id = EVS_T_INT64 };

struct scan_stage {
	struct evs_merge *latest; /* NULL: every row */
	struct evs_order *sort;	  /* NULL: as they come */
	bool fed, sorted;	  /* all rows are in, and in `sort` */
	size_t ncols;		  /* fields, and the time when it is no column that sorts as it */
	int time_field;		  /* ... of the fields, or -1 */
	struct evs_array *cols;	  /* views of a batch's */
	struct evs_array time;
	struct evs_batch batch;
};

/* ---- opening --------------------------------------------------------------------------------- */

static int find_column(const struct evs_scan *s, const char *name, size_t len,
		       struct evs_diag *diag)
{
	int column = evs_table_find(s->table, name, len);
	char hint[160];

	if (column >= 0)
		return column;
	evs_table_suggest(s->table, name, len, hint, sizeof(hint));
	return evs_fail(diag, EVS_E_USAGE, "no column %.*s in %.200s%s",
			(int)(len < 200 ? len : 200), name, s->table->name, hint);
}

/* "COLUMN", "COLUMN ASC" or "COLUMN DESC" to a field and an order. */
static int parse_key(struct evs_scan *s, const char *text, struct evs_order_key *key,
		     struct evs_diag *diag)
{
	size_t len;
	int column;

	text += strspn(text, " ");
	len = strlen(text);
	while (len && text[len - 1] == ' ')
		len--;
	*key = (struct evs_order_key){ 0 };
	if (len > 5 && !strncasecmp(text + len - 5, " DESC", 5)) {
		key->desc = true;
		len -= 5;
	} else if (len > 4 && !strncasecmp(text + len - 4, " ASC", 4)) {
		len -= 4;
	}
	while (len && text[len - 1] == ' ')
		len--;
	column = find_column(s, text, len, diag);
	if (column < 0)
		return column;
	column = evs_scan_field(s, (uint16_t)column);
	if (column < 0)
		return evs_fail_nomem(diag);
	key->col = (uint32_t)column;
	return 0;
}

static int parse_keys(struct evs_scan *s, const char *const *list, size_t n,
		      struct evs_order_key **out, struct evs_diag *diag)
{
	struct evs_order_key *key = calloc(n + 1, sizeof(*key));
	int rc = key ? 0 : evs_fail_nomem(diag);

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = parse_key(s, list[i], &key[i], diag);
	if (rc < 0) {
		free(key);
		return rc;
	}
	*out = key;
	return 0;
}

/* Types of the stage's columns; the last one is the time, when it has no field. */
static const struct evs_type **types_of(const struct evs_scan *s, const struct scan_stage *g)
{
	const struct evs_type **type = calloc(g->ncols + 1, sizeof(*type));

	for (size_t f = 0; type && f < g->ncols; f++)
		type[f] = f < s->nfields ? s->fields[f].type : &ns_type;
	return type;
}

/* All fields are there by now. */
static int make(struct evs_scan *s, struct scan_stage *g, struct evs_order_key *latest,
		const struct evs_order_key *sort)
{
	const struct evs_type **type;
	size_t cap = latest && sort ? STAGE_MEMORY : ONE_MEMORY;
	struct evs_merge_spec spec = { .key = latest,
				       .nkeys = s->opts.nlatest + 1,
				       .ncompare = s->opts.nlatest,
				       .deleted = -1,
				       .cap = cap,
				       .two_threads = s->opts.threads != 1 };
	int rc = 0;

	g->ncols = s->nfields + (latest && g->time_field < 0);
	g->cols = calloc(g->ncols + 1, sizeof(*g->cols));
	type = types_of(s, g);
	if (!g->cols || !type || evs_type_array(&ns_type, &g->time) < 0) {
		free(type);
		return EVS_E_NOMEM;
	}
	spec.type = type;
	spec.ncols = g->ncols;
	if (latest) {
		latest[s->opts.nlatest] = (struct evs_order_key){
			.col = (uint32_t)(g->time_field < 0 ? (int)s->nfields : g->time_field),
			.nulls_first = true
		};
		rc = evs_merge_new(&g->latest, &spec);
	}
	if (rc == 0 && sort)
		rc = evs_order_new(&g->sort, type, s->nfields, sort, s->opts.nsort, s->opts.limit,
				   cap);
	if (rc == 0 && sort && s->opts.threads != 1)
		evs_order_two_threads(g->sort);
	free(type);
	return rc;
}

/* Rows that another one of their group replaces need not come. */
static int thin_out(struct evs_scan *s, const struct evs_order_key *latest)
{
	s->thin = calloc(s->opts.nlatest + 1, sizeof(*s->thin));
	if (!s->thin)
		return EVS_E_NOMEM;
	for (size_t k = 0; k < s->opts.nlatest; k++)
		s->thin[s->nthin++] = s->slots[s->field_slot[latest[k].col]].column;
	s->thin[s->nthin++] = (uint16_t)s->table->time_column;
	return 0;
}

int evs_stage_open(struct evs_scan *s, struct evs_diag *diag)
{
	struct evs_order_key *latest = NULL, *sort = NULL;
	struct scan_stage *g;
	int rc = 0;

	s->nshown = s->nfields;
	if ((!s->opts.nlatest && !s->opts.nsort) || s->opts.follow)
		return 0;
	g = s->stage = calloc(1, sizeof(*g));
	if (!g)
		return evs_fail_nomem(diag);
	g->time_field = -1;
	if (s->opts.nlatest) {
		rc = parse_keys(s, s->opts.latest, s->opts.nlatest, &latest, diag);
		if (rc == 0) {
			g->time_field = evs_scan_field(s, (uint16_t)s->table->time_column);
			rc = g->time_field < 0 ? evs_fail_nomem(diag) : 0;
		}
	}
	if (rc == 0 && s->opts.nsort)
		rc = parse_keys(s, s->opts.sort, s->opts.nsort, &sort, diag);
	/* A time in a text does not sort as one. */
	if (s->table->time_kind == EVS_TIME_TEXT)
		g->time_field = -1;
	else if (rc == 0 && latest && thin_out(s, latest) < 0)
		rc = evs_fail_nomem(diag);
	if (rc == 0 && make(s, g, latest, sort) < 0)
		rc = evs_fail_nomem(diag);
	free(latest);
	free(sort);
	return rc;
}

void evs_stage_close(struct evs_scan *s)
{
	struct scan_stage *g = s->stage;

	if (!g)
		return;
	evs_merge_free(g->latest);
	evs_order_free(g->sort);
	evs_array_release(&g->time);
	free(g->cols);
	free(g);
	s->stage = NULL;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Times of the batch at hand, as the stage's last column. */
static int add_time(const struct evs_scan *s, struct scan_stage *g, uint32_t rows)
{
	const struct evs_array *from = &s->at[s->slot_of[s->table->time_column] - 1].a;
	int rc = 0;

	evs_array_reset(&g->time);
	for (uint32_t i = 0; i < rows && rc == 0; i++)
		rc = evs_array_append_int(&g->time, (uint64_t)evs_row_time(s->table, from, i));
	g->cols[s->nfields] = g->time;
	return rc;
}

static int feed(struct evs_scan *s, struct scan_stage *g, struct evs_diag *diag)
{
	struct evs_batch *b;
	int rc;

	while ((rc = evs_scan_rows(s, &b, diag)) > 0) {
		for (size_t f = 0; f < s->nfields; f++)
			g->cols[f] = b->cols[f];
		if (g->latest && g->ncols > s->nfields && add_time(s, g, b->rows) < 0)
			return evs_fail_nomem(diag);
		rc = g->latest ? evs_merge_add(g->latest, g->cols, b->rows, diag)
			       : evs_order_add(g->sort, g->cols, b->rows, diag);
		if (rc < 0)
			return rc;
	}
	g->fed = rc == 0;
	return rc;
}

static int sort_latest(struct scan_stage *g, struct evs_diag *diag)
{
	struct evs_array *cols;
	uint32_t rows;
	int rc;

	while ((rc = evs_merge_next(g->latest, &cols, &rows, diag)) > 0) {
		rc = evs_order_add(g->sort, cols, rows, diag);
		if (rc < 0)
			return rc;
	}
	g->sorted = rc == 0;
	return rc;
}

int evs_stage_next(struct evs_scan *s, struct evs_batch **out, struct evs_diag *diag)
{
	struct scan_stage *g = s->stage;
	struct evs_array *cols;
	uint32_t rows = 0;
	int rc = g->fed ? 0 : feed(s, g, diag);

	if (rc == 0 && g->latest && g->sort && !g->sorted)
		rc = sort_latest(g, diag);
	if (rc == 0)
		rc = g->sort ? evs_order_next(g->sort, &cols, &rows, diag)
			     : evs_merge_next(g->latest, &cols, &rows, diag);
	if (rc <= 0)
		return rc;
	g->batch = (struct evs_batch){ s->fields, cols, s->nshown, rows, s->grown };
	*out = &g->batch;
	return 1;
}
