/*
 * A stream without a schema: infer one from the first rows, write it, and widen it while this run
 * meets values that do not fit (spec/schema.md 7).
 */
#include "src/store/append_impl.h"

#include "src/diag.h"
#include "src/store/io.h"

#include <stdlib.h>
#include <string.h>

static void tell(void *arg, uint32_t line, const char *text)
{
	struct evs_appender *a = arg;

	(void)line;
	if (a->opts.on_note)
		a->opts.on_note(a->opts.arg, text);
}

static int make_folders(struct evs_appender *a, struct evs_diag *diag)
{
	bool new_store = false;
	int rc = evs_stream_make(a->dir, &new_store, diag);

	if (new_store)
		tell(a, 0, "made a new store");
	return rc;
}

static int write_schema(struct evs_appender *a, const char *text, size_t len, struct evs_diag *diag)
{
	char path[EVS_PATH_MAX];
	int rc = evs_path_join(path, a->dir, "schema.sql", diag);

	return rc < 0 ? rc : evs_io_write_file(path, text, len, diag);
}

/*
 * Make `*t`, whose text is `text`, the stream's schema, unless another writer has put there another
 * one than `expected` (NULL: none) meanwhile: then `*t` becomes that.
 */
static int put_in_force(struct evs_appender *a, struct evs_table **t,
			const struct evs_table *expected, const char *text, size_t len,
			struct evs_diag *diag)
{
	struct evs_table *there = NULL;
	int fd = -1, rc = evs_stream_lock(a->dir, &a->wait, &fd, diag);

	if (rc == 0)
		rc = evs_stream_table(a->dir, &there, diag);
	if (rc == 1 || (rc == 0 && expected && there->text_len == expected->text_len &&
			!memcmp(there->text, expected->text, there->text_len))) {
		rc = write_schema(a, text, len, diag);
	} else if (rc == 0) {
		evs_table_free(*t);
		*t = there;
		there = NULL;
	}
	evs_table_free(there);
	evs_io_close(fd);
	return rc;
}

static int infer_table(struct evs_appender *a, evs_note_fn *why, char **text, size_t *len,
		       struct evs_table **t, struct evs_diag *diag)
{
	int rc = evs_infer_ddl(a->infer, text, len, why, a, diag);

	if (rc == 0)
		rc = evs_table_parse(t, *text, *len, diag);
	return rc;
}

/* A byte order mark at the beginning of a file is no part of its first line. */
static const char *sample_begin(const struct evs_appender *a)
{
	const char *p = (char *)a->sample.p;
	bool mark = a->off == 0 && a->sample.len >= 3 && !memcmp(p, "\xef\xbb\xbf", 3);

	return mark ? p + 3 : p;
}

static int look_at_sample(struct evs_appender *a, struct evs_diag *diag)
{
	const char *p = sample_begin(a), *end = (char *)a->sample.p + a->sample.len, *nl;

	while (p < end) {
		int rc;

		nl = memchr(p, '\n', (size_t)(end - p));
		rc = evs_infer_line(a->infer, p, (size_t)((nl ? nl : end) - p));
		if (rc < 0)
			return rc == EVS_E_NOMEM
				       ? evs_fail_nomem(diag)
				       : evs_fail(diag, rc,
						  "cannot infer a schema from these rows");
		p = nl ? nl + 1 : end;
	}
	return 0;
}

static bool any_field(void *arg, const char *key, size_t klen, const char *val, size_t vlen)
{
	(void)arg, (void)key, (void)klen, (void)val, (void)vlen;
	return true;
}

/* 1, 0 or EVS_E_NOMEM. */
static int has_object(const struct evs_appender *a, bool whole_lines)
{
	const char *p = sample_begin(a), *end = (char *)a->sample.p + a->sample.len, *nl, *reason;
	int rc;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl && whole_lines)
			return 0;
		if (!nl)
			nl = end;
		rc = evs_json_walk(p, (size_t)(nl - p), any_field, NULL, &reason);
		if (rc != 0)
			return rc;
	}
	return 0;
}

bool evs_append_can_infer(const struct evs_appender *a)
{
	return has_object(a, true) != 0; /* without memory, too: who tries is told */
}

/* Take the sample, which may end inside a line, with the table that is now set. */
static int take_sample(struct evs_appender *a, struct evs_diag *diag)
{
	struct evs_buf sample = a->sample;
	int rc = 0;

	a->sample = (struct evs_buf){ 0 };
	for (size_t at = 0; rc == 0 && at < sample.len;) {
		size_t n = sample.len - at < CHUNK_BYTES ? sample.len - at : CHUNK_BYTES;

		rc = evs_append_lines(a, (char *)sample.p + at, n, diag);
		at += n;
	}
	evs_buf_release(&sample);
	return rc;
}

/*
 * There is no row among the lines so far: the reader, given some table, refuses them one by one
 * with their reasons. No schema comes of that; a line whose end has not come stays.
 */
static int refuse_sample(struct evs_appender *a, struct evs_diag *diag)
{
	static const char any[] = "CREATE TABLE any (x Nullable(Bool))";
	struct evs_infer *infer = a->infer;
	struct evs_table *t = NULL;
	int rc = evs_table_parse(&t, any, sizeof(any) - 1, diag);

	if (rc == 0)
		rc = make_folders(a, diag);
	if (rc < 0) {
		evs_table_free(t);
		return rc;
	}
	a->infer = NULL;
	rc = evs_append_set_table(a, t, diag);
	if (rc == 0)
		rc = take_sample(a, diag);
	a->infer = infer;
	evs_append_drop_table(a);
	evs_buf_release(&a->sample); /* not taken where there was no memory for a table */
	a->sample = a->carry;
	a->carry = (struct evs_buf){ 0 };
	return rc;
}

int evs_append_infer(struct evs_appender *a, struct evs_diag *diag)
{
	struct evs_table *t = NULL;
	char *text = NULL;
	size_t len = 0;
	int rc;

	if (!a->sample.len)
		return 0;
	rc = has_object(a, false);
	if (rc <= 0)
		return rc < 0 ? evs_fail_nomem(diag) : refuse_sample(a, diag);
	rc = look_at_sample(a, diag);
	if (rc == 0)
		rc = infer_table(a, tell, &text, &len, &t, diag);
	if (rc == 0)
		rc = make_folders(a, diag);
	if (rc == 0)
		rc = put_in_force(a, &t, NULL, text, len, diag);
	if (rc < 0) {
		evs_table_free(t);
		goto out;
	}
	rc = evs_append_set_table(a, t, diag);
	if (rc == 0)
		rc = take_sample(a, diag);
out:
	free(text);
	return rc;
}

int evs_append_widen(struct evs_appender *a, const struct chunk_row *row, struct evs_diag *diag)
{
	uint64_t total = a->total;
	struct evs_table *t = NULL;
	char *text = NULL;
	size_t text_len = 0;
	bool same = false;
	int rc = evs_infer_line(a->infer, row->raw, row->len);

	if (rc == 0)
		rc = infer_table(a, NULL, &text, &text_len, &t, NULL);
	if (rc == 0)
		rc = evs_table_compatible(a->table, t, &same, NULL);
	/* What the wider schema could not take either, or only by being another: the row is
	 * rejected. */
	if (rc < 0 || same) {
		rc = rc == EVS_E_NOMEM ? evs_fail_nomem(diag) : 0;
		goto out;
	}
	rc = evs_append_chunk(a, diag);
	if (rc == 0) {
		a->total = row->begin; /* this row is not in that commit */
		rc = evs_append_commit(a, diag);
		a->total = total;
	}
	if (rc == 0)
		rc = put_in_force(a, &t, a->table, text, text_len, diag);
	if (rc == 0) {
		evs_append_drop_table(a);
		rc = evs_append_set_table(a, t, diag);
		t = NULL;
	}
	if (rc == 0)
		rc = 1;
out:
	evs_table_free(t);
	free(text);
	return rc;
}

int evs_append_resume_infer(struct evs_appender *a, const struct evs_table *t,
			    struct evs_diag *diag)
{
	struct evs_infer_opts opts = { .stream = t->name };
	struct evs_infer *f = NULL;
	char *text = NULL;
	size_t len = 0;
	int rc = evs_stream_schema(a->dir, &text, &len, diag);

	if (rc == 0)
		rc = evs_infer_new(&f, &opts, diag);
	if (rc == 0 && (rc = evs_infer_resume(f, t, text, len)) < 0)
		(void)evs_fail_nomem(diag);
	if (rc == 0) {
		a->infer = f;
		f = NULL;
	}
	evs_infer_free(f);
	free(text);
	return rc < 0 ? rc : 0;
}
