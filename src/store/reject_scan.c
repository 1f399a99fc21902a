/*
 * How far the rejects of a source have come in an earlier run. Records are read from their ends, so
 * that one of any length costs no memory.
 */
#include "src/store/reject.h"

#include "src/diag.h"
#include "src/json/json.h"
#include "src/store/io.h"

#include <string.h>

#define READ_BYTES (256u << 10)
#define TAIL_BYTES (64u << 10) /* of a record, enough for its last fields */

struct scan_state {
	const struct evs_buf *source; /* as JSON, with its quotes */
	uint64_t end;
	bool ours;
};

static bool scan_field(void *arg, const char *key, size_t klen, const char *val, size_t vlen)
{
	struct scan_state *st = arg;

	if (klen == 6 && !memcmp(key, "source", 6))
		st->ours = vlen == st->source->len && !memcmp(val, st->source->p, vlen);
	if (klen == 3 && !memcmp(key, "end", 3)) {
		st->end = 0;
		for (size_t i = 0; i < vlen && val[i] >= '0' && val[i] <= '9'; i++)
			st->end = st->end * 10 + (uint64_t)(val[i] - '0');
	}
	return true;
}

/* The fields from "source" on, which stand behind the line itself; its own quotes are escaped and
 * not taken for them. */
/* EVS_E_NOMEM or 0. */
static int scan_record(char *p, size_t n, const struct evs_buf *source, uint64_t *seen)
{
	static const char key[] = ",\"source\":\"";
	struct scan_state st = { .source = source };
	size_t klen = sizeof(key) - 1, at = n;
	const char *reason;

	while (at > 0 && (n - at < klen || memcmp(p + at, key, klen) != 0))
		at--;
	if (n < klen || memcmp(p + at, key, klen) != 0)
		return 0;
	p[at] = '{';
	if (evs_json_walk(p + at, n - at, scan_field, &st, &reason) < 0)
		return EVS_E_NOMEM;
	if (st.ours && st.end > *seen)
		*seen = st.end;
	return 0;
}

/* All lines of buf[0 .. n) that have their newline; `*used` gets their length. EVS_E_NOMEM or 0. */
static int scan_lines(struct evs_buf *buf, const struct evs_buf *source, uint64_t *seen,
		      size_t *used)
{
	uint8_t *nl;
	int rc = 0;

	*used = 0;
	while (rc == 0 && (nl = memchr(buf->p + *used, '\n', buf->len - *used))) {
		if (source)
			rc = scan_record((char *)buf->p + *used, (size_t)(nl - buf->p) - *used,
					 source, seen);
		*used = (size_t)(nl - buf->p) + 1;
	}
	return rc;
}

int evs_rejects_scan(int fd, const char *path, const struct evs_buf *source, uint64_t *seen,
		     uint64_t *whole, struct evs_diag *diag)
{
	struct evs_buf buf = { 0 };
	uint64_t at = 0; /* offset of what is read next */
	bool torn = false;
	int rc = 0;

	*whole = 0;
	while (!torn) {
		uint8_t *zero;
		size_t got, used;

		if (!evs_buf_reserve(&buf, READ_BYTES)) {
			rc = evs_fail_nomem(diag);
			break;
		}
		rc = evs_io_pread_some(fd, buf.p + buf.len, READ_BYTES, at, &got, path, diag);
		if (rc < 0 || got == 0)
			break;
		zero = memchr(buf.p + buf.len, 0, got);
		torn = zero != NULL;
		if (torn)
			got = (size_t)(zero - (buf.p + buf.len));
		at += got;
		buf.len += got;
		if (scan_lines(&buf, source, seen, &used) < 0) {
			rc = evs_fail_nomem(diag);
			break;
		}
		if (used)
			*whole = at - (buf.len - used);
		if (buf.len - used > TAIL_BYTES)
			used = buf.len - TAIL_BYTES;
		memmove(buf.p, buf.p + used, buf.len - used);
		buf.len -= used;
	}
	evs_buf_release(&buf);
	return rc;
}
