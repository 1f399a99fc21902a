/*
 * Numbers to text: integers, decimals, and the shortest text of a float.
 *
 * shortest() finds the decimal with the fewest digits inside the interval of numbers that round
 * to the float, and of those the nearest: Schubfach, on the table of pow10.c. A float's 24 bits
 * go through the same 53-bit arithmetic as a double's. The form is JavaScript's: plain digits
 * for 1e-6 <= v < 1e21, else an exponent.
 */
#include "src/json/number.h"

const char evs_two_digits[201] = "00010203040506070809101112131415161718192021222324"
				 "25262728293031323334353637383940414243444546474849"
				 "50515253545556575859606162636465666768697071727374"
				 "75767778798081828384858687888990919293949596979899";

static unsigned count_digits(uint64_t v)
{
	static const uint64_t tens[20] = { 0,
					   10ull,
					   100ull,
					   1000ull,
					   10000ull,
					   100000ull,
					   1000000ull,
					   10000000ull,
					   100000000ull,
					   1000000000ull,
					   10000000000ull,
					   100000000000ull,
					   1000000000000ull,
					   10000000000000ull,
					   100000000000000ull,
					   1000000000000000ull,
					   10000000000000000ull,
					   100000000000000000ull,
					   1000000000000000000ull,
					   10000000000000000000ull };
	unsigned t =
		((unsigned)(64 - __builtin_clzll(v | 1)) * 1233) >> 12; /* log10, or one more */

	return t - (v < tens[t]) + 1;
}

/* Exactly `n` digits of v, whose higher ones are zero. */
static void put_digits(char *buf, uint64_t v, unsigned n)
{
	while (n >= 2) {
		n -= 2;
		memcpy(buf + n, evs_two_digits + v % 100 * 2, 2);
		v /= 100;
	}
	if (n)
		buf[0] = (char)('0' + v);
}

size_t evs_uint_print(uint64_t v, char *buf)
{
	unsigned n = count_digits(v);

	put_digits(buf, v, n);
	return n;
}

size_t evs_int_print(int64_t v, char *buf)
{
	if (v >= 0)
		return evs_uint_print((uint64_t)v, buf);
	buf[0] = '-';
	return 1 + evs_uint_print(-(uint64_t)v, buf + 1);
}

size_t evs_decimal_print(evs_i128 v, unsigned scale, char *buf)
{
	evs_u128 m = v < 0 ? -(evs_u128)v : (evs_u128)v;
	char digits[64];
	unsigned n = 0, at = sizeof(digits);
	size_t len = 0;

	for (; scale && m % 10 == 0; scale--)
		m /= 10;
	while (m || n <= scale) {
		digits[--at] = (char)('0' + (unsigned)(m % 10));
		m /= 10;
		n++;
	}
	if (v < 0)
		buf[len++] = '-';
	memcpy(buf + len, digits + at, n - scale);
	len += n - scale;
	if (scale) {
		buf[len++] = '.';
		memcpy(buf + len, digits + at + n - scale, scale);
		len += scale;
	}
	return len;
}

struct decimal {
	uint64_t digits;
	int exp;
};

/* High word of g * cp, its lowest bit set when anything below is not zero. */
static inline uint64_t round_to_odd(uint64_t hi, uint64_t lo, uint64_t cp)
{
	evs_u128 y = (evs_u128)hi * cp + (uint64_t)((evs_u128)lo * cp >> 64);

	return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

/* Shortest decimal for c * 2^q, c > 0. `closer`: the float below is only half as far away. */
static struct decimal shortest(uint64_t c, int q, bool closer)
{
	bool odd = c & 1, up, wp;
	int k = (q * 1262611 - (closer ? 524031 : 0)) >> 22; /* floor of log10 */
	int h = q + ((-k * 1741647) >> 19) + 1;		     /* makes room for four times c */
	uint64_t hi = evs_pow10[-k - EVS_POW10_MIN][0], lo = evs_pow10[-k - EVS_POW10_MIN][1];
	uint64_t lower, upper, v, s, sp;

	if (-k < -27 || -k > 55) /* the table is cut off there; here it must be raised */
		hi += !++lo;
	lower = round_to_odd(hi, lo, (4 * c - 2 + closer) << h) + odd;
	v = round_to_odd(hi, lo, 4 * c << h);
	upper = round_to_odd(hi, lo, (4 * c + 2) << h) - odd;
	s = v / 4;
	if (s >= 10) { /* one digit less, when exactly one such number is inside */
		sp = s / 10;
		up = lower <= 40 * sp;
		wp = 40 * sp + 40 <= upper;
		if (up != wp)
			return (struct decimal){ sp + wp, k + 1 };
	}
	up = lower <= 4 * s;
	wp = 4 * s + 4 <= upper;
	if (up != wp)
		return (struct decimal){ s + wp, k };
	wp = v > 4 * s + 2 || (v == 4 * s + 2 && (s & 1));
	return (struct decimal){ s + wp, k };
}

/* JavaScript's Number::toString over the digits. */
static size_t format(struct decimal d, char *buf)
{
	char digits[20] = { 0 };
	unsigned n;
	size_t len;
	int point; /* digits in front of the decimal point */

	for (; d.digits % 10 == 0; d.exp++)
		d.digits /= 10;
	n = count_digits(d.digits);
	put_digits(digits, d.digits, n);
	point = (int)n + d.exp;
	if (point > 0 && point <= 21) {
		if (d.exp >= 0) {
			memcpy(buf, digits, n);
			memset(buf + n, '0', (size_t)d.exp);
			return (size_t)point;
		}
		memcpy(buf, digits, (size_t)point);
		buf[point] = '.';
		memcpy(buf + point + 1, digits + point, n - (size_t)point);
		return n + 1;
	}
	if (point <= 0 && point > -6) {
		memcpy(buf, "0.000000", 8);
		memcpy(buf + 2 - point, digits, n);
		return 2 + (size_t)-point + n;
	}
	buf[0] = digits[0];
	len = 1;
	if (n > 1) {
		buf[len++] = '.';
		memcpy(buf + len, digits + 1, n - 1);
		len += n - 1;
	}
	buf[len++] = 'e';
	return len + evs_int_print(point - 1, buf + len);
}

/*
 * c * 2^shift, a whole number from 2^53 to 2^70, with all its digits: the shortest digits padded
 * with zeros would be another integer to all who read integers as such.
 */
static size_t print_whole(uint64_t c, unsigned shift, char *buf)
{
	const uint64_t ten18 = 1000000000000000000u;
	unsigned __int128 v = (unsigned __int128)c << shift;
	uint64_t high = (uint64_t)(v / ten18), low = (uint64_t)(v % ten18);
	size_t n;

	if (!high)
		return evs_uint_print(low, buf);
	n = evs_uint_print(high, buf);
	for (size_t i = 18; i-- > 0; low /= 10)
		buf[n + i] = (char)('0' + low % 10);
	return n + 18;
}

size_t evs_double_print(double v, char *buf)
{
	const uint64_t hidden = (uint64_t)1 << 52;
	size_t sign = 0;
	uint64_t bits, frac;
	int e;

	memcpy(&bits, &v, sizeof(bits));
	frac = bits & (hidden - 1);
	e = (int)(bits >> 52 & 0x7ff);
	if (bits >> 63)
		buf[sign++] = '-';
	if (e == 0x7ff)
		frac = 0, e = 0; /* never stored; 0 is at least JSON */
	if (!e && !frac) {
		buf[sign] = '0';
		return sign + 1;
	}
	if (!e)
		return sign + format(shortest(frac, -1074, false), buf + sign);
	if (e >= 1023 && e <= 1075) { /* whole numbers below 2^53 */
		uint64_t c = frac | hidden;
		unsigned shift = (unsigned)(1075 - e);

		if (!(c & (((uint64_t)1 << shift) - 1)))
			return sign + evs_uint_print(c >> shift, buf + sign);
	}
	if (e > 1075 && e <= 1075 + 17 && v < 1e21 && v > -1e21)
		return sign + print_whole(frac | hidden, (unsigned)(e - 1075), buf + sign);
	return sign + format(shortest(frac | hidden, e - 1075, !frac && e > 1), buf + sign);
}

size_t evs_float_print(float v, char *buf)
{
	const uint32_t hidden = (uint32_t)1 << 23;
	size_t sign = 0;
	uint32_t bits, frac;
	int e;

	memcpy(&bits, &v, sizeof(bits));
	frac = bits & (hidden - 1);
	e = (int)(bits >> 23 & 0xff);
	if (bits >> 31)
		buf[sign++] = '-';
	if (e == 0xff)
		frac = 0, e = 0;
	if (!e && !frac) {
		buf[sign] = '0';
		return sign + 1;
	}
	if (!e)
		return sign + format(shortest(frac, -149, false), buf + sign);
	return sign + format(shortest(frac | hidden, e - 150, !frac && e > 1), buf + sign);
}
