/*
 * Reject records: {"line":7,"offset":1234,"reason":"...","raw":"..."}, with "file" and "source" when there are.
 *
 * JSON text is UTF-8, so a line that is not is given twice: as "raw" with U+FFFD in the place of what cannot be said,
 * and exactly, as "raw_base64".
 */
#include "src/store/reject.h"

#include "src/diag.h"
#include "src/json/json.h"
#include "src/store/io.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_BYTES (256u << 10)

struct scan_state {
	const char *source;
	uint64_t end;
	bool ours;
};

static bool scan_field(void *arg, const char *key, size_t klen, const char *val, size_t vlen)
{
	struct scan_state *st = arg;
	size_t n = strlen(st->source);

	if (klen == 6 && !memcmp(key, "source", 6))
		st->ours = vlen == n + 2 && !memcmp(val + 1, st->source, n);
	if (klen == 3 && !memcmp(key, "end", 3)) {
		st->end = 0;
		for (size_t i = 0; i < vlen && val[i] >= '0' && val[i] <= '9'; i++)
			st->end = st->end * 10 + (uint64_t)(val[i] - '0');
	}
	return true;
}

/* How far the rejects of this source have come in an earlier run. */
static int scan_seen(struct evs_rejects *r, struct evs_diag *diag)
{
	struct evs_buf buf = { 0 };
	struct scan_state st = { .source = r->source };
	const char *reason;
	uint64_t at = 0;
	int fd = -1, rc = evs_io_stat(r->path, &(struct evs_io_stat){ 0 }, diag);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = evs_io_open_read(&fd, r->path, diag);
	while (rc == 0) {
		uint8_t *nl;
		size_t got, used = 0;

		if (!evs_buf_reserve(&buf, WRITE_BYTES)) {
			rc = evs_fail_nomem(diag);
			break;
		}
		rc = evs_io_pread_some(fd, buf.p + buf.len, WRITE_BYTES, at, &got, r->path, diag);
		if (rc < 0 || got == 0)
			break;
		at += got;
		buf.len += got;
		while ((nl = memchr(buf.p + used, '\n', buf.len - used))) {
			st.ours = false;
			st.end = 0;
			(void)evs_json_walk((char *)buf.p + used, (size_t)(nl - buf.p) - used, scan_field, &st, &reason);
			if (st.ours && st.end > r->seen)
				r->seen = st.end;
			used = (size_t)(nl - buf.p) + 1;
		}
		memmove(buf.p, buf.p + used, buf.len - used);
		buf.len -= used;
	}
	evs_buf_release(&buf);
	evs_io_close(fd);
	return rc;
}

int evs_rejects_init(struct evs_rejects *r, const char *path, const char *source, struct evs_diag *diag)
{
	*r = (struct evs_rejects){ .fd = -1, .source = source };
	r->path = strdup(path);
	if (!r->path)
		return evs_fail_nomem(diag);
	return source ? scan_seen(r, diag) : 0;
}

void evs_rejects_release(struct evs_rejects *r)
{
	evs_io_close(r->fd);
	r->fd = -1;
	free(r->path);
	r->path = NULL;
	evs_buf_release(&r->out);
}

static int write_out(struct evs_rejects *r, struct evs_diag *diag)
{
	int rc = 0;

	if (!evs_buf_ok(&r->out))
		return evs_fail_nomem(diag);
	if (!r->out.len)
		return 0;
	if (r->fd < 0)
		rc = evs_io_open_append(&r->fd, r->path, diag);
	if (rc == 0)
		rc = evs_io_write(r->fd, r->out.p, r->out.len, r->path, diag);
	evs_buf_reset(&r->out);
	r->unsynced = true;
	return rc;
}

/* Length of the UTF-8 character at p, 0 when there is none. */
static size_t utf8_len(const uint8_t *p, size_t n)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 :
		     p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
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

static int put_base64(struct evs_buf *b, const void *raw, size_t len)
{
	size_t room = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);

	evs_buf_put(b, ",\"raw_base64\":\"", 15);
	if (!evs_buf_reserve(b, room))
		return EVS_E_NOMEM;
	sodium_bin2base64((char *)b->p + b->len, room, raw, len, sodium_base64_VARIANT_ORIGINAL);
	b->len += room - 1;
	evs_buf_put_u8(b, '"');
	return 0;
}

int evs_rejects_add(struct evs_rejects *r, uint64_t line, uint64_t off, uint64_t end, const char *reason,
		    const void *raw, size_t len, struct evs_diag *diag)
{
	int rc = 0;

	if (r->source && end <= r->seen)
		return 0;
	put_head(r, line, off, reason);
	if (r->source) {
		put_string(&r->out, "source", r->source);
		put_number(&r->out, "end", end);
	}
	evs_buf_put(&r->out, "\"raw\":\"", 7);
	if (put_lossy(&r->out, raw, len)) {
		evs_buf_put_u8(&r->out, '"');
		rc = put_base64(&r->out, raw, len);
	} else {
		evs_buf_put_u8(&r->out, '"');
	}
	evs_buf_put(&r->out, "}\n", 2);
	if (rc < 0)
		return evs_fail_nomem(diag);
	return r->out.len >= WRITE_BYTES ? write_out(r, diag) : 0;
}

int evs_rejects_begin(struct evs_rejects *r, uint64_t line, uint64_t off, const char *reason,
		      struct evs_diag *diag)
{
	put_head(r, line, off, reason);
	evs_buf_put(&r->out, "\"raw\":\"", 7);
	return write_out(r, diag);
}

int evs_rejects_raw(struct evs_rejects *r, const void *raw, size_t len, struct evs_diag *diag)
{
	(void)put_lossy(&r->out, raw, len);
	return r->out.len >= WRITE_BYTES ? write_out(r, diag) : 0;
}

int evs_rejects_end(struct evs_rejects *r, struct evs_diag *diag)
{
	evs_buf_put(&r->out, "\"}\n", 3);
	return write_out(r, diag);
}

int evs_rejects_flush(struct evs_rejects *r, struct evs_diag *diag)
{
	int rc = write_out(r, diag);

	if (rc == 0 && r->unsynced && r->fd >= 0)
		rc = evs_io_sync(r->fd, r->path, diag);
	if (rc == 0)
		r->unsynced = false;
	return rc;
}
