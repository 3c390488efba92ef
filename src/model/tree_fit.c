/*
 * tree_fit.c
 *	  Sequential trees: fitting.
 *
 *	1. Every feature becomes codes, at most 255 to a feature, by which trees
 *	   split, and classes, at most 32, by which splits are chosen.
 *	2. The features are put in order, and each gets a tree on those before it.
 *	   Trees depend on the data alone: threads take them one by one.
 *	3. Trees are flattened into tensors (see tree.c).
 *
 * What threads do touches nothing of PostgreSQL's: see jobs.c.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/groups.h"
#include "model/model.h"
#include "model/tree_fit.h"

#define MAX_DEPTH		40
#define MAX_LEAVES		4096	/* min_leaf grows with the rows beyond */
#define MAX_PREDICTORS		24	/* columns before it that a tree may ask for */

static void *
huge(Size n, Size element)
{
	return palloc_extended(Max(n, 1) * element, MCXT_ALLOC_HUGE);
}

/*
 * gs_tree_init_axis: an axis of values: number the feature whose quantile table
 * it is, or NULL for a category of nlevels.
 */
void
gs_tree_init_axis(Axis *axis, const uint16 *value, int64 nrows,
				  const GsFeature *number, int nlevels)
{
	axis->value = value;
	axis->nvalues = nlevels;
	if (number != NULL)
	{
		axis->nvalues = number->quantile.nsegments;
		axis->rank = palloc(sizeof(uint16) * axis->nvalues);
		axis->ncontinuous = gs_tree_ranks(number, axis->rank);
	}
	axis->count = palloc0(sizeof(int64) * axis->nvalues);
	for (int64 row = 0; row < nrows; row++)
		if (value[row] != GS_MISSING)
			axis->count[value[row]]++;
}

static int
group_values(const Axis *axis, int max, uint8 *group)
{
	return axis->rank != NULL ?
		gs_group_values(axis->count, axis->nvalues, max, group) :
		gs_group_levels(axis->count, axis->alike, axis->nvalues, max, group);
}

/*
 * gs_tree_encode_axis: codes and classes of an axis's rows.
 */
void
gs_tree_encode_axis(Axis *axis, int64 nrows)
{
	uint8	   *class_of = palloc(axis->nvalues);
	int			missing;

	axis->code_of = palloc(axis->nvalues);
	missing = group_values(axis, GS_TREE_FEW, axis->code_of);
	axis->nclasses = group_values(axis, GS_TREE_CLASSES, class_of);
	axis->ncodes = missing + 1;
	axis->code = huge(nrows, 1);
	axis->class = huge(nrows, 1);
	for (int64 row = 0; row < nrows; row++)
	{
		int			value = axis->value[row];

		axis->code[row] = value == GS_MISSING ? (uint8) missing :
			axis->code_of[value];
		axis->class[row] = value == GS_MISSING ? 0 : class_of[value];
	}
	pfree(class_of);
}

/*
 * Which features get a tree: those that nothing determines, and the NULL
 * indicators of numbers in any case, since a tree that asks for such a number
 * has to know.
 */
static void
collect_positions(Fit *fit)
{
	const GsEncoded *encoded = fit->encoded;

	fit->position = palloc0(sizeof(Position) * Max(encoded->nfeatures, 1));
	for (int f = 0; f < encoded->nfeatures; f++)
	{
		const GsFeature *feature = &encoded->features[f];
		Position   *position = &fit->position[fit->n];

		if (encoded->determined[f] && feature->part >= 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		position->feature = f;
		position->number = feature->kind == GS_FEATURE_NUMBER;
		position->base = -1;
		if (position->number)
			gs_tree_init_axis(&position->own, encoded->segment[f],
							  encoded->nrows, feature, 0);
		else
			gs_tree_init_axis(&position->own, encoded->bin[f], encoded->nrows,
							  NULL, feature->nlevels);
		position->own.alike = encoded->rank[f];
		gs_tree_encode_axis(&position->own, encoded->nrows);
		position->source.feature = feature;
		position->source.group = gs_value_scale(fit->schema, feature,
												&position->source.unit);
		position->source.segment = encoded->segment[f];
		position->source.within = encoded->within[f];
		fit->n++;
	}
}

static void
order_positions(Fit *fit, const List *first, const char *option)
{
	float	   *dependence;
	int		   *order = gs_tree_order(fit->schema, fit->encoded, first, option,
									  fit->position, fit->n, &dependence);
	Position   *position = palloc(sizeof(Position) * Max(fit->n, 1));

	for (int p = 0; p < fit->n; p++)
		position[p] = fit->position[order[p]];
	pfree(fit->position);
	fit->position = position;
	fit->original = order;
	fit->dependence = dependence;
}

/*
 * Finds the numbers that are told from another one before them.
 */
static void
find_shifts(Fit *fit)
{
	int64		nrows = fit->encoded->nrows;
	GsShiftSource *base = palloc(sizeof(GsShiftSource) * Max(fit->n, 1));
	const uint8 **code = palloc(sizeof(uint8 *) * Max(fit->n, 1));

	for (int p = 0; p < fit->n; p++)
	{
		Position   *position = &fit->position[p];
		int			b = gs_shift_find(&position->source, base, code, p, nrows);
		uint16	   *segment;

		base[p] = position->source;
		code[p] = position->own.code;
		if (b < 0)
			continue;
		segment = huge(nrows, sizeof(uint16));
		if (!gs_shift_learn(&position->source, &base[b], nrows,
							fit->context->rare_threshold,
							&position->shift_feature, segment))
		{
			pfree(segment);
			continue;
		}
		position->base = b;
		gs_tree_init_axis(&position->shift, segment, nrows,
						  &position->shift_feature, 0);
		gs_tree_encode_axis(&position->shift, nrows);
	}
	pfree(base);
	pfree(code);
}

/*
 * gs_tree_fit_leaves: the leaves' tables on an axis; prior: rows that pull a
 * leaf to its parent.  Returns false if memory is out.  May run in a thread.
 */
bool
gs_tree_fit_leaves(const GsTree *tree, Axis *axis, double prior)
{
	GsLeafValues values = {
		.nvalues = axis->nvalues,.ncontinuous = axis->ncontinuous,
		.value = axis->value,.rank = axis->rank,.prior = prior,
		.pure = axis->pure
	};
	double	   *scratch = calloc((size_t) 2 * axis->nvalues, sizeof(double));
	bool		fine = scratch != NULL;

	axis->first = malloc(sizeof(int) * (tree->nnodes + 1));
	fine = fine && axis->first != NULL;
	for (int at = 0; at < tree->nnodes && fine; at++)
	{
		axis->first[at] = axis->leaves.n;
		if (tree->node[at].predictor < 0)
			fine = gs_leaf_fit(&values, tree, at, scratch, &axis->leaves);
	}
	if (fine)
		axis->first[tree->nnodes] = axis->leaves.n;
	free(scratch);
	return fine;
}

/* What a tree may ask for. */
typedef struct Predictor
{
	int			n;
	/* position, or n + position: its difference */
	int			id[2 * MAX_PREDICTORS];
	const uint8 *code[2 * MAX_PREDICTORS];
	int			ncodes[2 * MAX_PREDICTORS];
	bool		ordered[2 * MAX_PREDICTORS];
} Predictor;

static void
ask(Predictor *predictor, int id, const Axis *axis)
{
	predictor->id[predictor->n] = id;
	predictor->code[predictor->n] = axis->code;
	predictor->ncodes[predictor->n] = axis->ncodes;
	predictor->ordered[predictor->n] = axis->rank != NULL;
	predictor->n++;
}

static int
by_position(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

/*
 * Whether position q tells more of p than chance does.
 */
static bool
tells(const Fit *fit, int p, int q)
{
	const Axis *from = &fit->position[q].own;
	const Axis *to = &fit->position[p].own;
	int64		n = fit->encoded->nrows;

	return gs_tree_worth(from->code, from->ncodes, to->class, to->nclasses,
						 NULL, (uint32) n,
						 (uint32) (n / GS_TREE_WORTH_ROWS + 1), INFINITY) >=
		GS_TREE_WORTH;
}

/*
 * The positions before p that it depends on most, in their order, and their
 * differences.
 */
static void
choose_predictors(const Fit *fit, int p, Predictor *predictor)
{
	const float *known = fit->dependence +
		(Size) fit->original[p] * fit->n;
	int			top[MAX_PREDICTORS];
	int			ntop = 0;

	predictor->n = 0;
	if (fit->context->known_only &&
		fit->encoded->context[fit->position[p].feature])
		return;
	/* by what is known of p, those in front first; then in their order */
	for (int q = 0; q < p; q++)
	{
		float		own = known[fit->original[q]];
		int			at = ntop;

		if (fit->context->known_only && !tells(fit, p, q))
			continue;
		if (ntop < MAX_PREDICTORS)
			ntop++;
		else if (known[fit->original[top[--at]]] >= own)
			continue;
		for (; at > 0 && known[fit->original[top[at - 1]]] < own; at--)
			top[at] = top[at - 1];
		top[at] = q;
	}
	qsort(top, ntop, sizeof(int), by_position);
	for (int i = 0; i < ntop; i++)
	{
		int			q = top[i];

		ask(predictor, q, &fit->position[q].own);
		if (fit->position[q].base >= 0)
			ask(predictor, fit->n + q, &fit->position[q].shift);
	}
}

/*
 * A tree without any rows to learn from: the first value, always.
 */
static bool
empty_tree(Axis *axis, GsTree *tree)
{
	tree->node = calloc(1, sizeof(GsTreeNode));
	axis->first = calloc(2, sizeof(int));
	axis->leaves.entry = calloc(1, sizeof(GsLeafEntry));
	if (tree->node == NULL || axis->first == NULL ||
		axis->leaves.entry == NULL)
		return false;
	tree->nnodes = 1;
	tree->node[0].predictor = -1;
	axis->first[1] = axis->leaves.n = 1;
	axis->leaves.entry[0].below = 1;
	return true;
}

/*
 * The rows of which an axis has a value: all, or where leaves are chosen,
 * those to learn from or (half 1) those held out.  Returns how many.
 */
static uint32
take_rows(const Fit *fit, const Axis *axis, int half, uint32 *row)
{
	const uint32 *from = fit->row == NULL ? NULL :
		fit->row + (Size) half * fit->nrows;
	int64		nrows = from != NULL ? fit->nrows : fit->encoded->nrows;
	uint32		n = 0;

	for (int64 i = 0; i < nrows; i++)
	{
		uint32		r = from != NULL ? from[i] : (uint32) i;

		if (axis->value[r] != GS_MISSING)
			row[n++] = r;
	}
	return n;
}

/*
 * Fits one tree.  Returns false if memory is out, or on cancel.
 */
static bool
fit_position(Fit *fit, int p)
{
	Position   *position = &fit->position[p];
	Axis	   *axis = position->base >= 0 ? &position->shift : &position->own;
	Size		nrows = fit->row != NULL ? 2 * (Size) fit->nrows :
		fit->encoded->nrows;
	Predictor	predictor;
	GsTreeTable table = {
		.code =
			predictor.code,.ncodes =
				predictor.ncodes,.ordered = predictor.ordered
	};
	GsTreeResponse response = {
		.gain = position->number ? GS_TREE_ORDINAL : GS_TREE_ENTROPY,
		.nclasses = axis->nclasses,.class = axis->class,
		.level = axis->nvalues > axis->nclasses && !position->number ?
		axis->value : NULL,
		.nlevels = axis->nvalues,.nrows = (uint32) fit->encoded->nrows
	};
	GsTreeLimits limits = {
		.min_leaf = position->min_leaf,.max_depth = MAX_DEPTH,
		.worth = GS_CHANCE_GAIN + axis->nclasses,
		.cancel = &fit->jobs.cancel
	};
	uint32		n = 0;
	bool		fine;

	choose_predictors(fit, p, &predictor);
	table.npredictors = predictor.n;
	position->tree.row = malloc(sizeof(uint32) * (nrows + 1));
	if (position->tree.row == NULL)
		return false;
	n = take_rows(fit, axis, 0, position->tree.row);
	if (n == 0)
		fine = empty_tree(&position->own, &position->tree);
	else
	{
		fine = gs_tree_grow(&table, &response, &limits, n, &position->tree);
		if (fine)
			gs_tree_prune(&position->tree, position->number ? GS_NUMBER_PRICE :
						  GS_CATEGORY_PRICE + GS_CLASS_PRICE * (axis->nclasses - 1));
		if (fine && fit->trying)
		{
			uint32_t   *held = position->tree.row + n;

			position->held = gs_tree_held(&table, &response, &position->tree,
										  GS_TREE_PRIOR, held,
										  take_rows(fit, axis, 1, held));
			fine = !isnan(position->held);
		}
		else
			fine = fine && gs_tree_fit_leaves(&position->tree, &position->own,
											  GS_TREE_PRIOR) &&
				(position->base < 0 ||
				 gs_tree_fit_leaves(&position->tree, &position->shift,
									GS_TREE_PRIOR));
	}
	free(position->tree.row);
	for (int at = 0; fine && at < position->tree.nnodes; at++)
		if (position->tree.node[at].predictor >= 0)
			position->tree.node[at].predictor =
				predictor.id[position->tree.node[at].predictor];
	return fine;
}

static bool
do_position(void *arg, int p)
{
	Fit		   *fit = arg;

	return (fit->trying && !fit->position[p].tried) || fit_position(fit, p);
}

static void
free_positions(void *arg)
{
	Fit		   *fit = arg;

	for (int p = 0; p < fit->n; p++)
	{
		Position   *position = &fit->position[p];

		gs_tree_free(&position->tree);
		free(position->own.first);
		free(position->own.leaves.entry);
		free(position->shift.first);
		free(position->shift.leaves.entry);
		position->own.first = position->shift.first = NULL;
		memset(&position->own.leaves, 0, sizeof(GsLeafTable));
		memset(&position->shift.leaves, 0, sizeof(GsLeafTable));
	}
}

/*
 * Fits all trees, in threads; waits for them.
 */
static void
fit_positions(Fit *fit)
{
	memset(&fit->jobs, 0, sizeof(GsJobs));
	fit->jobs.n = fit->n;
	fit->jobs.job = do_position;
	fit->jobs.release = free_positions;
	fit->jobs.arg = fit;
	gs_jobs_run(&fit->jobs, fit->context, GS_PHASE_TREES);
}

/*
 * The last code that goes left where all smaller ones do, and no larger one;
 * -1 where it takes a mask to tell.
 */
static int
threshold(const GsTreeNode *node)
{
	int			code = 0;
	int			last;

	while (code < GS_TREE_CODES && !gs_tree_goes_right(node, code))
		code++;
	last = code - 1;
	while (code < GS_TREE_CODES && gs_tree_goes_right(node, code))
		code++;
	return code == GS_TREE_CODES ? last : -1;
}

/*
 * Appends the entries of a leaf.  Returns how many.
 */
static int
flatten_leaf(const Axis *axis, int at, Flat *flat)
{
	int			n = axis->first[at + 1] - axis->first[at];

	appendBinaryStringInfo(&flat->entry,
						   (char *) (axis->leaves.entry + axis->first[at]),
						   sizeof(GsLeafEntry) * n);
	flat->nentries += n;
	return n;
}

/*
 * gs_tree_flatten: appends the nodes and leaves of a tree, on its axis and, if
 * that is not NULL, on another one.
 */
void
gs_tree_flatten(const GsTree *tree, const Axis *axis, const Axis *shift,
				Flat *flat)
{
	for (int at = 0; at < tree->nnodes; at++)
	{
		const GsTreeNode *node = &tree->node[at];
		int32		out[4] = {node->predictor, node->left, 0, 0};

		if (node->predictor < 0)
		{
			out[1] = flat->nentries;
			out[2] = flatten_leaf(axis, at, flat);
			if (shift != NULL)
				out[3] = flatten_leaf(shift, at, flat);
		}
		else if ((out[2] = threshold(node)) < 0)
		{
			out[2] = -1 - flat->nmasks++;
			appendBinaryStringInfo(&flat->mask, (char *) node->mask,
								   sizeof(node->mask));
		}
		appendBinaryStringInfo(&flat->node, (char *) out, sizeof(out));
		flat->nnodes++;
	}
}

/*
 * gs_tree_flatten_shift: appends the codes and ends of a difference's segments.
 */
void
gs_tree_flatten_shift(const Axis *shift, const GsFeature *feature, Flat *flat)
{
	appendBinaryStringInfo(&flat->code, (char *) shift->code_of,
						   shift->nvalues);
	for (int s = 0; s < shift->nvalues; s++)
	{
		double		ends[2] = {
			feature->quantile.low[s].f, feature->quantile.high[s].f
		};

		appendBinaryStringInfo(&flat->shift, (char *) ends, sizeof(ends));
	}
}

static void
flatten(const Position *position, Flat *flat)
{
	appendBinaryStringInfo(&flat->code, (char *) position->own.code_of,
						   position->own.nvalues);
	if (position->base >= 0)
		gs_tree_flatten_shift(&position->shift, &position->shift_feature,
							  flat);
	gs_tree_flatten(&position->tree, &position->own,
					position->base >= 0 ? &position->shift : NULL, flat);
}

/*
 * gs_tree_init_flat: nothing yet.
 */
void
gs_tree_init_flat(Flat *flat)
{
	memset(flat, 0, sizeof(Flat));
	initStringInfo(&flat->node);
	initStringInfo(&flat->mask);
	initStringInfo(&flat->code);
	initStringInfo(&flat->entry);
	initStringInfo(&flat->shift);
}

/*
 * gs_tree_flat_tensors: adds the tensors of what was flattened, whose names
 * begin with that of a chain.
 */
void
gs_tree_flat_tensors(const Flat *flat, const char *chain, List **tensors)
{
	gs_tensor_add(tensors, psprintf("%s/node", chain), GS_I4, 2, flat->nnodes, 4, flat->node.data);
	gs_tensor_add(tensors, psprintf("%s/mask", chain), GS_I4, 2, flat->nmasks, GS_TREE_WORDS,
				  flat->mask.data);
	gs_tensor_add(tensors, psprintf("%s/code", chain), GS_U1, 1, flat->code.len, 0,
				  flat->code.data);
	gs_tensor_add(tensors, psprintf("%s/entry", chain), GS_F4, 2, flat->nentries, 3,
				  flat->entry.data);
	gs_tensor_add(tensors, psprintf("%s/shift", chain), GS_F8, 2,
				  flat->shift.len / (2 * sizeof(double)), 2,
				  flat->shift.data);
}

static List *
make_tensors(const Fit *fit)
{
	List	   *tensors = NIL;
	int32	   *positions = palloc(sizeof(int32) * 4 * Max(fit->n, 1));
	Flat		flat;

	gs_tree_init_flat(&flat);
	for (int p = 0; p < fit->n; p++)
	{
		const Position *position = &fit->position[p];

		CHECK_FOR_INTERRUPTS();
		positions[4 * p] = position->feature;
		positions[4 * p + 1] = position->tree.nnodes;
		positions[4 * p + 2] = position->base;
		positions[4 * p + 3] = position->shift.nvalues;
		flatten(position, &flat);
	}
	gs_tensor_add(&tensors, psprintf("%s/position", fit->chain), GS_I4, 2,
				  fit->n, 4, positions);
	gs_tree_flat_tensors(&flat, fit->chain, &tensors);
	return tensors;
}

/*
 * gs_tree_try: sets held of the positions that are tried, whose min_leaf is
 * set, by trees grown on the first half of fit->row.  Errors: out_of_memory.
 * Can be cancelled.
 */
void
gs_tree_try(Fit *fit)
{
	fit->trying = true;
	fit_positions(fit);
	free_positions(fit);
	fit->trying = false;
}

/*
 * gs_tree_fit_chain: fits the trees of all positions, whose min_leaf is set.
 *
 * Returns their tensors.  Errors: out_of_memory.  Can be cancelled.
 */
List *
gs_tree_fit_chain(Fit *fit)
{
	List	   *volatile tensors = NIL;

	fit_positions(fit);
	PG_TRY();
	{
		tensors = make_tensors(fit);
	}
	PG_FINALLY();
	{
		free_positions(fit);
	}
	PG_END_TRY();
	return tensors;
}

static void
fit_chain(GsFitContext *context, const List *first, const char *option,
		  const char *chain)
{
	const TreeOptions *options = context->options;
	Fit			fit = {.schema = context->schema,
		.encoded = context->encoded,.context = context,.chain = chain
	};

	collect_positions(&fit);
	order_positions(&fit, first, option);
	find_shifts(&fit);
	if (options->min_leaf == GS_OPTION_IS_AUTO)
		gs_tree_choose_leaves(&fit);
	for (int p = 0; p < fit.n; p++)
		fit.position[p].min_leaf = (uint32)
			Max(options->min_leaf != GS_OPTION_IS_AUTO ? options->min_leaf :
				fit.position[p].min_leaf, fit.encoded->nrows / MAX_LEAVES);
	context->tensors = list_concat(context->tensors, gs_tree_fit_chain(&fit));
}

/*
 * gs_tree_fit: see family.h and tree.c.
 */
void
gs_tree_fit(GsFitContext *context)
{
	const TreeOptions *options = context->options;

	fit_chain(context, options->order, "order", "tree");
	if (options->condition_first != NIL)
		fit_chain(context, options->condition_first, "condition_first",
				  "condition");
}
