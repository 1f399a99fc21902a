/*
 * Reject records: {"line":7,"offset":1234,"reason":"...","raw":"..."}, with "file" and "source"
 * when there are.
 *
 * JSON text is UTF-8, so a line that is not is given twice: as "raw" with U+FFFD in the place of
 * what cannot be said, and exactly, as "raw_base64".
 */
#include "src/store/reject.h"

#include "src/diag.h"
#include "src/store/io.h"
#include "src/store/store.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_BYTES (256u << 10)

static const struct evs_wait at_once = { .never = true };

/* Where a record stands in `out`. */
struct reject_mark {
	uint64_t end;
	size_t at, len;
};

/* ---- writing --------------------------------------------------------------------------------- */

/* What a crash tore is set aside: no record may become part of it, and none stands behind it. */
static int cut_torn(struct evs_rejects *r, uint64_t size, struct evs_diag *diag)
{
	char aside[EVS_PATH_MAX], text[2400];
	uint64_t whole;
	int rc = evs_rejects_scan(r->fd, r->path, NULL, NULL, &whole, diag);

	if (rc < 0 || whole == size)
		return rc;
	rc = evs_set_aside(r->fd, r->path, whole, size, ".ndjson", aside, diag);
	(void)snprintf(text, sizeof(text),
		       "%s: %llu bytes that were no record were set aside in %s", r->path,
		       (unsigned long long)(size - whole), aside);
	if (rc == 0 && r->on_note)
		r->on_note(r->arg, text);
	return rc;
}

/*
 * Whoever has the file alone, when it opens it, repairs it; then all share it. One that cannot have
 * it alone finds it repaired by who was first.
 */
static int open_file(struct evs_rejects *r, struct evs_diag *diag)
{
	struct evs_io_stat st;
	int rc = evs_io_open_append(&r->fd, r->path, diag);

	if (rc == 0)
		rc = evs_io_fstat(r->fd, r->path, &st, diag);
	if (rc < 0)
		return rc;
	r->device = !st.is_file;
	if (r->device)
		return 0;
	rc = evs_io_lock(r->fd, &at_once, r->path, diag);
	if (rc == 0 && (rc = evs_io_fstat(r->fd, r->path, &st, diag)) == 0)
		rc = cut_torn(r, st.size, diag);
	if (rc == 0 || rc == EVS_E_LOCKED)
		rc = evs_io_lock_shared(r->fd, r->wait, r->path, diag);
	if (rc == 0)
		rc = evs_io_fstat(r->fd, r->path, &st, diag);
	r->size = r->synced = st.size;
	return rc;
}

/*
 * The sync failed, so nobody knows whether the records are on disk, and a later run would find them
 * in the cache and take them for written. They go, unless another writer's stand among them. The
 * run ends with the sync's error in any case.
 */
static void take_back(struct evs_rejects *r)
{
	struct evs_io_stat st;

	if (evs_io_lock(r->fd, &at_once, r->path, NULL) == 0 &&
	    evs_io_fstat(r->fd, r->path, &st, NULL) == 0 && st.size == r->size)
		(void)evs_io_truncate(r->fd, r->synced, r->path, NULL);
}

static int sync_file(struct evs_rejects *r, struct evs_diag *diag)
{
	int rc = evs_io_sync(r->fd, r->path, diag);

	if (rc < 0) {
		take_back(r);
		return rc;
	}
	r->synced = r->size;
	return r->synced_dir ? 0 : evs_io_sync_parent(r->path, diag);
}

static int write_out(struct evs_rejects *r, struct evs_diag *diag)
{
	int rc = 0;

	if (!evs_buf_ok(&r->out))
		return evs_fail_nomem(diag);
	if (!r->out.len)
		return 0;
	if (r->fd < 0)
		rc = open_file(r, diag);
	if (rc == 0)
		rc = evs_io_write(r->fd, r->out.p, r->out.len, r->path, diag);
	r->size += r->out.len;
	evs_buf_reset(&r->out);
	r->unsynced = true;
	return rc;
}

/* Length of the UTF-8 character at p, 0 when there is none. */
static size_t utf8_len(const uint8_t *p, size_t n)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80		   ? 1
		     : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
		     : (p[0] & 0xf0) == 0xe0	   ? 3
		     : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
						   : 0;
	uint32_t c = len > 1 ? p[0] & (0x7fu >> len) : p[0];

	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : len;
}

/* String content with U+FFFD for what is no UTF-8; true when there was such. */
static bool put_lossy(struct evs_buf *b, const uint8_t *p, size_t n)
{
	bool lossy = false;
	char esc[8];

	for (size_t i = 0; i < n;) {
		size_t len = utf8_len(p + i, n - i);

		if (len == 0) {
			evs_buf_put(b, "\xef\xbf\xbd", 3);
			lossy = true;
			i++;
		} else if (p[i] == '"' || p[i] == '\\') {
			evs_buf_put_u8(b, '\\');
			evs_buf_put_u8(b, p[i++]);
		} else if (p[i] < 0x20) {
			(void)snprintf(esc, sizeof(esc), "\\u%04x", p[i++]);
			evs_buf_put(b, esc, 6);
		} else {
			evs_buf_put(b, p + i, len);
			i += len;
		}
	}
	return lossy;
}

/* What is there of the source is not written again; so it must be made durable, if who wrote it did
 * not come so far. */
static int scan_file(struct evs_rejects *r, const struct evs_buf *source, struct evs_diag *diag)
{
	struct evs_io_stat st;
	uint64_t whole;
	int fd = -1, rc = evs_io_stat(r->path, &st, diag);

	if (rc != 0 || !st.is_file)
		return rc < 0 ? rc : 0;
	rc = evs_io_open_read(&fd, r->path, diag);
	if (rc == 0)
		rc = evs_rejects_scan(fd, r->path, source, &r->seen, &whole, diag);
	evs_io_close(fd);
	r->unsynced = r->seen > 0;
	return rc;
}

int evs_rejects_init(struct evs_rejects *r, const char *path, const char *dir, const char *source,
		     struct evs_diag *diag)
{
	struct evs_buf text = { 0 };
	int rc;

	*r = (struct evs_rejects){ .fd = -1, .copy = -1, .dir = dir, .source = source };
	r->path = strdup(path);
	if (!r->path)
		return evs_fail_nomem(diag);
	if (!source)
		return 0;
	evs_buf_put_u8(&text, '"');
	(void)put_lossy(&text, (const uint8_t *)source, strlen(source));
	evs_buf_put_u8(&text, '"');
	rc = evs_buf_ok(&text) ? scan_file(r, &text, diag) : evs_fail_nomem(diag);
	evs_buf_release(&text);
	return rc;
}

void evs_rejects_release(struct evs_rejects *r)
{
	evs_io_close(r->fd);
	evs_io_close(r->copy);
	r->fd = r->copy = -1;
	free(r->path);
	r->path = NULL;
	free(r->marks);
	r->marks = NULL;
	r->nmarks = r->marks_cap = 0;
	evs_buf_release(&r->out);
}

static void put_number(struct evs_buf *b, const char *key, uint64_t v)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "\"%s\":%llu,", key, (unsigned long long)v);

	evs_buf_put(b, text, (size_t)n);
}

static void put_string(struct evs_buf *b, const char *key, const char *v)
{
	evs_buf_put_u8(b, '"');
	evs_buf_put(b, key, strlen(key));
	evs_buf_put(b, "\":\"", 3);
	(void)put_lossy(b, (const uint8_t *)v, strlen(v));
	evs_buf_put(b, "\",", 2);
}

static void put_head(struct evs_rejects *r, uint64_t line, uint64_t off, const char *reason)
{
	evs_buf_put_u8(&r->out, '{');
	if (r->file)
		put_string(&r->out, "file", r->file);
	put_number(&r->out, "line", line);
	put_number(&r->out, "offset", off);
	put_string(&r->out, "reason", reason);
}

static const char base64_begin[] = ",\"raw_base64\":\"";

static void put_base64(struct evs_buf *b, const void *raw, size_t len)
{
	size_t room = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);

	if (!evs_buf_reserve(b, room))
		return;
	sodium_bin2base64((char *)b->p + b->len, room, raw, len, sodium_base64_VARIANT_ORIGINAL);
	b->len += room - 1;
}

/* The last fields. */
static void put_end(struct evs_rejects *r, uint64_t end)
{
	if (r->source) {
		evs_buf_put_u8(&r->out, ',');
		put_string(&r->out, "source", r->source);
		put_number(&r->out, "end", end);
		if (evs_buf_ok(&r->out))
			r->out.len--; /* its comma */
	}
	evs_buf_put(&r->out, "}\n", 2);
}

static int mark(struct evs_rejects *r, uint64_t end, size_t at)
{
	if (r->nmarks == r->marks_cap) {
		size_t cap = r->marks_cap ? r->marks_cap * 2 : 64;
		struct reject_mark *grown = realloc(r->marks, cap * sizeof(*grown));

		if (!grown)
			return EVS_E_NOMEM;
		r->marks = grown;
		r->marks_cap = cap;
	}
	r->marks[r->nmarks++] =
		(struct reject_mark){ .end = end, .at = at, .len = r->out.len - at };
	return 0;
}

int evs_rejects_add(struct evs_rejects *r, uint64_t line, uint64_t off, uint64_t end,
		    const char *reason, const void *raw, size_t len, struct evs_diag *diag)
{
	size_t at = r->out.len;

	if (r->source && end <= r->seen)
		return 0;
	put_head(r, line, off, reason);
	evs_buf_put(&r->out, "\"raw\":\"", 7);
	if (put_lossy(&r->out, raw, len)) {
		evs_buf_put_u8(&r->out, '"');
		evs_buf_put(&r->out, base64_begin, strlen(base64_begin));
		put_base64(&r->out, raw, len);
	}
	evs_buf_put_u8(&r->out, '"');
	put_end(r, end);
	if (!evs_buf_ok(&r->out) || mark(r, end, at) < 0)
		return evs_fail_nomem(diag);
	return 0;
}

bool evs_rejects_full(const struct evs_rejects *r)
{
	return r->out.len >= 2 * WRITE_BYTES;
}

static int by_end(const void *a, const void *b)
{
	const struct reject_mark *x = a, *y = b;

	return x->end < y->end ? -1 : x->end > y->end;
}

/* CHECKs speak of a chunk's rows after all its lines have been parsed. */
static int put_in_order(struct evs_rejects *r)
{
	struct evs_buf sorted = { 0 };
	size_t i = 1, from = r->nmarks ? r->marks[0].at : 0;

	while (i < r->nmarks && r->marks[i - 1].end <= r->marks[i].end)
		i++;
	if (i >= r->nmarks)
		return 0;
	qsort(r->marks, r->nmarks, sizeof(*r->marks), by_end);
	for (i = 0; i < r->nmarks; i++)
		evs_buf_put(&sorted, r->out.p + r->marks[i].at, r->marks[i].len);
	if (evs_buf_ok(&sorted))
		memcpy(r->out.p + from, sorted.p, sorted.len);
	i = evs_buf_ok(&sorted);
	evs_buf_release(&sorted);
	return i ? 0 : EVS_E_NOMEM;
}

int evs_rejects_chunk(struct evs_rejects *r, struct evs_diag *diag)
{
	if (put_in_order(r) < 0)
		return evs_fail_nomem(diag);
	r->nmarks = 0;
	return r->out.len >= WRITE_BYTES ? write_out(r, diag) : 0;
}

/* ---- a line in pieces
 * ---------------------------------------------------------------------------------------
 *
 * Whether it is UTF-8 shows at its end only, so its bytes go to a temporary file as well, from
 * which raw_base64 is made.
 */

/* Of the line at a time: a multiple of 3, or there would be padding in the middle. */
#define BASE64_BYTES (3u << 16)

/* How many bytes at the end of p[0 .. n) begin a character that may go on behind them? */
static size_t unfinished(const uint8_t *p, size_t n)
{
	for (size_t back = 1; back <= 3 && back <= n; back++) {
		uint8_t c = p[n - back];

		if ((c & 0xc0) == 0x80)
			continue;
		return (c >= 0xc2 && c < 0xe0 && back < 2) || ((c & 0xf0) == 0xe0 && back < 3) ||
				       (c >= 0xf0 && c < 0xf5)
			       ? back
			       : 0;
	}
	return 0;
}

/* Complete the character held back. Returns how many bytes of the piece went into it. */
static size_t put_held(struct evs_rejects *r, const uint8_t *p, size_t n)
{
	uint8_t join[sizeof(r->held) + 3];
	size_t take = n < 3 ? n : 3, had = r->nheld, len;

	memcpy(join, r->held, had);
	memcpy(join + had, p, take);
	len = utf8_len(join, had + take);
	if (len > had) {
		(void)put_lossy(&r->out, join, len);
		r->nheld = 0;
		return len - had;
	}
	if (take == n && had + take < sizeof(r->held) &&
	    unfinished(join, had + take) == had + take) {
		memcpy(r->held, join, had + take);
		r->nheld = had + take;
		return take;
	}
	r->lossy |= put_lossy(&r->out, join, had);
	r->nheld = 0;
	return 0;
}

int evs_rejects_begin(struct evs_rejects *r, uint64_t line, uint64_t off, uint64_t begin,
		      const char *reason, struct evs_diag *diag)
{
	int rc = evs_rejects_chunk(r, diag);

	r->nheld = 0;
	r->lossy = false;
	r->copied = 0;
	r->skip = r->source && begin < r->seen;
	if (rc == 0 && !r->skip)
		rc = evs_io_open_unnamed(&r->copy, r->dir, diag);
	if (rc < 0 || r->skip)
		return rc;
	put_head(r, line, off, reason);
	evs_buf_put(&r->out, "\"raw\":\"", 7);
	return write_out(r, diag);
}

static int put_piece(struct evs_rejects *r, const uint8_t *p, size_t len, struct evs_diag *diag)
{
	size_t tail;

	if (r->nheld) {
		size_t used = put_held(r, p, len);

		p += used;
		len -= used;
	}
	tail = r->nheld ? 0 : unfinished(p, len);
	r->lossy |= put_lossy(&r->out, p, len - tail);
	if (tail) {
		memcpy(r->held, p + len - tail, tail);
		r->nheld = tail;
	}
	return r->out.len >= WRITE_BYTES ? write_out(r, diag) : 0;
}

int evs_rejects_raw(struct evs_rejects *r, const void *raw, size_t len, struct evs_diag *diag)
{
	const uint8_t *p = raw;
	int rc = 0;

	while (rc == 0 && len && !r->skip) {
		size_t n = len < WRITE_BYTES ? len : WRITE_BYTES;

		rc = evs_io_pwrite(r->copy, p, n, r->copied, r->dir, diag);
		r->copied += n;
		if (rc == 0)
			rc = put_piece(r, p, n, diag);
		p += n;
		len -= n;
	}
	return rc;
}

static int put_copy(struct evs_rejects *r, struct evs_diag *diag)
{
	struct evs_buf piece = { 0 };
	uint64_t at = 0;
	int rc = evs_buf_reserve(&piece, BASE64_BYTES) ? 0 : evs_fail_nomem(diag);

	while (rc == 0 && at < r->copied) {
		size_t n = r->copied - at < BASE64_BYTES ? (size_t)(r->copied - at) : BASE64_BYTES;

		rc = evs_io_pread(r->copy, piece.p, n, at, r->dir, diag);
		if (rc < 0)
			break;
		put_base64(&r->out, piece.p, n);
		rc = write_out(r, diag);
		at += n;
	}
	evs_buf_release(&piece);
	return rc;
}

int evs_rejects_end(struct evs_rejects *r, uint64_t end, struct evs_diag *diag)
{
	int rc = 0;

	if (r->skip) {
		r->skip = false;
		return 0;
	}
	r->lossy |= put_lossy(&r->out, r->held, r->nheld);
	r->nheld = 0;
	evs_buf_put_u8(&r->out, '"');
	if (r->lossy) {
		evs_buf_put(&r->out, base64_begin, strlen(base64_begin));
		rc = put_copy(r, diag);
		evs_buf_put_u8(&r->out, '"');
	}
	evs_io_close(r->copy);
	r->copy = -1;
	put_end(r, end);
	return rc == 0 ? write_out(r, diag) : rc;
}

int evs_rejects_flush(struct evs_rejects *r, struct evs_diag *diag)
{
	int rc = evs_rejects_chunk(r, diag);

	if (rc == 0)
		rc = write_out(r, diag);
	if (rc < 0 || !r->unsynced)
		return rc;
	if (r->fd < 0)
		rc = open_file(r, diag);
	if (rc == 0 && !r->device)
		rc = sync_file(r, diag);
	if (rc == 0) {
		r->unsynced = false;
		r->synced_dir = true;
	}
	return rc;
}
