/*
 * test_nn.c
 *	  Parameters, arenas, the exponential, random matrices, extreme values.
 *	  Gradients: test_gradient_double.c.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/nn/nn.h"
#include "../../src/numeric/blas.h"
#include "../../src/numeric/clones.h"
#include "test.h"

#define N	200000

static void
test_params(void)
{
	GsParams	params = {0};
	GsParams	again = {0};
	GsParams	other = {0};
	GsParams   *all[] = {&params, &again, &other};
	double		sum = 0;
	double		square = 0;
	int			gaps = 0;

	for (int p = 0; p < 3; p++)
	{
		CHECK(gs_params_add(all[p], "he", 50, 401, GS_INIT_HE) == 0 &&
			  gs_params_add(all[p], "one", 1, 5, GS_INIT_ONE) == 20064 &&
			  gs_params_add(all[p], "zero", 1, 17, GS_INIT_ZERO) == 20080,
			  "views begin at multiples of 16");
		CHECK(all[p]->size == 20112 && gs_params_create(all[p], 3 + p / 2),
			  "parameters");
	}
	CHECK(strcmp(params.view[1].name, "one") == 0 &&
		  params.view[1].offset == 20064 && params.view[1].cols == 5,
		  "views have names");
	for (int i = 0; i < 50 * 401; i++)
	{
		sum += params.value[i];
		square += params.value[i] * params.value[i];
	}
	CHECK_NEAR(sum / 20050, 0, 0.005, "He: mean");
	CHECK_NEAR(square / 20050, 2.0 / 50, 0.002, "He: variance");
	for (size_t i = 20050; i < params.size; i++)
		gaps += params.value[i] != (i >= 20064 && i < 20069);
	CHECK(gaps == 0, "ones, zeros and gaps");
	CHECK(memcmp(params.value, again.value, 20050 * sizeof(gs_real)) == 0,
		  "a function of the seed");
	CHECK(params.value[7] != other.value[7], "and of nothing less");
	for (int p = 0; p < 3; p++)
		gs_params_free(all[p]);
	CHECK(!gs_params_create(&params, 1), "no views");
	gs_params_add(&params, "w", 3, 0, GS_INIT_ONE);
	gs_params_add(&params, "w", 3, 1, GS_INIT_ONE);
	CHECK(!gs_params_create(&params, 1), "an empty view");
	gs_params_free(&params);
	for (int i = 0; i < 4; i++)
		gs_params_add(&params, "w", 2147483647, 2147483647, GS_INIT_ONE);
	CHECK(!gs_params_create(&params, 1), "views too large");
	gs_params_free(&params);
}

static void
test_arena(void)
{
	GsArena		count = {NULL, 0, 0};
	GsArena		arena = {(char *) gs_vector_create(100), 0, 400};

	CHECK(gs_arena_take(&count, 3, 7) == NULL && count.used == 64 &&
		  gs_arena_matrix(&count, 10, 3).data == NULL && count.used == 192,
		  "an arena without memory counts");
	CHECK(gs_arena_take(&arena, 3, 7) == arena.base &&
		  (char *) gs_arena_matrix(&arena, 10, 3).data == arena.base + 64,
		  "one with memory hands it out");
	gs_arena_take(&count, SIZE_MAX / 2, 3);
	CHECK(count.used > SIZE_MAX - 1000, "sizes don't wrap around");
	gs_arena_take(&count, SIZE_MAX, 1);
	CHECK(count.used == SIZE_MAX, "nor do their sums");
	free(arena.base);
}

static void
test_exp(void)
{
	static gs_real x[N];
	static gs_real y[N];
	gs_real		odd[6] = {-1000, -INFINITY, 1000, INFINITY, NAN, 0};
	double		worst = 0;

	for (int i = 0; i < N; i++)
		x[i] = (gs_real) (-87 + 175.0 * i / (N - 1));
	gs_exp(N, x, y);
	for (int i = 0; i < N; i++)
		worst = fmax(worst, fabs(y[i] / exp((double) x[i]) - 1));
	CHECK_NEAR(worst, 0, 2 * 0x1p-24, "exp is good to the last place");
	gs_exp(6, odd, odd);
	CHECK(odd[0] >= 0 && odd[0] < 2e-38 && odd[1] == odd[0], "exp(-1000)");
	CHECK(odd[2] > 1e38 && odd[3] == odd[2], "exp(1000)");
	CHECK(isnan(odd[4]) && odd[5] == 1, "exp(NaN), exp(0)");
}

/* the rows of two calls are those of one, wherever it is cut */
static void
test_draws(void)
{
	void		(*draw[2]) (GsDraw, GsMatrix) = {
		gs_draw_normal, gs_draw_uniform
	};
	static gs_real all[300 * 70];
	static gs_real part[300 * 70];
	const int	cols[] = {1, 2, 3, 4, 5, 64, 70};

	for (int kind = 0; kind < 2; kind++)
		for (int c = 0; c < 7; c++)
		{
			GsMatrix	whole = gs_matrix(all, 300, cols[c]);
			GsMatrix	rest = gs_matrix(part, 300, cols[c]);

			draw[kind] ((GsDraw) {1, 2, 3, 0}, whole);
			draw[kind] ((GsDraw) {1, 2, 3, 0}, gs_matrix_rows(rest, 0, 113));
			draw[kind] ((GsDraw) {1, 2, 3, 113},
						gs_matrix_rows(rest, 113, 187));
			CHECK(memcmp(all, part, 300 * cols[c] * sizeof(gs_real)) == 0,
				  "random rows don't depend on shards");
		}
	for (int kind = 0; kind < 2; kind++)
	{
		double		sum = 0;
		double		square = 0;
		double		next = 0;
		int			n = 300 * 70;
		int			outside = 0;

		draw[kind] ((GsDraw) {9, 8, 7, 6}, gs_matrix(all, 300, 70));
		for (int i = 0; i < n; i++)
		{
			double		x = kind == 0 ? all[i] : (all[i] - 0.5) * sqrt(12);

			sum += x;
			square += x * x;
			next += i > 0 ? x * (kind == 0 ? all[i - 1] :
								 (all[i - 1] - 0.5) * sqrt(12)) : 0;
			outside += kind == 1 && !(all[i] > 0 && all[i] < 1);
		}
		CHECK_NEAR(sum / n, 0, 4 / sqrt(n), "mean");
		CHECK_NEAR(square / n, 1, 6 / sqrt(n), "variance");
		CHECK_NEAR(next / n, 0, 4 / sqrt(n), "neighbours");
		CHECK(outside == 0, "within (0, 1)");
	}
	memcpy(part, all, sizeof(all));
	gs_draw_uniform((GsDraw) {9, 9, 7, 6}, gs_matrix(part, 300, 70));
	CHECK(part[1] != all[1], "another step, other numbers");
	gs_draw_uniform((GsDraw) {9, 8, 6, 6}, gs_matrix(part, 300, 70));
	CHECK(part[1] != all[1], "another stream, other numbers");
}

static void
test_gumbel(void)
{
	static gs_real u[300 * 70];
	static gs_real x[300 * 70];
	GsDraw		draw = {1, 2, 3, 0};
	double		worst = 0;

	gs_draw_uniform(draw, gs_matrix(u, 300, 70));
	gs_draw_gumbel(draw, gs_matrix(x, 300, 70));
	for (int i = 0; i < 300 * 70; i++)
		worst = fmax(worst, fabs(x[i] + log(-log(u[i]))));
	CHECK_NEAR(worst, 0, 4e-6, "Gumbel's numbers are those of uniform ones");
}

static void
test_leaky(void)
{
	gs_real		x[] = {-2, -0.5f, 0, 3};
	gs_real		dy[] = {10, 20, 30, 40};
	gs_real		y[4];
	gs_real		slope[4];
	gs_real		one[] = {1, 1, 1, 1};
	gs_real		two[] = {1, 1, 1, 1};

	gs_activate(GS_LEAKY_RELU, NULL, gs_matrix(x, 2, 2), gs_matrix(y, 2, 2),
				gs_matrix(slope, 2, 2));
	gs_multiply_add(gs_matrix(one, 2, 2), gs_matrix(dy, 2, 2),
					gs_matrix(slope, 2, 2));
	gs_leaky_backward_add(gs_matrix(y, 2, 2), gs_matrix(dy, 2, 2),
						  gs_matrix(two, 2, 2));
	CHECK(memcmp(one, two, sizeof(one)) == 0 && fabs(one[0] - 3) < 1e-6 &&
		  one[3] == 41,
		  "the slope of leaky ReLU, kept or told from what came out");
}

static void
test_dropout(void)
{
	static gs_real x[300 * 70];
	int			zeros = 0;
	int			wrong = 0;

	for (int i = 0; i < 300 * 70; i++)
		x[i] = 3;
	gs_dropout((GsDraw) {1, 2, 3, 0}, 0, gs_matrix(x, 300, 70));
	gs_dropout((GsDraw) {1, 2, 3, 0}, 0.25, gs_matrix(x, 300, 70));
	for (int i = 0; i < 300 * 70; i++)
	{
		zeros += x[i] == 0;
		wrong += x[i] != 0 && fabs(x[i] - 4) > 1e-5;
	}
	CHECK_NEAR(zeros / 21000.0, 0.25, 0.012, "dropout drops its share");
	CHECK(wrong == 0, "and makes up for it");
}

/*
 * Draws by the largest of noisy logits have the shares of their softmax.
 */
static void
test_gumbel_max(void)
{
	enum
	{
		rows = 20000, cols = 39
	};
	gs_real    *z = malloc(sizeof(gs_real) * rows * cols);
	gs_real    *noise = malloc(sizeof(gs_real) * rows * cols);
	int32_t    *token = malloc(sizeof(int32_t) * rows);
	gs_real		few[3][5] = {{1, 3, 2, 3, 0}, {NAN, NAN, NAN, NAN, NAN},
	{-1, -2, -3, -4, 0}};
	gs_real		zeros[15] = {0};
	double		sum = 0;
	double		worst = 0;
	int			count[cols] = {0};

	for (int i = 0; i < rows * cols; i++)
		z[i] = (gs_real) ((i % cols) * 0.1);
	for (int j = 0; j < cols; j++)
		sum += exp(j * 0.1);
	gs_draw_gumbel((GsDraw) {5, 0, 0, 0}, gs_matrix(noise, rows, cols));
	gs_gumbel_max(gs_matrix(z, rows, cols), gs_matrix(noise, rows, cols), 2,
				  token);
	CHECK_NEAR(z[7], (gs_real) 2 * ((gs_real) 0.7 + noise[7]), 1e-5,
			   "logits are sharpened");
	for (int i = 0; i < rows; i++)
		count[token[i]]++;
	for (int j = 0; j < cols; j++)
	{
		double		share = exp(j * 0.1) / sum;
		double		error = sqrt(share / rows);

		worst = fmax(worst, fabs(count[j] / (double) rows - share) / error);
	}
	CHECK(worst < 4, "draws have the softmax's shares");
	gs_gumbel_max(gs_matrix(few[0], 3, 5), gs_matrix(zeros, 3, 5), 1, token);
	CHECK(token[0] == 1, "the first of equal ones");
	CHECK(token[1] == 0, "NaNs make no token that isn't there");
	CHECK(token[2] == 4, "the last one");
	free(z);
	free(noise);
	free(token);
}

/*
 * Of a head that is wider than a vector, against plain loops.
 */
static void
test_softmax_backward(void)
{
	enum
	{
		rows = 3, cols = 71
	};
	gs_real		share[rows * cols];
	gs_real		dy[rows * cols];
	gs_real		dz[rows * cols];
	double		square = 0;
	double		worst = 0;

	gs_draw_uniform((GsDraw) {6, 0, 0, 0}, gs_matrix(share, rows, cols));
	gs_draw_normal((GsDraw) {6, 0, 1, 0}, gs_matrix(dy, rows, cols));
	memcpy(dz, share, sizeof(dz));
	gs_softmax_backward(gs_matrix(dz, rows, cols), gs_matrix(dy, rows, cols),
						3);
	for (int i = 0; i < rows * cols; i += cols)
	{
		double		mean = 0;

		for (int j = i; j < i + cols; j++)
			mean += (double) share[j] * dy[j];
		for (int j = i; j < i + cols; j++)
			worst = fmax(worst, fabs(dz[j] - 3 * share[j] * (dy[j] - mean)));
	}
	CHECK_NEAR(worst, 0, 2e-4, "gradients by logits");
	for (int i = 0; i < rows * cols; i++)
		square += (double) dy[i] * dy[i];
	CHECK_NEAR(gs_square_sum(rows * cols, dy) / square, 1, 1e-6,
			   "sums of squares");
	CHECK(gs_square_sum(0, dy) == 0, "of nothing");
}

/*
 * Heads of all widths, with and without masks: the same bits.
 */
static void
test_softmax_widths(void)
{
	enum
	{
		rows = 7, heads = 50
	};
	int			offset[heads + 1] = {3};
	gs_real    *made[4][2];
	gs_real    *dy;
	int32_t		target[rows * heads];
	int32_t		token[2][heads][rows];
	double		loss[2];
	int			columns;
	int			different = 0;
	size_t		bytes;

	for (int h = 0; h < heads; h++)
		offset[h + 1] = offset[h] + 1 + h;
	columns = offset[heads] + 2;
	bytes = sizeof(gs_real) * rows * (size_t) columns;
	dy = malloc(bytes);
	gs_draw_normal((GsDraw) {7, 0, 1, 0}, gs_matrix(dy, rows, columns));
	for (int i = 0; i < rows * heads; i++)
		target[i] = i % 5 == 0 ? -1 : i % heads * (i % 3) / 2;
	for (int wide = 0; wide < 2; wide++)
	{
		gs_max_lanes = wide ? 16 : 4;
		for (int i = 0; i < 4; i++)
		{
			made[i][wide] = malloc(bytes);
			gs_draw_normal((GsDraw) {7, i, 0, 0},
						   gs_matrix(made[i][wide], rows, columns));
		}
		loss[wide] = gs_softmax_loss(heads, offset,
									 gs_matrix(made[0][wide], rows, columns),
									 target, GS_NO_MATRIX);
		gs_softmax(heads, offset, gs_matrix(made[1][wide], rows, columns));
		for (int h = 0; h < heads; h++)
		{
			GsMatrix	by = gs_matrix_columns(
				gs_matrix(dy, rows, columns), offset[h], 1 + h);

			gs_softmax_backward(
				gs_matrix_columns(gs_matrix(made[2][wide], rows, columns),
								  offset[h], 1 + h), by, 2);
			gs_gumbel_max(
				gs_matrix_columns(gs_matrix(made[3][wide], rows, columns),
								  offset[h], 1 + h), by, 3, token[wide][h]);
		}
	}
	for (int i = 0; i < 4; i++)
	{
		different += memcmp(made[i][0], made[i][1], bytes) != 0;
		free(made[i][0]);
		free(made[i][1]);
	}
	free(dy);
	different += memcmp(token[0], token[1], sizeof(token[0])) != 0;
	CHECK(different == 0, "heads of all widths have the same bits");
	CHECK(memcmp(&loss[0], &loss[1], sizeof(double)) == 0, "and the same loss");
}

static void
test_extremes(void)
{
	const int	offset[] = {0, 3, 4, 6};
	gs_real		z[6] = {1e30f, -1e30f, 0, 5, 100, 99};
	gs_real		p[6] = {1e30f, -1e30f, 0, 5, 100, 99};
	const int32_t target[3] = {2, 0, 1};
	gs_real		mean[2] = {0, 0};
	gs_real		log_sd[2] = {1e30f, -1e30f};
	gs_real		x[2] = {1, 1};
	double		loss = gs_softmax_loss(3, offset, gs_matrix(z, 1, 6), target,
									   GS_NO_MATRIX);

	CHECK_NEAR(loss / 1e30, 1, 1e-6, "a loss as large as the logits");
	CHECK(z[0] == 1 && z[1] >= 0 && z[1] < 1e-30 && z[2] == -1 && z[3] == 0,
		  "gradients of extreme logits");
	CHECK_NEAR(z[5], -1 / (1 + exp(-1)), 1e-6, "of usual ones");
	gs_softmax(3, offset, gs_matrix(p, 1, 6));
	CHECK(p[0] == 1 && p[3] == 1, "certain probabilities");
	CHECK_NEAR(p[5], 1 / (1 + exp(1)), 1e-6, "others");
	p[1] = NAN;
	CHECK(isnan(gs_softmax_loss(3, offset, gs_matrix(p, 1, 6), target,
								GS_NO_MATRIX)), "a NaN is not lost");
	loss = gs_gaussian_loss(gs_matrix(mean, 1, 2), gs_matrix(log_sd, 1, 2),
							-4, 2, gs_matrix(x, 1, 2), GS_NO_MATRIX);
	CHECK_NEAR(loss, 0.5 * exp(-4) + 2 + 0.5 * exp(8) - 4, 1e-3,
			   "deviations are clamped");
	CHECK(log_sd[0] == 0 && log_sd[1] == 0, "without a gradient");
}

int
main(void)
{
	gs_blas_init();
	test_params();
	test_arena();
	test_exp();
	test_draws();
	test_gumbel();
	test_gumbel_max();
	test_softmax_backward();
	test_leaky();
	test_dropout();
	test_softmax_widths();
	test_extremes();
	return test_done();
}
