/*
 * Unpacking bits: the machine's way gives what the portable one does, and reads and writes no byte
 * outside. For every width of values and of bits, with few values and many, and with and without
 * bytes behind them.
 */
#include "format/enc_impl.h"
#include "tests/unit/enc_gen.h"

static bool same(unsigned w, unsigned bits, uint32_t n, size_t more)
{
	size_t len = evs_packed_len(n, bits) + more;
	uint8_t *in = malloc(len), *a = malloc((size_t)n * w + 1), *b = malloc((size_t)n * w + 1);
	uint64_t base = gen_below(2) ? gen_u64() : 0;
	bool ok = in && a && b;

	for (size_t i = 0; ok && i < len; i++)
		in[i] = (uint8_t)gen_u64();
	if (ok) {
		a[(size_t)n * w] = b[(size_t)n * w] = 0xaa;
		evs_bits_unpack(a, in, len, n, w, bits, base);
		evs_bits_unpack_portable(b, in, len, n, w, bits, base);
		ok = !memcmp(a, b, (size_t)n * w + 1) && a[(size_t)n * w] == 0xaa;
	}
	free(in);
	free(a);
	free(b);
	return ok;
}

int main(void)
{
	for (unsigned w = 1; w <= 8; w *= 2)
		for (unsigned bits = 1; bits <= 8 * w; bits++) {
			char name[64];
			bool ok = true;

			for (unsigned i = 0; i < 60; i++)
				ok &= same(w, bits, 1 + gen_below(i < 40 ? 40 : 3000),
					   i % 3 ? gen_below(20) : 0);
			(void)snprintf(name, sizeof(name), "%u bits to %u bytes", bits, w);
			t_check(name, ok);
		}
	return t_done();
}
