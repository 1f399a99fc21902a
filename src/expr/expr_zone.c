/*
 * What a condition can be over rows of which only bounds are known: true, false, NULL.
 *
 * A comparison with a constant is decided by its left side at the lower and the upper bound,
 * computed as for two rows, where that side is a column or never falls while its column rises
 * (conversions, toStartOfHour() and the like). AND, OR and NOT combine what their arguments can be.
 * Whatever else stands in the tree can be anything. The answer may name too much, never too little.
 */
#include "src/expr/expr_node.h"

#include <stdlib.h>
#include <string.h>

#define T    EVS_MAY_TRUE
#define F    EVS_MAY_FALSE
#define N    EVS_MAY_NULL
#define ANY  (T | F | N)

#define MANY 4096u /* items of an IN list that are looked at */
#define FEW  8u	   /* columns that need no memory */

/* evs_eval.view[i] holds two rows, the bounds, where have[i]. */
struct zone {
	struct evs_eval *v;
	const struct evs_expr *e;
	const struct evs_known *known;
	struct evs_bounds *of; /* for each column used */
	bool *have;
};

static unsigned zone_of(struct zone *z, const struct x_node *n);

static bool ordered(const struct evs_type *t)
{
	return evs_x_is_number(t) || evs_x_is_time(t) || t->id == EVS_T_BOOL || t->id == EVS_T_ENUM;
}

static bool has_column(const struct x_node *n)
{
	if (n->shape == X_COLUMN || n->volatile_rows)
		return true;
	for (size_t i = 0; i < n->n; i++)
		if (has_column(n->arg[i]))
			return true;
	return false;
}

/* The one column with which the value of a tree rises: its place in evs_expr.used, or -1. */
static int rising_column(const struct x_node *n)
{
	const struct evs_type *from;

	if (n->shape == X_COLUMN)
		return (int)n->num;
	if (n->shape != X_FN || !n->n || n->volatile_rows)
		return -1;
	for (size_t i = 1; i < n->n; i++)
		if (has_column(n->arg[i]))
			return -1;
	from = &n->arg[0]->type;
	if (evs_x_time_rises(n))
		return rising_column(n->arg[0]);
	/* A Bool is no rising function of a number: -1, 0 and 1 become true, false, true. */
	if (n->n == 1 && n->eval == evs_x_cast_fn(from, &n->type) && ordered(from) &&
	    ordered(&n->type) && n->type.id != EVS_T_BOOL && n->type.id != EVS_T_ENUM)
		return rising_column(n->arg[0]);
	return -1;
}

/* Do values of the type compare as evs_array_compare() has it? Of others it is not known here. */
static bool compares_plainly(const struct evs_type *t)
{
	return evs_x_is_int(t) || evs_x_is_time(t) || t->id == EVS_T_STRING || t->id == EVS_T_UUID;
}

/* How a column's bounds stand to a constant of its type, which most conditions that prune are
 * about. False: it is something else. */
static bool plain_signs(const struct zone *z, const struct x_node *n, int sign[2])
{
	bool right = n->arg[1]->shape == X_COLUMN;
	const struct x_node *column = n->arg[right], *value = n->arg[!right];

	if (column->shape != X_COLUMN || !evs_x_is_const(value) ||
	    evs_array_is_null(&value->value, 0) || !evs_type_equal(&column->type, &value->type) ||
	    !compares_plainly(&column->type))
		return false;
	for (uint32_t i = 0; i < 2; i++) {
		int c = evs_array_compare(&z->v->view[column->num], i, &value->value, 0);

		sign[i] = right ? -c : c;
	}
	return true;
}

/* One comparison at both bounds, whose signs (of the left side less the right one) may be known:
 * bit 0 and bit 1. False: it cannot be told. */
static bool at_bounds(struct zone *z, const struct x_node *n, enum x_op op, const int *sign,
		      unsigned *out)
{
	struct x_vec arg[2] = { 0 }, r = { 0 };
	struct x_node as = *n;
	bool ok;

	if (sign) {
		*out = (evs_x_holds(op, sign[0]) ? 1u : 0) | (evs_x_holds(op, sign[1]) ? 2u : 0);
		return true;
	}
	as.op = (uint8_t)op;
	ok = evs_x_eval(z->v, n->arg[0], &arg[0]) == 0 &&
	     evs_x_eval(z->v, n->arg[1], &arg[1]) == 0 && !arg[0].bad && !arg[1].bad &&
	     !(arg[0].scalar && arg[1].scalar) && evs_x_apply(z->v, &as, arg, 2, &r) == 0 &&
	     !r.bad && !evs_array_is_null(r.a, 0) && !evs_array_is_null(r.a, 1);
	if (ok)
		*out = (r.a->data[0] ? 1u : 0) | (r.a->data[1] ? 2u : 0);
	evs_x_vec_release(z->v, &r);
	evs_x_vec_release(z->v, &arg[0]);
	evs_x_vec_release(z->v, &arg[1]);
	return ok;
}

/* May the column (the node is nothing else) hold the constant? */
static bool may_hold(const struct zone *z, const struct x_node *column, const struct evs_type *t,
		     const struct evs_array *value, uint32_t row)
{
	if (!z->known->may_hold || column->shape != X_COLUMN || !evs_type_equal(&column->type, t))
		return true;
	return z->known->may_hold(z->known->arg, column->ordinal, value, row);
}

/* The order of a comparison seen from the column: with the column on the right, `<` is `>`. */
static enum x_op flipped(enum x_op op)
{
	return op == X_LT ? X_GT : op == X_GT ? X_LT : op == X_LE ? X_GE : op == X_GE ? X_LE : op;
}

static unsigned compare_equal(struct zone *z, const struct x_node *n, bool right, const int *sign)
{
	const struct x_node *column = n->arg[right ? 1 : 0], *value = n->arg[right ? 0 : 1];
	unsigned eq, le, ge, can = 0;

	if (!at_bounds(z, n, X_EQ, sign, &eq) ||
	    !at_bounds(z, n, right ? flipped(X_LE) : X_LE, sign, &le) ||
	    !at_bounds(z, n, right ? flipped(X_GE) : X_GE, sign, &ge))
		return ANY;
	if (eq != 3)
		can |= F;
	if ((le & 1) && (ge & 2) &&
	    (!evs_x_is_const(value) || may_hold(z, column, &value->type, &value->value, 0)))
		can |= T;
	return can;
}

static unsigned compare(struct zone *z, const struct x_node *n)
{
	int l = rising_column(n->arg[0]), r = rising_column(n->arg[1]), at;
	bool right = l < 0 && !has_column(n->arg[0]);
	enum x_op op = (enum x_op)n->op;
	unsigned can = 0, bits;
	int signs[2], *sign;

	at = right ? r : has_column(n->arg[1]) ? -1 : l;
	if (at < 0 || !z->have[at])
		return ANY;
	if (z->of[at].nulls)
		can |= N;
	if (!z->of[at].bounds)
		return can;
	sign = plain_signs(z, n, signs) ? signs : NULL;
	if (op == X_EQ || op == X_NE) {
		bits = compare_equal(z, n, right, sign);
		if (op == X_NE)
			bits = (bits & N) | (bits & T ? F : 0) | (bits & F ? T : 0);
		return can | bits;
	}
	if (!at_bounds(z, n, op, sign, &bits))
		return ANY;
	/* What holds for small values is decided by the smallest. */
	if (right)
		op = flipped(op);
	if (op == X_LT || op == X_LE)
		return can | (bits & 1 ? T : 0) | (bits & 2 ? 0 : F);
	return can | (bits & 2 ? T : 0) | (bits & 1 ? 0 : F);
}

static unsigned in_list(struct zone *z, const struct x_node *n, const struct evs_array *items,
			bool has_null)
{
	int at = rising_column(n->arg[0]);
	unsigned can = F | (has_null ? N : 0);
	struct x_vec x = { 0 };

	if (at < 0 || !z->have[at] || items->rows > MANY)
		return ANY;
	if (z->of[at].nulls)
		can |= N;
	if (!z->of[at].bounds)
		return can;
	if (evs_x_eval(z->v, n->arg[0], &x) < 0 || x.bad || x.scalar || x.a->nulls) {
		evs_x_vec_release(z->v, &x);
		return ANY;
	}
	for (uint32_t i = 0; i < items->rows && !(can & T); i++)
		if (evs_array_compare(items, i, x.a, 0) >= 0 &&
		    evs_array_compare(items, i, x.a, 1) <= 0 &&
		    may_hold(z, n->arg[0], &n->arg[0]->type, items, i))
			can |= T;
	evs_x_vec_release(z->v, &x);
	return can;
}

/* x IS NULL of a column; the rest can be anything but NULL. */
static unsigned is(const struct zone *z, const struct x_node *n)
{
	const struct x_node *x = n->arg[0];
	unsigned can;

	if (n->op != X_IS_NULL || x->shape != X_COLUMN || !z->have[x->num])
		return T | F;
	can = (z->of[x->num].nulls ? T : 0) | (z->of[x->num].bounds ? F : 0);
	return n->num ? (can & T ? F : 0) | (can & F ? T : 0) : can;
}

/* Text that begins with a prefix: some of it may lie between the bounds. */
static unsigned like(const struct zone *z, const struct x_node *n, const char *prefix, size_t len)
{
	const struct x_node *x = n->arg[0];
	const struct evs_bounds *b;
	const uint8_t *lo, *hi;
	unsigned can;
	size_t nlo, nhi;
	int above;

	if (x->shape != X_COLUMN || x->type.id != EVS_T_STRING || !z->have[x->num])
		return ANY;
	b = &z->of[x->num];
	can = b->nulls ? N : 0;
	if (!b->bounds)
		return can;
	lo = evs_array_bytes(b->bounds, 0, &nlo);
	hi = evs_array_bytes(b->bounds, 1, &nhi);
	above = memcmp(hi, prefix, nhi < len ? nhi : len);
	if (memcmp(lo, prefix, nlo < len ? nlo : len) > 0 || above < 0 || (above == 0 && nhi < len))
		return can | F;
	return can | F | T;
}

static unsigned constant(const struct x_node *n)
{
	if (evs_array_is_null(&n->value, 0))
		return N;
	return evs_array_int(&n->value, 0) ? T : F;
}

/* A column of Bool is a condition by itself. */
static unsigned truth(const struct zone *z, const struct x_node *n)
{
	const struct evs_bounds *b = &z->of[n->num];
	unsigned can = 0;

	if (!z->have[n->num])
		return ANY;
	if (b->nulls)
		can |= N;
	if (b->bounds)
		can |= (evs_array_int(b->bounds, 1) ? T : 0) |
		       (evs_array_int(b->bounds, 0) ? 0 : F);
	return can;
}

static unsigned all_or_any(struct zone *z, const struct x_node *n)
{
	unsigned all = ANY, any = 0;

	for (size_t i = 0; i < n->n; i++) {
		unsigned one = zone_of(z, n->arg[i]);

		all &= one;
		any |= one;
	}
	return n->shape == X_ALL_OF ? (all & T) | (any & (F | N)) : (all & F) | (any & (T | N));
}

static unsigned zone_of(struct zone *z, const struct x_node *n)
{
	const struct evs_array *items;
	const char *prefix;
	bool has_null = false;
	unsigned can;
	size_t len;

	if (n->type.id != EVS_T_BOOL)
		return ANY;
	switch (n->shape) {
	case X_CONST:
		return constant(n);
	case X_COLUMN:
		return truth(z, n);
	case X_ALL_OF:
	case X_ANY_OF:
		return all_or_any(z, n);
	case X_FN:
		break;
	default:
		return ANY;
	}
	if (n->eval == evs_x_not) {
		can = zone_of(z, n->arg[0]);
		return (can & N) | (can & T ? F : 0) | (can & F ? T : 0);
	}
	if (n->eval == evs_x_is)
		return is(z, n);
	if ((prefix = evs_x_like_prefix(n, &len)) != NULL)
		return like(z, n, prefix, len);
	if ((items = evs_x_in_items(n, &has_null)) != NULL)
		return in_list(z, n, items, has_null);
	if (n->n == 2 && n->eval == evs_x_compare_fn(&n->arg[0]->type, &n->arg[1]->type) &&
	    n->op >= X_EQ && n->op <= X_GE)
		return compare(z, n);
	return ANY;
}

unsigned evs_eval_zone(struct evs_eval *v, const struct evs_expr *e, const struct evs_known *known)
{
	struct zone z = { .v = v, .e = e, .known = known };
	struct evs_bounds of[FEW];
	bool have[FEW], few = e->nused <= FEW;
	unsigned can = ANY;

	z.of = few ? of : calloc(e->nused, sizeof(*z.of));
	z.have = few ? have : calloc(e->nused, sizeof(*z.have));
	if (!z.of || !z.have || evs_x_eval_start(v, e) < 0)
		goto out;
	v->rows = 2;
	for (size_t i = 0; i < e->nused; i++) {
		z.have[i] = known->bounds(known->arg, e->used[i], &z.of[i]);
		if (z.have[i] && z.of[i].bounds)
			v->view[i] = *z.of[i].bounds;
	}
	can = zone_of(&z, e->bound);
out:
	if (!few) {
		free(z.of);
		free(z.have);
	}
	return can;
}
