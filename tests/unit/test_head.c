/*
 * head.[ch]: round trip of HEAD and SCHEMA, and one row per rule of spec 4.
 */
#include "format/frame.h"
#include "format/head.h"
#include "tests/unit/t.h"

#include <stddef.h>
#include <stdlib.h>

#define AT(field) offsetof(struct evs_head_raw, field)

static const char schema[] = "CREATE TABLE t (id UUID, id2 UUID, id3 UUID, ts DateTime64(3),"
			     " ts2 DateTime64(3), ts3 DateTime64(3)) ORDER BY (id, ts);\n";

static struct evs_head sample(void)
{
	return (struct evs_head){
		.major = 1,
		.minor = 7,
		.unit = 1,
		.ignore_features = (uint64_t)1 << 40,
		.segment_id = { 1, 2, 3, 16 },
		.salt = 0xdeadbeefcafef00du,
		.created = -5,
		.part_lo = 1704067200,
		.part_hi = 1704672000,
		.stream = "task_events",
		.stream_len = 11,
		.tenant = "acme",
		.tenant_len = 4,
		.schema = schema,
		.schema_len = sizeof(schema) - 1,
	};
}

static bool same_head(const struct evs_head *a, const struct evs_head *b)
{
	return a->major == b->major && a->minor == b->minor && a->unit == b->unit &&
	       a->suite == b->suite && a->ignore_features == b->ignore_features &&
	       a->refuse_features == b->refuse_features &&
	       !memcmp(a->segment_id, b->segment_id, 16) && a->salt == b->salt &&
	       a->created == b->created && a->part_lo == b->part_lo && a->part_hi == b->part_hi &&
	       a->stream_len == b->stream_len && !memcmp(a->stream, b->stream, a->stream_len) &&
	       a->tenant_len == b->tenant_len && !memcmp(a->tenant, b->tenant, a->tenant_len) &&
	       a->schema_len == b->schema_len && !memcmp(a->schema, b->schema, a->schema_len);
}

static void test_round_trip(void)
{
	struct evs_head h = sample(), got;
	struct evs_buf b = { 0 };
	const char *why = NULL;

	T_CHECK(evs_head_encode(&h, NULL, &b) == 0);
	T_CHECK(b.len < sizeof(struct evs_head_raw) + 15 + h.schema_len);
	T_CHECK(evs_head_decode(&got, b.p, b.len, &why) == 0 && same_head(&h, &got));
	T_CHECK(got.schema_mem != NULL);
	evs_head_release(&got);

	/* Too short to get smaller: stored as it is, no tenant. */
	h.schema_len = 5;
	h.tenant_len = 0;
	evs_buf_reset(&b);
	T_CHECK(evs_head_encode(&h, NULL, &b) == 0);
	t_eq_u64("plain text", b.len, sizeof(struct evs_head_raw) + 11 + 5);
	T_CHECK(evs_head_decode(&got, b.p, b.len, &why) == 0 && same_head(&h, &got));
	T_CHECK(got.schema_mem == NULL);
	evs_head_release(&got);
	evs_head_release(NULL);
	evs_buf_release(&b);
}

static void test_write(void)
{
	struct evs_head h = sample(), got;
	struct evs_buf b = { 0 };
	struct evs_frame f;
	const char *why = NULL;
	uint64_t off = 0;

	T_CHECK(evs_head_write(&h, NULL, &b) == 0);
	for (unsigned copy = 0; copy < 2; copy++) {
		T_CHECK(evs_frame_decode(&f, b.p + off, 0, off, &why) == 0);
		T_CHECK(f.type == EVS_FRAME_HEAD && f.summed_len == f.payload_len);
		T_CHECK(evs_frame_verify(&f, b.p + off + 40, 0, off, &why) == 0);
		T_CHECK(evs_head_decode(&got, b.p + off + 40, f.summed_len, &why) == 0);
		T_CHECK(same_head(&h, &got));
		evs_head_release(&got);
		off += evs_frame_span(f.payload_len);
	}
	t_eq_u64("two frames and no more", b.len, off);
	T_CHECK(!memcmp(b.p + 40, b.p + off / 2 + 40, off / 2 - 40));
	evs_buf_release(&b);
}

/* The memo serves a HEAD with the same bytes, and no other one, also of the same lengths. */
static void test_memo(void)
{
	struct evs_text_memo memo = { 0 };
	struct evs_buf b[2] = { 0 }, again = { 0 };
	const char *kept, *why = NULL;
	struct evs_head h = sample(), got;
	char other[sizeof(schema)];

	memcpy(other, schema, sizeof(schema));
	other[13] = 'u';
	T_CHECK(evs_head_encode(&h, NULL, &b[0]) == 0);
	h.schema = other;
	T_CHECK(evs_head_encode(&h, NULL, &b[1]) == 0 && b[0].len == b[1].len);
	for (unsigned i = 0; i < 6; i++) {
		unsigned which = i / 2 % 2;

		kept = memo.text;
		h.schema = which ? other : schema;
		T_CHECK(evs_head_decode_memo(&got, b[which].p, b[which].len, &memo, &why) == 0);
		T_CHECK(same_head(&h, &got) && got.schema == memo.text && !got.schema_mem);
		T_CHECK((i % 2) == (kept == memo.text));
		evs_head_release(&got);
	}
	/* The one it does not know is written as without it. */
	h.schema = h.schema == schema ? other : schema;
	T_CHECK(evs_head_encode(&h, &memo, &again) == 0);
	kept = (char *)b[h.schema == other].p;
	T_CHECK(again.len == b[0].len && !memcmp(again.p, kept, again.len));
	for (unsigned i = 0; i < 2; i++)
		evs_buf_release(&b[i]);
	evs_buf_release(&again);
	evs_text_memo_release(&memo);
}

/* What is written with a memo is what is written without one, whoever filled it, and a text that is
 * not made shorter. */
static void test_memo_writes(void)
{
	struct evs_text_memo memo = { 0 };
	struct evs_buf plain = { 0 }, b = { 0 };
	const char *text[] = { schema, "x", schema, schema, "", "CREATE", schema }, *kept,
		   *why = NULL;
	struct evs_head h = sample(), got;

	for (unsigned i = 0; i < sizeof(text) / sizeof(*text); i++) {
		h.schema = text[i];
		h.schema_len = strlen(text[i]);
		evs_buf_reset(&plain);
		evs_buf_reset(&b);
		kept = memo.text;
		T_CHECK(evs_head_encode(&h, NULL, &plain) == 0 &&
			evs_head_encode(&h, &memo, &b) == 0);
		T_CHECK(b.len == plain.len && !memcmp(b.p, plain.p, b.len));
		T_CHECK((i == 0) ==
			(kept != memo.text)); /* the others are the same, or stored as they are */
		T_CHECK(evs_head_decode_memo(&got, b.p, b.len, &memo, &why) == 0 &&
			same_head(&h, &got));
		T_CHECK((text[i] == schema) == (got.schema == memo.text));
		evs_head_release(&got);
	}
	evs_text_memo_release(&memo);
	T_CHECK(evs_head_decode_memo(&got, b.p, b.len, &memo, &why) == 0);
	evs_head_release(&got);
	kept = memo.text;
	evs_buf_reset(&b);
	T_CHECK(kept && evs_head_encode(&h, &memo, &b) == 0 && memo.text == kept);
	T_CHECK(b.len == plain.len && !memcmp(b.p, plain.p, b.len));
	evs_buf_release(&b);
	evs_buf_release(&plain);
	evs_text_memo_release(&memo);
}

static void test_limits(void)
{
	struct evs_buf b = { 0 };
	struct evs_head h = sample();

	h.stream_len = EVS_MAX_NAME + 1;
	T_CHECK(evs_head_encode(&h, NULL, &b) == EVS_E_LIMIT && !b.len);
	h.stream_len = 0;
	T_CHECK(evs_head_encode(&h, NULL, &b) == EVS_E_LIMIT && !b.len);
	h = sample();
	h.tenant_len = EVS_MAX_TENANT + 1;
	T_CHECK(evs_head_write(&h, NULL, &b) == EVS_E_LIMIT && !b.len);
	h = sample();
	h.schema_len = EVS_MAX_SCHEMA + 1;
	T_CHECK(evs_head_encode(&h, NULL, &b) == EVS_E_LIMIT && !b.len);
	h = sample();
	h.part_hi = h.part_lo;
	T_CHECK(evs_head_encode(&h, NULL, &b) == EVS_E_LIMIT && !b.len);
	T_CHECK(evs_schema_text_encode(schema, EVS_MAX_SCHEMA + 1, &b) == EVS_E_LIMIT && !b.len);
	evs_buf_release(&b);
}

static const struct {
	const char *rule;
	size_t at;
	uint8_t val;
	int want;
} bad[] = {
	{ "4.1-2 ", AT(major), 2, EVS_E_VERSION },
	{ "4.1-2 ", AT(major) + 1, 1, EVS_E_VERSION },
	{ "4.1-12 ", AT(major), 0, EVS_E_FORMAT },
	{ "4.1-3 ", AT(refuse_features), 1, EVS_E_VERSION },
	{ "4.1-3 ", AT(refuse_features) + 7, 0x80, EVS_E_VERSION },
	{ "4.1-4 ", AT(suite), 1, EVS_E_VERSION },
	{ "4.1-4 ", AT(suite), 2, EVS_E_VERSION },
	{ "4.1-5 ", AT(unit), 0, EVS_E_FORMAT },
	{ "4.1-5 ", AT(unit), 4, EVS_E_FORMAT },
	{ "4.1-6 ", AT(reserved), 1, EVS_E_FORMAT },
	{ "4.1-6 ", AT(reserved) + 1, 1, EVS_E_FORMAT },
	{ "4.1-7 ", AT(part_lo) + 6, 1, EVS_E_FORMAT },
	{ "4.1-7 ", AT(part_hi) + 7, 0x80, EVS_E_FORMAT },
	{ "4.1-8 ", AT(stream_len), 0, EVS_E_FORMAT },
	{ "4.1-8 ", AT(stream_len) + 1, 1, EVS_E_FORMAT },
	{ "4.1-9 ", AT(tenant_len) + 1, 0x11, EVS_E_FORMAT },
	{ "4.1-10 ", AT(suite_len), 8, EVS_E_FORMAT },
	{ "4.1-11 ", AT(tenant_len), 5, EVS_E_FORMAT },
	{ "4.1-11 ", AT(schema_stored_len) + 3, 0xff, EVS_E_FORMAT },
	{ "4.2-1 ", AT(schema_len) + 3, 1, EVS_E_FORMAT },
	{ "4.2-1 ", AT(schema_len), 1, EVS_E_FORMAT },
	{ "4.2-2 ", AT(schema_len) + 1, 2, EVS_E_FORMAT },
	{ "4.2-2 ", sizeof(struct evs_head_raw) + 15, 0, EVS_E_FORMAT }, /* zstd magic */
};

static void check_bad(const char *rule, int want, const uint8_t *p, size_t n)
{
	struct evs_head h;
	const char *why = "none";

	t_check(rule, evs_head_decode(&h, p, n, &why) == want);
	t_check(why, !strncmp(why, rule, strlen(rule)));
	evs_head_release(&h);
}

static void test_rules(void)
{
	struct evs_head h = sample();
	struct evs_buf b = { 0 };

	T_CHECK(evs_head_encode(&h, NULL, &b) == 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t before = b.p[bad[i].at];

		b.p[bad[i].at] = bad[i].val;
		check_bad(bad[i].rule, bad[i].want, b.p, b.len);
		b.p[bad[i].at] = before;
	}
	check_bad("4.1-1 ", EVS_E_FORMAT, b.p, 1);
	check_bad("4.1-1 ", EVS_E_FORMAT, b.p, sizeof(struct evs_head_raw) - 1);
	check_bad("4.1-11 ", EVS_E_FORMAT, b.p, b.len - 1);
	evs_buf_put_u8(&b, 0);
	check_bad("4.1-11 ", EVS_E_FORMAT, b.p, b.len);

	/* A newer major is told as such however short it is. */
	check_bad("4.1-2 ", EVS_E_VERSION, (const uint8_t *)"\2", 2);

	h.schema = "a\0b";
	h.schema_len = 3;
	evs_buf_reset(&b);
	T_CHECK(evs_head_encode(&h, NULL, &b) == 0);
	check_bad("4.2-3 ", EVS_E_FORMAT, b.p, b.len);
	evs_buf_release(&b);
}

static void test_schema_frame(void)
{
	static const size_t lens[] = { 0, 1, 7, sizeof(schema) - 1 };
	struct evs_buf b = { 0 };
	const char *why = NULL;
	char *text = NULL;
	size_t len = 99;

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		evs_buf_reset(&b);
		T_CHECK(evs_schema_text_encode(schema, lens[i], &b) == 0);
		T_CHECK(evs_schema_text_decode(&text, &len, b.p, b.len, &why) == 0);
		T_CHECK(len == lens[i] && !memcmp(text, schema, len) && !text[len]);
		free(text);
	}
	T_CHECK(evs_schema_text_decode(&text, &len, b.p, b.len - 1, &why) == EVS_E_FORMAT);
	T_CHECK(!strncmp(why, "4.3-1 ", 6));
	T_CHECK(evs_schema_text_decode(&text, &len, b.p, 7, &why) == EVS_E_FORMAT);
	b.p[8] ^= 0xff; /* the magic of zstd */
	T_CHECK(evs_schema_text_decode(&text, &len, b.p, b.len, &why) == EVS_E_FORMAT);
	T_CHECK(!strncmp(why, "4.2-2 ", 6));
	evs_buf_release(&b);
}

int main(void)
{
	test_round_trip();
	test_write();
	test_memo();
	test_memo_writes();
	test_limits();
	test_rules();
	test_schema_frame();
	return t_done();
}
