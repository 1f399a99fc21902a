/*
 * Number text: the table of powers, reading and printing of floats against the C library, and the
 * fitting of number tokens to whole numbers, decimals and floats.
 */
#include "src/json/number.h"
#include "tests/unit/t.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define ROUNDS 1000000
#define LIMBS  64

static uint64_t rng = 88172645463325252u;

static uint64_t next(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* ---- the table, from whole numbers ------------------------------------------------------- */

struct big {
	uint32_t w[LIMBS]; /* low limb first */
};

static void big_mul(struct big *b, uint32_t f)
{
	uint64_t carry = 0;

	for (unsigned i = 0; i < LIMBS; i++) {
		carry += (uint64_t)b->w[i] * f;
		b->w[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

static unsigned big_bits(const struct big *b)
{
	for (unsigned i = LIMBS; i-- > 0;) {
		if (b->w[i])
			return 32 * i + 32 - (unsigned)__builtin_clz(b->w[i]);
	}
	return 0;
}

static int big_cmp(const struct big *a, const struct big *b)
{
	for (unsigned i = LIMBS; i-- > 0;) {
		if (a->w[i] != b->w[i])
			return a->w[i] < b->w[i] ? -1 : 1;
	}
	return 0;
}

/* a * v, v of 128 bits. */
static struct big big_mul128(const struct big *a, evs_u128 v)
{
	struct big r = { { 0 } };

	for (unsigned k = 0; k < 4; k++) {
		uint64_t carry = 0, f = (uint32_t)(v >> (32 * k));

		for (unsigned i = 0; i + k < LIMBS; i++) {
			carry += (uint64_t)a->w[i] * f + r.w[i + k];
			r.w[i + k] = (uint32_t)carry;
			carry >>= 32;
		}
	}
	return r;
}

static struct big power_of_two(unsigned n)
{
	struct big r = { { 0 } };

	r.w[n / 32] = (uint32_t)1 << n % 32;
	return r;
}

static struct big power_of_five(unsigned n)
{
	struct big r = { { 1 } };

	while (n--)
		big_mul(&r, 5);
	return r;
}

static bool entry_is_right(int q)
{
	evs_u128 t =
		(evs_u128)evs_pow10[q - EVS_POW10_MIN][0] << 64 | evs_pow10[q - EVS_POW10_MIN][1];
	struct big five = power_of_five((unsigned)abs(q)), two, lo, hi;
	unsigned bits = big_bits(&five);

	if (q >= 0 && bits <= 128) {
		two = power_of_two(128 - bits);
		lo = big_mul128(&five, (evs_u128)1 << (128 - bits));
		two = power_of_two(0);
		hi = big_mul128(&two, t);
		return !big_cmp(&lo, &hi);
	}
	if (q >= 0) { /* t * 2^s <= 5^q < (t + 1) * 2^s */
		two = power_of_two(bits - 128);
		lo = big_mul128(&two, t);
		hi = big_mul128(&two, t + 1);
		return big_cmp(&lo, &five) <= 0 && big_cmp(&five, &hi) < 0;
	}
	two = power_of_two(bits + 127);
	lo = big_mul128(&five, q >= -27 ? t - 1 : t); /* t * 5^-q <= 2^b < (t + 1) * 5^-q */
	hi = big_mul128(&five, q >= -27 ? t : t + 1);
	return big_cmp(&lo, &two) <= 0 && big_cmp(&two, &hi) < 0;
}

static void test_table(void)
{
	unsigned wrong = 0;

	for (int q = EVS_POW10_MIN; q <= EVS_POW10_MAX; q++)
		wrong += !entry_is_right(q);
	t_eq_u64("powers of ten", wrong, 0);
}

/* ---- printing ---------------------------------------------------------------------------- */

static const struct {
	double v;
	const char *want;
} printed[] = {
	{ 0, "0" },
	{ -0.0, "-0" },
	{ 1, "1" },
	{ -5, "-5" },
	{ 0.1, "0.1" },
	{ 0.3, "0.3" },
	{ 0.1 + 0.2, "0.30000000000000004" },
	{ 1e21, "1e21" },
	{ 1e20, "100000000000000000000" },
	{ 123456789012345680000.0, "123456789012345683968" },
	{ 1e22, "1e22" },
	{ 1e23, "1e23" },
	{ 1e-6, "0.000001" },
	{ 1e-7, "1e-7" },
	{ 1.5e-7, "1.5e-7" },
	{ 1.25e300, "1.25e300" },
	{ 5e-324, "5e-324" },
	{ 1.7976931348623157e308, "1.7976931348623157e308" },
	{ 2.2250738585072014e-308, "2.2250738585072014e-308" },
	{ 2.225073858507201e-308, "2.225073858507201e-308" },
	{ 9007199254740993.0, "9007199254740992" },
	{ 2251799813685248.5, "2251799813685248.5" },
	{ 9007199254740991, "9007199254740991" },
	{ 0.000123, "0.000123" },
	{ 12.5, "12.5" },
	{ 100, "100" },
	{ 1e15, "1000000000000000" },
	{ 9.5367431640625e-07, "9.5367431640625e-7" },
	{ 2e-44, "2e-44" },
	{ -1e-9, "-1e-9" },
	{ 18446744073709551616.0, "18446744073709551616" },
	{ 44501477170144023.0, "44501477170144024" },
	{ 1.448997445238699, "1.448997445238699" },
};

static void test_print(void)
{
	char buf[48];

	for (size_t i = 0; i < sizeof(printed) / sizeof(printed[0]); i++) {
		buf[evs_double_print(printed[i].v, buf)] = 0;
		t_eq_str("double", buf, printed[i].want);
	}
	buf[evs_float_print(0.1f, buf)] = 0;
	t_eq_str("float 0.1", buf, "0.1");
	buf[evs_float_print(16777216.0f, buf)] = 0;
	t_eq_str("float 2^24", buf, "16777216");
	buf[evs_float_print(1e-45f, buf)] = 0;
	t_eq_str("smallest float", buf, "1e-45");
	buf[evs_float_print(-FLT_MAX, buf)] = 0;
	t_eq_str("largest float", buf, "-3.4028235e38");
	buf[evs_float_print(-0.0f, buf)] = 0;
	t_eq_str("float -0", buf, "-0");
	buf[evs_int_print(INT64_MIN, buf)] = 0;
	t_eq_str("-2^63", buf, "-9223372036854775808");
	buf[evs_uint_print(UINT64_MAX, buf)] = 0;
	t_eq_str("2^64-1", buf, "18446744073709551615");
	for (uint64_t v = 1, i = 1; i < 20; i++, v *= 10) {
		char want[32];

		buf[evs_uint_print(v - 1, buf)] = 0;
		snprintf(want, sizeof(want), "%" PRIu64, v - 1);
		t_eq_str("digits below", buf, want);
		buf[evs_uint_print(v, buf)] = 0;
		snprintf(want, sizeof(want), "%" PRIu64, v);
		t_eq_str("digits at", buf, want);
	}
}

static unsigned significant(const char *s)
{
	unsigned n = 0, zeros = 0;

	for (; *s && *s != 'e'; s++) {
		if (*s < '0' || *s > '9' || (!n && *s == '0'))
			continue;
		zeros = *s == '0' ? zeros + 1 : 0;
		n++;
	}
	return n - zeros;
}

/* Reads back, through two readers, and %.*g with a digit less does not. */
static bool round_trips(double v)
{
	char buf[48], less[48];
	double back = 0;
	size_t len = evs_double_print(v, buf);
	unsigned n;

	buf[len] = 0;
	if (len > 40 || strtod(buf, NULL) != v || !evs_double_parse(buf, len, &back) || back != v ||
	    signbit(back) != signbit(v))
		return false;
	if (fabs(v) >= 9007199254740992.0 &&
	    fabs(v) < 1e21) { /* whole numbers keep all their digits */
		snprintf(less, sizeof(less), "%.0f", v);
		return !strcmp(buf, less);
	}
	n = significant(buf);
	if (n > 17)
		return false;
	if (n < 2)
		return true;
	snprintf(less, sizeof(less), "%.*g", (int)n - 1, v);
	if (strtod(less, NULL) == v && significant(less) < n)
		return false;
	/* and of those with as many digits it is the nearest */
	snprintf(less, sizeof(less), "%.*g", (int)n, v);
	return strtod(less, NULL) != v || strtod(buf, NULL) == strtod(less, NULL);
}

static void test_round_trip(void)
{
	unsigned wrong = 0, wrong_float = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t bits = next();
		double v, back;
		float f;
		char buf[48];

		if (i % 4 == 1)
			bits &= ~(((uint64_t)1 << (next() % 52)) - 1); /* short mantissas */
		memcpy(&v, &bits, sizeof(v));
		if (i % 4 == 2)
			v = (double)(int64_t)(next() % 1000000000) / 1000;
		if (isfinite(v) && v != 0)
			wrong += !round_trips(v);
		bits = next();
		memcpy(&f, &bits, sizeof(f));
		if (!isfinite(f))
			continue;
		buf[evs_float_print(f, buf)] = 0;
		wrong_float += strtof(buf, NULL) != f || significant(buf) > 9;
		wrong_float += !evs_double_parse(buf, strlen(buf), &back) || (float)back != f;
	}
	t_eq_u64("doubles that do not come back", wrong, 0);
	t_eq_u64("floats that do not come back", wrong_float, 0);
}

/* ---- reading ----------------------------------------------------------------------------- */

static const char *const hard[] = {
	"9007199254740993",
	"9007199254740993.0000000000000000000000000000000000000000000000001",
	"0.500000000000000166533453693773481063544750213623046875",
	"3.518437208883201171875e13",
	"62.5364939768271845828",
	"8.10109172351e-10",
	"1.50000000000000011102230246251565",
	"9007199254740991.4999999999999999",
	"1.1754943508222875e-38",
	"2.2250738585072011e-308",
	"2.2250738585072012e-308",
	"4.9406564584124654e-324",
	"2.4703282292062328e-324",
	"1.7976931348623158e308",
	"1.7976931348623157081e308",
	"89255.0e-22",
	"6.9294956446009195e15",
	"104110013277974872254e-225",
	"12345e-350",
	"2.47032822920623272088284396434110686182e-324",
	"1e23",
	"8.5e22",
	"5e-324",
	"123456789012345678901234567890",
	"0.000000000000000000000000000000000000000000000000000001e60",
	"7.2057594037927933e16",
	"1000000000000000000000000000000000000000000000000e-30",
	"9355950000000000000.00000000000000000000000000000000001844674407370955161600000184467440737095516",
	"1.00000000000000011102230246251565404236316680908203125",
	"1.00000000000000011102230246251565404236316680908203124",
	"1.00000000000000011102230246251565404236316680908203126",
	"2.225073858507201136057409796709131975934819546351645648023426109724822222021076945516529523908135"
	"0879141491589130396211068700864386945946455276572074078206217433799881410632673292535522868813721490"
	"129811224514518898490572223072852551331557550159143974763979834118019993239625482890171070818506906"
	"306666559949382757725720157630626906633326475653000092458883164330377797918696120494973903778297049"
	"05051080609940730262937128958950003583799967207254304360284078895771796150945516748243471030702609144"
	"62157228988025818254518032570701886087211312807951223342628836862232150377566662250398253433597456888"
	"4423900265498198385487948292206894721689831099698365846814022854243330660339850886445804001034933970"
	"4275671864433837704860378616227717385456230658746790140867233276367187499e-308",
};

static void test_read(void)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof(hard) / sizeof(hard[0]); i++) {
		double want = strtod(hard[i], NULL), got = 0;
		bool ok = evs_double_parse(hard[i], strlen(hard[i]), &got);
		bool fits = want <= DBL_MAX && want != 0;

		t_check(hard[i], ok == fits && (!ok || got == want));
	}
	for (unsigned i = 0; i < ROUNDS / 2; i++) {
		char text[80];
		double got = 0, want;
		int digits = (int)(next() % 25) + 1, len = 0;

		text[len++] = (char)('1' + next() % 9);
		text[len++] = '.';
		for (int k = 0; k < digits; k++)
			text[len++] = (char)('0' + next() % 10);
		len += snprintf(text + len, 20, "e%d", (int)(next() % 640) - 330);
		want = strtod(text, NULL);
		wrong +=
			evs_double_parse(text, (size_t)len, &got) != (want <= DBL_MAX && want != 0);
		wrong += want <= DBL_MAX && want != 0 && got != want;
	}
	t_eq_u64("random decimals against strtod", wrong, 0);
	/* Exactly between two doubles, and a hair beside it, with many digits. */
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t bits = next() >> 2;
		double v, up, got = 0;
		char text[1200];
		long double mid;
		int len;

		memcpy(&v, &bits, sizeof(v));
		if (!isfinite(v) || v < 1e-290)
			continue;
		up = nextafter(v, INFINITY);
		mid = ((long double)v + (long double)up) / 2;
		len = snprintf(text, sizeof(text), "%.*Le", 770, mid);
		if (i % 3 == 1)
			text[len - (int)strlen(strchr(text, 'e')) - 1] = '1';
		wrong += !evs_double_parse(text, (size_t)len, &got) || got != strtod(text, NULL);
	}
	t_eq_u64("midpoints", wrong, 0);
}

static const struct {
	const char *text;
	bool is_signed;
	int fit;
	uint64_t want;
} ints[] = {
	{ "5", true, EVS_NUM_OK, 5 },
	{ "5.0", true, EVS_NUM_OK, 5 },
	{ "5e0", true, EVS_NUM_OK, 5 },
	{ "50e-1", true, EVS_NUM_OK, 5 },
	{ "0.05e2", true, EVS_NUM_OK, 5 },
	{ "5E+1", true, EVS_NUM_OK, 50 },
	{ "-5", true, EVS_NUM_OK, (uint64_t)-5 },
	{ "5.5", true, EVS_NUM_FRACTION, 0 },
	{ "51e-1", true, EVS_NUM_FRACTION, 0 },
	{ "-0", true, EVS_NUM_MINUS_ZERO, 0 },
	{ "-0.0", true, EVS_NUM_MINUS_ZERO, 0 },
	{ "0.0", true, EVS_NUM_OK, 0 },
	{ "0e99", false, EVS_NUM_OK, 0 },
	{ "9223372036854775807", true, EVS_NUM_OK, INT64_MAX },
	{ "9223372036854775808", true, EVS_NUM_RANGE, 0 },
	{ "-9223372036854775808", true, EVS_NUM_OK, (uint64_t)INT64_MIN },
	{ "-9223372036854775809", true, EVS_NUM_RANGE, 0 },
	{ "18446744073709551615", false, EVS_NUM_OK, UINT64_MAX },
	{ "18446744073709551616", false, EVS_NUM_RANGE, 0 },
	{ "18446744073709551615.000", false, EVS_NUM_OK, UINT64_MAX },
	{ "-1", false, EVS_NUM_RANGE, 0 },
	{ "1e19", false, EVS_NUM_OK, 10000000000000000000u },
	{ "1e20", false, EVS_NUM_RANGE, 0 },
	{ "1e99999999999999999999", true, EVS_NUM_RANGE, 0 },
	{ "1e-99999999999999999999", true, EVS_NUM_FRACTION, 0 },
	{ "100000000000000000000000000000000000000000000000000000000000000e-62", true, EVS_NUM_OK,
	  1 },
	{ "0.00000000000000000000000000000000000000000000000000000000000001e62", true, EVS_NUM_OK,
	  1 },
	{ "1.0000000000000000000000000000000000000000000000000000000000001", true, EVS_NUM_FRACTION,
	  0 },
	{ "9007199254740993", true, EVS_NUM_OK, 9007199254740993 },
	{ "123456789012345678901234567890123456789012345", true, EVS_NUM_RANGE, 0 },
};

static void test_ints(void)
{
	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++) {
		struct evs_num n;
		const char *at;
		uint64_t v = 0;

		T_CHECK(evs_num_scan(&n, ints[i].text, ints[i].text + strlen(ints[i].text), &at));
		t_eq_u64(ints[i].text, (uint64_t)evs_num_int(&n, ints[i].is_signed, &v),
			 (uint64_t)ints[i].fit);
		if (!ints[i].fit)
			t_eq_u64(ints[i].text, v, ints[i].want);
	}
}

static const struct {
	const char *text;
	unsigned precision, scale;
	int fit;
	const char *want;
} decimals[] = {
	{ "1.10", 5, 2, EVS_NUM_OK, "1.1" },
	{ "-1.25", 5, 2, EVS_NUM_OK, "-1.25" },
	{ "1.255", 5, 2, EVS_NUM_FRACTION, "" },
	{ "1.250000", 5, 2, EVS_NUM_OK, "1.25" },
	{ "999.99", 5, 2, EVS_NUM_OK, "999.99" },
	{ "1000", 5, 2, EVS_NUM_RANGE, "" },
	{ "1e2", 5, 2, EVS_NUM_OK, "100" },
	{ "0", 5, 2, EVS_NUM_OK, "0" },
	{ "-0", 5, 2, EVS_NUM_MINUS_ZERO, "" },
	{ "0.01", 5, 2, EVS_NUM_OK, "0.01" },
	{ "-0.05", 2, 2, EVS_NUM_OK, "-0.05" },
	{ "99999999999999999999999999999999999999", 38, 0, EVS_NUM_OK,
	  "99999999999999999999999999999999999999" },
	{ "-0.99999999999999999999999999999999999999", 38, 38, EVS_NUM_OK,
	  "-0.99999999999999999999999999999999999999" },
	{ "100000000000000000000000000000000000000", 38, 0, EVS_NUM_RANGE, "" },
	{ "1", 38, 38, EVS_NUM_RANGE, "" },
	{ "1e-39", 38, 38, EVS_NUM_FRACTION, "" },
	{ "1e400", 38, 2, EVS_NUM_RANGE, "" },
	{ "0e400", 38, 2, EVS_NUM_OK, "0" },
};

static void test_decimals(void)
{
	for (size_t i = 0; i < sizeof(decimals) / sizeof(decimals[0]); i++) {
		const char *s = decimals[i].text, *at;
		struct evs_num n;
		evs_i128 v = 0;
		char buf[64];

		T_CHECK(evs_num_scan(&n, s, s + strlen(s), &at));
		t_eq_u64(
			s,
			(uint64_t)evs_num_decimal(&n, decimals[i].precision, decimals[i].scale, &v),
			(uint64_t)decimals[i].fit);
		if (decimals[i].fit)
			continue;
		buf[evs_decimal_print(v, decimals[i].scale, buf)] = 0;
		t_eq_str(s, buf, decimals[i].want);
	}
}

static const struct {
	const char *text;
	int fit; /* as double */
	int fit_float;
} floats[] = {
	{ "0.1", EVS_NUM_OK, EVS_NUM_OK },
	{ "1e400", EVS_NUM_RANGE, EVS_NUM_RANGE },
	{ "-1e400", EVS_NUM_RANGE, EVS_NUM_RANGE },
	{ "1e-400", EVS_NUM_RANGE, EVS_NUM_RANGE },
	{ "0e400", EVS_NUM_OK, EVS_NUM_OK },
	{ "9007199254740993", EVS_NUM_INEXACT, EVS_NUM_INEXACT },
	{ "9007199254740993.0", EVS_NUM_OK, EVS_NUM_INEXACT },
	{ "9007199254740992", EVS_NUM_OK, EVS_NUM_INEXACT },
	{ "16777216", EVS_NUM_OK, EVS_NUM_OK },
	{ "16777217", EVS_NUM_OK, EVS_NUM_INEXACT },
	{ "0.10000000149011612", EVS_NUM_OK, EVS_NUM_INEXACT },
	{ "3.4028235e38", EVS_NUM_OK, EVS_NUM_OK },
	{ "3.5e38", EVS_NUM_OK, EVS_NUM_RANGE },
	{ "1e-46", EVS_NUM_OK, EVS_NUM_RANGE },
	{ "1e-45", EVS_NUM_OK, EVS_NUM_OK },
	{ "123456", EVS_NUM_OK, EVS_NUM_OK },
	{ "18446744073709551615", EVS_NUM_INEXACT, EVS_NUM_INEXACT },
	{ "18446744073709551616", EVS_NUM_OK, EVS_NUM_INEXACT },
	{ "100000000000000000000000", EVS_NUM_INEXACT, EVS_NUM_INEXACT },
	{ "10000000000000000000000", EVS_NUM_OK, EVS_NUM_OK },
	{ "1606938044258990275541962092341162602522202993782792835301376", EVS_NUM_OK,
	  EVS_NUM_RANGE },
	{ "1606938044258990275541962092341162602522202993782792835301377", EVS_NUM_INEXACT,
	  EVS_NUM_RANGE },
};

static void test_floats(void)
{
	for (size_t i = 0; i < sizeof(floats) / sizeof(floats[0]); i++) {
		const char *s = floats[i].text, *at;
		struct evs_num n;
		double d;
		float f;

		T_CHECK(evs_num_scan(&n, s, s + strlen(s), &at));
		t_eq_u64(s, (uint64_t)evs_num_double(&n, &d), (uint64_t)floats[i].fit);
		t_eq_u64(s, (uint64_t)evs_num_float(&n, &f), (uint64_t)floats[i].fit_float);
	}
}

static void test_grammar(void)
{
	static const char *const good[] = { "0",     "-0",   "1",    "10",  "0.0",
					    "1.5e3", "1E-3", "1e+3", "0e0", "-0.5" };
	static const char *const bad[] = { "",	    "-",    "01",    "-01",  "1.",
					   ".5",    "+1",   "1e",    "1e+",  "1.e3",
					   "1.5e",  "0x10", "--1",   "NaN",  "Infinity",
					   "1_000", "00",   "1.5.5", "1e5e5" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		double v;

		t_check(good[i], evs_double_parse(good[i], strlen(good[i]), &v));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		double v;

		t_check(bad[i], !evs_double_parse(bad[i], strlen(bad[i]), &v));
	}
}

int main(void)
{
	test_table();
	test_print();
	test_round_trip();
	test_read();
	test_ints();
	test_decimals();
	test_floats();
	test_grammar();
	return t_done();
}
