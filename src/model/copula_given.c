/*
 * copula_given.c
 *	  The Gaussian copula, confined to conditions.
 *
 * A condition confines a latent variate to a union of intervals: those of a
 * category's levels, or of a number's scores.  The confined variates of a row
 * are drawn first, as conditional.c has it:
 *
 *	 - The proposal takes them one after the other from their truncated
 *	   conditional distributions, the rarest first (the GHK simulator: Geweke,
 *	   "Efficient simulation from the multivariate normal and Student-t
 *	   distributions subject to linear constraints", 1991; Hajivassiliou and
 *	   McFadden, "The method of simulated scores", Econometrica 66, 1998).
 *	   Its weight is the product of their conditional probabilities; of the
 *	   first variate that is the same for all rows, so that a condition on
 *	   one column takes a single try.
 *	 - A conditional probability is bounded over the means that the variates
 *	   before it allow: so is the weight.
 *
 * A variate whose one interval is too narrow to matter is fixed in its
 * middle, without any tries.
 *
 * The others follow from the batch as it is without conditions, moved by its
 * regression on how far the confined variates were moved: y + B (c - y_C)
 * with B = S_.C S_CC^-1 is distributed as y given y_C = c (conditioning by
 * kriging: Hoffman and Ribak, "Constrained realizations of Gaussian fields",
 * Astrophysical Journal 380, 1991).  So the one GEMM of a batch stays as it
 * is.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/conditional.h"
#include "model/copula.h"
#include "numeric/blas.h"
#include "numeric/normal.h"

#define TRIES			1000	/* of a row */
#define NARROW			1e-5	/* width that counts as a point */
#define FAR				8.5		/* no variate is beyond */
/* Conditions that are this much less likely together than apart are not met. */
#define MIN_TOGETHER	1e-12

/* A variate that is confined. */
typedef struct Confined
{
	int			latent;
	int			n;
	GsInterval *interval;		/* [n] */
	float	   *first;			/* [n] the least and ... */
	float	   *last;			/* ... the largest float in each */
	double	   *probability;	/* [n] of each, as it was asked last */
	double		prior;			/* probability on its own */
	bool		fixed;
} Confined;

typedef struct Box
{
	int			k;
	int			nfixed;			/* of them, at the beginning */
	Confined   *confined;		/* [k] in the order they are drawn */
	double	   *factor;			/* [k][k] Cholesky factor of theirs */
	float	   *regression;		/* [n][k] */
	double	   *fixed_noise;	/* [nfixed] */
	double		mean;			/* of the first that is not fixed */
	double		constant;		/* logarithm of a factor of every weight */
} Box;

struct CopulaGiven
{
	const Copula *copula;
	const GsSchema *schema;		/* as it was learned */
	int			nboxes;
	Box		   *box;
	GsConditional *conditional;
	int			max;			/* largest k of a box */
	double	   *noise;			/* [max][GS_BATCH] */
	float	   *move;			/* [nboxes][max][GS_BATCH] */
};

/*
 * The floats of an interval; they compare alike with its ends and with these
 * rounded to floats.  Returns false if there are none.
 */
static bool
floats_within(GsInterval interval, float *first, float *last)
{
	*first = (float) interval.low;
	if (*first < interval.low)
		*first = nextafterf(*first, INFINITY);
	*last = nextafterf((float) interval.high, -INFINITY);
	return *first <= *last;
}

/*
 * One float stands for an interval without any: the one next to it that lies
 * in the same segment, as what is looked up by the segment depends on it.
 */
static void
float_beside(const GsQuantile *q, GsInterval interval, float *first,
			 float *last)
{
	double		middle = (interval.low + interval.high) / 2;
	float		at = (float) middle;

	for (int s = 0; s < q->nsegments; s++)
	{
		GsInterval	segment = {s == 0 ? -INFINITY : q->edge[s],
		s == q->nsegments - 1 ? INFINITY : q->edge[s + 1]};
		float		low;
		float		high;

		if (segment.high <= middle)
			continue;
		if (floats_within(segment, &low, &high))
			at = Max(low, Min(high, at));
		break;
	}
	*first = *last = at;
}

/*
 * Adds an interval to a variate, unless it is empty; one that goes on where
 * the last ends becomes part of it.
 */
static void
add_interval(Confined *confined, double low, double high)
{
	if (!(low < high))
		return;
	if (confined->n > 0 && confined->interval[confined->n - 1].high == low)
		confined->interval[confined->n - 1].high = high;
	else
		confined->interval[confined->n++] = (GsInterval) {low, high};
}

/*
 * A region of a feature as intervals of its variate.  Returns false if its
 * probability is zero.
 */
static bool
confine(const CopulaLatent *latent, const GsFeature *feature,
		const GsRegion *region, Confined *confined)
{
	int			room = latent->number ? region->n : latent->nlevels;
	int			n = 0;

	confined->n = 0;
	confined->probability = palloc(sizeof(double) * Max(room, 1));
	confined->interval = palloc(sizeof(GsInterval) * Max(room, 1));
	confined->first = palloc(sizeof(float) * Max(room, 1));
	confined->last = palloc(sizeof(float) * Max(room, 1));
	for (int i = 0; i < room; i++)
	{
		if (latent->number)
			add_interval(confined, region->interval[i].low,
						 region->interval[i].high);
		else if (region->allowed[latent->order[i]])
			add_interval(confined, latent->edge[i], latent->edge[i + 1]);
	}
	for (int i = 0; i < confined->n; i++)
	{
		confined->interval[n] = confined->interval[i];
		if (floats_within(confined->interval[i], &confined->first[n],
						  &confined->last[n]))
			n++;
		else if (latent->number)
		{
			float_beside(&feature->quantile, confined->interval[i],
						 &confined->first[n], &confined->last[n]);
			n++;
		}
		/* a level that no float reaches is never drawn either */
	}
	confined->n = n;
	confined->prior = gs_union_probability(confined->interval, n, 0, 1,
										   confined->probability);
	confined->fixed = n == 1 && confined->interval[0].high -
		confined->interval[0].low < NARROW;
	return confined->prior > 0;
}

static int
by_rarity(const void *a, const void *b)
{
	const Confined *x = a;
	const Confined *y = b;

	if (x->fixed != y->fixed)
		return x->fixed ? -1 : 1;
	if (x->prior != y->prior)
		return x->prior < y->prior ? -1 : 1;
	return x->latent - y->latent;
}

/*
 * A region of a feature that has no variate: its value is always the same.
 */
static bool
constant_meets(const Copula *copula, int feature, const GsRegion *region)
{
	if (copula->constant[feature] != NULL)
		return region->allowed[copula->constant[feature][0]];
	for (int i = 0; i < region->n; i++)
		if (region->interval[i].low <= 0 && region->interval[i].high > 0)
			return true;
	return false;
}

/*
 * Collects what a box confines, in the order that it is to be drawn in.
 * Returns false if some of it has probability zero.
 */
static bool
collect(const Copula *copula, const GsSchema *schema, const GsRegion *regions,
		Box *box)
{
	bool	   *has_variate = palloc0(Max(schema->nfeatures, 1));
	bool		possible = true;

	box->confined = palloc0(sizeof(Confined) * Max(copula->n, 1));
	for (int j = 0; j < copula->n && possible; j++)
	{
		const CopulaLatent *latent = &copula->latent[j];

		has_variate[latent->feature] = true;
		if (!regions[latent->feature].given)
			continue;
		box->confined[box->k].latent = j;
		possible = confine(latent, &schema->features[latent->feature],
						   &regions[latent->feature],
						   &box->confined[box->k]);
		box->k++;
	}
	for (int f = 0; f < schema->nfeatures && possible; f++)
		if (regions[f].given && !has_variate[f])
			possible = constant_meets(copula, f, &regions[f]);
	qsort(box->confined, box->k, sizeof(Confined), by_rarity);
	while (box->nfixed < box->k && box->confined[box->nfixed].fixed)
		box->nfixed++;
	pfree(has_variate);
	return possible;
}

/*
 * Solves S x = b for the first m of a box's variates, in position, where
 * S = factor factor^T.
 */
static void
solve(const Box *box, int m, double *b)
{
	for (int i = 0; i < m; i++)
	{
		for (int j = 0; j < i; j++)
			b[i] -= box->factor[i * box->k + j] * b[j];
		b[i] /= box->factor[i * box->k + i];
	}
	for (int i = m - 1; i >= 0; i--)
	{
		for (int j = i + 1; j < m; j++)
			b[i] -= box->factor[j * box->k + i] * b[j];
		b[i] /= box->factor[i * box->k + i];
	}
}

/*
 * The factor of a box, and the regression of all variates on its own.
 */
static void
factor(const Copula *copula, Box *box)
{
	int			k = box->k;
	double	   *row = palloc(sizeof(double) * Max(k, 1));

	box->factor = palloc_extended(sizeof(double) * Max((Size) k * k, 1),
								  MCXT_ALLOC_HUGE);
	box->regression = palloc_extended(sizeof(float) *
									  Max((Size) copula->n * k, 1),
									  MCXT_ALLOC_HUGE);
	for (int i = 0; i < k; i++)
		for (int j = 0; j < k; j++)
			box->factor[(Size) i * k + j] =
				gs_copula_covariance(copula, box->confined[i].latent,
						   box->confined[j].latent);
	if (k > 0 && !gs_cholesky(k, box->factor))
		gs_corrupted("The copula's Cholesky factor is singular.");
	for (int j = 0; j < copula->n; j++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < k; i++)
			row[i] = gs_copula_covariance(copula, box->confined[i].latent, j);
		solve(box, k, row);
		for (int i = 0; i < k; i++)
			box->regression[(Size) j * k + i] = (float) row[i];
	}
	pfree(row);
}

/*
 * Where the mean of variate t can be, given those before it in their
 * intervals.
 */
static GsInterval
mean_range(const Box *box, int t)
{
	double	   *slope = palloc(sizeof(double) * Max(t, 1));
	GsInterval	mean = {0, 0};

	/* S_t = factor_t factor^T: the slopes on the variates before */
	for (int s = 0; s < t; s++)
	{
		slope[s] = 0;
		for (int l = 0; l <= s; l++)
			slope[s] += box->factor[t * box->k + l] *
				box->factor[s * box->k + l];
	}
	solve(box, t, slope);
	for (int s = 0; s < t; s++)
	{
		const Confined *c = &box->confined[s];
		double		low = Max(c->interval[0].low, -FAR) * slope[s];
		double		high = Min(c->interval[c->n - 1].high, FAR) * slope[s];

		mean.low += Min(low, high);
		mean.high += Max(low, high);
	}
	pfree(slope);
	return mean;
}

/*
 * The most that the conditional probability of variate t can be: an
 * interval's is largest with the mean in its middle.
 */
static double
bound_of(const Box *box, int t)
{
	const Confined *c = &box->confined[t];
	double		sd = box->factor[t * box->k + t];
	GsInterval	mean = mean_range(box, t);
	double		sum = 0;

	for (int i = 0; i < c->n; i++)
	{
		double		low = c->interval[i].low;
		double		high = c->interval[i].high;
		double		best = (mean.low + mean.high) / 2;

		if (isinf(low) && isinf(high))
			return 1;
		if (isinf(low))
			best = mean.low;
		else if (isinf(high))
			best = mean.high;
		else
			best = Max(mean.low, Min(mean.high, (low + high) / 2));
		sum += gs_normal_between((low - best) / sd, (high - best) / sd);
	}
	return Min(sum, 1);
}

/*
 * The mean of variate t, given those before it; noise: of these, every
 * stride.
 */
static double
mean_of(const Box *box, int t, const double *noise, Size stride)
{
	double		mean = 0;

	for (int s = 0; s < t; s++)
		mean += box->factor[t * box->k + s] * noise[s * stride];
	return mean;
}

/*
 * What is the same for all proposals of a box: its fixed variates, and the
 * first of the others.  Returns the logarithm of the bound on its weights.
 */
static double
find_constant(Box *box)
{
	int			k = box->k;
	int			t = box->nfixed;
	double		bound;

	box->constant = 0;
	box->fixed_noise = palloc(sizeof(double) * Max(box->nfixed, 1));
	for (int s = 0; s < Min(t + 1, k); s++)
	{
		const Confined *c = &box->confined[s];
		double		sd = box->factor[s * k + s];

		box->mean = mean_of(box, s, box->fixed_noise, 1);
		box->constant += log(gs_union_probability(c->interval, c->n,
												  box->mean, sd,
												  c->probability));
		if (s < t)
			box->fixed_noise[s] = ((c->interval[0].low +
									c->interval[0].high) / 2 - box->mean) / sd;
	}
	bound = box->constant;
	for (t++; t < k; t++)
		bound += log(bound_of(box, t));
	return bound;
}

/*
 * See GsProposer.
 */
static int
prepare(void *state, int b, const GsRegion *regions, GsBoxWeights *weights)
{
	CopulaGiven *given = state;
	Box		   *box = &given->box[b];

	memset(box, 0, sizeof(Box));
	if (!collect(given->copula, given->schema, regions, box))
		return -1;
	factor(given->copula, box);
	weights->max = find_constant(box);
	if (weights->max == -INFINITY)
		return -1;
	given->nboxes = b + 1;
	weights->min = log(MIN_TOGETHER);
	for (int t = 0; t < box->k; t++)
		weights->min += log(box->confined[t].prior);
	if (given->noise == NULL || box->k > given->max)
	{
		given->max = box->k;
		given->noise = palloc_extended(sizeof(double) * GS_BATCH *
									   Max(box->k, 1), MCXT_ALLOC_HUGE);
	}
	return box->k;
}

/*
 * Draws variate t of a box; noise: the row's, every GS_BATCH.  Its probability
 * goes into the weight.
 */
static float
draw_variate(const Box *box, int t, double u, double *noise, double *weight)
{
	const Confined *c = &box->confined[t];
	double		sd = box->factor[t * box->k + t];
	double		mean = box->mean;
	double		value = (c->interval[0].low + c->interval[0].high) / 2;
	int			chosen = 0;

	if (t < box->nfixed)
		noise[(Size) t * GS_BATCH] = box->fixed_noise[t];
	else
	{
		if (t > box->nfixed)
		{
			double		all;

			mean = mean_of(box, t, noise, GS_BATCH);
			all = gs_union_probability(c->interval, c->n, mean, sd,
									   c->probability);
			*weight += log(all);
			/* too far away: any that is allowed stands in */
			if (!(all > 0))
				gs_union_probability(c->interval, c->n, mean = 0, sd = 1,
									 c->probability);
		}
		value = gs_union_draw(c->interval, c->n, mean, sd, c->probability, u,
							  &chosen);
		noise[(Size) t * GS_BATCH] = (value - mean) / sd;
	}
	return Max(c->first[chosen], Min(c->last[chosen], (float) value));
}

/*
 * See GsProposer.
 */
static void
propose(void *state, GsProposals *proposals)
{
	const CopulaGiven *given = state;

	for (int i = 0; i < proposals->n; i++)
		proposals->weight[i] = given->box[proposals->box[i]].constant;
	for (int t = 0; t < given->max; t++)
	{
		const uint32 *high = proposals->random + t % 2 * 2 * GS_BATCH;
		const uint32 *low = high + GS_BATCH;

		if (t % 2 == 0)
			gs_proposals_random(proposals, 1 + (uint32) t / 2);
		for (int i = 0; i < proposals->n; i++)
		{
			const Box  *box = &given->box[proposals->box[i]];

			/* in the middle of its 2^-53: neither end is ever met */
			double		u = (double) (((uint64) high[i] << 32 | low[i]) >> 11) *
				0x1.0p-53 + 0x1.0p-54;

			if (t < box->k)
				gs_proposal(proposals, i)[t].f =
					draw_variate(box, t, u, given->noise + i,
								 &proposals->weight[i]);
		}
	}
}

static const GsProposer proposer = {
	.prepare = prepare,.propose = propose,.rounds = TRIES
};

/*
 * gs_copula_condition: prepares for conditions, in the current context.
 * Returns what gs_copula_confine takes.  Errors: gs_given_impossible.
 */
CopulaGiven *
gs_copula_condition(const Copula *copula, GsGiven *from)
{
	CopulaGiven *given = palloc0(sizeof(CopulaGiven));

	given->copula = copula;
	given->schema = from->source;
	given->box = palloc0(sizeof(Box) * from->nboxes);
	given->conditional = gs_conditional_begin(&proposer, given, from);
	given->move = palloc_extended(sizeof(float) * GS_BATCH * given->nboxes *
								  Max((Size) given->max, 1), MCXT_ALLOC_HUGE);
	return given;
}

/*
 * Moves the variates of a batch by their regression on a box's moves.
 */
static void
move_lanes(const CopulaGiven *given, const Box *box, const float *move,
		   float *y)
{
	for (int j = 0; j < given->copula->n; j++)
	{
		float	   *lane = y + (Size) j * GS_BATCH;

		for (int t = 0; t < box->k; t++)
		{
			float		slope = box->regression[(Size) j * box->k + t];
			const float *by = move + (Size) t * GS_BATCH;

			for (int i = 0; i < GS_BATCH; i++)
				lane[i] += slope * by[i];
		}
	}
}

/*
 * gs_copula_confine: makes the latent variates of a batch meet the
 * conditions.
 *
 * y: [n][GS_BATCH] as they are without; changed.  Can be cancelled.
 */
void
gs_copula_confine(CopulaGiven *given, const GsBatch *batch, float *y)
{
	const GsProposals *kept = gs_conditional_draw(given->conditional, batch);
	Size		lanes = (Size) Max(given->max, 1) * GS_BATCH;

	memset(given->move, 0, sizeof(float) * lanes * given->nboxes);
	for (int i = 0; i < GS_BATCH; i++)
	{
		const Box  *box = &given->box[kept->box[i]];
		float	   *move = given->move + lanes * kept->box[i] + i;

		for (int t = 0; t < box->k; t++)
			move[(Size) t * GS_BATCH] = gs_proposal(kept, i)[t].f -
				y[(Size) box->confined[t].latent * GS_BATCH + i];
	}
	for (int b = 0; b < given->nboxes; b++)
		move_lanes(given, &given->box[b], given->move + lanes * b, y);

	/* rounding must not undo what is given */
	for (int i = 0; i < GS_BATCH; i++)
	{
		const Box  *box = &given->box[kept->box[i]];

		for (int t = 0; t < box->k; t++)
			y[(Size) box->confined[t].latent * GS_BATCH + i] =
				gs_proposal(kept, i)[t].f;
	}
}
