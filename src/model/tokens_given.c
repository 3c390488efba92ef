/*
 * tokens_given.c
 *	  Positions of tokens that are drawn under conditions: what regions leave
 *	  of their values, and proposals from that.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/tokens_given.h"

/*
 * Appends what a region allows of a value whose share of its token is share.
 */
static void
allow_value(const GsTokenPosition *position, const GsRegion *from, int value,
			float share, GsTokenRegion *region)
{
	float		base = position->number ? position->base[value] : 0;
	float		span = position->number ? position->span[value] : 0;
	float	   *all = &region->share[position->token[value]];

	if (!(share > 0))
		return;
	if (!from->given || !position->number)
	{
		if (from->given && !from->allowed[value])
			return;
		*all += share;
		region->stretch[region->n++] = (GsTokenStretch) {*all, value, base,
		span};
		return;
	}
	for (int i = 0; i < from->n; i++)
	{
		double		width = Max(span, 1e-30);
		double		low = Max((from->interval[i].low - base) / width, 0);
		double		high = Min((from->interval[i].high - base) / width, 1);

		if (!(low < high))
			continue;
		*all += (float) (share * (high - low));
		region->stretch[region->n++] = (GsTokenStretch) {*all, value,
		(float) (base + width * low), (float) (width * (high - low))};
	}
}

/*
 * What a region leaves of a position, token by token.  Returns false where
 * that is nothing.
 */
static bool
make_region(const GsTokenPosition *position, const GsRegion *from,
			GsTokenRegion *region)
{
	int			intervals = from->given && position->number ? from->n : 0;

	memset(region, 0, sizeof(GsTokenRegion));
	region->all = !from->given;
	region->share = palloc0(sizeof(float) * position->ntokens);
	region->begin = palloc0(sizeof(int) * (position->ntokens + 1));

	/* an interval ends within one value at most */
	region->stretch = palloc(sizeof(GsTokenStretch) *
							 ((Size) position->nvalues + intervals));
	region->only = -1;
	for (int t = 0; t < position->ntokens; t++)
	{
		float		before = 0;

		CHECK_FOR_INTERRUPTS();
		for (int m = position->begin[t]; m < position->begin[t + 1]; m++)
		{
			allow_value(position, from, position->member[m],
						position->below[m] - before, region);
			before = position->below[m];
		}
		region->begin[t + 1] = region->n;
		if (!(region->share[t] > 0))
			continue;
		region->only = region->ntokens++ == 0 ? t : -1;
	}
	return region->ntokens > 0;
}

/*
 * gs_tokens_allowed: how many tokens boxes allow at a position, at most; 1 if
 * all allow the same one, and no more.
 */
int
gs_tokens_allowed(const GsTokens *tokens, const GsGiven *given, int p)
{
	const GsTokenPosition *position = &tokens->position[p];
	int			max = 0;
	int			only = -1;

	for (int b = 0; b < given->nboxes; b++)
	{
		GsTokenRegion region;

		make_region(position, &given->box[b][position->feature], &region);
		if (b == 0)
			only = region.only;
		max = Max(max, region.only >= 0 && region.only == only ? 1 :
				  Max(region.ntokens, 2));
		pfree(region.share);
		pfree(region.begin);
		pfree(region.stretch);
	}
	return max;
}

/*
 * gs_token_steps_init: no steps yet, but room for them.
 *
 * nboxes: at most; first: words of a proposal that are the family's, which
 * may use as many streams of random numbers, too
 */
void
gs_token_steps_init(GsTokenSteps *steps, const GsTokens *tokens, int nboxes,
					int first)
{
	Size		n = Max(tokens->npositions, 1);

	steps->tokens = tokens;
	steps->first = first;
	steps->n = 0;
	steps->position = palloc(sizeof(int) * n);
	steps->null = palloc(sizeof(int) * n);
	steps->region = palloc_extended(sizeof(GsTokenRegion *) * n * nboxes,
									MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/*
 * gs_token_steps_add: position p is drawn next; what makes it missing has to
 * come before.
 */
void
gs_token_steps_add(GsTokenSteps *steps, int p)
{
	int			null = steps->tokens->position[p].null;
	int			s = steps->n - 1;

	while (s >= 0 && (null < 0 || steps->position[s] != null))
		s--;
	steps->null[steps->n] = s;
	steps->position[steps->n++] = p;
}

/*
 * gs_token_steps_prepare: see GsProposer.  No step may be added any more.
 */
int
gs_token_steps_prepare(GsTokenSteps *steps, int b, const GsRegion *regions)
{
	GsTokenRegion **region = steps->region + (Size) b * steps->n;

	for (int s = 0; s < steps->n; s++)
	{
		const GsTokenPosition *position =
			&steps->tokens->position[steps->position[s]];
		const GsRegion *from = &regions[position->feature];

		/* boxes share what they leave alone */
		region[s] = steps->region[s];
		if (b > 0 && region[s]->all && !from->given)
			continue;
		region[s] = palloc(sizeof(GsTokenRegion));
		if (!make_region(position, from, region[s]))
			return -1;
	}
	return steps->first + 2 * steps->n;
}

/*
 * A token of those that are allowed, by probability; that of all of them goes
 * into the weight.  Where it is zero, the one of which most is allowed stands
 * in.
 *
 * probability: [n]
 */
static int
draw_token(const float *probability, const GsTokenRegion *region, int n,
		   uint32 word, double *weight)
{
	float		mass = 0;
	float		u;
	int			token = -1;

	for (int t = 0; t < n && !region->all; t++)
		mass += probability[t] * region->share[t];
	if (region->all)
		mass = 1;
	else
		*weight += log(mass);
	u = (word >> 8) * 0x1.0p-24f * mass;
	for (int t = 0; t < n; t++)
	{
		float		part = probability[t] * region->share[t];

		if (!(part > 0))
			continue;
		token = t;
		u -= part;
		if (u < 0)
			break;
	}
	for (int t = 0; t < n && !(mass > 0); t++)
		if (token < 0 || region->share[t] > region->share[token])
			token = t;
	return token;
}

/*
 * A value of a token among those that are allowed.
 */
static GsWord
draw_value(const GsTokenPosition *position, const GsTokenRegion *region,
		   int token, uint32 which, uint32 within)
{
	float		u = (which >> 8) * 0x1.0p-24f * region->share[token];
	int			low = region->begin[token];
	int			high = region->begin[token + 1] - 1;
	const GsTokenStretch *stretch;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (region->stretch[middle].to > u)
			high = middle;
		else
			low = middle + 1;
	}
	stretch = &region->stretch[low];
	if (position->number)
		return (GsWord) {.f = stretch->score +
			stretch->span * ((within >> 8) * 0x1.0p-24f)};
	return (GsWord) {.i = stretch->value};
}

/*
 * What the network sees of a step: tokens, -1 where what comes before makes
 * them missing, and scores of numbers.
 */
static void
show_step(const GsTokenSteps *steps, int s, const GsProposals *proposals,
		  int32 *token, float *score)
{
	for (int i = 0; i < GS_BATCH; i++)
	{
		const GsWord *word = gs_proposal(proposals, i) + steps->first;

		token[i] = steps->null[s] >= 0 && word[2 * steps->null[s] + 1].i == 1 ?
			-1 : word[2 * s].i;
		score[i] = word[2 * s + 1].f;
	}
}

/*
 * gs_token_steps_draw: draws a step in all slots.
 *
 * probability: [GS_BATCH][ntokens] of its tokens, or NULL where each box
 * allows only one, which is no matter of chance; token, score: [GS_BATCH],
 * filled, for the network: token -1 where it is missing, score of numbers
 * only.
 */
void
gs_token_steps_draw(const GsTokenSteps *steps, int s,
					const float *probability, GsProposals *proposals,
					int32 *token, float *score)
{
	const GsTokenPosition *position =
		&steps->tokens->position[steps->position[s]];
	const uint32 *random = proposals->random;

	gs_proposals_random(proposals, 1 + steps->first + s);
	for (int i = 0; i < GS_BATCH; i++)
	{
		const GsTokenRegion *region =
			steps->region[(Size) proposals->box[i] * steps->n + s];
		GsWord	   *to = gs_proposal(proposals, i) + steps->first + 2 * s;

		to[0].i = probability == NULL ? region->only :
			draw_token(probability + (Size) i * position->ntokens, region,
					   position->ntokens, random[i], &proposals->weight[i]);
		to[1] = draw_value(position, region, to[0].i, random[GS_BATCH + i],
						   random[2 * GS_BATCH + i]);
	}
	show_step(steps, s, proposals, token, score);
}

/*
 * gs_token_steps_put: hands a step of the rows' proposals to a batch, and
 * token and score to the network, as above.
 */
void
gs_token_steps_put(const GsTokenSteps *steps, int s, const GsProposals *kept,
				   GsBatch *batch, int32 *token, float *score)
{
	const GsTokenPosition *position =
		&steps->tokens->position[steps->position[s]];

	for (int i = 0; i < GS_BATCH; i++)
	{
		GsWord		value = gs_proposal(kept, i)[steps->first + 2 * s + 1];

		if (position->number)
			batch->score[position->feature][i] = value.f;
		else
			batch->code[position->feature][i] = value.i;
	}
	show_step(steps, s, kept, token, score);
}
