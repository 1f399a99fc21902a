/*
 * Number text to values: the token scanner, and the conversions to whole numbers, decimals and
 * floats.
 *
 * One pass over the token gathers up to 19 significant digits in 64 bits, which is all that
 * nearly every number has. What does not fit is walked again, digit by digit, in
 * evs_num_exact() and slow_double().
 */
#include "src/json/number.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#define MANT_DIGITS 19			  /* always fit in 64 bits */
#define EXP_CAP	    ((int64_t)1 << 40)	  /* beyond any line's length, far from overflow */
#define FLT_LIMIT   3.4028235677973366e38 /* from here on the nearest float would be infinite */
#define SLOW_DIGITS 770 /* a double's midpoint has at most 767 significant digits */

static inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

/* Gather the first MANT_DIGITS significant digits of a token that has more. */
static void cut_mantissa(struct evs_num *n, int64_t digits)
{
	unsigned got = 0;

	n->mant = 0;
	for (const char *p = n->s; got < MANT_DIGITS; p++) {
		if (!is_digit(*p) || (!got && *p == '0'))
			continue;
		n->mant = n->mant * 10 + (uint64_t)(*p - '0');
		got++;
	}
	n->exp += digits - MANT_DIGITS;
	n->many = true;
}

static const char *scan_exponent(struct evs_num *n, const char *p, const char *end)
{
	int64_t e = 0;
	bool neg = false;

	if (p < end && (*p == '-' || *p == '+'))
		neg = *p++ == '-';
	if (p == end || !is_digit(*p))
		return p;
	for (; p < end && is_digit(*p); p++) {
		if (e < EXP_CAP)
			e = e * 10 + (*p - '0');
	}
	n->exp += neg ? -e : e;
	return p;
}

const char *evs_num_scan(struct evs_num *n, const char *p, const char *end, const char **at)
{
	const char *first, *from;
	uint64_t mant = 0;
	int64_t digits;

	*n = (struct evs_num){ .s = p, .plain = true };
	if (p < end && *p == '-') {
		n->neg = true;
		p++;
	}
	for (first = p; p < end && is_digit(*p); p++)
		mant = mant * 10 + (uint64_t)(*p - '0');
	if (p == first || (*first == '0' && p - first > 1)) {
		*at = p == first ? p : first + 1;
		return NULL;
	}
	digits = *first == '0' ? 0 : p - first;
	if (p < end && *p == '.') {
		n->plain = false;
		from = ++p;
		if (!digits) {
			while (p < end && *p == '0')
				p++;
		}
		digits -= p - from; /* zeros in front of the first digit are not significant ... */
		for (; p < end && is_digit(*p); p++)
			mant = mant * 10 + (uint64_t)(*p - '0');
		if (p == from) {
			*at = p;
			return NULL;
		}
		n->exp = -(p - from);
		digits += p - from; /* ... but the rest is */
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		n->plain = false;
		p = scan_exponent(n, p + 1, end);
		if (!is_digit(p[-1])) {
			*at = p;
			return NULL;
		}
	}
	n->end = p;
	n->mant = mant;
	if (digits > MANT_DIGITS)
		cut_mantissa(n, digits);
	return p;
}

bool evs_num_exact(const struct evs_num *n, evs_u128 *m, int64_t *exp)
{
	evs_u128 v = 0;
	unsigned digits = 0;
	int64_t e = 0, zeros = 0;
	bool frac = false;
	const char *p;

	/* Zeros are held back until a digit follows them: those at the end never count. */
	for (p = n->s; p < n->end && *p != 'e' && *p != 'E'; p++) {
		if (*p == '.')
			frac = true;
		if (!is_digit(*p))
			continue;
		e -= frac;
		if (*p == '0') {
			zeros += digits > 0;
			continue;
		}
		if (zeros > EVS_NUM_DIGITS || digits + (unsigned)zeros + 1 > EVS_NUM_DIGITS)
			return false;
		for (; zeros; zeros--, digits++)
			v *= 10;
		v = v * 10 + (unsigned)(*p - '0');
		digits++;
	}
	if (p < n->end) {
		struct evs_num tail = { 0 };

		scan_exponent(&tail, p + 1, n->end);
		e += tail.exp;
	}
	*m = v;
	*exp = v ? e + zeros : 0;
	return true;
}

/* Multiply by 10^exp; false past 128 bits. */
static bool scale_up(evs_u128 *m, int64_t exp)
{
	if (exp > EVS_NUM_DIGITS)
		return !*m;
	for (; exp > 0; exp--) {
		if (*m > ~(evs_u128)0 / 10)
			return false;
		*m *= 10;
	}
	return true;
}

enum evs_num_fit evs_num_int(const struct evs_num *n, bool is_signed, uint64_t *out)
{
	uint64_t v, max = is_signed ? (uint64_t)INT64_MAX + n->neg : UINT64_MAX;

	if (n->plain && !n->many) {
		v = n->mant;
	} else {
		evs_u128 m;
		int64_t exp;

		if (!evs_num_exact(n, &m, &exp))
			return n->plain ? EVS_NUM_RANGE : EVS_NUM_FRACTION;
		if (exp < 0)
			return EVS_NUM_FRACTION;
		if (!scale_up(&m, exp) || m > UINT64_MAX)
			return EVS_NUM_RANGE;
		v = (uint64_t)m;
	}
	if (n->neg && !v)
		return EVS_NUM_MINUS_ZERO;
	if (v > max || (n->neg && !is_signed))
		return EVS_NUM_RANGE;
	*out = n->neg ? -v : v;
	return EVS_NUM_OK;
}

enum evs_num_fit evs_num_decimal(const struct evs_num *n, unsigned precision, unsigned scale,
				 evs_i128 *out)
{
	evs_u128 m, limit = 1;
	int64_t exp;

	if (!evs_num_exact(n, &m, &exp))
		return n->plain ? EVS_NUM_RANGE : EVS_NUM_FRACTION;
	if (!m && n->neg)
		return EVS_NUM_MINUS_ZERO;
	if (m && exp < -(int64_t)scale)
		return EVS_NUM_FRACTION;
	scale_up(&limit, precision);
	if (!scale_up(&m, exp + scale) || m >= limit)
		return EVS_NUM_RANGE;
	*out = n->neg ? -(evs_i128)m : (evs_i128)m;
	return EVS_NUM_OK;
}

static double from_bits(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

/* Nearest double to w * 10^q, as bits; infinity when it is too large. */
static uint64_t eisel_lemire(uint64_t w, int64_t q)
{
	const uint64_t inf = (uint64_t)0x7ff << 52;
	uint64_t hi, lo, mant;
	int lz, upper;
	int64_t e;
	evs_u128 x;

	if (!w || q < EVS_POW10_MIN)
		return 0;
	if (q > 308)
		return inf;
	lz = __builtin_clzll(w);
	w <<= lz;
	x = (evs_u128)w * evs_pow10[q - EVS_POW10_MIN][0];
	hi = (uint64_t)(x >> 64);
	lo = (uint64_t)x;
	if ((hi & 0x1ff) == 0x1ff) { /* the low word may carry into the bits that are kept */
		uint64_t more = (uint64_t)((evs_u128)w * evs_pow10[q - EVS_POW10_MIN][1] >> 64);

		lo += more;
		hi += lo < more;
	}
	upper = (int)(hi >> 63);
	mant = hi >> (upper + 9);
	e = ((217706 * q) >> 16) + 63 + upper - lz + 1023;
	if (e <= 0) { /* subnormal */
		if (e <= -63)
			return 0;
		mant >>= 1 - e;
		mant += mant & 1;
		return mant >> 1; /* rounding up to 2^52 is the smallest normal number by itself */
	}
	/* A tie, which only these powers can make: to even. */
	if (lo <= 1 && q >= -4 && q <= 23 && (mant & 3) == 1 && mant << (upper + 9) == hi)
		mant &= ~(uint64_t)1;
	mant += mant & 1;
	mant >>= 1;
	if (mant >= (uint64_t)2 << 52) {
		mant = (uint64_t)1 << 52;
		e++;
	}
	if (e >= 0x7ff)
		return inf;
	return (mant & ~((uint64_t)1 << 52)) | (uint64_t)e << 52;
}

/*
 * More than 19 digits, in doubt: the C library's strtod is exact. The text is written without a
 * decimal point, so the program's locale has no say; digits past SLOW_DIGITS count as one
 * sticky digit.
 */
static double slow_double(const struct evs_num *n)
{
	char text[SLOW_DIGITS + 32];
	size_t len = 0;
	int64_t exp = 0;
	bool sticky = false, frac = false;
	const char *p;

	for (p = n->s; p < n->end && *p != 'e' && *p != 'E'; p++) {
		if (*p == '.')
			frac = true;
		if (!is_digit(*p))
			continue;
		exp -= frac;
		if (!len && *p == '0')
			continue;
		if (len < SLOW_DIGITS) {
			text[len++] = *p;
		} else {
			exp++;
			sticky |= *p != '0';
		}
	}
	if (p < n->end) {
		struct evs_num tail = { 0 };

		scan_exponent(&tail, p + 1, n->end);
		exp += tail.exp;
	}
	if (sticky) {
		text[len++] = '1';
		exp--;
	}
	text[len++] = 'e';
	len += evs_int_print(exp, text + len);
	text[len] = 0;
	return strtod(text, NULL);
}

/* Magnitude; may be infinite, or 0 for a number that is none. */
static double nearest(const struct evs_num *n)
{
	static const double exact[] = { 1e0,  1e1,  1e2,  1e3,	1e4,  1e5,  1e6,  1e7,
					1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
					1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
	uint64_t bits;

	if (!n->many && n->mant <= (uint64_t)1 << 53 && n->exp >= -22 && n->exp <= 22) {
		double m = (double)n->mant;

		return n->exp < 0 ? m / exact[-n->exp] : m * exact[n->exp];
	}
	bits = eisel_lemire(n->mant, n->exp);
	if (n->many && eisel_lemire(n->mant + 1, n->exp) != bits)
		return slow_double(n);
	return from_bits(bits);
}

/* Does the integer literal have exactly this value? `v` is a finite double's magnitude. */
static bool is_exact(const struct evs_num *n, double v)
{
	char text[DBL_MAX_10_EXP + 2];
	size_t len;

	if (!n->many)
		return v < 18446744073709551616.0 && (uint64_t)v == n->mant;
	len = (size_t)snprintf(text, sizeof(text), "%.0f", v); /* all its digits, in any locale */
	return len == (size_t)(n->end - n->s) - n->neg && !memcmp(text, n->end - len, len);
}

enum evs_num_fit evs_num_double(const struct evs_num *n, double *out)
{
	double v = nearest(n);

	if (v > DBL_MAX || (v == 0 && n->mant))
		return EVS_NUM_RANGE;
	if (n->plain && (n->many || n->mant > (uint64_t)1 << 53) && !is_exact(n, v))
		return EVS_NUM_INEXACT;
	*out = n->neg ? -v : v;
	return EVS_NUM_OK;
}

/* Six digits always survive the way through a float. */
static bool is_short(const struct evs_num *n, double v)
{
	return !n->many && n->mant < 1000000 && (v == 0 || v >= (double)FLT_MIN);
}

enum evs_num_fit evs_num_float(const struct evs_num *n, float *out)
{
	double v = nearest(n), back;
	char text[40];
	float f;

	if (v >= FLT_LIMIT || (v == 0 && n->mant))
		return EVS_NUM_RANGE;
	if (n->plain && (n->many || n->mant > (uint64_t)1 << 53) && !is_exact(n, v))
		return EVS_NUM_INEXACT;
	f = (float)v;
	if (!is_short(n, v) &&
	    (!evs_double_parse(text, evs_float_print(f, text), &back) || back != v))
		return f == 0 ? EVS_NUM_RANGE : EVS_NUM_INEXACT;
	*out = n->neg ? -f : f;
	return EVS_NUM_OK;
}

bool evs_double_parse(const char *s, size_t len, double *out)
{
	struct evs_num n;
	const char *at;
	double v;

	if (evs_num_scan(&n, s, s + len, &at) != s + len)
		return false;
	v = nearest(&n);
	if (v > DBL_MAX || (v == 0 && n.mant))
		return false;
	*out = n.neg ? -v : v;
	return true;
}
