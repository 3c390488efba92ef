/*
 * conditional.h
 *	  Rows that meet conditions, from what a family proposes.
 *
 * A family draws what is conditioned from the allowed part of its
 * distribution, and says how likely that part was: the weight of the proposal
 * (likelihood weighting: Fung and Chang, "Weighing and integrating evidence
 * for stochastic simulation in Bayesian networks", UAI 1989).  All else is
 * here.
 */
#ifndef GENSYNTH_CONDITIONAL_H
#define GENSYNTH_CONDITIONAL_H

#include "condition/given.h"

/* One of the words that a proposal is made of. */
typedef union GsWord
{
	float		f;
	int32		i;
} GsWord;

/* A batch of proposals, one in each slot. */
typedef struct GsProposals
{
	uint64		key;			/* of random numbers, ... */
	int64		first;			/* ... with this row in the first slot ... */
	uint32		round;			/* ... and this draw */
	int			n;				/* slots that are asked for */
	int			width;			/* words of a proposal */
	int32	   *box;			/* [GS_BATCH] it is from */
	GsWord	   *word;			/* [GS_BATCH][width] */
	double	   *weight;			/* [GS_BATCH] its logarithm */
	uint32	   *random;			/* [4][GS_BATCH] see gs_proposals_random */
} GsProposals;

/* What a family tells of a box; all are logarithms. */
typedef struct GsBoxWeights
{
	double		max;			/* no weight is above; INFINITY: not known */
	double		min;			/* a mean below counts as zero */
} GsBoxWeights;

/* A family, as one that proposes; state: its sampler. */
typedef struct GsProposer
{
	/*
	 * Prepares for box b.  regions: [nfeatures].  Returns the words that a
	 * proposal takes, or -1 where it has probability zero: such a box is
	 * never asked for.
	 */
	int			(*prepare) (void *state, int b, const GsRegion *regions,
							GsBoxWeights *weights);

	/*
	 * Fills words and weights of the first n slots, as a function of key,
	 * round and the slot's row and box.  A proposal of weight zero
	 * (-INFINITY) has to meet its box's conditions, too.
	 */
	void		(*propose) (void *state, GsProposals *proposals);

	/*
	 * Learns from some batches, after the last of which it changes what it
	 * proposes; NULL: there is nothing to learn.
	 */
	void		(*adapt) (void *state, const GsProposals *proposals,
						  bool last);
	int			rounds;			/* tries of a row, at most */
	bool		whole;			/* fewer slots than a batch cost as much */
} GsProposer;

typedef struct GsConditional GsConditional;

extern GsConditional *gs_conditional_begin(const GsProposer *proposer,
										   void *state, GsGiven *given);
extern const GsProposals *gs_conditional_draw(GsConditional *conditional,
											  const GsBatch *batch);
extern void gs_proposals_random(const GsProposals *proposals, uint32 stream);

/* The words of a slot's proposal. */
static inline GsWord *
gs_proposal(const GsProposals *proposals, int slot)
{
	return proposals->word + (Size) slot * proposals->width;
}

/* A uniform number that is neither 0 nor 1. */
static inline double
gs_word_uniform(uint32 word)
{
	return (word + 0.5) * 0x1.0p-32;
}

/* log(exp(a) + exp(b)) */
static inline double
gs_log_add(double a, double b)
{
	double		max = Max(a, b);

	return max == -INFINITY ? max : max + log1p(exp(Min(a, b) - max));
}

#endif
