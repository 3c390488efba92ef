/*
 * private.c
 *	  A mixture of products of categorical distributions: loading and
 *	  sampling.  private_fit.c fits it to noisy counts.
 *
 * A row draws its component, and then each of its columns independently: a
 * cell, which is a level, some segments of the quantile table or NULL, and of
 * a cell's values one, by their shares in the schema.
 *
 * Rows of a stream share distributions out evenly (see scramble.h), all of
 * them and not only those of a batch, which would be too few for hundreds of
 * components: of 2^14 rows each component has the number that is its weight,
 * in an order in which any beginning has its share of all; and the rows of a
 * component fall evenly on each of its columns, in an order of the column's
 * own, so that columns stay independent of each other.  A row follows from its
 * number alone.
 *
 * Tensors, for P positions, C cells of all of them, and R components, alike
 * ones next to each other:
 *	 private/position	int4 [P, 2]	feature of each; the indicator of NULLs that
 *						its last cell stands for, or -1
 *	 private/cell		int4 [..]	cell of each level or segment, of all positions
 *	 private/weight		int4 [R]	rows of a component, of 2^14
 *	 private/share		float4 [R, C]	probability of a cell in a component
 */
#include "postgres.h"

#include <math.h>

#include "model/model.h"
#include "model/private.h"
#include "numeric/clones.h"
#include "numeric/philox.h"
#include "numeric/scramble.h"

#define TOLERANCE	1e-3		/* of a sum of probabilities */

/*
 * Where a feature goes: nothing else has it.
 */
static const GsFeature *
claim_feature(PrivateModel *model, int f, int p)
{
	if (f < 0 || f >= model->schema->nfeatures || model->position_of[f] >= 0)
		gs_corrupted("Place %d is of no feature.", p);
	model->position_of[f] = p;
	return &model->schema->features[f];
}

/*
 * The cells of a position's values; cell: [nvalues].
 */
static void
load_cells(GsTokenPosition *values, const int32 *cell, int p)
{
	int			n = values->nvalues;
	bool	   *seen = palloc0(n);

	values->token = palloc(sizeof(uint16) * n);
	for (int v = 0; v < n; v++)
	{
		if (cell[v] < 0 || cell[v] >= n)
			gs_corrupted("Place %d has an impossible cell.", p);
		values->token[v] = (uint16) cell[v];
		values->ntokens = Max(values->ntokens, cell[v] + 1);
		seen[cell[v]] = true;
	}
	for (int x = 0; x < values->ntokens; x++)
		if (!seen[x])
			gs_corrupted("Place %d lacks cell %d.", p, x);
	pfree(seen);
}

/*
 * A position; cell: [left] what is left of the tensor.
 */
static void
load_position(PrivateModel *model, int p, const int32 *in, const int32 *cell,
			  int left)
{
	PrivatePosition *position = &model->position[p];
	GsTokenPosition *values = &position->values;
	const GsFeature *feature = claim_feature(model, in[0], p);

	values->feature = in[0];
	values->number = feature->kind == GS_FEATURE_NUMBER;
	values->nvalues = values->number ? feature->quantile.nsegments :
		feature->nlevels;
	if (values->nvalues < 1 || values->nvalues > left)
		gs_corrupted("Place %d has too few cells.", p);
	load_cells(values, cell, p);
	gs_tokens_position(values, feature);
	position->null = -1;
	position->ncells = values->ntokens;
	position->first = model->ncells;
	if (in[1] >= 0)
	{
		const GsFeature *indicator = claim_feature(model, in[1], p);

		if (indicator->kind != GS_FEATURE_CATEGORY || indicator->nlevels < 2)
			gs_corrupted("Place %d has an impossible indicator.", p);
		position->null = in[1];
		position->ncells++;
	}
	model->ncells += position->ncells;
}

static void
load_positions(PrivateModel *model, const List *tensors)
{
	const GsTensor *positions = gs_tensor_get(tensors, "private/position",
											  GS_I4, 2);
	const GsTensor *cells = gs_tensor_get(tensors, "private/cell", GS_I4, 1);
	int			n = positions->dims[0];
	int			at = 0;

	if (n > model->schema->nfeatures || positions->dims[1] != 2)
		gs_corrupted("The mixture has too many places.");
	model->npositions = n;
	model->position = palloc0(sizeof(PrivatePosition) * Max(n, 1));
	model->position_of = palloc(sizeof(int) *
								Max(model->schema->nfeatures, 1));
	for (int f = 0; f < model->schema->nfeatures; f++)
		model->position_of[f] = -1;
	for (int p = 0; p < n; p++)
	{
		load_position(model, p, (const int32 *) positions->data + 2 * p,
					  (const int32 *) cells->data + at, cells->dims[0] - at);
		at += model->position[p].values.nvalues;
	}
}

/*
 * The components of rows in order.
 */
static void
load_weights(PrivateModel *model)
{
	int			at = 0;

	model->component = palloc(sizeof(uint16) * GS_PRIVATE_ROWS);
	for (int r = 0; r < model->ncomponents; r++)
	{
		if (model->weight[r] < 0 || model->weight[r] > GS_PRIVATE_ROWS - at)
			gs_corrupted("The weight of component %d is impossible.", r);
		for (int i = 0; i < model->weight[r]; i++)
			model->component[at++] = (uint16) r;
	}
	if (at != GS_PRIVATE_ROWS)
		gs_corrupted("The weights of the mixture are impossible.");
}

/*
 * The sums of n probabilities, of 2^32.  Returns false unless there are such.
 */
static bool
sum_up(const float *share, int n, uint32 *below)
{
	double		all = 0;
	double		sum = 0;

	for (int i = 0; i < n; i++)
	{
		if (!(share[i] >= 0 && share[i] <= 1 + TOLERANCE))
			return false;
		all += share[i];
	}
	if (fabs(all - 1) > TOLERANCE)
		return false;
	for (int i = 0; i < n; i++)
	{
		sum += share[i];
		below[i] = sum >= all ? PG_UINT32_MAX :
			(uint32) Min(sum / all * 0x1.0p32, PG_UINT32_MAX);
	}
	return true;
}

/*
 * See family.h.
 */
static const void *
private_load(const GsSchema *schema, const List *tensors)
{
	const GsTensor *weights = gs_tensor_get(tensors, "private/weight", GS_I4,
											1);
	const GsTensor *shares = gs_tensor_get(tensors, "private/share", GS_F4,
										   2);
	PrivateModel *model = palloc0(sizeof(PrivateModel));

	model->schema = schema;
	load_positions(model, tensors);
	if (weights->dims[0] < 1 || weights->dims[0] > GS_PRIVATE_ROWS ||
		shares->dims[0] != weights->dims[0] ||
		shares->dims[1] != model->ncells)
		gs_corrupted("The tensors of the mixture do not fit together.");
	model->ncomponents = weights->dims[0];
	model->weight = weights->data;
	model->share = shares->data;
	load_weights(model);
	model->below = palloc_extended(sizeof(uint32) * model->ncomponents *
								   (Size) Max(model->ncells, 1),
								   MCXT_ALLOC_HUGE);
	for (int p = 0; p < model->npositions; p++)
		for (int r = 0; r < model->ncomponents; r++)
			if (!sum_up(model->share + (Size) r * model->ncells +
						model->position[p].first, model->position[p].ncells,
						model->below + gs_private_at(model, p, r)))
				gs_corrupted("Component %d of the mixture is impossible.", r);
	return model;
}

/*
 * gs_private_put: hands a row's cell at position p to a batch; within: 0 to 1,
 * chooses among its values.
 */
void
gs_private_put(const PrivateModel *model, int p, GsBatch *batch, int row,
			   int cell, float within)
{
	const PrivatePosition *position = &model->position[p];
	const GsTokenPosition *values = &position->values;
	bool		is_null = cell >= values->ntokens;
	int			value = is_null ? 0 :
		gs_tokens_member(values, cell, within, &within);

	if (position->null >= 0)
		batch->code[position->null][row] = is_null;
	if (values->number)
		batch->score[values->feature][row] = values->base[value] +
			values->span[value] * within;
	else
		batch->code[values->feature][row] = value;
}

/*
 * gs_private_words: random words of a batch's rows, each of its own.
 */
void
gs_private_words(PrivateSampler *sampler, const GsBatch *batch, uint32 stream)
{
	gs_batch_words(batch, GS_STREAM_LATENT + stream, sampler->words);
}

/*
 * Random words of a stream of rows.
 */
static void
stream_words(uint64 key, uint32 stream, uint32 word[4])
{
	gs_philox_lanes(key, 0, GS_STREAM_LATENT + stream, 1, 1, &word[0],
					&word[1], &word[2], &word[3]);
}

/*
 * Deals components to the rows of a stream.
 */
static void
deal_components(PrivateSampler *sampler, uint64 key)
{
	const PrivateModel *model = sampler->model;
	uint16	   *count = palloc0(sizeof(uint16) * model->ncomponents);
	uint32		word[4];

	stream_words(key, GS_PRIVATE_COMPONENT, word);
	for (uint32 i = 0; i < GS_PRIVATE_ROWS; i++)
	{
		uint32		place = gs_scrambled(gs_bits_reversed(i), word[0]) >>
			(32 - GS_PRIVATE_BITS);
		uint16		r = model->component[place];

		sampler->component_of[i] = r;
		sampler->turn[i] = count[r]++;
	}
	pfree(count);
	sampler->key = key;
	sampler->dealt = true;
}

/*
 * The components of a batch's rows, and in words which of the component's rows
 * each is, its bits reversed.
 */
static void
find_components(PrivateSampler *sampler, const GsBatch *batch)
{
	const PrivateModel *model = sampler->model;

	if (!sampler->dealt || sampler->key != batch->key)
		deal_components(sampler, batch->key);
	for (int i = 0; i < GS_BATCH; i++)
	{
		uint64		row = gs_batch_row(batch, i);
		int			at = row % GS_PRIVATE_ROWS;
		int			r = sampler->component_of[at];

		sampler->component[i] = r;
		sampler->words[i] = gs_bits_reversed((uint32)
											 (row / GS_PRIVATE_ROWS *
											  model->weight[r] +
											  sampler->turn[at]));
	}
}

/*
 * Words of a batch's rows that are shared out evenly among those of each
 * component.
 */
GS_CLONES static void
even_words(const uint32 *place, const int32 *component, uint32 key,
		   uint32 *word)
{
	for (int i = 0; i < GS_BATCH; i++)
		word[i] = gs_scrambled(place[i],
							   gs_scramble_seed(key, (uint32) component[i]));
}

/*
 * Hands all rows' cells at position p to a batch; word, within: [GS_BATCH]
 * choose the cell, and among its values.  Cells are found first, so that
 * searches of several rows wait for memory at the same time.
 */
static void
put_cells(const PrivateSampler *sampler, int p, GsBatch *batch,
		  const uint32 *word, const uint32 *within)
{
	const PrivateModel *model = sampler->model;
	int			ncells = model->position[p].ncells;
	int			cell[GS_BATCH];

	for (int i = 0; i < GS_BATCH; i++)
		cell[i] = gs_private_find(model->below +
								  gs_private_at(model, p,
												sampler->component[i]),
								  ncells, word[i]);
	for (int i = 0; i < GS_BATCH; i++)
		gs_private_put(model, p, batch, i, cell[i],
					   (within[i] >> 8) * 0x1.0p-24f);
}

/*
 * Draws a position for the rows of a batch, which share it out evenly.
 */
static void
draw_evenly(PrivateSampler *sampler, int p, GsBatch *batch)
{
	const PrivateModel *model = sampler->model;
	const PrivatePosition *position = &model->position[p];
	bool		single = !position->values.number &&
		position->values.ntokens == position->values.nvalues;
	uint32	   *word = sampler->words + GS_BATCH;
	uint32	   *within = word + GS_BATCH;
	uint32		key[4];

	stream_words(batch->key, GS_PRIVATE_POSITION(p), key);
	even_words(sampler->words, sampler->component, key[0], word);
	/* where a cell is one level, nothing is left to choose */
	if (single)
		memset(within, 0, sizeof(uint32) * GS_BATCH);
	else
		even_words(sampler->words, sampler->component, key[1], within);
	put_cells(sampler, p, batch, word, within);
}

/*
 * Draws a position for rows whose components were drawn one by one.
 */
static void
draw_alone(PrivateSampler *sampler, int p, GsBatch *batch)
{
	const uint32 *word = sampler->words;

	gs_private_words(sampler, batch, GS_PRIVATE_POSITION(p));
	put_cells(sampler, p, batch, word, word + GS_BATCH);
}

/*
 * See family.h.
 */
static void *
private_begin(const void *state, GsGiven *given, const bool *context)
{
	const PrivateModel *model = state;
	PrivateSampler *sampler = palloc0(sizeof(PrivateSampler));

	sampler->model = model;
	sampler->drawn = palloc0(Max(model->npositions, 1));
	sampler->component_of = palloc(sizeof(uint16) * GS_PRIVATE_ROWS);
	sampler->turn = palloc(sizeof(uint16) * GS_PRIVATE_ROWS);
	sampler->component = palloc(sizeof(int32) * GS_BATCH);
	sampler->words = palloc(sizeof(uint32) * 4 * GS_BATCH);
	if (given != NULL)
		gs_private_condition(sampler, given);
	if (context != NULL)
		gs_private_know(sampler, context);
	return sampler;
}

/*
 * See family.h.
 */
static void
private_generate(void *state, GsBatch *batch)
{
	PrivateSampler *sampler = state;
	const PrivateModel *model = sampler->model;
	bool		alone = sampler->given != NULL || sampler->known != NULL;

	gs_batch_fill_rest(batch, model->position_of);
	if (sampler->given != NULL)
		gs_private_confine(sampler, batch);
	else if (sampler->known != NULL)
		gs_private_follow(sampler, batch);
	else
		find_components(sampler, batch);
	for (int p = 0; p < model->npositions; p++)
	{
		const PrivatePosition *position = &model->position[p];

		if (sampler->drawn[p] ||
			(!batch->needed[position->values.feature] &&
			 (position->null < 0 || !batch->needed[position->null])))
			continue;
		if (alone)
			draw_alone(sampler, p, batch);
		else
			draw_evenly(sampler, p, batch);
	}
}

const GsFamily gs_private = {
	.name = "private",
	.fit_counts = gs_private_fit_counts,
	.load = private_load,
	.begin = private_begin,
	.generate = private_generate,
	.conditions = true,
	.contexts = true
};
