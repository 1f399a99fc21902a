/*
 * Names: a column of the table, perhaps with steps into its JSON or map behind it.
 */
#include "src/expr/expr_node.h"

#include <stdlib.h>
#include <string.h>

struct x_node *evs_x_bind_column(struct x_binder *b, const struct x_ast *a, int ordinal)
{
	struct evs_expr *e = b->e;
	const struct evs_column *c = &b->t->cols[ordinal];
	struct x_node *n = evs_x_node(b, X_COLUMN, a, 0);
	size_t i;

	if (!n)
		return NULL;
	for (i = 0; i < e->nused && e->used[i] != ordinal; i++)
		;
	if (i == e->used_cap) {
		size_t cap = e->used_cap * 2 + 8;
		uint16_t *used = realloc(e->used, cap * sizeof(*used));

		if (!used)
			return evs_x_nomem(b);
		e->used = used;
		e->used_cap = cap;
	}
	if (i == e->nused)
		e->used[e->nused++] = (uint16_t)ordinal;
	n->ordinal = (uint16_t)ordinal;
	n->num = (int64_t)i;
	n->type = c->type;
	n->nullable = c->nullable;
	return n;
}

static void *unknown_column(struct x_binder *b, const struct x_ast *a)
{
	struct x_suggest s;
	char hint[96];

	if (!b->t)
		return evs_x_fail(b, a, "columns cannot be used here: write a constant");
	evs_x_suggest_init(&s, a->part[0].s, a->part[0].len);
	for (uint16_t i = 0; i < b->t->ncols; i++)
		if (!b->t->cols[i].hidden)
			evs_x_suggest_offer(&s, b->t->cols[i].name, b->t->cols[i].name_len);
	return evs_x_fail(b, a, "there is no column `%.*s` in %s%s",
			  (int)(a->part[0].len < 200 ? a->part[0].len : 200), a->part[0].s,
			  b->t->name ? b->t->name : "the table",
			  evs_x_suggest_text(&s, hint, sizeof(hint)));
}

/* Ordinal of the column that parts [from, from + n) name, joined by dots; -1: none. */
static int find_joined(const struct evs_table *t, const struct x_ast *a, size_t from, size_t n)
{
	char name[1024];
	size_t len = 0;

	if (n == 1)
		return evs_table_find(t, a->part[from].s, a->part[from].len);
	for (size_t i = from; i < from + n; i++) {
		size_t dot = i > from;

		if (dot + a->part[i].len > sizeof(name) - len)
			return -1;
		if (dot)
			name[len++] = '.';
		memcpy(name + len, a->part[i].s, a->part[i].len);
		len += a->part[i].len;
	}
	return evs_table_find(t, name, len);
}

static bool part_is(const struct x_part *p, const char *s)
{
	return s && strlen(s) == p->len && !memcmp(p->s, s, p->len);
}

/* How many leading parts are `table.` or `db.table.`. */
static size_t qualifier(const struct evs_table *t, const struct x_ast *a)
{
	if (a->npart >= 3 && part_is(&a->part[0], t->db) && part_is(&a->part[1], t->name))
		return 2;
	return a->npart >= 2 && part_is(&a->part[0], t->name);
}

/* The longest run of parts from `from` on that names a column; *used: where it ends. */
static int find_longest(const struct evs_table *t, const struct x_ast *a, size_t from, size_t *used)
{
	for (size_t n = a->npart - from; n > 0; n--) {
		int ordinal = find_joined(t, a, from, n);

		*used = from + n;
		if (ordinal >= 0)
			return ordinal;
	}
	return -1;
}

int evs_x_find_column(const struct evs_table *t, const char *as, const struct x_ast *a,
		      size_t *used)
{
	int ordinal = -1;

	if (a->npart >= 2 && part_is(&a->part[0], as))
		ordinal = find_longest(t, a, 1, used);
	if (ordinal < 0)
		ordinal = find_longest(t, a, 0, used);
	if (ordinal < 0 && qualifier(t, a))
		ordinal = find_longest(t, a, qualifier(t, a), used);
	return ordinal;
}

bool evs_x_is_bare_function(const struct x_ast *a)
{
	static const char *const bare[] = { "current_timestamp", "current_date", "localtimestamp" };

	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++)
		if (!a->quoted && a->npart == 1 &&
		    evs_x_same_word(a->part[0].s, a->part[0].len, bare[i]))
			return true;
	return false;
}

/* A column, by the longest run of parts that names one; the parts after it are steps into JSON or
 * a map. */
struct x_node *evs_x_bind_name(struct x_binder *b, const struct x_ast *a)
{
	struct x_node *n = NULL;
	size_t used = 0;
	int ordinal = b->t ? evs_x_find_column(b->t, NULL, a, &used) : -1;

	if (ordinal < 0 && evs_x_is_bare_function(a))
		return evs_x_bind_fn(b, a, evs_x_fn_find(a->part[0].s, a->part[0].len), NULL, 0);
	if (ordinal < 0)
		return unknown_column(b, a);
	n = evs_x_bind_column(b, a, ordinal);
	for (size_t i = used; n && i < a->npart; i++) {
		static const struct evs_type text = { .id = EVS_T_STRING };
		struct x_node *key = evs_x_const(b, a, &text);

		if (!key)
			return NULL;
		if (evs_array_append_bytes(&key->value, a->part[i].s, a->part[i].len) < 0)
			return evs_x_nomem(b);
		if (n->type.id != EVS_T_JSON && n->type.id != EVS_T_STRING &&
		    n->type.id != EVS_T_MAP) {
			char type[128];

			return evs_x_fail(b, a, "`%.200s` is of type %s: it has no parts",
					  b->t->cols[ordinal].name,
					  evs_x_type_text(&n->type, type, sizeof(type)));
		}
		n = evs_x_bind_index(b, a, n, key);
	}
	return n;
}
