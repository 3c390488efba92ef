/*
 * gan_watch.h
 *	  How near rows of tokens come to those of a table, cheaply: what a
 *	  generator that has no loss to tell is watched by.
 *
 * Plain C: no postgres.h.
 */
#ifndef GENSYNTH_GAN_WATCH_H
#define GENSYNTH_GAN_WATCH_H

#include <stdint.h>

#define GS_WATCH_GROUPS	8		/* of a position's tokens, beside missing */
#define GS_WATCH_CELLS	((GS_WATCH_GROUPS + 1) * (GS_WATCH_GROUPS + 1))
#define GS_WATCH_PAIRS	1024	/* at most */
#define GS_WATCH_SHARE	0.001	/* of rows: a token that has to appear */
#define GS_WATCH_CLUSTERS	64	/* at most */
#define GS_WATCH_PART	0.005	/* of rows: a cluster that has to appear ... */
#define GS_WATCH_MIN	0.25	/* ... in so much of its share at least */

typedef struct GsWatch
{
	int			npositions;
	const int  *offset;			/* [npositions + 1] of tokens */
	const uint8_t *group;		/* [tokens] below GS_WATCH_GROUPS */
	int			npairs;			/* gs_watch_pairs(npositions) */
	double	   *share;			/* [tokens] of the table's rows */
	double	   *joint;			/* [npairs][GS_WATCH_CELLS] likewise */
	double	   *scratch;		/* [tokens + npairs GS_WATCH_CELLS] */
	int			nclusters;		/* set by gs_watch_learn, as are these two */
	uint8_t	   *centre;			/* [GS_WATCH_CLUSTERS][npositions] groups */
	double	   *cluster;		/* [GS_WATCH_CLUSTERS] of the table's rows */
	uint8_t	   *row;			/* [npositions] to be used */
	uint32_t   *votes;			/* [GS_WATCH_CLUSTERS][npositions]
								 * [GS_WATCH_GROUPS + 1] to be used */
} GsWatch;

/* All between 0 and 1. */
typedef struct GsWatchFigures
{
	double		positions;		/* mean distance of a position's shares */
	double		pairs;			/* of a pair's shares, in groups */
	double		coverage;		/* share of the table's tokens that appear */
	double		variety;		/* as much as the table's, or less */
	double		clusters;		/* share of the table's that appear */
} GsWatchFigures;

extern int	gs_watch_pairs(int npositions);
extern void gs_watch_learn(GsWatch *watch, const int32_t *token, int n);
extern GsWatchFigures gs_watch_measure(const GsWatch *watch,
									   const int32_t *token, int n);

#endif
