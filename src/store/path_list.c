/*
 * From paths to segments: what a shell's glob or a user's fingers name, as a list of files in
 * reading order.
 */
#include "src/diag.h"
#include "src/store/io.h"
#include "src/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_PARTITION ((int64_t)31 * 86400)

struct lister {
	struct evs_path_list *out;
	size_t cap;
	uint64_t dev, ino; /* of the stream */
	const char *const *tenants;
	size_t ntenants;
	int64_t since, until; /* ns */
	struct evs_diag *diag;
};

static int add_path(struct lister *l, const char *path)
{
	if (l->out->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		char **grown = realloc(l->out->paths, cap * sizeof(*grown));

		if (!grown)
			return evs_fail_nomem(l->diag);
		l->out->paths = grown;
		l->cap = cap;
	}
	l->out->paths[l->out->n] = strdup(path);
	if (!l->out->paths[l->out->n])
		return evs_fail_nomem(l->diag);
	l->out->n++;
	return 0;
}

static int64_t ns_of(int64_t sec)
{
	return sec > INT64_MAX / 1000000000   ? INT64_MAX
	       : sec < INT64_MIN / 1000000000 ? INT64_MIN
					      : sec * 1000000000;
}

/* Can a segment of this name hold rows of the time asked for? The unit is not known here, so a
 * month is assumed. */
static bool name_may_match(const struct lister *l, int64_t lo)
{
	if (l->until != INT64_MAX && ns_of(lo) >= l->until)
		return false;
	return l->since == INT64_MIN || ns_of(lo + LONGEST_PARTITION) > l->since;
}

/* All paths must lead into one stream. `dir` may be no stream: then nothing is said. */
static int note_stream(struct lister *l, const char *dir)
{
	char schema[EVS_PATH_MAX];
	struct evs_io_stat st;
	int rc = evs_path_join(schema, dir, "schema.sql", l->diag);

	if (rc == 0)
		rc = evs_io_stat(schema, &st, l->diag);
	if (rc < 0)
		return rc;
	if (rc == 1) {
		l->out->loose = true;
		return 0;
	}
	rc = evs_io_stat(dir, &st, l->diag);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (l->out->stream) {
		if (l->dev == st.dev && l->ino == st.ino)
			return 0;
		return evs_fail(l->diag, EVS_E_USAGE,
				"the paths belong to two streams, %.400s and %.400s: name one",
				l->out->stream, dir);
	}
	l->dev = st.dev;
	l->ino = st.ino;
	l->out->stream = strdup(dir);
	return l->out->stream ? 0 : evs_fail_nomem(l->diag);
}

static int list_tenant(struct lister *l, const char *dir)
{
	struct evs_io_entry *list = NULL;
	char path[EVS_PATH_MAX];
	size_t n = 0;
	int64_t lo;
	int rc = evs_io_list(dir, &list, &n, l->diag);

	if (rc < 0) /* a folder that was expired this moment holds nothing */
		return evs_path_gone(dir, l->diag) ? 0 : rc;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (list[i].is_dir || !evs_segment_name_parse(list[i].name, &lo))
			continue;
		if (!name_may_match(l, lo)) {
			l->out->passed_time++;
			continue;
		}
		rc = evs_path_join(path, dir, list[i].name, l->diag);
		if (rc == 0)
			rc = add_path(l, path);
	}
	evs_io_list_free(list, n);
	return rc;
}

static bool tenant_wanted(const struct lister *l, const char *folder)
{
	char escaped[EVS_NAME_BYTES + 1];

	for (size_t i = 0; i < l->ntenants; i++) {
		evs_name_escape(l->tenants[i], strlen(l->tenants[i]), escaped);
		if (!strcmp(escaped, folder))
			return true;
	}
	return l->ntenants == 0;
}

static int list_stream(struct lister *l, const char *dir)
{
	struct evs_io_entry *list = NULL;
	char path[EVS_PATH_MAX];
	size_t n = 0;
	int rc = note_stream(l, dir);

	if (rc == 0)
		rc = evs_io_list(dir, &list, &n, l->diag);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		if (!list[i].is_dir || list[i].name[0] == '.')
			continue;
		if (!tenant_wanted(l, list[i].name)) {
			l->out->passed_tenants++;
			continue;
		}
		rc = evs_path_join(path, dir, list[i].name, l->diag);
		if (rc == 0)
			rc = list_tenant(l, path);
	}
	evs_io_list_free(list, n);
	return rc;
}

static int list_store(struct lister *l, const char *store)
{
	char **streams = NULL, names[512] = "";
	size_t n = 0, used = 0;
	int rc = evs_store_streams(store, &streams, &n, l->diag);

	if (rc < 0)
		return rc;
	if (n == 1) {
		rc = list_stream(l, streams[0]);
	} else if (n == 0) {
		rc = evs_fail(l->diag, EVS_E_USAGE, "%.900s holds no stream", store);
	} else {
		for (size_t i = 0; i < n && used + 40 < sizeof(names); i++) {
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%.32s",
						 i ? ", " : "", evs_path_name(streams[i]));
		}
		rc = evs_fail(l->diag, EVS_E_USAGE, "%.300s holds %zu streams (%s): name one",
			      store, n, names);
	}
	evs_strings_free(streams, n);
	return rc;
}

bool evs_path_above(char *out, const char *path, unsigned up)
{
	size_t n = strlen(path);

	if (n + (size_t)up * 3 >= EVS_PATH_MAX)
		return false;
	memcpy(out, path, n + 1);
	while (up--) {
		char *slash, *last;

		while (n > 1 && out[n - 1] == '/')
			out[--n] = '\0';
		slash = strrchr(out, '/');
		last = slash ? slash + 1 : out;
		if (!strcmp(last, "."))
			memcpy(last, "..", 3);
		else if (!strcmp(last, ".."))
			memcpy(out + n, "/..", 4);
		else if (slash)
			slash[slash == out] = '\0';
		else
			memcpy(out, ".", 2);
		n = strlen(out);
	}
	return true;
}

static int list_path(struct lister *l, const char *path)
{
	char above[EVS_PATH_MAX];
	enum evs_path_kind kind;
	int rc = evs_path_kind(path, &kind, l->diag);

	if (rc < 0)
		return rc;
	switch (kind) {
	case EVS_PATH_STORE:
		return list_store(l, path);
	case EVS_PATH_STREAM:
		return list_stream(l, path);
	case EVS_PATH_TENANT:
		rc = evs_path_above(above, path, 1) ? note_stream(l, above) : 0;
		return rc < 0 ? rc : list_tenant(l, path);
	default:
		rc = evs_path_above(above, path, 2) ? note_stream(l, above) : 0;
		return rc < 0 ? rc : add_path(l, path);
	}
}

int evs_path_list(struct evs_path_list *out, const char *const *paths, size_t npaths,
		  const char *const *tenants, size_t ntenants, int64_t since, int64_t until,
		  struct evs_diag *diag)
{
	struct lister l = { .out = out,
			    .tenants = tenants,
			    .ntenants = ntenants,
			    .since = since,
			    .until = until,
			    .diag = diag };
	int rc = 0;

	*out = (struct evs_path_list){ 0 };
	for (size_t i = 0; i < npaths && rc == 0; i++)
		rc = list_path(&l, paths[i]);
	if (rc < 0)
		evs_path_list_release(out);
	return rc;
}

void evs_path_list_release(struct evs_path_list *l)
{
	evs_strings_free(l->paths, l->n);
	free(l->stream);
	*l = (struct evs_path_list){ 0 };
}

uint64_t evs_path_size(const char *path)
{
	struct evs_io_stat st;

	return evs_io_stat(path, &st, NULL) == 0 ? st.size : 0;
}

bool evs_path_gone(const char *path, const struct evs_diag *why)
{
	struct evs_io_stat st;

	return (why && why->sys == ENOENT) || evs_io_stat(path, &st, NULL) == 1;
}
