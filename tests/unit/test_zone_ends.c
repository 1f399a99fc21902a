/*
 * Zones of texts whose bytes end where the array's memory ends, so that no load may reach past
 * them, against plain comparison.
 */
#include "format/commit.h"
#include "format/zone.h"
#include "tests/unit/enc_gen.h"

struct text {
	const uint8_t *p;
	size_t n;
};

static int order(struct text a, struct text b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static bool zone_fits(const struct evs_array *a)
{
	struct evs_zone z = { 0 };
	struct text min, max, v;
	size_t n;

	min.p = evs_array_bytes(a, 0, &min.n);
	max = min;
	for (uint32_t i = 1; i < a->rows; i++) {
		v.p = evs_array_bytes(a, i, &n);
		v.n = n;
		if (order(v, min) < 0)
			min = v;
		if (order(v, max) > 0)
			max = v;
	}
	return evs_zone_of(&z, a) && z.has_min && z.has_max && !z.min_cut && !z.max_cut &&
	       !order((struct text){ z.min, z.min_len }, min) &&
	       !order((struct text){ z.max, z.max_len }, max);
}

/* Texts of few letters, 0x00 and 0xff among them, that fill `total` bytes to the last. */
static void fill(struct evs_array *a, size_t total)
{
	static const uint8_t letters[] = { 0, 1, 'a', 'b', 0x7f, 0x80, 0xff };
	uint8_t v[16];
	size_t n;

	evs_array_init(a, EVS_BYTES, 0, false);
	for (size_t left = total; left; left -= n) {
		n = gen_below(12);
		n = n < left ? n : left;
		for (size_t i = 0; i < n; i++)
			v[i] = letters[gen_below(gen_below(4) ? 4 : sizeof(letters))];
		if (evs_array_append_bytes(a, v, n))
			abort();
	}
}

int main(void)
{
	struct evs_array a;
	bool ok = true, full = false;

	for (unsigned i = 0; i < 6000; i++) {
		fill(&a, 40 + i % 90);
		full |= a.data_cap == (size_t)a.offs[a.rows];
		ok &= zone_fits(&a);
		evs_array_release(&a);
	}
	t_check("zones of texts up to the end of the memory", ok);
	t_check("the memory was used to its end", full);
	return t_done();
}
