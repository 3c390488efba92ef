/*
 * tree_known.c
 *	  Sequential trees of which some features are known of every row, but do not
 *	  all come first in the chain.
 *
 * A chain draws each feature given those before it.  What is known after a
 * feature that is drawn weighs that draw: a row is drawn several times, each
 * draft weighs the product of the probabilities that the trees give to what is
 * known, and one is taken by its weight (importance resampling: Rubin 1987).
 * With ever more drafts that is the distribution of the model given what is
 * known.  A model fitted with the option "context" needs one draft.
 *
 * Weights are by the codes that trees split by, of which every leaf gives some
 * probability to each: what a leaf has never seen is not impossible.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/tree.h"

#define DRAFTS			32
#define MAX_CODES		256
#define UNSEEN			0.02	/* of a leaf's probability, given to all */

struct TreeDrafts
{
	const bool *known;			/* [nfeatures] */
	float	  **log_share;		/* [n][leaves][ncodes] NULL: it weighs
								 * nothing */
	int		   *ncodes;			/* [n] */
	void	  **kept;			/* [n][GS_BATCH] codes or scores; NULL: known */
	double	   *weight;			/* [GS_BATCH] log of the draft's */
	double	   *sum;			/* [GS_BATCH] log of that of all so far */
	int			n;				/* drafts of a batch */
};

static inline bool
is_known(const TreeDrafts *drafts, const TreeModel *model, int p)
{
	return drafts->known[model->position[p].feature];
}

/*
 * Whether a known position is told from one that is drawn.
 */
static bool
is_told(const TreeDrafts *drafts, const TreeModel *model, int p)
{
	int			base = model->position[p].shift.base;

	return base >= 0 && !is_known(drafts, model, base);
}

static bool
weighs(const TreeDrafts *drafts, const TreeModel *model, int p)
{
	const TreePosition *position = &model->position[p];

	if (!is_known(drafts, model, p))
		return false;
	for (int i = 0; i < position->npredictors; i++)
		if (!is_known(drafts, model, position->predictor[i]))
			return true;
	return is_told(drafts, model, p);
}

/*
 * Adds the probabilities of a leaf's entries to those of codes.
 *
 * code: [nvalues] of levels, or of segments by rank
 */
static void
add_entries(const GsLeafEntry *entry, int n, const uint8 *code, int nvalues,
			float *share)
{
	float		below = 0;

	for (int i = 0; i < n && nvalues > 0; i++)
	{
		double		from = entry[i].position;
		double		to = from + entry[i].width;
		double		part = entry[i].below - below;

		below = entry[i].below;
		if (entry[i].width <= 0)
			share[code[(int) Min(from, nvalues - 1)]] += (float) part;
		for (int v = (int) from; v < to && v < nvalues; v++)
			share[code[v]] += (float) (part * (Min(to, v + 1) - Max(from, v)) /
									   entry[i].width);
	}
}

static int
count_codes(const TreePosition *position)
{
	bool		told = position->shift.base >= 0;
	const uint8 *code = told ? position->shift.code : position->code;
	int			n = told ? position->shift.n : position->nvalues;
	int			ncodes = 1;

	for (int v = 0; v < n; v++)
		ncodes = Max(ncodes, code[v] + 1);
	return ncodes;
}

/*
 * The logarithms of the probabilities of a position's codes in each leaf.
 */
static float *
log_shares(const TreeModel *model, const TreePosition *position, int ncodes)
{
	const TreeShift *shift = &position->shift;
	Size		n = (Size) position->nleaves * ncodes;
	float	   *share = palloc_extended(sizeof(float) * n,
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	double		all[MAX_CODES] = {0};

	for (int at = 0; at < position->nnodes; at++)
	{
		const TreeNode *node = &position->node[at];
		float	   *own = share + (Size) node->turn * ncodes;

		if (node->position >= 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		if (shift->base >= 0)
			add_entries(model->entry + node->left + node->n, node->nshift,
						shift->code, shift->n, own);
		else
			add_entries(model->entry + node->left, node->n, position->code,
						position->nvalues, own);
		for (int c = 0; c < ncodes; c++)
			all[c] += own[c] / position->nleaves;
	}
	for (Size i = 0; i < n; i++)
		share[i] = logf((1 - UNSEEN) * share[i] +
						UNSEEN * ((float) all[i % ncodes] + 1.0f / ncodes) / 2);
	return share;
}

/*
 * gs_tree_draft: prepares a sampler, all positions of which can be seen, for
 * what is known wherever it is in the chain.
 *
 * known: [nfeatures], which must outlive the sampler
 */
void
gs_tree_draft(TreeSampler *sampler, const bool *known)
{
	const TreeModel *model = sampler->model;
	TreeDrafts *drafts = palloc0(sizeof(TreeDrafts));

	drafts->known = known;
	drafts->log_share = palloc0(sizeof(float *) * Max(model->n, 1));
	drafts->ncodes = palloc0(sizeof(int) * Max(model->n, 1));
	drafts->kept = palloc0(sizeof(void *) * Max(model->n, 1));
	drafts->weight = palloc(sizeof(double) * GS_BATCH);
	drafts->sum = palloc(sizeof(double) * GS_BATCH);
	drafts->n = 1;
	for (int p = 0; p < model->n; p++)
	{
		if (!is_known(drafts, model, p))
			drafts->kept[p] = palloc(sizeof(int32) * GS_BATCH);
		if (!weighs(drafts, model, p))
			continue;
		drafts->ncodes[p] = count_codes(&model->position[p]);
		drafts->log_share[p] = log_shares(model, &model->position[p],
										  drafts->ncodes[p]);
		drafts->n = DRAFTS;
	}
	sampler->drafts = drafts;
}

static void
add_weights(TreeSampler *sampler, int p)
{
	const TreeModel *model = sampler->model;
	const TreePosition *position = &model->position[p];
	const TreeDrafts *drafts = sampler->drafts;
	Size		at = p + (position->shift.base >= 0 ? model->n : 0);
	const uint8 *code = sampler->code + at * GS_BATCH;

	for (int i = 0; i < GS_BATCH; i++)
	{
		int			leaf = gs_tree_leaf(position, sampler->code + i, GS_BATCH);
		const float *share = drafts->log_share[p] +
			(Size) position->node[leaf].turn * drafts->ncodes[p];

		/* what is missing is a matter of its own feature */
		if (code[i] < drafts->ncodes[p] &&
			code[i] != (position->number ? GS_TREE_MISSING :
						position->missing))
			drafts->weight[i] += share[code[i]];
	}
}

/*
 * Keeps a draft's rows by their share of the weights so far.
 */
static void
keep_rows(TreeSampler *sampler, const GsBatch *batch, int draft)
{
	const TreeModel *model = sampler->model;
	TreeDrafts *drafts = sampler->drafts;
	bool		kept[GS_BATCH];
	uint32		word[4 * GS_BATCH];

	gs_batch_words(batch, GS_STREAM_GIVEN, word);
	for (int i = 0; i < GS_BATCH; i++)
	{
		double		weight = drafts->weight[i];
		double		sum = drafts->sum[i];

		kept[i] = draft == 0;
		if (draft > 0)
		{
			sum = Max(sum, weight) + log1p(exp(-fabs(sum - weight)));
			kept[i] = (word[i] + 0.5) * 0x1.0p-32 < exp(weight - sum);
		}
		drafts->sum[i] = draft > 0 ? sum : weight;
	}
	for (int p = 0; p < model->n; p++)
	{
		int			f = model->position[p].feature;
		const int32 *from = model->position[p].number ?
			(const int32 *) batch->score[f] : batch->code[f];
		int32	   *to = drafts->kept[p];

		for (int i = 0; i < GS_BATCH && to != NULL; i++)
			to[i] = kept[i] ? from[i] : to[i];
	}
}

/*
 * gs_tree_fill_drafts: draws what is not known in a batch.  Can be cancelled.
 */
void
gs_tree_fill_drafts(TreeSampler *sampler, GsBatch *batch)
{
	const TreeModel *model = sampler->model;
	TreeDrafts *drafts = sampler->drafts;
	uint64		key = batch->key;

	for (int p = 0; p < model->n; p++)
		if (is_known(drafts, model, p) && !is_told(drafts, model, p))
			gs_tree_see(sampler, p, batch, GS_BATCH);
	for (int draft = 0; draft < drafts->n; draft++)
	{
		CHECK_FOR_INTERRUPTS();
		if (draft > 0)
			batch->key = gs_mix64(key, (uint64) GS_STREAM_GIVEN + draft);
		memset(drafts->weight, 0, sizeof(double) * GS_BATCH);
		for (int p = 0; p < model->n; p++)
		{
			if (!is_known(drafts, model, p))
				gs_tree_draw(sampler, p, batch);
			else if (is_told(drafts, model, p))
				gs_tree_see(sampler, p, batch, GS_BATCH);
			if (drafts->log_share[p] != NULL)
				add_weights(sampler, p);
		}
		keep_rows(sampler, batch, draft);
	}
	batch->key = key;
	for (int p = 0; p < model->n; p++)
	{
		int			f = model->position[p].feature;

		if (drafts->kept[p] != NULL)
			memcpy(model->position[p].number ? (void *) batch->score[f] :
				   (void *) batch->code[f], drafts->kept[p],
				   sizeof(int32) * GS_BATCH);
	}
}
