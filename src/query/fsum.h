/*
 * Exact sums of doubles: the result is the true sum, rounded once, whatever the order of the terms
 * and however partial sums are merged.
 *
 * Two doubles hold the sum as long as both and an error of zero are enough, which is nearly always;
 * what is left over goes into a number wide enough for every double (Kulisch's accumulator), which
 * is only made when there is something to put into it. The sum is s + c + wide.
 */
#ifndef EVS_QUERY_FSUM_H
#define EVS_QUERY_FSUM_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FSUM_LIMBS 35 /* 2,240 bits: 2^-1074 to 2^1024, 2^64 terms and a sign */

struct fsum {
	double s, c;
	uint64_t *wide; /* FSUM_LIMBS limbs, two's complement, in units of 2^-1074; or NULL */
};

/* The rest of fsum_add(): what does not go into two doubles. Returns 0 or EVS_E_NOMEM. */
int evs_fsum_wide(struct fsum *f, double x);

/* Doubles from here on do not go through s, so that it cannot overflow. */
#define FSUM_LARGE 0x1p970

/* Add a term. Returns 0 or EVS_E_NOMEM. */
static inline int fsum_add(struct fsum *f, double x)
{
	double s = f->s + x, b, e, c, d;

	if (!(fabs(x) < FSUM_LARGE))
		return evs_fsum_wide(f, x);
	b = s - f->s;
	e = (f->s - (s - b)) + (x - b);
	c = f->c + e;
	b = c - f->c;
	d = (f->c - (c - b)) + (e - b);
	f->s = s;
	f->c = c;
	return d != 0 ? evs_fsum_wide(f, d) : 0;
}

/* Add the other sum. Returns 0 or EVS_E_NOMEM. */
int evs_fsum_merge(struct fsum *f, double s, double c, const uint64_t *wide);

/* The sum as two doubles, high part correctly rounded; not finite when a term was not or the sum is
 * too large. */
double evs_fsum_value(const struct fsum *f, double *low);

/* The sum as at most four doubles, each the rounded rest of those before: exactly, unless it has
 * more than 212 bits. */
void evs_fsum_parts(const struct fsum *f, double part[4]);

void evs_fsum_drop(struct fsum *f);

#endif
