/*
 * private_known.c
 *	  A mixture of products, given what is known of every row: components are
 *	  drawn by how likely they make it, and the other columns from them.
 */
#include "postgres.h"

#include <math.h>

#include "model/conditional.h"
#include "model/private.h"
#include "nn/nn.h"
#include "numeric/guide.h"
#include "numeric/philox.h"

/* What is hardly possible: rows come from elsewhere, too. */
#define MIN_SHARE	1e-30f

/* A position that is known. */
typedef struct KnownPosition
{
	int			p;
	GsGuide		guide;			/* number: to its segments */

	/*
	 * [ncells + 1][ncomponents] logarithms of a cell's probability, and of
	 * that of any but NULL
	 */
	float	   *likely;
} KnownPosition;

struct PrivateKnown
{
	int			n;
	KnownPosition *position;	/* [n] */
	float	   *prior;			/* [ncomponents] logarithms of weights */
	float	   *weight;			/* [ncomponents] of a row */
};

/*
 * Prepares for a position.
 */
static void
know_position(const PrivateModel *model, int p, KnownPosition *known)
{
	const PrivatePosition *position = &model->position[p];
	const GsQuantile *q =
		&model->schema->features[position->values.feature].quantile;
	int			n = model->ncomponents;

	known->p = p;
	if (position->values.number)
		gs_guide_init(&known->guide, q->edge, q->nsegments, palloc);
	known->likely = palloc_extended(sizeof(float) * (position->ncells + 1) *
									(Size) n, MCXT_ALLOC_HUGE);
	for (int r = 0; r < n; r++)
	{
		const float *share = model->share + (Size) r * model->ncells +
			position->first;

		for (int x = 0; x < position->ncells; x++)
			known->likely[(Size) x * n + r] = logf(Max(share[x], MIN_SHARE));
		known->likely[(Size) position->ncells * n + r] =
			logf(Max(1 - share[position->ncells - 1], MIN_SHARE));
	}
}

/*
 * gs_private_know: prepares a sampler for rows of which features are known.
 */
void
gs_private_know(PrivateSampler *sampler, const bool *context)
{
	const PrivateModel *model = sampler->model;
	struct PrivateKnown *known = palloc0(sizeof(struct PrivateKnown));

	known->position = palloc0(sizeof(KnownPosition) *
							  Max(model->npositions, 1));
	known->prior = palloc(sizeof(float) * model->ncomponents);
	known->weight = palloc(sizeof(float) * model->ncomponents);
	for (int r = 0; r < model->ncomponents; r++)
		known->prior[r] = logf(Max((float) model->weight[r], MIN_SHARE));
	for (int p = 0; p < model->npositions; p++)
	{
		const PrivatePosition *position = &model->position[p];

		if (!context[position->values.feature] &&
			(position->null < 0 || !context[position->null]))
			continue;
		sampler->drawn[p] = true;
		know_position(model, p, &known->position[known->n++]);
	}
	sampler->known = known;
}

/*
 * The cell that a row has at a position; ncells: any but NULL; -1: it says
 * nothing.
 */
static int
known_cell(const PrivatePosition *position, const KnownPosition *known,
		   const GsBatch *batch, int row)
{
	const GsTokenPosition *values = &position->values;
	int			null = position->null < 0 ? GS_NO_CODE :
		batch->code[position->null][row];

	if (null == 1)
		return position->ncells - 1;
	if (values->number && !isnan(batch->score[values->feature][row]))
		return values->token[gs_guide_find_one(&known->guide,
											   batch->score[values->feature][row])];
	if (!values->number && batch->code[values->feature][row] != GS_NO_CODE)
		return values->token[batch->code[values->feature][row]];
	return null == GS_NO_CODE ? -1 : position->ncells;
}

/*
 * The component of a row, at u of [0, 1) of what is likely.
 */
static int
draw_component(const PrivateModel *model, struct PrivateKnown *known,
			   const GsBatch *batch, int row, double u)
{
	int			n = model->ncomponents;
	float	   *weight = known->weight;
	float		most = -INFINITY;
	double		sum = 0;
	int			r = 0;

	memcpy(weight, known->prior, sizeof(float) * n);
	for (int k = 0; k < known->n; k++)
	{
		const KnownPosition *at = &known->position[k];
		int			cell = known_cell(&model->position[at->p], at, batch, row);
		const float *likely = at->likely + (Size) Max(cell, 0) * n;

		for (int i = 0; i < n && cell >= 0; i++)
			weight[i] += likely[i];
	}
	for (int i = 0; i < n; i++)
		most = Max(most, weight[i]);
	for (int i = 0; i < n; i++)
		weight[i] -= most;
	gs_exp((size_t) n, weight, weight);
	for (int i = 0; i < n; i++)
		sum += weight[i];
	u *= sum;
	while (r < n - 1 && u >= weight[r])
		u -= weight[r++];
	return r;
}

/*
 * gs_private_follow: the components of a batch's rows, from what is known of
 * them.
 */
void
gs_private_follow(PrivateSampler *sampler, const GsBatch *batch)
{
	gs_private_words(sampler, batch, GS_PRIVATE_COMPONENT);
	for (int i = 0; i < GS_BATCH; i++)
		sampler->component[i] = draw_component(sampler->model, sampler->known,
											   batch, i,
											   gs_word_uniform(sampler->words[i]));
}
