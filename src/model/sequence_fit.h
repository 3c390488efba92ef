/*
 * sequence_fit.h
 *	  Rows of an owner, while they are learned: between the files that do it.
 */
#ifndef GENSYNTH_SEQUENCE_FIT_H
#define GENSYNTH_SEQUENCE_FIT_H

#include "model/sequence.h"
#include "model/tree_fit.h"

/* A feature while its trees are fitted. */
typedef struct Drawn
{
	int			feature;
	bool		number;
	bool		measured;		/* its values can be subtracted */
	Axis		own;
	GsShiftSource source;
	double	   *value;			/* [nrows] NaN: none; of what is measured */
	uint16	   *taken;			/* [nrows] where a value comes from; NULL: there
								 * is one source */
	int			sources;		/* bits */
	int			key;			/* position that it is looked up by; -1: none */
	double	   *lookup;			/* [values of that + 1] the value, or where it is
								 * on the axis; NaN: none; last: without */
	int			owner;			/* position of the owner's column that it may be
								 * copied from; -1: none */
	GsRising	rising;
	Axis		from;			/* the same as levels */
	GsFeature	shift_feature;
	Axis		shift;			/* from the last row; nvalues 0: none */
	int			base;			/* known position that the first row's number
								 * lies close to; -1: none */
	bool		by_year;		/* close to its year */
	GsFeature	first_feature;
	Axis		first;			/* of first rows: from the base, or as own; nvalues
								 * 0: these are like others */
} Drawn;

/* A tree to be fitted. */
typedef struct Job
{
	int			position;
	Axis	   *axis;
	bool		number;
	bool		first;			/* of owners' first rows */
	uint32	   *row;			/* [n], those to learn from */
	uint32		n;
	uint32		nowners;		/* whose rows these are */
	int			nasks;
	int		   *ask;			/* [nasks] that it may ask for */
	GsTree		tree;
} Job;

typedef struct SequenceFit
{
	GsFitContext *context;
	const GsEncoded *encoded;
	uint32		nrows;
	const bool *begins;			/* [nrows] an owner's first row */
	int			n;
	int			nknown;
	Drawn	   *drawn;			/* [n] */
	GsKept	   *kept;			/* [n] */
	int			group;			/* position that rows are grouped by; -1: none */
	int			nasks;
	int			room;
	GsAsk	   *ask;			/* [room] */
	uint8	  **code;			/* [room][nrows] */
	int		   *ncodes;			/* [room] */
	bool	   *ordered;		/* [room] */
	int			nkeys;
	GsNaturalKey key[GS_SEQUENCE_MAX_KEYS];
	Job		   *job;			/* [n][GS_SEQUENCE_TREES], n 0: none */
	GsJobs		jobs;
} SequenceFit;

static inline void *
gs_sequence_alloc(Size n, Size element)
{
	return palloc_extended(Max(n, 1) * element, MCXT_ALLOC_HUGE);
}

/* sequence_learn.c */
extern void gs_sequence_learn(SequenceFit *fit);
extern double gs_sequence_spread(const double *value, const uint8 *group, uint32 n);

/* sequence_first.c */
extern void gs_sequence_find_first(SequenceFit *fit);
extern double gs_sequence_base_at(const SequenceFit *fit, int p, uint32 row);

/* sequence_ask.c */
extern void gs_sequence_ask(SequenceFit *fit);

#endif
