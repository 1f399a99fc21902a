/*
 * One segment's part of a flush: rows that are there already dropped, the others sorted, encoded,
 * written and synced.
 */
#include "src/store/flush.h"

#include "src/diag.h"
#include "src/json/json.h"
#include "src/store/io.h"
#include "src/store/segment_write.h"

#include <string.h>

/* A value as JSON has it, without quotes: of bytes that are all of one length, or else `num`. */
static int put_quoteless(struct flush_worker *w, const struct evs_type *type, const void *fixed,
			 uint64_t num)
{
	struct evs_array a;
	int rc;

	(void)evs_type_array(type, &a); /* fails for nested types alone */
	rc = a.phys == EVS_FIXED ? evs_array_append_fixed(&a, fixed)
				 : evs_array_append_int(&a, num);
	if (rc == 0)
		evs_json_put_value(&w->text, type, &a, 0);
	if (w->text.len >= 2 && w->text.p[0] == '"') {
		memmove(w->text.p, w->text.p + 1, w->text.len - 2);
		w->text.len -= 2;
	}
	evs_array_release(&a);
	return rc;
}

/* The tenant's value as text, as `--tenant` takes it. */
static int tenant_text(struct flush_worker *w, const struct evs_spool_segment *seg)
{
	const struct evs_table *t = w->flush->table;
	const struct evs_enum_item *item;
	const struct evs_type *type;
	uint8_t num[8] = { 0 };
	int rc = 0;

	evs_buf_reset(&w->text);
	if (t->tenant_column < 0)
		return 0;
	type = &t->cols[t->tenant_column].type;
	memcpy(num, seg->tenant, seg->tenant_len < sizeof(num) ? seg->tenant_len : sizeof(num));
	item = type->id == EVS_T_ENUM ? evs_enum_by_value(type, (int16_t)evs_get64(num)) : NULL;
	if (type->id == EVS_T_STRING)
		evs_buf_put(&w->text, seg->tenant, seg->tenant_len);
	else if (item)
		evs_buf_put(&w->text, item->name, item->len);
	else
		rc = put_quoteless(w, type, seg->tenant, evs_get64(num));
	return rc < 0 || !evs_buf_ok(&w->text) ? EVS_E_NOMEM : 0;
}

/* Rows that an earlier run stored already. */
static uint32_t drop_duplicates(struct flush_worker *w, const struct evs_array *src, uint32_t *idx,
				uint32_t n, uint64_t absorbed)
{
	const struct evs_array *end = &src[w->flush->table->ncols + 1];
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++)
		if (evs_array_int(end, idx[i]) > absorbed)
			idx[kept++] = idx[i];
	w->duplicate += n - kept;
	return kept;
}

static bool is_large(const struct evs_array *src, uint16_t ncols)
{
	size_t used = 0;

	for (uint16_t i = 0; i < ncols; i++)
		used += evs_array_bytes_used(&src[i]);
	return used > 2 * EVS_SPOOL_TURN;
}

/*
 * All rows of the segment. The turn is let go with the last of them read, unless they are very
 * large: two threads with such ones would be too much memory.
 */
static int fill_segment(struct flush_worker *w, uint32_t id, struct evs_seg_writer *out, bool *turn,
			struct evs_diag *diag)
{
	struct evs_flush *f = w->flush;
	const struct evs_array *src;
	bool more = true;
	uint32_t *idx, n;
	int rc = 0;

	while (more &&
	       (rc = evs_spool_read(f->spool, w->reader, id, &src, &idx, &n, &more, diag)) > 0) {
		if (!more && !(n == src[0].rows && is_large(src, f->table->ncols))) {
			(void)pthread_mutex_unlock(&f->turn);
			*turn = false;
		}
		if (f->source)
			n = drop_duplicates(w, src, idx, n, out->source_off);
		rc = n ? evs_flush_groups(w, out, src, idx, n, diag) : 0;
		if (rc < 0)
			break;
	}
	evs_spool_reader_forget(w->reader);
	return rc;
}

/* Does the segment end as this run left it? */
static bool is_own(struct evs_flush *f, const struct evs_seg_writer *out)
{
	const struct flush_own *o = &f->own[out->ino % FLUSH_OWN];
	bool own;

	(void)pthread_mutex_lock(&f->lock);
	own = o->ino == out->ino && o->dev == out->dev && o->end == out->end;
	(void)pthread_mutex_unlock(&f->lock);
	return own;
}

/*
 * Another writer may have been killed before it had synced what it wrote, or renamed, and would
 * have been the only one to know. Rows must not stand behind a commit that a power cut can still
 * take away, nor in a file whose name it can. Before anybody writes a second commit, or a SCHEMA,
 * the names are synced; so later ones need not ask again (spec/store.md 5).
 */
static int make_sure(struct flush_worker *w, const struct evs_seg_writer *out, const char *dir,
		     struct evs_diag *diag)
{
	struct evs_flush *f = w->flush;
	int rc = 0;

	if (out->new_path[0] || is_own(f, out))
		return 0;
	if (!out->aside[0]) {
		(void)pthread_mutex_lock(&f->lock);
		f->stats->syncs++;
		(void)pthread_mutex_unlock(&f->lock);
		rc = evs_io_sync(out->fd, out->path, diag);
	}
	if (rc == 0 && (out->last.seq <= 1 || out->schema_off != out->last.schema_off)) {
		rc = evs_io_sync_dir(dir, diag);
		if (rc == 0)
			rc = evs_io_sync_dir(f->stream_dir, diag);
	}
	return rc;
}

/* What the views make of the rows, behind the groups. */
static int put_rollups(struct flush_worker *w, struct evs_seg_writer *out, struct evs_diag *diag)
{
	struct evs_rollup r;
	int rc;

	while ((rc = evs_rollups_next(w->rollups, &r)) > 0) {
		rc = evs_segw_rollup(out, w->enc, &r, diag);
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

static int commit(struct flush_worker *w, struct evs_seg_writer *out, const char *dir,
		  struct evs_diag *diag)
{
	struct evs_flush *f = w->flush;
	bool fresh = out->new_path[0] != '\0';
	int synced = put_rollups(w, out, diag);
	int rc = 0;

	if (synced == 0)
		synced = evs_segw_commit(out, f->source, f->source_off, f->now, diag);

	(void)pthread_mutex_lock(&f->lock);
	f->stats->syncs++;
	f->stats->segments++;
	f->stats->bytes_out += out->out_off - out->end;
	/* The stream's folder too: another writer may have made the tenant's, and died before it
	 * was durable. */
	if (synced == 0 && fresh)
		rc = evs_flush_remember_dir(f, dir);
	if (synced == 0 && rc == 0 && fresh)
		rc = evs_flush_remember_dir(f, f->stream_dir);
	if (synced == 0)
		f->own[out->ino % FLUSH_OWN] =
			(struct flush_own){ .dev = out->dev, .ino = out->ino, .end = out->out_off };
	if (synced == 0 && rc == 0)
		rc = evs_flush_remember_ack(f, out->path, NULL, out->next.seq, out->next.rows);
	(void)pthread_mutex_unlock(&f->lock);
	if (synced < 0)
		return synced;
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

static int note_aside(struct evs_flush *f, const struct evs_seg_writer *out, struct evs_diag *diag)
{
	char text[2400];
	int rc;

	if (!evs_segw_aside_text(out, text, sizeof(text)))
		return 0;
	(void)pthread_mutex_lock(&f->lock);
	rc = evs_flush_remember_ack(f, out->path, text, 0, 0);
	(void)pthread_mutex_unlock(&f->lock);
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

static int make_spec(struct flush_worker *w, uint32_t id, char *dir, char *name,
		     struct evs_seg_spec *spec, struct evs_diag *diag)
{
	struct evs_flush *f = w->flush;
	char escaped[EVS_NAME_BYTES + 1];
	struct evs_spool_segment seg;
	int rc;

	evs_spool_segment_get(f->spool, id, &seg);
	if (tenant_text(w, &seg) < 0)
		return evs_fail_nomem(diag);
	if (f->table->tenant_column < 0)
		memcpy(escaped, "_", 2);
	else
		evs_name_escape((char *)w->text.p, w->text.len, escaped);
	rc = evs_path_join(dir, f->stream_dir, escaped, diag);
	if (rc < 0)
		return rc;
	evs_segment_name(seg.lo, name);
	*spec = (struct evs_seg_spec){ .dir = dir,
				       .name = name,
				       .stream = f->stream_name,
				       .tenant = (char *)w->text.p,
				       .tenant_len = w->text.len,
				       .unit = (uint8_t)f->table->unit,
				       .schema = f->table->text,
				       .schema_len = f->table->text_len,
				       .source = f->source,
				       .now = f->now,
				       .wait = f->wait,
				       .memo = &w->memo,
				       .room = &w->room };
	evs_partition_bounds(seg.lo, f->table->unit, &spec->lo, &spec->hi);
	return 0;
}

int evs_flush_segment(struct flush_worker *w, uint32_t id, struct evs_diag *diag)
{
	struct evs_flush *f = w->flush;
	struct evs_seg_writer out = { .fd = -1 };
	char dir[EVS_PATH_MAX], name[24];
	struct evs_spool_segment seg;
	struct evs_seg_spec spec;
	bool turn = true;
	int rc;

	evs_spool_segment_get(f->spool, id, &seg);
	if (!seg.rows) { /* all of them were refused */
		(void)pthread_mutex_unlock(&f->turn);
		return 0;
	}
	rc = make_spec(w, id, dir, name, &spec, diag);
	if (rc == 0)
		rc = evs_segw_open(&out, &spec, diag);
	evs_rollups_start(w->rollups);
	if (rc == 0)
		rc = note_aside(f, &out, diag);
	if (rc == 0)
		rc = make_sure(w, &out, dir, diag);
	if (rc == 0)
		rc = fill_segment(w, id, &out, &turn, diag);
	if (turn)
		(void)pthread_mutex_unlock(&f->turn);
	if (rc == 0 && out.next.ngroups)
		rc = commit(w, &out, dir, diag);
	evs_segw_close(&out);
	return rc;
}
