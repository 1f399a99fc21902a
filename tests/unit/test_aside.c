/*
 * Bytes that a crash left are set aside before they are cut off: nothing is thrown away, whatever
 * fails.
 */
#define _XOPEN_SOURCE 700
#include "src/store/io.h"
#include "src/store/store.h"
#include "tests/unit/fail.h"
#include "tests/unit/t.h"

#include <stdlib.h>
#include <unistd.h>

#define SIZE 200000u /* more than is copied at a time */
#define FROM 1000u

static char dir[64], path[80], aside[EVS_PATH_MAX];
static uint8_t data[SIZE];
static int fd;

static void whole(void)
{
	T_CHECK(evs_io_truncate(fd, 0, path, NULL) == 0);
	T_CHECK(evs_io_pwrite(fd, data, SIZE, 0, path, NULL) == 0);
}

static uint64_t size_of(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* Are the bytes from FROM on in the file that was named? Takes it away. */
static bool kept(void)
{
	static uint8_t got[SIZE];
	FILE *f = fopen(aside, "rb");
	size_t n = f ? fread(got, 1, SIZE, f) : 0;

	if (f)
		(void)fclose(f);
	return n == SIZE - FROM && !memcmp(got, data + FROM, n) && unlink(aside) == 0;
}

static int set_aside(struct evs_diag *d)
{
	return evs_set_aside(fd, path, FROM, SIZE, ".x", aside, d);
}

static void test_calls(void)
{
	static const char *const calls[] = { "memory", "stat",	    "open",  "pread",
					     "pwrite", "fdatasync", "fsync", "ftruncate" };
	struct evs_diag d = { 0 };
	char name[128];

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		for (long n = 1;; n++) {
			int rc;

			whole();
			fail_begin(calls[i], n, EIO);
			rc = set_aside(&d);
			if (!fail_end()) {
				T_CHECK(rc == 0 && size_of(path) == FROM && kept());
				break;
			}
			t_check(calls[i], rc == (i ? EVS_E_SYS : EVS_E_NOMEM));
			t_check(calls[i], size_of(path) == SIZE || kept());
			(void)unlink(aside);
		}
	snprintf(name, sizeof(name), "%s.tail-%u.x", path, FROM);
	t_eq_str("the name", aside, name);
}

/* Names that are taken stay: up to a thousand. */
static void test_names(void)
{
	struct evs_diag d = { 0 };
	char name[128];
	int other = -1;

	for (unsigned i = 0; i < 1000; i++) {
		if (i)
			snprintf(name, sizeof(name), "%s.tail-%u-%u.x", path, FROM, i);
		else
			snprintf(name, sizeof(name), "%s.tail-%u.x", path, FROM);
		if (i == 3) {
			whole();
			T_CHECK(set_aside(&d) == 0 && !strcmp(aside, name) && kept());
		}
		T_CHECK(evs_io_open_write(&other, name, true, &d) == 0);
		evs_io_close(other);
	}
	whole();
	T_CHECK(set_aside(&d) == EVS_E_LIMIT && strstr(d.what, "a thousand tails"));
	T_CHECK(size_of(path) == SIZE);
	for (unsigned i = 0; i < 1000; i++) {
		if (i)
			snprintf(name, sizeof(name), "%s.tail-%u-%u.x", path, FROM, i);
		else
			snprintf(name, sizeof(name), "%s.tail-%u.x", path, FROM);
		T_CHECK(size_of(name) == 0 && unlink(name) == 0);
	}
}

static void test_long_path(void)
{
	static char longer[EVS_PATH_MAX];
	struct evs_diag d = { 0 };

	whole();
	memset(longer, 'x', sizeof(longer) - 1);
	for (size_t n = sizeof(longer) - 20; n < sizeof(longer); n++) {
		longer[n] = '\0';
		T_CHECK(evs_set_aside(fd, longer, FROM, SIZE, "", aside, &d) < 0);
		longer[n] = 'x';
	}
	T_CHECK(strstr(d.what, "path too long") && size_of(path) == SIZE);
}

int main(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(dir, sizeof(dir), "%s/evseg-aside-XXXXXX", base);
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/file", dir);
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (uint8_t)(i * 2654435761u >> 24);
	if (evs_io_open_write(&fd, path, true, NULL) < 0)
		abort();
	test_calls();
	test_names();
	test_long_path();
	evs_io_close(fd);
	T_CHECK(unlink(path) == 0 && rmdir(dir) == 0);
	return t_done();
}
