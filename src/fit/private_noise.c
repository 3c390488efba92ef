/*
 * private_noise.c
 *	  The one place where counts of rows become numbers that may be seen.
 *
 * Words come from pg_strong_random and from nothing else: whoever knew a
 * generator's state could take the noise off again.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "fit/private.h"

#define BLOCK_WORDS		8192	/* 64 kB */

typedef struct NoiseBlock
{
	int			left;
	uint64		word[BLOCK_WORDS];
} NoiseBlock;

void		(*gs_release_hook) (const int64 *exact, int64 *noisy, int n,
								uint64 num, uint64 den) = NULL;

static uint64_t
strong_word(void *arg)
{
	NoiseBlock *block = arg;
	uint64		word;

	if (block->left == 0)
	{
		CHECK_FOR_INTERRUPTS();
		if (!pg_strong_random(block->word, sizeof(block->word)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values"),
					 errhint("Noise needs the operating system's generator; nothing was released.")));
		block->left = BLOCK_WORDS;
	}
	word = block->word[--block->left];
	/* what noise was made of is nobody's business any more */
	block->word[block->left] = 0;
	return word;
}

/*
 * gs_release: adds discrete Gaussian noise to counts of rows, in place: what
 * they are from here on may be seen, once what it costs has been charged.
 *
 * A count never passes through a floating-point number before.  Errors:
 * internal_error where there is no randomness.
 */
void
gs_release(GsPrivateVector *vector)
{
	NoiseBlock *block = palloc(sizeof(NoiseBlock));
	GsWords		words = {strong_word, block};
	int64	   *count = vector->count;
	int			n = vector->ncells;
	int64	   *exact = palloc_extended(sizeof(int64) * Max(n, 1),
										MCXT_ALLOC_HUGE);
	GsNoise		noise;

	block->left = 0;
	memcpy(exact, count, sizeof(int64) * n);
	if (!gs_noise_init(&noise, vector->num, vector->den))
		elog(ERROR, "noise of sigma^2 = " UINT64_FORMAT " / " UINT64_FORMAT " cannot be drawn",
			 vector->num, vector->den);
	for (int i = 0; i < n; i++)
		count[i] += gs_noise_draw(&noise, &words);
	if (gs_release_hook != NULL)
		gs_release_hook(exact, count, n, vector->num, vector->den);
	pfree(exact);
	pfree(block);
}
