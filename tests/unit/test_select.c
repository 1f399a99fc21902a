/*
 * SELECT text becomes a plan: keys, aggregates and columns with their types, or an error that says
 * where and what to do.
 */
#include "tests/unit/expr_rows.h"

#include <stdarg.h>

static char got[16384];
static size_t len;

static void put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void put(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(got + len, sizeof(got) - len, fmt, ap);
	va_end(ap);
	len = n < 0 || (size_t)n >= sizeof(got) - len ? sizeof(got) - 1 : len + (size_t)n;
}

static void put_type(const struct evs_type *t, bool nullable)
{
	char text[128];

	evs_type_print(t, nullable, text, sizeof(text));
	put("%s", text);
}

static void put_expr(const struct evs_expr *e)
{
	bool nullable;
	const struct evs_type *t = evs_expr_type(e, &nullable);

	put_type(t, nullable);
}

static void put_aggs(const struct evs_select_plan *p)
{
	static const char *const names[] = {
		"?",	   "count",	"sum",	      "avg",	    "min",
		"max",	   "argMin",	"argMax",     "any",	    "anyLast",
		"uniq",	   "uniqExact", "quantile",   "quantiles",  "varPop",
		"varSamp", "stddevPop", "stddevSamp", "groupArray", "string_agg",
	};

	for (size_t i = 0; i < p->nagg; i++) {
		const struct evs_agg_call *c = &p->agg[i];

		put("%s%s", i ? ", " : " aggs ", names[c->fn]);
		for (size_t k = 0; k < c->nparam; k++)
			put("%s%g", k ? " " : "<", c->param[k]);
		put("%s(", c->nparam ? ">" : "");
		for (size_t k = 0; k < c->narg; k++) {
			put("%s", k ? ", " : "");
			put_expr(c->arg[k]);
		}
		put(")%s ", c->filter ? " if" : "");
		put_type(&c->type, c->nullable);
	}
}

static void put_plan(const struct evs_select_plan *p)
{
	put("%s", p->where ? "where" : "");
	if (p->grouped)
		put(" keys");
	for (size_t i = 0; i < p->nkey; i++) {
		put("%s", i ? ", " : " ");
		put_expr(p->key[i]);
	}
	put_aggs(p);
	put("%s", p->having ? " having" : "");
	put(" ->");
	for (size_t i = 0; i < p->ncol; i++) {
		put("%s", i == p->nitems ? " + " : i ? ", " : " ");
		put("%.*s ", (int)p->col[i].name_len, p->col[i].name ? p->col[i].name : "");
		put_expr(p->col[i].expr);
	}
	put("%s", p->distinct ? " distinct" : "");
	for (size_t i = 0; i < p->norder; i++)
		put("%s%u%s%s", i ? "," : " order ", p->order[i].col, p->order[i].desc ? "-" : "",
		    p->order[i].nulls_first ? "n" : "");
	for (size_t i = 0; i < p->nby; i++)
		put("%s%u", i ? "," : " by ", p->by[i]);
	if (p->nby)
		put(":%" PRIu64, p->by_limit);
	if (p->limit != EVS_NO_LIMIT)
		put(" limit %" PRIu64, p->limit);
	if (p->offset)
		put(" offset %" PRIu64, p->offset);
}

static void put_error(int rc, const struct evs_diag *d)
{
	put("error %d at %u:%u [%s] %s", -rc, d->line, d->col, d->word, d->what);
	if (d->path[0])
		put(" (%s)", d->path);
}

static void run(struct evs_select *s, int rc, struct evs_diag *d)
{
	if (rc == 0)
		rc = evs_select_bind(s, expr_table, d);
	len = 0;
	got[0] = 0;
	if (rc == 0)
		put_plan(evs_select_plan(s));
	else
		put_error(rc, d);
	evs_select_free(s);
}

static void run_text(const char *text, size_t n)
{
	struct evs_select *s = NULL;
	struct evs_diag d = { 0 };
	int rc = evs_select_parse(&s, text, n, &d);

	run(s, rc, &d);
}

static const struct expr_case cases[] = {
	{ "SELECT n FROM demo", " -> n Int32" },
	{ "select demo.n, d.s, payload.user.id FROM demo AS d;",
	  " -> n Int32, s Nullable(String), payload.user.id Nullable(JSON)" },
	{ "SELECT status, count() AS n FROM demo GROUP BY status ORDER BY n DESC",
	  " keys Nullable(Enum8('QUEUED' = 1, 'FAILED' = 2, 'DONE' = 30)) aggs count() Int64 -> status "
	  "Nullable(Enum8('QUEUED' = 1, 'FAILED' = 2, 'DONE' = 30)), n Int64 order 1-" },
	{ "SELECT COUNT(*) FROM demo WHERE n = 1",
	  "where keys aggs count() Int64 -> COUNT(*) Int64" },
	/* aliases in other items, in any order, and in every clause */
	{ "SELECT toStartOfHour(ts) AS hour, countIf(n = 2) AS errors, count() AS total,\n"
	  " (errors / total * 100) AS pct FROM demo WHERE hour > now() - INTERVAL 24 HOUR\n"
	  "GROUP BY hour HAVING pct > 5 ORDER BY hour DESC LIMIT 10",
	  "where keys Nullable(DateTime) aggs count() if Int64, count() Int64 having -> hour "
	  "Nullable(DateTime), errors Int64, total Int64, pct Float64 order 0- limit 10" },
	{ "SELECT total * 2 AS twice, count() AS total FROM demo",
	  " keys aggs count() Int64 -> twice Int64, total Int64" },
	/* the same aggregate is computed once, whatever its spelling */
	{ "SELECT sum(n) AS a, SUM( demo.n ) + 1 AS b, sum(n)/count(*) AS c FROM demo",
	  " keys aggs sum(Int64) Nullable(Int64), count() Int64 -> a Nullable(Int64), b "
	  "Nullable(Int64), c Nullable(Float64)" },
	/* where a name is column and alias: column in items and WHERE, alias behind */
	{ "SELECT toStartOfHour(ts) AS ts, count() AS c FROM demo WHERE ts > 5 GROUP BY ts ORDER BY ts",
	  "error 7 at 1:65 [>] DateTime cannot be compared with Int64; "
	  "write the time in 'quotes', or toDateTime(n) for seconds since 1970" },
	{ "SELECT toStartOfHour(ts) AS ts, max(ts3) AS ts3 FROM demo GROUP BY ts ORDER BY ts3, max(ts3)",
	  " keys Nullable(DateTime) aggs max(Nullable(DateTime64(3))) Nullable(DateTime64(3)) -> ts "
	  "Nullable(DateTime), ts3 Nullable(DateTime64(3)) order 1,1" },
	{ "SELECT y + 1 AS x, x + 1 AS y FROM demo",
	  "error 7 at 1:20 [x] `x` is defined by itself" },
	/* GROUP BY */
	{ "SELECT lower(s), count() FROM demo GROUP BY 1 ORDER BY 2 DESC NULLS FIRST, 1",
	  " keys Nullable(String) aggs count() Int64 -> lower(s) Nullable(String), count() Int64 order "
	  "1-n,0" },
	{ "SELECT s, n, count() FROM demo GROUP BY ALL",
	  " keys Nullable(String), Int32 aggs count() Int64 -> s Nullable(String), n Int32, count() "
	  "Int64" },
	{ "SELECT lower(s) AS l, upper(lower(s)) AS u FROM demo GROUP BY lower( s )",
	  " keys Nullable(String) -> l Nullable(String), u Nullable(String)" },
	{ "SELECT n, count() FROM demo",
	  "error 7 at 1:8 [n] `n` has many values in a group: add it to GROUP BY, or take one with "
	  "any(), min(), max()" },
	{ "SELECT n, s FROM demo GROUP BY 3",
	  "error 7 at 1:32 [3] the SELECT has 2 items, so there is no number 3" },
	{ "SELECT count() AS c FROM demo GROUP BY c",
	  "error 7 at 1:40 [c] an aggregate cannot be grouped by" },
	{ "SELECT n FROM demo WHERE count() > 1",
	  "error 7 at 1:34 [>] WHERE looks at single rows: conditions on aggregates belong into HAVING" },
	{ "SELECT 1 AS one FROM demo HAVING count() > 5",
	  " keys aggs count() Int64 having -> one Int64" },
	/* DISTINCT, LIMIT */
	{ "SELECT DISTINCT s FROM demo ORDER BY s", " -> s Nullable(String) distinct order 0" },
	{ "SELECT DISTINCT s FROM demo ORDER BY n",
	  "error 7 at 1:38 [n] with DISTINCT, this must be an item of the SELECT" },
	{ "SELECT DISTINCT ON (s) s, n FROM demo ORDER BY s, ts DESC",
	  " -> s Nullable(String), n Int32 +  Nullable(DateTime) order 0,2- by 0:1" },
	{ "SELECT n FROM demo ORDER BY lower(s) DESC LIMIT 2 BY s LIMIT 5 OFFSET 3",
	  " -> n Int32 +  Nullable(String),  Nullable(String) order 1- by 2:2 limit 5 offset 3" },
	{ "SELECT n FROM demo LIMIT 3, 5", " -> n Int32 limit 5 offset 3" },
	{ "SELECT n FROM demo LIMIT 5.5", "error 7 at 1:26 [5.5] a whole number is wanted here" },
	/* aggregates */
	{ "SELECT count(s), count(DISTINCT s, n), uniq(s), sum(u64), sum(d), avg(i32), min(status) = "
	  "'FAILED', argMax(payload, ts), quantile(0.9)(f64), median(i8), quantiles(0.5, 1)(n), "
	  "groupArray(n), array_agg(s), string_agg(s, ','), bool_and(b), stddev(n) FROM demo",
	  " keys aggs count(Nullable(String)) Int64, uniqExact(Nullable(String), Int32) Int64, "
	  "uniq(Nullable(String)) Int64, sum(Nullable(UInt64)) Nullable(UInt64), sum(Nullable(Decimal(10, 2))) "
	  "Nullable(Decimal(38, 2)), avg(Nullable(Int64)) Nullable(Float64), min(Nullable(Enum8('QUEUED' = "
	  "1, 'FAILED' = 2, 'DONE' = 30))) Nullable(Enum8('QUEUED' = 1, 'FAILED' = 2, 'DONE' = 30)), "
	  "argMax(Nullable(JSON), Nullable(DateTime)) Nullable(JSON), quantile<0.9>(Nullable(Float64)) "
	  "Nullable(Float64), quantile<0.5>(Nullable(Float64)) Nullable(Float64), quantiles<0.5 1>(Float64) "
	  "Nullable(Array(Float64)), groupArray(Int32) Array(Int32), groupArray(Nullable(String)) "
	  "Nullable(Array(Nullable(String))), string_agg(Nullable(String)) Nullable(String), "
	  "min(Nullable(Bool)) Nullable(Bool), stddevSamp(Float64) Nullable(Float64) -> count(s) Int64, "
	  "count(DISTINCT s, n) Int64, uniq(s) Int64, sum(u64) Nullable(UInt64), sum(d) "
	  "Nullable(Decimal(38, 2)), avg(i32) Nullable(Float64), min(status) = 'FAILED' Nullable(Bool), "
	  "argMax(payload, ts) Nullable(JSON), quantile(0.9)(f64) Nullable(Float64), median(i8) "
	  "Nullable(Float64), quantiles(0.5, 1)(n) Nullable(Array(Float64)), groupArray(n) Array(Int32), "
	  "array_agg(s) Nullable(Array(Nullable(String))), string_agg(s, ',') Nullable(String), bool_and(b) "
	  "Nullable(Bool), stddev(n) Nullable(Float64)" },
	{ "SELECT sumIf(n, b) FILTER (WHERE n > 1) AS s, avg(ts3 - ts) AS d FROM demo",
	  " keys aggs sum(Int64) if Nullable(Int64), avg(Nullable(Float64)) Nullable(Float64) -> s "
	  "Nullable(Int64), d Nullable(Float64)" },
	{ "SELECT avg(ts) FROM demo",
	  "error 7 at 1:12 [ts] argument 1 of avg() must be a number, and this is DateTime: subtract "
	  "another time, or take toUnixTimestamp()" },
	{ "SELECT sum(s) FROM demo",
	  "error 7 at 1:12 [s] argument 1 of sum() must be a number, and this is String" },
	{ "SELECT max(sum(n)) FROM demo",
	  "error 7 at 1:12 [sum] an aggregate cannot stand inside of another" },
	{ "SELECT quantile(1.5)(n) FROM demo",
	  "error 7 at 1:17 [1.5] a quantile lies between 0 and 1" },
	{ "SELECT quantile(n)(n) FROM demo", "error 7 at 1:17 [n] a number is wanted here" },
	{ "SELECT sum(n, b) FROM demo", "error 7 at 1:8 [sum] sum() takes 1 argument, not 2" },
	{ "SELECT lower(DISTINCT s) FROM demo",
	  "error 7 at 1:8 [lower] DISTINCT belongs to aggregates, and lower() is none" },
	/* what is wrong, and what there is instead */
	{ "SELECT statu FROM demo",
	  "error 7 at 1:8 [statu] there is no column `statu` in demo; did you mean `status`?" },
	{ "SELECT count() AS total FROM demo ORDER BY totl",
	  "error 7 at 1:44 [totl] there is no column `totl` in demo; did you mean `total`?" },
	{ "SELECT n, n FROM demo",
	  "error 7 at 1:11 [n] two columns are called `n`: give one another name with AS" },
	{ "", "error 7 at 1:1 [] there is no query" },
	{ "n = 1", "error 7 at 1:1 [n] a query begins with SELECT" },
	{ "SELECT FROM demo",
	  "error 7 at 1:8 [FROM] this word has a meaning of its own: a column of that name needs "
	  "\"quotes\"" },
	{ "SELECT n FROM demo WERE n = 1",
	  "error 7 at 1:25 [n] `,`, a clause or the end is wanted here" },
	{ "SELECT n FROM demo LIMIT 1 WHERE n = 1",
	  "error 7 at 1:28 [WHERE] the clauses come in the order FROM, WHERE, GROUP BY, HAVING, ORDER "
	  "BY, LIMIT" },
	{ "SELECT n FROM demo; SELECT 1", "error 7 at 1:21 [SELECT] one statement at a time" },
	{ "SELECT n FROM demo d LEFT JOIN other o ON d.n = o.n",
	  "error 7 at 1:22 [LEFT] a query reads one stream or view: JOIN is not supported (evsql is to "
	  "have it)" },
	{ "SELECT n FROM (SELECT 1)",
	  "error 7 at 1:15 [(] sub-queries are not supported: make the inner SELECT a view (CREATE VIEW) "
	  "and name that" },
	{ "SELECT (SELECT 1) FROM demo",
	  "error 7 at 1:9 [SELECT] a SELECT inside an expression is not supported" },
	{ "WITH x AS (SELECT 1) SELECT n FROM x",
	  "error 7 at 1:1 [WITH] WITH is not supported: make the inner SELECT a view (CREATE VIEW); for "
	  "the newest row of each key there is evcat --latest COLUMNS, or LIMIT 1 BY" },
	{ "SELECT n, row_number() OVER (PARTITION BY s ORDER BY ts DESC) AS r FROM demo",
	  "error 7 at 1:24 [OVER] window functions are not supported: for the newest row of each key there "
	  "is evcat --latest COLUMNS, or LIMIT 1 BY" },
	{ "SELECT n FROM demo FORMAT JSONEachRow",
	  "error 7 at 1:20 [FORMAT] the format is chosen outside of the query: evagg -o ndjson, csv, tsv "
	  "or table" },
	{ "SELECT n FROM demo SETTINGS max_threads = 1",
	  "error 7 at 1:20 [SETTINGS] SETTINGS mean nothing to evseg: leave them out" },
};

static void parts(const struct evs_select_parts *p, const char *want)
{
	struct evs_select *s = NULL;
	struct evs_diag d = { 0 };
	int rc = evs_select_parse_parts(&s, p, &d);

	run(s, rc, &d);
	t_eq_str("parts", got, want);
}

/* The flags of evagg: -g -a -w --having --sort -n. */
static void test_parts(void)
{
	struct evs_select_parts p = { .group = "toStartOfHour(ts) AS hour, s" };

	parts(&p, " keys Nullable(DateTime), Nullable(String) aggs count() Int64 -> hour "
		  "Nullable(DateTime), s Nullable(String), count Int64");
	p = (struct evs_select_parts){ .aggs = "sum(n) AS total, max(n)",
				       .where = "n > 0",
				       .having = "total > 5",
				       .sort = "total DESC",
				       .limit = 3 };
	parts(&p,
	      "where keys aggs sum(Int64) Nullable(Int64), max(Int32) Nullable(Int32) having -> total "
	      "Nullable(Int64), max(n) Nullable(Int32) order 0- limit 3");
	p.sort = "totl";
	parts(&p,
	      "error 7 at 1:1 [totl] there is no column `totl` in demo; did you mean `total`? (sort)");
	p.sort = "total DESCENDING";
	parts(&p, "error 7 at 1:7 [DESCENDING] an operator, `,` or the end is wanted here (sort)");
	p = (struct evs_select_parts){ .where = "n >" };
	parts(&p, "error 7 at 1:4 [] the expression ends where a value is wanted (where)");
	p = (struct evs_select_parts){ .aggs = "n" };
	parts(&p,
	      "error 7 at 1:1 [n] `n` has many values in a group: add it to GROUP BY, or take one with "
	      "any(), min(), max() (aggs)");
}

/* Texts made to be too much: an error, and in time. */
static void test_hostile(void)
{
	size_t cap = (size_t)1 << 21, n = 0;
	char *text = malloc(cap);

	if (!text)
		return;
	n = (size_t)snprintf(text, cap, "SELECT n");
	for (int i = 0; i < 10000; i++)
		n += (size_t)snprintf(text + n, cap - n, ",n+%d", i);
	run_text(text, n);
	t_check("10,000 items", strstr(got, "too many: at most 4096 may stand here") != NULL);

	n = (size_t)snprintf(text, cap, "SELECT n+0");
	for (int i = 1; i < 4000; i++)
		n += (size_t)snprintf(text + n, cap - n, ",n+%d", i);
	run_text(text, n);
	t_check("4,000 items", !strncmp(got, " -> n+0 Int64, n+1 Int64,", 20));

	/* every alias twice in the next: 2^40 terms */
	n = (size_t)snprintf(text, cap, "SELECT n AS a0");
	for (int i = 1; i <= 40; i++)
		n += (size_t)snprintf(text + n, cap - n, ", a%d + a%d AS a%d", i - 1, i - 1, i);
	run_text(text, n);
	t_check("doubling aliases",
		strstr(got, "with its aliases put in, the expression has more than "
			    "100000 terms") != NULL);

	n = 0;
	n += (size_t)snprintf(text, cap, "SELECT a%d + 1 AS b", 0);
	for (int i = 0; i < 3000; i++)
		n += (size_t)snprintf(text + n, cap - n, ", a%d + 1 AS a%d", i + 1, i);
	run_text(text, n);
	t_check("a chain of aliases", strstr(got, "nested more than 200 levels") != NULL);

	/* names of many parts, of every length where they are joined */
	for (int first = 1000; first < 1030; first++) {
		n = (size_t)snprintf(text, cap, "SELECT ");
		memset(text + n, 'x', (size_t)first);
		n += (size_t)first;
		for (int i = 0; i < 40; i++)
			n += (size_t)snprintf(text + n, cap - n, ".y%d", i % 10);
		run_text(text, n);
	}
	t_check("a name of many parts", strstr(got, "there is no column `xxx") != NULL);

	memset(text, '(', cap);
	memcpy(text, "SELECT ", 7);
	run_text(text, 1000000);
	t_check("parentheses", strstr(got, "nested too deeply") != NULL);
	run_text(text, cap);
	t_check("2 MiB", strstr(got, "longer than 1 MiB") != NULL);
	free(text);
}

int main(void)
{
	if (!expr_setup())
		return 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run_text(cases[i].text, strlen(cases[i].text));
		t_eq_str(cases[i].text, got, cases[i].want);
	}
	test_parts();
	test_hostile();
	expr_teardown();
	return t_done();
}
