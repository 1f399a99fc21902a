/*
 * Loaded in front of the C library (LD_PRELOAD): the Nth call of one kind fails, is cut short,
 * lies, or is the process's last. Counting begins with main() and ends with it; forked children
 * count too, programs they exec do not.
 *
 *   FAULT_CALL   kind, a name of KINDS; unset: count only
 *   FAULT_AT     number of the call, from 1
 *   FAULT_EVER   set: every call from that one on
 *   FAULT_DO     an errno, or a name of `actions`
 *   FAULT_BOARD  file of PAGE bytes in which calls and faults are counted, by kind
 *
 * Random bytes come from a counter, so that the same run gives the same files. Standard output and
 * error are a kind of their own, "stdout": a program that cannot speak tells a test nothing.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096 };

/* clang-format off */
#define KINDS(X)                                                                                \
	X(malloc) X(open) X(close) X(read) X(pread) X(write) X(pwrite) X(stdout)                \
	X(stat) X(fstat) X(fstatat) X(lseek) X(fsync) X(fdatasync) X(ftruncate)                 \
	X(rename) X(unlink) X(mkdir) X(rmdir) X(mkstemp) X(realpath) X(opendir) X(readdir)    \
	X(fchmod) X(fchown)                                                                     \
	X(setlk) X(getlk) X(dupfd) X(fcntl) X(dup2) X(pipe) X(fork) X(execlp) X(waitpid)        \
	X(poll) X(nanosleep) X(pthread_create) X(random) X(realtime) X(monotonic)
/* clang-format on */

#define K_(name) K_##name,
enum kind { KINDS(K_) NKINDS };
#undef K_

/* What FAULT_DO may be but an errno. */
enum action {
	HALF = -1,	  /* half of the bytes */
	KILL_BEFORE = -2, /* SIGKILL */
	KILL_AFTER = -3,
	EACH = -4, /* EINTR at every second call: each is interrupted once */
	BACK = -5, /* the clock, ten years */
	AHEAD = -6,
	TO_AND_FRO = -7 /* the two in turns */
};

static const struct {
	const char *name;
	enum action action;
} actions[] = { { "half", HALF },
		{ "kill-before", KILL_BEFORE },
		{ "kill-after", KILL_AFTER },
		{ "each", EACH },
		{ "back", BACK },
		{ "ahead", AHEAD },
		{ "to-and-fro", TO_AND_FRO } };

/* Shared with the test and with forked children. */
struct board {
	atomic_ulong random;
	long ended; /* main() returned */
	long kept;  /* and so many pieces of memory had not been given back */
	struct {
		char name[24];
		atomic_long calls, faults;
	} kind[NKINDS];
};
_Static_assert(sizeof(struct board) <= PAGE, "one page");

static const char *const names[] = {
#define NAME_(name) #name,
	KINDS(NAME_)
#undef NAME_
};

static struct board *board;
static atomic_long kept; /* a forked child has its own */
static atomic_int armed;
static int kind = -1;
static long at, action, ever;

static void read_plan(void)
{
	const char *call = getenv("FAULT_CALL"), *n = getenv("FAULT_AT"),
		   *what = getenv("FAULT_DO");

	for (int i = 0; call && i < NKINDS; i++)
		if (!strcmp(call, names[i]))
			kind = i;
	at = n ? atol(n) : 1;
	ever = getenv("FAULT_EVER") != NULL;
	action = what ? atol(what) : 0;
	for (size_t i = 0; what && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (!strcmp(what, actions[i].name))
			action = actions[i].action;
	unsetenv("LD_PRELOAD");
}

static void begin(void)
{
	const char *path = getenv("FAULT_BOARD");
	int fd = path ? (int)syscall(SYS_open, path, O_RDWR | O_CLOEXEC) : -1;
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return;
	syscall(SYS_close, fd);
	board = p;
	for (int i = 0; i < NKINDS; i++)
		memcpy(board->kind[i].name, names[i], strlen(names[i]) + 1);
	read_plan();
	armed = 1;
}

/* Is it this call's turn? Then it is counted as a fault. */
static int hit(int k)
{
	long n;

	if (!armed)
		return 0;
	n = atomic_fetch_add(&board->kind[k].calls, 1) + 1;
	if (k != kind || n < at || (n > at && !ever))
		return 0;
	if (action == EACH && (n - at) % 2)
		return 0;
	atomic_fetch_add(&board->kind[k].faults, 1);
	if (action == KILL_BEFORE)
		(void)raise(SIGKILL);
	return 1;
}

/* Before a real call: 1 when there is to be none, errno then says why. */
static int fails(int h)
{
	if (!h || action == HALF || action == KILL_AFTER)
		return 0;
	errno = action == EACH ? EINTR : (int)action;
	return 1;
}

static void done(int h)
{
	int kept = errno;

	if (h && action == KILL_AFTER)
		(void)raise(SIGKILL);
	errno = kept;
}

/* ---- from main() to its end ------------------------------------------------------------------ */

static int (*real_main)(int, char **, char **);

static int armed_main(int argc, char **argv, char **envp)
{
	int status;

	begin();
	status = real_main(argc, argv, envp);
	armed = 0;
	if (board) {
		board->kept = kept;
		board->ended = 1;
	}
	return status;
}

int __libc_start_main(int (*m)(int, char **, char **), int argc, char **argv, void (*init)(void),
		      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	__typeof__(&__libc_start_main) real = dlsym(RTLD_NEXT, "__libc_start_main");

	real_main = m;
	return real(armed_main, argc, argv, init, fini, rtld_fini, stack_end);
}

void exit(int status)
{
	void (*real)(int) __attribute__((noreturn)) = dlsym(RTLD_NEXT, "exit");

	armed = 0;
	real(status);
}

/* ---- calls ----------------------------------------------------------------------------------- */

#define CALL_KIND(k, ret, bad, name, params, args)                                                 \
	ret name params                                                                            \
	{                                                                                          \
		static __typeof__(&name) real;                                                     \
		int h = hit(k);                                                                    \
		ret r;                                                                             \
		if (!real)                                                                         \
			real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                         \
		if (fails(h))                                                                      \
			return bad;                                                                \
		r = real args;                                                                     \
		done(h);                                                                           \
		return r;                                                                          \
	}
#define CALL(ret, bad, name, params, args) CALL_KIND(K_##name, ret, bad, name, params, args)

CALL(int, -1, stat, (const char *restrict p, struct stat *restrict st), (p, st))
CALL(int, -1, fstat, (int fd, struct stat *st), (fd, st))
CALL(int, -1, fstatat, (int d, const char *restrict p, struct stat *restrict st, int f),
     (d, p, st, f))
CALL(off_t, -1, lseek, (int fd, off_t n, int w), (fd, n, w))
CALL(int, -1, fsync, (int fd), (fd))
CALL(int, -1, fdatasync, (int fd), (fd))
CALL(int, -1, ftruncate, (int fd, off_t n), (fd, n))
CALL(int, -1, rename, (const char *a, const char *b), (a, b))
CALL(int, -1, fchmod, (int fd, mode_t m), (fd, m))
CALL(int, -1, fchown, (int fd, uid_t u, gid_t g), (fd, u, g))
CALL(int, -1, unlink, (const char *p), (p))
CALL(int, -1, rmdir, (const char *p), (p))
CALL(int, -1, mkdir, (const char *p, mode_t m), (p, m))
CALL(int, -1, mkstemp, (char *p), (p))
CALL(char *, NULL, realpath, (const char *restrict p, char *restrict out), (p, out))
CALL(DIR *, NULL, opendir, (const char *p), (p))
CALL(struct dirent *, NULL, readdir, (DIR * d), (d))
CALL(int, -1, dup2, (int a, int b), (a, b))
CALL(int, -1, pipe, (int ends[2]), (ends))
CALL(pid_t, -1, fork, (void), ())
CALL(pid_t, -1, waitpid, (pid_t p, int *s, int o), (p, s, o))
CALL(int, -1, poll, (struct pollfd * p, nfds_t n, int ms), (p, n, ms))
CALL(int, -1, nanosleep, (const struct timespec *t, struct timespec *left), (t, left))
CALL(int, errno, pthread_create,
     (pthread_t *restrict t, const pthread_attr_t *restrict a, void *(*f)(void *),
      void *restrict arg),
     (t, a, f, arg))

#define TRANSFER(k, name, params, args, n)                                                         \
	ssize_t name params                                                                        \
	{                                                                                          \
		static __typeof__(&name) real;                                                     \
		int h = hit(k);                                                                    \
		ssize_t r;                                                                         \
		if (!real)                                                                         \
			real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);                         \
		if (fails(h))                                                                      \
			return -1;                                                                 \
		if (h && n > 1 && (action == HALF || action == KILL_AFTER))                        \
			n /= 2;                                                                    \
		r = real args;                                                                     \
		done(h);                                                                           \
		return r;                                                                          \
	}

TRANSFER(K_pwrite, pwrite, (int fd, const void *p, size_t n, off_t o), (fd, p, n, o), n)
TRANSFER(K_pread, pread, (int fd, void *p, size_t n, off_t o), (fd, p, n, o), n)
TRANSFER(fd == 1 || fd == 2 ? K_stdout : K_write, write, (int fd, const void *p, size_t n),
	 (fd, p, n), n)
TRANSFER(K_read, read, (int fd, void *p, size_t n), (fd, p, n), n)

/* The descriptor is gone in any case. */
int close(int fd)
{
	static int (*real)(int);
	int h = hit(K_close), r;

	if (!real)
		real = (int (*)(int))dlsym(RTLD_NEXT, "close");
	r = real(fd);
	done(h);
	return fails(h) ? -1 : r;
}

int open(const char *path, int flags, ...)
{
	static int (*real)(const char *, int, ...);
	int h = hit(K_open), fd;
	va_list ap;

	if (!real)
		real = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
	if (fails(h))
		return -1;
	va_start(ap, flags);
	fd = real(path, flags, flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0);
	va_end(ap);
	done(h);
	return fd;
}

int fcntl(int fd, int cmd, ...)
{
	static int (*real)(int, int, ...);
	int k = cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW ? K_setlk
		: cmd == F_OFD_GETLK			  ? K_getlk
		: cmd == F_DUPFD_CLOEXEC		  ? K_dupfd
							  : K_fcntl;
	int h = hit(k), r;
	va_list ap;

	if (!real)
		real = (int (*)(int, int, ...))dlsym(RTLD_NEXT, "fcntl");
	if (fails(h))
		return -1;
	va_start(ap, cmd);
	r = real(fd, cmd, va_arg(ap, void *));
	va_end(ap);
	done(h);
	return r;
}

int execlp(const char *file, const char *arg, ...)
{
	char *argv[8] = { (char *)(uintptr_t)arg };
	va_list ap;

	if (fails(hit(K_execlp)))
		return -1;
	va_start(ap, arg);
	for (int i = 1; i < 7 && argv[i - 1]; i++)
		argv[i] = va_arg(ap, char *);
	va_end(ap);
	return execvp(file, argv);
}

int getentropy(void *p, size_t n)
{
	uint8_t *out = p;

	if (fails(hit(K_random)))
		return -1;
	for (size_t i = 0; i < n; i++)
		out[i] =
			(uint8_t)((board ? atomic_fetch_add(&board->random, 1) : i) * 0x9e3779b1u >>
				  11);
	return 0;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	static const time_t years = (time_t)10 * 365 * 86400;
	int h = hit(id == CLOCK_REALTIME ? K_realtime : K_monotonic);
	static int turn;

	if (h && action > 0 && fails(h))
		return -1;
	(void)syscall(SYS_clock_gettime, id, t);
	if (h)
		t->tv_sec +=
			action == AHEAD || (action == TO_AND_FRO && ++turn % 2) ? years : -years;
	return 0;
}

/* The same clock by its other name. */
int timespec_get(struct timespec *t, int base)
{
	return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, t) == 0 ? base : 0;
}

/*
 * Memory: malloc, calloc, realloc and what the C library allocates for strdup and others. With
 * AddressSanitizer its own functions are what is in front of; dlsym() would allocate.
 */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void __libc_free(void *);
extern void *__interceptor_malloc(size_t) __attribute__((weak));
extern void *__interceptor_calloc(size_t, size_t) __attribute__((weak));
extern void *__interceptor_realloc(void *, size_t) __attribute__((weak));
extern void __interceptor_free(void *) __attribute__((weak));

static void *keep(void *p)
{
	kept += p != NULL;
	return p;
}

void *malloc(size_t n)
{
	if (fails(hit(K_malloc)))
		return NULL;
	return keep(__interceptor_malloc ? __interceptor_malloc(n) : __libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
	if (fails(hit(K_malloc)))
		return NULL;
	return keep(__interceptor_calloc ? __interceptor_calloc(n, size) : __libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
	void *q;

	if (fails(hit(K_malloc)))
		return NULL;
	q = __interceptor_realloc ? __interceptor_realloc(p, n) : __libc_realloc(p, n);
	return p ? q : keep(q);
}

void free(void *p)
{
	kept -= p != NULL;
	if (__interceptor_free)
		__interceptor_free(p);
	else
		__libc_free(p);
}
