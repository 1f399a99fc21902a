/*
 * The Arrow C data interface: formats, buffers bit by bit, nested children, dictionaries, and
 * releasing in any order.
 */
#include "src/batch.h"
#include "src/json/json.h"
#include "tests/unit/mini_table.h"
#include "tests/unit/t.h"

static const char spec[] =
	"b Bool\ni Int16\nf Float32\ns Nullable(String)\nfs FixedString(3)\nu UUID\nd Date\nt DateTime\n"
	"t3 DateTime64(3)\nt4 DateTime64(4)\nt7 DateTime64(7)\nde Decimal(10,2)\ndw Decimal(30,3)\n"
	"e Nullable(Enum(RED,GREEN))\na Array(Nullable(Int32))\nm Map(String,UInt8)\nj Nullable(JSON)\nip IPv4\nip6 IPv6";

static const char *const lines[] = {
	("{\"b\":true,\"i\":-5,\"f\":0.5,\"s\":\"hi\",\"fs\":\"ab\",\"u\":\"00112233-4455-6677-8899-aabbccddeeff\","
	 "\"d\":\"1970-01-02\",\"t\":\"1970-01-01T00:00:01Z\",\"t3\":\"1970-01-01T00:00:00.002Z\","
	 "\"t4\":\"1970-01-01T00:00:00.0003Z\",\"t7\":\"1970-01-01T00:00:00.0000004Z\",\"de\":-1.25,\"dw\":-0.001,"
	 "\"e\":\"GREEN\",\"a\":[1,null,3],\"m\":{\"k\":7,\"l\":8},\"j\":{\"x\":1},\"ip\":\"1.2.3.4\",\"ip6\":\"::1\"}"),
	("{\"b\":false,\"i\":6,\"f\":1,\"fs\":\"\",\"u\":\"00112233-4455-6677-8899-aabbccddeeff\","
	 "\"d\":\"1969-12-31\",\"t\":\"1969-12-31T23:59:59Z\",\"t3\":\"1970-01-01T00:00:00.000Z\","
	 "\"t4\":\"1970-01-01T00:00:00Z\",\"t7\":\"1970-01-01T00:00:00Z\",\"de\":2,\"dw\":1234567890123456789012.5,"
	 "\"a\":[],\"m\":{},\"ip\":\"0.0.0.0\",\"ip6\":\"::\",\"more\":1}"),
};

static const struct {
	const char *name, *format;
	int64_t buffers, children;
	const char *extension;
} columns[] = {
	{ "b", "b", 2, 0, NULL },	  { "i", "s", 2, 0, NULL },
	{ "f", "f", 2, 0, NULL },	  { "s", "u", 3, 0, NULL },
	{ "fs", "w:3", 2, 0, NULL },	  { "u", "w:16", 2, 0, "arrow.uuid" },
	{ "d", "tdD", 2, 0, NULL },	  { "t", "tss:UTC", 2, 0, NULL },
	{ "t3", "tsm:UTC", 2, 0, NULL },  { "t4", "tsu:UTC", 2, 0, NULL },
	{ "t7", "tsn:UTC", 2, 0, NULL },  { "de", "d:10,2", 2, 0, NULL },
	{ "dw", "d:30,3", 2, 0, NULL },	  { "e", "s", 2, 0, NULL },
	{ "a", "+l", 2, 1, NULL },	  { "m", "+m", 2, 1, NULL },
	{ "j", "u", 3, 0, "arrow.json" }, { "ip", "I", 2, 0, NULL },
	{ "ip6", "w:16", 2, 0, NULL },	  { "_extra", "u", 3, 0, "arrow.json" },
};

#define NCOLS (sizeof(columns) / sizeof(columns[0]))

static void fill(struct evs_array *cols, const struct evs_table *t, unsigned repeat)
{
	struct evs_json_reader *r;
	const char *reason;

	T_CHECK(evs_json_reader_new(&r, t) == 0);
	for (unsigned i = 0; i < 2 * repeat; i++)
		T_CHECK(evs_json_read_row(r, lines[i % 2], strlen(lines[i % 2]), cols, &reason) ==
			0);
	evs_json_reader_free(r);
}

static void check_schema(const struct ArrowSchema *s)
{
	t_eq_str("struct", s->format, "+s");
	t_eq_u64("columns", (uint64_t)s->n_children, NCOLS);
	for (size_t i = 0; i < NCOLS; i++) {
		const struct ArrowSchema *c = s->children[i];
		const char *m = c->metadata;

		t_eq_str("name", c->name, columns[i].name);
		t_eq_str(columns[i].name, c->format, columns[i].format);
		t_eq_u64(columns[i].name, (uint64_t)c->n_children, (uint64_t)columns[i].children);
		t_check(columns[i].name, !m == !columns[i].extension);
		if (m && columns[i].extension) {
			int32_t n[2];

			memcpy(&n[0], m, 4);
			memcpy(&n[1], m + 4, 4);
			t_check("metadata", n[0] == 1 && n[1] == 20 &&
						    !memcmp(m + 8, "ARROW:extension:name", 20));
			memcpy(&n[0], m + 28, 4);
			t_check("metadata",
				n[0] == (int32_t)strlen(columns[i].extension) &&
					!memcmp(m + 32, columns[i].extension, (size_t)n[0]));
		}
	}
	T_CHECK(s->children[3]->flags == ARROW_FLAG_NULLABLE && s->children[0]->flags == 0);
	t_eq_str("dictionary", s->children[13]->dictionary->format, "u");
	t_eq_str("elements", s->children[14]->children[0]->format, "i");
	T_CHECK(s->children[14]->children[0]->flags == ARROW_FLAG_NULLABLE);
	t_eq_str("entries", s->children[15]->children[0]->format, "+s");
	t_eq_str("keys", s->children[15]->children[0]->children[0]->format, "u");
	t_eq_str("values", s->children[15]->children[0]->children[1]->format, "C");
}

static bool same(const void *buffer, const void *want, size_t n)
{
	return buffer && !memcmp(buffer, want, n);
}

static void check_nested(const struct ArrowArray *a)
{
	const struct ArrowArray *list = a->children[14], *map = a->children[15], *item, *entries;

	T_CHECK(same(list->buffers[1], (int32_t[]){ 0, 3, 3 }, 12));
	item = list->children[0];
	T_CHECK(item->length == 3 && item->null_count == 1 &&
		*(const uint8_t *)item->buffers[0] == 5);
	T_CHECK(same(item->buffers[1], (int32_t[]){ 1, 0, 3 }, 12));
	T_CHECK(same(map->buffers[1], (int32_t[]){ 0, 2, 2 }, 12));
	entries = map->children[0];
	T_CHECK(entries->length == 2 && entries->n_buffers == 1 && entries->n_children == 2);
	T_CHECK(same(entries->children[0]->buffers[1], (int32_t[]){ 0, 1, 2 }, 12));
	T_CHECK(same(entries->children[0]->buffers[2], "kl", 2));
	T_CHECK(same(entries->children[1]->buffers[1], "\7\10", 2));
}

static void check_array(const struct ArrowArray *a)
{
	struct ArrowArray *const *c = a->children;
	static const uint8_t uuid[] = { 0,    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	uint64_t wide[4];

	T_CHECK(a->length == 2 && a->n_children == NCOLS && a->n_buffers == 1 &&
		a->null_count == 0);
	for (size_t i = 0; i < NCOLS; i++) {
		t_eq_u64(columns[i].name, (uint64_t)c[i]->length, 2);
		t_eq_u64(columns[i].name, (uint64_t)c[i]->n_buffers, (uint64_t)columns[i].buffers);
		t_check(columns[i].name,
			!c[i]->null_count == !c[i]->buffers[0] && c[i]->offset == 0);
	}
	T_CHECK(*(const uint8_t *)c[0]->buffers[1] == 1);
	T_CHECK(same(c[1]->buffers[1], (int16_t[]){ -5, 6 }, 4));
	T_CHECK(same(c[2]->buffers[1], (float[]){ 0.5f, 1 }, 8));
	T_CHECK(*(const uint8_t *)c[3]->buffers[0] == 1 &&
		same(c[3]->buffers[1], (int32_t[]){ 0, 2, 2 }, 12));
	T_CHECK(same(c[3]->buffers[2], "hi", 2));
	T_CHECK(same(c[4]->buffers[1], "ab\0\0\0", 6));
	T_CHECK(same(c[5]->buffers[1], uuid, 16));
	T_CHECK(same(c[6]->buffers[1], (int32_t[]){ 1, -1 }, 8));
	T_CHECK(same(c[7]->buffers[1], (int64_t[]){ 1, -1 }, 16));
	T_CHECK(same(c[8]->buffers[1], (int64_t[]){ 2, 0 }, 16));
	T_CHECK(same(c[9]->buffers[1], (int64_t[]){ 300, 0 }, 16));
	T_CHECK(same(c[10]->buffers[1], (int64_t[]){ 400, 0 }, 16));
	T_CHECK(same(c[11]->buffers[1], (int64_t[]){ -125, -1, 200, 0 }, 32));
	memcpy(wide, c[12]->buffers[1], 32);
	T_CHECK(wide[0] == UINT64_MAX && wide[1] == UINT64_MAX); /* -0.001 */
	T_CHECK(wide[3] == 66926 &&
		wide[2] == 1096246371337560084u); /* 1234567890123456789012500 */
	T_CHECK(c[13]->null_count == 1 && *(const int16_t *)c[13]->buffers[1] == 1);
	T_CHECK(c[13]->dictionary->length == 2 &&
		same(c[13]->dictionary->buffers[2], "REDGREEN", 8));
	T_CHECK(same(c[13]->dictionary->buffers[1], (int32_t[]){ 0, 3, 8 }, 12));
	T_CHECK(same(c[16]->buffers[2], "{\"x\":1}", 7));
	T_CHECK(same(c[17]->buffers[1], (uint32_t[]){ 0x01020304, 0 }, 8));
	T_CHECK(same(c[19]->buffers[2], "{\"more\":1}", 10));
	check_nested(a);
}

static struct evs_field *make_fields(const struct evs_table *t)
{
	struct evs_field *f = calloc(t->ncols, sizeof(*f));

	if (!f)
		abort();
	for (unsigned i = 0; i < t->ncols; i++) {
		f[i].name = t->cols[i].name;
		f[i].name_len = t->cols[i].name_len;
		f[i].type = &t->cols[i].type;
		f[i].nullable = t->cols[i].nullable;
		evs_type_print(&t->cols[i].type, f[i].nullable, f[i].type_text,
			       sizeof(f[i].type_text));
	}
	return f;
}

static void test_errors(void)
{
	struct evs_type type = { .id = EVS_T_DATETIME64, .scale = 7 };
	struct evs_array a;
	struct evs_field f = { .name = "t", .name_len = 1, .type = &type };
	struct evs_batch b = { &f, &a, 1, 1, false };
	struct ArrowSchema schema = { 0 };
	struct ArrowArray array = { 0 };
	struct evs_diag diag = { 0 };

	evs_array_init(&a, EVS_INT, 8, true);
	T_CHECK(evs_array_append_int(&a, (uint64_t)INT64_MAX) == 0);
	T_CHECK(evs_batch_export(&b, &schema, &array, &diag) == EVS_E_DATA && diag.what[0]);
	T_CHECK(!schema.release && !array.release);
	evs_array_release(&a);
	/* no columns, no rows */
	b = (struct evs_batch){ 0 };
	T_CHECK(evs_batch_export(&b, &schema, &array, &diag) == 0 && array.length == 0 &&
		schema.n_children == 0);
	schema.release(&schema);
	array.release(&array);
}

int main(void)
{
	struct evs_table *t = mini_table(spec);
	struct evs_array *cols = mini_columns(t);
	struct evs_field *fields = make_fields(t);
	struct evs_batch b = { fields, cols, t->ncols, 0, false };
	struct ArrowSchema schema;
	struct ArrowArray array, child;

	/* empty: offsets and buffers are there all the same */
	T_CHECK(evs_batch_export(&b, &schema, &array, NULL) == 0);
	T_CHECK(array.length == 0 && array.children[3]->buffers[1] &&
		*(const int32_t *)array.children[3]->buffers[1] == 0);
	T_CHECK(array.children[14]->buffers[1] && array.children[15]->children[0]->length == 0);
	schema.release(&schema);
	array.release(&array);

	fill(cols, t, 1);
	b.rows = cols[0].rows;
	T_CHECK(evs_batch_rows(&b) == 2 && evs_batch_columns(&b) == NCOLS);
	t_eq_str("name", evs_batch_column_name(&b, 3), "s");
	t_eq_str("type", evs_batch_column_type(&b, 3), "Nullable(String)");
	T_CHECK(evs_batch_export(&b, &schema, &array, NULL) == 0);
	mini_free_columns(t, cols); /* what was handed out stands by itself */
	check_schema(&schema);
	check_array(&array);
	/* a consumer may take a child and release the parent first */
	child = *array.children[15];
	array.children[15]->release = NULL;
	array.release(&array);
	T_CHECK(!array.release && child.length == 2 && child.children[0]->length == 2);
	child.release(&child);
	schema.release(&schema);
	T_CHECK(!schema.release && !child.release);

	/* more rows than one byte of bits */
	cols = mini_columns(t);
	b.cols = cols;
	fill(cols, t, 10);
	b.rows = cols[0].rows;
	T_CHECK(evs_batch_export(&b, &schema, &array, NULL) == 0);
	T_CHECK(same(array.children[0]->buffers[1], "\x55\x55\x05", 3));
	T_CHECK(same(array.children[3]->buffers[0], "\x55\x55\x05", 3) &&
		array.children[3]->null_count == 10);
	schema.release(&schema);
	array.release(&array);
	mini_free_columns(t, cols);
	test_errors();
	free(fields);
	evs_table_free(t);
	return t_done();
}
