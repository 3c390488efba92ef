/*
 * private_given.c
 *	  A mixture of products, confined to conditions: exactly, as what is
 *	  allowed of a component is the product of what is allowed of its columns.
 *
 * A row draws its box and component together, by the component's weight times
 * the box's share of it; then conditioned columns from what the box allows, and
 * the others as always.
 */
#include "postgres.h"

#include <math.h>

#include "model/conditional.h"
#include "model/private.h"
#include "numeric/stratify.h"

#define MIN_SPAN	1e-30		/* of a segment's scores */

/* What a box allows of a position. */
typedef struct Allowed
{
	double	   *part;			/* [ncells] of each cell's probability; NULL:
								 * all */
	const GsRegion *region;		/* of the feature */
} Allowed;

struct PrivateGiven
{
	GsConditionStats *stats;
	int			nboxes;
	Allowed    *allowed;		/* [nboxes][npositions] */
	double	   *until;			/* [nboxes][ncomponents] sums of probabilities */
};

/*
 * How much of a segment's scores a region allows.
 */
static double
segment_part(const GsTokenPosition *values, int s, const GsRegion *region)
{
	double		base = values->base[s];
	double		span = Max(values->span[s], MIN_SPAN);
	double		sum = 0;

	for (int i = 0; i < region->n; i++)
		sum += Max(Min((region->interval[i].high - base) / span, 1) -
				   Max((region->interval[i].low - base) / span, 0), 0);
	return Min(sum, 1);
}

/*
 * How much of a value, a level or a segment, a region allows.
 */
static double
value_part(const GsTokenPosition *values, int v, const GsRegion *region)
{
	if (!region->given)
		return 1;
	return values->number ? segment_part(values, v, region) :
		region->allowed[v];
}

/*
 * The share of a value in its cell; m: its place among the members.
 */
static double
member_share(const GsTokenPosition *values, int cell, int m)
{
	return values->below[m] -
		(m > values->begin[cell] ? values->below[m - 1] : 0);
}

/*
 * What a box allows of a position.  regions: [nfeatures]
 */
static Allowed
find_allowed(const PrivatePosition *position, const GsRegion *regions)
{
	const GsTokenPosition *values = &position->values;
	Allowed		allowed = {.region = &regions[values->feature]};
	const GsRegion *null = position->null < 0 ? NULL :
		&regions[position->null];

	if (!allowed.region->given && (null == NULL || !null->given))
		return allowed;
	allowed.part = palloc0(sizeof(double) * position->ncells);
	for (int x = 0; x < values->ntokens; x++)
	{
		if (null != NULL && null->given && !null->allowed[0])
			continue;
		for (int m = values->begin[x]; m < values->begin[x + 1]; m++)
			allowed.part[x] += member_share(values, x, m) *
				value_part(values, values->member[m], allowed.region);
	}
	/* values that are asked for are not NULL */
	if (null != NULL)
		allowed.part[values->ntokens] = null->given ? null->allowed[1] :
			!allowed.region->given;
	return allowed;
}

/*
 * The logarithm of the part of a component that a box allows.
 */
static double
component_part(const PrivateModel *model, const Allowed *allowed, int r)
{
	double		sum = 0;

	for (int p = 0; p < model->npositions; p++)
	{
		const PrivatePosition *position = &model->position[p];
		const float *share = model->share + (Size) r * model->ncells +
			position->first;
		double		part = 0;

		if (allowed[p].part == NULL)
			continue;
		for (int x = 0; x < position->ncells; x++)
			part += share[x] * allowed[p].part[x];
		sum += log(part);
	}
	return sum;
}

/*
 * gs_private_condition: prepares a sampler, complete but for this, for
 * conditions, in the current context.  Errors: gs_given_impossible.
 */
void
gs_private_condition(PrivateSampler *sampler, GsGiven *from)
{
	const PrivateModel *model = sampler->model;
	struct PrivateGiven *given = palloc0(sizeof(struct PrivateGiven));
	int			n = from->nboxes * model->ncomponents;
	double		most = -INFINITY;
	double		sum = 0;

	given->stats = &from->stats;
	given->nboxes = from->nboxes;
	given->allowed = palloc0(sizeof(Allowed) * from->nboxes *
							 Max(model->npositions, 1));
	given->until = palloc(sizeof(double) * n);
	for (int b = 0; b < from->nboxes; b++)
	{
		Allowed    *allowed = given->allowed + (Size) b * model->npositions;

		for (int p = 0; p < model->npositions; p++)
		{
			allowed[p] = find_allowed(&model->position[p], from->box[b]);
			sampler->drawn[p] |= allowed[p].part != NULL;
		}
		for (int r = 0; r < model->ncomponents; r++)
		{
			double		part = log(model->weight[r]) +
				component_part(model, allowed, r);

			given->until[b * model->ncomponents + r] = part;
			most = Max(most, part);
		}
	}
	if (most == -INFINITY)
		gs_given_impossible(&from->stats);
	for (int i = 0; i < n; i++)
		given->until[i] = sum += exp(given->until[i] - most);
	sampler->given = given;
}

/*
 * The first sum above u of all that n sums come to.
 */
static int
find_sum(const double *until, int n, double u)
{
	int			low = 0;
	int			high = n - 1;

	u *= until[n - 1];
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (until[middle] > u)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/*
 * Chooses by weights at u of [0, 1) of their sum, which is left within the one
 * that is chosen, as a part of it.
 */
static int
choose(int n, double (*weight) (const void *arg, int i), const void *arg,
	   double *u)
{
	double		left = 0;
	int			last = 0;

	for (int i = 0; i < n; i++)
		left += weight(arg, i);
	left *= *u;
	for (int i = 0; i < n; i++)
	{
		double		w = weight(arg, i);

		if (!(w > 0))
			continue;
		last = i;
		*u = Min(left / w, 1);
		if (left < w)
			break;
		left -= w;
	}
	return last;
}

/* What weights are of, for choose(). */
typedef struct Choice
{
	const GsTokenPosition *values;
	const Allowed *allowed;
	const float *share;			/* [ncells] of the row's component */
	int			cell;
} Choice;

static double
cell_weight(const void *arg, int x)
{
	const Choice *choice = arg;

	return choice->share[x] * (choice->allowed->part == NULL ? 1 :
							   choice->allowed->part[x]);
}

static double
member_weight(const void *arg, int i)
{
	const Choice *choice = arg;
	const GsTokenPosition *values = choice->values;
	int			m = values->begin[choice->cell] + i;

	return member_share(values, choice->cell, m) *
		value_part(values, values->member[m], choice->allowed->region);
}

/*
 * The score at u of what a region allows of a segment.
 */
static float
segment_score(const GsTokenPosition *values, int s, const GsRegion *region,
			  double u)
{
	double		base = values->base[s];
	double		span = Max(values->span[s], MIN_SPAN);
	double		at = 1;

	if (!region->given)
		return values->base[s] + values->span[s] * (float) u;
	u *= segment_part(values, s, region);
	for (int i = 0; i < region->n; i++)
	{
		double		from = Max((region->interval[i].low - base) / span, 0);
		double		to = Min((region->interval[i].high - base) / span, 1);

		if (!(from < to))
			continue;
		at = from + Min(u, to - from);
		if (u < to - from)
			break;
		u -= to - from;
	}
	return values->base[s] + values->span[s] * (float) at;
}

/*
 * Draws a conditioned position of a row.
 */
static void
draw_given(const PrivateModel *model, int p, const Allowed *allowed, int r,
		   GsBatch *batch, int row, const uint32 *word)
{
	const PrivatePosition *position = &model->position[p];
	const GsTokenPosition *values = &position->values;
	Choice		choice = {
		.values = values,.allowed = allowed,
		.share = model->share + (Size) r * model->ncells + position->first
	};
	double		u = gs_word_uniform(word[0]);
	int			value;

	choice.cell = choose(position->ncells, cell_weight, &choice, &u);
	if (choice.cell >= values->ntokens)
	{
		gs_private_put(model, p, batch, row, choice.cell, 0);
		return;
	}
	if (position->null >= 0)
		batch->code[position->null][row] = 0;
	u = gs_word_uniform(word[GS_BATCH]);
	value = values->member[values->begin[choice.cell] +
						   choose(values->begin[choice.cell + 1] -
								  values->begin[choice.cell], member_weight,
								  &choice, &u)];
	if (values->number)
		batch->score[values->feature][row] =
			segment_score(values, value, allowed->region, u);
	else
		batch->code[values->feature][row] = value;
}

/*
 * gs_private_confine: draws the components of a batch's rows, and all
 * conditioned positions.
 */
void
gs_private_confine(PrivateSampler *sampler, GsBatch *batch)
{
	const PrivateModel *model = sampler->model;
	const struct PrivateGiven *given = sampler->given;
	int			n = model->ncomponents;
	int			box[GS_BATCH];
	uint32		word;

	gs_private_words(sampler, batch, GS_PRIVATE_COMPONENT);
	word = sampler->words[0];
	for (int i = 0; i < GS_BATCH; i++, word += GS_GOLDEN)
	{
		int			at = find_sum(given->until, given->nboxes * n,
								  gs_word_uniform(word));

		box[i] = at / n;
		sampler->component[i] = at % n;
	}
	for (int p = 0; p < model->npositions; p++)
	{
		if (!sampler->drawn[p])
			continue;
		gs_private_words(sampler, batch, GS_PRIVATE_POSITION(p));
		for (int i = 0; i < GS_BATCH; i++)
		{
			const Allowed *allowed = &given->allowed[(Size) box[i] *
													 model->npositions + p];

			draw_given(model, p, allowed, sampler->component[i], batch, i,
					   sampler->words + i);
		}
	}
	given->stats->rows += GS_BATCH;
	given->stats->tries += GS_BATCH;
	given->stats->weight += GS_BATCH;
	given->stats->squared += GS_BATCH;
}
