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
#include "model/refine.h"
#include "numeric/philox.h"

#define MAX_ROWS		200000	/* of each kind ... */
#define CELLS			2e7		/* ... and of wide tables fewer */
#define MIN_ROWS		500
#define CHECKED			0.2		/* share of the rows that are not learned from */
#define MAX_TREES		300
#define PATIENCE		20		/* trees that do not get better */
#define CAP_QUANTILE	0.98	/* of ratios, whose larger ones are as one */
#define MIN_ACCEPTED	0.15	/* of a round */

/* Rows of both kinds, those to learn from first. */
typedef struct Rows
{
	GsRefine   *refine;
	uint32		nreal;			/* of each kind */
	uint32		nlearned;		/* of each kind, to learn from */
	uint32		n;				/* 2 nreal */
	uint8	  **code;			/* [nasked][n] */
	int		   *ncodes;			/* [nasked] */
	bool	   *ordered;		/* [nasked] */
	uint8	   *label;			/* [n] 1: real */
} Rows;

/*
 * Where the i-th row of a kind stands: real rows before others, and those to
 * learn from before the rest.
 */
static uint32
place_of(const Rows *rows, bool real, uint32 i)
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

	refine->asked = palloc0(sizeof(GsRefineAsked) * Max(schema->nfeatures, 1));
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
			gs_group_levels(count, n, GS_TREE_FEW, code);
		pfree(count);
		refine->asked[refine->nasked].feature = f;
		refine->asked[refine->nasked].code_of = code;
		refine->nasked++;
	}
	gs_refine_prepare(refine, schema);
	return refine;
}

/*
 * Whether a real row tells all that the model's rows tell: only NULLs are
 * missing.
 */
static bool
is_whole(const GsRefine *refine, const GsEncoded *encoded, int64 row)
{
	for (int p = 0; p < refine->nasked; p++)
	{
		const GsRefineAsked *asked = &refine->asked[p];

		if (encoded->bin[asked->feature][row] == GS_MISSING &&
			!(asked->null >= 0 && encoded->bin[asked->null][row] == 1))
			return false;
	}
	return true;
}

/*
 * The real rows, of a random selection in random order.
 */
static void
put_real(Rows *rows, const GsEncoded *encoded, const uint32 *selected)
{
	for (int p = 0; p < rows->refine->nasked; p++)
	{
		const GsRefineAsked *asked = &rows->refine->asked[p];
		const uint16 *value = asked->number ?
			encoded->segment[asked->feature] : encoded->bin[asked->feature];
		const uint16 *null = asked->null < 0 ? NULL :
			encoded->bin[asked->null];

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = 0; i < rows->nreal; i++)
		{
			uint32		row = selected[i];

			rows->code[p][place_of(rows, true, i)] = (uint8)
				(null != NULL && null[row] == 1 ? asked->missing :
				 asked->code_of[value[row]]);
		}
	}
}

/*
 * The model's rows.
 */
static void
put_synthetic(Rows *rows, const GsModel *model, GsBatch *batch)
{
	GsRefine   *refine = rows->refine;

	for (uint32 first = 0; first < rows->nreal; first += GS_BATCH)
	{
		uint32		n = Min(GS_BATCH, rows->nreal - first);

		CHECK_FOR_INTERRUPTS();
		gs_batch_fill(model, batch, first / GS_BATCH);
		gs_refine_encode(refine, batch);
		for (int p = 0; p < refine->nasked; p++)
			for (uint32 i = 0; i < n; i++)
				rows->code[p][place_of(rows, false, first + i)] =
					refine->code[p][i];
	}
}

/*
 * Room for rows, and which of the real ones are taken; too few: nreal is 0.
 */
static uint32 *
select_rows(Rows *rows, const GsEncoded *encoded, uint64 seed)
{
	int64		most = (int64) Min(MAX_ROWS,
								   CELLS / Max(rows->refine->nasked, 1));
	uint32	   *selected = palloc_extended(sizeof(uint32) *
										   Max(encoded->nrows, 1),
										   MCXT_ALLOC_HUGE);
	int64		n = 0;
	GsRandom	random;

	gs_random_start(&random, seed, 0, GS_STREAM_REFINE);
	for (int64 row = 0; row < encoded->nrows; row++)
		if (is_whole(rows->refine, encoded, row))
			selected[n++] = (uint32) row;
	for (int64 i = 0; i < Min(n, most); i++)
	{
		int64		j = i + gs_random_below(&random, (uint32) (n - i));
		uint32		swap = selected[i];

		selected[i] = selected[j];
		selected[j] = swap;
	}
	rows->nreal = n < MIN_ROWS ? 0 : (uint32) Min(n, most);
	return selected;
}

static void
init_rows(Rows *rows)
{
	int			nasked = rows->refine->nasked;

	rows->nlearned = (uint32) (rows->nreal * (1 - CHECKED));
	rows->n = 2 * rows->nreal;
	rows->label = palloc0(rows->n);
	rows->code = palloc(sizeof(uint8 *) * nasked);
	rows->ncodes = palloc(sizeof(int) * nasked);
	rows->ordered = palloc(nasked);
	for (int p = 0; p < nasked; p++)
	{
		rows->code[p] = palloc(rows->n);
		rows->ncodes[p] = rows->refine->asked[p].missing + 1;
		rows->ordered[p] = rows->refine->asked[p].number;
	}
	for (uint32 i = 0; i < rows->nreal; i++)
		rows->label[place_of(rows, true, i)] = 1;
}

/*
 * The mean loss of the rows that were not learned from.
 */
static double
checked_loss(const Rows *rows, const float *margin)
{
	double		loss = 0;

	for (uint32 i = 2 * rows->nlearned; i < rows->n; i++)
	{
		double		wrong = rows->label[i] ? -margin[i] : margin[i];

		loss += wrong > 0 ? wrong + log1p(exp(-wrong)) : log1p(exp(wrong));
	}
	return loss / (rows->n - 2 * rows->nlearned);
}

/* A row that was not learned from. */
typedef struct Checked
{
	float		margin;
	bool		real;
	double		weight;
} Checked;

static int
by_margin(const void *a, const void *b)
{
	float		x = ((const Checked *) a)->margin;
	float		y = ((const Checked *) b)->margin;

	return x < y ? -1 : x > y;
}

/*
 * The chance that a real row has a larger margin than a synthetic one, both
 * by weight: the area under the curve (AUC).  Sorts the rows.
 */
static double
area(Checked *checked, uint32 n)
{
	double		real = 0;
	double		synthetic = 0;
	double		above = 0;

	qsort(checked, n, sizeof(Checked), by_margin);
	for (uint32 i = 0; i < n;)
	{
		uint32		end = i;
		double		more[2] = {0};

		for (; end < n && checked[end].margin == checked[i].margin; end++)
			more[checked[end].real] += checked[end].weight;
		above += more[1] * (synthetic + more[0] / 2);
		real += more[1];
		synthetic += more[0];
		i = end;
	}
	return real > 0 && synthetic > 0 ? above / real / synthetic : 0.5;
}

/*
 * The cap of a round, and what the round does to rows that were not learned
 * from.  Returns the share of the model's that it accepts.
 */
static double
judge(const Rows *rows, const float *margin, GsRefineRound *round)
{
	uint32		n = rows->n - 2 * rows->nlearned;
	Checked    *checked = palloc_extended(sizeof(Checked) * n,
										  MCXT_ALLOC_HUGE);
	double		accepted = 0;
	double		all = n / 2;
	uint32		below = 0;

	for (uint32 i = 0; i < n; i++)
		checked[i] = (Checked) {
			margin[2 * rows->nlearned + i],
			rows->label[2 * rows->nlearned + i] == 1, 1
		};
	round->before = area(checked, n);
	round->cap = checked[n - 1].margin;
	for (uint32 i = 0; i < n; i++)
	{
		below += !checked[i].real;
		if (below >= all * CAP_QUANTILE)
		{
			round->cap = checked[i].margin;
			break;
		}
	}
	for (;; round->cap -= 0.05)
	{
		accepted = 0;
		for (uint32 i = 0; i < n; i++)
			if (!checked[i].real)
				accepted += checked[i].weight =
					exp(Min(checked[i].margin - round->cap, 0));
		if (accepted >= MIN_ACCEPTED * all)
			break;
	}
	round->after = area(checked, n);
	pfree(checked);
	return accepted / all;
}

/*
 * Grows trees until they do not get better.  Returns how many are good for
 * something; margin: [n], filled with what those say.
 */
static int
grow_trees(const Rows *rows, GsBoost *boost, float *margin)
{
	double		least = checked_loss(rows, gs_boost_margins(boost));
	int			best = 0;

	for (int t = 1; t <= MAX_TREES && t - best <= PATIENCE; t++)
	{
		double		loss;

		CHECK_FOR_INTERRUPTS();
		if (!gs_boost_grow(boost))
			ereport(ERROR,
					(errcode(ERRCODE_OUT_OF_MEMORY),
					 errmsg("out of memory"),
					 errdetail("Failed while trees were grown."),
					 errhint("Fit without the option \"refine\".")));
		loss = checked_loss(rows, gs_boost_margins(boost));
		if (loss >= least)
			continue;
		least = loss;
		best = t;
		memcpy(margin, gs_boost_margins(boost), sizeof(float) * rows->n);
	}
	return best;
}

/*
 * Appends a round's trees to those before.
 */
static void
append_trees(GsForest *to, const GsForest *from, int ntrees)
{
	int			nnodes = ntrees < from->ntrees ? from->first[ntrees] :
		from->nnodes;
	GsBoostNode *node = palloc_extended(sizeof(GsBoostNode) *
										((Size) to->nnodes + nnodes),
										MCXT_ALLOC_HUGE);
	int		   *first = palloc(sizeof(int) * (to->ntrees + ntrees));

	if (to->ntrees > 0)
	{
		memcpy(node, to->node, sizeof(GsBoostNode) * to->nnodes);
		memcpy(first, to->first, sizeof(int) * to->ntrees);
	}
	memcpy(node + to->nnodes, from->node, sizeof(GsBoostNode) * nnodes);
	for (int t = 0; t < ntrees; t++)
		first[to->ntrees + t] = to->nnodes + from->first[t];
	to->node = node;
	to->first = first;
	to->nnodes += nnodes;
	to->ntrees += ntrees;
}

/*
 * One round.  Returns false if there is nothing more to refine.
 */
static bool
fit_round(Rows *rows, const GsModel *model, uint64 seed, List **notes)
{
	GsRefine   *refine = rows->refine;
	GsRefineRound *round = &refine->round[refine->nrounds];
	GsTreeTable table = {refine->nasked, (const uint8 *const *) rows->code,
		rows->ncodes, rows->ordered
	};
	GsBatch    *batch = gs_batch_create(model, 0, NULL);
	float	   *margin = palloc_extended(sizeof(float) * rows->n,
										 MCXT_ALLOC_HUGE);
	GsBoost    *boost;
	double		accepted = 0;
	volatile int ntrees = 0;

	batch->key = gs_mix64(seed, refine->nrounds + 1);
	put_synthetic(rows, model, batch);
	boost = gs_boost_create(&table, rows->label, rows->n, 2 * rows->nlearned,
							batch->key);
	if (boost == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
				 errhint("Fit without the option \"refine\".")));
	PG_TRY();
	{
		ntrees = grow_trees(rows, boost, margin);
		if (ntrees > 0)
		{
			accepted = judge(rows, margin, round);
			/* of two samples alike the AUC deviates by sqrt(1 / 6n) */
			if (round->before <
				0.5 + 2 * sqrt(1.0 / 6 / (rows->nreal - rows->nlearned)))
				ntrees = 0;
		}
		if (ntrees > 0)
		{
			round->from = refine->forest.ntrees;
			append_trees(&refine->forest, gs_boost_forest(boost), ntrees);
			round->to = refine->forest.ntrees;
		}
	}
	PG_FINALLY();
	{
		gs_boost_free(boost);
	}
	PG_END_TRY();
	pfree(margin);
	if (ntrees == 0)
		*notes = lappend(*notes, psprintf("refinement %d: rows of the model are not told from real ones",
										  refine->nrounds + 1));
	else
		*notes = lappend(*notes, psprintf("refinement %d: rows of the model are told from real ones with an AUC of %.3f, and of %.3f after %.0f %% of them were accepted",
										  ++refine->nrounds, round->before,
										  round->after, 100 * accepted));
	return ntrees > 0;
}

/*
 * Renumbers the features, of which only those that some tree asks for are
 * kept.
 */
static void
drop_unasked(GsRefine *refine)
{
	GsForest   *forest = &refine->forest;
	int		   *place = palloc(sizeof(int) * Max(refine->nasked, 1));
	int			n = 0;

	for (int p = 0; p < refine->nasked; p++)
		place[p] = -1;
	for (int at = 0; at < forest->nnodes; at++)
		if (!forest->node[at].leaf)
			place[forest->node[at].predictor] = 0;
	for (int p = 0; p < refine->nasked; p++)
		if (place[p] == 0)
		{
			refine->asked[n] = refine->asked[p];
			place[p] = n++;
		}
	refine->nasked = n;
	for (int at = 0; at < forest->nnodes; at++)
		if (!forest->node[at].leaf)
			forest->node[at].predictor = place[forest->node[at].predictor];
}

static void
add_nodes(const GsForest *forest, List **tensors)
{
	int32	   *nodes = palloc_extended(sizeof(int32) * 3 *
										Max((Size) forest->nnodes, 1),
										MCXT_ALLOC_HUGE);
	float	   *values = palloc_extended(sizeof(float) *
										 Max((Size) forest->nnodes, 1),
										 MCXT_ALLOC_HUGE);
	int			nmasks = 0;
	StringInfoData masks;

	initStringInfo(&masks);
	for (int at = 0; at < forest->nnodes; at++)
	{
		const GsBoostNode *node = &forest->node[at];
		int32	   *out = nodes + (Size) 3 * at;

		out[0] = node->leaf ? -1 : node->predictor;
		out[1] = node->leaf ? 0 : node->left;
		out[2] = node->leaf ? 0 : gs_tree_threshold(node->mask);
		values[at] = node->value;
		if (out[2] >= 0)
			continue;
		out[2] = -1 - nmasks++;
		appendBinaryStringInfo(&masks, (const char *) node->mask,
							   sizeof(node->mask));
	}
	gs_tensor_add(tensors, "refine/node", GS_I4, 2, forest->nnodes, 3, nodes);
	gs_tensor_add(tensors, "refine/value", GS_F4, 1, forest->nnodes, 0,
				  values);
	gs_tensor_add(tensors, "refine/mask", GS_I4, 2, nmasks, GS_TREE_WORDS,
				  masks.data);
}

static void
add_tensors(const GsRefine *refine, List **tensors)
{
	const GsForest *forest = &refine->forest;
	int32	   *trees = palloc(sizeof(int32) * Max(forest->ntrees, 1));
	int32	   *asked = palloc(sizeof(int32) * Max(refine->nasked, 1));
	double		rounds[GS_REFINE_ROUNDS][4];
	StringInfoData code;

	initStringInfo(&code);
	for (int p = 0; p < refine->nasked; p++)
	{
		asked[p] = refine->asked[p].feature;
		appendBinaryStringInfo(&code, (const char *) refine->asked[p].code_of,
							   refine->asked[p].nvalues);
	}
	for (int r = 0; r < refine->nrounds; r++)
	{
		const GsRefineRound *round = &refine->round[r];

		rounds[r][0] = round->to - round->from;
		rounds[r][1] = round->cap;
		rounds[r][2] = round->before;
		rounds[r][3] = round->after;
	}
	for (int t = 0; t < forest->ntrees; t++)
		trees[t] = (t + 1 < forest->ntrees ? forest->first[t + 1] :
					forest->nnodes) - forest->first[t];
	gs_tensor_add(tensors, "refine/asked", GS_I4, 1, refine->nasked, 0, asked);
	gs_tensor_add(tensors, "refine/code", GS_U1, 1, code.len, 0, code.data);
	gs_tensor_add(tensors, "refine/round", GS_F8, 2, refine->nrounds, 4,
				  rounds);
	gs_tensor_add(tensors, "refine/tree", GS_I4, 1, forest->ntrees, 0, trees);
	add_nodes(forest, tensors);
}

/*
 * gs_refine_fit: refines what a family has learned.
 *
 * tensors: the family's, and those of the determined features; appended to.
 * Can be cancelled.
 */
void
gs_refine_fit(GsSchema *schema, const GsEncoded *encoded,
			  const GsFamily *family, int rounds, uint64 seed,
			  List **tensors, List **notes)
{
	GsVersionEntry version = {0};
	GsModel		model = {.version = &version,.schema = schema,
	.family = family};
	Rows		rows = {0};
	uint32	   *selected;

	if (rounds == 0)
		return;
	rows.refine = start_refine(schema, encoded);
	selected = select_rows(&rows, encoded, seed);
	if (rows.nreal == 0 || rows.refine->nasked == 0)
	{
		*notes = lappend(*notes, "nothing was refined: there are too few rows to tell kinds of them apart");
		return;
	}
	init_rows(&rows);
	put_real(&rows, encoded, selected);
	pfree(selected);
	model.determined = gs_determined_load(schema, *tensors);
	model.state = family->load(schema, *tensors);
	for (int r = 0; r < rounds; r++)
	{
		model.refine = rows.refine->nrounds > 0 ? rows.refine : NULL;
		if (!fit_round(&rows, &model, seed, notes))
			break;
	}
	if (rows.refine->nrounds == 0)
		return;
	drop_unasked(rows.refine);
	add_tensors(rows.refine, tensors);
}
