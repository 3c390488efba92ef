/*
 * diffusion_fit.c
 *	  Masked diffusion: fitting; see nets/diffusion_net.h.
 */
#include "postgres.h"

#include "model/diffusion.h"

#define WIDTH			256
#define BLOCKS			3
#define BATCH			1024
#define RATE			2e-3
#define WEIGHT_DECAY	0.1
#define DROPOUT			0.4
#define AVERAGE			0.999
#define CLIP			1.0
#define SLACK			0.01
#define MAX_EPOCHS		60.0
#define MAX_STEPS		1500.0

typedef struct Fit
{
	GsDiffusionNet net;
	const GsTokens *tokens;
	const GsEncoded *encoded;
	uint32	   *row;			/* [batch], see GsTrainable */
} Fit;

/*
 * The loss of a shard, see GsLoss.
 */
static double
shard_loss(const void *arg, GsShard *shard)
{
	const Fit  *fit = arg;
	const uint32 *row = fit->row + shard->first;
	GsNetRows	rows = gs_net_rows(fit->net.shape, &shard->arena, shard->n);

	gs_tokens_read(fit->tokens, fit->encoded, row, shard->n, rows.token);
	gs_tokens_read_scores(fit->tokens, fit->encoded, row, shard->n,
						  rows.score.data);
	return gs_diffusion_loss(&fit->net, &rows, shard);
}

/*
 * gs_diffusion_fit: see family.h and diffusion.c.
 */
void
gs_diffusion_fit(GsFitContext *context)
{
	const DiffusionOptions *options = context->options;
	const GsEncoded *encoded = context->encoded;
	GsTokens   *tokens = gs_tokens_learn(context->schema, encoded);
	GsParams   *params = gs_training_params();
	int32		shape[3] = {WIDTH, BLOCKS, (int32) options->sampling_steps};
	Fit			fit = {.tokens = tokens,.encoded = encoded};
	GsTraining	training = {.name = "diffusion",.nrows = encoded->nrows,
		.batch = gs_training_batch(&options->training, encoded->nrows, BATCH),
		.epochs = MAX_EPOCHS,.steps = MAX_STEPS,.rate = RATE,
	.adam = {0.9, 0.99, 1e-8, WEIGHT_DECAY, CLIP, AVERAGE},.slack = SLACK};
	GsTrainable what = {.params = params,.loss = shard_loss,.model = &fit};

	gs_tokens_save(tokens, &context->tensors);
	gs_tensor_add(&context->tensors, "diffusion/net", GS_I4, 1, 3, 0, shape);
	if (tokens->npositions == 0)
		return;
	gs_diffusion_net(&fit.net, tokens, WIDTH, BLOCKS);
	fit.net.dropout = DROPOUT;
	gs_diffusion_net_init(&fit.net, params);
	gs_training_create(params, context->key);
	gs_diffusion_net_start(&fit.net, params->value);
	gs_tokens_start_heads(tokens, fit.net.head, params->value);
	fit.row = palloc(sizeof(uint32) * training.batch);
	what.row = fit.row;
	what.workspace = gs_diffusion_workspace(&fit.net,
											gs_shard_rows(training.batch));
	gs_training_run(&training, &what, &options->training, context);
}
