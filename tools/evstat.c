/*
 * evstat: what a store holds.
 */
#include "evseg.h"
#include "tools/cli.h"

#include <unistd.h>

static struct evs_stat_opts opts;
static struct cli_list tenants;
static int output = EVS_TABLE, by = EVS_STAT_PARTITION;
static bool want_none;
static int status = CLI_OK;

static const struct cli_choice levels[] = {
	{ "partition", EVS_STAT_PARTITION },
	{ "tenant", EVS_STAT_TENANT },
	{ "stream", EVS_STAT_STREAM },
	{ "store", EVS_STAT_STORE },
	{ NULL, 0 },
};

/* clang-format off */
static const struct cli_option options[] = {
	{ .letter = 'b', .name = "by", .arg = "LEVEL", .kind = CLI_CHOICE, .level = &by,
	  .choices = levels, .help = "a row for each partition, tenant, stream, or store\n(partition)" },
	{ .letter = 'c', .name = "columns", .kind = CLI_FLAG, .flag = &opts.columns,
	  .help = "a row for each column of each stream instead: what it takes,\n"
		  "and how values are encoded in a few groups" },
	{ .name = "tenant", .arg = "T", .kind = CLI_MANY, .list = &tenants,
	  .help = "only this tenant; may be repeated" },
	{ .letter = 'o', .name = "output", .arg = "FORMAT", .kind = CLI_CHOICE, .level = &output,
	  .choices = cli_outputs, .help = "table, ndjson (also: json), csv or tsv (table)" },
	{ .name = "prometheus", .arg = "FILE", .kind = CLI_TEXT, .text = &opts.prometheus,
	  .help = "write metrics of each stream into FILE, for the textfile\n"
		  "collector, and print nothing" },
	{ .letter = 'e', .name = "exit-status", .kind = CLI_FLAG, .flag = &want_none,
	  .help = "exit with 1 when there are warnings" },
	{ .name = NULL },
};
/* clang-format on */

static const struct cli_tool tool = {
	.name = "evstat",
	.synopsis = "[OPTION]... PATH...",
	.about =
		"Say what a store holds: rows, bytes, times, runs, what is past its time. Reads no\n"
		"rows.",
	.options = options,
	.tail = "PATH is a store, a stream, a tenant's folder or a segment, any number of them.\n"
		"What is odd is told on standard error: partitions above 100 GB, weeks missing\n"
		"in a row of weeks, events dated in the future, what is past its time.\n"
		"\n"
		"Exit status: 0 done, 1 there are warnings (with -e), 2 usage or schema, 3\n"
		"damaged data met, 4 system error.\n"
		"\n"
		"Examples:\n"
		"  evstat store\n"
		"  evstat --by stream -o json store | jq .bytes\n"
		"  evstat -q --prometheus /var/lib/node_exporter/evseg.prom store\n",
};

static void on_problem(void *arg, const struct evs_diag *d)
{
	(void)arg;
	status = cli_worst(status, cli_fail(d, NULL));
}

static void on_damage(void *arg, const struct evs_damage *d)
{
	(void)arg;
	status = cli_worst(status, cli_damage(d));
}

static void on_warning(void *arg, const char *text)
{
	(void)arg;
	cli_note("warning: %s", text);
}

static int stat_paths(char *const *paths, int n)
{
	struct evs_print_opts print = { .output = (enum evs_output)output,
					.color = cli_color(),
					.width = cli_width() };
	struct evs_printer *printer = NULL;
	struct evs_stat_result result = { 0 };
	struct evs_diag diag = { 0 };
	int rc = evs_print_open(&printer, &print, cli_write, NULL, &diag);

	opts.by = (enum evs_stat_by)by;
	opts.people = output == EVS_TABLE;
	opts.bars = opts.people && isatty(STDOUT_FILENO);
	opts.tenants = tenants.items;
	opts.ntenants = tenants.n;
	opts.now = cli_pinned_now();
	opts.on_rows = opts.prometheus ? NULL : cli_print_rows;
	opts.on_warning = on_warning;
	opts.on_damage = on_damage;
	opts.on_problem = on_problem;
	opts.arg = printer;
	if (rc == 0)
		rc = evs_stat((const char *const *)paths, (size_t)n, &opts, &result, &diag);
	if (rc == 0 && opts.on_rows)
		status = cli_worst(status, cli_print_end(printer));
	evs_print_close(printer);
	if (rc < 0 && rc != EVS_S_STOP)
		status = cli_worst(status, cli_fail(&diag, NULL));
	return cli_worst(status, want_none && result.warnings ? CLI_NO : CLI_OK);
}

int main(int argc, char *argv[])
{
	int first = cli_start(argc, argv, &tool);

	if (first == argc)
		return cli_bad_usage("which path?");
	return cli_finish(stat_paths(argv + first, argc - first));
}
