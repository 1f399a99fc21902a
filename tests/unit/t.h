/*
 * The whole unit-test harness: count, print what failed, end with "N passed, N failed".
 */
#ifndef EVS_TESTS_T_H
#define EVS_TESTS_T_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static unsigned t_passed, t_failed;

static inline void t_check(const char *name, bool ok)
{
	if (ok) {
		t_passed++;
		return;
	}
	t_failed++;
	printf("not ok: %s\n", name);
}

#define T_STR2(x)     #x
#define T_STR(x)      T_STR2(x)
#define T_CHECK(expr) t_check(__FILE__ ":" T_STR(__LINE__) " " #expr, (expr))

static inline void t_eq_u64(const char *name, uint64_t got, uint64_t want)
{
	t_check(name, got == want);
	if (got != want)
		printf("        got %" PRIu64 ", want %" PRIu64 "\n", got, want);
}

static inline void t_eq_str(const char *name, const char *got, const char *want)
{
	bool ok = got && want && !strcmp(got, want);

	t_check(name, ok);
	if (!ok)
		printf("        got  %s\n        want %s\n", got ? got : "(null)",
		       want ? want : "(null)");
}

static inline int t_done(void)
{
	printf("%u passed, %u failed\n", t_passed, t_failed);
	return t_failed || !t_passed;
}

#endif
