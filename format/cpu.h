/*
 * What the processor can do, asked of the C library where it knows: it found out when the program
 * was loaded. The compiler's own way asks the processor again, which in a virtual machine takes
 * microseconds for each of a dozen questions, before main().
 */
#ifndef EVS_FORMAT_CPU_H
#define EVS_FORMAT_CPU_H

#include <stdbool.h>

#if defined(__x86_64__) && !defined(EVS_PORTABLE)

#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>

static inline bool evs_cpu_avx2(void)
{
	return CPU_FEATURE_ACTIVE(AVX2);
}

static inline bool evs_cpu_bmi2(void)
{
	return CPU_FEATURE_ACTIVE(BMI2);
}
#else
static inline bool evs_cpu_avx2(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2");
}

static inline bool evs_cpu_bmi2(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("bmi2");
}
#endif

#endif
#endif
