/*
 * One append: [INDEX] [SCHEMA] GROUP ... COMMIT, then one fdatasync (spec 10.1).
 *
 * Everything is collected in one buffer and written with as few calls as its size allows. Until the
 * commit is on disk the file is longer than before but says nothing new; whatever goes wrong, it is
 * cut back to where it ended.
 */
#include "src/store/segment_write.h"

#include "src/diag.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define OUT_SPILL (2u << 20) /* write out what has been collected beyond this */

uint64_t evs_segw_here(const struct evs_seg_writer *w)
{
	return w->out_off + w->out.len;
}

/* What format/ returned; most often there is no memory. */
static int fail(const struct evs_seg_writer *w, int rc, const char *what, struct evs_diag *diag)
{
	return evs_fail_path(diag, rc, w->path, rc == EVS_E_NOMEM ? "out of memory" : what);
}

static int spill(struct evs_seg_writer *w, struct evs_diag *diag)
{
	const char *path = w->new_path[0] ? w->new_path : w->path;
	int rc;

	w->dirty = true;
	rc = evs_io_pwrite(w->fd, w->out.p, w->out.len, w->out_off, path, diag);
	if (rc < 0)
		return rc;
	w->out_off += w->out.len;
	if (w->out.cap > 5 * OUT_SPILL)
		evs_buf_release(&w->out);
	evs_buf_reset(&w->out);
	return 0;
}

int evs_segw_relieve(struct evs_seg_writer *w, struct evs_diag *diag)
{
	return w->out.len > OUT_SPILL ? spill(w, diag) : 0;
}

int evs_segw_sync(struct evs_seg_writer *w, struct evs_diag *diag)
{
	int rc = spill(w, diag);

	return rc == 0 ? evs_io_sync(w->fd, w->new_path[0] ? w->new_path : w->path, diag) : rc;
}

int evs_segw_seal(struct evs_seg_writer *w, size_t at, enum evs_frame_type type, uint8_t flags,
		  uint32_t summed)
{
	uint64_t payload_len = w->out.len - at - EVS_FRAME_HEAD_SIZE;

	evs_buf_put_zero(&w->out,
			 (size_t)(evs_frame_span(payload_len) - EVS_FRAME_HEAD_SIZE - payload_len));
	if (!evs_buf_ok(&w->out))
		return EVS_E_NOMEM;
	evs_frame_seal(w->out.p + at, type, flags, payload_len, w->out.p + at + EVS_FRAME_HEAD_SIZE,
		       summed, w->salt, w->out_off + at, w->next.append);
	return 0;
}

static int put_schema(struct evs_seg_writer *w, const struct evs_seg_spec *spec,
		      struct evs_diag *diag)
{
	size_t at = w->out.len;
	uint64_t off = evs_segw_here(w);
	int rc;

	evs_buf_put_zero(&w->out, EVS_FRAME_HEAD_SIZE);
	rc = evs_schema_text_encode(spec->schema, spec->schema_len, &w->out);
	if (rc == 0)
		rc = evs_segw_seal(w, at, EVS_FRAME_SCHEMA, EVS_FRAME_F_REFUSE,
				   (uint32_t)(w->out.len - at - EVS_FRAME_HEAD_SIZE));
	if (rc < 0)
		return fail(w, rc, "cannot store the schema text", diag);
	w->schema_off = off;
	return 0;
}

/* Text of the schema in force equals the one of the rows to come? */
static int schema_is(struct evs_seg_writer *w, const struct evs_head *head,
		     const struct evs_tail *t, const struct evs_seg_spec *spec, bool *same,
		     struct evs_diag *diag)
{
	struct evs_ahead a = { 0 };
	struct evs_frame fr;
	const uint8_t *p;
	const char *why = NULL;
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (w->schema_off == 0) {
		*same = head->schema_len == spec->schema_len &&
			!memcmp(head->schema, spec->schema, spec->schema_len);
		return 0;
	}
	rc = evs_file_frame(&w->file, w->schema_off, w->end, &fr, diag);
	if (rc == 0)
		rc = evs_file_ahead(&w->file, w->schema_off, t, &a, diag);
	if (rc == 0)
		rc = evs_file_check_append(&w->file, w->schema_off, &fr, &a, diag);
	if (rc == 0)
		rc = evs_file_summed(&w->file, w->schema_off, &fr, &p, diag);
	if (rc == 0 && (rc = evs_schema_text_decode(&text, &len, p, fr.summed_len, &why)) < 0)
		(void)evs_fail_off(diag, rc, w->path, w->schema_off, why);
	/* A damaged SCHEMA frame is no obstacle: the text is written again. */
	*same = rc == 0 && len == spec->schema_len && !memcmp(text, spec->schema, len);
	free(text);
	return rc == EVS_E_FORMAT ? 0 : rc;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* How much of `source` this segment holds: newest mention in the commits since the INDEX, else in
 * the INDEX. */
static int find_source(struct evs_seg_writer *w, const char *source, struct evs_diag *diag)
{
	uint64_t off = w->end - w->last_len, len = w->last_len;
	struct evs_commit c = { 0 };
	struct evs_index x = { 0 };
	struct evs_buf payload = { 0 };
	size_t id_len = strlen(source);
	uint32_t left = w->last.since_index;
	int rc = 0;

	w->source_off = 0;
	while (left-- > 0 && rc == 0) {
		rc = evs_file_commit(&w->file, off, off + len, &c, &payload, diag);
		for (uint32_t i = 0; rc == 0 && i < c.nsources; i++)
			if (c.sources[i].id_len == id_len &&
			    !memcmp(c.sources[i].id, source, id_len)) {
				w->source_off = c.sources[i].off;
				left = 0;
			}
		off = c.prev_off;
		len = c.prev_len;
		evs_commit_release(&c);
	}
	if (rc == 0 && !w->source_off && w->last.index_off) {
		rc = evs_file_index(&w->file, w->last.index_off, w->end, &x, &payload, diag);
		for (uint32_t i = 0; rc == 0 && i < x.nsources; i++)
			if (x.sources[i].id_len == id_len &&
			    !memcmp(x.sources[i].id, source, id_len))
				w->source_off = x.sources[i].off;
		evs_index_release(&x);
	}
	evs_buf_release(&payload);
	return rc;
}

static int recover(struct evs_seg_writer *w, struct evs_tail *t, struct evs_diag *diag)
{
	uint8_t raw[EVS_TRAILER_SIZE];
	int rc = 0;

	for (unsigned copy = 0; rc == 0 && copy < 2; copy++) {
		uint64_t at = t->end - (2 - copy) * EVS_TRAILER_SIZE;

		if (!t->copy_bad[copy])
			continue;
		/* The other one stands: this one is damaged or cut off, and written again. */
		evs_trailer_encode(raw, &t->trailer, copy, w->salt, at);
		rc = evs_io_pwrite(w->fd, raw, sizeof(raw), at, w->path, diag);
		evs_file_forget(&w->file);
	}
	if (rc == 0 && t->size > t->end) {
		rc = evs_set_aside(w->fd, w->path, t->end, t->size, "", w->aside, diag);
		evs_file_forget(&w->file);
		w->aside_bytes = t->size - t->end;
	}
	return rc;
}

/* Rows that do not belong here would not be found again. */
static int check_head(const struct evs_seg_writer *w, const struct evs_head *head,
		      const struct evs_seg_spec *spec, struct evs_diag *diag)
{
	if (head->part_lo != spec->lo || head->part_hi != spec->hi)
		return evs_fail_off(
			diag, EVS_E_FORMAT, w->path, 0,
			"the segment holds another partition than its name and the schema say");
	if (head->tenant_len != spec->tenant_len ||
	    (spec->tenant_len && memcmp(head->tenant, spec->tenant, spec->tenant_len) != 0))
		return evs_fail_off(diag, EVS_E_FORMAT, w->path, 0,
				    "the segment holds another tenant than its folder says");
	return 0;
}

/* Older commits may be damaged, or their sources too many: then there is none, and readers take the
 * longer way. */
static int put_index_when_due(struct evs_seg_writer *w, struct evs_diag *diag)
{
	int rc = w->last.since_index < EVS_INDEX_EVERY ? 0 : evs_segw_put_index(w, diag);

	if (rc == EVS_E_NOMEM)
		return evs_fail_nomem(diag);
	return rc == EVS_E_SYS ? rc : 0;
}

/* The newest commit, and whether anything may follow it. */
static int load_newest(struct evs_seg_writer *w, const struct evs_tail *t, struct evs_diag *diag)
{
	int rc;

	if (t->commit_bad)
		return evs_fail_off(
			diag, EVS_E_FORMAT, w->path, t->trailer.commit_off,
			"the newest commit is damaged or of a newer format, so that nothing can be appended after it; move the file away or salvage it");
	if (!t->have_commit) /* never torn: a segment comes with its first commit, by a rename */
		return evs_fail_off(
			diag, EVS_E_FORMAT, w->path, t->end,
			"the segment has lost its end and with it every commit, so that nothing can be appended to it; move the file away or salvage it");
	w->last_len = t->trailer.commit_len;
	rc = evs_file_commit(&w->file, t->trailer.commit_off, w->end, &w->last, &w->last_payload,
			     diag);
	if (rc < 0) /* unreached: evs_tail_find() has verified and kept it */
		return rc;
	w->schema_off = w->last.schema_off;
	w->run = (uint32_t)w->last.seq; /* as if every commit so far had been one run */
	for (uint32_t i = 0; i < w->last.ngroups; i++)
		if (w->last.groups[i].run > w->run)
			w->run = w->last.groups[i].run;
	if (w->last.no_append)
		rc = evs_fail_off(diag, EVS_E_VERSION, w->path, t->trailer.commit_off,
				  "only a newer evseg may append after this commit");
	return rc;
}

/* Everything that may be a reason to refuse is looked at before the first byte is written
 * (spec 10.1). */
static int load(struct evs_seg_writer *w, const struct evs_seg_spec *spec, struct evs_diag *diag)
{
	struct evs_head head = { 0 };
	struct evs_tail t = { 0 };
	struct evs_io_stat st;
	bool bad[2], same = true;
	int rc = evs_io_fstat(w->fd, w->path, &st, diag);

	if (rc < 0)
		return rc;
	t.size = st.size;
	w->dev = st.dev;
	w->ino = st.ino;
	rc = evs_file_head(&w->file, st.size, &head, &t.start, bad, w->memo, diag);
	if (rc == 0)
		rc = check_head(w, &head, spec, diag);
	w->salt = w->file.salt;
	if (rc == 0)
		rc = evs_tail_find(&w->file, &t, diag);
	w->end = w->out_off = t.end;
	if (rc == 0)
		rc = load_newest(w, &t, diag);
	if (rc == 0 && spec->source)
		rc = find_source(w, spec->source, diag);
	if (rc == 0)
		rc = schema_is(w, &head, &t, spec, &same, diag);
	if (rc == 0)
		rc = recover(w, &t, diag);
	w->next.index_off = w->last.index_off;
	w->next.index_len = w->last.index_len;
	w->next.since_index = w->last.since_index;
	if (rc == 0)
		rc = put_index_when_due(w, diag);
	if (rc == 0 && !same)
		rc = put_schema(w, spec, diag);
	evs_head_release(&head);
	return rc;
}

int evs_segw_begin(struct evs_seg_writer *w, const struct evs_head *h, struct evs_diag *diag)
{
	int rc = evs_io_truncate(w->fd, 0, w->new_path, diag);

	w->salt = w->file.salt = h->salt;
	if (rc < 0)
		return rc;
	rc = evs_head_write(h, w->memo, &w->out);
	if (rc < 0)
		return fail(w, rc, "cannot write the head", diag);
	w->first_group = evs_segw_here(w);
	w->next.time_min = w->next.time_max = EVS_TIME_NONE;
	return 0;
}

static int begin_new(struct evs_seg_writer *w, const struct evs_seg_spec *spec,
		     struct evs_diag *diag)
{
	struct evs_head h = {
		.major = EVS_FORMAT_MAJOR,
		.minor = EVS_FORMAT_MINOR,
		.unit = spec->unit,
		.created = spec->now,
		.part_lo = spec->lo,
		.part_hi = spec->hi,
		.stream = spec->stream,
		.stream_len = strlen(spec->stream),
		.tenant = spec->tenant,
		.tenant_len = spec->tenant_len,
		.schema = spec->schema,
		.schema_len = spec->schema_len,
	};
	int rc = evs_io_random(h.segment_id, sizeof(h.segment_id), diag);

	if (rc == 0)
		rc = evs_io_random(&h.salt, sizeof(h.salt), diag);
	return rc < 0 ? rc : evs_segw_begin(w, &h, diag);
}

/*
 * A segment of this name was dropped, by a run that was killed before the rename was on disk, or is
 * at work. The new one must not be there without it: the ledger could not be told what became of
 * the old one.
 */
static int settle_dropped(const struct evs_seg_spec *spec, struct evs_diag *diag)
{
	char name[300], path[EVS_PATH_MAX];
	struct evs_io_stat st;
	int rc;

	(void)snprintf(name, sizeof(name), ".%s.expired", spec->name);
	rc = evs_path_join(path, spec->dir, name, diag);
	if (rc == 0)
		rc = evs_io_stat(path, &st, diag);
	if (rc == 0)
		return evs_io_sync_dir(spec->dir, diag);
	return rc < 0 ? rc : 0;
}

/*
 * The file is made under ".NAME.new" and locked there; whoever holds that lock makes the segment.
 * The rename at commit keeps the lock on what is then the segment, so writers that waited find it
 * and append. 0: ours to make. 1: it exists by now, start over.
 */
static int open_new(struct evs_seg_writer *w, const struct evs_seg_spec *spec,
		    struct evs_diag *diag)
{
	struct evs_io_stat mine, there;
	struct evs_diag d = { 0 };
	char name[300];
	int rc = evs_io_mkdir(spec->dir, diag);

	if (rc < 0)
		return rc;
	(void)snprintf(name, sizeof(name), ".%s.new", spec->name);
	rc = evs_path_join(w->new_path, spec->dir, name, diag);
	if (rc < 0)
		return rc;
	rc = evs_io_open_write(&w->fd, w->new_path, true, &d);
	if (rc < 0 && d.sys == ENOENT) {
		w->new_path[0] = '\0';
		return 1; /* the folder was empty, and expired this moment; another may have made it
			     again */
	}
	if (rc < 0)
		evs_fail_copy(diag, &d);
	if (rc == 0)
		rc = evs_io_lock(w->fd, spec->wait, w->path, diag);
	if (rc == 0)
		rc = evs_io_fstat(w->fd, w->new_path, &mine, diag);
	if (rc == 0)
		rc = evs_io_stat(w->new_path, &there, diag);
	if (rc != 0 || !evs_io_same_file(&there, &mine)) {
		w->new_path[0] = '\0'; /* not ours to remove */
		return rc < 0 ? rc : 1;
	}
	w->dev = mine.dev;
	w->ino = mine.ino;
	rc = evs_io_stat(w->path, &there, diag);
	if (rc < 0)
		return rc;
	if (rc == 0) {
		rc = evs_io_unlink(w->new_path, diag);
		return rc < 0 ? rc : 1;
	}
	return settle_dropped(spec, diag);
}

int evs_hash_ready(struct evs_diag *diag)
{
	/* unreached: it asks for nothing that may be missing */
	if (sodium_init() < 0)
		return evs_fail(diag, EVS_E_SYS, "libsodium does not start");
	return 0;
}

int evs_segw_open(struct evs_seg_writer *w, const struct evs_seg_spec *spec, struct evs_diag *diag)
{
	struct evs_io_stat st;
	int rc;

	*w = (struct evs_seg_writer){ .fd = -1, .memo = spec->memo, .room = spec->room };
	if (spec->room) {
		w->out = *spec->room;
		*spec->room = (struct evs_buf){ 0 };
		evs_buf_reset(&w->out);
	}
	rc = evs_hash_ready(diag);
	if (rc == 0) /* unreached: otherwise, see there */
		rc = evs_path_join(w->path, spec->dir, spec->name, diag);
	if (rc < 0)
		return rc;
	do {
		evs_io_close(w->fd);
		w->fd = -1;
		w->new_path[0] = '\0';
		rc = evs_io_stat(w->path, &st, diag);
		if (rc == 1)
			rc = spec->there ? evs_fail_sys(diag, ENOENT, w->path, "cannot open")
					 : open_new(w, spec, diag);
		else if (rc == 0)
			rc = evs_segment_lock(&w->fd, w->path, spec->wait, diag);
	} while (rc == 1);
	if (rc < 0)
		return rc;
	evs_file_init(&w->file, w->fd, w->path);
	rc = evs_io_random(&w->next.append, sizeof(w->next.append), diag);
	if (rc < 0)
		return rc;
	rc = w->new_path[0] ? begin_new(w, spec, diag) : load(w, spec, diag);
	w->first_group = evs_segw_here(w);
	w->next.time_min = w->next.time_max = EVS_TIME_NONE;
	return rc;
}

/* ---- commit ---------------------------------------------------------------------------------- */

int evs_segw_commit(struct evs_seg_writer *w, const char *source, uint64_t source_off, int64_t now,
		    struct evs_diag *diag)
{
	struct evs_source src = { .id = source,
				  .id_len = source ? strlen(source) : 0,
				  .off = source_off };

	return evs_segw_commit_sources(w, &src, source ? 1 : 0, now, diag);
}

int evs_segw_commit_sources(struct evs_seg_writer *w, struct evs_source *sources, uint32_t n,
			    int64_t now, struct evs_diag *diag)
{
	struct evs_commit *c = &w->next;
	uint64_t off = evs_segw_here(w);
	int rc;

	c->seq = w->last.seq + 1;
	c->written = now;
	c->rows_total = w->last.rows_total + c->rows;
	c->first_group = c->ngroups ? c->groups[0].off : off;
	c->prev_off = w->last.seq ? w->end - w->last_len : 0;
	c->prev_len = w->last.seq ? w->last_len : 0;
	c->schema_off = w->schema_off;
	c->since_index++;
	memcpy(c->prev_hash, w->last.hash, sizeof(c->prev_hash));
	if (c->nfilters)
		crypto_generichash_final(evs_hashing_state(&w->filters_hash), c->filters_hash,
					 EVS_HASH_SIZE);
	if (c->nrollups)
		crypto_generichash_final(evs_hashing_state(&w->rollups_hash), c->rollups_hash,
					 EVS_HASH_SIZE);
	c->sources = n ? sources : NULL;
	c->nsources = n;
	rc = evs_commit_write(c, w->salt, off, &w->out);
	c->sources = NULL;
	c->nsources = 0;
	if (rc < 0)
		return fail(w, rc, "cannot encode the commit", diag);
	rc = evs_segw_sync(w, diag);
	if (rc == 0 && w->new_path[0])
		rc = evs_io_rename(w->new_path, w->path, diag);
	if (rc == 0) {
		w->new_path[0] = '\0';
		w->dirty = false;
	}
	return rc;
}

bool evs_segw_aside_text(const struct evs_seg_writer *w, char *text, size_t size)
{
	if (!w->aside[0])
		return false;
	(void)snprintf(text, size, "%s: %llu bytes that were no commit were set aside in %s",
		       w->path, (unsigned long long)w->aside_bytes, w->aside);
	return true;
}

void evs_segw_close(struct evs_seg_writer *w)
{
	if (w->fd >= 0 && w->dirty && !w->new_path[0])
		(void)evs_io_truncate(w->fd, w->end, w->path, NULL);
	if (w->fd >= 0 && w->new_path[0])
		(void)evs_io_unlink(w->new_path, NULL);
	evs_io_close(w->fd);
	w->fd = -1;
	evs_file_release(&w->file);
	if (w->room && w->out.cap <= 2 * OUT_SPILL) {
		*w->room = w->out;
		w->out = (struct evs_buf){ 0 };
	}
	evs_buf_release(&w->out);
	evs_commit_release(&w->last);
	evs_buf_release(&w->last_payload);
	evs_commit_release(&w->next);
	evs_seg_part_release(&w->part);
}
