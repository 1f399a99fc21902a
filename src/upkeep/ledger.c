/*
 * See ledger.h. For each segment the ledger gets a line that it is about to go, synced before
 * anything happens, and one that it has gone, or has not. In between it is renamed to a hidden
 * name, so that what is there after a crash tells which.
 */
#include "src/upkeep/ledger.h"

#include "src/diag.h"
#include "src/schema/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_BYTES (128u << 10) /* of a batch, beyond which no more are taken */

int evs_upkeep_lock(const char *stream, const struct evs_wait *how, int *fd, struct evs_diag *diag)
{
	char path[EVS_PATH_MAX];
	int rc = evs_path_join(path, stream, "expire.lock", diag);

	*fd = -1;
	if (rc == 0)
		rc = evs_io_open_write(fd, path, true, diag);
	return rc == 0 ? evs_io_lock(*fd, how, path, diag) : rc;
}

int evs_leaving_names(const char *stream, const char *segment, char *path, char *aside,
		      struct evs_diag *diag)
{
	const char *name = evs_path_name(segment);
	int rc = evs_path_join(path, stream, segment, diag);
	size_t dir = strlen(path) - strlen(name);

	if (rc < 0)
		return rc;
	if (strlen(path) + sizeof("..expired") > EVS_PATH_MAX)
		return evs_fail(diag, EVS_E_LIMIT, "path too long");
	(void)snprintf(aside, EVS_PATH_MAX, "%.*s.%s.expired", (int)dir, path, name);
	return 0;
}

void evs_leaving_release(struct evs_leaving *v)
{
	evs_io_close(v->fd);
	evs_buf_release(&v->line);
	evs_strings_free(v->tails, v->ntails);
	*v = (struct evs_leaving){ .fd = -1 };
}

/* {"time":"2025-01-01T00:00:00.000Z","what":"drop" */
static void begin_line(struct evs_buf *b, const char *what)
{
	char text[40], head[96];
	int n;

	text[evs_time_print(evs_io_now() / 1000000, 3, text)] = '\0';
	n = snprintf(head, sizeof(head), "{\"time\":\"%s\",\"what\":\"%s\"", text, what);
	evs_buf_put(b, head, (size_t)n);
}

int evs_ledger_put(struct evs_ledger *l, struct evs_diag *diag)
{
	int rc = evs_buf_ok(&l->out) ? 0 : evs_fail_nomem(diag);

	if (rc == 0 && l->fd < 0)
		rc = evs_io_open_write(&l->fd, l->path, true, diag);
	if (rc < 0)
		return rc;
	rc = evs_io_pwrite(l->fd, l->out.p, l->out.len, l->size, l->path, diag);
	if (rc == 0)
		rc = evs_io_sync(l->fd, l->path, diag);
	/* Also when it was there: who made it may have been killed before its name was on disk. */
	if (rc == 0 && !l->named)
		rc = evs_io_sync_dir(l->stream, diag);
	l->named |= rc == 0;
	if (rc == 0)
		l->size += l->out.len;
	else
		(void)evs_io_truncate(l->fd, l->size, l->path, NULL);
	evs_buf_reset(&l->out);
	return rc;
}

void evs_ledger_add(struct evs_ledger *l, const char *what, const void *rest, size_t len)
{
	begin_line(&l->out, what);
	evs_buf_put(&l->out, rest, len);
}

static void add_line(struct evs_ledger *l, const char *what, const struct evs_buf *rest)
{
	evs_ledger_add(l, what, rest->p, rest->len);
}

/* The folders that the batch's segments lie in, each once as far as neighbours go. */
static int sync_folders(struct evs_ledger *l, struct evs_diag *diag)
{
	char dir[EVS_PATH_MAX], last[EVS_PATH_MAX] = "";
	int rc = 0;

	for (unsigned i = 0; i < l->n && rc == 0; i++) {
		if (!l->batch[i].left || !evs_path_above(dir, l->batch[i].path, 1) ||
		    !strcmp(dir, last))
			continue;
		rc = evs_io_sync_dir(dir, diag);
		memcpy(last, dir, sizeof(last));
	}
	return rc;
}

/* What writers set aside from the segment goes, then it gets out of sight itself. */
static void leave(struct evs_leaving *v, struct evs_diag *why)
{
	int rc = 0;

	for (size_t i = 0; i < v->ntails && rc == 0; i++)
		rc = evs_io_unlink(v->tails[i], why);
	if (rc == 0)
		rc = evs_io_rename(v->path, v->aside, why);
	v->left = rc == 0;
}

/* Whatever fails behind the first sync: the next run finds the lines and what became of the
 * segments. */
static int drop_batch(struct evs_ledger *l, struct evs_diag *why, struct evs_diag *diag)
{
	int rc;

	for (unsigned i = 0; i < l->n; i++)
		add_line(l, "drop", &l->batch[i].line);
	rc = evs_ledger_put(l, diag);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < l->n; i++) {
		leave(&l->batch[i], &why[i]);
		add_line(l, l->batch[i].left ? "dropped" : "kept", &l->batch[i].line);
	}
	rc = sync_folders(l, diag);
	if (rc == 0)
		rc = evs_ledger_put(l, diag);
	evs_buf_reset(&l->out);
	for (unsigned i = 0; i < l->n && rc == 0; i++)
		if (l->batch[i].left)
			rc = evs_io_unlink(l->batch[i].aside, diag);
	return rc == 0 ? sync_folders(l, diag) : rc;
}

int evs_ledger_flush(struct evs_ledger *l, struct evs_diag *diag)
{
	struct evs_diag *why;
	int rc;

	if (!l->n)
		return 0;
	why = calloc(l->n, sizeof(*why));
	rc = why ? drop_batch(l, why, diag) : evs_fail_nomem(diag);
	for (unsigned i = 0; i < l->n; i++) {
		if (rc == 0)
			l->done(l->arg, &l->batch[i], &why[i]);
		evs_leaving_release(&l->batch[i]);
	}
	l->n = 0;
	free(why);
	return rc;
}

struct evs_leaving *evs_ledger_next(struct evs_ledger *l)
{
	return &l->batch[l->n];
}

int evs_ledger_take(struct evs_ledger *l, struct evs_diag *diag)
{
	size_t bytes = 0;

	if (!evs_buf_ok(&l->batch[l->n].line))
		return evs_fail_nomem(diag);
	l->n++;
	for (unsigned i = 0; i < l->n; i++)
		bytes += l->batch[i].line.len;
	return l->n == EVS_LEDGER_BATCH || bytes > LINES_BYTES ? evs_ledger_flush(l, diag) : 0;
}

void evs_ledger_close(struct evs_ledger *l)
{
	for (unsigned i = 0; l->batch && i < EVS_LEDGER_BATCH; i++)
		evs_leaving_release(&l->batch[i]);
	free(l->batch);
	evs_buf_release(&l->out);
	evs_io_close(l->fd);
	evs_io_close(l->lock_fd);
	*l = (struct evs_ledger){ .fd = -1, .lock_fd = -1 };
}
