/*
 * tree.c
 *	  Sequential trees: loading and sampling.  tree_fit.c fits them.
 *
 * Features are drawn one after the other.  Each has a tree that asks for the
 * codes of features before it, and whose leaf is a distribution to draw from
 * (sequential CART: Reiter, "Using CART to generate partially synthetic
 * public use microdata", J. Official Statistics 21, 2005; Nowok, Raab and
 * Dibben, "synthpop", J. Statistical Software 74, 2016).
 *
 * A number is drawn as a segment of its quantile table and a position within
 * it, and handed on as the normal score of that position: what the table
 * protects is protected here too.
 *
 * Tensors, for N trees:
 *	 tree/position		int4 [N, 4]	in the order of drawing: feature; nodes; the
 *						position that it is told from, or -1; segments of that
 *						difference
 *	 tree/node		int4 [nodes of all, 4]	the position asked for, or N and that of
 *						the difference asked for, or -1 for a leaf; left child,
 *						the right one next to it, or first entry; the last code
 *						that goes left, or -1 less a mask, or the number of
 *						entries; of entries of the difference, which follow
 *	 tree/mask		int4 [.., 8]	bit set: the code goes right
 *	 tree/code		bytes	codes of the levels or segments of all, those of a
 *						difference after its feature's
 *	 tree/entry		float4 [.., 3]	see GsLeafEntry; positions are levels, or
 *						segments by rank
 *	 tree/shift		float8 [.., 2]	least and largest difference of segments
 * and, where the option "condition_first" names columns, condition/... : another chain that
 * begins with these, for conditions on them.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/model.h"
#include "model/tree.h"
#include "numeric/philox.h"

/*
 * gs_tree_ranks: numbers the segments of a number: those between atoms in
 * order, and then the atoms.
 *
 * rank: [nsegments], filled.  Returns how many are no atoms.
 */
int
gs_tree_ranks(const GsFeature *feature, uint16 *rank)
{
	const GsQuantile *q = &feature->quantile;
	int			n = 0;
	int			ncontinuous;

	for (int atoms = 0; atoms < 2; atoms++)
	{
		for (int s = 0; s < q->nsegments; s++)
			if ((gs_scalar_compare(q->low[s], q->high[s], feature->lane) ==
				 0) ==
				(atoms == 1))
				rank[s] = (uint16) n++;
		if (atoms == 0)
			ncontinuous = n;
	}
	return ncontinuous;
}

/*
 * The scores of a number's segments, by rank.
 */
static void
load_scores(TreePosition *position, const GsFeature *feature,
			const uint8 *code)
{
	int			n = feature->quantile.nsegments;
	uint16	   *rank = palloc(sizeof(uint16) * n);

	gs_tree_ranks(feature, rank);
	position->base = palloc(sizeof(float) * n);
	position->span = palloc(sizeof(float) * n);
	for (int s = 0; s < n; s++)
	{
		position->code[rank[s]] = code[s];
		gs_quantile_scores(feature, s, &position->base[rank[s]],
						   &position->span[rank[s]]);
	}
	pfree(rank);
}

/*
 * gs_tree_check_entries: an error unless n entries of a leaf, from the first
 * on, have increasing probabilities up to 1, and positions that there are.
 */
void
gs_tree_check_entries(const GsTensor *entries, int64 first, int n, int nvalues,
			  bool number)
{
	const GsLeafEntry *entry = (const GsLeafEntry *) entries->data + first;
	float		below = 0;

	if (n < 1 || first < 0 || n > entries->dims[0] - first)
		gs_corrupted("A leaf of a tree has entries that are not there.");
	for (int i = 0; i < n; i++)
	{
		if (!(entry[i].below >= below && entry[i].below <= 1) ||
			!(entry[i].position >= 0 && entry[i].width >= 0 &&
			  entry[i].position + entry[i].width <= nvalues) ||
			(!number && (entry[i].width != 0 ||
						 entry[i].position != rintf(entry[i].position) ||
						 entry[i].position >= nvalues)))
			gs_corrupted("A leaf of a tree has an impossible entry.");
		below = entry[i].below;
	}
	if (below != 1)
		gs_corrupted("The probabilities of a tree's leaf do not sum to 1.");
}

/*
 * Numbers the leaves from left to right.  Returns how many there are.
 */
static int
turn_leaves(TreePosition *position)
{
	int		   *below = palloc(sizeof(int) * (Size) position->nnodes);
	int			n = 0;

	for (int at = position->nnodes - 1; at >= 0; at--)
	{
		const TreeNode *node = &position->node[at];

		below[at] = node->position < 0 ? 1 :
			below[node->left] + below[node->left + 1];
	}
	n = below[0];
	position->node[0].turn = 0;
	for (int at = 0; at < position->nnodes; at++)
	{
		const TreeNode *node = &position->node[at];

		if (node->position < 0)
			continue;
		position->node[node->left].turn = node->turn;
		position->node[node->left + 1].turn = node->turn + below[node->left];
	}
	pfree(below);
	return n;
}

/* What a tree may ask for. */
typedef struct Asking
{
	const TreeModel *model;
	int			p;
} Asking;

/*
 * Whether the tree at a position may ask for something.
 */
static bool
may_ask(const void *arg, int what)
{
	const Asking *asking = arg;
	const TreeModel *model = asking->model;

	if (what < model->n)
		return what < asking->p;
	return what - model->n < asking->p &&
		model->position[what - model->n].shift.base >= 0;
}

/*
 * gs_tree_load_nodes: one tree, whose values, shift and number of nodes are
 * set.
 *
 * nodes: [nnodes][4]; may_ask: whether it may ask for something.  Errors:
 * data_corrupted.
 */
void
gs_tree_load_nodes(TreePosition *position, const int32 *nodes,
				   const GsTensor *masks, const GsTensor *entries,
				   bool (*may_ask) (const void *arg, int what),
				   const void *arg)
{
	uint32	   *mask = palloc0(sizeof(uint32) * GS_TREE_WORDS *
							   (Size) position->nnodes);
	int			next = 1;

	position->mask = mask;
	position->node = palloc(sizeof(TreeNode) * (Size) position->nnodes);
	for (int at = 0; at < position->nnodes; at++, mask += GS_TREE_WORDS)
	{
		const int32 *in = nodes + (Size) 4 * at;
		TreeNode   *node = &position->node[at];

		node->position = in[0];
		node->left = in[1];
		node->n = in[2];
		node->nshift = in[3];
		if (node->position < 0)
		{
			gs_tree_check_entries(entries, node->left, node->n,
								  position->nvalues, position->number);
			if (position->shift.base >= 0)
				gs_tree_check_entries(entries, (int64) node->left + node->n,
									  node->nshift, position->shift.n, true);
			continue;
		}
		/* children stand in the order of their parents, and each has one */
		if (!may_ask(arg, node->position) || node->left != next ||
			next <= at || next > position->nnodes - 2)
			gs_corrupted("Node %d of a tree leads nowhere.", at);
		if (node->n >= GS_TREE_CODES)
			gs_corrupted("Node %d of a tree splits by no code.", at);
		next += 2;
		if (node->n < 0)
		{
			if (-1 - node->n >= masks->dims[0])
				gs_corrupted("Node %d of a tree has no mask.", at);
			memcpy(mask, (uint32 *) masks->data +
				   (Size) GS_TREE_WORDS * (-1 - node->n),
				   sizeof(uint32) * GS_TREE_WORDS);
		}
		else
			for (int c = node->n + 1; c < GS_TREE_CODES; c++)
				mask[c / 32] |= UINT32_C(1) << (c % 32);
	}
	position->nleaves = turn_leaves(position);
}

/*
 * One tree: p its position, nodes [nnodes][4].
 */
static void
load_tree(TreeModel *model, int p, const int32 *nodes, const GsTensor *masks,
		  const GsTensor *entries)
{
	TreePosition  *position = &model->position[p];
	bool	   *predictor = palloc0(2 * (Size) model->n);
	Asking		asking = {model, p};

	gs_tree_load_nodes(position, nodes, masks, entries, may_ask, &asking);
	for (int at = 0; at < position->nnodes; at++)
	{
		int			what = position->node[at].position;

		if (what < 0)
			continue;
		position->npredictors += !predictor[what];
		predictor[what] = true;
	}
	position->predictor = palloc(sizeof(int) * Max(position->npredictors, 1));
	position->npredictors = 0;
	for (int i = 0; i < 2 * model->n; i++)
		if (predictor[i])
			position->predictor[position->npredictors++] = i % model->n;
	pfree(predictor);
}

/*
 * Whose NULLs decide whether a part has a value, if all of them come before
 * it.
 */
static void
load_bases(const TreeModel *model, const GsSchema *schema,
		   TreePosition *position)
{
	const GsFeature *feature = &schema->features[position->feature];
	int			n = feature->part < 0 ? 0 :
		gs_layout_nulls(schema, feature->column, position->base_null,
						position->base_code);

	for (int b = 0; b < n; b++)
	{
		int			null = position->base_null[b];

		if (null >= 0 && model->position_of[null] < 0)
			return;
		position->base_null[b] = null < 0 ? -1 : model->position_of[null];
	}
	position->nbases = n;
}

/*
 * gs_tree_load_position: what a feature is, and that it may come at position
 * p.
 *
 * code: [ncodes], what is left of the tensor.  Errors: data_corrupted.
 */
void
gs_tree_load_position(TreeModel *model, const GsSchema *schema, int p, int f,
					  const uint8 *code, int ncodes)
{
	TreePosition  *position = &model->position[p];
	const GsFeature *feature;
	int			null;

	if (f < 0 || f >= schema->nfeatures || model->position_of[f] >= 0)
		gs_corrupted("Tree %d is of no feature.", p);
	feature = &schema->features[f];
	model->position_of[f] = p;
	position->feature = f;
	position->number = feature->kind == GS_FEATURE_NUMBER;
	position->null = -1;
	position->nvalues = position->number ? feature->quantile.nsegments :
		feature->nlevels;
	if (position->nvalues > ncodes)
		gs_corrupted("Tree %d has too few codes.", p);
	position->code = palloc(position->nvalues);
	memcpy(position->code, code, position->nvalues);
	for (int v = 0; v < position->nvalues; v++)
		position->missing = Max(position->missing, Min(code[v] + 1, 255));
	load_bases(model, schema, position);
	if (position->number)
		load_scores(position, feature, code);
	/* a category that is a part of a column may be missing, too */
	if (feature->part < 0)
		return;
	null = schema->columns[feature->column].null_feature;
	if (null >= 0)
		position->null = model->position_of[null];
	if (null >= 0 && position->null < 0)
		gs_corrupted("Tree %d comes before that of its NULLs.", p);
}

static void
load_next(TreeModel *model, const GsSchema *schema, int p, GsTreeLoading *at)
{
	TreePosition  *position = &model->position[p];
	const int32 *in = (const int32 *) at->positions->data + (Size) 4 * p;
	const uint8 *code = (const uint8 *) at->codes->data;

	gs_tree_load_position(model, schema, p, in[0], code + at->code,
						  at->codes->dims[0] - at->code);
	at->code += position->nvalues;
	position->nnodes = in[1];
	position->shift.base = -1;
	position->shift.n = in[3];
	if (in[1] < 1 || in[1] > at->nodes->dims[0] - at->node || in[3] < 0 ||
		in[3] > at->shifts->dims[0] - at->shift ||
		in[3] > at->codes->dims[0] - at->code)
		gs_corrupted("Tree %d is not complete.", p);
	if (in[2] >= 0 || in[3] > 0)
		gs_tree_load_values(model, schema, p, in[2],
							(const double *) at->shifts->data +
							(Size) 2 * at->shift, code + at->code);
	at->code += in[3];
	at->shift += in[3];
	load_tree(model, p, (const int32 *) at->nodes->data +
			  (Size) 4 * at->node, at->masks, at->entries);
	at->node += in[1];
}

static const GsTensor *
chain_tensor(const List *tensors, const char *chain, const char *name,
			 GsTensorType type, int ndims)
{
	return gs_tensor_get(tensors, psprintf("%s/%s", chain, name), type, ndims);
}

static TreeModel *
load_chain(const GsSchema *schema, const List *tensors, const char *chain)
{
	GsTreeLoading at = {
		.positions = chain_tensor(tensors, chain, "position", GS_I4, 2),
		.nodes = chain_tensor(tensors, chain, "node", GS_I4, 2),
		.masks = chain_tensor(tensors, chain, "mask", GS_I4, 2),
		.codes = chain_tensor(tensors, chain, "code", GS_U1, 1),
		.entries = chain_tensor(tensors, chain, "entry", GS_F4, 2),
		.shifts = chain_tensor(tensors, chain, "shift", GS_F8, 2)
	};
	TreeModel  *model = palloc0(sizeof(TreeModel));
	int			n = at.positions->dims[0];

	if (n > schema->nfeatures || at.positions->dims[1] != 4 ||
		at.nodes->dims[1] != 4 || at.entries->dims[1] != 3 ||
		at.masks->dims[1] != GS_TREE_WORDS || at.shifts->dims[1] != 2)
		gs_corrupted("The tensors of the trees do not fit together.");
	model->n = n;
	model->schema = schema;
	model->nfeatures = schema->nfeatures;
	model->position = palloc0(sizeof(TreePosition) * Max(n, 1));
	model->entry = at.entries->data;
	model->position_of = palloc(sizeof(int) * Max(schema->nfeatures, 1));
	for (int f = 0; f < schema->nfeatures; f++)
		model->position_of[f] = -1;
	for (int p = 0; p < n; p++)
	{
		CHECK_FOR_INTERRUPTS();
		load_next(model, schema, p, &at);
		model->max_leaves = Max(model->max_leaves,
								model->position[p].nleaves);
	}
	return model;
}

static const void *
tree_load(const GsSchema *schema, const List *tensors)
{
	TreeModel  *model = load_chain(schema, tensors, "tree");

	if (gs_tensor_find(tensors, "condition/position") != NULL)
		model->second = load_chain(schema, tensors, "condition");
	return model;
}

/*
 * gs_tree_wanted: which positions have to be drawn for some features: theirs,
 * and what their trees ask for.
 *
 * needed: [nfeatures], or NULL for all; wanted: [n], filled.
 */
void
gs_tree_wanted(const TreeModel *model, const bool *needed, bool *wanted)
{
	for (int p = 0; p < model->n; p++)
		wanted[p] = needed == NULL || needed[model->position[p].feature];
	for (int p = model->n - 1; p >= 0 && needed != NULL; p--)
	{
		const TreePosition *position = &model->position[p];

		if (!wanted[p])
			continue;
		for (int i = 0; i < position->npredictors; i++)
			wanted[position->predictor[i]] = true;
		if (position->null >= 0)
			wanted[position->null] = true;
		for (int b = 0; b < position->nbases; b++)
			if (position->base_null[b] >= 0)
				wanted[position->base_null[b]] = true;
		if (position->shift.base >= 0)
			wanted[position->shift.base] = true;
	}
}

/*
 * gs_tree_show: shows a row's value at position p to what comes after.
 *
 * code: what is asked for; at: position among a number's segments by rank
 */
void
gs_tree_show(TreeSampler *sampler, int p, int row, uint8 code, float at)
{
	const TreeModel *model = sampler->model;
	const TreePosition *position = &model->position[p];
	uint8	   *to = sampler->code + (Size) p * GS_BATCH + row;

	*to = code;
	if (position->values == NULL)
		return;
	sampler->value[p][row] = gs_tree_value(position, at);
	if (position->shift.base >= 0)
		to[(Size) model->n * GS_BATCH] = code == GS_TREE_MISSING ?
			GS_TREE_MISSING :
			gs_tree_shift_code(position, sampler->value[p][row] -
							   sampler->value[position->shift.base][row]);
}

/*
 * Whether a part has no value in a row, since its bases are NULL, or are not.
 */
static bool
is_absent(const TreeModel *model, const TreePosition *position,
		  const GsBatch *batch, int row)
{
	const GsFeature *feature = &model->schema->features[position->feature];
	bool		is_null[GS_MAX_BASES + 1];

	for (int b = 0; b < position->nbases; b++)
	{
		int			null = position->base_null[b];

		is_null[b] = null >= 0 && position->base_code[b] ==
			batch->code[model->position[null].feature][row];
	}
	return gs_layout_part_absent(model->schema->columns[feature->column].layout,
								 feature->part, is_null);
}

/*
 * Whether a part is NULL in a row.
 */
static bool
is_null_part(const TreeModel *model, const TreePosition *position,
			 const GsBatch *batch, int row)
{
	return (position->null >= 0 &&
			batch->code[model->position[position->null].feature][row] == 1) ||
		(position->nbases > 0 && is_absent(model, position, batch, row));
}

/*
 * gs_tree_put: hands what was drawn for a row, a level or a position among a
 * number's segments by rank, to a batch, and to what comes after position p.
 */
void
gs_tree_put(TreeSampler *sampler, int p, GsBatch *batch, int row, float at)
{
	const TreeModel *model = sampler->model;
	const TreePosition *position = &model->position[p];
	int			rank = (int) Min(at, position->nvalues - 1);
	bool		is_null = is_null_part(model, position, batch, row);

	if (position->number)
		batch->score[position->feature][row] = position->base[rank] +
			position->span[rank] * Min(at - rank, 1);
	else
		batch->code[position->feature][row] = rank;
	gs_tree_show(sampler, p, row, !is_null ? position->code[rank] :
				 position->number ? GS_TREE_MISSING : position->missing, at);
}

/*
 * gs_tree_see: shows what the first n rows of a batch have at position p, one
 * of the first nknown, to what comes after.
 */
void
gs_tree_see(TreeSampler *sampler, int p, const GsBatch *batch, int n)
{
	const TreePosition *position = &sampler->model->position[p];
	const float *score = batch->score[position->feature];
	const int32 *code = batch->code[position->feature];
	const KnownPosition *known = &sampler->known[p];

	if (position->number)
		gs_guide_find(&known->guide, score, sampler->leaf, n);
	for (int i = 0; i < n; i++)
	{
		bool		is_null = is_null_part(sampler->model, position, batch, i);
		int			rank;
		float		part;

		if (!position->number)
		{
			gs_tree_show(sampler, p, i, is_null || code[i] == GS_NO_CODE ?
						 position->missing : position->code[code[i]], 0);
			continue;
		}
		if (is_null || isnan(score[i]))
		{
			gs_tree_show(sampler, p, i, GS_TREE_MISSING, 0);
			continue;
		}
		rank = known->rank[sampler->leaf[i]];
		part = position->span[rank] > 0 ?
			(score[i] - position->base[rank]) / position->span[rank] : 0;
		gs_tree_show(sampler, p, i, position->code[rank],
					 rank + Max(0, Min(part, 0.999f)));
	}
}

/*
 * gs_tree_draw: draws a feature for the rows of a batch.
 *
 * The numbers that choose are not independent between rows: the rows of a
 * leaf, of a branch and of the batch share them out evenly (see stratify.h).
 */
void
gs_tree_draw(TreeSampler *sampler, int p, GsBatch *batch)
{
	const TreeModel *model = sampler->model;
	const TreePosition *position = &model->position[p];
	const TreeShift *shift = &position->shift;
	const uint32 *within = sampler->words + GS_BATCH;
	const double *base = shift->base < 0 ? NULL :
		sampler->value[shift->base];
	uint32		word;

	for (int i = 0; i < GS_BATCH; i++)
	{
		sampler->leaf[i] = gs_tree_leaf(position, sampler->code + i, GS_BATCH);
		sampler->turn[i] = position->node[sampler->leaf[i]].turn;
	}
	gs_batch_words(batch, GS_STREAM_LATENT + p, sampler->words);
	gs_stratify(&sampler->strata, GS_BATCH, sampler->turn, position->nleaves,
				sampler->words);
	word = sampler->words[2 * GS_BATCH];
	for (int k = 0; k < GS_BATCH; k++, word += GS_GOLDEN)
	{
		int			i = sampler->strata.row[k];
		const TreeNode *leaf = &position->node[sampler->leaf[i]];
		const GsLeafEntry *entry = model->entry + leaf->left;
		float		at;

		/* of a row that follows from itself, whatever is beside it */
		if (batch->rows != NULL)
			word = sampler->words[2 * GS_BATCH + i];
		entry = base == NULL ? gs_tree_entry(entry, leaf->n, word) :
			gs_tree_entry(entry + leaf->n, leaf->nshift, word);
		at = entry->position + entry->width * ((within[i] >> 8) * 0x1.0p-24f);
		if (base != NULL)
		{
			int			rank = (int) Min(at, shift->n - 1);

			at = gs_tree_find(position, base[i] + shift->low[rank] +
							  (at - rank) *
							  (shift->high[rank] - shift->low[rank]));
		}
		gs_tree_put(sampler, p, batch, i, at);
	}
}

/*
 * How many positions are known, all of which come first; -1 if they do not.
 */
static int
count_known(const TreeModel *model, const bool *context)
{
	int			n = 0;

	while (n < model->n && context[model->position[n].feature])
		n++;
	for (int p = n; p < model->n; p++)
		if (context[model->position[p].feature])
			return -1;
	return n;
}

static void
prepare_known(TreeSampler *sampler)
{
	const TreeModel *model = sampler->model;

	sampler->known = palloc0(sizeof(KnownPosition) * Max(sampler->nknown, 1));
	for (int p = 0; p < sampler->nknown; p++)
	{
		const GsFeature *feature =
			&model->schema->features[model->position[p].feature];
		KnownPosition *known = &sampler->known[p];

		if (!model->position[p].number)
			continue;
		gs_guide_init(&known->guide, feature->quantile.edge,
					  feature->quantile.nsegments, palloc);
		known->rank = palloc(sizeof(uint16) * feature->quantile.nsegments);
		gs_tree_ranks(feature, known->rank);
	}
}

/*
 * gs_tree_open: a sampler of a chain, the first nknown positions of which can
 * be seen in batches, in the current context.
 */
TreeSampler *
gs_tree_open(const TreeModel *model, int nknown)
{
	TreeSampler *sampler = palloc0(sizeof(TreeSampler));
	int			n = Max(model->n, 1);

	sampler->model = model;
	sampler->nknown = nknown;
	sampler->code = palloc_extended((Size) 2 * GS_BATCH * n,
									MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	sampler->value = palloc0(sizeof(double *) * n);
	for (int p = 0; p < model->n; p++)
		if (model->position[p].values != NULL)
			sampler->value[p] = palloc0(sizeof(double) * GS_BATCH);
	sampler->wanted = palloc(n);
	sampler->words = palloc(sizeof(uint32) * 4 * GS_BATCH);
	sampler->leaf = palloc(sizeof(int32) * GS_BATCH);
	sampler->turn = palloc(sizeof(int32) * GS_BATCH);
	sampler->strata.shuffled = palloc(sizeof(uint16) * GS_BATCH);
	sampler->strata.row = palloc(sizeof(uint16) * GS_BATCH);
	sampler->strata.counter = palloc(sizeof(uint16) *
									 ((Size) model->max_leaves + 1));
	if (nknown > 0)
		prepare_known(sampler);
	return sampler;
}

/*
 * A sampler of the chain of trees in which all that is known comes first, or
 * if there is none, of the first one, by drafts.
 */
static TreeSampler *
open_known(const TreeModel *model, const bool *context)
{
	TreeSampler *sampler;

	for (const TreeModel *chain = model; chain != NULL; chain = chain->second)
		if (count_known(chain, context) >= 0)
			return gs_tree_open(chain, count_known(chain, context));
	sampler = gs_tree_open(model, model->n);
	gs_tree_draft(sampler, context);
	return sampler;
}

static void *
tree_begin(const void *state, GsGiven *given, const bool *context)
{
	const TreeModel *model = state;
	bool	   *first = NULL;
	TreeSampler *sampler;

	if (given != NULL)
		model = gs_tree_chain(model, given, &first);
	sampler = context != NULL ? open_known(model, context) :
		gs_tree_open(model, 0);
	sampler->first = first;
	if (given != NULL)
		gs_tree_condition(sampler, given);
	return sampler;
}

static void
tree_generate(void *state, GsBatch *batch)
{
	TreeSampler *sampler = state;
	const TreeModel *model = sampler->model;

	/* what has no position is determined by others; it must be something */
	for (int f = 0; f < model->nfeatures; f++)
	{
		if (model->position_of[f] >= 0 ||
			(batch->context != NULL && batch->context[f]))
			continue;
		if (batch->code[f] != NULL)
			memset(batch->code[f], 0, sizeof(int32) * GS_BATCH);
		else
			memset(batch->score[f], 0, sizeof(float) * GS_BATCH);
	}
	if (sampler->drafts != NULL)
	{
		gs_tree_fill_drafts(sampler, batch);
		return;
	}
	gs_tree_wanted(model, batch->needed, sampler->wanted);
	if (sampler->given != NULL)
		gs_tree_confine(sampler, batch);
	for (int p = 0; p < model->n; p++)
	{
		if (!sampler->wanted[p] ||
			(sampler->given != NULL && sampler->first[p]))
			continue;
		if (p < sampler->nknown)
			gs_tree_see(sampler, p, batch, GS_BATCH);
		else
			gs_tree_draw(sampler, p, batch);
	}
}

const GsOptionDef gs_tree_options[GS_TREE_OPTIONS] = {
	GS_OPTION_AUTO_NUMBER(min_leaf, TreeOptions, 5, 1000000),
	GS_OPTION_STRINGS(order, TreeOptions, "names of columns",
					  "\"sex\", \"age\""),
	GS_OPTION_STRINGS(condition_first, TreeOptions, "names of columns",
					  "\"sex\", \"age\"")
};

const GsFamily gs_tree = {
	.name = "tree",
	.options = gs_tree_options,
	.noptions = GS_TREE_OPTIONS,
	.options_size = sizeof(TreeOptions),
	.fit = gs_tree_fit,
	.load = tree_load,
	.begin = tree_begin,
	.generate = tree_generate,
	.heed = gs_tree_heed,
	.refined = true,
	.conditions = true,
	.contexts = true
};
