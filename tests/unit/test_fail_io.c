/*
 * The calls of io.c one by one: interrupted, cut short, failing, and on names and files of every
 * kind.
 */
#define _XOPEN_SOURCE 700
#include "src/store/io.h"
#include "tests/unit/fail.h"
#include "tests/unit/t.h"

#include <stdlib.h>
#include <unistd.h>

static char dir[64], file[80];

static void at(char *path, size_t cap, const char *name)
{
	snprintf(path, cap, "%s/%s", dir, name);
}

static void test_unnamed(void)
{
	char absent[100], longer[1200];
	struct evs_diag d = { 0 };
	struct evs_io_entry *e;
	size_t n;
	int fd = -1, stdin_fd;

	T_CHECK(evs_io_open_unnamed(&fd, dir, &d) == 0 && fd >= 0);
	evs_io_close(fd);
	/* A file system without unnamed files; a signal comes, or there is no room. */
	fail.no_tmpfile = true;
	for (unsigned i = 0; i < 3; i++) {
		fail_begin("mkstemp", i ? 1 : 0, i == 1 ? EINTR : ENOSPC);
		T_CHECK(evs_io_open_unnamed(&fd, dir, &d) == (i < 2 ? 0 : EVS_S_SYS) &&
			(fd >= 0) == (i < 2));
		T_CHECK(fail_end() == (i > 0) && evs_io_list(dir, &e, &n, &d) == 0 && n == 0);
		evs_io_list_free(e, n);
		evs_io_close(fd);
	}
	/* Where standard input is closed a file may have its number. */
	stdin_fd = dup(0);
	T_CHECK(close(0) == 0);
	for (unsigned i = 0; i < 2; i++) {
		fail.no_tmpfile = i;
		T_CHECK(evs_io_open_unnamed(&fd, dir, &d) == 0 && fd == 0);
		T_CHECK(evs_io_list(dir, &e, &n, &d) == 0 && n == 0);
		evs_io_list_free(e, n);
		evs_io_close(fd);
	}
	T_CHECK(dup2(stdin_fd, 0) == 0 && close(stdin_fd) == 0);
	fail.no_tmpfile = false;
	at(absent, sizeof(absent), "absent");
	T_CHECK(evs_io_open_unnamed(&fd, absent, &d) == EVS_S_SYS && d.sys == ENOENT);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	T_CHECK(evs_io_open_unnamed(&fd, longer, &d) == EVS_S_SYS && d.sys == ENAMETOOLONG);
	evs_io_close(-1);

	/* What is set aside goes to $TMPDIR, when it names a folder. */
	T_CHECK(setenv("TMPDIR", absent, 1) == 0);
	T_CHECK(evs_io_open_scratch(&fd, &d) == EVS_S_SYS && d.sys == ENOENT);
	T_CHECK(setenv("TMPDIR", "", 1) == 0);
	T_CHECK(evs_io_open_scratch(&fd, &d) == 0);
	evs_io_close(fd);
	T_CHECK(unsetenv("TMPDIR") == 0 && evs_io_open_scratch(&fd, &d) == 0);
	evs_io_close(fd);
}

static void test_transfers(void)
{
	static const struct {
		int error, action, want;
	} cases[] = { { EINTR, FAIL_ERROR, 0 },
		      { EAGAIN, FAIL_ERROR, EVS_S_SYS },
		      { 0, FAIL_SHORT, 0 },
		      { EIO, FAIL_ERROR, EVS_S_SYS },
		      { 0, FAIL_ZERO, EVS_S_SYS } };
	struct evs_diag d = { 0 };
	char got[16];
	int fd = -1;

	T_CHECK(evs_io_open_write(&fd, file, true, &d) == 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fail_begin("pwrite", 1, cases[i].error);
		fail.action = cases[i].action;
		T_CHECK(evs_io_pwrite(fd, "0123456789", 10, 0, file, &d) == cases[i].want);
		T_CHECK(fail_end());
		fail_begin("write", 1, cases[i].error);
		fail.action = cases[i].action;
		T_CHECK(evs_io_write(fd, "0123456789", 10, file, &d) == cases[i].want);
		T_CHECK(fail_end() && lseek(fd, 0, SEEK_SET) == 0);
		fail_begin("pread", 1, cases[i].error);
		fail.action = cases[i].action;
		/* Nothing read is the end of the file. */
		T_CHECK(evs_io_pread(fd, got, 10, 0, file, &d) ==
			(cases[i].action == FAIL_ZERO ? EVS_S_FORMAT : cases[i].want));
		T_CHECK(fail_end() && (cases[i].want || !memcmp(got, "0123456789", 10)));
	}
	evs_io_close(fd);
}

/* The third time it is asked. */
static bool stop(void *arg)
{
	return ++*(unsigned *)arg == 3;
}

static void test_locks(void)
{
	static const int errors[] = { EAGAIN, EACCES };
	unsigned asked = 0;
	const struct evs_wait patient = { 0 }, hasty = { .never = true },
			      asking = { .stop = stop, .arg = &asked };
	struct evs_diag d = { 0 };
	int fd = -1, other = -1;

	T_CHECK(evs_io_open_write(&fd, file, true, &d) == 0);
	T_CHECK(evs_io_open_write(&other, file, true, &d) == 0);
	T_CHECK(!evs_io_is_locked(other) && evs_io_lock(fd, &patient, file, &d) == 0);
	T_CHECK(evs_io_is_locked(other) && evs_io_lock(other, &hasty, file, &d) == EVS_S_LOCKED);
	for (unsigned i = 0; i < 2; i++) {
		fail_begin("fcntl", 1, errors[i]);
		T_CHECK(evs_io_lock(fd, &hasty, file, &d) == EVS_S_LOCKED && fail_end());
	}
	T_CHECK(evs_io_lock(other, &asking, file, &d) == EVS_S_LOCKED && asked == 3);
	T_CHECK(strstr(d.what, "stopped while") != NULL);
	/* Who waits in the system's call is not told to come again. */
	fail_begin("fcntl", 1, EAGAIN);
	T_CHECK(evs_io_lock(fd, NULL, file, &d) == EVS_S_SYS && fail_end());
	fail_begin("fcntl", 1, EINTR);
	T_CHECK(evs_io_is_locked(other) && fail_end());
	fail_begin("fcntl", 1, ENOLCK);
	T_CHECK(evs_io_lock(fd, &hasty, file, &d) == EVS_S_SYS && fail_end());
	fail_begin("fcntl", 1, EINVAL);
	T_CHECK(!evs_io_is_locked(other) && fail_end());
	evs_io_close(fd);
	T_CHECK(!evs_io_is_locked(other));
	evs_io_close(other);
}

static void test_names(void)
{
	char path[1200];
	int fd = -1;
	struct evs_diag d = { 0 };
	char *real;

	T_CHECK(evs_io_sync_parent("/here", &d) == 0 && evs_io_sync_parent("here", &d) == 0);
	T_CHECK(evs_io_sync_parent(file, &d) == 0);
	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	T_CHECK(evs_io_sync_parent(path, &d) == EVS_S_SYS && d.sys == ENAMETOOLONG);
	at(path, sizeof(path), "absent");
	T_CHECK(evs_io_unlink(path, &d) == 0 && evs_io_unlink(dir, &d) == EVS_S_SYS);
	T_CHECK(evs_io_realpath(path, &real, &d) == EVS_S_SYS && d.sys == ENOENT);
	T_CHECK(evs_io_realpath(dir, &real, &d) == 0 && real[0] == '/');
	free(real);
	fail_begin("memory", 1, EINTR);
	T_CHECK(evs_io_realpath(dir, &real, &d) == 0 && fail_end());
	free(real);
	fail_begin("unlink", 1, EINTR);
	T_CHECK(evs_io_unlink(path, &d) == 0 && fail_end());
	T_CHECK(evs_io_sync_dir(path, &d) == EVS_S_SYS);
	T_CHECK(evs_io_open_append(&fd, dir, &d) == EVS_S_SYS && d.sys == EISDIR);
	T_CHECK(evs_io_open_append(&fd, file, &d) == 0);
	evs_io_close(fd);
	at(path, sizeof(path), "made");
	T_CHECK(evs_io_mkdir(path, &d) == 1 && evs_io_mkdir(path, &d) == 0);
	fail_begin("rmdir", 1, EACCES);
	T_CHECK(evs_io_rmdir(path, &d) == EVS_S_SYS && d.sys == EACCES && fail_end());
	fail_begin("rmdir", 1, EEXIST);
	T_CHECK(evs_io_rmdir(path, &d) == 1 && fail_end() && evs_io_rmdir("/", &d) != 0);
	T_CHECK(evs_io_rmdir(dir, &d) == 1);
	fail_begin("rmdir", 1, EINTR);
	T_CHECK(evs_io_rmdir(path, &d) == 0 && fail_end() && evs_io_rmdir(path, &d) == 0);
	T_CHECK(evs_io_mkdir(path, &d) == 1);
	T_CHECK(remove(path) == 0 && evs_io_mkdir("/proc/none", &d) == EVS_S_SYS);
}

static void test_whole_files(void)
{
	static const char *const calls[] = { "open",   "ftruncate", "pwrite", "fdatasync",
					     "rename", "fsync",	    "fstat",  "pread" };
	char path[1200], *text = NULL;
	struct evs_diag d = { 0 };
	size_t len;
	int rc;

	T_CHECK(evs_io_write_file(file, "hello", 5, &d) == 0);
	T_CHECK(evs_io_read_file(file, 4, &text, &len, &d) == EVS_S_LIMIT && !text);
	T_CHECK(evs_io_read_file(file, 5, &text, &len, &d) == 0 && len == 5 &&
		!strcmp(text, "hello"));
	free(text);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		fail_begin(calls[i], 1, EIO);
		text = NULL;
		rc = i < 6 ? evs_io_write_file(file, "other", 5, &d)
			   : evs_io_read_file(file, 5, &text, &len, &d);
		t_check(calls[i], rc == EVS_S_SYS && fail_end() && !text);
		T_CHECK(evs_io_read_file(file, 5, &text, &len, &d) == 0 && len == 5);
		/* Old or new, and new only when but the folder's sync failed. */
		t_check(calls[i], text && !strcmp(text, i == 5 ? "other" : "hello"));
		free(text);
		T_CHECK(evs_io_write_file(file, "hello", 5, &d) == 0);
	}
	at(path, sizeof(path), "absent");
	T_CHECK(evs_io_read_file(path, 5, &text, &len, &d) == 1);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	T_CHECK(evs_io_write_file(path, "", 0, &d) == EVS_S_SYS && d.sys == ENAMETOOLONG);
}

/* Folders, files and links to both, on file systems that tell the kind and on such that do not. */
static void test_lists(void)
{
	static const char *const names[] = { "a-folder", "b-file",    "c-link",
					     "d-link",	 "e-nowhere", "f-itself" };
	static const bool is_dir[] = { true, false, true, false, false, false };
	struct evs_diag d = { 0 };
	struct evs_io_entry *e;
	char path[128];
	size_t n;

	at(path, sizeof(path), names[0]);
	T_CHECK(evs_io_unlink(file, &d) == 0 && mkdir(path, 0777) == 0);
	at(path, sizeof(path), names[1]);
	T_CHECK(evs_io_write_file(path, "", 0, &d) == 0);
	at(path, sizeof(path), names[2]);
	T_CHECK(symlink("a-folder", path) == 0);
	at(path, sizeof(path), names[3]);
	T_CHECK(symlink("b-file", path) == 0);
	at(path, sizeof(path), names[4]);
	T_CHECK(symlink("nowhere", path) == 0);
	at(path, sizeof(path), names[5]);
	T_CHECK(symlink(names[5], path) == 0);
	for (unsigned unknown = 0; unknown < 2; unknown++) {
		fail.no_types = unknown;
		T_CHECK(evs_io_list(dir, &e, &n, &d) == 0 && n == 6);
		for (size_t i = 0; i < n; i++)
			t_check(names[i], !strcmp(e[i].name, names[i]) && e[i].is_dir == is_dir[i]);
		evs_io_list_free(e, n);
	}
	fail.no_types = false;
	for (long k = 1;; k++) {
		fail_begin("memory", k, ENOMEM);
		if (evs_io_list(dir, &e, &n, &d) == 0) {
			T_CHECK(!fail_end());
			evs_io_list_free(e, n);
			break;
		}
		T_CHECK(fail_end());
	}
	T_CHECK(evs_io_list("/nowhere", &e, &n, &d) == EVS_S_SYS);
	/* What a link leads to cannot be looked at: now, or ever. */
	fail_begin("fstatat", 2, EINTR);
	T_CHECK(evs_io_list(dir, &e, &n, &d) == 0 && n == 6 && fail_end());
	evs_io_list_free(e, n);
	fail_begin("fstatat", 2, EACCES);
	T_CHECK(evs_io_list(dir, &e, &n, &d) == EVS_S_SYS && d.sys == EACCES && fail_end());
	fail_begin("readdir", 6, EIO);
	T_CHECK(evs_io_list(dir, &e, &n, &d) == EVS_S_SYS && fail_end());
	for (size_t i = 6; i-- > 0;) {
		at(path, sizeof(path), names[i]);
		T_CHECK(remove(path) == 0);
	}
}

static void test_long_list(void)
{
	struct evs_diag d = { 0 };
	struct evs_io_entry *e;
	char path[128];
	size_t n;

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 100; i++) {
			snprintf(path, sizeof(path), "%s/%03u", dir, i);
			T_CHECK(round ? remove(path) == 0 : mkdir(path, 0777) == 0);
		}
		T_CHECK(evs_io_list(dir, &e, &n, &d) == 0 && n == (round ? 0 : 100));
		T_CHECK(round || !strcmp(e[99].name, "099"));
		evs_io_list_free(e, n);
	}
}

/* A file gets the mode and, where that can be given, the owner of another one. */
static void test_like(void)
{
	static const char *const stats[] = { "stat", "fstat" };
	bool root = geteuid() == 0;
	struct evs_diag d = { 0 };
	char other[100], absent[100];
	struct stat st;
	int fd = -1, to = -1;

	at(other, sizeof(other), "other");
	at(absent, sizeof(absent), "absent");
	T_CHECK(evs_io_open_write(&to, other, true, &d) == 0 && fchmod(to, 0640) == 0);
	T_CHECK(evs_io_open_write(&fd, file, true, &d) == 0 && fchmod(fd, 0600) == 0);
	T_CHECK(evs_io_like(fd, absent, &d) == 0);
	for (unsigned i = 0; i < 2; i++) {
		fail_begin(stats[i], 1, EIO);
		T_CHECK(evs_io_like(fd, other, &d) == EVS_S_SYS && fail_end() && d.sys == EIO);
	}
	T_CHECK(fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0600);
	for (unsigned i = 0; i < 3; i++) {
		T_CHECK(fchmod(fd, 0600) == 0);
		fail_begin("fchmod", i ? 1 : 0, i == 1 ? EINTR : EPERM);
		T_CHECK(evs_io_like(fd, other, &d) == (i < 2 ? 0 : EVS_S_SYS));
		T_CHECK(fail_end() == (i > 0) && fstat(fd, &st) == 0);
		T_CHECK((st.st_mode & 0777) == (i < 2 ? 0640 : 0600));
	}
	/* All; the group alone; neither, and it goes on. Who is not root finds others' files only.
	 */
	T_CHECK(!root || fchown(to, 1, 1) == 0);
	for (unsigned i = 0; i < 3; i++) {
		T_CHECK(!root || fchown(fd, 0, 0) == 0);
		fail_begin("fchown", i ? 1 : 0, EPERM);
		fail.on = i == 2;
		T_CHECK(evs_io_like(fd, root ? other : "/", &d) == 0);
		T_CHECK(fail_end() == (i > 0) && fstat(fd, &st) == 0);
		T_CHECK(!root || (st.st_uid == (i ? 0 : 1) && st.st_gid == (i < 2 ? 1 : 0)));
	}
	if (root) { /* another group alone */
		T_CHECK(fchown(to, 0, 1) == 0 && fchown(fd, 0, 0) == 0);
		T_CHECK(evs_io_like(fd, other, &d) == 0 && fstat(fd, &st) == 0 && st.st_gid == 1);
	}
	evs_io_close(fd);
	evs_io_close(to);
	T_CHECK(unlink(file) == 0 && unlink(other) == 0);
}

int main(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(dir, sizeof(dir), "%s/evseg-io-XXXXXX", base);
	if (!mkdtemp(dir))
		abort();
	at(file, sizeof(file), "file");
	test_unnamed();
	test_transfers();
	test_locks();
	test_names();
	test_whole_files();
	test_lists();
	test_long_list();
	test_like();
	T_CHECK(rmdir(dir) == 0);
	return t_done();
}
