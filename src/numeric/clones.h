/*
 * clones.h
 *	  GS_CLONES: compile a kernel for several instruction sets and choose at
 *	  load time, so that a portable build still uses wide vectors.
 *
 * The choice is made by ifunc resolvers: gcc with glibc only.  Resolvers run
 * before a sanitizer's runtime is up, so sanitized builds do without.  A
 * kernel marked so has to give the same bits in every clone: no floating-point
 * contraction (see the Makefile), no reordered sums.
 *
 * -DGS_MAX_LANES=8 builds for processors without AVX-512 at most, and 4 for
 * those without AVX2, on any: for tests (test/processors.sh).
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_CLONES_H
#define GENSYNTH_CLONES_H

#include <stdint.h>				/* lets glibc define __GLIBC__ */

extern int	gs_max_lanes;
extern int	gs_lanes(void);

#ifndef GS_MAX_LANES
#define GS_MAX_LANES 16			/* floats of a vector */
#endif

#if defined(__x86_64__) && defined(__GLIBC__) && \
	defined(__GNUC__) && __GNUC__ >= 6 && !defined(__clang__) && \
	!defined(__INTEL_COMPILER) && !defined(__SANITIZE_ADDRESS__) && \
	!defined(__SANITIZE_THREAD__) && GS_MAX_LANES > 4
#if GS_MAX_LANES > 8
#define GS_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define GS_CLONES __attribute__((target_clones("avx2", "default")))
#endif
#else
#define GS_CLONES
#endif

/*
 * For the part of a kernel that has to be compiled anew in each clone, and for
 * one that would spoil the caller's registers.
 */
#if defined(__GNUC__)
#define GS_ALWAYS_INLINE inline __attribute__((always_inline))
#define GS_NEVER_INLINE __attribute__((noinline))
#else
#define GS_ALWAYS_INLINE inline
#define GS_NEVER_INLINE
#endif

#endif
