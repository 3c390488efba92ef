/*
 * diffusion_net.c
 *	  The network of masked diffusion.
 *
 *	  tokens -> embeddings --+
 *	  scores -> dense -------+-- sum -> residual blocks -> norm -> heads
 *
 * A position that is masked has an embedding of its own, so the sum says what
 * is not known, too.
 */
#include "postgres.h"

#include "model/diffusion.h"

/*
 * gs_diffusion_add: lays out a network; its parameters have still to be
 * created.  Allocates in the current context.
 *
 * tokens: have to outlive it; width: W; nblocks: residual blocks.
 */
void
gs_diffusion_add(DiffusionNet *net, const GsTokens *tokens, int width,
				 int nblocks)
{
	GsParams   *params = gs_training_params();
	int			n = Max(tokens->npositions, 1);
	int			nnumbers = 0;
	char		name[GS_VIEW_NAME];

	net->tokens = tokens;
	net->params = params;
	net->width = width;
	net->nblocks = nblocks;
	net->block = palloc(sizeof(GsResidual) * nblocks);
	net->head = palloc(sizeof(GsDense) * n);
	net->number = palloc(sizeof(int) * n);
	gs_embedding_add(params, "tokens", tokens->ntokens + tokens->npositions,
					 width, &net->embedding);
	if (tokens->nnumbers > 0)
		gs_dense_add(params, "scores", tokens->nnumbers, width, GS_LINEAR,
					 &net->score);
	for (int b = 0; b < nblocks; b++)
	{
		snprintf(name, sizeof(name), "block%d", b);
		gs_residual_add(params, name, width, width, GS_SILU, &net->block[b]);
	}
	gs_norm_add(params, "norm", width, &net->norm);
	for (int p = 0; p < tokens->npositions; p++)
	{
		snprintf(name, sizeof(name), "head%d", p);
		gs_dense_add(params, name, width, tokens->position[p].ntokens,
					 GS_LINEAR, &net->head[p]);
		net->number[p] = nnumbers;
		nnumbers += tokens->position[p].number;
	}
}
