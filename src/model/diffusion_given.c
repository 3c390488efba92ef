/*
 * diffusion_given.c
 *	  Masked diffusion, confined to conditions.
 *
 * The conditioned places are unmasked first, each from that part of its
 * distribution which is allowed; the others follow as always, and see them.
 *
 *	 - A place that can only be one token is no chance: it is made visible.
 *	   What follows is the model's own distribution given this.
 *	 - The others are proposals, of which the weight is the product of the
 *	   probabilities of what is allowed (likelihood weighting, see
 *	   tree_given.c).  One is accepted with the weight's share of the largest
 *	   weight of a pilot.  If only one place has a choice, that is always.
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

/* What a box allows at a place. */
typedef struct Region
{
	float	   *share;			/* [ntokens] that is allowed of a token */
	int		   *begin;			/* [ntokens + 1] its stretches */
	Stretch    *stretch;
} Region;

typedef struct Box
{
	Region	   *region;			/* [nsteps] */
	double		chance;			/* to be proposed */
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
	int		   *place;			/* [nsteps] in the order of drawing */
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
allow_value(const GsTokenPlace *place, const GsRegion *region, int value,
			float share, Stretch *stretch)
{
	double		base;
	double		span;
	int			n = 0;

	*stretch = (Stretch) {
		.value = value,.share = share,
			.score = place->number ? place->base[value] : 0,
			.span = place->number ? place->span[value] : 0
	};
	if (!region->given)
		return 1;
	if (!place->number)
		return region->allowed[value];
	base = place->base[value];
	span = Max(place->span[value], 1e-30);
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
 * What is allowed at a place, token by token.
 */
static void
make_region(const GsTokenPlace *place, const GsRegion *from, Region *region)
{
	int			intervals = from->given && place->number ? from->n : 0;
	int			n = 0;

	region->share = palloc0(sizeof(float) * place->ntokens);
	region->begin = palloc0(sizeof(int) * (place->ntokens + 1));

	/* an interval ends within one value at most */
	region->stretch = palloc(sizeof(Stretch) *
							 (2 * (Size) place->nvalues + intervals + 1));
	for (int t = 0; t < place->ntokens; t++)
	{
		float		before = 0;

		CHECK_FOR_INTERRUPTS();
		for (int m = place->begin[t]; m < place->begin[t + 1]; m++)
		{
			float		share = place->below[m] - before;
			int			more = allow_value(place, from, place->member[m],
										   share, region->stretch + n);

			before = place->below[m];
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
only_token(const GsTokenPlace *place, const Region *region)
{
	int			only = -1;

	for (int t = 0; t < place->ntokens; t++)
		if (region->share[t] > 0)
		{
			if (only >= 0)
				return -1;
			only = t;
		}
	return only;
}

/*
 * How many tokens boxes allow at a place, at most; 1 if it is the same one in
 * all of them.
 */
static int
count_tokens(const DiffusionSampler *sampler, const GsGiven *from, int p)
{
	const GsTokenPlace *place = &sampler->net->tokens->place[p];
	int			most = 0;
	int			first = -1;

	for (int b = 0; b < from->nboxes; b++)
	{
		Region		region;
		int			only;
		int			n = 0;

		make_region(place, &from->box[b][place->feature], &region);
		only = only_token(place, &region);
		for (int t = 0; t < place->ntokens; t++)
			n += region.share[t] > 0;
		if (b == 0)
			first = only;
		most = Max(most, only >= 0 && only == first ? 1 : Max(n, 2));
		pfree(region.share);
		pfree(region.begin);
		pfree(region.stretch);
	}
	return most;
}

/*
 * The places that are drawn first: those without a choice, then by the number
 * of tokens, the fewest first, but a number after what says whether it is NULL.
 */
static void
order_steps(const DiffusionSampler *sampler, const GsGiven *from,
			DiffusionGiven *given)
{
	const GsTokens *tokens = sampler->net->tokens;
	int		   *n = palloc(sizeof(int) * Max(tokens->nplaces, 1));
	bool	   *wanted = palloc0(Max(tokens->nplaces, 1));

	for (int p = 0; p < tokens->nplaces; p++)
		for (int b = 0; b < from->nboxes; b++)
			if (from->box[b][tokens->place[p].feature].given)
			{
				wanted[p] = true;
				if (tokens->place[p].null >= 0)
					wanted[tokens->place[p].null] = true;
			}
	for (int p = 0; p < tokens->nplaces; p++)
		n[p] = wanted[p] ? count_tokens(sampler, from, p) : 0;
	given->place = palloc(sizeof(int) * Max(tokens->nplaces, 1));
	for (;;)
	{
		int			best = -1;

		for (int p = 0; p < tokens->nplaces; p++)
		{
			int			null = tokens->place[p].null;

			if (wanted[p] && (null < 0 || !wanted[null]) &&
				(best < 0 || n[p] < n[best]))
				best = p;
		}
		if (best < 0)
			break;
		wanted[best] = false;
		given->nfixed += n[best] == 1 && given->nfixed == given->nsteps;
		given->place[given->nsteps++] = best;
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
pick_value(const GsTokenPlace *place, const Region *region, int token,
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
	if (place->number)
		return (Found) {.score = stretch->score +
				stretch->span * ((within >> 8) * 0x1.0p-24f)};
	return (Found) {.code = stretch->value};
}

/*
 * Puts values of a place into a batch.
 */
static void
put_values(const GsTokenPlace *place, const Found *value, GsBatch *batch)
{
	for (int i = 0; i < GS_BATCH; i++)
		if (place->number)
			batch->score[place->feature][i] = value[i].score;
		else
			batch->code[place->feature][i] = value[i].code;
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
		const GsTokenPlace *place = &sampler->net->tokens->place[given->place[s]];
		GsMatrix	prob = GS_NO_MATRIX;

		if (s >= given->nfixed)
		{
			gs_diffusion_evaluate(sampler);
			prob = gs_diffusion_probabilities(sampler, given->place[s]);
		}
		gs_philox_lanes(batch->key, batch->first, GS_STREAM_GIVEN + s, round,
						GS_BATCH, words, words + GS_BATCH,
						words + 2 * GS_BATCH, words + 3 * GS_BATCH);
		for (int i = 0; i < GS_BATCH; i++)
		{
			const Region *region = &given->box[given->chosen[i]].region[s];
			float		mass = 1;
			int			token = s < given->nfixed ?
				only_token(place, region) :
				pick_allowed(gs_row(prob, i), region, prob.cols, words[i],
							 &mass);

			given->weight[i] *= mass;
			given->token[s][i] = token;
			given->value[s][i] = pick_value(place, region, token,
											words[GS_BATCH + i],
											words[2 * GS_BATCH + i]);
		}
		put_values(place, given->value[s], batch);
		gs_diffusion_reveal(sampler, given->place[s], batch, given->token[s]);
	}
}

/*
 * Which box a slot proposes from, by a uniform number.
 */
static int
choose_box(const DiffusionGiven *given, float u)
{
	int			b = 0;

	while (b < given->nboxes - 1 && u >= given->box[b].chance)
		u -= given->box[b++].chance;
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
		given->weight[i] = 1 / given->box[given->chosen[i]].chance;
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
 * gs_diffusion_confine: draws the conditioned places of a batch, shows them,
 * and puts them first in its order.  Returns how many they are.
 */
int
gs_diffusion_confine(DiffusionSampler *sampler, GsBatch *batch)
{
	DiffusionGiven *given = sampler->given;
	const GsTokens *tokens = sampler->net->tokens;
	int			nplaces = tokens->nplaces;
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
		int			p = given->place[s];

		put_values(&tokens->place[p], given->kept_value[s], batch);
		gs_diffusion_reveal(sampler, p, batch, given->kept_token[s]);
	}

	/* the others stay in order behind them */
	at = nplaces;
	for (int i = nplaces - 1; i >= 0; i--)
	{
		bool		first = false;

		for (int s = 0; s < given->nsteps; s++)
			first |= given->place[s] == sampler->order[i];
		if (!first)
			sampler->order[--at] = sampler->order[i];
	}
	memcpy(sampler->order, given->place, sizeof(int) * given->nsteps);
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
	double		most = 0;

	for (int i = 0; i < GS_BATCH; i++)
	{
		given->chosen[i] = b;
		given->weight[i] = 1;
	}
	propose(sampler, batch, 0);
	for (int i = 0; i < GS_BATCH; i++)
	{
		sum += given->weight[i];
		most = Max(most, given->weight[i]);
	}
	given->box[b].chance = sum / GS_BATCH;
	*bound = most > CONSTANT * sum / GS_BATCH ? MARGIN * most : most;
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
		const GsTokenPlace *place =
			&tokens->place[sampler->given->place[s]];

		if (place->number)
			batch->score[place->feature] = palloc(sizeof(float) * GS_BATCH);
		else
			batch->code[place->feature] = palloc(sizeof(int32) * GS_BATCH);
	}
	return batch;
}

static void
make_slots(DiffusionGiven *given)
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
		const GsTokenPlace *place = &sampler->net->tokens->place[given->place[s]];
		float		sum = 0;

		make_region(place, &regions[place->feature], &box->region[s]);
		for (int t = 0; t < place->ntokens; t++)
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
	make_slots(given);
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
		given->bound = Max(given->bound, bound / given->box[n].chance);
		sum += given->box[n++].chance;
	}
	if (n == 0)
		gs_given_impossible();
	given->nboxes = n;
	given->bound *= sum;
	for (int b = 0; b < n; b++)
		given->box[b].chance /= sum;
}
