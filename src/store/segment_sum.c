/*
 * What a segment says of itself in HEAD, the newest COMMITs and the newest INDEX. No row is read.
 */
#include "src/diag.h"
#include "src/store/segment_read.h"

static void add_times(struct evs_segment_sum *out, int64_t min, int64_t max)
{
	if (min == EVS_TIME_NONE)
		return;
	if (out->oldest == EVS_TIME_NONE || min < out->oldest)
		out->oldest = min;
	if (out->newest == EVS_TIME_NONE || max > out->newest)
		out->newest = max;
}

static void add_commit(struct evs_segment_sum *out, const struct evs_commit *c, uint32_t *run)
{
	add_times(out, c->time_min, c->time_max);
	out->seen_commits++;
	out->seen_rows += c->rows;
	for (uint32_t i = 0; i < c->ngroups; i++) {
		out->seen_raw_bytes += c->groups[i].src_bytes;
		/* Runs are numbered upwards, and commits are read newest first. */
		if (!out->seen_runs || c->groups[i].run < *run) {
			*run = c->groups[i].run;
			out->seen_runs++;
		}
	}
}

/* From the newest COMMIT back to the INDEX; `*index` gets its place. */
static int add_commits(struct evs_segment *s, struct evs_segment_sum *out, uint64_t *index,
		       struct evs_diag *diag)
{
	uint64_t off = s->tail.trailer.commit_off;
	struct evs_commit c = { 0 };
	struct evs_buf payload = { 0 };
	uint32_t left = 1, run = 0;
	bool first = true;
	int rc = 0;

	while (left && rc == 0) {
		rc = evs_file_commit(&s->file, off, s->tail.end, &c, &payload, diag);
		if (rc == 0 && first) {
			out->commits = c.seq;
			out->written = c.written;
			memcpy(out->hash, c.hash, sizeof(out->hash));
			out->has_hash = true;
			left = c.since_index;
			*index = c.index_off;
		}
		first = false;
		if (rc == 0)
			add_commit(out, &c, &run);
		left--;
		off = c.prev_off;
		evs_commit_release(&c);
	}
	evs_buf_release(&payload);
	return rc;
}

int evs_segment_sum(struct evs_segment *s, struct evs_segment_sum *out, struct evs_diag *diag)
{
	struct evs_buf payload = { 0 };
	struct evs_index x = { 0 };
	uint64_t index = 0;
	int rc;

	*out = (struct evs_segment_sum){
		.bytes = s->tail.size,
		.oldest = EVS_TIME_NONE,
		.newest = EVS_TIME_NONE,
	};
	if (!s->tail.have_commit)
		return evs_fail_off(diag, EVS_E_FORMAT, s->path, s->tail.end,
				    "the segment has lost its end and with it every commit");
	out->rows = s->tail.trailer.rows_total;
	rc = add_commits(s, out, &index, diag);
	if (rc == 0 && index) {
		rc = evs_file_index(&s->file, index, s->tail.end, &x, &payload, diag);
		for (uint32_t i = 0; rc == 0 && i < x.nrefs; i++)
			add_times(out, x.refs[i].time_min, x.refs[i].time_max);
	}
	evs_index_release(&x);
	evs_buf_release(&payload);
	return rc;
}
