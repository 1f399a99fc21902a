/*
 * Types as text, in ClickHouse's spelling.
 */
#include "src/schema/schema.h"

#include <stdio.h>
#include <string.h>

/* Output that counts on when the buffer is full, like snprintf. */
struct sink {
	char *buf;
	size_t cap;
	size_t len;
};

static void put_mem(struct sink *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++, s->len++) {
		if (s->cap && s->len < s->cap - 1)
			s->buf[s->len] = p[i];
	}
}

static void put(struct sink *s, const char *text)
{
	put_mem(s, text, strlen(text));
}

static void put_num(struct sink *s, int v)
{
	char tmp[16];

	snprintf(tmp, sizeof(tmp), "%d", v);
	put(s, tmp);
}

static void put_quoted(struct sink *s, const char *p, size_t n)
{
	put(s, "'");
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\'' || p[i] == '\\')
			put(s, "\\");
		put_mem(s, p + i, 1);
	}
	put(s, "'");
}

static void put_enum(struct sink *s, const struct evs_type *t)
{
	bool small = t->nitems && t->items[0].value >= -128 && t->items[t->nitems - 1].value <= 127;

	put(s, small ? "Enum8(" : "Enum16(");
	for (unsigned i = 0; i < t->nitems; i++) {
		if (i)
			put(s, ", ");
		put_quoted(s, t->items[i].name, t->items[i].len);
		put(s, " = ");
		put_num(s, t->items[i].value);
	}
	put(s, ")");
}

static void put_type(struct sink *s, const struct evs_type *t, bool nullable);

static void put_bare(struct sink *s, const struct evs_type *t)
{
	static const char *const names[] = {
		[EVS_T_BOOL] = "Bool",
		[EVS_T_INT8] = "Int8",
		[EVS_T_INT16] = "Int16",
		[EVS_T_INT32] = "Int32",
		[EVS_T_INT64] = "Int64",
		[EVS_T_UINT8] = "UInt8",
		[EVS_T_UINT16] = "UInt16",
		[EVS_T_UINT32] = "UInt32",
		[EVS_T_UINT64] = "UInt64",
		[EVS_T_FLOAT32] = "Float32",
		[EVS_T_FLOAT64] = "Float64",
		[EVS_T_DECIMAL] = "Decimal(",
		[EVS_T_STRING] = "String",
		[EVS_T_FIXEDSTRING] = "FixedString(",
		[EVS_T_UUID] = "UUID",
		[EVS_T_DATE] = "Date",
		[EVS_T_DATETIME] = "DateTime",
		[EVS_T_DATETIME64] = "DateTime64(",
		[EVS_T_ENUM] = "",
		[EVS_T_ARRAY] = "Array(",
		[EVS_T_MAP] = "Map(",
		[EVS_T_JSON] = "JSON",
		[EVS_T_IPV4] = "IPv4",
		[EVS_T_IPV6] = "IPv6",
	};

	put(s, names[t->id]);
	switch (t->id) {
	case EVS_T_DECIMAL:
		put_num(s, t->precision);
		put(s, ", ");
		put_num(s, t->scale);
		break;
	case EVS_T_FIXEDSTRING:
		put_num(s, t->width);
		break;
	case EVS_T_DATETIME64:
		put_num(s, t->scale);
		break;
	case EVS_T_ENUM:
		put_enum(s, t);
		return;
	case EVS_T_ARRAY:
	case EVS_T_MAP:
		put_type(s, t->elem[0], t->elem[0]->nullable);
		if (t->id == EVS_T_MAP) {
			put(s, ", ");
			put_type(s, t->elem[1], t->elem[1]->nullable);
		}
		break;
	default:
		return;
	}
	put(s, ")");
}

static void put_type(struct sink *s, const struct evs_type *t, bool nullable)
{
	if (nullable)
		put(s, "Nullable(");
	put_bare(s, t);
	if (nullable)
		put(s, ")");
}

size_t evs_type_print(const struct evs_type *t, bool nullable, char *buf, size_t cap)
{
	struct sink s = { .buf = buf, .cap = cap };

	put_type(&s, t, nullable);
	if (cap)
		buf[s.len < cap ? s.len : cap - 1] = '\0';
	return s.len;
}
