/*
 * Inference: the CREATE TABLE that says what was seen.
 */
#include "src/schema/infer.h"

#include "src/diag.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WHY_LINE  100 /* characters */
#define WHY_LINES 12

static void put(struct evs_buf *b, const char *s)
{
	evs_buf_put(b, s, strlen(s));
}

/* Words that would be taken for a clause where a column's name stands. */
static bool reserved(const char *name)
{
	static const char *const words[] = {
		"index",  "primary", "constraint", "check",   "unique",	   "foreign", "projection",
		"like",	  "exclude", "tuple",	   "order",   "partition", "ttl",     "settings",
		"engine", "default", "null",	   "not",     "interval",  "case",    "and",
		"or",	  "in",	     "is",	   "between", "as",	   "cast",    "select",
		"from",	  "where",   "group",	   "by",      "end",	   "when"
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcasecmp(name, words[i]))
			return true;
	}
	return false;
}

static bool plain(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = name[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return len > 0 && !reserved(name);
}

static void put_name(struct evs_buf *b, const char *name, size_t len)
{
	if (plain(name, len)) {
		evs_buf_put(b, name, len);
		return;
	}
	put(b, "`");
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '`' || name[i] == '\\')
			put(b, "\\");
		evs_buf_put(b, name + i, 1);
	}
	put(b, "`");
}

static void put_field(struct evs_buf *b, const struct evs_infer *f, int i)
{
	put_name(b, f->fields[i].name, f->fields[i].len);
}

static void put_type(struct evs_buf *b, const struct infer_field *x)
{
	char name[64];

	infer_kind_name(x->kind, x->kind_scale, name, sizeof(name));
	if (!x->pinned)
		put(b, "Nullable(");
	put(b, name);
	if (!x->pinned)
		put(b, ")");
}

static void put_time(struct evs_buf *b, const struct evs_infer *f)
{
	const char *call;

	switch (f->time_kind) {
	case EVS_TIME_EPOCH_S:
		call = "toDateTime(";
		break;
	case EVS_TIME_EPOCH_MS:
		call = "fromUnixTimestamp64Milli(";
		break;
	case EVS_TIME_EPOCH_US:
		call = "fromUnixTimestamp64Micro(";
		break;
	case EVS_TIME_EPOCH_NS:
		call = "fromUnixTimestamp64Nano(";
		break;
	case EVS_TIME_TEXT:
		call = "parseDateTime64BestEffort(";
		break;
	default:
		call = "";
		break;
	}
	put(b, "toMonday(");
	put(b, call);
	put_field(b, f, f->time_field);
	put(b, *call ? "))" : ")");
}

static void put_partition(struct evs_buf *b, const struct evs_infer *f)
{
	bool tenant = f->tenant_field >= 0, time = f->time_field >= 0;

	if (!tenant && !time)
		return;
	put(b, "\nPARTITION BY ");
	if (tenant && time)
		put(b, "(");
	if (tenant)
		put_field(b, f, f->tenant_field);
	if (tenant && time)
		put(b, ", ");
	if (time)
		put_time(b, f);
	if (tenant && time)
		put(b, ")");
}

static void put_order(struct evs_buf *b, const struct evs_infer *f)
{
	if (f->nkeys == 0 && f->time_field < 0)
		return; /* by arrival */
	put(b, "\nORDER BY (");
	for (size_t i = 0; i < f->nkeys; i++) {
		if (i)
			put(b, ", ");
		put_name(b, f->keys[i], strlen(f->keys[i]));
	}
	if (f->nkeys == 0)
		put_field(b, f, f->time_field);
	put(b, ")");
}

static void put_table(struct evs_buf *b, const struct evs_infer *f)
{
	put(b,
	    "-- Inferred by evappend from the first rows. Columns may be added and types widened at any\n"
	    "-- time, also by hand; fields without a column are kept, too.\n");
	put(b, "CREATE TABLE ");
	put_name(b, f->stream, strlen(f->stream));
	put(b, "\n(");
	for (size_t i = 0; i < f->nfields; i++) {
		put(b, i ? ",\n    " : "\n    ");
		put_field(b, f, (int)i);
		put(b, " ");
		put_type(b, &f->fields[i]);
	}
	put(b, "\n)\nENGINE = MergeTree");
	put_partition(b, f);
	put_order(b, f);
	put(b, ";\n");
}

/* Fix what the DDL is about to say, so that later ones only ever widen it. */
static void settle(struct evs_infer *f)
{
	for (size_t i = 0; i < f->nfields; i++) {
		struct infer_field *x = &f->fields[i];
		unsigned scale, kind = infer_kind_of(f, x, &scale);

		x->kind = kind;
		x->kind_scale = scale;
	}
	for (size_t i = 0; i < f->nfields; i++) {
		struct infer_field *x = &f->fields[i];

		x->declared = true;
		x->pinned |= (int)i == f->time_field || (int)i == f->tenant_field;
	}
	for (size_t i = 0; i < f->nkeys; i++)
		f->fields[infer_find(f, f->keys[i], strlen(f->keys[i]))].pinned = true;
	f->chosen = true;
}

/* "types: a String, b Int64" in lines of some width. */
static void tell_types(const struct evs_infer *f, evs_note_fn *why, void *arg)
{
	char line[WHY_LINE + 400], type[64];
	size_t len = 0, lines = 0, i;

	for (i = 0; i < f->nfields && lines < WHY_LINES; i++) {
		const struct infer_field *x = &f->fields[i];

		infer_kind_name(x->kind, x->kind_scale, type, sizeof(type));
		len += (size_t)snprintf(line + len, sizeof(line) - len, "%s%.*s %s",
					len ? ", " : "types: ", (int)x->len, x->name, type);
		if (len >= WHY_LINE) {
			why(arg, 0, line);
			lines++;
			len = 0;
		}
	}
	if (i < f->nfields)
		len = (size_t)snprintf(line, sizeof(line),
				       "types: and %zu more columns, see schema.sql",
				       f->nfields - i);
	if (len)
		why(arg, 0, line);
	if (f->too_many) {
		snprintf(line, sizeof(line),
			 "types: fields beyond the first %u are kept without columns of their own",
			 INFER_MAX_FIELDS);
		why(arg, 0, line);
	}
}

int evs_infer_ddl(struct evs_infer *f, char **text, size_t *len, evs_note_fn *why, void *arg,
		  struct evs_diag *diag)
{
	struct evs_buf b = { 0 };
	int rc;

	if (f->lines == 0)
		return evs_fail(diag, EVS_E_SCHEMA,
				"there is no JSON object to infer a schema from");
	rc = infer_choose(f, why, arg, diag);
	if (rc < 0)
		return rc;
	settle(f);
	if (why)
		tell_types(f, why, arg);
	put_table(&b, f);
	evs_buf_put_u8(&b, 0);
	if (!evs_buf_ok(&b)) {
		evs_buf_release(&b);
		return evs_fail_nomem(diag);
	}
	*len = b.len - 1;
	*text = (char *)b.p;
	return 0;
}
