/*
 * frame.[ch]: sealing and decoding, and one row per rule of spec 3.1.
 */
#include "format/commit.h"
#include "format/frame.h"
#include "tests/unit/t.h"

#include <stddef.h>
#include <xxhash.h>

#define SALT	  0x1122334455667788u
#define OFF	  4096u
#define AT(field) offsetof(struct evs_frame_raw, field)

static const uint8_t payload[264] = "payload of a frame";

/* The checksum of the head, as the spec words it. */
static void reseal(uint8_t *raw, uint64_t salt, uint64_t off)
{
	evs_put64(raw + 32, XXH3_64bits_withSeed(raw, 32, salt ^ off));
}

static void test_round_trip(void)
{
	uint8_t raw[EVS_FRAME_HEAD_SIZE], bad[264];
	struct evs_frame f;
	const char *why = NULL;

	evs_frame_seal(raw, EVS_FRAME_GROUP, 0, 1000, payload, 100, SALT, OFF, 0);
	T_CHECK(raw[0] == 0x89 && !memcmp(raw + 1, "EVS", 3));
	T_CHECK(evs_frame_decode(&f, raw, SALT, OFF, &why) == 0);
	T_CHECK(f.type == EVS_FRAME_GROUP && f.flags == 0 && f.payload_len == 1000);
	T_CHECK(f.summed_len == 100);
	T_CHECK(evs_frame_verify(&f, payload, SALT, OFF, &why) == 0);

	T_CHECK(evs_frame_verify(&f, payload, SALT + 1, OFF, &why) == EVS_E_FORMAT);
	T_CHECK(evs_frame_verify(&f, payload, SALT, OFF + 8, &why) == EVS_E_FORMAT);
	T_CHECK(evs_frame_decode(&f, raw, SALT + 1, OFF, &why) == EVS_E_FORMAT);
	T_CHECK(evs_frame_decode(&f, raw, SALT, OFF + 8, &why) == EVS_E_FORMAT);
	T_CHECK(evs_frame_decode(&f, raw, SALT, OFF, &why) == 0);
	for (unsigned i = 0; i < 100; i++) {
		memcpy(bad, payload, sizeof(bad));
		bad[i] ^= 0x10;
		T_CHECK(evs_frame_verify(&f, bad, SALT, OFF, &why) == EVS_E_FORMAT);
	}
	t_check("3.1-12", !strncmp(why, "3.1-12 ", 7));
	t_eq_u64("span 0", evs_frame_span(0), 40);
	t_eq_u64("span 1", evs_frame_span(1), 48);
	t_eq_u64("span 8", evs_frame_span(8), 48);
}

/* A HEAD frame is found by a reader that does not know the salt yet. */
static void test_head_has_no_salt(void)
{
	uint8_t raw[EVS_FRAME_HEAD_SIZE];
	struct evs_frame f;
	const char *why = NULL;

	evs_frame_seal(raw, EVS_FRAME_HEAD, 0, 100, payload, 100, SALT, 64, 0);
	T_CHECK(evs_frame_decode(&f, raw, 0, 64, &why) == 0);
	T_CHECK(evs_frame_decode(&f, raw, SALT, 64, &why) == 0);
	T_CHECK(evs_frame_verify(&f, payload, SALT, 64, &why) == 0);
	T_CHECK(evs_frame_decode(&f, raw, 0, 0, &why) == EVS_E_FORMAT);
}

static void test_every_bit(void)
{
	uint8_t raw[EVS_FRAME_HEAD_SIZE];
	struct evs_frame f;

	evs_frame_seal(raw, EVS_FRAME_GROUP, 0, 1000, payload, 100, SALT, OFF, 0);
	for (unsigned i = 0; i < sizeof(raw) * 8; i++) {
		const char *why = NULL;

		raw[i / 8] ^= (uint8_t)(1u << i % 8);
		T_CHECK(evs_frame_decode(&f, raw, SALT, OFF, &why) == EVS_E_FORMAT && why);
		raw[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

static const struct {
	const char *rule;
	uint8_t type;
	uint64_t payload_len;
	uint32_t summed_len;
	size_t at;
	uint8_t val;
	int want;
} bad_heads[] = {
	{ "3.1-2 ", EVS_FRAME_GROUP, 64, 64, AT(magic), 'X', EVS_E_FORMAT },
	{ "3.1-2 ", EVS_FRAME_GROUP, 64, 64, AT(magic) + 3, 's', EVS_E_FORMAT },
	{ "3.1-4 ", EVS_FRAME_GROUP, 64, 64, AT(flags), 0x04, EVS_E_VERSION },
	{ "3.1-4 ", EVS_FRAME_GROUP, 64, 64, AT(flags), 0x80, EVS_E_VERSION },
	{ "3.1-5 ", EVS_FRAME_GROUP, 64, 64, AT(reserved), 1, EVS_E_FORMAT },
	{ "3.1-6 ", EVS_FRAME_GROUP, 64, 64, AT(type), 0, EVS_E_FORMAT },
	{ "3.1-7 ", EVS_FRAME_ROLLUP, 64, 64, AT(flags), 1, EVS_E_VERSION },
	{ "3.1-7 ", 200, 64, 64, AT(flags), 1, EVS_E_VERSION },
	{ "3.1-8 ", EVS_FRAME_GROUP, 64, 64, AT(flags), 2, EVS_E_FORMAT },
	{ "3.1-9 ", EVS_FRAME_GROUP, 64, 64, AT(payload_len) + 4, 1, EVS_E_FORMAT },
	{ "3.1-9 ", EVS_FRAME_GROUP, 64, 64, AT(payload_len) + 7, 0xff, EVS_E_FORMAT },
	{ "3.1-10 ", EVS_FRAME_GROUP, 64, 64, AT(summed_len), 65, EVS_E_FORMAT },
	{ "3.1-10 ", EVS_FRAME_GROUP, 0xf0000000u, 64, AT(summed_len) + 3, 0x11, EVS_E_FORMAT },
	{ "3.1-11 ", EVS_FRAME_INDEX, 64, 64, AT(summed_len), 63, EVS_E_FORMAT },
	{ "3.1-11 ", EVS_FRAME_SCHEMA, 64, 64, AT(summed_len), 0, EVS_E_FORMAT },
	{ "3.1-11 ", EVS_FRAME_COMMIT, 264, 136, AT(summed_len), 128, EVS_E_FORMAT },
	{ "3.1-11 ", EVS_FRAME_COMMIT, 64, 64, AT(summed_len), 64, EVS_E_FORMAT },
};

static void test_rules(void)
{
	struct evs_frame f;
	const char *why = NULL;
	uint8_t raw[EVS_FRAME_HEAD_SIZE];

	for (size_t i = 0; i < sizeof(bad_heads) / sizeof(bad_heads[0]); i++) {
		evs_frame_seal(raw, (enum evs_frame_type)bad_heads[i].type, 0,
			       bad_heads[i].payload_len, payload, bad_heads[i].summed_len, SALT,
			       OFF, 0);
		raw[bad_heads[i].at] = bad_heads[i].val;
		reseal(raw, SALT, OFF);
		why = "none";
		t_check(bad_heads[i].rule,
			evs_frame_decode(&f, raw, SALT, OFF, &why) == bad_heads[i].want);
		t_check(why, !strncmp(why, bad_heads[i].rule, strlen(bad_heads[i].rule)));
	}

	evs_frame_seal(raw, EVS_FRAME_GROUP, 0, 64, payload, 64, SALT, OFF + 4, 0);
	T_CHECK(evs_frame_decode(&f, raw, SALT, OFF + 4, &why) == EVS_E_FORMAT);
	t_check("3.1-1", !strncmp(why, "3.1-1 ", 6));
	evs_frame_seal(raw, EVS_FRAME_GROUP, 0, 64, payload, 64, SALT, OFF, 0);
	raw[AT(payload_len)] = 65;
	T_CHECK(evs_frame_decode(&f, raw, SALT, OFF, &why) == EVS_E_FORMAT);
	t_check("3.1-3", !strncmp(why, "3.1-3 ", 6));
}

/* What is marked "ignore" is let through for the caller to skip; so are intact frames of each type.
 */
static void test_accepts(void)
{
	struct evs_frame f;
	const char *why = NULL;
	uint8_t raw[EVS_FRAME_HEAD_SIZE];

	evs_frame_seal(raw, (enum evs_frame_type)200, 0, 64, payload, 32, SALT, OFF, 0);
	T_CHECK(evs_frame_decode(&f, raw, SALT, OFF, &why) == 0 && f.type == 200);
	evs_frame_seal(raw, EVS_FRAME_ROLLUP, 0, 64, payload, 32, SALT, OFF, 0);
	T_CHECK(evs_frame_decode(&f, raw, SALT, OFF, &why) == 0);
	evs_frame_seal(raw, EVS_FRAME_GROUP, EVS_FRAME_F_REFUSE, 64, payload, 32, SALT, OFF, 0);
	T_CHECK(evs_frame_decode(&f, raw, SALT, OFF, &why) == 0);
	evs_frame_seal(raw, EVS_FRAME_COMMIT, 0, 264, payload, 136, SALT, OFF, 0);
	T_CHECK(evs_frame_decode(&f, raw, SALT, OFF, &why) == 0);
	evs_frame_seal(raw, EVS_FRAME_GROUP, 0, EVS_FRAME_MAX_PAYLOAD - 1, payload, 0, SALT, OFF,
		       0);
	T_CHECK(evs_frame_decode(&f, raw, SALT, OFF, &why) == 0);
}

int main(void)
{
	test_round_trip();
	test_head_has_no_salt();
	test_every_bit();
	test_rules();
	test_accepts();
	return t_done();
}
