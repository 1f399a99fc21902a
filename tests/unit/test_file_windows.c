/*
 * Bytes of a file through windows: whatever was read before, forwards, backwards or anywhere, they
 * are the file's.
 */
#include "src/store/io.h"
#include "src/store/segment.h"
#include "tests/unit/enc_gen.h"

#include <unistd.h>

#define SIZE (1500000u)

static uint8_t data[SIZE];

/* Is what is given at `off` what stands there? */
static bool right(struct evs_file *f, uint64_t off, size_t n)
{
	const uint8_t *p = NULL;
	struct evs_diag d;
	int rc = evs_file_bytes(f, off, n, &p, &d);

	if (off + n > SIZE)
		return rc == EVS_E_FORMAT;
	return rc == 0 && !memcmp(p, data + off, n);
}

int main(void)
{
	char path[] = "/tmp/evseg-windows-XXXXXX";
	int fd = mkstemp(path);
	struct evs_file f;
	struct evs_diag d;
	bool ok = true;

	for (size_t i = 0; i < SIZE; i++)
		data[i] = (uint8_t)gen_u64();
	if (fd < 0 || evs_io_pwrite(fd, data, SIZE, 0, path, &d) < 0)
		return 1;
	evs_file_init(&f, fd, path);
	for (uint64_t off = SIZE - 1; off > 4000; off -= 1 + gen_below(3000))
		ok &= right(&f, off, 1 + gen_below(200));
	t_check("backwards", ok);
	for (uint64_t off = SIZE - 1; off > 100000; off -= 1 + gen_below(90000))
		ok &= right(&f, off, 1 + gen_below(200000));
	t_check("backwards in large steps", ok);
	for (uint64_t off = 0; off < SIZE; off += 1 + gen_below(3000))
		ok &= right(&f, off, 1 + gen_below(9000));
	t_check("forwards", ok);
	for (unsigned i = 0; i < 4000; i++) {
		ok &= right(&f, gen_below(SIZE), 1 + gen_below(gen_below(9) ? 300 : 400000));
		if (gen_below(50) == 0)
			evs_file_forget(&f);
	}
	t_check("anywhere", ok);
	/* One that had to be large is not kept for ordinary ones. */
	ok &= right(&f, 0, 1200000) && right(&f, 100000, 1300000) && f.win[0].cap == 1300000;
	ok &= right(&f, 1450000, 10) && right(&f, 0, 10) && f.win[0].cap == (size_t)128 << 10;
	t_check("a large window is let go", ok);
	/* What is fetched is there; nothing, or more than a window holds, is not fetched. */
	evs_file_fetch(&f, 700000, 1000);
	ok &= f.win[f.newest].off == 700000 && f.win[f.newest].len == 1000;
	evs_file_fetch(&f, 700200, 800);
	evs_file_fetch(&f, 900000, 0);
	evs_file_fetch(&f, 900000, ((size_t)128 << 10) + 1);
	ok &= f.win[f.newest].off == 700000 && f.win[f.newest].len == 1000;
	evs_file_fetch(&f, 900000, (size_t)128 << 10);
	ok &= f.win[f.newest].off == 900000 && f.win[f.newest].len == (size_t)128 << 10;
	t_check("fetched", ok);
	evs_file_release(&f);
	evs_io_close(fd);
	T_CHECK(unlink(path) == 0);
	return t_done();
}
