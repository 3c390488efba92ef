/*
 * layers.c
 *	  Layer norm, residual blocks, embeddings.
 *
 * Plain C: no postgres.h.
 */
#include <assert.h>
#include <stdio.h>

#include "nn.h"
#include "kernel.h"

#define EPSILON	((gs_real) 1e-5)

/*
 * gs_norm_add
 *
 * Adds the parameters of a layer norm: views NAME.g, ones, and NAME.s, zeros.
 * Failures show in gs_params_create.
 */
void
gs_norm_add(GsParams *params, const char *name, int width, GsNorm *norm)
{
	char		full[GS_VIEW_NAME];

	norm->width = width;
	snprintf(full, sizeof(full), "%.24s.g", name);
	norm->gain = gs_params_add(params, full, 1, width, GS_INIT_ONE);
	snprintf(full, sizeof(full), "%.24s.s", name);
	norm->shift = gs_params_add(params, full, 1, width, GS_INIT_ZERO);
}

/*
 * Mean and 1 / standard deviation of a row.
 */
static GS_ALWAYS_INLINE void
row_stats(const gs_real *x, int n, gs_real *stats)
{
	int			whole = n - n % LANES;
	Lanes		sum = lanes_load_part(x + whole, n % LANES);
	Lanes		square = {0};
	gs_real		mean;

	for (int j = 0; j < whole; j += LANES)
		sum += lanes_load(x + j);
	mean = lanes_sum(&sum) / n;
	for (int j = 0; j < whole; j += LANES)
	{
		Lanes		error = lanes_load(x + j) - mean;

		square += error * error;
	}
	for (int j = whole; j < n; j++)
		square[j - whole] += (x[j] - mean) * (x[j] - mean);
	stats[0] = mean;
	stats[1] = 1 / real_sqrt(lanes_sum(&square) / n + EPSILON);
}

/*
 * gs_norm_forward
 *
 * y [rows][width] = gain (x - mean) / sqrt(variance + 1e-5) + shift, with mean
 * and variance of x's row; stats [rows][2] gets the mean and the divisor's
 * inverse.  y may be x where there is no backward.
 *
 * Ba, Kiros and Hinton, "Layer normalization", arXiv:1607.06450.
 */
GS_CLONES void
gs_norm_forward(const GsNorm *norm, const gs_real *params, GsMatrix x,
				GsMatrix y, GsMatrix stats)
{
	const gs_real *gain = params + norm->gain;
	const gs_real *shift = params + norm->shift;

	assert(x.cols == norm->width && y.cols == norm->width);
	assert(y.rows == x.rows && stats.rows == x.rows && stats.cols == 2);
	for (int i = 0; i < x.rows; i++)
	{
		const gs_real *from = gs_row(x, i);
		gs_real    *to = gs_row(y, i);
		gs_real    *stat = gs_row(stats, i);
		gs_real		mean;
		gs_real		inverse;

		row_stats(from, x.cols, stat);
		mean = stat[0];
		inverse = stat[1];
		IVDEP
		for (int j = 0; j < x.cols; j++)
			to[j] = (from[j] - mean) * inverse * gain[j] + shift[j];
	}
}

/*
 * gs_norm_backward_add
 *
 * Adds to grad, and to dx the gradient by x, given x and stats of forward.
 * dx must not be dy.
 */
GS_CLONES void
gs_norm_backward_add(const GsNorm *norm, const gs_real *params, gs_real *grad,
					 GsMatrix x, GsMatrix stats, GsMatrix dy, GsMatrix dx)
{
	const gs_real *restrict gain = params + norm->gain;
	gs_real    *restrict dgain = grad + norm->gain;
	gs_real    *restrict dshift = grad + norm->shift;
	int			n = norm->width;
	int			whole = n - n % LANES;

	assert(x.cols == n && dy.cols == n && dx.cols == n);
	assert(x.rows == dy.rows && dx.rows == dy.rows && stats.rows == dy.rows);
	for (int i = 0; i < dy.rows; i++)
	{
		const gs_real *restrict from = gs_row(x, i);
		const gs_real *restrict d = gs_row(dy, i);
		gs_real    *restrict to = gs_row(dx, i);
		gs_real		mean = gs_row(stats, i)[0];
		gs_real		inverse = gs_row(stats, i)[1];
		Lanes		sum = {0};
		Lanes		dot = {0};
		gs_real		a;
		gs_real		b;

		for (int j = 0; j < whole; j += LANES)
		{
			Lanes		scaled = lanes_load(d + j) * lanes_load(gain + j);

			sum += scaled;
			dot += scaled * ((lanes_load(from + j) - mean) * inverse);
		}
		for (int j = whole; j < n; j++)
		{
			sum[j - whole] += d[j] * gain[j];
			dot[j - whole] += d[j] * gain[j] * ((from[j] - mean) * inverse);
		}
		a = lanes_sum(&sum) / n;
		b = lanes_sum(&dot) / n;
		IVDEP
		for (int j = 0; j < n; j++)
		{
			gs_real		normed = (from[j] - mean) * inverse;

			to[j] += inverse * (d[j] * gain[j] - a - normed * b);
			dgain[j] += d[j] * normed;
			dshift[j] += d[j];
		}
	}
}

/*
 * gs_residual_add
 *
 * Adds the parameters of a block: NAME.norm, NAME.in, NAME.out.  Failures
 * show in gs_params_create.
 */
void
gs_residual_add(GsParams *params, const char *name, int width, int hidden,
				GsActivation activation, GsResidual *block)
{
	char		full[GS_VIEW_NAME];

	snprintf(full, sizeof(full), "%.20s.norm", name);
	gs_norm_add(params, full, width, &block->norm);
	snprintf(full, sizeof(full), "%.20s.in", name);
	gs_dense_add(params, full, width, hidden, activation, &block->inner);
	snprintf(full, sizeof(full), "%.20s.out", name);
	gs_dense_add(params, full, hidden, width, GS_LINEAR, &block->outer);
}

/*
 * gs_residual_layout
 *
 * The buffers of a block for so many rows, from the arena; one that only
 * counts gives matrices without data.
 */
GsResidualState
gs_residual_layout(const GsResidual *block, GsArena *arena, int rows)
{
	return (GsResidualState) {
		.stats = gs_arena_matrix(arena, rows, 2),
		.normed = gs_arena_matrix(arena, rows, block->inner.in),
		.slope = gs_arena_matrix(arena, rows, block->inner.out),
		.hidden = gs_arena_matrix(arena, rows, block->inner.out)
	};
}

/* What is done with rows of a block: its norm, there and back. */
typedef struct Normed
{
	const GsNorm *norm;
	const gs_real *params;
	gs_real    *grad;
	GsMatrix	x;
	GsMatrix	normed;
	GsMatrix	stats;
	GsMatrix	dx;
} Normed;

static void
norm_rows(void *arg, int first, int rows)
{
	const Normed *n = arg;

	gs_norm_forward(n->norm, n->params, gs_matrix_rows(n->x, first, rows),
					gs_matrix_rows(n->normed, first, rows),
					gs_matrix_rows(n->stats, first, rows));
}

static void
norm_rows_backward(void *arg, int first, int rows)
{
	const Normed *n = arg;

	gs_norm_backward_add(n->norm, n->params, n->grad,
						 gs_matrix_rows(n->x, first, rows),
						 gs_matrix_rows(n->stats, first, rows),
						 gs_matrix_rows(n->normed, first, rows),
						 gs_matrix_rows(n->dx, first, rows));
}

/*
 * gs_residual_forward
 *
 * y = x + outer(inner(norm(x))), with dropout of what inner gives.  y may be x
 * where there is no backward.
 *
 * He, Zhang, Ren and Sun, "Identity mappings in deep residual networks", ECCV
 * 2016.
 */
void
gs_residual_forward(const GsResidual *block, const gs_real *params,
					GsMatrix x, const GsResidualState *state, GsMatrix y)
{
	Normed		normed = {&block->norm, params, NULL, x, state->normed,
	state->stats, GS_NO_MATRIX};

	gs_dense_forward_work(&block->inner, params, state->normed, state->hidden,
						  state->slope,
						  &(GsRowWork) {norm_rows, NULL, &normed});
	if (state->dropout > 0)
		gs_dropout(state->draw, state->dropout, state->hidden);
	gs_dense_forward_add(&block->outer, params, state->hidden, x, y);
}

/*
 * gs_residual_backward
 *
 * Adds to grad; dy, the gradient by y, becomes that by x.  What forward left
 * in "state" is used up; x is as it was in forward.
 */
void
gs_residual_backward(const GsResidual *block, const gs_real *params,
					 gs_real *grad, GsMatrix x, const GsResidualState *state,
					 GsMatrix dy)
{
	Normed		normed = {&block->norm, params, grad, x, state->normed,
	state->stats, dy};

	/* gradients by a layer's input take the place of that input */
	gs_dense_backward(&block->outer, params, grad, state->hidden,
					  GS_NO_MATRIX, dy, state->hidden);
	if (state->dropout > 0)
		gs_dropout(state->draw, state->dropout, state->hidden);
	gs_dense_backward_work(&block->inner, params, grad, state->normed,
						   state->slope, state->hidden, state->normed,
						   &(GsRowWork) {NULL, norm_rows_backward, &normed});
}

/*
 * gs_embedding_add
 *
 * Adds the table of an embedding [ntokens][width], view NAME.  Failures show
 * in gs_params_create.
 */
void
gs_embedding_add(GsParams *params, const char *name, int ntokens, int width,
				 GsEmbedding *embedding)
{
	embedding->ntokens = ntokens;
	embedding->width = width;
	embedding->table = gs_params_add(params, name, ntokens, width,
									 GS_INIT_NORMAL);
}

/*
 * gs_embedding_forward_add
 *
 * y [rows][width] += the sum of the table's rows token[i][0 .. columns - 1]:
 * one-hot columns times a weight matrix.  A token of -1 adds nothing; others
 * are below ntokens.
 */
GS_CLONES void
gs_embedding_forward_add(const GsEmbedding *embedding, const gs_real *params,
						 const int32_t *token, int columns, GsMatrix y)
{
	int			n = embedding->width;

	assert(y.cols == n);
	for (int i = 0; i < y.rows; i++)
	{
		gs_real    *restrict to = gs_row(y, i);

		for (int c = 0; c < columns; c++, token++)
		{
			const gs_real *restrict from = params + embedding->table +
				(size_t) (*token < 0 ? 0 : *token) * n;

			assert(*token < embedding->ntokens);
			if (*token >= 0)
				for (int j = 0; j < n; j++)
					to[j] += from[j];
		}
	}
}

/*
 * gs_embedding_step
 *
 * x [rows][width] += the table's row token[i], and y = leaky ReLU(x): a state
 * that tokens are added to one after the other.  Tokens are 0 to ntokens - 1.
 */
GS_CLONES void
gs_embedding_step(const GsEmbedding *embedding, const gs_real *params,
				  const int32_t *token, GsMatrix x, GsMatrix y)
{
	int			n = embedding->width;

	assert(x.cols == n && y.cols == n && x.rows == y.rows);
	for (int i = 0; i < x.rows; i++)
	{
		gs_real    *restrict state = gs_row(x, i);
		gs_real    *restrict active = gs_row(y, i);
		const gs_real *restrict from = params + embedding->table +
			(size_t) token[i] * n;

		assert(token[i] >= 0 && token[i] < embedding->ntokens);
		for (int j = 0; j < n; j++)
		{
			gs_real		sum = state[j] + from[j];

			state[j] = sum;
			active[j] = sum > 0 ? sum : LEAK * sum;
		}
	}
}

/*
 * gs_embedding_step_backward
 *
 * Adds what dy, the gradient by y, says of the state to dx, which goes to the
 * table's row, too; and undoes the step, so that x and y are again what they
 * were before it, but for rounding.
 */
GS_CLONES void
gs_embedding_step_backward(const GsEmbedding *embedding,
						   const gs_real *params, gs_real *grad,
						   const int32_t *token, GsMatrix x, GsMatrix y,
						   GsMatrix dy, GsMatrix dx)
{
	int			n = embedding->width;

	assert(x.cols == n && y.cols == n && dy.cols == n && dx.cols == n);
	assert(y.rows == x.rows && dy.rows == x.rows && dx.rows == x.rows);
	for (int i = 0; i < x.rows; i++)
	{
		size_t		row = embedding->table + (size_t) token[i] * n;
		gs_real    *restrict state = gs_row(x, i);
		gs_real    *restrict active = gs_row(y, i);
		const gs_real *restrict dactive = gs_row(dy, i);
		gs_real    *restrict dstate = gs_row(dx, i);
		const gs_real *restrict from = params + row;
		gs_real    *restrict to = grad + row;

		assert(token[i] >= 0 && token[i] < embedding->ntokens);
		IVDEP
		for (int j = 0; j < n; j++)
		{
			gs_real		d = dstate[j] +
				(active[j] > 0 ? dactive[j] : LEAK * dactive[j]);
			gs_real		rest = state[j] - from[j];

			dstate[j] = d;
			to[j] += d;
			state[j] = rest;
			active[j] = rest > 0 ? rest : LEAK * rest;
		}
	}
}

/*
 * gs_embedding_backward
 *
 * Adds the gradient by y to the rows of the table that went into it.
 */
GS_CLONES void
gs_embedding_backward(const GsEmbedding *embedding, gs_real *grad,
					  const int32_t *token, int columns, GsMatrix dy)
{
	int			n = embedding->width;

	assert(dy.cols == n);
	for (int i = 0; i < dy.rows; i++)
	{
		const gs_real *restrict from = gs_row(dy, i);

		for (int c = 0; c < columns; c++, token++)
		{
			gs_real    *restrict to = grad + embedding->table +
				(size_t) (*token < 0 ? 0 : *token) * n;

			if (*token >= 0)
				for (int j = 0; j < n; j++)
					to[j] += from[j];
		}
	}
}
