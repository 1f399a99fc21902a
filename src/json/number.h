/*
 * Numbers as JSON text and back, exactly. Private to the room.
 *
 * Reading: Clinger's exact case, then Eisel and Lemire's method (D. Lemire, "Number Parsing at
 * a Gigabyte per Second", 2021; N. Mushtak and D. Lemire, "Fast Number Parsing Without
 * Fallback", 2022), and for more than 19 digits that leave a doubt, strtod. Printing: Schubfach
 * (R. Giulietti, "The Schubfach way to render doubles", 2020), in the form of A. Bolz's
 * Drachennest.
 */
#ifndef EVS_JSON_NUMBER_H
#define EVS_JSON_NUMBER_H

#include "src/json/json.h"

#define EVS_POW10_MIN  (-342)
#define EVS_POW10_MAX  324
#define EVS_NUM_DIGITS 38 /* of a Decimal; fit in 127 bits */

__extension__ typedef unsigned __int128 evs_u128;
__extension__ typedef __int128 evs_i128;

/* 128 leading bits of 10^(i + EVS_POW10_MIN), high word first; see pow10.c. */
extern const uint64_t evs_pow10[EVS_POW10_MAX - EVS_POW10_MIN + 1][2];

/* A number token: value = (-1)^neg * mant * 10^exp, with `many` cut after 19 significant digits. */
struct evs_num {
	const char *s; /* the token */
	const char *end;
	uint64_t mant;
	int64_t exp;
	bool neg;
	bool plain; /* an integer literal: no '.', no exponent */
	bool many;  /* more digits than `mant` holds; some of them may be zeros */
};

/*
 * Read the number token at p (grammar of RFC 8259). Returns its end, or NULL with `*at` at the
 * byte that does not fit (may be `end`).
 */
const char *evs_num_scan(struct evs_num *n, const char *p, const char *end, const char **at);

/*
 * All significant digits as value = m * 10^exp, trailing zeros taken off (0 is 0 * 10^0). False
 * when there are more than EVS_NUM_DIGITS.
 */
bool evs_num_exact(const struct evs_num *n, evs_u128 *m, int64_t *exp);

enum evs_num_fit {
	EVS_NUM_OK = 0,
	EVS_NUM_FRACTION = 1, /* has a part that is not kept */
	EVS_NUM_RANGE = 2,    /* too large (or, for a double, too small to be told from 0) */
	EVS_NUM_MINUS_ZERO = 3,
	EVS_NUM_INEXACT = 4, /* integer literal that the float type cannot hold */
};

/* As integer of 64 bits, two's complement: [-2^63, 2^63) when `is_signed`, else [0, 2^64). */
enum evs_num_fit evs_num_int(const struct evs_num *n, bool is_signed, uint64_t *out);

/* As value * 10^scale with at most `precision` digits. */
enum evs_num_fit evs_num_decimal(const struct evs_num *n, unsigned precision, unsigned scale,
				 evs_i128 *out);

/* Nearest double; integer literals must be exact (spec/schema.md 5). */
enum evs_num_fit evs_num_double(const struct evs_num *n, double *out);

/* Only when the shortest text of the float reads back as the double that the literal denotes. */
enum evs_num_fit evs_num_float(const struct evs_num *n, float *out);

/* Text of value / 10^scale without trailing zeros; room for 48. Returns the length. */
size_t evs_decimal_print(evs_i128 v, unsigned scale, char *buf);

/* Two digits of 0 .. 99 at index 2 * n. */
extern const char evs_two_digits[201];

#endif
