/*
 * tree_given.c
 *	  Sequential trees, confined to conditions.
 *
 * A row's conditioned features, and those that their trees ask for, are drawn
 * one after the other as always, but a conditioned one only from that part of
 * its leaf's distribution which is allowed.  The proposal's weight (see
 * conditional.h) is the product of the probabilities of these parts; a bound on
 * it is the product of the largest ones in any leaf.  Where nothing
 * unconditioned comes before the only condition, that is the weight itself.
 *
 * A number that is told from another one (tree_shift.c) is drawn here by its
 * own distribution in the leaf, which every leaf has beside that of the
 * difference.  All other features are drawn as without conditions.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/conditional.h"
#include "model/tree.h"

#define TRIES		1000		/* of a row */

/* A part of the axis of a feature's levels, or of its segments by rank. */
typedef struct Stretch
{
	double		from;
	double		to;
	double		before;			/* length of the stretches before */
} Stretch;

/* What a box allows of a feature. */
typedef struct Allowed
{
	int			nstretches;		/* in order */
	Stretch    *stretch;		/* NULL: there is no condition on it */
	double	  **below;			/* [nnodes] of a leaf: its entries' allowed
								 * probabilities, up to each */
	int			likeliest;		/* leaf */
} Allowed;

struct TreeGiven
{
	GsConditional *conditional;
	int			n;				/* features that are drawn before the others */
	int		   *position;		/* [n] in the order of drawing */
	int		   *step_of;		/* [positions] and which of these they are */
	Allowed    *allowed;		/* [boxes][n] */
};

/*
 * The allowed length from 0 to a point of the axis.
 */
static double
length_before(const Allowed *step, double at)
{
	int			low = 0;
	int			high = step->nstretches;
	const Stretch *stretch;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (step->stretch[middle].from < at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return 0;
	stretch = &step->stretch[low - 1];
	return stretch->before + Min(at, stretch->to) - stretch->from;
}

/*
 * The point of the axis that has so much allowed length before it.
 */
static double
point_at(const Allowed *step, double length)
{
	int			low = 0;
	int			high = step->nstretches;
	const Stretch *stretch;

	while (high - low > 1)
	{
		int			middle = (low + high) / 2;

		if (step->stretch[middle].before <= length)
			low = middle;
		else
			high = middle;
	}
	stretch = &step->stretch[low];
	return Min(stretch->from + (length - stretch->before), stretch->to);
}

/*
 * The share of an entry that is allowed.  A level stands for all from it to
 * the next.
 */
static double
share_of(const Allowed *step, const GsLeafEntry *entry)
{
	double		width = entry->width > 0 ? entry->width : 1;

	return (length_before(step, entry->position + width) -
			length_before(step, entry->position)) / width;
}

static void
add_stretch(Allowed *step, double from, double to)
{
	Stretch    *last = &step->stretch[step->nstretches - 1];

	if (!(from < to))
		return;
	if (step->nstretches > 0 && last->to == from)
	{
		last->to = to;
		return;
	}
	step->stretch[step->nstretches] = (Stretch) {
		from, to, step->nstretches > 0 ?
			last->before + last->to - last->from : 0
	};
	step->nstretches++;
}

/*
 * A region as stretches of the axis.
 */
static void
stretch_region(const TreePosition *position, const GsRegion *region,
			   Allowed *step)
{
	step->stretch = palloc(sizeof(Stretch) * (position->nvalues +
											  Max(region->n, 0) + 1));
	if (!position->number)
	{
		for (int l = 0; l < position->nvalues; l++)
			if (region->allowed[l])
				add_stretch(step, l, l + 1);
		return;
	}
	for (int r = 0; r < position->nvalues; r++)
	{
		double		base = position->base[r];
		double		span = Max(position->span[r], 1e-30);

		for (int i = 0; i < region->n; i++)
		{
			const GsInterval *interval = &region->interval[i];
			double		from = Max((interval->low - base) / span, 0);
			double		to = Min((interval->high - base) / span, 1);

			if (from < to)
				add_stretch(step, r + from, r + to);
		}
	}
}

/*
 * The probability of what is allowed, entry by entry in every leaf.  Returns
 * the largest of a leaf.
 */
static double
weigh_leaves(const TreeModel *model, const TreePosition *position,
			 Allowed *step)
{
	double		max = 0;

	step->below = palloc0(sizeof(double *) * position->nnodes);
	for (int at = 0; at < position->nnodes; at++)
	{
		const TreeNode *leaf = &position->node[at];
		const GsLeafEntry *entry = model->entry + leaf->left;
		double	   *below;
		double		sum = 0;

		if (leaf->position >= 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		below = palloc_extended(sizeof(double) * leaf->n, MCXT_ALLOC_HUGE);
		step->below[at] = below;
		for (int e = 0; e < leaf->n; e++)
			below[e] = sum += (entry[e].below -
							   (e > 0 ? entry[e - 1].below : 0)) *
				share_of(step, &entry[e]);
		if (sum > max)
		{
			max = sum;
			step->likeliest = at;
		}
	}
	return max;
}

/*
 * Which positions are drawn before the others: the conditioned ones of all
 * boxes, and what their trees ask for.
 */
static bool *
find_first(const TreeModel *model, const GsGiven *from)
{
	bool	   *needed = palloc0(sizeof(bool) * Max(model->nfeatures, 1));
	bool	   *first = palloc0(sizeof(bool) * Max(model->n, 1));

	for (int b = 0; b < from->nboxes; b++)
		for (int f = 0; f < model->nfeatures; f++)
			needed[f] |= from->box[b][f].given;
	gs_tree_wanted(model, needed, first);
	pfree(needed);
	return first;
}

/*
 * See GsProposer.
 */
static int
prepare(void *state, int b, const GsRegion *regions, GsBoxWeights *weights)
{
	const TreeSampler *sampler = state;
	TreeGiven  *given = sampler->given;

	weights->max = 0;
	for (int s = 0; s < given->n; s++)
	{
		const TreePosition *position =
			&sampler->model->position[given->position[s]];
		Allowed    *step = &given->allowed[b * given->n + s];

		memset(step, 0, sizeof(Allowed));
		if (!regions[position->feature].given)
			continue;
		stretch_region(position, &regions[position->feature], step);
		weights->max += log(weigh_leaves(sampler->model, position, step));
	}
	return weights->max > -INFINITY ? given->n : -1;
}

/*
 * What a conditioned step draws from a leaf, by two random words; the
 * probability of all that is allowed goes into the weight.  Where the leaf
 * allows nothing, the likeliest stands in.
 */
static double
draw_given(const TreeModel *model, const TreePosition *position,
		   const Allowed *step, int leaf, const uint32 *word, double *weight)
{
	int			n = position->node[leaf].n;
	const GsLeafEntry *entry;
	double		before;
	double		length;
	double		u;
	int			low = 0;

	*weight += log(step->below[leaf][n - 1]);
	if (!(step->below[leaf][n - 1] > 0))
		leaf = step->likeliest;
	n = position->node[leaf].n;
	u = gs_word_uniform(word[0]) * step->below[leaf][n - 1];
	for (int high = n - 1; low < high;)
	{
		int			middle = (low + high) / 2;

		if (step->below[leaf][middle] > u)
			high = middle;
		else
			low = middle + 1;
	}
	entry = model->entry + position->node[leaf].left + low;
	if (!position->number)
		return entry->position;
	before = length_before(step, entry->position);
	length = length_before(step, entry->position +
						   (entry->width > 0 ? entry->width : 1)) - before;
	return point_at(step, before +
					gs_word_uniform(word[GS_BATCH]) * length);
}

/*
 * What a step draws in a slot, and shows to those after it.
 */
static float
draw_step(TreeSampler *sampler, const TreeGiven *given, int s,
		  GsProposals *proposals, int i)
{
	const TreeModel *model = sampler->model;
	const TreePosition *position = &model->position[given->position[s]];
	const Allowed *step =
		&given->allowed[proposals->box[i] * given->n + s];
	const uint32 *word = proposals->random + i;
	const GsWord *before = gs_proposal(proposals, i);
	int			leaf = gs_tree_leaf(position, sampler->code + i, GS_BATCH);
	float		at;

	if (step->stretch != NULL)
		at = (float) draw_given(model, position, step, leaf, word,
								&proposals->weight[i]);
	else
	{
		const TreeNode *node = &position->node[leaf];
		const GsLeafEntry *entry = gs_tree_entry(model->entry + node->left,
												 node->n, word[0]);

		at = entry->position + entry->width * gs_word_uniform(word[GS_BATCH]);
	}
	gs_tree_show(sampler, given->position[s], i, position->null >= 0 &&
				 before[given->step_of[position->null]].f >= 1 ?
				 GS_TREE_MISSING :
				 position->code[(int) Min(at, position->nvalues - 1)], at);
	return at;
}

/*
 * See GsProposer.
 */
static void
propose(void *state, GsProposals *proposals)
{
	TreeSampler *sampler = state;
	const TreeGiven *given = sampler->given;

	memset(proposals->weight, 0, sizeof(double) * proposals->n);
	for (int s = 0; s < given->n; s++)
	{
		gs_proposals_random(proposals, 1 + (uint32) s);
		for (int i = 0; i < proposals->n; i++)
			gs_proposal(proposals, i)[s].f =
				draw_step(sampler, given, s, proposals, i);
	}
}

static const GsProposer proposer = {
	.prepare = prepare,.propose = propose,.rounds = TRIES
};

/*
 * gs_tree_chain: the chain to draw from under conditions: that with fewer
 * positions to be drawn before all are met, and in *first [n] what these are.
 */
const TreeModel *
gs_tree_chain(const TreeModel *chain, const GsGiven *from, bool **first)
{
	const TreeModel *chosen = NULL;
	int			min = 0;

	for (; chain != NULL; chain = chain->second)
	{
		bool	   *its = find_first(chain, from);
		int			n = 0;

		for (int p = 0; p < chain->n; p++)
			n += its[p];
		if (chosen != NULL && n >= min)
			continue;
		chosen = chain;
		*first = its;
		min = n;
	}
	return chosen;
}

/*
 * gs_tree_condition: prepares a sampler, complete but for this and its given
 * first positions, for conditions, in the current context.  Errors:
 * gs_given_impossible.
 */
void
gs_tree_condition(TreeSampler *sampler, GsGiven *from)
{
	TreeGiven  *given = palloc0(sizeof(TreeGiven));
	Size		n = Max(sampler->model->n, 1);

	given->position = palloc(sizeof(int) * n);
	given->step_of = palloc(sizeof(int) * n);
	for (int p = 0; p < sampler->model->n; p++)
		if (sampler->first[p])
		{
			given->step_of[p] = given->n;
			given->position[given->n++] = p;
		}
	given->allowed = palloc0(sizeof(Allowed) * Max(given->n, 1) *
							 from->nboxes);
	sampler->given = given;
	given->conditional = gs_conditional_begin(&proposer, sampler, from);
}

/*
 * gs_tree_confine: draws the positions in sampler->first for the rows of a
 * batch.  Can be cancelled.
 */
void
gs_tree_confine(TreeSampler *sampler, GsBatch *batch)
{
	const TreeGiven *given = sampler->given;
	const GsProposals *kept = gs_conditional_draw(given->conditional, batch);

	for (int s = 0; s < given->n; s++)
		for (int i = 0; i < GS_BATCH; i++)
			gs_tree_put(sampler, given->position[s], batch, i,
						gs_proposal(kept, i)[s].f);
}
