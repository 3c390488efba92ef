/*
 * sequence.c
 *	  Rows of an owner, one after the other: sampling.
 *	  sequence_load.c loads what sequence_fit.c fitted; sequence_memory.c
 *	  remembers the rows, and siblings.c takes them from who makes them.
 *
 * As in tree.c, features are drawn one after the other by trees.  These may
 * ask for what is known of the owner, for what his rows before tell, and for
 * the features before in the row itself; and a value comes from one of four
 * trees.  The first says where it is from: it is that of the last row, or what
 * came after the last row's when that was there before; or else, where the last
 * row has a number, the second draws what is added to that, and the third draws
 * the value; first rows, which what follows hangs on, have the fourth.  What belongs to a row that was chosen, as a product's price does,
 * is looked up by its key, and asked for by what comes after.  Natural keys (sequence_keys.c) are kept by drawing the last of
 * their features again.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/hsearch.h"

#include "learn/quantile.h"
#include "model/model.h"
#include "model/sequence_sampler.h"
#include "numeric/normal.h"
#include "numeric/philox.h"

#define MAX_TRIES		24		/* of a key's last feature ... */
#define NEAR_TRIES		12		/* ... those of them as its trees have it */
#define RANGE_TRIES		8		/* for a sum in the range of its values */

/*
 * How many rows owner i has, where nobody knows it: in turn what some have.
 */
static int64
usual_siblings(const SequenceModel *model, int i)
{
	for (int a = 0; a < model->nasks; a++)
	{
		const GsAsk *ask = &model->ask[a];

		if (ask->kind == GS_ASK_SIBLINGS && ask->nedges > 0)
			return (int64) Max(1, Min(ceil(ask->edge[i % ask->nedges]),
									  1e9));
	}
	return 1;
}

static void *
sequence_begin(const void *state, GsGiven *given, const bool *context)
{
	const SequenceModel *model = state;
	SequenceSampler *sampler = palloc0(sizeof(SequenceSampler));
	int			n = Max(model->axes.n, 1);

	for (int p = 0; p < model->axes.n && context != NULL; p++)
		if (context[model->axes.position[p].feature] != (p < model->nknown))
			gs_context_unfit(model->axes.schema,
							 model->axes.position[p].feature);
	sampler->model = model;
	sampler->alone = context == NULL;
	sampler->axes = gs_tree_open(&model->axes, model->axes.n);
	sampler->memory = gs_memory_create(model->kept, model->axes.n,
									   model->group, GS_BATCH);
	sampler->code = palloc_extended((Size) GS_BATCH * Max(model->nasks, 1),
									MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	sampler->shown = palloc0(sizeof(GsShown) * n);
	if (model->nkeys > 0)
	{
		HASHCTL		control = {.keysize = sizeof(uint64),
		.entrysize = sizeof(SeenKey),.hcxt = CurrentMemoryContext};

		sampler->seen = hash_create("gensynth natural keys", 16 * GS_BATCH,
									&control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	sampler->n = GS_BATCH;
	for (int i = 0; i < GS_BATCH; i++)
	{
		sampler->owner[i] = i;
		gs_memory_begin(sampler->memory, i, usual_siblings(model, i));
	}
	return sampler;
}

/*
 * gs_sequence_shown_at: what a row has at a position.
 */
GsShown
gs_sequence_shown_at(const SequenceSampler *sampler, const GsBatch *batch,
					 int p, int row)
{
	const TreePosition *axis = &sampler->model->axes.position[p];
	uint8		code = sampler->axes->code[(Size) p * GS_BATCH + row];
	bool		missing = code == sampler->model->kept[p].missing;
	GsShown		shown = {code, -1, NAN};

	if (!axis->number && !missing)
		shown.level = batch->code[axis->feature][row];
	if (axis->number && axis->values != NULL && !missing)
		shown.value = sampler->axes->value[p][row];
	return shown;
}

/*
 * Answers what is asked about position p of the rows at hand.
 */
static void
answer(SequenceSampler *sampler, const GsBatch *batch, int p)
{
	const SequenceModel *model = sampler->model;

	for (int a = 0; a < model->nasks; a++)
	{
		const GsAsk *ask = &model->ask[a];
		uint8	   *code = sampler->code + (Size) a * GS_BATCH;

		if (!gs_ask_is_own(ask->kind) || gs_ask_subject(ask) != p)
			continue;
		if (ask->kind == GS_ASK_OWN)
		{
			memcpy(code, sampler->axes->code + (Size) p * GS_BATCH,
				   sampler->n);
			continue;
		}
		for (int row = 0; row < sampler->n; row++)
		{
			GsShown		shown = gs_sequence_shown_at(sampler, batch, p, row);

			code[row] = gs_memory_code(sampler->memory, ask,
									   sampler->owner[row], &shown);
		}
	}
}

/*
 * Answers what is asked about the rows before.
 */
static void
answer_before(SequenceSampler *sampler)
{
	const SequenceModel *model = sampler->model;

	for (int a = 0; a < model->nasks; a++)
		for (int row = 0; row < sampler->n &&
			 !gs_ask_is_own(model->ask[a].kind); row++)
			sampler->code[(Size) a * GS_BATCH + row] =
				gs_memory_code(sampler->memory, &model->ask[a],
							   sampler->owner[row], NULL);
}

/*
 * Draws from a tree for n of the rows at hand, row[], to at[]: positions on its
 * axis.  As in tree.c, the rows share the random numbers out evenly.
 */
static void
draw(SequenceSampler *sampler, const TreePosition *tree, uint32 stream,
	 const GsBatch *batch, const int *row, int n, float *at)
{
	TreeSampler *axes = sampler->axes;
	uint32	   *words = axes->words;
	uint32		word;

	if (n == 0)
		return;
	for (int i = 0; i < n; i++)
	{
		axes->leaf[i] = gs_tree_leaf(tree, sampler->code + row[i], GS_BATCH);
		axes->turn[i] = tree->node[axes->leaf[i]].turn;
	}
	gs_philox_lanes(batch->key, batch->first, stream, 0, n, words,
					words + GS_BATCH, words + 2 * GS_BATCH,
					words + 3 * GS_BATCH);
	gs_stratify(&axes->strata, n, axes->turn, tree->nleaves, words);
	word = words[2 * GS_BATCH];
	for (int k = 0; k < n; k++, word += GS_GOLDEN)
	{
		int			i = axes->strata.row[k];
		const TreeNode *leaf = &tree->node[axes->leaf[i]];
		const GsLeafEntry *entry = gs_tree_entry(sampler->model->axes.entry +
												 leaf->left, leaf->n, word);

		at[i] = entry->position +
			entry->width * ((words[GS_BATCH + i] >> 8) * 0x1.0p-24f);
	}
}

/*
 * The same for one row, by random numbers of its own; from any leaf, if that is
 * far.
 */
static float
draw_one(const SequenceSampler *sampler, const TreePosition *tree, int row,
		 GsRandom *random, bool far)
{
	int			at = far ? (int) gs_random_below(random, tree->nnodes) :
		gs_tree_leaf(tree, sampler->code + row, GS_BATCH);
	const GsLeafEntry *entry;
	uint32		word = gs_random_u32(random);

	/* children come after their parents */
	while (tree->node[at].position >= 0)
		at = tree->node[at].left;
	entry = gs_tree_entry(sampler->model->axes.entry + tree->node[at].left,
						  tree->node[at].n, word);
	return entry->position + entry->width * gs_random_uniform(random);
}

/*
 * Puts what a source gives at position p; false where it has nothing.
 */
static bool
put_source(SequenceSampler *sampler, int p, GsBatch *batch, int row, int s)
{
	const SequenceModel *model = sampler->model;
	int			owner = sampler->owner[row];
	GsShown		last;
	float		at;

	if (model->source[p][s] == GS_SOURCE_OWNER)
	{
		int			from = model->owner[p];
		int			code = batch->code[model->axes.position[from].feature][row];

		if (code == GS_NO_CODE || model->of_owner[p][code] < 0)
			return false;
		at = model->of_owner[p][code];
	}
	else if (model->source[p][s] == GS_SOURCE_SUCCESSOR)
	{
		int			level = gs_memory_successor(sampler->memory, owner, p);

		if (level < 0)
			return false;
		at = level;
	}
	else
	{
		if (!gs_memory_last(sampler->memory, owner, p, &last))
			return false;
		at = model->kept[p].number ?
			gs_tree_find(&model->axes.position[p], last.value) : last.level;
	}
	gs_tree_put(sampler->axes, p, batch, row, at);
	return true;
}

/*
 * What a number lies close to in an owner's first row; NaN: nothing.
 */
static double
base_of(const SequenceSampler *sampler, int p, const GsBatch *batch, int row)
{
	int			q = sampler->model->base[p];
	int			c = sampler->model->moment[p];

	if (c >= 0)
	{
		const int64 *known = batch->exact != NULL ? batch->exact[c] : NULL;

		return known == NULL || known[row] == PG_INT64_MIN ? NAN :
			gs_sequence_base(gs_sequence_unit(&sampler->model->axes.schema->columns[c]) *
							 (double) known[row], sampler->model->by_year[p]);
	}
	return q < 0 || sampler->axes->code[(Size) q * GS_BATCH + row] ==
		GS_TREE_MISSING ? NAN :
		gs_sequence_base(sampler->axes->value[q][row],
						 sampler->model->by_year[p]);
}

static double
shift_at(const TreeShift *shift, float at)
{
	int			rank = (int) Min(at, shift->n - 1);

	return shift->low[rank] +
		(at - rank) * (shift->high[rank] - shift->low[rank]);
}

/*
 * Puts the sum of a number and a difference, which is drawn again where that is
 * beyond all values.
 *
 * by: what at is a place of, as tree draws it
 */
static void
put_sum(SequenceSampler *sampler, int p, GsBatch *batch, int row,
		double from, const TreeShift *by, GsSequenceTree tree, float at)
{
	const SequenceModel *model = sampler->model;
	const TreePosition *axis = &model->axes.position[p];
	const TreeValues *values = axis->values;
	double		low = values->low[values->rank[0]];
	double		high = values->high[values->rank[axis->nvalues - 1]];
	GsRandom	random;
	double		value = from + shift_at(by, at);

	if (value < low || value > high)
		gs_random_start(&random, batch->key, batch->first + row,
						GS_STREAM_GIVEN + p);
	for (int try = 0; (value < low || value > high) && try < RANGE_TRIES;
		 try++)
		value = from + shift_at(by, draw_one(sampler, &model->tree[p][tree],
											 row, &random, false));
	gs_tree_put(sampler->axes, p, batch, row, gs_tree_find(axis, value));
}

/*
 * Puts what the last row's number and a difference make.
 */
static void
put_shift(SequenceSampler *sampler, int p, GsBatch *batch, int row, float at)
{
	GsShown		last;

	(void) gs_memory_last(sampler->memory, sampler->owner[row], p, &last);
	put_sum(sampler, p, batch, row, last.value, &sampler->model->shift[p],
			GS_TREE_SHIFT, at);
}

/*
 * Whether the tree of first rows draws a row.
 */
static bool
is_first(const SequenceSampler *sampler, int p, const GsBatch *batch, int row)
{
	return sampler->model->tree[p][GS_TREE_FIRST].nnodes > 0 &&
		!gs_memory_begun(sampler->memory, sampler->owner[row]) &&
		(sampler->model->base[p] < 0 || !isnan(base_of(sampler, p, batch, row)));
}

/*
 * Puts what that tree says.
 */
static void
put_first(SequenceSampler *sampler, int p, GsBatch *batch, int row, float at)
{
	if (sampler->model->base[p] < 0)
		gs_tree_put(sampler->axes, p, batch, row, at);
	else
		put_sum(sampler, p, batch, row, base_of(sampler, p, batch, row),
				&sampler->model->first_shift[p], GS_TREE_FIRST, at);
}

/*
 * Whether a level is one that may come after the last row's.
 */
static bool
may_follow(const SequenceModel *model, int p, int level, int last)
{
	const GsFeature *feature =
		&model->axes.schema->features[model->axes.position[p].feature];

	return gs_scalar_compare(feature->level[level], feature->level[last],
							 feature->lane) >=
		(model->rising[p] == GS_RISING_ALWAYS);
}

/*
 * Puts a level where levels do not fall: it is drawn again until it does not,
 * and else the next one there is, or the last row's.
 */
static void
put_rising(SequenceSampler *sampler, int p, GsBatch *batch, int row, float at)
{
	const SequenceModel *model = sampler->model;
	int			nlevels = model->axes.position[p].nvalues;
	const GsFeature *feature =
		&model->axes.schema->features[model->axes.position[p].feature];
	GsShown		last;
	GsRandom	random;
	int			level = (int) at;
	int			best;

	if (gs_memory_last(sampler->memory, sampler->owner[row], p, &last) &&
		!may_follow(model, p, level, last.level))
	{
		gs_random_start(&random, batch->key, batch->first + row,
						GS_STREAM_GIVEN + p);
		for (int try = 0; try < RANGE_TRIES &&
			 !may_follow(model, p, level, last.level); try++)
			level = (int) draw_one(sampler, &model->tree[p][GS_TREE_OWN], row,
								   &random, false);
		best = last.level;
		for (int l = 0; l < nlevels &&
			 !may_follow(model, p, level, last.level); l++)
			if (may_follow(model, p, l, last.level) &&
				(best == last.level ||
				 gs_scalar_compare(feature->level[l], feature->level[best],
								   feature->lane) < 0))
				best = l;
		if (!may_follow(model, p, level, last.level))
			level = best;
	}
	gs_tree_put(sampler->axes, p, batch, row, level);
}

static uint32
stream_of(int p, GsSequenceTree tree)
{
	return GS_STREAM_LATENT + (uint32) p * GS_SEQUENCE_TREES + tree;
}

/*
 * Whether a row's number at position p is that of another column: puts it.
 */
static bool
put_equal(SequenceSampler *sampler, int p, GsBatch *batch, int row)
{
	const SequenceModel *model = sampler->model;
	int			from = model->equal[p];
	const TreePosition *flag = &model->axes.position[model->equal_if[p]];

	if (from < 0 || batch->code[flag->feature][row] != 1 ||
		sampler->axes->code[(Size) from * GS_BATCH + row] == GS_TREE_MISSING)
		return false;
	gs_tree_put(sampler->axes, p, batch, row,
				gs_tree_find(&model->axes.position[p],
							 sampler->axes->value[from][row]));
	return true;
}

/*
 * gs_sequence_look_up: puts what the value of another position tells.
 */
void
gs_sequence_look_up(SequenceSampler *sampler, int p, GsBatch *batch)
{
	const SequenceModel *model = sampler->model;
	int			q = model->lookup_key[p];
	const TreePosition *key = &model->axes.position[q];
	uint8		missing = model->kept[q].missing;

	for (int row = 0; row < sampler->n; row++)
	{
		int			by = key->nvalues;
		float		at;

		if (sampler->axes->code[(Size) q * GS_BATCH + row] != missing)
			by = key->number ?
				(int) gs_tree_find(key, sampler->axes->value[q][row]) :
				batch->code[key->feature][row];
		at = model->lookup[p][Min(by, key->nvalues)];
		gs_tree_put(sampler->axes, p, batch, row, isnan(at) ? 0 : at);
		if (isnan(at))
			gs_tree_show(sampler->axes, p, row, model->kept[p].missing, 0);
	}
}

/*
 * Draws position p for the rows at hand.
 */
static void
draw_position(SequenceSampler *sampler, int p, GsBatch *batch)
{
	const SequenceModel *model = sampler->model;
	const TreePosition *tree = model->tree[p];
	int		   *rest = sampler->row;
	int		   *part = sampler->part;
	int			nrest;
	int			n = 0;
	GsShown		last;

	for (int i = 0; i < sampler->n; i++)
		if (!put_equal(sampler, p, batch, i))
			rest[n++] = i;
	nrest = n;
	if (tree[GS_TREE_SOURCE].nnodes > 0)
	{
		draw(sampler, &tree[GS_TREE_SOURCE], stream_of(p, GS_TREE_SOURCE),
			 batch, rest, nrest, sampler->at);
		n = 0;
		for (int i = 0; i < nrest; i++)
		{
			int			s = (int) sampler->at[i];

			if (s == tree[GS_TREE_SOURCE].nvalues - 1 ||
				!put_source(sampler, p, batch, rest[i], s))
				rest[n++] = rest[i];
		}
		nrest = n;
	}
	for (int t = GS_TREE_SHIFT; t < GS_SEQUENCE_TREES; t++)
	{
		int			npart = 0;

		if (t == GS_TREE_OWN || tree[t].nnodes == 0)
			continue;
		n = 0;
		for (int i = 0; i < nrest; i++)
			if (t == GS_TREE_FIRST ? is_first(sampler, p, batch, rest[i]) :
				gs_memory_last(sampler->memory, sampler->owner[rest[i]], p,
							   &last))
				part[npart++] = rest[i];
			else
				rest[n++] = rest[i];
		nrest = n;
		draw(sampler, &tree[t], stream_of(p, t), batch, part, npart,
			 sampler->at);
		for (int i = 0; i < npart; i++)
			if (t == GS_TREE_FIRST)
				put_first(sampler, p, batch, part[i], sampler->at[i]);
			else
				put_shift(sampler, p, batch, part[i], sampler->at[i]);
	}
	draw(sampler, &tree[GS_TREE_OWN], stream_of(p, GS_TREE_OWN), batch, rest,
		 nrest, sampler->at);
	for (int i = 0; i < nrest; i++)
		if (model->rising[p] != GS_RISING_NOT)
			put_rising(sampler, p, batch, rest[i], sampler->at[i]);
		else
			gs_tree_put(sampler->axes, p, batch, rest[i], sampler->at[i]);
}

/*
 * Draws position p of one row again.
 */
static void
draw_again(SequenceSampler *sampler, int p, GsBatch *batch, int row,
		   GsRandom *random, bool far)
{
	const TreePosition *tree = sampler->model->tree[p];
	GsShown		last;

	if (tree[GS_TREE_SOURCE].nnodes > 0 && !far)
	{
		int			s = (int) draw_one(sampler, &tree[GS_TREE_SOURCE], row,
									   random, false);

		if (s < tree[GS_TREE_SOURCE].nvalues - 1 &&
			put_source(sampler, p, batch, row, s))
			return;
	}
	if (tree[GS_TREE_SHIFT].nnodes > 0 &&
		gs_memory_last(sampler->memory, sampler->owner[row], p, &last))
		put_shift(sampler, p, batch, row,
				  draw_one(sampler, &tree[GS_TREE_SHIFT], row, random, far));
	else if (is_first(sampler, p, batch, row))
		put_first(sampler, p, batch, row,
				  draw_one(sampler, &tree[GS_TREE_FIRST], row, random, far));
	else if (sampler->model->rising[p] != GS_RISING_NOT)
		put_rising(sampler, p, batch, row,
				   draw_one(sampler, &tree[GS_TREE_OWN], row, random, far));
	else
		gs_tree_put(sampler->axes, p, batch, row,
					draw_one(sampler, &tree[GS_TREE_OWN], row, random, far));
}

/*
 * Whether a row has a key, the last feature of which is at position p, that
 * another one of its owner has.
 */
static bool
is_taken(const SequenceSampler *sampler, const GsBatch *batch, int p, int row)
{
	const SequenceModel *model = sampler->model;

	for (int k = 0; k < model->nkeys; k++)
	{
		uint64		hash;

		if (model->key[k].position[model->key[k].n - 1] != p)
			continue;
		if (gs_sequence_hash_key(sampler, batch, k, row, &hash) &&
			hash_search(sampler->seen, &hash, HASH_FIND, NULL) != NULL)
			return true;
	}
	return false;
}

/*
 * Keys that end at position p are not repeated, if that can be: a NULL, which
 * repeats nothing, is a way out only where nothing else is left.
 */
static void
keep_keys(SequenceSampler *sampler, int p, GsBatch *batch)
{
	for (int row = 0; row < sampler->n; row++)
	{
		GsRandom	random;
		GsShown		shown;

		for (int try = 0; try < MAX_TRIES; try++)
		{
			shown = gs_sequence_shown_at(sampler, batch, p, row);
			if (!(try > 0 && gs_sequence_is_null(sampler, p, &shown)) &&
				!is_taken(sampler, batch, p, row))
				break;
			if (try == 0)
				gs_random_start(&random, batch->key, batch->first + row,
								GS_STREAM_REFINE + p);
			draw_again(sampler, p, batch, row, &random, try >= NEAR_TRIES);
		}
		sampler->failed[row] |= is_taken(sampler, batch, p, row);
	}
}

/*
 * What is known of an owner, where nobody knows it: as likely as in the
 * source, each by itself.
 */
static void
draw_known(SequenceSampler *sampler, int p, GsBatch *batch)
{
	const TreePosition *axis = &sampler->model->axes.position[p];
	const GsFeature *feature =
		&sampler->model->axes.schema->features[axis->feature];

	for (int row = 0; row < GS_BATCH; row++)
	{
		GsRandom	random;
		double		u;
		int			level = 0;

		gs_random_start(&random, batch->key, batch->first + row,
						GS_STREAM_LATENT + p * GS_SEQUENCE_TREES);
		if (axis->number)
		{
			batch->score[axis->feature][row] = (float)
				gs_normal_quantile(gs_random_uniform(&random));
			continue;
		}
		u = gs_random_uniform(&random);
		while (level < feature->nlevels - 1 && u >= feature->share[level])
			u -= feature->share[level++];
		batch->code[axis->feature][row] = level;
	}
}

static void
sequence_generate(void *state, GsBatch *batch)
{
	SequenceSampler *sampler = state;
	const SequenceModel *model = sampler->model;

	/* what has no position is determined by others; it must be something */
	for (int f = 0; f < batch->nfeatures; f++)
	{
		if (batch->context != NULL && batch->context[f])
			continue;
		if (batch->code[f] != NULL)
			memset(batch->code[f], 0, sizeof(int32) * GS_BATCH);
		else
			memset(batch->score[f], 0, sizeof(float) * GS_BATCH);
	}
	memset(sampler->failed, false, sizeof(sampler->failed));
	for (int p = 0; p < model->nknown; p++)
	{
		if (sampler->alone)
			draw_known(sampler, p, batch);
		gs_tree_see(sampler->axes, p, batch, sampler->n);
		answer(sampler, batch, p);
	}
	for (int p = model->nknown; p < model->axes.n; p++)
		for (int row = 0; row < sampler->n && model->base[p] >= 0; row++)
			gs_memory_base(sampler->memory, sampler->owner[row], p,
						   base_of(sampler, p, batch, row));
	answer_before(sampler);
	for (int p = model->nknown; p < model->axes.n; p++)
	{
		if (model->lookup_key[p] >= 0)
			gs_sequence_look_up(sampler, p, batch);
		else
		{
			draw_position(sampler, p, batch);
			if (sampler->seen != NULL)
				keep_keys(sampler, p, batch);
		}
		answer(sampler, batch, p);
	}
}

const GsFamily gs_sequence = {
	.name = "sequence",
	.options = gs_tree_options,
	.noptions = GS_TREE_OPTIONS,
	.options_size = sizeof(TreeOptions),
	.fit = gs_sequence_fit,
	.load = gs_sequence_load,
	.begin = sequence_begin,
	.generate = sequence_generate,
	.contexts = true
};
