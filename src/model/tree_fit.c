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
 * The threads touch nothing of PostgreSQL's: no palloc, no ereport, and all
 * signals are blocked in them.  The backend waits for them, and tells them
 * to stop when it is to be interrupted.
 */
#include "postgres.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "miscadmin.h"

#include "model/tree.h"

#define MAX_DEPTH		40
#define MAX_LEAVES		4096	/* min_leaf grows with the rows beyond */
#define POLL_MICROSECONDS 2000

/* A feature while its tree is fitted. */
typedef struct Place
{
	int			feature;
	int			nvalues;		/* levels or segments */
	const uint16 *value;		/* [nrows] GS_MISSING */
	int64	   *count;			/* [nvalues] rows */
	uint16	   *rank;			/* [nvalues] of a number */
	int			ncontinuous;
	uint8	   *code_of;		/* [nvalues] */
	int			ncodes;
	uint8	   *code;			/* [nrows] */
	uint8	   *class;			/* [nrows] */
	int			nclasses;

	/* made by a thread, malloced */
	GsTree		tree;
	int		   *first;			/* [nnodes] entry of a leaf */
	GsLeafTable leaves;
} Place;

typedef struct Fit
{
	const GsEncoded *encoded;
	int			n;
	Place	   *place;			/* [n] in order */
	const uint8 **code;			/* [n] what trees split by */
	int		   *ncodes;
	bool	   *ordered;
	double		price;
	int crit; int order; double nprice; int nclass;
	double		prior;
	uint32		min_leaf;
	atomic_int	next;			/* places before are not taken yet */
	atomic_int	running;		/* threads */
	atomic_bool cancel;
	atomic_bool failed;			/* for want of memory */
} Fit;

static void *
huge(Size n, Size element)
{
	return palloc_extended(Max(n, 1) * element, MCXT_ALLOC_HUGE);
}

static bool
is_number(const Fit *fit, const Place *place)
{
	return fit->encoded->features[place->feature].kind == GS_FEATURE_NUMBER;
}

static void
count_values(Fit *fit, Place *place)
{
	const GsEncoded *encoded = fit->encoded;
	const GsFeature *feature = &encoded->features[place->feature];

	place->value = encoded->bin[place->feature];
	place->nvalues = feature->nlevels;
	if (is_number(fit, place))
	{
		place->value = encoded->segment[place->feature];
		place->nvalues = feature->quantile.nsegments;
		place->rank = palloc(sizeof(uint16) * place->nvalues);
		place->ncontinuous = gs_tree_ranks(feature, place->rank);
	}
	place->count = palloc0(sizeof(int64) * place->nvalues);
	for (int64 row = 0; row < encoded->nrows; row++)
		if (place->value[row] != GS_MISSING)
			place->count[place->value[row]]++;
}

/*
 * Groups neighbouring values into at most so many groups of about as many
 * rows; one that has as many rows alone is a group of its own.  Returns how
 * many there are.
 */
static int
group_values(const Place *place, int most, uint8 *group)
{
	int64		all = 0;

	for (int v = 0; v < place->nvalues; v++)
		all += place->count[v];
	for (int aim = most;; aim -= 1 + aim / 8)
	{
		int64		depth = all / aim + 1;
		int64		open = 0;	/* rows of the open group */
		int			n = 0;

		for (int v = 0; v < place->nvalues; v++)
		{
			if (open > 0 && (open + place->count[v] / 2 >= depth ||
							 place->count[v] >= depth))
			{
				n++;
				open = 0;
			}
			open += place->count[v];
			group[v] = (uint8) Min(n, most - 1);
		}
		if (n < most)
			return n + 1;
	}
}

static int
by_count(const void *a, const void *b, void *arg)
{
	const int64 *count = arg;
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	if (count[x] != count[y])
		return count[x] > count[y] ? -1 : 1;
	return x - y;
}

/*
 * The same for levels without an order: the most frequent ones alone, all
 * others together.
 */
static int
group_levels(const Place *place, int most, uint8 *group)
{
	int		   *order = palloc(sizeof(int) * place->nvalues);

	for (int v = 0; v < place->nvalues; v++)
		order[v] = v;
	qsort_arg(order, place->nvalues, sizeof(int), by_count, place->count);
	for (int i = 0; i < place->nvalues; i++)
		group[order[i]] = (uint8) Min(i, most - 1);
	pfree(order);
	return Min(place->nvalues, most);
}

/*
 * Codes and classes of a feature's rows.
 */
static void
encode_place(Fit *fit, Place *place)
{
	int			(*group) (const Place *, int, uint8 *) =
		is_number(fit, place) ? group_values : group_levels;
	uint8	   *class_of = palloc(place->nvalues);
	int			missing;

	place->code_of = palloc(place->nvalues);
	missing = group(place, GS_TREE_FEW, place->code_of);
	place->nclasses = group(place, is_number(fit,place)?fit->nclass:GS_TREE_CLASSES, class_of);
	place->ncodes = missing + 1;
	place->code = huge(fit->encoded->nrows, 1);
	place->class = huge(fit->encoded->nrows, 1);
	for (int64 row = 0; row < fit->encoded->nrows; row++)
	{
		int			value = place->value[row];

		place->code[row] = value == GS_MISSING ? (uint8) missing :
			place->code_of[value];
		place->class[row] = value == GS_MISSING ? 0 : class_of[value];
	}
	pfree(class_of);
}

static int
by_cardinality(const void *a, const void *b, void *arg)
{
	const Fit  *fit = arg;
	const Place *x = a;
	const Place *y = b;

	if ((fit->order <= 2 || fit->order==4) && is_number(fit, x) != is_number(fit, y))
		return is_number(fit, x) ? 1 : -1;
	if (fit->order == 1 || fit->order==3) return x->feature - y->feature;
	if (fit->order == 6 && is_number(fit,x) != is_number(fit,y)) return is_number(fit, x) ? 1 : -1;
	if (fit->order == 6 && is_number(fit,x)) return x->feature - y->feature;
	if (fit->order == 2 && is_number(fit,x) && x->nvalues != y->nvalues)
		return x->nvalues > y->nvalues ? -1 : 1;
	if (x->nvalues != y->nvalues)
		return x->nvalues < y->nvalues ? -1 : 1;
	return x->feature - y->feature;
}

#include <math.h>
static double mi(const Fit *fit, const Place *x, const Place *y)
{
	double c[32][32] = {{0}}, a[32]={0}, b[32]={0}, n=0, s=0;
	int64 stride = Max(1, fit->encoded->nrows / 20000);
	for (int64 r = 0; r < fit->encoded->nrows; r += stride)
	{
		if (x->value[r] == GS_MISSING || y->value[r] == GS_MISSING) continue;
		c[x->class[r]][y->class[r]]++; a[x->class[r]]++; b[y->class[r]]++; n++;
	}
	for (int i = 0; i < 32; i++) for (int j = 0; j < 32; j++)
		if (c[i][j] > 0) s += c[i][j]/n * log(c[i][j] * n / a[i] / b[j]);
	return s - (x->nclasses-1.0)*(y->nclasses-1.0)/(2*Max(n,1));
}
static void greedy(Fit *fit)
{
	int first = 0;
	bool *done = palloc0(fit->n);
	Place *out = palloc(sizeof(Place)*fit->n);
	int n = 0;
	double *m = palloc0(sizeof(double) * fit->n * fit->n);
	for (int i = 0; i < fit->n; i++) for (int j = 0; j < i; j++)
		m[i*fit->n+j] = m[j*fit->n+i] = mi(fit, &fit->place[i], &fit->place[j]);
	if (fit->order == 4) while (first < fit->n && !is_number(fit, &fit->place[first])) { done[first] = true; out[n++] = fit->place[first]; first++; }
	while (n < fit->n)
	{
		int best = -1; double most = -1e9;
		for (int i = 0; i < fit->n; i++)
		{
			double v = 0; int nd = 0;
			if (done[i]) continue;
			for (int j = first; j < fit->n; j++) if (done[j]) { v = Max(v, m[i*fit->n+j]); nd++; }
			if (nd == 0) { if (fit->order==5) v = i == 0; else for (int j = first; j < fit->n; j++) v += m[i*fit->n+j]; }
			if (v > most) { most = v; best = i; }
		}
		done[best] = true; out[n++] = fit->place[best];
	}
	memcpy(fit->place, out, sizeof(Place)*fit->n);
}

/*
 * Which features get a tree: those that nothing determines, and the NULL
 * indicators of numbers in any case, since a tree that asks for such a number
 * has to know.
 */
static void
collect_places(Fit *fit)
{
	const GsEncoded *encoded = fit->encoded;

	fit->place = palloc0(sizeof(Place) * Max(encoded->nfeatures, 1));
	for (int f = 0; f < encoded->nfeatures; f++)
	{
		Place	   *place = &fit->place[fit->n];

		if (encoded->determined[f] && encoded->features[f].part >= 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		place->feature = f;
		count_values(fit, place);
		encode_place(fit, place);
		fit->n++;
	}
	qsort_arg(fit->place, fit->n, sizeof(Place), by_cardinality, fit);
	if (fit->order == 4 || fit->order == 5) greedy(fit);
	fit->code = palloc(sizeof(uint8 *) * Max(fit->n, 1));
	fit->ncodes = palloc(sizeof(int) * Max(fit->n, 1));
	fit->ordered = palloc(sizeof(bool) * Max(fit->n, 1));
	for (int p = 0; p < fit->n; p++)
	{
		fit->code[p] = fit->place[p].code;
		fit->ncodes[p] = fit->place[p].ncodes;
		fit->ordered[p] = is_number(fit, &fit->place[p]);
	}
}

/*
 * The leaves' tables.  Returns false if memory is out.
 */
static bool
fit_leaves(const Fit *fit, Place *place)
{
	GsLeafValues values = {
		.nvalues = place->nvalues,.ncontinuous = place->ncontinuous,
		.value = place->value,.rank = place->rank,.prior = fit->prior
	};
	double	   *scratch = calloc((size_t) 2 * place->nvalues, sizeof(double));
	bool		fine = scratch != NULL;

	place->first = malloc(sizeof(int) * place->tree.nnodes);
	fine = fine && place->first != NULL;
	for (int at = 0; at < place->tree.nnodes && fine; at++)
	{
		if (place->tree.node[at].predictor >= 0)
			continue;
		place->first[at] = place->leaves.n;
		fine = gs_leaf_fit(&values, &place->tree, at, scratch,
						   &place->leaves);
	}
	free(scratch);
	return fine;
}

/*
 * Fits one tree.  Returns false if memory is out, or on cancel.
 */
static bool
fit_place(Fit *fit, int p)
{
	Place	   *place = &fit->place[p];
	int64		nrows = fit->encoded->nrows;
	GsTreeTable table = {
		.npredictors = p,.code = fit->code,.ncodes = fit->ncodes,
		.ordered = fit->ordered
	};
	GsTreeResponse response = {
		.gain = is_number(fit, place) && fit->crit == 0 ? GS_TREE_ORDINAL : GS_TREE_ENTROPY,
		.nclasses = place->nclasses,.class = place->class
	};
	GsTreeLimits limits = {
		.min_leaf = fit->min_leaf,.max_depth = MAX_DEPTH,
		.cancel = &fit->cancel
	};
	uint32		n = 0;
	bool		fine;

	place->tree.row = malloc(sizeof(uint32) * (nrows + 1));
	if (place->tree.row == NULL)
		return false;
	for (int64 row = 0; row < nrows; row++)
		if (place->value[row] != GS_MISSING)
			place->tree.row[n++] = (uint32) row;
	fine = n > 0 && gs_tree_grow(&table, &response, &limits, n, &place->tree);
	if (fine)
	{
		gs_tree_prune(&place->tree, is_number(fit,place)?fit->nprice:fit->price);
		fine = fit_leaves(fit, place);
	}
	free(place->tree.row);
	return fine;
}

/*
 * A thread: takes places, the last ones, which cost most, first.
 */
static void *
work(void *arg)
{
	Fit		   *fit = arg;

	for (;;)
	{
		int			p = atomic_fetch_sub(&fit->next, 1) - 1;

		if (p < 0 || atomic_load(&fit->cancel))
			break;
		if (!fit_place(fit, p))
		{
			atomic_store(&fit->failed, true);
			atomic_store(&fit->cancel, true);
		}
	}
	atomic_fetch_sub(&fit->running, 1);
	return NULL;
}

/*
 * Fits all trees, in threads; waits for them.
 */
static void
fit_places(Fit *fit)
{
	int			most = Min(Min(max_parallel_maintenance_workers + 1,
							   (int) sysconf(_SC_NPROCESSORS_ONLN)), fit->n);
	pthread_t  *thread = palloc(sizeof(pthread_t) * Max(most, 1));
	int			started = 0;
	sigset_t	all;
	sigset_t	before;

	atomic_store(&fit->next, fit->n);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (; started < most; started++)
	{
		atomic_fetch_add(&fit->running, 1);
		if (pthread_create(&thread[started], NULL, work, fit) != 0)
		{
			atomic_fetch_sub(&fit->running, 1);
			break;
		}
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (started == 0)
	{
		atomic_fetch_add(&fit->running, 1);
		work(fit);
	}
	while (atomic_load(&fit->running) > 0)
	{
		if (InterruptPending)
			atomic_store(&fit->cancel, true);
		pg_usleep(POLL_MICROSECONDS);
	}
	for (int i = 0; i < started; i++)
		pthread_join(thread[i], NULL);
	pfree(thread);
}

static void
free_places(Fit *fit)
{
	for (int p = 0; p < fit->n; p++)
	{
		gs_tree_free(&fit->place[p].tree);
		free(fit->place[p].first);
		free(fit->place[p].leaves.entry);
	}
}

/* The tensors while they are put together. */
typedef struct Flat
{
	StringInfoData node;
	StringInfoData mask;
	StringInfoData code;
	StringInfoData entry;
	int			nmasks;
	int			nentries;
} Flat;

/*
 * The last code that goes left where all smaller ones do; -1 where it takes a
 * mask to tell.
 */
static int
threshold(const Fit *fit, const GsTreeNode *node)
{
	int			code = 0;

	if (!fit->ordered[node->predictor])
		return -1;
	while (code < GS_TREE_CODES - 1 &&
		   (node->mask[code / 32] >> (code % 32) & 1) == 0)
		code++;
	return code - 1;
}

static void
flatten(const Fit *fit, const Place *place, Flat *flat)
{
	appendBinaryStringInfo(&flat->code, (char *) place->code_of,
						   place->nvalues);
	for (int at = 0; at < place->tree.nnodes; at++)
	{
		const GsTreeNode *node = &place->tree.node[at];
		int32		out[3] = {node->predictor, node->left, 0};

		if (node->predictor < 0)
		{
			int			end = place->leaves.n;

			for (int next = at + 1; next < place->tree.nnodes; next++)
				if (place->tree.node[next].predictor < 0)
				{
					end = place->first[next];
					break;
				}
			out[1] = flat->nentries + place->first[at];
			out[2] = end - place->first[at];
		}
		else
		{
			out[2] = threshold(fit, node);
			if (out[2] < 0)
			{
				out[2] = -1 - flat->nmasks;
				appendBinaryStringInfo(&flat->mask, (char *) node->mask,
									   sizeof(node->mask));
				flat->nmasks++;
			}
		}
		appendBinaryStringInfo(&flat->node, (char *) out, sizeof(out));
	}
	appendBinaryStringInfo(&flat->entry, (char *) place->leaves.entry,
						   sizeof(GsLeafEntry) * place->leaves.n);
	flat->nentries += place->leaves.n;
}

static void
add_tensors(const Fit *fit, List **tensors)
{
	int32	   *feature = palloc(sizeof(int32) * Max(fit->n, 1));
	int32	   *nnodes = palloc(sizeof(int32) * Max(fit->n, 1));
	int64		all = 0;
	Flat		flat = {0};

	initStringInfo(&flat.node);
	initStringInfo(&flat.mask);
	initStringInfo(&flat.code);
	initStringInfo(&flat.entry);
	for (int p = 0; p < fit->n; p++)
	{
		feature[p] = fit->place[p].feature;
		nnodes[p] = fit->place[p].tree.nnodes;
		all += nnodes[p];
		flatten(fit, &fit->place[p], &flat);
	}
	gs_tensor_add(tensors, "tree/feature", GS_I4, 1, fit->n, 0, feature);
	gs_tensor_add(tensors, "tree/nodes", GS_I4, 1, fit->n, 0, nnodes);
	gs_tensor_add(tensors, "tree/node", GS_I4, 2, all, 3, flat.node.data);
	gs_tensor_add(tensors, "tree/mask", GS_I4, 2, flat.nmasks, GS_TREE_WORDS,
				  flat.mask.data);
	gs_tensor_add(tensors, "tree/code", GS_U1, 1, flat.code.len, 0,
				  flat.code.data);
	gs_tensor_add(tensors, "tree/entry", GS_F4, 2, flat.nentries, 3,
				  flat.entry.data);
}

#include "utils/guc.h"
static double
knob(const char *name, double value)
{
	const char *s = GetConfigOption(name, true, false);

	return s && *s ? atof(s) : value;
}

/*
 * gs_tree_fit: see family.h and tree.c.
 */
void
gs_tree_fit(const GsSchema *schema, const GsEncoded *encoded,
			const GsOptions *options, List **tensors, List **notes)
{
	Fit			fit = {.encoded = encoded};

	fit.price = knob("tree.price", 3);
	fit.nprice = knob("tree.nprice", 0.5); fit.crit=knob("tree.crit",0); fit.order=knob("tree.ord",0); fit.nclass=knob("tree.nclass",32);
	fit.prior = knob("tree.prior", 2);
	fit.min_leaf = (uint32) Max(options->min_leaf, encoded->nrows / MAX_LEAVES);
	collect_places(&fit);
	fit_places(&fit);
	if (atomic_load(&fit.failed) || atomic_load(&fit.cancel))
	{
		free_places(&fit);
		CHECK_FOR_INTERRUPTS();
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Failed while trees were grown in threads.")));
	}
	PG_TRY();
	{
		add_tensors(&fit, tensors);
	}
	PG_FINALLY();
	{
		free_places(&fit);
	}
	PG_END_TRY();
}
