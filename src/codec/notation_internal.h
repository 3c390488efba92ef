/*
 * notation_internal.h
 *	  Formats of dates and times, taken apart, for notation*.c.
 */
#ifndef GENSYNTH_NOTATION_INTERNAL_H
#define GENSYNTH_NOTATION_INTERNAL_H

#include "codec/notation.h"

typedef enum Field
{
	FIELD_YEAR,					/* four digits */
	FIELD_YEAR2,				/* two, of 1950 to 2049 */
	FIELD_MONTH,
	FIELD_MONTH_SHORT,			/* no zero before it */
	FIELD_MONTH_NAME,
	FIELD_MON,
	FIELD_MON_UPPER,
	FIELD_DAY,
	FIELD_DAY_SHORT,
	FIELD_DAY_OF_YEAR,
	FIELD_HOUR,
	FIELD_HOUR_SHORT,
	FIELD_MINUTE,
	FIELD_SECOND,
	FIELD_MILLI,				/* seconds' digits after the point: three, */
	FIELD_MICRO,				/* or six */

	/* what says too little to be read */
	FIELD_QUARTER,
	FIELD_DAY_NAME,
	FIELD_DAY_ABBREVIATED,
	FIELD_SUNDAY_1,
	FIELD_MONDAY_1,
	FIELD_SUNDAY_0,
	FIELD_MONDAY_0,
	FIELD_WEEK,
	FIELD_ISO_YEAR,				/* that the week is of */
	FIELD_EPOCH,				/* seconds since 1970, cut off or rounded */
	FIELD_EPOCH_ROUNDED,
	FIELD_EPOCH_MS,
	FIELD_EPOCH_MS_ROUNDED,
	FIELD_EXCEL_DAY,			/* days since 1899-12-30, */
	FIELD_UNIX_DAY,				/* 1970, */
	FIELD_JULIAN_DAY,			/* or 4714 BC */
	FIELDS
} Field;

#define NUMBER	1
#define TEXT	2
#define DATE	4				/* a type of their own */
#define TIME	8
#define STAMP	16
#define PLAIN	(DATE | TIME | STAMP)

/* A field, or a character as it is. */
typedef struct Token
{
	int8		field;			/* -1: none */
	char		literal;
} Token;

#define MAX_TOKENS	24

/* A format taken apart, when it is first needed. */
typedef struct Compiled
{
	const char *name;			/* as to_char() has it */
	int			kinds;			/* of columns that have such values */
	int			n;
	Token		token[MAX_TOKENS];
	bool		has[FIELDS];
} Compiled;

extern const Compiled *gs_notation_compile(int format);

#endif
