/*
 * Looking for a text in a longer one finds the first place there is, and looks at no byte outside:
 * texts are of two and three letters, so that there are many places that are nearly right, and each
 * stands in memory of just its size.
 */
#include "src/expr/expr_node.h"
#include "tests/unit/t.h"

#include <stdlib.h>

static uint64_t seed = 11;

static size_t below(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

static const char *plain(const char *s, size_t n, const char *needle, size_t m)
{
	for (size_t i = 0; i + m <= n; i++)
		if (!memcmp(s + i, needle, m))
			return s + i;
	return NULL;
}

static char *letters(size_t n, unsigned kinds)
{
	char *s = malloc(n ? n : 1);

	for (size_t i = 0; s && i < n; i++)
		s[i] = (char)('a' + below(kinds));
	return s ? s : (abort(), NULL);
}

int main(void)
{
	unsigned wrong = 0, found = 0;

	for (unsigned i = 0; i < 60000; i++) {
		size_t n = below(i % 5 ? 80 : 400), m = 1 + below(i % 3 ? 6 : 24), a = below(m),
		       b = below(m);
		char *s = letters(n, 2 + i % 2), *needle = letters(m, 2 + i % 2);
		const char *want = plain(s, n, needle, m);

		found += want != NULL;
		wrong += evs_x_find_by(s, n, needle, m, a, b) != want ||
			 evs_x_find(s, n, needle, m) != want;
		free(s);
		free(needle);
	}
	t_eq_u64("wrong places", wrong, 0);
	T_CHECK(found > 10000 && found < 50000);
	T_CHECK(!strcmp(evs_x_find("text", 4, "", 0), "text"));
	return t_done();
}
