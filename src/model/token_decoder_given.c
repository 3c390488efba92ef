/*
 * token_decoder_given.c
 *	  The decoder of the variational autoencoder and of the adversarial
 *	  network, confined to conditions.
 *
 * A proposal (see conditional.h) is a latent vector, and then the positions up
 * to the last conditioned one, as always, but conditioned ones from the
 * allowed part of their distribution.
 *
 *	 - Components of the mixture are proposed by the mean weight that they had
 *	   in a pilot, so that latent vectors come from where the conditions hold.
 *	 - Where components are conditions (gan.c) and a conditioned position
 *	   allows RARE of the source or less, those of the position that allows
 *	   the least take part, by their shares, and there the row has the
 *	   component's token: what is rare is made, not waited for.
 */
#include "postgres.h"

#include <math.h>

#include "model/token_decoder.h"
#include "model/tokens_given.h"

#define TRIES			48		/* rounds of a batch */
#define OWN_SHARE		0.1		/* of the mixture in the proposals */
#define RARE			0.05	/* share of rows that tries seldom hit */

/* Streams of random numbers; those of the steps come after. */
#define STREAM_COMPONENT	1
#define STREAM_NOISE		2	/* and on */

struct DecoderGiven
{
	GsConditional *conditional;
	GsTokenSteps steps;			/* positions up to the last conditioned one */
	int			nboxes;
	int			by;				/* position whose tokens the components are;
								 * -1 */
	float	   *prior;			/* [components] */
	GsMixture	proposal;
	double	   *sum;			/* [components] logarithms of the weights that
								 * they had so far */
	float	   *score;			/* [GS_BATCH] */
};

/*
 * What of a position's rows any box allows: shares of tokens.  Returns their
 * sum, or infinity where a box asks nothing of the position.
 */
static double
allowed_shares(const DecoderGiven *given, int p, float *share)
{
	const GsTokenPosition *position = &given->steps.tokens->position[p];
	double		sum = 0;

	for (int t = 0; t < position->ntokens; t++)
	{
		float		part = 0;

		for (int b = 0; b < given->nboxes; b++)
		{
			const GsTokenRegion *region =
				given->steps.region[(Size) b * given->steps.n + p];

			if (region->all)
				return INFINITY;
			part = Max(part, region->share[t]);
		}
		share[t] = part > 0 ? position->share[t] : 0;
		sum += part * position->share[t];
	}
	return sum;
}

/*
 * The components that take part.
 */
static void
choose_components(const DecoderSampler *sampler, DecoderGiven *given)
{
	int			k = sampler->mixture.k;
	double		min = RARE;
	double		all = 0;
	float	   *share = palloc(sizeof(float) * k);

	given->by = -1;
	memcpy(given->prior, sampler->mixture.weight, sizeof(float) * k);
	for (int p = 0; p < given->steps.n && sampler->net->conditioned; p++)
	{
		double		sum = allowed_shares(given, p, share);

		if (sum > 0 && sum <= min)
		{
			min = sum;
			given->by = p;
		}
	}
	if (given->by >= 0)
	{
		const GsTokenPosition *position =
			&sampler->tokens->position[given->by];

		allowed_shares(given, given->by, share);
		for (int t = 0; t < position->ntokens; t++)
			all += share[t];
		memset(given->prior, 0, sizeof(float) * k);
		for (int t = 0; t < position->ntokens; t++)
			given->prior[1 + position->first + t] = (float) (share[t] / all);
	}
	memcpy(given->proposal.weight, given->prior, sizeof(float) * k);
	pfree(share);
}

/*
 * See GsProposer.
 */
static int
prepare(void *state, int b, const GsRegion *regions, GsBoxWeights *weights)
{
	DecoderSampler *sampler = state;
	DecoderGiven *given = sampler->given;
	int			words = gs_token_steps_prepare(&given->steps, b, regions);

	if (words >= 0)
	{
		given->nboxes = b + 1;
		choose_components(sampler, given);
	}
	return words;
}

/*
 * The tokens of the rows' components are certain.
 */
static void
be_certain(const DecoderSampler *sampler, int p, float *probability)
{
	const GsTokenPosition *position = &sampler->tokens->position[p];

	memset(probability, 0, sizeof(float) * GS_BATCH * position->ntokens);
	for (int i = 0; i < GS_BATCH; i++, probability += position->ntokens)
		probability[sampler->component[i] - 1 - position->first] = 1;
}

/*
 * See GsProposer.
 */
static void
propose(void *state, GsProposals *proposals)
{
	DecoderSampler *sampler = state;
	DecoderGiven *given = sampler->given;
	uint64		before = gs_flush_subnormals(true, 0);
	int			n = sampler->net->latent;

	for (int j = 0; j < n; j += 4)
	{
		gs_proposals_random(proposals, STREAM_NOISE + (uint32) j / 4);
		gs_decoder_noise(sampler, proposals->random, j);
	}
	gs_proposals_random(proposals, STREAM_COMPONENT);
	gs_mixture_draw(&given->proposal, GS_BATCH, proposals->random,
					sampler->noise, sampler->component, sampler->z);
	for (int i = 0; i < GS_BATCH; i++)
	{
		GsWord	   *word = gs_proposal(proposals, i);

		word->i = sampler->component[i];
		memcpy(word + 1, sampler->z + (Size) i * n, sizeof(float) * n);
		proposals->weight[i] = log(given->prior[word->i] /
								   given->proposal.weight[word->i]);
	}
	gs_decoder_start(sampler);
	for (int p = 0; p < given->steps.n; p++)
	{
		float	   *probability = gs_decoder_probabilities(sampler, p);

		if (p == given->by)
			be_certain(sampler, p, probability);
		gs_token_steps_draw(&given->steps, p, probability, proposals,
							sampler->token, given->score);
		gs_decoder_feed(sampler, p, sampler->token);
	}
	gs_flush_subnormals(false, before);
}

/*
 * See GsProposer: the components to propose from are those that have had
 * weight, and some of each as before.
 */
static void
adapt(void *state, const GsProposals *proposals, bool last)
{
	const DecoderSampler *sampler = state;
	DecoderGiven *given = sampler->given;
	int			k = sampler->mixture.k;
	double		all = -INFINITY;

	for (int i = 0; i < GS_BATCH; i++)
	{
		double	   *sum = &given->sum[gs_proposal(proposals, i)->i];

		*sum = gs_log_add(*sum, proposals->weight[i]);
	}
	for (int c = 0; c < k && last; c++)
		all = gs_log_add(all, given->sum[c]);
	for (int c = 0; c < k && all > -INFINITY; c++)
		given->proposal.weight[c] = (float)
			(OWN_SHARE * given->prior[c] +
			 (1 - OWN_SHARE) * exp(given->sum[c] - all));
}

static const GsProposer proposer = {
	.prepare = prepare,.propose = propose,.adapt = adapt,.rounds = TRIES,
	.whole = true
};

/*
 * gs_decoder_condition: prepares a sampler, complete but for this, for
 * conditions, in the current context.  Errors: gs_given_impossible.
 */
void
gs_decoder_condition(DecoderSampler *sampler, GsGiven *from)
{
	const GsTokens *tokens = sampler->tokens;
	DecoderGiven *given = palloc0(sizeof(DecoderGiven));
	int			k = sampler->mixture.k;
	int			last = -1;

	for (int p = 0; p < tokens->npositions; p++)
		for (int b = 0; b < from->nboxes; b++)
			if (from->box[b][tokens->position[p].feature].given)
				last = p;
	gs_token_steps_init(&given->steps, tokens, from->nboxes,
						1 + sampler->net->latent);
	for (int p = 0; p <= last; p++)
		gs_token_steps_add(&given->steps, p);
	given->prior = palloc(sizeof(float) * k);
	given->proposal = sampler->mixture;
	given->proposal.weight = palloc(sizeof(float) * k);
	given->sum = palloc(sizeof(double) * k);
	for (int c = 0; c < k; c++)
		given->sum[c] = -INFINITY;
	given->score = palloc(sizeof(float) * GS_BATCH);
	sampler->given = given;
	given->conditional = gs_conditional_begin(&proposer, sampler, from);
}

/*
 * gs_decoder_confine: draws the positions up to the last conditioned one for
 * the rows of a batch, and leaves the state as they make it.  Returns how many
 * positions.  Can be cancelled.
 */
int
gs_decoder_confine(DecoderSampler *sampler, GsBatch *batch)
{
	DecoderGiven *given = sampler->given;
	const GsProposals *kept = gs_conditional_draw(given->conditional, batch);
	uint64		before = gs_flush_subnormals(true, 0);
	int			n = sampler->net->latent;

	for (int i = 0; i < GS_BATCH; i++)
	{
		const GsWord *word = gs_proposal(kept, i);

		sampler->component[i] = word->i;
		memcpy(sampler->z + (Size) i * n, word + 1, sizeof(float) * n);
	}
	gs_decoder_start(sampler);
	for (int p = 0; p < given->steps.n; p++)
	{
		gs_token_steps_put(&given->steps, p, kept, batch, sampler->token,
						   given->score);
		gs_decoder_feed(sampler, p, sampler->token);
	}
	gs_flush_subnormals(false, before);
	return given->steps.n;
}
