/*
 * philox.h
 *	  Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror and
 *	  Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 *
 * A random word is a pure function of (key, row, column, draw), so that row i
 * of a stream is the same whoever asks for it, in whatever batch.  The counter
 * is laid out as { row low, row high, column, draw }; "column" is any stream
 * number below 2^32.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_PHILOX_H
#define GENSYNTH_PHILOX_H

#include <stdint.h>

/*
 * Successive random words of one cell (row, column): what a decoder uses that
 * needs more than one number for one value.
 */
typedef struct GsRandom
{
	uint64_t	key;
	uint64_t	row;
	uint32_t	column;
	uint32_t	draw;			/* next Philox block */
	uint32_t	words[4];
	int			left;			/* words not yet used */
} GsRandom;

extern void gs_philox4x32(const uint32_t counter[4], const uint32_t key[2],
						  uint32_t out[4]);
extern uint64_t gs_mix64(uint64_t a, uint64_t b);
extern void gs_philox_lanes(uint64_t key, uint64_t first_row, uint32_t column,
							uint32_t draw, int n, uint32_t *out0,
							uint32_t *out1, uint32_t *out2, uint32_t *out3);
extern void gs_philox_rows(uint64_t key, const uint64_t *rows, uint32_t column,
						   int n, uint32_t *out);
extern void gs_random_start(GsRandom *random, uint64_t key, uint64_t row,
							uint32_t column);
extern uint32_t gs_random_u32(GsRandom *random);
extern uint32_t gs_random_below(GsRandom *random, uint32_t bound);
extern double gs_random_uniform(GsRandom *random);

#endif
