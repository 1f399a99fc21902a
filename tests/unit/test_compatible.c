/* Which schema may take the place of which (src/schema/compatible.c). */
#include "tests/unit/t.h"

#include "src/schema/schema.h"

#include <stdlib.h>

static struct evs_diag diag;

static const char base[] =
	"CREATE TABLE t (a Int32, b Nullable(String), tenant String, ts DateTime64(3), "
	"e Enum('x' = 1), CONSTRAINT c CHECK a > 0, INDEX i a TYPE minmax) ENGINE = MergeTree "
	"PARTITION BY (tenant, toMonday(ts)) ORDER BY (a, ts) TTL ts + INTERVAL 1 DAY";

/* The same with one piece put in the place of another. */
static const struct {
	const char *what, *old, *piece;
	int rc;
	bool same;
	const char *says;
} steps[] = {
	{ "the same", "a Int32", "a Int32", 0, true, NULL },
	{ "other words", "a Int32", "a INTEGER", 0, true, NULL },
	{ "speaks SQL, so e may be null", "a Int32", "a INTEGER NOT NULL", 0, false, NULL },
	{ "space", "a Int32, ", "a   INT,\n-- x\n", 0, true, NULL },
	{ "wider", "a Int32", "a Int64", 0, false, NULL },
	{ "narrower", "a Int32", "a Int16", EVS_E_SCHEMA, false,
	  "column a is Int32 and cannot become Int16" },
	{ "nullable", "e Enum('x' = 1)", "e Nullable(Enum('x' = 1))", 0, false, NULL },
	{ "not nullable", "Nullable(String)", "String", EVS_E_SCHEMA, false, "must stay nullable" },
	{ "more items", "'x' = 1", "'x' = 1, 'y' = 2", 0, false, NULL },
	{ "fewer items", "'x' = 1", "'y' = 2", EVS_E_SCHEMA, false, "column e" },
	{ "new column", "a Int32", "a Int32, n Nullable(Int8)", 0, false, NULL },
	{ "new column with a default", "a Int32", "a Int32, n Int8 DEFAULT 5", 0, false, NULL },
	{ "new column that may be null", "a Int32", "a Int32, n Nullable(DateTime) DEFAULT now()",
	  0, false, NULL },
	{ "new column with a default that varies", "a Int32", "a Int32, n DateTime DEFAULT now()",
	  EVS_E_SCHEMA, false, "constant DEFAULT" },
	{ "new column never null", "a Int32", "a Int32, n Int8", EVS_E_SCHEMA, false,
	  "column n is new and never null" },
	{ "new serial", "a Int32", "a Int32, n serial", EVS_E_SCHEMA, false, "column n is new" },
	{ "gone", "b Nullable(String), ", "", EVS_E_SCHEMA, false, "column b is gone" },
	{ "renamed table", "TABLE t ", "TABLE u ", EVS_E_SCHEMA, false, "the name" },
	{ "database", "TABLE t ", "TABLE db.t ", 0, true, NULL },
	{ "no tenant", "(tenant, toMonday(ts))", "toMonday(ts)", EVS_E_SCHEMA, false, "tenant" },
	{ "unit", "toMonday", "toYYYYMM", EVS_E_SCHEMA, false, "partition" },
	{ "key", "ORDER BY (a, ts)", "ORDER BY (ts)", EVS_E_SCHEMA, false, "sort key" },
	{ "engine", "= MergeTree", "= ReplacingMergeTree", EVS_E_SCHEMA, false, "engine" },
	{ "longer life", "INTERVAL 1 DAY", "INTERVAL 2 DAY", 0, false, NULL },
	{ "check", "a > 0", "a > 1", 0, false, NULL },
	{ "index", "TYPE minmax", "TYPE set(0)", 0, false, NULL },
	{ "more digits", "DateTime64(3)", "DateTime64(6)", 0, false, NULL },
	{ "time to text", "ts DateTime64(3)", "ts String", EVS_E_SCHEMA, false, "time" },
	{ "all to JSON", "b Nullable(String)", "b Nullable(JSON)", 0, false, NULL },
};

static struct evs_table *parse(const char *text)
{
	struct evs_table *t = NULL;

	memset(&diag, 0, sizeof(diag));
	if (evs_table_parse(&t, text, strlen(text), &diag) < 0)
		printf("        %s: %s\n", text, diag.what);
	return t;
}

static void check_step(size_t i, const struct evs_table *from)
{
	char text[1000];
	const char *at = strstr(base, steps[i].old);
	struct evs_table *to;
	bool same = false;
	int rc;

	if (!at) {
		t_check(steps[i].what, false);
		return;
	}
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - base), base, steps[i].piece,
		 at + strlen(steps[i].old));
	to = parse(text);
	if (!to) { /* "time to text": the TTL refuses it first */
		t_check(steps[i].what, steps[i].rc < 0);
		return;
	}
	memset(&diag, 0, sizeof(diag));
	rc = evs_table_compatible(from, to, &same, &diag);
	t_check(steps[i].what, rc == steps[i].rc && same == steps[i].same);
	if (rc != steps[i].rc)
		printf("        %s\n", diag.what);
	if (steps[i].says)
		t_check(diag.what, strstr(diag.what, steps[i].says) != NULL);
	evs_table_free(to);
}

int main(void)
{
	struct evs_table *from = parse(base);

	if (!from)
		return 1;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		check_step(i, from);
	evs_table_free(from);
	return t_done();
}
