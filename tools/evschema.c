/*
 * evschema: makes streams from DDL, prints schemas, compares.
 */
#include "evseg.h"
#include "tools/cli.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 256 };

static const struct cli_tool tool = {
	.name = "evschema",
	.synopsis = "[OPTION]... apply STORE FILE.sql...\n"
		    "evschema [OPTION]... check STORE FILE.sql...\n"
		    "evschema [OPTION]... show PATH",
	.about = "Make the streams of a store from CREATE TABLE statements in ClickHouse's or\n"
		 "PostgreSQL's dialect, compare them with what is there, or print a path's schema.",
	.tail = "apply  makes what is missing and adds new columns; applying again is harmless\n"
		"check  says what is missing or differs, and changes nothing\n"
		"show   prints the schema of a store, a stream, a tenant's folder or a segment\n"
		"\n"
		"FILE may be - for standard input. Several files are taken as one text.\n"
		"\n"
		"Exit status: 0 done, 1 something is missing or differs (check), 2 usage or\n"
		"schema, 3 damaged data, 4 system error.\n"
		"\n"
		"Example:\n"
		"  evschema apply store schema.sql && my-service | evappend store/task_events\n",
};

/* The texts of all files, one after the other, and where each begins. */
struct ddl {
	char *text;
	size_t len;
	struct cli_source sources[MAX_FILES];
	size_t n;
};

static uint32_t count_lines(const char *text, size_t len)
{
	uint32_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

/* Returns an exit status. A file without a last newline gets one, so that lines keep apart. */
static int add_file(struct ddl *d, const char *name)
{
	struct cli_source *s = &d->sources[d->n];
	int status;

	s->name = strcmp(name, "-") ? name : "(stdin)";
	s->from = d->len;
	s->from_line = count_lines(d->text, d->len);
	status = cli_read_all(name, &d->text, &d->len);
	if (status == CLI_OK && d->len > s->from && d->text[d->len - 1] != '\n')
		d->text[d->len++] = '\n'; /* in the place of the zero */
	d->n++;
	return status;
}

static const struct cli_source *source_of(const struct ddl *d, uint32_t line)
{
	size_t i = d->n - 1;

	while (i > 0 && line <= d->sources[i].from_line)
		i--;
	return &d->sources[i];
}

static void on_note(void *arg, uint32_t line, const char *text)
{
	const struct cli_source *s = source_of(arg, line);

	if (line > s->from_line)
		cli_note("%s:%u: %s", s->name, line - s->from_line, text);
	else
		cli_note("%s: %s", s->name, text);
}

static const char *result_text(enum evs_apply_result result)
{
	switch (result) {
	case EVS_APPLY_CREATED:
		return "created";
	case EVS_APPLY_SAME:
		return "unchanged";
	case EVS_APPLY_CHANGED:
		return "changed";
	case EVS_APPLY_MISSING:
		return "missing from the store";
	case EVS_APPLY_DIFFERS:
		return "differs";
	case EVS_APPLY_EXTRA:
		return "only in the store";
	}
	return "?";
}

static void on_applied(void *arg, const char *stream, enum evs_apply_result result,
		       const char *detail)
{
	(void)arg;
	cli_note("%s: %s%s%s", stream, result_text(result), detail && *detail ? ": " : "",
		 detail ? detail : "");
}

/* What check finds is its answer and goes to stdout. */
static void on_compared(void *arg, const char *stream, enum evs_apply_result result,
			const char *detail)
{
	(void)arg;
	if (result != EVS_APPLY_SAME && !cli_quiet())
		printf("%s: %s%s%s\n", stream, result_text(result), detail && *detail ? ": " : "",
		       detail ? detail : "");
}

static int apply_or_check(bool apply, const char *store, char *const *files, int n)
{
	struct ddl d = { .text = NULL };
	struct evs_diag diag = { 0 };
	int rc, status = CLI_OK;

	for (int i = 0; i < n && status == CLI_OK; i++)
		status = add_file(&d, files[i]);
	if (status != CLI_OK)
		goto out;
	if (apply)
		rc = evs_store_apply(store, d.text ? d.text : "", d.len, on_note, &d, on_applied,
				     NULL, &diag);
	else
		rc = evs_store_check(store, d.text ? d.text : "", d.len, on_note, &d, on_compared,
				     NULL, &diag);
	if (rc < 0 && diag.line && !diag.path[0])
		status = cli_fail_source(&diag, source_of(&d, diag.line), d.text, d.len);
	else if (rc < 0)
		status = cli_fail(&diag, diag.path[0] ? NULL : store);
	else
		status = rc > 0 ? CLI_NO : CLI_OK;
out:
	free(d.text);
	return status;
}

static int show(const char *path)
{
	struct evs_diag diag = { 0 };
	char *text = NULL;
	size_t len = 0;

	if (evs_schema_show(path, &text, &len, &diag) < 0)
		return cli_fail(&diag, path);
	fwrite(text, 1, len, stdout);
	free(text);
	return CLI_OK;
}

int main(int argc, char *argv[])
{
	int first = cli_start(argc, argv, &tool), n = argc - first, status;
	const char *job = n > 0 ? argv[first] : "";
	bool apply = !strcmp(job, "apply");

	if (apply || !strcmp(job, "check")) {
		if (n < 3)
			return cli_bad_usage("%s: STORE and FILE.sql are wanted", job);
		if (n - 2 > MAX_FILES)
			return cli_bad_usage("%s: more than %d files", job, MAX_FILES);
		status = apply_or_check(apply, argv[first + 1], argv + first + 2, n - 2);
	} else if (!strcmp(job, "show")) {
		if (n != 2)
			return cli_bad_usage("show: one PATH is wanted");
		status = show(argv[first + 1]);
	} else if (n == 0) {
		return cli_bad_usage("what is to be done: apply, check or show?");
	} else {
		return cli_bad_usage("%s: not one of apply, check, show", job);
	}
	return cli_finish(status);
}
