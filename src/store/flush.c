/*
 * A flush: which thread takes which segment, and when commits are acknowledged. See flush.h.
 *
 * Acknowledgements wait until the folders of new segments are synced, which is done for many at
 * once.
 */
#include "src/store/flush.h"

#include "src/diag.h"
#include "src/store/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define QUICK	3    /* zstd levels that ask for speed */
#define PENDING 256u /* acknowledgements held back */

static int init_worker(struct flush_worker *w, struct evs_flush *f)
{
	struct evs_encoder_opts opts = { .zstd_level = f->zstd_level,
					 .packed_below = EVS_PACKED_BELOW,
					 .quick = f->zstd_level <= QUICK };
	int rc = evs_encoder_new(&w->enc, &opts);

	w->flush = f;
	w->group = calloc(f->table->ncols, sizeof(*w->group));
	if (!w->group)
		return EVS_E_NOMEM;
	for (uint16_t i = 0; rc == 0 && i < f->table->ncols; i++)
		rc = evs_type_array(&f->table->cols[i].type, &w->group[i]);
	return rc;
}

/* Each worker gets the views of the stream's schema.sql; a stream without one has none. */
static int init_rollups(struct evs_flush *f, struct evs_diag *diag)
{
	char *text = NULL;
	size_t len = 0;
	int rc = evs_stream_schema(f->stream_dir, &text, &len, diag);

	for (unsigned i = 0; i < FLUSH_THREADS && rc == 0; i++)
		if (evs_rollups_new(&f->worker[i].rollups, f->table, text, len) < 0)
			rc = evs_fail_nomem(diag);
	free(text);
	return rc < 0 ? rc : 0;
}

static bool init_locks(struct evs_flush *f)
{
	if (pthread_mutex_init(&f->lock, NULL) != 0)
		return false;
	if (pthread_mutex_init(&f->turn, NULL) != 0)
		goto lock;
	if (pthread_cond_init(&f->step, NULL) == 0)
		return true;
	(void)pthread_mutex_destroy(&f->turn);
lock:
	(void)pthread_mutex_destroy(&f->lock);
	return false;
}

int evs_flush_init(struct evs_flush *f, struct evs_diag *diag)
{
	int rc = 0;

	if (!init_locks(f))
		return evs_fail_nomem(diag);
	f->locks_ready = true;
	for (unsigned i = 0; i < FLUSH_THREADS && rc == 0; i++)
		rc = init_worker(&f->worker[i], f);
	return rc < 0 ? evs_fail_nomem(diag) : init_rollups(f, diag);
}

static void release_worker(struct flush_worker *w)
{
	for (uint16_t i = 0; w->group && i < w->flush->table->ncols; i++)
		evs_array_release(&w->group[i]);
	free(w->group);
	for (unsigned i = 0; i < FLUSH_PARTS; i++)
		evs_seg_part_release(&w->part[i].bytes);
	evs_sorter_release(&w->sorter);
	evs_rollups_free(w->rollups);
	evs_encoder_free(w->enc);
	evs_spool_reader_free(w->reader);
	evs_buf_release(&w->text);
	evs_text_memo_release(&w->memo);
	evs_buf_release(&w->room);
	*w = (struct flush_worker){ 0 };
}

void evs_flush_release(struct evs_flush *f)
{
	assert(!f->nacks && !f->ndirs); /* each run settles them */
	for (unsigned i = 0; i < FLUSH_THREADS; i++)
		release_worker(&f->worker[i]);
	if (f->locks_ready) {
		(void)pthread_mutex_destroy(&f->lock);
		(void)pthread_mutex_destroy(&f->turn);
		(void)pthread_cond_destroy(&f->step);
	}
}

/* ---- acknowledging --------------------------------------------------------------------------- */

int evs_flush_remember_dir(struct evs_flush *f, const char *dir)
{
	for (size_t i = f->ndirs; i-- > 0;)
		if (!strcmp(f->dirs[i], dir))
			return 0;
	if (f->ndirs == f->dirs_cap) {
		size_t cap = f->dirs_cap ? f->dirs_cap * 2 : 64;
		char **grown = realloc(f->dirs, cap * sizeof(*grown));

		if (!grown)
			return EVS_E_NOMEM;
		f->dirs = grown;
		f->dirs_cap = cap;
	}
	f->dirs[f->ndirs] = strdup(dir);
	if (!f->dirs[f->ndirs])
		return EVS_E_NOMEM;
	f->ndirs++;
	return 0;
}

int evs_flush_remember_ack(struct evs_flush *f, const char *path, const char *note, uint64_t seq,
			   uint64_t rows)
{
	struct flush_ack *a;

	if (f->nacks == f->acks_cap) {
		size_t cap = f->acks_cap ? f->acks_cap * 2 : PENDING;
		struct flush_ack *grown = realloc(f->acks, cap * sizeof(*grown));

		if (!grown)
			return EVS_E_NOMEM;
		f->acks = grown;
		f->acks_cap = cap;
	}
	a = &f->acks[f->nacks];
	*a = (struct flush_ack){
		.path = strdup(path), .note = note ? strdup(note) : NULL, .seq = seq, .rows = rows
	};
	if (!a->path || (note && !a->note)) {
		free(a->path);
		free(a->note);
		return EVS_E_NOMEM;
	}
	f->nacks++;
	return 0;
}

/* The folder of a segment that was made; it may have expired since, and then so have its rows. */
static int sync_made(const char *dir, struct evs_diag *diag)
{
	struct evs_diag d = { 0 };
	int rc = evs_io_sync_dir(dir, &d);

	if (rc < 0 && evs_path_gone(dir, &d))
		return 0;
	if (rc < 0)
		evs_fail_copy(diag, &d);
	return rc;
}

/* Sync the folders, then acknowledge what was committed so far. Without the lock, from the caller's
 * thread. */
static int settle(struct evs_flush *f, struct evs_diag *diag)
{
	struct flush_ack *acks;
	char **dirs;
	size_t nacks, ndirs;
	int rc = f->unsure ? EVS_E_SYS : 0;

	(void)pthread_mutex_lock(&f->lock);
	acks = f->acks;
	nacks = f->nacks;
	dirs = f->dirs;
	ndirs = f->ndirs;
	f->acks = NULL;
	f->dirs = NULL;
	f->nacks = f->acks_cap = f->ndirs = f->dirs_cap = 0;
	(void)pthread_mutex_unlock(&f->lock);

	for (size_t i = 0; i < ndirs; i++) {
		if (rc == 0)
			rc = sync_made(dirs[i], diag);
		free(dirs[i]);
	}
	f->unsure = rc < 0;
	for (size_t i = 0; i < nacks; i++) {
		struct evs_ack ack = { .segment = acks[i].path,
				       .seq = acks[i].seq,
				       .rows = acks[i].rows,
				       .source_off = f->source_off };

		if (acks[i].note && f->on_note)
			f->on_note(f->arg, acks[i].note);
		if (rc == 0 && ack.seq) {
			f->stats->stored += ack.rows;
			f->stats->commits++;
			if (f->on_ack)
				f->on_ack(f->arg, &ack);
		}
		free(acks[i].path);
		free(acks[i].note);
	}
	free(acks);
	free(dirs);
	return rc;
}

/* ---- threads --------------------------------------------------------------------------------- */

/* A damaged segment or one in use costs its own rows; anything else ends the flush. */
static bool ends_all(int rc)
{
	return rc < 0 && rc != EVS_E_FORMAT && rc != EVS_E_LOCKED && rc != EVS_E_VERSION;
}

static void note_failure(struct flush_worker *w, int rc, const struct evs_diag *d, bool stop)
{
	if (rc < 0 && !w->rc) {
		w->rc = rc;
		w->diag = *d;
	}
	if (!stop)
		return;
	(void)pthread_mutex_lock(&w->flush->lock);
	w->flush->stop = true;
	(void)pthread_mutex_unlock(&w->flush->lock);
}

static bool stopped(struct evs_flush *f, bool *full)
{
	bool stop;

	(void)pthread_mutex_lock(&f->lock);
	stop = f->stop;
	*full = f->nacks >= PENDING;
	(void)pthread_mutex_unlock(&f->lock);
	return stop;
}

/* Take segments until there are no more. The caller's thread also acknowledges on the way. */
static void work(struct flush_worker *w, bool callers)
{
	struct evs_flush *f = w->flush;
	bool full;

	while (!stopped(f, &full)) {
		struct evs_diag d = { 0 };
		int rc;

		if (callers && full) {
			rc = settle(f, &d);
			note_failure(w, rc, &d, rc < 0);
			continue;
		}
		(void)pthread_mutex_lock(&f->turn);
		if (f->next_segment == evs_spool_segments(f->spool)) {
			(void)pthread_mutex_unlock(&f->turn);
			break;
		}
		rc = evs_flush_segment(w, f->next_segment++, &d);
		note_failure(w, rc, &d, ends_all(rc));
	}
}

static void helper_work(void *arg)
{
	work(arg, false);
}

static int ready_reader(struct flush_worker *w, struct evs_spool *s)
{
	w->rc = 0;
	w->duplicate = 0;
	return evs_spool_reader_new(&w->reader, s);
}

/* Rows that were read back leave no memory behind: what is collected next, for long, needs it. */
static void forget_rows(struct flush_worker *w, bool spilled)
{
	evs_spool_reader_free(w->reader);
	w->reader = NULL;
	for (uint16_t i = 0; spilled && i < w->flush->table->ncols; i++)
		evs_array_trim(&w->group[i], 0);
}

int evs_flush_run(struct evs_flush *f, struct evs_spool *s, uint64_t source_off, int64_t now,
		  struct evs_diag *diag)
{
	struct flush_worker *failed = NULL;
	bool threaded;
	int rc = evs_spool_begin_read(s, f->helper, diag);

	for (unsigned i = 0; i < FLUSH_THREADS && rc == 0; i++)
		if (ready_reader(&f->worker[i], s) < 0)
			rc = evs_fail_nomem(diag);
	if (rc < 0)
		goto out;
	f->spool = s;
	f->source_off = source_off;
	f->now = now;
	f->next_segment = 0;
	f->stop = f->unsure = false;
	/* Without a second thread it only takes longer. */
	f->idle = evs_spool_segments(s) == 1;
	threaded = !f->idle && evs_helper_start(f->helper, helper_work, &f->worker[1]);
	work(&f->worker[0], true);
	if (threaded)
		evs_helper_wait(f->helper);
	for (unsigned i = 0; i < FLUSH_THREADS; i++) {
		f->stats->duplicate += f->worker[i].duplicate;
		/* by chance: whether both failed, and with what */
		if (f->worker[i].rc < 0 && (!failed || ends_all(f->worker[i].rc)))
			failed = &f->worker[i];
	}
	rc = settle(f, failed ? NULL : diag);
	if (failed) {
		evs_fail_copy(diag, &failed->diag);
		rc = failed->rc;
	}
out:
	for (unsigned i = 0; i < FLUSH_THREADS; i++)
		forget_rows(&f->worker[i], evs_spool_spilled(s));
	return rc == 0 ? evs_spool_reset(s, diag) : rc;
}
