/*
 * Reading a rollup of a commit (spec 5.6, 7.10).
 */
#include "format/rule.h"
#include "src/diag.h"
#include "src/store/segment_read.h"

static const struct evs_rollup_ref *find(const struct evs_commit *c,
					 const uint8_t view[EVS_VIEW_ID])
{
	for (uint32_t i = 0; i < c->nrollups; i++)
		if (!memcmp(c->rollups[i].view, view, EVS_VIEW_ID))
			return &c->rollups[i];
	return NULL;
}

/* The columns of a whole GROUP payload in memory. */
static int decode(struct evs_segment *s, const uint8_t *p, uint32_t len, uint32_t groups,
		  struct evs_array *cols, size_t ncols, const char **why)
{
	struct evs_group_raw raw;
	struct evs_group g = { 0 };
	uint32_t summed;
	int rc;

	if (len < sizeof(raw))
		return evs_rule(why, EVS_E_FORMAT, "5.6-1 a rollup that is none");
	memcpy(&raw, p, sizeof(raw));
	summed = (uint32_t)sizeof(raw) +
		 (uint32_t)sizeof(struct evs_block_raw) * evs_get16(raw.blocks);
	if (summed > len)
		return evs_rule(why, EVS_E_FORMAT, "5.6-1 a rollup that is none");
	rc = evs_group_decode(&g, p, summed, len, why);
	if (rc == 0 && (g.rows != groups || g.columns != ncols))
		rc = evs_rule(why, EVS_E_FORMAT, "5.6-1 a rollup of other columns or groups");
	evs_decoder_dictionary(s->dec, NULL); /* 5.5-2 */
	for (uint16_t i = 0; i < ncols && rc == 0; i++) {
		const struct evs_block *b = evs_group_find(&g, i);

		evs_array_reset(&cols[i]);
		rc = evs_group_column(s->dec, &g, b, b ? p + b->at : NULL, i, &cols[i], why);
	}
	evs_group_release(&g);
	return rc;
}

int evs_segment_rollup(struct evs_segment *s, const struct evs_commit *c,
		       const uint8_t view[EVS_VIEW_ID], struct evs_array *cols, size_t ncols,
		       uint32_t *groups, struct evs_diag *diag)
{
	const struct evs_rollup_ref *ref = find(c, view);
	struct evs_ahead a = { .known = true, .append = c->append };
	struct evs_diag d = { 0 };
	const char *why = NULL;
	struct evs_frame fr;
	const uint8_t *p;
	int rc;

	if (!ref)
		return 1;
	rc = evs_file_frame(&s->file, ref->off, s->tail.end, &fr, &d);
	if (rc == 0 && (fr.type != EVS_FRAME_ROLLUP || fr.summed_len != fr.payload_len))
		rc = evs_fail_off(&d, EVS_E_FORMAT, s->path, ref->off, "5.6-1 not a ROLLUP frame");
	if (rc == 0)
		rc = evs_file_check_append(&s->file, ref->off, &fr, &a, &d);
	if (rc == 0)
		rc = evs_file_summed(&s->file, ref->off, &fr, &p, &d);
	if (rc == 0) {
		rc = decode(s, p, fr.summed_len, ref->groups, cols, ncols, &why);
		if (rc < 0)
			rc = evs_fail_off(&d, rc, s->path, ref->off, why);
	}
	if (rc == EVS_E_FORMAT || rc == EVS_E_VERSION)
		evs_segment_tell(s, ref->off, 0, d.what);
	if (rc < 0) {
		evs_fail_copy(diag, &d);
		return rc;
	}
	*groups = ref->groups;
	s->count.rollups_read++;
	s->count.rows_rollup += c->rows;
	return 0;
}
