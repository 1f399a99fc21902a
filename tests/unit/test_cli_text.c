/*
 * Numbers on command lines and in messages, and names as JSON.
 */
#include "tests/unit/t.h"
#include "tools/cli_private.h"

#include <stdlib.h>

enum kind { NUMBER, BYTES, DURATION };

/* clang-format off */
static const struct {
	enum kind kind;
	const char *text;
	int64_t want; /* -1: refused */
} numbers[] = {
	{ NUMBER, "0", 0 },		   { NUMBER, "500", 500 },
	{ NUMBER, "10k", 10000 },	   { NUMBER, "1.5M", 1500000 },
	{ NUMBER, "2G", 2000000000 },	   { NUMBER, "0.000001M", 1 },
	{ NUMBER, "1T", 1000000000000 },   { NUMBER, "4611686018427387903", 4611686018427387903 },
	{ NUMBER, "4611686018427387905", -1 },
	{ NUMBER, "", -1 },		   { NUMBER, "k", -1 },
	{ NUMBER, "-1", -1 },		   { NUMBER, "+1", -1 },
	{ NUMBER, " 1", -1 },		   { NUMBER, "1 ", -1 },
	{ NUMBER, "1.", -1 },		   { NUMBER, ".5k", -1 },
	{ NUMBER, "1.5", -1 },		   { NUMBER, "1.0001k", -1 },
	{ NUMBER, "1KiB", -1 },		   { NUMBER, "0x10", -1 },
	{ NUMBER, "1e3", -1 },		   { NUMBER, "99999999999999999999", -1 },
	{ NUMBER, "9999999999T", -1 },	   { NUMBER, "18446744073709551617", -1 },
	{ BYTES, "64KiB", 65536 },	   { BYTES, "1.5KiB", 1536 },
	{ BYTES, "10MB", 10000000 },	   { BYTES, "1MiB", 1048576 },
	{ BYTES, "1GiB", 1073741824 },	   { BYTES, "7B", 7 },
	{ BYTES, "1kb", -1 },		   { BYTES, "1MiBx", -1 },
	{ DURATION, "500ms", 500 },	   { DURATION, "1s", 1000 },
	{ DURATION, "1.5s", 1500 },	   { DURATION, "10m", 600000 },
	{ DURATION, "2h", 7200000 },	   { DURATION, "1d", 86400000 },
	{ DURATION, "3", -1 },		   { DURATION, "0.5ms", -1 },
	{ DURATION, "1w", -1 },
};
/* clang-format on */

static void test_numbers(void)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint64_t n = 0;
		int64_t ms = 0;
		bool ok;

		if (numbers[i].kind == DURATION) {
			ok = cli_parse_duration(numbers[i].text, &ms);
			n = (uint64_t)ms;
		} else {
			ok = numbers[i].kind == BYTES ? cli_parse_bytes(numbers[i].text, &n)
						      : cli_parse_number(numbers[i].text, &n);
		}
		t_check(numbers[i].text, ok == (numbers[i].want >= 0));
		if (ok)
			t_eq_u64(numbers[i].text, n, (uint64_t)numbers[i].want);
	}
}

static void test_texts(void)
{
	char buf[32];

	t_eq_str("count", cli_count_text(0, buf), "0");
	t_eq_str("count", cli_count_text(999, buf), "999");
	t_eq_str("count", cli_count_text(1000, buf), "1,000");
	t_eq_str("count", cli_count_text(1234567, buf), "1,234,567");
	t_eq_str("count", cli_count_text(UINT64_MAX, buf), "18,446,744,073,709,551,615");
	t_eq_str("bytes", evs_bytes_text(0, buf), "0 B");
	t_eq_str("bytes", evs_bytes_text(999, buf), "999 B");
	t_eq_str("bytes", evs_bytes_text(1000, buf), "1.0 KB");
	t_eq_str("bytes", evs_bytes_text(9949, buf), "9.9 KB");
	t_eq_str("bytes", evs_bytes_text(9951, buf), "10 KB");
	t_eq_str("bytes", evs_bytes_text(140000, buf), "140 KB");
	t_eq_str("bytes", evs_bytes_text(999600, buf), "1.0 MB");
	t_eq_str("bytes", evs_bytes_text(1200000, buf), "1.2 MB");
	t_eq_str("seconds", cli_seconds_text(-1, buf), "0 s");
	t_eq_str("seconds", cli_seconds_text(12.4, buf), "12 s");
	t_eq_str("seconds", cli_seconds_text(59.6, buf), "1 m 00 s");
	t_eq_str("seconds", cli_seconds_text(185, buf), "3 m 05 s");
	t_eq_str("seconds", cli_seconds_text(7500, buf), "2 h 05 m");
	t_eq_str("seconds", cli_seconds_text(1e300, buf), "99 h 59 m");
}

/* clang-format off */
static const struct {
	const char *text, *want;
} strings[] = {
	{ "", "\"\"" },
	{ "store/a b.evs", "\"store/a b.evs\"" },
	{ "q\"b\\n\n", "\"q\\\"b\\\\n\\u000a\"" },
	{ "\xc3\xbc \xf0\x9f\x98\x80", "\"\xc3\xbc \xf0\x9f\x98\x80\"" },
	{ "\xff", "\"\xef\xbf\xbd\"" },
	{ "\xc3", "\"\xef\xbf\xbd\"" },				     /* cut off */
	{ "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },		     /* overlong */
	{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* surrogate */
	{ "\xf4\x90\x80\x80x", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\"" },
};
/* clang-format on */

static void test_json(void)
{
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		char got[128] = "";
		FILE *f = tmpfile();

		cli_put_json(f, strings[i].text);
		rewind(f);
		got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
		fclose(f);
		t_eq_str("json", got, strings[i].want);
	}
}

int main(void)
{
	test_numbers();
	test_texts();
	test_json();
	return t_done();
}
