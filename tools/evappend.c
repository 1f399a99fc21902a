/*
 * evappend: NDJSON in. Reads whatever comes, hands it to the library's appender, tells each durable
 * commit (--ack) and gives account at the end.
 */
#include "evseg.h"
#include "tools/cli.h"

#include <stdlib.h>
#include <string.h>

enum { REJECTS_SHOWN = 5 };

enum { STATS_TEXT = 0, STATS_JSON = 1 };

static struct evs_append_opts opts;
static struct cli_list keys;
static bool acks;
static int stats_format = STATS_TEXT;
static struct cli_input input;
static const char *input_name;
static uint64_t rejects_shown;

static const struct cli_choice stats_formats[] = { { "json", STATS_JSON }, { NULL, 0 } };

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "source", .arg = "ID", .kind = CLI_TEXT, .text = &opts.source,
	  .help = "exactly once: this input is the one called ID, and what the\n"
		  "stream already holds of it is passed over" },
	{ .name = "rejects", .arg = "FILE", .kind = CLI_TEXT, .text = &opts.rejects,
	  .help = "where rejected lines go (STREAM/rejects.ndjson)" },
	{ .name = "strict", .kind = CLI_FLAG, .flag = &opts.strict,
	  .help = "stop at the first bad line, with all before it stored" },
	{ .name = "ack", .kind = CLI_FLAG, .flag = &acks,
	  .help = "a line of JSON on stdout for each durable commit" },
	{ .name = "flush-rows", .arg = "N", .kind = CLI_NUMBER, .number = &opts.flush_rows,
	  .help = "commit at least every N rows" },
	{ .name = "flush-bytes", .arg = "N", .kind = CLI_BYTES, .number = &opts.flush_bytes,
	  .help = "commit at least every N bytes of input" },
	{ .name = "flush-interval", .arg = "T", .kind = CLI_DURATION, .ms = &opts.flush_interval_ms,
	  .help = "commit at least every T, such as 500ms, 1s, 10m\n"
		  "(1s when nothing comes, 10s under load)" },
	{ .name = "no-wait", .kind = CLI_FLAG, .flag = &opts.no_wait,
	  .help = "fail when another writer is at work, rather than wait" },
	{ .name = "level", .arg = "N", .kind = CLI_LEVEL, .level = &opts.zstd_level,
	  .help = "zstd level, 1 to 19 (1)" },
	{ .name = "stats", .arg = "=json", .kind = CLI_CHOICE, .level = &stats_format,
	  .choices = stats_formats, .help = "give the account as one JSON object on stderr" },
	{ .name = "time", .arg = "COL", .kind = CLI_TEXT, .text = &opts.time,
	  .help = "new stream without a schema: the column of the time" },
	{ .name = "tenant", .arg = "COL", .kind = CLI_TEXT, .text = &opts.tenant,
	  .help = "new stream: the column of the tenant" },
	{ .name = "key", .arg = "COLS", .kind = CLI_LIST, .list = &keys,
	  .help = "new stream: the columns to sort by (a,b,c)" },
	{ .name = NULL },
};
/* clang-format on */

static const struct cli_tool tool = {
	.name = "evappend",
	.one_heap = true,
	.synopsis = "[OPTION]... STREAM [FILE]...",
	.about = "Append rows, one JSON object a line, to the folder STREAM. A row is safe once\n"
		 "it is committed; rows that do not fit are set aside with the reason.",
	.options = options,
	.tail = "FILE may be plain, gzip or zstd; without one, or with -, standard input is read.\n"
		"A stream without schema.sql gets one that is inferred from the first rows.\n"
		"\n"
		"Exit status: 0 all stored, 1 rows were rejected, 2 usage or schema, 3 damaged\n"
		"data, 4 system error.\n"
		"\n"
		"Examples:\n"
		"  my-service | evappend store/task_events\n"
		"  evappend --source nightly-7 store/task_events dump.ndjson.zst\n",
};

static void on_ack(void *arg, const struct evs_ack *ack)
{
	(void)arg;
	fputs("{\"segment\":", stdout);
	cli_put_json(stdout, ack->segment);
	printf(",\"seq\":%llu,\"rows\":%llu,\"source_offset\":%llu}\n",
	       (unsigned long long)ack->seq, (unsigned long long)ack->rows,
	       (unsigned long long)ack->source_off);
	cli_flush();
}

static void on_note(void *arg, const char *text)
{
	(void)arg;
	cli_note("%s", text);
}

static void on_reject(void *arg, uint64_t line, uint64_t off, const char *reason)
{
	(void)arg;
	if (opts.strict)
		cli_error("%s:%llu: %s (offset %llu)", input_name, (unsigned long long)line, reason,
			  (unsigned long long)off);
	else if (rejects_shown++ < REJECTS_SHOWN)
		cli_note("%s:%llu: %s (offset %llu)", input_name, (unsigned long long)line, reason,
			 (unsigned long long)off);
	else if (rejects_shown == REJECTS_SHOWN + 1)
		cli_note("more rows are rejected; the reject file has them all");
}

static void ahead(void *arg)
{
	(void)arg;
	cli_input_ahead(&input);
}

/* Waiting for another writer ends with a signal, too. */
static bool stop(void *arg)
{
	(void)arg;
	return cli_stopped();
}

/* Where rejects go. The caller frees it. */
static char *rejects_path(const char *stream)
{
	static const char name[] = "rejects.ndjson";
	size_t len = strlen(stream);
	char *path = malloc(len + sizeof(name) + 1);

	while (len > 1 && stream[len - 1] == '/')
		len--;
	if (!path) {
		cli_error("out of memory");
		exit(CLI_SYSTEM);
	}
	snprintf(path, len + sizeof(name) + 1, "%.*s/%s", (int)len, stream, name);
	return path;
}

/* Rows that were read and are in no account: only a run that failed has them. */
static uint64_t unstored(const struct evs_append_stats *s)
{
	return s->in - s->stored - s->duplicate - s->rejected;
}

static void put_account_json(const struct evs_append_stats *s, const char *rejects)
{
	const struct {
		const char *name;
		uint64_t n;
	} fields[] = {
		{ "in", s->in },
		{ "stored", s->stored },
		{ "duplicate", s->duplicate },
		{ "rejected", s->rejected },
		{ "unstored", unstored(s) },
		{ "bytes_in", s->bytes_in },
		{ "bytes_out", s->bytes_out },
		{ "commits", s->commits },
		{ "segments", s->segments },
		{ "syncs", s->syncs },
		{ "digits_dropped", s->digits_dropped },
		{ "peak_buffered", s->peak_buffered },
	};

	cli_meter_wipe();
	fputc('{', stderr);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		fprintf(stderr, "\"%s\":%llu,", fields[i].name, (unsigned long long)fields[i].n);
	fputs("\"rejects\":", stderr);
	if (s->rejected)
		cli_put_json(stderr, rejects);
	else
		fputs("null", stderr);
	fputs("}\n", stderr);
}

static void put_account(const struct evs_append_stats *s, const char *rejects)
{
	char n[6][32], size[2][32];

	cli_note("%s in = %s stored + %s duplicate + %s rejected%s%s%s; %s %s, %s %s, %s -> %s",
		 cli_count_text(s->in, n[0]), cli_count_text(s->stored, n[1]),
		 cli_count_text(s->duplicate, n[2]), cli_count_text(s->rejected, n[3]),
		 s->rejected ? " (rejects: " : "", s->rejected ? rejects : "",
		 s->rejected ? ")" : "", cli_count_text(s->commits, n[4]),
		 s->commits == 1 ? "commit" : "commits", cli_count_text(s->segments, n[5]),
		 s->segments == 1 ? "segment" : "segments", evs_bytes_text(s->bytes_in, size[0]),
		 evs_bytes_text(s->bytes_out, size[1]));
	if (unstored(s))
		cli_error(
			"%s rows were read but not stored, because the run failed: send them again",
			cli_count_text(unstored(s), n[0]));
	if (s->digits_dropped)
		cli_note("%s time%s more digits than the column holds; the rest was dropped",
			 cli_count_text(s->digits_dropped, n[0]),
			 s->digits_dropped == 1 ? " had" : "s had");
}

static void show_progress(const struct evs_appender *a, const struct cli_input *in, uint64_t before)
{
	struct evs_append_stats s;

	evs_append_stats(a, &s);
	cli_meter(s.in, s.bytes_in, in->size ? before + in->size : 0);
}

/*
 * One input, to its end or to a signal (*stopped). Result of the library; what went wrong with the
 * input itself goes into *status.
 */
static int append_input(struct evs_appender *a, struct cli_input *in, bool *stopped, int *status,
			struct evs_diag *diag)
{
	struct evs_append_stats before;
	int rc = 0, wait_ms = 0;
	const void *data;
	size_t len;

	evs_append_stats(a, &before);
	while (rc >= 0) {
		switch (cli_input_next(in, wait_ms, &data, &len)) {
		case CLI_DATA:
			rc = evs_append_feed(a, data, len, diag);
			show_progress(a, in, before.bytes_in);
			wait_ms = 0;
			break;
		case CLI_IDLE:
			rc = evs_append_idle(a, &wait_ms, diag);
			break;
		case CLI_END:
			return 0;
		case CLI_FAILED:
			*status = cli_worst(*status, in->status);
			*stopped = true;
			return 0;
		case CLI_STOPPED:
			*stopped = true;
			return 0;
		}
	}
	return rc;
}

/* All inputs, then the last commit. Returns the exit status. */
static int append_all(struct evs_appender *a, char *const *files, int n, struct evs_diag *diag)
{
	bool stopped = false;
	int rc = 0, status = CLI_OK;

	for (int i = 0; i < n && rc >= 0 && !stopped; i++) {
		int opened = cli_input_open(&input, files[i]);

		if (opened != CLI_OK) {
			status = cli_worst(status, opened);
			break;
		}
		input_name = input.name;
		if (i > 0)
			rc = evs_append_file(a, input.name, diag);
		if (rc >= 0)
			rc = append_input(a, &input, &stopped, &status, diag);
		cli_input_close(&input);
	}
	/* Of an input that was cut off, a last line without newline is not known to be whole. */
	if (rc >= 0)
		rc = evs_append_flush(a, !stopped, diag);
	if (rc == EVS_S_STOP) /* told by on_reject() */
		status = cli_worst(status, CLI_NO);
	else if (rc < 0)
		status = cli_worst(status, cli_fail(diag, NULL));
	return status;
}

int main(int argc, char *argv[])
{
	static char standard_input[] = "-";
	char *no_files[] = { standard_input }, **files = no_files;
	int nfiles = 1, first = cli_start(argc, argv, &tool), status;
	struct evs_appender *a = NULL;
	struct evs_append_stats stats;
	struct evs_diag diag = { 0 };
	char *own_rejects;

	if (first == argc)
		return cli_bad_usage("which stream?");
	if (first + 1 < argc) {
		files = argv + first + 1;
		nfiles = argc - first - 1;
	}
	own_rejects = rejects_path(argv[first]);
	input_name = strcmp(files[0], "-") ? files[0] : "(stdin)";
	opts.file = input_name;
	opts.keys = keys.items;
	opts.nkeys = keys.n;
	opts.now = cli_pinned_now();
	opts.on_ack = acks ? on_ack : NULL;
	opts.on_note = on_note;
	opts.on_reject = on_reject;
	opts.ahead = ahead;
	opts.stop = stop;

	cli_catch_signals();
	cli_meter_start(acks);
	if (evs_append_open(&a, argv[first], &opts, &diag) < 0) {
		status = cli_fail(&diag, argv[first]);
	} else {
		status = append_all(a, files, nfiles, &diag);
		evs_append_stats(a, &stats);
		if (stats_format == STATS_JSON)
			put_account_json(&stats, opts.rejects ? opts.rejects : own_rejects);
		else
			put_account(&stats, opts.rejects ? opts.rejects : own_rejects);
		if (stats.rejected)
			status = cli_worst(status, CLI_NO);
	}
	evs_append_close(a);
	free(own_rejects);
	return cli_finish(status);
}
