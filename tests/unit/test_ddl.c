/* DDL in both dialects (src/schema/ddl*.c, lex.c). */
#include "tests/unit/t.h"

#include "src/schema/schema.h"

#include <stddef.h>
#include <stdlib.h>

/*
 * As its document has it: a CHECK on a column that is not there, no commas or semicolons between
 * the clauses.
 */
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
	bool ok = !d && diag.err == EVS_E_SCHEMA && diag.line == line && diag.col == col &&
		  !strcmp(diag.word, word) && strstr(diag.what, piece);

	t_check(text, ok);
	if (!ok)
		printf("        %u:%u [%s] %s\n", diag.line, diag.col, diag.word,
		       d ? "(no error)" : diag.what);
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

/*
 * ---- the five systems' traps -------------------------------------------------------------------
 */

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
	check_column(d->tables[0], "additional__event_severity",
		     "Nullable(Enum8('INFO' = 1, 'WARNING' = 2, 'CRITICAL' = 3))");
	check_column(d->tables[0], "_extra", "Nullable(JSON)");
	evs_ddl_free(d);
}

static void test_missing_semicolons(void)
{
	struct evs_ddl *d =
		good("CREATE TABLE a (x Int8, ts DateTime) ENGINE = MergeTree ORDER BY (x)\n\n"
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
	noted("5: GRANT ALL ON x: not used");
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

/*
 * ---- columns -----------------------------------------------------------------------------------
 */

static void test_null_rule(void)
{
	struct evs_ddl *d = good(
		"CREATE TABLE click (a Int8, b Nullable(Int8), c Int8 NULL) ENGINE = MergeTree ORDER BY a;"
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
	bad("CREATE TABLE t (a Int8, ts Nullable(DateTime)) ENGINE = MergeTree ORDER BY ts", 1, 25,
	    "ts", "never null");
	bad("CREATE TABLE t (a Nullable(String), ts DateTime) ENGINE = MergeTree PARTITION BY (a, toMonday(ts))",
	    1, 17, "a", "never null");
	bad("CREATE TABLE t (a int NOT NULL NULL)", 1, 32, "NULL", "both NULL and NOT NULL");
}

static const char columns[] =
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
	"  n Float64 DEFAULT -1.5 CODEC(Gorilla, ZSTD(3)) COMMENT 'it is' TTL e + INTERVAL 1 DAY,\n"
	"  \"we \"\"ird\" text,\n"
	"  `in``dex` String,\n"
	"  index Int8,\n"
	"  comment text,\n"
	"  a.b String,\n"
	"  nested int[][3],\n"
	"  chosen Array(String),\n"
	"  PRIMARY KEY (a),\n"
	");\n"
	"CREATE INDEX ti ON t (b, c);";

static void test_columns(void)
{
	static const struct {
		const char *name, *type;
		enum evs_default_kind def;
		const char *text;
	} want[] = {
		{ "a", "Int64", EVS_DEFAULT_SERIAL, NULL },
		{ "b", "Int32", EVS_DEFAULT_SERIAL, NULL },
		{ "c", "Int32", EVS_DEFAULT_SERIAL, NULL },
		{ "d", "UUID", EVS_DEFAULT_EXPR, "gen_random_uuid()" },
		{ "e", "DateTime64(6)", EVS_DEFAULT_EXPR, "now()" },
		{ "f", "JSON", EVS_DEFAULT_EXPR, "'{}'::jsonb" },
		{ "g", "Array(Nullable(String))", EVS_DEFAULT_EXPR, "'{}'" },
		{ "h", "Nullable(String)", EVS_DEFAULT_EXPR, "'a, b'" },
		{ "i", "Nullable(Int32)", EVS_DEFAULT_NONE, NULL },
		{ "j", "Bool", EVS_DEFAULT_EXPR, "true" },
		{ "k", "Enum8('sad' = 1, 'ok' = 2)", EVS_DEFAULT_EXPR, "'ok'" },
		{ "l", "Nullable(String)", EVS_DEFAULT_EXPR,
		  "(CASE WHEN 1 = 1 THEN 'x' ELSE 'y' END)" },
		{ "m", "Int32", EVS_DEFAULT_EXPR, "1" },
		{ "n", "Nullable(Float64)", EVS_DEFAULT_EXPR, "-1.5" },
		{ "we \"ird", "Nullable(String)", EVS_DEFAULT_NONE, NULL },
		{ "in`dex", "Nullable(String)", EVS_DEFAULT_NONE, NULL },
		{ "index", "Nullable(Int8)", EVS_DEFAULT_NONE, NULL },
		{ "comment", "Nullable(String)", EVS_DEFAULT_NONE, NULL },
		{ "a.b", "Nullable(String)", EVS_DEFAULT_NONE, NULL },
		{ "nested", "Nullable(Array(Array(Nullable(Int32))))", EVS_DEFAULT_NONE, NULL },
		{ "chosen", "Nullable(Array(String))", EVS_DEFAULT_NONE, NULL },
	};
	struct evs_ddl *d = good(columns);
	const struct evs_table *t;
	struct evs_table *again = NULL;
	bool same = false;

	if (!d)
		return;
	t = d->tables[0];
	t_eq_u64("columns", t->ndeclared, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct evs_column *c = column(t, want[i].name);

		check_column(t, want[i].name, want[i].type);
		t_check(want[i].name,
			c && c->def_kind == want[i].def && !c->def_text == !want[i].text &&
				(!c->def_text || !strcmp(c->def_text, want[i].text)) &&
				(c->def != NULL) == (c->def_kind == EVS_DEFAULT_EXPR) &&
				c - t->cols == (ptrdiff_t)i);
	}
	t_eq_u64("one check", t->nchecks, 1);
	t_eq_str("its text", t->checks[0].text, "(m > 0)");
	t_eq_u64("one index", t->nindexes, 1);
	noted("10: COLLATE of column h");
	noted("15: UNIQUE of column m");
	noted("15: REFERENCES o");
	noted("16: CODEC of column n");
	noted("16: COMMENT of column n");
	noted("16: TTL of column n");
	noted("comma after the last column");
	t_check("its text parses to the same table",
		evs_table_parse(&again, t->text, t->text_len, &diag) == 0 &&
			evs_table_compatible(t, again, &same, NULL) == 0 && same &&
			!strcmp(again->text, t->text));
	t_check("text has the enum, the table and the index",
		!strncmp(t->text, "CREATE TYPE", 11) &&
			strstr(t->text, ");\nCREATE INDEX ti ON t (b, c);\n"));
	evs_table_free(again);
	evs_ddl_free(d);
}

static void test_varchar(void)
{
	struct evs_ddl *d = good("CREATE TABLE t (\"a\"\"b\" varchar(20), c char(3)[], d text)");

	if (!d)
		return;
	t_eq_u64("a check of the length", d->tables[0]->nchecks, 1);
	t_eq_str("its text", d->tables[0]->checks[0].text, "char_length(\"a\"\"b\") <= 20");
	noted("length of a text inside another type");
	evs_ddl_free(d);
	d = good("CREATE TABLE t (a VARCHAR(20)) ENGINE = MergeTree");
	if (!d)
		return;
	t_eq_u64("ClickHouse checks no length", d->tables[0]->nchecks, 0);
	noted("1: length of column a: not checked");
	evs_ddl_free(d);
}

/*
 * ---- tables ------------------------------------------------------------------------------------
 */

static const struct {
	const char *clauses;
	const char *tenant, *time, *key;
	enum evs_time_kind kind;
	enum evs_unit unit;
} layouts[] = {
	{ "PARTITION BY toMonday(ts) ORDER BY (a, ts)", NULL, "ts", "a,ts", EVS_TIME_NATIVE,
	  EVS_UNIT_WEEK },
	{ "PARTITION BY (tenant, toMonday(ts)) ORDER BY ts", "tenant", "ts", "ts", EVS_TIME_NATIVE,
	  EVS_UNIT_WEEK },
	{ "ORDER BY tuple() PARTITION BY tuple(toYYYYMM(ts), tenant)", "tenant", "ts", "",
	  EVS_TIME_NATIVE, EVS_UNIT_MONTH },
	{ "PARTITION BY tenant", "tenant", "ts", "ts", EVS_TIME_NATIVE, EVS_UNIT_WEEK },
	{ "PARTITION BY toStartOfMonth(toDate(ts))", NULL, "ts", "ts", EVS_TIME_NATIVE,
	  EVS_UNIT_MONTH },
	{ "PARTITION BY toStartOfWeek(ts, 1)", NULL, "ts", "ts", EVS_TIME_NATIVE, EVS_UNIT_WEEK },
	{ "PARTITION BY toDate(ts)", NULL, "ts", "ts", EVS_TIME_NATIVE, EVS_UNIT_DAY },
	{ "PARTITION BY toYYYYMMDD(ts)", NULL, "ts", "ts", EVS_TIME_NATIVE, EVS_UNIT_DAY },
	{ "PARTITION BY ts::date", NULL, "ts", "ts", EVS_TIME_NATIVE, EVS_UNIT_DAY },
	{ "PARTITION BY day", NULL, "day", "day", EVS_TIME_NATIVE, EVS_UNIT_DAY },
	{ "PARTITION BY date_trunc('week', ts)", NULL, "ts", "ts", EVS_TIME_NATIVE, EVS_UNIT_WEEK },
	{ "PARTITION BY toStartOfInterval(ts, INTERVAL 1 MONTH)", NULL, "ts", "ts", EVS_TIME_NATIVE,
	  EVS_UNIT_MONTH },
	{ "PARTITION BY RANGE (ts)", NULL, "ts", "ts", EVS_TIME_NATIVE, EVS_UNIT_MONTH },
	{ "PARTITION BY RANGE (date_trunc('week', ts))", NULL, "ts", "ts", EVS_TIME_NATIVE,
	  EVS_UNIT_WEEK },
	{ "PARTITION BY LIST (tenant)", "tenant", "ts", "ts", EVS_TIME_NATIVE, EVS_UNIT_WEEK },
	{ "PARTITION BY HASH (n)", "n", "ts", "ts", EVS_TIME_NATIVE, EVS_UNIT_WEEK },
	{ "PARTITION BY toMonday(toDateTime(n))", NULL, "n", "n", EVS_TIME_EPOCH_S, EVS_UNIT_WEEK },
	{ "PARTITION BY toMonday(toDateTime(intDiv(n, 1000)))", NULL, "n", "n", EVS_TIME_EPOCH_MS,
	  EVS_UNIT_WEEK },
	{ "PARTITION BY toMonday(toDateTime64(n / 1000000, 6))", NULL, "n", "n", EVS_TIME_EPOCH_US,
	  EVS_UNIT_WEEK },
	{ "PARTITION BY toYYYYMM(fromUnixTimestamp64Nano(n))", NULL, "n", "n", EVS_TIME_EPOCH_NS,
	  EVS_UNIT_MONTH },
	{ "PARTITION BY RANGE (to_timestamp(n / 1000.0))", NULL, "n", "n", EVS_TIME_EPOCH_MS,
	  EVS_UNIT_MONTH },
	{ "PARTITION BY toMonday(parseDateTime64BestEffort(tenant, 3))", NULL, "tenant", "tenant",
	  EVS_TIME_TEXT, EVS_UNIT_WEEK },
	{ "PARTITION BY toMonday(CAST(tenant AS DateTime))", NULL, "tenant", "tenant",
	  EVS_TIME_TEXT, EVS_UNIT_WEEK },
	{ "PARTITION BY (tenant, toMonday(ts at time zone 'UTC'))", "tenant", "ts", "ts",
	  EVS_TIME_NATIVE, EVS_UNIT_WEEK },
	{ "ORDER BY (a, day)", NULL, "day", "a,day", EVS_TIME_NATIVE, EVS_UNIT_WEEK },
	{ "ORDER BY (toStartOfHour(ts), a, ts)", NULL, "ts", "ts,a", EVS_TIME_NATIVE,
	  EVS_UNIT_WEEK },
	{ "ORDER BY (a) TTL day + INTERVAL 90 DAY", NULL, "day", "a", EVS_TIME_NATIVE,
	  EVS_UNIT_WEEK },
	{ "ORDER BY a", NULL, "ts", "a", EVS_TIME_NATIVE, EVS_UNIT_WEEK },
	{ "PRIMARY KEY (a, n)", NULL, "ts", "a,n", EVS_TIME_NATIVE, EVS_UNIT_WEEK },
	{ "", NULL, "ts", "ts", EVS_TIME_NATIVE, EVS_UNIT_WEEK },
};

static void check_layout(size_t i)
{
	char ddl[600], key[100] = "";
	struct evs_ddl *d;
	const struct evs_table *t;

	snprintf(
		ddl, sizeof(ddl),
		"CREATE TABLE x (tenant String, n Int64, a Int8, day Date, ts DateTime64(3), tags Array(String)) "
		"ENGINE = MergeTree() %s SETTINGS index_granularity = 8192, x = 'y'",
		layouts[i].clauses);
	d = good(ddl);
	if (!d)
		return;
	t = d->tables[0];
	for (unsigned k = 0; k < t->nkey; k++)
		snprintf(key + strlen(key), sizeof(key) - strlen(key), "%s%s", k ? "," : "",
			 t->cols[t->key[k]].name);
	t_eq_str(layouts[i].clauses, time_name(t), layouts[i].time);
	t_eq_str(layouts[i].clauses, key, layouts[i].key);
	t_eq_str(layouts[i].clauses, t->tenant_column < 0 ? "" : t->cols[t->tenant_column].name,
		 layouts[i].tenant ? layouts[i].tenant : "");
	t_check(layouts[i].clauses, t->time_kind == layouts[i].kind && t->unit == layouts[i].unit);
	evs_ddl_free(d);
}

static void test_arrival(void)
{
	struct evs_ddl *d = good(
		"CREATE TABLE t (a String, ts Nullable(DateTime)) ENGINE = Log; CREATE TABLE e ();");
	const struct evs_table *t;

	if (!d)
		return;
	t = d->tables[0];
	t_eq_str("hidden time", time_name(t), "_time");
	t_check("of arrival", t->time_kind == EVS_TIME_ARRIVAL && t->cols[t->time_column].hidden &&
				      t->ndeclared == 2 && t->ncols == 4 && t->extra_column == 2 &&
				      t->time_column == 3);
	check_column(t, "_time", "DateTime64(9)");
	t_check("a table without columns",
		d->ntables == 2 && d->tables[1]->ndeclared == 0 && d->tables[1]->ncols == 2);
	evs_ddl_free(d);
}

static void test_ttl(void)
{
	static const struct {
		const char *ttl;
		int64_t seconds;
		int32_t months;
	} want[] = {
		{ "ts + INTERVAL 90 DAY", 7776000, 0 },
		{ "ts + interval '90' day DELETE", 7776000, 0 },
		{ "ts + INTERVAL '1 year 6 months'", 0, 18 },
		{ "toDateTime(ts) + toIntervalWeek(2)", 1209600, 0 },
		{ "toDate(ts) + 30", 2592000, 0 },
		{ "ts + 3600", 3600, 0 },
		{ "ts + INTERVAL 1 QUARTER", 0, 3 },
		{ "ts + INTERVAL 7 DAY TO VOLUME 'cold', ts + INTERVAL 1 YEAR DELETE", 0, 12 },
		{ "ts + INTERVAL 7 DAY RECOMPRESS CODEC(ZSTD(17)), ts + INTERVAL 8 DAYS", 691200,
		  0 },
		{ "ts + INTERVAL 7 DAY DELETE WHERE a = 1", 0, 0 },
		{ "created + INTERVAL 7 DAY", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		char ddl[300];
		struct evs_ddl *d;

		snprintf(
			ddl, sizeof(ddl),
			"CREATE TABLE x (a Int8, ts DateTime, created DateTime) ENGINE = MergeTree PARTITION BY toMonday(ts) "
			"TTL %s ORDER BY a;",
			want[i].ttl);
		d = good(ddl);
		if (!d)
			continue;
		t_check(want[i].ttl, d->tables[0]->ttl_seconds == want[i].seconds &&
					     d->tables[0]->ttl_months == want[i].months &&
					     d->tables[0]->nkey == 1);
		evs_ddl_free(d);
	}
	noted("TTL on created: not used");
}

static void test_engines(void)
{
	struct evs_ddl *d = good(
		"CREATE TABLE a (x Int8, v UInt64) ENGINE = ReplacingMergeTree(v) ORDER BY x;"
		"CREATE TABLE b (x Int8, v UInt64) ENGINE = ReplicatedSummingMergeTree('/p/{shard}', '{replica}', (v)) ORDER BY x;"
		"CREATE TABLE c (x Int8) ENGINE MergeTree ORDER BY x;"
		"CREATE TABLE e (x Int8) ENGINE = AggregatingMergeTree ORDER BY x COMMENT 'hm';");

	if (!d)
		return;
	t_check("replacing", d->tables[0]->engine == EVS_ENGINE_REPLACING &&
				     !strcmp(d->tables[0]->engine_args, "v"));
	t_check("summing", d->tables[1]->engine == EVS_ENGINE_SUMMING &&
				   !strcmp(d->tables[1]->engine_args, "(v)"));
	t_check("merge",
		d->tables[2]->engine == EVS_ENGINE_MERGE && !strcmp(d->tables[2]->engine_args, ""));
	t_check("aggregating", d->tables[3]->engine == EVS_ENGINE_MERGE);
	noted("ENGINE AggregatingMergeTree: taken as MergeTree");
	noted("Replicated: not used");
	noted("COMMENT: not used");
	evs_ddl_free(d);
}

static void test_indexes(void)
{
	struct evs_ddl *d = good(
		"CREATE TABLE db.t (a String, b Int8, j JSON, ts DateTime,\n"
		"  INDEX i1 a TYPE bloom_filter(0.01) GRANULARITY 4,\n"
		"  INDEX i2 lower(a) TYPE tokenbf_v1(256, 2, 0),\n"
		"  INDEX i3 (b, ts) TYPE minmax,\n"
		"  PROJECTION p (SELECT a ORDER BY b)) ENGINE = MergeTree ORDER BY ts;\n"
		"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i4 ON db.t USING btree (b DESC NULLS LAST, a) "
		"INCLUDE (ts) WHERE b > 0;\n"
		"CREATE INDEX i5 ON t USING GIN (j jsonb_path_ops);\n"
		"CREATE INDEX ON t ((j ->> 'x'));\n");
	static const struct {
		const char *name, *kind, *expr;
		int column;
	} want[] = {
		{ "i1", "bloom_filter", "a", 0 },
		{ "i2", "tokenbf_v1", "lower(a)", -1 },
		{ "i3", "minmax", "(b, ts)", 1 },
		{ "i4", "btree", "b DESC NULLS LAST, a", 1 },
		{ "i5", "gin", "j jsonb_path_ops", 2 },
		{ "t", "btree", "(j ->> 'x')", -1 },
	};

	if (!d)
		return;
	t_eq_str("database", d->tables[0]->db, "db");
	t_eq_u64("indexes", d->tables[0]->nindexes, 6);
	for (unsigned i = 0; i < 6 && d->tables[0]->nindexes == 6; i++) {
		const struct evs_index_def *ix = &d->tables[0]->indexes[i];

		t_eq_str("index name", ix->name, want[i].name);
		t_eq_str("index kind", ix->kind, want[i].kind);
		t_eq_str("index text", ix->expr_text, want[i].expr);
		t_check(want[i].name, ix->column == want[i].column);
	}
	noted("5: PROJECTION p");
	noted("UNIQUE of index i4");
	noted("INCLUDE of an index");
	evs_ddl_free(d);
}

static void test_views(void)
{
	struct evs_ddl *d = good(
		"CREATE TABLE e (a String, ts DateTime) ENGINE = MergeTree ORDER BY ts;\n"
		"CREATE MATERIALIZED VIEW IF NOT EXISTS db.h TO x ENGINE = SummingMergeTree() ORDER BY (a, h) POPULATE AS\n"
		"SELECT a, toStartOfHour(ts) AS h, count() AS n FROM db.e GROUP BY a, h;\n"
		"CREATE VIEW v AS SELECT EXTRACT(YEAR FROM ts) FROM e WHERE a IN (SELECT a FROM y);\n"
		"CREATE MATERIALIZED VIEW pg AS SELECT a FROM e WITH NO DATA;\n"
		"CREATE VIEW w AS SELECT * FROM e JOIN f ON e.a = f.a;\n"
		"CREATE VIEW s AS SELECT * FROM (SELECT 1);");

	if (!d)
		return;
	t_eq_u64("views", d->nviews, 3);
	if (d->nviews == 3) {
		t_eq_str("name", d->views[0].name, "h");
		t_eq_str("database", d->views[0].db, "db");
		t_eq_str("source", d->views[0].source, "e");
		t_check("kind",
			d->views[0].kind == EVS_MATERIALIZED_VIEW && d->views[1].kind == EVS_VIEW);
		t_eq_str("select", d->views[0].select_text,
			 "SELECT a, toStartOfHour(ts) AS h, count() AS n FROM db.e GROUP BY a, h");
		t_eq_str("source of the second", d->views[1].source, "e");
		t_eq_str("without WITH NO DATA", d->views[2].select_text, "SELECT a FROM e");
	}
	noted("2: ENGINE of view h");
	noted("6: view w: not used");
	noted("7: view s: not used");
	evs_ddl_free(d);
}

/*
 * ---- errors ------------------------------------------------------------------------------------
 */

static void test_errors(void)
{
	bad("CRATE TABLE t (a int)", 1, 1, "CRATE", "did you mean CREATE");
	bad("CREATE TABLE t (\n  a Strng\n)", 2, 5, "Strng", "did you mean String");
	bad("CREATE TABLE t (a int", 1, 22, "end of text", "comma or )");
	bad("CREATE TABLE t (a int b int)", 1, 23, "b", "comma or )");
	bad("CREATE TABLE t (a)", 1, 18, ")", "type of column a");
	bad("CREATE TABLE t (a int, a text)", 1, 24, "a", "defined twice");
	bad("CREATE TABLE t (a int); CREATE TABLE t (b int)", 1, 38, "t", "defined twice");
	bad("CREATE TABLE t (_extra int)", 1, 17, "_extra", "hidden column");
	bad("CREATE TABLE t (_time int)", 1, 17, "_time", "hidden column");
	bad("CREATE TABLE t (a int, CHECK (aa > 0))", 1, 31, "aa", "CHECK");
	bad("CREATE TABLE t (a int, CHECK (a >))", 1, 34, ")", "CHECK");
	bad("CREATE TABLE t (a int DEFAULT nope())", 1, 31, "nope", "DEFAULT of column a");
	bad("CREATE TABLE t (status int) ENGINE = MergeTree ORDER BY (stauts)", 1, 58, "stauts",
	    "did you mean status");
	bad("CREATE TABLE t (a int) ENGINE = MergeTre", 1, 33, "MergeTre",
	    "did you mean MergeTree");
	bad("CREATE TABLE t (a int, s Int8) ENGINE = CollapsingMergeTree(s) ORDER BY a", 1, 41,
	    "CollapsingMergeTree", "ReplacingMergeTree");
	bad("CREATE TABLE t (a int) ENGINE = ReplacingMergeTree(ver) ORDER BY a", 1, 52, "ver",
	    "no column");
	bad("CREATE TABLE t (a int) ENGIN = MergeTree", 1, 24, "ENGIN", "did you mean ENGINE");
	bad("CREATE TABLE t (a String, b String) ENGINE = MergeTree PARTITION BY (a, b)", 1, 73,
	    "b", "two tenant");
	bad("CREATE TABLE t (ts DateTime) ENGINE = MergeTree PARTITION BY ts", 1, 62, "ts",
	    "toMonday(ts)");
	bad("CREATE TABLE t (ts DateTime) ENGINE = MergeTree PARTITION BY toYear(ts)", 1, 62,
	    "toYear", "day, a week or a month");
	bad("CREATE TABLE t (ts Int64) ENGINE = MergeTree PARTITION BY toMonday(ts)", 1, 68, "ts",
	    "fromUnixTimestamp64Milli");
	bad("CREATE TABLE t (a Int64, ts DateTime) ENGINE = MergeTree PARTITION BY (a % 16, toMonday(ts))",
	    1, 72, "a", "tenant column");
	bad("CREATE TABLE t (ts DateTime, d Date) ENGINE = MergeTree PARTITION BY (toMonday(ts), toDate(d))",
	    1, 85, "toDate", "two times");
	bad("CREATE TABLE t (ts DateTime) ENGINE = MergeTree TTL ts - INTERVAL 1 DAY", 1, 53, "ts",
	    "INTERVAL 90 DAY");
	bad("CREATE TABLE t (ts DateTime) ENGINE = MergeTree TTL ts + INTERVAL 1 FORTNIGHT", 1, 53,
	    "ts", "INTERVAL 90 DAY");
	bad("CREATE TABLE t (a String ALIAS b)", 1, 26, "ALIAS", "computes no columns");
	bad("CREATE TABLE t (a int GENERATED ALWAYS AS (b + 1) STORED)", 1, 23, "GENERATED",
	    "compute columns");
	bad("CREATE TABLE t (a int NOT NULL DEFAULT NULL)", 1, 17, "a", "never null");
	bad("CREATE TABLE t (a text DEFAULT nextval('s'))", 1, 17, "a", "must be an integer");
	bad("CREATE TABLE t (a Array(Int8)) ENGINE = MergeTree ORDER BY a", 1, 60, "a",
	    "cannot be sorted");
	bad("CREATE TABLE t (a int, b int) ENGINE = MergeTree ORDER BY (a + b)", 1, 64, "b",
	    "one by one");
	bad("CREATE INDEX i ON nowhere (a)", 1, 19, "nowhere", "no table nowhere");
	bad("CREATE TABLE t AS SELECT 1", 1, 16, "AS", "written out");
	bad("CREATE TABLE t (LIKE o)", 1, 17, "LIKE", "write them out");
	bad("CREATE TABLE t (a int); ALTER TABLE t ADD COLUMN b int", 1, 39, "ADD",
	    "CREATE TABLE itself");
	bad("CREATE TYPE x AS (a int)", 1, 15, "AS", "ENUM");
	bad("CREATE TYPE x AS ENUM ('a'); CREATE TYPE X AS ENUM ('b')", 1, 42, "X",
	    "defined twice");
	bad("CREATE VIEW v AS SELECT a FROM b; CREATE TABLE v (a int)", 1, 48, "v",
	    "defined twice");
	bad("CREATE VIEW v", 1, 14, "end of text", "AS SELECT");
	bad("CREATE TABLE t (a text DEFAULT 'x)", 1, 32, "", "no end");
	bad("CREATE TABLE t (a int) /* open", 1, 24, "", "no end");
	bad("CREATE TABLE t (a text DEFAULT $$x)", 1, 32, "", "no end");
	bad("CREATE TABLE \"\" (a int)", 1, 14, "\"\"", "empty");
	bad("CREATE TABLE \"\xff\" (a int)", 1, 14, "\"\xff\"", "UTF-8");
	bad("CREATE TABLE t (\xc3\xa9t\xc3\xa9 int, b Strng)", 1, 28, "Strng", "did you mean");
	bad("CREATE TABLE t (a int, PRIMARY KEY (a), PRIMARY KEY (a))", 1, 41, "PRIMARY",
	    "two primary keys");
	bad("CREATE TABLE t (a int) PARTITION BY RANGE (a)", 1, 44, "a", "no range of time");
}

static void test_table_parse(void)
{
	static const char two[] = "CREATE TABLE a (x int); CREATE TABLE b (x int);";
	static const char none[] = "SELECT 1";
	static const char one[] =
		"\xef\xbb\xbf-- hello\nCREATE VIEW v AS SELECT x FROM a;\nCREATE TABLE IF NOT EXISTS a (x int);";
	struct evs_table *t = NULL;

	T_CHECK(evs_table_parse(&t, two, strlen(two), &diag) == EVS_E_SCHEMA && !t);
	T_CHECK(evs_table_parse(&t, none, strlen(none), &diag) == EVS_E_SCHEMA && !t);
	T_CHECK(evs_table_parse(&t, one, strlen(one), &diag) == 0 && t && !strcmp(t->name, "a"));
	T_CHECK(evs_table_find(t, "x", 1) == 0 && evs_table_find(t, "X", 1) == -1 &&
		evs_table_find(t, "", 0) == -1);
	evs_table_free(t);
	evs_table_free(NULL);
	evs_ddl_free(NULL);
}

/* Short texts that would become much: refused, not obeyed. */
static void test_limits(void)
{
	size_t cap = 1 << 20, n;
	char *text = malloc(cap);
	struct evs_ddl *d;

	n = (size_t)sprintf(text, "CREATE TYPE e AS ENUM (");
	for (int i = 0; i < 30000; i++)
		n += (size_t)sprintf(text + n, "%s'%d'", i ? "," : "", i);
	n += (size_t)sprintf(text + n, "); CREATE TABLE t (");
	for (int i = 0; i < 1000; i++)
		n += (size_t)sprintf(text + n, "%sc%d e", i ? "," : "", i);
	sprintf(text + n, ");");
	d = parse(text);
	t_check("a thousand columns of a huge enum", !d && diag.err == EVS_E_LIMIT);
	evs_ddl_free(d);
	n = 0;
	for (int i = 0; i < 5000; i++)
		n += (size_t)sprintf(text + n, "CREATE TABLE t%d();", i);
	d = parse(text);
	t_check("five thousand tables", !d && diag.err == EVS_E_LIMIT);
	evs_ddl_free(d);
	n = (size_t)sprintf(text, "CREATE TABLE t (");
	for (int i = 0; i < 9000; i++)
		n += (size_t)sprintf(text + n, "%sc%d int", i ? "," : "", i);
	sprintf(text + n, ");");
	d = parse(text);
	t_check("nine thousand columns", !d && diag.err == EVS_E_SCHEMA);
	evs_ddl_free(d);
	memset(text, '(', 100000);
	memcpy(text, "CREATE TABLE t (a int DEFAULT ", 30);
	text[100000] = '\0';
	d = parse(text);
	t_check("brackets without end", !d && diag.what[0]);
	evs_ddl_free(d);
	n = (size_t)sprintf(text, "CREATE TABLE t (a ");
	for (int i = 0; i < 50000; i++)
		n += (size_t)sprintf(text + n, "Nullable(");
	d = parse(text);
	t_check("types without end", !d && strstr(diag.what, "too deeply"));
	evs_ddl_free(d);
	free(text);
}

int main(void)
{
	test_limits();
	test_hatchet();
	test_missing_semicolons();
	test_skipped();
	test_null_rule();
	test_columns();
	test_varchar();
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		check_layout(i);
	test_arrival();
	test_ttl();
	test_engines();
	test_indexes();
	test_views();
	test_errors();
	test_table_parse();
	return t_done();
}
