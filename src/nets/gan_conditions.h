/*
 * gan_conditions.h
 *	  Conditions to train under: "training by sampling" (Xu et al., "Modeling
 *	  tabular data using conditional GAN", NeurIPS 2019).
 *
 * A condition is a token: of a position, all as likely, and by the logarithm
 * of how many rows have it, so that rare ones come up often enough to be
 * learned. A row that has it is one of those, all as likely.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_GAN_CONDITIONS_H
#define GENSYNTH_GAN_CONDITIONS_H

#include <stdint.h>

#include "numeric/philox.h"

typedef struct GsConditions
{
	int			npositions;
	const int  *offset;			/* [npositions + 1] of tokens among all */
	int			nrows;			/* that are known, at least 1 */
	uint32_t   *begin;			/* [tokens + 1] in row[] of a token's rows */
	uint32_t   *row;			/* [npositions nrows] by token */
	float	   *probability;	/* [tokens] of a position's, up to this one */
	int		   *position;		/* [npositions] that have two tokens or more */
	int			nvaried;		/* of these */
} GsConditions;

extern void gs_conditions_learn(GsConditions *conditions, const uint32_t *row,
								const int32_t *token);
extern int32_t gs_conditions_draw(const GsConditions *conditions,
								  GsRandom *random, uint32_t *row);

#endif
