/*
 * From a regular expression as users write it to one that regcomp() takes. Private to expr/.
 */
#ifndef EVS_EXPR_REGEX_TRANSLATE_H
#define EVS_EXPR_REGEX_TRANSLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define X_REGEX_PATTERN 1000 /* bytes at most */

/* Characters beyond ASCII, from lo to hi. */
struct x_regex_range {
	uint32_t lo;
	uint32_t hi;
};

struct x_regex {
	char out[X_REGEX_PATTERN * 24 + 1]; /* ends with a zero byte */
	size_t n;
	bool icase;	     /* the pattern begins with (?i) */
	const char *why;     /* not NULL: refused, and `out` is of no use */
	unsigned repeat;     /* product of all counts */
	unsigned characters; /* byte sequences that stand for ranges, in the whole pattern */
	struct x_regex_range range[X_REGEX_PATTERN]; /* of the [...] at hand */
	size_t ranges;
};

/* `t` must be zero; `s` is UTF-8. */
void evs_x_regex_translate(struct x_regex *t, const char *s, size_t n);

#endif
