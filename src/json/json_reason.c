/*
 * Why a row was rejected. The line is walked again as plain JSON: when that fails the row is
 * bad, and the reason says at which byte; else some value did not fit its column, and the
 * reason names the column and shows the value's beginning. All of a reason is printable.
 */
#include "src/json/json_reader.h"

#include <stdio.h>

#define SHOWN 40 /* bytes of a value */

/*
 * Copy at most n bytes to `out` (room for n + 4): controls and broken UTF-8 as '?', "..." for
 * what was cut.
 */
static size_t show(const char *s, size_t len, size_t n, char *out)
{
	size_t used = len < n ? len : n;
	const char *bad;

	memcpy(out, s, used);
	while (used < len && used && ((unsigned char)s[used] & 0xc0) == 0x80)
		used--; /* not in the middle of a character */
	while ((bad = evs_utf8_check(out, out + used)) != out + used)
		out[bad - out] = '?';
	for (size_t i = 0; i < used; i++) {
		if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
			out[i] = '?';
	}
	if (used < len) {
		memcpy(out + used, "...", 3);
		used += 3;
	}
	out[used] = 0;
	return used;
}

static void explain_bad(struct evs_json_reader *r)
{
	const struct evs_jlex *l = &r->walk.lex;
	const char *at = l->at < l->end ? l->at : l->end;
	char found[2 * SHOWN];

	if (r->walk.twice >= 0) {
		const struct evs_key *k = &r->walk.keys.keys[r->walk.twice];

		show((char *)r->walk.bytes.p + k->off, k->len, SHOWN, found);
		snprintf(r->reason, sizeof(r->reason), "the key \"%s\" comes twice", found);
		return;
	}
	if (at == l->end) {
		snprintf(r->reason, sizeof(r->reason), "column %zu: %s, found the end of the line",
			 (size_t)(at - l->start) + 1, l->what);
		return;
	}
	if (at == l->start && l->end - at >= 3 && !memcmp(at, "\xef\xbb\xbf", 3)) {
		snprintf(r->reason, sizeof(r->reason),
			 "column 1: a byte order mark inside the input");
		return;
	}
	if ((unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7f)
		snprintf(found, sizeof(found), "byte 0x%02x", (unsigned char)*at);
	else
		snprintf(found, sizeof(found), "'%c'", *at);
	snprintf(r->reason, sizeof(r->reason), "column %zu: %s, found %s",
		 (size_t)(at - l->start) + 1, l->what, found);
}

static void explain_misfit(struct evs_json_reader *r)
{
	const struct evs_column *c = &r->table->cols[r->column];
	const char *value = r->value, *end;
	char name[2 * SHOWN], type[128], found[2 * SHOWN];

	show(c->name, c->name_len, SHOWN, name);
	if (*value == '{' && value == evs_jlex_space(r->lex.start, r->lex.end)) {
		snprintf(r->reason, sizeof(r->reason), "%s: %s", name, r->misfit); /* absent */
		return;
	}
	r->lex.what = NULL;
	end = evs_jlex_skip(&r->lex, value);
	show(value, (size_t)((end ? end : r->lex.end) - value), SHOWN, found);
	if (evs_type_print(&c->type, c->nullable, type, sizeof(type)) >= sizeof(type))
		memcpy(type + sizeof(type) - 4, "...", 4);
	snprintf(r->reason, sizeof(r->reason), "%s: %s: found %s for %s", name, r->misfit, found,
		 type);
}

int evs_read_explain(struct evs_json_reader *r)
{
	int rc;

	if (r->nomem || !evs_buf_ok(&r->text))
		return EVS_E_NOMEM;
	rc = evs_walk_object(&r->walk, r->lex.start, (size_t)(r->lex.end - r->lex.start), NULL,
			     NULL);
	if (rc < 0)
		return rc;
	if (rc > 0 && r->misfit && r->column < r->ncols) {
		explain_misfit(r);
		return EVS_ROW_MISFIT;
	}
	if (rc > 0) {
		/* The two walks disagree, which is our own mistake: keep the row out. */
		r->walk.lex.at = r->lex.at ? r->lex.at : r->lex.start;
		r->walk.lex.what = r->lex.what ? r->lex.what : "cannot be read";
	}
	explain_bad(r);
	return EVS_ROW_BAD;
}
