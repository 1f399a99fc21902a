/*
 * Floats: byte 0 options, byte 1 the width, and whether the rest is bit patterns or decimals.
 */
#include "tests/fuzz/enc_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const double scale[8] = { 1, 10, 100, 1000, 1e6, 1e9, 3, 1.5e-7 };
	struct evs_enc_opts opts;
	struct evs_array a;
	uint64_t v = 0;
	unsigned w;

	if (n < 3)
		return 0;
	opts = trip_opts(p[0]);
	w = p[1] & 1 ? 8 : 4;
	evs_array_init(&a, EVS_INT, (uint16_t)w, true);
	for (size_t i = 2; i < n; i++) {
		v = v << 8 | p[i];
		if (p[1] & 2 && p[i] == 0xff) {
			if (evs_array_append_null(&a))
				break;
		} else if (p[1] & 4) {
			a.phys = EVS_FLOAT;
			if (evs_array_append_float(&a, (double)(int32_t)v / scale[p[1] >> 3 & 7]))
				break;
		} else {
			a.phys = EVS_INT; /* the bits as they are */
			if (evs_array_append_int(&a, v))
				break;
		}
	}
	a.phys = EVS_FLOAT;
	trip_check(&a, &opts);
	evs_array_release(&a);
	return 0;
}
