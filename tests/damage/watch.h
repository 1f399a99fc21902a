/*
 * What the library asks of the system while it reads: memory, and bytes of files. The C library's
 * functions are replaced in this program; where a sanitizer replaces them already, memory is not
 * watched.
 */
#ifndef EVS_TESTS_DAMAGE_WATCH_H
#define EVS_TESTS_DAMAGE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watch {
	size_t peak;	     /* bytes held at most, more than at the beginning */
	size_t left;	     /* bytes still held at the end */
	uint64_t bytes_read; /* by pread() */
};

bool watch_memory(void); /* is memory watched? */
void watch_begin(void);
void watch_end(struct watch *w);

#endif
