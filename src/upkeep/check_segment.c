/*
 * One segment: a walk over all its frames, each group decoded, each commit held against its groups.
 */
#include "src/upkeep/check.h"

#include "src/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void evs_check_found(struct check_segment *s, uint64_t off, uint64_t rows, bool lost,
		     const char *text)
{
	evs_check_tell(s->run,
		       (struct evs_finding){ .kind = EVS_FOUND_DAMAGE,
					     .path = s->run->path,
					     .has_off = true,
					     .off = off,
					     .rows = rows,
					     .rows_known = true,
					     .lost = lost },
		       text);
}

/* What the reader found. */
static void on_damage(void *arg, const struct evs_damage *d)
{
	struct check_segment *s = arg;
	if (s->muted)
		return;
	/* The last one: rows are all there, and what is missing never mattered or was cut off
	 * later. */
	bool tail = !strncmp(d->what, "9-6 ", 4) || !strncmp(d->what, "7.3-7 the file ends", 19);

	evs_check_tell(s->run,
		       (struct evs_finding){ .kind = tail ? EVS_FOUND_TAIL : EVS_FOUND_DAMAGE,
					     .path = s->run->path,
					     .has_off = true,
					     .off = d->off,
					     .rows = d->rows,
					     .rows_known = d->rows_known,
					     .lost = d->rows > 0 },
		       d->what);
}

/* ---- HEAD and where the file lies ------------------------------------------------------------ */

static void misplaced(struct check_segment *s, const char *rule, const char *what, const char *is,
		      size_t len, const char *where)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s the %s in HEAD is %.*s%s, and the %s says otherwise",
		       rule, what, (int)(len < 200 ? len : 200), is, len < 200 ? "" : "...", where);
	evs_check_found(s, 0, 0, false, text);
}

static void check_tenant(struct check_segment *s, const struct evs_head *h, const char *folder)
{
	const struct evs_table *t = s->stream ? s->stream->table : NULL;
	char name[EVS_NAME_BYTES + 1] = "_";

	if (!t || t->tenant_column >= 0)
		evs_name_escape(h->tenant, h->tenant_len, name);
	if (strcmp(name, folder) != 0 && !(!t && !h->tenant_len && !strcmp(folder, "_")))
		misplaced(s, "store 11-2", "tenant", h->tenant, h->tenant_len, "folder");
}

static void check_head(struct check_segment *s, const struct check_place *place)
{
	const struct evs_head *h = evs_segment_head(s->seg);
	const struct evs_table *t = s->stream ? s->stream->table : NULL;
	char name[24] = "";
	int64_t lo, hi;

	evs_partition_bounds(h->part_lo, (enum evs_unit)h->unit, &lo, &hi);
	if (lo != h->part_lo || hi != h->part_hi)
		evs_check_found(s, 0, 0, false,
				"4.1-C1 part_lo and part_hi are not the bounds of a partition");
	else if (lo >= EVS_SECONDS_MIN && lo <= EVS_SECONDS_MAX)
		evs_segment_name(lo, name);
	if (place->file && strcmp(name, place->file) != 0)
		misplaced(s, "store 11-2", "partition", name, strlen(name), "file's name");
	if (place->tenant)
		check_tenant(s, h, place->tenant);
	if (t &&
	    (strlen(t->name) != h->stream_len || memcmp(t->name, h->stream, h->stream_len) != 0))
		misplaced(s, "store 11-2", "stream", h->stream, h->stream_len, "schema.sql");
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int go_through(struct check_segment *s, struct evs_diag *diag)
{
	const struct evs_group *g;
	struct evs_diag d = { 0 };
	uint64_t off;
	int rc;

	evs_segment_watch(s->seg, evs_check_walked, s);
	while ((rc = evs_segment_next(s->seg, &g, &off, &d)) == 1) {
		s->run->count.groups++;
		s->run->count.rows += g->rows;
		rc = s->run->opts->quick ? 0 : evs_check_group(s, g, &d);
		if (rc == 0)
			rc = evs_check_stop_group(s);
		if (rc < 0)
			break;
	}
	return rc < 0 ? evs_check_error(s->run, s->run->path, rc, &d, diag) : 0;
}

/* It is damaged, of a newer format, gone by now, or may not be read. */
static int not_opened(struct check_segment *s, int rc, const struct evs_diag *d,
		      struct evs_diag *diag)
{
	char text[1200];

	if (rc == EVS_E_FORMAT && s->run->salvage.out)
		(void)snprintf(
			text, sizeof(text),
			"%.900s: HEAD has the key to all checksums, so rows cannot be told from other bytes; restore the file from a copy",
			d->what);
	else
		(void)snprintf(text, sizeof(text), "%s", d->what);
	if (rc == EVS_E_FORMAT || rc == EVS_E_VERSION) {
		evs_check_tell(s->run,
			       (struct evs_finding){ .kind = EVS_FOUND_DAMAGE,
						     .path = s->run->path,
						     .has_off = d->has_off,
						     .off = d->off },
			       text);
		return 0;
	}
	if (rc == EVS_E_SYS && evs_path_gone(s->run->path, d)) {
		s->run->count.segments--;
		return 0;
	}
	return evs_check_error(s->run, s->run->path, rc, d, diag);
}

/* Open it and, when a check has stopped in it, go to that place. */
static int open_segment(struct check_segment *s, const char *path, struct evs_diag *diag)
{
	int rc;

	s->muted = s->run->resume.place.off != 0;
	rc = evs_segment_open(&s->seg, path, on_damage, s, diag);
	if (rc == 0 && s->muted)
		rc = evs_check_go_on(s, diag);
	if (rc == 0 && s->muted && !s->resumed) { /* another file has its name: all of it is new */
		evs_segment_close(s->seg);
		s->seg = NULL;
		s->muted = false;
		rc = evs_segment_open(&s->seg, path, on_damage, s, diag);
	}
	s->muted = false;
	return rc;
}

int evs_check_segment(struct check *c, const char *path, const struct check_place *place,
		      struct evs_diag *diag)
{
	struct check_segment s = { .run = c,
				   .stream = place->stream,
				   .place = place,
				   .whole = true,
				   .chain = { .sure = true, .sources_sure = true } };
	struct evs_diag d = { 0 };
	int rc;

	rc = evs_check_pass(c, path);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	c->path = path;
	c->segment_told = false;
	c->count.segments++;
	rc = open_segment(&s, path, &d);
	if (rc < 0) {
		rc = not_opened(&s, rc, &d, diag);
	} else {
		if (!s.resumed) {
			c->count.bytes +=
				evs_segment_tail(s.seg)->start; /* HEAD; the frames as they come */
			check_head(&s, place);
		}
		rc = go_through(&s, diag);
		rc = evs_salvage_end(&s, rc, diag);
		c->worked = true;
	}
	evs_check_group_release(&s);
	evs_check_chain_release(&s.chain);
	evs_commit_release(&s.commit);
	evs_buf_release(&s.payload);
	evs_segment_close(s.seg);
	c->path = NULL;
	return rc;
}
