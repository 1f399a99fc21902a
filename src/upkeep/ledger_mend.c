/*
 * Opening the ledger: what a crash left is put in order (spec/store.md 10.3).
 */
#include "src/upkeep/ledger.h"

#include "src/diag.h"
#include "src/json/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than the lines of a batch and their answers, so all that can be open stands in it. */
#define END_BYTES (512u << 10)

/* What a line says, as far as it matters here. */
struct said {
	char what[16];
	char segment[EVS_PATH_MAX];
	const char *tails; /* raw JSON, or NULL */
	size_t tails_len;
};

struct mending {
	struct evs_ledger *l;
	char *text; /* the end of the ledger */
	size_t len;
	/* lines that say "drop" and that no later one answers */
	size_t open[2 * EVS_LEDGER_BATCH];
	size_t nopen;
};

static bool take_text(const char *val, size_t vlen, char *out, size_t cap)
{
	/* Names are escaped (spec/store.md 2): no quote or backslash is among their bytes. */
	if (vlen < 2 || vlen - 2 >= cap || val[0] != '"')
		return false;
	memcpy(out, val + 1, vlen - 2);
	out[vlen - 2] = '\0';
	return !strchr(out, '\\');
}

static bool take_field(void *arg, const char *key, size_t klen, const char *val, size_t vlen)
{
	struct said *s = arg;

	if (klen == 4 && !memcmp(key, "what", 4))
		return take_text(val, vlen, s->what, sizeof(s->what));
	if (klen == 7 && !memcmp(key, "segment", 7))
		return take_text(val, vlen, s->segment, sizeof(s->segment));
	if (klen == 5 && !memcmp(key, "tails", 5)) {
		s->tails = val;
		s->tails_len = vlen;
	}
	return true;
}

/* One folder, not hidden, and a segment's name in it: nothing that leads elsewhere. */
static bool is_segment(const char *s)
{
	const char *slash = strchr(s, '/');
	int64_t lo;

	return slash && slash != s && s[0] != '.' && evs_segment_name_parse(slash + 1, &lo);
}

/* 1: the line at `at` is one of ours. */
static int read_line(const struct mending *m, size_t at, struct said *s)
{
	const char *line = m->text + at, *nl = memchr(line, '\n', m->len - at), *reason;
	int rc;

	*s = (struct said){ .tails = NULL };
	rc = evs_json_walk(line, (size_t)(nl - line), take_field, s, &reason);
	return rc <= 0 ? rc : is_segment(s->segment);
}

/* The line that `s` answers is no longer open. */
static int answer(struct mending *m, const struct said *s)
{
	struct said other;

	for (size_t i = m->nopen; i-- > 0;) {
		int rc = read_line(m, m->open[i], &other);

		if (rc < 0)
			return rc;
		if (strcmp(other.segment, s->segment) != 0)
			continue;
		memmove(m->open + i, m->open + i + 1, (m->nopen - i - 1) * sizeof(*m->open));
		m->nopen--;
		break;
	}
	return 0;
}

static int find_open(struct mending *m)
{
	struct said s;

	for (size_t at = 0; at < m->len;) {
		const char *nl = memchr(m->text + at, '\n', m->len - at);
		int rc = read_line(m, at, &s);

		if (rc < 0)
			return rc;
		if (rc == 1 && strcmp(s.what, "drop") != 0)
			rc = answer(m, &s);
		else if (rc == 1 && m->nopen < sizeof(m->open) / sizeof(*m->open))
			m->open[m->nopen++] = at;
		if (rc < 0)
			return rc;
		at = (size_t)(nl - m->text) + 1;
	}
	return 0;
}

static int inode_of(const char *path, uint64_t *ino, struct evs_diag *diag)
{
	struct evs_io_stat st;
	int rc = evs_io_stat(path, &st, diag);

	*ino = rc == 0 ? st.ino : 0;
	return rc < 0 ? rc : 0;
}

/* Files "NAME.tail-..." in the segment's folder, from the line that named them. */
static int remove_tails(const struct said *s, const char *path, struct evs_diag *diag)
{
	const char *name = evs_path_name(s->segment), *p = s->tails;
	const char *end = p ? p + s->tails_len : NULL;
	size_t dir = strlen(path) - strlen(name);
	char tail[EVS_PATH_MAX];
	int rc = 0;

	while (p && rc == 0 && (p = memchr(p, '"', (size_t)(end - p)))) {
		const char *q = memchr(p + 1, '"', (size_t)(end - p - 1));
		size_t n = q ? (size_t)(q - p - 1) : 0;

		if (!q)
			break;
		if (n > strlen(name) && dir + n < sizeof(tail) && !memchr(p + 1, '/', n) &&
		    !memcmp(p + 1, name, strlen(name)) &&
		    !memcmp(p + 1 + strlen(name), ".tail-", 6)) {
			memcpy(tail, path, dir);
			memcpy(tail + dir, p + 1, n);
			tail[dir + n] = '\0';
			rc = evs_io_unlink(tail, diag);
		}
		p = q + 1;
	}
	return rc;
}

/*
 * Did the segment leave? Then it stands under its hidden name, or nothing does under either. Under
 * both names, when a file system kept only half of the rename, it did not.
 */
static int settle(struct mending *m, size_t at, struct evs_diag *diag)
{
	char path[EVS_PATH_MAX], aside[EVS_PATH_MAX];
	const char *line = m->text + at, *rest;
	struct said s;
	uint64_t there = 0, hidden = 0;
	bool left;
	int rc = read_line(m, at, &s);

	if (rc < 0)
		return evs_fail_nomem(diag);
	rc = evs_leaving_names(m->l->stream, s.segment, path, aside, diag);
	if (rc == 0)
		rc = inode_of(path, &there, diag);
	if (rc == 0)
		rc = inode_of(aside, &hidden, diag);
	if (rc < 0)
		return rc;
	left = hidden ? hidden != there : !there;
	if (left)
		rc = remove_tails(&s, path, diag);
	else if (hidden)
		rc = evs_io_unlink(aside, diag);
	if (rc == 0)
		rc = evs_io_sync_parent(path, diag);
	if (rc < 0 && evs_path_gone(path, NULL) && !hidden)
		rc = 0; /* so is its folder */
	rest = strstr(line, "\"what\":\"drop\"");
	if (rc == 0 && rest) {
		rest += strlen("\"what\":\"drop\"");
		evs_ledger_add(m->l, left ? "dropped" : "kept", rest, strcspn(rest, "\n") + 1);
	}
	return rc;
}

static void remove_hidden(const char *path, const char *aside)
{
	char dir[EVS_PATH_MAX];
	struct evs_io_stat st;

	if (evs_io_stat(aside, &st, NULL) == 0 && evs_io_unlink(aside, NULL) == 0)
		(void)evs_io_sync_parent(aside, NULL);
	evs_expire_unfinished(path);
	if (evs_path_above(dir, path, 1))
		(void)evs_io_rmdir(dir, NULL);
}

/*
 * What the newest lines say has left is removed, and with it a folder that has nothing left in it.
 * What cannot be is no reason to drop nothing today: the next run tries again.
 */
static int sweep(struct mending *m, struct evs_diag *diag)
{
	char path[EVS_PATH_MAX], aside[EVS_PATH_MAX];
	struct said s;

	for (size_t at = 0; at < m->len;) {
		const char *nl = memchr(m->text + at, '\n', m->len - at);
		int rc = read_line(m, at, &s);

		if (rc < 0)
			return evs_fail_nomem(diag);
		at = (size_t)(nl - m->text) + 1;
		if (rc > 0 && evs_leaving_names(m->l->stream, s.segment, path, aside, NULL) == 0)
			remove_hidden(path, aside);
	}
	return 0;
}

/* Bytes that a crash tore: from a zero byte on, or behind the last newline. */
static int cut_torn(struct mending *m, struct evs_diag *diag)
{
	struct evs_ledger *l = m->l;
	uint64_t from = l->size - m->len;
	const char *zero = memchr(m->text, 0, m->len);
	size_t whole = zero ? (size_t)(zero - m->text) : m->len;
	char aside[EVS_PATH_MAX];
	int rc = 0;

	while (whole && m->text[whole - 1] != '\n')
		whole--;
	if (whole < m->len)
		rc = evs_set_aside(l->fd, l->path, from + whole, l->size, ".ndjson", aside, diag);
	l->size = from + whole;
	m->len = whole;
	return rc;
}

/* The end of the ledger, from the beginning of a line. */
static int load_end(struct mending *m, struct evs_diag *diag)
{
	struct evs_ledger *l = m->l;
	size_t n = l->size < END_BYTES ? (size_t)l->size : END_BYTES;
	char *nl;
	int rc;

	m->text = malloc(n + 1);
	if (!m->text)
		return evs_fail_nomem(diag);
	m->text[n] = '\0';
	rc = evs_io_pread(l->fd, m->text, n, l->size - n, l->path, diag);
	m->len = n;
	if (rc < 0 || n == l->size || !(nl = memchr(m->text, '\n', n)))
		return rc;
	m->len = n - (size_t)(nl + 1 - m->text);
	memmove(m->text, nl + 1, m->len);
	return 0;
}

static int mend(struct evs_ledger *l, struct evs_diag *diag)
{
	struct mending *m = calloc(1, sizeof(*m));
	int rc = m ? 0 : evs_fail_nomem(diag);

	if (m) {
		m->l = l;
		rc = load_end(m, diag);
	}
	if (rc == 0)
		rc = cut_torn(m, diag);
	if (rc == 0 && find_open(m) < 0)
		rc = evs_fail_nomem(diag);
	for (size_t i = 0; rc == 0 && i < m->nopen; i++)
		rc = settle(m, m->open[i], diag);
	if (rc == 0 && m->nopen)
		rc = evs_ledger_put(l, diag);
	if (rc == 0)
		rc = sweep(m, diag);
	if (m)
		free(m->text);
	free(m);
	return rc;
}

int evs_ledger_open(struct evs_ledger *l, const char *stream, const struct evs_wait *how,
		    struct evs_diag *diag)
{
	struct evs_io_stat st;
	int rc = evs_path_join(l->path, stream, "expired.ndjson", diag);

	l->stream = stream;
	l->fd = l->lock_fd = -1;
	l->batch = calloc(EVS_LEDGER_BATCH, sizeof(*l->batch));
	if (!l->batch)
		return evs_fail_nomem(diag);
	for (unsigned i = 0; i < EVS_LEDGER_BATCH; i++)
		l->batch[i].fd = -1;
	if (rc == 0)
		rc = evs_upkeep_lock(stream, how, &l->lock_fd, diag);
	if (rc == 0)
		rc = evs_io_stat(l->path, &st, diag);
	if (rc != 0)
		return rc < 0 ? rc : 0; /* it is made with its first line */
	rc = evs_io_open_write(&l->fd, l->path, false, diag);
	if (rc == 0)
		rc = evs_io_fstat(l->fd, l->path, &st, diag);
	if (rc < 0)
		return rc;
	l->size = st.size;
	return mend(l, diag);
}
