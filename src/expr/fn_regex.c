/*
 * ~, !~, ~*, !~* and match(): POSIX extended regular expressions of the C library, in the form that
 * regex_translate.c gives them, which is over bytes: so they run in the locale "C", whatever the
 * program's is.
 */
#include "src/expr/expr_node.h"
#include "src/expr/regex_translate.h"

#include <locale.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct matcher {
	regex_t re;
	bool compiled;
	locale_t bytes;
};

static void matcher_free(void *p)
{
	struct matcher *m = p;

	if (!m)
		return;
	if (m->compiled)
		regfree(&m->re);
	if (m->bytes)
		freelocale(m->bytes);
	free(m);
}

/* regexec() wants a zero byte at the end; a text that has one inside is seen up to it. */
static int regex_matches(const regex_t *re, struct evs_buf *copy, const char *s, size_t n)
{
	evs_buf_reset(copy);
	evs_buf_put(copy, s, n);
	evs_buf_put_u8(copy, 0);
	if (!evs_buf_ok(copy))
		return EVS_E_NOMEM;
	return regexec(re, (const char *)copy->p, 0, NULL, 0) == 0;
}

/* op: 1 negated */
static int eval_match(struct evs_eval *v, const struct x_args *in, struct x_vec *out)
{
	const struct matcher *m = in->node->aux;
	uint8_t *dst = evs_x_data(out);
	locale_t before = uselocale(m->bytes);
	int rc = 0;

	for (uint32_t i = 0; i < in->rows && rc >= 0; i++) {
		size_t n;
		const char *s = evs_x_text(&in->arg[0], i, &n);

		rc = regex_matches(&m->re, &v->text, s, n);
		dst[i] = (rc != 0) != (in->node->op != 0);
	}
	uselocale(before);
	return rc < 0 ? rc : 0;
}

static int compile(struct matcher *m, const struct x_regex *t, bool icase)
{
	locale_t before = uselocale(m->bytes);
	int rc = regcomp(&m->re, t->out,
			 REG_EXTENDED | REG_NOSUB | (icase || t->icase ? REG_ICASE : 0));

	uselocale(before);
	m->compiled = rc == 0;
	return rc;
}

static struct matcher *make_matcher(struct x_binder *b, const struct x_ast *a,
				    const struct x_node *pattern, bool icase)
{
	struct x_regex *t = calloc(1, sizeof(*t));
	struct matcher *m = calloc(1, sizeof(*m));
	const struct x_ast *at = pattern->ast ? pattern->ast : a;
	size_t n;
	const char *s = (const char *)evs_array_bytes(&pattern->value, 0, &n);
	char text[128];
	int rc = REG_ESPACE;

	if (!t || !m)
		goto out;
	m->bytes = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (!m->bytes)
		goto out;
	evs_x_regex_translate(t, s, n);
	if (t->why) {
		evs_x_fail(b, at, "%s", t->why);
		rc = REG_BADPAT;
		goto out;
	}
	rc = compile(m, t, icase);
	if (rc == 0 || rc == REG_ESPACE)
		goto out;
	regerror(rc, &m->re, text, sizeof(text));
	evs_x_fail(b, at, "this is not a regular expression: %s", text);
out:
	if (rc == REG_ESPACE)
		evs_x_nomem(b);
	if (rc != 0) {
		matcher_free(m);
		m = NULL;
	}
	free(t);
	return m;
}

struct x_node *evs_x_bind_match(struct x_binder *b, const struct x_ast *a, enum x_op op,
				struct x_node *l, struct x_node *r)
{
	static const struct evs_type boolean = { .id = EVS_T_BOOL };
	struct x_node *n;

	if (!evs_x_is_const(r) || (r->type.id != EVS_T_STRING && !evs_x_is_const_null(r)))
		return evs_x_fail(b, a, "a regular expression is a constant in 'quotes'");
	l = evs_x_as_text(b, a, l);
	if (!l)
		return NULL;
	if (evs_x_is_const_null(l) || evs_x_is_const_null(r))
		return evs_x_const_null(b, a, &boolean);
	n = evs_x_call(b, a, eval_match, EVS_T_BOOL, &l, 1);
	if (!n)
		return NULL;
	n->op = op == X_NOT_MATCH || op == X_NOT_IMATCH;
	n->aux = make_matcher(b, a, r, op == X_IMATCH || op == X_NOT_IMATCH);
	n->aux_free = matcher_free;
	return n->aux ? evs_x_fold(b, n) : NULL;
}
