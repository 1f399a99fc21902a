/*
 * What sound files give, and versions of them. See stage.h.
 */
#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

bool stage_load(struct stage *st, const char *path)
{
	size_t size = 0, n = strlen(path);
	uint8_t *data = load_file(path, &size);
	char rows[1024];

	*st = (struct stage){ .n = 1 };
	if (!data || !version_parse(&st->version[0], path, data, size)) {
		printf("not ok: %s: no sound segment\n", path);
		return false;
	}
	st->list[0] = &st->version[0];
	if (n > 4 && n + 4 < sizeof(rows)) {
		snprintf(rows, sizeof(rows), "%.*s.ndjson", (int)(n - 4), path);
		st->rows = (char *)load_file(rows, &st->rows_len);
	}
	return true;
}

char *stage_line(const struct stage *st, uint64_t number)
{
	const char *p = st->rows, *end = p + st->rows_len, *newline;
	char *line;

	if (!p || !st->rows_len)
		return NULL;
	for (;; number--, p = newline + 1) {
		if (p == end)
			p = st->rows; /* around */
		newline = memchr(p, '\n', (size_t)(end - p));
		if (!newline)
			return NULL;
		if (number == 0)
			break;
	}
	line = must(malloc((size_t)(newline - p) + 2));
	memcpy(line, p, (size_t)(newline - p) + 1);
	line[newline - p + 1] = '\0';
	return line;
}

static void take_columns(struct subject *s, const struct version *v)
{
	const char *path = s->stream;
	struct evs_scan *scan = NULL;
	struct evs_batch *batch;
	struct evs_diag diag = { 0 };

	subject_put(s, v->data, v->size, 0, v->size);
	if (evs_scan_open(&scan, &path, 1, NULL, &diag) == 0 &&
	    evs_scan_next(scan, &batch, &diag) == 1) {
		s->columns = must(calloc(evs_batch_columns(batch) + 1, sizeof(char *)));
		for (size_t i = 0; i < evs_batch_columns(batch); i++)
			s->columns[s->ncolumns++] = must(strdup(evs_batch_column_name(batch, i)));
	}
	evs_scan_close(scan);
}

void stage_subject(const struct stage *st, struct subject *s, const char *dir)
{
	char *line = stage_line(st, 0);

	subject_open(s, dir, &st->version[0], line);
	free(line);
	memcpy(s->since, st->since, sizeof(s->since));
	memcpy(s->until, st->until, sizeof(s->until));
	take_columns(s, &st->version[0]);
}

/* ---- other versions -------------------------------------------------------------------------- */

static uint64_t end_of_commit(const struct version *v, size_t number)
{
	for (size_t i = 0; i < v->nframes; i++)
		if (v->frames[i].type == COMMIT_FRAME && number-- == 0)
			return v->frames[i].off + v->frames[i].span;
	return v->size;
}

static int append_row(const struct stage *st, struct subject *s, uint64_t number)
{
	char *line = stage_line(st, number);
	struct evs_diag diag = { 0 };
	int rc = line ? subject_append(s, line, strlen(line), version_clock(&st->version[0]), NULL,
				       &diag)
		      : -1;

	free(line);
	return rc;
}

/* The file rolled back to behind commit `keep` (from 0), then grown by commits of one row, `step`
 * rows apart. */
static void grow_version(struct stage *st, struct subject *s, size_t keep, uint64_t step)
{
	const struct version *v = &st->version[0];
	uint64_t size = end_of_commit(v, keep);
	struct version *made = &st->version[st->n];
	size_t want = v->ncommits - keep < 6 ? v->ncommits - keep + 1 : 6;
	uint8_t *data;
	size_t len = 0;

	s->size = UINT64_MAX; /* the library may have written to it */
	subject_put(s, v->data, size, 0, size);
	for (size_t i = 0; i < want; i++)
		if (append_row(st, s, keep + step * (i + 1)) < 0)
			return; /* a row that cannot be appended again */
	data = load_file(s->path, &len);
	if (data && len > size && version_parse(made, v->name, data, len))
		st->list[st->n++] = made;
	s->size = len;
}

/* ---- what each view gives -------------------------------------------------------------------- */

static bool scan_version(struct subject *s, const struct version *v, uint64_t size, unsigned view,
			 struct answer *a)
{
	s->size = UINT64_MAX;
	subject_put(s, v->data, size, 0, size);
	subject_scan(s, view, a);
	if (a->rc == 0 && !a->damaged && !a->nreports)
		return true;
	printf("not ok: %s, sound, view %u: %s %s\n", v->name, view, a->error,
	       a->nreports ? a->reports[0].what : "");
	return false;
}

/* One batch for each group of the first `size` bytes. */
static bool see_groups(struct subject *s, struct version *v, uint64_t size, unsigned view,
		       struct answer *a)
{
	size_t n = 0;

	if (!scan_version(s, v, size, view, a))
		return false;
	while (n < v->ngroups && v->groups[n]->off < size)
		n++;
	v->seen[view] = must(calloc(v->ngroups + 1, sizeof(struct seen)));
	if (a->nbatches != n) {
		printf("not ok: %s, sound, view %u: %zu batches, %zu groups\n", v->name, view,
		       a->nbatches, n);
		return false;
	}
	memcpy(v->seen[view], a->batches, a->nbatches * sizeof(struct seen));
	return true;
}

/*
 * With a span of time, groups may give some of their rows or none, so batches are told apart by
 * their rows: `lines` has the hashes of all rows.
 */
static bool see_times(struct subject *s, struct version *v, unsigned view, struct answer *a,
		      const uint64_t *lines)
{
	size_t at = 0, group = 0, line = 0, left = v->ngroups ? v->groups[0]->rows : 0;

	a->want_lines = true;
	if (!scan_version(s, v, v->size, view, a))
		return false;
	a->want_lines = false;
	v->seen[view] = must(calloc(v->ngroups + 1, sizeof(struct seen)));
	for (size_t b = 0; b < a->nbatches; b++) {
		for (size_t i = 0; i < a->batches[b].rows; i++, line++) {
			for (; group < v->ngroups; at++, left--) {
				while (left == 0 && ++group < v->ngroups)
					left = v->groups[group]->rows;
				if (group < v->ngroups && lines[at] == a->lines[line])
					break;
			}
			if (group == v->ngroups) {
				printf("not ok: %s, view %u: a row that is not in the file\n",
				       v->name, view);
				return false;
			}
			at++;
			left--;
		}
		v->seen[view][group] = a->batches[b];
	}
	return true;
}

/*
 * Without a schema.sql the schema comes from the file, and damage may make it an older one: what
 * the file gave when that one was the newest.
 */
static bool see_schemas(struct subject *s, struct version *v, struct answer *a)
{
	uint64_t offs[VIEW_TIMES - VIEW_LOOSE] = { 0 };
	struct seen *at[VIEW_TIMES - VIEW_LOOSE] = { 0 };
	size_t n = 1;
	bool ok = true;

	for (size_t i = 0; i < v->nframes && n < VIEW_TIMES - VIEW_LOOSE; i++)
		if (v->frames[i].type == SCHEMA_FRAME)
			offs[n++] = v->frames[i].off;
	for (size_t k = 0; k < n && ok; k++) {
		uint64_t end = 0;

		for (size_t i = 0; i < v->nframes; i++)
			if (v->frames[i].type == COMMIT_FRAME &&
			    v->frames[i].commit_schema == offs[k])
				end = v->frames[i].off + v->frames[i].span;
		if (!end)
			continue;
		ok = see_groups(s, v, end, VIEW_LOOSE, a);
		at[k] = v->seen[VIEW_LOOSE];
	}
	for (size_t k = 0; k < n; k++)
		v->seen[VIEW_LOOSE + k] = at[k];
	return ok;
}

static bool see_version(const struct stage *st, struct subject *s, struct version *v,
			struct answer *a)
{
	uint64_t *lines;
	bool ok;

	a->want_lines = true;
	ok = see_groups(s, v, v->size, VIEW_ALL, a);
	a->want_lines = false;
	lines = must(malloc((a->nlines + 1) * sizeof(*lines)));
	if (a->nlines)
		memcpy(lines, a->lines, a->nlines * sizeof(*lines));
	ok = ok && see_times(s, v, VIEW_PRUNED, a, lines);
	for (unsigned i = 0; i < st->nspans && ok; i++)
		ok = see_times(s, v, VIEW_TIMES + i, a, lines);
	free(lines);
	for (size_t c = 0; ok && !v->schemas && c < s->ncolumns && c < LESS_MAX && s->ncolumns > 1;
	     c++)
		ok = see_groups(s, v, v->size, VIEW_LESS + (unsigned)c, a);
	return ok && see_schemas(s, v, a);
}

/* Times of the groups, so many for each span; a lone group gives half of its rows. */
static void choose_spans(struct stage *st)
{
	const struct version *v = &st->version[0];
	size_t most = VIEW_LESS - VIEW_TIMES, n = v->ngroups < most ? v->ngroups : most;

	for (size_t i = 0; i < n; i++) {
		int64_t lo = v->groups[i * v->ngroups / n]->time_min;
		int64_t hi = v->groups[(i + 1) * v->ngroups / n - 1]->time_max;

		st->since[i] = lo;
		st->until[i] = n == 1 && hi > lo ? lo + (hi - lo) / 2 + 1 : hi;
		if (st->until[i] <= lo)
			st->until[i] = lo < INT64_MAX - 1 ? lo + 1 : INT64_MAX;
		/* Times that do not fit in 64 bits, or none at all, cannot be asked for. */
		if (lo <= INT64_MIN + 1 || st->until[i] == INT64_MAX)
			return;
		st->nspans++;
	}
}

/* The rows of the sound file are those of NAME.ndjson. */
static bool rows_agree(const struct stage *st, const struct answer *a)
{
	const char *p = st->rows, *end = p + st->rows_len;
	size_t n = 0;

	for (; p && p < end; n++) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((newline ? newline + 1 : end) - p);

		if (n >= a->nlines || XXH3_64bits(p, len) != a->lines[n])
			return false;
		p += len;
	}
	return !st->rows || n == a->nlines;
}

/* Can the sound file be compacted? It is left alone where its schema may not take the place of an
 * older one. False when other rows come of it. */
static bool see_compacted(struct stage *st, struct subject *s, struct answer *a)
{
	const struct version *v = &st->version[0];
	struct evs_diag diag = { 0 };
	struct watch used;

	s->size = UINT64_MAX;
	subject_put(s, v->data, v->size, 0, v->size);
	for (int twice = 0; twice < 2; twice++) { /* the first one may set things up for ever */
		st->can_compact = subject_compact(s, version_clock(v), &used, &diag) == 0;
		if (!st->can_compact)
			return true;
		subject_scan(s, VIEW_ALL, a);
		subject_again(s);
		if (a->rc < 0 || a->damaged || a->rows != v->rows) {
			printf("not ok: %s, compacted: %llu rows: %s\n", v->name,
			       (unsigned long long)a->rows, a->error);
			return false;
		}
	}
	return true;
}

bool stage_prepare(struct stage *st, const char *dir)
{
	struct subject s;
	struct answer a;
	bool ok = true;

	answer_init(&a);
	choose_spans(st);
	stage_subject(st, &s, dir);
	a.want_lines = true;
	ok = scan_version(&s, &st->version[0], st->version[0].size, VIEW_ALL, &a);
	a.want_lines = false;
	if (ok && !rows_agree(st, &a)) {
		printf("not ok: %s: its rows are not those of the .ndjson\n", st->version[0].name);
		ok = false;
	}
	st->can_append = ok && append_row(st, &s, 0) == 0;
	ok = ok && see_compacted(st, &s, &a);
	if (st->can_append) {
		grow_version(st, &s, st->version[0].ncommits / 2, 2);
		grow_version(st, &s, st->version[0].ncommits / 2, 3);
	}
	for (size_t i = 0; i < st->n && ok; i++)
		ok = see_version(st, &s, &st->version[i], &a);
	family_init(&st->family, st->list, st->n);
	subject_close(&s);
	answer_release(&a);
	return ok;
}

void stage_release(struct stage *st)
{
	family_release(&st->family);
	for (size_t i = 0; i < st->n; i++)
		version_release(&st->version[i]);
	free(st->rows);
	*st = (struct stage){ 0 };
}
