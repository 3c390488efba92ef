/*
 * sequence_load.c
 *	  Rows of an owner, one after the other: loading.  See sequence.c.
 *
 * Positions that are known come first.  Tensors, for N positions:
 *	 sequence/position	int4 [N, 14] feature; GsPositionRole; nodes of the first
 *						three trees; sources, as bits; segments of the
 *						difference; GsRising; position of the owner's column
 *						that it may be copied from, or -1; that it is looked up
 *						by, or -1; nodes of the last tree; its base, or -1;
 *						whether by its year; segments of what it adds to that
 *	 sequence/lookup	float8	for each value of what it is looked up by, and for
 *						none: the value, or where it is on its axis; NaN: missing
 *	 sequence/ask	int4 [A, 4]	kind, position, level, edges: what nodes ask for
 *	 sequence/edge	float8	edges of all, each between two codes
 *	 sequence/key	int4 [K, 4]	positions of natural keys, then -1
 *	 sequence/node, mask, code, entry, shift: see tree.c
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/sequence.h"
#include "model/tree_shift.h"

#define FIRST_FIELDS	9			/* of version 0.1: nothing was looked up */
#define MAX_KEY			4
#define MAX_EDGES		(GS_TREE_CODES - 3)

/* What the trees of a position may ask for. */
typedef struct Asking
{
	const SequenceModel *model;
	int			p;
} Asking;

static bool
may_ask(const void *arg, int what)
{
	const Asking *asking = arg;
	const SequenceModel *model = asking->model;

	return what < model->nasks && (!gs_ask_is_own(model->ask[what].kind) ||
								   gs_ask_subject(&model->ask[what]) < asking->p);
}

static void
load_asks(SequenceModel *model, const List *tensors)
{
	const GsTensor *asks = gs_tensor_get(tensors, "sequence/ask", GS_I4, 2);
	const GsTensor *edges = gs_tensor_get(tensors, "sequence/edge", GS_F8, 1);
	const double *edge = edges->data;
	int			left = edges->dims[0];

	if (asks->dims[1] != 4)
		gs_corrupted("The questions of a sequence have a wrong shape.");
	model->nasks = asks->dims[0];
	model->group = -1;
	model->ask = palloc0(sizeof(GsAsk) * Max(model->nasks, 1));
	for (int a = 0; a < model->nasks; a++)
	{
		const int32 *in = (const int32 *) asks->data + 4 * (Size) a;
		GsAsk	   *ask = &model->ask[a];
		const GsKept *kept;

		if (in[0] < 0 || in[0] >= GS_ASK_KINDS || in[1] < 0 ||
			in[1] >= model->axes.n || in[3] < 0 || in[3] > MAX_EDGES ||
			in[3] > left)
			gs_corrupted("Question %d of a sequence is about nothing.", a);
		*ask = (GsAsk) {in[0], in[1], in[2], in[3], edge};
		kept = &model->kept[ask->position];
		if ((ask->kind >= GS_ASK_LAG && ask->kind != GS_ASK_OWN &&
			 !kept->kept) ||
			((ask->kind == GS_ASK_SHARE || ask->kind == GS_ASK_DISTINCT ||
			  ask->kind == GS_ASK_SUCCESSOR) && !kept->counted) ||
			((ask->kind == GS_ASK_ABOVE || ask->kind == GS_ASK_LAST_ABOVE) &&
			 model->base[ask->position] < 0) ||
			(ask->kind == GS_ASK_SHARE &&
			 (ask->level < 0 || ask->level >= kept->nlevels)))
			gs_corrupted("Question %d of a sequence has no answer.", a);
		if (ask->kind == GS_ASK_BY)
		{
			if (ask->level < 0 || ask->level >= model->axes.n ||
				(model->group >= 0 && model->group != ask->level) ||
				!model->kept[ask->level].counted ||
				model->kept[ask->level].nlevels > GS_SEQUENCE_GROUPS)
				gs_corrupted("Question %d of a sequence is of no group.", a);
			model->group = ask->level;
		}
		for (int e = 0; e < ask->nedges; e++)
			if (!isfinite(edge[e]) || (e > 0 && !(edge[e - 1] < edge[e])))
				gs_corrupted("Answers of question %d are in no order.", a);
		edge += ask->nedges;
		left -= ask->nedges;
	}
}

/*
 * Whether a position may be part of a natural key.
 */
static bool
may_be_key(const SequenceModel *model, int p)
{
	return p >= model->nknown && p < model->axes.n && model->kept[p].kept &&
		(!model->kept[p].number || model->axes.position[p].values != NULL);
}

static void
load_keys(SequenceModel *model, const List *tensors)
{
	const GsTensor *keys = gs_tensor_get(tensors, "sequence/key", GS_I4, 2);

	if (keys->dims[1] != MAX_KEY || keys->dims[0] > GS_SEQUENCE_MAX_KEYS)
		gs_corrupted("The keys of a sequence have a wrong shape.");
	model->nkeys = keys->dims[0];
	for (int k = 0; k < model->nkeys; k++)
	{
		const int32 *in = (const int32 *) keys->data + MAX_KEY * (Size) k;
		GsNaturalKey *key = &model->key[k];

		for (int i = 0; i < MAX_KEY && in[i] >= 0; i++)
		{
			if (!may_be_key(model, in[i]) || (i > 0 && in[i] <= in[i - 1]))
				gs_corrupted("Key %d of a sequence has no features.", k);
			key->position[key->n++] = in[i];
		}
		if (key->n == 0)
			gs_corrupted("Key %d of a sequence is empty.", k);
	}
}

/*
 * What is at a position.
 */
static void
load_axis(SequenceModel *model, const GsSchema *schema, int p, GsTreeLoading *at)
{
	const int32 *in = (const int32 *) at->positions->data +
		at->positions->dims[1] * (Size) p;
	const uint8 *code = (const uint8 *) at->codes->data;
	TreePosition  *position = &model->axes.position[p];
	GsKept	   *kept = &model->kept[p];
	int			nshift = in[6];

	gs_tree_load_position(&model->axes, schema, p, in[0], code + at->code,
						  at->codes->dims[0] - at->code);
	at->code += position->nvalues;
	position->shift.base = -1;
	if (in[1] < 0 || in[1] >= GS_POSITION_ROLES ||
		(in[1] == GS_POSITION_KNOWN && model->nknown < p))
		gs_corrupted("Position %d of a sequence is known too late.", p);
	model->nknown += in[1] == GS_POSITION_KNOWN;
	kept->kept = in[1] == GS_POSITION_DRAWN;
	kept->number = position->number;
	kept->nlevels = position->number ? 0 : position->nvalues;
	kept->code = position->code;
	kept->missing = position->number ? GS_TREE_MISSING : position->missing;
	kept->counted = kept->kept && !kept->number &&
		kept->nlevels <= GS_SEQUENCE_LEVELS;
	if (position->number)
		(void) gs_tree_load_axis(position, schema);
	if (in[7] < 0 || in[7] >= GS_RISINGS ||
		(in[7] > 0 && (position->number || !kept->kept ||
					   schema->features[in[0]].lane == GS_LANE_TEXT)))
		gs_corrupted("Position %d of a sequence cannot rise.", p);
	model->rising[p] = in[7];
	model->shift[p].base = -1;
	model->base[p] = model->moment[p] = -1;
	if (nshift == 0)
		return;
	if (nshift < 0 || position->values == NULL || !kept->kept ||
		nshift > at->shifts->dims[0] - at->shift ||
		nshift > at->codes->dims[0] - at->code)
		gs_corrupted("Position %d of a sequence has no differences.", p);
	gs_tree_load_shift(&model->shift[p], nshift,
					   (const double *) at->shifts->data +
					   2 * (Size) at->shift, code + at->code);
	at->code += nshift;
	at->shift += nshift;
}

/*
 * What a position lies close to in an owner's first row.
 */
static void
load_base(SequenceModel *model, const GsSchema *schema, int p,
		  GsTreeLoading *at)
{
	const int32 *in = (const int32 *) at->positions->data +
		at->positions->dims[1] * (Size) p;
	int			base = at->positions->dims[1] == FIRST_FIELDS ? -1 : in[11];
	const GsFeature *feature;
	int			n;

	if (base < 0)
		return;
	n = in[13];
	if (base >= p || model->kept[base].kept || in[12] < 0 || in[12] > 1)
		gs_corrupted("Position %d of a sequence has no base.", p);
	feature = &schema->features[model->axes.position[base].feature];
	if (in[12] == 1 && gs_sequence_by_calendar(schema, feature))
		model->moment[p] = feature->column;
	if ((model->axes.position[base].values == NULL && model->moment[p] < 0) ||
		model->axes.position[p].values == NULL || !model->kept[p].kept ||
		in[10] <= 0 || n < 1 || n > at->shifts->dims[0] - at->shift ||
		n > at->codes->dims[0] - at->code)
		gs_corrupted("Position %d of a sequence has no base.", p);
	model->base[p] = base;
	model->by_year[p] = in[12] == 1;
	gs_tree_load_shift(&model->first_shift[p], n,
					   (const double *) at->shifts->data +
					   2 * (Size) at->shift,
					   (const uint8 *) at->codes->data + at->code);
	at->code += n;
	at->shift += n;
}

/*
 * gs_sequence_match: the levels of a category that are the same text as those
 * of another one, of the owner: [owner->nlevels], -1: none.
 */
int16 *
gs_sequence_match(const GsFeature *feature, const GsFeature *owner)
{
	int16	   *match = palloc(sizeof(int16) * Max(owner->nlevels, 1));

	for (int l = 0; l < owner->nlevels; l++)
	{
		match[l] = -1;
		for (int m = 0; m < Min(feature->nlevels, PG_INT16_MAX) &&
			 owner->text[l] != NULL && match[l] < 0; m++)
			if (feature->text[m] != NULL &&
				strcmp(feature->text[m], owner->text[l]) == 0)
				match[l] = (int16) m;
	}
	return match;
}

/*
 * The owner's column that a position is copied from.
 */
static void
load_owner(SequenceModel *model, const GsSchema *schema, int p, int owner)
{
	const GsFeature *feature =
		&schema->features[model->axes.position[p].feature];
	const GsFeature *from;

	if (owner < 0 || owner >= p || model->kept[owner].kept)
		gs_corrupted("Position %d of a sequence is copied from nothing.", p);
	from = &schema->features[model->axes.position[owner].feature];
	if (feature->text == NULL || from->text == NULL)
		gs_corrupted("Position %d of a sequence is no text.", p);
	model->owner[p] = owner;
	model->of_owner[p] = gs_sequence_match(feature, from);
}

/*
 * What a position is for each value of the one that it is looked up by.
 */
static void
load_lookup(SequenceModel *model, int p, const GsTensor *positions,
			const GsTensor *lookups, Size *at)
{
	const int32 *in = (const int32 *) positions->data +
		positions->dims[1] * (Size) p;
	const TreePosition *axis = &model->axes.position[p];
	int			q = positions->dims[1] == FIRST_FIELDS ? -1 : in[9];
	int			n;

	model->lookup_key[p] = q;
	if (q < -1 || q >= p || (q >= 0) != (in[1] == GS_POSITION_LOOKED_UP) ||
		(q >= 0 && (!model->kept[q].kept ||
					(model->axes.position[q].number &&
					 model->axes.position[q].values == NULL))))
		gs_corrupted("Position %d of a sequence is looked up by nothing.", p);
	if (q < 0)
		return;
	n = model->axes.position[q].nvalues + 1;
	if (lookups == NULL || n > lookups->dims[0] - *at)
		gs_corrupted("Position %d of a sequence is not looked up.", p);
	model->lookup[p] = palloc(sizeof(float) * n);
	for (int v = 0; v < n; v++)
	{
		double		value = ((const double *) lookups->data)[*at + v];

		if (isinf(value) || (axis->values == NULL && !isnan(value) &&
							 (value < 0 || value >= axis->nvalues)))
			gs_corrupted("Position %d of a sequence is looked up wrongly.", p);
		model->lookup[p][v] = isnan(value) ? NAN : axis->values == NULL ?
			(float) value : gs_tree_find(axis, value);
	}
	*at += n;
}

/*
 * Which positions say that a number is another column's, if both come before
 * it.
 */
static void
load_equal(SequenceModel *model, const GsSchema *schema, int p)
{
	const GsFeature *feature =
		&schema->features[model->axes.position[p].feature];
	const GsColumn *column = &schema->columns[feature->column];
	const GsColumn *other = column->equal == 0 ? NULL :
		&schema->columns[column->equal - 1];
	double		unit;
	double		other_unit;
	int			f;
	int			q;

	model->equal[p] = -1;
	if (other == NULL || feature->part != 0 || other->feature[0] < 0)
		return;
	f = column->equal_feature;
	q = model->axes.position_of[other->feature[0]];
	if (f < 0 || f >= schema->nfeatures ||
		schema->features[f].kind != GS_FEATURE_CATEGORY || q < 0 || q >= p ||
		model->axes.position_of[f] < 0 || model->axes.position_of[f] >= p ||
		model->axes.position[p].values == NULL ||
		model->axes.position[q].values == NULL)
		return;
	if (gs_value_scale(schema, feature, &unit) == GS_AXIS_NONE ||
		gs_value_scale(schema, &schema->features[other->feature[0]],
					   &other_unit) == GS_AXIS_NONE)
		return;
	model->equal[p] = q;
	model->equal_if[p] = model->axes.position_of[f];
}

static void
load_trees(SequenceModel *model, int p, GsTreeLoading *at)
{
	const int32 *in = (const int32 *) at->positions->data +
		at->positions->dims[1] * (Size) p;
	const TreePosition *axis = &model->axes.position[p];
	Asking		asking = {model, p};
	int			nsources = 0;

	for (int s = 0; s < GS_SOURCES; s++)
		if (in[5] >> s & 1)
			model->source[p][nsources++] = s;
	if (in[5] < 0 || in[5] >> GS_SOURCES != 0 ||
		(in[2] > 0) != (nsources > 0) || (in[3] > 0) != (in[6] > 0) ||
		(in[4] > 0) != model->kept[p].kept ||
		(in[1] && (nsources > 0 || in[6] > 0)) ||
		((in[5] >> GS_SOURCE_SUCCESSOR & 1) && !model->kept[p].counted) ||
		((in[5] >> GS_SOURCE_OWNER & 1) != (in[8] >= 0)) ||
		((in[5] >> GS_SOURCE_LAST & 1) && axis->number &&
		 axis->values == NULL))
		gs_corrupted("Position %d of a sequence lacks trees.", p);
	if (in[8] >= 0)
		load_owner(model, model->axes.schema, p, in[8]);
	for (int t = 0; t < GS_SEQUENCE_TREES; t++)
	{
		TreePosition  *tree = &model->tree[p][t];

		tree->nnodes = t != GS_TREE_FIRST ? in[2 + t] :
			at->positions->dims[1] == FIRST_FIELDS ? 0 : in[10];
		tree->shift.base = -1;
		if (tree->nnodes == 0)
			continue;
		tree->number = t == GS_TREE_SHIFT ||
			(t != GS_TREE_SOURCE && axis->number);
		tree->nvalues = t == GS_TREE_SOURCE ? nsources + 1 :
			t == GS_TREE_SHIFT ? model->shift[p].n :
			t == GS_TREE_FIRST && model->base[p] >= 0 ?
			model->first_shift[p].n : axis->nvalues;
		if (tree->nnodes < 0 || (t == GS_TREE_FIRST && !model->kept[p].kept) ||
			tree->nnodes > at->nodes->dims[0] - at->node)
			gs_corrupted("A tree of position %d is not complete.", p);
		gs_tree_load_nodes(tree, (const int32 *) at->nodes->data +
						   4 * (Size) at->node, at->masks, at->entries,
						   may_ask, &asking);
		at->node += tree->nnodes;
		model->axes.max_leaves = Max(model->axes.max_leaves, tree->nleaves);
	}
}

/*
 * gs_sequence_load: see family.h.
 */
const void *
gs_sequence_load(const GsSchema *schema, const List *tensors)
{
	GsTreeLoading at = {
		.positions = gs_tensor_get(tensors, "sequence/position", GS_I4, 2),
		.nodes = gs_tensor_get(tensors, "sequence/node", GS_I4, 2),
		.masks = gs_tensor_get(tensors, "sequence/mask", GS_I4, 2),
		.codes = gs_tensor_get(tensors, "sequence/code", GS_U1, 1),
		.entries = gs_tensor_get(tensors, "sequence/entry", GS_F4, 2),
		.shifts = gs_tensor_get(tensors, "sequence/shift", GS_F8, 2)
	};
	SequenceModel *model = palloc0(sizeof(SequenceModel));
	const GsTensor *lookups = gs_tensor_find(tensors, "sequence/lookup");
	Size		lookup = 0;
	int			n = at.positions->dims[0];

	if (n > schema->nfeatures || (at.positions->dims[1] != GS_SEQUENCE_FIELDS &&
								   at.positions->dims[1] != FIRST_FIELDS) ||
		(lookups != NULL && (lookups->type != GS_F8 || lookups->ndims != 1)) ||
		at.nodes->dims[1] != 4 || at.entries->dims[1] != 3 ||
		at.masks->dims[1] != GS_TREE_WORDS || at.shifts->dims[1] != 2)
		gs_corrupted("The tensors of a sequence do not fit together.");
	model->axes.n = n;
	model->axes.schema = schema;
	model->axes.nfeatures = schema->nfeatures;
	model->axes.entry = at.entries->data;
	n = Max(n, 1);
	model->axes.position = palloc0(sizeof(TreePosition) * n);
	model->axes.position_of = palloc(sizeof(int) * Max(schema->nfeatures, 1));
	for (int f = 0; f < schema->nfeatures; f++)
		model->axes.position_of[f] = -1;
	model->kept = palloc0(sizeof(GsKept) * n);
	model->shift = palloc0(sizeof(TreeShift) * n);
	model->base = palloc(sizeof(int) * n);
	model->by_year = palloc0(sizeof(bool) * n);
	model->moment = palloc(sizeof(int) * n);
	model->first_shift = palloc0(sizeof(TreeShift) * n);
	model->tree = palloc0(sizeof(*model->tree) * n);
	model->source = palloc0(sizeof(*model->source) * n);
	model->of_owner = palloc0(sizeof(int16 *) * n);
	model->owner = palloc0(sizeof(int) * n);
	model->rising = palloc0(sizeof(GsRising) * n);
	model->lookup_key = palloc(sizeof(int) * n);
	model->lookup = palloc0(sizeof(float *) * n);
	for (int p = 0; p < model->axes.n; p++)
	{
		load_axis(model, schema, p, &at);
		load_base(model, schema, p, &at);
	}
	for (int p = 0; p < model->axes.n; p++)
		load_lookup(model, p, at.positions, lookups, &lookup);
	model->equal = palloc(sizeof(int) * n);
	model->equal_if = palloc0(sizeof(int) * n);
	for (int p = 0; p < model->axes.n; p++)
		load_equal(model, schema, p);
	load_asks(model, tensors);
	for (int p = 0; p < model->axes.n; p++)
	{
		CHECK_FOR_INTERRUPTS();
		load_trees(model, p, &at);
	}
	load_keys(model, tensors);
	return model;
}
