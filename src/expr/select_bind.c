/*
 * A parsed SELECT and a table become a plan: which expressions have to be computed over which
 * table. See select.h for the two tables of a grouped query.
 */
#include "src/expr/select_ast.h"

#include "src/diag.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SLOTS 8192u /* keys and aggregates */

/* ---- expressions ----------------------------------------------------------------------------- */

struct evs_expr *evs_s_new_expr(struct evs_select *s, const struct x_ast *a)
{
	struct evs_expr **list =
		evs_s_grow(s, s->exprs, s->nexprs, &s->exprs_cap, sizeof(struct evs_expr *));
	struct evs_expr *e = list ? calloc(1, sizeof(*e)) : NULL;

	if (!e)
		return evs_s_nomem(s);
	e->root = (struct x_ast *)(uintptr_t)a; /* only looked at */
	e->line = a->line;
	e->col = a->col;
	s->exprs = list;
	s->exprs[s->nexprs++] = e;
	return e;
}

struct evs_expr *evs_s_expr(struct evs_select *s, const struct x_ast *a, const struct evs_table *t,
			    bool truth)
{
	struct evs_expr *e = evs_s_new_expr(s, a);
	int rc;

	if (!e)
		return NULL;
	rc = truth ? evs_expr_bind_condition(e, t, s->diag) : evs_expr_bind(e, t, s->diag);
	if (rc < 0)
		evs_s_told(s, rc, a);
	return rc < 0 ? NULL : e;
}

/* ---- items ----------------------------------------------------------------------------------- */

/* A column of `SELECT *`. */
static bool add_column(struct evs_select *s, struct x_item *to, const struct x_ast *star,
		       uint16_t ordinal)
{
	const struct evs_column *c = &s->t->cols[ordinal];

	*to = (struct x_item){ .ast = evs_s_slot(s, star, ordinal),
			       .name = c->name,
			       .name_len = c->name_len,
			       .extra = ordinal == s->t->extra_column };
	return to->ast != NULL;
}

/* Put the columns of the source in the place of every `*`. */
static bool expand_stars(struct evs_select *s)
{
	size_t n = 0, stars = 0, room;
	struct x_item *item;

	for (size_t i = 0; i < s->nitem; i++)
		stars += s->item[i].ast->kind == X_STAR;
	room = s->nitem + stars * s->t->ncols;
	if (!stars)
		return true;
	if (stars > 8)
		return evs_s_fail(s, s->item[0].ast, "`*` stands here too often") != NULL;
	item = evs_s_alloc(s, room * sizeof(*item));
	if (!item)
		return false;
	for (size_t i = 0; i < s->nitem; i++) {
		if (s->item[i].ast->kind != X_STAR) {
			item[n++] = s->item[i];
			continue;
		}
		for (uint16_t c = 0; c < s->t->ncols; c++)
			if ((!s->t->cols[c].hidden || c == s->t->extra_column) &&
			    !add_column(s, &item[n++], s->item[i].ast, c))
				return false;
	}
	s->item = item;
	s->nitem = n;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct x_item *x = *(const struct x_item *const *)a,
			    *y = *(const struct x_item *const *)b;
	size_t n = x->name_len < y->name_len ? x->name_len : y->name_len;
	int c = n ? memcmp(x->name, y->name, n) : 0;

	return c ? c : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

/* Two columns of one name would be two members of one name in NDJSON. */
static bool check_names(struct evs_select *s)
{
	const struct x_item **list = evs_s_alloc(s, s->nitem * sizeof(*list));

	if (!list)
		return false;
	for (size_t i = 0; i < s->nitem; i++)
		list[i] = &s->item[i];
	qsort(list, s->nitem, sizeof(*list), by_name);
	for (size_t i = 1; i < s->nitem; i++) {
		if (!by_name(&list[i - 1], &list[i])) {
			const struct x_item *late = list[i - 1] > list[i] ? list[i - 1] : list[i];

			return evs_s_fail(
				       s, late->ast,
				       "two columns are called `%.*s`: give one another name with AS",
				       (int)(late->name_len < 200 ? late->name_len : 200),
				       late->name) != NULL;
		}
	}
	return true;
}

static bool resolve_items(struct evs_select *s)
{
	if (!expand_stars(s))
		return false;
	for (size_t i = 0; i < s->nitem; i++) {
		struct x_item *item = &s->item[i];
		const struct x_ast *a;

		if (item->ast->kind == X_SLOT) { /* of a star */
			item->resolved = item->ast;
			item->state = 2;
			continue;
		}
		a = evs_s_resolve_item(s, i);
		if (!a)
			return false;
		if (!item->alias && a->kind == X_SLOT) {
			item->name = s->t->cols[a->slot].name;
			item->name_len = s->t->cols[a->slot].name_len;
		}
	}
	return check_names(s);
}

/* ---- grouping -------------------------------------------------------------------------------- */

/* The item that a whole number stands for in GROUP BY and ORDER BY; NULL without failure: no
 * number. */
static struct x_ast *ordinal_item(struct evs_select *s, const struct x_ast *a)
{
	size_t n = 0;

	if (a->kind != X_NUMBER)
		return NULL;
	for (size_t i = 0; i < a->len; i++) {
		if (a->s[i] < '0' || a->s[i] > '9')
			return evs_s_fail(s, a,
					  "a number here names an item of the SELECT, from 1");
		n = n < 100000 ? n * 10 + (size_t)(a->s[i] - '0') : n;
	}
	if (n < 1 || n > s->nitem)
		return evs_s_fail(s, a, "the SELECT has %zu item%s, so there is no number %.*s",
				  s->nitem, s->nitem == 1 ? "" : "s",
				  (int)(a->len < 20 ? a->len : 20), a->s);
	return s->item[n - 1].resolved;
}

static bool add_key(struct evs_select *s, struct x_ast *a, const struct x_ast *at)
{
	if (evs_s_has_agg(a))
		return evs_s_fail(s, at, "an aggregate cannot be grouped by") != NULL;
	for (size_t k = 0; k < s->plan.nkey; k++)
		if (evs_s_same(s->key[k], a))
			return true;
	s->key[s->plan.nkey++] = a;
	return true;
}

static bool resolve_keys(struct evs_select *s)
{
	size_t n = s->group_all ? s->nitem : s->group.n;

	s->key = evs_s_alloc(s, (n ? n : 1) * sizeof(struct x_ast *));
	if (!s->key)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct x_ast *a;

		if (s->group_all) {
			a = s->item[i].resolved;
			if (evs_s_has_agg(a))
				continue;
		} else {
			a = ordinal_item(s, s->group.ast[i]);
			if (!a && !s->err)
				a = evs_s_resolve(s, s->group.ast[i], X_ALIAS_FIRST);
		}
		if (!a || !add_key(s, a, s->group_all ? a : s->group.ast[i]))
			return false;
	}
	return true;
}

static size_t find_call(struct evs_select *s, struct x_ast *a)
{
	struct x_ast **list;

	for (size_t i = 0; i < s->ncall; i++)
		if (evs_s_same(s->call[i], a))
			return i;
	list = evs_s_grow(s, s->call, s->ncall, &s->call_cap, sizeof(struct x_ast *));
	if (!list)
		return SIZE_MAX;
	s->call = list;
	s->call[s->ncall++] = a;
	return s->ncall - 1;
}

static bool is_literal(const struct x_ast *a)
{
	return a->kind == X_NULL || a->kind == X_BOOL || a->kind == X_NUMBER ||
	       a->kind == X_STRING || a->kind == X_INTERVAL || a->kind == X_STAR;
}

/* A resolved term over the source as one over keys and aggregates. */
static struct x_ast *regroup(struct evs_select *s, struct x_ast *a)
{
	struct x_ast **child;
	size_t i;

	if (is_literal(a))
		return a;
	for (i = 0; i < s->plan.nkey; i++)
		if (evs_s_same(s->key[i], a))
			return evs_s_slot(s, a, i);
	if (evs_s_is_agg(a)) {
		i = find_call(s, a);
		if (s->plan.nkey + i >= MAX_SLOTS)
			return i == SIZE_MAX ? NULL
					     : evs_s_fail(s, a, "more than %u keys and aggregates",
							  MAX_SLOTS);
		return evs_s_slot(s, a, s->plan.nkey + i);
	}
	if (a->kind == X_CALL && !evs_x_fn_find(a->s, a->len)) {
		evs_s_expr(s, a, s->t, false); /* says that there is none */
		return NULL;
	}
	if (a->kind == X_SLOT)
		return evs_s_fail(
			s, a,
			"`%.200s` has many values in a group: add it to GROUP BY, or take one "
			"with any(), min(), max()",
			s->t->cols[a->slot].name);
	child = evs_s_alloc(s, (a->n ? a->n : 1) * sizeof(struct x_ast *));
	for (i = 0; child && i < a->n; i++)
		if (!(child[i] = regroup(s, a->arg[i])))
			return NULL;
	return child ? evs_s_with(s, a, child) : NULL;
}

/* ---- the second table ------------------------------------------------------------------------ */

static bool bind_keys(struct evs_select *s)
{
	s->plan.key = evs_s_alloc(s, (s->plan.nkey + 1) * sizeof(struct evs_expr *));
	for (size_t k = 0; s->plan.key && k < s->plan.nkey; k++)
		if (!(s->plan.key[k] = evs_s_expr(s, s->key[k], s->t, false)))
			return false;
	return s->plan.key != NULL;
}

static bool bind_calls(struct evs_select *s)
{
	s->plan.nagg = s->ncall;
	s->plan.agg = evs_s_alloc(s, (s->ncall + 1) * sizeof(*s->plan.agg));
	for (size_t i = 0; s->plan.agg && i < s->ncall; i++)
		if (evs_s_bind_agg(s, s->call[i], &s->plan.agg[i]) < 0)
			return s->err ? false : evs_s_nomem(s) != NULL;
	return s->plan.agg != NULL;
}

static bool make_second(struct evs_select *s)
{
	size_t n = s->plan.nkey + s->plan.nagg;
	struct evs_table_column *cols = evs_s_alloc(s, (n + 1) * sizeof(*cols));

	for (size_t i = 0; cols && i < n; i++) {
		struct evs_table_column *c = &cols[i];

		c->name = ""; /* found by their place only */
		if (i < s->plan.nkey) {
			c->type = evs_expr_type(s->plan.key[i], &c->nullable);
		} else {
			c->type = &s->plan.agg[i - s->plan.nkey].type;
			c->nullable = s->plan.agg[i - s->plan.nkey].nullable;
		}
	}
	if (!cols || evs_table_make(&s->second, "", "", cols, n) < 0)
		return evs_s_nomem(s) != NULL;
	s->plan.table = s->second;
	return true;
}

/* ---- what comes after grouping --------------------------------------------------------------- */

/* Everything that is computed from the second table (of a query without groups: the source). */
struct terms {
	struct x_ast **col; /* resolved over the source */
	size_t n, cap;
};

/* Its place among the columns, added when it is not there. SIZE_MAX: failed. */
static size_t column_of(struct evs_select *s, struct terms *t, struct x_ast *a)
{
	struct x_ast **col;

	for (size_t i = 0; i < t->n; i++)
		if (evs_s_same(t->col[i], a))
			return i;
	col = evs_s_grow(s, t->col, t->n, &t->cap, sizeof(struct x_ast *));
	if (!col)
		return SIZE_MAX;
	t->col = col;
	t->col[t->n++] = a;
	return t->n - 1;
}

/* One expression of ORDER BY or LIMIT BY. */
static size_t late_column(struct evs_select *s, struct terms *t, const struct x_ast *from)
{
	struct x_ast *a = ordinal_item(s, from);
	size_t i;

	if (!a && !s->err)
		a = evs_s_resolve(s, from, X_ALIAS_FIRST);
	i = a ? column_of(s, t, a) : SIZE_MAX;
	if (i != SIZE_MAX && i >= s->nitem && s->distinct) {
		evs_s_fail(s, from, "with DISTINCT, this must be an item of the SELECT");
		return SIZE_MAX;
	}
	return i;
}

static bool resolve_late(struct evs_select *s, struct terms *t)
{
	for (size_t i = 0; i < s->nitem; i++) {
		struct x_ast **col = evs_s_grow(s, t->col, t->n, &t->cap, sizeof(struct x_ast *));

		if (!col)
			return false;
		t->col = col;
		t->col[t->n++] = s->item[i].resolved;
	}
	s->plan.order = evs_s_alloc(s, (s->nsort + 1) * sizeof(*s->plan.order));
	s->plan.by = evs_s_alloc(s, (s->by.n + 1) * sizeof(*s->plan.by));
	if (!s->plan.order || !s->plan.by)
		return false;
	for (size_t i = 0; i < s->nsort; i++) {
		size_t col = late_column(s, t, s->sort[i].ast);

		if (col == SIZE_MAX)
			return false;
		s->plan.order[s->plan.norder++] =
			(struct evs_select_order){ (uint32_t)col, s->sort[i].desc,
						   s->sort[i].nulls_first };
	}
	for (size_t i = 0; i < s->by.n; i++) {
		size_t col = late_column(s, t, s->by.ast[i]);

		if (col == SIZE_MAX)
			return false;
		s->plan.by[s->plan.nby++] = (uint32_t)col;
	}
	return true;
}

/* Is the query grouped although no GROUP BY says so? */
static bool is_grouped(const struct evs_select *s, const struct terms *t,
		       const struct x_ast *having)
{
	if (s->grouped || having)
		return true;
	for (size_t i = 0; i < t->n; i++)
		if (evs_s_has_agg(t->col[i]))
			return true;
	return false;
}

static bool bind_columns(struct evs_select *s, struct terms *t)
{
	struct evs_select_col *col = evs_s_alloc(s, (t->n + 1) * sizeof(*col));

	s->plan.col = col;
	s->plan.ncol = t->n;
	s->plan.nitems = s->nitem;
	for (size_t i = 0; col && i < t->n; i++) {
		col[i].expr = evs_s_expr(s, t->col[i], s->plan.table, false);
		if (!col[i].expr)
			return false;
		if (i < s->nitem) {
			col[i].name = s->item[i].name;
			col[i].name_len = s->item[i].name_len;
			col[i].extra = s->item[i].extra;
		}
	}
	return col != NULL;
}

/* Group: from here on, terms are over the second table. */
static bool group_all(struct evs_select *s, struct terms *t, struct x_ast **having)
{
	for (size_t i = 0; i < t->n; i++)
		if (!(t->col[i] = regroup(s, t->col[i])))
			return false;
	if (*having && !(*having = regroup(s, *having)))
		return false;
	return bind_keys(s) && bind_calls(s) && make_second(s);
}

static bool bind_where(struct evs_select *s)
{
	struct x_ast *a;

	if (!s->where)
		return true;
	a = evs_s_resolve(s, s->where, X_COLUMN_FIRST);
	if (!a)
		return false;
	if (evs_s_has_agg(a))
		return evs_s_fail(s, s->where,
				  "WHERE looks at single rows: conditions on aggregates "
				  "belong into HAVING") != NULL;
	s->plan.where = evs_s_expr(s, a, s->t, true);
	return s->plan.where != NULL;
}

static bool bind_all(struct evs_select *s)
{
	struct terms t = { 0 };
	struct x_ast *having = NULL;

	if (!resolve_items(s) || !resolve_keys(s) || !bind_where(s) || !resolve_late(s, &t))
		return false;
	if (s->having && !(having = evs_s_resolve(s, s->having, X_ALIAS_FIRST)))
		return false;
	s->plan.table = s->t;
	s->plan.grouped = is_grouped(s, &t, having);
	if (s->plan.grouped && !group_all(s, &t, &having))
		return false;
	if (having && !(s->plan.having = evs_s_expr(s, having, s->plan.table, true)))
		return false;
	if (!bind_columns(s, &t))
		return false;
	s->plan.distinct = s->distinct;
	s->plan.by_limit = s->by_limit;
	s->plan.limit = s->limit;
	s->plan.offset = s->offset;
	return true;
}

int evs_select_bind(struct evs_select *s, const struct evs_table *t, struct evs_diag *diag)
{
	s->t = t;
	s->diag = diag;
	s->err = 0;
	if (bind_all(s))
		return 0;
	return s->err ? s->err : evs_fail_nomem(diag);
}

const struct evs_select_plan *evs_select_plan(const struct evs_select *s)
{
	return &s->plan;
}

void evs_select_free(struct evs_select *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nexprs; i++)
		evs_expr_free(s->exprs[i]);
	evs_table_free(s->second);
	evs_expr_free(s->mem);
	free(s);
}
