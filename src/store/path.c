/*
 * Names and paths. See path.h and spec/store.md 2.
 */
#include "src/store/path.h"

#include "format/head.h"
#include "src/diag.h"
#include "src/store/io.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char hex[] = "0123456789ABCDEF";

static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

static bool ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && !memcmp(s + len - n, end, n);
}

/* Files of ours end so; a tenant of such a name gets its last dot escaped. */
static bool ends_like_ours(const char *s, size_t len)
{
	static const char *const ours[] = { ".evs", ".sql", ".ndjson", ".json", ".tmp", ".lock" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (ends_with(s, len, ours[i]))
			return true;
	return false;
}

static size_t last_dot(const char *s, size_t len)
{
	while (len && s[len - 1] != '.')
		len--;
	return len ? len - 1 : SIZE_MAX;
}

/* Too long for a file name: a readable beginning, and a hash that stands for all of it. */
static void escape_long(const char *name, size_t len, char *out, size_t keep)
{
	uint8_t hash[16];
	char *p = out + keep;

	crypto_generichash(hash, sizeof(hash), (const uint8_t *)name, len, NULL, 0);
	*p++ = '%';
	*p++ = '~';
	for (size_t i = 0; i < sizeof(hash); i++) {
		*p++ = hex[hash[i] >> 4];
		*p++ = hex[hash[i] & 15];
	}
	*p = '\0';
}

void evs_name_escape(const char *name, size_t len, char *out)
{
	size_t dot = ends_like_ours(name, len) ? last_dot(name, len) : SIZE_MAX;
	size_t n = 0, keep = 0;

	if (len == 0) { /* "%" alone comes from no other name */
		memcpy(out, "%", 2);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];
		bool plain =
			is_plain(c) && i != dot && !(c == '.' && i == 0) && !(c == '_' && len == 1);

		if (n + (plain ? 1 : 3) > EVS_NAME_BYTES) {
			escape_long(name, len, out, keep);
			return;
		}
		if (plain) {
			out[n++] = (char)c;
		} else {
			out[n++] = '%';
			out[n++] = hex[c >> 4];
			out[n++] = hex[c & 15];
		}
		if (n <= EVS_NAME_BYTES - 40)
			keep = n;
	}
	out[n] = '\0';
}

static int hex_value(char c)
{
	const char *at = c ? strchr(hex, c) : NULL;

	return at ? (int)(at - hex) : -1;
}

bool evs_name_unescape(const char *name, size_t len, char *out, size_t *n)
{
	*n = 0;
	if (len == 1 && name[0] == '%')
		return true;
	for (size_t i = 0; i < len; i++) {
		int high, low;

		if (name[i] != '%') {
			out[(*n)++] = name[i];
			continue;
		}
		high = i + 1 < len ? hex_value(name[i + 1]) : -1;
		low = i + 2 < len ? hex_value(name[i + 2]) : -1;
		if (high < 0 || low < 0)
			return false;
		out[(*n)++] = (char)(high << 4 | low);
		i += 2;
	}
	return true;
}

const char *evs_path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int evs_path_join(char *out, const char *dir, const char *name, struct evs_diag *diag)
{
	size_t n = strlen(dir);
	const char *sep = n && dir[n - 1] == '/' ? "" : "/";
	int len = snprintf(out, EVS_PATH_MAX, "%s%s%s", dir, sep, name);

	if (len < 0 || (size_t)len >= EVS_PATH_MAX)
		return evs_fail(diag, EVS_E_LIMIT, "path is longer than %u bytes: %.100s/...",
				EVS_PATH_MAX - 1, dir);
	return 0;
}

void evs_segment_name(int64_t lo, char *out)
{
	int64_t days = lo >= 0 ? lo / 86400 : -((-lo + 86399) / 86400);
	size_t n = evs_date_print((int32_t)days, out);

	memcpy(out + n, ".evs", 5);
}

static bool two_digits(const char *s, unsigned *v)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return false;
	*v = (unsigned)(s[0] - '0') * 10 + (unsigned)(s[1] - '0');
	return true;
}

bool evs_segment_name_parse(const char *name, int64_t *lo)
{
	unsigned c, y, m, d;

	if (strlen(name) != 14 || name[4] != '-' || name[7] != '-' ||
	    strcmp(name + 10, ".evs") != 0)
		return false;
	if (!two_digits(name, &c) || !two_digits(name + 2, &y) || !two_digits(name + 5, &m) ||
	    !two_digits(name + 8, &d) || m < 1 || m > 12 || d < 1 || d > 31)
		return false;
	*lo = evs_days_from_civil((int64_t)c * 100 + y, m, d) * 86400;
	return true;
}

static int has_file(const char *dir, const char *name, bool *yes, struct evs_diag *diag)
{
	char path[EVS_PATH_MAX];
	struct evs_io_stat st;
	int rc = evs_path_join(path, dir, name, diag);

	if (rc == 0)
		rc = evs_io_stat(path, &st, diag);
	*yes = rc == 0 && st.is_file;
	return rc < 0 ? rc : 0;
}

/*
 * A folder without schema.sql: a tenant when it holds segments, a store when it holds streams. A
 * folder in it that may not be looked into matters only when no other one tells.
 */
static int kind_of_folder(const char *path, enum evs_path_kind *kind, struct evs_diag *diag)
{
	struct evs_io_entry *list = NULL;
	struct evs_diag d = { 0 };
	char sub[EVS_PATH_MAX];
	bool yes = false, denied = false;
	size_t n = 0;
	int64_t lo;
	int rc = evs_io_list(path, &list, &n, diag);

	if (rc < 0)
		return rc;
	*kind = EVS_PATH_STORE;
	for (size_t i = 0; i < n && !yes && (rc == 0 || denied); i++) {
		if (!list[i].is_dir && evs_segment_name_parse(list[i].name, &lo)) {
			*kind = EVS_PATH_TENANT;
			yes = true;
		} else if (list[i].is_dir) {
			rc = evs_path_join(sub, path, list[i].name, &d);
			if (rc == 0)
				rc = has_file(sub, "schema.sql", &yes, &d);
			denied = rc == EVS_E_SYS && d.sys == EACCES;
		}
	}
	evs_io_list_free(list, n);
	if (yes || n == 0)
		return 0;
	if (d.err) {
		evs_fail_copy(diag, &d);
		return d.err;
	}
	return evs_fail(
		diag, EVS_E_USAGE,
		"%.900s is no store, stream, tenant or segment: no schema.sql and no .evs file in it",
		path);
}

int evs_path_kind(const char *path, enum evs_path_kind *kind, struct evs_diag *diag)
{
	struct evs_io_stat st;
	bool yes;
	int rc = evs_io_stat(path, &st, diag);

	if (rc < 0)
		return rc;
	if (rc == 1)
		return evs_fail_sys(diag, ENOENT, path, "cannot open");
	if (!st.is_dir) {
		*kind = EVS_PATH_SEGMENT;
		return 0;
	}
	rc = has_file(path, "schema.sql", &yes, diag);
	if (rc < 0)
		return rc;
	if (yes) {
		*kind = EVS_PATH_STREAM;
		return 0;
	}
	return kind_of_folder(path, kind, diag);
}

void evs_strings_free(char **s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(s[i]);
	free(s);
}

int evs_store_streams(const char *store, char ***out, size_t *n, struct evs_diag *diag)
{
	struct evs_io_entry *list = NULL;
	char **streams = NULL, sub[EVS_PATH_MAX];
	size_t nlist = 0, len = 0;
	bool yes = false;
	int rc = evs_io_list(store, &list, &nlist, diag);

	if (rc < 0)
		return rc;
	streams = calloc(nlist + 1, sizeof(*streams));
	if (!streams) {
		rc = evs_fail_nomem(diag);
		goto out;
	}
	for (size_t i = 0; i < nlist; i++) {
		if (!list[i].is_dir)
			continue;
		rc = evs_path_join(sub, store, list[i].name, diag);
		if (rc == 0)
			rc = has_file(sub, "schema.sql", &yes, diag);
		if (rc < 0)
			goto out;
		if (yes && !(streams[len++] = strdup(sub))) {
			rc = evs_fail_nomem(diag);
			len--;
			goto out;
		}
	}
	*out = streams;
	*n = len;
	streams = NULL;
out:
	if (streams)
		evs_strings_free(streams, len);
	evs_io_list_free(list, nlist);
	return rc;
}

int evs_stream_make(const char *stream, bool *new_store, struct evs_diag *diag)
{
	char store[EVS_PATH_MAX], *slash;
	int rc = evs_path_join(store, stream, "", diag);

	*new_store = false;
	if (rc < 0)
		return rc;
	store[strlen(store) - 1] = '\0';
	slash = strrchr(store, '/');
	if (slash && slash != store) {
		*slash = '\0';
		rc = evs_io_mkdir(store, diag);
		if (rc < 0)
			return rc;
		*new_store = rc > 0;
		rc = evs_io_sync_parent(store, diag);
		/* One that has always been there may lie in a folder that we may not open. */
		if (rc < 0 && *new_store)
			return rc;
	}
	rc = evs_io_mkdir(stream, diag);
	/* Also when it was there: whoever made it may not have come so far. */
	return rc < 0 ? rc : evs_io_sync_parent(stream, diag);
}

int evs_stream_lock(const char *stream, const struct evs_wait *how, int *fd, struct evs_diag *diag)
{
	char path[EVS_PATH_MAX];
	int rc = evs_path_join(path, stream, "schema.lock", diag);

	*fd = -1;
	if (rc == 0)
		rc = evs_io_open_write(fd, path, true, diag);
	return rc == 0 ? evs_io_lock(*fd, how, path, diag) : rc;
}

int evs_stream_schema(const char *stream, char **text, size_t *len, struct evs_diag *diag)
{
	char path[EVS_PATH_MAX];
	int rc = evs_path_join(path, stream, "schema.sql", diag);

	return rc < 0 ? rc : evs_io_read_file(path, EVS_MAX_SCHEMA, text, len, diag);
}

int evs_stream_table(const char *stream, struct evs_table **out, struct evs_diag *diag)
{
	char *text = NULL;
	size_t len = 0;
	int rc = evs_stream_schema(stream, &text, &len, diag);

	if (rc != 0)
		return rc;
	rc = evs_table_parse(out, text, len, diag);
	if (rc < 0 && diag)
		snprintf(diag->path, sizeof(diag->path), "%s/schema.sql", stream);
	free(text);
	return rc;
}
