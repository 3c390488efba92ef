/*
 * generate.h
 *	  Values of kinds for one row, which fit each other: names fit the sex,
 *	  e-mail and user name fit the names, the city fits state, postcode and
 *	  coordinates, national ids fit the birth date.
 *
 *		GsFake		fake;
 *
 *		gs_fake_begin(&fake, &setup, random);
 *		gs_fake_keep(&fake, GS_KIND_SEX, "F", 1);		for what is not made
 *		n = gs_fake_value(&fake, GS_KIND_FIRST_NAME, &want, buffer);
 *		n = gs_fake_value(&fake, GS_KIND_EMAIL, &want, buffer);
 *
 * Nothing is allocated.  A value depends on the random bits, on what is kept,
 * and on nothing else: not on what else is made, nor in which order.
 *
 * Plain C: no postgres.h.  All text is UTF-8.
 */
#ifndef GENSYNTH_GENERATE_H
#define GENSYNTH_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "mask/kinds.h"

#define GS_FAKE_BYTES	512		/* of the buffer of a value, with a final 0 */

/* A user's own list of values of a kind (gensynth.lists). */
typedef struct GsFakeList
{
	GsKindId	kind;
	int			locale;			/* or -1: any */
	int			n;
	const char *const *values;
	const double *upto;			/* [n] sums of weights, ending in 1 */
} GsFakeList;

/* What all rows share; not changed by the generator. */
typedef struct GsFakeSetup
{
	int			locale;			/* GsLocaleId; or -1: of the row's country,
								 * else en_US */
	bool		ascii;			/* for databases whose encoding is not UTF-8 */
	const GsFakeList *lists;
	int			nlists;
} GsFakeSetup;

/* What a column wants of a value. */
typedef struct GsFakeWant
{
	int			max_chars;		/* of varchar(n); 0: any */
	bool		digits;			/* nothing but digits, for whole numbers; then
								 * max_chars is their count */
	uint64_t	suffix;			/* of an e-mail or user name, if the digits
								 * below are not 0: a number that is unique
								 * makes them so */
	int			suffix_digits;	/* 0 to 19: enough for the greatest suffix */
} GsFakeWant;

typedef struct GsFakeText
{
	const char *text;			/* NULL: not kept */
	int			len;
} GsFakeText;

/* A name, as it is written and as an e-mail address has it. */
typedef struct GsFakeName
{
	char		text[128];
	char		latin[64];		/* lower-case ASCII */
} GsFakeName;

/* One row.  The members are generate*.c's own. */
typedef struct GsFake
{
	const GsFakeSetup *setup;
	uint64_t	random[2];
	GsFakeText	kept[GS_KIND_COUNT];
	int			locale;			/* -1: not looked up yet */
	GsSex		sex;
	int			place;			/* entry of the data; -1: not drawn yet */
	int			birth;			/* days since 1970-01-01; INT_MIN: not drawn */
	int			birth_least;	/* the age group that stays */
	int			birth_most;
	bool		named[2];		/* whether its names are made, last and first */
	GsFakeName	names[2];
} GsFake;

extern void gs_fake_begin(GsFake *fake, const GsFakeSetup *setup,
						  const uint64_t random[2]);

/*
 * A value of the row that stays as it is, for others to fit it: sex, country,
 * names, birth date, city, state, postcode.  What is not understood has no
 * effect.  The text is not copied: it must live as long as values are made.
 */
extern void gs_fake_keep(GsFake *fake, GsKindId kind, const char *text,
						 int len);

/* Birth dates from first to last only, days since 1970-01-01. */
extern void gs_fake_keep_birth(GsFake *fake, int first, int last);

/*
 * Writes a value and a final 0 to buffer[GS_FAKE_BYTES].  Returns its bytes,
 * or -1 where not even the kind's shortest form fits what is wanted.
 */
extern int	gs_fake_value(GsFake *fake, GsKindId kind, const GsFakeWant *want,
						  char *buffer);

/*
 * An e-mail address or user name like "form": names in the place of its one or
 * two runs of letters, all else as it is.  Returns -1 where it is of another
 * form, or does not fit.
 */
extern int	gs_fake_like(GsFake *fake, GsKindId kind, const GsFakeWant *want,
						 const char *form, char *buffer);

#endif
