/*
 * Folders: which segments there are, and what else lies around them (spec/store.md 11).
 */
#include "src/upkeep/check.h"

#include "src/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEFTOVER_AGE ((int64_t)60 * 1000000000) /* a younger temporary file may be in use */

/* ---- names ----------------------------------------------------------------------------------- */

static bool ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && !strcmp(s + n - k, suffix);
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(name, *names) != 0)
		names++;
	return *names;
}

/* "BASE.tail-40960", with or without a number behind it, and `suffix`. */
static bool is_tail(const char *name, size_t base, const char *suffix)
{
	const char *p = name + base;

	if (strncmp(p, ".tail-", 6) != 0)
		return false;
	p += 6;
	return strspn(p, "0123456789") > 0 && !strcmp(p + strspn(p, "0123456789-"), suffix);
}

/* "2024-01-01.evs", then `rest`. */
static bool begins_as_segment(const char *name)
{
	char day[16] = "";
	int64_t lo;

	memcpy(day, name, strnlen(name, 14));
	return evs_segment_name_parse(day, &lo);
}

/* A temporary file that its maker has given up: nobody holds its lock, or it is old. */
static bool is_leftover(struct check *c, const char *path, bool locked)
{
	int64_t now = c->opts->now ? c->opts->now : evs_io_now();
	struct evs_io_stat st;
	bool held = false;
	int fd = -1;

	if (locked && evs_io_open_read(&fd, path, NULL) == 0)
		held = evs_io_is_locked(fd);
	evs_io_close(fd);
	return !held && evs_io_stat(path, &st, NULL) == 0 && now - st.mtime > LEFTOVER_AGE;
}

/* A file that is none of ours. One that says where a check stopped may lie anywhere. */
static void foreign(struct check *c, const char *path, const char *name)
{
	if (strcmp(name, ".evcheck") != 0)
		evs_check_remark(c, path,
				 "does not belong here, and is passed over by all readers");
}

/* ---- a tenant's folder ----------------------------------------------------------------------- */

static int check_entry(struct check *c, const char *path, const struct evs_io_entry *e,
		       const struct check_place *place, struct evs_diag *diag)
{
	struct check_place here = *place;
	int64_t lo;

	here.file = e->name;
	if (!e->is_dir && evs_segment_name_parse(e->name, &lo))
		return evs_check_segment(c, path, &here, diag);
	if (!e->is_dir && begins_as_segment(e->name) && is_tail(e->name, 14, ""))
		evs_check_remark(
			c, path,
			"bytes that a writer has set aside: a torn write, or a damaged commit");
	else if (!e->is_dir && e->name[0] == '.' && begins_as_segment(e->name + 1)) {
		if (is_leftover(c, path, true))
			evs_check_remark(c, path, "left over from a write that was cut short");
	} else
		foreign(c, path, e->name);
	return 0;
}

/* All of a folder, by a function. A folder that cannot be read is told. */
typedef int entry_fn(struct check *c, const char *path, const struct evs_io_entry *e,
		     const struct check_place *place, struct evs_diag *diag);

static int each_entry(struct check *c, const char *dir, entry_fn *fn,
		      const struct check_place *place, struct evs_diag *diag)
{
	struct evs_io_entry *list = NULL;
	char path[EVS_PATH_MAX];
	struct evs_diag d = { 0 };
	size_t n = 0;
	int rc = evs_io_list(dir, &list, &n, &d);

	if (rc < 0)
		return evs_check_error(c, dir, rc, &d, diag);
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = evs_path_join(path, dir, list[i].name, &d);
		rc = rc < 0 ? evs_check_error(c, dir, rc, &d, diag)
			    : fn(c, path, &list[i], place, diag);
	}
	evs_io_list_free(list, n);
	return rc;
}

/* ---- a stream's folder ----------------------------------------------------------------------- */

/* Files of one record a line. */
static void check_lines(struct check *c, const char *path)
{
	uint64_t whole = 0;
	struct evs_io_stat st;
	struct evs_diag d = { 0 };
	int fd = -1, rc = evs_io_open_read(&fd, path, &d);

	if (rc == 0)
		rc = evs_io_fstat(fd, path, &st, &d);
	if (rc == 0)
		rc = evs_rejects_scan(fd, path, NULL, NULL, &whole, &d);
	if (rc < 0)
		(void)evs_check_error(c, path, rc, &d, NULL);
	else if (whole < st.size && !evs_io_is_locked(fd))
		evs_check_tell(c,
			       (struct evs_finding){ .kind = EVS_FOUND_REMARK,
						     .path = path,
						     .has_off = true,
						     .off = whole },
			       "the end is torn: the next writer sets it aside");
	evs_io_close(fd);
}

static int check_stream_entry(struct check *c, const char *path, const struct evs_io_entry *e,
			      const struct check_place *place, struct evs_diag *diag)
{
	static const char *const ours[] = {
		"schema.sql",  "schema.lock", "serials.json", "serials.lock", "keep.json",
		"expire.lock", NULL
	};
	struct check_place here = *place;

	if (e->is_dir) {
		here.tenant = e->name;
		return each_entry(c, path, check_entry, &here, diag);
	}
	if (!strcmp(e->name, "rejects.ndjson") || !strcmp(e->name, "expired.ndjson"))
		check_lines(c, path);
	else if ((!strncmp(e->name, "rejects.ndjson", 14) ||
		  !strncmp(e->name, "expired.ndjson", 14)) &&
		 is_tail(e->name, 14, ".ndjson"))
		evs_check_remark(c, path, "torn bytes that a writer has set aside");
	else if (ends_with(e->name, ".tmp")) {
		if (is_leftover(c, path, false))
			evs_check_remark(c, path, "left over from a write that was cut short");
	} else if (!is_one_of(e->name, ours))
		foreign(c, path, e->name);
	return 0;
}

static void release_stream(struct check_stream *s)
{
	free(s->schema);
	evs_table_free(s->table);
	*s = (struct check_stream){ 0 };
}

/* The folder's own name, unless it is named by a dot. */
static void name_of(struct check_stream *s, const char *dir)
{
	size_t n = strlen(dir), from;

	while (n > 1 && dir[n - 1] == '/')
		n--;
	for (from = n; from > 0 && dir[from - 1] != '/'; from--)
		;
	if (n - from < sizeof(s->name) && dir[from] != '.')
		memcpy(s->name, dir + from, n - from);
}

/* 0 with the schema as far as there is one, which was told; 1 when the folder is no stream's; or an
 * error. */
static int load_stream(struct check *c, struct check_stream *s, const char *dir,
		       struct evs_diag *diag)
{
	char path[EVS_PATH_MAX], text[1200];
	struct evs_diag d = { 0 };
	int rc = evs_path_join(path, dir, "schema.sql", &d);

	*s = (struct check_stream){ 0 };
	if (rc == 0)
		name_of(s, dir);
	if (rc == 0)
		rc = evs_io_read_file(path, EVS_MAX_SCHEMA, &s->schema, &s->schema_len, &d);
	if (rc != 0)
		return rc < 0 ? evs_check_error(c, path, rc, &d, diag) : 1;
	c->count.streams++;
	rc = evs_table_parse(&s->table, s->schema, s->schema_len, &d);
	if (rc < 0 && rc != EVS_E_NOMEM) {
		(void)snprintf(text, sizeof(text), "store 11-1 line %u: %.1000s", d.line, d.what);
		evs_check_tell(c, (struct evs_finding){ .kind = EVS_FOUND_DAMAGE, .path = path },
			       text);
		return 0;
	}
	return rc < 0 ? evs_check_error(c, path, rc, &d, diag) : 0;
}

static int check_stream(struct check *c, const char *dir, struct evs_diag *diag)
{
	struct check_stream s;
	struct check_place place = { .stream = &s };
	int rc = load_stream(c, &s, dir, diag);

	if (rc == 0)
		rc = each_entry(c, dir, check_stream_entry, &place, diag);
	release_stream(&s);
	return rc < 0 ? rc : 0;
}

/* ---- a store, and whatever else is given ----------------------------------------------------- */

static int check_store_entry(struct check *c, const char *path, const struct evs_io_entry *e,
			     const struct check_place *place, struct evs_diag *diag)
{
	char schema[EVS_PATH_MAX];

	(void)place;
	if (e->is_dir && evs_path_join(schema, path, "schema.sql", NULL) == 0 &&
	    !evs_path_gone(schema, NULL))
		return check_stream(c, path, diag);
	if (e->is_dir)
		evs_check_remark(c, path, "is no stream: it has no schema.sql");
	else
		foreign(c, path, e->name);
	return 0;
}

/* The folder of `path` and its name in it, in `dir`, which has room for EVS_PATH_MAX. */
static const char *split(char *dir, const char *path)
{
	size_t n = strlen(path);
	const char *slash;

	while (n > 1 && path[n - 1] == '/')
		n--;
	memcpy(dir, path, n);
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	if (!slash)
		return NULL;
	dir[slash - dir] = '\0';
	return slash + 1;
}

/* A tenant's folder, or a segment, alone. Where it lies is known when its stream is around it. */
static int check_alone(struct check *c, const char *path, bool tenant, struct evs_diag *diag)
{
	struct check_stream s = { 0 };
	struct check_place place = { 0 };
	char *real = NULL, dir[EVS_PATH_MAX], up[EVS_PATH_MAX];
	int rc = evs_io_realpath(path, &real, diag);

	if (rc == 0 && strlen(real) >= EVS_PATH_MAX)
		rc = evs_fail_path(diag, EVS_E_LIMIT, path, "path too long");
	if (rc < 0)
		goto out;
	if (tenant)
		(void)snprintf(dir, sizeof(dir), "%s", real);
	else
		place.file = split(dir, real);
	place.tenant = split(up, dir);
	rc = place.tenant ? load_stream(c, &s, up, diag) : 1;
	if (rc == 0)
		place.stream = &s;
	else
		place.tenant = place.file = NULL;
	if (rc < 0)
		goto out;
	rc = tenant ? each_entry(c, path, check_entry, &place, diag)
		    : evs_check_segment(c, path, &place, diag);
out:
	release_stream(&s);
	free(real);
	return rc;
}

int evs_check_path(struct check *c, const char *path, struct evs_diag *diag)
{
	enum evs_path_kind kind;
	int rc = evs_path_kind(path, &kind, diag);

	if (rc < 0)
		return rc;
	switch (kind) {
	case EVS_PATH_STORE:
		return each_entry(c, path, check_store_entry, NULL, diag);
	case EVS_PATH_STREAM:
		return check_stream(c, path, diag);
	default:
		return check_alone(c, path, kind == EVS_PATH_TENANT, diag);
	}
}
