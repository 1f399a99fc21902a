/*
 * DDL of any bytes: no crash, and a table that is accepted has a text that gives the same table
 * again.
 */
#include "src/schema/schema.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note(void *arg, uint32_t line, const char *text)
{
	size_t *sum = arg;

	*sum += line + strlen(text);
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

		if (evs_table_find(t, c->name, c->name_len) != (int)i)
			abort();
		evs_type_print(&c->type, c->nullable, buf, sizeof(buf));
		if (evs_type_array(&c->type, &a) == 0)
			evs_array_release(&a);
	}
	if (t->time_column < 0 || t->time_column >= t->ncols || t->extra_column != t->ndeclared)
		abort();
	if (evs_table_parse(&again, t->text, t->text_len, &diag) < 0)
		abort();
	if (evs_table_compatible(t, again, &same, &diag) < 0 || !same)
		abort();
	evs_table_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evs_diag diag = { 0 };
	struct evs_ddl *d = NULL;
	size_t sum = 0;
	int rc;

	if (size > 65536)
		return 0;
	rc = evs_ddl_parse(&d, (const char *)data, size, note, &sum, &diag);
	if (rc < 0) {
		if (!diag.what[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < d->ntables; i++)
		check_table(d->tables[i]);
	evs_ddl_free(d);
	return 0;
}
