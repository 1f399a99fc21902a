/*
 * INDEX frames (spec 8): write, read, and fold the commits so far into the next one.
 */
#include "format/rule.h"
#include "format/section.h"

#include <stdlib.h>
#include <string.h>

static void put_ref(const struct evs_index_ref *f, struct evs_buf *out)
{
	struct evs_index_ref_raw r;

	evs_put64(r.off, f->off);
	evs_put64(r.len, f->len);
	evs_put64(r.rows, f->rows);
	evs_put64(r.time_min, (uint64_t)f->time_min);
	evs_put64(r.time_max, (uint64_t)f->time_max);
	evs_put32(r.level, f->level);
	evs_put32(r.commits, f->commits);
	evs_buf_put(out, &r, sizeof(r));
}

int evs_index_write(const struct evs_index *x, uint64_t salt, uint64_t off, struct evs_buf *out)
{
	size_t base = out->len, len;
	struct evs_index_raw r = { 0 };
	uint8_t *head;
	int rc;

	if (x->nrefs > EVS_MAX_INDEX_REFS)
		return EVS_E_LIMIT;
	evs_put64(r.seq, x->seq);
	evs_put64(r.rows_total, x->rows_total);
	evs_put64(r.prev_off, x->prev_off);
	evs_put64(r.prev_len, x->prev_len);
	evs_put64(r.last_commit_off, x->last_commit_off);
	evs_put64(r.last_commit_len, x->last_commit_len);
	evs_put32(r.nrefs, x->nrefs);

	evs_buf_put_zero(out, EVS_FRAME_HEAD_SIZE);
	evs_buf_put(out, &r, sizeof(r));
	for (uint32_t i = 0; i < x->nrefs; i++)
		put_ref(&x->refs[i], out);
	rc = evs_sources_encode(x->sources, x->nsources, out);
	if (rc == 0 && !evs_buf_ok(out))
		rc = EVS_E_NOMEM;
	if (rc < 0) {
		out->len = base;
		return rc;
	}
	len = out->len - base - EVS_FRAME_HEAD_SIZE;
	/* Fixed part, references and sections are multiples of 8: no padding is needed. */
	head = out->p + base;
	evs_frame_seal(head, EVS_FRAME_INDEX, 0, len, head + EVS_FRAME_HEAD_SIZE, (uint32_t)len,
		       salt, off, x->append);
	return 0;
}

static int check_fixed(const struct evs_index *x, const struct evs_index_raw *r, size_t left,
		       uint64_t off, const char **why)
{
	if (evs_get32(r->flags))
		return evs_rule(why, EVS_E_VERSION, "8.1-2 index flag of a newer format");
	if (x->prev_off ? !evs_place_ok(x->prev_off, x->prev_len, off) : x->prev_len != 0)
		return evs_rule(why, EVS_E_FORMAT, "8.1-3 place of the INDEX before");
	if (!evs_place_ok(x->last_commit_off, x->last_commit_len, off) ||
	    x->last_commit_off < x->prev_off + x->prev_len)
		return evs_rule(why, EVS_E_FORMAT, "8.1-4 place of the last commit");
	if (x->nrefs < 1 || x->nrefs > EVS_MAX_INDEX_REFS ||
	    x->nrefs > left / sizeof(struct evs_index_ref_raw))
		return evs_rule(why, EVS_E_FORMAT, "8.1-5 number of references");
	return 0;
}

/* One reference by itself and beside the one before it (NULL: it is the first). */
static int check_ref(const struct evs_index *x, const struct evs_index_ref *f,
		     const struct evs_index_ref *before, const char **why)
{
	uint64_t prev_end = x->prev_off + x->prev_len;
	uint64_t end = f->level ? prev_end : x->last_commit_off + x->last_commit_len;

	if (f->level >= EVS_INDEX_LEVELS || (before && f->level > before->level))
		return evs_rule(why, EVS_E_FORMAT, "8.2-1 level of a reference");
	if (!evs_place_ok(f->off, f->len, end) || (!f->level && f->off < prev_end))
		return evs_rule(why, EVS_E_FORMAT, "8.2-2 place of a reference");
	if (before && f->level == before->level && f->off < before->off + before->len)
		return evs_rule(why, EVS_E_FORMAT, "8.2-3 references out of order");
	if (f->commits < 1 || (!f->level && f->commits != 1))
		return evs_rule(why, EVS_E_FORMAT, "8.2-4 commits of a reference");
	if (!evs_times_ok(f->time_min, f->time_max))
		return evs_rule(why, EVS_E_FORMAT, "8.2-5 time bounds of a reference");
	return 0;
}

static int decode_refs(struct evs_index *x, struct evs_cur *c, const char **why)
{
	uint64_t rows = 0, commits = 0;
	int rc;

	x->refs = calloc(x->nrefs, sizeof(*x->refs));
	if (!x->refs)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < x->nrefs; i++) {
		struct evs_index_ref *f = &x->refs[i];
		struct evs_index_ref_raw r;

		memcpy(&r, c->p, sizeof(r));
		c->p += sizeof(r);
		f->off = evs_get64(r.off);
		f->len = evs_get64(r.len);
		f->rows = evs_get64(r.rows);
		f->time_min = (int64_t)evs_get64(r.time_min);
		f->time_max = (int64_t)evs_get64(r.time_max);
		f->level = evs_get32(r.level);
		f->commits = evs_get32(r.commits);
		rc = check_ref(x, f, i ? f - 1 : NULL, why);
		if (rc < 0)
			return rc;
		if (f->rows > x->rows_total - rows)
			return evs_rule(why, EVS_E_FORMAT, "8.1-6 references do not add up");
		rows += f->rows;
		commits += f->commits;
	}
	if (rows != x->rows_total || commits != x->seq)
		return evs_rule(why, EVS_E_FORMAT, "8.1-6 references do not add up");
	return 0;
}

int evs_index_decode(struct evs_index *out, const uint8_t *payload, size_t len, uint64_t off,
		     const char **why)
{
	struct evs_sections s = { .c = { payload, payload + len } };
	struct evs_index_raw r;
	int rc;

	*out = (struct evs_index){ 0 };
	if (len < sizeof(r))
		return evs_rule(why, EVS_E_FORMAT, "8.1-1 INDEX too short");
	memcpy(&r, payload, sizeof(r));
	s.c.p += sizeof(r);
	out->seq = evs_get64(r.seq);
	out->rows_total = evs_get64(r.rows_total);
	out->prev_off = evs_get64(r.prev_off);
	out->prev_len = evs_get64(r.prev_len);
	out->last_commit_off = evs_get64(r.last_commit_off);
	out->last_commit_len = evs_get64(r.last_commit_len);
	out->nrefs = evs_get32(r.nrefs);
	rc = check_fixed(out, &r, evs_cur_left(&s.c), off, why);
	if (rc == 0)
		rc = decode_refs(out, &s.c, why);
	while (rc == 0 && (rc = evs_section_next(&s, why)) == 0) {
		if (s.type == EVS_SECTION_SOURCES)
			rc = evs_sources_decode(&s.body, &out->sources, &out->nsources, why);
		else if (s.type < EVS_SECTION_SOURCES)
			rc = evs_rule(why, EVS_E_FORMAT, "8.1-7 section of a COMMIT in an INDEX");
	}
	out->no_append = s.no_append;
	return rc < 0 ? rc : 0;
}

void evs_index_release(struct evs_index *x)
{
	if (!x)
		return;
	free(x->refs);
	free(x->sources);
	*x = (struct evs_index){ 0 };
}

/* Add `f` to the sums of `into`. */
static int merge(struct evs_index_ref *into, const struct evs_index_ref *f)
{
	if (f->commits > UINT32_MAX - into->commits || f->rows > UINT64_MAX - into->rows)
		return EVS_E_LIMIT;
	into->commits += f->commits;
	into->rows += f->rows;
	if (f->time_min == EVS_TIME_NONE)
		return 0;
	if (into->time_min == EVS_TIME_NONE || f->time_min < into->time_min)
		into->time_min = f->time_min;
	if (into->time_max == EVS_TIME_NONE || f->time_max > into->time_max)
		into->time_max = f->time_max;
	return 0;
}

/*
 * Carry level `level` of `prev` over into `out` (spec 8.3): as it is while it has room, else as one
 * reference to `prev` a level higher. Level 0 is always carried over as one.
 */
static int fold_level(struct evs_index *out, const struct evs_index *prev,
		      const struct evs_index_ref *place, uint32_t level)
{
	struct evs_index_ref up = *place;
	uint32_t n = 0, first = 0;

	for (uint32_t i = 0; i < prev->nrefs; i++) {
		if (prev->refs[i].level == level && !n++)
			first = i;
	}
	if (!n)
		return 0;
	if (level && n < EVS_INDEX_EVERY) {
		memcpy(out->refs + out->nrefs, prev->refs + first, n * sizeof(*out->refs));
		out->nrefs += n;
		return 0;
	}
	if (level + 1 >= EVS_INDEX_LEVELS)
		return EVS_E_LIMIT;
	up.level = level + 1;
	for (uint32_t i = first; i < first + n; i++) {
		if (merge(&up, &prev->refs[i]) < 0)
			return EVS_E_LIMIT;
	}
	out->refs[out->nrefs++] = up;
	return 0;
}

int evs_index_fold(struct evs_index *out, const struct evs_index *prev, uint64_t prev_off,
		   uint64_t prev_len, const struct evs_index_ref *commits, uint32_t n)
{
	const struct evs_index_ref place = { .off = prev_off,
					     .len = prev_len,
					     .time_min = EVS_TIME_NONE,
					     .time_max = EVS_TIME_NONE };
	size_t room = (size_t)n + (prev ? prev->nrefs : 0);

	if (!n || room > EVS_MAX_INDEX_REFS)
		return EVS_E_LIMIT;
	out->refs = malloc(room * sizeof(*out->refs));
	if (!out->refs)
		return EVS_E_NOMEM;
	if (prev) {
		out->seq = prev->seq;
		out->rows_total = prev->rows_total;
		out->prev_off = prev_off;
		out->prev_len = prev_len;
		/* Each level gives at least one reference for one of its own: `room` is enough. */
		for (uint32_t level = EVS_INDEX_LEVELS; level-- > 0;) {
			if (fold_level(out, prev, &place, level) < 0)
				return EVS_E_LIMIT;
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		struct evs_index_ref *f = &out->refs[out->nrefs++];

		*f = commits[i];
		f->level = 0;
		f->commits = 1;
		if (f->rows > UINT64_MAX - out->rows_total)
			return EVS_E_LIMIT;
		out->rows_total += f->rows;
	}
	out->seq += n;
	out->last_commit_off = commits[n - 1].off;
	out->last_commit_len = commits[n - 1].len;
	return 0;
}
