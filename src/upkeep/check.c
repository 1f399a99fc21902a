/*
 * A run of the check: its findings counted and told.
 */
#include "src/upkeep/check.h"

#include "src/diag.h"

#include <stdio.h>
#include <string.h>

#define PROGRESS_EVERY ((uint64_t)4 << 20)

/* The number in front of a text, as "7.1-12", "7.5-C1" or "store 11-1"; its length, 0 when there is
 * none. */
static size_t rule_length(const char *text)
{
	const char *p = text;
	size_t n, digits;

	if (!strncmp(p, "store ", 6))
		p += 6;
	n = strspn(p, "0123456789.");
	if (!n || p[n] != '-')
		return 0;
	p += n + 1;
	p += *p == 'C' || *p == 'W';
	digits = strspn(p, "0123456789");
	return digits && (p[digits] == ' ' || p[digits] == ':') ? (size_t)(p - text) + digits : 0;
}

void evs_check_tell(struct check *c, struct evs_finding f, const char *text)
{
	size_t n = rule_length(text);
	char rule[32] = "";

	if (n < sizeof(rule)) {
		memcpy(rule, text, n);
		text += n + strspn(text + n, ": ");
	}
	evs_check_rule(c, f, rule, text);
}

void evs_check_rule(struct check *c, struct evs_finding f, const char *rule, const char *what)
{
	f.rule = rule;
	f.what = what;
	c->count.damage += f.kind == EVS_FOUND_DAMAGE;
	c->count.tails += f.kind == EVS_FOUND_TAIL;
	c->count.remarks += f.kind == EVS_FOUND_REMARK;
	c->count.errors += f.kind == EVS_FOUND_ERROR;
	if (f.lost)
		c->count.rows_lost += f.rows;
	if (f.kind != EVS_FOUND_REMARK && c->path && f.path == c->path && !c->segment_told) {
		c->segment_told = true;
		c->count.segments_damaged++;
	}
	if (c->opts->on_finding)
		c->opts->on_finding(c->opts->arg, &f);
}

void evs_check_remark(struct check *c, const char *path, const char *text)
{
	if (!c->resume.pending) /* it was told the last time */
		evs_check_tell(c, (struct evs_finding){ .kind = EVS_FOUND_REMARK, .path = path },
			       text);
}

int evs_check_error(struct check *c, const char *path, int rc, const struct evs_diag *d,
		    struct evs_diag *diag)
{
	if (rc == EVS_E_NOMEM || rc == EVS_E_STOP || c->salvage.failed) {
		if (diag)
			*diag = *d;
		return rc;
	}
	evs_check_tell(c, (struct evs_finding){ .kind = EVS_FOUND_ERROR, .path = path }, d->what);
	return 0;
}

void evs_check_progress(struct check *c)
{
	if (!c->opts->on_progress || c->count.bytes - c->shown < PROGRESS_EVERY)
		return;
	c->shown = c->count.bytes;
	c->opts->on_progress(c->opts->arg, &c->count, c->path);
}

int evs_check(const char *const *paths, size_t npaths, const struct evs_check_opts *opts,
	      struct evs_check_counts *out, struct evs_diag *diag)
{
	static const struct evs_check_opts none;
	struct check c = { .opts = opts ? opts : &none };
	bool passed = false;
	int rc;

	rc = evs_hash_ready(diag);
	if (rc == 0)
		rc = evs_salvage_begin(&c, paths, npaths, diag);
	if (rc == 0)
		rc = evs_check_begin(&c, paths, npaths, diag);
	do {
		c.resume.pending &=
			!passed; /* it was the last one, and has gone: all begins anew */
		for (size_t i = 0; i < npaths && rc == 0; i++)
			rc = evs_check_path(&c, paths[i], diag);
		passed = true;
	} while (rc == 0 && c.resume.pending);
	rc = evs_check_end(&c, rc, diag);
	*out = c.count;
	return rc;
}
