/*
 * private_noise.c
 *	  How long a million discrete Gaussians take, words of the operating
 *	  system's included.
 *
 *	cc -O2 -I src bench/private_noise.c src/privacy/noise.c -o /tmp/noise -lm && /tmp/noise
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "privacy/noise.h"

#define DRAWS	1000000
#define WORDS	8192

static uint64_t word[WORDS];
static int	left;

static uint64_t
next_word(void *arg)
{
	(void) arg;
	if (left == 0)
	{
		/* a call gives up to 32 MB, but may give less where it is interrupted */
		for (size_t at = 0; at < sizeof(word);)
		{
			ssize_t		n = getrandom((char *) word + at, sizeof(word) - at, 0);

			if (n < 0)
				exit(1);
			at += (size_t) n;
		}
		left = WORDS;
	}
	return word[--left];
}

int
main(void)
{
	static const double sigma[] = {0.5, 1, 10, 100, 10000};

	for (int s = 0; s < 5; s++)
	{
		GsWords		words = {next_word, NULL};
		GsNoise		noise;
		int64_t		sum = 0;
		clock_t		began = clock();

		if (!gs_noise_init(&noise, (uint64_t) (sigma[s] * sigma[s] * 32768),
						   32768))
			return 1;
		for (int i = 0; i < DRAWS; i++)
			sum += gs_noise_draw(&noise, &words);
		printf("sigma %g: %.2f s of processor, mean %g\n", sigma[s],
			   (double) (clock() - began) / CLOCKS_PER_SEC,
			   (double) sum / DRAWS);
	}
	return 0;
}
