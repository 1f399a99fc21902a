/*
 * The inside of struct evs_select, shared by select_*.c. Private to expr/.
 */
#ifndef EVS_SELECT_AST_H
#define EVS_SELECT_AST_H

#include "src/expr/expr_node.h"
#include "src/expr/select.h"

#define X_MAX_ITEMS 4096u /* of a SELECT, and of GROUP BY, ORDER BY, LIMIT BY each */

struct x_item {
	struct x_ast *ast;
	const char *name;
	size_t name_len;
	bool alias; /* the name was given: it can be used elsewhere */
	bool extra;
	uint8_t state; /* of resolving, select_resolve.c */
	struct x_ast *resolved;
};

struct x_list {
	struct x_ast **ast;
	size_t n, cap;
};

struct x_sort {
	struct x_ast *ast;
	bool desc, nulls_first;
};

/* One text that was parsed, and what messages call it. */
struct x_text {
	const char *name, *copy;
	size_t len;
};

struct evs_select {
	struct evs_expr *mem; /* arena and count of terms of everything parsed here */
	struct x_text text[5];
	unsigned ntext;
	const char *db, *from, *as; /* "" when not given */
	bool distinct, group_all;
	struct x_item *item;
	size_t nitem, item_cap;
	struct x_ast *where, *having;
	struct x_list group, by;
	bool grouped; /* has GROUP BY or an aggregate */
	struct x_sort *sort;
	size_t nsort, sort_cap;
	uint64_t by_limit, limit, offset;

	/* Binding. */
	const struct evs_table *t;
	struct evs_table *second;
	struct x_ast **key; /* resolved */
	struct x_ast **call;
	size_t ncall, call_cap;
	struct evs_expr **exprs; /* all bound ones, for release */
	size_t nexprs, exprs_cap;
	struct evs_select_plan plan;
	struct evs_diag *diag;
	int err;
};

/* A failure that is in the diag already; tells which part `a` stands in. */
void evs_s_told(struct evs_select *s, int err, const struct x_ast *a);
/* Fail at a term; keeps the first failure. Returns NULL. */
void *evs_s_fail(struct evs_select *s, const struct x_ast *a, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void *evs_s_nomem(struct evs_select *s);
void *evs_s_alloc(struct evs_select *s, size_t n);

/* Room for one more of `size` bytes in an array of the arena: the array, perhaps moved. */
void *evs_s_grow(struct evs_select *s, void *array, size_t n, size_t *cap, size_t size);

/* The text with a zero byte behind it. */
const char *evs_s_copy(struct evs_select *s, const char *text, size_t len);

/* select_parse.c: pieces of the grammar, each up to where it ends. False: failed. */
bool evs_s_parse_statement(struct x_parser *p, struct evs_select *s);
bool evs_s_parse_items(struct x_parser *p, struct evs_select *s);
bool evs_s_parse_where(struct x_parser *p, struct evs_select *s);
bool evs_s_parse_sorts(struct x_parser *p, struct evs_select *s);

/* Where a name alone may be an alias as well as a column. */
enum x_scope {
	X_COLUMN_FIRST, /* WHERE and the items */
	X_ALIAS_FIRST,	/* GROUP BY, HAVING, ORDER BY, LIMIT BY */
};

/* select_resolve.c: the term with aliases put in and columns as X_SLOT of the source. NULL: failed.
 */
struct x_ast *evs_s_resolve(struct evs_select *s, const struct x_ast *a, enum x_scope scope);
struct x_ast *evs_s_resolve_item(struct evs_select *s, size_t i);
/* A copy of a resolved term with `child` (its arguments, as many) instead of its own. */
struct x_ast *evs_s_with(struct evs_select *s, const struct x_ast *a, struct x_ast **child);
struct x_ast *evs_s_slot(struct evs_select *s, const struct x_ast *at, size_t slot);
bool evs_s_same(const struct x_ast *a, const struct x_ast *b);

/* select_agg.c */
bool evs_s_is_agg(const struct x_ast *a);
bool evs_s_has_agg(const struct x_ast *a);
int evs_s_bind_agg(struct evs_select *s, const struct x_ast *a, struct evs_agg_call *out);

/* select_bind.c: a resolved term as an expression over `t`; with `truth` it becomes Bool. */
struct evs_expr *evs_s_expr(struct evs_select *s, const struct x_ast *a, const struct evs_table *t,
			    bool truth);
/* An expression without anything bound, owned by `s`. */
struct evs_expr *evs_s_new_expr(struct evs_select *s, const struct x_ast *a);

#endif
