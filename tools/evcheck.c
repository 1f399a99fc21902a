/*
 * evcheck: is everything sound? One line for each thing that is not, and one that sums up.
 */
#include "evseg.h"
#include "tools/cli.h"

#include <string.h>

enum { TEXT = 1, JSON };

static struct evs_check_opts opts;
static int output = TEXT;

static const struct cli_choice outputs[] = { { "text", TEXT }, { "json", JSON }, { NULL, 0 } };

/* clang-format off */
static const struct cli_option options[] = {
	{ .name = "quick", .kind = CLI_FLAG, .flag = &opts.quick,
	  .help = "frames and what they say of each other, but no rows: a\n"
		  "fraction of the time" },
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
		"  evcheck --quick -o json store/task_events | jq .path\n",
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
	else
		put_text(f);
}

static void on_progress(void *arg, const struct evs_check_counts *n, const char *path)
{
	(void)arg;
	(void)path;
	cli_meter(n->rows, n->bytes, 0);
}

static void sum_up(const struct evs_check_counts *n)
{
	char segments[32], rows[32], bytes[32], bad[32], lost[32], found[32], text[160] = "sound";

	if (n->damage + n->tails + n->errors)
		(void)snprintf(text, sizeof(text),
			       "%s finding%s; %s of the segments are damaged, %s rows lost",
			       cli_count_text(n->damage + n->tails + n->errors, found),
			       n->damage + n->tails + n->errors == 1 ? "" : "s",
			       cli_count_text(n->segments_damaged, bad),
			       cli_count_text(n->rows_lost, lost));
	cli_note("%s segment%s, %s rows, %s: %s", cli_count_text(n->segments, segments),
		 n->segments == 1 ? "" : "s", cli_count_text(n->rows, rows),
		 cli_bytes_text(n->bytes, bytes), text);
}

int main(int argc, char *argv[])
{
	int first = cli_start(argc, argv, &tool), status = CLI_OK;
	struct evs_check_counts counts;
	struct evs_diag diag = { 0 };

	if (first == argc)
		return cli_bad_usage("which path?");
	opts.now = cli_pinned_now();
	opts.on_finding = on_finding;
	opts.on_progress = on_progress;
	cli_meter_start(false);
	if (evs_check((const char *const *)(argv + first), (size_t)(argc - first), &opts, &counts,
		      &diag) < 0)
		status = cli_fail(&diag, NULL);
	cli_meter_wipe();
	if (status == CLI_OK)
		sum_up(&counts);
	if (counts.damage || counts.tails)
		status = cli_worst(status, CLI_NO);
	if (counts.errors)
		status = cli_worst(status, CLI_SYSTEM);
	return cli_finish(status);
}
