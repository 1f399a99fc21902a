/*
 * The operating system, in one file. See io.h.
 *
 * F_OFD_SETLK (POSIX.1-2024) is what lets a reader ask whether a writer is at work without taking a
 * lock itself; glibc hides it behind _GNU_SOURCE.
 */
#define _GNU_SOURCE
#include "src/store/io.h"

#include "src/diag.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_PAUSE 20000000 /* ns between two attempts to get a lock */

/* A call that a signal interrupted is made again, whichever it was: network and user-space file
 * systems interrupt any of them. */
static bool again(long result)
{
	return result < 0 && errno == EINTR;
}

static int open_retry(const char *path, int flags, int *fd)
{
	do
		*fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0666);
	while (again(*fd));
	return *fd < 0 ? errno : 0;
}

int evs_io_open_read(int *fd, const char *path, struct evs_diag *diag)
{
	int err = open_retry(path, O_RDONLY, fd);

	return err ? evs_fail_sys(diag, err, path, "cannot open") : 0;
}

int evs_io_open_write(int *fd, const char *path, bool create, struct evs_diag *diag)
{
	int err = open_retry(path, O_RDWR | (create ? O_CREAT : 0), fd);

	return err ? evs_fail_sys(diag, err, path, "cannot open for writing") : 0;
}

int evs_io_open_append(int *fd, const char *path, struct evs_diag *diag)
{
	int err = open_retry(path, O_RDWR | O_CREAT | O_APPEND, fd);

	return err ? evs_fail_sys(diag, err, path, "cannot open for writing") : 0;
}

int evs_io_open_unnamed(int *fd, const char *dir, struct evs_diag *diag)
{
	char name[1024];
	int n, err;

	err = open_retry(dir, O_RDWR | O_TMPFILE, fd);
	if (!err)
		return 0;

	/* Not every file system knows O_TMPFILE. */
	n = snprintf(name, sizeof(name), "%s/.spool-XXXXXX", dir);
	if ((size_t)n >= sizeof(name))
		return evs_fail_sys(diag, ENAMETOOLONG, dir, "cannot make a temporary file");
	do
		*fd = mkstemp(name);
	while (again(*fd));
	if (*fd < 0)
		return evs_fail_sys(diag, errno, dir, "cannot make a temporary file");
	(void)fcntl(*fd, F_SETFD, FD_CLOEXEC);
	(void)unlink(name);
	return 0;
}

int evs_io_open_scratch(int *fd, struct evs_diag *diag)
{
	const char *dir = getenv("TMPDIR");

	return evs_io_open_unnamed(fd, dir && *dir ? dir : "/tmp", diag);
}

void evs_io_close(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

int evs_io_dup(int fd)
{
	int to;

	do
		to = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	while (again(to));
	return to;
}

static void fill_stat(struct evs_io_stat *out, const struct stat *st)
{
	out->dev = (uint64_t)st->st_dev;
	out->ino = (uint64_t)st->st_ino;
	out->size = (uint64_t)st->st_size;
	out->mtime = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
	out->is_dir = S_ISDIR(st->st_mode);
	out->is_file = S_ISREG(st->st_mode);
	out->mode = st->st_mode & 0777;
	out->uid = st->st_uid;
	out->gid = st->st_gid;
}

int evs_io_fstat(int fd, const char *path, struct evs_io_stat *out, struct evs_diag *diag)
{
	struct stat st;
	int r;

	do
		r = fstat(fd, &st);
	while (again(r));
	if (r < 0)
		return evs_fail_sys(diag, errno, path, "cannot stat");
	fill_stat(out, &st);
	return 0;
}

int evs_io_stat(const char *path, struct evs_io_stat *out, struct evs_diag *diag)
{
	struct stat st;
	int r;

	do
		r = stat(path, &st);
	while (again(r));
	if (r < 0)
		return errno == ENOENT ? 1 : evs_fail_sys(diag, errno, path, "cannot stat");
	fill_stat(out, &st);
	return 0;
}

int evs_io_pread_some(int fd, void *buf, size_t n, uint64_t off, size_t *got, const char *path,
		      struct evs_diag *diag)
{
	*got = 0;
	while (*got < n) {
		ssize_t r = pread(fd, (char *)buf + *got, n - *got, (off_t)(off + *got));

		if (r < 0) {
			if (errno == EINTR)
				continue;
			return evs_fail_sys(diag, errno, path, "cannot read");
		}
		if (r == 0)
			break;
		*got += (size_t)r;
	}
	return 0;
}

int evs_io_pread(int fd, void *buf, size_t n, uint64_t off, const char *path, struct evs_diag *diag)
{
	size_t got;
	int rc = evs_io_pread_some(fd, buf, n, off, &got, path, diag);

	if (rc < 0)
		return rc;
	return got == n ? 0
			: evs_fail_off(diag, EVS_E_FORMAT, path, off, "the file ends too early");
}

int evs_io_pwrite(int fd, const void *buf, size_t n, uint64_t off, const char *path,
		  struct evs_diag *diag)
{
	size_t done = 0;

	while (done < n) {
		ssize_t w = pwrite(fd, (const char *)buf + done, n - done, (off_t)(off + done));

		if (w < 0) {
			if (errno == EINTR)
				continue;
			return evs_fail_sys(diag, errno, path, "cannot write");
		}
		if (w == 0)
			return evs_fail_sys(diag, EIO, path, "cannot write");
		done += (size_t)w;
	}
	return 0;
}

int evs_io_write(int fd, const void *buf, size_t n, const char *path, struct evs_diag *diag)
{
	size_t done = 0;

	while (done < n) {
		ssize_t w = write(fd, (const char *)buf + done, n - done);

		if (w < 0) {
			if (errno == EINTR)
				continue;
			return evs_fail_sys(diag, errno, path, "cannot write");
		}
		if (w == 0)
			return evs_fail_sys(diag, EIO, path, "cannot write");
		done += (size_t)w;
	}
	return 0;
}

int evs_io_like(int fd, const char *path, struct evs_diag *diag)
{
	struct evs_io_stat like, st;
	int r = evs_io_stat(path, &like, diag);

	if (r != 0)
		return r < 0 ? r : 0;
	r = evs_io_fstat(fd, path, &st, diag);
	if (r < 0)
		return r;
	/* Only root gives files away; without it the group may still be one of ours. */
	if ((st.uid != like.uid || st.gid != like.gid) && fchown(fd, like.uid, like.gid) < 0)
		(void)!fchown(fd, (uid_t)-1, like.gid);
	if (st.mode == like.mode)
		return 0;
	do
		r = fchmod(fd, like.mode);
	while (again(r));
	return r < 0 ? evs_fail_sys(diag, errno, path, "cannot make a file with the mode of") : 0;
}

int evs_io_truncate(int fd, uint64_t size, const char *path, struct evs_diag *diag)
{
	int r;

	do
		r = ftruncate(fd, (off_t)size);
	while (again(r));
	return r < 0 ? evs_fail_sys(diag, errno, path, "cannot truncate") : 0;
}

/* Not retried: after a failed sync nobody knows what the kernel still holds, so the caller must
 * give up. */
int evs_io_sync(int fd, const char *path, struct evs_diag *diag)
{
	int r;

	do
		r = fdatasync(fd);
	while (again(r));
	return r < 0 ? evs_fail_sys(diag, errno, path, "cannot sync") : 0;
}

int evs_io_sync_dir(const char *dir, struct evs_diag *diag)
{
	int fd, r;
	int err = open_retry(dir, O_RDONLY | O_DIRECTORY, &fd);

	if (err)
		return evs_fail_sys(diag, err, dir, "cannot open the folder to sync it");
	do
		r = fsync(fd);
	while (again(r));
	err = r < 0 ? errno : 0;
	(void)close(fd);
	/* Some file systems cannot sync folders and say EINVAL: there is nothing more to do there.
	 */
	return err && err != EINVAL ? evs_fail_sys(diag, err, dir, "cannot sync the folder") : 0;
}

/* The folder part of `path`, "." when it has none. */
static int dir_of(char *dir, size_t cap, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	if (slash && n == 0)
		n = 1;
	if (n + 2 > cap)
		return -1;
	if (!slash) {
		dir[n++] = '.';
	} else {
		memcpy(dir, path, n);
	}
	dir[n] = '\0';
	return 0;
}

int evs_io_sync_parent(const char *path, struct evs_diag *diag)
{
	char dir[1100];

	if (dir_of(dir, sizeof(dir), path) < 0)
		return evs_fail_sys(diag, ENAMETOOLONG, path, "cannot sync the folder of");
	return evs_io_sync_dir(dir, diag);
}

int evs_io_rename(const char *from, const char *to, struct evs_diag *diag)
{
	int r;

	do
		r = rename(from, to);
	while (again(r));
	return r < 0 ? evs_fail_sys(diag, errno, to, "cannot rename to") : 0;
}

int evs_io_unlink(const char *path, struct evs_diag *diag)
{
	int r;

	do
		r = unlink(path);
	while (again(r));
	return r < 0 && errno != ENOENT ? evs_fail_sys(diag, errno, path, "cannot remove") : 0;
}

int evs_io_mkdir(const char *path, struct evs_diag *diag)
{
	int r;

	do
		r = mkdir(path, 0777);
	while (again(r));
	if (r == 0)
		return 1;
	return errno == EEXIST ? 0 : evs_fail_sys(diag, errno, path, "cannot make the folder");
}

int evs_io_rmdir(const char *path, struct evs_diag *diag)
{
	int r;

	do
		r = rmdir(path);
	while (again(r));
	if (r == 0 || errno == ENOENT)
		return 0;
	return errno == ENOTEMPTY || errno == EEXIST
		       ? 1
		       : evs_fail_sys(diag, errno, path, "cannot remove the folder");
}

static void pause_ns(long ns)
{
	(void)nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

/* Nothing but asking again can both wait for a lock and hear, in whichever thread, that it should
 * not. */
static bool give_up(const struct evs_wait *how, long *pause)
{
	if (how->never || how->stop(how->arg)) /* one of them, or nobody asks */
		return true;
	pause_ns(*pause);
	*pause = 2 * *pause < LONGEST_PAUSE ? 2 * *pause : LONGEST_PAUSE;
	return false;
}

static int lock(int fd, short type, const struct evs_wait *how, const char *path,
		struct evs_diag *diag)
{
	struct flock fl = { .l_type = type, .l_whence = SEEK_SET };
	bool ask = how && (how->never || how->stop);
	long pause = LONGEST_PAUSE / 100;

	while (fcntl(fd, ask ? F_OFD_SETLK : F_OFD_SETLKW, &fl) < 0) {
		if (errno == EINTR)
			continue;
		if (!ask || (errno != EAGAIN && errno != EACCES))
			return evs_fail_sys(diag, errno, path, "cannot lock");
		if (give_up(how, &pause))
			return evs_fail_path(
				diag, EVS_E_LOCKED, path,
				how->never ? "another writer holds the lock"
					   : "stopped while another writer held the lock");
	}
	return 0;
}

int evs_io_lock(int fd, const struct evs_wait *how, const char *path, struct evs_diag *diag)
{
	return lock(fd, F_WRLCK, how, path, diag);
}

int evs_io_lock_shared(int fd, const struct evs_wait *how, const char *path, struct evs_diag *diag)
{
	return lock(fd, F_RDLCK, how, path, diag);
}

bool evs_io_is_locked(int fd)
{
	struct flock fl = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	int r;

	do
		r = fcntl(fd, F_OFD_GETLK, &fl);
	while (again(r));
	return r == 0 && fl.l_type != F_UNLCK;
}

int evs_io_read_file(const char *path, size_t max, char **text, size_t *len, struct evs_diag *diag)
{
	struct evs_io_stat st = { 0 };
	char *p = NULL;
	int fd = -1, rc, err;

	err = open_retry(path, O_RDONLY, &fd);
	if (err == ENOENT)
		return 1;
	if (err)
		return evs_fail_sys(diag, err, path, "cannot open");
	rc = evs_io_fstat(fd, path, &st, diag);
	if (rc < 0)
		goto out;
	if (st.size > max) {
		rc = evs_fail_off(diag, EVS_E_LIMIT, path, st.size, "the file is too large");
		goto out;
	}
	p = malloc((size_t)st.size + 1);
	if (!p) {
		rc = evs_fail_nomem(diag);
		goto out;
	}
	rc = evs_io_pread_some(fd, p, (size_t)st.size, 0, len, path, diag);
	if (rc < 0)
		goto out;
	p[*len] = '\0';
	*text = p;
	p = NULL;
out:
	free(p);
	evs_io_close(fd);
	return rc;
}

int evs_io_write_file(const char *path, const void *text, size_t len, struct evs_diag *diag)
{
	char tmp[1100];
	int fd = -1, rc;
	int n = snprintf(tmp, sizeof(tmp), "%s.tmp", path);

	if ((size_t)n >= sizeof(tmp))
		return evs_fail_sys(diag, ENAMETOOLONG, path, "cannot write");
	rc = evs_io_open_write(&fd, tmp, true, diag);
	if (rc < 0)
		return rc;
	rc = evs_io_truncate(fd, 0, tmp, diag);
	if (rc == 0)
		rc = evs_io_like(fd, path, diag);
	if (rc == 0)
		rc = evs_io_pwrite(fd, text, len, 0, tmp, diag);
	if (rc == 0)
		rc = evs_io_sync(fd, tmp, diag);
	evs_io_close(fd);
	if (rc == 0)
		rc = evs_io_rename(tmp, path, diag);
	if (rc < 0) {
		(void)evs_io_unlink(tmp, NULL);
		return rc;
	}
	return evs_io_sync_parent(path, diag);
}

int evs_io_realpath(const char *path, char **out, struct evs_diag *diag)
{
	do
		*out = realpath(path, NULL);
	while (!*out && errno == EINTR);
	return *out ? 0 : evs_fail_sys(diag, errno, path, "cannot resolve");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct evs_io_entry *)a)->name,
		      ((const struct evs_io_entry *)b)->name);
}

void evs_io_list_free(struct evs_io_entry *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(e[i].name);
	free(e);
}

/* What a symbolic link leads to counts. Returns -1 with errno when that cannot be told. */
static int entry_is_dir(int dirfd_, const struct dirent *de, bool *is_dir)
{
	struct stat st;
	int r;

	*is_dir = de->d_type == DT_DIR;
	if (de->d_type != DT_UNKNOWN && de->d_type != DT_LNK)
		return 0;
	do
		r = fstatat(dirfd_, de->d_name, &st, 0);
	while (again(r));
	*is_dir = r == 0 && S_ISDIR(st.st_mode);
	return r < 0 && errno != ENOENT && errno != ELOOP ? -1 : 0;
}

static int list_grow(struct evs_io_entry **list, size_t n, size_t *cap)
{
	struct evs_io_entry *grown;

	if (n < *cap)
		return 0;
	*cap = *cap ? *cap * 2 : 64;
	grown = realloc(*list, *cap * sizeof(**list));
	if (!grown)
		return EVS_E_NOMEM;
	*list = grown;
	return 0;
}

static DIR *opendir_retry(const char *dir)
{
	DIR *d;

	do
		d = opendir(dir);
	while (!d && errno == EINTR);
	return d;
}

/* The next entry but "." and "..", or NULL with errno, which is 0 at the end. */
static struct dirent *next_entry(DIR *d)
{
	struct dirent *de;

	do {
		errno = 0;
		de = readdir(d);
	} while (de ? !strcmp(de->d_name, ".") || !strcmp(de->d_name, "..") : errno == EINTR);
	return de;
}

int evs_io_list(const char *dir, struct evs_io_entry **out, size_t *n, struct evs_diag *diag)
{
	struct evs_io_entry *list = NULL;
	struct dirent *de;
	size_t cap = 0, len = 0;
	DIR *d = opendir_retry(dir);
	int rc = 0;

	if (!d)
		return evs_fail_sys(diag, errno, dir, "cannot open the folder");
	while ((de = next_entry(d))) {
		if (list_grow(&list, len, &cap) < 0 || !(list[len].name = strdup(de->d_name))) {
			rc = evs_fail_nomem(diag);
			goto out;
		}
		if (entry_is_dir(dirfd(d), de, &list[len++].is_dir) < 0)
			break;
	}
	if (errno) {
		rc = evs_fail_sys(diag, errno, dir, "cannot read the folder");
		goto out;
	}
	if (len)
		qsort(list, len, sizeof(*list), by_name);
	*out = list;
	*n = len;
	list = NULL;
out:
	if (list)
		evs_io_list_free(list, len);
	(void)closedir(d);
	return rc;
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t evs_io_now(void)
{
	return clock_ns(CLOCK_REALTIME);
}

int64_t evs_io_monotonic(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int evs_io_random(void *buf, size_t n, struct evs_diag *diag)
{
	return getentropy(buf, n) < 0 ? evs_fail_sys(diag, errno, NULL, "no random bytes") : 0;
}
