/*
 * evexpire: drops partitions that are past their time.
 */
#include "evseg.h"
#include "tools/cli.h"

#include <unistd.h>

static struct evs_expire_opts opts;
static struct cli_list tenants;
static const char *keep;
static bool show, yes;
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
	{ .name = "all", .kind = CLI_FLAG, .flag = &opts.all,
	  .help = "all that --tenant has, whatever its time; asks first" },
	{ .name = "yes", .kind = CLI_FLAG, .flag = &yes, .help = "--all: do not ask" },
	{ .name = "archive-to", .arg = "DIR", .kind = CLI_TEXT, .text = &opts.archive,
	  .help = "copy what goes into the store DIR, and verify the copy, first" },
	{ .name = "keep", .arg = "AGE", .kind = CLI_TEXT, .text = &keep,
	  .help = "from now on keep rows of --tenant for AGE: 90d, 12mo, forever,\n"
		  "or default: as the schema says" },
	{ .name = "show", .kind = CLI_FLAG, .flag = &show,
	  .help = "print how long things are kept" },
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
		    "evexpire --drop SEGMENT...\n"
		    "evexpire --tenant T --all PATH...\n"
		    "evexpire --tenant T --keep AGE STREAM...\n"
		    "evexpire --show STREAM...",
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
		"  evexpire --older-than 12mo --archive-to /mnt/old store/workflow_events\n"
		"  evexpire --tenant acme --keep forever store/task_events\n"
		"  evexpire --drop store/task_events/*/2024-01-01.evs\n",
};

static void on_problem(void *arg, const struct evs_diag *d)
{
	(void)arg;
	problem_status = cli_worst(problem_status, cli_fail(d, NULL));
}

static void tell_sum(const struct evs_expire_stats *s)
{
	char rows[32], bytes[32];

	if (s->unruled && s->unruled == s->streams)
		cli_note("no TTL in the schema, so nothing goes: give one, or --older-than");
	cli_note("%llu partition%s %s, %s row%s, %s%s", (unsigned long long)s->partitions,
		 s->partitions == 1 ? "" : "s", opts.dry_run ? "would go" : "dropped",
		 cli_count_text(s->rows, rows), s->rows == 1 ? "" : "s",
		 evs_bytes_text(s->bytes, bytes), s->left ? "; some were left, see above" : "");
}

static bool stopped(void *arg)
{
	(void)arg;
	return cli_stopped();
}

static int run(char *const *paths, int n, struct evs_expire_stats *stats)
{
	struct evs_print_opts print = { .output = (enum evs_output)output,
					.color = cli_color(),
					.width = cli_width() };
	struct evs_printer *printer = NULL;
	struct evs_diag diag = { 0 };
	int rc = evs_print_open(&printer, &print, cli_write, NULL, &diag);

	opts.arg = printer;
	if (rc == 0)
		rc = evs_expire((const char *const *)paths, (size_t)n, &opts, stats, &diag);
	if (rc == 0 && opts.dry_run && opts.on_rows && stats->partitions)
		problem_status = cli_worst(problem_status, cli_print_end(printer));
	evs_print_close(printer);
	if (rc < 0 && rc != EVS_S_STOP)
		return cli_worst(problem_status, cli_fail(&diag, NULL));
	return cli_worst(problem_status, rc < 0 ? CLI_SYSTEM : CLI_OK);
}

/* Returns whether the answer is yes. What would go is counted first; that may miss what it cannot
 * read. */
static bool ask(char *const *paths, int n)
{
	char rows[32], bytes[32], answer[8];
	struct evs_expire_stats s = { 0 };

	opts.dry_run = true;
	opts.on_rows = NULL;
	(void)run(paths, n, &s);
	opts.dry_run = false;
	problem_status = CLI_OK;
	fprintf(stderr, "evexpire: drop all of %s: %llu partitions, %s rows, %s? [y/N] ",
		tenants.n == 1 ? "the tenant" : "the tenants", (unsigned long long)s.partitions,
		cli_count_text(s.rows, rows), evs_bytes_text(s.bytes, bytes));
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int expire(char *const *paths, int n)
{
	struct evs_expire_stats stats = { 0 };
	int status;

	opts.tenants = tenants.items;
	opts.ntenants = tenants.n;
	opts.now = cli_pinned_now();
	opts.on_problem = on_problem;
	opts.stop = stopped;
	if (opts.all && !yes && !opts.dry_run && !ask(paths, n)) {
		cli_note("nothing dropped");
		return CLI_NO;
	}
	opts.on_rows = cli_print_rows;
	cli_catch_signals();
	status = run(paths, n, &stats);
	tell_sum(&stats);
	return status;
}

/* ---- how long things are kept ---------------------------------------------------------------- */

static void on_keep(void *arg, const char *tenant, const char *text)
{
	(void)arg;
	fputs("{", stdout);
	if (tenant) {
		fputs("\"tenant\":", stdout);
		cli_put_json(stdout, tenant);
		fputs(",", stdout);
	}
	fputs("\"keep\":", stdout);
	cli_put_json(stdout, text);
	fputs("}\n", stdout);
}

static int keep_or_show(char *const *streams, int n)
{
	int status = CLI_OK;

	for (int i = 0; i < n; i++) {
		struct evs_diag diag = { 0 };
		int rc = 0;

		for (size_t t = 0; keep && rc == 0 && t < tenants.n; t++)
			rc = evs_expire_keep(streams[i], tenants.items[t], keep, &diag);
		if (rc == 0 && show)
			rc = evs_expire_show(streams[i], on_keep, NULL, &diag);
		if (rc < 0)
			status = cli_worst(status, cli_fail(&diag, NULL));
	}
	return status;
}

static const char *mistake(void)
{
	if (opts.drop && (opts.older_than || opts.all))
		return "--drop goes by name, not by time or tenant: leave out the other";
	if (opts.all && opts.older_than)
		return "--all is whatever its time: leave out --older-than";
	if ((opts.all || keep) && !tenants.n)
		return "of which tenant? give --tenant";
	if ((keep || show) && (opts.drop || opts.all || opts.older_than || opts.archive))
		return "--keep and --show drop nothing: leave out what says what goes";
	if (opts.all && !yes && !opts.dry_run && (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)))
		return "--all asks on a terminal, and there is none: give --yes";
	return NULL;
}

int main(int argc, char *argv[])
{
	int first = cli_start(argc, argv, &tool), n = argc - first;

	if (n == 0)
		return cli_bad_usage("which path?");
	if (mistake())
		return cli_bad_usage("%s", mistake());
	return cli_finish(keep || show ? keep_or_show(argv + first, n) : expire(argv + first, n));
}
