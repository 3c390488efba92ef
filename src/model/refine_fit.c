/*
 * refine_fit.c
 *	  Refinement of any family: fitting.
 *
 * In each round the model is sampled as it is so far, and boosted trees learn
 * to tell its rows from real ones.  They grow as long as they get better on
 * rows that they have not seen, so that they learn what the model lacks and
 * not the rows themselves; and where they cannot tell the kinds apart there,
 * nothing is refined.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/groups.h"
#include "model/refine_fit.h"
#include "numeric/philox.h"

#define MAX_ROWS		200000	/* of each kind ... */
#define CELLS			2e7		/* ... and of wide tables fewer */
#define AUTO_CELLS		3e5		/* of rounds that nobody has asked for */
#define MIN_ROWS		500
#define CHECKED			0.2		/* share of the rows that are not learned from */
#define MAX_TREES		300
#define CERTAINTY		3		/* deviations that an AUC must exceed 0.5 by ... */
#define MIN_AUC			0.53	/* ... and what is worth to be refined ... */
#define MANY_ROWS		10000	/* ... or this, of which trees tell more: */
#define MIN_AUC_MANY	0.57
#define FAR_AUC			0.7		/* that leaves something to a further round */
#define MIN_GAIN		0.005	/* of AUC, for each row made for one accepted */
#define MAX_MADE		8		/* rows made for one, by all rounds together */
#define PATIENCE		15		/* trees that do not get better */
#define CAP_QUANTILE	0.98	/* of ratios, whose larger ones are as one */
#define MIN_ACCEPTED	0.15	/* of a round */
#define MAX_SLOPE		1.5		/* of what the trees say */
#define SLOPE_STEPS		10

static void
report_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
			 errdetail("Failed while the model was refined."),
			 errhint("Fit without the option \"refine\".")));
}

/*
 * Where the i-th row of a kind stands: real rows before others, and those to
 * learn from before the rest.
 */
static uint32
position_of(const GsRefineRows *rows, bool real, uint32 i)
{
	if (i < rows->nlearned)
		return real ? i : rows->nlearned + i;
	return rows->nlearned + (real ? i : i + rows->nreal - rows->nlearned);
}

/*
 * What the trees may ask for: every feature that the family makes.
 */
static GsRefine *
start_refine(const GsSchema *schema, const GsEncoded *encoded)
{
	GsRefine   *refine = palloc0(sizeof(GsRefine));

	refine->predictor = palloc0(sizeof(GsRefinePredictor) *
								Max(schema->nfeatures, 1));
	for (int f = 0; f < schema->nfeatures; f++)
	{
		const GsFeature *feature = &schema->features[f];
		bool		number = feature->kind == GS_FEATURE_NUMBER;
		int			n = number ? feature->quantile.nsegments :
			feature->nlevels;
		const uint16 *value = number ? encoded->segment[f] : encoded->bin[f];
		uint8	   *code = palloc(Max(n, 1));
		int64	   *count;

		if (encoded->determined[f] || n < 1)
			continue;
		CHECK_FOR_INTERRUPTS();
		count = palloc0(sizeof(int64) * n);
		for (int64 row = 0; row < encoded->nrows; row++)
			if (value[row] != GS_MISSING)
				count[value[row]]++;
		if (number)
			gs_group_values(count, n, GS_TREE_FEW, code);
		else
			gs_group_levels(count, encoded->rank[f], n, GS_TREE_FEW, code);
		pfree(count);
		refine->predictor[refine->npredictors].feature = f;
		refine->predictor[refine->npredictors].code_of = code;
		refine->npredictors++;
	}
	gs_refine_prepare(refine, schema);
	return refine;
}

/*
 * Whether a real row tells all that the model's rows tell: only NULLs are
 * missing, and parts that there are only where others are NULL, or are not.
 */
static bool
is_composite(const GsRefine *refine, const GsEncoded *encoded, int64 row)
{
	for (int p = 0; p < refine->npredictors; p++)
	{
		const GsRefinePredictor *predictor = &refine->predictor[p];

		if (encoded->bin[predictor->feature][row] == GS_MISSING &&
			predictor->nbases == 0 &&
			!(predictor->null >= 0 && encoded->bin[predictor->null][row] == 1))
			return false;
	}
	return true;
}

/*
 * The real rows, of a random selection in random order.
 */
static void
put_real(GsRefineRows *rows, const GsEncoded *encoded,
		 const uint32 *selected)
{
	for (int p = 0; p < rows->refine->npredictors; p++)
	{
		const GsRefinePredictor *predictor = &rows->refine->predictor[p];
		const uint16 *value = predictor->number ?
			encoded->segment[predictor->feature] : encoded->bin[predictor->feature];
		const uint16 *null = predictor->null < 0 ? NULL :
			encoded->bin[predictor->null];

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = 0; i < rows->nreal; i++)
		{
			uint32		row = selected[i];

			rows->code[p][position_of(rows, true, i)] = (uint8)
				((null != NULL && null[row] == 1) ||
				 value[row] == GS_MISSING ? predictor->missing :
				 predictor->code_of[value[row]]);
		}
	}
}

/*
 * The model's rows, from batch number index on.  Returns the number after the
 * last.
 */
static int64
put_synthetic(GsRefineRows *rows, GsSampler *sampler, GsBatch *batch,
			  int64 index)
{
	GsRefining *refining = rows->refining;
	int			npredictors = rows->refine->npredictors;

	for (uint32 first = 0; first < rows->nreal; first += GS_BATCH)
	{
		uint32		n = Min(GS_BATCH, rows->nreal - first);

		CHECK_FOR_INTERRUPTS();
		gs_batch_fill(sampler, batch, index++);
		gs_refine_encode(refining, batch);
		for (int p = 0; p < npredictors; p++)
			for (uint32 i = 0; i < n; i++)
				rows->code[p][position_of(rows, false, first + i)] =
					refining->code[p][i];
	}
	return index;
}

/*
 * Room for at most rows->max rows, and which of the real ones are taken; too
 * few: nreal is 0.
 */
static uint32 *
select_rows(GsRefineRows *rows, const GsEncoded *encoded, uint64 seed)
{
	uint32	   *selected = palloc_extended(sizeof(uint32) *
										   Max(encoded->nrows, 1),
										   MCXT_ALLOC_HUGE);
	int64		n = 0;
	GsRandom	random;

	gs_random_start(&random, seed, 0, GS_STREAM_REFINE);
	for (int64 row = 0; row < encoded->nrows; row++)
		if (is_composite(rows->refine, encoded, row))
			selected[n++] = (uint32) row;
	for (int64 i = 0; i < Min(n, rows->max); i++)
	{
		int64		j = i + gs_random_below(&random, (uint32) (n - i));
		uint32		swap = selected[i];

		selected[i] = selected[j];
		selected[j] = swap;
	}
	rows->nreal = n < MIN_ROWS ? 0 : (uint32) Min(n, rows->max);
	return selected;
}

static void
init_rows(GsRefineRows *rows)
{
	int			npredictors = rows->refine->npredictors;

	rows->nlearned = (uint32) (rows->nreal * (1 - CHECKED));
	rows->n = 2 * rows->nreal;
	rows->label = palloc0(rows->n);
	rows->code = palloc(sizeof(uint8 *) * npredictors);
	rows->ncodes = palloc(sizeof(int) * npredictors);
	rows->ordered = palloc(npredictors);
	for (int p = 0; p < npredictors; p++)
	{
		rows->code[p] = palloc(rows->n);
		rows->ncodes[p] = rows->refine->predictor[p].missing + 1;
		rows->ordered[p] = rows->refine->predictor[p].number;
	}
	for (uint32 i = 0; i < rows->nreal; i++)
		rows->label[position_of(rows, true, i)] = 1;
}

/*
 * The mean loss of the rows that were not learned from.
 */
static double
checked_loss(const GsRefineRows *rows, const float *margin)
{
	double		loss = 0;

	for (uint32 i = 2 * rows->nlearned; i < rows->n; i++)
	{
		double		wrong = rows->label[i] ? -margin[i] : margin[i];

		loss += wrong > 0 ? wrong + log1p(exp(-wrong)) : log1p(exp(wrong));
	}
	return loss / (rows->n - 2 * rows->nlearned);
}

/* A row, real or the model's, and what is made of it. */
typedef struct Judged
{
	float		margin;
	bool		real;
	double		weight;
} Judged;

static int
by_margin(const void *a, const void *b)
{
	float		x = ((const Judged *) a)->margin;
	float		y = ((const Judged *) b)->margin;

	return x < y ? -1 : x > y;
}

/*
 * The chance that a real row has a larger margin than a synthetic one, both
 * by weight: the area under the curve (AUC).  The rows are sorted.
 */
static double
area(const Judged *judged, uint32 n)
{
	double		real = 0;
	double		synthetic = 0;
	double		above = 0;

	for (uint32 i = 0; i < n;)
	{
		uint32		end = i;
		double		more[2] = {0};

		for (; end < n && judged[end].margin == judged[i].margin; end++)
			more[judged[end].real] += judged[end].weight;
		above += more[1] * (synthetic + more[0] / 2);
		real += more[1];
		synthetic += more[0];
		i = end;
	}
	return real > 0 && synthetic > 0 ? above / real / synthetic : 0.5;
}

/*
 * The factor by which margins above or below 0 of rows that were not learned
 * from are right: that which makes their loss least, both kinds counting alike
 * (after Platt, "Probabilistic outputs for support vector machines", 1999; the sides apart,
 * since what is rare among the model's rows is more often chance than what it has
 * too much of).
 */
static double
find_slope(const GsRefineRows *rows, const float *margin, bool above)
{
	double		low = 0;
	double		high = MAX_SLOPE;

	for (int step = 0; step < SLOPE_STEPS; step++)
	{
		double		slope = (low + high) / 2;
		double		rise[2] = {0};	/* of the loss, by kind */

		for (uint32 i = 0; i < rows->n; i++)
			if ((margin[i] > 0) != above)
				continue;
			else if (rows->label[i] == 0)
				rise[0] += margin[i] / (1 + exp(-slope * margin[i]));
			else if (i >= 2 * rows->nlearned)
				rise[1] -= margin[i] / (1 + exp(slope * margin[i]));
		if (rise[0] / rows->nreal +
			rise[1] / (rows->nreal - rows->nlearned) > 0)
			high = slope;
		else
			low = slope;
	}
	return (low + high) / 2;
}

/*
 * Rows that were not learned from, by margin: real ones, and the model's with
 * the weight that margin and shift give them.  Returns how many there are.
 */
static uint32
collect_judged(const GsRefineRows *rows, const float *margin,
			   const float *shift, const double *cap, Judged *judged)
{
	uint32		n = 0;

	for (uint32 i = 0; i < rows->n; i++)
	{
		bool		real = rows->label[i] == 1;

		if (real && i < 2 * rows->nlearned)
			continue;
		judged[n++] = (Judged) {
			margin[i], real, real || cap == NULL ? 1 :
			exp(Min(margin[i] + shift[i] - *cap, 0))
		};
	}
	qsort(judged, n, sizeof(Judged), by_margin);
	return n;
}

/*
 * The margin that no more than a few of the model's rows exceed.
 */
static double
find_cap(const GsRefineRows *rows, const Judged *judged, uint32 n)
{
	uint32		above = (uint32) (rows->nreal * (1 - CAP_QUANTILE));
	uint32		i = n - 1;

	for (; i > 0 && (judged[i].real || above > 0); i--)
		above -= !judged[i].real;
	return judged[i].margin;
}

/*
 * gs_refine_margins: the margins that a round's trees and slopes give to rows,
 * code [npredictors][n].
 */
float *
gs_refine_margins(const GsRefine *refine, const GsRefineRound *round,
				  uint8 *const *code, uint32 n)
{
	float	   *margin = palloc_extended(sizeof(float) * n,
										 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	gs_forest_add(&refine->forest, round->from, round->to,
				  (const uint8 *const *) code, n, margin);
	for (uint32 i = 0; i < n; i++)
		margin[i] *= (float) round->slope[margin[i] > 0];
	return margin;
}

/*
 * How well a round tells the model's rows that it accepts from real ones, both
 * not learned from.
 */
static double
area_after(const GsRefineRows *rows, const float *margin,
		   const GsRefineRound *round, Judged *judged)
{
	float	   *shift = palloc_extended(sizeof(float) * rows->n,
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	double		after;

	for (int p = 0; p < rows->refine->npredictors; p++)
		for (uint32 i = 0; i < rows->n; i++)
			shift[i] += round->shift[p * GS_TREE_CODES + rows->code[p][i]];
	after = area(judged,
				 collect_judged(rows, margin, shift, &round->cap, judged));
	pfree(shift);
	return after;
}

/*
 * Grows trees until they do not get better.  Returns how many are good for
 * something.
 */
static int
grow_trees(const GsRefineRows *rows, GsBoost *boost)
{
	double		min = checked_loss(rows, gs_boost_margins(boost));
	int			best = 0;

	for (int t = 1; t <= MAX_TREES && t - best <= PATIENCE; t++)
	{
		double		loss;

		CHECK_FOR_INTERRUPTS();
		if (!gs_boost_grow(boost))
			report_memory();
		loss = checked_loss(rows, gs_boost_margins(boost));
		if (loss >= min)
			continue;
		min = loss;
		best = t;
	}
	return best;
}

/*
 * Appends a round's trees to those before.
 */
static void
append_trees(GsForest *to, const GsForest *from, int ntrees)
{
	GsBoostTree *tree = palloc_extended(sizeof(GsBoostTree) *
										((Size) to->ntrees + ntrees),
										MCXT_ALLOC_HUGE);

	if (to->ntrees > 0)
		memcpy(tree, to->tree, sizeof(GsBoostTree) * to->ntrees);
	memcpy(tree + to->ntrees, from->tree, sizeof(GsBoostTree) * ntrees);
	to->tree = tree;
	to->ntrees += ntrees;
}

/*
 * Learns a round's trees.  Returns how many.
 */
static int
learn_trees(const GsRefineRows *rows, uint64 seed, GsForest *forest)
{
	GsTreeTable table = {rows->refine->npredictors,
		(const uint8 *const *) rows->code, rows->ncodes, rows->ordered
	};
	GsBoost    *boost = gs_boost_create(&table, rows->label, rows->n,
										2 * rows->nlearned, seed);
	volatile int ntrees = 0;

	if (boost == NULL)
		report_memory();
	PG_TRY();
	{
		ntrees = grow_trees(rows, boost);
		append_trees(forest, gs_boost_forest(boost), ntrees);
	}
	PG_FINALLY();
	{
		gs_boost_free(boost);
	}
	PG_END_TRY();
	return ntrees;
}

/*
 * The AUC from which rows are told from real ones: of two samples alike it
 * deviates by sqrt(1 / 6n).  And rows that are accepted one by one do not
 * share distributions out evenly any more, as those of a batch do: a little is not
 * worth that.  Of few rows trees tell less than there is to be told.
 */
static double
least_auc(const GsRefineRows *rows)
{
	double		many = Min(1.0, (double) rows->nreal / MANY_ROWS);

	return Max(MIN_AUC + (MIN_AUC_MANY - MIN_AUC) * many,
			   0.5 + CERTAINTY *
			   sqrt(1.0 / 6 / (rows->nreal - rows->nlearned)));
}

/*
 * One round.  is_auto: only if it is worth its price.  Returns false if there
 * is nothing more to refine.
 */
static bool
fit_round(GsRefineRows *rows, GsSampler *sampler, uint64 seed, bool is_auto,
		  GsFitContext *context)
{
	GsRefine   *refine = rows->refine;
	GsRefineRound *round = &refine->round[refine->nrounds];
	GsBatch    *batch = gs_batch_create(sampler, 0, NULL);
	Judged	   *judged = palloc_extended(sizeof(Judged) * rows->n,
										 MCXT_ALLOC_HUGE);
	float	   *margin;
	double		accepted;
	int64		index;
	uint32		n;

	batch->key = gs_mix64(seed, refine->nrounds + 1);
	index = put_synthetic(rows, sampler, batch, 0);
	round->from = refine->forest.ntrees;
	round->to = round->from + learn_trees(rows, batch->key, &refine->forest);

	/* fresh rows are judged: of those that were learned from trees know more */
	index = put_synthetic(rows, sampler, batch, index);
	round->slope[0] = round->slope[1] = 1;
	margin = gs_refine_margins(refine, round, rows->code, rows->n);
	for (int above = 0; above < 2; above++)
		round->slope[above] = find_slope(rows, margin, above);
	for (uint32 i = 0; i < rows->n; i++)
		margin[i] *= (float) round->slope[margin[i] > 0];
	n = collect_judged(rows, margin, NULL, NULL, judged);
	round->before = area(judged, n);
	round->cap = find_cap(rows, judged, n);
	if (round->before < least_auc(rows))
	{
		refine->forest.ntrees = round->from;
		if (!is_auto)
			gs_fit_note(context, "refinement %d: rows of the model are not told from real ones",
						refine->nrounds + 1);
		pfree(judged);
		pfree(margin);
		return false;
	}
	accepted = gs_refine_rake(rows, round, sampler, batch, index);
	round->after = area_after(rows, margin, round, judged);
	pfree(judged);
	pfree(margin);
	if (is_auto && round->before - round->after < MIN_GAIN / accepted)
	{
		refine->forest.ntrees = round->from;
		return false;
	}
	rows->accepted *= Min(accepted, 1);
	rows->min_accepted = Max(MIN_ACCEPTED, 1.0 / MAX_MADE / rows->accepted);
	gs_fit_note(context, "refinement %d: rows of the model are told from real ones with an AUC of %.3f, and of %.3f after %.0f %% of them were accepted",
				++refine->nrounds, round->before, round->after,
				100 * accepted);
	return true;
}

static void
add_forest(const GsForest *forest, List **tensors)
{
	Size		n = (Size) forest->ntrees * GS_BOOST_DEPTH;
	int32	   *splits = palloc_extended(sizeof(int32) * 2 * n,
										 MCXT_ALLOC_HUGE);
	int32	   *split = splits;
	int			nmasks = 0;
	StringInfoData masks;
	StringInfoData values;

	initStringInfo(&masks);
	initStringInfo(&values);
	for (int t = 0; t < forest->ntrees; t++)
	{
		const GsBoostTree *tree = &forest->tree[t];

		for (int d = 0; d < GS_BOOST_DEPTH; d++, split += 2)
		{
			split[0] = tree->predictor[d];
			split[1] = tree->cut[d];
			if (split[1] >= 0)
				continue;
			split[1] = -1 - nmasks++;
			appendBinaryStringInfo(&masks, (const char *) tree->mask[d],
								   sizeof(tree->mask[d]));
		}
		appendBinaryStringInfo(&values, (const char *) tree->value,
							   sizeof(tree->value));
	}
	gs_tensor_add(tensors, "refine/split", GS_I4, 2, n, 2, splits);
	gs_tensor_add(tensors, "refine/mask", GS_I4, 2, nmasks, GS_TREE_WORDS,
				  masks.data);
	gs_tensor_add(tensors, "refine/value", GS_F4, 2, forest->ntrees,
				  GS_BOOST_LEAVES, values.data);
}

static void
add_tensors(const GsRefine *refine, List **tensors)
{
	int32	   *predictor = palloc(sizeof(int32) *
								   Max(refine->npredictors, 1));
	double		rounds[GS_REFINE_ROUNDS][GS_REFINE_WORDS];
	Size		ncodes = (Size) GS_TREE_CODES * refine->npredictors;
	float	   *shifts = palloc(sizeof(float) * ncodes * refine->nrounds);
	StringInfoData code;

	initStringInfo(&code);
	for (int p = 0; p < refine->npredictors; p++)
	{
		predictor[p] = refine->predictor[p].feature;
		appendBinaryStringInfo(&code,
							   (const char *) refine->predictor[p].code_of,
							   refine->predictor[p].nvalues);
	}
	for (int r = 0; r < refine->nrounds; r++)
	{
		const GsRefineRound *round = &refine->round[r];

		rounds[r][0] = round->to - round->from;
		rounds[r][1] = round->cap;
		rounds[r][2] = round->slope[0];
		rounds[r][3] = round->slope[1];
		rounds[r][4] = round->before;
		rounds[r][5] = round->after;
		memcpy(shifts + ncodes * r, round->shift, sizeof(float) * ncodes);
	}
	gs_tensor_add(tensors, "refine/predictor", GS_I4, 1, refine->npredictors, 0,
				  predictor);
	gs_tensor_add(tensors, "refine/code", GS_U1, 1, code.len, 0, code.data);
	gs_tensor_add(tensors, "refine/round", GS_F8, 2, refine->nrounds,
				  GS_REFINE_WORDS, rounds);
	gs_tensor_add(tensors, "refine/shift", GS_F4, 2,
				  (int64) refine->nrounds * refine->npredictors, GS_TREE_CODES,
				  shifts);
	add_forest(&refine->forest, tensors);
}

/*
 * gs_refine_fit: refines what a family has learned.
 *
 * context: has the family's tensors, and those of the determined features;
 * what is learned is appended.  rounds: at most; GS_OPTION_IS_AUTO: those that
 * help by more than they cost, where the family is refined so.  Can be
 * cancelled.
 */
void
gs_refine_fit(GsFitContext *context, const GsFamily *family, int rounds)
{
	GsSchema   *schema = context->schema;
	const GsEncoded *encoded = context->encoded;
	uint64		seed = gs_mix64(context->key, 1);
	bool		is_auto = rounds == GS_OPTION_IS_AUTO;
	GsVersionEntry version = {0};
	GsModel		model = {.version = &version,.schema = schema,
	.family = family};
	GsSampler  *sampler;
	GsRefineRows rows = {.min_accepted = MIN_ACCEPTED,.accepted = 1};
	uint32	   *selected;

	if (rounds == 0 || (is_auto && !family->refined))
		return;
	if (is_auto)
		rounds = GS_REFINE_ROUNDS;
	rows.refine = start_refine(schema, encoded);
	rows.max = (int64) Min(MAX_ROWS, (is_auto ? AUTO_CELLS : CELLS) /
						   Max(rows.refine->npredictors, 1));
	selected = select_rows(&rows, encoded, seed);
	if (rows.nreal == 0 || rows.refine->npredictors == 0)
	{
		if (!is_auto)
			gs_fit_note(context, "nothing was refined: there are too few rows to tell kinds of them apart");
		return;
	}
	init_rows(&rows);
	put_real(&rows, encoded, selected);
	pfree(selected);
	model.determined = gs_dependency_load(schema, context->tensors);
	model.state = family->load(schema, context->tensors);
	sampler = gs_sampler_begin(&model, NULL, NULL);
	rows.refining = gs_refine_begin(rows.refine);
	for (int r = 0; r < rounds; r++)
	{
		gs_fit_progress(context, GS_PHASE_REFINING, r, rounds);
		if (is_auto && r > 0 && rows.refine->round[r - 1].before < FAR_AUC)
			break;
		/* the rounds before refine what the next one learns from */
		model.refine = r > 0 ? rows.refine : NULL;
		sampler->refining = r > 0 ? gs_refine_begin(rows.refine) : NULL;
		if (!fit_round(&rows, sampler, seed, is_auto, context))
			break;
	}
	if (rows.refine->nrounds == 0)
		return;
	add_tensors(rows.refine, &context->tensors);
}
