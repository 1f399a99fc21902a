/*
 * evcheck: is everything sound? One line for each thing that is not, and one that sums up.
 */
#include "evseg.h"
#include "tools/cli.h"

#include <string.h>

enum { TEXT = 1, JSON };

static struct evs_check_opts opts;
static struct cli_list sequence;
static int output = TEXT;

static const struct cli_choice outputs[] = { { "text", TEXT }, { "json", JSON }, { NULL, 0 } };

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "quick", .kind = CLI_FLAG, .flag = &opts.quick,
	  .help = "frames and what they say of each other, but no rows: a\n"
		  "fraction of the time" },
	{ .name = "max-duration", .arg = "T", .kind = CLI_DURATION, .ms = &opts.max_ms,
	  .help = "stop after T (10m, 2h), and go on there the next time" },
	{ .name = "state", .arg = "FILE", .kind = CLI_TEXT, .text = &opts.state,
	  .help = "with --max-duration: keep in FILE where it stopped\n"
		  "(.evcheck in PATH)" },
	{ .name = "sequence", .arg = "KEY,SEQ", .kind = CLI_LIST, .list = &sequence,
	  .help = "does SEQ count up by one for each KEY, in the order of\n"
		  "time? Gaps, duplicates and what is out of order are told" },
	{ .name = "salvage", .arg = "OUT", .kind = CLI_TEXT, .text = &opts.salvage,
	  .help = "put all rows that can be read into OUT, a new segment, or a\n"
		  "new store when PATH is not one segment" },
	{ .letter = 'o', .name = "output", .arg = "FORMAT", .kind = CLI_CHOICE, .level = &output,
	  .choices = outputs, .help = "text, or json: one object a finding (text)" },
	{ .name = NULL },
};
/* clang-format on */

static const struct cli_tool tool = {
	.name = "evcheck",
	.synopsis = "[OPTION]... PATH...",
	.about = "Verify stores: every checksum, every row, and every rule of the format.",
	.options = options,
	.tail = "PATH is a store, a stream, a tenant's folder or a segment, any number of them.\n"
		"\n"
		"Exit status: 0 all is sound, 1 something is not (each thing in a line), 2 usage,\n"
		"4 system error.\n"
		"\n"
		"Examples:\n"
		"  evcheck store\n"
		"  evcheck --quick -o json store/task_events | jq .path\n"
		"  evcheck --sequence execution_id,sequence store/events\n"
		"  evcheck --salvage mended.evs store/t/_/2024-01-01.evs\n",
};

static const char *kind_name(enum evs_finding_kind kind)
{
	switch (kind) {
	case EVS_FOUND_DAMAGE:
		return "damage";
	case EVS_FOUND_TAIL:
		return "tail";
	case EVS_FOUND_REMARK:
		return "remark";
	case EVS_FOUND_SEQUENCE:
		return "sequence";
	default:
		return "error";
	}
}

static void put_json(const struct evs_finding *f)
{
	printf("{\"kind\":\"%s\",\"path\":", kind_name(f->kind));
	cli_put_json(stdout, f->path);
	if (f->has_off)
		printf(",\"offset\":%llu", (unsigned long long)f->off);
	if (f->rows_known)
		printf(",\"rows\":%llu,\"lost\":%s", (unsigned long long)f->rows,
		       f->lost ? "true" : "false");
	if (*f->rule) {
		printf(",\"rule\":");
		cli_put_json(stdout, f->rule);
	}
	printf(",\"what\":");
	cli_put_json(stdout, f->what);
	printf("}\n");
}

static void put_text(const struct evs_finding *f)
{
	char rows[64] = "", line[4096];
	const char *colon = *f->rule ? ": " : "";

	if (f->rows_known)
		(void)snprintf(rows, sizeof(rows), ", %llu row%s", (unsigned long long)f->rows,
			       f->rows == 1 ? "" : "s");
	if (f->has_off)
		(void)snprintf(line, sizeof(line), "%s: offset %llu%s: %s%s%s", f->path,
			       (unsigned long long)f->off, rows, f->rule, colon, f->what);
	else
		(void)snprintf(line, sizeof(line), "%s: %s%s%s", f->path, f->rule, colon, f->what);
	if (f->kind == EVS_FOUND_REMARK)
		cli_note("%s", line);
	else if (f->kind == EVS_FOUND_ERROR)
		cli_error("%s", line);
	else
		cli_put_line(line);
}

static void on_finding(void *arg, const struct evs_finding *f)
{
	(void)arg;
	cli_meter_wipe();
	if (output == JSON)
		put_json(f);
	if (output == TEXT || f->kind == EVS_FOUND_ERROR)
		put_text(f);
}

static void on_progress(void *arg, const struct evs_check_counts *n, const char *path)
{
	(void)arg;
	(void)path;
	cli_meter(n->rows, n->bytes, 0);
}

/* "; 12 keys, 2 gaps (5 missing), 1 twice, 0 against time" */
static void put_sequence(const struct evs_sequence_counts *n, char *text, size_t room)
{
	char keys[32], gaps[32], missing[32], twice[32], back[32];

	(void)snprintf(text, room, "; %s key%s: %s gap%s (%s missing), %s twice, %s out of order",
		       cli_count_text(n->keys, keys), n->keys == 1 ? "" : "s",
		       cli_count_text(n->gaps, gaps), n->gaps == 1 ? "" : "s",
		       cli_count_text(n->missing, missing), cli_count_text(n->duplicates, twice),
		       cli_count_text(n->disorder, back));
}

static void sum_up(const struct evs_check_counts *n, const struct evs_sequence_counts *q)
{
	char segments[32], rows[32], bytes[32], bad[32], lost[32], found[32], text[160] = "sound";
	char sequences[256] = "";
	uint64_t findings = n->damage + n->tails + n->errors;

	if (findings)
		(void)snprintf(text, sizeof(text),
			       "%s finding%s; %s of the segments are damaged, %s rows lost",
			       cli_count_text(findings, found), findings == 1 ? "" : "s",
			       cli_count_text(n->segments_damaged, bad),
			       cli_count_text(n->rows_lost, lost));
	if (q)
		put_sequence(q, sequences, sizeof(sequences));
	cli_note("%s segment%s, %s rows, %s: %s%s", cli_count_text(n->segments, segments),
		 n->segments == 1 ? "" : "s", cli_count_text(n->rows, rows),
		 evs_bytes_text(n->bytes, bytes), text, sequences);
	if (opts.salvage)
		cli_note("%s rows saved, in %s", cli_count_text(n->rows_saved, rows), opts.salvage);
	if (n->stopped)
		cli_note("the time is over; the next check goes on there");
	if (q && q->late)
		cli_note("keys that begin above 1: %s; what was before may have expired",
			 cli_count_text(q->late, found));
	if (q && q->nulls)
		cli_note("rows without a key or a number: %s", cli_count_text(q->nulls, rows));
}

static int check(const char *const *paths, size_t n)
{
	struct evs_check_counts counts = { 0 };
	struct evs_sequence_counts sequences = { 0 };
	struct evs_diag diag = { 0 };
	int rc = evs_check(paths, n, &opts, &counts, &diag), status = CLI_OK;

	if (rc == 0 && sequence.n && !counts.stopped)
		rc = evs_check_sequence(paths, n, sequence.items[0], sequence.items[1], &opts,
					&sequences, &diag);
	cli_meter_wipe();
	if (rc < 0)
		status = cli_fail(&diag, NULL);
	else
		sum_up(&counts, sequence.n && !counts.stopped ? &sequences : NULL);
	if (counts.damage || counts.tails || sequences.gaps || sequences.duplicates ||
	    sequences.disorder)
		status = cli_worst(status, CLI_NO);
	return counts.errors ? cli_worst(status, CLI_SYSTEM) : status;
}

int main(int argc, char *argv[])
{
	int first = cli_start(argc, argv, &tool);

	if (first == argc)
		return cli_bad_usage("which path?");
	if (sequence.n && sequence.n != 2)
		return cli_bad_usage("--sequence wants two columns, KEY,SEQ");
	if (opts.state && !opts.max_ms)
		return cli_bad_usage("--state is for --max-duration");
	if (opts.salvage && sequence.n)
		return cli_bad_usage("--salvage and --sequence are two things");
	opts.now = cli_pinned_now();
	opts.on_finding = on_finding;
	opts.on_progress = on_progress;
	cli_meter_start(false);
	return cli_finish(check((const char *const *)(argv + first), (size_t)(argc - first)));
}
