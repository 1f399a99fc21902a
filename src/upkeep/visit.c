/*
 * See visit.h.
 */
#include "src/upkeep/visit.h"

#include "src/diag.h"

#include <stdlib.h>
#include <string.h>

struct visiting {
	const struct evs_visitor *v;
	char stream[EVS_PATH_MAX];
	uint64_t dev, ino; /* of the stream */
	bool open, passed;
	struct evs_diag *diag;
};

static void tell(const struct visiting *g, const struct evs_diag *d)
{
	if (g->v->problem)
		g->v->problem(g->v->arg, d);
}

/* Out of memory ends all; anything else is told. */
static int pass(const struct visiting *g, int rc, const struct evs_diag *d)
{
	if (rc >= 0)
		return 0;
	if (rc == EVS_E_NOMEM) {
		if (g->diag)
			*g->diag = *d;
		return rc;
	}
	tell(g, d);
	return 0;
}

static int leave_stream(struct visiting *g)
{
	bool call = g->open && !g->passed && g->v->stream_end;

	g->open = false;
	return call ? g->v->stream_end(g->v->arg, g->stream, g->diag) : 0;
}

/* 0: we are in it. 1: it is to be passed over, or none, which has been told. */
static int enter_stream(struct visiting *g, const char *stream)
{
	char schema[EVS_PATH_MAX];
	struct evs_diag d = { 0 };
	struct evs_io_stat st;
	int rc = evs_path_join(schema, stream, "schema.sql", &d);

	if (rc == 0)
		rc = evs_io_stat(schema, &st, &d);
	if (rc == 1)
		rc = evs_fail(&d, EVS_E_USAGE, "%.900s: no schema.sql there, so this is no stream",
			      stream);
	if (rc == 0)
		rc = evs_io_stat(stream, &st, &d);
	if (rc < 0) {
		rc = pass(g, rc, &d);
		return rc < 0 ? rc : 1;
	}
	if (g->open && g->dev == st.dev && g->ino == st.ino)
		return g->passed;
	rc = leave_stream(g);
	if (rc < 0)
		return rc;
	memcpy(g->stream, stream, strlen(stream) + 1);
	g->dev = st.dev;
	g->ino = st.ino;
	g->open = true;
	rc = g->v->stream ? g->v->stream(g->v->arg, g->stream, g->diag) : 0;
	g->passed = rc != 0;
	return rc;
}

/* Without slashes at its end, and with a name that is one: the folder in which it lies is needed.
 */
static int plain_path(char *out, const char *path, struct evs_diag *diag)
{
	size_t n = strlen(path);

	if (n >= EVS_PATH_MAX)
		return evs_fail(diag, EVS_E_LIMIT, "path is longer than %u bytes: %.100s/...",
				EVS_PATH_MAX - 1, path);
	memcpy(out, path, n + 1);
	while (n > 1 && out[n - 1] == '/')
		out[--n] = '\0';
	return 0;
}

static int visit_segment(struct visiting *g, struct evs_visit *v)
{
	return g->v->segment ? g->v->segment(g->v->arg, v, g->diag) : 0;
}

static int visit_tenant(struct visiting *g, const char *dir)
{
	struct evs_visit v = { .stream = g->stream, .dir = dir, .folder = evs_path_name(dir) };
	struct evs_io_entry *list = NULL;
	struct evs_diag d = { 0 };
	char path[EVS_PATH_MAX];
	size_t n = 0;
	int rc = evs_io_list(dir, &list, &n, &d);

	if (rc < 0) /* one that was expired this moment is nothing to tell of */
		return evs_path_gone(dir, &d) ? 0 : pass(g, rc, &d);
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (list[i].is_dir || !evs_segment_name_parse(list[i].name, &v.lo))
			continue;
		v.name = list[i].name;
		v.path = path;
		rc = evs_path_join(path, dir, v.name, &d);
		rc = rc < 0 ? pass(g, rc, &d) : visit_segment(g, &v);
	}
	evs_io_list_free(list, n);
	if (rc == 0 && g->v->tenant_end)
		rc = g->v->tenant_end(g->v->arg, &v, g->diag);
	return rc;
}

static bool tenant_wanted(const struct visiting *g, const char *folder)
{
	char escaped[EVS_NAME_BYTES + 1];

	for (size_t i = 0; i < g->v->ntenants; i++) {
		evs_name_escape(g->v->tenants[i], strlen(g->v->tenants[i]), escaped);
		if (!strcmp(escaped, folder))
			return true;
	}
	return g->v->ntenants == 0;
}

static int visit_stream(struct visiting *g, const char *stream)
{
	struct evs_io_entry *list = NULL;
	struct evs_diag d = { 0 };
	char path[EVS_PATH_MAX];
	size_t n = 0;
	int rc = enter_stream(g, stream);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = evs_io_list(stream, &list, &n, &d);
	if (rc < 0)
		return pass(g, rc, &d);
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (!list[i].is_dir || list[i].name[0] == '.' || !tenant_wanted(g, list[i].name))
			continue;
		rc = evs_path_join(path, stream, list[i].name, &d);
		rc = rc < 0 ? pass(g, rc, &d) : visit_tenant(g, path);
	}
	evs_io_list_free(list, n);
	return rc;
}

/* Folders without a schema.sql are none of ours. */
static int visit_if_stream(struct visiting *g, const char *dir, size_t *found)
{
	char schema[EVS_PATH_MAX];
	struct evs_diag d = { 0 };
	struct evs_io_stat st;
	int rc = evs_path_join(schema, dir, "schema.sql", &d);

	if (rc == 0)
		rc = evs_io_stat(schema, &st, &d);
	*found += rc != 1;
	if (rc < 0)
		return pass(g, rc, &d);
	return rc == 0 ? visit_stream(g, dir) : 0;
}

static int visit_store(struct visiting *g, const char *store)
{
	struct evs_io_entry *list = NULL;
	struct evs_diag d = { 0 };
	char path[EVS_PATH_MAX];
	size_t n = 0, found = 0;
	int rc = evs_io_list(store, &list, &n, &d);

	if (rc < 0)
		return pass(g, rc, &d);
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (!list[i].is_dir)
			continue;
		rc = evs_path_join(path, store, list[i].name, &d);
		rc = rc < 0 ? pass(g, rc, &d) : visit_if_stream(g, path, &found);
	}
	evs_io_list_free(list, n);
	if (rc == 0 && !found)
		rc = pass(g, evs_fail(&d, EVS_E_USAGE, "%.900s holds no stream", store), &d);
	return rc;
}

/* A tenant's folder (up 1) or a segment (up 2). */
static int visit_inner(struct visiting *g, const char *path, unsigned up)
{
	char above[EVS_PATH_MAX], dir[EVS_PATH_MAX];
	struct evs_visit v = { .stream = g->stream, .name = evs_path_name(path), .path = path };
	struct evs_diag d = { 0 };
	int rc;

	if (!evs_path_above(above, path, up) || !evs_path_above(dir, path, 1))
		return pass(g, evs_fail(&d, EVS_E_LIMIT, "path is too long: %.200s", path), &d);
	if (up == 2 && !evs_segment_name_parse(v.name, &v.lo))
		return pass(g,
			    evs_fail(&d, EVS_E_USAGE,
				     "%.900s is no segment: its name is no YYYY-MM-DD.evs", path),
			    &d);
	rc = enter_stream(g, above);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (up == 1)
		return tenant_wanted(g, evs_path_name(path)) ? visit_tenant(g, path) : 0;
	v.dir = dir;
	v.folder = evs_path_name(dir);
	if (!tenant_wanted(g, v.folder))
		return 0;
	rc = visit_segment(g, &v);
	return rc == 0 && g->v->tenant_end ? g->v->tenant_end(g->v->arg, &v, g->diag) : rc;
}

static int visit_path(struct visiting *g, const char *given)
{
	char path[EVS_PATH_MAX], *real = NULL;
	enum evs_path_kind kind;
	struct evs_diag d = { 0 };
	int rc = plain_path(path, given, &d);

	if (rc == 0)
		rc = evs_path_kind(path, &kind, &d);
	/* The tenant's name stands in the path: "." has none. */
	if (rc == 0 && (kind == EVS_PATH_TENANT || kind == EVS_PATH_SEGMENT) &&
	    (!strchr(path, '/') || evs_path_name(path)[0] == '.')) {
		rc = evs_io_realpath(path, &real, &d);
		if (rc == 0)
			rc = plain_path(path, real, &d);
		free(real);
	}
	if (rc < 0)
		return pass(g, rc, &d);
	switch (kind) {
	case EVS_PATH_STORE:
		return visit_store(g, path);
	case EVS_PATH_STREAM:
		return visit_stream(g, path);
	case EVS_PATH_TENANT:
		return visit_inner(g, path, 1);
	default:
		return visit_inner(g, path, 2);
	}
}

int evs_visit_paths(const char *const *paths, size_t npaths, const struct evs_visitor *v,
		    struct evs_diag *diag)
{
	struct visiting g = { .v = v, .diag = diag };
	int rc = 0, end;

	for (size_t i = 0; i < npaths && rc == 0; i++)
		rc = visit_path(&g, paths[i]);
	end = leave_stream(&g); /* also after a failure: what it holds is let go */
	return rc < 0 ? rc : end;
}
