/*
 * copula_context.c
 *	  The Gaussian copula, given what is known of every row.
 *
 * The known variates come first in a Cholesky factor of their own, numbers
 * before categories.  A number's variate is its score.  A category's is only
 * known to lie in an interval, so it is drawn there, one after the other, given
 * those before it; of PROPOSALS such draws one is taken by its weight, the
 * product of the intervals' probabilities (GHK: Geweke, Hajivassiliou and
 * Keane; see Hajivassiliou, McFadden and Ruud, J. Econometrics 72, 1996).  What
 * a row does not say is drawn likewise, from the whole axis.  The other
 * variates follow by the rows of the factor behind.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/copula.h"
#include "numeric/blas.h"
#include "numeric/normal.h"
#include "numeric/philox.h"
#include "numeric/truncated.h"

#define PROPOSALS	4

/* A variate that is known of every row. */
typedef struct Known
{
	const CopulaLatent *latent;
	int		   *at;			/* [nlevels] position of a level; number: NULL */
} Known;

struct CopulaContext
{
	int			n;				/* variates */
	int			nknown;
	int			nnumbers;		/* the first of the known ones */
	Known	   *known;			/* [nknown] */
	int		   *variate;		/* [n] in the order of the factor */
	double	   *factor;			/* [n][n] lower triangle */
	double	   *noise;			/* [nknown] of the proposal at hand */
	double	   *kept;			/* [nknown] */
	float	   *to;				/* [nknown][GS_BATCH] */
};

static void
order_variates(CopulaContext *context, const Copula *copula, const bool *known)
{
	int			n = 0;

	/* known numbers, known categories, the others */
	for (int kind = 0; kind < 3; kind++)
	{
		for (int j = 0; j < copula->n; j++)
		{
			const CopulaLatent *latent = &copula->latent[j];
			int			is = !known[latent->feature] ? 2 :
				latent->number ? 0 : 1;

			if (is == kind)
				context->variate[n++] = j;
		}
		if (kind == 0)
			context->nnumbers = n;
		if (kind == 1)
			context->nknown = n;
	}
}

/*
 * gs_copula_context: prepares for context, in the current context of memory.
 *
 * known: [nfeatures] features of every row
 */
CopulaContext *
gs_copula_context(const Copula *copula, const bool *known)
{
	CopulaContext *context = palloc0(sizeof(CopulaContext));
	int			n = copula->n;

	context->n = n;
	context->variate = palloc(sizeof(int) * Max(n, 1));
	order_variates(context, copula, known);
	context->factor = palloc_extended(sizeof(double) * Max((Size) n * n, 1),
									  MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < n; j++)
			context->factor[(Size) i * n + j] =
				gs_copula_covariance(copula, context->variate[i], context->variate[j]);
	}
	if (n > 0 && !gs_cholesky(n, context->factor))
		gs_corrupted("The copula's Cholesky factor is singular.");
	context->known = palloc0(sizeof(Known) * Max(context->nknown, 1));
	for (int k = 0; k < context->nknown; k++)
	{
		Known	   *of = &context->known[k];

		of->latent = &copula->latent[context->variate[k]];
		if (of->latent->number)
			continue;
		of->at = palloc(sizeof(int) * of->latent->nlevels);
		for (int l = 0; l < of->latent->nlevels; l++)
			of->at[of->latent->order[l]] = l;
	}
	context->noise = palloc(sizeof(double) * Max(context->nknown, 1));
	context->kept = palloc(sizeof(double) * Max(context->nknown, 1));
	context->to = palloc(sizeof(float) * GS_BATCH * Max(context->nknown, 1));
	return context;
}

/*
 * The interval of a category's variate in a row.
 */
static GsInterval
interval_of(const Known *known, int32 code)
{
	int			at;

	if (code == GS_NO_CODE)
		return (GsInterval) {-INFINITY, INFINITY};
	at = known->at[code];
	return (GsInterval) {known->latent->edge[at], known->latent->edge[at + 1]};
}

/*
 * Draws the known variates of a row from number k on: context->noise.  Returns
 * the weight.
 */
static double
propose(CopulaContext *context, const GsBatch *batch, int row, int from,
		GsRandom *random)
{
	double		weight = 1;

	for (int k = from; k < context->nknown; k++)
	{
		const Known *known = &context->known[k];
		const double *factor = context->factor + (Size) k * context->n;
		int			f = known->latent->feature;
		double		mean = 0;
		double		u = gs_random_uniform(random);
		GsInterval	in = {-INFINITY, INFINITY};

		for (int t = 0; t < k; t++)
			mean += factor[t] * context->noise[t];
		if (known->latent->number && !isnan(batch->score[f][row]))
		{
			context->noise[k] = (batch->score[f][row] - mean) / factor[k];
			continue;
		}
		if (!known->latent->number)
			in = interval_of(known, batch->code[f][row]);
		in.low = (in.low - mean) / factor[k];
		in.high = (in.high - mean) / factor[k];
		if (in.low < in.high)
			weight *= gs_normal_between(in.low, in.high);
		/* a level without a share, or one that is all but impossible here */
		context->noise[k] = !(in.low < in.high) ? in.low :
			gs_normal_truncated(in.low, in.high, u);
		context->noise[k] = Max(-40, Min(context->noise[k], 40));
	}
	return weight;
}

/*
 * The known variates of a row, independent of each other: context->kept.
 */
static void
draw_known(CopulaContext *context, const GsBatch *batch, int row)
{
	GsRandom	random;
	double		total = 0;
	int			from = 0;

	gs_random_start(&random, batch->key, gs_batch_row(batch, row),
					GS_STREAM_GIVEN);
	for (int p = 0; p < PROPOSALS; p++)
	{
		double		weight = propose(context, batch, row, from, &random);

		total += weight;
		if (p == 0 || gs_random_uniform(&random) * total < weight)
			memcpy(context->kept, context->noise,
				   sizeof(double) * context->nknown);
		/* numbers are the same in all of them */
		from = context->nnumbers;
		if (context->nknown - context->nnumbers < 2)
			break;
	}
}

/*
 * gs_copula_know: the variates of a batch that are not known, given those that
 * are.
 *
 * z: [n][GS_BATCH] independent normal ones; y: [n][GS_BATCH], filled where a
 * variate is not known.  Can be cancelled.
 */
void
gs_copula_know(CopulaContext *context, const GsBatch *batch, const float *z,
			   float *y)
{
	int			n = context->n;

	for (int i = 0; i < GS_BATCH; i++)
	{
		CHECK_FOR_INTERRUPTS();
		draw_known(context, batch, i);
		for (int k = 0; k < context->nknown; k++)
			context->to[k * GS_BATCH + i] = (float) context->kept[k];
	}
	for (int r = context->nknown; r < n; r++)
	{
		const double *factor = context->factor + (Size) r * n;
		float	   *out = y + (Size) context->variate[r] * GS_BATCH;

		memset(out, 0, sizeof(float) * GS_BATCH);
		for (int t = 0; t <= r; t++)
		{
			float		by = (float) factor[t];
			const float *lane = t < context->nknown ?
				context->to + (Size) t * GS_BATCH :
				z + (Size) context->variate[t] * GS_BATCH;

			for (int i = 0; i < GS_BATCH; i++)
				out[i] += by * lane[i];
		}
	}
}
