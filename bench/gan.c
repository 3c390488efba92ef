/*
 * gan.c
 *	  Training throughput of the adversarial network on rows of random tokens.
 *
 *	gan latent width state vector pack batch steps threads tokens ...
 *
 * latent, width and state are the generator's, width the critic's, too;
 * tokens: of each place.  Prints seconds per step, and CPU seconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../src/numeric/blas.h"
#include "../src/numeric/philox.h"
#include "../src/nets/gan_net.h"

#define MAX_POSITIONS	256

typedef struct Run
{
	GsNetShape	shape;
	GsGanNet	net;
	GsDense		head[MAX_POSITIONS];
	GsDense		fed[MAX_POSITIONS];
	int			offset[MAX_POSITIONS + 1];
	int			null[MAX_POSITIONS];
	GsParams	generator;
	GsParams	critic;
	int32_t    *real;			/* [batch][positions] */
	int32_t    *condition;		/* [batch] */
	int32_t    *made;			/* [batch][positions] */
} Run;

static GsGanRows
rows_of(const Run *run, const GsShard *shard)
{
	size_t		at = (size_t) shard->first * run->shape.npositions;

	return (GsGanRows) {
		.real = run->real + at,.condition = run->condition + shard->first,
		.made = run->made + at
	};
}

static double
generator_loss(const void *model, GsShard *shard)
{
	const Run  *run = model;
	GsGanRows	rows = rows_of(run, shard);

	return gs_gan_generator_loss(&run->net, run->critic.value, &rows, shard);
}

static double
critic_loss(const void *model, GsShard *shard)
{
	const Run  *run = model;
	GsGanRows	rows = rows_of(run, shard);

	return gs_gan_critic_loss(&run->net, &rows, shard);
}

static double
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

/*
 * Both networks, and a batch.
 */
static void
make_run(Run *run, char **argv, int npositions)
{
	int			batch = atoi(argv[6]);
	GsRandom	random;

	for (int p = 0; p < npositions; p++)
	{
		run->offset[p + 1] = run->offset[p] + atoi(argv[9 + p]);
		run->null[p] = -1;
	}
	run->shape = (GsNetShape) {.npositions = npositions,
	.offset = run->offset,.null = run->null};
	run->net = (GsGanNet) {
		.decoder = {.shape = &run->shape,.latent = atoi(argv[1]),
			.width = atoi(argv[2]),.state = atoi(argv[3]),
			.activation = GS_LEAKY_RELU,.conditioned = true,
			.head = run->head},
		.temperature = 0.5,.anchor = 1,.penalty = 10,
		.vector = atoi(argv[4]),.pack = atoi(argv[5]),.width = atoi(argv[2]),
		.fed = run->fed
	};
	gs_gan_net_init(&run->net, &run->generator, &run->critic);
	run->real = malloc(sizeof(int32_t) * batch * npositions);
	run->made = malloc(sizeof(int32_t) * batch * npositions);
	run->condition = malloc(sizeof(int32_t) * batch);
	gs_random_start(&random, 1, 0, 0);
	for (int i = 0; i < batch; i++)
	{
		int			p = i % npositions;

		for (int q = 0; q < npositions; q++)
			run->real[i * npositions + q] = (int32_t)
				gs_random_below(&random, run->offset[q + 1] - run->offset[q]);
		run->condition[i] = i % 2 ? -1 :
			run->offset[p] + run->real[i * npositions + p];
	}
}

int
main(int argc, char **argv)
{
	static Run	run;
	GsTrainer	generator;
	GsTrainer	critic;
	GsTrainerSetup setup = {.adam = {0.5, 0.9, 1e-8, 0, 5, 0.999},
	.model = &run};
	GsStep		step;
	double		begun = 0;
	double		busy = 0;
	int			steps = argc > 9 ? atoi(argv[7]) : 0;

	if (argc < 10 || argc - 9 > MAX_POSITIONS)
		return fprintf(stderr, "see the head of gan.c\n"), 2;
	gs_blas_init();
	make_run(&run, argv, argc - 9);
	setup.pool = gs_pool_start(atoi(argv[8]));
	setup.batch = atoi(argv[6]);
	setup.workspace = gs_gan_workspace(&run.net, (setup.batch + 1) / 2);
	if (!gs_params_create(&run.generator, 1) ||
		!gs_params_create(&run.critic, 2))
		return fprintf(stderr, "out of memory\n"), 1;
	setup.params = &run.generator;
	setup.loss = generator_loss;
	setup.shards = 4;			/* as in src/model/gan_fit.c */
	if (!gs_trainer_create(&setup, &generator))
		return fprintf(stderr, "out of memory\n"), 1;
	setup.params = &run.critic;
	setup.loss = critic_loss;
	setup.shards = 2;
	setup.adam.average = 0;
	if (!gs_trainer_create(&setup, &critic))
		return fprintf(stderr, "out of memory\n"), 1;
	for (int i = -10; i < steps; i++)
	{
		if (i == 0)
		{
			begun = now(CLOCK_MONOTONIC);
			busy = now(CLOCK_PROCESS_CPUTIME_ID);
		}
		if (gs_trainer_step(&generator, setup.batch, 1e-4, &step) !=
			GS_STEP_DONE ||
			gs_trainer_step(&critic, setup.batch, 1e-4, &step) !=
			GS_STEP_DONE)
			return fprintf(stderr, "the loss is not finite\n"), 1;
	}
	printf("%.5f %.5f\n", (now(CLOCK_MONOTONIC) - begun) / steps,
		   (now(CLOCK_PROCESS_CPUTIME_ID) - busy) / steps);
	return 0;
}
