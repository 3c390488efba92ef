/*
 * places.h
 *	  Places of a table's own rows, for its masked ones.
 */
#ifndef GENSYNTH_PLACES_H
#define GENSYNTH_PLACES_H

#include "postgres.h"

#include "mask/mask_plan.h"

#define GS_PLACE_COLUMNS	8		/* of one table, at most */

/* Combinations of values that enough rows share. */
typedef struct GsPlaces
{
	int			ncolumns;
	const char *columns[GS_PLACE_COLUMNS];	/* that are drawn together */
	int			nkept;
	const char *kept[GS_PLACE_COLUMNS]; /* that stay, and so must agree */
	int			n;
	const char **key;			/* [n] what is kept, ascending */
	double	   *upto;			/* [n] rows so far */
	Datum	   *values;			/* [n * ncolumns] */
} GsPlaces;

extern void gs_places_find(GsMaskTable *table);
extern const Datum *gs_places_draw(const GsPlaces *places, const char *key,
								   uint64 random);

#endif
