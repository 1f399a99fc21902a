/*
 * Looking for a text in a longer one, by two of its bytes: where both stand at their distance, all
 * of it is compared. With SSE2, which every x86-64 has, sixteen places at a time; the last places,
 * and other machines, go by one byte and memchr().
 */
#include "src/expr/expr_node.h"

#include <string.h>

#if defined(__x86_64__) && !defined(EVS_PORTABLE)

#include <emmintrin.h>

static inline __m128i load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* The first place in [*s, last], or NULL with *s after the places that were looked at. */
static const char *find_many(const char **s, const char *last, const char *needle, size_t m,
			     size_t a, size_t b)
{
	const __m128i x = _mm_set1_epi8(needle[a]), y = _mm_set1_epi8(needle[b]);
	const char *p = *s;

	for (; last - p >= 15; p += 16) {
		unsigned hits = (unsigned)_mm_movemask_epi8(_mm_and_si128(
			_mm_cmpeq_epi8(load(p + a), x), _mm_cmpeq_epi8(load(p + b), y)));

		for (; hits; hits &= hits - 1)
			if (!memcmp(p + __builtin_ctz(hits), needle, m))
				return p + __builtin_ctz(hits);
	}
	*s = p;
	return NULL;
}

#else

static const char *find_many(const char **s, const char *last, const char *needle, size_t m,
			     size_t a, size_t b)
{
	(void)s, (void)last, (void)needle, (void)m, (void)a, (void)b;
	return NULL;
}

#endif

const char *evs_x_find_by(const char *s, size_t n, const char *needle, size_t m, size_t a, size_t b)
{
	const char *last, *hit;

	if (m == 0)
		return s;
	if (n < m)
		return NULL;
	last = s + (n - m);
	hit = find_many(&s, last, needle, m, a, b);
	while (!hit && s <= last) {
		hit = memchr(s + a, needle[a], (size_t)(last - s) + 1);
		if (!hit)
			return NULL;
		s = hit - a + 1;
		hit = memcmp(hit - a, needle, m) ? NULL : hit - a;
	}
	return hit;
}

const char *evs_x_find(const char *s, size_t n, const char *needle, size_t m)
{
	return evs_x_find_by(s, n, needle, m, 0, m ? m - 1 : 0);
}
