/*
 * Appending: the handle, and when rows are committed. See evseg.h; the way of a row is
 * append_feed.c (lines), append_chunk.c (defaults, checks, partition), spool.c, flush.c,
 * segment_write.c.
 */
#include "src/store/append_impl.h"

#include "src/diag.h"
#include "src/store/io.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t evs_append_now(const struct evs_appender *a)
{
	return a->opts.now ? a->opts.now : evs_io_now();
}

static int copy_text(char **out, const char *s)
{
	if (s && !(*out = strdup(s)))
		return EVS_E_NOMEM;
	return 0;
}

/* The last part of a path. */
static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* Last part of the stream's path: its name. */
static int stream_name(struct evs_appender *a, const char *stream, struct evs_diag *diag)
{
	size_t n = strlen(stream);
	char *copy, *real = NULL;
	int rc;

	while (n > 1 && stream[n - 1] == '/')
		n--;
	copy = evs_text_copy(stream, n);
	if (!copy)
		return evs_fail_nomem(diag);
	a->dir = copy;
	if (strcmp(last_part(copy), ".") != 0 && strcmp(last_part(copy), "..") != 0)
		return copy_text(&a->name, last_part(copy)) < 0 ? evs_fail_nomem(diag) : 0;
	rc = evs_io_realpath(copy, &real, diag);
	if (rc == 0 && copy_text(&a->name, last_part(real)) < 0)
		rc = evs_fail_nomem(diag);
	free(real);
	return rc;
}

static int check_opts(const struct evs_append_opts *o, struct evs_diag *diag)
{
	if (o->source && (!o->source[0] || strlen(o->source) > EVS_MAX_SOURCE_ID))
		return evs_fail(diag, EVS_E_USAGE, "a source name has 1 to %u bytes",
				EVS_MAX_SOURCE_ID);
	/* Rejects tell how far their source has come in JSON, where such names would be one. */
	if (o->source && !evs_utf8_valid(o->source, strlen(o->source)))
		return evs_fail(diag, EVS_E_USAGE, "a source name is UTF-8");
	if (o->zstd_level < 0 || o->zstd_level > 19)
		return evs_fail(diag, EVS_E_USAGE, "the zstd level is 1 to 19");
	return 0;
}

static int init_rejects(struct evs_appender *a, struct evs_diag *diag)
{
	char path[EVS_PATH_MAX];
	int rc = evs_path_join(path, a->dir, "rejects.ndjson", diag);

	if (rc < 0)
		return rc;
	rc = evs_rejects_init(&a->rejects, a->opts.rejects ? a->opts.rejects : path, a->dir,
			      a->source, diag);
	a->rejects.file = a->file;
	a->rejects.wait = &a->wait;
	a->rejects.on_note = a->opts.on_note;
	a->rejects.arg = a->opts.arg;
	return rc;
}

/* A stream made of a store's or a tenant's folder would hide what is in it. */
static int check_folder(const char *dir, struct evs_diag *diag)
{
	enum evs_path_kind kind;
	struct evs_io_stat st;
	char **streams = NULL;
	size_t n = 0;
	int rc = evs_io_stat(dir, &st, diag);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = evs_path_kind(dir, &kind, diag);
	if (rc < 0)
		return rc == EVS_E_USAGE ? 0 : rc; /* neither one nor the other */
	if (kind == EVS_PATH_TENANT)
		return evs_fail(diag, EVS_E_USAGE, "%.900s is a tenant's folder: name the stream",
				dir);
	rc = evs_store_streams(dir, &streams, &n, diag);
	if (rc == 0 && n)
		rc = evs_fail(diag, EVS_E_USAGE,
			      "%.900s is a store with %zu streams: name one, such as %.500s", dir,
			      n, streams[0]);
	evs_strings_free(streams, n);
	return rc;
}

/* With a schema.sql begin at once; without one infer, unless the folder is something else. */
static int load_table(struct evs_appender *a, struct evs_diag *diag)
{
	struct evs_infer_opts io = { .stream = a->name,
				     .time = a->opts.time,
				     .tenant = a->opts.tenant,
				     .keys = a->opts.keys,
				     .nkeys = a->opts.nkeys };
	struct evs_table *t = NULL;
	int rc = evs_stream_table(a->dir, &t, diag);

	if (rc == 0) {
		/* Only what is sent again after a crash must find the schema as it would have
		 * become. */
		rc = a->source ? evs_append_resume_infer(a, t, diag) : 0;
		if (rc < 0) {
			evs_table_free(t);
			return rc;
		}
		return evs_append_set_table(a, t, diag);
	}
	if (rc == 1)
		rc = check_folder(a->dir, diag);
	return rc < 0 ? rc : evs_infer_new(&a->infer, &io, diag);
}

int evs_append_open(struct evs_appender **out, const char *stream,
		    const struct evs_append_opts *opts, struct evs_diag *diag)
{
	static const struct evs_append_opts none;
	struct evs_appender *a;
	int rc = check_opts(opts ? opts : &none, diag);

	if (rc < 0)
		return rc;
	a = calloc(1, sizeof(*a));
	if (!a)
		return evs_fail_nomem(diag);
	a->opts = opts ? *opts : none;
	a->wait = (struct evs_wait){ a->opts.no_wait, a->opts.stop, a->opts.arg };
	a->rejects.fd = a->rejects.copy = -1;
	rc = stream_name(a, stream, diag);
	if (rc < 0)
		goto out;
	if (copy_text(&a->source, a->opts.source) < 0 || copy_text(&a->file, a->opts.file) < 0 ||
	    evs_eval_new(&a->eval) < 0 || !evs_helper_init(&a->helper)) {
		rc = evs_fail_nomem(diag);
		goto out;
	}
	rc = init_rejects(a, diag);
	if (rc == 0)
		rc = load_table(a, diag);
	if (rc < 0)
		goto out;
	*out = a;
	a = NULL;
out:
	evs_append_close(a);
	return rc;
}

void evs_append_close(struct evs_appender *a)
{
	if (!a)
		return;
	evs_append_drop_table(a);
	evs_infer_free(a->infer);
	evs_rejects_release(&a->rejects);
	evs_eval_free(a->eval);
	evs_helper_release(&a->helper);
	evs_buf_release(&a->carry);
	evs_buf_release(&a->sample);
	free(a->source);
	free(a->file);
	free(a->name);
	free(a->dir);
	free(a);
}

/* A thousand columns, or wide ones, of 4,096 rows would be memory in which nothing stands. */
static uint32_t rows_of_chunk(const struct evs_array *cols, uint16_t n)
{
	uint32_t rows = CHUNK_ROWS;
	size_t width = 1;

	for (uint16_t i = 0; i < n - EVS_SPOOL_OWN; i++)
		width += cols[i].width;
	if (rows > CHUNK_CELLS / n)
		rows = (uint32_t)(CHUNK_CELLS / n) + 1;
	if (rows > CHUNK_MEMORY / width)
		rows = (uint32_t)(CHUNK_MEMORY / width) + 1;
	return rows;
}

static int alloc_columns(const struct evs_appender *a, struct evs_array **out)
{
	uint16_t n = (uint16_t)(a->table->ncols + EVS_SPOOL_OWN);
	struct evs_array *cols = calloc(n, sizeof(*cols));

	*out = cols;
	if (!cols)
		return EVS_E_NOMEM;
	for (uint16_t i = 0; i < a->table->ncols; i++)
		if (evs_type_array(&a->table->cols[i].type, &cols[i]) < 0)
			return EVS_E_NOMEM;
	evs_array_init(&cols[n - 2], EVS_INT, 4, false);
	evs_array_init(&cols[n - 1], EVS_INT, 8, false);
	return 0;
}

static int alloc_chunks(struct evs_appender *a)
{
	a->seg = calloc(CHUNK_ROWS, sizeof(*a->seg));
	a->idx = calloc(CHUNK_ROWS, sizeof(*a->idx));
	a->bad = calloc(CHUNK_ROWS, sizeof(*a->bad));
	if (!a->seg || !a->idx || !a->bad || alloc_columns(a, &a->kept) < 0)
		return EVS_E_NOMEM;
	a->at = a->chunk;
	a->max_rows = rows_of_chunk(a->kept, (uint16_t)(a->table->ncols + EVS_SPOOL_OWN));
	for (unsigned i = 0; i < 2; i++) {
		struct chunk *c = &a->chunk[i];

		if (evs_json_reader_new(&c->reader, a->table) < 0 || alloc_columns(a, &c->cols) < 0)
			return EVS_E_NOMEM;
		evs_json_reader_set_strict(c->reader, a->opts.strict);
	}
	return 0;
}

int evs_append_set_table(struct evs_appender *a, struct evs_table *t, struct evs_diag *diag)
{
	int rc;

	a->table = t;
	if (alloc_chunks(a) < 0)
		return evs_fail_nomem(diag);
	rc = evs_spool_new(&a->spool, t, a->dir, SPOOL_RELIEF, diag);
	if (rc < 0)
		return rc;
	a->flush = (struct evs_flush){ .stream_dir = a->dir,
				       .stream_name = t->name,
				       .source = a->source,
				       .wait = &a->wait,
				       .helper = &a->helper,
				       .table = t,
				       .zstd_level = a->opts.zstd_level ? a->opts.zstd_level : 1,
				       .on_ack = a->opts.on_ack,
				       .on_note = a->opts.on_note,
				       .arg = a->opts.arg,
				       .stats = &a->stats };
	a->flush_ready = true;
	return evs_flush_init(&a->flush, diag);
}

static void free_columns(struct evs_array *cols, uint16_t n)
{
	for (uint16_t i = 0; cols && i < n; i++)
		evs_array_release(&cols[i]);
	free(cols);
}

static uint64_t digits_dropped(const struct evs_appender *a)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < 2; i++)
		if (a->chunk[i].reader)
			n += evs_json_reader_digits_dropped(a->chunk[i].reader);
	return n;
}

void evs_append_drop_table(struct evs_appender *a)
{
	uint16_t n = a->table ? (uint16_t)(a->table->ncols + EVS_SPOOL_OWN) : 0;

	a->stats.digits_dropped += digits_dropped(a);
	for (unsigned i = 0; i < 2; i++) {
		struct chunk *c = &a->chunk[i];

		free_columns(c->cols, n);
		evs_json_reader_free(c->reader);
		c->cols = NULL;
		c->reader = NULL;
		c->nrows = 0;
		c->bytes = 0;
	}
	free_columns(a->kept, n);
	free(a->seg);
	free(a->idx);
	free(a->bad);
	a->kept = NULL;
	a->seg = a->idx = NULL;
	a->bad = NULL;
	if (a->flush_ready)
		evs_flush_release(&a->flush);
	a->flush_ready = false;
	evs_spool_free(a->spool);
	a->spool = NULL;
	evs_table_free(a->table);
	a->table = NULL;
}

/* ---- when to commit -------------------------------------------------------------------------- */

int evs_append_commit(struct evs_appender *a, struct evs_diag *diag)
{
	int rc = evs_rejects_flush(&a->rejects, diag);

	if (rc == 0 && a->spool && evs_spool_rows(a->spool)) {
		if (evs_spool_memory(a->spool) > a->stats.peak_buffered)
			a->stats.peak_buffered = evs_spool_memory(a->spool);
		rc = evs_flush_run(&a->flush, a->spool, a->total, evs_append_now(a), diag);
	}
	a->flushed_total = a->total;
	a->first_pending = 0;
	return rc;
}

bool evs_append_due(const struct evs_appender *a)
{
	uint64_t limit = a->opts.flush_bytes ? a->opts.flush_bytes : FLUSH_BYTES;

	return (a->opts.flush_rows &&
		evs_spool_rows(a->spool) + a->at->nrows >= a->opts.flush_rows) ||
	       a->total - a->flushed_total >= limit;
}

int evs_append_relieve(struct evs_appender *a, struct evs_diag *diag)
{
	int64_t busy = a->opts.flush_interval_ms ? a->opts.flush_interval_ms : BUSY_INTERVAL_MS;

	if (!a->spool || !evs_spool_rows(a->spool))
		return 0;
	if (evs_append_due(a) || evs_spool_must_flush(a->spool) ||
	    evs_io_monotonic() - a->first_pending >= busy * 1000000)
		return evs_append_commit(a, diag);
	if (!evs_spool_full(a->spool) && !(a->large && evs_spool_memory(a->spool)))
		return 0;
	a->large = false;
	/* Much for each of few segments: nothing is gained by waiting for more. */
	if (evs_spool_memory(a->spool) / evs_spool_segments(a->spool) > SPOOL_MEMORY / 4)
		return evs_append_commit(a, diag);
	return evs_spool_spill(a->spool, &a->helper, diag);
}

/* The first error stays: nothing is acknowledged after it. EVS_E_STOP commits what came before. */
static int conclude(struct evs_appender *a, int rc, struct evs_diag *diag)
{
	if (rc == EVS_E_STOP) {
		int r = evs_append_commit(a, diag);

		rc = r < 0 ? r : EVS_E_STOP;
	}
	if (rc < 0)
		a->failed = rc;
	return rc;
}

static int already_failed(const struct evs_appender *a, struct evs_diag *diag)
{
	return evs_fail(diag, a->failed, "an earlier error ended this run");
}

int evs_append_feed(struct evs_appender *a, const void *data, size_t len, struct evs_diag *diag)
{
	const char *p = data;
	int rc = 0;

	if (a->failed)
		return already_failed(a, diag);
	a->stats.bytes_in += len;
	a->ahead = false;
	while (len && rc == 0) {
		size_t take = len < CHUNK_BYTES ? len : CHUNK_BYTES;

		rc = evs_append_lines(a, p, take, diag);
		p += take;
		len -= take;
		if (rc == 0)
			rc = evs_append_relieve(a, diag);
	}
	return conclude(a, rc, diag);
}

int evs_append_idle(struct evs_appender *a, int *wait_ms, struct evs_diag *diag)
{
	int64_t limit = a->opts.flush_interval_ms ? a->opts.flush_interval_ms : IDLE_INTERVAL_MS;
	int64_t age;
	int rc;

	*wait_ms = -1;
	if (a->failed)
		return already_failed(a, diag);
	if (!a->first_pending || (!a->table && !evs_append_can_infer(a)))
		return 0;
	age = (evs_io_monotonic() - a->first_pending) / 1000000;
	if (age >= limit) {
		rc = evs_append_infer(a, diag);
		if (rc == 0)
			rc = evs_append_commit(a, diag);
		return conclude(a, rc, diag);
	}
	*wait_ms = limit - age < INT_MAX ? (int)(limit - age) : INT_MAX;
	return 0;
}

/* A line that the input ended without a newline. */
static int take_rest(struct evs_appender *a, struct evs_diag *diag)
{
	static const char newline = '\n';

	if (a->sample.len) { /* nothing could be inferred, so it is no row either */
		evs_buf_put(&a->sample, &newline, 1);
		return evs_buf_ok(&a->sample) ? evs_append_infer(a, diag) : evs_fail_nomem(diag);
	}
	if (!a->carry.len && !a->overlong)
		return 0;
	return evs_append_lines(a, &newline, 1, diag);
}

int evs_append_flush(struct evs_appender *a, bool end, struct evs_diag *diag)
{
	int rc;

	if (a->failed)
		return already_failed(a, diag);
	rc = evs_append_infer(a, diag);
	if (rc == 0 && end)
		rc = take_rest(a, diag); /* of the sample, too */
	if (rc == 0)
		rc = evs_append_commit(a, diag);
	return conclude(a, rc, diag);
}

int evs_append_file(struct evs_appender *a, const char *name, struct evs_diag *diag)
{
	char *copy = NULL;
	int rc;

	if (a->failed)
		return already_failed(a, diag);
	rc = evs_append_infer(a, diag);
	if (rc == 0)
		rc = take_rest(a, diag);
	if (rc < 0)
		return conclude(a, rc, diag);
	if (copy_text(&copy, name) < 0)
		return conclude(a, evs_fail_nomem(diag), diag);
	free(a->file);
	a->file = copy;
	a->rejects.file = copy;
	a->line = 0;
	a->off = 0;
	return 0;
}

void evs_append_stats(const struct evs_appender *a, struct evs_append_stats *out)
{
	*out = a->stats;
	out->digits_dropped += digits_dropped(a);
}
