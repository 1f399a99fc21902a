/*
 * Whole texts: is it JSON, and what are the fields of an object. For inference, and for telling
 * a row that is no JSON from one that only does not fit its table.
 */
#include "src/json/json_lex.h"

bool evs_json_valid(const char *s, size_t len, const char **reason)
{
	struct evs_jlex l = { .ops = evs_json_best_ops(), .start = s, .end = s + len };
	const char *p = evs_jlex_skip(&l, evs_jlex_space(s, l.end));

	if (p && evs_jlex_space(p, l.end) != l.end) {
		l.what = "more text after the value";
		p = NULL;
	}
	*reason = p ? NULL : l.what;
	return p;
}

/* One `"key": value`; the key is left at the end of w->bytes. */
static int walk_field(struct evs_walk *w, const char **at, evs_walk_fn *fn, void *arg)
{
	struct evs_jlex *l = &w->lex;
	size_t key = w->bytes.len;
	const char *p = *at, *value, *quote = p;
	bool lone = false;
	int rc;

	if (p == l->end || *p != '"')
		return evs_jlex_fail(l, p, "expected a key in quotes"), 0;
	p = evs_jlex_string(l, p + 1, &w->bytes, &lone);
	if (!p)
		return evs_buf_ok(&w->bytes) ? 0 : EVS_E_NOMEM;
	rc = evs_keyset_add(&w->keys, (char *)w->bytes.p, (uint32_t)key,
			    (uint32_t)(w->bytes.len - key));
	if (rc == EVS_E_LIMIT)
		return evs_jlex_fail(l, quote, "too many fields"), 0;
	if (rc < 0)
		return rc;
	p = evs_jlex_space(p, l->end);
	if (p == l->end || *p != ':')
		return evs_jlex_fail(l, p, "expected ':'"), 0;
	value = evs_jlex_space(p + 1, l->end);
	p = evs_jlex_skip(l, value);
	if (!p)
		return 0;
	*at = p;
	if (!fn || lone)
		return 1;
	if (!fn(arg, (char *)w->bytes.p + key, w->bytes.len - key, value, (size_t)(p - value)))
		return evs_jlex_fail(l, quote, "stopped"), 0;
	return 1;
}

int evs_walk_object(struct evs_walk *w, const char *s, size_t len, evs_walk_fn *fn, void *arg)
{
	struct evs_jlex *l = &w->lex;
	const char *p;

	*l = (struct evs_jlex){ .ops = evs_json_best_ops(), .start = s, .end = s + len };
	evs_buf_reset(&w->bytes);
	w->keys.n = 0;
	w->twice = -1;
	p = evs_jlex_space(s, l->end);
	if (p == l->end || *p != '{')
		return evs_jlex_fail(l, p, "expected '{'"), 0;
	p = evs_jlex_space(p + 1, l->end);
	if (p < l->end && *p == '}') {
		p++;
	} else {
		for (;;) {
			int rc = walk_field(w, &p, fn, arg);

			if (rc <= 0)
				return rc;
			p = evs_jlex_space(p, l->end);
			if (p < l->end && *p == '}')
				break;
			if (p == l->end || *p != ',')
				return evs_jlex_fail(l, p, "expected ',' or '}'"), 0;
			p = evs_jlex_space(p + 1, l->end);
		}
		p++;
	}
	p = evs_jlex_space(p, l->end);
	if (p != l->end)
		return evs_jlex_fail(l, p, "more text after the object"), 0;
	w->twice = evs_keyset_find_twice(&w->keys, (char *)w->bytes.p);
	if (w->twice >= 0)
		return evs_jlex_fail(l, s, "a key comes twice"), 0;
	return 1;
}

int evs_json_walk(const char *s, size_t len, evs_walk_fn *fn, void *arg, const char **reason)
{
	struct evs_walk w = { 0 };
	int rc;

	if (len > EVS_MAX_LINE) {
		*reason = "longer than a line may be";
		return 0;
	}
	rc = evs_walk_object(&w, s, len, NULL, NULL); /* fn is to see fields of good objects only */
	if (rc > 0)
		rc = evs_walk_object(&w, s, len, fn, arg);
	*reason = rc < 0 ? "out of memory" : rc ? NULL : w.lex.what;
	evs_buf_release(&w.bytes);
	evs_keyset_release(&w.keys);
	return rc < 0 ? EVS_E_NOMEM : rc > 0;
}
