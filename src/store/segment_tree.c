/*
 * Going through a segment by its INDEX and COMMIT frames, so that what lies outside a span of time
 * is not read.
 *
 * The newest COMMIT leads through at most EVS_INDEX_EVERY commits back to the newest INDEX, which
 * leads to all others (spec 8). Everything here may be given up for the walk frame by frame: s->pos
 * always says from where, and s->next_row, less what was passed over since, from which row.
 */
#include "src/diag.h"
#include "src/store/segment_read.h"

#include <assert.h>

#define INDEX_LEAST 144u /* bytes of the smallest INDEX frame */
/* Of commits that are passed on the way back and come again on the way forward. */
#define HELD ((size_t)256 << 10)

/* As of one that nothing is in. */
static void start_over(struct evs_tree *t)
{
	evs_buf_reset(&t->held);
	t->depth = t->nrecent = 0;
	t->pushes = t->passed = 0;
	t->in_commit = t->unproved = false;
	t->next_group = 0;
	t->commit_off = 0;
}

void evs_tree_init(struct evs_tree *t)
{
	t->commit = (struct evs_commit){ 0 };
	t->payload = t->held = (struct evs_buf){ 0 };
	start_over(t);
}

void evs_tree_release(struct evs_tree *t)
{
	for (unsigned i = 0; i < t->depth; i++) {
		evs_index_release(&t->node[i].index);
		evs_buf_release(&t->node[i].payload);
	}
	evs_commit_release(&t->commit);
	evs_buf_release(&t->payload);
	start_over(t);
}

/* The INDEX at `off`, of which the references of `level` matter. `from`: the reference that led
 * here, or NULL. */
static int push_index(struct evs_segment *s, uint64_t off, uint32_t level,
		      const struct evs_index_ref *from, struct evs_diag *diag)
{
	struct evs_tree *t = &s->tree;
	struct evs_tree_node *n = &t->node[t->depth];
	const char *why = NULL;
	int rc;

	assert(t->depth <= EVS_INDEX_LEVELS); /* levels fall on the way, and are bounded (8.2-1) */
	/* An INDEX is led to once a level: more is a forged tree that comes back to it again and
	 * again. */
	if (t->pushes++ / EVS_INDEX_LEVELS > s->tail.end / INDEX_LEAST)
		return evs_fail_off(diag, EVS_E_FORMAT, s->path, off,
				    "8.3 the INDEX tree is too wide");
	*n = (struct evs_tree_node){ .level = level };
	t->depth++;
	rc = evs_file_index(&s->file, off, s->tail.end, &n->index, &n->payload, diag);
	if (rc == 0 && from && evs_index_check_ref(&n->index, from, &why) < 0)
		rc = evs_fail_off(diag, EVS_E_FORMAT, s->path, off, why);
	if (rc < 0) {
		evs_index_release(&n->index);
		evs_buf_release(&n->payload);
		t->depth--;
	}
	return rc;
}

static void pop_index(struct evs_tree *t)
{
	struct evs_tree_node *n = &t->node[--t->depth];

	evs_index_release(&n->index);
	evs_buf_release(&n->payload);
}

/* The newest commit, which is kept; of those before it the numbers, and the payload while there is
 * room. */
static int pass_commit(struct evs_segment *s, uint64_t off, uint64_t limit, struct evs_commit *c,
		       struct evs_diag *diag)
{
	struct evs_tree *t = &s->tree;
	struct evs_recent *r = &t->recent[t->nrecent];
	const uint8_t *payload;
	size_t len;
	int rc;

	*r = (struct evs_recent){ .off = off };
	if (!t->nrecent) {
		rc = evs_file_commit(&s->file, off, limit, c, &t->payload, diag);
	} else {
		evs_file_fetch(&s->file, off, limit - off - EVS_TRAILERS_SIZE);
		rc = evs_file_commit_fixed(&s->file, off, limit, c, &payload, &len, diag);
	}
	if (rc == 0 && t->nrecent && t->held.len + len <= HELD) {
		r->at = t->held.len;
		evs_buf_put(&t->held, payload, len);
		r->len = evs_buf_ok(&t->held) ? len : 0;
	}
	r->append = c->append;
	t->nrecent += rc == 0;
	return rc;
}

int evs_tree_start(struct evs_segment *s, struct evs_diag *diag)
{
	struct evs_tree *t = &s->tree;
	uint64_t off = s->tail.trailer.commit_off, limit = s->tail.end;
	uint64_t index_off = 0;
	int rc = 0;

	if (!s->tail.have_commit)
		return 0;
	if (s->tail.commit_bad)
		return EVS_E_FORMAT;
	while (off) {
		struct evs_commit c = { 0 };
		uint64_t at = off;
		bool newest = !t->nrecent;

		if (t->nrecent == sizeof(t->recent) / sizeof(t->recent[0]))
			return evs_fail_off(diag, EVS_E_FORMAT, s->path, off,
					    "8.3 too many commits since an INDEX");
		rc = pass_commit(s, at, limit, &c, diag);
		if (rc < 0) {
			evs_commit_release(&c);
			return rc;
		}
		if (newest)
			index_off = c.index_off;
		limit = c.prev_off + c.prev_len;
		off = c.index_off == index_off && c.prev_off > index_off ? c.prev_off : 0;
		if (newest)
			evs_file_keep(&s->file, at, s->tail.end, &c, &t->payload);
	}
	rc = index_off ? push_index(s, index_off, UINT32_MAX, NULL, diag) : 0;
	/* The INDEX came with the oldest commit behind it. */
	if (rc == 0 && index_off && t->node[0].index.append != t->recent[t->nrecent - 1].append)
		return evs_fail_off(diag, EVS_E_FORMAT, s->path, index_off,
				    "3.1-15 the INDEX is of another append than its COMMIT");
	return rc;
}

/* All that has been passed over stands in front of `pos`. */
static void come_to(struct evs_segment *s, uint64_t pos)
{
	s->pos = pos;
	s->tree.passed = 0;
}

static bool outside(const struct evs_segment *s, int64_t min, int64_t max)
{
	return min != EVS_TIME_NONE &&
	       (max < s->since || (s->until != INT64_MAX && min >= s->until));
}

/* A commit behind the newest INDEX, which may be held. */
static int read_recent(struct evs_segment *s, const struct evs_recent *r, struct evs_diag *diag)
{
	struct evs_tree *t = &s->tree;

	if (!r->len)
		return evs_file_commit(&s->file, r->off, s->tail.end, &t->commit, &t->payload,
				       diag);
	evs_buf_reset(&t->payload);
	evs_buf_put(&t->payload, t->held.p + r->at, r->len);
	if (!evs_buf_ok(&t->payload))
		return evs_fail_nomem(diag);
	return evs_file_decode(&s->file, r->off, r->append, &t->commit, &t->payload, diag);
}

/*
 * A group of the commit at hand is wanted, or something is wrong with it: what was put off is due.
 * Returns 0, where the commit may be over; EVS_E_FORMAT: its hash does not match; or an error of
 * the system.
 */
static int prove(struct evs_segment *s, struct evs_diag *diag)
{
	struct evs_tree *t = &s->tree;
	const char *why = NULL;
	int rc = evs_commit_check_hash(&t->commit, t->payload.p, t->payload.len, &why);

	if (rc < 0)
		return evs_fail_off(diag, rc, s->path, t->commit_off, why);
	t->unproved = false;
	if (!s->tail.unproved || t->commit_off != s->tail.trailer.commit_off)
		return 0;
	rc = evs_segment_settle(s, &t->commit, diag);
	if (rc == 0 && t->commit_off >= s->tail.end) {
		come_to(s, s->tail.end);
		s->next_row = s->tail.trailer.rows_total;
		t->in_commit = false;
	}
	return rc;
}

/* Does the commit at hand continue the one entered before it? Each is sound by itself, as on a
 * walk; but one of a torn append is none. */
static int check_chain(struct evs_segment *s, const struct evs_commit *before,
		       struct evs_diag *diag)
{
	struct evs_tree *t = &s->tree;
	bool adds_up = t->commit.rows_total - t->commit.rows == s->next_row;
	const char *why = NULL;
	int rc = 0;

	if (before->seq && before->seq + 1 == t->commit.seq)
		(void)evs_commit_check_prev(&t->commit, before, &why);
	if (!why && !adds_up)
		why = "7.1-12 the commit does not continue the one before";
	if (why && t->unproved)
		rc = prove(s, diag);
	if (!why || rc < 0 || !t->in_commit)
		return rc;
	evs_segment_tell(s, t->commit_off, 0, why);
	return adds_up ? 0 : evs_fail_off(diag, EVS_E_FORMAT, s->path, t->commit_off, why);
}

/* Led to by a reference, or one behind the newest INDEX. Commits come in the order of the file,
 * each once. */
static int enter_commit(struct evs_segment *s, const struct evs_index_ref *from,
			const struct evs_recent *recent, struct evs_diag *diag)
{
	uint64_t off = from ? from->off : recent->off;
	struct evs_tree *t = &s->tree;
	struct evs_commit before = t->commit; /* numbers only */
	const char *why = NULL;
	int rc;

	t->in_commit = false;
	evs_commit_release(&t->commit);
	if (off < s->pos) /* after an INDEX that speaks of commits of the future, or a group where
			     none can be */
		return evs_fail_off(diag, EVS_E_FORMAT, s->path, off, "8.2-3 commits out of order");
	rc = from ? evs_file_commit(&s->file, off, s->tail.end, &t->commit, &t->payload, diag)
		  : read_recent(s, recent, diag);
	if (rc == 0 && from && evs_commit_check_ref(&t->commit, from, &why) < 0)
		rc = evs_fail_off(diag, EVS_E_FORMAT, s->path, off, why);
	if (rc < 0)
		return rc;
	t->in_commit = true;
	t->unproved = s->file.put_off;
	t->commit_off = off;
	t->next_group = 0;
	rc = check_chain(s, &before, diag);
	t->in_commit = t->in_commit && rc == 0;
	if (t->in_commit && s->done && s->done(s->done_arg, &t->commit)) {
		come_to(s, off);
		s->next_row = t->commit.rows_total;
		t->in_commit = false;
	}
	return rc;
}

/* Next group of the commit at hand that may matter: 1, or 0 when there is none left. */
static int next_in_commit(struct evs_segment *s, struct evs_diag *diag)
{
	struct evs_tree *t = &s->tree;
	struct evs_diag d = { 0 };

	while (t->in_commit && t->next_group < t->commit.ngroups) {
		const struct evs_group_ref *g = &t->commit.groups[t->next_group];
		bool passed = outside(s, g->time_min, g->time_max);
		enum evs_want want = EVS_WANTED;
		uint64_t span;
		int rc;

		if (!passed && s->want)
			want = s->want(s->want_arg, &t->commit, t->next_group);
		if (!passed && want == EVS_WANTED && t->unproved) {
			rc = prove(s, diag);
			if (rc < 0)
				return rc;
			continue; /* filters that were not told of as damaged are asked again */
		}
		t->next_group++;
		come_to(s, g->off + g->len);
		s->next_row += g->rows;
		if (passed) {
			s->count.groups_time++;
			s->count.rows_time += g->rows;
			continue;
		}
		if (want != EVS_WANTED) {
			s->count.groups_unwanted[want]++;
			s->count.rows_unwanted[want] += g->rows;
			continue;
		}
		rc = evs_segment_load_group(s, g->off, g->off + g->len, &span, &d);
		if (rc == 0 &&
		    (s->group.rows != g->rows || s->group.first_row != s->next_row - g->rows ||
		     s->group_append != t->commit.append))
			rc = evs_fail_off(
				&d, EVS_E_FORMAT, s->path, g->off,
				"3.1-15 or 7.2-7: the group is not the one the commit speaks of");
		if (rc == 0)
			return 1;
		if (rc != EVS_E_FORMAT && rc != EVS_E_VERSION) {
			evs_fail_copy(diag, &d);
			return rc;
		}
		evs_segment_tell(s, g->off, g->rows, d.what);
	}
	t->in_commit = false;
	return 0;
}

/* Follow one reference of the INDEX on top of the stack. */
static int follow(struct evs_segment *s, const struct evs_index_ref *r, struct evs_diag *diag)
{
	if (!r->level && r->off < s->pos)
		return evs_fail_off(diag, EVS_E_FORMAT, s->path, r->off,
				    "8.2-3 commits out of order");
	if (outside(s, r->time_min, r->time_max)) {
		/* Level 1 stands for what lies right before its INDEX, higher ones for something
		 * farther back. */
		if (r->level <= 1)
			come_to(s, r->level ? r->off : r->off + r->len);
		else
			s->tree.passed += r->rows;
		s->next_row += r->rows;
		s->count.rows_time += r->rows;
		return 0;
	}
	if (r->level)
		return push_index(s, r->off, r->level - 1, r, diag);
	return enter_commit(s, r, NULL, diag);
}

int evs_tree_next(struct evs_segment *s, struct evs_diag *diag)
{
	struct evs_tree *t = &s->tree;
	int rc;

	for (;;) {
		if (t->in_commit) {
			rc = next_in_commit(s, diag);
			if (rc != 0)
				return rc;
		}
		if (t->depth) {
			struct evs_tree_node *n = &t->node[t->depth - 1];
			const struct evs_index_ref *r;

			if (n->next == n->index.nrefs) {
				pop_index(t);
				continue;
			}
			r = &n->index.refs[n->next++];
			if (n->level != UINT32_MAX && r->level != n->level)
				continue;
			rc = follow(s, r, diag);
		} else if (t->nrecent) {
			rc = enter_commit(s, NULL, &t->recent[--t->nrecent], diag);
		} else {
			return 0;
		}
		if (rc < 0)
			return rc;
	}
}
