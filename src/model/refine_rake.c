/*
 * refine_rake.c
 *	  Refinement of any family: what a round accepts, so that columns by
 *	  themselves keep their shares.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/refine_fit.h"

#define CAP_STEP		0.05
#define RAKE_PASSES		3
#define RAKE_TIMES		4		/* the model's rows for it, of real ones */
#define RAKE_ROUNDS		5		/* until enough are accepted after it */
#define RAKE_ROWS		10		/* that pull to no shift */

/* Rows of the model that columns are raked with. */
typedef struct Candidates
{
	uint32		n;
	uint8	  **code;			/* [npredictors][n] */
	float	   *margin;			/* [n] */
	float	   *shift;			/* [n] */
} Candidates;

/*
 * Many rows of the model, from batch number index on: what is accepted of as
 * few as there are real ones would have chance in its shares.
 */
static Candidates
make_candidates(const GsRefineRows *rows, const GsRefineRound *round,
				GsSampler *sampler, GsBatch *batch, int64 index)
{
	const GsRefine *refine = rows->refine;
	GsRefining *refining = rows->refining;
	Candidates	made;

	made.n = (uint32) Min((uint64) RAKE_TIMES * rows->nreal,
						  Max((uint64) rows->max, rows->nreal));
	made.code = palloc(sizeof(uint8 *) * refine->npredictors);
	for (int p = 0; p < refine->npredictors; p++)
		made.code[p] = palloc(made.n);
	for (uint32 first = 0; first < made.n; first += GS_BATCH)
	{
		CHECK_FOR_INTERRUPTS();
		gs_batch_fill(sampler, batch, index++);
		gs_refine_encode(refining, batch);
		for (int p = 0; p < refine->npredictors; p++)
			memcpy(made.code[p] + first, refining->code[p],
				   Min(GS_BATCH, made.n - first));
	}
	made.margin = gs_refine_margins(refine, round, made.code, made.n);
	made.shift = palloc_extended(sizeof(float) * made.n,
								 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return made;
}

static void
free_candidates(const GsRefineRows *rows, Candidates *made)
{
	for (int p = 0; p < rows->refine->npredictors; p++)
		pfree(made->code[p]);
	pfree(made->code);
	pfree(made->margin);
	pfree(made->shift);
}

/*
 * The share of candidates that a cap accepts.
 */
static double
accepted_share(const Candidates *made, double cap)
{
	double		accepted = 0;

	CHECK_FOR_INTERRUPTS();
	for (uint32 i = 0; i < made->n; i++)
		accepted += expf(Min(made->margin[i] + made->shift[i] - (float) cap,
							 0));
	return accepted / made->n;
}

/*
 * What a cap has cut off is missing from the columns by themselves.  Codes get
 * a shift each, so that what is accepted has them as often as real rows do
 * (raking: Deming and Stephan, Annals of Mathematical Statistics 11, 1940).
 */
static void
rake(const GsRefineRows *rows, Candidates *made, GsRefineRound *round)
{
	int			npredictors = rows->refine->npredictors;

	for (int pass = 0; pass < RAKE_PASSES * npredictors; pass++)
	{
		int			p = pass % npredictors;
		double		real[GS_TREE_CODES] = {0};
		double		weights[GS_TREE_CODES] = {0};
		double		accepted = 0;
		float		more[GS_TREE_CODES];

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = 0; i < rows->n; i++)
			real[rows->code[p][i]] += rows->label[i];
		for (uint32 i = 0; i < made->n; i++)
		{
			double		weight = expf(Min(made->margin[i] + made->shift[i] -
										  (float) round->cap, 0));

			weights[made->code[p][i]] += weight;
			accepted += weight;
		}
		for (int c = 0; c < rows->ncodes[p]; c++)
		{
			more[c] = (float) log((real[c] + RAKE_ROWS) /
								  (weights[c] * rows->nreal / accepted +
								   RAKE_ROWS));
			round->shift[p * GS_TREE_CODES + c] += more[c];
		}
		for (uint32 i = 0; i < made->n; i++)
			made->shift[i] += more[made->code[p][i]];
	}
}

/*
 * gs_refine_rake: a round's cap and shifts, by rows of the model from batch
 * number index on.
 *
 * Columns are raked anew after the cap was lowered, since that brings back
 * some of what it had cut off.  Returns the share of the model's rows that are
 * accepted.
 */
double
gs_refine_rake(const GsRefineRows *rows, GsRefineRound *round,
			   GsSampler *sampler, GsBatch *batch, int64 index)
{
	Candidates	made = make_candidates(rows, round, sampler, batch, index);
	double		accepted;

	round->shift = palloc0(sizeof(float) * GS_TREE_CODES *
						   rows->refine->npredictors);
	for (int i = 0; i <= RAKE_ROUNDS; i++)
	{
		rake(rows, &made, round);
		if (accepted_share(&made, round->cap) >= rows->min_accepted)
			break;
		while (accepted_share(&made, round->cap) < rows->min_accepted)
			round->cap -= CAP_STEP;
	}
	accepted = accepted_share(&made, round->cap);
	free_candidates(rows, &made);
	return accepted;
}
