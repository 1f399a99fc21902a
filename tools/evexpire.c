/*
 * evexpire: drops partitions that are past their time.
 */
#include "evseg.h"
#include "tools/cli.h"

static struct evs_expire_opts opts;
static struct cli_list tenants;
static int output = EVS_TABLE;
static int problem_status = CLI_OK;

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "older-than", .arg = "TIME", .kind = CLI_TEXT, .text = &opts.older_than,
	  .help = "what ended before TIME, rather than by the schema's TTL:\n"
		  "90d, 12mo, 2025-01-01" },
	{ .letter = 'n', .name = "dry-run", .kind = CLI_FLAG, .flag = &opts.dry_run,
	  .help = "only say what would go, with rows and bytes" },
	{ .name = "drop", .kind = CLI_FLAG, .flag = &opts.drop,
	  .help = "the segments that are named, whatever their time" },
	{ .name = "tenant", .arg = "T", .kind = CLI_MANY, .list = &tenants,
	  .help = "only this tenant; may be repeated" },
	{ .name = "no-wait", .kind = CLI_FLAG, .flag = &opts.no_wait,
	  .help = "leave a segment that is being written" },
	{ .letter = 'o', .name = "output", .arg = "FORMAT", .kind = CLI_CHOICE, .level = &output,
	  .choices = cli_outputs, .help = "of --dry-run: table, ndjson, csv or tsv (table)" },
	{ .name = NULL },
};
/* clang-format on */

static const struct cli_tool tool = {
	.name = "evexpire",
	.synopsis = "[OPTION]... PATH...\n"
		    "evexpire --drop SEGMENT...",
	.about =
		"Drop the partitions of a store that are past their time, by the TTL in the schema.\n"
		"What went, when and why is in expired.ndjson beside the schema.",
	.options = options,
	.tail = "PATH is a store, a stream, a tenant's folder or a segment, any number of them.\n"
		"A partition goes when all that it can hold is past its time, never a row too\n"
		"early.\n"
		"\n"
		"Exit status: 0 done, 2 usage or schema, 3 damaged data met, 4 system error; of\n"
		"what could not be dropped each is told, and the rest is done.\n"
		"\n"
		"Examples:\n"
		"  evexpire --dry-run store\n"
		"  evexpire -q store\n"
		"  evexpire --older-than 12mo store/workflow_events\n"
		"  evexpire --drop store/task_events/*/2024-01-01.evs\n",
};

static void on_problem(void *arg, const struct evs_diag *d)
{
	(void)arg;
	problem_status = cli_worst(problem_status, cli_fail(d, NULL));
}

/* Rows go to the printer that `arg` is; a failure of stdout is told by cli_finish(). */
static void on_rows(void *arg, const struct evs_batch *b)
{
	struct evs_printer *printer = arg;

	(void)evs_print_batch(printer, b, UINT64_MAX, NULL);
}

static void tell_sum(const struct evs_expire_stats *s)
{
	char rows[32], bytes[32];

	if (s->unruled && s->unruled == s->streams)
		cli_note("no TTL in the schema, so nothing goes: give one, or --older-than");
	cli_note("%llu partition%s %s, %s row%s, %s%s", (unsigned long long)s->partitions,
		 s->partitions == 1 ? "" : "s", opts.dry_run ? "would go" : "dropped",
		 cli_count_text(s->rows, rows), s->rows == 1 ? "" : "s",
		 cli_bytes_text(s->bytes, bytes), s->left ? "; some were left, see above" : "");
}

static bool stopped(void *arg)
{
	(void)arg;
	return cli_stopped();
}

static int expire(char *const *paths, int n)
{
	struct evs_print_opts print = { .output = (enum evs_output)output,
					.color = cli_color(),
					.width = cli_width() };
	struct evs_printer *printer = NULL;
	struct evs_expire_stats stats = { 0 };
	struct evs_diag diag = { 0 };
	int rc = evs_print_open(&printer, &print, cli_write, NULL, &diag);

	opts.tenants = tenants.items;
	opts.ntenants = tenants.n;
	opts.now = cli_pinned_now();
	opts.on_rows = on_rows;
	opts.on_problem = on_problem;
	opts.stop = stopped;
	opts.arg = printer;
	if (rc == 0)
		rc = evs_expire((const char *const *)paths, (size_t)n, &opts, &stats, &diag);
	if (rc == 0 && opts.dry_run && stats.partitions)
		rc = evs_print_end(printer, &diag);
	evs_print_close(printer);
	if (rc < 0 && rc != EVS_S_STOP)
		return cli_worst(problem_status, cli_fail(&diag, NULL));
	tell_sum(&stats);
	return cli_worst(problem_status, rc < 0 ? CLI_SYSTEM : CLI_OK);
}

int main(int argc, char *argv[])
{
	int first = cli_start(argc, argv, &tool);

	if (first == argc)
		return cli_bad_usage("which path?");
	if (opts.drop && opts.older_than)
		return cli_bad_usage("--drop goes by name, not by time: leave out --older-than");
	cli_catch_signals();
	return cli_finish(expire(argv + first, argc - first));
}
