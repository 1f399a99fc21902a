/*
 * Number text against the C library and against decimals written out by hand, and doubles from
 * any bits through print and parse.
 */
#include "src/json/number.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/plain_json.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WIDE 600 /* digits on either side of the point */

/* The number written out: digit i counts 10^(WIDE - 1 - i). False when it does not fit. */
static bool write_out(const char *s, size_t len, char *digits, bool *neg)
{
	long exp = 0, point;
	size_t n = 0, mant = 0, before = 0;
	bool frac = false;

	memset(digits, 0, 2 * WIDE);
	*neg = *s == '-';
	while (mant < len && s[mant] != 'e' && s[mant] != 'E')
		mant++;
	if (mant < len)
		exp = strtol(s + mant + 1, NULL, 10);
	if (exp < -WIDE / 2 || exp > WIDE / 2)
		return false;
	for (size_t i = *neg; i < mant; i++) {
		frac |= s[i] == '.';
		before += !frac;
	}
	if (before > WIDE / 2 - 1 || mant > WIDE / 2 - 1)
		return false;
	point = WIDE - (long)before - exp;
	for (size_t i = *neg; i < mant; i++) {
		if (s[i] == '.')
			continue;
		digits[point + (long)n++] = (char)(s[i] - '0');
	}
	return true;
}

static void check_int(const struct evs_num *n, const char *digits, bool neg, bool is_signed)
{
	enum evs_num_fit fit, want = EVS_NUM_OK;
	unsigned __int128 v = 0, max = is_signed ? (unsigned __int128)INT64_MAX + neg : UINT64_MAX;
	uint64_t got = 0;
	bool large = false;

	for (unsigned i = 0; i < WIDE; i++) {
		v = v * 10 + (uint8_t)digits[i];
		large |= v > max;
		if (large)
			v = (unsigned __int128)UINT64_MAX + 1;
	}
	for (unsigned i = WIDE; i < 2 * WIDE; i++) {
		if (digits[i])
			want = EVS_NUM_FRACTION;
	}
	if (!want && !v && neg)
		want = EVS_NUM_MINUS_ZERO;
	if (!want && (large || (neg && !is_signed)))
		want = EVS_NUM_RANGE;
	fit = evs_num_int(n, is_signed, &got);
	/* which of two faults is named is not laid down */
	must((fit == EVS_NUM_OK) == (want == EVS_NUM_OK));
	if (!fit)
		must(got == (neg ? -(uint64_t)v : (uint64_t)v));
}

static void check_decimal(const struct evs_num *n, const char *digits, bool neg, unsigned precision,
			  unsigned scale)
{
	unsigned __int128 v = 0;
	bool fits = true, zero = true;
	evs_i128 got;

	for (unsigned i = 0; i < 2 * WIDE; i++) {
		if (digits[i]) {
			zero = false;
			fits &= i >= WIDE - (precision - scale) && i < WIDE + scale;
		}
		if (i >= WIDE - (precision - scale) && i < WIDE + scale)
			v = v * 10 + (uint8_t)digits[i];
	}
	fits &= !(zero && neg);
	must((evs_num_decimal(n, precision, scale, &got) == EVS_NUM_OK) == fits);
	if (fits) {
		char text[64];
		struct evs_num again;
		const char *at;
		evs_i128 back;

		must(got == (neg ? -(evs_i128)v : (evs_i128)v));
		size_t len = evs_decimal_print(got, scale, text);

		must(len < 48 && evs_num_scan(&again, text, text + len, &at) == text + len);
		must(evs_num_decimal(&again, precision, scale, &back) == EVS_NUM_OK && back == got);
	}
}

static void check_text(const char *s, size_t len)
{
	struct plain p = { (const unsigned char *)s, len, 0, 0 };
	bool good = plain_number(&p) && p.at == len, neg;
	struct evs_num n;
	const char *at = s;
	double want, got = 0;
	float f;
	char digits[2 * WIDE];
	bool ok = evs_double_parse(s, len, &got);

	if (!good) {
		must(!ok);
		return;
	}
	must(evs_num_scan(&n, s, s + len, &at) == s + len);
	want = strtod(s, NULL); /* the caller ended the text with a zero byte */
	/* a number that is not 0 but rounds to it is out of range too */
	must(ok == (isfinite(want) && (want != 0 || !strpbrk(s, "123456789") || n.mant == 0)));
	must(!ok || (got == want && !signbit(got) == !signbit(want)));
	if (evs_num_float(&n, &f) == EVS_NUM_OK) {
		char text[48];

		text[evs_float_print(f, text)] = 0;
		must(strtof(text, NULL) == f && strtod(text, NULL) == want);
	}
	if (!write_out(s, len, digits, &neg))
		return;
	check_int(&n, digits, neg, true);
	check_int(&n, digits, neg, false);
	check_decimal(&n, digits, neg, 38, 10);
	check_decimal(&n, digits, neg, 9, 9);
	check_decimal(&n, digits, neg, 5, 0);
}

static void check_bits(uint64_t bits)
{
	double v, back = 0;
	float f;
	char text[48];
	size_t len;
	uint32_t half = (uint32_t)bits;

	memcpy(&v, &bits, sizeof(v));
	memcpy(&f, &half, sizeof(f));
	if (isfinite(v)) {
		len = evs_double_print(v, text);
		text[len] = 0;
		must(len <= 40 && evs_double_parse(text, len, &back) && back == v &&
		     strtod(text, NULL) == v);
		must(!signbit(v) == !signbit(back));
	}
	if (isfinite(f)) {
		len = evs_float_print(f, text);
		text[len] = 0;
		must(len <= 40 && strtof(text, NULL) == f);
	}
	text[evs_int_print((int64_t)bits, text)] = 0;
	must(strtoll(text, NULL, 10) == (long long)bits);
	text[evs_uint_print(bits, text)] = 0;
	must(strtoull(text, NULL, 10) == bits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size >= 8)
		check_bits(evs_get64(data));
	if (!size || memchr(data, 0, size))
		return 0;
	text = malloc(size + 1);
	must(text != NULL);
	memcpy(text, data, size);
	text[size] = 0;
	check_text(text, size);
	free(text);
	return 0;
}
