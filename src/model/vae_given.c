/*
 * vae_given.c
 *	  The variational autoencoder, confined to conditions.
 *
 * A try draws a latent vector, and then the positions up to the last
 * conditioned one as always, but those from the allowed part of their
 * distribution only. Its weight is the product of the probabilities of these
 * parts (likelihood weighting: Fung and Chang, UAI 1989), over the chance that
 * it was proposed:
 *
 *	 - Components of the mixture are proposed by the mean weight that they had
 *	   in a pilot, so that latent vectors come from where the conditions hold.
 *	 - Where components are conditions (gan.c) and a conditioned position allows
 *	   RARE of the source or less, those of the position that allows the least
 *	   take part, by their shares, and there the row has the component's token:
 *	   what is rare is made, not waited for.
 *	 - Of boxes (see given.h) one is proposed by its estimated probability.
 *	 - A try is accepted with the weight's share of the largest in the pilot.
 *	   A row that finds nothing in GIVEN_TRIES tries takes one of them by
 *	   weight: importance resampling, so time is bounded.
 *
 * A batch's rows try together, as the network wants them.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/vae.h"
#include "numeric/philox.h"

#define GIVEN_TRIES		48		/* of a row */
#define PILOT_TRIES		12		/* batches, for the components ... */
#define BOUND_TRIES		6		/* ... and for the bound and the boxes */
#define OWN_SHARE		0.1		/* of the mixture in the proposals */
#define RARE			0.05	/* share of rows that tries seldom hit */

/* Values of a token that are allowed, or the part of one. */
typedef struct Stretch
{
	double		to;				/* share of the token up to its end */
	int			member;			/* level or segment */
	double		low;			/* number: scores */
	double		high;
} Stretch;

/* What a conditioned position may be. */
typedef struct Step
{
	int		   *begin;			/* [ntokens + 1] of stretches */
	Stretch    *stretch;
	float	   *part;			/* [ntokens] share that is allowed */
} Step;

typedef struct Box
{
	Step	  **step;			/* [nfirst]; NULL: not conditioned */
	double		probability;	/* to be proposed */
} Box;

/* What the rows of a batch have drawn in the first positions. */
typedef struct Draft
{
	int32	   *token;			/* [nfirst][GS_BATCH] */
	int32	   *code;			/* [nfirst][GS_BATCH] categories */
	float	   *score;			/* [nfirst][GS_BATCH] numbers */
	float	   *state;			/* [GS_BATCH][state] after them */
	int32	   *component;		/* [GS_BATCH] */
	int32	   *box;			/* [GS_BATCH] */
	double	   *weight;			/* [GS_BATCH] */
} Draft;

struct VaeGiven
{
	int			nfirst;			/* positions up to the last conditioned one */
	int			nboxes;
	Box		   *box;
	int			by;			/* position whose tokens the components are; -1 */
	GsMixture	prior;			/* of components */
	GsMixture	proposal;
	double		bound;			/* of the weights */
	Draft		now;
	Draft		kept;
	double	   *total;			/* [GS_BATCH] weights of the tries so far */
	GsConditionStats *stats;
};

/*
 * The allowed part of a value: appends it, and returns its share of the value.
 */
static double
allow_value(const GsTokenPosition *position, const GsRegion *region, int value,
			double share, double *at, Stretch *stretch, int *n)
{
	double		sum = 0;

	if (!position->number)
	{
		if (!region->allowed[value])
			return 0;
		*at += share;
		stretch[(*n)++] = (Stretch) {.to = *at,.member = value};
		return share;
	}
	for (int i = 0; i < region->n; i++)
	{
		double		low = position->base[value];
		double		span = Max(position->span[value], 1e-30);
		double		from = Max(region->interval[i].low, low);
		double		to = Min(region->interval[i].high, low + span);

		if (!(from < to))
			continue;
		sum += share * (to - from) / span;
		*at += share * (to - from) / span;
		stretch[(*n)++] = (Stretch) {.to = *at,.member = value,.low = from,
		.high = to};
	}
	return sum;
}

/*
 * What a region leaves of a position.  Returns NULL where that is nothing.
 */
static Step *
make_step(const GsTokenPosition *position, const GsRegion *region)
{
	Step	   *step = palloc(sizeof(Step));
	int			n = 0;
	double		all = 0;

	step->begin = palloc(sizeof(int) * (position->ntokens + 1));
	step->stretch = palloc(sizeof(Stretch) * (position->nvalues +
											  (position->number ? region->n :
											   0)));
	step->part = palloc(sizeof(float) * position->ntokens);
	for (int t = 0; t < position->ntokens; t++)
	{
		double		at = 0;
		double		before = 0;

		step->begin[t] = n;
		for (int m = position->begin[t]; m < position->begin[t + 1]; m++)
		{
			allow_value(position, region, position->member[m],
						position->below[m] - before, &at, step->stretch, &n);
			before = position->below[m];
		}
		step->part[t] = (float) at;
		all += at;
	}
	step->begin[position->ntokens] = n;
	return all > 0 ? step : NULL;
}

/*
 * The steps of a box.  Returns false if some of it has probability zero.
 */
static bool
make_box(const Vae *vae, const GsRegion *regions, int nfirst, Box *box)
{
	box->step = palloc0(sizeof(Step *) * Max(nfirst, 1));
	for (int p = 0; p < nfirst; p++)
	{
		const GsTokenPosition *position = &vae->tokens->position[p];

		if (!regions[position->feature].given)
			continue;
		box->step[p] = make_step(position, &regions[position->feature]);
		if (box->step[p] == NULL)
			return false;
	}
	return true;
}

static void
make_draft(const Vae *vae, int nfirst, Draft *draft)
{
	Size		n = (Size) GS_BATCH * Max(nfirst, 1);

	draft->token = palloc_extended(sizeof(int32) * n, MCXT_ALLOC_HUGE);
	draft->code = palloc_extended(sizeof(int32) * n, MCXT_ALLOC_HUGE);
	draft->score = palloc_extended(sizeof(float) * n, MCXT_ALLOC_HUGE);
	draft->state = palloc(sizeof(float) * GS_BATCH * vae->net->state);
	draft->component = palloc(sizeof(int32) * GS_BATCH);
	draft->box = palloc(sizeof(int32) * GS_BATCH);
	draft->weight = palloc(sizeof(double) * GS_BATCH);
}

/*
 * Copies a row of a draft.
 */
static void
keep_row(const Vae *vae, VaeGiven *given, int row)
{
	const Draft *from = &given->now;
	Draft	   *to = &given->kept;
	int			n = vae->net->state;

	for (Size at = row; at < (Size) given->nfirst * GS_BATCH; at += GS_BATCH)
	{
		to->token[at] = from->token[at];
		to->code[at] = from->code[at];
		to->score[at] = from->score[at];
	}
	memcpy(to->state + (Size) row * n, vae->state + (Size) row * n,
		   sizeof(float) * n);
	to->component[row] = vae->component[row];
}

static inline double
uniform(uint32 word)
{
	return (word + 0.5) * 0x1.0p-32;
}

/*
 * The token of a row in a conditioned position.  Its probability goes into the
 * weight.
 */
static int
draw_token(const GsTokenPosition *position, const Step *step,
		   const float *probability,
		   double u, double *weight)
{
	double		all = 0;
	int			token = -1;

	for (int t = 0; t < position->ntokens; t++)
		all += probability[t] * step->part[t];
	u *= all;
	for (int t = 0; t < position->ntokens && (token < 0 || u >= 0); t++)
		if (step->part[t] > 0)
		{
			token = t;
			u -= probability[t] * step->part[t];
		}
	*weight *= all;
	return token;
}

/*
 * The same where the row's component is a token of the position: that one, or
 * where the box allows nothing of it any other, and no weight.
 */
static int
own_token(const Step *step, int token, double *weight)
{
	*weight *= step->part[token];
	if (!(step->part[token] > 0))
		for (token = 0; !(step->part[token] > 0);)
			token++;
	return token;
}

/*
 * Draws a row's value of a token in a conditioned position.
 */
static void
draw_allowed(const Step *step, int token, double within, Draft *draft,
			 Size at)
{
	const Stretch *stretch;
	int			low;
	int			high;
	double		from;

	draft->token[at] = token;
	low = step->begin[token];
	high = step->begin[token + 1] - 1;
	from = 0;
	within *= step->stretch[high].to;
	while (low < high && step->stretch[low].to <= within)
		from = step->stretch[low++].to;
	stretch = &step->stretch[low];
	draft->code[at] = stretch->member;
	within = stretch->to > from ? (within - from) / (stretch->to - from) : 0.5;
	draft->score[at] = (float) (stretch->low +
								within * (stretch->high - stretch->low));
}

/*
 * One position of a try.
 */
static void
try_position(Vae *vae, VaeGiven *given, int p)
{
	const GsTokenPosition *position = &vae->tokens->position[p];
	const float *probability = gs_vae_probabilities(vae, p);
	Draft	   *now = &given->now;
	Size		first = (Size) p * GS_BATCH;

	gs_tokens_draw(position, probability, vae->words, now->token + first);
	for (int i = 0; i < GS_BATCH; i++, probability += position->ntokens)
	{
		const Step *step = given->box[now->box[i]].step[p];
		float		within;
		int			value;

		if (step != NULL)
		{
			int			token = p == given->by ?
				own_token(step, vae->component[i] - 1 - position->first,
						  &now->weight[i]) :
				draw_token(position, step, probability, uniform(vae->words[i]),
						   &now->weight[i]);

			draw_allowed(step, token, uniform(vae->words[GS_BATCH + i]), now,
						 first + i);
			continue;
		}
		value = gs_tokens_member(position, now->token[first + i],
								 (vae->words[GS_BATCH + i] >> 8) * 0x1.0p-24f,
								 &within);
		now->code[first + i] = value;
		if (position->number)
			now->score[first + i] = position->base[value] +
				position->span[value] * within;
	}
	gs_vae_feed(vae, p, now->token + first, position->null < 0 ? NULL :
				now->code + (Size) position->null * GS_BATCH);
}

/*
 * Which box a row tries.
 */
static int
choose_box(const VaeGiven *given, double u)
{
	int			b = 0;

	while (b < given->nboxes - 1 && u >= given->box[b].probability)
		u -= given->box[b++].probability;
	return b;
}

/*
 * A try of all rows of a batch: vae->component, vae->state and given->now.
 * Each row's last random word is left for the caller in vae->words.
 */
static void
try_batch(Vae *vae, VaeGiven *given, const GsBatch *batch, uint32 try)
{
	uint64		before = gs_flush_subnormals(true, 0);
	Draft	   *now = &given->now;
	uint32		stream = GS_STREAM_GIVEN;

	gs_vae_noise(vae, batch, stream, try);
	gs_vae_random(vae, batch, stream + GS_VAE_STREAM_COMPONENT(vae), try);
	for (int i = 0; i < GS_BATCH; i++)
		now->box[i] = choose_box(given, uniform(vae->words[GS_BATCH + i]));
	gs_vae_start(vae, &given->proposal);
	for (int i = 0; i < GS_BATCH; i++)
	{
		int			c = vae->component[i];

		now->weight[i] = given->prior.weight[c] /
			(given->proposal.weight[c] * given->box[now->box[i]].probability);
	}
	for (int p = 0; p < given->nfirst; p++)
	{
		gs_vae_random(vae, batch, stream + GS_VAE_STREAM_POSITION(vae, p),
					  try);
		try_position(vae, given, p);
	}
	gs_flush_subnormals(false, before);
}

/*
 * The components to propose from: by what they had in the pilot, and some of
 * each as before.
 */
static void
learn_proposal(Vae *vae, VaeGiven *given)
{
	GsBatch		pilot = {0};
	int			k = vae->mixture.k;
	double	   *sum = palloc0(sizeof(double) * k);
	double		all = 0;

	for (int try = 0; try < PILOT_TRIES; try++)
	{
		CHECK_FOR_INTERRUPTS();
		try_batch(vae, given, &pilot, try);
		for (int i = 0; i < GS_BATCH; i++)
		{
			sum[vae->component[i]] += given->now.weight[i];
			all += given->now.weight[i];
		}
	}
	if (!(all > 0))
		gs_given_impossible(given->stats);
	for (int c = 0; c < k; c++)
		given->proposal.weight[c] = (float)
			(OWN_SHARE * given->prior.weight[c] +
			 (1 - OWN_SHARE) * sum[c] / all);
	pfree(sum);
}

/*
 * The boxes' chances, and the bound on weights.
 */
static void
learn_bound(Vae *vae, VaeGiven *given)
{
	GsBatch		pilot = {.first = GS_BATCH};
	double	   *sum = palloc0(sizeof(double) * given->nboxes);
	double	   *max = palloc0(sizeof(double) * given->nboxes);
	double		all = 0;

	for (int try = 0; try < BOUND_TRIES; try++)
	{
		CHECK_FOR_INTERRUPTS();
		try_batch(vae, given, &pilot, try);
		for (int i = 0; i < GS_BATCH; i++)
		{
			int			b = given->now.box[i];
			double		weight =
				given->now.weight[i] * given->box[b].probability;

			sum[b] += given->now.weight[i];
			max[b] = Max(max[b], weight);
			all += given->now.weight[i];
		}
	}
	if (!(all > 0))
		gs_given_impossible(given->stats);
	for (int b = 0; b < given->nboxes; b++)
	{
		given->box[b].probability = 0.99 * sum[b] / all + 0.01 / given->nboxes;
		given->bound = Max(given->bound, max[b] / given->box[b].probability);
	}
	pfree(sum);
	pfree(max);
}

/*
 * What of a position's rows any box allows: shares of tokens.  Returns their
 * sum, or infinity where a box asks nothing of the position.
 */
static double
allowed_shares(const GsTokenPosition *position, const VaeGiven *given, int p,
			   float *share)
{
	double		sum = 0;

	for (int t = 0; t < position->ntokens; t++)
	{
		float		part = 0;

		for (int b = 0; b < given->nboxes; b++)
		{
			const Step *step = given->box[b].step[p];

			if (step == NULL)
				return INFINITY;
			part = Max(part, step->part[t]);
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
choose_components(const Vae *vae, VaeGiven *given)
{
	int			k = vae->mixture.k;
	double		min = RARE;
	double		all = 0;
	float	   *share = palloc(sizeof(float) * k);

	given->by = -1;
	given->prior = vae->mixture;
	for (int p = 0; p < given->nfirst && vae->net->condition.ntokens > 0; p++)
	{
		double		sum = allowed_shares(&vae->tokens->position[p], given, p,
										 share);

		if (sum > 0 && sum <= min)
		{
			min = sum;
			given->by = p;
		}
	}
	if (given->by >= 0)
	{
		const GsTokenPosition *position = &vae->tokens->position[given->by];

		allowed_shares(position, given, given->by, share);
		for (int t = 0; t < position->ntokens; t++)
			all += share[t];
		given->prior.weight = palloc0(sizeof(float) * k);
		for (int t = 0; t < position->ntokens; t++)
			given->prior.weight[1 + position->first + t] =
				(float) (share[t] / all);
	}
	given->proposal = given->prior;
	given->proposal.weight = palloc(sizeof(float) * k);
	memcpy(given->proposal.weight, given->prior.weight, sizeof(float) * k);
	pfree(share);
}

/*
 * gs_vae_condition: prepares a sampler for conditions, in the current context.
 * Errors: gs_given_impossible.
 */
void
gs_vae_condition(Vae *vae, GsGiven *from)
{
	VaeGiven   *given = palloc0(sizeof(VaeGiven));

	for (int p = 0; p < vae->tokens->npositions; p++)
		for (int b = 0; b < from->nboxes; b++)
			if (from->box[b][vae->tokens->position[p].feature].given)
				given->nfirst = p + 1;
	given->box = palloc0(sizeof(Box) * from->nboxes);
	for (int b = 0; b < from->nboxes; b++)
		given->nboxes += make_box(vae, from->box[b], given->nfirst,
								  &given->box[given->nboxes]);
	if (given->nboxes == 0)
		gs_given_impossible(&from->stats);
	for (int b = 0; b < given->nboxes; b++)
		given->box[b].probability = 1.0 / given->nboxes;
	given->stats = &from->stats;
	given->total = palloc(sizeof(double) * GS_BATCH);
	make_draft(vae, given->nfirst, &given->now);
	make_draft(vae, given->nfirst, &given->kept);
	choose_components(vae, given);
	learn_proposal(vae, given);
	learn_bound(vae, given);
	vae->given = given;
}

/*
 * Decides on the rows of a try that have nothing yet.  Returns how many are
 * left.
 */
static int
decide(const Vae *vae, VaeGiven *given, bool *done, bool first)
{
	const uint32 *word = vae->words + 2 * GS_BATCH;
	int			left = 0;

	for (int i = 0; i < GS_BATCH; i++)
	{
		double		weight = given->now.weight[i];

		if (done[i])
			continue;
		given->stats->tries++;
		given->total[i] += weight;
		done[i] = uniform(word[i]) * given->bound < weight;

		/* the first is kept in any case: it meets the conditions */
		if (done[i] || first || uniform(word[GS_BATCH + i]) *
			given->total[i] < weight)
			keep_row(vae, given, i);
		left += !done[i];
	}
	return left;
}

/*
 * gs_vae_confine: draws the positions up to the last conditioned one for the
 * rows of a batch, and leaves the state as they make it.  Returns how many
 * positions.  Can be cancelled.
 */
int
gs_vae_confine(Vae *vae, GsBatch *batch)
{
	VaeGiven   *given = vae->given;
	bool		done[GS_BATCH] = {0};
	int			left = GS_BATCH;

	memset(given->total, 0, sizeof(double) * GS_BATCH);
	given->stats->rows += GS_BATCH;
	for (uint32 try = 0; try < GIVEN_TRIES && left > 0; try++)
	{
		CHECK_FOR_INTERRUPTS();
		try_batch(vae, given, batch, PILOT_TRIES + try);
		left = decide(vae, given, done, try == 0);
	}
	given->stats->resampled += left;
	memcpy(vae->state, given->kept.state,
		   sizeof(float) * GS_BATCH * vae->net->state);
	memcpy(vae->component, given->kept.component, sizeof(int32) * GS_BATCH);
	for (int p = 0; p < given->nfirst; p++)
	{
		int			f = vae->tokens->position[p].feature;
		Size		first = (Size) p * GS_BATCH;

		if (batch->code[f] != NULL)
			memcpy(batch->code[f], given->kept.code + first,
				   sizeof(int32) * GS_BATCH);
		else
			memcpy(batch->score[f], given->kept.score + first,
				   sizeof(float) * GS_BATCH);
	}
	return given->nfirst;
}
