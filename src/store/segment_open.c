/*
 * The handle on a segment for reading: open, refresh, columns. See store.h.
 */
#include "src/diag.h"
#include "src/store/segment_read.h"

#include <stdio.h>
#include <stdlib.h>

/* Bytes that one column of a group may take when decoded. */
#define COLUMN_LIMIT ((size_t)256 << 20)

void evs_segment_tell(struct evs_segment *s, uint64_t off, uint64_t rows, const char *what)
{
	struct evs_damage d = {
		.path = s->path, .off = off, .rows = rows, .rows_known = true, .what = what
	};

	if (s->fn)
		s->fn(s->arg, &d);
}

static void tell_head(struct evs_segment *s, const bool bad[2])
{
	for (unsigned i = 0; i < 2; i++)
		if (bad[i])
			evs_segment_tell(
				s, i ? s->tail.start / 2 : 0, 0,
				i ? "4.1-13 the second copy of HEAD is damaged; the first one is used"
				  : "4.1-13 the first copy of HEAD is damaged; the second one is used");
}

/* Damage at the newest commit's trailers and frame is told by the walk; a tail here, unless it is
 * growing. */
static void tell_tail(struct evs_segment *s)
{
	const struct evs_tail *t = &s->tail;
	struct evs_damage d = { .path = s->path,
				.off = t->end,
				.rows = t->rows,
				.rows_known = t->has_rows,
				.torn = !t->has_rows,
				.what = t->what };

	if (!t->what)
		return;
	if (s->fn)
		s->fn(s->arg, &d);
}

/*
 * Find the newest commit of a file that looks as `st` says. What looks like a tail may be an append
 * in progress: then a writer holds the lock, or has just let it go and the file looks different by
 * now.
 */
static int find_tail(struct evs_segment *s, struct evs_io_stat st, bool *growing,
		     struct evs_diag *diag)
{
	uint64_t size = 0, end = 0;
	int rc = 0;

	*growing = false;
	for (unsigned tries = 0; tries < 3; tries++) {
		if (tries) {
			rc = evs_io_fstat(s->fd, s->path, &st, diag);
			if (rc < 0)
				return rc;
			evs_file_forget(&s->file);
		}
		s->file.size = s->tail.size = st.size;
		rc = evs_tail_find(&s->file, &s->tail, diag);
		if (rc < 0 || (!s->tail.what && !s->tail.copy_bad[0] && !s->tail.copy_bad[1]))
			return rc;
		*growing = evs_io_is_locked(s->fd);
		if (*growing || (tries && size == st.size && end == s->tail.end))
			break;
		size = st.size;
		end = s->tail.end;
		s->file.put_off = false; /* all that is wrong with the end is found at once */
	}
	return rc;
}

int evs_segment_settle(struct evs_segment *s, const struct evs_commit *c, struct evs_diag *diag)
{
	struct evs_tail opened = s->tail;
	int rc;

	s->file.put_off = false;
	if (!c)
		evs_file_forget(&s->file);
	rc = c ? evs_tail_prove(&s->file, &s->tail, c, diag)
	       : evs_tail_find(&s->file, &s->tail, diag);
	if (rc == EVS_E_FORMAT) { /* cut since it was opened: the frames that are read will tell */
		s->tail = opened;
		s->tail.unproved = false;
		return 0;
	}
	if (rc == 0 && s->tail.end != opened.end && !evs_io_is_locked(s->fd))
		tell_tail(s);
	return rc;
}

/* Memory of the segment before, where there was one. */
static int take_spare(struct evs_segment *s, struct evs_spare *spare)
{
	int rc = 0;

	s->spare = spare;
	if (spare) {
		s->file.win[0] = spare->win[0];
		s->file.win[1] = spare->win[1];
		s->dec = spare->dec;
		s->tree.held = spare->held;
		spare->held = (struct evs_buf){ 0 };
		spare->win[0] = spare->win[1] = (struct evs_window){ 0 };
		spare->dec = NULL;
	}
	evs_file_forget(&s->file);
	if (s->dec)
		evs_decoder_forget(s->dec);
	else
		rc = evs_decoder_new(&s->dec);
	if (rc == 0)
		evs_decoder_set_limit(s->dec, COLUMN_LIMIT);
	return rc;
}

static void give_spare(struct evs_segment *s)
{
	struct evs_spare *spare = s->spare;

	if (!spare)
		return;
	spare->win[0] = s->file.win[0];
	spare->win[1] = s->file.win[1];
	spare->dec = s->dec;
	spare->held = s->tree.held;
	s->tree.held = (struct evs_buf){ 0 };
	s->file.win[0] = s->file.win[1] = (struct evs_window){ 0 };
	s->dec = NULL;
}

int evs_spare_new(struct evs_spare **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : EVS_E_NOMEM;
}

void evs_spare_free(struct evs_spare *spare)
{
	if (!spare)
		return;
	free(spare->win[0].p);
	free(spare->win[1].p);
	evs_decoder_free(spare->dec);
	evs_buf_release(&spare->held);
	evs_text_memo_release(&spare->memo);
	free(spare);
}

int evs_segment_hold(const struct evs_segment *s)
{
	return evs_io_dup(s->fd);
}

void evs_segment_let_go(int held)
{
	evs_io_close(held);
}

/* `held`: the file, open already, or -1. */
static int open_segment(struct evs_segment **out, struct evs_spare *spare, int held, bool put_off,
			const char *path, evs_damage_fn *fn, void *arg, struct evs_diag *diag)
{
	struct evs_segment *s = malloc(sizeof(*s));
	struct evs_io_stat st;
	bool bad[2] = { false, false }, growing;
	int rc;

	if (!s) {
		evs_io_close(held);
		return evs_fail_nomem(diag);
	}
	memset(s, 0, offsetof(struct evs_segment, schema_why));
	evs_tree_init(&s->tree);
	evs_chain_init(&s->chain);
	s->fd = held;
	s->fn = fn;
	s->arg = arg;
	s->path = strdup(path);
	rc = s->path ? 0 : evs_fail_nomem(diag);
	if (rc == 0 && held < 0)
		rc = evs_io_open_read(&s->fd, path, diag);
	if (rc < 0)
		goto out;
	rc = evs_io_fstat(s->fd, path, &st, diag);
	if (rc < 0)
		goto out;
	if (!st.is_file) {
		rc = evs_fail_off(diag, EVS_E_FORMAT, path, 0, "9-1 not a file, so not a segment");
		goto out;
	}
	s->dev = st.dev;
	s->ino = st.ino;
	evs_file_init(&s->file, s->fd, s->path);
	s->file.size = st.size;
	s->file.put_off = put_off;
	if (take_spare(s, spare) < 0) {
		rc = evs_fail_nomem(diag);
		goto out;
	}
	rc = evs_file_head(&s->file, st.size, &s->head, &s->tail.start, bad,
			   spare ? &spare->memo : NULL, diag);
	if (rc < 0)
		goto out;
	rc = find_tail(s, st, &growing, diag);
	if (rc < 0)
		goto out;
	rc = evs_segment_find_schema(s, diag);
	if (rc < 0)
		goto out;
	tell_head(s, bad);
	if (!growing)
		tell_tail(s);
	evs_segment_rewind(s, EVS_WALK_ALL, INT64_MIN, INT64_MAX);
	*out = s;
	s = NULL;
out:
	evs_segment_close(s);
	return rc;
}

int evs_segment_open(struct evs_segment **out, const char *path, evs_damage_fn *fn, void *arg,
		     struct evs_diag *diag)
{
	return open_segment(out, NULL, -1, false, path, fn, arg, diag);
}

int evs_segment_open_with(struct evs_segment **out, struct evs_spare *spare, bool put_off,
			  const char *path, evs_damage_fn *fn, void *arg, struct evs_diag *diag)
{
	return open_segment(out, spare, -1, put_off, path, fn, arg, diag);
}

int evs_segment_open_held(struct evs_segment **out, struct evs_spare *spare, int held,
			  const char *path, evs_damage_fn *fn, void *arg, struct evs_diag *diag)
{
	return open_segment(out, spare, held, false, path, fn, arg, diag);
}

void evs_segment_close(struct evs_segment *s)
{
	if (!s)
		return;
	evs_segment_dict_release(s);
	give_spare(s);
	evs_tree_release(&s->tree);
	evs_buf_release(&s->tree.held);
	free(s->chain.groups);
	evs_group_release(&s->group);
	evs_decoder_free(s->dec);
	evs_head_release(&s->head);
	evs_file_release(&s->file);
	evs_io_close(s->fd);
	free(s->path);
	free(s);
}

const char *evs_segment_path(const struct evs_segment *s)
{
	return s->path;
}

const struct evs_head *evs_segment_head(const struct evs_segment *s)
{
	return &s->head;
}

const struct evs_tail *evs_segment_tail(const struct evs_segment *s)
{
	return &s->tail;
}

uint64_t evs_segment_schema_off(const struct evs_segment *s)
{
	return s->schema_off;
}

void evs_segment_place(const struct evs_segment *s, struct evs_place *out)
{
	*out = (struct evs_place){ .off = s->pos, .row = s->next_row, .ino = s->ino };
}

int evs_segment_resume(struct evs_segment *s, const struct evs_place *p, struct evs_diag *diag)
{
	if (s->ino != p->ino || s->tail.end < p->off) {
		s->pos = s->tail.end;
		s->next_row = s->tail.trailer.rows_total;
		return evs_fail_off(
			diag, EVS_E_FORMAT, s->path, s->tail.end,
			"the segment was replaced or became shorter while it was being followed");
	}
	evs_segment_rewind(s, EVS_WALK_ALL, INT64_MIN, INT64_MAX);
	s->pos = p->off;
	s->next_row = p->row;
	evs_chain_broken(s); /* what stands before is not known to this handle */
	return 0;
}

/* An INDEX is the first frame of its append: the one at `off`, if it is one, counts from here on.
 */
static int index_passed(struct evs_segment *s, uint64_t off, struct evs_diag *diag)
{
	struct evs_buf payload = { 0 };
	struct evs_index x = { 0 };
	struct evs_diag d = { 0 };
	struct evs_frame fr;
	int rc = evs_file_frame(&s->file, off, s->tail.end, &fr, &d);

	if (rc == 0 && fr.type == EVS_FRAME_INDEX)
		rc = evs_file_index(&s->file, off, s->tail.end, &x, &payload, &d);
	if (rc == 0 && fr.type == EVS_FRAME_INDEX) {
		s->chain.index_off = off;
		s->chain.index_seq = x.seq;
	}
	evs_index_release(&x);
	evs_buf_release(&payload);
	if (rc == EVS_E_FORMAT || rc == EVS_E_VERSION) { /* told when it was passed */
		s->chain.commit_sure = false;
		return 0;
	}
	if (rc < 0)
		evs_fail_copy(diag, &d);
	return rc;
}

int evs_segment_resume_behind(struct evs_segment *s, const struct evs_place *p, uint64_t off,
			      uint64_t span, const struct evs_commit *c, struct evs_diag *diag)
{
	int rc = evs_segment_resume(s, p, diag);

	if (rc == 0)
		evs_chain_resume(s, off, c, off + span == p->off);
	return rc == 0 && off + span < p->off ? index_passed(s, off + span, diag) : rc;
}

void evs_segment_want(struct evs_segment *s, evs_group_want_fn *want, void *arg)
{
	s->want = want;
	s->want_arg = arg;
}

void evs_segment_commits(struct evs_segment *s, evs_commit_done_fn *done, void *arg)
{
	s->done = done;
	s->done_arg = arg;
}

void evs_segment_watch(struct evs_segment *s, evs_walked_fn *fn, void *arg)
{
	s->watch = fn;
	s->watch_arg = arg;
}

int evs_segment_commit(struct evs_segment *s, struct evs_commit *out, struct evs_buf *payload,
		       uint64_t *off, struct evs_diag *diag)
{
	const struct evs_ahead *a = &s->chain.ahead;

	*out = (struct evs_commit){ 0 };
	if (!a->known)
		return 1;
	*off = a->commit;
	return evs_file_commit(&s->file, a->commit, s->tail.end, out, payload, diag);
}

int evs_segment_commit_at(struct evs_segment *s, uint64_t off, struct evs_commit *out,
			  struct evs_buf *payload, struct evs_diag *diag)
{
	return evs_file_commit(&s->file, off, s->tail.end, out, payload, diag);
}

int evs_segment_index_at(struct evs_segment *s, uint64_t off, struct evs_index *out,
			 struct evs_buf *payload, struct evs_diag *diag)
{
	return evs_file_index(&s->file, off, s->tail.end, out, payload, diag);
}

int evs_segment_bytes(struct evs_segment *s, uint64_t off, size_t n, const uint8_t **p,
		      struct evs_diag *diag)
{
	return evs_file_bytes(&s->file, off, n, p, diag);
}

const struct evs_segment_count *evs_segment_counts(const struct evs_segment *s)
{
	return &s->count;
}

void evs_segment_rewind(struct evs_segment *s, enum evs_walk how, int64_t since, int64_t until)
{
	s->how = how;
	s->since = since;
	s->until = until;
	s->pos = s->tail.start;
	s->next_row = 0;
	s->gap = false;
	evs_chain_start(s);
	s->tail_told = false;
	evs_tree_release(&s->tree);
	if (how == EVS_WALK_PRUNED && evs_tree_start(s, NULL) < 0)
		s->how = EVS_WALK_ALL;
}

int evs_segment_load_group(struct evs_segment *s, uint64_t off, uint64_t limit, uint64_t *span,
			   struct evs_diag *diag)
{
	struct evs_frame fr;
	const char *why = NULL;
	const uint8_t *p;
	int rc = evs_file_frame(&s->file, off, limit, &fr, diag);

	*span = 0;
	if (rc < 0)
		return rc;
	*span = evs_frame_span(fr.payload_len);
	if (fr.type != EVS_FRAME_GROUP)
		return evs_fail_off(diag, EVS_E_FORMAT, s->path, off, "7.2-7 not a GROUP frame");
	rc = evs_file_summed(&s->file, off, &fr, &p, diag);
	if (rc < 0)
		return rc;
	evs_group_release(&s->group);
	rc = evs_group_decode(&s->group, p, fr.summed_len, fr.payload_len, &why);
	if (rc < 0)
		return evs_fail_off(diag, rc, s->path, off, why);
	s->group_off = off;
	s->group_append = fr.append;
	return 0;
}

int evs_segment_next(struct evs_segment *s, const struct evs_group **g, uint64_t *off,
		     struct evs_diag *diag)
{
	int rc = 0;

	if (s->how == EVS_WALK_PRUNED) {
		rc = evs_tree_next(s, diag);
		/* The tree is damaged, or of a newer format, from here on: go frame by frame (spec
		 * 9-9). */
		if (rc == EVS_E_FORMAT || rc == EVS_E_VERSION) {
			s->how = EVS_WALK_ALL;
			s->next_row -= s->tree.passed;
			if (s->pos > s->tail.start)
				evs_chain_broken(s); /* what stands before was not all looked at */
		}
	}
	if (s->how == EVS_WALK_ALL)
		rc = s->file.put_off ? evs_segment_settle(s, NULL, diag) : 0;
	if (s->how == EVS_WALK_ALL && rc == 0)
		rc = evs_walk_next(s, diag);
	if (rc == 1) {
		*g = &s->group;
		*off = s->group_off;
		s->count.groups_read++;
		s->count.rows_read += s->group.rows;
		s->count.blocks += s->group.nblocks;
	}
	return rc;
}
