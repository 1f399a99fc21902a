/*
 * Inference: which column is the time, which the tenant, which are the key. By the user's word;
 * else by name and shape.
 */
#include "src/schema/infer.h"

#include "src/diag.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NOT_A_TIME 1000u

/* Names of time columns, best first; then endings. Case aside. */
static const char *const time_names[] = {
	"timestamp",
	"ts",
	"time",
	"@timestamp",
	"event_time",
	"eventTime",
	"event_timestamp",
	"eventTimestamp",
	"datetime",
	"date_time",
	"StartTimeUnixNano",
	"TimeUnixNano",
	"start_time",
	"startTime",
	"started_at",
	"startedAt",
	"created_at",
	"createdAt",
	"created",
	"occurred_at",
	"logged_at",
	"received_at",
	"_write_ts",
	"date",
};
static const char *const time_endings[] = { "timestamp", "_ts", "_time", "time",
					    "unixnano",	 "_at", "date",	 "At" };

static const char *const tenant_names[] = {
	"tenant_id",	   "tenant",	 "project_id",	"org_id",
	"organization_id", "account_id", "customer_id", "workspace_id",
};

int infer_tenant_rank(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(tenant_names) / sizeof(tenant_names[0]); i++) {
		if (strlen(tenant_names[i]) == len && !strncasecmp(tenant_names[i], name, len))
			return (int)i;
	}
	return -1;
}

/* How much a name says "time": 0 most, NOT_A_TIME nothing. */
static unsigned time_rank(const struct infer_field *x)
{
	const size_t n = sizeof(time_names) / sizeof(time_names[0]);

	for (unsigned i = 0; i < n; i++) {
		if (!strcasecmp(x->name, time_names[i]))
			return i;
	}
	for (unsigned i = 0; i < sizeof(time_endings) / sizeof(time_endings[0]); i++) {
		size_t len = strlen(time_endings[i]);

		if (x->len > len && !strcasecmp(x->name + x->len - len, time_endings[i]))
			return (unsigned)n + i;
	}
	return NOT_A_TIME;
}

/* How the field is a time, and in how many lines. */
static enum evs_time_kind time_shape(const struct infer_field *x, uint64_t *good)
{
	static const enum evs_time_kind kinds[4] = { EVS_TIME_EPOCH_S, EVS_TIME_EPOCH_MS,
						     EVS_TIME_EPOCH_US, EVS_TIME_EPOCH_NS };
	unsigned best = 0;

	for (unsigned i = 1; i < 4; i++) {
		if (x->epochs[i] > x->epochs[best])
			best = i;
	}
	if (x->epochs[best] > x->time_texts) {
		*good = x->epochs[best];
		return kinds[best];
	}
	*good = x->time_texts;
	return x->time_kinds & (INFER_TIME | INFER_DATE) ? EVS_TIME_NATIVE : EVS_TIME_TEXT;
}

/*
 * A column that is a time in all lines, or in 99 of 100: one bad row must not cost all others their
 * place in time. It will be rejected.
 */
static int find_time(const struct evs_infer *f, uint64_t slack, enum evs_time_kind *kind)
{
	unsigned best_rank = NOT_A_TIME + 1;
	int best = -1;

	for (size_t i = 0; i < f->nfields; i++) {
		uint64_t good;
		enum evs_time_kind shape = time_shape(&f->fields[i], &good);
		unsigned rank = time_rank(&f->fields[i]);

		if (good == 0 || good + slack < f->lines)
			continue;
		/* Without a name that says so, only a full time in ISO 8601 will do. */
		if (rank == NOT_A_TIME &&
		    (shape != EVS_TIME_NATIVE || !(f->fields[i].time_kinds & INFER_TIME)))
			continue;
		if (rank < best_rank) {
			best_rank = rank;
			best = (int)i;
			*kind = shape;
		}
	}
	return best;
}

static int named_field(const struct evs_infer *f, const char *option, const char *name,
		       struct evs_diag *diag)
{
	int i = infer_find(f, name, strlen(name));

	if (i < 0 || f->fields[i].present == 0)
		return evs_fail(diag, EVS_E_SCHEMA, "--%s %s: no row so far has this field", option,
				name);
	return i;
}

static int named_time(struct evs_infer *f, struct evs_diag *diag)
{
	uint64_t good;
	int i = named_field(f, "time", f->time, diag);

	if (i < 0)
		return i;
	f->time_kind = time_shape(&f->fields[i], &good);
	if (good == 0)
		return evs_fail(
			diag, EVS_E_SCHEMA,
			"--time %s: its values are no times: neither text such as 2025-01-31T12:00:00Z nor seconds, "
			"milliseconds, microseconds or nanoseconds since 1970",
			f->time);
	f->time_field = i;
	return 0;
}

static int choose_time(struct evs_infer *f, struct evs_diag *diag)
{
	f->time_kind = EVS_TIME_ARRIVAL;
	f->time_field = -1;
	if (f->time)
		return named_time(f, diag);
	f->time_field = find_time(f, 0, &f->time_kind);
	if (f->time_field < 0)
		f->time_field = find_time(f, f->lines / 100, &f->time_kind);
	if (f->time_field < 0)
		f->time_kind = EVS_TIME_ARRIVAL;
	return 0;
}

/* Text, UUID or whole numbers. */
static bool tenant_type(const struct infer_field *x)
{
	return x->kinds & (INFER_STRING | INFER_INT);
}

static bool looks_like_tenant(const struct evs_infer *f, const struct infer_field *x)
{
	if (!tenant_type(x) || x->present != f->lines || !x->tenants ||
	    x->ntenants > INFER_MAX_TENANTS)
		return false;
	return f->lines < 1000 ||
	       x->ntenants * 2 < f->lines; /* else it names the row, not whose it is */
}

static int choose_tenant(struct evs_infer *f, struct evs_diag *diag)
{
	int best = -1, i;

	if (f->tenant) {
		i = named_field(f, "tenant", f->tenant, diag);
		if (i < 0)
			return i;
		if (!tenant_type(&f->fields[i]))
			return evs_fail(diag, EVS_E_SCHEMA,
					"--tenant %s: its values must be texts or whole numbers",
					f->tenant);
		f->tenant_field = i;
		return 0;
	}
	for (size_t k = 0; k < f->nfields; k++) {
		int rank = infer_tenant_rank(f->fields[k].name, f->fields[k].len);

		if (rank < 0 || !looks_like_tenant(f, &f->fields[k]))
			continue;
		if (best < 0 || rank < infer_tenant_rank(f->fields[best].name, f->fields[best].len))
			best = (int)k;
	}
	f->tenant_field = best;
	return 0;
}

static int check_keys(struct evs_infer *f, struct evs_diag *diag)
{
	for (size_t i = 0; i < f->nkeys; i++) {
		int k = named_field(f, "key", f->keys[i], diag);
		const struct infer_field *x;

		if (k < 0)
			return k;
		x = &f->fields[k];
		if (!(x->kinds & INFER_SCALARS))
			return evs_fail(
				diag, EVS_E_SCHEMA,
				"--key %s: rows cannot be sorted by it: its values are mixed, "
				"lists or objects",
				f->keys[i]);
	}
	return 0;
}

static const char *unit_name(enum evs_time_kind kind)
{
	switch (kind) {
	case EVS_TIME_EPOCH_S:
		return "seconds since 1970";
	case EVS_TIME_EPOCH_MS:
		return "milliseconds since 1970";
	case EVS_TIME_EPOCH_US:
		return "microseconds since 1970";
	case EVS_TIME_EPOCH_NS:
		return "nanoseconds since 1970";
	case EVS_TIME_TEXT:
		return "time as text";
	default:
		return NULL;
	}
}

static void tell_time(const struct evs_infer *f, evs_note_fn *why, void *arg)
{
	const struct infer_field *x;
	char text[512], type[64];
	const char *unit = unit_name(f->time_kind);
	uint64_t good;
	unsigned scale, kind;

	if (f->time_field < 0) {
		why(arg, 0,
		    "time: the time of arrival, in the hidden column _time (no field is a time in every row; "
		    "--time names one)");
		return;
	}
	x = &f->fields[f->time_field];
	kind = infer_kind_of(f, x, &scale);
	infer_kind_name(kind, scale, type, sizeof(type));
	snprintf(text, sizeof(text), "time: %s (%s%s%s)", x->name, type, unit ? ", " : "",
		 unit ? unit : "");
	why(arg, 0, text);
	time_shape(x, &good);
	if (good < f->lines) {
		snprintf(text, sizeof(text),
			 "time: %llu of %llu rows so far have none in %s and will be rejected",
			 (unsigned long long)(f->lines - good), (unsigned long long)f->lines,
			 x->name);
		why(arg, 0, text);
	}
}

/* Rows without a tenant or a key will be rejected. */
static void tell_missing(const struct evs_infer *f, int i, const char *role, evs_note_fn *why,
			 void *arg)
{
	const struct infer_field *x = &f->fields[i];
	char text[512];

	if (x->present >= f->lines)
		return;
	snprintf(text, sizeof(text), "%s: %llu of %llu rows so far have no %s and will be rejected",
		 role, (unsigned long long)(f->lines - x->present), (unsigned long long)f->lines,
		 x->name);
	why(arg, 0, text);
}

static void tell_tenant(const struct evs_infer *f, evs_note_fn *why, void *arg)
{
	char text[512];

	if (f->tenant_field < 0) {
		why(arg, 0, "tenant: none (--tenant names one)");
		return;
	}
	snprintf(text, sizeof(text), "tenant: %s", f->fields[f->tenant_field].name);
	why(arg, 0, text);
	tell_missing(f, f->tenant_field, "tenant", why, arg);
}

int infer_choose(struct evs_infer *f, evs_note_fn *why, void *arg, struct evs_diag *diag)
{
	int rc = 0;

	if (!f->chosen) {
		rc = choose_time(f, diag);
		if (rc == 0)
			rc = choose_tenant(f, diag);
		if (rc == 0)
			rc = check_keys(f, diag);
	}
	if (rc == 0 && why) {
		tell_time(f, why, arg);
		tell_tenant(f, why, arg);
		for (size_t i = 0; i < f->nkeys; i++)
			tell_missing(f, infer_find(f, f->keys[i], strlen(f->keys[i])), "key", why,
				     arg);
	}
	return rc;
}
