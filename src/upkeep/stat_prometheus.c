/*
 * Metrics for the textfile collector of Prometheus' node exporter, in the text format 0.0.4: one
 * block of lines a metric, a line for each stream. The file is replaced as a whole.
 */
#include "src/diag.h"
#include "src/json/json.h"
#include "src/upkeep/stat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum unit { COUNT, SECONDS };

struct metric {
	const char *name, *help;
	size_t at; /* in struct evs_stat_sum */
	enum unit unit;
};

#define AT(member) offsetof(struct evs_stat_sum, member)

static const struct metric metrics[] = {
	{ "evseg_rows", "Rows stored.", AT(rows), COUNT },
	{ "evseg_size_bytes", "Bytes of all segments.", AT(bytes), COUNT },
	{ "evseg_raw_size_bytes", "Bytes of the input that the rows came from.", AT(raw_bytes),
	  COUNT },
	{ "evseg_tenants", "Tenants that have rows.", AT(tenants), COUNT },
	{ "evseg_partitions", "Segments.", AT(partitions), COUNT },
	{ "evseg_partitions_past_their_time", "Segments that evexpire would drop.", AT(past),
	  COUNT },
	{ "evseg_partitions_damaged", "Segments with damage that was met.", AT(damaged), COUNT },
	{ "evseg_partitions_to_compact", "Segments that evcompact would work on.", AT(compact),
	  COUNT },
	{ "evseg_largest_partition_bytes", "Bytes of the largest segment.", AT(largest), COUNT },
	{ "evseg_commits", "Commits in all segments.", AT(commits), COUNT },
	{ "evseg_runs", "Sorted runs in all segments.", AT(runs), COUNT },
	{ "evseg_rejects", "Lines in the reject file.", AT(rejects), COUNT },
	{ "evseg_rejects_size_bytes", "Bytes of the reject file.", AT(reject_bytes), COUNT },
	{ "evseg_oldest_event_timestamp_seconds", "Time of the oldest event.", AT(oldest),
	  SECONDS },
	{ "evseg_newest_event_timestamp_seconds", "Time of the newest event.", AT(newest),
	  SECONDS },
	{ "evseg_last_write_timestamp_seconds", "When rows were written last.", AT(written),
	  SECONDS },
};

void evs_stat_metrics_release(struct evs_stat_metrics *m)
{
	evs_strings_free(m->streams, m->n);
	free(m->sums);
	*m = (struct evs_stat_metrics){ 0 };
}

/* A stream that was named twice is one line: the last one. */
int evs_stat_metrics_add(struct evs_stat_metrics *m, const char *stream,
			 const struct evs_stat_sum *s)
{
	for (size_t i = 0; i < m->n; i++)
		if (!strcmp(m->streams[i], stream)) {
			m->sums[i] = *s;
			return 0;
		}
	if (m->n == m->cap) {
		size_t cap = m->cap ? 2 * m->cap : 16;
		void *sums = realloc(m->sums, cap * sizeof(*m->sums));
		void *streams;

		if (!sums)
			return EVS_E_NOMEM;
		m->sums = sums;
		streams = realloc(m->streams, cap * sizeof(*m->streams));
		if (!streams)
			return EVS_E_NOMEM;
		m->streams = streams;
		m->cap = cap;
	}
	m->streams[m->n] = strdup(stream);
	if (!m->streams[m->n])
		return EVS_E_NOMEM;
	m->sums[m->n++] = *s;
	return 0;
}

static void put(struct evs_buf *b, const char *s)
{
	evs_buf_put(b, s, strlen(s));
}

/* Backslash, quote and newline are escaped; all else stands for itself. */
static void put_label(struct evs_buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' || *s == '"')
			evs_buf_put_u8(b, '\\');
		if (*s == '\n')
			put(b, "\\n");
		else
			evs_buf_put_u8(b, (uint8_t)*s);
	}
}

static void put_sample(struct evs_buf *b, const struct metric *m, const char *stream,
		       const struct evs_stat_sum *s)
{
	char text[40];
	uint64_t count;
	int64_t time;

	memcpy(&count, (const char *)s + m->at, sizeof(count));
	memcpy(&time, (const char *)s + m->at, sizeof(time));
	if (m->unit == SECONDS && time == EVS_TIME_NONE)
		return;
	put(b, m->name);
	put(b, "{stream=\"");
	put_label(b, stream);
	put(b, "\"} ");
	if (m->unit == COUNT)
		evs_buf_put(b, text, evs_uint_print(count, text));
	else
		evs_buf_put(b, text, evs_double_print((double)(time / 1000000) / 1000, text));
	put(b, "\n");
}

static void put_head(struct evs_buf *b, const char *name, const char *help)
{
	put(b, "# HELP ");
	put(b, name);
	put(b, " ");
	put(b, help);
	put(b, "\n# TYPE ");
	put(b, name);
	put(b, " gauge\n");
}

int evs_stat_metrics_write(const struct evs_stat_metrics *m, const char *path, int64_t now,
			   struct evs_diag *diag)
{
	struct evs_buf b = { 0 };
	char text[40];
	int rc;

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		put_head(&b, metrics[i].name, metrics[i].help);
		for (size_t k = 0; k < m->n; k++)
			put_sample(&b, &metrics[i], m->streams[k], &m->sums[k]);
	}
	put_head(&b, "evseg_stat_timestamp_seconds", "When these figures were taken.");
	put(&b, "evseg_stat_timestamp_seconds ");
	evs_buf_put(&b, text, evs_double_print((double)(now / 1000000) / 1000, text));
	put(&b, "\n");
	rc = evs_buf_ok(&b) ? evs_io_write_file(path, b.p, b.len, diag) : evs_fail_nomem(diag);
	evs_buf_release(&b);
	return rc;
}
