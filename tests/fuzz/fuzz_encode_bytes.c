/*
 * Bytes: byte 0 options, byte 1 how values are cut; the rest is text, one value up to each newline,
 * or FIXED values of one width.
 */
#include "tests/fuzz/enc_trip.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void fixed(struct evs_array *a, const uint8_t *p, size_t n, uint16_t w)
{
	evs_array_init(a, EVS_FIXED, w, false);
	for (size_t i = 0; n - i >= w; i += w)
		if (evs_array_append_fixed(a, p + i))
			break;
}

static void lines(struct evs_array *a, const uint8_t *p, size_t n)
{
	const uint8_t *end;
	size_t len;

	evs_array_init(a, EVS_BYTES, 0, false);
	for (; n; p += len, n -= len) {
		end = memchr(p, '\n', n);
		len = end ? (size_t)(end - p) : n;
		if (len == 1 && *p == '0' ? evs_array_append_null(a)
					  : evs_array_append_bytes(a, p, len))
			break;
		len += end != NULL;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct evs_enc_opts opts;
	struct evs_array a;

	if (n < 3)
		return 0;
	opts = trip_opts(p[0]);
	if (p[1] & 1)
		fixed(&a, p + 2, n - 2, p[1] & 2 ? 16 : (uint16_t)(1 + (p[1] >> 2)));
	else
		lines(&a, p + 2, n - 2);
	trip_check(&a, &opts);
	evs_array_release(&a);
	return 0;
}
