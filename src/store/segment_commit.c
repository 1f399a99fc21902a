/*
 * The two ends of a segment's history: its newest commit, and its first one.
 */
#include "src/diag.h"
#include "src/store/segment_read.h"

int evs_segment_newest(struct evs_segment *s, struct evs_commit *out, struct evs_buf *payload,
		       struct evs_diag *diag)
{
	const struct evs_tail *t = &s->tail;

	*out = (struct evs_commit){ 0 };
	if (!t->have_commit)
		return evs_fail_off(diag, EVS_E_FORMAT, s->path, t->end,
				    "there is no commit in the segment");
	return evs_file_commit(&s->file, t->trailer.commit_off, t->end, out, payload, diag);
}

/* Down the tree, always by the oldest reference, to the offset of the oldest commit. */
static int oldest_indexed(struct evs_segment *s, uint64_t index_off, uint64_t *off,
			  struct evs_diag *diag)
{
	uint32_t level = UINT32_MAX;

	while (level > 0) {
		struct evs_index x = { 0 };
		struct evs_buf payload = { 0 };
		int rc = evs_file_index(&s->file, index_off, s->tail.end, &x, &payload, diag);
		uint32_t i = 0;

		while (rc == 0 && level != UINT32_MAX && i < x.nrefs &&
		       x.refs[i].level != level - 1)
			i++;
		if (rc == 0 && i == x.nrefs)
			rc = evs_fail_off(diag, EVS_E_FORMAT, s->path, index_off,
					  "8.3-1 INDEX is not what its reference says");
		if (rc == 0) {
			level = x.refs[i].level;
			*off = index_off = x.refs[i].off;
		}
		evs_index_release(&x);
		evs_buf_release(&payload);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int evs_segment_first(struct evs_segment *s, struct evs_commit *out, struct evs_buf *payload,
		      uint64_t *end, struct evs_diag *diag)
{
	struct evs_frame fr;
	int rc = evs_segment_newest(s, out, payload, diag);
	uint32_t back = out->since_index;
	uint64_t off = s->tail.trailer.commit_off, index_off = out->index_off;

	while (rc == 0 && out->seq != 1) {
		uint64_t limit = off;

		/* The commits since the INDEX lead to each other, the others hang in the tree. */
		if (--back > 0 || !index_off)
			off = out->prev_off;
		else
			rc = oldest_indexed(s, index_off, &off, diag);
		evs_commit_release(out);
		if (rc == 0)
			rc = evs_file_commit(&s->file, off, limit, out, payload, diag);
		if (rc == 0 && !back && index_off && out->seq != 1)
			rc = evs_fail_off(diag, EVS_E_FORMAT, s->path, off,
					  "8.3-1 the tree does not lead to the first commit");
	}
	if (rc == 0)
		rc = evs_file_frame(&s->file, off, s->tail.end, &fr, diag);
	if (rc == 0)
		*end = off + evs_frame_span(fr.payload_len);
	return rc;
}

int evs_segment_written_behind(struct evs_segment *s, uint64_t end, int64_t *written,
			       struct evs_diag *diag)
{
	struct evs_commit c = { 0 };
	struct evs_buf payload = { 0 };
	struct evs_frame fr = { 0 };
	int rc;

	while ((rc = evs_file_frame(&s->file, end, s->tail.end, &fr, diag)) == 0 &&
	       fr.type != EVS_FRAME_COMMIT)
		end += evs_frame_span(fr.payload_len);
	if (rc == 0)
		rc = evs_file_commit(&s->file, end, s->tail.end, &c, &payload, diag);
	*written = c.written;
	evs_commit_release(&c);
	evs_buf_release(&payload);
	return rc;
}

int evs_segment_origin(struct evs_segment *s, struct evs_origin *out, struct evs_diag *diag)
{
	struct evs_commit first = { 0 };
	struct evs_buf payload = { 0 };
	int rc;

	*out = (struct evs_origin){ 0 };
	rc = evs_segment_first(s, &first, &payload, &out->end, diag);
	out->known = rc == 0;
	out->rows = first.rows_total;
	out->before = first.folded.commits ? first.folded.commits - 1 : 0;
	memcpy(out->id, s->head.segment_id, sizeof(out->id));
	memcpy(out->lineage, first.folded.commits ? first.folded.lineage : s->head.segment_id,
	       sizeof(out->lineage));
	evs_commit_release(&first);
	evs_buf_release(&payload);
	return rc;
}
