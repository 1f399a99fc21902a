/*
 * What writing and reading a DECIMAL node must compute alike (spec 6.4). Private to enc_float*.c.
 */
#ifndef EVS_FORMAT_ENC_DECIMAL_H
#define EVS_FORMAT_ENC_DECIMAL_H

#include "format/enc_impl.h"

#define EVS_DECIMAL_E	       0x1fu /* exponent of all values, or: */
#define EVS_DECIMAL_E_BLOCKS   0x1fu /* one exponent for every EVS_ENC_E_BLOCK values follows */
#define EVS_DECIMAL_ULPS       0x20u /* units in the last place follow the digits */
#define EVS_DECIMAL_EXCEPTIONS 0x40u /* exceptions follow */

/* Powers of ten that doubles hold exactly. */
static const double evs_decimal_power[EVS_ENC_MAX_E + 1] = {
	1e0,  1e1,  1e2,  1e3,	1e4,  1e5,  1e6,  1e7,	1e8,  1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
};

/* Bits of the value of width `w` that digits / 10^e gives, rounded to nearest, ties to even. */
static inline __attribute__((always_inline)) uint64_t evs_decimal_bits(int64_t digits, unsigned e,
								       unsigned w)
{
	double v = (double)digits / evs_decimal_power[e];
	float f = (float)v;
	uint64_t b8;
	uint32_t b4;

	if (w == 8) {
		memcpy(&b8, &v, 8);
		return b8;
	}
	memcpy(&b4, &f, 4);
	return b4;
}

#endif
