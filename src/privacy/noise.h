/*
 * noise.h
 *	  Exact discrete noise for differentially private counts.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_NOISE_H
#define GENSYNTH_NOISE_H

#include <stdbool.h>
#include <stdint.h>

/* Where random words come from: uniform, independent, 64 bits each. */
typedef struct GsWords
{
	uint64_t	(*next) (void *arg);
	void	   *arg;
} GsWords;

/* A discrete Gaussian of mean 0 whose sigma^2 is num / den. */
typedef struct GsNoise
{
	uint64_t	num;
	uint64_t	den;
	uint64_t	scale;			/* of the Laplace distribution it is made of */
} GsNoise;

extern bool gs_noise_init(GsNoise *noise, uint64_t num, uint64_t den);
extern int64_t gs_noise_draw(const GsNoise *noise, const GsWords *words);
extern int64_t gs_laplace_draw(uint64_t scale, const GsWords *words);
extern bool gs_coin_exp(__uint128_t num, __uint128_t den,
						const GsWords *words);

#endif
