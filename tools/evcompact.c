/*
 * evcompact: the commits of a segment become one sorted run. Looks at all segments under the paths
 * and works on those that gain from it, one after the other.
 */
#include "evseg.h"
#include "tools/cli.h"

#include <time.h>

static struct evs_compact_opts opts;
static int status = CLI_OK;

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "all", .kind = CLI_FLAG, .flag = &opts.all,
	  .help = "all segments, not only those that gain from it" },
	{ .name = "level", .arg = "N", .kind = CLI_LEVEL, .level = &opts.zstd_level,
	  .help = "zstd level, 1 to 19 (12); a segment that was compacted at\n"
		  "a lower one gains" },
	{ .name = "max-duration", .arg = "T", .kind = CLI_DURATION, .ms = &opts.max_ms,
	  .help = "begin with no other segment after T (10m, 2h)" },
	{ .letter = 'n', .name = "dry-run", .kind = CLI_FLAG, .flag = &opts.dry_run,
	  .help = "print which segments gain, and why, and change nothing" },
	{ .name = NULL },
};
/* clang-format on */

static const struct cli_tool tool = {
	.name = "evcompact",
	.synopsis = "[OPTION]... PATH...",
	.about = "Merge the commits of segments into one sorted run each, and compress it well.",
	.options = options,
	.tail = "PATH is a store, a stream, a tenant's folder or a segment, any number of them.\n"
		"Rows can be read and appended meanwhile. A segment in use or damaged is named and\n"
		"left as it is.\n"
		"\n"
		"Exit status: 0 done, 2 usage or schema, 3 damaged data met, 4 system error or a\n"
		"segment in use.\n"
		"\n"
		"Examples:\n"
		"  evcompact store\n"
		"  evcompact --dry-run store/task_events | jq -r .segment\n"
		"  evcompact --all --level 19 store/task_events/*/2024-*.evs\n",
};

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void on_fail(void *arg, const char *path, const struct evs_diag *d)
{
	(void)arg;
	status = cli_worst(status, cli_fail(d, path));
}

static void on_note(void *arg, const char *text)
{
	(void)arg;
	cli_note("%s", text);
}

static void on_progress(void *arg, const struct evs_compact_stats *s)
{
	(void)arg;
	cli_meter(s->rows_read, s->bytes_done, s->bytes_total);
}

static bool stop(void *arg)
{
	(void)arg;
	return cli_stopped();
}

/* --dry-run: a line for each segment that gains. */
static void on_segment(void *arg, const struct evs_compacted *c)
{
	(void)arg;
	if (!opts.dry_run)
		return;
	fputs("{\"segment\":", stdout);
	cli_put_json(stdout, c->path);
	fputs(",\"why\":", stdout);
	cli_put_json(stdout, evs_compact_reason(c->why));
	printf(",\"commits\":%llu,\"rows\":%llu,\"bytes\":%llu}\n", (unsigned long long)c->commits,
	       (unsigned long long)c->rows, (unsigned long long)c->bytes);
}

static void put_account(const struct evs_compact_stats *s, double took)
{
	char n[4][32], size[2][32];
	double rate = took > 0 ? (double)s->bytes / 1e6 / took : 0;

	if (opts.dry_run)
		cli_note("%s of %s segments would be compacted: %s rows, %s",
			 cli_count_text(s->compacted, n[0]), cli_count_text(s->segments, n[1]),
			 cli_count_text(s->rows, n[2]), evs_bytes_text(s->bytes, size[0]));
	else
		cli_note("%s of %s segments compacted: %s rows%s%s, %s -> %s, %.1f MB/s",
			 cli_count_text(s->compacted, n[0]), cli_count_text(s->segments, n[1]),
			 cli_count_text(s->rows, n[2]), s->rows == s->new_rows ? "" : " -> ",
			 s->rows == s->new_rows ? "" : cli_count_text(s->new_rows, n[3]),
			 evs_bytes_text(s->bytes, size[0]), evs_bytes_text(s->new_bytes, size[1]),
			 rate);
}

int main(int argc, char *argv[])
{
	int first = cli_start(argc, argv, &tool), rc;
	struct evs_compact_stats stats;
	struct evs_diag diag = { 0 };
	double began = seconds();

	if (first == argc)
		return cli_bad_usage("which path?");
	opts.now = cli_pinned_now();
	opts.on_segment = on_segment;
	opts.on_note = on_note;
	opts.on_fail = on_fail;
	opts.on_progress = on_progress;
	opts.stop = stop;

	cli_catch_signals();
	cli_meter_start(opts.dry_run);
	rc = evs_compact((const char *const *)(argv + first), (size_t)(argc - first), &opts, &stats,
			 &diag);
	if (rc == EVS_S_STOP)
		cli_note("stopped; the segment at hand stays as it was");
	else if (rc < 0 && diag.err)
		status = cli_worst(status, cli_fail(&diag, NULL));
	if (stats.segments)
		put_account(&stats, seconds() - began);
	return cli_finish(status);
}
