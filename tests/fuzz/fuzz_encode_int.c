/*
 * Integers of any width: byte 0 options, byte 1 width, sign, and how values follow from the bytes.
 */
#include "tests/fuzz/enc_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct evs_enc_opts opts;
	struct evs_array a;
	uint64_t v = 0, x;
	unsigned w;

	if (n < 3)
		return 0;
	opts = trip_opts(p[0]);
	w = 1u << (p[1] & 3);
	evs_array_init(&a, EVS_INT, (uint16_t)w, p[1] >> 2 & 1);
	for (size_t i = 2; i < n; i++) {
		x = p[i];
		if (p[1] & 8 && x == 0xff) {
			if (evs_array_append_null(&a))
				break;
			continue;
		}
		if (p[1] & 16) { /* steps, each 1 << (high bits) or so */
			v += (x & 15) << (x >> 4) * 4;
		} else if (p[1] & 32) { /* scaled */
			v = x * 1000 + 77;
		} else {
			v = v << 8 | x;
		}
		for (unsigned rep = 0; rep < (p[1] & 64 ? 1 + x % 16 : 1); rep++)
			if (evs_array_append_int(&a, v))
				break;
	}
	trip_check(&a, &opts);
	evs_array_release(&a);
	return 0;
}
