/*
 * Names in a SELECT: aliases are replaced by what they stand for, columns by their place in the
 * source, so that two terms are the same exactly when they compute the same (spec/query.md 8-6 to
 * 8-8).
 *
 * Terms are shared rather than copied, so the text stays the limit of memory; how many terms an
 * expression has with every alias put in is counted, because binding and computing take as long as
 * that.
 */
#include "src/expr/select_ast.h"

#include "src/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { UNSEEN = 0, BUSY, DONE };

struct walk {
	struct evs_select *s;
	enum x_scope scope;
	unsigned depth;
};

/* Tell which part of the query a message is about. */
static void tell_part(const struct evs_select *s, const struct x_ast *a)
{
	for (unsigned i = 0; s->diag && i < s->ntext; i++) {
		const struct x_text *t = &s->text[i];

		if (a->word >= t->copy && a->word <= t->copy + t->len)
			snprintf(s->diag->path, sizeof(s->diag->path), "%s", t->name);
	}
}

void evs_s_told(struct evs_select *s, int err, const struct x_ast *a)
{
	if (!s->err)
		s->err = err;
	tell_part(s, a);
}

void *evs_s_fail(struct evs_select *s, const struct x_ast *a, const char *fmt, ...)
{
	char text[768];
	va_list ap;

	if (s->err)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	s->err = evs_fail_at(s->diag, EVS_E_QUERY, a->line, a->col, "%s", text);
	evs_fail_word(s->diag, a->word, a->word_len);
	tell_part(s, a);
	return NULL;
}

/* ---- sameness -------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

/* Case does not matter in names of functions and types. */
static uint8_t folded(const struct x_ast *a, size_t i)
{
	char c = a->s[i];

	if ((a->kind == X_CALL || a->kind == X_CAST) && c >= 'A' && c <= 'Z')
		c = (char)(c | 0x20);
	return (uint8_t)c;
}

static uint64_t flags_of(const struct x_ast *a)
{
	return (uint64_t)a->kind | (uint64_t)a->op << 8 | (uint64_t)a->negated << 16 |
	       (uint64_t)a->fold_case << 17 | (uint64_t)a->distinct << 18 |
	       (uint64_t)a->has_operand << 19 | (uint64_t)a->has_else << 20 |
	       (uint64_t)a->escape << 24 | (uint64_t)a->slot << 32;
}

/* Size, depth and hash from the children, which have theirs. */
static struct x_ast *settle(struct evs_select *s, struct x_ast *a)
{
	uint64_t h = mix(flags_of(a), a->len), size = 1;
	unsigned depth = 0;

	for (size_t i = 0; i < a->len; i++)
		h = mix(h, folded(a, i));
	h = mix(mix(h, (uint64_t)a->interval.months), (uint64_t)a->interval.seconds);
	h = mix(h, (uint64_t)a->interval.nanos);
	for (size_t i = 0; i < a->n + a->nparam + (a->filter != NULL); i++) {
		const struct x_ast *c = i < a->n	       ? a->arg[i]
					: i < a->n + a->nparam ? a->param[i - a->n]
							       : a->filter;

		h = mix(h, c->hash);
		size += c->size;
		depth = c->depth > depth ? c->depth : depth;
	}
	if (size > X_MAX_NODES)
		return evs_s_fail(s, a,
				  "with its aliases put in, the expression has more than %d terms",
				  X_MAX_NODES);
	if (depth >= X_MAX_DEPTH)
		return evs_s_fail(s, a,
				  "with its aliases put in, the expression is nested more than %d "
				  "levels deep",
				  X_MAX_DEPTH);
	a->hash = h;
	a->size = (uint32_t)size;
	a->depth = (uint16_t)(depth + 1);
	return a;
}

static bool same_list(struct x_ast *const *a, size_t n, struct x_ast *const *b, size_t m)
{
	if (n != m)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!evs_s_same(a[i], b[i]))
			return false;
	return true;
}

bool evs_s_same(const struct x_ast *a, const struct x_ast *b)
{
	if (a == b)
		return true;
	if (a->hash != b->hash || a->size != b->size || flags_of(a) != flags_of(b) ||
	    a->len != b->len || !a->filter != !b->filter)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if (folded(a, i) != folded(b, i))
			return false;
	return a->interval.months == b->interval.months &&
	       a->interval.seconds == b->interval.seconds &&
	       a->interval.nanos == b->interval.nanos && same_list(a->arg, a->n, b->arg, b->n) &&
	       same_list(a->param, a->nparam, b->param, b->nparam) &&
	       (!a->filter || evs_s_same(a->filter, b->filter));
}

/* ---- building -------------------------------------------------------------------------------- */

static struct x_ast *copy_of(struct evs_select *s, const struct x_ast *a)
{
	struct x_ast *c = evs_s_alloc(s, sizeof(*c));

	if (c)
		*c = *a;
	return c;
}

struct x_ast *evs_s_slot(struct evs_select *s, const struct x_ast *at, size_t slot)
{
	struct x_ast *c = evs_s_alloc(s, sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct x_ast){ .kind = X_SLOT,
			     .line = at->line,
			     .col = at->col,
			     .word = at->word,
			     .word_len = at->word_len,
			     .slot = (uint16_t)slot };
	return settle(s, c);
}

struct x_ast *evs_s_with(struct evs_select *s, const struct x_ast *a, struct x_ast **child)
{
	struct x_ast *c = copy_of(s, a);

	if (!c)
		return NULL;
	c->arg = child;
	c->cap = c->n;
	return settle(s, c);
}

/* base.part: a step into JSON or a map. */
static struct x_ast *member(struct evs_select *s, const struct x_ast *at, struct x_ast *base,
			    const struct x_part *part)
{
	struct x_ast *key = evs_s_alloc(s, sizeof(*key)), *c = evs_s_alloc(s, sizeof(*c));
	struct x_ast **arg = evs_s_alloc(s, 2 * sizeof(struct x_ast *));

	if (!key || !c || !arg)
		return NULL;
	*key = *c = (struct x_ast){
		.line = at->line, .col = at->col, .word = at->word, .word_len = at->word_len
	};
	key->kind = X_STRING;
	key->s = part->s;
	key->len = part->len;
	c->kind = X_INDEX;
	arg[0] = base;
	arg[1] = settle(s, key);
	c->arg = arg;
	c->n = 2;
	return arg[1] ? settle(s, c) : NULL;
}

/* ---- names ----------------------------------------------------------------------------------- */

static struct x_ast *resolve(struct walk *w, const struct x_ast *a);

static struct x_ast *resolve_item(struct walk *w, size_t i, const struct x_ast *at)
{
	struct evs_select *s = w->s;
	struct walk inner = { s, X_COLUMN_FIRST, w->depth };

	if (s->item[i].state == BUSY)
		return evs_s_fail(s, at, "`%.*s` is defined by itself",
				  (int)(s->item[i].name_len < 200 ? s->item[i].name_len : 200),
				  s->item[i].name);
	if (s->item[i].state == UNSEEN) {
		s->item[i].state = BUSY;
		s->item[i].resolved = resolve(&inner, s->item[i].ast);
		s->item[i].state = DONE;
	}
	return s->item[i].resolved;
}

/* The item whose alias the name begins with, or nitem. */
static size_t find_alias(const struct evs_select *s, const struct x_ast *a)
{
	size_t i;

	for (i = 0; i < s->nitem; i++)
		if (s->item[i].alias && s->item[i].name_len == a->part[0].len &&
		    !memcmp(s->item[i].name, a->part[0].s, a->part[0].len))
			break;
	return i;
}

static struct x_ast *unknown_name(struct evs_select *s, const struct x_ast *a)
{
	const struct x_part *part =
		&a->part[a->npart > 1 && s->as[0] && strlen(s->as) == a->part[0].len &&
			 !memcmp(s->as, a->part[0].s, a->part[0].len)];
	struct x_suggest hint;
	char text[96];

	evs_x_suggest_init(&hint, part->s, part->len);
	for (uint16_t i = 0; i < s->t->ncols; i++)
		if (!s->t->cols[i].hidden)
			evs_x_suggest_offer(&hint, s->t->cols[i].name, s->t->cols[i].name_len);
	for (size_t i = 0; i < s->nitem; i++)
		if (s->item[i].alias)
			evs_x_suggest_offer(&hint, s->item[i].name, s->item[i].name_len);
	return evs_s_fail(s, a, "there is no column `%.*s` in %.200s%s",
			  (int)(part->len < 200 ? part->len : 200), part->s, s->t->name,
			  evs_x_suggest_text(&hint, text, sizeof(text)));
}

static struct x_ast *resolve_name(struct walk *w, const struct x_ast *a)
{
	struct evs_select *s = w->s;
	size_t item = find_alias(s, a), used = 0;
	int ordinal = evs_x_find_column(s->t, s->as, a, &used);
	struct x_ast *c;

	if (item < s->nitem && (ordinal < 0 || w->scope == X_ALIAS_FIRST)) {
		c = resolve_item(w, item, a);
		used = 1;
	} else if (ordinal >= 0) {
		c = evs_s_slot(s, a, (size_t)ordinal);
	} else if (evs_x_is_bare_function(a)) {
		c = copy_of(s, a);
		if (!c)
			return NULL;
		c->kind = X_CALL;
		c->s = a->part[0].s;
		c->len = a->part[0].len;
		c->npart = 0;
		return settle(s, c);
	} else {
		return unknown_name(s, a);
	}
	for (size_t i = used; c && i < a->npart; i++)
		c = member(s, a, c, &a->part[i]);
	return c;
}

/* Children that are all resolved, or NULL. */
static struct x_ast **resolve_list(struct walk *w, struct x_ast *const *list, size_t n)
{
	struct x_ast **out = evs_s_alloc(w->s, (n ? n : 1) * sizeof(struct x_ast *));

	for (size_t i = 0; out && i < n; i++)
		if (!(out[i] = resolve(w, list[i])))
			return NULL;
	return out;
}

static struct x_ast *resolve_node(struct walk *w, const struct x_ast *a)
{
	struct evs_select *s = w->s;
	enum x_scope scope = w->scope;
	struct x_ast *c;

	if (a->kind == X_NAME)
		return resolve_name(w, a);
	c = copy_of(s, a);
	if (!c)
		return NULL;
	if (evs_s_is_agg(a)) /* what goes into an aggregate comes from the rows */
		w->scope = X_COLUMN_FIRST;
	c->arg = resolve_list(w, a->arg, a->n);
	c->param = c->arg ? resolve_list(w, a->param, a->nparam) : NULL;
	c->filter = c->param && a->filter ? resolve(w, a->filter) : NULL;
	w->scope = scope;
	if (!c->arg || !c->param || (a->filter && !c->filter))
		return NULL;
	return settle(s, c);
}

static struct x_ast *resolve(struct walk *w, const struct x_ast *a)
{
	struct x_ast *c;

	if (w->s->err)
		return NULL;
	if (++w->depth > X_MAX_DEPTH)
		return evs_s_fail(
			w->s, a,
			"with its aliases put in, the expression is nested more than %d levels "
			"deep",
			X_MAX_DEPTH);
	c = resolve_node(w, a);
	w->depth--;
	return c;
}

struct x_ast *evs_s_resolve(struct evs_select *s, const struct x_ast *a, enum x_scope scope)
{
	struct walk w = { s, scope, 0 };

	return resolve(&w, a);
}

struct x_ast *evs_s_resolve_item(struct evs_select *s, size_t i)
{
	struct walk w = { s, X_COLUMN_FIRST, 0 };

	return resolve_item(&w, i, s->item[i].ast);
}
