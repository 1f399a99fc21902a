/*
 * "Did you mean": the nearest name, by edit distance of at most 2 or as a prefix, case aside.
 */
#include "src/expr/expr_ast.h"

#include <stdio.h>
#include <string.h>

#define FAR	 3 /* distances from here on do not count */
#define MAX_WORD 63

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool evs_x_same_word(const char *s, size_t len, const char *low)
{
	if (strlen(low) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (lower(s[i]) != low[i])
			return false;
	return true;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edit distance with transpositions of neighbours; both at most MAX_WORD long. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned row[3][MAX_WORD + 2];

	for (size_t j = 0; j <= nb; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *cur = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];

		cur[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned differ = lower(a[i - 1]) != lower(b[j - 1]);

			cur[j] = min3(up[j] + 1, cur[j - 1] + 1, up[j - 1] + differ);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]) && up2[j - 2] + 1 < cur[j])
				cur[j] = up2[j - 2] + 1;
		}
	}
	return row[na % 3][nb];
}

static bool is_prefix(const char *s, size_t n, const char *of, size_t m)
{
	if (n < 3 || n > m)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(s[i]) != lower(of[i]))
			return false;
	return true;
}

void evs_x_suggest_init(struct x_suggest *s, const char *word, size_t len)
{
	*s = (struct x_suggest){ .word = word, .len = len, .distance = FAR };
}

void evs_x_suggest_offer(struct x_suggest *s, const char *name, size_t len)
{
	unsigned d;

	if (len == 0 || len > MAX_WORD || s->len == 0 || s->len > MAX_WORD)
		return;
	d = distance(s->word, s->len, name, len);
	if (2 * d >= s->len && d > 0)
		d = FAR; /* too little of the word would be left */
	if (d >= FAR &&
	    (is_prefix(s->word, s->len, name, len) || is_prefix(name, len, s->word, s->len)))
		d = FAR - 1;
	if (d < s->distance) {
		s->distance = d;
		memcpy(s->best, name, len);
		s->best[len] = 0;
	}
}

const char *evs_x_suggest_text(const struct x_suggest *s, char *buf, size_t cap)
{
	buf[0] = 0;
	if (s->distance < FAR)
		snprintf(buf, cap, "; did you mean `%s`?", s->best);
	return buf;
}
