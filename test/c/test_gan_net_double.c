/*
 * test_gan_net_double.c
 *	  The gradients of the adversarial network against central differences, in
 *	  double precision (see script/ctest.sh): the critic's with its penalty,
 *	  and the generator's through the critic.
 *
 * The generator's is that of a function whose tokens are fixed one-hots to
 * which the softmax's difference from what it was is added.  That function is
 * written down here a second time, densely.
 */
#include <stdlib.h>
#include <string.h>

#include "../../src/nets/gan_net.h"
#include "test.h"

#define STEP	1e-6
#define ROWS	6
#define POSITIONS	3
#define TOKENS	9
#define PACK	2
#define STATE	5
#define WIDTH	6
#define LATENT	2
#define VECTOR	4

static const int32_t token[ROWS * POSITIONS] = {
	0, 3, 1, 1, -1, 0, 1, -1, 1, 0, 0, 0, 0, 4, 1, 0, 2, 0
};
/* among all tokens; -1: none */
static const int32_t condition[ROWS] = {0, 8, -1, 4, -1, 3};
static const int offset[] = {0, 2, 7, 9};
static const int null[] = {-1, 0, -1};	/* token 1 of place 0: place 1 missing */
static const int null_token[] = {0, 1, 0};

static const GsNetShape shape = {.npositions = POSITIONS,.offset = offset,
.null = null,.null_token = null_token};

typedef struct Case
{
	GsGanNet	net;
	GsDense		head[POSITIONS];
	GsDense		fed[POSITIONS];
	GsParams	generator;
	GsParams	critic;
} Case;

static void
open_case(Case *c, double anchor, double penalty)
{
	*c = (Case) {
		.net = {
			.decoder =
				{.shape = &shape,.latent = LATENT,.width = WIDTH,
				.state = STATE,.activation = GS_LEAKY_RELU,
				.conditioned = true},
			.temperature = 0.7,
			.anchor = anchor,.penalty = penalty,.pack = PACK,.vector = VECTOR,
			.width = WIDTH
		}
	};
	c->net.decoder.head = c->head;
	c->net.fed = c->fed;
	gs_gan_net_init(&c->net, &c->generator, &c->critic);
	CHECK(gs_params_create(&c->generator, 3) &&
		  gs_params_create(&c->critic, 4), "parameters");
}

static void
close_case(Case *c)
{
	gs_params_free(&c->generator);
	gs_params_free(&c->critic);
}

static double
loss_of(const Case *c, bool critic, gs_real *grad)
{
	size_t		bytes = gs_gan_workspace(&c->net, ROWS);
	GsShard		shard = {.n = ROWS,.grad = grad,.key = 7,
		.params = critic ? c->critic.value : c->generator.value,
		.arena = {.base = (char *) gs_vector_create(bytes / sizeof(gs_real) + 1),
	.size = bytes}};
	int32_t    *real = gs_arena_take(&shard.arena, ROWS * POSITIONS,
									 sizeof(int32_t));
	int32_t		made[ROWS * POSITIONS];
	GsGanRows	rows = {real, condition, made};
	double		loss;

	memcpy(real, token, sizeof(token));
	for (int i = 0; i < ROWS * POSITIONS; i++)
		made[i] = token[ROWS * POSITIONS - 1 - i] % 2;
	loss = critic ? gs_gan_critic_loss(&c->net, &rows, &shard) :
		gs_gan_generator_loss(&c->net, c->critic.value, &rows, &shard);
	if (shard.arena.used > bytes)
		CHECK(false, "the loss stays within its workspace");
	free(shard.arena.base);
	return loss;
}

/* The generator a second time. */
typedef struct Dense
{
	int			drawn[ROWS][POSITIONS];	/* tokens; -1: missing */
	double		soft[ROWS][TOKENS];
	bool		fixed;			/* tokens and base are */
	double		base[ROWS][TOKENS]; /* soft as it was */
} Dense;

static double
silu(double x)
{
	return x / (1 + exp(-x));
}

static double
leaky(double x)
{
	return x > 0 ? x : 0.2 * x;
}

/* column j of x W + b */
static double
dense_at(const GsDense *d, const gs_real *params, const double *x, int j)
{
	double		sum = params[d->bias + j];

	for (int i = 0; i < d->in; i++)
		sum += x[i] * params[d->weight + (size_t) i * d->out + j];
	return sum;
}

static void
softmax(const double *x, int n, double temperature, double *y)
{
	double		sum = 0;

	for (int t = 0; t < n; t++)
		sum += y[t] = exp(x[t] / temperature);
	for (int t = 0; t < n; t++)
		y[t] /= sum;
}

/*
 * A row: its one-hots, in y[TOKENS].
 */
static void
dense_row(const Case *c, Dense *made, int row, const gs_real *z,
		  const gs_real *u, double *y)
{
	const GsDecoderNet *d = &c->net.decoder;
	const gs_real *params = c->generator.value;
	double		noise[LATENT] = {z[0], z[1]};
	double		outer[WIDTH];
	double		state[STATE];

	for (int j = 0; j < WIDTH; j++)
		outer[j] = silu(dense_at(&d->outer, params, noise, j) +
						(condition[row] < 0 ? 0 :
						 params[d->condition.table +
								condition[row] * WIDTH + j]));
	for (int j = 0; j < STATE; j++)
		state[j] = dense_at(&d->start, params, outer, j);
	for (int p = 0; p < POSITIONS; p++)
	{
		int			from = offset[p];
		int			n = offset[p + 1] - from;
		const gs_real *table = params + d->drawn.table;
		double		active[STATE];
		double		logit[TOKENS];
		int			best = 0;

		for (int j = 0; j < STATE; j++)
			active[j] = leaky(state[j]);
		for (int t = 0; t < n; t++)
		{
			logit[t] = dense_at(&d->head[p], params, active, t) +
				u[from + t];
			best = logit[t] > logit[best] ? t : best;
		}
		softmax(logit, n, c->net.temperature, made->soft[row] + from);
		if (!made->fixed)
			made->drawn[row][p] = p == 1 && made->drawn[row][0] == 1 ? -1 :
				best;
		for (int t = 0; t < n; t++)
			y[from + t] = made->drawn[row][p] < 0 ? 0 :
				(t == made->drawn[row][p]) +
				(made->fixed ? made->soft[row][from + t] -
				 made->base[row][from + t] : 0);
		for (int j = 0; j < STATE; j++)
		{
			if (made->drawn[row][p] < 0)
				state[j] += table[(from + p + n) * STATE + j];
			for (int t = 0; t < n; t++)
				state[j] += y[from + t] * table[(from + p + t) * STATE + j];
		}
	}
}

/*
 * The critic's values of all packs, as the generator's loss counts them.
 */
static double
dense_loss(const Case *c, Dense *made)
{
	const gs_real *params = c->critic.value;
	gs_real		z[ROWS * LATENT];
	gs_real		u[ROWS * TOKENS];
	double		loss = 0;

	gs_draw_normal((GsDraw) {.key = 7}, gs_matrix(z, ROWS, LATENT));
	gs_draw_gumbel((GsDraw) {.key = 7,.stream = 1},
				   gs_matrix(u, ROWS, TOKENS));
	for (int i = 0; i < ROWS; i += PACK)
	{
		double		x[PACK * TOKENS];
		double		sums[PACK * VECTOR];
		double		first[WIDTH];
		double		inner[WIDTH];

		for (int r = 0; r < PACK; r++)
			dense_row(c, made, i + r, z + (i + r) * LATENT,
					  u + (i + r) * TOKENS, x + r * TOKENS);
		for (int j = 0; j < PACK * VECTOR; j++)
		{
			int			row = j / VECTOR;
			const gs_real *table = params + c->net.input.table + j % VECTOR;

			sums[j] = condition[i + row] < 0 ? 0 :
				table[(TOKENS + condition[i + row]) * VECTOR];
			for (int t = 0; t < TOKENS; t++)
				sums[j] += x[row * TOKENS + t] * table[t * VECTOR];
		}
		for (int j = 0; j < WIDTH; j++)
			first[j] = leaky(dense_at(&c->net.first, params, sums, j));
		for (int j = 0; j < WIDTH; j++)
			inner[j] = leaky(dense_at(&c->net.inner, params, first, j));
		loss -= PACK * dense_at(&c->net.outer, params, inner, 0);
	}
	return loss;
}

/*
 * The worst error of a gradient.  made: NULL: the loss itself is a function
 * with that gradient, and else that of dense_loss.
 */
static double
worst_error(Case *c, bool critic, Dense *made)
{
	GsParams   *params = critic ? &c->critic : &c->generator;
	gs_real    *grad = gs_vector_create(params->size);
	double		worst = 0;
	double		largest = 0;

	loss_of(c, critic, grad);
	for (size_t i = 0; i < params->size; i++)
	{
		gs_real		value = params->value[i];
		double		up;
		double		down;

		params->value[i] = value + STEP;
		up = made ? dense_loss(c, made) : loss_of(c, critic, NULL);
		params->value[i] = value - STEP;
		down = made ? dense_loss(c, made) : loss_of(c, critic, NULL);
		params->value[i] = value;
		largest = fmax(largest, fabs(grad[i]));
		worst = fmax(worst, fabs((up - down) / (2 * STEP) - grad[i]) /
					 (1 + fabs(grad[i])));
	}
	free(grad);
	printf("# worst error %g, largest gradient %g\n", worst, largest);
	return largest > 0.1 ? worst : INFINITY;
}

/*
 * Sampling: within the workspace, and what is NULL is missing.
 */
static void
check_sample(const Case *c)
{
	size_t		bytes = gs_gan_workspace(&c->net, ROWS);
	gs_real    *memory = gs_vector_create(bytes / sizeof(gs_real) + 1);
	GsArena		arena = {.base = (char *) memory,.size = bytes};
	int32_t		made[ROWS * POSITIONS];
	int			wrong = 0;

	gs_gan_sample(&c->net, c->generator.value, (GsDraw) {.key = 7}, ROWS,
				  &arena, made);
	for (int i = 0; i < ROWS * POSITIONS; i++)
		wrong += made[i] >= offset[i % POSITIONS +
								   1] - offset[i % POSITIONS] ||
			(made[i] < 0) != (i % POSITIONS == 1 && made[i - 1] == 1);
	CHECK(arena.used <= bytes && wrong == 0, "rows are made");
	free(memory);
}

int
main(void)
{
	Case		c;
	Dense		made = {0};

	open_case(&c, 0, 0);
	check_sample(&c);
	CHECK(worst_error(&c, true, NULL) < 1e-6, "the critic's gradient");
	close_case(&c);

	open_case(&c, 0, 10);
	CHECK(worst_error(&c, true, NULL) < 1e-5, "with the penalty's");
	close_case(&c);

	/* with a critic that says nothing, what is left is the cross entropy */
	open_case(&c, 0.7, 0);
	memset(c.critic.value + c.net.outer.weight, 0, sizeof(gs_real) * WIDTH);
	CHECK(worst_error(&c, false, NULL) < 1e-6, "the cross entropy's");
	close_case(&c);

	open_case(&c, 0, 0);
	CHECK_NEAR(dense_loss(&c, &made), loss_of(&c, false, NULL), 1e-9,
			   "the same loss, written down twice");
	memcpy(made.base, made.soft, sizeof(made.base));
	made.fixed = true;
	CHECK(worst_error(&c, false, &made) < 1e-6,
		  "the generator's, through the critic");
	close_case(&c);
	return test_done();
}
