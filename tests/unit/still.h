/*
 * A clock that stands still, salts that are all the same, and what a library took and must give
 * back counted: memory, files, locks; and its calls that cost time.
 *
 * The Makefile links a test with ld's --wrap for each __wrap_ function it has, as for fail.h.
 */
#ifndef EVS_TESTS_STILL_H
#define EVS_TESTS_STILL_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NOW 1709294400000000000

int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_getentropy(void *buf, size_t n);

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	(void)id;
	*ts = (struct timespec){ .tv_sec = NOW / 1000000000 };
	return 0;
}

int __wrap_getentropy(void *buf, size_t n)
{
	memset(buf, 0x5a, n);
	return 0;
}

static atomic_long pieces;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *text);
char *__real_realpath(const char *path, char *to);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *text);
char *__wrap_realpath(const char *path, char *to);
void __wrap_free(void *p);

void *__wrap_malloc(size_t n)
{
	pieces++;
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	pieces++;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	pieces += !p;
	return __real_realloc(p, n);
}

char *__wrap_strdup(const char *string)
{
	pieces++;
	return __real_strdup(string);
}

char *__wrap_realpath(const char *path, char *to)
{
	pieces += !to;
	return __real_realpath(path, to);
}

void __wrap_free(void *p)
{
	pieces -= p != NULL;
	__real_free(p);
}

/* A lock that is not taken shows only where two threads meet; that it is let go shows always. */
static atomic_long locks;

int __real_pthread_mutex_lock(pthread_mutex_t *m);
int __real_pthread_mutex_unlock(pthread_mutex_t *m);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);

int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
	locks++;
	return __real_pthread_mutex_lock(m);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *m)
{
	locks--;
	return __real_pthread_mutex_unlock(m);
}

/*
 * What a commit costs in calls is promised, too (spec/store.md 5-1). How often a segment is found
 * to be the run's own rests on the numbers of inodes, which only a tmpfs gives out one after the
 * other.
 */
static atomic_ulong calls;

#define COUNT(call, params, args)                                                                  \
	int __real_##call params;                                                                  \
	int __wrap_##call params;                                                                  \
	int __wrap_##call params                                                                   \
	{                                                                                          \
		calls++;                                                                           \
		return __real_##call args;                                                         \
	}

COUNT(fdatasync, (int fd), (fd))
COUNT(fsync, (int fd), (fd))
COUNT(rename, (const char *from, const char *to), (from, to))
COUNT(ftruncate, (int fd, off_t size), (fd, size))

/* No second thread: then the order of things is always the same. */
static bool alone;

int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg);

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg)
{
	return alone ? EAGAIN : __real_pthread_create(t, a, run, arg);
}

static inline unsigned open_files(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

#endif
