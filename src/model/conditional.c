/*
 * conditional.c
 *	  Rows that meet conditions, from what a family proposes: rejection, as
 *	  far as that goes, and then importance resampling.
 *
 *	 - A pilot of some batches estimates the mean weight of each box (see
 *	   given.h), which is its probability, and the largest weight where the
 *	   family has no bound on it.  Boxes are proposed by their probabilities;
 *	   the weights make up for the estimate.
 *	 - A proposal is accepted with the share that its weight has of the bound.
 *	   That is exact where the bound holds.
 *	 - A batch has so many slots as rows.  Each round they try for the rows
 *	   that have found nothing yet, several for one row where whole batches
 *	   are proposed anyhow.
 *	 - A row that finds nothing in all rounds takes one of its tries by
 *	   weight (importance resampling), so time is bounded; it is counted.
 *
 * Weights are logarithms until they are compared: of many conditions their
 * product would underflow.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/conditional.h"
#include "numeric/philox.h"

#define PILOTS			4		/* batches */
#define MAX_PILOTS		16		/* where boxes have found nothing ... */
#define LAST_PILOTS		64		/* ... or none has, and they are cheap */
#define ADAPTATIONS		12		/* batches */
#define MARGIN			1.25	/* times the largest weight of the pilot ... */
#define CONSTANT		1e-4	/* ... unless it is that near to the mean */
#define MIN_SHARE		0.01	/* part of proposals that all boxes share */

struct GsConditional
{
	const GsProposer *proposer;
	void	   *state;
	int			nboxes;
	double	   *probability;	/* [nboxes] to be proposed */
	double	   *offset;			/* [nboxes] logarithm of probability times
								 * the bound: taken off weights */
	GsProposals now;
	GsProposals kept;			/* of rows */
	GsConditionStats *stats;
};

/* What the pilot knows of a box: logarithms of weights. */
typedef struct Pilot
{
	GsBoxWeights told;
	double		sum;
	double		max;
	int			n;				/* of proposals */
} Pilot;

/*
 * gs_proposals_random: four random words for each slot, in
 * proposals->random; stream: from 1.
 */
void
gs_proposals_random(const GsProposals *proposals, uint32 stream)
{
	uint32	   *w = proposals->random;

	gs_philox_lanes(proposals->key, (uint64) proposals->first,
					GS_STREAM_GIVEN + stream, proposals->round, proposals->n,
					w, w + GS_BATCH, w + 2 * GS_BATCH, w + 3 * GS_BATCH);
}

static void
allocate(GsProposals *proposals, int width)
{
	proposals->width = width;
	proposals->box = palloc0(sizeof(int32) * GS_BATCH);
	proposals->word = palloc_extended(sizeof(GsWord) * GS_BATCH *
									  Max((Size) width, 1),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	proposals->weight = palloc(sizeof(double) * GS_BATCH);
}

/*
 * A batch of the pilot, the boxes in turn.  Returns how many have found
 * nothing yet.
 */
static int
pilot_batch(GsConditional *c, Pilot *pilot, uint32 round)
{
	GsProposals *now = &c->now;
	int			nothing = 0;

	CHECK_FOR_INTERRUPTS();
	now->n = GS_BATCH;
	now->round = round;
	for (int i = 0; i < GS_BATCH; i++)
		now->box[i] = i % c->nboxes;
	c->proposer->propose(c->state, now);
	for (int i = 0; i < GS_BATCH; i++)
	{
		Pilot	   *box = &pilot[now->box[i]];

		box->sum = gs_log_add(box->sum, now->weight[i]);
		box->max = Max(box->max, now->weight[i]);
		box->n++;
	}
	for (int b = 0; b < c->nboxes; b++)
		nothing += pilot[b].max == -INFINITY;
	return nothing;
}

/*
 * Proposes until all boxes have found something, or it is in vain.
 */
static void
run_pilot(GsConditional *c, Pilot *pilot)
{
	uint32		round = 0;
	int			nothing;

	c->now.key = 0;
	c->now.first = 0;
	for (; c->proposer->adapt != NULL && round < ADAPTATIONS; round++)
	{
		pilot_batch(c, pilot, round);
		c->proposer->adapt(c->state, &c->now, round == ADAPTATIONS - 1);
	}
	for (int b = 0; b < c->nboxes; b++)
		pilot[b] = (Pilot) {.told = pilot[b].told,.sum = -INFINITY,
		.max = -INFINITY};
	for (int batch = 1;; batch++)
	{
		nothing = pilot_batch(c, pilot, round++);
		if (batch >= (nothing == 0 ? PILOTS : nothing < c->nboxes ||
					  c->proposer->whole ? MAX_PILOTS : LAST_PILOTS))
			break;
	}
}

/*
 * How often each box is proposed, and the bound.
 */
static void
weigh_boxes(GsConditional *c, Pilot *pilot)
{
	double		all = -INFINITY;
	double		bound = -INFINITY;
	int			n = 0;

	for (int b = 0; b < c->nboxes; b++)
	{
		Pilot	   *box = &pilot[b];

		box->sum -= log(box->n);
		if (box->sum < box->told.min)
			box->sum = -INFINITY;
		if (isinf(box->told.max) && box->max > box->sum + CONSTANT)
			box->max += log(MARGIN);
		else if (isfinite(box->told.max))
			box->max = box->told.max;
		all = gs_log_add(all, box->sum);
		n += box->sum > -INFINITY;
	}
	if (n == 0)
		gs_given_impossible(c->stats);
	for (int b = 0; b < c->nboxes; b++)
	{
		if (pilot[b].sum == -INFINITY)
			continue;
		c->probability[b] = MIN_SHARE / n +
			(1 - MIN_SHARE) * exp(pilot[b].sum - all);
		bound = Max(bound, pilot[b].max - log(c->probability[b]));
	}
	for (int b = 0; b < c->nboxes; b++)
		c->offset[b] = log(c->probability[b]) + bound;
}

/*
 * gs_conditional_begin: prepares a family's sampler for conditions, in the
 * current context.
 *
 * given: what is counted while rows are made is in its stats.  Errors:
 * gs_given_impossible.
 */
GsConditional *
gs_conditional_begin(const GsProposer *proposer, void *state, GsGiven *given)
{
	GsConditional *c = palloc0(sizeof(GsConditional));
	Pilot	   *pilot = palloc0(sizeof(Pilot) * given->nboxes);
	int			width = 0;

	c->proposer = proposer;
	c->state = state;
	c->stats = &given->stats;
	for (int b = 0; b < given->nboxes; b++)
	{
		GsBoxWeights told = {INFINITY, -INFINITY};
		int			words = proposer->prepare(state, c->nboxes, given->box[b],
											  &told);

		if (words < 0)
			continue;
		width = Max(width, words);
		pilot[c->nboxes++].told = told;
	}
	if (c->nboxes == 0)
		gs_given_impossible(c->stats);
	c->probability = palloc0(sizeof(double) * c->nboxes);
	c->offset = palloc0(sizeof(double) * c->nboxes);
	allocate(&c->now, width);
	allocate(&c->kept, width);
	c->now.random = palloc(sizeof(uint32) * 4 * GS_BATCH);
	run_pilot(c, pilot);
	weigh_boxes(c, pilot);
	pfree(pilot);
	return c;
}

static int
choose_box(const GsConditional *c, double u)
{
	int			last = 0;

	for (int b = 0; b < c->nboxes; b++)
	{
		if (!(c->probability[b] > 0))
			continue;
		last = b;
		if (u < c->probability[b])
			break;
		u -= c->probability[b];
	}
	return last;
}

static void
keep(GsConditional *c, int slot, int row)
{
	memcpy(gs_proposal(&c->kept, row), gs_proposal(&c->now, slot),
		   sizeof(GsWord) * c->now.width);
	c->kept.box[row] = c->now.box[slot];
}

/*
 * One round, for n rows: row[n], those that found nothing, of which the ones
 * that find nothing again are left.  Returns how many.  total: [GS_BATCH]
 * weights of a row's tries so far.
 */
static int
try_rows(GsConditional *c, int n, uint16 *row, double *total)
{
	GsProposals *now = &c->now;
	uint32		word[4][GS_BATCH];	/* box, acceptance, resampling */
	bool		found[GS_BATCH] = {false};
	int			left = 0;

	now->n = c->proposer->whole ? GS_BATCH : n;
	gs_philox_lanes(now->key, (uint64) now->first, GS_STREAM_GIVEN,
					now->round, now->n, word[0], word[1], word[2], word[3]);
	for (int i = 0; i < now->n; i++)
		now->box[i] = choose_box(c, gs_word_uniform(word[0][i]));
	c->proposer->propose(c->state, now);
	for (int i = 0; i < now->n; i++)
	{
		int			r = row[i % n];
		double		weight = exp(now->weight[i] - c->offset[now->box[i]]);

		if (found[i % n])
			continue;
		c->stats->tries++;
		c->stats->weight += weight;
		c->stats->squared += weight * weight;
		total[r] += weight;
		found[i % n] = gs_word_uniform(word[1][i]) < weight;

		/* a first one that weighs nothing is kept: it meets the conditions */
		if (found[i % n] ||
			gs_word_uniform(word[2][i]) * total[r] <= weight)
			keep(c, i, r);
	}
	for (int i = 0; i < n; i++)
		if (!found[i])
			row[left++] = row[i];
	return left;
}

/*
 * gs_conditional_draw: the proposals that the rows of a batch take, slot by
 * slot, which are valid until the next call.  Can be cancelled.
 */
const GsProposals *
gs_conditional_draw(GsConditional *conditional, const GsBatch *batch)
{
	GsProposals *now = &conditional->now;
	double		total[GS_BATCH] = {0};
	uint16		row[GS_BATCH];
	int			left = GS_BATCH;

	now->key = batch->key;
	now->first = batch->first;
	for (int i = 0; i < GS_BATCH; i++)
		row[i] = (uint16) i;
	for (now->round = 0; left > 0 &&
		 now->round < (uint32) conditional->proposer->rounds; now->round++)
	{
		CHECK_FOR_INTERRUPTS();
		left = try_rows(conditional, left, row, total);
	}
	conditional->stats->rows += GS_BATCH;
	conditional->stats->resampled += left;
	return &conditional->kept;
}
