/*
 * The wide part of exact sums. See fsum.h.
 */
#include "src/query/fsum.h"

#include "format/error.h"

#include <stdlib.h>
#include <string.h>

#define MANTISSA ((uint64_t)1 << 52)

/* wide += or -= v * 2^shift, v < 2^64. */
static void add_shifted(uint64_t *w, uint64_t v, unsigned shift, bool minus)
{
	unsigned at = shift / 64, bit = shift % 64;
	uint64_t part[2] = { v << bit, bit ? v >> (64 - bit) : 0 };
	uint64_t carry = 0;

	for (unsigned i = at; i < FSUM_LIMBS; i++) {
		uint64_t add = i < at + 2 ? part[i - at] : 0, old = w[i];

		if (i >= at + 2 && !carry)
			return;
		if (minus) {
			w[i] = old - add - carry;
			carry = old < add || old - add < carry;
		} else {
			w[i] = old + add + carry;
			carry = w[i] < old || (carry && w[i] == old);
		}
	}
}

static void add_double(uint64_t *w, double x)
{
	uint64_t bits, m;
	unsigned e;

	memcpy(&bits, &x, 8);
	e = (unsigned)(bits >> 52 & 0x7ff);
	m = bits & (MANTISSA - 1);
	if (e)
		m |= MANTISSA;
	add_shifted(w, m, e ? e - 1 : 0, bits >> 63);
}

static int need_wide(struct fsum *f)
{
	if (!f->wide)
		f->wide = calloc(FSUM_LIMBS, sizeof(*f->wide));
	return f->wide ? 0 : EVS_E_NOMEM;
}

int evs_fsum_wide(struct fsum *f, double x)
{
	if (!isfinite(x)) {
		f->s = NAN; /* which it stays */
		return 0;
	}
	if (need_wide(f) < 0)
		return EVS_E_NOMEM;
	add_double(f->wide, x);
	return 0;
}

int evs_fsum_merge(struct fsum *f, double s, double c, const uint64_t *wide)
{
	uint64_t carry = 0;

	if (fsum_add(f, s) < 0 || fsum_add(f, c) < 0)
		return EVS_E_NOMEM;
	if (!wide)
		return 0;
	if (need_wide(f) < 0)
		return EVS_E_NOMEM;
	for (unsigned i = 0; i < FSUM_LIMBS; i++) {
		uint64_t old = f->wide[i];

		f->wide[i] = old + wide[i] + carry;
		carry = f->wide[i] < old || (carry && f->wide[i] == old);
	}
	return 0;
}

static void negate(uint64_t *w)
{
	bool carry = true;

	for (unsigned i = 0; i < FSUM_LIMBS; i++) {
		w[i] = ~w[i] + carry;
		carry = carry && w[i] == 0;
	}
}

/* 53 bits from bit `low` on, rounded half to even by what is below. `w` is positive. */
static double take(const uint64_t *w, int top)
{
	int low = top - 52 > 0 ? top - 52 : 0;
	unsigned at = (unsigned)low / 64, bit = (unsigned)low % 64;
	uint64_t m = w[at] >> bit, half, below = 0;

	if (bit && at + 1 < FSUM_LIMBS)
		m |= w[at + 1] << (64 - bit);
	m &= 2 * MANTISSA - 1;
	if (low > 0) {
		unsigned h = (unsigned)low - 1;

		half = w[h / 64] >> h % 64 & 1;
		below = h % 64 ? w[h / 64] << (64 - h % 64) : 0;
		for (unsigned i = 0; i < h / 64 && !below; i++)
			below |= w[i];
		m += half && (below || (m & 1));
	}
	return ldexp((double)m, low - 1074);
}

static double round_wide(const uint64_t *w)
{
	uint64_t copy[FSUM_LIMBS];
	bool minus = w[FSUM_LIMBS - 1] >> 63;
	int top = FSUM_LIMBS * 64 - 1;
	double d;

	memcpy(copy, w, sizeof(copy));
	if (minus)
		negate(copy);
	while (top > 0 && !(copy[top / 64] >> top % 64 & 1))
		top--;
	d = take(copy, top);
	return minus ? -d : d;
}

void evs_fsum_parts(const struct fsum *f, double part[4])
{
	uint64_t w[FSUM_LIMBS] = { 0 };
	bool finite = isfinite(f->s) && isfinite(f->c);

	if (f->wide)
		memcpy(w, f->wide, sizeof(w));
	if (finite) {
		add_double(w, f->s);
		add_double(w, f->c);
	}
	for (unsigned i = 0; i < 4; i++) {
		part[i] = finite ? round_wide(w) : NAN;
		finite = finite && isfinite(part[i]);
		if (finite)
			add_double(w, -part[i]);
	}
}

double evs_fsum_value(const struct fsum *f, double *low)
{
	double part[4], v = f->s + f->c, b = v - f->s;

	if (!f->wide && isfinite(v)) {
		*low = (f->s - (v - b)) + (f->c - b);
		return v;
	}
	evs_fsum_parts(f, part);
	*low = part[1];
	return part[0];
}

void evs_fsum_drop(struct fsum *f)
{
	free(f->wide);
	f->wide = NULL;
}
