/*
 * May one schema take the place of another (spec/schema.md 6)? And are they the same?
 */
#include "src/schema/widen.h"

#include "src/diag.h"
#include "src/expr/expr.h"

#include <stdio.h>
#include <string.h>

static int no(struct evs_diag *diag, const struct evs_column *c, const char *what,
	      const char *advice)
{
	int rc = evs_fail_at(diag, EVS_E_SCHEMA, c->line, c->col, "column %s %s%s%s", c->name, what,
			     *advice ? ": " : "", advice);

	if (diag) {
		size_t n = c->name_len < sizeof(diag->word) ? c->name_len : sizeof(diag->word) - 1;

		memcpy(diag->word, c->name, n);
		diag->word[n] = '\0';
	}
	return rc;
}

static const struct evs_column *find(const struct evs_table *t, const struct evs_column *c)
{
	int i = evs_table_find(t, c->name, c->name_len);

	return i < 0 ? NULL : &t->cols[i];
}

static int check_column(const struct evs_column *a, const struct evs_column *b,
			struct evs_diag *diag)
{
	char what[200], from[80], to[80];

	if (a->nullable && !b->nullable)
		return no(diag, b, "may be null in stored rows", "it must stay nullable");
	if (evs_widen(&a->type, &b->type) != EVS_WIDEN_NONE)
		return 0;
	evs_type_print(&a->type, false, from, sizeof(from));
	evs_type_print(&b->type, false, to, sizeof(to));
	snprintf(what, sizeof(what), "is %s and cannot become %s", from, to);
	return no(diag, b, what, "only a type that holds every old value can take its place");
}

static int check_columns(const struct evs_table *from, const struct evs_table *to,
			 struct evs_diag *diag)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < from->ndeclared; i++) {
		const struct evs_column *a = &from->cols[i], *b = find(to, a);

		rc = b ? check_column(a, b, diag)
		       : no(diag, a, "is gone", "stored rows have it, so it must stay");
	}
	for (unsigned i = 0; rc == 0 && i < to->ndeclared; i++) {
		const struct evs_column *b = &to->cols[i];

		if (!find(from, b) && !b->nullable && !(b->def && evs_expr_constant(b->def)))
			rc = no(diag, b, "is new and never null",
				"make it nullable, or give it a constant DEFAULT for the rows that are there");
	}
	return rc;
}

static bool same_name(const struct evs_table *a, int i, const struct evs_table *b, int j)
{
	if (i < 0 || j < 0)
		return i == j;
	return !strcmp(a->cols[i].name, b->cols[j].name);
}

static bool same_key(const struct evs_table *a, const struct evs_table *b)
{
	if (a->nkey != b->nkey)
		return false;
	for (unsigned i = 0; i < a->nkey; i++) {
		if (!same_name(a, a->key[i], b, b->key[i]))
			return false;
	}
	return true;
}

static int check_layout(const struct evs_table *from, const struct evs_table *to,
			struct evs_diag *diag)
{
	const char *what = NULL;

	if (strcmp(from->name, to->name) != 0)
		what = "the name";
	else if (!same_name(from, from->tenant_column, to, to->tenant_column))
		what = "the tenant column";
	else if (!same_name(from, from->time_column, to, to->time_column) ||
		 from->time_kind != to->time_kind)
		what = "the time column";
	else if (from->unit != to->unit)
		what = "the length of a partition";
	else if (!same_key(from, to))
		what = "the sort key";
	else if (from->engine != to->engine || strcmp(from->engine_args, to->engine_args) != 0)
		what = "the engine";
	if (!what)
		return 0;
	return evs_fail(
		diag, EVS_E_SCHEMA,
		"%s of %s cannot change: stored segments are laid out by it; make a new stream",
		what, from->name);
}

/*
 * ---- the same ----------------------------------------------------------------------------------
 */

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : !a == !b;
}

static bool same_columns(const struct evs_table *a, const struct evs_table *b)
{
	if (a->ncols != b->ncols)
		return false;
	for (unsigned i = 0; i < a->ncols; i++) {
		const struct evs_column *x = &a->cols[i], *y = &b->cols[i];

		if (strcmp(x->name, y->name) != 0 || !evs_type_equal(&x->type, &y->type) ||
		    x->nullable != y->nullable || x->def_kind != y->def_kind ||
		    !same_text(x->def_text, y->def_text))
			return false;
	}
	return true;
}

static bool same_rest(const struct evs_table *a, const struct evs_table *b)
{
	if (a->nchecks != b->nchecks || a->nindexes != b->nindexes)
		return false;
	for (unsigned i = 0; i < a->nchecks; i++) {
		if (strcmp(a->checks[i].name, b->checks[i].name) != 0 ||
		    strcmp(a->checks[i].text, b->checks[i].text) != 0)
			return false;
	}
	for (unsigned i = 0; i < a->nindexes; i++) {
		const struct evs_index_def *x = &a->indexes[i], *y = &b->indexes[i];

		if (strcmp(x->name, y->name) != 0 || strcmp(x->expr_text, y->expr_text) != 0 ||
		    strcmp(x->kind, y->kind) != 0)
			return false;
	}
	return a->ttl_seconds == b->ttl_seconds && a->ttl_months == b->ttl_months;
}

int evs_table_compatible(const struct evs_table *from, const struct evs_table *to, bool *same,
			 struct evs_diag *diag)
{
	int rc = check_layout(from, to, diag);

	*same = false;
	if (rc == 0)
		rc = check_columns(from, to, diag);
	if (rc == 0)
		*same = same_columns(from, to) && same_rest(from, to);
	return rc;
}
