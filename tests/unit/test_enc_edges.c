/*
 * Texts that are nearly of a form: a column of one form in which one value is off by one byte, days
 * around the ends of months and years, numbers around the ends of their range. All must come back.
 */
#include "tests/unit/enc_gen.h"

static void append(struct evs_array *a, const char *text, size_t len)
{
	if (evs_array_append_bytes(a, text, len))
		abort();
}

/* As chosen, and with each text form asked for (it is given up where it does not fit). */
static bool comes_back(const struct evs_array *a)
{
	static const uint8_t forms[] = { EVS_NODE_UUID_TEXT, EVS_NODE_HEX_TEXT, EVS_NODE_INT_TEXT,
					 EVS_NODE_TIME_TEXT, EVS_NODE_AFFIX,	EVS_NODE_DICT,
					 EVS_NODE_TEMPLATE };
	struct evs_enc_opts raw = { .no_zstd = true };
	bool ok = gen_trip(a, &raw, NULL);

	for (size_t i = 0; ok && i < sizeof(forms); i++) {
		struct evs_enc_opts forced = { .force = forms[i] };

		ok = gen_trip(a, &forced, NULL);
	}
	return ok;
}

/* ---- one byte off ---------------------------------------------------------------------------- */

#define SHARP "/09:@AFGZ`afgz-+ T.\x80\xff"

static void test_one_byte_off(void)
{
	static const char *const texts[] = {
		"44bffbf3-5530-4378-94f3-0c85dc719159",
		"00ff9a0123456789",
		"7",
		"-1024",
		"18446744073709551615",
		"2024-02-29T23:59:59Z",
		"2024-02-29 23:59:59.999999999",
		"2024-01-02T03:04:05.678+01:00",
	};
	struct evs_array a;
	char text[64], name[96];

	evs_array_init(&a, EVS_BYTES, 0, false);
	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		size_t len = strlen(texts[t]);

		for (size_t at = 0; at < len; at++) {
			bool ok = true;

			/* sizeof, so that a zero byte is among them */
			for (size_t b = 0; b < sizeof(SHARP); b++) {
				evs_array_reset(&a);
				for (unsigned i = 0; i < 12; i++)
					append(&a, texts[t], len);
				memcpy(text, texts[t], len);
				text[at] = SHARP[b];
				append(&a, text, len);
				append(&a, texts[t], len);
				ok &= comes_back(&a);
			}
			snprintf(name, sizeof(name), "%s, one off at %zu", texts[t], at);
			t_check(name, ok);
		}
	}
	evs_array_release(&a);
}

/* A byte more or less at the end, and nothing at all. */
static void test_other_length(void)
{
	static const char text[] = "44bffbf3-5530-4378-94f3-0c85dc7191590000";
	struct evs_array a;

	evs_array_init(&a, EVS_BYTES, 0, false);
	for (size_t of = 0; of <= 38; of++) {
		bool ok = true;

		for (size_t len = 0; len <= 38; len++) {
			evs_array_reset(&a);
			for (unsigned i = 0; i < 9; i++)
				append(&a, text, of);
			append(&a, text, len);
			ok &= comes_back(&a);
		}
		t_check("texts of one length and one of another", ok);
	}
	evs_array_release(&a);
}

/* ---- days and times -------------------------------------------------------------------------- */

static unsigned days_of(unsigned month, unsigned year)
{
	if (month == 2)
		return year % 4 == 0 && (year % 100 || year % 400 == 0) ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* The first and last days of every month, and those that no month has. */
static void test_days(void)
{
	static const unsigned years[] = { 0,	1,    4,    99,	  100,	400,  1600, 1899,
					  1900, 1970, 1999, 2000, 2023, 2024, 2100, 9999 };
	struct evs_array one, all;
	char text[64], name[64];
	int len;

	evs_array_init(&one, EVS_BYTES, 0, false);
	for (size_t y = 0; y < sizeof(years) / sizeof(years[0]); y++) {
		bool ok = true;

		evs_array_init(&all, EVS_BYTES, 0, false);
		for (unsigned month = 0; month <= 13; month++)
			for (unsigned day = 0; day <= 32; day = day == 2 ? 27 : day + 1) {
				len = snprintf(text, sizeof(text), "%04u-%02u-%02uT12:00:00Z",
					       years[y], month, day);
				evs_array_reset(&one);
				append(&one, "2024-01-01T00:00:00Z", 20);
				append(&one, text, (size_t)len);
				append(&one, "2024-01-01T00:00:01Z", 20);
				append(&one, "2024-01-01T00:00:02Z", 20);
				ok &= comes_back(&one);
				if (month && month <= 12 && day && day <= days_of(month, years[y]))
					append(&all, text, (size_t)len);
			}
		snprintf(name, sizeof(name), "days of the year %u", years[y]);
		t_check(name, ok);
		t_check(name, gen_forced(&all, EVS_NODE_TIME_TEXT));
		evs_array_release(&all);
	}
	evs_array_release(&one);
}

/* 24:00, 60 minutes, 60 and 61 seconds are no times; how many digits of a fraction there are. */
static void test_clock(void)
{
	static const char *const odd[] = {
		"2024-01-01T23:59:59Z", "2024-01-01T24:00:00Z", "2024-01-01T25:00:00Z",
		"2024-01-01T00:59:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z",
		"2024-01-01T00:00:61Z", "2024-01-01T00:00:00",	"2024-01-01T00:00:00ZZ",
	};
	struct evs_array a;
	char text[64], name[64];

	evs_array_init(&a, EVS_BYTES, 0, false);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		evs_array_reset(&a);
		for (unsigned k = 0; k < 8; k++)
			append(&a, odd[k == 5 ? i : 0], strlen(odd[k == 5 ? i : 0]));
		t_check(odd[i], comes_back(&a));
	}
	for (unsigned with_zone = 0; with_zone < 2; with_zone++) {
		evs_array_reset(&a);
		for (unsigned k = 0; k < 8; k++) {
			int len = snprintf(text, sizeof(text), "2024-01-01T00:00:0%u.%s", k,
					   with_zone ? "Z" : "");

			append(&a, text, (size_t)len);
		}
		t_check("a point and no digits", comes_back(&a));
	}
	for (int digits = 0; digits <= 12; digits++) {
		evs_array_reset(&a);
		for (unsigned k = 0; k < 8; k++) {
			int len = snprintf(text, sizeof(text), "1969-12-31T23:59:5%u.%0*uUTC+00:00",
					   k, digits, k * 7);

			append(&a, text, (size_t)len);
		}
		snprintf(name, sizeof(name), "%d digits of a second", digits);
		t_check(name, comes_back(&a));
	}
	evs_array_release(&a);
}

/* ---- integers as text ------------------------------------------------------------------------ */

static void test_numbers(void)
{
	static const char *const odd[] = {
		"0",
		"-0",
		"00",
		"01",
		"-",
		"",
		"+1",
		"1 ",
		" 1",
		"-01",
		"1.0",
		"9",
		"10",
		"9223372036854775806",
		"9223372036854775807",
		"9223372036854775808",
		"9223372036854775809",
		"18446744073709551615",
		"18446744073709551616",
		"-9223372036854775807",
		"-9223372036854775808",
		"-9223372036854775809",
		"99999999999999999999",
		"100000000000000000000",
		"-10000000000000000000",
	};
	struct evs_array a;

	evs_array_init(&a, EVS_BYTES, 0, false);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		for (size_t k = 0; k < sizeof(odd) / sizeof(odd[0]); k++) {
			evs_array_reset(&a);
			append(&a, odd[i], strlen(odd[i]));
			append(&a, odd[k], strlen(odd[k]));
			append(&a, "5", 1);
			append(&a, odd[i], strlen(odd[i]));
			t_check(odd[k], comes_back(&a));
		}
	evs_array_release(&a);
}

/* ---- hashes that meet ------------------------------------------------------------------------ */

/* XXH3 of both texts of a pair has the same upper 32 bits and the same lowest 8. */
static void test_hashes(void)
{
	static const char *const pairs[][2] = {
		{ "k2272587", "k884154" }, { "k3766337", "k592898" }, { "k1491805", "k1582714" },
		{ "k663894", "k2358435" }, { "k784584", "k2930967" },
	};
	struct evs_array a;

	evs_array_init(&a, EVS_BYTES, 0, false);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (unsigned k = 0; k < 40; k++) {
			append(&a, pairs[i][k & 1], strlen(pairs[i][k & 1]));
			append(&a, pairs[k % (i + 1)][k / 2 & 1],
			       strlen(pairs[k % (i + 1)][k / 2 & 1]));
		}
	t_check("texts whose hashes meet", gen_forced(&a, EVS_NODE_DICT) && comes_back(&a));
	evs_array_release(&a);
}

int main(void)
{
	test_one_byte_off();
	test_other_length();
	test_days();
	test_clock();
	test_numbers();
	test_hashes();
	return t_done();
}
