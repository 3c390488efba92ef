/*
 * gan_fit.c
 *	  The generative adversarial network: fitting.
 *
 * The generator and its critic are trained in turn (loop.c, nets/gan_net.h).
 * There is no loss that tells how good the generator is: so it is sampled now
 * and then, and watched (nets/gan_watch.h).  The weights that came nearest to
 * the table are kept; if tokens or variety get lost, the generator has
 * collapsed, and training goes back to these weights.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "model/gan.h"
#include "model/token_decoder.h"
#include "model/training.h"
#include "numeric/permute.h"
#include "numeric/philox.h"
#include "nets/gan_conditions.h"
#include "nets/gan_net.h"
#include "nets/gan_watch.h"

#define EPOCHS			400		/* at most ... */
#define STEPS			1200	/* ... and so many steps */
#define BATCH			512
#define RATE			3e-3
#define CRITIC_RATE		1.0		/* times the generator's */
#define CRITIC_WIDTH	256
#define CRITIC_VECTOR	32		/* of a row */
#define PACK			10		/* rows that the critic sees at once */
#define TEMPERATURE		0.5
#define ANCHOR			1.0		/* weight of the cross entropy */
#define PENALTY			10.0	/* of the gradient, as in its paper */

/* A pack is a row to the critic, so its shards are larger. */
#define GENERATOR_SHARDS	4
#define CRITIC_SHARDS	2
#define SMALL_BATCH		128

#define CONDITIONED		0.5		/* of the rows of a batch */
#define INDEX			(1 << 22)	/* rows of all positions that it has */

#define WATCH_ROWS		8192	/* made, or of the table */
#define CHUNK			512

/* Less than this of the table's is a collapse ... */
#define MIN_COVERAGE	0.8		/* of what appeared at the beginning ... */
#define MIN_VARIETY	0.7
#define MIN_CLUSTERS	0.5
#define WORSE_PAIRS		0.1		/* as is so much more than then */
/* ... and this at the end deserves a warning. */
#define GOOD_COVERAGE	0.95
#define GOOD_PAIRS		0.15

/* The loss functions' view of the table. */
typedef struct Table
{
	GsGanNet	net;
	const GsTokens *tokens;
	const GsEncoded *encoded;
	const GsParams *generator;
	const GsParams *critic;
	int			batch;			/* rows of one, and of that at hand: */
	uint32	   *row;			/* [batch] */
	int32	   *condition;		/* [batch] */
	int32	   *made;		/* [batch][npositions] tokens of the generator */
	GsConditions conditions;
	GsWatch		watch;
	GsWatchFigures start;		/* of columns drawn each by itself */
	uint64		key;			/* of conditions, and rows that are watched */
	GsArena		arena;
	int32	   *token;			/* [WATCH_ROWS][npositions] */
	const atomic_bool *cancel;	/* NULL: in the backend */
} Table;

/*
 * The rows of a step: some are exchanged for such as meet a condition.
 */
static void
choose(const void *model, uint64_t step)
{
	const Table *table = model;

	for (int i = 0; i < table->batch; i++)
	{
		GsRandom	random;

		gs_random_start(&random, table->key, step * table->batch + i, 0);
		table->condition[i] = gs_random_uniform(&random) < CONDITIONED ?
			gs_conditions_draw(&table->conditions, &random,
							   &table->row[i]) : -1;
	}
}

static GsGanRows
read_rows(const Table *table, GsShard *shard)
{
	int			k = table->tokens->npositions;
	int32	   *token = gs_arena_take(&shard->arena, (Size) shard->n * k,
									  sizeof(int32));

	gs_tokens_read(table->tokens, table->encoded, table->row + shard->first,
				   shard->n, token);
	return (GsGanRows) {
		.real = token,.condition = table->condition + shard->first,
		.made = table->made + (Size) shard->first * k
	};
}

static double
generator_loss(const void *model, GsShard *shard)
{
	const Table *table = model;
	GsGanRows	rows = read_rows(table, shard);

	return gs_gan_generator_loss(&table->net, table->critic->value, &rows,
								 shard);
}

static double
critic_loss(const void *model, GsShard *shard)
{
	const Table *table = model;
	GsGanRows	rows = read_rows(table, shard);

	return gs_gan_critic_loss(&table->net, &rows, shard);
}

/*
 * Whether the thread is cancelled; in the backend, an error where it is.
 */
static bool
is_cancelled(const Table *table)
{
	if (table->cancel != NULL)
		return atomic_load(table->cancel);
	CHECK_FOR_INTERRUPTS();
	return false;
}

/*
 * How near the generator comes, of some rows, always with the same noise;
 * anything if cancelled.
 */
static GsWatchFigures
look(const Table *table, const float *generator)
{
	for (int from = 0; from < WATCH_ROWS && !is_cancelled(table);
		 from += CHUNK)
	{
		GsArena		arena = table->arena;
		GsDraw		draw = {.key = table->key,.first_row = from};

		gs_gan_sample(&table->net, generator, draw, CHUNK, &arena,
					  table->token + (Size) from * table->tokens->npositions);
	}
	return gs_watch_measure(&table->watch, table->token, WATCH_ROWS);
}

/*
 * What the loop watches: smaller is better, NAN is a collapse.
 */
static double
watch(const void *model, const float *generator)
{
	const Table *table = model;
	GsWatchFigures figures = look(table, generator);

	return figures.coverage < MIN_COVERAGE * table->start.coverage ||
		figures.variety < MIN_VARIETY * table->start.variety ||
		figures.clusters < MIN_CLUSTERS * table->start.clusters ||
		figures.pairs > table->start.pairs + WORSE_PAIRS ? NAN :
		figures.pairs + (1 - figures.coverage) + (1 - figures.clusters);
}

/*
 * A token's group: numbers in order, by shares; categories by their rank.
 */
static int
group_of(const GsTokenPosition *position, int token)
{
	double		below = position->share[token] / 2;
	int			rank = 0;

	for (int t = 0; t < position->ntokens; t++)
	{
		if (position->score != NULL && position->score[t] <
			position->score[token])
			below += position->share[t];
		rank += position->share[t] > position->share[token] ||
			(position->share[t] == position->share[token] && t < token);
	}
	return Min(position->number ? (int) (below * GS_WATCH_GROUPS) : rank,
			   GS_WATCH_GROUPS - 1);
}

/*
 * Room for what is watched, and what the table is like.
 */
static void
start_watch(Table *table)
{
	const GsTokens *tokens = table->tokens;
	const GsNetShape *shape = table->net.decoder.shape;
	int			n = tokens->ntokens;
	Size		k = Max(tokens->npositions, 1);
	int			pairs = gs_watch_pairs(tokens->npositions);
	int64		nrows = table->encoded->nrows;
	int			known = (int) Min(nrows, WATCH_ROWS);
	uint8	   *group = palloc(Max(n, 1));
	uint32	   *row = palloc(sizeof(uint32) * WATCH_ROWS);
	GsPermutation order;

	for (int p = 0; p < tokens->npositions; p++)
		for (int t = 0; t < tokens->position[p].ntokens; t++)
			group[shape->offset[p] + t] = group_of(&tokens->position[p], t);
	table->watch = (GsWatch)
	{
		.npositions = tokens->npositions,.offset = shape->offset,
			.group = group,.npairs = pairs,
			.share = palloc(sizeof(double) * Max(n, 1)),
			.joint = palloc(sizeof(double) * (pairs + 1) * GS_WATCH_CELLS),
			.scratch = palloc(sizeof(double) *
							  (n + (pairs + 1) * GS_WATCH_CELLS)),
			.centre = palloc((Size) GS_WATCH_CLUSTERS * k),
			.cluster = palloc(sizeof(double) * GS_WATCH_CLUSTERS),
			.row = palloc(k),
			.votes = palloc(sizeof(uint32) * GS_WATCH_CLUSTERS * k *
							(GS_WATCH_GROUPS + 1))
	};
	table->token = palloc_extended(sizeof(int32) * WATCH_ROWS *
								   Max(tokens->npositions, 1),
								   MCXT_ALLOC_HUGE);
	table->arena.size = gs_gan_workspace(&table->net, CHUNK);
	table->arena.base = palloc_extended(table->arena.size + 64,
										MCXT_ALLOC_HUGE);
	table->arena.base = (char *) TYPEALIGN(64, table->arena.base);
	gs_permute_init(&order, (uint64) nrows, table->key);
	for (int i = 0; i < known; i++)
		row[i] = (uint32) gs_permute(&order, (uint64) i);
	gs_tokens_read(tokens, table->encoded, row, known, table->token);
	gs_watch_learn(&table->watch, table->token, known);
}

/*
 * The rows that meet conditions: some of the table, as many as INDEX has
 * room for.
 */
static void
learn_conditions(Table *table)
{
	const GsTokens *tokens = table->tokens;
	int			k = Max(tokens->npositions, 1);
	int			n = (int) Min(table->encoded->nrows, Max(INDEX / k, 1));
	uint32	   *row = palloc(sizeof(uint32) * n);
	int32	   *token = palloc(sizeof(int32) * n * k);
	GsPermutation order;

	table->conditions = (GsConditions)
	{
		.npositions = tokens->npositions,
			.offset = table->net.decoder.shape->offset,.nrows = n,
			.begin = palloc(sizeof(uint32) * (tokens->ntokens + 1)),
			.row = palloc(sizeof(uint32) * n * k),
			.probability = palloc(sizeof(float) * Max(tokens->ntokens, 1)),
			.position = palloc(sizeof(int) * k)
	};
	gs_permute_init(&order, (uint64) table->encoded->nrows,
					gs_mix64(table->key, 1));
	for (int i = 0; i < n; i++)
		row[i] = (uint32) gs_permute(&order, (uint64) i);
	gs_tokens_read(tokens, table->encoded, row, n, token);
	gs_conditions_learn(&table->conditions, row, token);
	pfree(row);
	pfree(token);
}

/*
 * Both networks, as they begin.
 */
static void
shape(Table *table, GsParams *generator, GsParams *critic, uint64 seed)
{
	const GsTokens *tokens = table->tokens;
	int			n = Max(tokens->npositions, 1);

	table->net = (GsGanNet)
	{
		.decoder = gs_gan_generator(gs_token_decoder_net(tokens)),
			.temperature = TEMPERATURE,.anchor = ANCHOR,.penalty = PENALTY,
			.pack = PACK,.vector = CRITIC_VECTOR,.width = CRITIC_WIDTH,
			.fed = palloc(sizeof(GsDense) * n)
	};
	gs_gan_net_init(&table->net, generator, critic);
	gs_training_create(generator, gs_mix64(seed, 2));
	gs_training_create(critic, gs_mix64(seed, 3));
	gs_tokens_start_heads(tokens, table->net.decoder.head, generator->value);
	table->generator = generator;
	table->critic = critic;
	table->key = gs_mix64(seed, 4);
}

/*
 * Tells how near the generator came in the end.
 */
static void
note_figures(const Table *table, GsFitContext *context)
{
	GsWatchFigures figures = look(table, table->generator->value);

	gs_fit_note(context, "of the frequent values %.1f %% appear, of the clusters of rows %.1f %%; shares are off by %.1f %%, those of pairs by %.1f %%, before calibration",
							  100 * figures.coverage, 100 * figures.clusters,
							  100 * figures.positions, 100 * figures.pairs);
	if (figures.coverage < GOOD_COVERAGE || figures.pairs > GOOD_PAIRS)
		ereport(WARNING,
				(errmsg("the generator never came near the table"),
				 errdetail("Of the frequent values %.1f %% appear, and shares of pairs are off by %.1f %%.",
						   100 * figures.coverage, 100 * figures.pairs),
				 errhint("Take more \"steps\", the standard \"learning_rate\", or another method.")));
}

/*
 * The bytes that a shard takes; a small batch is one.
 */
static Size
workspace(const Table *table, int batch, int shards)
{
	return gs_gan_workspace(&table->net, Max(Min(batch, SMALL_BATCH),
											 (batch + shards - 1) / shards));
}

/*
 * gs_gan_fit: see family.h and gan.c.
 */
void
gs_gan_fit(GsFitContext *context)
{
	const GsTrainingOptions *options = context->options;
	const GsEncoded *encoded = context->encoded;
	GsTokens   *tokens = gs_tokens_learn(context->schema, encoded);
	Table		table = {.tokens = tokens,.encoded = encoded};
	GsParams   *generator = gs_training_params();
	GsParams   *critic = gs_training_params();
	GsTraining	training = {
		.name = "gan",.nrows = encoded->nrows,
		.batch = gs_training_batch(options, encoded->nrows, BATCH),
		.epochs = EPOCHS,.steps = STEPS,.rate = RATE,
		.adam = {.beta1 = 0.5,.beta2 = 0.9,.epsilon = 1e-8,.clip = 5,
		.average = 0.999},
		.cancel = &table.cancel
	};
	GsOpponent	opponent = {.params = critic,.loss = critic_loss,
		.rate = CRITIC_RATE
	};
	GsTrainable what = {.params = generator,.loss = generator_loss,
		.model = &table,.opponent = &opponent,.choose = choose,.watch = watch
	};

	if (tokens->ntokens == tokens->npositions)
		training.steps = 1;		/* nothing varies */
	shape(&table, generator, critic, context->key);
	start_watch(&table);
	learn_conditions(&table);
	table.batch = training.batch;
	table.row = palloc(sizeof(uint32) * training.batch);
	table.condition = palloc(sizeof(int32) * training.batch);
	table.made = palloc0(sizeof(int32) * training.batch *
						 Max(tokens->npositions, 1));
	what.row = table.row;
	what.shards = GENERATOR_SHARDS;
	opponent.shards = CRITIC_SHARDS;
	what.workspace = workspace(&table, training.batch, what.shards);
	opponent.workspace = workspace(&table, training.batch, opponent.shards);
	table.start = look(&table, generator->value);
	gs_training_run(&training, &what, options, context);
	note_figures(&table, context);
	gs_tokens_save(tokens, &context->tensors);
}
