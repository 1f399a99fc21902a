/*
 * The calls of the operating system as the store sees them: what is absent, whose lock it is, whole
 * files replaced, folders listed.
 */
#include "src/store/io.h"

#include "format/error.h"
#include "tests/unit/t.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/evseg-io-XXXXXX";

static const char *at(const char *name)
{
	static char path[2][128];
	static unsigned turn;

	turn ^= 1;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static int opened(const char *name)
{
	struct evs_diag diag;
	int fd = -1;

	if (evs_io_open_write(&fd, at(name), true, &diag) < 0)
		abort();
	return fd;
}

/* After the third time that it is asked. */
static bool third_time(void *arg)
{
	return ++*(unsigned *)arg == 3;
}

static void test_locks(void)
{
	const struct evs_wait never = { .never = true };
	unsigned asked = 0;
	const struct evs_wait stop = { .stop = third_time, .arg = &asked };
	struct evs_diag diag;
	int a = opened("lock"), b = opened("lock"), c = opened("lock");

	T_CHECK(!evs_io_is_locked(b));
	T_CHECK(evs_io_lock(a, &never, "lock", &diag) == 0);
	T_CHECK(evs_io_is_locked(b));
	T_CHECK(!evs_io_is_locked(a));
	T_CHECK(evs_io_lock(b, &never, "lock", &diag) == EVS_E_LOCKED);
	t_eq_u64("the lock of another is no error of the system", (uint64_t)diag.err,
		 (uint64_t)EVS_E_LOCKED);
	T_CHECK(evs_io_lock(b, &stop, "lock", &diag) == EVS_E_LOCKED && asked == 3);
	T_CHECK(evs_io_lock(a, NULL, "lock", &diag) == 0);
	T_CHECK(evs_io_lock_shared(a, NULL, "lock", &diag) == 0);
	T_CHECK(evs_io_lock_shared(b, NULL, "lock", &diag) == 0);
	T_CHECK(evs_io_lock(c, &never, "lock", &diag) == EVS_E_LOCKED);
	evs_io_close(a);
	evs_io_close(b);
	T_CHECK(!evs_io_is_locked(c));
	T_CHECK(evs_io_lock(c, NULL, "lock", &diag) == 0);
	evs_io_close(c);
	evs_io_close(-1);
	T_CHECK(evs_io_lock(c, &never, "lock", &diag) == EVS_E_SYS);
}

static void test_bytes(void)
{
	struct evs_diag diag;
	struct evs_io_stat st;
	char text[16] = "";
	size_t got = 9;
	int fd = opened("bytes"), other = -1;

	T_CHECK(evs_io_pwrite(fd, "abcdef", 6, 2, "bytes", &diag) == 0);
	T_CHECK(evs_io_fstat(fd, "bytes", &st, &diag) == 0 && st.size == 8 && st.is_file &&
		!st.is_dir);
	T_CHECK(evs_io_pread(fd, text, 8, 0, "bytes", &diag) == 0 &&
		!memcmp(text, "\0\0abcdef", 8));
	T_CHECK(evs_io_pread(fd, text, 9, 0, "bytes", &diag) == EVS_E_FORMAT);
	T_CHECK(evs_io_pread_some(fd, text, 9, 7, &got, "bytes", &diag) == 0 && got == 1);
	T_CHECK(evs_io_pread_some(fd, text, 9, 8, &got, "bytes", &diag) == 0 && got == 0);
	T_CHECK(evs_io_truncate(fd, 3, "bytes", &diag) == 0);
	T_CHECK(evs_io_stat(at("bytes"), &st, &diag) == 0 && st.size == 3);
	T_CHECK(evs_io_sync(fd, "bytes", &diag) == 0);
	T_CHECK(evs_io_sync(-1, "bytes", &diag) == EVS_E_SYS && diag.sys == EBADF);
	T_CHECK(evs_io_open_append(&other, at("bytes"), &diag) == 0 &&
		evs_io_write(other, "xy", 2, "bytes", &diag) == 0 &&
		evs_io_pread(fd, text, 5, 0, "bytes", &diag) == 0 && !memcmp(text + 2, "axy", 3));
	evs_io_close(fd);
	evs_io_close(other);
}

static void test_names(void)
{
	struct evs_diag diag;
	struct evs_io_stat st;
	int fd = -1;

	T_CHECK(evs_io_stat(at("none"), &st, &diag) == 1);
	T_CHECK(evs_io_stat(at("bytes/below"), &st, &diag) != 0);
	T_CHECK(evs_io_open_write(&fd, at("none"), false, &diag) == EVS_E_SYS &&
		diag.sys == ENOENT);
	T_CHECK(evs_io_open_read(&fd, at("none"), &diag) == EVS_E_SYS);
	T_CHECK(evs_io_mkdir(at("dir"), &diag) == 1);
	T_CHECK(evs_io_mkdir(at("dir"), &diag) == 0);
	T_CHECK(evs_io_mkdir(at("no/dir"), &diag) == EVS_E_SYS);
	T_CHECK(evs_io_stat(at("dir"), &st, &diag) == 0 && st.is_dir && !st.is_file);
	T_CHECK(evs_io_rename(at("bytes"), at("dir/moved"), &diag) == 0);
	T_CHECK(evs_io_rename(at("bytes"), at("dir/moved"), &diag) == EVS_E_SYS);
	T_CHECK(evs_io_unlink(at("dir/moved"), &diag) == 0);
	T_CHECK(evs_io_unlink(at("dir/moved"), &diag) == 0);
	T_CHECK(evs_io_unlink(at("dir"), &diag) == EVS_E_SYS);
	T_CHECK(evs_io_sync_dir(at("dir"), &diag) == 0);
	T_CHECK(evs_io_sync_dir(at("none"), &diag) == EVS_E_SYS);
	T_CHECK(evs_io_sync_parent(at("dir/any"), &diag) == 0);
	T_CHECK(evs_io_sync_parent(at("none/any"), &diag) == EVS_E_SYS);
	T_CHECK(evs_io_sync_parent("name", &diag) == 0);
	T_CHECK(evs_io_sync_parent("/name", &diag) == 0);
}

/* A path as long as a buffer of ours: refused, not cut. */
static void test_long_paths(void)
{
	struct evs_diag diag;
	char path[1400];

	for (size_t n = 1080; n < 1110; n++) {
		memset(path, 'x', n);
		path[n] = '/';
		memcpy(path + n + 1, "y", 2);
		T_CHECK(evs_io_sync_parent(path, &diag) == EVS_E_SYS);
		T_CHECK(evs_io_write_file(path, "", 0, &diag) == EVS_E_SYS);
	}
	T_CHECK(diag.sys == ENAMETOOLONG);
}

static void test_whole_files(void)
{
	struct evs_diag diag;
	struct evs_io_stat st;
	char *text = NULL;
	size_t len = 0;

	T_CHECK(evs_io_read_file(at("whole"), 10, &text, &len, &diag) == 1 && !text);
	T_CHECK(evs_io_write_file(at("whole"), "0123456789", 10, &diag) == 0);
	T_CHECK(evs_io_write_file(at("whole"), "abcde", 5, &diag) == 0);
	T_CHECK(evs_io_read_file(at("whole"), 5, &text, &len, &diag) == 0 && len == 5 &&
		!strcmp(text, "abcde"));
	free(text);
	text = NULL;
	T_CHECK(evs_io_read_file(at("whole"), 4, &text, &len, &diag) == EVS_E_LIMIT && !text);
	T_CHECK(evs_io_stat(at("whole.tmp"), &st, &diag) == 1);
	/* A longer one that a crash left behind is no part of the next. */
	T_CHECK(evs_io_write_file(at("whole.tmp"), "of a crash", 10, &diag) == 0);
	T_CHECK(evs_io_write_file(at("whole"), "new", 3, &diag) == 0);
	T_CHECK(evs_io_stat(at("whole"), &st, &diag) == 0 && st.size == 3);
	/* What cannot be put in its place leaves nothing behind. */
	T_CHECK(evs_io_write_file(at("dir"), "new", 3, &diag) == EVS_E_SYS);
	T_CHECK(evs_io_stat(at("dir.tmp"), &st, &diag) == 1);
}

static void test_list(void)
{
	struct evs_io_entry *list = NULL;
	struct evs_diag diag;
	char name[16];
	size_t n = 0;

	T_CHECK(evs_io_mkdir(at("many"), &diag) == 1);
	T_CHECK(evs_io_list(at("many"), &list, &n, &diag) == 0 && n == 0);
	evs_io_list_free(list, n);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "many/%03u", (i * 77) % 200);
		if (i % 10)
			evs_io_close(opened(name));
		else
			T_CHECK(evs_io_mkdir(at(name), &diag) == 1);
	}
	T_CHECK(symlink("000", at("many/200")) == 0 && symlink("001", at("many/201")) == 0);
	T_CHECK(evs_io_list(at("many"), &list, &n, &diag) == 0);
	t_eq_u64("names", n, 202);
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "%03u", i);
		T_CHECK(!strcmp(list[i].name, name));
		T_CHECK(list[i].is_dir == (i < 200 ? i % 10 == 0 : i == 200));
	}
	evs_io_list_free(list, n);
	T_CHECK(evs_io_list(at("none"), &list, &n, &diag) == EVS_E_SYS);
}

static void test_clocks(void)
{
	int64_t now = evs_io_now(), later, start = evs_io_monotonic();
	uint8_t a[16] = { 0 }, b[16] = { 0 };
	struct evs_diag diag;

	T_CHECK(now > 1700000000000000000 && now < 8000000000000000000);
	(void)nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
	later = evs_io_monotonic();
	T_CHECK(later - start >= 2000000 && later - start < 60000000000);
	T_CHECK(evs_io_random(a, sizeof(a), &diag) == 0);
	T_CHECK(evs_io_random(b, sizeof(b), &diag) == 0);
	T_CHECK(memcmp(a, b, sizeof(a)) != 0);
}

static void clean(void)
{
	char command[64];

	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	if (system(command) != 0)
		t_check("the folder goes away", false);
}

int main(void)
{
	if (!mkdtemp(folder))
		return 1;
	test_locks();
	test_bytes();
	test_names();
	test_long_paths();
	test_whole_files();
	test_list();
	test_clocks();
	clean();
	return t_done();
}
