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
 * Where what is known follows from what is drawn (a city from a zip code), the
 * trees may know nothing of it.  The zip code is then drawn from that part of its
 * leaf's distribution which goes with the city, and the draft weighs the
 * probability of that part.
 *
 * Weights are by the codes that trees split by, of which every leaf gives some
 * probability to each: what a leaf has never seen is not impossible.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/tree.h"

#define DRAFTS			32
#define MAX_CODES		256
#define UNSEEN			0.02	/* of a leaf's probability, given to all */

/* A position that is drawn among what goes with what is known. */
typedef struct Confined
{
	int			nrules;
	int			rule[GS_MAX_INVERSE_RULES];
	int		   *bin;			/* [nvalues] of a number's segments by rank, or
								 * NULL */
} Confined;

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
	GsInverse  *inverse;		/* NULL: nothing is confined */
	Confined  **confined;		/* [n] NULL: it is not */
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

static Confined *
confine_position(const TreeModel *model, int p, const GsInverse *inverse,
				 const bool *drawn)
{
	const TreePosition *position = &model->position[p];
	Confined	confined;
	uint16	   *rank;

	confined.nrules = gs_inverse_rules(inverse, position->feature, drawn,
									   confined.rule);
	confined.bin = NULL;
	if (confined.nrules == 0)
		return NULL;
	if (position->number)
	{
		const GsFeature *feature =
			&model->schema->features[position->feature];
		int			n = feature->quantile.nsegments;

		rank = palloc(sizeof(uint16) * n);
		confined.bin = palloc0(sizeof(int) * Max(position->nvalues, 1));
		gs_tree_ranks(feature, rank);
		for (int s = 0; s < n; s++)
			confined.bin[rank[s]] = s;
		pfree(rank);
	}
	return memcpy(palloc(sizeof(Confined)), &confined, sizeof(Confined));
}

/*
 * Whether a confined position looks to features that its trees know nothing of.
 */
static bool
is_blind(const TreeModel *model, const GsInverse *inverse,
		 const Confined *confined)
{
	for (int r = 0; r < confined->nrules; r++)
		if (model->position_of[gs_inverse_feature(inverse,
												  confined->rule[r])] < 0)
			return true;
	return false;
}

/*
 * gs_tree_heed: see GsFamily.  What is drawn before a confined position has to
 * be weighed by what is left for that one, unless the trees know it.
 */
void
gs_tree_heed(void *state, GsInverse *inverse)
{
	TreeSampler *sampler = state;
	const TreeModel *model = sampler->model;
	const bool *context = gs_inverse_context(inverse);
	Confined  **confined = palloc0(sizeof(Confined *) * Max(model->n, 1));
	bool	   *drawn = palloc(Max(model->nfeatures, 1));
	bool		any = false;
	bool		before = false;
	bool		weighed = sampler->drafts != NULL;

	memcpy(drawn, context, model->nfeatures);
	for (int p = 0; p < model->n; p++)
	{
		int			f = model->position[p].feature;

		if (!context[f])
			confined[p] = confine_position(model, p, inverse, drawn);
		any |= confined[p] != NULL;
		weighed |= confined[p] != NULL && before &&
			is_blind(model, inverse, confined[p]);
		before |= !context[f];
		drawn[f] = true;
	}
	pfree(drawn);
	if (!any)
		return;
	if (sampler->drafts == NULL)
		gs_tree_draft(sampler, context);
	sampler->drafts->inverse = inverse;
	sampler->drafts->confined = confined;
	if (weighed)
		sampler->drafts->n = DRAFTS;
}

static bool
is_allowed(const TreeDrafts *drafts, const TreePosition *position,
		   const Confined *confined, const GsBatch *batch, int row, int value)
{
	int			bin = confined->bin == NULL ? value : confined->bin[value];

	for (int r = 0; r < confined->nrules; r++)
		if (!gs_inverse_allows(drafts->inverse, confined->rule[r],
							   position->feature, batch, row, bin))
			return false;
	return true;
}

/*
 * Draws a place from what a row may have of n entries, and adds up how probable
 * that is; each value takes the place of those before by its part of the sum.
 */
static double
draw_allowed(const TreeDrafts *drafts, const TreePosition *position,
			 const Confined *confined, const GsBatch *batch, int row,
			 const GsLeafEntry *entry, int n, GsRandom *random, float *at)
{
	double		sum = 0;
	float		below = 0;

	for (int e = 0; e < n; e++)
	{
		double		from = entry[e].position;
		double		to = from + entry[e].width;
		double		part = entry[e].below - below;

		below = entry[e].below;
		for (int v = (int) Min(from, position->nvalues - 1);
			 v < position->nvalues && (v < to || v == (int) from); v++)
		{
			double		low = Max(from, v);
			double		length = Max(Min(to, v + 1) - low, 0);
			double		share = entry[e].width <= 0 ? part :
				part * length / entry[e].width;

			if (!(share > 0) || !is_allowed(drafts, position, confined, batch,
											row, v))
				continue;
			sum += share;
			if (gs_random_uniform(random) * sum < share)
				*at = (float) (low + length * gs_random_uniform(random));
		}
	}
	return sum;
}

/*
 * Draws a value that a row may have, by its share in the source, where its leaf
 * has none; false if there is none.
 */
static bool
draw_anywhere(const TreeDrafts *drafts, const TreeModel *model,
			  const TreePosition *position, const Confined *confined,
			  const GsBatch *batch, int row, GsRandom *random, float *at,
			  double *sum)
{
	const GsFeature *feature = &model->schema->features[position->feature];

	*sum = 0;
	for (int v = 0; v < position->nvalues; v++)
	{
		double		share;

		if (!is_allowed(drafts, position, confined, batch, row, v))
			continue;
		share = gs_value_share(feature, confined->bin == NULL ? v :
							   confined->bin[v]);
		*sum += share;
		if (gs_random_uniform(random) * *sum < share)
			*at = v + (position->number ?
					   (float) gs_random_uniform(random) : 0);
	}
	return *sum > 0;
}

/*
 * Draws a position of a batch's rows among what goes with what is known.
 */
static void
draw_confined(TreeSampler *sampler, int p, GsBatch *batch)
{
	const TreeModel *model = sampler->model;
	const TreePosition *position = &model->position[p];
	TreeDrafts *drafts = sampler->drafts;
	const Confined *confined = drafts->confined[p];

	for (int i = 0; i < GS_BATCH; i++)
	{
		const TreeNode *leaf = &position->node[gs_tree_leaf(position,
															sampler->code + i,
															GS_BATCH)];
		const GsLeafEntry *entry = model->entry + leaf->left;
		GsRandom	random;
		float		at = 0;
		double		sum;

		/* not by the origin of its row, which is that of the batch before */
		gs_random_start(&random, batch->key, gs_batch_row(batch, i),
						GS_STREAM_INVERSE + position->feature);
		sum = draw_allowed(drafts, position, confined, batch, i, entry,
						   leaf->n, &random, &at);
		if (sum > 0)
			drafts->weight[i] += log((1 - UNSEEN) * sum);
		else if (draw_anywhere(drafts, model, position, confined, batch, i,
							   &random, &at, &sum))
			drafts->weight[i] += log(UNSEEN * sum);
		else
		{
			entry = gs_tree_entry(entry, leaf->n, (uint32) (gs_random_uniform(&random) * 0x1.0p32));
			at = entry->position + entry->width *
				(float) gs_random_uniform(&random);
		}
		gs_tree_put(sampler, p, batch, i, at);
	}
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
	if (drafts->inverse != NULL)
		gs_inverse_read(drafts->inverse, batch);
	for (int draft = 0; draft < drafts->n; draft++)
	{
		CHECK_FOR_INTERRUPTS();
		if (draft > 0)
			batch->key = gs_mix64(key, (uint64) GS_STREAM_GIVEN + draft);
		memset(drafts->weight, 0, sizeof(double) * GS_BATCH);
		for (int p = 0; p < model->n; p++)
		{
			if (drafts->confined != NULL && drafts->confined[p] != NULL)
				draw_confined(sampler, p, batch);
			else if (!is_known(drafts, model, p))
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
