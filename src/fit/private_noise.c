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

struct GsReleaser
{
	GsWords		words;
	GsNoise		noise;
	int			left;
	uint64		word[BLOCK_WORDS];
};

void		(*gs_release_hook) (const int64 *exact, int64 *noisy, int n,
								uint64 num, uint64 den) = NULL;

static uint64_t
strong_word(void *arg)
{
	GsReleaser *releaser = arg;
	uint64		word;

	if (releaser->left == 0)
	{
		CHECK_FOR_INTERRUPTS();
		if (!pg_strong_random(releaser->word, sizeof(releaser->word)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random values"),
					 errhint("Noise needs the operating system's generator; nothing was released.")));
		releaser->left = BLOCK_WORDS;
	}
	word = releaser->word[--releaser->left];
	/* what noise was made of is nobody's business any more */
	releaser->word[releaser->left] = 0;
	return word;
}

/*
 * gs_releaser_begin: draws noise for counts one by one, with the sigma of a
 * vector; in the current context.
 */
GsReleaser *
gs_releaser_begin(const GsPrivateVector *vector)
{
	GsReleaser *releaser = palloc(sizeof(GsReleaser));

	releaser->words = (GsWords) {strong_word, releaser};
	releaser->left = 0;
	if (!gs_noise_init(&releaser->noise, vector->num, vector->den))
		elog(ERROR, "noise of sigma^2 = " UINT64_FORMAT " / " UINT64_FORMAT " cannot be drawn",
			 vector->num, vector->den);
	return releaser;
}

/*
 * gs_release_one: a count of rows with noise: what that is may be seen, once
 * what it costs has been charged.
 *
 * A count never passes through a floating-point number before.  Errors:
 * internal_error where there is no randomness.
 */
int64
gs_release_one(GsReleaser *releaser, int64 count)
{
	return count + gs_noise_draw(&releaser->noise, &releaser->words);
}

/*
 * gs_releaser_end: lets go of a releaser.
 */
void
gs_releaser_end(GsReleaser *releaser)
{
	pfree(releaser);
}

/*
 * gs_release: the same of all counts of a vector, in place.
 */
void
gs_release(GsPrivateVector *vector)
{
	GsReleaser *releaser = gs_releaser_begin(vector);
	int			n = vector->ncells;
	int64	   *exact = palloc_extended(sizeof(int64) * Max(n, 1),
										MCXT_ALLOC_HUGE);

	memcpy(exact, vector->count, sizeof(int64) * n);
	for (int i = 0; i < n; i++)
		vector->count[i] = gs_release_one(releaser, exact[i]);
	if (gs_release_hook != NULL)
		gs_release_hook(exact, vector->count, n, vector->num, vector->den);
	pfree(exact);
	gs_releaser_end(releaser);
}
