/*
 * Which segments gain from being compacted. See upkeep.h and spec/store.md 5.1.
 */
#include "format/bytes.h"
#include "src/diag.h"
#include "src/upkeep/upkeep.h"

#include <sodium.h>
#include <stdlib.h>

#define SCHEMA_MAX (16u << 20)
#define SHARE	   8u /* compacted again when one part in so many lies behind the sorted rows */
/* Bytes of sorted rows that a commit takes as long to read as, whatever is in it. */
#define COMMIT_COSTS (16u << 10)
#define SMALL	     (64u << 10) /* a single commit of fewer bytes is left alone */
/* Nanoseconds that followers are given to notice a new file (spec/store.md 5.1-7). */
#define YOUNG 10000000000

const char *evs_compact_reason(enum evs_compact_why why)
{
	switch (why) {
	case EVS_COMPACT_NEVER:
		return "never compacted";
	case EVS_COMPACT_BEHIND:
		return "appended to since";
	case EVS_COMPACT_SCHEMA:
		return "schema or views have changed";
	case EVS_COMPACT_LEVEL:
		return "a higher level is asked for";
	case EVS_COMPACT_ALL:
		return "all are asked for";
	default:
		return "nothing to gain";
	}
}

/* ---- what the rows would be made for --------------------------------------------------------- */

static void put_number(struct evs_buf *b, uint64_t v)
{
	evs_buf_put_varint(b, v);
}

/* All of the schema that shows in the bytes of a compacted segment; not comments, checks and TTLs.
 */
static int fingerprint(struct evs_compact_goal *g)
{
	static const char about[] = "evseg compacted for 1";
	const struct evs_table *t = g->table;
	struct evs_buf b = { 0 };
	const uint8_t *view;
	int rc;

	evs_buf_put(&b, about, sizeof(about));
	put_number(&b, t->ncols);
	for (uint16_t c = 0; c < t->ncols; c++) {
		const struct evs_column *col = &t->cols[c];
		size_t n = evs_type_print(&col->type, col->nullable, NULL, 0);

		evs_buf_put(&b, col->name, col->name_len + 1);
		if (evs_buf_reserve(&b, n + 1)) {
			(void)evs_type_print(&col->type, col->nullable, (char *)b.p + b.len, n + 1);
			b.len += n + 1;
		}
	}
	put_number(&b, t->nkey);
	for (uint16_t k = 0; k < t->nkey; k++)
		put_number(&b, t->key[k]);
	put_number(&b, t->engine);
	for (uint16_t i = 0; i < t->nengine_cols; i++)
		put_number(&b, t->engine_cols[i]);
	put_number(&b, t->nindexes);
	for (uint16_t i = 0; i < t->nindexes; i++)
		put_number(&b, (uint64_t)(t->indexes[i].column + 1));
	for (size_t i = 0; (view = evs_rollups_view(g->rollups, i)); i++)
		evs_buf_put(&b, view, EVS_VIEW_ID);
	rc = evs_buf_ok(&b) ? 0 : EVS_E_NOMEM;
	if (rc == 0)
		crypto_generichash(g->made_for, sizeof(g->made_for), b.p, b.len, NULL, 0);
	evs_buf_release(&b);
	return rc;
}

int evs_compact_goal(struct evs_compact_goal *out, const char *stream, struct evs_segment *s,
		     int level, int64_t now, struct evs_diag *diag)
{
	char path[EVS_PATH_MAX], *text = NULL;
	size_t len = 0;
	int rc;

	*out = (struct evs_compact_goal){ .level = level ? level : EVS_COMPACT_LEVEL_DEFAULT,
					  .now = now };
	if (!stream) {
		rc = evs_segment_schema(s, evs_segment_schema_off(s), &text, &len, diag);
	} else {
		rc = evs_path_join(path, stream, "schema.sql", diag);
		if (rc == 0)
			rc = evs_io_read_file(path, SCHEMA_MAX, &text, &len, diag);
	}
	if (rc == 0)
		rc = evs_table_parse(&out->table, text, len, diag);
	if (rc == 0 &&
	    (evs_rollups_new(&out->rollups, out->table, text, len) < 0 || fingerprint(out) < 0))
		rc = evs_fail_nomem(diag);
	free(text);
	return rc;
}

void evs_compact_goal_release(struct evs_compact_goal *g)
{
	evs_rollups_free(g->rollups);
	evs_table_free(g->table);
	*g = (struct evs_compact_goal){ 0 };
}

/* ---- the rule -------------------------------------------------------------------------------- */

/* Too much behind the sorted rows: so a byte is written again at most SHARE times, and for a commit
 * SHARE * COMMIT_COSTS bytes more. */
static bool too_much_behind(const struct evs_compact_state *s)
{
	return s->behind_commits &&
	       (s->behind_bytes + s->behind_commits * COMMIT_COSTS) >= s->bytes / SHARE;
}

/*
 * Is the second commit so new that who follows the segment may not have seen its file yet? The time
 * is that of the question: a run may be long, and what it comes to was perhaps compacted, and
 * appended to, since it began. A clock may have been put back a little.
 */
static bool is_young(int64_t since, int64_t pinned)
{
	int64_t now = pinned ? pinned : evs_io_now();
	uint64_t apart =
		now > since ? (uint64_t)now - (uint64_t)since : (uint64_t)since - (uint64_t)now;

	return apart < YOUNG;
}

static enum evs_compact_why judge(const struct evs_compact_state *s, const struct evs_folded *f,
				  const struct evs_compact_goal *goal)
{
	if (!s->rows || (!s->compacted && s->commits == 1 && s->bytes < SMALL))
		return EVS_COMPACT_NOT;
	if (!s->compacted)
		return EVS_COMPACT_NEVER;
	if (s->behind_commits && is_young(s->behind_since, goal->now))
		return EVS_COMPACT_NOT;
	if (memcmp(f->made_for, goal->made_for, sizeof(f->made_for)) != 0)
		return EVS_COMPACT_SCHEMA;
	if (f->level < goal->level)
		return EVS_COMPACT_LEVEL;
	return too_much_behind(s) ? EVS_COMPACT_BEHIND : EVS_COMPACT_NOT;
}

int evs_compact_gain(struct evs_segment *s, const struct evs_compact_goal *goal,
		     enum evs_compact_why *why, struct evs_compact_state *state,
		     struct evs_diag *diag)
{
	const struct evs_tail *t = evs_segment_tail(s);
	struct evs_commit first = { 0 };
	struct evs_buf payload = { 0 };
	uint64_t end = 0;
	int rc;

	*state = (struct evs_compact_state){ .commits = t->trailer.seq,
					     .rows = t->trailer.rows_total,
					     .bytes = t->end };
	*why = EVS_COMPACT_NOT;
	rc = evs_segment_first(s, &first, &payload, &end, diag);
	if (rc == 0 && first.folded.commits && state->commits > 1)
		rc = evs_segment_written_behind(s, end, &state->behind_since, diag);
	if (rc == 0) {
		state->compacted = first.folded.commits > 0;
		state->behind_commits = state->commits - 1;
		state->behind_bytes = t->end - end;
		*why = judge(state, &first.folded, goal);
	}
	evs_commit_release(&first);
	evs_buf_release(&payload);
	return rc;
}
