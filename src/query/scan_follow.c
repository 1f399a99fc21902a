/*
 * Following segments (evcat -f): how far each has been read, and where to go on, also when
 * compaction put another file in the place of one.
 *
 * Commits are counted through all files that took each other's place (spec/segment.md 7.11). Who
 * has read all that was folded goes on behind the first commit of the new file; who has not reads
 * the old file to its end first, which is kept open for that.
 */
#include "src/diag.h"
#include "src/query/scan.h"

#include <stdlib.h>
#include <string.h>

#define HELD_MOST 256u /* files kept open; a process may commonly have 1,024 */

static int by_path(const void *key, const void *member)
{
	return strcmp(key, ((const struct scan_seen *)member)->path);
}

static struct scan_seen *find_seen(const struct evs_scan *s, const char *path)
{
	if (!s->nseen)
		return NULL;
	return bsearch(path, s->seen, s->nseen, sizeof(*s->seen), by_path);
}

/* A new entry; the list is kept in order. */
static struct scan_seen *add_seen(struct evs_scan *s, const char *path)
{
	struct scan_seen *e;
	size_t at = s->nseen;

	if (s->nseen == s->seen_cap) {
		size_t cap = s->seen_cap ? s->seen_cap * 2 : 64;
		struct scan_seen *grown = realloc(s->seen, cap * sizeof(*grown));

		if (!grown)
			return NULL;
		s->seen = grown;
		s->seen_cap = cap;
	}
	while (at > 0 && strcmp(s->seen[at - 1].path, path) > 0)
		at--;
	memmove(s->seen + at + 1, s->seen + at, (s->nseen - at) * sizeof(*s->seen));
	e = &s->seen[at];
	*e = (struct scan_seen){ .path = strdup(path), .held = -1 };
	if (!e->path) {
		memmove(s->seen + at, s->seen + at + 1, (s->nseen - at) * sizeof(*s->seen));
		return NULL;
	}
	s->nseen++;
	return e;
}

static void let_go(struct evs_scan *s, struct scan_seen *e)
{
	if (e->held < 0)
		return;
	evs_segment_let_go(e->held);
	e->held = -1;
	s->nheld--;
}

void evs_scan_follow_release(struct evs_scan *s)
{
	for (size_t i = 0; i < s->nseen; i++) {
		let_go(s, &s->seen[i]);
		free(s->seen[i].path);
	}
	free(s->seen);
}

/* Keep the file of an entry open, and not too many. That it cannot be is told when it is missed. */
static void hold(struct evs_scan *s, struct scan_seen *e, const struct evs_segment *seg)
{
	struct scan_seen *oldest = NULL;

	let_go(s, e);
	for (size_t i = 0; s->nheld >= HELD_MOST && i < s->nseen; i++)
		if (s->seen[i].held >= 0 && (!oldest || s->seen[i].used < oldest->used))
			oldest = &s->seen[i];
	if (oldest)
		let_go(s, oldest);
	e->held = evs_segment_hold(seg);
	s->nheld += e->held >= 0;
}

int evs_scan_remember(struct evs_scan *s, const char *path, const struct evs_segment *seg)
{
	struct scan_seen *e = find_seen(s, path);
	struct evs_place place = { 0 };
	bool finished = s->finishing;

	s->finishing = false;
	if (!s->opts.follow)
		return 0;
	if (!e && !(e = add_seen(s, path)))
		return EVS_E_NOMEM;
	if (!seg) {
		e->size = evs_path_size(path);
		return 0;
	}
	evs_segment_place(seg, &place);
	if (place.ino != e->place.ino || !e->origin.known) {
		(void)evs_segment_origin(s->seg, &e->origin, NULL);
		hold(s, e, seg);
	}
	e->place = place;
	e->size = evs_segment_tail(seg)->size;
	e->commit = e->origin.before + evs_segment_tail(seg)->trailer.seq;
	e->used = ++s->clock;
	if (finished)
		let_go(s, e); /* all of it is read, and no more will come */
	return 0;
}

/* ---- another file in the place of one that was read ------------------------------------------ */

/* Is it the file that was read, or a copy of it? */
static bool same_file(const struct scan_seen *e, const struct evs_segment *seg)
{
	return !memcmp(e->origin.id, evs_segment_head(seg)->segment_id, sizeof(e->origin.id));
}

static bool is_replaced(const struct scan_seen *e, const struct evs_segment *seg)
{
	struct evs_place now;

	evs_segment_place(seg, &now);
	return e && e->place.off && e->place.ino != now.ino && e->origin.known &&
	       !same_file(e, seg);
}

int evs_scan_finish_old(struct evs_scan *s, evs_damage_fn *fn, struct evs_diag *diag)
{
	struct scan_seen *e = s->following ? find_seen(s, evs_segment_path(s->seg)) : NULL;
	struct evs_origin origin;
	int fd, rc;

	if (!e || e->held < 0 || !is_replaced(e, s->seg))
		return 0;
	rc = evs_segment_origin(s->seg, &origin, diag);
	if (rc < 0 || (!memcmp(origin.lineage, e->origin.lineage, sizeof(origin.lineage)) &&
		       origin.before < e->commit))
		return rc; /* all that was folded has been read */
	evs_segment_close(s->seg);
	s->seg = NULL;
	fd = e->held;
	e->held = -1;
	s->nheld--;
	s->finishing = true;
	s->next_path--;
	return evs_segment_open_held(&s->seg, s->spare, fd, e->path, fn, s, diag);
}

/* The open segment, another file than was read, goes on behind what was folded into its first
 * commit. */
static int go_on_replaced(struct evs_scan *s, struct scan_seen *e, struct evs_diag *diag)
{
	struct evs_damage lost = {
		.path = e->path,
		.what = "the segment was compacted before it was read to its end, more often than it could be "
			"followed: rows appended in between are not shown"
	};
	struct evs_place place;
	struct evs_origin origin;
	int rc = evs_segment_origin(s->seg, &origin, diag);

	if (rc < 0)
		return rc;
	if (memcmp(origin.lineage, e->origin.lineage, sizeof(origin.lineage)) != 0)
		return 1; /* the one that was read is gone; this one is new */
	evs_segment_place(s->seg, &place);
	place.off = origin.end;
	place.row = origin.rows;
	if (origin.before + 1 > e->commit) {
		s->progress.damaged = true;
		if (s->opts.on_damage)
			s->opts.on_damage(s->opts.arg, &lost);
	}
	return evs_segment_resume(s->seg, &place, diag);
}

int evs_scan_go_on(struct evs_scan *s, struct evs_diag *diag)
{
	struct scan_seen *e = find_seen(s, evs_segment_path(s->seg));
	struct evs_place now;

	if (!e || !e->place.off)
		return 1;
	if (!s->finishing && is_replaced(e, s->seg))
		return go_on_replaced(s, e, diag);
	evs_segment_place(s->seg, &now);
	now.off = e->place.off;
	now.row = e->place.row;
	return evs_segment_resume(s->seg,
				  e->origin.known && same_file(e, s->seg) ? &now : &e->place, diag);
}

/* ---- looking again --------------------------------------------------------------------------- */

/* Keep of the list what is new, has grown or was replaced. */
static void keep_changed(struct evs_scan *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->list.n; i++) {
		struct scan_seen *e = find_seen(s, s->list.paths[i]);
		struct evs_io_stat st;

		if (e && evs_io_stat(s->list.paths[i], &st, NULL) == 0 && st.size == e->size &&
		    (!e->place.off || st.ino == e->place.ino))
			free(s->list.paths[i]);
		else
			s->list.paths[n++] = s->list.paths[i];
	}
	s->list.n = n;
}

int evs_scan_refresh(struct evs_scan *s, struct evs_diag *diag)
{
	int rc;

	if (s->seg)
		return 0;
	evs_path_list_release(&s->list);
	s->next_path = 0;
	s->following = true;
	rc = evs_path_list(&s->list, s->paths, s->npaths, s->opts.tenants, s->opts.ntenants,
			   s->since, s->until, diag);
	if (rc == 0)
		keep_changed(s);
	s->last_path = s->list.n;
	return rc;
}
