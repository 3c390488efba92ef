/*
 * clones.h
 *	  GS_CLONES: compile a kernel for several instruction sets and choose at
 *	  load time, so that a portable build still uses wide vectors.
 *
 * The choice is made by ifunc resolvers: gcc with glibc only.  Resolvers run
 * before a sanitizer's runtime is up, so sanitized builds do without, and
 * -DGS_NO_CLONES turns cloning off by hand.  A kernel marked so has to give
 * the same bits in every clone: no floating-point contraction, no reordered
 * sums.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_CLONES_H
#define GENSYNTH_CLONES_H

#include <stdint.h>				/* lets glibc define __GLIBC__ */

#if defined(__x86_64__) && defined(__GLIBC__) && \
	defined(__GNUC__) && __GNUC__ >= 6 && !defined(__clang__) && \
	!defined(__INTEL_COMPILER) && !defined(__SANITIZE_ADDRESS__) && \
	!defined(__SANITIZE_THREAD__) && !defined(GS_NO_CLONES)
#define GS_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
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
