/*
 * Loaded in front of the C library (LD_PRELOAD): the Nth call of one kind fails, is cut short, or is the process's last.
 *
 *   FAULT_CALL   pwrite write fdatasync fsync rename ftruncate open mkdir pread malloc
 *   FAULT_AT     number of the call, from 1; 0: every one
 *   FAULT_DO     an errno; -1: half of the bytes; -2: kill before the call; -3: kill after it; -4: EINTR, once
 *   FAULT_FILE   is made when it happened
 *
 * Standard input, output and error are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DO_HALF = -1, DO_KILL_BEFORE = -2, DO_KILL_AFTER = -3, DO_EINTR = -4 };

static const char *call;
static long at, action;
static atomic_long count;
static atomic_int interrupted;

static void __attribute__((constructor)) begin(void)
{
	const char *n = getenv("FAULT_AT"), *what = getenv("FAULT_DO");

	call = getenv("FAULT_CALL");
	at = n ? atol(n) : 0;
	action = what ? atol(what) : 0;
}

static void happened(void)
{
	const char *file = getenv("FAULT_FILE");

	if (file)
		(void)syscall(SYS_close, syscall(SYS_open, file, O_CREAT | O_WRONLY, 0666));
}

/* Is it this call's turn? */
static int hit(const char *name)
{
	if (!call || strcmp(call, name) != 0)
		return 0;
	if (at && atomic_fetch_add(&count, 1) + 1 != at)
		return 0;
	if (action == DO_EINTR && atomic_fetch_xor(&interrupted, 1))
		return 0;
	happened();
	if (action == DO_KILL_BEFORE)
		(void)raise(SIGKILL);
	return 1;
}

/* After a real call: the process may end here. Otherwise 1 when the call is to fail, with errno set. */
static int fails(int h)
{
	if (!h || action == DO_HALF || action == DO_KILL_AFTER)
		return 0;
	errno = action == DO_EINTR ? EINTR : (int)action;
	return 1;
}

static void done(int h)
{
	if (h && action == DO_KILL_AFTER)
		(void)raise(SIGKILL);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define CALL(ret, name, params, args)               \
	ret name params                             \
	{                                           \
		static __typeof__(&name) real;      \
		int h = hit(#name);                 \
		ret r;                              \
		if (!real)                          \
			real = REAL(name);          \
		if (fails(h))                       \
			return -1;                  \
		r = real args;                      \
		done(h);                            \
		return r;                           \
	}

CALL(int, fdatasync, (int fd), (fd))
CALL(int, fsync, (int fd), (fd))
CALL(int, rename, (const char *a, const char *b), (a, b))
CALL(int, ftruncate, (int fd, off_t n), (fd, n))
CALL(int, mkdir, (const char *p, mode_t m), (p, m))

#define TRANSFER(name, params, args, fd, n)                             \
	ssize_t name params                                             \
	{                                                               \
		static __typeof__(&name) real;                          \
		int h = (fd) > 2 ? hit(#name) : 0;                      \
		ssize_t r;                                              \
		if (!real)                                              \
			real = REAL(name);                              \
		if (fails(h))                                           \
			return -1;                                      \
		if (h && (action == DO_HALF || action == DO_KILL_AFTER)) \
			(n) = (n) > 1 ? (n) / 2 : (n);                  \
		r = real args;                                          \
		done(h);                                                \
		return r;                                               \
	}

TRANSFER(pwrite, (int fd, const void *p, size_t n, off_t o), (fd, p, n, o), fd, n)
TRANSFER(write, (int fd, const void *p, size_t n), (fd, p, n), fd, n)
TRANSFER(pread, (int fd, void *p, size_t n, off_t o), (fd, p, n, o), fd, n)

int open(const char *path, int flags, ...)
{
	static int (*real)(const char *, int, ...);
	int h = hit("open"), fd;
	va_list ap;

	va_start(ap, flags);
	if (!real)
		real = dlsym(RTLD_NEXT, "open");
	if (fails(h))
		fd = -1;
	else
		fd = real(path, flags, va_arg(ap, mode_t));
	va_end(ap);
	done(h);
	return fd;
}

/* dlsym() may allocate, so glibc's own names are called. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

void *malloc(size_t n)
{
	return fails(hit("malloc")) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails(hit("malloc")) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails(hit("malloc")) ? NULL : __libc_realloc(p, n);
}
