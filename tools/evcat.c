/*
 * evcat: rows out. Scans the paths and prints what comes, batch by batch; with -f it goes on
 * looking for new commits.
 */
#include "evseg.h"
#include "tools/cli.h"

#include <string.h>

enum { FOLLOW_MS = 200 };

static struct evs_scan_opts opts;
static struct evs_print_opts print_opts;
static struct cli_list columns, tenants, keys, latest, sort;
static struct cli_time since, until;
static uint64_t limit, threads;
static bool follow, want_some, explain;
static int output = EVS_NDJSON;
static int damage_status = CLI_OK;

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'c', .name = "columns", .arg = "COLS", .kind = CLI_LIST, .list = &columns,
	  .help = "only these columns, in this order (a,b,c)" },
	{ .letter = 'w', .name = "where", .arg = "EXPR", .kind = CLI_TEXT, .text = &opts.where,
	  .help = "only rows of which EXPR is true: \"status = 'FAILED'\"" },
	{ .letter = 'k', .name = "key", .arg = "COL=VALUE", .kind = CLI_MANY, .list = &keys,
	  .help = "only rows with this value; may be repeated" },
	{ .name = "sort", .arg = "COLS", .kind = CLI_LIST, .list = &sort,
	  .help = "in this order: \"timestamp DESC, id\"" },
	{ .name = "latest", .arg = "COLS", .kind = CLI_LIST, .list = &latest,
	  .help = "only the newest row for each value of these columns" },
	{ .letter = 'n', .name = "limit", .arg = "N", .kind = CLI_NUMBER, .number = &limit,
	  .help = "stop after N rows" },
	{ .name = "since", .arg = "TIME", .kind = CLI_TIME, .time = &since,
	  .help = "only rows at or after TIME: 2025-01-31,\n"
		  "2025-01-31T12:00:00Z, or 24h, 90d ago" },
	{ .name = "until", .arg = "TIME", .kind = CLI_TIME, .time = &until,
	  .help = "only rows before TIME" },
	{ .name = "tenant", .arg = "T", .kind = CLI_MANY, .list = &tenants,
	  .help = "only this tenant; may be repeated" },
	{ .letter = 'f', .name = "follow", .kind = CLI_FLAG, .flag = &follow,
	  .help = "wait for new rows and print them as they are committed" },
	{ .letter = 'o', .name = "output", .arg = "FORMAT", .kind = CLI_CHOICE, .level = &output,
	  .choices = cli_outputs, .help = "ndjson, csv, tsv or table (ndjson)" },
	{ .name = "nulls", .kind = CLI_FLAG, .flag = &print_opts.nulls,
	  .help = "ndjson: write nulls too, rather than leave them out" },
	{ .name = "threads", .arg = "N", .kind = CLI_NUMBER, .number = &threads,
	  .help = "1 or 2 that read (2 where it is worth it)" },
	{ .name = "explain", .kind = CLI_FLAG, .flag = &explain,
	  .help = "say on stderr what was read and what was passed over, and why" },
	{ .letter = 'e', .name = "exit-status", .kind = CLI_FLAG, .flag = &want_some,
	  .help = "exit with 1 when nothing matched" },
	{ .name = NULL },
};
/* clang-format on */

static const struct cli_tool tool = {
	.name = "evcat",
	.synopsis = "[OPTION]... PATH...",
	.about = "Print the rows of a stream, one JSON object a line.",
	.options = options,
	.tail = "PATH is a store with one stream, a stream, a tenant's folder or a segment, any\n"
		"number of them.\n"
		"\n"
		"Exit status: 0 done, 1 nothing matched (with -e), 2 usage or query, 3 damaged\n"
		"data met (what was intact was printed), 4 system error.\n"
		"\n"
		"Examples:\n"
		"  evcat store/task_events | jq .error_message\n"
		"  evcat -c timestamp,status --since 24h -o table store/task_events\n"
		"  evcat -w \"status = 'FAILED' AND retry_count > 2\" store/task_events\n"
		"  evcat store/task_events/*/2024-01-*.evs\n",
};

static void on_damage(void *arg, const struct evs_damage *d)
{
	(void)arg;
	damage_status = cli_worst(damage_status, cli_damage(d));
}

/* A mistake in -w is shown where it stands. */
static int fail(const struct evs_diag *d)
{
	const struct cli_source source = { .name = "-w" };

	return opts.where ? cli_fail_source(d, &source, opts.where, strlen(opts.where))
			  : cli_fail(d, NULL);
}

/* Print what there is now, at most `limit` rows in all. EVS_S_STOP when stdout failed. */
static int print_rows(struct evs_scan *scan, struct evs_printer *printer, uint64_t *printed,
		      struct evs_diag *diag)
{
	struct evs_scan_progress p;
	struct evs_batch *batch;
	int rc = 0;

	while ((!limit || *printed < limit) && (rc = evs_scan_next(scan, &batch, diag)) > 0) {
		uint64_t rows = evs_batch_rows(batch);

		if (limit && rows > limit - *printed)
			rows = limit - *printed;
		rc = evs_print_batch(printer, batch, rows, diag);
		if (rc < 0)
			return rc;
		*printed += rows;
		evs_scan_progress(scan, &p);
		cli_meter(p.rows, p.bytes, p.bytes_total);
	}
	return rc;
}

static int print_all(struct evs_scan *scan, struct evs_printer *printer, uint64_t *printed,
		     struct evs_diag *diag)
{
	int rc = print_rows(scan, printer, printed, diag);

	while (rc >= 0 && follow && (!limit || *printed < limit)) {
		rc = evs_print_flush(printer, diag);
		if (rc < 0 || !cli_pause(FOLLOW_MS))
			break;
		rc = evs_scan_refresh(scan, diag);
		if (rc >= 0)
			rc = print_rows(scan, printer, printed, diag);
	}
	return rc < 0 ? rc : evs_print_end(printer, diag);
}

/* What to scan for, of the options. */
static void set_opts(void)
{
	opts.threads = (unsigned)threads;
	opts.columns = columns.items;
	opts.ncolumns = columns.n;
	opts.tenants = tenants.items;
	opts.ntenants = tenants.n;
	opts.keys = keys.items;
	opts.nkeys = keys.n;
	opts.latest = latest.items;
	opts.nlatest = latest.n;
	opts.sort = sort.items;
	opts.nsort = sort.n;
	opts.limit = limit;
	opts.has_since = since.given;
	opts.since = since.ns;
	opts.has_until = until.given;
	opts.until = until.ns;
	opts.now = cli_pinned_now();
	opts.follow = follow;
	opts.on_damage = on_damage;
}

int main(int argc, char *argv[])
{
	int first = cli_start(argc, argv, &tool), rc, status;
	struct evs_printer *printer = NULL;
	struct evs_scan_progress progress;
	struct evs_scan_explain explained;
	struct evs_scan *scan = NULL;
	struct evs_diag diag = { 0 };
	uint64_t printed = 0;

	if (first == argc)
		return cli_bad_usage("which path?");
	if (follow && (sort.n || latest.n))
		return cli_bad_usage("-f never ends, so it cannot be sorted: leave out %s",
				     sort.n ? "--sort" : "--latest");
	if (threads > 2)
		return cli_bad_usage("--threads is 1 or 2");
	set_opts();
	print_opts.output = (enum evs_output)output;
	print_opts.color = cli_color();
	print_opts.width = cli_width();

	cli_meter_start(true);
	rc = evs_scan_open(&scan, (const char *const *)(argv + first), (size_t)(argc - first),
			   &opts, &diag);
	if (rc >= 0)
		rc = evs_print_open(&printer, &print_opts, cli_write, NULL, &diag);
	if (rc >= 0)
		rc = print_all(scan, printer, &printed, &diag);
	/* A stop comes from cli_write(), and cli_finish() tells it. */
	status = rc < 0 && rc != EVS_S_STOP ? fail(&diag) : CLI_OK;
	if (scan) {
		evs_scan_progress(scan, &progress);
		if (progress.damaged)
			damage_status = CLI_DAMAGE;
		evs_scan_explained(scan, &explained);
		if (explain)
			cli_explain(&explained);
	}
	if (want_some && !printed)
		status = cli_worst(status, CLI_NO);
	evs_print_close(printer);
	evs_scan_close(scan);
	return cli_finish(cli_worst(status, damage_status));
}
