/*
 * clones.c
 *	  Which instruction set kernels are to use that choose at run time.
 *
 * Plain C: no postgres.h.
 */
#include "clones.h"

/* the longest vectors to use, in floats: for tests */
int			gs_max_lanes = GS_MAX_LANES;

/*
 * gs_lanes
 *
 * Floats of the longest vectors that the processor has, as kernels are written
 * for them: 16 (AVX-512), 8 (AVX2 with FMA), or 4 (any).  Cannot fail.
 */
int
gs_lanes(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
	if (gs_max_lanes >= 16 && __builtin_cpu_supports("avx512f"))
		return 16;
	if (gs_max_lanes >= 8 && __builtin_cpu_supports("avx2") &&
		__builtin_cpu_supports("fma"))
		return 8;
#endif
	return 4;
}
