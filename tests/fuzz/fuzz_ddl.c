/*
 * DDL of any bytes: a table that is accepted has a text that gives the same table and the same text
 * again; what is refused is so at a place in the text, and what is skipped at a line of it.
 */
#include "src/schema/schema.h"
#include "tests/fuzz/must.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines of the text, and what has been said of them. */
struct said {
	uint32_t lines;
};

static void note(void *arg, uint32_t line, const char *text)
{
	const struct said *s = arg;

	must(line <= s->lines && *text);
}

/* Is there a line `line`, with something at column `col` or right behind its end? */
static void check_place(const char *text, size_t size, const struct evs_diag *d)
{
	uint32_t line = 1;
	size_t from = 0;

	must(d->line && d->col);
	for (; line < d->line; line++) {
		const char *nl = memchr(text + from, '\n', size - from);

		must(nl != NULL);
		from = (size_t)(nl - text) + 1;
	}
	for (uint32_t col = 1; col < d->col; col++, from++)
		must(from < size && text[from] != '\n');
}

static void check_table(const struct evs_table *t)
{
	struct evs_diag diag = { 0 };
	struct evs_table *again = NULL;
	bool same = false;
	char buf[64];

	for (unsigned i = 0; i < t->ncols; i++) {
		const struct evs_column *c = &t->cols[i];
		struct evs_array a;

		must(evs_table_find(t, c->name, c->name_len) == (int)i);
		evs_type_print(&c->type, c->nullable, buf, sizeof(buf));
		if (evs_type_array(&c->type, &a) == 0)
			evs_array_release(&a);
	}
	must(t->time_column >= 0 && t->time_column < t->ncols && t->extra_column == t->ndeclared);
	must(evs_table_parse(&again, t->text, t->text_len, &diag) == 0);
	must(evs_table_compatible(t, again, &same, &diag) == 0 && same);
	must(again->text_len == t->text_len && !memcmp(again->text, t->text, t->text_len));
	evs_table_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evs_diag diag = { 0 };
	struct evs_ddl *d = NULL;
	struct said said = { .lines = 1 };
	int rc;

	if (size > 65536)
		return 0;
	for (size_t i = 0; i < size; i++)
		said.lines += data[i] == '\n';
	rc = evs_ddl_parse(&d, (const char *)data, size, note, &said, &diag);
	if (rc < 0) {
		must(diag.what[0]);
		if (rc == EVS_E_SCHEMA)
			check_place((const char *)data, size, &diag);
		return 0;
	}
	for (size_t i = 0; i < d->ntables; i++)
		check_table(d->tables[i]);
	evs_ddl_free(d);
	return 0;
}
