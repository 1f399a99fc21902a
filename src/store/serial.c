/*
 * serials.json is one JSON object, column name to next number. It is replaced as a whole, under the
 * lock of serials.lock.
 */
#include "src/store/serial.h"

#include "src/diag.h"
#include "src/json/json.h"
#include "src/store/io.h"
#include "src/store/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct edit {
	const char *column;
	uint64_t first, n, most;
	bool found;
	struct evs_buf out;
};

static void put_entry(struct evs_buf *b, const char *key, size_t klen, uint64_t v)
{
	char num[32];
	int n = snprintf(num, sizeof(num), ":%llu", (unsigned long long)v);

	evs_buf_put_u8(b, b->len ? ',' : '{');
	evs_json_put_string(b, key, klen);
	evs_buf_put(b, num, (size_t)n);
}

static bool edit_field(void *arg, const char *key, size_t klen, const char *val, size_t vlen)
{
	struct edit *e = arg;
	uint64_t v = 0;

	for (size_t i = 0; i < vlen; i++) {
		unsigned digit = (unsigned)(unsigned char)val[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (klen == strlen(e->column) && !memcmp(key, e->column, klen)) {
		e->found = true;
		e->first = v;
		v += e->n;
	}
	put_entry(&e->out, key, klen, v);
	return true;
}

static int update(const char *path, struct edit *e, struct evs_diag *diag)
{
	const char *reason = NULL;
	char *text = NULL;
	size_t len = 0;
	int walked, rc = evs_io_read_file(path, 16u << 20, &text, &len, diag);

	if (rc < 0)
		return rc;
	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	walked = rc == 0 ? evs_json_walk(text, len, edit_field, e, &reason) : 1;
	if (walked <= 0) {
		rc = walked < 0 ? evs_fail_nomem(diag)
				: evs_fail(diag, EVS_E_SCHEMA,
					   "%.800s is no JSON object of numbers", path);
		goto out;
	}
	if (!e->found) {
		e->first = 1;
		put_entry(&e->out, e->column, strlen(e->column), 1 + e->n);
	}
	if (e->first > e->most || e->n - 1 > e->most - e->first) {
		rc = evs_fail(diag, EVS_E_LIMIT,
			      "the serial column %.200s has no numbers left; widen it", e->column);
		goto out;
	}
	evs_buf_put(&e->out, "}\n", 2);
	rc = evs_buf_ok(&e->out) ? evs_io_write_file(path, e->out.p, e->out.len, diag)
				 : evs_fail_nomem(diag);
out:
	free(text);
	return rc;
}

int evs_serial_reserve(const char *stream_dir, const char *column, uint64_t n, uint64_t most,
		       const struct evs_wait *how, uint64_t *first, struct evs_diag *diag)
{
	char path[EVS_PATH_MAX], lock[EVS_PATH_MAX];
	struct edit e = { .column = column, .n = n, .most = most };
	int fd = -1;
	int rc = evs_path_join(path, stream_dir, "serials.json", diag);

	if (rc == 0)
		rc = evs_path_join(lock, stream_dir, "serials.lock", diag);
	if (rc == 0)
		rc = evs_io_open_write(&fd, lock, true, diag);
	if (rc == 0)
		rc = evs_io_lock(fd, how, lock, diag);
	if (rc == 0)
		rc = update(path, &e, diag);
	*first = e.first;
	evs_io_close(fd);
	evs_buf_release(&e.out);
	return rc;
}
