/*
 * Conditions on rows: where they come from, and applying them to a group.
 */
#include "src/diag.h"
#include "src/query/scan.h"

#include <stdlib.h>
#include <string.h>

/* Names and texts in quotes, a quote doubled. */
static void put_quoted(struct evs_buf *b, const char *s, size_t len, char quote)
{
	evs_buf_put_u8(b, (uint8_t)quote);
	for (size_t i = 0; i < len; i++) {
		if (s[i] == quote || (quote == '\'' && s[i] == '\\'))
			evs_buf_put_u8(b, (uint8_t)(quote == '\'' && s[i] == '\\' ? '\\' : quote));
		evs_buf_put_u8(b, (uint8_t)s[i]);
	}
	evs_buf_put_u8(b, (uint8_t)quote);
}

/* Parse, bind, and add a filter that the scan owns. */
static int own_filter(struct evs_scan *s, const char *text, size_t len, struct evs_diag *diag)
{
	struct evs_expr **grown = realloc(s->own, (s->nown + 1) * sizeof(struct evs_expr *));
	struct evs_expr *e = NULL;
	int rc;

	if (!grown)
		return evs_fail_nomem(diag);
	s->own = grown;
	rc = evs_expr_parse(&e, text, len, 1, 1, diag);
	if (rc < 0)
		return rc;
	s->own[s->nown++] = e;
	rc = evs_expr_bind_condition(e, s->table, diag);
	return rc < 0 ? rc : evs_scan_where(s, e, diag);
}

/* COLUMN=VALUE: the value is text, and means what it means beside the column. */
static int key_filter(struct evs_scan *s, const char *key, struct evs_diag *diag)
{
	const char *eq = strchr(key, '=');
	struct evs_buf text = { 0 };
	size_t len = eq ? (size_t)(eq - key) : strlen(key);
	char hint[160];
	int rc;

	if (!eq || !len)
		return evs_fail(diag, EVS_E_USAGE, "a key is COLUMN=VALUE, not %.200s", key);
	if (evs_table_find(s->table, key, len) < 0) {
		evs_table_suggest(s->table, key, len, hint, sizeof(hint));
		return evs_fail(diag, EVS_E_USAGE, "no column %.*s in %.200s%s",
				(int)(len < 200 ? len : 200), key, s->table->name, hint);
	}
	put_quoted(&text, key, len, '"');
	evs_buf_put_u8(&text, '=');
	put_quoted(&text, eq + 1, strlen(eq + 1), '\'');
	rc = evs_buf_ok(&text) ? own_filter(s, (char *)text.p, text.len, diag) : EVS_E_NOMEM;
	if (rc == EVS_E_NOMEM)
		rc = evs_fail_nomem(diag);
	else if (rc < 0) /* the text is ours, so a place in it says nothing */
		(void)evs_fail(diag, rc, "-k %.*s: %s", (int)(len < 200 ? len : 200), key,
			       diag ? diag->what : "");
	evs_buf_release(&text);
	return rc;
}

int evs_scan_filters(struct evs_scan *s, struct evs_diag *diag)
{
	int rc = 0;

	for (size_t i = 0; i < s->opts.nkeys && rc == 0; i++)
		rc = key_filter(s, s->opts.keys[i], diag);
	if (rc == 0 && s->opts.where)
		rc = own_filter(s, s->opts.where, strlen(s->opts.where), diag);
	return rc;
}

/* What conditions need, whatever they are for. */
static int ready_to_ask(struct evs_scan *s)
{
	if (s->eval)
		return 0;
	if (evs_eval_new(&s->eval) < 0)
		return EVS_E_NOMEM;
	if (s->opts.now)
		evs_eval_set_now(s->eval, s->opts.now);
	s->by_ordinal = calloc(s->table->ncols, sizeof(*s->by_ordinal));
	s->coded_by_ordinal = calloc(s->table->ncols, sizeof(*s->coded_by_ordinal));
	s->bounds = calloc(s->table->ncols, sizeof(*s->bounds));
	return s->by_ordinal && s->coded_by_ordinal && s->bounds ? 0 : EVS_E_NOMEM;
}

/* A condition asks for bounds of this column. */
static int test_column(struct evs_scan *s, uint16_t column)
{
	int slot = evs_scan_slot(s, column);

	if (slot < 0)
		return EVS_E_NOMEM;
	s->slots[slot].tested = true;
	return 0;
}

int evs_scan_where(struct evs_scan *s, const struct evs_expr *where, struct evs_diag *diag)
{
	const struct evs_expr **grown = realloc((void *)(uintptr_t)s->filters,
						(s->nfilters + 1) * sizeof(struct evs_expr *));
	const uint16_t *column;
	size_t n = evs_expr_columns(where, &column);

	if (!grown)
		return evs_fail_nomem(diag);
	s->filters = grown;
	if (ready_to_ask(s) < 0)
		return evs_fail_nomem(diag);
	for (size_t i = 0; i < n; i++)
		if (test_column(s, column[i]) < 0)
			return evs_fail_nomem(diag);
	s->filters[s->nfilters++] = where;
	return 0;
}

int evs_scan_hint(struct evs_scan *s, const struct evs_expr *e, const int *column, size_t n,
		  struct evs_diag *diag)
{
	struct scan_hint *grown = realloc(s->hints, (s->nhints + 1) * sizeof(*grown));
	int *copy = malloc((n + 1) * sizeof(*copy));

	if (grown)
		s->hints = grown;
	if (!grown || !copy || ready_to_ask(s) < 0) {
		free(copy);
		return evs_fail_nomem(diag);
	}
	memcpy(copy, column, n * sizeof(*copy));
	s->hints[s->nhints++] = (struct scan_hint){ e, copy, n };
	for (size_t i = 0; i < n; i++)
		if (column[i] >= 0 && evs_expr_uses(e, (uint16_t)i) &&
		    test_column(s, (uint16_t)column[i]) < 0)
			return evs_fail_nomem(diag);
	return 0;
}

void evs_scan_filters_release(struct evs_scan *s)
{
	for (size_t i = 0; i < s->nown; i++)
		evs_expr_free(s->own[i]);
	free(s->own);
	free((void *)(uintptr_t)s->filters);
	for (size_t i = 0; i < s->nhints; i++)
		free(s->hints[i].column);
	free(s->hints);
	evs_eval_free(s->eval);
	free(s->by_ordinal);
	free((void *)(uintptr_t)s->coded_by_ordinal);
	for (uint16_t c = 0; s->bounds && c < s->table->ncols; c++)
		evs_array_release(&s->bounds[c].a);
	free(s->bounds);
	free(s->tenant_dir);
}

/* Numbers of the rows where the Bool array is true, whose null rows hold zero; eight at a time, as
 * mostly none is. */
static uint32_t all_true(const struct evs_array *yes, uint32_t rows, uint32_t *idx)
{
	uint32_t n = 0;
	uint64_t eight;

	for (uint32_t i = 0; i < rows; i++) {
		if (i % 8 == 0 && rows - i >= 8) {
			memcpy(&eight, yes->data + i, 8);
			if (!eight) {
				i += 7;
				continue;
			}
		}
		idx[n] = i;
		n += yes->data[i];
	}
	return n;
}

/* Keep of s->idx[0 .. *n) the rows where the Bool array is true. */
static void keep_true(struct evs_scan *s, const struct evs_array *yes, uint32_t *n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < *n; i++) {
		uint32_t row = s->idx[i];

		s->idx[kept] = row;
		kept += yes->data[row] != 0 && !evs_array_is_null(yes, row);
	}
	*n = kept;
}

/* Numbers of all rows whose value is one of those that are true; eight at a time where all have the
 * value `mostly`, which is not. */
static uint32_t true_by_code(const uint8_t *yes, const uint32_t *code, uint32_t mostly,
			     uint32_t rows, uint32_t *idx)
{
	uint64_t both = (uint64_t)mostly << 32 | mostly, eight[4];
	bool skip = !yes[mostly];
	uint32_t n = 0;

	for (uint32_t i = 0; i < rows; i++) {
		if (skip && i % 8 == 0 && rows - i >= 8) {
			memcpy(eight, code + i, sizeof(eight));
			if (!((eight[0] ^ both) | (eight[1] ^ both) | (eight[2] ^ both) |
			      (eight[3] ^ both))) {
				i += 7;
				continue;
			}
		}
		idx[n] = i;
		n += yes[code[i]];
	}
	return n;
}

/* Keep such of idx[0 .. n). */
static uint32_t keep_by_code(const uint8_t *yes, const uint32_t *code, uint32_t n, uint32_t *idx)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t row = idx[i];

		idx[kept] = row;
		kept += yes[code[row]];
	}
	return kept;
}

/*
 * A filter over one column that has codes: it is asked of the distinct values, and rows are left by
 * their codes. 1: not so, or some value, which no row may have, cannot be computed.
 */
static int filter_by_codes(struct evs_scan *s, const struct evs_expr *filter, uint32_t rows,
			   uint32_t *n)
{
	const uint16_t *column;
	const struct evs_coded *c =
		evs_expr_columns(filter, &column) == 1 ? s->coded_by_ordinal[*column] : NULL;
	struct evs_array yes = { 0 };
	struct evs_diag d;
	int rc;

	if (!c || !evs_expr_by_value(filter))
		return 1;
	s->by_ordinal[*column] = c->values;
	rc = evs_eval_run(s->eval, filter, s->by_ordinal, c->values.rows, &yes, &d);
	if (rc < 0)
		return rc == EVS_E_DATA ? 1 : rc;
	*n = *n == rows ? true_by_code(yes.data, c->code, c->values.rows - 1, rows, s->idx)
			: keep_by_code(yes.data, c->code, *n, s->idx);
	evs_array_release(&yes);
	return 0;
}

/* The columns that a filter needs. */
static int load_tested(struct evs_scan *s, const struct evs_expr *filter, struct evs_diag *diag)
{
	const uint16_t *column;
	size_t n = evs_expr_columns(filter, &column);
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		struct scan_slot *slot = &s->slots[s->slot_of[column[i]] - 1];

		rc = evs_scan_load_coded(s, s->map, slot, diag);
		s->by_ordinal[column[i]] = slot->a;
		s->coded_by_ordinal[column[i]] = slot->is_coded ? &slot->coded : NULL;
	}
	return rc;
}

int evs_scan_filter(struct evs_scan *s, uint32_t rows, uint32_t *n, struct evs_diag *diag)
{
	struct evs_array yes = { 0 };
	bool all = *n == rows; /* s->idx is not filled */
	int rc = 0;

	for (size_t i = 0; i < s->nfilters && *n && rc == 0; i++) {
		rc = load_tested(s, s->filters[i], diag);
		if (rc == 0)
			rc = filter_by_codes(s, s->filters[i], rows, n);
		if (rc == EVS_E_NOMEM)
			rc = evs_fail_nomem(diag);
		if (rc <= 0) {
			all = all && *n == rows;
			continue;
		}
		rc = evs_eval_run_coded(s->eval, s->filters[i], s->by_ordinal, s->coded_by_ordinal,
					rows, &yes, diag);
		if (rc == 0 && all)
			*n = all_true(&yes, rows, s->idx);
		else if (rc == 0)
			keep_true(s, &yes, n);
		all = false;
		evs_array_release(&yes);
	}
	/* A value that cannot be computed is the question's fault, and ends it (spec/query.md 5-5).
	 */
	if (rc == EVS_E_DATA) {
		if (diag) {
			diag->err = EVS_E_QUERY;
			diag->has_off =
				false; /* a row of this group, which says nothing to the user */
		}
		rc = EVS_E_QUERY;
	}
	return rc;
}
