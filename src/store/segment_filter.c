/*
 * Asking the filters of a commit (spec 7.8).
 */
#include "format/filter.h"
#include "src/diag.h"
#include "src/store/segment_read.h"

/* The entry for a column of a group; NULL: it has no filter. */
static const struct evs_filter_ref *find(const struct evs_commit *c, uint32_t group,
					 uint16_t column)
{
	uint32_t lo = 0, hi = c->nfilters;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct evs_filter_ref *f = &c->filters[mid];

		if (f->group < group || (f->group == group && f->column < column))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == c->nfilters || c->filters[lo].group != group || c->filters[lo].column != column)
		return NULL;
	return &c->filters[lo];
}

int evs_segment_filter(struct evs_segment *s, const struct evs_commit *c, uint64_t off,
		       const uint8_t **blocks, size_t *len, struct evs_diag *diag)
{
	struct evs_ahead a = { .known = true, .append = c->append };

	return evs_file_filter(&s->file, off, s->tail.end, &a, blocks, len, diag);
}

bool evs_segment_may_hold(struct evs_segment *s, const struct evs_commit *c, uint32_t group,
			  uint16_t column, const struct evs_array *value, uint32_t row)
{
	const struct evs_filter_ref *ref = find(c, group, column);
	struct evs_diag d = { 0 };
	const uint8_t *blocks;
	size_t len;
	int rc;

	if (!ref || !evs_filter_takes(value))
		return true;
	rc = evs_segment_filter(s, c, ref->off, &blocks, &len, &d);
	if (rc < 0) {
		/* Of an append that may be torn nothing is told yet: the group is wanted, so that
		 * will be found out. */
		if (s->tree.unproved)
			return true;
		if ((rc == EVS_E_FORMAT || rc == EVS_E_VERSION) && s->filter_told != ref->off)
			evs_segment_tell(s, ref->off, 0, d.what);
		s->filter_told = ref->off;
		return true;
	}
	if (s->filter_read != ref->off)
		s->count.filters_read++;
	s->filter_read = ref->off;
	return evs_filter_may_hold(blocks, len, evs_filter_hash(value, row));
}
