/*
 * bounds.h
 *	  The values that a column has.
 */
#ifndef GENSYNTH_BOUNDS_H
#define GENSYNTH_BOUNDS_H

#include "encode/decode.h"

typedef struct GsBounds
{
	Oid			type;
	FmgrInfo   *compare;		/* NULL: any value will do */
	Oid			collation;
	bool		discrete;		/* those of value[] alone; else any between */
	int			n;
	Datum	   *value;			/* [n] all, or the least and the largest */
} GsBounds;

extern void gs_bounds_init(GsBounds *bounds, const GsColumn *column,
						   const GsDecoder *decoder);
extern bool gs_bounds_exceeded(const GsBounds *bounds, Datum value);
extern bool gs_bounds_finite(const GsBounds *bounds, Datum value);

#endif
