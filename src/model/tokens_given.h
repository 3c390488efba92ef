/*
 * tokens_given.h
 *	  Positions of tokens that are drawn under conditions.
 */
#ifndef GENSYNTH_TOKENS_GIVEN_H
#define GENSYNTH_TOKENS_GIVEN_H

#include "model/conditional.h"
#include "model/tokens.h"

/* A part of a value that is allowed, or all of it. */
typedef struct GsTokenStretch
{
	float		to;				/* share of the token up to its end */
	int			value;
	float		score;			/* number: where it begins ... */
	float		span;			/* ... and how long it is */
} GsTokenStretch;

/* What a box allows at a position. */
typedef struct GsTokenRegion
{
	bool		all;			/* it has no condition */
	int			ntokens;		/* of which something is allowed */
	int			only;			/* such a token, if there is just one; or -1 */
	float	   *share;			/* [ntokens of the position] allowed */
	int		   *begin;			/* [ntokens of the position + 1] stretches */
	int			n;
	GsTokenStretch *stretch;	/* [n] */
} GsTokenRegion;

/*
 * The positions that proposals are made of, in the order of drawing.  A
 * proposal has two words for each, the token and the code or score, after the
 * first ones, which are the family's.
 */
typedef struct GsTokenSteps
{
	const GsTokens *tokens;
	int			first;			/* words of the family's */
	int			n;
	int		   *position;		/* [n] */
	int		   *null;			/* [n] step that makes it missing; -1 */
	GsTokenRegion **region;		/* [boxes][n] */
} GsTokenSteps;

extern void gs_token_steps_init(GsTokenSteps *steps, const GsTokens *tokens,
								int nboxes, int first);
extern void gs_token_steps_add(GsTokenSteps *steps, int p);
extern int	gs_token_steps_prepare(GsTokenSteps *steps, int b,
								   const GsRegion *regions);
extern void gs_token_steps_draw(const GsTokenSteps *steps, int s,
								const float *probability,
								GsProposals *proposals, int32 *token,
								float *score);
extern void gs_token_steps_put(const GsTokenSteps *steps, int s,
							   const GsProposals *kept, GsBatch *batch,
							   int32 *token, float *score);
extern int	gs_tokens_allowed(const GsTokens *tokens, const GsGiven *given,
							  int p);

#endif
