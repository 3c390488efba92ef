/*
 * mixture.c
 *	  Mixtures of products of categorical distributions, fitted to noisy
 *	  counts by Adam.
 *
 * In component r, column j has the cell x with probability softmax(b_x + T_xr),
 * where b is of all components and T is interpolated between the bins that
 * pairs are counted over.  The loss is the sum of squared differences between
 * the model's shares and the noisy ones, of single columns by cells and of
 * pairs by bins, each over the variance of its noise: half of what is about
 * one for each count, chi-square, at the truth.  A cycle's rate falls along
 * half a cosine; cycles follow until chi-square says that noise explains what
 * is left, so nothing but noisy numbers decides when it ends.
 *
 * Parameters and probabilities are stored [cell or bin][component]: rows are
 * as long as there are components, so all kernels go along whole vectors, and
 * the gradients of a pair are products of small matrices: with E = W (P_a
 * diag(pi) P_b' - Y), those of P_a and P_b are E P_b diag(pi) and E' P_a
 * diag(pi).  Sums are in the same order whatever the vectors, and nothing is
 * shared between threads: the same bits on every processor.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/nn.h"
#include "nn/kernel.h"
#include "nn/pool.h"
#include "numeric/philox.h"
#include "numeric/normal.h"
#include "privacy/mixture_internal.h"

#define RATE		0.1f		/* of the log odds */
#define RATE_SHARED	0.03f		/* of b */
#define WARM_UP		20			/* steps */
#define SPREAD		0.3f		/* of T in the beginning */
#define ENOUGH		0.9			/* chi-square of a count */
#define MIN_SHARE	1e-7f		/* of a cell in the beginning */
#define FLOOR		0.05		/* part of the rate at a cycle's end */

/* Parameters, their gradients, and Adam's moments of these. */
typedef struct Vector
{
	size_t		n;				/* a multiple of LANES */
	float	   *value;
	float	   *grad;
	float	   *moment1;
	float	   *moment2;
} Vector;

/* All that a fit changes. */
typedef struct Work
{
	const GsProducts *products;
	int			r;				/* components */
	Vector		odds;			/* [nbins][r] T */
	Vector		weights;		/* [r] log odds of components */
	Vector		shared;			/* [ncells] b, and zeros */
	float	   *share;			/* [ncells][r] */
	float	   *bins;			/* [nbins][r] sums of these */
	float	   *scaled;			/* [nbins][r] times weights */
	float	   *toward;			/* [nbins][r] gradients by bins, before these */
	float	   *bin_grad;		/* [nbins][r] and after */
	float	   *grad;			/* [cells of a column][r] */
	float	   *pi;				/* [r] weights of components */
	float	   *pi_grad;
	float	   *cell_error;		/* [cells of a column] */
	float	   *group_error;	/* [ngroups] */
	float	   *level;			/* [r] weights seen within a level */
	float	   *error;			/* [a block's elements] */
	double		chi_square;		/* of all pairs */
} Work;

/* y[r] += a x[r] */
static GS_ALWAYS_INLINE void
add_scaled(int r, float a, const float *x, float *y)
{
	for (int i = 0; i < r; i += LANES)
	{
		Lanes		sum = lanes_load(y + i) + a * lanes_load(x + i);

		memcpy(y + i, &sum, sizeof(sum));
	}
}

static GS_ALWAYS_INLINE float
dot(int r, const float *x, const float *y)
{
	Lanes		sum = {0};

	for (int i = 0; i < r; i += LANES)
		sum += lanes_load(x + i) * lanes_load(y + i);
	return lanes_sum(&sum);
}

/*
 * The log odds of a column's cells, less the largest of each component.
 */
GS_CLONES static void
column_odds(const Work *work, int c, float *odds)
{
	const GsProducts *products = work->products;
	int			r = work->r;
	int			from = products->cell[c];
	int			n = products->cell[c + 1] - from;

	for (int x = 0; x < n; x++)
	{
		const float *low = work->odds.value +
			(size_t) products->low[from + x] * r;
		const float *high = work->odds.value +
			(size_t) products->high[from + x] * r;
		float		part = products->part[from + x];
		float		shared = work->shared.value[from + x];

		for (int i = 0; i < r; i += LANES)
		{
			Lanes		l = lanes_load(low + i);

			l = shared + l + part * (lanes_load(high + i) - l);
			memcpy(odds + (size_t) x * r + i, &l, sizeof(l));
		}
	}
	for (int i = 0; i < r; i += LANES)
	{
		float		most[LANES];

		memcpy(most, odds + i, sizeof(most));
		for (int x = 1; x < n; x++)
		{
			const float *at = odds + (size_t) x * r + i;

			for (int l = 0; l < LANES; l++)
				most[l] = at[l] > most[l] ? at[l] : most[l];
		}
		for (int x = 0; x < n; x++)
		{
			float	   *at = odds + (size_t) x * r + i;

			for (int l = 0; l < LANES; l++)
				at[l] -= most[l];
		}
	}
}

/*
 * From exponentials of a column's log odds to probabilities, of cells and
 * bins, which begin as zeros.
 */
GS_CLONES static void
column_shares(const Work *work, int c)
{
	const GsProducts *products = work->products;
	int			r = work->r;
	int			from = products->cell[c];
	int			to = products->cell[c + 1];

	for (int i = 0; i < r; i += LANES)
	{
		Lanes		sum = {0};

		for (int x = from; x < to; x++)
			sum += lanes_load(work->share + (size_t) x * r + i);
		sum = 1 / sum;
		for (int x = from; x < to; x++)
		{
			float	   *share = work->share + (size_t) x * r + i;
			float	   *bin = work->bins +
				(size_t) products->bin_of[x] * r + i;
			Lanes		s = lanes_load(share) * sum;
			Lanes		b = lanes_load(bin) + s;

			memcpy(share, &s, sizeof(s));
			memcpy(bin, &b, sizeof(b));
		}
	}
}

/*
 * The weights of components.
 */
static void
component_weights(Work *work)
{
	int			r = work->r;
	const float *odds = work->weights.value;
	float		most = odds[0];
	double		sum = 0;

	for (int i = 1; i < r; i++)
		most = odds[i] > most ? odds[i] : most;
	for (int i = 0; i < r; i++)
		work->pi[i] = odds[i] - most;
	gs_exp((size_t) r, work->pi, work->pi);
	for (int i = 0; i < r; i++)
		sum += work->pi[i];
	for (int i = 0; i < r; i++)
		work->pi[i] = (float) (work->pi[i] / sum);
}

static void
forward(Work *work)
{
	const GsProducts *products = work->products;
	size_t		r = (size_t) work->r;

	memset(work->bins, 0, sizeof(float) * products->nbins * r);
	for (int c = 0; c < products->ncolumns; c++)
	{
		float	   *share = work->share + products->cell[c] * r;

		column_odds(work, c, share);
		gs_exp((products->cell[c + 1] - products->cell[c]) * r, share, share);
		column_shares(work, c);
	}
	component_weights(work);
}

/*
 * bins times the weights of components, as scaled.
 */
GS_CLONES static void
scale_bins(const Work *work, const float *weight, const float *from,
		   float *to)
{
	int			r = work->r;

	for (int b = 0; b < work->products->nbins; b++)
		for (int i = 0; i < r; i += LANES)
		{
			Lanes		l = lanes_load(from + (size_t) b * r + i) *
				lanes_load(weight + i);

			memcpy(to + (size_t) b * r + i, &l, sizeof(l));
		}
}

/*
 * Differences between the model's shares and the noisy ones, weighed.
 * Returns their chi-square.
 */
static double
weigh_errors(const GsBlock *block, int level, float *error)
{
	const float *count = block->count +
		(size_t) level * block->n * block->nrun;
	double		sum = 0;

	for (int x = 0; x < block->n; x++)
		for (int y = 0; y < block->nrun; y++, error++)
		{
			float		e = *error - *count++;

			*error = e * block->weight[y];
			sum += (double) e * *error;
		}
	return sum;
}

/*
 * The gradients of a block of pairs within a level, added to "toward".
 */
static void
block_gradient(Work *work, const GsBlock *block, int level)
{
	size_t		r = (size_t) work->r;
	GsMatrix	first = gs_matrix(work->bins + block->first * r, block->n,
								  (int) r);
	GsMatrix	run = gs_matrix(work->bins + block->run * r, block->nrun,
								(int) r);
	GsMatrix	error = gs_matrix(work->error, block->n, block->nrun);
	float	   *toward = work->toward;

	gs_sgemm(&(GsProduct) {
			 .transpose_b = true,.m = block->n,.n = block->nrun,
			 .k = (int) r,.a = work->scaled + block->first * r,
			 .lda = (int) r,.b = run.data,.ldb = (int) r,.c = error.data,
			 .ldc = block->nrun
			 });
	work->chi_square += weigh_errors(block, level, work->error);
	gs_product(false, error, run, true,
			   gs_matrix(toward + block->first * r, block->n, (int) r));
	gs_product(true, error, first, true,
			   gs_matrix(toward + block->run * r, block->nrun, (int) r));
}

/*
 * From the gradients of pairs within a level to those by bins and weights: all
 * pairs are in them twice.
 */
GS_CLONES static void
collect_level(Work *work, const float *weight, const float *level)
{
	int			r = work->r;

	for (int i = 0; i < r; i += LANES)
	{
		Lanes		sum = {0};
		Lanes		w = lanes_load(weight + i);

		for (int b = 0; b < work->products->nbins; b++)
		{
			size_t		at = (size_t) b * r + i;
			Lanes		g = lanes_load(work->toward + at);
			Lanes		l = lanes_load(work->bin_grad + at) + w * g;

			memcpy(work->bin_grad + at, &l, sizeof(l));
			sum += lanes_load(work->bins + at) * g;
		}
		sum *= 0.5f;
		if (level != NULL)
		{
			size_t		at = level - work->bins + i;
			Lanes		g = lanes_load(work->bin_grad + at) +
				lanes_load(work->pi + i) * sum;

			memcpy(work->bin_grad + at, &g, sizeof(g));
			sum *= lanes_load(level + i);
		}
		sum += lanes_load(work->pi_grad + i);
		memcpy(work->pi_grad + i, &sum, sizeof(sum));
	}
}

/*
 * Chi-square of the pairs, and its gradients, halved, by bins and weights.
 */
static void
pair_gradients(Work *work)
{
	const GsProducts *products = work->products;
	size_t		r = (size_t) work->r;

	work->chi_square = 0;
	memset(work->bin_grad, 0, sizeof(float) * products->nbins * r);
	for (int k = 0; k < products->levels; k++)
	{
		const float *level = products->target < 0 ? NULL :
			work->bins + (products->target + k) * r;
		const float *weight = work->pi;

		if (level != NULL)
		{
			for (size_t i = 0; i < r; i++)
				work->level[i] = work->pi[i] * level[i];
			weight = work->level;
		}
		scale_bins(work, weight, work->bins, work->scaled);
		memset(work->toward, 0, sizeof(float) * products->nbins * r);
		for (int b = 0; b < products->nblocks; b++)
			block_gradient(work, &products->block[b], k);
		collect_level(work, weight, level);
	}
}

/*
 * Differences between the model's shares of a column's cells by itself, and of
 * sums of neighbours, and the noisy ones, weighed.
 */
GS_CLONES static void
column_errors(Work *work, int c)
{
	const GsProducts *products = work->products;
	int			from = products->cell[c];
	int			to = products->cell[c + 1];
	int			before = -1;	/* group */

	for (int x = from; x < to; x++)
	{
		float		share = dot(work->r, work->pi,
								work->share + (size_t) x * work->r);
		int			g = products->group[x];

		work->cell_error[x - from] = products->weight[x] *
			(share - products->count[x]);
		if (g < 0)
			continue;
		if (g != before)
			work->group_error[g] = -products->group_count[g];
		work->group_error[g] += share;
		before = g;
	}
	for (int x = from; x < to; x++)
	{
		int			g = products->group[x];

		if (g >= 0)
			work->cell_error[x - from] += products->group_weight[g] *
				work->group_error[g];
	}
}

/*
 * The gradients of a column's cells: those of its bins, and of the column by
 * itself; and from them those of parameters.
 */
GS_CLONES static void
column_gradient(Work *work, int c)
{
	const GsProducts *products = work->products;
	int			r = work->r;
	int			from = products->cell[c];
	int			to = products->cell[c + 1];

	column_errors(work, c);
	for (int x = from; x < to; x++)
	{
		const float *share = work->share + (size_t) x * r;
		const float *bin = work->bin_grad + (size_t) products->bin_of[x] * r;
		float	   *grad = work->grad + (size_t) (x - from) * r;
		float		error = work->cell_error[x - from];

		add_scaled(r, error, share, work->pi_grad);
		memcpy(grad, bin, sizeof(float) * r);
		add_scaled(r, error, work->pi, grad);
	}
	for (int i = 0; i < r; i += LANES)
	{
		Lanes		sum = {0};

		for (int x = from; x < to; x++)
			sum += lanes_load(work->share + (size_t) x * r + i) *
				lanes_load(work->grad + (size_t) (x - from) * r + i);
		for (int x = from; x < to; x++)
		{
			float	   *at = work->grad + (size_t) (x - from) * r + i;
			Lanes		g = lanes_load(work->share + (size_t) x * r + i) *
				(lanes_load(at) - sum);

			memcpy(at, &g, sizeof(g));
		}
	}
	for (int x = from; x < to; x++)
	{
		const float *grad = work->grad + (size_t) (x - from) * r;
		float		part = products->part[x];
		Lanes		sum = {0};

		for (int i = 0; i < r; i += LANES)
			sum += lanes_load(grad + i);
		work->shared.grad[x] = lanes_sum(&sum);
		add_scaled(r, 1 - part, grad,
				   work->odds.grad + (size_t) products->low[x] * r);
		add_scaled(r, part, grad,
				   work->odds.grad + (size_t) products->high[x] * r);
	}
}

/*
 * All gradients, where forward() has been.
 */
static void
backward(Work *work)
{
	double		mean = 0;

	memset(work->pi_grad, 0, sizeof(float) * work->r);
	memset(work->odds.grad, 0, sizeof(float) * work->odds.n);
	pair_gradients(work);
	for (int c = 0; c < work->products->ncolumns; c++)
		column_gradient(work, c);
	for (int i = 0; i < work->r; i++)
		mean += (double) work->pi[i] * work->pi_grad[i];
	for (int i = 0; i < work->r; i++)
		work->weights.grad[i] = work->pi[i] *
			(work->pi_grad[i] - (float) mean);
}

/*
 * A step of Adam (Kingma and Ba, ICLR 2015); t counts from 1.
 */
GS_CLONES static void
step_vector(Vector *vector, int t, float rate)
{
	float		scale1 = (float) (rate / (1 - pow(0.9, t)));
	float		scale2 = (float) (1 / (1 - pow(0.99, t)));
	const float *restrict grad = vector->grad;
	float	   *restrict moment1 = vector->moment1;
	float	   *restrict moment2 = vector->moment2;
	float	   *restrict value = vector->value;

	IVDEP
	for (size_t i = 0; i < vector->n; i++)
	{
		float		m = moment1[i] + 0.1f * (grad[i] - moment1[i]);
		float		v = moment2[i] + 0.01f * (grad[i] * grad[i] - moment2[i]);

		moment1[i] = m;
		moment2[i] = v;
		value[i] -= scale1 * m / (sqrtf(v * scale2) + 1e-12f);
	}
}

static void
step(Work *work, int t, int phase, int steps)
{
	float		part = (float) ((1 + FLOOR) / 2 + (1 - FLOOR) / 2 *
								cos(M_PI * phase / steps));

	if (t < WARM_UP)
		part *= (float) t / WARM_UP;
	step_vector(&work->odds, t, RATE * part);
	step_vector(&work->weights, t, RATE * part);
	step_vector(&work->shared, t, RATE_SHARED * part);
}

static Vector
take_vector(GsArena *arena, size_t n)
{
	Vector		vector = {.n = (n + LANES - 1) / LANES * LANES};

	vector.value = gs_arena_take(arena, vector.n, sizeof(float));
	vector.grad = gs_arena_take(arena, vector.n, sizeof(float));
	vector.moment1 = gs_arena_take(arena, vector.n, sizeof(float));
	vector.moment2 = gs_arena_take(arena, vector.n, sizeof(float));
	return vector;
}

/*
 * Takes all memory from the arena, or counts it.
 */
static void
lay_out(Work *work, GsArena *arena)
{
	const GsProducts *products = work->products;
	size_t		r = (size_t) work->r;
	size_t		bins = products->nbins * r;

	work->odds = take_vector(arena, bins);
	work->weights = take_vector(arena, r);
	work->shared = take_vector(arena, (size_t) products->ncells);
	work->share = gs_arena_take(arena, products->ncells * r, sizeof(float));
	work->bins = gs_arena_take(arena, bins, sizeof(float));
	work->scaled = gs_arena_take(arena, bins, sizeof(float));
	work->toward = gs_arena_take(arena, bins, sizeof(float));
	work->bin_grad = gs_arena_take(arena, bins, sizeof(float));
	work->grad = gs_arena_take(arena, products->max_cells * r, sizeof(float));
	work->pi = gs_arena_take(arena, r, sizeof(float));
	work->pi_grad = gs_arena_take(arena, r, sizeof(float));
	work->level = gs_arena_take(arena, r, sizeof(float));
	work->cell_error = gs_arena_take(arena, (size_t) products->max_cells,
									 sizeof(float));
	work->group_error = gs_arena_take(arena, (size_t) products->ngroups,
									  sizeof(float));
	work->error = gs_arena_take(arena, (size_t) products->max_block,
								sizeof(float));
}

/*
 * Where a fit begins; all else is zero.
 */
static void
start(Work *work, uint64_t key)
{
	const GsProducts *products = work->products;
	uint32_t	word[4];
	float		normal[4];

	for (size_t i = 0; i < work->odds.n; i += 4)
	{
		gs_philox_lanes(key, i / 4, 0, 0, 1, &word[0], &word[1], &word[2],
						&word[3]);
		gs_normal_lane(word, normal, 4);
		for (size_t k = 0; k < 4; k++)
			work->odds.value[i + k] = SPREAD * normal[k];
	}
	for (int x = 0; x < products->ncells; x++)
		work->shared.value[x] = (float) log(products->alone[x] > MIN_SHARE ?
											products->alone[x] : MIN_SHARE);
}

/*
 * Steps until noise explains what is left.  Returns false on cancel.
 */
static bool
descend(Work *work, GsProductsFit *fit)
{
	double		cells = work->products->pair_cells;

	for (int t = 1;; t++)
	{
		int			phase = (t - 1) % fit->steps;

		if (fit->cancel != NULL &&
			atomic_load_explicit(fit->cancel, memory_order_relaxed))
			return false;
		forward(work);
		backward(work);
		fit->residual = cells > 0 ? work->chi_square / cells : 0;
		fit->done = t - 1;
		if (phase == 0 && t > 1 &&
			(fit->residual < ENOUGH || t > fit->cycles * fit->steps))
			return true;
		step(work, t, phase, fit->steps);
	}
}

/*
 * gs_products_fit: fits a mixture, beginning somewhere, as the key says.
 *
 * weight: [components], share: [components][cells of all columns], filled.
 * Returns false if memory is out, or on cancel.  May run in any thread, and
 * in several with the same products.
 */
bool
gs_products_fit(const GsProducts *products, GsProductsFit *fit, float *weight,
				float *share)
{
	Work		work = {.products = products,.r = fit->components};
	GsArena		arena = {0};
	uint64_t	before;
	bool		done;

	lay_out(&work, &arena);
	if (arena.used == SIZE_MAX)
		return false;
	arena.size = arena.used;
	arena.base = (char *) gs_vector_create(arena.size / sizeof(float) + 1);
	arena.used = 0;
	if (arena.base == NULL)
		return false;
	lay_out(&work, &arena);
	start(&work, fit->key);
	before = gs_flush_subnormals(true, 0);
	done = descend(&work, fit);
	gs_flush_subnormals(false, before);
	for (int r = 0; r < work.r && done; r++)
	{
		weight[r] = work.pi[r];
		for (int x = 0; x < products->ncells; x++)
			share[(size_t) r * products->ncells + x] =
				work.share[(size_t) x * work.r + r];
	}
	free(arena.base);
	return done;
}
