/*
 * test_gradient_double.c
 *	  Every layer's and loss's gradient against central differences, in double
 *	  precision: script/ctest.sh compiles this file and src/nn with
 *	  -DGS_NN_DOUBLE.
 *
 * A case is a loss of parameters and an input: sum(c * layer(x)) with fixed
 * random c, or a loss function of its own.  Its gradient by every parameter
 * and every element of the input is checked.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/nn/nn.h"
#include "../../src/numeric/blas.h"
#include "../../src/numeric/philox.h"
#include "test.h"

#define STEP	1e-5
#define ROWS	7
#define MAX_LEVELS	4000		/* elements of any matrix here */

typedef struct Case Case;

/*
 * Runs forward and, where grad isn't NULL, backward: adds to grad, and puts
 * the gradient by x into dx, whose shape is x's.
 */
typedef double (*Function) (const Case *test, const gs_real *params,
							GsMatrix x, gs_real *grad, GsMatrix dx);

struct Case
{
	Function	function;
	int			in;				/* columns of x */
	int			out;			/* columns of y, for c */
	GsDense		dense;
	GsNorm		norm;
	GsResidual	block[2];
	GsEmbedding embedding;
	GsActivation activation;
	bool		weighted;
	double		rate;
};

static gs_real c[MAX_LEVELS];
static const int32_t token[ROWS][3] = {
	{0, 4, 9}, {1, -1, 9}, {1, 4, 8}, {-1, -1, -1}, {3, 7, 7}, {0, 5, 9},
	{2, 6, 8}
};
static const int offset[] = {0, 2, 7, 8, 13};	/* four heads */
static const int32_t target[ROWS][4] = {
	{0, 4, 0, 1}, {1, -1, 0, 0}, {1, 0, -1, 4}, {-1, -1, -1, -1}, {0, 2, 0, 3},
	{1, 3, 0, 2}, {0, 1, 0, 1}
};

static GsMatrix
new_matrix(int rows, int cols)
{
	return gs_matrix(gs_vector_create((size_t) rows * cols + 1), rows, cols);
}

/* sum(c * y); y becomes c */
static double
project(GsMatrix y)
{
	double		sum = 0;

	for (int i = 0; i < y.rows; i++)
		for (int j = 0; j < y.cols; j++)
		{
			sum += c[i * y.cols + j] * gs_row(y, i)[j];
			gs_row(y, i)[j] = c[i * y.cols + j];
		}
	return sum;
}

static double
dense(const Case *test, const gs_real *params, GsMatrix x, gs_real *grad,
	  GsMatrix dx)
{
	/* a block of a wider matrix, so that leading dimensions count */
	GsMatrix	wide = new_matrix(ROWS, test->out + 3);
	GsMatrix	y = gs_matrix_columns(wide, 2, test->out);
	GsMatrix	slope = new_matrix(ROWS, test->out);
	double		loss;

	gs_dense_forward(&test->dense, params, x, y, slope);
	loss = project(y);
	if (grad != NULL)
		gs_dense_backward(&test->dense, params, grad, x, slope, y, dx);
	free(wide.data);
	free(slope.data);
	return loss;
}

/* y = x W + b on top of the first columns of x */
static double
dense_add(const Case *test, const gs_real *params, GsMatrix x, gs_real *grad,
		  GsMatrix dx)
{
	GsMatrix	y = new_matrix(ROWS, test->out);
	double		loss;

	gs_dense_forward_add(&test->dense, params, x,
						 gs_matrix_columns(x, 0, test->out), y);
	loss = project(y);
	if (grad != NULL)
	{
		gs_add(gs_matrix_columns(dx, 0, test->out), y);
		gs_dense_backward_add(&test->dense, params, grad, x, GS_NO_MATRIX, y,
							  dx);
	}
	free(y.data);
	return loss;
}

static double
activation(const Case *test, const gs_real *params, GsMatrix x, gs_real *grad,
		   GsMatrix dx)
{
	GsMatrix	slope = new_matrix(ROWS, test->in);
	GsMatrix	y = new_matrix(ROWS, test->in);
	double		loss;

	gs_activate(test->activation, NULL, x, y, slope);
	loss = project(y);
	if (grad != NULL)
	{
		gs_multiply(y, slope);
		gs_add(dx, y);
	}
	free(y.data);
	free(slope.data);
	return loss;
}

static double
norm(const Case *test, const gs_real *params, GsMatrix x, gs_real *grad,
	 GsMatrix dx)
{
	GsMatrix	stats = new_matrix(ROWS, 2);
	GsMatrix	y = new_matrix(ROWS, test->in);
	double		loss;

	gs_norm_forward(&test->norm, params, x, y, stats);
	loss = project(y);
	if (grad != NULL)
		gs_norm_backward_add(&test->norm, params, grad, x, stats, y, dx);
	free(y.data);
	free(stats.data);
	return loss;
}

static double
residual(const Case *test, const gs_real *params, GsMatrix x, gs_real *grad,
		 GsMatrix dx)
{
	GsArena		arena = {NULL, 0, 0};
	GsResidualState state = gs_residual_layout(&test->block[0], &arena, ROWS);
	GsMatrix	y = new_matrix(ROWS, test->in);
	double		loss;

	arena.size = arena.used;
	arena.used = 0;
	arena.base = (char *) gs_vector_create(arena.size / sizeof(gs_real) + 1);
	state = gs_residual_layout(&test->block[0], &arena, ROWS);
	gs_residual_forward(&test->block[0], params, x, &state, y);
	loss = project(y);
	if (grad != NULL)
	{
		gs_residual_backward(&test->block[0], params, grad, x, &state, y);
		gs_add(dx, y);
	}
	free(arena.base);
	free(y.data);
	return loss;
}

static double
embedding(const Case *test, const gs_real *params, GsMatrix x, gs_real *grad,
		  GsMatrix dx)
{
	GsMatrix	y = new_matrix(ROWS, test->out);
	double		loss;

	gs_embedding_forward_add(&test->embedding, params, token[0], 3, y);
	loss = project(y);
	if (grad != NULL)
		gs_embedding_backward(&test->embedding, grad, token[0], 3, y);
	free(y.data);
	return loss;
}

static double
dropout(const Case *test, const gs_real *params, GsMatrix x, gs_real *grad,
		GsMatrix dx)
{
	GsDraw		draw = {3, 4, 5, 6};
	GsMatrix	y = new_matrix(ROWS, test->in);
	double		loss;

	gs_add(y, x);
	gs_dropout(draw, test->rate, y);
	loss = project(y);
	if (grad != NULL)
	{
		gs_dropout(draw, test->rate, y);
		gs_add(dx, y);
	}
	free(y.data);
	return loss;
}

static GsMatrix
weights(const Case *test, int cols)
{
	GsMatrix	weight = new_matrix(ROWS, cols);

	for (int i = 0; i < ROWS * cols; i++)
		weight.data[i] = i % 5 * 0.5;
	if (test->weighted)
		return weight;
	free(weight.data);
	return GS_NO_MATRIX;
}

static double
softmax(const Case *test, const gs_real *params, GsMatrix x, gs_real *grad,
		GsMatrix dx)
{
	GsMatrix	y = new_matrix(ROWS, test->in);
	GsMatrix	weight = weights(test, 4);
	double		loss;

	gs_add(y, x);
	loss = gs_softmax_loss(4, offset, y, target[0], weight);
	if (grad != NULL)
		gs_add(dx, y);
	free(y.data);
	free(weight.data);
	return loss;
}

/* x holds means, log deviations and values */
static double
gaussian(const Case *test, const gs_real *params, GsMatrix x, gs_real *grad,
		 GsMatrix dx)
{
	int			n = test->in / 3;
	GsMatrix	y = new_matrix(ROWS, test->in);
	GsMatrix	weight = weights(test, n);
	double		loss;

	gs_add(y, x);
	loss = gs_gaussian_loss(gs_matrix_columns(y, 0, n),
							gs_matrix_columns(y, n, n), -0.5, 0.5,
							gs_matrix_columns(x, 2 * n, n), weight);
	if (grad != NULL)
	{
		gs_add(dx, y);
		/* by the values it is minus that by the means: nobody asks for it */
		for (int i = 0; i < ROWS; i++)
			for (int j = 0; j < n; j++)
				gs_row(dx, i)[2 * n + j] = -gs_row(y, i)[j];
	}
	free(y.data);
	free(weight.data);
	return loss;
}

/* x holds predictions and values */
static double
square(const Case *test, const gs_real *params, GsMatrix x, gs_real *grad,
	   GsMatrix dx)
{
	int			n = test->in / 2;
	GsMatrix	y = new_matrix(ROWS, test->in);
	GsMatrix	weight = weights(test, n);
	double		loss;

	gs_add(y, x);
	loss = gs_square_loss(gs_matrix_columns(y, 0, n),
						  gs_matrix_columns(x, n, n), weight);
	if (grad != NULL)
		for (int i = 0; i < ROWS; i++)
			for (int j = 0; j < n; j++)
			{
				gs_row(dx, i)[j] = gs_row(y, i)[j];
				gs_row(dx, i)[n + j] = -gs_row(y, i)[j];
			}
	free(y.data);
	free(weight.data);
	return loss;
}

/* embeddings and a dense layer, two blocks, an activation, heads */
static double
net(const Case *test, const gs_real *params, GsMatrix x, gs_real *grad,
	GsMatrix dx)
{
	GsArena		arena = {(char *) gs_vector_create(1 << 17), 0, 1 << 20};
	int			width = test->dense.out;
	GsResidualState state[2];
	GsMatrix	h[3];
	GsMatrix	active = gs_arena_matrix(&arena, ROWS, width);
	GsMatrix	slope = gs_arena_matrix(&arena, ROWS, width);
	GsMatrix	logits = gs_arena_matrix(&arena, ROWS, test->out);
	double		loss;

	for (int b = 0; b < 3; b++)
		h[b] = gs_arena_matrix(&arena, ROWS, width);
	for (int b = 0; b < 2; b++)
		state[b] = gs_residual_layout(&test->block[b], &arena, ROWS);
	gs_dense_forward(&test->dense, params, x, h[0], GS_NO_MATRIX);
	gs_embedding_forward_add(&test->embedding, params, token[0], 3, h[0]);
	for (int b = 0; b < 2; b++)
		gs_residual_forward(&test->block[b], params, h[b], &state[b],
							h[b + 1]);
	gs_activate(GS_SILU, NULL, h[2], active, slope);
	/* the output layer's weights are the second block's outer ones */
	gs_dense_forward(&test->block[1].outer, params, active, logits,
					 GS_NO_MATRIX);
	loss = gs_softmax_loss(4, offset, logits, target[0], GS_NO_MATRIX);
	if (grad != NULL)
	{
		for (int i = 0; i < ROWS; i++)
			for (int j = offset[4]; j < logits.cols; j++)
				gs_row(logits, i)[j] = 0;
		gs_dense_backward(&test->block[1].outer, params, grad, active,
						  GS_NO_MATRIX, logits, active);
		gs_multiply(active, slope);
		for (int b = 1; b >= 0; b--)
			gs_residual_backward(&test->block[b], params, grad, h[b],
								 &state[b], active);
		gs_embedding_backward(&test->embedding, grad, token[0], 3, active);
		gs_dense_backward(&test->dense, params, grad, x, GS_NO_MATRIX, active,
						  dx);
	}
	free(arena.base);
	return loss;
}

/* the largest difference from central differences over all elements of at[] */
static double
worst_error(const Case *test, const GsParams *params, GsMatrix x, gs_real *at,
			size_t n, const gs_real *gradient)
{
	double		worst = 0;

	for (size_t i = 0; i < n; i++)
	{
		gs_real		saved = at[i];
		double		above;
		double		below;
		double		error;

		at[i] = saved + STEP;
		above = test->function(test, params->value, x, NULL, GS_NO_MATRIX);
		at[i] = saved - STEP;
		below = test->function(test, params->value, x, NULL, GS_NO_MATRIX);
		at[i] = saved;
		error = fabs((above - below) / (2 * STEP) - gradient[i]);
		worst = isnan(error) ? INFINITY : fmax(worst, error);
	}
	return worst;
}

static void
check(const char *name, Case *test, GsParams *params)
{
	GsMatrix	x = new_matrix(ROWS, test->in);
	GsMatrix	dx = new_matrix(ROWS, test->in);
	gs_real    *grad;
	double		length = 0;
	char		title[100];

	/* a net without parameters still has a vector */
	if (params->nviews == 0)
		gs_params_add(params, "none", 1, 1, GS_INIT_ZERO);
	CHECK(gs_params_create(params, 5), "parameters");
	gs_draw_normal((GsDraw) {1, 2, 0, 0}, x);
	/* gains, biases and zeros, too, are to be anything */
	for (size_t i = 0; i < params->size; i++)
		params->value[i] += 0.1 * sin(i);
	grad = gs_vector_create(params->size);
	test->function(test, params->value, x, grad, dx);
	for (size_t i = 0; i < params->size; i++)
		length += grad[i] * grad[i];
	for (int i = 0; i < ROWS * test->in; i++)
		length += dx.data[i] * dx.data[i];
	snprintf(title, sizeof(title), "%s: there is a gradient", name);
	CHECK(length > 1e-3, title);
	snprintf(title, sizeof(title), "%s: by parameters", name);
	CHECK_NEAR(worst_error(test, params, x, params->value, params->size,
						   grad), 0, 1e-7, title);
	snprintf(title, sizeof(title), "%s: by the input", name);
	CHECK_NEAR(worst_error(test, params, x, x.data, ROWS * test->in,
						   dx.data), 0, 1e-7, title);
	free(grad);
	free(x.data);
	free(dx.data);
	gs_params_free(params);
}

static const char *const activation_name[] = {
	"linear", "ReLU", "leaky ReLU", "SiLU", "GELU"
};

static void
check_activations(void)
{
	for (GsActivation a = GS_LINEAR; a <= GS_GELU; a++)
	{
		Case		test = {.function = dense,.in = 5,.out = 19};
		Case		alone = {.function = activation,.in = 35,.activation = a};
		GsParams	params = {0};
		char		name[40];

		gs_dense_add(&params, "d", test.in, test.out, a, &test.dense);
		snprintf(name, sizeof(name), "dense, %s", activation_name[a]);
		check(name, &test, &params);
		check(activation_name[a], &alone, &params);
	}
}

static void
check_layers(void)
{
	Case		sum = {.function = dense_add,.in = 6,.out = 4};
	Case		normal = {.function = norm,.in = 21};
	Case		block = {.function = residual,.in = 18};
	Case		embed = {.function = embedding,.in = 1,.out = 20};
	Case		drop = {.function = dropout,.in = 9,.rate = 0.3};
	GsParams	params = {0};

	gs_dense_add(&params, "d", 6, 4, GS_LINEAR, &sum.dense);
	check("dense on top", &sum, &params);
	gs_norm_add(&params, "n", 21, &normal.norm);
	check("layer norm", &normal, &params);
	gs_residual_add(&params, "r", 18, 23, GS_SILU, &block.block[0]);
	check("residual block", &block, &params);
	gs_embedding_add(&params, "e", 10, 20, &embed.embedding);
	check("embedding", &embed, &params);
	check("dropout", &drop, &params);
}

static void
check_losses(void)
{
	for (int weighted = 0; weighted < 2; weighted++)
	{
		Case		heads = {
			.function = softmax,.in = 13,.weighted = weighted
		};
		Case		nll = {.function = gaussian,.in = 12,.weighted = weighted};
		Case		mse = {.function = square,.in = 12,.weighted = weighted};
		GsParams	params = {0};

		check(weighted ? "softmax, weighted" : "softmax", &heads, &params);
		check(weighted ? "Gaussian, weighted" : "Gaussian", &nll, &params);
		check(weighted ? "square, weighted" : "square", &mse, &params);
	}
}

static void
check_net(void)
{
	Case		test = {.function = net,.in = 4,.out = 16};
	GsParams	params = {0};

	gs_dense_add(&params, "in", 4, 16, GS_LINEAR, &test.dense);
	gs_embedding_add(&params, "e", 10, 16, &test.embedding);
	gs_residual_add(&params, "a", 16, 24, GS_SILU, &test.block[0]);
	gs_residual_add(&params, "b", 16, 16, GS_GELU, &test.block[1]);
	check("a net", &test, &params);
}

int
main(void)
{
	gs_blas_init();
	gs_draw_normal((GsDraw) {7, 8, 9, 0}, gs_matrix(c, 1, MAX_LEVELS));
	check_activations();
	check_layers();
	check_losses();
	check_net();
	return test_done();
}
