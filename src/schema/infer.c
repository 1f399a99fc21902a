/*
 * Inference, line by line: what is known of each field, and which types are still possible for it.
 */
#include "src/schema/infer.h"

#include "src/diag.h"
#include "src/json/json.h"
#include "src/schema/names.h"
#include "src/schema/table.h"
#include "src/schema/utf8.h"
#include "src/schema/widen.h"

#include "format/head.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static const char *field_name(const void *arg, size_t i, size_t *len)
{
	const struct infer_field *fields = arg;

	*len = fields[i].len;
	return fields[i].name;
}

int infer_find(const struct evs_infer *f, const char *name, size_t len)
{
	int i = evs_names_find(f->slots, f->mask, field_name, f->fields, name, len);

	if (i >= 0)
		return i;
	for (size_t k = f->indexed; k < f->nfields; k++) {
		if (f->fields[k].len == len && !memcmp(f->fields[k].name, name, len))
			return (int)k;
	}
	return -1;
}

static bool has_key(const struct evs_infer *f, const char *name)
{
	for (size_t i = 0; i < f->nkeys; i++) {
		if (!strcmp(f->keys[i], name))
			return true;
	}
	return false;
}

int evs_infer_new(struct evs_infer **out, const struct evs_infer_opts *opts, struct evs_diag *diag)
{
	struct evs_infer *f = calloc(1, sizeof(*f));
	int rc = EVS_E_NOMEM;

	if (!f)
		return evs_fail_nomem(diag);
	f->time_field = f->tenant_field = -1;
	f->stream = evs_text_copy(opts->stream, strlen(opts->stream));
	f->keys = calloc(opts->nkeys + 1, sizeof(*f->keys));
	if (!f->stream || !f->keys)
		goto out;
	if (opts->time && !(f->time = evs_text_copy(opts->time, strlen(opts->time))))
		goto out;
	if (opts->tenant && !(f->tenant = evs_text_copy(opts->tenant, strlen(opts->tenant))))
		goto out;
	for (size_t i = 0; i < opts->nkeys; i++) {
		if (has_key(f, opts->keys[i]))
			continue;
		f->keys[f->nkeys] = evs_text_copy(opts->keys[i], strlen(opts->keys[i]));
		if (!f->keys[f->nkeys])
			goto out;
		f->nkeys++;
	}
	*out = f;
	f = NULL;
	rc = 0;
out:
	evs_infer_free(f);
	return rc < 0 ? evs_fail_nomem(diag) : 0;
}

void evs_infer_free(struct evs_infer *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->nfields; i++) {
		free(f->fields[i].name);
		free(f->fields[i].tenants);
	}
	for (size_t i = 0; i < f->nkeys; i++)
		free(f->keys[i]);
	free(f->keys);
	free(f->stream);
	free(f->time);
	free(f->tenant);
	free(f->fields);
	free(f->slots);
	free(f->pairs);
	evs_buf_release(&f->key_text);
	free(f);
}

/*
 * ---- one line ----------------------------------------------------------------------------------
 */

/* Keys and values are collected first: a line may turn out to be no JSON at its last byte. */
static bool collect(void *arg, const char *key, size_t klen, const char *val, size_t vlen)
{
	struct evs_infer *f = arg;
	struct infer_pair *p;

	if (f->npairs == f->pairs_cap) {
		size_t cap = f->pairs_cap ? f->pairs_cap * 2 : 64;

		p = realloc(f->pairs, cap * sizeof(*p));
		if (!p) {
			f->failed = true;
			return false;
		}
		f->pairs = p;
		f->pairs_cap = cap;
	}
	f->pairs[f->npairs++] = (struct infer_pair){
		.key = f->key_text.len, .klen = klen, .val = val, .vlen = vlen
	};
	evs_buf_put(&f->key_text, key, klen);
	f->failed |= !evs_buf_ok(&f->key_text);
	return !f->failed;
}

/* Can a field of this name be a column? The others stay in _extra. */
static bool can_be_column(const char *name, size_t len)
{
	if (len == 0 || len > EVS_MAX_NAME || memchr(name, '\0', len) || !evs_utf8_valid(name, len))
		return false;
	return !(len == strlen(EVS_EXTRA) && !memcmp(name, EVS_EXTRA, len)) &&
	       !(len == strlen(EVS_ARRIVAL) && !memcmp(name, EVS_ARRIVAL, len));
}

static int reindex(struct evs_infer *f)
{
	uint16_t *slots;
	uint32_t mask;

	if (evs_names_build(&slots, &mask, f->nfields, field_name, f->fields, NULL) < 0)
		return EVS_E_NOMEM;
	free(f->slots);
	f->slots = slots;
	f->mask = mask;
	f->indexed = f->nfields;
	return 0;
}

int infer_add_field(struct evs_infer *f, const char *name, size_t len)
{
	struct infer_field *x;

	if (f->nfields == f->fields_cap) {
		size_t cap = f->fields_cap ? f->fields_cap * 2 : 32;

		x = realloc(f->fields, cap * sizeof(*x));
		if (!x)
			return EVS_E_NOMEM;
		f->fields = x;
		f->fields_cap = cap;
	}
	x = &f->fields[f->nfields];
	memset(x, 0, sizeof(*x));
	x->name = evs_text_copy(name, len);
	if (!x->name)
		return EVS_E_NOMEM;
	x->len = len;
	x->kinds = INFER_SCALARS | INFER_LISTS;
	x->time_kinds = x->number_kinds = INFER_SCALARS;
	if (infer_tenant_rank(name, len) >= 0 ||
	    (f->tenant && strlen(f->tenant) == len && !memcmp(f->tenant, name, len))) {
		x->tenants_cap = 64;
		x->tenants = calloc(x->tenants_cap, sizeof(*x->tenants));
		if (!x->tenants) {
			free(x->name);
			return EVS_E_NOMEM;
		}
	}
	f->nfields++;
	/* A few new names are found by looking at them one by one; then the hash is made anew. */
	return f->nfields - f->indexed > 16 ? reindex(f) : 0;
}

/* Put a hash into the set of distinct values. The set is given up when there are too many. */
static int count_tenant(struct infer_field *x, const char *v, size_t n)
{
	uint64_t h = XXH3_64bits(v, n) | 1;
	uint64_t *bigger;
	size_t at;

	if (!x->tenants)
		return 0;
	if (x->ntenants > INFER_MAX_TENANTS) {
		free(x->tenants);
		x->tenants = NULL;
		return 0;
	}
	if (x->ntenants * 2 >= x->tenants_cap) {
		bigger = calloc(x->tenants_cap * 2, sizeof(*bigger));
		if (!bigger)
			return EVS_E_NOMEM;
		for (size_t i = 0; i < x->tenants_cap; i++) {
			if (!x->tenants[i])
				continue;
			at = x->tenants[i] & (x->tenants_cap * 2 - 1);
			while (bigger[at])
				at = (at + 1) & (x->tenants_cap * 2 - 1);
			bigger[at] = x->tenants[i];
		}
		free(x->tenants);
		x->tenants = bigger;
		x->tenants_cap *= 2;
	}
	for (at = h & (x->tenants_cap - 1); x->tenants[at]; at = (at + 1) & (x->tenants_cap - 1)) {
		if (x->tenants[at] == h)
			return 0;
	}
	x->tenants[at] = h;
	x->ntenants++;
	return 0;
}

/* Two spellings of time in one column, by their digits, exclude its being a DateTime64. */
static unsigned merge_scale(unsigned kinds, unsigned *scale, bool *has, const struct infer_value *v)
{
	if (!(v->kinds & INFER_TIME))
		return kinds;
	if (*has && *scale != v->scale)
		return kinds & ~(unsigned)INFER_TIME;
	*scale = v->scale;
	*has = true;
	return kinds;
}

static void merge(struct infer_field *x, const struct infer_value *v)
{
	x->present++;
	x->any_list |= (v->kinds & INFER_LISTS) && !v->empty_list;
	x->kinds &= v->kinds;
	x->kinds = merge_scale(x->kinds, &x->scale, &x->has_scale, v);
	if (v->time_text) {
		x->time_texts++;
		x->time_kinds &= v->kinds;
		x->time_kinds = merge_scale(x->time_kinds, &x->time_scale, &x->has_time_scale, v);
		if (v->scale > x->max_scale && v->scale <= INFER_MAX_SCALE)
			x->max_scale = v->scale;
	}
	if (v->epoch) {
		x->number_kinds &= v->kinds;
		for (unsigned i = 0; i < 4; i++)
			x->epochs[i] += v->epoch >> i & 1;
	}
}

/* Does a value fit a column that stands as time, tenant or key? */
static bool fits_pinned(const struct evs_infer *f, const struct infer_field *x,
			const struct infer_value *v)
{
	bool is_time = f->time_field >= 0 && x == &f->fields[f->time_field];

	if (is_time && (f->time_kind == EVS_TIME_NATIVE || f->time_kind == EVS_TIME_TEXT))
		return v->time_text;
	return v->kinds & x->kind;
}

/*
 * Once time, tenant and key stand, lines without them are rejected rows and tell nothing of the
 * others.
 */
static bool counts(const struct evs_infer *f)
{
	for (size_t i = 0; f->chosen && i < f->nfields; i++) {
		const struct infer_field *x = &f->fields[i];
		struct infer_value v = { .null = true };

		if (!x->pinned)
			continue;
		for (size_t k = 0; k < f->npairs; k++) {
			const struct infer_pair *p = &f->pairs[k];

			if (p->klen == x->len && !memcmp(f->key_text.p + p->key, x->name, x->len))
				infer_classify(p->val, p->vlen, &v);
		}
		if (v.null || !fits_pinned(f, x, &v))
			return false;
	}
	return true;
}

static int take_pair(struct evs_infer *f, const struct infer_pair *p)
{
	const char *name = (const char *)f->key_text.p + p->key;
	struct infer_value v;
	int i, rc = 0;

	if (!can_be_column(name, p->klen))
		return 0;
	i = infer_find(f, name, p->klen);
	if (i < 0) {
		if (f->nfields >= INFER_MAX_FIELDS) {
			f->too_many++;
			return 0;
		}
		rc = infer_add_field(f, name, p->klen);
		if (rc < 0)
			return rc;
		i = (int)f->nfields - 1;
	}
	infer_classify(p->val, p->vlen, &v);
	if (v.null)
		return 0;
	merge(&f->fields[i], &v);
	return count_tenant(&f->fields[i], p->val, p->vlen);
}

int evs_infer_line(struct evs_infer *f, const char *line, size_t len)
{
	const char *reason;
	int rc = 0;

	if (len > EVS_MAX_LINE)
		return 0;
	f->npairs = 0;
	f->failed = false;
	evs_buf_reset(&f->key_text);
	if (!evs_buf_reserve(&f->key_text, 1)) /* so that even an empty key has an address */
		return EVS_E_NOMEM;
	rc = evs_json_walk(line, len, collect, f, &reason);
	if (rc <= 0)
		return f->failed ? EVS_E_NOMEM : rc;
	rc = 0;
	if (!counts(f))
		return 0;
	f->lines++;
	for (size_t i = 0; rc == 0 && i < f->npairs; i++)
		rc = take_pair(f, &f->pairs[i]);
	return rc;
}

/*
 * ---- types -------------------------------------------------------------------------------------
 */

void infer_kind_type(unsigned kind, unsigned scale, struct evs_type *out, struct evs_type *elem)
{
	static const struct {
		unsigned kind;
		enum evs_type_id id, elem;
	} ids[] = {
		{ INFER_BOOL, EVS_T_BOOL, 0 },
		{ INFER_INT, EVS_T_INT64, 0 },
		{ INFER_UINT, EVS_T_UINT64, 0 },
		{ INFER_FLOAT, EVS_T_FLOAT64, 0 },
		{ INFER_UUID, EVS_T_UUID, 0 },
		{ INFER_TIME, EVS_T_DATETIME64, 0 },
		{ INFER_DATE, EVS_T_DATE, 0 },
		{ INFER_STRING, EVS_T_STRING, 0 },
		{ INFER_BOOLS, EVS_T_ARRAY, EVS_T_BOOL },
		{ INFER_INTS, EVS_T_ARRAY, EVS_T_INT64 },
		{ INFER_FLOATS, EVS_T_ARRAY, EVS_T_FLOAT64 },
		{ INFER_STRINGS, EVS_T_ARRAY, EVS_T_STRING },
	};

	memset(out, 0, sizeof(*out));
	memset(elem, 0, sizeof(*elem));
	out->id = EVS_T_JSON;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (ids[i].kind != kind)
			continue;
		out->id = ids[i].id;
		if (ids[i].elem) {
			elem->id = ids[i].elem;
			out->elem[0] = elem;
		}
	}
	if (kind == INFER_TIME && scale == 0)
		out->id = EVS_T_DATETIME;
	if (out->id == EVS_T_DATETIME64)
		out->scale = (uint8_t)scale;
}

void infer_kind_name(unsigned kind, unsigned scale, char *buf, size_t cap)
{
	struct evs_type t, elem;

	infer_kind_type(kind, scale, &t, &elem);
	evs_type_print(&t, false, buf, cap);
}

/*
 * May a column that a DDL has named already change to this? Rows that were never looked at are in
 * it.
 */
static bool may_become(const struct infer_field *x, unsigned kind, unsigned scale)
{
	struct evs_type from, to, elem_from, elem_to;

	infer_kind_type(x->kind, x->kind_scale, &from, &elem_from);
	infer_kind_type(kind, scale, &to, &elem_to);
	return evs_widen(&from, &to) != EVS_WIDEN_NONE;
}

static unsigned lowest_bit(unsigned kinds)
{
	return kinds & (~kinds + 1u);
}

/* A time column: by its good values alone, however few bad ones there were. */
static unsigned time_kind_of(const struct evs_infer *f, const struct infer_field *x,
			     unsigned *scale)
{
	unsigned kind;

	if (f->time_kind == EVS_TIME_TEXT)
		return INFER_STRING;
	if (f->time_kind != EVS_TIME_NATIVE)
		return x->number_kinds & INFER_INT ? INFER_INT : INFER_FLOAT;
	kind = x->time_kinds & INFER_DATE ? INFER_DATE : INFER_TIME;
	*scale = f->chosen && x->declared && x->max_scale > x->kind_scale ? x->max_scale
									  : x->time_scale;
	if (x->declared && !may_become(x, kind, *scale)) {
		*scale = x->kind_scale;
		return x->kind;
	}
	return kind;
}

unsigned infer_kind_of(const struct evs_infer *f, const struct infer_field *x, unsigned *scale)
{
	unsigned kind = lowest_bit(x->kinds);

	*scale = x->scale;
	if (f->time_field >= 0 && x == &f->fields[f->time_field])
		return time_kind_of(f, x, scale);
	if (x->pinned && x->declared) {
		*scale = x->kind_scale;
		return x->kind;
	}
	if (kind == 0 || x->present == 0 || ((kind & INFER_LISTS) && !x->any_list))
		kind = INFER_JSON;
	if (x->declared && !may_become(x, kind, *scale))
		kind = INFER_JSON;
	if (f->tenant_field >= 0 && x == &f->fields[f->tenant_field] &&
	    (kind & (INFER_TIME | INFER_DATE)))
		kind = INFER_STRING;
	return kind;
}
