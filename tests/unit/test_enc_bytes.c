/*
 * FIXED and BYTES nodes: every kind forced, the text forms and the spellings that are not theirs.
 */
#include "tests/unit/enc_gen.h"

static void add(struct evs_array *a, const char *s)
{
	if (evs_array_append_bytes(a, s, strlen(s)))
		abort();
}

static void random_uuid(uint8_t *u, unsigned version, uint64_t ms)
{
	for (unsigned i = 0; i < 16; i++)
		u[i] = (uint8_t)gen_u64();
	u[6] = (uint8_t)(version << 4 | (u[6] & 15));
	u[8] = (uint8_t)(0x80 | (u[8] & 0x3f));
	for (unsigned i = 0; i < 6 && version == 7; i++)
		u[i] = (uint8_t)(ms >> (40 - 8 * i));
}

static void uuid_text(char *s, const uint8_t *u)
{
	snprintf(s, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
		 u[13], u[14], u[15]);
}

static void test_fixed(void)
{
	static const uint16_t widths[] = { 1, 2, 3, 7, 16, 17, 64, 65, 1000 };
	struct evs_array a, holes;
	uint8_t v[1000];
	char name[64];

	for (size_t k = 0; k < sizeof(widths) / sizeof(widths[0]); k++)
		for (unsigned shape = 0; shape < 4; shape++) {
			evs_array_init(&a, EVS_FIXED, widths[k], false);
			for (unsigned i = 0; i < 300; i++) {
				for (size_t j = 0; j < widths[k]; j++)
					v[j] = shape == 0   ? 5
					       : shape == 1 ? (uint8_t)gen_u64()
					       : shape == 2 ? (uint8_t)(i % 4 + j)
							    : (uint8_t)(j < 4 ? gen_u64() : 0);
				T_CHECK(evs_array_append_fixed(&a, v) == 0);
			}
			gen_with_nulls(&holes, &a, 3);
			snprintf(name, sizeof(name), "fixed width %u shape %u", widths[k], shape);
			t_check(name, gen_trips(&a) && gen_trips(&holes));
			t_check(name, gen_forced(&a, EVS_NODE_PLAIN) || widths[k]);
			t_check(name, shape != 0 || gen_forced(&a, EVS_NODE_CONST));
			t_check(name, shape != 2 || gen_forced(&a, EVS_NODE_DICT));
			t_check(name,
				widths[k] < 2 || widths[k] > 64 || gen_forced(&a, EVS_NODE_PLANES));
			evs_array_release(&holes);
			evs_array_release(&a);
		}
}

static void test_uuids(void)
{
	struct evs_array fixed, text;
	uint8_t u[16];
	char s[37], name[64];

	for (unsigned version = 1; version < 16; version++)
		for (uint32_t rows = 1; rows < 12; rows++) {
			evs_array_init(&fixed, EVS_FIXED, 16, false);
			evs_array_init(&text, EVS_BYTES, 0, false);
			for (uint32_t i = 0; i < rows; i++) {
				random_uuid(u, version, 1734307200000u + i * 3);
				uuid_text(s, u);
				T_CHECK(evs_array_append_fixed(&fixed, u) == 0);
				add(&text, s);
			}
			snprintf(name, sizeof(name), "%u UUIDs of version %u", (unsigned)rows,
				 version);
			t_check(name, gen_forced(&fixed, EVS_NODE_UUID));
			t_check(name, gen_trips(&fixed));
			t_check(name, gen_forced(&text, EVS_NODE_UUID_TEXT));
			t_check(name, gen_trips(&text));
			/* Mixed versions, a nil UUID, and another variant are no UUID node. */
			memset(u, 0, 16);
			T_CHECK(evs_array_append_fixed(&fixed, u) == 0);
			t_check(name, !gen_forced(&fixed, EVS_NODE_UUID) && gen_trips(&fixed));
			add(&text, "0193ccc3-d40c-715e-cd3b-e919b9b0924e");
			t_check(name, gen_forced(&text, EVS_NODE_UUID_TEXT) && gen_trips(&text));
			add(&text, "0193CCC3-d40c-715e-bd3b-e919b9b0924e");
			t_check(name, !gen_forced(&text, EVS_NODE_UUID_TEXT) && gen_trips(&text));
			evs_array_release(&fixed);
			evs_array_release(&text);
		}
}

/* Columns of text, the kind that must take them, and one spelling that must not fit it. */
static const struct {
	uint8_t kind;
	const char *values[4];
	const char *other;
} forms[] = {
	{ EVS_NODE_HEX_TEXT, { "5b133538e083", "00000000", "ffffffff01", "" }, "5B133538" },
	{ EVS_NODE_HEX_TEXT, { "deadbeef", "00", "cafe", "0123456789abcdef" }, "abc" },
	{ EVS_NODE_INT_TEXT, { "0", "-1", "9223372036854775807", "-9223372036854775808" }, "-0" },
	{ EVS_NODE_INT_TEXT, { "1", "22", "333", "4444" }, "01" },
	{ EVS_NODE_INT_TEXT, { "1", "22", "333", "4444" }, "9223372036854775808" },
	{ EVS_NODE_INT_TEXT, { "1", "22", "333", "4444" }, "-9223372036854775809" },
	{ EVS_NODE_INT_TEXT, { "1", "22", "333", "4444" }, "" },
	{ EVS_NODE_INT_TEXT, { "1", "22", "333", "4444" }, "-" },
	{ EVS_NODE_INT_TEXT, { "1", "22", "333", "4444" }, "+1" },
	{ EVS_NODE_INT_TEXT, { "1", "22", "333", "4444" }, "99999999999999999999" },
	{ EVS_NODE_TIME_TEXT,
	  { "2024-12-16T00:00:33.253Z", "1969-12-31T23:59:59.999Z", "0000-01-01T00:00:00.000Z",
	    "9999-12-31T23:59:59.999Z" },
	  "2024-12-16T00:00:60.000Z" },
	{ EVS_NODE_TIME_TEXT,
	  { "2024-02-29 00:00:00", "2000-02-29 12:30:01", "1900-02-28 00:00:00",
	    "2100-12-31 23:59:59" },
	  "2023-02-29 00:00:00" },
	{ EVS_NODE_TIME_TEXT,
	  { "2024-12-16T00:00:22.871376+00:00", "2024-12-16T00:00:22.000001+00:00",
	    "2024-01-31T00:00:00.000000+00:00", "1583-10-10T10:10:10.101010+00:00" },
	  "2024-12-16T00:00:22.871376+01:00" },
	{ EVS_NODE_TIME_TEXT,
	  { "2024-12-16", "1970-01-01", "0001-01-01", "9999-12-31" },
	  "2024-13-01" },
	{ EVS_NODE_TIME_TEXT,
	  { "2024-12-16T00:00:00.123456789", "1678-01-01T00:00:00.000000000",
	    "2262-01-01T00:00:00.999999999", "1970-01-01T00:00:00.000000001" },
	  "2263-01-01T00:00:00.000000000" },
	{ EVS_NODE_TIME_TEXT,
	  { "2024-12-16T10:00:00Z", "2024-12-16T11:00:00Z", "2024-12-16T12:00:00Z",
	    "2024-12-16T13:00:00Z" },
	  "2024-12-16T24:00:00Z" },
	{ EVS_NODE_AFFIX, { "user_x7z", "user_z", "user_yyz", "user_z" }, NULL },
	{ EVS_NODE_AFFIX, { "aba", "aba", "abaaba", "ababa" }, NULL },
	{ EVS_NODE_TEMPLATE,
	  { "GET /a/7 in 12ms", "GET /b in 0.250ms (x=\"y z\")", "at http://a.b/c?d=e: 10.0.0.1:80",
	    "" },
	  NULL },
	{ EVS_NODE_TEMPLATE,
	  { "{\"a\":1.50,\"b\":[true,-2e+7,\"x\"],\"c\":{}}",
	    "{\"a\":01,\"b\":\"\\\"\",\"c\":null}", "[]", "[[1],\"\"]" },
	  NULL },
	{ EVS_NODE_TEMPLATE, { "{\"a", "{\"open}", "\x01\x04\x06", "{\"a\":\"\\\"}" }, NULL },
	{ EVS_NODE_TEMPLATE,
	  { "44bffbf3-5530-4378-94f3-0c85dc719159", "us-west-2", "00ff9a01x 00ff9a0123",
	    "2024-01-02 -1 007 li.a9@b.c" },
	  NULL },
	{ EVS_NODE_DICT, { "", "a", "", "bb" }, NULL },
	{ EVS_NODE_DICT, { "x", "x", "x", "x" }, NULL },
	{ EVS_NODE_CONST, { "same", "same", "same", "same" }, "" },
	{ EVS_NODE_CONST, { "", "", "", "" }, "x" },
};

static void test_forms(void)
{
	struct evs_array a, holes;
	char name[96];

	for (size_t k = 0; k < sizeof(forms) / sizeof(forms[0]); k++)
		for (uint32_t rows = 1; rows < 100; rows += rows < 10 ? 1 : 40) {
			evs_array_init(&a, EVS_BYTES, 0, false);
			for (uint32_t i = 0; i < rows; i++)
				add(&a, forms[k].values[i % 4]);
			snprintf(name, sizeof(name), "%s, kind %u, %u rows", forms[k].values[0],
				 forms[k].kind, (unsigned)rows);
			t_check(name, gen_forced(&a, forms[k].kind));
			t_check(name, gen_trips(&a));
			gen_with_nulls(&holes, &a, 2);
			t_check(name, gen_forced(&holes, forms[k].kind));
			evs_array_release(&holes);
			if (forms[k].other) {
				add(&a, forms[k].other);
				t_check(name, !gen_forced(&a, forms[k].kind));
				t_check(name, gen_trips(&a));
			}
			evs_array_release(&a);
		}
}

static void random_string(struct evs_array *a, unsigned shape)
{
	char s[600];
	size_t n = 0;

	switch (shape) {
	case 0:
		n = gen_below(40);
		for (size_t i = 0; i < n; i++)
			s[i] = (char)gen_u64();
		break;
	case 1:
		n = (size_t)snprintf(s, sizeof(s), "user_%08x%04x", (unsigned)gen_below(~0u),
				     gen_below(65536));
		break;
	case 2:
		n = (size_t)snprintf(s, sizeof(s), "{\"a\":%u}", gen_below(5));
		break;
	case 3:
		n = (size_t)snprintf(s, sizeof(s), "%d", (int)gen_below(1000) - 500);
		break;
	case 4:
		n = (size_t)snprintf(s, sizeof(s), "action-%u", gen_below(700));
		break;
	case 5:
		n = gen_below(4) ? 0 : gen_below(600);
		memset(s, 'x', n);
		break;
	default:
		n = (size_t)snprintf(s, sizeof(s), "2024-12-%02uT%02u:%02u:%02u.%03uZ",
				     gen_below(31) + 1, gen_below(24), gen_below(60), gen_below(60),
				     gen_below(1000));
	}
	if (evs_array_append_bytes(a, s, n))
		abort();
}

static void test_random(void)
{
	static const uint32_t rows[] = { 1, 5, 64, 999, 5000 };
	struct evs_array a, holes;
	char name[64];

	for (unsigned shape = 0; shape < 7; shape++)
		for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
			evs_array_init(&a, EVS_BYTES, 0, false);
			for (uint32_t i = 0; i < rows[r]; i++)
				random_string(&a, shape);
			gen_with_nulls(&holes, &a, 3);
			snprintf(name, sizeof(name), "strings of shape %u, %u rows", shape,
				 (unsigned)rows[r]);
			t_check(name, gen_trips(&a));
			t_check(name, gen_trips(&holes));
			t_check(name, gen_forced(&a, EVS_NODE_DICT) || shape < 2 || shape == 6 ||
					      rows[r] == 1);
			evs_array_release(&holes);
			evs_array_release(&a);
		}
}

/* Ids of tasks whose events come close together: a dictionary with codes counted back. */
static void test_recent_codes(void)
{
	struct evs_array a;
	uint8_t u[4000][16];
	uint32_t newest = 0, pick;
	uint8_t kind = 0;

	evs_array_init(&a, EVS_FIXED, 16, false);
	for (unsigned i = 0; i < 4000; i++)
		random_uuid(u[i], 4, 0);
	for (unsigned i = 0; i < 20000; i++) {
		pick = gen_below(6) ? newest - (newest > 20 ? gen_below(20) : 0) : newest + 1;
		if (pick > newest && newest < 3999)
			newest = pick;
		T_CHECK(evs_array_append_fixed(&a, u[pick < 4000 ? pick : 0]) == 0);
	}
	T_CHECK(gen_trips(&a));
	T_CHECK(gen_trip(&a, NULL, &kind));
	t_eq_u64("repeating ids are a dictionary", kind, EVS_NODE_DICT);
	evs_array_release(&a);
}

int main(void)
{
	test_fixed();
	test_uuids();
	test_forms();
	test_random();
	test_recent_codes();
	return t_done();
}
