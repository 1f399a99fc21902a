/*
 * What a fuzz target demands; when it is not so, say which, and end.
 */
#ifndef EVS_TESTS_FUZZ_MUST_H
#define EVS_TESTS_FUZZ_MUST_H

#include <stdio.h>
#include <stdlib.h>

#define must(what) ((what) ? (void)0 : must_fail(__FILE__, __LINE__, #what))

static inline _Noreturn void must_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

#endif
