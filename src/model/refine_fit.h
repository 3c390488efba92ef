/*
 * refine_fit.h
 *	  Refinement while it is fitted, between the files that do.
 */
#ifndef GENSYNTH_REFINE_FIT_H
#define GENSYNTH_REFINE_FIT_H

#include "model/refine.h"

/* Rows of both kinds, those to learn from first. */
typedef struct GsRefineRows
{
	GsRefine   *refine;
	GsRefining *refining;		/* what codes of batches are found by */
	int64		max;			/* of each kind that are looked at */
	double		min_accepted;	/* of the next round ... */
	double		accepted;		/* ... after this share by those before */
	uint32		nreal;			/* of each kind */
	uint32		nlearned;		/* of each kind, to learn from */
	uint32		n;				/* 2 nreal */
	uint8	  **code;			/* [npredictors][n] */
	int		   *ncodes;			/* [npredictors] */
	bool	   *ordered;		/* [npredictors] */
	uint8	   *label;			/* [n] 1: real */
} GsRefineRows;

/* refine_fit.c */
extern float *gs_refine_margins(const GsRefine *refine,
								const GsRefineRound *round,
								uint8 *const *code, uint32 n);

/* refine_rake.c */
extern double gs_refine_rake(const GsRefineRows *rows, GsRefineRound *round,
							 GsSampler *sampler, GsBatch *batch, int64 index);

#endif
