/*
 * vae_fit.c
 *	  The variational autoencoder: fitting.
 *
 *	1. Features become tokens (tokens_fit.c), and the network is trained on them
 *	   (training.c).
 *	2. The latent vectors of the rows, drawn from their posteriors, get a mixture
 *	   of normal distributions fitted to them.  Rows are made from it, and not from
 *	   the N(0, I) of the training, which the posteriors of all rows together
 *	   only come near ("ex-post density estimation": Ghosh et al., "From variational
 *	   to deterministic autoencoders", ICLR 2020).
 */
#include "postgres.h"

#include <math.h>
#include <unistd.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "model/token_decoder.h"
#include "model/training.h"
#include "model/vae.h"
#include "nets/vae_net.h"
#include "numeric/permute.h"
#include "numeric/philox.h"

#define EPOCHS			400		/* at most ... */
#define STEPS			2000	/* ... and so many steps */
#define BATCH			512
#define RATE			2e-3
#define BETA			0.3		/* weight of the divergence */
#define BETA_STEPS		1000	/* until it has all of it */

#define COMPONENTS		96
#define COMPONENT_ROWS	64		/* of the source that one needs */
#define MAX_POINTS		32768	/* latent vectors for the mixture ... */
#define MIN_POINTS	8192	/* ... several of a row, if there are few rows */
#define ROUNDS			30
#define FLOOR			1e-4f	/* added to variances */

/* The loss function's view of the table. */
typedef struct Table
{
	GsVaeNet	net;
	const GsTokens *tokens;
	const GsEncoded *encoded;
	uint32	   *row;			/* of the batch at hand */
} Table;

static GsNetRows
read_rows(const Table *table, const uint32 *row, int n, GsArena *arena)
{
	GsNetRows	rows = gs_net_rows(table->net.decoder.shape, arena, n);

	gs_tokens_read(table->tokens, table->encoded, row, n, rows.token);
	gs_tokens_read_scores(table->tokens, table->encoded, row, n,
						  rows.score.data);
	return rows;
}

static double
loss(const void *model, GsShard *shard)
{
	const Table *table = model;
	GsNetRows	rows = read_rows(table, table->row + shard->first, shard->n,
								 &shard->arena);

	return gs_vae_loss(&table->net, &rows, shard, shard->grad == NULL ? BETA :
					   BETA * Min((double) (shard->step + 1) / BETA_STEPS, 1));
}

/* Latent vectors of the table. */
typedef struct Points
{
	const Table *table;
	const GsParams *params;
	int			n;
	float	   *z;				/* [n][latent] */
	uint64		seed;
} Points;

/*
 * Draws the vectors, several of a row if there are few.
 */
static void
draw_points(Points *points)
{
	const GsVaeNet *net = &points->table->net;
	int			latent = net->decoder.latent;
	int64		nrows = points->table->encoded->nrows;
	GsPermutation order;
	uint32	   *row = palloc(sizeof(uint32) * GS_BATCH);
	GsArena		arena = {0};

	arena.size = gs_vae_workspace(net, GS_BATCH);
	arena.base = palloc_extended(arena.size + 64, MCXT_ALLOC_HUGE);
	arena.base = (char *) TYPEALIGN(64, arena.base);
	gs_permute_init(&order, (uint64) nrows, points->seed);
	for (int from = 0; from < points->n; from += GS_BATCH)
	{
		int			n = Min(points->n - from, GS_BATCH);
		GsDraw		draw = {.key = points->seed,.step = (uint64) from};
		GsNetRows	rows;
		GsMatrix	posterior;
		GsMatrix	z = gs_matrix(points->z + (Size) from * latent, n,
								  latent);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
			row[i] = (uint32) gs_permute(&order, (uint64) ((from + i) % nrows));
		arena.used = 0;
		rows = read_rows(points->table, row, n, &arena);
		posterior = gs_vae_encode(net, points->params->value, &rows, &arena);
		gs_draw_normal(draw, z);
		for (int i = 0; i < n; i++)
		{
			const float *mean = gs_row(posterior, i);
			float	   *deviation = gs_row(posterior, i) + latent;

			for (int j = 0; j < latent; j++)
				deviation[j] /= 2;
			gs_exp(latent, deviation, deviation);
			for (int j = 0; j < latent; j++)
				gs_row(z, i)[j] = mean[j] + gs_row(z, i)[j] * deviation[j];
		}
	}
}

/* The mixture in its thread. */
typedef struct Mixing
{
	GsMixture	mixture;
	GsMixtureFit fit;
	const Points *points;
	bool		fine;
	atomic_bool cancel;
} Mixing;

static void
mix(void *arg)
{
	Mixing	   *mixing = arg;
	GsPool	   *pool = gs_pool_start(gs_training_threads());

	mixing->fine = pool != NULL &&
		gs_mixture_fit(&mixing->mixture, mixing->points->z,
					   mixing->points->n, pool, &mixing->fit);
	gs_pool_end(pool);
}

static void
fit_mixture(const Points *points, List **tensors)
{
	Mixing	   *mixing = palloc0(sizeof(Mixing));
	int			d = points->table->net.decoder.latent;
	int			k = (int) Max(Min(COMPONENTS,
								  points->table->encoded->nrows / COMPONENT_ROWS), 1);

	mixing->points = points;
	mixing->mixture.k = k;
	mixing->mixture.d = d;
	mixing->mixture.weight = palloc(sizeof(float) * k);
	mixing->mixture.mean = palloc(sizeof(float) * k * d);
	mixing->mixture.cholesky = palloc(sizeof(float) * k * d * d);
	mixing->fit.rounds = ROUNDS;
	mixing->fit.floor = FLOOR;
	mixing->fit.seed = points->seed;
	mixing->fit.cancel = &mixing->cancel;
	gs_training_thread(mix, mixing, &mixing->cancel, NULL);
	if (!mixing->fine)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Failed on a mixture over latent vectors."),
				 errhint("Learn from fewer rows, with the option \"max_rows\".")));
	elog(DEBUG1, "mixture of %d: mean log density %f", k,
		 atomic_load(&mixing->fit.likelihood));
	gs_tensor_add(tensors, "vae/weight", GS_F4, 1, k, 0,
				  mixing->mixture.weight);
	gs_tensor_add(tensors, "vae/mean", GS_F4, 2, k, d, mixing->mixture.mean);
	gs_tensor_add(tensors, "vae/cholesky", GS_F4, 2, (int64) k * d, d,
				  mixing->mixture.cholesky);
}

/*
 * gs_vae_fit: see family.h and vae.c.
 */
void
gs_vae_fit(GsFitContext *context)
{
	const GsTrainingOptions *options = context->options;
	const GsEncoded *encoded = context->encoded;
	GsTokens   *tokens = gs_tokens_learn(context->schema, encoded);
	Table		table = {.tokens = tokens,.encoded = encoded};
	GsParams   *params = gs_training_params();
	GsTraining	training = {
		.name = "vae",.nrows = encoded->nrows,
		.batch = gs_training_batch(options, encoded->nrows, BATCH),
		.epochs = EPOCHS,.steps = STEPS,.rate = RATE,
		.adam = GS_ADAM_DEFAULTS
	};
	GsTrainable what = {.params = params,.loss = loss,.model = &table};
	Points		points = {.table = &table,.params = params,
		.seed = gs_mix64(context->key, 1)
	};

	training.adam.clip = 5;
	if (tokens->ntokens == tokens->npositions)
		training.steps = 1;		/* nothing varies */
	table.net.decoder = gs_token_decoder_net(tokens);
	gs_vae_net_init(&table.net, params);
	gs_training_create(params, gs_mix64(context->key, 2));
	gs_tokens_start_heads(tokens, table.net.decoder.head, params->value);
	table.row = palloc(sizeof(uint32) * training.batch);
	what.row = table.row;
	what.workspace = gs_vae_workspace(&table.net,
									  gs_shard_rows(training.batch));
	gs_training_run(&training, &what, options, context);
	points.n = (int) Max(Min(encoded->nrows, MAX_POINTS), MIN_POINTS);
	points.z = palloc(sizeof(float) * points.n * table.net.decoder.latent);
	draw_points(&points);
	fit_mixture(&points, &context->tensors);
	gs_tokens_save(tokens, &context->tensors);
}
