/*
 * "Did you mean": the nearest name by edit distance, case aside.
 */
#include "src/schema/ddl.h"

#include <stdio.h>
#include <string.h>

#define MAX_WORD 64 /* longer words get no suggestion */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/*
 * Edit distance with swaps of neighbours (optimal string alignment). Both lengths are at most
 * MAX_WORD.
 */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned row[3][MAX_WORD + 1];
	unsigned *before = row[0], *prev = row[1], *cur = row[2], *tmp;

	for (size_t j = 0; j <= m; j++)
		prev[j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		cur[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			bool same = lower(a[i - 1]) == lower(b[j - 1]);

			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + !same);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]) && before[j - 2] + 1 < cur[j])
				cur[j] = before[j - 2] + 1;
		}
		tmp = before;
		before = prev;
		prev = cur;
		cur = tmp;
	}
	return prev[m];
}

static void consider(const char **best, unsigned *best_dist, const char *word, size_t len,
		     const char *name)
{
	size_t m = strlen(name);
	unsigned dist;

	if (len > MAX_WORD || m > MAX_WORD)
		return;
	dist = distance(word, len, name, m);
	if (dist < *best_dist) {
		*best_dist = dist;
		*best = name;
	}
}

static unsigned first_limit(size_t len)
{
	return len < 3 ? 1 : len < 6 ? 2 : len < 10 ? 3 : 4; /* distances must be below it */
}

static void write_suggestion(char *buf, size_t cap, const char *best)
{
	if (best)
		snprintf(buf, cap, "; did you mean %s?", best);
	else
		buf[0] = '\0';
}

void ddl_suggest(char *buf, size_t cap, const char *word, size_t len, const char *const *names,
		 size_t n)
{
	const char *best = NULL;
	unsigned dist = first_limit(len);

	for (size_t i = 0; i < n; i++)
		consider(&best, &dist, word, len, names[i]);
	write_suggestion(buf, cap, best);
}

void ddl_suggest_column(char *buf, size_t cap, const char *word, size_t len,
			const struct evs_table *t)
{
	const char *best = NULL;
	unsigned dist = first_limit(len);

	for (unsigned i = 0; i < t->ncols; i++)
		consider(&best, &dist, word, len, t->cols[i].name);
	write_suggestion(buf, cap, best);
}
