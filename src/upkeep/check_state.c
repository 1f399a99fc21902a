/*
 * Where a check stopped for lack of time, and going on there: one JSON object in a small file
 * (spec/store.md 11). A place that is not there any more costs nothing but looking at a segment
 * again.
 */
#include "src/upkeep/check.h"

#include "src/diag.h"
#include "src/json/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_MAX 8192u
#define MS	  ((int64_t)1000000)

/* ---- the file -------------------------------------------------------------------------------- */

static uint64_t number(const char *v, size_t n)
{
	uint64_t u = 0;

	for (size_t i = 0; i < n && v[i] >= '0' && v[i] <= '9'; i++)
		u = u * 10 + (uint64_t)(v[i] - '0');
	return u;
}

/* A string with the escapes of put_path(): the quotes are taken off. */
static void string(char *out, size_t room, const char *v, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = 0;

	for (size_t i = 1; i + 1 < n && len + 1 < room; i++) {
		bool escape = v[i] == '\\' && i + 2 < n;
		const char *high, *low;

		i += escape;
		out[len] = v[i];
		if (escape && v[i] == 'u' && i + 5 < n && (high = strchr(hex, v[i + 3])) &&
		    (low = strchr(hex, v[i + 4]))) {
			out[len] = (char)((high - hex) << 4 | (low - hex));
			i += 4;
		}
		len++;
	}
	out[len] = '\0';
}

static bool field(void *arg, const char *key, size_t klen, const char *val, size_t vlen)
{
	struct check_resume *r = arg;
	char name[16] = "";

	memcpy(name, key, klen < sizeof(name) ? klen : 0);
	if (!strcmp(name, "segment"))
		string(r->segment, sizeof(r->segment), val, vlen);
	else if (!strcmp(name, "inode"))
		r->place.ino = number(val, vlen);
	else if (!strcmp(name, "offset"))
		r->place.off = number(val, vlen);
	else if (!strcmp(name, "row"))
		r->place.row = number(val, vlen);
	else if (!strcmp(name, "commit"))
		r->commit_off = number(val, vlen);
	else if (!strcmp(name, "span"))
		r->commit_len = number(val, vlen);
	else if (!strcmp(name, "id"))
		string(r->id, sizeof(r->id), val, vlen);
	return true;
}

static int read_state(struct check *c, struct evs_diag *diag)
{
	const char *reason;
	char *text = NULL;
	size_t len = 0;
	int rc = evs_io_read_file(c->state, STATE_MAX, &text, &len, diag);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = evs_json_walk(text, len, field, &c->resume, &reason);
	free(text);
	if (rc == 0)
		return evs_fail_path(
			diag, EVS_E_USAGE, c->state,
			"is not where a check stopped; remove it, and the check begins anew");
	c->resume.pending = rc == 1 && c->resume.segment[0];
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

/* A folder may have any name: what is no text is escaped byte by byte. Returns its length. */
static size_t put_path(char *out, size_t room, const char *path)
{
	bool text = evs_utf8_valid(path, strlen(path));
	size_t n = 0;

	for (const char *p = path; *p && n + 8 < room; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || (c >= 0x80 && !text)) {
			n += (size_t)snprintf(out + n, room - n, "\\u00%02x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			out[n++] = '\\';
		out[n++] = *p;
	}
	return n;
}

static int write_state(struct check *c, struct evs_diag *diag)
{
	const struct check_resume *r = &c->stop;
	char text[STATE_MAX];
	size_t n = 0;

	n += (size_t)snprintf(text, sizeof(text), "{\"segment\":\"");
	n += put_path(text + n, sizeof(text) - n, r->segment);
	(void)snprintf(
		text + n, sizeof(text) - n,
		"\",\"id\":\"%s\",\"inode\":%llu,\"offset\":%llu,\"row\":%llu,\"commit\":%llu,\"span\":%llu}\n",
		r->id, (unsigned long long)r->place.ino, (unsigned long long)r->place.off,
		(unsigned long long)r->place.row, (unsigned long long)r->commit_off,
		(unsigned long long)r->commit_len);
	return evs_io_write_file(c->state, text, strlen(text), diag);
}

int evs_check_begin(struct check *c, const char *const *paths, size_t npaths, struct evs_diag *diag)
{
	enum evs_path_kind kind;
	int rc;

	if (!c->opts->max_ms)
		return 0;
	if (npaths != 1)
		return evs_fail(diag, EVS_E_USAGE, "a check in stretches takes one path");
	rc = evs_path_kind(paths[0], &kind, diag);
	if (rc < 0)
		return rc;
	c->root = paths[0];
	if (c->opts->state)
		rc = snprintf(c->state, sizeof(c->state), "%s", c->opts->state) <
				     (int)sizeof(c->state)
			     ? 0
			     : evs_fail(diag, EVS_E_LIMIT, "the path of the state is too long");
	else if (kind == EVS_PATH_SEGMENT)
		rc = evs_fail(diag, EVS_E_USAGE,
			      "for a segment, say in which file to keep where the check stops");
	else
		rc = evs_path_join(c->state, c->root, ".evcheck", diag);
	if (rc == 0)
		rc = read_state(c, diag);
	c->soft = evs_io_monotonic() + c->opts->max_ms * MS;
	c->hard = c->soft + c->opts->max_ms * MS / 4;
	return rc;
}

int evs_check_end(struct check *c, int rc, struct evs_diag *diag)
{
	if (!c->opts->max_ms || (rc < 0 && rc != EVS_E_STOP))
		return rc;
	return rc == EVS_E_STOP ? write_state(c, diag) : evs_io_unlink(c->state, diag);
}

/* ---- stopping -------------------------------------------------------------------------------- */

/* A path as the one that was given would have it. */
static const char *relative(const struct check *c, const char *path)
{
	size_t n = strlen(c->root);

	path += strncmp(path, c->root, n) ? 0 : n;
	return path + strspn(path, "/");
}

/* Is the time over, with something done in it? */
static bool over(const struct check *c, int64_t when)
{
	return when && c->worked && evs_io_monotonic() >= when;
}

static void stop_at(struct check *c, const char *path)
{
	c->stop = (struct check_resume){ .pending = true };
	(void)snprintf(c->stop.segment, sizeof(c->stop.segment), "%s", relative(c, path));
}

static void print_id(struct check_segment *s, char out[33])
{
	(void)sodium_bin2hex(out, 33, evs_segment_head(s->seg)->segment_id, 16);
}

static int stopped(struct check *c)
{
	c->count.stopped = true;
	return EVS_E_STOP;
}

/* Stop in the segment at hand, where the walk stands. */
static int stop_here(struct check_segment *s)
{
	struct check *c = s->run;

	stop_at(c, c->path);
	evs_segment_place(s->seg, &c->stop.place);
	print_id(s, c->stop.id);
	if (s->chain.last_known) {
		c->stop.commit_off = s->chain.last_off;
		c->stop.commit_len = s->chain.last_len;
	}
	return stopped(c);
}

int evs_check_stop_commit(struct check_segment *s, const struct evs_walked *w)
{
	struct check *c = s->run;
	int rc;

	c->worked = true;
	if (!over(c, c->soft))
		return 0;
	rc = stop_here(s);
	c->stop.place.off = w->off + w->span;
	c->stop.place.row = w->commit->rows_total;
	return rc;
}

int evs_check_stop_group(struct check_segment *s)
{
	s->run->worked = true;
	return over(s->run, s->run->hard) ? stop_here(s) : 0;
}

/* ---- going on -------------------------------------------------------------------------------- */

/* In the order in which paths are come to: by names, folder by folder. */
static int order(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (*a == '/' ? 1 : (unsigned char)*a) - (*b == '/' ? 1 : (unsigned char)*b);
}

int evs_check_pass(struct check *c, const char *path)
{
	int o = c->resume.pending ? order(relative(c, path), c->resume.segment) : 1;

	if (o < 0)
		return 1;
	c->resume.pending = false;
	if (o > 0)
		c->resume.place.off = 0; /* the segment has gone */
	if (!over(c, c->soft))
		return 0;
	stop_at(c, path);
	return stopped(c);
}

/* Behind the last COMMIT that was passed. */
static int go_on_behind(struct check_segment *s, const struct check_resume *r,
			struct evs_diag *diag)
{
	struct evs_commit c = { 0 };
	struct evs_buf payload = { 0 };
	int rc = evs_segment_commit_at(s->seg, r->commit_off, &c, &payload, diag);

	if (rc == 0)
		rc = evs_segment_resume_behind(s->seg, &r->place, r->commit_off, r->commit_len, &c,
					       diag);
	if (rc == 0)
		rc = evs_check_chain_load(s, r->commit_off, r->commit_len, diag);
	s->whole = r->commit_off + r->commit_len == r->place.off;
	evs_commit_release(&c);
	evs_buf_release(&payload);
	return rc;
}

int evs_check_go_on(struct check_segment *s, struct evs_diag *diag)
{
	struct check_resume r = s->run->resume;
	char id[33];
	int rc;

	s->run->resume.place.off = 0;
	if (!r.place.off)
		return 0;
	print_id(s, id);
	if (strcmp(id, r.id) != 0) /* it was replaced */
		return 0;
	if (r.commit_off) {
		rc = go_on_behind(s, &r, diag);
	} else {
		s->whole = s->chain.sure = s->chain.sources_sure = false;
		rc = evs_segment_resume(s->seg, &r.place, diag);
	}
	s->resumed = rc == 0;
	if (rc != EVS_E_FORMAT && rc != EVS_E_VERSION)
		return rc;
	s->whole = s->chain.sure = s->chain.sources_sure = true; /* from the beginning */
	return 0;
}
