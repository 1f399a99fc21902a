/*
 * evagg: questions to a stream, in SQL or in parts of it. The library does the work; here are the
 * options, messages that show where in the query a mistake is, and the exit status.
 */
#include "evseg.h"
#include "tools/cli.h"

#include <stdlib.h>
#include <string.h>

static struct evs_query_opts opts;
static struct evs_print_opts print_opts;
static struct cli_list tenants, keys;
static struct cli_time since, until;
static uint64_t threads;
static bool want_some, want_none, explain, plot;
static int output;
static int damage_status = CLI_OK;

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'q', .name = "query", .arg = "SQL", .kind = CLI_TEXT, .text = &opts.sql,
	  .help = "the question: SELECT ... FROM stream or view ..." },
	{ .letter = 'g', .name = "group", .arg = "EXPRS", .kind = CLI_TEXT, .text = &opts.group,
	  .help = "without -q: what to group by: \"toStartOfHour(ts) AS hour\"" },
	{ .letter = 'a', .name = "aggregate", .arg = "EXPRS", .kind = CLI_TEXT, .text = &opts.aggs,
	  .help = "what to compute for each group (count() AS count)" },
	{ .letter = 'w', .name = "where", .arg = "EXPR", .kind = CLI_TEXT, .text = &opts.where,
	  .help = "only rows of which EXPR is true: \"status = 'FAILED'\"" },
	{ .name = "having", .arg = "EXPR", .kind = CLI_TEXT, .text = &opts.having,
	  .help = "only groups of which EXPR is true: \"count > 10\"" },
	{ .name = "sort", .arg = "EXPRS", .kind = CLI_TEXT, .text = &opts.sort,
	  .help = "order of the groups: \"count DESC, hour\"" },
	{ .letter = 'n', .name = "limit", .arg = "N", .kind = CLI_NUMBER, .number = &opts.limit,
	  .help = "the first N groups" },
	{ .letter = 'k', .name = "key", .arg = "COL=VALUE", .kind = CLI_MANY, .list = &keys,
	  .help = "only rows with this value; may be repeated" },
	{ .name = "since", .arg = "TIME", .kind = CLI_TIME, .time = &since,
	  .help = "only rows at or after TIME: 2025-01-31,\n"
		  "2025-01-31T12:00:00Z, or 24h, 90d ago" },
	{ .name = "until", .arg = "TIME", .kind = CLI_TIME, .time = &until,
	  .help = "only rows before TIME" },
	{ .name = "tenant", .arg = "T", .kind = CLI_MANY, .list = &tenants,
	  .help = "only this tenant; may be repeated" },
	{ .letter = 'o', .name = "output", .arg = "FORMAT", .kind = CLI_CHOICE, .level = &output,
	  .choices = cli_outputs,
	  .help = "ndjson, csv, tsv or table (on a terminal table, else\n"
		  "ndjson)" },
	{ .name = "plot", .kind = CLI_FLAG, .flag = &plot,
	  .help = "draw the first number over the first column" },
	{ .name = "nulls", .kind = CLI_FLAG, .flag = &print_opts.nulls,
	  .help = "ndjson: write nulls too, rather than leave them out" },
	{ .name = "threads", .arg = "N", .kind = CLI_NUMBER, .number = &threads,
	  .help = "1 or 2 (2)" },
	{ .name = "raw", .kind = CLI_FLAG, .flag = &opts.raw,
	  .help = "answer from the rows alone, not from rollups of views" },
	{ .name = "explain", .kind = CLI_FLAG, .flag = &explain,
	  .help = "say on stderr what was read and what was passed over, and why" },
	{ .letter = 'e', .name = "exit-status", .kind = CLI_FLAG, .flag = &want_some,
	  .help = "exit with 1 when there is no row" },
	{ .name = "fail-if-any", .kind = CLI_FLAG, .flag = &want_none,
	  .help = "exit with 1 when there is a row: a query is an alert" },
	{ .name = NULL },
};
/* clang-format on */

static const struct cli_tool tool = {
	.name = "evagg",
	.synopsis = "-q SQL [OPTION]... PATH...\n"
		    "evagg [-g EXPRS] [-a EXPRS] [OPTION]... PATH...",
	.about = "Answer a question about a stream of events: one SELECT, or the parts of one.",
	.options = options,
	.tail = "PATH is a store, of which FROM names a stream or view, or a stream, a tenant's\n"
		"folder or segments of one stream.\n"
		"\n"
		"Exit status: 0 done, 1 the answer is no (-e, --fail-if-any), 2 usage or query,\n"
		"3 damaged data met (the answer is of what was intact), 4 system error.\n"
		"\n"
		"Examples:\n"
		"  evagg -q \"SELECT status, count() AS n FROM task_events GROUP BY status\" store\n"
		"  evagg -g 'toStartOfHour(timestamp) AS hour' \\\n"
		"        -a \"countIf(status = 'FAILED') / count() * 100 AS failed\" store/task_events\n"
		"  evagg --fail-if-any --since 1h -w \"status = 'FAILED'\" --having 'count > 100' \\\n"
		"        store/task_events\n",
};

static void on_damage(void *arg, const struct evs_damage *d)
{
	(void)arg;
	damage_status = cli_worst(damage_status, cli_damage(d));
}

static void on_progress(void *arg, const struct evs_scan_progress *p)
{
	(void)arg;
	cli_meter(p->rows, p->bytes, p->bytes_total);
}

/* The part of the query that `d` is about. */
static const char *part_of(const struct evs_diag *d, const char **name)
{
	const struct {
		const char *part, *option, *text;
	} parts[] = {
		{ "", "-q", opts.sql },
		{ "group", "-g", opts.group },
		{ "aggs", "-a", opts.aggs },
		{ "where", "-w", opts.where },
		{ "having", "--having", opts.having },
		{ "sort", "--sort", opts.sort },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		*name = parts[i].option;
		if (!strcmp(d->path, parts[i].part))
			return parts[i].text;
	}
	return NULL;
}

/* A mistake in the query is shown where it stands; a value that cannot be computed is one too. */
static int fail(struct evs_diag *d)
{
	struct cli_source source = { .name = NULL };
	const char *text = NULL;

	if (d->err == EVS_S_QUERY || d->err == EVS_S_DATA)
		text = part_of(d, &source.name);
	if (!text)
		return cli_fail(d, NULL);
	d->path[0] = '\0';
	d->has_off = false; /* a row of some batch, which means nothing here */
	(void)cli_fail_source(d, &source, text, strlen(text));
	return CLI_USAGE;
}

static int print_all(struct evs_query *query, struct evs_printer *printer, uint64_t *printed,
		     struct evs_diag *diag)
{
	struct evs_batch *batch;
	int rc;

	while ((rc = evs_query_next(query, &batch, diag)) > 0) {
		*printed += evs_batch_rows(batch);
		rc = evs_print_batch(printer, batch, evs_batch_rows(batch), diag);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : evs_print_end(printer, diag);
}

/* Options that mean nothing together. */
static int check_usage(void)
{
	if (opts.sql &&
	    (opts.group || opts.aggs || opts.where || opts.having || opts.sort || opts.limit))
		return cli_bad_usage(
			"-q is the whole query: -g, -a, -w, --having, --sort and -n do not "
			"go with it");
	if (plot && output)
		return cli_bad_usage("--plot and -o exclude each other");
	if (want_some && want_none)
		return cli_bad_usage("-e and --fail-if-any exclude each other");
	if (threads > 2)
		return cli_bad_usage("--threads is 1 or 2");
	return CLI_OK;
}

static void fill_options(void)
{
	opts.tenants = tenants.items;
	opts.ntenants = tenants.n;
	opts.keys = keys.items;
	opts.nkeys = keys.n;
	opts.has_since = since.given;
	opts.since = since.ns;
	opts.has_until = until.given;
	opts.until = until.ns;
	opts.threads = (unsigned)threads;
	opts.now = cli_pinned_now();
	opts.on_damage = on_damage;
	opts.on_progress = on_progress;
	print_opts.color = cli_color();
	print_opts.width = cli_width();
	print_opts.output = output	       ? (enum evs_output)output
			    : plot	       ? EVS_PLOT
			    : print_opts.width ? EVS_TABLE
					       : EVS_NDJSON;
}

int main(int argc, char *argv[])
{
	int first = cli_start(argc, argv, &tool), rc, status;
	struct evs_printer *printer = NULL;
	struct evs_scan_progress progress;
	struct evs_scan_explain explained;
	struct evs_query *query = NULL;
	struct evs_diag diag = { 0 };
	uint64_t printed = 0;

	if (first == argc)
		return cli_bad_usage("which path?");
	status = check_usage();
	if (status != CLI_OK)
		return status;
	fill_options();
	cli_meter_start(true);
	rc = evs_query_open(&query, (const char *const *)(argv + first), (size_t)(argc - first),
			    &opts, &diag);
	if (rc >= 0)
		rc = evs_print_open(&printer, &print_opts, cli_write, NULL, &diag);
	if (rc >= 0)
		rc = print_all(query, printer, &printed, &diag);
	/* A stop comes from cli_write(), and cli_finish() tells it. */
	status = rc < 0 && rc != EVS_S_STOP ? fail(&diag) : CLI_OK;
	if (query) {
		evs_query_progress(query, &progress);
		if (progress.damaged)
			damage_status = CLI_DAMAGE;
		evs_query_explained(query, &explained);
		if (explain)
			cli_explain(&explained);
	}
	if (rc >= 0 && ((want_some && !printed) || (want_none && printed)))
		status = cli_worst(status, CLI_NO);
	evs_print_close(printer);
	evs_query_close(query);
	return cli_finish(cli_worst(status, damage_status));
}
