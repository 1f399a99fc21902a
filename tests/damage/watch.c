/*
 * malloc() and pread() that count. See watch.h.
 */
#define _GNU_SOURCE /* syscall */

#include "watch.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_size_t held, most;
static atomic_uint_fast64_t bytes_read;
static size_t held_before;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)

bool watch_memory(void)
{
	return false;
}

#else

/* What glibc calls its own; no header declares them. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);

bool watch_memory(void)
{
	return true;
}

static void *took(void *p)
{
	size_t now, top = atomic_load(&most);

	if (!p)
		return NULL;
	now = atomic_fetch_add(&held, malloc_usable_size(p)) + malloc_usable_size(p);
	while (now > top && !atomic_compare_exchange_weak(&most, &top, now))
		continue;
	return p;
}

void *malloc(size_t n)
{
	return took(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
	return took(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
	size_t before = p ? malloc_usable_size(p) : 0;
	void *q = __libc_realloc(p, n);

	if (q || n == 0)
		atomic_fetch_sub(&held, before);
	return took(q);
}

void *aligned_alloc(size_t align, size_t n)
{
	return took(__libc_memalign(align, n));
}

int posix_memalign(void **p, size_t align, size_t n)
{
	void *q = aligned_alloc(align, n);

	if (!q)
		return ENOMEM;
	*p = q;
	return 0;
}

void free(void *p)
{
	if (p)
		atomic_fetch_sub(&held, malloc_usable_size(p));
	__libc_free(p);
}

#endif

ssize_t pread(int fd, void *buf, size_t n, off_t off)
{
	ssize_t got = syscall(SYS_pread64, fd, buf, n, off);

	if (got > 0)
		atomic_fetch_add(&bytes_read, (uint64_t)got);
	return got;
}

void watch_begin(void)
{
	held_before = atomic_load(&held);
	atomic_store(&most, held_before);
	atomic_store(&bytes_read, 0);
}

void watch_end(struct watch *w)
{
	size_t now = atomic_load(&held);

	w->peak = atomic_load(&most) - held_before;
	w->left = now > held_before ? now - held_before : 0;
	w->bytes_read = atomic_load(&bytes_read);
}
