/*
 * Makes memory and system calls fail inside the test itself, the Nth one or all from the Nth on.
 *
 * The Makefile links a test with ld's --wrap for each __wrap_ function it has, so that every call
 * of the library comes by here. Calls are counted between fail_begin() and fail_end(); a
 * loop over N that ends when nothing failed any more has tried every place there is.
 */
#ifndef EVS_TESTS_FAIL_H
#define EVS_TESTS_FAIL_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <xxhash.h>
#include <zstd.h>

enum fail_action {
	FAIL_ERROR, /* with the errno */
	FAIL_SHORT, /* half of the bytes are transferred */
	FAIL_ZERO,  /* none are */
	FAIL_MOVED, /* stat(), fstat(): the file is on another device */
};

static struct {
	const char *call;	 /* "memory", a system call's name, or "any stat" */
	long at;		 /* from 1; 0: none fails */
	bool on;		 /* from there on, all of them */
	int error;		 /* errno */
	int action;		 /* enum fail_action */
	void *const *fixed;	 /* memory: only this piece cannot grow, each time */
	bool no_types;		 /* readdir() does not tell what kind of file it is */
	bool no_tmpfile;	 /* open() makes no file without a name */
	void (*meanwhile)(void); /* it does not fail: another process does this right before it */
	atomic_long count;
	atomic_bool hit;
} fail;

static inline void fail_begin(const char *call, long at, int error)
{
	fail.call = call;
	fail.error = error;
	fail.count = 0;
	fail.hit = false;
	fail.at = at;
}

/* Calls work again. Did any fail? */
static inline bool fail_end(void)
{
	fail.at = 0;
	fail.on = false;
	fail.action = FAIL_ERROR;
	fail.fixed = NULL;
	fail.meanwhile = NULL;
	return fail.hit;
}

static inline bool fail_turn(const char *call)
{
	bool stats = !strcmp(call, "stat") || !strcmp(call, "fstat");
	long n;

	if (!fail.at || fail.fixed)
		return false;
	if (strcmp(call, fail.call) != 0 && !(stats && !strcmp(fail.call, "any stat")))
		return false;
	n = ++fail.count;
	if (n != fail.at && !(fail.on && n > fail.at))
		return false;
	fail.hit = true;
	if (fail.meanwhile) {
		void (*other)(void) = fail.meanwhile;

		fail.meanwhile = NULL;
		fail.at = 0;
		other();
		return false;
	}
	return true;
}

static inline bool fail_now(const char *call)
{
	if (!fail_turn(call))
		return false;
	errno = fail.error;
	return true;
}

/* --- memory; strdup() and zstd's contexts are called from the library, but allocate elsewhere - */

#define FAIL_MEMORY(ret, name, params, args, failed)                                               \
	ret __real_##name params;                                                                  \
	ret __wrap_##name params;                                                                  \
	ret __wrap_##name params                                                                   \
	{                                                                                          \
		return fail_now("memory") ? (failed) : __real_##name args;                         \
	}

FAIL_MEMORY(void *, malloc, (size_t n), (n), NULL)
FAIL_MEMORY(void *, calloc, (size_t n, size_t size), (n, size), NULL)
FAIL_MEMORY(char *, strdup, (const char *s), (s), NULL)
FAIL_MEMORY(char *, realpath, (const char *path, char *to), (path, to), NULL)
FAIL_MEMORY(XXH3_state_t *, XXH3_createState, (void), (), NULL)
FAIL_MEMORY(ZSTD_CCtx *, ZSTD_createCCtx, (void), (), NULL)
FAIL_MEMORY(ZSTD_DCtx *, ZSTD_createDCtx, (void), (), NULL)
FAIL_MEMORY(size_t, ZSTD_CCtx_setParameter, (ZSTD_CCtx * z, ZSTD_cParameter p, int v), (z, p, v),
	    (size_t)-64)
FAIL_MEMORY(size_t, ZSTD_CCtx_refPrefix, (ZSTD_CCtx * z, const void *p, size_t n), (z, p, n),
	    (size_t)-64)
FAIL_MEMORY(size_t, ZSTD_DCtx_refPrefix, (ZSTD_DCtx * z, const void *p, size_t n), (z, p, n),
	    (size_t)-64)
FAIL_MEMORY(size_t, ZSTD_compress2,
	    (ZSTD_CCtx * z, void *to, size_t cap, const void *from, size_t n),
	    (z, to, cap, from, n), (size_t)-64)
FAIL_MEMORY(size_t, ZSTD_compressCCtx,
	    (ZSTD_CCtx * z, void *to, size_t cap, const void *from, size_t n, int level),
	    (z, to, cap, from, n, level), (size_t)-64)
FAIL_MEMORY(size_t, ZSTD_compress, (void *to, size_t cap, const void *from, size_t n, int level),
	    (to, cap, from, n, level), (size_t)-64)

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n)
{
	if (fail.at && fail.fixed && p && p == *fail.fixed) {
		fail.hit = true;
		return NULL;
	}
	return fail_now("memory") ? NULL : __real_realloc(p, n);
}

/* --- system calls --- */

#define FAIL_CALL(ret, name, params, args, failed)                                                 \
	ret __real_##name params;                                                                  \
	ret __wrap_##name params;                                                                  \
	ret __wrap_##name params                                                                   \
	{                                                                                          \
		return fail_now(#name) ? (failed) : __real_##name args;                            \
	}

/* What is synced matters after a power cut only, and takes most of the time. */
#define FAIL_SYNC(name)                                                                            \
	int __wrap_##name(int fd);                                                                 \
	int __wrap_##name(int fd)                                                                  \
	{                                                                                          \
		(void)fd;                                                                          \
		return fail_now(#name) ? -1 : 0;                                                   \
	}

FAIL_SYNC(fdatasync)
FAIL_SYNC(fsync)
FAIL_CALL(int, ftruncate, (int fd, off_t n), (fd, n), -1)
FAIL_CALL(int, rename, (const char *from, const char *to), (from, to), -1)
FAIL_CALL(int, unlink, (const char *path), (path), -1)
FAIL_CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
FAIL_CALL(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
FAIL_CALL(int, fchown, (int fd, uid_t uid, gid_t gid), (fd, uid, gid), -1)
FAIL_CALL(int, rmdir, (const char *path), (path), -1)
FAIL_CALL(int, mkstemp, (char *name), (name), -1)
FAIL_CALL(int, getentropy, (void *p, size_t n), (p, n), -1)
FAIL_CALL(int, fstatat, (int fd, const char *path, struct stat *st, int flags),
	  (fd, path, st, flags), -1)

#define FAIL_STAT(name, params, args)                                                              \
	int __real_##name params;                                                                  \
	int __wrap_##name params;                                                                  \
	int __wrap_##name params                                                                   \
	{                                                                                          \
		bool now = fail_now(#name), moved = fail.action == FAIL_MOVED;                     \
		int r = now && !moved ? -1 : __real_##name args;                                   \
                                                                                                   \
		if (now && moved && r == 0)                                                        \
			st->st_dev++;                                                              \
		return r;                                                                          \
	}

FAIL_STAT(fstat, (int fd, struct stat *st), (fd, st))
FAIL_STAT(stat, (const char *path, struct stat *st), (path, st))
FAIL_CALL(DIR *, opendir, (const char *path), (path), NULL)

struct dirent *__real_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d);
struct dirent *__wrap_readdir(DIR *d)
{
	struct dirent *e = fail_now("readdir") ? NULL : __real_readdir(d);

	if (e && fail.no_types)
		e->d_type = 0; /* DT_UNKNOWN */
	return e;
}

FAIL_CALL(int, pthread_create,
	  (pthread_t * t, const pthread_attr_t *a, void *(*run)(void *), void *arg),
	  (t, a, run, arg), EAGAIN)
FAIL_CALL(int, pthread_attr_init, (pthread_attr_t * a), (a), ENOMEM)
FAIL_CALL(int, pthread_attr_setstacksize, (pthread_attr_t * a, size_t n), (a, n), EINVAL)
FAIL_CALL(int, pthread_mutex_init, (pthread_mutex_t * m, const pthread_mutexattr_t *a), (m, a),
	  EAGAIN)
FAIL_CALL(int, pthread_cond_init, (pthread_cond_t * c, const pthread_condattr_t *a), (c, a), EAGAIN)

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	if (fail.no_tmpfile && (flags & __O_TMPFILE)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return fail_now("open") ? -1 : __real_open(path, flags, mode);
}

int __real_fcntl(int fd, int what, ...);
int __wrap_fcntl(int fd, int what, ...);
int __wrap_fcntl(int fd, int what, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, what);
	arg = va_arg(ap, void *);
	va_end(ap);
	return fail_now("fcntl") ? -1 : __real_fcntl(fd, what, arg);
}

/* How many bytes of a transfer are really made; -1: it fails. */
static inline ssize_t fail_transfer(const char *call, size_t n)
{
	if (!fail_turn(call))
		return (ssize_t)n;
	errno = fail.error;
	return fail.action == FAIL_ERROR ? -1 : fail.action == FAIL_ZERO ? 0 : (ssize_t)(n / 2);
}

#define FAIL_TRANSFER(name, params, args)                                                          \
	ssize_t __real_##name params;                                                              \
	ssize_t __wrap_##name params;                                                              \
	ssize_t __wrap_##name params                                                               \
	{                                                                                          \
		ssize_t some = fail_transfer(#name, n);                                            \
                                                                                                   \
		n = some < 0 ? 0 : (size_t)some;                                                   \
		return some < 0 ? -1 : __real_##name args;                                         \
	}

FAIL_TRANSFER(pread, (int fd, void *p, size_t n, off_t off), (fd, p, n, off))
FAIL_TRANSFER(pwrite, (int fd, const void *p, size_t n, off_t off), (fd, p, n, off))
FAIL_TRANSFER(write, (int fd, const void *p, size_t n), (fd, p, n))
FAIL_TRANSFER(read, (int fd, void *p, size_t n), (fd, p, n))

#endif
