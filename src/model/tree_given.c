/*
 * tree_given.c
 *	  Sequential trees, confined to conditions.
 *
 * A row's conditioned features, and those that their trees ask for, are drawn
 * one after the other as always, but a conditioned one only from that part of
 * its leaf's distribution which is allowed.  The proposal's weight is the
 * product of the probabilities of these parts (likelihood weighting: Fung and
 * Chang, "Weighing and integrating evidence for stochastic simulation in Bayesian
 * networks", UAI 1989):
 *
 *	 - It is accepted with the weight's share of a bound on it, the product of
 *	   the largest probability in any leaf.  Where nothing unconditioned comes
 *	   before the only condition, that is always.
 *	 - Of boxes (see given.h) one is proposed by its estimated probability,
 *	   and the bound makes up for the estimate.
 *	 - A row that finds nothing in GIVEN_TRIES tries takes one of them by
 *	   weight: importance resampling, no longer exact.
 *
 * A number that is told from another one (tree_shift.c) is drawn here by its
 * own distribution in the leaf, which every leaf has beside that of the
 * difference.  All other features are drawn as without conditions.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/tree.h"
#include "numeric/philox.h"

#define GIVEN_TRIES		1000	/* of a row */
#define PILOT_ROWS		300		/* proposals that estimate a box */

/* A part of the axis of a feature's levels, or of its segments by rank. */
typedef struct Stretch
{
	double		from;
	double		to;
	double		before;			/* length of the stretches before */
} Stretch;

/* A feature that is drawn before the others. */
typedef struct Step
{
	int			position;
	bool		given;
	int			nstretches;		/* of what is allowed, in order */
	Stretch    *stretch;
	double	   *probability;	/* [nnodes] of it, in a leaf */
	int			likeliest;		/* leaf */
	double		bound;			/* its chance */
} Step;

typedef struct Box
{
	int			nsteps;
	Step	   *step;			/* [nsteps] in the order of drawing */
	double		bound;			/* of the weights */
	double		probability;	/* to be proposed */
	bool		exact;			/* every weight is the bound */
} Box;

/* What one try found. */
typedef struct Proposal
{
	int			box;
	double		weight;			/* over the chance of the box */
	float	   *at;				/* [n] positions on the axes */
	uint8	   *code;			/* [2 n] as of TreeSampler, of one row */
} Proposal;

struct TreeGiven
{
	int			nboxes;
	Box		   *box;
	double		bound;			/* of weight over chance */
	uint32		blocks;			/* Philox blocks of a try */
	Proposal	now;
	Proposal	kept;
	GsConditionStats *stats;
};

/*
 * The allowed length from 0 to a point of the axis.
 */
static double
length_before(const Step *step, double at)
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
point_at(const Step *step, double length)
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
share_of(const Step *step, const GsLeafEntry *entry)
{
	double		width = entry->width > 0 ? entry->width : 1;

	return (length_before(step, entry->position + width) -
			length_before(step, entry->position)) / width;
}

static void
add_stretch(Step *step, double from, double to)
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
			   Step *step)
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
 * The chance of what is allowed, in every leaf.
 */
static void
weigh_leaves(const TreeModel *model, Step *step)
{
	const TreePosition *position = &model->position[step->position];

	step->probability = palloc0(sizeof(double) * position->nnodes);
	for (int at = 0; at < position->nnodes; at++)
	{
		const TreeNode *leaf = &position->node[at];
		const GsLeafEntry *entry = model->entry + leaf->left;
		float		below = 0;

		if (leaf->position >= 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		for (int e = 0; e < leaf->n; e++)
		{
			step->probability[at] += (entry[e].below - below) *
				share_of(step, &entry[e]);
			below = entry[e].below;
		}
		if (step->probability[at] > step->bound)
		{
			step->bound = step->probability[at];
			step->likeliest = at;
		}
	}
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
 * The steps of a box.  Returns false if some of it has probability zero.
 */
static bool
prepare(const TreeModel *model, const bool *first, const GsRegion *regions,
		Box *box)
{
	int			ngiven = 0;

	box->step = palloc0(sizeof(Step) * Max(model->n, 1));
	box->bound = 1;
	for (int p = 0; p < model->n; p++)
	{
		const TreePosition *position = &model->position[p];
		Step	   *step = &box->step[box->nsteps];

		if (!first[p])
			continue;
		box->nsteps++;
		step->position = p;
		step->given = regions[position->feature].given;
		if (!step->given)
			continue;
		ngiven++;
		stretch_region(position, &regions[position->feature], step);
		weigh_leaves(model, step);
		box->bound *= step->bound;
	}
	box->exact = box->nsteps == 1 && ngiven == 1 &&
		model->position[box->step[0].position].nnodes == 1;
	return box->bound > 0;
}

/*
 * The position that a given step draws from a leaf; u, within: uniform.
 */
static double
draw_given(const TreeModel *model, const Step *step, int leaf, double u,
		   double within)
{
	const TreePosition *position = &model->position[step->position];
	const TreeNode *node = &position->node[leaf];
	const GsLeafEntry *entry = model->entry + node->left;
	double		before;
	double		length;
	float		below = 0;
	int			last = -1;

	u *= step->probability[leaf];
	for (int e = 0; e < node->n && (last < 0 || u >= 0); e++)
	{
		double		share = (entry[e].below - below) *
			share_of(step, &entry[e]);

		below = entry[e].below;
		if (share > 0)
		{
			last = e;
			u -= share;
		}
	}
	entry += Max(last, 0);
	before = length_before(step, entry->position);
	length = length_before(step, entry->position +
						   (entry->width > 0 ? entry->width : 1)) - before;
	return position->number ? point_at(step, before + within * length) :
		entry->position;
}

/*
 * The position that a step draws from a leaf, and in *weight its probability
 * if it is given.  Where the leaf allows nothing, the likeliest stands in,
 * with no weight.
 */
static double
draw_step(const TreeModel *model, const Step *step, int leaf,
		  GsRandom *random, double *weight)
{
	const TreeNode *node = &model->position[step->position].node[leaf];
	const GsLeafEntry *entry;
	double		u;

	if (!step->given)
	{
		entry = gs_tree_entry(model->entry + node->left, node->n,
							  gs_random_u32(random));
		return entry->position + entry->width * gs_random_uniform(random);
	}
	*weight *= step->probability[leaf];
	if (!(step->probability[leaf] > 0))
		leaf = step->likeliest;
	u = gs_random_uniform(random);
	return draw_given(model, step, leaf, u, gs_random_uniform(random));
}

/*
 * A proposal from a box.  Returns its weight; where that is 0, the proposal is
 * drawn to its end only if it is wanted whole.
 */
static double
propose(const TreeModel *model, const Box *box, GsRandom *random,
		Proposal *proposal, bool whole)
{
	double		weight = 1;

	for (int s = 0; s < box->nsteps && (weight > 0 || whole); s++)
	{
		const Step *step = &box->step[s];
		const TreePosition *position = &model->position[step->position];
		int			leaf = gs_tree_leaf(position, proposal->code, 1);
		float		at = (float) draw_step(model, step, leaf, random, &weight);
		uint8	   *code = proposal->code + step->position;

		proposal->at[step->position] = at;
		*code = position->null >= 0 && proposal->at[position->null] >= 1 ?
			GS_TREE_MISSING : position->code[(int) Min(at, position->nvalues -
													   1)];
		if (position->shift.base >= 0)
			code[model->n] = *code == GS_TREE_MISSING ? GS_TREE_MISSING :
				gs_tree_shift_code(position, gs_tree_value(position, at) -
								   gs_tree_value(&model->position[position->shift.base],
												 proposal->at[position->shift.base]));
	}
	return weight;
}

static void
keep(TreeGiven *given)
{
	Proposal	swap = given->kept;

	given->kept = given->now;
	given->now = swap;
}

/*
 * Which box is proposed.
 */
static int
choose_box(const TreeGiven *given, GsRandom *random)
{
	double		at;
	int			b = 0;

	if (given->nboxes == 1)
		return 0;
	at = gs_random_uniform(random);
	while (b < given->nboxes - 1 && at >= given->box[b].probability)
		at -= given->box[b++].probability;
	return b;
}

/*
 * Draws the first features of a row into given->kept.
 */
static void
draw_row(const TreeModel *model, TreeGiven *given, uint64 key, uint64 row)
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
		now->weight = propose(model, box, &random, now, try ==
							  0) / box->probability;
		gs_given_try(given->stats, now->weight);
		if ((given->nboxes == 1 && box->exact) ||
			gs_random_uniform(&random) * given->bound < now->weight)
		{
			keep(given);
			return;
		}
		total += now->weight;

		/* the first is kept in any case: it meets the conditions */
		if (try == 0 || gs_random_uniform(&random) * total < now->weight)
			keep(given);
	}
	given->stats->resampled++;
}

/*
 * Estimates the probability of a box; if no proposal has any, it is taken as
 * less than one of so many.
 */
static void
estimate(const TreeModel *model, TreeGiven *given, Box *box)
{
	double		sum = 0;
	int			rows = box->exact ? 1 : PILOT_ROWS;

	for (int row = 0; row < rows; row++)
	{
		GsRandom	random;

		CHECK_FOR_INTERRUPTS();
		gs_random_start(&random, 0, row, GS_STREAM_GIVEN);
		sum += propose(model, box, &random, &given->now, false);
	}
	box->probability = Max(sum, 1e-3 * box->bound) / rows;
}

/*
 * The chain to draw from: that with fewer positions to be drawn before all
 * conditions are met, and in *first what these are.
 */
static const TreeModel *
choose_chain(const TreeModel *chain, const GsGiven *from, bool **first)
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
 * gs_tree_condition: prepares for conditions.
 *
 * chain: a model, its first chain of trees.  Returns the chain to draw from,
 * in *prepared what gs_tree_confine takes, and in *first [n] the positions
 * that it draws.  Allocates in the current context.  Errors:
 * gs_given_impossible.
 */
const TreeModel *
gs_tree_condition(const TreeModel *chain, GsGiven *from,
				  TreeGiven **prepared, bool **first)
{
	const TreeModel *model = choose_chain(chain, from, first);
	TreeGiven  *given = palloc0(sizeof(TreeGiven));
	double		sum = 0;
	int			n = Max(model->n, 1);

	*prepared = given;
	given->stats = &from->stats;
	given->blocks = (2 * (2 * n + 3) + 3) / 4;
	given->now.at = palloc0(sizeof(float) * n);
	given->now.code = palloc0(2 * n);
	given->kept.at = palloc0(sizeof(float) * n);
	given->kept.code = palloc0(2 * n);
	given->box = palloc0(sizeof(Box) * from->nboxes);
	for (int b = 0; b < from->nboxes; b++)
	{
		Box		   *box = &given->box[given->nboxes];

		memset(box, 0, sizeof(Box));
		if (!prepare(model, *first, from->box[b], box))
			continue;
		estimate(model, given, box);
		sum += box->probability;
		given->nboxes++;
	}
	if (given->nboxes == 0)
		gs_given_impossible(&from->stats);
	for (int b = 0; b < given->nboxes; b++)
	{
		given->box[b].probability /= sum;
		given->bound = Max(given->bound,
						   given->box[b].bound / given->box[b].probability);
	}
	return model;
}

/*
 * gs_tree_confine: draws the positions in sampler->first for the rows of a
 * batch. Can be cancelled.
 */
void
gs_tree_confine(TreeSampler *sampler, GsBatch *batch)
{
	TreeGiven  *given = sampler->given;

	for (int i = 0; i < GS_BATCH; i++)
	{
		const Box  *box;

		CHECK_FOR_INTERRUPTS();
		draw_row(sampler->model, given, batch->key, (uint64) (batch->first + i));
		box = &given->box[given->kept.box];
		for (int s = 0; s < box->nsteps; s++)
		{
			int			p = box->step[s].position;

			gs_tree_put(sampler, p, batch, i, given->kept.at[p]);
		}
	}
}
