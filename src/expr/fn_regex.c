/*
 * ~, !~, ~*, !~* and match(): POSIX extended regular expressions of the C library, with what
 * users of other dialects write most translated: \d \w \s \b, (?:...), (?i) in front, lazy
 * quantifiers (which match the same texts).
 *
 * Patterns are constants, and hostile ones are refused before regcomp() sees them: their length
 * and the product of their repetition counts are bounded, and back-references, whose matching
 * takes exponential time, are errors.
 */
#include "src/expr/expr_node.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PATTERN 1000
#define MAX_REPEAT  1000 /* product of all counts */

/* Write-only cursor over the translated pattern. */
struct translation {
	char out[MAX_PATTERN * 12 + 1];
	size_t n;
	bool icase;
	const char *why; /* not NULL: refused */
	unsigned repeat;
};

static void put(struct translation *t, const char *s)
{
	size_t n = strlen(s);

	if (n <= sizeof(t->out) - 1 - t->n) {
		memcpy(t->out + t->n, s, n);
		t->n += n;
	} else {
		t->why = "the pattern is too long";
	}
}

static void put_char(struct translation *t, char c)
{
	const char s[2] = { c, 0 };

	put(t, s);
}

/* What follows a backslash. */
static void take_escape(struct translation *t, char c, bool bracket)
{
	switch (c) {
	case 'd':
		put(t, bracket ? "0-9" : "[0-9]");
		return;
	case 'w':
		put(t, bracket ? "[:alnum:]_" : "[[:alnum:]_]");
		return;
	case 's':
		put(t, bracket ? "[:space:]" : "[[:space:]]");
		return;
	case 'n':
		put_char(t, '\n');
		return;
	case 't':
		put_char(t, '\t');
		return;
	case 'r':
		put_char(t, '\r');
		return;
	default:
		break;
	}
	if (bracket && strchr("DWSbB", c)) {
		t->why = "this class is not supported between [ and ]";
	} else if (bracket) {
		/* a bracket takes these letter by letter, at its end or front only where they
		 * mean something */
		if (strchr("]^-\\", c))
			t->why =
				"escaped ], ^, - or \\ between [ and ] is not supported: put it first or last, unescaped";
		else
			put_char(t, c);
	} else if (c == 'D') {
		put(t, "[^0-9]");
	} else if (c == 'W') {
		put(t, "[^[:alnum:]_]");
	} else if (c == 'S') {
		put(t, "[^[:space:]]");
	} else if (c >= '0' && c <= '9') {
		t->why = "back-references are not supported";
	} else if (c == 'b' || c == 'B') {
		put_char(t, '\\');
		put_char(t, c);
	} else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
		t->why = "this escape is not supported";
	} else {
		put_char(t, '\\');
		put_char(t, c);
	}
}

/* {m}, {m,}, {m,n} at s[i]; bounds how often things repeat. Gives the place after it. */
static size_t take_counts(struct translation *t, const char *s, size_t n, size_t i)
{
	unsigned value = 0, max = 1;

	for (; i < n; i++) {
		put_char(t, s[i]);
		if (s[i] >= '0' && s[i] <= '9') {
			value = value * 10 + (unsigned)(s[i] - '0');
			if (value > MAX_REPEAT)
				break;
			max = value > max ? value : max;
		} else {
			value = 0;
			if (s[i] == '}')
				break;
		}
	}
	if (value > MAX_REPEAT || max * t->repeat > MAX_REPEAT)
		t->why = "the pattern repeats too often";
	else
		t->repeat *= max;
	return i + 1;
}

/* [...] at s[i]. Gives the place after it. */
static size_t take_bracket(struct translation *t, const char *s, size_t n, size_t i)
{
	put_char(t, s[i++]);
	if (i < n && s[i] == '^')
		put_char(t, s[i++]);
	if (i < n && s[i] == ']')
		put_char(t, s[i++]);
	while (i < n && s[i] != ']' && !t->why) {
		if (s[i] == '[' && i + 1 < n && strchr(":.=", s[i + 1])) {
			char close = s[i + 1];

			put_char(t, s[i++]);
			put_char(t, s[i++]);
			while (i + 1 < n && !(s[i] == close && s[i + 1] == ']'))
				put_char(t, s[i++]);
			if (i + 1 < n) {
				put_char(t, s[i++]);
				put_char(t, s[i++]);
			} else {
				i = n;
			}
		} else if (s[i] == '\\' && i + 1 < n) {
			take_escape(t, s[i + 1], true);
			i += 2;
		} else {
			put_char(t, s[i++]);
		}
	}
	if (i >= n && !t->why)
		t->why = "a [ is not closed";
	if (i < n)
		put_char(t, s[i]);
	return i + 1;
}

static void translate(struct translation *t, const char *s, size_t n)
{
	size_t i = 0;
	bool quantified = false;

	if (n >= 4 && !memcmp(s, "(?i)", 4)) {
		t->icase = true;
		i = 4;
	}
	while (i < n && !t->why) {
		bool was = quantified;

		quantified = false;
		if (s[i] == 0) {
			t->why = "a zero byte in the pattern";
		} else if (s[i] == '\\' && i + 1 < n) {
			take_escape(t, s[i + 1], false);
			i += 2;
		} else if (s[i] == '[') {
			i = take_bracket(t, s, n, i);
		} else if (s[i] == '{') {
			i = take_counts(t, s, n, i);
			quantified = true;
		} else if (s[i] == '(' && n - i >= 2 && s[i + 1] == '?') {
			if (n - i >= 3 && s[i + 2] == ':')
				put_char(t, '(');
			else
				t->why =
					"(?...) other than (?:...), and (?i) in front, is not supported";
			i += 3;
		} else if (was && (s[i] == '?' || s[i] == '+')) {
			if (s[i] == '+')
				t->why = "possessive quantifiers are not supported";
			i++; /* lazy: the same texts match */
		} else {
			quantified = s[i] == '*' || s[i] == '+' || s[i] == '?';
			put_char(t, s[i++]);
		}
	}
	t->out[t->n] = 0;
}

static void regex_free(void *p)
{
	if (!p)
		return;
	regfree(p);
	free(p);
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
	uint8_t *dst = evs_x_data(out);

	for (uint32_t i = 0; i < in->rows; i++) {
		size_t n;
		const char *s = evs_x_text(&in->arg[0], i, &n);

		int rc = regex_matches(in->node->aux, &v->text, s, n);

		if (rc < 0)
			return rc;
		dst[i] = (rc != 0) != (in->node->op != 0);
	}
	return 0;
}

static regex_t *compile(struct x_binder *b, const struct x_ast *a, const struct x_node *pattern,
			bool icase)
{
	struct translation *t = calloc(1, sizeof(*t));
	regex_t *re = calloc(1, sizeof(*re));
	size_t n;
	const char *s = (const char *)evs_array_bytes(&pattern->value, 0, &n);
	char text[128];
	int rc = 0;

	if (!t || !re) {
		evs_x_nomem(b);
		goto out;
	}
	t->repeat = 1;
	if (n > MAX_PATTERN)
		t->why = "the pattern is too long";
	else
		translate(t, s, n);
	if (t->why) {
		evs_x_fail(b, pattern->ast ? pattern->ast : a, "%s", t->why);
		goto out;
	}
	rc = regcomp(re, t->out, REG_EXTENDED | REG_NOSUB | (icase || t->icase ? REG_ICASE : 0));
	if (rc == 0) {
		free(t);
		return re;
	}
	regerror(rc, re, text, sizeof(text));
	if (rc == REG_ESPACE)
		evs_x_nomem(b);
	else
		evs_x_fail(b, pattern->ast ? pattern->ast : a,
			   "this is not a regular expression: %s", text);
out:
	free(t);
	free(re);
	return NULL;
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
	n->aux = compile(b, a, r, op == X_IMATCH || op == X_NOT_IMATCH);
	n->aux_free = regex_free;
	return n->aux ? evs_x_fold(b, n) : NULL;
}
