/*
 * Text for a terminal: nothing in the data may move the cursor, change colors or turn the line
 * around, and columns must line up. Widths follow East Asian Width and the common zero-width
 * marks; a terminal may disagree about rare characters, at worst a column is out of line.
 */
#include "src/json/json_print.h"

struct range {
	uint32_t from, to;
};

/* In order, so that they can be searched. */
static const struct range zero[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x0610, 0x061a },
	{ 0x064b, 0x065f }, { 0x06d6, 0x06dc }, { 0x0900, 0x0902 }, { 0x093c, 0x093c },
	{ 0x0941, 0x0948 }, { 0x094d, 0x094d }, { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a },
	{ 0x0e47, 0x0e4e }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200d },
	{ 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xe0100, 0xe01ef },
};

static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x2329, 0x232a },	  { 0x23e9, 0x23ec },
	{ 0x25fd, 0x25fe },   { 0x2614, 0x2615 },   { 0x2648, 0x2653 },	  { 0x26a1, 0x26a1 },
	{ 0x26bd, 0x26be },   { 0x26c4, 0x26c5 },   { 0x26d4, 0x26d4 },	  { 0x26ea, 0x26ea },
	{ 0x26f2, 0x26f3 },   { 0x26f5, 0x26f5 },   { 0x26fa, 0x26fa },	  { 0x26fd, 0x26fd },
	{ 0x2705, 0x2705 },   { 0x270a, 0x270b },   { 0x2728, 0x2728 },	  { 0x274c, 0x274c },
	{ 0x274e, 0x274e },   { 0x2753, 0x2755 },   { 0x2757, 0x2757 },	  { 0x2795, 0x2797 },
	{ 0x27b0, 0x27b0 },   { 0x2b1b, 0x2b1c },   { 0x2b50, 0x2b50 },	  { 0x2b55, 0x2b55 },
	{ 0x2e80, 0x303e },   { 0x3041, 0x33ff },   { 0x3400, 0x4dbf },	  { 0x4e00, 0xa4cf },
	{ 0xa960, 0xa97f },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },	  { 0xfe30, 0xfe6f },
	{ 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf },
	{ 0x1f18e, 0x1f18e }, { 0x1f191, 0x1f19a }, { 0x1f200, 0x1f320 }, { 0x1f32d, 0x1f335 },
	{ 0x1f337, 0x1f37c }, { 0x1f37e, 0x1f393 }, { 0x1f3a0, 0x1f3ca }, { 0x1f3cf, 0x1f3d3 },
	{ 0x1f3e0, 0x1f3f0 }, { 0x1f3f4, 0x1f3f4 }, { 0x1f3f8, 0x1f43e }, { 0x1f440, 0x1f440 },
	{ 0x1f442, 0x1f4fc }, { 0x1f4ff, 0x1f53d }, { 0x1f54b, 0x1f54e }, { 0x1f550, 0x1f567 },
	{ 0x1f57a, 0x1f57a }, { 0x1f595, 0x1f596 }, { 0x1f5a4, 0x1f5a4 }, { 0x1f5fb, 0x1f64f },
	{ 0x1f680, 0x1f6c5 }, { 0x1f6cc, 0x1f6cc }, { 0x1f6d0, 0x1f6d2 }, { 0x1f6d5, 0x1f6d7 },
	{ 0x1f6dd, 0x1f6df }, { 0x1f6eb, 0x1f6ec }, { 0x1f6f4, 0x1f6fc }, { 0x1f7e0, 0x1f7eb },
	{ 0x1f7f0, 0x1f7f0 }, { 0x1f90c, 0x1f93a }, { 0x1f93c, 0x1f945 }, { 0x1f947, 0x1f9ff },
	{ 0x1fa70, 0x1faff }, { 0x20000, 0x3fffd },
};

/* Controls, and what turns, hides or breaks the line. */
static const struct range hostile[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad },   { 0x061c, 0x061c },
	{ 0x180e, 0x180e }, { 0x200e, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },
	{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
};

static bool in_ranges(uint32_t cp, const struct range *r, size_t n)
{
	size_t lo = 0;

	while (lo < n) {
		size_t mid = lo + (n - lo) / 2;

		if (cp > r[mid].to)
			lo = mid + 1;
		else if (cp < r[mid].from)
			n = mid;
		else
			return true;
	}
	return false;
}

static unsigned width_of(uint32_t cp)
{
	if (cp < 0x300)
		return 1;
	if (in_ranges(cp, zero, sizeof(zero) / sizeof(zero[0])))
		return 0;
	return in_ranges(cp, wide, sizeof(wide) / sizeof(wide[0])) ? 2 : 1;
}

/* The character at s: its code point and bytes; 0 bytes when it is no UTF-8. */
static unsigned decode(const char *s, const char *end, uint32_t *cp)
{
	unsigned char c = (unsigned char)*s;
	unsigned n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (end - s < (ptrdiff_t)n || evs_utf8_check(s, s + n) != s + n)
		return 0;
	*cp = n == 1 ? c : c & (0xffu >> (n + 1));
	for (unsigned i = 1; i < n; i++)
		*cp = *cp << 6 | ((unsigned char)s[i] & 0x3f);
	return n;
}

/* What to show for one character: into `out` (room for 16). Returns bytes, `*width` its columns. */
static unsigned show_char(uint32_t cp, char *out, unsigned *width)
{
	static const char letters[] = "0......abtnvfr";
	static const char hex[] = "0123456789abcdef";
	unsigned n = 0, digits;

	if (!in_ranges(cp, hostile, sizeof(hostile) / sizeof(hostile[0]))) {
		*width = width_of(cp);
		return evs_utf8_put(cp, out);
	}
	out[n++] = '\\';
	if (cp < sizeof(letters) - 1 && letters[cp] != '.') {
		out[n++] = letters[cp];
	} else {
		digits = cp < 0x100 ? 2 : cp < 0x10000 ? 4 : 8;
		out[n++] = digits == 2 ? 'x' : digits == 4 ? 'u' : 'U';
		while (digits--)
			out[n++] = hex[cp >> (4 * digits) & 15];
	}
	*width = n;
	return n;
}

unsigned evs_show_text(struct evs_buf *b, const char *s, size_t n, unsigned max)
{
	const char *end = s + n;
	unsigned used = 0,
		 cut_width = 0; /* columns so far; ... and where a cut would leave room for '…' */
	size_t cut = b->len,
	       most = b->len + 8 * (size_t)max + 32; /* bytes, for heaps of zero-width marks */

	while (s < end) {
		char out[16];
		uint32_t cp = 0xfffd;
		unsigned bytes = decode(s, end, &cp), width, len = show_char(cp, out, &width);

		if (width > max - used || b->len > most) {
			b->len = cut;
			evs_buf_put(b, "\xe2\x80\xa6", max ? 3 : 0);
			return max ? cut_width + 1 : 0;
		}
		evs_buf_put(b, out, len);
		used += width;
		if (used < max) {
			cut = b->len;
			cut_width = used;
		}
		s += bytes ? bytes : 1;
	}
	return used;
}
