/*
 * How long things are kept: the stream's TTL, and keep.json beside the schema, one JSON object of
 * the tenants that have a time of their own (spec/store.md 10.2).
 */
#include "src/diag.h"
#include "src/expr/expr.h"
#include "src/json/json.h"
#include "src/upkeep/expire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_BYTES (16u << 20)
#define SECOND	   ((int64_t)1000000000)
#define DAY	   ((int64_t)86400)

/*
 * Months are added to the last day and not to `hi`: of January's last days all but one would go at
 * the end of February, when "a month later" is counted from February's first. Days do not overtake
 * each other so.
 */
int64_t evs_rule_second(const struct evs_rule *r, int64_t hi)
{
	int64_t last = (hi - 1) / DAY - ((hi - 1) % DAY < 0); /* the day that holds its last rows */

	return r->kind != EVS_RULE_AGE
		       ? EVS_RULE_NEVER
		       : (evs_days_add_months(last, r->age.months) + 1) * DAY + r->age.seconds;
}

bool evs_rule_past(const struct evs_rule *r, int64_t hi, int64_t now)
{
	switch (r->kind) {
	case EVS_RULE_AGE:
		return evs_rule_second(r, hi) <= now / SECOND - (now % SECOND < 0);
	case EVS_RULE_BEFORE:
		return hi <= r->before / SECOND - (r->before % SECOND < 0);
	case EVS_RULE_NAMED:
		return true;
	default:
		return false;
	}
}

void evs_rule_of_table(struct evs_rule *out, const struct evs_table *t)
{
	*out = (struct evs_rule){ .age = { t->ttl_months, t->ttl_seconds } };
	if (!t->ttl_text || (!t->ttl_months && !t->ttl_seconds))
		return;
	out->kind = EVS_RULE_AGE;
	(void)snprintf(out->text, sizeof(out->text), "TTL %.100s", t->ttl_text);
}

static bool parse_keep(const char *text, struct evs_rule *out)
{
	*out = (struct evs_rule){ .kind = EVS_RULE_FOREVER };
	(void)snprintf(out->text, sizeof(out->text), "keep %.60s", text);
	if (!strcmp(text, "forever"))
		return true;
	out->kind = EVS_RULE_AGE;
	return evs_age_parse(text, &out->age) && (out->age.months || out->age.seconds);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int by_folder(const void *a, const void *b)
{
	return strcmp(((const struct evs_keep *)a)->folder, ((const struct evs_keep *)b)->folder);
}

void evs_keeps_release(struct evs_keeps *k)
{
	for (size_t i = 0; i < k->n; i++) {
		free(k->v[i].folder);
		free(k->v[i].tenant);
	}
	free(k->v);
	*k = (struct evs_keeps){ 0 };
}

static int is_folder(const void *folder, const void *keep)
{
	return strcmp(folder, ((const struct evs_keep *)keep)->folder);
}

const struct evs_keep *evs_keeps_find(const struct evs_keeps *k, const char *folder)
{
	return k->n ? bsearch(folder, k->v, k->n, sizeof(*k->v), is_folder) : NULL;
}

struct loading {
	struct evs_keeps *out;
	size_t cap;
	bool failed;   /* no memory */
	char bad[100]; /* tenant whose entry is none */
};

static int add_keep(struct loading *l, const char *tenant, size_t len, const struct evs_rule *rule)
{
	char folder[EVS_NAME_BYTES + 1];
	struct evs_keep *k;

	if (l->out->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 16;
		struct evs_keep *grown = realloc(l->out->v, cap * sizeof(*grown));

		if (!grown)
			return EVS_E_NOMEM;
		l->out->v = grown;
		l->cap = cap;
	}
	evs_name_escape(tenant, len, folder);
	k = &l->out->v[l->out->n];
	*k = (struct evs_keep){ .folder = strdup(folder),
				.tenant = malloc(len + 1),
				.tenant_len = len,
				.rule = *rule };
	l->out->n++;
	if (!k->folder || !k->tenant)
		return EVS_E_NOMEM;
	memcpy(k->tenant, tenant, len);
	k->tenant[len] = '\0';
	return 0;
}

static bool take_keep(void *arg, const char *key, size_t klen, const char *val, size_t vlen)
{
	struct loading *l = arg;
	struct evs_rule rule;
	char text[32] = "";

	if (vlen > 2 && vlen - 2 < sizeof(text) && val[0] == '"')
		memcpy(text, val + 1, vlen - 2);
	if (!parse_keep(text, &rule)) {
		(void)snprintf(l->bad, sizeof(l->bad), "%.*s", (int)(klen < 99 ? klen : 99), key);
		return false;
	}
	l->failed = add_keep(l, key, klen, &rule) < 0;
	return !l->failed;
}

int evs_keeps_load(struct evs_keeps *out, const char *stream, struct evs_diag *diag)
{
	struct loading l = { .out = out };
	char path[EVS_PATH_MAX], *text = NULL;
	const char *reason = NULL;
	size_t len = 0;
	int walked, rc = evs_path_join(path, stream, "keep.json", diag);

	*out = (struct evs_keeps){ 0 };
	if (rc == 0)
		rc = evs_io_read_file(path, KEEP_BYTES, &text, &len, diag);
	if (rc != 0)
		return rc < 0 ? rc : 0; /* no tenant has its own */
	walked = evs_json_walk(text, len, take_keep, &l, &reason);
	free(text);
	if (walked < 0 || l.failed)
		rc = evs_fail_nomem(diag);
	else if (l.bad[0])
		rc = evs_fail(
			diag, EVS_E_SCHEMA,
			"%.800s: how long \"%.99s\" is kept is no \"90d\", \"12mo\", \"2y\" or \"forever\", so nothing of this stream goes",
			path, l.bad);
	else if (!walked)
		rc = evs_fail(
			diag, EVS_E_SCHEMA,
			"%.800s is no JSON object of \"tenant\": \"90d\", so nothing of this stream goes%s%s",
			path, reason ? ": " : "", reason ? reason : "");
	if (rc < 0)
		evs_keeps_release(out);
	else if (out->n)
		qsort(out->v, out->n, sizeof(*out->v), by_folder);
	return rc;
}

/* ---- writing --------------------------------------------------------------------------------- */

static const char *keep_text(const struct evs_rule *r)
{
	return r->text + strlen("keep ");
}

/* One tenant a line, so that people and diffs can read it. */
static int write_keeps(const char *path, const struct evs_keeps *k, struct evs_diag *diag)
{
	struct evs_buf b = { 0 };
	int rc;

	evs_buf_put(&b, "{", 1);
	for (size_t i = 0; i < k->n; i++) {
		const char *text = keep_text(&k->v[i].rule);

		evs_buf_put(&b, i ? ",\n" : "\n", i ? 2 : 1);
		evs_json_put_string(&b, k->v[i].tenant, k->v[i].tenant_len);
		evs_buf_put(&b, ": ", 2);
		evs_json_put_string(&b, text, strlen(text));
	}
	evs_buf_put(&b, "\n}\n", 3);
	rc = evs_buf_ok(&b) ? evs_io_write_file(path, b.p, b.len, diag) : evs_fail_nomem(diag);
	evs_buf_release(&b);
	return rc;
}

/* The tenant's line changed, added, or with NULL taken out. */
static int change_keeps(struct evs_keeps *k, const char *tenant, const struct evs_rule *rule)
{
	struct loading l = { .out = k, .cap = k->n };

	for (size_t i = 0; i < k->n; i++) {
		if (strcmp(k->v[i].tenant, tenant) != 0 || strlen(tenant) != k->v[i].tenant_len)
			continue;
		if (rule) {
			k->v[i].rule = *rule;
			return 0;
		}
		free(k->v[i].folder);
		free(k->v[i].tenant);
		k->n--;
		memmove(k->v + i, k->v + i + 1, (k->n - i) * sizeof(*k->v));
		return 0;
	}
	return rule ? add_keep(&l, tenant, strlen(tenant), rule) : 0;
}

static int check_stream(const char *stream, struct evs_table **t, struct evs_diag *diag)
{
	int rc = evs_stream_table(stream, t, diag);

	return rc == 1 ? evs_fail(diag, EVS_E_USAGE,
				  "%.900s: no schema.sql there, so this is no stream", stream)
		       : rc;
}

/*
 * The tenant as its segments spell it (spec/store.md 2): a number or a UUID may be written in many
 * ways, and under another one its time would be nobody's.
 */
static int spell(struct evs_buf *out, const struct evs_type *type, const char *tenant,
		 struct evs_diag *diag)
{
	bool text =
		type->id == EVS_T_STRING || type->id == EVS_T_FIXEDSTRING || type->id == EVS_T_ENUM;
	size_t plain = text ? 0 : strcspn(tenant, "'\\");
	struct evs_expr *e = NULL;
	struct evs_buf quoted = { 0 };
	int rc = 0;

	if (text) {
		evs_buf_put(out, tenant, strlen(tenant));
	} else {
		evs_buf_put_u8(&quoted, '\'');
		evs_buf_put(&quoted, tenant, plain);
		evs_buf_put_u8(&quoted, '\'');
		rc = EVS_E_NOMEM;
		if (evs_buf_ok(&quoted))
			rc = evs_expr_parse(&e, (char *)quoted.p, quoted.len, 1, 1, diag);
		if (rc == 0)
			rc = evs_expr_bind_to(e, NULL, type, false, diag);
		if (rc == 0 && (tenant[plain] || !evs_expr_constant(e)))
			rc = EVS_E_QUERY;
		if (rc == 0)
			evs_json_put_value(out, type, evs_expr_constant(e), 0);
		if (rc < 0 && rc != EVS_E_NOMEM)
			rc = evs_fail(diag, EVS_E_USAGE,
				      "'%.100s' is no value of the tenant's column", tenant);
	}
	if (out->len >= 2 && !text && out->p[0] == '"') {
		memmove(out->p, out->p + 1, out->len - 2);
		out->len -= 2;
	}
	evs_buf_put_u8(out, 0);
	evs_expr_free(e);
	evs_buf_release(&quoted);
	return rc == EVS_E_NOMEM || (rc == 0 && !evs_buf_ok(out)) ? evs_fail_nomem(diag) : rc;
}

int evs_expire_keep(const char *stream, const char *tenant, const char *keep, struct evs_diag *diag)
{
	struct evs_keeps k = { 0 };
	struct evs_buf spelt = { 0 };
	struct evs_table *t = NULL;
	struct evs_rule rule;
	char path[EVS_PATH_MAX];
	bool standard = !strcmp(keep, "default");
	int lock = -1, rc;

	if (!standard && !parse_keep(keep, &rule))
		return evs_fail(
			diag, EVS_E_USAGE,
			"'%.100s' is no time to keep: write 90d, 12mo, 2y, forever or default",
			keep);
	rc = check_stream(stream, &t, diag);
	if (rc == 0 && t->tenant_column < 0)
		rc = evs_fail(diag, EVS_E_USAGE,
			      "%.900s has no tenants: how long it is kept is the TTL in its schema",
			      stream);
	if (rc == 0)
		rc = spell(&spelt, &t->cols[t->tenant_column].type, tenant, diag);
	if (rc == 0)
		rc = evs_path_join(path, stream, "keep.json", diag);
	if (rc == 0)
		rc = evs_upkeep_lock(stream, NULL, &lock, diag);
	if (rc == 0)
		rc = evs_keeps_load(&k, stream, diag);
	if (rc == 0 && change_keeps(&k, (char *)spelt.p, standard ? NULL : &rule) < 0)
		rc = evs_fail_nomem(diag);
	if (rc == 0)
		rc = write_keeps(path, &k, diag);
	evs_io_close(lock);
	evs_buf_release(&spelt);
	evs_keeps_release(&k);
	evs_table_free(t);
	return rc;
}

int evs_expire_show(const char *stream, evs_keep_fn *fn, void *arg, struct evs_diag *diag)
{
	struct evs_keeps k = { 0 };
	struct evs_table *t = NULL;
	struct evs_rule rule;
	int rc = check_stream(stream, &t, diag);

	if (rc == 0)
		rc = evs_keeps_load(&k, stream, diag);
	if (rc == 0) {
		evs_rule_of_table(&rule, t);
		fn(arg, NULL, rule.kind ? rule.text : "forever");
	}
	for (size_t i = 0; i < k.n && rc == 0; i++)
		fn(arg, k.v[i].tenant, keep_text(&k.v[i].rule));
	evs_keeps_release(&k);
	evs_table_free(t);
	return rc;
}
