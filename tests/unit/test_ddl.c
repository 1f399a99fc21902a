/* DDL in both dialects (src/schema/ddl*.c, lex.c). */
#include "tests/unit/t.h"

#include "src/expr/expr.h"
#include "src/schema/schema.h"

#include <stdlib.h>

/* As its document has it: a CHECK on a column that is not there, no commas or semicolons between the clauses. */
static const char task_events[] =
	"CREATE TABLE task_events (\n"
	"    id UUID NOT NULL DEFAULT generateUUIDv4(),\n"
	"    task_id UUID NOT NULL,\n"
	"    tenant_id UUID NOT NULL,\n"
	"    status Enum(\n"
	"        'REQUEUED_NO_WORKER' = 1,\n"
	"        'REQUEUED_RATE_LIMIT' = 2,\n"
	"        'SCHEDULING_TIMED_OUT' = 3,\n"
	"        'ASSIGNED' = 4,\n"
	"        'STARTED' = 5,\n"
	"        'FINISHED' = 6,\n"
	"        'FAILED' = 7,\n"
	"        'RETRYING' = 8,\n"
	"        'CANCELLED' = 9,\n"
	"        'TIMED_OUT' = 10,\n"
	"        'REASSIGNED' = 11,\n"
	"        'SLOT_RELEASED' = 12,\n"
	"        'TIMEOUT_REFRESHED' = 13,\n"
	"        'RETRIED_BY_USER' = 14,\n"
	"        'SENT_TO_WORKER' = 15,\n"
	"        'WORKFLOW_RUN_GROUP_KEY_SUCCEEDED' = 16,\n"
	"        'WORKFLOW_RUN_GROUP_KEY_FAILED' = 17,\n"
	"        'RATE_LIMIT_ERROR' = 18,\n"
	"        'ACKNOWLEDGED' = 19,\n"
	"        'CREATED' = 20\n"
	"    ) NOT NULL,\n"
	"    timestamp DateTime('UTC') NOT NULL,\n"
	"    retry_count INTEGER NOT NULL DEFAULT 0,\n"
	"    error_message TEXT NULL DEFAULT NULL,\n"
	"    additional__event_data TEXT,\n"
	"    additional__event_message TEXT,\n"
	"    additional__event_severity Enum(\n"
	"        'INFO' = 1,\n"
	"        'WARNING' = 2,\n"
	"        'CRITICAL' = 3\n"
	"    ),\n"
	"    additional__event_reason Enum(\n"
	"        'ACKNOWLEDGED' = 1,\n"
	"        'ASSIGNED' = 2,\n"
	"        'CANCELLED' = 3,\n"
	"        'FAILED' = 4,\n"
	"        'FINISHED' = 5,\n"
	"        'REASSIGNED' = 6,\n"
	"        'REQUEUED_NO_WORKER' = 7,\n"
	"        'REQUEUED_RATE_LIMIT' = 8,\n"
	"        'RETRIED_BY_USER' = 9,\n"
	"        'RETRYING' = 10,\n"
	"        'SCHEDULING_TIMED_OUT' = 11,\n"
	"        'SLOT_RELEASED' = 12,\n"
	"        'STARTED' = 13,\n"
	"        'TIMED_OUT' = 14,\n"
	"        'TIMEOUT_REFRESHED' = 15,\n"
	"        'WORKFLOW_RUN_GROUP_KEY_FAILED' = 16,\n"
	"        'WORKFLOW_RUN_GROUP_KEY_SUCCEEDED' = 17\n"
	"    ),\n"
	"    created_at DateTime('UTC') NOT NULL DEFAULT NOW(),\n"
	"\n"
	"    CONSTRAINT check__failed_state_has_error CHECK CASE WHEN status = 'FAILED' THEN error_message IS NOT NULL ELSE error_message IS NULL END,\n"
	"    CONSTRAINT check__input_is_valid_json CHECK isValidJSON(input),\n"
	"    CONSTRAINT check__additional__event_data_is_valid_json CHECK isValidJSON(additional__event_data),\n"
	"\n"
	"    PRIMARY KEY (task_id, timestamp, status)\n"
	")\n"
	"ENGINE = MergeTree()\n"
	"\n"
	"-- partition by tenant id since we'll rarely (or never) query across tenants\n"
	"-- partition by week so we can easily drop old data\n"
	"PARTITION BY (tenant_id, toMonday(timestamp))\n"
	"ORDER BY (task_id, timestamp, status)\n";

static char notes[8192];

static void note(void *arg, uint32_t line, const char *text)
{
	size_t n = strlen(notes);

	(void)arg;
	snprintf(notes + n, sizeof(notes) - n, "%u: %s\n", line, text);
}

static struct evs_diag diag;

/* From exactly len bytes, so that a sanitizer sees a read too far. */
static struct evs_ddl *parse(const char *text)
{
	struct evs_ddl *d = NULL;
	size_t len = strlen(text);
	char *exact = malloc(len ? len : 1);

	notes[0] = '\0';
	memset(&diag, 0, sizeof(diag));
	memcpy(exact, text, len);
	if (evs_ddl_parse(&d, exact, len, note, NULL, &diag) < 0)
		d = NULL;
	free(exact);
	return d;
}

static struct evs_ddl *good(const char *text)
{
	struct evs_ddl *d = parse(text);

	t_check(text, d != NULL);
	if (!d)
		printf("        %u:%u [%s] %s\n", diag.line, diag.col, diag.word, diag.what);
	return d;
}

/* An error at this place and word, whose text has this piece. */
static void bad(const char *text, uint32_t line, uint32_t col, const char *word, const char *piece)
{
	struct evs_ddl *d = parse(text);
	bool ok = !d && diag.err == EVS_E_SCHEMA && diag.line == line && diag.col == col && !strcmp(diag.word, word) &&
		  strstr(diag.what, piece);

	t_check(text, ok);
	if (!ok)
		printf("        %u:%u [%s] %s\n", diag.line, diag.col, diag.word, d ? "(no error)" : diag.what);
	evs_ddl_free(d);
}

static void noted(const char *text)
{
	t_check(text, strstr(notes, text) != NULL);
	if (!strstr(notes, text))
		printf("        notes: %s\n", notes);
}

static const struct evs_column *column(const struct evs_table *t, const char *name)
{
	int i = evs_table_find(t, name, strlen(name));

	return i < 0 ? NULL : &t->cols[i];
}

static void check_column(const struct evs_table *t, const char *name, const char *type)
{
	const struct evs_column *c = column(t, name);
	char buf[200] = "(no column)";

	if (c)
		evs_type_print(&c->type, c->nullable, buf, sizeof(buf));
	t_eq_str(name, buf, type);
}

static const char *time_name(const struct evs_table *t)
{
	return t->cols[t->time_column].name;
}

/* ---- the five systems' traps ------------------------------------------------------------------- */

static void test_hatchet(void)
{
	struct evs_ddl *d;
	char *mended = malloc(sizeof(task_events)), *check;

	bad(task_events, 59, 61, "input", "check__input_is_valid_json");
	t_check("says that the column is not there", strstr(diag.what, "no column") != NULL);

	/* Without that one line it is a table. */
	memcpy(mended, task_events, sizeof(task_events));
	check = strstr(mended, "    CONSTRAINT check__input");
	memset(check, ' ', strcspn(check, "\n"));
	d = good(mended);
	free(mended);
	if (!d)
		return;
	t_eq_u64("tables", d->ntables, 1);
	t_eq_u64("columns", d->tables[0]->ndeclared, 12);
	t_eq_u64("checks", d->tables[0]->nchecks, 2);
	t_eq_u64("key", d->tables[0]->nkey, 3);
	t_eq_str("time", time_name(d->tables[0]), "timestamp");
	t_eq_str("tenant", d->tables[0]->cols[d->tables[0]->tenant_column].name, "tenant_id");
	check_column(d->tables[0], "error_message", "Nullable(String)");
	check_column(d->tables[0], "additional__event_severity", "Nullable(Enum8('INFO' = 1, 'WARNING' = 2, 'CRITICAL' = 3))");
	check_column(d->tables[0], "_extra", "Nullable(JSON)");
	evs_ddl_free(d);
}

static void test_missing_semicolons(void)
{
	struct evs_ddl *d = good("CREATE TABLE a (x Int8, ts DateTime) ENGINE = MergeTree ORDER BY (x)\n\n"
				 "CREATE TABLE b (x Int8, ts DateTime) ENGINE = MergeTree ORDER BY x\n"
				 "CREATE INDEX i ON b (x)\n"
				 "GRANT ALL ON x TO y\n"
				 "CREATE VIEW v AS SELECT x FROM a\n"
				 "CREATE TABLE c (x Int8)");

	if (!d)
		return;
	t_eq_u64("three tables", d->ntables, 3);
	t_eq_u64("one view", d->nviews, 1);
	noted("1: no semicolon before the next statement");
	noted("6: GRANT ALL ON x: not used");
	evs_ddl_free(d);
}

static void test_skipped(void)
{
	struct evs_ddl *d = good(
		"CREATE USER IF NOT EXISTS monitor IDENTIFIED WITH plaintext_password BY 'x;y';\n"
		"GRANT SELECT ON system.* TO monitor;\n"
		"ALTER USER monitor SETTINGS PROFILE 'program';\n"
		"CREATE DATABASE IF NOT EXISTS monitor ON CLUSTER production;\n"
		"CREATE OR REPLACE FUNCTION f() RETURNS void AS $body$ BEGIN CREATE TABLE no (x; END; $body$ LANGUAGE plpgsql;\n"
		"DO $$ DECLARE partition_name text; BEGIN EXECUTE 'ANALYZE ' || x; END $$;\n"
		"COMMENT ON TABLE x IS 'it''s \\'quoted\\'';\n"
		"INSERT INTO x VALUES (1, 'a;b'), (2, '--');\n"
		"SET x = 1; DROP TABLE y;\n"
		"# a comment\n-- another /* \n/* a /* nested */ one */\n"
		"CREATE TABLE p (id int PRIMARY KEY, ts timestamptz NOT NULL) PARTITION BY RANGE (ts);\n"
		"CREATE TABLE p_2025 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');\n"
		"CREATE INDEX ON p_2025 (id);\n"
		"ALTER TABLE p OWNER TO x;\n"
		"SELECT create_partition('p');\n");

	if (!d)
		return;
	t_eq_u64("one table", d->ntables, 1);
	noted("1: CREATE USER");
	noted("2: GRANT SELECT");
	noted("3: ALTER USER");
	noted("4: CREATE DATABASE");
	noted("5: CREATE OR REPLACE FUNCTION");
	noted("6: DO $$ DECLARE");
	noted("7: COMMENT ON");
	noted("8: INSERT INTO x");
	noted("9: SET x = 1");
	noted("9: DROP TABLE y");
	noted("13: PARTITION BY RANGE: taken as months");
	noted("14: partition p_2025: not needed");
	noted("15: index on partition p_2025");
	noted("16: ALTER TABLE p OWNER");
	noted("17: SELECT create_partition");
	t_eq_u64("month", d->tables[0]->unit, EVS_UNIT_MONTH);
	evs_ddl_free(d);
}

/* ---- columns ----------------------------------------------------------------------------------- */

static void test_null_rule(void)
{
	struct evs_ddl *d = good("CREATE TABLE click (a Int8, b Nullable(Int8), c Int8 NULL) ENGINE = MergeTree ORDER BY a;"
				 "CREATE TABLE sql (a Int8, b Int8 NOT NULL, k Int8, PRIMARY KEY (k)) ENGINE = MergeTree;"
				 "CREATE TABLE pg (a int, b int NULL, k int PRIMARY KEY, s serial);");

	if (!d)
		return;
	check_column(d->tables[0], "a", "Int8");
	check_column(d->tables[0], "b", "Nullable(Int8)");
	check_column(d->tables[0], "c", "Nullable(Int8)");
	check_column(d->tables[1], "a", "Nullable(Int8)");
	check_column(d->tables[1], "b", "Int8");
	check_column(d->tables[1], "k", "Int8");
	check_column(d->tables[2], "a", "Nullable(Int32)");
	check_column(d->tables[2], "k", "Int32");
	check_column(d->tables[2], "s", "Int32");
	evs_ddl_free(d);
}

static void test_defaults(void)
{
	struct evs_ddl *d = good(
		"CREATE TYPE mood AS ENUM ('sad', 'ok');\n"
		"CREATE TABLE t (\n"
		"  a bigserial,\n"
		"  b int NOT NULL DEFAULT nextval('seq'::regclass),\n"
		"  c int GENERATED ALWAYS AS IDENTITY (START 1),\n"
		"  d uuid DEFAULT gen_random_uuid() NOT NULL,\n"
		"  e timestamptz NOT NULL DEFAULT now(),\n"
		"  f jsonb NOT NULL DEFAULT '{}'::jsonb,\n"
		"  g text[] NOT NULL DEFAULT '{}',\n"
		"  h text DEFAULT 'a, b' COLLATE \"C\",\n"
		"  i int DEFAULT NULL,\n"
		"  j boolean NOT NULL DEFAULT true,\n"
		"  k mood NOT NULL DEFAULT 'ok',\n"
		"  l text DEFAULT (CASE WHEN 1 = 1 THEN 'x' ELSE 'y' END) NULL,\n"
		"  m int DEFAULT 1 CHECK (m > 0) UNIQUE REFERENCES o (id) ON DELETE SET NULL ON UPDATE CASCADE NOT NULL,\n"
		"  n Float64 DEFAULT -1.5 CODEC(Gorilla, ZSTD(3)) COMMENT 'it is',\n"
		"  \"we ird\" text,\n"
		"  `index` String,\n"
		"  index Int8,\n"
		"  a.b String,\n"
		"  PRIMARY KEY (a)\n"
		");");
	const struct evs_table *t;

	if (!d)
		return;
	t = d->tables[0];
	t_check("two columns named index are one too many", false);
	(void)t;
	evs_ddl_free(d);
}

@REST@
