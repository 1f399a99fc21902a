/*
 * What a scan read and what it passed over, for --explain.
 */
#include "tools/cli.h"

#include <stdio.h>
#include <string.h>

/* "12 outside of the time", with a comma in front when it is not the first. */
static void put_why(char *line, size_t cap, uint64_t n, const char *why)
{
	size_t used = strlen(line);
	char count[32];

	if (n)
		(void)snprintf(line + used, cap - used, "%s %s %s", used ? "," : "",
			       cli_count_text(n, count), why);
}

static void put_line(const char *what, uint64_t read, const char *unit, const char *passed)
{
	char count[32];

	cli_error("explain: %-9s %12s %s%s%s", what, cli_count_text(read, count), unit,
		  passed[0] ? "; passed over:" : "", passed);
}

void cli_explain(const struct evs_scan_explain *e)
{
	char passed[256] = "", bytes[32], all[32];

	put_why(passed, sizeof(passed), e->segments_time, "outside of the time");
	put_why(passed, sizeof(passed), e->segments_tenant, "of other tenants");
	put_why(passed, sizeof(passed), e->segments_where, "by the condition");
	put_line("segments", e->segments_read, "read", passed);
	passed[0] = '\0';
	put_why(passed, sizeof(passed), e->groups_time, "outside of the time");
	put_why(passed, sizeof(passed), e->groups_zones, "by their zones");
	put_why(passed, sizeof(passed), e->groups_filters, "by their filters");
	put_line("groups", e->groups_read, "read", passed);
	passed[0] = '\0';
	put_why(passed, sizeof(passed), e->rows_time, "outside of the time");
	put_why(passed, sizeof(passed), e->rows_zones, "by their zones");
	put_why(passed, sizeof(passed), e->rows_filters, "by their filters");
	put_line("rows", e->rows_read, "read", passed);
	put_line("matched", e->rows_kept, e->rows_kept == 1 ? "row" : "rows", "");
	if (e->rollups_read)
		cli_error("explain: %-9s %12s read, which stand for %s rows", "rollups",
			  cli_count_text(e->rollups_read, bytes),
			  cli_count_text(e->rows_rollup, all));
	if (e->filters_read)
		put_line("filters", e->filters_read, "read", "");
	passed[0] = '\0';
	put_why(passed, sizeof(passed), e->blocks - e->blocks_read, "not needed");
	put_line("blocks", e->blocks_read, "read", passed);
	cli_error("explain: %-9s %12s in blocks, of %s in segments", "bytes",
		  evs_bytes_text(e->block_bytes_read, bytes), evs_bytes_text(e->bytes, all));
}

int cli_damage(const struct evs_damage *d)
{
	unsigned long long off = (unsigned long long)d->off;
	char rows[32];

	if (d->torn) { /* whether it counts as damage is for evs_scan_progress() to say */
		cli_error("%s: %s (offset %llu)", d->path, d->what, off);
		return CLI_OK;
	}
	if (d->rows_known)
		cli_error("%s: %s (offset %llu): %s %s lost", d->path, d->what, off,
			  cli_count_text(d->rows, rows), d->rows == 1 ? "row" : "rows");
	else
		cli_error("%s: %s (offset %llu): rows lost, how many is not known", d->path,
			  d->what, off);
	return CLI_DAMAGE;
}
