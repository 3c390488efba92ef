/*
 * diffusion_given.c
 *	  Masked diffusion, confined to conditions.
 *
 * The conditioned positions are unmasked first, each from that part of its
 * distribution which is allowed; the others follow as always, and see them.
 *
 *	 - A position that can only be one token is no matter of chance: it is made
 *	   visible.  What follows is the model's own distribution given this.
 *	 - The others are proposals (see conditional.h).  If only one position has a
 *	   choice, each is accepted.
 */
#include "postgres.h"

#include "model/diffusion.h"
#include "model/tokens_given.h"

#define ROUNDS		16

struct DiffusionGiven
{
	GsConditional *conditional;
	GsTokenSteps steps;
	int			nfixed;			/* the first ones, which have no choice */
	bool	   *first;			/* [P] is a step */
	float	   *score;			/* [GS_BATCH] */
};

/*
 * The positions that are drawn first: those without a choice, then by the
 * number of tokens, the fewest first, but a number after what says whether it
 * is NULL.
 */
static void
order_steps(const GsTokens *tokens, const GsGiven *from,
			DiffusionGiven *given)
{
	int		   *n = palloc0(sizeof(int) * Max(tokens->npositions, 1));

	for (int p = 0; p < tokens->npositions; p++)
		for (int b = 0; b < from->nboxes; b++)
			if (from->box[b][tokens->position[p].feature].given)
			{
				given->first[p] = true;
				if (tokens->position[p].null >= 0)
					given->first[tokens->position[p].null] = true;
			}
	for (int p = 0; p < tokens->npositions; p++)
		if (given->first[p])
			n[p] = gs_tokens_allowed(tokens, from, p);
	for (;;)
	{
		int			best = -1;

		for (int p = 0; p < tokens->npositions; p++)
		{
			int			null = tokens->position[p].null;

			if (n[p] > 0 && (null < 0 || n[null] == 0) &&
				(best < 0 || n[p] < n[best]))
				best = p;
		}
		if (best < 0)
			break;
		given->nfixed += n[best] == 1 && given->nfixed == given->steps.n;
		gs_token_steps_add(&given->steps, best);
		n[best] = 0;
	}
	pfree(n);
}

/*
 * See GsProposer.
 */
static int
prepare(void *state, int b, const GsRegion *regions, GsBoxWeights *weights)
{
	DiffusionSampler *sampler = state;

	return gs_token_steps_prepare(&sampler->given->steps, b, regions);
}

/*
 * See GsProposer.
 */
static void
propose(void *state, GsProposals *proposals)
{
	DiffusionSampler *sampler = state;
	const DiffusionGiven *given = sampler->given;

	memset(proposals->weight, 0, sizeof(double) * GS_BATCH);
	gs_diffusion_mask_all(sampler);
	for (int s = 0; s < given->steps.n; s++)
	{
		int			p = given->steps.position[s];
		const float *probability = NULL;

		if (s >= given->nfixed)
		{
			gs_diffusion_evaluate(sampler);
			probability = gs_diffusion_probabilities(sampler, p).data;
		}
		gs_token_steps_draw(&given->steps, s, probability, proposals,
							sampler->token, given->score);
		gs_diffusion_reveal(sampler, p, sampler->token, given->score);
	}
}

static const GsProposer proposer = {
	.prepare = prepare,.propose = propose,.rounds = ROUNDS,.whole = true
};

/*
 * gs_diffusion_condition: prepares a sampler, complete but for this, for
 * conditions, in the current context.  Errors: gs_given_impossible.
 */
void
gs_diffusion_condition(DiffusionSampler *sampler, GsGiven *from)
{
	const GsTokens *tokens = sampler->tokens;
	DiffusionGiven *given = palloc0(sizeof(DiffusionGiven));

	given->first = palloc0(Max(tokens->npositions, 1));
	given->score = palloc(sizeof(float) * GS_BATCH);
	gs_token_steps_init(&given->steps, tokens, from->nboxes, 0);
	order_steps(tokens, from, given);
	sampler->given = given;
	given->conditional = gs_conditional_begin(&proposer, sampler, from);
}

/*
 * gs_diffusion_confine: draws the conditioned positions of a batch, shows
 * them, and puts them first in its order.  Returns how many they are.
 */
int
gs_diffusion_confine(DiffusionSampler *sampler, GsBatch *batch)
{
	const DiffusionGiven *given = sampler->given;
	const GsProposals *kept = gs_conditional_draw(given->conditional, batch);

	gs_diffusion_mask_all(sampler);
	for (int s = 0; s < given->steps.n; s++)
	{
		gs_token_steps_put(&given->steps, s, kept, batch, sampler->token,
						   given->score);
		gs_diffusion_reveal(sampler, given->steps.position[s], sampler->token,
							given->score);
	}
	return gs_diffusion_put_first(sampler, given->first);
}
