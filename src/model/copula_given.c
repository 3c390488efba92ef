/*
 * copula_given.c
 *	  The Gaussian copula, confined to conditions.
 *
 * A condition confines a latent variate to a union of intervals: those of a
 * category's levels, or of a number's scores.  The confined variates of a row
 * are drawn first, exactly, by rejection:
 *
 *	 - The proposal takes them one after the other from their truncated
 *	   conditional distributions, the rarest first (the GHK simulator: Geweke,
 *	   "Efficient simulation from the multivariate normal and Student-t
 *	   distributions subject to linear constraints", 1991; Hajivassiliou and
 *	   McFadden, "The method of simulated scores", Econometrica 66, 1998).
 *	   Its weight is the product of their conditional probabilities; of the
 *	   first variate that is the same for all rows, so that a condition on
 *	   one column takes a single try.
 *	 - It is accepted with the weight's share of a bound on it.  A conditional
 *	   probability is bounded over the means that the variates before it
 *	   allow.
 *	 - Of boxes (see given.h) one is proposed by its estimated probability,
 *	   and the bound makes up for the estimate.
 *	 - A row that finds nothing in GIVEN_TRIES tries takes one of them by
 *	   weight: importance resampling, no longer exact.
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

#include "model/copula.h"
#include "numeric/blas.h"
#include "numeric/normal.h"
#include "numeric/philox.h"

#define GIVEN_TRIES		1000	/* of a row */
#define PILOT_ROWS		1000	/* proposals that estimate a box */
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
	double		prior;			/* probability on its own */
	bool		fixed;
	double		bound;			/* of the conditional probability */
} Confined;

typedef struct Box
{
	int			k;
	int			nfixed;			/* of them, at the beginning */
	Confined   *confined;		/* [k] in the order they are drawn */
	double	   *factor;			/* [k][k] Cholesky factor of theirs */
	float	   *regression;		/* [n][k] */
	double	   *fixed_noise;	/* [nfixed] */
	double		mean;			/* of the first that is not fixed ... */
	double	   *probability;	/* ... and of its intervals */
	double		constant;		/* factor of every weight */
	double		bound;			/* of the weights */
	double		proposed;		/* probability to be proposed */
} Box;

/* What one try found. */
typedef struct Proposal
{
	int			box;
	double		weight;			/* over the probability of the box */
	float	   *y;				/* [most] */
} Proposal;

struct CopulaGiven
{
	int			n;				/* variates of the model */
	int			nboxes;
	Box		   *box;
	int			max;			/* largest k of a box */
	double		bound;			/* of weight over probability */
	uint32		blocks;			/* Philox blocks of a try */
	Proposal	now;
	Proposal	kept;
	double	   *noise;			/* [most] */
	double	   *probability;	/* scratch for the most intervals */
	int			max_intervals;
	float	   *move;			/* [nboxes][most][GS_BATCH] */
	float	   *to;				/* [most][GS_BATCH] */
	int		   *chosen;			/* [GS_BATCH] boxes */
	GsConditionStats *stats;
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
	double	   *probability = palloc(sizeof(double) * Max(room, 1));

	confined->n = 0;
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
										   probability);
	confined->fixed = n == 1 && confined->interval[0].high -
		confined->interval[0].low < NARROW;
	pfree(probability);
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

static double
mean_of(const Box *box, int t, const double *noise)
{
	double		mean = 0;

	for (int s = 0; s < t; s++)
		mean += box->factor[t * box->k + s] * noise[s];
	return mean;
}

/*
 * What is the same for all tries of a box: its fixed variates, and the first
 * of the others.
 */
static void
prepare(Box *box)
{
	int			k = box->k;
	int			t = box->nfixed;

	box->constant = 1;
	box->fixed_noise = palloc(sizeof(double) * Max(box->nfixed, 1));
	for (int s = 0; s < box->nfixed; s++)
	{
		const Confined *c = &box->confined[s];
		double		sd = box->factor[s * k + s];
		double		mean = mean_of(box, s, box->fixed_noise);
		double		at = (c->interval[0].low + c->interval[0].high) / 2;
		double		ignored;

		box->fixed_noise[s] = (at - mean) / sd;
		box->constant *= gs_union_probability(c->interval, 1, mean, sd,
											  &ignored);
	}
	if (t < k)
	{
		box->probability = palloc(sizeof(double) * box->confined[t].n);
		box->mean = mean_of(box, t, box->fixed_noise);
		box->constant *= gs_union_probability(box->confined[t].interval,
											  box->confined[t].n, box->mean,
											  box->factor[t * k + t],
											  box->probability);
	}
	box->bound = box->constant;
	for (t++; t < k; t++)
	{
		box->confined[t].bound = bound_of(box, t);
		box->bound *= box->confined[t].bound;
	}
}

static inline double
clamp_float(double y, const Confined *c, int interval)
{
	return Max(c->first[interval], Min(c->last[interval], (float) y));
}

/*
 * A proposal from a box: y gets its variates.  Returns the weight.
 */
static double
propose(CopulaGiven *given, const Box *box, GsRandom *random, float *y)
{
	int			k = box->k;
	double	   *noise = given->noise;
	double		weight = box->constant;
	int			chosen;

	for (int t = 0; t < box->nfixed; t++)
	{
		const Confined *c = &box->confined[t];

		noise[t] = box->fixed_noise[t];
		y[t] = clamp_float((c->interval[0].low + c->interval[0].high) / 2, c,
						   0);
	}
	for (int t = box->nfixed; t < k; t++)
	{
		const Confined *c = &box->confined[t];
		double		sd = box->factor[t * k + t];
		double		mean = box->mean;
		double	   *probability = box->probability;
		double		value;

		if (t > box->nfixed)
		{
			double		all;

			mean = mean_of(box, t, noise);
			probability = given->probability;
			all = gs_union_probability(c->interval, c->n, mean, sd,
									   probability);
			if (!(all > 0))
				return 0;
			weight *= all;
		}
		/* in the middle of its 2^-53: neither end is ever met */
		value = gs_union_draw(c->interval, c->n, mean, sd, probability,
							  gs_random_uniform(random) + 0x1.0p-54, &chosen);
		noise[t] = (value - mean) / sd;
		y[t] = clamp_float(value, c, chosen);
	}
	return weight;
}

/*
 * Which box is proposed.
 */
static int
choose_box(const CopulaGiven *given, GsRandom *random)
{
	double		at;
	int			b = 0;

	if (given->nboxes == 1)
		return 0;
	at = gs_random_uniform(random);
	while (b < given->nboxes - 1 && at >= given->box[b].proposed)
		at -= given->box[b++].proposed;
	return b;
}

static void
keep(CopulaGiven *given)
{
	Proposal	swap = given->kept;

	given->kept = given->now;
	given->now = swap;
}

/*
 * Draws the confined variates of a row into given->kept.
 */
static void
draw_row(CopulaGiven *given, uint64 key, uint64 row)
{
	double		total = 0;

	given->stats->rows++;
	for (uint32 try = 0; try < GIVEN_TRIES; try++)
	{
		Proposal   *now = &given->now;
		const Box  *box;
		GsRandom	random;

		gs_random_start(&random, key, row, GS_STREAM_GIVEN);
		random.draw = try * given->blocks;
		now->box = choose_box(given, &random);
		box = &given->box[now->box];
		now->weight = propose(given, box, &random, now->y) / box->proposed;
		gs_given_try(given->stats, now->weight);
		if ((given->nboxes == 1 && box->k <= box->nfixed + 1) ||
			gs_random_uniform(&random) * given->bound < now->weight)
		{
			keep(given);
			return;
		}
		total += now->weight;
		if (gs_random_uniform(&random) * total < now->weight)
			keep(given);
	}
	given->stats->resampled++;
	if (!(total > 0))
		gs_given_impossible(given->stats);
}

/*
 * Estimates the probability of a box.  Returns false if it is next to
 * nothing, by what its conditions would have independently.
 */
static bool
estimate(CopulaGiven *given, Box *box)
{
	double		apart = 1;
	double		sum = 0;
	int			rows = box->k > box->nfixed + 1 ? PILOT_ROWS : 1;

	for (int t = 0; t < box->k; t++)
		apart *= box->confined[t].prior;
	for (int row = 0; row < rows; row++)
	{
		GsRandom	random;

		gs_random_start(&random, 0, row, GS_STREAM_GIVEN);
		sum += propose(given, box, &random, given->now.y);
	}
	box->proposed = sum / rows;
	return box->proposed > 0 && box->proposed >= MIN_TOGETHER * apart;
}

/*
 * Room for what a row and a batch take.
 */
static void
allocate(CopulaGiven *given)
{
	Size		lanes = (Size) Max(given->max, 1) * GS_BATCH;

	given->blocks = (2 * (given->max + 3) + 3) / 4;
	given->noise = palloc(sizeof(double) * Max(given->max, 1));
	given->probability = palloc(sizeof(double) *
								Max(given->max_intervals, 1));
	given->now.y = palloc(sizeof(float) * Max(given->max, 1));
	given->kept.y = palloc(sizeof(float) * Max(given->max, 1));
	given->move = palloc_extended(sizeof(float) * lanes * given->nboxes,
								  MCXT_ALLOC_HUGE);
	given->to = palloc_extended(sizeof(float) * lanes, MCXT_ALLOC_HUGE);
	given->chosen = palloc(sizeof(int) * GS_BATCH);
}

static CopulaGiven *
create(const Copula *copula, GsGiven *from)
{
	CopulaGiven *given = palloc0(sizeof(CopulaGiven));

	given->n = copula->n;
	given->stats = &from->stats;
	given->box = palloc0(sizeof(Box) * from->nboxes);
	for (int b = 0; b < from->nboxes; b++)
	{
		Box		   *box = &given->box[given->nboxes];

		memset(box, 0, sizeof(Box));
		if (!collect(copula, from->source, from->box[b], box))
			continue;
		factor(copula, box);
		prepare(box);
		given->max = Max(given->max, box->k);
		for (int t = 0; t < box->k; t++)
			given->max_intervals = Max(given->max_intervals,
									   box->confined[t].n);
		given->nboxes++;
	}
	return given;
}

/*
 * gs_copula_condition: prepares for conditions, in the current context.
 * Returns what gs_copula_confine takes.  Errors: gs_given_impossible.
 */
CopulaGiven *
gs_copula_condition(const Copula *copula, GsGiven *from)
{
	CopulaGiven *given = create(copula, from);
	int			nboxes = 0;
	double		sum = 0;

	allocate(given);
	for (int b = 0; b < given->nboxes; b++)
	{
		if (!estimate(given, &given->box[b]))
			continue;
		sum += given->box[b].proposed;
		given->box[nboxes++] = given->box[b];
	}
	given->nboxes = nboxes;
	if (nboxes == 0)
		gs_given_impossible(given->stats);
	for (int b = 0; b < nboxes; b++)
	{
		given->box[b].proposed /= sum;
		given->bound = Max(given->bound,
						   given->box[b].bound / given->box[b].proposed);
	}
	return given;
}

/*
 * Moves the variates of a batch by their regression on a box's moves.
 */
static void
move_lanes(const CopulaGiven *given, const Box *box, const float *move,
		   float *y)
{
	for (int j = 0; j < given->n; j++)
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
	Size		lanes = (Size) Max(given->max, 1) * GS_BATCH;

	memset(given->move, 0, sizeof(float) * lanes * given->nboxes);
	for (int i = 0; i < GS_BATCH; i++)
	{
		const Box  *box;
		float	   *move;

		CHECK_FOR_INTERRUPTS();
		draw_row(given, batch->key, (uint64) (batch->first + i));
		given->chosen[i] = given->kept.box;
		box = &given->box[given->kept.box];
		move = given->move + lanes * given->kept.box;
		for (int t = 0; t < box->k; t++)
		{
			Size		at = (Size) t * GS_BATCH + i;

			given->to[at] = given->kept.y[t];
			move[at] = given->kept.y[t] -
				y[(Size) box->confined[t].latent * GS_BATCH + i];
		}
	}
	for (int b = 0; b < given->nboxes; b++)
		move_lanes(given, &given->box[b], given->move + lanes * b, y);

	/* rounding must not undo what is given */
	for (int i = 0; i < GS_BATCH; i++)
	{
		const Box  *box = &given->box[given->chosen[i]];

		for (int t = 0; t < box->k; t++)
			y[(Size) box->confined[t].latent * GS_BATCH + i] =
				given->to[(Size) t * GS_BATCH + i];
	}
}
