/*
 * Reading COMMIT payloads (spec 7): every rule that can be told from the commit alone.
 *
 * What is allocated here is bounded by the payload's own length, which was bounded by the frame.
 */
#include "format/commit.h"
#include "format/group.h"
#include "format/rule.h"
#include "format/section.h"
#include "format/zone.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void evs_commit_hash(uint8_t out[EVS_HASH_SIZE], const uint8_t *payload, size_t len)
{
	static const uint8_t zero[EVS_HASH_SIZE];
	const size_t at = offsetof(struct evs_commit_raw, hash);
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, EVS_HASH_SIZE);
	crypto_generichash_update(&st, payload, at);
	crypto_generichash_update(&st, zero, sizeof(zero));
	crypto_generichash_update(&st, payload + at + sizeof(zero), len - at - sizeof(zero));
	crypto_generichash_final(&st, out, EVS_HASH_SIZE);
}

static void load_fixed(struct evs_commit *c, const struct evs_commit_raw *r)
{
	c->seq = evs_get64(r->seq);
	c->written = (int64_t)evs_get64(r->written);
	c->rows = evs_get64(r->rows);
	c->rows_total = evs_get64(r->rows_total);
	c->first_group = evs_get64(r->first_group);
	c->prev_off = evs_get64(r->prev_off);
	c->prev_len = evs_get64(r->prev_len);
	c->index_off = evs_get64(r->index_off);
	c->index_len = evs_get64(r->index_len);
	c->schema_off = evs_get64(r->schema_off);
	c->time_min = (int64_t)evs_get64(r->time_min);
	c->time_max = (int64_t)evs_get64(r->time_max);
	c->since_index = evs_get32(r->since_index);
	memcpy(c->prev_hash, r->prev_hash, sizeof(c->prev_hash));
	memcpy(c->hash, r->hash, sizeof(c->hash));
}

/* Places of other frames: all of them in front of this append's first group. */
static int check_places(const struct evs_commit *c, uint64_t off, const char **why)
{
	if (c->first_group % 8 || c->first_group > off)
		return evs_rule(why, EVS_E_FORMAT, "7.1-4 first_group behind the commit");
	if (c->prev_off ? !evs_place_ok(c->prev_off, c->prev_len, c->first_group)
			: c->prev_len != 0)
		return evs_rule(why, EVS_E_FORMAT, "7.1-5 place of the commit before");
	if (c->index_off ? !evs_place_ok(c->index_off, c->index_len, c->first_group)
			 : c->index_len != 0)
		return evs_rule(why, EVS_E_FORMAT, "7.1-6 place of the INDEX");
	if (c->schema_off % 8 || c->schema_off >= c->first_group)
		return evs_rule(why, EVS_E_FORMAT, "7.1-7 place of the schema");
	return 0;
}

static int check_fixed(const struct evs_commit *c, const struct evs_commit_raw *r, uint64_t off,
		       const char **why)
{
	int rc;

	if (evs_get32(r->flags))
		return evs_rule(why, EVS_E_VERSION, "7.1-2 commit flag of a newer format");
	if (!c->seq || (c->seq == 1) != (c->prev_off == 0))
		return evs_rule(why, EVS_E_FORMAT, "7.1-3 seq does not fit prev_off");
	rc = check_places(c, off, why);
	if (rc < 0)
		return rc;
	if (!c->since_index || c->since_index > c->seq ||
	    (!c->index_off && c->since_index != c->seq))
		return evs_rule(why, EVS_E_FORMAT, "7.1-8 since_index");
	if (!evs_times_ok(c->time_min, c->time_max))
		return evs_rule(why, EVS_E_FORMAT, "7.1-9 time bounds of the commit");
	if (c->rows > c->rows_total || (c->seq == 1 && c->rows != c->rows_total))
		return evs_rule(why, EVS_E_FORMAT, "7.1-10 rows_total");
	if (c->seq == 1 && !sodium_is_zero(c->prev_hash, sizeof(c->prev_hash)))
		return evs_rule(why, EVS_E_FORMAT, "7.1-11 prev_hash of the first commit");
	return 0;
}

static void load_group(struct evs_group_ref *g, const uint8_t *p)
{
	struct evs_group_ref_raw r;

	memcpy(&r, p, sizeof(r));
	g->off = evs_get64(r.off);
	g->len = evs_get64(r.len);
	g->rows = evs_get32(r.rows);
	g->run = evs_get32(r.run);
	g->mem_bytes = evs_get64(r.mem_bytes);
	g->src_bytes = evs_get64(r.src_bytes);
	g->time_min = (int64_t)evs_get64(r.time_min);
	g->time_max = (int64_t)evs_get64(r.time_max);
	memcpy(g->hash, r.hash, sizeof(g->hash));
}

static int decode_groups(struct evs_commit *c, struct evs_cur *s, uint64_t off, const char **why)
{
	size_t n = evs_cur_left(s) / sizeof(struct evs_group_ref_raw);
	uint64_t end = c->first_group;

	if (evs_cur_left(s) % sizeof(struct evs_group_ref_raw) || n < 1 || n > EVS_MAX_GROUPS)
		return evs_rule(why, EVS_E_FORMAT, "7.2-1 number of groups");
	c->groups = calloc(n, sizeof(*c->groups));
	if (!c->groups)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct evs_group_ref *g = &c->groups[i];

		load_group(g, s->p);
		s->p += sizeof(struct evs_group_ref_raw);
		if (!evs_place_ok(g->off, g->len, off) || g->off < end || (!i && g->off != end))
			return evs_rule(why, EVS_E_FORMAT, "7.2-2 place of a group");
		if (g->rows < 1 || g->rows > EVS_MAX_GROUP_ROWS)
			return evs_rule(why, EVS_E_FORMAT, "7.2-3 rows of a group");
		if (!evs_times_ok(g->time_min, g->time_max))
			return evs_rule(why, EVS_E_FORMAT, "7.2-4 time bounds of a group");
		end = g->off + g->len;
	}
	c->ngroups = (uint32_t)n;
	return 0;
}

static int decode_filters(struct evs_commit *c, struct evs_cur *s, uint64_t off, const char **why)
{
	size_t left = evs_cur_left(s), n;
	uint64_t last = 0;

	if (left <= EVS_HASH_SIZE || (left - EVS_HASH_SIZE) % sizeof(struct evs_filter_ref_raw))
		return evs_rule(why, EVS_E_FORMAT, "7.9-1 length of FILTERS");
	n = (left - EVS_HASH_SIZE) / sizeof(struct evs_filter_ref_raw);
	c->filters = calloc(n, sizeof(*c->filters));
	if (!c->filters)
		return EVS_E_NOMEM;
	memcpy(c->filters_hash, s->p, EVS_HASH_SIZE);
	s->p += EVS_HASH_SIZE;
	for (size_t i = 0; i < n; i++) {
		struct evs_filter_ref *f = &c->filters[c->nfilters];
		struct evs_filter_ref_raw r;
		uint64_t key;

		memcpy(&r, s->p, sizeof(r));
		s->p += sizeof(r);
		*f = (struct evs_filter_ref){ evs_get64(r.off), evs_get32(r.group),
					      evs_get16(r.column) };
		key = ((uint64_t)f->group << 16 | f->column) + 1;
		if (f->group >= c->ngroups || f->column >= EVS_MAX_COLUMNS)
			return evs_rule(why, EVS_E_FORMAT, "7.9-2 group or column of a filter");
		if (key <= last)
			return evs_rule(why, EVS_E_FORMAT, "7.9-3 filters out of order");
		if (f->off % 8 || f->off < c->first_group || f->off >= off)
			return evs_rule(why, EVS_E_FORMAT, "7.9-4 place of a filter");
		last = key;
		c->nfilters += evs_get16(r.kind) == EVS_FILTER_SPLIT;
	}
	return 0;
}

static int decode_rollups(struct evs_commit *c, struct evs_cur *s, uint64_t off, const char **why)
{
	size_t left = evs_cur_left(s), n;

	if (!left)
		return 0;
	if (left <= EVS_HASH_SIZE || (left - EVS_HASH_SIZE) % sizeof(struct evs_rollup_ref_raw))
		return evs_rule(why, EVS_E_FORMAT, "7.10-1 length of ROLLUPS");
	n = (left - EVS_HASH_SIZE) / sizeof(struct evs_rollup_ref_raw);
	c->rollups = calloc(n, sizeof(*c->rollups));
	if (!c->rollups)
		return EVS_E_NOMEM;
	memcpy(c->rollups_hash, s->p, EVS_HASH_SIZE);
	s->p += EVS_HASH_SIZE;
	for (size_t i = 0; i < n; i++) {
		struct evs_rollup_ref *f = &c->rollups[i];
		struct evs_rollup_ref_raw r;

		memcpy(&r, s->p, sizeof(r));
		s->p += sizeof(r);
		memcpy(f->view, r.view, sizeof(f->view));
		f->off = evs_get64(r.off);
		f->groups = evs_get32(r.groups);
		if (i && memcmp(f->view, f[-1].view, sizeof(f->view)) <= 0)
			return evs_rule(why, EVS_E_FORMAT, "7.10-2 rollups out of order");
		if (f->off % 8 || f->off < c->first_group || f->off >= off)
			return evs_rule(why, EVS_E_FORMAT, "7.10-3 place of a rollup");
		if (evs_get32(r.reserved))
			return evs_rule(why, EVS_E_FORMAT, "7.10-4 reserved bytes of a rollup");
		c->nrollups++;
	}
	return 0;
}

static int decode_folded(struct evs_commit *c, const struct evs_cur *s, const char **why)
{
	struct evs_folded *f = &c->folded;
	struct evs_folded_raw r;

	if (evs_cur_left(s) != sizeof(r))
		return evs_rule(why, EVS_E_FORMAT, "7.11-1 length of FOLDED");
	if (c->seq != 1)
		return evs_rule(why, EVS_E_FORMAT, "7.11-2 FOLDED in a later commit");
	memcpy(&r, s->p, sizeof(r));
	memcpy(f->lineage, r.lineage, sizeof(f->lineage));
	f->commits = evs_get64(r.commits);
	f->rows = evs_get64(r.rows);
	memcpy(f->hash, r.hash, sizeof(f->hash));
	memcpy(f->made_for, r.made_for, sizeof(f->made_for));
	f->level = r.level;
	if (!f->commits)
		return evs_rule(why, EVS_E_FORMAT, "7.11-3 no commit was folded");
	if (!sodium_is_zero(r.reserved, sizeof(r.reserved)))
		return evs_rule(why, EVS_E_FORMAT, "7.11-4 reserved bytes of FOLDED");
	return 0;
}

static int decode_sections(struct evs_commit *c, struct evs_cur cur, uint64_t off, const char **why)
{
	struct evs_sections s = { .c = cur };
	int rc;

	while ((rc = evs_section_next(&s, why)) == 0) {
		if (s.type == EVS_SECTION_GROUPS)
			rc = decode_groups(c, &s.body, off, why);
		else if (s.type == EVS_SECTION_ZONES)
			rc = evs_zones_decode(c, &s.body, why);
		else if (s.type == EVS_SECTION_ROLLUPS)
			rc = decode_rollups(c, &s.body, off, why);
		else if (s.type == EVS_SECTION_FILTERS)
			rc = decode_filters(c, &s.body, off, why);
		else if (s.type == EVS_SECTION_SOURCES)
			rc = evs_sources_decode(&s.body, &c->sources, &c->nsources, why);
		else if (s.type == EVS_SECTION_FOLDED)
			rc = decode_folded(c, &s.body, why);
		if (rc < 0)
			return rc;
	}
	c->no_append = s.no_append;
	return rc < 0 ? rc : 0;
}

static int check_sums(const struct evs_commit *c, uint64_t off, const char **why)
{
	uint64_t rows = 0;

	/* At most 2^16 groups of 2^20 rows: no overflow. */
	for (uint32_t i = 0; i < c->ngroups; i++)
		rows += c->groups[i].rows;
	if (rows != c->rows)
		return evs_rule(why, EVS_E_FORMAT, "7.2-5 rows of the groups do not add up");
	if (!c->ngroups && c->first_group != off)
		return evs_rule(why, EVS_E_FORMAT, "7.2-6 first_group of a commit without groups");
	return 0;
}

int evs_commit_decode_fixed(struct evs_commit *out, const uint8_t *payload, size_t len,
			    uint64_t off, const char **why)
{
	struct evs_commit_raw r;

	*out = (struct evs_commit){ 0 };
	if (len < sizeof(r))
		return evs_rule(why, EVS_E_FORMAT, "7.1-1 COMMIT too short");
	memcpy(&r, payload, sizeof(r));
	load_fixed(out, &r);
	return check_fixed(out, &r, off, why);
}

int evs_commit_check_hash(const struct evs_commit *c, const uint8_t *payload, size_t len,
			  const char **why)
{
	uint8_t hash[EVS_HASH_SIZE];

	evs_commit_hash(hash, payload, len);
	return memcmp(hash, c->hash, sizeof(hash))
		       ? evs_rule(why, EVS_E_FORMAT, "7.4-1 hash of the commit")
		       : 0;
}

static int decode_rest(struct evs_commit *out, const uint8_t *payload, size_t len, uint64_t off,
		       const char **why)
{
	struct evs_cur rest = { payload + sizeof(struct evs_commit_raw), payload + len };
	int rc = decode_sections(out, rest, off, why);

	return rc < 0 ? rc : check_sums(out, off, why);
}

int evs_commit_decode_unhashed(struct evs_commit *out, const uint8_t *payload, size_t len,
			       uint64_t off, const char **why)
{
	int rc = evs_commit_decode_fixed(out, payload, len, off, why);

	return rc < 0 ? rc : decode_rest(out, payload, len, off, why);
}

int evs_commit_decode(struct evs_commit *out, const uint8_t *payload, size_t len, uint64_t off,
		      const char **why)
{
	int rc = evs_commit_decode_fixed(out, payload, len, off, why);

	if (rc == 0)
		rc = evs_commit_check_hash(out, payload, len, why);
	return rc < 0 ? rc : decode_rest(out, payload, len, off, why);
}

void evs_commit_release(struct evs_commit *c)
{
	if (!c)
		return;
	free(c->groups);
	free(c->zones);
	free(c->filters);
	free(c->rollups);
	free(c->sources);
	*c = (struct evs_commit){ 0 };
}
