/*
 * stratify.h
 *	  Random numbers that the rows of a batch share out evenly.
 *
 * In an order of the rows, the numbers are steps of the golden ratio from a
 * random start (a Kronecker sequence with a random shift: Cranley and
 * Patterson, "Randomization of number theoretic methods for multiple
 * integration", SIAM J. Numerical Analysis 13, 1976).  Each row by itself is
 * as random as ever; rows that follow each other fall evenly on a
 * distribution.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_STRATIFY_H
#define GENSYNTH_STRATIFY_H

#include <stdint.h>

#define GS_GOLDEN	UINT32_C(0x9E3779B9)	/* 2^32 over the golden ratio */

/* Room for the orders of up to so many rows. */
typedef struct GsStrata
{
	uint16_t   *shuffled;		/* [n] */
	uint16_t   *counter;		/* [groups + 1] */
	uint16_t   *row;			/* [n] rows in order */
} GsStrata;

extern void gs_stratify(GsStrata *strata, int n, const int32_t *group,
						int ngroups, const uint32_t *word);

#endif
