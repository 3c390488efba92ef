/*
 * sequence_fit.c
 *	  Rows of an owner, one after the other: fitting.  See sequence.c.
 *
 *	1. Features become positions: those that are known, then those to be drawn,
 *	   time before all else.
 *	2. The rows are gone through in order, owner by owner, and what a row may
 *	   ask of those before becomes codes.
 *	3. Each position gets its trees.  They depend on the data alone: threads
 *	   take them one by one (jobs.c).
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "learn/quantile.h"
#include "model/model.h"
#include "model/sequence_fit.h"

#define MAX_DEPTH		40
#define MAX_LEAVES		4096
#define MIN_LEAF		5
#define ENOUGH_LEAF		30		/* rows of a leaf, where there are many */
#define LEAVES			500		/* of few rows, so many */
#define PRIOR			0.25	/* rows that pull a leaf to its parent: what is
								 * wrong in one row is so in those after it */
#define MAX_PREDICTORS	128		/* that a tree may ask for */

/*
 * How much an ask tells by itself: see gs_tree_worth.  Rows of one owner are
 * not so many witnesses of what he is.
 */
static double
worth(const SequenceFit *fit, const Job *job, int a)
{
	return gs_tree_worth(fit->code[a], fit->ncodes[a], job->axis->class,
						 job->axis->nclasses, job->row, job->n,
						 job->n / GS_TREE_WORTH_ROWS + 1,
						 fit->ask[a].position < fit->nknown ?
						 job->nowners : INFINITY);
}

/*
 * Whether a tree must be able to ask for something, whatever that tells by
 * itself.
 */
static bool
must_ask(const GsAsk *ask, int p)
{
	return ask->kind < GS_ASK_LAG || ask->kind == GS_ASK_SAME ||
		ask->kind == GS_ASK_CHANGE ||
		(ask->position == p && ask->kind != GS_ASK_SHARE);
}

typedef struct Ranked
{
	int			ask;
	double		worth;
} Ranked;

static int
by_worth(const void *a, const void *b)
{
	double		x = ((const Ranked *) a)->worth;
	double		y = ((const Ranked *) b)->worth;

	return (x < y) - (x > y);
}

static int
by_number(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

/*
 * Chooses what a tree may ask for.
 */
static void
choose_asks(const SequenceFit *fit, Job *job)
{
	Ranked	   *ranked = palloc(sizeof(Ranked) * fit->nasks);
	int			n = 0;

	for (int a = 0; a < fit->nasks; a++)
	{
		const GsAsk *ask = &fit->ask[a];

		if ((gs_ask_is_own(ask->kind) &&
			 gs_ask_subject(ask) >= job->position) ||
			(job->first && ask->kind != GS_ASK_SIBLINGS &&
			 ask->kind != GS_ASK_OWN && ask->kind != GS_ASK_ABOVE))
			continue;
		ranked[n].ask = a;
		ranked[n].worth = must_ask(ask, job->position) ? INFINITY : 0;
		n++;
	}
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (ranked[i].worth == 0)
			ranked[i].worth = worth(fit, job, ranked[i].ask);
	}
	qsort(ranked, n, sizeof(Ranked), by_worth);
	job->nasks = Min(n, MAX_PREDICTORS);
	while (job->nasks > 0 && ranked[job->nasks - 1].worth < GS_TREE_WORTH)
		job->nasks--;
	job->ask = palloc(sizeof(int) * Max(job->nasks, 1));
	for (int i = 0; i < job->nasks; i++)
		job->ask[i] = ranked[i].ask;
	qsort(job->ask, job->nasks, sizeof(int), by_number);
	pfree(ranked);
}

/*
 * Where the value of a row's position comes from.
 */
static GsSequenceTree
tree_of(const SequenceFit *fit, const Drawn *drawn, uint32 row)
{
	if (drawn->from.nvalues > 0 &&
		drawn->taken[row] < drawn->from.nvalues - 1)
		return GS_TREE_SOURCE;
	if (fit->begins[row] && drawn->first.nvalues > 0 &&
		drawn->first.value[row] != GS_MISSING)
		return GS_TREE_FIRST;
	return drawn->shift.nvalues > 0 &&
		drawn->shift.value[row] != GS_MISSING ? GS_TREE_SHIFT : GS_TREE_OWN;
}

/*
 * Rows of a leaf, of a tree that learns from n rows.
 */
static uint32
min_leaf(const SequenceFit *fit, uint32 n)
{
	const TreeOptions *options = fit->context->options;
	uint32		rows = options->min_leaf != GS_OPTION_IS_AUTO ?
		(uint32) options->min_leaf :
		Max(MIN_LEAF, Min(ENOUGH_LEAF, n / LEAVES));

	return Max(rows, n / MAX_LEAVES);
}

/*
 * The rows that a tree learns from; all that have a value, where there are too
 * few.
 */
static void
take_rows(const SequenceFit *fit, Job *job, GsSequenceTree tree)
{
	const Drawn *drawn = &fit->drawn[job->position];

	job->row = palloc_extended(sizeof(uint32) * Max(fit->nrows, 1),
							   MCXT_ALLOC_HUGE);
	for (int all = 0; all < 2 && job->n <= MIN_LEAF; all++)
	{
		bool		counted = false;

		job->n = job->nowners = 0;
		for (uint32 row = 0; row < fit->nrows; row++)
		{
			counted &= !fit->begins[row];
			if (job->axis->value[row] == GS_MISSING ||
				!(all || tree == GS_TREE_SOURCE ||
				  tree_of(fit, drawn, row) == tree))
				continue;
			job->row[job->n++] = row;
			job->nowners += !counted;
			counted = true;
		}
	}
}

static void
prepare_jobs(SequenceFit *fit)
{
	fit->job = palloc0(sizeof(Job) * GS_SEQUENCE_TREES * Max(fit->n, 1));
	for (int p = fit->nknown; p < fit->n; p++)
	{
		Drawn	   *drawn = &fit->drawn[p];
		Axis	   *axis[GS_SEQUENCE_TREES] = {
			drawn->from.nvalues > 0 ? &drawn->from : NULL,
			drawn->shift.nvalues > 0 ? &drawn->shift : NULL, &drawn->own,
			drawn->first.nvalues > 0 ? &drawn->first : NULL
		};

		for (int t = 0; t < GS_SEQUENCE_TREES; t++)
		{
			Job		   *job = &fit->job[p * GS_SEQUENCE_TREES + t];

			job->position = p;
			job->axis = drawn->key >= 0 ? NULL : axis[t];
			job->first = t == GS_TREE_FIRST;
			job->number = t == GS_TREE_SHIFT ||
				(t != GS_TREE_SOURCE && drawn->number);
			if (job->axis == NULL)
				continue;
			job->axis->pure = true;
			take_rows(fit, job, t);
			choose_asks(fit, job);
		}
	}
}

/*
 * A tree of no rows: the first value, always.
 */
static bool
empty_tree(Job *job)
{
	Axis	   *axis = job->axis;

	job->tree.node = calloc(1, sizeof(GsTreeNode));
	axis->first = calloc(2, sizeof(int));
	axis->leaves.entry = calloc(1, sizeof(GsLeafEntry));
	if (job->tree.node == NULL || axis->first == NULL ||
		axis->leaves.entry == NULL)
		return false;
	job->tree.nnodes = 1;
	job->tree.node[0].predictor = -1;
	axis->first[1] = axis->leaves.n = 1;
	axis->leaves.entry[0].below = 1;
	return true;
}

/*
 * Fits one tree, in a thread.  Returns false if memory is out, or on cancel.
 */
static bool
fit_job(SequenceFit *fit, Job *job)
{
	const Axis *axis = job->axis;
	const uint8 *code[MAX_PREDICTORS];
	int			ncodes[MAX_PREDICTORS];
	bool		ordered[MAX_PREDICTORS];
	GsTreeTable table = {job->nasks, code, ncodes, ordered};
	GsTreeResponse response = {
		.gain = job->number ? GS_TREE_ORDINAL : GS_TREE_ENTROPY,
		.nclasses = axis->nclasses,.class = axis->class,
		.level = axis->nvalues > axis->nclasses && !job->number ?
		axis->value : NULL,
		.nlevels = axis->nvalues,.nrows = fit->nrows
	};
	GsTreeLimits limits = {
		/* what is equal to the last row's is asked for: no looking ahead */
		.min_leaf = min_leaf(fit, job->n),.max_depth = MAX_DEPTH,.worth = 0,
		.cancel = &fit->jobs.cancel
	};

	if (job->n == 0)
		return empty_tree(job);
	for (int i = 0; i < job->nasks; i++)
	{
		code[i] = fit->code[job->ask[i]];
		ncodes[i] = fit->ncodes[job->ask[i]];
		ordered[i] = fit->ordered[job->ask[i]];
	}
	job->tree.row = job->row;
	if (!gs_tree_grow(&table, &response, &limits, job->n, &job->tree))
		return false;
	gs_tree_prune(&job->tree, job->number ? GS_NUMBER_PRICE :
				  GS_CATEGORY_PRICE + GS_CLASS_PRICE * (axis->nclasses - 1));
	if (!gs_tree_fit_leaves(&job->tree, job->axis, PRIOR))
		return false;
	for (int at = 0; at < job->tree.nnodes; at++)
		if (job->tree.node[at].predictor >= 0)
			job->tree.node[at].predictor =
				job->ask[job->tree.node[at].predictor];
	return true;
}

static bool
do_job(void *arg, int j)
{
	SequenceFit *fit = arg;

	return fit->job[j].axis == NULL || fit_job(fit, &fit->job[j]);
}

static void
free_jobs(void *arg)
{
	SequenceFit *fit = arg;

	for (int j = 0; j < fit->n * GS_SEQUENCE_TREES; j++)
	{
		Job		   *job = &fit->job[j];

		gs_tree_free(&job->tree);
		if (job->axis == NULL)
			continue;
		free(job->axis->first);
		free(job->axis->leaves.entry);
		job->axis->first = NULL;
		memset(&job->axis->leaves, 0, sizeof(GsLeafTable));
	}
}

/* --------------------------------------------------------------- tensors */

static void
add_asks(const SequenceFit *fit, List **tensors)
{
	int32	   *asks = palloc(sizeof(int32) * 4 * Max(fit->nasks, 1));
	StringInfoData edges;

	initStringInfo(&edges);
	for (int a = 0; a < fit->nasks; a++)
	{
		const GsAsk *ask = &fit->ask[a];

		asks[4 * a] = ask->kind;
		asks[4 * a + 1] = ask->position;
		asks[4 * a + 2] = ask->level;
		asks[4 * a + 3] = ask->nedges;
		appendBinaryStringInfo(&edges, (const char *) ask->edge,
							   sizeof(double) * ask->nedges);
	}
	gs_tensor_add(tensors, "sequence/ask", GS_I4, 2, fit->nasks, 4, asks);
	gs_tensor_add(tensors, "sequence/edge", GS_F8, 1,
				  edges.len / sizeof(double), 0, edges.data);
}

static void
add_keys(const SequenceFit *fit, List **tensors)
{
	int32		keys[4 * GS_SEQUENCE_MAX_KEYS];

	for (int k = 0; k < fit->nkeys; k++)
		for (int i = 0; i < 4; i++)
			keys[4 * k + i] = i < fit->key[k].n ? fit->key[k].position[i] : -1;
	gs_tensor_add(tensors, "sequence/key", GS_I4, 2, fit->nkeys, 4, keys);
}

static void
add_tensors(const SequenceFit *fit, List **tensors)
{
	int32	   *positions = palloc(sizeof(int32) * GS_SEQUENCE_FIELDS *
								   Max(fit->n, 1));
	StringInfoData lookups;
	Flat		flat;

	initStringInfo(&lookups);
	gs_tree_init_flat(&flat);
	for (int p = 0; p < fit->n; p++)
	{
		const Drawn *drawn = &fit->drawn[p];
		const Job  *job = &fit->job[p * GS_SEQUENCE_TREES];
		int32	   *out = positions + GS_SEQUENCE_FIELDS * (Size) p;

		CHECK_FOR_INTERRUPTS();
		out[0] = drawn->feature;
		out[1] = p < fit->nknown ? GS_POSITION_KNOWN :
			drawn->key >= 0 ? GS_POSITION_LOOKED_UP : GS_POSITION_DRAWN;
		for (int t = 0; t < GS_SEQUENCE_TREES; t++)
		{
			out[t == GS_TREE_FIRST ? 10 : 2 + t] = job[t].tree.nnodes;
			if (job[t].axis != NULL)
				gs_tree_flatten(&job[t].tree, job[t].axis, NULL, &flat);
		}
		out[5] = drawn->sources;
		out[6] = drawn->shift.nvalues;
		out[7] = drawn->rising;
		out[8] = drawn->owner;
		out[9] = drawn->key;
		out[11] = drawn->base;
		out[12] = drawn->by_year;
		out[13] = drawn->base >= 0 ? drawn->first.nvalues : 0;
		if (drawn->key >= 0)
			appendBinaryStringInfo(&lookups, (char *) drawn->lookup,
								   sizeof(double) *
								   (fit->drawn[drawn->key].own.nvalues + 1));
		appendBinaryStringInfo(&flat.code, (char *) drawn->own.code_of,
							   drawn->own.nvalues);
		if (drawn->shift.nvalues > 0)
			gs_tree_flatten_shift(&drawn->shift, &drawn->shift_feature, &flat);
		if (drawn->base >= 0)
			gs_tree_flatten_shift(&drawn->first, &drawn->first_feature, &flat);
	}
	gs_tensor_add(tensors, "sequence/position", GS_I4, 2, fit->n,
				  GS_SEQUENCE_FIELDS, positions);
	gs_tensor_add(tensors, "sequence/lookup", GS_F8, 1,
				  lookups.len / sizeof(double), 0, lookups.data);
	gs_tree_flat_tensors(&flat, "sequence", tensors);
	add_asks(fit, tensors);
	add_keys(fit, tensors);
}

/*
 * gs_sequence_fit: see family.h and sequence.c.  context->begins says where
 * owners begin.  Errors: out_of_memory.
 */
void
gs_sequence_fit(GsFitContext *context)
{
	SequenceFit fit = {.context = context,.encoded = context->encoded,
		.nrows = (uint32) context->encoded->nrows,.begins = context->begins
	};
	List	   *volatile tensors = NIL;

	gs_sequence_learn(&fit);
	prepare_jobs(&fit);
	fit.jobs.n = fit.n * GS_SEQUENCE_TREES;
	fit.jobs.job = do_job;
	fit.jobs.release = free_jobs;
	fit.jobs.arg = &fit;
	gs_jobs_run(&fit.jobs, context, GS_PHASE_TREES);
	PG_TRY();
	{
		List	   *made = NIL;

		add_tensors(&fit, &made);
		tensors = made;
	}
	PG_FINALLY();
	{
		free_jobs(&fit);
	}
	PG_END_TRY();
	context->tensors = list_concat(context->tensors, tensors);
}
