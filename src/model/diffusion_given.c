/*
 * diffusion_given.c
 *	  Masked diffusion, confined to conditions.
 *
 * The conditioned positions are unmasked first, each from that part of its
 * distribution which is allowed; the others follow as always, and see them.
 *
 *	 - A position that can only be one token is no chance: it is made visible.
 *	   What follows is the model's own distribution given this.
 *	 - The others are proposals, of which the weight is the product of the
 *	   probabilities of what is allowed (likelihood weighting, see
 *	   tree_given.c).  One is accepted with the weight's share of the largest
 *	   weight of a pilot.  If only one position has a choice, that is always.
 *	 - Of boxes (see given.h) one is proposed by its probability in the pilot.
 *	 - A batch has so many slots as rows.  Each round, its slots try for the rows
 *	   that have found nothing yet, several for one row once these are few.  After
 *	   ROUNDS a row takes one of its tries by weight.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/diffusion.h"
#include "numeric/philox.h"

#define ROUNDS		16
#define MARGIN		1.25		/* of the largest weight over the pilot's ... */
#define CONSTANT	1.0001		/* ... where it is more than so many means */

/* A part of a value that is allowed, or all of it. */
typedef struct Stretch
{
	int			value;
	float		share;			/* of its token */
	float		score;			/* number: where it begins ... */
	float		span;			/* ... and how long it is */
} Stretch;

/* What a box allows at a position. */
typedef struct Region
{
	float	   *share;			/* [ntokens] that is allowed of a token */
	int		   *begin;			/* [ntokens + 1] its stretches */
	Stretch    *stretch;
} Region;

typedef struct Box
{
	Region	   *region;			/* [nsteps] */
	double		probability;	/* to be proposed */
} Box;

/* What a row has found. */
typedef union Found
{
	int32		code;
	float		score;
} Found;

struct DiffusionGiven
{
	int			nsteps;
	int		   *position;		/* [nsteps] in the order of drawing */
	int			nfixed;			/* the first ones, which have no choice */
	int			nboxes;
	Box		   *box;			/* [nboxes] */
	double		bound;			/* of weight over chance */
	int		   *chosen;			/* [GS_BATCH] box of a slot */
	double	   *weight;			/* [GS_BATCH] of a slot, over the chance */
	int32	  **token;			/* [nsteps][GS_BATCH] of a slot */
	Found	  **value;			/* [nsteps][GS_BATCH] of a slot */
	int32	  **kept_token;		/* [nsteps][GS_BATCH] of a row */
	Found	  **kept_value;		/* [nsteps][GS_BATCH] of a row */
	GsConditionStats *stats;
};

/*
 * Appends what a region allows of a value.  share: of its token.
 */
static int
allow_value(const GsTokenPosition *position, const GsRegion *region, int value,
			float share, Stretch *stretch)
{
	double		base;
	double		span;
	int			n = 0;

	*stretch = (Stretch) {
		.value = value,.share = share,
			.score = position->number ? position->base[value] : 0,
			.span = position->number ? position->span[value] : 0
	};
	if (!region->given)
		return 1;
	if (!position->number)
		return region->allowed[value];
	base = position->base[value];
	span = Max(position->span[value], 1e-30);
	for (int i = 0; i < region->n; i++)
	{
		double		from = Max((region->interval[i].low - base) / span, 0);
		double		to = Min((region->interval[i].high - base) / span, 1);

		if (from < to)
			stretch[n++] = (Stretch) {
			.value = value,.share = (float) (share * (to - from)),
				.score = (float) (base + span * from),
				.span = (float) (span * (to - from))
			};
	}
	return n;
}

/*
 * What is allowed at a position, token by token.
 */
static void
make_region(const GsTokenPosition *position, const GsRegion *from,
			Region *region)
{
	int			intervals = from->given && position->number ? from->n : 0;
	int			n = 0;

	region->share = palloc0(sizeof(float) * position->ntokens);
	region->begin = palloc0(sizeof(int) * (position->ntokens + 1));

	/* an interval ends within one value at most */
	region->stretch = palloc(sizeof(Stretch) *
							 (2 * (Size) position->nvalues + intervals + 1));
	for (int t = 0; t < position->ntokens; t++)
	{
		float		before = 0;

		CHECK_FOR_INTERRUPTS();
		for (int m = position->begin[t]; m < position->begin[t + 1]; m++)
		{
			float		share = position->below[m] - before;
			int			more = allow_value(position, from, position->member[m],
										   share, region->stretch + n);

			before = position->below[m];
			for (int i = 0; i < more; i++)
				region->share[t] += region->stretch[n++].share;
		}
		region->begin[t + 1] = n;
	}
}

/*
 * The only token that a region allows; -1: there are several, or none.
 */
static int
only_token(const GsTokenPosition *position, const Region *region)
{
	int			only = -1;

	for (int t = 0; t < position->ntokens; t++)
		if (region->share[t] > 0)
		{
			if (only >= 0)
				return -1;
			only = t;
		}
	return only;
}

/*
 * How many tokens boxes allow at a position, at most; 1 if it is the same one
 * in all of them.
 */
static int
count_tokens(const DiffusionSampler *sampler, const GsGiven *from, int p)
{
	const GsTokenPosition *position = &sampler->net->tokens->position[p];
	int			max = 0;
	int			first = -1;

	for (int b = 0; b < from->nboxes; b++)
	{
		Region		region;
		int			only;
		int			n = 0;

		make_region(position, &from->box[b][position->feature], &region);
		only = only_token(position, &region);
		for (int t = 0; t < position->ntokens; t++)
			n += region.share[t] > 0;
		if (b == 0)
			first = only;
		max = Max(max, only >= 0 && only == first ? 1 : Max(n, 2));
		pfree(region.share);
		pfree(region.begin);
		pfree(region.stretch);
	}
	return max;
}

/*
 * The positions that are drawn first: those without a choice, then by the
 * number of tokens, the fewest first, but a number after what says whether it
 * is NULL.
 */
static void
order_steps(const DiffusionSampler *sampler, const GsGiven *from,
			DiffusionGiven *given)
{
	const GsTokens *tokens = sampler->net->tokens;
	int		   *n = palloc(sizeof(int) * Max(tokens->npositions, 1));
	bool	   *wanted = palloc0(Max(tokens->npositions, 1));

	for (int p = 0; p < tokens->npositions; p++)
		for (int b = 0; b < from->nboxes; b++)
			if (from->box[b][tokens->position[p].feature].given)
			{
				wanted[p] = true;
				if (tokens->position[p].null >= 0)
					wanted[tokens->position[p].null] = true;
			}
	for (int p = 0; p < tokens->npositions; p++)
		n[p] = wanted[p] ? count_tokens(sampler, from, p) : 0;
	given->position = palloc(sizeof(int) * Max(tokens->npositions, 1));
	for (;;)
	{
		int			best = -1;

		for (int p = 0; p < tokens->npositions; p++)
		{
			int			null = tokens->position[p].null;

			if (wanted[p] && (null < 0 || !wanted[null]) &&
				(best < 0 || n[p] < n[best]))
				best = p;
		}
		if (best < 0)
			break;
		wanted[best] = false;
		given->nfixed += n[best] == 1 && given->nfixed == given->nsteps;
		given->position[given->nsteps++] = best;
	}
	pfree(n);
	pfree(wanted);
}

/*
 * A token of those that are allowed, by probability; in *mass that of all of
 * them.  Where it is zero, the one of which most is allowed stands in.
 */
static int
pick_allowed(const float *prob, const Region *region, int n, uint32 word,
			 float *mass)
{
	float		u = (word >> 8) * 0x1.0p-24f;
	int			last = 0;

	*mass = 0;
	for (int t = 0; t < n; t++)
	{
		*mass += prob[t] * region->share[t];
		if (region->share[t] > region->share[last])
			last = t;
	}
	u *= *mass;
	for (int t = 0; t < n; t++)
	{
		if (!(prob[t] * region->share[t] > 0))
			continue;
		last = t;
		u -= prob[t] * region->share[t];
		if (u < 0)
			break;
	}
	return last;
}

/*
 * A value of a token among those that are allowed.
 */
static Found
pick_value(const GsTokenPosition *position, const Region *region, int token,
		   uint32 which, uint32 within)
{
	float		u = (which >> 8) * 0x1.0p-24f * region->share[token];
	const Stretch *stretch = region->stretch + region->begin[token];
	int			n = region->begin[token + 1] - region->begin[token];
	int			last = 0;

	for (int i = 0; i < n; i++)
	{
		if (!(stretch[i].share > 0))
			continue;
		last = i;
		u -= stretch[i].share;
		if (u < 0)
			break;
	}
	stretch += last;
	if (position->number)
		return (Found) {.score = stretch->score +
				stretch->span * ((within >> 8) * 0x1.0p-24f)};
	return (Found) {.code = stretch->value};
}

/*
 * Puts values of a position into a batch.
 */
static void
put_values(const GsTokenPosition *position, const Found *value, GsBatch *batch)
{
	for (int i = 0; i < GS_BATCH; i++)
		if (position->number)
			batch->score[position->feature][i] = value[i].score;
		else
			batch->code[position->feature][i] = value[i].code;
}

/*
 * A proposal in every slot: tokens, values and weights.  The batch's rows are
 * the slots' while this lasts.
 */
static void
propose(DiffusionSampler *sampler, GsBatch *batch, uint32 round)
{
	DiffusionGiven *given = sampler->given;
	uint32	   *words = sampler->words;

	gs_diffusion_mask_all(sampler);
	for (int s = 0; s < given->nsteps; s++)
	{
		const GsTokenPosition *position =
			&sampler->net->tokens->position[given->position[s]];
		GsMatrix	prob = GS_NO_MATRIX;

		if (s >= given->nfixed)
		{
			gs_diffusion_evaluate(sampler);
			prob = gs_diffusion_probabilities(sampler, given->position[s]);
		}
		gs_philox_lanes(batch->key, batch->first, GS_STREAM_GIVEN + s, round,
						GS_BATCH, words, words + GS_BATCH,
						words + 2 * GS_BATCH, words + 3 * GS_BATCH);
		for (int i = 0; i < GS_BATCH; i++)
		{
			const Region *region = &given->box[given->chosen[i]].region[s];
			float		mass = 1;
			int			token = s < given->nfixed ?
				only_token(position, region) :
				pick_allowed(gs_row(prob, i), region, prob.cols, words[i],
							 &mass);

			given->weight[i] *= mass;
			given->token[s][i] = token;
			given->value[s][i] = pick_value(position, region, token,
											words[GS_BATCH + i],
											words[2 * GS_BATCH + i]);
		}
		put_values(position, given->value[s], batch);
		gs_diffusion_reveal(sampler, given->position[s], batch,
							given->token[s]);
	}
}

/*
 * Which box a slot proposes from, by a uniform number.
 */
static int
choose_box(const DiffusionGiven *given, float u)
{
	int			b = 0;

	while (b < given->nboxes - 1 && u >= given->box[b].probability)
		u -= given->box[b++].probability;
	return b;
}

static void
keep(DiffusionGiven *given, int slot, int row)
{
	for (int s = 0; s < given->nsteps; s++)
	{
		given->kept_token[s][row] = given->token[s][slot];
		given->kept_value[s][row] = given->value[s][slot];
	}
}

/*
 * One round, for n rows: row[n], those that found nothing, of which the
 * ones that find nothing again are left.  Returns how many.  total: [GS_BATCH]
 * weights of a row's tries so far.
 */
static int
try_rows(DiffusionSampler *sampler, GsBatch *batch, uint32 round, int n,
		 uint16 *row, double *total)
{
	DiffusionGiven *given = sampler->given;
	uint32		word[4][GS_BATCH];	/* box, acceptance, resampling */
	bool		found[GS_BATCH] = {false};
	int			left = 0;

	gs_philox_lanes(batch->key, batch->first, GS_STREAM_GIVEN + given->nsteps,
					round, GS_BATCH, word[0], word[1], word[2], word[3]);
	for (int i = 0; i < GS_BATCH; i++)
	{
		given->chosen[i] = choose_box(given, (word[0][i] >> 8) * 0x1.0p-24f);
		given->weight[i] = 1 / given->box[given->chosen[i]].probability;
	}
	propose(sampler, batch, round);
	for (int i = 0; i < GS_BATCH; i++)
	{
		int			r = row[i % n];
		double		weight = given->weight[i];

		if (found[i % n])
			continue;
		given->stats->tries++;
		found[i % n] = word[1][i] * 0x1.0p-32 * given->bound < weight;

		/* the first is kept in any case: it meets the conditions */
		if (found[i % n] || total[r] == 0 ||
			word[2][i] * 0x1.0p-32 * (total[r] + weight) < weight)
			keep(given, i, r);
		total[r] += weight;
	}
	for (int i = 0; i < n; i++)
		if (!found[i])
			row[left++] = row[i];
	return left;
}

/*
 * gs_diffusion_confine: draws the conditioned positions of a batch, shows
 * them, and puts them first in its order.  Returns how many they are.
 */
int
gs_diffusion_confine(DiffusionSampler *sampler, GsBatch *batch)
{
	DiffusionGiven *given = sampler->given;
	const GsTokens *tokens = sampler->net->tokens;
	int			npositions = tokens->npositions;
	uint16		row[GS_BATCH];
	double		total[GS_BATCH] = {0};
	int			left = GS_BATCH;
	int			at;

	for (int i = 0; i < GS_BATCH; i++)
		row[i] = (uint16) i;
	for (uint32 round = 0; round < ROUNDS && left > 0; round++)
		left = try_rows(sampler, batch, round, left, row, total);
	given->stats->rows += GS_BATCH;
	given->stats->resampled += left;
	gs_diffusion_mask_all(sampler);
	for (int s = 0; s < given->nsteps; s++)
	{
		int			p = given->position[s];

		put_values(&tokens->position[p], given->kept_value[s], batch);
		gs_diffusion_reveal(sampler, p, batch, given->kept_token[s]);
	}

	/* the others stay in order behind them */
	at = npositions;
	for (int i = npositions - 1; i >= 0; i--)
	{
		bool		first = false;

		for (int s = 0; s < given->nsteps; s++)
			first |= given->position[s] == sampler->order[i];
		if (!first)
			sampler->order[--at] = sampler->order[i];
	}
	memcpy(sampler->order, given->position, sizeof(int) * given->nsteps);
	return given->nsteps;
}

/*
 * The chance of a box, and its largest weight, from a batch of proposals.
 */
static void
estimate(DiffusionSampler *sampler, GsBatch *batch, int b, double *bound)
{
	DiffusionGiven *given = sampler->given;
	double		sum = 0;
	double		max = 0;

	for (int i = 0; i < GS_BATCH; i++)
	{
		given->chosen[i] = b;
		given->weight[i] = 1;
	}
	propose(sampler, batch, 0);
	for (int i = 0; i < GS_BATCH; i++)
	{
		sum += given->weight[i];
		max = Max(max, given->weight[i]);
	}
	given->box[b].probability = sum / GS_BATCH;
	*bound = max > CONSTANT * sum / GS_BATCH ? MARGIN * max : max;
}

/*
 * A batch that proposals can be made in.
 */
static GsBatch *
make_batch(const DiffusionSampler *sampler)
{
	const GsTokens *tokens = sampler->net->tokens;
	GsBatch    *batch = palloc0(sizeof(GsBatch));
	int			n = Max(tokens->nfeatures, 1);

	batch->nfeatures = tokens->nfeatures;
	batch->score = palloc0(sizeof(float *) * n);
	batch->code = palloc0(sizeof(int32 *) * n);
	for (int s = 0; s < sampler->given->nsteps; s++)
	{
		const GsTokenPosition *position =
			&tokens->position[sampler->given->position[s]];

		if (position->number)
			batch->score[position->feature] = palloc(sizeof(float) * GS_BATCH);
		else
			batch->code[position->feature] = palloc(sizeof(int32) * GS_BATCH);
	}
	return batch;
}

static void
make_scalars(DiffusionGiven *given)
{
	int			n = Max(given->nsteps, 1);

	given->chosen = palloc(sizeof(int) * GS_BATCH);
	given->weight = palloc(sizeof(double) * GS_BATCH);
	given->token = palloc(sizeof(int32 *) * n);
	given->value = palloc(sizeof(Found *) * n);
	given->kept_token = palloc(sizeof(int32 *) * n);
	given->kept_value = palloc(sizeof(Found *) * n);
	for (int s = 0; s < given->nsteps; s++)
	{
		given->token[s] = palloc(sizeof(int32) * GS_BATCH);
		given->value[s] = palloc(sizeof(Found) * GS_BATCH);
		given->kept_token[s] = palloc(sizeof(int32) * GS_BATCH);
		given->kept_value[s] = palloc(sizeof(Found) * GS_BATCH);
	}
}

/*
 * A box's regions.  Returns false where one of them allows nothing.
 */
static bool
prepare(const DiffusionSampler *sampler, const GsRegion *regions, Box *box)
{
	const DiffusionGiven *given = sampler->given;

	box->region = palloc(sizeof(Region) * Max(given->nsteps, 1));
	for (int s = 0; s < given->nsteps; s++)
	{
		const GsTokenPosition *position =
			&sampler->net->tokens->position[given->position[s]];
		float		sum = 0;

		make_region(position, &regions[position->feature], &box->region[s]);
		for (int t = 0; t < position->ntokens; t++)
			sum += box->region[s].share[t];
		if (!(sum > 0))
			return false;
	}
	return true;
}

/*
 * gs_diffusion_condition: prepares a sampler for conditions, in the current
 * context.  Errors: gs_given_impossible.
 */
void
gs_diffusion_condition(DiffusionSampler *sampler, GsGiven *from)
{
	DiffusionGiven *given = palloc0(sizeof(DiffusionGiven));
	GsBatch    *batch;
	double		sum = 0;
	int			n = 0;

	sampler->given = given;
	given->stats = &from->stats;
	order_steps(sampler, from, given);
	make_scalars(given);
	batch = make_batch(sampler);
	given->box = palloc(sizeof(Box) * from->nboxes);
	for (int b = 0; b < from->nboxes; b++)
	{
		double		bound;

		if (!prepare(sampler, from->box[b], &given->box[n]))
			continue;
		estimate(sampler, batch, n, &bound);
		if (!(bound > 0))
			continue;
		given->bound = Max(given->bound, bound / given->box[n].probability);
		sum += given->box[n++].probability;
	}
	if (n == 0)
		gs_given_impossible(given->stats);
	given->nboxes = n;
	given->bound *= sum;
	for (int b = 0; b < n; b++)
		given->box[b].probability /= sum;
}
