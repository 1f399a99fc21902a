/*
 * Batches through the Arrow C data interface, copied so that they outlive the batch
 * (spec/schema.md 8).
 *
 * Our arrays have Arrow's layout already; what differs is made here: bools become bits, short
 * decimals 128 bits, enums dictionaries, maps get the struct around key and value, and times
 * whose digits Arrow has no unit for are scaled up to the next unit. Every node owns its buffers
 * and children through private_data, as the interface wants it, so that a consumer may take a
 * child away.
 */
#include "src/batch.h"
#include "src/diag.h"

#include "format/bytes.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what is in a batch ------------------------------------------------------------------ */

uint32_t evs_batch_rows(const struct evs_batch *b)
{
	return b->rows;
}

size_t evs_batch_columns(const struct evs_batch *b)
{
	return b->ncols;
}

const char *evs_batch_column_name(const struct evs_batch *b, size_t i)
{
	return b->fields[i].name;
}

const char *evs_batch_column_type(const struct evs_batch *b, size_t i)
{
	return b->fields[i].type_text;
}

/* ---- schemas ----------------------------------------------------------------------------- */

struct schema_memory {
	char format[24];
	char *name;
	char *metadata;
};

static void release_schema(struct ArrowSchema *s)
{
	struct schema_memory *m = s->private_data;

	for (int64_t i = 0; i < s->n_children; i++) {
		if (s->children[i] && s->children[i]->release)
			s->children[i]->release(s->children[i]);
		free(s->children[i]);
	}
	free(s->children);
	if (s->dictionary && s->dictionary->release)
		s->dictionary->release(s->dictionary);
	free(s->dictionary);
	free(m->name);
	free(m->metadata);
	free(m);
	s->release = NULL;
}

/* One pair, as the interface packs it: counts and lengths are 32-bit in host order. */
static char *make_metadata(const char *key, const char *value)
{
	int32_t one = 1, klen = (int32_t)strlen(key), vlen = (int32_t)strlen(value);
	char *p = malloc(12 + strlen(key) + strlen(value));

	if (!p)
		return NULL;
	memcpy(p, &one, 4);
	memcpy(p + 4, &klen, 4);
	memcpy(p + 8, key, (size_t)klen);
	memcpy(p + 8 + klen, &vlen, 4);
	memcpy(p + 12 + klen, value, (size_t)vlen);
	return p;
}

/* A node with its memory and room for children (zeroed, so a half-made tree can be released). */
static struct schema_memory *open_schema(struct ArrowSchema *s, const char *name, size_t name_len,
					 bool nullable, int children)
{
	struct schema_memory *m = calloc(1, sizeof(*m));

	*s = (struct ArrowSchema){ 0 };
	if (!m)
		return NULL;
	s->private_data = m;
	s->release = release_schema;
	s->flags = nullable ? ARROW_FLAG_NULLABLE : 0;
	m->name = calloc(name_len + 1, 1);
	if (!m->name)
		return NULL;
	memcpy(m->name, name, name_len);
	s->name = m->name;
	s->format = m->format;
	if (!children)
		return m;
	s->children = calloc((size_t)children, sizeof(struct ArrowSchema *));
	if (!s->children)
		return NULL;
	for (s->n_children = 0; s->n_children < children; s->n_children++) {
		s->children[s->n_children] = calloc(1, sizeof(struct ArrowSchema));
		if (!s->children[s->n_children])
			return NULL;
	}
	return m;
}

/* Digits of the Arrow unit that holds `scale` digits. */
static unsigned unit_digits(unsigned scale)
{
	return (scale + 2) / 3 * 3;
}

static void format_of(const struct evs_type *t, char *out, size_t cap)
{
	static const char units[] = "smun";
	static const char *const fixed[] = {
		[EVS_T_BOOL] = "b",    [EVS_T_INT8] = "c",    [EVS_T_INT16] = "s",
		[EVS_T_INT32] = "i",   [EVS_T_INT64] = "l",   [EVS_T_UINT8] = "C",
		[EVS_T_UINT16] = "S",  [EVS_T_UINT32] = "I",  [EVS_T_UINT64] = "L",
		[EVS_T_FLOAT32] = "f", [EVS_T_FLOAT64] = "g", [EVS_T_STRING] = "u",
		[EVS_T_UUID] = "w:16", [EVS_T_DATE] = "tdD",  [EVS_T_ENUM] = "s",
		[EVS_T_ARRAY] = "+l",  [EVS_T_MAP] = "+m",    [EVS_T_JSON] = "u",
		[EVS_T_IPV4] = "I",    [EVS_T_IPV6] = "w:16", [EVS_T_DATETIME] = "tss:UTC",
	};

	if (t->id == EVS_T_DECIMAL)
		snprintf(out, cap, "d:%u,%u", t->precision, t->scale);
	else if (t->id == EVS_T_FIXEDSTRING)
		snprintf(out, cap, "w:%u", t->width);
	else if (t->id == EVS_T_DATETIME64)
		snprintf(out, cap, "ts%c:UTC", units[unit_digits(t->scale) / 3]);
	else
		snprintf(out, cap, "%s", fixed[t->id]);
}

static int export_schema(struct ArrowSchema *s, const struct evs_type *t, const char *name,
			 size_t name_len, bool nullable);

/* "entries": a struct of key and value, none of which may be null but the value. */
static int export_entries(struct ArrowSchema *s, const struct evs_type *t)
{
	struct schema_memory *m = open_schema(s, "entries", 7, false, 2);

	if (!m)
		return EVS_E_NOMEM;
	memcpy(m->format, "+s", 3);
	if (export_schema(s->children[0], t->elem[0], "key", 3, false) < 0)
		return EVS_E_NOMEM;
	return export_schema(s->children[1], t->elem[1], "value", 5, t->elem[1]->nullable);
}

static int export_schema(struct ArrowSchema *s, const struct evs_type *t, const char *name,
			 size_t name_len, bool nullable)
{
	bool nested = t->id == EVS_T_ARRAY || t->id == EVS_T_MAP;
	const char *extension = t->id == EVS_T_UUID   ? "arrow.uuid"
				: t->id == EVS_T_JSON ? "arrow.json"
						      : NULL;
	struct schema_memory *m = open_schema(s, name, name_len, nullable, nested);
	struct schema_memory *dict;

	if (!m)
		return EVS_E_NOMEM;
	format_of(t, m->format, sizeof(m->format));
	if (extension) {
		m->metadata = make_metadata("ARROW:extension:name", extension);
		if (!m->metadata)
			return EVS_E_NOMEM;
		s->metadata = m->metadata;
	}
	if (t->id == EVS_T_ENUM) {
		s->dictionary = calloc(1, sizeof(*s->dictionary));
		dict = s->dictionary ? open_schema(s->dictionary, "", 0, false, 0) : NULL;
		if (!dict)
			return EVS_E_NOMEM;
		memcpy(dict->format, "u", 2);
	}
	if (t->id == EVS_T_ARRAY)
		return export_schema(s->children[0], t->elem[0], "item", 4, t->elem[0]->nullable);
	return t->id == EVS_T_MAP ? export_entries(s->children[0], t) : 0;
}

/* ---- arrays ------------------------------------------------------------------------------ */

static void release_array(struct ArrowArray *a)
{
	for (int64_t i = 0; i < a->n_children; i++) {
		if (a->children[i] && a->children[i]->release)
			a->children[i]->release(a->children[i]);
		free(a->children[i]);
	}
	free(a->children);
	if (a->dictionary && a->dictionary->release)
		a->dictionary->release(a->dictionary);
	free(a->dictionary);
	for (int64_t i = 0; a->buffers && i < a->n_buffers; i++)
		free(a->private_data ? ((void **)a->private_data)[i] : NULL);
	free(a->private_data);
	free((void *)(uintptr_t)a->buffers);
	a->release = NULL;
}

/*
 * A node with room for buffers and children. Buffers are owned through private_data, which
 * holds them once more without const.
 */
static int open_array(struct ArrowArray *a, int64_t rows, int buffers, int children)
{
	*a = (struct ArrowArray){ .length = rows, .release = release_array };
	a->buffers = calloc((size_t)buffers, sizeof(void *));
	a->private_data = calloc((size_t)buffers, sizeof(void *));
	if (!a->buffers || !a->private_data)
		return EVS_E_NOMEM;
	a->n_buffers = buffers;
	if (!children)
		return 0;
	a->children = calloc((size_t)children, sizeof(struct ArrowArray *));
	if (!a->children)
		return EVS_E_NOMEM;
	for (a->n_children = 0; a->n_children < children; a->n_children++) {
		a->children[a->n_children] = calloc(1, sizeof(struct ArrowArray));
		if (!a->children[a->n_children])
			return EVS_E_NOMEM;
	}
	return 0;
}

/* Memory of buffer i, zeroed; at least 8 bytes, so that it is never NULL. */
static void *add_buffer(struct ArrowArray *a, int i, size_t n)
{
	void *p = calloc(n + 8, 1);

	((void **)a->private_data)[i] = p;
	a->buffers[i] = p;
	return p;
}

static int copy_buffer(struct ArrowArray *a, int i, const void *from, size_t n)
{
	void *p = add_buffer(a, i, n);

	if (!p)
		return EVS_E_NOMEM;
	if (n && from)
		memcpy(p, from, n);
	return 0;
}

/* Buffer 0; absent when nothing is null. */
static int copy_valid(struct ArrowArray *a, const struct evs_array *from)
{
	a->null_count = from->nulls;
	return from->valid ? copy_buffer(a, 0, from->valid, ((size_t)from->rows + 7) / 8) : 0;
}

static int copy_bits(struct ArrowArray *a, const struct evs_array *from)
{
	uint8_t *p = add_buffer(a, 1, ((size_t)from->rows + 7) / 8);

	if (!p)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < from->rows; i++)
		p[i >> 3] |= (uint8_t)((from->data[i] != 0) << (i & 7));
	return 0;
}

/*
 * Decimals of 64 bits to 128; wide ones are little-endian on both sides, as Arrow is on this
 * host.
 */
static int copy_decimals(struct ArrowArray *a, const struct evs_array *from)
{
	uint64_t *p = add_buffer(a, 1, (size_t)from->rows * 16);

	if (!p)
		return EVS_E_NOMEM;
	for (uint32_t i = 0; i < from->rows; i++) {
		uint64_t v[2];

		if (from->phys == EVS_INT) {
			v[0] = evs_array_int(from, i);
			v[1] = (uint64_t)((int64_t)v[0] >> 63);
		} else {
			v[0] = evs_get64(from->data + (size_t)i * 16);
			v[1] = evs_get64(from->data + (size_t)i * 16 + 8);
		}
		memcpy(p + 2 * (size_t)i, v, 16);
	}
	return 0;
}

static int copy_times(struct ArrowArray *a, const struct evs_array *from, unsigned scale,
		      struct evs_diag *diag)
{
	int64_t factor = 1, *p = add_buffer(a, 1, (size_t)from->rows * 8);

	if (!p)
		return EVS_E_NOMEM;
	for (unsigned i = scale; i < unit_digits(scale); i++)
		factor *= 10;
	for (uint32_t i = 0; i < from->rows; i++) {
		if (__builtin_mul_overflow((int64_t)evs_array_int(from, i), factor, &p[i]))
			return evs_fail(diag, EVS_E_DATA,
					"row %u: a time too far away for Arrow's unit", i);
	}
	return 0;
}

/* Item numbers to positions in the dictionary, which has the names in their order. */
static int copy_enum(struct ArrowArray *a, const struct evs_array *from, const struct evs_type *t,
		     struct evs_diag *diag)
{
	int16_t *index = add_buffer(a, 1, (size_t)from->rows * 2);
	struct ArrowArray *dict = a->dictionary = calloc(1, sizeof(*dict));
	int32_t *offs;
	size_t bytes = 0;
	char *names;

	if (t->nitems > INT16_MAX)
		return evs_fail(diag, EVS_E_LIMIT, "an Enum has too many items for Arrow");
	if (!index || !dict || open_array(dict, t->nitems, 3, 0) < 0)
		return EVS_E_NOMEM;
	for (unsigned i = 0; i < t->nitems; i++)
		bytes += t->items[i].len;
	offs = add_buffer(dict, 1, ((size_t)t->nitems + 1) * 4);
	names = add_buffer(dict, 2, bytes);
	if (!offs || !names)
		return EVS_E_NOMEM;
	for (unsigned i = 0; i < t->nitems; i++) {
		memcpy(names + offs[i], t->items[i].name, t->items[i].len);
		offs[i + 1] = offs[i] + (int32_t)t->items[i].len;
	}
	for (uint32_t i = 0; i < from->rows; i++) {
		const struct evs_enum_item *item;

		if (evs_array_is_null(from, i))
			continue;
		item = evs_enum_by_value(t, (int16_t)evs_array_int(from, i));
		if (!item)
			return evs_fail(diag, EVS_E_DATA,
					"row %u: no item of the Enum has the number %d", i,
					(int)(int16_t)evs_array_int(from, i));
		index[i] = (int16_t)(item - t->items);
	}
	return 0;
}

static int export_array(struct ArrowArray *a, const struct evs_array *from,
			const struct evs_type *t, struct evs_diag *diag);

static int export_nested(struct ArrowArray *a, const struct evs_array *from,
			 const struct evs_type *t, struct evs_diag *diag)
{
	struct ArrowArray *entries;
	int rc;

	if (open_array(a, from->rows, 2, 1) < 0 || copy_valid(a, from) < 0 ||
	    copy_buffer(a, 1, from->offs, ((size_t)from->rows + 1) * 4) < 0)
		return EVS_E_NOMEM;
	if (t->id == EVS_T_ARRAY)
		return export_array(a->children[0], &from->child[0], t->elem[0], diag);
	entries = a->children[0];
	if (open_array(entries, from->child[0].rows, 1, 2) < 0)
		return EVS_E_NOMEM;
	rc = export_array(entries->children[0], &from->child[0], t->elem[0], diag);
	return rc < 0 ? rc : export_array(entries->children[1], &from->child[1], t->elem[1], diag);
}

static int export_array(struct ArrowArray *a, const struct evs_array *from,
			const struct evs_type *t, struct evs_diag *diag)
{
	if (from->nchild)
		return export_nested(a, from, t, diag);
	if (open_array(a, from->rows, from->phys == EVS_BYTES ? 3 : 2, 0) < 0 ||
	    copy_valid(a, from) < 0)
		return EVS_E_NOMEM;
	if (from->phys == EVS_BYTES) {
		if (copy_buffer(a, 1, from->offs, from->offs ? ((size_t)from->rows + 1) * 4 : 0) <
		    0)
			return EVS_E_NOMEM;
		return copy_buffer(a, 2, from->data,
				   from->rows ? (size_t)from->offs[from->rows] : 0);
	}
	switch (t->id) {
	case EVS_T_BOOL:
		return copy_bits(a, from);
	case EVS_T_DECIMAL:
		return copy_decimals(a, from);
	case EVS_T_DATETIME:
		return copy_times(a, from, 0, diag);
	case EVS_T_DATETIME64:
		return copy_times(a, from, t->scale, diag);
	case EVS_T_ENUM:
		return copy_enum(a, from, t, diag);
	default:
		return copy_buffer(a, 1, from->data, (size_t)from->rows * from->width);
	}
}

/* ---- the batch --------------------------------------------------------------------------- */

int evs_batch_export(const struct evs_batch *b, struct ArrowSchema *schema,
		     struct ArrowArray *array, struct evs_diag *diag)
{
	struct ArrowSchema s = { 0 };
	struct ArrowArray a = { 0 };
	struct schema_memory *m = open_schema(&s, "", 0, false, (int)b->ncols);
	int rc = EVS_E_NOMEM;

	if (!m || open_array(&a, b->rows, 1, (int)b->ncols) < 0)
		goto out;
	memcpy(m->format, "+s", 3);
	for (size_t i = 0; i < b->ncols; i++) {
		const struct evs_field *f = &b->fields[i];

		rc = export_schema(s.children[i], f->type, f->name, f->name_len, f->nullable);
		if (rc == 0)
			rc = export_array(a.children[i], &b->cols[i], f->type, diag);
		if (rc < 0)
			goto out;
	}
	rc = 0;
	*schema = s;
	*array = a;
	s.release = NULL; /* now the caller's */
	a.release = NULL;
out:
	if (s.release)
		s.release(&s);
	if (a.release)
		a.release(&a);
	return rc == EVS_E_NOMEM ? evs_fail_nomem(diag) : rc;
}
